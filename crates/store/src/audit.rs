//! Audit events: written with the event that they record, in the same transaction, or alone
//! for what changed nothing (a failed login). No method changes one, and they go all together when
//! their time is over: see `retention.rs`.

use sea_orm::{
    ColumnTrait as _, Condition, ConnectionTrait, EntityTrait as _, QueryFilter as _,
    QueryOrder as _, QuerySelect as _, Select,
};
use uuid::Uuid;

use crate::{
    Error, Page, Place, Store, Timestamp,
    engine::{Rendered, insertion},
    entity::audit_event,
    frequent::Executes,
    page,
};

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
    /// Every kind, in the order of the contract.
    pub const ALL: [Self; 18] = [
        Self::Registered,
        Self::Login,
        Self::LoginFailed,
        Self::LoginLimited,
        Self::RefreshedReuse,
        Self::Logout,
        Self::PasswordChanged,
        Self::ProfileChanged,
        Self::AccountDeleted,
        Self::Restored,
        Self::Disabled,
        Self::Enabled,
        Self::RolesChanged,
        Self::SessionEnded,
        Self::KeyRotated,
        Self::AdminCreated,
        Self::Imported,
        Self::Copied,
    ];

    /// The kind of this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == name)
    }

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

/// Which page of which events.
#[derive(Clone, Debug, Default)]
pub struct AuditListing {
    /// The user who did them, or whom they happened to.
    pub user: Option<Uuid>,
    /// What happened.
    pub kind: Option<AuditKind>,
    /// The earliest time at which they happened.
    pub since: Option<Timestamp>,
    /// Where the page before ended.
    pub after: Option<Place>,
    /// How many at the most.
    pub limit: u64,
}

/// A part of the audit log in the order in which things happened, the oldest first.
#[derive(Clone, Copy, Debug)]
pub struct AuditStretch {
    /// It begins right behind this place, where an event need not be.
    pub after: Place,
    /// The latest time at which its events happened.
    pub until: Timestamp,
    /// How many at the most.
    pub limit: u64,
}

impl Store {
    /// Records an event that changed nothing else. Not idempotent but by its id: recorded twice
    /// it is an error.
    #[tracing::instrument(target = "traced::store", skip_all)]
    pub async fn record(&self, audit: NewAudit) -> Result<(), Error> {
        self.write(audit, |tx, audit| Box::pin(insert(tx, audit)))
            .await
    }

    /// The newest `limit` events, newest first.
    #[tracing::instrument(target = "traced::store", skip_all)]
    pub async fn newest_audit(&self, limit: u64) -> Result<Vec<AuditRecord>, Error> {
        let listing = AuditListing {
            limit,
            ..AuditListing::default()
        };
        let newest = self.read(listing, |db, listing| Box::pin(page(db, listing)));
        Ok(newest.await?.items)
    }

    /// The events of a stretch that are committed now, the oldest first. One that happened earlier than the last of them
    /// may still be committed: its time is read before its transaction.
    #[tracing::instrument(target = "traced::store", skip_all)]
    pub async fn audit_stretch(&self, stretch: AuditStretch) -> Result<Vec<AuditRecord>, Error> {
        self.read(stretch, |db, stretch| {
            Box::pin(async move {
                let rows = select_stretch(stretch).all(db).await?;
                Ok(rows.into_iter().map(AuditRecord::from).collect())
            })
        })
        .await
    }

    /// A page of what `user` did and what happened to them, the newest first, as of now.
    #[tracing::instrument(target = "traced::store", skip_all)]
    pub async fn page_of_audit_about(
        &self,
        user: Uuid,
        after: Option<Place>,
        limit: u64,
    ) -> Result<Page<AuditRecord>, Error> {
        let listing = AuditListing {
            user: Some(user),
            after,
            limit,
            ..AuditListing::default()
        };
        self.read(listing, |db, listing| Box::pin(page(db, listing)))
            .await
    }

