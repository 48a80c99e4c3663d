//! Requests that a page of another origin makes a browser send: which are refused, and what is said about it.

use insta::assert_snapshot;
use serde_json::json;

use crate::support::{Client, TestApp, password, registration};

const ALLOWED: &str = "https://app.example.com";
const FOREIGN: &str = "https://evil.example";

/// What `Sec-Fetch-Site` may say, and whether it vouches for the request.
const SITES: [(Option<&str>, bool); 7] = [
    (None, false),
    (Some("same-origin"), true),
    (Some("none"), true),
    (Some("same-site"), false),
    (Some("cross-site"), false),
    (Some("Same-Origin"), false),
    (Some("same-origin, cross-site"), false),
];

/// What `Origin` may say, and whether it is one of ours.
const ORIGINS: [(Option<&str>, bool); 17] = [
    (None, false),
    (Some("http://localhost:8080"), true),
    (Some("http://127.0.0.1:8080"), true),
    (Some("http://[::1]:8080"), true),
    (Some(ALLOWED), true),
    (Some(FOREIGN), false),
    (Some("null"), false),
    (Some(""), false),
    (Some("http://localhost"), false),
    (Some("http://localhost:8081"), false),
    (Some("https://localhost:8080"), false),
    (Some("http://localhost:8080/"), false),
    (Some("http://localhost:8080.evil.example"), false),
    (Some("http://evil.example:8080"), false),
    (Some("http://app.example.com"), false),
    (Some("https://app.example.com:8443"), false),
    (Some("https://app.example.com https://evil.example"), false),
];

async fn with_allowed_origin() -> (TestApp, Client) {
    TestApp::with(&[("cors.origins", ALLOWED)]).await
}

/// Sends what breaks the rules of every form, so that a request that is let through changes nothing and is told so.
async fn assert_judged(anon: &Client, route: &str, headers: &[(&str, &str)], passes: bool) {
    let mut call = anon.post(&format!("/api/auth/{route}"), json!({ "unknown": 1 }));
    for (name, value) in headers {
        call = call.header(name, value);
    }
    let answer = call.await;
    let expected = if passes {
        (422, "validation_failed")
    } else {
        (403, "cross_origin_refused")
    };
    let judged = (answer.status, answer.code());
    assert_eq!(
        (judged.0, judged.1.as_str()),
        expected,
        "{route} with {headers:?}"
    );
}

#[tokio::test]
async fn what_a_foreign_page_sends_is_refused() {
    let (app, anon) = with_allowed_origin().await;
    let cookie = app.browser("ada").await.cookie().expect("a cookie");
    let bearer = format!("Bearer {}", app.user("eve").await.access_token);
    let credentials = [
        None,
        Some(("cookie", cookie.as_str())),
        Some(("authorization", bearer.as_str())),
    ];
    for route in ["login", "register", "setup", "logout", "refresh"] {
        for credential in credentials {
            let has_cookie = matches!(credential, Some(("cookie", _)));
            let is_judged = has_cookie || matches!(route, "login" | "register" | "setup");
            for (site, site_vouches) in SITES {
                for (origin, is_ours) in ORIGINS {
                    let is_from_browser = site.is_some() || origin.is_some() || has_cookie;
                    let passes = !is_judged || !is_from_browser || site_vouches || is_ours;
                    let site = site.map(|site| ("sec-fetch-site", site));
                    let origin = origin.map(|origin| ("origin", origin));
                    let headers = [credential, site, origin];
                    let headers: Vec<_> = headers.into_iter().flatten().collect();
                    assert_judged(&anon, route, &headers, passes).await;
                }
            }
        }
    }
}

#[tokio::test]
async fn only_the_public_url_counts_where_it_is_set() {
    let (_app, anon) = TestApp::with(&[("public_url", "https://accounts.example.org")]).await;
    for (origin, status) in [
        ("https://accounts.example.org", 422),
        ("http://accounts.example.org", 403),
        ("https://example.org", 403),
        ("http://localhost:8080", 403),
        ("http://127.0.0.1:8080", 403),
    ] {
        anon.post("/api/auth/login", json!({}))
            .header("origin", origin)
            .await
            .expect_status(status);
    }
}

#[tokio::test]
async fn the_headers_of_the_request_do_not_say_what_is_ours() {
    let (_app, anon) = TestApp::new().await;
    anon.post("/api/auth/login", json!({}))
        .header("origin", FOREIGN)
        .header("host", "evil.example")
        .header("x-forwarded-host", "evil.example")
        .header("x-forwarded-proto", "https")
        .header("forwarded", "host=evil.example;proto=https")
        .header("referer", "http://localhost:8080/login")
        .await
        .expect_problem(403, "cross_origin_refused");
}

