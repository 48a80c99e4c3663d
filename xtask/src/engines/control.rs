//! Servers for scripts that make them fail: each is started when its script asks for it, and gone with this value.
//! The other end is `xtask/outside/databases.py`; what is tried on the servers is up to the scripts.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::net::Shutdown;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::thread::{self, JoinHandle};

use anyhow::{Context, Result, bail};
use tempfile::TempDir;

use super::folder::{Folder, Medium};
use super::postgres::Proof;
use super::server::Server;
use super::{Address, exit_code, install, mariadb, pgbouncer, postgres};
use crate::needs;
use crate::program::{Program, find};

/// What parts the words of a request, as settings may hold anything else.
const BETWEEN_WORDS: char = '\t';

/// The request that nobody but us makes.
const END: &str = "end";

/// Starts servers for whoever asks on its socket.
pub(crate) struct Control {
    /// The socket, apart from the servers: the path of theirs may be too long for a socket.
    place: TempDir,
    attendant: Option<JoinHandle<()>>,
}

/// The servers that were asked for.
struct Attendant {
    servers: BTreeMap<String, (Server, Address)>,
    /// Behind the servers, so that it is removed after their end.
    folder: Folder,
}

/// `cargo xtask servers -- COMMAND...`: runs a command that may ask for servers of its own.
pub(crate) fn run(command: &[&str]) -> ExitCode {
    let [program, arguments @ ..] = command else {
        println!("cargo xtask servers -- COMMAND...");
        return ExitCode::from(2);
    };
    let code = Control::start().and_then(|control| {
        let command = arguments.iter().fold(Program::new(program), Program::arg);
        let status = control.known_to(command).with_terminal().start()?.wait()?;
        Ok(exit_code(status))
    });
    code.unwrap_or_else(|error| {
        println!("{error:#}");
        ExitCode::FAILURE
    })
}

impl Control {
    /// Listens; no server is started before somebody asks for it.
    pub(crate) fn start() -> Result<Self> {
        install()?;
        // For its owner alone, as the servers obey whoever may write to the socket.
        let place = tempfile::Builder::new().prefix("vestibule-").tempdir()?;
        let listener = UnixListener::bind(socket(place.path()))?;
        let mut attendant = Attendant {
            servers: BTreeMap::new(),
            folder: Folder::new(Medium::Disk)?,
        };
        let attendant = thread::spawn(move || attendant.attend(&listener));
        Ok(Self {
            place,
            attendant: Some(attendant),
        })
    }

    /// Tells a program, by the environment, where to ask for servers.
    pub(crate) fn known_to(&self, program: Program) -> Program {
        program.env("VESTIBULE_TEST_SERVERS", socket(self.place.path()))
    }
}

impl Drop for Control {
    fn drop(&mut self) {
        let ended = UnixStream::connect(socket(self.place.path())).and_then(|mut asked| {
            asked.write_all(END.as_bytes())?;
            asked.shutdown(Shutdown::Write)
        });
        // Nobody to tell it to means that it has ended already.
        if ended.is_ok()
            && let Some(attendant) = self.attendant.take()
        {
            let _ = attendant.join();
        }
    }
}

fn socket(place: &Path) -> PathBuf {
    place.join("servers")
}

impl Attendant {
    /// Answers one request on each connection: `ok` and what was asked for, or `error` and the reason.
    fn attend(&mut self, listener: &UnixListener) {
        for asked in listener.incoming().map_while(std::io::Result::ok) {
            let mut request = String::new();
            if BufReader::new(&asked).read_line(&mut request).is_err() {
                continue;
            }
            let words: Vec<&str> = request.trim_end().split(BETWEEN_WORDS).collect();
            if words == [END] {
                break;
            }
            let answer = match self.obey(&words) {
                Ok(found) => format!("ok{BETWEEN_WORDS}{found}"),
                Err(error) => format!("error{BETWEEN_WORDS}{error:#}"),
            };
            // Whoever does not wait for the answer does not need it.
            let _ = (&asked).write_all(answer.as_bytes());
        }
    }

    fn obey(&mut self, words: &[&str]) -> Result<String> {
        match words {
            ["new", engine, settings @ ..] => self.make(engine, settings),
            ["standby", name, settings @ ..] => self.make_standby(name, settings),
            ["pooler", name, settings @ ..] => self.make_pooler(name, settings),
            ["start", name] => self.server(name)?.start().map(|()| String::new()),
            ["stop", name] => self.server(name)?.stop().map(|()| String::new()),
            ["kill", name] => self.server(name)?.kill().map(|()| String::new()),
            ["pause", name] => self.server(name)?.pause().map(|()| String::new()),
            ["resume", name] => self.server(name)?.resume().map(|()| String::new()),
            _ => bail!("no such request: {}", words.join(" ")),
        }
    }

