//! The configuration, in two steps: what the operator said (`said.rs`), then what it means
//! (`meaning.rs`), both after one table of settings (`table.rs`). No other file reads the
//! environment; what the values are for is left to their users.

mod branding;
mod file;
mod meaning;
mod problem;
mod reference;
mod said;
mod setting;
mod supervision;
mod table;
#[cfg(test)]
mod tests;
mod value;

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io::IsTerminal;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use accounts::{
    DatabaseUrl, HashCost, RedisUrl, SigningAlgorithm, SigningKeyPair, ThrottleSettings, TlsMode,
};
use clap::{ArgMatches, Command};
use ipnet::IpNet;
use secrecy::SecretBox;
use serde::Serialize;

use crate::serve::TlsFiles;
use crate::site::Rules;

pub use branding::BrandFile;
pub use file::Document;
pub use problem::{Problem, Problems, Source};
pub use reference::reference;
pub use setting::{Kind, PREFIX, Preset, Secrecy, Setting};
pub use supervision::Supervision;
pub use table::SETTINGS;
pub(crate) use value::key_from_bytes;
pub use value::{
    Collector, CollectorHeader, Locale, LogFormat, Origin, Registration, RemoteUser, SyslogAddress,
};

/// Everything an operator can decide, in the types that the program works with.
#[derive(Debug)]
pub struct Config {
    /// Where to accept connections; port 0 lets the system choose.
    pub listen: SocketAddr,
    /// The folder for what the server keeps.
    pub data_dir: PathBuf,
    /// The address under which browsers reach the server.
    pub public_url: Origin,
    /// Proxies whose `X-Forwarded-For` is believed.
    pub trusted_proxies: Vec<IpNet>,
    /// The database.
    pub database: Database,
    /// The key from which all other secrets are derived.
    pub secret_key: SecretKeySource,
    /// The file that it is in, or is to be generated into; `None` where the key itself was given.
    pub secret_key_file: Option<PathBuf>,
    /// The configuration file, if one was read.
    pub file: Option<PathBuf>,
    /// The files that hold the value of a setting, each after the variable that names it.
    pub value_files: Vec<(String, PathBuf)>,
    /// The operator's own signing key, in place of those in the database.
    pub signing_key: Option<SigningKeyPair>,
    /// The file that it is in.
    pub signing_key_file: Option<PathBuf>,
    /// Sessions in token mode.
    pub token: Token,
    /// Sessions in cookie mode.
    pub cookie: Cookie,
    /// Who may open an account.
    pub registration: Registration,
    /// Who is to be the first admin; `None` leaves it to the set-up link.
    pub admin: Option<Admin>,
    /// New passwords.
    pub password: Password,
    /// How long what is over is kept.
    pub retention: Retention,
    /// Where else the audit log is kept.
    pub audit: AuditCopies,
    /// How often something may be tried; `None` is off.
    pub limits: ThrottleSettings,
    /// What the nodes share besides the database.
    pub redis: Redis,
    /// Pages of other origins.
    pub cors: Cors,
    /// The site.
    pub site: Site,
    /// The built-in pages.
    pub ui: Ui,
    /// The certificate with which HTTPS is served here; `None` serves plain HTTP.
    pub tls: Option<TlsFiles>,
    /// Where to send plain HTTP on to `public_url`, if anywhere; port 0 lets the system choose.
    pub https_redirect: Option<SocketAddr>,
    /// Where to serve metrics, if anywhere; port 0 lets the system choose.
    pub metrics_listen: Option<SocketAddr>,
    /// Whether nothing is written: reads go on, and whatever changes something is refused.
    pub read_only: bool,
    /// How long to go on serving after SIGTERM.
    pub drain_delay: Duration,
    /// The log.
    pub log: Logging,
    /// Traces of requests.
    pub otel: Otel,
    /// Whether `public_url` is the default, which has the port of `listen`.
    public_url_follows: bool,
    /// Whether `token.issuer` is the default, which is `public_url`.
    issuer_follows: bool,
    /// Whether `token.audience` is the default, which is `public_url`.
    audience_follows: bool,
}

