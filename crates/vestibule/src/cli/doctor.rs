//! `vestibule doctor`: what may be wrong with this installation, a line each, with the exact fix. With `--url` it is what
//! visitors meet, in `doctor/from_outside.rs`.

mod from_outside;
mod visitor;

use std::path::PathBuf;

use accounts::{
    Accounts, Clock, Database, EngineReport, HashCensus, Link, MigrationStatus, MissingBound,
    RedisReport, ReplicaReport, ReplicaState, SchemaDifference,
};
use clap::{Arg, ArgMatches, Command, value_parser};
use serde::Serialize;

use self::{from_outside::Known, visitor::Visitor};
use super::{
    Ended, Failure,
    output::{self, say},
    user::password_in,
};
use crate::{
    app::{self, StartError},
    client_addresses::crowded,
    config::{Config, Loaded, Origin, SecretKeySource},
    secret_key,
    serve::Doubt,
};

/// What a check came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
enum Verdict {
    /// In order.
    Ok,
    /// Works, and should be changed.
    Warn,
    /// Does not work, or is not safe.
    Fail,
}

/// One line of the report.
#[derive(Debug, Serialize)]
struct Finding {
    check: &'static str,
    verdict: Verdict,
    found: String,
    /// What to do, where something is to be done.
    #[serde(skip_serializing_if = "Option::is_none")]
    fix: Option<String>,
}

pub(super) fn command() -> Command {
    Command::new("doctor")
        .about("Check this installation and say how to mend it; exit code 1 if anything fails")
        .arg(output::json_flag())
        .arg(
            Arg::new("url")
                .long("url")
                .value_name("URL")
                .value_parser(origin_named)
                .help("Check instead what visitors meet at a server that runs there"),
        )
        .arg(
            Arg::new("protected")
                .long("protected")
                .value_name("PATH")
                .value_parser(path_named)
                .requires("url")
                .help("With --url: a path that needs a login"),
        )
        .arg(
            Arg::new("login")
                .long("login")
                .value_name("LOGIN")
                .requires_all(["url", "password-file"])
                .help("With --url: an account to log in and out"),
        )
        .arg(
            Arg::new("password-file")
                .long("password-file")
                .value_name("FILE")
                .value_parser(value_parser!(PathBuf))
                .requires("login")
                .help("A file that holds the password of that account"),
        )
}

pub(super) async fn run(matches: &ArgMatches, loaded: &Loaded) -> Ended {
    let findings = match matches.get_one::<Origin>("url") {
        Some(url) => of_a_server(url.clone(), matches).await?,
        None => of_this_installation(loaded).await,
    };
    if output::wants_json(matches) {
        output::json(&findings)?;
    } else {
        print(&findings);
    }
    match findings
        .iter()
        .filter(|finding| finding.verdict == Verdict::Fail)
        .count()
    {
        0 => Ok(()),
        1 => Err(Failure::Failed("one check failed".to_owned())),
        count => Err(Failure::Failed(format!("{count} checks failed"))),
    }
}

async fn of_this_installation(loaded: &Loaded) -> Vec<Finding> {
    let mut findings = of_configuration(loaded);
    findings.extend(of_database(&loaded.config).await);
    findings.extend(redis(&loaded.config).await);
    findings
}

async fn of_a_server(url: Origin, matches: &ArgMatches) -> Result<Vec<Finding>, Failure> {
    let login = matches.get_one::<String>("login");
    let file = matches.get_one::<PathBuf>("password-file");
    let account = login.zip(file).map(|(login, file)| {
        let unreadable = |error| Failure::Usage(format!("{}: {error}", file.display()));
        Ok::<_, Failure>((login.clone(), password_in(file).map_err(unreadable)?))
    });
    let known = Known {
        protected: matches.get_one::<String>("protected").cloned(),
        account: account.transpose()?,
    };
    let visitor = Visitor::new(url).map_err(Failure::Failed)?;
    Ok(from_outside::findings(&visitor, known).await)
}

