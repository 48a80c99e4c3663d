//! The life of a session: opened with a proof for the device, refreshed, recognised, listed, ended.

use std::{sync::Arc, time::Duration};

use store::{
    Actor, AuditKind, NewAudit, NewSession, Rotation, RotationOutcome, SESSIONS_OF_A_USER, Session,
    SignedIn, SuccessorProof, Timestamp, User,
};
use subtle::ConstantTimeEq as _;
use tokio::sync::OwnedSemaphorePermit;
use uuid::Uuid;

use crate::{
    Accounts, Caller, Credential, Error, Mode, Peer, entropy, meter,
    standing::Scope,
    throttle::{Network, Quota},
    token::{Bearing, RefreshToken},
};

/// The use of a cookie session is noted at most this often.
const TOUCH_INTERVAL: Duration = Duration::from_secs(5 * 60);
/// Where a session lasts but minutes unused, its use is noted after this part of them.
const TOUCHES: u32 = 4;
/// So many uses are noted at once at the most. A page asks for its parts all at once, and one of them is enough; and where the
/// database takes no writing, whoever only reads must neither wait for that nor keep others from its connections.
pub(crate) const NOTED_AT_ONCE: usize = 4;

/// An access token for a page whose session is a cookie, to be held in memory.
pub struct Granted {
    /// Whose it is.
    pub user: User,
    /// The access token, a JWT.
    pub access_token: String,
    /// For how long it is good.
    pub expires_in: Duration,
    /// What is left of the limit that this was counted by.
    pub quota: Option<Quota>,
}

/// A session that was just opened or refreshed, with what the device is to keep.
pub struct Opened {
    /// Whose it is.
    pub user: User,
    /// What the device is to keep.
    pub proof: Proof,
    /// What is left of the limit that this was counted by.
    pub quota: Option<Quota>,
}

/// What a device keeps of a session. It is shown once.
pub enum Proof {
    /// A pair of tokens.
    Tokens {
        /// The access token, a JWT.
        access_token: String,
        /// For how long it is good.
        expires_in: Duration,
        /// The refresh token, good for one use.
        refresh_token: String,
        /// For how long it is good if it is not used.
        refresh_expires_in: Duration,
    },
    /// The value of the session cookie.
    Cookie {
        /// A JWT that only this program accepts.
        value: String,
        /// For how long it is good at the most.
        expires_in: Duration,
    },
}

/// That a cookie session was used, as it is noted.
#[derive(Clone, Copy)]
struct Use {
    at: Timestamp,
    /// Not again where one was noted after this.
    unless_since: Timestamp,
    /// For how long the session then lasts unused.
    idle_expires_at: Timestamp,
}

/// A session that is about to be stored.
pub(crate) struct PendingSession {
    row: NewSession,
    /// The first refresh token, for a session that has them.
    first: Option<RefreshToken>,
}

impl PendingSession {
    pub(crate) fn row(&self) -> NewSession {
        self.row.clone()
    }
}

impl Accounts {
    /// Exchanges a refresh token for a new pair. A token that was consumed a moment ago gives
    /// the same pair again, so that a lost answer or a second tab logs nobody out.
    ///
    /// # Errors
    /// [`Error::InvalidToken`], which changes nothing; [`Error::ExpiredToken`];
    /// [`Error::RevokedToken`]; [`Error::TokenReused`], which has ended the session;
    /// [`Error::Limited`].
    pub async fn refresh(&self, token: &str, peer: &Peer) -> Result<Opened, Error> {
        let refreshed = self.exchange(token, peer).await;
        meter::refresh(&refreshed);
        refreshed
    }

