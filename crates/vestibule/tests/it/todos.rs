//! Todos: what a user keeps, in lists and versions, and that no other user has any part of it.

use std::collections::BTreeMap;

use proptest::{collection::vec, prelude::*, sample::select};
use serde_json::{Value, json};

use crate::support::{Answer, Call, Client, MINUTE, TestApp};

const TODOS: &str = "/api/todos";
const MISSING: &str = "/api/todos/01900000-0000-7000-8000-000000000000";

async fn add(client: &Client, title: &str) -> String {
    let added = client.post(TODOS, json!({ "title": title })).await;
    at(&added.expect_status(201))
}

/// The path of the todo in an answer.
fn at(answer: &Answer) -> String {
    format!("{TODOS}/{}", answer.text_at("id"))
}

fn tag(answer: &Answer) -> String {
    answer.header("etag").expect("a tag").to_owned()
}

fn put(client: &Client, path: &str, body: &Value) -> Call {
    client.call("PUT", path).json(body)
}

fn patch(client: &Client, path: &str, body: &Value) -> Call {
    client.call("PATCH", path).json(body)
}

async fn titles(client: &Client, query: &str) -> Vec<String> {
    let list = client.get(&format!("{TODOS}{query}")).await;
    let list = list.expect_status(200).json();
    let items = list["items"].as_array().expect("a list").clone();
    let title = |item: &Value| item["title"].as_str().expect("a title").to_owned();
    items.iter().map(title).collect()
}

