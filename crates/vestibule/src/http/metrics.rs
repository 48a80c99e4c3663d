//! Metrics: what is measured of each request, and `GET /metrics` on an address of its own. What the numbers mean is
//! described in `telemetry/metrics.rs`.

use axum::{
    Router,
    extract::{MatchedPath, Request, State},
    http::{Method, header},
    response::{IntoResponse, Response},
    routing::get,
};
use metrics::{counter, gauge, histogram};

use super::{bounds, error, headers};
use crate::{
    app::App,
    around::{Next, around, around_with_state},
    serve::Refusal,
    telemetry::metrics::{Metrics, REQUEST_SECONDS, REQUESTS, REQUESTS_RUNNING},
};

/// What stands for a route where the path is the site's: its paths are as many as visitors make up.
const SITE: &str = "site";
/// What stands for a route where the request's head was refused before there was one.
const REFUSED: &str = "refused";

/// The routes of the address for metrics.
pub(crate) fn router(metrics: Metrics, app: App) -> Router {
    Router::new()
        .route("/metrics", get(show))
        .with_state((metrics, app.clone()))
        .method_not_allowed_fallback(error::method_not_allowed)
        .fallback(error::unknown_route)
        .layer(bounds::panic_barrier())
        .layer(around(headers::no_store))
        .layer(bounds::refusals())
        .layer(around_with_state(app, headers::secure))
}

/// `GET /metrics`, in the text format of Prometheus.
async fn show(State((metrics, app)): State<(Metrics, App)>) -> Response {
    let form = [(
        header::CONTENT_TYPE,
        "text/plain; version=0.0.4; charset=utf-8",
    )];
    (form, metrics.render(&app)).into_response()
}

/// Counts a request and takes its time, under the route's pattern and never under its path.
pub(super) async fn measure(State(app): State<App>, request: Request, next: Next) -> Response {
    let method = known(request.method()).unwrap_or("other");
    let route = route(&request);
    let begun = app.monotonic();
    let running = Running::begin();
    let answer = next.run(request).await;
    drop(running);
    let took = app.monotonic().saturating_sub(begun);
    let status = answer.status().as_u16().to_string();
    histogram!(REQUEST_SECONDS, "method" => method, "route" => route.clone())
        .record(took.as_secs_f64());
    counter!(REQUESTS, "method" => method, "route" => route, "status" => status).increment(1);
    answer
}

/// A request whose answer has not begun, also when it never will as the client is gone.
struct Running;

impl Running {
    fn begin() -> Self {
        gauge!(REQUESTS_RUNNING).increment(1);
        Self
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        gauge!(REQUESTS_RUNNING).decrement(1);
    }
}

fn route(request: &Request) -> String {
    let extensions = request.extensions();
    if extensions.get::<Refusal>().is_some() {
        return REFUSED.to_owned();
    }
    let matched = extensions.get::<MatchedPath>();
    matched.map_or(SITE, MatchedPath::as_str).to_owned()
}

/// The method, where it is one that everybody knows: clients make up others.
pub(crate) fn known(method: &Method) -> Option<&'static str> {
    Some(match *method {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::PATCH => "PATCH",
        Method::DELETE => "DELETE",
        Method::OPTIONS => "OPTIONS",
        _ => return None,
    })
}
