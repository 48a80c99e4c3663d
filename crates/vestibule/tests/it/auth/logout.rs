//! Logging out: by whatever proof there is, and without a word on whether there was a session.

use serde_json::{Value, json};

use crate::support::{Client, DAY, HOUR, TestApp, password};

/// Neither token of the session is good for anything.
async fn assert_ended(client: &mut Client) {
    client
        .get("/api/auth/me")
        .await
        .expect_problem(401, "revoked_token");
    client.refresh().await.expect_problem(401, "revoked_token");
}

/// A second session of ada, which what happens to the first must not touch.
async fn second_session(anon: &Client) -> Client {
    let mut second = anon.clone();
    let form = json!({ "login": "ada", "password": password("ada") });
    let answer = anon.post("/api/auth/login", form).await.expect_status(200);
    second.keep(&answer);
    second
}

#[tokio::test]
async fn an_access_token_ends_its_session_alone() {
    let (app, anon) = TestApp::new().await;
    let mut ada = app.user("ada").await;
    let second = second_session(&anon).await;
    let answer = ada
        .call("POST", "/api/auth/logout")
        .await
        .expect_status(204);
    assert!(answer.body.is_empty());
    assert_eq!(answer.header("set-cookie"), None);
    assert_ended(&mut ada).await;
    second.get("/api/auth/me").await.expect_status(200);
    ada.call("POST", "/api/auth/logout")
        .await
        .expect_status(204);
}

#[tokio::test]
async fn an_expired_access_token_still_ends_its_session() {
    let (app, _anon) = TestApp::new().await;
    let mut ada = app.user("ada").await;
    app.clock.advance(HOUR);
    ada.get("/api/auth/me")
        .await
        .expect_problem(401, "expired_token");
    ada.call("POST", "/api/auth/logout")
        .await
        .expect_status(204);
    ada.refresh().await.expect_problem(401, "revoked_token");
}

#[tokio::test]
async fn a_refresh_token_of_any_age_ends_its_session() {
    let (app, anon) = TestApp::new().await;
    let mut ada = app.user("ada").await;
    let first = ada.refresh_token.clone();
    ada.refresh().await.expect_status(200);
    app.clock.advance(DAY);
    anon.post("/api/auth/logout", json!({ "refresh_token": first }))
        .await
        .expect_status(204);
    ada.refresh().await.expect_problem(401, "revoked_token");
}

#[tokio::test]
async fn a_cookie_ends_its_session_and_is_removed() {
    let (app, anon) = TestApp::new().await;
    let browser = app.browser("ada").await;
    let cookie = browser.cookie().expect("a cookie");
    let answer = browser
        .call("POST", "/api/auth/logout")
        .await
        .expect_status(204);
    assert_eq!(
        answer.header("set-cookie"),
        Some("vestibule=; HttpOnly; SameSite=Lax; Path=/; Max-Age=0")
    );
    assert_eq!(browser.cookie(), None);
    anon.get("/api/auth/me")
        .header("cookie", cookie)
        .await
        .expect_problem(401, "revoked_token");
}

#[tokio::test]
async fn a_cookie_is_not_removed_while_its_session_goes_on() {
    let (app, _anon) = TestApp::new().await;
    let browser = app.browser("ada").await;
    let mut eve = app.user("eve").await;
    browser
        .call("POST", "/api/auth/logout")
        .bearer(&eve.access_token)
        .await
        .expect_status(204);
    assert_ended(&mut eve).await;
    browser.get("/api/auth/me").await.expect_status(200);

    let mut eve = second_session_of(&eve, "eve").await;
    browser
        .post(
            "/api/auth/logout",
            json!({ "refresh_token": eve.refresh_token }),
        )
        .await
        .expect_status(204);
    assert_ended(&mut eve).await;
    browser.get("/api/auth/me").await.expect_status(200);
}

async fn second_session_of(client: &Client, name: &str) -> Client {
    let mut second = client.clone();
    let form = json!({ "login": name, "password": password(name) });
    let answer = client
        .post("/api/auth/login", form)
        .without("authorization")
        .await
        .expect_status(200);
    second.keep(&answer);
    second
}

#[tokio::test]
async fn nobody_is_told_whether_there_was_a_session() {
    let (app, anon) = TestApp::new().await;
    let ada = app.user("ada").await;
    let logout = || anon.call("POST", "/api/auth/logout");
    let nothing = logout().await.expect_status(204);
    for call in [
        logout().json(&json!({})),
        logout().json(&json!({ "refresh_token": null })),
        logout().json(&json!({ "refresh_token": "unknown" })),
        logout().json(&json!({ "refresh_token": ada.access_token })),
        logout().bearer("unknown"),
        logout().bearer(&ada.refresh_token),
        logout().header("authorization", "Basic YWRhOmFkYQ=="),
    ] {
        let answer = call.await;
        assert_eq!(answer.without_request_id(), nothing.without_request_id());
    }
    ada.get("/api/auth/me").await.expect_status(200);
}

#[tokio::test]
async fn an_unknown_cookie_is_removed() {
    let (app, _anon) = TestApp::new().await;
    let browser = app.stranger_in_browser();
    browser.set_cookie(Some("vestibule=unknown".to_owned()));
    browser
        .call("POST", "/api/auth/logout")
        .await
        .expect_status(204);
    assert_eq!(browser.cookie(), None);
}

#[tokio::test]
async fn a_body_that_cannot_be_read_ends_nothing() {
    let (app, _anon) = TestApp::new().await;
    let ada = app.user("ada").await;
    let logout = |kind: &str, body: &str| {
        ada.call("POST", "/api/auth/logout")
            .header("content-type", kind)
            .body(body)
    };
    let json = "application/json";
    logout(json, "{")
        .await
        .expect_problem(400, "malformed_request");
    logout(json, "[]")
        .await
        .expect_problem(400, "malformed_request");
    let token = Value::from(ada.refresh_token.clone());
    let body = json!({ "refresh_token": token }).to_string();
    for kind in ["text/plain", "application/x-www-form-urlencoded", ""] {
        logout(kind, &body)
            .await
            .expect_problem(415, "unsupported_media_type");
    }
    let answer = logout(json, r#"{"refresh_token": 7}"#).await;
    assert_eq!(
        answer.expect_status(422).broken_fields(),
        ["refresh_token wrong_type"]
    );
    let answer = logout(json, r#"{"all": true}"#).await;
    assert_eq!(
        answer.expect_status(422).broken_fields(),
        ["all unknown_field"]
    );
    ada.get("/api/auth/me").await.expect_status(200);
}
