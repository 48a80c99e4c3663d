//! How an event runs: on its own task, in one transaction, again when the engine asks for it,
//! and to its end whatever becomes of the caller.
//!
//! sqlx 0.9 loses acknowledged writes or connections when a future is dropped inside `BEGIN`, and
//! an HTTP server drops the futures of clients that go away. So nothing of a transaction ever
//! runs on the caller's task.

use std::{
    hash::BuildHasher as _,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use futures_util::future::BoxFuture;
use sea_orm::{DatabaseConnection, DatabaseTransaction, DbErr, TransactionTrait as _};
use tracing::Instrument as _;

use crate::{Error, Store, engine};

/// How often an event is run before a conflict with others is reported.
const ATTEMPTS: u32 = 5;
/// How long a caller waits. CONTRACT: an answer within 5 s, never a hang.
const CALL_BOUND: Duration = Duration::from_millis(4500);
/// The mean pause before the first repetition; it doubles with each further one.
const FIRST_PAUSE: Duration = Duration::from_millis(8);

/// An event: a function of its arguments and a transaction, so that nothing can leak from one
/// run into the next. It must be a plain function or a closure that captures nothing.
pub(crate) type Event<A, T> =
    for<'a> fn(&'a DatabaseTransaction, &'a A) -> BoxFuture<'a, Result<T, Error>>;

/// A question: the same on a connection that cannot write.
pub(crate) type Question<A, T> =
    for<'a> fn(&'a DatabaseConnection, &'a A) -> BoxFuture<'a, Result<T, Error>>;

impl Store {
    /// Whether events can happen at all, to be known before costly work is done for one.
    ///
    /// # Errors
    /// [`Error::ReadOnly`].
    pub fn check_writable(&self) -> Result<(), Error> {
        match self.read_only {
            true => Err(Error::ReadOnly),
            false => Ok(()),
        }
    }

    /// Runs `event` in one write transaction. `Ok` means committed; an error means that nothing
    /// happened, with one exception: after [`Error::Busy`] for a passed time bound it may still
    /// come to pass.
    pub(crate) async fn write<A, T>(&self, arguments: A, event: Event<A, T>) -> Result<T, Error>
    where
        A: Send + Sync + 'static,
        T: Send + 'static,
    {
        self.check_writable()?;
        let writer = self.writer.clone();
        self.shielded(move |abandoned| async move {
            let mut attempt = 0;
            loop {
                attempt += 1;
                match transaction(&writer, &arguments, event).await {
                    Err(Error::Busy(cause)) if attempt < ATTEMPTS => {
                        // Nobody waits for it any more, so it is not forced through either.
                        if abandoned.load(Ordering::Relaxed) {
                            return Err(Error::Busy(cause));
                        }
                        tokio::time::sleep(pause(attempt)).await;
                    }
                    ended => return ended,
                }
            }
        })
        .await
    }

    /// Runs `question` on a reading connection.
    pub(crate) async fn read<A, T>(
        &self,
        arguments: A,
        question: Question<A, T>,
    ) -> Result<T, Error>
    where
        A: Send + Sync + 'static,
        T: Send + 'static,
    {
        let readers = self.readers.clone();
        self.shielded(move |_| async move { question(&readers, &arguments).await })
            .await
    }

    /// Runs `work` on its own task and waits for it, up to the bound; the time-out ends the
    /// waiting, never the work.
    async fn shielded<T, W, F>(&self, work: W) -> Result<T, Error>
    where
        W: FnOnce(Arc<AtomicBool>) -> F,
        F: Future<Output = Result<T, Error>> + Send + 'static,
        T: Send + 'static,
    {
        let abandoned = Arc::new(AtomicBool::new(false));
        let task = self
            .tasks
            .spawn(work(Arc::clone(&abandoned)).in_current_span());
        match tokio::time::timeout(CALL_BOUND, task).await {
            Ok(Ok(ended)) => ended,
            // No word of the panic that it may have been: its message may hold what was being written.
            Ok(Err(_)) => Err(Error::Unavailable("a database task ended early".into())),
            Err(_) => {
                abandoned.store(true, Ordering::Relaxed);
                Err(Error::Busy("no answer within the time bound".into()))
            }
        }
    }
}

async fn transaction<A, T>(
    writer: &DatabaseConnection,
    arguments: &A,
    event: Event<A, T>,
) -> Result<T, Error> {
    let transaction = writer.begin_with_options(engine::write_options()).await?;
    match event(&transaction, arguments).await {
        Ok(outcome) => {
            transaction.commit().await?;
            Ok(outcome)
        }
        Err(error) => {
            // The first error is the one to report; a failed rollback closes the connection.
            if let Err(rollback) = transaction.rollback().await {
                tracing::warn!(error = %rollback, "A rollback failed: {rollback}");
            }
            Err(error)
        }
    }
}

/// An exponential pause with jitter, so that two rivals do not meet again.
fn pause(attempt: u32) -> Duration {
    let ceiling = FIRST_PAUSE * 2u32.saturating_pow(attempt);
    let dice = std::hash::RandomState::new().hash_one(attempt) % 1000;
    ceiling.mul_f64(0.5 + dice as f64 / 1000.0)
}

impl From<DbErr> for Error {
    fn from(error: DbErr) -> Self {
        engine::classify(&error)
    }
}
