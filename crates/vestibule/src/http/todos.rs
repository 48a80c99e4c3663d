//! `/api/todos`: what a user means to do. Whose a todo is, and what may be in it, is decided by the
//! rules.

use accounts::{Timestamp, Todo, TodoContent, TodoEdit, TodoListing, TodoOrder};
use axum::{
    Json,
    extract::State,
    http::{StatusCode, Uri, header},
    response::{IntoResponse as _, Response},
};
use serde::Serialize;
use uuid::Uuid;

use super::{
    body::{JsonObject, MergePatch},
    caller::SignedInCaller,
    error::ApiResult,
    forms::Fields,
    path::IdInPath,
    preconditions::{Condition, EntityTag, Reading},
    query::{ListView, Query},
};
use crate::app::App;

/// A todo as its owner sees it.
#[derive(Serialize)]
pub(super) struct TodoView {
    id: Uuid,
    title: String,
    description: String,
    completed: bool,
    due_at: Option<Timestamp>,
    created_at: Timestamp,
    updated_at: Timestamp,
}

/// `GET /api/todos`: a part of the todos of the caller.
pub(super) async fn list_todos(
    State(app): State<App>,
    SignedInCaller(caller): SignedInCaller,
    uri: Uri,
    mut query: Query,
) -> ApiResult<Response> {
    let sorts = "Sort by created_at, -created_at, due_at or title.";
    let listing = TodoListing {
        completed: query.truth("completed"),
        text: query.text("q"),
        order: query
            .value("sort", order_named, "not_a_choice", sorts)
            .unwrap_or_default(),
        limit: query.limit(),
        offset: query.offset(),
    };
    query.end()?;
    let (limit, offset) = (listing.limit, listing.offset);
    let list = app.accounts().todos(&caller, listing).await?;
    let view = ListView {
        items: list.items.into_iter().map(TodoView::from).collect(),
        total: list.total,
        limit,
        offset,
    };
    Ok(view.answer(&uri))
}

/// `POST /api/todos`: adds a todo.
pub(super) async fn add_todo(
    State(app): State<App>,
    SignedInCaller(caller): SignedInCaller,
    body: JsonObject,
) -> ApiResult<Response> {
    let todo = app.accounts().add_todo(&caller, content(body)?).await?;
    let location = [(header::LOCATION, format!("/api/todos/{}", todo.id))];
    Ok((StatusCode::CREATED, location, answer(todo)).into_response())
}

/// `GET /api/todos/{id}`: one todo, unless the client holds this version of it, or wants another.
pub(super) async fn get_todo(
    State(app): State<App>,
    SignedInCaller(caller): SignedInCaller,
    IdInPath(id): IdInPath,
    reading: Reading,
) -> ApiResult<Response> {
    let todo = app.accounts().todo(&caller, id).await?;
    reading.answer(&tag_of(&todo), Json(TodoView::from(todo)))
}

/// `PUT /api/todos/{id}`: the whole todo anew; an optional field that is left out is as in a new one.
pub(super) async fn replace_todo(
    State(app): State<App>,
    SignedInCaller(caller): SignedInCaller,
    IdInPath(id): IdInPath,
    Condition(condition): Condition,
    body: JsonObject,
) -> ApiResult<Response> {
    let content = content(body)?;
    let replacing = app.accounts().replace_todo(&caller, id, condition, content);
    Ok(answer(replacing.await?))
}

/// `PATCH /api/todos/{id}`: the fields that are there; null clears one (RFC 7396).
pub(super) async fn change_todo(
    State(app): State<App>,
    SignedInCaller(caller): SignedInCaller,
    IdInPath(id): IdInPath,
    Condition(condition): Condition,
    MergePatch(body): MergePatch,
) -> ApiResult<Response> {
    let mut fields = Fields::of(body);
    let edit = TodoEdit {
        title: fields.edit("title"),
        description: fields.edit("description"),
        completed: fields.optional_bool("completed"),
        due_at: fields.time_edit("due_at"),
    };
    fields.end()?;
    let changing = app.accounts().change_todo(&caller, id, condition, edit);
    Ok(answer(changing.await?))
}

/// `DELETE /api/todos/{id}`: deletes a todo.
pub(super) async fn delete_todo(
    State(app): State<App>,
    SignedInCaller(caller): SignedInCaller,
    IdInPath(id): IdInPath,
    Condition(condition): Condition,
) -> ApiResult<StatusCode> {
    let deleting = app.accounts().delete_todo(&caller, id, condition);
    deleting.await?;
    Ok(StatusCode::NO_CONTENT)
}

impl From<Todo> for TodoView {
    fn from(todo: Todo) -> Self {
        Self {
            id: todo.id,
            title: todo.title,
            description: todo.description,
            completed: todo.completed,
            due_at: todo.due_at,
            created_at: todo.created_at,
            updated_at: todo.updated_at,
        }
    }
}

fn order_named(word: &str) -> Option<TodoOrder> {
    match word {
        "created_at" => Some(TodoOrder::OldestFirst),
        "-created_at" => Some(TodoOrder::NewestFirst),
        "due_at" => Some(TodoOrder::DueFirst),
        "title" => Some(TodoOrder::ByTitle),
        _ => None,
    }
}

/// All that a body says of a todo.
fn content(body: JsonObject) -> ApiResult<TodoContent> {
    let mut fields = Fields::of(body);
    let content = TodoContent {
        title: fields.text("title"),
        description: fields.optional_text("description").unwrap_or_default(),
        completed: fields.optional_bool("completed").unwrap_or_default(),
        due_at: fields.optional_time("due_at"),
    };
    fields.end()?;
    Ok(content)
}

fn tag_of(todo: &Todo) -> EntityTag {
    EntityTag::of(&todo.version)
}

fn answer(todo: Todo) -> Response {
    (tag_of(&todo), Json(TodoView::from(todo))).into_response()
}
