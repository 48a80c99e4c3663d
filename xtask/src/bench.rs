//! Measurements of the released program: which there are, and how one is started.
//! What is measured, and what was promised of it, stands in the scripts of `xtask/outside`.

use std::process::ExitCode;

use anyhow::Result;

use crate::engines::control::Control;
use crate::released::{outside, release_build};

/// A measurement that can be asked for.
struct Bench {
    name: &'static str,
    /// What it measures.
    about: &'static str,
    script: &'static str,
    /// Whether the script asks for database servers.
    beside_servers: bool,
}

const BENCHES: &[Bench] = &[
    Bench {
        name: "idle",
        about: "memory of 10,000 connections that are kept alive and say nothing",
        script: "bench_idle.py",
        beside_servers: false,
    },
    Bench {
        name: "timing",
        about: "whether the time of a login tells a wrong password from an unknown, deleted or disabled user",
        script: "bench_timing.py",
        beside_servers: false,
    },
    Bench {
        name: "me",
        about: "what it costs to recognise a caller, remembered or not, against /livez",
        script: "bench_me.py",
        beside_servers: false,
    },
    Bench {
        name: "copy",
        about: "memory and speed of moving a million users, in each of the six directions, against a plain read",
        script: "bench_copy.py",
        beside_servers: true,
    },
    Bench {
        name: "scale",
        about: "a million users and five million todos against a thousand and five, answer by answer",
        script: "bench_scale.py",
        beside_servers: true,
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
    let script = outside(bench.script)?;
    if !bench.beside_servers {
        return script.run();
    }
    let control = Control::start()?;
    control.known_to(script).run()
}
