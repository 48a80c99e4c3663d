//! Migrations as a script, for whoever lets no program change a schema: the very statements that
//! would be run, and the rows that say that they were.

use sea_orm::{DatabaseConnection, DbBackend, Schema};
use sea_orm_migration::{SchemaManager, seaql_migrations};

use super::{STEPS, Step, TABLE, change::Change, refuse_unknown, status, wanted};
use crate::{Engine, Error, OpenError};

/// The SQL that brings an empty database to the schema of migration number `to`, or the newest.
/// Needs no database.
///
/// # Errors
/// [`OpenError::NoSuchMigration`].
pub fn migration_script(engine: Engine, to: Option<u32>) -> Result<String, OpenError> {
    refuse_unknown(to)?;
    let count = to.map_or(STEPS.len(), |to| to as usize);
    let mut script = Script::new(engine.backend());
    script.add_table_of_migrations();
    for step in &STEPS[..count] {
        script.add(step, &(step.up)());
    }
    Ok(script.finish("an empty database"))
}

/// The SQL of what is missing in this database, up to number `to` or all.
pub(super) async fn of_pending(
    db: &DatabaseConnection,
    to: Option<u32>,
) -> Result<String, OpenError> {
    let manager = SchemaManager::new(db);
    let mut script = Script::new(db.get_database_backend());
    if !manager.has_table(TABLE).await.map_err(Error::from)? {
        script.add_table_of_migrations();
    }
    let names = wanted(status(db).await?, to);
    let mut steps = STEPS
        .iter()
        .filter(|step| names.iter().any(|name| name == step.name));
    if let Some(step) = steps.next() {
        // This one may have been begun, by a run that was killed.
        let mut changes = Vec::new();
        for change in (step.up)() {
            if !change.is_made(&manager).await.map_err(Error::from)? {
                changes.push(change);
            }
        }
        script.add(step, &changes);
    }
    for step in steps {
        script.add(step, &(step.up)());
    }
    Ok(script.finish("the database that was asked"))
}

struct Script {
    engine: DbBackend,
    statements: String,
}

impl Script {
    fn new(engine: DbBackend) -> Self {
        let statements = String::new();
        Self { engine, statements }
    }

    fn add_table_of_migrations(&mut self) {
        let mut table = Schema::new(self.engine).create_table_from_entity(seaql_migrations::Entity);
        table.table(TABLE);
        let sql = self.engine.build(&table).to_string();
        self.push(&sql);
    }

    /// The changes, and the row that says that the step was applied.
    fn add(&mut self, step: &Step, changes: &[Change]) {
        self.statements.push_str(&format!("\n-- {}\n", step.name));
        for change in changes {
            self.push(&change.sql(self.engine));
        }
        let (name, seconds) = (step.name, seconds_since_1970(self.engine));
        self.push(&format!(
            "INSERT INTO {TABLE} (version, applied_at) VALUES ('{name}', {seconds})"
        ));
    }

    fn push(&mut self, sql: &str) {
        self.statements.push_str(&in_lines(sql));
        self.statements.push_str(";\n");
    }

    /// The whole, for a client program of the engine to read.
    fn finish(self, place: &str) -> String {
        let (engine, client, begin, commit) = match self.engine {
            DbBackend::Postgres => (
                "PostgreSQL",
                "psql --set ON_ERROR_STOP=1",
                "BEGIN;\n",
                "\nCOMMIT;\n",
            ),
            // It would commit each change of the schema by itself, whatever stood around it.
            DbBackend::MySql => ("MariaDB or MySQL", "mariadb", "", ""),
            _ => (
                "SQLite",
                "sqlite3 -bail",
                "BEGIN IMMEDIATE;\n",
                "\nCOMMIT;\n",
            ),
        };
        let head = format!(
            "-- Migrations of Vestibule {} for {engine}: for {place}, while no vestibule uses it.\n",
            env!("CARGO_PKG_VERSION")
        );
        match self.statements.is_empty() {
            true => format!("{head}-- Nothing is missing.\n"),
            false => format!(
                "{head}-- Apply with: {client}\n\n{begin}{}{commit}",
                self.statements
            ),
        }
    }
}

/// The time at which the script is applied.
fn seconds_since_1970(engine: DbBackend) -> &'static str {
    match engine {
        DbBackend::Postgres => "CAST(extract(epoch FROM now()) AS bigint)",
        DbBackend::MySql => "unix_timestamp()",
        _ => "CAST(strftime('%s', 'now') AS integer)",
    }
}

/// The same statement, with a line for each column of a table.
fn in_lines(sql: &str) -> String {
    let Some((head, columns)) = sql
        .split_once(" ( ")
        .filter(|_| sql.starts_with("CREATE TABLE"))
    else {
        return sql.to_owned();
    };
    let mut lines = format!("{head} (\n    ");
    let (mut depth, mut is_literal) = (1, false);
    for letter in columns.chars() {
        is_literal ^= letter == '\'';
        if is_literal {
            lines.push(letter);
            continue;
        }
        depth += i32::from(letter == '(') - i32::from(letter == ')');
        match (letter, depth) {
            (')', 0) => {
                lines.truncate(lines.trim_end().len());
                lines.push_str("\n)");
            }
            (',', 1) => lines.push_str(",\n   "),
            _ => lines.push(letter),
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::in_lines;

    #[test]
    fn a_table_has_a_line_for_each_column_and_its_literals_stay_as_they_are() {
        let sql = "CREATE TABLE t ( a varchar(9) DEFAULT 'x, (y''s), ', b decimal(1, 2) ) ENGINE";
        let lines = "CREATE TABLE t (\n    a varchar(9) DEFAULT 'x, (y''s), ',\n    b decimal(1, 2)\n) ENGINE";
        assert_eq!(in_lines(sql), lines);
        assert_eq!(in_lines("DROP TABLE t"), "DROP TABLE t");
    }
}
