//! Changes of the schema: one at a time under a lock, each recorded, each with a way back.
//! A database that a newer program has changed is refused without a write.

mod change;
mod m0001_accounts;
mod m0002_revocations;
mod m0003_admin_lists;
mod m0004_retention;
mod m0005_todos;
mod m0006_documents;
mod m0007_purging;
mod script;
#[cfg(test)]
mod tests;

use sea_orm::{ConnectionTrait, DatabaseConnection, FromQueryResult, Statement};
use sea_orm_migration::{
    DbErr, MigrationName, MigrationTrait, MigratorTrait, SchemaManager,
    sea_orm::DynIden,
    sea_query::{Alias, IntoIden as _},
};

use self::change::Change;
pub use self::script::migration_script;
use crate::{
    Error, OpenError, Store, Timestamp,
    engine::{self, Statements},
    run::ask_once,
};

/// The table that says which migrations were applied; the first thing in a new database.
pub(crate) const TABLE: &str = "vestibule_migrations";

/// One migration and whether the database has it.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct MigrationStatus {
    /// Its number, counted from 1.
    pub number: u32,
    /// Its name.
    pub name: String,
    /// When it was applied, to the second.
    pub applied_at: Option<Timestamp>,
}

/// What a rollback would remove.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rollback {
    /// The migrations to be undone, newest first.
    pub migrations: Vec<String>,
    /// Tables that would go, with the number of their rows; and columns, as `table.column`, with
    /// the number of rows that have a value there.
    pub losses: Vec<(String, u64)>,
}

impl Rollback {
    /// How many rows would be lost.
    #[must_use]
    pub fn rows(&self) -> u64 {
        self.losses.iter().map(|(_, rows)| rows).sum()
    }
}

/// A migration: changes, each of which may be repeated, and the way back.
#[derive(Clone, Copy)]
struct Step {
    name: &'static str,
    up: fn() -> Vec<Change>,
    down: fn() -> Vec<Change>,
}

/// All migrations, oldest first. Their numbers are their places here.
const STEPS: &[Step] = &[
    m0001_accounts::STEP,
    m0002_revocations::STEP,
    m0003_admin_lists::STEP,
    m0004_retention::STEP,
    m0005_todos::STEP,
    m0006_documents::STEP,
    m0007_purging::STEP,
];

impl MigrationName for Step {
    fn name(&self) -> &str {
        self.name
    }
}

#[sea_orm_migration::async_trait::async_trait]
impl MigrationTrait for Step {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        make((self.up)(), manager).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        make((self.down)(), manager).await
    }

    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }
}

async fn make(changes: Vec<Change>, manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    for change in changes {
        change.make(manager).await?;
    }
    Ok(())
}

struct Migrator;

impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        let boxed = |step: &Step| Box::new(*step) as Box<dyn MigrationTrait>;
        STEPS.iter().map(boxed).collect()
    }

    fn migration_table_name() -> DynIden {
        Alias::new(TABLE).into_iden()
    }
}

impl Store {
    /// Applies what is missing, up to the migration number `to` or all. Of several programs
    /// that start at once one migrates and the others find it done. Gives the names applied.
    ///
    /// # Errors
    /// [`OpenError::NewerSchema`], [`OpenError::NoSuchMigration`]; [`OpenError::OlderSchema`] when
    /// something is missing and the database is open for reading alone. It is then as it was.
    pub async fn migrate_up(&self, to: Option<u32>) -> Result<Vec<String>, OpenError> {
        refuse_unknown(to)?;
        if self.read_only {
            return match wanted(self.migration_status().await?, to).as_slice() {
                [] => Ok(Vec::new()),
                _ => Err(OpenError::OlderSchema),
            };
        }
        let lock = self.migration_lock().await?;
        let applied = apply(&lock.connection, to).await;
        lock.release().await;
        applied
    }

    /// The SQL of what [`Store::migrate_up`] would do, for somebody who applies it by other means.
    /// Changes nothing.
    ///
    /// # Errors
    /// [`OpenError::NewerSchema`], [`OpenError::NoSuchMigration`].
    pub async fn pending_script(&self, to: Option<u32>) -> Result<String, OpenError> {
        refuse_unknown(to)?;
        if self.statements == Statements::Kept {
            return script::of_pending(&self.writer, to).await;
        }
        let lock = self.migration_lock().await?;
        let script = script::of_pending(&lock.connection, to).await;
        lock.release().await;
        script
    }

    /// Undoes the newest `steps` migrations and gives their names. Needs
    /// [`Store::connect_alone`], for a server would go on writing.
    ///
    /// # Errors
    /// [`OpenError::NewerSchema`].
    pub async fn migrate_down(&self, steps: u32) -> Result<Vec<String>, OpenError> {
        let lock = self.migration_lock().await?;
        let undone = undo(&lock.connection, steps).await;
        lock.release().await;
        undone
    }

    /// What undoing the newest `steps` migrations would remove. Changes nothing.
    ///
    /// # Errors
    /// [`OpenError::NewerSchema`].
    pub async fn rollback(&self, steps: u32) -> Result<Rollback, OpenError> {
        let lock = self.migration_lock().await?;
        let rollback = rollback(&lock.connection, steps).await;
        lock.release().await;
        rollback
    }

    /// Every migration that this program knows, and when it was applied. Changes nothing.
    ///
    /// # Errors
    /// [`OpenError::NewerSchema`] when the database has one that it does not know.
    pub async fn migration_status(&self) -> Result<Vec<MigrationStatus>, OpenError> {
        let asking = ask_once(&self.writer, self.statements, &(), |db, ()| {
            Box::pin(applied(db))
        });
        status_of(&asking.await?)
    }

