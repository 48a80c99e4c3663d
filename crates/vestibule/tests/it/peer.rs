//! Whose request it is behind proxies: seen by whom a limit counts, and by the id that it has.

use serde_json::json;

use crate::support::{Client, TestApp};

/// One failed login and the client is limited; the test client itself comes from 192.0.2.1.
const STRICT: (&str, &str) = ("limits.login_per_ip", "1/15m");
const PROXIES: [(&str, &str); 3] = [
    STRICT,
    ("trusted_proxies", "192.0.2.0/24"),
    ("trusted_proxies", "2001:db8:ff::/48"),
];

/// Whether a request with these `X-Forwarded-For` headers comes from somebody who has not failed before.
async fn is_new(client: &Client, forwarded: &[&str]) -> bool {
    let mut call = client.post("/api/auth/login", json!({ "login": "a", "password": "b" }));
    for value in forwarded {
        call = call.another("x-forwarded-for", value);
    }
    let answer = call.await;
    assert!(matches!(answer.status, 401 | 429), "{}", answer.shown());
    answer.status == 401
}

#[tokio::test]
async fn a_stranger_cannot_choose_an_address() {
    let (_app, anon) = TestApp::with(&[STRICT]).await;
    assert!(is_new(&anon, &["198.51.100.1"]).await);
    assert!(!is_new(&anon, &["198.51.100.2"]).await);
    assert!(!is_new(&anon, &[]).await);

    let (_app, anon) = TestApp::with(&PROXIES).await;
    let stranger = anon.at("203.0.113.1");
    assert!(is_new(&stranger, &["198.51.100.1"]).await);
    assert!(!is_new(&stranger, &["198.51.100.2"]).await);
}

#[tokio::test]
async fn other_headers_of_proxies_are_never_read() {
    let (_app, anon) = TestApp::with(&PROXIES).await;
    for name in [
        "x-real-ip",
        "forwarded",
        "true-client-ip",
        "cf-connecting-ip",
    ] {
        for address in ["198.51.100.1", "for=198.51.100.2"] {
            anon.post("/api/auth/login", json!({ "login": "a", "password": "b" }))
                .header(name, address)
                .await;
        }
    }
    assert!(!is_new(&anon, &[]).await);
    assert!(is_new(&anon, &["198.51.100.1"]).await);
}

#[tokio::test]
async fn behind_trusted_proxies_the_rightmost_other_hop_is_the_client() {
    let (_app, anon) = TestApp::with(&PROXIES).await;
    assert!(is_new(&anon, &["198.51.100.1"]).await);
    assert!(!is_new(&anon, &["198.51.100.1"]).await);
    // What stands to the left of the client was written by the client.
    assert!(!is_new(&anon, &["203.0.113.9, 198.51.100.1"]).await);
    assert!(!is_new(&anon, &["203.0.113.9", "198.51.100.1, 192.0.2.77"]).await);
    assert!(!is_new(&anon, &["203.0.113.9,198.51.100.1", "2001:db8:ff::7"]).await);
    assert!(is_new(&anon, &["198.51.100.1, 198.51.100.2"]).await);
    assert!(is_new(&anon, &["198.51.100.1", "198.51.100.3"]).await);
}

#[tokio::test]
async fn another_proxy_of_ours_changes_nothing() {
    let (_app, anon) = TestApp::with(&PROXIES).await;
    assert!(is_new(&anon, &["198.51.100.1"]).await);
    assert!(!is_new(&anon.at("192.0.2.2"), &["198.51.100.1"]).await);
    assert!(!is_new(&anon.at("2001:db8:ff::1"), &["198.51.100.1"]).await);
    assert!(!is_new(&anon.at("::ffff:192.0.2.3"), &["::ffff:198.51.100.1"]).await);
}

#[tokio::test]
async fn what_is_no_address_counts_as_the_proxy_itself() {
    let (_app, anon) = TestApp::with(&PROXIES).await;
    assert!(is_new(&anon, &["unknown"]).await);
    for garbage in [
        "",
        "198.51.100.1:4711",
        "a, b",
        "198.51.100.1,",
        "198.51.100.1, _hidden",
    ] {
        assert!(!is_new(&anon, &[garbage]).await, "{garbage:?}");
    }
}

#[tokio::test]
async fn the_request_id_of_a_trusted_proxy_is_kept_and_no_other() {
    const GIVEN: &str = "edge-7f3a:1";
    let (app, anon) = TestApp::with(&PROXIES[1..]).await;
    let id_for = async |client: &Client, given: &str| {
        let call = client.post("/api/auth/login", json!({ "login": "a", "password": "b" }));
        call.header("x-request-id", given).await.request_id()
    };
    assert_eq!(id_for(&anon, GIVEN).await, GIVEN);
    let ada = app.user("ada").await;
    app.grant("ada", "admin").await;
    let failed = ada.get("/api/admin/audit?event=login_failed").await.json();
    assert_eq!(failed["items"][0]["request_id"], GIVEN);
    for unusable in ["two words", &"a".repeat(65), "<script>"] {
        assert_ne!(id_for(&anon, unusable).await, unusable);
    }
    let stranger = anon.at("203.0.113.1");
    assert_ne!(id_for(&stranger, GIVEN).await, GIVEN);
}
