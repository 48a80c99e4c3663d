//! What is counted about logins, registrations and refreshes, each once for a try, and under which names. Who reads
//! the counters is left to the program; while nobody does, they cost nothing.

use metrics::{counter, describe_counter};

use crate::Error;

const LOGINS: &str = "vestibule_logins_total";
const REGISTRATIONS: &str = "vestibule_registrations_total";
const REFRESHES: &str = "vestibule_refreshes_total";

/// How a try can end: the label `outcome`.
const OUTCOMES: [&str; 5] = ["succeeded", "refused", "reused", "limited", "unavailable"];

/// Says what the counters mean and lets each begin at 0, so that the first event of a kind is seen as one.
pub fn describe() {
    describe_counter!(LOGINS, "Logins by name and password, by outcome");
    describe_counter!(REGISTRATIONS, "Registrations, by outcome");
    describe_counter!(
        REFRESHES,
        "Refreshes of a session, by outcome; reused is a refresh token that was used twice"
    );
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

fn outcome<T>(ended: &Result<T, Error>) -> &'static str {
    match ended {
        Ok(_) => "succeeded",
        Err(Error::Limited(_)) => "limited",
        Err(Error::TokenReused) => "reused",
        Err(Error::Unavailable(_) | Error::StorageFull(_) | Error::Internal(_)) => "unavailable",
        Err(_) => "refused",
    }
}
