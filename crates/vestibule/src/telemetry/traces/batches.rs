//! The way of spans out of the requests: into a queue that has an end, and from there in batches to the collector, on a task
//! that no request waits for. The SDK's own processor sends from a thread without a runtime, and tells nobody of what is lost.

use std::time::Duration;

use metrics::counter;
use opentelemetry::Context;
use opentelemetry_sdk::{
    error::OTelSdkResult,
    trace::{Span, SpanData, SpanExporter, SpanProcessor},
};
use tokio::{sync::mpsc, task::JoinHandle, time::timeout};
use tokio_util::sync::CancellationToken;

use crate::telemetry::metrics::SPANS_LOST;

/// So many spans wait at the most; OpenTelemetry's default.
pub(super) const QUEUE: usize = 2048;
/// So many are sent at once; its default, too.
const BATCH: usize = 512;
/// For so long the first span of a batch waits for others; that as well.
const DELAY: Duration = Duration::from_secs(5);

/// The task that sends.
pub(super) struct Batches {
    end: CancellationToken,
    task: JoinHandle<()>,
}

/// Where spans go when they end.
#[derive(Debug)]
pub(super) struct Queue(mpsc::Sender<SpanData>);

impl Batches {
    /// Begins to send what comes into the queue.
    pub(super) fn start(exporter: impl SpanExporter + 'static) -> (Queue, Self) {
        let (sender, receiver) = mpsc::channel(QUEUE);
        let end = CancellationToken::new();
        let sending = keep_sending(exporter, receiver, end.clone());
        let task = tokio::spawn(sending);
        (Queue(sender), Self { end, task })
    }

    /// Sends what is in the queue by now, and no more.
    pub(super) async fn end(self) {
        self.end.cancel();
        // Where it has panicked, what it had is lost, which keeps nobody from the end.
        let _ = self.task.await;
    }
}

impl SpanProcessor for Queue {
    fn on_start(&self, _: &mut Span, _: &Context) {}

    fn on_end(&self, span: SpanData) {
        if span.span_context.is_sampled() && self.0.try_send(span).is_err() {
            counter!(SPANS_LOST).increment(1);
        }
    }

    fn force_flush(&self) -> OTelSdkResult {
        Ok(())
    }

    /// The end is that of [`Batches`], for which a thread need not be held.
    fn shutdown_with_timeout(&self, _: Duration) -> OTelSdkResult {
        Ok(())
    }
}

async fn keep_sending(
    exporter: impl SpanExporter,
    mut queue: mpsc::Receiver<SpanData>,
    end: CancellationToken,
) {
    while let Some(batch) = next(&mut queue, &end).await {
        let spans = batch.len() as u64;
        let sent = exporter.export(batch).await;
        counter!(SPANS_LOST).increment(if sent.is_ok() { 0 } else { spans });
    }
}

/// What is to be sent next, once there is enough or the first of it has waited long enough; at the end, what is there.
/// `None` when that was all.
async fn next(
    queue: &mut mpsc::Receiver<SpanData>,
    end: &CancellationToken,
) -> Option<Vec<SpanData>> {
    let mut batch = Vec::new();
    tokio::select! {
        biased;
        () = end.cancelled() => {}
        () = gather(queue, &mut batch) => {}
    }
    while batch.len() < BATCH
        && let Ok(span) = queue.try_recv()
    {
        batch.push(span);
    }
    (!batch.is_empty()).then_some(batch)
}

async fn gather(queue: &mut mpsc::Receiver<SpanData>, batch: &mut Vec<SpanData>) {
    if queue.recv_many(batch, BATCH).await == 0 {
        return;
    }
    let others = async {
        while batch.len() < BATCH && queue.recv_many(batch, BATCH - batch.len()).await > 0 {}
    };
    // Whether there are as many as that or not: what is there goes now.
    let _ = timeout(DELAY, others).await;
}
