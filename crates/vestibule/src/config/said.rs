//! Step one of the configuration: what the operator said, each value with its source, the highest
//! source winning. Names are checked here, since an unknown one has no meaning; values are left to
//! `meaning.rs`, files to `file.rs`.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use secrecy::{ExposeSecret, SecretString};

use super::Inputs;
use super::file::{self, Document, SaidRules};
use super::problem::{Problems, Source};
use super::setting::{Kind, PREFIX, Setting};
use super::table::{self, FOREIGN_VARIABLES, SETTINGS};

/// What the operator said. It has no `Debug`, since any value may be a secret in the wrong place.
pub(super) struct Said {
    pub(super) rules: Option<SaidRules>,
    pub(super) problems: Problems,
    pub(super) warnings: Vec<String>,
    /// Whether a file could not be read, so that settings that seem to be missing may be in there.
    pub(super) incomplete: bool,
    /// The configuration file.
    pub(super) file: Option<PathBuf>,
    /// The files that were read for a variable `…_FILE`, after that variable.
    pub(super) value_files: Vec<(String, PathBuf)>,
    given: BTreeMap<&'static str, Given>,
    /// Whether the environment turns the traces of all programs off.
    no_traces: bool,
}

/// The values of one setting, as text, from the highest source that has any.
pub(super) struct Given {
    pub(super) texts: Vec<SecretString>,
    pub(super) source: Source,
}

/// The variables of one level, environment or `.env`.
struct Level {
    source: fn(String) -> Source,
    values: BTreeMap<String, SecretString>,
}

impl Said {
    /// Listens to all sources, from the highest to the lowest, so that the first value of a setting
    /// is the one that counts.
    pub(super) fn listen(inputs: Inputs) -> Self {
        let mut said = Self {
            rules: None,
            problems: Problems::default(),
            warnings: Vec::new(),
            incomplete: false,
            file: None,
            value_files: Vec::new(),
            given: BTreeMap::new(),
            no_traces: inputs.environment.iter().any(turns_traces_off),
        };
        for (key, texts) in inputs.flags {
            let Some(flag) = table::setting(key).and_then(Setting::flag) else {
                continue;
            };
            said.give(key, texts, Source::Flag(format!("--{flag}")));
        }
        let environment = said.environment(inputs.environment);
        said.take_level(&environment);
        if let Some(document) = inputs.dot_env {
            let dot_env = said.dot_env(&document);
            said.take_level(&dot_env);
        }
        if let Some(document) = inputs.file {
            said.take_file(&document);
            said.file = Some(document.path);
        }
        said
    }

    pub(super) fn get(&self, key: &str) -> Option<&Given> {
        self.given.get(key)
    }

    /// Where the value of this setting was said.
    pub(super) fn source(&self, key: &str) -> Source {
        match (self.given.get(key), &self.rules) {
            (Some(given), _) => given.source.clone(),
            (None, Some(rules)) if key == "site.rules" => rules.source.clone(),
            _ => Source::Default,
        }
    }

    fn give(&mut self, key: &'static str, texts: Vec<String>, source: Source) {
        let texts = texts.into_iter().map(SecretString::from).collect();
        self.given.entry(key).or_insert(Given { texts, source });
    }

    /// Of all the variables around, those that are meant for us.
    fn environment(&mut self, variables: Vec<(OsString, OsString)>) -> Level {
        let mut level = Level {
            source: Source::Variable,
            values: BTreeMap::new(),
        };
        for (name, value) in variables {
            let name = name.to_string_lossy().into_owned();
            if !self.is_for_us(&name, &value.to_string_lossy()) {
                continue;
            }
            match value.into_string() {
                Ok(value) => self.hear(&mut level, name, value),
                Err(_) => {
                    let source = Source::Variable(name.clone());
                    self.problems
                        .push(key_of(&name), source, "UTF-8 text", None);
                }
            }
        }
        level
    }

    /// The lines of `.env` that are meant for us. What other programs keep there is none of our
    /// business, but a line that cannot be read is: it may have swallowed the ones below it.
    fn dot_env(&mut self, document: &Document) -> Level {
        let mut level = Level {
            source: Source::DotEnv,
            values: BTreeMap::new(),
        };
        let Some(text) = self.text_of(document) else {
            return level;
        };
        let mut read_up_to = 0;
        for line in dotenvy::from_read_iter(text.as_bytes()) {
            match line {
                Ok((name, value)) if self.is_for_us(&name, &value) => {
                    if level.values.contains_key(&name) {
                        self.problems.push(
                            key_of(&name),
                            Source::DotEnv(name),
                            "one line for it; it stands there twice",
                            None,
                        );
                    } else {
                        self.hear(&mut level, name, value);
                    }
                }
                Ok(_) => {}
                Err(dotenvy::Error::LineParse(fragment, _)) => {
                    // The error holds the text that it could not read, not the number of its line.
                    let fragment = fragment.trim_end();
                    let at = text[read_up_to..].find(fragment).map(|at| read_up_to + at);
                    read_up_to = at.map_or(read_up_to, |at| at + fragment.len());
                    let line = at.map(|at| 1 + text[..at].matches('\n').count());
                    self.refuse_line(document, line);
                }
                Err(_) => self.refuse_line(document, None),
            }
        }
        if document.readable_by_all
            && level
                .values
                .keys()
                .any(|name| names_a_secret(name, &level.values[name]))
        {
            self.warnings.push(readable_by_all(&document.path));
        }
        level
    }

