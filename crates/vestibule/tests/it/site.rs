//! The gate of the static site: who gets what, and where everybody else is sent. The files themselves are tested in
//! `src/site`.

use insta::assert_snapshot;
use serde_json::json;

use crate::support::{Client, DAY, TestApp};

/// Rules in the file, in front of the protected members' area.
const RULES: &str = "
    [[site.rules]]
    path = '/members/images/**'
    public = true
    [[site.rules]]
    path = '/members/handbook.html'
    roles = ['staff', 'board']
";

async fn with_rules() -> (TestApp, Client) {
    let site = format!("{}/../../examples/site", env!("CARGO_MANIFEST_DIR"));
    let settings = [("site.dir", site.as_str()), ("site.protect", "/members/**")];
    TestApp::with_file(&settings, RULES).await
}

#[tokio::test]
async fn a_page_visit_without_a_session_is_sent_to_the_login_and_back() {
    let (_app, anon) = TestApp::with_site(&[]).await;
    let answer = anon.visit("/members/").await;
    assert_snapshot!(answer.shown(), @r#"
    303
    cache-control: no-store
    location: /login?next=/members/
    referrer-policy: strict-origin-when-cross-origin
    x-content-type-options: nosniff
    "#);
    for (asked, location) in [
        ("/members", "/login?next=/members"),
        (
            "/members/handbook.html",
            "/login?next=/members/handbook.html",
        ),
        (
            "/members/?a=b&c=%20d",
            "/login?next=/members/%3Fa%3Db%26c%3D%2520d",
        ),
        (
            "/members/?next=//evil.example",
            "/login?next=/members/%3Fnext%3D//evil.example",
        ),
    ] {
        let answer = anon.visit(asked).await.expect_status(303);
        assert_eq!(answer.header("location"), Some(location), "{asked}");
    }
    anon.call("HEAD", "/members/")
        .header("sec-fetch-mode", "navigate")
        .await
        .expect_status(303);
}

#[tokio::test]
async fn a_client_without_fetch_metadata_is_known_by_what_it_accepts() {
    let (_app, anon) = TestApp::with_site(&[]).await;
    let members = || anon.get("/members/");
    let html = "text/html,application/xhtml+xml;q=0.9,*/*;q=0.8";
    members().header("accept", html).await.expect_status(303);
    for call in [
        members(),
        members().header("accept", "*/*"),
        members().header("accept", "application/json"),
        members()
            .header("accept", html)
            .header("x-requested-with", "XMLHttpRequest"),
        members()
            .header("accept", html)
            .header("sec-fetch-mode", "cors"),
        anon.call("POST", "/members/").header("accept", html),
    ] {
        let answer = call.await.expect_status(401);
        assert_eq!(answer.header("location"), None);
    }
}

#[tokio::test]
async fn a_script_without_a_session_is_told_so_and_sent_nowhere() {
    let (app, _anon) = TestApp::with_site(&[]).await;
    let answer = app
        .stranger_in_browser()
        .get("/members/observing-nights.ics")
        .await;
    assert_snapshot!(answer.shown(), @r#"
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
}

#[tokio::test]
async fn a_session_opens_the_members_area_until_it_ends() {
    let (app, anon) = TestApp::with_site(&[]).await;
    let ada = app.user("ada").await;
    let eve = app.browser("eve").await;
    for client in [&ada, &eve] {
        let answer = client.visit("/members/").await.expect_status(200);
        assert_eq!(answer.header("cache-control"), Some("private, no-cache"));
        assert_eq!(
            answer.header("content-type"),
            Some("text/html; charset=utf-8")
        );
        assert!(answer.text().contains("Members"));
    }
    let cookie = eve.cookie().expect("a cookie");
    for client in [&ada, &eve] {
        client
            .call("POST", "/api/auth/logout")
            .await
            .expect_status(204);
        client.visit("/members/").await.expect_status(303);
        client
            .get("/members/handbook.html")
            .await
            .expect_status(401);
    }
    anon.visit("/members/")
        .header("cookie", cookie)
        .await
        .expect_status(303);
}

#[tokio::test]
async fn what_is_not_protected_is_for_everybody() {
    let (_app, anon) = TestApp::with_site(&[]).await;
    for (path, kind) in [
        ("/", "text/html; charset=utf-8"),
        ("/about.html", "text/html; charset=utf-8"),
        ("/style.css", "text/css; charset=utf-8"),
        ("/images/moon.png", "image/png"),
    ] {
        let answer = anon.get(path).await.expect_status(200);
        assert_eq!(answer.header("content-type"), Some(kind), "{path}");
        assert_eq!(answer.header("cache-control"), Some("no-cache"), "{path}");
    }
    let missing = anon.visit("/missing").await.expect_status(404);
    assert_eq!(
        missing.header("content-type"),
        Some("text/html; charset=utf-8")
    );
}

#[tokio::test]
async fn a_credential_that_is_no_longer_good_leads_to_the_login() {
    let (app, _anon) = TestApp::with_site(&[]).await;
    let ada = app.user("ada").await;
    let eve = app.browser("eve").await;
    app.clock.advance(31 * DAY);
    for client in [&ada, &eve] {
        client.visit("/members/").await.expect_status(303);
        client
            .get("/members/handbook.html")
            .await
            .expect_problem(401, "expired_token");
    }
}

#[tokio::test]
async fn a_rule_may_ask_for_one_of_several_roles() {
    let (app, anon) = with_rules().await;
    let ada = app.user("ada").await;
    anon.visit("/members/handbook.html")
        .await
        .expect_status(303);
    ada.visit("/members/").await.expect_status(200);
    let answer = ada.visit("/members/handbook.html").await;
    assert_snapshot!(answer.shown(), @r#"
    403
    cache-control: no-store
    content-type: application/problem+json
    referrer-policy: strict-origin-when-cross-origin
    x-content-type-options: nosniff
    {
      "code": "forbidden",
      "detail": "Your account lacks the role for this.",
      "status": 403,
      "title": "Forbidden",
      "type": "about:blank"
    }
    "#);
    app.grant("ada", "board").await;
    ada.visit("/members/handbook.html").await.expect_status(200);
}

#[tokio::test]
async fn a_rule_may_open_a_part_of_what_is_protected() {
    let (_app, anon) = with_rules().await;
    anon.get("/members/images/dome.svg")
        .await
        .expect_status(200);
    anon.get("/members/images/../handbook.html")
        .await
        .expect_status(404);
    anon.get("/members/").await.expect_status(401);
}

#[tokio::test]
async fn to_a_stranger_a_protected_place_looks_the_same_whether_it_exists_or_not() {
    let (_app, anon) = TestApp::with_site(&[]).await;
    let existing = anon.get("/members/handbook.html").await.expect_status(401);
    for missing in [
        "/members/missing.html",
        "/members/images",
        "/members/a/b/c/",
    ] {
        let answer = anon.get(missing).await;
        assert_eq!(
            answer.without_request_id(),
            existing.without_request_id(),
            "{missing}"
        );
    }
    let existing = anon.visit("/members/handbook.html").await.shown();
    let missing = anon.visit("/members/manifest.html").await.shown();
    assert_eq!(missing.replace("manifest", "handbook"), existing);
}

#[tokio::test]
async fn a_stranger_is_refused_before_any_condition_is_looked_at() {
    let (app, anon) = TestApp::with_site(&[]).await;
    let ada = app.user("ada").await;
    let page = ada.get("/members/handbook.html").await.expect_status(200);
    let tag = page.header("etag").expect("a tag").to_owned();
    let modified = page.header("last-modified").expect("a time").to_owned();
    let conditional = |client: &Client| {
        client
            .get("/members/handbook.html")
            .header("if-none-match", &tag)
            .header("if-modified-since", &modified)
    };
    let answer = conditional(&ada).await.expect_status(304);
    assert_eq!(answer.header("cache-control"), Some("private, no-cache"));
    for call in [
        conditional(&anon),
        anon.get("/members/handbook.html")
            .header("if-none-match", "*"),
        anon.get("/members/handbook.html")
            .header("range", "bytes=0-10"),
        anon.get("/members/handbook.html")
            .header("if-match", "\"a\""),
    ] {
        let answer = call.await.expect_status(401);
        assert_eq!(answer.header("etag"), None);
        assert_eq!(answer.header("cache-control"), Some("no-store"));
    }
}

#[tokio::test]
async fn no_spelling_of_a_protected_path_is_a_way_in() {
    let (_app, anon) = TestApp::with_site(&[]).await;
    for path in [
        "/members%2f",
        "/members%2F",
        "/%6dembers/",
        "/%6Dembers/index.html",
        "/%256dembers/",
        "/members/../members/",
        "/members/.",
        "/members/./index.html",
        "/./members/",
        "//members/",
        "/members//",
        "/members//index.html",
        "/MEMBERS/",
        "/Members/index.html",
        "/public/../members/",
        "/images/../members/index.html",
        "/images/%2e%2e/members/index.html",
        "/images/..%2fmembers/index.html",
        "/images/..%5cmembers/index.html",
        "/images\\..\\members\\index.html",
        "/members;a=b/",
        "/members/;a=b",
        "/members/index.html;a",
        "/members/index.html%00",
        "/members/index.html%00.png",
        "/members/index.html/",
        "/members/index.html.",
        "/members/index.html%20",
        "/members%00/",
        "/members.html",
        "/members/index",
        "/%2e/members/",
        "/members%c0%af",
        "/%ef%bd%8dembers/",
        "/api/../members/",
        "/login/../members/",
    ] {
        for call in [anon.get(path), anon.visit(path), anon.call("HEAD", path)] {
            let answer = call.await;
            assert!(
                matches!(answer.status, 303 | 401 | 404),
                "{path} was answered {}",
                answer.shown()
            );
            assert!(!answer.text().contains("Observing nights"), "{path}");
        }
    }
}

#[tokio::test]
async fn the_site_can_only_be_read() {
    let (app, anon) = TestApp::with_site(&[]).await;
    let ada = app.user("ada").await;
    for method in [
        "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "PROPFIND",
    ] {
        for (client, path) in [(&anon, "/"), (&anon, "/about.html"), (&ada, "/members/")] {
            let answer = client.call(method, path).await.expect_status(405);
            assert_eq!(answer.header("allow"), Some("GET, HEAD"), "{method} {path}");
        }
        anon.call(method, "/members/").await.expect_status(401);
    }
}

#[tokio::test]
async fn without_its_database_the_members_area_is_closed_and_the_rest_is_open() {
    let (mut app, anon) = TestApp::with_site(&[]).await;
    let ada = app.user("ada").await;
    let eve = app.browser("eve").await;
    app.lose_database().await;
    for client in [&ada, &eve] {
        client
            .visit("/members/")
            .await
            .expect_problem(503, "unavailable");
        client.get("/members/missing").await.expect_status(503);
    }
    anon.visit("/members/").await.expect_status(303);
    anon.visit("/").await.expect_status(200);
    anon.post(
        "/api/auth/login",
        json!({ "login": "ada", "password": "a" }),
    )
    .await
    .expect_problem(503, "unavailable");
}

#[tokio::test]
async fn paths_of_the_server_are_never_files_of_the_site() {
    let folder = tempfile::tempdir().expect("a folder");
    for name in ["login", "livez", "admin", "account", "metrics", "readyz"] {
        std::fs::write(folder.path().join(name), "a file of the site").expect("written");
    }
    for path in [
        "api/auth/me",
        "api/unknown",
        "register/index.html",
        ".well-known/jwks.json",
        ".well-known/security.txt",
    ] {
        let path = folder.path().join(path);
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("created");
        std::fs::write(path, "a file of the site").expect("written");
    }
    let site = folder.path().display().to_string();
    let (_app, anon) = TestApp::with(&[("site.dir", &site)]).await;
    for path in [
        "/login",
        "/livez",
        "/readyz",
        "/admin",
        "/account",
        "/metrics",
        "/api/auth/me",
        "/api/unknown",
        "/register/",
        "/register",
        "/register/index.html",
        "/.well-known/jwks.json",
        "/%61pi/auth/me",
        "/%6cogin",
        "/login/",
    ] {
        let answer = anon.visit(path).await;
        assert!(!answer.text().contains("a file of the site"), "{path}");
    }
    anon.get("/.well-known/security.txt")
        .await
        .expect_status(200);
}

#[tokio::test]
async fn of_the_admin_folder_the_server_takes_its_own_pages_alone() {
    let folder = tempfile::tempdir().expect("a folder");
    let files = [
        "admin/index.html",
        "admin/help.html",
        "admin/audit/index.html",
        "admin/audit/help.html",
        "admin/users/index.html",
        "admin/users/help.html",
        "admin/users/a/help.html",
        "admin/users-guide.html",
    ];
    for path in files.map(|path| folder.path().join(path)) {
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("created");
        std::fs::write(path, "a file of the site").expect("written");
    }
    let site = folder.path().display().to_string();
    let (_app, anon) = TestApp::with(&[("site.dir", &site)]).await;
    for path in [
        "/admin/help.html",
        "/admin/audit/help.html",
        "/admin/users-guide.html",
    ] {
        assert_eq!(anon.visit(path).await.text(), "a file of the site");
    }
    for path in [
        "/admin",
        "/admin/",
        "/admin/index.html",
        "/admin/audit",
        "/admin/audit/",
        "/admin/users",
        "/admin/users/",
        "/admin/users/help.html",
        "/admin/users/a/help.html",
        "/%61dmin/users/a/help.html",
    ] {
        let answer = anon.visit(path).await;
        assert!(!answer.text().contains("a file of the site"), "{path}");
    }
}

#[tokio::test]
async fn without_a_site_the_root_leads_to_the_dashboard() {
    let (_app, anon) = TestApp::new().await;
    let answer = anon.visit("/").await;
    assert_snapshot!(answer.shown(), @r#"
    303
    cache-control: no-store
    location: /dashboard
    referrer-policy: strict-origin-when-cross-origin
    x-content-type-options: nosniff
    "#);
    anon.visit("/members/")
        .await
        .expect_problem(404, "not_found");
    anon.call("POST", "/")
        .await
        .expect_problem(404, "not_found");
    anon.call("HEAD", "/").await.expect_status(303);
}
