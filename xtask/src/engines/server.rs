//! A database server as a process: started, awaited, ended, and made to fail in the ways in which servers fail.
//! Which server it is, and with which settings, is in its recipe.

use std::fs::File;
use std::io::{BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};

use crate::program::{Program, User};

/// How long a server may take to answer, or to end: recovery after a crash on a busy machine included.
const PATIENCE: Duration = Duration::from_secs(60);

/// How a server is started, each time in the same way, on the same data and the same port.
pub(super) struct Recipe {
    pub(super) name: &'static str,
    pub(super) program: PathBuf,
    pub(super) arguments: Vec<String>,
    /// A folder of programs that it calls, where they are not on PATH.
    pub(super) helpers: Option<PathBuf>,
    pub(super) user: Option<User>,
    /// Its working directory; what it says is kept beside, in `NAME.log`.
    pub(super) folder: PathBuf,
    /// What it says when it has begun to answer.
    pub(super) ready: &'static str,
    /// The signal by which it is asked to end at once and cleanly.
    pub(super) stop: &'static str,
}

/// A server that is up, or down until it is started again.
pub(crate) struct Server {
    recipe: Recipe,
    running: Option<Running>,
}

struct Running {
    process: Child,
    /// A message each time it begins to answer; closed when the last of its processes has ended.
    events: Receiver<()>,
}

impl Server {
    /// Starts it for the first time.
    pub(super) fn new(recipe: Recipe) -> Result<Self> {
        let mut server = Self {
            recipe,
            running: None,
        };
        server.start()?;
        Ok(server)
    }

    /// Starts it on the data it had, and waits until it answers. The error quotes what it last said.
    pub(crate) fn start(&mut self) -> Result<()> {
        let Recipe { name, .. } = self.recipe;
        ensure!(self.running.is_none(), "{name} is running already");
        let mut program = Program::new(&self.recipe.program)
            .inside(&self.recipe.folder)
            .by_user(self.recipe.user)
            // It speaks English, so that we know when it is ready.
            .env("LC_ALL", "C");
        if let Some(helpers) = &self.recipe.helpers {
            program = program.env("PATH", path_with(helpers));
        }
        for argument in &self.recipe.arguments {
            program = program.arg(argument);
        }
        program.show();
        let mut process = program.start_apart(Stdio::null(), Stdio::piped())?;
        let errors = process.stderr.take().context("its errors are piped")?;
        let log = self.log();
        let events = follow(
            errors,
            File::options().append(true).create(true).open(&log)?,
            self.recipe.ready,
        );
        let answers = events.recv_timeout(PATIENCE);
        self.running = Some(Running { process, events });
        if let Err(reason) = answers {
            let _ = self.kill();
            let said = std::fs::read_to_string(&log).unwrap_or_default();
            let outcome = match reason {
                RecvTimeoutError::Timeout => "does not become ready",
                RecvTimeoutError::Disconnected => "has ended at its start",
            };
            bail!("{name} {outcome}; it says:\n{}", last_lines(&said, 20));
        }
        println!("{name} answers; what it says is in {}", log.display());
        Ok(())
    }

    /// Ends it at once, without its clients' consent, and as cleanly as its operator would.
    pub(crate) fn stop(&mut self) -> Result<()> {
        self.signal(self.recipe.stop)?;
        self.await_end()
    }

    /// Kills it with all its processes: what it has not given to the operating system is lost.
    pub(crate) fn kill(&mut self) -> Result<()> {
        // A frozen first process neither begins others nor learns of their end, which it would put on record.
        self.signal("STOP")?;
        self.signal_others("KILL")?;
        self.signal("KILL")?;
        self.await_end()
    }

    /// Freezes it with all its processes: connections stay open, and nothing answers on them.
    pub(crate) fn pause(&self) -> Result<()> {
        self.signal("STOP")?;
        self.signal_others("STOP")
    }

    /// Lets it go on after a pause.
    pub(crate) fn resume(&self) -> Result<()> {
        self.signal_others("CONT")?;
        self.signal("CONT")
    }

    fn log(&self) -> PathBuf {
        self.recipe.folder.with_extension("log")
    }

    fn running(&self) -> Result<&Running> {
        let Recipe { name, .. } = self.recipe;
        self.running
            .as_ref()
            .with_context(|| format!("{name} is not running"))
    }

    fn signal(&self, signal: &str) -> Result<()> {
        let first = self.running()?.process.id().to_string();
        let sent = send(signal, &[&first]);
        sent.with_context(|| format!("{} cannot be sent {signal}", self.recipe.name))?;
        Ok(())
    }

    /// Signals the processes that its first one has begun; PostgreSQL has one for each connection.
    fn signal_others(&self, signal: &str) -> Result<()> {
        let first = self.running()?.process.id();
        let others = std::fs::read_to_string(format!("/proc/{first}/task/{first}/children"))?;
        let others: Vec<&str> = others.split_whitespace().collect();
        if !others.is_empty() {
            // One of them may have ended by itself in the meantime.
            send(signal, &others);
        }
        Ok(())
    }

