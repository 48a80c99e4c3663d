//! `vestibule serve`: the server, from its first line to its last.

use std::{
    convert::Infallible, future::pending, io::IsTerminal as _, net::SocketAddr, sync::Arc,
    time::Duration,
};

use axum::{Router, body::Body, extract::Request};
use clap::{ArgMatches, Command};
use futures_util::future::join;
use serde_json::json;
use tokio::{net::TcpListener, time::timeout};
use tokio_util::sync::CancellationToken;
use tower::ServiceExt as _;
use tracing::{instrument::WithSubscriber as _, subscriber::NoSubscriber};

use super::{
    Ended, Failure,
    first_admin::{self, FirstAdmin},
    output::say,
    reload::{Files, Reload},
};
use crate::{
    app::{self, App},
    audit_copy::AuditCopies,
    config::{Config, Loaded, Origin},
    http,
    serve::{self, Certificates, OpenFiles},
    site::Site,
    supervisor::Supervisor,
    telemetry::{self, metrics::Metrics, traces::Traces},
};

/// Who collects metrics is one or two programs.
const METRICS_CONNECTIONS: usize = 32;

/// A browser that is sent on is there for a moment, and once.
const REDIRECT_CONNECTIONS: usize = 512;

/// Whoever is silent for longer there holds a place that somebody else may wait for.
const REDIRECT_TIME: Duration = Duration::from_secs(2);

/// How long what is left to do may take when the last request has ended. With the time that requests have, and that of
/// threads at the end of the process, it stays within the ten seconds that are promised.
const LAST_THINGS: Duration = Duration::from_millis(1500);

pub(super) fn command() -> Command {
    Command::new("serve").about("Run the server")
}

