//! What a client would like best, as the `Accept-…` fields say it: a list of names with weights (RFC 9110, section
//! 12.4.2). What the names mean is left to whoever asks.

use axum::http::{HeaderMap, HeaderName};

/// The names of the field in lower case, each with its weight in thousandths, in the order in which they were sent.
/// What is malformed is left out.
pub(crate) fn wishes(headers: &HeaderMap, field: HeaderName) -> Vec<(String, u16)> {
    headers
        .get_all(field)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .filter_map(wish)
        .collect()
}

/// One element of the field. `None` for what is malformed.
fn wish(element: &str) -> Option<(String, u16)> {
    let mut parts = element.split(';').map(str::trim);
    let name = parts
        .next()
        .filter(|name| !name.is_empty())?
        .to_ascii_lowercase();
    let mut weight = 1000;
    for parameter in parts {
        let (key, value) = parameter.split_once('=')?;
        if key.trim().eq_ignore_ascii_case("q") {
            weight = thousandths(value.trim())?;
        }
    }
    Some((name, weight))
}

/// A weight as RFC 9110, section 12.4.2, writes it: 0 to 1 with at most three digits behind the point.
fn thousandths(weight: &str) -> Option<u16> {
    let (whole, fraction) = weight.split_once('.').unwrap_or((weight, ""));
    if fraction.len() > 3 || !fraction.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let fraction: u16 = format!("{fraction:0<3}").parse().ok()?;
    match (whole, fraction) {
        ("0", fraction) => Some(fraction),
        ("1", 0) => Some(1000),
        _ => None,
    }
}
