//! The profile: what its user may change, with and without their password, and the end of the account.

use serde_json::{Value, json};

use crate::support::{Answer, Client, MINUTE, TestApp, email, password, registration};

const PROFILE: &str = "/api/user/profile";
const DELETE: &str = "/api/user/profile/delete";

async fn change(client: &Client, method: &str, body: Value) -> Answer {
    client.call(method, PROFILE).json(&body).await
}

/// The media type of RFC 7396 section 4.
const MERGE_PATCH: &str = "application/merge-patch+json";

#[tokio::test]
async fn a_patch_may_be_called_a_merge_patch_and_nothing_else_may() {
    let (app, _anon) = TestApp::new().await;
    let ada = app.user("ada").await;
    app.grant("ada", "admin").await;
    let as_admin = format!("/api/admin/users/{}", ada.get(PROFILE).await.text_at("id"));
    let send = |method: &str, path: &str, kind: &str| {
        let call = ada.call(method, path).header("content-type", kind);
        call.body(r#"{"name": "Ada Lovelace"}"#)
    };
    let with_charset = format!("{MERGE_PATCH}; charset=utf-8");
    for path in [PROFILE, &as_admin] {
        for kind in [MERGE_PATCH, &with_charset, "application/json"] {
            let answer = send("PATCH", path, kind).await.expect_status(200);
            assert_eq!(answer.text_at("name"), "Ada Lovelace", "{path} {kind}");
        }
        for kind in ["application/json-patch+json", "text/plain", ""] {
            let refused = send("PATCH", path, kind).await;
            let refused = refused.expect_problem(415, "unsupported_media_type");
            assert_eq!(
                refused.header("accept-patch"),
                Some("application/merge-patch+json, application/json"),
                "{path} {kind}"
            );
        }
    }
    let replaced = send("PUT", PROFILE, MERGE_PATCH).await;
    let refused = replaced.expect_problem(415, "unsupported_media_type");
    assert_eq!(refused.header("accept-patch"), None);
}

#[tokio::test]
async fn the_profile_is_the_user() {
    let (app, _anon) = TestApp::new().await;
    let ada = app.user("ada").await;
    let me = ada.get("/api/auth/me").await.expect_status(200);
    let profile = ada.get(PROFILE).await;
    assert_eq!(profile.without_request_id(), me.without_request_id());
}

#[tokio::test]
async fn a_patch_changes_what_it_names() {
    let (app, _anon) = TestApp::new().await;
    let ada = app.user("ada").await;
    app.clock.advance(MINUTE);
    let body = json!({ "name": " Ada Lovelace ", "username": "countess", "current_password": password("ada") });
    let answer = change(&ada, "PATCH", body).await;
    insta::assert_snapshot!(answer.shown(), @r#"
    200
    cache-control: no-store
    content-type: application/json
    referrer-policy: strict-origin-when-cross-origin
    x-content-type-options: nosniff
    {
      "created_at": "2026-01-31T12:00:00.000000Z",
      "email": "ada@example.org",
      "email_verified": false,
      "id": "[id]",
      "name": "Ada Lovelace",
      "roles": [],
      "updated_at": "2026-01-31T12:01:00.000000Z",
      "username": "countess"
    }
    "#);
    assert_eq!(ada.get(PROFILE).await.text(), answer.text());

    app.clock.advance(MINUTE);
    let same = change(&ada, "PATCH", json!({})).await.expect_status(200);
    assert_eq!(same.text(), answer.text(), "nothing is no change");
    let cleared = change(&ada, "PATCH", json!({ "name": null })).await;
    let cleared = cleared.expect_status(200).json();
    assert_eq!(
        (&cleared["name"], &cleared["username"]),
        (&Value::Null, &json!("countess"))
    );
}

#[tokio::test]
async fn a_put_is_the_whole_profile() {
    let (app, anon) = TestApp::new().await;
    let ada = app.user("ada").await;
    change(&ada, "PATCH", json!({ "name": "Ada" }))
        .await
        .expect_status(200);
    let body = json!({ "email": email("ada"), "current_password": password("ada") });
    let answer = change(&ada, "PUT", body).await.expect_status(200).json();
    assert_eq!(
        (&answer["name"], &answer["username"]),
        (&Value::Null, &Value::Null)
    );
    let login = json!({ "login": "ada", "password": password("ada") });
    anon.post("/api/auth/login", login)
        .await
        .expect_problem(401, "invalid_credentials");
    let answer = change(&ada, "PUT", json!({})).await;
    assert_eq!(
        answer.expect_status(422).broken_fields(),
        ["email required"]
    );
}

#[tokio::test]
async fn a_new_address_is_not_verified_and_needs_the_password() {
    let (app, anon) = TestApp::new().await;
    let add = accounts::NewAccount {
        registration: accounts::Registration {
            email: email("ada"),
            password: password("ada").into(),
            username: None,
            name: None,
        },
        roles: [].into(),
    };
    app.operator().add_user(add).await.expect("added");
    let mut ada = anon.clone();
    let login = json!({ "login": email("ada"), "password": password("ada") });
    ada.keep(&anon.post("/api/auth/login", login).await);
    assert_eq!(ada.get(PROFILE).await.json()["email_verified"], true);

    let new = "Ada@Example.NET";
    let without = change(&ada, "PATCH", json!({ "email": new })).await;
    assert_eq!(
        without.expect_status(422).broken_fields(),
        ["current_password required"]
    );
    let wrong = json!({ "email": new, "current_password": "wrong" });
    let wrong = change(&ada, "PATCH", wrong).await;
    wrong.expect_problem(401, "invalid_credentials");
    let right = json!({ "email": new, "current_password": password("ada") });
    let changed = change(&ada, "PATCH", right).await.expect_status(200).json();
    assert_eq!(changed["email"], "Ada@example.net");
    assert_eq!(changed["email_verified"], false);
    let same = change(&ada, "PATCH", json!({ "email": "Ada@EXAMPLE.net" })).await;
    same.expect_status(200);
    ada.get(PROFILE).await.expect_status(200);
}

#[tokio::test]
async fn a_taken_name_is_named_and_nothing_changes() {
    let (app, _anon) = TestApp::new().await;
    let ada = app.user("ada").await;
    app.user("eve").await;
    let before = ada.get(PROFILE).await.text();
    for (field, value, code) in [
        ("email", "EVE@example.org", "email_taken"),
        ("username", "Eve", "username_taken"),
    ] {
        let mut body = json!({ "name": "Eve", "current_password": password("ada") });
        body[field] = json!(value);
        let answer = change(&ada, "PATCH", body).await.expect_problem(409, code);
        assert_eq!(answer.broken_fields(), [format!("{field} taken")]);
    }
    assert_eq!(ada.get(PROFILE).await.text(), before);
}

#[tokio::test]
async fn what_is_against_the_rules_is_named() {
    let (app, _anon) = TestApp::new().await;
    let ada = app.user("ada").await;
    for (body, expected) in [
        (json!({ "email": null }), &["email required"][..]),
        (json!({ "email": "no address" }), &["email invalid_email"]),
        (
            json!({ "username": "-", "name": "a\u{202e}b", "email": "" }),
            &[
                "email invalid_email",
                "username invalid_username",
                "name control_character",
            ],
        ),
        (
            json!({ "roles": ["admin"], "email_verified": true }),
            &["email_verified unknown_field", "roles unknown_field"],
        ),
        (json!({ "name": 7 }), &["name wrong_type"]),
        (
            json!({ "username": null, "current_password": "x".repeat(257) }),
            &["current_password too_long"],
        ),
    ] {
        let answer = change(&ada, "PATCH", body.clone()).await;
        let mut fields = answer.expect_status(422).broken_fields();
        if expected.len() == 2 {
            fields.sort();
        }
        assert_eq!(fields, expected, "{body}");
    }
}

#[tokio::test]
async fn a_deleted_account_is_gone_and_its_names_are_free() {
    let (app, anon) = TestApp::new().await;
    let mut ada = app.user("ada").await;
    let browser = app.browser("eve").await;
    let wrong = json!({ "current_password": "wrong" });
    ada.post(DELETE, wrong)
        .await
        .expect_problem(401, "invalid_credentials");
    let answer = ada.post(DELETE, json!({})).await;
    assert_eq!(
        answer.expect_status(422).broken_fields(),
        ["current_password required"]
    );
    let form = json!({ "current_password": password("ada") });
    let answer = ada.post(DELETE, form).await.expect_status(204);
    assert!(answer.body.is_empty());
    ada.get(PROFILE).await.expect_problem(401, "revoked_token");
    ada.refresh().await.expect_problem(401, "revoked_token");
    let login = |name: &str| json!({ "login": name, "password": password("ada") });
    let deleted = anon.post("/api/auth/login", login("ada")).await;
    let unknown = anon.post("/api/auth/login", login("nobody")).await;
    assert_eq!(deleted.without_request_id(), unknown.without_request_id());
    let heir = anon.post("/api/auth/register", registration("ada")).await;
    heir.expect_status(201);

    let form = json!({ "current_password": password("eve") });
    let answer = browser.post(DELETE, form).await.expect_status(204);
    assert_eq!(answer.header("set-cookie"), None);
    browser
        .get(PROFILE)
        .await
        .expect_problem(401, "revoked_token");
}

#[tokio::test]
async fn the_last_admin_cannot_delete_themselves() {
    let (app, _anon) = TestApp::new().await;
    let ada = app.user("ada").await;
    app.grant("ada", "admin").await;
    let form = || json!({ "current_password": password("ada") });
    ada.post(DELETE, form())
        .await
        .expect_problem(409, "conflict");
    app.user("eve").await;
    app.grant("eve", "admin").await;
    ada.post(DELETE, form()).await.expect_status(204);
}

#[tokio::test]
async fn it_needs_a_session_and_our_own_page() {
    let (app, anon) = TestApp::new().await;
    let browser = app.browser("ada").await;
    for (method, path) in [
        ("GET", PROFILE),
        ("PUT", PROFILE),
        ("PATCH", PROFILE),
        ("POST", DELETE),
    ] {
        let call = anon.call(method, path).json(&json!({}));
        call.await.expect_problem(401, "missing_token");
        if method == "GET" {
            continue;
        }
        let call = browser.call(method, path).json(&json!({}));
        let call = call.header("sec-fetch-site", "cross-site");
        call.header("origin", "https://evil.example")
            .await
            .expect_problem(403, "cross_origin_refused");
    }
}
