//! The bounds of one request: how large its body, how long everything may take, and that a panic ends nothing else.
//! Owns the layers and the answers given when a bound is passed; the bounds of a connection are left to `serve.rs`, and
//! which route gets which numbers to `http.rs`.

use std::any::Any;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use accounts::Answer;
use axum::body::{Body, Bytes};
use axum::extract::Request;
use axum::response::Response;
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use http_body::{Body as _, Frame, SizeHint};
use hyper::header::{ALLOW, CONNECTION, HeaderValue};
use tokio::time::Sleep;
use tower_http::catch_panic::CatchPanicLayer;

use super::error::{Code, problem, unavailable, with};
use crate::around::{Around, Next, around};
use crate::serve::Refusal;

/// Lets a request's body have at most `bytes` bytes and arrive within `time`; past that the answer is 413 or 408,
/// whatever the handler made of the broken body, and the connection ends. Belongs once on each group of routes: of two
/// around each other the narrower counts.
pub fn body_limit(
    bytes: usize,
    time: Duration,
) -> Around<impl Fn(Request, Next) -> BoxFuture<'static, Response> + Clone> {
    around(move |request, next| limit_body(bytes, time, request, next).boxed())
}

/// Gives the inner service so long to begin its answer, else the answer is 503 `unavailable`, and nothing is committed
/// for it any more. The answer's own body may take longer.
pub fn time_limit(
    time: Duration,
) -> Around<impl Fn(Request, Next) -> BoxFuture<'static, Response> + Clone> {
    around(move |request, next: Next| limit_time(time, request, next).boxed())
}

/// Turns a panic of a handler into a 500 that says nothing about it. The panic hook of `telemetry` has told the log.
pub fn panic_barrier() -> CatchPanicLayer<fn(Box<dyn Any + Send>) -> Response> {
    CatchPanicLayer::custom(|_panic| {
        problem(Code::InternalError, "Something went wrong on the server.")
    })
}

/// Answers in place of the routes what `serve` refused to take for a request, so that such an answer passes the layers
/// outside of this one like any other.
pub fn refusals() -> Around<impl Fn(Request, Next) -> BoxFuture<'static, Response> + Clone> {
    around(|request: Request, next: Next| {
        async move {
            match request.extensions().get::<Refusal>() {
                Some(refusal) => refused(*refusal),
                None => next.run(request).await,
            }
        }
        .boxed()
    })
}

/// The answer to a request that no route has seen.
fn refused(refusal: Refusal) -> Response {
    match refusal {
        Refusal::TooLarge => problem(
            Code::HeadersTooLarge,
            "The request line and headers are larger than this server reads.",
        ),
        Refusal::TooSlow => problem(
            Code::RequestTimeout,
            "The request headers did not arrive in time.",
        ),
        Refusal::Method => with(
            problem(Code::MethodNotAllowed, "This method is not served here."),
            ALLOW,
            HeaderValue::from_static("GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS"),
        ),
        Refusal::Malformed(reason) => problem(Code::MalformedRequest, reason),
    }
}

async fn limit_time(time: Duration, request: Request, next: Next) -> Response {
    let answer = Answer::default();
    match tokio::time::timeout(time, answer.of(next.run(request))).await {
        Ok(response) => response,
        Err(_elapsed) => {
            answer.give();
            unavailable("The server could not answer in time; please try again.")
        }
    }
}

async fn limit_body(bytes: usize, time: Duration, request: Request, next: Next) -> Response {
    if request.body().is_end_stream() {
        return next.run(request).await;
    }
    if request.body().size_hint().lower() > bytes as u64 {
        return broken(Broken::TooLarge);
    }
    let told = Told::default();
    let late = Box::pin(tokio::time::sleep(time));
    let (left, tell) = (bytes as u64, Arc::clone(&told));
    let request = request.map(|body| {
        Body::new(BoundBody {
            body,
            left,
            late,
            tell,
        })
    });
    let response = next.run(request).await;
    told.get().map_or(response, |&bound| broken(bound))
}

/// Which bound a body has broken.
#[derive(Clone, Copy, Debug, thiserror::Error)]
enum Broken {
    #[error("the body is too large")]
    TooLarge,
    #[error("the body did not arrive in time")]
    TooSlow,
}

/// How the body tells the layer, past every extractor and handler in between.
type Told = Arc<OnceLock<Broken>>;

/// The answer in place of the handler's. The rest of the body is never read, so nothing can follow on the connection.
fn broken(bound: Broken) -> Response {
    let response = match bound {
        Broken::TooLarge => problem(
            Code::PayloadTooLarge,
            "The request body is larger than this server reads.",
        ),
        Broken::TooSlow => problem(
            Code::RequestTimeout,
            "The request body did not arrive in time.",
        ),
    };
    with(response, CONNECTION, HeaderValue::from_static("close"))
}

/// A request body that breaks off with an error when it passes a bound.
struct BoundBody {
    body: Body,
    left: u64,
    late: Pin<Box<Sleep>>,
    tell: Told,
}

impl BoundBody {
    fn broken(&self, bound: Broken) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        // The first bound that was broken stays the answer.
        let bound = *self.tell.get_or_init(|| bound);
        Poll::Ready(Some(Err(axum::Error::new(bound))))
    }
}

impl http_body::Body for BoundBody {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let Poll::Ready(frame) = Pin::new(&mut self.body).poll_frame(cx) else {
            ready!(self.late.as_mut().poll(cx));
            return self.broken(Broken::TooSlow);
        };
        if let Some(data) = frame
            .as_ref()
            .and_then(|frame| frame.as_ref().ok()?.data_ref())
        {
            match self.left.checked_sub(data.len() as u64) {
                Some(left) => self.left = left,
                None => return self.broken(Broken::TooLarge),
            }
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
