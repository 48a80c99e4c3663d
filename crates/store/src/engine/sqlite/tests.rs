//! What SQLite alone must do: durability, files, locks, and whose database it touches.

use super::*;
use crate::run::Question;

use sqlx::{Row as _, SqliteConnection};

struct Place {
    folder: tempfile::TempDir,
    options: Options,
}

impl Place {
    fn file(&self) -> &Path {
        self.options.url.file().expect("a file")
    }
}

fn place() -> Place {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let url = DatabaseUrl::of_file(folder.path().join("vestibule.db"));
    let options = Options {
        max_connections: 2,
        ..Options::new(url)
    };
    Place { folder, options }
}

/// A connection that knows nothing of this crate.
async fn stranger(place: &Place) -> SqliteConnection {
    let file = place.file();
    let options = SqliteConnectOptions::new()
        .filename(file)
        .create_if_missing(true);
    options.connect().await.expect("a plain connection opens")
}

async fn ask(connection: &mut SqliteConnection, sql: &'static str) -> i64 {
    sqlx::query(sql)
        .fetch_one(connection)
        .await
        .expect(sql)
        .get(0)
}

#[tokio::test]
async fn every_connection_is_durable_and_checks_references() {
    let place = place();
    let store = Store::connect(&place.options).await.expect("opens");
    for pool in [&store.writer, &store.readers] {
        let mut connection = pool
            .get_sqlite_connection_pool()
            .acquire()
            .await
            .expect("a connection");
        assert_eq!(ask(&mut connection, "PRAGMA synchronous").await, 2, "FULL");
        assert_eq!(ask(&mut connection, "PRAGMA foreign_keys").await, 1);
        assert_eq!(ask(&mut connection, "PRAGMA busy_timeout").await, 2000);
        let mode: String = sqlx::query_scalar("PRAGMA journal_mode")
            .fetch_one(&mut *connection)
            .await
            .expect("a mode");
        assert_eq!(mode, "wal");
    }
    let readers = store.readers.get_sqlite_connection_pool();
    let refused = sqlx::query("CREATE TABLE t (x)").execute(readers).await;
    assert!(refused.is_err(), "readers cannot write");
}

#[tokio::test]
async fn a_database_of_another_program_is_refused_unchanged() {
    let place = place();
    let mut other = stranger(&place).await;
    sqlx::query("CREATE TABLE customers (x)")
        .execute(&mut other)
        .await
        .expect("a table");
    other.close().await.expect("closes");
    let before = std::fs::read(place.file()).expect("readable");
    let refused = Store::connect(&place.options).await.err().expect("refused");
    assert!(
        matches!(&refused, OpenError::Foreign { table, .. } if table == "customers"),
        "{refused}"
    );
    let mut other = stranger(&place).await;
    assert_eq!(
        ask(&mut other, "SELECT count(*) FROM sqlite_master").await,
        1
    );
    other.close().await.expect("closes");
    let tables_kept = std::fs::read(place.file()).expect("readable");
    assert_eq!(
        before[100..],
        tables_kept[100..],
        "nothing but the journal mode in the header"
    );
}

#[tokio::test]
async fn a_file_that_is_no_database_is_refused_unchanged() {
    let place = place();
    let text = "This is somebody's letter, and long enough to have a header. ".repeat(20);
    std::fs::write(place.file(), &text).expect("writable");
    let refused = Store::connect(&place.options).await.err();
    assert!(
        matches!(refused, Some(OpenError::NotADatabase { .. })),
        "{refused:?}"
    );
    assert_eq!(
        std::fs::read_to_string(place.file()).expect("readable"),
        text
    );
}

