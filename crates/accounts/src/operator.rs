//! What whoever runs the server may do to accounts, by the command line. There is no password
//! to prove and no limit to keep; the rules about names, passwords and the last admin hold.

use std::{collections::BTreeSet, net::IpAddr, time::Duration};

use secrecy::SecretString;
use store::{
    Actor, AdminChange, AuditKind, AuditListing, Authority, User, UserFilter, UserRestoration,
};
use uuid::Uuid;

use crate::{
    Accounts, Error, FieldError, Registration, Role, hash::HashKind, names, password::Password,
    register::field, standing::Scope,
};

/// What came of a change that may have been made before.
#[derive(Clone, Debug)]
pub enum Change {
    /// It was made; the account is now like this.
    Made(User),
    /// There was nothing to change about this account.
    Nothing(User),
}

/// The largest list that is given at once.
const LONGEST_LIST: u64 = 1_000_000;

/// So many deleted accounts of one name are shown.
const MOST_DELETED: u64 = 100;

/// How far back logins are recent, and how many of them are looked at.
const RECENT: Duration = Duration::from_hours(24);
const MOST_RECENT_LOGINS: u64 = 1_000;

/// So many hashes are read at once.
const HASHES_AT_ONCE: u64 = 1_000;

/// What the stored password hashes are like.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct HashCensus {
    /// As good as new ones.
    pub current: u64,
    /// Weaker than new ones, or from elsewhere: replaced at the next login of their user. Until
    /// then a login takes the time of that hash, by which the account can be told from an unknown
    /// one.
    pub replaceable: u64,
    /// Such as cannot be checked: their users need a new password.
    pub unusable: u64,
}

/// The operator's view of [`Accounts`].
pub struct Operator<'a> {
    pub(crate) accounts: &'a Accounts,
}

/// An account that an operator or an admin makes.
pub struct NewAccount {
    /// Its names and its password.
    pub registration: Registration,
    /// Its roles.
    pub roles: BTreeSet<Role>,
}

impl<'a> Operator<'a> {
    pub(crate) fn of(accounts: &'a Accounts) -> Self {
        Self { accounts }
    }

    /// Makes an account, whatever the setting `registration` says. Its address counts as
    /// verified: the operator vouches for it.
    ///
    /// # Errors
    /// [`Error::Invalid`], [`Error::EmailTaken`], [`Error::UsernameTaken`].
    pub async fn add_user(&self, new: NewAccount) -> Result<User, Error> {
        let operator = Authority::Operator;
        self.accounts.add_account(operator, new, None).await
    }

