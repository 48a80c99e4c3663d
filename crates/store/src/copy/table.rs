//! The tables that are copied, as rows of values: how they are read in pages and written. In which
//! order, and what for, is up to others.

use sea_orm::{
    ColumnTrait as _, ColumnType, ConnectionTrait, DbErr, EntityTrait, IdenStatic as _,
    Iterable as _, PrimaryKeyToColumn as _, QueryResult, Value,
    sea_query::{
        Cond, Expr, ExprTrait as _, InsertStatement, Order, Query, SelectStatement, StringLen,
    },
};
use uuid::Uuid;

use super::mark;
use crate::{
    AuditKind, Error,
    entity::{self, TableVisitor, meta},
    schema::Index,
};

/// Tables into which the migrations put rows.
const SEEDED: [&str; 2] = ["revocations", meta::TABLE];

/// Every table, those that others refer to first.
pub(super) fn all() -> Vec<Table> {
    let mut tables = Tables(Vec::new());
    entity::visit_all(&mut tables);
    tables.0
}

struct Tables(Vec<Table>);

impl TableVisitor for Tables {
    fn visit<E: EntityTrait>(&mut self, table: E, _: &[Index]) {
        self.0.push(Table::of(table));
    }
}

/// A table, known by its columns.
pub(super) struct Table {
    pub(super) name: &'static str,
    columns: Vec<Column>,
    /// The places of the primary key's columns, in its order.
    key: Vec<usize>,
    /// Whether the migrations put rows into it.
    pub(super) is_seeded: bool,
}

struct Column {
    name: &'static str,
    kind: Kind,
    /// For how many values one of it counts.
    weight: usize,
}

/// The weight of what may have many kilobytes, so that a page of it fits into memory.
const LARGE: usize = 100;

/// What the values of a column are.
#[derive(Clone, Copy)]
enum Kind {
    Id,
    Text,
    Bytes,
    Boolean,
    Small,
    Big,
}

/// A row: a value for each column.
pub(super) type Row = Vec<Value>;
/// The values of the primary key of a row.
pub(super) type Key = Vec<Value>;

impl Table {
    fn of<E: EntityTrait>(entity: E) -> Self {
        let column = |column: E::Column| Column {
            name: column.as_str(),
            kind: Kind::of(column.def().get_column_type()),
            weight: match column.def().get_column_type() {
                ColumnType::VarBinary(StringLen::Max) => LARGE,
                _ => 1,
            },
        };
        let columns: Vec<_> = E::Column::iter().map(column).collect();
        let place = |key: E::PrimaryKey| {
            let name = key.into_column().as_str();
            let place = columns.iter().position(|column| column.name == name);
            place.expect("a primary key is made of columns")
        };
        Self {
            name: entity.table_name(),
            key: E::PrimaryKey::iter().map(place).collect(),
            columns,
            is_seeded: SEEDED.contains(&entity.table_name()),
        }
    }

    /// How many rows hold about so many values, of which a large one counts for many.
    pub(super) fn rows_of(&self, values: usize) -> usize {
        let of_row: usize = self.columns.iter().map(|column| column.weight).sum();
        (values / of_row).max(1)
    }

    /// The next rows behind `after` in the order of the primary key, `limit` at the most.
    pub(super) async fn page<C: ConnectionTrait>(
        &self,
        db: &C,
        after: Option<&Key>,
        limit: usize,
    ) -> Result<Vec<Row>, Error> {
        let mut select = self.select(&Order::Asc);
        if let Some(after) = after {
            select.cond_where(self.behind(&self.key, after));
        }
        let rows = db.query_all(select.limit(limit as u64)).await?;
        rows.iter().map(|row| self.row(row)).collect()
    }

    /// The key of the last row in the order of the primary key.
    pub(super) async fn last_key<C: ConnectionTrait>(&self, db: &C) -> Result<Option<Key>, Error> {
        let row = db.query_one(self.select(&Order::Desc).limit(1)).await?;
        let row = row.map(|row| self.row(&row)).transpose()?;
        Ok(row.map(|row| self.key_of(&row)))
    }

    /// How many rows there are.
    pub(super) async fn count<C: ConnectionTrait>(&self, db: &C) -> Result<u64, Error> {
        let mut select = Query::select();
        select
            .expr_as(Expr::cust("count(*)"), "total")
            .from(self.name)
            .cond_where(self.ours());
        let row = db.query_one(&select).await?;
        let total: i64 = row.map_or(Ok(0), |row| row.try_get("", "total"))?;
        Ok(u64::try_from(total).unwrap_or(0))
    }

    /// The statement that adds these rows.
    pub(super) fn insert(&self, rows: &[Row]) -> InsertStatement {
        let mut insert = Query::insert();
        insert
            .into_table(self.name)
            .columns(self.columns.iter().map(|column| column.name));
        for row in rows {
            insert.values_panic(row.iter().cloned().map(Expr::value));
        }
        insert
    }

