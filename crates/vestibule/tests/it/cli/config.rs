//! `vestibule config show`.

use serde_json::Value;

use super::folder;
use crate::process::{run, stderr, stdout, vestibule};

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
