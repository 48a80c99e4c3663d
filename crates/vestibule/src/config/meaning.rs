//! Step two of the configuration: what the operator's words mean, all problems collected. Every
//! setting has its line in `resolve`; the checks below it are those that look at several settings
//! at once.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use accounts::Role;
use accounts::{DatabaseUrl, SigningKeyPair, ThrottleSettings};
use secrecy::{ExposeSecret, SecretBox};
use serde_json::json;

use super::file::{self, SaidRule};
use super::problem::{Source, quoted, showable};
use super::said::{self, Said};
use super::setting::{Kind, Preset, Secrecy, Setting};
use super::table::{self, SETTINGS};
use super::value::{FromText, Origin, key_from_bytes, key_from_text};
use super::{
    Admin, AuditCopies, BrandFile, Config, Cookie, Cors, Database, Loaded, Logging, Otel, PREFIX,
    Password, Problems, Redis, Retention, Row, SecretKeySource, Site, Token, Ui,
};
use crate::serve::TlsFiles;
use crate::site::{Access, Pattern, Rule, Rules};
use crate::telemetry::traces;

/// What makes traces.
const TRACING_BUILD: &str =
    "a build with the cargo feature `otel` (cargo build --release --features otel)";

/// Turns what was said into what it means.
pub(super) fn resolve(said: Said, terminal: bool) -> Result<Loaded, Problems> {
    let mut meaning = Meaning {
        said,
        derived: BTreeMap::new(),
    };
    meaning.derive_defaults(terminal);
    let config = Config {
        listen: meaning.one("listen"),
        data_dir: meaning.one("data_dir"),
        public_url: meaning.one("public_url"),
        trusted_proxies: meaning.many("trusted_proxies"),
        database: Database {
            url: meaning.database_url(),
            direct_url: meaning.maybe("database.direct_url"),
            replica_urls: meaning.many("database.replica_urls"),
            replica_max_lag: meaning.one("database.replica_max_lag"),
            tls: meaning.maybe("database.tls"),
            max_connections: meaning.one("database.max_connections"),
            min_connections: meaning.one("database.min_connections"),
            acquire_timeout: meaning.one("database.acquire_timeout"),
            idle_timeout: meaning.one("database.idle_timeout"),
            max_lifetime: meaning.one("database.max_lifetime"),
            startup_timeout: meaning.one("database.startup_timeout"),
        },
        secret_key: meaning.secret_key(),
        secret_key_file: meaning
            .is_default("secret_key")
            .then(|| meaning.one("secret_key_file")),
        file: meaning.said.file.clone(),
        value_files: std::mem::take(&mut meaning.said.value_files),
        signing_key: meaning.signing_key(),
        signing_key_file: meaning.maybe("signing_key_file"),
        token: Token {
            access_ttl: meaning.one("token.access_ttl"),
            refresh_idle_ttl: meaning.one("token.refresh_idle_ttl"),
            refresh_absolute_ttl: meaning.one("token.refresh_absolute_ttl"),
            refresh_grace: meaning.one("token.refresh_grace"),
            issuer: meaning.one("token.issuer"),
            audience: meaning.one("token.audience"),
            algorithm: meaning.one("token.algorithm"),
        },
        cookie: Cookie {
            idle_ttl: meaning.one("cookie.idle_ttl"),
            absolute_ttl: meaning.one("cookie.absolute_ttl"),
        },
        registration: meaning.one("registration"),
        admin: meaning.admin(),
        password: Password {
            hash_cost: meaning.one("password.algorithm"),
            min_length: meaning.one("password.min_length"),
        },
        retention: Retention {
            deleted: meaning.one("retention.deleted"),
            audit: meaning.one("audit.retention"),
        },
        audit: AuditCopies {
            file: meaning.maybe("audit.file"),
            syslog: meaning.maybe("audit.syslog"),
        },
        limits: ThrottleSettings {
            login_per_account: meaning.one("limits.login_per_account"),
            login_per_ip: meaning.one("limits.login_per_ip"),
            register_per_ip: meaning.one("limits.register_per_ip"),
            refresh_per_ip: meaning.one("limits.refresh_per_ip"),
        },
        redis: Redis {
            url: meaning.maybe("redis.url"),
        },
        cors: Cors {
            origins: meaning.many("cors.origins"),
        },
        site: Site {
            dir: meaning.maybe("site.dir"),
            upstream: meaning.maybe("site.upstream"),
            upstream_timeout: meaning.one("site.upstream_timeout"),
            rules: meaning.site_rules(),
            remote_user: meaning.one("site.remote_user"),
            unverified_email: meaning.one("site.unverified_email"),
        },
        ui: Ui {
            enabled: meaning.one("ui.enabled"),
            name: meaning.one("ui.name"),
            logo: meaning.brand_file("ui.logo", BrandFile::logo),
            css: meaning.brand_file("ui.css", BrandFile::style),
            locale: meaning.one("ui.locale"),
        },
        tls: meaning.tls(),
        https_redirect: meaning.maybe("https_redirect"),
        metrics_listen: meaning.maybe("metrics_listen"),
        read_only: meaning.one("read_only"),
        drain_delay: meaning.one("drain_delay"),
        log: Logging {
            format: meaning.one("log.format"),
            level: meaning.one("log.level"),
        },
        otel: meaning.otel(),
        public_url_follows: meaning.is_default("public_url"),
        issuer_follows: meaning.is_default("token.issuer"),
        audience_follows: meaning.is_default("token.audience"),
    };
    meaning.check_together(&config);
    meaning.warn(&config);
    let rows: Vec<_> = SETTINGS
        .iter()
        .map(|setting| meaning.row(setting))
        .collect();
    let Said {
        problems, warnings, ..
    } = meaning.said;
    // A setting that others follow from is read twice; its problem is told once.
    problems.settle()?;
    Ok(Loaded {
        config,
        sources: places(&rows),
        rows,
        warnings,
        supervision: None,
    })
}

