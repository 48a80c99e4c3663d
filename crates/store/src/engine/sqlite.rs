//! What is SQLite's alone: the file, its modes and header, how connections are made, and its error
//! codes. The library is part of the program.

mod bare;

use std::{
    fs::{File, OpenOptions},
    io::{self, Read as _},
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, Instant},
};

use sea_orm::{
    ConnAcquireErr, DatabaseConnection, DbErr, RuntimeErr, SqliteTransactionMode,
    SqlxSqliteConnector, TransactionOptions,
};
use sqlx::{
    ConnectOptions as _, Connection as _, SqliteConnection,
    error::DatabaseError,
    sqlite::{SqliteConnectOptions, SqlitePoolOptions},
};
use tokio_util::task::TaskTracker;

pub(crate) use self::bare::{BareConnection, BareTransactions, BareWriter, FromFile};
use super::{
    Options, Presence, Statements, Verdict,
    presence::{self, FileLocks, Sharing},
    report::SafeSetting,
    text, unusable, version,
};
use crate::{DatabaseUrl, Error, OpenError, Store, Unique, run::Groups, search::Searches, waiting};

/// 3.51.3 is the first 3.51 with the fix of a WAL reset that could corrupt a database.
const OLDEST_SQLITE: &str = "3.51.3";
/// How long SQLite waits for a lock that another process holds.
const BUSY_TIMEOUT: Duration = Duration::from_secs(2);
/// How long a question may take, from when it has its connection: as long as a statement on a server.
const QUESTION_BOUND: Duration = Duration::from_secs(4);
/// After so many steps SQLite asks whether that time is over. One step may be the search of one text.
const STEPS: i32 = 1000;
/// The disk, or the size that the database may have, is full: found when a page is written, or when
/// the index of the write-ahead log (`-shm`) needs a larger file.
const SQLITE_FULL: u32 = 13;
const SQLITE_IOERR_SHMSIZE: u32 = 4874;
/// A question has taken too long.
const SQLITE_INTERRUPT: u32 = 9;
/// What every connection that may write is set to.
const SETTINGS: [(&str, &str); 5] = [
    ("journal_mode", "WAL"),
    ("synchronous", "FULL"),
    ("foreign_keys", "ON"),
    ("trusted_schema", "OFF"),
    // After a checkpoint the write-ahead log is cut to this size, in bytes.
    ("journal_size_limit", "67108864"),
];

/// Opens the database in `file`, creating an empty one where there is none.
pub(super) async fn open(
    options: &Options,
    file: &Path,
    sharing: Sharing,
) -> Result<Store, OpenError> {
    inspect(file).await?;
    let lock = presence::take_file(file, sharing)?;
    if sharing == Sharing::Reading {
        return open_read_only(options, file, lock).await;
    }
    create_private(file).map_err(|source| unusable(file, source))?;
    let writer = pool(options, file, connection(file), 1, None).await?;
    refuse_old_engine(&writer).await?;
    let reading = connection(file).pragma("query_only", "ON");
    let size = options.max_connections.max(1);
    let readers = pool(options, file, reading, size, Some(QUESTION_BOUND)).await?;
    let tasks = TaskTracker::new();
    let bare = BareWriter::start(file).map_err(|source| unusable(file, source))?;
    Ok(Store {
        groups: Some(Groups::new(
            writer.clone(),
            bare,
            options.acquire_timeout,
            tasks.clone(),
        )),
        writer,
        read_only: false,
        readers,
        tasks,
        statements: Statements::Kept,
        replicas: Arc::default(),
        searches: Searches::beside(options.max_connections),
        quarantine: None,
        presence: Arc::new(Presence::of_file(options.clone(), lock)),
    })
}

