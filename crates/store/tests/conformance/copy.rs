//! A copy of an installation on any engine to any other: the same afterwards, whenever it was ended
//! in between; and all the reasons to refuse one.

mod rows;

use proptest::test_runner::{Config, TestRunner};
use sea_orm::{ConnectionTrait as _, DbBackend, Statement, Value};
use store::{
    Agreement, AuditKind, Comparison, Copy, CopyError, CopyOutcome, CopyStep, NewAudit,
    NewSigningKey, OpenError, Snapshot, Store, TableComparison, TargetState,
};
use uuid::Uuid;

use crate::{cancellation::cut, conformance, fixture::*, pairs};

/// Small enough for a few users to fill some pages.
const SMALL: usize = 30;

fn copied() -> NewAudit {
    NewAudit {
        id: Uuid::max(),
        subject: None,
        ..audit(AuditKind::Copied, id())
    }
}

/// An installation without users.
async fn founded(db: &Fixture) -> Store {
    let store = db.store().await;
    let key = NewSigningKey {
        id: "key".into(),
        algorithm: "ES256".into(),
        public_key: vec![1, 2, 3],
        sealed_private_key: vec![0, 255, 7],
        created_at: NOON,
        signs_from: NOON,
    };
    store.found(b"check".to_vec(), key).await.unwrap();
    store
}

/// An installation with some users, which nobody uses at the moment.
async fn settled(db: &Fixture) -> (Uuid, Uuid) {
    let store = founded(db).await;
    let ids = registered(&store, "ada").await;
    for number in 0..20 {
        registered(&store, &format!("user{number}")).await;
    }
    admin(&store, "admin").await;
    store.close().await;
    ids
}

/// Ends the connections that a cut has left behind, as the end of their process would: within this
/// one, a connection that is cut while it begins a transaction may wait for ever.
async fn hang_up(db: &Fixture) {
    let raw = db.raw().await;
    if let DbBackend::MySql = raw.get_database_backend() {
        let others = "SELECT ID AS id FROM information_schema.PROCESSLIST \
                      WHERE DB = DATABASE() AND ID <> CONNECTION_ID()";
        for other in raw
            .query_all_raw(Statement::from_string(DbBackend::MySql, others))
            .await
            .unwrap()
        {
            let id: i64 = other.try_get("", "id").unwrap();
            // It may have ended by itself.
            let _ = raw.execute_unprepared(&format!("KILL {id}")).await;
        }
    }
    raw.close().await.unwrap();
}

async fn begin(from: &Fixture, to: &Fixture) -> Result<Copy, CopyError> {
    let source = Snapshot::of_source(&from.options).await?;
    Copy::begin(source, &to.options).await
}

/// Tries until it is what was wanted: what a copy that was dropped has held, such as a lock or a
/// file, is given back a moment later.
macro_rules! in_a_moment {
    ($attempt:expr, $wanted:pat) => {{
        let mut tries = 0..1_000;
        loop {
            match $attempt.await {
                wanted @ $wanted => break wanted,
                other => assert!(tries.next().is_some(), "{:?}", other.err()),
            }
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
    }};
}

async fn copy(from: &Fixture, to: &Fixture) -> Vec<TableComparison> {
    let begun = begin(from, to).await.unwrap();
    match begun.finish(copied()).await.unwrap() {
        CopyOutcome::Verified(tables) => tables,
        CopyOutcome::Different(tables) => panic!("{tables:?}"),
    }
}

async fn compare(one: &Fixture, other: &Fixture) -> Vec<TableComparison> {
    let source = Snapshot::of_source(&one.options).await.unwrap();
    let comparison = Comparison::with(source, &other.options).await.unwrap();
    comparison.finish().await.unwrap()
}

/// The tables that differ.
async fn differing(one: &Fixture, other: &Fixture) -> Vec<&'static str> {
    let mut tables = compare(one, other).await;
    tables.retain(|table| table.agreement == Agreement::Different);
    tables.into_iter().map(|table| table.table).collect()
}

async fn execute(db: &Fixture, sql: &str) {
    let raw = db.raw().await;
    raw.execute_unprepared(sql).await.unwrap();
    raw.close().await.unwrap();
}

