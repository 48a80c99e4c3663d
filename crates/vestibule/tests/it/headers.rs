//! The headers of all answers and those of our own pages. That an answer has no others is checked by the test client.

use std::collections::BTreeSet;

use crate::support::{PAGES, TestApp};

#[tokio::test]
async fn our_pages_run_nothing_but_their_own_files() {
    let (_app, anon) = TestApp::new().await;
    for page in PAGES {
        let answer = anon.visit(page).await.expect_status(200);
        let policy = answer.header("content-security-policy").expect("a policy");
        for directive in [
            "default-src 'none'",
            "script-src 'self'",
            "style-src 'self'",
            "form-action 'self'",
            "base-uri 'none'",
            "frame-ancestors 'none'",
        ] {
            assert!(policy.split("; ").any(|part| part == directive), "{policy}");
        }
        for weak in ["unsafe", "*", "http:", "https:", "blob:"] {
            assert!(!policy.contains(weak), "{policy}");
        }
        for (name, value) in [
            ("x-frame-options", "DENY"),
            ("cross-origin-opener-policy", "same-origin"),
            ("referrer-policy", "same-origin"),
            ("cache-control", "no-store"),
        ] {
            assert_eq!(answer.header(name), Some(value), "{name}");
        }
    }
}

#[tokio::test]
async fn our_pages_hold_no_script_or_style_of_their_own() {
    let (_app, anon) = TestApp::new().await;
    let html = anon.visit("/login").await.text();
    for tag in html.split('<').filter_map(|rest| rest.split('>').next()) {
        assert!(
            !tag.starts_with("script") || tag.contains(" src=\"/api/ui/"),
            "<{tag}>"
        );
        assert!(!tag.starts_with("style"), "<{tag}>");
        for attribute in tag.split_whitespace().skip(1) {
            assert!(!attribute.starts_with("on"), "<{tag}>");
            assert!(!attribute.starts_with("style="), "<{tag}>");
        }
        assert!(!tag.contains("javascript:"), "<{tag}>");
        assert!(!tag.contains("//"), "<{tag}> leads to another host");
    }
}

#[tokio::test]
async fn https_is_remembered_only_under_https() {
    let (_app, anon) = TestApp::with(&[("public_url", "https://accounts.example.org")]).await;
    for path in ["/login", "/api/auth/me", "/livez", "/nowhere"] {
        let answer = anon.get(path).await;
        assert_eq!(
            answer.header("strict-transport-security"),
            Some("max-age=63072000"),
            "{path}"
        );
    }
}

#[tokio::test]
async fn every_request_has_an_id_of_its_own_whatever_the_client_says() {
    let (_app, anon) = TestApp::new().await;
    let mut ids = BTreeSet::new();
    for path in [
        "/livez",
        "/login",
        "/api/auth/me",
        "/api/unknown",
        "/nowhere",
        "/",
    ] {
        for _ in 0..20 {
            let answer = anon
                .get(path)
                .header("x-request-id", "00000000-0000-7000-8000-000000000000")
                .await;
            ids.insert(answer.request_id());
        }
    }
    assert_eq!(ids.len(), 6 * 20);
    assert!(ids.iter().all(|id| !id.starts_with("00000000")));
}

#[tokio::test]
async fn pages_of_the_site_keep_their_own_policy() {
    let (_app, anon) = TestApp::with_site(&[]).await;
    let answer = anon.visit("/").await.expect_status(200);
    assert_eq!(answer.header("content-security-policy"), None);
    assert_eq!(answer.header("x-frame-options"), None);
    assert_eq!(
        answer.header("referrer-policy"),
        Some("strict-origin-when-cross-origin")
    );
}
