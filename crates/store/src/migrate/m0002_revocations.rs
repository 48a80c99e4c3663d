//! The count of revocations, by which programs beside each other learn that what they remember of
//! sessions and users may no longer be so.

use sea_orm_migration::{
    prelude::*,
    schema::{big_integer, integer},
};

use super::{Step, portable};

#[derive(DeriveMigrationName)]
pub(super) struct Migration;

impl Step for Migration {
    fn drops(&self) -> &'static [&'static str] {
        &["revocations"]
    }

    fn boxed(&self) -> Box<dyn MigrationTrait> {
        Box::new(Self)
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let table = Table::create()
            .table("revocations")
            .col(integer("id").primary_key())
            .col(big_integer("count"))
            .to_owned();
        portable::create_table(manager, table).await?;
        let row = [1.into(), 0i64.into()];
        portable::insert_row(manager, "revocations", ["id", "count"], row).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let table = Table::drop().table("revocations").if_exists().to_owned();
        manager.drop_table(table).await
    }

    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }
}
