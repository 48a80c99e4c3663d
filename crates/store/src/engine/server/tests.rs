//! What both servers must do that a file has no need of: bounds on a connection, its end when they
//! are passed, and words for whoever cannot be reached.

use std::sync::atomic::{AtomicUsize, Ordering};

use sea_orm::{ConnectionTrait as _, DbBackend};
use sqlx::Row as _;
use tokio::{
    io::copy_bidirectional,
    net::{TcpListener, TcpStream},
    sync::watch,
};

use super::*;
use crate::engine::text;
use crate::run::Question;
use crate::{
    Actor, AuditKind, AuditListing, Error, Link, NewAudit, ReplicaReport, ReplicaState, TlsMode,
};

/// Runs a test on every server: `servers! { async fn sentence(database) { … } }`.
macro_rules! servers {
    ($(async fn $name:ident($database:ident) $body:block)*) => {
        $(
            mod $name {
                use super::*;

                async fn behaves($database: scratch::Database) $body

                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn on_postgres() {
                    behaves(scratch::Database::new(scratch::Server::Postgres)).await;
                }

                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn on_mariadb() {
                    behaves(scratch::Database::new(scratch::Server::MariaDb)).await;
                }
            }
        )*
    };
}

fn options(url: &str) -> Options {
    Options {
        max_connections: 1,
        ..Options::new(DatabaseUrl::parse(url).unwrap())
    }
}

async fn migrated(options: &Options) -> Store {
    let store = Store::connect(options).await.unwrap();
    store.migrate_up(None).await.unwrap();
    store
}

fn event() -> NewAudit {
    static COUNTER: std::sync::atomic::AtomicU64 = std::sync::atomic::AtomicU64::new(1);
    let number = COUNTER.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
    NewAudit {
        id: uuid::Uuid::from_u128(number.into()),
        at: crate::Timestamp::from_micros(0),
        kind: AuditKind::LoginFailed,
        actor: Actor::Anonymous,
        subject: None,
        address: None,
        user_agent: None,
        request_id: None,
        detail: None,
    }
}

/// Fails unless a replica is refused for this reason. The MariaDB of the tests writes no log, which is
/// found before anything else.
fn assert_unfit(report: &ReplicaReport, reason: &str) {
    let ReplicaState::Unfit(found) = &report.state else {
        panic!("{report:?}")
    };
    let is_expected = match report.url.starts_with("mysql") {
        true => found.contains("the primary writes no log"),
        false => found == reason,
    };
    assert!(is_expected, "{report:?}");
}

/// A connection that knows nothing of this crate's.
struct Stranger(Session);

impl Stranger {
    async fn to(database: &scratch::Database) -> Self {
        let DatabaseUrl(Place::Server(server)) =
            DatabaseUrl::parse(database.url().as_str()).unwrap()
        else {
            panic!("a server")
        };
        Self(Session::connect(&server).await.unwrap())
    }

    /// Runs the statement for its engine.
    async fn run(&mut self, postgres: &'static str, mysql: &'static str) {
        match &mut self.0 {
            Session::Postgres(connection) => {
                sqlx::raw_sql(postgres).execute(connection).await.map(drop)
            }
            Session::MySql(connection) => sqlx::raw_sql(mysql).execute(connection).await.map(drop),
        }
        .unwrap();
    }

    /// The first column of the answer.
    async fn ask(&mut self, postgres: &'static str, mysql: &'static str) -> Vec<i64> {
        match &mut self.0 {
            Session::Postgres(connection) => {
                let rows = sqlx::query(postgres).fetch_all(connection).await.unwrap();
                rows.iter().map(|row| row.get(0)).collect()
            }
            Session::MySql(connection) => {
                let rows = sqlx::query(mysql).fetch_all(connection).await.unwrap();
                rows.iter().map(|row| row.get(0)).collect()
            }
        }
    }