/// Where the database is and how many connections it gets.
#[derive(Debug)]
pub struct Database {
    /// Where it is.
    pub url: DatabaseUrl,
    /// Where it is without a pooler in between, if that is elsewhere.
    pub direct_url: Option<DatabaseUrl>,
    /// Its replicas.
    pub replica_urls: Vec<DatabaseUrl>,
    /// How old what they answer may be.
    pub replica_max_lag: Duration,
    /// How connections are protected, in place of what the URLs say.
    pub tls: Option<TlsMode>,
    /// Most connections at a time.
    pub max_connections: u32,
    /// Connections that are kept although nobody needs them.
    pub min_connections: u32,
    /// How long to wait for a free one.
    pub acquire_timeout: Duration,
    /// After how long without use one is closed.
    pub idle_timeout: Duration,
    /// After how long one is replaced.
    pub max_lifetime: Duration,
    /// For how long a server that is not up is tried again.
    pub startup_timeout: Duration,
}

/// Where the secret key comes from.
#[derive(Debug)]
pub enum SecretKeySource {
    /// The operator gave these bytes, at least 32, there.
    Given(SecretBox<[u8]>, Source),
    /// The operator gave none: it is in this file, or is to be generated into it.
    GeneratedAt(PathBuf),
}

/// Life times and claims of tokens.
#[derive(Debug)]
pub struct Token {
    /// Life of an access token.
    pub access_ttl: Duration,
    /// How long a session lasts unused.
    pub refresh_idle_ttl: Duration,
    /// How long a session lasts at most.
    pub refresh_absolute_ttl: Duration,
    /// How long a used refresh token may be repeated; zero is the strict rule.
    pub refresh_grace: Duration,
    /// The claim `iss`.
    pub issuer: String,
    /// The claim `aud`.
    pub audience: String,
    /// The kind of new signing keys.
    pub algorithm: SigningAlgorithm,
}

/// Life times of cookie sessions.
#[derive(Debug)]
pub struct Cookie {
    /// How long a session lasts unused.
    pub idle_ttl: Duration,
    /// How long a session lasts at most.
    pub absolute_ttl: Duration,
}

/// The first admin, for as long as there is none.
#[derive(Debug)]
pub struct Admin {
    /// The e-mail address.
    pub email: String,
    /// The file whose first line is the password.
    pub password_file: PathBuf,
}

/// The rule for new passwords.
#[derive(Debug)]
pub struct Password {
    /// How they are hashed, and the work that takes.
    pub hash_cost: HashCost,
    /// Fewest characters.
    pub min_length: usize,
}

/// How long what is over is kept.
#[derive(Debug)]
pub struct Retention {
    /// Deleted users.
    pub deleted: Duration,
    /// Audit events.
    pub audit: Duration,
}

/// What the nodes share besides the database.
#[derive(Debug)]
pub struct Redis {
    /// Where it is; `None` counts limits by each node alone.
    pub url: Option<RedisUrl>,
}

/// Where the audit log is kept beside the database.
#[derive(Debug)]
pub struct AuditCopies {
    /// The file that has a line for each event.
    pub file: Option<PathBuf>,
    /// The syslog that each event is sent to.
    pub syslog: Option<SyslogAddress>,
}

/// Pages of other origins.
#[derive(Debug)]
pub struct Cors {
    /// Origins that may call the API with credentials.
    pub origins: Vec<Origin>,
}

