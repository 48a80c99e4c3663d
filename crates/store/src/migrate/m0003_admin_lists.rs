//! Indexes in whose order the lists of users and audit events are read, and in which is counted.

use sea_orm_migration::prelude::*;

use super::{Step, portable};

#[derive(DeriveMigrationName)]
pub(super) struct Migration;

/// An index: its name, its table and its columns.
type Definition = (&'static str, &'static str, &'static [&'static str]);

/// What this step adds. The columns behind those that are searched by are there to be counted or
/// judged without a look at the row, or to sort what is of one time.
const ADDED: [Definition; 5] = [
    (
        "users_newest",
        "users",
        &["created_at", "id", "deleted_at", "disabled_at"],
    ),
    (
        "sessions_open",
        "sessions",
        &["idle_expires_at", "expires_at", "kind"],
    ),
    (
        "audit_events_subject_newest",
        "audit_events",
        &["subject_id", "at", "id"],
    ),
    (
        "audit_events_actor_newest",
        "audit_events",
        &["actor_id", "at", "id"],
    ),
    (
        "audit_events_event_newest",
        "audit_events",
        &["event", "at", "id"],
    ),
];

/// What they make superfluous: each is the beginning of one of them.
const REPLACED: [Definition; 2] = [
    ("sessions_expiry", "sessions", &["idle_expires_at"]),
    (
        "audit_events_subject",
        "audit_events",
        &["subject_id", "at"],
    ),
];

impl Step for Migration {
    fn drops(&self) -> &'static [&'static str] {
        &[]
    }

    fn boxed(&self) -> Box<dyn MigrationTrait> {
        Box::new(Self)
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        exchange(manager, &REPLACED, &ADDED).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        exchange(manager, &ADDED, &REPLACED).await
    }

    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }
}

/// Makes the new indexes first, so that nothing is without one in between.
async fn exchange(
    manager: &SchemaManager<'_>,
    old: &[Definition],
    new: &[Definition],
) -> Result<(), DbErr> {
    for (name, table, columns) in new {
        let mut index = Index::create();
        for column in *columns {
            index.col(*column);
        }
        portable::create_index(manager, table, name, &mut index).await?;
    }
    for (name, table, _) in old {
        portable::drop_index(manager, table, name).await?;
    }
    Ok(())
}