fn origin_named(text: &str) -> Result<Origin, String> {
    Origin::parse(text)
        .ok_or("expected a URL such as https://id.example.org, without a path".into())
}

fn path_named(text: &str) -> Result<String, String> {
    let is_path = text.starts_with('/') && text.bytes().all(|byte| byte.is_ascii_graphic());
    is_path
        .then(|| text.to_owned())
        .ok_or("expected a path such as /members/".into())
}

fn print(findings: &[Finding]) {
    for finding in findings {
        let verdict = match finding.verdict {
            Verdict::Ok => "ok  ",
            Verdict::Warn => "warn",
            Verdict::Fail => "FAIL",
        };
        say!("{verdict}  {}: {}", finding.check, finding.found);
        if let Some(fix) = &finding.fix {
            say!("      {fix}");
        }
    }
}

fn of_configuration(loaded: &Loaded) -> Vec<Finding> {
    let config = &loaded.config;
    let sources = match loaded.sources.as_slice() {
        [] => "defaults".to_owned(),
        sources => sources.join(", "),
    };
    let mut findings = vec![ok("configuration", format!("no problems, from {sources}"))];
    let warnings = loaded
        .warnings
        .iter()
        .cloned()
        .chain(app::wide_modes(config));
    findings.extend(warnings.map(|warning| warn("configuration", warning, None)));
    findings.push(public_url(config));
    findings.extend(certificate(config));
    findings.push(proxies(config));
    findings
}

/// Plain http is for this machine alone: beyond it everybody on the way can read passwords.
fn public_url(config: &Config) -> Finding {
    let url = config.public_url.to_string();
    let is_local = ["localhost", "127.0.0.1", "[::1]"].contains(&config.public_url.host());
    if config.public_url.is_https() || is_local {
        return ok("public_url", url);
    }
    fail(
        "public_url",
        format!(
            "{url} is neither https nor this machine: passwords and cookies travel in the clear"
        ),
        Some(
            "set tls.cert and tls.key, or put TLS in front, and public_url to the https address"
                .to_owned(),
        ),
    )
}

/// Nothing where somebody else speaks TLS, or nobody.
fn certificate(config: &Config) -> Vec<Finding> {
    let certificates = match app::open_certificates(config) {
        Ok(Some(certificates)) => certificates,
        Ok(None) => return Vec::new(),
        Err(error) => return vec![fail("certificate", error.to_string(), None)],
    };
    let doubts = app::doubts(config, &certificates, &Clock::system());
    if doubts.is_empty() {
        return vec![ok("certificate", certificates.describe())];
    }
    let finding = |doubt: Doubt| match doubt.is_refused {
        true => fail("certificate", doubt.text, None),
        false => warn("certificate", doubt.text, None),
    };
    doubts.into_iter().map(finding).collect()
}

/// Whose word counts for the address of a client, by which limits count and the audit log speaks.
fn proxies(config: &Config) -> Finding {
    let trusted = &config.trusted_proxies;
    let list = trusted
        .iter()
        .map(ToString::to_string)
        .collect::<Vec<_>>()
        .join(", ");
    if trusted.iter().any(|network| network.prefix_len() == 0) {
        return fail(
            "proxies",
            format!("{list} trusts everybody: a client may claim any address"),
            Some("name in trusted_proxies the addresses of your proxies alone".to_owned()),
        );
    }
    let is_behind_tls = config.public_url.is_https() && config.tls.is_none();
    match (trusted.is_empty(), is_behind_tls) {
        (true, true) => warn(
            "proxies",
            "none is trusted, and public_url is https: behind a proxy all clients count as one"
                .to_owned(),
            Some("set trusted_proxies to the address from which your proxy connects".to_owned()),
        ),
        (true, false) => ok("proxies", "none".to_owned()),
        (false, _) => ok("proxies", list),
    }
}