    fn refuse_line(&mut self, document: &Document, line: Option<usize>) {
        self.incomplete = true;
        let source = document.source(line);
        let expected =
            "NAME=value, with quotes around a value that holds spaces, and the quotes closed";
        self.problems.push(".env", source, expected, None);
    }

    /// Takes note of a variable if its name is known and its value not empty.
    fn hear(&mut self, level: &mut Level, name: String, value: String) {
        let source = (level.source)(name.clone());
        if let Err(expected) = check_name(&name) {
            self.problems.push(key_of(&name), source, expected, None);
        } else if value.is_empty() {
            // Not taken for unset: an empty key or password is the trace of a failed substitution.
            self.problems.push(
                key_of(&name),
                source,
                "a value; unset the variable for the default",
                Some("nothing".into()),
            );
        } else {
            level.values.insert(name, value.into());
        }
    }

    /// Gives every setting the best of its variables on this level.
    fn take_level(&mut self, level: &Level) {
        for setting in SETTINGS {
            let Some(variable) = setting.variable() else {
                continue;
            };
            let file_variable = setting
                .file_variable()
                .filter(|name| level.values.contains_key(name));
            if let (Some(file_variable), true) =
                (&file_variable, level.values.contains_key(&variable))
            {
                let expected = format!("one of {variable} and {file_variable}, not both");
                self.problems.push(
                    setting.key,
                    (level.source)(variable.clone()),
                    expected,
                    None,
                );
            }
            let foreign = FOREIGN_VARIABLES
                .iter()
                .filter(|(_, key)| *key == setting.key)
                .map(|(name, _)| (*name).to_owned());
            let best = std::iter::once(variable)
                .chain(file_variable)
                .chain(foreign)
                .find(|name| level.values.contains_key(name));
            if let Some(name) = best.filter(|_| !self.given.contains_key(setting.key)) {
                self.take_variable(setting, level, &name);
            }
        }
    }

    fn take_variable(&mut self, setting: &'static Setting, level: &Level, name: &str) {
        let value = level.values[name].expose_secret();
        let source = (level.source)(name.to_owned());
        let parts = |list: &str| {
            let parts = list.split(',').map(|part| part.trim().to_owned());
            parts.collect()
        };
        let texts = if setting.file_variable().as_deref() == Some(name) {
            self.value_files.push((name.to_owned(), value.into()));
            match file::read_secret_text(Path::new(value), &mut self.warnings) {
                Ok(list) if setting.repeatable => parts(&list),
                Ok(text) => vec![text],
                Err(expected) => return self.problems.push(setting.key, source, expected, None),
            }
        } else if name == "PORT" {
            match value.parse::<u16>() {
                Ok(port) => vec![format!("0.0.0.0:{port}")],
                Err(_) => {
                    return self.problems.push(
                        setting.key,
                        source,
                        "a port number from 0 to 65535",
                        Some(super::problem::quoted(value)),
                    );
                }
            }
        } else if setting.repeatable {
            parts(value)
        } else {
            vec![value.to_owned()]
        };
        self.give(setting.key, texts, source);
    }

    fn take_file(&mut self, document: &Document) {
        let Some(text) = self.text_of(document) else {
            return;
        };
        let content = file::read_toml(&document.path, text);
        self.incomplete |= content.unreadable;
        let mut holds_a_secret = false;
        for (key, texts, source) in content.values {
            holds_a_secret |= texts
                .iter()
                .any(|text| table::setting(key).is_some_and(|setting| setting.is_secret_in(text)));
            self.give(key, texts, source);
        }
        self.rules = content.rules;
        self.problems.append(content.problems);
        if document.readable_by_all && holds_a_secret {
            self.warnings.push(readable_by_all(&document.path));
        }
    }

    fn is_for_us(&self, name: &str, value: &str) -> bool {
        is_ours(name, value) && !(self.no_traces && name.starts_with("OTEL_"))
    }

