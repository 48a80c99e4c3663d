//! What of a message's head is for one connection alone and goes no further (RFC 9110, section 7.6.1), and which headers
//! of a client an app could read in a way that nobody judged.

use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, Version, header};
use http_body::Body;

/// Headers of one connection, whether or not `Connection` names them.
const OF_CONNECTION: [HeaderName; 9] = [
    header::CONNECTION,
    header::PROXY_AUTHENTICATE,
    header::PROXY_AUTHORIZATION,
    header::TE,
    header::TRANSFER_ENCODING,
    header::UPGRADE,
    HeaderName::from_static("keep-alive"),
    HeaderName::from_static("proxy-connection"),
    HeaderName::from_static("http2-settings"),
];

/// Headers of a request that are answered here (`Expect`), or belong to a part of it that is not passed on (`Trailer`).
const OF_REQUEST: [HeaderName; 2] = [header::EXPECT, header::TRAILER];

/// Whether a request opens a WebSocket (RFC 6455, section 4.1). No other change of protocol is passed on: with `h2c`, a
/// client could send requests past the gate.
pub(super) fn wants_websocket(request: &Parts) -> bool {
    request.method == Method::GET
        && request.version == Version::HTTP_11
        && is_websocket(&request.headers)
}

/// Whether a head names WebSocket as the protocol to change to, and nothing else.
pub(super) fn is_websocket(headers: &HeaderMap) -> bool {
    let mut protocols = headers.get_all(header::UPGRADE).iter();
    let named = protocols.next();
    named.is_some_and(|name| name.as_bytes().eq_ignore_ascii_case(b"websocket"))
        && protocols.next().is_none()
        && connection_options(headers).any(|option| option.eq_ignore_ascii_case(b"upgrade"))
}

/// Says of our own connection that it is to become, or has become, a WebSocket.
pub(super) fn name_websocket(headers: &mut HeaderMap) {
    headers.insert(header::CONNECTION, HeaderValue::from_static("upgrade"));
    headers.insert(header::UPGRADE, HeaderValue::from_static("websocket"));
}

/// Takes away what is for one connection alone.
pub(super) fn clean(headers: &mut HeaderMap) {
    let named: Vec<HeaderName> = connection_options(headers)
        .filter_map(|option| HeaderName::from_bytes(option).ok())
        .collect();
    for name in named.iter().chain(&OF_CONNECTION) {
        headers.remove(name);
    }
}

/// The same of a request. Of names, only letters, digits and hyphens are passed on, as nginx does: to an app that makes
/// variables of them, `Remote_User` and `Remote.User` are `Remote-User`, and some read `PATH_INFO` as the path.
pub(super) fn clean_request(headers: &mut HeaderMap) {
    let takes_trailers = headers.get_all(header::TE).iter().any(|value| {
        let codings = value.as_bytes().split(|byte| *byte == b',');
        codings
            .map(<[u8]>::trim_ascii)
            .any(|coding| coding.eq_ignore_ascii_case(b"trailers"))
    });
    clean(headers);
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
    let odd: Vec<HeaderName> = headers
        .keys()
        .filter(|name| !name.as_str().bytes().all(plain))
        .cloned()
        .collect();
    for name in odd.iter().chain(&OF_REQUEST) {
        headers.remove(name);
    }
    if takes_trailers {
        headers.insert(header::TE, HeaderValue::from_static("trailers"));
    }
}

/// Says that a body whose length nobody knows goes in chunks, as it came. Without this hyper takes it that a GET has
/// none, and the app would answer another request than the client's.
pub(super) fn name_chunks(headers: &mut HeaderMap, body: &impl Body) {
    let is_measured =
        body.size_hint().exact().is_some() || headers.contains_key(header::CONTENT_LENGTH);
    if !body.is_end_stream() && !is_measured {
        let chunked = HeaderValue::from_static("chunked");
        headers.insert(header::TRANSFER_ENCODING, chunked);
    }
}

fn connection_options(headers: &HeaderMap) -> impl Iterator<Item = &[u8]> {
    let lines = headers.get_all(header::CONNECTION).iter();
    lines
        .flat_map(|line| line.as_bytes().split(|byte| *byte == b','))
        .map(<[u8]>::trim_ascii)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(lines: &[(&str, &'static str)]) -> HeaderMap {
        let pair = |(name, value): &(&str, &'static str)| {
            let name = HeaderName::from_bytes(name.as_bytes()).unwrap();
            (name, HeaderValue::from_static(value))
        };
        lines.iter().map(pair).collect()
    }

    fn cleaned(lines: &[(&str, &'static str)]) -> Vec<String> {
        let mut headers = headers(lines);
        clean_request(&mut headers);
        let left = headers.iter();
        left.map(|(name, value)| format!("{name}: {}", value.to_str().unwrap()))
            .collect()
    }

    #[test]
    fn what_is_for_one_connection_goes_no_further() {
        assert_eq!(
            cleaned(&[
                ("Connection", "close, X-Secret"),
                ("connection", "Keep-Alive,,x-other"),
                ("X-Secret", "1"),
                ("X-Other", "2"),
                ("Keep-Alive", "timeout=5"),
                ("Proxy-Connection", "keep-alive"),
                ("Proxy-Authorization", "Basic eA=="),
                ("Transfer-Encoding", "chunked"),
                ("TE", "gzip"),
                ("Trailer", "Remote-User"),
                ("Upgrade", "h2c"),
                ("HTTP2-Settings", "AAMAAABkAAQAAP__"),
                ("Expect", "100-continue"),
                ("Accept", "*/*"),
            ]),
            ["accept: */*"]
        );
        assert_eq!(cleaned(&[("TE", "gzip, Trailers")]), ["te: trailers"]);
    }

    #[test]
    fn names_that_an_app_could_take_for_others_go_no_further() {
        assert_eq!(
            cleaned(&[
                ("PATH_INFO", "/members"),
                ("Remote.User", "root"),
                ("X~Y", "1"),
                ("X-Y1", "2"),
            ]),
            ["x-y1: 2"]
        );
    }

    #[test]
    fn a_websocket_is_named_by_both_headers_and_alone() {
        let opens = |lines: &[(&str, &'static str)]| is_websocket(&headers(lines));
        assert!(opens(&[
            ("Connection", "keep-alive, Upgrade"),
            ("Upgrade", "WebSocket")
        ]));
        assert!(!opens(&[("Upgrade", "websocket")]));
        assert!(!opens(&[("Connection", "upgrade"), ("Upgrade", "h2c")]));
        assert!(!opens(&[
            ("Connection", "upgrade"),
            ("Upgrade", "websocket, h2c")
        ]));
        assert!(!opens(&[
            ("Connection", "upgrade"),
            ("Upgrade", "websocket"),
            ("Upgrade", "h2c")
        ]));
    }
}
