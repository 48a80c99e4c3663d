//! The HTTP door: every route and every layer on this screen. A layer holds for all that stands
//! above it, so the last one is the first to see a request. Handlers translate; what an account
//! may do is decided in the crate `accounts`.

mod admin;
mod auth;
mod body;
pub mod bounds;
mod caller;
#[cfg(feature = "ceiling")]
mod ceiling;
mod cookie;
mod cors;
mod csrf;
mod data;
mod docs;
mod error;
mod export;
mod forms;
mod forward;
mod headers;
mod health;
mod language;
mod limit;
pub(crate) mod metrics;
mod oauth;
pub mod openapi;
mod password;
mod path;
mod peer;
mod preconditions;
mod profile;
mod query;
pub(crate) mod redirect;
mod sessions;
mod setup;
mod site;
mod todos;
mod upstream;
mod web;

#[cfg(feature = "otel")]
pub(crate) use self::{metrics::known as known_method, peer::is_trusted_proxy};
pub(crate) use admin::AuditEventView;

use std::time::Duration;

use axum::{
    Router,
    routing::{any, delete, get, post},
};
use tower::util::option_layer;
use tower_http::compression::CompressionLayer;

use crate::{
    app::App,
    around::{around, around_with_state},
};

/// The largest body of a request, in bytes.
const BODY_BYTES: usize = 64 * 1024;
/// The same for a document, so that one which is too large is told from a body that is.
const DOCUMENT_BODY_BYTES: usize = 128 * 1024;
/// For how long a body may take to arrive.
const BODY_TIME: Duration = Duration::from_secs(15);
/// For how long an answer of the API may take to begin, once the request is here. CONTRACT: what
/// cannot be answered is a 503 within 5 s; the rest is for the way to the client, and for a crowd that is refused at once.
/// Longer than the wait for Redis and one call of the store after it, 0.25 and 4.5 s.
const ANSWER_TIME: Duration = Duration::from_millis(4800);

/// All routes. The name of a handler is the id of its operation. Of layers that are given together the first is the
/// outermost; axum copies and boxes each route once for all of them.
pub fn router(app: App) -> Router {
    let same_origin = around_with_state(app.clone(), csrf::refuse_cross_origin);

    let documents = Router::new()
        .route(
            "/api/user/data/{key}",
            get(data::get_document)
                .put(data::put_document)
                .delete(data::delete_document),
        )
        .route_layer(same_origin.clone());

    let api = Router::new()
        .route("/api/auth/register", post(auth::register))
        .route("/api/auth/setup", post(setup::set_up))
        .route("/api/auth/login", post(auth::login))
        .route("/api/auth/token", post(oauth::token))
        .route("/api/auth/refresh", post(auth::refresh))
        .route("/api/auth/logout", post(auth::logout))
        .route("/api/auth/me", get(auth::me))
        .route("/api/auth/password", post(password::change_password))
        .route(
            "/api/auth/sessions",
            get(sessions::list_sessions).delete(sessions::end_other_sessions),
        )
        .route("/api/auth/sessions/{id}", delete(sessions::end_session))
        .route(
            "/api/user/profile",
            get(profile::get_profile)
                .put(profile::replace_profile)
                .patch(profile::change_profile),
        )
        .route("/api/user/profile/delete", post(profile::delete_account))
        .route("/api/user/data", get(data::list_documents))
        .route("/api/user/export", get(export::export_user_data))
        .route("/api/todos", get(todos::list_todos).post(todos::add_todo))
        .route(
            "/api/todos/{id}",
            get(todos::get_todo)
                .put(todos::replace_todo)
                .patch(todos::change_todo)
                .delete(todos::delete_todo),
        )
        .route(
            "/api/admin/users",
            get(admin::list_users).post(admin::add_user),
        )
        .route(
            "/api/admin/users/{id}",
            get(admin::get_user)
                .patch(admin::change_user)
                .delete(admin::delete_user),
        )
        .route("/api/admin/users/{id}/restore", post(admin::restore_user))
        .route(
            "/api/admin/users/{id}/sessions",
            delete(admin::end_user_sessions),
        )
        .route("/api/admin/audit", get(admin::list_audit_events))
        .route("/api/admin/stats", get(admin::get_stats))
        .route("/api/admin/client", get(admin::get_client));
    #[cfg(feature = "ceiling")]
    let api = api.route("/api/ceiling/me", get(ceiling::me));
    let api = api
        .route_layer(same_origin)
        .route("/.well-known/jwks.json", get(auth::jwks))
        .route("/livez", get(health::livez))
        .route("/readyz", get(health::readyz))
        .route("/api/openapi.json", get(openapi::get_openapi))
        .route("/api", any(error::unknown_route))
        .route("/api/", any(error::unknown_route))
        .route("/api/{*path}", any(error::unknown_route));

    let pages = Router::new()
        .route("/login", get(web::page))
        .route("/register", get(web::page))
        .route("/setup", get(web::page))
        .route("/dashboard", get(web::page))
        .route("/account", get(web::page))
        .route("/admin", get(web::page))
        .route("/admin/users", get(web::page))
        .route("/admin/users/{id}", get(web::page))
        .route("/admin/audit", get(web::page))
        .route("/api/ui/{*path}", get(web::asset))
        .route("/api/docs", get(docs::page))
        .route("/api/docs/{*path}", get(docs::asset))
        .layer(CompressionLayer::new());

    // What is not reserved belongs to the site, which may stream for as long as it takes once its answer has begun.
    let site = Router::new().fallback(site::serve);
    #[cfg(feature = "ceiling")]
    let site = site.merge(ceiling::files());
    let site = site
        .layer((
            bounds::body_limit(BODY_BYTES, BODY_TIME),
            bounds::time_limit(ANSWER_TIME),
        ))
        .layer(bounds::panic_barrier())
        .with_state(app.clone());

    // An app takes bodies of any size, and answers when it will.
    let behind = Router::new()
        .fallback(upstream::pass)
        .layer(bounds::panic_barrier())
        .with_state(app.clone());
    let site = match app.behind() {
        Some(_) => behind,
        None => site,
    };

    let bounded = |routes: Router<App>, body_bytes| {
        routes
            .method_not_allowed_fallback(error::method_not_allowed)
            .layer((
                bounds::body_limit(body_bytes, BODY_TIME),
                around(body::arrive),
                bounds::time_limit(ANSWER_TIME),
            ))
    };

    // Asked by proxies in the name of others, by any method: what a page of another origin may do is judged by the
    // method of the visitor, and a preflight is as little let through as anything else.
    let forward = Router::new().route("/api/auth/forward", any(forward::forward));
    #[cfg(feature = "ceiling")]
    let forward = forward.route("/api/ceiling/forward", any(ceiling::forward));

    let measuring = app.config().metrics_listen.is_some();
    let measuring = measuring.then(|| around_with_state(app.clone(), metrics::measure));

    bounded(api.merge(pages), BODY_BYTES)
        .merge(bounded(documents, DOCUMENT_BODY_BYTES))
        .layer(bounds::panic_barrier())
        .layer(around_with_state(app.clone(), cors::share))
        .merge(bounded(forward, BODY_BYTES).layer(bounds::panic_barrier()))
        .layer(around(headers::no_store))
        .fallback_service(site)
        .layer((
            option_layer(measuring),
            around_with_state(app.clone(), peer::identify),
            around_with_state(app.clone(), headers::secure),
            bounds::refusals(),
        ))
        .with_state(app)
}
