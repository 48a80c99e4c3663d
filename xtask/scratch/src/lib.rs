//! A database of its own for each test, on a server that somebody else has started: made empty,
//! dropped at the end, also of a test that fails. It belongs to the tests, and knows nothing of
//! the program that they test.

mod redis;

use std::hash::{BuildHasher as _, RandomState};

use sqlx::{AssertSqlSafe, Connection as _, mysql::MySqlConnection, postgres::PgConnection};
use url::Url;

pub use redis::Redis;

/// A server for tests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Server {
    /// The one of `VESTIBULE_TEST_POSTGRES`.
    Postgres,
    /// The one of `VESTIBULE_TEST_MARIADB`.
    MariaDb,
}

impl Server {
    fn variable(self) -> &'static str {
        match self {
            Self::Postgres => "VESTIBULE_TEST_POSTGRES",
            Self::MariaDb => "VESTIBULE_TEST_MARIADB",
        }
    }

    /// The URL of the server, with an account that may make databases.
    ///
    /// # Panics
    /// When nobody has started it: a test that cannot run has failed.
    #[must_use]
    pub fn url(self) -> Url {
        url_in(self.variable())
    }
}

/// The URL of a pooler in front of the server of `VESTIBULE_TEST_POSTGRES`, with its account.
///
/// # Panics
/// When nobody has started it.
#[must_use]
pub fn pooler() -> Url {
    url_in("VESTIBULE_TEST_POOLER")
}

#[expect(
    clippy::disallowed_methods,
    reason = "the variable is how tests are told, and no setting of the program"
)]
fn url_in(variable: &str) -> Url {
    let text = std::env::var(variable).unwrap_or_else(|_| {
        panic!(
            "{variable} names no server: run the tests with `cargo xtask test`, or with \
             `cargo xtask engines -- COMMAND`, which start one"
        )
    });
    text.parse().expect("the variable holds a URL")
}

/// An empty database, dropped with this value.
pub struct Database {
    server: Server,
    name: String,
    url: Url,
}

impl Database {
    /// Makes one.
    ///
    /// # Panics
    /// When the server does not let it.
    #[must_use]
    pub fn new(server: Server) -> Self {
        let name = format!("vestibule_test_{:016x}", RandomState::new().hash_one(()));
        let mut url = server.url();
        url.set_path(&name);
        execute(server, format!("CREATE DATABASE {name}"));
        Self { server, name, url }
    }

    /// Its URL.
    #[must_use]
    pub fn url(&self) -> &Url {
        &self.url
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        let name = &self.name;
        let drop = match self.server {
            // Connections that are about to end may still be there.
            Server::Postgres => format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)"),
            Server::MariaDb => format!("DROP DATABASE IF EXISTS {name}"),
        };
        execute(self.server, drop);
    }
}

/// Runs a statement on a thread of its own: the caller may be inside a runtime, and must not go on
/// before it is done.
fn execute(server: Server, statement: String) {
    let work = async move {
        let (url, statement) = (server.url(), sqlx::raw_sql(AssertSqlSafe(statement)));
        match server {
            Server::Postgres => {
                let mut connection = PgConnection::connect(url.as_str()).await?;
                statement.execute(&mut connection).await?;
                connection.close().await
            }
            Server::MariaDb => {
                let mut connection = MySqlConnection::connect(url.as_str()).await?;
                statement.execute(&mut connection).await?;
                connection.close().await
            }
        }
    };
    let thread = std::thread::spawn(|| {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .expect("a runtime");
        runtime.block_on(work)
    });
    match thread.join() {
        Ok(Ok(())) => {}
        Ok(Err(error)) => panic!("the test server: {error}"),
        Err(_) => panic!("the thread for the test server panicked"),
    }
}
