//! Who makes this request: the credential that it carries, and the user whom that proves.
//! A bearer token counts and a cookie beside it is ignored. Nothing is read from a URL.

use accounts::{Accounts, Caller, Error};
use axum::{
    extract::FromRequestParts,
    http::{HeaderMap, header, request::Parts},
};

use super::{cookie, error::ApiError};
use crate::app::App;

/// The credential in the headers of a request.
pub(super) enum Presented {
    /// `Authorization: Bearer` (RFC 6750 section 2.1).
    Bearer(String),
    /// The session cookie.
    Cookie(String),
    /// An `Authorization` header of another form.
    Unusable,
    /// Nothing.
    Nothing,
}

impl Presented {
    pub(super) fn of(app: &App, headers: &HeaderMap) -> Self {
        let mut values = headers.get_all(header::AUTHORIZATION).iter();
        match (values.next(), values.next()) {
            (None, _) => match cookie::read(app, headers) {
                Some(value) => Self::Cookie(value),
                None => Self::Nothing,
            },
            (Some(value), None) => value
                .to_str()
                .ok()
                .and_then(bearer)
                .map_or(Self::Unusable, |token| Self::Bearer(token.to_owned())),
            (Some(_), Some(_)) => Self::Unusable,
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

fn bearer(value: &str) -> Option<&str> {
    let (scheme, token) = value.split_once(' ')?;
    let token = token.trim_start_matches(' ');
    (scheme.eq_ignore_ascii_case("bearer") && !token.is_empty()).then_some(token)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bearer_token_follows_its_scheme() {
        assert_eq!(bearer("Bearer abc"), Some("abc"));
        assert_eq!(bearer("bearer  abc"), Some("abc"));
        for other in ["Bearer", "Bearer ", "abc", "Basic abc", "Bearerabc", ""] {
            assert_eq!(bearer(other), None, "{other:?}");
        }
    }
}
