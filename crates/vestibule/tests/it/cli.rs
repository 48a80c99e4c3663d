//! The command line, by the real binary: what it prints, what it leaves behind, how it ends. A file per command; here is
//! what holds for all of them.

mod backup;
mod config;
mod copy;
mod database_server;
mod doctor;
mod doctor_url;
mod first_admin;
mod health;
mod migrate;
mod openapi;
mod print;
mod serve;
mod user;

use std::{os::unix::fs::PermissionsExt as _, path::Path, process::Stdio};

use serde_json::{Value, json};

use crate::place::Place;
use crate::process::{Server, run, run_with_input, stderr, stdout, vestibule};

const PASSWORD: &str = "correct horse battery staple";

fn folder() -> Place {
    Place::new()
}

/// The same for what is about the file of a database.
fn folder_of_a_file() -> Place {
    Place::in_a_file()
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
fn a_wrong_call_leaves_nothing_behind() {
    let folder = folder();
    let arguments = ["--username", "ada", "--role", "BAD!"];
    let output = add(folder.path(), "ada@example.org", &arguments);
    assert_eq!(output.status.code(), Some(2));
    assert!(!folder.path().join("vestibule-data").exists());
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
