//! A point in time as the database holds it. It does not know what time it is.

use std::time::Duration;

use chrono::{DateTime, Datelike as _, SecondsFormat, Utc};

/// Microseconds since 1970-01-01T00:00:00Z, in UTC, without leap seconds.
///
/// A 64-bit integer is the one representation that all engines keep without loss.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(i64);

impl Timestamp {
    /// The time `micros` microseconds after the epoch.
    #[must_use]
    pub const fn from_micros(micros: i64) -> Self {
        Self(micros)
    }

    /// Reads RFC 3339, with any offset, in the years 0 to 9999 of UTC.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let time = DateTime::parse_from_rfc3339(text).ok()?.to_utc();
        // With its offset taken off it may be in a year that has no four digits.
        (0..=9999)
            .contains(&time.year())
            .then(|| Self(time.timestamp_micros()))
    }

    /// Microseconds since the epoch.
    #[must_use]
    pub const fn as_micros(self) -> i64 {
        self.0
    }

    /// Whole seconds since the epoch, rounded down: the `NumericDate` of RFC 7519.
    #[must_use]
    pub const fn as_seconds(self) -> i64 {
        self.0.div_euclid(1_000_000)
    }

    /// The time `duration` later; the far future instead of an overflow.
    #[must_use]
    pub fn plus(self, duration: Duration) -> Self {
        Self(self.0.saturating_add(micros(duration)))
    }

    /// The time `duration` earlier; the far past instead of an overflow.
    #[must_use]
    pub fn minus(self, duration: Duration) -> Self {
        Self(self.0.saturating_sub(micros(duration)))
    }

    /// How long after `earlier` this is; zero when it is not after it.
    #[must_use]
    pub fn saturating_since(self, earlier: Self) -> Duration {
        Duration::from_micros(u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0))
    }
}

/// RFC 3339 in UTC with `Z` and microseconds, such as `2026-01-31T12:00:00.000001Z`.
impl std::fmt::Display for Timestamp {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let time =
            DateTime::<Utc>::from_timestamp_micros(self.0).unwrap_or(DateTime::<Utc>::MAX_UTC);
        formatter.write_str(&time.to_rfc3339_opts(SecondsFormat::Micros, true))
    }
}

impl serde::Serialize for Timestamp {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

fn micros(duration: Duration) -> i64 {
    i64::try_from(duration.as_micros()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_written_as_rfc_3339_in_utc() {
        let time = Timestamp::from_micros(1_769_860_800_000_001);
        assert_eq!(time.to_string(), "2026-01-31T12:00:00.000001Z");
    }

    #[test]
    fn is_read_as_rfc_3339_with_any_offset() {
        for text in [
            "2026-01-31T12:00:00.000001Z",
            "2026-01-31T13:00:00.000001+01:00",
        ] {
            let time = Timestamp::parse(text).expect(text);
            assert_eq!(time.to_string(), "2026-01-31T12:00:00.000001Z");
        }
        for text in [
            "",
            "yesterday",
            "2026-01-31",
            "2026-01-31T12:00:00",
            "12026-01-31T12:00:00Z",
            "9999-12-31T23:59:59-00:01",
            "0000-01-01T00:00:00+00:01",
        ] {
            assert_eq!(Timestamp::parse(text), None, "{text:?}");
        }
    }

    #[test]
    fn seconds_round_down_before_the_epoch_too() {
        assert_eq!(Timestamp::from_micros(-1).as_seconds(), -1);
        assert_eq!(Timestamp::from_micros(1_999_999).as_seconds(), 1);
    }

    #[test]
    fn arithmetic_saturates() {
        let last = Timestamp::from_micros(i64::MAX);
        assert_eq!(last.plus(Duration::from_secs(1)), last);
        let early = Timestamp::from_micros(5);
        assert_eq!(early.saturating_since(last), Duration::ZERO);
        assert_eq!(early.minus(Duration::from_micros(2)).as_micros(), 3);
    }
}