/// The site, a folder or an app, and what of it needs a login.
#[derive(Debug)]
pub struct Site {
    /// Its folder; `None` serves none.
    pub dir: Option<PathBuf>,
    /// The app that is served in place of a folder.
    pub upstream: Option<Origin>,
    /// How long the app may be silent before its answer begins.
    pub upstream_timeout: Duration,
    /// `site.rules` and behind them `site.protect`, in the order in which they are judged.
    pub rules: Rules,
    /// What an app behind the server gets as `Remote-User`.
    pub remote_user: RemoteUser,
    /// Whether apps are told addresses that nobody has vouched for.
    pub unverified_email: bool,
}

/// The built-in pages.
#[derive(Debug)]
pub struct Ui {
    /// Whether they are served.
    pub enabled: bool,
    /// The name that they show.
    pub name: String,
    /// The picture that they show in place of ours.
    pub logo: Option<BrandFile>,
    /// The style sheet that has the last word.
    pub css: Option<BrandFile>,
    /// Their language, or none for the one that the browser asks for.
    pub locale: Option<Locale>,
}

/// The log.
#[derive(Debug)]
pub struct Logging {
    /// Its form.
    pub format: LogFormat,
    /// The least severe event that is written, as one of the words of the table; `off` writes none.
    pub level: String,
}

/// Traces of requests, by OpenTelemetry.
#[derive(Debug)]
pub struct Otel {
    /// Where they are sent; `None` makes none.
    pub collector: Option<Collector>,
    /// What the collector asks for besides.
    pub headers: Vec<CollectorHeader>,
    /// The name of this server there.
    pub service_name: String,
    /// The share of requests that are traced, of those that are part of no trace yet.
    pub sample_ratio: f64,
}

impl Otel {
    /// None are made.
    fn none() -> Self {
        Self {
            collector: None,
            headers: Vec::new(),
            service_name: String::new(),
            sample_ratio: 0.0,
        }
    }
}

/// A configuration without problems.
#[derive(Debug)]
pub struct Loaded {
    /// What it means.
    pub config: Config,
    /// Every setting with its source, for `config show`; secrets are hidden.
    pub rows: Vec<Row>,
    /// The places that said anything, the highest first, such as `flags` or the name of a file.
    pub sources: Vec<String>,
    /// What an operator should change soon, a sentence each.
    pub warnings: Vec<String>,
    /// Whoever has started the program and wants to hear of it.
    pub supervision: Option<Supervision>,
}

/// One effective setting as it may be shown to anybody.
#[derive(Debug, Serialize)]
pub struct Row {
    /// Its file key.
    pub key: &'static str,
    /// A string, an array for a list, or null where it is off.
    pub value: serde_json::Value,
    /// Where it was said.
    pub source: Source,
}

/// Everything that an operator can say anything in. The default says nothing at all.
#[derive(Default)]
pub struct Inputs {
    /// Values of flags by the key of their setting.
    pub flags: BTreeMap<&'static str, Vec<String>>,
    /// Environment variables, also those of others.
    pub environment: Vec<(OsString, OsString)>,
    /// The `.env` file of the working directory.
    pub dot_env: Option<Document>,
    /// `vestibule.toml`.
    pub file: Option<Document>,
    /// Whether the log goes to a terminal.
    pub terminal: bool,
}

/// Adds the flags of all settings, and `--config`, to a command and to all its subcommands.
pub fn arguments(command: Command) -> Command {
    reference::arguments(command)
}

/// Reads flags, environment, `.env` and file.
///
/// # Errors
/// All problems at once; the caller prints them and ends with exit code 2.
pub fn load(matches: &ArgMatches) -> Result<Loaded, Problems> {
    load_from(Inputs::around(matches))
}

/// Reads a configuration from what is handed in. Files that it names as holding secrets are read as
/// well.
///
/// # Errors
/// All problems at once.
pub fn load_from(inputs: Inputs) -> Result<Loaded, Problems> {
    let terminal = inputs.terminal;
    let supervision = Supervision::of(&inputs.environment, std::process::id());
    let loaded = meaning::resolve(said::Said::listen(inputs), terminal)?;
    Ok(Loaded {
        supervision,
        ..loaded
    })
}

