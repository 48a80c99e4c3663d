//! What differs between database engines: addresses, connections, error codes, locks on files.
//! Everything else in this crate is written once.

mod backup;
mod report;

use std::{
    fs::{File, OpenOptions, TryLockError},
    io::{self, Read as _},
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use sea_orm::{
    DatabaseConnection, DbErr, FromQueryResult as _, RuntimeErr, SqlErr, SqliteTransactionMode,
    SqlxSqliteConnector, Statement, TransactionOptions,
};
use sqlx::{
    ConnectOptions as _,
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous},
};
use tokio_util::task::TaskTracker;

pub use backup::Restoration;
pub use report::{DurabilitySetting, EngineReport};

use crate::{Error, OpenError, PoolLoad, Store, Unique};

/// 3.51.3 is the first 3.51 with the fix of a WAL reset that could corrupt a database.
const OLDEST_SQLITE: &str = "3.51.3";
/// How long SQLite waits for a lock that another process holds.
const BUSY_TIMEOUT: Duration = Duration::from_secs(2);
/// The disk, or the size that the database may have, is full.
const SQLITE_FULL: u32 = 13;
/// After a checkpoint the write-ahead log is cut to this size, in bytes.
const JOURNAL_SIZE_LIMIT: &str = "67108864";

/// Where the database is. The scheme of the URL picks the engine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DatabaseUrl {
    file: PathBuf,
}

/// Why a database URL cannot be used; the text says what was expected.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct UrlProblem(&'static str);

impl DatabaseUrl {
    /// Reads `sqlite://PATH`; a path after two slashes is relative to the working directory,
    /// after three absolute.
    pub fn parse(url: &str) -> Result<Self, UrlProblem> {
        let path = url
            .strip_prefix("sqlite://")
            .or_else(|| url.strip_prefix("sqlite:"))
            .ok_or(UrlProblem("expected sqlite://PATH"))?;
        if path.contains(":memory:") {
            return Err(UrlProblem(
                "expected a file: a database in memory would lose every account",
            ));
        }
        if path.is_empty() || path.ends_with('/') || path.contains(['?', '#', '\0']) {
            return Err(UrlProblem(
                "expected sqlite://PATH with the path of a file and nothing after it",
            ));
        }
        Ok(Self {
            file: PathBuf::from(path),
        })
    }

    /// The SQLite database in `file`.
    #[must_use]
    pub fn of_file(file: PathBuf) -> Self {
        Self { file }
    }

    /// The file, for checks of its place and mode.
    #[must_use]
    pub fn file(&self) -> &Path {
        &self.file
    }
}

/// The URL without a password.
impl std::fmt::Display for DatabaseUrl {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "sqlite://{}", self.file.display())
    }
}

/// How to connect.
#[derive(Clone, Debug)]
pub struct Options {
    /// The database.
    pub url: DatabaseUrl,
    /// Connections for reading.
    pub max_connections: u32,
    /// How long a call waits for a connection.
    pub acquire_timeout: Duration,
}

/// Held while the database is open, so that what must not happen beside a server can refuse.
pub(crate) struct Presence {
    database: DatabaseUrl,
    _lock: File,
}

/// Held while the schema is read and changed: of two starting programs one goes first.
pub(crate) struct MigrationLock {
    _lock: File,
}

impl Store {
    /// Connects, creating an empty database where there is none (file mode 0600), and refuses
    /// one that is not ours. The schema is left as it is: see [`Store::migrate_up`].
    ///
    /// # Errors
    /// [`OpenError::File`], [`OpenError::Foreign`], [`OpenError::EngineTooOld`], and
    /// [`OpenError::InUse`] beside a program that has it alone.
    pub async fn connect(options: &Options) -> Result<Self, OpenError> {
        inspect(&options.url).await?;
        let lock = presence_file(options.url.file())?;
        held(options.url.file(), lock.try_lock_shared())?;
        Self::connect_with(options, lock).await
    }

    /// Like [`Store::connect`], for work that no other program may see half-done.
    ///
    /// # Errors
    /// [`OpenError::InUse`] while a server or another command has the database open.
    pub async fn connect_alone(options: &Options) -> Result<Self, OpenError> {
        inspect(&options.url).await?;
        let lock = presence_file(options.url.file())?;
        held(options.url.file(), lock.try_lock())?;
        Self::connect_with(options, lock).await
    }

