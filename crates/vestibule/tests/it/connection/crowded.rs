//! More clients than the process may have files open for: slow downloads take their share and no more, so that
//! everything else is answered.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::io::AsyncReadExt as _;
use tokio::net::TcpStream;

use super::{Client, soon};

/// Fewer files than the server would like.
const OPEN_FILES: usize = 300;
/// What the site gets of them: a third of half.
const FOR_SITE: usize = 50;
/// With a connection and a file for each, more than the process may open.
const DOWNLOADS: usize = 140;

/// The real server with a site, under a limit on open files; ended when it is dropped.
struct Limited {
    child: Child,
    address: String,
    /// As the ready line shows them.
    warnings: String,
    _folder: TempDir,
}

impl Limited {
    /// `limit` is what the shell sets before it becomes the server.
    fn start(limit: &str) -> Self {
        Self::start_with(limit, &[])
    }

    fn start_with(limit: &str, flags: &[&str]) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let site = folder.path().join("site");
        std::fs::create_dir(&site).expect("a site");
        let film = std::fs::File::create(site.join("film.bin")).expect("a film");
        // Longer than what the kernel buffers for a client that does not read.
        film.set_len(256 * 1024 * 1024).expect("a long film");
        let mut child = Command::new("/bin/sh")
            .args(["-c", &format!("ulimit {limit} && exec \"$0\" \"$@\"")])
            .args([env!("CARGO_BIN_EXE_vestibule"), "serve", "--site", "site"])
            .args(["--listen", "127.0.0.1:0"])
            .args(flags)
            .current_dir(folder.path())
            .env_clear()
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("a shell");
        let stdout = child.stdout.take().expect("a pipe");
        let mut ready = String::new();
        BufReader::new(stdout)
            .read_line(&mut ready)
            .expect("readable");
        let ready: Value = serde_json::from_str(&ready).expect("the server is ready");
        Self {
            address: ready["listen"].as_str().expect("an address").to_owned(),
            warnings: ready["warnings"].to_string(),
            child,
            _folder: folder,
        }
    }

    async fn client(&self) -> Client {
        Client(
            TcpStream::connect(&self.address)
                .await
                .expect("a connection"),
        )
    }

    /// Sends a request on a connection of its own and gives the client, who reads nothing yet.
    async fn ask(&self, line: &str, body: &str) -> Client {
        let mut client = self.client().await;
        let length = body.len();
        let head = format!(
            "{line} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\
             Content-Type: application/json\r\nContent-Length: {length}\r\n\r\n"
        );
        client.send(head + body).await;
        client
    }

    /// The status of an answer that is read to its end.
    async fn status(&self, line: &str, body: &Value) -> u16 {
        let body = if body.is_null() {
            String::new()
        } else {
            body.to_string()
        };
        status(&mut self.ask(line, &body).await).await
    }

    fn limits(&self) -> String {
        let limits = Path::new("/proc").join(self.child.id().to_string());
        std::fs::read_to_string(limits.join("limits")).expect("the kernel tells")
    }
}

impl Drop for Limited {
    fn drop(&mut self) {
        // It may have ended before, which the test has noticed then.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Reads the status line and nothing behind it.
async fn status(client: &mut Client) -> u16 {
    let mut line = [0; "HTTP/1.1 200".len()];
    soon(client.0.read_exact(&mut line))
        .await
        .expect("an answer");
    let line = std::str::from_utf8(&line).expect("text");
    line["HTTP/1.1 ".len()..].parse().expect("a status")
}

#[tokio::test]
async fn downloads_that_nobody_reads_keep_no_one_from_the_rest_of_the_server() {
    let server = Limited::start(&format!("-n {OPEN_FILES}"));
    let ada = json!({ "email": "ada@example.org", "password": "ada likes long passwords" });
    assert_eq!(server.status("POST /api/auth/register", &ada).await, 201);
    let mut clients = Vec::new();
    for _ in 0..DOWNLOADS {
        clients.push(server.ask("GET /film.bin", "").await);
    }
    let mut downloads = Vec::new();
    for mut client in clients {
        match status(&mut client).await {
            200 => downloads.push(client),
            status => assert_eq!(status, 503),
        }
    }
    assert_eq!(downloads.len(), FOR_SITE);
    assert_eq!(server.status("GET /livez", &Value::Null).await, 200);
    assert_eq!(server.status("GET /readyz", &Value::Null).await, 200);
    let login = json!({ "login": "ada@example.org", "password": "ada likes long passwords" });
    assert_eq!(server.status("POST /api/auth/login", &login).await, 200);
    downloads.pop();
    assert_eq!(server.status("GET /film.bin", &Value::Null).await, 200);
}

#[tokio::test]
async fn more_connections_to_the_database_than_there_are_files_for_are_not_made() {
    let limit = format!("-n {OPEN_FILES}");
    let server = Limited::start_with(&limit, &["--database-max-connections=400"]);
    assert!(
        server.warnings.contains("there are enough for 25"),
        "{}",
        server.warnings
    );
    let mut clients = Vec::new();
    for _ in 0..90 {
        clients.push(server.client().await);
    }
    for _ in 0..10 {
        for client in &mut clients {
            client.send("GET /readyz HTTP/1.1\r\nHost: a\r\n\r\n").await;
        }
        for client in &mut clients {
            let answer = client.answer().await;
            assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
        }
    }
}

#[tokio::test]
async fn the_limit_on_open_files_is_raised_as_far_as_it_may_be() {
    let server = Limited::start(&format!("-S -n {OPEN_FILES}"));
    assert_eq!(server.status("GET /livez", &Value::Null).await, 200);
    let limits = server.limits();
    let files = limits
        .lines()
        .find_map(|line| line.strip_prefix("Max open files"))
        .expect("a line about files");
    let mut numbers = files.split_whitespace();
    let (soft, hard) = (numbers.next(), numbers.next());
    assert_eq!(soft, hard, "{limits}");
}
