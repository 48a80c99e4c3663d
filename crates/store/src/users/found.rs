//! How accounts are found: by their id or by a name, with their credentials, and locked for what is decided about them. The
//! questions are asked for each login and each change, so they are rendered once.

use std::collections::BTreeSet;

use sea_orm::{
    ColumnTrait as _, EntityTrait as _, QueryFilter as _, QuerySelect as _, QueryTrait as _,
    Select, Value,
    sea_query::{ExprTrait as _, SimpleExpr},
};
use uuid::Uuid;

use crate::{
    Credentials, Error, Timestamp, User,
    engine::Rendered,
    entity::{user, user_role},
    frequent::{Cells, Executes, FromRow, Row},
};

/// What is read of an account, in the order of [`User::from_row`].
pub(crate) const READ: [user::Column; 9] = {
    use user::Column as C;
    [
        C::Id,
        C::Email,
        C::Username,
        C::Name,
        C::EmailVerified,
        C::DisabledAt,
        C::DeletedAt,
        C::CreatedAt,
        C::UpdatedAt,
    ]
};

/// Without roles, which stand in rows of their own.
impl FromRow for User {
    fn from_row(cells: &mut Cells<'_, impl Row>) -> Result<Self, Error> {
        Ok(Self {
            id: cells.take()?,
            email: cells.take()?,
            username: cells.take()?,
            name: cells.take()?,
            roles: BTreeSet::new(),
            email_verified: cells.take()?,
            disabled_at: cells.take::<Option<i64>>()?.map(Timestamp::from_micros),
            deleted_at: cells.take::<Option<i64>>()?.map(Timestamp::from_micros),
            created_at: Timestamp::from_micros(cells.take()?),
            updated_at: Timestamp::from_micros(cells.take()?),
        })
    }
}

/// A row of [`LOCKED`].
impl FromRow for Credentials {
    fn from_row(cells: &mut Cells<'_, impl Row>) -> Result<Self, Error> {
        Ok(Self {
            user: User::from_row(cells)?,
            password_hash: cells.take()?,
        })
    }
}

/// A row of [`OF_ID`] and those like it.
struct CredentialsRow(Credentials, Option<String>);

impl FromRow for CredentialsRow {
    fn from_row(cells: &mut Cells<'_, impl Row>) -> Result<Self, Error> {
        Ok(Self(Credentials::from_row(cells)?, cells.take()?))
    }
}

/// A row of [`ROLES`].
struct RoleRow(String);

impl FromRow for RoleRow {
    fn from_row(cells: &mut Cells<'_, impl Row>) -> Result<Self, Error> {
        cells.take().map(Self)
    }
}

pub(super) static OF_ID: Rendered<1> = Rendered::new(|backend, [id]| {
    let is_theirs = user::Column::Id.eq(id);
    with_roles(is_theirs.and(user::Column::DeletedAt.is_null())).build(backend)
});

/// Deleted accounts have no keys.
pub(super) static OF_EMAIL: Rendered<1> =
    Rendered::new(|backend, [key]| with_roles(user::Column::EmailKey.eq(key)).build(backend));

pub(super) static OF_USERNAME: Rendered<1> =
    Rendered::new(|backend, [key]| with_roles(user::Column::UsernameKey.eq(key)).build(backend));

/// Asks for accounts and their credentials, a row for each role or one without.
fn with_roles(which: SimpleExpr) -> Select<user::Entity> {
    user::Entity::find()
        .left_join(user_role::Entity)
        .filter(which)
        .select_only()
        .columns(READ)
        .column(user::Column::PasswordHash)
        .column(user_role::Column::Role)
}

/// The account of such a question, if there is one.
pub(super) async fn find_one<E: Executes>(
    db: &E,
    which: &Rendered<1>,
    key: Value,
) -> Result<Option<Credentials>, Error> {
    let mut rows = db.ask(which.with(db.backend(), &[key])).await?.into_iter();
    let Some(CredentialsRow(mut found, role)) = rows.next() else {
        return Ok(None);
    };
    let others = rows.filter_map(|CredentialsRow(_, role)| role);
    found.user.roles = role.into_iter().chain(others).collect();
    Ok(Some(found))
}

static LOCKED: Rendered<1> = Rendered::new(|backend, [id]| {
    user::Entity::find()
        .filter(user::Column::Id.eq(id))
        .filter(user::Column::DeletedAt.is_null())
        .lock_exclusive()
        .select_only()
        .columns(READ)
        .column(user::Column::PasswordHash)
        .build(backend)
});

static ROLES: Rendered<1> = Rendered::new(|backend, [user]| {
    user_role::Entity::find()
        .filter(user_role::Column::UserId.eq(user))
        .select_only()
        .column(user_role::Column::Role)
        .build(backend)
});

/// Locks the row of the account until the transaction ends and gives its password hash along:
/// what a decision was made on may be compared with what is true now.
pub(crate) async fn find_locked<E: Executes>(
    tx: &E,
    id: Uuid,
) -> Result<Option<Credentials>, Error> {
    let locked: Vec<Credentials> = tx.ask(LOCKED.with(tx.backend(), &[id.into()])).await?;
    let Some(mut found) = locked.into_iter().next() else {
        return Ok(None);
    };
    // A query of its own: engines do not lock the optional side of a join.
    let roles = tx.ask(ROLES.with(tx.backend(), &[id.into()])).await?;
    found.user.roles = roles.into_iter().map(|RoleRow(role)| role).collect();
    Ok(Some(found))
}

/// The account of this id, if it is not deleted.
pub(crate) async fn find<E: Executes>(db: &E, id: Uuid) -> Result<Option<User>, Error> {
    let found = find_one(db, &OF_ID, id.into()).await?;
    Ok(found.map(|found| found.user))
}

/// Locks the row of the account and gives it if it is active and, where a hash was checked, still
/// has that one.
pub(crate) async fn find_as_seen<E: Executes>(
    tx: &E,
    id: Uuid,
    seen_hash: Option<&str>,
) -> Result<Option<User>, Error> {
    let found = find_locked(tx, id).await?;
    let as_seen = found.filter(|found| {
        found.user.is_active()
            && seen_hash.is_none_or(|seen| found.password_hash.as_deref() == Some(seen))
    });
    Ok(as_seen.map(|found| found.user))
}
