//! The end of the server: what is running may finish within a bound, and what is idle is closed at once.

use std::sync::Arc;

use axum::Router;
use axum::extract::Request;
use tokio::net::TcpStream;
use tokio::sync::Notify;
use vestibule::serve::{Bounds, Drained};

use super::{Client, GET, PATIENCE, Running, SHORT, generous, soon};

/// A route that says when it has begun and answers when it is let go.
fn held() -> (Router, Arc<Notify>, Arc<Notify>) {
    let (begun, let_go) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let (begin, wait) = (Arc::clone(&begun), Arc::clone(&let_go));
    let handler = move |_: Request| async move {
        begin.notify_one();
        wait.notified().await;
        "finished"
    };
    (Router::new().fallback(handler), begun, let_go)
}

#[tokio::test]
async fn a_shutdown_lets_running_requests_finish_and_closes_idle_connections() {
    let (app, begun, let_go) = held();
    let server = Running::new(app, generous());
    let address = server.address;
    let (mut working, mut idle, mut halfway) = (
        server.client().await,
        server.client().await,
        server.client().await,
    );
    working.send(GET).await;
    halfway.send("GET / HT").await;
    soon(begun.notified()).await;
    let drained = tokio::spawn(server.shut_down());
    assert_eq!(idle.rest().await, "");
    assert_eq!(halfway.rest().await, "");
    assert!(
        TcpStream::connect(address).await.is_err(),
        "the listener is still open"
    );
    let_go.notify_one();
    let answer = working.rest().await;
    assert!(answer.contains("\r\nconnection: close\r\n"), "{answer}");
    assert!(answer.ends_with("finished"), "{answer}");
    drop(working);
    assert_eq!(
        drained.await.expect("no panic"),
        Drained {
            finished: 1,
            cut: 0
        }
    );
}

#[tokio::test]
async fn until_the_listener_closes_newcomers_are_served_and_each_answer_ends_its_connection() {
    let app = Router::new().fallback(|| async { "here" });
    let server = Running::new(
        app,
        Bounds {
            drain_delay: PATIENCE,
            ..generous()
        },
    );
    let mut kept = server.client().await;
    kept.send(GET).await;
    let first = kept.answer().await;
    assert!(!first.contains("connection: close"), "{first}");
    let Running {
        address, shutdown, ..
    } = server;
    shutdown.send(()).expect("a server that runs");
    // Nobody outside is told when a server begins to leave, so it is asked until it shows.
    loop {
        let mut newcomer = Client(TcpStream::connect(address).await.expect("a connection"));
        newcomer.send(GET).await;
        if newcomer.answer().await.contains("connection: close") {
            break;
        }
    }
    kept.send(GET).await;
    let last = kept.rest().await;
    assert!(last.contains("\r\nconnection: close\r\n"), "{last}");
    assert!(last.ends_with("here"), "{last}");
}

#[tokio::test]
async fn a_request_that_came_before_the_end_of_its_idle_connection_is_answered() {
    let app = Router::new().fallback(|| async { "here" });
    let server = Running::new(app, generous());
    let mut client = server.client().await;
    client.send(GET).await;
    client.answer().await;
    client.send(GET).await;
    server.shut_down().await;
    assert!(client.rest().await.ends_with("here"));
}

#[tokio::test]
async fn a_shutdown_cuts_what_does_not_finish_in_time() {
    let (app, begun, _never) = held();
    let server = Running::new(
        app,
        Bounds {
            drain_time: SHORT,
            ..generous()
        },
    );
    let mut client = server.client().await;
    client.send(GET).await;
    soon(begun.notified()).await;
    assert_eq!(
        server.shut_down().await,
        Drained {
            finished: 0,
            cut: 1
        }
    );
    assert_eq!(client.rest().await, "");
}
