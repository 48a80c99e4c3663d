//! scrypt (RFC 7914), for hashes from elsewhere: Werkzeug's, Django's and Better Auth's texts, those of Firebase, and
//! PHC strings, passlib's among them.

use std::borrow::Cow;

use ::scrypt::{Params, scrypt};
use aws_lc_rs::{
    cipher::{AES_256, EncryptingKey, EncryptionContext, UnboundCipherKey},
    iv::FixedLength,
};
use base64::{Engine as _, prelude::BASE64_STANDARD_NO_PAD};
use icu_normalizer::ComposingNormalizerBorrowed;
use subtle::ConstantTimeEq as _;
use zeroize::Zeroizing;

use super::scheme::{MALFORMED, TOO_COSTLY, decode, fields, number, parameters, unhex};
use crate::password::Password;

/// The memory that a stored hash may ask for: 64 MiB.
const MOST_MEMORY: u64 = 64 << 20;
/// The blocks of 128 bytes that a stored hash may have filled in all its lanes: about half a second.
const MOST_WORK: u64 = 1 << 20;
const MOST_LANES: u32 = 16;
/// Werkzeug's, Django's and Better Auth's hashes have this length, and so does what Firebase encrypts.
const LONG_HASH: usize = 64;
/// PHC strings mostly have this one.
const SHORT_HASH: usize = 32;

/// A text of scrypt, read.
pub(super) struct ScryptHash {
    variant: Variant,
    params: Params,
    salt: Vec<u8>,
    expected: Vec<u8>,
}

/// What scrypt is given, and what is made of what it gives.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Variant {
    Plain,
    /// Better Auth brings a password to its compatibility form (NFKC) first.
    Compatible,
    /// Firebase takes the first half for a key, by which it encrypts (AES-256 in counter mode, from zero) a secret of
    /// the project. What is compared here is the stream that was laid over that secret, which tells nothing of it.
    Keystream,
}

/// The text under which the hash of a Firebase user is stored: with the salt and the separator of the project behind
/// it, and in place of the project's signer key and what it became, what lies between them. So no row holds that key,
/// and the hash can be checked by itself.
///
/// # Errors
/// Why it is none of theirs, in words for people.
pub(super) fn text_of_firebase(
    log_n: u32,
    r: u32,
    salt: &[u8],
    signer_key: &[u8],
    encrypted: &[u8],
) -> Result<String, &'static str> {
    params(log_n, r, 1)?;
    if encrypted.len() != LONG_HASH || signer_key.len() != LONG_HASH || salt.is_empty() {
        return Err(MALFORMED);
    }
    let keystream: Vec<u8> = signer_key
        .iter()
        .zip(encrypted)
        .map(|(a, b)| a ^ b)
        .collect();
    let [salt, keystream] = [salt, &keystream].map(|bytes| BASE64_STANDARD_NO_PAD.encode(bytes));
    Ok(format!(
        "$firebase-scrypt$ln={log_n},r={r},p=1${salt}${keystream}"
    ))
}

