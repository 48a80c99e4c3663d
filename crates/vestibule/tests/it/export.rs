//! The export: everything about a user as one file, read as fast as the client does, and never half a file that looks
//! whole.

use axum::body::BodyDataStream;
use futures_util::StreamExt as _;
use insta::assert_snapshot;
use serde_json::{Value, json};

use crate::support::{Call, Client, HOUR, MINUTE, TestApp, password};

const EXPORT: &str = "/api/user/export";

fn put(client: &Client, key: &str, content: impl Into<Vec<u8>>) -> Call {
    let call = client.call("PUT", &format!("/api/user/data/{key}"));
    call.header("content-type", "application/json")
        .body(content)
}

/// Keeps so many documents of the largest size.
async fn fill(client: &Client, documents: usize) {
    for number in 0..documents {
        let content = format!("\"{}\"", "a".repeat(65_534));
        put(client, &format!("k{number}"), content)
            .await
            .expect_status(201);
    }
}

/// The pieces of an export that has begun.
async fn pieces(client: &Client) -> BodyDataStream {
    let answer = client.get(EXPORT).streamed().await;
    assert_eq!(answer.status(), 200);
    answer.into_body().into_data_stream()
}

fn items<'a>(export: &'a Value, list: &str) -> &'a Vec<Value> {
    export[list]
        .as_array()
        .unwrap_or_else(|| panic!("no {list}"))
}

