//! The connection side over raw sockets: what is slow, broken, oversized or ambiguous is refused and ends alone, and
//! everything else is served to its end. What the routes answer is tested elsewhere.

mod ambiguous;
mod crowded;
mod drain;
mod http2;
mod refused;
mod tls;

use std::convert::Infallible;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::ConnectInfo;
use axum::http::{StatusCode, Uri};
use axum::routing::get;
use futures_util::{StreamExt, stream};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::{Notify, oneshot};
use tokio::task::JoinHandle;
use tokio::time::timeout;
use vestibule::http::bounds::{body_limit, panic_barrier, refusals, time_limit};
use vestibule::serve::{Bounds, Drained, bind, serve};

/// Longer than anything here takes; reached only when what is awaited never comes.
const PATIENCE: Duration = Duration::from_secs(30);
const SHORT: Duration = Duration::from_millis(50);

const GET: &str = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";

/// Bounds that no test meets unless it shortens one.
fn generous() -> Bounds {
    Bounds {
        handshake_time: PATIENCE,
        header_time: PATIENCE,
        silent_time: PATIENCE,
        idle_time: PATIENCE,
        write_stall: PATIENCE,
        drain_time: PATIENCE,
        connections: 16,
        ..Bounds::default()
    }
}

/// What `future` yields, which must not take long.
async fn soon<F: IntoFuture>(future: F) -> F::Output {
    timeout(PATIENCE, future)
        .await
        .expect("what is waited for never comes")
}

/// A server on a free port, and the end of it.
struct Running {
    address: SocketAddr,
    shutdown: oneshot::Sender<()>,
    drained: JoinHandle<Drained>,
}

impl Running {
    fn new(app: Router, bounds: Bounds) -> Running {
        let listener = bind(([127, 0, 0, 1], 0).into()).expect("a free port");
        let address = listener.local_addr().expect("an address");
        let (shutdown, asked) = oneshot::channel();
        let drained = tokio::spawn(serve(listener, app, bounds, async move {
            let _asked_or_dropped = asked.await;
        }));
        Running {
            address,
            shutdown,
            drained,
        }
    }

    async fn client(&self) -> Client {
        Client(
            TcpStream::connect(self.address)
                .await
                .expect("a connection"),
        )
    }

    /// Sends `bytes` on a connection of their own and returns all that comes back.
    async fn exchange(&self, bytes: impl AsRef<[u8]>) -> String {
        let mut client = self.client().await;
        client.send(bytes).await;
        client.rest().await
    }

    async fn shut_down(self) -> Drained {
        self.shutdown.send(()).expect("a server that runs");
        soon(self.drained)
            .await
            .expect("a server that did not panic")
    }
}

struct Client(TcpStream);

impl Client {
    async fn send(&mut self, bytes: impl AsRef<[u8]>) {
        self.0
            .write_all(bytes.as_ref())
            .await
            .expect("an open connection");
    }

    /// One answer with its `Content-Length` body; the connection stays open.
    async fn answer(&mut self) -> String {
        let mut answer = Vec::new();
        let mut length = None;
        while length != Some(answer.len()) {
            answer.push(soon(self.0.read_u8()).await.expect("an answer"));
            if length.is_none() && answer.ends_with(b"\r\n\r\n") {
                let head = String::from_utf8(answer.clone()).expect("text");
                let body = head
                    .lines()
                    .find_map(|line| line.strip_prefix("content-length: "));
                length = Some(
                    answer.len() + body.map_or(0, |body| body.parse::<usize>().expect("a number")),
                );
            }
        }
        String::from_utf8(answer).expect("text")
    }

    /// Everything until the server closes the connection.
    async fn rest(&mut self) -> String {
        let mut rest = Vec::new();
        soon(self.0.read_to_end(&mut rest))
            .await
            .expect("an orderly end");
        String::from_utf8(rest).expect("text")
    }
}

