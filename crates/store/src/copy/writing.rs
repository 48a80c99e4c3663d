//! Rows into the target: a page all or none, in statements that a server takes, and, where one is
//! refused, which row it is about.

use sea_orm::{
    ConnectionTrait as _, DatabaseConnection, DatabaseTransaction, DbErr, TransactionTrait as _,
    Value,
};

use super::{
    CopyError, mark,
    table::{Row, Table},
};
use crate::{Error, engine};

/// A statement carries rows of so many bytes, about: servers take 16 MiB at the most.
const STATEMENT_BYTES: usize = 1 << 20;

/// Writes rows, all or none.
pub(super) async fn write(
    db: &DatabaseConnection,
    table: &Table,
    rows: &[Row],
) -> Result<(), CopyError> {
    let tx = begin(db).await?;
    mark::hold(&tx).await?;
    for rows in statements(rows) {
        let Err(error) = tx.execute(&table.insert(rows)).await else {
            continue;
        };
        undo(tx).await;
        return Err(match engine::is_refusal(&error) {
            true => refused_row(db, table, rows, error).await,
            false => Error::from(error).into(),
        });
    }
    tx.commit().await.map_err(Error::from)?;
    Ok(())
}

/// The first of the rows that the engine does not take, with the reason.
async fn refused_row(
    db: &DatabaseConnection,
    table: &Table,
    rows: &[Row],
    error: DbErr,
) -> CopyError {
    for row in rows {
        let tx = match begin(db).await {
            Ok(tx) => tx,
            Err(error) => return error.into(),
        };
        let written = tx.execute(&table.insert(std::slice::from_ref(row))).await;
        undo(tx).await;
        if let Err(error) = written {
            return CopyError::Row {
                table: table.name,
                row: table.shown_key(row),
                reason: error.to_string(),
            };
        }
    }
    Error::from(error).into()
}

/// Cuts rows into parts that a server takes in one statement.
fn statements(rows: &[Row]) -> impl Iterator<Item = &[Row]> {
    let mut bytes = 0;
    rows.chunk_by(move |row, _| {
        bytes += bytes_of(row);
        let is_room = bytes < STATEMENT_BYTES;
        if !is_room {
            bytes = 0;
        }
        is_room
    })
}

pub(super) async fn begin(db: &DatabaseConnection) -> Result<DatabaseTransaction, Error> {
    Ok(db.begin_with_options(engine::write_options()).await?)
}

async fn undo(tx: DatabaseTransaction) {
    if let Err(error) = tx.rollback().await {
        tracing::warn!(error.message = %error, "A rollback failed: {error}");
    }
}

/// About how many bytes the row is in a statement.
fn bytes_of(row: &Row) -> usize {
    const NUMBER: usize = 8;
    let bytes = row.iter().map(|value| match value {
        Value::String(Some(text)) => text.len(),
        Value::Bytes(Some(bytes)) => bytes.len(),
        _ => NUMBER,
    });
    bytes.sum()
}
