//! How much of the process the site may take: files that are open at once, what of them is in memory until clients
//! take it, and threads that wait for the disk. Without these bounds slow downloads would use up the files with which
//! connections are accepted, answers that nobody reads the memory (HTTP/2 lets a hundred of them wait on one
//! connection), and a slow disk the threads on which other work that blocks is done.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Bytes;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{error::Elapsed, timeout};

/// Threads of the runtime, which has 512 for work that blocks, that may be at the disk for the site at once.
const READERS: usize = 64;

/// How long a request waits for a place before it is told to come back. A file that fits in memory gives its place back
/// at once, so whoever waits for longer waits for downloads.
const PATIENCE: Duration = Duration::from_secs(2);

/// Bytes of files that may have been read and not taken yet: for two thousand clients that are slower than the disk.
const UNTAKEN: usize = 128 * 1024 * 1024;

/// They are counted in so many.
const UNIT: usize = 1024;

/// The site's share of the process. Clones are the same share.
#[derive(Clone, Debug)]
pub(super) struct Room {
    places: Arc<Semaphore>,
    readers: Arc<Semaphore>,
    untaken: Arc<Semaphore>,
    patience: Duration,
}

/// The right to hold one file open, given back when it is dropped.
pub(super) type Place = OwnedSemaphorePermit;

/// The right to read so many bytes, given back when they have been dropped.
#[derive(Debug)]
pub(super) struct Share {
    _permit: OwnedSemaphorePermit,
}

/// Bytes that were read by right.
struct Untaken {
    bytes: Vec<u8>,
    _share: Share,
}

impl Room {
    /// Room for so many open files.
    pub(super) fn for_files(open_files: usize) -> Self {
        Self {
            places: Arc::new(Semaphore::new(open_files.min(Semaphore::MAX_PERMITS))),
            readers: Arc::new(Semaphore::new(READERS)),
            untaken: Arc::new(Semaphore::new(UNTAKEN / UNIT)),
            patience: PATIENCE,
        }
    }

    /// The same room for files, with less for what was read of them.
    #[cfg(test)]
    pub(super) fn with_memory_of(mut self, bytes: usize) -> Self {
        self.untaken = Arc::new(Semaphore::new(bytes / UNIT));
        self
    }

    /// The same room for callers who do not wait.
    #[cfg(test)]
    pub(super) fn without_patience(mut self) -> Self {
        self.patience = Duration::ZERO;
        self
    }

    /// The same room without threads that could wait for the disk.
    #[cfg(test)]
    pub(super) fn without_readers(mut self) -> Self {
        self.readers = Arc::new(Semaphore::new(0));
        self
    }

    /// A place for one more open file, if one is free.
    pub(super) fn place_at_once(&self) -> Option<Place> {
        Arc::clone(&self.places).try_acquire_owned().ok()
    }

    /// A place for one more open file.
    ///
    /// # Errors
    /// [`io::ErrorKind::ResourceBusy`] if none becomes free soon.
    pub(super) async fn place(&self) -> io::Result<Place> {
        // A timer costs more than all else here.
        if let Some(place) = self.place_at_once() {
            return Ok(place);
        }
        let place = timeout(self.patience, Arc::clone(&self.places).acquire_owned()).await;
        let place = place.map_err(busy("as many files are being sent as may be open at once"))?;
        place.map_err(io::Error::other)
    }

    /// A share of the memory for so many bytes that begin an answer.
    ///
    /// # Errors
    /// [`io::ErrorKind::ResourceBusy`] if there is not enough soon.
    pub(super) async fn share_soon(&self, bytes: usize) -> io::Result<Share> {
        let untaken = Arc::clone(&self.untaken);
        if let Ok(share) = untaken.try_acquire_many_owned(units(bytes)?) {
            return Ok(Share::by(share));
        }
        let share = timeout(self.patience, self.share(bytes)).await;
        share.map_err(busy("as many bytes were read as may wait for clients"))?
    }

    /// The same for bytes that continue one, whose client has waited for them before.
    ///
    /// # Errors
    /// None, as long as the room is there.
    pub(super) async fn share(&self, bytes: usize) -> io::Result<Share> {
        let untaken = Arc::clone(&self.untaken);
        let share = untaken.acquire_many_owned(units(bytes)?).await;
        share.map(Share::by).map_err(io::Error::other)
    }

    /// Runs what reads the disk where waiting for it stops nobody else. The work goes on when nobody waits for it any
    /// more, and counts for as long.
    pub(super) async fn off_the_async_threads<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> io::Result<T> + Send + 'static,
    ) -> io::Result<T> {
        let reader = timeout(self.patience, Arc::clone(&self.readers).acquire_owned()).await;
        let reader = reader.map_err(busy("the disk is too slow"))?;
        let reader = reader.map_err(io::Error::other)?;
        let task = tokio::task::spawn_blocking(move || {
            let _reader = reader;
            work()
        });
        task.await.map_err(io::Error::other)?
    }
}

impl Share {
    fn by(permit: OwnedSemaphorePermit) -> Self {
        Self { _permit: permit }
    }

    /// What was read by it.
    pub(super) fn of(self, bytes: Vec<u8>) -> Bytes {
        Bytes::from_owner(Untaken {
            bytes,
            _share: self,
        })
    }
}

impl AsRef<[u8]> for Untaken {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

fn units(bytes: usize) -> io::Result<u32> {
    u32::try_from(bytes.div_ceil(UNIT)).map_err(io::Error::other)
}

fn busy(why: &'static str) -> impl FnOnce(Elapsed) -> io::Error {
    move |_late| io::Error::new(io::ErrorKind::ResourceBusy, why)
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use tokio::task::{spawn, spawn_blocking, yield_now};

    use super::{READERS, Room};

    #[tokio::test]
    async fn a_disk_that_hangs_leaves_threads_for_others_and_nobody_who_leaves_frees_one() {
        let room = Room::for_files(1);
        let mut releases = Vec::new();
        // More than the runtime has threads for work that blocks.
        for number in 0..600 {
            let (release, hanging) = mpsc::channel::<()>();
            releases.push(release);
            let room = room.clone();
            let visitor = spawn(async move {
                let read = room.off_the_async_threads(move || Ok(hanging.recv().is_ok()));
                read.await
            });
            yield_now().await;
            if number < READERS {
                visitor.abort();
                assert!(visitor.await.expect_err("it hung").is_cancelled());
            }
        }
        assert_eq!(room.readers.available_permits(), 0);
        let other = spawn_blocking(|| "other work").await;
        assert_eq!(other.expect("a free thread"), "other work");
        drop(releases);
        let read = room.off_the_async_threads(|| Ok("a file")).await;
        assert_eq!(read.expect("a disk that works again"), "a file");
    }
}