struct Meaning {
    said: Said,
    /// Defaults that follow from other settings.
    derived: BTreeMap<&'static str, String>,
}

impl Meaning {
    /// Defaults that follow from other settings, each after those it follows from.
    fn derive_defaults(&mut self, terminal: bool) {
        let port = self.one::<SocketAddr>("listen").port();
        let local = Origin::local(!self.is_default("tls.cert"), "localhost", port).to_string();
        self.derive("public_url", local);
        let public_url = self.one::<Origin>("public_url").to_string();
        self.derive("token.issuer", public_url.clone());
        self.derive("token.audience", public_url);
        let data_dir: PathBuf = self.one("data_dir");
        let key_file = data_dir.join("secret.key").to_string_lossy().into_owned();
        let database = DatabaseUrl::of_file(data_dir.join("vestibule.db")).to_string();
        self.derive("database.url", database);
        self.derive("secret_key_file", key_file);
        let format = if terminal { "pretty" } else { "json" };
        self.derive("log.format", format.to_owned());
        self.lower_default("token.refresh_idle_ttl", "token.refresh_absolute_ttl");
        self.lower_default("token.access_ttl", "token.refresh_idle_ttl");
        self.lower_default("cookie.idle_ttl", "cookie.absolute_ttl");
    }

    fn derive(&mut self, key: &'static str, text: String) {
        self.derived.insert(key, text);
    }

    /// Whoever shortens the one time alone means the other one, too, where its default is longer.
    fn lower_default(&mut self, key: &'static str, bound: &'static str) {
        let most: Duration = self.one(bound);
        if self.is_default(key) && self.one::<Duration>(key) > most {
            let lowered = self.texts(bound).join("");
            self.derive(key, lowered);
        }
    }

    /// A setting that always has a value. After a problem the default stands in, so that the rest
    /// can be checked as well; a configuration with problems is never handed out.
    fn one<T: FromText>(&mut self, key: &'static str) -> T {
        self.maybe(key).unwrap_or_else(|| {
            let default = self.default(key).unwrap_or_default();
            T::from_text(default, known(key).kind)
                .expect("a setting with a value has a default that can be used")
        })
    }

