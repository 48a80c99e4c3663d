//! The first admin of an installation: the code with which somebody becomes it, and that of all
//! attempts at once only one succeeds. Every event waits at the guard row of the admins and counts
//! them behind it. What a code is, and how it is proved, is left to the caller.

use sea_orm::{
    ActiveValue::Set, ColumnTrait as _, ConnectionTrait, EntityTrait as _, PaginatorTrait as _,
    QueryFilter as _, QuerySelect as _, sea_query::Expr,
};
use uuid::Uuid;

use crate::{
    Counted, Error, NewAudit, NewSession, NewUser, Store, Timestamp, User,
    admins::{ADMIN, active_admins, lock_admins},
    audit,
    entity::{meta, user},
    revocations::RevokingTransaction,
    sessions,
    users::{self, find, replace_roles},
};

/// The row of `meta` that holds the open code.
const SETUP_CODE: &str = "setup_code";
/// The last bytes of that row: the end of its life in microseconds, big-endian.
const EXPIRY_BYTES: usize = size_of::<i64>();

/// The stored side of a set-up code.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SetupCode {
    /// The hash of the code.
    pub hash: Vec<u8>,
    /// When it is no longer good.
    pub expires_at: Timestamp,
}

/// What came of [`Store::offer_setup`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SetupOffer {
    /// The code is open now, and any earlier one is not.
    Open,
    /// There is an active admin, so no code is open.
    AdminExists,
}

/// What came of [`Store::register_first_admin`].
#[derive(Debug, PartialEq, Eq)]
pub enum SetupOutcome {
    /// The account is made, its session is open and the code is used up.
    Registered(User),
    /// There is an active admin by now, or the code is used up, replaced or too old.
    Refused,
}

/// What came of [`Store::appoint_first_admin`].
#[derive(Debug, PartialEq, Eq)]
pub enum Appointment {
    /// There was no account of this address; now it is the admin's.
    Made(User),
    /// There was one, which is the admin's now: with the new password and no session.
    Promoted(User),
    /// There is an active admin, so nothing changed.
    AdminExists,
}

impl Store {
    /// Whether an active admin exists.
    #[tracing::instrument(target = "traced::store", skip_all)]
    pub async fn has_admin(&self) -> Result<bool, Error> {
        self.read((), |db, ()| {
            Box::pin(async move { Ok(active_admins().count(db).await? > 0) })
        })
        .await
    }

    /// Opens a set-up code in place of any earlier one, while there is no active admin; where
    /// there is one, closes what was open.
    #[tracing::instrument(target = "traced::store", skip_all)]
    pub async fn offer_setup(&self, code: SetupCode) -> Result<SetupOffer, Error> {
        self.write(code, |tx, code| {
            Box::pin(async move {
                lock_admins(tx).await?;
                close_setup(tx).await?;
                if active_admins().count(tx).await? > 0 {
                    return Ok(SetupOffer::AdminExists);
                }
                let row = meta::ActiveModel {
                    name: Set(SETUP_CODE.to_owned()),
                    value: Set(code.to_bytes()),
                };
                meta::Entity::insert(row).exec_without_returning(tx).await?;
                Ok(SetupOffer::Open)
            })
        })
        .await
    }

    /// The open set-up code, which may be too old; none where an active admin exists.
    #[tracing::instrument(target = "traced::store", skip_all)]
    pub async fn open_setup_code(&self) -> Result<Option<SetupCode>, Error> {
        self.read((), |db, ()| {
            Box::pin(async move {
                if active_admins().count(db).await? > 0 {
                    return Ok(None);
                }
                let row = meta::Entity::find_by_id(SETUP_CODE).one(db).await?;
                row.as_ref().map(SetupCode::of_row).transpose()
            })
        })
        .await
    }

