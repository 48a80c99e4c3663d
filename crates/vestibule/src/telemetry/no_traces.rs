//! Traces in a build without them: none. What is here stands in for `traces.rs`, so that whoever is traced need not ask.

use std::time::Duration;

use axum::{extract::Request, http::HeaderMap, response::Response};
use tracing::Span;
use tracing_subscriber::{EnvFilter, Registry, reload};

use crate::{
    app::App,
    config::{Config, LogFormat},
};

/// Whether this program can make traces.
pub(crate) const ARE_BUILT_IN: bool = false;

/// None.
pub(crate) struct Traces;

impl Traces {
    /// Makes none: no configuration asks for any.
    pub(crate) fn of(_: &Config) -> Result<Self, String> {
        Ok(Self)
    }

    /// Leaves the log to whoever asks.
    pub(crate) fn subscribe(&self, filter: Filter, _: LogFormat) -> Option<Filter> {
        Some(filter)
    }

    /// Is at its end.
    #[expect(clippy::unused_async, reason = "those that were made are sent")]
    pub(crate) async fn end(self, _: Duration) {}
}

/// What decides which events are written.
pub(crate) type Filter = reload::Layer<EnvFilter, Registry>;

/// Does nothing.
pub(crate) fn begin(_: &Span, _: &App, _: &Request) {}

/// Does nothing.
pub(crate) fn end(_: &Span, _: &App, _: &Response) {}

/// Tells nobody.
pub(crate) fn hand_on(_: &App, _: &mut HeaderMap) {}
