//! JSON bodies: UTF-8, 32 levels deep at the most, no key twice. What the fields of an object must
//! hold is said in `forms.rs`; what is kept as it was received, nobody looks into any further.

use std::collections::HashSet;

use axum::{
    body::{Body, Bytes},
    extract::{FromRequest, Request},
    http::{HeaderMap, HeaderName, HeaderValue, header},
    response::{IntoResponse, Response},
};
use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::{Map, Value, value::RawValue};

use super::error::{ApiError, with};
use crate::around::Next;

/// Deeper documents are refused.
const DEPTH: usize = 32;

/// The object in the body of a request.
pub(super) struct JsonObject(pub(super) Map<String, Value>);

impl<S: Send + Sync> FromRequest<S> for JsonObject {
    type Rejection = Response;

    async fn from_request(request: Request, _: &S) -> Result<Self, Response> {
        if !is_json(request.headers()) {
            return Err(ApiError::UnsupportedMediaType.into_response());
        }
        read_object(request).await
    }
}

/// The object in the body of a `PATCH`: a merge patch (RFC 7396), by its own media type or as plain
/// JSON.
pub(super) struct MergePatch(pub(super) JsonObject);

impl<S: Send + Sync> FromRequest<S> for MergePatch {
    type Rejection = Response;

    async fn from_request(request: Request, _: &S) -> Result<Self, Response> {
        let headers = request.headers();
        if !is_json(headers) && !is_of_type(headers, "application/merge-patch+json") {
            // What would be taken is said as RFC 5789 section 2.2 wants it.
            return Err(with(
                ApiError::UnsupportedMediaType.into_response(),
                HeaderName::from_static("accept-patch"),
                HeaderValue::from_static("application/merge-patch+json, application/json"),
            ));
        }
        read_object(request).await.map(Self)
    }
}

/// Any JSON value in the body of a request, byte for byte, the space around it included.
pub(super) struct JsonText(pub(super) Bytes);

impl<S: Send + Sync> FromRequest<S> for JsonText {
    type Rejection = ApiError;

    async fn from_request(request: Request, _: &S) -> Result<Self, ApiError> {
        if !is_json(request.headers()) {
            return Err(ApiError::UnsupportedMediaType);
        }
        let body = read(request.into_body()).await?;
        strict(&body)?;
        Ok(Self(body))
    }
}

/// The object in a body whose media type was found to be right.
async fn read_object(request: Request) -> Result<JsonObject, Response> {
    let body = read(request.into_body())
        .await
        .map_err(IntoResponse::into_response)?;
    parse(&body)
        .map(JsonObject)
        .map_err(IntoResponse::into_response)
}

/// The object in a body that was read, for routes that do without one too.
pub(super) fn object(headers: &HeaderMap, body: &Bytes) -> Result<JsonObject, ApiError> {
    if !is_json(headers) {
        return Err(ApiError::UnsupportedMediaType);
    }
    parse(body).map(JsonObject)
}

/// Waits for the whole body, so that the time it takes is not taken from the time for the answer.
pub(super) async fn arrive(request: Request, next: Next) -> Response {
    let (parts, body) = request.into_parts();
    match read(body).await {
        Ok(bytes) => {
            let request = Request::from_parts(parts, Body::from(bytes));
            next.run(request).await
        }
        Err(error) => error.into_response(),
    }
}

/// The bytes of a body. One that is too large or too slow is answered by the layer around, which
/// is also what bounds it.
pub(super) async fn read(body: Body) -> Result<Bytes, ApiError> {
    axum::body::to_bytes(body, usize::MAX)
        .await
        .map_err(|_| ApiError::Malformed("The body did not arrive whole."))
}

/// Reads one JSON object, whole.
fn parse(body: &Bytes) -> Result<Map<String, Value>, ApiError> {
    let text = strict(body)?;
    if !text.starts_with('{') {
        return Err(ApiError::Malformed("The body must be a JSON object."));
    }
    serde_json::from_str(text).map_err(|_| NOT_JSON)
}

