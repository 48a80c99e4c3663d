//! A migration that is cut anywhere is finished by the next start, and so is its way back; and what
//! is printed does what is run. The pieces of a step can be counted here, which is why these tests
//! stand inside.

use sea_orm::{ConnectionTrait as _, TransactionTrait as _};

use super::*;
use crate::{
    Engine,
    engine::tests::{Empty, on_each_engine, run},
};

/// The places at which a run may be cut: so many whole steps, then so many changes of the next.
fn cuts(changes: fn(&Step) -> Vec<Change>) -> impl Iterator<Item = (usize, usize)> {
    (0..STEPS.len())
        .flat_map(move |step| (0..=changes(&STEPS[step]).len()).map(move |made| (step, made)))
}

/// A database that is cut and mended again and again.
async fn alone_on(database: &Empty) -> Store {
    Store::connect_alone(&database.options).await.unwrap()
}

/// Migrates from the beginning as far as the cut: what was not committed by then is not there.
async fn migrate_until(store: &Store, (steps, changes): (usize, usize)) {
    let lock = store.migration_lock().await.unwrap();
    undo(&lock.connection, u32::MAX).await.unwrap();
    Migrator::install(&lock.connection).await.unwrap();
    let whole = u32::try_from(steps).unwrap();
    apply(&lock.connection, Some(whole)).await.unwrap();
    cut_after(&lock.connection, (STEPS[steps].up)(), changes).await;
    lock.release().await;
}

async fn cut_after(db: &DatabaseConnection, step: Vec<Change>, changes: usize) {
    let begun = db
        .begin_with_options(engine::write_options())
        .await
        .unwrap();
    let done = step.into_iter().take(changes).collect();
    make(done, &SchemaManager::new(&begun)).await.unwrap();
    begun.rollback().await.unwrap();
}

async fn assert_whole(store: &Store, cut: (usize, usize)) {
    assert_eq!(
        store.schema_differences().await.unwrap(),
        [],
        "cut at {cut:?}"
    );
    store.check_ready().await.unwrap();
}

