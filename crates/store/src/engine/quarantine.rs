//! The end of a call that has passed its bound on a database server: it is cut, and its connection
//! is closed and never used again, since nobody knows what state it is in.

use std::{
    io,
    pin::pin,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use crate::Error;

/// The pool tells the age of a connection a moment before we look at the clock. One that was made so shortly after a
/// cut may have been made before it, and is closed, too: a new one costs less than the doubt.
const MARGIN: Duration = Duration::from_millis(100);

/// When a call was last cut. Which connection it had the pool does not tell, but it was made before that; and so every
/// connection that was is closed when it comes back. Cheap to clone; all clones are one.
#[derive(Clone, Default)]
pub(crate) struct Quarantine(Arc<Mutex<Option<Instant>>>);

impl Quarantine {
    /// Begins `call` and runs it for `bound` at most. After that it is dropped wherever it waits, and every connection that
    /// there is by then is closed as soon as it comes back to the pool. One that belongs to another call is lost with it,
    /// which costs a new one.
    pub(crate) async fn cut_at<T, F>(
        &self,
        bound: Duration,
        call: impl FnOnce() -> F + Send,
    ) -> Result<T, Error>
    where
        F: Future<Output = Result<T, Error>> + Send,
    {
        let call = pin!(call());
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
        if last_cut
            .is_some_and(|cut| age.saturating_add(MARGIN) >= now().saturating_duration_since(cut))
        {
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

#[cfg(test)]
mod tests {
    //! Connections by their age; whether a cut call loses its own is tried on the servers.

    use sqlx::{ConnectOptions as _, sqlite::SqliteConnectOptions};

    use super::*;

    #[tokio::test]
    async fn a_connection_that_may_be_older_than_a_cut_is_closed() {
        let connection = SqliteConnectOptions::new()
            .in_memory(true)
            .connect()
            .await
            .unwrap();
        let quarantine = Quarantine::default();
        assert!(
            quarantine.admit(&connection, Duration::MAX).unwrap(),
            "nothing was cut"
        );

        let cut = quarantine
            .cut_at(Duration::ZERO, std::future::pending::<Result<(), Error>>)
            .await;
        assert!(matches!(cut, Err(Error::Busy(_))), "{cut:?}");
        assert!(
            quarantine
                .admit(&connection, Duration::from_secs(1))
                .is_err()
        );

        let an_hour_ago = now() - Duration::from_hours(1);
        *quarantine.0.lock().unwrap() = Some(an_hour_ago);
        let made_after = |gap| quarantine.admit(&connection, Duration::from_hours(1) - gap);
        assert!(made_after(Duration::ZERO).is_err());
        assert!(
            made_after(MARGIN / 2).is_err(),
            "its age was told before the clock was asked"
        );
        assert!(made_after(Duration::from_mins(30)).unwrap());
    }
}
