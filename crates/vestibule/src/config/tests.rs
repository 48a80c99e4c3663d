//! The configuration as an operator meets it: what wins, what is refused and how, what never shows.
//! Inputs are handed in, so no test depends on the environment that it runs in.

mod addresses;
mod branding;
mod database;
mod dot_env;
mod https;
mod secrets;
mod traces;

use std::fs;
use std::os::unix::ffi::OsStringExt;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use accounts::Limit;
use clap::Command;
use insta::assert_snapshot;
use tempfile::TempDir;

use super::*;
use crate::site::{Access, SitePath};

const KEY: &str = "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=";

/// What an operator says, piece by piece.
#[derive(Default)]
struct Operator {
    inputs: Inputs,
}

impl Operator {
    fn says(arguments: &[&str]) -> Self {
        Self::default().flags(arguments)
    }

    fn flags(mut self, words: &[&str]) -> Self {
        let command = arguments(Command::new("vestibule").subcommand(Command::new("serve")));
        let words = std::iter::once("vestibule").chain(words.iter().copied());
        self.inputs.flags = Inputs::flags_of(&command.try_get_matches_from(words).unwrap());
        self
    }

    fn variable(mut self, name: &str, value: &str) -> Self {
        self.inputs.environment.push((name.into(), value.into()));
        self
    }

    fn dot_env(mut self, text: &str) -> Self {
        self.inputs.dot_env = Some(document(".env", text));
        self
    }

    fn file(mut self, text: &str) -> Self {
        self.inputs.file = Some(document("vestibule.toml", text));
        self
    }

    fn loaded(self) -> Loaded {
        load_from(self.inputs).unwrap_or_else(|problems| panic!("{problems}"))
    }

    fn config(self) -> Config {
        self.loaded().config
    }

    /// The lines of the report, without its first and last.
    fn problems(self) -> String {
        let report = load_from(self.inputs).unwrap_err().to_string();
        let lines: Vec<_> = report.lines().collect();
        lines[1..lines.len() - 1]
            .iter()
            .map(|line| line.trim_start())
            .collect::<Vec<_>>()
            .join("\n")
    }
}

fn document(path: &str, text: &str) -> Document {
    Document {
        path: PathBuf::from(path),
        text: Ok(text.to_owned()),
        readable_by_all: false,
    }
}

/// A value for a setting that differs from its default.
fn other_value(setting: &Setting) -> &'static str {
    match setting.kind {
        Kind::Address => "[::1]:9000",
        Kind::Path => "/srv/other",
        Kind::Origin => "https://other.example",
        Kind::Network => "10.0.0.0/8",
        Kind::Syslog => "udp://192.0.2.1:514",
        Kind::Pattern => "/other/**",
        Kind::Rules => "",
        Kind::DatabaseUrl if setting.repeatable => "mysql://ada@db/other",
        Kind::DatabaseUrl => "sqlite:///srv/other.db",
        Kind::RedisUrl => "redis://cache:7000/1",
        Kind::SecretKey => KEY,
        Kind::Duration(..) => "11s",
        Kind::Count(..) => "9",
        Kind::Limit => "7/1m",
        Kind::Switch => "false",
        Kind::Choice(words) => words[1],
        Kind::Collector => "https://collector.example/otlp",
        Kind::Header => "api-key=secret",
        Kind::Share => "0.5",
        Kind::Text(_) => "Other",
    }
}

fn toml_line(setting: &Setting) -> String {
    let value = other_value(setting);
    let literal = match setting.kind {
        Kind::Count(..) | Kind::Switch | Kind::Share => value.to_owned(),
        _ if setting.repeatable => format!("[\"{value}\"]"),
        _ => format!("\"{value}\""),
    };
    format!("{} = {literal}\n", setting.key)
}

/// Whether this build has what the setting is about.
fn can_be_said(setting: &Setting) -> bool {
    setting.group != super::table::TRACES || crate::telemetry::traces::ARE_BUILT_IN
}

fn row<'l>(loaded: &'l Loaded, key: &str) -> &'l Row {
    loaded.rows.iter().find(|row| row.key == key).unwrap()
}

/// A folder with a key file, so that a setting of a path to a key can be used.
fn key_file(content: &[u8], mode: u32) -> (TempDir, String) {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("key");
    fs::write(&path, content).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
    let path = path.to_str().unwrap().to_owned();
    (folder, path)
}

