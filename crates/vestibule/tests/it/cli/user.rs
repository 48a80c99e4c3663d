//! `vestibule user …` beside a running server.

use serde_json::{Value, json};

use super::{PASSWORD, add, folder};
use crate::process::{Server, run, run_with_input, stderr, stdout};

#[test]
fn users_are_added_listed_and_changed_beside_a_running_server() {
    let folder = folder();
    let server = Server::start(folder.path(), &[]);
    let added = add(
        folder.path(),
        "root@example.org",
        &[
            "--username",
            "root",
            "--name",
            "The Root",
            "--role",
            "admin",
        ],
    );
    assert!(
        stdout(&added).starts_with("added root@example.org (id "),
        "{}",
        stdout(&added)
    );
    let login = json!({"login": "root", "password": PASSWORD});
    let opened = server.post("/api/auth/login", &login).json();
    assert_eq!(opened["user"]["roles"], json!(["admin"]));
    assert_eq!(opened["user"]["email_verified"], true);
    let token = opened["access_token"].as_str().expect("a token");

    let listed = run(folder.path(), ["user", "list", "--json"]);
    let users: Value = serde_json::from_slice(&listed.stdout).expect("JSON");
    assert_eq!(users[0]["email"], "root@example.org");
    assert_eq!(users.as_array().map(Vec::len), Some(1));
    let table = stdout(&run(folder.path(), ["user", "list", "--q", "ROOT"]));
    assert!(
        table.lines().count() == 2 && table.starts_with("EMAIL"),
        "{table}"
    );

    for refused in [
        &["user", "disable", "root"][..],
        &["user", "roles", "root", "--remove", "admin"],
    ] {
        let output = run(folder.path(), refused);
        assert_eq!(output.status.code(), Some(1));
        assert!(
            stderr(&output).contains("last admin"),
            "{}",
            stderr(&output)
        );
    }
    assert_eq!(
        add(folder.path(), "second@example.org", &["--role", "admin"])
            .status
            .code(),
        Some(0)
    );
    assert_eq!(
        run(folder.path(), ["user", "disable", "root@example.org"])
            .status
            .code(),
        Some(0)
    );
    assert_eq!(
        server.me(token).status,
        401,
        "the running server asks the database, for it has not seen this session before"
    );
    assert_eq!(server.post("/api/auth/login", &login).status, 401);
    assert_eq!(
        run(folder.path(), ["user", "enable", "ROOT"]).status.code(),
        Some(0)
    );
    assert_eq!(server.post("/api/auth/login", &login).status, 200);

    let changed = run_with_input(
        folder.path(),
        &["user", "passwd", "root", "--password-stdin"],
        "another long password",
    );
    assert_eq!(changed.status.code(), Some(0), "{}", stderr(&changed));
    assert_eq!(server.post("/api/auth/login", &login).status, 401);
}

#[test]
fn users_are_shown_deleted_and_restored_beside_a_running_server() {
    let folder = folder();
    let server = Server::start(folder.path(), &[]);
    add(folder.path(), "ada@example.org", &["--username", "ada"]);
    let login = json!({"login": "ada", "password": PASSWORD});
    let opened = server.post("/api/auth/login", &login).json();
    let token = opened["access_token"].as_str().expect("a token");
    let id = opened["user"]["id"].as_str().expect("an id");
    let user = |command: &str, login: &str| run(folder.path(), ["user", command, login]);

    let card = stdout(&user("show", "ADA"));
    for fact in [id, "ada@example.org", "verified  yes", "deleted   no"] {
        assert!(card.contains(fact), "{fact} in {card}");
    }
    let deleted = user("delete", "ada@example.org");
    assert_eq!(deleted.status.code(), Some(0), "{}", stderr(&deleted));
    assert!(stdout(&deleted).starts_with("deleted and ended every session of ada@example.org"));
    assert_eq!(
        server.me(token).status,
        401,
        "the running server asks the database, for it has not seen this session before"
    );
    assert_eq!(server.post("/api/auth/login", &login).status, 401);
    assert_eq!(user("delete", "ada").status.code(), Some(1));
    assert_eq!(stdout(&user("list", "--json")).trim(), "[]");
    let shown = run(folder.path(), ["user", "show", "ada", "--json"]);
    let shown: Value = serde_json::from_slice(&shown.stdout).expect("JSON");
    assert_eq!(shown[0]["id"], id);
    assert!(shown[0]["deleted_at"].is_string());

    add(folder.path(), "ada@example.org", &[]);
    let refused = user("restore", id);
    assert_eq!(refused.status.code(), Some(1));
    assert!(stderr(&refused).contains("taken"), "{}", stderr(&refused));
    assert_eq!(user("delete", "ada@example.org").status.code(), Some(0));
    let several = user("restore", "ada@example.org");
    assert_eq!(several.status.code(), Some(1));
    assert!(stderr(&several).contains(id), "{}", stderr(&several));
    assert_eq!(user("restore", id).status.code(), Some(0));
    assert_eq!(server.me(token).status, 401, "no session comes back");
    assert_eq!(server.post("/api/auth/login", &login).status, 200);
    assert!(stdout(&user("restore", id)).starts_with("nothing to change"));
    for command in ["show", "delete", "restore"] {
        assert_eq!(user(command, "nobody").status.code(), Some(1), "{command}");
    }
}

