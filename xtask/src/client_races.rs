//! The client library in a real browser, on pages that are not ours: its races, and an application of somebody's own.
//! The tests themselves stand in `xtask/browser`, what is measured by Lighthouse in `xtask/lighthouse`.

use anyhow::Result;

use crate::counts::{Counts, Runner};
use crate::needs;
use crate::program::Program;
use crate::released::{outside, released_program};

/// Expiries of a token in five tabs, and answers to refreshes that the network loses, in every test run and when they
/// are asked for by name.
pub(crate) const BRIEF: Races = Races {
    expiries: "1",
    lost_answers: "6",
};
pub(crate) const LONG: Races = Races {
    expiries: "50",
    lost_answers: "100",
};

/// How much of what the library has to survive.
pub(crate) struct Races {
    expiries: &'static str,
    lost_answers: &'static str,
}

/// The example of an application that somebody else has made, as whoever follows its README gets it.
pub(crate) fn somebodys_app() -> Result<Counts> {
    tests("application")
}

/// The client library in tabs of another origin, while tokens expire and the network fails.
pub(crate) fn races(how_many: &Races) -> Result<Counts> {
    let tests = in_browsers("races")?
        .env("RACE_EXPIRIES", how_many.expiries)
        .env("RACE_LOST_ANSWERS", how_many.lost_answers);
    Counts::of(Runner::Playwright, &tests.watch()?)
}

/// Ten requests at an expired token by a helper that many use, to compare.
pub(crate) fn axios_auth_refresh() -> Result<Counts> {
    tests("comparison")
}

fn tests(which: &str) -> Result<Counts> {
    Counts::of(Runner::Playwright, &in_browsers(which)?.watch()?)
}

/// Tests of `xtask/browser`, which start servers of their own.
fn in_browsers(which: &str) -> Result<Program> {
    needs::node()?;
    // The library is packed there.
    needs::npm_packages("sdk")?;
    needs::npm_packages("xtask/browser")?;
    let tests = Program::new("npm").words("--prefix xtask/browser run");
    Ok(tests
        .arg(which)
        .env("CHROMIUM", needs::chromium()?)
        .env("VESTIBULE_BINARY", released_program()?))
}

/// What the built-in pages weigh, and what Lighthouse says of them.
pub(crate) fn lighthouse() -> Result<Counts> {
    needs::node()?;
    needs::npm_packages("xtask/lighthouse")?;
    let tests = outside("serve_while.py")?
        .env("CHROMIUM", needs::chromium()?)
        .words("npm --prefix xtask/lighthouse run measure");
    Counts::of(Runner::Outside, &tests.watch()?)
}
