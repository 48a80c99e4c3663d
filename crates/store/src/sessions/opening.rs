//! The opening of sessions: an account has only so many, and whoever has all of them opens one in the place of others. How
//! they are refreshed is left to `rotation.rs`, and how they end to `sessions.rs`.

use sea_orm::{
    ColumnTrait as _, EntityTrait as _, QueryFilter as _, QueryOrder as _, QuerySelect as _,
    QueryTrait as _, sea_query::ExprTrait as _,
};
use uuid::Uuid;

use super::{SessionKind, end};
use crate::{
    Counted, Error, NewAudit, Store, Timestamp, User, audit,
    engine::{Rendered, insertion},
    entity::session,
    frequent::{Cells, Executes, FromRow, Row, frequent},
    revocations::{Revoking, RevokingTransaction},
    users,
};

/// How many sessions an account has at the most, those too whose lifetimes are over until they are removed: as many as a
/// call can end, and a list can show.
pub const SESSIONS_OF_A_USER: u64 = 1_000;
/// How many a login ends where an account has as many as it may: more than one, so that a program that logs in for each of
/// its requests is no revocation each time.
const DISPLACED: u64 = 100;

/// A session to open.
#[derive(Clone)]
pub struct NewSession {
    /// Its id, a UUIDv7.
    pub id: Uuid,
    /// Whose it is.
    pub user: Uuid,
    /// What the device will hold.
    pub kind: SessionKind,
    /// The hash of the first refresh token, for [`SessionKind::Token`].
    pub token_hash: Option<Vec<u8>>,
    /// When it is opened.
    pub created_at: Timestamp,
    /// When it ends if it is not used.
    pub idle_expires_at: Timestamp,
    /// When it ends however much it is used.
    pub expires_at: Timestamp,
    /// The network address of the device.
    pub address: Option<String>,
    /// What the device says that it is.
    pub user_agent: Option<String>,
}

/// What came of [`Store::open_session`].
#[derive(Debug, PartialEq, Eq)]
pub enum Opening {
    /// The session is open, for this user.
    Opened(User),
    /// The account is gone or disabled, or its password is not the one that was checked.
    Stale,
}

impl Store {
    /// Opens a session for an account that is still as the caller saw it: active, and with the
    /// password hash `seen_hash`. `stronger_hash`, a hash of the same password, replaces it. Where the
    /// account has [as many](SESSIONS_OF_A_USER) as it may, those that have expired or were used
    /// longest ago end, and `displacement` is recorded too. A session with tokens is used when it
    /// is opened or refreshed.
    #[tracing::instrument(target = "traced::store", skip_all)]
    pub async fn open_session(
        &self,
        session: NewSession,
        seen_hash: String,
        stronger_hash: Option<String>,
        audit: NewAudit,
        displacement: NewAudit,
    ) -> Result<Counted<Opening>, Error> {
        let arguments = (session, seen_hash, stronger_hash, audit);
        match self
            .write_often(arguments.clone(), frequent!(open_if_there_is_room))
            .await?
        {
            Some(outcome) => Ok(Counted {
                outcome,
                count: None,
            }),
            None => {
                let opening = self.revoke(
                    (arguments, displacement),
                    |tx, (arguments, displacement)| {
                        Box::pin(open_and_displace(tx, arguments, displacement))
                    },
                );
                let Counted { outcome, count } = opening.await?;
                Ok(Counted {
                    outcome: outcome.opening,
                    count,
                })
            }
        }
    }
}

/// What [`Store::open_session`] is given, but for the record of a displacement.
type OpeningArguments = (NewSession, String, Option<String>, NewAudit);

/// Opens the session for who is still as the caller saw them; `None`, and no change, where they have as many as they may.
async fn open_if_there_is_room<E: Executes>(
    tx: &E,
    arguments: &OpeningArguments,
) -> Result<Option<Opening>, Error> {
    let (session, seen, ..) = arguments;
    let Some(user) = users::find_as_seen(tx, session.user, Some(seen)).await? else {
        return Ok(Some(Opening::Stale));
    };
    if !is_there_room(tx, session.user).await? {
        return Ok(None);
    }
    open(tx, arguments).await?;
    Ok(Some(Opening::Opened(user)))
}

/// What came of a login that has found no room, and whether it has displaced others.
struct Displacing {
    opening: Opening,
    has_displaced: bool,
}

impl Revoking for Displacing {
    fn revokes(&self) -> bool {
        self.has_displaced
    }
}

