//! The one gate through which every password hash goes: how many run at once, how long one may wait, what work
//! they cost, and which stored formats are understood. What a verdict means for a login is decided there.

use std::{
    num::NonZeroUsize,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
    time::Duration,
};

use argon2::{Algorithm, Argon2, Block, Params, Version};
use password_hash::phc::{Output, ParamsString, PasswordHash, Salt};
use subtle::ConstantTimeEq;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use zeroize::{Zeroize, Zeroizing};

use crate::{entropy, password::Password};

/// How long a password waits for a slot before the server says that it is too busy.
const LONGEST_WAIT: Duration = Duration::from_secs(4);
const SALT_BYTES: usize = 16;
const HASH_BYTES: usize = 32;

/// What one argon2id hash costs (RFC 9106).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Argon2Cost {
    memory_kib: u32,
    passes: u32,
    lanes: u32,
}

impl Argon2Cost {
    /// 19 MiB, two passes, one lane: the least that OWASP's password storage cheat sheet asks for.
    pub const RECOMMENDED: Self = Self {
        memory_kib: 19_456,
        passes: 2,
        lanes: 1,
    };
    /// The least that the algorithm can do, for tests that hash often and protect nothing.
    pub const TRIFLING: Self = Self {
        memory_kib: 8,
        passes: 1,
        lanes: 1,
    };
    /// What a stored hash may ask for; a row that asks for more, 4 GiB say, would stall the server.
    const MAXIMUM: Self = Self {
        memory_kib: 65_536,
        passes: 10,
        lanes: 4,
    };

    /// A cost that the algorithm allows and that may be verified later (at most 64 MiB, 10 passes, 4 lanes).
    #[must_use]
    pub const fn new(memory_kib: u32, passes: u32, lanes: u32) -> Option<Self> {
        let possible = lanes >= 1 && passes >= 1 && memory_kib >= 8 * lanes;
        let bearable = memory_kib <= Self::MAXIMUM.memory_kib
            && passes <= Self::MAXIMUM.passes
            && lanes <= Self::MAXIMUM.lanes;
        if possible && bearable {
            Some(Self {
                memory_kib,
                passes,
                lanes,
            })
        } else {
            None
        }
    }

    fn params(self, hash_bytes: usize) -> Params {
        Params::new(self.memory_kib, self.passes, self.lanes, Some(hash_bytes))
            .expect("a cost is only made within the bounds of the algorithm")
    }
}

/// What comparing a password with a stored hash came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// It is the password.
    Match,
    /// It is the password, but its hash costs less than new ones do: store a new one.
    MatchButWeak,
    /// It is not, or there was nothing to compare with.
    NoMatch,
    /// The stored hash cannot be checked, at the same cost as `NoMatch` and to be answered like it. The account
    /// cannot log in until its password is set anew, so this belongs in the log, with the reason and the user's id.
    Unusable(&'static str),
}

/// Why there is no hash or verdict.
#[derive(Debug, thiserror::Error)]
pub enum HashError {
    /// Too many wait already, or a slot took too long to become free.
    #[error("too many passwords wait to be hashed")]
    Busy,
    /// The hashing task ended early: the runtime shuts down, or there is a bug.
    #[error("hashing did not finish")]
    Failed(#[from] tokio::task::JoinError),
}

/// What the gate does now and has done.
#[cfg(test)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct HashLoad {
    /// Hashes computed since the start, those of unknown users included.
    pub calls: u64,
    /// Hashes being computed.
    pub running: usize,
    /// The most that were ever computed at once.
    pub most_running: usize,
    /// Callers in line.
    pub waiting: usize,
}

/// The gate; a clone is the same gate.
///
/// A slot belongs to the blocking task and not to whoever asked: a client that disconnects frees nothing early,
/// or a thousand short connections would hash a thousand times at once. Each slot has a block of memory that is
/// used again and again, since the allocator would keep what each of many threads once took.
#[derive(Clone)]
pub(crate) struct HashGate(Arc<Gate>);

struct Gate {
    cost: Argon2Cost,
    decoy: Argon2Hash,
    /// One permit per hash that may run.
    slots: Arc<Semaphore>,
    /// One permit per caller that may be inside: running and waiting.
    places: Arc<Semaphore>,
    #[cfg(test)]
    all_slots: usize,
    #[cfg(test)]
    all_places: usize,
    idle_memory: Mutex<Vec<Vec<Block>>>,
    calls: AtomicU64,
    running: AtomicUsize,
    most_running: AtomicUsize,
}

