//! What an admin or the operator changes about an account, and the rule that an active admin must
//! remain. Transactions that could break it wait for each other at a guard row.

use std::collections::BTreeSet;

use sea_orm::{
    ColumnTrait as _, ConnectionTrait, EntityTrait as _, PaginatorTrait as _, QueryFilter as _,
    Select,
    sea_query::{Expr, ExprTrait as _},
};
use uuid::Uuid;

use crate::{
    Counted, Error, NewAudit, ProfileChange, Store, Timestamp, User, audit,
    entity::{meta, user},
    revocations::RevokingTransaction,
    sessions::end_all_of,
    users::{find, find_as_seen, find_locked, list::ids_with_role, rename, renamed, replace_roles},
};

/// The role that administers the installation.
pub const ADMIN: &str = "admin";
/// The row of `meta` that a transaction locks before it counts admins.
const ADMIN_GUARD: &str = "admin_guard";

/// What came of a change that the last admin must survive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AdminChange {
    /// It happened; the account is now like this.
    Changed(User),
    /// There was nothing to change.
    Unchanged(User),
    /// No active admin would have been left, so nothing changed.
    LastAdmin,
    /// There is no such account.
    NoSuchUser,
    /// Whoever asked is no active admin any more, so nothing changed.
    NotAdmin,
}

/// What is wanted of an account; `None` leaves a part as it is.
#[derive(Clone, Debug, Default)]
pub struct AccountChange {
    /// Its names. The e-mail address counts as verified: who sets it here vouches for it, also by
    /// naming the one that the account has.
    pub profile: Option<Recorded<ProfileChange>>,
    /// Its roles, all of them.
    pub roles: Option<Recorded<BTreeSet<String>>>,
    /// Whether it is disabled.
    pub disabled: Option<Recorded<bool>>,
}

/// What a part of an account is to be, and the record to write if it is not so already.
#[derive(Clone, Debug)]
pub struct Recorded<T> {
    /// What it is to be.
    pub to: T,
    /// The record. Its detail is written by the event, which alone knows what has changed.
    pub audit: NewAudit,
}

/// What came of [`Store::delete_own_account`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OwnDeletion {
    /// The account is deleted and every session of it has ended.
    Deleted,
    /// No active admin would have been left, so nothing changed.
    LastAdmin,
    /// The account is gone or disabled, or its password is not the one that was checked.
    Stale,
}

/// What came of [`Store::restore_user`].
#[derive(Debug, PartialEq, Eq)]
pub enum UserRestoration {
    /// The account is back, with its names.
    Restored(User),
    /// There is no deleted account of this id.
    NotDeleted,
    /// It is being purged, and part of what was theirs may be gone.
    Purging,
    /// Whoever asked is no active admin any more, so nothing changed.
    NotAdmin,
}

/// In whose name somebody else's account is made, restored or logged out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Authority {
    /// Of whoever runs the server, who needs no account.
    Operator,
    /// Of this user, who must be an active admin when it happens.
    Admin(Uuid),
}

impl Store {
    /// Changes an account on behalf of `admin`, who must be one when it happens: names, roles and
    /// standing, all or nothing. Losing a role, and being disabled, ends every session of the
    /// user, so that no token goes on claiming what is over.
    ///
    /// # Errors
    /// [`Error::Taken`] when another account has one of the names.
    #[tracing::instrument(target = "traced::store", skip_all)]
    pub async fn change_account(
        &self,
        admin: Uuid,
        user: Uuid,
        change: AccountChange,
    ) -> Result<Counted<AdminChange>, Error> {
        let email = change.profile.as_ref().and_then(|it| it.to.email.clone());
        let changed = self
            .revoke((admin, user, change), |tx, (admin, user, change)| {
                Box::pin(async move {
                    if !lock_as_admin(tx, *admin).await? {
                        return Ok(AdminChange::NotAdmin);
                    }
                    apply(tx, *user, |_| change.clone()).await
                })
            })
            .await;
        match email {
            Some(email) => self.e_mail_first(changed, user, email.key).await,
            None => changed,
        }
    }

