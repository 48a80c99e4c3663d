//! The count of revocations, by which programs beside each other learn that what they remember of
//! sessions and users may no longer be so.

use sea_orm_migration::{
    prelude::*,
    schema::{big_integer, integer},
};

use super::{Change, Step};

pub(super) const STEP: Step = Step {
    name: "m0002_revocations",
    up,
    down,
};

fn up() -> Vec<Change> {
    let table = Table::create()
        .table("revocations")
        .col(integer("id").primary_key())
        .col(big_integer("count"))
        .to_owned();
    let row = [1.into(), 0i64.into()];
    vec![
        Change::CreateTable(table),
        Change::InsertRow("revocations", ["id", "count"], row),
    ]
}

fn down() -> Vec<Change> {
    vec![Change::DropTable("revocations")]
}