#[tokio::test]
async fn a_todo_is_added_with_its_place_and_its_version() {
    let (app, _) = TestApp::new().await;
    let ada = app.user("ada").await;
    let body = json!({
        "title": " Feed the cat ", "description": "Twice.\r\nAt least.", "completed": false,
        "due_at": "2026-02-01T01:00:00.5+01:00",
    });
    let answer = ada.post(TODOS, body).await;
    assert_eq!(answer.header("location"), Some(&*at(&answer)));
    assert_eq!(tag(&answer), "\"1\"");
    let path = at(&answer);
    let found = ada.get(&path).await;
    assert_eq!(found.text(), answer.text());
    insta::assert_snapshot!(found.shown(), @r#"
    200
    cache-control: no-store
    content-type: application/json
    etag: [etag]
    referrer-policy: strict-origin-when-cross-origin
    x-content-type-options: nosniff
    {
      "completed": false,
      "created_at": "2026-01-31T12:00:00.000000Z",
      "description": "Twice.\nAt least.",
      "due_at": "2026-02-01T00:00:00.500000Z",
      "id": "[id]",
      "title": "Feed the cat",
      "updated_at": "2026-01-31T12:00:00.000000Z"
    }
    "#);

    let smallest = ada.post(TODOS, json!({ "title": "a" })).await;
    let smallest = smallest.expect_status(201).json();
    assert_eq!(
        (
            &smallest["description"],
            &smallest["completed"],
            &smallest["due_at"]
        ),
        (&json!(""), &json!(false), &Value::Null)
    );
}

#[tokio::test]
async fn everything_wrong_with_a_todo_is_named_at_once() {
    let (app, _) = TestApp::new().await;
    let ada = app.user("ada").await;
    let body = json!({
        "description": 7, "completed": null, "due_at": "tomorrow", "id": "mine", "owner": "ada", "version": 2,
    });
    let refused = ada.post(TODOS, body.clone()).await.expect_status(422);
    let expected = [
        "title required",
        "description wrong_type",
        "completed wrong_type",
        "due_at invalid_time",
        "id unknown_field",
        "owner unknown_field",
        "version unknown_field",
    ];
    assert_eq!(refused.broken_fields(), expected);
    let path = add(&ada, "a").await;
    let refused = put(&ada, &path, &body).await.expect_status(422);
    assert_eq!(refused.broken_fields(), expected);
    let refused = patch(&ada, &path, &body).await.expect_status(422);
    assert_eq!(refused.broken_fields(), expected[1..]);
    let long = json!({ "title": "a".repeat(201), "description": "\u{0}" });
    let refused = ada.post(TODOS, long).await.expect_status(422);
    assert_eq!(
        refused.broken_fields(),
        ["title too_long", "description control_character"]
    );
    let null = patch(&ada, &path, &json!({ "title": null })).await;
    assert_eq!(null.expect_status(422).broken_fields(), ["title blank"]);
    for year in ["9999-12-31T23:59:59-00:01", "0000-01-01T00:00:00+00:01"] {
        let refused = patch(&ada, &path, &json!({ "due_at": year })).await;
        assert_eq!(
            refused.expect_status(422).broken_fields(),
            ["due_at invalid_time"]
        );
    }
    assert_eq!(tag(&ada.get(&path).await), "\"1\"", "nothing was changed");
}

#[tokio::test]
async fn a_put_is_the_whole_todo_and_a_patch_what_it_names() {
    let (app, _) = TestApp::new().await;
    let ada = app.user("ada").await;
    let path = add(&ada, "first").await;
    app.clock.advance(MINUTE);
    let due = "2026-02-01T00:00:00.000000Z";
    let body = json!({ "completed": true, "due_at": due, "description": "more" });
    let patched = patch(&ada, &path, &body).await;
    insta::assert_snapshot!(patched.shown(), @r#"
    200
    cache-control: no-store
    content-type: application/json
    etag: [etag]
    referrer-policy: strict-origin-when-cross-origin
    x-content-type-options: nosniff
    {
      "completed": true,
      "created_at": "2026-01-31T12:00:00.000000Z",
      "description": "more",
      "due_at": "2026-02-01T00:00:00.000000Z",
      "id": "[id]",
      "title": "first",
      "updated_at": "2026-01-31T12:01:00.000000Z"
    }
    "#);
    assert_eq!(tag(&patched), "\"2\"");
    app.clock.advance(MINUTE);
    let same = patch(&ada, &path, &body).await.expect_status(200);
    assert_eq!(
        (tag(&same), same.text()),
        (tag(&patched), patched.text()),
        "no change is none"
    );
    let cleared = patch(&ada, &path, &json!({ "due_at": null, "description": null })).await;
    let cleared = cleared.expect_status(200).json();
    assert_eq!(
        (&cleared["due_at"], &cleared["description"]),
        (&Value::Null, &json!(""))
    );
    assert_eq!(
        (&cleared["title"], &cleared["completed"]),
        (&json!("first"), &json!(true))
    );
    let replaced = put(&ada, &path, &json!({ "title": "second" })).await;
    let replaced = replaced.expect_status(200);
    assert_eq!(tag(&replaced), "\"4\"");
    let replaced = replaced.json();
    assert_eq!(
        (&replaced["title"], &replaced["completed"]),
        (&json!("second"), &json!(false))
    );
    assert_eq!(replaced["created_at"], "2026-01-31T12:00:00.000000Z");
    assert_eq!(replaced["updated_at"], "2026-01-31T12:02:00.000000Z");
}

#[tokio::test]
async fn a_change_meant_for_another_version_is_refused_and_one_for_this_version_is_made() {
    let (app, _) = TestApp::new().await;
    let ada = app.user("ada").await;
    let path = add(&ada, "first").await;
    let changes = |title: &str| {
        let body = json!({ "title": title });
        [
            put(&ada, &path, &body),
            patch(&ada, &path, &body),
            ada.call("DELETE", &path),
        ]
    };
    let others = [
        "\"2\"",
        "\"0\", \"01\", \"+1\", \"one\"",
        "W/\"1\"",
        "\"\"",
        "\"99999999999999999999\"",
    ];
    for other in others {
        for change in changes("second") {
            let refused = change.header("if-match", other).await;
            refused.expect_problem(412, "precondition_failed");
        }
    }
    let refused = patch(&ada, &path, &json!({ "title": "second" }))
        .header("if-match", "\"2\"")
        .await;
    insta::assert_snapshot!(refused.shown(), @r#"
    412
    cache-control: no-store
    content-type: application/problem+json
    referrer-policy: strict-origin-when-cross-origin
    x-content-type-options: nosniff
    {
      "code": "precondition_failed",
      "detail": "This is not in a version that If-Match or If-None-Match asks for. Read it again before you change it.",
      "status": 412,
      "title": "Precondition Failed",
      "type": "about:blank"
    }
    "#);
    for not_meant_for in ["*", "\"1\"", "W/\"1\"", "\"2\", \"1\""] {
        for change in changes("second") {
            let refused = change.header("if-none-match", not_meant_for).await;
            refused.expect_problem(412, "precondition_failed");
        }
    }
    for malformed in ["1", "*, \"1\"", "\"1", "", "\"a b\""] {
        for header in ["if-match", "if-none-match"] {
            for change in changes("second") {
                let refused = change.header(header, malformed).await;
                refused.expect_problem(400, "malformed_request");
            }
        }
    }
    assert_eq!(titles(&ada, "").await, ["first"]);
    let [put, patch, delete] = changes("second");
    let list = put
        .header("if-match", "\"7\"")
        .another("if-match", "W/\"1\" , \"1\"")
        .await;
    assert_eq!(tag(&list.expect_status(200)), "\"2\"");
    let any = patch.header("if-match", "*").await;
    assert_eq!(tag(&any.expect_status(200)), "\"2\"", "it had that title");
    delete.header("if-match", "\"2\"").await.expect_status(204);
    assert_eq!(titles(&ada, "").await, [""; 0]);
}

#[tokio::test]
async fn who_holds_the_newest_version_is_not_sent_it_again() {
    let (app, _) = TestApp::new().await;
    let ada = app.user("ada").await;
    let path = add(&ada, "first").await;
    for held in ["\"1\"", "W/\"1\"", "*", "\"0\", \"1\""] {
        let answer = ada.get(&path).header("if-none-match", held).await;
        let answer = answer.expect_status(304);
        assert_eq!(
            (tag(&answer), answer.text()),
            ("\"1\"".into(), String::new()),
            "{held}"
        );
    }
    for held in ["\"2\"", "1", ""] {
        ada.get(&path)
            .header("if-none-match", held)
            .await
            .expect_status(200);
    }
    let missing = ada.get(MISSING).header("if-none-match", "*").await;
    missing.expect_problem(404, "not_found");
}

#[tokio::test]
async fn who_wants_another_version_than_there_is_is_not_sent_this_one() {
    let (app, _) = TestApp::new().await;
    let ada = app.user("ada").await;
    let path = add(&ada, "first").await;
    for wanted in ["\"2\"", "W/\"1\""] {
        for method in ["GET", "HEAD"] {
            let refused = ada.call(method, &path).header("if-match", wanted);
            // Whoever holds it and wants another is told the latter (RFC 9110 section 13.2.2).
            let refused = refused.header("if-none-match", "\"1\"").await;
            assert_eq!(refused.expect_status(412).header("etag"), None, "{wanted}");
        }
    }
    for wanted in ["*", "\"2\", \"1\""] {
        let answer = ada.get(&path).header("if-match", wanted).await;
        assert_eq!(tag(&answer.expect_status(200)), "\"1\"");
    }
    let unreadable = ada.get(&path).header("if-match", "1").await;
    unreadable.expect_problem(400, "malformed_request");
    let missing = ada.get(MISSING).header("if-match", "*").await;
    missing.expect_problem(404, "not_found");
}

#[tokio::test]
async fn a_request_that_is_not_understood_is_told_what_would_be() {
    let (app, _) = TestApp::new().await;
    let ada = app.user("ada").await;
    for (path, code, told) in [
        (
            "/api/todos?page=2&limit=1",
            (400, "malformed_request"),
            "The query has a parameter \"page\", which is none of this route's: completed, q, sort, limit, offset.",
        ),
        (
            "/api/todos?offset=9223372036854775808",
            (422, "validation_failed"),
            "Leave out 0 to 9,223,372,036,854,775,807 items.",
        ),
        (
            "/api/todos/",
            (404, "not_found"),
            "There is nothing here. No path of the API ends with a slash.",
        ),
    ] {
        let answer = ada.get(path).await;
        let problem = answer.json();
        answer.expect_problem(code.0, code.1);
        let errors = problem["errors"].get(0);
        let sentence = errors.map_or(&problem["detail"], |error| &error["message"]);
        assert_eq!(sentence, told, "{path}");
    }
}

#[tokio::test]
async fn a_deleted_todo_is_as_if_there_had_never_been_one() {
    let (app, _) = TestApp::new().await;
    let ada = app.user("ada").await;
    let path = add(&ada, "first").await;
    let deleted = ada.call("DELETE", &path).await.expect_status(204);
    assert_eq!(
        (deleted.header("etag"), deleted.text()),
        (None, String::new())
    );
    let body = json!({ "title": "second" });
    for ask in [
        |client: &Client, path: &str, _: &Value| client.get(path),
        |client: &Client, path: &str, _: &Value| client.call("DELETE", path),
        |client: &Client, path: &str, body: &Value| put(client, path, body),
        |client: &Client, path: &str, body: &Value| patch(client, path, body),
    ] {
        let gone = ask(&ada, &path, &body).await;
        let missing = ask(&ada, MISSING, &body).await;
        assert_eq!(gone.without_request_id(), missing.without_request_id());
        gone.expect_problem(404, "not_found");
    }
}

#[tokio::test]
async fn a_list_is_cut_into_parts_that_are_linked() {
    let (app, _) = TestApp::new().await;
    let ada = app.user("ada").await;
    for number in 1..=3 {
        app.clock.advance(MINUTE);
        add(&ada, &format!("todo {number}")).await;
    }
    let part = ada
        .get("/api/todos?limit=1&offset=1&q=todo&sort=created_at")
        .await;
    insta::assert_snapshot!(part.shown(), @r#"
    200
    cache-control: no-store
    content-type: application/json
    link: </api/todos?q=todo&sort=created_at&limit=1&offset=0>; rel="first", </api/todos?q=todo&sort=created_at&limit=1&offset=0>; rel="prev", </api/todos?q=todo&sort=created_at&limit=1&offset=2>; rel="next", </api/todos?q=todo&sort=created_at&limit=1&offset=2>; rel="last"
    referrer-policy: strict-origin-when-cross-origin
    x-content-type-options: nosniff
    {
      "items": [
        {
          "completed": false,
          "created_at": "2026-01-31T12:02:00.000000Z",
          "description": "",
          "due_at": null,
          "id": "[id]",
          "title": "todo 2",
          "updated_at": "2026-01-31T12:02:00.000000Z"
        }
      ],
      "limit": 1,
      "offset": 1,
      "total": 3
    }
    "#);
    let mut next = Some("/api/todos?limit=2".to_owned());
    let mut read = Vec::new();
    while let Some(path) = next {
        let answer = ada.get(&path).await.expect_status(200);
        read.extend(titles(&ada, path.trim_start_matches(TODOS)).await);
        let links = answer.header("link").expect("links").to_owned();
        let link = links
            .split(", ")
            .find(|link| link.ends_with("rel=\"next\""));
        next = link.map(|link| link[1..link.find('>').expect("an end")].to_owned());
    }
    assert_eq!(read, ["todo 3", "todo 2", "todo 1"]);
}

#[tokio::test]
async fn a_list_is_chosen_sorted_and_searched() {
    let (app, _) = TestApp::new().await;
    let ada = app.user("ada").await;
    for body in [
        json!({ "title": "banana", "due_at": "2026-02-03T00:00:00Z" }),
        json!({ "title": "Apple", "completed": true, "description": "100% GRÜN" }),
        json!({ "title": "cherry", "due_at": "2026-02-02T00:00:00Z", "completed": true }),
    ] {
        app.clock.advance(MINUTE);
        ada.post(TODOS, body).await.expect_status(201);
    }
    for (query, expected) in [
        ("", &["cherry", "Apple", "banana"][..]),
        (
            "?sort=-created_at&completed=&q=&limit=&offset=",
            &["cherry", "Apple", "banana"],
        ),
        ("?sort=created_at", &["banana", "Apple", "cherry"]),
        ("?sort=due_at", &["cherry", "banana", "Apple"]),
        ("?sort=title", &["Apple", "banana", "cherry"]),
        ("?completed=true", &["cherry", "Apple"]),
        ("?completed=false", &["banana"]),
        ("?q=0%25+gr%C3%BCn", &["Apple"]),
        ("?q=%25", &["Apple"]),
        ("?q=_", &[]),
        ("?q=an&completed=true", &[]),
        ("?limit=1&offset=1", &["Apple"]),
        ("?offset=9223372036854775807", &[]),
    ] {
        assert_eq!(titles(&ada, query).await, expected, "{query}");
    }
    let refused = ada
        .get("/api/todos?completed=yes&sort=-title&limit=101&offset=-1&q=%00")
        .await;
    let expected = [
        "completed not_a_choice",
        "sort not_a_choice",
        "limit out_of_range",
        "offset out_of_range",
    ];
    assert_eq!(refused.expect_status(422).broken_fields(), expected);
    for query in [
        "?limit=0",
        "?limit=1.5",
        "?offset=9223372036854775808",
        "?q=%00",
        "?q=a%0Ab",
    ] {
        ada.get(&format!("{TODOS}{query}"))
            .await
            .expect_problem(422, "validation_failed");
    }
    for query in ["?page=1", "?q=a&q=b", "?q=%ff", "?cursor="] {
        ada.get(&format!("{TODOS}{query}"))
            .await
            .expect_problem(400, "malformed_request");
    }
}

#[tokio::test]
async fn writes_wait_while_the_server_is_read_only_and_reads_do_not() {
    let (app, _) = TestApp::new().await;
    let ada = app.user("ada").await;
    let path = add(&ada, "first").await;
    let (reading, _) = app.beside(&[("read_only", "true")]).await;
    let there = ada.on(&reading);
    assert_eq!(titles(&there, "").await, ["first"]);
    there.get(&path).await.expect_status(200);
    let body = json!({ "title": "second" });
    for write in [
        there.post(TODOS, body.clone()),
        put(&there, &path, &body),
        patch(&there, &path, &body),
        there.call("DELETE", &path),
    ] {
        write.await.expect_problem(503, "unavailable");
    }
    assert_eq!(titles(&ada, "").await, ["first"]);
}

/// What one of several users does next. Numbers choose among what they know of.
#[derive(Clone, Debug)]
enum Step {
    Add,
    Change(usize),
    Delete(usize),
    Read(usize),
    /// With the id of somebody else.
    Trespass(usize, &'static str),
    List(&'static str),
}

fn step() -> impl Strategy<Value = Step> {
    let queries = [
        "",
        "?sort=title",
        "?sort=due_at&limit=3",
        "?q=of",
        "?q=a",
        "?completed=false&offset=1",
    ];
    prop_oneof![
        3 => Just(Step::Add),
        1 => any::<usize>().prop_map(Step::Change),
        1 => any::<usize>().prop_map(Step::Delete),
        1 => any::<usize>().prop_map(Step::Read),
        2 => (any::<usize>(), select(vec!["GET", "PUT", "PATCH", "DELETE"]))
            .prop_map(|(which, method)| Step::Trespass(which, method)),
        2 => select(queries.to_vec()).prop_map(Step::List),
    ]
}

/// Of letters that are in no id.
const NAMES: [&str; 4] = ["olga", "ivor", "rhys", "yuri"];

/// Users with their todos, as a test knows them.
struct Crowd {
    users: Vec<Client>,
    paths: BTreeMap<usize, Vec<String>>,
    missing: (u16, Vec<(String, Vec<u8>)>, String),
}

impl Crowd {
    /// Has a user do something, and holds the answer against what is theirs.
    async fn act(&mut self, who: usize, step: Step) {
        let client = self.users[who].clone();
        let body =
            json!({ "title": format!("of {}", NAMES[who]), "description": NAMES[who].repeat(9) });
        let own = self.paths.entry(who).or_default();
        let chosen = |which: usize| own.get(which % own.len().max(1)).cloned();
        let answer = match step {
            Step::Add => {
                let answer = client.post(TODOS, body).await.expect_status(201);
                own.push(at(&answer));
                answer
            }
            Step::Change(which) => match chosen(which) {
                Some(path) => patch(&client, &path, &body).await.expect_status(200),
                None => return,
            },
            Step::Delete(which) => match chosen(which) {
                Some(path) => {
                    own.retain(|known| *known != path);
                    client.call("DELETE", &path).await.expect_status(204)
                }
                None => return,
            },
            Step::Read(which) => match chosen(which) {
                Some(path) => client.get(&path).await.expect_status(200),
                None => return,
            },
            Step::List(query) => client
                .get(&format!("{TODOS}{query}"))
                .await
                .expect_status(200),
            Step::Trespass(which, method) => {
                let others = self.paths.iter().filter(|(owner, _)| **owner != who);
                let others: Vec<_> = others.flat_map(|(_, paths)| paths).collect();
                let Some(path) = others.get(which % others.len().max(1)) else {
                    return;
                };
                let call = client.call(method, path);
                let call = if method == "GET" {
                    call
                } else {
                    call.json(&body)
                };
                let answer = call.await;
                assert_eq!(answer.without_request_id(), self.missing, "{method}");
                answer
            }
        };
        for other in NAMES.iter().filter(|name| **name != NAMES[who]) {
            assert!(
                !answer.text().contains(other),
                "{} sees {}",
                NAMES[who],
                answer.shown()
            );
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    #[test]
    fn users_who_act_by_turns_never_see_a_byte_of_each_other(steps in vec((0..NAMES.len(), step()), 1..60)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        runtime.expect("a runtime").block_on(async {
            let (app, _) = TestApp::new().await;
            let mut users = Vec::new();
            for name in NAMES {
                users.push(app.user(name).await);
            }
            let missing = users[0].get(MISSING).await.expect_status(404).without_request_id();
            let mut crowd = Crowd { users, paths: BTreeMap::new(), missing };
            for (who, step) in steps {
                crowd.act(who, step).await;
            }
        });
    }
}
