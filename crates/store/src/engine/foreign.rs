//! How each engine tells what is in a database that is not ours, and gives every value as bytes of text.

use std::path::Path;

use sea_orm::{
    ConnectionTrait as _, DatabaseConnection, DatabaseTransaction, DbBackend, DbErr, Statement,
    TransactionTrait as _,
};

use super::{Options, mysql, postgres, server, sqlite, unusable, url::Place};
use crate::{Error, ForeignColumn, ForeignJoin, ForeignQuery, ForeignTable, OpenError};

/// Each column of each table, those of one table together: schema, table, column, type.
const SQLITE_COLUMNS: &str = "SELECT '', m.name, c.name, c.type FROM sqlite_master m \
     JOIN pragma_table_xinfo(m.name) c WHERE m.type IN ('table', 'view') AND m.name NOT LIKE 'sqlite\\_%' ESCAPE '\\' \
     ORDER BY m.name, c.cid";
const POSTGRES_COLUMNS: &str = "SELECT CASE table_schema WHEN 'public' THEN '' ELSE table_schema::text END, \
     table_name::text, column_name::text, data_type::text FROM information_schema.columns \
     WHERE table_schema NOT IN ('pg_catalog', 'information_schema') \
     ORDER BY table_schema, table_name, ordinal_position";
const MYSQL_COLUMNS: &str = "SELECT '', CONVERT(table_name USING utf8mb4), CONVERT(column_name USING utf8mb4), \
     CONVERT(data_type USING utf8mb4) FROM information_schema.columns WHERE table_schema = DATABASE() \
     ORDER BY table_name, ordinal_position";

/// Types whose values PostgreSQL cannot order.
const UNORDERED: [&str; 2] = ["json", "xml"];

/// Connects to a database, which is to be read in a transaction from [`begin`] alone.
pub(crate) async fn open(options: &Options) -> Result<DatabaseConnection, OpenError> {
    match &options.url.0 {
        Place::File(file) => {
            std::fs::metadata(file).map_err(|source| unusable(file, source))?;
            if !sqlite::has_header(file).map_err(|source| unusable(file, source))? {
                return Err(OpenError::NotADatabase {
                    database: options.url.to_string(),
                });
            }
            sqlite::looking(sqlite::reading_alone(file)).await
        }
        Place::Server(server) => server::foreign(options, server).await,
    }
}

/// Begins the one transaction in which all is read, as of one moment, and in which nothing can be written.
pub(crate) async fn begin(connection: &DatabaseConnection) -> Result<DatabaseTransaction, DbErr> {
    match connection.get_database_backend() {
        DbBackend::Postgres => postgres::begin_foreign(connection).await,
        DbBackend::MySql => mysql::begin_foreign(connection).await,
        // The connection itself cannot write.
        _ => connection.begin().await,
    }
}

/// Ends that transaction.
pub(crate) async fn end(transaction: DatabaseTransaction) -> Result<(), DbErr> {
    match transaction.get_database_backend() {
        DbBackend::Postgres => postgres::end_foreign(transaction).await,
        _ => transaction.rollback().await,
    }
}

/// Whether a file is a database, and not one of text.
#[must_use]
pub fn is_database_file(file: &Path) -> bool {
    let has_content = std::fs::metadata(file).is_ok_and(|found| found.len() > 0);
    has_content && sqlite::has_header(file).unwrap_or(false)
}

/// Schema, table, name and type of every column.
pub(crate) async fn columns(connection: &DatabaseTransaction) -> Result<Vec<[String; 4]>, Error> {
    let sql = match connection.get_database_backend() {
        DbBackend::Postgres => POSTGRES_COLUMNS,
        DbBackend::MySql => MYSQL_COLUMNS,
        _ => SQLITE_COLUMNS,
    };
    let statement = Statement::from_string(connection.get_database_backend(), sql);
    let rows = connection.query_all_raw(statement).await?;
    let texts = rows.iter().map(|row| {
        let text = |index| row.try_get_by_index::<String>(index);
        Ok::<_, DbErr>([text(0)?, text(1)?, text(2)?, text(3)?])
    });
    Ok(texts.collect::<Result<_, _>>()?)
}

/// How many rows a table has.
pub(crate) async fn count(
    connection: &DatabaseTransaction,
    table: &ForeignTable,
) -> Result<u64, Error> {
    let backend = connection.get_database_backend();
    let sql = format!("SELECT count(*) FROM {}", place(backend, table));
    let row = connection
        .query_one_raw(Statement::from_string(backend, sql))
        .await?;
    let count = row.map(|row| row.try_get_by_index::<i64>(0)).transpose()?;
    Ok(count
        .and_then(|count| u64::try_from(count).ok())
        .unwrap_or(0))
}

/// The statement of a query, and how many columns its rows have.
pub(crate) fn select(backend: DbBackend, query: &ForeignQuery) -> (String, usize) {
    let cells = |alias: &'static str, table: &ForeignTable| {
        let cell = move |column: &ForeignColumn| cell(backend, alias, column);
        table.columns.iter().map(cell).collect::<Vec<_>>()
    };
    let mut columns = cells("t", &query.table);
    let mut from = format!("{} t", place(backend, &query.table));
    if let Some(ForeignJoin {
        table,
        column,
        of,
        marked: (mark, text),
    }) = &query.beside
    {
        columns.extend(cells("b", table));
        let name = |alias: &str, column: &str| format!("{alias}.{}", quoted(backend, column));
        from.push_str(&format!(
            " LEFT JOIN {} b ON {} = {} AND {} = '{text}'",
            place(backend, table),
            name("b", column),
            name("t", of),
            name("b", mark),
        ));
    }
    let order = query.order.as_ref().and_then(|name| {
        let column = query
            .table
            .columns
            .iter()
            .find(|column| column.name == *name)?;
        let name = quoted(backend, &column.name);
        (!UNORDERED.contains(&column.kind.as_str())).then(|| format!(" ORDER BY t.{name}"))
    });
    let order = order.unwrap_or_default();
    let sql = format!("SELECT {} FROM {from}{order}", columns.join(", "));
    (sql, columns.len())
}

fn place(backend: DbBackend, table: &ForeignTable) -> String {
    let name = quoted(backend, &table.name);
    match table.schema.as_str() {
        "" => name,
        schema => format!("{}.{name}", quoted(backend, schema)),
    }
}

/// The name of something, which may hold anything.
fn quoted(backend: DbBackend, name: &str) -> String {
    let quote = match backend {
        DbBackend::MySql => '`',
        _ => '"',
    };
    let doubled = name.replace(quote, &format!("{quote}{quote}"));
    format!("{quote}{doubled}{quote}")
}

/// A value as the bytes of its text in UTF-8, or as its own bytes where it has some.
fn cell(backend: DbBackend, alias: &str, column: &ForeignColumn) -> String {
    let name = format!("{alias}.{}", quoted(backend, &column.name));
    let kind = column.kind.as_str();
    match backend {
        DbBackend::Postgres if kind == "bytea" => name,
        DbBackend::Postgres => format!("convert_to({name}::text, 'UTF8')"),
        DbBackend::MySql if kind.contains("binary") || kind.contains("blob") => {
            format!("CAST({name} AS BINARY)")
        }
        DbBackend::MySql if kind == "bit" => format!("CAST(CAST({name} + 0 AS CHAR) AS BINARY)"),
        DbBackend::MySql => format!("CAST(CONVERT({name} USING utf8mb4) AS BINARY)"),
        _ => format!("CAST({name} AS BLOB)"),
    }
}
