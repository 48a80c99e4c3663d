//! Copies of the whole database in one file: made beside a running server, put back without one.
//! Of a database in a file, that is; servers have tools of their own.

use std::{
    fs::File,
    io,
    path::{Path, PathBuf},
};

use sqlx::{ConnectOptions as _, Connection as _, Row as _};
use tempfile::TempPath;

use super::{
    Options,
    presence::{FileLocks, Sharing, take_file},
    sqlite::{beside, has_header, inspect, looking, plain, refuse_foreign},
    unusable,
    url::Place,
};
use crate::{DatabaseUrl, Error, OpenError, Store, install, migrate};

/// What is part of a database beside its file: a log or a journal is applied to whatever file it is found beside.
const SUFFIXES: [&str; 4] = ["", "-wal", "-journal", "-shm"];

/// A backup that was found good and may become the database. Dropped before, it changes nothing.
pub struct Restoration {
    target: PathBuf,
    copy: TempPath,
    check: Vec<u8>,
    _locks: FileLocks,
}

impl Store {
    /// Writes the database, as of one moment, into the new file `to`, of mode 0600. Others go on
    /// reading and writing meanwhile. The file appears whole or not at all.
    ///
    /// # Errors
    /// [`OpenError::OnServer`]; [`OpenError::File`] when `to` exists or cannot be written;
    /// [`OpenError::Store`].
    pub async fn back_up(&self, to: &Path) -> Result<(), OpenError> {
        let file = file_of(&self.presence.options)?;
        let draft = tempfile::Builder::new()
            .prefix("backup-")
            .tempfile_in(folder(to))
            .map_err(|source| unusable(to, source))?;
        // Absolute, since the engine takes what begins with `file:` for a URI.
        let path = std::path::absolute(draft.path()).map_err(|source| unusable(to, source))?;
        let path = path.to_str().ok_or_else(|| {
            unusable(
                to,
                io::Error::other("the path of a backup must be Unicode text"),
            )
        })?;
        let mut connection = plain(file).connect().await?;
        let copied = sqlx::query("VACUUM INTO ?")
            .bind(path)
            .execute(&mut connection)
            .await;
        connection.close().await?;
        copied?;
        draft
            .as_file()
            .sync_all()
            .map_err(|source| unusable(to, source))?;
        draft
            .persist_noclobber(to)
            .map_err(|error| unusable(to, error.error))?;
        sync_folder(to).map_err(|source| unusable(to, source))
    }

    /// Takes the backup `from` in hand: a copy of it is made beside the database and examined.
    ///
    /// # Errors
    /// [`OpenError::OnServer`]; [`OpenError::InUse`] beside a running server. For a file that cannot be restored
    /// [`OpenError::NotADatabase`], [`OpenError::Foreign`], [`OpenError::NewerSchema`],
    /// [`OpenError::NoInstallation`] or [`OpenError::Damaged`].
    pub async fn restoration(from: &Path, options: &Options) -> Result<Restoration, OpenError> {
        let target = file_of(options)?.to_owned();
        let locks = take_file(&target, Sharing::Alone)?;
        refuse_unsettled(from)?;
        let copy = copy_beside(from, &target)?;
        let check = examine(&copy, &DatabaseUrl::of_file(from.to_owned())).await?;
        Ok(Restoration {
            target,
            copy,
            check,
            _locks: locks,
        })
    }
}

impl Restoration {
    /// The check value of the secret key that the backup was founded with.
    #[must_use]
    pub fn secret_key_check(&self) -> &[u8] {
        &self.check
    }

    /// Puts the backup where no database is yet.
    ///
    /// # Errors
    /// [`OpenError::Occupied`] where there is one, or part of one; [`OpenError::File`].
    pub fn finish(self) -> Result<(), OpenError> {
        if is_occupied(&self.target) {
            return Err(OpenError::Occupied {
                database: DatabaseUrl::of_file(self.target).to_string(),
            });
        }
        self.put()
    }

    /// Puts the backup in the place of the database. What was there, damaged or not, is kept
    /// beside it; its path is given back.
    ///
    /// # Errors
    /// [`OpenError::InUse`] when some other program holds the database, [`OpenError::Foreign`],
    /// [`OpenError::File`]; the database is then as it was.
    pub async fn replace(self) -> Result<Option<PathBuf>, OpenError> {
        let kept = match is_occupied(&self.target) {
            true => Some(self.keep().await?),
            false => None,
        };
        self.put()?;
        Ok(kept)
    }

    fn put(self) -> Result<(), OpenError> {
        let file = &self.target;
        self.copy
            .persist(file)
            .map_err(|error| unusable(file, error.error))?;
        sync_folder(file).map_err(|source| unusable(file, source))
    }

