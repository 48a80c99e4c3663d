//! The files of the repository, as git sees them, with their text; build output is not among them.
//! Which rule applies to which file is said beside the rule.

use std::path::Path;
use std::process::Command;

/// A text file of the repository.
pub(crate) struct File {
    /// Its path below the root, with `/` between the names.
    pub(crate) path: String,
    pub(crate) text: String,
}

impl File {
    pub(crate) fn is_under(&self, folder: &str) -> bool {
        self.path.starts_with(folder)
    }

    pub(crate) fn ends_with(&self, ending: &str) -> bool {
        self.path.ends_with(ending)
    }

    /// Lines with their number, without comments: for rules on what code does, not on what it says.
    pub(crate) fn code(&self) -> impl Iterator<Item = (usize, &str)> {
        (1..).zip(self.text.lines()).map(|(number, line)| {
            let comment = line.find("//").filter(|&at| !line[..at].ends_with(':'));
            (number, comment.map_or(line, |at| &line[..at]))
        })
    }
}

pub(crate) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("xtask/ lies inside the repository")
}

/// Every path that is tracked, or new and not ignored.
pub(crate) fn paths() -> Vec<String> {
    let listing = Command::new("git")
        .args([
            "ls-files",
            "-z",
            "--cached",
            "--others",
            "--exclude-standard",
        ])
        .current_dir(root())
        .output()
        .expect("git lists the files of a clone");
    assert!(listing.status.success(), "git ls-files: {listing:?}");
    let names = String::from_utf8(listing.stdout).expect("names of files are UTF-8");
    let present = |name: &&str| !name.is_empty() && root().join(name).exists();
    names
        .split('\0')
        .filter(present)
        .map(str::to_owned)
        .collect()
}

/// Every file that is text.
pub(crate) fn all() -> Vec<File> {
    let text = |path: String| {
        let text = std::fs::read_to_string(root().join(&path)).ok()?;
        Some(File { path, text })
    };
    paths().into_iter().filter_map(text).collect()
}

/// Every Rust source file.
pub(crate) fn rust() -> Vec<File> {
    all()
        .into_iter()
        .filter(|file| file.ends_with(".rs"))
        .collect()
}

/// Fails with the whole list, so that one run shows every place to mend.
pub(crate) fn assert_none(rule: &str, places: &[String]) {
    assert!(places.is_empty(), "{rule}:\n  {}", places.join("\n  "));
}
