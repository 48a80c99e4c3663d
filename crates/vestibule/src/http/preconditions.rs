//! Conditional requests on what users keep here (RFC 9110 section 13): the version that a client
//! has seen, as its headers name it, and the answers that name one. Whether it is still the newest
//! is decided where it is changed, in the transaction that does so.

use std::convert::Infallible;

use accounts::{VersionCondition, Versions};
use axum::{
    Json,
    extract::FromRequestParts,
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header, request::Parts},
    response::{IntoResponse, IntoResponseParts, Response, ResponseParts},
};
use serde::Serialize;

use super::error::ApiError;
use crate::site::conditions::{is_held, tags};

/// The strong entity tag of a version: its opaque text between quotes (RFC 9110 section 8.8.3).
#[derive(Serialize)]
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

/// The header `ETag`.
impl IntoResponseParts for EntityTag {
    type Error = Infallible;

    fn into_response_parts(self, mut parts: ResponseParts) -> Result<ResponseParts, Infallible> {
        parts.headers_mut().insert(header::ETAG, self.header());
        Ok(parts)
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
        Ok(match named(headers, header::IF_MATCH)? {
            None => Self::Absent,
            Some(Named::Any) => Self::Any,
            Some(Named::Tags(tags)) => Self::OneOf(strong(tags)),
        })
    }
}

impl<S: Send + Sync> FromRequestParts<S> for IfMatch {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        Self::of(&parts.headers)
    }
}

/// Both headers of a change that may also make what is not there: `If-Match` as above, and
/// `If-None-Match` for the versions that it is not meant for (section 13.1.2), in which weak tags
/// count as well, and `*` is every version.
pub(super) struct Condition(pub(super) VersionCondition);

impl<S: Send + Sync> FromRequestParts<S> for Condition {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        let one_of = named(&parts.headers, header::IF_MATCH)?.map(|named| match named {
            Named::Any => Versions::Any,
            Named::Tags(tags) => Versions::Tagged(strong(tags)),
        });
        let none_of = named(&parts.headers, header::IF_NONE_MATCH)?.map(|named| match named {
            Named::Any => Versions::Any,
            Named::Tags(tags) => Versions::Tagged(tags.into_iter().map(|tag| tag.text).collect()),
        });
        Ok(Self(VersionCondition { one_of, none_of }))
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

/// What a list of entity tags names.
enum Named {
    /// `*`.
    Any,
    Tags(Vec<NamedTag>),
}

struct NamedTag {
    is_strong: bool,
    /// What stands between the quotes.
    text: String,
}

/// The versions that a header names, `None` without it.
fn named(headers: &HeaderMap, name: HeaderName) -> Result<Option<Named>, ApiError> {
    let Some(mut listed) = tags(headers, name) else {
        return Ok(None);
    };
    // A list may have empty places (section 5.6.1.2).
    listed.retain(|tag| !tag.is_empty());
    if listed == ["*"] {
        return Ok(Some(Named::Any));
    }
    let read = |tag: &String| {
        Some(NamedTag {
            is_strong: tag.starts_with('"'),
            text: opaque(tag)?.to_owned(),
        })
    };
    let read: Option<Vec<_>> = listed.iter().map(read).collect();
    let read = read.filter(|tags| !tags.is_empty());
    let tags = read.ok_or(ApiError::Malformed(
        "The header If-Match or If-None-Match names no version. Send the ETag of an answer, with its quotes, or *.",
    ))?;
    Ok(Some(Named::Tags(tags)))
}

fn strong(tags: Vec<NamedTag>) -> Vec<String> {
    let strong = tags.into_iter().filter(|tag| tag.is_strong);
    strong.map(|tag| tag.text).collect()
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
