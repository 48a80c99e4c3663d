//! What time it is: the only file that reads the system's clocks, and the clock that tests move by hand.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use store::Timestamp;

/// The source of time for every rule; a clone tells the same time.
#[derive(Clone, Debug)]
pub struct Clock(Source);

#[derive(Clone, Debug)]
enum Source {
    System {
        started: Instant,
    },
    Fixed {
        start: Timestamp,
        elapsed_micros: Arc<AtomicU64>,
    },
}

impl Clock {
    /// The clock of the system.
    #[must_use]
    #[expect(
        clippy::disallowed_methods,
        reason = "this is the file that reads the clock"
    )]
    pub fn system() -> Self {
        Self(Source::System {
            started: Instant::now(),
        })
    }

    /// A clock that stands still at `start` until [`Clock::advance`] moves it.
    #[must_use]
    pub fn fixed(start: Timestamp) -> Self {
        Self(Source::Fixed {
            start,
            elapsed_micros: Arc::default(),
        })
    }

    /// Moves a fixed clock and all its clones forward, by whole microseconds.
    ///
    /// # Panics
    /// On the system's clock, which only the system moves.
    pub fn advance(&self, duration: Duration) {
        let Source::Fixed { elapsed_micros, .. } = &self.0 else {
            panic!("the clock of the system cannot be moved");
        };
        elapsed_micros.fetch_add(micros(duration), Ordering::SeqCst);
    }

    /// The time of day, which the operator or NTP may set back.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        match &self.0 {
            Source::System { .. } => system_time(),
            Source::Fixed { start, .. } => start.plus(self.monotonic()),
        }
    }

    /// The time since this clock was made, which never goes back: for measuring windows and waits.
    #[must_use]
    pub fn monotonic(&self) -> Duration {
        match &self.0 {
            Source::System { started } => started.elapsed(),
            Source::Fixed { elapsed_micros, .. } => {
                Duration::from_micros(elapsed_micros.load(Ordering::SeqCst))
            }
        }
    }

    /// The time since some moment, which never goes back and goes on while the machine sleeps: for
    /// how old something is that others may have changed meanwhile.
    #[must_use]
    pub fn through_suspension(&self) -> Duration {
        match &self.0 {
            Source::System { started } => system_time_through_suspension(*started),
            Source::Fixed { .. } => self.monotonic(),
        }
    }
}

/// `Instant` is CLOCK_MONOTONIC, which stands still while the machine sleeps.
#[cfg(any(target_os = "linux", target_os = "android"))]
fn system_time_through_suspension(_: Instant) -> Duration {
    since_boot(rustix::time::ClockId::Boottime)
}

/// On Apple's systems CLOCK_MONOTONIC goes on during sleep, and `Instant` is another clock.
#[cfg(target_vendor = "apple")]
fn system_time_through_suspension(_: Instant) -> Duration {
    since_boot(rustix::time::ClockId::Monotonic)
}

/// On Windows `Instant` counts sleep. Elsewhere it is the best there is, and a machine that slept
/// believes what it remembers until it is next told otherwise.
#[cfg(not(any(target_os = "linux", target_os = "android", target_vendor = "apple")))]
fn system_time_through_suspension(started: Instant) -> Duration {
    started.elapsed()
}

#[cfg(any(target_os = "linux", target_os = "android", target_vendor = "apple"))]
fn since_boot(clock: rustix::time::ClockId) -> Duration {
    let time = rustix::time::clock_gettime(clock);
    let whole = |part: i64| u64::try_from(part).unwrap_or(0);
    Duration::from_secs(whole(time.tv_sec)) + Duration::from_nanos(whole(time.tv_nsec))
}

#[expect(
    clippy::disallowed_methods,
    reason = "this is the file that reads the clock"
)]
fn system_time() -> Timestamp {
    let epoch = Timestamp::from_micros(0);
    match SystemTime::now().duration_since(UNIX_EPOCH) {
        Ok(since) => epoch.plus(since),
        Err(before) => epoch.minus(before.duration()),
    }
}

fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fixed_clock_moves_only_when_told_and_for_all_its_clones() {
        let start = Timestamp::from_micros(1_769_860_800_000_000);
        let clock = Clock::fixed(start);
        let clone = clock.clone();
        assert_eq!(clone.now(), start);
        assert_eq!(clone.monotonic(), Duration::ZERO);

        clock.advance(Duration::from_secs(90));
        assert_eq!(clone.now(), start.plus(Duration::from_secs(90)));
        assert_eq!(clone.monotonic(), Duration::from_secs(90));
    }

    #[test]
    fn the_system_clock_is_past_the_year_2024_and_its_monotonic_time_never_goes_back() {
        let clock = Clock::system();
        assert!(clock.now() > Timestamp::from_micros(1_704_067_200_000_000));
        let earlier = clock.monotonic();
        assert!(clock.monotonic() >= earlier);
        let earlier = clock.through_suspension();
        assert!(clock.through_suspension() >= earlier);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn the_time_through_suspension_is_that_since_the_system_was_started() {
        // The kernel's own words for CLOCK_BOOTTIME, cut to hundredths of a second.
        let uptime = || {
            let told = std::fs::read_to_string("/proc/uptime").expect("Linux tells it");
            let seconds = told.split(' ').next().and_then(|text| text.parse().ok());
            Duration::from_secs_f64(seconds.expect("seconds come first"))
        };
        let cut_off = Duration::from_millis(10);
        let before = uptime();
        let read = Clock::system().through_suspension();
        let after = uptime() + cut_off;
        assert!(
            (before..=after).contains(&read),
            "{before:?} {read:?} {after:?}"
        );
    }

    #[test]
    #[should_panic(expected = "cannot be moved")]
    fn the_system_clock_cannot_be_moved() {
        Clock::system().advance(Duration::from_secs(1));
    }
}
