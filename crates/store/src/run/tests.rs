//! What becomes of an event whose answer was given without it. It is the same on every engine.

use tokio::sync::Notify;

use super::*;
use crate::{Actor, AuditKind, DatabaseUrl, NewAudit, Options, Timestamp, audit, spawn};

/// Where an event halts until it is let go.
#[derive(Default)]
pub(super) struct Gate {
    pub(super) reached: Notify,
    pub(super) open: Notify,
}

pub(super) async fn store() -> (tempfile::TempDir, Store) {
    let folder = tempfile::tempdir().unwrap();
    let url = DatabaseUrl::of_file(folder.path().join("vestibule.db"));
    let store = Store::connect(&Options::new(url)).await.unwrap();
    store.migrate_up(None).await.unwrap();
    (folder, store)
}

fn login() -> NewAudit {
    login_of_id(1)
}

pub(super) fn login_of_id(id: u128) -> NewAudit {
    NewAudit {
        id: uuid::Uuid::from_u128(id),
        at: Timestamp::from_micros(0),
        kind: AuditKind::Login,
        actor: Actor::Anonymous,
        subject: None,
        address: None,
        user_agent: None,
        request_id: None,
        detail: None,
    }
}

/// Writes, and halts before its commit.
pub(super) const HALTING: Event<Arc<Gate>, ()> = |tx, gate| {
    Box::pin(async move {
        audit::insert(tx, &login()).await?;
        gate.reached.notify_one();
        gate.open.notified().await;
        Ok(())
    })
};

#[tokio::test]
async fn an_event_whose_answer_was_given_without_it_does_not_happen() {
    let (_folder, store) = store().await;
    let (answer, gate) = (Answer::default(), Arc::new(Gate::default()));
    // On a task of its own as well, where the rules begin it.
    let begun = tokio::spawn({
        let (store, answer, gate) = (store.clone(), answer.clone(), Arc::clone(&gate));
        async move {
            let event = async { spawn(async move { store.write(gate, HALTING).await }).await };
            answer.of(event).await
        }
    });
    gate.reached.notified().await;
    answer.give();
    gate.open.notify_one();
    let ended = begun.await.unwrap().unwrap();
    assert!(matches!(ended, Err(Error::Busy(_))), "{ended:?}");
    assert!(store.newest_audit(1).await.unwrap().is_empty());
    store.record(login()).await.unwrap();
}

#[tokio::test]
async fn an_event_whose_client_has_gone_away_happens() {
    let (_folder, store) = store().await;
    let (answer, gate) = (Answer::default(), Arc::new(Gate::default()));
    let begun = tokio::spawn({
        let (store, answer, gate) = (store.clone(), answer.clone(), Arc::clone(&gate));
        async move { answer.of(store.write(gate, HALTING)).await }
    });
    gate.reached.notified().await;
    begun.abort();
    gate.open.notify_one();
    store.tasks.close();
    store.tasks.wait().await;
    assert_eq!(store.newest_audit(1).await.unwrap().len(), 1);
}
