//! Traces of requests by OpenTelemetry, in builds with the feature `otel`: which spans become part of them, what each says,
//! and how a trace comes in and goes on. Where spans arise is up to the rest of the program, how they reach the collector
//! to `traces/batches.rs` and `traces/collector.rs`.
//!
//! A span says what was done and how long it took, and never for whom: no path, no query, no address, no name and no value
//! of a statement. The paths of a site may hold tokens, and a collector is often somebody else's.

mod batches;
mod collector;
mod line;

use std::time::Duration;

use axum::{
    extract::{MatchedPath, Request},
    http::{HeaderMap, Version},
    response::Response,
};
use opentelemetry::{
    Context, Key, KeyValue, Value,
    propagation::TextMapPropagator as _,
    trace::{SpanBuilder, SpanKind, Status, TraceContextExt as _, Tracer, TracerProvider as _},
};
use opentelemetry_http::{HeaderExtractor, HeaderInjector};
use opentelemetry_otlp::{
    Protocol, RetryPolicy, SpanExporter, WithExportConfig as _, WithHttpConfig as _,
};
use opentelemetry_sdk::{
    Resource,
    propagation::TraceContextPropagator,
    trace::{Sampler, SdkTracer, SdkTracerProvider, SpanExporter as _},
};
use tokio::time::timeout;
use tracing::{Metadata, Span, level_filters::LevelFilter};
use tracing_opentelemetry::{OpenTelemetryLayer, OpenTelemetrySpanExt as _};
use tracing_subscriber::{
    EnvFilter, Layer, Registry, filter::DynFilterFn, fmt, prelude::*, registry::LookupSpan, reload,
};

use self::{batches::Batches, collector::Client, line::WithTrace};
use crate::{
    app::App,
    config::{Config, LogFormat},
    http::{is_trusted_proxy, known_method},
    serve::Refusal,
};

/// Whether this program can make traces.
pub(crate) const ARE_BUILT_IN: bool = true;

/// The span of a request, which is in the log as well.
const REQUEST: &str = "request";
/// What the targets of all other spans of a trace begin with. The log has none of them.
const TRACED: &str = "traced::";
/// Calls of the database.
const OF_STORE: &str = "traced::store";
/// Calls of an app behind the gate.
const OF_UPSTREAM: &str = "traced::upstream";
/// The attribute in which a new span has its target.
const TARGET: &str = "target";
/// A method that clients make up, and the name of a span of one.
const OTHER_METHOD: &str = "_OTHER";
const OTHER_SPAN: &str = "HTTP";
/// The header in which a trace comes in (W3C Trace Context, section 3.2).
const TRACEPARENT: &str = "traceparent";

/// What decides which events are written.
pub(crate) type Filter = reload::Layer<EnvFilter, Registry>;

/// The way of all traces to the collector, where there is one.
pub(crate) struct Traces(Option<Sending>);

struct Sending {
    provider: SdkTracerProvider,
    batches: Batches,
    /// The engine of the database.
    database: &'static str,
}

impl Traces {
    /// Makes ready to send traces, if the operator wants any. A collector that is not there does no harm.
    ///
    /// # Errors
    /// What cannot be used of the settings, in words.
    pub(crate) fn of(config: &Config) -> Result<Self, String> {
        let otel = &config.otel;
        let Some(collector) = &otel.collector else {
            return Ok(Self(None));
        };
        let client = Client::new(collector, &otel.headers)?;
        let mut exporter = SpanExporter::builder()
            .with_http()
            .with_protocol(Protocol::HttpBinary)
            .with_endpoint(format!("{}{}", collector.origin, collector.path))
            .with_http_client(client)
            // What was not taken is lost and told at once, in the place of a second try by which others would wait.
            .with_retry_policy(RetryPolicy::disabled())
            .with_timeout(collector::PATIENCE)
            .build()
            .map_err(|error| error.to_string())?;
        let resource = Resource::builder()
            .with_service_name(otel.service_name.clone())
            .with_attribute(KeyValue::new("service.version", env!("CARGO_PKG_VERSION")))
            .build();
        exporter.set_resource(&resource);
        let (queue, batches) = Batches::start(exporter);
        let root = Box::new(Sampler::TraceIdRatioBased(otel.sample_ratio));
        let provider = SdkTracerProvider::builder()
            .with_sampler(Sampler::ParentBased(root))
            .with_resource(resource)
            .with_span_processor(queue)
            .build();
        Ok(Self(Some(Sending {
            provider,
            batches,
            database: config.database.url.system_name(),
        })))
    }

    /// Begins the log together with traces, so that each line names its trace. Where there are none it is left to
    /// whoever asks, who gets `filter` back.
    pub(crate) fn subscribe(&self, filter: Filter, format: LogFormat) -> Option<Filter> {
        let Some(sending) = &self.0 else {
            return Some(filter);
        };
        tracing_subscriber::registry()
            .with(lines(format).with_filter(filter))
            .with(sending.layer())
            .init();
        None
    }

    /// Sends what is left, if the collector takes it within this time.
    pub(crate) async fn end(self, patience: Duration) {
        let Some(sending) = self.0 else { return };
        if timeout(patience, sending.batches.end()).await.is_err() {
            tracing::warn!(
                "The server ends without waiting any longer for the collector of its traces"
            );
        }
    }
}

