//! The count of revocations: every event that takes something away from a user, or changes what
//! others may remember of one, raises it in its own transaction. Who remembers what, and looks at
//! the count, is left to the rules.
//!
//! The count is one row, and raising it locks that row until the commit. So the counts become
//! visible in their own order, and whoever has read one knows that every smaller one is there to be
//! seen. The numbers of an auto-increment log are given out before the commits: a reader could see
//! number 8, remember it, and never look for number 7, which was committed a moment later.

use futures_util::future::BoxFuture;
use sea_orm::{
    ColumnTrait as _, ConnectionTrait, DatabaseTransaction, DbBackend, DbErr, EntityTrait as _,
    ExecResult, QueryFilter as _, QueryResult, Statement,
    sea_query::{Expr, ExprTrait as _},
};
use sea_orm_migration::async_trait::async_trait;

use crate::{
    AdminChange, Appointment, Closing, Editing, Error, Opening, OwnDeletion, RotationOutcome,
    Store, entity::revocation,
};

/// How many revocations there have been in the life of a database.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct RevocationCount(i64);

impl RevocationCount {
    /// A count as it was given by a store.
    #[must_use]
    pub const fn new(count: i64) -> Self {
        Self(count)
    }

    /// The number.
    #[must_use]
    pub const fn get(self) -> i64 {
        self.0
    }
}

/// The outcome of an event that may be a revocation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use = "what is remembered of the user may be wrong from now on"]
pub struct Counted<T> {
    /// What came of it.
    pub outcome: T,
    /// The count that it raised the revocations to; `None` when it has changed nothing.
    pub count: Option<RevocationCount>,
}

/// The transaction of an event that may be a revocation. [`Store::revoke`] alone makes one, and what
/// takes something away from a user runs in nothing else: so it cannot be forgotten to count it.
pub(crate) struct RevokingTransaction<'tx>(&'tx DatabaseTransaction);

/// An event as it is run by [`Store::revoke`]; otherwise like those of [`Store::write`].
pub(crate) type RevokingEvent<A, T> =
    for<'a> fn(&'a RevokingTransaction<'a>, &'a A) -> BoxFuture<'a, Result<T, Error>>;

/// An outcome that says whether anything was changed that others may remember.
pub(crate) trait Revoking {
    fn revokes(&self) -> bool;
}

/// Whether anything was ended or replaced.
impl Revoking for bool {
    fn revokes(&self) -> bool {
        *self
    }
}

impl Revoking for AdminChange {
    fn revokes(&self) -> bool {
        match self {
            Self::Changed(_) => true,
            Self::Unchanged(_) | Self::LastAdmin | Self::NoSuchUser | Self::NotAdmin => false,
        }
    }
}

impl Revoking for Closing {
    fn revokes(&self) -> bool {
        match self {
            Self::Closed => true,
            Self::NoneOpen | Self::NoSuchUser | Self::NotAdmin => false,
        }
    }
}

/// A new account takes nothing from anybody.
impl Revoking for Appointment {
    fn revokes(&self) -> bool {
        match self {
            Self::Promoted(_) => true,
            Self::Made(_) | Self::AdminExists => false,
        }
    }
}

impl Revoking for OwnDeletion {
    fn revokes(&self) -> bool {
        match self {
            Self::Deleted => true,
            Self::LastAdmin | Self::Stale => false,
        }
    }
}

impl Revoking for Editing {
    fn revokes(&self) -> bool {
        match self {
            Self::Changed(_) => true,
            Self::Unchanged(_) | Self::PasswordNeeded | Self::Stale => false,
        }
    }
}

/// Of [`Store::change_password`]; a login takes nothing away, unless it displaces others.
impl Revoking for Opening {
    fn revokes(&self) -> bool {
        match self {
            Self::Opened(_) => true,
            Self::Stale => false,
        }
    }
}

impl Revoking for RotationOutcome {
    fn revokes(&self) -> bool {
        match self {
            Self::Reused(_) => true,
            Self::Rotated(_)
            | Self::Repeated(..)
            | Self::Expired
            | Self::Ended
            | Self::NeverIssued => false,
        }
    }
}

impl Store {
    /// How many revocations are committed.
    pub async fn revocation_count(&self) -> Result<RevocationCount, Error> {
        self.read((), |db, ()| Box::pin(read(db))).await
    }

    /// Runs `event` like [`Store::write`] and, where its outcome is a revocation, counts it in the
    /// same transaction. The count comes last, so that its row, which all revocations lock, is
    /// locked for the commit alone.
    pub(crate) async fn revoke<A, T>(
        &self,
        arguments: A,
        event: RevokingEvent<A, T>,
    ) -> Result<Counted<T>, Error>
    where
        A: Send + Sync + 'static,
        T: Revoking + Send + 'static,
    {
        self.write((arguments, event), |tx, (arguments, event)| {
            Box::pin(async move {
                let outcome = event(&RevokingTransaction(tx), arguments).await?;
                let count = match outcome.revokes() {
                    true => Some(raise(tx).await?),
                    false => None,
                };
                Ok(Counted { outcome, count })
            })
        })
        .await
    }
}

#[async_trait]
impl ConnectionTrait for RevokingTransaction<'_> {
    fn get_database_backend(&self) -> DbBackend {
        self.0.get_database_backend()
    }

    async fn execute_raw(&self, statement: Statement) -> Result<ExecResult, DbErr> {
        self.0.execute_raw(statement).await
    }

    async fn execute_unprepared(&self, sql: &str) -> Result<ExecResult, DbErr> {
        self.0.execute_unprepared(sql).await
    }

    async fn query_one_raw(&self, statement: Statement) -> Result<Option<QueryResult>, DbErr> {
        self.0.query_one_raw(statement).await
    }

    async fn query_all_raw(&self, statement: Statement) -> Result<Vec<QueryResult>, DbErr> {
        self.0.query_all_raw(statement).await
    }
}

/// Raises the count and reads it back behind the lock of its row.
async fn raise(tx: &DatabaseTransaction) -> Result<RevocationCount, Error> {
    revocation::Entity::update_many()
        .col_expr(
            revocation::Column::Count,
            Expr::col(revocation::Column::Count).add(1),
        )
        .filter(revocation::Column::Id.eq(revocation::ROW))
        .exec(tx)
        .await?;
    read(tx).await
}

async fn read<C: ConnectionTrait>(db: &C) -> Result<RevocationCount, Error> {
    let row = revocation::Entity::find_by_id(revocation::ROW)
        .one(db)
        .await?;
    row.map(|row| RevocationCount(row.count))
        .ok_or_else(|| Error::Corrupt {
            table: "revocations",
            column: "id",
            row: revocation::ROW.to_string(),
        })
}
