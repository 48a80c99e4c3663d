//! Indexes in whose order the lists of users and audit events are read, and in which is counted.

use super::{Change, Step};
use crate::schema::Index;

pub(super) const STEP: Step = Step {
    name: "m0003_admin_lists",
    up,
    down,
};

fn up() -> Vec<Change> {
    exchange(&REPLACED, &ADDED)
}

fn down() -> Vec<Change> {
    exchange(&ADDED, &REPLACED)
}

/// What this step adds, each with its table. The columns behind those that are searched by are
/// there to be counted or judged without a look at the row, or to sort what is of one time.
const ADDED: [(&str, Index); 5] = [
    (
        "users",
        Index::new(
            "users_newest",
            &["created_at", "id", "deleted_at", "disabled_at"],
        ),
    ),
    (
        "sessions",
        Index::new("sessions_open", &["idle_expires_at", "expires_at", "kind"]),
    ),
    (
        "audit_events",
        Index::new("audit_events_subject_newest", &["subject_id", "at", "id"]),
    ),
    (
        "audit_events",
        Index::new("audit_events_actor_newest", &["actor_id", "at", "id"]),
    ),
    (
        "audit_events",
        Index::new("audit_events_event_newest", &["event", "at", "id"]),
    ),
];

/// What they make superfluous: each is the beginning of one of them.
const REPLACED: [(&str, Index); 2] = [
    (
        "sessions",
        Index::new("sessions_expiry", &["idle_expires_at"]),
    ),
    (
        "audit_events",
        Index::new("audit_events_subject", &["subject_id", "at"]),
    ),
];

/// Makes the new indexes first, so that nothing is without one in between.
fn exchange(old: &[(&'static str, Index)], new: &[(&'static str, Index)]) -> Vec<Change> {
    let made = new
        .iter()
        .map(|(table, index)| Change::CreateIndex(table, *index));
    let dropped = old
        .iter()
        .map(|(table, index)| Change::DropIndex(table, *index));
    made.chain(dropped).collect()
}
