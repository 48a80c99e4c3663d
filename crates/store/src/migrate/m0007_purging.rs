//! That the purge of a user has begun: what is theirs goes in parts, and nobody shall get back a part.

use sea_orm_migration::schema::boolean;

use super::{Change, Step};

pub(super) const STEP: Step = Step {
    name: "m0007_purging",
    up,
    down,
};

fn up() -> Vec<Change> {
    let purging = boolean("purging").default(false).to_owned();
    vec![Change::AddColumn("users", purging)]
}

fn down() -> Vec<Change> {
    vec![Change::DropColumn("users", "purging")]
}
