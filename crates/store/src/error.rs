//! What the database could not do. Absence is an `Option` or an outcome, never an error.

use std::path::PathBuf;

/// Why an event did not happen.
#[derive(Clone, Debug, thiserror::Error)]
pub enum Error {
    /// A name is in use by somebody else.
    #[error("{0:?} is taken")]
    Taken(Unique),
    /// Others kept the database busy past the bound; the same call may succeed later.
    #[error("the database was busy for too long: {0}")]
    Busy(String),
    /// No connection became free, or could be made, in the time that a call waits for one.
    #[error("no connection to the database was to be had: {0}")]
    NoConnection(String),
    /// The schema is older than this program needs it.
    #[error("{0} migrations are not applied")]
    MigrationsMissing(usize),
    /// The database could not be reached, or answered with an error that is not ours to solve.
    #[error("the database is unavailable: {0}")]
    Unavailable(String),
    /// The database was opened for reading alone.
    #[error("the database is open for reading alone")]
    ReadOnly,
    /// There is no room left to write.
    #[error("the storage is full: {0}")]
    Full(String),
    /// A row holds what no event of ours writes.
    #[error("the database holds an impossible value in {table}.{column}, row {row}")]
    Corrupt {
        /// The table.
        table: &'static str,
        /// The column.
        column: &'static str,
        /// The key of the row.
        row: String,
    },
}

/// A constraint that keeps something unique among the users that are not deleted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unique {
    /// Another user has this e-mail address.
    UserEmail,
    /// Another user has this username.
    UserUsername,
}

/// Why the database was not opened, or its schema not changed. Nothing was written.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The file or its folder could not be created, read or locked.
    #[error("the database file {} cannot be used: {source}", path.display())]
    File {
        /// The database file.
        path: PathBuf,
        /// What the operating system said.
        source: std::io::Error,
    },
    /// The database holds tables of some other program.
    #[error(
        "the database {database} is not empty and was not made by Vestibule (it holds the table `{table}`); \
         nothing was changed. Name another database in database.url"
    )]
    Foreign {
        /// The database, without a password.
        database: String,
        /// One of the tables found.
        table: String,
    },
    /// The file holds something else than a database.
    #[error(
        "{database} is not a SQLite database; nothing was changed. Name another file in database.url"
    )]
    NotADatabase {
        /// The database, without a password.
        database: String,
    },
    /// The database has no founded installation in it, so there is nothing to restore.
    #[error("{database} holds no installation of Vestibule; nothing was changed")]
    NoInstallation {
        /// The database, without a password.
        database: String,
    },
    /// The file is a database, and cannot be relied on.
    #[error("{database} is damaged: {what}")]
    Damaged {
        /// The database, without a password.
        database: String,
        /// What is wrong with it.
        what: String,
    },
    /// A newer release of the program has changed the schema.
    #[error(
        "the database was migrated by a newer Vestibule (it has the migration `{migration}`, unknown here); \
         nothing was changed. Start that release, or roll the database back with its `migrate down`"
    )]
    NewerSchema {
        /// The first migration that this program does not know.
        migration: String,
    },
    /// A copy into the database was begun and has not ended.
    #[error(
        "the database {database} holds an unfinished copy from {from}, and is no installation yet; run the same \
         `vestibule copy` again, which goes on where it ended, or name another database"
    )]
    UnfinishedCopy {
        /// The database, without a password.
        database: String,
        /// The source of the copy, without a password.
        from: String,
    },
    /// The schema is not the newest, and must not be changed.
    #[error(
        "the database has an older schema, and is to be opened for reading alone; start the server once without \
         read_only, or run `vestibule migrate up`, first"
    )]
    OlderSchema,
    /// The engine is older than what the durability promises were tested with.
    #[error("{found} is too old: {needed} or newer is needed")]
    EngineTooOld {
        /// The version found.
        found: String,
        /// The oldest one accepted.
        needed: &'static str,
    },
    /// The server, or the database on it, cannot keep what we would write as it is.
    #[error("the database cannot be used: {what}")]
    Unfit {
        /// What is wrong with it.
        what: String,
    },
    /// The server has turned us away, and will do so until somebody changes something.
    #[error("the database {database} refuses the connection: {reason}. Check database.url")]
    Refused {
        /// The database, without a password.
        database: String,
        /// What the server said, or what its connection lacks.
        reason: String,
    },
    /// The server is not up, or not to be reached.
    #[error("the database {database} cannot be reached: {reason}")]
    Unreachable {
        /// The database, without a password.
        database: String,
        /// What failed.
        reason: String,
    },
    /// This is for a database in a file alone.
    #[error("the database {database} is on a server, which has its own tools for this: {tools}")]
    OnServer {
        /// The database, without a password.
        database: String,
        /// What to use instead.
        tools: &'static str,
    },
    /// There is something where nothing may be.
    #[error(
        "{database} is not empty; nothing was changed. Restore into a new place, or with --replace, which keeps what \
         is there beside it"
    )]
    Occupied {
        /// The database, without a password.
        database: String,
    },
    /// Another program is at work on the database.
    #[error(
        "the database is in use by another vestibule, such as a running server or a copy; let it end first"
    )]
    InUse,
    /// There is no migration of that number.
    #[error("there is no migration {asked}; the newest is {newest}")]
    NoSuchMigration {
        /// The number asked for, counted from 1.
        asked: u32,
        /// The number of the newest one known.
        newest: u32,
    },
    /// Any other answer of the database.
    #[error(transparent)]
    Store(#[from] Error),
}
