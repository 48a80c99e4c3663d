//! Requests that two servers in a row could read differently, and what is no HTTP/1 request at all: each is refused
//! once, and nothing behind it on its connection is ever taken for a request.

use axum::Router;
use axum::routing::post;

use super::{GET, Running, assert_problem, echo, generous};

#[tokio::test]
async fn a_request_that_two_servers_could_read_differently_is_refused() {
    let server = Running::new(echo(), generous());
    for head in [
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\nContent-Length: 0\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nContent-Length: 0\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\nX: b\r\n c\r\n\r\n",
        "GET / HTTP/1.1\nHost: a\n\n",
        "GET / HTTP/1.1\r\nHost: a\r\nX: b\rY: c\r\n\r\n",
        "GET / HTTP/1.1\r\nHost : a\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n",
        "POST / HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n",
    ] {
        let answer = server.exchange(format!("{head}{GET}")).await;
        assert_problem(&answer, 400, "malformed_request");
    }
}

#[tokio::test]
async fn chunks_that_could_be_read_in_two_ways_are_no_body() {
    let server = Running::new(echo(), generous());
    for chunks in [
        "3\nabc\r\n0\r\n\r\n",
        "3;a\nb\r\nabc\r\n0\r\n\r\n",
        "0x3\r\nabc\r\n0\r\n\r\n",
        "+3\r\nabc\r\n0\r\n\r\n",
        " 3\r\nabc\r\n0\r\n\r\n",
        "3\r\nabcd\r\n0\r\n\r\n",
        "3\r\nabc0\r\n\r\n",
        "3\r\nabc\n0\r\n\r\n",
        "\r\n3\r\nabc\r\n0\r\n\r\n",
        "10000000000000003\r\nabc\r\n0\r\n\r\n",
        "-1\r\nabc\r\n0\r\n\r\n",
    ] {
        let answer = server
            .exchange(format!(
                "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n{chunks}{GET}"
            ))
            .await;
        assert!(answer.starts_with("HTTP/1.1 400 "), "{chunks:?} {answer}");
        assert_eq!(
            answer.matches("HTTP/1.1 ").count(),
            1,
            "{chunks:?} {answer}"
        );
    }
}

#[tokio::test]
async fn a_host_is_named_exactly_once() {
    let server = Running::new(echo(), generous());
    for fields in [
        "",
        "Host: a\r\nHost: a\r\n",
        "Host: a\r\nHost: b\r\n",
        "Host: a/b\r\n",
        "Host: \r\n",
    ] {
        let answer = server
            .exchange(format!("GET / HTTP/1.1\r\n{fields}\r\n"))
            .await;
        assert_problem(&answer, 400, "malformed_request");
    }
}

#[tokio::test]
async fn http_1_0_needs_no_host_and_is_closed_after_its_answer() {
    let server = Running::new(echo(), generous());
    let answer = server.exchange("GET /old HTTP/1.0\r\n\r\n").await;
    assert!(answer.starts_with("HTTP/1.0 200 OK\r\n"), "{answer}");
    assert!(answer.ends_with("127.0.0.1 /old "), "{answer}");
}

#[tokio::test]
async fn the_host_of_an_absolute_target_reaches_no_route() {
    let server = Running::new(echo(), generous());
    let mut client = server.client().await;
    client
        .send("GET http://a/b?c HTTP/1.1\r\nHost: a\r\n\r\n")
        .await;
    assert!(client.answer().await.ends_with("127.0.0.1 /b?c "));
    let answer = server
        .exchange("GET http://evil.example/ HTTP/1.1\r\nHost: a\r\n\r\n")
        .await;
    assert_problem(&answer, 400, "malformed_request");
}

#[tokio::test]
async fn connect_and_trace_are_not_served() {
    let server = Running::new(echo(), generous());
    for head in [
        "CONNECT a:443 HTTP/1.1\r\nHost: a:443\r\n\r\n",
        "TRACE / HTTP/1.1\r\nHost: a\r\n\r\n",
    ] {
        let answer = server.exchange(head).await;
        assert_problem(&answer, 405, "method_not_allowed");
        assert!(answer.contains("\r\nallow: GET, HEAD, "), "{answer}");
    }
}

#[tokio::test]
async fn an_upgrade_is_answered_as_if_it_had_not_been_asked_for() {
    let server = Running::new(echo(), generous());
    let mut client = server.client().await;
    for upgrade in ["h2c", "websocket"] {
        let head = format!(
            "GET /up HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: {upgrade}\r\n\r\n"
        );
        client.send(head).await;
        let answer = client.answer().await;
        assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
        assert!(!answer.contains("upgrade"), "{answer}");
    }
}

#[tokio::test]
async fn what_is_not_http_1_is_refused_at_once() {
    let server = Running::new(echo(), generous());
    let tls_hello: &[u8] = b"\x16\x03\x01\x02\x00\x01\x00";
    for bytes in [
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        tls_hello,
        b"GET / HTTP/3.0\r\nHost: a\r\n\r\n",
    ] {
        assert_problem(&server.exchange(bytes).await, 400, "malformed_request");
    }
}

#[tokio::test]
async fn a_chunked_request_is_the_last_on_its_connection() {
    let server = Running::new(echo(), generous());
    let answer = server
        .exchange(format!("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n{GET}"))
        .await;
    assert!(answer.ends_with("127.0.0.1 / abc"), "{answer}");
    assert!(answer.contains("\r\nconnection: close\r\n"), "{answer}");
}

#[tokio::test]
async fn a_body_that_no_handler_reads_does_not_become_a_request() {
    let server = Running::new(
        Router::new().route("/", post(|| async { "unread" })),
        generous(),
    );
    let mut client = server.client().await;
    let smuggled = "GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n";
    client
        .send(format!(
            "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: {}\r\n\r\n{smuggled}",
            smuggled.len()
        ))
        .await;
    client
        .send("POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        .await;
    let answers = client.rest().await;
    assert!(!answers.contains("404"), "{answers}");
    assert_eq!(answers.matches("unread").count(), 2, "{answers}");
}
