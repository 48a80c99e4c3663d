//! Conditional and partial requests: RFC 9110, sections 13 and 14, as pure functions of a request's header fields and a
//! file's validators. The answers are written by `answer`.

use std::ops::Range;
use std::time::{Duration, SystemTime};

use axum::http::header::{self, HeaderMap, HeaderName};
use axum::http::{HeaderValue, Method};

/// What identifies the version of the content that would be sent.
pub(super) struct Validators<'a> {
    /// The strong entity tag, quotes included.
    pub(super) etag: &'a str,
    /// `None` where the file system knows no time.
    pub(super) modified: Option<SystemTime>,
    /// Length of the content in bytes.
    pub(super) length: u64,
}

/// What the request's conditions leave to be sent.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    /// 200 with everything.
    Whole,
    /// 206 with these bytes.
    Part(Range<u64>),
    /// 304: the client has it already.
    NotModified,
    /// 412: the client wants another version than this one.
    PreconditionFailed,
    /// 416: the content ends before the range begins.
    Unsatisfiable,
}

/// Evaluates the conditions in the order of RFC 9110, section 13.2.2.
pub(super) fn evaluate(method: &Method, headers: &HeaderMap, current: &Validators<'_>) -> Outcome {
    if let Some(listed) = tags(headers, header::IF_MATCH) {
        if !listed.iter().any(|tag| tag == "*" || tag == current.etag) {
            return Outcome::PreconditionFailed;
        }
    } else if let Some(date) = date(headers, header::IF_UNMODIFIED_SINCE)
        && current
            .modified_second()
            .is_some_and(|modified| modified > date)
    {
        return Outcome::PreconditionFailed;
    }
    if let Some(held) = is_held(headers, current.etag) {
        if held {
            return Outcome::NotModified;
        }
    } else if let Some(date) = date(headers, header::IF_MODIFIED_SINCE)
        && current
            .modified_second()
            .is_some_and(|modified| modified <= date)
    {
        return Outcome::NotModified;
    }
    if method == Method::GET && range_still_holds(headers, current) {
        part(headers, current.length)
    } else {
        Outcome::Whole
    }
}

/// Whether the client holds the version with this entity tag, weak or strong, by `If-None-Match` (RFC 9110, section
/// 13.1.2); `None` if it does not say.
pub(crate) fn is_held(headers: &HeaderMap, etag: &str) -> Option<bool> {
    let listed = tags(headers, header::IF_NONE_MATCH)?;
    let matches = |tag: &String| tag == "*" || opaque(tag) == opaque(etag);
    Some(listed.iter().any(matches))
}

/// The tag without its mark of weakness.
fn opaque(etag: &str) -> &str {
    etag.strip_prefix("W/").unwrap_or(etag)
}

impl Validators<'_> {
    /// The time of the last change as `Last-Modified` shows it.
    fn modified_second(&self) -> Option<SystemTime> {
        let since = self.modified?.duration_since(SystemTime::UNIX_EPOCH).ok()?;
        Some(SystemTime::UNIX_EPOCH + Duration::from_secs(since.as_secs()))
    }
}

/// `If-Range`. A date never holds: it is a validator only for clients without an entity tag (RFC 9110, section 13.1.5),
/// all of ours have one, and a file may change twice in one second.
fn range_still_holds(headers: &HeaderMap, current: &Validators<'_>) -> bool {
    headers
        .get(header::IF_RANGE)
        .is_none_or(|value| value == current.etag)
}

