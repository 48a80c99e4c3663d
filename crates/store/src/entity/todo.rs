//! The table `todos`: one row a todo, deleted ones included until they are purged. Beside its texts stand their keys, by which they are searched and sorted.

use sea_orm::entity::prelude::*;

use crate::schema::Index;

/// What rows are found by, beside their key: a list of one owner in each of its orders, without the
/// deleted ones and without sorting anything; and all that is held of one owner, for their export.
pub(crate) const INDEXES: &[Index] = &[
    Index::new(
        "todos_created",
        &["user_id", "deleted_at", "created_at", "id"],
    ),
    Index::new(
        "todos_completed",
        &["user_id", "deleted_at", "completed", "created_at", "id"],
    ),
    Index::new("todos_due", &["user_id", "deleted_at", "due_at", "id"]),
    Index::new("todos_title", &["user_id", "deleted_at", "title_key", "id"]),
    Index::new("todos_held", &["user_id", "id"]),
    Index::new("todos_deleted", &["deleted_at"]),
];

/// The `due_at` of a todo that is never due, and the `deleted_at` of one that is not deleted. It is
/// no NULL: engines do not agree on whether that comes first or last, nor on whether what stands
/// behind it in an index is sorted.
pub(crate) const NEVER: i64 = i64::MAX;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "todos")]
pub(crate) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) id: Uuid,
    pub(crate) user_id: Uuid,
    #[sea_orm(column_type = "String(StringLen::N(200))")]
    pub(crate) title: String,
    /// Folding a character gives three at the most.
    #[sea_orm(column_type = "String(StringLen::N(600))")]
    pub(crate) title_key: String,
    #[sea_orm(column_type = "Text")]
    pub(crate) description: String,
    #[sea_orm(column_type = "Text")]
    pub(crate) description_key: String,
    pub(crate) completed: bool,
    pub(crate) due_at: i64,
    pub(crate) created_at: i64,
    pub(crate) updated_at: i64,
    pub(crate) deleted_at: i64,
    pub(crate) version: i64,
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
