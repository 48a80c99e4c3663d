//! `vestibule openapi`: the description of the API, for tools that want a file. It needs no configuration and no
//! database.

use std::process::ExitCode;

use clap::{Arg, ArgMatches, Command};

use super::output::say;
use crate::http::openapi::{Version, text};

pub(super) fn command() -> Command {
    let version = Arg::new("version")
        .long("version")
        .value_name("VERSION")
        .value_parser(["3.1", "3.0"])
        .default_value("3.1")
        .help("The version of OpenAPI to write it in");
    Command::new("openapi")
        .about("Print the description of the API (OpenAPI), as /api/openapi.json gives it")
        .arg(version)
}

pub(super) fn run(matches: &ArgMatches) -> ExitCode {
    let older = matches
        .get_one::<String>("version")
        .is_some_and(|version| version == "3.0");
    let version = if older { Version::V3_0 } else { Version::V3_1 };
    say!("{}", text(version).trim_end());
    ExitCode::SUCCESS
}
