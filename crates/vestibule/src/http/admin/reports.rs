//! What admins read of the whole: the audit events, and figures. Nothing here changes anything.

use accounts::{Activity, AuditKind, AuditListing, AuditRecord, Figures, Timestamp};
use axum::Json;
use serde::Serialize;
use serde_json::Value;
use uuid::Uuid;

use crate::http::{
    caller::SignedInAdmin,
    error::ApiResult,
    path::id_in,
    query::{PageView, Paged, Query},
};

/// An audit event.
#[derive(Serialize)]
pub(crate) struct AuditEventView {
    id: Uuid,
    at: Timestamp,
    event: String,
    actor: ActorView,
    /// The user whom it happened to.
    subject: Option<Uuid>,
    address: Option<String>,
    user_agent: Option<String>,
    request_id: Option<String>,
    detail: Option<Value>,
}

/// Who did it.
#[derive(Serialize)]
struct ActorView {
    /// `anonymous`, `user` or `operator`.
    kind: String,
    /// The user's.
    id: Option<Uuid>,
}

/// Figures about the installation.
#[derive(Serialize)]
pub(in crate::http) struct StatsView {
    /// When they were counted.
    as_of: Timestamp,
    users: UsersView,
    sessions: SessionsView,
    last_24_hours: ActivityView,
    last_7_days: ActivityView,
}

#[derive(Serialize)]
struct UsersView {
    active: u64,
    disabled: u64,
    deleted: u64,
    /// Those of the active who are admins.
    admins: u64,
}

/// Open sessions by their kind.
#[derive(Serialize)]
struct SessionsView {
    token: u64,
    cookie: u64,
}

#[derive(Serialize)]
struct ActivityView {
    registrations: u64,
    logins: u64,
    failed_logins: u64,
}

/// `GET /api/admin/audit`: a page of audit events, the newest first.
pub(in crate::http) async fn list_audit_events(
    SignedInAdmin(admin): SignedInAdmin,
    mut query: Query,
) -> ApiResult<Json<PageView<AuditEventView>>> {
    let listing = AuditListing {
        user: query.value("user", id_in, "invalid_id", "Send the id of a user."),
        kind: query.value(
            "event",
            AuditKind::named,
            "not_a_choice",
            "Send the name of an audit event, such as login_failed.",
        ),
        since: query.time("since"),
        after: query.cursor(Paged::AuditEvents),
        limit: query.limit(),
    };
    query.end()?;
    let page = admin.audit_events(listing).await?;
    let view = PageView::of(Paged::AuditEvents, page, AuditEventView::from);
    Ok(Json(view))
}

/// `GET /api/admin/stats`: figures, up to a few seconds old.
pub(in crate::http) async fn get_stats(
    SignedInAdmin(admin): SignedInAdmin,
) -> ApiResult<Json<StatsView>> {
    Ok(Json(StatsView::from(admin.figures().await?)))
}

impl From<AuditRecord> for AuditEventView {
    fn from(record: AuditRecord) -> Self {
        // What is not JSON was not written by us, and is shown as it is.
        let detail = |text: String| serde_json::from_str(&text).unwrap_or(Value::String(text));
        Self {
            id: record.id,
            at: record.at,
            event: record.event,
            actor: ActorView {
                kind: record.actor_kind,
                id: record.actor,
            },
            subject: record.subject,
            address: record.address,
            user_agent: record.user_agent,
            request_id: record.request_id,
            detail: record.detail.map(detail),
        }
    }
}

impl From<Figures> for StatsView {
    fn from(figures: Figures) -> Self {
        Self {
            as_of: figures.as_of,
            users: UsersView {
                active: figures.now.active_users,
                disabled: figures.now.disabled_users,
                deleted: figures.now.deleted_users,
                admins: figures.now.admins,
            },
            sessions: SessionsView {
                token: figures.now.token_sessions,
                cookie: figures.now.cookie_sessions,
            },
            last_24_hours: ActivityView::from(figures.last_day),
            last_7_days: ActivityView::from(figures.last_week),
        }
    }
}

impl From<Activity> for ActivityView {
    fn from(activity: Activity) -> Self {
        Self {
            registrations: activity.registrations,
            logins: activity.logins,
            failed_logins: activity.failed_logins,
        }
    }
}
