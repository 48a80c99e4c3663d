//! The numbers that tell how the program fares: collected from wherever they arise, described here, and written in
//! the text format of Prometheus. Who may ask for them is left to `http/metrics.rs`.

mod process;

use std::{convert::Infallible, time::Duration};

use accounts::Load;
use metrics::{
    Unit, counter, describe_counter, describe_gauge, describe_histogram, gauge, set_global_recorder,
};
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};

use crate::app::App;

/// Requests, by method, route and status.
pub(crate) const REQUESTS: &str = "vestibule_http_requests_total";
/// Seconds from a request's head to the head of its answer, by method and route.
pub(crate) const REQUEST_SECONDS: &str = "vestibule_http_request_duration_seconds";
/// Requests whose answer has not begun yet.
pub(crate) const REQUESTS_RUNNING: &str = "vestibule_http_requests_running";
/// Refusals with 429, by the limit that was reached.
pub(crate) const LIMITED: &str = "vestibule_limited_total";
/// Requests from peers that are not trusted with a header that names a client.
pub(crate) const FORWARDING_IGNORED: &str = "vestibule_forwarding_headers_ignored_total";
/// Warnings that many clients seem to have one address.
pub(crate) const ADDRESSES_CROWDED: &str = "vestibule_client_addresses_crowded_total";
/// Audit events that were written elsewhere too, by where.
pub(crate) const AUDIT_COPIED: &str = "vestibule_audit_events_copied_total";
/// Tries to do so that came to nothing.
pub(crate) const AUDIT_COPY_FAILURES: &str = "vestibule_audit_copy_failures_total";
/// Spans of traces that no collector took.
#[cfg(feature = "otel")]
pub(crate) const SPANS_LOST: &str = "vestibule_trace_spans_lost_total";
/// Whether the last try did.
pub(crate) const AUDIT_COPY_FAILING: &str = "vestibule_audit_copy_failing";

const HASHES: &str = "vestibule_password_hashes_total";
const HASHING: &str = "vestibule_password_hashes_running";
const HASH_QUEUE: &str = "vestibule_password_hashes_waiting";
const POOL_CONNECTIONS: &str = "vestibule_database_connections";
const POOL_MOST: &str = "vestibule_database_connections_max";
const REPLICA_LAG: &str = "vestibule_database_replica_lag_seconds";
const REPLICA_USED: &str = "vestibule_database_replica_used";
const CACHE_ENTRIES: &str = "vestibule_cache_entries";
const REVOCATIONS_AGE: &str = "vestibule_revocations_confirmed_age_seconds";
const DRAINING: &str = "vestibule_draining";
const BUILD: &str = "vestibule_build_info";

/// The upper bounds of the histogram's buckets, in seconds: from an answer out of memory to one at its time bound.
const BUCKETS: [f64; 12] = [
    0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0,
];

/// Those of histograms that count things.
const SIZE_BUCKETS: [f64; 7] = [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0];

/// How often what was measured is put into its buckets, so that it takes no room where nobody asks for it.
const UPKEEP_INTERVAL: Duration = Duration::from_secs(5);

/// The numbers, from the start of the program on. A clone tells the same.
#[derive(Clone)]
pub(crate) struct Metrics(PrometheusHandle);

impl Metrics {
    /// Begins to count. To be called once, before anything that counts.
    ///
    /// # Errors
    /// Why nothing can be counted, in words.
    pub(crate) fn start() -> Result<Self, String> {
        let recorder = PrometheusBuilder::new()
            .set_buckets_for_metric(Matcher::Suffix("_duration_seconds".to_owned()), &BUCKETS)
            .and_then(|builder| {
                let waits = Matcher::Suffix("_wait_seconds".to_owned());
                builder.set_buckets_for_metric(waits, &BUCKETS)
            })
            .and_then(|builder| {
                let sizes = Matcher::Suffix("_group_size".to_owned());
                builder.set_buckets_for_metric(sizes, &SIZE_BUCKETS)
            })
            .map_err(|error| error.to_string())?
            .build_recorder();
        let metrics = Self(recorder.handle());
        set_global_recorder(recorder).map_err(|error| error.to_string())?;
        describe();
        Ok(metrics)
    }

    /// Keeps what is measured small. It never ends.
    pub(crate) async fn keep_small(&self) -> Infallible {
        let mut interval = tokio::time::interval(UPKEEP_INTERVAL);
        loop {
            interval.tick().await;
            self.0.run_upkeep();
        }
    }

