//! What is wrong with a configuration, where it was said, and how values are shown without giving
//! secrets away. It judges nothing: the steps that read and interpret decide what a problem is.

use std::borrow::Cow;
use std::fmt;
use std::path::PathBuf;

use serde::{Serialize, Serializer};

use super::setting::{Secrecy, Setting};
use crate::terminal::printable;

/// Where a value was said.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Source {
    /// On the command line, by this flag (with its dashes).
    Flag(String),
    /// In the environment, by this variable.
    Variable(String),
    /// In the `.env` file, by this variable.
    DotEnv(String),
    /// In a file, on a line counted from 1.
    File {
        /// The file.
        path: PathBuf,
        /// The line; `None` for the file as a whole.
        line: Option<usize>,
    },
    /// Nowhere.
    Default,
}

/// One thing that keeps a configuration from being used.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Problem {
    /// The setting, in its file form; a file as a whole goes by its name.
    pub key: String,
    /// Where it was said.
    pub source: Source,
    /// What would have been right, as the end of the sentence "expected …".
    pub expected: String,
    /// What was said instead, with secrets taken out; `None` where nothing of it may be shown.
    pub got: Option<String>,
}

/// All that is wrong with a configuration, sorted by key.
#[derive(Debug, Default)]
pub struct Problems(Vec<Problem>);

impl Problems {
    /// The problems, sorted by key and source.
    pub fn iter(&self) -> impl Iterator<Item = &Problem> {
        self.0.iter()
    }

    pub(super) fn push(
        &mut self,
        key: impl Into<String>,
        source: Source,
        expected: impl Into<String>,
        got: Option<String>,
    ) {
        self.0.push(Problem {
            key: key.into(),
            source,
            expected: expected.into(),
            got,
        });
    }

    pub(super) fn append(&mut self, others: Self) {
        self.0.extend(others.0);
    }

    /// Whether one of them is about this setting.
    pub(super) fn concern(&self, key: &str) -> bool {
        self.0.iter().any(|problem| problem.key == key)
    }

    /// `Ok` if there are none.
    pub(super) fn settle(mut self) -> Result<(), Self> {
        if self.0.is_empty() {
            return Ok(());
        }
        self.0.sort();
        self.0.dedup();
        Err(self)
    }
}

impl std::error::Error for Problems {}

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let count = self.0.len();
        writeln!(
            f,
            "{count} problem{} in the configuration:",
            if count == 1 { "" } else { "s" }
        )?;
        for problem in &self.0 {
            writeln!(f, "  {problem}")?;
        }
        f.write_str(
            "Nothing was started. Correct them all and try again; \
             `vestibule serve --help` describes every setting.",
        )
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (key, source) = (printable(&self.key), self.source.to_string());
        // An unknown variable or a broken file is its own source.
        if !source.starts_with(&key) {
            write!(f, "{key} from ")?;
        }
        write!(f, "{source}: expected {}", self.expected)?;
        self.got
            .as_ref()
            .map_or(Ok(()), |got| write!(f, "; got {got}"))
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Flag(flag) => f.write_str(flag),
            Self::Variable(name) => f.write_str(&printable(name)),
            Self::DotEnv(name) => write!(f, "{} in .env", printable(name)),
            Self::File { path, line } => {
                f.write_str(&printable(&path.to_string_lossy()))?;
                line.map_or(Ok(()), |line| write!(f, ":{line}"))
            }
            Self::Default => f.write_str("default"),
        }
    }
}

impl Serialize for Source {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// The value as it may be shown to anybody, or `None` if nothing of it may be.
pub(super) fn showable<'v>(setting: &Setting, value: &'v str) -> Option<Cow<'v, str>> {
    match setting.secrecy {
        Secrecy::Secret => None,
        // Something that is no URL at all may well be a password that went astray.
        Secrecy::UrlPassword if !value.contains("://") && !value.starts_with("sqlite:") => None,
        Secrecy::UrlPassword | Secrecy::Public => Some(without_password(value)),
    }
}

/// The value in quotes, short and without control characters, for a line of a report.
pub(super) fn quoted(value: &str) -> String {
    const MOST: usize = 80;
    let shown: String = value.chars().take(MOST).collect();
    let ellipsis = if shown.len() < value.len() { "…" } else { "" };
    format!("`{}{ellipsis}`", printable(&shown))
}

/// A URL with `***` in place of its password and of secret parameters. It works on the text alone
/// and takes rather too much than too little, because what must be shown here is often not a valid
/// URL.
pub(super) fn without_password(value: &str) -> Cow<'_, str> {
    let Some(authority) = value.find("://").map(|at| at + 3) else {
        return Cow::Borrowed(value);
    };
    let mut shown = value.to_owned();
    // A password may hold an unescaped slash or question mark, so the last @ counts.
    if let Some(end) = value.rfind('@').filter(|end| *end >= authority)
        && let Some(colon) = value[authority..end].find(':')
    {
        shown.replace_range(authority + colon + 1..end, "***");
    }
    let Some((before, query)) = shown.split_once('?') else {
        return Cow::Owned(shown);
    };
    let parameters: Vec<_> = query.split('&').map(hide_secret_parameter).collect();
    Cow::Owned(format!("{before}?{}", parameters.join("&")))
}

fn hide_secret_parameter(parameter: &str) -> Cow<'_, str> {
    const SECRET_NAMES: [&str; 4] = ["pass", "pwd", "secret", "token"];
    match parameter.split_once('=') {
        Some((name, _))
            if SECRET_NAMES
                .iter()
                .any(|secret| name.to_lowercase().contains(secret)) =>
        {
            Cow::Owned(format!("{name}=***"))
        }
        _ => Cow::Borrowed(parameter),
    }
}
