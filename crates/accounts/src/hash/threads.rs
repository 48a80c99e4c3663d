//! The threads on which passwords are hashed: at most one per slot, of a lower priority than all others of the program
//! for as long as that costs a hash little, so that a request which needs no hash is not kept waiting by logins. Who may
//! hash, and when, is left to the gate.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};
#[cfg(target_os = "linux")]
use std::time::Duration;

#[cfg(target_os = "linux")]
use rustix::time::{ClockId, clock_gettime};
use tokio::{
    runtime::{Builder, Runtime},
    task::JoinHandle,
};

/// How far behind the other threads they stand, in steps of nice(2): where all processors are in use, a hash gets a tenth
/// of what another thread gets, and otherwise all that nobody else wants.
#[cfg(target_os = "linux")]
const STEPS_BEHIND: i32 = 10;

/// A hash that lasts this many times as long as a processor works on it is one of a crowded machine.
#[cfg(target_os = "linux")]
const CROWDED: u32 = 3;

/// Waits that nobody minds, however short the work is.
#[cfg(target_os = "linux")]
const SHORT: Duration = Duration::from_millis(20);

/// The threads. Those of the runtime that answers requests would not do: a thread that has stepped back may not step
/// forward again, and there it would go on with other work.
///
/// Where other programs, or requests without a hash, want more processors than there are, whoever has stepped back gets
/// next to nothing, and a login would be given up. There, hashes are computed on threads that have not stepped back.
pub(super) struct HashThreads {
    behind: Option<Runtime>,
    abreast: Option<Runtime>,
    /// Whether the last hash had to wait for a processor. Where that cannot be told, nobody steps back.
    is_crowded: Arc<AtomicBool>,
}

impl HashThreads {
    pub(super) fn new(slots: usize) -> Self {
        Self {
            behind: Some(threads(slots, step_back)),
            abreast: Some(threads(slots, || {})),
            is_crowded: Arc::new(AtomicBool::new(true)),
        }
    }

    /// Does `work` on one of them, to its end, also when nobody waits for it.
    pub(super) fn spawn<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> JoinHandle<T> {
        let is_crowded = Arc::clone(&self.is_crowded);
        let threads = match is_crowded.load(Ordering::Relaxed) {
            true => &self.abreast,
            false => &self.behind,
        };
        threads
            .as_ref()
            .expect("they are there until they are dropped")
            .spawn_blocking(move || watched(work, &is_crowded))
    }
}

impl Drop for HashThreads {
    /// Without waiting for a hash, which the thread at hand may be there to serve.
    fn drop(&mut self) {
        for threads in [&mut self.behind, &mut self.abreast] {
            if let Some(threads) = threads.take() {
                threads.shutdown_background();
            }
        }
    }
}

fn threads(slots: usize, start: fn()) -> Runtime {
    Builder::new_current_thread()
        .max_blocking_threads(slots)
        .thread_name("password-hash")
        .on_thread_start(start)
        .build()
        .expect("a runtime without timers and sockets asks nothing of the system")
}

/// On Linux a priority is that of a thread.
#[cfg(target_os = "linux")]
fn step_back() {
    if let Err(error) = rustix::process::nice(STEPS_BEHIND) {
        tracing::warn!(error.message = %error, "Passwords are hashed at the priority of requests: {error}");
    }
}

/// Elsewhere it is that of the process, which is the operator's to choose.
#[cfg(not(target_os = "linux"))]
fn step_back() {}

/// Does the work, and notes whether it had to wait for a processor.
#[cfg(target_os = "linux")]
fn watched<T>(work: impl FnOnce() -> T, is_crowded: &AtomicBool) -> T {
    let now = || [ClockId::Monotonic, ClockId::ThreadCPUTime].map(read);
    let before = now();
    let done = work();
    let after = now();
    let [lasted, worked] = [0, 1].map(|clock| after[clock].saturating_sub(before[clock]));
    is_crowded.store(is_held_up(lasted, worked), Ordering::Relaxed);
    done
}

#[cfg(target_os = "linux")]
fn is_held_up(lasted: Duration, worked: Duration) -> bool {
    lasted > worked * CROWDED && lasted.saturating_sub(worked) > SHORT
}

#[cfg(not(target_os = "linux"))]
fn watched<T>(work: impl FnOnce() -> T, _is_crowded: &AtomicBool) -> T {
    work()
}

#[cfg(target_os = "linux")]
fn read(clock: ClockId) -> Duration {
    Duration::try_from(clock_gettime(clock)).unwrap_or_default()
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    fn priority() -> i32 {
        rustix::process::getpriority_process(None).expect("Linux tells it")
    }

    /// Whether a hash of these threads stands behind the thread at hand.
    async fn stands_behind(threads: &HashThreads) -> bool {
        let of_hash = threads.spawn(priority).await.expect("it ran");
        let of_request = priority();
        assert!(of_hash == of_request || of_hash == (of_request + STEPS_BEHIND).min(19));
        of_hash != of_request
    }

    /// Work during which no processor is had.
    fn held_up() {
        let (_nobody_sends, nothing) = std::sync::mpsc::channel::<()>();
        assert!(nothing.recv_timeout(SHORT * 3).is_err());
    }

    #[tokio::test]
    async fn hashes_stand_behind_requests_and_nothing_else_does() {
        let threads = HashThreads::new(1);
        assert!(!stands_behind(&threads).await, "nothing is known yet");
        threads.is_crowded.store(false, Ordering::Relaxed);
        assert!(stands_behind(&threads).await);
        let of_other_work = tokio::task::spawn_blocking(priority);
        assert_eq!(of_other_work.await.expect("it ran"), priority());
    }

    #[tokio::test]
    async fn after_a_hash_that_was_held_up_the_next_does_not_stand_behind() {
        let threads = HashThreads::new(1);
        threads.is_crowded.store(false, Ordering::Relaxed);
        threads.spawn(held_up).await.expect("it ran");
        assert!(!stands_behind(&threads).await);
    }

    #[test]
    fn a_hash_is_held_up_where_it_gets_less_than_a_third_of_a_processor_for_long() {
        let held_up = |lasted, worked| {
            is_held_up(Duration::from_millis(lasted), Duration::from_millis(worked))
        };
        assert!(!held_up(30, 30) && !held_up(90, 30) && held_up(91, 30));
        assert!(!held_up(21, 1) && held_up(22, 1));
    }
}
