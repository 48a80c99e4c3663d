//! How long what is over is kept, and that it goes then: deleted users and todos, audit events, expired
//! sessions, retired signing keys.

use std::{convert::Infallible, time::Duration};

use store::{Perishable, Timestamp};

use crate::{Accounts, Error, entropy};

/// A server that was just started has better things to do.
const FIRST_WAIT: Duration = Duration::from_secs(60);
/// The mean time between two rounds.
const INTERVAL: Duration = Duration::from_secs(60 * 60);
/// So many rows go in one event, and others have their turn between two.
const BATCH: u64 = 200;
/// For so long after its end a session is told from one that was closed, and a key is listed as
/// retired. It also covers clocks that do not agree.
const KEPT_AFTER_END: Duration = Duration::from_secs(7 * 86_400);

/// How many rows a round removed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Purged {
    /// Users who were deleted, and todos and documents that were theirs.
    pub users: u64,
    /// Todos that were deleted.
    pub todos: u64,
    /// Audit events.
    pub audit_events: u64,
    /// Sessions that had expired.
    pub sessions: u64,
    /// Signing keys that had retired.
    pub signing_keys: u64,
}

impl Accounts {
    /// Removes what is over again and again, about each hour, for as long as it is awaited. Where
    /// nothing is to be written it only waits.
    pub async fn keep_purging(&self) -> Infallible {
        if matches!(self.0.store.check_writable(), Err(store::Error::ReadOnly)) {
            return std::future::pending().await;
        }
        let mut wait = FIRST_WAIT;
        loop {
            tokio::time::sleep(jittered(wait)).await;
            match self.purge().await {
                Ok(purged) => purged.log(),
                // The next round begins where this one ended.
                Err(error) => {
                    tracing::warn!(error.message = %error, "What is over could not be removed: {error}");
                }
            }
            wait = INTERVAL;
        }
    }

    /// Removes what is over, a bounded number of rows at a time.
    ///
    /// # Errors
    /// [`Error::Unavailable`], with part of it done.
    pub async fn purge(&self) -> Result<Purged, Error> {
        let (now, policy) = (self.0.clock.now(), &self.0.policy);
        let ended = now.minus(KEPT_AFTER_END);
        let deleted = now.minus(policy.deleted_retention);
        let recorded = now.minus(policy.audit_retention);
        Ok(Purged {
            users: self.purge_all(Perishable::DeletedUsers, deleted).await?,
            todos: self.purge_all(Perishable::DeletedTodos, deleted).await?,
            audit_events: self.purge_all(Perishable::AuditEvents, recorded).await?,
            sessions: self.purge_all(Perishable::ExpiredSessions, ended).await?,
            signing_keys: self
                .purge_all(Perishable::RetiredSigningKeys, ended)
                .await?,
        })
    }

    async fn purge_all(&self, kind: Perishable, ended_before: Timestamp) -> Result<u64, Error> {
        let mut removed = 0;
        loop {
            let batch = self.0.store.purge(kind, ended_before, BATCH).await?;
            removed += batch;
            if batch < BATCH {
                return Ok(removed);
            }
        }
    }
}

impl Purged {
    fn log(self) {
        let Self {
            users,
            todos,
            audit_events,
            sessions,
            signing_keys,
        } = self;
        if self != Self::default() {
            tracing::info!(
                purged.users = users,
                purged.todos = todos,
                purged.audit_events = audit_events,
                purged.sessions = sessions,
                purged.signing_keys = signing_keys,
                "Removed what was over: {users} rows of deleted users, {todos} deleted todos, {audit_events} audit events, \
                 {sessions} expired sessions, {signing_keys} retired signing keys"
            );
        }
    }
}

/// Between three and five quarters of `mean`, so that several servers do not come at once.
fn jittered(mean: Duration) -> Duration {
    let [dice] = entropy::bytes::<1>();
    mean.mul_f64(0.75 + f64::from(dice) / 510.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wait_is_its_mean_give_or_take_a_quarter() {
        for _ in 0..1000 {
            let wait = jittered(INTERVAL);
            assert!(
                (INTERVAL * 3 / 4..=INTERVAL * 5 / 4).contains(&wait),
                "{wait:?}"
            );
        }
    }
}
