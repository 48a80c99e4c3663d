//! What is MariaDB's alone, and MySQL's, which speaks the same protocol: how a connection is made
//! and bounded, its locks, its error numbers, and what it says of itself.

use sea_orm::{
    AccessMode, DatabaseConnection, DatabaseTransaction, DbErr, IsolationLevel, SqlxMySqlConnector,
    TransactionOptions, TransactionTrait as _,
};
use sqlx::{
    ConnectOptions as _, MySqlPool,
    mysql::{
        MySqlConnectOptions, MySqlConnection, MySqlDatabaseError, MySqlPoolOptions, MySqlSslMode,
    },
};

use super::{
    Options, Quarantine, Verdict,
    position::Position,
    presence::{Locks, Sharing, Taking},
    report::SafeSetting,
    server::bounded_pool,
    url::{Address, Server, TlsMode},
    version,
};
use crate::{OpenError, Unique, waiting};

const OLDEST_MARIADB: &str = "10.11";
const OLDEST_MYSQL: &str = "8.0";

/// What every connection for events is set to. What the two servers call by different names
/// stands in comments that only one of them reads. A statement that passes its bound, or a lock
/// that is not to be had, is an error, behind which the transaction is rolled back whole.
const BOUNDS: &str = "SET SESSION sql_mode = \
     'STRICT_ALL_TABLES,ERROR_FOR_DIVISION_BY_ZERO,NO_ZERO_DATE,NO_ZERO_IN_DATE,NO_ENGINE_SUBSTITUTION', \
     time_zone = '+00:00', innodb_lock_wait_timeout = 2, lock_wait_timeout = 2 \
     /*M! , max_statement_time = 4 */ /*!80000 , max_execution_time = 4000 */; \
     SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED";

/// The same for the one connection of a program that copies: there each statement may take as long
/// as reading or writing many rows does, and the transaction that reads lasts for the whole copy.
const COPY_BOUNDS: &str = "SET SESSION sql_mode = 'STRICT_ALL_TABLES,NO_ENGINE_SUBSTITUTION', \
     time_zone = '+00:00', innodb_lock_wait_timeout = 10, lock_wait_timeout = 10 \
     /*M! , max_statement_time = 120, idle_transaction_timeout = 0, \
     idle_readonly_transaction_timeout = 0, idle_write_transaction_timeout = 0 */ \
     /*!80000 , max_execution_time = 120000 */; \
     SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED";

/// The same for the connection that changes the schema, which takes the time that it takes.
const MIGRATION_BOUNDS: &str = "SET SESSION sql_mode = 'STRICT_ALL_TABLES,NO_ENGINE_SUBSTITUTION', \
     lock_wait_timeout = 10 /*M! , max_statement_time = 0 */";

/// What a connection to a database of another program is set to: one statement reads a whole table, as fast as its
/// rows are taken. The mode of its SQL keeps a backslash from being more than one.
const FOREIGN_BOUNDS: &str = "SET SESSION sql_mode = 'NO_BACKSLASH_ESCAPES', time_zone = '+00:00', \
     net_write_timeout = 3600 /*M! , max_statement_time = 0, idle_transaction_timeout = 0, \
     idle_readonly_transaction_timeout = 0 */ /*!80000 , max_execution_time = 0 */";

/// Asked of a node of a Galera cluster, which says ON. MySQL has no such variable.
const IS_CLUSTER: &str = "SHOW SESSION VARIABLES LIKE 'wsrep_on'";

/// What a connection to such a node is set to besides: what was committed on another one is waited
/// for before something is read. That matters when a node is lost and the next one takes its place.
const CLUSTER_BOUNDS: &str = "SET SESSION wsrep_sync_wait = 1";

/// What makes it one that cannot write.
const READ_ONLY: &str = "SET SESSION TRANSACTION READ ONLY";

