//! That a program is at work on the database, so that what must not happen beside it can refuse;
//! and the right to change the schema, which one program has at a time.

use std::{
    fs::{File, OpenOptions, TryLockError},
    io,
    path::Path,
};

use sea_orm::DatabaseConnection;

use super::{
    Options,
    server::{self, Session, Watch},
    unusable,
    url::{Place, Server},
};
use crate::{OpenError, Store};

/// Whether others may be at work on the database at the same time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sharing {
    /// They may.
    Shared,
    /// They may, and nothing is written here.
    Reading,
    /// They may read; nobody writes.
    Frozen,
    /// They may not.
    Alone,
}

/// How one of the two locks of a database is taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Taking {
    /// Beside others who take it like this.
    Beside,
    /// For oneself.
    Whole,
}

/// The locks that are to be taken: the one of those who write and the one of those who read alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Locks {
    pub(super) writers: Option<Taking>,
    pub(super) readers: Option<Taking>,
}

impl Sharing {
    pub(super) const fn locks(self) -> Locks {
        let (writers, readers) = match self {
            Self::Shared => (Some(Taking::Beside), None),
            Self::Reading => (None, Some(Taking::Beside)),
            Self::Frozen => (Some(Taking::Whole), None),
            Self::Alone => (Some(Taking::Whole), Some(Taking::Whole)),
        };
        Locks { writers, readers }
    }
}

/// Held while the database is open.
pub(crate) struct Presence {
    pub(super) options: Options,
    hold: Hold,
}

/// What others can see.
enum Hold {
    /// Locks on files beside the database, given back when they are closed.
    File(#[expect(dead_code, reason = "it is held, and dropped")] FileLocks),
    /// A lock of a connection to the server.
    Session(Watch),
}

impl Presence {
    pub(super) fn of_file(options: Options, locks: FileLocks) -> Self {
        let hold = Hold::File(locks);
        Self { options, hold }
    }

    pub(super) fn of_session(
        options: Options,
        session: Session,
        server: Server,
        sharing: Sharing,
    ) -> Self {
        let hold = Hold::Session(Watch::over(session, server, sharing));
        Self { options, hold }
    }

    /// Whether somebody else has the database alone, who found us gone when the server was away.
    pub(crate) fn is_outdone(&self) -> bool {
        match &self.hold {
            Hold::File(_) => false,
            Hold::Session(watch) => watch.is_outdone(),
        }
    }

    /// Ends it and returns when others can see that. Dropped, it ends a moment later.
    pub(crate) async fn end(self) {
        if let Hold::Session(watch) = self.hold {
            watch.end().await;
        }
    }
}

/// The right to change the schema: of two starting programs one goes first.
pub(crate) struct MigrationLock {
    /// The connection that may change the schema.
    pub(crate) connection: DatabaseConnection,
    hold: MigrationHold,
}

enum MigrationHold {
    /// Beside a connection that serves events, too.
    File(#[expect(dead_code, reason = "it is held, and dropped")] File),
    /// By the connection itself.
    Connection,
}

impl MigrationLock {
    /// Gives the right back and returns when others can have it. Dropped, it is given back a
    /// moment later.
    pub(crate) async fn release(self) {
        if matches!(self.hold, MigrationHold::Connection)
            && let Err(error) = self.connection.close().await
        {
            tracing::warn!(error.message = %error, "The connection for migrations did not close cleanly: {error}");
        }
    }
}

impl Store {
    /// Waits for the right to change the schema.
    pub(crate) async fn migration_lock(&self) -> Result<MigrationLock, OpenError> {
        let options = &self.presence.options;
        let file = match &options.url.0 {
            Place::Server(server) => {
                return Ok(MigrationLock {
                    connection: server::migrating(options, server).await?,
                    hold: MigrationHold::Connection,
                });
            }
            Place::File(file) => file.clone(),
        };
        let path = file.clone();
        let wait = move || -> io::Result<File> {
            let lock = lock_file(&path, "migration")?;
            lock.lock()?;
            Ok(lock)
        };
        match tokio::task::spawn_blocking(wait).await {
            Ok(Ok(lock)) => Ok(MigrationLock {
                connection: self.writer.clone(),
                hold: MigrationHold::File(lock),
            }),
            Ok(Err(source)) => Err(unusable(&file, source)),
            Err(join) => Err(unusable(&file, io::Error::other(join))),
        }
    }
}

/// The locks of a database in a file that one program holds.
pub(crate) struct FileLocks(#[expect(dead_code, reason = "they are held, and dropped")] Vec<File>);

/// Takes the locks of a database in a file, which say who is at work on it.
pub(super) fn take_file(database: &Path, sharing: Sharing) -> Result<FileLocks, OpenError> {
    let Locks { writers, readers } = sharing.locks();
    let mut held = Vec::new();
    for (name, taking) in [("server", writers), ("reader", readers)] {
        let Some(taking) = taking else {
            continue;
        };
        let lock = lock_file(database, name).map_err(|source| unusable(database, source))?;
        let taken = match taking {
            Taking::Beside => lock.try_lock_shared(),
            Taking::Whole => lock.try_lock(),
        };
        match taken {
            Ok(()) => held.push(lock),
            Err(TryLockError::WouldBlock) => return Err(OpenError::InUse),
            Err(TryLockError::Error(source)) => return Err(unusable(database, source)),
        }
    }
    Ok(FileLocks(held))
}

fn lock_file(database: &Path, purpose: &str) -> io::Result<File> {
    let name = super::sqlite::beside(database, &format!("-{purpose}.lock"));
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    super::sqlite::private(&mut options);
    options.open(name)
}
