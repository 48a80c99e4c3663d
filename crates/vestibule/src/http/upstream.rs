//! The gate of an app: who asks, may they, what the app is told of them, and what is said where it does not answer. The
//! way to the app is left to the module `upstream`, the rules for paths to `site`.

mod lasting;
mod told;

use std::sync::Once;

use accounts::Caller;
use axum::{
    body::Body,
    extract::{Request, State},
    http::{
        HeaderMap, HeaderValue, header,
        request::Parts,
        uri::{PathAndQuery, Uri},
    },
    response::{IntoResponse as _, Response},
};
use tokio::time::timeout;
use tracing::{Instrument as _, Level};

use self::lasting::Lasting;
use super::{
    ANSWER_TIME,
    caller::Presented,
    cookie, csrf,
    error::{self, Code, problem, with},
    headers::OfApp,
    site::{Visitor, private},
};
use crate::{
    app::App,
    serve::{RETRY_AFTER, Tunnel},
    site::{Access, is_page_visit},
    telemetry::traces,
    upstream::Failure,
};

/// Every path that is no route of ours, where an app is behind the gate.
pub(super) async fn pass(State(app): State<App>, request: Request) -> Response {
    let (mut head, body) = request.into_parts();
    let Some(behind) = app.behind() else {
        return private(error::not_found());
    };
    let Some(path) = behind.site.judge(head.uri.path()) else {
        return private(error::not_found());
    };
    let Some(target) = target(&path.encoded, &head.uri) else {
        return private(error::not_found());
    };
    let caller = match timeout(ANSWER_TIME, admit(&app, &path.access, &head)).await {
        Ok(Ok(caller)) => caller,
        Ok(Err(refusal)) => return refusal,
        Err(_elapsed) => return error::unavailable(TOO_LATE),
    };
    let is_page_visit = is_page_visit(&head.method, &head.headers);
    let mut told = told::headers(&app, &head, caller.as_ref());
    told::forget_claims(&app, &mut head, caller.as_ref());
    let request = Request::from_parts(head, body);
    let asking = async {
        traces::hand_on(&app, &mut told);
        behind.upstream.ask(request, target, told).await
    };
    let span = tracing::span!(target: "traced::upstream", Level::INFO, "upstream");
    match asking.instrument(span).await {
        Ok(answer) => of_app(&app, answer, caller),
        Err(failure) => failed(&failure, is_page_visit),
    }
}

const TOO_LATE: &str = "The server could not find out in time who asks; please try again.";

/// The path that was judged, and the query as it was sent.
fn target(path: &str, uri: &Uri) -> Option<PathAndQuery> {
    match uri.query() {
        Some(query) => PathAndQuery::try_from(format!("{path}?{query}")).ok(),
        None => PathAndQuery::try_from(path).ok(),
    }
}

/// Lets the request pass and says in whose name, or how it is turned away. What is public is for everybody, and whoever
/// has a session is known there, too.
async fn admit(app: &App, access: &Access, head: &Parts) -> Result<Option<Caller>, Response> {
    let presented = Presented::of(app, &head.headers);
    if csrf::is_foreign(app, &head.method, &head.headers, &presented) {
        return Err(private(csrf::refused(&head.headers)));
    }
    if *access != Access::Public {
        let asked = head.uri.path_and_query();
        let visitor = Visitor {
            asked: asked.map_or("/", PathAndQuery::as_str),
            method: &head.method,
            headers: &head.headers,
        };
        return visitor.admit(app, access).await.map(Some);
    }
    match presented.caller(app.accounts()).await {
        Ok(caller) => Ok(Some(caller)),
        Err(refusal) if refusal.is_about_the_credential() => Ok(None),
        // It may be somebody whom the app knows, and would take for nobody.
        Err(failure) => Err(private(failure.into_response())),
    }
}

/// An answer of the app. One to somebody who is known is for no cache that others read, unless the app says so, and
/// lasts no longer than their session.
fn of_app(app: &App, mut answer: Response, caller: Option<Caller>) -> Response {
    answer.extensions_mut().insert(OfApp);
    refuse_our_cookie(answer.headers_mut());
    let Some(caller) = caller else {
        return answer;
    };
    let caching = answer.headers_mut().entry(header::CACHE_CONTROL);
    caching.or_insert(HeaderValue::from_static("private, no-cache"));
    let over = lasting::session_over(app.accounts().clone(), caller);
    match answer.extensions_mut().remove::<Tunnel>() {
        Some(tunnel) => {
            answer.extensions_mut().insert(tunnel.until(over));
            answer
        }
        None => answer.map(|body| Body::new(Lasting::new(body, over))),
    }
}

/// The session cookie is set by nobody else: an app that is taken over could log visitors in to an account of its own.
fn refuse_our_cookie(headers: &mut HeaderMap) {
    let set = headers.get_all(header::SET_COOKIE);
    if !set.iter().any(|set| cookie::is_ours(set.as_bytes())) {
        return;
    }
    static TOLD: Once = Once::new();
    TOLD.call_once(|| {
        tracing::warn!("The app sets a cookie of the name of the session cookie, which is dropped");
    });
    let kept: Vec<_> = set
        .iter()
        .filter(|set| !cookie::is_ours(set.as_bytes()))
        .cloned()
        .collect();
    headers.remove(header::SET_COOKIE);
    for set in kept {
        headers.append(header::SET_COOKIE, set);
    }
}

/// The answer where the app gave none.
fn failed(failure: &Failure, is_page_visit: bool) -> Response {
    let (code, detail) = match failure {
        Failure::Crowded => (
            Code::Unavailable,
            "The app behind this server has as many requests as it can be handed. Try again shortly.",
        ),
        Failure::Unreachable(_) => (
            Code::BadGateway,
            "The app behind this server cannot be reached at the moment. Try again shortly.",
        ),
        Failure::Lost(_) | Failure::Broken(_) => (
            Code::BadGateway,
            "The app behind this server gave no answer that could be passed on.",
        ),
        Failure::Silent => (
            Code::GatewayTimeout,
            "The app behind this server did not answer in time.",
        ),
        Failure::RequestTooSlow => (
            Code::RequestTimeout,
            "The request body did not arrive in time.",
        ),
        Failure::RequestBroken => (
            Code::MalformedRequest,
            "The request body is malformed or not complete.",
        ),
    };
    match failure {
        Failure::Crowded
        | Failure::Unreachable(_)
        | Failure::Lost(_)
        | Failure::Broken(_)
        | Failure::Silent => {
            tracing::warn!(error.message = %failure, "The app behind the gate gave no answer: {failure}");
        }
        Failure::RequestTooSlow | Failure::RequestBroken => {
            // The rest of the body is never read, so nothing can follow on the connection.
            let close = HeaderValue::from_static("close");
            return with(problem(code, detail), header::CONNECTION, close);
        }
    }
    let answer = match is_page_visit {
        true => private((code.status(), format!("{detail}\n")).into_response()),
        false => problem(code, detail),
    };
    match failure {
        Failure::Crowded => {
            let later = HeaderValue::from_static(RETRY_AFTER);
            with(answer, header::RETRY_AFTER, later)
        }
        _ => answer,
    }
}
