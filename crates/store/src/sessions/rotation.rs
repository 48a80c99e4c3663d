//! The rotation of refresh tokens: one is consumed, its consumption repeated, or its second use punished. One conditional
//! UPDATE decides, by the rows that it has changed; on an engine that can, it answers as well.

use std::time::Duration;

use sea_orm::{
    ColumnTrait as _, DatabaseConnection, EntityTrait as _, QueryFilter as _, QuerySelect as _,
    QueryTrait as _, UpdateMany, Value,
    sea_query::{CommonTableExpression, Expr, Query},
};
use uuid::Uuid;

use super::{SignedIn, end, load, session_of, signed_in, signed_in_of};
use crate::{
    Counted, Error, NewAudit, Store, Timestamp, audit,
    engine::{self, Rendered},
    entity::session,
    frequent::{Executes, frequent},
    revocations::RevokingTransaction,
    run::CALL_BOUND,
};

/// The attempt to exchange a refresh token for its successor. The hashes are of the whole token.
#[derive(Clone)]
pub struct Rotation {
    /// The session that the token names.
    pub session: Uuid,
    /// The generation of the presented token.
    pub generation: i64,
    /// The hash of the presented token.
    pub token_hash: Vec<u8>,
    /// The proof of the successor to be, if this attempt wins.
    pub successor: SuccessorProof,
    /// The time of the attempt.
    pub now: Timestamp,
    /// When the session ends if it is not used again.
    pub idle_expires_at: Timestamp,
    /// For how long a consumed token may be presented again.
    pub grace: Duration,
    /// What to record if the token turns out to be used twice.
    pub reuse: NewAudit,
}

/// What the winning rotation stores of the successor, and a repetition needs to make it again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SuccessorProof {
    /// What the successor was derived from, besides the presented token.
    pub nonce: Vec<u8>,
    /// The hash of the successor.
    pub hash: Vec<u8>,
}

/// What came of a [`Rotation`].
#[derive(Debug, PartialEq, Eq)]
pub enum RotationOutcome {
    /// The token was the current one; its successor is now.
    Rotated(SignedIn),
    /// The token was consumed a moment ago and its successor was not used yet: hand out the same
    /// one again.
    Repeated(SignedIn, SuccessorProof),
    /// The token was consumed long ago or its successor was used: the session has ended.
    Reused(Uuid),
    /// A lifetime of the session is over.
    Expired,
    /// The session has ended.
    Ended,
    /// No such token was handed out in the life of this database.
    NeverIssued,
}

impl Store {
    /// Consumes a refresh token, repeats what its consumption gave, or ends the session of a
    /// token that is used twice.
    #[tracing::instrument(target = "traced::store", skip_all)]
    pub async fn rotate(&self, rotation: Rotation) -> Result<Counted<RotationOutcome>, Error> {
        let lost = rotation.clone();
        let event = frequent!(consume, at_once: consume_at_once);
        let won = self.write_often(rotation, event).await?;
        match won {
            Some(signed_in) => Ok(Counted {
                outcome: RotationOutcome::Rotated(signed_in),
                count: None,
            }),
            // What a lost UPDATE means is read in a new transaction: the old one may not see
            // what the winner wrote.
            None => {
                self.revoke(lost, |tx, rotation| Box::pin(explain(tx, rotation)))
                    .await
            }
        }
    }
}

impl Rotation {
    /// For [`CONSUMPTION`].
    fn arguments(&self) -> [Value; 8] {
        [
            self.session.into(),
            self.generation.into(),
            self.token_hash.clone().into(),
            (self.generation + 1).into(),
            self.successor.hash.clone().into(),
            self.successor.nonce.clone().into(),
            self.now.as_micros().into(),
            self.idle_expires_at.as_micros().into(),
        ]
    }
}

/// Consumes the presented token, if it is the current one of a session that stands.
static CONSUMPTION: Rendered<8> =
    Rendered::new(|backend, arguments| consumption(arguments).build(backend));

