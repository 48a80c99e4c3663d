//! `/api/auth/sessions`: the devices that a user is signed in with.

use accounts::{Mode, Session, Timestamp};
use axum::{Json, extract::State, http::StatusCode};
use serde::Serialize;
use uuid::Uuid;

use super::{caller::SignedInCaller, error::ApiResult, path::IdInPath, peer::ThisPeer};
use crate::app::App;

/// A session as its user sees it.
#[derive(Serialize)]
pub(super) struct SessionView {
    id: Uuid,
    /// `token` or `cookie`.
    kind: &'static str,
    /// The user agent that opened it.
    device: Option<String>,
    address: Option<String>,
    created_at: Timestamp,
    last_used_at: Timestamp,
    /// When it ends if it is not used again.
    expires_at: Timestamp,
    /// Whether this request belongs to it.
    current: bool,
}

/// The list of them.
#[derive(Serialize)]
pub(super) struct SessionList {
    items: Vec<SessionView>,
}

/// `GET /api/auth/sessions`: the open sessions of the caller, the last used first.
pub(super) async fn list_sessions(
    State(app): State<App>,
    SignedInCaller(caller): SignedInCaller,
) -> ApiResult<Json<SessionList>> {
    let sessions = app.accounts().sessions(&caller).await?;
    let items = sessions
        .into_iter()
        .map(|session| SessionView::of(session, caller.session))
        .collect();
    Ok(Json(SessionList { items }))
}

/// `DELETE /api/auth/sessions`: ends every session of the caller but this one.
pub(super) async fn end_other_sessions(
    State(app): State<App>,
    SignedInCaller(caller): SignedInCaller,
    ThisPeer(peer): ThisPeer,
) -> ApiResult<StatusCode> {
    app.accounts().end_other_sessions(&caller, &peer).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// `DELETE /api/auth/sessions/{id}`: ends one session of the caller, which may be this one.
pub(super) async fn end_session(
    State(app): State<App>,
    SignedInCaller(caller): SignedInCaller,
    ThisPeer(peer): ThisPeer,
    IdInPath(id): IdInPath,
) -> ApiResult<StatusCode> {
    app.accounts().end_session(&caller, id, &peer).await?;
    Ok(StatusCode::NO_CONTENT)
}

impl SessionView {
    /// The session as a request of the session `current` sees it.
    pub(super) fn of(session: Session, current: Uuid) -> Self {
        Self {
            id: session.id,
            kind: match session.kind {
                Mode::Token => "token",
                Mode::Cookie => "cookie",
            },
            device: session.user_agent,
            address: session.address,
            created_at: session.created_at,
            last_used_at: session.last_used_at,
            expires_at: session.idle_expires_at.min(session.expires_at),
            current: session.id == current,
        }
    }
}
