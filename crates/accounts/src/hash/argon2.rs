//! argon2 (RFC 9106): what a hash costs, its PHC string, and the computation in memory that the gate lends.

use std::ops::RangeInclusive;

use argon2_rust::{
    Algorithm, Argon2, Decoded, Hasher, Params, Version, decode_phc, encode_string_alloc,
    params::{Memory, TagLen},
};
use subtle::ConstantTimeEq as _;
use zeroize::Zeroizing;

use super::scheme::{MALFORMED, TOO_COSTLY};
use crate::{entropy, password::Password};

const SALT_BYTES: usize = 16;
const HASH_BYTES: usize = 32;
/// How long a hash is in a PHC string, in bytes.
const LENGTHS: RangeInclusive<usize> = 10..=64;

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
    /// What a stored hash may ask for; a row that asks for more, 4 GiB say, would stall the server. Django's own cost
    /// has this memory and these lanes.
    const MAXIMUM: Self = Self {
        memory_kib: 102_400,
        passes: 10,
        lanes: 8,
    };

    /// A cost that the algorithm allows and that may be verified later (at most 100 MiB, 10 passes, 8 lanes).
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

    /// How much memory a hash of this cost needs.
    pub(super) fn block_count(self) -> usize {
        self.params().memory_blocks() as usize
    }

    fn params(self) -> Params {
        Params::builder()
            .memory(Memory::kib(self.memory_kib.into()))
            .passes(self.passes)
            .lanes(self.lanes)
            .tag_len(TagLen::bytes(HASH_BYTES as u64))
            .build()
            .expect("a cost is only made within the bounds of the algorithm")
    }
}

/// What computes hashes one after the other. It has no memory before the first, and then that of the costliest.
pub(super) fn hasher() -> Hasher {
    let any = Argon2::new(Algorithm::Argon2id, Version::V0x13, Params::default());
    any.hasher()
}

/// Whether what was chosen for this processor computes what the reference implementation does. Which of its instructions
/// that are is found out when the program runs, so no test elsewhere can tell; and a hash that is wrong would be right for
/// ever after, here alone.
pub(super) fn is_right() -> bool {
    let known =
        "$argon2id$v=19$m=4096,t=2,p=2$c29tZXNhbHQ$dyEuuPov0xmpJ+eUsnLp3LAoWe8F71UV8xSUtN/TiaE";
    let Ok(known) = Argon2Hash::parse(known) else {
        return false;
    };
    let password = Password::for_login("password".into());
    password.is_ok_and(|password| known.matches(&password, &mut hasher()))
}

/// A PHC string of the argon2 family, read.
pub(super) struct Argon2Hash(Decoded);

impl Argon2Hash {
    /// The PHC string of a password's hash under a fresh salt.
    pub(super) fn make(cost: Argon2Cost, password: &Password, hasher: &mut Hasher) -> String {
        let mut fresh = Self::with_salt(cost, entropy::bytes());
        fresh.0.hash = fresh.compute(password, hasher).to_vec();
        fresh.to_phc()
    }

    /// Nobody's hash. What it would match is of no account: its verdict is never looked at.
    pub(super) fn decoy(cost: Argon2Cost) -> Self {
        Self::with_salt(cost, [0; SALT_BYTES])
    }

    fn with_salt(cost: Argon2Cost, salt: [u8; SALT_BYTES]) -> Self {
        Self(Decoded {
            algorithm: Algorithm::Argon2id,
            version: Version::V0x13,
            params: cost.params(),
            salt: salt.to_vec(),
            hash: vec![0; HASH_BYTES],
            ad: Vec::new(),
        })
    }

    pub(super) fn parse(stored: &str) -> Result<Self, &'static str> {
        let read = decode_phc(stored).map_err(|_| MALFORMED)?;
        let cost = Argon2Cost::new(
            read.params.memory_kib(),
            read.params.passes(),
            read.params.lanes(),
        );
        if cost.is_none() {
            return Err(TOO_COSTLY);
        }
        if !LENGTHS.contains(&read.hash.len()) {
            return Err(MALFORMED);
        }
        Ok(Self(read))
    }

    #[cfg(test)]
    pub(super) fn parameters(&self) -> String {
        let (algorithm, version, params) = (self.0.algorithm, self.0.version, self.0.params);
        let (m, t, p) = (params.memory_kib(), params.passes(), params.lanes());
        let (salt, hash) = (self.0.salt.len(), self.0.hash.len());
        format!("{algorithm:?} {version:?} m={m} t={t} p={p}, salt {salt}, hash {hash}")
    }

    pub(super) fn matches(&self, password: &Password, hasher: &mut Hasher) -> bool {
        let actual = self.compute(password, hasher);
        actual.ct_eq(&self.0.hash).into()
    }

    fn compute(&self, password: &Password, hasher: &mut Hasher) -> Zeroizing<Vec<u8>> {
        let read = &self.0;
        hasher.set_argon2(Argon2::new(read.algorithm, read.version, read.params));
        let mut actual = Zeroizing::new(vec![0; read.hash.len()]);
        let password = password.expose().as_bytes();
        hasher
            .hash_into_with_ad(password, &read.salt, &[], &read.ad, &mut actual)
            .expect("lengths were checked when the hash was read, and there is memory");
        actual
    }

    pub(super) fn is_as_strong_as(&self, cost: Argon2Cost) -> bool {
        let read = &self.0;
        read.algorithm == Algorithm::Argon2id
            && read.version == Version::V0x13
            && read.params.memory_kib() >= cost.memory_kib
            && read.params.passes() >= cost.passes
            && read.salt.len() >= SALT_BYTES
            && read.hash.len() >= HASH_BYTES
    }

    fn to_phc(&self) -> String {
        let made = &self.0;
        let (salt, hash) = (&made.salt, &made.hash);
        encode_string_alloc(made.algorithm, made.version, &made.params, salt, hash)
            .expect("lengths were checked when the hash was made")
    }
}
