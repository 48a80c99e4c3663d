//! Where users come from: a database of another program or a file; which of its tables has them, and which columns
//! are read. Nothing here is written.

use std::path::PathBuf;

use store::{ForeignDatabase, ForeignJoin, ForeignQuery, ForeignRow, ForeignRows, ForeignTable};

use super::{
    ImportError, ImportOptions,
    file::FileRows,
    format::{GENERIC, RECIPES, Recipe, Syntax, names},
    mapping::{ImportField, ImportMapping, Record},
};
use crate::{DatabaseOptions, DatabaseUrl, OpenError};

/// Where the users are.
pub enum ImportLocation {
    /// In a database.
    Database(DatabaseUrl),
    /// In a file, which may be a database.
    File(PathBuf),
}

/// A source, open and understood.
pub struct ImportSource {
    name: String,
    format: &'static str,
    table: Option<String>,
    mapping: ImportMapping,
    total: Option<u64>,
    rows: Rows,
}

enum Rows {
    Database {
        rows: Box<ForeignRows>,
        columns: Vec<String>,
        read: u64,
    },
    File(FileRows),
}

impl ImportSource {
    /// Opens a source, and finds out which of its columns mean what.
    ///
    /// # Errors
    /// [`ImportError::Open`], [`ImportError::Unreadable`]; [`ImportError::Unclear`] where no table has users, or
    /// several have, or a named column is not there.
    pub async fn open(
        location: ImportLocation,
        options: &ImportOptions,
    ) -> Result<Self, ImportError> {
        let url = match location {
            ImportLocation::Database(url) => url,
            ImportLocation::File(file) if store::is_database_file(&file) => {
                DatabaseUrl::of_file(file)
            }
            ImportLocation::File(file) => return Self::of_file(file, options).await,
        };
        Self::of_database(url, options).await
    }

    /// The source, without a password.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The program that wrote it, or the form of the file.
    #[must_use]
    pub fn format(&self) -> &'static str {
        self.format
    }

    /// The table that is read.
    #[must_use]
    pub fn table(&self) -> Option<&str> {
        self.table.as_deref()
    }

    /// Which columns are read.
    #[must_use]
    pub fn mapping(&self) -> &ImportMapping {
        &self.mapping
    }

    /// How many rows there are, where that is known before the end.
    pub(super) fn total(&self) -> Option<u64> {
        self.total
    }

    /// The next rows; `None` behind the last.
    pub(super) async fn next(&mut self) -> Result<Option<Vec<Record>>, ImportError> {
        match &mut self.rows {
            Rows::File(rows) => rows.next().await,
            Rows::Database {
                rows,
                columns,
                read,
            } => {
                let next = rows.next().await.map_err(OpenError::from)?;
                Ok(next.map(|rows| {
                    let record = |row| {
                        *read += 1;
                        record(*read, columns, row)
                    };
                    rows.into_iter().map(record).collect()
                }))
            }
        }
    }

    /// Goes back to before the first row. Of a database the rows will be the same.
    pub(super) async fn rewind(&mut self) -> Result<(), ImportError> {
        match &mut self.rows {
            Rows::File(rows) => rows.rewind().await,
            Rows::Database { rows, read, .. } => {
                rows.rewind();
                *read = 0;
                Ok(())
            }
        }
    }

    /// Ends the reading.
    pub(super) async fn close(self) {
        if let Rows::Database { rows, .. } = self.rows {
            rows.close().await;
        }
    }

    async fn of_database(url: DatabaseUrl, options: &ImportOptions) -> Result<Self, ImportError> {
        let name = url.to_string();
        let database = ForeignDatabase::open(&DatabaseOptions::new(url)).await;
        let database = database.map_err(OpenError::from)?;
        match Plan::of(&database, options).await {
            Ok(plan) => Ok(Self {
                name,
                format: plan.format,
                table: Some(plan.query.table.full_name()),
                mapping: plan.mapping,
                total: Some(plan.total),
                rows: Rows::Database {
                    rows: Box::new(database.rows(plan.query)),
                    columns: plan.columns,
                    read: 0,
                },
            }),
            Err(error) => {
                database.close().await;
                Err(error)
            }
        }
    }

    async fn of_file(file: PathBuf, options: &ImportOptions) -> Result<Self, ImportError> {
        let name = file.display().to_string();
        let rows = FileRows::open(file, options.format.syntax).await?;
        let recipe = options.format.recipe.unwrap_or_else(|| {
            let known = RECIPES
                .iter()
                .find(|recipe| recipe.fits_file(rows.columns()));
            known.unwrap_or(GENERIC)
        });
        let mapping = mapping(recipe, rows.columns(), options)?;
        Ok(Self {
            name,
            format: match recipe.is_generic() {
                true => Syntax::as_str(rows.syntax()),
                false => recipe.name,
            },
            table: None,
            mapping,
            total: None,
            rows: Rows::File(rows),
        })
    }
}

