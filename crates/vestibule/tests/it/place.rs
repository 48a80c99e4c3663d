//! Where the servers of a test keep what they know: a folder, and a database on the engine that
//! `VESTIBULE_TEST_DATABASE` names (`sqlite`, `postgres` or `mariadb`; a file where it names none).

use std::{fs, io::Write as _, os::unix::fs::OpenOptionsExt as _, path::Path};

use scratch::{Database, Server};
use tempfile::TempDir;

/// A folder to start servers in; it goes with this value, and its database with it.
pub(crate) struct Place {
    folder: TempDir,
    database: Option<Database>,
}

impl Place {
    /// On the engine of this run. Programs started in the folder find its address in `.env`.
    pub(crate) fn new() -> Self {
        engine().map_or_else(Self::in_a_file, Self::on)
    }

    /// On this server, whatever the engine of this run.
    pub(crate) fn on(server: Server) -> Self {
        let place = Self {
            database: Some(Database::new(server)),
            ..Self::in_a_file()
        };
        let url = place.database_url().expect("it is on a server");
        let mut options = fs::OpenOptions::new();
        let file = options.write(true).create_new(true).mode(0o600);
        let mut file = file.open(place.path().join(".env")).expect("a new file");
        writeln!(file, "VESTIBULE_DATABASE_URL='{url}'").expect("it takes a line");
        place
    }

    /// With the database in a file, whatever the engine of this run: for what is about files.
    pub(crate) fn in_a_file() -> Self {
        Self {
            folder: tempfile::tempdir().expect("a temporary folder"),
            database: None,
        }
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    /// The database, where it is not in a file.
    pub(crate) fn database_url(&self) -> Option<&str> {
        self.database
            .as_ref()
            .map(|database| database.url().as_str())
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "the variable is how tests are told, and no setting of the program"
)]
fn engine() -> Option<Server> {
    match std::env::var("VESTIBULE_TEST_DATABASE").as_deref() {
        Err(_) | Ok("sqlite") => None,
        Ok("postgres") => Some(Server::Postgres),
        Ok("mariadb") => Some(Server::MariaDb),
        Ok(other) => panic!("VESTIBULE_TEST_DATABASE is sqlite, postgres or mariadb, not {other}"),
    }
}
