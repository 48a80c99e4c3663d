//! Small files that were asked for a moment ago, with their content. A file is looked at each time all the same: where it is
//! not the very file that was read, or has changed since, or was read a second ago, it is found, judged, opened and read like
//! any other. What is remembered was found on a disk of this machine, by its own name and without a link on the way.

use std::fs::{self, File};
use std::io::ErrorKind;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use axum::body::Bytes;
use quick_cache::{Weighter, sync::Cache};
use tokio::time::Instant;

use super::at_once;
use super::description::Description;
use super::encoding::Encoding;
use super::files::State;
use super::path::SitePath;

/// The longest content that is remembered, in bytes.
const LONGEST: u64 = 64 * 1024;
/// Bytes of all that is remembered, with what each file takes beside its content. What no longer counts goes as soon as it is
/// asked for or there is no room.
const ROOM: u64 = 4 * 1024 * 1024;
/// So many files are expected; more are remembered as well, as long as there is room for their bytes.
const EXPECTED: usize = 64;
/// How long a content counts. A look does not show everything: a program that has the file mapped may write to it with no
/// new time, and a folder on the way may have become a link to where the file lies now.
const LIFE: Duration = Duration::from_secs(1);
/// How long a file must have been left alone when it is read. Some file systems count time in whole seconds, so that two
/// changes within one look like one.
const REST: Duration = Duration::from_secs(2);
/// Bytes that a file takes beside its names and its content, about.
const BESIDE: u64 = 512;

/// Contents by path and by what the client takes.
#[derive(Debug)]
pub(super) struct Memory {
    files: Cache<String, Arc<Remembered>, ByLength>,
    /// How long a file must have been left alone.
    rest: Duration,
}

/// What was read of a file.
#[derive(Debug)]
pub(super) struct Remembered {
    pub(super) state: State,
    pub(super) encoding: Option<Encoding>,
    pub(super) description: Description,
    pub(super) content: Bytes,
    looks: Looks,
    at: Instant,
}

/// What was looked at until it was known what to send: the file that was asked for and then, in the order in which the
/// client likes them, its compressed copies, with `None` for one that is not there.
#[derive(Debug)]
pub(super) struct Looks(Vec<(PathBuf, Option<State>)>);

#[derive(Clone, Debug)]
struct ByLength;

impl Weighter<String, Arc<Remembered>> for ByLength {
    fn weight(&self, name: &String, file: &Arc<Remembered>) -> u64 {
        let names = file.looks.0.iter().map(|(path, _)| path.as_os_str().len());
        BESIDE + (name.len() + names.sum::<usize>() + file.content.len()) as u64
    }
}

impl Memory {
    pub(super) fn new() -> Self {
        Self {
            files: Cache::with_weighter(EXPECTED, ROOM, ByLength),
            rest: REST,
        }
    }

    /// One for files that have been left alone for so long.
    #[cfg(test)]
    pub(super) fn after(rest: Duration) -> Self {
        Self {
            rest,
            ..Self::new()
        }
    }

    /// Bytes of all that is remembered.
    #[cfg(all(test, target_os = "linux"))]
    pub(super) fn bytes(&self) -> u64 {
        self.files.weight()
    }

    /// The file of this path, or the copy of it that suits this client, unless it has to be looked for anew.
    pub(super) fn recall(&self, page: &SitePath, accepted: &[Encoding]) -> Option<Arc<Remembered>> {
        let name = name(page, accepted);
        let file = self.files.get(&name)?;
        if now().duration_since(file.at) < LIFE && file.looks.are_current() {
            return Some(file);
        }
        self.files.remove(&name);
        None
    }

    /// Reads an open file in that state whole, and remembers it, if it is one to remember and that takes no waiting.
    pub(super) fn take_in(
        &self,
        page: &SitePath,
        accepted: &[Encoding],
        file: &File,
        state: State,
        encoding: Option<Encoding>,
        looks: Looks,
    ) -> Option<Arc<Remembered>> {
        let at = now();
        if state.length > LONGEST || !looks.are_at_rest(self.rest) {
            return None;
        }
        let content = at_once::read(file, 0, usize::try_from(state.length).ok()?)?;
        if state != State::of(&file.metadata().ok()?) {
            return None;
        }
        let remembered = Arc::new(Remembered {
            state,
            encoding,
            description: Description::of(page, &state, encoding),
            content: content.into(),
            looks,
            at,
        });
        let name = name(page, accepted);
        self.files.insert(name, Arc::clone(&remembered));
        Some(remembered)
    }
}

impl Looks {
    pub(super) fn of_file(path: PathBuf, state: State) -> Self {
        Self(vec![(path, Some(state))])
    }

    /// Adds the copy of the file whose name has this ending.
    pub(super) fn add(&mut self, ending: &str, state: Option<State>) {
        let [(file, _), ..] = &self.0[..] else { return };
        let mut copy = file.clone().into_os_string();
        copy.push(ending);
        self.0.push((copy.into(), state));
    }

    /// Whether everything is as it was.
    fn are_current(&self) -> bool {
        self.0
            .iter()
            .all(|(path, seen)| match fs::symlink_metadata(path) {
                Ok(now) => now.is_file() && *seen == Some(State::of(&now)),
                Err(error) => seen.is_none() && error.kind() == ErrorKind::NotFound,
            })
    }

    /// Whether nothing has changed for so long.
    fn are_at_rest(&self, rest: Duration) -> bool {
        let now = wall_clock();
        let has_rested = |changed| {
            now.duration_since(changed)
                .is_ok_and(|rested| rested >= rest)
        };
        let states = self.0.iter().filter_map(|(_, seen)| seen.as_ref());
        states
            .map(|state| state.changed)
            .all(|changed| changed.is_some_and(has_rested))
    }
}

/// No path has the character that parts the path from what the client takes.
fn name(page: &SitePath, accepted: &[Encoding]) -> String {
    let mut name = String::with_capacity(page.as_str().len() + 8);
    name.push_str(page.as_str());
    name.push('\0');
    name.extend(accepted.iter().map(|encoding| encoding.suffix()));
    name
}

#[expect(
    clippy::disallowed_methods,
    reason = "how long a content counts is no rule about accounts"
)]
fn now() -> Instant {
    Instant::now()
}

#[expect(
    clippy::disallowed_methods,
    reason = "it is compared with what the file system has by the same clock"
)]
fn wall_clock() -> SystemTime {
    SystemTime::now()
}
