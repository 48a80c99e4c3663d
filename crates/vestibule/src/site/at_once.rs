//! Files of a site that can be found, opened and read without waiting: the kernel has names and bytes in its memory, and
//! the folder is on a disk of this machine. A request for one needs no other thread, and it is asked for by the very
//! string that the rules have judged, with no link on the way. Nothing of a file is remembered here but that its name was
//! a file's, so nothing can be stale. Whatever would wait, or is not as plain as that, is left to `files`, which comes to
//! the same answers in its own time.

use std::fs::{File, Metadata};
use std::hash::{BuildHasher, RandomState};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

pub(super) use system::Root;

/// The folder of a site.
#[derive(Debug)]
pub(super) struct Folder {
    /// Where it is; it may be a link, which deployments swap.
    pub(super) dir: PathBuf,
    disk: Option<system::Disk>,
    regular: Regular,
}

/// Names that were those of regular files when they were last asked for. Nothing is served for that: the kind of what was
/// opened is looked at in any case. For a name that is not among them, it is looked at before as well.
#[derive(Debug)]
struct Regular {
    hasher: RandomState,
    /// Hashes of names, each in the place that it says itself; 0 where there is none.
    hashes: Box<[AtomicU64]>,
}

/// How many names are remembered at the most, in 32 KiB.
const REGULAR: usize = 4096;

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
        let regular = Regular::none();
        Self { dir, disk, regular }
    }

    /// Opens the regular file of this name unless `is_refused`. A pipe or a device is told by its kind and not opened,
    /// which would be noticed at its other end; one that has come in the place of a file is opened once, but not waited
    /// for.
    pub(super) fn open(
        &self,
        root: &Root,
        name: &str,
        is_refused: impl FnOnce() -> bool,
    ) -> Option<(File, Metadata)> {
        let hash = self.regular.hash(name);
        if (!self.regular.has(hash) && !root.has_regular(name)) || is_refused() {
            return None;
        }
        let Looked::File(file) = root.open(name) else {
            self.regular.forget(hash);
            return None;
        };
        self.regular.remember(hash);
        Some(file)
    }

    /// The folder as it is now.
    pub(super) fn root(&self) -> Option<Root> {
        Root::of(&self.dir, self.disk?)
    }
}

impl Regular {
    fn none() -> Self {
        Self {
            hasher: RandomState::new(),
            hashes: std::iter::repeat_with(AtomicU64::default)
                .take(REGULAR)
                .collect(),
        }
    }

    fn hash(&self, name: &str) -> u64 {
        self.hasher.hash_one(name).max(1)
    }

    fn has(&self, hash: u64) -> bool {
        self.place(hash).load(Ordering::Relaxed) == hash
    }

    fn remember(&self, hash: u64) {
        if !self.has(hash) {
            self.place(hash).store(hash, Ordering::Relaxed);
        }
    }

    fn forget(&self, hash: u64) {
        if self.has(hash) {
            self.place(hash).store(0, Ordering::Relaxed);
        }
    }

    fn place(&self, hash: u64) -> &AtomicU64 {
        let [low, high, ..] = hash.to_le_bytes();
        &self.hashes[usize::from(u16::from_le_bytes([low, high])) % REGULAR]
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

        /// Whether a regular file plainly has this name; by its kind alone.
        pub(super) fn has_regular(&self, name: &str) -> bool {
            let found = self.look(name, OFlags::PATH);
            found.is_ok_and(|found| self.is_file(&found))
        }

        /// Whether there is plainly nothing of this name.
        pub(in crate::site) fn lacks(&self, name: &str) -> bool {
            matches!(self.look(name, OFlags::PATH), Err(Errno::NOENT))
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

        pub(super) fn has_regular(&self, _: &str) -> bool {
            match *self {}
        }

        pub(in crate::site) fn lacks(&self, _: &str) -> bool {
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