/// A router that shows what a request has become.
fn echo() -> Router {
    let show = |ConnectInfo(peer): ConnectInfo<SocketAddr>, uri: Uri, body: Bytes| async move {
        format!("{} {uri} {}", peer.ip(), String::from_utf8_lossy(&body))
    };
    Router::new()
        .fallback(show)
        .layer(body_limit(1024, PATIENCE))
        .layer(refusals())
}

#[track_caller]
fn assert_problem(answer: &str, status: u16, code: &str) {
    assert!(
        answer.starts_with(&format!("HTTP/1.1 {status} ")),
        "{answer}"
    );
    assert!(
        answer.contains("\r\ncontent-type: application/problem+json\r\n"),
        "{answer}"
    );
    assert!(answer.contains("\r\nconnection: close\r\n"), "{answer}");
    assert!(answer.contains(&format!("\"code\":\"{code}\"")), "{answer}");
    assert_eq!(answer.matches("\r\ndate: ").count(), 1, "{answer}");
}

#[tokio::test]
async fn one_connection_carries_many_requests_and_each_knows_its_peer() {
    let server = Running::new(echo(), generous());
    let mut client = server.client().await;
    for path in ["/a", "/b?c=d", "/e"] {
        client
            .send(format!("GET {path} HTTP/1.1\r\nHost: a\r\n\r\n"))
            .await;
        let answer = client.answer().await;
        assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
        assert!(
            answer.ends_with(&format!("\r\n\r\n127.0.0.1 {path} ")),
            "{answer}"
        );
        assert!(!answer.contains("connection:"), "{answer}");
    }
}

/// Answers of these kinds: 204, 304 and an empty 200.
fn empty_answers() -> Router {
    Router::new()
        .route("/204", get(|| async { StatusCode::NO_CONTENT }))
        .route("/304", get(|| async { StatusCode::NOT_MODIFIED }))
        .route("/200", get(|| async {}))
}

#[tokio::test]
async fn an_answer_that_may_have_no_content_says_no_length_of_one() {
    let server = Running::new(empty_answers(), generous());
    let mut client = server.client().await;
    for method in ["GET", "HEAD"] {
        for (path, length) in [("/204", false), ("/304", false), ("/200", true)] {
            let request = format!("{method} {path} HTTP/1.1\r\nHost: a\r\n\r\n");
            client.send(request).await;
            let answer = client.answer().await;
            assert_eq!(
                answer.contains("\r\ncontent-length: 0\r\n"),
                length,
                "{answer}"
            );
        }
    }
}

#[tokio::test]
async fn pipelined_requests_are_answered_in_order() {
    let server = Running::new(echo(), generous());
    let answers = server
        .exchange(
            "GET /1 HTTP/1.1\r\nHost: a\r\n\r\n\
             POST /2 HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\none\
             \r\nHEAD /3 HTTP/1.1\r\nHost: a\r\n\r\n\
             GET /4 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
        )
        .await;
    let bodies: Vec<_> = answers
        .split("HTTP/1.1 200 OK\r\n")
        .filter_map(|answer| Some(answer.split_once("\r\n\r\n")?.1))
        .collect();
    assert_eq!(
        bodies,
        ["127.0.0.1 /1 ", "127.0.0.1 /2 one", "", "127.0.0.1 /4 "]
    );
}

#[tokio::test]
async fn a_body_that_comes_in_pieces_arrives_whole() {
    let server = Running::new(echo(), generous());
    let mut client = server.client().await;
    for piece in [
        "POST / HT",
        "TP/1.1\r\nHost: a\r",
        "\nContent-Length: 6\r\n\r\nab",
        "cd",
        "ef",
    ] {
        client.send(piece).await;
        tokio::task::yield_now().await;
    }
    assert!(client.answer().await.ends_with("127.0.0.1 / abcdef"));
}