/// The one connection of a program that copies, and the locks that show its presence. Where it is
/// alone, a database is made; else the file is not written.
pub(super) async fn sole(
    options: &Options,
    file: &Path,
    sharing: Sharing,
) -> Result<(DatabaseConnection, FileLocks), OpenError> {
    let failed = |source| unusable(file, source);
    if sharing != Sharing::Alone {
        std::fs::metadata(file).map_err(failed)?;
    }
    inspect(file).await?;
    let locks = presence::take_file(file, sharing)?;
    let connecting = match sharing {
        Sharing::Alone => {
            create_private(file).map_err(failed)?;
            connection(file)
        }
        _ => reading_alone(file),
    };
    let connection = pool(options, file, connecting, 1, None).await?;
    refuse_old_engine(&connection).await?;
    Ok((connection, locks))
}

async fn open_read_only(
    options: &Options,
    file: &Path,
    lock: FileLocks,
) -> Result<Store, OpenError> {
    let size = options.max_connections.max(1);
    let readers = pool(
        options,
        file,
        reading_alone(file),
        size,
        Some(QUESTION_BOUND),
    )
    .await?;
    refuse_old_engine(&readers).await?;
    Ok(Store {
        writer: readers.clone(),
        groups: None,
        read_only: true,
        readers,
        tasks: TaskTracker::new(),
        statements: Statements::Kept,
        replicas: Arc::default(),
        searches: Searches::beside(options.max_connections),
        quarantine: None,
        presence: Arc::new(Presence::of_file(options.clone(), lock)),
    })
}

/// A writer takes the write lock at once: a transaction that reads first and writes later would
/// be refused with `SQLITE_BUSY_SNAPSHOT`, without waiting.
pub(super) fn write_options() -> TransactionOptions {
    TransactionOptions {
        sqlite_transaction_mode: Some(SqliteTransactionMode::Immediate),
        ..TransactionOptions::default()
    }
}

/// The turn to write, which the one connection of `writer` is, by whatever connection; until the outcome is dropped.
pub(crate) async fn turn(writer: &DatabaseConnection) -> Result<impl Sized + use<>, Error> {
    let acquired = writer.get_sqlite_connection_pool().acquire().await;
    Ok(acquired.map_err(|error| match error {
        sqlx::Error::PoolTimedOut => DbErr::ConnectionAcquire(ConnAcquireErr::Timeout),
        sqlx::Error::PoolClosed => DbErr::ConnectionAcquire(ConnAcquireErr::ConnectionClosed),
        other => DbErr::Conn(RuntimeErr::SqlxError(other.into())),
    })?)
}

/// A question for the tables of this name; it is one of ours.
pub(super) fn tables_named(name: &str) -> String {
    format!("SELECT name AS value FROM sqlite_master WHERE type = 'table' AND name = '{name}'")
}

pub(super) const VERSION: &str = "SELECT 'SQLite ' || sqlite_version() AS value";

/// The settings on which durability rests, each with the question for it and what is safe.
pub(super) const DURABILITY: &[SafeSetting] = &[
    SafeSetting::new(
        "journal_mode",
        "SELECT journal_mode AS value FROM pragma_journal_mode",
        &["wal"],
    ),
    SafeSetting::new(
        "synchronous",
        "SELECT CAST(synchronous AS TEXT) AS value FROM pragma_synchronous",
        // FULL and EXTRA.
        &["2", "3"],
    ),
];

/// What an error means to whoever runs an event.
pub(super) fn verdict(error: &dyn DatabaseError) -> Verdict {
    let code = error.code().and_then(|code| code.parse().ok());
    verdict_of(code, error.message())
}

/// The same of an extended result code and the message that comes with it.
fn verdict_of(code: Option<u32>, message: &str) -> Verdict {
    match code {
        // A primary key, a unique index.
        Some(1555 | 2067) => Verdict::Duplicate(violated(message)),
        Some(code) if is_busy(code) || code == SQLITE_INTERRUPT => Verdict::Busy,
        Some(SQLITE_FULL | SQLITE_IOERR_SHMSIZE) => Verdict::Full,
        _ => Verdict::Other,
    }
}

fn violated(message: &str) -> Option<Unique> {
    [
        ("users.email_key", Unique::UserEmail),
        ("users.username_key", Unique::UserUsername),
    ]
    .into_iter()
    .find_map(|(column, unique)| message.contains(column).then_some(unique))
}

