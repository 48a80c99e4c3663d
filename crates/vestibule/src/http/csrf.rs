//! Requests that a page of another origin makes a browser send (CSRF). A browser says where a
//! request comes from, in `Sec-Fetch-Site` or `Origin`; what changes something on the strength of
//! a cookie, and every login and registration, must come from us.

use axum::{
    extract::{Request, State},
    http::{HeaderMap, Method, header},
    response::{IntoResponse as _, Response},
};

use super::{caller::Presented, cors::Sender, error::ApiError};
use crate::{app::App, around::Next};

/// Characters of a received origin that the refusal repeats; no host name is longer.
const LONGEST_SHOWN: usize = 255;
/// The routes that open a session. They are judged without a cookie too, or a page could log a
/// visitor in to an account of its own choice.
const OPENING: [&str; 4] = [
    "/api/auth/login",
    "/api/auth/register",
    "/api/auth/setup",
    "/api/auth/token",
];

/// Refuses with 403 what another origin sent.
pub(super) async fn refuse_cross_origin(
    State(app): State<App>,
    request: Request,
    next: Next,
) -> Response {
    let opens = OPENING.contains(&request.uri().path());
    let headers = request.headers();
    let by_cookie = matches!(Presented::of(&app, headers), Presented::Cookie(_));
    if is_safe(request.method()) || !(opens || by_cookie) || is_ours(&app, headers, by_cookie) {
        return next.run(request).await;
    }
    refused(headers)
}

/// Whether a page of another origin made a browser send what somebody else is to answer, who may take bodies of any
/// type. A foreign `Origin` counts there whatever else is said, and the opening of a WebSocket, on which no browser
/// asks first, as much as a method that changes something.
pub(super) fn is_foreign(
    app: &App,
    method: &Method,
    headers: &HeaderMap,
    presented: &Presented,
) -> bool {
    let by_cookie = matches!(presented, Presented::Cookie(_));
    let is_harmless = is_safe(method) && !headers.contains_key(header::SEC_WEBSOCKET_KEY);
    if is_harmless || !by_cookie {
        return false;
    }
    let named = Sender::of(headers).origin;
    let is_named_foreign = named.is_some_and(|origin| !app.is_own_or_allowed_origin(origin));
    is_named_foreign || !is_ours(app, headers, by_cookie)
}

/// The answer to what another origin sent. It names that origin and the setting by which it could be let in.
pub(super) fn refused(headers: &HeaderMap) -> Response {
    let received = headers.get(header::ORIGIN).map(|origin| {
        let origin = String::from_utf8_lossy(origin.as_bytes());
        let shown = origin.chars().take(LONGEST_SHOWN);
        shown.flat_map(char::escape_debug).collect()
    });
    ApiError::CrossOrigin { received }.into_response()
}

fn is_ours(app: &App, headers: &HeaderMap, by_cookie: bool) -> bool {
    let Sender { site, origin } = Sender::of(headers);
    match (site, origin) {
        (Some(b"same-origin" | b"none"), _) => true,
        (_, Some(origin)) => app.is_own_or_allowed_origin(origin),
        (Some(_), None) => false,
        // Not from a browser, which sends at least one of the two with an unsafe request.
        (None, None) => !by_cookie,
    }
}

/// RFC 9110 section 9.2.1, and nothing else.
fn is_safe(method: &Method) -> bool {
    matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS)
}
