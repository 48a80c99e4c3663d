//! Whether the process lives, and whether it can do its work.

use accounts::NotReady;
use axum::{
    Json,
    extract::State,
    http::StatusCode,
    response::{IntoResponse as _, Response},
};
use serde_json::{Value, json};

use super::error::unavailable;
use crate::app::App;

/// `GET /livez`: the process answers.
pub(super) async fn livez() -> Json<Value> {
    Json(json!({ "status": "ok" }))
}

/// `GET /readyz`: database and migrations are in order and the server is not going down. The
/// reason for a 503 is a word for an operator; its details are in the log.
pub(super) async fn readyz(State(app): State<App>) -> Response {
    if app.is_draining() {
        return unavailable("draining: the server is shutting down");
    }
    match app.accounts().check_ready().await {
        Ok(()) => (StatusCode::OK, Json(json!({ "status": "ready" }))).into_response(),
        Err(cause) => {
            tracing::error!(error.message = %cause, "The server is not ready: {cause}");
            unavailable(match cause {
                NotReady::Crowded(_) => {
                    "database: every connection to it is in use, and none became free in time"
                }
                NotReady::Database(_) => {
                    "database: it cannot be reached, or does not answer in time"
                }
                NotReady::Migrations(_) => {
                    "migrations: the schema is older than this program needs it"
                }
            })
        }
    }
}
