//! Waits for the one connection of a writer. That the pools of servers tell when they are over is seen in the metrics of the
//! program.

use std::{sync::Arc, time::Duration};

use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};
use tokio::sync::Notify;

use crate::{DatabaseUrl, Error, Options, Store, run::Event};

/// Where an event halts until it is let go.
#[derive(Default)]
struct Gate {
    reached: Notify,
    open: Notify,
}

/// Has the writer for as long as the gate is shut.
const HALTING: Event<Arc<Gate>, ()> = |_, gate| {
    Box::pin(async move {
        gate.reached.notify_one();
        gate.open.notified().await;
        Ok(())
    })
};

async fn store(acquire_timeout: Duration) -> (tempfile::TempDir, Store) {
    let folder = tempfile::tempdir().unwrap();
    let url = DatabaseUrl::of_file(folder.path().join("vestibule.db"));
    let options = Options {
        acquire_timeout,
        ..Options::new(url)
    };
    let store = Store::connect(&options).await.unwrap();
    store.migrate_up(None).await.unwrap();
    (folder, store)
}

/// Count and sum of the waits with a purpose.
fn waits(metrics: &PrometheusHandle, purpose: &str) -> (u64, f64) {
    let rendered = metrics.render();
    let value = |part: &str| {
        let series = format!("{}_{part}{{purpose=\"{purpose}\"}} ", super::WAIT);
        let line = rendered.lines().find_map(|line| line.strip_prefix(&series));
        line.unwrap_or("0").to_owned()
    };
    (
        value("count").parse().unwrap(),
        value("sum").parse().unwrap(),
    )
}

#[tokio::test]
async fn a_wait_ends_when_a_connection_is_handed_out_and_not_before() {
    let recorder = PrometheusBuilder::new().build_recorder();
    let metrics = recorder.handle();
    let (_folder, store) = store(Duration::from_secs(30)).await;
    let _recording = metrics::set_default_local_recorder(&recorder);
    let (first, second) = (Arc::new(Gate::default()), Arc::new(Gate::default()));
    let writing = |gate: &Arc<Gate>| {
        let (store, gate) = (store.clone(), Arc::clone(gate));
        tokio::spawn(async move { store.write(gate, HALTING).await })
    };
    let holds = writing(&first);
    first.reached.notified().await;
    let waits_for_it = writing(&second);
    // While the first one has the connection its own wait is over, and that of the second goes on.
    store.newest_audit(1).await.unwrap();
    assert_eq!(waits(&metrics, "write").0, 1);
    assert_eq!(waits(&metrics, "read").0, 1);
    first.open.notify_one();
    second.reached.notified().await;
    assert_eq!(waits(&metrics, "write").0, 2);
    second.open.notify_one();
    holds.await.unwrap().unwrap();
    waits_for_it.await.unwrap().unwrap();
    assert_eq!(waits(&metrics, "write").0, 2);
}

#[tokio::test]
async fn a_wait_in_vain_counts_with_all_its_length() {
    const PATIENCE: Duration = Duration::from_millis(50);
    let recorder = PrometheusBuilder::new().build_recorder();
    let metrics = recorder.handle();
    let (_folder, store) = store(PATIENCE).await;
    let gate = Arc::new(Gate::default());
    let holds = tokio::spawn({
        let (store, gate) = (store.clone(), Arc::clone(&gate));
        async move { store.write(gate, HALTING).await }
    });
    gate.reached.notified().await;
    let _recording = metrics::set_default_local_recorder(&recorder);
    let refused = store.write(Arc::default(), HALTING).await;
    assert!(
        matches!(refused, Err(Error::NoConnection(_))),
        "{refused:?}"
    );
    let (count, sum) = waits(&metrics, "write");
    assert_eq!(count, 1);
    assert!(sum >= PATIENCE.as_secs_f64(), "{sum}");
    gate.open.notify_one();
    holds.await.unwrap().unwrap();
}
