//! A whole installation from one database into another, on whatever engines: page by page, to be
//! gone on with after a kill, and in the end compared. Which secret key fits is decided by others.
//!
//! The target bears a mark from its first row to the last comparison, and is refused by everything
//! else for so long. How far a copy has come is said by the rows in it: each page is one
//! transaction, and tables and pages come in one order. So a copy that was ended at any point is
//! gone on with behind the last row of each table.

mod comparison;
mod digest;
mod mark;
mod table;
mod writing;

use std::time::Duration;

use sea_orm::{ConnectionTrait as _, DatabaseConnection, DatabaseTransaction, sea_query::Query};
use serde::Serialize;

use self::{
    comparison::Comparer,
    table::{Key, Table},
    writing::{begin, write},
};
pub use self::{
    comparison::{Agreement, Comparison, TableComparison, TableContent},
    digest::TableDigest,
};
use crate::{
    Error, NewAudit, OpenError, Options, audit,
    engine::{self, Sole},
    entity::meta,
    install, migrate,
};
#[cfg(test)]
pub(crate) use table::layout;

/// So many values are read and written at once, about.
const PAGE: usize = 10_000;
/// How long one step may take, such as a page or the counting of all rows.
const STEP_BOUND: Duration = Duration::from_mins(2);

/// Why nothing was copied, or a copy has not gone on. What is in the target stays there.
#[derive(Debug, thiserror::Error)]
pub enum CopyError {
    /// The source was not opened.
    #[error("the source: {0}")]
    Source(#[source] OpenError),
    /// The target was not opened.
    #[error("the target: {0}")]
    Target(#[source] OpenError),
    /// Somebody may write to the source.
    #[error(
        "the source is in use by a vestibule that may write to it, such as a running server; let it end, or start \
         it again with --read-only, first"
    )]
    SourceServed,
    /// The schema of the source is not the newest.
    #[error(
        "the source has an older schema; bring it up to date with `vestibule migrate up` first"
    )]
    SourceOlder,
    /// Both ends are one database.
    #[error("source and target are the same database")]
    SameDatabase,
    /// The target holds something, and no unfinished copy.
    #[error(
        "the target {database} is not empty (there are rows in the table `{table}`); nothing was changed. Name an \
         empty database"
    )]
    NotEmpty {
        /// The target, without a password.
        database: String,
        /// A table with rows.
        table: &'static str,
    },
    /// The target holds an unfinished copy of something else.
    #[error(
        "the target {database} holds an unfinished copy from {from}; nothing was changed. Go on with that one, or \
         make the target empty"
    )]
    OtherCopy {
        /// The target, without a password.
        database: String,
        /// Where its copy comes from.
        from: String,
    },
    /// The target's engine does not take a row.
    #[error("the target refuses the row {row} of the table `{table}`: {reason}")]
    Row {
        /// The table.
        table: &'static str,
        /// The primary key.
        row: String,
        /// What the engine said.
        reason: String,
    },
    /// Any other answer of one of the databases.
    #[error(transparent)]
    Database(#[from] Error),
}

/// How far a copy or a comparison has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CopyProgress {
    /// What is being done.
    pub step: CopyStep,
    /// The table at hand.
    pub table: &'static str,
    /// So many rows of all tables are done.
    pub done: u64,
    /// So many there are.
    pub total: u64,
}

/// A copy has two steps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CopyStep {
    /// Rows are read and written.
    Copying,
    /// Both sides are read, and compared.
    Comparing,
}

/// A table and its number of rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct TableRows {
    /// Its name.
    pub table: &'static str,
    /// How many.
    pub rows: u64,
}

/// What a target holds before a copy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum TargetState {
    /// There is no such file; it will be made.
    Missing,
    /// Nothing.
    Empty,
    /// So many rows of a copy from the same source, which will be gone on with.
    Unfinished {
        /// How many.
        rows: u64,
    },
}

/// What became of a copy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CopyOutcome {
    /// Both sides hold the same, and the target is an installation of its own from now on.
    Verified(Vec<TableComparison>),
    /// They do not, because the source was written to between two runs, or the target was. The
    /// target stays marked, and of no use.
    Different(Vec<TableComparison>),
}

/// An installation as of one moment. Nobody writes to it while this is open.
pub struct Snapshot {
    view: DatabaseTransaction,
    sole: Sole,
    check: Vec<u8>,
    tables: Vec<TableRows>,
    /// Of all tables.
    rows: u64,
}

impl Snapshot {
    /// Opens the database that is copied. It cannot be written through this.
    ///
    /// # Errors
    /// [`CopyError::Source`], [`CopyError::SourceServed`], [`CopyError::SourceOlder`].
    pub async fn of_source(options: &Options) -> Result<Self, CopyError> {
        bounded(async {
            Self::open(options).await.map_err(|error| match error {
                OpenError::InUse => CopyError::SourceServed,
                OpenError::OlderSchema => CopyError::SourceOlder,
                error => CopyError::Source(error),
            })
        })
        .await
    }

