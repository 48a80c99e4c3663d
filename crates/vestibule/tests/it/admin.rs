//! Administration: for admins alone, what they do to users, and what they read of the whole.

mod client;
mod lists;
mod reports;

use serde_json::{Value, json};

use crate::{
    access::routes::{Body, Objects, ROUTES, Who},
    support::{Answer, Client, MINUTE, TestApp, email, password, registration},
};

const USERS: &str = "/api/admin/users";
const NOBODY: &str = "01890a5d-ac96-774b-bcce-b302099a8057";

/// Somebody who registered and was made an admin, a minute before the test begins.
async fn admin(app: &TestApp, name: &str) -> Client {
    let client = app.user(name).await;
    app.grant(name, "admin").await;
    app.clock.advance(MINUTE);
    client
}

async fn id_of(client: &Client) -> String {
    client
        .get("/api/auth/me")
        .await
        .expect_status(200)
        .text_at("id")
}

fn at(id: &str) -> String {
    format!("{USERS}/{id}")
}

async fn patch(admin: &Client, id: &str, body: Value) -> Answer {
    admin.call("PATCH", &at(id)).json(&body).await
}

/// The texts of one field of every item of a list, in its order.
fn each(list: &Answer, field: &str) -> Vec<String> {
    let json = list.json();
    let items = json["items"].as_array().expect("a list").clone();
    let text = |item: &Value| item[field].as_str().unwrap_or("null").to_owned();
    items.iter().map(text).collect()
}

/// Method and path of every route, with whether a body may come.
fn routes(id: &str) -> impl Iterator<Item = (&'static str, String, bool)> {
    let objects = Objects::all(id);
    let rows = ROUTES.iter().filter(|row| row.who == Who::Admin);
    rows.map(move |row| {
        let has_body = !matches!(row.body, Body::Nothing);
        (row.method, row.path_to(&objects), has_body)
    })
}

#[tokio::test]
async fn nobody_but_an_admin_is_answered() {
    let (app, anon) = TestApp::new().await;
    let root = admin(&app, "root").await;
    let ada = app.user("ada").await;
    app.grant("ada", "staff").await;
    for id in [id_of(&root).await, NOBODY.to_owned(), "1".to_owned()] {
        for (method, path, _) in routes(&id) {
            let call = |client: &Client| client.call(method, &path).body("no JSON");
            call(&anon).await.expect_problem(401, "missing_token");
            call(&ada).await.expect_problem(403, "forbidden");
            let query = format!("{path}?unknown=1");
            ada.call(method, &query)
                .await
                .expect_problem(403, "forbidden");
        }
    }
    root.get("/api/auth/me").await.expect_status(200);
}

#[tokio::test]
async fn whoever_loses_the_role_is_no_admin_at_once() {
    let (app, anon) = TestApp::new().await;
    admin(&app, "root").await;
    let mut other = admin(&app, "other").await;
    other.get(USERS).await.expect_status(200);
    let role = accounts::Role::parse("admin").expect("a role");
    let change = app
        .operator()
        .change_roles("other", &[].into(), &[role].into())
        .await;
    change.expect("changed");
    other.get(USERS).await.expect_problem(401, "revoked_token");
    let login = json!({ "login": "other", "password": password("other") });
    other.keep(&anon.post("/api/auth/login", login).await);
    other.get(USERS).await.expect_problem(403, "forbidden");
}

#[tokio::test]
async fn an_admin_in_a_browser_is_heard_from_our_own_pages_alone() {
    let (app, _anon) = TestApp::new().await;
    let browser = app.browser("root").await;
    app.grant("root", "admin").await;
    let ada = id_of(&app.user("ada").await).await;
    browser.get(USERS).await.expect_status(200);
    for (method, path, has_body) in routes(&ada) {
        if method == "GET" {
            continue;
        }
        let call = browser.call(method, &path);
        let call = if has_body {
            call.json(&json!({}))
        } else {
            call
        };
        call.header("sec-fetch-site", "cross-site")
            .header("origin", "https://evil.example")
            .await
            .expect_problem(403, "cross_origin_refused");
    }
    patch(&browser, &ada, json!({ "name": "Ada" }))
        .await
        .expect_status(200);
}

