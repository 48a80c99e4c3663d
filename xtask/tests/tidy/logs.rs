//! The fields of the log: each has a dotted name and stands in the reference, for whoever searches and alerts by them.

use std::collections::BTreeSet;

use crate::files::{self, assert_none};

/// What opens an event or a span.
const MACROS: [&str; 6] = [
    "error!(",
    "warn!(",
    "info!(",
    "debug!(",
    "trace!(",
    "info_span!(",
];

#[test]
fn the_reference_has_every_field_of_the_log_and_no_other() {
    let mut used = BTreeSet::new();
    for file in files::rust() {
        let is_logging = file.is_under("crates/") && file.path.contains("/src/");
        if is_logging && file.text.contains("tracing::") {
            used.extend(fields(&file.text));
        }
    }
    assert!(used.len() > 10, "the fields are not found any more");
    let bare = used.iter().filter(|name| !name.contains('.')).cloned();
    assert_none("a field needs a dotted name", &bare.collect::<Vec<_>>());

    let all = files::all();
    let page = all
        .iter()
        .find(|file| file.path == "docs/reference/logs.md");
    let page = page.expect("the reference of the log");
    let rows = page.text.lines();
    let rows = rows.filter_map(|line| line.strip_prefix("| `")?.split('`').next());
    let described: BTreeSet<_> = rows.map(str::to_owned).collect();
    let off: Vec<_> = used.symmetric_difference(&described).cloned().collect();
    assert_none("docs/reference/logs.md and the sources differ", &off);
}

/// The names of the fields of all events and spans in a source: what stands before their sentence, or behind the name of
/// a span.
fn fields(source: &str) -> Vec<String> {
    let mut found = Vec::new();
    for name in MACROS {
        for (at, _) in source.match_indices(name) {
            let is_whole =
                source[..at].ends_with(|letter: char| letter == ':' || letter.is_whitespace());
            let arguments = &source[at + name.len()..];
            let text = match name {
                "info_span!(" => arguments
                    .splitn(3, '"')
                    .nth(2)
                    .and_then(|rest| rest.split(')').next()),
                _ => arguments.split('"').next(),
            };
            let pieces = text.unwrap_or_default().split(',').map(str::trim);
            let names = pieces
                .filter(|piece| is_whole && !piece.is_empty())
                .map(|piece| {
                    let name = piece.split('=').next().unwrap_or_default().trim();
                    name.trim_start_matches(['%', '?']).to_owned()
                });
            found.extend(names);
        }
    }
    found
}

#[test]
fn fields_are_found_before_the_sentence_and_behind_the_name_of_a_span() {
    let event = "tracing::warn!(user.id = %user, error, ?shape, \"It {went}, wrong\");";
    assert_eq!(fields(event), ["user.id", "error", "shape"]);
    let span = "let span = tracing::info_span!(\"request\", http.request.id = id);";
    assert_eq!(fields(span), ["http.request.id"]);
    assert_eq!(fields("info!(\"It is well, {really}\");"), [] as [&str; 0]);
}
