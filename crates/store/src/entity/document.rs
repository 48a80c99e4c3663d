//! The table `documents`: what users keep under keys of their own. A row goes when its document is deleted.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "documents")]
pub(crate) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) user_id: Uuid,
    #[sea_orm(
        primary_key,
        auto_increment = false,
        column_type = "String(StringLen::N(64))"
    )]
    pub(crate) key: String,
    #[sea_orm(column_type = "String(StringLen::N(32))")]
    pub(crate) etag: String,
    /// Of the content, in bytes.
    pub(crate) size: i64,
    pub(crate) created_at: i64,
    pub(crate) updated_at: i64,
    /// The last column, so that an engine which keeps a row in one piece finds the others without
    /// reading through it.
    #[sea_orm(column_type = "VarBinary(StringLen::Max)")]
    pub(crate) content: Vec<u8>,
}

#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub(crate) enum Relation {
    #[sea_orm(
        belongs_to = "super::user::Entity",
        from = "Column::UserId",
        to = "super::user::Column::Id",
        on_delete = "Cascade"
    )]
    User,
}

impl ActiveModelBehavior for ActiveModel {}
