//! The names that stand in several rows of a source. No row says whose such a name is, so nobody is to get it for
//! having stood first; that is why a source is read once before anybody is brought over. It knows digests alone.

use std::collections::HashSet;

use aws_lc_rs::digest;

/// Enough of a digest that no two names have the same one.
type ShortDigest = [u8; 16];

/// Names seen, and among them those that were seen again.
#[derive(Default)]
pub(super) struct Doubles {
    seen: HashSet<ShortDigest>,
    doubled: HashSet<ShortDigest>,
}

impl Doubles {
    pub(super) fn see_email(&mut self, key: &str) {
        self.see(short_digest("email", key));
    }

    pub(super) fn see_username(&mut self, key: &str) {
        self.see(short_digest("username", key));
    }

    /// All rows were seen: what stands in one of them alone need not be kept.
    pub(super) fn settle(&mut self) {
        self.seen = HashSet::new();
    }

    pub(super) fn has_email(&self, key: &str) -> bool {
        self.doubled.contains(&short_digest("email", key))
    }

    pub(super) fn has_username(&self, key: &str) -> bool {
        self.doubled.contains(&short_digest("username", key))
    }

    fn see(&mut self, name: ShortDigest) {
        if !self.seen.insert(name) {
            self.doubled.insert(name);
        }
    }
}

fn short_digest(kind: &str, name: &str) -> ShortDigest {
    let digest = digest::digest(&digest::SHA256, format!("{kind} {name}").as_bytes());
    let (short, _) = digest
        .as_ref()
        .split_first_chunk()
        .expect("SHA-256 has 32 bytes");
    *short
}
