//! The one gate through which every password hash goes: how many run at once, how long one may wait, what new hashes
//! are and what work they cost. Which stored formats are understood stands in `scheme`; what a verdict means for a
//! login is decided there.

mod argon2;
mod bcrypt;
mod firebase;
mod label;
mod pbkdf2;
mod phpass;
mod scheme;
mod scrypt;
mod threads;

use std::{
    num::NonZeroUsize,
    sync::{
        Arc, Mutex, OnceLock, PoisonError,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
    time::Duration,
};

use argon2_rust::Hasher;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tracing::{Instrument as _, Level};

pub use self::{argon2::Argon2Cost, bcrypt::BcryptCost};
use self::{argon2::Argon2Hash, bcrypt::BcryptHash, scheme::Scheme, threads::HashThreads};
pub(crate) use self::{firebase::FirebaseScrypt, label::label};
use crate::{Clock, meter, password::Password, throttle::Standing};

/// How long a password waits for a slot before the server says that it is too busy.
const LONGEST_WAIT: Duration = Duration::from_secs(4);

/// What new hashes are, and what one costs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HashCost {
    /// argon2id, unless somebody must do otherwise.
    Argon2id(Argon2Cost),
    /// bcrypt, which holds no password of more than 72 bytes.
    Bcrypt(BcryptCost),
}

impl HashCost {
    /// The bytes of the longest password that can be hashed whole, if there is a limit.
    pub(crate) const fn longest_password(self) -> Option<usize> {
        match self {
            Self::Argon2id(_) => None,
            Self::Bcrypt(_) => Some(bcrypt::LONGEST_PASSWORD),
        }
    }

    fn holds(self, password: &Password) -> bool {
        match self {
            Self::Argon2id(_) => true,
            Self::Bcrypt(_) => bcrypt::holds(password),
        }
    }

    /// The hash with which the work for nobody's password is done. What it would match is of no account: its
    /// verdict is never looked at.
    fn decoy(self) -> Scheme {
        match self {
            Self::Argon2id(cost) => Scheme::Argon2(Argon2Hash::decoy(cost)),
            Self::Bcrypt(cost) => Scheme::Bcrypt(BcryptHash::decoy(cost)),
        }
    }

    /// Whether a stored hash may stay, or is to be replaced by a new one once its password is known.
    fn is_met_by(self, stored: &Scheme) -> bool {
        match (self, stored) {
            (Self::Argon2id(cost), Scheme::Argon2(hash)) => hash.is_as_strong_as(cost),
            // argon2id is the stronger of the two: it is not taken from whoever has it.
            (Self::Bcrypt(_), Scheme::Argon2(hash)) => {
                hash.is_as_strong_as(Argon2Cost::RECOMMENDED)
            }
            (Self::Bcrypt(cost), Scheme::Bcrypt(hash)) => hash.is_as_strong_as(cost),
            (Self::Argon2id(_), Scheme::Bcrypt(_))
            | (_, Scheme::Pbkdf2(_) | Scheme::Phpass(_) | Scheme::Scrypt(_)) => false,
        }
    }
}

/// What comparing a password with a stored hash came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// It is the password.
    Match,
    /// It is the password, but its hash is weaker than new ones are, or comes from elsewhere: store a new one.
    MatchButWeak,
    /// It is not, or there was nothing to compare with.
    NoMatch,
    /// The stored hash cannot be checked, at the same cost as `NoMatch` and to be answered like it. The account
    /// cannot log in until its password is set anew, so this belongs in the log, with the reason and the user's id.
    Unusable(&'static str),
}

/// What a stored hash is by today's settings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum HashKind {
    /// As good as a new one.
    Current,
    /// Weaker, or from elsewhere: replaced at the next login.
    Replaceable,
    /// Of an unknown form, or too costly to check.
    Unusable,
}

