//! Requests that nobody means well with: whatever comes, the server answers, and never with a failure of its own.

use std::collections::BTreeSet;

use axum::http::{HeaderName, HeaderValue, Method, Uri};
use proptest::{
    collection::vec,
    option,
    prelude::*,
    sample::select,
    test_runner::{Config, TestRunner},
};

use crate::{
    access::routes::ROUTES,
    support::{Client, TestApp},
};

const CASES: u32 = 600;

#[derive(Clone, Debug)]
struct Hostile {
    method: String,
    path: String,
    headers: Vec<(String, Vec<u8>)>,
    body: Vec<u8>,
    /// Which real credential comes along.
    credential: Option<bool>,
}

fn method() -> impl Strategy<Value = String> {
    let known = [
        "HEAD", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND", "get",
    ];
    prop_oneof![
        6 => Just("GET".to_owned()),
        6 => Just("POST".to_owned()),
        3 => select(known.to_vec()).prop_map(str::to_owned),
        1 => "[A-Z!#$%&'*+.^_`|~-]{1,12}",
    ]
}

fn path() -> impl Strategy<Value = String> {
    let ours: BTreeSet<_> = ROUTES
        .iter()
        .map(|row| row.path.replace(['{', '}', '*'], ""))
        .collect();
    let others = [
        "/",
        "/api/todos?limit=9&offset=1&sort=title",
        "/api/admin/users?limit=9&cursor=AQ",
        "/api/admin/audit?since=%00",
        "/api/ui/app.js",
        "/api/ui/",
        "/members/",
        "/members",
        "/members/handbook.html",
        "/images/moon.png",
        "/404.html",
        "*",
    ];
    let others = others.map(str::to_owned);
    let routes: Vec<_> = ours.into_iter().chain(others).collect();
    let pieces = [
        "/",
        "//",
        ".",
        "..",
        "%",
        "%2f",
        "%2e",
        "%00",
        "%0a",
        "%5c",
        "\\",
        "%25",
        "%ff",
        "%c0%af",
        "%F0%9F%92%A9",
        ";a=b",
        "?",
        "?a=b",
        "&next=//evil.example",
        "'",
        "\"",
        "~",
        "members",
        "api",
        "auth",
        "index.html",
        ".git",
        ".env",
        "secret.key",
        "vestibule.db",
        "C:",
        "::$DATA",
        "|",
        "{}",
        "*",
    ];
    let route = select(routes);
    let pieced = vec(select(pieces.to_vec()), 1..8).prop_map(|pieces| pieces.concat());
    let rest = prop_oneof![3 => Just(String::new()), 3 => pieced, 1 => "[!-~]{1,12}"];
    (route, rest).prop_map(|(route, rest)| format!("{route}{rest}"))
}

fn header() -> impl Strategy<Value = (String, Vec<u8>)> {
    let names = [
        "accept",
        "accept-encoding",
        "authorization",
        "content-encoding",
        "content-length",
        "content-type",
        "cookie",
        "expect",
        "forwarded",
        "host",
        "if-match",
        "if-modified-since",
        "if-none-match",
        "if-range",
        "if-unmodified-since",
        "origin",
        "range",
        "referer",
        "sec-fetch-mode",
        "sec-fetch-site",
        "te",
        "transfer-encoding",
        "upgrade",
        "user-agent",
        "x-forwarded-for",
        "x-http-method-override",
        "x-original-url",
        "x-request-id",
        "x-requested-with",
    ];
    let values = [
        "",
        "*",
        "application/json",
        "application/json; charset=utf-8",
        "text/html",
        "navigate",
        "same-origin",
        "null",
        "http://localhost:8080",
        "bytes=0-",
        "bytes=-1",
        "bytes=5-2,,0-0",
        "bytes=0-0,99999999999999999999-",
        "gzip, br;q=0",
        "Bearer ",
        "Bearer a.b.c",
        "Bearer eyJhbGciOiJub25lIn0.e30.",
        "Basic Og==",
        "vestibule=",
        "vestibule=a.b.c",
        "Thu, 01 Jan 1970 00:00:00 GMT",
        "Fri, 31 Dec 9999 23:59:59 GMT",
        "\"a\", W/\"b\"",
        "192.0.2.1, ::1",
        "chunked",
        "-1",
        "99999999999999999999",
        "100-continue",
    ];
    let value = prop_oneof![
        8 => select(values.to_vec()).prop_map(|value| value.as_bytes().to_vec()),
        1 => vec(any::<u8>(), 0..60),
        1 => (1..4000_usize).prop_map(|length| b"a".repeat(length)),
    ];
    (select(names.to_vec()).prop_map(str::to_owned), value)
}

