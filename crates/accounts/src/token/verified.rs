//! Tokens whose signature, issuer and audience were found right by one key or ring of keys, so that
//! the costly part is done once a token. What is left to judge at each use is left to `jwt.rs`.

use aws_lc_rs::digest;
use quick_cache::sync::Cache;
use store::Timestamp;

use super::Bearing;

/// The most tokens that are kept. One takes about 170 bytes, all of them 21 MiB.
const MOST_TOKENS: usize = 128 * 1024;

/// What a token says that was verified.
#[derive(Clone, Copy)]
pub(super) struct Verified {
    pub(super) bearing: Bearing,
    /// Seconds, as the claims have them.
    pub(super) iat: i64,
    pub(super) nbf: Option<i64>,
    pub(super) exp: i64,
    /// When the key that verified it stops doing so, if that is known.
    pub(super) key_retires_at: Option<Timestamp>,
}

/// Verified tokens by their SHA-256, so that no token stands in memory for longer than its request.
pub(super) struct VerifiedTokens(Cache<[u8; 32], Verified>);

impl VerifiedTokens {
    pub(super) fn new() -> Self {
        Self(Cache::new(MOST_TOKENS))
    }

    pub(super) fn find(&self, token: &str) -> Option<Verified> {
        self.0.get(&key(token))
    }

    pub(super) fn keep(&self, token: &str, verified: Verified) {
        self.0.insert(key(token), verified);
    }

    pub(super) fn entries(&self) -> u64 {
        self.0.len() as u64
    }
}

fn key(token: &str) -> [u8; 32] {
    let digest = digest::digest(&digest::SHA256, token.as_bytes());
    digest.as_ref().try_into().expect("SHA-256 gives 32 bytes")
}
