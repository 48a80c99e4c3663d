//! The schema as a value: as the entities declare it, as a database has it, and what differs
//! between the two. How a schema comes to be is up to the migrations.

mod declared;

use std::{collections::BTreeMap, fmt};

use sea_orm::{ConnectionTrait as _, DbBackend};

use crate::{Error, Store, engine};

/// An index, by its name and the columns in whose order it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Index {
    pub(crate) name: &'static str,
    pub(crate) columns: &'static [&'static str],
    pub(crate) is_unique: bool,
    leaves_out_nulls: bool,
}

impl Index {
    pub(crate) const fn new(name: &'static str, columns: &'static [&'static str]) -> Self {
        Self {
            name,
            columns,
            is_unique: false,
            leaves_out_nulls: false,
        }
    }

    pub(crate) const fn unique(mut self) -> Self {
        self.is_unique = true;
        self
    }

    /// Without the rows that have NULL in the first column, where the engine has such indexes.
    pub(crate) const fn sparse(mut self) -> Self {
        self.leaves_out_nulls = true;
        self
    }

    pub(crate) fn is_sparse(&self, engine: DbBackend) -> bool {
        self.leaves_out_nulls && engine::has_sparse_indexes(engine)
    }
}

/// Something that a schema consists of.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum SchemaObject {
    /// A table, by its name.
    Table(String),
    /// A column: its table and its name.
    Column(String, String),
    /// The primary key of a table.
    PrimaryKey(String),
    /// An index: its table and its name.
    Index(String, String),
    /// A foreign key: its table and its columns.
    ForeignKey(String, Vec<String>),
}

impl SchemaObject {
    /// The table that it is, or is a part of.
    #[must_use]
    pub fn table(&self) -> &str {
        match self {
            Self::Table(table)
            | Self::Column(table, _)
            | Self::PrimaryKey(table)
            | Self::Index(table, _)
            | Self::ForeignKey(table, _) => table,
        }
    }
}

/// What it is like.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Definition {
    /// Of a table, whose columns and keys are objects of their own.
    Table,
    /// Of a column.
    Column {
        /// Its type.
        kind: ColumnKind,
        /// Whether it may be NULL.
        is_nullable: bool,
    },
    /// The columns of a primary key, in their order.
    PrimaryKey(Vec<String>),
    /// Of an index.
    Index {
        /// In their order.
        columns: Vec<String>,
        /// Whether it makes rows unique.
        is_unique: bool,
        /// Whether it leaves out rows.
        is_sparse: bool,
    },
    /// Of a foreign key.
    ForeignKey {
        /// The table it points to.
        table: String,
        /// The columns there.
        columns: Vec<String>,
        /// What becomes of the row when the one it points to is deleted, in the words of SQL.
        on_delete: String,
    },
}

impl Definition {
    fn is_met_by(&self, found: &Self) -> bool {
        match (self, found) {
            (
                Self::Column { kind, is_nullable },
                Self::Column {
                    kind: found,
                    is_nullable: is_found_nullable,
                },
            ) => kind.is_met_by(found) && is_nullable == is_found_nullable,
            _ => self == found,
        }
    }
}

/// The type of a column, the same on every engine. Texts are compared byte by byte.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ColumnKind {
    /// An id.
    Uuid,
    /// 64 bits with a sign.
    BigInteger,
    /// 32 bits with a sign.
    Integer,
    /// Either, in a database that keeps them alike.
    AnyInteger,
    /// True or false.
    Boolean,
    /// A text of at most so many characters.
    String(u32),
    /// A text without a bound of its own.
    Text,
    /// Bytes, no more than 65,535.
    Blob,
    /// Bytes, and more of them.
    LargeBlob,
    /// Either, in a database that keeps them alike.
    AnyBlob,
    /// Any other, in the words of whoever has it.
    Other(String),
}

impl ColumnKind {
    fn is_met_by(&self, found: &Self) -> bool {
        match found {
            Self::AnyInteger => matches!(self, Self::Integer | Self::BigInteger),
            Self::AnyBlob => matches!(self, Self::Blob | Self::LargeBlob),
            _ => self == found,
        }
    }
}

