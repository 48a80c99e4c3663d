//! Figures about the whole installation. They are counted one after the other and in indexes
//! alone, so that they may differ by what happens meanwhile and cost little.

use sea_orm::{
    ColumnTrait as _, Condition, EntityTrait as _, PaginatorTrait as _, QueryFilter as _,
    QuerySelect as _, Select,
};

use crate::{
    AuditKind, Error, SessionKind, Store, Timestamp, admins,
    entity::{audit_event, session, user},
};

/// How many there are of what.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Statistics {
    /// Users who may log in.
    pub active_users: u64,
    /// Users who are kept out.
    pub disabled_users: u64,
    /// Users who are deleted and not purged.
    pub deleted_users: u64,
    /// Active users with the role `admin`.
    pub admins: u64,
    /// Open sessions with refresh tokens.
    pub token_sessions: u64,
    /// Open sessions with cookies.
    pub cookie_sessions: u64,
}

/// How often something happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Activity {
    /// New accounts.
    pub registrations: u64,
    /// Sessions opened by a password.
    pub logins: u64,
    /// Wrong passwords and names.
    pub failed_logins: u64,
}

impl Store {
    /// What there is; a session whose lifetimes are over at `now` does not count. A replica may
    /// answer, as of a few seconds ago.
    #[tracing::instrument(target = "traced::store", skip_all)]
    pub async fn statistics(&self, now: Timestamp) -> Result<Statistics, Error> {
        self.read_stale(now, |db, now| {
            Box::pin(async move {
                let [active, disabled, deleted] = users_by_status();
                let open = |kind| open_sessions(kind, *now);
                Ok(Statistics {
                    active_users: active.count(db).await?,
                    disabled_users: disabled.count(db).await?,
                    deleted_users: deleted.count(db).await?,
                    admins: admins::active_admins().count(db).await?,
                    token_sessions: open(SessionKind::Token).count(db).await?,
                    cookie_sessions: open(SessionKind::Cookie).count(db).await?,
                })
            })
        })
        .await
    }

    /// What has happened since `since`, as far as its records are kept. A replica may answer, as of
    /// a few seconds ago.
    #[tracing::instrument(target = "traced::store", skip_all)]
    pub async fn activity(&self, since: Timestamp) -> Result<Activity, Error> {
        self.read_stale(since, |db, since| {
            Box::pin(async move {
                let of = |kind| events(kind, *since);
                Ok(Activity {
                    registrations: of(AuditKind::Registered).count(db).await?,
                    logins: of(AuditKind::Login).count(db).await?,
                    failed_logins: of(AuditKind::LoginFailed).count(db).await?,
                })
            })
        })
        .await
    }
}

/// The active, the disabled and the deleted.
pub(crate) fn users_by_status() -> [Select<user::Entity>; 3] {
    let (deleted, disabled) = (user::Column::DeletedAt, user::Column::DisabledAt);
    let not_deleted = Condition::all().add(deleted.is_null());
    [
        not_deleted.clone().add(disabled.is_null()),
        not_deleted.add(disabled.is_not_null()),
        Condition::all().add(deleted.is_not_null()),
    ]
    .map(|condition| {
        let users = user::Entity::find().filter(condition);
        // No more than what an index holds.
        users.select_only().column(user::Column::CreatedAt)
    })
}

pub(crate) fn open_sessions(kind: SessionKind, now: Timestamp) -> Select<session::Entity> {
    session::Entity::find()
        .select_only()
        .column(session::Column::IdleExpiresAt)
        .filter(session::Column::Kind.eq(kind.as_str()))
        .filter(session::Column::IdleExpiresAt.gt(now.as_micros()))
        .filter(session::Column::ExpiresAt.gt(now.as_micros()))
}

pub(crate) fn events(kind: AuditKind, since: Timestamp) -> Select<audit_event::Entity> {
    audit_event::Entity::find()
        .select_only()
        .column(audit_event::Column::At)
        .filter(audit_event::Column::Event.eq(kind.as_str()))
        .filter(audit_event::Column::At.gte(since.as_micros()))
}
