//! What a setting is: its forms of one name, what it may hold, and how much of it may be shown. Which
//! settings there are stands in the table.

use std::fmt;

use super::{problem::without_password, table::SETTINGS};

/// What opens the name of every environment variable of this program.
pub const PREFIX: &str = "VESTIBULE_";

/// A setting, as a row of the table.
#[derive(Debug, Clone, Copy)]
pub struct Setting {
    /// Its name in the file, such as `token.access_ttl`; the other forms are derived from it.
    pub key: &'static str,
    /// The heading under which help and reference show it.
    pub group: &'static str,
    /// What a value may look like.
    pub kind: Kind,
    /// What holds when nobody said anything.
    pub default: Preset,
    /// Whether it takes several values.
    pub repeatable: bool,
    /// How much of its value may be shown.
    pub secrecy: Secrecy,
    /// One line for `--help`.
    pub help: &'static str,
    /// What else an operator should know, for the reference page; may be empty.
    pub details: &'static str,
    short_flag: Option<&'static str>,
    bare_flag: bool,
}

/// What a value may look like. Ranges stand here as the operator would write them, so that help can
/// quote them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// An IP address with a port.
    Address,
    /// A path of the file system.
    Path,
    /// Scheme, host and port of a web site.
    Origin,
    /// An IP network in CIDR form, or one address.
    Network,
    /// A path of the site, with wildcards.
    Pattern,
    /// Tables of path rules; they can stand in the file alone.
    Rules,
    /// Where the database is.
    DatabaseUrl,
    /// Where a shared Redis is.
    RedisUrl,
    /// Where a syslog takes messages.
    Syslog,
    /// Where traces are sent.
    Collector,
    /// A header of a request.
    Header,
    /// Key material as text.
    SecretKey,
    /// A span of time between two bounds.
    Duration(&'static str, &'static str),
    /// A whole number between two bounds.
    Count(u32, u32),
    /// A share of all, from 0 to 1.
    Share,
    /// A number of attempts per span of time.
    Limit,
    /// True or false.
    Switch,
    /// One of some words.
    Choice(&'static [&'static str]),
    /// One line of text of at most so many characters.
    Text(usize),
}

/// What holds when nobody said anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Preset {
    /// Nothing: the feature is off.
    Nothing,
    /// This value, written as an operator would write it.
    Value(&'static str),
    /// A value that follows from other settings, described in words.
    Derived(&'static str),
}

/// How much of a value may be shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Secrecy {
    /// All of it.
    Public,
    /// All but a password inside the URL. A `…_FILE` variable may name a file that holds it.
    UrlPassword,
    /// Nothing, and there is no flag for it, since the process list would show it.
    Secret,
}

impl Setting {
    pub(super) const fn new(key: &'static str, group: &'static str, kind: Kind) -> Self {
        Self {
            key,
            group,
            kind,
            help: "",
            default: Preset::Nothing,
            repeatable: false,
            secrecy: Secrecy::Public,
            details: "",
            short_flag: None,
            bare_flag: false,
        }
    }

    pub(super) const fn help(mut self, line: &'static str) -> Self {
        self.help = line;
        self
    }

    pub(super) const fn default(mut self, value: &'static str) -> Self {
        self.default = Preset::Value(value);
        self
    }

    pub(super) const fn derived(mut self, description: &'static str) -> Self {
        self.default = Preset::Derived(description);
        self
    }

    pub(super) const fn details(mut self, details: &'static str) -> Self {
        self.details = details;
        self
    }

    pub(super) const fn repeatable(mut self) -> Self {
        self.repeatable = true;
        self
    }

    pub(super) const fn short_flag(mut self, name: &'static str) -> Self {
        self.short_flag = Some(name);
        self
    }

    /// The flag alone means true; a value has to follow an equals sign.
    pub(super) const fn bare_flag(mut self) -> Self {
        self.bare_flag = true;
        self
    }

    pub(super) const fn secret(mut self) -> Self {
        self.secrecy = Secrecy::Secret;
        self
    }

    pub(super) const fn url_password(mut self) -> Self {
        self.secrecy = Secrecy::UrlPassword;
        self
    }

    /// The flag without its dashes, or `None` where a flag would not do: for secrets and for
    /// tables.
    pub fn flag(&self) -> Option<String> {
        self.has_flag().then(|| {
            self.short_flag
                .map_or_else(|| self.long_flag(), str::to_owned)
        })
    }

