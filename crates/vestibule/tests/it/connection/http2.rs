//! HTTP/2 as clients send it that mean well and that do not: the same requests mean the same as in HTTP/1.1, and the same
//! bounds end what is slow, large or idle.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, Method, Request, Response, StatusCode};
use axum::routing::get;
use futures_util::stream;
use h2::client::{Connection, SendRequest};
use h2::{Error, Reason, RecvStream};
use tokio::net::TcpStream;
use tokio::sync::Notify;
use tokio::task::JoinHandle;
use tokio_rustls::client::TlsStream;
use vestibule::http::bounds::refusals;
use vestibule::serve::{Bounds, Drained};

use super::tls::{Pair, running};
use super::{Running, SHORT, echo, empty_answers, generous, soon};

/// A connection whose frames are read and written by a task of its own, which tells how it ended.
struct Http2 {
    requests: SendRequest<Bytes>,
    ended: JoinHandle<Result<(), Error>>,
}

impl Http2 {
    async fn to(pair: &Pair, server: &Running) -> Self {
        let (requests, connection) = h2::client::handshake(pair.client(server, b"h2").await)
            .await
            .expect("HTTP/2");
        Self::of(requests, connection)
    }

    /// The same for a client that has room for so much of each answer, and for so much of all together.
    async fn with_room(pair: &Pair, server: &Running, room: u32, room_for_all: u32) -> Self {
        let (requests, connection) = h2::client::Builder::new()
            .initial_window_size(room)
            .initial_connection_window_size(room_for_all)
            .max_frame_size(1024 * 1024)
            .handshake(pair.client(server, b"h2").await)
            .await
            .expect("HTTP/2");
        Self::of(requests, connection)
    }

    fn of(
        requests: SendRequest<Bytes>,
        connection: Connection<TlsStream<TcpStream>, Bytes>,
    ) -> Self {
        Self {
            requests,
            ended: tokio::spawn(connection),
        }
    }

    /// Sends a request without a body, and gives the head of its answer.
    async fn send(&mut self, request: Request<()>) -> Result<Response<RecvStream>, Error> {
        let mut requests = self.requests.clone().ready().await?;
        let (answer, _) = requests.send_request(request, true)?;
        soon(answer).await
    }

    /// Status and body of the answer.
    async fn answer(&mut self, request: Request<()>) -> (StatusCode, String) {
        let answer = self.send(request).await.expect("an answer");
        (answer.status(), text(answer.into_body()).await)
    }
}

/// Waits until the answer breaks off, without making room for more of it.
async fn expect_cut(answer: Response<RecvStream>) {
    let mut body = answer.into_body();
    loop {
        match soon(body.data()).await {
            Some(Ok(_)) => {}
            Some(Err(_)) => return,
            None => panic!("a whole answer"),
        }
    }
}

async fn text(mut body: RecvStream) -> String {
    let mut text = Vec::new();
    while let Some(data) = soon(body.data()).await {
        let data = data.expect("the rest of the body");
        let room = body.flow_control().release_capacity(data.len());
        room.expect("an open stream");
        text.extend(data);
    }
    String::from_utf8(text).expect("text")
}

fn asking(path: &str) -> Request<()> {
    let request = Request::get(format!("https://localhost{path}"));
    request.body(()).expect("a request")
}

