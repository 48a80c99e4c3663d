//! What an operator may decide about accounts. The values are checked where they are read.

use std::{num::NonZeroUsize, time::Duration};

use crate::{
    RedisUrl, SigningAlgorithm, SigningKeyPair, hash::HashCost, password,
    throttle::ThrottleSettings,
};

/// The policy of an installation.
#[derive(Clone)]
pub struct Policy {
    /// Whether anybody may register.
    pub registration_open: bool,
    /// The fewest characters of a password.
    pub password_min_length: usize,
    /// The `iss` of tokens.
    pub issuer: String,
    /// The `aud` of access tokens.
    pub audience: String,
    /// The kind of new signing keys.
    pub signing_algorithm: SigningAlgorithm,
    /// The operator's own signing key, in place of those in the database.
    pub signing_key: Option<SigningKeyPair>,
    /// The life of an access token.
    pub access_ttl: Duration,
    /// The life of an unused refresh token.
    pub refresh_idle_ttl: Duration,
    /// The life of a session with refresh tokens.
    pub refresh_absolute_ttl: Duration,
    /// For how long a consumed refresh token gives its successor again.
    pub refresh_grace: Duration,
    /// The life of an unused cookie session.
    pub cookie_idle_ttl: Duration,
    /// The life of a cookie session.
    pub cookie_absolute_ttl: Duration,
    /// For how long a deleted user can be restored.
    pub deleted_retention: Duration,
    /// For how long audit events are kept.
    pub audit_retention: Duration,
    /// The limits on attempts.
    pub limits: ThrottleSettings,
    /// Where they are counted with the other nodes, and revocations are told.
    pub redis: Option<RedisUrl>,
    /// What password hashes are, and their cost.
    pub hash_cost: HashCost,
    /// How many hashes are made at a time.
    pub hash_slots: NonZeroUsize,
    /// How many wait for that.
    pub hash_queue: usize,
}

impl Policy {
    pub(crate) fn password_rules(&self) -> password::Rules {
        password::Rules {
            min_length: self.password_min_length,
            max_bytes: self.hash_cost.longest_password(),
        }
    }
}
