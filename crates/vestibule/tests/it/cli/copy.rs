//! `vestibule copy`: that nobody notices the move, and what it says where it refuses.

use std::{fs, os::unix::fs::PermissionsExt as _, path::Path, process::Output};

use scratch::{Database, Server as Engine};
use serde_json::{Value, json};

use super::{PASSWORD, add, folder_of_a_file, mode, register};
use crate::process::{Server, run, stderr, stdout};

/// The issuer of tokens must be the same whatever port a server gets.
const AT: [&str; 2] = ["--public-url", "http://localhost:1"];
const TARGET: &str = "sqlite://target.db";

fn said(output: &Output) -> String {
    format!("{}{}", stdout(output), stderr(output))
}

/// Runs `vestibule copy` and expects this exit code.
fn copy(folder: &Path, arguments: &[&str], code: i32) -> Output {
    let output = run(folder, [&["copy"], arguments].concat());
    assert_eq!(output.status.code(), Some(code), "{}", said(&output));
    output
}

/// A folder with an installation of one user.
fn settled() -> crate::place::Place {
    let folder = folder_of_a_file();
    let added = add(folder.path(), "ada@example.org", &[]);
    assert_eq!(added.status.code(), Some(0), "{}", stderr(&added));
    folder
}

fn write_private(file: &Path, text: &str) {
    fs::write(file, text).expect("writable");
    fs::set_permissions(file, fs::Permissions::from_mode(0o600)).expect("it is ours");
}

/// What a device holds that is logged in.
struct Device {
    access: String,
    refresh: String,
    cookie: String,
}

impl Device {
    fn of(server: &Server, session: &Value) -> Self {
        let form = json!({"login": "ada@example.org", "password": PASSWORD, "mode": "cookie"});
        let answer = server.post("/api/auth/login", &form);
        let cookie = answer
            .head
            .lines()
            .find_map(|line| line.strip_prefix("set-cookie: "))
            .and_then(|line| line.split(';').next())
            .expect("a cookie");
        let cookie = cookie.to_owned();
        let mut device = Self {
            access: String::new(),
            refresh: String::new(),
            cookie,
        };
        device.take(session);
        device
    }

    fn take(&mut self, session: &Value) {
        let text = |name: &str| session[name].as_str().expect("a token").to_owned();
        (self.access, self.refresh) = (text("access_token"), text("refresh_token"));
    }

    /// Uses all of it as if nothing had happened.
    fn go_on(&mut self, server: &Server) {
        let me = server.me(&self.access);
        assert_eq!(me.status, 200, "{}", me.body);
        let header = format!("Cookie: {}", self.cookie);
        let me = server.request("GET", "/api/auth/me", &[&header], "");
        assert_eq!(me.status, 200, "{}", me.body);
        let answer = server.post("/api/auth/refresh", &json!({"refresh_token": self.refresh}));
        assert_eq!(answer.status, 200, "{}", answer.body);
        self.take(&answer.json());
    }
}

#[test]
fn nobody_is_logged_out_by_moves_to_other_engines_and_back() {
    let folder = folder_of_a_file();
    let path = folder.path();
    let server = Server::start(path, &AT);
    let session = register(&server, "ada");
    let mut device = Device::of(&server, &session);
    assert_eq!(server.stop(), Some(0));

    let (postgres, mariadb) = (
        Database::new(Engine::Postgres),
        Database::new(Engine::MariaDb),
    );
    let back = format!("sqlite://{}", path.join("back.db").display());
    let mut from: Option<&str> = None;
    for to in [postgres.url().as_str(), mariadb.url().as_str(), &back] {
        fs::write(path.join("to"), format!("{to}\n")).expect("writable");
        fs::write(path.join("from"), from.unwrap_or_default()).expect("writable");
        let mut ends = vec!["--to-file", "to"];
        ends.extend(from.iter().flat_map(|_| ["--from-file", "from"]));
        let copied = copy(path, &ends, 0);
        assert!(!said(&copied).contains("warning"), "{}", said(&copied));
        let verified = copy(path, &[&ends[..], &["--verify-only"]].concat(), 0);
        assert!(stdout(&verified).contains("equal but for the event `copied`"));
        // As the command says: the URL, and nothing else.
        write_private(
            &path.join(".env"),
            &format!("VESTIBULE_DATABASE_URL='{to}'\n"),
        );
        let server = Server::start(path, &AT);
        device.go_on(&server);
        assert_eq!(server.stop(), Some(0));
        from = Some(to);
    }
    assert_eq!(mode(&path.join("back.db")), 0o600);
    let served = stdout(&run(path, ["user", "list", "--json"]));
    assert!(served.contains("ada@example.org"));
}

