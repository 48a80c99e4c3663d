//! Measurements of the released program: which there are, what each finds prepared, and how it is started.
//! What is measured, and what was promised of it, stands in the scripts of `xtask/outside`.

use std::fs;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, Result};

use crate::engines::control::Control;
use crate::needs;
use crate::program::{Program, root, target};
use crate::released::{outside, release_build};

/// A measurement that can be asked for.
struct Bench {
    name: &'static str,
    /// What it measures.
    about: &'static str,
    script: &'static str,
    prepared: Prepared,
}

/// What a script finds when it is started.
enum Prepared {
    /// A folder for figures, with those of other measurements.
    Figures,
    /// That, and what a build as releases are made needs.
    Linker,
    /// The released program.
    Program,
    /// That, and database servers for the asking.
    Servers,
    /// All that it is compared with as well.
    Comparisons,
    /// That, and allocators in the place of the system's.
    Allocators,
    /// That without the allocators, and Node, on which one of the others runs.
    Peers,
}

const BENCHES: &[Bench] = &[
    Bench {
        name: "speed",
        about: "the table of speed, row by row, and how costs grow; [ROW]... [--brief | --long] [--dist] [--report-only]",
        script: "bench_speed.py",
        prepared: Prepared::Comparisons,
    },
    Bench {
        name: "functions",
        about: "functions of the hot paths, by criterion; [FILTER]",
        script: "bench_functions.py",
        prepared: Prepared::Figures,
    },
    Bench {
        name: "build",
        about: "what a clean build takes, and of what; [--profile PROFILE]...",
        script: "bench_build.py",
        prepared: Prepared::Linker,
    },
    Bench {
        name: "allocators",
        about: "CPU time and memory with other allocators than ours; [--rounds N] [--dist]",
        script: "bench_allocators.py",
        prepared: Prepared::Allocators,
    },
    Bench {
        name: "peers",
        about: "other programs on the same work, beside ours; [--rounds N] [--seconds S] [--warm-up S] [--dist]",
        script: "bench_peers.py",
        prepared: Prepared::Peers,
    },
    Bench {
        name: "report",
        about: "writes docs/performance.md of what the others have measured",
        script: "bench_report.py",
        prepared: Prepared::Figures,
    },
    Bench {
        name: "idle",
        about: "memory of 10,000 connections that are kept alive and say nothing",
        script: "bench_idle.py",
        prepared: Prepared::Program,
    },
    Bench {
        name: "timing",
        about: "whether the time of a login tells a wrong password from an unknown, deleted or disabled user",
        script: "bench_timing.py",
        prepared: Prepared::Program,
    },
    Bench {
        name: "me",
        about: "what it costs to recognise a caller, remembered or not, against /livez",
        script: "bench_me.py",
        prepared: Prepared::Program,
    },
    Bench {
        name: "copy",
        about: "memory and speed of moving a million users, in each of the six directions, against a plain read",
        script: "bench_copy.py",
        prepared: Prepared::Servers,
    },
    Bench {
        name: "scale",
        about: "a million users and five million todos against a thousand and five, answer by answer",
        script: "bench_scale.py",
        prepared: Prepared::Servers,
    },
];

/// Has the program built as releases are made, which takes minutes more.
const AS_RELEASED: &str = "--dist";

/// `cargo xtask bench`
pub(crate) fn list() -> ExitCode {
    println!("cargo xtask bench NAME\n");
    for Bench { name, about, .. } in BENCHES {
        println!("  {name:15} {about}");
    }
    ExitCode::SUCCESS
}

