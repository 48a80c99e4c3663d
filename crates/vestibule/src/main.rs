//! The program `vestibule`. Everything is in the library beside it; this decides the exit code.

use std::process::ExitCode;

/// A request takes memory some eighty times, so what that costs shows: docs/adr/0041.
#[cfg(not(feature = "system-allocator"))]
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    vestibule::cli::run()
}
