//! The folder in which the servers live: theirs alone, and gone with this process, however that ends.
//! What is in it is up to the servers.

use std::fs::Permissions;
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};

use anyhow::{Context, Result};

use crate::needs;
use crate::program::{Program, User, target};

/// Files of Linux that are in memory alone.
const MEMORY: &str = "/dev/shm";

/// What the servers need for all the tests, and as much again.
const ENOUGH_KIB: u64 = 4 * 1024 * 1024;

/// A folder with a guard beside it, a process that outlives this one to clean up: neither a panic, nor Ctrl-C, nor
/// `kill -9` leaves a server or its files behind.
pub(crate) struct Folder {
    path: PathBuf,
    owner: Option<User>,
    guard: Child,
}

/// Where a folder shall be.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Medium {
    /// On a disk.
    Disk,
    /// In memory, if there is enough of it, and on a disk otherwise.
    Memory,
}

impl Folder {
    /// Makes one, on a disk below `target/`. Root makes it where everybody may go, for somebody else: PostgreSQL
    /// refuses to run as root, and the way to `target/` may be closed to others.
    pub(crate) fn new(medium: Medium) -> Result<Self> {
        let owner = if needs::is_root() {
            Some(nobody()?)
        } else {
            None
        };
        let in_memory = medium == Medium::Memory && has_room(MEMORY);
        let parent = match owner {
            _ if in_memory => PathBuf::from(MEMORY),
            Some(_) => PathBuf::from("/var/tmp"),
            None => target()?,
        };
        let path = tempfile::Builder::new()
            .prefix("vestibule-engines-")
            // Passwords are inside.
            .permissions(Permissions::from_mode(0o700))
            .tempdir_in(parent)?
            .keep();
        let guard = Program::new("sh")
            .arg("xtask/scripts/guard.sh")
            .arg(&path)
            .start_apart(Stdio::piped(), Stdio::null())?;
        let folder = Self { path, owner, guard };
        folder.hand_over(&folder.path)?;
        Ok(folder)
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Who runs the servers, if not whoever runs us.
    pub(crate) fn owner(&self) -> Option<User> {
        self.owner
    }

    /// Makes a folder for one server.
    pub(crate) fn make(&self, name: &str) -> Result<PathBuf> {
        let path = self.path.join(name);
        std::fs::create_dir(&path)?;
        self.hand_over(&path)?;
        Ok(path)
    }

    /// Writes a file that only the servers read.
    pub(crate) fn write(&self, name: &str, text: &str) -> Result<PathBuf> {
        let path = self.path.join(name);
        std::fs::write(&path, text)?;
        self.hand_over(&path)?;
        Ok(path)
    }

    fn hand_over(&self, path: &Path) -> Result<()> {
        if let Some(User { user_id, group_id }) = self.owner {
            chown(path, Some(user_id), Some(group_id))?;
        }
        Ok(())
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // The guard takes the end of its input for our end, and does here what it does then.
        drop(self.guard.stdin.take());
        let _ = self.guard.wait();
    }
}

fn has_room(folder: &str) -> bool {
    let free = Program::new("df").words("--output=avail").arg(folder).ask();
    let free = free.and_then(|table| table.lines().last()?.trim().parse().ok());
    free.is_some_and(|free: u64| free >= ENOUGH_KIB)
}

/// The user whom every system has for programs that should own nothing.
fn nobody() -> Result<User> {
    let number = |question: &str| {
        let answer = Program::new("id").arg(question).arg("nobody").ask();
        answer.and_then(|text| text.parse().ok())
    };
    let user = number("-u").zip(number("-g"));
    let (user_id, group_id) = user.context("root needs the user `nobody` to run the servers as")?;
    Ok(User { user_id, group_id })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_folder_and_whoever_works_in_it_go_when_its_owner_goes() {
        let folder = Folder::new(Medium::Disk).unwrap();
        let path = folder.path().to_owned();
        let inside = folder.make("server").unwrap();
        folder.write("server/file", "text").unwrap();
        let mut worker = Program::new("sleep")
            .arg("1000")
            .inside(&inside)
            .by_user(folder.owner())
            .start_apart(Stdio::null(), Stdio::null())
            .unwrap();
        drop(folder);
        assert!(!path.exists());
        assert!(!worker.wait().unwrap().success());
    }
}
