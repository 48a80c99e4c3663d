//! The keys of access tokens: what kinds there are, how one is made or read from a file, and which
//! of a ring signs and verifies when. That the stored ones are current is seen to in
//! `signing.rs`.

use std::sync::Arc;

use aws_lc_rs::{
    digest,
    pkcs8::Document,
    signature::{
        ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _, Signature,
    },
};
use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use jsonwebtoken::{Algorithm, DecodingKey};
use store::{NewSigningKey, SigningKey, Timestamp};
use zeroize::Zeroizing;

use super::jwt;
use crate::secret::Keys;

/// Which kind a signing key is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SigningAlgorithm {
    /// ECDSA on P-256, which every verifier library reads.
    Es256,
    /// Ed25519.
    EdDsa,
}

impl SigningAlgorithm {
    /// Its name in RFC 7518 and RFC 8037.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Es256 => "ES256",
            Self::EdDsa => "EdDSA",
        }
    }

    /// The one of this name.
    #[must_use]
    pub fn of_name(name: &str) -> Option<Self> {
        [Self::Es256, Self::EdDsa]
            .into_iter()
            .find(|algorithm| algorithm.as_str() == name)
    }

    pub(super) const fn of_jwt(self) -> Algorithm {
        match self {
            Self::Es256 => Algorithm::ES256,
            Self::EdDsa => Algorithm::EdDSA,
        }
    }
}

/// A private key of the operator's own, in place of those that are made here.
#[derive(Clone, Debug)]
pub struct SigningKeyPair(Arc<Signer>);

impl SigningKeyPair {
    /// Reads a PEM file.
    ///
    /// # Errors
    /// What was expected of it, as the end of a sentence. Nothing of the file is in it.
    pub fn from_pem(text: &[u8]) -> Result<Self, &'static str> {
        let blocks = pem::parse_many(text).map_err(|_| NO_PEM)?;
        let [block] = blocks.as_slice() else {
            return Err(NO_PEM);
        };
        let der = match block.tag() {
            "PRIVATE KEY" => Zeroizing::new(block.contents().to_vec()),
            "EC PRIVATE KEY" => return Err(SEC_1),
            "ENCRYPTED PRIVATE KEY" => return Err(ENCRYPTED),
            _ => return Err(NO_PEM),
        };
        let signer = Signer::of(&der).ok_or(OTHER_KIND)?;
        Ok(Self(Arc::new(signer)))
    }
}

const NO_PEM: &str = "one private key in PEM form (PKCS 8, `BEGIN PRIVATE KEY`)";
const SEC_1: &str = "a PKCS 8 key (`BEGIN PRIVATE KEY`), which `openssl pkcs8 -topk8 -nocrypt` makes of an \
     `EC PRIVATE KEY`";
const ENCRYPTED: &str =
    "a key without a passphrase, which `openssl pkcs8 -topk8 -nocrypt` makes of one that has one";
const NO_PAIR: &str = "a signing key is not the private half of its public key";
const OTHER_KIND: &str = "a P-256 or Ed25519 private key; RSA and other curves are not used";

/// A key pair in the memory of the provider, which wipes it as it frees it. It is parsed and checked once: to do so for
/// each token would cost about as much as to sign it.
#[derive(Debug)]
enum Signer {
    Es256(EcdsaKeyPair),
    EdDsa(Ed25519KeyPair),
}

impl Signer {
    /// A new private key in PKCS 8, in a buffer that is wiped.
    fn generate(algorithm: SigningAlgorithm) -> Document {
        match algorithm {
            SigningAlgorithm::Es256 => EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING)
                .and_then(|pair| pair.to_pkcs8v1()),
            SigningAlgorithm::EdDsa => {
                Ed25519KeyPair::generate().and_then(|pair| pair.to_pkcs8v1())
            }
        }
        .expect("the provider generates keys and exports them")
    }

    /// Of a private key in PKCS 8; `None` if it is of another kind or broken.
    fn of(pkcs8: &[u8]) -> Option<Self> {
        if let Ok(pair) = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, pkcs8) {
            return Some(Self::Es256(pair));
        }
        Ed25519KeyPair::from_pkcs8(pkcs8).ok().map(Self::EdDsa)
    }

    const fn algorithm(&self) -> SigningAlgorithm {
        match self {
            Self::Es256(_) => SigningAlgorithm::Es256,
            Self::EdDsa(_) => SigningAlgorithm::EdDsa,
        }
    }

    fn public_key(&self) -> &[u8] {
        match self {
            Self::Es256(pair) => pair.public_key().as_ref(),
            Self::EdDsa(pair) => pair.public_key().as_ref(),
        }
    }

    /// The signature in the form of RFC 7518 section 3.4 or RFC 8037 section 3.1.
    fn sign(&self, message: &[u8]) -> Signature {
        match self {
            // By its digest, as the other way asks for a source of randomness, and then uses its own.
            Self::Es256(pair) => pair.sign_digest(&digest::digest(&digest::SHA256, message)),
            Self::EdDsa(pair) => pair.try_sign(message),
        }
        .expect("a pair that was checked signs")
    }
}

