//! The built-in pages and their files.

use std::fs;

use crate::support::{PAGES, TestApp};

#[tokio::test]
async fn every_page_is_the_same_document() {
    let (_app, anon) = TestApp::new().await;
    let login = anon.visit("/login").await.expect_status(200);
    assert_eq!(
        login.header("content-type"),
        Some("text/html; charset=utf-8")
    );
    assert!(login.text().starts_with("<!doctype html>"));
    for page in PAGES {
        for path in [page.to_owned(), format!("{page}?next=/members/&token=a")] {
            let answer = anon.visit(&path).await;
            assert_eq!(answer.without_request_id(), login.without_request_id());
        }
    }
}

#[tokio::test]
async fn pages_bear_the_name_that_is_configured() {
    let (_app, anon) = TestApp::with(&[("ui.name", "Ada & \"Eve\" <b>")]).await;
    let html = anon.visit("/login").await.text();
    assert!(
        html.contains("Ada &amp; &quot;Eve&quot; &lt;b&gt;"),
        "{html}"
    );
    assert!(!html.contains("<b>"), "{html}");
    assert!(!html.contains("{{"), "something was not filled in: {html}");
}

#[tokio::test]
async fn pages_bear_the_picture_and_the_style_that_are_configured() {
    let folder = tempfile::tempdir().expect("a folder");
    let place = |name: &str, content: &[u8]| {
        let path = folder.path().join(name);
        fs::write(&path, content).expect("a file");
        path.display().to_string()
    };
    let drawing = "<svg xmlns=\"http://www.w3.org/2000/svg\"><script>alert(1)</script></svg>";
    let logo = place("logo.svg", drawing.as_bytes());
    let css = place("brand.css", b":root { --accent: #7a1fa2 }");
    let (_app, anon) = TestApp::with(&[("ui.logo", &logo), ("ui.css", &css)]).await;
    let html = anon.visit("/login").await.expect_status(200).text();
    assert!(html.contains("<meta name=\"vestibule-logo\" content=\"/api/ui/logo\""));
    assert!(html.contains("<link rel=\"icon\" href=\"/api/ui/logo\""));
    let [ours, theirs] = ["/api/ui/app.css", "/api/ui/brand.css"].map(|file| html.find(file));
    assert!(ours.is_some() && ours < theirs, "theirs has the last word");

    let css = anon.get("/api/ui/brand.css").await.expect_status(200);
    assert_eq!(css.text(), ":root { --accent: #7a1fa2 }");
    assert_eq!(css.header("content-type"), Some("text/css; charset=utf-8"));
    let logo = anon.get("/api/ui/logo").await.expect_status(200);
    assert_eq!(logo.text(), drawing);
    assert_eq!(logo.header("content-type"), Some("image/svg+xml"));
    let policy = logo.header("content-security-policy").expect("a policy");
    assert_eq!(
        policy,
        "default-src 'none'; style-src 'unsafe-inline'; sandbox"
    );
    for file in [css, logo] {
        assert_eq!(file.header("x-content-type-options"), Some("nosniff"));
        assert_eq!(file.header("cache-control"), Some("no-cache"));
    }
}

#[tokio::test]
async fn a_picture_that_changes_with_the_server_is_asked_for_again() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("logo.png");
    let mut tags = Vec::new();
    for end in [b"one", b"two"] {
        fs::write(&path, [b"\x89PNG\r\n\x1a\n", &end[..]].concat()).expect("a file");
        let (_app, anon) = TestApp::with(&[("ui.logo", &path.display().to_string())]).await;
        let logo = anon.get("/api/ui/logo").await.expect_status(200);
        assert_eq!(logo.header("content-type"), Some("image/png"));
        let tag = logo.header("etag").expect("a tag").to_owned();
        let known = anon.get("/api/ui/logo").header("if-none-match", &tag).await;
        assert!(known.expect_status(304).body.is_empty());
        tags.push(tag);
    }
    assert_ne!(tags[0], tags[1]);
}

