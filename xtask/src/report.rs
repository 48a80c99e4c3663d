//! The report of a run: a heading before each step, and at the end a table of results and times.
//! It runs every step it is given; what a step is about stays with the callers.

use std::num::NonZero;
use std::process::ExitCode;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};

use crate::counts::{Counts, Runner};
use crate::program::Ran;

/// Steps run so far.
#[derive(Default)]
pub(crate) struct Report {
    rows: Vec<Row>,
}

struct Row {
    name: &'static str,
    time: Duration,
    /// The tests counted, where the step is a suite of tests.
    counts: Option<Counts>,
    failed: bool,
}

impl Row {
    /// The row of what has ended; why it failed is printed.
    fn new(name: &'static str, time: Duration, outcome: &Result<Option<Counts>>) -> Self {
        if let Err(error) = outcome {
            println!("{name}: {error:#}");
        }
        let counts = outcome.as_ref().ok().copied().flatten();
        Self {
            name,
            time,
            counts,
            failed: outcome.is_err() || counts.is_some_and(|counts| counts.failed > 0),
        }
    }
}

impl Report {
    /// Runs work that holds no tests of its own; says whether it succeeded.
    pub(crate) fn step(&mut self, name: &'static str, work: impl FnOnce() -> Result<()>) -> bool {
        self.record(name, || work().map(|()| None))
    }

    /// Runs a suite of tests. A suite without a test, or with a skipped one, has failed.
    pub(crate) fn suite(&mut self, name: &'static str, work: impl FnOnce() -> Result<Counts>) {
        self.record(name, || judged(work()?).map(Some));
    }

    /// Runs suites at the same time, one more than there are cores as each of them waits now and then, each of which prints its own summary as the last line.
    /// What one has printed comes when it has ended. The table has them in the order in which they were named.
    pub(crate) fn suites_side_by_side(
        &mut self,
        names: impl Iterator<Item = &'static str>,
        work: fn(&str) -> Result<Ran>,
    ) {
        let names: Vec<&'static str> = names.collect();
        let next = AtomicUsize::new(0);
        let rows = Mutex::new(Vec::new());
        let lane = || {
            while let Some((index, name)) = taken(&next, &names) {
                let (ran, time) = timed(|| work(name));
                let mut rows = rows.lock().expect("no lane panics");
                // Under the lock, so that the lines of two suites do not mix.
                println!("\n== {name}");
                let outcome = ran.and_then(|ran| {
                    print!("{}", ran.text);
                    judged(Counts::of(Runner::Outside, &ran)?).map(Some)
                });
                rows.push((index, Row::new(name, time, &outcome)));
            }
        };
        let lanes = 1 + thread::available_parallelism().map_or(1, NonZero::get);
        thread::scope(|scope| {
            for _ in 0..lanes {
                scope.spawn(lane);
            }
        });
        let mut rows = rows.into_inner().expect("no lane panics");
        rows.sort_by_key(|(index, _)| *index);
        self.rows.extend(rows.into_iter().map(|(_, row)| row));
    }

    /// Prints the table and one last sentence on steps.
    pub(crate) fn finish_checks(self) -> ExitCode {
        self.print_table();
        let failed = self.rows.iter().filter(|row| row.failed).count();
        println!("{} checks hold, {failed} failed", self.rows.len() - failed);
        self.exit_code()
    }

    /// Prints the table and, as the last line, `N passed, N failed` over all suites.
    /// A failure that no test stands for counts as one failed test.
    pub(crate) fn finish_tests(self) -> ExitCode {
        self.print_table();
        let counted = self.rows.iter().filter_map(|row| row.counts);
        let passed: usize = counted.clone().map(|counts| counts.passed).sum();
        let failed: usize = counted.map(|counts| counts.failed).sum();
        let uncounted = |row: &&Row| row.failed && row.counts.is_none();
        let failed = failed + self.rows.iter().filter(uncounted).count();
        println!("{passed} passed, {failed} failed");
        self.exit_code()
    }

    fn record(
        &mut self,
        name: &'static str,
        work: impl FnOnce() -> Result<Option<Counts>>,
    ) -> bool {
        println!("\n== {name}");
        let (outcome, time) = timed(work);
        self.rows.push(Row::new(name, time, &outcome));
        self.rows.last().is_some_and(|row| !row.failed)
    }

    fn print_table(&self) {
        println!("\n{:26} {:>8} {:>7} {:>9}", "", "passed", "failed", "time");
        for row in &self.rows {
            let passed = row.counts.map(|counts| counts.passed.to_string());
            let failed = row.counts.map(|counts| counts.failed.to_string());
            println!(
                "{:26} {:>8} {:>7} {:>7.1} s  {}",
                row.name,
                passed.unwrap_or_default(),
                failed.unwrap_or_default(),
                row.time.as_secs_f64(),
                if row.failed { "FAILED" } else { "ok" },
            );
        }
    }

    fn exit_code(&self) -> ExitCode {
        ExitCode::from(u8::from(self.rows.iter().any(|row| row.failed)))
    }
}

/// A suite in which nothing was tried, or something was left out, has failed.
fn judged(counts: Counts) -> Result<Counts> {
    ensure!(counts.passed + counts.failed > 0, "no test has run");
    ensure!(counts.skipped == 0, "{} tests skipped", counts.skipped);
    Ok(counts)
}

fn timed<T>(work: impl FnOnce() -> T) -> (T, Duration) {
    #[expect(
        clippy::disallowed_methods,
        reason = "times of the steps are for reading and decide nothing"
    )]
    let started = Instant::now();
    let outcome = work();
    (outcome, started.elapsed())
}

/// The next name that no other lane has, with its place in the list.
fn taken(next: &AtomicUsize, names: &[&'static str]) -> Option<(usize, &'static str)> {
    let index = next.fetch_add(1, Ordering::Relaxed);
    names.get(index).map(|name| (index, *name))
}
