//! What the operating system asks of the server by signals: to end, and to read its files again. What that means is left
//! to `serve.rs` and to `cli/serve.rs`.

use std::future::Future;
use std::io;
use std::pin::pin;
use std::time::Duration;

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::time::sleep;
use tracing::{error, warn};

/// A signal that follows another within this time is an echo of it.
const ECHO_TIME: Duration = Duration::from_secs(1);

/// From the call on, SIGTERM and SIGINT no longer end the process; the future resolves when one comes. A second such
/// signal, a second or more later, ends the process at once.
pub fn terminated() -> impl Future<Output = ()> {
    let signals = signal(SignalKind::terminate())
        .and_then(|term| Ok((term, signal(SignalKind::interrupt())?)));
    async move {
        match signals {
            Ok((mut term, mut interrupt)) => {
                either(&mut term, &mut interrupt).await;
                tokio::spawn(end_when_asked_again(term, interrupt));
            }
            Err(failure) => {
                error!(error.message = %failure, "Signals cannot be received, so the server will not end gracefully");
                std::future::pending::<()>().await;
            }
        }
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "who asks twice wants the end, clean or not"
)]
async fn end_when_asked_again(mut term: Signal, mut interrupt: Signal) {
    // A wrapper that hands its own signal on, as `timeout` and `npm` do, is not an impatient person.
    let mut settled = pin!(sleep(ECHO_TIME));
    let mut is_settled = false;
    loop {
        tokio::select! {
            () = &mut settled, if !is_settled => is_settled = true,
            () = either(&mut term, &mut interrupt) => if is_settled { break },
        }
    }
    warn!("A second signal ended the server before its requests had finished");
    std::process::exit(1);
}

async fn either(one: &mut Signal, other: &mut Signal) {
    tokio::select! {
        _ = one.recv() => {}
        _ = other.recv() => {}
    }
}

/// Each SIGHUP that comes.
pub struct HangUps(io::Result<Signal>);

/// From the call on, SIGHUP no longer ends the process.
#[must_use]
pub fn hang_ups() -> HangUps {
    let signals = signal(SignalKind::hangup());
    if let Err(failure) = &signals {
        error!(error.message = %failure, "SIGHUP cannot be received, so nothing is read again while the server runs");
    }
    HangUps(signals)
}

impl HangUps {
    /// Resolves when the next one comes.
    pub async fn next(&mut self) {
        match &mut self.0 {
            Ok(signals) => _ = signals.recv().await,
            Err(_told) => std::future::pending().await,
        }
    }
}
