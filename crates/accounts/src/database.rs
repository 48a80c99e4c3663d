//! The database as the doors see it: something to open, migrate and close. Its events are for
//! the rules alone.

use std::path::{Path, PathBuf};

pub use store::{
    DatabaseUrl, Engine, EngineReport, Link, MigrationStatus, MissingBound,
    Options as DatabaseOptions, ReplicaReport, ReplicaState, Rollback, SchemaDifference, TlsMode,
    UrlProblem,
};
use store::{Restoration, Store, Timestamp};

use crate::{Error, SecretKey};

/// An open database.
#[derive(Clone)]
pub struct Database(Store);

/// The SQL that brings an empty database of this engine to the schema of migration number `to`, or
/// the newest. Needs no database.
///
/// # Errors
/// [`OpenError::Database`].
pub fn migration_script(engine: Engine, to: Option<u32>) -> Result<String, OpenError> {
    Ok(store::migration_script(engine, to)?)
}

/// Why a database was not opened, or its schema not changed.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The database says why.
    #[error(transparent)]
    Database(#[from] store::OpenError),
    /// The database was founded with another secret key.
    #[error(
        "the secret key is not the one this database was founded with; \
         name the file that holds the right one in secret_key_file"
    )]
    OtherSecretKey,
    /// A copy was not begun, or has ended before its time.
    #[error(transparent)]
    Copy(#[from] store::CopyError),
    /// Hashes come out wrong on this processor.
    #[error(
        "argon2 computes wrong hashes on this processor, with which nobody could log in elsewhere; please report it"
    )]
    WrongHashes,
    /// The signing keys in the database cannot be used.
    #[error("the signing keys in the database cannot be used: {0}")]
    SigningKeys(&'static str),
}

impl From<store::Error> for OpenError {
    fn from(error: store::Error) -> Self {
        Self::Database(error.into())
    }
}

impl OpenError {
    /// Whether the operator has to change something before another try can succeed, other than
    /// a passing state of the database.
    #[must_use]
    pub fn is_misconfiguration(&self) -> bool {
        match self {
            Self::OtherSecretKey => true,
            Self::WrongHashes => false,
            Self::SigningKeys(_) => false,
            Self::Database(error) => !may_pass(error),
            Self::Copy(error) => {
                use store::CopyError::{Database, Row, Source, SourceServed, Target};
                match error {
                    Source(error) | Target(error) => !may_pass(error),
                    error => !matches!(error, Database(_) | Row { .. } | SourceServed),
                }
            }
        }
    }
}

/// Whether it is about a passing state of the database.
fn may_pass(error: &store::OpenError) -> bool {
    use store::OpenError::{InUse, Store, Unreachable};
    matches!(error, Store(_) | InUse | Unreachable { .. })
}

impl Database {
    /// Connects; creates an empty database where there is none.
    ///
    /// # Errors
    /// [`OpenError::Database`].
    pub async fn connect(options: &DatabaseOptions) -> Result<Self, OpenError> {
        Ok(Self(Store::connect(options).await?))
    }

    /// Connects to an existing database that is not to be written: whatever would change something
    /// is refused with [`Error::ReadOnly`].
    ///
    /// # Errors
    /// [`OpenError::Database`].
    pub async fn connect_read_only(options: &DatabaseOptions) -> Result<Self, OpenError> {
        Ok(Self(Store::connect_read_only(options).await?))
    }

    /// Connects while nobody else is, for work that must not happen beside a server.
    ///
    /// # Errors
    /// [`OpenError::Database`], also when the database is in use.
    pub async fn connect_alone(options: &DatabaseOptions) -> Result<Self, OpenError> {
        Ok(Self(Store::connect_alone(options).await?))
    }

