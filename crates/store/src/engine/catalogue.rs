//! What a database says of its own tables, in the same words on every engine. Whether that is as
//! it should be is up to others.

use sea_orm::{ConnectionTrait, DbBackend, FromQueryResult, Statement};

use crate::{
    Error,
    migrate::TABLE,
    schema::{ColumnKind, Definition, Schema, SchemaObject},
};

/// Whether the engine has indexes that leave out rows.
pub(crate) fn has_sparse_indexes(engine: DbBackend) -> bool {
    engine != DbBackend::MySql
}

/// The tables of the database, but for that of the migrations.
pub(crate) async fn schema_of(db: &impl ConnectionTrait) -> Result<Schema, Error> {
    let engine = db.get_database_backend();
    let questions = match engine {
        DbBackend::Postgres => &POSTGRES,
        DbBackend::MySql => &MYSQL,
        _ => &SQLITE,
    };
    let mut schema = Schema::new();
    add_columns(&mut schema, engine, &rows(db, questions.columns).await?);
    add_indexes(&mut schema, &rows(db, questions.indexes).await?);
    add_foreign_keys(&mut schema, &rows(db, questions.foreign_keys).await?);
    schema.retain(|(object, _)| object.table() != TABLE);
    Ok(schema)
}

/// What to ask an engine. The rows of one object follow each other, in the order of its columns.
struct Questions {
    columns: &'static str,
    indexes: &'static str,
    foreign_keys: &'static str,
}

/// A column, with its place in the primary key counted from 1, or 0.
#[derive(FromQueryResult)]
struct ColumnRow {
    of_table: String,
    name: String,
    kind: String,
    in_order: Option<String>,
    is_nullable: i64,
    key_place: i64,
}

/// A column of an index.
#[derive(FromQueryResult)]
struct IndexRow {
    of_table: String,
    name: String,
    is_unique: i64,
    is_sparse: i64,
    of_column: String,
}

/// A column of a foreign key.
#[derive(FromQueryResult)]
struct ForeignKeyRow {
    of_table: String,
    name: String,
    of_column: String,
    to_table: String,
    to_column: String,
    on_delete: String,
}

const POSTGRES: Questions = Questions {
    columns: "SELECT t.relname::text AS of_table, a.attname::text AS name, \
             format_type(a.atttypid, a.atttypmod) AS kind, c.collname::text AS in_order, \
             (NOT a.attnotnull)::int::bigint AS is_nullable, \
             COALESCE(array_position(k.indkey::int2[], a.attnum) + 1, 0)::bigint AS key_place \
         FROM pg_class t JOIN pg_attribute a ON a.attrelid = t.oid \
             LEFT JOIN pg_collation c ON c.oid = a.attcollation \
             LEFT JOIN pg_index k ON k.indrelid = t.oid AND k.indisprimary \
         WHERE t.relnamespace = current_schema()::regnamespace AND t.relkind IN ('r', 'p') \
             AND a.attnum > 0 AND NOT a.attisdropped \
         ORDER BY t.relname, a.attnum",
    indexes: "SELECT t.relname::text AS of_table, i.relname::text AS name, \
             x.indisunique::int::bigint AS is_unique, \
             (x.indpred IS NOT NULL)::int::bigint AS is_sparse, \
             COALESCE(a.attname::text, 'an expression') AS of_column \
         FROM pg_index x JOIN pg_class i ON i.oid = x.indexrelid \
             JOIN pg_class t ON t.oid = x.indrelid \
             CROSS JOIN LATERAL unnest(x.indkey::int2[]) WITH ORDINALITY AS k(number, place) \
             LEFT JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum = k.number \
         WHERE t.relnamespace = current_schema()::regnamespace AND NOT x.indisprimary \
         ORDER BY t.relname, i.relname, k.place",
    foreign_keys: "SELECT t.relname::text AS of_table, k.conname::text AS name, \
             a.attname::text AS of_column, r.relname::text AS to_table, \
             b.attname::text AS to_column, \
             CASE k.confdeltype WHEN 'c' THEN 'CASCADE' WHEN 'n' THEN 'SET NULL' \
                 WHEN 'd' THEN 'SET DEFAULT' WHEN 'r' THEN 'RESTRICT' ELSE 'NO ACTION' \
             END AS on_delete \
         FROM pg_constraint k JOIN pg_class t ON t.oid = k.conrelid \
             JOIN pg_class r ON r.oid = k.confrelid \
             CROSS JOIN LATERAL unnest(k.conkey, k.confkey) \
                 WITH ORDINALITY AS c(here, there, place) \
             JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum = c.here \
             JOIN pg_attribute b ON b.attrelid = r.oid AND b.attnum = c.there \
         WHERE k.contype = 'f' AND t.relnamespace = current_schema()::regnamespace \
         ORDER BY t.relname, k.conname, c.place",
};

