//! Pages of other origins that may call the API (the Fetch standard's CORS protocol): those in
//! `cors.origins` and no others, with credentials.

use std::time::Duration;

use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, header};
use tower_http::cors::{AllowOrigin, CorsLayer};

use crate::app::App;

const FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");
/// What a page may read of an answer besides its body.
const READABLE: [HeaderName; 6] = [
    header::RETRY_AFTER,
    header::LOCATION,
    header::ETAG,
    HeaderName::from_static("x-request-id"),
    HeaderName::from_static("ratelimit"),
    HeaderName::from_static("ratelimit-policy"),
];
/// For how long a browser need not ask again.
const REMEMBERED: Duration = Duration::from_secs(600);

/// Answers preflights and tells browsers who may read an answer. An origin that is not listed
/// is never named as allowed, and so its page gets nothing.
pub(super) fn layer(app: &App) -> Option<CorsLayer> {
    let origins = app.config().cors.origins.iter();
    let origins: Vec<_> = origins
        .filter_map(|origin| HeaderValue::from_str(origin.as_str()).ok())
        .collect();
    if origins.is_empty() {
        return None;
    }
    let layer = CorsLayer::new()
        .allow_origin(AllowOrigin::list(origins))
        .allow_credentials(true)
        .allow_methods([
            Method::GET,
            Method::POST,
            Method::PUT,
            Method::PATCH,
            Method::DELETE,
        ])
        .allow_headers([
            header::AUTHORIZATION,
            header::CONTENT_TYPE,
            header::IF_MATCH,
            header::IF_NONE_MATCH,
        ])
        .expose_headers(READABLE)
        .max_age(REMEMBERED);
    Some(layer)
}

/// Whether a page of another site asks: one to which the browser would not send our cookie.
pub(super) fn is_cross_site(app: &App, headers: &HeaderMap) -> bool {
    let origin = headers
        .get(header::ORIGIN)
        .and_then(|origin| origin.to_str().ok());
    match headers.get(FETCH_SITE).map(HeaderValue::as_bytes) {
        Some(site) => site == b"cross-site",
        // A browser without the header: what has another origin is taken for another site.
        None => {
            origin.is_some_and(|origin| app.config().own_origins().iter().all(|own| own != origin))
        }
    }
}
