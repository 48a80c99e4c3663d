//! The address for plain http beside an https server, and the server itself, by the real binary.

use crate::place::Place;
use crate::process::{Answer, Server, request, send};

const FLAGS: [&str; 4] = [
    "--https-redirect",
    "127.0.0.1:0",
    "--public-url",
    "https://id.example.org",
];

#[test]
fn whoever_looks_is_sent_to_the_public_url_and_whoever_sends_is_refused() {
    let folder = Place::new();
    let server = Server::start(folder.path(), &FLAGS);
    let plain = server.ready["https_redirect"].as_str().expect("an address");
    let get = |method, path| request(plain, method, path, &["X-Forwarded-Host: evil.example"], "");
    for path in ["/", "/a/b?c=d", "//evil.example/", "/%2e%2e"] {
        for method in ["GET", "HEAD"] {
            let answer = get(method, path);
            assert_eq!(answer.status, 308, "{}", answer.head);
            let location = format!("\r\nlocation: https://id.example.org{path}\r\n");
            assert!(answer.head.contains(&location), "{}", answer.head);
        }
    }
    let refused = get("POST", "/api/auth/login");
    assert_eq!(refused.status, 405);
    assert!(
        refused.head.contains("\r\nallow: GET, HEAD\r\n"),
        "{}",
        refused.head
    );
    assert_eq!(refused.json()["code"], "method_not_allowed");
    assert_eq!(get("GET", "no-path").status, 400);
}

#[test]
fn whoever_came_before_the_end_is_still_sent_on() {
    let folder = Place::in_a_file();
    let server = Server::start(folder.path(), &FLAGS);
    let plain = server.ready["https_redirect"].as_str().expect("an address");
    // The request and the end come at once.
    server.signal("STOP");
    let asked = send(plain, "GET", "/", &[], "");
    server.signal("TERM");
    server.signal("CONT");
    assert_eq!(Answer::read(asked).status, 308);
}
