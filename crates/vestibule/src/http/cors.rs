//! Pages of other origins that may call the API (the Fetch standard's CORS protocol): those in
//! `cors.origins` and no others, with credentials. Also what a browser says of where a request
//! comes from, by which `csrf.rs` judges.
//!
//! The layer of tower-http answers every `OPTIONS` itself and shows its headers to any origin, listed
//! or not; here an origin that is not listed finds a server without this protocol.

use axum::{
    extract::{Request, State},
    http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header},
    response::{IntoResponse as _, Response},
};

use crate::{app::App, around::Next};

const FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");
/// What a preflight is told: the methods and headers that any route takes, and for how long, in
/// seconds, a browser need not ask again.
const PREFLIGHT: [(HeaderName, &str); 3] = [
    (
        header::ACCESS_CONTROL_ALLOW_METHODS,
        "GET, POST, PUT, PATCH, DELETE",
    ),
    (
        header::ACCESS_CONTROL_ALLOW_HEADERS,
        "Authorization, Content-Type, If-Match, If-None-Match",
    ),
    (header::ACCESS_CONTROL_MAX_AGE, "600"),
];
/// What a page may read of an answer besides its body.
const READABLE: &str = "Retry-After, Location, Link, ETag, Content-Disposition, X-Request-Id, RateLimit, \
    RateLimit-Policy";

/// What a browser says of where a request comes from.
pub(super) struct Sender<'a> {
    /// `Sec-Fetch-Site` (Fetch Metadata).
    pub(super) site: Option<&'a [u8]>,
    /// `Origin` (RFC 6454 section 7); empty for one that is none.
    pub(super) origin: Option<&'a str>,
}

impl<'a> Sender<'a> {
    pub(super) fn of(headers: &'a HeaderMap) -> Self {
        Self {
            site: headers.get(FETCH_SITE).map(HeaderValue::as_bytes),
            origin: headers
                .get(header::ORIGIN)
                .map(|value| value.to_str().unwrap_or_default()),
        }
    }

    /// Whether a page of another site asks: one to which the browser would not send our cookie.
    pub(super) fn is_cross_site(&self, app: &App) -> bool {
        match (self.site, self.origin) {
            (Some(site), _) => site == b"cross-site",
            // A browser without the header: what has another origin is taken for another site.
            (None, Some(origin)) => app.config().own_origins().iter().all(|own| own != origin),
            (None, None) => false,
        }
    }
}

/// Answers the preflights of listed origins and tells their browsers that they may read an answer.
/// Whoever else asks is answered as if there were no such list, so that a page learns nothing of it.
pub(super) async fn share(State(app): State<App>, request: Request, next: Next) -> Response {
    let listed = &app.config().cors.origins;
    if listed.is_empty() {
        return next.run(request).await;
    }
    let origin = request.headers().get(header::ORIGIN).cloned();
    let origin = origin.filter(|origin| listed.iter().any(|listed| origin == listed.as_str()));
    let mut answer = match origin.is_some() && is_preflight(&request) {
        true => (StatusCode::NO_CONTENT, preflight_headers()).into_response(),
        false => next.run(request).await,
    };
    let headers = answer.headers_mut();
    // Also where nothing is said: a cache must not give one origin the answer to another.
    headers.append(header::VARY, HeaderValue::from_static("Origin"));
    if let Some(origin) = origin {
        headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
        for (name, value) in [
            (header::ACCESS_CONTROL_ALLOW_CREDENTIALS, "true"),
            (header::ACCESS_CONTROL_EXPOSE_HEADERS, READABLE),
        ] {
            headers.insert(name, HeaderValue::from_static(value));
        }
    }
    answer
}

/// A question of a browser before the request itself, and no request with the method `OPTIONS`.
fn is_preflight(request: &Request) -> bool {
    let headers = request.headers();
    request.method() == Method::OPTIONS
        && headers.contains_key(header::ACCESS_CONTROL_REQUEST_METHOD)
}

fn preflight_headers() -> HeaderMap {
    PREFLIGHT
        .into_iter()
        .map(|(name, value)| (name, HeaderValue::from_static(value)))
        .collect()
}
