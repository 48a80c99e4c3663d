//! The files that a configuration may be spread over: `vestibule.toml`, `.env` and files with one
//! secret each. It knows their formats and the types of TOML; what the values mean is left to
//! `meaning.rs`.

use std::fs::{self, File};
use std::io::{ErrorKind, Read};
use std::path::{Path, PathBuf};

use secrecy::SecretBox;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::problem::{Problems, Source, quoted, showable};
use super::setting::{Kind, Setting};
use super::table::{self, SETTINGS};
use crate::terminal::printable;

/// No file of a configuration is larger; the bound keeps a wrong path from filling the memory.
const LARGEST_FILE: u64 = 1024 * 1024;

/// A file of settings as it was found.
pub struct Document {
    /// Where it is, as reports name it.
    pub path: PathBuf,
    /// Its text, or why it could not be read.
    pub text: Result<String, String>,
    /// Whether every user of the machine may read it.
    pub readable_by_all: bool,
}

impl Document {
    /// Reads a file of settings; `None` if there is none.
    pub(super) fn find(path: &Path) -> Option<Self> {
        // Python's virtual environments are folders called .env.
        if !path.exists() || path.is_dir() {
            return None;
        }
        Some(Self::read(path))
    }

    /// Reads a file of settings that must be there.
    pub(super) fn read(path: &Path) -> Self {
        let text = read_bounded(path).and_then(|bytes| {
            String::from_utf8(bytes).map_err(|_| "text that is not UTF-8".to_owned())
        });
        Self {
            path: path.to_owned(),
            text,
            readable_by_all: is_readable_by_all(path),
        }
    }

    /// This file as the source of something, on a line or as a whole.
    pub(super) fn source(&self, line: Option<usize>) -> Source {
        Source::File {
            path: self.path.clone(),
            line,
        }
    }
}

/// What `vestibule.toml` says.
pub(super) struct Content {
    /// Key, values and source.
    pub(super) values: Vec<(&'static str, Vec<String>, Source)>,
    pub(super) rules: Option<SaidRules>,
    pub(super) problems: Problems,
    /// Whether it is no TOML at all.
    pub(super) unreadable: bool,
}

/// What `[[site.rules]]` says.
pub(super) struct SaidRules {
    pub(super) rules: Vec<SaidRule>,
    /// Where the first one stands.
    pub(super) source: Source,
}

/// One table of `[[site.rules]]`, with every field optional.
pub(super) struct SaidRule {
    pub(super) path: Option<String>,
    pub(super) roles: Option<Vec<String>>,
    pub(super) public: Option<bool>,
    pub(super) source: Source,
}

/// Reads TOML into values of known settings, as text; everything unknown or of a wrong type becomes
/// a problem.
pub(super) fn read_toml(path: &Path, text: &str) -> Content {
    let content = Content {
        values: Vec::new(),
        rules: None,
        problems: Problems::default(),
        unreadable: false,
    };
    let mut reader = Reader {
        path,
        text,
        content,
    };
    match DeTable::parse(text) {
        Ok(table) => reader.table("", table.get_ref()),
        Err(error) => {
            reader.content.unreadable = true;
            let at = error.span().map_or(0, |span| span.start);
            // The error's own display would quote the line, which may hold a secret.
            let expected = format!("TOML ({})", printable(error.message()).replace("\\n", ", "));
            reader.refuse(&path.display().to_string(), at, expected, None);
        }
    }
    reader.content
}

/// Reads a file that the program is to show to everybody.
pub(super) fn read_bytes(path: &Path) -> Result<Vec<u8>, String> {
    read_bounded(path).map_err(|why| format!("the path of a file that can be read ({why})"))
}

/// Reads a file that holds one secret as text, without the newline at its end.
pub(super) fn read_secret_text(path: &Path, warnings: &mut Vec<String>) -> Result<String, String> {
    let bytes = read_bytes(path)?;
    warn_of_wide_mode(path, warnings);
    let text =
        String::from_utf8(bytes).map_err(|_| "the path of a file of UTF-8 text".to_owned())?;
    match text.trim_end_matches(['\r', '\n']) {
        "" => Err("the path of a file that is not empty".to_owned()),
        text => Ok(text.to_owned()),
    }
}

/// Reads a file that holds one secret as bytes.
pub(super) fn read_secret_bytes(
    path: &Path,
    warnings: &mut Vec<String>,
) -> Result<SecretBox<[u8]>, String> {
    let bytes = read_bytes(path)?;
    warn_of_wide_mode(path, warnings);
    Ok(SecretBox::from(bytes.into_boxed_slice()))
}

struct Reader<'t> {
    path: &'t Path,
    text: &'t str,
    content: Content,
}

