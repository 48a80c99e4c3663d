//! bcrypt: what a hash costs, its text form in all prefixes, and which part of a password it sees.

use aws_lc_rs::{digest, hmac};
use base64::{
    Engine as _,
    alphabet::BCRYPT,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
    prelude::BASE64_STANDARD,
};
use subtle::ConstantTimeEq as _;
use zeroize::Zeroizing;

use super::scheme::{MALFORMED, TOO_COSTLY, fields, hex, number};
use crate::{entropy, password::Password};

/// Bytes of a password that bcrypt looks at.
pub(super) const LONGEST_PASSWORD: usize = 72;
const SALT_BYTES: usize = 16;
const HASH_BYTES: usize = 23;

/// Some programs leave arbitrary bits behind the last whole byte of a salt.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &BCRYPT,
    GeneralPurposeConfig::new()
        .with_encode_padding(false)
        .with_decode_padding_mode(DecodePaddingMode::RequireNone)
        .with_decode_allow_trailing_bits(true),
);

/// What one bcrypt hash costs: the exponent of its rounds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BcryptCost(u32);

impl BcryptCost {
    /// 4,096 rounds.
    pub const RECOMMENDED: Self = Self(12);
    /// The least that the algorithm can do, for tests that hash often and protect nothing.
    pub const TRIFLING: Self = Self(4);
    /// What a stored hash may ask for: about a second, and each step more takes twice as long.
    const MAXIMUM: u32 = 14;
}

/// Whether bcrypt would see the whole password. It stops at a NUL, too.
pub(super) fn holds(password: &Password) -> bool {
    let password = password.expose();
    password.len() <= LONGEST_PASSWORD && !password.contains('\0')
}

/// A text of bcrypt, read.
pub(super) struct BcryptHash {
    input: Input,
    cost: u32,
    salt: [u8; SALT_BYTES],
    expected: [u8; HASH_BYTES],
}

/// What bcrypt is given.
#[derive(Clone, PartialEq, Eq)]
enum Input {
    /// The password (`$2a$`, `$2b$`, `$2y$`).
    Password,
    /// The password as crypt_blowfish read it until 2011, for which `$2x$` stands: its bytes were signed, and one
    /// from 0x80 set the bits of those before it.
    SignedBytes,
    /// The SHA-256 of the password in hexadecimal digits, as Django does so that any length fits.
    Sha256,
    /// The same in Base64, as passlib did until 1.7.3.
    Sha256Base64,
    /// The HMAC-SHA-256 of the password in Base64, under the digits of the salt, as passlib does since.
    HmacSha256(String),
    /// The HMAC-SHA-384 of the password in Base64, under a key that is the same everywhere, as WordPress does since 6.8.
    HmacSha384,
}

/// The key of WordPress, which is there to tell its hashes from others of the same password.
const WORDPRESS_KEY: &[u8] = b"wp-sha384";

impl BcryptHash {
    /// The text of a password's hash under a fresh salt. The password is one that bcrypt [`holds`].
    pub(super) fn make(cost: BcryptCost, password: &Password) -> String {
        let mut fresh = Self::with_salt(cost, entropy::bytes());
        fresh.expected = fresh.compute(password);
        fresh.to_text()
    }

    /// Nobody's hash.
    pub(super) fn decoy(cost: BcryptCost) -> Self {
        Self::with_salt(cost, [0; SALT_BYTES])
    }

    fn with_salt(BcryptCost(cost): BcryptCost, salt: [u8; SALT_BYTES]) -> Self {
        Self {
            input: Input::Password,
            cost,
            salt,
            expected: [0; HASH_BYTES],
        }
    }

