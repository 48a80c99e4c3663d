//! A database as an end of a copy has it: one connection, without the bounds of those that serve
//! requests, and locks that keep others from writing for as long as it is open.

use sea_orm::{
    AccessMode, DatabaseConnection, DatabaseTransaction, DbBackend, DbErr, IsolationLevel,
    TransactionOptions, TransactionTrait as _,
};

use super::{
    Options,
    presence::{FileLocks, Sharing},
    server::{self, Session},
    sqlite,
    url::Place,
};
use crate::{DatabaseUrl, Error, OpenError};

/// A database that nobody else writes to.
pub(crate) struct Sole {
    pub(crate) connection: DatabaseConnection,
    /// What [`name`] calls it.
    pub(crate) name: String,
    hold: Hold,
}

/// What keeps others away.
enum Hold {
    File(#[expect(dead_code, reason = "it is held, and dropped")] FileLocks),
    Session(Session),
}

impl Sole {
    /// Opens it so that nobody can write, ourselves included; others may read.
    pub(crate) async fn frozen(options: &Options) -> Result<Self, OpenError> {
        Self::open(options, Sharing::Frozen).await
    }

    /// Opens it for ourselves alone. In a file it is made where there is none.
    pub(crate) async fn alone(options: &Options) -> Result<Self, OpenError> {
        Self::open(options, Sharing::Alone).await
    }

    async fn open(options: &Options, sharing: Sharing) -> Result<Self, OpenError> {
        let (connection, hold) = match &options.url.0 {
            Place::File(file) => {
                let (connection, locks) = sqlite::sole(options, file, sharing).await?;
                (connection, Hold::File(locks))
            }
            Place::Server(server) => {
                let (connection, session) = server::sole(options, server, sharing).await?;
                (connection, Hold::Session(session))
            }
        };
        Ok(Self {
            connection,
            name: name(options),
            hold,
        })
    }

    /// Refuses to go on when the locks may be somebody else's by now: on a server they end with
    /// the session that holds them.
    pub(crate) async fn check_hold(&mut self) -> Result<(), Error> {
        match &mut self.hold {
            Hold::File(_) => Ok(()),
            Hold::Session(session) => session.ping().await.map_err(|error| {
                Error::Unavailable(format!(
                    "the connection that kept others away is lost: {error}"
                ))
            }),
        }
    }

    /// A transaction that writes nothing and sees the database as it is now to its end.
    pub(crate) async fn snapshot(&self) -> Result<DatabaseTransaction, DbErr> {
        let options = match self.connection.get_database_backend() {
            // The first statement makes it one.
            DbBackend::Sqlite => TransactionOptions::default(),
            _ => TransactionOptions {
                isolation_level: Some(IsolationLevel::RepeatableRead),
                access_mode: Some(AccessMode::ReadOnly),
                ..TransactionOptions::default()
            },
        };
        self.connection.begin_with_options(options).await
    }

    /// Closes the connection, which leaves a file in its resting state, and lets others in.
    pub(crate) async fn close(self) {
        if let Err(error) = self.connection.close().await {
            tracing::warn!(error.message = %error, "A database connection did not close cleanly: {error}");
        }
        if let Hold::Session(session) = self.hold
            && let Err(error) = session.close().await
        {
            tracing::warn!(error.message = %error, "A database session did not close cleanly: {error}");
        }
    }
}

/// The database, without a password. A file is called the same from every working directory.
pub(crate) fn name(options: &Options) -> String {
    let file = options.url.file().and_then(|file| file.canonicalize().ok());
    let url = file.map(DatabaseUrl::of_file);
    url.as_ref().unwrap_or(&options.url).to_string()
}
