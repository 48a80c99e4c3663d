//! argon2 (RFC 9106): what a hash costs, its PHC string, and the computation in memory that the gate lends.

use ::argon2::{Algorithm, Argon2, Block, Params, Version};
use password_hash::phc::{Output, ParamsString, PasswordHash, Salt};
use subtle::ConstantTimeEq as _;
use zeroize::Zeroizing;

use super::scheme::{MALFORMED, TOO_COSTLY};
use crate::{entropy, password::Password};

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
        self.params(HASH_BYTES).block_count()
    }

    fn params(self, hash_bytes: usize) -> Params {
        Params::new(self.memory_kib, self.passes, self.lanes, Some(hash_bytes))
            .expect("a cost is only made within the bounds of the algorithm")
    }
}

/// A PHC string of the argon2 family, read.
pub(super) struct Argon2Hash {
    algorithm: Algorithm,
    version: Version,
    params: Params,
    salt: Salt,
    expected: Output,
}

impl Argon2Hash {
    /// The PHC string of a password's hash under a fresh salt.
    pub(super) fn make(cost: Argon2Cost, password: &Password, memory: &mut [Block]) -> String {
        let mut fresh = Self::with_salt(cost, entropy::bytes());
        fresh.expected = fresh.compute(password, memory);
        fresh.to_phc()
    }

    /// Nobody's hash. What it would match is of no account: its verdict is never looked at.
    pub(super) fn decoy(cost: Argon2Cost) -> Self {
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

    pub(super) fn parse(stored: &str) -> Result<Self, &'static str> {
        let phc = PasswordHash::new(stored).map_err(|_| MALFORMED)?;
        let params = Params::try_from(&phc).map_err(|_| MALFORMED)?;
        if Argon2Cost::new(params.m_cost(), params.t_cost(), params.p_cost()).is_none() {
            return Err(TOO_COSTLY);
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

    /// How much memory the computation needs.
    pub(super) fn block_count(&self) -> usize {
        self.params.block_count()
    }

    #[cfg(test)]
    pub(super) fn parameters(&self) -> String {
        let (algorithm, version, params) = (self.algorithm, self.version, &self.params);
        let (m, t, p) = (params.m_cost(), params.t_cost(), params.p_cost());
        let (salt, hash) = (self.salt.len(), self.expected.len());
        format!("{algorithm:?} {version:?} m={m} t={t} p={p}, salt {salt}, hash {hash}")
    }

    pub(super) fn matches(&self, password: &Password, memory: &mut [Block]) -> bool {
        let actual = self.compute(password, memory);
        actual.as_bytes().ct_eq(self.expected.as_bytes()).into()
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

    pub(super) fn is_as_strong_as(&self, cost: Argon2Cost) -> bool {
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
