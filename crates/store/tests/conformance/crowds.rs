//! Crowds: many events at the same moment, some of which are refused or fail. Each comes to what it would have come to
//! alone, and is in the database, whole, if and only if that was said.

use std::collections::BTreeSet;

use store::{AuditKind, Error, Opening, RotationOutcome, Store, Unique};
use tokio::task::JoinHandle;

use crate::{conformance, fixture::*};

/// What every engine's connections together can take within the time bound of a call.
const CROWD: usize = 60;

fn register(store: &Store, name: String) -> JoinHandle<Result<uuid::Uuid, Error>> {
    let store = store.clone();
    tokio::spawn(async move {
        let new = user(&name);
        let (id, opened, event) = (
            new.id,
            session(new.id),
            audit(AuditKind::Registered, new.id),
        );
        store.register(new, opened, event).await.map(|_| id)
    })
}

conformance! {
    async fn of_those_who_register_with_one_name_at_once_one_does(db) {
        let store = db.store().await;
        let begun: Vec<_> = (0..CROWD).map(|number| register(&store, format!("ada{}", number % 20))).collect();
        let mut registered = BTreeSet::new();
        for begun in begun {
            match begun.await.unwrap() {
                Ok(id) => assert!(registered.insert(id)),
                Err(Error::Taken(unique)) => assert_eq!(unique, Unique::UserEmail),
                Err(error) => panic!("{error}"),
            }
        }
        assert_eq!(registered.len(), 20);
        let events = store.newest_audit(1_000).await.unwrap();
        let recorded: BTreeSet<_> = events.into_iter().filter_map(|event| event.subject).collect();
        assert_eq!(recorded, registered);
    }

    async fn refusals_and_failures_in_a_crowd_change_nothing_for_the_others(db) {
        let store = db.store().await;
        registered(&store, "taken").await;
        let (ada, _) = registered(&store, "ada").await;
        let mut sessions = Vec::new();
        for _ in 0..CROWD / 3 {
            let opened = session(ada);
            sessions.push(opened.id);
            log_in(&store, opened).await.unwrap();
        }
        let mut begun = Vec::new();
        for session_id in sessions.clone() {
            let refreshing = store.clone();
            let rotated = tokio::spawn(async move { refreshing.rotate(rotation(session_id, 1, 1)).await.unwrap().outcome });
            let failing = register(&store, "taken".to_owned());
            let logging_in = store.clone();
            let stale = tokio::spawn(async move {
                log_in_as_seen(&logging_in, session(ada), "a hash of before", None).await.unwrap().outcome
            });
            begun.push((rotated, failing, stale));
        }
        for (rotated, failing, stale) in begun {
            assert!(matches!(rotated.await.unwrap(), RotationOutcome::Rotated(_)));
            let failed = failing.await.unwrap();
            assert!(matches!(failed, Err(Error::Taken(Unique::UserEmail))), "{failed:?}");
            assert_eq!(stale.await.unwrap(), Opening::Stale);
        }
        for session_id in sessions {
            assert_eq!(store.signed_in(session_id).await.unwrap().unwrap().session.generation, 2);
        }
        let registrations = store.newest_audit(1_000).await.unwrap();
        let registrations = registrations.iter().filter(|event| event.event == "registered");
        assert_eq!(registrations.count(), 2);
        assert_eq!(store.list_sessions(ada, NOON, 1_000).await.unwrap().len(), CROWD / 3 + 1);
    }

    async fn each_client_finds_its_own_events_in_the_order_of_the_answers(db) {
        let store = db.store().await;
        let clients: Vec<_> = (0..16).map(|client| {
            let store = store.clone();
            tokio::spawn(async move {
                let (ada, session_id) = registered(&store, &format!("ada{client}")).await;
                for generation in 1..=10 {
                    let rotated = store.rotate(rotation(session_id, generation, 1)).await.unwrap().outcome;
                    assert!(matches!(rotated, RotationOutcome::Rotated(_)), "{rotated:?}");
                    let found = store.signed_in(session_id).await.unwrap().unwrap();
                    assert_eq!(found.session.generation, generation + 1, "what is answered is committed");
                }
                let ended = store.close_session(session_id, audit(AuditKind::Logout, ada)).await.unwrap();
                assert!(ended.outcome);
                assert_eq!(store.signed_in(session_id).await.unwrap(), None);
            })
        }).collect();
        for client in clients {
            client.await.unwrap();
        }
    }
}