/// One JSON value (RFC 8259) in UTF-8, without the space around it: no deeper than it may be, and
/// without a key that comes twice. What stands in it is not interpreted: a number may be too large
/// for any type, and a text may escape half a surrogate pair, as a browser writes half a character.
fn strict(body: &[u8]) -> Result<&str, ApiError> {
    let text = std::str::from_utf8(body)
        .map_err(|_| ApiError::Malformed("The body is not valid UTF-8."))?;
    let mut reader = serde_json::Deserializer::from_str(text);
    let value = <&RawValue>::deserialize(&mut reader).map_err(|_| NOT_JSON)?;
    reader
        .end()
        .map_err(|_| ApiError::Malformed("The body holds more than one JSON value."))?;
    check_levels(value, DEPTH)?;
    Ok(value.get())
}

/// `application/json`, with no other charset than UTF-8. A form or plain text, which a page of
/// another origin may send without asking first, is not.
pub(super) fn is_json(headers: &HeaderMap) -> bool {
    is_of_type(headers, "application/json")
}

/// A form, as a browser sends one without a file. For `/api/auth/token` alone.
pub(super) fn is_form(headers: &HeaderMap) -> bool {
    is_of_type(headers, "application/x-www-form-urlencoded")
}

fn is_of_type(headers: &HeaderMap, wanted: &str) -> bool {
    let mut values = headers.get_all(header::CONTENT_TYPE).iter();
    let (Some(value), None) = (values.next(), values.next()) else {
        return false;
    };
    let Ok(value) = value.to_str() else {
        return false;
    };
    let mut parts = value.split(';').map(str::trim);
    parts
        .next()
        .is_some_and(|kind| kind.eq_ignore_ascii_case(wanted))
        && parts.all(|part| {
            !part.to_ascii_lowercase().starts_with("charset")
                || part.to_ascii_lowercase().replace('"', "") == "charset=utf-8"
        })
}

const NOT_JSON: ApiError = ApiError::Malformed("The body is not valid JSON.");

/// Looks into a value that has room for so many more levels.
fn check_levels(value: &RawValue, room: usize) -> Result<(), ApiError> {
    let text = value.get();
    let inner = match text.as_bytes() {
        [b'[', ..] => serde_json::from_str::<Vec<&RawValue>>(text).map_err(|_| NOT_JSON)?,
        [b'{', ..] => members(text)?,
        _ => return Ok(()),
    };
    let room = room.checked_sub(1).ok_or(ApiError::Malformed(
        "The body is nested more than 32 levels deep.",
    ))?;
    inner.iter().try_for_each(|value| check_levels(value, room))
}

/// The values of an object, no two of which have the same key.
fn members(object: &str) -> Result<Vec<&RawValue>, ApiError> {
    let Members(members) = serde_json::from_str(object).map_err(|_| NOT_JSON)?;
    let mut keys = HashSet::new();
    let mut values = Vec::with_capacity(members.len());
    for (key, value) in members {
        if !keys.insert(key) {
            return Err(ApiError::Malformed("The body names a key twice."));
        }
        values.push(value);
    }
    Ok(values)
}

/// The members of an object, in their order.
struct Members<'a>(Vec<(Key, &'a RawValue)>);

impl<'de> Deserialize<'de> for Members<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(MembersVisitor)
    }
}

struct MembersVisitor;

impl<'de> Visitor<'de> for MembersVisitor {
    type Value = Members<'de>;

    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut object: A) -> Result<Members<'de>, A::Error> {
        let mut members = Vec::new();
        while let Some(member) = object.next_entry()? {
            members.push(member);
        }
        Ok(Members(members))
    }
}

/// A key without its escapes, as bytes: half a surrogate pair is no part of a text.
#[derive(PartialEq, Eq, Hash)]
struct Key(Vec<u8>);

impl<'de> Deserialize<'de> for Key {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_byte_buf(KeyVisitor)
    }
}

struct KeyVisitor;