/// The keys that access tokens are signed and verified with. Which does what depends on the time
/// alone, so a ring stays right until another key is stored.
pub(crate) struct KeyRing(Vec<RingKey>);

/// One key, its private half ready for use.
pub(crate) struct RingKey {
    pub(super) id: String,
    pub(super) algorithm: SigningAlgorithm,
    signer: Arc<Signer>,
    /// The first part of each token that it signs.
    pub(super) header: String,
    pub(super) verifying: DecodingKey,
    jwk: serde_json::Value,
    signs_from: Timestamp,
    pub(super) retires_at: Option<Timestamp>,
}

impl KeyRing {
    /// Makes a new key pair, its private half sealed. Its id is the JWK thumbprint.
    pub(crate) fn generate(
        keys: &Keys,
        algorithm: SigningAlgorithm,
        now: Timestamp,
        signs_from: Timestamp,
    ) -> NewSigningKey {
        let private = Signer::generate(algorithm);
        let signer = Signer::of(private.as_ref()).expect("it reads what it wrote");
        let public_key = signer.public_key().to_vec();
        let jwk = Jwk::of(algorithm, &public_key).expect("a generated key is a point");
        let id = jwk.thumbprint();
        NewSigningKey {
            sealed_private_key: keys.seal(&id, private.as_ref()),
            id,
            algorithm: algorithm.as_str().to_owned(),
            public_key,
            created_at: now,
            signs_from,
        }
    }

    /// Opens stored keys, of which one at least must not have retired by `now`. Those that have do nothing any more but
    /// tell of which session an old token was.
    pub(crate) fn open(
        keys: &Keys,
        stored: &[SigningKey],
        now: Timestamp,
    ) -> Result<Self, &'static str> {
        let mut ring = Vec::new();
        for key in stored {
            match RingKey::open(keys, key) {
                Ok(opened) => ring.push(opened),
                Err(_) if key.retires_at.is_some_and(|at| at <= now) => {}
                Err(problem) => return Err(problem),
            }
        }
        let ring = Self(ring);
        if ring.standing(now).next().is_none() {
            return Err("there is no signing key");
        }
        Ok(ring)
    }

    /// A ring of the operator's own key alone.
    pub(crate) fn of_pair(pair: &SigningKeyPair) -> Self {
        let key = RingKey::new(Arc::clone(&pair.0), None);
        Self(vec![key.expect("a key that was read is a point")])
    }

    /// The newest key whose time to sign has come; before the first one's time, the first.
    pub(super) fn signing(&self, now: Timestamp) -> &RingKey {
        let due = self.0.iter().filter(|key| key.signs_from <= now);
        due.max_by_key(|key| key.signs_from)
            .or_else(|| self.0.iter().min_by_key(|key| key.signs_from))
            .expect("a ring is never empty")
    }

    /// The key of this id, which may have retired: then its last token has expired.
    pub(super) fn find(&self, id: &str) -> Option<&RingKey> {
        self.0.iter().find(|key| key.id == id)
    }

    /// The public keys as a JWK set (RFC 7517).
    pub(super) fn jwks(&self, now: Timestamp) -> serde_json::Value {
        let keys: Vec<_> = self.standing(now).map(|key| &key.jwk).collect();
        serde_json::json!({ "keys": keys })
    }

    /// The ids and kinds of those in use, in the order of taking over.
    pub(crate) fn ids(&self, now: Timestamp) -> impl Iterator<Item = (&str, SigningAlgorithm)> {
        self.standing(now)
            .map(|key| (key.id.as_str(), key.algorithm))
    }

    fn standing(&self, now: Timestamp) -> impl Iterator<Item = &RingKey> {
        let stands = move |key: &&RingKey| key.retires_at.is_none_or(|at| at > now);
        self.0.iter().filter(stands)
    }
}

