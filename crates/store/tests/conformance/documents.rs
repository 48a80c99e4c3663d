//! Documents: kept byte for byte under keys that differ by case, each user's apart from those of
//! others, no more of them than may be, and changed only as the version that a change was meant for.

use proptest::{
    collection::vec,
    prelude::{Strategy, any},
    test_runner::{Config, TestRunner},
};
use store::{
    AuditKind, Document, DocumentEntry, DocumentRemoval, DocumentWriting, NewDocument, Perishable,
    Store, VersionCondition, Versions,
};
use uuid::Uuid;

use crate::{conformance, fixture::*};

const MOST: u64 = 100;

fn document(owner: Uuid, key: &str, content: &[u8]) -> NewDocument {
    NewDocument {
        owner,
        key: key.to_owned(),
        content: content.to_vec(),
        etag: format!("of {}", content.len()),
        at: NOON,
    }
}

async fn put(store: &Store, owner: Uuid, key: &str, content: &[u8]) -> DocumentWriting {
    put_if(store, owner, key, content, VersionCondition::default()).await
}

async fn put_if(
    store: &Store,
    owner: Uuid,
    key: &str,
    content: &[u8],
    condition: VersionCondition,
) -> DocumentWriting {
    let new = document(owner, key, content);
    store.put_document(new, condition, MOST).await.unwrap()
}

async fn remove(store: &Store, owner: Uuid, key: &str) -> DocumentRemoval {
    remove_if(store, owner, key, VersionCondition::default()).await
}

async fn remove_if(
    store: &Store,
    owner: Uuid,
    key: &str,
    condition: VersionCondition,
) -> DocumentRemoval {
    store
        .remove_document(owner, key.to_owned(), condition)
        .await
        .unwrap()
}

async fn found(store: &Store, owner: Uuid, key: &str) -> Option<Document> {
    store.document(owner, key.to_owned()).await.unwrap()
}

async fn content(store: &Store, owner: Uuid, key: &str) -> Option<Vec<u8>> {
    Some(found(store, owner, key).await?.content)
}

async fn keys(store: &Store, owner: Uuid) -> Vec<String> {
    let entries = store.document_entries(owner).await.unwrap();
    entries.into_iter().map(|entry| entry.key).collect()
}