/// Opens the session for who is still as the caller saw them, and ends those that they have used longest ago; unless
/// another login has made room meanwhile.
async fn open_and_displace(
    tx: &RevokingTransaction<'_>,
    arguments: &OpeningArguments,
    displacement: &NewAudit,
) -> Result<Displacing, Error> {
    let (session, seen, ..) = arguments;
    let Some(user) = users::find_as_seen(tx, session.user, Some(seen)).await? else {
        return Ok(Displacing {
            opening: Opening::Stale,
            has_displaced: false,
        });
    };
    let has_displaced =
        !is_there_room(tx, session.user).await? && displace(tx, session, displacement).await?;
    open(tx, arguments).await?;
    Ok(Displacing {
        opening: Opening::Opened(user),
        has_displaced,
    })
}

/// Ends sessions of the user of `new`: those that have expired when it opens, then those used longest ago. `false`, and no
/// record, when none was left.
async fn displace(
    tx: &RevokingTransaction<'_>,
    new: &NewSession,
    displacement: &NewAudit,
) -> Result<bool, Error> {
    let now = new.created_at.as_micros();
    let is_open = session::Column::IdleExpiresAt
        .gt(now)
        .and(session::Column::ExpiresAt.gt(now));
    let displaced: Vec<Uuid> = session::Entity::find()
        .filter(session::Column::UserId.eq(new.user))
        .order_by_asc(is_open)
        .order_by_asc(session::Column::LastUsedAt)
        .order_by_asc(session::Column::Id)
        .limit(DISPLACED)
        .select_only()
        .column(session::Column::Id)
        .into_tuple()
        .all(tx)
        .await?;
    let ended = end(tx, session::Column::Id.is_in(displaced)).await?;
    if ended == 0 {
        return Ok(false);
    }
    let displacement = NewAudit {
        detail: Some(serde_json::json!({ "used_longest_ago": ended })),
        ..displacement.clone()
    };
    audit::insert(tx, &displacement).await?;
    Ok(true)
}

async fn open<E: Executes>(
    tx: &E,
    (session, _, stronger, audit): &OpeningArguments,
) -> Result<(), Error> {
    if let Some(stronger) = stronger {
        users::replace_hash(tx, session.user, stronger).await?;
    }
    insert(tx, session).await?;
    audit::insert(tx, audit).await
}

async fn is_there_room<E: Executes>(tx: &E, user: Uuid) -> Result<bool, Error> {
    let question = LAST_ALLOWED.with(tx.backend(), &[user.into()]);
    Ok(tx.ask::<SessionId>(question).await?.is_empty())
}

/// A session of the user where they have as many as they may, whichever it is.
static LAST_ALLOWED: Rendered<1> = Rendered::new(|backend, [user]| {
    session::Entity::find()
        .filter(session::Column::UserId.eq(user))
        .offset(SESSIONS_OF_A_USER - 1)
        .limit(1)
        .select_only()
        .column(session::Column::Id)
        .build(backend)
});

/// A row of [`LAST_ALLOWED`].
struct SessionId;

impl FromRow for SessionId {
    fn from_row(cells: &mut Cells<'_, impl Row>) -> Result<Self, Error> {
        cells.take::<Uuid>().map(|_| Self)
    }
}

static ADDITION: Rendered<{ ADDED.len() }> =
    Rendered::new(|backend, values| insertion(session::Entity, ADDED, backend, values));

const ADDED: [session::Column; 11] = {
    use session::Column as C;
    [
        C::Id,
        C::UserId,
        C::Kind,
        C::Generation,
        C::TokenHash,
        C::CreatedAt,
        C::LastUsedAt,
        C::IdleExpiresAt,
        C::ExpiresAt,
        C::Address,
        C::UserAgent,
    ]
};

/// Adds the session to the transaction of the event that opens it.
pub(crate) async fn insert<E: Executes>(tx: &E, new: &NewSession) -> Result<(), Error> {
    let addition = ADDITION.with(
        tx.backend(),
        &[
            new.id.into(),
            new.user.into(),
            new.kind.as_str().into(),
            1i64.into(),
            new.token_hash.clone().into(),
            new.created_at.as_micros().into(),
            new.created_at.as_micros().into(),
            new.idle_expires_at.as_micros().into(),
            new.expires_at.as_micros().into(),
            new.address.clone().into(),
            new.user_agent.clone().into(),
        ],
    );
    tx.change(addition).await?;
    Ok(())
}
