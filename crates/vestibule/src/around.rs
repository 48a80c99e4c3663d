//! A layer made of a function around the rest of the way, and how the way goes on from there. What the layers do, and in
//! which order, is left to `http.rs`.
//!
//! axum's `from_fn` is the same but for its cost. Each of its layers copies all that is below it for each request, box by
//! box, and each route below it does so once more, so that the copies grow with the square of the layers. Here what is below
//! is shared, so that each layer costs the same.

use std::convert::Infallible;
use std::future::Future;
use std::sync::Arc;
use std::task::{Context, Poll};

use axum::extract::{Request, State};
use axum::response::Response;
use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use tower::{Layer, Service, ServiceExt as _};

/// The layer of a function that is given each request and the rest of its way.
pub fn around<F>(function: F) -> Around<F> {
    Around { function }
}

/// The same for a function that needs to know something besides.
pub fn around_with_state<S, F, Answering>(
    state: S,
    function: F,
) -> Around<impl Fn(Request, Next) -> Answering + Clone + Send + Sync + 'static>
where
    S: Clone + Send + Sync + 'static,
    F: Fn(State<S>, Request, Next) -> Answering + Clone + Send + Sync + 'static,
{
    around(move |request, next| function(State(state.clone()), request, next))
}

/// A layer made of a function; see [`around`].
#[derive(Clone, Debug)]
pub struct Around<F> {
    function: F,
}

/// What is below a layer: layers, and at the end the handler.
pub struct Next(Arc<dyn Way>);

impl Next {
    /// Goes on, and comes back with the answer.
    pub async fn run(self, request: Request) -> Response {
        self.0.go(request).await
    }
}

/// A service as one that is called by all who share it.
trait Way: Send + Sync {
    fn go(&self, request: Request) -> BoxFuture<'static, Response>;
}

impl<S> Way for S
where
    S: Service<Request, Response = Response, Error = Infallible> + Clone + Send + Sync + 'static,
    S::Future: Send + 'static,
{
    fn go(&self, request: Request) -> BoxFuture<'static, Response> {
        self.clone()
            .oneshot(request)
            .map(|answer| match answer {
                Ok(answer) => answer,
                Err(never) => match never {},
            })
            .boxed()
    }
}

impl<S, F> Layer<S> for Around<F>
where
    S: Service<Request, Response = Response, Error = Infallible> + Clone + Send + Sync + 'static,
    S::Future: Send + 'static,
    F: Clone,
{
    type Service = Surrounded<F>;

    fn layer(&self, below: S) -> Surrounded<F> {
        Surrounded {
            function: self.function.clone(),
            below: Arc::new(below),
        }
    }
}

/// A layer with what is below it.
#[derive(Clone)]
pub struct Surrounded<F> {
    function: F,
    below: Arc<dyn Way>,
}

impl<F, Answering> Service<Request> for Surrounded<F>
where
    F: Fn(Request, Next) -> Answering,
    Answering: Future<Output = Response> + Send + 'static,
{
    type Response = Response;
    type Error = Infallible;
    type Future = BoxFuture<'static, Result<Response, Infallible>>;

    /// What is below is waited for when it is called.
    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request) -> Self::Future {
        let next = Next(Arc::clone(&self.below));
        (self.function)(request, next).map(Ok).boxed()
    }
}
