//! The first admin, by the real binary: the link that a start leaves, and the account that settings make.

use std::path::PathBuf;

use super::{serve::lines_on_a_terminal, *};

fn link_file(folder: &Path) -> PathBuf {
    folder.join("vestibule-data/setup-link")
}

/// The code in the file that a start has left.
fn code_in_file(folder: &Path) -> String {
    let link = std::fs::read_to_string(link_file(folder)).expect("a link");
    let (page, code) = link.trim_end().split_once("#code=").expect("a code");
    assert!(page.ends_with("/setup"), "{page}");
    code.to_owned()
}

fn set_up(server: &Server, code: &str, name: &str) -> crate::process::Answer {
    let email = format!("{name}@example.org");
    server.post(
        "/api/auth/setup",
        &json!({"code": code, "email": email, "password": PASSWORD}),
    )
}

fn log(folder: &Path) -> String {
    std::fs::read_to_string(folder.join("log")).expect("a log")
}

#[test]
fn each_start_without_an_admin_leaves_a_new_link_that_is_good_once_and_in_no_log() {
    let folder = folder();
    let quiet = Server::start(folder.path(), &[]);
    let first = code_in_file(folder.path());
    assert_eq!(quiet.stop(), Some(0));

    let server = Server::start(folder.path(), &["--log-level", "trace"]);
    assert_eq!(mode(&link_file(folder.path())), 0o600);
    let link = std::fs::read_to_string(link_file(folder.path())).expect("a link");
    let url = server.ready["url"].as_str().expect("a URL");
    assert!(link.starts_with(&format!("{url}/setup#code=")), "{link}");
    let named = server.ready["setup_link_file"].as_str().expect("a path");
    assert!(named.ends_with("/setup-link"), "{named}");
    let code = code_in_file(folder.path());
    assert_ne!(first, code);
    assert_eq!(set_up(&server, &first, "root").status, 403);

    let answer = set_up(&server, &code, "root");
    assert_eq!(answer.status, 201, "{}", answer.body);
    assert!(!link_file(folder.path()).exists(), "it is used up");
    assert_eq!(set_up(&server, &code, "eve").status, 403);
    assert!(!server.ready.to_string().contains(&code));
    assert!(!log(folder.path()).contains(&code));
    assert_eq!(server.stop(), Some(0));

    std::fs::write(link_file(folder.path()), "left behind").expect("writable");
    let server = Server::start(folder.path(), &[]);
    assert_eq!(server.ready["setup_link_file"], Value::Null);
    assert!(!link_file(folder.path()).exists(), "there is an admin");
}

#[test]
fn an_admin_made_by_command_beside_the_server_makes_the_link_useless() {
    let folder = folder();
    let server = Server::start(folder.path(), &[]);
    let code = code_in_file(folder.path());
    let added = add(folder.path(), "root@example.org", &["--role", "admin"]);
    assert_eq!(added.status.code(), Some(0), "{}", stderr(&added));
    assert!(!link_file(folder.path()).exists(), "the link is dead");
    let answer = set_up(&server, &code, "eve");
    assert_eq!(answer.status, 403);
    assert_eq!(answer.json()["code"], "setup_refused");
}

#[test]
fn whichever_command_brings_an_admin_removes_the_link_and_no_other_does() {
    let folder = folder();
    let user = |words: &[&str]| {
        let output = run(folder.path(), [&["user"], words].concat());
        assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
        link_file(folder.path()).exists()
    };
    let added = add(folder.path(), "ada@example.org", &[]);
    assert_eq!(added.status.code(), Some(0), "{}", stderr(&added));
    assert_eq!(Server::start(folder.path(), &[]).stop(), Some(0));
    for words in [
        &["list"][..],
        &["roles", "ada@example.org", "--add", "staff"],
        &["disable", "ada@example.org"],
        &["roles", "ada@example.org", "--add", "admin"],
    ] {
        assert!(user(words), "nobody who can log in is an admin: {words:?}");
    }
    assert!(!user(&["enable", "ada@example.org"]));

    let another = add(folder.path(), "eve@example.org", &[]);
    assert_eq!(another.status.code(), Some(0), "{}", stderr(&another));
    std::fs::write(link_file(folder.path()), "left behind").expect("writable");
    assert!(!user(&["roles", "eve@example.org", "--add", "admin"]));
}

#[test]
fn a_terminal_shows_the_link_before_the_last_line_and_no_file_holds_it() {
    let folder = folder();
    assert_eq!(Server::start(folder.path(), &[]).stop(), Some(0));
    assert!(link_file(folder.path()).exists());
    let lines = lines_on_a_terminal(folder.path());
    let shown = lines.iter().filter(|line| line.contains("/setup#code="));
    assert_eq!(shown.count(), 1, "{lines:#?}");
    assert!(lines.len() <= 12, "{lines:#?}");
    assert!(
        !link_file(folder.path()).exists(),
        "the one of before is gone"
    );
}

#[test]
fn settings_name_the_first_admin_while_there_is_none() {
    let folder = folder();
    let file = folder.path().join("password");
    std::fs::write(&file, format!("{PASSWORD}\r\nanother line\n")).expect("writable");
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o644)).expect("ours");
    let settings = [
        "--admin-email",
        "root@example.org",
        "--admin-password-file",
        "password",
    ];
    let server = Server::start(folder.path(), &settings);
    let said = server.ready["first_admin"].as_str().expect("a sentence");
    assert!(said.contains("admin.email"), "{said}");
    assert!(!server.ready.to_string().contains(PASSWORD));
    let warnings = server.ready["warnings"].to_string();
    assert!(
        warnings.contains("password may be read by others"),
        "{warnings}"
    );
    assert!(
        !link_file(folder.path()).exists(),
        "nobody else is to become it"
    );
    let login = json!({"login": "root@example.org", "password": PASSWORD});
    let opened = server.post("/api/auth/login", &login);
    assert_eq!(
        opened.json()["user"]["roles"],
        json!(["admin"]),
        "{}",
        opened.body
    );
    assert_eq!(opened.json()["user"]["email_verified"], true);
    assert_eq!(server.stop(), Some(0));

    std::fs::remove_file(&file).expect("ours");
    let server = Server::start(folder.path(), &settings);
    assert_eq!(
        server.ready["first_admin"],
        Value::Null,
        "once there is one, the file may go"
    );
    assert_eq!(server.post("/api/auth/login", &login).status, 200);
}

#[test]
fn settings_of_the_first_admin_that_cannot_be_used_end_the_start_with_2_and_are_named() {
    let folder = folder();
    std::fs::write(folder.path().join("weak"), "short\n").expect("writable");
    let start = |email: &str, file: &str| {
        let flags = ["--admin-email", email, "--admin-password-file", file];
        let mut command = vestibule(folder.path(), ["serve", "--listen", "127.0.0.1:0"]);
        command.args(flags).output().expect("it runs")
    };
    for (email, file, named) in [
        ("root@example.org", "missing", "admin.password_file"),
        ("root@example.org", "weak", "admin.password_file"),
        ("no address", "weak", "admin.email"),
    ] {
        let output = start(email, file);
        assert_eq!(output.status.code(), Some(2), "{email} {file}");
        assert!(stderr(&output).contains(named), "{}", stderr(&output));
    }
}
