//! What a user with the role `admin` may do to other accounts and see of the installation. There
//! is no password of theirs to prove; the rules about names, passwords and the last admin hold.
//! That two admins do not undo each other at once is decided by the store.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use store::{
    ADMIN, AccountChange, Activity, Actor, AdminChange, AuditKind, AuditListing, AuditRecord,
    Authority, Closing, NewAudit, Page, Recorded, Statistics, Timestamp, User, UserAddition,
    UserListing, UserRestoration,
};
use tokio::sync::Mutex;
use uuid::Uuid;

use crate::{
    Accounts, Caller, Edit, Error, FieldError, NewAccount, Peer, Role,
    names::{self, Email, Refusal, Username},
    operator::texts,
    profile::parse_names,
    register::{Parsed, field},
    standing::Scope,
};

/// More would not fit into the headers that carry them to other services.
const MOST_ROLES: usize = 32;
/// For so long the same figures are given to all: counting is not for free.
const FIGURES_LAST: Duration = Duration::from_secs(5);
const DAY: Duration = Duration::from_hours(24);

/// What an admin wants of somebody's account.
pub struct AccountEdit {
    /// The e-mail address, which nobody can be without. The admin vouches for it.
    pub email: Edit<String>,
    /// The username.
    pub username: Edit<String>,
    /// The name to be called by.
    pub name: Edit<String>,
    /// All roles.
    pub roles: Option<BTreeSet<Role>>,
    /// Whether the user is kept out.
    pub disabled: Option<bool>,
}

/// Figures about the installation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Figures {
    /// When they were counted.
    pub as_of: Timestamp,
    /// What there was then.
    pub now: Statistics,
    /// What had happened in the 24 hours before.
    pub last_day: Activity,
    /// What had happened in the 7 days before.
    pub last_week: Activity,
}

/// The figures that were counted last, and when by the clock that never goes back. They are locked
/// while they are counted: whoever asks waits for the result, so that nothing is counted twice at once.
#[derive(Default)]
pub(crate) struct LastFigures(Arc<Mutex<Option<(Duration, Figures)>>>);

/// An admin's view of [`Accounts`].
pub struct Admin {
    accounts: Accounts,
    caller: Caller,
    peer: Peer,
}

impl Accounts {
    /// What the caller may do as an admin.
    ///
    /// # Errors
    /// [`Error::NotAdmin`].
    pub fn admin(&self, caller: Caller, peer: Peer) -> Result<Admin, Error> {
        if !caller.user.roles.contains(ADMIN) {
            return Err(Error::NotAdmin);
        }
        Ok(Admin {
            accounts: self.clone(),
            caller,
            peer,
        })
    }

    /// Makes an account whose address `authority` vouches for.
    pub(crate) async fn add_account(
        &self,
        authority: Authority,
        new: NewAccount,
        peer: Option<&Peer>,
    ) -> Result<User, Error> {
        self.0.store.check_writable()?;
        let parsed = Parsed::parse(new.registration, &self.0.policy.password_rules())?;
        let roles = texts(&new.roles);
        let kind = if roles.contains(ADMIN) {
            AuditKind::AdminCreated
        } else {
            AuditKind::Registered
        };
        let hash = self.0.gate.hash(parsed.password.clone()).await?;
        let given = (!roles.is_empty()).then(|| serde_json::json!({ "roles": roles }));
        let user = self.new_user(parsed, hash, roles, true);
        let actor = match authority {
            Authority::Operator => Actor::Operator,
            Authority::Admin(admin) => Actor::User(admin),
        };
        let audit = NewAudit {
            detail: given,
            ..self.audit(kind, actor, Some(user.id), peer)
        };
        match self.0.store.add_user(authority, user, audit).await? {
            UserAddition::Added(user) => Ok(user),
            UserAddition::NotAdmin => Err(Error::NotAdmin),
        }
    }

    async fn count(&self, as_of: Timestamp) -> Result<Figures, Error> {
        let store = &self.0.store;
        Ok(Figures {
            as_of,
            now: store.statistics(as_of).await?,
            last_day: store.activity(as_of.minus(DAY)).await?,
            last_week: store.activity(as_of.minus(7 * DAY)).await?,
        })
    }

