//! Measurements of the released program: which there are, and how one is started.
//! What is measured, and what was promised of it, stands in the scripts of `xtask/outside`.

use std::process::ExitCode;

use anyhow::Result;

use crate::test::{outside, release_build};

/// A measurement that can be asked for.
struct Bench {
    name: &'static str,
    /// What it measures.
    about: &'static str,
    script: &'static str,
}

const BENCHES: &[Bench] = &[
    Bench {
        name: "idle",
        about: "memory of 10,000 connections that are kept alive and say nothing",
        script: "bench_idle.py",
    },
    Bench {
        name: "timing",
        about: "whether the time of a login tells a wrong password from an unknown, deleted or disabled user",
        script: "bench_timing.py",
    },
    Bench {
        name: "me",
        about: "what it costs to recognise a caller, remembered or not, against /livez",
        script: "bench_me.py",
    },
];

/// `cargo xtask bench`
pub(crate) fn list() -> ExitCode {
    println!("cargo xtask bench NAME\n");
    for Bench { name, about, .. } in BENCHES {
        println!("  {name:15} {about}");
    }
    ExitCode::SUCCESS
}

/// `cargo xtask bench NAME`
pub(crate) fn run(name: &str) -> ExitCode {
    let Some(bench) = BENCHES.iter().find(|bench| bench.name == name) else {
        list();
        println!("\nunknown bench: {name}");
        return ExitCode::from(2);
    };
    match measure(bench) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            println!("bench {name}: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn measure(bench: &Bench) -> Result<()> {
    release_build()?;
    outside(bench.script)?.run()
}
