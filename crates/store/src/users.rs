//! Users: who has an account, and the events that change one. Names are unique by constraint,
//! never by looking first. Whatever takes something away from a user ends their sessions in the
//! same transaction, and is a revocation (see `revocations.rs`). What operators and admins see of them is in
//! `users/list.rs`.

mod found;
pub(crate) mod list;

use std::collections::BTreeSet;

use sea_orm::{
    ActiveValue::Set, ColumnTrait as _, ConnectionTrait, EntityTrait as _, QueryFilter as _,
    QuerySelect as _, QueryTrait as _, sea_query::Expr,
};
use uuid::Uuid;

use crate::{
    Counted, Error, NewAudit, NewSession, Opening, Store, Timestamp, Unique,
    admins::{self, ADMIN, Authority, lock_admins},
    audit,
    entity::{user, user_role},
    frequent::Executes,
    sessions,
};
use found::{OF_EMAIL, OF_ID, OF_USERNAME, find_one};
pub(crate) use found::{READ, find, find_as_seen, find_locked};
pub use list::{UserFilter, UserListing, UserStatus};

/// An account, without its credentials.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    /// Its id, a UUIDv7.
    pub id: Uuid,
    /// The e-mail address as it is shown.
    pub email: String,
    /// The username as it is shown.
    pub username: Option<String>,
    /// The name to be called by.
    pub name: Option<String>,
    /// Roles, sorted.
    pub roles: BTreeSet<String>,
    /// Whether somebody vouched for the address.
    pub email_verified: bool,
    /// Since when the account is disabled.
    pub disabled_at: Option<Timestamp>,
    /// Since when the account is deleted.
    pub deleted_at: Option<Timestamp>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
}

impl User {
    /// Neither disabled nor deleted.
    #[must_use]
    pub fn is_active(&self) -> bool {
        self.disabled_at.is_none() && self.deleted_at.is_none()
    }

    /// The one word for it; a deleted account is that alone, also if it was disabled before.
    #[must_use]
    pub fn status(&self) -> UserStatus {
        match (self.deleted_at, self.disabled_at) {
            (Some(_), _) => UserStatus::Deleted,
            (None, Some(_)) => UserStatus::Disabled,
            (None, None) => UserStatus::Active,
        }
    }
}

/// An account to make. The keys are the canonical forms of the names, made by the caller.
#[derive(Clone)]
#[expect(missing_docs, reason = "the fields are those of `User`")]
pub struct NewUser {
    pub id: Uuid,
    pub email: String,
    pub email_key: String,
    pub username: Option<String>,
    pub username_key: Option<String>,
    pub name: Option<String>,
    pub password_hash: Option<String>,
    pub email_verified: bool,
    pub roles: BTreeSet<String>,
    pub disabled_at: Option<Timestamp>,
    pub created_at: Timestamp,
}

/// An account and what proves that somebody owns it.
#[derive(Clone)]
pub struct Credentials {
    /// The account.
    pub user: User,
    /// The hash of its password, if it has one.
    pub password_hash: Option<String>,
}

/// The canonical key by which somebody is looked up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LoginKey {
    /// Of an e-mail address.
    Email(String),
    /// Of a username.
    Username(String),
}

/// A name as it is shown, and its canonical key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Name {
    /// As it is shown.
    pub text: String,
    /// The same for all spellings, made by the caller.
    pub key: String,
}

/// What to change about the part of an account that its user edits. `None` leaves a field as it
/// is; `Some(None)` clears it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ProfileChange {
    /// Another e-mail address.
    pub email: Option<Name>,
    /// Another username.
    pub username: Option<Option<Name>>,
    /// Another name to be called by.
    pub name: Option<Option<String>>,
}

impl ProfileChange {
    /// What of it is not so already about `user`.
    #[must_use]
    pub fn beyond(self, user: &User) -> Self {
        Self {
            email: self.email.filter(|email| email.text != user.email),
            username: self
                .username
                .filter(|wanted| wanted.as_ref().map(|name| &name.text) != user.username.as_ref()),
            name: self.name.filter(|wanted| *wanted != user.name),
        }
    }

    /// Whether it changes a name that one logs in with, which is for whoever proves the password.
    #[must_use]
    pub fn is_of_login(&self) -> bool {
        self.email.is_some() || self.username.is_some()
    }

    /// The names of the fields that it changes.
    #[must_use]
    pub fn fields(&self) -> Vec<&'static str> {
        [
            ("email", self.email.is_some()),
            ("username", self.username.is_some()),
            ("name", self.name.is_some()),
        ]
        .into_iter()
        .filter_map(|(field, changes)| changes.then_some(field))
        .collect()
    }
}

