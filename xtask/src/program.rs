//! Running other programs: shown before they start, without standard input, from the repository's root.
//! Which programs run, and what their output means, is decided by the callers.

use std::ffi::OsStr;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;

use anyhow::{Context, Result, bail};

/// The root of the repository, whatever the working directory.
pub(crate) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("xtask/ lies inside the repository")
}

/// The folder into which cargo builds, wherever it has been moved to.
pub(crate) fn target() -> Result<PathBuf> {
    let this_program = std::env::current_exe()?;
    let folder = this_program.ancestors().nth(2);
    Ok(folder
        .context("this program lies in target/debug")?
        .to_owned())
}

/// A program with its arguments, ready to run.
pub(crate) struct Program {
    command: Command,
    shown: String,
}

/// A user of the operating system, by its numbers.
#[derive(Clone, Copy)]
pub(crate) struct User {
    pub(crate) user_id: u32,
    pub(crate) group_id: u32,
}

/// What a program wrote and whether it ended well.
pub(crate) struct Ran {
    pub(crate) succeeded: bool,
    /// What it wrote to standard output and to standard error.
    pub(crate) text: String,
}

impl Program {
    pub(crate) fn new(name: impl AsRef<OsStr>) -> Self {
        let shown = name.as_ref().to_string_lossy().into_owned();
        let mut command = Command::new(name);
        command.current_dir(root()).stdin(Stdio::null());
        // `cargo run`, which started us, has set it; cargo's subcommands would take it for theirs.
        command.env_remove("CARGO_PKG_NAME");
        Self { command, shown }
    }

    /// Adds arguments, given as one line and split at blanks.
    pub(crate) fn words(mut self, line: &str) -> Self {
        for word in line.split_whitespace() {
            self = self.arg(word);
        }
        self
    }

    pub(crate) fn arg(mut self, argument: impl AsRef<OsStr>) -> Self {
        self.shown.push(' ');
        self.shown.push_str(&argument.as_ref().to_string_lossy());
        self.command.arg(argument);
        self
    }

    pub(crate) fn env(mut self, name: &str, value: impl AsRef<OsStr>) -> Self {
        self.command.env(name, value);
        self
    }

    /// Runs inside a folder, named from the root of the repository or absolutely.
    pub(crate) fn inside(mut self, folder: impl AsRef<Path>) -> Self {
        let folder = folder.as_ref();
        self.command.current_dir(root().join(folder));
        self.shown = format!("({}) {}", folder.display(), self.shown);
        self
    }

    /// Runs it as somebody else, and in none of root's groups; only root may.
    pub(crate) fn by_user(mut self, user: Option<User>) -> Self {
        if let Some(user) = user {
            self.command.uid(user.user_id).gid(user.group_id);
        }
        self
    }

    /// Lets it read what is typed, for commands that are not ours to choose.
    pub(crate) fn with_terminal(mut self) -> Self {
        self.command.stdin(Stdio::inherit());
        self
    }

    /// Runs it in view; ending with a failure is an error.
    pub(crate) fn run(mut self) -> Result<()> {
        self.show();
        let status = self.command.status().with_context(|| self.missing())?;
        if !status.success() {
            bail!("`{}` failed with {status}", self.shown);
        }
        Ok(())
    }

    /// Runs it in view but for what it writes, which is in the error if it ends with a failure.
    pub(crate) fn run_quietly(mut self) -> Result<()> {
        self.show();
        let output = self.command.output().with_context(|| self.missing())?;
        if !output.status.success() {
            let said = [output.stdout, output.stderr].concat();
            let said = String::from_utf8_lossy(&said);
            bail!("`{}` failed with {}:\n{said}", self.shown, output.status);
        }
        Ok(())
    }

    /// Runs it in view and keeps what it wrote; ending with a failure is for the caller to judge.
    pub(crate) fn watch(mut self) -> Result<Ran> {
        self.show();
        self.command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = self.command.spawn().with_context(|| self.missing())?;
        let errors = child.stderr.take().context("standard error is piped")?;
        let errors = thread::spawn(move || forward(errors, io::stderr()));
        let output = child.stdout.take().context("standard output is piped")?;
        let mut text = forward(output, io::stdout());
        let status = child.wait()?;
        text.push_str(&errors.join().expect("forwarding lines does not panic"));
        let succeeded = status.success();
        Ok(Ran { succeeded, text })
    }

    /// Runs it unseen and keeps what it wrote, in the order in which it came; ending with a failure is for the caller
    /// to judge.
    pub(crate) fn listen(mut self) -> Result<Ran> {
        let (mut output, writer) = io::pipe()?;
        self.command.stdout(writer.try_clone()?).stderr(writer);
        let missing = self.missing();
        let mut child = self.command.spawn().context(missing)?;
        // The end of what is written is when nobody holds the other side any more, as the command does.
        drop(self);
        let mut said = Vec::new();
        output.read_to_end(&mut said)?;
        Ok(Ran {
            succeeded: child.wait()?.success(),
            text: String::from_utf8_lossy(&said).into_owned(),
        })
    }

    /// Runs it unseen for what it writes to standard output; `None` when it is absent or fails.
    pub(crate) fn ask(mut self) -> Option<String> {
        let answer = self.command.stderr(Stdio::null()).output().ok()?;
        let text = String::from_utf8_lossy(&answer.stdout).trim().to_owned();
        answer.status.success().then_some(text)
    }

    /// Starts it in view and leaves it running.
    pub(crate) fn start(mut self) -> Result<Child> {
        self.show();
        self.command.spawn().with_context(|| self.missing())
    }

    /// Starts it out of reach of the terminal's Ctrl-C and without standard output.
    pub(crate) fn start_apart(mut self, input: Stdio, errors: Stdio) -> Result<Child> {
        self.command.process_group(0);
        self.command
            .stdin(input)
            .stdout(Stdio::null())
            .stderr(errors);
        self.command.spawn().with_context(|| self.missing())
    }

    pub(crate) fn show(&self) {
        println!("$ {}", self.shown);
    }

    fn missing(&self) -> String {
        format!("`{}` could not be started", self.shown)
    }
}

/// The absolute path of a program on PATH.
pub(crate) fn find(name: &str) -> Option<PathBuf> {
    Program::new("sh")
        .arg("-c")
        .arg("command -v \"$0\"")
        .arg(name)
        .ask()
        .map(PathBuf::from)
}

/// Copies lines to a terminal as they come, and returns them all.
fn forward(from: impl Read, mut to: impl Write) -> String {
    let mut text = String::new();
    let mut lines = BufReader::new(from);
    let mut line = Vec::new();
    while lines
        .read_until(b'\n', &mut line)
        .is_ok_and(|read| read > 0)
    {
        // A closed terminal must not end the tests, whose result still goes to the exit code.
        let _ = to.write_all(&line);
        text.push_str(&String::from_utf8_lossy(&line));
        line.clear();
    }
    text
}
