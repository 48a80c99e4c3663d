//! When which request is sent, and until when. What is sent is left to `request.rs`.

use std::{
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};

use tokio::time::{Instant, sleep_until};

use crate::Arguments;

/// The order in which the connections take their requests.
pub(crate) struct Course {
    begun: Instant,
    end: Instant,
    most: usize,
    rate: Option<f64>,
    next: AtomicUsize,
}

/// A request that is to be sent now.
pub(crate) struct Turn {
    pub(crate) number: usize,
    /// The moment from which its answer is waited for.
    pub(crate) from: Instant,
}

impl Course {
    pub(crate) fn begin(arguments: &Arguments) -> Self {
        let begun = now();
        Self {
            begun,
            end: begun + Duration::from_secs_f64(arguments.seconds),
            most: arguments.requests.unwrap_or(usize::MAX),
            rate: arguments.rate,
            next: AtomicUsize::new(0),
        }
    }

    /// Returns when the next request is due; `None` when it is the last one's turn no more.
    ///
    /// At a fixed rate a request that is late since every connection waits for an answer is waited for from the moment at
    /// which it was due: else a server that stops would be asked less while it stops, and look fast. That a timer of
    /// this program fires late is not the server's.
    pub(crate) async fn next(&self) -> Option<Turn> {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        let mut from = now();
        if let Some(rate) = self.rate {
            let due = self.begun + Duration::from_secs_f64(number as f64 / rate);
            if due < self.end && due > from {
                sleep_until(due).await;
                from = now();
            } else {
                from = due;
            }
        }
        (from < self.end && number < self.most).then_some(Turn { number, from })
    }

    pub(crate) fn since(&self, from: Instant) -> Duration {
        now().saturating_duration_since(from)
    }

    /// How long it has lasted.
    pub(crate) fn elapsed(&self) -> Duration {
        self.since(self.begun)
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "what is measured here is time, and there are no rules"
)]
fn now() -> Instant {
    Instant::now()
}
