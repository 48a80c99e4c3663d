//! PBKDF2 (RFC 8018), for hashes from elsewhere: Werkzeug's, Django's and passlib's texts, and PHC strings.

use std::num::NonZeroU32;

use aws_lc_rs::pbkdf2::{
    self, Algorithm, PBKDF2_HMAC_SHA1, PBKDF2_HMAC_SHA256, PBKDF2_HMAC_SHA512,
};

use super::scheme::{MALFORMED, TOO_COSTLY, decode, fields, number, parameters, unhex};
use crate::password::Password;

/// The fewest bytes of a hash that was cut short on purpose.
const SHORTEST_HASH: usize = 16;

/// A text of PBKDF2, read.
pub(super) struct Pbkdf2Hash {
    digest: Digest,
    rounds: NonZeroU32,
    salt: Vec<u8>,
    expected: Vec<u8>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Digest {
    Sha1,
    Sha256,
    Sha512,
}

impl Digest {
    const fn bytes(self) -> usize {
        match self {
            Self::Sha1 => 20,
            Self::Sha256 => 32,
            Self::Sha512 => 64,
        }
    }

    /// What a stored hash may ask for, about a second. Django's and Werkzeug's own figure grows year by year and
    /// is 1,000,000 to 1,500,000 of SHA-256 now.
    const fn most_rounds(self) -> u32 {
        match self {
            Self::Sha1 | Self::Sha256 => 2_000_000,
            Self::Sha512 => 1_000_000,
        }
    }

    fn algorithm(self) -> Algorithm {
        match self {
            Self::Sha1 => PBKDF2_HMAC_SHA1,
            Self::Sha256 => PBKDF2_HMAC_SHA256,
            Self::Sha512 => PBKDF2_HMAC_SHA512,
        }
    }
}

impl Pbkdf2Hash {
    /// Reads Werkzeug's `pbkdf2:sha256:1000000$salt$hex`, whose method may leave out what it had by default.
    pub(super) fn parse_werkzeug(stored: &str) -> Result<Self, &'static str> {
        let [method, salt, hash] = fields(stored)?;
        let mut method = method.split(':').skip(1);
        let digest = match method.next() {
            None | Some("sha256") => Digest::Sha256,
            Some("sha1") => Digest::Sha1,
            Some("sha512") => Digest::Sha512,
            Some(_) => return Err("its digest is none of SHA-1, SHA-256 and SHA-512"),
        };
        let rounds = method.next().map_or(Some(1_000_000), number);
        if method.next().is_some() {
            return Err(MALFORMED);
        }
        Self::new(digest, rounds, salt.into(), unhex(hash)?)
    }

    /// Reads Django's `pbkdf2_sha256$1000000$salt$base64`.
    pub(super) fn parse_django(digest: Digest, stored: &str) -> Result<Self, &'static str> {
        let [_, rounds, salt, hash] = fields(stored)?;
        Self::new(digest, number(rounds), salt.into(), decode(hash)?)
    }

    /// Reads passlib's `$pbkdf2-sha256$29000$salt$hash` and the PHC string
    /// `$pbkdf2-sha256$i=600000,l=32$salt$hash`.
    pub(super) fn parse_modular(digest: Digest, stored: &str) -> Result<Self, &'static str> {
        let [_, _, cost, salt, hash] = fields(stored)?;
        let (salt, hash) = (decode(salt)?, decode(hash)?);
        if !cost.contains('=') {
            return Self::new(digest, number(cost), salt, hash);
        }
        let [rounds, length] = parameters(cost, ["i", "l"])?;
        let length = length.map_or(digest.bytes(), |length| length as usize);
        if hash.len() != length || !(SHORTEST_HASH..=digest.bytes()).contains(&length) {
            return Err(MALFORMED);
        }
        Self::with_length(digest, rounds, salt, hash)
    }

    fn new(
        digest: Digest,
        rounds: Option<u32>,
        salt: Vec<u8>,
        expected: Vec<u8>,
    ) -> Result<Self, &'static str> {
        // The beginning of a hash is the hash at that length, so one that was cut off by accident would match.
        if expected.len() != digest.bytes() {
            return Err(MALFORMED);
        }
        Self::with_length(digest, rounds, salt, expected)
    }

    fn with_length(
        digest: Digest,
        rounds: Option<u32>,
        salt: Vec<u8>,
        expected: Vec<u8>,
    ) -> Result<Self, &'static str> {
        let rounds = rounds.and_then(NonZeroU32::new).ok_or(MALFORMED)?;
        if rounds.get() > digest.most_rounds() {
            return Err(TOO_COSTLY);
        }
        Ok(Self {
            digest,
            rounds,
            salt,
            expected,
        })
    }

    #[cfg(test)]
    pub(super) fn parameters(&self) -> String {
        let (hash, rounds) = (self.expected.len(), self.rounds);
        format!(
            "pbkdf2 of {} bytes, {rounds} rounds, hash {hash}",
            self.digest.bytes()
        )
    }

    pub(super) fn matches(&self, password: &Password) -> bool {
        let password = password.expose().as_bytes();
        let algorithm = self.digest.algorithm();
        pbkdf2::verify(algorithm, self.rounds, &self.salt, password, &self.expected).is_ok()
    }
}
