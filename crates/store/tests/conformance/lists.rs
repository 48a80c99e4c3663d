//! Lists that are read a page at a time, newest first, and the figures about it all.

use std::collections::BTreeSet;

use store::{
    Activity, Actor, AuditKind, AuditListing, Authority, NewAudit, NewUser, Page, SessionKind,
    Statistics, Store, User, UserListing, UserStatus,
};
use uuid::Uuid;

use crate::{conformance, fixture::*};

/// Adds a user who was made `seconds` after noon.
async fn made(store: &Store, name: &str, seconds: u64, role_names: &[&str]) -> Uuid {
    let new = NewUser {
        roles: roles(role_names),
        created_at: after(seconds),
        ..user(name)
    };
    let id = new.id;
    store
        .add_user(Authority::Operator, new, audit(AuditKind::Registered, id))
        .await
        .unwrap();
    id
}

async fn names(store: &Store, listing: UserListing) -> Vec<String> {
    let page = store
        .page_of_users(UserListing {
            limit: 99,
            ..listing
        })
        .await
        .unwrap();
    assert_eq!(page.next, None);
    page.items
        .into_iter()
        .filter_map(|user| user.username)
        .collect()
}

async fn happened(
    store: &Store,
    kind: AuditKind,
    actor: Actor,
    subject: Option<Uuid>,
    seconds: u64,
) -> Uuid {
    let event = NewAudit {
        at: after(seconds),
        actor,
        subject,
        ..audit(kind, id())
    };
    let id = event.id;
    store.record(event).await.unwrap();
    id
}

/// The ids of a whole list, read `limit` at a time.
async fn in_pages(store: &Store, listing: AuditListing, limit: u64) -> Vec<Uuid> {
    let (mut found, mut place) = (Vec::new(), None);
    loop {
        let page = AuditListing {
            after: place,
            limit,
            ..listing.clone()
        };
        let Page { items, next } = store.page_of_audit(page).await.unwrap();
        assert!(items.len() as u64 <= limit);
        found.extend(items.into_iter().map(|event| event.id));
        match next {
            Some(next) => place = Some(next),
            None => return found,
        }
    }
}

