//! What is removed once its time is over, and that nothing goes which is wanted again.

use std::time::Duration;

use store::{
    AuditKind, Authority, DocumentRemoval, KeyRotation, Keyed, NewAudit, NewDocument, NewSession,
    NewSigningKey, NewTodo, Perishable, Store, UserRestoration, VersionCondition,
};
use uuid::Uuid;

use crate::{conformance, fixture::*};

/// In seconds.
const DAY: u64 = 86_400;

async fn delete(store: &Store, who: Uuid, seconds: u64) {
    let event = NewAudit {
        at: after(seconds),
        ..audit(AuditKind::AccountDeleted, who)
    };
    store.delete_user(who, event).await.unwrap();
}

async fn restore(store: &Store, who: Uuid, name: &str) -> UserRestoration {
    let event = audit(AuditKind::Restored, who);
    let (email, username) = (format!("{name}@example.org"), Some(name.to_owned()));
    store
        .restore_user(Authority::Operator, who, email, username, event)
        .await
        .unwrap()
}

async fn purge(store: &Store, kind: Perishable, seconds: u64) -> u64 {
    store.purge(kind, after(seconds), 100).await.unwrap()
}

fn key(name: &str, seconds: u64) -> NewSigningKey {
    NewSigningKey {
        id: name.into(),
        algorithm: "ES256".into(),
        public_key: vec![1],
        sealed_private_key: vec![2],
        created_at: after(seconds),
        signs_from: after(seconds),
    }
}

/// Has somebody keep so many todos, and as many documents.
async fn furnish(store: &Store, owner: Uuid, count: u64) {
    for number in 0..count {
        let new = NewTodo {
            id: id(),
            owner,
            title: Keyed::default(),
            description: Keyed::default(),
            completed: false,
            due_at: None,
            created_at: after(number),
        };
        store.add_todo(new).await.unwrap();
        let new = NewDocument {
            owner,
            key: format!("document{number}"),
            content: b"{}".to_vec(),
            etag: String::new(),
            at: after(number),
        };
        let putting = store.put_document(new, VersionCondition::default(), count);
        putting.await.unwrap();
    }
}

/// How many todos and documents somebody has, who may be deleted.
async fn belongings(store: &Store, owner: Uuid) -> usize {
    let todos = store.page_of_held_todos(owner, None, 999).await.unwrap();
    todos.len() + store.document_entries(owner).await.unwrap().len()
}

/// A guest who leaves a document behind and is deleted, a session and an event of a resident, and a
/// document of theirs that comes and goes.
async fn live_through(store: &Store, resident: Uuid, day: u64) {
    let at = day * DAY;
    let name = format!("guest{day}");
    let (guest, _) = registered(store, &name).await;
    let put = |owner, key: &str| {
        let new = NewDocument {
            owner,
            key: key.to_owned(),
            content: b"{}".to_vec(),
            etag: String::new(),
            at: after(at),
        };
        store.put_document(new, VersionCondition::default(), 9)
    };
    put(guest, "left-behind").await.unwrap();
    put(resident, "today").await.unwrap();
    delete(store, guest, at).await;
    let removed = store.remove_document(resident, "today".into(), VersionCondition::default());
    assert_eq!(removed.await.unwrap(), DocumentRemoval::Removed);
    let new = NewSession {
        idle_expires_at: after(at + 30 * DAY),
        expires_at: after(at + 90 * DAY),
        ..session(resident)
    };
    let login = NewAudit {
        at: after(at),
        ..audit(AuditKind::Login, resident)
    };
    let displacement = audit(AuditKind::SessionEnded, resident);
    store
        .open_session(new, HASH.into(), None, login, displacement)
        .await
        .unwrap();
}

