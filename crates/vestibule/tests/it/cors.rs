//! Pages of other origins that may call the API: which, how, and what the rest see.

use insta::assert_snapshot;
use serde_json::json;

use crate::support::{Call, Client, TestApp, password, registration};

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
    200
    access-control-allow-credentials: true
    access-control-allow-headers: authorization,content-type,if-match,if-none-match
    access-control-allow-methods: GET,POST,PUT,PATCH,DELETE
    access-control-allow-origin: https://app.example.com
    access-control-max-age: 600
    allow: POST
    cache-control: no-store
    referrer-policy: strict-origin-when-cross-origin
    vary: origin
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

#[tokio::test]
async fn another_origin_is_told_nothing() {
    let (app, anon) = with_allowed_origin().await;
    let ada = app.user("ada").await;
    for origin in [
        FOREIGN,
        "null",
        "http://app.example.com",
        "https://app.example.com:8443",
        "https://app.example.com.evil.example",
        "https://APP.example.com",
    ] {
        for answer in [
            preflight(&anon, origin).await,
            ada.get("/api/auth/me").header("origin", origin).await,
        ] {
            assert_eq!(
                answer.header("access-control-allow-origin"),
                None,
                "{origin}"
            );
        }
    }
}

#[tokio::test]
async fn without_listed_origins_nothing_is_said_about_them() {
    let (_app, anon) = TestApp::new().await;
    preflight(&anon, ALLOWED)
        .await
        .expect_problem(405, "method_not_allowed");
    let answer = anon.get("/api/auth/me").header("origin", ALLOWED).await;
    assert_eq!(answer.header("access-control-allow-origin"), None);
    assert_eq!(answer.header("access-control-allow-credentials"), None);
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
