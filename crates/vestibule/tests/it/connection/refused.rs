//! What is refused before it is a request: the answer is one of this server's in every respect, and there is a line in
//! the log.

use std::collections::BTreeSet;

use vestibule::http::router;
use vestibule::serve::Bounds;

use super::{GET, Running, SHORT, assert_problem, generous, soon};
use crate::process::Server;
use crate::support::TestApp;

/// Names of the header fields of an answer as it was sent, in lower case.
fn names(answer: &str) -> BTreeSet<&str> {
    let head = answer.split("\r\n\r\n").next().unwrap_or_default();
    head.lines()
        .skip(1)
        .filter_map(|line| Some(line.split_once(':')?.0))
        .collect()
}

fn request_id(answer: &str) -> &str {
    answer
        .lines()
        .find_map(|line| line.strip_prefix("x-request-id: "))
        .expect("a request id")
}

#[tokio::test]
async fn a_refusal_has_the_headers_of_every_answer() {
    let (test, _anonymous) = TestApp::with(&[("public_url", "https://example.org")]).await;
    let bounds = Bounds {
        header_time: SHORT,
        ..generous()
    };
    let server = Running::new(router(test.app.clone()), bounds);
    let ordinary = server
        .exchange("GET /api/none HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        .await;
    assert_problem(&ordinary, 404, "not_found");
    let mut ids = BTreeSet::from([request_id(&ordinary).to_owned()]);
    let long = format!("{GET}X: {}", "x".repeat(20_000)).replace("\r\n\r\nX", "\r\nX");
    for (sent, status, code) in [
        (long.as_str(), 431, "headers_too_large"),
        ("GET / HTTP/1.1\r\nHost: a\r\n", 408, "request_timeout"),
        ("GET / HTTP/1.1\nHost: a\n\n", 400, "malformed_request"),
        ("\x16\x03\x01\x02\x00", 400, "malformed_request"),
        (
            "TRACE / HTTP/1.1\r\nHost: a\r\n\r\n",
            405,
            "method_not_allowed",
        ),
    ] {
        let answer = server.exchange(sent).await;
        assert_problem(&answer, status, code);
        let mut expected = names(&ordinary);
        if status == 405 {
            expected.insert("allow");
        }
        assert_eq!(names(&answer), expected, "{answer}");
        assert!(
            ids.insert(request_id(&answer).to_owned()),
            "each has an id of its own: {answer}"
        );
    }
}

#[tokio::test]
async fn a_refusal_is_logged_without_a_method_or_path_that_nobody_sent() {
    let folder = tempfile::tempdir().expect("a folder");
    let server = Server::start(folder.path(), &[]);
    let address = server.ready["listen"].as_str().expect("an address");
    let stream = tokio::net::TcpStream::connect(address).await;
    let mut client = super::Client(stream.expect("a connection"));
    client.send("nonsense\n").await;
    let answer = soon(client.rest()).await;
    assert_problem(&answer, 400, "malformed_request");
    drop(server);
    let log = std::fs::read_to_string(folder.path().join("log")).expect("a log");
    let lines: Vec<&str> = log
        .lines()
        .filter(|line| line.contains(request_id(&answer)))
        .collect();
    assert_eq!(lines.len(), 1, "{log}");
    assert!(
        lines[0].contains("What is no request was answered 400"),
        "{log}"
    );
    assert!(!lines[0].contains("GET"), "{log}");
}