async fn of_database(config: &Config) -> Vec<Finding> {
    let database = match app::open_database_with_replicas(config).await {
        Ok(database) => database,
        Err(error) => return vec![fail("database", error.to_string(), None)],
    };
    let mut findings = engine(config, &database).await;
    let replicas = database.replica_reports().await;
    findings.extend(replicas.into_iter().map(replica));
    findings.push(backups(config));
    let status = database.migration_status().await;
    findings.push(match &status {
        Ok(status) => migrations(status),
        Err(error) => fail("migrations", error.to_string(), None),
    });
    let pending = status.is_ok_and(|status| status.iter().any(|step| step.applied_at.is_none()));
    if pending {
        let found = "not needed before the migrations".to_owned();
        findings.push(ok("secret key", found));
    } else {
        findings.push(schema(&database).await);
        findings.extend(of_migrated(config, &database).await);
    }
    findings.push(clock(&database).await);
    database.close().await;
    findings
}

async fn engine(config: &Config, database: &Database) -> Vec<Finding> {
    match database.engine_report().await {
        Ok(report) => {
            let pooler = report.missing_bounds.as_deref().map(pooler);
            let findings = [engine_settings(config, report)].into_iter().chain(pooler);
            findings.collect()
        }
        Err(error) => vec![fail("database", error.to_string(), None)],
    }
}

/// Bounds that are set on a connection do not stay with us behind a pooler.
fn pooler(missing: &[MissingBound]) -> Finding {
    if missing.is_empty() {
        return ok(
            "pooler",
            "the bounds of connections are set on the role".to_owned(),
        );
    }
    let names: Vec<_> = missing.iter().map(|bound| bound.name).collect();
    let statements = missing.iter().map(|MissingBound { name, value }| {
        format!("ALTER ROLE CURRENT_USER SET {name} = '{value}'")
    });
    warn(
        "pooler",
        format!("not set on the role: {}", names.join(", ")),
        Some(format!(
            "run by psql, as the role of database.url: {}",
            statements.collect::<Vec<_>>().join("; ")
        )),
    )
}

fn engine_settings(config: &Config, report: EngineReport) -> Finding {
    let mut facts = vec![config.database.url.to_string(), report.engine];
    facts.extend(protection(report.link));
    let settings = report.settings.iter();
    facts.extend(settings.map(|setting| format!("{}={}", setting.name, setting.value)));
    facts.push(format!(
        "at most {} connections",
        config.database.max_connections
    ));
    let found = facts.join(", ");
    match report.settings.iter().find(|setting| !setting.is_safe) {
        None => ok("database", found),
        Some(setting) => fail(
            "database",
            found,
            Some(format!(
                "{} does not keep commits through a power cut",
                setting.name
            )),
        ),
    }
}

/// What protects a connection, where one leaves this machine.
fn protection(link: Link) -> Option<String> {
    match link {
        Link::File => None,
        Link::Encrypted(version) => Some(version),
        Link::Clear => Some("not encrypted".to_owned()),
    }
}

/// Whether a replica serves what it is for. Without it the primary does.
fn replica(report: ReplicaReport) -> Finding {
    let mut facts = vec![report.url];
    facts.extend(report.link.and_then(protection));
    let found = |fact: String| {
        facts
            .into_iter()
            .chain([fact])
            .collect::<Vec<_>>()
            .join(", ")
    };
    match report.state {
        ReplicaState::Current(lag) => ok(
            "replica",
            found(format!("in recovery, less than {} ms behind", lag.as_millis() + 1)),
        ),
        ReplicaState::Behind(lag) => warn(
            "replica",
            found(format!("in recovery, more than {} ms behind", lag.as_millis())),
            Some(
                "look whether it is connected to its primary, and not paused; the primary serves \
                 what it should"
                    .to_owned(),
            ),
        ),
        ReplicaState::Unfit(reason) => fail(
            "replica",
            found(reason),
            Some(
                "mend it, or take it out of database.replica_urls; the primary serves what it should"
                    .to_owned(),
            ),
        ),
    }
}

