//! The headers that every answer has, and those of our own pages.

use axum::{
    extract::{Request, State},
    http::{HeaderName, HeaderValue, header},
    response::Response,
};

use crate::{app::App, around::Next};

/// Our pages run their own script and style, talk to this server, and stand in nobody's frame.
pub(super) const PAGE_POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; \
     form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
);

const OPENER_POLICY: HeaderName = HeaderName::from_static("cross-origin-opener-policy");

/// Marks the answer of an app behind the gate, whose pages are its own matter.
#[derive(Clone, Copy)]
pub(super) struct OfApp;

/// What holds for every answer. A handler may choose its own `Referrer-Policy` alone. An app behind the gate says by
/// itself what its pages may do; how browsers reach this host is for it, too.
pub(super) async fn secure(State(app): State<App>, request: Request, next: Next) -> Response {
    let mut answer = next.run(request).await;
    let is_ours = answer.extensions().get::<OfApp>().is_none();
    let headers = answer.headers_mut();
    if is_ours {
        headers.insert(
            header::X_CONTENT_TYPE_OPTIONS,
            HeaderValue::from_static("nosniff"),
        );
        headers
            .entry(header::REFERRER_POLICY)
            .or_insert(HeaderValue::from_static("strict-origin-when-cross-origin"));
    }
    if app.is_https() {
        // Two years, as the preload list asks for; other hosts of the domain are not ours to bind.
        let value = HeaderValue::from_static("max-age=63072000");
        headers.insert(header::STRICT_TRANSPORT_SECURITY, value);
    }
    answer
}

/// What holds for the API and our pages: nobody keeps a copy, unless a handler says otherwise.
pub(super) async fn no_store(request: Request, next: Next) -> Response {
    let mut answer = next.run(request).await;
    let headers = answer.headers_mut();
    headers
        .entry(header::CACHE_CONTROL)
        .or_insert(HeaderValue::from_static("no-store"));
    answer
}

/// What holds for a page of ours.
pub(super) fn of_page(answer: &mut Response) {
    let headers = answer.headers_mut();
    headers.insert(header::CONTENT_SECURITY_POLICY, PAGE_POLICY);
    headers.insert(OPENER_POLICY, HeaderValue::from_static("same-origin"));
    headers.insert(
        header::REFERRER_POLICY,
        HeaderValue::from_static("same-origin"),
    );
    headers.insert(header::X_FRAME_OPTIONS, HeaderValue::from_static("DENY"));
}
