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
