//! The log: what is written, in which form, to standard error. The level is for our own crates;
//! libraries are kept to warnings at every level, for what they would trace includes SQL with its
//! values and the bytes of connections, and so passwords and tokens. A panic is told by its place alone.

mod lines;
pub(crate) mod metrics;
#[cfg(feature = "otel")]
pub(crate) mod traces;
#[cfg(not(feature = "otel"))]
#[path = "telemetry/no_traces.rs"]
pub(crate) mod traces;

use lines::{JsonFields, JsonLines};
use tracing_subscriber::{EnvFilter, Registry, fmt, prelude::*, reload};

use self::traces::Traces;
use crate::config::{LogFormat, Logging};

/// Our crates, whose events hold no secrets.
const OURS: [&str; 3] = ["vestibule", "accounts", "store"];

/// The level of the log, which may change while it is written.
pub(crate) struct Level(reload::Handle<EnvFilter, Registry>);

impl Level {
    /// From now on events are written from this level on, as one of the words of the table.
    pub(crate) fn set(&self, level: &str) {
        // The log ends with the process, so there always is one.
        let _changed = self.0.reload(filter(level));
    }
}

/// Starts the log, and with it the traces. To be called once.
pub(crate) fn start(log: &Logging, traces: &Traces) -> Level {
    let (filter, level) = reload::Layer::new(filter(&log.level));
    report_panics();
    let Some(filter) = traces.subscribe(filter, log.format) else {
        return Level(level);
    };
    let registry = tracing_subscriber::registry().with(filter);
    match log.format {
        LogFormat::Pretty => registry
            .with(fmt::layer().with_writer(std::io::stderr).with_target(false))
            .init(),
        LogFormat::Json => {
            registry
                .with(
                    fmt::layer()
                        .fmt_fields(JsonFields)
                        .event_format(JsonLines)
                        .with_writer(std::io::stderr),
                )
                .init();
        }
    }
    Level(level)
}

/// What of all events is written at a level.
#[must_use]
pub fn filter(level: &str) -> EnvFilter {
    EnvFilter::new(directives(level))
}

/// From now on a panic becomes a line of the log, with the request in which it happened. Its message is left out: it may
/// quote what somebody sent, as that of a slice cut inside a character does.
pub fn report_panics() {
    std::panic::set_hook(Box::new(|panic| match panic.location() {
        Some(place) => {
            tracing::error!(code.location = %place, "The program panicked at {place}; please report it");
        }
        None => tracing::error!("The program panicked; please report it"),
    }));
}

fn directives(level: &str) -> String {
    let ours: Vec<_> = OURS.iter().map(|name| format!("{name}={level}")).collect();
    let libraries = if matches!(level, "error" | "off") {
        level
    } else {
        "warn"
    };
    format!("{libraries},{}", ours.join(","))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn libraries_never_trace() {
        assert_eq!(
            directives("trace"),
            "warn,vestibule=trace,accounts=trace,store=trace"
        );
        assert_eq!(
            directives("error"),
            "error,vestibule=error,accounts=error,store=error"
        );
    }
}
