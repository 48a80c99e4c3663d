//! Changes of the schema as values: each is written as SQL in one place, be it to run or to print,
//! and means the same on every engine. Which changes there are is up to the steps.
//!
//! A change that is there already is left out. MariaDB commits each one by itself, so a step that
//! was killed runs again over what it has done.

use sea_orm_migration::{
    prelude::*,
    sea_orm::{DbBackend, StatementBuilder},
};

use crate::schema::Index;

/// The collation of texts on the two servers of this protocol, each of which has one of its own
/// that is binary and does not pad. Each reads the comment that is meant for it.
const BINARY_COLLATION: &str = "/*M! utf8mb4_nopad_bin */ /*!80000 utf8mb4_0900_bin */";

/// A column for more bytes than the 65,535 that `blob` holds on some engines.
pub(super) fn large_blob(name: &'static str) -> ColumnDef {
    ColumnDef::new_with_type(name, ColumnType::VarBinary(StringLen::Max))
        .not_null()
        .to_owned()
}

/// One change.
pub(super) enum Change {
    /// A table, whose texts are compared byte by byte, trailing spaces included: what counts as
    /// the same name is decided by the rules, never by a collation; and an index in the order of
    /// some language breaks with an upgrade of the system's library.
    CreateTable(TableCreateStatement),
    DropTable(&'static str),
    /// A column of an existing table; one without NULLs needs a default for the rows there are.
    AddColumn(&'static str, ColumnDef),
    DropColumn(&'static str, &'static str),
    /// An index of the table.
    CreateIndex(&'static str, Index),
    DropIndex(&'static str, Index),
    /// A row of a key and a value.
    InsertRow(&'static str, [&'static str; 2], [Value; 2]),
}

impl Change {
    /// Makes the change, unless an earlier run has made it.
    pub(super) async fn make(&self, manager: &SchemaManager<'_>) -> Result<(), DbErr> {
        if self.is_made(manager).await? {
            return Ok(());
        }
        let sql = self.sql(manager.get_database_backend());
        let connection = manager.get_connection();
        connection.execute_unprepared(&sql).await.map(drop)
    }

    /// Whether the database has it.
    pub(super) async fn is_made(&self, manager: &SchemaManager<'_>) -> Result<bool, DbErr> {
        Ok(match self {
            Self::CreateTable(table) => manager.has_table(name_of(table)).await?,
            Self::DropTable(table) => !manager.has_table(table).await?,
            Self::AddColumn(table, column) => {
                manager.has_column(table, column.get_column_name()).await?
            }
            Self::DropColumn(table, column) => !manager.has_column(table, column).await?,
            Self::CreateIndex(table, index) => manager.has_index(table, index.name).await?,
            Self::DropIndex(table, index) => !manager.has_index(table, index.name).await?,
            Self::InsertRow(table, [key, _], [value, _]) => {
                let row = Query::select()
                    .column(*key)
                    .from(*table)
                    .and_where(Expr::col(*key).eq(value.clone()))
                    .to_owned();
                manager.has_table(table).await?
                    && manager.get_connection().query_one(&row).await?.is_some()
            }
        })
    }

    /// The one statement that makes the change.
    pub(super) fn sql(&self, engine: DbBackend) -> String {
        let written = |statement: &dyn StatementBuilder| statement.build(&engine).to_string();
        match self {
            Self::CreateTable(table) => written(&as_kept_by(engine, table)),
            Self::DropTable(table) => written(Table::drop().table(*table)),
            Self::AddColumn(table, column) => {
                let column = column_as_kept_by(engine, column);
                written(Table::alter().table(*table).add_column(column))
            }
            Self::DropColumn(table, column) => {
                written(Table::alter().table(*table).drop_column(*column))
            }
            Self::CreateIndex(table, index) => written(&create_index(table, index, engine)),
            Self::DropIndex(table, index) => {
                let mut dropped = sea_query::Index::drop();
                written(dropped.name(index.name).table(*table))
            }
            Self::InsertRow(table, columns, values) => written(
                Query::insert()
                    .into_table(*table)
                    .columns(*columns)
                    .values_panic(values.clone().map(Into::into)),
            ),
        }
    }
}

fn name_of(table: &TableCreateStatement) -> String {
    match table.get_table_name() {
        Some(TableRef::Table(name, _)) => name.1.to_string(),
        _ => unreachable!("a table is made by its name"),
    }
}

/// The table in the types and the collation of this engine.
fn as_kept_by(engine: DbBackend, table: &TableCreateStatement) -> TableCreateStatement {
    let mut kept = Table::create();
    kept.table(name_of(table));
    for column in table.get_columns() {
        kept.col(column_as_kept_by(engine, column));
    }
    for key in table.get_indexes() {
        kept.index(&mut key.clone());
    }
    for reference in table.get_foreign_key_create_stmts() {
        kept.foreign_key(&mut reference.clone());
    }
    if engine == DbBackend::MySql {
        kept.engine("InnoDB")
            .character_set("utf8mb4")
            .collate(BINARY_COLLATION);
    }
    kept
}

/// The column, where the library has another type for it, or no collation.
fn column_as_kept_by(engine: DbBackend, column: &ColumnDef) -> ColumnDef {
    let kind = match (engine, column.get_column_type()) {
        (DbBackend::Postgres, Some(ColumnType::String(StringLen::N(length)))) => {
            format!("varchar({length}) COLLATE \"C\"")
        }
        (DbBackend::Postgres, Some(ColumnType::Text)) => "text COLLATE \"C\"".to_owned(),
        (DbBackend::MySql, Some(ColumnType::VarBinary(StringLen::Max))) => "mediumblob".to_owned(),
        (DbBackend::Sqlite, Some(ColumnType::VarBinary(StringLen::Max))) => "blob".to_owned(),
        _ => return column.clone(),
    };
    column.clone().custom(Alias::new(kind)).to_owned()
}

fn create_index(table: &'static str, index: &Index, engine: DbBackend) -> IndexCreateStatement {
    let mut create = sea_query::Index::create();
    create.name(index.name).table(table);
    for column in index.columns {
        create.col(*column);
    }
    if index.is_unique {
        create.unique();
    }
    if index.is_sparse(engine) {
        create.and_where(Expr::col(index.columns[0]).is_not_null());
    }
    create
}
