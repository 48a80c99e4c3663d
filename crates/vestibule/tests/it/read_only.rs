//! A server that writes nothing: what goes on, and what is answered 503 in the meantime.

use insta::assert_snapshot;
use serde_json::json;

use crate::{
    place::Place,
    process::{Server, run, run_with_input, stderr},
    support::{DAY, TestApp, email, password, registration},
};

const READ_ONLY: [(&str, &str); 1] = [("read_only", "true")];

#[tokio::test]
async fn who_is_signed_in_goes_on_reading() {
    let (app, _) = TestApp::new().await;
    let ada = app.user("ada").await;
    let browser = app.browser("grace").await;
    let (reading, _) = app.beside(&READ_ONLY).await;
    app.clock.advance(DAY / 144);
    let (ada, browser) = (ada.on(&reading), browser.on(&reading));
    for path in ["/api/auth/me", "/api/user/profile", "/api/auth/sessions"] {
        ada.get(path).await.expect_status(200);
        browser.get(path).await.expect_status(200);
    }
    let granted = browser.call("POST", "/api/auth/refresh").await;
    assert!(
        !granted
            .expect_status(200)
            .text_at("access_token")
            .is_empty()
    );
    for path in ["/readyz", "/.well-known/jwks.json", "/login"] {
        browser.get(path).await.expect_status(200);
    }
}

#[tokio::test]
async fn what_would_change_something_is_unavailable_and_changes_nothing() {
    let (app, _) = TestApp::new().await;
    let mut ada = app.user("ada").await;
    let (reading, anon) = app.beside(&READ_ONLY).await;
    let there = ada.on(&reading);
    let login = json!({ "login": email("ada"), "password": password("ada") });
    let answer = anon.post("/api/auth/login", login).await;
    assert_snapshot!(answer.shown(), @r#"
    503
    cache-control: no-store
    content-type: application/problem+json
    referrer-policy: strict-origin-when-cross-origin
    retry-after: 60
    x-content-type-options: nosniff
    {
      "code": "unavailable",
      "detail": "The server is read-only at the moment, so nothing can be changed. Try again later.",
      "status": 503,
      "title": "Service Unavailable",
      "type": "about:blank"
    }
    "#);
    let unknown = json!({ "login": "nobody", "password": "wrong" });
    let unknown = anon.post("/api/auth/login", unknown).await;
    assert_eq!(unknown.without_request_id(), answer.without_request_id());

    let proof = json!({ "current_password": password("ada") });
    let new = json!({ "current_password": password("ada"), "new_password": password("eve") });
    let refresh = json!({ "refresh_token": ada.refresh_token });
    let mut setup = registration("eve");
    setup["code"] = "code".into();
    for call in [
        anon.post("/api/auth/register", registration("eve")),
        anon.post("/api/auth/setup", setup),
        anon.post("/api/auth/refresh", refresh),
        there.post("/api/auth/password", new),
        there.post("/api/user/profile/delete", proof),
        there
            .call("PATCH", "/api/user/profile")
            .json(&json!({ "name": "Ada" })),
        there.call("DELETE", "/api/auth/sessions"),
        there.call("POST", "/api/auth/logout"),
    ] {
        call.await.expect_problem(503, "unavailable");
    }
    let oauth = anon
        .call("POST", "/api/auth/token")
        .header("content-type", "application/x-www-form-urlencoded")
        .body("grant_type=password&username=ada&password=x")
        .await
        .expect_status(503);
    assert_eq!(oauth.json()["error"], "temporarily_unavailable");

    ada.refresh().await.expect_status(200);
    ada.get("/api/auth/me").await.expect_status(200);
}

#[test]
fn the_program_serves_what_another_run_has_left_and_writes_nothing() {
    let folder = Place::in_a_file();
    let url = ["--public-url", "http://localhost:1"];
    let server = Server::start(folder.path(), &url);
    let form = json!({ "email": email("ada"), "password": password("ada") });
    let opened = server.post("/api/auth/register", &form);
    let token = opened.json()["access_token"]
        .as_str()
        .expect("a token")
        .to_owned();
    server.kill();
    let data = folder.path().join("vestibule-data");
    std::fs::remove_file(data.join("setup-link")).expect("there was no admin");
    let bytes = || {
        ["vestibule.db", "vestibule.db-wal"].map(|file| std::fs::read(data.join(file)).expect(file))
    };
    let before = bytes();

    let server = Server::start(folder.path(), &[url[0], url[1], "--read-only"]);
    assert_eq!(server.ready["read_only"], true);
    assert_eq!(server.ready["setup_link_file"], json!(null));
    assert_eq!(server.me(&token).status, 200);
    assert_eq!(server.request("GET", "/readyz", &[], "").status, 200);
    let login = server.post(
        "/api/auth/login",
        &json!({ "login": email("ada"), "password": password("ada") }),
    );
    assert_eq!(login.status, 503, "{}", login.body);
    let add = [
        "user",
        "add",
        "eve@example.org",
        "--password-stdin",
        "--read-only",
    ];
    let added = run_with_input(folder.path(), &add, "correct horse battery staple\n");
    assert_eq!(added.status.code(), Some(1));
    assert!(stderr(&added).contains("read_only"), "{}", stderr(&added));
    assert_eq!(server.stop(), Some(0));
    assert_eq!(bytes(), before);
    assert!(!data.join("setup-link").exists());
}

#[test]
fn without_a_database_of_the_newest_schema_it_does_not_start_and_makes_nothing() {
    let folder = Place::in_a_file();
    let start = || {
        run(
            folder.path(),
            ["serve", "--listen", "127.0.0.1:0", "--read-only"],
        )
    };
    let missing = start();
    assert_eq!(missing.status.code(), Some(1));
    assert!(
        stderr(&missing).contains("no database"),
        "{}",
        stderr(&missing)
    );
    assert!(!folder.path().join("vestibule-data").exists());

    assert_eq!(run(folder.path(), ["migrate", "up"]).status.code(), Some(0));
    let empty = start();
    assert_eq!(empty.status.code(), Some(2));
    assert!(
        stderr(&empty).contains("no accounts yet"),
        "{}",
        stderr(&empty)
    );
    assert!(!folder.path().join("vestibule-data/secret.key").exists());

    assert_eq!(Server::start(folder.path(), &[]).stop(), Some(0));
    assert_eq!(
        run(folder.path(), ["migrate", "down", "--yes"])
            .status
            .code(),
        Some(0)
    );
    let older = start();
    assert_eq!(older.status.code(), Some(2));
    assert!(
        stderr(&older).contains("older schema"),
        "{}",
        stderr(&older)
    );
}
