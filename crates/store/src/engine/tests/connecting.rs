//! How long a connection takes that has to prove a password, in turns of the runtime.

use std::{
    future::pending,
    hint::black_box,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use sea_orm::{ConnectionTrait as _, Statement};
use tokio::{sync::Notify, task::yield_now};

use crate::{DatabaseUrl, Options, Store, engine, frequent::Frequent, run::Event};

/// Another task has so many turns meanwhile at the most; before `turns.rs` it had some 850. A few of them are those in
/// which the server computes.
const MOST_TURNS: usize = 150;

/// Whom `cargo xtask engines` has the server ask for a proof by SCRAM, and nobody else.
const ACCOUNT: &str = "by_scram";

/// Keeps its connection.
const HOLDING: Event<Arc<Notify>, ()> = |_, held| {
    Box::pin(async move {
        held.notify_one();
        pending().await
    })
};

const NOTHING: Event<(), ()> = |_, ()| Box::pin(async { Ok(()) });

/// The same as one statement, which needs a connection for it.
const NOTHING_AT_ONCE: Frequent<(), ()> = Frequent {
    anywhere: NOTHING,
    bare: |_, ()| Box::pin(async { Ok(()) }),
    single: Some(|db, ()| {
        Box::pin(async {
            db.execute_unprepared("SELECT 1").await?;
            Ok(Some(()))
        })
    }),
};

/// An empty database with its schema, of an account that has to prove its password by SCRAM.
async fn store_by_scram(database: &scratch::Database) -> Store {
    let mut url = database.url().clone();
    let options = |url: &str| Options::new(DatabaseUrl::parse(url).unwrap());
    let prepared = Store::connect(&options(url.as_str())).await.unwrap();
    let rule = format!(
        "SELECT 1 FROM pg_hba_file_rules \
         WHERE auth_method = 'scram-sha-256' AND '{ACCOUNT}' = ANY (user_name)"
    );
    let rule = Statement::from_string(prepared.writer.get_database_backend(), rule);
    let found = prepared.writer.query_one_raw(rule).await.unwrap();
    assert!(found.is_some(), "to be run by `cargo xtask engines`");
    let account = format!(
        "DO $$ BEGIN CREATE ROLE {ACCOUNT} SUPERUSER LOGIN PASSWORD '{ACCOUNT}'; \
         EXCEPTION WHEN duplicate_object THEN NULL; END $$"
    );
    prepared.writer.execute_unprepared(&account).await.unwrap();
    prepared.close().await;
    url.set_username(ACCOUNT).unwrap();
    url.set_password(Some(ACCOUNT)).unwrap();
    let store = Store::connect(&options(url.as_str())).await.unwrap();
    store.migrate_up(None).await.unwrap();
    store
}

/// Has every open connection in use besides those that are `held` already, so that the next call has one made. That none
/// is idle does not tell it: what a call has used comes back a little after it.
async fn hold_all_connections(store: &Store, held: &mut u32) {
    while *held < engine::load(store)[0].open {
        let (store, taken) = (store.clone(), Arc::new(Notify::new()));
        let is_taken = Arc::clone(&taken);
        tokio::spawn(async move { store.write(taken, HOLDING).await });
        is_taken.notified().await;
        *held += 1;
    }
}

/// Has nothing to wait for either, and takes a good while for each turn.
fn busy_task_of_long_turns() -> Arc<AtomicUsize> {
    let turns = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&turns);
    tokio::spawn(async move {
        loop {
            for number in 0..100_000 {
                black_box(number);
            }
            counted.fetch_add(1, Ordering::Relaxed);
            yield_now().await;
        }
    });
    turns
}

/// With one thread for all tasks, by each way in which a call takes a connection.
#[tokio::test]
async fn a_connection_to_postgresql_takes_few_turns() {
    let database = scratch::Database::new(scratch::Server::Postgres);
    let store = store_by_scram(&database).await;
    let turns = busy_task_of_long_turns();
    let mut held = 0;
    for call in ["question", "change", "change by one statement"] {
        hold_all_connections(&store, &mut held).await;
        let before = engine::load(&store)[0];
        turns.store(0, Ordering::Relaxed);
        match call {
            "question" => drop(store.newest_audit(1).await.unwrap()),
            "change" => store.write((), NOTHING).await.unwrap(),
            _ => store.write_often((), NOTHING_AT_ONCE).await.unwrap(),
        }
        let turns = turns.load(Ordering::Relaxed);
        let after = engine::load(&store)[0];
        assert_eq!(after.open, before.open + 1, "{call}: one was made");
        assert!(
            turns < MOST_TURNS,
            "{call}: {turns} turns of the other task"
        );
    }
}
