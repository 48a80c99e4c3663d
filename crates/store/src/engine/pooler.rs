//! Poolers in front of PostgreSQL that hand out a connection of the server for one transaction at a time: that there
//! is one, what it breaks, and how statements get through nevertheless.

use sea_orm::{ConnectionTrait as _, DatabaseTransaction};
use sqlx::{
    ConnectOptions as _, Connection as _, Row as _,
    postgres::{PgConnectOptions, PgConnection, PgDatabaseError},
};
use tokio::time::timeout;

use super::{
    postgres,
    server::PATIENCE,
    url::{Server, ServerEngine},
};
use crate::{Error, OpenError};

/// How often two connections are compared. An idle pooler gives the same connection of the server
/// to both at once; a busy one, within a few rounds, another one to either.
const ROUNDS: usize = 3;

/// Whether a statement that was prepared is there when it is executed, which is a message later.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Statements {
    /// Yes.
    Kept,
    /// Within a transaction alone: the pooler in between hands the connection to others, who give
    /// the same names to statements of theirs.
    Forgotten,
}

impl Statements {
    /// As the operator says by not having any kept. sqlx 0.9 prepares them all the same.
    pub(super) fn of(server: &Server) -> Self {
        match (server.engine, server.statement_cache) {
            (ServerEngine::Postgres, 0) => Self::Forgotten,
            _ => Self::Kept,
        }
    }
}

/// Makes the names of all statements free on the connection that this transaction has been given.
pub(crate) async fn forget_statements(transaction: &DatabaseTransaction) -> Result<(), Error> {
    transaction.execute_unprepared("DEALLOCATE ALL").await?;
    Ok(())
}

/// Whether a connection of the server is given to several of ours, so that no lock holds.
pub(super) async fn is_handing_round(server: &Server) -> Result<bool, sqlx::Error> {
    compare(&postgres::connect_options(server), async |connection| {
        // By the simple protocol, which prepares nothing.
        let answer = sqlx::raw_sql(BACKEND).fetch_one(connection).await?;
        answer.try_get(0)
    })
    .await
}

/// Whether statements that different clients prepare meet on a connection of the server, although
/// the operator wants them kept.
pub(super) async fn is_mixing_statements(server: &Server) -> Result<bool, sqlx::Error> {
    if Statements::of(server) == Statements::Forgotten {
        return Ok(false);
    }
    let options = postgres::connect_options(server);
    let compared = compare(&options, async |connection| {
        sqlx::query_scalar(BACKEND).fetch_one(connection).await
    });
    match compared.await {
        Ok(_) => Ok(false),
        Err(error) if is_mixed_up(&error) => Ok(true),
        Err(error) => Err(error),
    }
}

/// What a start ends with where [`is_handing_round`].
pub(super) fn no_lock_holds() -> OpenError {
    unfit(
        "its address leads to a pooler that hands out connections for a transaction at a time, so no lock holds; \
         name an address around it in database.direct_url",
    )
}

/// What a start ends with where [`is_mixing_statements`].
pub(super) fn no_statement_is_kept() -> OpenError {
    unfit(
        "the pooler in front of it knows no prepared statements; add `?statement-cache-capacity=0` to database.url",
    )
}

/// The process of the server that answers.
const BACKEND: &str = "SELECT pg_backend_pid()";

/// Whether two connections of ours are, or become, the same one of the server.
async fn compare(
    options: &PgConnectOptions,
    backend: impl AsyncFn(&mut PgConnection) -> Result<i32, sqlx::Error>,
) -> Result<bool, sqlx::Error> {
    let comparing = async {
        let (mut one, mut other) = (options.connect().await?, options.connect().await?);
        let (first, second) = (backend(&mut one).await?, backend(&mut other).await?);
        let mut is_same = first == second;
        for _ in 1..ROUNDS {
            is_same |= backend(&mut one).await? != first;
            is_same |= backend(&mut other).await? != second;
        }
        one.close().await?;
        other.close().await?;
        Ok(is_same)
    };
    let compared = timeout(PATIENCE, comparing).await;
    compared.unwrap_or(Err(sqlx::Error::PoolTimedOut))
}

/// Whether a statement was prepared by somebody else, or for somebody else.
fn is_mixed_up(error: &sqlx::Error) -> bool {
    let error = error.as_database_error();
    let error = error.and_then(|error| error.try_downcast_ref::<PgDatabaseError>());
    // duplicate_prepared_statement, invalid_sql_statement_name, and a number or types of parameters
    // that are not those of the statement.
    error.is_some_and(|error| matches!(error.code(), "42P05" | "26000" | "08P01"))
}

fn unfit(what: &str) -> OpenError {
    OpenError::Unfit {
        what: what.to_owned(),
    }
}
