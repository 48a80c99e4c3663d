//! scrypt (RFC 7914), for hashes from elsewhere: Werkzeug's and Django's texts, and PHC strings, passlib's among them.

use ::scrypt::{Params, scrypt};
use subtle::ConstantTimeEq as _;
use zeroize::Zeroizing;

use super::scheme::{MALFORMED, TOO_COSTLY, decode, fields, number, parameters, unhex};
use crate::password::Password;

/// The memory that a stored hash may ask for, as with argon2: 64 MiB.
const MOST_MEMORY: u64 = 64 << 20;
/// The blocks of 128 bytes that a stored hash may have filled in all its lanes: about half a second.
const MOST_WORK: u64 = 1 << 20;
const MOST_LANES: u32 = 16;
/// Werkzeug's and Django's hashes have this length.
const LONG_HASH: usize = 64;
/// PHC strings mostly have this one.
const SHORT_HASH: usize = 32;

/// A text of scrypt, read.
pub(super) struct ScryptHash {
    params: Params,
    salt: Vec<u8>,
    expected: Vec<u8>,
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
        let [_, _, cost, salt, hash] = fields(stored)?;
        let [Some(log_n), Some(r), Some(p)] = parameters(cost, ["ln", "r", "p"])? else {
            return Err(MALFORMED);
        };
        let params = params(log_n, r, p)?;
        let lengths = [SHORT_HASH, LONG_HASH];
        Self::new(params, decode(salt)?, decode(hash)?, &lengths)
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
        let password = password.expose().as_bytes();
        scrypt(password, &self.salt, &self.params, actual)
            .expect("the length was checked when the hash was read");
        actual.ct_eq(&self.expected).into()
    }
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
