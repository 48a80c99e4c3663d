//! Where a database is, as an operator writes it: the scheme of the URL picks the engine. What is
//! wrong with a URL is said here, before anything connects.

use std::{
    fmt,
    fs::File,
    io,
    path::{Path, PathBuf},
    str::FromStr,
};

use percent_encoding::{NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use url::Url;

use super::Engine;

/// Where the database is. The scheme of the URL picks the engine.
#[derive(Clone, PartialEq, Eq)]
pub struct DatabaseUrl(pub(super) Place);

/// A file of ours, or somebody's server.
#[derive(Clone, PartialEq, Eq)]
pub(super) enum Place {
    File(PathBuf),
    Server(Box<Server>),
}

/// A database on a server, and how to get there.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Server {
    pub(super) engine: ServerEngine,
    pub(super) address: Address,
    pub(super) user: String,
    /// Empty where the server asks for none.
    pub(super) password: String,
    pub(super) database: String,
    pub(super) tls: TlsMode,
    /// Authorities to trust besides the public ones.
    pub(super) root_certificates: Option<PathBuf>,
    /// The certificate by which we are known, and its key.
    pub(super) client_certificate: Option<(PathBuf, PathBuf)>,
    /// How many prepared statements a connection keeps; 0 for poolers that know none.
    pub(super) statement_cache: usize,
}

/// A family of servers that speak one protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ServerEngine {
    Postgres,
    /// MariaDB and MySQL.
    MySql,
}

impl ServerEngine {
    /// The programs that back it up and restore it.
    pub(super) fn backup_tools(self) -> &'static str {
        match self {
            Self::Postgres => "pg_dump and pg_restore",
            Self::MySql => "mariadb-dump and mariadb",
        }
    }

    /// Its name in OpenTelemetry's conventions.
    pub(super) fn system_name(self) -> &'static str {
        match self {
            Self::Postgres => "postgresql",
            Self::MySql => "mariadb",
        }
    }
}

/// Where a server listens.
#[derive(Clone, PartialEq, Eq)]
pub(super) enum Address {
    Tcp(String, u16),
    /// A Unix socket: for PostgreSQL its folder, for MariaDB the socket itself.
    Socket(PathBuf),
}

/// How a connection to a server is protected. Each mode asks for more than the one before.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum TlsMode {
    /// Never encrypted.
    Disable,
    /// Encrypted where the server can.
    Prefer,
    /// Encrypted, or no connection; who the server is goes unchecked.
    Require,
    /// Also, its certificate comes from an authority that is trusted.
    VerifyCa,
    /// Also, the certificate is for the host of the URL.
    VerifyFull,
}

/// Why a database URL cannot be used; the text says what was expected.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected {0}")]
pub struct UrlProblem(String);

impl DatabaseUrl {
    /// Reads `sqlite://PATH`, where a path after two slashes is relative to the working directory
    /// and after three absolute, or `postgres://USER:PASSWORD@HOST:PORT/DATABASE`, or the same
    /// with `mysql` or `mariadb`. The name of a driver behind a plus sign, as SQLAlchemy writes it,
    /// is skipped.
    ///
    /// # Errors
    /// What was expected instead. It repeats no password.
    pub fn parse(url: &str) -> Result<Self, UrlProblem> {
        let Some((scheme, rest)) = url.split_once(':') else {
            return Err(problem(ANY_URL));
        };
        let engine = scheme.split_once('+').map_or(scheme, |(engine, _)| engine);
        let place = match engine.to_ascii_lowercase().as_str() {
            "sqlite" => Place::File(file(rest)?),
            "postgres" | "postgresql" => {
                Place::Server(Box::new(server(ServerEngine::Postgres, rest)?))
            }
            "mysql" | "mariadb" => Place::Server(Box::new(server(ServerEngine::MySql, rest)?)),
            _ => return Err(problem(ANY_URL)),
        };
        Ok(Self(place))
    }

    /// Whether a text is meant for a URL, and not for the name of a file: whether its scheme is one of ours.
    #[must_use]
    pub fn is_like(text: &str) -> bool {
        let scheme = text
            .split_once(':')
            .map(|(scheme, _)| scheme.to_ascii_lowercase());
        let engine = scheme
            .as_deref()
            .and_then(|scheme| scheme.split('+').next());
        engine.is_some_and(|engine| Engine::of_scheme(engine).is_some()) || text.contains("://")
    }

    /// The SQLite database in `file`.
    #[must_use]
    pub fn of_file(file: PathBuf) -> Self {
        Self(Place::File(file))
    }

