//! A Redis of its own for a test: on a socket in a folder of its own, so that it takes no port, and ended with the test.

use std::{
    io::{BufRead as _, BufReader},
    path::PathBuf,
    process::{Child, Command, Stdio},
};

use tempfile::TempDir;

/// A running `redis-server`, which writes nothing to a disk.
pub struct Redis {
    folder: TempDir,
    process: Child,
}

impl Redis {
    /// Starts one, and waits until it answers.
    ///
    /// # Panics
    /// When that is not possible: a test that cannot run has failed.
    #[must_use]
    pub fn start() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let process = start_in(&folder);
        Self { folder, process }
    }

    /// Its URL.
    #[must_use]
    pub fn url(&self) -> String {
        format!("unix://{}", socket_in(&self.folder).display())
    }

    /// Ends it at once, and with it all that it held.
    ///
    /// # Panics
    /// When it has ended by itself.
    pub fn kill(&mut self) {
        self.process.kill().expect("it has run until now");
        self.process.wait().expect("it was killed");
    }

    /// Starts it again, empty, where it was.
    pub fn restart(&mut self) {
        self.process = start_in(&self.folder);
    }

    /// Has its own client ask it something, and returns the answer.
    ///
    /// # Panics
    /// When there is no answer.
    #[must_use]
    pub fn ask(&self, words: &[&str]) -> String {
        let asked = Command::new("redis-cli")
            .arg("-s")
            .arg(socket_in(&self.folder))
            .args(words)
            .output()
            .expect("redis-cli is installed beside redis-server");
        assert!(asked.status.success(), "{asked:?}");
        String::from_utf8(asked.stdout).expect("it answers in text")
    }
}

impl Drop for Redis {
    fn drop(&mut self) {
        // A test that has ended it itself finds nothing to end.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn socket_in(folder: &TempDir) -> PathBuf {
    folder.path().join("redis.sock")
}

fn start_in(folder: &TempDir) -> Child {
    let mut process = Command::new("redis-server")
        .args(["--port", "0", "--save", "", "--unixsocket"])
        .arg(socket_in(folder))
        .current_dir(folder.path())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("redis-server is installed (Debian: apt-get install redis-server)");
    let log = process.stdout.take().expect("it was asked for");
    let mut lines = BufReader::new(log).lines();
    let ready = lines.any(|line| line.is_ok_and(|line| line.contains("eady to accept")));
    assert!(ready, "redis-server has ended instead of starting");
    // Somebody has to read on, or it would wait for that.
    std::thread::spawn(move || lines.for_each(drop));
    process
}
