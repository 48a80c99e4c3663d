//! The address for plain http beside an https server: whoever only looks is sent on, and nothing else is done there.

use axum::{
    Router,
    extract::{Request, State},
    http::{HeaderValue, Method, StatusCode, header},
    response::{IntoResponse, Response},
};

use super::{
    bounds,
    error::{Code, problem, with},
    headers, peer,
};
use crate::{
    app::App,
    around::{around, around_with_state},
};

/// All that is answered there.
pub(crate) fn router(app: App) -> Router {
    Router::new()
        .fallback(send_on)
        .layer(bounds::panic_barrier())
        .layer(around(headers::no_store))
        .layer(bounds::refusals())
        .layer(around_with_state(app.clone(), peer::identify))
        .with_state(app)
}

/// To the same path of `public_url`, whatever host was asked for: a redirect by `Host` would lead where a stranger
/// wants. A connection is good for one answer, so that few are needed.
async fn send_on(State(app): State<App>, request: Request) -> Response {
    let public_url = &app.config().public_url;
    let path = request.uri().path_and_query();
    let answer = match (request.method(), path) {
        (&Method::GET | &Method::HEAD, Some(path)) => {
            let target = HeaderValue::try_from(format!("{public_url}{path}"));
            let target = target.expect("an origin and a path make a header value");
            with(
                StatusCode::PERMANENT_REDIRECT.into_response(),
                header::LOCATION,
                target,
            )
        }
        // A password or token in it was readable on its way. Who is sent on with it would never notice.
        _ => with(
            problem(
                Code::MethodNotAllowed,
                &format!("Nothing but GET and HEAD is answered without TLS. Use {public_url}"),
            ),
            header::ALLOW,
            HeaderValue::from_static("GET, HEAD"),
        ),
    };
    with(
        answer,
        header::CONNECTION,
        HeaderValue::from_static("close"),
    )
}
