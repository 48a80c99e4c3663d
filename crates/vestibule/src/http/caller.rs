//! Who makes this request: the credential that it carries, and the user whom that proves.
//! A bearer token counts and a cookie beside it is ignored. Nothing is read from a URL.

use accounts::{Accounts, Admin, Caller, Error};
use axum::{
    extract::FromRequestParts,
    http::{HeaderMap, header, request::Parts},
};

use super::{cookie, error::ApiError, peer::ThisPeer};
use crate::app::App;

/// The credential in the headers of a request.
pub(super) enum Presented {
    /// `Authorization: Bearer` (RFC 6750 section 2.1).
    Bearer(String),
    /// The session cookie.
    Cookie(String),
    /// More than one bearer token, an empty one, or one that is no text.
    Unusable,
    /// Nothing.
    Nothing,
}

impl Presented {
    pub(super) fn of(app: &App, headers: &HeaderMap) -> Self {
        let values = headers.get_all(header::AUTHORIZATION).iter();
        let mut bearers = values.filter_map(|value| bearer(value.as_bytes()));
        match (bearers.next(), bearers.next()) {
            (None, _) => match cookie::read(app, headers) {
                Some(value) => Self::Cookie(value),
                None => Self::Nothing,
            },
            (Some(token), None) if !token.is_empty() => Self::Bearer(token.to_owned()),
            (Some(_), _) => Self::Unusable,
        }
    }

    /// The user whom it proves.
    pub(super) async fn caller(&self, accounts: &Accounts) -> Result<Caller, ApiError> {
        match self {
            Self::Bearer(token) => Ok(accounts.caller_of_bearer(token).await?),
            Self::Cookie(value) => Ok(accounts.caller_of_cookie(value).await?),
            Self::Unusable => Err(ApiError::Rules(Error::InvalidToken("authorization header"))),
            Self::Nothing => Err(ApiError::MissingToken),
        }
    }
}

/// The caller. A handler that takes one as a parameter answers nobody else.
pub(super) struct SignedInCaller(pub(super) Caller);

impl FromRequestParts<App> for SignedInCaller {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, ApiError> {
        let presented = Presented::of(app, &parts.headers);
        presented.caller(app.accounts()).await.map(Self)
    }
}

/// The caller as an admin. A handler that takes one as a parameter answers nobody else.
pub(super) struct SignedInAdmin(pub(super) Admin);

impl FromRequestParts<App> for SignedInAdmin {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, ApiError> {
        let SignedInCaller(caller) = SignedInCaller::from_request_parts(parts, app).await?;
        let ThisPeer(peer) = match ThisPeer::from_request_parts(parts, app).await {
            Ok(peer) => peer,
            Err(never) => match never {},
        };
        Ok(Self(app.accounts().admin(caller, peer)?))
    }
}

/// The token behind the scheme `Bearer`, in any case of letters. Another scheme is none of our
/// business: a proxy in front may ask for a password of its own. A token that is not of visible
/// letters of ASCII is as good as an empty one, for it was meant as one.
fn bearer(value: &[u8]) -> Option<&str> {
    let is_blank = |byte: &u8| matches!(byte, b' ' | b'\t');
    let scheme_ends = value.iter().position(is_blank).unwrap_or(value.len());
    let (scheme, token) = value.split_at(scheme_ends);
    scheme.eq_ignore_ascii_case(b"bearer").then(|| {
        let token = std::str::from_utf8(token).unwrap_or_default();
        let token = token.trim_matches(' ');
        let is_token = token.bytes().all(|byte| byte.is_ascii_graphic());
        if is_token { token } else { "" }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bearer_token_follows_its_scheme() {
        assert_eq!(bearer(b"Bearer abc"), Some("abc"));
        assert_eq!(bearer(b"bearer  abc "), Some("abc"));
        for other in ["abc", "Basic abc", "Bearerabc", "Basic \u{e9}", ""] {
            assert_eq!(bearer(other.as_bytes()), None, "{other:?}");
        }
    }

    #[test]
    fn a_bearer_token_that_cannot_be_one_is_none_and_not_left_out() {
        for value in [
            &b"Bearer"[..],
            b"Bearer ",
            b"Bearer\tabc",
            b"Bearer abc\xe9",
            b"Bearer abc\xc3\xa9",
            b"Bearer abc def",
        ] {
            assert_eq!(bearer(value), Some(""), "{}", value.escape_ascii());
        }
    }
}