    /// A setting that may have no value.
    fn maybe<T: FromText>(&mut self, key: &'static str) -> Option<T> {
        self.many(key).pop()
    }

    /// A setting that takes several values; those that cannot be used are left out.
    fn many<T: FromText>(&mut self, key: &'static str) -> Vec<T> {
        let setting = known(key);
        let read: Vec<_> = self
            .texts(key)
            .into_iter()
            .map(|text| {
                T::from_text(text, setting.kind).map_err(|expected| {
                    (expected, showable(setting, text).map(|text| quoted(&text)))
                })
            })
            .collect();
        let mut values = Vec::with_capacity(read.len());
        for result in read {
            match result {
                Ok(value) => values.push(value),
                Err((expected, got)) => self.refuse(key, expected, got),
            }
        }
        values
    }

    /// The effective text of a setting, said or default.
    fn texts(&self, key: &str) -> Vec<&str> {
        match self.said.get(key) {
            Some(given) => given
                .texts
                .iter()
                .map(ExposeSecret::expose_secret)
                .collect(),
            None => self.default(key).into_iter().collect(),
        }
    }

    fn default(&self, key: &str) -> Option<&str> {
        self.derived
            .get(key)
            .map(String::as_str)
            .or(match known(key).default {
                Preset::Value(text) => Some(text),
                Preset::Nothing | Preset::Derived(_) => None,
            })
    }

    fn is_default(&self, key: &str) -> bool {
        self.said.source(key) == Source::Default
    }

    fn refuse(&mut self, key: &str, expected: impl Into<String>, got: Option<String>) {
        self.said
            .problems
            .push(key, self.said.source(key), expected, got);
    }

    /// The database in the data folder is not read from a URL, since a folder may have any name.
    fn database_url(&mut self) -> DatabaseUrl {
        let said = (!self.is_default("database.url")).then(|| self.maybe("database.url"));
        said.flatten().unwrap_or_else(|| {
            let data_dir: PathBuf = self.one("data_dir");
            DatabaseUrl::of_file(data_dir.join("vestibule.db"))
        })
    }

    fn secret_key(&mut self) -> SecretKeySource {
        let source = self.said.source("secret_key");
        let file_source = self.said.source("secret_key_file");
        let path: PathBuf = self.one("secret_key_file");
        let key = match (&source, &file_source) {
            (Source::Default, Source::Default) => None,
            (_, Source::Default) => self.maybe("secret_key").map(|key| (key, source)),
            (Source::Default, _) => self.key_in_file(&path).map(|key| (key, file_source)),
            _ => {
                self.refuse(
                    "secret_key",
                    format!(
                        "one of secret_key and secret_key_file, but {file_source} gives the other"
                    ),
                    None,
                );
                None
            }
        };
        key.map_or(SecretKeySource::GeneratedAt(path), |(key, source)| {
            SecretKeySource::Given(key, source)
        })
    }

    fn key_in_file(&mut self, path: &Path) -> Option<SecretBox<[u8]>> {
        let text = path.to_string_lossy();
        let key = file::read_secret_bytes(path, &mut self.said.warnings)
            .and_then(|bytes| key_from_bytes(&bytes));
        // A key given where its file belongs must not end up in a report.
        let got = key_from_text(&text).is_none().then(|| quoted(&text));
        key.map_err(|expected| self.refuse("secret_key_file", expected, got))
            .ok()
    }

    /// Settings of traces. Where the program cannot make any, nobody reads what they say.
    fn otel(&mut self) -> Otel {
        if !traces::ARE_BUILT_IN {
            self.refuse_traces();
            return Otel::none();
        }
        Otel {
            collector: self.maybe("otel.endpoint"),
            headers: self.many("otel.headers"),
            service_name: self.one("otel.service_name"),
            sample_ratio: self.one("otel.sample_ratio"),
        }
    }

