//! `vestibule migrate up | down | status`.

use std::{
    io::Write as _,
    process::{Command, Stdio},
};

use serde_json::Value;

use super::{add, folder, folder_of_a_file};
use crate::process::{Server, run, stderr, stdout};

#[test]
fn migrations_are_shown_undone_and_applied() {
    let folder = folder();
    let status = || -> Value {
        let output = run(folder.path(), ["migrate", "status", "--json"]);
        assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
        serde_json::from_slice(&output.stdout).expect("JSON")
    };
    assert!(stdout(&run(folder.path(), ["migrate", "up"])).starts_with("applied "));
    assert!(status()[0]["applied_at"].is_string());
    assert!(stdout(&run(folder.path(), ["migrate", "up"])).contains("up to date"));
    assert_eq!(
        add(folder.path(), "ada@example.org", &[]).status.code(),
        Some(0)
    );

    // As far as the first step: a later one may add what can be dropped without a question.
    let down = ["migrate", "down", "--steps", "99"];
    let down_at_once = ["migrate", "down", "--steps", "99", "--yes"];
    let asked = run(folder.path(), down);
    assert_eq!(
        asked.status.code(),
        Some(2),
        "without a terminal there is nobody to ask"
    );
    assert!(stdout(&asked).contains("users: 1"), "{}", stdout(&asked));
    assert!(
        stdout(&run(folder.path(), ["user", "list"])).contains("ada@example.org"),
        "nothing was dropped"
    );

    let server = Server::start(folder.path(), &[]);
    let beside = run(folder.path(), down_at_once);
    assert_eq!(beside.status.code(), Some(1));
    assert!(stderr(&beside).contains("in use"), "{}", stderr(&beside));
    assert_eq!(server.stop(), Some(0));

    assert!(stdout(&run(folder.path(), down_at_once)).starts_with("undone "));
    assert_eq!(status()[0]["applied_at"], Value::Null);
    assert_eq!(
        run(folder.path(), ["migrate", "up", "--to", "99"])
            .status
            .code(),
        Some(2)
    );
}

#[test]
fn to_look_for_migrations_makes_no_file() {
    let folder = folder_of_a_file();
    let nothing = run(folder.path(), ["migrate", "status"]);
    assert_eq!(nothing.status.code(), Some(1));
    assert!(!folder.path().join("vestibule-data").exists());
}

#[test]
fn the_status_is_a_table_of_what_is_applied_and_what_is_not() {
    let folder = folder();
    let up = run(folder.path(), ["migrate", "up", "--to", "1"]);
    assert_eq!(stdout(&up), "applied m0001_accounts\n");
    let table = stdout(&run(folder.path(), ["migrate", "status"]));
    let rows: Vec<Vec<&str>> = table
        .lines()
        .map(|line| line.split_whitespace().collect())
        .collect();
    assert_eq!(rows[0], ["NUMBER", "MIGRATION", "APPLIED"]);
    assert_eq!(rows[1][..2], ["1", "m0001_accounts"]);
    assert!(rows[1][2].ends_with('Z'), "{table}");
    assert_eq!(rows[2], ["2", "m0002_revocations", "pending"]);
}

#[test]
fn data_is_dropped_when_the_word_is_typed_and_not_before() {
    let folder = folder();
    assert_eq!(
        add(folder.path(), "ada@example.org", &[]).status.code(),
        Some(0)
    );
    let typed = |word: &str| {
        let command = format!(
            "{} migrate down --steps 99",
            env!("CARGO_BIN_EXE_vestibule")
        );
        let mut terminal = Command::new("script")
            .args(["-qefc", &command, "typescript"])
            .current_dir(folder.path())
            .env_clear()
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("script is part of Debian's base");
        let mut keyboard = terminal.stdin.take().expect("a pipe");
        writeln!(keyboard, "{word}").expect("it reads");
        let output = terminal.wait_with_output().expect("it ends");
        (output.status.code(), stdout(&output))
    };
    let (code, said) = typed("no");
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("rows for good:") && said.contains("users: 1"));
    assert!(said.contains("nothing was changed"), "{said}");
    let users = || run(folder.path(), ["user", "list"]);
    assert!(stdout(&users()).contains("ada@example.org"));
    let (code, said) = typed("yes");
    assert_eq!(code, Some(0), "{said}");
    assert!(!stdout(&users()).contains("ada@example.org"));
}