    /// Gives roles and takes roles away. Losing a role ends every session of the user.
    #[tracing::instrument(target = "traced::store", skip_all)]
    pub async fn set_roles(
        &self,
        user: Uuid,
        add: BTreeSet<String>,
        remove: BTreeSet<String>,
        audit: NewAudit,
    ) -> Result<Counted<AdminChange>, Error> {
        self.revoke(
            (user, add, remove, audit),
            |tx, (user, add, remove, audit)| {
                Box::pin(async move {
                    lock_admins(tx).await?;
                    let edited = |before: &User| {
                        let with_added = before.roles.union(add);
                        AccountChange {
                            roles: Some(Recorded {
                                to: with_added
                                    .filter(|role| !remove.contains(*role))
                                    .cloned()
                                    .collect(),
                                audit: audit.clone(),
                            }),
                            ..AccountChange::default()
                        }
                    };
                    apply(tx, *user, edited).await
                })
            },
        )
        .await
    }

    /// Disables the account and ends its sessions.
    pub async fn disable(
        &self,
        user: Uuid,
        audit: NewAudit,
    ) -> Result<Counted<AdminChange>, Error> {
        self.set_disabled(user, Recorded { to: true, audit }).await
    }

    /// Lets a disabled user log in again. No session comes back.
    pub async fn enable(&self, user: Uuid, audit: NewAudit) -> Result<Counted<AdminChange>, Error> {
        self.set_disabled(user, Recorded { to: false, audit }).await
    }

    async fn set_disabled(
        &self,
        user: Uuid,
        disabled: Recorded<bool>,
    ) -> Result<Counted<AdminChange>, Error> {
        self.revoke((user, disabled), |tx, (user, disabled)| {
            Box::pin(async move {
                lock_admins(tx).await?;
                let change = AccountChange {
                    disabled: Some(disabled.clone()),
                    ..AccountChange::default()
                };
                apply(tx, *user, |_| change).await
            })
        })
        .await
    }

    /// Deletes an account on behalf of `admin`, who must be one when it happens. Otherwise like
    /// [`Store::delete_user`].
    #[tracing::instrument(target = "traced::store", skip_all)]
    pub async fn delete_account(
        &self,
        admin: Uuid,
        user: Uuid,
        audit: NewAudit,
    ) -> Result<Counted<AdminChange>, Error> {
        self.revoke((admin, user, audit), |tx, (admin, user, audit)| {
            Box::pin(async move {
                if !lock_as_admin(tx, *admin).await? {
                    return Ok(AdminChange::NotAdmin);
                }
                delete(tx, *user, audit).await
            })
        })
        .await
    }

    /// Deletes an account: its names are free again, its sessions end, its row stays until it is
    /// purged.
    #[tracing::instrument(target = "traced::store", skip_all)]
    pub async fn delete_user(
        &self,
        user: Uuid,
        audit: NewAudit,
    ) -> Result<Counted<AdminChange>, Error> {
        self.revoke((user, audit), |tx, (user, audit)| {
            Box::pin(async move {
                lock_admins(tx).await?;
                delete(tx, *user, audit).await
            })
        })
        .await
    }

    /// The same by the user, while the account is as they saw it: active, and with the password
    /// hash `seen_hash`.
    #[tracing::instrument(target = "traced::store", skip_all)]
    pub async fn delete_own_account(
        &self,
        user: Uuid,
        seen_hash: String,
        audit: NewAudit,
    ) -> Result<Counted<OwnDeletion>, Error> {
        self.revoke((user, seen_hash, audit), |tx, (user, seen, audit)| {
            Box::pin(async move {
                lock_admins(tx).await?;
                let Some(before) = find_as_seen(tx, *user, Some(seen)).await? else {
                    return Ok(OwnDeletion::Stale);
                };
                if is_last_admin(tx, &before).await? {
                    return Ok(OwnDeletion::LastAdmin);
                }
                remove(tx, *user, audit).await?;
                Ok(OwnDeletion::Deleted)
            })
        })
        .await
    }