conformance! {
    async fn what_was_put_is_there_byte_for_byte_until_it_is_replaced_or_removed(db) {
        let store = db.store().await;
        let (ada, _) = registered(&store, "ada").await;
        assert_eq!(found(&store, ada, "settings").await, None);
        assert_eq!(put(&store, ada, "settings", b"{}").await, DocumentWriting::Created);
        let entry = DocumentEntry {
            key: "settings".into(),
            size: 2,
            etag: "of 2".into(),
            created_at: NOON,
            updated_at: NOON,
        };
        let whole = Document { entry: entry.clone(), content: b"{}".to_vec() };
        assert_eq!(found(&store, ada, "settings").await, Some(whole));
        assert_eq!(store.document_entries(ada).await.unwrap(), [entry]);

        let later = NewDocument { at: after(60), ..document(ada, "settings", b" [1.0]") };
        let replaced = store.put_document(later, VersionCondition::default(), MOST).await.unwrap();
        assert_eq!(replaced, DocumentWriting::Replaced);
        let Document { entry, content } = found(&store, ada, "settings").await.unwrap();
        assert_eq!(content, b" [1.0]");
        assert_eq!((entry.size, entry.etag.as_str()), (6, "of 6"));
        assert_eq!((entry.created_at, entry.updated_at), (NOON, after(60)));

        assert_eq!(remove(&store, ada, "settings").await, DocumentRemoval::Removed);
        assert_eq!(remove(&store, ada, "settings").await, DocumentRemoval::NoSuchDocument);
        assert_eq!(found(&store, ada, "settings").await, None);
    }

    async fn any_bytes_come_back_as_they_were(db) {
        let store = db.store().await;
        let (ada, _) = registered(&store, "ada").await;
        let cases = Config { cases: 12, failure_persistence: None, ..Config::default() };
        let bytes = proptest::prop_oneof![
            vec(any::<u8>(), 0..300),
            // As many as a document may have, which is one more than some engines keep in a blob.
            vec(any::<u8>(), 65_530..=65_536),
            any::<String>().prop_map(String::into_bytes),
        ];
        let outcome = tokio::task::block_in_place(|| {
            TestRunner::new(cases).run(&bytes, |bytes| {
                tokio::runtime::Handle::current().block_on(async {
                    put(&store, ada, "any", &bytes).await;
                    let Document { entry, content } = found(&store, ada, "any").await.unwrap();
                    assert_eq!(entry.size, bytes.len() as u64);
                    assert!(content == bytes, "{} bytes came back otherwise", bytes.len());
                });
                Ok(())
            })
        });
        outcome.unwrap();
    }

    async fn keys_differ_by_case_and_are_listed_in_the_order_of_their_bytes(db) {
        let store = db.store().await;
        let (ada, _) = registered(&store, "ada").await;
        for key in ["b", "a", "B", "a.b", "a-b", "a_b", "A", "0", "aa"] {
            assert_eq!(put(&store, ada, key, key.as_bytes()).await, DocumentWriting::Created, "{key}");
        }
        let in_order = ["0", "A", "B", "a", "a-b", "a.b", "a_b", "aa", "b"];
        assert_eq!(keys(&store, ada).await, in_order);
        for key in in_order {
            assert_eq!(content(&store, ada, key).await.unwrap(), key.as_bytes());
        }
        assert_eq!(remove(&store, ada, "A").await, DocumentRemoval::Removed);
        assert!(found(&store, ada, "a").await.is_some());

        let mut read = Vec::new();
        while let Some(last) = {
            let page = store.page_of_documents(ada, read.last().cloned(), 3).await.unwrap();
            assert!(page.len() <= 3);
            read.extend(page.iter().map(|document| document.entry.key.clone()));
            page.last().cloned()
        } {
            assert_eq!(last.content, last.entry.key.as_bytes());
        }
        assert_eq!(read, ["0", "B", "a", "a-b", "a.b", "a_b", "aa", "b"]);
    }

    async fn the_same_key_of_two_users_holds_two_documents(db) {
        let store = db.store().await;
        let (ada, _) = registered(&store, "ada").await;
        let (eve, _) = registered(&store, "eve").await;
        put(&store, ada, "settings", b"\"ada's\"").await;
        assert_eq!(found(&store, eve, "settings").await, None);
        assert_eq!(remove(&store, eve, "settings").await, DocumentRemoval::NoSuchDocument);
        assert_eq!(put_if(&store, eve, "settings", b"1", one_of(&["*"])).await, DocumentWriting::Unexpected);
        assert_eq!(put(&store, eve, "settings", b"\"eve's\"").await, DocumentWriting::Created);
        assert_eq!(content(&store, ada, "settings").await.unwrap(), b"\"ada's\"");
        assert_eq!(content(&store, eve, "settings").await.unwrap(), b"\"eve's\"");
        assert_eq!(remove(&store, eve, "settings").await, DocumentRemoval::Removed);
        assert_eq!(keys(&store, ada).await, ["settings"]);
        assert_eq!(store.page_of_documents(eve, None, 9).await.unwrap(), []);
    }

    async fn a_change_happens_to_the_version_that_it_was_meant_for_alone(db) {
        let store = db.store().await;
        let (ada, _) = registered(&store, "ada").await;
        for condition in [one_of(&["*"]), one_of(&["of 1"])] {
            let written = put_if(&store, ada, "k", b"1", condition.clone()).await;
            assert_eq!(written, DocumentWriting::Unexpected, "there is none");
            let removed = remove_if(&store, ada, "k", condition).await;
            assert_eq!(removed, DocumentRemoval::NoSuchDocument);
        }
        assert_eq!(put_if(&store, ada, "k", b"1", none_of(&["*"])).await, DocumentWriting::Created);
        for condition in [
            none_of(&["*"]),
            none_of(&["of 1", "of 9"]),
            one_of(&["of 2"]),
            one_of(&[]),
            VersionCondition { one_of: Some(Versions::Any), none_of: Some(Versions::Any) },
        ] {
            let written = put_if(&store, ada, "k", b"22", condition.clone()).await;
            assert_eq!(written, DocumentWriting::Unexpected, "{condition:?}");
            let removed = remove_if(&store, ada, "k", condition.clone()).await;
            assert_eq!(removed, DocumentRemoval::Unexpected, "{condition:?}");
        }
        assert_eq!(content(&store, ada, "k").await.unwrap(), b"1");
        for (condition, content) in [
            (one_of(&["of 9", "of 1"]), &b"22"[..]),
            (one_of(&["*"]), b"333"),
            (none_of(&["of 1"]), b"4444"),
            (none_of(&[]), b"55555"),
        ] {
            let written = put_if(&store, ada, "k", content, condition.clone()).await;
            assert_eq!(written, DocumentWriting::Replaced, "{condition:?}");
        }
        assert_eq!(remove_if(&store, ada, "k", one_of(&["of 5"])).await, DocumentRemoval::Removed);
    }

    async fn of_many_at_once_that_were_meant_for_one_version_one_wins(db) {
        let store = db.store().await;
        let (ada, _) = registered(&store, "ada").await;
        put(&store, ada, "shared", b"").await;
        for (condition, length) in [(one_of(&["of 0"]), 10), (one_of(&["of 10"]), 20)] {
            let writers: Vec<_> = (0..20_u8)
                .map(|number| {
                    let (store, condition) = (store.clone(), condition.clone());
                    let content = vec![number; length];
                    tokio::spawn(async move { put_if(&store, ada, "shared", &content, condition).await })
                })
                .collect();
            let mut winners = Vec::new();
            for (number, writer) in (0..20_u8).zip(writers) {
                match writer.await.unwrap() {
                    DocumentWriting::Replaced => winners.push(number),
                    other => assert_eq!(other, DocumentWriting::Unexpected),
                }
            }
            assert_eq!(winners.len(), 1, "{winners:?}");
            assert_eq!(content(&store, ada, "shared").await.unwrap(), vec![winners[0]; length]);
        }
    }

    async fn of_many_at_once_that_make_the_same_one_one_is_the_first(db) {
        let store = db.store().await;
        let (ada, _) = registered(&store, "ada").await;
        let writers: Vec<_> = (0..20_u8)
            .map(|number| {
                let store = store.clone();
                tokio::spawn(async move { put(&store, ada, "new", &[number]).await })
            })
            .collect();
        let mut created = 0;
        for writer in writers {
            match writer.await.unwrap() {
                DocumentWriting::Created => created += 1,
                other => assert_eq!(other, DocumentWriting::Replaced),
            }
        }
        assert_eq!(created, 1);
        assert_eq!(keys(&store, ada).await, ["new"]);
    }

    async fn there_are_never_more_than_may_be_however_many_come_at_once(db) {
        let store = db.store().await;
        let (ada, _) = registered(&store, "ada").await;
        for number in 0..95 {
            put(&store, ada, &format!("k{number}"), b"0").await;
        }
        let writers: Vec<_> = (0..20)
            .map(|number| {
                let store = store.clone();
                tokio::spawn(async move { put(&store, ada, &format!("new{number}"), b"0").await })
            })
            .collect();
        let mut created = 0;
        for writer in writers {
            match writer.await.unwrap() {
                DocumentWriting::Created => created += 1,
                other => assert_eq!(other, DocumentWriting::TooMany),
            }
        }
        assert_eq!(created, 5);
        assert_eq!(store.document_entries(ada).await.unwrap().len(), 100);
        assert_eq!(put(&store, ada, "k7", b"{}").await, DocumentWriting::Replaced, "what is there may change");
        let refused = put_if(&store, ada, "new", b"{}", one_of(&["*"])).await;
        assert_eq!(refused, DocumentWriting::Unexpected, "the condition is looked at first");
        remove(&store, ada, "k7").await;
        assert_eq!(put(&store, ada, "new", b"{}").await, DocumentWriting::Created);
    }

    async fn whoever_is_deleted_or_disabled_writes_nothing_and_a_purge_takes_all(db) {
        let store = db.store().await;
        let (ada, _) = registered(&store, "ada").await;
        put(&store, ada, "settings", b"{}").await;
        store.disable(ada, audit(AuditKind::Disabled, ada)).await.unwrap();
        assert_eq!(put(&store, ada, "settings", b"[]").await, DocumentWriting::NoSuchOwner);
        store.enable(ada, audit(AuditKind::Enabled, ada)).await.unwrap();
        assert_eq!(put(&store, ada, "settings", b"[]").await, DocumentWriting::Replaced);
        store.delete_user(ada, audit(AuditKind::AccountDeleted, ada)).await.unwrap();
        assert_eq!(put(&store, ada, "settings", b"{}").await, DocumentWriting::NoSuchOwner);
        assert_eq!(remove(&store, ada, "settings").await, DocumentRemoval::NoSuchOwner);
        assert_eq!(content(&store, ada, "settings").await.unwrap(), b"[]", "who is restored finds it again");
        assert_eq!(store.purge(Perishable::DeletedUsers, after(1), 9).await.unwrap(), 2, "the account and its document");
        assert_eq!(found(&store, ada, "settings").await, None);
        assert_eq!(put(&store, id(), "settings", b"{}").await, DocumentWriting::NoSuchOwner);
    }

    async fn sessions_and_events_of_a_user_are_read_in_pages_of_theirs_alone(db) {
        let store = db.store().await;
        let (ada, first) = registered(&store, "ada").await;
        let (eve, _) = registered(&store, "eve").await;
        let mut sessions = vec![first];
        for _ in 0..4 {
            // One of them has expired.
            let new = store::NewSession { expires_at: after(0), ..session(ada) };
            sessions.push(new.id);
            log_in(&store, new).await.unwrap();
        }
        store.record(store::NewAudit { subject: Some(eve), ..audit(AuditKind::Disabled, ada) }).await.unwrap();
        let mut read = Vec::new();
        loop {
            let page = store.page_of_sessions(ada, read.last().copied(), 2).await.unwrap();
            read.extend(page.iter().map(|session| session.id));
            assert!(page.iter().all(|session| session.user == ada));
            if page.len() < 2 {
                break;
            }
        }
        assert_eq!(read, sessions);
        let (mut events, mut place) = (Vec::new(), None);
        loop {
            let page = store.page_of_audit_about(ada, place, 2).await.unwrap();
            events.extend(page.items);
            place = page.next;
            if place.is_none() {
                break;
            }
        }
        assert_eq!(events.len(), 6);
        assert!(events.iter().all(|event| event.actor == Some(ada) || event.subject == Some(ada)));
        assert_eq!(store.page_of_audit_about(eve, None, 9).await.unwrap().items.len(), 2);
    }
}
