//! What systemd says to a service by environment variables. They are no settings: nobody writes them by hand.

use std::ffi::{OsStr, OsString};
use std::time::Duration;

/// Where a supervisor listens, and what it expects to hear.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Supervision {
    /// The socket of `NOTIFY_SOCKET`.
    pub socket: OsString,
    /// After how long without a word the server is taken for dead (`WATCHDOG_USEC`).
    pub watchdog: Option<Duration>,
}

impl Supervision {
    /// What the environment of the process with this id says.
    pub(super) fn of(environment: &[(OsString, OsString)], process: u32) -> Option<Self> {
        let value = |name: &str| {
            let mut variables = environment.iter();
            let (_, value) = variables.find(|(key, _)| key == OsStr::new(name))?;
            Some(value)
        };
        let number = |name| value(name)?.to_str()?.parse::<u64>().ok();
        // It may be meant for the process that has started this one.
        let is_for_us =
            value("WATCHDOG_PID").is_none() || number("WATCHDOG_PID") == Some(u64::from(process));
        Some(Self {
            socket: value("NOTIFY_SOCKET")?.clone(),
            watchdog: number("WATCHDOG_USEC")
                .filter(|micros| is_for_us && *micros > 0)
                .map(Duration::from_micros),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(variables: &[(&str, &str)]) -> Option<Supervision> {
        let environment = variables.iter();
        let environment: Vec<_> = environment
            .map(|(name, value)| (OsString::from(name), OsString::from(value)))
            .collect();
        Supervision::of(&environment, 7)
    }

    #[test]
    fn a_watchdog_counts_where_it_is_for_this_process() {
        let socket = ("NOTIFY_SOCKET", "/run/systemd/notify");
        let watchdog = ("WATCHDOG_USEC", "30000000");
        let half_a_minute = Some(Duration::from_secs(30));
        let watchdog_of = |variables: &[_]| of(variables).expect("a supervisor").watchdog;
        assert_eq!(watchdog_of(&[socket]), None);
        assert_eq!(watchdog_of(&[socket, watchdog]), half_a_minute);
        let ours = ("WATCHDOG_PID", "7");
        assert_eq!(watchdog_of(&[socket, watchdog, ours]), half_a_minute);
        for another in ["8", "", "seven"] {
            assert_eq!(
                watchdog_of(&[socket, watchdog, ("WATCHDOG_PID", another)]),
                None
            );
        }
        for unusable in ["0", "-1", "soon"] {
            assert_eq!(watchdog_of(&[socket, ("WATCHDOG_USEC", unusable)]), None);
        }
        assert_eq!(of(&[watchdog]), None);
    }
}