    fn text_of<'d>(&mut self, document: &'d Document) -> Option<&'d str> {
        match &document.text {
            // Windows editors begin a file with a byte order mark.
            Ok(text) => Some(text.strip_prefix('\u{feff}').unwrap_or(text)),
            Err(why) => {
                self.incomplete = true;
                let name = document.path.display().to_string();
                let expected = format!("a file that can be read ({why})");
                self.problems
                    .push(name, document.source(None), expected, None);
                None
            }
        }
    }
}

/// Whether a variable is one of those by which OpenTelemetry, or its traces, are turned off for all programs of an
/// environment (OpenTelemetry's specification of environment variables). What is said to this program alone still counts.
fn turns_traces_off((name, value): &(OsString, OsString)) -> bool {
    let is_off = |value: &str| match name.to_str() {
        Some("OTEL_SDK_DISABLED") => value.eq_ignore_ascii_case("true"),
        Some("OTEL_TRACES_EXPORTER") => value == "none",
        _ => false,
    };
    value.to_str().is_some_and(is_off)
}

/// Whether a variable is meant for this program.
fn is_ours(name: &str, value: &str) -> bool {
    // For OpenTelemetry an empty variable is none.
    let is_unset = value.is_empty() && name.starts_with("OTEL_");
    let mut foreign = FOREIGN_VARIABLES.iter();
    foreign.any(|(foreign, _)| *foreign == name) && !is_unset
        || (name.starts_with(PREFIX) && !is_service_link(name, value))
}

/// Kubernetes gives every container variables about each service of its namespace. A service that
/// is called `vestibule` would otherwise keep the program of that name from starting.
fn is_service_link(name: &str, value: &str) -> bool {
    let is_port_of_protocol = ["_TCP", "_UDP", "_SCTP"].iter().any(|protocol| {
        name.split_once(protocol)
            .and_then(|(before, _)| before.rsplit_once("_PORT_"))
            .is_some_and(|(_, port)| {
                !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit())
            })
    });
    name.ends_with("_SERVICE_HOST")
        || name.contains("_SERVICE_PORT")
        || is_port_of_protocol
        || (name.ends_with("_PORT") && value.contains("://"))
}

/// The setting that a variable belongs to, for reports; its own name where there is none.
fn key_of(name: &str) -> String {
    let foreign = FOREIGN_VARIABLES
        .iter()
        .find(|(foreign, _)| *foreign == name)
        .map(|(_, key)| *key);
    let own = SETTINGS.iter().find(|setting| {
        setting.variable().as_deref() == Some(name)
            || setting.file_variable().as_deref() == Some(name)
    });
    foreign
        .or(own.map(|setting| setting.key))
        .unwrap_or(name)
        .to_owned()
}

fn check_name(name: &str) -> Result<(), String> {
    let known = variable_names();
    if known.contains(name) {
        return Ok(());
    }
    if let Some(setting) = SETTINGS
        .iter()
        .find(|setting| setting.kind == Kind::Rules && variable_like(setting.key) == name)
    {
        return Err(format!(
            "{} in vestibule.toml; tables are for the file alone",
            setting.kind
        ));
    }
    let candidates = known
        .iter()
        .map(|known| known.trim_start_matches(PREFIX).to_owned());
    Err(
        match table::nearest(name.trim_start_matches(PREFIX), candidates) {
            Some(likely)
                if FOREIGN_VARIABLES
                    .iter()
                    .any(|(foreign, _)| *foreign == likely)
                    && !known.contains(&format!("{PREFIX}{likely}")) =>
            {
                format!("the name of a setting; did you mean {likely}?")
            }
            Some(likely) => format!("the name of a setting; did you mean {PREFIX}{likely}?"),
            None => "the name of a setting; unset it if it is none of yours".to_owned(),
        },
    )
}

fn variable_names() -> BTreeSet<String> {
    let foreign = FOREIGN_VARIABLES.iter().map(|(name, _)| (*name).to_owned());
    SETTINGS
        .iter()
        .flat_map(|setting| {
            setting
                .variable()
                .into_iter()
                .chain(setting.file_variable())
        })
        .chain(foreign)
        .collect()
}

fn variable_like(key: &str) -> String {
    format!("{PREFIX}{}", key.replace('.', "_").to_uppercase())
}

fn names_a_secret(name: &str, value: &SecretString) -> bool {
    table::setting(&key_of(name))
        .filter(|setting| setting.file_variable().as_deref() != Some(name))
        .is_some_and(|setting| setting.is_secret_in(value.expose_secret()))
}

/// What is said of a file with a secret that others may read.
pub(super) fn readable_by_all(path: &Path) -> String {
    let path = crate::terminal::printable(&path.to_string_lossy());
    format!("{path} holds a secret and every user of this machine can read it: chmod 600 {path}")
}
