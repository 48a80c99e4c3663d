//! What an admin or the operator changes about an account, and the rule that an active admin must
//! remain. Transactions that could break it wait for each other at a guard row.

use std::collections::BTreeSet;

use sea_orm::{
    ColumnTrait as _, ConnectionTrait, EntityTrait as _, PaginatorTrait as _, QueryFilter as _,
    QuerySelect as _, QueryTrait as _, sea_query::Expr,
};
use uuid::Uuid;

use crate::{
    Error, NewAudit, Store, Timestamp, User, audit,
    entity::{meta, user, user_role},
    users::{end_sessions, find, find_as_seen, replace_roles},
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

impl Store {
    /// Gives roles and takes roles away. Losing a role ends every session of the user, so that no
    /// token goes on claiming it.
    pub async fn set_roles(
        &self,
        user: Uuid,
        add: BTreeSet<String>,
        remove: BTreeSet<String>,
        audit: NewAudit,
    ) -> Result<AdminChange, Error> {
        self.write(
            (user, add, remove, audit),
            |tx, (user, add, remove, audit)| {
                Box::pin(async move {
                    lock_admins(tx).await?;
                    let Some(before) = find(tx, *user).await? else {
                        return Ok(AdminChange::NoSuchUser);
                    };
                    let after: BTreeSet<String> = before
                        .roles
                        .union(add)
                        .filter(|role| !remove.contains(*role))
                        .cloned()
                        .collect();
                    if after == before.roles {
                        return Ok(AdminChange::Unchanged(before));
                    }
                    let demoted = before.roles.contains(ADMIN) && !after.contains(ADMIN);
                    if demoted && before.is_active() && other_admins(tx, *user).await? == 0 {
                        return Ok(AdminChange::LastAdmin);
                    }
                    replace_roles(tx, *user, &after).await?;
                    touch(tx, *user, audit.at).await?;
                    if !before.roles.is_subset(&after) {
                        end_sessions(tx, *user).await?;
                    }
                    audit::insert(tx, audit).await?;
                    Ok(AdminChange::Changed(User {
                        roles: after,
                        updated_at: audit.at,
                        ..before
                    }))
                })
            },
        )
        .await
    }

    /// Disables the account and ends its sessions.
    pub async fn disable(&self, user: Uuid, audit: NewAudit) -> Result<AdminChange, Error> {
        self.write((user, audit), |tx, (user, audit)| {
            Box::pin(async move {
                lock_admins(tx).await?;
                let Some(before) = find(tx, *user).await? else {
                    return Ok(AdminChange::NoSuchUser);
                };
                if before.disabled_at.is_some() {
                    return Ok(AdminChange::Unchanged(before));
                }
                if before.roles.contains(ADMIN) && other_admins(tx, *user).await? == 0 {
                    return Ok(AdminChange::LastAdmin);
                }
                set_disabled_at(tx, *user, Some(audit.at), audit.at).await?;
                end_sessions(tx, *user).await?;
                audit::insert(tx, audit).await?;
                let disabled_at = Some(audit.at);
                Ok(AdminChange::Changed(User {
                    disabled_at,
                    updated_at: audit.at,
                    ..before
                }))
            })
        })
        .await
    }

    /// Deletes an account: its names are free again, its sessions end, its row stays until it is
    /// purged.
    pub async fn delete_user(&self, user: Uuid, audit: NewAudit) -> Result<AdminChange, Error> {
        self.write((user, audit), |tx, (user, audit)| {
            Box::pin(async move {
                lock_admins(tx).await?;
                let Some(before) = find(tx, *user).await? else {
                    return Ok(AdminChange::NoSuchUser);
                };
                if is_last_admin(tx, &before).await? {
                    return Ok(AdminChange::LastAdmin);
                }
                remove(tx, *user, audit).await?;
                Ok(AdminChange::Changed(User {
                    deleted_at: Some(audit.at),
                    updated_at: audit.at,
                    ..before
                }))
            })
        })
        .await
    }

    /// The same by the user, while the account is as they saw it: active, and with the password
    /// hash `seen_hash`.
    pub async fn delete_own_account(
        &self,
        user: Uuid,
        seen_hash: String,
        audit: NewAudit,
    ) -> Result<OwnDeletion, Error> {
        self.write((user, seen_hash, audit), |tx, (user, seen, audit)| {
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

    /// Lets a disabled user log in again. No session comes back.
    pub async fn enable(&self, user: Uuid, audit: NewAudit) -> Result<AdminChange, Error> {
        self.write((user, audit), |tx, (user, audit)| {
            Box::pin(async move {
                let Some(before) = find(tx, *user).await? else {
                    return Ok(AdminChange::NoSuchUser);
                };
                if before.disabled_at.is_none() {
                    return Ok(AdminChange::Unchanged(before));
                }
                set_disabled_at(tx, *user, None, audit.at).await?;
                audit::insert(tx, audit).await?;
                Ok(AdminChange::Changed(User {
                    disabled_at: None,
                    updated_at: audit.at,
                    ..before
                }))
            })
        })
        .await
    }
}

/// Frees the names, keeps the rest for a restoration, and ends every session.
async fn remove<C: ConnectionTrait>(tx: &C, user: Uuid, audit: &NewAudit) -> Result<(), Error> {
    let now = audit.at.as_micros();
    user::Entity::update_many()
        .col_expr(user::Column::EmailKey, Expr::value(None::<String>))
        .col_expr(user::Column::UsernameKey, Expr::value(None::<String>))
        .col_expr(user::Column::DeletedAt, Expr::value(Some(now)))
        .col_expr(user::Column::UpdatedAt, Expr::value(now))
        .filter(user::Column::Id.eq(user))
        .exec(tx)
        .await?;
    end_sessions(tx, user).await?;
    audit::insert(tx, audit).await
}

async fn set_disabled_at<C: ConnectionTrait>(
    tx: &C,
    user: Uuid,
    disabled_at: Option<Timestamp>,
    now: Timestamp,
) -> Result<(), Error> {
    let disabled_at = disabled_at.map(Timestamp::as_micros);
    user::Entity::update_many()
        .col_expr(user::Column::DisabledAt, Expr::value(disabled_at))
        .col_expr(user::Column::UpdatedAt, Expr::value(now.as_micros()))
        .filter(user::Column::Id.eq(user))
        .exec(tx)
        .await?;
    Ok(())
}

async fn touch<C: ConnectionTrait>(tx: &C, user: Uuid, now: Timestamp) -> Result<(), Error> {
    user::Entity::update_many()
        .col_expr(user::Column::UpdatedAt, Expr::value(now.as_micros()))
        .filter(user::Column::Id.eq(user))
        .exec(tx)
        .await?;
    Ok(())
}

/// Makes transactions that count admins wait for each other: the count of two at once would not
/// see what the other is about to take away.
pub(crate) async fn lock_admins<C: ConnectionTrait>(tx: &C) -> Result<(), Error> {
    meta::Entity::update_many()
        .col_expr(meta::Column::Value, Expr::col(meta::Column::Value))
        .filter(meta::Column::Name.eq(ADMIN_GUARD))
        .exec(tx)
        .await?;
    Ok(())
}

/// Whether `user` is the one active admin. Asked behind [`lock_admins`].
async fn is_last_admin<C: ConnectionTrait>(tx: &C, user: &User) -> Result<bool, Error> {
    let is_admin = user.is_active() && user.roles.contains(ADMIN);
    Ok(is_admin && other_admins(tx, user.id).await? == 0)
}

async fn other_admins<C: ConnectionTrait>(tx: &C, user: Uuid) -> Result<u64, Error> {
    active_admins(tx, Some(user)).await
}

/// How many active admins there are, but for `besides`.
pub(crate) async fn active_admins<C: ConnectionTrait>(
    db: &C,
    besides: Option<Uuid>,
) -> Result<u64, Error> {
    let admins = user_role::Entity::find()
        .select_only()
        .column(user_role::Column::UserId)
        .filter(user_role::Column::Role.eq(ADMIN))
        .into_query();
    let mut active = user::Entity::find()
        .filter(user::Column::Id.in_subquery(admins))
        .filter(user::Column::DisabledAt.is_null())
        .filter(user::Column::DeletedAt.is_null());
    if let Some(user) = besides {
        active = active.filter(user::Column::Id.ne(user));
    }
    Ok(active.count(db).await?)
}