const MYSQL: Questions = Questions {
    columns: "SELECT c.TABLE_NAME AS of_table, c.COLUMN_NAME AS name, c.COLUMN_TYPE AS kind, \
             c.COLLATION_NAME AS in_order, CAST(c.IS_NULLABLE = 'YES' AS SIGNED) AS is_nullable, \
             CAST(COALESCE(k.SEQ_IN_INDEX, 0) AS SIGNED) AS key_place \
         FROM information_schema.COLUMNS c LEFT JOIN information_schema.STATISTICS k \
             ON k.TABLE_SCHEMA = c.TABLE_SCHEMA AND k.TABLE_NAME = c.TABLE_NAME \
             AND k.COLUMN_NAME = c.COLUMN_NAME AND k.INDEX_NAME = 'PRIMARY' \
         WHERE c.TABLE_SCHEMA = DATABASE() \
         ORDER BY c.TABLE_NAME, c.ORDINAL_POSITION",
    indexes: "SELECT TABLE_NAME AS of_table, INDEX_NAME AS name, \
             CAST(NON_UNIQUE = 0 AS SIGNED) AS is_unique, CAST(0 AS SIGNED) AS is_sparse, \
             COALESCE(COLUMN_NAME, 'an expression') AS of_column \
         FROM information_schema.STATISTICS \
         WHERE TABLE_SCHEMA = DATABASE() AND INDEX_NAME <> 'PRIMARY' \
         ORDER BY TABLE_NAME, INDEX_NAME, SEQ_IN_INDEX",
    foreign_keys: "SELECT k.TABLE_NAME AS of_table, k.CONSTRAINT_NAME AS name, \
             k.COLUMN_NAME AS of_column, k.REFERENCED_TABLE_NAME AS to_table, \
             k.REFERENCED_COLUMN_NAME AS to_column, r.DELETE_RULE AS on_delete \
         FROM information_schema.KEY_COLUMN_USAGE k \
             JOIN information_schema.REFERENTIAL_CONSTRAINTS r \
             ON r.CONSTRAINT_SCHEMA = k.CONSTRAINT_SCHEMA AND r.TABLE_NAME = k.TABLE_NAME \
             AND r.CONSTRAINT_NAME = k.CONSTRAINT_NAME \
         WHERE k.TABLE_SCHEMA = DATABASE() \
         ORDER BY k.TABLE_NAME, k.CONSTRAINT_NAME, k.ORDINAL_POSITION",
};

const SQLITE: Questions = Questions {
    columns: "SELECT t.name AS of_table, c.name AS name, lower(c.type) AS kind, \
             NULL AS in_order, c.\"notnull\" = 0 AS is_nullable, c.pk AS key_place \
         FROM sqlite_schema t JOIN pragma_table_info(t.name) c \
         WHERE t.type = 'table' AND t.name NOT LIKE 'sqlite\\_%' ESCAPE '\\' \
         ORDER BY t.name, c.cid",
    indexes: "SELECT t.name AS of_table, i.name AS name, i.\"unique\" AS is_unique, \
             i.partial AS is_sparse, COALESCE(c.name, 'an expression') AS of_column \
         FROM sqlite_schema t JOIN pragma_index_list(t.name) i \
             JOIN pragma_index_info(i.name) c \
         WHERE t.type = 'table' AND i.origin <> 'pk' \
         ORDER BY t.name, i.name, c.seqno",
    foreign_keys: "SELECT t.name AS of_table, CAST(k.id AS text) AS name, \
             k.\"from\" AS of_column, k.\"table\" AS to_table, k.\"to\" AS to_column, \
             k.on_delete AS on_delete \
         FROM sqlite_schema t JOIN pragma_foreign_key_list(t.name) k \
         WHERE t.type = 'table' \
         ORDER BY t.name, k.id, k.seq",
};

async fn rows<R: FromQueryResult>(
    db: &impl ConnectionTrait,
    question: &'static str,
) -> Result<Vec<R>, Error> {
    let question = Statement::from_string(db.get_database_backend(), question);
    Ok(R::find_by_statement(question).all(db).await?)
}