/// Why there is no hash or verdict.
#[derive(Debug, thiserror::Error)]
pub enum HashError {
    /// Too many wait already, or a slot took too long to become free.
    #[error("too many passwords wait to be hashed")]
    Busy,
    /// bcrypt would hash only a part of the password.
    #[error("bcrypt cannot hold the password whole")]
    Unsuitable,
    /// The hashing task ended early: the runtime shuts down, or there is a bug.
    #[error("hashing did not finish")]
    Failed(#[from] tokio::task::JoinError),
}

/// What the gate does now and has done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HashLoad {
    /// Hashes computed since the start, those of unknown users included.
    pub calls: u64,
    /// Hashes being computed.
    pub running: usize,
    /// The most that were ever computed at once.
    pub most_running: usize,
    /// Callers in line.
    pub waiting: usize,
}

/// The gate; a clone is the same gate, at which somebody else may stand.
///
/// Whoever asks is let through first where they are familiar, and last where they have failed before. So a flood of
/// guesses keeps nobody waiting but those who are as little known: the slots of the next hashes, and a part of the
/// queue, are never theirs alone.
///
/// A slot belongs to the hashing task and not to whoever asked: a client that disconnects frees nothing early,
/// or a thousand short connections would hash a thousand times at once. Each slot has a block of memory that is
/// used again and again, since the allocator would keep what each of many threads once took.
#[derive(Clone)]
pub(crate) struct HashGate {
    gate: Arc<Gate>,
    standing: Standing,
}

struct Gate {
    threads: HashThreads,
    cost: HashCost,
    decoy: Scheme,
    /// The length of the memory that is kept for the next hash.
    kept_blocks: usize,
    /// One permit per hash that may run.
    slots: Arc<Semaphore>,
    /// One permit per caller that may be inside: running and waiting.
    places: Arc<Semaphore>,
    /// Where those who failed before stand in line, behind all others.
    failed: Line,
    /// Where the untried stand in line behind the familiar, and those who failed once they are past theirs.
    untried: Line,
    all_slots: usize,
    all_places: usize,
    idle_memory: Mutex<Vec<Hasher>>,
    clock: Clock,
    calls: AtomicU64,
    running: AtomicUsize,
    most_running: AtomicUsize,
    /// The parameters of each hash that was computed, in order.
    #[cfg(test)]
    work: Mutex<Vec<String>>,
}

/// Whether hashes that are made on this processor are those of every other.
pub(crate) fn is_right() -> bool {
    static SEEN: OnceLock<bool> = OnceLock::new();
    *SEEN.get_or_init(argon2::is_right)
}

impl HashGate {
    /// A gate that makes hashes of `cost`, at most `slots` at a time, with at most `queue` callers in line.
    #[must_use]
    pub(crate) fn new(cost: HashCost, slots: NonZeroUsize, queue: usize, clock: Clock) -> Self {
        let all_slots = slots.get().min(Semaphore::MAX_PERMITS);
        let all_places = all_slots.saturating_add(queue).min(Semaphore::MAX_PERMITS);
        let line = |places: usize| Line {
            places: Arc::new(Semaphore::new(places.max(1))),
            door: Arc::new(Semaphore::new(all_slots)),
        };
        let gate = Gate {
            threads: HashThreads::new(all_slots),
            cost,
            decoy: cost.decoy(),
            kept_blocks: match cost {
                HashCost::Argon2id(cost) => cost.block_count(),
                HashCost::Bcrypt(_) => 0,
            },
            slots: Arc::new(Semaphore::new(all_slots)),
            places: Arc::new(Semaphore::new(all_places)),
            failed: line(all_places / 2),
            untried: line(all_places / 4 * 3),
            all_slots,
            all_places,
            idle_memory: Mutex::default(),
            clock,
            calls: AtomicU64::new(0),
            running: AtomicUsize::new(0),
            most_running: AtomicUsize::new(0),
            #[cfg(test)]
            work: Mutex::default(),
        };
        Self {
            gate: Arc::new(gate),
            standing: Standing::Familiar,
        }
    }

    /// The same gate for somebody of this standing; they are familiar where nothing is said.
    #[must_use]
    pub(crate) fn for_standing(&self, standing: Standing) -> Self {
        Self {
            gate: Arc::clone(&self.gate),
            standing,
        }
    }

