//! How many tests passed, failed and were skipped, read from the summaries that test runners print.
//! Whether a count is good enough is judged by the report.

use std::iter::Sum;

use anyhow::{Context, Result};

use crate::program::Ran;

/// The tests of one suite.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    pub(crate) passed: usize,
    pub(crate) failed: usize,
    pub(crate) skipped: usize,
}

/// The runners whose summaries are understood.
#[derive(Clone, Copy)]
pub(crate) enum Runner {
    /// `Summary [ 1.2s] 12 tests run: 11 passed, 1 failed, 0 skipped`
    Nextest,
    /// `test result: ok. 3 passed; 0 failed; 0 ignored; …`, once per crate
    CargoDoc,
    /// `Tests  1 failed | 11 passed (12)`
    Vitest,
    /// `12 passed (3.4s)`, `1 failed`, `2 skipped` on lines of their own
    Playwright,
    /// `12 passed, 0 failed`, the last line of the scripts in `outside/`
    Outside,
}

impl Counts {
    /// One check that has passed, for suites that are a single comparison.
    pub(crate) const ONE_PASSED: Self = Self {
        passed: 1,
        failed: 0,
        skipped: 0,
    };

    /// Reads a runner's summary; a runner that failed without a failed test counts as one failure.
    pub(crate) fn of(runner: Runner, ran: &Ran) -> Result<Self> {
        let text = without_colours(&ran.text);
        let mut counts = runner
            .summary(&text)
            .context("the runner ended without its summary")?;
        if !ran.succeeded {
            counts.failed = counts.failed.max(1);
        }
        Ok(counts)
    }

    /// Adds the number that stands before each known word, as in `3 passed (1 slow), 1 timed out`.
    fn read(line: &str) -> Self {
        let words: Vec<&str> = line
            .split(|letter: char| !letter.is_ascii_alphanumeric())
            .filter(|word| !word.is_empty())
            .collect();
        let mut counts = Self::default();
        for pair in words.windows(2) {
            let Ok(number) = pair[0].parse::<usize>() else {
                continue;
            };
            match pair[1] {
                "passed" => counts.passed += number,
                "failed" | "timed" | "exec" | "interrupted" | "did" | "flaky" => {
                    counts.failed += number;
                }
                "skipped" | "ignored" | "todo" => counts.skipped += number,
                _ => {}
            }
        }
        counts
    }
}

impl Sum for Counts {
    fn sum<I: Iterator<Item = Self>>(counts: I) -> Self {
        counts.fold(Self::default(), |sum, next| Self {
            passed: sum.passed + next.passed,
            failed: sum.failed + next.failed,
            skipped: sum.skipped + next.skipped,
        })
    }
}

impl Runner {
    fn summary(self, text: &str) -> Option<Counts> {
        let mut lines = text.lines().map(str::trim);
        match self {
            Self::Nextest => lines
                .rfind(|line| line.starts_with("Summary ["))
                .and_then(|line| line.split_once("run: "))
                .map(|(_, tail)| Counts::read(tail)),
            Self::CargoDoc => {
                let results = lines.filter(|line| line.starts_with("test result:"));
                Some(results.map(Counts::read).sum())
            }
            Self::Vitest => lines
                .rfind(|line| line.starts_with("Tests "))
                .map(Counts::read),
            Self::Playwright => {
                let totals: Vec<Counts> = lines.filter_map(playwright_total).collect();
                (!totals.is_empty()).then(|| totals.into_iter().sum())
            }
            Self::Outside => lines
                .rfind(|line| line.contains(" passed, ") && line.ends_with(" failed"))
                .map(Counts::read),
        }
    }
}

/// A line of Playwright's closing list: a number, one word or `did not run`, perhaps a time.
fn playwright_total(line: &str) -> Option<Counts> {
    let (number, rest) = line.split_once(' ')?;
    number.parse::<usize>().ok()?;
    let word = rest.split(" (").next()?;
    let known = [
        "passed",
        "failed",
        "flaky",
        "skipped",
        "interrupted",
        "did not run",
    ];
    known.contains(&word).then(|| Counts::read(line))
}

/// Drops ANSI colour sequences (`ESC [ … m`).
fn without_colours(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut pieces = text.split('\u{1b}');
    plain.push_str(pieces.next().unwrap_or_default());
    for piece in pieces {
        plain.push_str(piece.split_once('m').map_or("", |(_, rest)| rest));
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counts(runner: Runner, text: &str) -> Option<(usize, usize, usize)> {
        let ran = Ran {
            succeeded: true,
            text: text.to_owned(),
        };
        let counts = Counts::of(runner, &ran).ok()?;
        Some((counts.passed, counts.failed, counts.skipped))
    }

    #[test]
    fn a_nextest_summary_is_counted_with_time_outs_as_failures() {
        let text = "PASS [ 0.1s] x\n     Summary [   1.203s] 12/13 tests run: 9 passed (1 slow), 2 failed, 1 timed out, 4 skipped\n";
        assert_eq!(counts(Runner::Nextest, text), Some((9, 3, 4)));
    }

    #[test]
    fn doc_tests_are_added_up_over_the_crates() {
        let text = "test result: ok. 3 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out\n\
                    test result: FAILED. 1 passed; 2 failed; 0 ignored; 0 measured";
        assert_eq!(counts(Runner::CargoDoc, text), Some((4, 2, 1)));
    }

    #[test]
    fn a_coloured_vitest_summary_is_counted() {
        let text = "\u{1b}[2m Test Files \u{1b}[22m \u{1b}[1m2 passed\u{1b}[22m (2)\n\
                    \u{1b}[2m      Tests \u{1b}[22m \u{1b}[31m1 failed\u{1b}[39m | \u{1b}[32m11 passed\u{1b}[39m (12)";
        assert_eq!(counts(Runner::Vitest, text), Some((11, 1, 0)));
    }

    #[test]
    fn playwright_totals_are_counted_and_its_test_lines_are_not() {
        let text = "  ok 1 e2e/login.spec.ts:3:1 > 2 failed attempts (1.2s)\n  1 flaky\n    a\n  1 did not run\n  12 passed (3.4s)\n";
        assert_eq!(counts(Runner::Playwright, text), Some((12, 2, 0)));
    }

    #[test]
    fn the_last_line_of_an_outside_script_is_counted() {
        let text = "ok  one\nFAIL two: 9 passed\n1 passed, 1 failed\n";
        assert_eq!(counts(Runner::Outside, text), Some((1, 1, 0)));
    }

    #[test]
    fn a_runner_that_broke_off_has_no_counts() {
        let runners = [
            Runner::Nextest,
            Runner::Vitest,
            Runner::Playwright,
            Runner::Outside,
        ];
        for runner in runners {
            assert_eq!(counts(runner, "error: could not compile"), None);
        }
    }

    #[test]
    fn a_failing_runner_whose_tests_all_passed_counts_as_a_failure() {
        let ran = Ran {
            succeeded: false,
            text: "Tests  3 passed (3)".to_owned(),
        };
        let counts = Counts::of(Runner::Vitest, &ran).expect("there is a summary");
        assert_eq!((counts.passed, counts.failed), (3, 1));
    }
}
