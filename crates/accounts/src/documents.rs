//! A user's own documents: JSON that a page or an app keeps for whoever is signed in, under keys of
//! its choice. What a key may be, how large and how many they may be; the content is none of our
//! business, and is kept byte for byte. A document that is deleted is gone at once.

use aws_lc_rs::digest;
use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use store::{
    Document, DocumentEntry, DocumentRemoval, DocumentWriting, NewDocument, VersionCondition,
};

use crate::{Accounts, Caller, Error, FieldError};

/// The largest document, in bytes.
const LARGEST: usize = 64 * 1024;
/// So many documents a user may have.
const MOST: u64 = 100;
/// The longest key, in characters, all of which are ASCII.
const LONGEST_KEY: usize = 64;
/// Of a digest, so many bytes tell versions apart: nobody meets by chance, or makes, two contents
/// that are alike in 128 bits and both of them their own.
const ETAG_BYTES: usize = 16;

/// A document that was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WrittenDocument {
    /// Its version: the same for the same content, wherever and whenever it is written.
    pub etag: String,
    /// Whether there was none under this key before.
    pub is_new: bool,
}

impl Accounts {
    /// Keeps `content` as the caller's document under `key`, in place of the one that is there.
    ///
    /// # Errors
    /// [`Error::DocumentTooLarge`]; [`Error::Invalid`] for a key that cannot be one, and where the
    /// caller has as many documents as one may have; [`Error::UnexpectedVersion`].
    pub async fn put_document(
        &self,
        caller: &Caller,
        key: &str,
        content: Vec<u8>,
        condition: VersionCondition,
    ) -> Result<WrittenDocument, Error> {
        if content.len() > LARGEST {
            return Err(Error::DocumentTooLarge);
        }
        if !is_key(key) {
            return Err(refused_key(
                "invalid_key",
                "A key has 1 to 64 characters: letters A to Z, digits, dots, dashes and underscores, \
                 beginning with a letter or a digit.",
            ));
        }
        let new = NewDocument {
            owner: caller.user.id,
            key: key.to_owned(),
            etag: etag_of(&content),
            content,
            at: self.0.clock.now(),
        };
        let etag = new.etag.clone();
        let is_new = match self.0.store.put_document(new, condition, MOST).await? {
            DocumentWriting::Created => true,
            DocumentWriting::Replaced => false,
            DocumentWriting::Unexpected => return Err(Error::UnexpectedVersion),
            DocumentWriting::TooMany => {
                return Err(refused_key(
                    "too_many",
                    "There are 100 documents already. Delete one, or keep more in one of them.",
                ));
            }
            DocumentWriting::NoSuchOwner => return Err(Error::RevokedToken),
        };
        Ok(WrittenDocument { etag, is_new })
    }

    /// The caller's document under `key`.
    ///
    /// # Errors
    /// [`Error::NoSuchDocument`], for a key that cannot be one too.
    pub async fn document(&self, caller: &Caller, key: &str) -> Result<Document, Error> {
        let key = looked_for(key)?;
        let found = self.0.store.document(caller.user.id, key).await?;
        found.ok_or(Error::NoSuchDocument)
    }

    /// The caller's documents without their contents, in the order of the bytes of their keys.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn documents(&self, caller: &Caller) -> Result<Vec<DocumentEntry>, Error> {
        Ok(self.0.store.document_entries(caller.user.id).await?)
    }

    /// Deletes the caller's document under `key`, for good.
    ///
    /// # Errors
    /// [`Error::NoSuchDocument`], whatever the condition, for a key that cannot be one too;
    /// [`Error::UnexpectedVersion`].
    pub async fn delete_document(
        &self,
        caller: &Caller,
        key: &str,
        condition: VersionCondition,
    ) -> Result<(), Error> {
        let key = looked_for(key)?;
        let owner = caller.user.id;
        match self.0.store.remove_document(owner, key, condition).await? {
            DocumentRemoval::Removed => Ok(()),
            DocumentRemoval::Unexpected => Err(Error::UnexpectedVersion),
            DocumentRemoval::NoSuchDocument => Err(Error::NoSuchDocument),
            DocumentRemoval::NoSuchOwner => Err(Error::RevokedToken),
        }
    }
}

/// Under what cannot be a key there is nothing, and the database need not be asked for it.
fn looked_for(key: &str) -> Result<String, Error> {
    match is_key(key) {
        true => Ok(key.to_owned()),
        false => Err(Error::NoSuchDocument),
    }
}

fn is_key(text: &str) -> bool {
    (1..=LONGEST_KEY).contains(&text.len())
        && text.starts_with(|first: char| first.is_ascii_alphanumeric())
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-'))
}

fn etag_of(content: &[u8]) -> String {
    let digest = digest::digest(&digest::SHA256, content);
    BASE64_URL_SAFE_NO_PAD.encode(&digest.as_ref()[..ETAG_BYTES])
}

fn refused_key(code: &'static str, message: &'static str) -> Error {
    Error::Invalid(vec![FieldError {
        field: "key".into(),
        code,
        message: message.into(),
    }])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_of_letters_digits_dots_dashes_and_underscores() {
        let longest = "k".repeat(64);
        for key in ["a", "Z", "0", "settings", "a.b_c-D", "1..", &longest] {
            assert!(is_key(key), "{key:?}");
        }
        let longer = "k".repeat(65);
        for text in [
            "", ".a", "-a", "_a", "a b", "a/b", "a%", "é", "aé", "a\0", "a\n", " a", "..", &longer,
        ] {
            assert!(!is_key(text), "{text:?}");
        }
    }

    #[test]
    fn a_version_is_named_by_the_content_alone() {
        // The first half of the SHA-256 of `{}`.
        assert_eq!(etag_of(b"{}"), "RBNvo1WzZ4oRRq0W9-hkng");
        assert_ne!(etag_of(b"{} "), etag_of(b"{}"));
    }
}
