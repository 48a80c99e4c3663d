//! The list of users: its order, its pages and its filters, and queries that are none.

use super::*;

#[tokio::test]
async fn users_are_listed_newest_first_in_pages() {
    let (app, _anon) = TestApp::new().await;
    let root = admin(&app, "root").await;
    for number in 0..5 {
        app.user(&format!("user{number}")).await;
        app.clock.advance(MINUTE);
    }
    let (mut found, mut path) = (Vec::new(), format!("{USERS}?limit=2"));
    for _ in 0..3 {
        let page = root.get(&path).await.expect_status(200);
        found.extend(each(&page, "username"));
        app.user(&format!("late{}", found.len())).await;
        if let Some(cursor) = page.json()["next_cursor"].as_str() {
            path = format!("{USERS}?limit=2&cursor={cursor}");
        } else {
            path.clear();
        }
    }
    assert_eq!(found, ["user4", "user3", "user2", "user1", "user0", "root"]);
    assert_eq!(path, "", "the last page says that it is");
}

#[tokio::test]
async fn users_are_found_by_what_they_are() {
    let (app, _anon) = TestApp::new().await;
    let root = admin(&app, "root").await;
    let mut ids = Vec::new();
    for name in ["ada", "dis_abled", "gone"] {
        ids.push(id_of(&app.user(name).await).await);
        app.grant(name, "staff").await;
        app.clock.advance(MINUTE);
    }
    patch(
        &root,
        &ids[1],
        json!({ "disabled": true, "name": "50% off" }),
    )
    .await
    .expect_status(200);
    root.call("DELETE", &at(&ids[2])).await.expect_status(204);
    for (query, expected) in [
        ("", &["dis_abled", "ada", "root"][..]),
        ("?status=active", &["ada", "root"]),
        ("?status=disabled", &["dis_abled"]),
        ("?status=deleted", &["gone"]),
        ("?role=staff", &["dis_abled", "ada"]),
        ("?role=admin&status=active", &["root"]),
        ("?role=nobody", &[]),
        ("?q=ADA@", &["ada"]),
        ("?q=_", &["dis_abled"]),
        ("?q=%25", &["dis_abled"]),
        ("?q=%5C", &[]),
        ("?q=gone", &[]),
        ("?q=gone&status=deleted&role=staff", &["gone"]),
        (
            "?q=&role=&status=&limit=&cursor=",
            &["dis_abled", "ada", "root"],
        ),
    ] {
        let list = root
            .get(&format!("{USERS}{query}"))
            .await
            .expect_status(200);
        assert_eq!(each(&list, "username"), expected, "{query}");
        assert!(!list.text().contains("$argon2"), "a hash never leaves");
    }
}

#[tokio::test]
async fn a_query_that_is_none_is_refused() {
    let (app, _anon) = TestApp::new().await;
    let root = admin(&app, "root").await;
    for query in [
        "?Q=a",
        "?q=a&q=b",
        "?q=%ff",
        "?offset=1",
        "?status=active&%73tatus=",
    ] {
        let answer = root.get(&format!("{USERS}{query}")).await;
        answer.expect_problem(400, "malformed_request");
    }
    let cursor_of_users = {
        app.user("ada").await;
        root.get(&format!("{USERS}?limit=1"))
            .await
            .text_at("next_cursor")
    };
    let shorter = &cursor_of_users[1..];
    let long = "A".repeat(4_000);
    for (path, query, expected) in [
        (USERS, "limit=0".to_owned(), "limit out_of_range"),
        (USERS, "limit=101".to_owned(), "limit out_of_range"),
        (USERS, "limit=-1".to_owned(), "limit out_of_range"),
        (
            USERS,
            "limit=99999999999999999999".to_owned(),
            "limit out_of_range",
        ),
        (USERS, "status=gone".to_owned(), "status not_a_choice"),
        (USERS, "role=No+role".to_owned(), "role invalid_role"),
        (USERS, "q=a%00b".to_owned(), "q control_character"),
        (USERS, "cursor=1".to_owned(), "cursor invalid_cursor"),
        (USERS, format!("cursor={shorter}"), "cursor invalid_cursor"),
        (USERS, format!("cursor={long}"), "cursor invalid_cursor"),
        (
            "/api/admin/audit",
            format!("cursor={cursor_of_users}"),
            "cursor invalid_cursor",
        ),
        (
            "/api/admin/audit",
            "event=Login".to_owned(),
            "event not_a_choice",
        ),
        ("/api/admin/audit", "user=1".to_owned(), "user invalid_id"),
        (
            "/api/admin/audit",
            "since=yesterday".to_owned(),
            "since invalid_time",
        ),
        (
            "/api/admin/audit",
            "since=2026-01-31".to_owned(),
            "since invalid_time",
        ),
    ] {
        let answer = root.get(&format!("{path}?{query}")).await;
        let answer = answer.expect_problem(422, "validation_failed");
        assert_eq!(answer.broken_fields(), [expected], "{query}");
    }
    let all = root
        .get(&format!("{USERS}?limit=0&status=x&cursor=x"))
        .await;
    assert_eq!(
        all.expect_status(422).broken_fields().len(),
        3,
        "all of it is named"
    );
}