    /// The newest logins of the last day, a thousand at the most: from where, and whose.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn recent_logins(&self) -> Result<Vec<(IpAddr, Uuid)>, Error> {
        let inner = &self.accounts.0;
        let listing = AuditListing {
            kind: Some(AuditKind::Login),
            since: Some(inner.clock.now().minus(RECENT)),
            limit: MOST_RECENT_LOGINS,
            ..AuditListing::default()
        };
        let page = inner.store.page_of_audit(listing).await?;
        let logins = page.items.into_iter();
        Ok(logins
            .filter_map(|login| Some((login.address?.parse().ok()?, login.subject?)))
            .collect())
    }

    /// Looks at every password hash of accounts that are not deleted.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn census_of_hashes(&self) -> Result<HashCensus, Error> {
        let inner = &self.accounts.0;
        let mut census = HashCensus::default();
        let mut after = None;
        loop {
            let page = inner.store.password_hashes(after, HASHES_AT_ONCE).await?;
            let Some((last, _)) = page.last() else {
                return Ok(census);
            };
            after = Some(*last);
            for (_, hash) in &page {
                *match inner.gate.kind_of(hash) {
                    HashKind::Current => &mut census.current,
                    HashKind::Replaceable => &mut census.replaceable,
                    HashKind::Unusable => &mut census.unusable,
                } += 1;
            }
        }
    }

    /// Users, oldest first, whose names contain `text`.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn list_users(&self, text: Option<String>) -> Result<Vec<User>, Error> {
        let filter = UserFilter {
            text,
            limit: LONGEST_LIST,
        };
        Ok(self.accounts.0.store.list_users(filter).await?)
    }

    /// Replaces the password of a user and ends every session of theirs.
    ///
    /// # Errors
    /// [`Error::NoSuchUser`], [`Error::Invalid`].
    pub async fn set_password(&self, login: &str, password: SecretString) -> Result<User, Error> {
        let inner = &self.accounts.0;
        inner.store.check_writable()?;
        let user = self.find(login).await?;
        let password = self.password_of(&user, password)?;
        let hash = inner.gate.hash(password).await?;
        let audit = self.record(AuditKind::PasswordChanged, &user);
        let id = user.id;
        let setting = self
            .accounts
            .revoking(Scope::User(id), move |store| async move {
                store.set_password(id, hash, audit).await
            });
        match setting.await? {
            true => Ok(user),
            false => Err(Error::NoSuchUser),
        }
    }

    /// Gives and takes roles. Whoever loses one is logged out everywhere.
    ///
    /// # Errors
    /// [`Error::NoSuchUser`], [`Error::LastAdmin`].
    pub async fn change_roles(
        &self,
        login: &str,
        add: &BTreeSet<Role>,
        remove: &BTreeSet<Role>,
    ) -> Result<Change, Error> {
        let user = self.find(login).await?;
        let audit = self.record(AuditKind::RolesChanged, &user);
        let (add, remove) = (texts(add), texts(remove));
        let changing = self
            .accounts
            .revoking(Scope::User(user.id), move |store| async move {
                store.set_roles(user.id, add, remove, audit).await
            });
        changed(changing.await?)
    }

    /// Keeps a user from logging in and logs them out everywhere.
    ///
    /// # Errors
    /// [`Error::NoSuchUser`], [`Error::LastAdmin`].
    pub async fn disable(&self, login: &str) -> Result<Change, Error> {
        let user = self.find(login).await?;
        let audit = self.record(AuditKind::Disabled, &user);
        let changing = self
            .accounts
            .revoking(Scope::User(user.id), move |store| async move {
                store.disable(user.id, audit).await
            });
        changed(changing.await?)
    }

    /// Lets a disabled user log in again.
    ///
    /// # Errors
    /// [`Error::NoSuchUser`].
    pub async fn enable(&self, login: &str) -> Result<Change, Error> {
        let user = self.find(login).await?;
        let audit = self.record(AuditKind::Enabled, &user);
        let changing = self
            .accounts
            .revoking(Scope::User(user.id), move |store| async move {
                store.enable(user.id, audit).await
            });
        changed(changing.await?)
    }

    /// The account of this name or id. Where there is none, those deleted ones that had it, the
    /// last deleted first.
    ///
    /// # Errors
    /// [`Error::NoSuchUser`] when there are none either.
    pub async fn show(&self, login: &str) -> Result<Vec<User>, Error> {
        let users = match self.find(login).await {
            Ok(user) => vec![user],
            Err(Error::NoSuchUser) => self.find_deleted(login).await?,
            Err(failure) => return Err(failure),
        };
        if users.is_empty() {
            return Err(Error::NoSuchUser);
        }
        Ok(users)
    }

    /// Deletes an account, so that its names are free, and logs its user out everywhere.
    ///
    /// # Errors
    /// [`Error::NoSuchUser`], [`Error::LastAdmin`].
    pub async fn delete(&self, login: &str) -> Result<Change, Error> {
        let user = self.find(login).await?;
        let audit = self.record(AuditKind::AccountDeleted, &user);
        let changing = self
            .accounts
            .revoking(Scope::User(user.id), move |store| async move {
                store.delete_user(user.id, audit).await
            });
        changed(changing.await?)
    }

    /// Brings a deleted account back, named by its id or by a name that it had. No session comes
    /// back.
    ///
    /// # Errors
    /// [`Error::NoSuchUser`]; [`Error::Ambiguous`]; [`Error::UserPurging`]; [`Error::EmailTaken`] and
    /// [`Error::UsernameTaken`] when somebody has taken a name since.
    pub async fn restore(&self, login: &str) -> Result<Change, Error> {
        let deleted = self.find_deleted(login).await?;
        let user = match deleted.as_slice() {
            [] => return self.find(login).await.map(Change::Nothing),
            [user] => user,
            several => {
                return Err(Error::Ambiguous(
                    several.iter().map(|user| user.id).collect(),
                ));
            }
        };
        let audit = self.record(AuditKind::Restored, user);
        let restoring = self
            .accounts
            .restore_account(Authority::Operator, user, audit);
        match restoring.await? {
            UserRestoration::Restored(user) => Ok(Change::Made(user)),
            UserRestoration::NotAdmin => Err(Error::NotAdmin),
            UserRestoration::Purging => Err(Error::UserPurging),
            UserRestoration::NotDeleted => Err(Error::NoSuchUser),
        }
    }

    async fn find(&self, login: &str) -> Result<User, Error> {
        let store = &self.accounts.0.store;
        let found = match id_of(login) {
            Some(id) => store.credentials_of(id).await?,
            None => store.credentials(names::Login::new(login).lookup()).await?,
        };
        found.map(|found| found.user).ok_or(Error::NoSuchUser)
    }

    async fn find_deleted(&self, login: &str) -> Result<Vec<User>, Error> {
        let store = &self.accounts.0.store;
        Ok(match id_of(login) {
            Some(id) => store.deleted_user(id).await?.into_iter().collect(),
            None => {
                let text = login.trim().to_owned();
                store.deleted_users_named(text, MOST_DELETED).await?
            }
        })
    }

    /// Holds a new password against the rules for this user.
    fn password_of(&self, user: &User, password: SecretString) -> Result<Password, Error> {
        let mut broken: Vec<FieldError> = Vec::new();
        let password = self.accounts.new_password(user, password);
        field("password", password, &mut broken).ok_or(Error::Invalid(broken))
    }

    fn record(&self, kind: AuditKind, user: &User) -> store::NewAudit {
        self.accounts
            .audit(kind, Actor::Operator, Some(user.id), None)
    }
}

/// The id that was typed in place of a name: no name has its 36 characters.
fn id_of(login: &str) -> Option<Uuid> {
    let id = login.trim();
    (id.len() == 36).then(|| Uuid::try_parse(id).ok())?
}

pub(crate) fn texts(roles: &BTreeSet<Role>) -> BTreeSet<String> {
    roles.iter().map(|role| role.as_str().to_owned()).collect()
}

fn changed(change: AdminChange) -> Result<Change, Error> {
    match change {
        AdminChange::Changed(user) => Ok(Change::Made(user)),
        AdminChange::Unchanged(user) => Ok(Change::Nothing(user)),
        AdminChange::LastAdmin => Err(Error::LastAdmin),
        AdminChange::NoSuchUser => Err(Error::NoSuchUser),
        AdminChange::NotAdmin => Err(Error::NotAdmin),
    }
}
