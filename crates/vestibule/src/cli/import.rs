//! `vestibule import`: the users of another program, with the passwords they have. Works beside a running server.

use std::{path::PathBuf, sync::atomic::Ordering};

use accounts::{
    DatabaseUrl, FirebaseParameters, ImportError, ImportField, ImportFormat, ImportLocation,
    ImportOptions, ImportReport, ImportSource, Passwordless, Role, UnfitNames,
};
use clap::{Arg, ArgAction, ArgMatches, Command, value_parser};

use super::{
    Ended, Failure, copy, open,
    output::{self, say},
    progress::Progress,
};
use crate::{config::Loaded, setup_link, terminal};

pub(super) fn command() -> Command {
    Command::new("import")
        .about("Bring over the users of another program, with their passwords; a second run changes nothing")
        .args([
            Arg::new("from")
                .long("from")
                .value_name("URL|FILE")
                .help("The database of the program, or a file: SQLite, CSV or JSON"),
            Arg::new("from-file")
                .long("from-file")
                .value_name("FILE")
                .value_parser(value_parser!(PathBuf))
                .conflicts_with("from")
                .help("A file that holds the URL of --from"),
        ])
        .group(clap::ArgGroup::new("source").args(["from", "from-file"]).required(true))
        .args([
            Arg::new("format")
                .long("format")
                .value_name("F")
                .value_parser(ImportFormat::NAMES)
                .default_value("auto")
                .help("The program that wrote it"),
            Arg::new("table")
                .long("table")
                .value_name("T")
                .help("The table of users, where it is not the usual one"),
            repeated("map", "FIELD=COLUMN")
                .value_delimiter(',')
                .help(fields_help()),
            repeated("role-map", "WORD=ROLE")
                .help("The role that a word in the column of roles gives, as true=admin; may be repeated. Others give none"),
            Arg::new("without-password")
                .long("without-password")
                .value_name("WHAT")
                .value_parser(["skip", "import"])
                .default_value("skip")
                .help("What to do with users whose password cannot be checked here"),
            Arg::new("unfit-names")
                .long("unfit-names")
                .value_name("WHAT")
                .value_parser(["refuse", "drop"])
                .default_value("refuse")
                .help("What to do with users whose username or name breaks a rule or is taken: refuse them, or drop that name"),
            Arg::new("firebase-hash-config")
                .long("firebase-hash-config")
                .value_name("FILE")
                .value_parser(value_parser!(PathBuf))
                .help("The password hash parameters of a Firebase project, as its console shows them"),
            Arg::new("dry-run")
                .long("dry-run")
                .action(ArgAction::SetTrue)
                .help("Say what would happen, and change nothing"),
        ])
        .arg(output::json_flag())
}

fn repeated(name: &'static str, value: &'static str) -> Arg {
    Arg::new(name)
        .long(name)
        .value_name(value)
        .action(ArgAction::Append)
}

fn fields_help() -> String {
    let fields = ImportField::ALL.map(ImportField::as_str).join(", ");
    format!(
        "Another column for a field, or none for `FIELD=`; may be repeated. Fields are {fields}; `a+b` joins two columns"
    )
}

pub(super) async fn run(matches: &ArgMatches, loaded: &Loaded) -> Ended {
    let (location, options) = (location(matches)?, options(matches)?);
    let is_rehearsal = matches.get_flag("dry-run");
    let wants_json = output::wants_json(matches);
    // From here on a signal ends the work between two steps, and not within one.
    let interrupted = copy::interrupted();
    let source = ImportSource::open(location, &options).await?;
    if !wants_json {
        show_mapping(&source);
    }
    let (database, accounts) = open(loaded).await?;
    let operator = accounts.operator();
    let mut import = operator.import(source, options, is_rehearsal);
    let mut progress = Progress::new();
    let ended = loop {
        match import.advance().await {
            Ok(Some(now)) => {
                let step = match (now.is_first_look, is_rehearsal) {
                    (true, _) => "comparing",
                    (false, true) => "reading",
                    (false, false) => "importing",
                };
                progress.show(step, "users", now.done, now.total.unwrap_or(now.done));
            }
            Ok(None) => break Ok(()),
            Err(error) => break Err(Failure::from(error)),
        }
        if interrupted.load(Ordering::Relaxed) {
            let reason = "interrupted; the same command goes on with it";
            break Err(Failure::Failed(reason.to_owned()));
        }
    };
    progress.end();
    let report = import.finish().await;
    if matches!(operator.has_admin().await, Ok(true)) {
        setup_link::remove(&loaded.config);
    }
    drop(accounts);
    database.close().await;
    ended?;
    match wants_json {
        true => output::json(&report)?,
        false => show(&report),
    }
    match report.refused {
        0 => Ok(()),
        1 => Err(Failure::Failed("one row was refused".to_owned())),
        count => Err(Failure::Failed(format!("{count} rows were refused"))),
    }
}

fn location(matches: &ArgMatches) -> Result<ImportLocation, Failure> {
    if let Some(text) = matches.get_one::<String>("from")
        && !DatabaseUrl::is_like(text)
    {
        return Ok(ImportLocation::File(text.into()));
    }
    let url = copy::url(matches, "from", "from-file")?;
    let url = url.ok_or_else(|| Failure::Usage("name the source with --from".to_owned()))?;
    Ok(ImportLocation::Database(url))
}

