//! `/api/auth/setup`: the account of the first admin, for whoever has the code of the set-up link.

use insta::assert_snapshot;
use secrecy::ExposeSecret as _;
use serde_json::{Value, json};

use crate::support::{TestApp, registration};

/// A code with which the first admin may be made.
pub(crate) async fn code(app: &TestApp) -> String {
    let offer = app.app.accounts().offer_setup().await.expect("offers");
    let code = offer.expect("there is no admin yet");
    code.expose_secret().to_owned()
}

fn form(code: &str, name: &str) -> Value {
    let mut form = registration(name);
    form["code"] = code.into();
    form
}

#[tokio::test]
async fn the_code_makes_an_admin_who_is_signed_in_also_where_registration_is_closed() {
    let (app, anon) = TestApp::with(&[("registration", "closed")]).await;
    let code = code(&app).await;
    let answer = anon.post("/api/auth/setup", form(&code, "root")).await;
    assert_snapshot!(answer.shown(), @r#"
    201
    cache-control: no-store
    content-type: application/json
    location: /api/user/profile
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
        "email": "root@example.org",
        "email_verified": true,
        "id": "[id]",
        "name": null,
        "roles": [
          "admin"
        ],
        "updated_at": "2026-01-31T12:00:00.000000Z",
        "username": "root"
      }
    }
    "#);
    let mut root = anon.clone();
    root.keep(&answer);
    let me = root.get("/api/auth/me").await.expect_status(200).json();
    assert_eq!(me["roles"], json!(["admin"]));
    let again = anon.post("/api/auth/setup", form(&code, "eve")).await;
    again.expect_problem(403, "setup_refused");
}

#[tokio::test]
async fn a_browser_gets_its_cookie() {
    let (app, _) = TestApp::new().await;
    let browser = app.stranger_in_browser();
    let mut form = form(&code(&app).await, "root");
    form["mode"] = "cookie".into();
    let answer = browser.post("/api/auth/setup", form).await;
    assert_eq!(
        answer.expect_status(201).json()["user"]["roles"],
        json!(["admin"])
    );
    browser.get("/api/auth/me").await.expect_status(200);
}

#[tokio::test]
async fn a_code_that_is_not_the_open_one_is_refused_with_what_to_do() {
    let (app, anon) = TestApp::new().await;
    let answer = anon.post("/api/auth/setup", form("wrong", "root")).await;
    assert_snapshot!(answer.shown(), @r#"
    403
    cache-control: no-store
    content-type: application/problem+json
    referrer-policy: strict-origin-when-cross-origin
    x-content-type-options: nosniff
    {
      "code": "setup_refused",
      "detail": "This set-up link is not good any more, or there is an admin by now. Restart the server for a new link, or run: vestibule user add EMAIL --role admin",
      "status": 403,
      "title": "Forbidden",
      "type": "about:blank"
    }
    "#);
    let stale = code(&app).await;
    let code = code(&app).await;
    let answer = anon.post("/api/auth/setup", form(&stale, "root")).await;
    answer.expect_problem(403, "setup_refused");
    app.user("ada").await;
    app.grant("ada", "admin").await;
    let answer = anon.post("/api/auth/setup", form(&code, "root")).await;
    answer.expect_problem(403, "setup_refused");
}

#[tokio::test]
async fn the_form_is_that_of_a_registration_and_its_mistakes_use_nothing_up() {
    let (app, anon) = TestApp::new().await;
    app.user("ada").await;
    let code = code(&app).await;
    let set_up = |form: Value| anon.post("/api/auth/setup", form);
    let missing = set_up(registration("root")).await;
    assert_eq!(
        missing.expect_status(422).broken_fields(),
        ["code required"]
    );
    let mut with_role = form(&code, "root");
    with_role["role"] = "admin".into();
    set_up(with_role)
        .await
        .expect_problem(422, "validation_failed");
    let mut weak = form(&code, "root");
    weak["password"] = "short".into();
    set_up(weak).await.expect_problem(422, "validation_failed");
    set_up(form(&code, "ada"))
        .await
        .expect_problem(409, "email_taken");
    set_up(form(&code, "root")).await.expect_status(201);
}

#[tokio::test]
async fn wrong_codes_are_limited_as_registrations_are() {
    let (app, anon) = TestApp::with(&[("limits.register_per_ip", "2/1h")]).await;
    let code = code(&app).await;
    for _ in 0..2 {
        let answer = anon.post("/api/auth/setup", form("wrong", "root")).await;
        answer.expect_problem(403, "setup_refused");
    }
    let answer = anon.post("/api/auth/setup", form("wrong", "root")).await;
    answer.expect_problem(429, "rate_limited");
    let answer = anon.post("/api/auth/setup", form(&code, "root")).await;
    answer.expect_status(201);
}
