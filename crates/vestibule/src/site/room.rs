//! How much of the process the site may take: files that are open at once, and threads that wait for the disk. Without
//! these bounds slow downloads would use up the files with which connections are accepted, and a slow disk the threads
//! on which other work that blocks is done.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

/// Threads of the runtime, which has 512 for work that blocks, that may be at the disk for the site at once.
const READERS: usize = 64;

/// How long a request waits for a place before it is told to come back. A file that fits in memory gives its place back
/// at once, so whoever waits for longer waits for downloads.
const PATIENCE: Duration = Duration::from_secs(2);

/// The site's share of the process. Clones are the same share.
#[derive(Clone, Debug)]
pub(super) struct Room {
    places: Arc<Semaphore>,
    readers: Arc<Semaphore>,
    patience: Duration,
}

/// The right to hold one file open, given back when it is dropped.
pub(super) type Place = OwnedSemaphorePermit;

impl Room {
    /// Room for so many open files.
    pub(super) fn for_files(open_files: usize) -> Self {
        Self {
            places: Arc::new(Semaphore::new(open_files.min(Semaphore::MAX_PERMITS))),
            readers: Arc::new(Semaphore::new(READERS)),
            patience: PATIENCE,
        }
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
        place.map_or_else(
            |_late| {
                Err(io::Error::new(
                    io::ErrorKind::ResourceBusy,
                    "as many files are being sent as may be open at once",
                ))
            },
            |place| place.map_err(io::Error::other),
        )
    }

    /// Runs what reads the disk where waiting for it stops nobody else. The work goes on when nobody waits for it any
    /// more, and counts for as long.
    pub(super) async fn off_the_async_threads<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> io::Result<T> + Send + 'static,
    ) -> io::Result<T> {
        let reader = timeout(self.patience, Arc::clone(&self.readers).acquire_owned()).await;
        let busy = |_late| io::Error::new(io::ErrorKind::ResourceBusy, "the disk is too slow");
        let reader = reader.map_err(busy)?.map_err(io::Error::other)?;
        let task = tokio::task::spawn_blocking(move || {
            let _reader = reader;
            work()
        });
        task.await.map_err(io::Error::other)?
    }
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