impl ScryptHash {
    /// Reads Werkzeug's `scrypt:32768:8:1$salt$hex`, whose method may leave out what it has by default.
    pub(super) fn parse_werkzeug(stored: &str) -> Result<Self, &'static str> {
        let [method, salt, hash] = fields(stored)?;
        let mut cost = method.split(':').skip(1);
        let params = match (cost.next(), cost.next(), cost.next(), cost.next()) {
            (None, ..) => params(15, 8, 1)?,
            (Some(n), Some(r), Some(p), None) => params_of_texts(n, r, p)?,
            _ => return Err(MALFORMED),
        };
        Self::new(params, salt.into(), unhex(hash)?, &[LONG_HASH])
    }

    /// Reads Django's `scrypt$16384$salt$8$5$base64`.
    pub(super) fn parse_django(stored: &str) -> Result<Self, &'static str> {
        let [_, n, salt, r, p, hash] = fields(stored)?;
        let params = params_of_texts(n, r, p)?;
        Self::new(params, salt.into(), decode(hash)?, &[LONG_HASH])
    }

    /// Reads the PHC string `$scrypt$ln=16,r=8,p=1$salt$hash`.
    pub(super) fn parse_modular(stored: &str) -> Result<Self, &'static str> {
        Self::parse_phc(stored, &[SHORT_HASH, LONG_HASH])
    }

    /// Reads `$firebase-scrypt$ln=14,r=8,p=1$salt$keystream`, which [`text_of_firebase`] makes.
    pub(super) fn parse_firebase(stored: &str) -> Result<Self, &'static str> {
        Ok(Self {
            variant: Variant::Keystream,
            ..Self::parse_phc(stored, &[LONG_HASH])?
        })
    }

    /// Reads Better Auth's `salt:hash`, both in hexadecimal digits; the digits of the salt are the salt.
    pub(super) fn parse_better_auth(salt: &str, hash: &str) -> Result<Self, &'static str> {
        unhex(salt)?;
        let hash = unhex(hash)?;
        Ok(Self {
            variant: Variant::Compatible,
            ..Self::new(params(14, 16, 1)?, salt.into(), hash, &[LONG_HASH])?
        })
    }

    fn parse_phc(stored: &str, lengths: &[usize]) -> Result<Self, &'static str> {
        let [_, _, cost, salt, hash] = fields(stored)?;
        let [Some(log_n), Some(r), Some(p)] = parameters(cost, ["ln", "r", "p"])? else {
            return Err(MALFORMED);
        };
        let params = params(log_n, r, p)?;
        Self::new(params, decode(salt)?, decode(hash)?, lengths)
    }

    fn new(
        params: Params,
        salt: Vec<u8>,
        expected: Vec<u8>,
        lengths: &[usize],
    ) -> Result<Self, &'static str> {
        // The beginning of a hash is the hash at that length, so one that was cut off by accident would match.
        if !lengths.contains(&expected.len()) {
            return Err(MALFORMED);
        }
        Ok(Self {
            variant: Variant::Plain,
            params,
            salt,
            expected,
        })
    }

    #[cfg(test)]
    pub(super) fn parameters(&self) -> String {
        let (log_n, r, p) = (self.params.log_n(), self.params.r(), self.params.p());
        format!(
            "scrypt ln={log_n} r={r} p={p}, hash {}",
            self.expected.len()
        )
    }

    pub(super) fn matches(&self, password: &Password) -> bool {
        let mut actual = Zeroizing::new([0; LONG_HASH]);
        let actual = &mut actual[..self.expected.len()];
        let password = match self.variant {
            Variant::Compatible => {
                ComposingNormalizerBorrowed::new_nfkc().normalize(password.expose())
            }
            Variant::Plain | Variant::Keystream => Cow::Borrowed(password.expose()),
        };
        scrypt(password.as_bytes(), &self.salt, &self.params, actual)
            .expect("the length was checked when the hash was read");
        if self.variant == Variant::Keystream {
            become_keystream(actual);
        }
        if let Cow::Owned(password) = password {
            drop(Zeroizing::new(password));
        }
        actual.ct_eq(&self.expected).into()
    }
}

/// Replaces what scrypt gave by the stream that AES-256 in counter mode makes under its first half.
fn become_keystream(derived: &mut [u8]) {
    let key = UnboundCipherKey::new(&AES_256, &derived[..SHORT_HASH]);
    let key = key.expect("AES-256 takes 32 bytes");
    derived.fill(0);
    EncryptingKey::ctr(key)
        .and_then(|key| {
            let from_zero = EncryptionContext::Iv128(FixedLength::from([0; 16]));
            key.less_safe_encrypt(derived, from_zero)
        })
        .expect("counter mode takes any length");
}

fn params_of_texts(n: &str, r: &str, p: &str) -> Result<Params, &'static str> {
    let (Some(n), Some(r), Some(p)) = (number(n), number(r), number(p)) else {
        return Err(MALFORMED);
    };
    if !n.is_power_of_two() {
        return Err(MALFORMED);
    }
    params(n.ilog2(), r, p)
}

/// Judged before any library multiplies the figures.
fn params(log_n: u32, r: u32, p: u32) -> Result<Params, &'static str> {
    if log_n == 0 || r == 0 || p == 0 {
        return Err(MALFORMED);
    }
    let blocks = 1_u64
        .checked_shl(log_n)
        .and_then(|n| n.checked_mul(u64::from(r)))
        .ok_or(TOO_COSTLY)?;
    let fits_memory = blocks <= MOST_MEMORY / 128;
    if p > MOST_LANES || !fits_memory || blocks * u64::from(p) > MOST_WORK {
        return Err(TOO_COSTLY);
    }
    let log_n = u8::try_from(log_n).map_err(|_| TOO_COSTLY)?;
    Params::new(log_n, r, p).map_err(|_| MALFORMED)
}