#[tokio::test]
async fn without_a_brand_the_pages_are_ours() {
    let (_app, anon) = TestApp::new().await;
    let html = anon.visit("/login").await.text();
    assert!(
        html.contains("<meta name=\"vestibule-logo\" content=\"\""),
        "{html}"
    );
    assert!(
        html.contains("<link rel=\"icon\" href=\"/api/ui/favicon.svg\""),
        "{html}"
    );
    for file in ["/api/ui/logo", "/api/ui/brand.css"] {
        assert!(!html.contains(file), "{html}");
        anon.get(file).await.expect_problem(404, "not_found");
    }
}

#[tokio::test]
async fn a_page_finds_all_of_its_files() {
    let (_app, anon) = TestApp::new().await;
    let html = anon.visit("/login").await.text();
    let files: Vec<_> = html
        .split('"')
        .filter(|text| text.starts_with("/api/ui/"))
        .collect();
    assert!(files.len() >= 3, "{html}");
    for file in files {
        let answer = anon.get(file).await.expect_status(200);
        let expected = match file.rsplit_once('.') {
            Some((_, "js")) => "text/javascript; charset=utf-8",
            Some((_, "css")) => "text/css; charset=utf-8",
            Some((_, "svg")) => "image/svg+xml",
            _ => panic!("{file}"),
        };
        assert_eq!(answer.header("content-type"), Some(expected), "{file}");
        assert_eq!(answer.header("cache-control"), Some("no-cache"), "{file}");
        assert!(!answer.body.is_empty());
    }
}

#[tokio::test]
async fn a_file_that_the_browser_still_holds_is_not_sent_again() {
    let (_app, anon) = TestApp::new().await;
    let file = anon.get("/api/ui/app.css").await.expect_status(200);
    let tag = file.header("etag").expect("a tag").to_owned();
    for known in [tag.clone(), format!("\"a\", {tag}"), "*".to_owned()] {
        let answer = anon
            .get("/api/ui/app.css")
            .header("if-none-match", &known)
            .await
            .expect_status(304);
        assert!(answer.body.is_empty());
        assert_eq!(answer.header("etag"), Some(tag.as_str()));
    }
    for unknown in ["\"a\"", "", "a", &tag[1..]] {
        anon.get("/api/ui/app.css")
            .header("if-none-match", unknown)
            .await
            .expect_status(200);
    }
}

#[tokio::test]
async fn what_is_no_file_of_the_pages_is_not_found() {
    let (_app, anon) = TestApp::new().await;
    for path in [
        "/api/ui/unknown.js",
        "/api/ui/index.html",
        "/api/ui/",
        "/api/ui/app.js/",
        "/api/ui//app.js",
        "/api/ui/APP.js",
        "/api/ui/../../Cargo.toml",
        "/api/ui/..%2f..%2fCargo.toml",
        "/api/ui/%2e%2e/%2e%2e/Cargo.toml",
        "/api/ui/%2fetc%2fpasswd",
        "/api/ui/app.js%00",
        "/api/ui/..%5cindex.html",
        "/api/ui/./index.html",
        "/api/ui/%ff",
    ] {
        anon.get(path).await.expect_problem(404, "not_found");
    }
}

#[tokio::test]
async fn pages_that_are_switched_off_are_not_found() {
    let (_app, anon) = TestApp::with(&[("ui.enabled", "false")]).await;
    for page in PAGES {
        anon.visit(page).await.expect_status(404);
    }
    anon.get("/api/ui/app.js").await.expect_status(404);
    anon.visit("/").await.expect_status(404);
}

#[tokio::test]
async fn files_go_out_compressed_to_whoever_reads_that() {
    let (_app, anon) = TestApp::new().await;
    let plain = anon.get("/api/ui/app.js").await.expect_status(200);
    assert_eq!(plain.header("content-encoding"), None);
    for encoding in ["gzip", "br"] {
        let answer = anon
            .get("/api/ui/app.js")
            .header("accept-encoding", encoding)
            .await
            .expect_status(200);
        assert_eq!(answer.header("content-encoding"), Some(encoding));
        assert_eq!(answer.header("etag"), plain.header("etag"));
        assert!(
            answer
                .header("vary")
                .is_some_and(|vary| { vary.to_ascii_lowercase().contains("accept-encoding") })
        );
        assert!(answer.body.len() < plain.body.len() / 2);
    }
}