pub(super) async fn run(matches: &ArgMatches, loaded: Loaded) -> Ended {
    let database_source = loaded.source_of("database.url").to_string();
    let Loaded {
        config,
        sources,
        rows,
        warnings,
        supervision,
    } = loaded;
    let traces = Traces::of(&config)
        .map_err(|error| Failure::Failed(format!("traces cannot be sent: {error}")))?;
    let level = telemetry::start(&config.log, &traces);
    let certificates = app::open_certificates(&config)?;
    let (listener, bound) = listen(config.listen, "listen")?;
    let metrics = match config.metrics_listen {
        Some(address) => Some(MetricsDoor::open(address)?),
        None => None,
    };
    let redirect = config.https_redirect;
    let redirect = redirect.map(|address| listen(address, "https_redirect"));
    let redirect = redirect.transpose()?;
    let config = config.with_bound(bound);
    app::refuse_itself_as_app(&config).await?;

    let site = app::open_site(&config)?;
    let database = app::open_database(&config).await?;
    let clock = accounts::Clock::system();
    let accounts = app::open_accounts(&config, &database, clock.clone()).await?;
    let copies = AuditCopies::start(&config, &accounts)?;
    let first_admin = first_admin::provide(&accounts, &config).await?;
    let mut warnings = warnings;
    warnings.extend(app::wide_modes(&config));
    let doubts = certificates
        .iter()
        .flat_map(|shown| app::doubts(&config, shown, &clock));
    warnings.extend(doubts.map(|doubt| doubt.text));
    warnings.extend(app::weak_durability(&database).await?);
    warnings.extend(app::few_files(&config));
    warnings.extend(app::missing_redis(&accounts).await);
    warnings.extend(app::crowded_addresses(&config, &accounts).await?);
    warnings.extend(site.iter().flat_map(site_warnings));
    #[cfg(feature = "ceiling")]
    warnings.push(
        "this program was built to be measured, with routes that do work for anybody; build it without the feature \
         `ceiling`"
            .to_owned(),
    );
    // Whoever reads that the server is ready may end it from then on, and gracefully.
    let terminated = serve::terminated();
    // On a terminal it means that the terminal is gone, and with it whoever would look after the server.
    let hang_ups = (!std::io::stdout().is_terminal()).then(serve::hang_ups);
    let supervisor = Supervisor::of(supervision.as_ref());
    let announcement = Announcement {
        config: &config,
        bound,
        metrics: metrics.as_ref().map(|metrics| metrics.bound),
        redirect: redirect.as_ref().map(|(_, bound)| *bound),
        database_source,
        sources,
        first_admin,
        warnings,
    };
    announcement.print();
    for warning in announcement.unprinted() {
        tracing::warn!("{warning}");
    }
    let status = announcement.last_line();
    supervisor.ready(&status);

    let (bounds, redirect_bounds) = bounds(&config);
    let chores = accounts.clone();
    let app = App::new(accounts, config, site, clock);
    let router = http::router(app.clone());
    let files = Files {
        matches: matches.clone(),
        rows,
        certificates: certificates.clone(),
        level,
    };
    let reload = Reload {
        files: Arc::new(files),
        supervisor: &supervisor,
        status,
    };
    let leaving = CancellationToken::new();
    let shutdown = async {
        terminated.await;
        app.start_draining();
        supervisor.stopping();
        tracing::info!("Shutting down");
        leaving.cancel();
    };
    let serving = serve_at(
        listener,
        certificates.clone(),
        router.clone(),
        bounds,
        shutdown,
    );
    let redirecting = serve_redirect(redirect, redirect_bounds, app.clone(), leaving.cancelled());
    // All of it is one task, and so is the watch over it: where one of these hangs, nobody says that the server is well.
    let drained = tokio::select! {
        (drained, ()) = join(serving, redirecting) => drained,
        never = MetricsDoor::serve(metrics, app.clone()) => match never {},
        never = keep_certificate_current(certificates) => match never {},
        never = reload.keep_reloading(hang_ups) => match never {},
        never = supervisor.keep_watch(|| answers(router.clone())) => match never {},
        never = chores.keep_keys_current() => match never {},
        never = chores.keep_revocations_current() => match never {},
        never = chores.keep_redis_connected() => match never {},
        never = chores.keep_purging() => match never {},
    };
    let serve::Drained { finished, cut } = drained;
    tracing::info!(
        server.finished = finished,
        server.cut = cut,
        "The last request has ended: since the shutdown {finished} were answered, and {cut} were cut off"
    );
    finish(copies, database, traces).await;
    Ok(())
}

/// Ends what may wait for others: for a disk, for a syslog, for the database, for a collector of traces. None of them keeps the server from its end,
/// and nothing is lost by it: events are copied after the next start, and a database takes a lost connection for an end.
async fn finish(copies: AuditCopies, database: accounts::Database, traces: Traces) {
    let last_things = async {
        copies.end().await;
        database.close().await;
    };
    let last_things = timeout(LAST_THINGS, last_things);
    let (ended, ()) = join(last_things, traces.end(LAST_THINGS)).await;
    if ended.is_err() {
        tracing::warn!(
            "The server ends without waiting any longer for its database and the copies of its audit log"
        );
    }
}

async fn serve_at(
    listener: TcpListener,
    certificates: Option<Arc<Certificates>>,
    router: Router,
    bounds: serve::Bounds,
    shutdown: impl Future<Output = ()>,
) -> serve::Drained {
    match certificates {
        Some(certificates) => {
            serve::serve_tls(listener, certificates, router, bounds, shutdown).await
        }
        None => serve::serve(listener, router, bounds, shutdown).await,
    }
}

/// The bounds of the server, and those of its address for plain http. They share the files that there are for connections,
/// of which a quarter at the most is behind an address that does so little.
fn bounds(config: &Config) -> (serve::Bounds, serve::Bounds) {
    let files = app::open_files(config);
    let redirected = match config.https_redirect {
        Some(_) => REDIRECT_CONNECTIONS.min(files.for_connections / 4),
        None => 0,
    };
    let of_any = serve::Bounds {
        drain_delay: config.drain_delay,
        ..serve::Bounds::default()
    };
    let of_server = of_any.within(OpenFiles {
        for_connections: files.for_connections - redirected,
        ..files
    });
    let of_redirect = serve::Bounds {
        silent_time: REDIRECT_TIME,
        header_time: REDIRECT_TIME,
        write_stall: REDIRECT_TIME,
        connections: redirected,
        ..of_any
    };
    (of_server, of_redirect)
}

