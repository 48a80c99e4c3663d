//! Indexes by which rows are found whose time is over.

use sea_orm_migration::{prelude::*, sea_orm::DbBackend};

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
            let mut index = Index::create().col(column).to_owned();
            // Without the rows that have no end: SQLite would otherwise read a list of the users
            // who are not deleted by this index, and then sort it. MariaDB has no such indexes.
            if manager.get_database_backend() != DbBackend::MySql {
                index.and_where(Expr::col(column).is_not_null());
            }
            portable::create_index(manager, table, name, &mut index).await?;
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
