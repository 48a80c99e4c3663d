//! Files of a site that can be found, opened and read without waiting: the kernel has names and bytes in its memory, and
//! the folder is on a disk of this machine. A request for one needs no other thread, and it is asked for by the very
//! string that the rules have judged, with no link on the way. Nothing is remembered here, so nothing can be stale.
//! Whatever would wait, or is not as plain as that, is left to `files`, which comes to the same answers in its own time.

use std::fs::File;
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
        self.disk.as_ref()?.root(&self.dir)
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

    use rustix::fs::{AtFlags, CWD, Mode, OFlags, ResolveFlags, StatxFlags, statfs, statx};
    use rustix::io::{Errno, ReadWriteFlags, preadv2};

    use super::{File, Looked, Path};

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

    /// A file system that never waits for anybody but a disk.
    #[derive(Debug)]
    pub(in crate::site) struct Disk(u32, u32);

    /// An open folder on it.
    #[derive(Debug)]
    pub(in crate::site) struct Root(OwnedFd);

    impl Disk {
        /// That of a folder. It may wait, so it is asked for once.
        pub(super) fn of(dir: &Path) -> Option<Self> {
            let kind = u64::try_from(statfs(dir).ok()?.f_type).ok()?;
            let root = open_root(dir, ResolveFlags::empty())?;
            LOCAL.contains(&kind).then(|| device(&root)).flatten()
        }

        /// The folder at this place, unless it is somewhere else by now.
        pub(super) fn root(&self, dir: &Path) -> Option<Root> {
            let root = open_root(dir, ResolveFlags::CACHED)?;
            let Disk(major, minor) = device(&root)?;
            (major == self.0 && minor == self.1).then_some(Root(root))
        }
    }

    impl Root {
        /// Whether a regular file has this name.
        pub(super) fn find(&self, name: &str) -> Looked<()> {
            match self.look(name, OFlags::PATH | OFlags::NOFOLLOW) {
                Ok(found) => match File::from(found).metadata() {
                    Ok(metadata) if metadata.is_file() => Looked::File(()),
                    Ok(_) | Err(_) => Looked::Unclear,
                },
                Err(Errno::NOENT) => Looked::Absent,
                Err(_) => Looked::Unclear,
            }
        }

        /// Opens what has this name. Neither a pipe nor a terminal is waited for; it is up to the caller to refuse them.
        pub(in crate::site) fn open(&self, name: &str) -> Looked<File> {
            let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY;
            match self.look(name, flags) {
                Ok(file) => Looked::File(File::from(file)),
                Err(Errno::NOENT) => Looked::Absent,
                Err(_) => Looked::Unclear,
            }
        }

        /// No link is followed and no other file system entered, and nothing is waited for.
        fn look(&self, name: &str, flags: OFlags) -> Result<OwnedFd, Errno> {
            let way = ResolveFlags::BENEATH
                | ResolveFlags::NO_SYMLINKS
                | ResolveFlags::NO_XDEV
                | ResolveFlags::CACHED;
            let name = name.trim_start_matches('/');
            let flags = flags | OFlags::CLOEXEC;
            rustix::fs::openat2(&self.0, name, flags, Mode::empty(), way)
        }
    }

    pub(super) fn read(file: &File, start: u64, length: usize) -> Option<Vec<u8>> {
        let mut bytes = vec![0; length];
        let mut parts = [IoSliceMut::new(&mut bytes)];
        let read = preadv2(file, &mut parts, start, ReadWriteFlags::NOWAIT).ok()?;
        (read == length).then_some(bytes)
    }

    fn open_root(dir: &Path, way: ResolveFlags) -> Option<OwnedFd> {
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
        rustix::fs::openat2(CWD, dir, flags, Mode::empty(), way).ok()
    }

    fn device(root: &OwnedFd) -> Option<Disk> {
        let flags = AtFlags::EMPTY_PATH | AtFlags::STATX_DONT_SYNC;
        let state = statx(root, c"", flags, StatxFlags::empty()).ok()?;
        Some(Disk(state.stx_dev_major, state.stx_dev_minor))
    }
}

/// Elsewhere no system says what it would wait for.
#[cfg(not(target_os = "linux"))]
mod system {
    use super::{File, Looked, Path};

    #[derive(Debug)]
    pub(in crate::site) enum Disk {}

    #[derive(Debug)]
    pub(in crate::site) enum Root {}

    impl Disk {
        pub(super) fn of(_: &Path) -> Option<Self> {
            None
        }

        pub(super) fn root(&self, _: &Path) -> Option<Root> {
            match *self {}
        }
    }

    impl Root {
        pub(super) fn find(&self, _: &str) -> Looked<()> {
            match *self {}
        }

        pub(in crate::site) fn open(&self, _: &str) -> Looked<File> {
            match *self {}
        }
    }

    pub(super) fn read(_: &File, _: u64, _: usize) -> Option<Vec<u8>> {
        None
    }
}
