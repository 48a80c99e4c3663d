//! `/api/auth/setup`: the account of the first admin, for whoever has the set-up link.

use axum::{extract::State, http::HeaderMap, response::Response};

use super::{auth, body::JsonObject, error::ApiResult, forms::Fields, peer::ThisPeer};
use crate::{app::App, setup_link};

/// `POST /api/auth/setup`: makes the account of the first admin and opens its first session, for
/// the code that the set-up link ends with.
pub(super) async fn set_up(
    State(app): State<App>,
    ThisPeer(peer): ThisPeer,
    headers: HeaderMap,
    body: JsonObject,
) -> ApiResult<Response> {
    let mut fields = Fields::of(body);
    let code = fields.secret("code");
    let registration = auth::registration(&mut fields);
    let mode = auth::mode(&app, &mut fields, &headers)?;
    fields.end()?;
    let opened = app
        .accounts()
        .set_up(code, registration, mode, &peer)
        .await?;
    setup_link::remove(app.config());
    Ok(auth::registered(&app, opened))
}
