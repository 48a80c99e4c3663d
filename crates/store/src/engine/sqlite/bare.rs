//! The connection on which events run that happen often, and its thread. The driver has a thread for each connection as
//! well, but whoever runs a statement there changes to it and back; here a whole group of events runs on the thread.

use std::{
    future::ready,
    io, mem,
    panic::{AssertUnwindSafe, catch_unwind},
    path::{Path, PathBuf},
    sync::mpsc,
    thread,
};

pub(crate) use rusqlite::types::FromSql as FromFile;
use rusqlite::{
    Connection, OpenFlags, Statement as Prepared,
    types::{ToSqlOutput, ValueRef},
};
use sea_orm::{DbBackend, Statement, Value};
use tokio::{runtime::Handle, sync::oneshot};

use super::{BUSY_TIMEOUT, SETTINGS, verdict_of};
use crate::{
    Error,
    engine::error_of,
    frequent::{Cell, Cells, Executes, FromRow, Row},
};

/// The thread that writes. It ends when this is dropped.
#[derive(Debug)]
pub(crate) struct BareWriter {
    jobs: mpsc::Sender<Job>,
}

type Job = Box<dyn FnOnce(&mut BareTransactions) + Send>;

impl BareWriter {
    /// Starts the thread, with the runtime at hand. The file is opened when something is to be written.
    ///
    /// # Errors
    /// That the system has no thread left.
    pub(super) fn start(file: &Path) -> io::Result<Self> {
        let (jobs, to_do) = mpsc::channel::<Job>();
        let mut transactions = BareTransactions::of_file(file.to_owned());
        let runtime = Handle::current();
        thread::Builder::new()
            .name("sqlite-writer".to_owned())
            .spawn(move || {
                let _entered = runtime.enter();
                for job in to_do {
                    // Whoever waits for a job that panics learns of it, as nobody answers.
                    if catch_unwind(AssertUnwindSafe(|| job(&mut transactions))).is_err() {
                        transactions.connection = None;
                    }
                }
            })?;
        Ok(Self { jobs })
    }

    /// Does `job` on the thread. `None` if it came to nothing.
    pub(crate) async fn run<R: Send + 'static>(
        &self,
        job: impl FnOnce(&mut BareTransactions) -> R + Send + 'static,
    ) -> Option<R> {
        let (done, ending) = oneshot::channel();
        let job = move |transactions: &mut BareTransactions| {
            // Nobody may wait for it any more.
            let _ = done.send(job(transactions));
        };
        self.jobs.send(Box::new(job)).ok()?;
        ending.await.ok()
    }

    /// Closes the connection, once what was begun before has ended. What comes later opens another one.
    pub(crate) async fn close(&self) {
        self.run(|transactions| transactions.connection = None)
            .await;
    }
}

/// The transactions of the thread, one after the other on one connection.
#[derive(Debug)]
pub(crate) struct BareTransactions {
    file: PathBuf,
    /// `None` until something is to be written, while a transaction has it, and after one that left it in doubt.
    connection: Option<BareConnection>,
    /// Whether it is known, to whoever reads the log, that there can be none.
    is_warned_of: bool,
}

impl BareTransactions {
    /// Those on a connection of their own to the file, which is opened for the first one.
    pub(crate) fn of_file(file: PathBuf) -> Self {
        Self {
            file,
            connection: None,
            is_warned_of: false,
        }
    }

    /// Whether there is a connection, or one can be made now.
    pub(crate) fn are_possible(&mut self) -> bool {
        if self.connection.is_none() {
            match BareConnection::open(&self.file) {
                Ok(connection) => self.connection = Some(connection),
                Err(error) if !mem::replace(&mut self.is_warned_of, true) => {
                    tracing::warn!(
                        error.message = %error,
                        "The connection for what happens often cannot be opened, and another one does its work: {error}"
                    );
                }
                Err(_) => {}
            }
        }
        self.connection.is_some()
    }

    /// Begins a transaction.
    pub(crate) fn begin(&mut self) -> Result<BareConnection, Error> {
        let connection = match self.connection.take() {
            Some(connection) => connection,
            None => BareConnection::open(&self.file)?,
        };
        self.is_warned_of = false;
        match connection.run("BEGIN IMMEDIATE") {
            Ok(()) => Ok(connection),
            Err(error) => {
                self.roll_back(connection);
                Err(error)
            }
        }
    }

    /// Commits it.
    pub(crate) fn commit(&mut self, connection: BareConnection) -> Result<(), Error> {
        match connection.run("COMMIT") {
            Ok(()) => {
                self.connection = Some(connection);
                Ok(())
            }
            Err(error) => {
                self.roll_back(connection);
                Err(error)
            }
        }
    }

