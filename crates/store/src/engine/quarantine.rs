//! The end of a call that has passed its bound on a database server: it is cut, and its connection
//! is closed and never used again, since nobody knows what state it is in.

use std::{
    io,
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use crate::Error;

/// For how long after a cut the connections that come back are closed. The connection of the cut
/// call is on its way back before this begins; which of them it is, the pool does not tell.
const CLOSING: Duration = Duration::from_secs(5);

/// Whether connections may come back to the pool. Cheap to clone; all clones are one.
#[derive(Clone, Default)]
pub(crate) struct Quarantine(Arc<AtomicUsize>);

impl Quarantine {
    /// Runs `call` for `bound` at most. After that it is dropped wherever it waits, and every
    /// connection that comes back to the pool in the next seconds is closed. One that belongs to
    /// another call is lost with it, which costs a new one.
    pub(crate) async fn cut_at<T>(
        &self,
        bound: Duration,
        call: impl Future<Output = Result<T, Error>> + Send,
    ) -> Result<T, Error> {
        {
            let call = pin!(call);
            if let Ok(ended) = tokio::time::timeout(bound, call).await {
                return ended;
            }
            self.0.fetch_add(1, Ordering::SeqCst);
            // The call is dropped here, and its connection with it.
        }
        let cuts = Arc::clone(&self.0);
        tokio::spawn(async move {
            tokio::time::sleep(CLOSING).await;
            cuts.fetch_sub(1, Ordering::SeqCst);
        });
        Err(Error::Busy("no answer within the time bound".into()))
    }

    /// What the pool asks about a connection that comes back; one with a transaction that nobody
    /// will end is closed, too. With an error the pool closes it without a word to the server,
    /// which may not listen.
    pub(super) fn admit(&self, connection: &impl sqlx::Connection) -> Result<bool, sqlx::Error> {
        match self.0.load(Ordering::SeqCst) {
            0 => Ok(!connection.is_in_transaction()),
            _ => Err(io::Error::new(
                io::ErrorKind::TimedOut,
                "a call has passed its time bound, so connections are closed for safety",
            )
            .into()),
        }
    }
}
