//! `vestibule backup` and `vestibule restore`: the whole database in one file.

use std::path::{Path, PathBuf};

use accounts::Database;
use clap::{Arg, ArgAction, ArgMatches, Command, value_parser};

use super::{Ended, Failure, output::say, warn};
use crate::{
    app,
    config::Loaded,
    secret_key,
    site::{Private, Site},
};

pub(super) fn backup_command() -> Command {
    Command::new("backup")
        .about("Write the database into a new file; works beside a running server")
        .arg(file("The file to make; it must not exist"))
}

pub(super) fn restore_command() -> Command {
    Command::new("restore")
        .about("Make a backup the database, where there is none; the server must be stopped")
        .arg(file("A file that `vestibule backup` made"))
        .arg(
            Arg::new("replace")
                .long("replace")
                .action(ArgAction::SetTrue)
                .help("Take the place of a database that is there; it is kept beside, under another name"),
        )
}

pub(super) async fn back_up(matches: &ArgMatches, loaded: &Loaded) -> Ended {
    warn(loaded);
    let to = path(matches);
    if let Some(dir) = &loaded.config.site.dir {
        Site::refuse_within(dir, Private::Backup(&to))
            .map_err(|problem| Failure::Usage(problem.to_string()))?;
    }
    let database = app::open_existing_database(&loaded.config).await?;
    database.back_up(&to).await?;
    database.close().await;
    say!("wrote {}, for its owner alone", to.display());
    say!(
        "It does not hold the secret key, without which it is of no use: keep that as well, elsewhere."
    );
    Ok(())
}

pub(super) async fn restore(matches: &ArgMatches, loaded: &Loaded) -> Ended {
    warn(loaded);
    let from = path(matches);
    app::prepare_data_dir(&loaded.config)?;
    let secret = secret_key::existing(&loaded.config)?;
    let options = app::database_options(&loaded.config);
    let kept = if matches.get_flag("replace") {
        Database::replace(&from, &options, &secret).await?
    } else {
        Database::restore(&from, &options, &secret).await?;
        None
    };
    say!("restored {} from {}", options.url, from.display());
    say!(
        "Passwords and sessions are those of the backup: what was changed or logged out since is not."
    );
    if let Some(kept) = kept {
        say!("What was there is kept in {}.", kept.display());
    }
    Ok(())
}

fn file(help: &'static str) -> Arg {
    Arg::new("file")
        .value_name("FILE")
        .required(true)
        .value_parser(value_parser!(PathBuf))
        .help(help)
}

fn path(matches: &ArgMatches) -> PathBuf {
    matches
        .get_one::<PathBuf>("file")
        .map_or_else(PathBuf::new, |path| Path::to_owned(path))
}
