//! Audit events: written with the event that they record, in the same transaction, or alone
//! for what changed nothing (a failed login). No method changes or removes one.

use sea_orm::{
    ActiveValue::Set, ConnectionTrait, EntityTrait as _, QueryOrder as _, QuerySelect as _,
};
use uuid::Uuid;

use crate::{Error, Store, Timestamp, entity::audit_event};

/// What happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(
    missing_docs,
    reason = "the names are those of the contract and say all there is to say"
)]
pub enum AuditKind {
    Registered,
    Login,
    LoginFailed,
    LoginLimited,
    RefreshedReuse,
    Logout,
    PasswordChanged,
    ProfileChanged,
    AccountDeleted,
    Restored,
    Disabled,
    Enabled,
    RolesChanged,
    SessionEnded,
    KeyRotated,
    AdminCreated,
    Imported,
    Copied,
}

impl AuditKind {
    /// The name under which it is stored and listed.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Registered => "registered",
            Self::Login => "login",
            Self::LoginFailed => "login_failed",
            Self::LoginLimited => "login_limited",
            Self::RefreshedReuse => "refreshed_reuse",
            Self::Logout => "logout",
            Self::PasswordChanged => "password_changed",
            Self::ProfileChanged => "profile_changed",
            Self::AccountDeleted => "account_deleted",
            Self::Restored => "restored",
            Self::Disabled => "disabled",
            Self::Enabled => "enabled",
            Self::RolesChanged => "roles_changed",
            Self::SessionEnded => "session_ended",
            Self::KeyRotated => "key_rotated",
            Self::AdminCreated => "admin_created",
            Self::Imported => "imported",
            Self::Copied => "copied",
        }
    }
}

/// Who did it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Actor {
    /// Somebody who had not proved who they are.
    Anonymous,
    /// The user of this id.
    User(Uuid),
    /// Whoever runs the server, by the command line.
    Operator,
}

/// One event to record.
#[derive(Clone, Debug)]
pub struct NewAudit {
    /// Its id, a UUIDv7.
    pub id: Uuid,
    /// When it happened.
    pub at: Timestamp,
    /// What happened.
    pub kind: AuditKind,
    /// Who did it.
    pub actor: Actor,
    /// The user it happened to.
    pub subject: Option<Uuid>,
    /// The network address it came from.
    pub address: Option<String>,
    /// The program it came from, cut by the caller.
    pub user_agent: Option<String>,
    /// The HTTP request it came with.
    pub request_id: Option<String>,
    /// More about it, as a JSON object. Never a secret.
    pub detail: Option<serde_json::Value>,
}

/// A recorded event.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct AuditRecord {
    /// Its id.
    pub id: Uuid,
    /// When it happened.
    pub at: Timestamp,
    /// What happened, by the name of [`AuditKind::as_str`].
    pub event: String,
    /// `anonymous`, `user` or `operator`.
    pub actor_kind: String,
    /// The user who did it.
    pub actor: Option<Uuid>,
    /// The user it happened to.
    pub subject: Option<Uuid>,
    /// The network address it came from.
    pub address: Option<String>,
    /// The program it came from.
    pub user_agent: Option<String>,
    /// The HTTP request it came with.
    pub request_id: Option<String>,
    /// More about it, a JSON object.
    pub detail: Option<String>,
}

impl Store {
    /// Records an event that changed nothing else. Not idempotent but by its id: recorded twice
    /// it is an error.
    pub async fn record(&self, audit: NewAudit) -> Result<(), Error> {
        self.write(audit, |tx, audit| Box::pin(insert(tx, audit)))
            .await
    }

    /// The newest `limit` events, newest first.
    pub async fn newest_audit(&self, limit: u64) -> Result<Vec<AuditRecord>, Error> {
        self.read(limit, |db, limit| {
            Box::pin(async move {
                let rows = audit_event::Entity::find()
                    .order_by_desc(audit_event::Column::At)
                    .order_by_desc(audit_event::Column::Id)
                    .limit(*limit)
                    .all(db)
                    .await?;
                Ok(rows.into_iter().map(AuditRecord::from).collect())
            })
        })
        .await
    }
}

/// Adds the record to the transaction of the event that it tells of.
pub(crate) async fn insert<C: ConnectionTrait>(tx: &C, audit: &NewAudit) -> Result<(), Error> {
    let (actor_kind, actor_id) = match audit.actor {
        Actor::Anonymous => ("anonymous", None),
        Actor::User(id) => ("user", Some(id)),
        Actor::Operator => ("operator", None),
    };
    let row = audit_event::ActiveModel {
        id: Set(audit.id),
        at: Set(audit.at.as_micros()),
        event: Set(audit.kind.as_str().to_owned()),
        actor_kind: Set(actor_kind.to_owned()),
        actor_id: Set(actor_id),
        subject_id: Set(audit.subject),
        address: Set(audit.address.clone()),
        user_agent: Set(audit.user_agent.clone()),
        request_id: Set(audit.request_id.clone()),
        detail: Set(audit.detail.as_ref().map(ToString::to_string)),
    };
    audit_event::Entity::insert(row)
        .exec_without_returning(tx)
        .await?;
    Ok(())
}

impl From<audit_event::Model> for AuditRecord {
    fn from(row: audit_event::Model) -> Self {
        Self {
            id: row.id,
            at: Timestamp::from_micros(row.at),
            event: row.event,
            actor_kind: row.actor_kind,
            actor: row.actor_id,
            subject: row.subject_id,
            address: row.address,
            user_agent: row.user_agent,
            request_id: row.request_id,
            detail: row.detail,
        }
    }
}
