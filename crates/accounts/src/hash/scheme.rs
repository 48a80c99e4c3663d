//! The formats that a stored hash may have, told apart by how they begin, and the notations they share. Each scheme
//! bounds what a stored hash may cost, as a row that asked for hours of work would stall the server.

use base64::{
    Engine as _,
    alphabet::STANDARD,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};

use super::{
    argon2::Argon2Hash,
    bcrypt::BcryptHash,
    pbkdf2::{Digest, Pbkdf2Hash},
    phpass::PhpassHash,
    scrypt::ScryptHash,
};

pub(super) const MALFORMED: &str = "it is not well-formed";
pub(super) const TOO_COSTLY: &str = "its cost is beyond what this server computes";
/// Bytes that no format comes near.
const LONGEST: usize = 1024;

/// A stored hash, read.
pub(super) enum Scheme {
    Argon2(Argon2Hash),
    Bcrypt(BcryptHash),
    Pbkdf2(Pbkdf2Hash),
    Phpass(PhpassHash),
    Scrypt(ScryptHash),
}

impl Scheme {
    /// # Errors
    /// Why the hash cannot be checked, in words for the log.
    pub(super) fn parse(stored: &str) -> Result<Self, &'static str> {
        if stored.len() > LONGEST {
            return Err("it is longer than any known format");
        }
        // None is in any format, though salts may be any text; and not every engine stores one.
        if stored.contains(char::is_control) {
            return Err(MALFORMED);
        }
        match stored.strip_prefix('$') {
            Some(rest) => Self::parse_modular(rest.split('$').next().unwrap_or(rest), stored),
            None => Self::parse_framework(stored),
        }
    }

    /// All that the work of comparing a password with this hash depends on.
    #[cfg(test)]
    pub(super) fn parameters(&self) -> String {
        match self {
            Self::Argon2(hash) => hash.parameters(),
            Self::Bcrypt(hash) => hash.parameters(),
            Self::Pbkdf2(hash) => hash.parameters(),
            Self::Phpass(hash) => hash.parameters(),
            Self::Scrypt(hash) => hash.parameters(),
        }
    }

    /// PHC strings, the modular crypt format and passlib's: `$name$…`.
    fn parse_modular(name: &str, stored: &str) -> Result<Self, &'static str> {
        let pbkdf2 = |digest| Pbkdf2Hash::parse_modular(digest, stored).map(Self::Pbkdf2);
        match name {
            "argon2id" | "argon2i" | "argon2d" => Argon2Hash::parse(stored).map(Self::Argon2),
            "2a" | "2b" | "2x" | "2y" => BcryptHash::parse(stored).map(Self::Bcrypt),
            "bcrypt-sha256" => BcryptHash::parse_passlib(stored).map(Self::Bcrypt),
            "wp" => BcryptHash::parse_wordpress(stored).map(Self::Bcrypt),
            "P" | "H" => PhpassHash::parse(stored).map(Self::Phpass),
            "firebase-scrypt" => ScryptHash::parse_firebase(stored).map(Self::Scrypt),
            "pbkdf2" | "pbkdf2-sha1" => pbkdf2(Digest::Sha1),
            "pbkdf2-sha256" => pbkdf2(Digest::Sha256),
            "pbkdf2-sha512" => pbkdf2(Digest::Sha512),
            "scrypt" => ScryptHash::parse_modular(stored).map(Self::Scrypt),
            _ => Err("it is in no known format"),
        }
    }

    /// Django's `name$…`, Werkzeug's `name:cost$…` and Better Auth's `salt:hash`.
    fn parse_framework(stored: &str) -> Result<Self, &'static str> {
        let Some((method, rest)) = stored.split_once('$') else {
            let (salt, hash) = stored.split_once(':').ok_or("it is in no known format")?;
            return ScryptHash::parse_better_auth(salt, hash).map(Self::Scrypt);
        };
        match method {
            // Django puts its own name before what the library made, which begins with a dollar sign of its own.
            "argon2" => Argon2Hash::parse(&stored["argon2".len()..]).map(Self::Argon2),
            "bcrypt" => BcryptHash::parse(rest).map(Self::Bcrypt),
            "bcrypt_sha256" => BcryptHash::parse_sha256(rest).map(Self::Bcrypt),
            "pbkdf2_sha1" => Pbkdf2Hash::parse_django(Digest::Sha1, stored).map(Self::Pbkdf2),
            "pbkdf2_sha256" => Pbkdf2Hash::parse_django(Digest::Sha256, stored).map(Self::Pbkdf2),
            "scrypt" if rest.split('$').count() == 5 => {
                ScryptHash::parse_django(stored).map(Self::Scrypt)
            }
            _ => match method.split(':').next() {
                Some("pbkdf2") => Pbkdf2Hash::parse_werkzeug(stored).map(Self::Pbkdf2),
                Some("scrypt") => ScryptHash::parse_werkzeug(stored).map(Self::Scrypt),
                _ => Err("it is in no known format"),
            },
        }
    }
}

/// The parts between the dollar signs, of which there are exactly so many.
pub(super) fn fields<const N: usize>(stored: &str) -> Result<[&str; N], &'static str> {
    let parts: Vec<&str> = stored.split('$').collect();
    parts.try_into().map_err(|_| MALFORMED)
}

/// The values of `a=1,b=2`, as far as they are there, each once and in this order.
pub(super) fn parameters<const N: usize>(
    text: &str,
    names: [&str; N],
) -> Result<[Option<u32>; N], &'static str> {
    let mut rest = text.split(',').peekable();
    let mut values = [None; N];
    for (value, name) in values.iter_mut().zip(names) {
        let digits = rest
            .peek()
            .and_then(|next| next.strip_prefix(name)?.strip_prefix('='));
        if let Some(digits) = digits {
            *value = Some(number(digits).ok_or(MALFORMED)?);
            rest.next();
        }
    }
    match rest.next() {
        None => Ok(values),
        Some(_) => Err(MALFORMED),
    }
}

/// A decimal number, of digits alone.
pub(super) fn number(text: &str) -> Option<u32> {
    let is_plain = text.bytes().all(|byte| byte.is_ascii_digit());
    is_plain.then(|| text.parse().ok()).flatten()
}

/// Base64, with padding or without, and with passlib's full stop in place of the plus sign.
pub(super) fn decode(text: &str) -> Result<Vec<u8>, &'static str> {
    const BASE64: GeneralPurpose = GeneralPurpose::new(
        &STANDARD,
        GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
    );
    BASE64.decode(text.replace('.', "+")).map_err(|_| MALFORMED)
}

pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

pub(super) fn unhex(text: &str) -> Result<Vec<u8>, &'static str> {
    let digit = |byte: &u8| match byte {
        b'0'..=b'9' => Ok(byte - b'0'),
        b'a'..=b'f' => Ok(byte - b'a' + 10),
        _ => Err(MALFORMED),
    };
    let (pairs, []) = text.as_bytes().as_chunks::<2>() else {
        return Err(MALFORMED);
    };
    pairs
        .iter()
        .map(|[high, low]| Ok((digit(high)? << 4) | digit(low)?))
        .collect()
}
