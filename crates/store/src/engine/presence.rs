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
    server::{self, Session, Sharing, Watch},
    unusable,
    url::{Place, Server},
};
use crate::{OpenError, Store};

/// Held while the database is open.
pub(crate) struct Presence {
    pub(super) options: Options,
    hold: Hold,
}

/// What others can see.
enum Hold {
    /// A lock on a file beside the database, given back when it is closed.
    File(#[expect(dead_code, reason = "it is held, and dropped")] File),
    /// A lock of a connection to the server.
    Session(Watch),
}

impl Presence {
    pub(super) fn of_file(options: Options, lock: File) -> Self {
        let hold = Hold::File(lock);
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
            tracing::warn!(%error, "The connection for migrations did not close cleanly: {error}");
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

/// Takes the lock of a database in a file, which says who is at work on it.
pub(super) fn take_file(database: &Path, sharing: Sharing) -> Result<File, OpenError> {
    let lock = lock_file(database, "server").map_err(|source| unusable(database, source))?;
    let taken = match sharing {
        Sharing::Shared | Sharing::Reading => lock.try_lock_shared(),
        Sharing::Alone => lock.try_lock(),
    };
    match taken {
        Ok(()) => Ok(lock),
        Err(TryLockError::WouldBlock) => Err(OpenError::InUse),
        Err(TryLockError::Error(source)) => Err(unusable(database, source)),
    }
}

fn lock_file(database: &Path, purpose: &str) -> io::Result<File> {
    let name = super::sqlite::beside(database, &format!("-{purpose}.lock"));
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    super::sqlite::private(&mut options);
    options.open(name)
}