    /// Brings a deleted account back under the names that it had.
    pub(crate) async fn restore_account(
        &self,
        authority: Authority,
        deleted: &User,
        audit: NewAudit,
    ) -> Result<UserRestoration, Error> {
        let unreadable = |_| Error::Internal("a stored name is none by today's rules".to_owned());
        let email = Email::parse(&deleted.email).map_err(unreadable)?;
        let username = deleted.username.as_deref().map(Username::parse).transpose();
        let username = username.map_err(unreadable)?;
        let username_key = username.map(|name| name.key().to_owned());
        let email_key = email.key().to_owned();
        let store = &self.0.store;
        let restoring = store.restore_user(authority, deleted.id, email_key, username_key, audit);
        Ok(restoring.await?)
    }
}

impl Admin {
    /// A page of users, the newest first.
    ///
    /// # Errors
    /// [`Error::Invalid`] for a text or a role that nobody can have.
    pub async fn users(&self, listing: UserListing) -> Result<Page<User>, Error> {
        let mut broken = Vec::new();
        if let Some(text) = &listing.text {
            field("q", names::refuse_controls(text), &mut broken);
        }
        if let Some(role) = &listing.role {
            field("role", Role::parse(role), &mut broken);
        }
        if !broken.is_empty() {
            return Err(Error::Invalid(broken));
        }
        Ok(self.accounts.0.store.page_of_users(listing).await?)
    }

    /// One user, who may be disabled or deleted.
    ///
    /// # Errors
    /// [`Error::NoSuchUser`].
    pub async fn user(&self, user: Uuid) -> Result<User, Error> {
        let found = self.accounts.0.store.user(user).await?;
        found.ok_or(Error::NoSuchUser)
    }

    /// Makes an account, whatever the setting `registration` says. Its address counts as
    /// verified: the admin vouches for it.
    ///
    /// # Errors
    /// [`Error::Invalid`], [`Error::EmailTaken`], [`Error::UsernameTaken`]; [`Error::NotAdmin`]
    /// when the caller has just lost the role.
    pub async fn add_user(&self, new: NewAccount) -> Result<User, Error> {
        let mut broken = Vec::new();
        field("roles", bounded(&new.roles), &mut broken);
        if !broken.is_empty() {
            return Err(Error::Invalid(broken));
        }
        self.accounts
            .add_account(self.authority(), new, Some(&self.peer))
            .await
    }

    /// Changes an account, all or nothing. Whoever loses a role or is disabled is logged out
    /// everywhere. What is to be as it is already is no change.
    ///
    /// # Errors
    /// [`Error::NoSuchUser`], [`Error::UserDeleted`]; [`Error::Invalid`] with every broken rule;
    /// [`Error::EmailTaken`], [`Error::UsernameTaken`]; [`Error::LastAdmin`]; [`Error::NotAdmin`]
    /// when the caller has just lost the role.
    pub async fn change_user(&self, user: Uuid, edit: AccountEdit) -> Result<User, Error> {
        let change = self.change_of(user, edit)?;
        let admin = self.caller.user.id;
        let changing = self
            .accounts
            .revoking(Scope::User(user), move |store| async move {
                store.change_account(admin, user, change).await
            });
        match changing.await? {
            AdminChange::Changed(user) | AdminChange::Unchanged(user) => Ok(user),
            AdminChange::NoSuchUser => {
                // A deleted one can be seen, so it is not denied that there is one.
                self.user(user).await?;
                Err(Error::UserDeleted)
            }
            AdminChange::LastAdmin => Err(Error::LastAdmin),
            AdminChange::NotAdmin => Err(Error::NotAdmin),
        }
    }

    /// Deletes an account, so that its names are free, and logs its user out everywhere. Nothing
    /// happens to one that is deleted already.
    ///
    /// # Errors
    /// [`Error::NoSuchUser`], [`Error::LastAdmin`]; [`Error::NotAdmin`] when the caller has just
    /// lost the role.
    pub async fn delete_user(&self, user: Uuid) -> Result<(), Error> {
        let audit = self.record(AuditKind::AccountDeleted, user);
        let admin = self.caller.user.id;
        let deleting = self
            .accounts
            .revoking(Scope::User(user), move |store| async move {
                store.delete_account(admin, user, audit).await
            });
        match deleting.await? {
            AdminChange::Changed(_) | AdminChange::Unchanged(_) => Ok(()),
            AdminChange::NoSuchUser => self.user(user).await.map(drop),
            AdminChange::LastAdmin => Err(Error::LastAdmin),
            AdminChange::NotAdmin => Err(Error::NotAdmin),
        }
    }

