//! Spans on their way into a queue and out of it, lines of the log with their trace, and traces that come in. What arrives
//! at a collector is tried with a decoder that is not ours, by `xtask/outside/traces.py`.

use std::{
    future::pending,
    io,
    sync::{Arc, Mutex},
};

use metrics_exporter_prometheus::PrometheusBuilder;
use opentelemetry::trace::{Span as _, TraceFlags};
use opentelemetry_sdk::{
    error::OTelSdkResult,
    trace::{SpanData, SpanExporter},
};
use tokio::sync::mpsc;
use tracing_subscriber::fmt::MakeWriter;

use super::*;

/// An exporter that hands on the names of what it is given.
#[derive(Debug)]
struct Taking(mpsc::UnboundedSender<String>);

impl SpanExporter for Taking {
    async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
        for span in batch {
            let _ = self.0.send(span.name.into_owned());
        }
        Ok(())
    }
}

/// An exporter whose collector took a batch and never says anything.
#[derive(Debug)]
struct Hanging;

impl SpanExporter for Hanging {
    async fn export(&self, _: Vec<SpanData>) -> OTelSdkResult {
        pending().await
    }
}

fn provider(queue: batches::Queue) -> SdkTracerProvider {
    SdkTracerProvider::builder()
        .with_span_processor(queue)
        .build()
}

#[tokio::test]
async fn what_is_in_the_queue_at_the_end_is_sent() {
    let (sender, mut sent) = mpsc::unbounded_channel();
    let (queue, batches) = Batches::start(Taking(sender));
    let tracer = provider(queue).tracer("test");
    for number in 0..700 {
        tracer.start(format!("span {number}")).end();
    }
    batches.end().await;
    let mut names = Vec::new();
    while let Some(name) = sent.recv().await {
        names.push(name);
    }
    assert_eq!(names.len(), 700);
    assert_eq!(names[699], "span 699");
}

#[tokio::test]
async fn a_collector_that_hangs_holds_nobody_up_and_what_is_lost_is_counted() {
    let recorder = PrometheusBuilder::new().build_recorder();
    let metrics = recorder.handle();
    let _recording = metrics::set_default_local_recorder(&recorder);
    let (queue, _batches) = Batches::start(Hanging);
    let tracer = provider(queue).tracer("test");
    // No other task runs meanwhile, so that this is more than there is room for.
    for _ in 0..batches::QUEUE + 3 {
        tracer.start("span").end();
    }
    let told = metrics.render();
    assert!(
        told.contains("vestibule_trace_spans_lost_total 3\n"),
        "{told}"
    );
}

/// What a log has written.
#[derive(Clone, Default)]
struct Written(Arc<Mutex<Vec<u8>>>);

impl io::Write for Written {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl MakeWriter<'_> for Written {
    type Writer = Self;

    fn make_writer(&self) -> Self {
        self.clone()
    }
}

impl Written {
    fn lines(&self) -> Vec<serde_json::Value> {
        let bytes = self.0.lock().unwrap().clone();
        let text = String::from_utf8(bytes).unwrap();
        let lines = text.lines().map(serde_json::from_str);
        lines.collect::<Result<_, _>>().unwrap()
    }
}

#[tokio::test]
async fn a_line_of_the_log_names_the_trace_in_which_it_was_written() {
    let (sender, _sent) = mpsc::unbounded_channel();
    let (queue, batches) = Batches::start(Taking(sender));
    let sending = Sending {
        provider: provider(queue),
        batches,
        database: "sqlite",
    };
    let written = Written::default();
    let (filter, level) = reload::Layer::new(EnvFilter::new("warn,vestibule=info"));
    let log = fmt::layer()
        .json()
        .flatten_event(true)
        .with_span_list(false)
        .map_event_format(WithTrace)
        .with_writer(written.clone())
        .with_filter(filter);
    let subscriber = tracing_subscriber::registry()
        .with(log)
        .with(sending.layer());
    let _subscribed = tracing::subscriber::set_default(subscriber);
    tracing::info!(code.location = "before", "Nobody has asked");
    let request = tracing::info_span!("request", http.request.id = "1");
    let trace = request.context().span().span_context().clone();
    let inner = request.in_scope(|| {
        tracing::info!(
            code.location = "inside",
            "Somebody has asked for {}",
            "\"}\""
        );
        let call = tracing::span!(target: "traced::store", tracing::Level::INFO, "rotate");
        call.in_scope(|| tracing::warn!(code.location = "below", "It took long"));
        call.context().span().span_context().clone()
    });
    let lines = written.lines();
    assert_eq!(lines[0].get("trace_id"), None);
    assert_eq!(lines[1]["trace_id"], trace.trace_id().to_string());
    assert_eq!(lines[1]["span_id"], trace.span_id().to_string());
    assert_eq!(lines[1]["trace_flags"], "01");
    assert_eq!(lines[1]["code.location"], "inside");
    assert_eq!(lines[1]["span"]["http.request.id"], "1");
    assert_eq!(lines[2]["trace_id"], trace.trace_id().to_string());
    assert_eq!(lines[2]["span_id"], inner.span_id().to_string());
    assert_eq!(lines[2]["span"]["name"], "request");
    // The level of the log changes, and traces are made as before.
    level.reload(EnvFilter::new("off")).unwrap();
    let request = tracing::info_span!("request", http.request.id = "2");
    request.in_scope(|| tracing::info!("Nobody reads it"));
    assert!(request.context().span().span_context().is_sampled());
    assert_eq!(written.lines().len(), lines.len());
}

#[test]
fn a_trace_comes_in_whole_or_not_at_all() {
    const TRACE: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    const UNRECORDED: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00";
    let coming_in = |values: &[&'static str]| {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(TRACEPARENT, value.parse().expect("a value"));
        }
        super::coming_in(&headers).span().span_context().clone()
    };
    let trace = coming_in(&[TRACE]);
    assert_eq!(
        trace.trace_id().to_string(),
        "4bf92f3577b34da6a3ce929d0e0e4736"
    );
    assert_eq!(trace.trace_flags(), TraceFlags::SAMPLED);
    assert!(!coming_in(&[UNRECORDED]).is_sampled());
    let nothing = "00-00000000000000000000000000000000-00f067aa0ba902b7-01";
    for broken in [
        &["", TRACE][..],
        &[TRACE, TRACE],
        &["00-4bf9"],
        &[nothing],
        &[],
    ] {
        assert!(!coming_in(broken).is_valid(), "{broken:?}");
    }
}
