//! The succession of signing keys: one order, whoever rotates, however many at once.

use std::time::Duration;

use store::{
    Actor, AuditKind, KeyRotation, KeyRotationOutcome, NewAudit, NewSigningKey, SigningKey, Store,
    Timestamp,
};

use crate::{conformance, fixture::*};

const TOKENS_LAST: Duration = Duration::from_secs(930);

fn key(id: &str, created_at: Timestamp, signs_from: Timestamp) -> NewSigningKey {
    NewSigningKey {
        id: id.to_owned(),
        algorithm: "ES256".into(),
        public_key: vec![1, 2, 3],
        sealed_private_key: vec![0, 255, 7],
        created_at,
        signs_from,
    }
}

/// A rotation made `at` seconds after noon, to a key that signs `wait` seconds later.
fn rotation(id: &str, at: u64, wait: u64) -> KeyRotation {
    KeyRotation {
        key: key(id, after(at), after(at + wait)),
        tokens_last: TOKENS_LAST,
        audit: NewAudit {
            actor: Actor::Operator,
            subject: None,
            ..audit(AuditKind::KeyRotated, crate::fixture::id())
        },
    }
}

async fn founded(store: &Store) {
    let founding = store.found(vec![9; 32], key("first", NOON, NOON)).await;
    founding.unwrap();
}

async fn events(store: &Store) -> usize {
    store.newest_audit(100).await.unwrap().len()
}

/// Name, time of taking over, time of retiring, in the order of taking over.
async fn order(store: &Store) -> Vec<(String, Timestamp, Option<Timestamp>)> {
    let keys = store.signing_keys().await.unwrap();
    let row = |key: SigningKey| (key.id, key.signs_from, key.retires_at);
    keys.into_iter().map(row).collect()
}

conformance! {
    async fn the_key_before_retires_when_its_last_token_has_expired(db) {
        let store = db.store().await;
        founded(&store).await;
        let outcome = store.rotate_signing_key(rotation("second", 100, 600)).await.unwrap();
        let KeyRotationOutcome::Rotated(second) = outcome else { panic!("{outcome:?}") };
        assert_eq!((second.created_at, second.signs_from), (after(100), after(700)));
        assert_eq!(order(&store).await, [
            ("first".to_owned(), NOON, Some(after(700).plus(TOKENS_LAST))),
            ("second".to_owned(), after(700), None),
        ]);
        assert_eq!(store.signing_keys().await.unwrap()[1], second);
        assert_eq!(store.newest_audit(1).await.unwrap()[0].event, "key_rotated");
    }

    async fn a_second_rotation_waits_until_the_first_has_taken_over(db) {
        let store = db.store().await;
        founded(&store).await;
        store.rotate_signing_key(rotation("second", 0, 600)).await.unwrap();
        let before = order(&store).await;
        let outcome = store.rotate_signing_key(rotation("third", 599, 600)).await.unwrap();
        assert!(matches!(outcome, KeyRotationOutcome::AlreadyWaiting(key) if key.id == "second"));
        assert_eq!(order(&store).await, before);
        assert_eq!(events(&store).await, 1, "nothing happened");
        let outcome = store.rotate_signing_key(rotation("third", 600, 600)).await.unwrap();
        assert!(matches!(outcome, KeyRotationOutcome::Rotated(_)));
        let retire: Vec<_> = order(&store).await.into_iter().map(|(.., retires)| retires).collect();
        let expected = [600, 1200].map(|at| Some(after(at).plus(TOKENS_LAST)));
        assert_eq!(retire, [expected[0], expected[1], None], "an earlier end is not put off");
    }

    async fn a_key_that_takes_over_at_once_comes_before_one_that_waits(db) {
        let store = db.store().await;
        founded(&store).await;
        store.rotate_signing_key(rotation("second", 0, 600)).await.unwrap();
        store.rotate_signing_key(rotation("third", 10, 0)).await.unwrap();
        let order = order(&store).await;
        assert_eq!(order[1].0, "second");
        assert_eq!(order[2].0, "third");
        assert!(order[1].1 < order[2].1, "the one that waited never signs");
        let ends = order[2].1.plus(TOKENS_LAST);
        assert_eq!((order[0].2, order[1].2, order[2].2), (Some(ends), Some(ends), None));
    }

    async fn of_many_rotations_at_once_one_wins_and_the_others_are_told_which(db) {
        let store = db.store().await;
        founded(&store).await;
        let rotations: Vec<_> = (0..20)
            .map(|number| {
                let store = store.clone();
                let rotation = rotation(&format!("key {number}"), 0, 600);
                tokio::spawn(async move { store.rotate_signing_key(rotation).await })
            })
            .collect();
        let (mut rotated, mut waiting) = (Vec::new(), Vec::new());
        for rotation in rotations {
            match rotation.await.unwrap().unwrap() {
                KeyRotationOutcome::Rotated(key) => rotated.push(key.id),
                KeyRotationOutcome::AlreadyWaiting(key) => waiting.push(key.id),
            }
        }
        assert_eq!((rotated.len(), waiting.len()), (1, 19));
        assert!(waiting.iter().all(|id| *id == rotated[0]));
        assert_eq!(order(&store).await.len(), 2);
        assert_eq!(events(&store).await, 1);
    }

    async fn of_many_that_take_over_at_once_one_is_the_last(db) {
        let store = db.store().await;
        founded(&store).await;
        let rotations: Vec<_> = (0..20)
            .map(|number| {
                let store = store.clone();
                let rotation = rotation(&format!("key {number}"), 5, 0);
                tokio::spawn(async move { store.rotate_signing_key(rotation).await })
            })
            .collect();
        for rotation in rotations {
            assert!(matches!(rotation.await.unwrap().unwrap(), KeyRotationOutcome::Rotated(_)));
        }
        let order = order(&store).await;
        let starts: std::collections::BTreeSet<_> = order.iter().map(|(_, from, _)| *from).collect();
        assert_eq!(starts.len(), 21, "no two take over at the same moment");
        let current = order.iter().filter(|(.., retires)| retires.is_none());
        assert_eq!(current.count(), 1);
        assert_eq!(order[20].2, None, "and it is the last one");
    }
}