    /// Takes back what it has done. A connection that is left within a transaction is closed, as what comes next would be
    /// a part of that.
    pub(crate) fn roll_back(&mut self, connection: BareConnection) {
        // A full disk makes SQLite roll back by itself.
        if !connection.0.is_autocommit()
            && let Err(error) = connection.run("ROLLBACK")
        {
            tracing::warn!(error.message = %error, "A rollback failed: {error}");
        }
        self.connection = Some(connection).filter(|connection| connection.0.is_autocommit());
    }
}

/// A connection to the file that makes whoever runs a statement wait for it.
#[derive(Debug)]
pub(crate) struct BareConnection(Connection);

impl BareConnection {
    fn open(file: &Path) -> Result<Self, Error> {
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(file, flags).map_err(error)?;
        connection.busy_timeout(BUSY_TIMEOUT).map_err(error)?;
        for (name, value) in SETTINGS {
            let set = connection.pragma_update(None, name, value);
            set.map_err(error)?;
        }
        Ok(Self(connection))
    }

    fn run(&self, sql: &str) -> Result<(), Error> {
        let mut prepared = self.0.prepare_cached(sql).map_err(error)?;
        prepared.execute(()).map(drop).map_err(error)
    }

    /// Lets the database have no more pages than it has by now.
    #[cfg(test)]
    pub(crate) fn limit_pages(&self) {
        self.0
            .query_row("PRAGMA max_page_count = 1", (), |_| Ok(()))
            .expect("a limit");
    }

    /// Has the statement prepared, with its values in their places, for `work`.
    fn with<T>(
        &self,
        statement: &Statement,
        work: impl FnOnce(&mut Prepared<'_>) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let mut prepared = self.0.prepare_cached(&statement.sql).map_err(error)?;
        let values = statement
            .values
            .as_ref()
            .map_or(&[][..], |values| &values.0);
        if values.len() != prepared.parameter_count() {
            return Err(Error::Unavailable(
                "a statement has not as many values as places for them".into(),
            ));
        }
        for (value, place) in values.iter().zip(1..) {
            prepared
                .raw_bind_parameter(place, Bound(value))
                .map_err(error)?;
        }
        work(&mut prepared)
    }
}

impl Executes for BareConnection {
    fn backend(&self) -> DbBackend {
        DbBackend::Sqlite
    }

    fn change(&self, statement: Statement) -> impl Future<Output = Result<u64, Error>> + Send {
        ready(self.with(&statement, |prepared| {
            let changed = prepared.raw_execute().map_err(error)?;
            Ok(changed as u64)
        }))
    }

    fn ask<T: FromRow + Send>(
        &self,
        question: Statement,
    ) -> impl Future<Output = Result<Vec<T>, Error>> + Send {
        ready(self.with(&question, |prepared| {
            let mut rows = prepared.raw_query();
            let mut read = Vec::new();
            while let Some(row) = rows.next().map_err(error)? {
                read.push(T::from_row(&mut Cells::of(row))?);
            }
            Ok(read)
        }))
    }
}

impl Row for rusqlite::Row<'_> {
    fn cell<T: Cell>(&self, index: usize) -> Result<T, Error> {
        self.get(index).map_err(error)
    }
}

/// A value as the driver has it in a file.
struct Bound<'value>(&'value Value);

impl rusqlite::ToSql for Bound<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        let cell = match self.0 {
            Value::Bool(value) => value.map(|value| ValueRef::Integer(value.into())),
            Value::Int(value) => value.map(|value| ValueRef::Integer(value.into())),
            Value::BigInt(value) => value.map(ValueRef::Integer),
            // Of a LIMIT and an OFFSET.
            Value::BigUnsigned(value) => match value.map(i64::try_from).transpose() {
                Ok(value) => value.map(ValueRef::Integer),
                Err(error) => return Err(rusqlite::Error::ToSqlConversionFailure(error.into())),
            },
            Value::String(text) => text.as_deref().map(|text| ValueRef::Text(text.as_bytes())),
            Value::Bytes(bytes) => bytes.as_deref().map(ValueRef::Blob),
            Value::Uuid(id) => id.as_ref().map(|id| ValueRef::Blob(id.as_bytes())),
            _ => {
                let kind = "a value is of a kind that no column has";
                return Err(rusqlite::Error::ToSqlConversionFailure(kind.into()));
            }
        };
        Ok(ToSqlOutput::Borrowed(cell.unwrap_or(ValueRef::Null)))
    }
}

#[expect(clippy::needless_pass_by_value, reason = "it is what `map_err` gives")]
fn error(error: rusqlite::Error) -> Error {
    let code = error
        .sqlite_error()
        .map(|error| error.extended_code.cast_unsigned());
    let message = error.to_string();
    error_of(verdict_of(code, &message), message)
}

#[cfg(test)]
mod tests;
