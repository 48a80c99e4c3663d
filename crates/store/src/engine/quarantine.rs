//! The end of a call that has passed its bound on a database server: it is cut, and its connection
//! is closed and never used again, since nobody knows what state it is in.

use std::{
    io,
    pin::pin,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use crate::Error;

/// When a call was last cut. Which connection it had the pool does not tell, but it was made before that; and so every
/// connection that was is closed when it comes back. Cheap to clone; all clones are one.
#[derive(Clone, Default)]
pub(crate) struct Quarantine(Arc<Mutex<Option<Instant>>>);

impl Quarantine {
    /// Runs `call` for `bound` at most. After that it is dropped wherever it waits, and every connection that there is
    /// by then is closed as soon as it comes back to the pool. One that belongs to another call is lost with it, which
    /// costs a new one.
    pub(crate) async fn cut_at<T>(
        &self,
        bound: Duration,
        call: impl Future<Output = Result<T, Error>> + Send,
    ) -> Result<T, Error> {
        let call = pin!(call);
        if let Ok(ended) = tokio::time::timeout(bound, call).await {
            return ended;
        }
        // Before the call is dropped, and its connection with it, at the end of this.
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(now());
        Err(Error::Busy("no answer within the time bound".into()))
    }

    /// What the pool asks about a connection that comes back, which was made `age` ago; one with a transaction that
    /// nobody will end is closed, too. With an error the pool closes it without a word to the server, which may not
    /// listen.
    pub(super) fn admit(
        &self,
        connection: &impl sqlx::Connection,
        age: Duration,
    ) -> Result<bool, sqlx::Error> {
        let last_cut = *self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // What was made in the very moment counts as older.
        if last_cut.is_some_and(|cut| age >= now().saturating_duration_since(cut)) {
            return Err(io::Error::new(
                io::ErrorKind::TimedOut,
                "a call has passed its time bound, so older connections are closed for safety",
            )
            .into());
        }
        Ok(!connection.is_in_transaction())
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "it is the clock by which the pool tells the age of a connection, and decides nothing else"
)]
fn now() -> Instant {
    Instant::now()
}