    /// Reads `$2b$12$` and 53 digits of salt and hash.
    pub(super) fn parse(stored: &str) -> Result<Self, &'static str> {
        let mut fields = stored.split('$').skip(1);
        let input = match fields.next() {
            Some("2a" | "2b" | "2y") => Input::Password,
            Some("2x") => Input::SignedBytes,
            _ => return Err(MALFORMED),
        };
        let cost = fields.next().filter(|cost| cost.len() == 2);
        let cost = cost.and_then(number).ok_or(MALFORMED)?;
        let (salt, hash) = fields
            .next()
            .and_then(|digits| digits.split_at_checked(22))
            .ok_or(MALFORMED)?;
        if fields.next().is_some() || cost < BcryptCost::TRIFLING.0 {
            return Err(MALFORMED);
        }
        if cost > BcryptCost::MAXIMUM {
            return Err(TOO_COSTLY);
        }
        Ok(Self {
            input,
            cost,
            salt: decode(salt).ok_or(MALFORMED)?,
            expected: decode(hash).ok_or(MALFORMED)?,
        })
    }

    /// Reads what Django's `bcrypt_sha256` has behind its name.
    pub(super) fn parse_sha256(stored: &str) -> Result<Self, &'static str> {
        Ok(Self {
            input: Input::Sha256,
            ..Self::parse(stored)?
        })
    }

    /// Reads passlib's `$bcrypt-sha256$v=2,t=2b,r=12$salt$hash`, and its older form `$bcrypt-sha256$2a,12$salt$hash`.
    pub(super) fn parse_passlib(stored: &str) -> Result<Self, &'static str> {
        let [_, _, cost, salt, hash] = fields(stored)?;
        let mut words = cost.split(',');
        let (input, kind, cost) = match (words.next(), words.next(), words.next(), words.next()) {
            (Some("v=2"), Some(kind), Some(cost), None) => {
                let (kind, cost) = (kind.strip_prefix("t="), cost.strip_prefix("r="));
                (Input::HmacSha256(salt.to_owned()), kind, cost)
            }
            (Some(kind), Some(cost), None, None) => (Input::Sha256Base64, Some(kind), Some(cost)),
            _ => return Err(MALFORMED),
        };
        let (Some(kind @ ("2a" | "2b")), Some(cost)) = (kind, cost.and_then(number)) else {
            return Err(MALFORMED);
        };
        let bare = Self::parse(&format!("${kind}${cost:02}${salt}{hash}"))?;
        Ok(Self { input, ..bare })
    }

    /// Reads WordPress's `$wp$2y$10$…`.
    pub(super) fn parse_wordpress(stored: &str) -> Result<Self, &'static str> {
        let bare = stored.strip_prefix("$wp").ok_or(MALFORMED)?;
        Ok(Self {
            input: Input::HmacSha384,
            ..Self::parse(bare)?
        })
    }

    #[cfg(test)]
    pub(super) fn parameters(&self) -> String {
        format!("bcrypt {}", self.cost)
    }

    /// A password that was cut matches nothing: what is behind byte 72 may be wrong.
    pub(super) fn matches(&self, password: &Password) -> bool {
        let is_equal = bool::from(self.compute(password).ct_eq(&self.expected));
        let sees_a_part = matches!(self.input, Input::Password | Input::SignedBytes);
        let is_whole = !sees_a_part || password.expose().len() <= LONGEST_PASSWORD;
        is_equal && is_whole
    }

    pub(super) fn is_as_strong_as(&self, BcryptCost(cost): BcryptCost) -> bool {
        self.input == Input::Password && self.cost >= cost
    }

    fn compute(&self, password: &Password) -> [u8; HASH_BYTES] {
        let password = password.expose().as_bytes();
        let key = match &self.input {
            Input::Password => key(password),
            Input::SignedBytes => with_signed_bytes(&key(password)),
            Input::Sha256 => {
                let digest = digest::digest(&digest::SHA256, password);
                key(Zeroizing::new(hex(digest.as_ref())).as_bytes())
            }
            Input::Sha256Base64 => {
                key_of_digest(digest::digest(&digest::SHA256, password).as_ref())
            }
            Input::HmacSha256(salt) => keyed(hmac::HMAC_SHA256, salt.as_bytes(), password),
            Input::HmacSha384 => keyed(hmac::HMAC_SHA384, WORDPRESS_KEY, password),
        };
        let mut hash = [0; HASH_BYTES];
        hash.copy_from_slice(&::bcrypt::bcrypt(self.cost, self.salt, &*key)[..HASH_BYTES]);
        hash
    }

    fn to_text(&self) -> String {
        let (salt, hash) = (BASE64.encode(self.salt), BASE64.encode(self.expected));
        format!("$2b${:02}${salt}{hash}", self.cost)
    }
}

/// The key that bcrypt makes of a password: over and over with a NUL in between, until there are 72 bytes.
fn key(password: &[u8]) -> Zeroizing<[u8; LONGEST_PASSWORD]> {
    let mut key = Zeroizing::new([0; LONGEST_PASSWORD]);
    let endless = password.iter().chain(&[0]).cycle();
    for (byte, next) in key.iter_mut().zip(endless) {
        *byte = *next;
    }
    key
}

fn key_of_digest(digest: &[u8]) -> Zeroizing<[u8; LONGEST_PASSWORD]> {
    key(Zeroizing::new(BASE64_STANDARD.encode(digest)).as_bytes())
}

fn keyed(
    algorithm: hmac::Algorithm,
    secret: &[u8],
    password: &[u8],
) -> Zeroizing<[u8; LONGEST_PASSWORD]> {
    key_of_digest(hmac::sign(&hmac::Key::new(algorithm, secret), password).as_ref())
}

/// The same with the fault of `$2x$`: the key is used in words of four bytes, each shifted in and or-ed, and there a
/// signed byte brings a row of ones with it.
fn with_signed_bytes(key: &[u8; LONGEST_PASSWORD]) -> Zeroizing<[u8; LONGEST_PASSWORD]> {
    let mut faulty = Zeroizing::new([0; LONGEST_PASSWORD]);
    for (word, bytes) in faulty.chunks_exact_mut(4).zip(key.chunks_exact(4)) {
        let shifted = bytes.iter().fold(0_i32, |word, byte| {
            (word << 8) | i32::from(byte.cast_signed())
        });
        word.copy_from_slice(&shifted.to_be_bytes());
    }
    faulty
}

fn decode<const N: usize>(digits: &str) -> Option<[u8; N]> {
    BASE64.decode(digits).ok()?.try_into().ok()
}
