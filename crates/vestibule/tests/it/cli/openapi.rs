//! `vestibule openapi`.

use serde_json::Value;

use super::folder;
use crate::process::{run, stderr, stdout};

fn printed(more: &[&str]) -> String {
    let folder = folder();
    // Neither a configuration nor a database is asked.
    std::fs::write(folder.path().join("vestibule.toml"), "nonsense").expect("writable");
    let output = run(folder.path(), [&["openapi"], more].concat());
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    assert!(!folder.path().join("vestibule-data").exists());
    stdout(&output)
}

#[test]
fn the_description_is_printed_as_it_is_committed() {
    let copy = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../docs/reference/openapi.json"
    );
    let copy = std::fs::read_to_string(copy).expect("a committed copy");
    assert_eq!(printed(&[]), copy);
    assert_eq!(printed(&["--version", "3.1"]), copy);
}

#[test]
fn the_older_version_has_the_same_operations_and_no_word_of_the_newer() {
    let newer: Value = serde_json::from_str(&printed(&[])).expect("JSON");
    let older: Value = serde_json::from_str(&printed(&["--version", "3.0"])).expect("JSON");
    assert_eq!(older["openapi"], "3.0.3");
    let operations = |document: &Value| {
        let paths = document["paths"].as_object().expect("paths").clone();
        let methods = |item: Value| {
            item.as_object()
                .expect("methods")
                .keys()
                .cloned()
                .collect::<Vec<_>>()
        };
        paths
            .into_iter()
            .map(|(path, item)| (path, methods(item)))
            .collect::<Vec<_>>()
    };
    assert_eq!(operations(&older), operations(&newer));
    let user = &older["components"]["schemas"]["User"]["properties"];
    assert_eq!(user["username"]["type"], "string");
    assert_eq!(user["username"]["nullable"], true);
    assert_eq!(user["username"]["example"], "ada");
}

#[test]
fn a_version_that_is_none_ends_with_2() {
    let output = run(folder().path(), ["openapi", "--version", "2.0"]);
    assert_eq!(output.status.code(), Some(2));
}
