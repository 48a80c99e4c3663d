//! `vestibule user`: accounts, by whoever runs the server. Works beside a running one.

use std::{
    collections::BTreeSet,
    io::{self, IsTerminal as _, Read as _},
    path::Path,
};

use accounts::{Change, NewAccount, Operator, Registration, Role, User};
use clap::{Arg, ArgAction, ArgMatches, Command};
use secrecy::{ExposeSecret as _, SecretString};
use serde::Serialize;

use super::{
    Ended, Failure, open,
    output::{self, say},
};
use crate::{config::Loaded, setup_link, terminal};

pub(super) fn command() -> Command {
    Command::new("user")
        .about("Add, list, show, change, delete and restore users")
        .subcommand_required(true)
        .subcommand(
            with_password(Command::new("add").about("Add a user; the password is prompted for"))
                .arg(
                    Arg::new("email")
                        .value_name("EMAIL")
                        .required(true)
                        .help("The e-mail address"),
                )
                .arg(
                    Arg::new("username")
                        .long("username")
                        .value_name("U")
                        .help("A name to log in with"),
                )
                .arg(
                    Arg::new("name")
                        .long("name")
                        .value_name("N")
                        .help("A name to be called by"),
                )
                .arg(roles("role", "A role, such as admin; may be repeated")),
        )
        .subcommand(
            Command::new("list")
                .about("List users")
                .arg(
                    Arg::new("q")
                        .long("q")
                        .value_name("TEXT")
                        .help("Only those whose names contain TEXT"),
                )
                .arg(output::json_flag()),
        )
        .subcommand(with_password(
            Command::new("passwd")
                .about("Set a user's password and end their sessions")
                .arg(login()),
        ))
        .subcommand(
            Command::new("roles")
                .about("Give a user roles or take them away; taking one ends their sessions")
                .arg(login())
                .arg(roles("add", "A role to give; may be repeated"))
                .arg(roles("remove", "A role to take away; may be repeated")),
        )
        .subcommand(
            Command::new("disable")
                .about("Keep a user out and end their sessions")
                .arg(login()),
        )
        .subcommand(
            Command::new("enable")
                .about("Let a disabled user log in again")
                .arg(login()),
        )
        .subcommand(
            Command::new("show")
                .about("Show a user, or the deleted ones who had that name")
                .arg(login())
                .arg(output::json_flag()),
        )
        .subcommand(
            Command::new("delete")
                .about("Delete a user and end their sessions; their names are free again")
                .arg(login()),
        )
        .subcommand(
            Command::new("restore")
                .about("Bring a deleted user back; no session comes back")
                .arg(login()),
        )
}

/// What a call asks for, read before anything is opened: a wrong call leaves nothing behind.
enum Task {
    Add(NewAccount),
    List {
        text: Option<String>,
        json: bool,
    },
    SetPassword(String, SecretString),
    ChangeRoles {
        login: String,
        add: BTreeSet<Role>,
        remove: BTreeSet<Role>,
    },
    Disable(String),
    Enable(String),
    Show {
        login: String,
        json: bool,
    },
    Delete(String),
    Restore(String),
}

pub(super) async fn run(matches: &ArgMatches, loaded: &Loaded) -> Ended {
    let task = Task::of(matches)?;
    let (database, accounts) = open(loaded).await?;
    let may_bring_an_admin = task.may_bring_an_admin();
    let operator = accounts.operator();
    let ended = task.perform(&operator).await;
    // What was asked for is done, so a failure of this question is none of the command.
    if ended.is_ok() && may_bring_an_admin && matches!(operator.has_admin().await, Ok(true)) {
        setup_link::remove(&loaded.config);
    }
    drop(accounts);
    database.close().await;
    ended
}

impl Task {
    fn of(matches: &ArgMatches) -> Result<Self, Failure> {
        let Some((name, matches)) = matches.subcommand() else {
            return Err(Failure::Usage(
                "no such command; see vestibule user --help".to_owned(),
            ));
        };
        Ok(match name {
            "add" => Self::Add(new_account(matches)?),
            "passwd" => Self::SetPassword(login_of(matches), read_password(matches)?),
            "roles" => {
                let (add, remove) = (roles_of(matches, "add")?, roles_of(matches, "remove")?);
                if add.is_empty() && remove.is_empty() {
                    return Err(Failure::Usage(
                        "name a role with --add or --remove".to_owned(),
                    ));
                }
                Self::ChangeRoles {
                    login: login_of(matches),
                    add,
                    remove,
                }
            }
            "disable" => Self::Disable(login_of(matches)),
            "enable" => Self::Enable(login_of(matches)),
            "show" => Self::Show {
                login: login_of(matches),
                json: output::wants_json(matches),
            },
            "delete" => Self::Delete(login_of(matches)),
            "restore" => Self::Restore(login_of(matches)),
            _ => Self::List {
                text: matches.get_one("q").cloned(),
                json: output::wants_json(matches),
            },
        })
    }