impl RingKey {
    /// A stored key, whose halves have to belong together.
    fn open(keys: &Keys, stored: &SigningKey) -> Result<Self, &'static str> {
        let private: Zeroizing<Vec<u8>> = keys
            .open(&stored.id, &stored.sealed_private_key)
            .map_err(|_| "a signing key was not sealed with this secret key")?;
        let algorithm = SigningAlgorithm::of_name(&stored.algorithm)
            .ok_or("a signing key is of a kind that is not known here")?;
        let signer = Signer::of(&private)
            .filter(|signer| signer.algorithm() == algorithm)
            .filter(|signer| signer.public_key() == stored.public_key)
            .ok_or(NO_PAIR)?;
        Ok(Self {
            signs_from: stored.signs_from,
            retires_at: stored.retires_at,
            ..Self::new(Arc::new(signer), Some(&stored.id))?
        })
    }

    /// The id is the thumbprint, unless it was stored with another.
    fn new(signer: Arc<Signer>, id: Option<&str>) -> Result<Self, &'static str> {
        const NO_POINT: &str = "a public key is no point of its curve";
        let algorithm = signer.algorithm();
        let jwk = Jwk::of(algorithm, signer.public_key()).ok_or(NO_POINT)?;
        let verifying = match &jwk {
            Jwk::Ec { x, y } => DecodingKey::from_ec_components(x, y),
            Jwk::Okp { x } => DecodingKey::from_ed_components(x),
        };
        let id = id.map_or_else(|| jwk.thumbprint(), str::to_owned);
        Ok(Self {
            jwk: jwk.published(&id),
            header: jwt::access_header(algorithm, &id),
            id,
            algorithm,
            signer,
            verifying: verifying.map_err(|_| NO_POINT)?,
            signs_from: Timestamp::from_micros(0),
            retires_at: None,
        })
    }

    pub(super) fn sign(&self, message: &[u8]) -> Signature {
        self.signer.sign(message)
    }
}

/// The members of a JWK that say which key it is, base64url.
#[derive(Debug, PartialEq, Eq)]
enum Jwk {
    /// RFC 7518 section 6.2.
    Ec { x: String, y: String },
    /// RFC 8037 section 2.
    Okp { x: String },
}

impl Jwk {
    /// Of an uncompressed point (SEC 1 section 2.3.3) or the 32 bytes of RFC 8032.
    fn of(algorithm: SigningAlgorithm, public_key: &[u8]) -> Option<Self> {
        let text = |bytes: &[u8]| BASE64_URL_SAFE_NO_PAD.encode(bytes);
        match (algorithm, public_key) {
            (SigningAlgorithm::Es256, [4, point @ ..]) if point.len() == 64 => Some(Self::Ec {
                x: text(&point[..32]),
                y: text(&point[32..]),
            }),
            (SigningAlgorithm::EdDsa, point) if point.len() == 32 => {
                Some(Self::Okp { x: text(point) })
            }
            _ => None,
        }
    }

