//! Whether the session behind a proof still stands: from memory where that may be believed, else
//! from the database. Every rule that takes something away from a user runs its event here, so
//! that what is remembered is forgotten before anybody is answered.

mod cache;

use std::{convert::Infallible, sync::Arc, time::Duration};

use store::{Counted, SignedIn, Store, Timestamp};

pub(crate) use cache::{Scope, StandingCache};

use crate::{Accounts, Clock, Error, Inner, meter, token::Bearing};

/// How often the count of revocations is asked for. What other programs revoke beside this one, such
/// as the command line, is to take effect here within a second.
const ASK_INTERVAL: Duration = Duration::from_millis(500);

/// How often it is asked for at the most, when others say that they have revoked something: so often would the
/// database be asked on behalf of whoever says so without end.
const LEAST_INTERVAL: Duration = Duration::from_millis(50);

/// The memory of a program that starts: empty, and ready to be believed.
pub(crate) async fn open(store: &Store, clock: &Clock) -> Result<StandingCache, store::Error> {
    let memory = StandingCache::new();
    ask(&memory, store, clock).await?;
    Ok(memory)
}

async fn ask(memory: &StandingCache, store: &Store, clock: &Clock) -> Result<(), store::Error> {
    // The answer confirms the moment before the question, not the one at which it arrives.
    let asked_at = clock.through_suspension();
    memory.confirm(asked_at, store.revocation_count().await?);
    Ok(())
}

impl Accounts {
    /// Asks for the count of revocations again and again, for as long as it is awaited: what other
    /// programs revoke takes effect here within a second. Without it, sessions are read from the
    /// database at each use.
    pub async fn keep_revocations_current(&self) -> Infallible {
        let mut failed = false;
        loop {
            tokio::time::sleep(LEAST_INTERVAL).await;
            let rest = ASK_INTERVAL.saturating_sub(LEAST_INTERVAL);
            // Whether somebody said so or not, the database tells what was revoked.
            let _said = tokio::time::timeout(rest, self.revocation_announced()).await;
            let asked = self.read_revocations().await;
            match &asked {
                Err(error) if !failed => {
                    tracing::warn!(error.message = %error, "The count of revocations could not be read: {error}");
                }
                Ok(()) if failed => tracing::info!("The count of revocations is read again"),
                Ok(()) | Err(_) => {}
            }
            failed = asked.is_err();
        }
    }

    /// Waits until another node says that it has revoked something.
    async fn revocation_announced(&self) {
        match &self.0.redis {
            Some(link) => link.revocation_announced().await,
            None => std::future::pending().await,
        }
    }

    /// Asks for the count of revocations, and forgets what others may have changed.
    ///
    /// # Errors
    /// [`Error::Unavailable`]; what is remembered is believed for what is left of five seconds.
    pub async fn read_revocations(&self) -> Result<(), Error> {
        let Inner {
            standing,
            store,
            clock,
            ..
        } = &*self.0;
        Ok(ask(standing, store, clock).await?)
    }

    /// The session behind a proof, if it still stands. Memory can only say that it does: a session
    /// may have been prolonged elsewhere, so that a no is read from the database, always.
    pub(crate) async fn standing(
        &self,
        bearing: Bearing,
        now: Timestamp,
    ) -> Result<Arc<SignedIn>, Error> {
        let memory = &self.0.standing;
        let remembered = memory.recall(bearing, self.0.clock.through_suspension());
        let remembered = remembered.filter(|found| judge(found, bearing, now).is_ok());
        meter::looked_up(meter::Cache::Sessions, remembered.is_some());
        if let Some(standing) = remembered {
            return Ok(standing);
        }
        let ticket = memory.begin_fill(bearing);
        let found = self.0.store.signed_in(bearing.session).await?;
        let mut found = found.ok_or(Error::RevokedToken)?;
        judge(&found, bearing, now)?;
        // Nobody asks what is remembered for where the session was opened, which is the larger part of it.
        found.session.address = None;
        found.session.user_agent = None;
        let found = Arc::new(found);
        memory.finish_fill(ticket, Arc::clone(&found));
        Ok(found)
    }

    /// Runs an event that may be a revocation, and forgets what it concerns. Both are on one task
    /// of their own: a client that leaves between the two cuts nothing. What is committed though
    /// the event reported a passed time bound, the next count that is read makes up for.
    pub(crate) async fn revoking<T, F>(
        &self,
        scope: Scope,
        event: impl FnOnce(Store) -> F + Send + 'static,
    ) -> Result<T, Error>
    where
        T: Send + 'static,
        F: Future<Output = Result<Counted<T>, store::Error>> + Send + 'static,
    {
        let accounts = self.clone();
        let revoking = async move {
            let Counted { outcome, count } = event(accounts.0.store.clone()).await?;
            if let Some(count) = count {
                accounts.0.standing.revoked(scope, count);
                if let Some(link) = &accounts.0.redis {
                    link.announce_revocation();
                }
            }
            Ok(outcome)
        };
        store::spawn(revoking)
            .await
            .map_err(|_panicked| Error::Internal("a revocation ended early".to_owned()))?
    }
}

fn judge(found: &SignedIn, bearing: Bearing, now: Timestamp) -> Result<(), Error> {
    if found.user.id != bearing.user {
        return Err(Error::InvalidToken("not of this session"));
    }
    if found.session.is_expired(now) {
        return Err(Error::ExpiredToken);
    }
    if !found.user.is_active() {
        return Err(Error::RevokedToken);
    }
    Ok(())
}
