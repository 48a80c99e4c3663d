//! What is made once for a database: the check value and the first signing key.

use store::{Founding, NewSigningKey};

use crate::{conformance, fixture::*};

fn key(id: &str) -> NewSigningKey {
    NewSigningKey {
        id: id.to_owned(),
        algorithm: "ES256".into(),
        public_key: vec![1, 2, 3],
        sealed_private_key: vec![0, 255, 7],
        created_at: NOON,
        signs_from: after(600),
    }
}

conformance! {
    async fn of_many_programs_that_start_at_once_one_founds(db) {
        let store = db.store().await;
        let starts: Vec<_> = (0..20u8)
            .map(|number| {
                let store = store.clone();
                tokio::spawn(async move { store.found(vec![number], key(&format!("key {number}"))).await })
            })
            .collect();
        let mut founded = 0;
        for start in starts {
            founded += usize::from(start.await.unwrap().unwrap() == Founding::Founded);
        }
        assert_eq!(founded, 1);
        let keys = store.signing_keys().await.unwrap();
        assert_eq!(keys.len(), 1, "the losers' keys are not kept");
        let check = store.secret_key_check().await.unwrap().expect("founded");
        assert_eq!(keys[0].id, format!("key {}", check[0]));
    }

    async fn a_key_comes_back_as_it_was_stored(db) {
        let store = db.store().await;
        assert_eq!(store.secret_key_check().await.unwrap(), None);
        store.found(vec![9; 32], key("first")).await.unwrap();
        let found = &store.signing_keys().await.unwrap()[0];
        assert_eq!(found.algorithm, "ES256");
        assert_eq!(found.public_key, [1, 2, 3]);
        assert_eq!(found.sealed_private_key, [0, 255, 7]);
        assert_eq!(found.signs_from, after(600));
        assert_eq!(found.retires_at, None);
        let again = store.found(vec![8], key("second")).await.unwrap();
        assert_eq!(again, Founding::Existing { check: vec![9; 32] });
    }
}
