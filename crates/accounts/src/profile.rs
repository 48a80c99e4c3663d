//! The part of an account that its user edits, and the end of an account by its user. Names are what
//! one logs in with, so they change, and accounts end, for whoever proves the password once more.

use secrecy::SecretString;
use store::{AuditKind, Editing, Name, NewAudit, OwnDeletion, ProfileChange, User};

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
        let fields = change.fields();
        if fields.is_empty() {
            return Ok(caller.user.clone());
        }
        let seen = match password {
            Some(password) => {
                let seen = self.prove_again(caller, password, peer).await?;
                // The answer tells whether a name is taken, as that to a registration does.
                self.0.throttle.register(Network::of(peer.address))?;
                Some(seen)
            }
            None => None,
        };
        let was_proved = seen.is_some();
        let audit = NewAudit {
            detail: Some(serde_json::json!({ "fields": fields })),
            ..self.audit_by(caller, AuditKind::ProfileChanged, peer)
        };
        let user = caller.user.id;
        let changing = self.revoking(Scope::User(user), move |store| async move {
            store.change_profile(user, change, seen, audit).await
        });
        match changing.await? {
            Editing::Changed(user) => Ok(user),
            Editing::Stale if was_proved => Err(self.refuse_caller(caller, peer).await),
            Editing::Stale => Err(Error::RevokedToken),
        }
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

/// What is to change about `user`, and the password if that needs one.
fn parse(edit: ProfileEdit, user: &User) -> Result<(ProfileChange, Option<Password>), Error> {
    let mut broken = Vec::new();
    let change = parse_names(edit.email, edit.username, edit.name, &mut broken).beyond(user);
    let mut password = None;
    if change.email.is_some() || change.username.is_some() {
        password = match edit.current_password {
            Some(entered) => current(entered, &mut broken),
            None => {
                broken.push(required(
                    "current_password",
                    "Changing the e-mail address or the username needs your password.",
                ));
                None
            }
        };
    }
    if !broken.is_empty() {
        return Err(Error::Invalid(broken));
    }
    Ok((change, password))
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
