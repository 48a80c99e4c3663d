//! Logging in. Wrong, unknown, deleted and disabled get the same answer after the same work:
//! one look-up, one hash, one record.

use secrecy::SecretString;
use store::{Actor, AuditKind, Credentials, LoginKey, NewAudit, Opening};

use crate::{
    Accounts, Error, Mode, Peer,
    hash::{HashError, Verdict},
    names,
    password::Password,
    register::field,
    sessions::Opened,
    throttle::{Limited, LoginAttempt, Network},
};

/// What somebody enters to log in.
pub struct Login {
    /// An e-mail address or a username.
    pub login: String,
    /// The password.
    pub password: SecretString,
}

impl Accounts {
    /// Opens a new session for whoever knows the name and the password of an account.
    ///
    /// # Errors
    /// [`Error::InvalidCredentials`], the same for every reason; [`Error::Limited`];
    /// [`Error::Invalid`] for a password that is too long to be one; [`Error::Unavailable`]
    /// when the hashing queue is full.
    pub async fn login(&self, entered: Login, mode: Mode, peer: &Peer) -> Result<Opened, Error> {
        let mut broken = Vec::new();
        let password = field(
            "password",
            Password::for_login(entered.password),
            &mut broken,
        )
        .ok_or(Error::Invalid(broken))?;
        let name = names::Login::new(&entered.login);
        let found = self.find(&name).await?;
        let attempt = self.admit(&name, found.as_ref(), peer).await?;

        let hash = found.as_ref().and_then(|found| found.password_hash.clone());
        let verdict = match self.0.gate.verify(password.clone(), hash.clone()).await {
            Ok(verdict) => verdict,
            Err(error) => {
                // Nobody judged the password, so the try is not counted.
                attempt.unjudged();
                return Err(error.into());
            }
        };
        let (Some(found), Some(hash)) = (found.filter(|found| found.user.is_active()), hash) else {
            return self.refuse(&name, None, peer).await;
        };
        let user = found.user.id;
        let stronger = match verdict {
            Verdict::NoMatch => return self.refuse(&name, Some(user), peer).await,
            Verdict::Unusable(reason) => {
                tracing::error!(user.id = %user, reason, "The password hash of user {user} cannot be checked: {reason}");
                return self.refuse(&name, Some(user), peer).await;
            }
            Verdict::Match => None,
            // A full queue is no reason to refuse a right password: the hash is replaced another time.
            Verdict::MatchButWeak => self.0.gate.hash(password).await.ok(),
        };
        let pending = self.new_session(user, mode, peer);
        let audit = self.audit(AuditKind::Login, Actor::User(user), Some(user), Some(peer));
        match self
            .0
            .store
            .open_session(pending.row(), hash, stronger, audit)
            .await?
        {
            Opening::Opened(user) => {
                attempt.succeeded();
                Ok(self.opened(pending, user, None))
            }
            // The account changed while the password was being checked.
            Opening::Stale => self.refuse(&name, Some(user), peer).await,
        }
    }

    async fn find(&self, name: &names::Login) -> Result<Option<Credentials>, Error> {
        Ok(self.0.store.credentials(lookup(name)).await?)
    }

    /// Counts the attempt as failed before it is judged, so that many at once cannot exceed a
    /// limit. Username and e-mail address of one account share a counter.
    async fn admit(
        &self,
        name: &names::Login,
        found: Option<&Credentials>,
        peer: &Peer,
    ) -> Result<LoginAttempt, Error> {
        let account =
            found.map_or_else(|| name.key().to_owned(), |found| found.user.id.to_string());
        match self.0.throttle.login(&account, Network::of(peer.address)) {
            Ok(attempt) => Ok(attempt),
            Err(limited) => {
                self.record_limited(&limited, name, found, peer).await?;
                Err(limited.into())
            }
        }
    }

    /// Records that a limit was reached, once for each time that it is: a row for each refused
    /// try would let a stranger fill the disk.
    async fn record_limited(
        &self,
        limited: &Limited,
        name: &names::Login,
        found: Option<&Credentials>,
        peer: &Peer,
    ) -> Result<(), Error> {
        if !limited.first {
            return Ok(());
        }
        let user = found.map(|found| found.user.id);
        let audit = self.audit(AuditKind::LoginLimited, Actor::Anonymous, user, Some(peer));
        Ok(self.0.store.record(self.with_name(audit, name)).await?)
    }

    async fn refuse(
        &self,
        name: &names::Login,
        user: Option<uuid::Uuid>,
        peer: &Peer,
    ) -> Result<Opened, Error> {
        let audit = self.audit(AuditKind::LoginFailed, Actor::Anonymous, user, Some(peer));
        self.0.store.record(self.with_name(audit, name)).await?;
        Err(Error::InvalidCredentials)
    }

    /// Adds what was typed, as a keyed hash: it may be a password in the wrong field.
    fn with_name(&self, audit: NewAudit, name: &names::Login) -> NewAudit {
        if audit.subject.is_some() {
            return audit;
        }
        let hash = aws_lc_rs::hmac::sign(&self.0.audit_name, name.key().as_bytes());
        let hash = hash.as_ref()[..16]
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect::<String>();
        NewAudit {
            detail: Some(serde_json::json!({ "name_hash": hash })),
            ..audit
        }
    }
}

/// Where an account of this name would be found.
pub(crate) fn lookup(name: &names::Login) -> LoginKey {
    let key = name.key().to_owned();
    match name.column() {
        names::LoginColumn::Email => LoginKey::Email(key),
        names::LoginColumn::Username => LoginKey::Username(key),
    }
}

impl From<HashError> for Error {
    fn from(error: HashError) -> Self {
        match error {
            HashError::Busy => Self::Unavailable("the hashing queue is full".to_owned()),
            HashError::Failed(_) => Self::Internal(error.to_string()),
        }
    }
}