conformance! {
    async fn over_a_year_no_table_grows_without_end(db) {
        let store = db.store().await;
        let (resident, _) = registered(&store, "resident").await;
        let rows = async || store.rollback(u32::MAX).await.unwrap().losses;
        let mut after_three_months = Vec::new();
        for day in (5..=365).step_by(5) {
            live_through(&store, resident, day).await;
            for (kind, kept) in [
                (Perishable::DeletedUsers, 30),
                (Perishable::AuditEvents, 60),
                (Perishable::ExpiredSessions, 7),
            ] {
                purge(&store, kind, day.saturating_sub(kept) * DAY).await;
            }
            if day == 90 {
                after_three_months = rows().await;
            }
        }
        assert_eq!(rows().await, after_three_months, "each day leaves what the one before has left");
        let documents = after_three_months.iter().find(|(table, _)| table == "documents");
        assert_eq!(documents.unwrap().1, 7, "of the guests of thirty days");
    }

    async fn only_users_deleted_before_that_time_go(db) {
        let store = db.store().await;
        let (old, _) = registered(&store, "old").await;
        let (recent, _) = registered(&store, "recent").await;
        let (living, living_session) = registered(&store, "living").await;
        delete(&store, old, 10).await;
        delete(&store, recent, 20).await;
        assert_eq!(purge(&store, Perishable::DeletedUsers, 20).await, 1);
        assert_eq!(purge(&store, Perishable::DeletedUsers, 20).await, 0, "a second time is nothing");
        assert_eq!(store.deleted_user(old).await.unwrap(), None);
        assert!(store.deleted_user(recent).await.unwrap().is_some());
        assert_eq!(store.signed_in(living_session).await.unwrap().unwrap().user.id, living);
        let events = store.newest_audit(99).await.unwrap();
        assert!(events.iter().any(|event| event.subject == Some(old)), "what happened stays on record");
        assert_eq!(restore(&store, old, "old").await, UserRestoration::NotDeleted);
    }

    async fn a_batch_is_as_large_as_asked_and_the_next_goes_on(db) {
        let store = db.store().await;
        for number in 0..7 {
            let (who, _) = registered(&store, &format!("user{number}")).await;
            delete(&store, who, 1).await;
        }
        let mut batches = Vec::new();
        loop {
            let removed = store.purge(Perishable::DeletedUsers, after(2), 3).await.unwrap();
            batches.push(removed);
            if removed == 0 {
                break;
            }
        }
        assert_eq!(batches, [3, 3, 1, 0]);
    }

    async fn a_user_who_has_much_goes_in_parts_and_is_not_restored_once_it_has_begun(db) {
        let store = db.store().await;
        let (rich, _) = registered(&store, "rich").await;
        let (poor, _) = registered(&store, "poor").await;
        let (living, _) = registered(&store, "living").await;
        for who in [rich, living] {
            furnish(&store, who, 7).await;
        }
        delete(&store, rich, 1).await;
        delete(&store, poor, 2).await;
        let mut left = Vec::new();
        loop {
            let removed = store.purge(Perishable::DeletedUsers, after(3), 3).await.unwrap();
            left.push(belongings(&store, rich).await);
            if removed < 3 {
                break;
            }
            if left.last() > Some(&0) {
                assert_eq!(restore(&store, rich, "rich").await, UserRestoration::Purging);
                assert!(store.deleted_user(rich).await.unwrap().is_some());
            }
        }
        assert_eq!(left, [11, 8, 5, 2, 0, 0]);
        for gone in [rich, poor] {
            assert_eq!(store.user(gone).await.unwrap(), None);
            assert_eq!(restore(&store, gone, "gone").await, UserRestoration::NotDeleted);
        }
        assert_eq!(belongings(&store, living).await, 14);
    }

    async fn sessions_go_by_either_lifetime_and_others_stay(db) {
        let store = db.store().await;
        let (ada, open) = registered(&store, "ada").await;
        let lasting = |idle: u64, end: u64| NewSession { idle_expires_at: after(idle), expires_at: after(end), ..session(ada) };
        let (idle, ended) = (lasting(10, 10_000), lasting(10_000, 10));
        for new in [idle.clone(), ended.clone()] {
            log_in(&store, new).await.unwrap();
        }
        assert_eq!(purge(&store, Perishable::ExpiredSessions, 10).await, 0, "the end itself is not past");
        assert_eq!(purge(&store, Perishable::ExpiredSessions, 11).await, 2);
        for gone in [idle.id, ended.id] {
            assert_eq!(store.signed_in(gone).await.unwrap(), None);
        }
        assert!(store.signed_in(open).await.unwrap().is_some());
    }

    async fn audit_events_go_by_their_time(db) {
        let store = db.store().await;
        for seconds in [1, 2, 3] {
            store.record(NewAudit { at: after(seconds), ..audit(AuditKind::Login, id()) }).await.unwrap();
        }
        assert_eq!(purge(&store, Perishable::AuditEvents, 3).await, 2);
        let left: Vec<_> = store.newest_audit(9).await.unwrap().into_iter().map(|event| event.at).collect();
        assert_eq!(left, [after(3)]);
    }

    async fn a_retired_signing_key_goes_and_the_current_one_never(db) {
        let store = db.store().await;
        store.found(b"check".to_vec(), key("first", 0)).await.unwrap();
        let rotation = KeyRotation {
            key: key("second", 10),
            tokens_last: Duration::from_secs(900),
            audit: audit(AuditKind::KeyRotated, id()),
        };
        store.rotate_signing_key(rotation).await.unwrap();
        assert_eq!(purge(&store, Perishable::RetiredSigningKeys, 910).await, 0, "its tokens may be around");
        assert_eq!(purge(&store, Perishable::RetiredSigningKeys, 911).await, 1);
        assert_eq!(purge(&store, Perishable::RetiredSigningKeys, 1_000_000).await, 0);
        let left: Vec<_> = store.signing_keys().await.unwrap().into_iter().map(|key| key.id).collect();
        assert_eq!(left, ["second"]);
    }

    async fn a_user_restored_while_others_are_purged_is_back_whole_or_gone(db) {
        let store = db.store().await;
        let mut users = Vec::new();
        for number in 0..20 {
            let name = format!("user{number}");
            let (who, _) = registered(&store, &name).await;
            furnish(&store, who, 2).await;
            delete(&store, who, 1).await;
            users.push((who, name));
        }
        let restoring: Vec<_> = users
            .iter()
            .cloned()
            .map(|(who, name)| {
                let store = store.clone();
                tokio::spawn(async move { (who, name.clone(), restore(&store, who, &name).await) })
            })
            .collect();
        let purging = {
            let store = store.clone();
            tokio::spawn(async move {
                // Each has more than goes at once.
                while store.purge(Perishable::DeletedUsers, after(2), 2).await.unwrap() > 0 {}
            })
        };
        let mut outcomes = Vec::new();
        for ended in restoring {
            outcomes.push(ended.await.unwrap());
        }
        purging.await.unwrap();
        assert_eq!(purge(&store, Perishable::DeletedUsers, 2).await, 0, "nobody was forgotten");
        for (who, name, outcome) in outcomes {
            let found = store.user(who).await.unwrap();
            let has = belongings(&store, who).await;
            match outcome {
                UserRestoration::Restored(user) => assert_eq!((found, has), (Some(user), 4), "{name}"),
                UserRestoration::Purging | UserRestoration::NotDeleted => {
                    assert_eq!((found, has), (None, 0), "{name}");
                }
                UserRestoration::NotAdmin => panic!("an operator is none"),
            }
        }
    }

    async fn a_user_deleted_at_that_moment_is_not_purged(db) {
        let store = db.store().await;
        let (ada, _) = registered(&store, "ada").await;
        let deleting = {
            let store = store.clone();
            tokio::spawn(async move { delete(&store, ada, 100).await })
        };
        let mut removed = 0;
        for _ in 0..10 {
            removed += purge(&store, Perishable::DeletedUsers, 100).await;
        }
        deleting.await.unwrap();
        removed += purge(&store, Perishable::DeletedUsers, 100).await;
        assert_eq!(removed, 0);
        assert!(store.deleted_user(ada).await.unwrap().is_some());
    }
}
