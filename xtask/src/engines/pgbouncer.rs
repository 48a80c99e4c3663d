//! How a private PgBouncer is started in front of a private PostgreSQL.
//! It hands out a connection for each transaction, as those in front of hosted databases do.

use anyhow::Result;

use super::folder::Folder;
use super::server::{Recipe, Server};
use super::{ACCOUNT, Address, MAX_CONNECTIONS};
use crate::needs;

/// Starts one for all databases of the server that listens at `behind`, with settings in the form `name=value` beside
/// its own. The account has the same password on both.
pub(super) fn start(
    folder: &Folder,
    name: &str,
    behind: &Address,
    address: &Address,
    settings: &[&str],
) -> Result<Server> {
    let pgbouncer = needs::pgbouncer()?;
    let own = folder.make(name)?;
    let account = format!("\"{ACCOUNT}\" \"{}\"\n", behind.password);
    let accounts = folder.write(&format!("{name}.accounts"), &account)?;
    let configuration = format!(
        "[databases]\n\
         * = host=127.0.0.1 port={}\n\
         [pgbouncer]\n\
         listen_addr = 127.0.0.1\n\
         listen_port = {}\n\
         unix_socket_dir =\n\
         auth_type = scram-sha-256\n\
         auth_file = {}\n\
         pool_mode = transaction\n\
         max_client_conn = {MAX_CONNECTIONS}\n\
         {}\n",
        behind.port,
        address.port,
        accounts.display(),
        settings.join("\n"),
    );
    let configuration = folder.write(&format!("{name}.ini"), &configuration)?;
    Server::new(Recipe {
        name: "PgBouncer",
        program: pgbouncer,
        helpers: None,
        arguments: vec![configuration.display().to_string()],
        user: folder.owner(),
        folder: own,
        ready: "process up: PgBouncer",
        stop: "TERM",
    })
}
