//! A new migration: its number, its file and its place among the others. What it changes is drafted by
//! `crates/store/examples/draft_migration.rs`, and decided by whoever reviews it.

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result, ensure};

use crate::program::{Program, root};

const NEXT: &str = "\
To do:
  - say in its first line what it is for, and answer the comments in it
  - cargo nextest run -p store           entities and schema agree, on each engine
  - a line in CHANGELOG.md, where an operator notices it
An entity that has changed again before the step is on the main branch: delete the file and its two lines in
migrate.rs, and repeat this.";

/// `cargo xtask migration NAME [--empty]`
pub(crate) fn run(name: &str, flags: &[&str]) -> ExitCode {
    match add(name, flags) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            println!("{error:#}");
            ExitCode::FAILURE
        }
    }
}

fn add(name: &str, flags: &[&str]) -> Result<()> {
    let sources = root().join("crates/store/src");
    let step = next_step(&sources, name)?;
    let drafting = Program::new("cargo")
        .words("run --quiet --package store --example draft_migration --")
        .arg(&step);
    let drafting = flags.iter().fold(drafting, Program::arg);
    drafting.show();
    let draft = drafting
        .ask()
        .context("nothing could be drafted: do the entities compile?")?;
    if draft.is_empty() {
        println!("The entities declare what the migrations make: there is nothing to draft.");
        println!("A step for something else: cargo xtask migration {name} --empty");
        return Ok(());
    }
    let file = write(&sources, &step, &draft)?;
    Program::new("rustfmt")
        .words("--edition 2024")
        .arg(&file)
        .run()?;
    println!("{} is written.\n{NEXT}", file.display());
    Ok(())
}

/// The name of the step with the number that comes next.
fn next_step(sources: &Path, name: &str) -> Result<String> {
    let is_plain =
        |letter: char| letter.is_ascii_lowercase() || letter.is_ascii_digit() || letter == '_';
    ensure!(
        name.starts_with(|letter: char| letter.is_ascii_lowercase()) && name.chars().all(is_plain),
        "the name of a migration has lower-case letters, digits and underscores: add_nicknames"
    );
    let mut newest = 0;
    for entry in fs::read_dir(sources.join("migrate"))? {
        let file = entry?.file_name();
        let file = file.to_string_lossy();
        let number = file
            .strip_prefix('m')
            .and_then(|rest| rest.split('_').next());
        newest = newest.max(number.and_then(|number| number.parse().ok()).unwrap_or(0));
    }
    Ok(format!("m{:04}_{name}", newest + 1))
}

/// Writes the step's file, which must be new, and enters it in the list of all.
fn write(sources: &Path, step: &str, draft: &str) -> Result<PathBuf> {
    let list = sources.join("migrate.rs");
    let entered = enter(&fs::read_to_string(&list)?, step)?;
    let file = sources.join("migrate").join(step).with_extension("rs");
    writeln!(File::create_new(&file)?, "{draft}")?;
    fs::write(list, entered)?;
    Ok(file)
}

/// The list of all migrations, with this one behind the newest.
fn enter(list: &str, step: &str) -> Result<String> {
    let is_step = |line: &str, start: &str, end: &str| {
        let name = line
            .strip_prefix(start)
            .and_then(|line| line.strip_suffix(end));
        name.is_some_and(|name| {
            name.starts_with('m') && name[1..].starts_with(|digit: char| digit.is_ascii_digit())
        })
    };
    let mut lines: Vec<String> = list.lines().map(str::to_owned).collect();
    for (start, end) in [("mod ", ";"), ("    ", "::STEP,")] {
        let newest = lines.iter().rposition(|line| is_step(line, start, end));
        let newest = newest.context("migrate.rs has no list of migrations that I know")?;
        lines.insert(newest + 1, format!("{start}{step}{end}"));
    }
    Ok(lines.join("\n") + "\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The sources of this tree, as far as a new migration touches them, in a folder of their own.
    fn copy() -> tempfile::TempDir {
        let copy = tempfile::tempdir().unwrap();
        let sources = root().join("crates/store/src");
        fs::create_dir(copy.path().join("migrate")).unwrap();
        fs::copy(sources.join("migrate.rs"), copy.path().join("migrate.rs")).unwrap();
        for entry in fs::read_dir(sources.join("migrate")).unwrap() {
            let entry = entry.unwrap();
            if entry.file_type().unwrap().is_file() {
                fs::copy(
                    entry.path(),
                    copy.path().join("migrate").join(entry.file_name()),
                )
                .unwrap();
            }
        }
        copy
    }

    #[test]
    fn a_step_is_numbered_written_and_entered_behind_the_newest() {
        let sources = copy();
        let first = next_step(sources.path(), "add_nicknames").unwrap();
        let number: u32 = first[1..5].parse().unwrap();
        assert!(number > 4 && first.ends_with("_add_nicknames"), "{first}");
        let file = write(sources.path(), &first, "//! Nicknames.").unwrap();
        assert_eq!(fs::read_to_string(&file).unwrap(), "//! Nicknames.\n");
        let second = next_step(sources.path(), "drop_nicknames").unwrap();
        assert_eq!(second, format!("m{:04}_drop_nicknames", number + 1));
        write(sources.path(), &second, "//! No nicknames.").unwrap();
        let list = fs::read_to_string(sources.path().join("migrate.rs")).unwrap();
        assert!(
            list.contains(&format!("mod {first};\nmod {second};\n")),
            "{list}"
        );
        assert!(
            list.contains(&format!("    {first}::STEP,\n    {second}::STEP,\n];")),
            "{list}"
        );
    }

    #[test]
    fn no_file_is_overwritten_and_no_odd_name_taken() {
        let sources = copy();
        write(sources.path(), "m9000_one", "//! One.").unwrap();
        assert!(write(sources.path(), "m9000_one", "//! Another.").is_err());
        for name in ["", "Add", "add-nicknames", "1st", "../x"] {
            assert!(next_step(sources.path(), name).is_err(), "{name}");
        }
    }

    #[test]
    fn a_list_that_looks_otherwise_is_left_alone() {
        assert!(enter("mod m0001_accounts;\n", "m0002_more").is_err());
    }
}