/// The journal is written and synced first, so it is whole; of the first page any part may be there.
#[tokio::test]
async fn a_database_whose_first_write_was_cut_off_is_begun_anew() {
    let mut journal = b"\xd9\xd5\x05\xf9\x20\xa1\x63\xd7".to_vec();
    // Its records: none. A nonce; the pages before: none; the sizes of a sector and of a page.
    for number in [0_u32, 1, 0, 512, 4096] {
        journal.extend(number.to_be_bytes());
    }
    journal.resize(512, 0);
    for start in [b"SQLite format 3\0", &[0; 16]] {
        let place = place();
        let mut page = start.to_vec();
        page.resize(4096, 0);
        std::fs::write(place.file(), page).expect("writable");
        std::fs::write(beside(place.file(), "-journal"), &journal).expect("writable");
        let store = Store::connect(&place.options).await.expect("opens");
        store.migrate_up(None).await.expect("migrates");
        store.close().await;
        assert!(has_header(place.file()).expect("readable"));
    }
}

#[tokio::test]
async fn what_resembles_a_journal_makes_no_database_of_a_letter() {
    let place = place();
    std::fs::write(place.file(), "Dear Sir or Madam").expect("writable");
    std::fs::write(beside(place.file(), "-journal"), "Dear diary").expect("writable");
    let refused = Store::connect(&place.options).await.err();
    assert!(
        matches!(refused, Some(OpenError::NotADatabase { .. })),
        "{refused:?}"
    );
}

#[tokio::test]
async fn a_newer_schema_is_refused_without_a_write() {
    let place = place();
    let store = Store::connect(&place.options).await.expect("opens");
    store.migrate_up(None).await.expect("migrates");
    store.close().await;
    let mut newer = stranger(&place).await;
    sqlx::query("INSERT INTO vestibule_migrations VALUES ('m9999_future', 1)")
        .execute(&mut newer)
        .await
        .expect("a row");
    let before = ask(&mut newer, "PRAGMA schema_version").await;
    let store = Store::connect(&place.options).await.expect("it is ours");
    for refused in [store.migrate_up(None).await, store.migrate_down(1).await] {
        assert!(
            matches!(&refused, Err(OpenError::NewerSchema { migration }) if migration == "m9999_future"),
            "{refused:?}"
        );
    }
    assert_eq!(ask(&mut newer, "PRAGMA schema_version").await, before);
}

#[cfg(unix)]
#[tokio::test]
async fn every_file_is_for_its_owner_alone() {
    use std::os::unix::fs::PermissionsExt as _;
    let place = place();
    let store = Store::connect(&place.options).await.expect("opens");
    store.migrate_up(None).await.expect("migrates");
    let mut names = Vec::new();
    for entry in std::fs::read_dir(place.folder.path()).expect("a folder") {
        let entry = entry.expect("an entry");
        let mode = entry.metadata().expect("metadata").permissions().mode() & 0o777;
        assert_eq!(mode, 0o600, "{}", entry.path().display());
        names.push(entry.file_name().into_string().expect("a name"));
    }
    assert!(names.iter().any(|name| name.ends_with("-wal")), "{names:?}");
}

#[tokio::test]
async fn a_lock_of_another_process_is_waited_for() {
    let place = place();
    let store = Store::connect(&place.options).await.expect("opens");
    store.migrate_up(None).await.expect("migrates");
    let mut rival = stranger(&place).await;
    sqlx::query("BEGIN IMMEDIATE")
        .execute(&mut rival)
        .await
        .expect("the lock");
    let waiting = tokio::spawn({
        let store = store.clone();
        async move { store.found(vec![1], a_key()).await }
    });
    tokio::task::yield_now().await;
    sqlx::query("COMMIT")
        .execute(&mut rival)
        .await
        .expect("the end of the lock");
    assert_eq!(
        waiting.await.expect("no panic").expect("done"),
        crate::Founding::Founded
    );
}

#[tokio::test]
async fn a_lock_that_is_not_given_back_is_an_answer_within_the_bound() {
    let place = place();
    let store = Store::connect(&place.options).await.expect("opens");
    store.migrate_up(None).await.expect("migrates");
    let mut rival = stranger(&place).await;
    sqlx::query("BEGIN IMMEDIATE")
        .execute(&mut rival)
        .await
        .expect("the lock");
    let refused = store.found(vec![1], a_key()).await;
    assert!(matches!(refused, Err(Error::Busy(_))), "{refused:?}");
    assert_eq!(store.secret_key_check().await.expect("readers go on"), None);
    sqlx::query("COMMIT")
        .execute(&mut rival)
        .await
        .expect("the end of the lock");
}

