//! The one secret of an installation, and the keys derived from it, each for one purpose.
//! Where the secret comes from is decided elsewhere.

use aws_lc_rs::{
    aead::{AES_256_GCM, Aad, RandomizedNonceKey},
    hkdf, hmac,
};
use secrecy::{ExposeSecret as _, SecretBox};
use zeroize::Zeroizing;

/// The fewest bytes that a secret key may have.
pub const SECRET_KEY_BYTES: usize = 32;

/// The secret key: 32 bytes or more. It encrypts signing keys at rest and authenticates refresh
/// tokens and cookies.
pub struct SecretKey(SecretBox<[u8]>);

/// A secret key of fewer than [`SECRET_KEY_BYTES`] bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a secret key needs at least {SECRET_KEY_BYTES} bytes")]
pub struct SecretKeyTooShort;

impl SecretKey {
    /// Takes the key into custody.
    ///
    /// # Errors
    /// [`SecretKeyTooShort`].
    pub fn new(bytes: SecretBox<[u8]>) -> Result<Self, SecretKeyTooShort> {
        if bytes.expose_secret().len() < SECRET_KEY_BYTES {
            return Err(SecretKeyTooShort);
        }
        Ok(Self(bytes))
    }

    /// The keys for each purpose. They are apart: knowing one tells nothing of another.
    pub(crate) fn keys(&self) -> Keys {
        let key = |purpose| hmac::Key::new(hmac::HMAC_SHA256, &*self.derive(purpose));
        Keys {
            refresh_mac: key("refresh token authentication"),
            refresh_successor: key("refresh token succession"),
            audit_name: key("names in the audit log"),
            shared_counters: key("counters shared between nodes"),
            installation: installation(&self.derive("name of the installation")),
            import_id: key("ids of imported users"),
            cookie: self.derive("session cookie signature"),
            check: key("secret key check").sign_to_vec(b"vestibule"),
            seal: RandomizedNonceKey::new(&AES_256_GCM, &*self.derive("signing keys at rest"))
                .expect("AES-256 takes 32 bytes"),
        }
    }

    /// HKDF (RFC 5869) with the purpose as its info.
    fn derive(&self, purpose: &str) -> Zeroizing<[u8; 32]> {
        let salt = hkdf::Salt::new(hkdf::HKDF_SHA256, b"vestibule 1");
        let mut derived = Zeroizing::new([0; 32]);
        salt.extract(self.0.expose_secret())
            .expand(&[purpose.as_bytes()], hkdf::HKDF_SHA256)
            .and_then(|output| output.fill(&mut *derived))
            .expect("32 bytes are within the reach of HKDF");
        derived
    }
}

/// As many digits as no two installations will have in common.
fn installation(name: &[u8; 32]) -> String {
    let digits = name.iter().take(8).map(|byte| format!("{byte:02x}"));
    digits.collect()
}

/// What [`SecretKey::keys`] derives.
pub(crate) struct Keys {
    /// Proves that a refresh token was made here.
    pub(crate) refresh_mac: hmac::Key,
    /// Makes a refresh token's successor.
    pub(crate) refresh_successor: hmac::Key,
    /// Hides what somebody typed as a name.
    pub(crate) audit_name: hmac::Key,
    /// Hides whose uses are counted where other nodes count too.
    pub(crate) shared_counters: hmac::Key,
    /// Tells this installation from others; it says nothing about the secret.
    pub(crate) installation: String,
    /// Makes the ids of users who come from another program.
    pub(crate) import_id: hmac::Key,
    /// Signs session cookies.
    pub(crate) cookie: Zeroizing<[u8; 32]>,
    /// Tells whether a database was founded with the same secret key, and nothing about it.
    pub(crate) check: Vec<u8>,
    seal: RandomizedNonceKey,
}

/// A sealed value that this key did not seal, or not under that label.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct NotSealedHere;

impl Keys {
    /// Encrypts `plain` for storage. `label` must be given again to open it: a value cannot be
    /// moved to another place.
    pub(crate) fn seal(&self, label: &str, plain: &[u8]) -> Vec<u8> {
        let mut text = plain.to_vec();
        let nonce = self
            .seal
            .seal_in_place_append_tag(Aad::from(label), &mut text)
            .expect("a key is far below the limits of AES-GCM");
        [nonce.as_ref().as_slice(), &text].concat()
    }

    /// Decrypts what [`Keys::seal`] gave.
    pub(crate) fn open(
        &self,
        label: &str,
        sealed: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, NotSealedHere> {
        const NONCE: usize = aws_lc_rs::aead::NONCE_LEN;
        let (nonce, text) = sealed.split_at_checked(NONCE).ok_or(NotSealedHere)?;
        let nonce =
            aws_lc_rs::aead::Nonce::try_assume_unique_for_key(nonce).map_err(|_| NotSealedHere)?;
        let mut text = Zeroizing::new(text.to_vec());
        let length = self
            .seal
            .open_in_place(nonce, Aad::from(label), &mut text)
            .map_err(|_| NotSealedHere)?
            .len();
        text.truncate(length);
        Ok(text)
    }
}

trait SignToVec {
    fn sign_to_vec(&self, data: &[u8]) -> Vec<u8>;
}

impl SignToVec for hmac::Key {
    fn sign_to_vec(&self, data: &[u8]) -> Vec<u8> {
        hmac::sign(self, data).as_ref().to_vec()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(byte: u8) -> Keys {
        SecretKey::new(SecretBox::new(vec![byte; 32].into()))
            .expect("long enough")
            .keys()
    }

    #[test]
    fn a_short_secret_is_refused() {
        let short = SecretKey::new(SecretBox::new(vec![7; 31].into()));
        assert_eq!(short.err(), Some(SecretKeyTooShort));
    }

    #[test]
    fn derived_keys_differ_by_purpose_and_secret() {
        let (one, other) = (keys(1), keys(2));
        assert_ne!(*one.cookie, *other.cookie);
        assert_ne!(one.check, other.check);
        let signatures = [
            &one.refresh_mac,
            &one.refresh_successor,
            &one.shared_counters,
        ]
        .map(|key| hmac::sign(key, b"x").as_ref().to_vec());
        assert_ne!(signatures[0], signatures[1]);
        assert_ne!(signatures[1], signatures[2]);
        assert_ne!(one.installation, other.installation);
        assert_eq!(one.installation.len(), 16);
        assert_eq!(one.check, keys(1).check, "the same secret passes its check");
    }

    #[test]
    fn what_is_sealed_opens_with_its_key_and_label_alone() {
        let keys = keys(1);
        let sealed = keys.seal("key a", b"private");
        assert!(!sealed.windows(7).any(|part| part == b"private"));
        assert_eq!(&**keys.open("key a", &sealed).expect("opens"), b"private");
        assert_eq!(keys.open("key b", &sealed), Err(NotSealedHere));
        assert_eq!(
            super::tests::keys(2).open("key a", &sealed),
            Err(NotSealedHere)
        );
        for broken in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[broken] ^= 1;
            assert_eq!(
                keys.open("key a", &changed),
                Err(NotSealedHere),
                "byte {broken}"
            );
        }
        assert_eq!(keys.open("key a", &sealed[..5]), Err(NotSealedHere));
    }
}
