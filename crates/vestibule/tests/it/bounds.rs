//! The bounds of one request as the whole router has them, on a clock that is moved by hand: for how long a body may
//! arrive and an answer take, and that the one is not taken from the other. Sockets are tested in `connection.rs`.

use std::{
    convert::Infallible,
    pin::{Pin, pin},
    task::Poll,
    time::Duration,
};

use axum::body::{Body, Bytes};
use futures_util::{StreamExt as _, future, poll, stream};
use tokio::{
    sync::{mpsc, oneshot},
    time,
};

use crate::support::{Answer, Call, Client, TestApp, registration};

/// Timers go by whole milliseconds, and round up.
const MILLISECOND: Duration = Duration::from_millis(1);
/// CONTRACT: a body has 15 s, and what cannot be answered is a 503 within 5 s.
const BODY_TIME: Duration = Duration::from_secs(15);
const ANSWER_TIME: Duration = Duration::from_millis(4800);

/// A registration whose body begins now and goes on with what the sender is given.
fn halting(client: &Client, name: &str) -> (Call, oneshot::Sender<()>) {
    let body = registration(name).to_string();
    let (begin, rest) = body.split_at(10);
    let [begin, rest] = [begin, rest].map(|part| Bytes::from(part.to_owned()));
    let (go_on, told) = oneshot::channel();
    // Who drops the sender leaves the body as it is, for ever.
    let rest = async move {
        match told.await {
            Ok(()) => rest,
            Err(_dropped) => future::pending().await,
        }
    };
    let parts = stream::iter([begin]).chain(stream::once(rest));
    let call = client
        .call("POST", "/api/auth/register")
        .header("content-type", "application/json")
        .stream(Body::from_stream(parts.map(Ok::<_, Infallible>)));
    (call, go_on)
}

/// Moves the clock, and lets everything that is due then happen.
async fn answer_after(
    call: &mut Pin<&mut impl Future<Output = Answer>>,
    time: Duration,
) -> Option<Answer> {
    time::advance(time).await;
    match poll!(call.as_mut()) {
        Poll::Ready(answer) => Some(answer),
        Poll::Pending => None,
    }
}

#[tokio::test]
async fn a_body_that_stops_arriving_is_408_after_its_time_and_not_before() {
    let (_app, anon) = TestApp::new().await;
    time::pause();
    let (call, _go_on) = halting(&anon, "ada");
    let mut call = pin!(call.into_future());
    assert!(poll!(call.as_mut()).is_pending());
    let early = answer_after(&mut call, BODY_TIME - MILLISECOND).await;
    assert!(early.is_none(), "{early:?}");
    let answer = answer_after(&mut call, 2 * MILLISECOND).await;
    let answer = answer.expect("the time is over");
    let answer = answer.expect_problem(408, "request_timeout");
    assert_eq!(answer.header("connection"), Some("close"));
}

#[tokio::test]
async fn the_time_that_a_body_takes_is_not_taken_from_that_of_the_answer() {
    let (_app, anon) = TestApp::new().await;
    time::pause();
    let (call, go_on) = halting(&anon, "ada");
    let mut call = pin!(call.into_future());
    assert!(poll!(call.as_mut()).is_pending());
    let early = answer_after(&mut call, 2 * ANSWER_TIME).await;
    assert!(early.is_none(), "{early:?}");
    go_on.send(()).expect("a body that waits");
    time::resume();
    call.await.expect_status(201);
}

/// A registration needs the hashing thread and then the database: whichever has answered when the clock has moved, the
/// other has not been asked yet, so what ends the waiting is the time alone. bcrypt takes so long that it is not done by
/// then.
#[tokio::test]
async fn an_answer_that_does_not_begin_in_time_is_503_and_not_before() {
    let (_app, anon) = TestApp::with(&[("password.algorithm", "bcrypt")]).await;
    let (early, late) = (ANSWER_TIME - MILLISECOND, ANSWER_TIME + MILLISECOND);
    for (time, is_over) in [(early, false), (late, true)] {
        time::pause();
        let call = anon.post("/api/auth/register", registration("ada"));
        let mut call = pin!(call.into_future());
        assert!(poll!(call.as_mut()).is_pending());
        let answer = answer_after(&mut call, time).await;
        time::resume();
        match answer {
            Some(answer) if is_over => {
                let answer = answer.expect_problem(503, "unavailable");
                assert_eq!(answer.header("retry-after"), Some("5"));
            }
            None if !is_over => {}
            other => panic!("after {time:?}: {other:?}"),
        }
    }
}

#[tokio::test]
async fn nothing_is_committed_any_more_for_an_answer_that_was_late() {
    let (tell, mut told) = mpsc::unbounded_channel();
    let late = move || {
        tell.send(accounts::Answer::at_hand()).unwrap();
        future::pending::<()>()
    };
    let router = axum::Router::new()
        .route("/", axum::routing::get(late))
        .layer(vestibule::http::bounds::time_limit(ANSWER_TIME));
    time::pause();
    let request = axum::http::Request::new(Body::empty());
    let mut call = pin!(tower::ServiceExt::oneshot(router, request));
    assert!(poll!(call.as_mut()).is_pending());
    let answer = told.recv().await.unwrap();
    assert!(!answer.is_given());
    time::advance(ANSWER_TIME + MILLISECOND).await;
    assert_eq!(call.await.unwrap().status(), 503);
    assert!(answer.is_given());
}