impl Reader<'_> {
    fn table(&mut self, prefix: &str, table: &DeTable<'_>) {
        for (name, value) in table {
            let key = if prefix.is_empty() {
                name.get_ref().to_string()
            } else {
                format!("{prefix}.{}", name.get_ref())
            };
            let at = name.span().start;
            match (table::setting(&key), value.get_ref()) {
                (Some(setting), _) if setting.kind == Kind::Rules => self.rules(setting, at, value),
                (Some(setting), _) => self.value(setting, at, value.get_ref()),
                // A table of ours, or a misspelt one whose keys are worth naming one by one.
                (None, DeValue::Table(inner)) if !inner.is_empty() || is_group(&key) => {
                    self.table(&key, inner);
                }
                (None, other) if is_group(&key) => self.refuse(
                    &key,
                    at,
                    format!("a table: [{key}]"),
                    Some(other.type_str()),
                ),
                (None, _) => self.unknown(&key, at),
            }
        }
    }

    fn value(&mut self, setting: &'static Setting, at: usize, value: &DeValue<'_>) {
        let texts = match value {
            DeValue::Array(items) if setting.repeatable => items
                .iter()
                .map(|item| text_of(setting.kind, item.get_ref()))
                .collect(),
            _ if setting.repeatable => None,
            single => text_of(setting.kind, single).map(|text| vec![text]),
        };
        match texts {
            Some(texts) => {
                let source = self.source(at);
                self.content.values.push((setting.key, texts, source));
            }
            None => self.wrong_type(setting, at, value),
        }
    }

    fn wrong_type(&mut self, setting: &Setting, at: usize, value: &DeValue<'_>) {
        let form = match setting.kind {
            _ if setting.repeatable => "an array of strings, each of them ",
            Kind::Count(..) | Kind::Switch => "",
            _ => "a string: ",
        };
        let got = match value {
            DeValue::String(text) => {
                showable(setting, text).map(|text| format!("the string {}", quoted(&text)))
            }
            other => Some(format!("TOML's {}", other.type_str())),
        };
        self.refuse(
            setting.key,
            at,
            format!("{form}{}", setting.kind),
            got.as_deref(),
        );
    }

    fn unknown(&mut self, key: &str, at: usize) {
        let expected =
            match table::nearest(key, SETTINGS.iter().map(|setting| setting.key.to_owned())) {
                Some(likely) => format!("the name of a setting; did you mean {likely}?"),
                None => "the name of a setting".to_owned(),
            };
        self.refuse(key, at, expected, None);
    }

    fn rules(&mut self, setting: &Setting, at: usize, value: &Spanned<DeValue<'_>>) {
        let DeValue::Array(items) = value.get_ref() else {
            return self.wrong_type(setting, at, value.get_ref());
        };
        let mut rules = Vec::new();
        for item in items {
            match item.get_ref() {
                DeValue::Table(table) => rules.push(self.rule(table, item.span().start)),
                other => self.wrong_type(setting, item.span().start, other),
            }
        }
        self.content.rules = Some(SaidRules {
            rules,
            source: self.source(at),
        });
    }

    fn rule(&mut self, table: &DeTable<'_>, at: usize) -> SaidRule {
        let mut rule = SaidRule {
            path: None,
            roles: None,
            public: None,
            source: self.source(at),
        };
        for (name, value) in table {
            let expected = match (name.get_ref().as_ref(), value.get_ref()) {
                ("path", DeValue::String(path)) => {
                    rule.path = Some(path.to_string());
                    continue;
                }
                ("public", DeValue::Boolean(public)) => {
                    rule.public = Some(*public);
                    continue;
                }
                ("roles", DeValue::Array(roles))
                    if roles.iter().all(|role| role.get_ref().is_str()) =>
                {
                    rule.roles = Some(
                        roles
                            .iter()
                            .filter_map(|role| role.get_ref().as_str().map(str::to_owned))
                            .collect(),
                    );
                    continue;
                }
                ("path", _) => "a string",
                ("public", _) => "true or false",
                ("roles", _) => "an array of strings",
                _ => "path, roles or public, and nothing else",
            };
            self.refuse(
                &format!("site.rules.{}", name.get_ref()),
                name.span().start,
                expected.to_owned(),
                None,
            );
        }
        rule
    }

    fn refuse(&mut self, key: &str, at: usize, expected: String, got: Option<&str>) {
        let source = self.source(at);
        self.content
            .problems
            .push(key, source, expected, got.map(str::to_owned));
    }

    fn source(&self, at: usize) -> Source {
        let line = 1 + self
            .text
            .bytes()
            .take(at)
            .filter(|byte| *byte == b'\n')
            .count();
        Source::File {
            path: self.path.to_owned(),
            line: Some(line),
        }
    }
}

