//! Changes of the schema that mean the same on every engine and may be repeated: MariaDB commits
//! each one by itself, so a migration that was killed runs again over what it has done.

use sea_orm_migration::{
    prelude::*,
    sea_orm::{DbBackend, Statement},
};

/// Creates a table, if it is not there, whose texts are compared byte by byte, trailing spaces
/// included. What counts as the same name is decided by the rules, never by a collation; and an
/// index in the order of some language breaks with an upgrade of the system's library.
pub(super) async fn create_table(
    manager: &SchemaManager<'_>,
    mut table: TableCreateStatement,
) -> Result<(), DbErr> {
    table.if_not_exists();
    match manager.get_database_backend() {
        DbBackend::MySql => {
            let collation = binary_collation(manager).await?;
            table
                .engine("InnoDB")
                .character_set("utf8mb4")
                .collate(collation);
            manager.create_table(table).await
        }
        DbBackend::Postgres => {
            let collated = in_order_of_bytes(&table);
            manager.create_table(table).await?;
            match collated {
                Some(change) => manager.alter_table(change).await,
                None => Ok(()),
            }
        }
        _ => manager.create_table(table).await,
    }
}

/// Creates an index, if there is none of its name on the table.
pub(super) async fn create_index(
    manager: &SchemaManager<'_>,
    table: &'static str,
    name: &'static str,
    index: &mut IndexCreateStatement,
) -> Result<(), DbErr> {
    if manager.has_index(table, name).await? {
        return Ok(());
    }
    manager
        .create_index(index.name(name).table(table).to_owned())
        .await
}

/// Drops an index, if it is there.
pub(super) async fn drop_index(
    manager: &SchemaManager<'_>,
    table: &'static str,
    name: &'static str,
) -> Result<(), DbErr> {
    if !manager.has_index(table, name).await? {
        return Ok(());
    }
    manager
        .drop_index(Index::drop().name(name).table(table).to_owned())
        .await
}

/// Inserts a row of a key and a value, unless an earlier run has made it.
pub(super) async fn insert_row(
    manager: &SchemaManager<'_>,
    table: &'static str,
    columns: [&'static str; 2],
    values: [Value; 2],
) -> Result<(), DbErr> {
    let key = Expr::col(columns[0]).eq(values[0].clone());
    let found = Query::select()
        .column(columns[0])
        .from(table)
        .and_where(key)
        .to_owned();
    if manager.get_connection().query_one(&found).await?.is_some() {
        return Ok(());
    }
    let row = Query::insert()
        .into_table(table)
        .columns(columns)
        .values_panic(values.map(Into::into))
        .to_owned();
    manager.execute(row).await
}

/// Each of the two servers of this protocol has a collation of its own that is binary and does not
/// pad.
async fn binary_collation(manager: &SchemaManager<'_>) -> Result<&'static str, DbErr> {
    const SQL: &str = "SELECT VERSION() LIKE '%MariaDB%' AS is_mariadb";
    let question = Statement::from_string(DbBackend::MySql, SQL);
    let answer = manager.get_connection().query_one_raw(question).await?;
    let is_mariadb = answer.map(|row| row.try_get::<bool>("", "is_mariadb"));
    Ok(match is_mariadb.transpose()? {
        Some(false) => "utf8mb4_0900_bin",
        _ => "utf8mb4_nopad_bin",
    })
}

/// The change of a new table that gives its texts the collation `C`, which the statement that
/// makes the table has no words for.
fn in_order_of_bytes(table: &TableCreateStatement) -> Option<TableAlterStatement> {
    let mut change = Table::alter();
    change.table(table.get_table_name()?.clone());
    let mut has_text = false;
    for column in table.get_columns() {
        let text = match column.get_column_type() {
            Some(ColumnType::String(StringLen::N(length))) => format!("varchar({length})"),
            Some(ColumnType::Text) => "text".to_owned(),
            _ => continue,
        };
        has_text = true;
        let mut collated = ColumnDef::new(Alias::new(column.get_column_name()));
        change.modify_column(collated.custom(Alias::new(format!("{text} COLLATE \"C\""))));
    }
    has_text.then_some(change)
}
