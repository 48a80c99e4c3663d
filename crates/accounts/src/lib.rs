//! The rules of Vestibule: what an account may do, in the order in which policy reads.
//! It knows nothing of HTTP and nothing of SQL; what is atomic is decided by the crate `store`.
//!
//! [`Accounts`] is the one way in. Each public method of it is a rule, in the file of its name, such as `register`, `login`,
//! `sessions` (refresh, log out, who is calling) and `todos`.

mod admin;
mod caller;
mod change_password;
mod clock;
mod copy;
mod database;
mod documents;
mod entropy;
mod error;
mod export;
mod first_admin;
mod follow;
mod hash;
mod import;
mod load;
mod login;
mod meter;
mod names;
mod operator;
mod password;
mod policy;
mod profile;
mod redis_link;
mod register;
mod retention;
mod secret;
mod sessions;
mod signing;
mod standing;
mod throttle;
mod todos;
mod token;

use std::sync::Arc;

use store::{Actor, NewAudit, Store};
use uuid::Uuid;

use redis_link::{Bounds, RedisLink};

pub use admin::{AccountEdit, Admin, Figures};
pub use caller::{Caller, Credential, Peer};
pub use clock::Clock;
pub use copy::{
    Agreement, Comparison, CopyOutcome, CopyPlan, CopyProgress, CopySource, CopyStep, DatabaseCopy,
    TableComparison, TargetState,
};
pub use database::{
    Database, DatabaseOptions, DatabaseUrl, Engine, EngineReport, Link, MigrationStatus,
    MissingBound, OpenError, ReplicaReport, ReplicaState, Rollback, SchemaDifference, TlsMode,
    UrlProblem, migration_script,
};
pub use documents::WrittenDocument;
pub use error::{Error, FieldError, NotReady};
pub use export::{Export, ExportPage};
pub use first_admin::FirstAdmin;
pub use follow::{AuditFollower, AuditPosition};
pub use hash::{Argon2Cost, BcryptCost, HashCost, HashLoad};
pub use import::{
    FirebaseParameters, Import, ImportError, ImportField, ImportFormat, ImportLocation,
    ImportMapping, ImportOptions, ImportProgress, ImportReport, ImportSource, Passwordless,
    RefusedRow, UnfitNames,
};
pub use load::Load;
pub use login::Login;
pub use meter::describe as describe_metrics;
pub use names::{Role, is_steering};
pub use operator::{Change, HashCensus, NewAccount, Operator};
pub use policy::Policy;
pub use profile::{Edit, ProfileEdit};
pub use redis_link::{RedisReport, RedisUrl};
pub use register::Registration;
pub use retention::Purged;
pub use secret::{SECRET_KEY_BYTES, SecretKey, SecretKeyTooShort};
pub use sessions::{Granted, Opened, Proof};
pub use signing::{KeyChange, KeyRecord, KeyState};
pub use store::{
    Activity, Answer, AuditKind, AuditListing, AuditRecord, Document, DocumentEntry, HeldTodo,
    Page, Place, Session, SessionKind as Mode, Statistics, Timestamp, Todo, TodoList, TodoListing,
    TodoOrder, User, UserListing, UserStatus, VersionCondition, Versions,
};
pub use throttle::{Limit, Limited, Quota, ThrottleSettings};
pub use todos::{TodoContent, TodoEdit};
pub use token::{SigningAlgorithm, SigningKeyPair};

/// Fills `bytes` from the random source of the operating system, for secrets made at the doors.
pub fn fill_random(bytes: &mut [u8]) {
    entropy::fill(bytes);
}

/// The accounts of one installation. Cheap to clone.
#[derive(Clone)]
pub struct Accounts(Arc<Inner>);

struct Inner {
    store: Store,
    policy: Policy,
    clock: Clock,
    gate: hash::HashGate,
    throttle: throttle::Throttle,
    redis: Option<RedisLink>,
    access: token::AccessTokens,
    cookies: token::CookieTokens,
    refresh: token::RefreshTokens,
    signing: signing::KeySource,
    standing: standing::StandingCache,
    /// Turns at noting that a session is in use.
    noting: Arc<tokio::sync::Semaphore>,
    audit_name: aws_lc_rs::hmac::Key,
    import_id: aws_lc_rs::hmac::Key,
    figures: admin::LastFigures,
}

