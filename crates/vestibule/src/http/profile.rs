//! `/api/user/profile`: what a user may change about their account, and its end.

use accounts::{Edit, ProfileEdit};
use axum::{Json, extract::State, http::StatusCode};

use super::{
    auth::UserView,
    body::{JsonObject, MergePatch},
    caller::SignedInCaller,
    error::ApiResult,
    forms::Fields,
    peer::ThisPeer,
};
use crate::app::App;

/// `GET /api/user/profile`: the user who makes this request.
pub(super) async fn get_profile(SignedInCaller(caller): SignedInCaller) -> Json<UserView> {
    Json(UserView::from(caller.user))
}

/// `PUT /api/user/profile`: the whole profile anew; an optional name that is left out is none.
pub(super) async fn replace_profile(
    State(app): State<App>,
    SignedInCaller(caller): SignedInCaller,
    ThisPeer(peer): ThisPeer,
    body: JsonObject,
) -> ApiResult<Json<UserView>> {
    let mut fields = Fields::of(body);
    let edit = ProfileEdit {
        email: Edit::Set(fields.text("email")),
        username: fields
            .optional_text("username")
            .map_or(Edit::Clear, Edit::Set),
        name: fields.optional_text("name").map_or(Edit::Clear, Edit::Set),
        current_password: fields.optional_text("current_password").map(Into::into),
    };
    fields.end()?;
    let changing = app.accounts().change_profile(&caller, edit, &peer);
    Ok(Json(UserView::from(changing.await?)))
}

/// `PATCH /api/user/profile`: the fields that are there; null clears one (RFC 7396).
pub(super) async fn change_profile(
    State(app): State<App>,
    SignedInCaller(caller): SignedInCaller,
    ThisPeer(peer): ThisPeer,
    MergePatch(body): MergePatch,
) -> ApiResult<Json<UserView>> {
    let mut fields = Fields::of(body);
    let edit = ProfileEdit {
        email: fields.edit("email"),
        username: fields.edit("username"),
        name: fields.edit("name"),
        current_password: fields.optional_text("current_password").map(Into::into),
    };
    fields.end()?;
    let changing = app.accounts().change_profile(&caller, edit, &peer);
    Ok(Json(UserView::from(changing.await?)))
}

/// `POST /api/user/profile/delete`: deletes the account and ends every session of it.
pub(super) async fn delete_account(
    State(app): State<App>,
    SignedInCaller(caller): SignedInCaller,
    ThisPeer(peer): ThisPeer,
    body: JsonObject,
) -> ApiResult<StatusCode> {
    let mut fields = Fields::of(body);
    let password = fields.secret("current_password");
    fields.end()?;
    let deleting = app.accounts().delete_account(&caller, password, &peer);
    deleting.await?;
    Ok(StatusCode::NO_CONTENT)
}
