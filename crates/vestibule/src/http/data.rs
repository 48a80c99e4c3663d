//! `/api/user/data`: the JSON documents of the user who asks, as they were received.

use accounts::{DocumentEntry, Timestamp};
use axum::{
    Json,
    extract::State,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::Serialize;

use super::{
    body::JsonText,
    caller::SignedInCaller,
    error::ApiResult,
    path::KeyInPath,
    preconditions::{Condition, EntityTag, Reading},
};
use crate::app::App;

/// A document without its content.
#[derive(Serialize)]
pub(super) struct DocumentEntryView {
    key: String,
    /// The length of the content in bytes.
    size: u64,
    /// As the header `ETag` has it, quotes included.
    etag: EntityTag,
    updated_at: Timestamp,
}

/// The list of them.
#[derive(Serialize)]
pub(super) struct DocumentList {
    items: Vec<DocumentEntryView>,
}

/// `GET /api/user/data`: what the caller keeps, in the order of the bytes of the keys.
pub(super) async fn list_documents(
    State(app): State<App>,
    SignedInCaller(caller): SignedInCaller,
) -> ApiResult<Json<DocumentList>> {
    let documents = app.accounts().documents(&caller).await?;
    let items = documents.into_iter().map(DocumentEntryView::from).collect();
    Ok(Json(DocumentList { items }))
}

/// `GET /api/user/data/{key}`: a document, byte for byte.
pub(super) async fn get_document(
    State(app): State<App>,
    SignedInCaller(caller): SignedInCaller,
    KeyInPath(key): KeyInPath,
    reading: Reading,
) -> ApiResult<Response> {
    let document = app.accounts().document(&caller, &key).await?;
    let etag = EntityTag::of(&document.entry.etag);
    let json = [(header::CONTENT_TYPE, "application/json")];
    reading.answer(&etag, (json, document.content))
}

/// `PUT /api/user/data/{key}`: keeps a document, in place of the one that is there.
pub(super) async fn put_document(
    State(app): State<App>,
    SignedInCaller(caller): SignedInCaller,
    KeyInPath(key): KeyInPath,
    Condition(condition): Condition,
    JsonText(content): JsonText,
) -> ApiResult<Response> {
    let content = content.into();
    let putting = app
        .accounts()
        .put_document(&caller, &key, content, condition);
    let written = putting.await?;
    let etag = EntityTag::of(&written.etag);
    Ok(match written.is_new {
        true => {
            let place = [(header::LOCATION, format!("/api/user/data/{key}"))];
            (StatusCode::CREATED, place, etag, ()).into_response()
        }
        false => (StatusCode::NO_CONTENT, etag, ()).into_response(),
    })
}

/// `DELETE /api/user/data/{key}`: deletes a document for good.
pub(super) async fn delete_document(
    State(app): State<App>,
    SignedInCaller(caller): SignedInCaller,
    KeyInPath(key): KeyInPath,
    Condition(condition): Condition,
) -> ApiResult<StatusCode> {
    let deleting = app.accounts().delete_document(&caller, &key, condition);
    deleting.await?;
    Ok(StatusCode::NO_CONTENT)
}

impl From<DocumentEntry> for DocumentEntryView {
    fn from(entry: DocumentEntry) -> Self {
        Self {
            key: entry.key,
            size: entry.size,
            etag: EntityTag::of(&entry.etag),
            updated_at: entry.updated_at,
        }
    }
}
