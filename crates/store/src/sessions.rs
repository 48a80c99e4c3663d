//! Sessions: signed-in devices. A session row holds the generation of its refresh token and the
//! hash of the current one; `sessions/rotation.rs` exchanges it, so that there is never more than
//! one live branch. An ended session is a row that is gone.

mod rotation;

use sea_orm::{
    ColumnTrait as _, EntityTrait as _, JoinType, QueryFilter as _, QueryOrder as _,
    QuerySelect as _, QueryTrait as _, RelationTrait as _, Select, Value,
    sea_query::{Expr, ExprTrait as _, SimpleExpr},
};
use uuid::Uuid;

pub use self::rotation::{Rotation, RotationOutcome, SuccessorProof};
use crate::{
    Counted, Error, NewAudit, Store, Timestamp, User,
    admins::lock_as_admin,
    audit,
    engine::{Rendered, insertion},
    entity::{session, user, user_role},
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

/// What the device holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SessionKind {
    /// A refresh token, to be rotated.
    Token,
    /// A cookie.
    Cookie,
}

impl SessionKind {
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Token => "token",
            Self::Cookie => "cookie",
        }
    }

    /// The one of this name, which stands in the row of this id.
    fn of_row(id: Uuid, name: &str) -> Result<Self, Error> {
        [Self::Token, Self::Cookie]
            .into_iter()
            .find(|kind| kind.as_str() == name)
            .ok_or_else(|| Error::Corrupt {
                table: "sessions",
                column: "kind",
                row: id.to_string(),
            })
    }
}

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

/// An open session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    /// Its id.
    pub id: Uuid,
    /// Whose it is.
    pub user: Uuid,
    /// What the device holds.
    pub kind: SessionKind,
    /// Which refresh token is the current one, counted from 1.
    pub generation: i64,
    /// When it was opened.
    pub created_at: Timestamp,
    /// When it was last used, to some minutes.
    pub last_used_at: Timestamp,
    /// When it ends if it is not used.
    pub idle_expires_at: Timestamp,
    /// When it ends however much it is used.
    pub expires_at: Timestamp,
    /// The network address that it was opened from.
    pub address: Option<String>,
    /// What the device said that it is.
    pub user_agent: Option<String>,
}

impl Session {
    /// Whether one of its lifetimes is over at `now`.
    #[must_use]
    pub fn is_expired(&self, now: Timestamp) -> bool {
        now >= self.idle_expires_at || now >= self.expires_at
    }
}

/// A session and its user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedIn {
    /// The session.
    pub session: Session,
    /// Its user, who is not deleted.
    pub user: User,
}

/// What came of [`Store::open_session`].
#[derive(Debug, PartialEq, Eq)]
pub enum Opening {
    /// The session is open, for this user.
    Opened(User),
    /// The account is gone or disabled, or its password is not the one that was checked.
    Stale,
}