/// Options that change nothing about the file.
pub(super) fn plain(file: &Path) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(file)
        .create_if_missing(false)
        .busy_timeout(BUSY_TIMEOUT)
        .disable_statement_logging()
}

/// One connection, to look at a database with.
pub(super) async fn looking(
    options: SqliteConnectOptions,
) -> Result<DatabaseConnection, OpenError> {
    let pool = SqlitePoolOptions::new()
        .max_connections(1)
        .connect_with(options)
        .await?;
    Ok(SqlxSqliteConnector::from_sqlx_sqlite_pool(pool))
}

pub(super) fn reading_alone(file: &Path) -> SqliteConnectOptions {
    plain(file)
        .read_only(true)
        .pragma("query_only", "ON")
        .pragma("trusted_schema", "OFF")
}

fn connection(file: &Path) -> SqliteConnectOptions {
    let set = |options: SqliteConnectOptions, (name, value)| options.pragma(name, value);
    SETTINGS.into_iter().fold(plain(file), set)
}

/// Has SQLite end whatever is asked on this connection when `bound` has passed from now on: a search through many texts
/// would keep it for minutes, and nobody could read when all are kept.
async fn end_within(connection: &mut SqliteConnection, bound: Duration) -> Result<(), sqlx::Error> {
    let end = now() + bound;
    let mut handle = connection.lock_handle().await?;
    handle.set_progress_handler(STEPS, move || now() < end);
    Ok(())
}

#[expect(
    clippy::disallowed_methods,
    reason = "it bounds for how long a question runs, on a thread of SQLite's, and decides nothing about it"
)]
fn now() -> Instant {
    Instant::now()
}

/// Opens connections, on which a question may take `bound`. To change the journal mode, as the first
/// connection to a new file does, SQLite wants the file for itself and does not wait for it; so this does.
async fn pool(
    options: &Options,
    file: &Path,
    connection: SqliteConnectOptions,
    size: u32,
    bound: Option<Duration>,
) -> Result<DatabaseConnection, OpenError> {
    const PAUSE: Duration = Duration::from_millis(10);
    let mut attempts_left = BUSY_TIMEOUT.div_duration_f32(PAUSE) as u32;
    let pool = loop {
        let opened = SqlitePoolOptions::new()
            .max_connections(size)
            .acquire_timeout(options.acquire_timeout)
            .test_before_acquire(false)
            .idle_timeout(None)
            .max_lifetime(None)
            .after_connect(move |connection, _| {
                waiting::is_over();
                Box::pin(async move {
                    match bound {
                        Some(bound) => end_within(connection, bound).await,
                        None => Ok(()),
                    }
                })
            })
            .before_acquire(move |connection, _| {
                waiting::is_over();
                Box::pin(async move {
                    if let Some(bound) = bound {
                        end_within(connection, bound).await?;
                    }
                    Ok(true)
                })
            })
            .after_release(|connection, _| {
                // A full disk makes SQLite roll back by itself, and the driver does not notice: it
                // would nest what comes next in that transaction, and never commit it.
                let is_at_rest = !connection.is_in_transaction();
                Box::pin(async move { Ok(is_at_rest) })
            })
            .connect_with(connection.clone())
            .await;
        match opened {
            Err(error) if is_locked(&error) && attempts_left > 0 => attempts_left -= 1,
            Err(error) => return Err(unusable(file, io::Error::other(error))),
            Ok(pool) => break pool,
        }
        tokio::time::sleep(PAUSE).await;
    };
    Ok(SqlxSqliteConnector::from_sqlx_sqlite_pool(pool))
}

/// `SQLITE_BUSY` and `SQLITE_LOCKED`, with the extended codes in the upper bits.
fn is_busy(code: u32) -> bool {
    matches!(code & 0xff, 5 | 6)
}

fn is_locked(error: &sqlx::Error) -> bool {
    let code = error
        .as_database_error()
        .and_then(|error| error.code()?.parse::<u32>().ok());
    code.is_some_and(is_busy)
}