    /// The full spelling of a flag that also has a shorter one.
    pub fn flag_alias(&self) -> Option<String> {
        self.short_flag.map(|_| self.long_flag())
    }

    /// Whether the flag may stand without a value, which then is true.
    pub fn has_bare_flag(&self) -> bool {
        self.bare_flag
    }

    /// The environment variable, or `None` for tables.
    pub fn variable(&self) -> Option<String> {
        (self.kind != Kind::Rules)
            .then(|| format!("{PREFIX}{}", self.key.replace('.', "_").to_uppercase()))
    }

    /// The variable that names a file holding the value; only for what may be secret. The file of
    /// `secret_key` is a setting of its own and therefore absent here.
    pub fn file_variable(&self) -> Option<String> {
        let variable = self
            .variable()
            .filter(|_| self.secrecy != Secrecy::Public)?;
        let file_variable = format!("{variable}_FILE");
        let is_a_setting = SETTINGS
            .iter()
            .any(|other| other.variable().as_ref() == Some(&file_variable));
        (!is_a_setting).then_some(file_variable)
    }

    /// Whether this value of the setting holds something that must not be read by others.
    pub(super) fn is_secret_in(&self, value: &str) -> bool {
        match self.secrecy {
            Secrecy::Public => false,
            Secrecy::UrlPassword => without_password(value) != value,
            Secrecy::Secret => true,
        }
    }

    fn has_flag(&self) -> bool {
        self.secrecy != Secrecy::Secret && self.kind != Kind::Rules
    }

    fn long_flag(&self) -> String {
        self.key.replace(['.', '_'], "-")
    }
}

impl Kind {
    /// The word that stands for the value in `--help`.
    pub fn placeholder(self) -> String {
        match self {
            Self::Address => "ADDRESS:PORT".into(),
            Self::Path => "PATH".into(),
            Self::Origin | Self::DatabaseUrl | Self::RedisUrl | Self::Syslog | Self::Collector => {
                "URL".into()
            }
            Self::Header => "NAME=VALUE".into(),
            Self::Share => "0..1".into(),
            Self::Network => "CIDR".into(),
            Self::Pattern => "PATTERN".into(),
            Self::Rules => "TABLES".into(),
            Self::SecretKey => "KEY".into(),
            Self::Duration(..) => "DURATION".into(),
            Self::Count(..) => "N".into(),
            Self::Limit => "N/DURATION".into(),
            Self::Switch => "true|false".into(),
            Self::Choice(words) => words.join("|"),
            Self::Text(_) => "TEXT".into(),
        }
    }
}

/// What is expected of a value, as the end of the sentence "expected …".
impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Address => "an IP address and a port, such as 127.0.0.1:8080 or [::1]:8080",
            Self::Path => "a path",
            Self::Origin => "an origin such as https://example.org and nothing behind it",
            Self::Network => "an address or a network such as 10.0.0.0/8",
            Self::Pattern => "a path that starts with a slash, such as /members/**",
            Self::Rules => "[[site.rules]] tables with path, roles and public",
            Self::DatabaseUrl => {
                "the URL of a database, such as sqlite:///srv/vestibule.db or postgres://ada@host/app"
            }
            Self::RedisUrl => "the URL of a Redis, such as redis://host:6379",
            Self::Syslog => "where a syslog listens, such as unix:/dev/log or udp://192.0.2.1:514",
            Self::Collector => "the URL of a collector, such as http://127.0.0.1:4318",
            Self::Header => "the name of a header, an equals sign and its value",
            Self::Share => "a number from 0 to 1, such as 0.1",
            Self::SecretKey => "32 or more random bytes as base64 or hexadecimal digits",
            Self::Limit => "a limit such as 10/15m, for a time from 1s to 24h, or off",
            Self::Switch => "true or false",
            Self::Duration(least, most) => {
                return write!(
                    f,
                    "a duration from {least} to {most}, such as 90s, 15m or 30d"
                );
            }
            Self::Count(least, most) => {
                return write!(f, "a whole number from {least} to {most}");
            }
            Self::Choice(words) => return write!(f, "one of {}", words.join(", ")),
            Self::Text(most) => return write!(f, "one line of 1 to {most} characters"),
        })
    }
}
