//! The table `users`: one row an account, deleted ones included until they are purged. The canonical keys are unique and become NULL with deletion, so that a name is free again.

use sea_orm::entity::prelude::*;

use crate::schema::Index;

/// What rows are found by, beside their key.
pub(crate) const INDEXES: &[Index] = &[
    Index::new("users_email_key", &["email_key"]).unique(),
    Index::new("users_username_key", &["username_key"]).unique(),
    Index::new(
        "users_newest",
        &["created_at", "id", "deleted_at", "disabled_at"],
    ),
    Index::new("users_deleted", &["deleted_at"]).sparse(),
];

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "users")]
pub(crate) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) id: Uuid,
    #[sea_orm(column_type = "String(StringLen::N(254))")]
    pub(crate) email: String,
    #[sea_orm(column_type = "String(StringLen::N(254))")]
    pub(crate) email_key: Option<String>,
    #[sea_orm(column_type = "String(StringLen::N(32))")]
    pub(crate) username: Option<String>,
    #[sea_orm(column_type = "String(StringLen::N(32))")]
    pub(crate) username_key: Option<String>,
    #[sea_orm(column_type = "String(StringLen::N(200))")]
    pub(crate) name: Option<String>,
    #[sea_orm(column_type = "Text")]
    pub(crate) password_hash: Option<String>,
    pub(crate) email_verified: bool,
    pub(crate) disabled_at: Option<i64>,
    pub(crate) deleted_at: Option<i64>,
    pub(crate) created_at: i64,
    pub(crate) updated_at: i64,
    /// Whether some of what was theirs may be gone already, so that nobody restores them.
    pub(crate) purging: bool,
}

#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub(crate) enum Relation {
    #[sea_orm(has_many = "super::user_role::Entity")]
    Roles,
}

impl Related<super::user_role::Entity> for Entity {
    fn to() -> RelationDef {
        Relation::Roles.def()
    }
}

impl ActiveModelBehavior for ActiveModel {}
