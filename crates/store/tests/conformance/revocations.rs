//! The count of revocations: what raises it, what does not, and that it is never seen out of order.

use std::{collections::BTreeSet, time::Duration};

use store::{
    AccountChange, AuditKind, Authority, Counted, Error, Name, NewSession, ProfileChange, Recorded,
    RevocationCount, Rotation, Store,
};
use tokio::task::JoinHandle;
use uuid::Uuid;

use crate::{conformance, fixture::*};

/// What an event says of the count, whatever came of it otherwise.
fn count_of<T>(ended: Result<Counted<T>, Error>) -> Option<RevocationCount> {
    ended.unwrap().count
}

async fn committed(store: &Store) -> i64 {
    store.revocation_count().await.unwrap().get()
}

/// Somebody who has rotated a refresh token, so that the first one is spent.
async fn rotated(store: &Store, name: &str) -> (Uuid, Uuid) {
    let (user, session) = registered(store, name).await;
    store.rotate(rotation(session, 1, 1)).await.unwrap();
    (user, session)
}

fn reuse(session: Uuid) -> Rotation {
    Rotation {
        grace: Duration::ZERO,
        ..rival(session, 1, 2)
    }
}

fn renaming(name: &str) -> ProfileChange {
    let name = Name {
        text: name.to_owned(),
        key: name.to_owned(),
    };
    ProfileChange {
        username: Some(Some(name)),
        ..ProfileChange::default()
    }
}