/// `Range`. Several ranges, other units and what is malformed are ignored, as RFC 9110, section 14.2, allows: the
/// whole content is always a right answer.
fn part(headers: &HeaderMap, length: u64) -> Outcome {
    let mut fields = headers.get_all(header::RANGE).iter();
    let (Some(field), None) = (fields.next(), fields.next()) else {
        return Outcome::Whole;
    };
    // No range of an empty file exists, and a client that adds `bytes=0-` to everything still wants the file.
    if length == 0 {
        return Outcome::Whole;
    }
    let wanted = field
        .to_str()
        .ok()
        .and_then(|field| field.split_once('='))
        .and_then(|(unit, range)| {
            let (first, last) = range.trim().split_once('-')?;
            unit.trim()
                .eq_ignore_ascii_case("bytes")
                .then_some((first.trim(), last.trim()))
        });
    match wanted.map(|(first, last)| (position(first), position(last))) {
        Some((Position::Absent, Position::At(0))) => Outcome::Unsatisfiable,
        Some((Position::Absent, Position::At(suffix))) => {
            Outcome::Part(length.saturating_sub(suffix)..length)
        }
        Some((Position::At(first), Position::At(last))) if last < first => Outcome::Whole,
        Some((Position::At(first), Position::At(_) | Position::Absent)) if first >= length => {
            Outcome::Unsatisfiable
        }
        Some((Position::At(first), Position::At(last))) => {
            Outcome::Part(first..length.min(last.saturating_add(1)))
        }
        Some((Position::At(first), Position::Absent)) => Outcome::Part(first..length),
        _ => Outcome::Whole,
    }
}

enum Position {
    Absent,
    At(u64),
    Malformed,
}

/// A number too large to count in 64 bits is a position behind the end like any other.
fn position(digits: &str) -> Position {
    if digits.is_empty() {
        Position::Absent
    } else if digits.bytes().all(|byte| byte.is_ascii_digit()) {
        Position::At(digits.parse().unwrap_or(u64::MAX))
    } else {
        Position::Malformed
    }
}

/// The entity tags of a list field, `None` without the field. A comma may be part of a tag, so quotes decide.
pub(crate) fn tags(headers: &HeaderMap, name: HeaderName) -> Option<Vec<String>> {
    let mut fields = headers.get_all(name).iter().peekable();
    fields.peek()?;
    let mut tags = Vec::new();
    for field in fields {
        let mut quoted = false;
        let elements = field.as_bytes().split(|byte| {
            quoted ^= *byte == b'"';
            *byte == b',' && !quoted
        });
        tags.extend(
            elements.map(|element| String::from_utf8_lossy(element.trim_ascii()).into_owned()),
        );
    }
    Some(tags)
}

/// A date that cannot be read, or was sent twice, counts as absent.
fn date(headers: &HeaderMap, name: HeaderName) -> Option<SystemTime> {
    let mut fields = headers.get_all(name).iter();
    let only: &HeaderValue = fields.next().filter(|_| fields.next().is_none())?;
    httpdate::parse_http_date(only.to_str().ok()?).ok()
}

#[cfg(test)]
mod tests {
    use super::{Outcome, Validators, evaluate, is_held};
    use axum::http::{HeaderMap, HeaderName, HeaderValue, Method};
    use std::time::{Duration, SystemTime};

    const MODIFIED: &str = "Sun, 06 Nov 1994 08:49:37 GMT";
    const EARLIER: &str = "Sun, 06 Nov 1994 08:49:36 GMT";
    const LATER: &str = "Sun, 06 Nov 1994 08:49:38 GMT";