    async fn exchange(&self, token: &str, peer: &Peer) -> Result<Opened, Error> {
        let quota = self.0.throttle.refresh(Network::of(peer.address)).await?;
        let presented = self.0.refresh.read(token)?;
        let nonce: [u8; 16] = entropy::bytes();
        let successor = self.0.refresh.successor(&presented, &nonce);
        let now = self.0.clock.now();
        let rotation = Rotation {
            session: presented.session(),
            generation: presented.generation(),
            token_hash: presented.hash(),
            successor: SuccessorProof {
                nonce: nonce.to_vec(),
                hash: successor.hash(),
            },
            now,
            idle_expires_at: now.plus(self.0.policy.refresh_idle_ttl),
            grace: self.0.policy.refresh_grace,
            reuse: self.audit(
                AuditKind::RefreshedReuse,
                Actor::Anonymous,
                None,
                Some(peer),
            ),
        };
        let rotating = self.revoking(Scope::Session(rotation.session), |store| async move {
            store.rotate(rotation).await
        });
        match rotating.await? {
            RotationOutcome::Rotated(signed_in) => {
                self.refreshed(signed_in, &successor, now, quota)
            }
            RotationOutcome::Repeated(signed_in, proof) => {
                let successor = self.0.refresh.successor(&presented, &proof.nonce);
                // Holds for every authentic token; a row that says otherwise is not ours.
                if !bool::from(successor.hash().ct_eq(&proof.hash)) {
                    return Err(Error::InvalidToken(
                        "not the predecessor of the current token",
                    ));
                }
                self.refreshed(signed_in, &successor, now, quota)
            }
            RotationOutcome::Reused(user) => {
                tracing::warn!(user.id = %user, "A refresh token of user {user} was used twice; the session is ended");
                Err(Error::TokenReused)
            }
            RotationOutcome::Expired => Err(Error::ExpiredToken),
            RotationOutcome::Ended => Err(Error::RevokedToken),
            RotationOutcome::NeverIssued => {
                Err(Error::InvalidToken("never issued by this database"))
            }
        }
    }

    /// The user that an access token proves to be calling.
    ///
    /// # Errors
    /// [`Error::InvalidToken`], [`Error::ExpiredToken`], [`Error::RevokedToken`].
    pub async fn caller_of_bearer(&self, token: &str) -> Result<Caller, Error> {
        let now = self.0.clock.now();
        let bearing = self.verify_access(token, now).await?;
        let SignedIn { session, user } = Arc::unwrap_or_clone(self.standing(bearing, now).await?);
        Ok(Caller {
            user,
            session: session.id,
            mode: session.kind,
            credential: Credential::Bearer,
        })
    }

    /// The user that a session cookie proves to be calling. It counts as use of the session.
    ///
    /// # Errors
    /// [`Error::InvalidToken`], [`Error::ExpiredToken`], [`Error::RevokedToken`].
    pub async fn caller_of_cookie(&self, cookie: &str) -> Result<Caller, Error> {
        let now = self.0.clock.now();
        let SignedIn { session, user } = self.use_cookie(cookie, now).await?;
        Ok(Caller {
            user,
            session: session.id,
            mode: session.kind,
            credential: Credential::Cookie,
        })
    }

    /// The session of a cookie that is used at `now`.
    async fn use_cookie(&self, cookie: &str, now: Timestamp) -> Result<SignedIn, Error> {
        let bearing = self.0.cookies.verify(cookie, now)?;
        let mut signed_in = Arc::unwrap_or_clone(self.standing(bearing, now).await?);
        let session = &mut signed_in.session;
        if session.kind != Mode::Cookie {
            return Err(Error::InvalidToken("not the cookie of this session"));
        }
        let idle_ttl = self.0.policy.cookie_idle_ttl;
        let interval = TOUCH_INTERVAL.min(idle_ttl / TOUCHES);
        let is_due = now.saturating_since(session.last_used_at) >= interval;
        if is_due
            && self.0.store.check_writable().is_ok()
            // The next request finds it due as well.
            && let Ok(turn) = Arc::clone(&self.0.noting).try_acquire_owned()
        {
            let used = Use {
                at: now,
                unless_since: now.minus(interval),
                idle_expires_at: now.plus(idle_ttl),
            };
            if self.note_use(used, session.id, turn).await {
                session.idle_expires_at = used.idle_expires_at;
            }
        }
        Ok(signed_in)
    }

    /// Notes a use of a session, and says whether that was possible. The turn at it is held until the store is done,
    /// also where whoever asked leaves before.
    async fn note_use(&self, used: Use, session: Uuid, turn: OwnedSemaphorePermit) -> bool {
        let accounts = self.clone();
        let noted = async move {
            let _turn = turn;
            let Accounts(inner) = &accounts;
            let touched = inner.store.touch_session(
                session,
                used.at,
                used.unless_since,
                used.idle_expires_at,
            );
            match touched.await {
                // Another program may have noted a use before, so the times are read again.
                Ok(()) => {
                    inner.standing.forget(Scope::Session(session));
                    true
                }
                // The proof is good whether or not its use can be noted: reading goes on.
                Err(error) => {
                    tracing::warn!(error.message = %error, "The use of a session could not be noted: {error}");
                    false
                }
            }
        };
        store::spawn(noted).await.unwrap_or(false)
    }

