//! How a private MariaDB is made and started.
//! Every setting that says how durable it is stays at its default, unless another one is asked for.

use anyhow::Result;

use super::folder::Folder;
use super::server::{Recipe, Server};
use super::{ACCOUNT, Address, MAX_CONNECTIONS};
use crate::needs;
use crate::program::Program;

/// Makes a server in the folder and starts it, with settings in the form `name=value` beside its own; the account may
/// do everything.
pub(super) fn start(
    folder: &Folder,
    name: &str,
    address: &Address,
    settings: &[&str],
) -> Result<Server> {
    Server::new(recipe(folder, name, address, settings)?)
}

/// Makes it, and says how it is started.
pub(super) fn recipe(
    folder: &Folder,
    name: &str,
    address: &Address,
    settings: &[&str],
) -> Result<Recipe> {
    let mariadbd = needs::mariadbd()?;
    let data = folder.make(name)?;
    // No `--defaults`: the machine's own files of settings are about another server.
    Program::new("mariadb-install-db")
        .words("--no-defaults --skip-test-db")
        .arg(format!("--datadir={}", data.display()))
        // Where everybody's are, those of two that are made at once may get in each other's way.
        .arg(format!("--tmpdir={}", data.display()))
        .inside(folder.path())
        .by_user(folder.owner())
        .run_quietly()?;
    let account = format!("'{ACCOUNT}'@'127.0.0.1'");
    let first_statements = folder.write(
        &format!("{name}.sql"),
        &format!(
            "CREATE USER IF NOT EXISTS {account} IDENTIFIED BY '{}';\n\
             GRANT ALL PRIVILEGES ON *.* TO {account} WITH GRANT OPTION;\n",
            address.password
        ),
    )?;
    let mut arguments = vec![
        "--no-defaults".to_owned(),
        format!("--datadir={}", data.display()),
        "--bind-address=127.0.0.1".to_owned(),
        format!("--port={}", address.port),
        // A name within its folder, as the whole path may be too long for a socket.
        "--socket=server.socket".to_owned(),
        "--pid-file=server.pid".to_owned(),
        format!("--tmpdir={}", data.display()),
        format!("--init-file={}", first_statements.display()),
        "--skip-name-resolve".to_owned(),
        format!("--max-connections={MAX_CONNECTIONS}"),
    ];
    arguments.extend(settings.iter().map(|setting| format!("--{setting}")));
    Ok(Recipe {
        name: "MariaDB",
        program: mariadbd,
        arguments,
        helpers: None,
        user: folder.owner(),
        folder: data,
        ready: "mariadbd: ready for connections",
        stop: "TERM",
    })
}
