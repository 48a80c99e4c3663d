//! The portable hashes of phpass, for hashes from WordPress before 6.8 and phpBB: MD5, over and over.

use md5::{Digest as _, Md5};
use subtle::ConstantTimeEq as _;
use zeroize::Zeroize as _;

use super::scheme::{MALFORMED, TOO_COSTLY};
use crate::password::Password;

/// The digits of its own Base64, whose first is the lowest.
const DIGITS: &[u8; 64] = b"./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
const HASH_DIGITS: usize = 22;
/// The exponents of its rounds that phpass itself takes.
const ROUNDS: std::ops::RangeInclusive<usize> = 7..=30;
/// What a stored hash may ask for: about half a second for the longest password. WordPress has 13, phpBB 11.
const MOST_ROUNDS: usize = 19;

/// A text of phpass, read.
pub(super) struct PhpassHash {
    log_rounds: usize,
    salt: [u8; 8],
    expected: [u8; HASH_DIGITS],
}

impl PhpassHash {
    /// Reads `$P$`, or phpBB's `$H$`, and behind it a digit for the rounds, eight for the salt and 22 for the hash.
    pub(super) fn parse(stored: &str) -> Result<Self, &'static str> {
        let digits = stored.as_bytes().get(3..).ok_or(MALFORMED)?;
        let (&rounds, rest) = digits.split_first().ok_or(MALFORMED)?;
        let (salt, hash) = rest.split_first_chunk().ok_or(MALFORMED)?;
        let log_rounds = DIGITS.iter().position(|digit| *digit == rounds);
        let log_rounds = log_rounds
            .filter(|log| ROUNDS.contains(log))
            .ok_or(MALFORMED)?;
        if !hash.iter().all(|digit| DIGITS.contains(digit)) {
            return Err(MALFORMED);
        }
        let expected = hash.try_into().map_err(|_| MALFORMED)?;
        if log_rounds > MOST_ROUNDS {
            return Err(TOO_COSTLY);
        }
        Ok(Self {
            log_rounds,
            salt: *salt,
            expected,
        })
    }

    #[cfg(test)]
    pub(super) fn parameters(&self) -> String {
        format!("phpass {}", self.log_rounds)
    }

    pub(super) fn matches(&self, password: &Password) -> bool {
        let password = password.expose().as_bytes();
        let mut hash: [u8; 16] = digest(&self.salt, password);
        for _ in 0..1_u32 << self.log_rounds {
            hash = digest(&hash, password);
        }
        let is_equal = encode(hash).ct_eq(&self.expected).into();
        hash.zeroize();
        is_equal
    }
}

fn digest(before: &[u8], password: &[u8]) -> [u8; 16] {
    Md5::new()
        .chain_update(before)
        .chain_update(password)
        .finalize()
        .into()
}

/// Three bytes at a time make four digits, the low bits first; the last byte makes two.
fn encode(hash: [u8; 16]) -> [u8; HASH_DIGITS] {
    let mut digits = [0; HASH_DIGITS];
    for (digits, bytes) in digits.chunks_mut(4).zip(hash.chunks(3)) {
        let word = bytes
            .iter()
            .rev()
            .fold(0, |word, byte| (word << 8) | usize::from(*byte));
        for (place, digit) in digits.iter_mut().enumerate() {
            *digit = DIGITS[(word >> (6 * place)) & 63];
        }
    }
    digits
}