/// Our locks are named ones, which are counted for the whole server, so the database is part of
/// their names. In a Galera cluster each node counts its own.
const LOCK_PREFIX: &str = "CONCAT('vestibule.', LEFT(SHA1(DATABASE()), 20), '.', ?)";
/// How long a program waits for another one that changes the schema, in seconds.
const MIGRATION_WAIT: i32 = 600;
/// Named locks have no shared mode, so there are this many for writers and as many for readers:
/// who may work beside others holds one, and who may not holds all.
const PLACES: u32 = 64;

pub(super) fn connect_options(server: &Server) -> MySqlConnectOptions {
    let mut options = MySqlConnectOptions::new()
        .username(&server.user)
        .password(&server.password)
        .database(&server.database)
        .charset("utf8mb4")
        .statement_cache_capacity(server.statement_cache)
        // All of it is set by us, once, when the connection is made.
        .pipes_as_concat(false)
        .no_engine_substitution(false)
        .timezone(None)
        .ssl_mode(match server.tls {
            TlsMode::Disable => MySqlSslMode::Disabled,
            TlsMode::Prefer => MySqlSslMode::Preferred,
            TlsMode::Require => MySqlSslMode::Required,
            TlsMode::VerifyCa => MySqlSslMode::VerifyCa,
            TlsMode::VerifyFull => MySqlSslMode::VerifyIdentity,
        })
        .disable_statement_logging();
    options = match &server.address {
        Address::Tcp(host, port) => options.host(host).port(*port),
        Address::Socket(socket) => options.socket(socket),
    };
    if let Some(file) = &server.root_certificates {
        options = options.ssl_ca(file);
    }
    if let Some((certificate, key)) = &server.client_certificate {
        options = options.ssl_client_cert(certificate).ssl_client_key(key);
    }
    options
}

/// The connections for events, within the bounds of `options` and closed by `quarantine`. The first
/// one is made now.
pub(super) async fn pool(
    server: &Server,
    options: &Options,
    read_only: bool,
    quarantine: &Quarantine,
) -> Result<DatabaseConnection, sqlx::Error> {
    let pool = pool_options(options, read_only, quarantine)
        .connect_with(connect_options(server))
        .await?;
    Ok(SqlxMySqlConnector::from_sqlx_mysql_pool(pool))
}

/// Connections that cannot write, each made when it is first needed.
pub(super) fn lazy_pool(
    server: &Server,
    options: &Options,
    quarantine: &Quarantine,
) -> DatabaseConnection {
    let pool = pool_options(options, true, quarantine).connect_lazy_with(connect_options(server));
    SqlxMySqlConnector::from_sqlx_mysql_pool(pool)
}

fn pool_options(options: &Options, read_only: bool, quarantine: &Quarantine) -> MySqlPoolOptions {
    bounded_pool(options, quarantine).after_connect(move |connection, _| {
        Box::pin(async move {
            sqlx::raw_sql(BOUNDS).execute(&mut *connection).await?;
            if is_cluster(connection).await? {
                sqlx::raw_sql(CLUSTER_BOUNDS)
                    .execute(&mut *connection)
                    .await?;
            }
            if read_only {
                sqlx::raw_sql(READ_ONLY).execute(connection).await?;
            }
            waiting::is_over();
            Ok(())
        })
    })
}

async fn is_cluster(connection: &mut MySqlConnection) -> Result<bool, sqlx::Error> {
    let found = sqlx::query_as(IS_CLUSTER)
        .fetch_optional(connection)
        .await?;
    Ok(found.is_some_and(|(_, value): (String, String)| value == "ON"))
}

/// A connection that reads what another program wrote, in a transaction from [`begin_foreign`].
pub(super) async fn foreign(server: &Server) -> Result<DatabaseConnection, sqlx::Error> {
    let pool = single(server).await?;
    sqlx::raw_sql(FOREIGN_BOUNDS).execute(&pool).await?;
    Ok(SqlxMySqlConnector::from_sqlx_mysql_pool(pool))
}

