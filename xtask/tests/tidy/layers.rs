//! Which crate may depend on which: doors on rules, rules on memory, and nothing the other way round.
//! The manifests are read through `cargo metadata`, so that a renamed dependency hides nothing.

use std::process::Command;

use serde_json::Value;

use super::files::{self, assert_none, root};

/// Direct dependencies that a crate must not have, tests included.
const FORBIDDEN: &[(&str, &[&str], &str)] = &[
    (
        "accounts",
        &[
            "vestibule",
            "axum",
            "axum-extra",
            "hyper",
            "hyper-util",
            "tower",
            "tower-http",
            "clap",
            "sea-orm",
            "sea-orm-migration",
            "sqlx",
            "rusqlite",
        ],
        "rules know neither HTTP nor SQL",
    ),
    (
        "vestibule",
        &[
            "store",
            "sea-orm",
            "sea-orm-migration",
            "sqlx",
            "rusqlite",
            "argon2",
            "bcrypt",
            "scrypt",
            "jsonwebtoken",
        ],
        "doors reach the memory through the rules, and decide nothing about secrets",
    ),
    (
        "store",
        &[
            "vestibule",
            "accounts",
            "axum",
            "hyper",
            "tower",
            "tower-http",
            "clap",
            "argon2",
            "bcrypt",
            "scrypt",
            "jsonwebtoken",
            "aws-lc-rs",
        ],
        "memory knows neither HTTP nor cryptography",
    ),
];

#[test]
fn each_crate_names_only_its_neighbour() {
    let packages = packages();
    let mut found = Vec::new();
    for (name, forbidden, reason) in FORBIDDEN {
        let package = packages.iter().find(|package| package["name"] == *name);
        let package = package.unwrap_or_else(|| panic!("there is no crate {name}"));
        for dependency in list(&package["dependencies"]) {
            let dependency = dependency["name"]
                .as_str()
                .expect("a dependency has a name");
            if forbidden.contains(&dependency) {
                found.push(format!("{name} depends on {dependency}: {reason}"));
            }
        }
    }
    assert_none("crates that reach too far", &found);
}

#[test]
fn every_dependency_stands_in_one_place_with_its_reason() {
    let manifest = std::fs::read_to_string(root().join("Cargo.toml")).expect("Cargo.toml is text");
    let (_, table) = manifest
        .split_once("[workspace.dependencies]")
        .expect("dependencies are the workspace's");
    let (table, _) = table.split_once("\n[").expect("other tables follow");
    let ours = |line: &str| line.contains("path = ");
    let bare: Vec<String> = table
        .lines()
        .filter(|line| line.contains(" = ") && !line.starts_with('#'))
        .filter(|line| !ours(line) && !line.contains(" # "))
        .map(str::to_owned)
        .collect();
    assert_none("dependencies without a reason behind them", &bare);
}

#[test]
fn memory_that_tells_of_a_password_is_wiped() {
    let manifest = std::fs::read_to_string(root().join("Cargo.toml")).expect("Cargo.toml is text");
    let hashing = manifest
        .lines()
        .find(|line| line.starts_with("argon2-rust = "))
        .expect("passwords are hashed");
    // Nothing else shows it: the memory belongs to the library.
    assert!(hashing.contains("\"zeroize-memory\""), "{hashing}");
}

#[test]
fn crates_take_their_dependencies_from_the_workspace() {
    let mut own = Vec::new();
    for file in files::all() {
        if !file.ends_with("/Cargo.toml") {
            continue;
        }
        let mut table = "";
        for line in file.text.lines().map(str::trim) {
            if line.starts_with('[') {
                table = line;
            } else if table.contains("dependencies")
                && line.contains('=')
                && !line.contains("workspace = true")
            {
                own.push(format!("{}: {line}", file.path));
            }
        }
    }
    assert_none("dependencies with a version of their own", &own);
}

fn packages() -> Vec<Value> {
    let metadata = Command::new(env!("CARGO"))
        .args([
            "metadata",
            "--no-deps",
            "--offline",
            "--format-version",
            "1",
        ])
        .current_dir(root())
        .output()
        .expect("cargo describes the workspace");
    let metadata: Value = serde_json::from_slice(&metadata.stdout).expect("metadata is JSON");
    list(&metadata["packages"]).to_vec()
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}