/// Sends on whoever comes by plain http, for as long as the server takes connections itself.
async fn serve_redirect(
    door: Option<(TcpListener, SocketAddr)>,
    bounds: serve::Bounds,
    app: App,
    shutdown: impl Future<Output = ()>,
) {
    if let Some((listener, _)) = door {
        serve::serve(listener, http::redirect::router(app), bounds, shutdown).await;
    }
}

async fn keep_certificate_current(certificates: Option<Arc<Certificates>>) -> Infallible {
    match certificates {
        Some(certificates) => certificates.keep_current().await,
        None => pending().await,
    }
}

/// Whether a request is answered: on another thread than this task's, by all layers. The database is not asked, as a
/// restart would not mend it.
async fn answers(router: Router) -> bool {
    let request = Request::get("/livez").body(Body::empty());
    let request = request.expect("a path makes a request");
    // Nobody has sent it, so the log is silent about it.
    let answer = router.oneshot(request).with_subscriber(NoSubscriber::new());
    let answer = tokio::spawn(answer).await;
    answer.is_ok_and(|answer| answer.is_ok_and(|answer| answer.status().is_success()))
}

/// Listens there; `setting` is what the operator may change if that is not possible.
fn listen(address: SocketAddr, setting: &str) -> Result<(TcpListener, SocketAddr), Failure> {
    let listener = serve::bind(address).map_err(|error| {
        Failure::Failed(format!(
            "cannot listen on {address}: {error}. Name another address in {setting}, or end the program that uses it"
        ))
    })?;
    let bound = listener
        .local_addr()
        .map_err(|error| Failure::Failed(format!("the listening address is unknown: {error}")))?;
    Ok((listener, bound))
}

/// The address for metrics, where there is one.
struct MetricsDoor {
    listener: TcpListener,
    bound: SocketAddr,
    metrics: Metrics,
}

impl MetricsDoor {
    /// Begins to listen and to count.
    fn open(address: SocketAddr) -> Result<Self, Failure> {
        let (listener, bound) = listen(address, "metrics_listen")?;
        let metrics = Metrics::start()
            .map_err(|error| Failure::Failed(format!("metrics cannot be collected: {error}")))?;
        Ok(Self {
            listener,
            bound,
            metrics,
        })
    }

    /// Serves the numbers for as long as the server runs, its drain included.
    async fn serve(door: Option<Self>, app: App) -> Infallible {
        let Some(door) = door else {
            return pending().await;
        };
        let bounds = serve::Bounds {
            connections: METRICS_CONNECTIONS,
            ..serve::Bounds::default()
        };
        let router = http::metrics::router(door.metrics.clone(), app);
        let serving = serve::serve(door.listener, router, bounds, pending());
        tokio::join!(serving, door.metrics.keep_small()).1
    }
}

fn site_warnings(site: &Site) -> impl Iterator<Item = String> {
    let shadowed = site
        .shadowed()
        .into_iter()
        .map(|path| format!("the site's {path} is never served: that path belongs to Vestibule"));
    shadowed.chain(site.doubtful_rules())
}

/// What is said when the server is about to answer: a few lines on a terminal, one JSON line
/// elsewhere.
struct Announcement<'a> {
    config: &'a Config,
    bound: SocketAddr,
    /// Where the metrics are.
    metrics: Option<SocketAddr>,
    /// Where plain http is sent on.
    redirect: Option<SocketAddr>,
    /// Where the database's URL was said: a stray one is the mistake that costs most.
    database_source: String,
    sources: Vec<String>,
    first_admin: FirstAdmin,
    warnings: Vec<String>,
}

