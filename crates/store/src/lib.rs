//! The memory of Vestibule: what was registered, signed in and changed, in one database.
//! It decides atomicity alone; whether something is allowed is decided by the crate `accounts`.
//!
//! Every method of [`Store`] is one event in one transaction: it happened or it did not. Each
//! runs on a task of its own to its end, also when the caller goes away, and is re-run when the
//! engine asks for that (see `run.rs`).

mod admins;
mod answer;
mod audit;
mod copy;
mod documents;
mod engine;
mod entity;
mod error;
mod first_admin;
mod foreign;
mod frequent;
mod imports;
mod install;
mod keys;
mod load;
mod migrate;
mod page;
mod replicas;
mod retention;
mod revocations;
mod run;
mod schema;
mod search;
mod sessions;
mod stats;
mod time;
mod todos;
mod turns;
mod users;
mod versions;
mod waiting;

use sea_orm::DatabaseConnection;
use tokio_util::task::TaskTracker;

pub use admins::{
    ADMIN, AccountChange, AdminChange, Authority, OwnDeletion, Recorded, UserRestoration,
};
pub use answer::{Answer, spawn};
pub use audit::{Actor, AuditKind, AuditListing, AuditRecord, AuditStretch, NewAudit};
pub use copy::{
    Agreement, Comparison, Copy, CopyError, CopyOutcome, CopyProgress, CopyStep, Snapshot,
    TableComparison, TableContent, TableDigest, TableRows, TargetState,
};
pub use documents::{Document, DocumentEntry, DocumentRemoval, DocumentWriting, NewDocument};
pub use engine::foreign::is_database_file;
pub use engine::{
    DatabaseUrl, DurabilitySetting, Engine, EngineReport, Link, MissingBound, Options, Restoration,
    TlsMode, UrlProblem,
};
pub use error::{Error, OpenError, Unique};
pub use first_admin::{Appointment, SetupCode, SetupOffer, SetupOutcome};
pub use foreign::{
    ForeignColumn, ForeignDatabase, ForeignJoin, ForeignQuery, ForeignRow, ForeignRows,
    ForeignTable,
};
pub use imports::Arrival;
pub use install::{Founding, NewSigningKey, SigningKey};
pub use keys::{KeyRotation, KeyRotationOutcome};
pub use load::PoolLoad;
pub use migrate::{MigrationStatus, Rollback, migration_script};
pub use page::{Page, Place};
pub use replicas::{ReplicaLoad, ReplicaReport, ReplicaState};
pub use retention::Perishable;
pub use revocations::{Counted, RevocationCount};
pub use schema::{ColumnKind, Definition, SchemaDifference, SchemaObject};
pub use sessions::{
    Closing, NewSession, Opening, Rotation, RotationOutcome, SESSIONS_OF_A_USER, Session,
    SessionKind, SignedIn, SuccessorProof,
};
pub use stats::{Activity, Statistics};
pub use time::Timestamp;
pub use todos::{
    HeldTodo, Keyed, NewTodo, Todo, TodoAddition, TodoChange, TodoEditing, TodoList, TodoListing,
    TodoOrder,
};
pub use users::{
    Credentials, Editing, LoginKey, Name, NewUser, ProfileChange, User, UserAddition, UserFilter,
    UserListing, UserStatus,
};
pub use versions::{VersionCondition, Versions};

/// Says what is measured here, for whoever shows it.
pub fn describe_metrics() {
    waiting::describe_metrics();
    run::describe_metrics();
}

/// A handle to the database, cheap to clone.
#[derive(Clone)]
pub struct Store {
    /// Writes; for a database in a file one at a time.
    writer: DatabaseConnection,
    /// Where there is one writer for all: the events that wait for it, to be committed together.
    groups: Option<run::Groups>,
    /// Whether nothing is to be written; `writer` could not either.
    read_only: bool,
    /// Reads, beside the writer. On a server the same connections.
    readers: DatabaseConnection,
    /// Whether a connection keeps the statements that were prepared on it.
    statements: engine::Statements,
    /// Servers that have what the primary has, a little later, for questions of people.
    replicas: std::sync::Arc<replicas::Replicas>,
    /// Searches of users, of which few run at once.
    searches: search::Searches,
    /// The event tasks under way, for [`Store::close`].
    tasks: TaskTracker,
    /// On a server, what becomes of a call that has passed its bound.
    quarantine: Option<engine::Quarantine>,
    /// Keeps what must live as long as the store, such as the lock that tells other programs
    /// that a server is at work.
    presence: std::sync::Arc<engine::Presence>,
}

impl Store {
    /// Waits until every event under way has ended, then closes the connections, so that the
    /// database is left in its resting state.
    pub async fn close(self) {
        self.tasks.close();
        self.tasks.wait().await;
        for pool in [self.readers, self.writer] {
            if let Err(error) = pool.close().await {
                tracing::warn!(error.message = %error, "A database pool did not close cleanly: {error}");
            }
        }
        // Nobody has the turn any more, so it is the last to be closed, and leaves no log behind.
        if let Some(groups) = &self.groups {
            groups.close().await;
        }
        // Whoever holds another handle keeps these.
        if let Some(replicas) = std::sync::Arc::into_inner(self.replicas) {
            replicas.close().await;
        }
        if let Some(presence) = std::sync::Arc::into_inner(self.presence) {
            presence.end().await;
        }
    }
}