impl HashGate {
    /// A gate that makes hashes of `cost`, at most `slots` at a time, with at most `queue` callers in line.
    #[must_use]
    pub(crate) fn new(cost: Argon2Cost, slots: NonZeroUsize, queue: usize) -> Self {
        let all_slots = slots.get().min(Semaphore::MAX_PERMITS);
        let all_places = all_slots.saturating_add(queue).min(Semaphore::MAX_PERMITS);
        Self(Arc::new(Gate {
            cost,
            decoy: Argon2Hash::decoy(cost),
            slots: Arc::new(Semaphore::new(all_slots)),
            places: Arc::new(Semaphore::new(all_places)),
            #[cfg(test)]
            all_slots,
            #[cfg(test)]
            all_places,
            idle_memory: Mutex::default(),
            calls: AtomicU64::new(0),
            running: AtomicUsize::new(0),
            most_running: AtomicUsize::new(0),
        }))
    }

    /// The hash to store for a password: a PHC string of argon2id under a fresh salt.
    ///
    /// # Errors
    /// [`HashError::Busy`] when the queue is full or the wait exceeds 4 s; [`HashError::Failed`].
    pub(crate) async fn hash(&self, password: Password) -> Result<String, HashError> {
        self.run(move |gate| {
            let mut fresh = Argon2Hash::fresh(gate.cost);
            fresh.expected = gate.compute(&fresh, &password);
            fresh.to_phc()
        })
        .await
    }

    /// Compares a password with what is stored. For nobody's password (`None`: an unknown, deleted or disabled
    /// user) the same work is done, so that the answer takes as long.
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
            Some(Ok(Scheme::Argon2(hash))) => gate.compare(&hash, &password),
        })
        .await
    }

    /// Hashes computed since the start. Equal work for unknown users can be tested by it, without a timer.
    #[cfg(test)]
    pub(crate) fn calls(&self) -> u64 {
        self.load().calls
    }

    /// What the gate does now and has done.
    #[cfg(test)]
    pub(crate) fn load(&self) -> HashLoad {
        let gate = &self.0;
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
        let admission = self.admit().await?;
        let gate = Arc::clone(&self.0);
        let task = tokio::task::spawn_blocking(move || {
            let result = work(&gate);
            drop(admission);
            result
        });
        Ok(task.await?)
    }

    async fn admit(&self) -> Result<Admission, HashError> {
        let place = Arc::clone(&self.0.places)
            .try_acquire_owned()
            .map_err(|_| HashError::Busy)?;
        let slot = tokio::time::timeout(LONGEST_WAIT, Arc::clone(&self.0.slots).acquire_owned())
            .await
            .map_err(|_| HashError::Busy)?
            .expect("the gate never closes its semaphores");
        Ok(Admission {
            _slot: slot,
            _place: place,
        })
    }
}

/// The right to hash: moved into the blocking task, and given back when that ends, by a panic too.
struct Admission {
    _slot: OwnedSemaphorePermit,
    _place: OwnedSemaphorePermit,
}

impl Gate {
    fn compare(&self, hash: &Argon2Hash, password: &Password) -> Verdict {
        let actual = self.compute(hash, password);
        if !bool::from(actual.as_bytes().ct_eq(hash.expected.as_bytes())) {
            Verdict::NoMatch
        } else if hash.is_as_strong_as(self.cost) {
            Verdict::Match
        } else {
            Verdict::MatchButWeak
        }
    }

    fn pretend(&self, password: &Password, verdict: Verdict) -> Verdict {
        let _ = self.compare(&self.decoy, password);
        verdict
    }

    fn compute(&self, hash: &Argon2Hash, password: &Password) -> Output {
        self.calls.fetch_add(1, Ordering::SeqCst);
        let mut memory = SlotMemory::take(self, hash.params.block_count());
        hash.compute(password, &mut memory.blocks)
    }
}

/// A slot's memory while it is in use; wiped at the end, as it tells of the password, and kept for the next.
struct SlotMemory<'gate> {
    gate: &'gate Gate,
    blocks: Vec<Block>,
}

impl<'gate> SlotMemory<'gate> {
    fn take(gate: &'gate Gate, count: usize) -> Self {
        let running = gate.running.fetch_add(1, Ordering::SeqCst) + 1;
        gate.most_running.fetch_max(running, Ordering::SeqCst);
        let idle = gate
            .idle_memory
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .pop();
        let mut blocks = idle.unwrap_or_default();
        if blocks.len() < count {
            // Not grown in place: that would copy what is about to be overwritten.
            blocks = vec![Block::new(); count];
        }
        Self { gate, blocks }
    }
}