/// Whether the nodes can count limits together. Without that each counts for itself.
async fn redis(config: &Config) -> Option<Finding> {
    let url = config.redis.url.as_ref()?;
    // With the names that a node would use: an access list may allow no others.
    let secret = secret_key::existing(config).ok();
    let report = match url.inspect(secret.as_ref()).await {
        Ok(report) => report,
        Err(reason) => {
            return Some(fail(
                "redis",
                format!("{url}: {reason}"),
                Some(
                    "start it, or correct redis.url; each node counts limits for itself meanwhile"
                        .to_owned(),
                ),
            ));
        }
    };
    let RedisReport {
        server, latency, ..
    } = &report;
    let found = format!("{url}, {server}, answers in {} µs", latency.as_micros());
    if report.most_memory.is_none() || !report.evicts {
        return Some(ok("redis", found));
    }
    Some(warn(
        "redis",
        format!("{found}, evicts keys when it is full"),
        Some(
            "set its maxmemory-policy to noeviction; of a count that is evicted, each node remembers \
             only what it has counted itself"
                .to_owned(),
        ),
    ))
}

/// What backs the database up. Neither way leaves a trace in it.
fn backups(config: &Config) -> Finding {
    let tools = config.database.url.backup_tools();
    let found = match tools {
        Some(tools) => format!(
            "the server has {tools} for them; when the last one was made cannot be seen from here"
        ),
        None => "`vestibule backup FILE` makes one; when the last one was made is not recorded"
            .to_owned(),
    };
    ok("backups", found)
}

fn migrations(status: &[MigrationStatus]) -> Finding {
    match status
        .iter()
        .filter(|step| step.applied_at.is_none())
        .count()
    {
        0 => ok("migrations", format!("all {} applied", status.len())),
        pending => fail(
            "migrations",
            format!("{pending} of {} are not applied", status.len()),
            Some("run: vestibule migrate up".to_owned()),
        ),
    }
}

/// Whether somebody has changed tables by other means than the migrations. What is there besides
/// ours, such as an index for a report, does no harm.
async fn schema(database: &Database) -> Finding {
    let differences = match database.schema_differences().await {
        Ok(differences) => differences,
        Err(error) => return fail("schema", error.to_string(), None),
    };
    let (ours, others): (Vec<_>, Vec<_>) = differences
        .iter()
        .partition(|difference| difference.declared.is_some());
    let listed = |differences: &[&SchemaDifference]| {
        let sentences: Vec<_> = differences.iter().map(ToString::to_string).collect();
        sentences.join("; ")
    };
    match (ours.is_empty(), others.is_empty()) {
        (true, true) => ok("schema", "as this release makes it".to_owned()),
        (true, false) => warn("schema", listed(&others), None),
        (false, _) => fail(
            "schema",
            listed(&ours),
            Some(
                "change it back; `vestibule migrate up --print-sql --engine ENGINE` prints what \
                 it should be"
                    .to_owned(),
            ),
        ),
    }
}

/// Of a database that was not founded nothing is opened, for that would found it.
async fn of_migrated(config: &Config, database: &Database) -> Vec<Finding> {
    match (database.is_founded().await, secret_key::existing(config)) {
        (Ok(true), Ok(_)) => of_accounts(config, database).await,
        (Ok(true), Err(error)) => vec![fail("secret key", error.to_string(), None)],
        (Ok(false), key) => vec![first_secret_key(config, key.err())],
        (Err(error), _) => vec![fail("database", error.to_string(), None)],
    }
}

/// The key that a database is going to be founded with.
fn first_secret_key(config: &Config, unusable: Option<StartError>) -> Finding {
    let found = match (&config.secret_key, unusable) {
        (SecretKeySource::GeneratedAt(path), _) if !path.exists() => {
            "none yet; the first start makes it"
        }
        (_, None) => "not in use yet; the first start founds the database with it",
        (_, Some(error)) => return fail("secret key", error.to_string(), None),
    };
    ok("secret key", found.to_owned())
}

