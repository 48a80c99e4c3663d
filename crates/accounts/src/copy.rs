//! The move of an installation to another database: with the secret key that it was founded with,
//! and on record. That the copy is whole is seen to by the store.

use store::{Actor, AuditKind, NewAudit, Snapshot, TableRows};
pub use store::{
    Agreement, Comparison, CopyOutcome, CopyProgress, CopyStep, TableComparison, TargetState,
};

use crate::{Clock, DatabaseOptions, OpenError, SecretKey, entropy};

/// An installation as of one moment, which nobody writes to while this is open.
pub struct CopySource(Snapshot);

/// What a copy would do.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct CopyPlan {
    /// What would be copied.
    pub tables: Vec<TableRows>,
    /// What is in the target now.
    pub target: TargetState,
}

/// A copy under way.
pub struct DatabaseCopy {
    copy: store::Copy,
    from: String,
    clock: Clock,
}

impl CopySource {
    /// Opens the database that is copied, which is not written, neither here nor by others. The
    /// secret key must be its own: without it the target would be of no use.
    ///
    /// # Errors
    /// [`OpenError::Copy`], also while a server may write to it; [`OpenError::OtherSecretKey`].
    pub async fn open(options: &DatabaseOptions, secret: &SecretKey) -> Result<Self, OpenError> {
        let source = Snapshot::of_source(options).await?;
        if source.secret_key_check() != secret.keys().check {
            source.close().await;
            return Err(OpenError::OtherSecretKey);
        }
        Ok(Self(source))
    }

    /// What a copy into this target would do. Changes nothing.
    ///
    /// # Errors
    /// [`OpenError::Copy`], as the copy itself.
    pub async fn plan(self, target: &DatabaseOptions) -> Result<CopyPlan, OpenError> {
        let state = self.0.state_of_target(target).await;
        let tables = self.0.tables().to_vec();
        self.0.close().await;
        Ok(CopyPlan {
            tables,
            target: state?,
        })
    }

    /// Begins a copy, or goes on with the one that the target bears the mark of.
    ///
    /// # Errors
    /// [`OpenError::Copy`]; the target is then as it was.
    pub async fn copy_to(
        self,
        target: &DatabaseOptions,
        clock: Clock,
    ) -> Result<DatabaseCopy, OpenError> {
        let from = self.0.name().to_owned();
        let copy = store::Copy::begin(self.0, target).await?;
        Ok(DatabaseCopy { copy, from, clock })
    }

    /// Begins to compare it with a database that may be a copy of it. Neither is changed.
    ///
    /// # Errors
    /// [`OpenError::Copy`].
    pub async fn compare_with(self, target: &DatabaseOptions) -> Result<Comparison, OpenError> {
        Ok(Comparison::with(self.0, target).await?)
    }
}

impl DatabaseCopy {
    /// Copies some rows, or, when all are copied, compares some. `None` when that is done, too.
    ///
    /// # Errors
    /// [`OpenError::Copy`]; the same copy can be begun again.
    pub async fn advance(&mut self) -> Result<Option<CopyProgress>, OpenError> {
        Ok(self.copy.advance().await?)
    }

    /// Ends the copy: where both sides hold the same, the target is an installation from now on,
    /// and has an audit event `copied`.
    ///
    /// # Errors
    /// [`OpenError::Copy`].
    pub async fn finish(self) -> Result<CopyOutcome, OpenError> {
        let at = self.clock.now();
        let event = NewAudit {
            id: entropy::uuid_v7(at),
            at,
            kind: AuditKind::Copied,
            actor: Actor::Operator,
            subject: None,
            address: None,
            user_agent: None,
            request_id: None,
            detail: Some(serde_json::json!({ "from": self.from })),
        };
        Ok(self.copy.finish(event).await?)
    }

    /// Leaves it unfinished, to be gone on with.
    pub async fn close(self) {
        self.copy.close().await;
    }
}
