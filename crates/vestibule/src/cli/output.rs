//! How commands print lists: a table for people, JSON for programs.

use clap::{Arg, ArgAction, ArgMatches};
use serde::Serialize;

use super::{Ended, Failure};
use crate::terminal::printable;

/// Prints a line. A closed pipe, as of `vestibule user list | head -1`, is no reason to fail.
macro_rules! say {
    ($($text:tt)*) => {{
        use std::io::Write as _;
        let _ = writeln!(std::io::stdout(), $($text)*);
    }};
}
pub(super) use say;

/// `--json`, for everything that lists.
pub(super) fn json_flag() -> Arg {
    Arg::new("json")
        .long("json")
        .action(ArgAction::SetTrue)
        .help("Print JSON instead of a table")
}

pub(super) fn wants_json(matches: &ArgMatches) -> bool {
    matches.get_flag("json")
}

/// Prints one JSON document.
pub(super) fn json(value: &impl Serialize) -> Ended {
    let text = serde_json::to_string_pretty(value).map_err(|error| {
        Failure::Failed(format!("the answer cannot be written as JSON: {error}"))
    })?;
    say!("{text}");
    Ok(())
}

/// Prints columns as wide as their longest cell. Control characters of stored text are escaped:
/// a name must not move the cursor of whoever lists it.
pub(super) fn table<'a, const N: usize>(
    head: [&'a str; N],
    rows: impl Iterator<Item = [&'a str; N]>,
) {
    let lines: Vec<[String; N]> = std::iter::once(head)
        .chain(rows)
        .map(|row| row.map(printable))
        .collect();
    let widths: [usize; N] = std::array::from_fn(|column| {
        lines
            .iter()
            .map(|line| line[column].chars().count())
            .max()
            .unwrap_or(0)
    });
    for line in &lines {
        let mut text = String::new();
        for (cell, width) in line.iter().zip(widths) {
            text.push_str(&format!("{cell:<width$}  "));
        }
        say!("{}", text.trim_end());
    }
}
