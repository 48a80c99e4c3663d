//! The operations on what belongs to a user: todos, documents, and the export of all of it.

use axum::http::Method;
use serde_json::json;

use super::super::{
    operation::{Access, Answer, Operation, operation},
    schema::{anything, count, line, named, text, truth, word},
};
use crate::http::{data, error::Code, export, todos};

pub(super) fn of_todos() -> Vec<Operation> {
    let whose = "The id of a todo of the caller.";
    let orders = ["created_at", "-created_at", "due_at", "title"];
    vec![
        operation(Method::GET, "/api/todos", &todos::list_todos)
            .does(
                "List one's todos",
                "A part of the todos of the caller. What is equal in the order asked for \
                 is sorted by id.",
            )
            .by(Access::SignedIn)
            .query("completed", truth(false), "Whether they are done.")
            .query(
                "q",
                line("milk").of_length(0, 200),
                "A part of the title or the description, in any case of letters.",
            )
            .query(
                "sort",
                word(orders).usually("-created_at"),
                "The order; what has no `due_at` comes last.",
            )
            .query(
                "limit",
                count(20).between(1, 100).usually(20),
                "How many items at the most.",
            )
            .query(
                "offset",
                count(0).usually(0),
                "How many to leave out before them.",
            )
            .answers(Answer::json(200, "The todos.", "TodoList").with(&["Link"])),
        operation(Method::POST, "/api/todos", &todos::add_todo)
            .does(
                "Add a todo",
                "Makes a todo. Space around its title is taken off.",
            )
            .by(Access::SignedIn)
            .takes(named("NewTodo"))
            .answers(Answer::json(201, "The todo.", "Todo").with(&["Location", "ETag"])),
        operation(Method::GET, "/api/todos/{id}", &todos::get_todo)
            .does(
                "See a todo",
                "One todo, unless the client holds this version of it, or wants another.",
            )
            .by(Access::SignedIn)
            .of(whose)
            .reads_a_version()
            .answers(Answer::json(200, "The todo.", "Todo").with(&["ETag"])),
        operation(Method::PUT, "/api/todos/{id}", &todos::replace_todo)
            .does(
                "Replace a todo",
                "The whole todo anew: an optional field that is left out is as in a new \
                 one.",
            )
            .by(Access::SignedIn)
            .of(whose)
            .changes_a_version()
            .takes(named("NewTodo"))
            .answers(Answer::json(200, "The todo as changed.", "Todo").with(&["ETag"])),
        operation(Method::PATCH, "/api/todos/{id}", &todos::change_todo)
            .does(
                "Change a todo",
                "Changes the fields that are there; null clears one (RFC 7396).",
            )
            .by(Access::SignedIn)
            .of(whose)
            .changes_a_version()
            .takes_patch(named("TodoChange"))
            .answers(Answer::json(200, "The todo as changed.", "Todo").with(&["ETag"])),
        operation(Method::DELETE, "/api/todos/{id}", &todos::delete_todo)
            .does(
                "Delete a todo",
                "It is gone for its owner at once, and removed for good later.",
            )
            .by(Access::SignedIn)
            .of(whose)
            .changes_a_version()
            .answers(Answer::empty(204, "The todo is deleted.")),
    ]
}

pub(super) fn of_documents() -> Vec<Operation> {
    let key = || text("settings").pattern("[A-Za-z0-9][A-Za-z0-9._-]{0,63}");
    let of_key = |operation: Operation| {
        operation.in_path("key", key(), "The key of a document, in which case counts.")
    };
    let value = || anything(&json!({ "theme": "dark" }));
    vec![
        operation(Method::GET, "/api/user/data", &data::list_documents)
            .does(
                "List one's documents",
                "What the caller keeps, by key, without the contents.",
            )
            .by(Access::SignedIn)
            .answers(Answer::json(200, "The documents.", "DocumentList")),
        of_key(operation(
            Method::GET,
            "/api/user/data/{key}",
            &data::get_document,
        ))
        .does(
            "Read a document",
            "A document, byte for byte as it was received.",
        )
        .by(Access::SignedIn)
        .reads_a_version()
        .answers(Answer {
            content: Some(("application/json", value())),
            ..Answer::empty(200, "The document.").with(&["ETag"])
        })
        .may(&[Code::NotFound]),
        of_key(operation(
            Method::PUT,
            "/api/user/data/{key}",
            &data::put_document,
        ))
        .does(
            "Keep a document",
            "Keeps any JSON value of up to 64 KiB, in place of the one that is there. \
                 A user may have 100 documents.",
        )
        .by(Access::SignedIn)
        .changes_a_version()
        .takes(value())
        .answers(
            Answer::empty(201, "There was none, and now there is.").with(&["Location", "ETag"]),
        )
        .answers(Answer::empty(204, "It takes the place of the one before.").with(&["ETag"])),
        of_key(operation(
            Method::DELETE,
            "/api/user/data/{key}",
            &data::delete_document,
        ))
        .does("Delete a document", "Deletes it for good.")
        .by(Access::SignedIn)
        .changes_a_version()
        .answers(Answer::empty(204, "The document is deleted."))
        .may(&[Code::NotFound]),
        operation(Method::GET, "/api/user/export", &export::export_user_data)
            .does(
                "Export all of it",
                "Everything that is held about the caller, as one file; five times an \
                 hour. It is written while it is read, and without its end where that \
                 fails.",
            )
            .by(Access::SignedIn)
            .answers(Answer::json(200, "The file.", "Export").with(&[
                "Content-Disposition",
                "RateLimit",
                "RateLimit-Policy",
            ]))
            .may(&[Code::RateLimited]),
    ]
}
