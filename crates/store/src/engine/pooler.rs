//! Poolers in front of PostgreSQL that hand out a connection of the server for one transaction at a time: that there
//! is one, what it breaks, and how statements get through nevertheless.

use sea_orm::{ConnectionTrait as _, DatabaseTransaction};
use sqlx::{
    ConnectOptions as _, Connection as _, Row as _,
    postgres::{PgConnection, PgDatabaseError},
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

/// Whether the connection of the server behind `one` is given to others of ours, too, so that no lock
/// holds.
pub(super) async fn is_handed_round(
    one: &mut PgConnection,
    server: &Server,
) -> Result<bool, sqlx::Error> {
    let comparing = async {
        let mut other = postgres::connect_options(server).connect().await?;
        let is_same = compare(one, &mut other, async |connection| {
            // By the simple protocol, which prepares nothing.
            let answer = sqlx::raw_sql(BACKEND).fetch_one(connection).await?;
            answer.try_get(0)
        });
        let is_same = is_same.await?;
        other.close().await?;
        Ok(is_same)
    };
    let compared = timeout(PATIENCE, comparing).await;
    compared.unwrap_or(Err(sqlx::Error::PoolTimedOut))
}

/// Whether statements that different clients prepare meet on a connection of the server, although
/// the operator wants them kept.
pub(super) async fn is_mixing_statements(server: &Server) -> Result<bool, sqlx::Error> {
    if Statements::of(server) == Statements::Forgotten {
        return Ok(false);
    }
    let options = postgres::connect_options(server);
    let comparing = async {
        let (mut one, mut other) = (options.connect().await?, options.connect().await?);
        let is_same = compare(&mut one, &mut other, async |connection| {
            sqlx::query_scalar(BACKEND).fetch_one(connection).await
        });
        is_same.await?;
        one.close().await?;
        other.close().await
    };
    match timeout(PATIENCE, comparing).await {
        Ok(Ok(())) => Ok(false),
        Ok(Err(error)) if is_mixed_up(&error) => Ok(true),
        Ok(Err(error)) => Err(error),
        Err(_) => Err(sqlx::Error::PoolTimedOut),
    }
}

/// What a start ends with where a connection [`is_handed_round`].
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
    one: &mut PgConnection,
    other: &mut PgConnection,
    backend: impl AsyncFn(&mut PgConnection) -> Result<i32, sqlx::Error>,
) -> Result<bool, sqlx::Error> {
    let (first, second) = (backend(one).await?, backend(other).await?);
    let mut is_same = first == second;
    for _ in 1..ROUNDS {
        is_same |= backend(one).await? != first;
        is_same |= backend(other).await? != second;
    }
    Ok(is_same)
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