#[tokio::test]
async fn the_refusal_names_the_origin_and_the_setting() {
    let (app, anon) = TestApp::new().await;
    let answer = anon
        .post("/api/auth/login", json!({}))
        .header("origin", FOREIGN)
        .await;
    assert_snapshot!(answer.shown(), @r#"
    403
    cache-control: no-store
    content-type: application/problem+json
    referrer-policy: strict-origin-when-cross-origin
    x-content-type-options: nosniff
    {
      "code": "cross_origin_refused",
      "detail": "This request came from the origin https://evil.example, which is not the server's. If it is one of yours, set public_url to it, or add it to cors.origins.",
      "status": 403,
      "title": "Forbidden",
      "type": "about:blank"
    }
    "#);
    let cookie = app.browser("ada").await.cookie().expect("a cookie");
    let answer = anon
        .post("/api/auth/logout", json!({}))
        .header("cookie", cookie)
        .await;
    assert_snapshot!(answer.shown(), @r#"
    403
    cache-control: no-store
    content-type: application/problem+json
    referrer-policy: strict-origin-when-cross-origin
    x-content-type-options: nosniff
    {
      "code": "cross_origin_refused",
      "detail": "This request comes with a session cookie or from another site, and does not name its origin. Send it from a page of this server, or with an access token and no cookie.",
      "status": 403,
      "title": "Forbidden",
      "type": "about:blank"
    }
    "#);
}

#[tokio::test]
async fn a_refused_request_leaves_nothing_behind() {
    let (app, anon) = TestApp::with(&[("limits.login_per_account", "2/15m")]).await;
    app.user("ada").await;
    let foreign = |route: &str, body| {
        anon.post(&format!("/api/auth/{route}"), body)
            .header("origin", FOREIGN)
    };
    for mode in ["token", "cookie"] {
        let right = json!({ "login": "ada", "password": password("ada"), "mode": mode });
        let answer = foreign("login", right).await.expect_status(403);
        assert_eq!(answer.header("set-cookie"), None);
    }
    // Not counted: nobody looked at the passwords.
    for _ in 0..5 {
        let wrong = json!({ "login": "ada", "password": "wrong" });
        foreign("login", wrong).await.expect_status(403);
    }
    foreign("register", registration("eve"))
        .await
        .expect_status(403);
    let eve = json!({ "login": "eve", "password": password("eve") });
    anon.post("/api/auth/login", eve)
        .await
        .expect_problem(401, "invalid_credentials");
    let ada = json!({ "login": "ada", "password": password("ada") });
    anon.post("/api/auth/login", ada).await.expect_status(200);
}

#[tokio::test]
async fn a_foreign_page_logs_nobody_out() {
    let (app, _anon) = TestApp::new().await;
    let browser = app.browser("ada").await;
    browser
        .call("POST", "/api/auth/logout")
        .header("sec-fetch-site", "cross-site")
        .header("origin", FOREIGN)
        .await
        .expect_problem(403, "cross_origin_refused");
    browser.get("/api/auth/me").await.expect_status(200);
}

#[tokio::test]
async fn reading_is_never_refused() {
    let (app, _anon) = TestApp::new().await;
    let browser = app.browser("ada").await;
    for method in ["GET", "HEAD"] {
        browser
            .call(method, "/api/auth/me")
            .header("sec-fetch-site", "cross-site")
            .header("origin", FOREIGN)
            .await
            .expect_status(200);
    }
}

#[tokio::test]
async fn whatever_stands_in_the_origin_is_shown_harmlessly() {
    let (_app, anon) = TestApp::new().await;
    let long = format!("https://{}.example", "a".repeat(10_000));
    for origin in [
        b"\"><script>alert(1)</script>".as_slice(),
        b"a\tb\"\\",
        b"\xff\xfe\x80",
        b"\xe2\x80\xae\xc2\x9b",
        long.as_bytes(),
    ] {
        let answer = anon
            .post("/api/auth/login", json!({}))
            .header("origin", origin)
            .await
            .expect_problem(403, "cross_origin_refused");
        let detail = answer.text_at("detail");
        assert!(!detail.contains(|letter: char| letter.is_control() || letter == '\u{202e}'));
        assert!(detail.len() < 1000, "{} bytes", detail.len());
    }
}
