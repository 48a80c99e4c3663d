//! The schema: made once however many start, refused when it is newer, undone on request.

use store::{AuditKind, OpenError, Store};

use crate::{conformance, fixture::*};

/// Starts many programs at once, waits until all are ready, and gives how many of them migrated.
async fn start_at_once(db: &Fixture) -> usize {
    let mut starts = Vec::new();
    for _ in 0..8 {
        let options = db.options.clone();
        starts.push(tokio::spawn(async move {
            let store = Store::connect(&options).await?;
            let applied = store.migrate_up(None).await?;
            store.check_ready().await?;
            Ok::<_, OpenError>(applied.len())
        }));
    }
    let mut migrated = 0;
    for start in starts {
        migrated += usize::from(start.await.unwrap().unwrap() > 0);
    }
    migrated
}

conformance! {
    async fn of_programs_that_start_at_once_one_migrates_and_all_become_ready(db) {
        assert_eq!(start_at_once(&db).await, 1);
    }

    async fn of_programs_that_start_at_once_on_an_old_schema_one_migrates_and_all_become_ready(db) {
        let store = db.store().await;
        registered(&store, "ada").await;
        let newest = store.migration_status().await.unwrap().len();
        store.close().await;
        let alone = Store::connect_alone(&db.options).await.unwrap();
        alone.migrate_down(u32::try_from(newest - 1).unwrap()).await.unwrap();
        alone.close().await;
        assert_eq!(start_at_once(&db).await, 1);
    }

    async fn what_the_entities_declare_is_what_the_migrations_make(db) {
        let store = db.store().await;
        let differences = store.schema_differences().await.unwrap();
        let differences: Vec<_> = differences.iter().map(ToString::to_string).collect();
        assert_eq!(differences, Vec::<String>::new());
    }

    async fn an_empty_database_is_not_ready(db) {
        let store = db.connect().await;
        assert!(store.check_ready().await.is_err());
        assert!(store.migration_status().await.unwrap().iter().all(|step| step.applied_at.is_none()));
        store.migrate_up(None).await.unwrap();
        store.check_ready().await.unwrap();
        assert!(store.migration_status().await.unwrap().iter().all(|step| step.applied_at.is_some()));
        assert_eq!(store.migrate_up(None).await.unwrap(), Vec::<String>::new(), "a second time is nothing");
    }

    async fn a_rollback_says_what_it_takes_and_the_way_back_up_is_open(db) {
        let store = db.store().await;
        registered(&store, "ada").await;
        store.close().await;

        let alone = Store::connect_alone(&db.options).await.unwrap();
        let rollback = alone.rollback(u32::MAX).await.unwrap();
        let rows = |table: &str| rollback.losses.iter().find(|(name, _)| name == table).map(|(_, rows)| *rows);
        assert_eq!(rows("users"), Some(1));
        assert_eq!(rows("sessions"), Some(1));
        assert!(rollback.rows() >= 3);
        assert_eq!(alone.migrate_down(u32::MAX).await.unwrap(), rollback.migrations);
        assert!(alone.check_ready().await.is_err());
        alone.migrate_up(None).await.unwrap();
        registered(&alone, "ada").await;
    }

    async fn steps_are_undone_and_redone_without_loss_of_what_older_ones_keep(db) {
        let store = db.store().await;
        let (ada, _) = registered(&store, "ada").await;
        store.close().await;
        let alone = Store::connect_alone(&db.options).await.unwrap();
        let applied = alone.migration_status().await.unwrap().len();
        for steps in 1..u32::try_from(applied).unwrap() {
            let rollback = alone.rollback(steps).await.unwrap();
            assert!(rollback.losses.iter().all(|(place, _)| place != "users"));
            assert_eq!(alone.migrate_down(steps).await.unwrap(), rollback.migrations);
            let mut redone = alone.migrate_up(None).await.unwrap();
            redone.reverse();
            assert_eq!(redone, rollback.migrations);
            assert!(alone.credentials_of(ada).await.unwrap().is_some());
        }
    }

    async fn a_server_and_a_rollback_exclude_each_other(db) {
        let server = db.store().await;
        assert!(matches!(Store::connect_alone(&db.options).await, Err(OpenError::InUse)));
        let beside = db.connect().await;
        beside.close().await;
        server.close().await;
        let alone = Store::connect_alone(&db.options).await.unwrap();
        assert!(matches!(Store::connect(&db.options).await, Err(OpenError::InUse)));
        alone.close().await;
    }

    async fn a_number_beyond_the_newest_is_refused(db) {
        let store = db.connect().await;
        let refused = store.migrate_up(Some(9_999)).await;
        assert!(matches!(refused, Err(OpenError::NoSuchMigration { asked: 9_999, .. })));
        assert_eq!(store.migrate_up(Some(0)).await.unwrap(), Vec::<String>::new());
    }

    async fn events_survive_closing_and_opening(db) {
        let store = db.store().await;
        let (ada, session_id) = registered(&store, "ada").await;
        store.close_session(session_id, audit(AuditKind::Logout, ada)).await.unwrap();
        store.close().await;
        let store = db.store().await;
        assert_eq!(store.signed_in(session_id).await.unwrap(), None);
        assert_eq!(store.newest_audit(10).await.unwrap().len(), 2);
    }
}
