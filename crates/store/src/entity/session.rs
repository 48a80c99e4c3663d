//! The table `sessions`: one row a signed-in device. A row goes when its session ends.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "sessions")]
pub(crate) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) id: Uuid,
    pub(crate) user_id: Uuid,
    pub(crate) kind: String,
    pub(crate) generation: i64,
    pub(crate) token_hash: Option<Vec<u8>>,
    pub(crate) nonce: Option<Vec<u8>>,
    pub(crate) rotated_at: Option<i64>,
    pub(crate) created_at: i64,
    pub(crate) last_used_at: i64,
    pub(crate) idle_expires_at: i64,
    pub(crate) expires_at: i64,
    pub(crate) address: Option<String>,
    pub(crate) user_agent: Option<String>,
}

#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub(crate) enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
