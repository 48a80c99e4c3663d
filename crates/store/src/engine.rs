//! What differs between database engines: addresses, connections, error codes, locks. Everything
//! else in this crate is written once.

mod backup;
mod catalogue;
pub(crate) mod foreign;
mod mysql;
mod pooler;
mod position;
mod postgres;
mod presence;
mod quarantine;
mod rendered;
mod report;
mod server;
mod sole;
mod sqlite;
#[cfg(test)]
pub(crate) mod tests;
mod url;

use std::{io, path::Path, time::Duration};

use sea_orm::{
    ConnectionTrait, DatabaseConnection, DbBackend, DbErr, FromQueryResult as _, RuntimeErr,
    Statement, TransactionOptions, Value, sea_query::SimpleExpr,
};
use sqlx::{error::DatabaseError, mysql::MySqlDatabaseError, postgres::PgDatabaseError};

pub use self::{
    backup::Restoration,
    report::{DurabilitySetting, EngineReport, Link, MissingBound},
    url::{DatabaseUrl, TlsMode, UrlProblem},
};
pub(crate) use self::{
    catalogue::{has_sparse_indexes, schema_of},
    pooler::{Statements, forget_statements},
    position::{Position, replayed, written},
    presence::Presence,
    quarantine::Quarantine,
    rendered::{Rendered, insertion},
    report::link,
    sole::{Sole, name},
    sqlite::{BareConnection, BareTransactions, BareWriter, FromFile, turn},
};
use self::{presence::Sharing, url::Place};
use crate::{Error, OpenError, PoolLoad, Store, Unique};

/// A kind of database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Engine {
    /// In a file, by the library that is part of the program.
    Sqlite,
    /// A PostgreSQL server.
    Postgres,
    /// A MariaDB server, or one of MySQL.
    MySql,
}

impl Engine {
    /// The one that a URL has for its scheme.
    #[must_use]
    pub fn of_scheme(name: &str) -> Option<Self> {
        match name {
            "sqlite" => Some(Self::Sqlite),
            "postgres" | "postgresql" => Some(Self::Postgres),
            "mysql" | "mariadb" => Some(Self::MySql),
            _ => None,
        }
    }

    pub(crate) fn backend(self) -> DbBackend {
        match self {
            Self::Sqlite => DbBackend::Sqlite,
            Self::Postgres => DbBackend::Postgres,
            Self::MySql => DbBackend::MySql,
        }
    }
}

/// How to connect.
#[derive(Clone, Debug)]
pub struct Options {
    /// The database.
    pub url: DatabaseUrl,
    /// The same database without a pooler in between, for migrations and locks; `url` if `None`.
    pub direct_url: Option<DatabaseUrl>,
    /// Replicas of it, for questions whose answers may be a little old.
    pub replica_urls: Vec<DatabaseUrl>,
    /// How old those may be.
    pub replica_max_lag: Duration,
    /// In place of what the URLs say about encryption.
    pub tls: Option<TlsMode>,
    /// Most connections at a time; for a database in a file, those for reading.
    pub max_connections: u32,
    /// Connections to a server that are kept although nobody needs them.
    pub min_connections: u32,
    /// How long a call waits for a connection.
    pub acquire_timeout: Duration,
    /// After how long without use a connection to a server is closed.
    pub idle_timeout: Duration,
    /// After how long a connection to a server is replaced.
    pub max_lifetime: Duration,
    /// For how long a server that is not up is tried again.
    pub startup_timeout: Duration,
}

impl Options {
    /// With the defaults of the settings, but for a server that must be up.
    #[must_use]
    pub fn new(url: DatabaseUrl) -> Self {
        Self {
            url,
            direct_url: None,
            replica_urls: Vec::new(),
            replica_max_lag: Duration::from_secs(5),
            tls: None,
            max_connections: 10,
            min_connections: 0,
            acquire_timeout: Duration::from_secs(3),
            idle_timeout: Duration::from_mins(10),
            max_lifetime: Duration::from_hours(1),
            startup_timeout: Duration::ZERO,
        }
    }
}

