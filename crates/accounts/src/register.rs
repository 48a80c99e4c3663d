//! Registration: who may have a new account, and under which names.

use std::collections::BTreeSet;

use secrecy::SecretString;
use store::{Actor, AuditKind, NewUser, User};

use crate::{
    Accounts, Error, FieldError, Mode, Peer, entropy, meter,
    names::{DisplayName, Email, Refusal, Username},
    password::{self, Password},
    sessions::Opened,
    throttle::{Network, Standing},
};

/// What somebody enters to get an account.
pub struct Registration {
    /// The e-mail address.
    pub email: String,
    /// The password.
    pub password: SecretString,
    /// A name to log in with.
    pub username: Option<String>,
    /// A name to be called by.
    pub name: Option<String>,
}

/// The parts of a new account, each of which keeps the rules.
pub(crate) struct Parsed {
    pub(crate) email: Email,
    pub(crate) username: Option<Username>,
    pub(crate) name: Option<DisplayName>,
    pub(crate) password: Password,
}

impl Accounts {
    /// Makes an account and opens its first session.
    ///
    /// # Errors
    /// [`Error::RegistrationClosed`], [`Error::Invalid`] with every broken rule,
    /// [`Error::Limited`], [`Error::EmailTaken`], [`Error::UsernameTaken`], [`Error::ReadOnly`].
    pub async fn register(
        &self,
        registration: Registration,
        mode: Mode,
        peer: &Peer,
    ) -> Result<Opened, Error> {
        let registered = self.admit_newcomer(registration, mode, peer).await;
        meter::registration(&registered);
        registered
    }

    async fn admit_newcomer(
        &self,
        registration: Registration,
        mode: Mode,
        peer: &Peer,
    ) -> Result<Opened, Error> {
        self.0.store.check_writable()?;
        if !self.0.policy.registration_open {
            return Err(Error::RegistrationClosed);
        }
        let parsed = Parsed::parse(registration, &self.0.policy.password_rules())?;
        // Counted where the work begins, so that mistakes in a form cost nobody their tries.
        let quota = self.0.throttle.register(Network::of(peer.address)).await?;
        let gate = self.0.gate.for_standing(Standing::Untried);
        let hash = gate.hash(parsed.password.clone()).await?;
        let user = self.new_user(parsed, hash, BTreeSet::new(), false);
        let pending = self.new_session(user.id, mode, peer);
        let audit = self.audit(
            AuditKind::Registered,
            Actor::User(user.id),
            Some(user.id),
            Some(peer),
        );
        let user = self.0.store.register(user, pending.row(), audit).await?;
        Ok(self.opened(pending, user, quota))
    }

    /// Holds a new password against the rules for this user, whose own names are none.
    pub(crate) fn new_password(
        &self,
        user: &User,
        entered: SecretString,
    ) -> Result<Password, Refusal> {
        let rules = self.0.policy.password_rules();
        let email = Email::parse(&user.email).ok();
        let username = user.username.as_deref().map(Username::parse);
        let username = username.and_then(Result::ok);
        Password::for_setting(entered, &rules, email.as_ref(), username.as_ref())
    }

    /// The row of a new account.
    pub(crate) fn new_user(
        &self,
        parsed: Parsed,
        password_hash: String,
        roles: BTreeSet<String>,
        email_verified: bool,
    ) -> NewUser {
        let created_at = self.0.clock.now();
        NewUser {
            id: entropy::uuid_v7(created_at),
            email: parsed.email.as_str().to_owned(),
            email_key: parsed.email.key().to_owned(),
            username: parsed
                .username
                .as_ref()
                .map(|name| name.as_str().to_owned()),
            username_key: parsed.username.as_ref().map(|name| name.key().to_owned()),
            name: parsed.name.map(|name| name.as_str().to_owned()),
            password_hash: Some(password_hash),
            email_verified,
            roles,
            disabled_at: None,
            created_at,
        }
    }
}

impl Parsed {
    /// Holds each field against its rules and names every broken one at once.
    pub(crate) fn parse(entered: Registration, rules: &password::Rules) -> Result<Self, Error> {
        let mut broken = Vec::new();
        let email = field("email", Email::parse(&entered.email), &mut broken);
        let username = optional(entered.username, |text| {
            field("username", Username::parse(text), &mut broken)
        });
        let name = optional(entered.name, |text| {
            field("name", DisplayName::parse(text), &mut broken)
        });
        let password =
            Password::for_setting(entered.password, rules, email.as_ref(), username.as_ref());
        let password = field("password", password, &mut broken);
        match (email, password) {
            (Some(email), Some(password)) if broken.is_empty() => Ok(Self {
                email,
                username,
                name,
                password,
            }),
            _ => Err(Error::Invalid(broken)),
        }
    }
}

/// Notes a refusal under the name of its field.
pub(crate) fn field<T>(
    field: &'static str,
    parsed: Result<T, Refusal>,
    broken: &mut Vec<FieldError>,
) -> Option<T> {
    parsed
        .map_err(|Refusal { code, message }| {
            broken.push(FieldError {
                field: field.into(),
                code,
                message,
            });
        })
        .ok()
}

/// An empty field of a form is one that was left out.
fn optional<T>(entered: Option<String>, parse: impl FnOnce(&str) -> Option<T>) -> Option<T> {
    entered
        .filter(|text| !text.trim().is_empty())
        .and_then(|text| parse(&text))
}