pairs! {
    async fn whatever_the_source_holds_is_in_the_target_afterwards(from, to) {
        let cases = Config { cases: 3, failure_persistence: None, ..Config::default() };
        let outcome = tokio::task::block_in_place(|| {
            TestRunner::new(cases).run(&rows::installations(), |made| {
                tokio::runtime::Handle::current().block_on(async {
                    let (from, to) = (from.another(), to.another());
                    founded(&from).await.close().await;
                    rows::write(&from.raw().await, &made).await;
                    let before = rows::read(&from.raw().await).await;
                    for table in copy(&from, &to).await {
                        assert_eq!(table.source, table.target);
                        let name = table.table;
                        let is_tried = rows::TABLES.iter().any(|tried| tried.name == name);
                        assert!(is_tried || rows::SEEDED.contains(&name), "copy/rows.rs has no rows of {name}");
                    }
                    assert_eq!(rows::read(&from.raw().await).await, before, "the source is as it was");
                    let mut found = rows::read(&to.raw().await).await;
                    found[4].retain(|event| event[0] != Uuid::max().into());
                    assert_eq!(found, before);
                    let made = rows::sorted(made);
                    found[3].retain(|key| key[0] != "key".into());
                    assert_eq!(found, made);
                });
                Ok(())
            })
        });
        outcome.unwrap();
    }

    async fn sessions_keys_and_counts_go_on_in_the_target(from, to) {
        let store = founded(&from).await;
        let (ada, session_id) = registered(&store, "ada").await;
        let (_, ended) = registered(&store, "eve").await;
        store.close_session(ended, audit(AuditKind::Logout, ada)).await.unwrap();
        store.rotate(rotation(session_id, 1, 1)).await.unwrap();
        let (keys, count) = (store.signing_keys().await.unwrap(), store.revocation_count().await.unwrap());
        store.close().await;

        copy(&from, &to).await;
        let moved = to.store().await;
        assert_eq!(moved.secret_key_check().await.unwrap().unwrap(), b"check");
        assert_eq!(moved.signing_keys().await.unwrap(), keys);
        assert_eq!(moved.revocation_count().await.unwrap(), count);
        assert_eq!(moved.signed_in(ended).await.unwrap(), None);
        assert_eq!(moved.signed_in(session_id).await.unwrap().unwrap().user.id, ada);
        assert!(matches!(moved.rotate(rotation(session_id, 2, 2)).await.unwrap().outcome, store::RotationOutcome::Rotated(_)));
        let newest = &moved.newest_audit(1).await.unwrap()[0];
        assert_eq!((newest.event.as_str(), newest.actor_kind.as_str()), ("copied", "user"));
        admin(&moved, "later").await;
    }

    async fn a_copy_that_was_ended_at_any_point_is_gone_on_with(from, to) {
        settled(&from).await;
        let (mut runs, mut done) = (0, 0);
        loop {
            let begun = in_a_moment!(begin(&from, &to), Ok(_));
            let mut copy = begun.unwrap().in_pages_of(SMALL);
            let mut progress = None;
            for _ in 0..2 {
                progress = copy.advance().await.unwrap().or(progress);
            }
            let progress = progress.unwrap();
            if progress.step == CopyStep::Comparing {
                copy.close().await;
                break;
            }
            assert!(progress.done >= done, "what was copied is not copied again");
            done = progress.done;
            // Within a page, at another point each time.
            cut(runs % 13, copy.advance()).await;
            drop(copy);
            hang_up(&to).await;
            runs += 1;
            in_a_moment!(Store::connect(&to.options), Err(OpenError::UnfinishedCopy { .. }));
        }
        assert!(runs > 10, "only {runs} runs");
        copy(&from, &to).await;
        assert!(differing(&from, &to).await.is_empty());
        to.store().await.close().await;
    }

    async fn a_row_that_the_target_cannot_hold_is_named(from, to) {
        settled(&from).await;
        let user = Uuid::from_u128(u128::MAX - 7);
        let text = |text: &str| Value::from(text);
        let row: Vec<Value> = vec![
            user.into(), text("nul@example.org"), Value::String(None), Value::String(None), Value::String(None),
            text("a\0b"), Value::String(None), false.into(), Value::BigInt(None), Value::BigInt(None), 1i64.into(), 2i64.into(),
            false.into(),
        ];
        let raw = from.raw().await;
        let is_kept_here = rows::insert(&raw, "users", &row).await.is_ok();
        raw.close().await.unwrap();
        let begun = begin(&from, &to).await.unwrap();
        match begun.finish(copied()).await {
            Ok(CopyOutcome::Verified(_)) => {
                let (one, other) = (rows::read(&from.raw().await).await, rows::read(&to.raw().await).await);
                assert_eq!(one[0], other[0]);
                assert_eq!(one[0].iter().any(|found| found[5] == text("a\0b")), is_kept_here);
            }
            Err(CopyError::Row { table: "users", row, .. }) if is_kept_here => {
                assert_eq!(row, user.to_string());
                in_a_moment!(Store::connect(&to.options), Err(OpenError::UnfinishedCopy { .. }));
            }
            other => panic!("{other:?}"),
        }
    }
}

