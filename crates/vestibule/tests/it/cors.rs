//! Pages of other origins that may call the API: which, how, and what the rest see.

use axum::http::HeaderName;
use insta::assert_snapshot;
use serde_json::json;

use crate::support::{Answer, Call, Client, TestApp, password, registration};

const ALLOWED: &str = "https://app.example.com";
const FOREIGN: &str = "https://evil.example";

async fn with_allowed_origin() -> (TestApp, Client) {
    TestApp::with(&[("cors.origins", ALLOWED)]).await
}

fn preflight(anon: &Client, origin: &str) -> Call {
    anon.call("OPTIONS", "/api/auth/login")
        .header("origin", origin)
        .header("access-control-request-method", "POST")
        .header("access-control-request-headers", "content-type")
}

#[tokio::test]
async fn a_listed_origin_is_told_what_it_may_send() {
    let (_app, anon) = with_allowed_origin().await;
    let answer = preflight(&anon, ALLOWED).await;
    assert_snapshot!(answer.shown(), @r#"
    204
    access-control-allow-credentials: true
    access-control-allow-headers: Authorization, Content-Type, If-Match, If-None-Match
    access-control-allow-methods: GET, POST, PUT, PATCH, DELETE
    access-control-allow-origin: https://app.example.com
    access-control-expose-headers: Retry-After, Location, Link, ETag, Content-Disposition, X-Request-Id, RateLimit, RateLimit-Policy
    access-control-max-age: 600
    allow: POST
    cache-control: no-store
    referrer-policy: strict-origin-when-cross-origin
    vary: Origin
    x-content-type-options: nosniff
    "#);
}

#[tokio::test]
async fn a_listed_origin_may_read_the_answers() {
    let (app, anon) = with_allowed_origin().await;
    let ada = app.user("ada").await;
    for call in [
        ada.get("/api/auth/me"),
        anon.get("/api/auth/me"),
        anon.get("/api/unknown"),
        anon.post("/api/auth/register", registration("eve")),
    ] {
        let answer = call.header("origin", ALLOWED).await;
        for (name, value) in [
            ("access-control-allow-origin", ALLOWED),
            ("access-control-allow-credentials", "true"),
        ] {
            assert_eq!(answer.header(name), Some(value), "{}", answer.shown());
        }
        let vary = answer.header("vary").expect("what the answer depends on");
        assert!(vary.to_ascii_lowercase().contains("origin"), "{vary}");
    }
}

/// All that an answer says to a browser about other origins.
fn said_of_origins(answer: &Answer) -> Vec<&str> {
    let names = answer.headers.keys().map(HeaderName::as_str);
    names
        .filter(|name| name.starts_with("access-control-"))
        .collect()
}

#[tokio::test]
async fn another_origin_is_told_nothing() {
    let (app, anon) = with_allowed_origin().await;
    let ada = app.user("ada").await;
    for origin in [
        FOREIGN,
        "null",
        "",
        "*",
        "\u{e9}",
        "http://app.example.com",
        "https://app.example.com:8443",
        "https://app.example.com/",
        "https://app.example.com.evil.example",
        "https://evil-app.example.com",
        "https://APP.example.com",
        "https://app.example.com, https://evil.example",
    ] {
        let refused = preflight(&anon, origin).await;
        assert_eq!(refused.status, 405, "{origin}");
        let answer = ada.get("/api/auth/me").header("origin", origin).await;
        for answer in [refused, answer] {
            assert_eq!(said_of_origins(&answer), [""; 0], "{origin}");
            assert_eq!(answer.header("vary"), Some("Origin"), "{origin}");
        }
    }
    let answer = ada.get("/api/auth/me").await;
    assert_eq!(said_of_origins(&answer), [""; 0], "no origin at all");
}

#[tokio::test]
async fn an_options_request_that_is_no_preflight_is_refused_like_any_other_method() {
    let (_app, anon) = with_allowed_origin().await;
    let options = || anon.call("OPTIONS", "/api/auth/login");
    for call in [
        options(),
        options().header("access-control-request-method", "POST"),
        options().header("origin", ALLOWED),
    ] {
        let answer = call.await.expect_problem(405, "method_not_allowed");
        assert_eq!(answer.header("allow"), Some("POST"));
    }
}

#[tokio::test]
async fn without_listed_origins_nothing_is_said_about_them() {
    let (_app, anon) = TestApp::new().await;
    let refused = preflight(&anon, ALLOWED).await;
    let refused = refused.expect_problem(405, "method_not_allowed");
    let answer = anon.get("/api/auth/me").header("origin", ALLOWED).await;
    for answer in [refused, answer] {
        assert_eq!(said_of_origins(&answer), [""; 0]);
        assert_eq!(answer.header("vary"), None);
    }
}

#[tokio::test]
async fn a_page_of_another_site_gets_tokens_and_no_cookie() {
    let (app, anon) = with_allowed_origin().await;
    app.user("ada").await;
    for mode in ["token", "cookie"] {
        let form = json!({ "login": "ada", "password": password("ada"), "mode": mode });
        let answer = anon
            .post("/api/auth/login", form)
            .header("origin", ALLOWED)
            .header("sec-fetch-site", "cross-site")
            .await;
        assert_eq!(answer.header("set-cookie"), None);
        if mode == "token" {
            answer.expect_status(200);
        } else {
            answer.expect_problem(422, "cookie_not_possible");
        }
    }
    let form = json!({ "email": "eve@example.org", "password": password("eve"), "mode": "cookie" });
    anon.post("/api/auth/register", form.clone())
        .header("origin", ALLOWED)
        .await
        .expect_problem(422, "cookie_not_possible");
    anon.post("/api/auth/register", form)
        .header("origin", "http://localhost:8080")
        .await
        .expect_status(201);
}
