//! Files of a site that can be found, opened and read without waiting: the kernel has names and bytes in its memory, and
//! the folder is on a disk of this machine. A request for one needs no other thread, and it is asked for by the very
//! string that the rules have judged, with no link on the way. Nothing is remembered here, so nothing can be stale.
//! Whatever would wait, or is not as plain as that, is left to `files`, which comes to the same answers in its own time.

use std::fs::{File, Metadata};
use std::path::{Path, PathBuf};

use super::path::SitePath;

/// The folder of a site.
#[derive(Debug)]
pub(super) struct Folder {
    /// Where it is; it may be a link, which deployments swap.
    pub(super) dir: PathBuf,
    disk: Option<system::Disk>,
}

/// What is known of a name without waiting.
#[derive(Debug)]
pub(super) enum Looked<T> {
    /// It is a regular file.
    File(T),
    /// There is nothing of that name.
    Absent,
    /// It takes waiting, or a closer look.
    Unclear,
}

impl Folder {
    pub(super) fn of(dir: PathBuf) -> Self {
        let disk = system::Disk::of(&dir);
        Self { dir, disk }
    }

    /// Whether a path is plainly that of a regular file, while none of the `other_names` below the folder is anything's.
    pub(super) fn plainly_holds(
        &self,
        page: &SitePath,
        mut other_names: impl Iterator<Item = String>,
    ) -> bool {
        let Some(root) = self.root() else {
            return false;
        };
        matches!(root.find(page.as_str()), Looked::File(()))
            && other_names.all(|name| matches!(root.find(&name), Looked::Absent))
    }

    /// The folder as it is now.
    pub(super) fn root(&self) -> Option<system::Root> {
        system::Root::of(&self.dir, self.disk?)
    }
}

/// The bytes of a file from `start` on, if all of them are in memory.
pub(super) fn read(file: &File, start: u64, length: usize) -> Option<Vec<u8>> {
    system::read(file, start, length)
}

#[cfg(target_os = "linux")]
mod system {
    use std::io::IoSliceMut;
    use std::os::fd::OwnedFd;
    use std::os::unix::fs::MetadataExt;

    use rustix::fs::{
        AtFlags, CWD, FileType, Mode, OFlags, ResolveFlags, StatxFlags, makedev, statfs, statx,
    };
    use rustix::io::{Errno, ReadWriteFlags, preadv2};

    use super::{File, Looked, Metadata, Path};

    /// File systems on disks of this machine or in its memory, by the numbers of statfs(2). On others, to open a file
    /// or to ask for its state may wait for another machine or program, whatever the kernel remembers.
    const LOCAL: [u64; 9] = [
        0xEF53,      // ext2, ext3, ext4
        0x5846_5342, // XFS
        0x9123_683E, // Btrfs
        0xF2F5_2010, // F2FS
        0xCA45_1A4E, // bcachefs
        0x2FC1_2FC1, // ZFS
        0x7371_7368, // SquashFS
        0x0102_1994, // tmpfs
        0x794C_7630, // overlayfs, in containers
    ];

    /// A file system that never waits for anybody but a disk, by its number.
    #[derive(Clone, Copy, Debug, PartialEq)]
    pub(in crate::site) struct Disk(u64);

    /// An open folder, of which only what is on that file system counts.
    #[derive(Debug)]
    pub(in crate::site) struct Root {
        folder: OwnedFd,
        disk: Disk,
    }

    impl Disk {
        /// That of a folder. It may wait, so it is asked for once.
        pub(super) fn of(dir: &Path) -> Option<Self> {
            let kind = u64::try_from(statfs(dir).ok()?.f_type).ok()?;
            let disk = Disk(std::fs::metadata(dir).ok()?.dev());
            LOCAL.contains(&kind).then_some(disk)
        }
    }

    impl Root {
        /// What is at this place now, which may be a link.
        pub(super) fn of(dir: &Path, disk: Disk) -> Option<Self> {
            let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
            let folder =
                rustix::fs::openat2(CWD, dir, flags, Mode::empty(), ResolveFlags::CACHED).ok()?;
            Some(Self { folder, disk })
        }

        /// Whether a regular file has this name.
        pub(super) fn find(&self, name: &str) -> Looked<()> {
            match self.look(name, OFlags::PATH) {
                Ok(found) if self.is_file(&found) => Looked::File(()),
                Err(Errno::NOENT) => Looked::Absent,
                Ok(_) | Err(_) => Looked::Unclear,
            }
        }

        /// Opens the regular file of this name, which was found before: neither a pipe nor a terminal is waited for that
        /// has come in its place.
        pub(in crate::site) fn open(&self, name: &str) -> Looked<(File, Metadata)> {
            let file = match self.look(name, OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOCTTY) {
                Ok(file) => File::from(file),
                Err(Errno::NOENT) => return Looked::Absent,
                Err(_) => return Looked::Unclear,
            };
            match file.metadata() {
                Ok(state) if state.is_file() && Disk(state.dev()) == self.disk => {
                    Looked::File((file, state))
                }
                Ok(_) | Err(_) => Looked::Unclear,
            }
        }

        fn is_file(&self, found: &OwnedFd) -> bool {
            let flags = AtFlags::EMPTY_PATH | AtFlags::STATX_DONT_SYNC;
            statx(found, c"", flags, StatxFlags::TYPE).is_ok_and(|state| {
                Disk(makedev(state.stx_dev_major, state.stx_dev_minor)) == self.disk
                    && FileType::from_raw_mode(state.stx_mode.into()) == FileType::RegularFile
            })
        }

        /// No link is followed and no other file system entered, and nothing is waited for.
        fn look(&self, name: &str, flags: OFlags) -> Result<OwnedFd, Errno> {
            let way = ResolveFlags::BENEATH
                | ResolveFlags::NO_SYMLINKS
                | ResolveFlags::NO_XDEV
                | ResolveFlags::CACHED;
            let name = name.trim_start_matches('/');
            let flags = flags | OFlags::NOFOLLOW | OFlags::CLOEXEC;
            rustix::fs::openat2(&self.folder, name, flags, Mode::empty(), way)
        }
    }

    pub(super) fn read(file: &File, start: u64, length: usize) -> Option<Vec<u8>> {
        let mut bytes = vec![0; length];
        let mut parts = [IoSliceMut::new(&mut bytes)];
        let read = preadv2(file, &mut parts, start, ReadWriteFlags::NOWAIT).ok()?;
        (read == length).then_some(bytes)
    }
}

/// Elsewhere no system says what it would wait for.
#[cfg(not(target_os = "linux"))]
mod system {
    use super::{File, Looked, Metadata, Path};

    #[derive(Clone, Copy, Debug)]
    pub(in crate::site) enum Disk {}

    #[derive(Debug)]
    pub(in crate::site) enum Root {}

    impl Disk {
        pub(super) fn of(_: &Path) -> Option<Self> {
            None
        }
    }

    impl Root {
        pub(super) fn of(_: &Path, disk: Disk) -> Option<Self> {
            match disk {}
        }

        pub(super) fn find(&self, _: &str) -> Looked<()> {
            match *self {}
        }

        pub(in crate::site) fn open(&self, _: &str) -> Looked<(File, Metadata)> {
            match *self {}
        }
    }

    pub(super) fn read(_: &File, _: u64, _: usize) -> Option<Vec<u8>> {
        None
    }
}
