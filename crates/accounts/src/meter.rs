//! What is counted about logins, registrations and refreshes, each once for a try, about the wait for a password hash,
//! about what is remembered, and of a shared Redis; and under which names. Who reads the counters is left to the program;
//! while nobody does, they cost nothing.

use std::time::Duration;

use metrics::{
    Unit, counter, describe_counter, describe_gauge, describe_histogram, gauge, histogram,
};

use crate::Error;

const LOGINS: &str = "vestibule_logins_total";
const REGISTRATIONS: &str = "vestibule_registrations_total";
const REFRESHES: &str = "vestibule_refreshes_total";

const REDIS_UP: &str = "vestibule_redis_up";
const REDIS_LOST: &str = "vestibule_redis_lost_total";
const REDIS_SECONDS: &str = "vestibule_redis_call_duration_seconds";

/// Why a connection to Redis can be given up: the label `reason`.
const LOSSES: [&str; 3] = ["late", "lost", "refused"];
const HASHES_REFUSED: &str = "vestibule_password_hashes_refused_total";
const LOOKUPS: &str = "vestibule_cache_lookups_total";
/// How long callers of the hash gate waited for their turn.
const HASH_WAIT: &str = "vestibule_password_hash_wait_seconds";

/// A memory that may know what the database, or a calculation, would say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cache {
    /// Sessions with their users.
    Sessions,
    /// Access tokens whose signature was checked.
    Tokens,
}

impl Cache {
    /// All of them.
    pub(crate) const ALL: [Self; 2] = [Self::Sessions, Self::Tokens];

    /// The label `cache`.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Sessions => "sessions",
            Self::Tokens => "tokens",
        }
    }
}

/// How a try can end: the label `outcome`.
const OUTCOMES: [&str; 5] = ["succeeded", "refused", "reused", "limited", "unavailable"];

/// Says what the counters mean and lets each begin at 0, so that the first event of a kind is seen as one.
pub fn describe() {
    store::describe_metrics();
    describe_counter!(LOGINS, "Logins by name and password, by outcome");
    describe_counter!(REGISTRATIONS, "Registrations, by outcome");
    describe_counter!(
        REFRESHES,
        "Refreshes of a session, by outcome; reused is a refresh token that was used twice"
    );
    describe_gauge!(
        REDIS_UP,
        "Whether limits are counted with the other nodes now"
    );
    describe_counter!(
        REDIS_LOST,
        "How often Redis was given up, by reason, until it was found again"
    );
    describe_histogram!(
        REDIS_SECONDS,
        Unit::Seconds,
        "Time that requests waited for Redis"
    );
    describe_counter!(
        HASHES_REFUSED,
        "Passwords that were not hashed as too many waited or the wait was too long"
    );
    counter!(HASHES_REFUSED).increment(0);
    describe_histogram!(
        HASH_WAIT,
        Unit::Seconds,
        "Time that passwords waited until their hash was begun"
    );
    describe_counter!(
        LOOKUPS,
        "Questions to a memory, by whether it could answer them"
    );
    for cache in Cache::ALL {
        for outcome in ["hit", "miss"] {
            counter!(LOOKUPS, "cache" => cache.name(), "outcome" => outcome).increment(0);
        }
    }
    for outcome in OUTCOMES {
        counter!(REFRESHES, "outcome" => outcome).increment(0);
        if outcome != "reused" {
            counter!(LOGINS, "outcome" => outcome).increment(0);
            counter!(REGISTRATIONS, "outcome" => outcome).increment(0);
        }
    }
}

/// Counts a login.
pub(crate) fn login<T>(ended: &Result<T, Error>) {
    counter!(LOGINS, "outcome" => outcome(ended)).increment(1);
}

/// Counts a registration.
pub(crate) fn registration<T>(ended: &Result<T, Error>) {
    counter!(REGISTRATIONS, "outcome" => outcome(ended)).increment(1);
}

/// Counts a refresh, by token or by cookie.
pub(crate) fn refresh<T>(ended: &Result<T, Error>) {
    counter!(REFRESHES, "outcome" => outcome(ended)).increment(1);
}

/// Takes down whether a configured Redis is used.
pub(crate) fn redis_is_up(is_up: bool) {
    if !is_up {
        // Each begins at 0, for whoever has configured one.
        for reason in LOSSES {
            counter!(REDIS_LOST, "reason" => reason).increment(0);
        }
    }
    gauge!(REDIS_UP).set(u32::from(is_up));
}

/// Counts that Redis is given up, for one of [`LOSSES`].
pub(crate) fn redis_was_lost(reason: &'static str) {
    counter!(REDIS_LOST, "reason" => reason).increment(1);
}

/// Takes down how long a request has waited for Redis, with an answer or without.
pub(crate) fn redis_answered(after: Duration) {
    histogram!(REDIS_SECONDS).record(after.as_secs_f64());
}

/// Counts a password that waited so long for its hash.
pub(crate) fn hash_wait(wait: Duration) {
    histogram!(HASH_WAIT).record(wait.as_secs_f64());
}

/// Counts a password that was not hashed.
pub(crate) fn hash_refused() {
    counter!(HASHES_REFUSED).increment(1);
}

/// Counts a question to a memory.
pub(crate) fn looked_up(cache: Cache, is_hit: bool) {
    let outcome = if is_hit { "hit" } else { "miss" };
    counter!(LOOKUPS, "cache" => cache.name(), "outcome" => outcome).increment(1);
}

fn outcome<T>(ended: &Result<T, Error>) -> &'static str {
    match ended {
        Ok(_) => "succeeded",
        Err(Error::Limited(_)) => "limited",
        Err(Error::TokenReused) => "reused",
        Err(Error::Unavailable(_) | Error::StorageFull(_) | Error::Internal(_)) => "unavailable",
        Err(_) => "refused",
    }
}