fn options(matches: &ArgMatches) -> Result<ImportOptions, Failure> {
    let is = |flag: &str, value: &str| {
        matches
            .get_one::<String>(flag)
            .is_some_and(|it| it == value)
    };
    let texts = |flag| matches.get_many::<String>(flag).into_iter().flatten();
    let columns = texts("map").map(|text| {
        let (field, column) = pair("map", text)?;
        let field = ImportField::named(field).ok_or_else(|| {
            let fields = ImportField::ALL.map(ImportField::as_str).join(", ");
            Failure::Usage(format!(
                "--map {text:?}: there is no field {field:?}; there are {fields}"
            ))
        })?;
        Ok((field, column.to_owned()))
    });
    let roles = texts("role-map").map(|text| {
        let (word, role) = pair("role-map", text)?;
        let role = Role::parse(role).map_err(|refusal| {
            Failure::Usage(format!("--role-map {text:?}: {}", refusal.message))
        })?;
        Ok((word.to_owned(), role))
    });
    let format = matches.get_one::<String>("format");
    let firebase = matches
        .get_one::<PathBuf>("firebase-hash-config")
        .map(|file| {
            FirebaseParameters::parse(&copy::read("firebase-hash-config", file)?).map_err(
                |reason| {
                    Failure::Usage(format!(
                        "--firebase-hash-config {}: {reason}",
                        file.display()
                    ))
                },
            )
        });
    Ok(ImportOptions {
        format: format
            .and_then(|name| ImportFormat::named(name))
            .unwrap_or_default(),
        table: matches.get_one("table").cloned(),
        columns: columns.collect::<Result<_, Failure>>()?,
        roles: roles.collect::<Result<_, Failure>>()?,
        passwordless: match is("without-password", "import") {
            true => Passwordless::BringAlong,
            false => Passwordless::LeaveOut,
        },
        unfit_names: match is("unfit-names", "drop") {
            true => UnfitNames::LeaveOff,
            false => UnfitNames::Refuse,
        },
        firebase: firebase.transpose()?,
    })
}

fn pair<'a>(flag: &str, text: &'a str) -> Result<(&'a str, &'a str), Failure> {
    text.split_once('=').ok_or_else(|| {
        Failure::Usage(format!(
            "--{flag} {text:?}: expected two words with = in between"
        ))
    })
}

/// Before anything is written: what is read, and for what.
fn show_mapping(source: &ImportSource) {
    let table = source.table().map(|table| format!(", table {table}"));
    let table = terminal::printable(&table.unwrap_or_default());
    say!(
        "{} ({}{table})",
        terminal::printable(source.name()),
        source.format()
    );
    let rows: Vec<_> = source.mapping().iter().collect();
    let cells = rows
        .iter()
        .map(|(field, column)| [field.as_str(), column.as_str()]);
    output::table(["FIELD", "COLUMN"], cells);
}

fn show(report: &ImportReport) {
    say!();
    let kinds = |kinds: &std::collections::BTreeMap<&'static str, u64>, what: &'static str| {
        let rows = kinds
            .iter()
            .map(move |(kind, count)| (*kind, count.to_string(), what));
        rows.collect::<Vec<_>>()
    };
    let mut passwords = kinds(&report.passwords, "comes along");
    passwords.extend(kinds(&report.no_passwords, "cannot be checked here"));
    let cells = passwords
        .iter()
        .map(|(kind, count, what)| [*kind, count.as_str(), *what]);
    output::table(["PASSWORD", "ROWS", ""], cells);
    if !report.refusals.is_empty() {
        say!();
        let problems = report.refusals.iter().flat_map(|refused| {
            let problems = refused.problems.iter();
            problems.map(|problem| [refused.row.as_str(), &problem.field, &problem.message])
        });
        output::table(["ROW", "FIELD", "REFUSED BECAUSE"], problems);
        let unnamed = report.refused - report.refusals.len() as u64;
        if unnamed > 0 {
            say!("and {unnamed} more rows");
        }
    }
    say!();
    let counts = [
        ("came before and were not touched", report.came_before),
        ("left out without a password", report.left_out),
        ("deleted in the source", report.deleted_there),
        ("refused", report.refused),
        ("usernames and names dropped", report.names_left_off),
    ];
    let counts = counts.iter().filter(|(_, count)| *count > 0);
    let counts: String = counts
        .map(|(what, count)| format!(", {count} {what}"))
        .collect();
    let (rows, added) = (report.rows, report.added);
    match report.dry_run {
        true => say!("{rows} rows: {added} would be added{counts}. Nothing was changed."),
        false => say!("{rows} rows: {added} added{counts}."),
    }
}

impl From<ImportError> for Failure {
    fn from(error: ImportError) -> Self {
        match error {
            ImportError::Open(error) => error.into(),
            ImportError::Accounts(error) => error.into(),
            ImportError::Unclear(reason) => Self::Usage(reason),
            error @ ImportError::Unreadable { .. } => Self::Failed(error.to_string()),
        }
    }
}