    /// Whether there may be an active admin after it who was not there before.
    fn may_bring_an_admin(&self) -> bool {
        matches!(
            self,
            Self::Add(_) | Self::ChangeRoles { .. } | Self::Enable(_) | Self::Restore(_)
        )
    }

    async fn perform(self, operator: &Operator<'_>) -> Ended {
        match self {
            Self::Add(account) => said("added", &operator.add_user(account).await?),
            Self::List { text, json } => list(&operator.list_users(text).await?, json)?,
            Self::SetPassword(login, password) => said(
                "changed the password and ended every session of",
                &operator.set_password(&login, password).await?,
            ),
            Self::ChangeRoles { login, add, remove } => {
                changed(
                    "changed the roles of",
                    operator.change_roles(&login, &add, &remove).await?,
                );
            }
            Self::Disable(login) => {
                changed(
                    "disabled and ended every session of",
                    operator.disable(&login).await?,
                );
            }
            Self::Enable(login) => changed("enabled", operator.enable(&login).await?),
            Self::Show { login, json } => show(&operator.show(&login).await?, json)?,
            Self::Delete(login) => changed(
                "deleted and ended every session of",
                operator.delete(&login).await?,
            ),
            Self::Restore(login) => changed("restored", operator.restore(&login).await?),
        }
        Ok(())
    }
}

fn new_account(matches: &ArgMatches) -> Result<NewAccount, Failure> {
    let roles = roles_of(matches, "role")?;
    let text = |name: &str| matches.get_one::<String>(name).cloned();
    let registration = Registration {
        email: text("email").unwrap_or_default(),
        password: read_password(matches)?,
        username: text("username"),
        name: text("name"),
    };
    Ok(NewAccount {
        registration,
        roles,
    })
}

/// A user in a list.
#[derive(Serialize)]
struct Row<'a> {
    id: uuid::Uuid,
    email: &'a str,
    username: Option<&'a str>,
    name: Option<&'a str>,
    roles: &'a BTreeSet<String>,
    disabled: bool,
    created_at: accounts::Timestamp,
}

/// A user shown by themselves.
#[derive(Serialize)]
struct Card<'a> {
    #[serde(flatten)]
    row: Row<'a>,
    email_verified: bool,
    updated_at: accounts::Timestamp,
    disabled_at: Option<accounts::Timestamp>,
    deleted_at: Option<accounts::Timestamp>,
}

/// Every fact about each of the users, a line each.
fn show(users: &[User], json: bool) -> Ended {
    let cards: Vec<_> = users
        .iter()
        .map(|user| Card {
            row: row(user),
            email_verified: user.email_verified,
            updated_at: user.updated_at,
            disabled_at: user.disabled_at,
            deleted_at: user.deleted_at,
        })
        .collect();
    if json {
        return output::json(&cards);
    }
    for card in cards {
        let since = |time: Option<accounts::Timestamp>| match time {
            Some(time) => format!("since {time}"),
            None => "no".to_owned(),
        };
        let verified = if card.email_verified { "yes" } else { "no" };
        let cells = [
            ("id", card.row.id.to_string()),
            ("email", card.row.email.to_owned()),
            ("verified", verified.to_owned()),
            ("username", card.row.username.unwrap_or("none").to_owned()),
            ("name", card.row.name.unwrap_or("none").to_owned()),
            ("roles", listed(card.row.roles)),
            ("created", card.row.created_at.to_string()),
            ("updated", card.updated_at.to_string()),
            ("disabled", since(card.disabled_at)),
            ("deleted", since(card.deleted_at)),
        ];
        let rows = cells.iter().map(|(fact, value)| [*fact, value.as_str()]);
        output::table(["FACT", "VALUE"], rows);
    }
    Ok(())
}