    /// Whether the session of a caller still stands, whatever has become of the proof: for what was begun with it and
    /// goes on. It counts as no use.
    ///
    /// # Errors
    /// [`Error::ExpiredToken`], [`Error::RevokedToken`].
    pub async fn still_stands(&self, caller: &Caller) -> Result<(), Error> {
        let bearing = Bearing {
            user: caller.user.id,
            session: caller.session,
        };
        self.standing(bearing, self.0.clock.now()).await.map(drop)
    }

    /// Gives an access token for the session of a cookie, whose use this is.
    ///
    /// # Errors
    /// [`Error::InvalidToken`], [`Error::ExpiredToken`], [`Error::RevokedToken`],
    /// [`Error::Limited`].
    pub async fn refresh_by_cookie(&self, cookie: &str, peer: &Peer) -> Result<Granted, Error> {
        let granted = self.grant_by_cookie(cookie, peer).await;
        meter::refresh(&granted);
        granted
    }

    async fn grant_by_cookie(&self, cookie: &str, peer: &Peer) -> Result<Granted, Error> {
        let quota = self.0.throttle.refresh(Network::of(peer.address)).await?;
        let now = self.0.clock.now();
        let SignedIn { session, user } = self.use_cookie(cookie, now).await?;
        let bearing = Bearing {
            user: user.id,
            session: session.id,
        };
        let session_ends_at = session.idle_expires_at.min(session.expires_at);
        let (access_token, expires_in) = self.access_token(bearing, &user, now, session_ends_at);
        Ok(Granted {
            access_token,
            expires_in,
            user,
            quota,
        })
    }

