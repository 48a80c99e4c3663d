//! `vestibule backup` and `restore`.

use std::path::Path;

use serde_json::Value;

use super::{add, folder_of_a_file, mode, register};
use crate::process::{Server, run, stderr, stdout};

/// The names in a folder, sorted.
fn names(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).expect("a folder");
    let name = |entry: std::io::Result<std::fs::DirEntry>| entry.expect("an entry").file_name();
    let mut names: Vec<_> = entries
        .map(|entry| name(entry).into_string().expect("a name"))
        .collect();
    names.sort();
    names
}

/// The same without the empty files that whoever is at work has locked.
fn contents(folder: &Path) -> Vec<String> {
    let names = names(folder).into_iter();
    names.filter(|name| !name.ends_with(".lock")).collect()
}

#[test]
fn a_backup_is_never_made_among_published_files() {
    let folder = folder_of_a_file();
    let added = add(folder.path(), "ada@example.org", &[]);
    assert_eq!(added.status.code(), Some(0), "{}", stderr(&added));
    std::fs::create_dir(folder.path().join("site")).expect("a site");
    let back_up = |file: &str, site: &str| run(folder.path(), ["backup", file, "--site", site]);
    for file in ["site/monday", "./site/not/../monday.db"] {
        let refused = back_up(file, "site");
        let said = stderr(&refused);
        assert_eq!(refused.status.code(), Some(2), "{said}");
        assert!(
            said.contains("keep it outside: vestibule backup "),
            "{said}"
        );
        assert_eq!(names(&folder.path().join("site")), [""; 0]);
    }
    for (file, site) in [("beside", "site"), ("away", "no-site")] {
        let made = back_up(file, site);
        assert_eq!(made.status.code(), Some(0), "{}", stderr(&made));
    }
}

#[test]
fn a_backup_beside_a_running_server_comes_back_with_its_sessions() {
    let folder = folder_of_a_file();
    let at = ["--public-url", "http://localhost:1"];
    let server = Server::start(folder.path(), &at);
    let kept = register(&server, "ada");
    let backup = run(folder.path(), ["backup", "copy.db"]);
    assert_eq!(backup.status.code(), Some(0), "{}", stderr(&backup));
    assert!(stdout(&backup).contains("does not hold the secret key"));
    assert_eq!(mode(&folder.path().join("copy.db")), 0o600);
    let again = run(folder.path(), ["backup", "copy.db"]);
    assert_eq!(
        again.status.code(),
        Some(2),
        "an existing file is not overwritten"
    );
    let odd = run(folder.path(), ["backup", "file:odd.db?mode=memory"]);
    assert_eq!(
        odd.status.code(),
        Some(0),
        "a name is a name: {}",
        stderr(&odd)
    );
    assert_eq!(mode(&folder.path().join("file:odd.db?mode=memory")), 0o600);
    let later = register(&server, "eve");

    let beside = run(folder.path(), ["restore", "--replace", "copy.db"]);
    assert_eq!(beside.status.code(), Some(1), "{}", stderr(&beside));
    assert_eq!(server.stop(), Some(0));
    let data = folder.path().join("vestibule-data");
    let restore = |from: &str| {
        let restored = run(folder.path(), ["restore", "--replace", from]);
        assert_eq!(restored.status.code(), Some(0), "{}", stderr(&restored));
    };
    let users = || stdout(&run(folder.path(), ["user", "list"]));
    restore("copy.db");
    assert_eq!(mode(&data.join("vestibule.db")), 0o600);
    assert!(!users().contains("eve@"), "she came after the backup");
    restore("vestibule-data/vestibule.db.before-restore-1");
    assert!(users().contains("eve@"), "the first restore is undone");
    restore("copy.db");
    let left = names(&data);
    assert!(
        left.iter().all(|name| !name.starts_with("restoring-")),
        "{left:?}"
    );

    let server = Server::start(folder.path(), &at);
    let token = |opened: &Value| opened["access_token"].as_str().expect("a token").to_owned();
    assert_eq!(server.me(&token(&kept)).status, 200);
    assert_eq!(server.me(&token(&later)).status, 401);
}

