//! The report of a run: a heading before each step, and at the end a table of results and times.
//! It runs every step it is given; what a step is about stays with the callers.

use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};

use crate::counts::Counts;

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

impl Report {
    /// Runs work that holds no tests of its own; says whether it succeeded.
    pub(crate) fn step(&mut self, name: &'static str, work: impl FnOnce() -> Result<()>) -> bool {
        self.record(name, || work().map(|()| None))
    }

    /// Runs a suite of tests. A suite without a test, or with a skipped one, has failed.
    pub(crate) fn suite(&mut self, name: &'static str, work: impl FnOnce() -> Result<Counts>) {
        self.record(name, || {
            let counts = work()?;
            ensure!(counts.passed + counts.failed > 0, "no test has run");
            ensure!(counts.skipped == 0, "{} tests skipped", counts.skipped);
            Ok(Some(counts))
        });
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
        #[expect(
            clippy::disallowed_methods,
            reason = "times of the steps are for reading and decide nothing"
        )]
        let started = Instant::now();
        let outcome = work();
        let time = started.elapsed();
        if let Err(error) = &outcome {
            println!("{name}: {error:#}");
        }
        let counts = outcome.as_ref().ok().copied().flatten();
        let failed = outcome.is_err() || counts.is_some_and(|counts| counts.failed > 0);
        self.rows.push(Row {
            name,
            time,
            counts,
            failed,
        });
        !failed
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
