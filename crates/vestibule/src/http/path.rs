//! The id or the key in the path of a request. What is none there is answered like one of nothing.

use std::convert::Infallible;

use axum::{
    extract::{FromRequestParts, Path},
    http::request::Parts,
    response::Response,
};
use uuid::Uuid;

use super::error;

/// The id that the one parameter of a route's path holds.
pub(super) struct IdInPath(pub(super) Uuid);

impl<S: Send + Sync> FromRequestParts<S> for IdInPath {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Response> {
        let text = Path::<String>::from_request_parts(parts, state).await;
        let id = text.ok().and_then(|Path(text)| id_in(&text));
        id.map(Self).ok_or_else(error::not_found)
    }
}

/// An id in the one form in which the API writes it.
pub(super) fn id_in(text: &str) -> Option<Uuid> {
    let id = Uuid::try_parse(text).ok()?;
    (id.to_string() == text).then_some(id)
}

/// The key that the one parameter of a route's path holds. What cannot be read there is the empty
/// text, which is none.
pub(super) struct KeyInPath(pub(super) String);

impl<S: Send + Sync> FromRequestParts<S> for KeyInPath {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Infallible> {
        let text = Path::<String>::from_request_parts(parts, state).await;
        Ok(Self(text.map_or_else(|_| String::new(), |Path(key)| key)))
    }
}
