//! The three proofs that a client may hold: access tokens and session cookies, which are JWTs
//! of different kinds, and refresh tokens, which are opaque. They are made and read here;
//! whether the session behind one still stands is decided in `sessions.rs`.

mod jwt;
mod keys;
mod refresh;
mod verified;

pub use keys::{SigningAlgorithm, SigningKeyPair};

pub(crate) use jwt::{AccessTokens, Bearing, CookieTokens, LEEWAY_SECONDS};
pub(crate) use keys::KeyRing;
pub(crate) use refresh::{RefreshToken, RefreshTokens};

/// Why a token proves nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NotAccepted {
    /// Not one of ours, or not of this kind. The reason is for the log alone.
    Invalid(&'static str),
    /// Of the form of an access token, under a key that is not in the ring.
    UnknownKey,
    /// Ours, and past its time.
    Expired,
}

impl From<NotAccepted> for crate::Error {
    fn from(reason: NotAccepted) -> Self {
        match reason {
            NotAccepted::Invalid(reason) => Self::InvalidToken(reason),
            NotAccepted::UnknownKey => Self::InvalidToken("unknown kid"),
            NotAccepted::Expired => Self::ExpiredToken,
        }
    }
}
