//! `vestibule migrate`: the schema of the database, forward, back, and as it is.

use std::io::{BufRead as _, IsTerminal as _, Write as _};

use accounts::{Database, Engine, Rollback};
use clap::{
    Arg, ArgAction, ArgMatches, Command,
    builder::{PossibleValue, PossibleValuesParser, TypedValueParser as _},
    value_parser,
};

use super::{
    Ended, Failure,
    output::{self, say},
    warn,
};
use crate::{
    app::{self, StartError},
    config::Loaded,
};

pub(super) fn command() -> Command {
    let to = Arg::new("to")
        .long("to")
        .value_name("N")
        .value_parser(value_parser!(u32));
    let steps = Arg::new("steps")
        .long("steps")
        .value_name("N")
        .value_parser(value_parser!(u32));
    Command::new("migrate")
        .about("Change or show the schema of the database")
        .subcommand_required(true)
        .subcommand(
            Command::new("up")
                .about("Apply the missing migrations (serve does this by itself)")
                .arg(to.help("Stop after migration number N"))
                .args(script_flags()),
        )
        .subcommand(
            Command::new("down")
                .about("Undo the newest migrations, and with them the data in their tables")
                .arg(steps.default_value("1").help("How many"))
                .arg(
                    Arg::new("yes")
                        .long("yes")
                        .action(ArgAction::SetTrue)
                        .help("Do not ask before data is dropped"),
                ),
        )
        .subcommand(
            Command::new("status")
                .about("List the migrations and when they were applied")
                .arg(output::json_flag()),
        )
}

/// The way for those who let no program change a schema.
fn script_flags() -> [Arg; 2] {
    let names = PossibleValuesParser::new([
        PossibleValue::new("sqlite"),
        PossibleValue::new("postgres").alias("postgresql"),
        PossibleValue::new("mysql").alias("mariadb"),
    ]);
    let engine = names.try_map(|name| Engine::of_scheme(&name).ok_or("no engine has this name"));
    [
        Arg::new("print-sql")
            .long("print-sql")
            .action(ArgAction::SetTrue)
            .help("Apply nothing, and print the SQL of what the database is missing"),
        Arg::new("engine")
            .long("engine")
            .value_name("ENGINE")
            .requires("print-sql")
            .value_parser(engine)
            .help("Print it for an empty database of this engine, without asking any"),
    ]
}

pub(super) async fn run(matches: &ArgMatches, loaded: &Loaded) -> Ended {
    warn(loaded);
    match matches.subcommand() {
        Some(("up", matches)) => up(matches, loaded).await,
        Some(("down", matches)) => down(matches, loaded).await,
        Some(("status", matches)) => status(matches, loaded).await,
        _ => Err(Failure::Usage(
            "no such command; see vestibule migrate --help".to_owned(),
        )),
    }
}

async fn up(matches: &ArgMatches, loaded: &Loaded) -> Ended {
    if matches.get_flag("print-sql") {
        return print_script(matches, loaded).await;
    }
    app::prepare_data_dir(&loaded.config)?;
    let database = Database::connect(&app::database_options(&loaded.config)).await?;
    let applied = database.migrate_up(matches.get_one("to").copied()).await?;
    database.close().await;
    report(
        "applied",
        "nothing to apply: the schema is up to date",
        &applied,
    );
    Ok(())
}

async fn print_script(matches: &ArgMatches, loaded: &Loaded) -> Ended {
    let to = matches.get_one("to").copied();
    let script = match matches.get_one::<Engine>("engine") {
        Some(engine) => accounts::migration_script(*engine, to)?,
        None => {
            let opened = app::open_existing_database(&loaded.config).await;
            let database = opened.map_err(|error| match error {
                StartError::Failed(reason) => StartError::Failed(format!(
                    "{reason}; with --engine the SQL is printed for an empty database"
                )),
                other => other,
            })?;
            let script = database.pending_script(to).await?;
            database.close().await;
            script
        }
    };
    say!("{}", script.trim_end());
    Ok(())
}

async fn down(matches: &ArgMatches, loaded: &Loaded) -> Ended {
    app::prepare_data_dir(&loaded.config)?;
    let database = Database::connect_alone(&app::database_options(&loaded.config)).await?;
    let steps = matches.get_one("steps").copied().unwrap_or(1);
    let rollback = database.rollback(steps).await?;
    if rollback.rows() > 0 && !matches.get_flag("yes") {
        confirm(&rollback)?;
    }
    let undone = database.migrate_down(steps).await?;
    database.close().await;
    report(
        "undone",
        "nothing to undo: no migration is applied",
        &undone,
    );
    Ok(())
}

async fn status(matches: &ArgMatches, loaded: &Loaded) -> Ended {
    let database = app::open_existing_database(&loaded.config).await?;
    let status = database.migration_status().await?;
    database.close().await;
    if output::wants_json(matches) {
        return output::json(&status);
    }
    let rows: Vec<_> = status
        .iter()
        .map(|step| {
            let applied = step
                .applied_at
                .map_or("pending".to_owned(), |at| at.to_string());
            (step.number.to_string(), &step.name, applied)
        })
        .collect();
    let rows = rows
        .iter()
        .map(|(number, name, applied)| [number, name.as_str(), applied.as_str()]);
    output::table(["NUMBER", "MIGRATION", "APPLIED"], rows);
    Ok(())
}

/// Says how many rows would go and asks for the word.
fn confirm(rollback: &Rollback) -> Ended {
    say!("This drops {} rows for good:", rollback.rows());
    for (place, rows) in &rollback.losses {
        say!("  {place}: {rows}");
    }
    if !std::io::stdin().is_terminal() {
        return Err(Failure::Usage(
            "nothing was changed; repeat with --yes to drop them".to_owned(),
        ));
    }
    print!("Type yes to go on: ");
    let mut answer = String::new();
    let read = std::io::stdout()
        .flush()
        .and_then(|()| std::io::stdin().lock().read_line(&mut answer));
    match read {
        Ok(_) if answer.trim() == "yes" => Ok(()),
        _ => Err(Failure::Failed("nothing was changed".to_owned())),
    }
}

fn report(verb: &str, nothing: &str, names: &[String]) {
    if names.is_empty() {
        say!("{nothing}");
    }
    for name in names {
        say!("{verb} {name}");
    }
}
