//! The table `meta`: single facts about the database itself, and the rows that rules over several rows lock.

use sea_orm::entity::prelude::*;

/// Its name, for questions about the schema.
pub(crate) const TABLE: &str = "meta";

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "meta")]
pub(crate) struct Model {
    #[sea_orm(
        primary_key,
        auto_increment = false,
        column_type = "String(StringLen::N(64))"
    )]
    pub(crate) name: String,
    pub(crate) value: Vec<u8>,
}

#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub(crate) enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
