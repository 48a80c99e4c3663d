//! Events that happen often, and what they are written against: the same event runs in a transaction of SeaORM and, for a
//! database in a file, on the bare connection of `engine/sqlite/bare.rs`, where a statement costs no change of thread. On
//! a server whose statements can change and answer, one of them may be tried in place of the whole transaction.

use futures_util::future::{BoxFuture, LocalBoxFuture};
use sea_orm::{ConnectionTrait, DatabaseConnection, DbBackend, QueryResult, Statement, TryGetable};

use crate::{
    Error,
    engine::{BareConnection, FromFile},
    run::Event,
};

/// An event that happens often.
pub(crate) struct Frequent<A, T> {
    /// As it runs in a transaction of any engine.
    pub(crate) anywhere: Event<A, T>,
    /// As it runs on the bare connection to a file.
    pub(crate) bare: BareEvent<A, T>,
    /// As one statement, where there is one.
    pub(crate) single: Option<SingleEvent<A, T>>,
}

/// An event on the bare connection to a file, where nothing waits.
pub(crate) type BareEvent<A, T> =
    for<'a> fn(&'a BareConnection, &'a A) -> LocalBoxFuture<'a, Result<T, Error>>;

/// An event as one statement, committed by itself: for an engine that [answers changes](crate::engine::answers_changes).
/// `None` means that it has changed nothing, and whatever the reason is, the event is run in a transaction then. So it is
/// after an error, although the statement may have come to pass or still be under way: it must be one after which, or
/// beside which, the event does no harm, and must come to nothing where it is late.
pub(crate) type SingleEvent<A, T> =
    for<'a> fn(&'a DatabaseConnection, &'a A) -> BoxFuture<'a, Result<Option<T>, Error>>;

/// Makes a [`Frequent`] of one function of whatever [`Executes`] statements and of the arguments, and of the function that
/// does the same by one statement.
macro_rules! frequent {
    ($event:path) => {
        $crate::frequent::frequent!($event, None)
    };
    ($event:path, at_once: $single:path) => {
        $crate::frequent::frequent!(
            $event,
            Some(|db, arguments| Box::pin($single(db, arguments)))
        )
    };
    ($event:path, $single:expr) => {
        $crate::frequent::Frequent {
            anywhere: |tx, arguments| Box::pin($event(tx, arguments)),
            bare: |connection, arguments| Box::pin($event(connection, arguments)),
            single: $single,
        }
    };
}
pub(crate) use frequent;

/// What runs the statements of an event.
pub(crate) trait Executes {
    /// For which engine statements are to be.
    fn backend(&self) -> DbBackend;

    /// Executes a statement, and says how many rows it has changed.
    fn change(&self, statement: Statement) -> impl Future<Output = Result<u64, Error>> + Send;

    /// Asks a question, and reads each row of the answer.
    fn ask<T: FromRow + Send>(
        &self,
        question: Statement,
    ) -> impl Future<Output = Result<Vec<T>, Error>> + Send;
}

/// What is read of a row, whose columns are in the order of the question.
pub(crate) trait FromRow: Sized {
    fn from_row(cells: &mut Cells<'_, impl Row>) -> Result<Self, Error>;
}

/// A row of an answer.
pub(crate) trait Row {
    fn cell<T: Cell>(&self, index: usize) -> Result<T, Error>;
}

/// What can stand in a cell.
pub(crate) trait Cell: TryGetable + FromFile {}

impl<T: TryGetable + FromFile> Cell for T {}

/// The cells of a row, one after the other.
pub(crate) struct Cells<'row, R> {
    row: &'row R,
    index: usize,
}

impl<'row, R: Row> Cells<'row, R> {
    pub(crate) fn of(row: &'row R) -> Self {
        Self { row, index: 0 }
    }

    /// The next one.
    pub(crate) fn take<T: Cell>(&mut self) -> Result<T, Error> {
        let index = self.index;
        self.index += 1;
        self.row.cell(index)
    }
}

impl<C: ConnectionTrait> Executes for C {
    fn backend(&self) -> DbBackend {
        self.get_database_backend()
    }

    async fn change(&self, statement: Statement) -> Result<u64, Error> {
        Ok(self.execute_raw(statement).await?.rows_affected())
    }

    async fn ask<T: FromRow + Send>(&self, question: Statement) -> Result<Vec<T>, Error> {
        let rows = self.query_all_raw(question).await?;
        let read = |row| T::from_row(&mut Cells::of(row));
        rows.iter().map(read).collect()
    }
}

impl Row for QueryResult {
    fn cell<T: Cell>(&self, index: usize) -> Result<T, Error> {
        Ok(self.try_get_by_index(index)?)
    }
}