fn list(users: &[User], json: bool) -> Ended {
    if json {
        let rows: Vec<_> = users.iter().map(row).collect();
        return output::json(&rows);
    }
    let cells: Vec<_> = users
        .iter()
        .map(|user| {
            let roles = user
                .roles
                .iter()
                .map(String::as_str)
                .collect::<Vec<_>>()
                .join(",");
            let state = if user.disabled_at.is_some() {
                "disabled"
            } else {
                "active"
            };
            [
                user.email.clone(),
                user.username.clone().unwrap_or_default(),
                user.name.clone().unwrap_or_default(),
                roles,
                state.to_owned(),
                user.created_at.to_string(),
            ]
        })
        .collect();
    let rows = cells.iter().map(|row| row.each_ref().map(String::as_str));
    output::table(
        ["EMAIL", "USERNAME", "NAME", "ROLES", "STATE", "CREATED"],
        rows,
    );
    Ok(())
}

fn row(user: &User) -> Row<'_> {
    Row {
        id: user.id,
        email: &user.email,
        username: user.username.as_deref(),
        name: user.name.as_deref(),
        roles: &user.roles,
        disabled: user.disabled_at.is_some(),
        created_at: user.created_at,
    }
}

fn changed(what: &str, change: Change) {
    match change {
        Change::Made(user) => said(what, &user),
        Change::Nothing(user) => said("nothing to change about", &user),
    }
}

fn said(what: &str, user: &User) {
    say!(
        "{what} {} (id {}, roles: {})",
        terminal::printable(&user.email),
        user.id,
        listed(&user.roles)
    );
}

fn listed(roles: &BTreeSet<String>) -> String {
    if roles.is_empty() {
        return "none".to_owned();
    }
    let roles: Vec<_> = roles.iter().map(String::as_str).collect();
    roles.join(", ")
}

fn login() -> Arg {
    Arg::new("login")
        .value_name("LOGIN")
        .required(true)
        .help("An e-mail address, a username or an id")
}

fn login_of(matches: &ArgMatches) -> String {
    matches.get_one("login").cloned().unwrap_or_default()
}

fn roles(name: &'static str, help: &'static str) -> Arg {
    Arg::new(name)
        .long(name)
        .value_name("R")
        .action(ArgAction::Append)
        .help(help)
}

fn roles_of(matches: &ArgMatches, name: &str) -> Result<BTreeSet<Role>, Failure> {
    let texts = matches.get_many::<String>(name).into_iter().flatten();
    texts
        .map(|text| {
            Role::parse(text).map_err(|refusal| {
                Failure::Usage(format!("--{name} {text:?}: {}", refusal.message))
            })
        })
        .collect()
}

fn with_password(command: Command) -> Command {
    command
        .arg(
            Arg::new("password-file")
                .long("password-file")
                .value_name("F")
                .conflicts_with("password-stdin")
                .help("Read the password from the first line of file F"),
        )
        .arg(
            Arg::new("password-stdin")
                .long("password-stdin")
                .action(ArgAction::SetTrue)
                .help("Read the password from standard input"),
        )
}

/// A password never comes as an argument, which every user of the machine could read.
fn read_password(matches: &ArgMatches) -> Result<SecretString, Failure> {
    if let Some(path) = matches.get_one::<String>("password-file") {
        return password_in(Path::new(path))
            .map_err(|error| Failure::Failed(format!("the password file {path}: {error}")));
    }
    if matches.get_flag("password-stdin") {
        let mut text = String::new();
        std::io::stdin()
            .read_to_string(&mut text)
            .map_err(|error| Failure::Failed(format!("standard input: {error}")))?;
        return Ok(first_line(&text.into()));
    }
    if !std::io::stdin().is_terminal() {
        return Err(Failure::Usage(
            "there is no terminal to ask for the password: use --password-stdin or --password-file"
                .to_owned(),
        ));
    }
    let ask = |prompt: &str| {
        rpassword::prompt_password(prompt)
            .map(SecretString::from)
            .map_err(|error| Failure::Failed(format!("the password could not be read: {error}")))
    };
    let password = ask("Password: ")?;
    if ask("Again: ")?.expose_secret() != password.expose_secret() {
        return Err(Failure::Failed(
            "the two entries differ; nothing was changed".to_owned(),
        ));
    }
    Ok(password)
}

/// The password on the first line of a file.
pub(super) fn password_in(file: &Path) -> io::Result<SecretString> {
    Ok(first_line(&std::fs::read_to_string(file)?.into()))
}

fn first_line(text: &SecretString) -> SecretString {
    let line = text.expose_secret().split('\n').next().unwrap_or_default();
    line.strip_suffix('\r').unwrap_or(line).to_owned().into()
}