/// Something that the entities and a database do not have in the same way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SchemaDifference {
    /// What it is about.
    pub object: SchemaObject,
    /// As the entities declare it, if they do.
    pub declared: Option<Definition>,
    /// As the database has it, if it does.
    pub found: Option<Definition>,
}

impl Store {
    /// What the database has otherwise than this release makes it; nothing, unless somebody else
    /// has changed the schema, or the migrations are not all applied.
    ///
    /// # Errors
    /// [`Error::Unavailable`], [`Error::Busy`].
    pub async fn schema_differences(&self) -> Result<Vec<SchemaDifference>, Error> {
        self.read((), |db, ()| {
            Box::pin(async move {
                let declared = declared::schema(db.get_database_backend());
                Ok(differences(&declared, &engine::schema_of(db).await?))
            })
        })
        .await
    }
}

/// Each object with what it is like, in an order that suits a reader.
pub(crate) type Schema = Vec<(SchemaObject, Definition)>;

/// The declared objects that are missing or otherwise, then those that nobody has declared.
fn differences(declared: &Schema, found: &Schema) -> Vec<SchemaDifference> {
    let by_object = |schema: &Schema| schema.iter().cloned().collect::<BTreeMap<_, _>>();
    let mut others = by_object(found);
    let mut differences = Vec::new();
    for (object, definition) in declared {
        let found = others.remove(object);
        if !found
            .as_ref()
            .is_some_and(|found| definition.is_met_by(found))
        {
            differences.push(SchemaDifference {
                object: object.clone(),
                declared: Some(definition.clone()),
                found,
            });
        }
    }
    differences.extend(others.into_iter().map(|(object, found)| SchemaDifference {
        object,
        declared: None,
        found: Some(found),
    }));
    differences
}

impl fmt::Display for SchemaDifference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { object, .. } = self;
        match (&self.declared, &self.found) {
            (Some(declared), Some(found)) => {
                write!(f, "{object} is {found}, and should be {declared}")
            }
            (Some(declared), None) => write!(f, "{object} ({declared}) is missing"),
            (None, _) => write!(f, "{object} is not of this release"),
        }
    }
}

impl fmt::Display for SchemaObject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Table(table) => write!(f, "the table {table}"),
            Self::Column(table, column) => write!(f, "the column {table}.{column}"),
            Self::PrimaryKey(table) => write!(f, "the primary key of {table}"),
            Self::Index(table, index) => write!(f, "the index {index} of {table}"),
            Self::ForeignKey(table, columns) => {
                write!(f, "the foreign key {} of {table}", columns.join(", "))
            }
        }
    }
}

impl fmt::Display for Definition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Table => f.write_str("a table"),
            Self::Column { kind, is_nullable } => match is_nullable {
                true => write!(f, "{kind}, nullable"),
                false => write!(f, "{kind}, not nullable"),
            },
            Self::PrimaryKey(columns) => write!(f, "on {}", columns.join(", ")),
            Self::Index {
                columns,
                is_unique,
                is_sparse,
            } => {
                let unique = if *is_unique { "unique, " } else { "" };
                let sparse = if *is_sparse { ", of some rows" } else { "" };
                write!(f, "{unique}on {}{sparse}", columns.join(", "))
            }
            Self::ForeignKey {
                table,
                columns,
                on_delete,
            } => {
                let columns = columns.join(", ");
                write!(f, "to {columns} of {table}, on delete {on_delete}")
            }
        }
    }
}

impl fmt::Display for ColumnKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Uuid => f.write_str("a UUID"),
            Self::BigInteger => f.write_str("a bigint"),
            Self::Integer => f.write_str("an integer"),
            Self::AnyInteger => f.write_str("an integer of any size"),
            Self::Boolean => f.write_str("a boolean"),
            Self::String(length) => write!(f, "a varchar({length}) in order of bytes"),
            Self::Text => f.write_str("a text in order of bytes"),
            Self::Blob => f.write_str("a blob"),
            Self::LargeBlob => f.write_str("a large blob"),
            Self::AnyBlob => f.write_str("a blob of any size"),
            Self::Other(words) => f.write_str(words),
        }
    }
}

#[cfg(test)]
mod tests;
