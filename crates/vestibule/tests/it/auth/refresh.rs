//! Refreshing: one use each, the same answer again within the grace, and the end of the session for a second use.

use std::{collections::BTreeSet, time::Duration};

use futures_util::future::join_all;
use insta::assert_snapshot;
use serde_json::json;

use crate::support::{Answer, Client, DAY, MINUTE, TestApp};

async fn exchange(client: &Client, token: &str) -> Answer {
    client
        .post("/api/auth/refresh", json!({ "refresh_token": token }))
        .without("authorization")
        .await
}

#[tokio::test]
async fn refreshing_gives_a_new_pair() {
    let (app, _anon) = TestApp::new().await;
    let mut ada = app.user("ada").await;
    let (old_access, old_refresh) = (ada.access_token.clone(), ada.refresh_token.clone());
    app.clock.advance(MINUTE);
    let answer = ada.refresh().await;
    assert_snapshot!(answer.shown(), @r#"
    200
    cache-control: no-store
    content-type: application/json
    ratelimit-policy: "refresh_per_ip";q=3000;w=3600
    ratelimit: "refresh_per_ip";r=2999;t=3780
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
        "updated_at": "2026-01-31T12:00:00.000000Z",
        "username": "ada"
      }
    }
    "#);
    assert_ne!(ada.refresh_token, old_refresh);
    assert_ne!(ada.access_token, old_access);
    ada.get("/api/auth/me").await.expect_status(200);
    ada.refresh().await.expect_status(200);
}

#[tokio::test]
async fn a_repetition_within_the_grace_gives_the_same_successor() {
    let (app, anon) = TestApp::new().await;
    let mut ada = app.user("ada").await;
    let first = ada.refresh_token.clone();
    ada.refresh().await.expect_status(200);
    app.clock.advance(Duration::from_secs(59));
    let repeated = exchange(&anon, &first).await.expect_status(200);
    assert_eq!(repeated.text_at("refresh_token"), ada.refresh_token);
    ada.refresh().await.expect_status(200);
}

#[tokio::test]
async fn a_second_use_after_the_grace_ends_the_session() {
    let (app, anon) = TestApp::new().await;
    let mut ada = app.user("ada").await;
    let first = ada.refresh_token.clone();
    ada.refresh().await.expect_status(200);
    app.clock.advance(Duration::from_secs(61));
    let reused = exchange(&anon, &first).await;
    assert_snapshot!(reused.shown(), @r#"
    401
    cache-control: no-store
    content-type: application/problem+json
    referrer-policy: strict-origin-when-cross-origin
    www-authenticate: Bearer realm="vestibule", error="invalid_token"
    x-content-type-options: nosniff
    {
      "code": "refresh_token_reused",
      "detail": "This refresh token was used before, so its session has been ended. Log in again.",
      "status": 401,
      "title": "Unauthorized",
      "type": "about:blank"
    }
    "#);
    ada.get("/api/auth/me")
        .await
        .expect_problem(401, "revoked_token");
    ada.refresh().await.expect_problem(401, "revoked_token");
}

#[tokio::test]
async fn a_second_use_after_the_successor_was_used_ends_the_session() {
    let (app, anon) = TestApp::new().await;
    let mut ada = app.user("ada").await;
    let first = ada.refresh_token.clone();
    ada.refresh().await.expect_status(200);
    ada.refresh().await.expect_status(200);
    exchange(&anon, &first)
        .await
        .expect_problem(401, "refresh_token_reused");
    ada.get("/api/auth/me")
        .await
        .expect_problem(401, "revoked_token");
}

#[tokio::test]
async fn without_a_grace_each_token_is_good_once() {
    let (app, anon) = TestApp::with(&[("token.refresh_grace", "0s")]).await;
    let mut ada = app.user("ada").await;
    let first = ada.refresh_token.clone();
    ada.refresh().await.expect_status(200);
    exchange(&anon, &first)
        .await
        .expect_problem(401, "refresh_token_reused");
}

#[tokio::test]
async fn what_is_no_refresh_token_changes_nothing() {
    let (app, anon) = TestApp::new().await;
    let mut ada = app.user("ada").await;
    let token = ada.refresh_token.clone();
    let (rest, last) = token.split_at(token.len() - 4);
    let forged = format!("{rest}{}", if last == "AAAA" { "BBBB" } else { "AAAA" });
    let longer = format!("{token}A");
    let (shorter, _) = token.split_at(token.len() - 1);
    let huge = "A".repeat(60_000);
    for garbage in [
        "",
        " ",
        "a",
        "ä",
        "\0",
        "null",
        &forged,
        &longer,
        shorter,
        &huge,
        &ada.access_token,
        &format!(" {token}"),
    ] {
        exchange(&anon, garbage)
            .await
            .expect_problem(401, "invalid_token");
    }
    for (body, field) in [
        (json!({}), "refresh_token required"),
        (json!({ "refresh_token": 7 }), "refresh_token wrong_type"),
        (
            json!({ "refresh_token": token, "user": "a" }),
            "user unknown_field",
        ),
    ] {
        let answer = anon.post("/api/auth/refresh", body).await;
        assert_eq!(answer.expect_status(422).broken_fields(), [field]);
    }
    ada.refresh().await.expect_status(200);
}

#[tokio::test]
async fn a_token_that_was_left_unused_expires_and_so_does_the_session() {
    let (app, anon) = TestApp::new().await;
    let mut ada = app.user("ada").await;
    for _ in 0..3 {
        app.clock.advance(29 * DAY);
        ada.refresh().await.expect_status(200);
    }
    app.clock.advance(3 * DAY);
    exchange(&anon, &ada.refresh_token)
        .await
        .expect_problem(401, "expired_token");
    let mut eve = app.user("eve").await;
    app.clock.advance(30 * DAY + MINUTE);
    eve.refresh().await.expect_problem(401, "expired_token");
}

#[tokio::test]
async fn parallel_refreshes_of_one_token_leave_one_live_branch() {
    let (app, anon) = TestApp::new().await;
    let mut ada = app.user("ada").await;
    for _round in 0..5 {
        let answers = join_all((0..20).map(|_| exchange(&anon, &ada.refresh_token))).await;
        let successors: BTreeSet<_> = answers
            .into_iter()
            .map(|answer| answer.expect_status(200).text_at("refresh_token"))
            .collect();
        assert_eq!(successors.len(), 1);
        ada.refresh_token = successors.into_iter().next().expect("one");
    }
    ada.refresh().await.expect_status(200);
}

#[tokio::test]
async fn a_disabled_user_refreshes_no_more() {
    let (app, _anon) = TestApp::new().await;
    let mut ada = app.user("ada").await;
    app.operator().disable("ada").await.expect("a user");
    ada.refresh().await.expect_problem(401, "revoked_token");
    ada.get("/api/auth/me")
        .await
        .expect_problem(401, "revoked_token");
}