fn add_columns(schema: &mut Schema, engine: DbBackend, rows: &[ColumnRow]) {
    for columns in rows.chunk_by(|one, next| one.of_table == next.of_table) {
        let table = &columns[0].of_table;
        schema.push((SchemaObject::Table(table.clone()), Definition::Table));
        for column in columns {
            let definition = Definition::Column {
                kind: kind(engine, column),
                is_nullable: column.is_nullable != 0,
            };
            let object = SchemaObject::Column(table.clone(), column.name.clone());
            schema.push((object, definition));
        }
        let mut key: Vec<_> = columns
            .iter()
            .filter(|column| column.key_place > 0)
            .collect();
        key.sort_by_key(|column| column.key_place);
        if !key.is_empty() {
            let key = key.into_iter().map(|column| column.name.clone()).collect();
            schema.push((
                SchemaObject::PrimaryKey(table.clone()),
                Definition::PrimaryKey(key),
            ));
        }
    }
}

fn add_indexes(schema: &mut Schema, rows: &[IndexRow]) {
    let is_same = |one: &IndexRow, next: &IndexRow| {
        (&one.of_table, &one.name) == (&next.of_table, &next.name)
    };
    for columns in rows.chunk_by(is_same) {
        let index = &columns[0];
        let definition = Definition::Index {
            columns: columns
                .iter()
                .map(|column| column.of_column.clone())
                .collect(),
            is_unique: index.is_unique != 0,
            is_sparse: index.is_sparse != 0,
        };
        let object = SchemaObject::Index(index.of_table.clone(), index.name.clone());
        schema.push((object, definition));
    }
}

fn add_foreign_keys(schema: &mut Schema, rows: &[ForeignKeyRow]) {
    let is_same = |one: &ForeignKeyRow, next: &ForeignKeyRow| {
        (&one.of_table, &one.name) == (&next.of_table, &next.name)
    };
    for columns in rows.chunk_by(is_same) {
        let key = &columns[0];
        let definition = Definition::ForeignKey {
            table: key.to_table.clone(),
            columns: columns
                .iter()
                .map(|column| column.to_column.clone())
                .collect(),
            on_delete: key.on_delete.clone(),
        };
        let here = columns
            .iter()
            .map(|column| column.of_column.clone())
            .collect();
        schema.push((
            SchemaObject::ForeignKey(key.of_table.clone(), here),
            definition,
        ));
    }
}

/// The type of a column, in the words for all engines. A text in another order than that of bytes
/// is none that is known.
fn kind(engine: DbBackend, column: &ColumnRow) -> ColumnKind {
    let in_order_of_bytes = match column.in_order.as_deref() {
        None => true,
        Some(collation) => ["C", "utf8mb4_nopad_bin", "utf8mb4_0900_bin"].contains(&collation),
    };
    let name = column.kind.as_str();
    let (name, length) = match name.split_once('(') {
        Some((name, length)) => (name, length.trim_end_matches(')').parse().ok()),
        None => (name, None),
    };
    let known = match (engine, name, length) {
        (DbBackend::Postgres, "uuid", None)
        | (DbBackend::MySql, "binary", Some(16))
        | (DbBackend::Sqlite, "uuid_text", None) => Some(ColumnKind::Uuid),
        (DbBackend::Postgres, "character varying", Some(length))
        | (DbBackend::MySql | DbBackend::Sqlite, "varchar", Some(length)) => {
            Some(ColumnKind::String(length))
        }
        (DbBackend::Postgres, "bytea", None) | (DbBackend::Sqlite, "blob", None) => {
            Some(ColumnKind::AnyBlob)
        }
        (DbBackend::MySql, "blob", None) => Some(ColumnKind::Blob),
        (DbBackend::MySql, "mediumblob", None) => Some(ColumnKind::LargeBlob),
        (DbBackend::Postgres | DbBackend::Sqlite, "boolean", None)
        | (DbBackend::MySql, "tinyint", Some(1)) => Some(ColumnKind::Boolean),
        (_, "text", None) => Some(ColumnKind::Text),
        // MariaDB gives integers a width for their display.
        (_, "bigint", _) => Some(ColumnKind::BigInteger),
        (DbBackend::Postgres, "integer", None) | (DbBackend::MySql, "int", _) => {
            Some(ColumnKind::Integer)
        }
        (DbBackend::Sqlite, "integer", None) => Some(ColumnKind::AnyInteger),
        _ => None,
    };
    known.filter(|_| in_order_of_bytes).unwrap_or_else(|| {
        let order = column.in_order.as_deref().unwrap_or("bytes");
        ColumnKind::Other(format!("{} in the order of {order}", column.kind))
    })
}

#[cfg(test)]
mod tests;
