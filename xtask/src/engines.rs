//! The database servers of the tests: a PostgreSQL and a MariaDB of our own, on free ports of the loopback address,
//! gone with whoever started them. How each is made stands in its file; what is tried on them is up to the suites.

pub(crate) mod control;
mod folder;
pub(crate) mod galera;
mod mariadb;
mod pgbouncer;
mod postgres;
mod server;

use std::fs::{self, File};
use std::io::Read;
use std::net::{Ipv4Addr, TcpListener};
use std::process::{ExitCode, ExitStatus};
use std::thread;

use anyhow::{Context, Result, bail};

use crate::engines::folder::{Folder, Medium};
use crate::engines::postgres::Proof;
use crate::engines::server::Server;
use crate::needs;
use crate::program::{Program, Ran};

/// The account on both servers; it may create databases.
const ACCOUNT: &str = "vestibule";

/// Enough for the pools of as many tests as a large machine runs at once.
const MAX_CONNECTIONS: u32 = 1000;

/// Where a server listens, and what its account is asked for.
struct Address {
    port: u16,
    password: String,
}

/// Both servers, up, and a pooler.
pub(crate) struct Engines {
    /// In front of PostgreSQL.
    pooler: (Server, Address),
    postgres: (Server, Address),
    mariadb: (Server, Address),
    /// Behind the servers, so that it is removed after their end.
    _folder: Folder,
}

/// `cargo xtask engines [-- COMMAND...]`: runs a command beside the servers, or waits for Ctrl-C.
pub(crate) fn run(command: &[&str]) -> ExitCode {
    let code = Engines::start().and_then(|engines| match command {
        [] => engines.wait_for_ctrl_c(),
        [program, arguments @ ..] => engines.run(program, arguments),
    });
    code.unwrap_or_else(|error| {
        println!("{error:#}");
        ExitCode::FAILURE
    })
}

/// Finds or installs the servers' programs.
pub(crate) fn install() -> Result<()> {
    needs::postgres()?;
    needs::mariadbd()?;
    needs::pgbouncer()?;
    Ok(())
}

/// Runs a program beside a PostgreSQL with settings of the form `name=value`, which it finds like that of [`Engines`].
/// Gives besides what the server has said meanwhile.
pub(crate) fn watch_on_postgres(settings: &[&str], program: Program) -> Result<(Ran, String)> {
    install()?;
    let folder = Folder::new(Medium::Memory)?;
    let address = Address::free()?;
    // Ends before its folder goes.
    let _server = postgres::start(&folder, "postgres", &address, Proof::Password, settings)?;
    let url = address.url("postgres", "postgres");
    let ran = program.env("VESTIBULE_TEST_POSTGRES", url).watch()?;
    let log = fs::read(folder.path().join("postgres.log"))?;
    Ok((ran, String::from_utf8_lossy(&log).into_owned()))
}

impl Engines {
    /// Makes both servers, empty, and starts them.
    pub(crate) fn start() -> Result<Self> {
        install()?;
        // What is tried on them is not about the disk, for which hundreds of new databases would wait.
        let folder = Folder::new(Medium::Memory)?;
        let address = Address::free()?;
        let postgres = (
            postgres::start(&folder, "postgres", &address, Proof::Password, &[])?,
            address,
        );
        let address = postgres.1.elsewhere()?;
        let pooler = (
            pgbouncer::start(&folder, "pooler", &postgres.1, &address, &[])?,
            address,
        );
        let address = Address::free()?;
        let mariadb = (mariadb::start(&folder, "mariadb", &address, &[])?, address);
        Ok(Self {
            pooler,
            postgres,
            mariadb,
            _folder: folder,
        })
    }

    /// Tells a program, by the environment, where the servers are.
    pub(crate) fn known_to(&self, program: Program) -> Program {
        self.variables()
            .into_iter()
            .fold(program, |program, (name, url)| program.env(name, url))
    }

    fn variables(&self) -> [(&'static str, String); 3] {
        let (_, pooler) = &self.pooler;
        let (_, postgres) = &self.postgres;
        let (_, mariadb) = &self.mariadb;
        [
            (
                "VESTIBULE_TEST_POSTGRES",
                postgres.url("postgres", "postgres"),
            ),
            ("VESTIBULE_TEST_POOLER", pooler.url("postgres", "postgres")),
            ("VESTIBULE_TEST_MARIADB", mariadb.url("mysql", "")),
        ]
    }

    fn run(&self, program: &str, arguments: &[&str]) -> Result<ExitCode> {
        let command = arguments.iter().fold(Program::new(program), Program::arg);
        let status = self.known_to(command).with_terminal().start()?.wait()?;
        Ok(exit_code(status))
    }

    fn wait_for_ctrl_c(&self) -> Result<ExitCode> {
        for (name, url) in self.variables() {
            println!("export {name}='{url}'");
        }
        println!("Ctrl-C ends them all.");
        loop {
            thread::park();
        }
    }
}

impl Address {
    /// A port that nobody listens on, and a password of its own.
    fn free() -> Result<Self> {
        const TRIES: usize = 100;
        for _ in 0..TRIES {
            let port = port_below_ephemeral(u16::from_le_bytes(random()?));
            #[expect(
                clippy::disallowed_methods,
                reason = "it is asked whether the port is free, and nothing is served"
            )]
            let bound = TcpListener::bind((Ipv4Addr::LOCALHOST, port));
            if bound.is_ok() {
                let password = format!("{:032x}", u128::from_le_bytes(random()?));
                return Ok(Self { port, password });
            }
        }
        bail!("{TRIES} ports were tried and all of them are taken")
    }

    /// Another port for the same account, whose password is part of the data.
    fn elsewhere(&self) -> Result<Self> {
        let Self { port, .. } = Self::free()?;
        let password = self.password.clone();
        Ok(Self { port, password })
    }

    fn url(&self, scheme: &str, database: &str) -> String {
        let Self { port, password } = self;
        format!("{scheme}://{ACCOUNT}:{password}@127.0.0.1:{port}/{database}")
    }
}

/// The same end for us, as far as there is one: a signal has no code.
fn exit_code(status: ExitStatus) -> ExitCode {
    let code = status.code().and_then(|code| u8::try_from(code).ok());
    code.map_or(ExitCode::FAILURE, ExitCode::from)
}

/// A port that no outgoing connection is given by itself. Otherwise clients that keep calling a server which is down
/// might take its port, and be answered by themselves.
fn port_below_ephemeral(number: u16) -> u16 {
    const FIRST: u16 = 20_000;
    const EPHEMERAL: u16 = 32_768;
    FIRST + number % (EPHEMERAL - FIRST)
}

fn random<const BYTES: usize>() -> Result<[u8; BYTES]> {
    let mut bytes = [0; BYTES];
    let mut source = File::open("/dev/urandom").context("this system has no /dev/urandom")?;
    source.read_exact(&mut bytes)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_port_lies_below_those_of_outgoing_connections() {
        let ports = (0..=u16::MAX).map(port_below_ephemeral);
        assert!(ports.min() == Some(20_000));
        let ports = (0..=u16::MAX).map(port_below_ephemeral);
        assert!(ports.max() == Some(32_767));
    }

    #[test]
    fn each_server_asks_for_a_password_of_its_own() {
        let (one, other) = (Address::free().unwrap(), Address::free().unwrap());
        assert_ne!(one.password, other.password);
        assert_eq!(one.password.len(), 32);
        assert!(
            one.url("mysql", "")
                .ends_with(&format!("@127.0.0.1:{}/", one.port))
        );
    }
}