fn body() -> impl Strategy<Value = Vec<u8>> {
    let scalars = [
        "null",
        "true",
        "1e999",
        "-0",
        "\"\"",
        "\"ada\"",
        "\"\\u0000\"",
        "\"\\ud800\"",
        "[]",
        "{}",
        "123456789012345678901234567890",
        "\"ada@example.org\"",
        "\"ada likes long passwords\"",
        "\"cookie\"",
        "[[[[]]]]",
    ];
    let keys = [
        "login",
        "email",
        "username",
        "name",
        "password",
        "mode",
        "refresh_token",
        "role",
        "",
        "__proto__",
    ];
    let object = vec((select(keys.to_vec()), select(scalars.to_vec())), 0..6).prop_map(|fields| {
        let fields: Vec<_> = fields
            .iter()
            .map(|(key, value)| format!("\"{key}\":{value}"))
            .collect();
        format!("{{{}}}", fields.join(",")).into_bytes()
    });
    prop_oneof![
        8 => object,
        4 => Just(Vec::new()),
        1 => vec(any::<u8>(), 1..200),
        1 => select(vec![1, 31, 40, 50_000, 70_000]).prop_map(|depth| b"[".repeat(depth)),
    ]
}

fn hostile() -> impl Strategy<Value = Hostile> {
    (
        method(),
        path(),
        vec(header(), 0..6),
        body(),
        option::of(any::<bool>()),
    )
        .prop_map(|(method, path, headers, body, credential)| Hostile {
            method,
            path,
            headers,
            body,
            credential,
        })
}

/// Sends what can be said in HTTP at all; the test client holds the answer against what every answer must be.
async fn status(clients: [&Client; 3], request: &Hostile) -> Option<u16> {
    let Hostile {
        method,
        path,
        headers,
        body,
        credential,
    } = request;
    if path.parse::<Uri>().is_err() || Method::from_bytes(method.as_bytes()).is_err() {
        return None;
    }
    let client = match credential {
        None => clients[0],
        Some(false) => clients[1],
        Some(true) => clients[2],
    };
    let mut call = client.call(method, path).body(body.clone());
    if !body.is_empty() {
        call = call.header("content-type", "application/json");
    }
    for (name, value) in headers {
        if HeaderName::from_bytes(name.as_bytes()).is_ok() && HeaderValue::from_bytes(value).is_ok()
        {
            call = call.header(name, value);
        }
    }
    Some(call.await.status)
}

#[test]
fn no_request_makes_the_server_fail() {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let (_app, anon, ada, eve) = runtime.block_on(async {
        let (app, anon) = TestApp::with_site(&[("trusted_proxies", "192.0.2.0/24")]).await;
        let (ada, eve) = (app.user("ada").await, app.browser("eve").await);
        (app, anon, ada, eve)
    });
    let config = Config {
        cases: CASES,
        failure_persistence: None,
        ..Config::default()
    };
    let outcome = TestRunner::new(config).run(&hostile(), |request| {
        let status = runtime.block_on(status([&anon, &ada, &eve], &request));
        prop_assert!(status.is_none_or(|status| status < 500), "{status:?}");
        Ok(())
    });
    outcome.unwrap_or_else(|failure| panic!("{failure}"));
}