impl Announcement<'_> {
    /// Lines on a terminal. The last is the address.
    const MOST_LINES: usize = 12;

    fn print(&self) {
        if std::io::stdout().is_terminal() {
            for line in self.lines() {
                say!("{line}");
            }
        } else {
            say!("{}", self.json());
        }
    }

    /// What a terminal had no line for.
    fn unprinted(&self) -> &[String] {
        let printed = if std::io::stdout().is_terminal() {
            self.room_for_warnings()
        } else {
            usize::MAX
        };
        self.warnings.get(printed..).unwrap_or_default()
    }

    fn json(&self) -> serde_json::Value {
        json!({
            "event": "ready",
            "url": self.config.public_url.as_str(),
            "listen": self.bound.to_string(),
            "metrics": self.metrics.map(|address| format!("http://{address}/metrics")),
            "https_redirect": self.redirect.map(|address| address.to_string()),
            "data_dir": self.config.data_dir.display().to_string(),
            "database": self.config.database.url.to_string(),
            "database_from": self.database_source,
            "settings": self.sources,
            "site": self.config.site.dir.as_ref().map(|dir| dir.display().to_string()),
            "upstream": self.config.site.upstream.as_ref().map(Origin::as_str),
            "read_only": self.config.read_only,
            "first_admin": self.first_admin.appointed(),
            "setup_link_file": self.first_admin.link_file(),
            "warnings": self.warnings,
        })
    }

    fn lines(&self) -> Vec<String> {
        let room = self.room_for_warnings();
        let mut lines = self.facts();
        for warning in self.warnings.iter().take(room) {
            lines.push(format!("  warning   {warning}"));
        }
        if let Some(more @ 1..) = self.warnings.len().checked_sub(room) {
            lines.push(format!("  warning   and {more} more, in the log"));
        }
        lines.extend(self.closing());
        lines
    }

    /// What stands last, where it is seen: the way in for the first admin, and the addresses.
    fn closing(&self) -> Vec<String> {
        let way_in = self.first_admin.line().map(|line| format!("  {line}"));
        let read_only = match self.config.read_only {
            true => ", read-only",
            false => "",
        };
        let tls = self.config.tls.as_ref().map_or("", |_| ", with TLS");
        let redirect = self
            .redirect
            .map(|address| format!(", redirecting from {address}"));
        let redirect = redirect.unwrap_or_default();
        let addresses = [
            format!("  listening on {}{tls}{redirect}{read_only}", self.bound),
            self.last_line(),
        ];
        way_in.into_iter().chain(addresses).collect()
    }

    fn last_line(&self) -> String {
        format!("ready on {}", self.config.public_url)
    }

    fn facts(&self) -> Vec<String> {
        let config = self.config;
        let settings = match self.sources.as_slice() {
            [] => "defaults".to_owned(),
            sources => sources.join(", "),
        };
        let mut facts = vec![
            format!("Vestibule {}", env!("CARGO_PKG_VERSION")),
            format!("  data      {}", config.data_dir.display()),
            format!(
                "  database  {} ({})",
                config.database.url, self.database_source
            ),
            format!("  settings  {settings}"),
        ];
        let dir = config
            .site
            .dir
            .as_ref()
            .map(|dir| dir.display().to_string());
        let app = config.site.upstream.as_ref().map(ToString::to_string);
        if let Some(site) = dir.or(app) {
            let protected = config.site.rules.describe();
            facts.push(format!("  site      {site}, protected: {protected}"));
        }
        if let Some(address) = self.metrics {
            facts.push(format!("  metrics   http://{address}/metrics"));
        }
        facts
    }

    /// How many warnings have a line of their own, when one is kept for saying that there are more.
    fn room_for_warnings(&self) -> usize {
        let room = Self::MOST_LINES - self.facts().len() - self.closing().len();
        if self.warnings.len() > room {
            room - 1
        } else {
            room
        }
    }
}