#[tokio::test]
async fn everything_about_a_user_is_one_json_file_to_save() {
    let (app, _anon) = TestApp::new().await;
    let ada = app.user("ada").await;
    let content = " {\"zoom\": 1.0} ";
    put(&ada, "settings", content).await.expect_status(201);
    let export = ada.get(EXPORT).await.expect_status(200);
    for (header, value) in [
        ("content-type", "application/json"),
        (
            "content-disposition",
            "attachment; filename=\"vestibule-export-2026-01-31.json\"",
        ),
        ("ratelimit-policy", "\"export_per_account\";q=5;w=3600"),
    ] {
        assert_eq!(export.header(header), Some(value));
    }
    // In the spelling in which it was received.
    assert!(
        export.text().contains("\"content\":{\"zoom\": 1.0}}"),
        "{}",
        export.text()
    );
    let redactions = [
        "/user/id",
        "/sessions/0/id",
        "/audit_events/0/id",
        "/audit_events/0/subject",
        "/audit_events/0/actor/id",
        "/audit_events/0/request_id",
        "/documents/0/etag",
    ];
    let mut json = export.json();
    for place in redactions {
        *json.pointer_mut(place).expect(place) = "[redacted]".into();
    }
    assert_snapshot!(format!("{json:#}"), @r#"
    {
      "audit_events": [
        {
          "actor": {
            "id": "[redacted]",
            "kind": "user"
          },
          "address": "192.0.2.1",
          "at": "2026-01-31T12:00:00.000000Z",
          "detail": null,
          "event": "registered",
          "id": "[redacted]",
          "request_id": "[redacted]",
          "subject": "[redacted]",
          "user_agent": null
        }
      ],
      "documents": [
        {
          "content": {
            "zoom": 1.0
          },
          "created_at": "2026-01-31T12:00:00.000000Z",
          "etag": "[redacted]",
          "key": "settings",
          "size": 15,
          "updated_at": "2026-01-31T12:00:00.000000Z"
        }
      ],
      "exported_at": "2026-01-31T12:00:00.000000Z",
      "sessions": [
        {
          "address": "192.0.2.1",
          "created_at": "2026-01-31T12:00:00.000000Z",
          "current": true,
          "device": null,
          "expires_at": "2026-03-02T12:00:00.000000Z",
          "id": "[redacted]",
          "kind": "token",
          "last_used_at": "2026-01-31T12:00:00.000000Z"
        }
      ],
      "todos": [],
      "user": {
        "created_at": "2026-01-31T12:00:00.000000Z",
        "email": "ada@example.org",
        "email_verified": false,
        "id": "[redacted]",
        "name": null,
        "roles": [],
        "updated_at": "2026-01-31T12:00:00.000000Z",
        "username": "ada"
      }
    }
    "#);
    let head = ada.call("HEAD", EXPORT).await.expect_status(200);
    assert!(head.body.is_empty());
    let disposition = "content-disposition";
    assert_eq!(head.header(disposition), export.header(disposition));
}

#[tokio::test]
async fn who_has_nothing_more_gets_empty_lists() {
    let (app, _anon) = TestApp::new().await;
    let ada = app.browser("ada").await;
    let export = ada.get(EXPORT).await.expect_status(200).json();
    assert_eq!(items(&export, "documents"), &[] as &[Value]);
    let [session] = items(&export, "sessions").as_slice() else {
        panic!("not one session: {export}");
    };
    assert_eq!(
        (&session["kind"], &session["current"]),
        (&json!("cookie"), &json!(true))
    );
    assert_eq!(items(&export, "audit_events").len(), 1);
    assert_eq!(export["user"], ada.get("/api/auth/me").await.json());
}

#[tokio::test]
async fn no_secret_and_nothing_of_others_is_in_it() {
    let (app, _anon) = TestApp::new().await;
    let (mut ada, eve) = (app.user("ada").await, app.user("eve").await);
    put(&eve, "hers", "\"of eve\"").await.expect_status(201);
    let first = ada.refresh_token.clone();
    ada.refresh().await.expect_status(200);
    let text = ada.get(EXPORT).await.expect_status(200).text();
    let id = eve.get("/api/auth/me").await.text_at("id");
    let secrets = [
        &first,
        &ada.refresh_token,
        &ada.access_token,
        &password("ada"),
        &id,
    ];
    for secret in secrets.map(String::as_str).into_iter().chain([
        "argon2",
        "hash",
        "nonce",
        "generation",
        "of eve",
    ]) {
        assert!(!text.contains(secret), "{secret} in {text}");
    }
}

#[tokio::test]
async fn pages_of_every_list_make_one_list_and_no_piece_is_large() {
    let (app, _anon) = TestApp::with(&[
        ("limits.login_per_ip", "off"),
        ("limits.login_per_account", "off"),
    ])
    .await;
    let ada = app.user("ada").await;
    fill(&ada, 100).await;
    for _ in 0..205 {
        let form = json!({ "login": "ada", "password": password("ada") });
        app.stranger()
            .post("/api/auth/login", form)
            .await
            .expect_status(200);
    }
    let mut whole = Vec::new();
    let mut coming = pieces(&ada).await;
    while let Some(piece) = coming.next().await {
        let piece = piece.expect("it is whole");
        assert!(piece.len() < 2 << 20, "{} bytes at once", piece.len());
        whole.extend(piece);
    }
    assert!(whole.ends_with(b"]}\n"));
    let export: Value = serde_json::from_slice(&whole).expect("JSON");
    assert_eq!(items(&export, "sessions").len(), 206);
    assert_eq!(items(&export, "audit_events").len(), 206);
    assert_eq!(items(&export, "documents").len(), 100);
    for list in ["sessions", "audit_events"] {
        let ids: std::collections::BTreeSet<_> = items(&export, list)
            .iter()
            .map(|item| item["id"].to_string())
            .collect();
        assert_eq!(ids.len(), 206, "each is there once");
    }
}

#[tokio::test]
async fn the_sixth_export_within_an_hour_is_refused() {
    let (app, _anon) = TestApp::new().await;
    let (ada, eve) = (app.user("ada").await, app.user("eve").await);
    for left in (0..5).rev() {
        let answer = ada.get(EXPORT).await.expect_status(200);
        let told = answer.header("ratelimit").expect("what is left");
        assert!(
            told.starts_with(&format!("\"export_per_account\";r={left};t=")),
            "{told}"
        );
        assert_eq!(
            answer.header("ratelimit-policy"),
            Some("\"export_per_account\";q=5;w=3600")
        );
    }
    assert_snapshot!(ada.get(EXPORT).await.shown(), @r#"
    429
    cache-control: no-store
    content-type: application/problem+json
    ratelimit-policy: "export_per_account";q=5;w=3600
    ratelimit: "export_per_account";r=0;t=3840
    referrer-policy: strict-origin-when-cross-origin
    retry-after: 3840
    x-content-type-options: nosniff
    {
      "code": "rate_limited",
      "detail": "Too many attempts. Try again in 64 minutes.",
      "status": 429,
      "title": "Too Many Requests",
      "type": "about:blank"
    }
    "#);
    eve.get(EXPORT).await.expect_status(200);
    app.clock.advance(HOUR + 4 * MINUTE);
    let mut ada = ada;
    ada.refresh().await.expect_status(200);
    ada.get(EXPORT).await.expect_status(200);
}

#[tokio::test]
async fn an_export_that_cannot_begin_is_unavailable() {
    let (mut app, _anon) = TestApp::new().await;
    let ada = app.user("ada").await;
    ada.get("/api/auth/me").await.expect_status(200);
    app.lose_database().await;
    ada.get(EXPORT).await.expect_problem(503, "unavailable");
}

#[tokio::test]
async fn an_export_that_breaks_off_is_no_json_and_its_body_has_no_end() {
    let (mut app, _anon) = TestApp::new().await;
    for broken in ["the session has ended", "the database is lost"] {
        let ada = app.user(&broken.replace(' ', "-")).await;
        fill(&ada, 17).await;
        let mut coming = pieces(&ada).await;
        let mut whole = coming
            .next()
            .await
            .expect("a piece")
            .expect("that is good")
            .to_vec();
        if broken == "the database is lost" {
            app.lose_database().await;
        } else {
            ada.call("POST", "/api/auth/logout")
                .await
                .expect_status(204);
        }
        let end = loop {
            match coming.next().await {
                Some(Ok(piece)) => whole.extend(piece),
                end => break end,
            }
        };
        assert!(matches!(end, Some(Err(_))), "{broken}: {end:?}");
        assert!(serde_json::from_slice::<Value>(&whole).is_err(), "{broken}");
        assert!(!whole.trim_ascii_end().ends_with(b"]}"), "{broken}");
    }
}

#[tokio::test]
async fn whoever_reads_slowly_holds_no_connection_to_the_database() {
    let (app, _anon) = TestApp::with(&[("database.max_connections", "1")]).await;
    let mut readers = Vec::new();
    for name in ["ada", "eve"] {
        let user = app.user(name).await;
        fill(&user, 17).await;
        for _ in 0..2 {
            let mut coming = pieces(&user).await;
            coming.next().await.expect("a piece").expect("that is good");
            readers.push(coming);
        }
    }
    app.user("grace")
        .await
        .get("/api/user/data")
        .await
        .expect_status(200);
    for reader in readers {
        let rest: Vec<_> = reader.collect().await;
        assert!(rest.iter().all(Result::is_ok));
        assert!(rest.len() >= 4, "{} pieces", rest.len());
    }
}
