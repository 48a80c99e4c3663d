//! What is remembered of sessions and their users, and until when it may be believed. It reads no
//! database and no clock; what a session's state means is judged in `standing.rs`.

use std::{
    collections::BTreeSet,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering::SeqCst},
    },
    time::Duration,
};

use quick_cache::{Weighter, sync::Cache};
use store::{RevocationCount, SignedIn};
use uuid::Uuid;

use crate::token::Bearing;

/// How long the memory is believed after the count of revocations was last asked for. CONTRACT:
/// what is ended on one node is ended on every other within 5 s.
const BELIEVED: Duration = Duration::from_secs(5);

/// The most sessions that are remembered: 64 MiB of them, as nearly all take no more than a place each.
const MOST_SESSIONS: usize = 128 * 1024;

/// What most sessions take with their users, in bytes. Those with long names or many roles take several such places.
const PLACE: usize = 512;

/// What a text takes beside its letters, in bytes: where it is kept, and what the allocator adds.
const BESIDE_TEXT: usize = 48;

/// Changes are counted in so many places, by the id of the session or user. Two ids that share a
/// place are no fault: a change of the one makes the other be read again.
const PLACES: usize = 4096;

/// Sessions and users as they were read, each with the stamp of the moment before the reading. A
/// change moves the stamps on, and only what bears the present one is believed. So nothing has to
/// be taken out, and a slow reader can put nothing back: what it brings is of an old stamp.
pub(crate) struct StandingCache {
    sessions: Cache<Uuid, Remembered, BySize>,
    /// How often everything was forgotten.
    epoch: AtomicU64,
    /// How often something of a user or a session was changed.
    changes: Box<[AtomicU64]>,
    counts: Mutex<Counts>,
    /// When the count was last asked for, by [`micros`] of the clock that counts suspension.
    confirmed_at: AtomicU64,
}

#[derive(Clone)]
struct Remembered {
    stamp: Stamp,
    state: Arc<SignedIn>,
    places: u64,
}

/// Has what is large count for more, so that the memory is bounded in bytes.
#[derive(Clone)]
struct BySize;

impl Weighter<Uuid, Remembered> for BySize {
    fn weight(&self, _: &Uuid, remembered: &Remembered) -> u64 {
        remembered.places
    }
}

/// The moment of a reading, told by the changes that went before.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Stamp {
    epoch: u64,
    user: u64,
    session: u64,
}

/// The right to remember what is read from now on.
pub(crate) struct Ticket {
    bearing: Bearing,
    stamp: Stamp,
}

/// What a revocation concerns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scope {
    /// One session.
    Session(Uuid),
    /// A user, with all sessions.
    User(Uuid),
}

/// Which revocations the memory knows of.
#[derive(Default)]
struct Counts {
    /// The last count that was read; before the first, nothing is known.
    seen: Option<RevocationCount>,
    /// Later ones, made by this program and acted upon.
    own: BTreeSet<RevocationCount>,
}

impl StandingCache {
    pub(crate) fn new() -> Self {
        Self {
            sessions: Cache::with_weighter(MOST_SESSIONS, MOST_SESSIONS as u64, BySize),
            epoch: AtomicU64::new(0),
            changes: (0..PLACES).map(|_| AtomicU64::new(0)).collect(),
            counts: Mutex::default(),
            confirmed_at: AtomicU64::new(0),
        }
    }

    /// The session of a proof as it is remembered, if that may be believed at `now`, by the clock
    /// that counts suspension.
    pub(crate) fn recall(&self, bearing: Bearing, now: Duration) -> Option<Arc<SignedIn>> {
        // Asked before the stamps are: whatever the confirmation has made invalid bears an old
        // stamp by the time that it can be seen here.
        if !self.is_confirmed(now) {
            return None;
        }
        let remembered = self.sessions.get(&bearing.session)?;
        (remembered.stamp == self.stamp(bearing)).then_some(remembered.state)
    }

    /// To be called before the session is read.
    pub(crate) fn begin_fill(&self, bearing: Bearing) -> Ticket {
        Ticket {
            bearing,
            stamp: self.stamp(bearing),
        }
    }

