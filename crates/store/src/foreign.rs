//! Databases of other programs, which are read and never written: what tables they have, and the rows of one as
//! texts. What the columns mean is decided by the crate `accounts`.

use std::sync::Arc;

use futures_util::TryStreamExt as _;
use sea_orm::{
    DatabaseConnection, DatabaseTransaction, DbErr, QueryResult, Statement, StreamTrait as _,
};
use tokio::{sync::mpsc, task::JoinHandle};

use crate::{Error, OpenError, Options, engine::foreign};

/// Rows that are handed over at once.
const ROWS_AT_ONCE: usize = 100;
/// Fewer are, where they have so many bytes together.
const BYTES_AT_ONCE: usize = 8 << 20;
/// Such batches that wait to be taken; so the memory is the same for any number of rows.
const BATCHES_AHEAD: usize = 2;

/// A table or a view of somebody else's database.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ForeignTable {
    /// The schema that it is in; empty where it is the usual one.
    pub schema: String,
    /// Its name within that.
    pub name: String,
    /// Its columns, in their order.
    pub columns: Vec<ForeignColumn>,
}

/// A column of such a table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ForeignColumn {
    /// Its name.
    pub name: String,
    /// Its type as the engine calls it, in lower case.
    pub kind: String,
}

/// What to read.
#[derive(Clone, Debug)]
pub struct ForeignQuery {
    /// The table, as [`ForeignDatabase::tables`] gives it.
    pub table: ForeignTable,
    /// A second table, of which each row has at most one beside it.
    pub beside: Option<ForeignJoin>,
    /// The column of the first table by which the rows are ordered, where it has an order.
    pub order: Option<String>,
}

/// Which row of a second table stands beside one of the first: that whose `column` holds the other's `of`, and whose
/// `marked` holds a given text.
#[derive(Clone, Debug)]
pub struct ForeignJoin {
    /// The second table.
    pub table: ForeignTable,
    /// A column of the second table.
    pub column: String,
    /// A column of the first.
    pub of: String,
    /// A column of the second, and the text in it.
    pub marked: (String, &'static str),
}

/// One row: the texts of its columns, first those of the table and then those of the one beside it. What is no text
/// in UTF-8 is written in hexadecimal digits.
pub type ForeignRow = Vec<Option<String>>;

/// Somebody else's database, open for reading as it is at one moment. It is to be closed.
pub struct ForeignDatabase {
    connection: DatabaseConnection,
    /// Shared with the task that reads rows.
    transaction: Arc<DatabaseTransaction>,
}

/// The rows of a query, as they come. They are to be closed.
pub struct ForeignRows {
    database: ForeignDatabase,
    query: ForeignQuery,
    batches: mpsc::Receiver<Batch>,
    reader: JoinHandle<()>,
}

type Batch = Result<Vec<ForeignRow>, Error>;

impl ForeignTable {
    /// The name to call it by, with its schema where that is not the usual one.
    #[must_use]
    pub fn full_name(&self) -> String {
        match self.schema.as_str() {
            "" => self.name.clone(),
            schema => format!("{schema}.{}", self.name),
        }
    }
}

impl ForeignDatabase {
    /// Connects to an existing database, whoever made it, so that it cannot be written.
    ///
    /// # Errors
    /// [`OpenError::File`], [`OpenError::NotADatabase`], [`OpenError::Refused`], [`OpenError::Unreachable`],
    /// [`OpenError::Store`].
    pub async fn open(options: &Options) -> Result<Self, OpenError> {
        let connection = foreign::open(options).await?;
        let transaction = foreign::begin(&connection).await.map_err(Error::from)?;
        Ok(Self {
            connection,
            transaction: Arc::new(transaction),
        })
    }

