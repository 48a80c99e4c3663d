//! Reading the audit log while it is written, so that it can be kept elsewhere too: every event, in the order in which
//! they happened. Where they go, and where the position is kept, is left to the program.
//!
//! The time of an event is read before its transaction begins, so that events become visible in another order than that
//! of their times. What is younger than [`SETTLING`] is therefore not read yet, and what has come late nevertheless, by a
//! slow commit or from a node whose clock is behind, is looked for again and again among the last [`LATE`].

use std::{collections::BTreeSet, time::Duration};

use serde::{Deserialize, Serialize};
use store::{AuditRecord, AuditStretch, Place, Timestamp};
use uuid::Uuid;

use crate::{Accounts, Error};

/// Longer than a call of the store lasts: by then whatever happened on a node with the same time is committed, or never.
const SETTLING: Duration = Duration::from_secs(5);
/// How much later an event may become visible than one that happened after it. Nodes whose clocks differ by more than
/// half of that do not believe each other's tokens.
const LATE: Duration = Duration::from_secs(60);
/// How often what came late is looked for.
const SWEEP_INTERVAL: Duration = Duration::from_secs(20);
/// Events that are read at once.
const BATCH: u64 = 500;

/// How far somebody has read, in a form that can be kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditPosition {
    /// The event that was passed on last, in the order of their times; of none if its id is that of none.
    last: Key,
    /// Those that were passed on and happened within [`LATE`] before it.
    recent: BTreeSet<Key>,
}

/// By what events are sorted: microseconds and an id.
type Key = (i64, Uuid);

/// Somebody who reads the audit log as it grows.
pub struct AuditFollower {
    accounts: Accounts,
    position: AuditPosition,
    /// When it was last looked for what came late. Not since a position was kept: what has come while nobody read is to be
    /// looked for before `last` moves on, away from it.
    swept: Option<Duration>,
}

impl Accounts {
    /// Reads the audit log on from `position`, and from this moment on where there is none.
    #[must_use]
    pub fn follow_audit(&self, position: Option<AuditPosition>) -> AuditFollower {
        let begin = || AuditPosition {
            last: (self.0.clock.now().as_micros(), Uuid::nil()),
            recent: BTreeSet::new(),
        };
        AuditFollower {
            swept: position.is_none().then(|| self.0.clock.monotonic()),
            position: position.unwrap_or_else(begin),
            accounts: self.clone(),
        }
    }
}

impl AuditFollower {
    /// The next events, the oldest first, as far as all before them are here; none where there is nothing new. They are
    /// given again until they are [passed on](Self::passed_on).
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn next(&mut self) -> Result<Vec<AuditRecord>, Error> {
        let settled = self.accounts.0.clock.now().minus(SETTLING);
        self.follow_clock(settled);
        let now = self.accounts.0.clock.monotonic();
        let is_recent = |swept| now.saturating_sub(swept) < SWEEP_INTERVAL;
        if !self.swept.is_some_and(is_recent) {
            let late = self.late().await?;
            if !late.is_empty() {
                return Ok(late);
            }
            self.swept = Some(now);
        }
        self.read(self.position.last, settled).await
    }

    /// The next events like [`AuditFollower::next`], whether or not one from before them may still come: for the last
    /// moment of a server.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn rest(&mut self) -> Result<Vec<AuditRecord>, Error> {
        let now = self.accounts.0.clock.now();
        self.read(self.position.last, now).await
    }

    /// Takes down that these events, which were just given, are where they should be.
    pub fn passed_on(&mut self, events: &[AuditRecord]) {
        let AuditPosition { last, recent } = &mut self.position;
        for event in events {
            let key = key_of(event);
            *last = key.max(*last);
            recent.insert(key);
        }
        *recent = recent.split_off(&late_from(*last));
    }

    /// How far it has got, to go on there another time.
    #[must_use]
    pub fn position(&self) -> &AuditPosition {
        &self.position
    }

    /// Events that happened before the last one that was passed on, and were not there then.
    async fn late(&self) -> Result<Vec<AuditRecord>, Error> {
        let AuditPosition { last, recent } = &self.position;
        let mut from = late_from(*last);
        loop {
            let found = self.read(from, Timestamp::from_micros(last.0)).await?;
            let Some(newest) = found.last() else {
                return Ok(found);
            };
            from = key_of(newest);
            let is_late = |event: &AuditRecord| {
                let key = key_of(event);
                key < *last && !recent.contains(&key)
            };
            let late: Vec<_> = found.into_iter().filter(is_late).collect();
            if !late.is_empty() {
                return Ok(late);
            }
        }
    }

    /// When the clock was set back, what happens from now on happens before what was passed on. Some of that is given
    /// again later, which is better than not at all.
    fn follow_clock(&mut self, settled: Timestamp) {
        let now = settled.plus(SETTLING);
        if self.position.last.0 > now.as_micros() {
            tracing::warn!("The clock was set back; some audit events may be passed on twice");
            self.position.last = (settled.minus(LATE).as_micros(), Uuid::nil());
        }
    }

    async fn read(&self, after: Key, until: Timestamp) -> Result<Vec<AuditRecord>, Error> {
        let stretch = AuditStretch {
            after: Place {
                at: Timestamp::from_micros(after.0),
                id: after.1,
            },
            until,
            limit: BATCH,
        };
        Ok(self.accounts.0.store.audit_stretch(stretch).await?)
    }
}

fn key_of(event: &AuditRecord) -> Key {
    (event.at.as_micros(), event.id)
}

/// The place before all that may come late.
fn late_from(last: Key) -> Key {
    let from = Timestamp::from_micros(last.0).minus(LATE);
    (from.as_micros(), Uuid::nil())
}
