//! What SIGHUP does to a running server: certificate and log level are read again. All else waits for the next start,
//! and the log says what does.

use std::{convert::Infallible, sync::Arc};

use clap::ArgMatches;

use crate::{
    config::{self, Loaded, Row},
    serve::{Certificates, HangUps},
    supervisor::Supervisor,
    telemetry::Level,
};

const LOG_LEVEL: &str = "log.level";

/// What is read again.
pub(super) struct Files {
    /// The call, which says where the settings are.
    pub(super) matches: ArgMatches,
    /// The settings of the start.
    pub(super) rows: Vec<Row>,
    pub(super) certificates: Option<Arc<Certificates>>,
    pub(super) level: Level,
}

/// What is read again, and who hears of it.
pub(super) struct Reload<'a> {
    pub(super) files: Arc<Files>,
    pub(super) supervisor: &'a Supervisor,
    /// What the supervisor is told of a server that runs.
    pub(super) status: String,
}

impl Reload<'_> {
    /// Reads again at each hang-up. It never ends.
    pub(super) async fn keep_reloading(self, hang_ups: Option<HangUps>) -> Infallible {
        let Some(mut hang_ups) = hang_ups else {
            return std::future::pending().await;
        };
        loop {
            hang_ups.next().await;
            self.supervisor.reloading();
            let files = Arc::clone(&self.files);
            // A disk may hang, and nobody else is to wait for it. What a panic has to say, it has said in the log.
            let _ended = tokio::task::spawn_blocking(move || files.read()).await;
            self.supervisor.ready(&self.status);
        }
    }
}

impl Files {
    fn read(&self) {
        if let Some(certificates) = &self.certificates {
            certificates.reload();
        }
        self.read_settings();
    }

    /// The variables of a process stay as they were, so it is the files that may say something else now.
    fn read_settings(&self) {
        let loaded = match config::load(&self.matches) {
            Ok(loaded) => loaded,
            Err(problems) => {
                tracing::error!(
                    "The settings cannot be read again, so they stay as they are: {problems}"
                );
                return;
            }
        };
        let level = &loaded.config.log.level;
        self.level.set(level);
        tracing::info!(
            log.level = level,
            "The settings were read again; the log level is {level}"
        );
        let waiting = self.changed(&loaded).join(", ");
        if !waiting.is_empty() {
            tracing::warn!(
                config.changed = waiting,
                "Changed settings that count from the next start on: {waiting}"
            );
        }
    }

    fn changed(&self, now: &Loaded) -> Vec<&'static str> {
        let before = self.rows.iter().zip(&now.rows);
        before
            .filter(|(before, now)| before.value != now.value && now.key != LOG_LEVEL)
            .map(|(_, now)| now.key)
            .collect()
    }
}