#[test]
fn the_sql_for_an_empty_database_needs_no_database_and_makes_no_folder() {
    let folder = folder_of_a_file();
    let script = |engine: &str, more: &[&str]| {
        let up = ["migrate", "up", "--print-sql", "--engine", engine];
        let output = run(folder.path(), [&up, more].concat());
        assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
        stdout(&output)
    };
    for (engine, alias, client) in [
        ("sqlite", "sqlite", "sqlite3 -bail"),
        ("postgres", "postgresql", "psql"),
        ("mysql", "mariadb", "mariadb"),
    ] {
        let whole = script(engine, &[]);
        assert!(whole.contains(client), "{whole}");
        assert!(whole.contains("m0005_todos"), "{whole}");
        assert_eq!(whole, script(alias, &[]));
        let part = script(engine, &["--to", "1"]);
        assert!(part.contains("m0001_accounts") && !part.contains("m0002_revocations"));
    }
    assert!(script("sqlite", &["--to", "0"]).contains("CREATE TABLE \"vestibule_migrations\""));
    assert!(!folder.path().join("vestibule-data").exists());
}

#[test]
fn the_sql_of_what_is_missing_is_asked_of_the_database() {
    let folder = folder();
    let up = run(folder.path(), ["migrate", "up", "--to", "2"]);
    assert_eq!(up.status.code(), Some(0), "{}", stderr(&up));
    let missing = stdout(&run(folder.path(), ["migrate", "up", "--print-sql"]));
    assert!(
        missing.contains("m0003_admin_lists") && !missing.contains("m0002_revocations"),
        "{missing}"
    );
    let again = stdout(&run(folder.path(), ["migrate", "up", "--print-sql"]));
    assert_eq!(again, missing, "to print changes nothing");
    run(folder.path(), ["migrate", "up"]);
    let nothing = stdout(&run(folder.path(), ["migrate", "up", "--print-sql"]));
    assert!(nothing.contains("Nothing is missing."), "{nothing}");
}

#[test]
fn flags_that_make_no_sense_together_are_refused_and_leave_nothing_behind() {
    let folder = folder_of_a_file();
    for (arguments, word) in [
        (&["up", "--engine", "sqlite"][..], "--print-sql"),
        (&["up", "--print-sql", "--engine", "oracle"], "postgres"),
        (&["up", "--print-sql", "--engine"], "--engine"),
        (
            &["up", "--print-sql", "--engine", "sqlite", "--to", "99"],
            "there is no migration 99",
        ),
        (&["down", "--print-sql"], "--print-sql"),
        (&["status", "--engine", "sqlite"], "--engine"),
    ] {
        let output = run(folder.path(), [&["migrate"], arguments].concat());
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        let said = stderr(&output);
        assert!(said.contains(word), "{arguments:?}: {said}");
    }
    let nowhere = run(folder.path(), ["migrate", "up", "--print-sql"]);
    assert_eq!(nowhere.status.code(), Some(1));
    assert!(
        stderr(&nowhere).contains("--engine"),
        "{}",
        stderr(&nowhere)
    );
    assert!(!folder.path().join("vestibule-data").exists());
}

#[test]
fn the_help_says_what_each_flag_does() {
    let folder = folder_of_a_file();
    let help = |command: &str| {
        let help = stdout(&run(folder.path(), ["migrate", command, "-h"]));
        let own = help.split_once("\nServer:").expect("the settings follow").0;
        own.to_owned()
    };
    insta::assert_snapshot!(help("up"), @"
    Apply the missing migrations (serve does this by itself)

    Usage: vestibule migrate up [OPTIONS]

    Options:
          --to <N>           Stop after migration number N
          --print-sql        Apply nothing, and print the SQL of what the database is missing
          --engine <ENGINE>  Print it for an empty database of this engine, without asking any [possible
                             values: sqlite, postgres, mysql]
      -h, --help             Print help (see more with '--help')
    ");
    insta::assert_snapshot!(help("down"), @"
    Undo the newest migrations, and with them the data in their tables

    Usage: vestibule migrate down [OPTIONS]

    Options:
          --steps <N>  How many [default: 1]
          --yes        Do not ask before data is dropped
      -h, --help       Print help (see more with '--help')
    ");
    insta::assert_snapshot!(help("status"), @"
    List the migrations and when they were applied

    Usage: vestibule migrate status [OPTIONS]

    Options:
          --json  Print JSON instead of a table
      -h, --help  Print help (see more with '--help')
    ");
}
