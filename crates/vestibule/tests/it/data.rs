//! The documents of users: kept as they were received, refused where they are no JSON, changed as their conditions say.

use axum::body::Body;
use futures_util::stream;
use insta::assert_snapshot;
use proptest::{
    collection::vec,
    prelude::{Just, Strategy, any},
    prop_oneof,
    test_runner::{Config, TestRunner},
};
use serde_json::{Value, json};

use crate::support::{Answer, Call, Client, MINUTE, TestApp, registration};

const DATA: &str = "/api/user/data";
/// The largest document, and the largest body of a request for one.
const LARGEST: usize = 65_536;
const LARGEST_BODY: usize = 131_072;

fn at(key: &str) -> String {
    format!("{DATA}/{key}")
}

fn put(client: &Client, key: &str, content: impl Into<Vec<u8>>) -> Call {
    let call = client.call("PUT", &at(key));
    call.header("content-type", "application/json")
        .body(content)
}

async fn written(client: &Client, key: &str, content: &str) -> String {
    let answer = put(client, key, content).await;
    assert!(matches!(answer.status, 201 | 204), "{}", answer.shown());
    etag(&answer)
}

fn etag(answer: &Answer) -> String {
    answer.header("etag").expect("a version").to_owned()
}

fn keys(list: &Value) -> Vec<&str> {
    let items = list["items"].as_array().expect("a list").iter();
    items
        .map(|item| item["key"].as_str().expect("a key"))
        .collect()
}

