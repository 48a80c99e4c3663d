//! The program put together: database, secret key, accounts, site. It reads no setting itself
//! and decides nothing.

use std::{
    io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, UdpSocket},
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use accounts::{Accounts, Clock, Database, DatabaseOptions, OpenError, Policy};

use crate::{
    client_addresses::{ClientAddresses, crowded},
    config::{Config, Registration, SecretKeySource},
    secret_key,
    serve::{self, Certificates, Doubt, OpenFiles},
    site::{AppSite, Private, Site},
    upstream::Upstream,
};

/// What every request needs. Cheap to clone.
#[derive(Clone)]
pub struct App(Arc<Parts>);

struct Parts {
    accounts: Accounts,
    config: Config,
    site: Option<Site>,
    behind: Option<Behind>,
    clock: Clock,
    draining: AtomicBool,
    addresses: ClientAddresses,
}

/// Somebody's app in the place of a static site.
#[derive(Debug)]
pub struct Behind {
    /// Who may ask it for what.
    pub site: AppSite,
    /// The way to it.
    pub upstream: Upstream,
}

/// Why the program did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// A setting has to change first.
    #[error("{0}")]
    Misconfigured(String),
    /// Something that may pass.
    #[error("{0}")]
    Failed(String),
}

impl App {
    /// Puts the parts together.
    #[must_use]
    pub fn new(accounts: Accounts, config: Config, site: Option<Site>, clock: Clock) -> Self {
        let draining = AtomicBool::new(false);
        let settings = &config.site;
        let behind = settings.upstream.as_ref().map(|origin| {
            let connections = open_files(&config).for_app;
            Behind {
                site: AppSite::new(settings.rules.clone()),
                upstream: Upstream::new(origin, settings.upstream_timeout, connections),
            }
        });
        Self(Arc::new(Parts {
            accounts,
            config,
            site,
            behind,
            clock,
            draining,
            addresses: ClientAddresses::default(),
        }))
    }

    /// The accounts.
    #[must_use]
    pub fn accounts(&self) -> &Accounts {
        &self.0.accounts
    }

    /// The settings in force.
    #[must_use]
    pub fn config(&self) -> &Config {
        &self.0.config
    }

    /// The static site, if there is one.
    #[must_use]
    pub fn site(&self) -> Option<&Site> {
        self.0.site.as_ref()
    }

    /// The app behind the gate, if there is one.
    #[must_use]
    pub fn behind(&self) -> Option<&Behind> {
        self.0.behind.as_ref()
    }

    /// The addresses from which a proxy may speak.
    pub(crate) fn client_addresses(&self) -> &ClientAddresses {
        &self.0.addresses
    }

    /// Whether browsers reach the server by https, by its public URL.
    #[must_use]
    pub fn is_https(&self) -> bool {
        self.0.config.public_url.is_https()
    }

    /// Whether a page of this origin may act for its visitor.
    #[must_use]
    pub fn is_own_or_allowed_origin(&self, origin: &str) -> bool {
        let config = self.config();
        config
            .own_origins()
            .iter()
            .chain(&config.cors.origins)
            .any(|ours| ours == origin)
    }

    /// From now on the server says that it is not ready.
    pub fn start_draining(&self) {
        self.0.draining.store(true, Ordering::Relaxed);
    }

    /// Whether the server is on its way down.
    #[must_use]
    pub fn is_draining(&self) -> bool {
        self.0.draining.load(Ordering::Relaxed)
    }

    /// An id for a request, unique and in the order of time.
    #[must_use]
    pub fn request_id(&self) -> String {
        self.0.accounts.new_request_id()
    }

    /// Time since some moment, which no change of the system clock moves.
    #[must_use]
    pub fn monotonic(&self) -> Duration {
        self.0.clock.monotonic()
    }
}

/// Connects to the configured database and brings its schema up to date, once the secret key is
/// known to be the right one.
///
/// # Errors
/// [`StartError`], with what to do about it.
pub async fn open_database(config: &Config) -> Result<Database, StartError> {
    let options = DatabaseOptions {
        startup_timeout: config.database.startup_timeout,
        ..options_with_replicas(config)
    };
    let database = connect(config, &options).await?;
    database.migrate_up(None).await?;
    Ok(database)
}