#[test]
fn nothing_said_means_the_defaults() {
    let loaded = Operator::default().loaded();
    let shown: Vec<_> = loaded
        .rows
        .iter()
        .map(|row| format!("{} = {}", row.key, row.text()))
        .collect();
    assert!(loaded.rows.iter().all(|row| row.source == Source::Default));
    assert!(loaded.warnings.is_empty());
    assert_snapshot!(shown.join("\n"), @r"
    listen = 127.0.0.1:8080
    data_dir = ./vestibule-data
    public_url = http://localhost:8080
    trusted_proxies = 
    cors.origins = 
    tls.cert = 
    tls.key = 
    https_redirect = 
    metrics_listen = 
    read_only = false
    drain_delay = 0s
    site.dir = 
    site.upstream = 
    site.upstream_timeout = 60s
    site.protect = 
    site.rules = 
    site.remote_user = id
    site.unverified_email = false
    database.url = sqlite://./vestibule-data/vestibule.db
    database.direct_url = 
    database.replica_urls = 
    database.replica_max_lag = 5s
    database.tls = 
    database.max_connections = 10
    database.min_connections = 0
    database.acquire_timeout = 3s
    database.idle_timeout = 10m
    database.max_lifetime = 1h
    database.startup_timeout = 60s
    secret_key = 
    secret_key_file = ./vestibule-data/secret.key
    registration = open
    admin.email = 
    admin.password_file = 
    password.algorithm = argon2id
    password.min_length = 8
    retention.deleted = 30d
    audit.retention = 365d
    audit.file = 
    audit.syslog = 
    token.access_ttl = 15m
    token.refresh_idle_ttl = 30d
    token.refresh_absolute_ttl = 90d
    token.refresh_grace = 60s
    token.issuer = http://localhost:8080
    token.audience = http://localhost:8080
    token.algorithm = ES256
    signing_key_file = 
    cookie.idle_ttl = 7d
    cookie.absolute_ttl = 30d
    limits.login_per_account = 10/15m
    limits.login_per_ip = 30/15m
    limits.register_per_ip = 20/1h
    limits.refresh_per_ip = 3000/1h
    redis.url = 
    ui.enabled = true
    ui.name = Vestibule
    ui.logo = 
    ui.css = 
    ui.locale = auto
    log.format = json
    log.level = info
    otel.endpoint = 
    otel.headers = 
    otel.service_name = vestibule
    otel.sample_ratio = 1
    ");
}

#[test]
fn each_place_wins_over_those_below_it() {
    let everywhere = |places: usize| {
        let mut operator = Operator::default().file("listen = '127.0.0.1:1'");
        if places > 1 {
            operator = operator.dot_env("PORT=2");
        }
        if places > 2 {
            operator = operator.dot_env("PORT=2\nVESTIBULE_LISTEN=127.0.0.1:3");
        }
        if places > 3 {
            operator = operator.variable("PORT", "4");
        }
        if places > 4 {
            operator = operator.variable("VESTIBULE_LISTEN", "127.0.0.1:5");
        }
        if places > 5 {
            operator = operator.flags(&["--listen", "127.0.0.1:6"]);
        }
        let loaded = operator.loaded();
        format!("{} {}", loaded.config.listen, loaded.source_of("listen"))
    };
    let winners: Vec<_> = (1..=6).map(everywhere).collect();
    assert_snapshot!(winners.join("\n"), @r"
    127.0.0.1:1 vestibule.toml:1
    0.0.0.0:2 PORT in .env
    127.0.0.1:3 VESTIBULE_LISTEN in .env
    0.0.0.0:4 PORT
    127.0.0.1:5 VESTIBULE_LISTEN
    127.0.0.1:6 --listen
    ");
}

#[test]
fn the_highest_place_gives_the_whole_list() {
    let config = Operator::says(&["--protect", "/a/**", "serve", "--site-protect", "/b,c"])
        .variable("VESTIBULE_SITE_PROTECT", "/d")
        .file("site.dir = 'public'\nsite.protect = ['/e']")
        .config();
    let access = |path| config.site.rules.access(&SitePath::parse(path).unwrap());
    assert_eq!(access("/a/x"), Access::SignedIn);
    assert_eq!(access("/b,c"), Access::SignedIn);
    assert_eq!(access("/d"), Access::Public);
    let config = Operator::default()
        .variable("VESTIBULE_TRUSTED_PROXIES", "10.0.0.0/8, ::1")
        .config();
    assert_eq!(config.trusted_proxies.len(), 2);
    let config = Operator::default().file("trusted_proxies = []").config();
    assert!(config.trusted_proxies.is_empty());
}

#[test]
fn a_flag_after_the_subcommand_wins_over_one_before_it() {
    let config = Operator::says(&[
        "--listen",
        "127.0.0.1:1",
        "serve",
        "--listen",
        "127.0.0.1:2",
    ])
    .config();
    assert_eq!(config.listen.port(), 2);
}

/// The Ed25519 key of RFC 8037 appendix A.
const SIGNING_KEY: &[u8] = b"-----BEGIN PRIVATE KEY-----\n\
    MC4CAQAwBQYDK2VwBCIEIJ1hsZ3v/VpguoRK9JLsLMREScVpezJpGXA7rAMcrn9g\n\
    -----END PRIVATE KEY-----\n";

#[test]
fn every_setting_is_reachable_in_every_form_it_has() {
    let (_folder, secret_key) = key_file(&[7; 32], 0o600);
    let (_other_folder, signing_key) = key_file(SIGNING_KEY, 0o600);
    let (_logo_folder, logo) = key_file(b"<svg/>", 0o644);
    let (_style_folder, style) = key_file(b"h1 {}", 0o644);
    let site = "--site=/srv/site";
    for setting in SETTINGS
        .iter()
        .filter(|setting| setting.kind != Kind::Rules && can_be_said(setting))
    {
        let value = match setting.key {
            "secret_key_file" => &secret_key,
            "signing_key_file" => &signing_key,
            "ui.logo" => &logo,
            "ui.css" => &style,
            "site.upstream" => "http://127.0.0.1:5000",
            _ => other_value(setting),
        };
        let with_site = |operator: Operator| match setting.key {
            "site.protect" => operator.variable("VESTIBULE_SITE_DIR", "/srv/site"),
            "database.replica_urls" => operator.variable("DATABASE_URL", "mysql://ada@db/app"),
            "tls.cert" => operator.variable("VESTIBULE_TLS_KEY", "/srv/key.pem"),
            "tls.key" => operator.variable("VESTIBULE_TLS_CERT", "/srv/cert.pem"),
            "https_redirect" => operator.variable("VESTIBULE_PUBLIC_URL", "https://a.example"),
            "admin.email" => operator.variable("VESTIBULE_ADMIN_PASSWORD_FILE", "/srv/password"),
            "admin.password_file" => operator.variable("VESTIBULE_ADMIN_EMAIL", "a@example.org"),
            _ => operator,
        };
        let check = |operator: Operator| {
            let loaded = with_site(operator).loaded();
            let row = row(&loaded, setting.key);
            let expected = if setting.secrecy == Secrecy::Secret {
                "(hidden)"
            } else {
                value
            };
            assert_eq!(row.text(), expected, "{}", setting.key);
            assert_ne!(row.source, Source::Default, "{}", setting.key);
        };
        for flag in setting.flag().into_iter().chain(setting.flag_alias()) {
            let flag = format!("--{flag}");
            match setting.has_bare_flag() {
                true => check(Operator::says(&[&format!("{flag}={value}"), "serve"])),
                false => check(Operator::says(&["serve", &flag, value])),
            }
        }
        check(Operator::default().variable(&setting.variable().unwrap(), value));
        check(Operator::default().dot_env(&format!("{}='{value}'", setting.variable().unwrap())));
        check(Operator::default().file(&toml_line(setting).replace(other_value(setting), value)));
    }
    let loaded = Operator::says(&[site, "--protect", "/**"])
        .file("[[site.rules]]\npath = '/staff/**'\nroles = ['staff']\n[[site.rules]]\npath = '/'\npublic = true")
        .loaded();
    let access = |path| {
        loaded
            .config
            .site
            .rules
            .access(&SitePath::parse(path).unwrap())
    };
    assert_eq!(access("/staff/a"), Access::Roles(vec!["staff".into()]));
    assert_eq!(access("/"), Access::Public);
    assert_eq!(access("/a"), Access::SignedIn);
    assert_eq!(loaded.sources, ["flags", "vestibule.toml"]);
}

#[test]
fn all_problems_are_reported_at_once() {
    let problems = Operator::says(&["--listen", "8080"])
        .variable("VESTIBULE_LISTNE", "x")
        .variable("VESTIBULE_UI_NAME", "")
        .variable("VESTIBULE_SITE_RULES", "x")
        .variable("VESTIBULE_PORT", "80")
        .variable("VESTIBULE_MAIL_SENDER", "ada@example.org")
        .variable("DATABASE_URL", "postgres://ada:canary@db/")
        .variable("VESTIBULE_DATABASE_TLS", "on")
        .dot_env("VESTIBULE_DRAIN_DELAY=1h")
        .file(
            "databse.url = 'x'\npublic-url = 'x'\npassword.min_length = '8'\nsecret_key = 'canary'\n\
             public_url = 'https://ada:canary@example.org'\ntoken.refresh_idle_ttl = '91d'\nui = 3\n\
             site.protect = ['members']\nlimits.login_per_ip = 'none'\ncors.origins = ['*']\n\
             [[site.rules]]\npath = '/a'\nroles = ['Staff']\npublic = true\nrole = 1\n[redis]\nurl = 'x'\n[mail]\nhost = 'x'\n",
        )
        .problems();
    assert_snapshot!(problems, @r"
    VESTIBULE_LISTNE: expected the name of a setting; did you mean VESTIBULE_LISTEN?
    VESTIBULE_MAIL_SENDER: expected the name of a setting; unset it if it is none of yours
    VESTIBULE_PORT: expected the name of a setting; did you mean PORT?
    VESTIBULE_SITE_RULES: expected [[site.rules]] tables with path, roles and public in vestibule.toml; tables are for the file alone
    cors.origins from vestibule.toml:10: expected an origin such as https://example.org and nothing behind it; any origin at all would let every web site act for its visitors; got `*`
    database.tls from VESTIBULE_DATABASE_TLS: expected one of disable, prefer, require, verify-ca, verify-full; got `on`
    database.url from DATABASE_URL: expected a URL with the name of a database behind the host; got `postgres://ada:***@db/`
    databse.url from vestibule.toml:1: expected the name of a setting; did you mean database.url?
    drain_delay from VESTIBULE_DRAIN_DELAY in .env: expected a duration from 0s to 5m, such as 90s, 15m or 30d; got `1h`
    limits.login_per_ip from vestibule.toml:9: expected a limit such as 10/15m, for a time from 1s to 24h, or off; got `none`
    listen from --listen: expected an IP address and a port, such as 127.0.0.1:8080 or [::1]:8080; got `8080`
    mail.host from vestibule.toml:19: expected the name of a setting
    password.min_length from vestibule.toml:3: expected a whole number from 8 to 64; got the string `8`
    public-url from vestibule.toml:2: expected the name of a setting; did you mean public_url?
    public_url from vestibule.toml:5: expected an origin such as https://example.org and nothing behind it; got `https://ada:***@example.org`
    redis.url from vestibule.toml:17: expected the URL of a Redis, such as redis://host:6379, rediss://user:password@host or unix:///run/redis.sock
    secret_key from vestibule.toml:4: expected 32 or more random bytes as base64 or hexadecimal digits
    site.protect from vestibule.toml:8: expected a path pattern (`members` must begin with `/`, for example `/members/**`); got `members`
    site.protect from vestibule.toml:8: expected a site as well (--site FOLDER or --upstream URL), without which it protects nothing
    site.rules.public from vestibule.toml:11: expected either roles or public = true, not both
    site.rules.role from vestibule.toml:15: expected path, roles or public, and nothing else
    site.rules.roles from vestibule.toml:11: expected roles of 1 to 32 of the characters a-z, 0-9, _ and -; got `Staff`
    token.refresh_idle_ttl from vestibule.toml:6: expected at most token.refresh_absolute_ttl, which is 90d; got `91d`
    ui from vestibule.toml:7: expected a table: [ui]; got integer
    ui.name from VESTIBULE_UI_NAME: expected a value; unset the variable for the default; got nothing
    ");
}

#[test]
fn the_report_is_a_list_with_what_to_do_at_its_end() {
    let report = load_from(Operator::says(&["--log-level", "loud"]).inputs).unwrap_err();
    assert_snapshot!(report, @r"
    1 problem in the configuration:
      log.level from --log-level: expected one of off, error, warn, info, debug, trace; got `loud`
    Nothing was started. Correct them all and try again; `vestibule serve --help` describes every setting.
    ");
}

#[test]
fn settings_that_do_not_go_together_are_refused() {
    let problems = Operator::default()
        .variable("VESTIBULE_SECRET_KEY", KEY)
        .variable("VESTIBULE_SECRET_KEY_FILE", "/nowhere")
        .variable("VESTIBULE_DATABASE_URL", "sqlite:///a.db")
        .variable("VESTIBULE_DATABASE_URL_FILE", "/nowhere")
        .variable("VESTIBULE_DATABASE_MIN_CONNECTIONS", "11")
        .variable("VESTIBULE_COOKIE_IDLE_TTL", "31d")
        .variable("VESTIBULE_SITE_PROTECT", "/members/**")
        .variable("VESTIBULE_ADMIN_EMAIL", "ada@example.org")
        .problems();
    assert_snapshot!(problems, @r"
    admin.email from VESTIBULE_ADMIN_EMAIL: expected admin.password_file as well
    cookie.idle_ttl from VESTIBULE_COOKIE_IDLE_TTL: expected at most cookie.absolute_ttl, which is 30d; got `31d`
    database.min_connections from VESTIBULE_DATABASE_MIN_CONNECTIONS: expected at most database.max_connections, which is 10; got `11`
    database.url from VESTIBULE_DATABASE_URL: expected one of VESTIBULE_DATABASE_URL and VESTIBULE_DATABASE_URL_FILE, not both
    secret_key from VESTIBULE_SECRET_KEY: expected one of secret_key and secret_key_file, but VESTIBULE_SECRET_KEY_FILE gives the other
    site.protect from VESTIBULE_SITE_PROTECT: expected a site as well (--site FOLDER or --upstream URL), without which it protects nothing
    ");
}

#[test]
fn an_app_is_reached_by_http_is_somebody_else_and_stands_in_the_place_of_a_folder() {
    let problem = |arguments: &[&str]| Operator::says(arguments).problems();
    assert_snapshot!(
        problem(&["--site", "public", "--upstream", "http://127.0.0.1:5000"]),
        @"site.upstream from --upstream: expected one of site.dir and site.upstream: what is behind the gate is a folder or an app; got `http://127.0.0.1:5000`"
    );
    assert_snapshot!(
        problem(&["--upstream", "https://app.example.org"]),
        @"site.upstream from --upstream: expected an address with http://, since TLS is not spoken with the app: let it listen on this machine; got `https://app.example.org`"
    );
    assert_snapshot!(
        problem(&["--upstream", "http://127.0.0.1:8080"]),
        @"site.upstream from --upstream: expected the address of the app; this is the server's own, which would ask itself for ever; got `http://127.0.0.1:8080`"
    );
    assert_snapshot!(
        problem(&["--upstream", "http://127.0.0.1:5000/app"]),
        @"site.upstream from --upstream: expected an origin such as https://example.org and nothing behind it; got `http://127.0.0.1:5000/app`"
    );
    let config =
        Operator::says(&["--upstream", "http://127.0.0.1:5000", "--protect", "/**"]).config();
    assert_eq!(config.site.upstream.unwrap().port(), 5000);
}

#[test]
fn a_file_that_is_no_toml_is_named_with_its_line_and_nothing_of_its_text() {
    let problems = Operator::says(&["--protect", "/a"])
        .file("listen = '127.0.0.1:1'\nsecret_key = \"canary\n")
        .problems();
    assert_snapshot!(problems, @r#"vestibule.toml:2: expected TOML (invalid basic string, expected `"`)"#);
}

#[test]
fn files_that_cannot_be_read_are_problems() {
    let mut operator = Operator::says(&["--log-level", "loud"]);
    operator.inputs.file = Some(Document::read(Path::new("/nowhere.toml")));
    assert_snapshot!(operator.problems(), @r"
    /nowhere.toml: expected a file that can be read (there is no such file)
    log.level from --log-level: expected one of off, error, warn, info, debug, trace; got `loud`
    ");
}

#[test]
fn variables_that_kubernetes_makes_for_a_service_of_our_name_are_no_settings() {
    Operator::default()
        .variable("VESTIBULE_SERVICE_HOST", "10.0.0.1")
        .variable("VESTIBULE_SERVICE_PORT_HTTP", "80")
        .variable("VESTIBULE_PORT", "tcp://10.0.0.1:80")
        .variable("VESTIBULE_PORT_80_TCP_ADDR", "10.0.0.1")
        .loaded();
}

#[test]
fn a_value_that_is_not_utf8_is_a_problem_and_no_panic() {
    let mut operator = Operator::default();
    let bytes = std::ffi::OsString::from_vec(vec![b'a', 0xff]);
    operator
        .inputs
        .environment
        .push(("VESTIBULE_UI_NAME".into(), bytes.clone()));
    operator.inputs.environment.push(("OTHER".into(), bytes));
    assert_snapshot!(operator.problems(), @"ui.name from VESTIBULE_UI_NAME: expected UTF-8 text");
}

#[test]
fn a_shorter_absolute_time_shortens_the_default_of_the_idle_time() {
    let config = Operator::says(&["--cookie-absolute-ttl", "1d"]).config();
    assert_eq!(config.cookie.idle_ttl, Duration::from_secs(24 * 60 * 60));
}

#[test]
fn an_access_token_is_good_for_no_longer_than_its_session() {
    let config = Operator::says(&["--token-refresh-absolute-ttl", "10m"]).config();
    assert_eq!(config.token.access_ttl, Duration::from_secs(10 * 60));
    let operator = Operator::says(&["--token-refresh-idle-ttl=10m", "--token-access-ttl=15m"]);
    assert_snapshot!(
        operator.problems(),
        @"token.access_ttl from --token-access-ttl: expected at most token.refresh_idle_ttl, which is 10m; got `15m`"
    );
}

#[test]
fn hostile_values_are_problems_and_no_panics() {
    let hostile = [
        "",
        " ",
        "\0",
        "\u{1b}[2J",
        "@",
        "://",
        "a://@:@?=&",
        ":memory:",
        "0",
        "-1",
        "99999999999999999999",
        "é/é",
        "http://",
        "/",
    ];
    for setting in SETTINGS {
        let Some(variable) = setting.variable() else {
            continue;
        };
        for value in hostile {
            let report = match load_from(Operator::default().variable(&variable, value).inputs) {
                Ok(loaded) => loaded.rows.iter().map(Row::text).collect(),
                Err(problems) => problems.to_string(),
            };
            assert!(!report.contains('\u{1b}'), "{variable}={value:?}");
        }
    }
}

#[test]
fn limits_and_durations_are_read_in_the_units_people_write() {
    let config = Operator::default()
        .file("limits.login_per_ip = 'off'\nlimits.register_per_ip = '5 / 1h 30m'\ntoken.refresh_grace = 0\ndrain_delay = '0s'")
        .config();
    assert_eq!(config.limits.login_per_ip, None);
    assert_eq!(
        config.limits.register_per_ip,
        Some(Limit {
            count: 5,
            window: Duration::from_secs(5400)
        })
    );
    assert_eq!(config.token.refresh_grace, Duration::ZERO);
}

#[test]
fn the_flags_are_in_the_help_of_every_command_under_their_headings() {
    let mut command = arguments(Command::new("vestibule").subcommand(Command::new("serve")));
    command.build();
    let help = command
        .find_subcommand_mut("serve")
        .unwrap()
        .render_long_help()
        .to_string();
    for setting in SETTINGS {
        assert_eq!(
            help.contains(setting.help),
            setting.flag().is_some(),
            "{}",
            setting.key
        );
        assert!(
            setting.flag().is_none() || help.contains(&format!("{}:\n", setting.group)),
            "{}",
            setting.key
        );
    }
}

#[test]
fn no_two_settings_share_a_name() {
    let names: Vec<_> = SETTINGS
        .iter()
        .flat_map(|setting| {
            setting
                .flag()
                .into_iter()
                .chain(setting.flag_alias())
                .chain(setting.variable())
                .chain(setting.file_variable())
        })
        .collect();
    let distinct: std::collections::BTreeSet<_> = names.iter().collect();
    assert_eq!(names.len(), distinct.len());
}

/// Writes the page anew where it is stale, so that the next run passes and the change can be reviewed.
#[test]
fn the_reference_page_is_fresh() {
    let path = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../docs/reference/configuration.md"
    );
    let fresh = reference();
    if fs::read_to_string(path).is_ok_and(|page| page == fresh) {
        return;
    }
    fs::write(path, fresh).unwrap();
    panic!(
        "docs/reference/configuration.md was stale and has been written anew: review and commit it"
    );
}