async fn of_accounts(config: &Config, database: &Database) -> Vec<Finding> {
    let accounts = match app::open_accounts(config, database, Clock::system()).await {
        Ok(accounts) => accounts,
        Err(error) => return vec![fail("secret key", error.to_string(), None)],
    };
    let keys = accounts.jwks()["keys"].as_array().map_or(0, Vec::len);
    let opened = format!("opens the signing keys ({keys} published)");
    vec![
        ok("secret key", opened),
        admin(&accounts).await,
        passwords(&accounts).await,
        client_addresses(config, &accounts).await,
    ]
}

/// Whether anybody can use the pages of admins.
async fn admin(accounts: &Accounts) -> Finding {
    match accounts.operator().has_admin().await {
        Ok(true) => ok("admin", "there is one".to_owned()),
        Ok(false) => warn(
            "admin",
            "none; until there is one, the command line alone manages users".to_owned(),
            Some("run: vestibule user add EMAIL --role admin".to_owned()),
        ),
        Err(error) => fail("admin", error.to_string(), None),
    }
}

/// Whether the clients of a proxy are taken for one.
async fn client_addresses(config: &Config, accounts: &Accounts) -> Finding {
    let crowds = match accounts.operator().recent_logins().await {
        Ok(logins) => crowded(logins),
        Err(error) => return fail("client addresses", error.to_string(), None),
    };
    match crowds.as_slice() {
        [] => ok(
            "client addresses",
            "no private address with the logins of many accounts".to_owned(),
        ),
        [first, ..] => {
            let all: Vec<_> = crowds.iter().map(ToString::to_string).collect();
            let fix = first.fix(&config.trusted_proxies);
            warn("client addresses", all.join("; "), Some(fix))
        }
    }
}

/// An account on another hash than today's answers a login in that hash's time.
async fn passwords(accounts: &Accounts) -> Finding {
    let census = match accounts.operator().census_of_hashes().await {
        Ok(census) => census,
        Err(error) => return fail("passwords", error.to_string(), None),
    };
    let HashCensus {
        current,
        replaceable,
        unusable,
    } = census;
    let found = format!(
        "{current} hashed as of today, {replaceable} by weaker or other means, {unusable} that \
         cannot be checked"
    );
    let fix = match (unusable, replaceable) {
        (0, 0) => return ok("passwords", found),
        (0, _) => {
            "each is replaced when its user logs in; until then the time of a login tells these \
             accounts from unknown ones"
        }
        _ => {
            "those users need a new password (vestibule user passwd LOGIN); the log names each \
             when they try to log in"
        }
    };
    warn("passwords", found, Some(fix.to_owned()))
}

/// A clock that stands behind what was already recorded makes tokens that are not valid yet.
async fn clock(database: &Database) -> Finding {
    let now = Clock::system().now();
    match database.newest_record().await {
        Err(error) => fail("clock", error.to_string(), None),
        Ok(Some(newest)) if newest > now => fail(
            "clock",
            format!("it is {now}, and the database has a record of {newest}"),
            Some("set the clock of this machine, for instance by NTP".to_owned()),
        ),
        Ok(_) => ok("clock", now.to_string()),
    }
}

fn ok(check: &'static str, found: String) -> Finding {
    Finding {
        check,
        verdict: Verdict::Ok,
        found,
        fix: None,
    }
}

fn warn(check: &'static str, found: String, fix: Option<String>) -> Finding {
    Finding {
        check,
        verdict: Verdict::Warn,
        found,
        fix,
    }
}

fn fail(check: &'static str, found: String, fix: Option<String>) -> Finding {
    Finding {
        check,
        verdict: Verdict::Fail,
        found,
        fix,
    }
}