/// Like [`open_database`], for a command beside a server: a schema that a running server may
/// still use is not migrated under it. A new database is made.
///
/// # Errors
/// [`StartError`], with what to do about it.
pub async fn open_database_beside_server(config: &Config) -> Result<Database, StartError> {
    let database = connect(config, &database_options(config)).await?;
    let status = database.migration_status().await?;
    let applied = status
        .iter()
        .filter(|step| step.applied_at.is_some())
        .count();
    if applied > 0 && applied < status.len() {
        return Err(StartError::Failed(
            "the database has an older schema; start the server of this release, or run \
             `vestibule migrate up`, first"
                .to_owned(),
        ));
    }
    database.migrate_up(None).await?;
    Ok(database)
}

/// Like [`open_database_beside_server`], and refuses to make a database where there is none.
///
/// # Errors
/// [`StartError`], with what to do about it.
pub async fn open_existing_database(config: &Config) -> Result<Database, StartError> {
    refuse_missing(config)?;
    connect(config, &database_options(config)).await
}

/// Like [`open_existing_database`], with all that a server has beside the database itself: for a
/// look at it.
///
/// # Errors
/// [`StartError`], with what to do about it.
pub async fn open_database_with_replicas(config: &Config) -> Result<Database, StartError> {
    refuse_missing(config)?;
    connect(config, &options_with_replicas(config)).await
}

/// A database on a server exists, or the server says that it does not.
fn refuse_missing(config: &Config) -> Result<(), StartError> {
    let url = &config.database.url;
    if url.file().is_none_or(Path::exists) {
        return Ok(());
    }
    Err(StartError::Failed(format!(
        "there is no database at {url} yet; `vestibule serve` or `vestibule migrate up` makes it"
    )))
}

async fn connect(config: &Config, options: &DatabaseOptions) -> Result<Database, StartError> {
    let database = if config.read_only {
        refuse_missing(config)?;
        Database::connect_read_only(options).await?
    } else {
        prepare_data_dir(config)?;
        Database::connect(options).await?
    };
    let founded = database.is_founded().await;
    if founded.map_err(|error| StartError::Failed(error.to_string()))? {
        let secret = secret_key::existing(config)?;
        database.refuse_other_key(&secret).await?;
    } else if config.read_only {
        return Err(StartError::Misconfigured(format!(
            "read_only: {} holds no accounts yet; start the server once without it",
            config.database.url
        )));
    }
    Ok(database)
}

/// How this process shares out the files that it may open.
#[must_use]
pub fn open_files(config: &Config) -> OpenFiles {
    let files = serve::open_files(config.database.max_connections);
    match config.site.upstream {
        Some(_) => files.for_proxying(),
        None => files,
    }
}

/// A sentence to the operator where fewer connections to the database are made than configured.
#[must_use]
pub fn few_files(config: &Config) -> Option<String> {
    let wanted = config.database.max_connections;
    let allowed = open_files(config).for_database;
    (allowed < wanted).then(|| {
        format!(
            "database.max_connections is {wanted}, but of the {} files that this process may open there are enough \
             for {allowed}; raise the limit (ulimit -n, or LimitNOFILE in a unit of systemd)",
            serve::open_files_limit()
        )
    })
}

/// How to connect to the configured database, which must be up. Commands ask the primary alone.
#[must_use]
pub fn database_options(config: &Config) -> DatabaseOptions {
    let database = &config.database;
    DatabaseOptions {
        url: database.url.clone(),
        direct_url: database.direct_url.clone(),
        replica_urls: Vec::new(),
        replica_max_lag: database.replica_max_lag,
        tls: database.tls,
        max_connections: open_files(config).for_database,
        min_connections: database.min_connections,
        acquire_timeout: database.acquire_timeout,
        idle_timeout: database.idle_timeout,
        max_lifetime: database.max_lifetime,
        startup_timeout: Duration::ZERO,
    }
}

fn options_with_replicas(config: &Config) -> DatabaseOptions {
    DatabaseOptions {
        replica_urls: config.database.replica_urls.clone(),
        ..database_options(config)
    }
}

/// Settings of the database under which a commit may not survive a power cut, a sentence each.
///
/// # Errors
/// [`StartError::Failed`] when the database does not answer.
pub async fn weak_durability(database: &Database) -> Result<Vec<String>, StartError> {
    let report = database.engine_report().await;
    let report = report.map_err(|error| StartError::Failed(error.to_string()))?;
    let weak = report.settings.iter().filter(|setting| !setting.is_safe);
    Ok(weak
        .map(|setting| {
            format!(
                "the database runs with {}={}, which does not keep commits through a power cut",
                setting.name, setting.value
            )
        })
        .collect())
}

