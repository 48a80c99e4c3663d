//! The end of a listener, without a connection that was made and never answered. What becomes of those that are handed
//! over here is left to `serve.rs`.
//!
//! The kernel makes connections by itself and keeps them until they are accepted. When a listener closes it resets those
//! that it holds, although their clients may have sent a request already; and a proxy must not send a request twice that
//! changes something. One that could not connect goes to the next server, with every request.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tracing::debug;

use super::{QUEUE, is_of_one_connection};

/// How long a handshake that has begun may take to its end.
const HANDSHAKE: Duration = Duration::from_millis(50);

/// Has the kernel leave new clients without an answer, and waits for those that it has answered. Who asked in vain asks
/// again after a second, and is refused by then.
pub(super) async fn refuse_newcomers(listener: &TcpListener) {
    #[cfg(target_os = "linux")]
    if let Err(failure) = socket2::SockRef::from(listener).attach_filter(&without_syn()) {
        // Without it there are a few microseconds in which a connection can be lost.
        debug!(error.message = %failure, "New connections cannot be kept away before the listener closes");
    }
    tokio::time::sleep(HANDSHAKE).await;
}

/// A program for the kernel's packet filter, which sees the header of TCP: the 14th byte holds the flags (RFC 9293,
/// section 3.1), and the second bit of it begins a connection.
#[cfg(target_os = "linux")]
fn without_syn() -> [socket2::SockFilter; 4] {
    use libc::{BPF_ABS, BPF_B, BPF_JMP, BPF_JSET, BPF_K, BPF_LD, BPF_RET};
    const FLAGS: u32 = 13;
    const SYN: u32 = 0x02;
    let step = |code: u32, if_set: u8, operand: u32| {
        let code = u16::try_from(code).expect("the kernel's codes are short");
        socket2::SockFilter::new(code, if_set, 0, operand)
    };
    [
        step(BPF_LD | BPF_B | BPF_ABS, 0, FLAGS),
        step(BPF_JMP | BPF_JSET | BPF_K, 1, SYN),
        step(BPF_RET | BPF_K, 0, u32::MAX),
        step(BPF_RET | BPF_K, 0, 0),
    ]
}

/// Closes the listener and gives the connections that waited to be accepted.
pub(super) fn take_waiting(listener: TcpListener) -> Vec<(TcpStream, SocketAddr)> {
    let mut waiting = Vec::new();
    // The runtime knows of a connection a moment after the kernel, which is asked directly here.
    let Ok(listener) = listener.into_std() else {
        return waiting;
    };
    // The kernel keeps no more than it was asked for. A connection that its client has ended is skipped.
    for accepted in (0..QUEUE).map(|_| listener.accept()) {
        let (stream, peer) = match accepted {
            Ok(accepted) => accepted,
            Err(failure) if is_of_one_connection(&failure) => continue,
            Err(_) => break,
        };
        let stream = stream
            .set_nonblocking(true)
            .and_then(|()| TcpStream::from_std(stream));
        match stream {
            Ok(stream) => waiting.push((stream, peer)),
            Err(failure) => {
                debug!(error.message = %failure, "A waiting connection was lost: {failure}");
            }
        }
    }
    waiting
}

#[cfg(test)]
mod tests {
    //! Two clients, of whom one came in time.

    use std::io::ErrorKind;
    use std::pin::pin;

    use super::*;
    use crate::serve::bind;

    #[cfg(target_os = "linux")]
    #[tokio::test]
    async fn whoever_came_in_time_is_handed_over_and_whoever_did_not_is_refused() {
        let listener = bind(([127, 0, 0, 1], 0).into()).expect("a free port");
        let address = listener.local_addr().expect("an address");
        let early = TcpStream::connect(address).await.expect("a connection");
        refuse_newcomers(&listener).await;
        let mut late = pin!(TcpStream::connect(address));
        assert!(futures_util::poll!(&mut late).is_pending());
        let waiting = take_waiting(listener);
        let peers: Vec<_> = waiting.iter().map(|(_, peer)| *peer).collect();
        assert_eq!(peers, [early.local_addr().expect("an address")]);
        let refusal = late.await.expect_err("the listener is closed");
        assert_eq!(refusal.kind(), ErrorKind::ConnectionRefused);
    }
}
