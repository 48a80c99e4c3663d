//! Changing one's password: what goes on, what ends, what is refused.

use serde_json::json;

use crate::support::{Client, MINUTE, TestApp, email, password};

const ROUTE: &str = "/api/auth/password";
const NEW: &str = "entirely another password";

fn form(name: &str) -> serde_json::Value {
    json!({ "current_password": password(name), "new_password": NEW })
}

async fn log_in(client: &Client, password: &str) -> u16 {
    let form = json!({ "login": "ada", "password": password });
    client.post("/api/auth/login", form).await.status
}

#[tokio::test]
async fn tokens_are_replaced_and_every_other_session_ends() {
    let (app, anon) = TestApp::new().await;
    let mut ada = app.user("ada").await;
    let mut other = anon.clone();
    let login = json!({ "login": "ada", "password": password("ada") });
    other.keep(&anon.post("/api/auth/login", login).await);
    let mut old = ada.clone();
    app.clock.advance(MINUTE);

    let answer = ada.post(ROUTE, form("ada")).await;
    insta::assert_snapshot!(answer.shown(), @r#"
    200
    cache-control: no-store
    content-type: application/json
    referrer-policy: strict-origin-when-cross-origin
    x-content-type-options: nosniff
    {
      "access_token": "[access_token]",
      "expires_in": 900,
      "refresh_expires_in": 2592000,
      "refresh_token": "[refresh_token]",
      "token_type": "Bearer",
      "user": {
        "created_at": "2026-01-31T12:00:00.000000Z",
        "email": "ada@example.org",
        "email_verified": false,
        "id": "[id]",
        "name": null,
        "roles": [],
        "updated_at": "2026-01-31T12:01:00.000000Z",
        "username": "ada"
      }
    }
    "#);
    for ended in [&mut old, &mut other] {
        ended
            .get("/api/auth/me")
            .await
            .expect_problem(401, "revoked_token");
        ended.refresh().await.expect_problem(401, "revoked_token");
    }
    ada.keep(&answer);
    ada.get("/api/auth/me").await.expect_status(200);
    ada.refresh().await.expect_status(200);
    assert_eq!(log_in(&anon, &password("ada")).await, 401);
    assert_eq!(log_in(&anon, NEW).await, 200);
}

#[tokio::test]
async fn a_browser_gets_a_new_cookie() {
    let (app, anon) = TestApp::new().await;
    let browser = app.browser("ada").await;
    let old = browser.cookie().expect("a cookie");
    let answer = browser.post(ROUTE, form("ada")).await.expect_status(200);
    assert_eq!(answer.json()["expires_in"], 2_592_000);
    assert!(answer.json().get("access_token").is_none());
    assert_ne!(browser.cookie(), Some(old.clone()));
    browser.get("/api/auth/me").await.expect_status(200);
    anon.get("/api/auth/me")
        .header("cookie", old)
        .await
        .expect_problem(401, "revoked_token");
}

#[tokio::test]
async fn a_wrong_current_password_is_a_failed_login_and_changes_nothing() {
    let (app, anon) = TestApp::with(&[("limits.login_per_account", "3/15m")]).await;
    let ada = app.user("ada").await;
    let wrong = json!({ "current_password": "wrong", "new_password": NEW });
    let failed_login = json!({ "login": email("ada"), "password": "wrong" });
    let failed_login = anon.post("/api/auth/login", failed_login).await;
    for _ in 0..2 {
        let refused = ada.post(ROUTE, wrong.clone()).await;
        assert_eq!(
            refused.without_request_id(),
            failed_login.without_request_id()
        );
    }
    ada.post(ROUTE, form("ada"))
        .await
        .expect_problem(429, "rate_limited");
    assert_eq!(log_in(&anon, &password("ada")).await, 429);
    let elsewhere = anon.at("198.51.100.7");
    assert_eq!(log_in(&elsewhere, &password("ada")).await, 200);
    ada.get("/api/auth/me").await.expect_status(200);
}

#[tokio::test]
async fn what_is_missing_or_against_the_rules_is_named() {
    let (app, _anon) = TestApp::new().await;
    let ada = app.user("ada").await;
    let current = password("ada");
    for (body, expected) in [
        (
            json!({}),
            &["current_password required", "new_password required"][..],
        ),
        (
            json!({ "current_password": 7, "new_password": NEW, "user": "eve" }),
            &["current_password wrong_type", "user unknown_field"],
        ),
        (
            json!({ "current_password": current, "new_password": "short" }),
            &["new_password too_short"],
        ),
        (
            json!({ "current_password": current, "new_password": "password1" }),
            &["new_password common_password"],
        ),
        (
            json!({ "current_password": current, "new_password": "ADA@example.org" }),
            &["new_password password_is_name"],
        ),
    ] {
        let answer = ada.post(ROUTE, body).await;
        assert_eq!(answer.expect_status(422).broken_fields(), expected);
    }
    ada.get("/api/auth/me").await.expect_status(200);
}

#[tokio::test]
async fn it_needs_a_session_and_our_own_page() {
    let (app, anon) = TestApp::new().await;
    let browser = app.browser("ada").await;
    anon.post(ROUTE, form("ada"))
        .await
        .expect_problem(401, "missing_token");
    browser
        .post(ROUTE, form("ada"))
        .header("sec-fetch-site", "cross-site")
        .header("origin", "https://evil.example")
        .await
        .expect_problem(403, "cross_origin_refused");
    let body = form("ada").to_string();
    browser
        .call("POST", ROUTE)
        .header("content-type", "text/plain")
        .body(body)
        .await
        .expect_problem(415, "unsupported_media_type");
    assert_eq!(log_in(&anon, &password("ada")).await, 200);
}