    /// Like [`Store::connect`], to an existing database that is not to be written: every event is
    /// refused with [`Error::ReadOnly`].
    ///
    /// # Errors
    /// As [`Store::connect`].
    pub async fn connect_read_only(options: &Options) -> Result<Self, OpenError> {
        let file = options.url.file();
        inspect(&options.url).await?;
        let lock = presence_file(file)?;
        held(file, lock.try_lock_shared())?;
        let reading = bare(file)
            .read_only(true)
            .pragma("query_only", "ON")
            .pragma("trusted_schema", "OFF");
        let readers = pool(options, reading, options.max_connections.max(1)).await?;
        refuse_old_engine(&readers).await?;
        Ok(Self {
            writer: readers.clone(),
            read_only: true,
            readers,
            tasks: TaskTracker::new(),
            presence: Arc::new(Presence {
                database: options.url.clone(),
                _lock: lock,
            }),
        })
    }

    async fn connect_with(options: &Options, lock: File) -> Result<Self, OpenError> {
        let file = options.url.file();
        create_private(file).map_err(|source| unusable(file, source))?;
        let writer = pool(options, connection(file), 1).await?;
        refuse_old_engine(&writer).await?;
        let reading = connection(file).pragma("query_only", "ON");
        let readers = pool(options, reading, options.max_connections.max(1)).await?;
        Ok(Self {
            writer,
            read_only: false,
            readers,
            tasks: TaskTracker::new(),
            presence: Arc::new(Presence {
                database: options.url.clone(),
                _lock: lock,
            }),
        })
    }

    /// Waits for the right to change the schema.
    pub(crate) async fn migration_lock(&self) -> Result<MigrationLock, OpenError> {
        let file = self.presence.database.file().to_owned();
        let path = file.clone();
        let wait = move || -> io::Result<File> {
            let lock = lock_file(&path, "migration")?;
            lock.lock()?;
            Ok(lock)
        };
        match tokio::task::spawn_blocking(wait).await {
            Ok(Ok(lock)) => Ok(MigrationLock { _lock: lock }),
            Ok(Err(source)) => Err(unusable(&file, source)),
            Err(join) => Err(unusable(&file, io::Error::other(join))),
        }
    }
}

/// A writer takes the write lock at once: a transaction that reads first and writes later would
/// be refused with `SQLITE_BUSY_SNAPSHOT`, without waiting.
pub(crate) fn write_options() -> TransactionOptions {
    TransactionOptions {
        sqlite_transaction_mode: Some(SqliteTransactionMode::Immediate),
        ..TransactionOptions::default()
    }
}

/// Sorts an engine's error into the few kinds that callers tell apart.
pub(crate) fn classify(error: &DbErr) -> Error {
    if let Some(SqlErr::UniqueConstraintViolation(message)) = error.sql_err()
        && let Some(unique) = violated(&message)
    {
        return Error::Taken(unique);
    }
    match sqlite_code(error) {
        // SQLITE_BUSY and SQLITE_LOCKED, with the extended codes in the upper bits.
        Some(code) if matches!(code & 0xff, 5 | 6) => Error::Busy(error.to_string()),
        Some(SQLITE_FULL) => Error::Full(error.to_string()),
        _ if matches!(error, DbErr::ConnectionAcquire(_)) => Error::Busy(error.to_string()),
        _ => Error::Unavailable(error.to_string()),
    }
}

/// What the pool of these connections is doing.
pub(crate) fn load(purpose: &'static str, connections: &DatabaseConnection) -> PoolLoad {
    let pool = connections.get_sqlite_connection_pool();
    PoolLoad {
        purpose,
        open: pool.size(),
        idle: u32::try_from(pool.num_idle()).unwrap_or(u32::MAX),
        most: pool.options().get_max_connections(),
    }
}

/// Whether the database has the table, whose name is one of ours.
pub(crate) async fn has_table(
    connection: &DatabaseConnection,
    table: &'static str,
) -> Result<bool, Error> {
    let sql = format!(
        "SELECT name AS value FROM sqlite_master WHERE type = 'table' AND name = '{table}'"
    );
    Ok(text(connection, &sql).await?.is_some())
}

fn violated(message: &str) -> Option<Unique> {
    [
        ("users.email_key", Unique::UserEmail),
        ("users.username_key", Unique::UserUsername),
    ]
    .into_iter()
    .find_map(|(column, unique)| message.contains(column).then_some(unique))
}

fn sqlite_code(error: &DbErr) -> Option<u32> {
    let (DbErr::Exec(RuntimeErr::SqlxError(cause))
    | DbErr::Query(RuntimeErr::SqlxError(cause))
    | DbErr::Conn(RuntimeErr::SqlxError(cause))) = error
    else {
        return None;
    };
    cause.as_database_error()?.code()?.parse().ok()
}

/// Options that change nothing about the file.
fn bare(file: &Path) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(file)
        .create_if_missing(false)
        .busy_timeout(BUSY_TIMEOUT)
        .disable_statement_logging()
}

