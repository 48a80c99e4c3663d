//! The command line, by the real binary: what it prints, what it leaves behind, how it ends.

mod first_admin;

use std::{
    os::unix::fs::PermissionsExt as _,
    path::Path,
    process::{Command, Stdio},
};

use serde_json::{Value, json};

use crate::process::{Server, run, run_with_input, stderr, stdout, vestibule};

const PASSWORD: &str = "correct horse battery staple";

fn folder() -> tempfile::TempDir {
    tempfile::tempdir().expect("a temporary folder")
}

fn mode(path: &Path) -> u32 {
    std::fs::metadata(path)
        .expect("it exists")
        .permissions()
        .mode()
        & 0o777
}

fn add(folder: &Path, email: &str, more: &[&str]) -> std::process::Output {
    let arguments = [&["user", "add", email, "--password-stdin"], more].concat();
    run_with_input(folder, &arguments, &format!("{PASSWORD}\n"))
}

fn register(server: &Server, name: &str) -> Value {
    let email = format!("{name}@example.org");
    let answer = server.post(
        "/api/auth/register",
        &json!({"email": email, "password": PASSWORD}),
    );
    assert_eq!(answer.status, 201, "{}", answer.body);
    answer.json()
}

#[test]
fn the_first_run_in_an_empty_folder_makes_all_it_needs_for_its_owner_alone() {
    let folder = folder();
    let server = Server::start(folder.path(), &[]);
    let data = folder.path().join("vestibule-data");
    assert_eq!(mode(&data), 0o700);
    for file in ["vestibule.db", "vestibule.db-wal", "secret.key"] {
        assert_eq!(mode(&data.join(file)), 0o600, "{file}");
    }
    assert_eq!(
        std::fs::read(data.join("secret.key"))
            .expect("readable")
            .len(),
        32
    );
    assert_eq!(server.ready["event"], "ready");
    assert_eq!(server.ready["warnings"], json!([]));
    assert_eq!(server.request("GET", "/readyz", &[], "").status, 200);
    assert_eq!(server.stop(), Some(0));
}

/// What a start prints on a terminal, up to the line that says it is ready.
fn lines_on_a_terminal(folder: &Path) -> Vec<String> {
    let program = env!("CARGO_BIN_EXE_vestibule");
    let mut terminal = Command::new("script")
        .args([
            "-qefc",
            &format!("{program} serve --listen 127.0.0.1:0"),
            "typescript",
        ])
        .current_dir(folder)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .expect("script is part of Debian's base");
    let mut lines = Vec::new();
    let output = std::io::BufReader::new(terminal.stdout.take().expect("a pipe"));
    for line in std::io::BufRead::lines(output) {
        let line = line.expect("readable").trim_end().to_owned();
        let is_last = line.starts_with("ready on ");
        lines.push(line);
        if is_last {
            break;
        }
    }
    terminal.kill().expect("it runs");
    terminal.wait().expect("it ends");
    lines
}

#[test]
fn a_terminal_gets_a_dozen_lines_at_most_and_the_address_last() {
    let folder = folder();
    let lines = lines_on_a_terminal(folder.path());
    assert!(lines.len() <= 12, "{lines:#?}");
    assert!(
        lines
            .last()
            .is_some_and(|line| line.starts_with("ready on http://localhost:")),
        "{lines:#?}"
    );
}

#[test]
fn stopping_and_starting_loses_nothing_and_neither_does_a_kill() {
    let folder = folder();
    let server = Server::start(folder.path(), &["--public-url", "http://localhost:1"]);
    let opened = register(&server, "ada");
    let (access, refresh) = (
        opened["access_token"].clone(),
        opened["refresh_token"].clone(),
    );
    assert_eq!(server.stop(), Some(0));

    let server = Server::start(folder.path(), &["--public-url", "http://localhost:1"]);
    assert_eq!(server.me(access.as_str().expect("a token")).status, 200);
    let refreshed = server.post("/api/auth/refresh", &json!({"refresh_token": refresh}));
    assert_eq!(refreshed.status, 200, "{}", refreshed.body);
    let refreshed = refreshed.json();
    server.kill();

    let server = Server::start(folder.path(), &["--public-url", "http://localhost:1"]);
    let refresh = refreshed["refresh_token"].clone();
    assert_eq!(
        server
            .post("/api/auth/refresh", &json!({"refresh_token": refresh}))
            .status,
        200
    );
    let login = json!({"login": "ada@example.org", "password": PASSWORD});
    assert_eq!(server.post("/api/auth/login", &login).status, 200);
}