    fn await_end(&mut self) -> Result<()> {
        let Some(mut running) = self.running.take() else {
            return Ok(());
        };
        loop {
            match running.events.recv_timeout(PATIENCE) {
                Ok(()) => {}
                Err(RecvTimeoutError::Disconnected) => break,
                Err(RecvTimeoutError::Timeout) => {
                    self.running = Some(running);
                    bail!("{} does not end", self.recipe.name);
                }
            }
        }
        running.process.wait()?;
        Ok(())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Its data go too, so that there is nothing to end cleanly. It may have been ended already.
        let _ = self.kill();
    }
}

/// PATH with one more folder before the others.
#[expect(
    clippy::disallowed_methods,
    reason = "this is no setting of the product: programs are looked for where the caller does"
)]
fn path_with(helpers: &Path) -> String {
    let path = std::env::var("PATH").unwrap_or_default();
    format!("{}:{path}", helpers.display())
}

/// `None` when one of the processes could not be signalled.
fn send(signal: &str, processes: &[&str]) -> Option<String> {
    let kill = Program::new("sh").arg("-c").arg(r#"kill -s "$@""#);
    let kill = kill.arg("kill").arg(signal);
    processes.iter().fold(kill, Program::arg).ask()
}

/// Writes a server's lines down; tells when it is ready, and by closing that all its processes have ended, for each
/// of them holds the other end.
fn follow(errors: impl Read + Send + 'static, mut log: File, ready: &'static str) -> Receiver<()> {
    let (tell, events) = mpsc::channel();
    thread::spawn(move || {
        for line in BufReader::new(errors).split(b'\n').map_while(Result::ok) {
            let line = String::from_utf8_lossy(&line);
            // A log that cannot be written must not stop the server, which would wait for us to read on.
            let _ = writeln!(log, "{line}");
            if line.contains(ready) {
                let _ = tell.send(());
            }
        }
    });
    events
}

fn last_lines(text: &str, count: usize) -> String {
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(count)..].join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engines::folder::{Folder, Medium};

    /// Two processes, as PostgreSQL has many; the second one would run on without the first.
    /// It says itself that it is ready, as a program of its own: before that it is a copy of the first one, and loses a
    /// signal for which that one has a trap.
    const TWO_PROCESSES: &str = "
        trap 'kill $!; echo stopped >&2; exit' TERM
        echo started >>starts
        sh -c 'echo ready >&2; exec sleep 1000' &
        wait";

    fn server(folder: &Folder, script: &str) -> Result<Server> {
        Server::new(Recipe {
            name: "the server",
            program: "sh".into(),
            arguments: vec!["-c".to_owned(), script.to_owned()],
            helpers: None,
            user: folder.owner(),
            folder: folder.make("server")?,
            ready: "ready",
            stop: "TERM",
        })
    }

    /// The state letters of its processes, of `proc_pid_stat(5)`; the first process comes first.
    fn states(server: &Server) -> String {
        let first = server.running().unwrap().process.id();
        let ps = Program::new("ps").words("-o state=");
        let ps = ps.arg("--pid").arg(first.to_string());
        let ps = ps.arg("--ppid").arg(first.to_string());
        ps.ask().unwrap_or_default().split_whitespace().collect()
    }

    fn await_states(server: &Server, wanted: &str) {
        // A signal is acted on when its receiver runs next; a test that waits for ever is ended by its runner.
        while states(server) != wanted {
            thread::yield_now();
        }
    }

    #[test]
    fn a_stopped_server_has_ended_by_itself_and_starts_again_on_its_data() {
        let folder = Folder::new(Medium::Disk).unwrap();
        let mut server = server(&folder, TWO_PROCESSES).unwrap();
        server.stop().unwrap();
        let log = std::fs::read_to_string(server.log()).unwrap();
        assert_eq!(log, "ready\nstopped\n");
        server.start().unwrap();
        let starts = std::fs::read_to_string(server.recipe.folder.join("starts")).unwrap();
        assert_eq!(starts, "started\nstarted\n");
    }

    #[test]
    fn a_killed_server_is_gone_with_all_its_processes_and_without_a_word() {
        let folder = Folder::new(Medium::Disk).unwrap();
        let mut server = server(&folder, TWO_PROCESSES).unwrap();
        server.kill().unwrap();
        let log = std::fs::read_to_string(server.log()).unwrap();
        assert_eq!(log, "ready\n");
        assert!(server.running.is_none());
    }

    #[test]
    fn a_paused_server_is_frozen_whole_and_goes_on_when_resumed() {
        let folder = Folder::new(Medium::Disk).unwrap();
        let server = server(&folder, TWO_PROCESSES).unwrap();
        server.pause().unwrap();
        await_states(&server, "TT");
        server.resume().unwrap();
        await_states(&server, "SS");
    }

    #[test]
    fn a_server_that_ends_at_its_start_is_an_error_with_its_last_words() {
        let folder = Folder::new(Medium::Disk).unwrap();
        let error = server(&folder, "echo no space >&2").err().unwrap();
        let text = error.to_string();
        assert!(
            text.ends_with("has ended at its start; it says:\nno space"),
            "{text}"
        );
    }

    #[test]
    fn a_server_that_is_down_cannot_be_paused_and_one_that_is_up_not_started() {
        let folder = Folder::new(Medium::Disk).unwrap();
        let mut server = server(&folder, TWO_PROCESSES).unwrap();
        assert!(server.start().is_err());
        server.kill().unwrap();
        assert!(server.pause().is_err());
    }
}