    /// The file, for checks of its place and mode; `None` for a database on a server.
    #[must_use]
    pub fn file(&self) -> Option<&Path> {
        match &self.0 {
            Place::File(file) => Some(file),
            Place::Server(_) => None,
        }
    }

    /// The programs that back a server up and restore it; `None` for a file, which [`crate::Store::back_up`] does.
    #[must_use]
    pub fn backup_tools(&self) -> Option<&'static str> {
        match &self.0 {
            Place::File(_) => None,
            Place::Server(server) => Some(server.engine.backup_tools()),
        }
    }

    /// The engine, by the name that `db.system.name` has for it in OpenTelemetry's conventions.
    #[must_use]
    pub fn system_name(&self) -> &'static str {
        match &self.0 {
            Place::File(_) => "sqlite",
            Place::Server(server) => server.engine.system_name(),
        }
    }

    /// Whether a password stands in it.
    #[must_use]
    pub fn has_password(&self) -> bool {
        matches!(&self.0, Place::Server(server) if !server.password.is_empty())
    }

    /// Whether both are of one engine, as two addresses of one database are.
    #[must_use]
    pub fn has_engine_of(&self, other: &Self) -> bool {
        match (&self.0, &other.0) {
            (Place::Server(one), Place::Server(other)) => one.engine == other.engine,
            (Place::File(_), Place::File(_)) => true,
            _ => false,
        }
    }
}

/// The URL without a password.
impl fmt::Display for DatabaseUrl {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Place::File(file) => write!(formatter, "sqlite://{}", file.display()),
            Place::Server(server) => server.fmt(formatter),
        }
    }
}

/// The same as for people: what is printed for debugging ends up in a log, too.
impl fmt::Debug for DatabaseUrl {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "DatabaseUrl({self})")
    }
}

impl Server {
    /// A file that the URL names and that cannot be read, and why.
    pub(super) fn unreadable_file(&self) -> Option<(&Path, io::Error)> {
        let own = self.client_certificate.iter();
        let own = own.flat_map(|(certificate, key)| [certificate, key]);
        let mut files = self.root_certificates.iter().chain(own);
        files.find_map(|file| Some((file.as_path(), File::open(file).err()?)))
    }

    /// Where it listens, as short as an operator knows it: host and port, or the socket.
    pub(super) fn place(&self) -> String {
        match &self.address {
            Address::Tcp(host, port) => match host.contains(':') {
                true => format!("[{host}]:{port}"),
                false => format!("{host}:{port}"),
            },
            Address::Socket(path) => path.display().to_string(),
        }
    }
}

impl fmt::Display for Server {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let encoded = |text: &str| utf8_percent_encode(text, NON_ALPHANUMERIC).to_string();
        let scheme = match self.engine {
            ServerEngine::Postgres => "postgres",
            ServerEngine::MySql => "mysql",
        };
        let password = if self.password.is_empty() { "" } else { ":***" };
        let user = encoded(&self.user);
        let port = match &self.address {
            Address::Tcp(..) => "",
            Address::Socket(_) => ":",
        };
        let (place, database) = (self.place(), &self.database);
        write!(
            formatter,
            "{scheme}://{user}{password}@{place}{port}/{database}"
        )
    }
}

impl FromStr for TlsMode {
    type Err = UrlProblem;

    /// The words of `sslmode` (PostgreSQL) and of `ssl-mode` (MySQL).
    fn from_str(text: &str) -> Result<Self, UrlProblem> {
        match text.to_ascii_lowercase().replace('_', "-").as_str() {
            "disable" | "disabled" => Ok(Self::Disable),
            "allow" | "prefer" | "preferred" => Ok(Self::Prefer),
            "require" | "required" => Ok(Self::Require),
            "verify-ca" => Ok(Self::VerifyCa),
            "verify-full" | "verify-identity" => Ok(Self::VerifyFull),
            _ => Err(problem(
                "one of disable, prefer, require, verify-ca, verify-full for sslmode",
            )),
        }
    }
}

const ANY_URL: &str = "a database URL that begins with sqlite:, postgres: or mysql:";
const SERVER_URL: &str =
    "SCHEME://USER:PASSWORD@HOST:PORT/DATABASE, with special characters percent-encoded";

/// Stands for the host of a URL that has none (RFC 2606: nothing has this name).
const NO_HOST: &str = "no-host.invalid";

fn problem(expected: impl Into<String>) -> UrlProblem {
    UrlProblem(expected.into())
}