    /// RFC 7638: the SHA-256 of the required members, in lexicographic order, without spaces.
    fn thumbprint(&self) -> String {
        let members = match self {
            Self::Ec { x, y } => format!(r#"{{"crv":"P-256","kty":"EC","x":"{x}","y":"{y}"}}"#),
            Self::Okp { x } => format!(r#"{{"crv":"Ed25519","kty":"OKP","x":"{x}"}}"#),
        };
        BASE64_URL_SAFE_NO_PAD.encode(digest::digest(&digest::SHA256, members.as_bytes()))
    }

    fn published(&self, id: &str) -> serde_json::Value {
        match self {
            Self::Ec { x, y } => serde_json::json!({
                "kty": "EC", "crv": "P-256", "x": x, "y": y,
                "use": "sig", "alg": "ES256", "kid": id,
            }),
            Self::Okp { x } => serde_json::json!({
                "kty": "OKP", "crv": "Ed25519", "x": x,
                "use": "sig", "alg": "EdDSA", "kid": id,
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::slice;

    use secrecy::SecretBox;

    use super::*;
    use crate::SecretKey;

    /// As `openssl genpkey -algorithm ed25519` writes it; the key pair of RFC 8037 appendix A.
    const ED25519: &str = "-----BEGIN PRIVATE KEY-----\n\
        MC4CAQAwBQYDK2VwBCIEIJ1hsZ3v/VpguoRK9JLsLMREScVpezJpGXA7rAMcrn9g\n\
        -----END PRIVATE KEY-----\n";

    #[test]
    fn an_ed25519_key_has_the_thumbprint_of_rfc_8037() {
        let pair = SigningKeyPair::from_pem(ED25519.as_bytes()).expect("a key");
        assert_eq!(pair.0.algorithm(), SigningAlgorithm::EdDsa);
        let jwk = Jwk::of(pair.0.algorithm(), pair.0.public_key()).expect("a point");
        let x = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo".to_owned();
        assert_eq!(jwk, Jwk::Okp { x });
        assert_eq!(
            jwk.thumbprint(),
            "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"
        );
    }

    #[test]
    fn a_p_256_key_has_the_thumbprint_of_its_members() {
        // The example of RFC 7638 is an RSA key; this is the same computation on a fixed point.
        let mut point = vec![4];
        point.extend([1; 32]);
        point.extend([2; 32]);
        let members = format!(
            r#"{{"crv":"P-256","kty":"EC","x":"{}","y":"{}"}}"#,
            BASE64_URL_SAFE_NO_PAD.encode([1; 32]),
            BASE64_URL_SAFE_NO_PAD.encode([2; 32])
        );
        let expected =
            BASE64_URL_SAFE_NO_PAD.encode(digest::digest(&digest::SHA256, members.as_bytes()));
        let jwk = Jwk::of(SigningAlgorithm::Es256, &point);
        assert_eq!(jwk.map(|jwk| jwk.thumbprint()), Some(expected));
        assert_eq!(Jwk::of(SigningAlgorithm::Es256, &point[1..]), None);
        assert_eq!(Jwk::of(SigningAlgorithm::EdDsa, &point), None);
    }

    #[test]
    fn a_file_of_another_kind_is_refused_with_what_is_needed() {
        let public = "-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEA11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=\n-----END PUBLIC KEY-----\n";
        let tagged = |tag: &str| ED25519.replace("PRIVATE KEY", tag);
        for (text, expected) in [
            (String::new(), NO_PEM),
            ("not a key".to_owned(), NO_PEM),
            (public.to_owned(), NO_PEM),
            (ED25519.repeat(2), NO_PEM),
            (tagged("EC PRIVATE KEY"), SEC_1),
            (tagged("ENCRYPTED PRIVATE KEY"), ENCRYPTED),
            (ED25519.replace("BQYDK2Vw", "BQYDK2Vv"), OTHER_KIND),
        ] {
            let refusal = SigningKeyPair::from_pem(text.as_bytes());
            assert_eq!(refusal.err(), Some(expected), "{text}");
        }
        assert!(SigningKeyPair::from_pem(b"\xff\xfe\x00").is_err());
    }

    #[test]
    fn a_key_of_ones_own_does_not_show_in_debug_output() {
        let pair = SigningKeyPair::from_pem(ED25519.as_bytes()).expect("a key");
        let shown = format!("{pair:?}").to_lowercase();
        assert!(shown.contains("public_key"), "{shown}");
        // How the private half begins: in hexadecimal digits, as numbers, and in base64.
        for private in ["9d61b1", "157, 97", "nwgx"] {
            assert!(!shown.contains(private), "{shown}");
        }
    }

    #[test]
    fn a_key_of_either_kind_comes_back_from_its_seal() {
        let secret = SecretKey::new(SecretBox::new(vec![1; 32].into())).expect("long enough");
        let (keys, now) = (secret.keys(), Timestamp::from_micros(1));
        for algorithm in [SigningAlgorithm::Es256, SigningAlgorithm::EdDsa] {
            let made = KeyRing::generate(&keys, algorithm, now, now);
            let stored = SigningKey {
                id: made.id.clone(),
                algorithm: made.algorithm,
                public_key: made.public_key,
                sealed_private_key: made.sealed_private_key,
                created_at: now,
                signs_from: now,
                retires_at: None,
            };
            let ring = KeyRing::open(&keys, slice::from_ref(&stored), now).expect("opens");
            assert_eq!(ring.signing(now).algorithm, algorithm);
            assert_eq!(ring.jwks(now)["keys"][0]["kid"], made.id);

            let of_another = SigningKey {
                public_key: KeyRing::generate(&keys, algorithm, now, now).public_key,
                ..stored
            };
            assert_eq!(
                KeyRing::open(&keys, &[of_another], now).err(),
                Some(NO_PAIR),
                "nobody could verify what it signs"
            );
        }
    }
}