    /// The connections of others to this database that are inside a transaction.
    async fn open_transactions(&mut self) -> Vec<i64> {
        self.ask(
            "SELECT pid::bigint FROM pg_stat_activity WHERE datname = current_database() \
             AND pid <> pg_backend_pid() AND xact_start IS NOT NULL",
            "SELECT CAST(trx_mysql_thread_id AS SIGNED) FROM information_schema.INNODB_TRX \
             JOIN information_schema.PROCESSLIST ON ID = trx_mysql_thread_id \
             WHERE DB = DATABASE() AND ID <> CONNECTION_ID()",
        )
        .await
    }

    /// The connection that shows the presence of the first program that writes.
    async fn presence(&mut self) -> Option<i64> {
        let holders = self.ask(
            "SELECT coalesce(min(pid), 0)::bigint FROM pg_locks WHERE locktype = 'advisory' \
             AND database = (SELECT oid FROM pg_database WHERE datname = current_database()) \
             AND pid <> pg_backend_pid()",
            "SELECT CAST(COALESCE(IS_USED_LOCK( \
             CONCAT('vestibule.', LEFT(SHA1(DATABASE()), 20), '.writer.0')), 0) AS SIGNED)",
        );
        holders.await.into_iter().find(|holder| *holder != 0)
    }

    /// Ends a connection of somebody else, which may have ended by itself.
    async fn cut(&mut self, connection: i64) {
        match &mut self.0 {
            Session::Postgres(mine) => {
                let cut = sqlx::query("SELECT pg_terminate_backend($1::int)").bind(connection);
                cut.execute(mine).await.map(drop).unwrap();
            }
            Session::MySql(mine) => {
                let cut = sqlx::query(sqlx::AssertSqlSafe(format!("KILL {connection}")));
                let _ = cut.execute(mine).await;
            }
        }
    }

    /// The connections of others to this database.
    async fn connections(&mut self) -> Vec<i64> {
        self.ask(
            "SELECT pid::bigint FROM pg_stat_activity WHERE datname = current_database() \
             AND pid <> pg_backend_pid()",
            "SELECT CAST(ID AS SIGNED) FROM information_schema.PROCESSLIST \
             WHERE DB = DATABASE() AND ID <> CONNECTION_ID()",
        )
        .await
    }
}

/// A link to the server that passes everything on, until it is told to pass nothing.
struct SlowLink {
    url: String,
    hangs: watch::Sender<bool>,
}

impl SlowLink {
    #[expect(
        clippy::disallowed_methods,
        reason = "the test stands in for a network"
    )]
    async fn to(database: &scratch::Database) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let mut url = database.url().clone();
        let server = (url.host_str().unwrap().to_owned(), url.port().unwrap());
        url.set_port(Some(listener.local_addr().unwrap().port()))
            .unwrap();
        let (hangs, hanging) = watch::channel(false);
        tokio::spawn(async move {
            while let Ok((mut near, _)) = listener.accept().await {
                let (server, mut hanging) = (server.clone(), hanging.clone());
                tokio::spawn(async move {
                    let mut far = TcpStream::connect(server).await.unwrap();
                    loop {
                        hanging.wait_for(|hangs| !hangs).await.unwrap();
                        tokio::select! {
                            _ = copy_bidirectional(&mut near, &mut far) => break,
                            _ = hanging.wait_for(|hangs| *hangs) => {}
                        }
                    }
                });
            }
        });
        Self {
            url: url.to_string(),
            hangs,
        }
    }
}

