//! How far long work has come: a bar on a terminal, a line now and then elsewhere. On standard
//! error, so that what a command answers can be read by another program.

use std::io::IsTerminal as _;

use indicatif::{ProgressBar, ProgressStyle};

/// Lines are written at each of so many equal parts of the work.
const PARTS: u64 = 10;

/// Work that consists of steps, each of so many rows.
pub(super) struct Progress {
    step: &'static str,
    bar: Option<ProgressBar>,
    /// The last part of the step that a line was written about.
    part: u64,
}

impl Progress {
    pub(super) fn new() -> Self {
        let bar = std::io::stderr().is_terminal().then(|| {
            let bar = ProgressBar::new(0);
            bar.set_style(style());
            bar
        });
        Self {
            step: "",
            bar,
            part: 0,
        }
    }

    /// Shows that `done` of `total` rows are done in `step`, and at what.
    pub(super) fn show(&mut self, step: &'static str, at: &'static str, done: u64, total: u64) {
        let is_new = self.step != step;
        self.step = step;
        let Some(bar) = &self.bar else {
            self.print(is_new, done, total);
            return;
        };
        if is_new {
            // Rate and time left are those of this step, from where it was taken up.
            bar.set_position(done);
            bar.reset_eta();
        }
        bar.set_length(total);
        bar.set_message(format!("{step} {at}"));
        bar.set_position(done);
    }

    /// Takes the bar away, so that other lines can follow.
    pub(super) fn end(self) {
        if let Some(bar) = self.bar {
            bar.finish_and_clear();
        }
    }

    fn print(&mut self, is_new: bool, done: u64, total: u64) {
        let part = done
            .saturating_mul(PARTS)
            .checked_div(total)
            .unwrap_or(PARTS);
        if is_new || part > self.part {
            self.part = part;
            eprintln!("{}: {done} of {total} rows", self.step);
        }
    }
}

fn style() -> ProgressStyle {
    ProgressStyle::with_template(
        "{msg:24} {wide_bar} {human_pos} of {human_len} rows, {per_sec}, {eta} left",
    )
    .expect("the template is a valid one, as a test shows")
}

#[cfg(test)]
mod tests {
    //! That the bar can be drawn at all.

    #[test]
    fn the_template_of_the_bar_is_a_valid_one() {
        super::style();
    }
}