    /// The hash to store for a password, under a fresh salt.
    ///
    /// # Errors
    /// [`HashError::Busy`] when the queue is full or the wait exceeds 4 s; [`HashError::Unsuitable`] for a password
    /// that the rules for new ones refuse, but that may stand behind a hash from elsewhere; [`HashError::Failed`].
    pub(crate) async fn hash(&self, password: Password) -> Result<String, HashError> {
        if !self.gate.cost.holds(&password) {
            return Err(HashError::Unsuitable);
        }
        self.run(move |gate| gate.make(&password)).await
    }

    /// Compares a password with what is stored. For nobody's password (`None`: an unknown or deleted user) the work of a
    /// new hash is done, so that the answer takes as long; a hash from elsewhere takes its own time, also that of a
    /// disabled user, who is then not told from a wrong password.
    ///
    /// # Errors
    /// [`HashError::Busy`] when the queue is full or the wait exceeds 4 s; [`HashError::Failed`].
    pub(crate) async fn verify(
        &self,
        password: Password,
        stored: Option<String>,
    ) -> Result<Verdict, HashError> {
        self.run(move |gate| match stored.as_deref().map(Scheme::parse) {
            None => gate.pretend(&password, Verdict::NoMatch),
            Some(Err(reason)) => gate.pretend(&password, Verdict::Unusable(reason)),
            Some(Ok(stored)) => gate.compare(&stored, &password),
        })
        .await
    }

    /// What a stored hash is by today's settings.
    pub(crate) fn kind_of(&self, stored: &str) -> HashKind {
        match Scheme::parse(stored) {
            Err(_reason) => HashKind::Unusable,
            Ok(scheme) if self.gate.cost.is_met_by(&scheme) => HashKind::Current,
            Ok(_) => HashKind::Replaceable,
        }
    }

    /// Hashes computed since the start.
    #[cfg(test)]
    pub(crate) fn calls(&self) -> u64 {
        self.load().calls
    }

    /// The parameters of every hash since this was last asked: with them, and not with a timer, it is tested that two
    /// answers take the same work.
    #[cfg(test)]
    pub(crate) fn take_work(&self) -> Vec<String> {
        std::mem::take(
            &mut self
                .gate
                .work
                .lock()
                .unwrap_or_else(PoisonError::into_inner),
        )
    }

    /// What the gate does now and has done.
    pub(crate) fn load(&self) -> HashLoad {
        let gate = &self.gate;
        let inside = gate.all_places - gate.places.available_permits();
        let in_slots = gate.all_slots - gate.slots.available_permits();
        HashLoad {
            calls: gate.calls.load(Ordering::SeqCst),
            running: gate.running.load(Ordering::SeqCst),
            most_running: gate.most_running.load(Ordering::SeqCst),
            waiting: inside.saturating_sub(in_slots),
        }
    }

    async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Gate) -> T + Send + 'static,
    ) -> Result<T, HashError> {
        let clock = &self.gate.clock;
        let asked = clock.monotonic();
        let admission = self
            .admit()
            .instrument(tracing::span!(target: "traced::wait", Level::INFO, "password_hash_wait"))
            .await
            .inspect_err(|_refused| meter::hash_refused())?;
        meter::hash_wait(clock.monotonic().saturating_sub(asked));
        let gate = Arc::clone(&self.gate);
        let task = self.gate.threads.spawn(move || {
            let result = work(&gate);
            drop(admission);
            result
        });
        Ok(task.await?)
    }

    async fn admit(&self) -> Result<Admission, HashError> {
        let gate = &self.gate;
        let lines = gate.lines_for(self.standing);
        let mut permits = Vec::with_capacity(2 * lines.len() + 2);
        for places in lines.iter().map(|line| &line.places).chain([&gate.places]) {
            let place = Arc::clone(places).try_acquire_owned();
            permits.push(place.map_err(|_| HashError::Busy)?);
        }
        let wait = async {
            for door in lines.iter().map(|line| &line.door).chain([&gate.slots]) {
                let permit = Arc::clone(door).acquire_owned().await;
                permits.push(permit.expect("the gate never closes its semaphores"));
            }
        };
        tokio::time::timeout(LONGEST_WAIT, wait)
            .await
            .map_err(|_| HashError::Busy)?;
        Ok(Admission { _permits: permits })
    }
}

/// The right to hash: moved into the blocking task, and given back when that ends, by a panic too.
struct Admission {
    _permits: Vec<OwnedSemaphorePermit>,
}