fn consumption(
    [
        session,
        presented,
        token_hash,
        generation,
        hash,
        nonce,
        now,
        idle_expires_at,
    ]: [Value; 8],
) -> UpdateMany<session::Entity> {
    session::Entity::update_many()
        .col_expr(session::Column::Generation, Expr::value(generation))
        .col_expr(session::Column::TokenHash, Expr::value(hash))
        .col_expr(session::Column::Nonce, Expr::value(nonce))
        .col_expr(session::Column::RotatedAt, Expr::value(now.clone()))
        .col_expr(session::Column::LastUsedAt, Expr::value(now.clone()))
        .col_expr(session::Column::IdleExpiresAt, Expr::value(idle_expires_at))
        .filter(session::Column::Id.eq(session))
        .filter(session::Column::Generation.eq(presented))
        .filter(session::Column::TokenHash.eq(token_hash))
        .filter(session::Column::IdleExpiresAt.gt(now.clone()))
        .filter(session::Column::ExpiresAt.gt(now))
}

/// Does what [`CONSUMPTION`] does, unless it has become late, and answers as [`SIGNED_IN`](super::SIGNED_IN) does then: it asks the rows that
/// it has changed, by the name of their table.
static EXCHANGE: Rendered<8> = Rendered::new(|backend, arguments| {
    let [session, _, _, _, _, _, now, _] = arguments.clone();
    let mut consumption = consumption(arguments).into_query();
    let is_in_time = engine::is_in_time(CALL_BOUND, now);
    consumption.and_where(is_in_time).returning_all();
    let mut consumed = CommonTableExpression::new();
    consumed.table_name(session::Entity).query(consumption);
    let mut question = signed_in(session).into_query();
    backend.build(question.with_cte(Query::with().cte(consumed).to_owned()))
});

async fn consume<E: Executes>(tx: &E, rotation: &Rotation) -> Result<Option<SignedIn>, Error> {
    let consumption = CONSUMPTION.with(tx.backend(), &rotation.arguments());
    match tx.change(consumption).await? {
        0 => Ok(None),
        _ => load(tx, rotation.session).await,
    }
}

/// Where it comes to pass although nobody has heard of it, the hash of the successor tells whose doing it was.
async fn consume_at_once(
    db: &DatabaseConnection,
    rotation: &Rotation,
) -> Result<Option<Option<SignedIn>>, Error> {
    let exchange = EXCHANGE.with(db.get_database_backend(), &rotation.arguments());
    Ok(signed_in_of(db.ask(exchange).await?).map(Some))
}

async fn explain(
    tx: &RevokingTransaction<'_>,
    rotation: &Rotation,
) -> Result<RotationOutcome, Error> {
    let row = session::Entity::find_by_id(rotation.session)
        .lock_exclusive()
        .one(tx)
        .await?;
    let Some(row) = row else {
        return Ok(RotationOutcome::Ended);
    };
    let session = session_of(&row)?;
    if session.is_expired(rotation.now) {
        return Ok(RotationOutcome::Expired);
    }
    if rotation.generation >= row.generation {
        return Ok(RotationOutcome::NeverIssued);
    }
    let is_the_last = rotation.generation + 1 == row.generation;
    if is_the_last && row.token_hash.as_ref() == Some(&rotation.successor.hash) {
        // This very attempt has consumed the token, by a statement whose answer was lost.
        let signed_in = load(tx, session.id).await?;
        return Ok(signed_in.map_or(RotationOutcome::Ended, RotationOutcome::Rotated));
    }
    let repeatable = is_the_last
        && row.rotated_at.is_some_and(|at| {
            rotation.now.saturating_since(Timestamp::from_micros(at)) < rotation.grace
        });
    if let (true, Some(nonce), Some(hash)) = (repeatable, row.nonce, row.token_hash) {
        let signed_in = load(tx, session.id).await?;
        return Ok(signed_in.map_or(RotationOutcome::Ended, |signed_in| {
            RotationOutcome::Repeated(signed_in, SuccessorProof { nonce, hash })
        }));
    }
    end(tx, session::Column::Id.eq(session.id)).await?;
    let reuse = NewAudit {
        subject: Some(session.user),
        ..rotation.reuse.clone()
    };
    audit::insert(tx, &reuse).await?;
    Ok(RotationOutcome::Reused(session.user))
}