#[test]
fn a_server_that_may_write_stands_against_it_and_one_that_may_not_does_not() {
    let folder = settled();
    let server = Server::start(folder.path(), &AT);
    let refused = copy(folder.path(), &["--to", TARGET], 1);
    assert!(
        stderr(&refused).contains("--read-only"),
        "{}",
        stderr(&refused)
    );
    assert_eq!(server.stop(), Some(0));
    assert!(!folder.path().join("target.db").exists());

    let reading = Server::start(folder.path(), &[AT[0], AT[1], "--read-only"]);
    copy(folder.path(), &["--to", TARGET, "--read-only"], 0);
    assert_eq!(reading.request("GET", "/readyz", &[], "").status, 200);
    assert_eq!(reading.stop(), Some(0));
}

#[test]
fn a_dry_run_says_what_would_be_copied_and_makes_nothing() {
    let folder = settled();
    let plan = copy(folder.path(), &["--to", TARGET, "--dry-run"], 0);
    assert!(
        stdout(&plan).contains("users         1"),
        "{}",
        stdout(&plan)
    );
    assert!(stdout(&plan).contains("would be made"));
    assert!(!folder.path().join("target.db").exists());
    let plan = copy(folder.path(), &["--to", TARGET, "--dry-run", "--json"], 0);
    let plan: Value = serde_json::from_slice(&plan.stdout).expect("JSON");
    assert_eq!(plan["target"], "missing");
    assert_eq!(plan["tables"][0], json!({"table": "users", "rows": 1}));
}

#[test]
fn a_comparison_finds_what_was_changed_since() {
    let folder = settled();
    let path = folder.path();
    let copied = copy(path, &["--to", TARGET, "--json"], 0);
    let tables: Value = serde_json::from_slice(&copied.stdout).expect("JSON");
    assert_eq!(tables[0]["table"], "users");
    assert_eq!(tables[0]["agreement"], "equal");
    assert_eq!(tables[0]["source"], tables[0]["target"]);
    assert_eq!(mode(&path.join("target.db")), 0o600);
    copy(path, &["--to", TARGET, "--verify-only"], 0);
    assert_eq!(add(path, "eve@example.org", &[]).status.code(), Some(0));
    let different = copy(path, &["--to", TARGET, "--verify-only"], 1);
    assert!(
        stdout(&different).contains("DIFFERENT"),
        "{}",
        stdout(&different)
    );
    assert!(
        stderr(&different).contains("2 tables differ"),
        "{}",
        stderr(&different)
    );
    let refused = copy(path, &["--to", TARGET], 2);
    assert!(
        stderr(&refused).contains("not empty"),
        "{}",
        stderr(&refused)
    );
}

#[test]
fn the_key_must_be_that_of_the_source() {
    let folder = settled();
    let key = folder.path().join("vestibule-data/secret.key");
    fs::write(&key, [7; 32]).expect("writable");
    let refused = copy(folder.path(), &["--to", TARGET], 2);
    assert!(
        stderr(&refused).contains("secret_key_file"),
        "{}",
        stderr(&refused)
    );
    fs::remove_file(&key).expect("it was there");
    copy(folder.path(), &["--to", TARGET], 2);
    assert!(!folder.path().join("target.db").exists());
    assert!(!key.exists(), "no key is made for a database that has one");
}

#[test]
fn a_wrong_call_is_refused_and_a_password_in_it_warned_of() {
    let folder = settled();
    fs::create_dir(folder.path().join("site")).expect("a site");
    for (arguments, words) in [
        (&[][..], "--to"),
        (&["--to", "oracle://a/b"], "--to: expected"),
        (&["--to", TARGET, "--to-file", "x"], "--to-file"),
        (&["--to-file", "missing"], "--to-file missing"),
        (
            &["--to", TARGET, "--dry-run", "--verify-only"],
            "--verify-only",
        ),
        (
            &["--to", "sqlite://vestibule-data/vestibule.db"],
            "the same database",
        ),
        (
            &["--to", "sqlite://site/x.db", "--site", "site"],
            "vestibule copy --to",
        ),
        (
            &["--from", "sqlite://missing.db", "--to", TARGET],
            "missing.db",
        ),
    ] {
        let refused = copy(folder.path(), arguments, 2);
        assert!(
            stderr(&refused).contains(words),
            "{arguments:?}: {}",
            stderr(&refused)
        );
    }
    let unreachable = ["--to", "postgres://ada:canary@127.0.0.1:1/app"];
    let refused = copy(folder.path(), &unreachable, 1);
    assert!(
        stderr(&refused).contains("--to holds a password"),
        "{}",
        stderr(&refused)
    );
    assert!(stderr(&refused).contains("use --to-file"));
    assert!(!said(&refused).contains("canary"), "{}", said(&refused));
}