    /// Every table and view that we may read, sorted by name.
    pub async fn tables(&self) -> Result<Vec<ForeignTable>, Error> {
        let mut tables: Vec<ForeignTable> = Vec::new();
        for row in foreign::columns(&self.transaction).await? {
            let [schema, name, column, kind] = row;
            let column = ForeignColumn {
                name: column,
                kind: kind.to_lowercase(),
            };
            match tables.last_mut() {
                Some(table) if (&table.schema, &table.name) == (&schema, &name) => {
                    table.columns.push(column);
                }
                _ => tables.push(ForeignTable {
                    schema,
                    name,
                    columns: vec![column],
                }),
            }
        }
        Ok(tables)
    }

    /// How many rows a table has.
    pub async fn count(&self, table: &ForeignTable) -> Result<u64, Error> {
        foreign::count(&self.transaction, table).await
    }

    /// Begins to read the rows of a query.
    #[must_use]
    pub fn rows(self, query: ForeignQuery) -> ForeignRows {
        let (batches, reader) = self.read(&query);
        ForeignRows {
            database: self,
            query,
            batches,
            reader,
        }
    }

    fn read(&self, query: &ForeignQuery) -> (mpsc::Receiver<Batch>, JoinHandle<()>) {
        let (sender, batches) = mpsc::channel(BATCHES_AHEAD);
        let transaction = Arc::clone(&self.transaction);
        let (sql, width) = foreign::select(transaction.get_database_backend(), query);
        let reader = tokio::spawn(async move {
            if let Err(error) = send(&transaction, sql, width, &sender).await {
                // Whoever has left does not want to know.
                let _ = sender.send(Err(error.into())).await;
            }
        });
        (batches, reader)
    }

    /// Ends the transaction and closes the connection.
    pub async fn close(self) {
        let ended = match Arc::into_inner(self.transaction) {
            Some(transaction) => foreign::end(transaction).await,
            // Its reader did not end well, and the transaction ends with the connection.
            None => Ok(()),
        };
        if let Err(error) = ended.and(self.connection.close().await) {
            tracing::warn!(error.message = %error, "A database that was read did not close cleanly: {error}");
        }
    }
}

impl ForeignRows {
    /// The next rows, at least one; `None` behind the last.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the rest cannot be read.
    pub async fn next(&mut self) -> Result<Option<Vec<ForeignRow>>, Error> {
        self.batches.recv().await.transpose()
    }

    /// Goes back to before the first row. The rows are the same again.
    pub fn rewind(&mut self) {
        (self.batches, self.reader) = self.database.read(&self.query);
    }

    /// Ends the reading, also before the last row, and closes the database.
    pub async fn close(self) {
        drop(self.batches);
        if let Err(error) = self.reader.await {
            tracing::warn!(error.message = %error, "A database was not read to the end: {error}");
        }
        self.database.close().await;
    }
}

async fn send(
    connection: &DatabaseTransaction,
    sql: String,
    width: usize,
    sender: &mpsc::Sender<Batch>,
) -> Result<(), DbErr> {
    let statement = Statement::from_string(connection.get_database_backend(), sql);
    let mut rows = connection.stream_raw(statement).await?;
    let (mut batch, mut bytes) = (Vec::with_capacity(ROWS_AT_ONCE), 0);
    while let Some(row) = rows.try_next().await? {
        let row = texts(&row, width)?;
        bytes += row.iter().flatten().map(String::len).sum::<usize>();
        batch.push(row);
        if batch.len() == ROWS_AT_ONCE || bytes >= BYTES_AT_ONCE {
            bytes = 0;
            if sender.send(Ok(std::mem::take(&mut batch))).await.is_err() {
                return Ok(());
            }
        }
    }
    if !batch.is_empty() {
        let _ = sender.send(Ok(batch)).await;
    }
    Ok(())
}

fn texts(row: &QueryResult, width: usize) -> Result<ForeignRow, DbErr> {
    let cell = |index| {
        let bytes: Option<Vec<u8>> = row.try_get_by_index(index)?;
        Ok(bytes
            .map(|bytes| String::from_utf8(bytes).unwrap_or_else(|error| hex(error.as_bytes()))))
    };
    (0..width).map(cell).collect()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