    /// A page of events, the newest first. A replica may answer, as of a few seconds ago.
    #[tracing::instrument(target = "traced::store", skip_all)]
    pub async fn page_of_audit(&self, listing: AuditListing) -> Result<Page<AuditRecord>, Error> {
        self.read_stale(listing, |db, listing| Box::pin(page(db, listing)))
            .await
    }
}

async fn page<C: ConnectionTrait>(
    db: &C,
    listing: &AuditListing,
) -> Result<Page<AuditRecord>, Error> {
    let mut rows = Vec::new();
    for select in selects(listing) {
        rows.extend(select.all(db).await?);
    }
    rows.sort_unstable_by_key(|row| std::cmp::Reverse((row.at, row.id)));
    let records = rows.into_iter().map(AuditRecord::from).collect();
    Ok(page::cut(records, listing.limit, |record| Place {
        at: record.at,
        id: record.id,
    }))
}

/// The queries whose rows together hold those of a page, each in the order of an index, so that
/// none reads more than fit. For a user there are two: no index finds what has them in either of
/// two columns in the order of time.
pub(crate) fn selects(listing: &AuditListing) -> Vec<Select<audit_event::Entity>> {
    use audit_event::Column;
    let mut condition = Condition::all();
    if let Some(kind) = listing.kind {
        condition = condition.add(Column::Event.eq(kind.as_str()));
    }
    if let Some(since) = listing.since {
        condition = condition.add(Column::At.gte(since.as_micros()));
    }
    if let Some(place) = listing.after {
        condition = condition.add(page::beyond(Column::At, Column::Id, place));
    }
    let select = audit_event::Entity::find()
        .filter(condition)
        .order_by_desc(Column::At)
        .order_by_desc(Column::Id)
        .limit(page::rows_for(listing.limit));
    let Some(user) = listing.user else {
        return vec![select];
    };
    let happened_to_others = Condition::any()
        .add(Column::SubjectId.is_null())
        .add(Column::SubjectId.ne(user));
    vec![
        select.clone().filter(Column::SubjectId.eq(user)),
        select
            .filter(Column::ActorId.eq(user))
            .filter(happened_to_others),
    ]
}

pub(crate) fn select_stretch(stretch: &AuditStretch) -> Select<audit_event::Entity> {
    use audit_event::Column;
    let (begin, id) = (stretch.after.at.as_micros(), stretch.after.id);
    // The first condition alone lets an index begin there.
    let behind = Condition::all().add(Column::At.gte(begin)).add(
        Condition::any()
            .add(Column::At.gt(begin))
            .add(Column::Id.gt(id)),
    );
    audit_event::Entity::find()
        .filter(behind)
        .filter(Column::At.lte(stretch.until.as_micros()))
        .order_by_asc(Column::At)
        .order_by_asc(Column::Id)
        .limit(stretch.limit)
}

static ADDITION: Rendered<{ ADDED.len() }> =
    Rendered::new(|backend, values| insertion(audit_event::Entity, ADDED, backend, values));

const ADDED: [audit_event::Column; 10] = {
    use audit_event::Column as C;
    [
        C::Id,
        C::At,
        C::Event,
        C::ActorKind,
        C::ActorId,
        C::SubjectId,
        C::Address,
        C::UserAgent,
        C::RequestId,
        C::Detail,
    ]
};

/// Adds the record to the transaction of the event that it tells of.
pub(crate) async fn insert<E: Executes>(tx: &E, audit: &NewAudit) -> Result<(), Error> {
    let (actor_kind, actor_id) = match audit.actor {
        Actor::Anonymous => ("anonymous", None),
        Actor::User(id) => ("user", Some(id)),
        Actor::Operator => ("operator", None),
    };
    let addition = ADDITION.with(
        tx.backend(),
        &[
            audit.id.into(),
            audit.at.as_micros().into(),
            audit.kind.as_str().into(),
            actor_kind.into(),
            actor_id.into(),
            audit.subject.into(),
            audit.address.clone().into(),
            audit.user_agent.clone().into(),
            audit.request_id.clone().into(),
            audit.detail.as_ref().map(ToString::to_string).into(),
        ],
    );
    tx.change(addition).await?;
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