    /// Uses up the set-up code `seen`, makes an account and opens its first session, all or
    /// nothing; while there is no active admin and that code is still the open one. Of many
    /// attempts at once one succeeds.
    ///
    /// # Errors
    /// [`Error::Taken`] when another account has one of the names; the code stays open.
    #[tracing::instrument(target = "traced::store", skip_all)]
    pub async fn register_first_admin(
        &self,
        seen: SetupCode,
        user: NewUser,
        session: NewSession,
        audit: NewAudit,
    ) -> Result<SetupOutcome, Error> {
        let (id, email_key) = (user.id, user.email_key.clone());
        let registered = self.write(
            (seen, user, session, audit),
            |tx, (seen, user, session, audit)| {
                Box::pin(async move {
                    lock_admins(tx).await?;
                    let open = meta::Entity::find_by_id(SETUP_CODE).one(tx).await?;
                    let open = open.as_ref().map(SetupCode::of_row).transpose()?;
                    let is_good = open.as_ref() == Some(seen) && audit.at < seen.expires_at;
                    if !is_good || active_admins().count(tx).await? > 0 {
                        return Ok(SetupOutcome::Refused);
                    }
                    close_setup(tx).await?;
                    let made = users::insert(tx, user).await?;
                    sessions::insert(tx, session).await?;
                    audit::insert(tx, audit).await?;
                    Ok(SetupOutcome::Registered(made))
                })
            },
        );
        self.e_mail_first(registered.await, id, email_key).await
    }

    /// Makes the account of an admin while there is no active one. An account that has the e-mail
    /// address already becomes the admin's: its password is replaced, its sessions end, its
    /// address counts as verified, and it is no longer disabled. Any open set-up code is closed.
    /// `audit` is of whichever account that is.
    #[tracing::instrument(target = "traced::store", skip_all)]
    pub async fn appoint_first_admin(
        &self,
        user: NewUser,
        audit: NewAudit,
    ) -> Result<Counted<Appointment>, Error> {
        self.revoke((user, audit), |tx, (user, audit)| {
            Box::pin(async move {
                lock_admins(tx).await?;
                if active_admins().count(tx).await? > 0 {
                    return Ok(Appointment::AdminExists);
                }
                close_setup(tx).await?;
                let holder = user::Entity::find()
                    .filter(user::Column::EmailKey.eq(user.email_key.as_str()))
                    .lock_exclusive()
                    .one(tx)
                    .await?;
                let audit = NewAudit {
                    subject: Some(holder.as_ref().map_or(user.id, |holder| holder.id)),
                    ..audit.clone()
                };
                audit::insert(tx, &audit).await?;
                match holder {
                    None => Ok(Appointment::Made(users::insert(tx, user).await?)),
                    Some(holder) => promote(tx, holder.id, user, audit.at).await,
                }
            })
        })
        .await
    }
}

/// Makes the account `id` the admin's that `as_wanted` describes; its names stay.
async fn promote(
    tx: &RevokingTransaction<'_>,
    id: Uuid,
    as_wanted: &NewUser,
    now: Timestamp,
) -> Result<Appointment, Error> {
    user::Entity::update_many()
        .col_expr(
            user::Column::PasswordHash,
            Expr::value(as_wanted.password_hash.clone()),
        )
        .col_expr(user::Column::EmailVerified, Expr::value(true))
        .col_expr(user::Column::DisabledAt, Expr::value(None::<i64>))
        .col_expr(user::Column::UpdatedAt, Expr::value(now.as_micros()))
        .filter(user::Column::Id.eq(id))
        .exec(tx)
        .await?;
    let Some(before) = find(tx, id).await? else {
        return Err(Error::Corrupt {
            table: "users",
            column: "email_key",
            row: id.to_string(),
        });
    };
    let mut roles = before.roles.clone();
    roles.insert(ADMIN.to_owned());
    replace_roles(tx, id, &roles).await?;
    sessions::end_all_of(tx, id).await?;
    Ok(Appointment::Promoted(User { roles, ..before }))
}

async fn close_setup<C: ConnectionTrait>(tx: &C) -> Result<(), Error> {
    meta::Entity::delete_by_id(SETUP_CODE).exec(tx).await?;
    Ok(())
}

impl SetupCode {
    fn to_bytes(&self) -> Vec<u8> {
        let expiry = self.expires_at.as_micros().to_be_bytes();
        [self.hash.as_slice(), &expiry].concat()
    }

    fn of_row(row: &meta::Model) -> Result<Self, Error> {
        let (hash, expiry) = row
            .value
            .split_last_chunk::<EXPIRY_BYTES>()
            .ok_or_else(|| Error::Corrupt {
                table: "meta",
                column: "value",
                row: row.name.clone(),
            })?;
        Ok(Self {
            hash: hash.to_vec(),
            expires_at: Timestamp::from_micros(i64::from_be_bytes(*expiry)),
        })
    }
}