    /// Brings a deleted account back. No session comes back. Nothing happens to one that is not
    /// deleted.
    ///
    /// # Errors
    /// [`Error::NoSuchUser`]; [`Error::UserPurging`]; [`Error::EmailTaken`] and
    /// [`Error::UsernameTaken`] when somebody has taken a name since; [`Error::NotAdmin`] when the
    /// caller has just lost the role.
    pub async fn restore_user(&self, user: Uuid) -> Result<User, Error> {
        let found = self.user(user).await?;
        if found.deleted_at.is_none() {
            return Ok(found);
        }
        let audit = self.record(AuditKind::Restored, user);
        let restoring = self
            .accounts
            .restore_account(self.authority(), &found, audit);
        match restoring.await? {
            UserRestoration::Restored(user) => Ok(user),
            UserRestoration::NotAdmin => Err(Error::NotAdmin),
            UserRestoration::Purging => Err(Error::UserPurging),
            // Another admin was faster.
            UserRestoration::NotDeleted => self.user(user).await,
        }
    }

    /// Logs a user out everywhere, which may be the admin.
    ///
    /// # Errors
    /// [`Error::NoSuchUser`]; [`Error::NotAdmin`] when the caller has just lost the role.
    pub async fn end_sessions(&self, user: Uuid) -> Result<(), Error> {
        let admin = self.caller.user.id;
        let audit = NewAudit {
            detail: Some(serde_json::json!({ "all": true })),
            ..self.record(AuditKind::SessionEnded, user)
        };
        let ending = self
            .accounts
            .revoking(Scope::User(user), move |store| async move {
                store.close_sessions_of(admin, user, audit).await
            });
        match ending.await? {
            Closing::Closed | Closing::NoneOpen => Ok(()),
            Closing::NoSuchUser => self.user(user).await.map(drop),
            Closing::NotAdmin => Err(Error::NotAdmin),
        }
    }

    /// A page of audit events, the newest first.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn audit_events(&self, listing: AuditListing) -> Result<Page<AuditRecord>, Error> {
        Ok(self.accounts.0.store.page_of_audit(listing).await?)
    }

    /// Figures about the installation, up to a few seconds old. Once begun, they are counted to
    /// the end: whoever waits longer than the client that asked first is given them.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn figures(&self) -> Result<Figures, Error> {
        let inner = &self.accounts.0;
        let mut last = Arc::clone(&inner.figures.0).lock_owned().await;
        if let Some((counted, figures)) = *last
            && inner.clock.monotonic().saturating_sub(counted) < FIGURES_LAST
        {
            return Ok(figures);
        }
        let as_of = inner.clock.now();
        let accounts = self.accounts.clone();
        let counting = async move {
            let figures = accounts.count(as_of).await?;
            *last = Some((accounts.0.clock.monotonic(), figures));
            Ok(figures)
        };
        store::spawn(counting)
            .await
            .map_err(|_panicked| Error::Internal("the counting ended early".to_owned()))?
    }

    /// The edit with what to record of each of its parts.
    fn change_of(&self, user: Uuid, edit: AccountEdit) -> Result<AccountChange, Error> {
        let mut broken: Vec<FieldError> = Vec::new();
        let names = parse_names(edit.email, edit.username, edit.name, &mut broken);
        if let Some(roles) = &edit.roles {
            field("roles", bounded(roles), &mut broken);
        }
        if !broken.is_empty() {
            return Err(Error::Invalid(broken));
        }
        Ok(AccountChange {
            profile: Some(Recorded {
                to: names,
                audit: self.record(AuditKind::ProfileChanged, user),
            }),
            roles: edit.roles.map(|roles| Recorded {
                to: texts(&roles),
                audit: self.record(AuditKind::RolesChanged, user),
            }),
            disabled: edit.disabled.map(|disabled| {
                let kind = match disabled {
                    true => AuditKind::Disabled,
                    false => AuditKind::Enabled,
                };
                Recorded {
                    to: disabled,
                    audit: self.record(kind, user),
                }
            }),
        })
    }

    fn authority(&self) -> Authority {
        Authority::Admin(self.caller.user.id)
    }

    fn record(&self, kind: AuditKind, user: Uuid) -> NewAudit {
        let admin = Actor::User(self.caller.user.id);
        self.accounts
            .audit(kind, admin, Some(user), Some(&self.peer))
    }
}

fn bounded(roles: &BTreeSet<Role>) -> Result<(), Refusal> {
    if roles.len() <= MOST_ROLES {
        return Ok(());
    }
    Err(Refusal::new(
        "too_many",
        format!("A user may have {MOST_ROLES} roles at the most."),
    ))
}
