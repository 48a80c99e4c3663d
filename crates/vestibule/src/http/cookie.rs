//! The session cookie: its name, its attributes, how it is read and set (RFC 6265bis).

use std::time::Duration;

use axum::http::{HeaderMap, HeaderValue, header};
use cookie::{Cookie, SameSite};

use crate::app::App;

/// The name under https. Browsers keep the prefix to cookies that are `Secure`, without
/// `Domain`, and for the whole host, so that no other host can set one.
const SECURE_NAME: &str = "__Host-vestibule";
/// The name on plain http, where the prefix would be refused.
const PLAIN_NAME: &str = "vestibule";

/// The value of the session cookie, if the request has one. Only who sends its exact name sends ours: browsers hold the
/// prefix to its rules by that alone, so a name with as much as an exotic blank before it is anybody's.
pub(super) fn read(app: &App, headers: &HeaderMap) -> Option<String> {
    let lines = headers.get_all(header::COOKIE).iter();
    value_of(name(app), lines.map(HeaderValue::as_bytes))
}

/// The header that keeps `value` for as long as the session can last.
pub(super) fn set(app: &App, value: String, lasts: Duration) -> HeaderValue {
    header_of(
        app,
        value,
        lasts.try_into().unwrap_or(cookie::time::Duration::MAX),
    )
}

/// The header that removes the cookie.
pub(super) fn remove(app: &App) -> HeaderValue {
    header_of(app, String::new(), cookie::time::Duration::ZERO)
}

/// A line of cookies without ours, of either name; none where nothing is left. Whoever reads it next may cut it up by
/// other rules than a browser, so it is cut at each semicolon.
pub(super) fn without_ours(line: &HeaderValue) -> Option<HeaderValue> {
    let kept: Vec<&[u8]> = pairs(line.as_bytes())
        .filter(|pair| !pair.is_empty() && !is_ours(pair))
        .collect();
    let kept = HeaderValue::from_bytes(&kept.join(&b"; "[..])).ok()?;
    (!kept.is_empty()).then_some(kept)
}

/// Whether somebody could take `NAME=VALUE`, with whatever attributes behind it, for the session cookie. That is more than
/// we ourselves do, since who reads it may trim what is no letter of a name, and a browser keeps `=NAME=VALUE` as a
/// cookie without a name and sends `NAME=VALUE`.
pub(super) fn is_ours(cookie: &[u8]) -> bool {
    let pair = pairs(cookie).next().unwrap_or_default();
    let pair = trim(pair, |byte| byte.is_ascii_graphic() && *byte != b'=');
    let name = trim(name_and_value(pair).0, u8::is_ascii_graphic);
    [SECURE_NAME, PLAIN_NAME].map(str::as_bytes).contains(&name)
}

/// The value of the first cookie of that name, unless it is empty. Other cookies of the host may hold any bytes.
fn value_of<'h>(name: &str, lines: impl Iterator<Item = &'h [u8]>) -> Option<String> {
    let (_, value) = lines
        .flat_map(pairs)
        .map(name_and_value)
        .find(|(named, _)| *named == name.as_bytes())?;
    // What is no text is nobody's token. The way of `from_utf8_lossy` takes several times as long for what is.
    let value = match str::from_utf8(value) {
        Ok(value) => value.to_owned(),
        Err(_) => String::from_utf8_lossy(value).into_owned(),
    };
    Some(value).filter(|value| !value.is_empty())
}

/// What stands between semicolons (RFC 6265, section 5.2), as bytes.
fn pairs(line: &[u8]) -> impl Iterator<Item = &[u8]> {
    line.split(|byte| *byte == b';')
        .map(|pair| trim(pair, is_no_blank))
}

/// Without an equals sign there is no value.
fn name_and_value(pair: &[u8]) -> (&[u8], &[u8]) {
    let end = pair.iter().position(|byte| *byte == b'=');
    let (name, value) = pair.split_at(end.unwrap_or(pair.len()));
    let value = value.get(1..).unwrap_or_default();
    (trim(name, is_no_blank), trim(value, is_no_blank))
}

/// The blanks that browsers take off are two, and not those of Unicode.
fn is_no_blank(byte: &u8) -> bool {
    !matches!(byte, b' ' | b'\t')
}

