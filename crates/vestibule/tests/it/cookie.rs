//! The session cookie: how it is set, under which name it is read, how long it is good, and how it goes.

use serde_json::json;

use crate::support::{Client, DAY, HOUR, TestApp, email, password};

const HTTPS: [(&str, &str); 1] = [("public_url", "https://accounts.example.org")];

async fn is_logged_in(client: &Client) -> bool {
    let answer = client.get("/api/auth/me").await;
    if answer.status != 200 {
        assert_eq!(answer.status, 401);
        assert_eq!(answer.header("set-cookie"), None);
    }
    answer.status == 200
}

#[tokio::test]
async fn on_plain_http_it_is_kept_from_scripts_and_other_sites() {
    let (app, _anon) = TestApp::new().await;
    let browser = app.browser("ada").await;
    let form = json!({ "login": "ada", "password": password("ada"), "mode": "cookie" });
    let answer = browser.post("/api/auth/login", form).await;
    let set = answer.header("set-cookie").expect("a cookie");
    let (pair, attributes) = set.split_once("; ").expect("attributes");
    assert!(pair.starts_with("vestibule=ey"), "{pair}");
    assert_eq!(
        attributes,
        "HttpOnly; SameSite=Lax; Path=/; Max-Age=2592000"
    );
    assert_eq!(answer.json()["expires_in"], 2_592_000);
}

#[tokio::test]
async fn on_https_it_is_secure_and_bound_to_the_host() {
    let (app, _anon) = TestApp::with(&HTTPS).await;
    let browser = app.browser("ada").await;
    let form = json!({ "login": "ada", "password": password("ada"), "mode": "cookie" });
    let answer = browser.post("/api/auth/login", form).await;
    let set = answer.header("set-cookie").expect("a cookie");
    let (pair, attributes) = set.split_once("; ").expect("attributes");
    assert!(pair.starts_with("__Host-vestibule=ey"), "{pair}");
    assert_eq!(
        attributes,
        "HttpOnly; SameSite=Lax; Secure; Path=/; Max-Age=2592000"
    );
    assert!(is_logged_in(&browser).await);
    let answer = browser.call("POST", "/api/auth/logout").await;
    assert_eq!(
        answer.header("set-cookie"),
        Some("__Host-vestibule=; HttpOnly; SameSite=Lax; Secure; Path=/; Max-Age=0")
    );
}

#[tokio::test]
async fn the_name_of_the_other_mode_is_not_read() {
    for (settings, other_name) in [(&[][..], "__Host-vestibule"), (&HTTPS[..], "vestibule")] {
        let (app, anon) = TestApp::with(settings).await;
        let browser = app.browser("ada").await;
        let cookie = browser.cookie().expect("a cookie");
        let (name, value) = cookie.split_once('=').expect("a value");
        for unread in [
            other_name.to_owned(),
            name.to_uppercase(),
            format!("{name}2"),
            format!("a{name}"),
            format!("\u{2000}{name}"),
        ] {
            anon.get("/api/auth/me")
                .header("cookie", format!("{unread}={value}"))
                .await
                .expect_problem(401, "missing_token");
        }
        anon.get("/api/auth/me")
            .header("cookie", format!("theme=dark; {name}={value}; a=b"))
            .await
            .expect_status(200);
    }
}

#[tokio::test]
async fn tokens_are_given_without_a_cookie() {
    let (app, anon) = TestApp::new().await;
    app.user("ada").await;
    let form = json!({ "email": email("ada"), "password": password("ada") });
    let answer = anon.post("/api/auth/login", form).await.expect_status(200);
    assert_eq!(answer.header("set-cookie"), None);
}

#[tokio::test]
async fn a_session_that_nobody_uses_for_a_week_has_ended() {
    let (app, _anon) = TestApp::new().await;
    let used = app.browser("ada").await;
    let unused = app.browser("eve").await;
    app.clock.advance(7 * DAY - HOUR);
    assert!(is_logged_in(&used).await);
    app.clock.advance(2 * HOUR);
    assert!(is_logged_in(&used).await);
    assert!(!is_logged_in(&unused).await);
}

#[tokio::test]
async fn a_session_ends_after_thirty_days_however_much_it_is_used() {
    let (app, _anon) = TestApp::new().await;
    let browser = app.browser("ada").await;
    for _day in 0..29 {
        app.clock.advance(DAY);
        assert!(is_logged_in(&browser).await);
    }
    app.clock.advance(DAY - HOUR);
    assert!(is_logged_in(&browser).await);
    app.clock.advance(HOUR + HOUR);
    browser
        .get("/api/auth/me")
        .await
        .expect_problem(401, "expired_token");
}

#[tokio::test]
async fn opening_pages_of_the_site_counts_as_use() {
    let (app, _anon) = TestApp::with_site(&[]).await;
    let browser = app.browser("ada").await;
    for _ in 0..3 {
        app.clock.advance(6 * DAY);
        browser.visit("/members/").await.expect_status(200);
    }
}

#[tokio::test]
async fn it_lasts_as_long_as_is_configured() {
    let settings = [("cookie.idle_ttl", "2h"), ("cookie.absolute_ttl", "3h")];
    let (app, _anon) = TestApp::with(&settings).await;
    let browser = app.browser("ada").await;
    for still_good in [true, false] {
        app.clock.advance(HOUR + HOUR / 2);
        assert_eq!(is_logged_in(&browser).await, still_good);
    }
}