/// Begins a transaction that reads the database of another program as of one moment.
pub(super) async fn begin_foreign(
    connection: &DatabaseConnection,
) -> Result<DatabaseTransaction, DbErr> {
    let options = TransactionOptions {
        isolation_level: Some(IsolationLevel::RepeatableRead),
        access_mode: Some(AccessMode::ReadOnly),
        ..TransactionOptions::default()
    };
    connection.begin_with_options(options).await
}

/// The one connection of a program that copies.
pub(super) async fn sole(
    server: &Server,
    read_only: bool,
) -> Result<DatabaseConnection, sqlx::Error> {
    let pool = single(server).await?;
    sqlx::raw_sql(COPY_BOUNDS).execute(&pool).await?;
    if read_only {
        sqlx::raw_sql(READ_ONLY).execute(&pool).await?;
    }
    Ok(SqlxMySqlConnector::from_sqlx_mysql_pool(pool))
}

/// The one connection that changes the schema. It holds the lock until it is closed.
pub(super) async fn migrating(server: &Server) -> Result<DatabaseConnection, sqlx::Error> {
    let pool = single(server).await?;
    sqlx::raw_sql(MIGRATION_BOUNDS).execute(&pool).await?;
    let sql = format!("SELECT GET_LOCK({LOCK_PREFIX}, {MIGRATION_WAIT})");
    let lock = sqlx::query_scalar(sqlx::AssertSqlSafe(sql)).bind("migration");
    let is_held: Option<i64> = lock.fetch_one(&pool).await?;
    match is_held {
        Some(1) => Ok(SqlxMySqlConnector::from_sqlx_mysql_pool(pool)),
        _ => Err(sqlx::Error::PoolTimedOut),
    }
}

/// One connection that is kept, and not bounded.
async fn single(server: &Server) -> Result<MySqlPool, sqlx::Error> {
    MySqlPoolOptions::new()
        .max_connections(1)
        .idle_timeout(None)
        .max_lifetime(None)
        .test_before_acquire(false)
        .connect_with(connect_options(server))
        .await
}

