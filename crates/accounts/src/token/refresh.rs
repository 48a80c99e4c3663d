//! Refresh tokens: session id, generation and 256 secret bits under a MAC. A made-up token of a
//! known session fails the MAC and changes nothing; an authentic older one is recognised as what
//! it is. The database holds a hash of the current token and nothing that would make one.

use aws_lc_rs::{digest, hmac};
use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use uuid::Uuid;
use zeroize::Zeroizing;

use super::NotAccepted;
use crate::{entropy, secret::Keys};

/// Tells secret scanners, and people, what the text is.
const PREFIX: &str = "vrt_";
const FORMAT: u8 = 1;

const SESSION: std::ops::Range<usize> = 1..17;
const GENERATION: std::ops::Range<usize> = 17..25;
const SECRET: std::ops::Range<usize> = 25..57;
const MAC: std::ops::Range<usize> = 57..89;
const LENGTH: usize = MAC.end;

/// An authentic refresh token.
pub(crate) struct RefreshToken(Zeroizing<[u8; LENGTH]>);

impl RefreshToken {
    pub(crate) fn session(&self) -> Uuid {
        Uuid::from_slice(&self.0[SESSION]).expect("16 bytes are an id")
    }

    /// Counted from 1.
    pub(crate) fn generation(&self) -> i64 {
        i64::from_be_bytes(self.0[GENERATION].try_into().expect("8 bytes are a number"))
    }

    /// What the database keeps of it.
    pub(crate) fn hash(&self) -> Vec<u8> {
        digest::digest(&digest::SHA256, &*self.0).as_ref().to_vec()
    }

    /// What the client keeps of it.
    pub(crate) fn expose(&self) -> String {
        format!("{PREFIX}{}", BASE64_URL_SAFE_NO_PAD.encode(*self.0))
    }
}

/// Makes and reads refresh tokens.
pub(crate) struct RefreshTokens {
    mac: hmac::Key,
    succession: hmac::Key,
}

impl RefreshTokens {
    pub(crate) fn new(keys: &Keys) -> Self {
        Self {
            mac: keys.refresh_mac.clone(),
            succession: keys.refresh_successor.clone(),
        }
    }

    /// The first token of a session.
    pub(crate) fn first(&self, session: Uuid) -> RefreshToken {
        self.make(session, 1, &Zeroizing::new(entropy::bytes()))
    }

    /// The one token that follows `presented` under `nonce`: the same arguments give it again,
    /// and neither the key and an old token nor the nonce alone do.
    pub(crate) fn successor(&self, presented: &RefreshToken, nonce: &[u8]) -> RefreshToken {
        let mut context = hmac::Context::with_key(&self.succession);
        context.update(&*presented.0);
        context.update(nonce);
        let mut secret = Zeroizing::new([0; 32]);
        secret.copy_from_slice(context.sign().as_ref());
        self.make(presented.session(), presented.generation() + 1, &secret)
    }

    /// Reads what a client presents; an unauthentic text is [`NotAccepted::Invalid`].
    pub(crate) fn read(&self, text: &str) -> Result<RefreshToken, NotAccepted> {
        const NOT_OURS: NotAccepted = NotAccepted::Invalid("refresh token");
        let encoded = text.strip_prefix(PREFIX).ok_or(NOT_OURS)?;
        let mut bytes = Zeroizing::new([0; LENGTH]);
        // The decoder wants room for the longest text of that many characters.
        let mut room = Zeroizing::new([0; LENGTH + 2]);
        if encoded.len() != LENGTH.div_ceil(3) * 4 - 1 {
            return Err(NOT_OURS);
        }
        let length = BASE64_URL_SAFE_NO_PAD
            .decode_slice(encoded, &mut *room)
            .map_err(|_| NOT_OURS)?;
        if length != LENGTH {
            return Err(NOT_OURS);
        }
        bytes.copy_from_slice(&room[..LENGTH]);
        hmac::verify(&self.mac, &bytes[..SECRET.end], &bytes[MAC]).map_err(|_| NOT_OURS)?;
        let token = RefreshToken(bytes);
        if token.0[0] != FORMAT || token.generation() < 1 {
            return Err(NOT_OURS);
        }
        Ok(token)
    }

    fn make(&self, session: Uuid, generation: i64, secret: &[u8; 32]) -> RefreshToken {
        let mut bytes = Zeroizing::new([0; LENGTH]);
        bytes[0] = FORMAT;
        bytes[SESSION].copy_from_slice(session.as_bytes());
        bytes[GENERATION].copy_from_slice(&generation.to_be_bytes());
        bytes[SECRET].copy_from_slice(secret);
        let mac = hmac::sign(&self.mac, &bytes[..SECRET.end]);
        bytes[MAC].copy_from_slice(mac.as_ref());
        RefreshToken(bytes)
    }
}

#[cfg(test)]
mod tests {
    use secrecy::SecretBox;

    use super::*;
    use crate::SecretKey;

    fn tokens(byte: u8) -> RefreshTokens {
        let secret = SecretKey::new(SecretBox::new(vec![byte; 32].into())).expect("long enough");
        RefreshTokens::new(&secret.keys())
    }

    #[test]
    fn a_token_comes_back_from_its_text() {
        let tokens = tokens(1);
        let session = Uuid::from_u128(7);
        let first = tokens.first(session);
        let read = tokens.read(&first.expose()).expect("authentic");
        assert_eq!((read.session(), read.generation()), (session, 1));
        assert_eq!(read.hash(), first.hash());
    }

    #[test]
    fn a_changed_token_is_not_ours_whatever_was_changed() {
        let tokens = tokens(1);
        let text = tokens.first(Uuid::from_u128(7)).expose();
        for place in 0..text.len() {
            for other in ['A', 'B', '_', '=', ' '] {
                let mut changed: Vec<char> = text.chars().collect();
                if changed[place] == other {
                    continue;
                }
                changed[place] = other;
                let changed: String = changed.into_iter().collect();
                assert!(tokens.read(&changed).is_err(), "{changed}");
            }
        }
        for cut in 0..text.len() {
            assert!(tokens.read(&text[..cut]).is_err(), "{cut}");
        }
        assert!(tokens.read(&format!("{text}A")).is_err());
        assert!(tokens.read(&format!("{text}=")).is_err());
    }

    #[test]
    fn another_installation_makes_no_token_of_ours() {
        let foreign = tokens(2).first(Uuid::from_u128(7)).expose();
        assert!(tokens(1).read(&foreign).is_err());
    }

    #[test]
    fn the_successor_follows_from_token_and_nonce() {
        let tokens = tokens(1);
        let first = tokens.first(Uuid::from_u128(7));
        let second = tokens.successor(&first, b"nonce");
        assert_eq!(second.generation(), 2);
        assert_eq!(tokens.successor(&first, b"nonce").hash(), second.hash());
        assert_ne!(tokens.successor(&first, b"other").hash(), second.hash());
        let rival = tokens.first(Uuid::from_u128(7));
        assert_ne!(tokens.successor(&rival, b"nonce").hash(), second.hash());
    }
}