fn file(rest: &str) -> Result<PathBuf, UrlProblem> {
    let path = rest.strip_prefix("//").unwrap_or(rest);
    if path.contains(":memory:") {
        return Err(problem(
            "a file: a database in memory would lose every account",
        ));
    }
    if path.is_empty() || path.ends_with('/') || path.contains(['?', '#', '\0']) {
        return Err(problem(
            "sqlite://PATH with the path of a file and nothing after it",
        ));
    }
    Ok(PathBuf::from(path))
}

fn server(engine: ServerEngine, rest: &str) -> Result<Server, UrlProblem> {
    // One scheme for all: the crate treats unknown schemes alike, and knows the port of none. It
    // wants a host behind an @, which operators leave out before a socket.
    let authority = rest.split('/').nth(2).unwrap_or_default();
    let rest = match authority.ends_with('@') {
        true => rest.replacen("@/", &format!("@{NO_HOST}/"), 1),
        false => rest.to_owned(),
    };
    let url = Url::parse(&format!("database:{rest}")).map_err(|_| problem(SERVER_URL))?;
    if url.cannot_be_a_base() || url.fragment().is_some() {
        return Err(problem(SERVER_URL));
    }
    let default_port = match engine {
        ServerEngine::Postgres => 5432,
        ServerEngine::MySql => 3306,
    };
    let host = url.host_str().unwrap_or_default();
    let host = decoded(host.trim_matches(['[', ']']))?;
    let address = match host.starts_with('/') {
        true => Address::Socket(host.into()),
        false => Address::Tcp(host, url.port().unwrap_or(default_port)),
    };
    let mut server = Server {
        engine,
        address,
        user: decoded(url.username())?,
        password: decoded(url.password().unwrap_or_default())?,
        database: decoded(url.path().trim_start_matches('/'))?,
        tls: TlsMode::Prefer,
        root_certificates: None,
        client_certificate: None,
        statement_cache: 100,
    };
    parameters(&mut server, &url)?;
    let is_nowhere =
        matches!(&server.address, Address::Tcp(host, _) if host.is_empty() || host == NO_HOST);
    if is_nowhere || server.user.is_empty() {
        return Err(problem(SERVER_URL));
    }
    if server.database.is_empty() || server.database.contains(['/', '\0']) {
        return Err(problem("a URL with the name of a database behind the host"));
    }
    Ok(server)
}

/// Takes over what stands behind the question mark. What is not understood is refused: to leave
/// out silently what somebody asked for may leave out the safety of a connection.
fn parameters(server: &mut Server, url: &Url) -> Result<(), UrlProblem> {
    let (mut certificate, mut key, mut binds_channel) = (None, None, false);
    for (name, value) in url.query_pairs() {
        match name.to_ascii_lowercase().replace('_', "-").as_str() {
            "sslmode" | "ssl-mode" | "ssl" => server.tls = value.parse()?,
            "sslrootcert" | "ssl-root-cert" | "sslca" | "ssl-ca" => {
                server.root_certificates = Some(value.as_ref().into());
            }
            "sslcert" | "ssl-cert" => certificate = Some(PathBuf::from(value.as_ref())),
            "sslkey" | "ssl-key" => key = Some(PathBuf::from(value.as_ref())),
            "statement-cache-capacity" => {
                let capacity = value.parse();
                server.statement_cache =
                    capacity.map_err(|_| problem("a number for statement-cache-capacity"))?;
            }
            "host" if value.starts_with('/') && server.engine == ServerEngine::Postgres => {
                server.address = Address::Socket(value.as_ref().into());
            }
            "socket" | "unix-socket" if server.engine == ServerEngine::MySql => {
                server.address = Address::Socket(value.as_ref().into());
            }
            // What it protects from, a server that is not the one meant, is kept out by its
            // certificate here.
            "channel-binding" => binds_channel = value == "require",
            "charset" if value.eq_ignore_ascii_case("utf8mb4") => {}
            "application-name" | "connect-timeout" => {}
            _ => {
                return Err(problem(format!(
                    "a URL without the parameter {}; known are sslmode, sslrootcert, sslcert, sslkey, \
                     channel_binding, statement-cache-capacity, and host or socket for a Unix socket",
                    name.escape_debug()
                )));
            }
        }
    }
    if binds_channel {
        server.tls = TlsMode::VerifyFull;
    }
    server.client_certificate = match (certificate, key) {
        (None, None) => None,
        (Some(certificate), Some(key)) => Some((certificate, key)),
        _ => return Err(problem("both or neither of sslcert and sslkey")),
    };
    Ok(())
}

fn decoded(text: &str) -> Result<String, UrlProblem> {
    let text = percent_decode_str(text).decode_utf8();
    text.map(Into::into).map_err(|_| problem(SERVER_URL))
}

