//! Logging in, and proving the password once more. Wrong, unknown, deleted and disabled get the
//! same answer after the same work: one look-up, one hash, one record.

use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use secrecy::SecretString;
use store::{Actor, AuditKind, Credentials, NewAudit, Opening};
use uuid::Uuid;

use crate::{
    Accounts, Caller, Error, Mode, Peer,
    hash::{HashError, HashGate, Verdict},
    meter, names,
    password::Password,
    register::field,
    sessions::Opened,
    standing::Scope,
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
    /// Opens a new session for whoever knows the name and the password of an account. An attempt
    /// that was begun is judged to its end, also when the client goes away: it was counted as a
    /// failure, and nobody else would take that back.
    ///
    /// # Errors
    /// [`Error::InvalidCredentials`], the same for every reason; [`Error::Limited`];
    /// [`Error::Invalid`] for a password that is too long to be one; [`Error::Unavailable`]
    /// when the hashing queue is full; [`Error::ReadOnly`].
    pub async fn login(&self, entered: Login, mode: Mode, peer: &Peer) -> Result<Opened, Error> {
        // Before any work: a login that cannot open a session must not cost a hash.
        self.0.store.check_writable()?;
        let mut broken = Vec::new();
        let password = field(
            "password",
            Password::for_login(entered.password),
            &mut broken,
        )
        .ok_or(Error::Invalid(broken))?;
        let name = names::Login::new(&entered.login);
        let (accounts, peer) = (self.clone(), peer.clone());
        let judging = async move {
            let judged = accounts.judge(name, password, mode, &peer).await;
            meter::login(&judged);
            judged
        };
        store::spawn(judging).await.map_err(unfinished)?
    }

    /// Has a caller prove their password once more, counted and judged like a login, and gives the
    /// hash that it was compared with. What follows is to happen only while that is the stored one.
    ///
    /// # Errors
    /// [`Error::InvalidCredentials`], [`Error::Limited`], [`Error::Unavailable`],
    /// [`Error::ReadOnly`].
    pub(crate) async fn prove_again(
        &self,
        caller: &Caller,
        password: Password,
        peer: &Peer,
    ) -> Result<String, Error> {
        self.0.store.check_writable()?;
        let (accounts, caller, peer) = (self.clone(), caller.clone(), peer.clone());
        let judging = async move { accounts.judge_again(&caller, password, &peer).await };
        store::spawn(judging).await.map_err(unfinished)?
    }

    async fn judge_again(
        &self,
        caller: &Caller,
        password: Password,
        peer: &Peer,
    ) -> Result<String, Error> {
        let id = caller.user.id;
        let found = self.0.store.credentials_of(id).await?;
        let account = id.to_string();
        let attempt = match self
            .0
            .throttle
            .login(&account, Network::of(peer.address))
            .await
        {
            Ok(attempt) => attempt,
            Err(limited) => {
                if limited.first {
                    let audit = self.audit_by(caller, AuditKind::LoginLimited, peer);
                    self.0.store.record(audit).await?;
                }
                return Err(limited.into());
            }
        };
        let hash = found.and_then(|found| found.password_hash);
        let gate = self.0.gate.for_standing(attempt.standing());
        let verdict = match gate.verify(password, hash.clone()).await {
            Ok(verdict) => verdict,
            Err(failure) => {
                attempt.unjudged().await;
                return Err(failure.into());
            }
        };
        match (verdict, hash) {
            (Verdict::Match | Verdict::MatchButWeak, Some(hash)) => {
                attempt.succeeded().await;
                Ok(hash)
            }
            (Verdict::Unusable(reason), _) => {
                unusable(id, reason);
                Err(self.refuse_caller(caller, peer).await)
            }
            _ => Err(self.refuse_caller(caller, peer).await),
        }
    }

    /// Records that a caller did not prove their password, or that the account has changed since
    /// they did.
    pub(crate) async fn refuse_caller(&self, caller: &Caller, peer: &Peer) -> Error {
        let audit = self.audit_by(caller, AuditKind::LoginFailed, peer);
        match self.0.store.record(audit).await {
            Ok(()) => Error::InvalidCredentials,
            Err(failure) => failure.into(),
        }
    }

    async fn judge(
        &self,
        name: names::Login,
        password: Password,
        mode: Mode,
        peer: &Peer,
    ) -> Result<Opened, Error> {
        let found = self.find(&name).await?;
        let attempt = self.admit(&name, found.as_ref(), peer).await?;

        let gate = self.0.gate.for_standing(attempt.standing());
        let user = found.as_ref().map(|found| found.user.id);
        match self.prove(&gate, found, password, mode, peer).await {
            Ok(Some(opened)) => {
                attempt.succeeded().await;
                Ok(opened)
            }
            // The attempt stands, also where it cannot be recorded: or nothing would limit guesses while the disk is full.
            Ok(None) => self.refuse(&name, user, peer).await,
            // Nobody said whether the password was right, so the attempt counts for nothing.
            Err(failure) => {
                attempt.unjudged().await;
                Err(failure)
            }
        }
    }

    /// Compares the password, whoever's it may be, and opens the session if it is the one.
    async fn prove(
        &self,
        gate: &HashGate,
        found: Option<Credentials>,
        password: Password,
        mode: Mode,
        peer: &Peer,
    ) -> Result<Option<Opened>, Error> {
        let user = found.as_ref().map(|found| found.user.id);
        let hash = found.as_ref().and_then(|found| found.password_hash.clone());
        let verdict = gate.verify(password.clone(), hash.clone()).await?;
        let (Some(found), Some(hash)) = (found.filter(|found| found.user.is_active()), hash) else {
            return Ok(None);
        };
        let id = found.user.id;
        let stronger = match verdict {
            Verdict::NoMatch => return Ok(None),
            Verdict::Unusable(reason) => {
                unusable(id, reason);
                return Ok(None);
            }
            Verdict::Match => None,
            // A full queue is no reason to refuse a right password: the hash is replaced another time. Nor is a
            // password that bcrypt could not hold: its hash stays as it is.
            Verdict::MatchButWeak => self.0.gate.hash(password).await.ok(),
        };
        let pending = self.new_session(id, mode, peer);
        let audit = self.audit(AuditKind::Login, Actor::User(id), user, Some(peer));
        let displacement = self.audit(AuditKind::SessionEnded, Actor::User(id), user, Some(peer));
        let row = pending.row();
        let opening = self.revoking(Scope::User(id), move |store| async move {
            store
                .open_session(row, hash, stronger, audit, displacement)
                .await
        });
        match opening.await? {
            Opening::Opened(user) => Ok(Some(self.opened(pending, user, None))),
            // The account changed while the password was being checked.
            Opening::Stale => Ok(None),
        }
    }

    async fn find(&self, name: &names::Login) -> Result<Option<Credentials>, Error> {
        Ok(self.0.store.credentials(name.lookup()).await?)
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
        match self
            .0
            .throttle
            .login(&account, Network::of(peer.address))
            .await
        {
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
        user: Option<Uuid>,
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
        let hash = BASE64_URL_SAFE_NO_PAD.encode(&hash.as_ref()[..16]);
        NewAudit {
            detail: Some(serde_json::json!({ "name_hash": hash })),
            ..audit
        }
    }
}

/// Says no more of a panic than that there was one: its message may hold what was being worked on.
fn unfinished(_: tokio::task::JoinError) -> Error {
    Error::Internal("the judging of a password ended early".to_owned())
}

fn unusable(user: Uuid, reason: &'static str) {
    tracing::error!(user.id = %user, event.reason = reason, "The password hash of user {user} cannot be checked: {reason}");
}

impl From<HashError> for Error {
    fn from(error: HashError) -> Self {
        match error {
            HashError::Busy => Self::Unavailable("the hashing queue is full".to_owned()),
            HashError::Unsuitable | HashError::Failed(_) => Self::Internal(error.to_string()),
        }
    }
}
