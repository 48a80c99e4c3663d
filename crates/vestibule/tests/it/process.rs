//! The real binary as a child process: started in a folder of its own on a free port, spoken to
//! over a socket, ended by its id.

use std::{
    ffi::OsStr,
    fs::File,
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::TcpStream,
    os::fd::AsFd as _,
    path::Path,
    process::{Child, ChildStdout, Command, Output, Stdio},
    sync::mpsc,
    time::Duration,
};

use serde_json::Value;

/// A server that has not ended by then would not end at all.
const PATIENCE: Duration = Duration::from_secs(60);

/// A call of the program in `folder`, with nothing of the tester's environment.
pub(crate) fn vestibule<S: AsRef<OsStr>>(
    folder: &Path,
    arguments: impl IntoIterator<Item = S>,
) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_vestibule"));
    command
        .args(arguments)
        .current_dir(folder)
        .env_clear()
        .stdin(Stdio::null());
    command
}

/// Runs the program to its end.
pub(crate) fn run<S: AsRef<OsStr>>(
    folder: &Path,
    arguments: impl IntoIterator<Item = S>,
) -> Output {
    vestibule(folder, arguments)
        .output()
        .expect("the program starts")
}

/// Runs it with a text on its standard input.
pub(crate) fn run_with_input(folder: &Path, arguments: &[&str], input: &str) -> Output {
    let mut command = vestibule(folder, arguments);
    command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = command.spawn().expect("the program starts");
    let mut stdin = child.stdin.take().expect("a pipe");
    stdin.write_all(input.as_bytes()).expect("it reads");
    drop(stdin);
    child.wait_with_output().expect("it ends")
}

pub(crate) fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).expect("UTF-8")
}

pub(crate) fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).expect("UTF-8")
}

/// A server that runs, and is ended when this is dropped.
pub(crate) struct Server {
    child: Child,
    /// What it said when it was ready.
    pub(crate) ready: Value,
    stdout: BufReader<ChildStdout>,
}

impl Server {
    /// Starts it on a free port and waits until it is ready. What it logs goes to `log` in the
    /// folder.
    pub(crate) fn start(folder: &Path, arguments: &[&str]) -> Self {
        let log = std::fs::File::options()
            .create(true)
            .append(true)
            .open(folder.join("log"))
            .expect("a log file");
        let listening = ["serve", "--listen", "127.0.0.1:0"];
        let mut command = vestibule(folder, listening.iter().chain(arguments));
        let mut child = command
            .stdout(Stdio::piped())
            .stderr(log)
            .spawn()
            .expect("the program starts");
        let mut stdout = BufReader::new(child.stdout.take().expect("a pipe"));
        let mut line = String::new();
        stdout.read_line(&mut line).expect("readable");
        let ready = serde_json::from_str(&line).unwrap_or_else(|_| {
            let log = std::fs::read_to_string(folder.join("log")).unwrap_or_default();
            panic!("not ready: {line}{log}")
        });
        Self {
            child,
            ready,
            stdout,
        }
    }

    /// Sends a request and gives status, head and body of its answer.
    pub(crate) fn request(&self, method: &str, path: &str, headers: &[&str], body: &str) -> Answer {
        Answer::read(self.send(method, path, headers, body))
    }

    /// Sends a request, whose answer is still to be read.
    pub(crate) fn send(&self, method: &str, path: &str, headers: &[&str], body: &str) -> TcpStream {
        let address = self.ready["listen"].as_str().expect("an address");
        send(address, method, path, headers, body)
    }

    /// Sends JSON.
    pub(crate) fn post(&self, path: &str, body: &Value) -> Answer {
        self.request(
            "POST",
            path,
            &["Content-Type: application/json"],
            &body.to_string(),
        )
    }

    /// Asks who an access token belongs to.
    pub(crate) fn me(&self, token: &str) -> Answer {
        self.request(
            "GET",
            "/api/auth/me",
            &[&format!("Authorization: Bearer {token}")],
            "",
        )
    }

    /// Sends a signal by the name that `kill` knows it by.
    pub(crate) fn signal(&self, name: &str) {
        let id = self.child.id().to_string();
        let sent = Command::new("kill")
            .args([&format!("-{name}"), &id])
            .status()
            .expect("kill runs");
        assert!(sent.success(), "the signal is sent");
    }

    /// Asks it to end, waits until it has, and gives its exit code.
    pub(crate) fn stop(mut self) -> Option<i32> {
        self.signal("TERM");
        // Its output ends with it.
        let output = self.stdout.get_ref().as_fd().try_clone_to_owned();
        let mut output = File::from(output.expect("a descriptor"));
        let (ended, end) = mpsc::channel();
        std::thread::spawn(move || {
            let read = output.read_to_end(&mut Vec::new());
            ended.send(read.is_ok())
        });
        assert_eq!(end.recv_timeout(PATIENCE), Ok(true), "it goes on");
        self.child.wait().expect("it ends").code()
    }

    /// Ends it as a power cut would.
    pub(crate) fn kill(mut self) {
        self.child.kill().expect("it runs");
        self.child.wait().expect("it ends");
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended before, which is what was wanted.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Sends a request to `address` and gives status, head and body of its answer.
pub(crate) fn request(
    address: &str,
    method: &str,
    path: &str,
    headers: &[&str],
    body: &str,
) -> Answer {
    Answer::read(send(address, method, path, headers, body))
}

/// Sends a request to `address`, whose answer is still to be read.
pub(crate) fn send(
    address: &str,
    method: &str,
    path: &str,
    headers: &[&str],
    body: &str,
) -> TcpStream {
    let mut stream = TcpStream::connect(address).expect("it listens");
    stream
        .set_read_timeout(Some(Duration::from_secs(30)))
        .expect("a timeout");
    let lines: String = headers.iter().map(|line| format!("{line}\r\n")).collect();
    let length = body.len();
    let request = format!(
        "{method} {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\
         Content-Length: {length}\r\n{lines}\r\n{body}"
    );
    stream.write_all(request.as_bytes()).expect("it reads");
    stream
}

/// An answer from the wire.
pub(crate) struct Answer {
    pub(crate) status: u16,
    /// The lines before the body.
    pub(crate) head: String,
    pub(crate) body: String,
}

impl Answer {
    /// Reads it to the end of the connection.
    pub(crate) fn read(mut stream: TcpStream) -> Self {
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).expect("it answers");
        Self::of(&String::from_utf8_lossy(&answer))
    }

    fn of(text: &str) -> Self {
        let (head, body) = text.split_once("\r\n\r\n").expect("a head");
        let status = head
            .split(' ')
            .nth(1)
            .and_then(|code| code.parse().ok())
            .expect("a status");
        Self {
            status,
            head: head.to_owned(),
            body: body.to_owned(),
        }
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).expect("JSON")
    }
}
