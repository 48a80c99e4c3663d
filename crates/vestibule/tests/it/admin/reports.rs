//! What admins read of the whole: who did what to whom, and how much there is.

use super::*;
use crate::support::DAY;

const AUDIT: &str = "/api/admin/audit";
const STATS: &str = "/api/admin/stats";

#[tokio::test]
async fn an_event_tells_who_did_what_to_whom_from_where() {
    let (app, _anon) = TestApp::new().await;
    let root = admin(&app, "root").await;
    let ada = id_of(&app.user("ada").await).await;
    app.clock.advance(MINUTE);
    let root = root.at("198.51.100.7");
    let body = json!({ "roles": ["staff"] });
    let changed = root
        .call("PATCH", &at(&ada))
        .header("user-agent", "a program")
        .json(&body);
    let changed = changed.await.expect_status(200);
    let list = root
        .get(&format!("{AUDIT}?limit=1"))
        .await
        .expect_status(200)
        .json();
    let event = &list["items"][0];
    assert_eq!(
        event["actor"],
        json!({ "kind": "user", "id": id_of(&root).await })
    );
    assert_eq!(event["subject"], json!(ada));
    assert_eq!(event["request_id"], json!(changed.request_id()));
    let mut shown = event.clone();
    for unsteady in ["id", "actor", "subject", "request_id"] {
        shown[unsteady] = json!("…");
    }
    insta::assert_snapshot!(format!("{shown:#}"), @r#"
    {
      "actor": "…",
      "address": "198.51.100.7",
      "at": "2026-01-31T12:02:00.000000Z",
      "detail": {
        "added": [
          "staff"
        ],
        "removed": []
      },
      "event": "roles_changed",
      "id": "…",
      "request_id": "…",
      "subject": "…",
      "user_agent": "a program"
    }
    "#);
}

#[tokio::test]
async fn each_thing_an_admin_does_is_recorded_and_what_fails_is_not() {
    let (app, _anon) = TestApp::new().await;
    let root = admin(&app, "root").await;
    let root_id = id_of(&root).await;
    let added = root
        .post(USERS, registration("ada"))
        .await
        .expect_status(201);
    let ada = added.text_at("id");
    let mut expected = vec!["registered".to_owned()];
    for (call, events) in [
        (
            root.call("PATCH", &at(&ada))
                .json(&json!({ "name": "Ada" })),
            "profile_changed",
        ),
        (
            root.call("PATCH", &at(&ada))
                .json(&json!({ "roles": ["staff"] })),
            "roles_changed",
        ),
        (
            root.call("PATCH", &at(&ada))
                .json(&json!({ "disabled": true })),
            "disabled",
        ),
        (
            root.call("PATCH", &at(&ada))
                .json(&json!({ "disabled": true })),
            "",
        ),
        (
            root.call("PATCH", &at(&ada))
                .json(&json!({ "disabled": false })),
            "enabled",
        ),
        (
            root.call("PATCH", &at(&ada))
                .json(&json!({ "email": email("root"), "name": "x" })),
            "",
        ),
        (
            root.call("PATCH", &at(&root_id))
                .json(&json!({ "roles": [] })),
            "",
        ),
        (root.call("DELETE", &at(&ada)), "account_deleted"),
        (root.call("DELETE", &at(&ada)), ""),
        (
            root.call("POST", &format!("{}/restore", at(&ada))),
            "restored",
        ),
        (root.call("DELETE", &format!("{}/sessions", at(&ada))), ""),
        (root.call("GET", &at(&ada)), ""),
    ] {
        app.clock.advance(MINUTE);
        call.await;
        expected.extend((!events.is_empty()).then(|| events.to_owned()));
    }
    app.clock.advance(MINUTE);
    app.user("eve").await;
    let list = root.get(&format!("{AUDIT}?limit=100&user={ada}")).await;
    let mut told = each(&list, "event");
    told.reverse();
    assert_eq!(told, expected);
    let mut body = registration("bob");
    body["roles"] = json!(["admin"]);
    let bob = root.post(USERS, body).await.expect_status(201);
    let list = root.get(&format!("{AUDIT}?event=admin_created")).await;
    assert_eq!(each(&list, "subject"), [bob.text_at("id")]);
}

#[tokio::test]
async fn events_are_found_by_user_kind_and_time() {
    let (app, anon) = TestApp::new().await;
    let root = admin(&app, "root").await;
    let ada = id_of(&app.user("ada").await).await;
    for (name, secret) in [
        ("ada", "wrong"),
        ("ada", "ada likes long passwords"),
        ("typed-password", "wrong"),
    ] {
        app.clock.advance(MINUTE);
        anon.post(
            "/api/auth/login",
            json!({ "login": name, "password": secret }),
        )
        .await;
    }
    let events = async |query: &str| {
        let list = root
            .get(&format!("{AUDIT}{query}"))
            .await
            .expect_status(200);
        assert!(
            !list.text().contains("typed-password"),
            "it may be a password"
        );
        each(&list, "event")
    };
    let of_ada = events(&format!("?user={ada}")).await;
    assert_eq!(of_ada, ["login", "login_failed", "registered"]);
    assert_eq!(events("?event=login_failed").await.len(), 2);
    assert_eq!(
        events(&format!("?event=login_failed&user={ada}"))
            .await
            .len(),
        1
    );
    assert_eq!(events(&format!("?user={NOBODY}")).await, [""; 0]);
    // The tests begin at noon; granting the role took a minute.
    assert_eq!(
        events("?since=2026-01-31T12:03:00Z").await,
        ["login_failed", "login"]
    );
    assert_eq!(events("?since=2026-01-31T13:03:00%2B01:00").await.len(), 2);
    assert_eq!(events("?since=2100-01-01T00:00:00Z").await, [""; 0]);

    let all = events("?limit=100").await;
    let (mut found, mut path) = (Vec::new(), format!("{AUDIT}?limit=2"));
    while !path.is_empty() {
        let page = root.get(&path).await.expect_status(200);
        found.extend(each(&page, "event"));
        let cursor = page.json()["next_cursor"].as_str().map(str::to_owned);
        path = cursor.map_or_else(String::new, |cursor| {
            format!("{AUDIT}?limit=2&cursor={cursor}")
        });
    }
    assert_eq!(found, all);
}

#[tokio::test]
async fn figures_tell_how_much_there_is() {
    let (app, anon) = TestApp::new().await;
    let root = admin(&app, "root").await;
    let gone = id_of(&app.user("gone").await).await;
    let kept_out = id_of(&app.user("out").await).await;
    app.clock.advance(3 * DAY);
    app.browser("ada").await;
    anon.post(
        "/api/auth/login",
        json!({ "login": "ada", "password": "wrong" }),
    )
    .await;
    let mut root = root;
    root.refresh().await.expect_status(200);
    root.call("DELETE", &at(&gone)).await.expect_status(204);
    patch(&root, &kept_out, json!({ "disabled": true }))
        .await
        .expect_status(200);
    insta::assert_snapshot!(root.get(STATS).await.shown(), @r#"
    200
    cache-control: no-store
    content-type: application/json
    referrer-policy: strict-origin-when-cross-origin
    x-content-type-options: nosniff
    {
      "as_of": "2026-02-03T12:01:00.000000Z",
      "last_24_hours": {
        "failed_logins": 1,
        "logins": 0,
        "registrations": 1
      },
      "last_7_days": {
        "failed_logins": 1,
        "logins": 0,
        "registrations": 4
      },
      "sessions": {
        "cookie": 1,
        "token": 1
      },
      "users": {
        "active": 2,
        "admins": 1,
        "deleted": 1,
        "disabled": 1
      }
    }
    "#);
}

#[tokio::test]
async fn without_a_database_admins_are_told_so() {
    let (mut app, _anon) = TestApp::new().await;
    let root = admin(&app, "root").await;
    app.lose_database().await;
    for path in [USERS, AUDIT, STATS] {
        root.get(path).await.expect_problem(503, "unavailable");
    }
}