    /// Makes a deleted account one that can log in again, under the canonical keys of the names
    /// that it has, unless its purge has begun. No session comes back.
    ///
    /// # Errors
    /// [`Error::Taken`] when another account has one of the names by now.
    #[tracing::instrument(target = "traced::store", skip_all)]
    pub async fn restore_user(
        &self,
        authority: Authority,
        user: Uuid,
        email_key: String,
        username_key: Option<String>,
        audit: NewAudit,
    ) -> Result<UserRestoration, Error> {
        let wanted = email_key.clone();
        let restored = self.write(
            (authority, user, email_key, username_key, audit),
            |tx, (authority, user, email_key, username_key, audit)| {
                Box::pin(async move {
                    if !authority.holds(tx).await? {
                        return Ok(UserRestoration::NotAdmin);
                    }
                    let updated = user::Entity::update_many()
                        .col_expr(user::Column::EmailKey, Expr::value(email_key.clone()))
                        .col_expr(user::Column::UsernameKey, Expr::value(username_key.clone()))
                        .col_expr(user::Column::DeletedAt, Expr::value(None::<i64>))
                        .col_expr(user::Column::UpdatedAt, Expr::value(audit.at.as_micros()))
                        .filter(user::Column::Id.eq(*user))
                        .filter(user::Column::DeletedAt.is_not_null())
                        .filter(user::Column::Purging.eq(false))
                        .exec(tx)
                        .await?;
                    if updated.rows_affected == 0 {
                        return why_not_restored(tx, *user).await;
                    }
                    audit::insert(tx, audit).await?;
                    let restored = find(tx, *user).await?;
                    Ok(restored.map_or(UserRestoration::NotDeleted, UserRestoration::Restored))
                })
            },
        );
        self.e_mail_first(restored.await, user, wanted).await
    }
}

impl Authority {
    /// Whether it is one in this transaction, and stays one to its end.
    pub(crate) async fn holds<C: ConnectionTrait>(self, tx: &C) -> Result<bool, Error> {
        match self {
            Self::Operator => Ok(true),
            Self::Admin(admin) => lock_as_admin(tx, admin).await,
        }
    }
}

/// Makes of an account what `wanted` says about it. Asked behind [`lock_admins`].
async fn apply(
    tx: &RevokingTransaction<'_>,
    user: Uuid,
    wanted: impl FnOnce(&User) -> AccountChange,
) -> Result<AdminChange, Error> {
    let Some(found) = find_locked(tx, user).await? else {
        return Ok(AdminChange::NoSuchUser);
    };
    let before = found.user;
    let change = wanted(&before).beyond(&before);
    if change.is_empty() {
        return Ok(AdminChange::Unchanged(before));
    }
    let after = change.applied_to(before.clone());
    if !is_active_admin(&after) && is_last_admin(tx, &before).await? {
        return Ok(AdminChange::LastAdmin);
    }
    if let Some(Recorded { to: names, audit }) = &change.profile {
        rename(tx, &after, names).await?;
        let fields = serde_json::json!({ "fields": names.fields() });
        record(tx, audit, Some(fields)).await?;
    }
    if let Some(Recorded { to: roles, audit }) = &change.roles {
        replace_roles(tx, user, roles).await?;
        let added: Vec<_> = roles.difference(&before.roles).collect();
        let removed: Vec<_> = before.roles.difference(roles).collect();
        let difference = serde_json::json!({ "added": added, "removed": removed });
        record(tx, audit, Some(difference)).await?;
    }
    if let Some(Recorded { audit, .. }) = &change.disabled {
        record(tx, audit, None).await?;
    }
    set_standing(tx, &after).await?;
    if !before.roles.is_subset(&after.roles) || (before.is_active() && !after.is_active()) {
        end_all_of(tx, user).await?;
    }
    Ok(AdminChange::Changed(after))
}

impl AccountChange {
    /// What of it is not so already about `user`.
    fn beyond(self, user: &User) -> Self {
        let profile = self.profile.map(|Recorded { to, audit }| {
            let named = to.email.clone();
            let mut to = to.beyond(user);
            if !user.email_verified {
                to.email = named;
            }
            Recorded { to, audit }
        });
        Self {
            profile: profile.filter(|names| !names.to.fields().is_empty()),
            roles: self.roles.filter(|roles| roles.to != user.roles),
            disabled: self
                .disabled
                .filter(|disabled| disabled.to != user.disabled_at.is_some()),
        }
    }

    fn is_empty(&self) -> bool {
        self.profile.is_none() && self.roles.is_none() && self.disabled.is_none()
    }

    /// The account as this leaves it.
    fn applied_to(&self, mut user: User) -> User {
        if let Some(Recorded { to: names, audit }) = &self.profile {
            user = renamed(user, names, true, audit.at);
        }
        if let Some(Recorded { to: roles, audit }) = &self.roles {
            user.roles.clone_from(roles);
            user.updated_at = audit.at;
        }
        if let Some(Recorded { to, audit }) = &self.disabled {
            user.disabled_at = to.then_some(audit.at);
            user.updated_at = audit.at;
        }
        user
    }
}

/// Records an event with what it alone knows of itself.
pub(crate) async fn record<C: ConnectionTrait>(
    tx: &C,
    audit: &NewAudit,
    detail: Option<serde_json::Value>,
) -> Result<(), Error> {
    let audit = NewAudit {
        detail,
        ..audit.clone()
    };
    audit::insert(tx, &audit).await
}

