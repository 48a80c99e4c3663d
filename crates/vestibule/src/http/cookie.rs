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

/// The value of the session cookie, if the request has one.
pub(super) fn read(app: &App, headers: &HeaderMap) -> Option<String> {
    // Other cookies of the host are not ours and may hold any bytes.
    let lines = headers.get_all(header::COOKIE).iter();
    let lines: Vec<_> = lines
        .map(|line| String::from_utf8_lossy(line.as_bytes()))
        .collect();
    let cookies = lines
        .iter()
        .flat_map(|line| Cookie::split_parse(line.as_ref()));
    let ours = cookies
        .filter_map(Result::ok)
        .find(|cookie| cookie.name() == name(app))?;
    Some(ours.value().to_owned()).filter(|value| !value.is_empty())
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
    let cookies = line.as_bytes().split(|byte| *byte == b';');
    let kept: Vec<&[u8]> = cookies
        .map(<[u8]>::trim_ascii)
        .filter(|cookie| !cookie.is_empty() && !is_ours(cookie))
        .collect();
    let kept = HeaderValue::from_bytes(&kept.join(&b"; "[..])).ok()?;
    (!kept.is_empty()).then_some(kept)
}

/// Whether `NAME=VALUE`, with whatever attributes behind it, is the session cookie by its name.
pub(super) fn is_ours(cookie: &[u8]) -> bool {
    let name = cookie.split(|byte| matches!(byte, b'=' | b';')).next();
    let name = name.unwrap_or_default().trim_ascii();
    [SECURE_NAME, PLAIN_NAME].map(str::as_bytes).contains(&name)
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
    }
}