    /// The open sessions of the caller, the last used first.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn sessions(&self, caller: &Caller) -> Result<Vec<Session>, Error> {
        let now = self.0.clock.now();
        let listed = self
            .0
            .store
            .list_sessions(caller.user.id, now, SESSIONS_OF_A_USER);
        Ok(listed.await?)
    }

    /// Ends one session of the caller, which may be the one that asks.
    ///
    /// # Errors
    /// [`Error::NoSuchSession`], for those of others too.
    pub async fn end_session(
        &self,
        caller: &Caller,
        session: Uuid,
        peer: &Peer,
    ) -> Result<(), Error> {
        let audit = self.session_ended(caller, serde_json::json!({ "session": session }), peer);
        let user = caller.user.id;
        let ending = self.revoking(Scope::Session(session), move |store| async move {
            store.close_session_of(user, session, audit).await
        });
        match ending.await? {
            true => Ok(()),
            false => Err(Error::NoSuchSession),
        }
    }

    /// Ends every session of the caller but the one that asks.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn end_other_sessions(&self, caller: &Caller, peer: &Peer) -> Result<(), Error> {
        let kept = caller.session;
        let audit = self.session_ended(caller, serde_json::json!({ "all_but": kept }), peer);
        let user = caller.user.id;
        let ending = self.revoking(Scope::User(user), move |store| async move {
            store.close_other_sessions(user, kept, audit).await
        });
        ending.await?;
        Ok(())
    }

    /// Ends the session of an access token, also of one whose time is over. A token that is not
    /// ours, or whose session has ended, is no error: nobody is logged in by it.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the session may go on.
    pub async fn logout_bearer(&self, token: &str, peer: &Peer) -> Result<(), Error> {
        match self.verify_access_at_any_time(token).await {
            Ok(bearing) => {
                self.end(bearing.session, Actor::User(bearing.user), peer)
                    .await
            }
            Err(Error::InvalidToken(_) | Error::ExpiredToken | Error::RevokedToken) => Ok(()),
            // Whether it is ours is not known, so the session may go on.
            Err(error) => Err(error),
        }
    }

    /// Ends the session of a cookie, with the same rule.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the session may go on.
    pub async fn logout_cookie(&self, cookie: &str, peer: &Peer) -> Result<(), Error> {
        match self.0.cookies.verify(cookie, self.0.clock.now()) {
            Ok(bearing) => {
                self.end(bearing.session, Actor::User(bearing.user), peer)
                    .await
            }
            Err(_) => Ok(()),
        }
    }

    /// Ends the session of a refresh token of any generation, with the same rule.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the session may go on.
    pub async fn logout_refresh_token(&self, token: &str, peer: &Peer) -> Result<(), Error> {
        let Ok(presented) = self.0.refresh.read(token) else {
            return Ok(());
        };
        let Some(signed_in) = self.0.store.signed_in(presented.session()).await? else {
            return Ok(());
        };
        self.end(signed_in.session.id, Actor::User(signed_in.user.id), peer)
            .await
    }

    /// The row of a session to open, and the secret that goes with it.
    pub(crate) fn new_session(&self, user: Uuid, mode: Mode, peer: &Peer) -> PendingSession {
        let created_at = self.0.clock.now();
        let id = entropy::uuid_v7(created_at);
        let policy = &self.0.policy;
        let (idle, absolute, first) = match mode {
            Mode::Token => (
                policy.refresh_idle_ttl,
                policy.refresh_absolute_ttl,
                Some(self.0.refresh.first(id)),
            ),
            Mode::Cookie => (policy.cookie_idle_ttl, policy.cookie_absolute_ttl, None),
        };
        let row = NewSession {
            id,
            user,
            kind: mode,
            token_hash: first.as_ref().map(RefreshToken::hash),
            created_at,
            idle_expires_at: created_at.plus(idle),
            expires_at: created_at.plus(absolute),
            address: Some(peer.address.to_string()),
            user_agent: peer.user_agent.clone(),
        };
        PendingSession { row, first }
    }

    /// What the device gets of a session that is now stored.
    pub(crate) fn opened(
        &self,
        pending: PendingSession,
        user: User,
        quota: Option<Quota>,
    ) -> Opened {
        let PendingSession { row, first } = pending;
        let bearing = Bearing {
            user: user.id,
            session: row.id,
        };
        let now = row.created_at;
        let proof = match first {
            Some(token) => {
                let session_ends_at = row.idle_expires_at.min(row.expires_at);
                self.tokens(bearing, &user, &token, now, session_ends_at)
            }
            None => Proof::Cookie {
                value: self.0.cookies.issue(bearing, now, row.expires_at),
                expires_in: row.expires_at.saturating_since(now),
            },
        };
        Opened { user, proof, quota }
    }

    fn refreshed(
        &self,
        signed_in: SignedIn,
        successor: &RefreshToken,
        now: Timestamp,
        quota: Option<Quota>,
    ) -> Result<Opened, Error> {
        let SignedIn { session, user } = signed_in;
        if !user.is_active() {
            return Err(Error::RevokedToken);
        }
        let bearing = Bearing {
            user: user.id,
            session: session.id,
        };
        let session_ends_at = session.idle_expires_at.min(session.expires_at);
        let proof = self.tokens(bearing, &user, successor, now, session_ends_at);
        Ok(Opened { user, proof, quota })
    }

    /// The tokens of a session that ends then if it is not refreshed.
    fn tokens(
        &self,
        bearing: Bearing,
        user: &User,
        refresh: &RefreshToken,
        now: Timestamp,
        session_ends_at: Timestamp,
    ) -> Proof {
        let (access_token, expires_in) = self.access_token(bearing, user, now, session_ends_at);
        Proof::Tokens {
            access_token,
            expires_in,
            refresh_token: refresh.expose(),
            refresh_expires_in: session_ends_at.saturating_since(now),
        }
    }

    fn access_token(
        &self,
        bearing: Bearing,
        user: &User,
        now: Timestamp,
        session_ends_at: Timestamp,
    ) -> (String, Duration) {
        let (id, roles) = (entropy::uuid_v7(now), user.roles.iter());
        self.0
            .access
            .issue(bearing, roles, id, now, session_ends_at)
    }

    fn session_ended(&self, caller: &Caller, which: serde_json::Value, peer: &Peer) -> NewAudit {
        NewAudit {
            detail: Some(which),
            ..self.audit_by(caller, AuditKind::SessionEnded, peer)
        }
    }

    async fn end(&self, session: Uuid, actor: Actor, peer: &Peer) -> Result<(), Error> {
        let subject = match actor {
            Actor::User(user) => Some(user),
            Actor::Anonymous | Actor::Operator => None,
        };
        let audit = self.audit(AuditKind::Logout, actor, subject, Some(peer));
        let closing = self.revoking(Scope::Session(session), move |store| async move {
            store.close_session(session, audit).await
        });
        closing.await?;
        Ok(())
    }
}
