//! Writes the first draft of a migration: what the entities declare and the migrations do not make
//! yet. `cargo xtask migration` runs it, and puts what it prints into its place.
//!
//! `draft_migration NAME` prints nothing where there is no difference; `--empty` behind it asks for
//! an empty step.

#![expect(clippy::print_stdout, reason = "the draft is what it prints")]

use std::{collections::BTreeSet, error::Error};

use store::{ColumnKind, DatabaseUrl, Definition, Options, SchemaDifference, SchemaObject, Store};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let (name, may_be_empty) = match arguments.as_slice() {
        [name] => (name, false),
        [name, flag] if flag == "--empty" => (name, true),
        _ => return Err("usage: draft_migration NAME [--empty]".into()),
    };
    let differences = differences_at(None).await?;
    if may_be_empty || !differences.is_empty() {
        print!("{}", draft(name, &differences));
    }
    Ok(())
}

/// What the entities declare otherwise than migration number `to`, or the newest, makes it.
async fn differences_at(to: Option<u32>) -> Result<Vec<SchemaDifference>, Box<dyn Error>> {
    let folder = tempfile::tempdir()?;
    let url = DatabaseUrl::of_file(folder.path().join("migrated.db"));
    let store = Store::connect(&Options::new(url)).await?;
    store.migrate_up(to).await?;
    let differences = store.schema_differences().await?;
    store.close().await;
    Ok(differences)
}

/// A step in the making: lines of source for its parts.
#[derive(Default)]
struct Draft {
    /// What an author has to decide.
    questions: Vec<String>,
    up: Vec<String>,
    down: Vec<String>,
    tables: Vec<String>,
    /// The functions for columns that it uses.
    helpers: BTreeSet<String>,
    has_indexes: bool,
    has_large_blobs: bool,
}

fn draft(name: &str, differences: &[SchemaDifference]) -> String {
    let mut draft = Draft::default();
    let new_tables: BTreeSet<&str> = differences
        .iter()
        .filter(|difference| difference.declared == Some(Definition::Table))
        .map(|difference| difference.object.table())
        .collect();
    for difference in differences {
        let is_of_new_table = new_tables.contains(difference.object.table());
        match (&difference.object, &difference.declared, &difference.found) {
            (SchemaObject::Table(table), Some(_), None) => draft.add_table(table, differences),
            (SchemaObject::Index(table, index), Some(definition), None) => {
                draft.add_index(table, index, definition);
                // It goes with its table, and not every engine lets one go before that on which a reference
                // rests.
                if !is_of_new_table {
                    draft.drop_index(table, index, definition);
                }
            }
            (_, Some(_), None) if is_of_new_table => {}
            (
                SchemaObject::Column(table, column),
                Some(Definition::Column { kind, is_nullable }),
                None,
            ) => draft.add_column(table, column, kind, *is_nullable),
            _ => draft.questions.push(difference.to_string()),
        }
    }
    draft.source(name)
}

impl Draft {
    fn add_table(&mut self, table: &str, differences: &[SchemaDifference]) {
        let parts = || {
            differences
                .iter()
                .filter(|difference| difference.object.table() == table)
                .filter_map(|difference| Some((&difference.object, difference.declared.as_ref()?)))
        };
        let key = parts().find_map(|(_, definition)| match definition {
            Definition::PrimaryKey(columns) => Some(columns.as_slice()),
            _ => None,
        });
        let key = key.unwrap_or_default();
        let mut lines = vec![format!("Table::create().table({table:?})")];
        for (object, definition) in parts() {
            match (object, definition) {
                (SchemaObject::Column(_, column), Definition::Column { kind, is_nullable }) => {
                    let written = self.column(column, kind, *is_nullable);
                    let is_key = key == [column.clone()];
                    let key = if is_key { ".primary_key()" } else { "" };
                    lines.push(format!(".col({written}{key})"));
                }
                (SchemaObject::ForeignKey(_, from), Definition::ForeignKey { .. }) => {
                    lines.push(foreign_key(table, from, definition));
                }
                _ => {}
            }
        }
        if key.len() > 1 {
            let columns: String = key
                .iter()
                .map(|column| format!(".col({column:?})"))
                .collect();
            lines.push(format!(".primary_key(sea_query::Index::create(){columns})"));
        }
        let body = lines.join("\n        ");
        self.tables.push(format!(
            "fn {table}() -> TableCreateStatement {{\n    {body}\n        .to_owned()\n}}\n"
        ));
        self.up.push(format!("Change::CreateTable({table}()),"));
        self.down.push(format!("Change::DropTable({table:?}),"));
    }