on_each_engine! {
    async fn a_migration_that_is_cut_anywhere_is_finished_by_the_next_start(engine) {
        let database = Empty::on(engine);
        let store = alone_on(&database).await;
        for cut in cuts(|step| (step.up)()) {
            migrate_until(&store, cut).await;
            let finished = store.migrate_up(None).await.unwrap();
            assert_eq!(finished.len(), STEPS.len() - cut.0);
            assert_whole(&store, cut).await;
        }
        store.close().await;
    }

    async fn a_migration_that_is_cut_anywhere_is_finished_by_its_script(engine) {
        let database = Empty::on(engine);
        let store = alone_on(&database).await;
        for cut in cuts(|step| (step.up)()) {
            migrate_until(&store, cut).await;
            let script = store.pending_script(None).await.unwrap();
            let lock = store.migration_lock().await.unwrap();
            run(&lock.connection, &script).await;
            lock.release().await;
            assert_whole(&store, cut).await;
            assert!(store.pending_script(None).await.unwrap().contains("Nothing is missing."));
        }
        store.close().await;
    }

    async fn a_step_that_neither_is_a_transaction_nor_looks_first_does_not_survive_a_cut(engine) {
        // So the tests above can fail.
        let database = Empty::on(engine);
        let store = database.connect().await;
        let lock = store.migration_lock().await.unwrap();
        let db = &lock.connection;
        let first = (STEPS[0].up)();
        for change in &first[..3] {
            run(db, &change.sql(db.get_database_backend())).await;
        }
        let again = db.execute_unprepared(&first[0].sql(db.get_database_backend())).await;
        assert!(again.is_err());
        lock.release().await;
        store.close().await;
    }

    async fn a_rollback_that_is_cut_anywhere_is_finished_by_the_next_one(engine) {
        let database = Empty::on(engine);
        let store = alone_on(&database).await;
        for cut in cuts(|step| (step.down)()) {
            let lock = store.migration_lock().await.unwrap();
            undo(&lock.connection, u32::MAX).await.unwrap();
            apply(&lock.connection, Some(u32::try_from(cut.0 + 1).unwrap())).await.unwrap();
            cut_after(&lock.connection, (STEPS[cut.0].down)(), cut.1).await;
            lock.release().await;

            store.rollback(1).await.unwrap();
            assert_eq!(store.migrate_down(1).await.unwrap(), [STEPS[cut.0].name]);
            store.migrate_up(None).await.unwrap();
            assert_whole(&store, cut).await;
        }
        store.close().await;
    }

    async fn the_script_for_an_empty_database_is_the_one_that_an_empty_database_asks_for(engine) {
        let database = Empty::on(engine);
        let store = database.connect().await;
        for to in (0..=STEPS.len()).map(|to| u32::try_from(to).unwrap()).map(Some).chain([None]) {
            let statements = |script: String| script.split_once('\n').unwrap().1.to_owned();
            assert_eq!(
                statements(store.pending_script(to).await.unwrap()),
                statements(migration_script(engine, to).unwrap()),
            );
        }
        let beyond = Some(u32::try_from(STEPS.len() + 1).unwrap());
        assert!(matches!(
            migration_script(engine, beyond),
            Err(OpenError::NoSuchMigration { .. })
        ));
        store.close().await;
    }

    async fn a_column_is_added_once_and_its_way_back_says_whose_values_go(engine) {
        use sea_orm_migration::schema::{big_integer_null, string_len};

        let database = Empty::on(engine);
        let store = database.migrated().await;
        let db = &store.writer;
        let manager = SchemaManager::new(db);
        let label = string_len("test_label", 20).default("none").to_owned();
        let added = [
            Change::AddColumn("revocations", label),
            Change::AddColumn("revocations", big_integer_null("test_time")),
        ];
        for change in added.iter().chain(&added) {
            change.make(&manager).await.unwrap();
        }
        let found = store.schema_differences().await.unwrap();
        let found: Vec<_> = found.into_iter().map(|difference| difference.found.unwrap()).collect();
        let column = |kind, is_nullable| crate::Definition::Column { kind, is_nullable };
        let big_integer = match engine {
            Engine::Sqlite => crate::ColumnKind::AnyInteger,
            Engine::Postgres | Engine::MySql => crate::ColumnKind::BigInteger,
        };
        assert_eq!(
            found,
            [
                column(crate::ColumnKind::String(20), false),
                column(big_integer, true),
            ]
        );

        let dropped = ["test_label", "test_time"].map(|column| Change::DropColumn("revocations", column));
        let mut losses = Vec::new();
        for change in &dropped {
            losses.extend(loss(db, change).await.unwrap());
        }
        let lost = |place: &str, rows| (place.to_owned(), rows);
        assert_eq!(losses, [lost("revocations.test_label", 1), lost("revocations.test_time", 0)]);
        for change in dropped.iter().chain(&dropped) {
            change.make(&manager).await.unwrap();
        }
        assert_eq!(store.schema_differences().await.unwrap(), []);
        store.close().await;
    }
}

#[test]
fn every_step_has_the_name_of_its_file_in_the_order_of_their_numbers() {
    for (step, number) in STEPS.iter().zip(1..) {
        assert!(
            step.name.starts_with(&format!("m{number:04}_")),
            "{}",
            step.name
        );
        let file = format!(
            "{}/src/migrate/{}.rs",
            env!("CARGO_MANIFEST_DIR"),
            step.name
        );
        assert!(std::fs::exists(&file).unwrap(), "{file}");
    }
}

#[test]
fn a_script_is_one_transaction_where_the_engine_can_take_a_schema_back() {
    let script = |engine| migration_script(engine, Some(1)).unwrap();
    for (engine, begin) in [
        (Engine::Sqlite, "BEGIN IMMEDIATE;"),
        (Engine::Postgres, "BEGIN;"),
    ] {
        let script = script(engine);
        let mut lines = script
            .lines()
            .filter(|line| !line.starts_with("--") && !line.is_empty());
        assert_eq!(lines.next(), Some(begin));
        assert_eq!(lines.next_back(), Some("COMMIT;"));
    }
    assert!(!script(Engine::MySql).contains("COMMIT"));
}
