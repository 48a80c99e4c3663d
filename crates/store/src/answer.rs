//! The answer that events are for: once it is given without them, they do not happen any more. Who answers whom, and
//! when, is up to the callers.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use tokio::task::JoinHandle;
use tracing::Instrument as _;

tokio::task_local! {
    static AT_HAND: Answer;
}

/// An answer that somebody waits for. Whoever was told that there is none for now may ask for something else, and is
/// answered: the first wish must not come true after the second one. So an event is not committed once its answer is
/// given. A commit that is under way by then holds its locks, and what comes later waits for it.
///
/// A client that goes away has given up nothing: what it asked for is done to the end.
///
/// Cheap to clone; all clones are one.
#[derive(Clone, Default)]
pub struct Answer(Arc<AtomicBool>);

impl Answer {
    /// Does `work` for this answer, on the task at hand and on those of [`spawn`].
    pub fn of<F: Future>(&self, work: F) -> impl Future<Output = F::Output> + use<F> {
        AT_HAND.scope(self.clone(), work)
    }

    /// To be called before the answer leaves that says nothing of what is still under way.
    pub fn give(&self) {
        self.0.store(true, Ordering::SeqCst);
    }

    /// Whether nothing more may happen for it.
    #[must_use]
    pub fn is_given(&self) -> bool {
        self.0.load(Ordering::SeqCst)
    }

    /// The one that the task at hand works for; where it works for none, one that is never given.
    #[must_use]
    pub fn at_hand() -> Self {
        AT_HAND.try_with(Self::clone).unwrap_or_default()
    }
}

/// Does `work` on a task of its own, for the answer and in the span of the task at hand, so that a client that goes
/// away cuts nothing.
pub fn spawn<F>(work: F) -> JoinHandle<F::Output>
where
    F: Future<Output: Send> + Send + 'static,
{
    // In no `async` block, which would have room for the work twice: captured, and waited for.
    tokio::spawn(Answer::at_hand().of(work).in_current_span())
}
