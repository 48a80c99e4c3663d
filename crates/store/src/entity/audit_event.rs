//! The table `audit_events`: append-only, without foreign keys, for a record outlives what it tells of.

use sea_orm::entity::prelude::*;

use crate::schema::Index;

/// What rows are found by, beside their key.
pub(crate) const INDEXES: &[Index] = &[
    Index::new("audit_events_at", &["at", "id"]),
    Index::new("audit_events_subject_newest", &["subject_id", "at", "id"]),
    Index::new("audit_events_actor_newest", &["actor_id", "at", "id"]),
    Index::new("audit_events_event_newest", &["event", "at", "id"]),
];

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "audit_events")]
pub(crate) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) id: Uuid,
    pub(crate) at: i64,
    #[sea_orm(column_type = "String(StringLen::N(32))")]
    pub(crate) event: String,
    #[sea_orm(column_type = "String(StringLen::N(16))")]
    pub(crate) actor_kind: String,
    pub(crate) actor_id: Option<Uuid>,
    pub(crate) subject_id: Option<Uuid>,
    #[sea_orm(column_type = "String(StringLen::N(45))")]
    pub(crate) address: Option<String>,
    #[sea_orm(column_type = "Text")]
    pub(crate) user_agent: Option<String>,
    #[sea_orm(column_type = "String(StringLen::N(64))")]
    pub(crate) request_id: Option<String>,
    #[sea_orm(column_type = "Text")]
    pub(crate) detail: Option<String>,
}

#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub(crate) enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