#[tokio::test]
async fn a_head_past_its_size_is_refused_and_one_of_that_size_is_served() {
    let server = Running::new(echo(), generous());
    let frame = "GET / HTTP/1.1\r\nHost: a\r\nX: \r\n\r\n".len();
    let head = |bytes: usize| {
        format!(
            "GET / HTTP/1.1\r\nHost: a\r\nX: {}\r\n\r\n",
            "x".repeat(bytes - frame)
        )
    };
    let mut client = server.client().await;
    client.send(head(16 * 1024)).await;
    assert!(client.answer().await.starts_with("HTTP/1.1 200 OK\r\n"));
    for bytes in [16 * 1024 + 1, 300 * 1024] {
        assert_problem(
            &server.exchange(head(bytes)).await,
            431,
            "headers_too_large",
        );
    }
    let fields = "X: y\r\n".repeat(101);
    let answer = server
        .exchange(format!("GET / HTTP/1.1\r\nHost: a\r\n{fields}\r\n"))
        .await;
    assert_problem(&answer, 431, "headers_too_large");
}

#[tokio::test]
async fn a_new_connection_that_stays_silent_is_closed_without_a_word() {
    let server = Running::new(
        echo(),
        Bounds {
            silent_time: SHORT,
            ..generous()
        },
    );
    assert_eq!(server.exchange("").await, "");
}

#[tokio::test]
async fn a_head_that_does_not_end_is_refused() {
    let server = Running::new(
        echo(),
        Bounds {
            header_time: SHORT,
            ..generous()
        },
    );
    assert_problem(
        &server.exchange("GET / HTTP/1.1\r\nHost: a\r\n").await,
        408,
        "request_timeout",
    );
    let mut client = server.client().await;
    client.send(format!("{GET}GET /second")).await;
    assert!(client.answer().await.ends_with("127.0.0.1 / "));
    assert_problem(&client.rest().await, 408, "request_timeout");
}

#[tokio::test]
async fn a_kept_alive_connection_has_an_idle_time_of_its_own() {
    let server = Running::new(
        echo(),
        Bounds {
            idle_time: SHORT,
            ..generous()
        },
    );
    let mut client = server.client().await;
    client.send(GET).await;
    assert!(client.answer().await.starts_with("HTTP/1.1 200 OK\r\n"));
    assert_eq!(client.rest().await, "");

    let server = Running::new(
        echo(),
        Bounds {
            silent_time: SHORT,
            header_time: SHORT,
            ..generous()
        },
    );
    // Empty lines after a request are no beginning of another.
    for behind in ["", "\r\n", "\r\n\r\n"] {
        let mut client = server.client().await;
        client.send(format!("{GET}{behind}")).await;
        client.answer().await;
        // The end of a later connection shows that the short times are over; the first is still there.
        let mut silent = server.client().await;
        assert_eq!(silent.rest().await, "");
        client.send(GET).await;
        let answer = client.answer().await;
        assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
    }
}

#[tokio::test]
async fn a_body_past_its_size_is_413_whether_or_not_it_names_its_length() {
    let server = Running::new(echo(), generous());
    let body = "x".repeat(1025);
    for request in [
        format!("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1025\r\n\r\n{body}"),
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9000000000\r\n\r\n".to_owned(),
        format!(
            "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n401\r\n{body}\r\n0\r\n\r\n"
        ),
        format!(
            "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n{}",
            "1\r\nx\r\n".repeat(50_000)
        ),
    ] {
        assert_problem(&server.exchange(request).await, 413, "payload_too_large");
    }
    let body = "x".repeat(1024);
    let answer = server
        .exchange(format!(
            "POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: 1024\r\n\r\n{body}"
        ))
        .await;
    assert!(answer.ends_with(&body), "{answer}");
}

#[tokio::test]
async fn a_client_that_expects_a_413_need_not_send_the_body() {
    let server = Running::new(echo(), generous());
    let mut client = server.client().await;
    client
        .send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\n")
        .await;
    assert_eq!(client.answer().await, "HTTP/1.1 100 Continue\r\n\r\n");
    client.send("abc").await;
    assert!(client.answer().await.ends_with("127.0.0.1 / abc"));
    client
        .send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3000\r\nExpect: 100-continue\r\n\r\n")
        .await;
    assert_problem(&client.rest().await, 413, "payload_too_large");
}