    /// The variables of OpenTelemetry are often set for all
    /// programs of a machine, so that those alone do not keep the server from starting.
    fn refuse_traces(&mut self) {
        for setting in SETTINGS
            .iter()
            .filter(|setting| setting.group == table::TRACES)
        {
            match self.said.source(setting.key) {
                Source::Default => {}
                Source::Variable(name) | Source::DotEnv(name) if !name.starts_with(PREFIX) => {
                    self.said.warnings.push(format!(
                        "{name} has no effect, as this program was built without traces: they need {TRACING_BUILD}"
                    ));
                }
                _ => self.refuse(setting.key, TRACING_BUILD, None),
            }
        }
    }

    /// Certificate and key, which make no sense alone. They are read by the server alone: others who run commands
    /// beside it may have no right to.
    fn tls(&mut self) -> Option<TlsFiles> {
        self.refuse_alone(["tls.cert", "tls.key"]);
        Some(TlsFiles {
            certificate: self.maybe("tls.cert")?,
            key: self.maybe("tls.key")?,
        })
    }

    /// Two settings of which each needs the other.
    fn refuse_alone(&mut self, keys: [&'static str; 2]) {
        for (said, missing) in [(keys[0], keys[1]), (keys[1], keys[0])] {
            if !self.is_default(said) && self.is_default(missing) && !self.said.incomplete {
                self.refuse(said, format!("{missing} as well"), None);
            }
        }
    }

    /// Address and password file of the first admin, which make no sense alone.
    fn admin(&mut self) -> Option<Admin> {
        self.refuse_alone(["admin.email", "admin.password_file"]);
        Some(Admin {
            email: self.maybe("admin.email")?,
            password_file: self.maybe("admin.password_file")?,
        })
    }

    fn signing_key(&mut self) -> Option<SigningKeyPair> {
        let path: PathBuf = self.maybe("signing_key_file")?;
        let key = file::read_secret_bytes(&path, &mut self.said.warnings).and_then(|bytes| {
            let key = SigningKeyPair::from_pem(bytes.expose_secret());
            key.map_err(|expected| format!("a file with {expected}"))
        });
        let got = quoted(&path.to_string_lossy());
        key.map_err(|expected| self.refuse("signing_key_file", expected, Some(got)))
            .ok()
    }

    fn brand_file(
        &mut self,
        key: &'static str,
        read: fn(Vec<u8>) -> Result<BrandFile, String>,
    ) -> Option<BrandFile> {
        let path: PathBuf = self.maybe(key)?;
        let file = file::read_bytes(&path)
            .and_then(|bytes| read(bytes).map_err(|expected| format!("a file with {expected}")));
        let got = quoted(&path.to_string_lossy());
        file.map_err(|expected| self.refuse(key, expected, Some(got)))
            .ok()
    }

    /// `site.rules` before `site.protect`.
    fn site_rules(&mut self) -> Rules {
        let said = self.said.rules.take();
        let in_file = said.iter().flat_map(|said| &said.rules);
        let mut rules: Vec<_> = in_file.filter_map(|rule| self.rule(rule)).collect();
        self.said.rules = said;
        let protected = self.many("site.protect").into_iter();
        rules.extend(protected.map(|pattern| Rule {
            pattern,
            access: Access::SignedIn,
        }));
        Rules::new(rules)
    }

    fn rule(&mut self, said: &SaidRule) -> Option<Rule> {
        let mut refuse = |key: &str, expected: String, got: Option<String>| {
            let source = said.source.clone();
            self.said.problems.push(key, source, expected, got);
        };
        let path = said.path.as_deref().unwrap_or_default();
        let pattern = Pattern::from_text(path, Kind::Pattern)
            .map_err(|expected| refuse("site.rules.path", expected, Some(quoted(path))));
        for role in said
            .roles
            .iter()
            .flatten()
            .filter(|role| Role::parse(role).is_err())
        {
            let expected = "roles of 1 to 32 of the characters a-z, 0-9, _ and -";
            refuse("site.rules.roles", expected.into(), Some(quoted(role)));
        }
        let access = match (said.public.unwrap_or(false), &said.roles) {
            (true, None) => Access::Public,
            (false, None) => Access::SignedIn,
            (false, Some(roles)) if !roles.is_empty() => Access::Roles(roles.clone()),
            (false, Some(_)) => {
                let expected = "at least one role; leave roles out where any login will do";
                refuse("site.rules.roles", expected.into(), None);
                return None;
            }
            (true, Some(_)) => {
                let expected = "either roles or public = true, not both";
                refuse("site.rules.public", expected.into(), None);
                return None;
            }
        };
        let pattern = pattern.ok()?;
        Some(Rule { pattern, access })
    }

    /// Settings that make no sense together. Those that are wrong by themselves are not measured
    /// against each other.
    fn check_together(&mut self, config: &Config) {
        let (token, cookie) = (&config.token, &config.cookie);
        if token.refresh_idle_ttl > token.refresh_absolute_ttl {
            self.refuse_longer("token.refresh_idle_ttl", "token.refresh_absolute_ttl");
        }
        // An access token is good for no longer than its session, so no longer than that is unused.
        if token.access_ttl > token.refresh_idle_ttl {
            self.refuse_longer("token.access_ttl", "token.refresh_idle_ttl");
        }
        if cookie.idle_ttl > cookie.absolute_ttl {
            self.refuse_longer("cookie.idle_ttl", "cookie.absolute_ttl");
        }
        let database = &config.database;
        if database.min_connections > database.max_connections {
            self.refuse_longer("database.min_connections", "database.max_connections");
        }
        let direct = database.direct_url.as_ref();
        if direct.is_some_and(|direct| !direct.has_engine_of(&database.url))
            && !self.said.problems.concern("database.url")
        {
            let expected = "another address of the database of database.url, of the same engine";
            self.refuse("database.direct_url", expected, None);
        }
        self.check_replicas(database);
        self.check_https(config);
        let site_is_known = config.site.dir.is_some()
            || config.site.upstream.is_some()
            || self.said.incomplete
            || self.said.problems.concern("site.dir")
            || self.said.problems.concern("site.upstream");
        // `site.rules` can stand alone: proxies that ask for each request have sites of their own.
        if !site_is_known && !self.is_default("site.protect") {
            let expected = "a site as well (--site FOLDER or --upstream URL), without which it protects nothing";
            self.refuse("site.protect", expected, None);
        }
        self.check_upstream(config);
    }

    /// An app in the place of a folder, with which http is spoken, and which is not the server itself.
    fn check_upstream(&mut self, config: &Config) {
        let Some(upstream) = &config.site.upstream else {
            return;
        };
        let expected = if config.site.dir.is_some() {
            "one of site.dir and site.upstream: what is behind the gate is a folder or an app"
        } else if upstream.is_https() {
            "an address with http://, since TLS is not spoken with the app: let it listen on this machine"
        } else if config.own_origins().contains(upstream) {
            "the address of the app; this is the server's own, which would ask itself for ever"
        } else {
            return;
        };
        self.refuse("site.upstream", expected, Some(quoted(upstream.as_str())));
    }

    /// What browsers reach by TLS has an https address, or they would get no cookie and be refused as strangers; and
    /// whoever is sent on must not be sent back to where he was.
    fn check_https(&mut self, config: &Config) {
        if config.public_url.is_https() || self.said.problems.concern("public_url") {
            return;
        }
        let got = quoted(config.public_url.as_str());
        if config.tls.is_some() {
            let expected = "an https origin, since tls.cert has this server speak TLS alone";
            self.refuse("public_url", expected, Some(got));
        } else if config.https_redirect.is_some() {
            let expected = "public_url to be an https origin, to which it sends browsers";
            self.refuse("https_redirect", expected, Some(got));
        }
    }

    fn check_replicas(&mut self, database: &Database) {
        let are_of_engine = |url: &DatabaseUrl| url.has_engine_of(&database.url);
        let is_settled = self.said.incomplete || self.said.problems.concern("database.url");
        let expected = match database.url.file() {
            _ if database.replica_urls.is_empty() || is_settled => return,
            Some(_) => "a database on a server in database.url: one in a file has no replicas",
            None if database.replica_urls.iter().all(are_of_engine) => return,
            None => "replicas of the database of database.url, of the same engine",
        };
        self.refuse("database.replica_urls", expected, None);
    }

    fn refuse_longer(&mut self, longer: &'static str, most: &'static str) {
        if self.said.problems.concern(longer)
            || self.said.problems.concern(most)
            || self.said.incomplete
        {
            return;
        }
        let expected = format!("at most {most}, which is {}", self.texts(most).join(""));
        let got = quoted(&self.texts(longer).join(""));
        self.refuse(longer, expected, Some(got));
    }

    fn warn(&mut self, config: &Config) {
        for setting in SETTINGS
            .iter()
            .filter(|setting| setting.secrecy == Secrecy::UrlPassword)
        {
            let source = self.said.source(setting.key);
            if matches!(source, Source::Flag(_))
                && self
                    .texts(setting.key)
                    .iter()
                    .any(|text| setting.is_secret_in(text))
            {
                let variable = setting.file_variable().unwrap_or_default();
                self.said.warnings.push(format!(
                    "{source} holds a password, which the process list shows to every user: \
                     use {variable} instead"
                ));
            }
        }
        if let Some(files) = config
            .tls
            .as_ref()
            .filter(|tls| file::is_readable_by_all(&tls.key))
        {
            self.said.warnings.push(said::readable_by_all(&files.key));
        }
        if config.public_url_follows && !config.listen.ip().is_loopback() {
            let public_url = &config.public_url;
            self.said.warnings.push(format!(
                "public_url is {public_url}, but {} is open to other machines, whose browsers will \
                 be refused: set public_url",
                config.listen
            ));
        }
        if let Some(address) = config.metrics_listen.filter(|at| !at.ip().is_loopback()) {
            self.said.warnings.push(format!(
                "metrics_listen is {address}, which is open to other machines, and metrics ask for \
                 no login: let nobody but your monitoring reach it"
            ));
        }
    }

    fn row(&self, setting: &'static Setting) -> Row {
        let source = self.said.source(setting.key);
        let shown = |text| showable(setting, text).unwrap_or(Cow::Borrowed("(hidden)"));
        let texts = self.texts(setting.key);
        let value = match (setting.kind, texts.as_slice()) {
            (Kind::Rules, _) => json!(
                self.said
                    .rules
                    .iter()
                    .flat_map(|said| &said.rules)
                    .map(rule_row)
                    .collect::<Vec<_>>()
            ),
            (_, texts) if setting.repeatable => {
                json!(texts.iter().map(|text| shown(text)).collect::<Vec<_>>())
            }
            (_, [text])
                if setting.key != "secret_key_file" || self.said.get("secret_key").is_none() =>
            {
                json!(shown(text))
            }
            _ => json!(null),
        };
        Row {
            key: setting.key,
            value,
            source,
        }
    }
}

/// The places behind the rows, each once, the highest first.
fn places(rows: &[Row]) -> Vec<String> {
    let mut sources: Vec<_> = rows.iter().map(|row| &row.source).collect();
    sources.sort();
    let mut places: Vec<_> = sources
        .into_iter()
        .filter_map(|source| match source {
            Source::Flag(_) => Some("flags".to_owned()),
            Source::Variable(_) => Some("environment".to_owned()),
            Source::DotEnv(_) => Some(".env".to_owned()),
            Source::File { path, .. } => Some(path.display().to_string()),
            Source::Default => None,
        })
        .collect();
    places.dedup();
    places
}

fn rule_row(rule: &SaidRule) -> serde_json::Value {
    json!({ "path": rule.path, "roles": rule.roles, "public": rule.public.unwrap_or(false) })
}

fn known(key: &str) -> &'static Setting {
    table::setting(key).expect("every key of the resolve step is in the table")
}
