//! How long calls wait for a connection, which the pools tell nobody: from the moment at which `run.rs` begins to want one
//! until a pool hands one out, or their turn with the one writer of a file comes. What that means, and to whom, is left to
//! whoever reads the metrics.

use std::cell::Cell;

use metrics::{Unit, describe_histogram, histogram};
use tokio::time::Instant;

/// Seconds that a call waited until it had its first connection, by purpose.
const WAIT: &str = "vestibule_database_connection_wait_seconds";

tokio::task_local! {
    /// The wait of the call at hand, until it is over.
    static WAIT_AT_HAND: Cell<Option<Wait>>;
}

/// Says what is measured here.
pub(crate) fn describe_metrics() {
    describe_histogram!(
        WAIT,
        Unit::Seconds,
        "Time that calls waited for a connection to the database, by purpose, also where none came"
    );
}

/// Runs `work` and takes down how long it waits for its first connection. `purpose` is the label.
pub(crate) async fn measured<F: Future>(purpose: &'static str, work: F) -> F::Output {
    let wait = Wait::begin(purpose);
    WAIT_AT_HAND.scope(Cell::new(Some(wait)), work).await
}

/// To be called by the pools, on the task that waits, where they hand out a connection.
pub(crate) fn is_over() {
    // Whoever is not measured has no wait, and of each call only the first is.
    let _ = WAIT_AT_HAND.try_with(Cell::take);
}

/// A wait, which is taken down as it ends, also where it ends without a connection: those are the longest.
pub(crate) struct Wait {
    purpose: &'static str,
    since: Instant,
}

impl Wait {
    /// One that ends when this is dropped. `purpose` is the label.
    pub(crate) fn begin(purpose: &'static str) -> Self {
        let since = now();
        Self { purpose, since }
    }
}

impl Drop for Wait {
    fn drop(&mut self) {
        let waited = now().saturating_duration_since(self.since);
        histogram!(WAIT, "purpose" => self.purpose).record(waited.as_secs_f64());
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "what was measured is shown to operators, and decides nothing"
)]
fn now() -> Instant {
    Instant::now()
}

#[cfg(test)]
mod tests;