/// Looks at what is there on a connection that cannot write, not even the journal mode, which
/// SQLite keeps in the file. Where a write was cut off, as by a power cut while the database was
/// made, the file is not to be judged yet: SQLite undoes that write first, and has to write for it.
/// It does so as whoever opens the file next would, with locks of its own, whether the file turns out
/// to be ours or not, and before ours are taken.
pub(super) async fn inspect(file: &Path) -> Result<(), OpenError> {
    if !file.try_exists().map_err(|source| unusable(file, source))? {
        return Ok(());
    }
    let name = DatabaseUrl::of_file(file.to_owned());
    let was_cut_off = has_journal(file).map_err(|source| unusable(file, source))?;
    if !was_cut_off && !has_header(file).map_err(|source| unusable(file, source))? {
        return Err(OpenError::NotADatabase {
            database: name.to_string(),
        });
    }
    let connection = looking(plain(file).read_only(!was_cut_off)).await?;
    let verdict = refuse_foreign(&connection, &name).await;
    connection.close().await.map_err(Error::from)?;
    verdict
}

/// Whether the file begins as every SQLite database does. An empty file is one without a page.
pub(super) fn has_header(file: &Path) -> io::Result<bool> {
    const HEADER: &[u8] = b"SQLite format 3\0";
    let start = start_of(file, HEADER.len())?;
    Ok(start.is_empty() || start == HEADER)
}

/// Whether a rollback journal lies beside the file, which is there only while something is written.
fn has_journal(file: &Path) -> io::Result<bool> {
    const HEADER: &[u8] = b"\xd9\xd5\x05\xf9\x20\xa1\x63\xd7";
    match start_of(&beside(file, "-journal"), HEADER.len()) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        start => Ok(start? == HEADER),
    }
}

fn start_of(file: &Path, length: usize) -> io::Result<Vec<u8>> {
    let mut start = Vec::new();
    File::open(file)?
        .take(length as u64)
        .read_to_end(&mut start)?;
    Ok(start)
}

/// The file of this name and more, such as its log.
pub(super) fn beside(file: &Path, suffix: &str) -> PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

async fn refuse_old_engine(connection: &DatabaseConnection) -> Result<(), OpenError> {
    let found = text(connection, "SELECT sqlite_version() AS value")
        .await?
        .unwrap_or_default();
    if version(&found) < version(OLDEST_SQLITE) {
        return Err(OpenError::EngineTooOld {
            found: format!("SQLite {found}"),
            needed: "SQLite 3.51.3, which mends a data corruption,",
        });
    }
    Ok(())
}

/// Ours is a database that is empty or has our table of migrations, which is always the first.
/// One question, since another program may be making that table at the same moment.
pub(super) async fn refuse_foreign(
    connection: &DatabaseConnection,
    url: &DatabaseUrl,
) -> Result<(), OpenError> {
    const OURS: &str = crate::migrate::TABLE;
    let ours_before_others = format!(
        "SELECT name AS value FROM sqlite_master WHERE name NOT LIKE 'sqlite\\_%' ESCAPE '\\' \
         ORDER BY name = '{OURS}' DESC LIMIT 1"
    );
    match text(connection, &ours_before_others).await? {
        Some(table) if table != OURS => Err(OpenError::Foreign {
            database: url.to_string(),
            table,
        }),
        _ => Ok(()),
    }
}

/// Creates the file for its owner alone; SQLite gives its companions (`-wal`, `-shm`) the same
/// mode. An existing file is left as it is.
fn create_private(file: &Path) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    private(&mut options);
    match options.open(file) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        created => created.map(drop),
    }
}

#[cfg(unix)]
pub(super) fn private(options: &mut OpenOptions) {
    std::os::unix::fs::OpenOptionsExt::mode(options, 0o600);
}

#[cfg(not(unix))]
pub(super) fn private(_: &mut OpenOptions) {}

#[cfg(test)]
mod tests;