    /// Whether every known migration is applied and the database answers.
    ///
    /// # Errors
    /// [`Error::MigrationsMissing`], or why it does not answer.
    pub async fn check_ready(&self) -> Result<(), Error> {
        self.read((), |db, ()| {
            Box::pin(async move {
                match missing(db).await? {
                    0 => Ok(()),
                    count => Err(Error::MigrationsMissing(count)),
                }
            })
        })
        .await
    }
}

/// How many of the known migrations are not applied.
pub(crate) async fn missing(db: &impl ConnectionTrait) -> Result<usize, Error> {
    let applied = applied(db).await?;
    let missing = STEPS
        .iter()
        .filter(|step| applied.iter().all(|(name, _)| name != step.name));
    Ok(missing.count())
}

/// Applies what is missing, up to migration number `to` or all, and gives the names. For whoever has
/// the right to change the schema.
pub(crate) async fn apply(
    db: &DatabaseConnection,
    to: Option<u32>,
) -> Result<Vec<String>, OpenError> {
    let names = wanted(status(db).await?, to);
    if let Ok(count @ 1..) = u32::try_from(names.len()) {
        Migrator::up(db, Some(count)).await.map_err(Error::from)?;
    }
    Ok(names)
}

/// The migrations that are missing, up to number `to` or all.
fn wanted(mut steps: Vec<MigrationStatus>, to: Option<u32>) -> Vec<String> {
    steps.retain(|step| step.applied_at.is_none() && to.is_none_or(|to| step.number <= to));
    steps.into_iter().map(|step| step.name).collect()
}

async fn undo(db: &DatabaseConnection, steps: u32) -> Result<Vec<String>, OpenError> {
    let rollback = rollback(db, steps).await?;
    if let Ok(count @ 1..) = u32::try_from(rollback.migrations.len()) {
        Migrator::down(db, Some(count)).await.map_err(Error::from)?;
    }
    Ok(rollback.migrations)
}

async fn rollback(db: &DatabaseConnection, steps: u32) -> Result<Rollback, OpenError> {
    let mut undone = status(db).await?;
    undone.retain(|step| step.applied_at.is_some());
    undone.reverse();
    undone.truncate(usize::try_from(steps).unwrap_or(usize::MAX));
    let mut losses = Vec::new();
    for step in &undone {
        for change in (STEPS[step.number as usize - 1].down)() {
            // A rollback that was killed has dropped some of it.
            if !change
                .is_made(&SchemaManager::new(db))
                .await
                .map_err(Error::from)?
            {
                losses.extend(loss(db, &change).await?);
            }
        }
    }
    Ok(Rollback {
        migrations: undone.into_iter().map(|step| step.name).collect(),
        losses,
    })
}

/// Every migration that this program knows, and when the database got it.
pub(crate) async fn status(db: &DatabaseConnection) -> Result<Vec<MigrationStatus>, OpenError> {
    status_of(&applied(db).await?)
}

fn status_of(applied: &[(String, Timestamp)]) -> Result<Vec<MigrationStatus>, OpenError> {
    if let Some((migration, _)) = applied
        .iter()
        .find(|(name, _)| STEPS.iter().all(|step| step.name != name))
    {
        return Err(OpenError::NewerSchema {
            migration: migration.clone(),
        });
    }
    let status = STEPS.iter().zip(1..).map(|(step, number)| MigrationStatus {
        number,
        name: step.name.to_owned(),
        applied_at: applied
            .iter()
            .find(|(name, _)| name == step.name)
            .map(|(_, at)| *at),
    });
    Ok(status.collect())
}

async fn applied(db: &impl ConnectionTrait) -> Result<Vec<(String, Timestamp)>, Error> {
    if !engine::has_table(db, TABLE).await? {
        return Ok(Vec::new());
    }
    #[derive(FromQueryResult)]
    struct Row {
        version: String,
        applied_at: i64,
    }
    let sql = format!("SELECT version, applied_at FROM {TABLE} ORDER BY version");
    let rows = Row::find_by_statement(Statement::from_string(db.get_database_backend(), sql));
    let rows = rows.all(db).await?;
    let in_micros = |seconds: i64| Timestamp::from_micros(seconds.saturating_mul(1_000_000));
    Ok(rows
        .into_iter()
        .map(|row| (row.version, in_micros(row.applied_at)))
        .collect())
}

/// Where the change drops data, and how many rows have some there.
async fn loss(db: &DatabaseConnection, change: &Change) -> Result<Option<(String, u64)>, Error> {
    #[derive(FromQueryResult)]
    struct Row {
        total: i64,
    }
    let (place, sql) = match change {
        Change::DropTable(table) => (
            (*table).to_owned(),
            format!("SELECT count(*) AS total FROM {table}"),
        ),
        Change::DropColumn(table, column) => (
            format!("{table}.{column}"),
            format!("SELECT count({column}) AS total FROM {table}"),
        ),
        _ => return Ok(None),
    };
    let row = Row::find_by_statement(Statement::from_string(db.get_database_backend(), sql));
    let rows = row.one(db).await?.map_or(0, |row| row.total);
    Ok(Some((place, u64::try_from(rows).unwrap_or(0))))
}

fn refuse_unknown(to: Option<u32>) -> Result<(), OpenError> {
    let newest = u32::try_from(STEPS.len()).unwrap_or(u32::MAX);
    match to {
        Some(asked) if asked > newest => Err(OpenError::NoSuchMigration { asked, newest }),
        _ => Ok(()),
    }
}