#[tokio::test]
async fn a_body_that_does_not_arrive_in_time_is_408() {
    let app = Router::new()
        .fallback(|_body: Bytes| async {})
        .layer(body_limit(1024, SHORT));
    let server = Running::new(app, generous());
    for framing in [
        "Content-Length: 10\r\n\r\nhalf",
        "Transfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n",
    ] {
        let answer = server
            .exchange(format!("POST / HTTP/1.1\r\nHost: a\r\n{framing}"))
            .await;
        assert_problem(&answer, 408, "request_timeout");
    }
}

#[tokio::test]
async fn a_handler_that_takes_too_long_is_503() {
    let app = Router::new()
        .fallback(std::future::pending::<()>)
        .layer(time_limit(SHORT));
    let server = Running::new(app, generous());
    let mut client = server.client().await;
    for _ in 0..2 {
        client.send(GET).await;
        let answer = client.answer().await;
        assert!(answer.starts_with("HTTP/1.1 503 "), "{answer}");
        assert!(answer.contains("\r\nretry-after: 5\r\n"), "{answer}");
        assert!(answer.contains("\"code\":\"unavailable\""), "{answer}");
    }
}

#[tokio::test]
async fn a_panic_is_a_500_without_detail_and_the_connection_lives_on() {
    async fn panics() {
        panic!("a secret")
    }
    let app = Router::new()
        .route("/panic", get(panics))
        .fallback(|| async { "fine" })
        .layer(panic_barrier());
    let server = Running::new(app, generous());
    let mut client = server.client().await;
    client.send("GET /panic HTTP/1.1\r\nHost: a\r\n\r\n").await;
    let answer = client.answer().await;
    assert!(answer.starts_with("HTTP/1.1 500 "), "{answer}");
    assert!(answer.contains("\"code\":\"internal_error\""), "{answer}");
    assert!(!answer.contains("secret"), "{answer}");
    client.send(GET).await;
    assert!(client.answer().await.ends_with("fine"));
}