servers! {
    async fn a_call_that_waits_for_a_lock_ends_and_leaves_nothing_open(database) {
        let store = migrated(&options(database.url().as_str())).await;
        let mut rival = Stranger::to(&database).await;
        let lock = "BEGIN; UPDATE meta SET value = value WHERE name = 'admin_guard'";
        rival.run(lock, lock).await;
        let nobody = uuid::Uuid::nil();
        let refused = store.set_roles(nobody, [].into(), [].into(), event()).await;
        assert!(matches!(refused, Err(Error::Busy(_))), "{refused:?}");
        // The server ends what waits by itself; this waits until it has.
        let mut onlooker = Stranger::to(&database).await;
        while onlooker.open_transactions().await.len() > 1 {}
        rival.run("COMMIT", "COMMIT").await;
        for _ in 0..3 {
            let _ = store.set_roles(nobody, [].into(), [].into(), event()).await.unwrap();
        }
        store.close().await;
    }

    async fn a_statement_that_takes_too_long_is_ended_once_and_costs_no_connection(database) {
        const SLOW: Question<Arc<AtomicUsize>, ()> = |db, runs| {
            Box::pin(async move {
                runs.fetch_add(1, Ordering::SeqCst);
                let slow = match db.get_database_backend() {
                    DbBackend::Postgres => "SELECT pg_sleep(10)::text AS value",
                    _ => "SELECT CAST(SLEEP(10) AS CHAR) AS value",
                };
                text(db, slow).await.map(drop)
            })
        };
        let store = migrated(&options(database.url().as_str())).await;
        store.record(event()).await.unwrap();
        let mut onlooker = Stranger::to(&database).await;
        let before = onlooker.connections().await;
        let runs = Arc::new(AtomicUsize::new(0));
        let ended = store.read(Arc::clone(&runs), SLOW).await;
        assert!(matches!(ended, Err(Error::Busy(_))), "{ended:?}");
        assert_eq!(runs.load(Ordering::SeqCst), 1);
        store.record(event()).await.unwrap();
        assert_eq!(onlooker.connections().await, before);
        store.close().await;
    }

    async fn a_connection_that_no_longer_answers_is_closed_and_not_used_again(database) {
        let link = SlowLink::to(&database).await;
        let store = migrated(&options(&link.url)).await;
        let mut onlooker = Stranger::to(&database).await;
        store.record(event()).await.unwrap();
        let before = onlooker.connections().await;
        assert_eq!(before.len(), 2, "one for events, one that shows our presence");
        let presence = onlooker.presence().await;
        let for_events = before.iter().find(|id| Some(**id) != presence).unwrap();
        // On its way back to the pool it is pinged.
        while store.pools()[0].idle == 0 {
            tokio::task::yield_now().await;
        }

        link.hangs.send(true).unwrap();
        let cut = store.record(event()).await;
        assert!(matches!(cut, Err(Error::Busy(_))), "{cut:?}");
        let not_made = store.record(event()).await;
        assert!(matches!(not_made, Err(Error::NoConnection(_))), "{not_made:?}");
        link.hangs.send(false).unwrap();

        store.record(event()).await.unwrap();
        while onlooker.connections().await.len() > 2 {}
        let after = onlooker.connections().await;
        let kept: Vec<_> = before.iter().filter(|id| after.contains(id)).collect();
        assert!(!kept.contains(&for_events), "{before:?}, {after:?}");
        assert_eq!(onlooker.open_transactions().await, Vec::<i64>::new());
        assert_eq!(store.pools()[0].most, 1);
        store.close().await;
    }

    async fn nothing_is_written_while_somebody_else_has_the_database_alone(database) {
        let store = migrated(&options(database.url().as_str())).await;
        let (mut onlooker, mut rival) = (Stranger::to(&database).await, Stranger::to(&database).await);
        // The store takes its place again within a second; who is quick comes before it.
        while !rival.0.take_presence(Sharing::Frozen).await.unwrap() {
            if let Some(presence) = onlooker.presence().await {
                onlooker.cut(presence).await;
            }
        }
        while store.check_writable().is_ok() {
            tokio::task::yield_now().await;
        }
        let refused = store.record(event()).await;
        assert!(matches!(refused, Err(Error::Unavailable(_))), "{refused:?}");
        store.revocation_count().await.unwrap();

        rival.0.close().await.unwrap();
        while store.check_writable().is_err() {
            tokio::task::yield_now().await;
        }
        store.record(event()).await.unwrap();
        let late = Stranger::to(&database).await.0.take_presence(Sharing::Frozen).await;
        assert!(!late.unwrap(), "the presence of the store stands against it again");
        store.close().await;
    }

    async fn who_wants_to_be_alone_is_refused_beside_connections_that_hold_no_lock(database) {
        let options = options(database.url().as_str());
        let stranded = Stranger::to(&database).await;
        let refused = Store::connect_alone(&options).await.err();
        assert!(matches!(refused, Some(OpenError::InUse)), "{refused:?}");
        stranded.0.close().await.unwrap();
        Store::connect_alone(&options).await.unwrap().close().await;
    }

    async fn who_has_ended_leaves_no_lock_behind_for_a_moment(database) {
        let options = options(database.url().as_str());
        for _ in 0..20 {
            Store::connect_alone(&options).await.unwrap().close().await;
        }
    }

    async fn who_waits_for_a_connection_in_vain_does_not_wait_again(database) {
        let store = migrated(&options(database.url().as_str())).await;
        let begun = Arc::new(tokio::sync::Notify::new());
        let holding = tokio::spawn({
            let (store, begun) = (store.clone(), Arc::clone(&begun));
            async move {
                let event: crate::run::Event<Arc<tokio::sync::Notify>, ()> = |_, begun| {
                    begun.notify_one();
                    Box::pin(std::future::pending())
                };
                store.write(begun, event).await
            }
        });
        begun.notified().await;
        let reading = store.revocation_count();
        let looking = store.check_ready();
        let (written, read, ready) = tokio::join!(store.record(event()), reading, looking);
        assert!(matches!(written, Err(Error::NoConnection(_))), "{written:?}");
        assert!(matches!(read, Err(Error::NoConnection(_))), "{read:?}");
        assert!(matches!(ready, Err(Error::NoConnection(_))), "{ready:?}");
        assert!(store.is_crowded());
        let held = holding.await.unwrap();
        assert!(matches!(held, Err(Error::Busy(_))), "it had the only one to its end: {held:?}");
        store.record(event()).await.unwrap();
        while store.is_crowded() {
            tokio::task::yield_now().await;
        }
        store.close().await;
    }

    async fn every_connection_is_bounded(database) {
        let store = migrated(&options(database.url().as_str())).await;
        let asked: &[(&'static str, &str)] = match store.writer.get_database_backend() {
            sea_orm::DbBackend::Postgres => &[
                ("SELECT current_setting('statement_timeout') AS value", "4s"),
                ("SELECT current_setting('lock_timeout') AS value", "2s"),
                ("SELECT current_setting('TimeZone') AS value", "UTC"),
            ],
            _ => &[
                ("SELECT CAST(@@max_statement_time AS CHAR) AS value", "4.000000"),
                ("SELECT CAST(@@innodb_lock_wait_timeout AS CHAR) AS value", "2"),
                ("SELECT @@tx_isolation AS value", "READ-COMMITTED"),
                ("SELECT @@time_zone AS value", "+00:00"),
                ("SELECT @@character_set_connection AS value", "utf8mb4"),
            ],
        };
        for (question, expected) in asked {
            let found = crate::engine::text(&store.writer, question).await.unwrap();
            assert_eq!(found.as_deref(), Some(*expected), "{question}");
        }
        store.close().await;
    }

    async fn every_text_is_compared_byte_by_byte(database) {
        let store = migrated(&options(database.url().as_str())).await;
        let mut onlooker = Stranger::to(&database).await;
        let texts = onlooker.ask(
            "SELECT count(*) FROM information_schema.columns WHERE table_schema = current_schema() \
             AND table_name <> 'vestibule_migrations' AND data_type IN ('character varying', 'text')",
            "SELECT count(*) FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = DATABASE() \
             AND TABLE_NAME <> 'vestibule_migrations' AND DATA_TYPE IN ('varchar', 'char', 'text')",
        );
        let texts = texts.await;
        let by_byte = onlooker.ask(
            "SELECT count(*) FROM information_schema.columns WHERE table_schema = current_schema() \
             AND table_name <> 'vestibule_migrations' AND collation_name = 'C'",
            "SELECT count(*) FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = DATABASE() \
             AND TABLE_NAME <> 'vestibule_migrations' AND COLLATION_NAME = 'utf8mb4_nopad_bin'",
        );
        assert_eq!(by_byte.await, texts);
        assert!(texts[0] > 10, "{texts:?}");
        store.close().await;
    }

    async fn a_migration_that_was_cut_off_is_done_again(database) {
        let options = options(database.url().as_str());
        let store = migrated(&options).await;
        let mut onlooker = Stranger::to(&database).await;
        // As after a kill before the last lines of it were run.
        let cut = "DELETE FROM vestibule_migrations; DROP TABLE audit_events; DROP TABLE user_roles; \
                   DELETE FROM meta";
        onlooker.run(cut, cut).await;
        store.migrate_up(None).await.unwrap();
        store.check_ready().await.unwrap();
        store.record(event()).await.unwrap();
        let nobody = uuid::Uuid::nil();
        let _ = store.set_roles(nobody, [].into(), [].into(), event()).await.unwrap();
        store.close().await;
    }

    async fn a_database_of_another_program_is_refused_unchanged(database) {
        let mut other = Stranger::to(&database).await;
        other.run("CREATE TABLE customers (x int)", "CREATE TABLE customers (x int)").await;
        let refused = Store::connect(&options(database.url().as_str())).await.err();
        assert!(
            matches!(&refused, Some(OpenError::Foreign { table, .. }) if table == "customers"),
            "{refused:?}"
        );
    }

    async fn a_stranger_and_a_database_that_is_not_there_are_refused_at_once(database) {
        let patient = |url: &str| Options {
            startup_timeout: Duration::from_mins(10),
            ..options(url)
        };
        let mut nowhere = database.url().clone();
        nowhere.set_path("vestibule_nowhere");
        let mut stranger = database.url().clone();
        stranger.set_username("vestibule_nobody").unwrap();
        stranger.set_password(Some("canary")).unwrap();
        for url in [nowhere, stranger] {
            let refused = Store::connect(&patient(url.as_str())).await.err().unwrap();
            assert!(matches!(refused, OpenError::Refused { .. }), "{refused:?}");
            assert!(!format!("{refused}{refused:?}").contains("canary"));
        }
    }

    async fn a_connection_that_must_be_encrypted_is_not_made_in_the_clear(database) {
        let strict = Options {
            tls: Some(TlsMode::Require),
            ..options(database.url().as_str())
        };
        match Store::connect(&strict).await {
            Err(refused) => assert!(matches!(refused, OpenError::Refused { .. }), "{refused:?}"),
            Ok(store) => {
                let link = store.engine_report().await.unwrap().link;
                assert!(matches!(link, Link::Encrypted(_)), "{link:?}");
            }
        }
        let plain = Options {
            tls: Some(TlsMode::Disable),
            ..strict
        };
        let store = Store::connect(&plain).await.unwrap();
        assert_eq!(store.engine_report().await.unwrap().link, Link::Clear);
        store.close().await;
    }

    async fn a_server_that_is_not_up_yet_is_waited_for(database) {
        let link = SlowLink::to(&database).await;
        link.hangs.send(true).unwrap();
        let (patient, hurried) = (
            Options { startup_timeout: Duration::from_mins(5), ..options(&link.url) },
            options(&link.url),
        );
        let starting = tokio::spawn(async move { Store::connect(&patient).await });
        let refused = Store::connect(&hurried).await.err().unwrap();
        assert!(matches!(refused, OpenError::Unreachable { .. }), "{refused:?}");
        link.hangs.send(false).unwrap();
        starting.await.unwrap().unwrap().close().await;
    }

    async fn what_is_no_replica_is_asked_nothing_and_an_error_to_nobody(database) {
        let mut nowhere = database.url().clone();
        // Nobody listens on port 1.
        nowhere.set_port(Some(1)).unwrap();
        let of = |url: &str| DatabaseUrl::parse(url).unwrap();
        let store = migrated(&Options {
            replica_urls: vec![of(nowhere.as_str()), of(database.url().as_str())],
            ..options(database.url().as_str())
        }).await;
        let key = crate::NewSigningKey {
            id: "key".to_owned(),
            algorithm: "ES256".to_owned(),
            public_key: Vec::new(),
            sealed_private_key: Vec::new(),
            created_at: crate::Timestamp::from_micros(0),
            signs_from: crate::Timestamp::from_micros(0),
        };
        assert_eq!(store.found(b"check".to_vec(), key).await.unwrap(), crate::Founding::Founded);
        store.record(event()).await.unwrap();
        let reports = store.replica_reports().await;
        let [nobody, primary] = reports.as_slice() else { panic!("{reports:?}") };
        assert!(matches!(nobody.state, ReplicaState::Unfit(_)) && nobody.link.is_none(), "{nobody:?}");
        assert_unfit(primary, "it follows no primary");
        assert_eq!(store.page_of_audit(AuditListing { limit: 9, ..AuditListing::default() }).await.unwrap().items.len(), 1);
        for replica in store.replicas() {
            assert!(!replica.is_used && replica.lag.is_none(), "{replica:?}");
        }
        let purposes: Vec<_> = store.pools().iter().map(|pool| (pool.purpose, pool.most)).collect();
        assert_eq!(purposes, [("all", 1), ("replica", 2)]);
        store.close().await;
    }

    async fn a_server_beside_a_replica_that_is_another_installation_reads_the_primary(database) {
        let other = scratch::Database::new(match &Stranger::to(&database).await.0 {
            Session::Postgres(_) => scratch::Server::Postgres,
            Session::MySql(_) => scratch::Server::MariaDb,
        });
        let replica = DatabaseUrl::parse(other.url().as_str()).unwrap();
        let store = migrated(&Options {
            replica_urls: vec![replica],
            ..options(database.url().as_str())
        }).await;
        let reports = store.replica_reports().await;
        assert_unfit(&reports[0], "it holds another installation, or none");
        store.close().await;
    }

    async fn the_server_tells_its_version_and_what_durability_rests_on(database) {
        let store = migrated(&options(database.url().as_str())).await;
        let report = store.engine_report().await.unwrap();
        let name = report.engine.split(' ').next().unwrap();
        assert!(["PostgreSQL", "MariaDB"].contains(&name), "{report:?}");
        assert_eq!(report.settings.len(), 3);
        assert!(report.settings.iter().all(|setting| !setting.value.is_empty()), "{report:?}");
        store.close().await;
    }
}

/// Where a transaction sees what was there when it began, who ends all sessions misses one that was opened meanwhile.
#[tokio::test]
async fn no_transaction_of_ours_sees_less_than_what_is_committed_whatever_the_database_says() {
    let database = scratch::Database::new(scratch::Server::Postgres);
    let options = options(database.url().as_str());
    for (said, had) in [
        ("repeatable read", "read committed"),
        ("serializable", "serializable"),
        ("read committed", "read committed"),
    ] {
        let store = Store::connect(&options).await.unwrap();
        let say = format!(
            "DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET default_transaction_isolation = %L', \
             current_database(), '{said}'); END $$"
        );
        store.writer.execute_unprepared(&say).await.unwrap();
        store.close().await;
        let store = Store::connect(&options).await.unwrap();
        let level = "SELECT current_setting('transaction_isolation') AS value";
        let level = text(&store.writer, level).await.unwrap();
        assert_eq!(level.as_deref(), Some(had), "{said}");
        store.close().await;
    }
}
