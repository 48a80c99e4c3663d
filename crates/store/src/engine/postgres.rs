//! What is PostgreSQL's alone: how a connection is made and bounded, its locks, its error codes,
//! and what it says of itself.

use std::time::Duration;

use sea_orm::{
    ConnectionTrait as _, DatabaseConnection, DatabaseTransaction, DbErr, SqlxPostgresConnector,
    TransactionTrait as _, Value,
    sea_query::{Expr, SimpleExpr},
};
use sqlx::{
    ConnectOptions as _, PgPool,
    postgres::{PgConnectOptions, PgConnection, PgDatabaseError, PgPoolOptions, PgSslMode},
};

use super::{
    Options, Quarantine, Verdict,
    position::Position,
    presence::{Locks, Sharing, Taking},
    report::SafeSetting,
    server::bounded_pool,
    url::{Address, Server, TlsMode},
};
use crate::{OpenError, Unique, waiting};

/// The oldest release that the tests run on, as `server_version_num` gives it.
const OLDEST: u32 = 150_000;
/// The first key of our advisory locks, "vest" in ASCII; the second says what for. They are
/// counted apart for each database.
const LOCKS: i32 = 0x7665_7374;
const MIGRATION: i32 = 1;
const WRITERS: i32 = 2;
const READERS: i32 = 3;

/// What every connection for events is set to: no statement, lock or forgotten transaction holds
/// it for long, and the server notices a peer that is gone. The server ends what passes a bound. A transaction sees what
/// was committed before each of its statements, or is serializable, as the operator will; where it saw what was there when
/// it began, who ends all sessions would miss one that was opened while it waited for the user.
const BOUNDS: &str = "SET statement_timeout = '4s'; SET lock_timeout = '2s'; \
     SET idle_in_transaction_session_timeout = '10s'; SET TIME ZONE 'UTC'; \
     SET tcp_keepalives_idle = 10; SET tcp_keepalives_interval = 5; SET tcp_keepalives_count = 3; \
     SELECT set_config('default_transaction_isolation', 'read committed', false) \
     WHERE current_setting('default_transaction_isolation') = 'repeatable read'";

/// The `lock_timeout` of [`BOUNDS`].
const LOCK_BOUND: Duration = Duration::from_secs(2);

/// The same for the one connection of a program that copies: there each statement may take as long
/// as reading or writing many rows does, and the transaction that reads lasts for the whole copy.
const COPY_BOUNDS: &str = "SET statement_timeout = '2min'; SET lock_timeout = '10s'; \
     SET idle_in_transaction_session_timeout = 0; SET TIME ZONE 'UTC'; \
     SET tcp_keepalives_idle = 10; SET tcp_keepalives_interval = 5; SET tcp_keepalives_count = 3";

/// How a transaction on a database of another program goes on when it has begun: one statement reads a whole table, as
/// fast as its rows are taken. Nothing is set beyond the transaction, as the connection may be one of a pooler, which
/// gives it to that program next; and what was prepared on it before has the names of our statements.
const FOREIGN_BOUNDS: &str = "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY; \
     SET LOCAL statement_timeout = 0; SET LOCAL idle_in_transaction_session_timeout = 0; \
     SET LOCAL TIME ZONE 'UTC'; SET LOCAL DateStyle = 'ISO, YMD'; DEALLOCATE ALL";

/// Those of them that must be the role's own behind a pooler: each is off by default.
pub(super) const ROLE_BOUNDS: [(&str, &str); 3] = [
    ("statement_timeout", "4s"),
    ("lock_timeout", "2s"),
    ("idle_in_transaction_session_timeout", "10s"),
];

/// Whether a statement comes to its row early enough to be through within `bound` of a time in microseconds since 1970. It
/// may wait for the row from then on, and is asked again only if the row was changed meanwhile.
pub(super) fn is_in_time(bound: Duration, since: Value) -> SimpleExpr {
    let start = Value::from(bound.saturating_sub(LOCK_BOUND).as_secs_f64());
    Expr::cust_with_values(
        "clock_timestamp() < to_timestamp($1::float8 / 1000000) + make_interval(secs => $2)",
        [since, start],
    )
}

/// What makes it one that cannot write.
const READ_ONLY: &str = "SET default_transaction_read_only = on";