/// One connection, to look at a database with.
async fn looking(options: SqliteConnectOptions) -> Result<DatabaseConnection, OpenError> {
    let pool = SqlitePoolOptions::new()
        .max_connections(1)
        .connect_with(options)
        .await?;
    Ok(SqlxSqliteConnector::from_sqlx_sqlite_pool(pool))
}

fn connection(file: &Path) -> SqliteConnectOptions {
    bare(file)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .foreign_keys(true)
        .pragma("trusted_schema", "OFF")
        .pragma("journal_size_limit", JOURNAL_SIZE_LIMIT)
}

/// Opens connections. To change the journal mode, as the first connection to a new file does,
/// SQLite wants the file for itself and does not wait for it; so this does.
async fn pool(
    options: &Options,
    connection: SqliteConnectOptions,
    size: u32,
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
            .connect_with(connection.clone())
            .await;
        match opened {
            Err(error) if is_busy(&error) && attempts_left > 0 => attempts_left -= 1,
            Err(error) => return Err(unusable(options.url.file(), io::Error::other(error))),
            Ok(pool) => break pool,
        }
        tokio::time::sleep(PAUSE).await;
    };
    Ok(SqlxSqliteConnector::from_sqlx_sqlite_pool(pool))
}

/// `SQLITE_BUSY`, with the extended codes in the upper bits.
fn is_busy(error: &sqlx::Error) -> bool {
    let code = error
        .as_database_error()
        .and_then(|error| error.code()?.parse::<u32>().ok());
    code.is_some_and(|code| code & 0xff == 5)
}

/// Looks at what is there on a connection that cannot write, not even the journal mode, which
/// SQLite keeps in the file.
async fn inspect(url: &DatabaseUrl) -> Result<(), OpenError> {
    if !url
        .file()
        .try_exists()
        .map_err(|source| unusable(url.file(), source))?
    {
        return Ok(());
    }
    if !has_header(url.file()).map_err(|source| unusable(url.file(), source))? {
        return Err(OpenError::NotADatabase {
            database: url.to_string(),
        });
    }
    let connection = looking(bare(url.file()).read_only(true)).await?;
    let verdict = refuse_foreign(&connection, url).await;
    connection.close().await.map_err(Error::from)?;
    verdict
}

/// Whether the file begins as every SQLite database does. An empty file is one without a page.
fn has_header(file: &Path) -> io::Result<bool> {
    const HEADER: &[u8] = b"SQLite format 3\0";
    let mut start = Vec::new();
    File::open(file)?
        .take(HEADER.len() as u64)
        .read_to_end(&mut start)?;
    Ok(start.is_empty() || start == HEADER)
}

async fn refuse_old_engine(connection: &DatabaseConnection) -> Result<(), OpenError> {
    let found = text(connection, "SELECT sqlite_version() AS value")
        .await?
        .unwrap_or_default();
    if version(&found) < version(OLDEST_SQLITE) {
        return Err(OpenError::EngineTooOld {
            found,
            needed: OLDEST_SQLITE,
        });
    }
    Ok(())
}

/// Ours is a database that is empty or has our table of migrations, which is always the first.
/// One question, since another program may be making that table at the same moment.
async fn refuse_foreign(
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

async fn text(connection: &DatabaseConnection, sql: &str) -> Result<Option<String>, Error> {
    #[derive(sea_orm::FromQueryResult)]
    struct Row {
        value: String,
    }
    let statement = Statement::from_string(connection.get_database_backend(), sql);
    let row = Row::find_by_statement(statement).one(connection).await?;
    Ok(row.map(|row| row.value))
}

fn version(text: &str) -> Vec<u32> {
    text.split('.')
        .map(|part| part.parse().unwrap_or(0))
        .collect()
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

fn presence_file(database: &Path) -> Result<File, OpenError> {
    lock_file(database, "server").map_err(|source| unusable(database, source))
}

fn held(database: &Path, lock: Result<(), TryLockError>) -> Result<(), OpenError> {
    lock.map_err(|error| match error {
        TryLockError::WouldBlock => OpenError::InUse,
        TryLockError::Error(source) => unusable(database, source),
    })
}

fn lock_file(database: &Path, purpose: &str) -> io::Result<File> {
    let mut name = database.as_os_str().to_owned();
    name.push(format!("-{purpose}.lock"));
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    private(&mut options);
    options.open(name)
}

#[cfg(unix)]
fn private(options: &mut OpenOptions) {
    std::os::unix::fs::OpenOptionsExt::mode(options, 0o600);
}

#[cfg(not(unix))]
fn private(_: &mut OpenOptions) {}

fn unusable(path: &Path, source: io::Error) -> OpenError {
    OpenError::File {
        path: path.to_owned(),
        source,
    }
}

#[cfg(test)]
mod tests;