    fn add_column(&mut self, table: &str, column: &str, kind: &ColumnKind, is_nullable: bool) {
        let written = self.column(column, kind, is_nullable);
        if !is_nullable {
            self.up
                .push("// The rows that exist need a value: `.default(…)`.".to_owned());
        }
        self.up
            .push(format!("Change::AddColumn({table:?}, {written}),"));
        self.down
            .push(format!("Change::DropColumn({table:?}, {column:?}),"));
    }

    fn add_index(&mut self, table: &str, index: &str, definition: &Definition) {
        let written = index_of(table, index, definition);
        self.up.push(format!("Change::CreateIndex({written}),"));
        self.has_indexes = true;
    }

    fn drop_index(&mut self, table: &str, index: &str, definition: &Definition) {
        let written = index_of(table, index, definition);
        self.down.push(format!("Change::DropIndex({written}),"));
    }

    /// A column by the function that makes it.
    fn column(&mut self, column: &str, kind: &ColumnKind, is_nullable: bool) -> String {
        let (helper, length) = match kind {
            ColumnKind::Uuid => ("uuid", None),
            ColumnKind::BigInteger | ColumnKind::AnyInteger => ("big_integer", None),
            ColumnKind::Integer => ("integer", None),
            ColumnKind::Boolean => ("boolean", None),
            ColumnKind::String(length) => ("string_len", Some(length)),
            ColumnKind::Text => ("text", None),
            ColumnKind::Blob | ColumnKind::AnyBlob => ("blob", None),
            ColumnKind::LargeBlob => {
                self.has_large_blobs = true;
                let null = if is_nullable { ".null()" } else { "" };
                return format!("large_blob({column:?}){null}");
            }
            ColumnKind::Other(words) => {
                let question = format!("the type of {column}, which is declared as {words}");
                self.questions.push(question);
                ("blob", None)
            }
        };
        let helper = format!("{helper}{}", if is_nullable { "_null" } else { "" });
        let length = length.map_or_else(String::new, |length| format!(", {length}"));
        let written = format!("{helper}({column:?}{length})");
        self.helpers.insert(helper);
        written
    }

    fn source(mut self, name: &str) -> String {
        // What was made last goes first.
        self.down.reverse();
        let mut source = String::from("//! What this step is for, in a sentence.\n\n");
        if !self.helpers.is_empty() {
            let helpers: Vec<_> = self.helpers.iter().map(String::as_str).collect();
            let helpers = helpers.join(", ");
            let prelude = if self.tables.is_empty() {
                ""
            } else {
                "prelude::*, "
            };
            source += &format!("use sea_orm_migration::{{{prelude}schema::{{{helpers}}}}};\n\n");
        }
        source += match self.has_large_blobs {
            true => "use super::{Change, Step, change::large_blob};\n",
            false => "use super::{Change, Step};\n",
        };
        if self.has_indexes {
            source += "use crate::schema::Index;\n";
        }
        source += &format!(
            "\npub(super) const STEP: Step = Step {{\n    name: {name:?},\n    up,\n    down,\n}};\n"
        );
        let questions = self.questions.iter();
        let questions: String = questions
            .map(|question| format!("    // Not drafted: {question}.\n"))
            .collect();
        source += &function("up", &questions, &self.up);
        source += &function("down", "", &self.down);
        for table in &self.tables {
            source += "\n";
            source += table;
        }
        source
    }
}

fn index_of(table: &str, index: &str, definition: &Definition) -> String {
    let Definition::Index {
        columns,
        is_unique,
        is_sparse,
    } = definition
    else {
        return String::new();
    };
    let unique = if *is_unique { ".unique()" } else { "" };
    let sparse = if *is_sparse { ".sparse()" } else { "" };
    format!("{table:?}, Index::new({index:?}, &{columns:?}){unique}{sparse}")
}

fn foreign_key(table: &str, from: &[String], definition: &Definition) -> String {
    let Definition::ForeignKey {
        table: to_table,
        columns: to,
        on_delete,
    } = definition
    else {
        return String::new();
    };
    let action = match on_delete.as_str() {
        "CASCADE" => ".on_delete(ForeignKeyAction::Cascade)",
        "SET NULL" => ".on_delete(ForeignKeyAction::SetNull)",
        "SET DEFAULT" => ".on_delete(ForeignKeyAction::SetDefault)",
        "RESTRICT" => ".on_delete(ForeignKeyAction::Restrict)",
        _ => "",
    };
    let from: String = from
        .iter()
        .map(|column| format!(".from({table:?}, {column:?})"))
        .collect();
    let to: String = to
        .iter()
        .map(|column| format!(".to({to_table:?}, {column:?})"))
        .collect();
    let name = format!("{table}_{to_table}");
    format!(".foreign_key(ForeignKey::create().name({name:?}){from}{to}{action})")
}