/// `cargo xtask bench NAME [ARGUMENT]...`; the arguments are those of the script.
pub(crate) fn run(name: &str, arguments: &[&str]) -> ExitCode {
    let Some(bench) = BENCHES.iter().find(|bench| bench.name == name) else {
        list();
        println!("\nunknown bench: {name}");
        return ExitCode::from(2);
    };
    match measure(bench, arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            println!("bench {name}: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn measure(bench: &Bench, arguments: &[&str]) -> Result<()> {
    let figures = target()?.join("bench");
    fs::create_dir_all(&figures)?;
    let script = outside(bench.script)?.env("VESTIBULE_FIGURES", &figures);
    start(bench, script, arguments)
}

/// What is built, as git sees it: as it was committed, and what has been changed, added or taken away since. Commits of
/// anything else are none of its business.
fn sources() -> Result<[String; 3]> {
    let about_them = |words: &str| {
        let words =
            format!("{words} -- crates web/dist Cargo.toml Cargo.lock deploy/link-in-order");
        let asked = Program::new("git").words(&words).ask();
        asked.with_context(|| format!("`git {words}` has failed"))
    };
    Ok([
        about_them("ls-tree HEAD")?,
        about_them("status --porcelain")?,
        about_them("diff HEAD")?,
    ])
}

fn start(bench: &Bench, script: Program, arguments: &[&str]) -> Result<()> {
    let with = |script: Program| arguments.iter().fold(script, Program::arg);
    match bench.prepared {
        Prepared::Figures => with(script).run(),
        Prepared::Linker => {
            let linker = release_linker()?;
            with(script.env("VESTIBULE_LINKER", linker)).run()
        }
        Prepared::Program => {
            release_build()?;
            with(script).run()
        }
        Prepared::Servers => {
            release_build()?;
            Control::start()?.known_to(with(script)).run()
        }
        Prepared::Comparisons => compare(script, arguments),
        Prepared::Allocators => {
            needs::jemalloc()?;
            let profile = profile_of(arguments);
            build(
                profile,
                "--package vestibule --features vestibule/system-allocator",
            )?;
            let apart = put_apart(profile, "vestibule", WITHOUT_ALLOCATOR)?;
            compare(script.env("VESTIBULE_WITHOUT_ALLOCATOR", apart), arguments)
        }
        Prepared::Peers => {
            needs::node()?;
            compare(script, arguments)
        }
    }
}

/// Starts a script that compares the program with others.
fn compare(script: Program, arguments: &[&str]) -> Result<()> {
    needs::system_program("strace", "strace")?;
    let profile = profile_of(arguments);
    let before = sources()?;
    let programs = built_apart(profile)?;
    anyhow::ensure!(
        before == sources()?,
        "the sources have changed while they were built; measure again"
    );
    let script = script
        .env("VESTIBULE_BINARY", programs.join("vestibule"))
        .env("VESTIBULE_CEILING", programs.join(WITH_CEILING))
        .env("VESTIBULE_MEASURING", &programs)
        .env("VESTIBULE_NGINX", needs::nginx()?)
        .env("VESTIBULE_PROFILE", profile);
    let control = Control::start()?;
    let others = arguments.iter().filter(|word| **word != AS_RELEASED);
    control.known_to(others.fold(script, Program::arg)).run()
}

fn profile_of(arguments: &[&str]) -> &'static str {
    match arguments.contains(&AS_RELEASED) {
        true => "dist",
        false => "release",
    }
}

/// The program with the routes that show what its layers cost.
const WITH_CEILING: &str = "vestibule-with-ceiling";
/// The program that leaves memory to the allocator of the system.
const WITHOUT_ALLOCATOR: &str = "vestibule-without-allocator";

/// A folder with the program, that with the routes for measuring, and what else is compared; apart from what the next
/// build replaces, for they are started for minutes to come.
fn built_apart(profile: &str) -> Result<PathBuf> {
    build(
        profile,
        "--package vestibule --package measuring --features vestibule/ceiling",
    )?;
    put_apart(profile, "vestibule", WITH_CEILING)?;
    for name in ["load", "hello", "hashes"] {
        put_apart(profile, name, name)?;
    }
    build(profile, "--package vestibule")?;
    put_apart(profile, "vestibule", "vestibule")?;
    Ok(target()?.join("bench").join(profile))
}

/// Copies what was just built to the others that are compared.
fn put_apart(profile: &str, name: &str, as_name: &str) -> Result<PathBuf> {
    let folder = target()?.join("bench").join(profile);
    fs::create_dir_all(&folder)?;
    let apart = folder.join(as_name);
    fs::copy(target()?.join(profile).join(name), &apart)?;
    Ok(apart)
}

fn build(profile: &str, packages: &str) -> Result<()> {
    let cargo = Program::new("cargo")
        .words("build --profile")
        .arg(profile)
        .words(packages);
    let cargo = match profile {
        "dist" => cargo.env(LINKER, release_linker()?),
        _ => cargo,
    };
    cargo.run()
}

/// Where cargo reads the linker to use; on other processors releases are linked as ever.
const LINKER: &str = "CARGO_TARGET_X86_64_UNKNOWN_LINUX_GNU_LINKER";

/// The linker of releases, as in `deploy/Dockerfile`, with what it needs.
fn release_linker() -> Result<PathBuf> {
    if cfg!(target_arch = "x86_64") {
        needs::system_program("qemu-x86_64", "qemu-user")?;
    }
    Ok(root().join("deploy/link-in-order"))
}