/// A sentence to the operator where the configured Redis cannot be used. The first connection is made here.
pub async fn missing_redis(accounts: &Accounts) -> Option<String> {
    let reason = accounts.connect_redis().await.err()?;
    Some(format!(
        "redis.url: {reason}. Until it can be used, each node counts limits for itself"
    ))
}

/// Private addresses that many accounts have logged in from lately, a sentence each with what to do about it.
///
/// # Errors
/// [`StartError::Failed`] when the database does not answer.
pub async fn crowded_addresses(
    config: &Config,
    accounts: &Accounts,
) -> Result<Vec<String>, StartError> {
    let logins = accounts.operator().recent_logins().await;
    let logins = logins.map_err(|error| StartError::Failed(error.to_string()))?;
    let crowds = crowded(logins).into_iter();
    Ok(crowds
        .map(|crowd| format!("{crowd}; {}", crowd.fix(&config.trusted_proxies)))
        .collect())
}

/// Opens the configured static site, if there is one.
///
/// # Errors
/// [`StartError::Misconfigured`] with what to do about the folder.
pub fn open_site(config: &Config) -> Result<Option<Site>, StartError> {
    let Some(dir) = &config.site.dir else {
        return Ok(None);
    };
    let mut private = vec![Private::DataDir(&config.data_dir)];
    private.extend(config.database.url.file().map(Private::Database));
    private.extend(config.secret_key_file.as_deref().map(Private::SecretKey));
    private.extend(config.signing_key_file.as_deref().map(Private::SigningKey));
    private.extend(config.tls.as_ref().map(|tls| Private::TlsKey(&tls.key)));
    let admin = config.admin.as_ref();
    private.extend(admin.map(|admin| Private::AdminPassword(&admin.password_file)));
    private.extend(config.audit.file.as_deref().map(Private::AuditFile));
    let values = config.value_files.iter();
    private.extend(values.map(|(variable, path)| Private::Value(variable, path)));
    private.extend(config.file.as_deref().map(Private::Configuration));
    let files = open_files(config).for_site;
    let site = Site::open(dir, config.site.rules.clone(), &private, files);
    site.map(Some)
        .map_err(|problem| StartError::Misconfigured(problem.to_string()))
}

/// Refuses an app that is this very server, which would hand each request on to itself. A name that leads nowhere may
/// lead to the app later.
///
/// # Errors
/// [`StartError::Misconfigured`].
pub async fn refuse_itself_as_app(config: &Config) -> Result<(), StartError> {
    let Some(upstream) = &config.site.upstream else {
        return Ok(());
    };
    let (listen, port) = (config.listen.ip(), upstream.port());
    // At `::`, IPv4 is listened to as well.
    let is_everywhere = |ip: IpAddr| listen.is_unspecified() && (listen.is_ipv6() || ip.is_ipv4());
    let is_here =
        |ip: IpAddr| ip == listen || (is_everywhere(ip) && (ip.is_loopback() || is_own(ip)));
    let host = upstream.host().trim_matches(['[', ']']);
    let found = tokio::net::lookup_host((host, port)).await;
    let mut addresses = found.into_iter().flatten();
    if port == config.listen.port() && addresses.any(|at| is_here(at.ip().to_canonical())) {
        return Err(StartError::Misconfigured(format!(
            "site.upstream: {upstream} is where this server itself listens; name the address of the app, or another \
             one in listen"
        )));
    }
    Ok(())
}

/// Whether an address is one of this machine: to such a one, the way begins at itself. Nothing is sent to find it out.
fn is_own(ip: IpAddr) -> bool {
    let from_anywhere: IpAddr = match ip {
        IpAddr::V4(_) => Ipv4Addr::UNSPECIFIED.into(),
        IpAddr::V6(_) => Ipv6Addr::UNSPECIFIED.into(),
    };
    let way = UdpSocket::bind((from_anywhere, 0)).and_then(|socket| {
        // Any port but 0 will do.
        socket.connect((ip, 9))?;
        socket.local_addr()
    });
    way.is_ok_and(|start| start.ip() == ip)
}

/// Reads the certificate of a server that speaks TLS itself.
///
/// # Errors
/// [`StartError::Misconfigured`] with what to do about the files.
pub fn open_certificates(config: &Config) -> Result<Option<Arc<Certificates>>, StartError> {
    let opened = config.tls.clone().map(Certificates::open).transpose();
    opened
        .map(|certificates| certificates.map(Arc::new))
        .map_err(|problem| StartError::Misconfigured(problem.to_string()))
}

