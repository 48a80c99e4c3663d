//! `/api/auth/password`: changing one's password.

use axum::{extract::State, response::Response};

use super::{
    auth, body::JsonObject, caller::SignedInCaller, error::ApiResult, forms::Fields, peer::ThisPeer,
};
use crate::app::App;

/// `POST /api/auth/password`: replaces the password, ends every session of the user, and gives this
/// device a new one of the kind that it had.
pub(super) async fn change_password(
    State(app): State<App>,
    SignedInCaller(caller): SignedInCaller,
    ThisPeer(peer): ThisPeer,
    body: JsonObject,
) -> ApiResult<Response> {
    let mut fields = Fields::of(body);
    let current = fields.secret("current_password");
    let new = fields.secret("new_password");
    fields.end()?;
    let changing = app.accounts().change_password(&caller, current, new, &peer);
    Ok(auth::session(&app, changing.await?))
}
