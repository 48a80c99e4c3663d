//! The part of an account that its user edits, and the end of an account by its user. Names are what
//! one logs in with, so they change, and accounts end, for whoever proves the password once more.

use secrecy::SecretString;
use store::{AuditKind, Editing, Name, OwnDeletion, ProfileChange, User};

use crate::{
    Accounts, Caller, Error, FieldError, Peer,
    names::{DisplayName, Email, Refusal, Username},
    password::Password,
    register::field,
    standing::Scope,
    throttle::Network,
};

/// What to do about one field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Edit<T> {
    /// Leave it as it is.
    Keep,
    /// Have none.
    Clear,
    /// Have this one.
    Set(T),
}

/// What somebody wants of their profile.
pub struct ProfileEdit {
    /// The e-mail address, which nobody can be without.
    pub email: Edit<String>,
    /// The username.
    pub username: Edit<String>,
    /// The name to be called by.
    pub name: Edit<String>,
    /// The password, which a change of e-mail address or username needs.
    pub current_password: Option<SecretString>,
}

impl Accounts {
    /// Changes the caller's profile. What is to be as it is already is no change; without any,
    /// nothing happens. A new e-mail address is not verified.
    ///
    /// What is so already, and with that whether a password is needed, is known to the database
    /// alone: what is remembered of the caller may be some seconds old.
    ///
    /// # Errors
    /// [`Error::Invalid`] with every broken rule, also when the password is missing;
    /// [`Error::InvalidCredentials`] for a wrong one, which counts as a failed login;
    /// [`Error::EmailTaken`], [`Error::UsernameTaken`]; [`Error::Limited`].
    pub async fn change_profile(
        &self,
        caller: &Caller,
        edit: ProfileEdit,
        peer: &Peer,
    ) -> Result<User, Error> {
        let (change, password) = parse(edit, &caller.user)?;
        match self.edit(caller, change.clone(), None, peer).await? {
            Editing::Changed(user) | Editing::Unchanged(user) => return Ok(user),
            Editing::Stale => return Err(Error::RevokedToken),
            Editing::PasswordNeeded => {}
        }
        let mut broken = Vec::new();
        let password = needed(password, &mut broken).ok_or(Error::Invalid(broken))?;
        let seen = self.prove_again(caller, password, peer).await?;
        // The answer tells whether a name is taken, as that to a registration does.
        self.0.throttle.register(Network::of(peer.address)).await?;
        match self.edit(caller, change, Some(seen), peer).await? {
            Editing::Changed(user) | Editing::Unchanged(user) => Ok(user),
            Editing::Stale | Editing::PasswordNeeded => Err(self.refuse_caller(caller, peer).await),
        }
    }

    async fn edit(
        &self,
        caller: &Caller,
        change: ProfileChange,
        seen_hash: Option<String>,
        peer: &Peer,
    ) -> Result<Editing, Error> {
        let audit = self.audit_by(caller, AuditKind::ProfileChanged, peer);
        let user = caller.user.id;
        let changing = self.revoking(Scope::User(user), move |store| async move {
            store.change_profile(user, change, seen_hash, audit).await
        });
        changing.await
    }

    /// Deletes the caller's account: its names are free, every session ends, and an operator may
    /// restore it until it is purged.
    ///
    /// # Errors
    /// [`Error::Invalid`] for a password that is too long to be one;
    /// [`Error::InvalidCredentials`], which counts as a failed login; [`Error::Limited`];
    /// [`Error::LastAdmin`].
    pub async fn delete_account(
        &self,
        caller: &Caller,
        current_password: SecretString,
        peer: &Peer,
    ) -> Result<(), Error> {
        let mut broken = Vec::new();
        let password = current(current_password, &mut broken).ok_or(Error::Invalid(broken))?;
        let seen = self.prove_again(caller, password, peer).await?;
        let audit = self.audit_by(caller, AuditKind::AccountDeleted, peer);
        let user = caller.user.id;
        let deleting = self.revoking(Scope::User(user), move |store| async move {
            store.delete_own_account(user, seen, audit).await
        });
        match deleting.await? {
            OwnDeletion::Deleted => Ok(()),
            OwnDeletion::LastAdmin => Err(Error::LastAdmin),
            OwnDeletion::Stale => Err(self.refuse_caller(caller, peer).await),
        }
    }
}

/// What is wanted, and the password that was entered for it. Where it is refused, what is remembered
/// of the user is good enough to say whether the password is one more thing to mend.
fn parse(
    edit: ProfileEdit,
    remembered: &User,
) -> Result<(ProfileChange, Option<SecretString>), Error> {
    let mut broken = Vec::new();
    let change = parse_names(edit.email, edit.username, edit.name, &mut broken);
    if broken.is_empty() {
        return Ok((change, edit.current_password));
    }
    if change.beyond(remembered).is_of_login() {
        needed(edit.current_password, &mut broken);
    }
    Err(Error::Invalid(broken))
}

fn needed(entered: Option<SecretString>, broken: &mut Vec<FieldError>) -> Option<Password> {
    let Some(entered) = entered else {
        broken.push(required(
            "current_password",
            "Changing the e-mail address or the username needs your password.",
        ));
        return None;
    };
    current(entered, broken)
}

/// Holds the names of an edit against their rules. What is refused is not in the change.
pub(crate) fn parse_names(
    email: Edit<String>,
    username: Edit<String>,
    name: Edit<String>,
    broken: &mut Vec<FieldError>,
) -> ProfileChange {
    let email = match email {
        Edit::Keep => None,
        Edit::Clear => {
            broken.push(required("email", "An account needs an e-mail address."));
            None
        }
        Edit::Set(text) => field("email", Email::parse(&text), broken).map(|email| Name {
            text: email.as_str().to_owned(),
            key: email.key().to_owned(),
        }),
    };
    let username = edited(username, |text| {
        let parsed = field("username", Username::parse(text), broken)?;
        Some(Name {
            text: parsed.as_str().to_owned(),
            key: parsed.key().to_owned(),
        })
    });
    let name = edited(name, |text| {
        let parsed = field("name", DisplayName::parse(text), broken)?;
        Some(parsed.as_str().to_owned())
    });
    ProfileChange {
        email,
        username,
        name,
    }
}

/// An empty text is taken for none, as in a registration. Where `parse` refuses, nothing is changed.
fn edited<T>(edit: Edit<String>, parse: impl FnOnce(&str) -> Option<T>) -> Option<Option<T>> {
    match edit {
        Edit::Keep => None,
        Edit::Clear => Some(None),
        Edit::Set(text) if text.trim().is_empty() => Some(None),
        Edit::Set(text) => parse(&text).map(Some),
    }
}

fn current(entered: SecretString, broken: &mut Vec<FieldError>) -> Option<Password> {
    let password: Result<Password, Refusal> = Password::for_login(entered);
    field("current_password", password, broken)
}

fn required(field: &'static str, message: &'static str) -> FieldError {
    FieldError {
        field: field.into(),
        code: "required",
        message: message.into(),
    }
}