#[test]
fn two_servers_that_start_at_once_on_nothing_share_one_installation() {
    let folder = folder();
    let start = || Server::start(folder.path(), &["--public-url", "http://localhost:1"]);
    let (one, other) = std::thread::scope(|scope| {
        let (one, other) = (scope.spawn(start), scope.spawn(start));
        (one.join().expect("ready"), other.join().expect("ready"))
    });
    let opened = register(&one, "ada");
    let token = opened["access_token"].as_str().expect("a token");
    assert_eq!(
        other.me(token).status,
        200,
        "a token of one is good at the other"
    );
    assert_eq!(
        other
            .request(
                "POST",
                "/api/auth/logout",
                &[&format!("Authorization: Bearer {token}")],
                ""
            )
            .status,
        204
    );
    assert_eq!(one.me(token).status, 401, "and ended by either");
}

#[test]
fn every_problem_of_the_configuration_is_named_and_nothing_starts() {
    let folder = folder();
    std::fs::write(
        folder.path().join("vestibule.toml"),
        "lisen = \"x\"\n[token]\naccess_ttl = \"never\"\n",
    )
    .expect("writable");
    let mut command = vestibule(folder.path(), ["serve", "--registration", "perhaps"]);
    let output = command
        .env("VESTIBULE_SECRET_KEY", "tooshort")
        .output()
        .expect("it runs");
    assert_eq!(output.status.code(), Some(2));
    let said = stderr(&output);
    for expected in [
        "lisen",
        "token.access_ttl",
        "registration",
        "secret_key",
        "VESTIBULE_SECRET_KEY",
    ] {
        assert!(said.contains(expected), "{expected} in {said}");
    }
    assert!(!said.contains("tooshort"), "{said}");
    assert!(
        !folder.path().join("vestibule-data").exists(),
        "nothing is made"
    );
}

#[test]
fn wrong_calls_end_with_2() {
    let folder = folder();
    for arguments in [
        &["srve"][..],
        &["serve", "--no-such-flag"],
        &["user"],
        &["user", "add"],
        &["migrate", "up", "--to", "x"],
    ] {
        let output = run(folder.path(), arguments);
        assert_eq!(
            output.status.code(),
            Some(2),
            "{arguments:?}: {}",
            stderr(&output)
        );
    }
    for arguments in [
        &["--help"][..],
        &["--version"],
        &["serve", "--help"],
        &["user", "add", "--help"],
    ] {
        assert_eq!(
            run(folder.path(), arguments).status.code(),
            Some(0),
            "{arguments:?}"
        );
    }
}

#[test]
fn an_address_in_use_is_a_failure_that_names_it() {
    let folder = folder();
    let server = Server::start(folder.path(), &[]);
    let address = server.ready["listen"].as_str().expect("an address");
    let output = run(folder.path(), ["serve", "--listen", address]);
    assert_eq!(output.status.code(), Some(1));
    assert!(stderr(&output).contains(address), "{}", stderr(&output));
}

#[test]
fn another_secret_key_and_a_lost_one_are_refused_by_name() {
    let folder = folder();
    assert_eq!(
        add(folder.path(), "ada@example.org", &[]).status.code(),
        Some(0)
    );
    let key = folder.path().join("vestibule-data/secret.key");
    std::fs::write(folder.path().join("other.key"), [7; 32]).expect("writable");
    let other = run(
        folder.path(),
        [
            "serve",
            "--listen",
            "127.0.0.1:0",
            "--secret-key-file",
            "other.key",
        ],
    );
    assert_eq!(other.status.code(), Some(2));
    assert!(
        stderr(&other).contains("secret_key_file"),
        "{}",
        stderr(&other)
    );

    std::fs::remove_file(&key).expect("removable");
    let lost = run(folder.path(), ["user", "list"]);
    assert_eq!(lost.status.code(), Some(2));
    assert!(
        stderr(&lost).contains("secret_key_file"),
        "{}",
        stderr(&lost)
    );
    assert!(
        !key.exists(),
        "no new key is made for a database that has one"
    );

    std::fs::write(&key, [7; 31]).expect("writable");
    let short = run(folder.path(), ["user", "list"]);
    assert_eq!(short.status.code(), Some(2));
}

#[test]
fn a_database_of_another_program_is_refused_and_named() {
    let folder = folder();
    std::fs::write(
        folder.path().join("letters.db"),
        "Dear Sir or Madam, ".repeat(50),
    )
    .expect("writable");
    let mut command = vestibule(folder.path(), ["serve", "--listen", "127.0.0.1:0"]);
    let output = command
        .env("DATABASE_URL", "sqlite://letters.db")
        .output()
        .expect("it runs");
    assert_eq!(output.status.code(), Some(2));
    assert!(
        stderr(&output).contains("letters.db"),
        "{}",
        stderr(&output)
    );
    let kept = std::fs::read_to_string(folder.path().join("letters.db")).expect("readable");
    assert!(kept.starts_with("Dear Sir") && kept.len() == 950);
}