fn a_key() -> crate::NewSigningKey {
    let now = crate::Timestamp::from_micros(0);
    crate::NewSigningKey {
        id: "key".into(),
        algorithm: "ES256".into(),
        public_key: vec![1],
        sealed_private_key: vec![2],
        created_at: now,
        signs_from: now,
    }
}

#[test]
fn versions_compare_by_number() {
    assert!(version("3.51.3") >= version(OLDEST_SQLITE));
    assert!(version("3.9.0") < version(OLDEST_SQLITE));
    assert!(version("3.100.0") > version(OLDEST_SQLITE));
    assert!(version("3.51.2") < version(OLDEST_SQLITE));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_that_another_program_is_just_making_is_not_foreign() {
    for _ in 0..20 {
        let place = place();
        let starts: Vec<_> = (0..6)
            .map(|_| {
                let options = place.options.clone();
                tokio::spawn(async move { Store::connect(&options).await?.migrate_up(None).await })
            })
            .collect();
        for start in starts {
            start.await.expect("no panic").expect("each becomes ready");
        }
    }
}

#[tokio::test]
async fn a_foreign_table_whose_name_only_resembles_the_engines_own_is_foreign() {
    let place = place();
    let mut other = stranger(&place).await;
    sqlx::query("CREATE TABLE sqlitedata (x)")
        .execute(&mut other)
        .await
        .expect("a table");
    other.close().await.expect("closes");
    let refused = Store::connect(&place.options).await.err();
    assert!(
        matches!(refused, Some(OpenError::Foreign { .. })),
        "{refused:?}"
    );
}

/// How SQLite means to answer a query, a line a step.
async fn plan<E: sea_orm::EntityTrait>(store: &Store, query: &sea_orm::Select<E>) -> String {
    let statement = sea_orm::QueryTrait::build(query, sea_orm::DbBackend::Sqlite);
    let sql = format!("EXPLAIN QUERY PLAN {statement}");
    let rows = sqlx::query(sqlx::AssertSqlSafe(sql))
        .fetch_all(store.readers.get_sqlite_connection_pool())
        .await
        .expect("a plan");
    let steps: Vec<String> = rows.iter().map(|row| row.get("detail")).collect();
    steps.join("\n")
}

#[tokio::test]
async fn lists_are_read_in_the_order_of_an_index_and_figures_counted_in_one() {
    use crate::{
        AuditKind, AuditListing, Place, SessionKind, Timestamp, UserListing, UserStatus, audit,
        stats, users,
    };
    let place = place();
    let store = Store::connect(&place.options).await.expect("opens");
    store.migrate_up(None).await.expect("migrates");
    let now = Timestamp::from_micros(1);
    let id = uuid::Uuid::nil();
    let mut plans = Vec::new();
    for after in [None, Some(Place { at: now, id })] {
        for status in [None, Some(UserStatus::Active), Some(UserStatus::Deleted)] {
            let listing = UserListing {
                status,
                after,
                limit: 20,
                ..UserListing::default()
            };
            let select = users::list::select(&listing);
            plans.push((
                format!("{listing:?}"),
                plan(&store, &select).await,
                "users_newest",
            ));
        }
        let all = AuditListing {
            after,
            limit: 20,
            ..AuditListing::default()
        };
        let of_user = AuditListing {
            user: Some(id),
            ..all.clone()
        };
        let of_kind = AuditListing {
            kind: Some(AuditKind::Login),
            since: Some(now),
            ..all.clone()
        };
        let indexes = [
            (all, &["audit_events_at"][..]),
            (of_kind, &["audit_events_event_newest"]),
            (
                of_user,
                &["audit_events_subject_newest", "audit_events_actor_newest"],
            ),
        ];
        for (listing, indexes) in indexes {
            let selects = audit::selects(&listing);
            assert_eq!(selects.len(), indexes.len());
            for (select, index) in selects.iter().zip(indexes) {
                plans.push((format!("{listing:?}"), plan(&store, select).await, *index));
            }
        }
    }
    for select in stats::users_by_status() {
        let plan = plan(&store, &select).await;
        plans.push(("users".to_owned(), plan, "COVERING INDEX users_newest"));
    }
    let sessions = plan(&store, &stats::open_sessions(SessionKind::Token, now)).await;
    plans.push((
        "sessions".to_owned(),
        sessions,
        "COVERING INDEX sessions_open",
    ));
    let events = plan(&store, &stats::events(AuditKind::Login, now)).await;
    plans.push((
        "events".to_owned(),
        events,
        "COVERING INDEX audit_events_event_newest",
    ));

    for (asked, plan, index) in plans {
        assert_eq!(plan.lines().count(), 1, "no sorting: {asked}\n{plan}");
        assert!(plan.contains(index), "{asked}\n{plan}");
    }
}

#[tokio::test]
async fn reading_alone_leaves_the_file_and_its_log_as_they_are() {
    let place = place();
    let store = Store::connect(&place.options).await.expect("opens");
    store.migrate_up(None).await.expect("migrates");
    let file = place.file();
    let log = beside(file, "-wal");
    let bytes = || (std::fs::read(file).ok(), std::fs::read(&log).ok());
    let before = bytes();
    assert!(before.1.as_ref().is_some_and(|log| !log.is_empty()));
    let reading = Store::connect_read_only(&place.options)
        .await
        .expect("opens");
    reading.check_ready().await.expect("is ready");
    let pool = reading.writer.get_sqlite_connection_pool();
    let refused = sqlx::query("DELETE FROM meta").execute(pool).await;
    assert!(refused.is_err(), "even past the guard");
    reading.close().await;
    assert_eq!(bytes(), before);
}

#[tokio::test]
async fn a_file_that_is_not_there_is_not_made_to_read_it() {
    let place = place();
    assert!(Store::connect_read_only(&place.options).await.is_err());
    assert!(!place.file().exists());
}

/// Lets the database have no more pages than it has by now, or as many as it wants.
async fn limit_pages(store: &Store, is_full: bool) {
    let sql = match is_full {
        true => "PRAGMA max_page_count = 1",
        false => "PRAGMA max_page_count = 4294967294",
    };
    let pool = store.writer.get_sqlite_connection_pool();
    sqlx::query(sql).execute(pool).await.expect(sql);
}

async fn record(store: &Store, number: u128) -> Result<(), Error> {
    let event = crate::NewAudit {
        id: uuid::Uuid::from_u128(number),
        at: crate::Timestamp::from_micros(1),
        kind: crate::AuditKind::Login,
        actor: crate::Actor::Anonymous,
        subject: None,
        address: None,
        user_agent: Some("an agent with many words ".repeat(10)),
        request_id: None,
        detail: None,
    };
    store.record(event).await
}

#[tokio::test]
async fn what_is_acknowledged_after_the_storage_was_full_is_kept() {
    let place = place();
    let store = Store::connect(&place.options).await.expect("opens");
    store.migrate_up(None).await.expect("migrates");
    let mut acknowledged = 0;
    let mut numbers = 0..;
    for _ in 0..3 {
        limit_pages(&store, true).await;
        loop {
            match record(&store, numbers.next().expect("a number")).await {
                Ok(()) => acknowledged += 1,
                Err(Error::Full(_)) => break,
                Err(error) => panic!("{error}"),
            }
        }
        limit_pages(&store, false).await;
        let refused = store.write((), |_, ()| {
            Box::pin(async { Err::<(), _>(Error::ReadOnly) })
        });
        assert!(
            refused.await.is_err(),
            "an event of which nothing is to be kept"
        );
        for number in numbers.by_ref().take(3) {
            record(&store, number).await.expect("there is room again");
            acknowledged += 1;
        }
    }
    store.close().await;
    let mut stranger = stranger(&place).await;
    let kept = ask(&mut stranger, "SELECT count(*) FROM audit_events").await;
    assert_eq!(kept, acknowledged);
}

/// The engine rolls back by itself in the middle of a group. That costs the connection, and with it the limit of this
/// test, so that the others find room.
#[tokio::test]
async fn of_a_crowd_that_meets_a_full_storage_is_kept_what_is_acknowledged() {
    let place = place();
    let store = Store::connect(&place.options).await.expect("opens");
    store.migrate_up(None).await.expect("migrates");
    let mut acknowledged = 0;
    let mut numbers = 0..;
    for _ in 0..3 {
        limit_pages(&store, true).await;
        while is_limited(&store).await {
            let crowd = numbers.by_ref().take(40).map(|number| {
                let store = store.clone();
                tokio::spawn(async move { record(&store, number).await })
            });
            for recording in crowd.collect::<Vec<_>>() {
                match recording.await.expect("no panic") {
                    Ok(()) => acknowledged += 1,
                    Err(Error::Full(_)) => {}
                    Err(error) => panic!("{error}"),
                }
            }
        }
    }
    store.close().await;
    let mut stranger = stranger(&place).await;
    let kept = ask(&mut stranger, "SELECT count(*) FROM audit_events").await;
    assert_eq!(kept, acknowledged);
}

async fn is_limited(store: &Store) -> bool {
    let pool = store.writer.get_sqlite_connection_pool();
    let asked = sqlx::query_scalar::<_, i64>("PRAGMA max_page_count").fetch_one(pool);
    asked.await.expect("a number") < 4_294_967_294
}

/// What is not in the list would be left behind without a word.
#[tokio::test]
async fn a_copy_takes_every_column_of_every_table_that_the_migrations_make() {
    let folder = tempfile::tempdir().unwrap();
    let url = DatabaseUrl::of_file(folder.path().join("test.db"));
    let store = Store::connect(&Options::new(url)).await.unwrap();
    store.migrate_up(None).await.unwrap();
    let sql = "SELECT t.name AS \"table\", c.name AS \"column\" FROM sqlite_schema t, pragma_table_info(t.name) c \
               WHERE t.type = 'table' AND t.name NOT LIKE 'sqlite\\_%' ESCAPE '\\' AND t.name <> 'vestibule_migrations'";
    let pool = store.writer.get_sqlite_connection_pool();
    let mut made: Vec<(String, String)> = sqlx::query_as(sql).fetch_all(pool).await.unwrap();
    let layout = crate::copy::layout();
    let columns = |(table, columns): (&str, Vec<&str>)| -> Vec<_> {
        let named = |column: &str| (table.to_owned(), column.to_owned());
        columns.into_iter().map(named).collect()
    };
    let mut copied: Vec<_> = layout.into_iter().flat_map(columns).collect();
    made.sort();
    copied.sort();
    assert_eq!(copied, made);
}

/// Of each kind of reading connection, those of a program that may not write included.
#[tokio::test]
async fn a_question_that_never_ends_is_ended_and_keeps_no_connection() {
    const ENDLESS: Question<(), ()> = |db, ()| {
        Box::pin(async {
            let endless = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) \
                           SELECT count(*) AS value FROM n";
            text(db, endless).await.map(drop)
        })
    };
    let place = place();
    let store = Store::connect(&place.options).await.expect("opens");
    store.migrate_up(None).await.expect("a schema");
    let reading = Store::connect_read_only(&place.options)
        .await
        .expect("opens");
    for store in [store, reading] {
        let both = tokio::join!(store.read((), ENDLESS), store.read((), ENDLESS));
        for ended in [both.0, both.1] {
            let ended = ended.expect_err("it has no end");
            assert!(ended.to_string().contains("interrupted"), "{ended}");
        }
        store.revocation_count().await.expect("a free connection");
        store.close().await;
    }
}