impl Visitor<'_> for KeyVisitor {
    type Value = Key;

    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("a key")
    }

    fn visit_bytes<E>(self, key: &[u8]) -> Result<Key, E> {
        Ok(Key(key.to_vec()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(text: impl Into<Bytes>) -> &'static str {
        match parse(&text.into()) {
            Err(ApiError::Malformed(detail)) => detail,
            other => panic!("not refused: {other:?}"),
        }
    }

    #[test]
    fn an_object_is_read_whole() {
        let read = parse(&Bytes::from_static(
            br#"{"a": [1, -2, 0.5, null, true], "b": {"c": "\u00e9"}}"#,
        ));
        assert_eq!(
            serde_json::Value::Object(read.expect("an object")),
            serde_json::json!({"a": [1, -2, 0.5, null, true], "b": {"c": "é"}})
        );
    }

    #[test]
    fn what_is_not_one_object_is_malformed() {
        for text in [
            "",
            "{",
            "[]",
            "null",
            "\"a\"",
            "{} {}",
            "{'a': 1}",
            "{\"a\": 1,}",
            "\u{feff}{}",
            "{\"a\": NaN}",
        ] {
            refusal(text);
        }
        assert_eq!(
            refusal(&b"{\"a\": \"\xff\"}"[..]),
            "The body is not valid UTF-8."
        );
        assert_eq!(refusal(r#"{"a": "\ud800"}"#), "The body is not valid JSON.");
        assert_eq!(refusal("{\"a\": 1e400}"), "The body is not valid JSON.");
        assert_eq!(refusal("{} {}"), "The body holds more than one JSON value.");
        assert_eq!(refusal("[]"), "The body must be a JSON object.");
    }

    #[test]
    fn a_value_that_is_kept_as_it_is_may_hold_what_no_type_does() {
        let deepest = format!("{}{}", "[".repeat(32), "]".repeat(32));
        for text in [
            "null",
            "true",
            "-0",
            "1.0",
            "0.1000",
            "1e400",
            "12345678901234567890",
            "\"\"",
            r#""\ud800""#,
            r#""\udc00\ud800""#,
            r#"{"\ud800": 1, "\ud801": 2}"#,
            r#""\u0000""#,
            "\"\u{10ffff}\u{202e}\"",
            " [1 ,\t2]\r\n",
            r#"{"": {"": []}}"#,
            &deepest,
        ] {
            assert_eq!(strict(text.as_bytes()).expect(text), text.trim(), "{text}");
        }
    }

    #[test]
    fn a_value_that_is_kept_as_it_is_is_json_nevertheless() {
        for text in [
            "",
            " ",
            "01",
            "+1",
            ".5",
            "1.",
            "1e",
            "-",
            "NaN",
            "Infinity",
            "nul",
            "'a'",
            "\"\n\"",
            "\"\\x41\"",
            r#""\u12""#,
            "[1,]",
            "[,1]",
            "{\"a\"}",
            "{a: 1}",
            "1 2",
            "/* */ 1",
            "\u{feff}1",
            "\u{a0}1",
            "\"a",
            "[",
            "{\"a\": [}]",
        ] {
            assert!(strict(text.as_bytes()).is_err(), "{text:?}");
        }
        for text in [
            r#"{"\ud800": 1, "\uD800": 2}"#,
            r#"[{"\ud83d\ude00": 1, "😀": 2}]"#,
        ] {
            let refused = strict(text.as_bytes());
            assert!(
                matches!(
                    refused,
                    Err(ApiError::Malformed("The body names a key twice."))
                ),
                "{text}"
            );
        }
    }

    #[test]
    fn a_key_that_comes_twice_is_malformed_at_any_depth() {
        assert_eq!(
            refusal(r#"{"a": 1, "a": 2}"#),
            "The body names a key twice."
        );
        assert_eq!(
            refusal(r#"{"a": [{"b": 1, "\u0062": 2}]}"#),
            "The body names a key twice."
        );
    }

    #[test]
    fn thirty_two_levels_are_the_limit() {
        let nested = |levels: usize| {
            Bytes::from(format!(
                "{{\"a\":{}{}}}",
                "[".repeat(levels - 1),
                "]".repeat(levels - 1)
            ))
        };
        assert!(parse(&nested(32)).is_ok());
        assert_eq!(
            refusal(nested(33)),
            "The body is nested more than 32 levels deep."
        );
        assert_eq!(
            refusal(nested(20_000)),
            "The body is nested more than 32 levels deep."
        );
    }
}
