//! What the bare connection is set to, what it writes, and what becomes of one whose transaction failed.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use sea_orm::Value;

use super::*;

fn transactions() -> (tempfile::TempDir, BareTransactions) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("test.db");
    let made = Connection::open(&file).unwrap();
    made.execute_batch("PRAGMA journal_mode = WAL; CREATE TABLE cells (cell)")
        .unwrap();
    (folder, BareTransactions::of_file(file))
}

fn statement<const N: usize>(sql: &str, values: [Value; N]) -> Statement {
    Statement::from_sql_and_values(DbBackend::Sqlite, sql, values)
}

/// Executes what nothing waits in.
fn done<T>(work: impl Future<Output = T>) -> T {
    futures_util::FutureExt::now_or_never(work).expect("nothing waits")
}

struct Number(i64);

impl FromRow for Number {
    fn from_row(cells: &mut Cells<'_, impl Row>) -> Result<Self, Error> {
        cells.take().map(Self)
    }
}

struct Text(String);

impl FromRow for Text {
    fn from_row(cells: &mut Cells<'_, impl Row>) -> Result<Self, Error> {
        cells.take().map(Self)
    }
}

fn number(connection: &BareConnection, sql: &str) -> i64 {
    let rows: Vec<Number> = done(connection.ask(statement(sql, []))).unwrap();
    rows[0].0
}

fn text(connection: &BareConnection, sql: &str) -> String {
    let rows: Vec<Text> = done(connection.ask(statement(sql, []))).unwrap();
    rows[0].0.clone()
}

#[test]
fn it_is_durable_and_checks_references() {
    let (_folder, mut transactions) = transactions();
    let connection = transactions.begin().unwrap();
    assert_eq!(number(&connection, "PRAGMA synchronous"), 2, "FULL");
    assert_eq!(number(&connection, "PRAGMA foreign_keys"), 1);
    assert_eq!(number(&connection, "PRAGMA busy_timeout"), 2000);
    assert_eq!(number(&connection, "PRAGMA trusted_schema"), 0);
    assert_eq!(text(&connection, "PRAGMA journal_mode"), "wal");
    assert_eq!(number(&connection, "PRAGMA journal_size_limit"), 64 << 20);
}

/// As the driver has them, which writes most of what this one reads.
#[tokio::test]
async fn values_are_kept_as_the_driver_keeps_them() {
    use sea_orm::ConnectionTrait as _;

    let (folder, mut transactions) = transactions();
    let values: Vec<Value> = vec![
        true.into(),
        false.into(),
        7i32.into(),
        i64::MIN.into(),
        i64::MAX.into(),
        "".into(),
        "M\u{fc}ller\0".into(),
        Vec::<u8>::new().into(),
        vec![0u8, 255].into(),
        uuid::Uuid::from_u128(1 << 100).into(),
        Value::Bool(None),
        Value::Int(None),
        Value::BigInt(None),
        Value::String(None),
        Value::Bytes(None),
        Value::Uuid(None),
    ];
    let add = |value: &Value| statement("INSERT INTO cells VALUES (?)", [value.clone()]);
    let connection = transactions.begin().unwrap();
    for value in &values {
        assert_eq!(done(connection.change(add(value))).unwrap(), 1);
    }
    transactions.commit(connection).unwrap();
    let file = folder.path().join("test.db");
    let driver = super::super::looking(super::super::plain(&file))
        .await
        .unwrap();
    for value in &values {
        driver.execute_raw(add(value)).await.unwrap();
    }
    let connection = transactions.begin().unwrap();
    let kept: Vec<Text> = done(connection.ask(statement(
        "SELECT typeof(cell) || hex(cell) FROM cells ORDER BY rowid",
        [],
    )))
    .unwrap();
    let kept: Vec<String> = kept.into_iter().map(|Text(text)| text).collect();
    let (ours, the_drivers) = kept.split_at(values.len());
    assert_eq!(ours, the_drivers);
}

#[test]
fn a_value_of_an_unknown_kind_is_refused() {
    let (_folder, mut transactions) = transactions();
    let connection = transactions.begin().unwrap();
    let adding = statement("INSERT INTO cells VALUES (?)", [Value::Double(Some(0.5))]);
    let refused = done(connection.change(adding));
    assert!(matches!(refused, Err(Error::Unavailable(_))), "{refused:?}");
}

/// No statement has the values of the one before it.
#[test]
fn a_value_that_is_missing_is_refused() {
    let (_folder, mut transactions) = transactions();
    let connection = transactions.begin().unwrap();
    let sql = "INSERT INTO cells VALUES (?)";
    done(connection.change(statement(sql, [1i64.into()]))).unwrap();
    assert!(done(connection.change(statement(sql, []))).is_err());
}

#[test]
fn what_fails_is_told_apart_as_the_drivers_errors_are() {
    let (folder, mut transactions) = transactions();
    let file = folder.path().join("test.db");
    let other = Connection::open(&file).unwrap();
    other
        .execute_batch("CREATE UNIQUE INDEX one ON cells (cell)")
        .unwrap();
    let connection = transactions.begin().unwrap();
    let adding = || statement("INSERT INTO cells VALUES (?)", [1i64.into()]);
    done(connection.change(adding())).unwrap();
    let again = done(connection.change(adding()));
    assert!(matches!(again, Err(Error::Busy(_))), "{again:?}");
    transactions.roll_back(connection);

    let connection = transactions.begin().unwrap();
    connection.limit_pages();
    let large = statement("INSERT INTO cells VALUES (?)", [vec![1u8; 1 << 16].into()]);
    let full = done(connection.change(large));
    assert!(matches!(full, Err(Error::Full(_))), "{full:?}");
    transactions.roll_back(connection);

    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let connection = transactions.connection.as_ref().unwrap();
    connection
        .0
        .busy_timeout(std::time::Duration::ZERO)
        .unwrap();
    let busy = transactions.begin().err();
    assert!(matches!(busy, Some(Error::Busy(_))), "{busy:?}");
    other.execute_batch("ROLLBACK").unwrap();
    let connection = transactions.begin().expect("on another connection");
    transactions.commit(connection).unwrap();
}

#[tokio::test]
async fn a_job_that_panics_costs_its_connection_alone() {
    let (_folder, mut there) = transactions();
    let writer = BareWriter::start(&there.file).unwrap();
    let connection = there.begin().unwrap();
    there.commit(connection).unwrap();
    let ended = writer.run(|transactions| {
        let begun = transactions.begin().unwrap();
        transactions.commit(begun).unwrap();
        panic!("as a job with a mistake in it would");
    });
    assert_eq!(ended.await, None::<()>);
    let ran = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&ran);
    let next = writer.run(move |transactions| {
        assert!(transactions.connection.is_none());
        counted.fetch_add(1, Ordering::Relaxed)
    });
    assert_eq!(next.await, Some(0));
    assert_eq!(ran.load(Ordering::Relaxed), 1);
}