#[test]
fn a_data_folder_inside_the_site_is_refused_with_the_flag_to_add() {
    let folder = folder();
    std::fs::write(folder.path().join("index.html"), "<p>Hello").expect("writable");
    let output = run(
        folder.path(),
        ["serve", "--listen", "127.0.0.1:0", "--site", "."],
    );
    assert_eq!(output.status.code(), Some(2));
    let said = stderr(&output);
    let flag = said
        .split("--data-dir ")
        .nth(1)
        .expect("the flag is printed")
        .trim()
        .trim_matches('\'');
    let server = Server::start(folder.path(), &["--site", ".", "--data-dir", flag]);
    assert_eq!(server.request("GET", "/", &[], "").body, "<p>Hello");
    drop(server);
    std::fs::remove_dir_all(folder.path().join(flag)).expect("it was made there");
}

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
        "at once, in the running server"
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
        "at once, in the running server"
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
fn migrations_are_shown_undone_and_applied() {
    let folder = folder();
    let status = || -> Value {
        let output = run(folder.path(), ["migrate", "status", "--json"]);
        assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
        serde_json::from_slice(&output.stdout).expect("JSON")
    };
    let nothing = run(folder.path(), ["migrate", "status"]);
    assert_eq!(nothing.status.code(), Some(1));
    assert!(
        !folder.path().join("vestibule-data").exists(),
        "to look makes nothing"
    );
    assert!(stdout(&run(folder.path(), ["migrate", "up"])).starts_with("applied "));
    assert!(status()[0]["applied_at"].is_string());
    assert!(stdout(&run(folder.path(), ["migrate", "up"])).contains("up to date"));
    assert_eq!(
        add(folder.path(), "ada@example.org", &[]).status.code(),
        Some(0)
    );

    let asked = run(folder.path(), ["migrate", "down", "--steps", "99"]);
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
    let beside = run(folder.path(), ["migrate", "down", "--yes"]);
    assert_eq!(beside.status.code(), Some(1));
    assert!(stderr(&beside).contains("in use"), "{}", stderr(&beside));
    assert_eq!(server.stop(), Some(0));

    assert!(
        stdout(&run(
            folder.path(),
            ["migrate", "down", "--steps", "99", "--yes"]
        ))
        .starts_with("undone ")
    );
    assert_eq!(status()[0]["applied_at"], Value::Null);
    assert_eq!(
        run(folder.path(), ["migrate", "up", "--to", "99"])
            .status
            .code(),
        Some(2)
    );
}

#[test]
fn the_settings_in_force_are_shown_with_their_sources_and_without_secrets() {
    let folder = folder();
    std::fs::write(folder.path().join(".env"), "VESTIBULE_LOG_LEVEL=debug\n").expect("writable");
    let secret = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";
    let mut command = vestibule(
        folder.path(),
        ["config", "show", "--token-access-ttl", "5m", "--json"],
    );
    let output = command
        .env("VESTIBULE_SECRET_KEY", secret)
        .output()
        .expect("it runs");
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    assert!(!stdout(&output).contains(&secret[..12]));
    let rows: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let source = |key: &str| {
        let rows = rows.as_array().expect("a list");
        let row = rows.iter().find(|row| row["key"] == key).expect(key);
        row["source"].to_string()
    };
    assert!(source("token.access_ttl").contains("--token-access-ttl"));
    assert!(
        source("log.level").contains(".env"),
        "{}",
        source("log.level")
    );
    assert!(source("secret_key").contains("VESTIBULE_SECRET_KEY"));
    assert!(source("listen").contains("default"));
    let table = stdout(&run(folder.path(), ["config", "show"]));
    assert!(
        table.starts_with("SETTING") && table.contains("http://localhost:8080"),
        "{table}"
    );
}

#[test]
fn files_that_others_may_read_are_named_in_a_warning() {
    let folder = folder();
    assert_eq!(Server::start(folder.path(), &[]).stop(), Some(0));
    let key = folder.path().join("vestibule-data/secret.key");
    std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o644)).expect("ours");
    let server = Server::start(folder.path(), &[]);
    let warnings = server.ready["warnings"].to_string();
    assert!(
        warnings.contains("secret.key") && warnings.contains("chmod 600"),
        "{warnings}"
    );
}

