//! The hash parameters of a Firebase project, as its console shows them, and what they make of an exported hash.

use base64::{
    Engine as _,
    alphabet::{STANDARD, URL_SAFE},
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};
use zeroize::Zeroizing;

use super::scrypt::text_of_firebase;

/// How a Firebase project hashes passwords. The signer key in it is a secret of the project; it is used to read the
/// export and then forgotten.
pub(crate) struct FirebaseScrypt {
    signer_key: Zeroizing<Vec<u8>>,
    salt_separator: Vec<u8>,
    rounds: u32,
    memory_cost: u32,
}

impl FirebaseScrypt {
    /// Reads what the console shows: `hash_config { algorithm: SCRYPT, base64_signer_key: …, … }`.
    ///
    /// # Errors
    /// What is missing or not as it should be; it repeats no value.
    pub(crate) fn parse(text: &str) -> Result<Self, &'static str> {
        let value = |name: &str| {
            let mut lines = text.split(['\n', ',', '{', '}']);
            let value = lines.find_map(|line| {
                let (key, value) = line.split_once(':')?;
                let bare = |text: &str| text.trim().trim_matches('"').to_owned();
                (bare(key) == name).then(|| bare(value))
            });
            value.map(Zeroizing::new)
        };
        if value("algorithm").is_none_or(|name| *name != "SCRYPT") {
            return Err("its algorithm is not SCRYPT");
        }
        let bytes = |name| value(name).and_then(|text| decode(&text));
        let number = |name| value(name).and_then(|text| text.parse().ok());
        Ok(Self {
            signer_key: bytes("base64_signer_key")
                .map(Zeroizing::new)
                .ok_or("base64_signer_key is missing or no Base64")?,
            salt_separator: bytes("base64_salt_separator")
                .ok_or("base64_salt_separator is missing or no Base64")?,
            rounds: number("rounds").ok_or("rounds is missing or no number")?,
            memory_cost: number("mem_cost").ok_or("mem_cost is missing or no number")?,
        })
    }

    /// The text to store for an exported hash and its salt, both in Base64.
    ///
    /// # Errors
    /// Why it cannot be checked, in words for people.
    pub(crate) fn text_of(&self, hash: &str, salt: &str) -> Result<String, &'static str> {
        let (Some(hash), Some(mut salt)) = (decode(hash), decode(salt)) else {
            return Err("it is no Base64");
        };
        salt.extend_from_slice(&self.salt_separator);
        text_of_firebase(
            self.memory_cost,
            self.rounds,
            &salt,
            &self.signer_key,
            &hash,
        )
    }
}

/// Base64 in either alphabet: Firebase's programs write both.
fn decode(text: &str) -> Option<Vec<u8>> {
    let config =
        GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
    let alphabet = match text.contains(['-', '_']) {
        true => URL_SAFE,
        false => STANDARD,
    };
    GeneralPurpose::new(&alphabet, config).decode(text).ok()
}
