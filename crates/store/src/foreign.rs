//! Databases of other programs, which are read and never written: what tables they have, and the rows of one as
//! texts. What the columns mean is decided by the crate `accounts`.

use futures_util::TryStreamExt as _;
use sea_orm::{DatabaseConnection, DbErr, QueryResult, Statement, StreamTrait as _};
use tokio::sync::mpsc;

use crate::{Error, OpenError, Options, engine::foreign};

/// Rows that are handed over at once.
const ROWS_AT_ONCE: usize = 100;
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
}

/// Which row of a second table stands beside one of the first: that whose `column` holds the other's `of`, and whose
/// `marked` holds a given text.
#[derive(Clone, Debug)]
pub struct ForeignJoin {
    /// The second table.
    pub table: ForeignTable,
    /// A column of the second table.
    pub column: &'static str,
    /// A column of the first.
    pub of: &'static str,
    /// A column of the second, and the text in it.
    pub marked: (&'static str, &'static str),
}

/// One row: the texts of its columns, first those of the table and then those of the one beside it. What is no text
/// in UTF-8 is written in hexadecimal digits.
pub type ForeignRow = Vec<Option<String>>;

/// Somebody else's database, open for reading.
pub struct ForeignDatabase(DatabaseConnection);

/// The rows of a query, as they come.
pub struct ForeignRows(mpsc::Receiver<Result<Vec<ForeignRow>, Error>>);

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
    /// [`OpenError::File`], [`OpenError::NotADatabase`], [`OpenError::Refused`], [`OpenError::Unreachable`].
    pub async fn open(options: &Options) -> Result<Self, OpenError> {
        foreign::open(options).await.map(Self)
    }

    /// Every table and view that we may read, sorted by name.
    pub async fn tables(&self) -> Result<Vec<ForeignTable>, Error> {
        let mut tables: Vec<ForeignTable> = Vec::new();
        for row in foreign::columns(&self.0).await? {
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
        foreign::count(&self.0, table).await
    }

    /// Begins to read, as of now, and closes the database when all is read or nobody wants more.
    #[must_use]
    pub fn rows(self, query: &ForeignQuery) -> ForeignRows {
        let (sender, receiver) = mpsc::channel(BATCHES_AHEAD);
        let (sql, width) = foreign::select(&self.0, query);
        tokio::spawn(async move {
            if let Err(error) = send(&self.0, sql, width, &sender).await {
                // Whoever has left does not want to know.
                let _ = sender.send(Err(error.into())).await;
            }
            if let Err(error) = self.0.close().await {
                tracing::warn!(error.message = %error, "A database that was read did not close cleanly: {error}");
            }
        });
        ForeignRows(receiver)
    }

    /// Closes it unread.
    pub async fn close(self) {
        if let Err(error) = self.0.close().await {
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
        self.0.recv().await.transpose()
    }
}

async fn send(
    connection: &DatabaseConnection,
    sql: String,
    width: usize,
    sender: &mpsc::Sender<Result<Vec<ForeignRow>, Error>>,
) -> Result<(), DbErr> {
    let statement = Statement::from_string(connection.get_database_backend(), sql);
    let mut rows = connection.stream_raw(statement).await?;
    let mut batch = Vec::with_capacity(ROWS_AT_ONCE);
    while let Some(row) = rows.try_next().await? {
        batch.push(texts(&row, width)?);
        if batch.len() == ROWS_AT_ONCE && sender.send(Ok(std::mem::take(&mut batch))).await.is_err()
        {
            return Ok(());
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
