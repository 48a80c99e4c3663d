//! `vestibule keys`: the keys that sign access tokens. Works beside a running server, which takes
//! notice within a second or two.

use accounts::{KeyChange, KeyRecord, KeyState, Operator, Timestamp};
use clap::{Arg, ArgAction, ArgMatches, Command};

use super::{
    Ended, Failure, open,
    output::{self, say},
};
use crate::config::Loaded;

pub(super) fn command() -> Command {
    Command::new("keys")
        .about("List and rotate the keys that sign access tokens")
        .subcommand_required(true)
        .subcommand(
            Command::new("list")
                .about("List the keys, in the order in which they take over")
                .arg(output::json_flag()),
        )
        .subcommand(
            Command::new("rotate")
                .about("Make a new key, published now and signing 10 minutes later")
                .arg(
                    Arg::new("now")
                        .long("now")
                        .action(ArgAction::SetTrue)
                        .help("Have it sign at once; who keeps our public keys must ask again"),
                ),
        )
}

pub(super) async fn run(matches: &ArgMatches, loaded: &Loaded) -> Ended {
    let (database, accounts) = open(loaded).await?;
    let operator = accounts.operator();
    let ended = match matches.subcommand() {
        Some(("list", matches)) => list(&operator, output::wants_json(matches)).await,
        Some(("rotate", matches)) => rotate(&operator, matches.get_flag("now")).await,
        _ => Err(Failure::Usage(
            "no such command; see vestibule keys --help".to_owned(),
        )),
    };
    drop(accounts);
    database.close().await;
    ended
}

async fn list(operator: &Operator<'_>, json: bool) -> Ended {
    let keys = operator.signing_keys().await?;
    if json {
        return output::json(&keys);
    }
    let time = |at: Option<Timestamp>| at.map(|at| at.to_string()).unwrap_or_default();
    let cells: Vec<_> = keys
        .iter()
        .map(|key| {
            [
                key.id.clone(),
                key.algorithm.clone(),
                state(key.state).to_owned(),
                time(key.signs_from),
                time(key.retires_at),
            ]
        })
        .collect();
    let rows = cells.iter().map(|row| row.each_ref().map(String::as_str));
    output::table(["ID", "ALGORITHM", "STATE", "SIGNS FROM", "RETIRES"], rows);
    Ok(())
}

async fn rotate(operator: &Operator<'_>, now: bool) -> Ended {
    let change = match now {
        true => operator.rotate_signing_key_at_once().await?,
        false => operator.rotate_signing_key().await?,
    };
    let from = |key: &KeyRecord| key.signs_from.map(|at| at.to_string()).unwrap_or_default();
    match change {
        KeyChange::Rotated(key) => {
            say!(
                "made {} ({}), which signs from {}; the keys before it verify until their last token has expired",
                key.id,
                key.algorithm,
                from(&key)
            );
            Ok(())
        }
        KeyChange::AlreadyAnnounced(key) => Err(Failure::Failed(format!(
            "{} is published already and signs from {}; nothing was changed. Wait until then, or make one that \
             signs at once with --now",
            key.id,
            from(&key)
        ))),
        KeyChange::FileRules => Err(Failure::Failed(
            "signing_key_file rules: the key in that file signs, and nothing was changed. Put another key into it \
             and restart every server, or take the setting away to use keys that can be rotated"
                .to_owned(),
        )),
    }
}

fn state(state: KeyState) -> &'static str {
    match state {
        KeyState::Announced => "announced",
        KeyState::Signing => "signing",
        KeyState::Retiring => "retiring",
        KeyState::Retired => "retired",
        KeyState::SigningFromFile => "signing (signing_key_file)",
    }
}