/// What came of [`Store::add_user`].
#[derive(Debug, PartialEq, Eq)]
pub enum UserAddition {
    /// The account is made.
    Added(User),
    /// Whoever asked is no active admin any more, so nothing changed.
    NotAdmin,
}

/// What came of [`Store::change_profile`].
#[derive(Debug, PartialEq, Eq)]
pub enum Editing {
    /// It happened; the account is now like this.
    Changed(User),
    /// All of it was so already.
    Unchanged(User),
    /// It would change a name that one logs in with, and no password was checked for it.
    PasswordNeeded,
    /// The account is gone or disabled, or its password is not the one that was checked.
    Stale,
}

impl Store {
    /// Makes an account and opens its first session, both or neither.
    ///
    /// # Errors
    /// [`Error::Taken`] when another account has one of the names.
    #[tracing::instrument(target = "traced::store", skip_all)]
    pub async fn register(
        &self,
        user: NewUser,
        session: NewSession,
        audit: NewAudit,
    ) -> Result<User, Error> {
        let email_key = user.email_key.clone();
        let id = user.id;
        let registered = self.write((user, session, audit), |tx, (user, session, audit)| {
            Box::pin(async move {
                let made = insert(tx, user).await?;
                sessions::insert(tx, session).await?;
                audit::insert(tx, audit).await?;
                Ok(made)
            })
        });
        self.e_mail_first(registered.await, id, email_key).await
    }

    /// Makes an account without a session. One of an admin waits for every event that counts them.
    ///
    /// # Errors
    /// [`Error::Taken`] when another account has one of the names.
    #[tracing::instrument(target = "traced::store", skip_all)]
    pub async fn add_user(
        &self,
        authority: Authority,
        user: NewUser,
        audit: NewAudit,
    ) -> Result<UserAddition, Error> {
        let (id, email_key) = (user.id, user.email_key.clone());
        let added = self.write((authority, user, audit), |tx, (authority, user, audit)| {
            Box::pin(async move {
                if !authority.holds(tx).await? {
                    return Ok(UserAddition::NotAdmin);
                }
                if user.roles.contains(ADMIN) {
                    lock_admins(tx).await?;
                }
                let made = insert(tx, user).await?;
                audit::insert(tx, audit).await?;
                Ok(UserAddition::Added(made))
            })
        });
        self.e_mail_first(added.await, id, email_key).await
    }

    /// When both names are taken, engines differ in which one they report; this reports the
    /// e-mail address on all of them. `user` is the one who wants it.
    pub(crate) async fn e_mail_first<T>(
        &self,
        outcome: Result<T, Error>,
        user: Uuid,
        email_key: String,
    ) -> Result<T, Error> {
        let Err(Error::Taken(Unique::UserUsername)) = outcome else {
            return outcome;
        };
        let holder = self.credentials(LoginKey::Email(email_key)).await?;
        if holder.is_some_and(|holder| holder.user.id != user) {
            return Err(Error::Taken(Unique::UserEmail));
        }
        outcome
    }

    /// The account that is known by `key` and not deleted, with its credentials.
    #[tracing::instrument(target = "traced::store", skip_all)]
    pub async fn credentials(&self, key: LoginKey) -> Result<Option<Credentials>, Error> {
        self.read(key, |db, key| {
            Box::pin(async move {
                // One query for known and unknown names alike.
                let (of_key, key) = match key {
                    LoginKey::Email(key) => (&OF_EMAIL, key),
                    LoginKey::Username(key) => (&OF_USERNAME, key),
                };
                find_one(db, of_key, key.as_str().into()).await
            })
        })
        .await
    }

    /// The account of this id with its credentials, if it is not deleted.
    #[tracing::instrument(target = "traced::store", skip_all)]
    pub async fn credentials_of(&self, user: Uuid) -> Result<Option<Credentials>, Error> {
        self.read(user, |db, user| {
            Box::pin(async move { find_one(db, &OF_ID, (*user).into()).await })
        })
        .await
    }

    /// Replaces the password and ends every session of the user. `false` when there is no such
    /// account.
    #[tracing::instrument(target = "traced::store", skip_all)]
    pub async fn set_password(
        &self,
        user: Uuid,
        password_hash: String,
        audit: NewAudit,
    ) -> Result<Counted<bool>, Error> {
        self.revoke(
            (user, password_hash, audit),
            |tx, (user, password_hash, audit)| {
                Box::pin(async move {
                    let changed = user::Entity::update_many()
                        .col_expr(
                            user::Column::PasswordHash,
                            Expr::value(password_hash.clone()),
                        )
                        .col_expr(user::Column::UpdatedAt, Expr::value(audit.at.as_micros()))
                        .filter(user::Column::Id.eq(*user))
                        .filter(user::Column::DeletedAt.is_null())
                        .exec(tx)
                        .await?;
                    if changed.rows_affected == 0 {
                        return Ok(false);
                    }
                    sessions::end_all_of(tx, *user).await?;
                    audit::insert(tx, audit).await?;
                    Ok(true)
                })
            },
        )
        .await
    }

