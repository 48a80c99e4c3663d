//! `vestibule migrate up | down | status`.

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
