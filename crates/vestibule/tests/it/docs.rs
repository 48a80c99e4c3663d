//! `/api/docs`: the description of the API as a page. That it works in a browser is tried in `web/e2e`.

use std::io::Read as _;

use flate2::read::GzDecoder;

use crate::support::TestApp;

#[tokio::test]
async fn the_page_is_under_the_policy_of_all_our_pages() {
    let (_app, anon) = TestApp::new().await;
    let page = anon.visit("/api/docs").await.expect_status(200);
    assert_eq!(
        page.header("content-type"),
        Some("text/html; charset=utf-8")
    );
    let login = anon.visit("/login").await;
    for name in [
        "content-security-policy",
        "cross-origin-opener-policy",
        "x-frame-options",
    ] {
        assert!(page.header(name).is_some(), "{name}");
        assert_eq!(page.header(name), login.header(name), "{name}");
    }
    let html = page.text();
    assert!(!html.contains("style="), "{html}");
    assert!(
        html.matches("<script").count() == html.matches("<script src=").count(),
        "{html}"
    );
}

#[tokio::test]
async fn the_page_finds_all_of_its_files_here() {
    let (_app, anon) = TestApp::new().await;
    let html = anon.visit("/api/docs").await.text();
    let mut linked = html.split(['"']).filter(|text| text.contains('/'));
    assert!(
        linked.all(|text| !text.contains("//")),
        "an address of another host: {html}"
    );
    let files: Vec<_> = html
        .split('"')
        .filter(|text| text.starts_with("/api/docs/"))
        .collect();
    assert_eq!(files.len(), 4, "{html}");
    for file in files {
        let answer = anon.get(file).await.expect_status(200);
        let expected = match file.rsplit_once('.') {
            Some((_, "js")) => "text/javascript; charset=utf-8",
            Some((_, "css")) => "text/css; charset=utf-8",
            _ => panic!("{file}"),
        };
        assert_eq!(answer.header("content-type"), Some(expected), "{file}");
        assert_eq!(answer.header("cache-control"), Some("no-cache"), "{file}");
        assert!(!answer.body.is_empty(), "{file}");
    }
}

#[tokio::test]
async fn a_file_is_the_same_packed_and_unpacked() {
    let (_app, anon) = TestApp::new().await;
    for file in ["/api/docs/swagger-ui.css", "/api/docs/swagger-ui-bundle.js"] {
        let plain = anon.get(file).await.expect_status(200);
        assert_eq!(plain.header("content-encoding"), None);
        let packed = anon.get(file).header("accept-encoding", "gzip, br").await;
        assert_eq!(packed.header("content-encoding"), Some("gzip"));
        assert_eq!(packed.header("etag"), plain.header("etag"));
        let mut whole = Vec::new();
        let mut reader = GzDecoder::new(&packed.body[..]);
        reader.read_to_end(&mut whole).expect("gzip");
        assert!(
            whole == plain.body && packed.body.len() < whole.len() / 2,
            "{file}"
        );
    }
}

#[tokio::test]
async fn a_file_that_the_browser_still_holds_is_not_sent_again() {
    let (_app, anon) = TestApp::new().await;
    let file = anon.get("/api/docs/page.js").await.expect_status(200);
    let tag = file.header("etag").expect("a tag").to_owned();
    let again = anon
        .get("/api/docs/page.js")
        .header("if-none-match", &tag)
        .await;
    assert!(again.expect_status(304).body.is_empty());
    let other = anon
        .get("/api/docs/page.js")
        .header("if-none-match", "\"a\"")
        .await;
    other.expect_status(200);
}

#[tokio::test]
async fn what_is_no_file_of_the_page_is_not_found() {
    let (_app, anon) = TestApp::new().await;
    for path in [
        "/api/docs/",
        "/api/docs/page.html",
        "/api/docs/PAGE.JS",
        "/api/docs//page.js",
        "/api/docs/page%2ejs",
        "/api/docs/../openapi.json",
        "/api/docs/%ff",
    ] {
        anon.get(path).await.expect_problem(404, "not_found");
    }
}
