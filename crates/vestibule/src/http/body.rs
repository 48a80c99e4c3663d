//! JSON bodies: UTF-8, 32 levels deep at the most, no key twice. What the fields must hold is
//! said in `forms.rs`.

use axum::{
    body::{Body, Bytes},
    extract::{FromRequest, Request},
    http::{HeaderMap, HeaderName, HeaderValue, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use serde::de::{self, Deserialize, DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

use super::error::{ApiError, with};

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
    let text = std::str::from_utf8(body)
        .map_err(|_| ApiError::Malformed("The body is not valid UTF-8."))?;
    let mut reader = serde_json::Deserializer::from_str(text);
    let value = Strict { room: DEPTH }
        .deserialize(&mut reader)
        .map_err(|error| {
            if error.to_string().starts_with(TOO_DEEP) {
                ApiError::Malformed("The body is nested more than 32 levels deep.")
            } else if error.to_string().starts_with(TWICE) {
                ApiError::Malformed("The body names a key twice.")
            } else {
                ApiError::Malformed("The body is not valid JSON.")
            }
        })?;
    reader
        .end()
        .map_err(|_| ApiError::Malformed("The body holds more than one JSON value."))?;
    match value {
        Value::Object(object) => Ok(object),
        _ => Err(ApiError::Malformed("The body must be a JSON object.")),
    }
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

const TOO_DEEP: &str = "too deep";
const TWICE: &str = "key twice";

/// A JSON value with room for that many more levels.
#[derive(Clone, Copy)]
struct Strict {
    room: usize,
}

impl<'de> DeserializeSeed<'de> for Strict {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl Strict {
    fn deeper<E: de::Error>(self) -> Result<Self, E> {
        let room = self
            .room
            .checked_sub(1)
            .ok_or_else(|| E::custom(TOO_DEEP))?;
        Ok(Self { room })
    }
}

impl<'de> Visitor<'de> for Strict {
    type Value = Value;

    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("a JSON value")
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(Number::from_f64(value).map_or(Value::Null, Value::Number))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::String(value.to_owned()))
    }

    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(Value::String(value))
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut sequence: A) -> Result<Value, A::Error> {
        let inner = self.deeper()?;
        let mut items = Vec::new();
        while let Some(item) = sequence.next_element_seed(inner)? {
            items.push(item);
        }
        Ok(Value::Array(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Value, A::Error> {
        let inner = self.deeper()?;
        let mut object = Map::new();
        while let Some(key) = entries.next_key::<Key>()? {
            if object.contains_key(&key.0) {
                return Err(de::Error::custom(TWICE));
            }
            let value = entries.next_value_seed(inner)?;
            object.insert(key.0, value);
        }
        Ok(Value::Object(object))
    }
}

struct Key(String);

impl<'de> Deserialize<'de> for Key {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(Self)
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
