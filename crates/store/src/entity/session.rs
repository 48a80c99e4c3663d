//! The table `sessions`: one row a signed-in device. A row goes when its session ends.

use sea_orm::entity::prelude::*;

use crate::schema::Index;

/// What rows are found by, beside their key.
pub(crate) const INDEXES: &[Index] = &[
    Index::new("sessions_user", &["user_id"]),
    Index::new("sessions_open", &["idle_expires_at", "expires_at", "kind"]),
    Index::new("sessions_end", &["expires_at"]).sparse(),
];

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "sessions")]
pub(crate) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) id: Uuid,
    pub(crate) user_id: Uuid,
    #[sea_orm(column_type = "String(StringLen::N(8))")]
    pub(crate) kind: String,
    pub(crate) generation: i64,
    pub(crate) token_hash: Option<Vec<u8>>,
    pub(crate) nonce: Option<Vec<u8>>,
    pub(crate) rotated_at: Option<i64>,
    pub(crate) created_at: i64,
    pub(crate) last_used_at: i64,
    pub(crate) idle_expires_at: i64,
    pub(crate) expires_at: i64,
    #[sea_orm(column_type = "String(StringLen::N(45))")]
    pub(crate) address: Option<String>,
    #[sea_orm(column_type = "Text")]
    pub(crate) user_agent: Option<String>,
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

impl Related<super::user::Entity> for Entity {
    fn to() -> RelationDef {
        Relation::User.def()
    }
}

impl ActiveModelBehavior for ActiveModel {}