    /// Remembers what was read, which may be old by now.
    pub(crate) fn finish_fill(&self, ticket: Ticket, state: Arc<SignedIn>) {
        let Ticket { bearing, stamp } = ticket;
        let remembered = Remembered {
            stamp,
            places: places(&state),
            state,
        };
        self.sessions.insert(bearing.session, remembered);
    }

    /// Has what it concerns read again at the next use. To be called after the change is committed
    /// and before anybody is told.
    pub(crate) fn forget(&self, scope: Scope) {
        let (Scope::Session(id) | Scope::User(id)) = scope;
        self.changes[place(id)].fetch_add(1, SeqCst);
    }

    /// Forgets what a revocation concerns that this program has committed under `count`.
    pub(crate) fn revoked(&self, scope: Scope, count: RevocationCount) {
        self.forget(scope);
        let mut counts = self.counts();
        if counts.seen.is_none_or(|seen| count > seen) {
            counts.own.insert(count);
        }
    }

    /// Takes notice of the count that was asked for at `asked_at`. If others have raised it, all
    /// is forgotten: which user it was is not said. So it is where nobody could ask for as long as
    /// anything is believed: another server may answer in the place of the one before, that has
    /// lost its last changes, and the same count may stand for others.
    pub(crate) fn confirm(&self, asked_at: Duration, read: RevocationCount) {
        let mut counts = self.counts();
        if !self.is_confirmed(asked_at) || !counts.knows_all_up_to(read) {
            self.epoch.fetch_add(1, SeqCst);
        }
        counts.seen = Some(read);
        counts.own.retain(|own| *own > read);
        // Behind the forgetting, and within the lock, so that the two are one for every reader.
        self.confirmed_at.fetch_max(micros(asked_at), SeqCst);
    }

    /// The sessions that are remembered, roughly.
    pub(crate) fn entries(&self) -> u64 {
        self.sessions.len() as u64
    }

    /// How long ago, at `now`, the count was last asked for.
    pub(crate) fn confirmation_age(&self, now: Duration) -> Duration {
        let confirmed_at = self.confirmed_at.load(SeqCst);
        Duration::from_micros(micros(now).saturating_sub(confirmed_at))
    }

    fn is_confirmed(&self, now: Duration) -> bool {
        self.confirmed_at.load(SeqCst) > 0 && self.confirmation_age(now) <= BELIEVED
    }

    fn stamp(&self, bearing: Bearing) -> Stamp {
        Stamp {
            epoch: self.epoch.load(SeqCst),
            user: self.changes[place(bearing.user)].load(SeqCst),
            session: self.changes[place(bearing.session)].load(SeqCst),
        }
    }

    fn counts(&self) -> std::sync::MutexGuard<'_, Counts> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Counts {
    /// Whether every revocation between the last count and this one was made here. A count that
    /// has gone back is of a database that was exchanged.
    fn knows_all_up_to(&self, read: RevocationCount) -> bool {
        let Some(seen) = self.seen.filter(|seen| *seen <= read) else {
            return false;
        };
        let new = read.get() - seen.get();
        i64::try_from(self.own.range(..=read).count()).is_ok_and(|own| own == new)
    }
}

/// How many places a session takes, with its user.
fn places(SignedIn { session, user }: &SignedIn) -> u64 {
    let texts = [
        &user.username,
        &user.name,
        &session.address,
        &session.user_agent,
    ];
    let texts = texts
        .into_iter()
        .flatten()
        .chain([&user.email])
        .chain(&user.roles);
    let bytes: usize = texts.map(|text| text.len() + BESIDE_TEXT).sum();
    1 + (bytes / PLACE) as u64
}

/// The ids are UUIDs of version 7, whose last bits are random.
fn place(id: Uuid) -> usize {
    let (_, random) = id.as_u64_pair();
    random as usize % PLACES
}

/// Microseconds, counted from 1, for 0 stands for never.
fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros())
        .unwrap_or(u64::MAX)
        .saturating_add(1)
}

#[cfg(test)]
mod tests;
