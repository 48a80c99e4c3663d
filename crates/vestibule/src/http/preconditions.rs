//! Conditional requests on what users keep here (RFC 9110 section 13): the version that a client
//! has seen, as its headers name it, and the answers that name one. Whether it is still the newest
//! is decided where it is changed, in the transaction that does so.

use std::convert::Infallible;

use accounts::{Error, VersionCondition, Versions};
use axum::{
    extract::FromRequestParts,
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header, request::Parts},
    response::{IntoResponse, IntoResponseParts, Response, ResponseParts},
};
use serde::Serialize;

use super::error::{ApiError, ApiResult};
use crate::site::conditions::{is_held, tags};

/// The strong entity tag of a version: its opaque text between quotes (RFC 9110 section 8.8.3).
#[derive(Serialize)]
pub(super) struct EntityTag(String);

impl EntityTag {
    /// The tag of what `version` names: visible ASCII without quotes.
    pub(super) fn of(version: &impl ToString) -> Self {
        Self(format!("\"{}\"", version.to_string()))
    }

    /// What stands between the quotes.
    fn opaque(&self) -> &str {
        self.0.trim_matches('"')
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

/// What a change says of the version that it is meant for: `If-Match` (section 13.1.1), in which
/// weak tags match nothing, and `If-None-Match` (section 13.1.2), in which they count as well. It is
/// refused where one cannot be read, for whoever sends it relies on it.
pub(super) struct Condition(pub(super) VersionCondition);

impl<S: Send + Sync> FromRequestParts<S> for Condition {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        let none_of = named(&parts.headers, header::IF_NONE_MATCH)?;
        Ok(Self(VersionCondition {
            one_of: one_of(&parts.headers)?,
            none_of: none_of.map(|named| named.versions(|_| true)),
        }))
    }
}

/// What a request to read says of versions: `If-Match` as above, and `If-None-Match` for those that
/// its client holds. What cannot be read there names none, and the answer is a whole one.
pub(super) struct Reading {
    condition: VersionCondition,
    headers: HeaderMap,
}

impl Reading {
    /// 200 with the content of a version and its tag; 304 where the client holds that one; or 412 where
    /// it wants another.
    pub(super) fn answer(
        &self,
        version: &EntityTag,
        content: impl IntoResponse,
    ) -> ApiResult<Response> {
        if !self.condition.allows(Some(version.opaque())) {
            return Err(Error::UnexpectedVersion.into());
        }
        let tag = [(header::ETAG, version.header())];
        Ok(match is_held(&self.headers, &version.0) {
            Some(true) => (StatusCode::NOT_MODIFIED, tag).into_response(),
            _ => (tag, content).into_response(),
        })
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Reading {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        let condition = VersionCondition {
            one_of: one_of(&parts.headers)?,
            none_of: None,
        };
        Ok(Self {
            condition,
            headers: parts.headers.clone(),
        })
    }
}

fn one_of(headers: &HeaderMap) -> Result<Option<Versions>, ApiError> {
    let named = named(headers, header::IF_MATCH)?;
    Ok(named.map(|named| named.versions(|tag| tag.is_strong)))
}

/// What a list of entity tags names.
enum Named {
    /// `*`.
    Any,
    Tags(Vec<NamedTag>),
}

impl Named {
    /// The versions of those tags that count.
    fn versions(self, counts: impl Fn(&NamedTag) -> bool) -> Versions {
        match self {
            Self::Any => Versions::Any,
            Self::Tags(tags) => {
                let counting = tags.into_iter().filter(counts);
                Versions::Tagged(counting.map(|tag| tag.text).collect())
            }
        }
    }
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

    fn if_match(fields: &[&'static str]) -> Result<Option<Versions>, ApiError> {
        let mut headers = HeaderMap::new();
        for field in fields {
            headers.append(header::IF_MATCH, HeaderValue::from_static(field));
        }
        one_of(&headers)
    }

    fn tagged(tags: &[&str]) -> Option<Versions> {
        let tags = tags.iter().map(ToString::to_string);
        Some(Versions::Tagged(tags.collect()))
    }

    #[test]
    fn versions_are_named_by_strong_tags_in_lists_and_over_several_fields() {
        for (fields, expected) in [
            (&[][..], None),
            (&["*"], Some(Versions::Any)),
            (&[" * "], Some(Versions::Any)),
            (&["\"1\""], tagged(&["1"])),
            (&["\"1\" , \"a,b\",,\"\""], tagged(&["1", "a,b", ""])),
            (&["\"1\"", "\"2\""], tagged(&["1", "2"])),
            (&["W/\"1\""], tagged(&[])),
            (&["W/\"1\", \"2\""], tagged(&["2"])),
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