/// From the first byte to the last of those that stay.
fn trim(bytes: &[u8], stays: impl Fn(&u8) -> bool) -> &[u8] {
    let start = bytes.iter().position(&stays).unwrap_or(bytes.len());
    let end = bytes
        .iter()
        .rposition(&stays)
        .map_or(start, |last| last + 1);
    &bytes[start..end]
}

fn header_of(app: &App, value: String, max_age: cookie::time::Duration) -> HeaderValue {
    let cookie = Cookie::build((name(app), value))
        .http_only(true)
        .secure(app.is_https())
        .same_site(SameSite::Lax)
        .path("/")
        .max_age(max_age)
        .build();
    HeaderValue::try_from(cookie.to_string())
        .expect("a JWT and fixed attributes are a header value")
}

fn name(app: &App) -> &'static str {
    if app.is_https() {
        SECURE_NAME
    } else {
        PLAIN_NAME
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn our_cookie_is_taken_out_of_a_line_and_others_stay() {
        let without = |line| {
            let left = without_ours(&HeaderValue::from_static(line));
            left.map(|left| left.to_str().unwrap().to_owned())
        };
        for (line, left) in [
            ("a=1; vestibule=x; b=2", Some("a=1; b=2")),
            ("__Host-vestibule=x;a=1", Some("a=1")),
            ("a=\"; vestibule=x; \"", Some("a=\"; \"")),
            ("vestibule = x ; Vestibule=y", Some("Vestibule=y")),
            ("vestibule_theme=dark", Some("vestibule_theme=dark")),
            ("vestibule=x; vestibule=y", None),
            ("vestibule", None),
        ] {
            assert_eq!(without(line).as_deref(), left, "{line}");
        }
    }

    #[test]
    fn a_cookie_that_is_set_is_known_as_ours_by_its_name() {
        assert!(is_ours(b"vestibule=x; Path=/"));
        assert!(is_ours(b" __Host-vestibule =x"));
        assert!(is_ours(b"vestibule; Max-Age=0"));
        assert!(!is_ours(b"theme=vestibule"));
        assert!(!is_ours(b"theme=; vestibule=x"));
    }

    /// What is in front of a name, or behind it, for one reader and not for another.
    const BLANKS: [&str; 6] = [
        "\u{2000}", "\u{feff}", "\u{a0}", "\u{85}", "\u{c}", "\u{1f} ",
    ];

    #[test]
    fn a_name_that_another_reader_may_trim_is_not_read_as_ours_and_not_passed_on() {
        for (blank, name) in BLANKS.iter().zip([SECURE_NAME, PLAIN_NAME].iter().cycle()) {
            for line in [format!("{blank}{name}=x"), format!("{name}{blank}=x")] {
                let line = line.as_bytes();
                assert_eq!(value_of(name, [line].into_iter()), None, "{line:x?}");
                assert!(is_ours(line), "{line:x?}");
            }
        }
        let latin = b"\xa0vestibule\x85=x";
        assert_eq!(value_of(PLAIN_NAME, [&latin[..]].into_iter()), None);
        assert!(is_ours(latin));
    }

    #[test]
    fn a_cookie_without_a_name_that_comes_back_as_ours_is_ours() {
        for set in [
            "=vestibule=x",
            " = __Host-vestibule=x; Path=/",
            "==vestibule",
        ] {
            assert!(is_ours(set.as_bytes()), "{set}");
        }
        assert!(!is_ours(b"=a=vestibule"));
    }

    #[test]
    fn the_first_cookie_of_the_exact_name_counts_among_any_others() {
        let read = |lines: &[&'static [u8]]| value_of(PLAIN_NAME, lines.iter().copied());
        assert_eq!(read(&[b"a=\xff; vestibule=x=y; b"]).as_deref(), Some("x=y"));
        assert_eq!(read(&[b"a=1", b"\tvestibule = x "]).as_deref(), Some("x"));
        assert_eq!(
            read(&[b"vestibule=x", b"vestibule=y"]).as_deref(),
            Some("x")
        );
        for none in ["vestibule=", "vestibule", "Vestibule=x", "=vestibule=x", ""] {
            assert_eq!(read(&[none.as_bytes()]), None, "{none}");
        }
    }
}
