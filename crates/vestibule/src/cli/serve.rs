//! `vestibule serve`: the server, from its first line to its last.

use std::{io::IsTerminal as _, net::SocketAddr};

use clap::Command;
use serde_json::json;

use super::{Ended, Failure, output::say};
use crate::{
    app::{self, App},
    config::{Config, Loaded},
    http, serve,
    site::Site,
    telemetry,
};

pub(super) fn command() -> Command {
    Command::new("serve").about("Run the server")
}

pub(super) async fn run(loaded: Loaded) -> Ended {
    let database_source = loaded.source_of("database.url").to_string();
    let Loaded {
        config,
        sources,
        warnings,
        ..
    } = loaded;
    telemetry::start(&config.log);
    let listener = serve::bind(config.listen).await.map_err(|error| {
        Failure::Failed(format!(
            "cannot listen on {}: {error}. Name another address in listen, or end the program that uses it",
            config.listen
        ))
    })?;
    let bound = listener
        .local_addr()
        .map_err(|error| Failure::Failed(format!("the listening address is unknown: {error}")))?;
    let config = config.with_bound(bound);

    let site = app::open_site(&config)?;
    let database = app::open_database(&config).await?;
    let clock = accounts::Clock::system();
    let accounts = app::open_accounts(&config, &database, clock.clone()).await?;
    let mut warnings = warnings;
    warnings.extend(app::wide_modes(&config));
    warnings.extend(site.iter().flat_map(site_warnings));
    // Whoever reads that the server is ready may end it from then on, and gracefully.
    let terminated = serve::terminated();
    let announcement = Announcement {
        config: &config,
        bound,
        database_source,
        sources,
        warnings,
    };
    announcement.print();
    for warning in announcement.unprinted() {
        tracing::warn!("{warning}");
    }

    let drain_delay = config.drain_delay;
    let keys = accounts.clone();
    let app = App::new(accounts, config, site, clock);
    let draining = app.clone();
    let shutdown = async move {
        terminated.await;
        draining.start_draining();
        tracing::info!("Shutting down");
        tokio::time::sleep(drain_delay).await;
    };
    let bounds = serve::Bounds::default();
    let drained = tokio::select! {
        drained = serve::serve(listener, http::router(app), bounds, shutdown) => drained,
        never = keys.keep_keys_current() => match never {},
    };
    tracing::info!(?drained, "The last request has ended");
    database.close().await;
    Ok(())
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
    /// Where the database's URL was said: a stray one is the mistake that costs most.
    database_source: String,
    sources: Vec<String>,
    warnings: Vec<String>,
}

impl Announcement<'_> {
    /// The lines on a terminal are twelve at the most, and the last is the address.
    const MOST_WARNINGS: usize = 4;

    fn print(&self) {
        if std::io::stdout().is_terminal() {
            self.print_lines();
        } else {
            say!("{}", self.json());
        }
    }

    /// What a terminal had no line for.
    fn unprinted(&self) -> &[String] {
        let printed = if std::io::stdout().is_terminal() {
            Self::MOST_WARNINGS
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
            "data_dir": self.config.data_dir.display().to_string(),
            "database": self.config.database.url.to_string(),
            "database_from": self.database_source,
            "settings": self.sources,
            "site": self.config.site.dir.as_ref().map(|dir| dir.display().to_string()),
            "warnings": self.warnings,
        })
    }

    fn print_lines(&self) {
        let settings = match self.sources.as_slice() {
            [] => "defaults".to_owned(),
            sources => sources.join(", "),
        };
        say!("Vestibule {}", env!("CARGO_PKG_VERSION"));
        say!("  data      {}", self.config.data_dir.display());
        say!(
            "  database  {} ({})",
            self.config.database.url,
            self.database_source
        );
        say!("  settings  {settings}");
        if let Some(dir) = &self.config.site.dir {
            say!(
                "  site      {}, protected: {}",
                dir.display(),
                self.config.site.rules.describe()
            );
        }
        for warning in self.warnings.iter().take(Self::MOST_WARNINGS) {
            say!("  warning   {warning}");
        }
        if let Some(more @ 1..) = self.warnings.len().checked_sub(Self::MOST_WARNINGS) {
            say!("  warning   and {more} more, in the log");
        }
        say!("  listening on {}", self.bound);
        say!("ready on {}", self.config.public_url);
    }
}