    /// Replaces the password of an account that is still as the caller saw it, active and with the
    /// password hash `seen_hash`; ends every session of the user, and opens `session` in their
    /// place. All of it or nothing.
    #[tracing::instrument(target = "traced::store", skip_all)]
    pub async fn change_password(
        &self,
        session: NewSession,
        seen_hash: String,
        password_hash: String,
        audit: NewAudit,
    ) -> Result<Counted<Opening>, Error> {
        self.revoke(
            (session, seen_hash, password_hash, audit),
            |tx, (session, seen, password_hash, audit)| {
                Box::pin(async move {
                    let id = session.user;
                    let Some(user) = find_as_seen(tx, id, Some(seen)).await? else {
                        return Ok(Opening::Stale);
                    };
                    user::Entity::update_many()
                        .col_expr(
                            user::Column::PasswordHash,
                            Expr::value(password_hash.clone()),
                        )
                        .col_expr(user::Column::UpdatedAt, Expr::value(audit.at.as_micros()))
                        .filter(user::Column::Id.eq(id))
                        .exec(tx)
                        .await?;
                    sessions::end_all_of(tx, id).await?;
                    sessions::insert(tx, session).await?;
                    audit::insert(tx, audit).await?;
                    Ok(Opening::Opened(User {
                        updated_at: audit.at,
                        ..user
                    }))
                })
            },
        )
        .await
    }

    /// Changes names of an account that is still as the caller saw it: active, and with the
    /// password hash `seen_hash` where one was checked. What is so already is judged here, by the
    /// account as it is now, and so is whether a password had to be checked. Nobody has vouched for
    /// a new e-mail address. The detail of `audit` is written by the event.
    ///
    /// # Errors
    /// [`Error::Taken`] when another account has one of the names.
    #[tracing::instrument(target = "traced::store", skip_all)]
    pub async fn change_profile(
        &self,
        user: Uuid,
        change: ProfileChange,
        seen_hash: Option<String>,
        audit: NewAudit,
    ) -> Result<Counted<Editing>, Error> {
        let email_key = change.email.as_ref().map(|email| email.key.clone());
        let changed = self.revoke(
            (user, change, seen_hash, audit),
            |tx, (user, change, seen, audit)| {
                Box::pin(async move {
                    let Some(before) = find_as_seen(tx, *user, seen.as_deref()).await? else {
                        return Ok(Editing::Stale);
                    };
                    let change = change.clone().beyond(&before);
                    if change.fields().is_empty() {
                        return Ok(Editing::Unchanged(before));
                    }
                    if change.is_of_login() && seen.is_none() {
                        return Ok(Editing::PasswordNeeded);
                    }
                    let after = renamed(before, &change, false, audit.at);
                    rename(tx, &after, &change).await?;
                    let fields = serde_json::json!({ "fields": change.fields() });
                    admins::record(tx, audit, Some(fields)).await?;
                    Ok(Editing::Changed(after))
                })
            },
        );
        match email_key {
            Some(email_key) => self.e_mail_first(changed.await, user, email_key).await,
            None => changed.await,
        }
    }
}

/// Writes the fields of `change`, and when they changed, as they are in `after`.
pub(crate) async fn rename<C: ConnectionTrait>(
    tx: &C,
    after: &User,
    change: &ProfileChange,
) -> Result<(), Error> {
    let mut update = user::Entity::update_many()
        .col_expr(
            user::Column::UpdatedAt,
            Expr::value(after.updated_at.as_micros()),
        )
        .filter(user::Column::Id.eq(after.id));
    if let Some(email) = &change.email {
        update = update
            .col_expr(user::Column::Email, Expr::value(email.text.clone()))
            .col_expr(user::Column::EmailKey, Expr::value(email.key.clone()))
            .col_expr(
                user::Column::EmailVerified,
                Expr::value(after.email_verified),
            );
    }
    if let Some(username) = &change.username {
        let (text, key) = match username {
            Some(name) => (Some(name.text.clone()), Some(name.key.clone())),
            None => (None, None),
        };
        update = update
            .col_expr(user::Column::Username, Expr::value(text))
            .col_expr(user::Column::UsernameKey, Expr::value(key));
    }
    if let Some(name) = &change.name {
        update = update.col_expr(user::Column::Name, Expr::value(name.clone()));
    }
    update.exec(tx).await?;
    Ok(())
}

