//! The checks that read the code instead of running it.
//! Rules of this repository that no linter knows are tests, in `xtask/tests/tidy`.

use std::process::ExitCode;

use anyhow::{Context, Result};

use crate::needs;
use crate::program::Program;
use crate::report::Report;

const CARGO_DENY: &str = "0.20.2";
const CARGO_MACHETE: &str = "0.9.2";

/// `cargo xtask lint`
pub(crate) fn run() -> ExitCode {
    let mut report = Report::default();
    report.step("format", || cargo("fmt --all --check"));
    report.step("clippy", || {
        cargo("clippy --workspace --all-targets --quiet -- -D warnings")
    });
    report.step("clippy with every feature", || {
        cargo("clippy --workspace --all-targets --all-features --quiet -- -D warnings")
    });
    report.step("rustdoc", || {
        Program::new("cargo")
            .words("doc --workspace --no-deps --document-private-items --quiet")
            .env("RUSTDOCFLAGS", "-D warnings")
            .run()
    });
    report.step("licences and sources", || {
        needs::cargo_tool("deny", CARGO_DENY)?;
        cargo("deny --workspace check bans licenses sources")
    });
    report.step("unused dependencies", || {
        needs::cargo_tool("machete", CARGO_MACHETE)?;
        cargo("machete")
    });
    report.step("client", || npm_lint("sdk"));
    report.step("pages", || npm_lint("web"));
    report.step("browser tests", || npm_lint("xtask/browser"));
    report.step("scripts", scripts);
    report.finish_checks()
}

/// `cargo xtask audit`
pub(crate) fn audit() -> ExitCode {
    let mut report = Report::default();
    report.step("advisories", || {
        needs::cargo_tool("deny", CARGO_DENY)?;
        cargo("deny --workspace check advisories").context(
            "an advisory applies, or the advisory database could not be fetched; \
             without a network this check has no answer",
        )
    });
    report.finish_checks()
}

fn cargo(line: &str) -> Result<()> {
    Program::new("cargo").words(line).run()
}

/// The Python scripts of this folder, by `xtask/ruff.toml`.
fn scripts() -> Result<()> {
    let python = needs::python()?;
    for check in ["check --quiet", "format --check --quiet"] {
        Program::new(&python)
            .words("-m ruff")
            .words(check)
            .words("--no-cache xtask")
            .run()?;
    }
    Ok(())
}

fn npm_lint(folder: &str) -> Result<()> {
    needs::node()?;
    needs::npm_packages(folder)?;
    Program::new("npm").words("run lint").inside(folder).run()
}
