//! What came back: statuses, bytes, and how long each answer was waited for.

use std::{collections::BTreeMap, time::Duration};

use serde_json::{Value, json};

/// What one connection, or all of them, have seen.
#[derive(Default)]
pub(crate) struct Figures {
    statuses: BTreeMap<u16, u64>,
    body_bytes: u64,
    /// In microseconds.
    waits: Vec<u64>,
    /// What was looked for in each answer.
    pub(crate) kept: Vec<String>,
}

impl Figures {
    pub(crate) fn answered(&mut self, status: u16, body_bytes: usize, wait: Duration) {
        *self.statuses.entry(status).or_default() += 1;
        self.body_bytes += body_bytes as u64;
        self.waits.push(wait.as_micros() as u64);
    }

    pub(crate) fn add(&mut self, other: Self) {
        for (status, count) in other.statuses {
            *self.statuses.entry(status).or_default() += count;
        }
        self.body_bytes += other.body_bytes;
        self.waits.extend(other.waits);
        self.kept.extend(other.kept);
    }

    /// One object for whoever has started the load.
    pub(crate) fn summary(mut self, elapsed: Duration) -> Value {
        self.waits.sort_unstable();
        let statuses: BTreeMap<String, u64> = self
            .statuses
            .iter()
            .map(|(status, count)| (status.to_string(), *count))
            .collect();
        json!({
            "requests": self.waits.len(),
            "seconds": elapsed.as_secs_f64(),
            "statuses": statuses,
            "body_bytes": self.body_bytes,
            "wait_us": {
                "p50": self.wait_of(0.5),
                "p90": self.wait_of(0.9),
                "p99": self.wait_of(0.99),
                "p999": self.wait_of(0.999),
                "most": self.wait_of(1.0),
            },
        })
    }

    /// The wait that this share of the requests did not exceed.
    fn wait_of(&self, share: f64) -> Option<u64> {
        let rank = (self.waits.len() as f64 * share).ceil() as usize;
        self.waits.get(rank.max(1) - 1).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_of_the_requests_was_not_waited_for_longer() {
        let mut figures = Figures::default();
        for wait in (1..=200).rev() {
            figures.answered(200, 10, Duration::from_micros(wait));
        }
        let summary = figures.summary(Duration::from_secs(2));
        assert_eq!(summary["requests"], 200);
        assert_eq!(summary["statuses"], json!({ "200": 200 }));
        assert_eq!(summary["body_bytes"], 2000);
        let waits = json!({ "p50": 100, "p90": 180, "p99": 198, "p999": 200, "most": 200 });
        assert_eq!(summary["wait_us"], waits);
    }

    #[test]
    fn without_answers_there_is_no_wait() {
        let summary = Figures::default().summary(Duration::from_secs(1));
        assert_eq!(summary["wait_us"]["p99"], Value::Null);
    }
}
