//! `/livez` and `/readyz`.

use insta::assert_snapshot;

use crate::support::TestApp;

#[tokio::test]
async fn a_process_that_answers_lives() {
    let (app, anon) = TestApp::new().await;
    let answer = anon.get("/livez").await;
    assert_snapshot!(answer.shown(), @r#"
    200
    cache-control: no-store
    content-type: application/json
    referrer-policy: strict-origin-when-cross-origin
    x-content-type-options: nosniff
    {
      "status": "ok"
    }
    "#);
    app.app.start_draining();
    anon.get("/livez").await.expect_status(200);
}

#[tokio::test]
async fn a_server_in_order_is_ready() {
    let (_app, anon) = TestApp::new().await;
    let answer = anon.get("/readyz").await;
    assert_snapshot!(answer.shown(), @r#"
    200
    cache-control: no-store
    content-type: application/json
    referrer-policy: strict-origin-when-cross-origin
    x-content-type-options: nosniff
    {
      "status": "ready"
    }
    "#);
}

#[tokio::test]
async fn a_server_on_its_way_down_is_not_ready_and_serves_on() {
    let (app, anon) = TestApp::new().await;
    let ada = app.user("ada").await;
    app.app.start_draining();
    let answer = anon.get("/readyz").await;
    assert_snapshot!(answer.shown(), @r#"
    503
    cache-control: no-store
    content-type: application/problem+json
    referrer-policy: strict-origin-when-cross-origin
    retry-after: 5
    x-content-type-options: nosniff
    {
      "code": "unavailable",
      "detail": "draining: the server is shutting down",
      "status": 503,
      "title": "Service Unavailable",
      "type": "about:blank"
    }
    "#);
    ada.get("/api/auth/me").await.expect_status(200);
}

#[tokio::test]
async fn without_its_database_a_server_is_not_ready() {
    let (mut app, anon) = TestApp::new().await;
    let ada = app.user("ada").await;
    app.lose_database().await;
    let answer = anon.get("/readyz").await;
    assert_snapshot!(answer.shown(), @r#"
    503
    cache-control: no-store
    content-type: application/problem+json
    referrer-policy: strict-origin-when-cross-origin
    retry-after: 5
    x-content-type-options: nosniff
    {
      "code": "unavailable",
      "detail": "database: it cannot be reached, or does not answer in time",
      "status": 503,
      "title": "Service Unavailable",
      "type": "about:blank"
    }
    "#);
    anon.get("/livez").await.expect_status(200);
    ada.get("/api/auth/me")
        .await
        .expect_problem(503, "unavailable");
}