    /// Gives the present database a second name. One that can still be read is brought into its
    /// one file first and keeps its own name until the backup takes it, so that at no moment
    /// there is none.
    async fn keep(&self) -> Result<PathBuf, OpenError> {
        let file = &self.target;
        let kept = free_name(file);
        match settle(file).await {
            Ok(()) => std::fs::hard_link(file, &kept).map_err(|source| unusable(&kept, source))?,
            Err(OpenError::NotADatabase { .. } | OpenError::Store(_)) => {
                for suffix in SUFFIXES {
                    set_aside(&beside(file, suffix), &beside(&kept, suffix))?;
                }
            }
            Err(refusal) => return Err(refusal),
        }
        Ok(kept)
    }
}

/// The file of the database.
fn file_of(options: &Options) -> Result<&Path, OpenError> {
    match &options.url.0 {
        Place::File(file) => Ok(file),
        Place::Server(server) => Err(OpenError::OnServer {
            database: options.url.to_string(),
            tools: server.engine.backup_tools(),
        }),
    }
}

/// Whether there is a database, or what one has left behind. An empty file is none.
fn is_occupied(file: &Path) -> bool {
    let holds_something = |suffix: &str| {
        match beside(file, suffix).metadata() {
            Ok(metadata) => metadata.len() > 0,
            // What cannot be looked at may hold something.
            Err(error) => error.kind() != io::ErrorKind::NotFound,
        }
    };
    // Not the shared memory, which is made anew by whoever comes first.
    ["", "-wal", "-journal"].into_iter().any(holds_something)
}

/// Brings what the write-ahead log holds into the file, so that the file alone is the database.
async fn settle(file: &Path) -> Result<(), OpenError> {
    inspect(file).await?;
    let mut connection = plain(file).connect().await?;
    let row = sqlx::query("PRAGMA wal_checkpoint(TRUNCATE)")
        .fetch_one(&mut connection)
        .await;
    connection.close().await?;
    let is_busy: i64 = row?.try_get(0)?;
    let log = beside(file, "-wal");
    let is_left = log.metadata().is_ok_and(|log| log.len() > 0);
    if is_busy != 0 || is_left {
        return Err(OpenError::InUse);
    }
    Ok(())
}

/// Looks into the copy of a backup, which is called by the name of the original, and gives the
/// check value in it. Nothing is written, not even beside it.
async fn examine(copy: &Path, name: &DatabaseUrl) -> Result<Vec<u8>, OpenError> {
    if !has_header(copy).map_err(|source| unusable(copy, source))? {
        return Err(OpenError::NotADatabase {
            database: name.to_string(),
        });
    }
    let damaged = |what: String| OpenError::Damaged {
        database: name.to_string(),
        what,
    };
    let connection = looking(plain(copy).read_only(true).immutable(true)).await?;
    let verdict = super::text(
        &connection,
        "SELECT integrity_check AS value FROM pragma_integrity_check LIMIT 1",
    );
    let examined = match verdict.await {
        Ok(Some(verdict)) if verdict == "ok" => {
            refuse_foreign(&connection, name).await?;
            migrate::status(&connection).await?;
            install::check_of(&connection)
                .await?
                .ok_or_else(|| OpenError::NoInstallation {
                    database: name.to_string(),
                })
        }
        Ok(verdict) => Err(damaged(verdict.unwrap_or_default())),
        Err(error) => Err(damaged(error.to_string())),
    };
    connection.close().await.map_err(Error::from)?;
    examined
}

/// A file with a write-ahead log beside it is half of a database that somebody copied by hand.
fn refuse_unsettled(from: &Path) -> Result<(), OpenError> {
    match beside(from, "-wal").metadata() {
        Ok(log) if log.len() > 0 => Err(OpenError::Damaged {
            database: from.display().to_string(),
            what: "it has a write-ahead log beside it; use a file that `vestibule backup` made"
                .to_owned(),
        }),
        _ => Ok(()),
    }
}

/// A copy in the folder of the database, so that it can take its place in one step.
fn copy_beside(from: &Path, target: &Path) -> Result<TempPath, OpenError> {
    let mut original = File::open(from).map_err(|source| unusable(from, source))?;
    let mut copied = || -> io::Result<TempPath> {
        let mut copy = tempfile::Builder::new()
            .prefix("restoring-")
            .tempfile_in(folder(target))?;
        io::copy(&mut original, copy.as_file_mut())?;
        copy.as_file().sync_all()?;
        Ok(copy.into_temp_path())
    };
    copied().map_err(|source| unusable(target, source))
}

/// `FILE.before-restore-N`, with the first number that is free.
fn free_name(file: &Path) -> PathBuf {
    let numbered = |number: u32| beside(file, &format!(".before-restore-{number}"));
    (1..)
        .map(numbered)
        .find(|name| !name.exists())
        .unwrap_or_else(|| numbered(0))
}

fn set_aside(from: &Path, to: &Path) -> Result<(), OpenError> {
    match std::fs::rename(from, to) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(unusable(from, error)),
        _ => Ok(()),
    }
}

fn folder(file: &Path) -> &Path {
    let folder = file
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty());
    folder.unwrap_or(Path::new("."))
}

fn sync_folder(file: &Path) -> io::Result<()> {
    File::open(folder(file))?.sync_all()
}
