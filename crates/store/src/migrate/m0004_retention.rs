//! Indexes by which rows are found whose time is over.

use sea_orm_migration::prelude::*;

use super::{Step, portable};

/// Index, table, column. That of the idle lifetimes of sessions is older.
const INDEXES: [(&str, &str, &str); 2] = [
    ("users_deleted", "users", "deleted_at"),
    ("sessions_end", "sessions", "expires_at"),
];

#[derive(DeriveMigrationName)]
pub(super) struct Migration;

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
        for (name, table, column) in INDEXES {
            portable::create_index(manager, table, name, Index::create().col(column)).await?;
        }
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for (name, table, _) in INDEXES {
            portable::drop_index(manager, table, name).await?;
        }
        Ok(())
    }

    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }
}
