//! Poolers in front of PostgreSQL that hand out a connection of the server for one transaction at a time: that there
//! is one, and what it breaks. What must then be configured stands in the errors.

use sqlx::{
    ConnectOptions as _, Connection as _,
    postgres::{PgConnectOptions, PgConnection, PgDatabaseError},
};

use super::{postgres, url::Server};
use crate::OpenError;

/// How often two connections are compared. An idle pooler gives the same connection of the server
/// to both at once; a busy one, within a few rounds, another one to either.
const ROUNDS: usize = 3;

/// Refuses an address for locks and migrations at which they would end up on connections that are
/// handed round: they would be taken by one program, and be held by another.
pub(super) async fn refuse_handing_round(direct: &Server) -> Result<(), OpenError> {
    // Prepared statements are a matter of the other address.
    let options = postgres::connect_options(direct).statement_cache_capacity(0);
    match hands_round(&options).await? {
        false => Ok(()),
        true => Err(unfit(
            "its address leads to a pooler that hands out connections for a transaction at a time, so no lock holds; \
             name an address around it in database.direct_url",
        )),
    }
}

/// Refuses an address for statements behind which the prepared ones of different clients would meet.
pub(super) async fn refuse_mixing_statements(pooled: &Server) -> Result<(), OpenError> {
    match hands_round(&postgres::connect_options(pooled)).await {
        Ok(_) => Ok(()),
        Err(error) if is_mixed_up(&error) => Err(unfit(
            "the pooler in front of it knows no prepared statements; add `?statement-cache-capacity=0` to database.url",
        )),
        Err(error) => Err(error.into()),
    }
}

/// Whether a connection of the server is given to several of ours.
async fn hands_round(options: &PgConnectOptions) -> Result<bool, sqlx::Error> {
    let (mut one, mut other) = (options.connect().await?, options.connect().await?);
    let compared = async {
        let (first, second) = (backend(&mut one).await?, backend(&mut other).await?);
        let mut is_handed_round = first == second;
        for _ in 1..ROUNDS {
            is_handed_round |= backend(&mut one).await? != first;
            is_handed_round |= backend(&mut other).await? != second;
        }
        Ok(is_handed_round)
    };
    let compared = compared.await;
    for connection in [one, other] {
        // That it is gone is all that is wanted of it.
        let _ = connection.close().await;
    }
    compared
}

/// The process of the server that answers.
async fn backend(connection: &mut PgConnection) -> Result<i32, sqlx::Error> {
    let question = sqlx::query_scalar("SELECT pg_backend_pid()");
    question.fetch_one(connection).await
}

/// Whether a statement was prepared by somebody else, or with somebody else.
fn is_mixed_up(error: &sqlx::Error) -> bool {
    let error = error.as_database_error();
    let error = error.and_then(|error| error.try_downcast_ref::<PgDatabaseError>());
    // duplicate_prepared_statement, invalid_sql_statement_name, and what is wrong with the number or
    // types of its parameters.
    error.is_some_and(|error| matches!(error.code(), "42P05" | "26000" | "08P01"))
}

fn unfit(what: &str) -> OpenError {
    OpenError::Unfit {
        what: what.to_owned(),
    }
}