    /// Makes a server with settings beside its own, and gives its name, its URL and the folder of the programs that
    /// came with it.
    fn make(&mut self, engine: &str, settings: &[&str]) -> Result<String> {
        let name = format!("{engine}-{}", self.servers.len() + 1);
        let address = Address::free()?;
        match engine {
            "postgres" => {
                let server =
                    postgres::start(&self.folder, &name, &address, Proof::Scram, settings)?;
                self.add_postgres(name, server, address)
            }
            "mariadb" => {
                let server = mariadb::start(&self.folder, &name, &address, settings)?;
                let client =
                    find("mariadb").context("MariaDB is here without its client program")?;
                self.add(name, server, &address.url("mysql", ""), &client, address)
            }
            _ => bail!("no such engine: {engine}"),
        }
    }

    /// Makes a standby of a PostgreSQL.
    fn make_standby(&mut self, primary: &str, settings: &[&str]) -> Result<String> {
        let name = format!("standby-{}", self.servers.len() + 1);
        let primary = self.address(primary)?;
        let address = primary.elsewhere()?;
        let server = postgres::standby(&self.folder, &name, primary, &address, settings)?;
        self.add_postgres(name, server, address)
    }

    /// Makes a pooler in front of a PostgreSQL.
    fn make_pooler(&mut self, behind: &str, settings: &[&str]) -> Result<String> {
        let name = format!("pooler-{}", self.servers.len() + 1);
        let behind = self.address(behind)?;
        let address = behind.elsewhere()?;
        let server = pgbouncer::start(&self.folder, &name, behind, &address, settings)?;
        self.add_postgres(name, server, address)
    }

    fn add_postgres(&mut self, name: String, server: Server, address: Address) -> Result<String> {
        let url = address.url("postgres", "postgres");
        self.add(name, server, &url, &needs::postgres()?, address)
    }

    fn add(
        &mut self,
        name: String,
        server: Server,
        url: &str,
        client: &Path,
        address: Address,
    ) -> Result<String> {
        let programs = client.parent().context("a program lies in a folder")?;
        let programs = programs.display();
        let answer = format!("{name}{BETWEEN_WORDS}{url}{BETWEEN_WORDS}{programs}");
        self.servers.insert(name, (server, address));
        Ok(answer)
    }

    fn server(&mut self, name: &str) -> Result<&mut Server> {
        let entry = self.servers.get_mut(name).map(|(server, _)| server);
        entry.with_context(|| no_server(name))
    }

    fn address(&self, name: &str) -> Result<&Address> {
        let entry = self.servers.get(name).map(|(_, address)| address);
        entry.with_context(|| no_server(name))
    }
}

fn no_server(name: &str) -> String {
    format!("there is no server `{name}`")
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use super::*;

    fn ask(control: &Control, request: &str) -> String {
        let mut asked = UnixStream::connect(socket(control.place.path())).unwrap();
        writeln!(asked, "{request}").unwrap();
        let mut answer = String::new();
        asked.read_to_string(&mut answer).unwrap();
        answer
    }

    #[test]
    fn a_server_is_made_with_the_settings_that_were_asked_for_and_goes_with_the_control() {
        let control = Control::start().unwrap();
        let answer = ask(&control, "new\tpostgres\tsynchronous_commit=off");
        let words: Vec<&str> = answer.split(BETWEEN_WORDS).collect();
        let ["ok", "postgres-1", url, programs] = words.as_slice() else {
            panic!("{answer}");
        };
        let shown = || {
            let psql = Program::new(Path::new(programs).join("psql")).arg(url);
            psql.words("-Atc").arg("SHOW synchronous_commit").ask()
        };
        assert_eq!(shown().as_deref(), Some("off"));
        assert_eq!(ask(&control, "kill\tpostgres-1"), "ok\t");
        assert_eq!(shown(), None);
        assert_eq!(ask(&control, "start\tpostgres-1"), "ok\t");
        assert_eq!(shown().as_deref(), Some("off"));
        drop(control);
        assert_eq!(shown(), None);
    }

    #[test]
    fn a_standby_and_a_pooler_have_what_their_server_has() {
        let control = Control::start().unwrap();
        let asked = |request: &str, sql: &str| {
            let answer = ask(&control, request);
            let words: Vec<&str> = answer.split(BETWEEN_WORDS).collect();
            let ["ok", _, url, programs] = words.as_slice() else {
                panic!("{answer}");
            };
            let psql = Program::new(Path::new(programs).join("psql")).arg(url);
            psql.words("-Atc").arg(sql).ask()
        };
        assert!(asked("new\tpostgres", "CREATE TABLE seen (x int)").is_some());
        let seen = "SELECT count(*), pg_is_in_recovery() FROM seen";
        assert_eq!(asked("standby\tpostgres-1", seen).as_deref(), Some("0|t"));
        assert_eq!(asked("pooler\tpostgres-1", seen).as_deref(), Some("0|f"));
        let missing = ask(&control, "standby\tpostgres-9");
        assert_eq!(missing, "error\tthere is no server `postgres-9`");
    }

    #[test]
    fn what_cannot_be_done_is_answered_with_the_reason() {
        let control = Control::start().unwrap();
        let answers = ["new\toracle", "kill\tpostgres-1", "dance"].map(|word| ask(&control, word));
        let reasons = [
            "error\tno such engine: oracle",
            "error\tthere is no server `postgres-1`",
            "error\tno such request: dance",
        ];
        assert_eq!(answers, reasons);
    }
}