/// The account as `change` leaves it; a new e-mail address is verified if somebody vouches for it.
pub(crate) fn renamed(
    before: User,
    change: &ProfileChange,
    is_vouched_for: bool,
    now: Timestamp,
) -> User {
    let email = change.email.as_ref();
    let username = change.username.as_ref();
    User {
        email_verified: email.map_or(before.email_verified, |_| is_vouched_for),
        email: email.map_or(before.email, |email| email.text.clone()),
        username: username.map_or(before.username, |name| {
            name.as_ref().map(|name| name.text.clone())
        }),
        name: change.name.clone().unwrap_or(before.name),
        updated_at: now,
        ..before
    }
}

/// Whether there is an account of this id that is not deleted, to which something may be added. A
/// reference to it would be refused where there is none, too, but in words of the engine.
pub(crate) async fn has_account<C: ConnectionTrait>(tx: &C, id: Uuid) -> Result<bool, Error> {
    let found: Option<Uuid> = user::Entity::find_by_id(id)
        .select_only()
        .column(user::Column::Id)
        .filter(user::Column::DeletedAt.is_null())
        .into_tuple()
        .one(tx)
        .await?;
    Ok(found.is_some())
}

/// Replaces a hash by a stronger one of the same password.
pub(crate) async fn replace_hash<E: Executes>(tx: &E, id: Uuid, hash: &str) -> Result<(), Error> {
    let replacement = user::Entity::update_many()
        .col_expr(user::Column::PasswordHash, Expr::value(hash))
        .filter(user::Column::Id.eq(id))
        .build(tx.backend());
    tx.change(replacement).await?;
    Ok(())
}

/// Adds the account to the transaction of the event that makes it.
pub(crate) async fn insert<C: ConnectionTrait>(tx: &C, new: &NewUser) -> Result<User, Error> {
    user::Entity::insert(row_of(new))
        .exec_without_returning(tx)
        .await?;
    replace_roles(tx, new.id, &new.roles).await?;
    Ok(User {
        id: new.id,
        email: new.email.clone(),
        username: new.username.clone(),
        name: new.name.clone(),
        roles: new.roles.clone(),
        email_verified: new.email_verified,
        disabled_at: new.disabled_at,
        deleted_at: None,
        created_at: new.created_at,
        updated_at: new.created_at,
    })
}

/// The row of a new account.
pub(crate) fn row_of(new: &NewUser) -> user::ActiveModel {
    user::ActiveModel {
        id: Set(new.id),
        email: Set(new.email.clone()),
        email_key: Set(Some(new.email_key.clone())),
        username: Set(new.username.clone()),
        username_key: Set(new.username_key.clone()),
        name: Set(new.name.clone()),
        password_hash: Set(new.password_hash.clone()),
        email_verified: Set(new.email_verified),
        disabled_at: Set(new.disabled_at.map(Timestamp::as_micros)),
        deleted_at: Set(None),
        purging: Set(false),
        created_at: Set(new.created_at.as_micros()),
        updated_at: Set(new.created_at.as_micros()),
    }
}

/// Gives the user exactly these roles.
pub(crate) async fn replace_roles<C: ConnectionTrait>(
    tx: &C,
    user: Uuid,
    roles: &BTreeSet<String>,
) -> Result<(), Error> {
    user_role::Entity::delete_many()
        .filter(user_role::Column::UserId.eq(user))
        .exec(tx)
        .await?;
    if roles.is_empty() {
        return Ok(());
    }
    let rows = roles.iter().map(|role| user_role::ActiveModel {
        user_id: Set(user),
        role: Set(role.clone()),
    });
    user_role::Entity::insert_many(rows)
        .exec_without_returning(tx)
        .await?;
    Ok(())
}

/// The account of a row and those of its roles.
pub(crate) fn user_of(row: user::Model, roles: Vec<user_role::Model>) -> User {
    User {
        id: row.id,
        email: row.email,
        username: row.username,
        name: row.name,
        roles: roles.into_iter().map(|row| row.role).collect(),
        email_verified: row.email_verified,
        disabled_at: row.disabled_at.map(Timestamp::from_micros),
        deleted_at: row.deleted_at.map(Timestamp::from_micros),
        created_at: Timestamp::from_micros(row.created_at),
        updated_at: Timestamp::from_micros(row.updated_at),
    }
}
