//! Makes tokens as the server does, with its own keys and with others. What is wrong about a token is left to
//! `forged.rs`.

use std::path::Path;

use aws_lc_rs::{
    hkdf, hmac,
    rand::SystemRandom,
    signature::{
        ECDSA_P256_SHA256_ASN1_SIGNING, ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair,
        Ed25519KeyPair, KeyPair as _,
    },
};
use base64::{
    Engine as _,
    prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD},
};
use serde_json::Value;

/// The secret key of the server under test.
const SECRET: [u8; 32] = *b"a secret key known to every test";

/// The keys of one installation.
pub(super) struct Mint {
    pkcs8: Vec<u8>,
    pair: EcdsaKeyPair,
    cookie_key: [u8; 32],
}

impl Mint {
    /// A key pair of its own, and the secret key that is the same everywhere.
    pub(super) fn new() -> Self {
        let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).expect("a key pair");
        let pkcs8 = pair.to_pkcs8v1().expect("PKCS 8").as_ref().to_vec();
        // As `accounts/src/secret.rs` derives it: another derivation would end every cookie that is about.
        let mut cookie_key = [0; 32];
        hkdf::Salt::new(hkdf::HKDF_SHA256, b"vestibule 1")
            .extract(&SECRET)
            .expand(&[b"session cookie signature"], hkdf::HKDF_SHA256)
            .and_then(|output| output.fill(&mut cookie_key))
            .expect("32 bytes");
        Self {
            pkcs8,
            pair,
            cookie_key,
        }
    }

    /// Writes the private key for `signing_key_file`, and gives the lines of `vestibule.toml` by which a server has
    /// the keys of this mint.
    pub(super) fn settings(&self, folder: &Path) -> String {
        let path = folder.join("signing.pem");
        let body = BASE64_STANDARD.encode(&self.pkcs8);
        let pem = format!("-----BEGIN PRIVATE KEY-----\n{body}\n-----END PRIVATE KEY-----\n");
        std::fs::write(&path, pem).expect("a file");
        let secret = BASE64_STANDARD.encode(SECRET);
        format!(
            "secret_key = '{secret}'\nsigning_key_file = '{}'",
            path.display()
        )
    }

    /// Signs an access token.
    pub(super) fn es256(&self, header: &str, claims: &str) -> String {
        self.es256_of(&signing_input(header, claims))
    }

    /// Signs what is to be signed of an access token, which need not be well-formed.
    pub(super) fn es256_of(&self, input: &str) -> String {
        with_signature(input, &self.signature(input))
    }

    /// The signature alone: r and s, 32 bytes each.
    pub(super) fn signature(&self, input: &str) -> Vec<u8> {
        let signature = self.pair.sign(&randomness(), input.as_bytes());
        signature.expect("a signature").as_ref().to_vec()
    }

    /// The same in the form of X.509, which is not that of a JWT.
    pub(super) fn der_signature(&self, input: &str) -> Vec<u8> {
        let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, &self.pkcs8);
        let signature = pair.expect("the key").sign(&randomness(), input.as_bytes());
        signature.expect("a signature").as_ref().to_vec()
    }

    /// Signs a session cookie.
    pub(super) fn cookie_of(&self, input: &str) -> String {
        hs256_of(&self.cookie_key, input)
    }

    /// Everything public about the signing key that somebody could take for a secret.
    pub(super) fn public_forms(&self, jwk: &Value) -> Vec<Vec<u8>> {
        use aws_lc_rs::encoding::AsDer as _;
        let point = self.pair.public_key().as_ref().to_vec();
        let der: aws_lc_rs::encoding::PublicKeyX509Der<'_> =
            self.pair.public_key().as_der().expect("a public key");
        let der = der.as_ref().to_vec();
        let base64 = BASE64_STANDARD.encode(&der);
        let pem = format!("-----BEGIN PUBLIC KEY-----\n{base64}\n-----END PUBLIC KEY-----\n");
        let text = |name: &str| jwk[name].as_str().expect("a member").as_bytes().to_vec();
        vec![
            point[1..].to_vec(),
            point,
            der,
            pem.trim_end().as_bytes().to_vec(),
            pem.into_bytes(),
            jwk.to_string().into_bytes(),
            text("x"),
            text("y"),
            text("kid"),
        ]
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "a forger has randomness of their own"
)]
fn randomness() -> SystemRandom {
    SystemRandom::new()
}

/// A signature with an Ed25519 key of somebody's own.
pub(super) fn ed25519(header: &str, claims: &str) -> String {
    let pair = Ed25519KeyPair::generate().expect("a key pair");
    let input = signing_input(header, claims);
    with_signature(&input, pair.sign(input.as_bytes()).as_ref())
}

/// A MAC under any key.
pub(super) fn hs256(key: &[u8], header: &str, claims: &str) -> String {
    hs256_of(key, &signing_input(header, claims))
}

fn hs256_of(key: &[u8], input: &str) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA256, key);
    with_signature(input, hmac::sign(&key, input.as_bytes()).as_ref())
}

/// What is signed of a token (RFC 7515 section 5.1).
pub(super) fn signing_input(header: &str, claims: &str) -> String {
    format!("{}.{}", encoded(header), encoded(claims))
}

pub(super) fn with_signature(input: &str, signature: &[u8]) -> String {
    format!("{input}.{}", encoded(signature))
}

pub(super) fn encoded(bytes: impl AsRef<[u8]>) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(bytes)
}

pub(super) fn decoded(part: &str) -> Vec<u8> {
    BASE64_URL_SAFE_NO_PAD.decode(part).expect("base64url")
}
