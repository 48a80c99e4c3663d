//! The token endpoint of RFC 6749: what clients of other servers send, and what they may expect.

use insta::assert_snapshot;
use serde_json::{Value, json};
use url::form_urlencoded::Serializer;

use crate::support::{Answer, Client, TestApp, password};

const TOKEN: &str = "/api/auth/token";
const FORM: &str = "application/x-www-form-urlencoded";

async fn ask(client: &Client, parameters: &[(&str, &str)]) -> Answer {
    let mut form = Serializer::new(String::new());
    form.extend_pairs(parameters);
    send(client, form.finish()).await
}

async fn send(client: &Client, body: impl Into<Vec<u8>>) -> Answer {
    client
        .call("POST", TOKEN)
        .without("authorization")
        .header("content-type", FORM)
        .body(body)
        .await
}

/// An error response of RFC 6749 section 5.2.
#[track_caller]
fn expect_error(answer: &Answer, status: u16, error: &str) {
    let body = answer.json();
    assert_eq!(
        (answer.status, body["error"].as_str()),
        (status, Some(error)),
        "{}",
        answer.shown()
    );
    let names: Vec<_> = body.as_object().expect("an object").keys().collect();
    assert_eq!(names, ["error", "error_description"]);
    let description = body["error_description"].as_str().expect("a text");
    // RFC 6749 section 5.2 allows these characters and no others.
    let allowed = |letter: char| matches!(letter, ' '..='!' | '#'..='[' | ']'..='~');
    assert!(description.chars().all(allowed), "{description}");
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    assert_eq!(answer.header("pragma"), Some("no-cache"));
}

