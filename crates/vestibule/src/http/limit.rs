//! How a reached limit is told: `Retry-After` (RFC 9110) and the `RateLimit` fields of the IETF
//! draft, whose items name the policy, its quota, its window and what is left.

use accounts::{Limited, Quota};
use axum::{
    http::{HeaderMap, HeaderName, HeaderValue, header},
    response::Response,
};

use metrics::counter;

use super::error::{Code, problem};
use crate::telemetry::metrics::LIMITED;

const RATE_LIMIT: HeaderName = HeaderName::from_static("ratelimit");
const RATE_LIMIT_POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");

/// 429, with the time after which another try is counted anew.
pub(super) fn answer(Limited { quota, .. }: &Limited) -> Response {
    counter!(LIMITED, "policy" => quota.policy).increment(1);
    let seconds = whole_seconds(quota.reset);
    let detail = format!("Too many attempts. Try again in {}.", in_words(seconds));
    let mut answer = problem(Code::RateLimited, &detail);
    answer
        .headers_mut()
        .insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    tell(quota, answer.headers_mut());
    answer
}

/// The two fields: which policy counted this, and what is left of it.
pub(super) fn tell(quota: &Quota, headers: &mut HeaderMap) {
    let Quota {
        policy,
        limit,
        window,
        remaining,
        reset,
    } = quota;
    let (window, reset) = (window.as_secs(), whole_seconds(*reset));
    for (name, value) in [
        (
            RATE_LIMIT_POLICY,
            format!("\"{policy}\";q={limit};w={window}"),
        ),
        (RATE_LIMIT, format!("\"{policy}\";r={remaining};t={reset}")),
    ] {
        if let Ok(value) = HeaderValue::try_from(value) {
            headers.insert(name, value);
        }
    }
}

/// Rounded up: a client that waits so long is let in.
fn whole_seconds(time: std::time::Duration) -> u64 {
    time.as_secs() + u64::from(time.subsec_nanos() > 0)
}

fn in_words(seconds: u64) -> String {
    let (count, unit) = match seconds {
        0..120 => (seconds, "second"),
        120..7200 => (seconds.div_ceil(60), "minute"),
        _ => (seconds.div_ceil(3600), "hour"),
    };
    format!("{count} {unit}{}", if count == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn waiting_is_told_in_words() {
        for (seconds, words) in [
            (1, "1 second"),
            (119, "119 seconds"),
            (121, "3 minutes"),
            (7300, "3 hours"),
        ] {
            assert_eq!(in_words(seconds), words);
        }
    }

    #[test]
    fn a_started_second_counts_whole() {
        assert_eq!(whole_seconds(Duration::from_millis(1)), 1);
        assert_eq!(whole_seconds(Duration::from_secs(2)), 2);
    }
}
