//! The command line: which commands there are, what they print, and how they end: 0 done,
//! 1 failed, 2 a wrong call or setting.

#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "the command line talks to a terminal"
)]

mod backup;
mod copy;
mod doctor;
mod first_admin;
mod health;
mod import;
mod keys;
mod migrate;
mod openapi;
mod output;
mod print;
mod progress;
mod reload;
mod serve;
mod user;

use std::{process::ExitCode, time::Duration};

use clap::{ArgMatches, Command};
use clap_complete::Shell;

use crate::{
    app::{self, StartError},
    config::{self, Loaded},
};

/// How long the end of a command waits for threads that are inside the operating system, where a disk that hangs would hold
/// them for ever.
const LAST_CALLS: Duration = Duration::from_millis(250);

/// How a command ended.
type Ended = Result<(), Failure>;

/// Why a command did not do what it was asked.
#[derive(Debug, thiserror::Error)]
enum Failure {
    /// The call or a setting is wrong: exit code 2.
    #[error("{0}")]
    Usage(String),
    /// It did not work: exit code 1.
    #[error("{0}")]
    Failed(String),
}

/// Runs the program as its arguments say.
#[must_use]
pub fn run() -> ExitCode {
    let matches = match command().try_get_matches() {
        Ok(matches) => matches,
        Err(error) => {
            // A closed pipe is no reason to fail: `vestibule --help | head -1`.
            let _ = error.print();
            return ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(2));
        }
    };
    // Neither needs a configuration: a broken one must not keep a shell from starting.
    match matches.subcommand() {
        Some(("completions", matches)) => return complete(matches),
        Some(("openapi", matches)) => return openapi::run(matches),
        _ => {}
    }
    let loaded = match config::load(&matches) {
        Ok(loaded) => loaded,
        Err(problems) => {
            eprintln!("{problems}");
            return ExitCode::from(2);
        }
    };
    match dispatch(&matches, loaded) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("error: {failure}");
            ExitCode::from(match failure {
                Failure::Usage(_) => 2,
                Failure::Failed(_) => 1,
            })
        }
    }
}

/// The whole command line, for `--help`, completions and tests.
#[must_use]
pub fn command() -> Command {
    let command = Command::new("vestibule")
        .about("User accounts for any site or app, in one binary")
        .version(env!("CARGO_PKG_VERSION"))
        .subcommand_required(true)
        .arg_required_else_help(true)
        .subcommand(serve::command())
        .subcommand(migrate::command())
        .subcommand(user::command())
        .subcommand(backup::backup_command())
        .subcommand(backup::restore_command())
        .subcommand(copy::command())
        .subcommand(import::command())
        .subcommand(health::command())
        .subcommand(doctor::command())
        .subcommand(keys::command())
        .subcommand(print::command())
        .subcommand(
            Command::new("config").about("Look at the settings").subcommand_required(true).subcommand(
                Command::new("show")
                    .about("Print every setting in force and where it came from; secrets are hidden")
                    .arg(output::json_flag()),
            ),
        );
    let shell = clap::Arg::new("shell")
        .value_name("SHELL")
        .required(true)
        .value_parser(clap::value_parser!(Shell))
        .help("The shell");
    config::arguments(command)
        .subcommand(openapi::command())
        .subcommand(
            Command::new("completions")
                .about("Print a script that completes commands and flags in a shell")
                .arg(shell),
        )
}

fn dispatch(matches: &ArgMatches, loaded: Loaded) -> Ended {
    match matches.subcommand() {
        Some(("serve", _)) => in_runtime(serve::run(matches, loaded)),
        Some(("migrate", matches)) => in_runtime(migrate::run(matches, &loaded)),
        Some(("user", matches)) => in_runtime(user::run(matches, &loaded)),
        Some(("backup", matches)) => in_runtime(backup::back_up(matches, &loaded)),
        Some(("restore", matches)) => in_runtime(backup::restore(matches, &loaded)),
        Some(("copy", matches)) => in_runtime(copy::run(matches, &loaded)),
        Some(("import", matches)) => in_runtime(import::run(matches, &loaded)),
        Some(("doctor", matches)) => in_runtime(doctor::run(matches, &loaded)),
        Some(("health", _)) => in_runtime(health::run(&loaded)),
        Some(("keys", matches)) => in_runtime(keys::run(matches, &loaded)),
        Some(("print", matches)) => print::run(matches, &loaded),
        Some(("config", matches)) => show_config(matches, &loaded),
        _ => Err(Failure::Usage(
            "no such command; see vestibule --help".to_owned(),
        )),
    }
}

fn complete(matches: &ArgMatches) -> ExitCode {
    if let Some(shell) = matches.get_one::<Shell>("shell") {
        let mut script = Vec::new();
        clap_complete::generate(*shell, &mut command(), "vestibule", &mut script);
        output::say!("{}", String::from_utf8_lossy(&script));
    }
    ExitCode::SUCCESS
}

fn show_config(matches: &ArgMatches, loaded: &Loaded) -> Ended {
    let Some(("show", matches)) = matches.subcommand() else {
        return Err(Failure::Usage(
            "no such command; see vestibule config --help".to_owned(),
        ));
    };
    warn(loaded);
    if output::wants_json(matches) {
        return output::json(&loaded.rows);
    }
    let cells: Vec<_> = loaded
        .rows
        .iter()
        .map(|row| (row.key, row.text(), row.source.to_string()))
        .collect();
    let rows = cells
        .iter()
        .map(|(key, value, source)| [*key, value.as_str(), source.as_str()]);
    output::table(["SETTING", "VALUE", "FROM"], rows);
    Ok(())
}

fn in_runtime(work: impl Future<Output = Ended>) -> Ended {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::Failed(format!("the runtime did not start: {error}")))?;
    let ended = runtime.block_on(work);
    runtime.shutdown_timeout(LAST_CALLS);
    ended
}

/// Prints what the operator should know and nothing has to stop for.
fn warn(loaded: &Loaded) {
    for warning in &loaded.warnings {
        eprintln!("warning: {warning}");
    }
}

/// Opens database and accounts for a command that works beside a running server.
async fn open(loaded: &Loaded) -> Result<(accounts::Database, accounts::Accounts), Failure> {
    warn(loaded);
    let database = app::open_database_beside_server(&loaded.config).await?;
    let clock = accounts::Clock::system();
    let accounts = app::open_accounts(&loaded.config, &database, clock).await?;
    Ok((database, accounts))
}

impl From<StartError> for Failure {
    fn from(error: StartError) -> Self {
        match error {
            StartError::Misconfigured(reason) => Self::Usage(reason),
            StartError::Failed(reason) => Self::Failed(reason),
        }
    }
}

impl From<accounts::OpenError> for Failure {
    fn from(error: accounts::OpenError) -> Self {
        StartError::from(error).into()
    }
}

impl From<accounts::Error> for Failure {
    fn from(error: accounts::Error) -> Self {
        match error {
            accounts::Error::Invalid(fields) => {
                let lines: Vec<_> = fields
                    .iter()
                    .map(|error| format!("{}: {}", error.field, error.message))
                    .collect();
                Self::Failed(lines.join("\n       "))
            }
            error => Self::Failed(error.to_string()),
        }
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_command_line_is_sound() {
        super::command().debug_assert();
    }
}
