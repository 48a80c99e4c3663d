//! Indexes by which rows are found whose time is over.

use super::{Change, Step};
use crate::schema::Index;

pub(super) const STEP: Step = Step {
    name: "m0004_retention",
    up,
    down,
};

fn up() -> Vec<Change> {
    INDEXES
        .map(|(table, index)| Change::CreateIndex(table, index))
        .into()
}

fn down() -> Vec<Change> {
    INDEXES
        .map(|(table, index)| Change::DropIndex(table, index))
        .into()
}

/// Each with its table. That of the idle lifetimes of sessions is older. They leave out the rows
/// that have no end: SQLite would otherwise read a list of the users who are not deleted by the
/// first one, and then sort it.
const INDEXES: [(&str, Index); 2] = [
    (
        "users",
        Index::new("users_deleted", &["deleted_at"]).sparse(),
    ),
    (
        "sessions",
        Index::new("sessions_end", &["expires_at"]).sparse(),
    ),
];
