//! The program `vestibule`. Everything is in the library beside it; this decides the exit code.

use std::process::ExitCode;

fn main() -> ExitCode {
    vestibule::cli::run()
}
