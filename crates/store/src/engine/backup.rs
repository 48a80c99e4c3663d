//! Copies of the whole database in one file: made beside a running server, put back without one.

use std::{
    ffi::OsStr,
    fs::{File, OpenOptions},
    io,
    path::{Path, PathBuf},
};

use sqlx::{ConnectOptions as _, Connection as _, SqliteConnection, sqlite::SqliteConnectOptions};

use super::{BUSY_TIMEOUT, Options, held, inspect, presence_file, private, unusable};
use crate::{DatabaseUrl, Error, OpenError, Store};

/// A backup that is about to take the place of the database. Dropped without
/// [`Restoration::finish`], it changes nothing.
pub struct Restoration {
    target: PathBuf,
    copy: tempfile::TempPath,
    store: Store,
    _lock: File,
}

impl Store {
    /// Writes the database, as of one moment, into a new file of mode 0600. Others go on reading
    /// and writing meanwhile.
    ///
    /// # Errors
    /// [`OpenError::File`] when `to` exists or cannot be written; [`OpenError::Store`].
    pub async fn back_up(&self, to: &Path) -> Result<(), OpenError> {
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        private(&mut options);
        drop(options.open(to).map_err(|source| unusable(to, source))?);
        let written = self.copy_into(to).await;
        if written.is_err() {
            // Half a backup must not be taken for one.
            let _ = std::fs::remove_file(to);
        }
        written
    }

    async fn copy_into(&self, to: &Path) -> Result<(), OpenError> {
        let from = self.presence.database.file();
        let options = SqliteConnectOptions::new()
            .filename(from)
            .busy_timeout(BUSY_TIMEOUT)
            .disable_statement_logging();
        let name = to.to_str().ok_or_else(|| {
            unusable(
                to,
                io::Error::other("the name of a backup must be Unicode text"),
            )
        })?;
        let mut connection = options.connect().await?;
        let copied = sqlx::query("VACUUM INTO ?")
            .bind(name)
            .execute(&mut connection)
            .await;
        connection.close().await?;
        copied?;
        sync(to).map_err(|source| unusable(to, source))
    }

    /// Takes the backup `from` in hand: a copy of it is checked, and nothing is changed yet.
    ///
    /// # Errors
    /// [`OpenError::InUse`] beside a server; [`OpenError::Foreign`], [`OpenError::NotADatabase`],
    /// [`OpenError::NewerSchema`] for a file that cannot be restored.
    pub async fn restoration(from: &Path, options: &Options) -> Result<Restoration, OpenError> {
        let target = options.url.file().to_owned();
        inspect(&options.url).await?;
        let lock = presence_file(&target)?;
        held(&target, lock.try_lock())?;
        std::fs::metadata(from).map_err(|source| unusable(from, source))?;
        inspect(&DatabaseUrl::of_file(from.to_owned())).await?;

        let copy = copy_beside(from, &target).map_err(|source| unusable(from, source))?;
        let url = DatabaseUrl::of_file(copy.to_path_buf());
        let lock_of_copy = tempfile::tempfile().map_err(|source| unusable(from, source))?;
        let store = Self::connect_with(
            &Options {
                url,
                ..options.clone()
            },
            lock_of_copy,
        )
        .await?;
        sound(&copy).await?;
        store.migration_status().await?;
        Ok(Restoration {
            target,
            copy,
            store,
            _lock: lock,
        })
    }
}

impl Restoration {
    /// The backup, to be looked into before it takes its place.
    #[must_use]
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// Puts the backup in the place of the database. What was there is kept beside it; its path
    /// is given back.
    ///
    /// # Errors
    /// [`OpenError::File`]; the database is then as it was.
    pub async fn finish(self) -> Result<Option<PathBuf>, OpenError> {
        let Self {
            target,
            copy,
            store,
            _lock,
        } = self;
        store.close().await;
        let failed = |source| unusable(&target, source);
        let kept = if target.try_exists().map_err(failed)? {
            settle(&target).await?;
            let kept = beside(&target, "before-restore");
            std::fs::hard_link(&target, &kept).map_err(|source| unusable(&kept, source))?;
            Some(kept)
        } else {
            None
        };
        copy.persist(&target).map_err(|error| failed(error.error))?;
        sync_folder(&target).map_err(failed)?;
        Ok(kept)
    }
}

/// Brings what the write-ahead log holds into the file, so that the file alone is the database.
async fn settle(file: &Path) -> Result<(), OpenError> {
    let options = SqliteConnectOptions::new()
        .filename(file)
        .busy_timeout(BUSY_TIMEOUT)
        .disable_statement_logging();
    let mut connection = options.connect().await?;
    sqlx::query("PRAGMA wal_checkpoint(TRUNCATE)")
        .execute(&mut connection)
        .await?;
    connection.close().await?;
    for suffix in ["-wal", "-shm"] {
        let mut name = file.as_os_str().to_owned();
        name.push(suffix);
        match std::fs::remove_file(&name) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                return Err(unusable(file, error));
            }
            _ => {}
        }
    }
    Ok(())
}

/// Asks SQLite whether every page of the file is in order.
async fn sound(file: &Path) -> Result<(), OpenError> {
    let options = SqliteConnectOptions::new()
        .filename(file)
        .disable_statement_logging();
    let mut connection: SqliteConnection = options.connect().await?;
    let verdict: Result<String, _> = sqlx::query_scalar("PRAGMA integrity_check(1)")
        .fetch_one(&mut connection)
        .await;
    connection.close().await?;
    match verdict {
        Ok(verdict) if verdict == "ok" => Ok(()),
        Ok(verdict) => Err(Error::Unavailable(format!("the backup is damaged: {verdict}")).into()),
        Err(error) => Err(Error::Unavailable(format!("the backup is damaged: {error}")).into()),
    }
}

/// A copy in the folder of the database, so that it can take its place in one step.
fn copy_beside(from: &Path, target: &Path) -> io::Result<tempfile::TempPath> {
    let mut copy = tempfile::Builder::new()
        .prefix("restoring-")
        .tempfile_in(folder(target))?;
    io::copy(&mut File::open(from)?, copy.as_file_mut())?;
    copy.as_file().sync_all()?;
    Ok(copy.into_temp_path())
}

fn beside(file: &Path, suffix: &str) -> PathBuf {
    let mut name = file
        .file_name()
        .unwrap_or(OsStr::new("database"))
        .to_owned();
    name.push(format!(".{suffix}"));
    file.with_file_name(name)
}

fn folder(file: &Path) -> &Path {
    file.parent()
        .filter(|folder| !folder.as_os_str().is_empty())
        .unwrap_or(Path::new("."))
}

fn sync(file: &Path) -> io::Result<()> {
    File::open(file)?.sync_all()?;
    sync_folder(file)
}

fn sync_folder(file: &Path) -> io::Result<()> {
    File::open(folder(file))?.sync_all()
}

impl From<sqlx::Error> for OpenError {
    fn from(error: sqlx::Error) -> Self {
        Error::Unavailable(error.to_string()).into()
    }
}
