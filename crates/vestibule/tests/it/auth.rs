//! `/api/auth`: registering and logging in. What follows a login is beside this: refreshing, logging out, and being
//! recognised.

mod caller;
mod forged;
mod logout;
mod refresh;

use insta::assert_snapshot;
use serde_json::{Value, json};

use crate::support::{TestApp, email, password, registration};

#[tokio::test]
async fn registering_opens_a_session_with_tokens() {
    let (_app, anon) = TestApp::new().await;
    let mut form = registration("ada");
    form["name"] = json!("Ada Lovelace");
    let answer = anon.post("/api/auth/register", form).await;
    assert_snapshot!(answer.shown(), @r#"
    201
    cache-control: no-store
    content-type: application/json
    location: /api/user/profile
    ratelimit-policy: "register_per_ip";q=20;w=3600
    ratelimit: "register_per_ip";r=19;t=3840
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
        "name": "Ada Lovelace",
        "roles": [],
        "updated_at": "2026-01-31T12:00:00.000000Z",
        "username": "ada"
      }
    }
    "#);
    let access_token = answer.text_at("access_token");
    assert_eq!(access_token.split('.').count(), 3, "a JWT");
    anon.get("/api/auth/me")
        .bearer(&access_token)
        .await
        .expect_status(200);
}