impl Accounts {
    /// Opens the accounts of a migrated database, founding them if it holds no keys yet.
    ///
    /// # Errors
    /// [`OpenError::OtherSecretKey`] when the database was founded with another secret key.
    pub async fn open(
        database: &Database,
        secret: &SecretKey,
        policy: Policy,
        clock: Clock,
    ) -> Result<Self, OpenError> {
        let store = database.store().clone();
        let keys = secret.keys();
        let now = clock.now();
        let known = match store.secret_key_check().await? {
            Some(check) => store::Founding::Existing { check },
            None => {
                let first = token::KeyRing::generate(&keys, policy.signing_algorithm, now, now);
                store.found(keys.check.clone(), first).await?
            }
        };
        if matches!(known, store::Founding::Existing { check } if check != keys.check) {
            return Err(OpenError::OtherSecretKey);
        }
        let stored = store.signing_keys().await?;
        let (issuer, audience) = (policy.issuer.clone(), policy.audience.clone());
        let cookies = token::CookieTokens::new(&keys, issuer.clone());
        let refresh = token::RefreshTokens::new(&keys);
        let audit_name = keys.audit_name.clone();
        let redis = policy
            .redis
            .clone()
            .map(|url| RedisLink::new(url, &keys.installation, clock.clone(), Bounds::default()));
        let throttle = throttle::Throttle::new(
            policy.limits,
            clock.clone(),
            keys.shared_counters.clone(),
            redis.clone(),
        );
        let import_id = keys.import_id.clone();
        let (ring, signing) = signing::open(&policy, keys, stored, now, clock.monotonic())?;
        let standing = standing::open(&store, &clock).await?;
        if !hash::is_right() {
            return Err(OpenError::WrongHashes);
        }
        Ok(Self(Arc::new(Inner {
            gate: hash::HashGate::new(
                policy.hash_cost,
                policy.hash_slots,
                policy.hash_queue,
                clock.clone(),
            ),
            throttle,
            redis,
            access: token::AccessTokens::new(ring, issuer, audience, policy.access_ttl),
            cookies,
            refresh,
            signing,
            standing,
            noting: Arc::new(tokio::sync::Semaphore::new(sessions::NOTED_AT_ONCE)),
            audit_name,
            import_id,
            figures: admin::LastFigures::default(),
            store,
            policy,
            clock,
        })))
    }

    /// What whoever runs the server may do. Only the command line may ask for it.
    #[must_use]
    pub fn operator(&self) -> Operator<'_> {
        Operator::of(self)
    }

    /// Whether requests can be answered.
    ///
    /// # Errors
    /// [`NotReady`].
    pub async fn check_ready(&self) -> Result<(), NotReady> {
        let store = &self.0.store;
        match store.check_ready().await {
            Err(error @ store::Error::NoConnection(_)) if store.is_crowded() => {
                Err(NotReady::Crowded(error))
            }
            ready => Ok(ready?),
        }
    }

    /// An id for a request: a UUIDv7, so that ids sort by time.
    #[must_use]
    pub fn new_request_id(&self) -> String {
        entropy::uuid_v7(self.0.clock.now()).to_string()
    }

    /// A record of what a caller did to their own account, of now.
    fn audit_by(&self, caller: &Caller, kind: AuditKind, peer: &Peer) -> NewAudit {
        let user = caller.user.id;
        self.audit(kind, Actor::User(user), Some(user), Some(peer))
    }

    /// A record of what `actor` did to `subject`, of now.
    fn audit(
        &self,
        kind: AuditKind,
        actor: Actor,
        subject: Option<Uuid>,
        peer: Option<&Peer>,
    ) -> NewAudit {
        let at = self.0.clock.now();
        NewAudit {
            id: entropy::uuid_v7(at),
            at,
            kind,
            actor,
            subject,
            address: peer.map(|peer| peer.address.to_string()),
            user_agent: peer.and_then(|peer| peer.user_agent.clone()),
            request_id: peer.and_then(|peer| peer.request_id.clone()),
            detail: None,
        }
    }
}

#[cfg(test)]
mod tests;