conformance! {
    async fn what_differs_after_a_copy_is_found(db) {
        let copy_db = db.another();
        let (ada, session_id) = settled(&db).await;
        copy(&db, &copy_db).await;
        let tables = compare(&db, &copy_db).await;
        let events = tables.iter().find(|table| table.table == "audit_events").unwrap();
        assert_eq!(events.agreement, Agreement::EqualButForTheCopy);
        assert_eq!(events.target.rows, events.source.rows + 1);
        assert_eq!(tables.iter().filter(|table| table.agreement == Agreement::Equal).count(), tables.len() - 1);

        for (change, undo, table) in [
            // A byte; a value that two rows exchange; NULL and nothing; a row more.
            ("UPDATE users SET email = 'adb@example.org' WHERE email = 'ada@example.org'",
             "UPDATE users SET email = 'ada@example.org' WHERE email = 'adb@example.org'", "users"),
            ("UPDATE users SET username = CASE username WHEN 'user1' THEN 'user2' ELSE 'user1' END WHERE username IN ('user1', 'user2')",
             "UPDATE users SET username = CASE username WHEN 'user1' THEN 'user2' ELSE 'user1' END WHERE username IN ('user1', 'user2')", "users"),
            ("UPDATE users SET name = '' WHERE email = 'ada@example.org'",
             "UPDATE users SET name = NULL WHERE email = 'ada@example.org'", "users"),
            ("INSERT INTO user_roles (user_id, role) SELECT id, 'staff' FROM users WHERE email = 'ada@example.org'",
             "DELETE FROM user_roles WHERE role = 'staff'", "user_roles"),
            ("UPDATE revocations SET count = count + 1", "UPDATE revocations SET count = count - 1", "revocations"),
            ("UPDATE signing_keys SET signs_from = signs_from + 1", "UPDATE signing_keys SET signs_from = signs_from - 1", "signing_keys"),
            ("UPDATE audit_events SET event = 'login' WHERE event = 'admin_created'",
             "UPDATE audit_events SET event = 'admin_created' WHERE event = 'login'", "audit_events"),
            // The event of the copy stands for nothing else, and for no second one.
            ("UPDATE audit_events SET event = 'copied' WHERE event = 'admin_created'",
             "UPDATE audit_events SET event = 'admin_created' WHERE event = 'copied' AND actor_kind = 'user' AND subject_id IS NOT NULL", "audit_events"),
        ] {
            execute(&copy_db, change).await;
            assert_eq!(differing(&db, &copy_db).await, [table], "{change}");
            execute(&copy_db, undo).await;
            assert!(differing(&db, &copy_db).await.is_empty(), "{undo}");
        }
        // A row less, in the source.
        let store = db.store().await;
        store.close_session(session_id, audit(AuditKind::Logout, ada)).await.unwrap();
        store.close().await;
        assert_eq!(differing(&db, &copy_db).await, ["sessions", "audit_events", "revocations"]);
    }

    async fn the_event_of_a_second_move_is_told_from_that_of_the_first(db) {
        let (second, third) = (db.another(), db.another());
        settled(&db).await;
        copy(&db, &second).await;
        let begun = begin(&second, &third).await.unwrap();
        let event = NewAudit { id: id(), ..copied() };
        assert!(matches!(begun.finish(event).await.unwrap(), CopyOutcome::Verified(_)));
        assert!(matches!(begin(&second, &third).await, Err(CopyError::NotEmpty { .. })));
        assert_eq!(differing(&db, &third).await, ["audit_events"], "two events more are not one");
    }

    async fn nobody_writes_to_the_source_meanwhile(db) {
        let target = db.another();
        settled(&db).await;
        let server = db.store().await;
        assert!(matches!(begin(&db, &target).await, Err(CopyError::SourceServed)));
        server.close().await;

        let reading = Store::connect_read_only(&db.options).await.unwrap();
        let copy = begin(&db, &target).await.unwrap();
        assert!(matches!(Store::connect(&db.options).await, Err(OpenError::InUse)));
        assert!(matches!(Store::connect_alone(&db.options).await, Err(OpenError::InUse)));
        let late = Store::connect_read_only(&db.options).await.unwrap();
        assert!(late.check_ready().await.is_ok() && reading.check_ready().await.is_ok());
        // The target is for the copy alone.
        assert!(matches!(Store::connect_read_only(&target.options).await, Err(OpenError::InUse)));
        copy.close().await;
        reading.close().await;
        late.close().await;
        Store::connect_alone(&db.options).await.unwrap().close().await;
    }

    async fn a_target_that_is_in_use_or_not_empty_is_refused_as_it_is(db) {
        let target = db.another();
        settled(&db).await;
        let other = target.store().await;
        assert!(matches!(begin(&db, &target).await, Err(CopyError::Target(OpenError::InUse))));
        registered(&other, "eve").await;
        other.close().await;
        let refused = begin(&db, &target).await.map(drop);
        assert!(matches!(refused, Err(CopyError::NotEmpty { table: "users", .. })), "{refused:?}");
        let source = Snapshot::of_source(&db.options).await.unwrap();
        assert!(matches!(source.state_of_target(&target.options).await, Err(CopyError::NotEmpty { .. })));
        source.close().await;
        let other = target.store().await;
        assert_eq!(other.newest_audit(9).await.unwrap().len(), 1);
        other.close().await;

        let founded_only = db.another();
        founded(&founded_only).await.close().await;
        assert!(matches!(begin(&db, &founded_only).await, Err(CopyError::NotEmpty { .. })));
        assert!(matches!(begin(&db, &db).await, Err(CopyError::SameDatabase)));
    }

    async fn an_unfinished_copy_is_for_its_own_source_alone(db) {
        let (target, stranger) = (db.another(), db.another());
        settled(&db).await;
        settled(&stranger).await;
        let mut copy = begin(&db, &target).await.unwrap().in_pages_of(SMALL);
        copy.advance().await.unwrap();
        copy.close().await;
        assert!(matches!(begin(&stranger, &target).await, Err(CopyError::OtherCopy { .. })));
        assert!(matches!(begin(&target, &stranger).await, Err(CopyError::Source(OpenError::UnfinishedCopy { .. }))));
        for opened in [
            Store::connect(&target.options).await,
            Store::connect_read_only(&target.options).await,
            Store::connect_alone(&target.options).await,
        ] {
            assert!(matches!(opened.map(drop), Err(OpenError::UnfinishedCopy { .. })));
        }
        let source = Snapshot::of_source(&db.options).await.unwrap();
        let state = source.state_of_target(&target.options).await.unwrap();
        assert_eq!(state, TargetState::Unfinished { rows: 2 });
        source.close().await;
    }

    async fn a_source_that_was_written_to_between_two_runs_is_found_out(db) {
        let target = db.another();
        let (ada, session_id) = settled(&db).await;
        let mut copy = begin(&db, &target).await.unwrap();
        while copy.advance().await.unwrap().unwrap().step == CopyStep::Copying {}
        copy.close().await;
        let store = db.store().await;
        store.close_session(session_id, audit(AuditKind::Logout, ada)).await.unwrap();
        store.close().await;
        let copy = begin(&db, &target).await.unwrap();
        let CopyOutcome::Different(tables) = copy.finish(copied()).await.unwrap() else {
            panic!("a session that was ended is open in the target");
        };
        let sessions = tables.iter().find(|table| table.table == "sessions").unwrap();
        assert_eq!(sessions.agreement, Agreement::Different);
        assert!(matches!(Store::connect(&target.options).await, Err(OpenError::UnfinishedCopy { .. })));
    }

    async fn a_source_must_be_an_installation_of_the_newest_schema(db) {
        let target = db.another();
        db.store().await.close().await;
        let refused = begin(&db, &target).await.map(drop);
        assert!(matches!(refused, Err(CopyError::Source(OpenError::NoInstallation { .. }))), "{refused:?}");
        founded(&db).await.close().await;
        let alone = Store::connect_alone(&db.options).await.unwrap();
        alone.migrate_down(1).await.unwrap();
        alone.close().await;
        assert!(matches!(begin(&db, &target).await, Err(CopyError::SourceOlder)));
    }

    async fn to_look_at_a_target_changes_nothing_in_it(db) {
        let target = db.another();
        settled(&db).await;
        let source = Snapshot::of_source(&db.options).await.unwrap();
        assert_eq!(source.tables().iter().find(|table| table.table == "users").unwrap().rows, 22);
        let state = source.state_of_target(&target.options).await.unwrap();
        assert!(matches!(state, TargetState::Missing | TargetState::Empty));
        source.close().await;
        assert!(target.options.url.file().is_none_or(|file| !file.exists()));
        let store = target.connect().await;
        assert!(store.migration_status().await.unwrap().iter().all(|step| step.applied_at.is_none()));
    }
}
