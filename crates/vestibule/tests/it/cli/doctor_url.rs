//! `vestibule doctor --url`: what it says of servers that run, well and badly set up.

use std::path::Path;

use serde_json::Value;

use super::{PASSWORD, folder, register};
use crate::process::{Server, run};

/// A server with a protected folder and an account, whose password is in `password`.
fn server(folder: &Path, arguments: &[&str]) -> Server {
    std::fs::create_dir_all(folder.join("site/members")).expect("a folder");
    std::fs::write(folder.join("site/members/index.html"), "<p>Hello").expect("a page");
    std::fs::write(folder.join("password"), PASSWORD).expect("a file");
    let site = ["--site", "site", "--protect", "/members/**"];
    let server = Server::start(folder, &[&site, arguments].concat());
    register(&server, "ada");
    server
}

/// The address at which a server listens, whatever it takes for its own.
fn url(server: &Server) -> String {
    format!("http://{}", server.ready["listen"].as_str().expect("one"))
}

/// What is found at `url`: each check with its verdict. The exit code says whether one has failed.
fn found(folder: &Path, url: &str, more: &[&str]) -> Vec<(String, String)> {
    let output = run(folder, [&["doctor", "--json", "--url", url], more].concat());
    let findings: Vec<Value> = serde_json::from_slice(&output.stdout).expect("JSON");
    let is_failed = findings.iter().any(|finding| finding["verdict"] == "fail");
    assert_eq!(output.status.code(), Some(i32::from(is_failed)));
    let text = |finding: &Value, name: &str| finding[name].as_str().expect("text").to_owned();
    let found = findings.iter();
    found
        .map(|finding| (text(finding, "check"), text(finding, "verdict")))
        .collect()
}

fn failed(found: &[(String, String)]) -> Vec<&str> {
    let failed = found.iter().filter(|(_, verdict)| verdict == "fail");
    failed.map(|(check, _)| check.as_str()).collect()
}

const ACCOUNT: [&str; 4] = ["--login", "ada@example.org", "--password-file", "password"];

#[test]
fn of_a_server_that_is_well_everything_is_in_order() {
    let folder = folder();
    let server = server(folder.path(), &[]);
    let protected = ["--protected", "/members/"];
    let found = found(
        folder.path(),
        &url(&server),
        &[&protected[..], &ACCOUNT].concat(),
    );
    assert!(
        found.iter().all(|(_, verdict)| verdict == "ok"),
        "{found:?}"
    );
    let checks: Vec<_> = found.iter().map(|(check, _)| check.as_str()).collect();
    assert_eq!(
        checks,
        [
            "reach",
            "ready",
            "encryption",
            "public_url",
            "other origins",
            "forged host",
            "metrics",
            "protected page",
            "protected fetch",
            "open redirect",
            "login",
            "cookie",
            "client address",
            "foreign page",
            "logout",
        ]
    );
}

#[test]
fn a_server_that_believes_its_visitors_is_found_out() {
    let folder = folder();
    let server = server(folder.path(), &["--trusted-proxies", "127.0.0.1"]);
    let found = found(folder.path(), &url(&server), &ACCOUNT);
    assert_eq!(failed(&found), ["client address"]);
}

#[test]
fn a_server_that_takes_itself_for_another_is_found_out() {
    let folder = folder();
    let server = server(folder.path(), &["--public-url", "https://id.example.org"]);
    let found = found(folder.path(), &url(&server), &[]);
    assert_eq!(failed(&found), ["public_url"]);
}

#[test]
fn what_is_open_to_everybody_is_found_out() {
    let folder = folder();
    std::fs::create_dir_all(folder.path().join("site/open")).expect("a folder");
    std::fs::write(folder.path().join("site/open/index.html"), "<p>Hello").expect("a page");
    let server = server(folder.path(), &[]);
    let found = found(folder.path(), &url(&server), &["--protected", "/open/"]);
    assert_eq!(failed(&found), ["protected page", "protected fetch"]);
}

#[test]
fn where_nobody_answers_that_is_all_there_is_to_say() {
    let folder = folder();
    let gone = server(folder.path(), &[]);
    let url = url(&gone);
    assert_eq!(gone.stop(), Some(0));
    let found = found(folder.path(), &url, &ACCOUNT);
    assert_eq!(found, [("reach".to_owned(), "fail".to_owned())]);
}

#[test]
fn a_call_that_does_not_fit_is_refused() {
    let folder = folder();
    for arguments in [
        &["--url", "id.example.org"][..],
        &["--url", "https://id.example.org/path"],
        &["--login", "ada"],
        &["--url", "http://127.0.0.1:1", "--login", "ada"],
        &["--url", "http://127.0.0.1:1", "--protected", "members"],
        &[
            "--url",
            "http://127.0.0.1:1",
            "--login",
            "ada",
            "--password-file",
            "missing",
        ],
    ] {
        let output = run(folder.path(), [&["doctor"], arguments].concat());
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
    }
}