#[test]
fn a_request_under_way_is_answered_before_the_server_ends() {
    let folder = folder();
    let server = Server::start(folder.path(), &["--drain-delay", "30s"]);
    server.signal("TERM");
    // The listener stays open for the delay, so that a balancer sees the 503 and goes elsewhere.
    let mut ready = server.request("GET", "/readyz", &[], "");
    while ready.status == 200 {
        ready = server.request("GET", "/readyz", &[], "");
    }
    assert_eq!(ready.status, 503);
    assert!(ready.body.contains("draining"), "{}", ready.body);
    register(&server, "ada");
}

#[test]
fn a_wrong_call_leaves_nothing_behind() {
    let folder = folder();
    let arguments = ["--username", "ada", "--role", "BAD!"];
    let output = add(folder.path(), "ada@example.org", &arguments);
    assert_eq!(output.status.code(), Some(2));
    assert!(!folder.path().join("vestibule-data").exists());
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

#[test]
fn a_reader_that_leaves_is_no_failure() {
    let folder = folder();
    for number in 0..3 {
        add(folder.path(), &format!("user{number}@example.org"), &[]);
    }
    let mut command = vestibule(folder.path(), ["user", "list"]);
    let mut child = command
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("it starts");
    drop(child.stdout.take());
    let output = child.wait_with_output().expect("it ends");
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
}

#[test]
fn a_draft_of_a_key_that_a_crash_left_behind_stops_nobody() {
    let folder = folder();
    let data = folder.path().join("vestibule-data");
    std::fs::create_dir(&data).expect("a folder");
    for left in ["secret.key-abc123", "secret.new-1"] {
        std::fs::write(data.join(left), "half").expect("writable");
    }
    assert_eq!(Server::start(folder.path(), &[]).stop(), Some(0));
}

#[test]
fn a_key_file_reads_the_same_wherever_it_is_named() {
    let folder = folder();
    let data = folder.path().join("vestibule-data");
    std::fs::create_dir(&data).expect("a folder");
    let text = "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=\n";
    std::fs::write(data.join("secret.key"), text).expect("writable");
    assert_eq!(
        add(folder.path(), "ada@example.org", &[]).status.code(),
        Some(0)
    );
    let named = run(
        folder.path(),
        [
            "user",
            "list",
            "--secret-key-file",
            "vestibule-data/secret.key",
        ],
    );
    assert_eq!(named.status.code(), Some(0), "{}", stderr(&named));

    std::fs::write(
        data.join("secret.key"),
        "a passphrase of more than thirty-two letters",
    )
    .expect("writable");
    let phrase = run(folder.path(), ["user", "list"]);
    assert_eq!(phrase.status.code(), Some(2));
    assert!(stderr(&phrase).contains("base64"), "{}", stderr(&phrase));
}

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

#[test]
fn a_backup_beside_a_running_server_comes_back_with_its_sessions() {
    let folder = folder();
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

    let beside = run(folder.path(), ["restore", "copy.db"]);
    assert_eq!(beside.status.code(), Some(1), "{}", stderr(&beside));
    assert_eq!(server.stop(), Some(0));
    let data = folder.path().join("vestibule-data");
    let restore = |from: &str| {
        let restored = run(folder.path(), ["restore", from]);
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
fn what_cannot_be_restored_changes_nothing() {
    let (folder, other) = (folder(), folder());
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
    damaged[middle..middle + 2_000].fill(0xa5);
    std::fs::write(folder.path().join("damaged.db"), damaged).expect("writable");
    std::fs::write(folder.path().join("letter"), "Dear Sir or Madam").expect("writable");
    std::fs::write(folder.path().join("empty"), "").expect("writable");
    let data = folder.path().join("vestibule-data");
    let before = (
        names(folder.path()),
        names(&data),
        std::fs::read(data.join("vestibule.db")).ok(),
    );
    for (file, reason) in [
        ("foreign.db", "secret key"),
        ("letter", "letter is not a SQLite database"),
        ("empty", "no installation"),
        ("damaged.db", "damaged.db is damaged"),
        ("missing", "missing"),
    ] {
        let output = run(folder.path(), ["restore", file]);
        assert_eq!(output.status.code(), Some(2), "{file}: {}", stderr(&output));
        assert!(
            stderr(&output).contains(reason),
            "{file}: {}",
            stderr(&output)
        );
        let after = (
            names(folder.path()),
            names(&data),
            std::fs::read(data.join("vestibule.db")).ok(),
        );
        assert_eq!(after, before, "{file}");
    }
}

#[test]
fn a_damaged_database_is_set_aside_by_a_restore() {
    let folder = folder();
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
    let restored = run(folder.path(), ["restore", "good.db"]);
    assert_eq!(restored.status.code(), Some(0), "{}", stderr(&restored));
    assert!(stdout(&run(folder.path(), ["user", "list"])).contains("ada@example.org"));
    let kept = std::fs::read_to_string(database.with_file_name("vestibule.db.before-restore-1"));
    assert_eq!(kept.expect("kept"), "what a broken disk left of it");
}

#[test]
fn health_tells_whether_the_server_is_ready() {
    let folder = folder();
    let server = Server::start(folder.path(), &["--drain-delay", "30s"]);
    let address = server.ready["listen"]
        .as_str()
        .expect("an address")
        .to_owned();
    let health = || run(folder.path(), ["health", "--listen", &address]);
    assert_eq!(health().status.code(), Some(0));
    server.signal("TERM");
    while health().status.code() == Some(0) {}
    assert!(
        stderr(&health()).contains("draining"),
        "{}",
        stderr(&health())
    );
    drop(server);
    let gone = health();
    assert_eq!(gone.status.code(), Some(1));
    assert!(stderr(&gone).contains(&address), "{}", stderr(&gone));
}

#[test]
fn every_shell_is_helped_whatever_the_configuration() {
    let folder = folder();
    std::fs::write(folder.path().join("vestibule.toml"), "nonsense").expect("writable");
    for shell in ["bash", "zsh", "fish"] {
        let output = run(folder.path(), ["completions", shell]);
        assert_eq!(output.status.code(), Some(0));
        assert!(stdout(&output).contains("vestibule"), "{shell}");
    }
    assert_eq!(
        run(folder.path(), ["completions", "msdos"]).status.code(),
        Some(2)
    );
}

#[test]
fn a_site_that_holds_the_servers_own_files_is_refused_with_the_setting_to_change() {
    let folder = folder();
    let site = folder.path().join("site");
    std::fs::create_dir(&site).expect("a site");
    std::fs::write(site.join("key"), "0123456789abcdef".repeat(4)).expect("a key");
    std::fs::write(site.join("settings"), "").expect("a file");
    for (setting, advice) in [
        (["--database-url", "sqlite://site/accounts"], "/accounts"),
        (["--secret-key-file", "site/key"], "/key"),
        (["--config", "site/settings"], "/settings"),
    ] {
        let serve = ["serve", "--listen", "127.0.0.1:0", "--site", "site"];
        let refused = run(folder.path(), serve.iter().chain(&setting));
        assert_eq!(refused.status.code(), Some(2), "{setting:?}");
        let said = stderr(&refused);
        assert!(
            said.contains(setting[0]) && said.trim_end().ends_with(advice),
            "{said}"
        );
        assert!(!site.join("accounts").exists(), "nothing was made there");
    }
}

#[test]
fn the_doctor_finds_what_is_wrong_and_says_how_to_mend_it() {
    let folder = folder();
    let doctor = |more: &[&str]| {
        let output = run(folder.path(), [&["doctor", "--json"], more].concat());
        let findings: Value = serde_json::from_slice(&output.stdout).expect("JSON");
        let failed: Vec<String> = findings
            .as_array()
            .expect("a list")
            .iter()
            .filter(|finding| finding["verdict"] == "fail")
            .map(|finding| finding["check"].as_str().expect("a check").to_owned())
            .collect();
        assert_eq!(output.status.code(), Some(i32::from(!failed.is_empty())));
        failed
    };
    assert_eq!(doctor(&[]), ["database"], "there is none yet");
    assert!(
        !folder.path().join("vestibule-data").exists(),
        "to look makes nothing"
    );
    assert_eq!(
        add(folder.path(), "ada@example.org", &[]).status.code(),
        Some(0)
    );
    assert_eq!(doctor(&[]), Vec::<String>::new());
    assert_eq!(
        doctor(&["--public-url", "http://accounts.example.org"]),
        ["public_url"]
    );
    std::fs::write(folder.path().join("other.key"), [7; 32]).expect("writable");
    assert_eq!(doctor(&["--secret-key-file", "other.key"]), ["database"]);

    let report = stdout(&run(folder.path(), ["doctor"]));
    assert!(
        report.lines().all(|line| line.starts_with("ok  ")),
        "{report}"
    );
    assert!(
        report.contains("SQLite 3.") && report.contains("synchronous=2"),
        "{report}"
    );
    let server = Server::start(folder.path(), &[]);
    assert_eq!(
        doctor(&[]),
        Vec::<String>::new(),
        "beside a running server too"
    );
    drop(server);
}