    /// All of them, in the text format of Prometheus.
    pub(crate) fn render(&self, app: &App) -> String {
        take_down(&app.accounts().load());
        gauge!(DRAINING).set(u32::from(app.is_draining()));
        process::take_down();
        self.0.render()
    }
}

fn describe() {
    accounts::describe_metrics();
    describe_counter!(REQUESTS, "Requests by method, route and status");
    describe_histogram!(
        REQUEST_SECONDS,
        Unit::Seconds,
        "Time from the head of a request to the head of its answer, by method and route"
    );
    describe_gauge!(REQUESTS_RUNNING, "Requests whose answer has not begun yet");
    describe_counter!(LIMITED, "Requests refused with 429, by the limit reached");
    describe_counter!(
        FORWARDING_IGNORED,
        "Requests whose header with a client address was ignored, as trusted_proxies does not name who sent it"
    );
    describe_counter!(
        ADDRESSES_CROWDED,
        "Warnings that many clients seem to have one address"
    );
    for warned in [FORWARDING_IGNORED, ADDRESSES_CROWDED] {
        counter!(warned).increment(0);
    }
    describe_counter!(
        AUDIT_COPIED,
        "Audit events copied to the file or the syslog"
    );
    describe_counter!(
        AUDIT_COPY_FAILURES,
        "Failed tries to copy audit events to the file or the syslog"
    );
    #[cfg(feature = "otel")]
    describe_counter!(
        SPANS_LOST,
        "Spans of traces that were not sent, as the collector took none or too many waited"
    );
    describe_gauge!(
        AUDIT_COPY_FAILING,
        "Whether audit events wait for a file or a syslog that takes none"
    );
    describe_counter!(
        HASHES,
        "Password hashes computed, those for unknown names included"
    );
    describe_gauge!(HASHING, "Password hashes being computed");
    describe_gauge!(HASH_QUEUE, "Requests that wait for a password hash");
    describe_gauge!(
        POOL_CONNECTIONS,
        "Open connections to the database, by purpose and state"
    );
    describe_gauge!(
        POOL_MOST,
        "How many connections to the database may be open, by purpose"
    );
    describe_gauge!(
        REPLICA_LAG,
        Unit::Seconds,
        "What was committed so long ago is known to be on the replica"
    );
    describe_gauge!(REPLICA_USED, "Whether the replica is asked anything now");
    describe_gauge!(
        CACHE_ENTRIES,
        "What is remembered, roughly, by the name of the memory"
    );
    describe_gauge!(
        REVOCATIONS_AGE,
        Unit::Seconds,
        "How long ago it was confirmed which revocations there are; past 5 nothing is believed from memory"
    );
    describe_gauge!(
        DRAINING,
        "Whether the server is about to end and takes its leave of load balancers"
    );
    process::describe();
    describe_gauge!(BUILD, "Always 1; the label says the version");
    gauge!(BUILD, "version" => env!("CARGO_PKG_VERSION")).set(1);
}

/// Takes down what is asked for rather than counted as it happens.
fn take_down(load: &Load) {
    counter!(HASHES).absolute(load.hashing.calls);
    gauge!(HASHING).set(load.hashing.running as f64);
    gauge!(HASH_QUEUE).set(load.hashing.waiting as f64);
    for pool in &load.pools {
        let of_state =
            |state| gauge!(POOL_CONNECTIONS, "purpose" => pool.purpose, "state" => state);
        of_state("idle").set(pool.idle);
        of_state("used").set(pool.open.saturating_sub(pool.idle));
        gauge!(POOL_MOST, "purpose" => pool.purpose).set(pool.most);
    }
    for (cache, entries) in &load.caches {
        gauge!(CACHE_ENTRIES, "cache" => *cache).set(*entries as f64);
    }
    gauge!(REVOCATIONS_AGE).set(load.revocations_confirmed.as_secs_f64());
    for replica in &load.replicas {
        let lag = replica.lag.map_or(f64::INFINITY, |lag| lag.as_secs_f64());
        gauge!(REPLICA_LAG, "replica" => replica.name.clone()).set(lag);
        gauge!(REPLICA_USED, "replica" => replica.name.clone()).set(u32::from(replica.is_used));
    }
}
