//! `/api/admin`: what admins do to users. What they read of the whole, the audit events and the
//! figures, is in `admin/reports.rs`, what they read of their own connection in `admin/client.rs`.

mod client;
mod reports;

use accounts::{AccountEdit, NewAccount, Registration, Timestamp, User, UserListing, UserStatus};
use axum::{
    Json,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::Serialize;

pub(super) use client::get_client;
pub(crate) use reports::AuditEventView;
pub(super) use reports::{get_stats, list_audit_events};

use super::{
    auth::UserView,
    body::{JsonObject, MergePatch},
    caller::SignedInAdmin,
    error::ApiResult,
    forms::Fields,
    path::IdInPath,
    query::{PageView, Paged, Query},
};

/// A user as admins see them.
#[derive(Serialize)]
pub(super) struct AdminUserView {
    #[serde(flatten)]
    user: UserView,
    /// `active`, `disabled` or `deleted`.
    status: &'static str,
    disabled_at: Option<Timestamp>,
    deleted_at: Option<Timestamp>,
}

/// `GET /api/admin/users`: a page of users, the newest first; deleted ones only where they are
/// asked for.
pub(super) async fn list_users(
    SignedInAdmin(admin): SignedInAdmin,
    mut query: Query,
) -> ApiResult<Json<PageView<AdminUserView>>> {
    let listing = UserListing {
        text: query.text("q"),
        role: query.text("role"),
        status: query.value(
            "status",
            UserStatus::named,
            "not_a_choice",
            "A status is active, disabled or deleted.",
        ),
        after: query.cursor(Paged::Users),
        limit: query.limit(),
    };
    query.end()?;
    let page = admin.users(listing).await?;
    Ok(Json(PageView::of(Paged::Users, page, AdminUserView::from)))
}

/// `POST /api/admin/users`: makes an account, whose address counts as verified.
pub(super) async fn add_user(
    SignedInAdmin(admin): SignedInAdmin,
    body: JsonObject,
) -> ApiResult<Response> {
    let mut fields = Fields::of(body);
    let new = NewAccount {
        registration: Registration {
            email: fields.text("email"),
            password: fields.secret("password"),
            username: fields.optional_text("username"),
            name: fields.optional_text("name"),
        },
        roles: fields.optional_roles("roles").unwrap_or_default(),
    };
    fields.end()?;
    let user = admin.add_user(new).await?;
    let location = [(header::LOCATION, format!("/api/admin/users/{}", user.id))];
    let view = Json(AdminUserView::from(user));
    Ok((StatusCode::CREATED, location, view).into_response())
}

/// `GET /api/admin/users/{id}`: one user, who may be deleted.
pub(super) async fn get_user(
    SignedInAdmin(admin): SignedInAdmin,
    IdInPath(id): IdInPath,
) -> ApiResult<Json<AdminUserView>> {
    Ok(Json(AdminUserView::from(admin.user(id).await?)))
}

/// `PATCH /api/admin/users/{id}`: changes the fields that are there, all of them or none; null
/// clears a name (RFC 7396).
pub(super) async fn change_user(
    SignedInAdmin(admin): SignedInAdmin,
    IdInPath(id): IdInPath,
    MergePatch(body): MergePatch,
) -> ApiResult<Json<AdminUserView>> {
    let mut fields = Fields::of(body);
    let edit = AccountEdit {
        email: fields.edit("email"),
        username: fields.edit("username"),
        name: fields.edit("name"),
        roles: fields.optional_roles("roles"),
        disabled: fields.optional_bool("disabled"),
    };
    fields.end()?;
    let user = admin.change_user(id, edit).await?;
    Ok(Json(AdminUserView::from(user)))
}

/// `DELETE /api/admin/users/{id}`: deletes an account and ends every session of it.
pub(super) async fn delete_user(
    SignedInAdmin(admin): SignedInAdmin,
    IdInPath(id): IdInPath,
) -> ApiResult<StatusCode> {
    admin.delete_user(id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// `POST /api/admin/users/{id}/restore`: brings a deleted account back.
pub(super) async fn restore_user(
    SignedInAdmin(admin): SignedInAdmin,
    IdInPath(id): IdInPath,
) -> ApiResult<Json<AdminUserView>> {
    Ok(Json(AdminUserView::from(admin.restore_user(id).await?)))
}

/// `DELETE /api/admin/users/{id}/sessions`: ends every session of a user.
pub(super) async fn end_user_sessions(
    SignedInAdmin(admin): SignedInAdmin,
    IdInPath(id): IdInPath,
) -> ApiResult<StatusCode> {
    admin.end_sessions(id).await?;
    Ok(StatusCode::NO_CONTENT)
}

impl From<User> for AdminUserView {
    fn from(user: User) -> Self {
        Self {
            status: user.status().as_str(),
            disabled_at: user.disabled_at,
            deleted_at: user.deleted_at,
            user: UserView::from(user),
        }
    }
}