async fn delete(
    tx: &RevokingTransaction<'_>,
    user: Uuid,
    audit: &NewAudit,
) -> Result<AdminChange, Error> {
    let Some(before) = find(tx, user).await? else {
        return Ok(AdminChange::NoSuchUser);
    };
    if is_last_admin(tx, &before).await? {
        return Ok(AdminChange::LastAdmin);
    }
    remove(tx, user, audit).await?;
    Ok(AdminChange::Changed(User {
        deleted_at: Some(audit.at),
        updated_at: audit.at,
        ..before
    }))
}

/// Frees the names, keeps the rest for a restoration, and ends every session.
async fn remove(tx: &RevokingTransaction<'_>, user: Uuid, audit: &NewAudit) -> Result<(), Error> {
    let now = audit.at.as_micros();
    user::Entity::update_many()
        .col_expr(user::Column::EmailKey, Expr::value(None::<String>))
        .col_expr(user::Column::UsernameKey, Expr::value(None::<String>))
        .col_expr(user::Column::DeletedAt, Expr::value(Some(now)))
        .col_expr(user::Column::UpdatedAt, Expr::value(now))
        .filter(user::Column::Id.eq(user))
        .exec(tx)
        .await?;
    end_all_of(tx, user).await?;
    audit::insert(tx, audit).await
}

/// Told by a look at what a restoration has left as it was.
async fn why_not_restored<C: ConnectionTrait>(
    tx: &C,
    user: Uuid,
) -> Result<UserRestoration, Error> {
    let found = user::Entity::find_by_id(user).one(tx).await?;
    Ok(match found {
        Some(row) if row.purging => UserRestoration::Purging,
        _ => UserRestoration::NotDeleted,
    })
}

/// Writes since when the account is disabled, and when it changed, as they are in `after`.
async fn set_standing(tx: &RevokingTransaction<'_>, after: &User) -> Result<(), Error> {
    let disabled_at = after.disabled_at.map(Timestamp::as_micros);
    user::Entity::update_many()
        .col_expr(user::Column::DisabledAt, Expr::value(disabled_at))
        .col_expr(
            user::Column::UpdatedAt,
            Expr::value(after.updated_at.as_micros()),
        )
        .filter(user::Column::Id.eq(after.id))
        .exec(tx)
        .await?;
    Ok(())
}

/// Makes transactions that count admins wait for each other: the count of two at once would not
/// see what the other is about to take away. The row is changed each time, and not only locked: the
/// nodes of a Galera cluster do not know of each other's locks, but compare what was changed.
pub(crate) async fn lock_admins<C: ConnectionTrait>(tx: &C) -> Result<(), Error> {
    let is_one = Expr::col(meta::Column::Value).eq(vec![1_u8]);
    let other_value = Expr::case(is_one, vec![0_u8]).finally(vec![1_u8]);
    meta::Entity::update_many()
        .col_expr(meta::Column::Value, other_value.into())
        .filter(meta::Column::Name.eq(ADMIN_GUARD))
        .exec(tx)
        .await?;
    Ok(())
}

/// The same, and says whether whoever asked as an admin is one now: two who take the role from
/// each other at once must not both succeed.
pub(crate) async fn lock_as_admin<C: ConnectionTrait>(tx: &C, admin: Uuid) -> Result<bool, Error> {
    lock_admins(tx).await?;
    Ok(find(tx, admin).await?.as_ref().is_some_and(is_active_admin))
}

/// Whether `user` is the one active admin. Asked behind [`lock_admins`].
async fn is_last_admin<C: ConnectionTrait>(tx: &C, user: &User) -> Result<bool, Error> {
    Ok(is_active_admin(user) && other_admins(tx, user.id).await? == 0)
}

fn is_active_admin(user: &User) -> bool {
    user.is_active() && user.roles.contains(ADMIN)
}

async fn other_admins<C: ConnectionTrait>(tx: &C, user: Uuid) -> Result<u64, Error> {
    let others = active_admins().filter(user::Column::Id.ne(user));
    Ok(others.count(tx).await?)
}

/// The accounts that may administer the installation.
pub(crate) fn active_admins() -> Select<user::Entity> {
    user::Entity::find()
        .filter(user::Column::Id.in_subquery(ids_with_role(ADMIN)))
        .filter(user::Column::DisabledAt.is_null())
        .filter(user::Column::DeletedAt.is_null())
}
