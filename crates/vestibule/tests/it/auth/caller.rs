//! Being recognised: which credential of a request counts, what a refused one is told, and what the routes do with
//! other methods.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use insta::{assert_json_snapshot, assert_snapshot};
use serde_json::{Value, json};

use crate::support::{HOUR, MINUTE, TestApp, password};

#[tokio::test]
async fn a_caller_is_shown_as_everybody_may_see_them() {
    let (app, _anon) = TestApp::new().await;
    let ada = app.user("ada").await;
    let answer = ada.get("/api/auth/me").await;
    assert_snapshot!(answer.shown(), @r#"
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
      "name": null,
      "roles": [],
      "updated_at": "2026-01-31T12:00:00.000000Z",
      "username": "ada"
    }
    "#);
    let browser = app.browser("eve").await;
    let answer = browser.get("/api/auth/me").await.expect_status(200);
    assert_eq!(answer.text_at("username"), "eve");
    assert_eq!(answer.header("set-cookie"), None);
}

#[tokio::test]
async fn a_bearer_token_counts_and_a_cookie_beside_it_is_ignored() {
    let (app, _anon) = TestApp::new().await;
    let ada = app.user("ada").await;
    let eve = app.browser("eve").await;
    let answer = eve.get("/api/auth/me").bearer(&ada.access_token).await;
    assert_eq!(answer.expect_status(200).text_at("username"), "ada");
    for unusable in [
        &b"Bearer unknown"[..],
        b"Bearer ",
        b"bearer",
        b"Bearer\tabc",
        b"Bearer abc\xe9",
    ] {
        eve.get("/api/auth/me")
            .header("authorization", unusable)
            .await
            .expect_problem(401, "invalid_token");
    }
}

#[tokio::test]
async fn a_credential_for_somebody_else_is_ignored() {
    let (app, anon) = TestApp::new().await;
    let ada = app.user("ada").await;
    let eve = app.browser("eve").await;
    for other in [
        "Basic ZXZlOmV2ZQ==",
        "Digest username=a",
        "Bearerabc",
        "",
        "\u{e9}",
    ] {
        anon.get("/api/auth/me")
            .header("authorization", other)
            .await
            .expect_problem(401, "missing_token");
        let answer = eve.get("/api/auth/me").header("authorization", other).await;
        assert_eq!(answer.expect_status(200).text_at("username"), "eve");
        let bearer = format!("Bearer {}", ada.access_token);
        let call = anon.get("/api/auth/me").header("authorization", other);
        let answer = call.another("authorization", &bearer).await;
        assert_eq!(answer.expect_status(200).text_at("username"), "ada");
    }
}

#[tokio::test]
async fn a_cookie_beside_anothers_credential_is_judged_as_a_cookie() {
    let (app, _anon) = TestApp::new().await;
    let eve = app.browser("eve").await;
    eve.call("POST", "/api/auth/logout")
        .header("authorization", "Basic ZXZlOmV2ZQ==")
        .header("sec-fetch-site", "cross-site")
        .header("origin", "https://evil.example")
        .await
        .expect_problem(403, "cross_origin_refused");
}

#[tokio::test]
async fn the_scheme_may_be_written_in_any_case() {
    let (app, anon) = TestApp::new().await;
    let ada = app.user("ada").await;
    for scheme in ["bearer", "BEARER", "Bearer"] {
        anon.get("/api/auth/me")
            .header("authorization", format!("{scheme} {}", ada.access_token))
            .await
            .expect_status(200);
    }
}

#[tokio::test]
async fn a_request_with_two_credentials_of_a_kind_has_none() {
    let (app, anon) = TestApp::new().await;
    let ada = app.user("ada").await;
    let value = format!("Bearer {}", ada.access_token);
    anon.get("/api/auth/me")
        .another("authorization", &value)
        .another("authorization", &value)
        .await
        .expect_problem(401, "invalid_token");
    anon.get("/api/auth/me")
        .header("authorization", format!("{value}, {value}"))
        .await
        .expect_problem(401, "invalid_token");
}

#[tokio::test]
async fn no_token_is_read_from_a_url_or_a_body() {
    let (app, anon) = TestApp::new().await;
    let ada = app.user("ada").await;
    let token = &ada.access_token;
    for query in ["access_token", "token", "authorization", "vestibule"] {
        anon.get(&format!("/api/auth/me?{query}={token}"))
            .await
            .expect_problem(401, "missing_token");
    }
    anon.get("/api/auth/me")
        .json(&json!({ "access_token": token }))
        .await
        .expect_problem(401, "missing_token");
}