#[test]
fn what_cannot_be_added_is_refused_with_every_reason() {
    let folder = folder();
    assert_eq!(
        add(folder.path(), "ada@example.org", &[]).status.code(),
        Some(0)
    );
    let again = add(folder.path(), "ADA@example.ORG", &[]);
    assert_eq!(again.status.code(), Some(1));
    assert!(stderr(&again).contains("taken"), "{}", stderr(&again));
    let arguments = [
        "user",
        "add",
        "no address",
        "--username",
        "x",
        "--password-stdin",
    ];
    let wrong = run_with_input(folder.path(), &arguments, "password\n");
    for field in ["email:", "username:", "password:"] {
        assert!(
            stderr(&wrong).contains(field),
            "{field} in {}",
            stderr(&wrong)
        );
    }
    let role = add(folder.path(), "eve@example.org", &["--role", "Not A Role"]);
    assert_eq!(role.status.code(), Some(2));
    let nowhere = run(folder.path(), ["user", "add", "eve@example.org"]);
    assert_eq!(nowhere.status.code(), Some(2), "no terminal to ask at");
    assert!(stderr(&nowhere).contains("--password-stdin"));
    let nobody = run(folder.path(), ["user", "disable", "nobody"]);
    assert_eq!(nobody.status.code(), Some(1));
}

#[test]
fn a_password_comes_from_the_first_line_of_a_file() {
    let folder = folder();
    std::fs::write(
        folder.path().join("password"),
        format!("{PASSWORD}\r\nanything\n"),
    )
    .expect("writable");
    let added = run(
        folder.path(),
        [
            "user",
            "add",
            "ada@example.org",
            "--password-file",
            "password",
        ],
    );
    assert_eq!(added.status.code(), Some(0), "{}", stderr(&added));
    let server = Server::start(folder.path(), &[]);
    let login = json!({"login": "ada@example.org", "password": PASSWORD});
    assert_eq!(server.post("/api/auth/login", &login).status, 200);
}

#[test]
fn under_bcrypt_a_password_is_whole_or_refused_with_the_figure() {
    let folder = folder();
    let arguments = [
        "user",
        "add",
        "ada@example.org",
        "--password-stdin",
        "--password-algorithm",
        "bcrypt",
    ];
    let refused = run_with_input(folder.path(), &arguments, &format!("{}\n", "x".repeat(73)));
    assert_eq!(refused.status.code(), Some(1));
    let reason = stderr(&refused);
    assert!(reason.contains("at most 72 bytes"), "{reason}");
    let added = run_with_input(folder.path(), &arguments, &format!("{PASSWORD}\n"));
    assert_eq!(added.status.code(), Some(0), "{}", stderr(&added));
}

#[test]
fn a_change_that_changes_nothing_says_so() {
    let folder = folder();
    add(folder.path(), "ada@example.org", &["--role", "staff"]);
    for arguments in [
        &["user", "enable", "ada@example.org"][..],
        &["user", "roles", "ada@example.org", "--add", "staff"],
    ] {
        let output = run(folder.path(), arguments);
        assert_eq!(output.status.code(), Some(0));
        assert!(
            stdout(&output).starts_with("nothing to change"),
            "{}",
            stdout(&output)
        );
    }
}