#[tokio::test]
async fn registering_can_open_a_session_with_a_cookie() {
    let (_app, anon) = TestApp::new().await;
    let form = json!({ "email": email("ada"), "password": password("ada"), "mode": "cookie" });
    let answer = anon.post("/api/auth/register", form).await;
    assert_snapshot!(answer.shown(), @r#"
    201
    cache-control: no-store
    content-type: application/json
    location: /api/user/profile
    ratelimit-policy: "register_per_ip";q=20;w=3600
    ratelimit: "register_per_ip";r=19;t=3840
    referrer-policy: strict-origin-when-cross-origin
    set-cookie: vestibule=[cookie]; HttpOnly; SameSite=Lax; Path=/; Max-Age=2592000
    x-content-type-options: nosniff
    {
      "expires_in": 2592000,
      "user": {
        "created_at": "2026-01-31T12:00:00.000000Z",
        "email": "ada@example.org",
        "email_verified": false,
        "id": "[id]",
        "name": null,
        "roles": [],
        "updated_at": "2026-01-31T12:00:00.000000Z",
        "username": null
      }
    }
    "#);
}

#[tokio::test]
async fn logging_in_opens_a_session_with_tokens() {
    let (app, anon) = TestApp::new().await;
    app.user("ada").await;
    let form = json!({ "login": "ada", "password": password("ada"), "mode": "token" });
    let answer = anon.post("/api/auth/login", form).await;
    assert_snapshot!(answer.shown(), @r#"
    200
    cache-control: no-store
    content-type: application/json
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
}

#[tokio::test]
async fn a_user_logs_in_by_any_name_under_any_of_the_three_keys() {
    let (app, anon) = TestApp::new().await;
    app.user("ada").await;
    for key in ["login", "email", "username"] {
        for name in ["ada", "ADA", "ada@example.org", " Ada@EXAMPLE.org "] {
            let form = json!({ key: name, "password": password("ada") });
            let answer = anon.post("/api/auth/login", form).await.expect_status(200);
            assert_eq!(answer.json()["user"]["username"], "ada", "{key}: {name}");
        }
    }
}

#[tokio::test]
async fn every_login_opens_a_session_of_its_own() {
    let (app, anon) = TestApp::new().await;
    let browser = app.browser("ada").await;
    let first = browser.cookie();
    let form = json!({ "login": "ada", "password": password("ada"), "mode": "cookie" });
    browser
        .post("/api/auth/login", form)
        .await
        .expect_status(200);
    let second = browser.cookie();
    assert_ne!(first, second);
    browser
        .post("/api/auth/logout", json!({}))
        .await
        .expect_status(204);
    let with = |cookie: Option<String>| {
        anon.get("/api/auth/me")
            .header("cookie", cookie.expect("a cookie"))
    };
    with(second).await.expect_problem(401, "revoked_token");
    with(first).await.expect_status(200);
}

#[tokio::test]
async fn whoever_may_not_log_in_gets_the_same_answer_for_whatever_reason() {
    let (app, anon) = TestApp::new().await;
    app.user("ada").await;
    app.user("eve").await;
    app.operator().disable("eve").await.expect("a user");
    let refused = |login: &str, password: String| {
        anon.post(
            "/api/auth/login",
            json!({ "login": login, "password": password }),
        )
    };
    let wrong = refused("ada", password("eve")).await;
    assert_snapshot!(wrong.shown(), @r#"
    401
    cache-control: no-store
    content-type: application/problem+json
    referrer-policy: strict-origin-when-cross-origin
    www-authenticate: Bearer realm="vestibule"
    x-content-type-options: nosniff
    {
      "code": "invalid_credentials",
      "detail": "The name or the password is wrong.",
      "status": 401,
      "title": "Unauthorized",
      "type": "about:blank"
    }
    "#);
    for (login, password) in [
        ("nobody", password("ada")),
        ("nobody@example.org", password("ada")),
        ("eve", password("eve")),
        ("eve@example.org", password("eve")),
        ("eve", password("ada")),
        ("ada", String::new()),
        ("ada", "\0".to_owned()),
        ("", password("ada")),
        ("ada\0", password("ada")),
        ("a\u{202e}da", password("ada")),
        ("ad'; --", password("ada")),
    ] {
        let answer = refused(login, password).await;
        assert_eq!(
            answer.without_request_id(),
            wrong.without_request_id(),
            "{login:?}"
        );
    }
}

#[tokio::test]
async fn a_password_that_is_too_long_to_be_one_is_refused_for_every_name() {
    let (app, anon) = TestApp::new().await;
    app.user("ada").await;
    let refused = |login: &str| {
        anon.post(
            "/api/auth/login",
            json!({ "login": login, "password": "é".repeat(257) }),
        )
    };
    let known = refused("ada")
        .await
        .expect_problem(422, "validation_failed");
    assert_eq!(known.broken_fields(), ["password too_long"]);
    let unknown = refused("nobody").await;
    assert_eq!(known.without_request_id(), unknown.without_request_id());
    let longest = json!({ "login": "ada", "password": "é".repeat(256) });
    anon.post("/api/auth/login", longest)
        .await
        .expect_problem(401, "invalid_credentials");
}

#[tokio::test]
async fn taken_names_are_refused_whatever_their_case() {
    let (app, anon) = TestApp::new().await;
    app.user("ada").await;
    let form = json!({ "email": "ADA@Example.ORG", "password": password("eve") });
    let answer = anon.post("/api/auth/register", form).await;
    assert_snapshot!(answer.shown(), @r#"
    409
    cache-control: no-store
    content-type: application/problem+json
    referrer-policy: strict-origin-when-cross-origin
    x-content-type-options: nosniff
    {
      "code": "email_taken",
      "detail": "An account with this e-mail address exists.",
      "errors": [
        {
          "code": "taken",
          "field": "email",
          "message": "An account with this e-mail address exists."
        }
      ],
      "status": 409,
      "title": "Conflict",
      "type": "about:blank"
    }
    "#);
    let form = json!({ "email": email("eve"), "username": "ADA", "password": password("eve") });
    let answer = anon
        .post("/api/auth/register", form)
        .await
        .expect_problem(409, "username_taken");
    assert_eq!(answer.broken_fields(), ["username taken"]);
    anon.post("/api/auth/register", registration("eve"))
        .await
        .expect_status(201);
}

#[tokio::test]
async fn closed_registration_refuses_before_it_looks_at_the_form() {
    let (_app, anon) = TestApp::with(&[("registration", "closed")]).await;
    let answer = anon.post("/api/auth/register", registration("ada")).await;
    assert_snapshot!(answer.shown(), @r#"
    403
    cache-control: no-store
    content-type: application/problem+json
    referrer-policy: strict-origin-when-cross-origin
    x-content-type-options: nosniff
    {
      "code": "registration_closed",
      "detail": "Registration is closed. Ask the operator of this site for an account.",
      "status": 403,
      "title": "Forbidden",
      "type": "about:blank"
    }
    "#);
}

#[tokio::test]
async fn every_broken_rule_names_its_field() {
    let (_app, anon) = TestApp::new().await;
    let good = json!({
        "email": "ada@example.org", "username": "ada", "name": "Ada", "password": "a long password",
    });
    let cases: [(Value, &[&str]); 26] = [
        (json!({ "email": "" }), &["email invalid_email"]),
        (json!({ "email": "ada" }), &["email invalid_email"]),
        (
            json!({ "email": "a@b@example.org" }),
            &["email invalid_email"],
        ),
        (
            json!({ "email": "a\r\nb@example.org" }),
            &["email control_character"],
        ),
        (
            json!({ "email": format!("{}@example.org", "a".repeat(250)) }),
            &["email too_long"],
        ),
        (json!({ "email": null }), &["email required"]),
        (json!({ "email": ["a@example.org"] }), &["email wrong_type"]),
        (json!({ "username": "ab" }), &["username invalid_username"]),
        (
            json!({ "username": "-ada" }),
            &["username invalid_username"],
        ),
        (
            json!({ "username": "ada@example.org" }),
            &["username invalid_username"],
        ),
        (
            json!({ "username": "a".repeat(33) }),
            &["username invalid_username"],
        ),
        (json!({ "username": 7 }), &["username wrong_type"]),
        (json!({ "name": "Ada\u{7}" }), &["name control_character"]),
        (
            json!({ "name": "Ada\u{202e}" }),
            &["name control_character"],
        ),
        (json!({ "name": "a".repeat(5000) }), &["name too_long"]),
        (json!({ "name": {} }), &["name wrong_type"]),
        (json!({ "password": "short" }), &["password too_short"]),
        (
            json!({ "password": "password" }),
            &["password common_password"],
        ),
        (
            json!({ "password": "ADA@example.org" }),
            &["password password_is_name"],
        ),
        (
            json!({ "password": "Vestibule" }),
            &["password password_is_name"],
        ),
        (
            json!({ "password": "a".repeat(257) }),
            &["password too_long"],
        ),
        (
            json!({ "password": "nul\0 in the middle" }),
            &["password nul_character"],
        ),
        (json!({ "password": true }), &["password wrong_type"]),
        (json!({ "mode": "both" }), &["mode not_a_choice"]),
        (json!({ "role": "admin" }), &["role unknown_field"]),
        (
            json!({ "email": "ada", "username": "-", "password": "short" }),
            &[
                "email invalid_email",
                "username invalid_username",
                "password too_short",
            ],
        ),
    ];
    for (change, expected) in cases {
        let mut form = good.clone();
        for (key, value) in change.as_object().expect("fields") {
            form[key] = value.clone();
        }
        let answer = anon
            .post("/api/auth/register", form)
            .await
            .expect_problem(422, "validation_failed");
        assert_eq!(answer.broken_fields(), expected, "{change}");
    }
    anon.post("/api/auth/register", good)
        .await
        .expect_status(201);
}

#[tokio::test]
async fn a_validation_problem_shows_what_to_do() {
    let (_app, anon) = TestApp::new().await;
    let form = json!({ "email": "ada", "password": "short", "roles": ["admin"] });
    let answer = anon.post("/api/auth/register", form).await;
    assert_snapshot!(answer.shown(), @r#"
    422
    cache-control: no-store
    content-type: application/problem+json
    referrer-policy: strict-origin-when-cross-origin
    x-content-type-options: nosniff
    {
      "code": "validation_failed",
      "detail": "Some fields are not acceptable; see errors.",
      "errors": [
        {
          "code": "unknown_field",
          "field": "roles",
          "message": "There is no such field here. Leave it out."
        }
      ],
      "status": 422,
      "title": "Unprocessable Entity",
      "type": "about:blank"
    }
    "#);
    let form = json!({ "email": "ada", "password": "short" });
    let answer = anon.post("/api/auth/register", form).await;
    assert_eq!(
        answer.broken_fields(),
        ["email invalid_email", "password too_short"]
    );
}

#[tokio::test]
async fn a_login_needs_one_name_and_a_password() {
    let (_app, anon) = TestApp::new().await;
    for (form, expected) in [
        (json!({}), &["login required", "password required"][..]),
        (
            json!({ "login": "a", "password": 7 }),
            &["password wrong_type"],
        ),
        (
            json!({ "login": 7, "password": "a" }),
            &["login wrong_type"],
        ),
        (
            json!({ "email": [], "password": "a" }),
            &["email wrong_type"],
        ),
        (
            json!({ "login": "a", "email": "a", "password": "a" }),
            &["login ambiguous", "email ambiguous"],
        ),
        (
            json!({ "email": "a", "username": "a", "password": "a" }),
            &["email ambiguous", "username ambiguous"],
        ),
        (
            json!({ "login": "a", "password": "a", "mode": null, "role": "admin" }),
            &["role unknown_field"],
        ),
        (
            json!({ "login": "a", "password": "a", "mode": 1 }),
            &["mode wrong_type"],
        ),
    ] {
        let answer = anon
            .post("/api/auth/login", form.clone())
            .await
            .expect_problem(422, "validation_failed");
        assert_eq!(answer.broken_fields(), expected, "{form}");
    }
}

#[tokio::test]
async fn a_body_that_is_not_one_json_object_is_malformed() {
    let (_app, anon) = TestApp::new().await;
    let deep = format!("{{\"login\":{}{}}}", "[".repeat(32), "]".repeat(32));
    let bodies: [&[u8]; 11] = [
        b"",
        b"{",
        b"[]",
        b"null",
        b"\"text\"",
        b"{} {}",
        b"{\"login\": \"a\", \"login\": \"b\", \"password\": \"c\"}",
        b"{\"login\": \"a\", \"\\u006cogin\": \"b\", \"password\": \"c\"}",
        b"{\"login\": \"\xff\"}",
        b"login=a&password=b",
        deep.as_bytes(),
    ];
    for route in ["register", "login", "refresh"] {
        // A refresh without a body is one by cookie.
        let is_form = |body: &&[u8]| route != "refresh" || !body.is_empty();
        for body in bodies.into_iter().filter(is_form) {
            anon.call("POST", &format!("/api/auth/{route}"))
                .header("content-type", "application/json")
                .body(body)
                .await
                .expect_problem(400, "malformed_request");
        }
    }
}

#[tokio::test]
async fn only_json_is_read() {
    let (app, anon) = TestApp::new().await;
    app.user("ada").await;
    let form = json!({ "login": "ada", "password": password("ada") }).to_string();
    let login = || anon.call("POST", "/api/auth/login").body(form.clone());
    for kind in [
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=a",
        "text/plain",
        "text/plain; application/json",
        "text/json",
        "application/json-patch+json",
        "application/merge-patch+json",
        "application/json; charset=utf-16",
        "",
        "\u{e9}",
    ] {
        login()
            .header("content-type", kind)
            .await
            .expect_problem(415, "unsupported_media_type");
    }
    login().await.expect_problem(415, "unsupported_media_type");
    login()
        .header("content-type", "application/json")
        .another("content-type", "text/plain")
        .await
        .expect_problem(415, "unsupported_media_type");
    for kind in [
        "application/json",
        "Application/JSON; charset=UTF-8",
        "application/json;charset=\"utf-8\"",
    ] {
        login()
            .header("content-type", kind)
            .await
            .expect_status(200);
    }
}

#[tokio::test]
async fn a_body_over_64_kib_is_too_large() {
    let (_app, anon) = TestApp::new().await;
    let padded = |bytes: usize| {
        let form = json!({ "login": "ada", "password": "a", "mode": null }).to_string();
        format!("{form}{}", " ".repeat(bytes - form.len()))
    };
    let login = |bytes| {
        anon.call("POST", "/api/auth/login")
            .header("content-type", "application/json")
            .body(padded(bytes))
    };
    login(64 * 1024)
        .await
        .expect_problem(401, "invalid_credentials");
    login(64 * 1024 + 1)
        .await
        .expect_problem(413, "payload_too_large");
}

#[tokio::test]
async fn under_bcrypt_a_password_over_72_bytes_is_refused_and_never_cut() {
    let (_app, anon) = TestApp::with(&[("password.algorithm", "bcrypt")]).await;
    let mut form = registration("ada");
    form["password"] = json!("é".repeat(37));
    let answer = anon
        .post("/api/auth/register", form.clone())
        .await
        .expect_problem(422, "validation_failed");
    assert_eq!(answer.broken_fields(), ["password too_long"]);
    let message = &answer.json()["errors"][0]["message"];
    assert_eq!(
        message,
        "A password has at most 72 bytes here, where most letters are one byte and others two to four; this has 74."
    );

    form["password"] = json!("é".repeat(36));
    anon.post("/api/auth/register", form.clone())
        .await
        .expect_status(201);
    let login = |password: String| json!({ "login": "ada", "password": password });
    anon.post("/api/auth/login", login("é".repeat(36)))
        .await
        .expect_status(200);
    anon.post("/api/auth/login", login("é".repeat(37)))
        .await
        .expect_status(401);
}