conformance! {
    async fn each_event_that_takes_something_away_raises_the_count_by_one_and_says_so(db) {
        let store = db.store().await;
        let event = |who| audit(AuditKind::SessionEnded, who);
        let mut expected = 0;
        let mut check = async |what: &str, said: Option<RevocationCount>| {
            expected += 1;
            assert_eq!(said.map(RevocationCount::get), Some(expected), "{what}");
            assert_eq!(committed(&store).await, expected, "{what}");
        };
        let (ada, first) = rotated(&store, "ada").await;
        check("a reused refresh token", count_of(store.rotate(reuse(first)).await)).await;
        let open = async || {
            let new = session(ada);
            let opened = new.id;
            log_in(&store, new).await.unwrap();
            opened
        };
        check("logging out", count_of(store.close_session(open().await, event(ada)).await)).await;
        check("ending a session", count_of(store.close_session_of(ada, open().await, event(ada)).await)).await;
        let kept = open().await;
        open().await;
        check("ending the others", count_of(store.close_other_sessions(ada, kept, event(ada)).await)).await;
        check("a role more", count_of(store.set_roles(ada, roles(&["staff"]), roles(&[]), event(ada)).await)).await;
        check("a role less", count_of(store.set_roles(ada, roles(&[]), roles(&["staff"]), event(ada)).await)).await;
        check("another name", count_of(store.change_profile(ada, renaming("lovelace"), Some(HASH.into()), event(ada)).await)).await;
        check("a changed password", count_of(store.change_password(session(ada), HASH.into(), "new".into(), event(ada)).await)).await;
        check("a set password", count_of(store.set_password(ada, HASH.into(), event(ada)).await)).await;
        check("disabling", count_of(store.disable(ada, event(ada)).await)).await;
        check("enabling", count_of(store.enable(ada, event(ada)).await)).await;
        check("deleting", count_of(store.delete_user(ada, event(ada)).await)).await;
        let (eve, _) = registered(&store, "eve").await;
        check("deleting oneself", count_of(store.delete_own_account(eve, HASH.into(), event(eve)).await)).await;
        let root = admin(&store, "root").await;
        let (bob, _) = registered(&store, "bob").await;
        check("an admin who ends sessions", count_of(store.close_sessions_of(root, bob, event(bob)).await)).await;
        let disabling = AccountChange {
            disabled: Some(Recorded { to: true, audit: event(bob) }),
            ..AccountChange::default()
        };
        check("an admin who disables", count_of(store.change_account(root, bob, disabling).await)).await;
        check("an admin who deletes", count_of(store.delete_account(root, bob, event(bob)).await)).await;
    }

    async fn a_user_whom_the_operator_makes_the_first_admin_has_lost_their_sessions(db) {
        let store = db.store().await;
        let (ada, _) = registered(&store, "ada").await;
        let appointed = store.appoint_first_admin(user("ada"), audit(AuditKind::AdminCreated, ada)).await;
        assert_eq!(count_of(appointed).map(RevocationCount::get), Some(1));
    }

    async fn a_first_admin_who_is_new_takes_nothing_from_anybody(db) {
        let store = db.store().await;
        let new = user("root");
        let event = audit(AuditKind::AdminCreated, new.id);
        assert_eq!(count_of(store.appoint_first_admin(new, event).await), None);
        assert_eq!(committed(&store).await, 0);
    }

    async fn what_takes_nothing_away_leaves_the_count_alone(db) {
        let store = db.store().await;
        let event = |who| audit(AuditKind::SessionEnded, who);
        let (ada, first) = rotated(&store, "ada").await;
        let last = admin(&store, "admin").await;
        let none: Vec<(&str, Option<RevocationCount>)> = vec![
            ("a repeated rotation", count_of(store.rotate(rival(first, 1, 2)).await)),
            ("a rotation", count_of(store.rotate(rotation(first, 2, 3)).await)),
            ("a made-up token", count_of(store.rotate(rotation(first, 9, 3)).await)),
            ("an expired token", count_of(store.rotate(rotation(first, 3, 9_999)).await)),
            ("a session that is not there", count_of(store.close_session(id(), event(ada)).await)),
            ("a session of somebody else", count_of(store.close_session_of(last, first, event(last)).await)),
            ("no other sessions", count_of(store.close_other_sessions(ada, first, event(ada)).await)),
            ("the roles of before", count_of(store.set_roles(ada, roles(&[]), roles(&["staff"]), event(ada)).await)),
            ("the last admin's role", count_of(store.set_roles(last, roles(&[]), roles(&["admin"]), event(last)).await)),
            ("the last admin", count_of(store.disable(last, event(last)).await)),
            ("the last admin", count_of(store.delete_user(last, event(last)).await)),
            ("the last admin", count_of(store.delete_own_account(last, HASH.into(), event(last)).await)),
            ("one who is not disabled", count_of(store.enable(ada, event(ada)).await)),
            ("nobody's password", count_of(store.set_password(id(), HASH.into(), event(ada)).await)),
            ("a wrong password", count_of(store.change_password(session(ada), "other".into(), HASH.into(), event(ada)).await)),
            ("no password", count_of(store.change_profile(ada, renaming("x"), None, event(ada)).await)),
            ("the name of before", count_of(store.change_profile(ada, renaming("ada"), None, event(ada)).await)),
            ("a wrong password", count_of(store.change_profile(ada, renaming("x"), Some("other".into()), event(ada)).await)),
        ];
        for (what, said) in none {
            assert_eq!(said, None, "{what}");
        }
        log_in_as_seen(&store, session(ada), HASH, Some("stronger")).await.unwrap();
        store.touch_session(first, after(50), after(50), after(1_050)).await.unwrap();
        assert_eq!(committed(&store).await, 0);

        store.delete_user(ada, event(ada)).await.unwrap();
        store.restore_user(Authority::Operator, ada, "ada@example.org".into(), None, audit(AuditKind::Restored, ada)).await.unwrap();
        assert_eq!(committed(&store).await, 1, "no session comes back with a user");
    }

    async fn an_event_that_fails_is_not_counted(db) {
        let store = db.store().await;
        let (ada, _) = registered(&store, "ada").await;
        registered(&store, "eve").await;
        let taken = store.change_profile(ada, renaming("eve"), Some(HASH.into()), audit(AuditKind::ProfileChanged, ada)).await;
        assert!(matches!(taken, Err(Error::Taken(_))));
        assert_eq!(committed(&store).await, 0);
    }

    async fn whoever_reads_a_count_sees_everything_that_it_counts(db) {
        const REVOCATIONS: usize = 40;
        let store = db.store().await;
        let elsewhere = db.connect().await;
        let (ada, _) = registered(&store, "ada").await;
        let sessions: Vec<NewSession> = (0..REVOCATIONS).map(|_| session(ada)).collect();
        for new in &sessions {
            log_in(&store, new.clone()).await.unwrap();
        }
        let racers: Vec<_> = sessions
            .iter()
            .map(|new| {
                let (store, session) = (store.clone(), new.id);
                tokio::spawn(async move { store.close_session(session, audit(AuditKind::Logout, ada)).await })
            })
            .collect();
        loop {
            let were_all_done = racers.iter().all(JoinHandle::is_finished);
            let seen = usize::try_from(committed(&elsewhere).await).unwrap();
            let left = elsewhere.list_sessions(ada, NOON, 1_000).await.unwrap().len();
            // The one of registering stays.
            assert!(left <= 1 + REVOCATIONS - seen, "{left} sessions are left at the count {seen}");
            if were_all_done {
                break;
            }
        }
        let mut counts = BTreeSet::new();
        for racer in racers {
            counts.insert(count_of(racer.await.unwrap()).unwrap().get());
        }
        assert_eq!(counts, (1..=REVOCATIONS as i64).collect(), "each has a count of its own");
    }
}
