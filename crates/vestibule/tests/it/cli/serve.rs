//! `vestibule serve`: what it makes, what it refuses, what it says, and how it ends.

use std::{
    io::{ErrorKind, Read as _, Write as _},
    net::{Ipv4Addr, TcpStream},
    os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::Duration,
};

use rcgen::{CertificateParams, KeyPair};
use serde_json::json;

use super::{PASSWORD, add, folder, folder_of_a_file, mode, register};
use crate::process::{Server, request, run, stderr, vestibule};

#[test]
fn the_first_run_in_an_empty_folder_makes_all_it_needs_for_its_owner_alone() {
    let folder = folder_of_a_file();
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

/// What a start prints on a terminal, up to the line that says it is ready. With the terminal the server ends.
pub(super) fn lines_on_a_terminal(folder: &Path) -> Vec<String> {
    let program = env!("CARGO_BIN_EXE_vestibule");
    let mut terminal = Command::new("script")
        .args([
            "-qefc",
            &format!("{program} serve --listen 127.0.0.1:0"),
            "typescript",
        ])
        .current_dir(folder)
        .env_clear()
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
    let port = lines.last().and_then(|line| line.rsplit(':').next());
    let port = port.and_then(|port| port.parse().ok()).expect("a port");
    let mut server = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).expect("it listens");
    // After a request the server itself would keep the connection for longer.
    let patience = Some(Duration::from_secs(30));
    server.set_read_timeout(patience).expect("a bound");
    server
        .write_all(b"GET /livez HTTP/1.1\r\nhost: localhost\r\n\r\n")
        .expect("it reads");
    terminal.kill().expect("it runs");
    terminal.wait().expect("it ends");
    let ended = server.read_to_end(&mut Vec::new());
    let went_on = ended.is_err_and(|error| error.kind() == ErrorKind::WouldBlock);
    assert!(!went_on, "the server went on without its terminal");
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
fn a_copy_of_the_audit_log_that_nobody_takes_keeps_no_server_from_its_end() {
    let folder = folder_of_a_file();
    let path = make_pipe(folder.path(), "audit");
    let mut options = std::fs::File::options();
    let options = options.read(true).write(true);
    let pipe = options.custom_flags(libc::O_NONBLOCK).open(&path);
    let mut pipe = pipe.expect("a pipe");
    while pipe.write(&[0; 4096]).is_ok() {}
    let server = Server::start(folder.path(), &["--audit-file", "audit"]);
    register(&server, "ada");
    assert_eq!(server.stop(), Some(0));
    let log = std::fs::read_to_string(folder.path().join("log")).expect("a log");
    assert!(log.contains("no time for the last events"), "{log}");
}

#[test]
fn files_that_hang_while_they_are_read_again_keep_neither_requests_nor_the_end() {
    let folder = folder_of_a_file();
    let key = KeyPair::generate().expect("a key");
    let parameters = CertificateParams::new(["localhost".to_owned()]).expect("a name");
    let certificate = parameters.self_signed(&key).expect("a certificate");
    std::fs::write(folder.path().join("cert.pem"), certificate.pem()).expect("writable");
    std::fs::write(folder.path().join("key.pem"), key.serialize_pem()).expect("writable");
    let flags = [
        ["--tls-cert", "cert.pem"],
        ["--tls-key", "key.pem"],
        ["--https-redirect", "127.0.0.1:0"],
    ];
    let server = Server::start(folder.path(), flags.as_flattened());
    std::fs::remove_file(folder.path().join("key.pem")).expect("removable");
    let pipe = make_pipe(folder.path(), "key.pem");
    server.signal("HUP");
    // It is open once the server reads at its other end, and goes on to wait for what is never written.
    let _held = std::fs::File::options().write(true).open(pipe);
    let plain = server.ready["https_redirect"].as_str().expect("an address");
    assert_eq!(request(plain, "GET", "/", &[], "").status, 308);
    assert_eq!(server.stop(), Some(0));
}

/// A pipe of that name; whoever opens it waits for the other end.
fn make_pipe(folder: &Path, name: &str) -> PathBuf {
    let path = folder.join(name);
    let made = Command::new("mkfifo").arg(&path).status();
    assert!(made.expect("mkfifo runs").success());
    path
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

#[test]
fn a_site_that_holds_the_servers_own_files_is_refused_with_the_setting_to_change() {
    let folder = folder();
    let site = folder.path().join("site");
    std::fs::create_dir(&site).expect("a site");
    std::fs::write(site.join("key"), "0123456789abcdef".repeat(4)).expect("a key");
    std::fs::write(site.join("settings"), "").expect("a file");
    std::fs::write(site.join("signing"), crate::keys::ED25519).expect("a key");
    for (setting, advice) in [
        (["--database-url", "sqlite://site/accounts"], "/accounts"),
        (["--secret-key-file", "site/key"], "/key"),
        (["--signing-key-file", "site/signing"], "/signing"),
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
    std::fs::write(site.join("url"), "sqlite://accounts.db\n").expect("a URL");
    let serve = ["serve", "--listen", "127.0.0.1:0", "--site", "site"];
    let mut by_variable = vestibule(folder.path(), serve);
    by_variable.env("VESTIBULE_DATABASE_URL_FILE", "site/url");
    let refused = by_variable.output().expect("it runs");
    assert_eq!(refused.status.code(), Some(2));
    let said = stderr(&refused);
    assert!(said.contains("VESTIBULE_DATABASE_URL_FILE="), "{said}");
}
