//! Todos, with an index for each order in which their owners read them.

use sea_orm_migration::{
    prelude::*,
    schema::{big_integer, boolean, string_len, text, uuid},
};

use super::{Change, Step, m0001_accounts::of_user};
use crate::schema::Index;

pub(super) const STEP: Step = Step {
    name: "m0005_todos",
    up,
    down,
};

fn up() -> Vec<Change> {
    let mut changes = vec![Change::CreateTable(todos())];
    changes.extend(INDEXES.map(|index| Change::CreateIndex("todos", index)));
    changes
}

fn down() -> Vec<Change> {
    vec![Change::DropTable("todos")]
}

fn todos() -> TableCreateStatement {
    Table::create()
        .table("todos")
        .col(uuid("id").primary_key())
        .col(uuid("user_id"))
        .col(string_len("title", 200))
        .col(string_len("title_key", 600))
        .col(text("description"))
        .col(text("description_key"))
        .col(boolean("completed"))
        .col(big_integer("due_at"))
        .col(big_integer("created_at"))
        .col(big_integer("updated_at"))
        .col(big_integer("deleted_at"))
        .col(big_integer("version"))
        .foreign_key(&mut of_user("todos"))
        .to_owned()
}

const INDEXES: [Index; 6] = [
    Index::new(
        "todos_created",
        &["user_id", "deleted_at", "created_at", "id"],
    ),
    Index::new(
        "todos_completed",
        &["user_id", "deleted_at", "completed", "created_at", "id"],
    ),
    Index::new("todos_due", &["user_id", "deleted_at", "due_at", "id"]),
    Index::new("todos_title", &["user_id", "deleted_at", "title_key", "id"]),
    Index::new("todos_held", &["user_id", "id"]),
    Index::new("todos_deleted", &["deleted_at"]),
];