    /// Whether the row is an audit event that tells of a copy.
    pub(super) fn tells_of_a_copy(&self, row: &Row) -> bool {
        let event = Value::from(AuditKind::Copied.as_str());
        let is_event =
            |(column, value): (&Column, &Value)| column.name == "event" && *value == event;
        self.name == "audit_events" && self.columns.iter().zip(row).any(is_event)
    }

    pub(super) fn key_of(&self, row: &Row) -> Key {
        self.key.iter().map(|place| row[*place].clone()).collect()
    }

    /// The key of a row, for people.
    pub(super) fn shown_key(&self, row: &Row) -> String {
        let key = self.key_of(row);
        key.iter().map(shown).collect::<Vec<_>>().join(", ")
    }

    fn select(&self, order: &Order) -> SelectStatement {
        let mut select = Query::select();
        select
            .columns(self.columns.iter().map(|column| column.name))
            .from(self.name)
            .cond_where(self.ours());
        for place in &self.key {
            select.order_by(self.columns[*place].name, order.clone());
        }
        select
    }

    /// What belongs to the installation, and not to a copy under way.
    fn ours(&self) -> Cond {
        match self.name {
            meta::TABLE => Cond::all().add(Expr::col("name").ne(mark::NAME)),
            _ => Cond::all(),
        }
    }

    /// What is greater than the key, by columns that are all compared to their value or to one
    /// greater than it: so every engine finds the place by the index. Not all do for tuples.
    fn behind(&self, columns: &[usize], key: &[Value]) -> Cond {
        let ([column, columns @ ..], [value, values @ ..]) = (columns, key) else {
            return Cond::any();
        };
        let column = || Expr::col(self.columns[*column].name);
        let greater = Cond::any().add(column().gt(value.clone()));
        if columns.is_empty() {
            return greater;
        }
        Cond::all()
            .add(column().gte(value.clone()))
            .add(greater.add(self.behind(columns, values)))
    }

    fn row(&self, row: &QueryResult) -> Result<Row, Error> {
        let columns = self.columns.iter().enumerate();
        let values = columns.map(|(place, column)| {
            let value = column.kind.read(row, place);
            value.map_err(|_| Error::Corrupt {
                table: self.name,
                column: column.name,
                row: self.readable_key(row),
            })
        });
        values.collect()
    }

    /// The key of a row of which not everything can be read.
    fn readable_key(&self, row: &QueryResult) -> String {
        let part = |place: &usize| {
            let value = self.columns[*place].kind.read(row, *place);
            value.map_or_else(|_| "?".to_owned(), |value| shown(&value))
        };
        self.key.iter().map(part).collect::<Vec<_>>().join(", ")
    }
}

impl Kind {
    /// # Panics
    /// For a type that no table has had so far; every table is made by [`all`] before anything is
    /// opened, and so in every test of a copy.
    fn of(column: &ColumnType) -> Self {
        match column {
            ColumnType::Uuid => Self::Id,
            ColumnType::String(_) | ColumnType::Text => Self::Text,
            ColumnType::VarBinary(_) | ColumnType::Blob => Self::Bytes,
            ColumnType::Boolean => Self::Boolean,
            ColumnType::Integer => Self::Small,
            ColumnType::BigInteger => Self::Big,
            other => panic!("it is not said how a column of the type {other:?} is copied"),
        }
    }

    fn read(self, row: &QueryResult, place: usize) -> Result<Value, DbErr> {
        Ok(match self {
            Self::Id => row.try_get_by_index::<Option<Uuid>>(place)?.into(),
            Self::Text => row.try_get_by_index::<Option<String>>(place)?.into(),
            Self::Bytes => row.try_get_by_index::<Option<Vec<u8>>>(place)?.into(),
            Self::Boolean => row.try_get_by_index::<Option<bool>>(place)?.into(),
            Self::Small => row.try_get_by_index::<Option<i32>>(place)?.into(),
            Self::Big => row.try_get_by_index::<Option<i64>>(place)?.into(),
        })
    }
}

/// Every table with its columns, to be held against the schema.
#[cfg(test)]
pub(crate) fn layout() -> Vec<(&'static str, Vec<&'static str>)> {
    let columns = |table: &Table| table.columns.iter().map(|column| column.name).collect();
    all()
        .iter()
        .map(|table| (table.name, columns(table)))
        .collect()
}

/// A part of a key, for people.
fn shown(value: &Value) -> String {
    match value {
        Value::Uuid(Some(id)) => id.to_string(),
        Value::String(Some(text)) => text.escape_debug().to_string(),
        Value::Int(Some(number)) => number.to_string(),
        _ => "?".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    //! How many rows are read at once.

    use super::*;

    #[test]
    fn a_page_has_fewer_rows_of_a_table_with_a_large_column() {
        let tables = all();
        let rows = |name| {
            let table = tables.iter().find(|table| table.name == name).unwrap();
            table.rows_of(10_000)
        };
        assert!(
            rows("documents") * 65_536 <= 8 << 20,
            "{}",
            rows("documents")
        );
        assert!(rows("users") >= 500, "{}", rows("users"));
    }
}