    async fn open(options: &Options) -> Result<Self, OpenError> {
        let sole = Sole::frozen(options).await?;
        match Self::look(&sole).await {
            Ok((check, view, tables)) => Ok(Self {
                rows: tables.iter().map(|table| table.rows).sum(),
                view,
                sole,
                check,
                tables,
            }),
            Err(refusal) => {
                sole.close().await;
                Err(refusal)
            }
        }
    }

    /// The check value, the transaction that all else is read in, and what there is to read.
    async fn look(
        sole: &Sole,
    ) -> Result<(Vec<u8>, DatabaseTransaction, Vec<TableRows>), OpenError> {
        let db = &sole.connection;
        let status = migrate::status(db).await?;
        mark::refuse(db, &sole.name).await?;
        let check = install::check_of(db).await?;
        let check = check.ok_or_else(|| OpenError::NoInstallation {
            database: sole.name.clone(),
        })?;
        if status.iter().any(|step| step.applied_at.is_none()) {
            return Err(OpenError::OlderSchema);
        }
        let view = sole.snapshot().await.map_err(Error::from)?;
        let mut tables = Vec::new();
        for table in table::all() {
            let rows = table.count(&view).await?;
            let table = table.name;
            tables.push(TableRows { table, rows });
        }
        Ok((check, view, tables))
    }

    /// The check value of the secret key that the installation was founded with.
    #[must_use]
    pub fn secret_key_check(&self) -> &[u8] {
        &self.check
    }

    /// The database, without a password.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.sole.name
    }

    /// What there is to copy.
    #[must_use]
    pub fn tables(&self) -> &[TableRows] {
        &self.tables
    }

    /// What a copy into this target would find there. Changes nothing.
    ///
    /// # Errors
    /// As [`Copy::begin`].
    pub async fn state_of_target(&self, target: &Options) -> Result<TargetState, CopyError> {
        self.refuse_same(target)?;
        if target.url.file().is_some_and(|file| !file.exists()) {
            return Ok(TargetState::Missing);
        }
        bounded(async {
            let target = Sole::frozen(target).await.map_err(CopyError::Target)?;
            let state = state(&target, self.name()).await;
            target.close().await;
            state
        })
        .await
    }

    fn refuse_same(&self, target: &Options) -> Result<(), CopyError> {
        match engine::name(target) == self.name() {
            true => Err(CopyError::SameDatabase),
            false => Ok(()),
        }
    }

    /// Lets others write again.
    pub async fn close(self) {
        // It has changed nothing, so there is nothing to lose by an error.
        let _ = self.view.rollback().await;
        self.sole.close().await;
    }
}

/// A copy under way.
pub struct Copy {
    source: Snapshot,
    target: Sole,
    tables: Vec<Table>,
    /// Where it has come to: the table, and behind which row of it.
    table: usize,
    place: Place,
    values_at_once: usize,
    done: u64,
    comparer: Comparer,
}

/// Where in a table the next page begins.
enum Place {
    /// Behind what an earlier run has left there.
    AsLeft,
    /// Behind this row.
    Behind(Key),
}

impl Copy {
    /// Opens the target, brings its schema up to date and marks it, or goes on with the copy that
    /// it bears the mark of. A database in a file is made where there is none, of mode 0600.
    ///
    /// # Errors
    /// [`CopyError::Target`], [`CopyError::SameDatabase`], [`CopyError::NotEmpty`],
    /// [`CopyError::OtherCopy`]; nothing was changed then.
    pub async fn begin(source: Snapshot, target: &Options) -> Result<Self, CopyError> {
        match bounded(Self::open_target(&source, target)).await {
            Ok((target, done)) => Ok(Self {
                comparer: Comparer::new(source.rows),
                source,
                target,
                tables: table::all(),
                table: 0,
                place: Place::AsLeft,
                values_at_once: PAGE,
                done,
            }),
            Err(refusal) => {
                source.close().await;
                Err(refusal)
            }
        }
    }

    /// Reads and writes pages of about so many values instead of 10,000: less memory, more steps.
    #[must_use]
    pub fn in_pages_of(mut self, values: usize) -> Self {
        self.values_at_once = values;
        self
    }

    /// The target, ready to be written to, and how many rows it has.
    async fn open_target(source: &Snapshot, target: &Options) -> Result<(Sole, u64), CopyError> {
        source.refuse_same(target)?;
        let target = Sole::alone(target).await.map_err(CopyError::Target)?;
        match Self::prepare(source, &target).await {
            Ok(done) => Ok((target, done)),
            Err(refusal) => {
                target.close().await;
                Err(refusal)
            }
        }
    }

