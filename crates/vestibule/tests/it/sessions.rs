//! The list of one's sessions, and ending them.

use serde_json::{Value, json};

use crate::support::{Client, DAY, MINUTE, TestApp, password};

const SESSIONS: &str = "/api/auth/sessions";

async fn log_in(anon: &Client, name: &str, device: &str) -> Client {
    let mut client = anon.clone();
    let form = json!({ "login": name, "password": password(name) });
    let answer = anon.post("/api/auth/login", form);
    let answer = answer.header("user-agent", device).await.expect_status(200);
    client.keep(&answer);
    client
}

async fn list(client: &Client) -> Vec<Value> {
    let answer = client.get(SESSIONS).await.expect_status(200);
    answer.json()["items"].as_array().expect("a list").clone()
}

async fn own_id(client: &Client) -> String {
    let all = list(client).await;
    let own = all.iter().find(|session| session["current"] == true);
    own.expect("one is the current one")["id"]
        .as_str()
        .expect("an id")
        .to_owned()
}

#[tokio::test]
async fn a_session_is_shown_with_its_device_its_address_and_its_times() {
    let (app, anon) = TestApp::new().await;
    let ada = app.user("ada").await;
    app.clock.advance(MINUTE);
    log_in(&anon.at("198.51.100.7"), "ada", "a telephone").await;
    let answer = ada.get(SESSIONS).await;
    insta::assert_snapshot!(answer.shown(), @r#"
    200
    cache-control: no-store
    content-type: application/json
    referrer-policy: strict-origin-when-cross-origin
    x-content-type-options: nosniff
    {
      "items": [
        {
          "address": "198.51.100.7",
          "created_at": "2026-01-31T12:01:00.000000Z",
          "current": false,
          "device": "a telephone",
          "expires_at": "2026-03-02T12:01:00.000000Z",
          "id": "[id]",
          "kind": "token",
          "last_used_at": "2026-01-31T12:01:00.000000Z"
        },
        {
          "address": "192.0.2.1",
          "created_at": "2026-01-31T12:00:00.000000Z",
          "current": true,
          "device": null,
          "expires_at": "2026-03-02T12:00:00.000000Z",
          "id": "[id]",
          "kind": "token",
          "last_used_at": "2026-01-31T12:00:00.000000Z"
        }
      ]
    }
    "#);
}

#[tokio::test]
async fn cookies_are_listed_too_and_those_of_others_are_not() {
    let (app, anon) = TestApp::new().await;
    let browser = app.browser("ada").await;
    app.user("eve").await;
    log_in(&anon, "ada", "a telephone").await;
    let sessions = list(&browser).await;
    let mut kinds: Vec<_> = sessions
        .iter()
        .map(|session| (session["kind"].as_str(), session["current"].as_bool()))
        .collect();
    kinds.sort_unstable();
    assert_eq!(
        kinds,
        [(Some("cookie"), Some(true)), (Some("token"), Some(false))]
    );
}

#[tokio::test]
async fn a_session_that_was_left_unused_is_not_listed() {
    let (app, anon) = TestApp::new().await;
    let unused = app.browser("ada").await;
    app.clock.advance(8 * DAY);
    let ada = log_in(&anon, "ada", "a telephone").await;
    assert_eq!(list(&ada).await.len(), 1);
    unused
        .get(SESSIONS)
        .await
        .expect_problem(401, "expired_token");
}

#[tokio::test]
async fn one_session_is_ended_and_the_others_go_on() {
    let (app, anon) = TestApp::new().await;
    let ada = app.user("ada").await;
    let browser = app.browser("eve").await;
    let mut lost = log_in(&anon, "ada", "a telephone").await;
    let path = format!("{SESSIONS}/{}", own_id(&lost).await);
    let answer = ada.call("DELETE", &path).await.expect_status(204);
    assert!(answer.body.is_empty());
    lost.get("/api/auth/me")
        .await
        .expect_problem(401, "revoked_token");
    lost.refresh().await.expect_problem(401, "revoked_token");
    ada.get("/api/auth/me").await.expect_status(200);
    browser.get("/api/auth/me").await.expect_status(200);

    let own = format!("{SESSIONS}/{}", own_id(&browser).await);
    browser.call("DELETE", &own).await.expect_status(204);
    browser
        .get("/api/auth/me")
        .await
        .expect_problem(401, "revoked_token");
}

#[tokio::test]
async fn a_session_of_another_is_the_same_as_none() {
    let (app, _anon) = TestApp::new().await;
    let ada = app.user("ada").await;
    let eve = app.user("eve").await;
    let id = own_id(&ada).await;
    let of_another = eve.call("DELETE", &format!("{SESSIONS}/{id}")).await;
    let of_another = of_another.expect_problem(404, "not_found");
    for missing in [
        "01890000-0000-7000-8000-000000000000".to_owned(),
        id.to_uppercase(),
        id.replace('-', ""),
        format!("%7B{id}%7D"),
        format!("urn:uuid:{id}"),
        format!("{id}%00"),
        "%ff".to_owned(),
        "%2e%2e".to_owned(),
        "x".repeat(5_000),
    ] {
        let answer = eve.call("DELETE", &format!("{SESSIONS}/{missing}")).await;
        assert_eq!(
            answer.without_request_id(),
            of_another.without_request_id(),
            "{missing}"
        );
    }
    ada.get("/api/auth/me").await.expect_status(200);
}

#[tokio::test]
async fn all_others_are_ended_at_once() {
    let (app, anon) = TestApp::new().await;
    let browser = app.browser("ada").await;
    let eve = app.user("eve").await;
    let telephone = log_in(&anon, "ada", "a telephone").await;
    let tablet = log_in(&anon, "ada", "a tablet").await;
    for _ in 0..2 {
        browser.call("DELETE", SESSIONS).await.expect_status(204);
    }
    for ended in [telephone, tablet] {
        ended
            .get("/api/auth/me")
            .await
            .expect_problem(401, "revoked_token");
    }
    assert_eq!(list(&browser).await.len(), 1);
    eve.get("/api/auth/me").await.expect_status(200);
}

#[tokio::test]
async fn they_are_nobodys_without_a_credential_and_no_foreign_page_ends_them() {
    let (app, anon) = TestApp::new().await;
    let browser = app.browser("ada").await;
    let one = format!("{SESSIONS}/{}", own_id(&browser).await);
    for (method, path) in [("GET", SESSIONS), ("DELETE", SESSIONS), ("DELETE", &one)] {
        let answer = anon.call(method, path).await;
        answer.expect_problem(401, "missing_token");
    }
    for path in [SESSIONS, &one] {
        let call = browser.call("DELETE", path);
        let call = call.header("sec-fetch-site", "cross-site");
        call.header("origin", "https://evil.example")
            .await
            .expect_problem(403, "cross_origin_refused");
    }
    browser.get("/api/auth/me").await.expect_status(200);
}

#[tokio::test]
async fn a_cookie_gives_an_access_token_for_the_memory_of_a_page() {
    let (app, anon) = TestApp::new().await;
    let browser = app.browser("ada").await;
    let answer = browser.call("POST", "/api/auth/refresh").await;
    insta::assert_snapshot!(answer.shown(), @r#"
    200
    cache-control: no-store
    content-type: application/json
    ratelimit-policy: "refresh_per_ip";q=3000;w=3600
    ratelimit: "refresh_per_ip";r=2999;t=3840
    referrer-policy: strict-origin-when-cross-origin
    x-content-type-options: nosniff
    {
      "access_token": "[access_token]",
      "expires_in": 900,
      "token_type": "Bearer",
      "user": {
        "created_at": "2026-01-31T12:00:00.000000Z",
        "email": "ada@example.org",
        "email_verified": false,
        "id": "[id]",
        "name": null,
        "roles": [],
        "updated_at": "2026-01-31T12:00:00.000000Z",
        "username": "ada"
      }
    }
    "#);
    let mut page = anon.clone();
    page.access_token = answer.text_at("access_token");
    page.get("/api/auth/me").await.expect_status(200);
    assert_eq!(own_id(&page).await, own_id(&browser).await);
    browser.call("POST", "/api/auth/logout").await;
    page.get("/api/auth/me")
        .await
        .expect_problem(401, "revoked_token");
}

#[tokio::test]
async fn without_a_body_only_a_cookie_is_refreshed_and_only_for_our_own_pages() {
    let (app, anon) = TestApp::new().await;
    let ada = app.user("ada").await;
    let browser = app.browser("eve").await;
    let refresh = |client: &Client| client.call("POST", "/api/auth/refresh");
    refresh(&anon).await.expect_problem(401, "missing_token");
    refresh(&ada).await.expect_problem(401, "invalid_token");
    refresh(&browser)
        .bearer(&ada.access_token)
        .await
        .expect_problem(401, "invalid_token");
    refresh(&anon)
        .header("cookie", "vestibule=unknown")
        .header("sec-fetch-site", "same-origin")
        .await
        .expect_problem(401, "invalid_token");
    refresh(&browser)
        .header("sec-fetch-site", "cross-site")
        .header("origin", "https://evil.example")
        .await
        .expect_problem(403, "cross_origin_refused");
    // A body is of the token form, whatever cookie comes with it.
    let answer = refresh(&browser).json(&json!({})).await;
    assert_eq!(
        answer.expect_status(422).broken_fields(),
        ["refresh_token required"]
    );
    app.clock.advance(8 * DAY);
    refresh(&browser).await.expect_problem(401, "expired_token");
}

#[tokio::test]
async fn refreshing_by_cookie_counts_as_use_and_is_limited() {
    let (app, _anon) = TestApp::with(&[("limits.refresh_per_ip", "3/1h")]).await;
    let browser = app.browser("ada").await;
    for _ in 0..3 {
        app.clock.advance(6 * DAY);
        let refresh = browser.call("POST", "/api/auth/refresh").await;
        refresh.expect_status(200);
    }
    // The third use a moment ago is within this window too.
    for _ in 0..2 {
        let refresh = browser.call("POST", "/api/auth/refresh").await;
        refresh.expect_status(200);
    }
    browser
        .call("POST", "/api/auth/refresh")
        .await
        .expect_problem(429, "rate_limited");
}