#[tokio::test]
async fn an_unknown_id_and_what_is_none_look_the_same() {
    let (app, _anon) = TestApp::new().await;
    let root = admin(&app, "root").await;
    let missing = root
        .get("/api/nothing")
        .await
        .expect_problem(404, "not_found");
    let capitals = id_of(&root).await.to_uppercase();
    for id in [NOBODY, &capitals, "1", "%00", "%ff", "..%2Fusers", "{id}"] {
        for (method, path, has_body) in routes(id) {
            if !path.contains(id) {
                continue;
            }
            let call = root.call(method, &path);
            let call = if has_body {
                call.json(&json!({}))
            } else {
                call
            };
            assert_eq!(
                call.await.without_request_id(),
                missing.without_request_id(),
                "{method} {path}"
            );
        }
    }
}

#[tokio::test]
async fn an_admin_adds_a_user_who_can_log_in() {
    let (app, anon) = TestApp::with(&[("registration", "closed")]).await;
    let add = accounts::NewAccount {
        registration: accounts::Registration {
            email: email("root"),
            password: password("root").into(),
            username: None,
            name: None,
        },
        roles: [accounts::Role::parse("admin").expect("a role")].into(),
    };
    app.operator().add_user(add).await.expect("added");
    let mut root = anon.clone();
    let login = json!({ "login": email("root"), "password": password("root") });
    root.keep(&anon.post("/api/auth/login", login).await);

    let mut body = registration("ada");
    body["roles"] = json!(["staff", "press", "staff"]);
    let added = root.post(USERS, body).await.expect_status(201);
    let location = added.header("location").expect("a place").to_owned();
    assert_eq!(location, at(&added.text_at("id")));
    let answer = root.get(&location).await;
    assert_eq!(answer.text(), added.text());
    insta::assert_snapshot!(answer.shown(), @r#"
    200
    cache-control: no-store
    content-type: application/json
    referrer-policy: strict-origin-when-cross-origin
    x-content-type-options: nosniff
    {
      "created_at": "2026-01-31T12:00:00.000000Z",
      "deleted_at": null,
      "disabled_at": null,
      "email": "ada@example.org",
      "email_verified": true,
      "id": "[id]",
      "name": null,
      "roles": [
        "press",
        "staff"
      ],
      "status": "active",
      "updated_at": "2026-01-31T12:00:00.000000Z",
      "username": "ada"
    }
    "#);
    let login = json!({ "login": "ada", "password": password("ada") });
    anon.post("/api/auth/login", login).await.expect_status(200);

    let taken = root.post(USERS, registration("ADA")).await;
    taken.expect_problem(409, "email_taken");
    let mut taken = registration("ada");
    taken["email"] = json!("other@example.org");
    root.post(USERS, taken)
        .await
        .expect_problem(409, "username_taken");
}

#[tokio::test]
async fn what_is_wrong_with_a_new_user_is_named() {
    let (app, _anon) = TestApp::new().await;
    let root = admin(&app, "root").await;
    for (body, expected) in [
        (json!({}), &["email required", "password required"][..]),
        (
            json!({ "email": "x", "password": "short", "username": "-" }),
            &[
                "email invalid_email",
                "username invalid_username",
                "password too_short",
            ],
        ),
        (
            json!({ "email": email("ada"), "password": password("ada"), "roles": "admin", "email_verified": true }),
            &["roles wrong_type", "email_verified unknown_field"],
        ),
        (
            json!({ "email": email("ada"), "password": password("ada"), "roles": ["No Role"] }),
            &["roles invalid_role"],
        ),
    ] {
        let answer = root
            .post(USERS, body.clone())
            .await
            .expect_problem(422, "validation_failed");
        assert_eq!(answer.broken_fields(), expected, "{body}");
    }
    let added = root.get(USERS).await;
    assert_eq!(each(&added, "username"), ["root"]);
}

#[tokio::test]
async fn a_patch_changes_everything_it_names_or_nothing() {
    let (app, anon) = TestApp::new().await;
    let root = admin(&app, "root").await;
    let ada = app.user("ada").await;
    app.user("eve").await;
    let id = id_of(&ada).await;
    app.clock.advance(MINUTE);
    let before = root.get(&at(&id)).await.text();
    for (body, code) in [
        (
            json!({ "email": "EVE@example.org", "username": "eve" }),
            "email_taken",
        ),
        (json!({ "username": "Eve" }), "username_taken"),
    ] {
        let mut body = body;
        body["disabled"] = json!(true);
        body["roles"] = json!(["staff"]);
        patch(&root, &id, body).await.expect_problem(409, code);
        assert_eq!(root.get(&at(&id)).await.text(), before);
    }
    ada.get("/api/auth/me").await.expect_status(200);

    let body = json!({ "email": "Ada@Example.NET", "username": null, "name": " Ada ", "roles": ["staff"] });
    let answer = patch(&root, &id, body.clone()).await;
    insta::assert_snapshot!(answer.shown(), @r#"
    200
    cache-control: no-store
    content-type: application/json
    referrer-policy: strict-origin-when-cross-origin
    x-content-type-options: nosniff
    {
      "created_at": "2026-01-31T12:01:00.000000Z",
      "deleted_at": null,
      "disabled_at": null,
      "email": "Ada@example.net",
      "email_verified": true,
      "id": "[id]",
      "name": "Ada",
      "roles": [
        "staff"
      ],
      "status": "active",
      "updated_at": "2026-01-31T12:02:00.000000Z",
      "username": null
    }
    "#);
    ada.get("/api/auth/me").await.expect_status(200);
    app.clock.advance(MINUTE);
    let same = patch(&root, &id, body).await.expect_status(200);
    assert_eq!(
        same.text(),
        answer.text(),
        "what is so already is no change"
    );
    let same = patch(&root, &id, json!({})).await.expect_status(200);
    assert_eq!(same.text(), answer.text(), "nothing is no change");

    let disabled = patch(&root, &id, json!({ "disabled": true }))
        .await
        .expect_status(200)
        .json();
    assert_eq!(disabled["status"], "disabled");
    assert_eq!(disabled["disabled_at"], disabled["updated_at"]);
    ada.get("/api/auth/me")
        .await
        .expect_problem(401, "revoked_token");
    let login = || {
        anon.post(
            "/api/auth/login",
            json!({ "login": "ada@example.net", "password": password("ada") }),
        )
    };
    login().await.expect_problem(401, "invalid_credentials");
    let enabled = patch(&root, &id, json!({ "disabled": false }))
        .await
        .expect_status(200)
        .json();
    assert_eq!(
        (&enabled["status"], &enabled["disabled_at"]),
        (&json!("active"), &Value::Null)
    );
    login().await.expect_status(200);
}

#[tokio::test]
async fn what_is_wrong_with_a_patch_is_named() {
    let (app, _anon) = TestApp::new().await;
    let root = admin(&app, "root").await;
    let id = id_of(&app.user("ada").await).await;
    let before = root.get(&at(&id)).await.text();
    for (body, expected) in [
        (json!({ "email": null }), &["email required"][..]),
        (
            json!({ "email": "x", "username": "-", "name": "a\u{202e}b" }),
            &[
                "email invalid_email",
                "username invalid_username",
                "name control_character",
            ],
        ),
        (json!({ "disabled": "yes" }), &["disabled wrong_type"]),
        (
            json!({ "disabled": null, "roles": null }),
            &["roles wrong_type", "disabled wrong_type"],
        ),
        (
            json!({ "roles": ["staff", "Admin"] }),
            &["roles invalid_role"],
        ),
        (
            json!({ "password": "a new long password" }),
            &["password unknown_field"],
        ),
        (json!({ "status": "disabled" }), &["status unknown_field"]),
    ] {
        let answer = patch(&root, &id, body.clone()).await;
        assert_eq!(
            answer.expect_status(422).broken_fields(),
            expected,
            "{body}"
        );
    }
    assert_eq!(root.get(&at(&id)).await.text(), before);
}

#[tokio::test]
async fn an_admin_remains_and_may_be_any_of_them() {
    let (app, _anon) = TestApp::new().await;
    let root = admin(&app, "root").await;
    let id = id_of(&root).await;
    for body in [
        json!({ "roles": [] }),
        json!({ "disabled": true }),
        json!({ "roles": ["staff"], "name": "Root" }),
    ] {
        patch(&root, &id, body)
            .await
            .expect_problem(409, "conflict");
    }
    root.call("DELETE", &at(&id))
        .await
        .expect_problem(409, "conflict");
    let me = root.get("/api/auth/me").await.expect_status(200).json();
    assert_eq!(
        (&me["name"], &me["roles"]),
        (&Value::Null, &json!(["admin"]))
    );

    let other = admin(&app, "other").await;
    let demoted = patch(&root, &id, json!({ "roles": ["staff"] }))
        .await
        .expect_status(200);
    assert_eq!(demoted.json()["roles"], json!(["staff"]));
    root.get(USERS).await.expect_problem(401, "revoked_token");
    let last = id_of(&other).await;
    patch(&other, &last, json!({ "roles": [] }))
        .await
        .expect_problem(409, "conflict");
}

#[tokio::test]
async fn of_two_admins_who_demote_each_other_at_once_one_remains() {
    let (app, _anon) = TestApp::new().await;
    let (left, right) = (admin(&app, "left").await, admin(&app, "right").await);
    let (left_id, right_id) = (id_of(&left).await, id_of(&right).await);
    let none = || json!({ "roles": [] });
    let (one, two) = tokio::join!(
        patch(&left, &right_id, none()),
        patch(&right, &left_id, none())
    );
    let mut statuses = [one.status, two.status];
    statuses.sort_unstable();
    // The other one is forbidden, or logged out already when it is looked at.
    assert_eq!(statuses[0], 200, "{}\n{}", one.shown(), two.shown());
    assert!(
        [401, 403].contains(&statuses[1]),
        "{}\n{}",
        one.shown(),
        two.shown()
    );
}

#[tokio::test]
async fn a_deleted_user_is_seen_restored_and_not_changed() {
    let (app, anon) = TestApp::new().await;
    let root = admin(&app, "root").await;
    let ada = app.user("ada").await;
    let id = id_of(&ada).await;
    let delete = || root.call("DELETE", &at(&id));
    let restore = || root.call("POST", &format!("{}/restore", at(&id)));
    let answer = delete().await.expect_status(204);
    assert!(answer.body.is_empty());
    ada.get("/api/auth/me")
        .await
        .expect_problem(401, "revoked_token");
    delete().await.expect_status(204);
    let seen = root.get(&at(&id)).await.expect_status(200).json();
    assert_eq!(
        (&seen["status"], &seen["email"]),
        (&json!("deleted"), &json!(email("ada")))
    );
    assert_eq!(seen["deleted_at"], seen["updated_at"]);
    patch(&root, &id, json!({ "name": "Ada" }))
        .await
        .expect_problem(409, "conflict");
    patch(&root, &id, json!({}))
        .await
        .expect_problem(409, "conflict");
    root.call("DELETE", &format!("{}/sessions", at(&id)))
        .await
        .expect_status(204);

    let heir = anon
        .post("/api/auth/register", registration("ada"))
        .await
        .expect_status(201);
    restore().await.expect_problem(409, "email_taken");
    let heir = heir.json()["user"]["id"]
        .as_str()
        .expect("an id")
        .to_owned();
    patch(&root, &heir, json!({ "email": "heir@example.org" }))
        .await
        .expect_status(200);
    restore().await.expect_problem(409, "username_taken");
    root.call("DELETE", &at(&heir)).await.expect_status(204);

    let restored = restore().await.expect_status(200);
    assert_eq!(restored.json()["status"], "active");
    assert_eq!(
        restore().await.expect_status(200).text(),
        restored.text(),
        "once more is no change"
    );
    let login = json!({ "login": "ada", "password": password("ada") });
    anon.post("/api/auth/login", login).await.expect_status(200);
}

#[tokio::test]
async fn an_admin_logs_a_user_out_everywhere() {
    let (app, _anon) = TestApp::new().await;
    let root = admin(&app, "root").await;
    let mut ada = app.user("ada").await;
    let eve = app.user("eve").await;
    let end = async |id: &str| root.call("DELETE", &format!("{}/sessions", at(id))).await;
    let id = id_of(&ada).await;
    let answer = end(&id).await.expect_status(204);
    assert!(answer.body.is_empty());
    ada.get("/api/auth/me")
        .await
        .expect_problem(401, "revoked_token");
    ada.refresh().await.expect_problem(401, "revoked_token");
    eve.get("/api/auth/me").await.expect_status(200);
    end(&id).await.expect_status(204);
    let own = id_of(&root).await;
    end(&own).await.expect_status(204);
    root.get(USERS).await.expect_problem(401, "revoked_token");
}