    async fn prepare(source: &Snapshot, target: &Sole) -> Result<u64, CopyError> {
        let state = state(target, source.name()).await?;
        let db = &target.connection;
        let migrated = migrate::apply(db, None).await;
        migrated.map_err(CopyError::Target)?;
        let tx = begin(db).await?;
        if let TargetState::Unfinished { .. } = state {
            mark::hold(&tx).await?;
            tx.commit().await.map_err(Error::from)?;
            let rows = filled_tables(db).await?;
            return Ok(rows.iter().map(|table| table.rows).sum());
        }
        for table in table::all().iter().filter(|table| table.is_seeded) {
            let all = Query::delete().from_table(table.name).to_owned();
            tx.execute(&all).await.map_err(Error::from)?;
        }
        mark::put(&tx, source.name()).await?;
        tx.commit().await.map_err(Error::from)?;
        Ok(0)
    }

    /// Copies a page, or, once there is none left, compares one. `None` when that is done, too. A
    /// copy that was ended in between, or has failed, can be begun again.
    ///
    /// # Errors
    /// [`CopyError::Row`], [`CopyError::Database`].
    pub async fn advance(&mut self) -> Result<Option<CopyProgress>, CopyError> {
        bounded(async {
            self.source.sole.check_hold().await?;
            self.target.check_hold().await?;
            while self.table < self.tables.len() {
                let copied = self.copy_page().await?;
                if copied.is_some() {
                    return Ok(copied);
                }
                self.table += 1;
            }
            let (source, target) = (&self.source.view, &self.target.connection);
            let values = self.values_at_once;
            self.comparer.advance(source, target, values).await
        })
        .await
    }

    /// `None` when the table at hand has no further row.
    async fn copy_page(&mut self) -> Result<Option<CopyProgress>, CopyError> {
        let table = &self.tables[self.table];
        let after = match std::mem::replace(&mut self.place, Place::AsLeft) {
            Place::AsLeft => table.last_key(&self.target.connection).await?,
            Place::Behind(key) => Some(key),
        };
        let limit = table.rows_of(self.values_at_once);
        let rows = table.page(&self.source.view, after.as_ref(), limit).await?;
        let Some(last) = rows.last() else {
            return Ok(None);
        };
        write(&self.target.connection, table, &rows).await?;
        self.place = Place::Behind(table.key_of(last));
        self.done += rows.len() as u64;
        Ok(Some(CopyProgress {
            step: CopyStep::Copying,
            table: table.name,
            done: self.done,
            total: self.source.rows,
        }))
    }

    /// Does what is left to be done, takes the mark away and records the copy, all of that or
    /// nothing, and closes both databases.
    ///
    /// # Errors
    /// As [`Copy::advance`].
    pub async fn finish(mut self, audit: NewAudit) -> Result<CopyOutcome, CopyError> {
        while self.advance().await?.is_some() {}
        let found = std::mem::take(&mut self.comparer.found);
        let is_equal = found
            .iter()
            .all(|table| table.agreement == Agreement::Equal);
        if is_equal {
            let tx = begin(&self.target.connection).await?;
            mark::take_away(&tx).await?;
            audit::insert(&tx, &audit).await?;
            tx.commit().await.map_err(Error::from)?;
        }
        self.close().await;
        Ok(match is_equal {
            true => CopyOutcome::Verified(found),
            false => CopyOutcome::Different(found),
        })
    }

    /// Ends it for now. The target keeps what it has, and its mark.
    pub async fn close(self) {
        self.source.close().await;
        self.target.close().await;
    }
}

/// What is in a target; refuses one that holds anything but a copy from this source.
async fn state(target: &Sole, source: &str) -> Result<TargetState, CopyError> {
    let (db, database) = (&target.connection, target.name.clone());
    migrate::status(db).await.map_err(CopyError::Target)?;
    let filled = filled_tables(db).await?;
    match mark::of(db).await? {
        Some(from) if from == source => Ok(TargetState::Unfinished {
            rows: filled.iter().map(|table| table.rows).sum(),
        }),
        Some(from) => Err(CopyError::OtherCopy { database, from }),
        None if install::check_of(db).await?.is_some() => Err(CopyError::NotEmpty {
            database,
            table: meta::TABLE,
        }),
        None => match filled.first() {
            Some(TableRows { table, .. }) => Err(CopyError::NotEmpty { database, table }),
            None => Ok(TargetState::Empty),
        },
    }
}

/// The tables with rows that no migration has made. The schema may be an older one.
async fn filled_tables(db: &DatabaseConnection) -> Result<Vec<TableRows>, Error> {
    let mut filled = Vec::new();
    for table in table::all().iter().filter(|table| !table.is_seeded) {
        if !engine::has_table(db, table.name).await? {
            continue;
        }
        let rows = table.count(db).await?;
        if rows > 0 {
            let table = table.name;
            filled.push(TableRows { table, rows });
        }
    }
    Ok(filled)
}

/// Runs a step, for as long as a step may take: a server that hangs must not hang the copy.
async fn bounded<T>(step: impl Future<Output = Result<T, CopyError>>) -> Result<T, CopyError> {
    let ended = tokio::time::timeout(STEP_BOUND, step).await;
    ended.unwrap_or_else(|_| Err(Error::Busy("no answer within the time bound".into()).into()))
}