#[tokio::test]
async fn a_name_and_a_password_give_tokens_in_the_form_of_the_rfc() {
    let (test, anon) = TestApp::new().await;
    test.user("ada").await;
    let login = [
        ("grant_type", "password"),
        ("username", "ada"),
        ("password", &password("ada")),
    ];
    let answer = ask(&anon, &login).await;
    assert_snapshot!(answer.shown().replace("vary: origin\n", ""), @r#"
    200
    cache-control: no-store
    content-type: application/json
    pragma: no-cache
    referrer-policy: strict-origin-when-cross-origin
    x-content-type-options: nosniff
    {
      "access_token": "[access_token]",
      "expires_in": 900,
      "refresh_token": "[refresh_token]",
      "token_type": "Bearer"
    }
    "#);
    let token = answer.text_at("access_token");
    anon.get("/api/auth/me")
        .bearer(&token)
        .await
        .expect_status(200);

    let refresh = [
        ("grant_type", "refresh_token"),
        ("refresh_token", &answer.text_at("refresh_token")),
    ];
    let next = ask(&anon, &refresh).await.expect_status(200);
    assert_ne!(
        next.text_at("refresh_token"),
        answer.text_at("refresh_token")
    );
    anon.post(
        "/api/auth/refresh",
        json!({"refresh_token": next.text_at("refresh_token")}),
    )
    .await
    .expect_status(200);
}

#[tokio::test]
async fn what_other_servers_want_to_know_is_ignored() {
    let (test, anon) = TestApp::new().await;
    test.user("ada").await;
    let password = password("ada");
    let login = [("username", "ada@example.org"), ("password", &password)];
    for more in [
        &[
            ("grant_type", "password"),
            ("scope", "read write"),
            ("client_id", "app"),
            ("client_secret", "x"),
        ][..],
        &[
            ("grant_type", "password"),
            ("scope", ""),
            ("client_id", ""),
            ("client_secret", ""),
        ],
        // As a form of FastAPI's may be filled in.
        &[],
        &[("grant_type", "")],
        &[
            ("grant_type", "password"),
            ("role", "admin"),
            ("resource", "a"),
            ("resource", "b"),
        ],
    ] {
        let answer = ask(&anon, &[&login, more].concat()).await;
        assert_eq!(answer.status, 200, "{more:?}: {}", answer.shown());
    }
    // An empty name and an empty password, which Swagger UI sends for a client without either.
    for basic in ["Basic Og==", "Basic YXBwOnNlY3JldA==", "Basic !"] {
        let form = format!(
            "grant_type=password&username=ada&password={}",
            password.replace(' ', "+")
        );
        anon.call("POST", TOKEN)
            .header("authorization", basic)
            .header(
                "content-type",
                "application/x-www-form-urlencoded; charset=UTF-8",
            )
            .body(form)
            .await
            .expect_status(200);
    }
}

#[tokio::test]
async fn what_is_wrong_with_a_request_is_said_in_the_words_of_the_rfc() {
    let (test, anon) = TestApp::new().await;
    test.user("ada").await;
    for body in [
        "",
        "&&&",
        "=",
        "grant_type=password",
        "grant_type=password&username=ada",
        "grant_type=password&username=ada&password=",
        "grant_type=password&username=&password=x",
        "grant_type=refresh_token",
        "password=x",
        "grant_type=password&grant_type=password&username=ada&password=x",
        "grant_type=password&username=ada&username=eve&password=x",
        "username=ada&password=x&password=",
        "grant_type=password&username=ada&password=%ff",
        "grant_type=password&username=ada&password=%c3",
        "grant_type=password&username=ada&password=x&other=%f0%9f",
    ] {
        expect_error(&send(&anon, body).await, 400, "invalid_request");
    }
    expect_error(
        &send(&anon, &b"username=ada&password=\xff"[..]).await,
        400,
        "invalid_request",
    );
    let long = format!("username=ada&password={}", "x".repeat(2_000));
    expect_error(&send(&anon, long).await, 400, "invalid_request");
    for grant in [
        "authorization_code",
        "client_credentials",
        "PASSWORD",
        "password ",
    ] {
        let answer = ask(
            &anon,
            &[("grant_type", grant), ("username", "a"), ("password", "b")],
        )
        .await;
        expect_error(&answer, 400, "unsupported_grant_type");
    }
    for (kind, body) in [
        (
            "application/json",
            json!({"username": "ada", "password": password("ada")}).to_string(),
        ),
        (
            "text/plain",
            format!("username=ada&password={}", password("ada")),
        ),
        ("multipart/form-data; boundary=x", "--x--".to_owned()),
    ] {
        let answer = anon
            .call("POST", TOKEN)
            .header("content-type", kind)
            .body(body)
            .await;
        expect_error(&answer, 400, "invalid_request");
    }
    anon.get(TOKEN)
        .await
        .expect_problem(405, "method_not_allowed");
    send(&anon, vec![b'a'; 70_000])
        .await
        .expect_problem(413, "payload_too_large");
}

#[tokio::test]
async fn a_wrong_password_and_an_unknown_name_look_the_same() {
    let (test, anon) = TestApp::new().await;
    test.user("ada").await;
    test.user("eve").await;
    test.operator().disable("eve").await.expect("disabled");
    let mut answers = Vec::new();
    for (name, password) in [
        ("ada", "wrong"),
        ("nobody", "wrong"),
        ("eve", &password("eve")),
    ] {
        let answer = ask(&anon, &[("username", name), ("password", password)]).await;
        expect_error(&answer, 400, "invalid_grant");
        answers.push(answer.without_request_id());
    }
    assert_eq!(answers[0], answers[1]);
    assert_eq!(answers[0], answers[2]);
}

#[tokio::test]
async fn a_password_is_the_one_that_was_typed() {
    let (_test, anon) = TestApp::new().await;
    for (name, password) in [
        ("ada", "100% sure + more & = ; so"),
        ("eve", "snow ☃ and a \u{fffd} mark"),
    ] {
        let form: Value = json!({"email": format!("{name}@example.org"), "password": password});
        anon.post("/api/auth/register", form)
            .await
            .expect_status(201);
        let email = format!("{name}@example.org");
        ask(&anon, &[("username", &email), ("password", password)])
            .await
            .expect_status(200);
    }
}

#[tokio::test]
async fn a_refresh_token_is_spent_as_elsewhere() {
    let (test, anon) = TestApp::new().await;
    let ada = test.user("ada").await;
    let refresh = async |token: &str| {
        ask(
            &anon,
            &[("grant_type", "refresh_token"), ("refresh_token", token)],
        )
        .await
    };
    expect_error(&refresh("made up").await, 400, "invalid_grant");
    let first = ada.refresh_token.clone();
    let second = refresh(&first)
        .await
        .expect_status(200)
        .text_at("refresh_token");
    let third = refresh(&second).await.expect_status(200);
    expect_error(&refresh(&first).await, 400, "invalid_grant");
    anon.get("/api/auth/me")
        .bearer(&third.text_at("access_token"))
        .await
        .expect_problem(401, "revoked_token");
}

#[tokio::test]
async fn limits_hold_and_say_when_to_come_back() {
    let (test, anon) = TestApp::with(&[("limits.login_per_account", "3/15m")]).await;
    test.user("ada").await;
    let attempt =
        async |password: &str| ask(&anon, &[("username", "ada"), ("password", password)]).await;
    for _ in 0..3 {
        expect_error(&attempt("wrong").await, 400, "invalid_grant");
    }
    let limited = attempt(&password("ada")).await;
    expect_error(&limited, 429, "rate_limited");
    assert_eq!(limited.header("retry-after"), Some("960"));
    assert!(limited.header("ratelimit").is_some() && limited.header("ratelimit-policy").is_some());
}

#[tokio::test]
async fn without_a_database_it_is_temporarily_unavailable() {
    let (mut test, anon) = TestApp::new().await;
    test.lose_database().await;
    let answer = ask(&anon, &[("username", "ada"), ("password", "some password")]).await;
    expect_error(&answer, 503, "temporarily_unavailable");
    assert!(answer.header("retry-after").is_some());
}

#[tokio::test]
async fn a_foreign_page_opens_no_session_with_a_form_of_its_own() {
    let (test, anon) = TestApp::new().await;
    test.user("ada").await;
    let form = format!(
        "username=ada&password={}",
        password("ada").replace(' ', "+")
    );
    for (name, value) in [
        ("origin", "https://evil.example"),
        ("origin", "null"),
        ("sec-fetch-site", "cross-site"),
        ("sec-fetch-site", "same-site"),
    ] {
        anon.call("POST", TOKEN)
            .header("content-type", FORM)
            .header(name, value)
            .body(form.clone())
            .await
            .expect_problem(403, "cross_origin_refused");
    }
    let own = test.stranger_in_browser();
    own.call("POST", TOKEN)
        .header("content-type", FORM)
        .body(form)
        .await
        .expect_status(200);
}