fn with(mut request: Request<()>, fields: &[(&'static str, &str)]) -> Request<()> {
    for (name, value) in fields {
        let value = value.parse().expect("a value");
        request.headers_mut().append(*name, value);
    }
    request
}

#[tokio::test]
async fn an_answer_that_may_have_no_content_says_no_length_of_one() {
    let pair = Pair::new();
    let server = running(pair.open(), empty_answers(), generous());
    let mut client = Http2::to(&pair, &server).await;
    for (path, length) in [("/204", None), ("/304", None), ("/200", Some("0"))] {
        let answer = client.send(asking(path)).await.expect("an answer");
        let said = answer.headers().get("content-length");
        assert_eq!(
            said.map(|said| said.to_str().expect("text")),
            length,
            "{path}"
        );
    }
}

#[tokio::test]
async fn many_requests_go_through_one_connection_at_once_and_each_knows_its_peer() {
    let pair = Pair::new();
    let server = running(pair.open(), echo(), generous());
    let client = Http2::to(&pair, &server).await;
    let requests = (0..50).map(|number| {
        let mut client = Http2 {
            requests: client.requests.clone(),
            ended: tokio::spawn(async { Ok(()) }),
        };
        async move { client.answer(asking(&format!("/{number}?a=b"))).await }
    });
    let answers = futures_util::future::join_all(requests).await;
    for (number, answer) in answers.into_iter().enumerate() {
        assert_eq!(
            answer,
            (StatusCode::OK, format!("127.0.0.1 /{number}?a=b "))
        );
    }
}

#[tokio::test]
async fn what_is_refused_in_http_1_is_refused_here_with_the_same_document() {
    let pair = Pair::new();
    let server = running(pair.open(), echo(), generous());
    let mut client = Http2::to(&pair, &server).await;
    let trace = Request::builder().method(Method::TRACE);
    let trace = trace.uri("https://localhost/").body(()).expect("a request");
    let long = "a".repeat(17 * 1024);
    for (request, status, code) in [
        (trace, 405, "method_not_allowed"),
        (
            with(asking("/"), &[("x-long", &long)]),
            431,
            "headers_too_large",
        ),
        (
            with(asking("/"), &[("x", "y"); 101]),
            431,
            "headers_too_large",
        ),
        (
            with(asking("/"), &[("host", "elsewhere")]),
            400,
            "malformed_request",
        ),
        (
            with(asking("/"), &[("host", "localhost"), ("host", "localhost")]),
            400,
            "malformed_request",
        ),
    ] {
        let (answered, body) = client.answer(request).await;
        assert_eq!(answered, status, "{body}");
        assert!(body.contains(&format!("\"code\":\"{code}\"")), "{body}");
    }
    let (status, _) = client.answer(asking("/still-open")).await;
    assert_eq!(status, StatusCode::OK);
}

#[tokio::test]
async fn routes_see_the_fields_that_http_1_would_have() {
    let show = |headers: HeaderMap| async move {
        let values = |name| {
            headers
                .get_all(name)
                .iter()
                .map(|value| format!("{value:?}"))
        };
        let all: Vec<_> = values("host").chain(values("cookie")).collect();
        all.join(" ")
    };
    let pair = Pair::new();
    let server = running(pair.open(), Router::new().fallback(show), generous());
    let mut client = Http2::to(&pair, &server).await;
    let crumbs = [("cookie", "a=1"), ("cookie", "b=2; c=3"), ("cookie", "d=4")];
    let (_, seen) = client.answer(with(asking("/"), &crumbs)).await;
    assert_eq!(seen, r#""localhost" "a=1; b=2; c=3; d=4""#);
}

#[tokio::test]
async fn a_connection_without_requests_is_told_farewell() {
    let bounds = Bounds {
        silent_time: SHORT,
        idle_time: SHORT,
        ..generous()
    };
    let pair = Pair::new();
    let server = running(pair.open(), echo(), bounds);
    let silent = Http2::to(&pair, &server).await;
    soon(silent.ended)
        .await
        .expect("no panic")
        .expect("an orderly end");
    let mut idle = Http2::to(&pair, &server).await;
    idle.answer(asking("/")).await;
    soon(idle.ended)
        .await
        .expect("no panic")
        .expect("an orderly end");
}

#[tokio::test]
async fn a_client_that_takes_nothing_of_its_answer_is_let_go_of() {
    let bounds = Bounds {
        write_stall: SHORT,
        ..generous()
    };
    let endless = || async {
        let part = Ok::<_, Infallible>(Bytes::from(vec![b'a'; 16 * 1024]));
        Body::from_stream(stream::repeat(part))
    };
    let pair = Pair::new();
    let app = Router::new().route("/", get(endless));
    let server = running(pair.open(), app, bounds);
    let mut client = Http2::to(&pair, &server).await;
    // Its window is never opened again, although frames are read.
    let answer = client.send(asking("/")).await.expect("an answer");
    expect_cut(answer).await;
}

#[tokio::test]
async fn an_answer_that_nothing_is_taken_of_is_not_kept_by_other_requests() {
    let bounds = Bounds {
        write_stall: SHORT,
        ..generous()
    };
    let large = || async { "a".repeat(1024 * 1024) };
    let pair = Pair::new();
    let app = Router::new()
        .route("/large", get(large))
        .route("/empty", get(|| async { StatusCode::NO_CONTENT }));
    let server = running(pair.open(), app, bounds);
    let mut client = Http2::with_room(&pair, &server, 0, 1024 * 1024).await;
    let answer = client.send(asking("/large")).await.expect("an answer");
    soon(async { while client.send(asking("/empty")).await.is_ok() {} }).await;
    expect_cut(answer).await;
}

#[tokio::test]
async fn a_large_answer_goes_out_in_small_parts_and_arrives_whole() {
    const SIZE: u32 = 1024 * 1024 + 1;
    let pair = Pair::new();
    let app = Router::new().route("/", get(|| async { "a".repeat(SIZE as usize) }));
    let server = running(pair.open(), app, generous());
    let mut client = Http2::with_room(&pair, &server, SIZE, SIZE).await;
    let answer = client.send(asking("/")).await.expect("an answer");
    assert_eq!(answer.headers()["content-length"], SIZE.to_string());
    let mut body = answer.into_body();
    let mut arrived = 0;
    while let Some(part) = soon(body.data()).await {
        let part = part.expect("the rest of the body");
        // What a client has room for at once would be one frame.
        assert!(part.len() <= 16 * 1024, "{}", part.len());
        arrived += part.len();
    }
    assert_eq!(arrived, SIZE as usize);
}

#[tokio::test]
async fn an_answer_that_takes_its_time_is_waited_for() {
    let bounds = Bounds {
        write_stall: SHORT,
        idle_time: SHORT,
        silent_time: SHORT,
        ..generous()
    };
    let slowly = || async {
        tokio::time::sleep(8 * SHORT).await;
        let parts = stream::unfold(0, |number| async move {
            tokio::time::sleep(4 * SHORT).await;
            (number < 3).then(|| (Ok::<_, Infallible>(format!("{number} ")), number + 1))
        });
        Body::from_stream(parts)
    };
    let pair = Pair::new();
    let app = Router::new().route("/", get(slowly));
    let server = running(pair.open(), app, bounds);
    let mut client = Http2::to(&pair, &server).await;
    assert_eq!(client.answer(asking("/")).await.1, "0 1 2 ");
}

#[tokio::test]
async fn requests_that_are_taken_back_without_end_end_the_connection() {
    let pair = Pair::new();
    let server = running(pair.open(), echo(), generous());
    let client = Http2::to(&pair, &server).await;
    let taking_back = async {
        loop {
            // Many at a time: a server that is asked no sooner than it has put one away has nothing to end.
            for _ in 0..100 {
                let Ok(mut requests) = client.requests.clone().ready().await else {
                    return;
                };
                let Ok((_, mut request)) = requests.send_request(asking("/"), false) else {
                    return;
                };
                request.send_reset(Reason::CANCEL);
            }
            // The frames are sent by another task.
            tokio::task::yield_now().await;
        }
    };
    soon(taking_back).await;
    let ended = soon(client.ended).await.expect("no panic");
    ended.expect_err("a connection that is refused");
    let mut another = Http2::to(&pair, &server).await;
    assert_eq!(another.answer(asking("/")).await.0, StatusCode::OK);
}

#[tokio::test]
async fn a_shutdown_lets_running_requests_finish_and_ends_idle_connections() {
    let (begun, let_go) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let (begin, wait) = (Arc::clone(&begun), Arc::clone(&let_go));
    let held = move || async move {
        begin.notify_one();
        wait.notified().await;
        "finished"
    };
    let pair = Pair::new();
    let app = Router::new().route("/", get(held)).layer(refusals());
    let server = running(pair.open(), app, generous());
    let idle = Http2::to(&pair, &server).await;
    let mut working = Http2::to(&pair, &server).await;
    let requests = working.requests.clone();
    let answer = tokio::spawn(async move { working.answer(asking("/")).await });
    soon(begun.notified()).await;
    let drained = tokio::spawn(server.shut_down());
    soon(idle.ended)
        .await
        .expect("no panic")
        .expect("an orderly end");
    let refusal = soon(async {
        loop {
            match requests.clone().ready().await {
                Ok(_) => tokio::task::yield_now().await,
                Err(refusal) => return refusal,
            }
        }
    });
    assert!(refusal.await.is_go_away(), "nothing new is taken");
    let_go.notify_one();
    let (_, body) = soon(answer).await.expect("no panic");
    assert_eq!(body, "finished");
    let drained = soon(drained).await.expect("no panic");
    assert_eq!(
        drained,
        Drained {
            finished: 1,
            cut: 0
        }
    );
}

#[tokio::test]
async fn a_client_that_reads_slowly_at_a_shutdown_gets_its_whole_answer() {
    const SIZE: u32 = 1024 * 1024;
    let pair = Pair::new();
    let app = Router::new().route("/", get(|| async { "a".repeat(SIZE as usize) }));
    let server = running(pair.open(), app, generous());
    // The last byte has no room, though the server has done all that it can do by then.
    let mut client = Http2::with_room(&pair, &server, SIZE - 1, SIZE).await;
    let answer = client.send(asking("/")).await.expect("an answer");
    let drained = tokio::spawn(server.shut_down());
    let mut body = answer.into_body();
    let mut arrived = 0;
    while arrived < SIZE as usize - 1 {
        let part = soon(body.data()).await.expect("more of the body");
        arrived += part.expect("the rest of the body").len();
    }
    // Longer than a connection is kept that has nothing to do.
    tokio::time::sleep(Duration::from_millis(2500)).await;
    let room = body.flow_control().release_capacity(arrived);
    room.expect("an open stream");
    assert_eq!(text(body).await, "a");
    assert_eq!(
        soon(drained).await.expect("no panic"),
        Drained {
            finished: 1,
            cut: 0
        }
    );
}

#[tokio::test]
async fn what_is_not_done_when_the_drain_is_over_is_cut() {
    let begun = Arc::new(Notify::new());
    let begin = Arc::clone(&begun);
    let never = move || async move {
        begin.notify_one();
        std::future::pending::<()>().await;
    };
    let bounds = Bounds {
        drain_time: Duration::ZERO,
        ..generous()
    };
    let pair = Pair::new();
    let app = Router::new().route("/", get(never));
    let server = running(pair.open(), app, bounds);
    let mut client = Http2::to(&pair, &server).await;
    let answer = tokio::spawn(async move { client.send(asking("/")).await });
    soon(begun.notified()).await;
    assert_eq!(
        server.shut_down().await,
        Drained {
            finished: 0,
            cut: 1
        }
    );
    assert!(soon(answer).await.expect("no panic").is_err());
}
