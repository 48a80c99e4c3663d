//! Conditional requests on what users keep here (RFC 9110 section 13): the version that a client
//! has seen, as its headers name it, and the answers that name one. Whether it is still the newest
//! is decided where it is changed, in the transaction that does so.

use axum::{
    Json,
    extract::FromRequestParts,
    http::{HeaderMap, HeaderValue, StatusCode, header, request::Parts},
    response::{IntoResponse, Response},
};
use serde::Serialize;

use super::error::ApiError;
use crate::site::conditions::{is_held, tags};

/// The strong entity tag of a version: its opaque text between quotes (RFC 9110 section 8.8.3).
pub(super) struct EntityTag(String);

impl EntityTag {
    /// The tag of what `version` names: visible ASCII without quotes.
    pub(super) fn of(version: &impl ToString) -> Self {
        Self(format!("\"{}\"", version.to_string()))
    }

    fn header(&self) -> HeaderValue {
        HeaderValue::try_from(&self.0).expect("a version is named in visible ASCII")
    }
}

/// `If-Match`: the versions that a request is meant for (section 13.1.1). It is refused where it
/// cannot be read, for whoever sends one relies on it.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum IfMatch {
    /// The header is not there.
    Absent,
    /// `*`: any version that there is.
    Any,
    /// These, by the opaque texts of their tags. Weak ones match nothing, and are left out.
    OneOf(Vec<String>),
}

impl IfMatch {
    fn of(headers: &HeaderMap) -> Result<Self, ApiError> {
        let Some(mut listed) = tags(headers, header::IF_MATCH) else {
            return Ok(Self::Absent);
        };
        // A list may have empty places (section 5.6.1.2).
        listed.retain(|tag| !tag.is_empty());
        if listed == ["*"] {
            return Ok(Self::Any);
        }
        let read = |tag: &String| Some((tag.starts_with('"'), opaque(tag)?.to_owned()));
        let read: Option<Vec<_>> = listed.iter().map(read).collect();
        let read = read.filter(|tags| !tags.is_empty());
        let tags = read.ok_or(ApiError::Malformed(
            "The header If-Match names no version. Send the ETag of an answer, with its quotes, or *.",
        ))?;
        let strong = tags.into_iter().filter(|(is_strong, _)| *is_strong);
        Ok(Self::OneOf(strong.map(|(_, text)| text).collect()))
    }
}

impl<S: Send + Sync> FromRequestParts<S> for IfMatch {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        Self::of(&parts.headers)
    }
}

/// `If-None-Match`: the versions that a client holds (section 13.1.2). What cannot be read names
/// none, and the answer is a whole one.
pub(super) struct IfNoneMatch(HeaderMap);

impl IfNoneMatch {
    /// Whether the client holds this version, or any (`*`).
    pub(super) fn holds(&self, etag: &EntityTag) -> bool {
        is_held(&self.0, &etag.0) == Some(true)
    }

    /// 200 with the view of a version, or 304 where the client holds that one.
    pub(super) fn answer(&self, etag: &EntityTag, view: impl Serialize) -> Response {
        match self.holds(etag) {
            true => (StatusCode::NOT_MODIFIED, [(header::ETAG, etag.header())]).into_response(),
            false => tagged(etag, view),
        }
    }
}

impl<S: Send + Sync> FromRequestParts<S> for IfNoneMatch {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Self::Rejection> {
        Ok(Self(parts.headers.clone()))
    }
}

/// 200 with the view of a version and its tag.
pub(super) fn tagged(etag: &EntityTag, view: impl Serialize) -> Response {
    ([(header::ETAG, etag.header())], Json(view)).into_response()
}

/// What stands between the quotes of an entity tag, strong or weak (section 8.8.3).
fn opaque(tag: &str) -> Option<&str> {
    let quoted = tag.strip_prefix("W/").unwrap_or(tag);
    let text = quoted.strip_prefix('"')?.strip_suffix('"')?;
    let is_of_tags = |character: char| character > ' ' && !matches!(character, '"' | '\u{7f}');
    text.chars().all(is_of_tags).then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn if_match(fields: &[&'static str]) -> Result<IfMatch, ApiError> {
        let mut headers = HeaderMap::new();
        for field in fields {
            headers.append(header::IF_MATCH, HeaderValue::from_static(field));
        }
        IfMatch::of(&headers)
    }

    fn one_of(tags: &[&str]) -> IfMatch {
        IfMatch::OneOf(tags.iter().map(ToString::to_string).collect())
    }

    #[test]
    fn versions_are_named_by_strong_tags_in_lists_and_over_several_fields() {
        for (fields, expected) in [
            (&[][..], IfMatch::Absent),
            (&["*"], IfMatch::Any),
            (&[" * "], IfMatch::Any),
            (&["\"1\""], one_of(&["1"])),
            (&["\"1\" , \"a,b\",,\"\""], one_of(&["1", "a,b", ""])),
            (&["\"1\"", "\"2\""], one_of(&["1", "2"])),
            (&["W/\"1\""], one_of(&[])),
            (&["W/\"1\", \"2\""], one_of(&["2"])),
        ] {
            let read = if_match(fields).unwrap_or_else(|error| panic!("{fields:?}: {error:?}"));
            assert_eq!(read, expected, "{fields:?}");
        }
    }

    #[test]
    fn what_names_no_version_is_refused() {
        for field in [
            "",
            ",",
            "1",
            "\"1",
            "1\"",
            "\"",
            "w/\"1\"",
            "W/1",
            "\"1\" \"2\"",
            "*, \"1\"",
            "\"a b\"",
        ] {
            let read = if_match(&[field]);
            assert!(
                matches!(read, Err(ApiError::Malformed(_))),
                "{field}: {read:?}"
            );
        }
    }
}