pub(super) fn connect_options(server: &Server) -> PgConnectOptions {
    let mut options = PgConnectOptions::new_without_pgpass()
        .username(&server.user)
        .password(&server.password)
        .database(&server.database)
        .application_name("vestibule")
        .statement_cache_capacity(server.statement_cache)
        // Transaction poolers refuse the start-up parameter; no column of ours is a float.
        .extra_float_digits(None)
        .ssl_mode(match server.tls {
            TlsMode::Disable => PgSslMode::Disable,
            TlsMode::Prefer => PgSslMode::Prefer,
            TlsMode::Require => PgSslMode::Require,
            TlsMode::VerifyCa => PgSslMode::VerifyCa,
            TlsMode::VerifyFull => PgSslMode::VerifyFull,
        })
        .disable_statement_logging();
    options = match &server.address {
        Address::Tcp(host, port) => options.host(host).port(*port),
        Address::Socket(folder) => options.socket(folder),
    };
    if let Some(file) = &server.root_certificates {
        options = options.ssl_root_cert(file);
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
    // What is set on a connection of a pooler stays there, for whoever is given it next.
    let read_only = read_only && options.direct_url.is_none();
    let pool = pool_options(options, read_only, quarantine)
        .connect_with(connect_options(server))
        .await?;
    Ok(SqlxPostgresConnector::from_sqlx_postgres_pool(pool))
}

/// Connections that cannot write, each made when it is first needed.
pub(super) fn lazy_pool(
    server: &Server,
    options: &Options,
    quarantine: &Quarantine,
) -> DatabaseConnection {
    let pool = pool_options(options, true, quarantine).connect_lazy_with(connect_options(server));
    SqlxPostgresConnector::from_sqlx_postgres_pool(pool)
}

fn pool_options(options: &Options, read_only: bool, quarantine: &Quarantine) -> PgPoolOptions {
    bounded_pool(options, quarantine).after_connect(move |connection, _| {
        Box::pin(async move {
            sqlx::raw_sql(BOUNDS).execute(&mut *connection).await?;
            if read_only {
                sqlx::raw_sql(READ_ONLY).execute(connection).await?;
            }
            waiting::is_over();
            Ok(())
        })
    })
}

/// A connection that reads what another program wrote, in a transaction from [`begin_foreign`].
pub(super) async fn foreign(server: &Server) -> Result<DatabaseConnection, sqlx::Error> {
    let pool = single(server).await?;
    Ok(SqlxPostgresConnector::from_sqlx_postgres_pool(pool))
}

/// Begins a transaction that reads the database of another program as of one moment.
pub(super) async fn begin_foreign(
    connection: &DatabaseConnection,
) -> Result<DatabaseTransaction, DbErr> {
    let transaction = connection.begin().await?;
    transaction.execute_unprepared(FOREIGN_BOUNDS).await?;
    Ok(transaction)
}

/// Ends it, and leaves no statement of ours behind for whoever is given the connection next.
pub(super) async fn end_foreign(transaction: DatabaseTransaction) -> Result<(), DbErr> {
    let forgotten = transaction.execute_unprepared("DEALLOCATE ALL").await;
    transaction.rollback().await?;
    forgotten.map(drop)
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
    Ok(SqlxPostgresConnector::from_sqlx_postgres_pool(pool))
}

/// The one connection that changes the schema. It holds the lock until it is closed, and takes
/// the time that it takes; what keeps a table in use makes it fail, not wait for ever.
pub(super) async fn migrating(server: &Server) -> Result<DatabaseConnection, sqlx::Error> {
    let pool = single(server).await?;
    let prepared = async {
        sqlx::raw_sql("SET lock_timeout = '10min'")
            .execute(&pool)
            .await?;
        sqlx::query("SELECT pg_advisory_lock($1, $2)")
            .bind(LOCKS)
            .bind(MIGRATION)
            .execute(&pool)
            .await?;
        sqlx::raw_sql("SET lock_timeout = '10s'")
            .execute(&pool)
            .await
    };
    prepared.await?;
    Ok(SqlxPostgresConnector::from_sqlx_postgres_pool(pool))
}

/// One connection that is kept, and not bounded.
async fn single(server: &Server) -> Result<PgPool, sqlx::Error> {
    PgPoolOptions::new()
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
    connection: &mut PgConnection,
    sharing: Sharing,
) -> Result<bool, sqlx::Error> {
    let Locks { writers, readers } = sharing.locks();
    for (lock, taking) in [(WRITERS, writers), (READERS, readers)] {
        let sql = match taking {
            None => continue,
            Some(Taking::Beside) => "SELECT pg_try_advisory_lock_shared($1, $2)",
            Some(Taking::Whole) => "SELECT pg_try_advisory_lock($1, $2)",
        };
        let asked = sqlx::query_scalar(sql).bind(LOCKS).bind(lock);
        if !asked.fetch_one(&mut *connection).await? {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Gives those locks back at once.
pub(super) async fn give_back_presence(connection: &mut PgConnection) -> Result<(), sqlx::Error> {
    let unlock = sqlx::raw_sql("SELECT pg_advisory_unlock_all()");
    unlock.execute(connection).await.map(drop)
}

/// A row when another connection of a program like this one is at the database.
pub(super) const ANOTHER_CONNECTION: &str = "SELECT pid::text AS value FROM pg_stat_activity \
     WHERE datname = current_database() AND application_name = 'vestibule' \
     AND pid <> pg_backend_pid() LIMIT 1";

/// Refuses a server or a database that is not fit.
pub(super) async fn inspect(connection: &mut PgConnection) -> Result<(), OpenError> {
    let version: String = ask(connection, "SHOW server_version_num").await?;
    if version.parse().unwrap_or(0) < OLDEST {
        return Err(OpenError::EngineTooOld {
            found: format!(
                "PostgreSQL {}",
                ask(connection, "SHOW server_version").await?
            ),
            needed: "PostgreSQL 15",
        });
    }
    let encoding = ask(connection, "SHOW server_encoding").await?;
    if encoding != "UTF8" {
        return Err(OpenError::Unfit {
            what: format!("its encoding is {encoding}, and must be UTF8"),
        });
    }
    Ok(())
}

/// The name of a table that stands where ours go, one of ours if there is any. Tables of
/// extensions do not count.
pub(super) const A_TABLE: &str = "SELECT relname::text AS value FROM pg_class \
     WHERE relnamespace = current_schema()::regnamespace AND relkind IN ('r', 'p', 'v', 'm', 'f') \
     AND NOT EXISTS (SELECT 1 FROM pg_depend WHERE objid = pg_class.oid AND deptype = 'e') \
     ORDER BY relname = 'vestibule_migrations' DESC LIMIT 1";

/// A question for the tables of this name; it is one of ours.
pub(super) fn tables_named(name: &str) -> String {
    format!(
        "SELECT tablename::text AS value FROM pg_tables \
         WHERE schemaname = current_schema() AND tablename = '{name}'"
    )
}

pub(super) const VERSION: &str =
    "SELECT 'PostgreSQL ' || current_setting('server_version') AS value";

/// The version of TLS on this connection; no row where there is none.
pub(super) const TLS: &str =
    "SELECT version AS value FROM pg_stat_ssl WHERE pid = pg_backend_pid() AND ssl";

/// The settings on which durability rests, each with the question for it and what is safe.
pub(super) const DURABILITY: &[SafeSetting] = &[
    SafeSetting::new("fsync", "SELECT current_setting('fsync') AS value", &["on"]),
    SafeSetting::new(
        "full_page_writes",
        "SELECT current_setting('full_page_writes') AS value",
        &["on"],
    ),
    SafeSetting::new(
        "synchronous_commit",
        "SELECT current_setting('synchronous_commit') AS value",
        // Each of them waits for the disk of this server at least.
        &["on", "local", "remote_write", "remote_apply"],
    ),
];

/// How far the write-ahead log goes: behind every commit that somebody was told of, but with
/// `synchronous_commit` off for those of the last moments.
pub(super) const WRITTEN: &str = "SELECT pg_current_wal_lsn()::text AS value";

/// How far a standby has replayed that log; null on a server that is none. The server's own measure
/// of lag grows while a primary has nothing to say, and its columns about the connection to the
/// primary are for privileged roles.
pub(super) const REPLAYED: &str = "SELECT CASE WHEN pg_is_in_recovery() \
     THEN pg_last_wal_replay_lsn()::text END AS value";

/// Reads a `pg_lsn`: two halves of 32 bits, in hexadecimal digits.
pub(super) fn position(text: &str) -> Option<Position> {
    let (high, low) = text.split_once('/')?;
    let half = |digits| u32::from_str_radix(digits, 16).ok().map(u64::from);
    Some(Position::single(half(high)? << 32 | half(low)?))
}

/// What an error means to whoever runs an event.
pub(super) fn verdict(error: &PgDatabaseError) -> Verdict {
    verdict_on(error.code(), error.constraint())
}

fn verdict_on(code: &str, constraint: Option<&str>) -> Verdict {
    match code {
        "23505" => Verdict::Duplicate(constraint.and_then(|name| match name {
            "users_email_key" => Some(Unique::UserEmail),
            "users_username_key" => Some(Unique::UserUsername),
            _ => None,
        })),
        // Serialization failure, deadlock, lock and statement time-outs, too many connections.
        "40001" | "40P01" | "55P03" | "57014" | "53300" => Verdict::Busy,
        // disk_full
        "53100" => Verdict::Full,
        _ => Verdict::Other,
    }
}

/// Whether the server has turned us away for something that an operator must change: who we say
/// we are, or the database that we ask for.
pub(super) fn is_refusal(error: &PgDatabaseError) -> bool {
    matches!(error.code(), "28000" | "28P01" | "3D000" | "42501")
}

async fn ask(connection: &mut PgConnection, sql: &'static str) -> Result<String, sqlx::Error> {
    sqlx::query_scalar(sql).fetch_one(connection).await
}

#[cfg(test)]
mod tests {
    //! Codes that a server in order does not send.

    use super::*;

    #[test]
    fn a_full_disk_is_told_from_what_may_pass_and_from_a_server_that_is_going_down() {
        assert!(matches!(verdict_on("53100", None), Verdict::Full));
        for busy in ["40001", "40P01", "55P03", "57014", "53300"] {
            assert!(matches!(verdict_on(busy, None), Verdict::Busy), "{busy}");
        }
        for other in ["57P01", "57P03", "53200", "XX000"] {
            assert!(matches!(verdict_on(other, None), Verdict::Other), "{other}");
        }
    }
}
