//! Every test there is, in the order in which a failure is cheapest to learn of.
//! The suites themselves stand beside the code they test, in `sdk/`, `web/` and in `xtask/outside`; those about the
//! released program are listed in released.rs.

use std::process::ExitCode;
use std::thread;

use anyhow::{Context as _, Result, ensure};

use crate::counts::{Counts, Runner};
use crate::engines::{self, Engines};
use crate::needs;
use crate::program::{Program, Ran};
use crate::released::{
    Company, DOCUMENTATION, GUIDE, RELEASED, guide_to_adding, release_build,
    release_build_meanwhile, suites,
};
use crate::report::Report;
use crate::web;

const CARGO_NEXTEST: &str = "0.9.151";
const TESTS_PER_CORE: usize = 2;

/// `cargo xtask test`
pub(crate) fn run() -> ExitCode {
    let mut report = Report::default();
    report.step("what the tests need", tools);
    let release = thread::spawn(release_build_meanwhile);
    let mut engines = None;
    report.step("database servers", || {
        engines = Some(Engines::start()?);
        Ok(())
    });
    report.suite("rust", || rust(engines.as_ref()));
    report.suite("guide to adding", || guide_to_adding(GUIDE.short));
    report.suite("doors on PostgreSQL", || {
        doors(engines.as_ref(), "postgres")
    });
    report.suite("doors on MariaDB", || doors(engines.as_ref(), "mariadb"));
    report.suite("doors behind PgBouncer", || {
        doors_behind_pgbouncer(engines.as_ref())
    });
    drop(engines);
    report.suite("store at serializable", store_at_serializable);
    report.suite("client", || npm_test("sdk"));
    report.suite("pages", || npm_test("web"));
    report.suite("web/dist is fresh", web::fresh);
    let built = || release.join().expect("a build does not panic");
    if report.step("release build", built) {
        for suite in suites(Company::Unwelcome) {
            report.suite(suite.name, suite.tests);
        }
        report.suites_side_by_side(suites(Company::Welcome).map(|suite| suite.name), alone);
    }
    report.finish_tests()
}

/// `cargo xtask test SUITE...`: only those about the released program, by the names that the table of a whole run has.
pub(crate) fn run_only(names: &[&str]) -> ExitCode {
    let known = |name: &&str| RELEASED.iter().find(|suite| suite.name == *name);
    if let Some(unknown) = names.iter().find(|name| known(name).is_none()) {
        println!("unknown suite: `{unknown}`; those that can be run by name:");
        for suite in RELEASED {
            println!("  {}", suite.name);
        }
        return ExitCode::from(2);
    }
    let mut report = Report::default();
    if report.step("release build", release_build) {
        for suite in names.iter().filter_map(known) {
            report.suite(suite.name, suite.tests);
        }
    }
    report.finish_tests()
}

/// Runs one suite in a process of its own, so that what it prints stays together. By way of cargo, since the tests have
/// built this very program anew.
fn alone(name: &str) -> Result<Ran> {
    Program::new("cargo").words("xtask test").arg(name).listen()
}

/// Finds or installs every tool at once, so that a missing one is known before the long suites.
pub(crate) fn tools() -> Result<()> {
    needs::cargo_tool("nextest", CARGO_NEXTEST)?;
    needs::node()?;
    needs::system_program("curl", "curl")?;
    needs::system_program("strace", "strace")?;
    needs::system_program("mariadb-dump", "mariadb-client")?;
    needs::python()?;
    needs::chromium()?;
    engines::install()?;
    needs::nginx()?;
    needs::caddy()?;
    needs::haproxy()?;
    needs::system_program("docker-compose", "docker-compose")?;
    needs::system_program("openssl", "openssl")?;
    needs::system_program("h2load", "nghttp2-client")?;
    needs::system_program("systemd-analyze", "systemd")?;
    needs::redis()?;
    needs::rsyslogd()?;
    needs::system_program("promtool", "prometheus")?;
    needs::system_program("sqlite3", "sqlite3")?;
    needs::debian_files(DOCUMENTATION)?;
    Ok(())
}

/// The tests of all crates, and the examples in their documentation, which nextest does not run.
/// Without database servers, those that need one fail and the others still tell something.
fn rust(engines: Option<&Engines>) -> Result<Counts> {
    let tests = nextest()?.words("--workspace");
    let tests = match engines {
        Some(engines) => engines.known_to(tests),
        None => tests,
    };
    let examples = Program::new("cargo").words("test --workspace --doc --no-fail-fast");
    let tests = Counts::of(Runner::Nextest, &tests.watch()?)?;
    let examples = Counts::of(Runner::CargoDoc, &examples.watch()?)?;
    Ok([tests, examples].into_iter().sum())
}

/// The tests of the doors once more, on another engine than a file. What is about files among them
/// is the same again.
fn doors(engines: Option<&Engines>, engine: &str) -> Result<Counts> {
    let engines = engines.context("the database servers did not start")?;
    counts_of_chosen(&door_tests(engines, engine)?.watch()?)
}

pub(crate) fn door_tests(engines: &Engines, engine: &str) -> Result<Program> {
    let tests = chosen("package(vestibule) & binary(it)")?.env("VESTIBULE_TEST_DATABASE", engine);
    Ok(engines.known_to(tests))
}

/// The contract of the store on a PostgreSQL whose transactions are serializable unless they say otherwise, and so fail
/// in ways that they do not by default.
fn store_at_serializable() -> Result<Counts> {
    let tests = chosen("package(store) & binary(conformance) & test(on_postgres)")?;
    let (ran, log) =
        engines::watch_on_postgres(&["default_transaction_isolation=serializable"], tests)?;
    ensure!(
        log.contains("could not serialize access"),
        "no two transactions were in conflict, so nothing was tried"
    );
    counts_of_chosen(&ran)
}

/// Those of the doors through which most statements go, behind a pooler that hands connections round.
fn doors_behind_pgbouncer(engines: Option<&Engines>) -> Result<Counts> {
    let engines = engines.context("the database servers did not start")?;
    let tests = chosen("package(vestibule) & binary(it) & test(/^(admin|auth)::/)")?;
    let tests = tests.env("VESTIBULE_TEST_DATABASE", "pooler");
    counts_of_chosen(&engines.known_to(tests).watch()?)
}

/// The tests that a filter of nextest lets through, ignored ones too. They are named among all packages, as fewer would
/// be built anew, with fewer features.
fn chosen(filter: &str) -> Result<Program> {
    let tests = nextest()?.words("--workspace --run-ignored all --filterset");
    Ok(tests.arg(filter))
}

/// The runner of Rust tests, with more of them at a time than there are cores: what many do is to wait until a bound
/// has passed.
pub(crate) fn nextest() -> Result<Program> {
    needs::cargo_tool("nextest", CARGO_NEXTEST)?;
    let threads = TESTS_PER_CORE * thread::available_parallelism()?.get();
    let tests = Program::new("cargo").words("nextest run --no-fail-fast --test-threads");
    Ok(tests.arg(threads.to_string()))
}

/// What became of them. As ignored ones have run, what was skipped are those that were not chosen.
pub(crate) fn counts_of_chosen(ran: &Ran) -> Result<Counts> {
    let counts = Counts::of(Runner::Nextest, ran)?;
    Ok(Counts {
        skipped: 0,
        ..counts
    })
}

fn npm_test(folder: &str) -> Result<Counts> {
    needs::node()?;
    needs::npm_packages("sdk")?;
    needs::npm_packages(folder)?;
    let tests = Program::new("npm").words("test").inside(folder);
    Counts::of(Runner::Vitest, &tests.watch()?)
}