/// What came of [`Store::close_sessions_of`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Closing {
    /// Every session has ended.
    Closed,
    /// There was none, so nothing is recorded.
    NoneOpen,
    /// There is no such account.
    NoSuchUser,
    /// Whoever asked is no active admin any more, so nothing changed.
    NotAdmin,
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

    /// The session of this id and its user, if it has not ended. It may be expired.
    #[tracing::instrument(target = "traced::store", skip_all)]
    pub async fn signed_in(&self, session: Uuid) -> Result<Option<SignedIn>, Error> {
        self.read(session, |db, session| Box::pin(load(db, *session)))
            .await
    }

    /// Notes that a session is in use at `now` and prolongs its idle lifetime, unless that was
    /// noted after `unless_since`.
    #[tracing::instrument(target = "traced::store", skip_all)]
    pub async fn touch_session(
        &self,
        session: Uuid,
        now: Timestamp,
        unless_since: Timestamp,
        idle_expires_at: Timestamp,
    ) -> Result<(), Error> {
        let arguments = (session, now, unless_since, idle_expires_at);
        self.write_often(arguments, frequent!(note_use)).await
    }

    /// The sessions of `user` whose lifetimes are not over at `now`, the last used first; at most
    /// `limit` of them.
    #[tracing::instrument(target = "traced::store", skip_all)]
    pub async fn list_sessions(
        &self,
        user: Uuid,
        now: Timestamp,
        limit: u64,
    ) -> Result<Vec<Session>, Error> {
        self.read((user, now, limit), |db, (user, now, limit)| {
            Box::pin(async move {
                let rows = session::Entity::find()
                    .filter(session::Column::UserId.eq(*user))
                    .filter(session::Column::IdleExpiresAt.gt(now.as_micros()))
                    .filter(session::Column::ExpiresAt.gt(now.as_micros()))
                    .order_by_desc(session::Column::LastUsedAt)
                    .order_by_desc(session::Column::Id)
                    .limit(*limit)
                    .all(db)
                    .await?;
                rows.iter().map(session_of).collect()
            })
        })
        .await
    }

    /// The next sessions of `user` behind the id `after`, `limit` at the most, in the order of their
    /// ids: those too whose lifetimes are over, until they are removed.
    #[tracing::instrument(target = "traced::store", skip_all)]
    pub async fn page_of_sessions(
        &self,
        user: Uuid,
        after: Option<Uuid>,
        limit: u64,
    ) -> Result<Vec<Session>, Error> {
        self.read((user, after, limit), |db, (user, after, limit)| {
            Box::pin(async move {
                let mut select = session::Entity::find()
                    .filter(session::Column::UserId.eq(*user))
                    .order_by_asc(session::Column::Id)
                    .limit(*limit);
                if let Some(after) = after {
                    select = select.filter(session::Column::Id.gt(*after));
                }
                let rows = select.all(db).await?;
                rows.iter().map(session_of).collect()
            })
        })
        .await
    }

    /// Ends one session of `user`. `false`, and no record, when they have none of this id.
    #[tracing::instrument(target = "traced::store", skip_all)]
    pub async fn close_session_of(
        &self,
        user: Uuid,
        session: Uuid,
        audit: NewAudit,
    ) -> Result<Counted<bool>, Error> {
        self.revoke((user, session, audit), |tx, (user, session, audit)| {
            Box::pin(async move {
                let this_one = session::Column::Id.eq(*session);
                if end(tx, this_one.and(session::Column::UserId.eq(*user))).await? == 0 {
                    return Ok(false);
                }
                audit::insert(tx, audit).await?;
                Ok(true)
            })
        })
        .await
    }

    /// Ends every session of `user` but `kept`. `false`, and no record, when there was no other.
    #[tracing::instrument(target = "traced::store", skip_all)]
    pub async fn close_other_sessions(
        &self,
        user: Uuid,
        kept: Uuid,
        audit: NewAudit,
    ) -> Result<Counted<bool>, Error> {
        self.revoke((user, kept, audit), |tx, (user, kept, audit)| {
            Box::pin(async move {
                let others = session::Column::Id.ne(*kept);
                if end(tx, others.and(session::Column::UserId.eq(*user))).await? == 0 {
                    return Ok(false);
                }
                audit::insert(tx, audit).await?;
                Ok(true)
            })
        })
        .await
    }

    /// Ends every session of `user` on behalf of `admin`, who must be one when it happens.
    #[tracing::instrument(target = "traced::store", skip_all)]
    pub async fn close_sessions_of(
        &self,
        admin: Uuid,
        user: Uuid,
        audit: NewAudit,
    ) -> Result<Counted<Closing>, Error> {
        self.revoke((admin, user, audit), |tx, (admin, user, audit)| {
            Box::pin(async move {
                if !lock_as_admin(tx, *admin).await? {
                    return Ok(Closing::NotAdmin);
                }
                // Locked, so that no session is opened meanwhile that would go on.
                if users::find_locked(tx, *user).await?.is_none() {
                    return Ok(Closing::NoSuchUser);
                }
                if end_all_of(tx, *user).await? == 0 {
                    return Ok(Closing::NoneOpen);
                }
                audit::insert(tx, audit).await?;
                Ok(Closing::Closed)
            })
        })
        .await
    }

    /// Ends one session. `false`, and no record, when it had ended before.
    #[tracing::instrument(target = "traced::store", skip_all)]
    pub async fn close_session(
        &self,
        session: Uuid,
        audit: NewAudit,
    ) -> Result<Counted<bool>, Error> {
        self.revoke((session, audit), |tx, (session, audit)| {
            Box::pin(async move {
                if end(tx, session::Column::Id.eq(*session)).await? == 0 {
                    return Ok(false);
                }
                audit::insert(tx, audit).await?;
                Ok(true)
            })
        })
        .await
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

/// Ends every session of the user and says how many there were.
pub(crate) async fn end_all_of(tx: &RevokingTransaction<'_>, user: Uuid) -> Result<u64, Error> {
    end(tx, session::Column::UserId.eq(user)).await
}

/// The session, its user, and a row for each of their roles, or one without.
static SIGNED_IN: Rendered<1> =
    Rendered::new(|backend, [session]| signed_in(session).build(backend));

fn signed_in(session: Value) -> Select<session::Entity> {
    session::Entity::find()
        .inner_join(user::Entity)
        .join(JoinType::LeftJoin, user::Relation::Roles.def())
        .filter(session::Column::Id.eq(session))
        .filter(user::Column::DeletedAt.is_null())
        .select_only()
        .columns({
            use session::Column as C;
            [
                C::Id,
                C::UserId,
                C::Kind,
                C::Generation,
                C::CreatedAt,
                C::LastUsedAt,
                C::IdleExpiresAt,
                C::ExpiresAt,
                C::Address,
                C::UserAgent,
            ]
        })
        .columns(users::READ)
        .column(user_role::Column::Role)
}

/// A row of [`SIGNED_IN`].
struct SignedInRow(SignedIn, Option<String>);

impl FromRow for SignedInRow {
    fn from_row(cells: &mut Cells<'_, impl Row>) -> Result<Self, Error> {
        let (id, user) = (cells.take()?, cells.take()?);
        let session = Session {
            id,
            user,
            kind: SessionKind::of_row(id, &cells.take::<String>()?)?,
            generation: cells.take()?,
            created_at: Timestamp::from_micros(cells.take()?),
            last_used_at: Timestamp::from_micros(cells.take()?),
            idle_expires_at: Timestamp::from_micros(cells.take()?),
            expires_at: Timestamp::from_micros(cells.take()?),
            address: cells.take()?,
            user_agent: cells.take()?,
        };
        let user = User::from_row(cells)?;
        Ok(Self(SignedIn { session, user }, cells.take()?))
    }
}

/// Notes a use, unless one was noted since.
static USE: Rendered<4> =
    Rendered::new(|backend, [session, now, unless_since, idle_expires_at]| {
        session::Entity::update_many()
            .col_expr(session::Column::LastUsedAt, Expr::value(now))
            .col_expr(session::Column::IdleExpiresAt, Expr::value(idle_expires_at))
            .filter(session::Column::Id.eq(session))
            .filter(session::Column::LastUsedAt.lte(unless_since))
            .build(backend)
    });

async fn note_use<E: Executes>(
    tx: &E,
    (session, now, unless_since, idle_expires_at): &(Uuid, Timestamp, Timestamp, Timestamp),
) -> Result<(), Error> {
    let noting = USE.with(
        tx.backend(),
        &[
            (*session).into(),
            now.as_micros().into(),
            unless_since.as_micros().into(),
            idle_expires_at.as_micros().into(),
        ],
    );
    tx.change(noting).await?;
    Ok(())
}

async fn load<E: Executes>(db: &E, id: Uuid) -> Result<Option<SignedIn>, Error> {
    let question = SIGNED_IN.with(db.backend(), &[id.into()]);
    Ok(signed_in_of(db.ask(question).await?))
}

/// The session of the rows of an answer, if there is one.
fn signed_in_of(rows: Vec<SignedInRow>) -> Option<SignedIn> {
    let mut rows = rows.into_iter();
    let SignedInRow(mut signed_in, role) = rows.next()?;
    let others = rows.filter_map(|SignedInRow(_, role)| role);
    signed_in.user.roles = role.into_iter().chain(others).collect();
    Some(signed_in)
}

/// Ends sessions and says how many there were. Nothing else does, but the removal of expired ones.
async fn end(tx: &RevokingTransaction<'_>, which: SimpleExpr) -> Result<u64, Error> {
    let ended = session::Entity::delete_many()
        .filter(which)
        .exec(tx)
        .await?;
    Ok(ended.rows_affected)
}

fn session_of(row: &session::Model) -> Result<Session, Error> {
    Ok(Session {
        id: row.id,
        user: row.user_id,
        kind: SessionKind::of_row(row.id, &row.kind)?,
        generation: row.generation,
        created_at: Timestamp::from_micros(row.created_at),
        last_used_at: Timestamp::from_micros(row.last_used_at),
        idle_expires_at: Timestamp::from_micros(row.idle_expires_at),
        expires_at: Timestamp::from_micros(row.expires_at),
        address: row.address.clone(),
        user_agent: row.user_agent.clone(),
    })
}