impl Drop for SlotMemory<'_> {
    fn drop(&mut self) {
        self.blocks.iter_mut().zeroize();
        let own_count = self.gate.decoy.params.block_count();
        // Memory that an exceptionally costly hash asked for is given back.
        if self.blocks.len() == own_count {
            self.gate
                .idle_memory
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .push(std::mem::take(&mut self.blocks));
        }
        self.gate.running.fetch_sub(1, Ordering::SeqCst);
    }
}

/// The formats a stored hash may have. One that comes from elsewhere joins as a variant here, an arm in
/// [`Scheme::parse`] that bounds its cost, and one in [`HashGate::verify`] that calls its match weak.
enum Scheme {
    Argon2(Argon2Hash),
}

impl Scheme {
    fn parse(stored: &str) -> Result<Self, &'static str> {
        match stored.split('$').nth(1) {
            Some("argon2id" | "argon2i" | "argon2d") => Argon2Hash::parse(stored).map(Self::Argon2),
            _ => Err("it is in no known format"),
        }
    }
}

/// A PHC string of the argon2 family, read.
struct Argon2Hash {
    algorithm: Algorithm,
    version: Version,
    params: Params,
    salt: Salt,
    expected: Output,
}

impl Argon2Hash {
    /// A hash yet to be computed.
    fn fresh(cost: Argon2Cost) -> Self {
        Self::with_salt(cost, entropy::bytes())
    }

    /// Nobody's hash. What it would match is of no account: its verdict is never looked at.
    fn decoy(cost: Argon2Cost) -> Self {
        Self::with_salt(cost, [0; SALT_BYTES])
    }

    fn with_salt(cost: Argon2Cost, salt: [u8; SALT_BYTES]) -> Self {
        Self {
            algorithm: Algorithm::Argon2id,
            version: Version::V0x13,
            params: cost.params(HASH_BYTES),
            salt: Salt::new(&salt).expect("16 bytes are the recommended length of a salt"),
            expected: Output::new(&[0; HASH_BYTES]).expect("32 bytes are a length of hashes"),
        }
    }

    fn parse(stored: &str) -> Result<Self, &'static str> {
        const MALFORMED: &str = "it is not a well-formed PHC string";
        let phc = PasswordHash::new(stored).map_err(|_| MALFORMED)?;
        let params = Params::try_from(&phc).map_err(|_| MALFORMED)?;
        if Argon2Cost::new(params.m_cost(), params.t_cost(), params.p_cost()).is_none() {
            return Err("its cost is beyond what this server computes");
        }
        // RFC 9106 calls 0x10 the old version; the PHC format names it by leaving the field out.
        let version = phc.version.map_or(Ok(Version::V0x10), Version::try_from);
        Ok(Self {
            algorithm: Algorithm::new(phc.algorithm).map_err(|_| MALFORMED)?,
            version: version.map_err(|_| MALFORMED)?,
            params,
            salt: phc.salt.ok_or(MALFORMED)?,
            expected: phc.hash.ok_or(MALFORMED)?,
        })
    }

    fn compute(&self, password: &Password, memory: &mut [Block]) -> Output {
        let mut bytes = Zeroizing::new([0; Output::MAX_LENGTH]);
        let bytes = &mut bytes[..self.expected.len()];
        Argon2::new(self.algorithm, self.version, self.params.clone())
            .hash_password_into_with_memory(
                password.expose().as_bytes(),
                self.salt.as_ref(),
                bytes,
                memory,
            )
            .expect("parameters and lengths were checked when the hash was read");
        Output::new(bytes).expect("its length is that of a hash that was read")
    }

    fn is_as_strong_as(&self, cost: Argon2Cost) -> bool {
        self.algorithm == Algorithm::Argon2id
            && self.version == Version::V0x13
            && self.params.m_cost() >= cost.memory_kib
            && self.params.t_cost() >= cost.passes
            && self.salt.len() >= SALT_BYTES
            && self.expected.len() >= HASH_BYTES
    }

    fn to_phc(&self) -> String {
        PasswordHash {
            algorithm: self.algorithm.ident(),
            version: Some(self.version.into()),
            params: ParamsString::try_from(&self.params)
                .expect("three numbers fit into a PHC string"),
            salt: Some(self.salt),
            hash: Some(self.expected),
        }
        .to_string()
    }
}

#[cfg(test)]
mod tests;