/// A value of the right TOML type for this kind, as an operator would write it elsewhere.
fn text_of(kind: Kind, value: &DeValue<'_>) -> Option<String> {
    match (kind, value) {
        (Kind::Count(..), DeValue::Integer(number)) => {
            i64::from_str_radix(number.as_str(), number.radix())
                .ok()
                .map(|number| number.to_string())
        }
        // Nought is the same in every unit.
        (Kind::Duration(..), DeValue::Integer(number)) if number.as_str() == "0" => {
            Some("0s".to_owned())
        }
        (Kind::Share, DeValue::Float(share)) => Some(share.as_str().to_owned()),
        (Kind::Share, DeValue::Integer(share)) => Some(share.as_str().to_owned()),
        (Kind::Switch, DeValue::Boolean(switch)) => Some(switch.to_string()),
        (Kind::Count(..) | Kind::Switch | Kind::Share, _) => None,
        (_, DeValue::String(text)) => Some(text.to_string()),
        _ => None,
    }
}

fn is_group(key: &str) -> bool {
    SETTINGS.iter().any(|setting| {
        setting
            .key
            .strip_prefix(key)
            .is_some_and(|rest| rest.starts_with('.'))
    })
}

fn read_bounded(path: &Path) -> Result<Vec<u8>, String> {
    let readable = |error: std::io::Error| match error.kind() {
        ErrorKind::NotFound => "there is no such file".to_owned(),
        ErrorKind::PermissionDenied => "permission denied".to_owned(),
        _ => error.to_string(),
    };
    // Asked before opening, because opening a pipe that nobody writes to would wait for ever.
    if !fs::metadata(path).map_err(readable)?.is_file() {
        return Err("it is not a regular file".to_owned());
    }
    let mut bytes = Vec::new();
    File::open(path)
        .and_then(|file| file.take(LARGEST_FILE + 1).read_to_end(&mut bytes))
        .map_err(readable)?;
    if bytes.len() as u64 > LARGEST_FILE {
        return Err("it is larger than 1 MiB".to_owned());
    }
    Ok(bytes)
}

fn warn_of_wide_mode(path: &Path, warnings: &mut Vec<String>) {
    let mode = mode_of(path);
    if mode & 0o077 != 0 {
        let path = printable(&path.to_string_lossy());
        warnings.push(format!(
            "{path} holds a secret and has mode {mode:04o}: chmod 600 {path}"
        ));
    }
}

/// Whether every user of the machine may read it.
pub(super) fn is_readable_by_all(path: &Path) -> bool {
    mode_of(path) & 0o004 != 0
}

/// The permission bits of a file; none where the system has no such thing.
#[cfg(unix)]
fn mode_of(path: &Path) -> u32 {
    use std::os::unix::fs::PermissionsExt;
    fs::metadata(path).map_or(0, |metadata| metadata.permissions().mode() & 0o777)
}

#[cfg(not(unix))]
fn mode_of(_path: &Path) -> u32 {
    0
}
