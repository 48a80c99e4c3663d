//! The threads on which passwords are hashed: at most one per slot, of a lower priority than all others of the program,
//! so that a request which needs no hash is not kept waiting by logins. Who may hash, and when, is left to the gate.

use tokio::{
    runtime::{Builder, Runtime},
    task::JoinHandle,
};

/// How far behind the other threads they stand, in steps of nice(2): where all processors are in use, a hash gets a tenth
/// of what another thread gets, and otherwise all that nobody else wants.
#[cfg(target_os = "linux")]
const STEPS_BEHIND: i32 = 10;

/// The threads. Those of the runtime that answers requests would not do: a thread that has stepped back may not step
/// forward again, and there it would go on with other work.
pub(super) struct HashThreads(Option<Runtime>);

impl HashThreads {
    pub(super) fn new(slots: usize) -> Self {
        let threads = Builder::new_current_thread()
            .max_blocking_threads(slots)
            .thread_name("password-hash")
            .on_thread_start(step_back)
            .build();
        Self(Some(threads.expect(
            "a runtime without timers and sockets asks nothing of the system",
        )))
    }

    /// Does `work` on one of them, to its end, also when nobody waits for it.
    pub(super) fn spawn<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> JoinHandle<T> {
        let threads = self.0.as_ref();
        threads
            .expect("they are there until they are dropped")
            .spawn_blocking(work)
    }
}

impl Drop for HashThreads {
    /// Without waiting for a hash, which the thread at hand may be there to serve.
    fn drop(&mut self) {
        if let Some(threads) = self.0.take() {
            threads.shutdown_background();
        }
    }
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

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[tokio::test]
    async fn hashes_stand_behind_requests() {
        let priority = || rustix::process::getpriority_process(None).expect("Linux tells it");
        let threads = HashThreads::new(1);
        let of_hash = threads.spawn(priority).await.expect("it ran");
        let of_request = priority();
        assert_eq!(of_hash, (of_request + STEPS_BEHIND).min(19));
        let of_other_work = tokio::task::spawn_blocking(priority);
        assert_eq!(of_other_work.await.expect("it ran"), of_request);
    }
}
