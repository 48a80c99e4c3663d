//! How a private PostgreSQL is made and started, and a standby of one.
//! Every setting that says how durable it is stays at its default, unless another one is asked for.

use std::fs;
use std::path::PathBuf;

use anyhow::Result;

use super::folder::Folder;
use super::server::{Recipe, Server};
use super::{ACCOUNT, Address, MAX_CONNECTIONS};
use crate::needs;
use crate::program::Program;

/// How a client shows that it knows the password.
#[derive(Clone, Copy)]
pub(super) enum Proof {
    /// As everywhere: by thousands of hashes. A client that was compiled without optimisation takes longer for them
    /// than for all the rest of a test.
    Scram,
    /// By saying it.
    Password,
}

/// For the tests of just that, whatever the others do.
const RULE_OF_SCRAM: &str = "host all by_scram 127.0.0.1/32 scram-sha-256";

/// Makes a server in the folder and starts it, with settings in the form `name=value` beside its own; the account is
/// its superuser.
pub(super) fn start(
    folder: &Folder,
    name: &str,
    address: &Address,
    proof: Proof,
    settings: &[&str],
) -> Result<Server> {
    let postgres = needs::postgres()?;
    let data = folder.make(name)?;
    let password = folder.write(&format!("{name}.password"), &address.password)?;
    Program::new(postgres.with_file_name("initdb"))
        .arg("--pgdata")
        .arg(&data)
        .arg("--username")
        .arg(ACCOUNT)
        .arg("--pwfile")
        .arg(password)
        .words(match proof {
            Proof::Scram => "--auth scram-sha-256",
            Proof::Password => "--auth password",
        })
        .words("--encoding UTF8 --no-instructions")
        // An order of words that is not that of bytes, as most installations have it.
        .words("--locale C --locale-provider icu --icu-locale en")
        .inside(folder.path())
        .by_user(folder.owner())
        .run_quietly()?;
    let rules = data.join("pg_hba.conf");
    let others = fs::read_to_string(&rules)?;
    fs::write(rules, format!("{RULE_OF_SCRAM}\n{others}"))?;
    serve(folder, data, address, settings)
}

/// Copies the server that listens at `primary`, and starts the copy as a standby that follows it; the account has the
/// same password on both.
pub(super) fn standby(
    folder: &Folder,
    name: &str,
    primary: &Address,
    address: &Address,
    settings: &[&str],
) -> Result<Server> {
    let data = folder.path().join(name);
    Program::new(needs::postgres()?.with_file_name("pg_basebackup"))
        .arg("--pgdata")
        .arg(&data)
        .words("--host=127.0.0.1 --checkpoint=fast --write-recovery-conf --no-sync")
        .arg(format!("--port={}", primary.port))
        .arg(format!("--username={ACCOUNT}"))
        .env("PGPASSWORD", &primary.password)
        .inside(folder.path())
        .by_user(folder.owner())
        .run_quietly()?;
    serve(folder, data, address, settings)
}

fn serve(folder: &Folder, data: PathBuf, address: &Address, settings: &[&str]) -> Result<Server> {
    let mut arguments = vec![
        "-D".to_owned(),
        data.display().to_string(),
        "--listen_addresses=127.0.0.1".to_owned(),
        format!("--port={}", address.port),
        "--unix_socket_directories=".to_owned(),
        // Within its folder, and so gone with it.
        "--dynamic_shared_memory_type=mmap".to_owned(),
        format!("--max_connections={MAX_CONNECTIONS}"),
    ];
    arguments.extend(settings.iter().map(|setting| format!("--{setting}")));
    Server::new(Recipe {
        name: "PostgreSQL",
        program: needs::postgres()?,
        helpers: None,
        arguments,
        user: folder.owner(),
        folder: data,
        // "... connections", of a standby "... read-only connections".
        ready: "database system is ready to accept",
        // A "fast shutdown": running transactions are rolled back.
        stop: "INT",
    })
}