#[tokio::test]
async fn a_document_is_made_replaced_listed_and_deleted() {
    let (app, _anon) = TestApp::new().await;
    let ada = app.user("ada").await;
    assert_eq!(ada.get(DATA).await.json(), json!({ "items": [] }));
    let made = put(&ada, "settings", "{\"theme\": \"dark\"}").await;
    assert_snapshot!(made.shown(), @r#"
    201
    cache-control: no-store
    etag: [etag]
    location: /api/user/data/settings
    referrer-policy: strict-origin-when-cross-origin
    x-content-type-options: nosniff
    "#);
    app.clock.advance(MINUTE);
    let replaced = put(&ada, "settings", " {\"theme\":\"light\"}\n").await;
    assert_snapshot!(replaced.shown(), @r#"
    204
    cache-control: no-store
    etag: [etag]
    referrer-policy: strict-origin-when-cross-origin
    x-content-type-options: nosniff
    "#);
    let read = ada.get(&at("settings")).await;
    assert_snapshot!(read.shown(), @r#"
    200
    cache-control: no-store
    content-type: application/json
    etag: [etag]
    referrer-policy: strict-origin-when-cross-origin
    x-content-type-options: nosniff
    {
      "theme": "light"
    }
    "#);
    assert_eq!(read.text(), " {\"theme\":\"light\"}\n");
    assert_eq!(etag(&read), etag(&replaced));
    assert_ne!(etag(&read), etag(&made));
    let head = ada.call("HEAD", &at("settings")).await;
    assert_eq!((head.status, head.body.len()), (200, 0));
    for header in ["etag", "content-type", "content-length"] {
        assert_eq!(head.header(header), read.header(header), "{header}");
    }
    written(&ada, "Settings", "0").await;
    assert_eq!(
        ada.get(DATA).await.expect_status(200).json(),
        json!({ "items": [
            { "key": "Settings", "size": 1, "etag": "\"X-zrZv_IbzjZUnhsbWlseQ\"", "updated_at": "2026-01-31T12:01:00.000000Z" },
            { "key": "settings", "size": 19, "etag": etag(&read), "updated_at": "2026-01-31T12:01:00.000000Z" },
        ]})
    );
    let deleted = ada.call("DELETE", &at("settings")).await.expect_status(204);
    assert_eq!((deleted.header("etag"), deleted.body.len()), (None, 0));
    for method in ["GET", "DELETE"] {
        let gone = ada.call(method, &at("settings")).await;
        gone.expect_problem(404, "not_found");
    }
    assert_eq!(keys(&ada.get(DATA).await.json()), ["Settings"]);
}

/// JSON as somebody may write it: any number of digits, any escape, space wherever it may be.
fn any_json() -> impl Strategy<Value = String> {
    let number = "-?(0|[1-9][0-9]{0,25})(\\.[0-9]{1,25})?([eE][+-]?[0-9]{1,5})?";
    let leaf = prop_oneof![
        Just("null".to_owned()),
        Just("true".to_owned()),
        Just("false".to_owned()),
        number,
        json_text(),
    ];
    let value = leaf.prop_recursive(6, 40, 5, |inner| {
        let item = (space(), inner.clone(), space()).prop_map(|(a, item, b)| a + &item + &b);
        let member = (json_text(), space(), item.clone());
        prop_oneof![
            vec(item, 0..5).prop_map(|items| format!("[{}]", items.join(","))),
            vec(member, 0..5).prop_map(|members| {
                // No two keys may be the same, however they are spelt.
                let member = |(number, (key, space, item)): (usize, (String, String, String))| {
                    format!("\"{number}{}{space}:{item}", &key[1..])
                };
                let members: Vec<_> = members.into_iter().enumerate().map(member).collect();
                format!("{{{}}}", members.join(","))
            }),
        ]
    });
    (space(), value, space()).prop_map(|(before, value, after)| before + &value + &after)
}

fn json_text() -> impl Strategy<Value = String> + Clone {
    let letter = prop_oneof![
        any::<char>().prop_map(|letter| match letter {
            '\0'..' ' | '"' | '\\' => format!("\\u{:04x}", u32::from(letter)),
            letter => letter.to_string(),
        }),
        "\\\\u[0-9a-fA-F]{4}",
        "\\\\[\"\\\\/bfnrt]",
    ];
    vec(letter, 0..9).prop_map(|letters| format!("\"{}\"", letters.concat()))
}

fn space() -> impl Strategy<Value = String> + Clone {
    "[ \t\r\n]{0,2}"
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_is_json_comes_back_byte_for_byte() {
    let (app, _anon) = TestApp::new().await;
    let ada = app.user("ada").await;
    let config = Config {
        cases: 100,
        failure_persistence: None,
        ..Config::default()
    };
    let outcome = tokio::task::block_in_place(|| {
        TestRunner::new(config).run(&any_json(), |json| {
            tokio::runtime::Handle::current().block_on(async {
                written(&ada, "any", &json).await;
                let read = ada.get(&at("any")).await.expect_status(200);
                assert_eq!(read.text(), json);
            });
            Ok(())
        })
    });
    outcome.expect("each case passes");
}

#[tokio::test]
async fn numbers_and_texts_keep_their_spelling() {
    let (app, _anon) = TestApp::new().await;
    let ada = app.user("ada").await;
    for json in [
        "1.0",
        "-0",
        "0.1000",
        "1e400",
        "1E+2",
        "12345678901234567890",
        "0.1234567890123456789012",
        "null",
        "true",
        "\"\"",
        "[]",
        "{}",
        "\"é e\u{301} \u{1f980} \u{202e}\"",
        "\"\\u00e9\\/\\u0000\"",
        // Half a surrogate pair, as a browser writes a text that was cut within a character.
        "\"\\ud83e\"",
        "{\"\\udd80\": 1}",
        " \t\r\n7 ",
    ] {
        written(&ada, "spelling", json).await;
        let read = ada.get(&at("spelling")).await.expect_status(200);
        assert_eq!(read.text(), json);
        assert_eq!(read.header("content-type"), Some("application/json"));
    }
}

#[tokio::test]
async fn what_is_no_json_is_refused_and_nothing_is_kept() {
    let (app, _anon) = TestApp::new().await;
    let ada = app.user("ada").await;
    let deep = format!("{}{}", "[".repeat(33), "]".repeat(33));
    for body in [
        &b""[..],
        b" ",
        b"{",
        b"nul",
        b"01",
        b"NaN",
        b"1 2",
        b"'a'",
        b"[1,]",
        b"\"\xff\"",
        b"\"\n\"",
        b"\xef\xbb\xbf1",
        br#"{"a": 1, "a": 2}"#,
        br#"[{"a": 1, "\u0061": 2}]"#,
        deep.as_bytes(),
    ] {
        let refused = put(&ada, "k", body).await;
        refused.expect_problem(400, "malformed_request");
    }
    for kind in [
        "text/plain",
        "application/x-www-form-urlencoded",
        "application/merge-patch+json",
        "",
    ] {
        let refused = put(&ada, "k", "{}").header("content-type", kind).await;
        refused.expect_problem(415, "unsupported_media_type");
    }
    let refused = put(&ada, "k", "{}").without("content-type").await;
    refused.expect_problem(415, "unsupported_media_type");
    assert_eq!(keys(&ada.get(DATA).await.json()), [""; 0]);
}

#[tokio::test]
async fn a_document_is_as_large_as_it_may_be_and_no_larger() {
    let (app, _anon) = TestApp::new().await;
    let ada = app.user("ada").await;
    let of_size = |size: usize| format!("\"{}\"", "a".repeat(size - 2));
    put(&ada, "large", of_size(LARGEST))
        .await
        .expect_status(201);
    assert_eq!(ada.get(&at("large")).await.text(), of_size(LARGEST));
    for size in [LARGEST + 1, LARGEST_BODY] {
        let refused = put(&ada, "large", of_size(size)).await;
        let refused = refused.expect_problem(413, "payload_too_large");
        assert_eq!(refused.header("connection"), None, "the body was read");
    }
    let refused = put(&ada, "large", of_size(LARGEST_BODY + 1)).await;
    let refused = refused.expect_problem(413, "payload_too_large");
    assert_eq!(refused.header("connection"), Some("close"), "it was not");
    // A size that is not told before.
    let pieces = (0..3).map(|_| Ok::<_, std::io::Error>("1".repeat(LARGEST)));
    let refused = put(&ada, "large", "").stream(Body::from_stream(stream::iter(pieces)));
    refused.await.expect_problem(413, "payload_too_large");
    assert_eq!(ada.get(&at("large")).await.text(), of_size(LARGEST));

    let mut form = registration("eve");
    form["name"] = "n".repeat(LARGEST).into();
    let other_route = app.stranger().post("/api/auth/register", form).await;
    other_route.expect_problem(413, "payload_too_large");
}

#[tokio::test]
async fn a_key_that_cannot_be_is_unprocessable_to_write_and_missing_to_read() {
    let (app, _anon) = TestApp::new().await;
    let ada = app.user("ada").await;
    let (longest, longer) = ("k".repeat(64), "k".repeat(65));
    for key in ["0", "a.b_c-D", "con", longest.as_str()] {
        put(&ada, key, "{}").await.expect_status(201);
        ada.get(&at(key)).await.expect_status(200);
    }
    let missing = ada
        .get(&at("missing"))
        .await
        .expect_problem(404, "not_found");
    for key in [
        ".a",
        "-a",
        "_a",
        "a%20b",
        "a%2Fb",
        "%00",
        "a%00",
        "%ff",
        "%C3%A9",
        "%2E%2E",
        "a%0a",
        "%7B",
        longer.as_str(),
    ] {
        let refused = put(&ada, key, "{}")
            .await
            .expect_problem(422, "validation_failed");
        assert_eq!(refused.broken_fields(), ["key invalid_key"], "{key}");
        for method in ["GET", "DELETE"] {
            let answer = ada.call(method, &at(key)).await;
            assert_eq!(
                answer.without_request_id(),
                missing.without_request_id(),
                "{method} {key}"
            );
        }
    }
    // A key may be spelt with escapes as well.
    assert_eq!(ada.get(&at("%63on")).await.expect_status(200).text(), "{}");
    put(&ada, "%63on", "[]").await.expect_status(204);
    for path in [at(""), at("a/b")] {
        ada.get(&path).await.expect_problem(404, "not_found");
    }
}

#[tokio::test]
async fn what_a_client_holds_is_not_sent_again() {
    let (app, _anon) = TestApp::new().await;
    let ada = app.user("ada").await;
    let current = written(&ada, "k", "{}").await;
    for held in [current.as_str(), "*", &format!("\"x\", W/{current}")] {
        for method in ["GET", "HEAD"] {
            let answer = ada
                .call(method, &at("k"))
                .header("if-none-match", held)
                .await;
            let answer = answer.expect_status(304);
            assert_eq!(
                (etag(&answer), answer.body.len()),
                (current.clone(), 0),
                "{held}"
            );
        }
    }
    for other in ["\"x\"", "nonsense", "\"\""] {
        let answer = ada.get(&at("k")).header("if-none-match", other).await;
        assert_eq!(answer.expect_status(200).text(), "{}", "{other}");
    }
    let wanted = ada.get(&at("k")).header("if-match", "\"x\"").await;
    wanted.expect_problem(412, "precondition_failed");
    let wanted = ada.get(&at("k")).header("if-match", &current).await;
    assert_eq!(wanted.expect_status(200).text(), "{}");
    let missing = ada.get(&at("none")).header("if-none-match", "*").await;
    missing.expect_problem(404, "not_found");
}

#[tokio::test]
async fn a_change_happens_to_the_version_that_it_was_meant_for_alone() {
    let (app, _anon) = TestApp::new().await;
    let ada = app.user("ada").await;
    let missing = |method: &str| ada.call(method, &at("k"));
    for condition in ["*", "\"x\""] {
        // RFC 9110 section 13.2.1: where there is nothing to delete, no condition matters.
        let answer = missing("DELETE").header("if-match", condition).await;
        answer.expect_problem(404, "not_found");
        let answer = put(&ada, "k", "0").header("if-match", condition).await;
        answer.expect_problem(412, "precondition_failed");
    }
    let made = put(&ada, "k", "1")
        .header("if-none-match", "*")
        .await
        .expect_status(201);
    let (first, of_nobody) = (etag(&made), "\"x\"".to_owned());
    let weak = format!("W/{first}");
    for (header, value) in [
        ("if-none-match", "*"),
        ("if-none-match", &first),
        ("if-none-match", &weak),
        ("if-match", &of_nobody),
        ("if-match", &weak),
    ] {
        let answer = put(&ada, "k", "2").header(header, value).await;
        answer.expect_problem(412, "precondition_failed");
        let answer = ada.call("DELETE", &at("k")).header(header, value).await;
        answer.expect_problem(412, "precondition_failed");
    }
    for (header, value) in [
        ("if-match", "nonsense"),
        ("if-none-match", "nonsense"),
        ("if-match", ""),
    ] {
        let answer = put(&ada, "k", "2").header(header, value).await;
        answer.expect_problem(400, "malformed_request");
        let answer = ada.call("DELETE", &at("k")).header(header, value).await;
        answer.expect_problem(400, "malformed_request");
    }
    assert_eq!(ada.get(&at("k")).await.text(), "1");

    // Two tabs: the second to save learns that the first was there.
    let second = put(&ada, "k", "2")
        .header("if-match", &first)
        .await
        .expect_status(204);
    let lost = put(&ada, "k", "3").header("if-match", &first).await;
    lost.expect_problem(412, "precondition_failed");
    let listed = ada.get(DATA).await.json()["items"][0]["etag"]
        .as_str()
        .expect("a version")
        .to_owned();
    assert_eq!(
        listed,
        etag(&second),
        "the list names versions as the header does"
    );
    let deleting = ada
        .call("DELETE", &at("k"))
        .header("if-match", format!("{of_nobody}, {listed}"));
    deleting.await.expect_status(204);
}

#[tokio::test]
async fn one_hundred_documents_are_kept_and_the_next_is_refused() {
    let (app, _anon) = TestApp::new().await;
    let ada = app.user("ada").await;
    for number in 0..100 {
        put(&ada, &format!("k{number}"), "0")
            .await
            .expect_status(201);
    }
    let refused = put(&ada, "one-more", "0").await;
    assert_snapshot!(refused.shown(), @r#"
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
          "code": "too_many",
          "field": "key",
          "message": "There are 100 documents already. Delete one, or keep more in one of them."
        }
      ],
      "status": 422,
      "title": "Unprocessable Entity",
      "type": "about:blank"
    }
    "#);
    put(&ada, "k99", "1").await.expect_status(204);
    assert_eq!(keys(&ada.get(DATA).await.json()).len(), 100);
    ada.call("DELETE", &at("k0")).await.expect_status(204);
    put(&ada, "one-more", "0").await.expect_status(201);
}

#[tokio::test]
async fn the_same_key_of_two_users_holds_two_documents() {
    let (app, _anon) = TestApp::new().await;
    let (ada, eve) = (app.user("ada").await, app.browser("eve").await);
    written(&ada, "settings", "\"of ada\"").await;
    for method in ["GET", "HEAD", "DELETE"] {
        eve.call(method, &at("settings")).await.expect_status(404);
    }
    assert_eq!(keys(&eve.get(DATA).await.json()), [""; 0]);
    put(&eve, "settings", "\"of eve\"").await.expect_status(201);
    assert_eq!(ada.get(&at("settings")).await.text(), "\"of ada\"");
    assert_eq!(eve.get(&at("settings")).await.text(), "\"of eve\"");
    eve.call("DELETE", &at("settings")).await.expect_status(204);
    assert_eq!(ada.get(&at("settings")).await.text(), "\"of ada\"");
}

#[tokio::test]
async fn a_page_of_another_origin_changes_nothing() {
    let (app, _anon) = TestApp::new().await;
    let ada = app.browser("ada").await;
    written(&ada, "k", "1").await;
    for method in ["PUT", "DELETE"] {
        let call = ada
            .call(method, &at("k"))
            .header("sec-fetch-site", "cross-site");
        let call = call
            .header("origin", "https://evil.example")
            .json(&json!(2));
        call.await.expect_problem(403, "cross_origin_refused");
    }
    assert_eq!(ada.get(&at("k")).await.text(), "1");
}

#[tokio::test]
async fn a_server_that_writes_nothing_gives_documents_and_takes_none() {
    let (app, _anon) = TestApp::new().await;
    let ada = app.user("ada").await;
    written(&ada, "k", "1").await;
    let (reading, _anon) = app.beside(&[("read_only", "true")]).await;
    let ada = ada.on(&reading);
    put(&ada, "k", "2").await.expect_problem(503, "unavailable");
    let deleting = ada.call("DELETE", &at("k")).await;
    deleting.expect_problem(503, "unavailable");
    assert_eq!(ada.get(&at("k")).await.text(), "1");
    assert_eq!(keys(&ada.get(DATA).await.json()), ["k"]);
}