#[test]
fn a_restore_refuses_a_place_that_is_not_empty() {
    let folder = folder_of_a_file();
    let added = add(folder.path(), "ada@example.org", &[]);
    assert_eq!(added.status.code(), Some(0), "{}", stderr(&added));
    let backup = run(folder.path(), ["backup", "copy.db"]);
    assert_eq!(backup.status.code(), Some(0), "{}", stderr(&backup));
    let added = add(folder.path(), "eve@example.org", &[]);
    assert_eq!(added.status.code(), Some(0), "{}", stderr(&added));
    let data = folder.path().join("vestibule-data");
    let refused = || {
        let before = contents(&data);
        let output = run(folder.path(), ["restore", "copy.db"]);
        assert_eq!(output.status.code(), Some(2), "{}", stderr(&output));
        assert!(stderr(&output).contains("--replace"), "{}", stderr(&output));
        assert_eq!(contents(&data), before);
    };

    refused();
    let users = stdout(&run(folder.path(), ["user", "list"]));
    assert!(users.contains("eve@"), "she is still there: {users}");

    let database = data.join("vestibule.db");
    std::fs::remove_file(&database).expect("removed");
    let rest = data.join("vestibule.db-wal");
    std::fs::write(&rest, "would be applied to whatever comes").expect("writable");
    refused();

    std::fs::remove_file(&rest).expect("removed");
    let restored = run(folder.path(), ["restore", "copy.db"]);
    assert_eq!(restored.status.code(), Some(0), "{}", stderr(&restored));
    assert_eq!(mode(&database), 0o600);
    let users = stdout(&run(folder.path(), ["user", "list"]));
    assert!(users.contains("ada@") && !users.contains("eve@"), "{users}");
}

#[test]
fn a_log_without_its_database_is_set_aside_by_a_restore() {
    let folder = folder_of_a_file();
    let added = add(folder.path(), "ada@example.org", &[]);
    assert_eq!(added.status.code(), Some(0), "{}", stderr(&added));
    let backup = run(folder.path(), ["backup", "copy.db"]);
    assert_eq!(backup.status.code(), Some(0), "{}", stderr(&backup));
    let data = folder.path().join("vestibule-data");
    std::fs::remove_file(data.join("vestibule.db")).expect("removed");
    std::fs::write(data.join("vestibule.db-wal"), "left behind").expect("writable");
    let restored = run(folder.path(), ["restore", "--replace", "copy.db"]);
    assert_eq!(restored.status.code(), Some(0), "{}", stderr(&restored));
    let kept = std::fs::read_to_string(data.join("vestibule.db.before-restore-1-wal"));
    assert_eq!(kept.expect("kept"), "left behind");
    assert!(stdout(&run(folder.path(), ["user", "list"])).contains("ada@"));
}

#[test]
fn what_cannot_be_restored_changes_nothing() {
    let (folder, other) = (folder_of_a_file(), folder_of_a_file());
    for (folder, email) in [(&folder, "ada@example.org"), (&other, "eve@example.org")] {
        assert_eq!(add(folder.path(), email, &[]).status.code(), Some(0));
    }
    assert_eq!(
        run(other.path(), ["backup", "foreign.db"]).status.code(),
        Some(0)
    );
    std::fs::copy(
        other.path().join("foreign.db"),
        folder.path().join("foreign.db"),
    )
    .expect("copied");
    assert_eq!(
        run(folder.path(), ["backup", "good.db"]).status.code(),
        Some(0)
    );
    let mut damaged = std::fs::read(folder.path().join("good.db")).expect("readable");
    let middle = damaged.len() / 2;
    // Half of it: a single page may hold nothing.
    damaged[middle..].fill(0xa5);
    std::fs::write(folder.path().join("damaged.db"), damaged).expect("writable");
    std::fs::write(folder.path().join("letter"), "Dear Sir or Madam").expect("writable");
    std::fs::write(folder.path().join("empty"), "").expect("writable");
    let data = folder.path().join("vestibule-data");
    let before = (
        contents(folder.path()),
        contents(&data),
        std::fs::read(data.join("vestibule.db")).ok(),
    );
    for (file, reason) in [
        ("foreign.db", "secret key"),
        ("letter", "letter is not a SQLite database"),
        ("empty", "no installation"),
        ("damaged.db", "damaged.db is damaged"),
        ("missing", "missing"),
    ] {
        let output = run(folder.path(), ["restore", "--replace", file]);
        assert_eq!(output.status.code(), Some(2), "{file}: {}", stderr(&output));
        assert!(
            stderr(&output).contains(reason),
            "{file}: {}",
            stderr(&output)
        );
        let after = (
            contents(folder.path()),
            contents(&data),
            std::fs::read(data.join("vestibule.db")).ok(),
        );
        assert_eq!(after, before, "{file}");
    }
}

#[test]
fn a_damaged_database_is_set_aside_by_a_restore() {
    let folder = folder_of_a_file();
    assert_eq!(
        add(folder.path(), "ada@example.org", &[]).status.code(),
        Some(0)
    );
    assert_eq!(
        run(folder.path(), ["backup", "good.db"]).status.code(),
        Some(0)
    );
    let database = folder.path().join("vestibule-data/vestibule.db");
    std::fs::write(&database, "what a broken disk left of it").expect("writable");
    let restored = run(folder.path(), ["restore", "--replace", "good.db"]);
    assert_eq!(restored.status.code(), Some(0), "{}", stderr(&restored));
    assert!(stdout(&run(folder.path(), ["user", "list"])).contains("ada@example.org"));
    let kept = std::fs::read_to_string(database.with_file_name("vestibule.db.before-restore-1"));
    assert_eq!(kept.expect("kept"), "what a broken disk left of it");
}
