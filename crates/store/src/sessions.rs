//! Sessions: signed-in devices. A session row holds the generation of its refresh token and the
//! hash of the current one; `sessions/rotation.rs` exchanges it, so that there is never more than
//! one live branch. `sessions/opening.rs` opens them. An ended session is a row that is gone.

mod opening;
mod rotation;

use sea_orm::{
    ColumnTrait as _, EntityTrait as _, JoinType, QueryFilter as _, QueryOrder as _,
    QuerySelect as _, QueryTrait as _, RelationTrait as _, Select, Value,
    sea_query::{Expr, ExprTrait as _, SimpleExpr},
};
use uuid::Uuid;

pub(crate) use self::opening::insert;
pub use self::{
    opening::{NewSession, Opening, SESSIONS_OF_A_USER},
    rotation::{Rotation, RotationOutcome, SuccessorProof},
};
use crate::{
    Counted, Error, NewAudit, Store, Timestamp, User,
    admins::lock_as_admin,
    audit,
    engine::Rendered,
    entity::{session, user, user_role},
    frequent::{Cells, Executes, FromRow, Row, frequent},
    revocations::RevokingTransaction,
    users,
};

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