    fn outcome_of(method: &Method, length: u64, fields: &[(&'static str, &str)]) -> Outcome {
        let headers: HeaderMap = fields
            .iter()
            .map(|(name, value)| {
                (
                    HeaderName::from_static(name),
                    HeaderValue::from_str(value).expect(name),
                )
            })
            .collect();
        let modified = Some(SystemTime::UNIX_EPOCH + Duration::new(784_111_777, 500));
        evaluate(
            method,
            &headers,
            &Validators {
                etag: "\"v1\"",
                modified,
                length,
            },
        )
    }

    #[test]
    fn conditions_are_judged_in_the_order_of_the_rfc() {
        use Outcome::{NotModified, PreconditionFailed, Whole};
        let cases: [(&[(&'static str, &str)], Outcome); 19] = [
            (&[], Whole),
            (&[("if-match", "\"v1\"")], Whole),
            (&[("if-match", "*")], Whole),
            (&[("if-match", "\"v0\", \"v1\"")], Whole),
            (&[("if-match", "\"v0\"")], PreconditionFailed),
            (&[("if-match", "W/\"v1\"")], PreconditionFailed),
            (
                &[("if-match", "\"v1\""), ("if-unmodified-since", EARLIER)],
                Whole,
            ),
            (&[("if-unmodified-since", EARLIER)], PreconditionFailed),
            (&[("if-unmodified-since", MODIFIED)], Whole),
            (&[("if-unmodified-since", "yesterday")], Whole),
            (&[("if-none-match", "\"v1\"")], NotModified),
            (&[("if-none-match", "W/\"v1\"")], NotModified),
            (&[("if-none-match", "\"a,b\", \"v1\"")], NotModified),
            (&[("if-none-match", "*")], NotModified),
            (
                &[("if-none-match", "\"v0\""), ("if-modified-since", LATER)],
                Whole,
            ),
            (&[("if-modified-since", MODIFIED)], NotModified),
            (&[("if-modified-since", EARLIER)], Whole),
            (
                &[("if-match", "\"v0\""), ("if-none-match", "\"v1\"")],
                PreconditionFailed,
            ),
            (
                &[("if-none-match", "\"v1\""), ("range", "bytes=0-1")],
                NotModified,
            ),
        ];
        for (fields, expected) in cases {
            assert_eq!(outcome_of(&Method::GET, 10, fields), expected, "{fields:?}");
        }
    }

    #[test]
    fn whether_a_client_holds_a_version_is_told_by_weak_comparison() {
        for (field, expected) in [
            ("\"v1\"", true),
            ("W/\"v1\"", true),
            ("\"v,1\", W/\"v1\"", true),
            ("*", true),
            ("\"v2\"", false),
            ("w/\"v1\"", false),
            ("v1", false),
            ("", false),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert("if-none-match", HeaderValue::from_static(field));
            for etag in ["\"v1\"", "W/\"v1\""] {
                assert_eq!(is_held(&headers, etag), Some(expected), "{field}");
            }
        }
        assert_eq!(is_held(&HeaderMap::new(), "\"v1\""), None);
    }

    #[test]
    fn one_range_is_cut_out_and_anything_else_is_answered_whole_or_refused() {
        use Outcome::{Part, Unsatisfiable, Whole};
        let cases = [
            ("bytes=0-0", Part(0..1)),
            ("bytes=2-4", Part(2..5)),
            ("bytes=2-", Part(2..10)),
            ("bytes=-3", Part(7..10)),
            ("bytes=-30", Part(0..10)),
            ("bytes=5-99999999999999999999999", Part(5..10)),
            ("Bytes = 1-2", Part(1..3)),
            ("bytes=10-", Unsatisfiable),
            ("bytes=99999999999999999999999-", Unsatisfiable),
            ("bytes=-0", Unsatisfiable),
            ("bytes=4-2", Whole),
            ("bytes=0-1,3-4", Whole),
            ("bytes=", Whole),
            ("bytes=-", Whole),
            ("bytes=a-b", Whole),
            ("bytes=+1-2", Whole),
            ("lines=1-2", Whole),
            ("nonsense", Whole),
        ];
        for (range, expected) in cases {
            assert_eq!(
                outcome_of(&Method::GET, 10, &[("range", range)]),
                expected,
                "{range}"
            );
        }
        assert_eq!(
            outcome_of(&Method::HEAD, 10, &[("range", "bytes=0-1")]),
            Whole
        );
        assert_eq!(outcome_of(&Method::GET, 0, &[("range", "bytes=0-")]), Whole);
    }

    #[test]
    fn a_range_of_another_version_or_with_a_weak_validator_is_answered_whole() {
        let cases = [
            ("\"v1\"", Outcome::Part(0..2)),
            ("\"v0\"", Outcome::Whole),
            ("W/\"v1\"", Outcome::Whole),
            (MODIFIED, Outcome::Whole),
        ];
        for (validator, expected) in cases {
            let fields = [("range", "bytes=0-1"), ("if-range", validator)];
            assert_eq!(
                outcome_of(&Method::GET, 10, &fields),
                expected,
                "{validator}"
            );
        }
    }
}
