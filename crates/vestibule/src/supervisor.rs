//! What systemd is told of the server, by the protocol of sd_notify(3): that it is ready, reads its files again, ends,
//! and is well. When each of them is so is known to `cli/serve.rs`.

use std::{
    convert::Infallible,
    ffi::OsStr,
    future::{Future, pending},
    io,
    os::{
        linux::net::SocketAddrExt as _,
        unix::{
            ffi::OsStrExt as _,
            net::{SocketAddr, UnixDatagram},
        },
    },
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use rustix::time::{ClockId, clock_gettime};

use crate::config::Supervision;

/// A supervisor that reads nothing for so long is not waited for.
const PATIENCE: Duration = Duration::from_secs(1);

/// Whoever has started the server and wants to hear of it; or nobody.
pub(crate) struct Supervisor {
    link: Option<Link>,
    /// From then on it is told of nothing that would mean that the server goes on.
    is_stopping: AtomicBool,
}

struct Link {
    socket: UnixDatagram,
    address: SocketAddr,
    watchdog: Option<Duration>,
}

impl Supervisor {
    /// The one that the environment names, if any does. One that cannot be reached is told of in the log, and the
    /// server runs without.
    pub(crate) fn of(supervision: Option<&Supervision>) -> Self {
        let link = supervision.and_then(|supervision| {
            Link::to(supervision)
                .inspect_err(|error| {
                    tracing::warn!(error.message = %error, "NOTIFY_SOCKET cannot be used, so systemd is told nothing: {error}");
                })
                .ok()
        });
        Self {
            link,
            is_stopping: AtomicBool::new(false),
        }
    }

    /// The server answers requests, from the start on or again.
    pub(crate) fn ready(&self, status: &str) {
        self.tell_unless_stopping(&format!("READY=1\nSTATUS={status}"));
    }

    /// The server reads its files again, until the next [`Supervisor::ready`].
    pub(crate) fn reloading(&self) {
        let now = clock_gettime(ClockId::Monotonic);
        let micros = i128::from(now.tv_sec) * 1_000_000 + i128::from(now.tv_nsec) / 1000;
        self.tell_unless_stopping(&format!("RELOADING=1\nMONOTONIC_USEC={micros}"));
    }

    /// The server takes no more requests, and ends. From then on the supervisor hears of nothing but its health.
    pub(crate) fn stopping(&self) {
        self.is_stopping.store(true, Ordering::Relaxed);
        self.tell("STOPPING=1\nSTATUS=finishing the last requests");
    }

    /// Says that the server is well, twice in the time after which it would be taken for dead, if it is: `is_well` has
    /// to say so each time, and is waited for. It never ends.
    pub(crate) async fn keep_watch<F: Future<Output = bool>>(
        &self,
        is_well: impl Fn() -> F,
    ) -> Infallible {
        let Some(watchdog) = self.link.as_ref().and_then(|link| link.watchdog) else {
            return pending().await;
        };
        let mut interval = tokio::time::interval(watchdog / 2);
        interval.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            interval.tick().await;
            if is_well().await {
                self.tell("WATCHDOG=1");
            }
        }
    }

    fn tell_unless_stopping(&self, state: &str) {
        if !self.is_stopping.load(Ordering::Relaxed) {
            self.tell(state);
        }
    }

    fn tell(&self, state: &str) {
        if let Some(link) = &self.link
            && let Err(error) = link.socket.send_to_addr(state.as_bytes(), &link.address)
        {
            tracing::warn!(error.message = %error, "systemd cannot be told how the server is: {error}");
        }
    }
}

impl Link {
    fn to(supervision: &Supervision) -> io::Result<Self> {
        let socket = UnixDatagram::unbound()?;
        socket.set_write_timeout(Some(PATIENCE))?;
        Ok(Self {
            socket,
            address: address(&supervision.socket)?,
            watchdog: supervision.watchdog,
        })
    }
}

/// A path, or behind an `@` a name without a file.
fn address(socket: &OsStr) -> io::Result<SocketAddr> {
    match socket.as_bytes().strip_prefix(b"@") {
        Some(name) => SocketAddr::from_abstract_name(name),
        None => SocketAddr::from_pathname(socket),
    }
}

#[cfg(test)]
mod tests {
    //! A supervisor with a socket of its own, with and without a file.

    use super::*;

    fn told(socket: &UnixDatagram) -> String {
        let mut buffer = [0; 256];
        let length = socket.recv(&mut buffer).expect("something was said");
        String::from_utf8_lossy(&buffer[..length]).into_owned()
    }

    fn supervisor_at(socket: &OsStr, watchdog: Option<Duration>) -> Supervisor {
        Supervisor::of(Some(&Supervision {
            socket: socket.to_owned(),
            watchdog,
        }))
    }

    #[test]
    fn it_is_told_by_a_file_or_by_a_name_without_one() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("notify");
        let name = format!("vestibule-test-{}", std::process::id());
        let abstract_address = SocketAddr::from_abstract_name(&name).expect("an address");
        let sockets = [
            (path.as_os_str().to_owned(), UnixDatagram::bind(&path)),
            (
                format!("@{name}").into(),
                UnixDatagram::bind_addr(&abstract_address),
            ),
        ];
        for (named, socket) in sockets {
            let socket = socket.expect("a socket");
            let supervisor = supervisor_at(&named, None);
            supervisor.ready("ready on http://localhost");
            assert_eq!(told(&socket), "READY=1\nSTATUS=ready on http://localhost");
            supervisor.reloading();
            let reloading = told(&socket);
            assert!(
                reloading.starts_with("RELOADING=1\nMONOTONIC_USEC="),
                "{reloading}"
            );
            supervisor.stopping();
            assert!(told(&socket).starts_with("STOPPING=1\n"));
        }
    }

    #[test]
    fn files_that_are_read_at_the_end_do_not_make_the_server_ready_again() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("notify");
        let socket = UnixDatagram::bind(&path).expect("a socket");
        let supervisor = supervisor_at(path.as_os_str(), None);
        supervisor.reloading();
        supervisor.stopping();
        supervisor.ready("ready on http://localhost");
        supervisor.reloading();
        assert!(told(&socket).starts_with("RELOADING=1\n"));
        assert!(told(&socket).starts_with("STOPPING=1\n"));
        socket.set_nonblocking(true).expect("a mode");
        assert!(socket.recv(&mut [0; 64]).is_err());
    }

    #[test]
    fn a_server_without_one_says_nothing_and_one_that_is_gone_harms_nobody() {
        Supervisor::of(None).ready("");
        let folder = tempfile::tempdir().expect("a folder");
        supervisor_at(folder.path().join("gone").as_os_str(), None).ready("");
    }

    #[tokio::test(start_paused = true)]
    async fn a_server_that_is_not_well_does_not_say_that_it_is() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("notify");
        let socket = UnixDatagram::bind(&path).expect("a socket");
        socket.set_nonblocking(true).expect("a mode");
        let heard = || std::iter::from_fn(|| socket.recv(&mut [0; 64]).ok()).count();
        let supervisor = supervisor_at(path.as_os_str(), Some(Duration::from_secs(10)));
        let watching = |is_well| {
            let watch = supervisor.keep_watch(move || std::future::ready(is_well));
            tokio::time::timeout(Duration::from_secs(24), watch)
        };
        assert!(watching(true).await.is_err());
        assert_eq!(heard(), 5);
        assert!(watching(false).await.is_err());
        assert_eq!(heard(), 0);
    }
}
