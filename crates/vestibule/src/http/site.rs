//! The gate of the static site: who asks, may they, and if not, where to. The files themselves
//! are served by the module `site`, and only after this.

use accounts::Caller;
use axum::{
    extract::{Request, State},
    http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header},
    response::{IntoResponse, Response},
};

use super::{
    caller::Presented,
    error::{self, ApiError},
};
use crate::{
    app::App,
    site::{Access, Judged, is_page_visit, login_location},
};

/// Every path that is no route of ours.
pub(super) async fn serve(State(app): State<App>, request: Request) -> Response {
    let Some(site) = app.site() else {
        return without_site(&app, &request);
    };
    let asked = request
        .uri()
        .path_and_query()
        .map_or("/", |asked| asked.as_str());
    let (method, headers) = (request.method(), request.headers());
    let Some(wanted) = site.wanted(asked) else {
        return site.not_found(method, headers).await;
    };
    let visitor = Visitor {
        asked,
        method,
        headers,
    };
    // Before the disk is looked at: how long that takes would tell a stranger what there is.
    let met = wanted.access().clone();
    if met != Access::Public
        && let Err(refusal) = visitor.admit(&app, &met).await
    {
        return refusal;
    }
    match site.judge(wanted, headers).await {
        Judged::Public(target) => site.serve(target, method, headers).await,
        Judged::NotFound => site.not_found(method, headers).await,
        Judged::Protected(target, access) => {
            if access != met
                && let Err(refusal) = visitor.admit(&app, &access).await
            {
                return refusal;
            }
            site.serve(target, method, headers).await
        }
    }
}

/// Whoever asks for something protected.
pub(super) struct Visitor<'a> {
    pub(super) asked: &'a str,
    pub(super) method: &'a Method,
    pub(super) headers: &'a HeaderMap,
}

impl Visitor<'_> {
    /// Lets the request pass and says in whose name, or how it is turned away. To an anonymous visitor a protected
    /// place is the same whether there is a file or not.
    pub(super) async fn admit(&self, app: &App, access: &Access) -> Result<Caller, Response> {
        let presented = Presented::of(app, self.headers);
        let refusal = match presented.caller(app.accounts()).await {
            Ok(caller) if allows(access, &caller) => return Ok(caller),
            Ok(_) => ApiError::Forbidden,
            Err(refusal) if refusal.is_about_the_credential() => {
                if app.config().ui.enabled && is_page_visit(self.method, self.headers) {
                    return Err(self.to_login());
                }
                refusal
            }
            // Nobody knows who asks: nothing is shown, and nobody is asked to log in again.
            Err(failure) => failure,
        };
        Err(private(refusal.into_response()))
    }

    fn to_login(&self) -> Response {
        private((StatusCode::SEE_OTHER, [login_header(self.asked)]).into_response())
    }
}

/// The `Location` at which somebody logs in and then comes back to what they asked for.
pub(super) fn login_header(asked: &str) -> (HeaderName, HeaderValue) {
    let location = HeaderValue::try_from(login_location(asked));
    (
        header::LOCATION,
        location.unwrap_or(HeaderValue::from_static("/login")),
    )
}

/// Whether somebody who is signed in meets a demand.
pub(super) fn allows(access: &Access, caller: &Caller) -> bool {
    match access {
        Access::Public | Access::SignedIn => true,
        Access::Roles(roles) => caller.has_any_role(roles),
    }
}

/// No cache may keep what depends on who asks.
pub(super) fn private(mut answer: Response) -> Response {
    answer
        .headers_mut()
        .insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    answer
}

/// Without a site there is one place to go.
fn without_site(app: &App, request: &Request) -> Response {
    let root =
        request.uri().path() == "/" && matches!(*request.method(), Method::GET | Method::HEAD);
    if root && app.config().ui.enabled {
        let location = [(header::LOCATION, "/dashboard")];
        return private((StatusCode::SEE_OTHER, location).into_response());
    }
    private(error::not_found())
}
