//! The suites in their long form, each by a name of its own: what every test run does for seconds, done until it can be
//! believed. What they consist of stands in released.rs.

use std::process::ExitCode;

use crate::client_races::{LONG, axios_auth_refresh, lighthouse, races};
use crate::counts::{Counts, Runner};
use crate::engines::{Engines, galera::Cluster};
use crate::released::{
    CASES, CRASHES, DRAINS, DRESSES, FAULTS, FILLINGS, GUIDE, KILLED_SERVERS, KILLS, LEAVERS,
    MOVES, PASSES, POWER_CUTS, RACES, REDIS, RESTARTS, TRIES, Tests, USERS, api, browser, crashes,
    docker, drains, faults, full_disk, guide_to_adding, image, isolation, killed_servers, leavers,
    limits, machine, migrations, moves, nodes, outside, power_cuts, proxies, redis, release_build,
    rolling_restart, traces, tracing_build,
};
use crate::report::Report;
use crate::test::{counts_of_chosen, door_tests, nextest, tools};

/// `cargo xtask torture NAME`; `None` where there is no such thing.
pub(crate) fn run(name: &str) -> Option<ExitCode> {
    let suites: &[(&'static str, Tests)] = match name {
        "api" => &[("API", || api(CASES.long))],
        "client" => &[
            ("client races", || races(&LONG)),
            ("browser", || browser(DRESSES.long)),
            ("axios-auth-refresh", axios_auth_refresh),
            ("Lighthouse", lighthouse),
        ],
        "containers" => &[("Docker", docker)],
        "copy" => &[("moves", || moves(MOVES.long))],
        "crash" => &[("crashes", || crashes(CRASHES.long))],
        "drains" => &[("drains", || drains(DRAINS.long))],
        "durability" => &[
            ("power cuts", || power_cuts(POWER_CUTS.long)),
            ("killed servers", || killed_servers(KILLED_SERVERS.long)),
        ],
        "faults" => &[("faults", || faults(FAULTS.long))],
        "full" => &[("full disk", || full_disk(FILLINGS.long))],
        "galera" => return Some(on_galera()),
        "guide" => return Some(of_the_guide()),
        "image" => return Some(of_the_image()),
        "traces" => return Some(of_traces()),
        "isolation" => &[("isolation", || isolation(USERS.long))],
        "leavers" => &[("leavers", || leavers(LEAVERS.long))],
        "limits" => &[("limits", || limits(TRIES.long))],
        "migrations" => &[("migrations", || migrations(KILLS.long))],
        "nodes" => &[
            ("nodes", || nodes(RACES.long)),
            ("rolling restart", || rolling_restart(RESTARTS.long)),
        ],
        "proxies" => &[("proxies", || proxies(PASSES.long))],
        "redis" => &[("redis", || redis(REDIS.long))],
        "systemd" => &[("machine", machine)],
        _ => return None,
    };
    let mut report = Report::default();
    if report.step("release build", release_build) {
        for (name, tests) in suites {
            report.suite(name, tests);
        }
    }
    Some(report.finish_tests())
}

/// The guide to adding a resource, which makes its own program of a copy of the tree.
fn of_the_guide() -> ExitCode {
    let mut report = Report::default();
    report.step("what the tests need", tools);
    report.suite("guide to adding", || guide_to_adding(GUIDE.long));
    report.finish_tests()
}

/// The image for containers, which has its program built in a root of its own.
fn of_the_image() -> ExitCode {
    let mut report = Report::default();
    report.suite("image", image);
    report.finish_tests()
}

/// Traces, of which no released program has any.
fn of_traces() -> ExitCode {
    let mut report = Report::default();
    if report.step("build with traces", tracing_build) {
        report.suite("rules of traces", || {
            let tests = nextest()?.words("--package vestibule --features otel --lib");
            Counts::of(Runner::Nextest, &tests.watch()?)
        });
        report.suite("traces", traces);
    }
    report.finish_tests()
}

/// The tests of the doors, and two nodes, on a cluster of three servers.
fn on_galera() -> ExitCode {
    let mut report = Report::default();
    let mut servers = None;
    report.step("database servers", || {
        servers = Some((Engines::start()?, Cluster::start()?));
        Ok(())
    });
    if let Some((engines, cluster)) = &servers {
        report.suite("doors on Galera", || {
            let tests = cluster.known_to(door_tests(engines, "mariadb")?);
            counts_of_chosen(&tests.watch()?)
        });
        if report.step("release build", release_build) {
            report.suite("nodes on Galera", || {
                let tests = cluster.known_to(outside("nodes.py")?).arg("--galera");
                Counts::of(Runner::Outside, &tests.watch()?)
            });
        }
    }
    report.finish_tests()
}
