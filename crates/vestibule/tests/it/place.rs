//! Where the servers of a test keep what they know: a folder, and a database on the engine that
//! `VESTIBULE_TEST_DATABASE` names (`sqlite`, `postgres`, `mariadb`, or `pooler` for PostgreSQL behind
//! PgBouncer; a file where it names none).

use std::{fs, io::Write as _, os::unix::fs::OpenOptionsExt as _, path::Path};

use scratch::{Database, Server};
use tempfile::TempDir;

/// A folder to start servers in; it goes with this value, and its database with it.
pub(crate) struct Place {
    folder: TempDir,
    database: Option<Database>,
    /// The settings that say where the database is.
    settings: Vec<(&'static str, String)>,
}

impl Place {
    /// On the engine of this run. Programs started in the folder find its address in `.env`.
    pub(crate) fn new() -> Self {
        match engine().as_deref() {
            Err(_) | Ok("sqlite") => Self::in_a_file(),
            Ok("postgres") => Self::on(Server::Postgres),
            Ok("mariadb") => Self::on(Server::MariaDb),
            Ok("pooler") => Self::behind_a_pooler(),
            Ok(other) => panic!(
                "VESTIBULE_TEST_DATABASE is sqlite, postgres, mariadb or pooler, not {other}"
            ),
        }
    }

    /// On this server, whatever the engine of this run.
    pub(crate) fn on(server: Server) -> Self {
        let database = Database::new(server);
        let url = database.url().to_string();
        Self::with(database, vec![("database.url", url)])
    }

    /// On PostgreSQL, with a pooler in between that hands out a connection for each transaction.
    fn behind_a_pooler() -> Self {
        let database = Database::new(Server::Postgres);
        let direct = database.url().to_string();
        let mut pooled = scratch::pooler();
        pooled.set_path(database.url().path());
        pooled.set_query(Some("statement-cache-capacity=0"));
        let settings = [
            ("database.url", pooled.into()),
            ("database.direct_url", direct),
        ];
        Self::with(database, settings.into())
    }

    fn with(database: Database, settings: Vec<(&'static str, String)>) -> Self {
        let place = Self {
            database: Some(database),
            settings,
            ..Self::in_a_file()
        };
        let mut options = fs::OpenOptions::new();
        let file = options.write(true).create_new(true).mode(0o600);
        let mut file = file.open(place.path().join(".env")).expect("a new file");
        for (key, url) in &place.settings {
            let variable = key.replace('.', "_").to_uppercase();
            writeln!(file, "VESTIBULE_{variable}='{url}'").expect("it takes a line");
        }
        place
    }

    /// With the database in a file, whatever the engine of this run: for what is about files.
    pub(crate) fn in_a_file() -> Self {
        Self {
            folder: tempfile::tempdir().expect("a temporary folder"),
            database: None,
            settings: Vec::new(),
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

    /// The settings that say where the database is, where it is not in a file.
    pub(crate) fn settings(&self) -> &[(&'static str, String)] {
        &self.settings
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "the variable is how tests are told, and no setting of the program"
)]
fn engine() -> Result<String, std::env::VarError> {
    std::env::var("VESTIBULE_TEST_DATABASE")
}