#[tokio::test]
async fn a_panic_in_mid_answer_ends_that_connection_alone() {
    let broken = || async {
        Body::from_stream(stream::iter([1, 2]).map(|part| match part {
            1 => Ok::<_, Infallible>("part"),
            _ => panic!("in mid-answer"),
        }))
    };
    let server = Running::new(
        Router::new()
            .route("/", get(broken))
            .fallback(|| async { "fine" }),
        generous(),
    );
    server.client().await.send(GET).await;
    let answer = server
        .exchange("GET /fine HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        .await;
    assert!(answer.ends_with("fine"), "{answer}");
}

#[tokio::test]
async fn an_answer_that_fails_in_its_middle_has_no_end() {
    let arrived = Arc::new(Notify::new());
    let told = Arc::clone(&arrived);
    let broken = || async move {
        let fails = stream::once(async move {
            told.notified().await;
            Err("no more")
        });
        Body::from_stream(stream::iter([Ok("part")]).chain(fails))
    };
    let server = Running::new(Router::new().route("/", get(broken)), generous());
    let mut client = server.client().await;
    client.send(GET).await;
    let mut answer = Vec::new();
    while !answer.ends_with(b"part\r\n") {
        answer.push(soon(client.0.read_u8()).await.expect("the beginning"));
    }
    arrived.notify_one();
    // Not even the empty piece that would end it (RFC 9112 section 7.1).
    assert_eq!(client.rest().await, "");
}

/// Notifies when it is dropped, which is how a test learns that the server has let go of something.
struct LastWord(Arc<Notify>);

impl Drop for LastWord {
    fn drop(&mut self) {
        self.0.notify_one();
    }
}

/// An answer without end.
struct Endless {
    app: Router,
    /// The word when the server gives up sending it.
    gone: Arc<Notify>,
    /// How many parts of it the server has taken to send.
    taken: Arc<AtomicUsize>,
}

fn endless() -> Endless {
    let gone = Arc::new(Notify::new());
    let taken = Arc::<AtomicUsize>::default();
    let (told, count) = (Arc::clone(&gone), Arc::clone(&taken));
    let answer = move || {
        let word = LastWord(Arc::clone(&told));
        let count = Arc::clone(&count);
        async move {
            Body::from_stream(stream::repeat_with(move || {
                let _held_by_the_stream = &word;
                count.fetch_add(1, Ordering::SeqCst);
                Ok::<_, Infallible>(Bytes::from_static(&[b'x'; 16 * 1024]))
            }))
        }
    };
    let app = Router::new().route("/", get(answer));
    Endless { app, gone, taken }
}

#[tokio::test]
async fn a_client_that_stops_reading_loses_its_connection() {
    let Endless { app, gone, .. } = endless();
    let server = Running::new(
        app,
        Bounds {
            write_stall: SHORT,
            ..generous()
        },
    );
    let mut client = server.client().await;
    client.send(GET).await;
    soon(gone.notified()).await;
}

/// A clock that only the test moves: a paused one would also jump to the next timer whenever everybody waits for a
/// socket, but not while a blocking task runs.
struct Hourglass(std::sync::mpsc::Sender<()>);

impl Hourglass {
    fn stop_time() -> Self {
        let (turn, wait) = std::sync::mpsc::channel();
        tokio::task::spawn_blocking(move || wait.recv());
        tokio::time::pause();
        Self(turn)
    }
}

impl Drop for Hourglass {
    fn drop(&mut self) {
        // The task ends by itself where the other side is gone.
        let _ = self.0.send(());
    }
}

#[tokio::test]
async fn a_slow_reader_keeps_its_download_while_it_reads_on() {
    let Endless { app, gone, taken } = endless();
    let stall = Duration::from_secs(1);
    let server = Running::new(
        app,
        Bounds {
            write_stall: stall,
            ..generous()
        },
    );
    let mut client = server.client().await;
    let _hourglass = Hourglass::stop_time();
    client.send(GET).await;
    // Ten times the bound in all, though never the bound without a byte that the server could send.
    let mut some = vec![0; 64 * 1024];
    for _ in 0..11 {
        let before = taken.load(Ordering::SeqCst);
        while taken.load(Ordering::SeqCst) == before {
            let read = client.0.read(&mut some).await;
            assert_ne!(read.expect("more of the answer"), 0, "the download was cut");
        }
        tokio::time::advance(stall * 19 / 20).await;
    }
    assert!(futures_util::poll!(pin!(gone.notified())).is_pending());
    // The same clock ends it once nothing is read any more.
    while futures_util::poll!(pin!(gone.notified())).is_pending() {
        tokio::time::advance(stall).await;
    }
}

#[tokio::test]
async fn a_client_that_leaves_ends_its_request() {
    let gone = Arc::new(Notify::new());
    let begun = Arc::new(Notify::new());
    let (word, begin) = (Arc::clone(&gone), Arc::clone(&begun));
    let app = Router::new().fallback(move || {
        let _word = LastWord(Arc::clone(&word));
        begin.notify_one();
        async move {
            let _word = _word;
            std::future::pending::<()>().await;
        }
    });
    let server = Running::new(app, generous());
    let mut client = server.client().await;
    client.send(GET).await;
    soon(begun.notified()).await;
    drop(client);
    soon(gone.notified()).await;
}

#[tokio::test]
async fn at_the_cap_a_new_client_waits_until_one_leaves() {
    let server = Running::new(
        echo(),
        Bounds {
            connections: 1,
            ..generous()
        },
    );
    let mut first = server.client().await;
    first.send(GET).await;
    first.answer().await;
    let mut second = server.client().await;
    second.send(GET).await;
    first.send(GET).await;
    first.answer().await;
    let nothing = &mut [0; 1];
    let early = second.0.try_read(nothing).expect_err("served past the cap");
    assert_eq!(early.kind(), std::io::ErrorKind::WouldBlock);
    drop(first);
    assert!(second.answer().await.starts_with("HTTP/1.1 200 OK\r\n"));
}