fn function(name: &str, comment: &str, changes: &[String]) -> String {
    let lines: String = changes
        .iter()
        .map(|line| format!("        {line}\n"))
        .collect();
    match changes.is_empty() {
        true => format!("\nfn {name}() -> Vec<Change> {{\n{comment}    Vec::new()\n}}\n"),
        false => format!("\nfn {name}() -> Vec<Change> {{\n{comment}    vec![\n{lines}    ]\n}}\n"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn column(table: &str, name: &str, kind: ColumnKind, is_nullable: bool) -> SchemaDifference {
        SchemaDifference {
            object: SchemaObject::Column(table.into(), name.into()),
            declared: Some(Definition::Column { kind, is_nullable }),
            found: None,
        }
    }

    #[tokio::test]
    async fn the_entities_and_the_migrations_of_this_tree_agree() {
        assert_eq!(differences_at(None).await.unwrap(), []);
    }

    #[tokio::test]
    async fn what_the_second_step_has_added_is_drafted_from_the_entities() {
        let differences = differences_at(Some(1)).await.unwrap();
        let draft = draft("m0002_again", &differences);
        for line in [
            "    name: \"m0002_again\",",
            "        Change::CreateTable(revocations()),",
            "        Change::CreateIndex(\"users\", Index::new(\"users_deleted\", &[\"deleted_at\"]).sparse()),",
            "        Change::DropIndex(\"users\", Index::new(\"users_deleted\", &[\"deleted_at\"]).sparse()),",
            "        .col(integer(\"id\").primary_key())",
            "        .col(big_integer(\"count\"))",
            "    // Not drafted: the index sessions_expiry of sessions is not of this release.",
        ] {
            assert!(
                draft.lines().any(|found| found == line),
                "{line} in {draft}"
            );
        }
    }

    #[tokio::test]
    async fn tables_are_drafted_with_their_keys_and_undone_in_the_reverse_order() {
        let differences = differences_at(Some(0)).await.unwrap();
        let draft = draft("m0001_again", &differences);
        for part in [
            ".primary_key(sea_query::Index::create().col(\"user_id\").col(\"role\"))",
            ".foreign_key(ForeignKey::create().name(\"sessions_users\").from(\"sessions\", \"user_id\")\
             .to(\"users\", \"id\").on_delete(ForeignKeyAction::Cascade))",
            ".col(string_len_null(\"email_key\", 254))",
        ] {
            assert!(draft.contains(part), "{part} in {draft}");
        }
        let place = |change: &str| draft.find(change).unwrap();
        assert!(place("CreateTable(users())") < place("CreateTable(sessions())"));
        assert!(place("DropTable(\"sessions\")") < place("DropTable(\"users\")"));
        assert!(draft.contains("CreateIndex(\"sessions\""));
        assert!(
            !draft.contains("DropIndex"),
            "indexes go with their tables: {draft}"
        );
    }

    #[test]
    fn a_column_that_must_have_a_value_is_a_question_to_the_author() {
        let differences = [
            column("users", "nick", ColumnKind::String(20), true),
            column("users", "visits", ColumnKind::BigInteger, false),
            column("users", "portrait", ColumnKind::LargeBlob, true),
            SchemaDifference {
                found: Some(Definition::Table),
                ..column("users", "name", ColumnKind::Text, true)
            },
        ];
        assert_eq!(
            draft("m0005_visits", &differences),
            "//! What this step is for, in a sentence.

use sea_orm_migration::{schema::{big_integer, string_len_null}};

use super::{Change, Step, change::large_blob};

pub(super) const STEP: Step = Step {
    name: \"m0005_visits\",
    up,
    down,
};

fn up() -> Vec<Change> {
    // Not drafted: the column users.name is a table, and should be a text in order of bytes, nullable.
    vec![
        Change::AddColumn(\"users\", string_len_null(\"nick\", 20)),
        // The rows that exist need a value: `.default(…)`.
        Change::AddColumn(\"users\", big_integer(\"visits\")),
        Change::AddColumn(\"users\", large_blob(\"portrait\").null()),
    ]
}

fn down() -> Vec<Change> {
    vec![
        Change::DropColumn(\"users\", \"portrait\"),
        Change::DropColumn(\"users\", \"visits\"),
        Change::DropColumn(\"users\", \"nick\"),
    ]
}
"
        );
    }

    #[test]
    fn an_empty_step_changes_nothing() {
        let draft = draft("m0005_nothing", &[]);
        assert_eq!(draft.matches("Vec::new()").count(), 2);
    }
}
