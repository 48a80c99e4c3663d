//! Limits on attempts: what is counted, for whom, what is said when one is reached, and when it is over.

use std::time::Duration;

use insta::assert_snapshot;
use serde_json::json;

use crate::support::{Answer, Client, TestApp, email, password, registration};

const PER_ACCOUNT: [(&str, &str); 1] = [("limits.login_per_account", "3/15m")];

async fn log_in(client: &Client, login: &str, password: &str) -> Answer {
    let form = json!({ "login": login, "password": password });
    client
        .post("/api/auth/login", form)
        .without("authorization")
        .await
}

/// Fails three times and is refused the fourth, whatever the password.
async fn use_up(client: &Client, login: &str) -> Answer {
    for _ in 0..3 {
        log_in(client, login, "wrong")
            .await
            .expect_problem(401, "invalid_credentials");
    }
    log_in(client, login, &password("ada"))
        .await
        .expect_problem(429, "rate_limited")
}

fn retry_after(answer: &Answer) -> Duration {
    let seconds = answer.header("retry-after").expect("a time");
    Duration::from_secs(seconds.parse().expect("whole seconds"))
}

#[tokio::test]
async fn failed_logins_of_an_account_are_limited_until_the_time_that_is_told() {
    let (app, anon) = TestApp::with(&PER_ACCOUNT).await;
    app.user("ada").await;
    let refused = use_up(&anon, "ada").await;
    assert_snapshot!(refused.shown(), @r#"
    429
    cache-control: no-store
    content-type: application/problem+json
    ratelimit-policy: "login_per_account";q=3;w=900
    ratelimit: "login_per_account";r=0;t=960
    referrer-policy: strict-origin-when-cross-origin
    retry-after: 960
    x-content-type-options: nosniff
    {
      "code": "rate_limited",
      "detail": "Too many attempts. Try again in 16 minutes.",
      "status": 429,
      "title": "Too Many Requests",
      "type": "about:blank"
    }
    "#);
    app.clock
        .advance(retry_after(&refused) - Duration::from_secs(1));
    log_in(&anon, "ada", &password("ada"))
        .await
        .expect_status(429);
    app.clock.advance(Duration::from_secs(1));
    log_in(&anon, "ada", &password("ada"))
        .await
        .expect_status(200);
}

#[tokio::test]
async fn username_and_address_of_an_account_share_a_counter() {
    let (app, anon) = TestApp::with(&PER_ACCOUNT).await;
    app.user("ada").await;
    use_up(&anon, "ada").await;
    for name in [email("ada"), "ADA".to_owned(), "Ada@EXAMPLE.org".to_owned()] {
        log_in(&anon, &name, &password("ada"))
            .await
            .expect_problem(429, "rate_limited");
    }
}

#[tokio::test]
async fn a_name_that_nobody_has_is_limited_alike() {
    let (app, anon) = TestApp::with(&PER_ACCOUNT).await;
    app.user("ada").await;
    let known = use_up(&anon, "ada").await;
    let unknown = use_up(&anon, "nobody").await;
    assert_eq!(known.without_request_id(), unknown.without_request_id());
}

#[tokio::test]
async fn nobody_locks_an_owner_out_from_elsewhere() {
    let (app, anon) = TestApp::with(&PER_ACCOUNT).await;
    let ada = app.user("ada").await;
    use_up(&anon.at("198.51.100.7"), "ada").await;
    log_in(&ada, "ada", &password("ada"))
        .await
        .expect_status(200);
}

#[tokio::test]
async fn logins_that_succeed_are_never_counted() {
    let settings = [
        ("limits.login_per_account", "2/15m"),
        ("limits.login_per_ip", "2/15m"),
    ];
    let (app, anon) = TestApp::with(&settings).await;
    app.user("ada").await;
    for _ in 0..5 {
        log_in(&anon, "ada", &password("ada"))
            .await
            .expect_status(200);
    }
    log_in(&anon, "ada", "wrong").await.expect_status(401);
    log_in(&anon, "ada", &password("ada"))
        .await
        .expect_status(200);
}

#[tokio::test]
async fn failed_logins_of_an_address_are_limited_whatever_the_account() {
    let (app, anon) = TestApp::with(&[("limits.login_per_ip", "3/15m")]).await;
    app.user("ada").await;
    for name in ["a", "b", "c"] {
        log_in(&anon, name, "wrong").await.expect_status(401);
    }
    let refused = log_in(&anon, "ada", &password("ada"))
        .await
        .expect_problem(429, "rate_limited");
    assert_eq!(
        refused.header("ratelimit-policy"),
        Some("\"login_per_ip\";q=3;w=900")
    );
    log_in(&anon.at("192.0.2.2"), "ada", &password("ada"))
        .await
        .expect_status(200);
    app.clock.advance(retry_after(&refused));
    log_in(&anon, "ada", &password("ada"))
        .await
        .expect_status(200);
}

#[tokio::test]
async fn one_ipv6_network_is_one_client() {
    let (_app, anon) = TestApp::with(&[("limits.login_per_ip", "1/15m")]).await;
    let status = async |address: &str| log_in(&anon.at(address), "ada", "wrong").await.status;
    assert_eq!(status("2001:db8::1").await, 401);
    assert_eq!(status("2001:db8::1").await, 429);
    assert_eq!(status("2001:db8::ffff:ffff:ffff:ffff").await, 429);
    assert_eq!(status("2001:db8:0:1::1").await, 401);
    assert_eq!(status("192.0.2.9").await, 401);
    assert_eq!(status("::ffff:192.0.2.9").await, 429);
}

#[tokio::test]
async fn registrations_of_an_address_are_limited_and_mistakes_in_a_form_are_free() {
    let (app, anon) = TestApp::with(&[("limits.register_per_ip", "2/1h")]).await;
    let register = |name: &str| anon.post("/api/auth/register", registration(name));
    for (name, left) in [("ada", "1"), ("eve", "0")] {
        let mut form = registration(name);
        form["password"] = json!("short");
        anon.post("/api/auth/register", form)
            .await
            .expect_status(422);
        let answer = register(name).await.expect_status(201);
        let told = answer.header("ratelimit").expect("what is left");
        assert!(told.contains(&format!(";r={left};")), "{told}");
    }
    let refused = register("bob").await.expect_problem(429, "rate_limited");
    assert_eq!(
        refused.header("ratelimit-policy"),
        Some("\"register_per_ip\";q=2;w=3600")
    );
    anon.at("192.0.2.2")
        .post("/api/auth/register", registration("kim"))
        .await
        .expect_status(201);
    app.clock.advance(retry_after(&refused));
    register("bob").await.expect_status(201);
}

#[tokio::test]
async fn a_refused_refresh_does_not_use_up_its_token() {
    let (app, _anon) = TestApp::with(&[("limits.refresh_per_ip", "2/1h")]).await;
    let mut ada = app.user("ada").await;
    ada.refresh().await.expect_status(200);
    ada.refresh().await.expect_status(200);
    let refused = ada.refresh().await.expect_problem(429, "rate_limited");
    app.clock.advance(retry_after(&refused));
    ada.refresh().await.expect_status(200);
}

#[tokio::test]
async fn limits_can_be_switched_off() {
    let settings = [
        ("limits.login_per_account", "off"),
        ("limits.login_per_ip", "off"),
        ("limits.register_per_ip", "off"),
        ("limits.refresh_per_ip", "off"),
    ];
    let (_app, anon) = TestApp::with(&settings).await;
    for attempt in 0..32 {
        log_in(&anon, "ada", "wrong").await.expect_status(401);
        let name = format!("user{attempt}");
        let answer = anon.post("/api/auth/register", registration(&name)).await;
        assert_eq!(answer.expect_status(201).header("ratelimit"), None);
    }
}

#[tokio::test]
async fn without_settings_the_limits_are_those_of_the_reference() {
    let (app, anon) = TestApp::new().await;
    let mut ada = app.user("ada").await;
    for _ in 0..10 {
        log_in(&anon, "ada", "wrong").await.expect_status(401);
    }
    let refused = log_in(&anon, "ada", "wrong").await.expect_status(429);
    let policy = refused.header("ratelimit-policy");
    assert_eq!(policy, Some("\"login_per_account\";q=10;w=900"));
    for attempt in 0..20 {
        log_in(&anon, &format!("user{attempt}"), "wrong")
            .await
            .expect_status(401);
    }
    let refused = log_in(&anon, "eve", "wrong").await.expect_status(429);
    let policy = refused.header("ratelimit-policy");
    assert_eq!(policy, Some("\"login_per_ip\";q=30;w=900"));
    let refreshed = ada.refresh().await;
    let policy = refreshed.header("ratelimit-policy");
    assert_eq!(policy, Some("\"refresh_per_ip\";q=3000;w=3600"));
}