/// Some who come after others. Each keeps both permits until its hash is made.
struct Line {
    /// One permit per caller in this line or past it, so that a part of the gate's places stays free for the others.
    places: Arc<Semaphore>,
    /// One permit per slot for those past this line: nobody ahead waits for more of them than are hashing.
    door: Arc<Semaphore>,
}

impl Gate {
    /// The lines to go through before the slots, in their order.
    fn lines_for(&self, standing: Standing) -> Vec<&Line> {
        match standing {
            Standing::Failed => vec![&self.failed, &self.untried],
            Standing::Untried => vec![&self.untried],
            Standing::Familiar => Vec::new(),
        }
    }

    fn make(&self, password: &Password) -> String {
        // A new hash has the parameters of the decoy, which is what the decoy is for.
        let _work = Work::begin(self, &self.decoy);
        match self.cost {
            HashCost::Argon2id(cost) => {
                let mut memory = SlotMemory::take(self);
                Argon2Hash::make(cost, password, memory.hasher())
            }
            HashCost::Bcrypt(cost) => BcryptHash::make(cost, password),
        }
    }

    fn compare(&self, stored: &Scheme, password: &Password) -> Verdict {
        if !self.matches(stored, password) {
            Verdict::NoMatch
        } else if self.cost.is_met_by(stored) {
            Verdict::Match
        } else {
            Verdict::MatchButWeak
        }
    }

    fn pretend(&self, password: &Password, verdict: Verdict) -> Verdict {
        let _ = self.matches(&self.decoy, password);
        verdict
    }

    fn matches(&self, stored: &Scheme, password: &Password) -> bool {
        let _work = Work::begin(self, stored);
        let is_equal = match stored {
            Scheme::Argon2(hash) => {
                let mut memory = SlotMemory::take(self);
                return hash.matches(password, memory.hasher());
            }
            Scheme::Bcrypt(hash) => hash.matches(password),
            Scheme::Pbkdf2(hash) => hash.matches(password),
            Scheme::Phpass(hash) => hash.matches(password),
            Scheme::Scrypt(hash) => hash.matches(password),
        };
        // To all but argon2 a NUL at the end is as good as none (HMAC pads its key with them, bcrypt ends it with
        // one), so that more than the password would match.
        is_equal && !password.expose().contains('\0')
    }
}

/// A hash that is being computed, as the gate counts it.
struct Work<'gate>(&'gate Gate);

impl<'gate> Work<'gate> {
    #[cfg_attr(
        not(test),
        expect(unused_variables, reason = "tests alone compare work")
    )]
    fn begin(gate: &'gate Gate, hash: &Scheme) -> Self {
        #[cfg(test)]
        gate.work
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(hash.parameters());
        gate.calls.fetch_add(1, Ordering::SeqCst);
        let running = gate.running.fetch_add(1, Ordering::SeqCst) + 1;
        gate.most_running.fetch_max(running, Ordering::SeqCst);
        Self(gate)
    }
}

impl Drop for Work<'_> {
    fn drop(&mut self) {
        self.0.running.fetch_sub(1, Ordering::SeqCst);
    }
}

/// What a slot hashes with while it is in use. It is kept for the next hash, with its memory, which it has wiped, as that
/// tells of the password.
struct SlotMemory<'gate> {
    gate: &'gate Gate,
    hasher: Option<Hasher>,
}

impl<'gate> SlotMemory<'gate> {
    fn take(gate: &'gate Gate) -> Self {
        let idle = gate
            .idle_memory
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .pop();
        Self { gate, hasher: idle }
    }

    fn hasher(&mut self) -> &mut Hasher {
        self.hasher.get_or_insert_with(argon2::hasher)
    }
}

impl Drop for SlotMemory<'_> {
    fn drop(&mut self) {
        // Memory that an exceptionally costly hash asked for is given back.
        let kept = self.hasher.take();
        let kept = kept.filter(|hasher| hasher.reserved_blocks() <= self.gate.kept_blocks);
        if let Some(hasher) = kept {
            self.gate
                .idle_memory
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .push(hasher);
        }
    }
}

#[cfg(test)]
mod tests;
