//! Whether two databases hold the same: count and digest of each table, of what is read back from
//! either side.

use sea_orm::ConnectionTrait;
use serde::Serialize;

use super::{
    CopyError, CopyProgress, CopyStep, PAGE, Snapshot, TableDigest, bounded,
    table::{self, Key, Table},
};
use crate::{Error, Options};

/// What one database holds in a table.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct TableContent {
    /// How many rows.
    pub rows: u64,
    /// Which ones, in whatever order.
    pub digest: TableDigest,
}

/// A table in both databases.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct TableComparison {
    /// Its name.
    pub table: &'static str,
    /// What the source holds.
    pub source: TableContent,
    /// What the target holds.
    pub target: TableContent,
    /// What follows.
    pub agreement: Agreement,
}

/// Whether a table is the same on both sides.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Agreement {
    /// The same rows.
    Equal,
    /// The same rows, and in the target the audit event that tells of the copy.
    EqualButForTheCopy,
    /// Not the same.
    Different,
}

/// Two databases that are compared, page by page. Neither is changed.
pub struct Comparison {
    source: Snapshot,
    target: Snapshot,
    comparer: Comparer,
}

impl Comparison {
    /// Opens the database that may be a copy of `source`.
    ///
    /// # Errors
    /// [`CopyError::Target`], [`CopyError::SameDatabase`].
    pub async fn with(source: Snapshot, target: &Options) -> Result<Self, CopyError> {
        let opening = async {
            source.refuse_same(target)?;
            Snapshot::open(target).await.map_err(CopyError::Target)
        };
        match bounded(opening).await {
            Ok(target) => Ok(Self {
                comparer: Comparer::new(source.rows.max(target.rows)),
                source,
                target,
            }),
            Err(refusal) => {
                source.close().await;
                Err(refusal)
            }
        }
    }

    /// Reads on. `None` when both are read to their ends.
    ///
    /// # Errors
    /// [`CopyError::Database`].
    pub async fn advance(&mut self) -> Result<Option<CopyProgress>, CopyError> {
        let Self {
            source,
            target,
            comparer,
        } = self;
        bounded(async {
            source.sole.check_hold().await?;
            target.sole.check_hold().await?;
            comparer.advance(&source.view, &target.view, PAGE).await
        })
        .await
    }

    /// Reads what is not read yet, closes both, and gives the result for each table.
    ///
    /// # Errors
    /// [`CopyError::Database`].
    pub async fn finish(mut self) -> Result<Vec<TableComparison>, CopyError> {
        while self.advance().await?.is_some() {}
        self.source.close().await;
        self.target.close().await;
        Ok(self.comparer.found)
    }
}

/// How far a comparison has come.
pub(super) struct Comparer {
    tables: Vec<Table>,
    /// The tables that are done.
    pub(super) found: Vec<TableComparison>,
    source: Side,
    target: Side,
    done: u64,
    total: u64,
}

/// How far the table at hand is read on one side.
#[derive(Default)]
struct Side {
    content: TableContent,
    after: Option<Key>,
    is_read: bool,
    /// The last row that tells of a copy.
    copied: Option<TableDigest>,
}

impl Comparer {
    /// `total` rows are expected, for the sake of the progress alone.
    pub(super) fn new(total: u64) -> Self {
        Self {
            tables: table::all(),
            found: Vec::new(),
            source: Side::default(),
            target: Side::default(),
            done: 0,
            total,
        }
    }

    /// Reads a page on both sides; `None` when there is none left.
    pub(super) async fn advance<S: ConnectionTrait, T: ConnectionTrait>(
        &mut self,
        source: &S,
        target: &T,
        values: usize,
    ) -> Result<Option<CopyProgress>, CopyError> {
        let Some(table) = self.tables.get(self.found.len()) else {
            return Ok(None);
        };
        tokio::try_join!(
            self.source.read(table, source, values),
            self.target.read(table, target, values),
        )?;
        let progress = CopyProgress {
            step: CopyStep::Comparing,
            table: table.name,
            done: self.done + self.source.content.rows.max(self.target.content.rows),
            total: self.total,
        };
        if self.source.is_read && self.target.is_read {
            self.done = progress.done;
            let source = std::mem::take(&mut self.source);
            let target = std::mem::take(&mut self.target);
            self.found.push(TableComparison {
                table: table.name,
                source: source.content,
                target: target.content,
                agreement: agreement(&source, &target),
            });
        }
        Ok(Some(progress))
    }
}

impl Side {
    async fn read<C: ConnectionTrait>(
        &mut self,
        table: &Table,
        db: &C,
        values: usize,
    ) -> Result<(), Error> {
        if self.is_read {
            return Ok(());
        }
        let limit = table.rows_of(values);
        let rows = table.page(db, self.after.as_ref(), limit).await?;
        for row in &rows {
            let digest = TableDigest::of_row(table.name, row);
            self.content.rows += 1;
            self.content.digest = self.content.digest.plus(digest);
            if table.tells_of_a_copy(row) {
                self.copied = Some(digest);
            }
        }
        self.is_read = rows.len() < limit;
        self.after = rows.last().map(|row| table.key_of(row));
        Ok(())
    }
}

/// A copy writes its event behind everything else, so in a target it is the last of its kind.
fn agreement(source: &Side, target: &Side) -> Agreement {
    if source.content == target.content {
        return Agreement::Equal;
    }
    let with_event = target.copied.map(|event| TableContent {
        rows: source.content.rows + 1,
        digest: source.content.digest.plus(event),
    });
    match with_event == Some(target.content) {
        true => Agreement::EqualButForTheCopy,
        false => Agreement::Different,
    }
}