impl Store {
    /// Connects, and refuses a database that is not ours. In a file, an empty database is made
    /// where there is none (file mode 0600); on a server it must exist. The schema is left as it
    /// is: see [`Store::migrate_up`].
    ///
    /// # Errors
    /// [`OpenError::File`], [`OpenError::Foreign`], [`OpenError::EngineTooOld`], for a server
    /// [`OpenError::Refused`] and, when the time is over, [`OpenError::Unreachable`]; and
    /// [`OpenError::InUse`] beside a program that has it alone.
    pub async fn connect(options: &Options) -> Result<Self, OpenError> {
        open(options, Sharing::Shared).await
    }

    /// Like [`Store::connect`], for work that no other program may see half-done.
    ///
    /// # Errors
    /// [`OpenError::InUse`] while a server or another command has the database open.
    pub async fn connect_alone(options: &Options) -> Result<Self, OpenError> {
        open(options, Sharing::Alone).await
    }

    /// Like [`Store::connect`], to an existing database that is not to be written: every event is
    /// refused with [`Error::ReadOnly`].
    ///
    /// # Errors
    /// As [`Store::connect`].
    pub async fn connect_read_only(options: &Options) -> Result<Self, OpenError> {
        open(options, Sharing::Reading).await
    }
}

async fn open(options: &Options, sharing: Sharing) -> Result<Store, OpenError> {
    let store = match &options.url.0 {
        Place::File(file) => sqlite::open(options, file, sharing).await,
        Place::Server(server) => server::open(options, server, sharing).await,
    }?;
    let database = options.url.to_string();
    if let Err(refusal) = store.refuse_unfinished_copy(&database).await {
        store.close().await;
        return Err(refusal);
    }
    Ok(store)
}

/// How a transaction that writes begins. Servers have nothing to add.
pub(crate) fn write_options() -> TransactionOptions {
    sqlite::write_options()
}

/// Whether one statement can change rows and answer with what has become of them, and is a transaction by itself.
pub(crate) fn answers_changes(db: &DatabaseConnection, statements: Statements) -> bool {
    let is_able = db.get_database_backend() == DbBackend::Postgres;
    is_able && statements == Statements::Kept
}

/// Whether a statement on a server that [`answers_changes`] is early enough to be through within `bound`, by the clock of
/// that server. `since` is when it was asked for, in microseconds since 1970.
pub(crate) fn is_in_time(bound: Duration, since: Value) -> SimpleExpr {
    postgres::is_in_time(bound, since)
}

/// What an engine's error means to whoever runs an event.
#[derive(Clone, Copy)]
enum Verdict {
    /// Something is unique, and was there already; what, if it is a name that callers know.
    Duplicate(Option<Unique>),
    /// Others were in the way; the same may succeed in a moment.
    Busy,
    /// The pool gave no connection in time.
    NoConnection,
    /// There is no room left.
    Full,
    Other,
}

/// Sorts an engine's error into the few kinds that callers tell apart.
pub(crate) fn classify(error: &DbErr) -> Error {
    error_of(verdict(error), error.to_string())
}

/// What a verdict is to callers, who may be told what the engine has said.
fn error_of(verdict: Verdict, said: String) -> Error {
    match verdict {
        Verdict::Duplicate(Some(unique)) => Error::Taken(unique),
        // Whatever else is unique, another transaction has made at the same moment. Run again, the
        // event will find it. The engine's words would repeat the value.
        Verdict::Duplicate(None) => Error::Busy("another transaction has made the same".into()),
        Verdict::Busy => Error::Busy(said),
        Verdict::NoConnection => Error::NoConnection(said),
        Verdict::Full => Error::Full(said),
        Verdict::Other => Error::Unavailable(said),
    }
}

/// Whether the engine refuses what a statement says, such as a value that it cannot keep, and has
/// not failed to run it.
pub(crate) fn is_refusal(error: &DbErr) -> bool {
    let is_about_the_value = matches!(verdict(error), Verdict::Other | Verdict::Duplicate(_));
    is_about_the_value && answer(error).is_some()
}