    /// Whether the database holds keys, which only the right secret key opens.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn is_founded(&self) -> Result<bool, Error> {
        Ok(self.0.secret_key_check().await?.is_some())
    }

    /// Refuses a secret key that is not the one the database was founded with, before anything
    /// is written. A database that was not founded takes any.
    ///
    /// # Errors
    /// [`OpenError::OtherSecretKey`].
    pub async fn refuse_other_key(&self, secret: &SecretKey) -> Result<(), OpenError> {
        match self.0.secret_key_check().await? {
            Some(check) if check != secret.keys().check => Err(OpenError::OtherSecretKey),
            _ => Ok(()),
        }
    }

    /// Writes the database, as of one moment, into the new file `to`, of mode 0600, beside whoever
    /// uses it. The file holds no secret key.
    ///
    /// # Errors
    /// [`OpenError::Database`], also when `to` exists.
    pub async fn back_up(&self, to: &Path) -> Result<(), OpenError> {
        Ok(self.0.back_up(to).await?)
    }

    /// Makes the backup `from` the database, where there is none yet. The secret key must be the one that the backup
    /// was founded with.
    ///
    /// # Errors
    /// [`OpenError::Database`], [`OpenError::OtherSecretKey`]; nothing has changed then.
    pub async fn restore(
        from: &Path,
        options: &DatabaseOptions,
        secret: &SecretKey,
    ) -> Result<(), OpenError> {
        Ok(restoration(from, options, secret).await?.finish()?)
    }

    /// Puts the backup `from` in the place of the database and gives the path at which the old one
    /// is kept, otherwise as [`Database::restore`] does.
    ///
    /// # Errors
    /// [`OpenError::Database`], [`OpenError::OtherSecretKey`]; the database is then as it was.
    pub async fn replace(
        from: &Path,
        options: &DatabaseOptions,
        secret: &SecretKey,
    ) -> Result<Option<PathBuf>, OpenError> {
        Ok(restoration(from, options, secret).await?.replace().await?)
    }

    /// Applies the missing migrations, up to number `to` or all, and gives their names.
    ///
    /// # Errors
    /// [`OpenError::Database`], with the database as it was.
    pub async fn migrate_up(&self, to: Option<u32>) -> Result<Vec<String>, OpenError> {
        Ok(self.0.migrate_up(to).await?)
    }

    /// The SQL of what [`Database::migrate_up`] would do. Changes nothing.
    ///
    /// # Errors
    /// [`OpenError::Database`].
    pub async fn pending_script(&self, to: Option<u32>) -> Result<String, OpenError> {
        Ok(self.0.pending_script(to).await?)
    }

    /// Undoes the newest `steps` migrations and gives their names.
    ///
    /// # Errors
    /// [`OpenError::Database`].
    pub async fn migrate_down(&self, steps: u32) -> Result<Vec<String>, OpenError> {
        Ok(self.0.migrate_down(steps).await?)
    }

    /// What undoing the newest `steps` migrations would remove.
    ///
    /// # Errors
    /// [`OpenError::Database`].
    pub async fn rollback(&self, steps: u32) -> Result<Rollback, OpenError> {
        Ok(self.0.rollback(steps).await?)
    }

    /// Every known migration, and when it was applied.
    ///
    /// # Errors
    /// [`OpenError::Database`], also when a newer program has changed the schema.
    pub async fn migration_status(&self) -> Result<Vec<MigrationStatus>, OpenError> {
        Ok(self.0.migration_status().await?)
    }

    /// What the schema of the database has otherwise than this release makes it.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn schema_differences(&self) -> Result<Vec<SchemaDifference>, Error> {
        Ok(self.0.schema_differences().await?)
    }

    /// The engine, its version and its durability settings.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn engine_report(&self) -> Result<EngineReport, Error> {
        Ok(self.0.engine_report().await?)
    }

    /// What each of the replicas is good for. It waits, for a few seconds, for one that does not
    /// answer or lags behind.
    pub async fn replica_reports(&self) -> Vec<ReplicaReport> {
        self.0.replica_reports().await
    }

    /// When the newest audit event was recorded, if there is one.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn newest_record(&self) -> Result<Option<Timestamp>, Error> {
        let newest = self.0.newest_audit(1).await?;
        Ok(newest.first().map(|event| event.at))
    }

    /// Waits for every event under way, then closes the connections.
    pub async fn close(self) {
        self.0.close().await;
    }

    pub(crate) fn store(&self) -> &Store {
        &self.0
    }
}

/// The backup `from` in hand, of the installation that this secret key belongs to.
async fn restoration(
    from: &Path,
    options: &DatabaseOptions,
    secret: &SecretKey,
) -> Result<Restoration, OpenError> {
    let restoration = Store::restoration(from, options).await?;
    if restoration.secret_key_check() != secret.keys().check {
        return Err(OpenError::OtherSecretKey);
    }
    Ok(restoration)
}