impl Sending {
    fn layer<S>(&self) -> impl Layer<S> + use<S>
    where
        S: tracing::Subscriber + for<'span> LookupSpan<'span>,
    {
        let tracer = Named {
            tracer: self.provider.tracer(env!("CARGO_PKG_NAME")),
            database: self.database,
        };
        let filter = DynFilterFn::new(|metadata: &Metadata<'_>, _: &_| is_part(metadata));
        OpenTelemetryLayer::new(tracer)
            .with_location(false)
            .with_threads(false)
            .with_tracked_inactivity(false)
            .with_target(true)
            .with_filter(filter.with_max_level_hint(LevelFilter::INFO))
    }
}

/// Whether a span becomes part of a trace. Events stay in the log; and of what nobody has asked for, such as the chores of
/// the server, there is no trace.
fn is_part(metadata: &Metadata<'_>) -> bool {
    metadata.is_span()
        && (metadata.name() == REQUEST
            || metadata.target().starts_with(TRACED)
                && Context::map_current(Context::has_active_span))
}

/// The lines of the log, those of JSON with their trace.
fn lines(format: LogFormat) -> Box<dyn Layer<Registry> + Send + Sync> {
    match format {
        LogFormat::Pretty => fmt::layer()
            .with_writer(std::io::stderr)
            .with_target(false)
            .boxed(),
        LogFormat::Json => fmt::layer()
            .json()
            .flatten_event(true)
            .with_span_list(false)
            .map_event_format(WithTrace)
            .with_writer(std::io::stderr)
            .boxed(),
    }
}

/// Makes spans with the kind and the attributes that all of their target have.
struct Named {
    tracer: SdkTracer,
    database: &'static str,
}

impl Tracer for Named {
    type Span = <SdkTracer as Tracer>::Span;

    fn build_with_context(&self, mut builder: SpanBuilder, parent: &Context) -> Self::Span {
        let attributes = builder.attributes.get_or_insert_default();
        let target = attributes
            .iter()
            .position(|attribute| attribute.key.as_str() == TARGET)
            .map(|at| attributes.swap_remove(at).value);
        builder.span_kind = Some(match target.as_ref().map(Value::as_str).as_deref() {
            Some(OF_STORE) => {
                attributes.push(KeyValue::new("db.system.name", self.database));
                attributes.push(KeyValue::new("db.operation.name", builder.name.clone()));
                SpanKind::Client
            }
            Some(OF_UPSTREAM) => SpanKind::Client,
            _ if builder.name == REQUEST => SpanKind::Server,
            _ => SpanKind::Internal,
        });
        self.tracer.build_with_context(builder, parent)
    }
}

/// Begins the span of a request: as part of the trace that a trusted proxy has begun, with what OpenTelemetry's conventions
/// for HTTP servers say of it. The path is left out, and stands in for by the route.
pub(crate) fn begin(span: &Span, app: &App, request: &Request) {
    if app.config().otel.collector.is_none() {
        return;
    }
    if is_trusted_proxy(app, request.extensions()) {
        // It is refused alone where the span has begun, or there are no traces.
        let _ = span.set_parent(coming_in(request.headers()));
    }
    let public_url = &app.config().public_url;
    let method = method(request);
    let route = request.extensions().get::<MatchedPath>();
    let set = |key: &'static str, value: Value| span.set_attribute(Key::new(key), value);
    set("http.request.method", method.into());
    set("url.scheme", public_url.url().scheme().to_owned().into());
    set("server.address", public_url.host().to_owned().into());
    set("server.port", i64::from(public_url.port()).into());
    set(
        "network.protocol.version",
        version(request.version()).into(),
    );
    let verb = if method == OTHER_METHOD {
        OTHER_SPAN
    } else {
        method
    };
    let name = match route {
        Some(route) => {
            set("http.route", route.as_str().to_owned().into());
            format!("{verb} {}", route.as_str())
        }
        None => verb.to_owned(),
    };
    span.context().span().update_name(name);
}

/// Says how a request ended.
pub(crate) fn end(span: &Span, app: &App, answer: &Response) {
    if app.config().otel.collector.is_none() {
        return;
    }
    let status = answer.status();
    span.set_attribute("http.response.status_code", i64::from(status.as_u16()));
    if status.is_server_error() {
        span.set_attribute("error.type", status.as_u16().to_string());
        span.set_status(Status::error(""));
    }
}

/// Tells an app behind the gate of the trace, in the place of what the client said of one.
pub(crate) fn hand_on(app: &App, headers: &mut HeaderMap) {
    if app.config().otel.collector.is_some() {
        let injector = &mut HeaderInjector(headers);
        TraceContextPropagator::new().inject_context(&Context::current(), injector);
    }
}

/// The trace that a request is part of. One that names two is part of none (W3C Trace Context, section 3.2).
fn coming_in(headers: &HeaderMap) -> Context {
    if headers.get_all(TRACEPARENT).iter().count() > 1 {
        return Context::new();
    }
    TraceContextPropagator::new().extract_with_context(&Context::new(), &HeaderExtractor(headers))
}

/// The method, where one was sent that everybody knows.
fn method(request: &Request) -> &'static str {
    match request.extensions().get::<Refusal>() {
        Some(_) => OTHER_METHOD,
        None => known_method(request.method()).unwrap_or(OTHER_METHOD),
    }
}

fn version(version: Version) -> &'static str {
    match version {
        Version::HTTP_10 => "1.0",
        Version::HTTP_2 => "2",
        _ => "1.1",
    }
}

#[cfg(test)]
mod tests;
