//! Documents that users keep under keys of their own.

use sea_orm_migration::{
    prelude::*,
    schema::{big_integer, string_len, uuid},
};

use super::{Change, Step, change::large_blob, m0001_accounts::of_user};

pub(super) const STEP: Step = Step {
    name: "m0006_documents",
    up,
    down,
};

fn up() -> Vec<Change> {
    vec![Change::CreateTable(documents())]
}

fn down() -> Vec<Change> {
    vec![Change::DropTable("documents")]
}

/// The primary key finds what there is: a user's documents are read by it, in the order of their keys.
fn documents() -> TableCreateStatement {
    Table::create()
        .table("documents")
        .col(uuid("user_id"))
        .col(string_len("key", 64))
        .col(string_len("etag", 32))
        .col(big_integer("size"))
        .col(big_integer("created_at"))
        .col(big_integer("updated_at"))
        .col(large_blob("content"))
        .primary_key(sea_query::Index::create().col("user_id").col("key"))
        .foreign_key(&mut of_user("documents"))
        .to_owned()
}