/// How a database is to be read.
struct Plan {
    format: &'static str,
    mapping: ImportMapping,
    query: ForeignQuery,
    /// The names of the columns that the query gives.
    columns: Vec<String>,
    total: u64,
}

impl Plan {
    async fn of(database: &ForeignDatabase, options: &ImportOptions) -> Result<Self, ImportError> {
        let tables = database.tables().await.map_err(OpenError::from)?;
        let (recipe, table) = chosen(&tables, options)?;
        let mut query = ForeignQuery {
            table: table.clone(),
            beside: recipe.passwords(table, &tables),
            order: None,
        };
        let mapping = mapping(recipe, &columns(&query), options)?;
        let total = database.count(table).await.map_err(OpenError::from)?;
        // That a report names the same rows each time.
        let id = mapping.only_column(ImportField::Id);
        query.order = names(table)
            .into_iter()
            .find(|name| Some(name.as_str()) == id);
        // A table may hold much that is of no use here.
        let table = &mut query.table;
        table.columns.retain(|column| mapping.reads(&column.name));
        if let Some(ForeignJoin { table, .. }) = &mut query.beside {
            let within = |name: &str| format!("{}.{name}", table.name);
            table
                .columns
                .retain(|column| mapping.reads(&within(&column.name)));
        }
        Ok(Self {
            format: recipe.name,
            mapping,
            columns: columns(&query),
            query,
            total,
        })
    }
}

/// The names of what a query gives, those of a second table behind its name.
fn columns(query: &ForeignQuery) -> Vec<String> {
    let mut columns = names(&query.table);
    if let Some(join) = &query.beside {
        let within = |column| format!("{}.{column}", join.table.name);
        columns.extend(names(&join.table).into_iter().map(within));
    }
    columns
}

/// The table to read and how it is to be understood.
fn chosen<'a>(
    tables: &'a [ForeignTable],
    options: &ImportOptions,
) -> Result<(&'static Recipe, &'a ForeignTable), ImportError> {
    if let Some(wanted) = &options.table {
        let table = tables.iter().find(|table| table.full_name() == *wanted);
        let table = table.ok_or_else(|| {
            let all: Vec<String> = tables.iter().map(ForeignTable::full_name).collect();
            let all = all.join(", ");
            ImportError::Unclear(format!("there is no table {wanted:?}; there are: {all}"))
        })?;
        let recipe = options.format.recipe.unwrap_or_else(|| {
            let known = RECIPES.iter().find(|recipe| recipe.fits(table, tables));
            known.unwrap_or(GENERIC)
        });
        return Ok((recipe, table));
    }
    let recipes = RECIPES.iter().filter(|recipe| {
        let wanted = options.format.recipe;
        wanted.is_none_or(|wanted| wanted.name == recipe.name)
    });
    for recipe in recipes {
        let fitting: Vec<_> = tables
            .iter()
            .filter(|table| recipe.fits(table, tables) && !recipe.keeps_to_itself(table))
            .collect();
        match fitting.as_slice() {
            [] => {}
            [table] => return Ok((recipe, table)),
            several => {
                let names: Vec<String> = several.iter().map(|table| table.full_name()).collect();
                return Err(ImportError::Unclear(format!(
                    "several tables may hold the users: {}. Name one with --table",
                    names.join(", ")
                )));
            }
        }
    }
    let all: Vec<String> = tables.iter().map(ForeignTable::full_name).collect();
    Err(ImportError::Unclear(format!(
        "no table looks like one of users, with an e-mail address and the hash of a password. Name it with --table and \
         its columns with --map; there are: {}",
        all.join(", ")
    )))
}

/// The columns to read, those that were named in the call before the usual ones.
fn mapping(
    recipe: &Recipe,
    columns: &[String],
    options: &ImportOptions,
) -> Result<ImportMapping, ImportError> {
    let mut mapping = ImportMapping::usual(recipe.columns, columns);
    for (field, column) in &options.columns {
        let changed = mapping.change(*field, column, columns);
        changed.map_err(ImportError::Unclear)?;
    }
    if !mapping.has(ImportField::Email) {
        return Err(ImportError::Unclear(format!(
            "no column has e-mail addresses: name it with --map email=COLUMN; there are: {}",
            columns.join(", ")
        )));
    }
    if mapping.has(ImportField::Salt) && options.firebase.is_none() {
        return Err(ImportError::Unclear(
            "the hashes of Firebase can be checked only with the parameters of the project, which its console shows: \
             name a file that holds them with --firebase-hash-config"
                .to_owned(),
        ));
    }
    Ok(mapping)
}

fn record(number: u64, columns: &[String], row: ForeignRow) -> Record {
    let values = columns.iter().zip(row);
    let values = values.filter_map(|(column, value)| Some((column.clone(), value?)));
    Record {
        number,
        values: values.collect(),
        broken: None,
    }
}
