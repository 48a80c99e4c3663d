//! The password hash alone: argon2id with what new hashes cost, one after the other on each core, with memory that is wiped
//! and used again. Logins are compared with it; it knows nothing of the server's own gate.

#![expect(clippy::print_stdout, reason = "the figures are its answer")]

use std::{
    thread,
    time::{Duration, Instant},
};

use anyhow::{Result, anyhow};
use argon2_rust::{Algorithm, Argon2, Params, Version, params::Memory};
use clap::Parser;

/// OWASP's least cost, which is that of the product: 19 MiB, two passes, one lane.
const MEMORY_KIB: u64 = 19_456;
const PASSES: u32 = 2;
const HASH_BYTES: usize = 32;

/// Hashes passwords on every core.
#[derive(Parser)]
struct Arguments {
    /// For how long, in seconds.
    #[arg(long, default_value_t = 4.0)]
    seconds: f64,
}

fn main() -> Result<()> {
    let time = Duration::from_secs_f64(Arguments::parse().seconds);
    let cores = thread::available_parallelism()?.get();
    let begun = now();
    let threads: Vec<_> = (0..cores)
        .map(|_| thread::spawn(move || hash_until(begun + time)))
        .collect();
    let mut hashes = 0;
    for thread in threads {
        hashes += thread
            .join()
            .map_err(|_| anyhow!("a thread has panicked"))??;
    }
    let seconds = begun.elapsed().as_secs_f64();
    println!(r#"{{"cores":{cores},"hashes":{hashes},"seconds":{seconds}}}"#);
    Ok(())
}

/// How many hashes one core has made when the time is over.
fn hash_until(end: Instant) -> Result<u64> {
    let cost = Params::builder()
        .memory(Memory::kib(MEMORY_KIB))
        .passes(PASSES);
    let mut hasher = Argon2::new(Algorithm::Argon2id, Version::V0x13, cost.build()?).hasher();
    let mut hash = [0; HASH_BYTES];
    let mut made = 0;
    while now() < end {
        let password = b"a long and uncommon sentence";
        hasher.hash_into(password, &[7; 16], &mut hash)?;
        made += 1;
    }
    Ok(made)
}

#[expect(
    clippy::disallowed_methods,
    reason = "what is measured here is time, and there are no rules"
)]
fn now() -> Instant {
    Instant::now()
}