/// What browsers have against a certificate in front of `public_url`.
#[must_use]
pub fn doubts(config: &Config, certificates: &Certificates, clock: &Clock) -> Vec<Doubt> {
    let now = u64::try_from(clock.now().as_seconds()).unwrap_or_default();
    certificates.doubts(config.public_url.host(), Duration::from_secs(now))
}

/// Files with secrets that others than their owner may read, a sentence each.
#[must_use]
pub fn wide_modes(config: &Config) -> Vec<String> {
    let mut expected = vec![(config.data_dir.clone(), 0o700)];
    let database = config.database.url.file();
    expected.extend(database.map(|file| (file.to_owned(), 0o600)));
    if let SecretKeySource::GeneratedAt(path) = &config.secret_key {
        expected.push((path.clone(), 0o600));
    }
    if let Some(admin) = &config.admin {
        expected.push((admin.password_file.clone(), 0o600));
    }
    expected
        .into_iter()
        .filter_map(|(path, mode)| wide_mode(&path, mode))
        .collect()
}

#[cfg(unix)]
fn wide_mode(path: &Path, expected: u32) -> Option<String> {
    let mode =
        std::os::unix::fs::PermissionsExt::mode(&std::fs::metadata(path).ok()?.permissions());
    (mode & 0o777 & !expected != 0).then(|| {
        format!(
            "{} may be read by others (mode {:o}); close it with: chmod {expected:o} {}",
            path.display(),
            mode & 0o777,
            path.display()
        )
    })
}

#[cfg(not(unix))]
fn wide_mode(_: &Path, _: u32) -> Option<String> {
    None
}

/// Creates the folder for data, for its owner alone.
///
/// # Errors
/// [`StartError::Misconfigured`] when it cannot be made.
pub fn prepare_data_dir(config: &Config) -> Result<(), StartError> {
    create_private_dir(&config.data_dir).map_err(|error| {
        StartError::Misconfigured(format!(
            "data_dir {} cannot be created: {error}. Name a folder that this user may write to",
            config.data_dir.display()
        ))
    })
}

/// Opens the accounts of a migrated database with the configured secret key.
///
/// # Errors
/// [`StartError::Misconfigured`] when the key is missing or is not the one the database was
/// founded with.
pub async fn open_accounts(
    config: &Config,
    database: &Database,
    clock: Clock,
) -> Result<Accounts, StartError> {
    let secret = secret_key::obtain(config, database).await?;
    Ok(Accounts::open(database, &secret, policy(config), clock).await?)
}

fn create_private_dir(path: &Path) -> io::Result<()> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path)
}

fn policy(config: &Config) -> Policy {
    let slots = std::thread::available_parallelism().unwrap_or(std::num::NonZeroUsize::MIN);
    Policy {
        registration_open: config.registration == Registration::Open,
        password_min_length: config.password.min_length,
        issuer: config.token.issuer.clone(),
        audience: config.token.audience.clone(),
        signing_algorithm: config.token.algorithm,
        signing_key: config.signing_key.clone(),
        access_ttl: config.token.access_ttl,
        refresh_idle_ttl: config.token.refresh_idle_ttl,
        refresh_absolute_ttl: config.token.refresh_absolute_ttl,
        refresh_grace: config.token.refresh_grace,
        cookie_idle_ttl: config.cookie.idle_ttl,
        cookie_absolute_ttl: config.cookie.absolute_ttl,
        deleted_retention: config.retention.deleted,
        audit_retention: config.retention.audit,
        limits: config.limits,
        redis: config.redis.url.clone(),
        hash_cost: config.password.hash_cost,
        hash_slots: slots,
        hash_queue: slots.get() * HASH_QUEUE_PER_SLOT,
    }
}

/// With argon2id at some 15 to 25 ms, a full queue is worth about two seconds. With bcrypt it would be worth more than
/// anybody waits: there the longest wait ends it.
const HASH_QUEUE_PER_SLOT: usize = 96;

impl From<OpenError> for StartError {
    fn from(error: OpenError) -> Self {
        match error.is_misconfiguration() {
            true => Self::Misconfigured(error.to_string()),
            false => Self::Failed(error.to_string()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::is_own;

    #[test]
    fn an_address_of_this_machine_is_told_from_one_elsewhere() {
        assert!(is_own([127, 0, 0, 1].into()));
        assert!(!is_own([192, 0, 2, 1].into()));
    }
}