conformance! {
    async fn users_come_newest_first_and_each_once_while_others_are_added(db) {
        let store = db.store().await;
        let mut expected = Vec::new();
        // Two of each time, so that ids decide between them.
        for number in 0..7u64 {
            expected.push(made(&store, &format!("user{number}"), number / 2, &[]).await);
        }
        expected.reverse();
        let (mut found, mut place, mut pages) = (Vec::new(), None, 0);
        loop {
            let listing = UserListing { after: place, limit: 2, ..UserListing::default() };
            let page = store.page_of_users(listing).await.unwrap();
            found.extend(page.items.iter().map(|user| user.id));
            pages += 1;
            made(&store, &format!("late{pages}"), 1_000, &[]).await;
            match page.next {
                Some(next) => place = Some(next),
                None => break,
            }
        }
        assert_eq!((found, pages), (expected, 4));
    }

    async fn a_full_last_page_has_no_next(db) {
        let store = db.store().await;
        for number in 0..4 {
            made(&store, &format!("user{number}"), number, &[]).await;
        }
        let page = async |place| {
            let listing = UserListing { after: place, limit: 2, ..UserListing::default() };
            store.page_of_users(listing).await.unwrap()
        };
        let first = page(None).await;
        let second = page(first.next).await;
        assert_eq!((first.items.len(), second.items.len(), second.next), (2, 2, None));
    }

    async fn users_are_found_by_text_role_and_status(db) {
        let store = db.store().await;
        made(&store, "ada", 1, &["admin", "staff"]).await;
        made(&store, "eve_x", 2, &["staff"]).await;
        let dis = made(&store, "dis", 3, &["staff"]).await;
        let gone = made(&store, "gone", 4, &["staff"]).await;
        store.disable(dis, audit(AuditKind::Disabled, dis)).await.unwrap();
        store.delete_user(gone, audit(AuditKind::AccountDeleted, gone)).await.unwrap();
        let status = |status| UserListing { status: Some(status), ..UserListing::default() };
        assert_eq!(names(&store, UserListing::default()).await, ["dis", "eve_x", "ada"]);
        assert_eq!(names(&store, status(UserStatus::Active)).await, ["eve_x", "ada"]);
        assert_eq!(names(&store, status(UserStatus::Disabled)).await, ["dis"]);
        assert_eq!(names(&store, status(UserStatus::Deleted)).await, ["gone"]);
        let role = |role: &str| UserListing { role: Some(role.into()), ..UserListing::default() };
        assert_eq!(names(&store, role("admin")).await, ["ada"]);
        assert_eq!(names(&store, role("staff")).await, ["dis", "eve_x", "ada"]);
        assert_eq!(names(&store, role("Staff")).await, [""; 0]);
        let text = |text: &str| UserListing { text: Some(text.into()), ..UserListing::default() };
        assert_eq!(names(&store, text("_")).await, ["eve_x"], "it means itself");
        assert_eq!(names(&store, text("%")).await, [""; 0]);
        assert_eq!(names(&store, text("ADA@")).await, ["ada"]);
        let all = UserListing { role: Some("staff".into()), ..text("e") };
        let all = UserListing { status: Some(UserStatus::Deleted), ..all };
        assert_eq!(names(&store, all).await, ["gone"]);
    }

    async fn a_listed_user_is_whole(db) {
        let store = db.store().await;
        let ada = made(&store, "ada", 1, &["b", "a"]).await;
        let page = store.page_of_users(UserListing { limit: 1, ..UserListing::default() }).await.unwrap();
        let one: &User = &page.items[0];
        assert_eq!(Some(one), store.user(ada).await.unwrap().as_ref());
        assert_eq!((&one.roles, one.status()), (&BTreeSet::from(["a".into(), "b".into()]), UserStatus::Active));
    }

    async fn events_are_found_by_who_what_and_when(db) {
        let store = db.store().await;
        let (ada, eve) = (id(), id());
        let own = happened(&store, AuditKind::Login, Actor::User(ada), Some(ada), 1).await;
        let by_ada = happened(&store, AuditKind::Disabled, Actor::User(ada), Some(eve), 2).await;
        let to_ada = happened(&store, AuditKind::Disabled, Actor::Operator, Some(ada), 3).await;
        let of_eve = happened(&store, AuditKind::Login, Actor::User(eve), Some(eve), 4).await;
        let of_nobody = happened(&store, AuditKind::LoginFailed, Actor::Anonymous, None, 5).await;
        let ada_alone = happened(&store, AuditKind::KeyRotated, Actor::User(ada), None, 6).await;
        let all = AuditListing::default();
        let of_user = AuditListing { user: Some(ada), ..all.clone() };
        let logins = AuditListing { kind: Some(AuditKind::Login), ..all.clone() };
        let late = AuditListing { since: Some(after(4)), ..all.clone() };
        let narrow = AuditListing { kind: Some(AuditKind::Disabled), since: Some(after(3)), ..of_user.clone() };
        let unknown = AuditListing { user: Some(id()), ..all.clone() };
        for (listing, expected) in [
            (all, vec![ada_alone, of_nobody, of_eve, to_ada, by_ada, own]),
            (of_user, vec![ada_alone, to_ada, by_ada, own]),
            (logins, vec![of_eve, own]),
            (late, vec![ada_alone, of_nobody, of_eve]),
            (narrow, vec![to_ada]),
            (unknown, vec![]),
        ] {
            for limit in [1, 2, 3, 99] {
                assert_eq!(in_pages(&store, listing.clone(), limit).await, expected, "{listing:?} by {limit}");
            }
        }
    }

    async fn events_of_one_moment_are_split_between_pages(db) {
        let store = db.store().await;
        let ada = id();
        let mut expected = Vec::new();
        for _ in 0..7 {
            expected.push(happened(&store, AuditKind::Login, Actor::User(ada), Some(ada), 1).await);
        }
        expected.reverse();
        for user in [None, Some(ada)] {
            let listing = AuditListing { user, ..AuditListing::default() };
            assert_eq!(in_pages(&store, listing, 3).await, expected);
        }
    }

    async fn figures_count_what_there_is(db) {
        let store = db.store().await;
        let empty = store.statistics(NOON).await.unwrap();
        let nothing = Statistics {
            active_users: 0, disabled_users: 0, deleted_users: 0, admins: 0, token_sessions: 0, cookie_sessions: 0,
        };
        assert_eq!(empty, nothing);
        admin(&store, "root").await;
        let other = admin(&store, "other").await;
        store.disable(other, audit(AuditKind::Disabled, other)).await.unwrap();
        let (ada, _) = registered(&store, "ada").await;
        for number in 0..2 {
            let gone = made(&store, &format!("gone{number}"), 1, &["admin"]).await;
            store.delete_user(gone, audit(AuditKind::AccountDeleted, gone)).await.unwrap();
        }
        let cookie = store::NewSession { kind: SessionKind::Cookie, token_hash: None, ..session(ada) };
        log_in(&store, cookie).await.unwrap();
        let expected = Statistics {
            active_users: 2, disabled_users: 1, deleted_users: 2, admins: 1, token_sessions: 1, cookie_sessions: 1,
        };
        assert_eq!(store.statistics(NOON).await.unwrap(), expected);
        let later = store.statistics(after(1_000)).await.unwrap();
        assert_eq!((later.token_sessions, later.cookie_sessions), (0, 0), "they are expired");
    }

    async fn activity_counts_from_a_moment_on(db) {
        let store = db.store().await;
        let ada = id();
        for (kind, seconds) in [
            (AuditKind::Registered, 1), (AuditKind::Login, 1), (AuditKind::Login, 2), (AuditKind::Logout, 2),
            (AuditKind::LoginFailed, 2), (AuditKind::LoginFailed, 3), (AuditKind::LoginFailed, 4),
        ] {
            happened(&store, kind, Actor::User(ada), Some(ada), seconds).await;
        }
        let since = async |seconds| store.activity(after(seconds)).await.unwrap();
        assert_eq!(since(0).await, Activity { registrations: 1, logins: 2, failed_logins: 3 });
        assert_eq!(since(2).await, Activity { registrations: 0, logins: 1, failed_logins: 3 });
        assert_eq!(since(5).await, Activity { registrations: 0, logins: 0, failed_logins: 0 });
    }

    async fn every_password_hash_is_read_once_a_page_at_a_time_but_those_of_deleted_users(db) {
        let store = db.store().await;
        let mut expected = BTreeSet::new();
        for (seconds, name) in [(1, "ada"), (2, "bob"), (3, "eve"), (4, "mallory")] {
            expected.insert(made(&store, name, seconds, &[]).await);
        }
        let gone = expected.pop_last().unwrap();
        store.delete_user(gone, audit(AuditKind::AccountDeleted, gone)).await.unwrap();
        let mut read = Vec::new();
        loop {
            let page = store.password_hashes(read.last().copied(), 2).await.unwrap();
            if page.is_empty() {
                break;
            }
            assert!(page.len() <= 2 && page.iter().all(|(_, hash)| hash == HASH));
            read.extend(page.into_iter().map(|(id, _)| id));
        }
        assert_eq!(read.len(), expected.len());
        assert_eq!(read.into_iter().collect::<BTreeSet<_>>(), expected);
    }
}