#[cfg(test)]
mod tests {
    //! What operators write, and what they are told.

    use super::*;

    fn server_of(url: &str) -> Server {
        match DatabaseUrl::parse(url).expect(url).0 {
            Place::Server(server) => *server,
            Place::File(_) => panic!("{url} is a file"),
        }
    }

    fn refusal(url: &str) -> String {
        DatabaseUrl::parse(url).expect_err(url).to_string()
    }

    #[test]
    fn a_file_is_named_by_its_path() {
        let parsed = |url| DatabaseUrl::parse(url).expect("a path");
        assert_eq!(
            parsed("sqlite://a/b.db"),
            DatabaseUrl::of_file("a/b.db".into())
        );
        assert_eq!(
            parsed("sqlite:///a/b.db"),
            DatabaseUrl::of_file("/a/b.db".into())
        );
        assert_eq!(
            parsed("sqlite+aiosqlite:///a/b.db"),
            DatabaseUrl::of_file("/a/b.db".into())
        );
        for refused in [
            "sqlite::memory:",
            "sqlite://",
            "sqlite://a/",
            "sqlite://a.db?mode=ro",
            "a.db",
            "oracle://a/b",
        ] {
            assert!(DatabaseUrl::parse(refused).is_err(), "{refused}");
        }
    }

    #[test]
    fn the_scheme_picks_the_engine_whatever_its_driver() {
        for scheme in [
            "postgres",
            "postgresql",
            "postgresql+psycopg",
            "POSTGRESQL+asyncpg",
        ] {
            let server = server_of(&format!("{scheme}://ada@db/app"));
            assert_eq!(server.engine, ServerEngine::Postgres);
            assert!(matches!(&server.address, Address::Tcp(host, 5432) if host == "db"));
        }
        for scheme in ["mysql", "mariadb", "mysql+pymysql", "mariadb+aiomysql"] {
            let server = server_of(&format!("{scheme}://ada@db/app"));
            assert_eq!(server.engine, ServerEngine::MySql);
            assert!(matches!(&server.address, Address::Tcp(host, 3306) if host == "db"));
        }
    }

    #[test]
    fn names_and_passwords_are_decoded() {
        let server =
            server_of("postgres://a%40b:p%2Fw%3A%20d@[::1]:6432/app%2Bx?sslmode=verify-full");
        assert_eq!(
            (server.user.as_str(), server.password.as_str()),
            ("a@b", "p/w: d")
        );
        assert!(matches!(&server.address, Address::Tcp(host, 6432) if host == "::1"));
        assert_eq!(server.database, "app+x");
        assert_eq!(server.tls, TlsMode::VerifyFull);
    }

    #[test]
    fn a_socket_stands_in_a_parameter_or_in_place_of_the_host() {
        let folder = Address::Socket("/run/postgresql".into());
        assert!(server_of("postgres://ada@/app?host=/run/postgresql").address == folder);
        assert!(server_of("postgres://ada@%2Frun%2Fpostgresql/app").address == folder);
        let socket = Address::Socket("/run/mysqld/mysqld.sock".into());
        assert!(
            server_of("mysql://ada@/app?unix_socket=/run/mysqld/mysqld.sock").address == socket
        );
    }

    #[test]
    fn no_form_shows_the_password() {
        for url in [
            "postgres://ada:canary@db/app",
            "mysql://ada:canary@/app?socket=/run/s",
        ] {
            let url = DatabaseUrl::parse(url).expect("a server");
            for shown in [format!("{url}"), format!("{url:?}")] {
                assert!(
                    !shown.contains("canary") && shown.contains("***"),
                    "{shown}"
                );
            }
        }
    }

    #[test]
    fn what_is_missing_or_unknown_is_named() {
        assert!(refusal("postgres://ada@db").contains("name of a database"));
        assert!(refusal("postgres://db/app").contains("USER"));
        assert!(refusal("postgres:app").contains("USER"));
        assert!(refusal("postgres://ada@/app").contains("HOST"));
        assert!(refusal("mysql://ada@db/app?sslmode=yes").contains("verify-full"));
        assert!(refusal("mysql://ada@db/app?sslcert=c.pem").contains("sslkey"));
        let refused = refusal("postgres://ada@db/app?password=canary");
        assert!(
            refused.contains("parameter password") && !refused.contains("canary"),
            "{refused}"
        );
    }

    #[test]
    fn channel_binding_asks_for_a_certificate_that_is_checked() {
        let server = server_of("postgres://ada@db/app?sslmode=require&channel_binding=require");
        assert_eq!(server.tls, TlsMode::VerifyFull);
    }
}
