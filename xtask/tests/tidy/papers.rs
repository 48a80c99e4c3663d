//! Rules on what is written about the code: it names only what exists, and is short where it is read first.
//! Whether it is true and clear is for readers to say.

use super::files::{self, File, assert_none, root};

const README_LINES: usize = 150;

#[test]
fn the_readme_is_read_in_a_few_minutes() {
    let readme = std::fs::read_to_string(root().join("README.md")).expect("there is a README.md");
    let lines = readme.lines().count();
    assert!(lines <= README_LINES, "README.md has {lines} lines");
}

#[test]
fn everything_named_in_the_architecture_exists() {
    let paths = files::paths();
    let text = std::fs::read_to_string(root().join("ARCHITECTURE.md")).expect("there is one");
    let gone: Vec<String> = spans(&text)
        .into_iter()
        .filter(|span| !exists(span, &paths))
        .map(str::to_owned)
        .collect();
    assert_none("named in ARCHITECTURE.md and not there", &gone);
}

#[test]
fn links_between_documents_lead_somewhere() {
    let mut broken = Vec::new();
    for file in files::all().iter().filter(|file| file.ends_with(".md")) {
        for target in links(&file.text) {
            if !leads_somewhere(file, target) {
                broken.push(format!("{}: {target}", file.path));
            }
        }
    }
    assert_none("broken links", &broken);
}

/// What stands between backticks, outside blocks of code.
pub(crate) fn spans(text: &str) -> Vec<&str> {
    let prose = (0..)
        .zip(text.split("\n```"))
        .filter(|(index, _)| index % 2 == 0);
    prose
        .flat_map(|(_, piece)| piece.split('`').skip(1).step_by(2))
        .collect()
}

/// Whether a span that reads like a path or a Rust path names something that is there.
/// Routes (`/api/…`), patterns and plain words are not judged.
fn exists(span: &str, paths: &[String]) -> bool {
    if span.starts_with('/') || span.contains(['*', ' ', '{', '(', '<', '…']) {
        return true;
    }
    if let Some((crate_name, _)) = span.split_once("::") {
        let ours = root().join("crates").join(crate_name).exists();
        let linked = |path: &&String| path.ends_with("Cargo.toml");
        let manifests = paths
            .iter()
            .filter(linked)
            .map(|path| std::fs::read_to_string(root().join(path)));
        let known = ["std", "crate"].contains(&crate_name);
        let dependency = crate_name.replace('_', "-");
        return ours
            || known
            || manifests
                .flatten()
                .any(|manifest| manifest.contains(&dependency));
    }
    let endings = [".rs", ".md", ".toml", ".ts", ".tsx", ".py", ".yml"];
    if !span.contains('/') && !endings.iter().any(|ending| span.ends_with(ending)) {
        return true;
    }
    let span = span.trim_end_matches('/');
    let below = format!("/{span}");
    let folder = |path: &String| {
        path.contains(&format!("{below}/")) || path.starts_with(&format!("{span}/"))
    };
    paths
        .iter()
        .any(|path| path == span || path.ends_with(&below) || folder(path))
        || root().join(span).exists()
}

/// The targets of links and images in Markdown.
fn links(text: &str) -> Vec<&str> {
    let targets = text.split("](").skip(1);
    targets
        .filter_map(|rest| rest.split([')', ' ', '\n']).next())
        .collect()
}

fn leads_somewhere(file: &File, target: &str) -> bool {
    let path = target.split(['#', '?']).next().unwrap_or_default();
    let elsewhere = path.contains("://") || path.starts_with("mailto:") || path.starts_with('/');
    if elsewhere || path.is_empty() {
        return true;
    }
    let folder = root().join(&file.path);
    let folder = folder.parent().expect("a file lies in a folder");
    folder.join(path).exists()
}