impl Inputs {
    /// The inputs of this process: the one place that reaches for its environment and working
    /// directory.
    fn around(matches: &ArgMatches) -> Self {
        let levels = levels(matches);
        let named_file = levels.iter().rev().find_map(|level| {
            level
                .try_get_one::<PathBuf>(reference::CONFIG_FLAG)
                .ok()
                .flatten()
        });
        #[expect(
            clippy::disallowed_methods,
            reason = "this is the file that reads the environment"
        )]
        let environment = std::env::vars_os().collect();
        Self {
            flags: Self::flags_of(matches),
            environment,
            dot_env: Document::find(Path::new(".env")),
            file: named_file.map_or_else(
                || Document::find(Path::new("vestibule.toml")),
                |path| Some(Document::read(path)),
            ),
            terminal: std::io::stderr().is_terminal(),
        }
    }

    /// The flags of all settings, before and after a subcommand. Of a single value the last place
    /// wins; lists are joined.
    pub fn flags_of(matches: &ArgMatches) -> BTreeMap<&'static str, Vec<String>> {
        let mut flags: BTreeMap<&'static str, Vec<String>> = BTreeMap::new();
        for level in levels(matches) {
            for setting in SETTINGS {
                let Ok(Some(values)) =
                    level.try_get_many::<String>(&reference::argument_id(setting))
                else {
                    continue;
                };
                let said = flags.entry(setting.key).or_default();
                if !setting.repeatable {
                    said.clear();
                }
                said.extend(values.cloned());
            }
        }
        flags
    }
}

impl Config {
    /// The same configuration for a listener that is bound: where the port was the system's to
    /// choose, defaults that follow from it are decided now.
    #[must_use]
    pub fn with_bound(mut self, bound: SocketAddr) -> Self {
        self.public_url = self.public_url_for(bound);
        if self.issuer_follows {
            self.token.issuer = self.public_url.to_string();
        }
        if self.audience_follows {
            self.token.audience = self.public_url.to_string();
        }
        self.listen = bound;
        self
    }

    /// The public URL of a server that listens there.
    pub fn public_url_for(&self, bound: SocketAddr) -> Origin {
        if self.public_url_follows {
            Origin::local(self.public_url.is_https(), "localhost", bound.port())
        } else {
            self.public_url.clone()
        }
    }

    /// The origins that count as our own: `public_url`, and where that is `localhost` on the
    /// listening port, as by default, the addresses of this machine on it as well.
    pub fn own_origins(&self) -> Vec<Origin> {
        let local = |host| Origin::local(self.public_url.is_https(), host, self.listen.port());
        if self.public_url == local("localhost") {
            ["localhost", "127.0.0.1", "[::1]"].map(local).to_vec()
        } else {
            vec![self.public_url.clone()]
        }
    }
}

impl Loaded {
    /// Where a setting was said, by its file key.
    pub fn source_of(&self, key: &str) -> &Source {
        self.rows
            .iter()
            .find(|row| row.key == key)
            .map_or(&Source::Default, |row| &row.source)
    }
}

impl Row {
    /// The value on one line for a terminal; empty where the setting is off.
    pub fn text(&self) -> String {
        let text_of = |value: &serde_json::Value| {
            value
                .as_str()
                .map_or_else(|| value.to_string(), crate::terminal::printable)
        };
        match &self.value {
            serde_json::Value::Null => String::new(),
            serde_json::Value::Array(items) => {
                items.iter().map(text_of).collect::<Vec<_>>().join(", ")
            }
            single => text_of(single),
        }
    }
}

/// The matches of the command and of its subcommands, from the outermost to the innermost.
fn levels(matches: &ArgMatches) -> Vec<&ArgMatches> {
    std::iter::successors(Some(matches), |level| {
        level.subcommand().map(|(_, inner)| inner)
    })
    .collect()
}