/// Takes the locks that say who is at work on the database; they last as long as the connection.
/// `false` when others stand against it.
pub(super) async fn take_presence(
    connection: &mut MySqlConnection,
    sharing: Sharing,
) -> Result<bool, sqlx::Error> {
    let Locks { writers, readers } = sharing.locks();
    for (kind, taking) in [("writer", writers), ("reader", readers)] {
        let is_taken = match taking {
            None => true,
            Some(taking) => take_places(connection, kind, taking).await?,
        };
        if !is_taken {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Takes one of the places of this kind, or all of them.
async fn take_places(
    connection: &mut MySqlConnection,
    kind: &str,
    taking: Taking,
) -> Result<bool, sqlx::Error> {
    for place in 0..PLACES {
        let sql = format!("SELECT GET_LOCK({LOCK_PREFIX}, 0)");
        let lock = sqlx::query_scalar(sqlx::AssertSqlSafe(sql)).bind(format!("{kind}.{place}"));
        let is_free: Option<i64> = lock.fetch_one(&mut *connection).await?;
        match (is_free, taking) {
            (Some(1), Taking::Beside) => return Ok(true),
            (Some(1), Taking::Whole) | (_, Taking::Beside) => {}
            (_, Taking::Whole) => return Ok(false),
        }
    }
    Ok(taking == Taking::Whole)
}

/// Gives those locks back at once.
pub(super) async fn give_back_presence(
    connection: &mut MySqlConnection,
) -> Result<(), sqlx::Error> {
    let unlock = sqlx::raw_sql("DO RELEASE_ALL_LOCKS()");
    unlock.execute(connection).await.map(drop)
}

/// A row when another connection of the same user is at the database. It does not tell which
/// program it belongs to, and those of other users are for privileged ones to see.
pub(super) const ANOTHER_CONNECTION: &str = "SELECT CAST(ID AS CHAR) AS value \
     FROM information_schema.PROCESSLIST WHERE DB = DATABASE() AND ID <> CONNECTION_ID() \
     AND USER = SUBSTRING_INDEX(USER(), '@', 1) LIMIT 1";

/// Refuses a server that is too old.
pub(super) async fn inspect(connection: &mut MySqlConnection) -> Result<(), OpenError> {
    let found: String = sqlx::query_scalar("SELECT VERSION()")
        .fetch_one(&mut *connection)
        .await?;
    let is_mariadb = found.contains("MariaDB");
    let (name, oldest, needed) = match is_mariadb {
        true => ("MariaDB", OLDEST_MARIADB, "MariaDB 10.11"),
        false => ("MySQL", OLDEST_MYSQL, "MySQL 8.0, or MariaDB 10.11"),
    };
    // Behind a proxy a MariaDB may say 5.5.5 first.
    let number = found.strip_prefix("5.5.5-").unwrap_or(&found);
    if version(number) < version(oldest) {
        return Err(OpenError::EngineTooOld {
            found: format!("{name} {found}"),
            needed,
        });
    }
    if !is_mariadb {
        tracing::warn!(
            db.version = found,
            "MySQL is not among the engines that are tested: use MariaDB"
        );
    }
    if is_cluster(connection).await? {
        // Named locks, and waiting for a row, are for the clients of one node.
        tracing::info!(
            "The database is a node of a Galera cluster: every program has to use the same node"
        );
    }
    Ok(())
}

/// The name of a table that stands where ours go, one of ours if there is any.
pub(super) const A_TABLE: &str = "SELECT TABLE_NAME AS value FROM information_schema.TABLES \
     WHERE TABLE_SCHEMA = DATABASE() \
     ORDER BY TABLE_NAME = 'vestibule_migrations' DESC LIMIT 1";

/// A question for the tables of this name; it is one of ours.
pub(super) fn tables_named(name: &str) -> String {
    format!(
        "SELECT TABLE_NAME AS value FROM information_schema.TABLES \
         WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = '{name}'"
    )
}

pub(super) const VERSION: &str = "SELECT CONCAT(/*M! 'MariaDB ', */ /*!80000 'MySQL ', */ \
     SUBSTRING_INDEX(VERSION(), '-', 1)) AS value";

/// The version of TLS on this connection; empty where there is none.
pub(super) const TLS: &str = "SELECT VARIABLE_VALUE AS value FROM \
     /*M! information_schema.SESSION_STATUS */ /*!80000 performance_schema.session_status */ \
     WHERE VARIABLE_NAME = 'Ssl_version'";

/// The settings on which durability rests, each with the question for it and what is safe.
pub(super) const DURABILITY: &[SafeSetting] = &[
    SafeSetting::new(
        "innodb_flush_log_at_trx_commit",
        "SELECT CAST(@@innodb_flush_log_at_trx_commit AS CHAR) AS value",
        &["1"],
    ),
    SafeSetting::new(
        "innodb_doublewrite",
        "SELECT CAST(@@innodb_doublewrite AS CHAR) AS value",
        &["1", "ON"],
    ),
    // With a binary log, that log decides after a crash which transactions there were.
    SafeSetting::new(
        "sync_binlog",
        "SELECT CASE WHEN @@log_bin THEN CAST(@@sync_binlog AS CHAR) ELSE 'no log' END AS value",
        &["1", "no log"],
    ),
];

/// How far the binary log goes, in each of its domains; empty without one.
pub(super) const WRITTEN: &str = "SELECT @@gtid_binlog_pos AS value";

/// How far a replica has come with that log; null on a server that applies nobody's. What the
/// server says of a replica's lag is for privileged users. MySQL has none of these names.
pub(super) const REPLAYED: &str = "SELECT CASE WHEN EXISTS (SELECT 1 \
     FROM information_schema.GLOBAL_STATUS WHERE VARIABLE_NAME = 'SLAVES_RUNNING' \
     AND VARIABLE_VALUE > 0) THEN @@gtid_slave_pos END AS value";

/// Reads a list of global transaction ids, `DOMAIN-SERVER-NUMBER` each. Within a domain their
/// numbers grow, whichever server gives them.
pub(super) fn position(text: &str) -> Option<Position> {
    fn place(id: &str) -> Option<(u32, u64)> {
        let (domain, rest) = id.trim().split_once('-')?;
        let (_server, number) = rest.split_once('-')?;
        Some((domain.parse().ok()?, number.parse().ok()?))
    }
    let ids = text.split(',').filter(|_| !text.is_empty());
    let places = ids.map(place).collect::<Option<Vec<_>>>()?;
    Some(Position::of_strands(places))
}

/// What an error means to whoever runs an event.
pub(super) fn verdict(error: &MySqlDatabaseError) -> Verdict {
    verdict_on(error.number(), error.message())
}

fn verdict_on(number: u16, message: &str) -> Verdict {
    match number {
        1022 | 1062 | 1169 | 1586 => Verdict::Duplicate(violated(message)),
        // Changed since it was read, lock wait time-out, deadlock (with which a node of a Galera
        // cluster also tells that another one was first), too many connections, statement
        // time-outs of both servers, a statement that was cancelled.
        1020 | 1205 | 1213 | 1040 | 1203 | 1969 | 3024 | 1317 => Verdict::Busy,
        // The disk, or the table space, is full; a file or an engine quotes the operating system.
        1021 | 1114 => Verdict::Full,
        1026 | 1030 if quotes_no_space(message) => Verdict::Full,
        _ => Verdict::Other,
    }
}

/// The name of the key stands behind the value, which somebody may have made to look like one.
fn violated(message: &str) -> Option<Unique> {
    let (_, key) = message.rsplit_once(" for key ")?;
    match key.trim_matches('\'').trim_start_matches("users.") {
        "users_email_key" => Some(Unique::UserEmail),
        "users_username_key" => Some(Unique::UserUsername),
        _ => None,
    }
}

/// "No space left on device" by its number, as in `(errno: 28 "…")` and `Got error 28 from`.
fn quotes_no_space(message: &str) -> bool {
    message.contains("errno: 28 ") || message.contains("error 28 ")
}

/// Whether the server has turned us away for something that an operator must change: who we say
/// we are, or the database that we ask for; or the server, where a node of a Galera cluster has no
/// named locks (1235), as in MariaDB 10.11.3.
pub(super) fn is_refusal(error: &MySqlDatabaseError) -> bool {
    matches!(error.number(), 1044 | 1045 | 1049 | 1235 | 1698)
}

#[cfg(test)]
mod tests {
    //! Words of the server that a client may imitate, and numbers that one in order does not send.

    use super::*;

    #[test]
    fn a_full_disk_is_told_from_what_may_pass_and_from_other_failures() {
        let table = "The table 'sessions' is full";
        let file =
            "Error writing file './vestibule/users.MAI' (errno: 28 \"No space left on device\")";
        let engine = "Got error 28 from storage engine InnoDB";
        for (number, message) in [(1021, ""), (1114, table), (1026, file), (1030, engine)] {
            let verdict = verdict_on(number, message);
            assert!(matches!(verdict, Verdict::Full), "{number}");
        }
        for busy in [1020, 1205, 1213, 1040, 1969] {
            assert!(matches!(verdict_on(busy, ""), Verdict::Busy), "{busy}");
        }
        let medium = "Got error 5 \"Input/output error\" from storage engine InnoDB";
        for (number, message) in [(1030, medium), (1053, ""), (1927, "")] {
            let verdict = verdict_on(number, message);
            assert!(matches!(verdict, Verdict::Other), "{number}");
        }
    }

    #[test]
    fn a_name_that_looks_like_a_key_is_not_taken_for_one() {
        let message = "Duplicate entry 'x' for key 'users_username_key'' for key 'users_email_key'";
        assert_eq!(violated(message), Some(Unique::UserEmail));
        let message = "Duplicate entry 'users_email_key' for key 'users.users_username_key'";
        assert_eq!(violated(message), Some(Unique::UserUsername));
        assert_eq!(
            violated("Duplicate entry 'users_email_key' for key 'PRIMARY'"),
            None
        );
    }
}