#[tokio::test]
async fn each_kind_of_token_is_good_for_its_own_purpose_alone() {
    let (app, anon) = TestApp::new().await;
    let ada = app.user("ada").await;
    let eve = app.browser("eve").await;
    let cookie = eve.cookie().expect("a cookie");
    let (_, cookie_value) = cookie.split_once('=').expect("a value");
    for token in [cookie_value, &ada.refresh_token] {
        anon.get("/api/auth/me")
            .bearer(token)
            .await
            .expect_problem(401, "invalid_token");
    }
    for token in [&ada.access_token, &ada.refresh_token] {
        anon.get("/api/auth/me")
            .header("cookie", format!("vestibule={token}"))
            .await
            .expect_problem(401, "invalid_token");
    }
}

#[tokio::test]
async fn refusals_challenge_as_rfc_6750_says() {
    let (app, anon) = TestApp::new().await;
    let ada = app.user("ada").await;
    let missing = anon.get("/api/auth/me").await;
    assert_snapshot!(missing.shown(), @r#"
    401
    cache-control: no-store
    content-type: application/problem+json
    referrer-policy: strict-origin-when-cross-origin
    www-authenticate: Bearer realm="vestibule"
    x-content-type-options: nosniff
    {
      "code": "missing_token",
      "detail": "Send an access token in the header Authorization: Bearer, or the session cookie.",
      "status": 401,
      "title": "Unauthorized",
      "type": "about:blank"
    }
    "#);
    let invalid = anon.get("/api/auth/me").bearer("a.b.c").await;
    assert_snapshot!(invalid.shown(), @r#"
    401
    cache-control: no-store
    content-type: application/problem+json
    referrer-policy: strict-origin-when-cross-origin
    www-authenticate: Bearer realm="vestibule", error="invalid_token"
    x-content-type-options: nosniff
    {
      "code": "invalid_token",
      "detail": "The token or cookie is not valid. Log in again.",
      "status": 401,
      "title": "Unauthorized",
      "type": "about:blank"
    }
    "#);
    app.clock.advance(HOUR);
    let expired = ada.get("/api/auth/me").await;
    assert_snapshot!(expired.shown(), @r#"
    401
    cache-control: no-store
    content-type: application/problem+json
    referrer-policy: strict-origin-when-cross-origin
    www-authenticate: Bearer realm="vestibule", error="invalid_token"
    x-content-type-options: nosniff
    {
      "code": "expired_token",
      "detail": "The token has expired. Refresh it, or log in again.",
      "status": 401,
      "title": "Unauthorized",
      "type": "about:blank"
    }
    "#);
}

#[tokio::test]
async fn an_access_token_is_good_for_a_quarter_of_an_hour() {
    let (app, _anon) = TestApp::new().await;
    let ada = app.user("ada").await;
    app.clock.advance(15 * MINUTE - MINUTE / 60);
    ada.get("/api/auth/me").await.expect_status(200);
    app.clock.advance(MINUTE);
    ada.get("/api/auth/me")
        .await
        .expect_problem(401, "expired_token");
}

#[tokio::test]
async fn a_user_whose_role_is_taken_holds_no_token_any_more() {
    let (app, _anon) = TestApp::new().await;
    let ada = app.user("ada").await;
    app.grant("ada", "staff").await;
    let answer = ada.get("/api/auth/me").await.expect_status(200);
    assert_eq!(answer.json()["roles"], json!(["staff"]));
    let staff = accounts::Role::parse("staff").expect("a role");
    app.operator()
        .change_roles("ada", &[].into(), &[staff].into())
        .await
        .expect("a user");
    ada.get("/api/auth/me")
        .await
        .expect_problem(401, "revoked_token");
}

#[tokio::test]
async fn an_access_token_says_what_rfc_9068_asks_for_and_nothing_personal() {
    let (app, anon) = TestApp::new().await;
    app.user("ada").await;
    app.grant("ada", "staff").await;
    let form = json!({ "login": "ada", "password": password("ada") });
    let session = anon.post("/api/auth/login", form).await;
    let token = session.text_at("access_token");
    let parts: Vec<Value> = token
        .split('.')
        .take(2)
        .map(|part| URL_SAFE_NO_PAD.decode(part).expect("base64url"))
        .map(|part| serde_json::from_slice(&part).expect("JSON"))
        .collect();
    let keys = anon.get("/.well-known/jwks.json").await.json();
    assert_eq!(
        parts[0],
        json!({ "typ": "at+jwt", "alg": "ES256", "kid": keys["keys"][0]["kid"] })
    );
    assert_eq!(parts[1]["sub"], session.json()["user"]["id"]);
    assert_json_snapshot!(parts[1], { ".sub" => "[id]", ".sid" => "[id]", ".jti" => "[id]" }, @r#"
    {
      "aud": "http://localhost:8080",
      "client_id": "vestibule",
      "exp": 1769861700,
      "iat": 1769860800,
      "iss": "http://localhost:8080",
      "jti": "[id]",
      "roles": [
        "staff"
      ],
      "sid": "[id]",
      "sub": "[id]"
    }
    "#);
}

#[tokio::test]
async fn the_public_keys_are_published_for_everybody() {
    let (_app, anon) = TestApp::new().await;
    let answer = anon.get("/.well-known/jwks.json").await;
    assert_snapshot!(answer.shown(), @r#"
    200
    access-control-allow-origin: *
    cache-control: public, max-age=300
    content-type: application/jwk-set+json
    referrer-policy: strict-origin-when-cross-origin
    x-content-type-options: nosniff
    {
      "keys": [
        {
          "alg": "ES256",
          "crv": "P-256",
          "kid": "[kid]",
          "kty": "EC",
          "use": "sig",
          "x": "[x]",
          "y": "[y]"
        }
      ]
    }
    "#);
}

#[tokio::test]
async fn another_method_is_refused_with_those_that_are_allowed() {
    let (_app, anon) = TestApp::new().await;
    let answer = anon.call("DELETE", "/api/auth/me").await;
    assert_snapshot!(answer.shown(), @r#"
    405
    allow: GET,HEAD
    cache-control: no-store
    content-type: application/problem+json
    referrer-policy: strict-origin-when-cross-origin
    x-content-type-options: nosniff
    {
      "code": "method_not_allowed",
      "detail": "/api/auth/me does not take this method; see the header Allow.",
      "status": 405,
      "title": "Method Not Allowed",
      "type": "about:blank"
    }
    "#);
}

#[tokio::test]
async fn a_head_is_answered_like_a_get_without_its_body() {
    let (app, _anon) = TestApp::new().await;
    let ada = app.user("ada").await;
    let get = ada.get("/api/auth/me").await.expect_status(200);
    let head = ada.call("HEAD", "/api/auth/me").await.expect_status(200);
    assert!(head.body.is_empty());
    assert_eq!(head.header("content-type"), get.header("content-type"));
}

#[tokio::test]
async fn an_unknown_route_of_the_api_is_the_same_404_in_every_spelling() {
    let (_app, anon) = TestApp::with_site(&[]).await;
    let unknown = anon.get("/api/unknown").await;
    assert_snapshot!(unknown.shown(), @r#"
    404
    cache-control: no-store
    content-type: application/problem+json
    referrer-policy: strict-origin-when-cross-origin
    x-content-type-options: nosniff
    {
      "code": "not_found",
      "detail": "There is nothing here.",
      "status": 404,
      "title": "Not Found",
      "type": "about:blank"
    }
    "#);
    // Told of the slash, whatever stands before it.
    let slashed = anon.get("/api/unknown/").await;
    for path in [
        "/api",
        "/api/",
        "/api/auth",
        "/api/auth/",
        "/api/auth/me/",
        "/api/auth/login/",
        "/api/auth//me",
        "/api//auth/me",
        "/api/auth/%6de",
        "/api/AUTH/me",
        "/api/auth/me/..",
        "/api/auth/../auth/me",
        "/api/%2e%2e/members/",
        "/api/index.html",
        "/api/ui/",
    ] {
        for method in ["GET", "POST", "DELETE"] {
            let answer = anon.call(method, path).await;
            let expected = match path.ends_with('/') {
                true => &slashed,
                false => &unknown,
            };
            assert_eq!(
                answer.without_request_id(),
                expected.without_request_id(),
                "{method} {path}"
            );
        }
    }
}
