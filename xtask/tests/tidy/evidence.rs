//! Rules on the tests that documents name for what they promise: each exists, and whatever is said to be met names one.
//! Whether the test shows what the sentence says is for readers to judge.

use super::files::{self, File, assert_none};
use super::papers::spans;

/// How many requirements level 1 of OWASP ASVS 5.0.0 has.
const REQUIREMENTS_OF_LEVEL_1: usize = 70;

#[test]
fn every_test_that_a_document_names_exists() {
    let files = files::all();
    let mut gone = Vec::new();
    for page in files.iter().filter(|file| file.ends_with(".md")) {
        for span in spans(&page.text) {
            let span = words(span);
            if let Some(why) = why_missing(&span, &files) {
                gone.push(format!("{}: `{span}` {why}", page.path));
            }
        }
    }
    assert_none("named as evidence", &gone);
}

#[test]
fn every_requirement_has_one_row_and_a_test_where_it_is_met() {
    let files = files::all();
    let text = text_of("docs/reference/asvs.md", &files);
    let rows: Vec<Vec<&str>> = text
        .lines()
        .filter(|line| line.starts_with("| V"))
        .map(|line| line.trim_matches('|').split(" | ").map(str::trim).collect())
        .collect();
    let mut ids: Vec<&str> = rows.iter().map(|row| row[0]).collect();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), rows.len(), "a requirement has two rows");
    assert_eq!(ids.len(), REQUIREMENTS_OF_LEVEL_1);
    let bare: Vec<String> = rows
        .iter()
        .filter(|row| !is_answered(row))
        .map(|row| row.join(" | "))
        .collect();
    assert_none("rows without verdict, reason or test", &bare);
}

/// Whether a row of id, question, verdict, reason and evidence has what its verdict asks for.
fn is_answered(row: &[&str]) -> bool {
    let [_, question, verdict, reason, evidence] = row else {
        return false;
    };
    let is_shown = evidence.contains("::") || evidence.contains("`outside: ");
    let fits = match *verdict {
        "met" => is_shown,
        "by the operator" | "in part" | "not met" | "none here" => true,
        _ => false,
    };
    fits && !question.is_empty() && !reason.is_empty()
}

/// Why what a span names as evidence is none; nothing where it names a test that is there, or no test at all.
fn why_missing(span: &str, files: &[File]) -> Option<&'static str> {
    let named = |list: &str, entry: String| {
        let why = "is not in its list";
        (!text_of(list, files).contains(&entry)).then_some(why)
    };
    if span.starts_with("outside: ") {
        return named("xtask/src/released.rs", format!("\"{span}\""));
    }
    if let Some(name) = span.strip_prefix("cargo xtask torture ") {
        return named("xtask/src/torture.rs", format!("\"{name}\" =>"));
    }
    if let Some(name) = span.strip_prefix("cargo xtask bench ") {
        return named("xtask/src/bench.rs", format!("name: \"{name}\""));
    }
    let (path, test) = span.split_once("::").filter(|(path, _)| is_source(path))?;
    let below = format!("/{path}");
    let mut homes = files
        .iter()
        .filter(|file| file.path == path || file.path.ends_with(&below));
    match (homes.next(), homes.next()) {
        (None, _) => Some("has no file"),
        (Some(_), Some(_)) => Some("has several files"),
        (Some(home), None) => (!has_test(home, test)).then_some("is not in its file"),
    }
}

fn is_source(path: &str) -> bool {
    [".rs", ".py", ".ts", ".tsx"]
        .iter()
        .any(|ending| path.ends_with(ending))
}

fn has_test(home: &File, name: &str) -> bool {
    let has = |head: String| home.text.contains(&head);
    match home.path.rsplit_once('.') {
        Some((_, "rs")) => is_rust_test(home, name),
        Some((_, "py")) => has(format!("def {name}(")),
        _ => has(format!("test('{name}'")),
    }
}

/// The conformance suite makes tests of whatever stands in its macros; elsewhere an attribute says so.
fn is_rust_test(home: &File, name: &str) -> bool {
    let head = format!("fn {name}(");
    let marked = |at: usize| {
        let above = home.text[..at].rsplit("\n\n").next().unwrap_or_default();
        above.contains("test]") || above.contains("test(")
    };
    let mut places = home.text.match_indices(&head);
    places.any(|(at, _)| home.path.contains("/conformance/") || marked(at))
}

fn text_of<'a>(path: &str, files: &'a [File]) -> &'a str {
    let file = files.iter().find(|file| file.path == path);
    &file.unwrap_or_else(|| panic!("there is no {path}")).text
}

/// A span may be broken over two lines.
fn words(span: &str) -> String {
    span.split_whitespace().collect::<Vec<_>>().join(" ")
}