/// The engine's own answer, where the error is one.
fn answer(error: &DbErr) -> Option<&dyn DatabaseError> {
    match error {
        DbErr::Exec(RuntimeErr::SqlxError(cause))
        | DbErr::Query(RuntimeErr::SqlxError(cause))
        | DbErr::Conn(RuntimeErr::SqlxError(cause)) => cause.as_database_error(),
        _ => None,
    }
}

fn verdict(error: &DbErr) -> Verdict {
    if matches!(error, DbErr::ConnectionAcquire(_)) {
        return Verdict::NoConnection;
    }
    let Some(error) = answer(error) else {
        return Verdict::Other;
    };
    if let Some(error) = error.try_downcast_ref::<PgDatabaseError>() {
        return postgres::verdict(error);
    }
    match error.try_downcast_ref::<MySqlDatabaseError>() {
        Some(error) => mysql::verdict(error),
        None => sqlite::verdict(error),
    }
}

/// What the connections of `pool` are for: on a server for all, beside those to its replicas; for a
/// database in a file, `in_file`.
pub(crate) fn purpose(pool: &DatabaseConnection, in_file: &'static str) -> &'static str {
    match pool.get_database_backend() {
        DbBackend::Sqlite => in_file,
        _ => "all",
    }
}

/// What the pools of a store are doing, each with what its connections are for.
pub(crate) fn load(store: &Store) -> Vec<PoolLoad> {
    fn of<DB: sqlx::Database>(purpose: &'static str, pool: &sqlx::Pool<DB>) -> PoolLoad {
        PoolLoad {
            purpose,
            open: pool.size(),
            idle: u32::try_from(pool.num_idle()).unwrap_or(u32::MAX),
            most: pool.options().get_max_connections(),
        }
    }
    let on_server = |purpose, pool: &DatabaseConnection| match pool.get_database_backend() {
        DbBackend::Postgres => of(purpose, pool.get_postgres_connection_pool()),
        _ => of(purpose, pool.get_mysql_connection_pool()),
    };
    let (writer, readers) = (&store.writer, &store.readers);
    if writer.get_database_backend() == DbBackend::Sqlite {
        return vec![
            of("write", writer.get_sqlite_connection_pool()),
            of("read", readers.get_sqlite_connection_pool()),
        ];
    }
    let replicas = store
        .replicas
        .pools()
        .map(|pool| on_server("replica", pool));
    let replicas = replicas.reduce(|sum, pool| PoolLoad {
        purpose: sum.purpose,
        open: sum.open + pool.open,
        idle: sum.idle + pool.idle,
        most: sum.most + pool.most,
    });
    [on_server("all", writer)]
        .into_iter()
        .chain(replicas)
        .collect()
}

/// Whether the database has the table, whose name is one of ours.
pub(crate) async fn has_table(
    connection: &impl ConnectionTrait,
    table: &'static str,
) -> Result<bool, Error> {
    let sql = match connection.get_database_backend() {
        DbBackend::Postgres => postgres::tables_named(table),
        DbBackend::MySql => mysql::tables_named(table),
        _ => sqlite::tables_named(table),
    };
    Ok(text(connection, &sql).await?.is_some())
}

async fn text(connection: &impl ConnectionTrait, sql: &str) -> Result<Option<String>, Error> {
    #[derive(sea_orm::FromQueryResult)]
    struct Row {
        value: Option<String>,
    }
    let statement = Statement::from_string(connection.get_database_backend(), sql);
    let row = Row::find_by_statement(statement).one(connection).await?;
    Ok(row.and_then(|row| row.value))
}

/// The numbers of a version, up to what is not one.
fn version(text: &str) -> Vec<u32> {
    text.split('.')
        .map(|part| part.parse().unwrap_or(0))
        .collect()
}

fn unusable(path: &Path, source: io::Error) -> OpenError {
    OpenError::File {
        path: path.to_owned(),
        source,
    }
}

impl From<sqlx::Error> for OpenError {
    fn from(error: sqlx::Error) -> Self {
        Error::Unavailable(error.to_string()).into()
    }
}
