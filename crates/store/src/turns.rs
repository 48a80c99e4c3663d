//! Longer turns for what gives way to other tasks too often.
//!
//! Whoever proves a password to PostgreSQL computes some 4,096 rounds (SCRAM-SHA-256, RFC 7677), and sqlx gives way to
//! other tasks after each five of them, as they held up the others before (its issue 4005). That are 819 turns of a few
//! microseconds, and the next one comes when the runtime has been through with whatever else is ready. So a busy server
//! took up to 0.9 s for a connection that takes 2 ms at rest, and on a slower machine more than a call may wait for one.
//! docs/adr/0039 has what else was tried.

use std::{future::poll_fn, pin::Pin, task::Poll};

/// After each so many polls a turn has one more of them: an ordinary statement has gone through by then, and what gives way
/// 819 times takes some 20 turns.
const POLLS_PER_FURTHER_ONE: usize = 2;
/// A turn has no more of them than this, which are rounds for about a quarter of a millisecond.
const MOST_FURTHER_POLLS: usize = 64;

/// Runs `work`, and has it go on at once where it gives way, the longer the more often it has done so. Nothing tells that
/// from a wait for something else, where it is polled in vain instead: a few times in a question of several statements, and
/// after a dozen waits for some microseconds each time, which is little beside the wait.
pub(crate) async fn in_longer_turns<F: Future + Unpin>(mut work: F) -> F::Output {
    let mut polls = 0;
    poll_fn(|context| {
        let further = (polls / POLLS_PER_FURTHER_ONE).min(MOST_FURTHER_POLLS);
        for _ in 0..=further {
            polls += 1;
            if let Poll::Ready(outcome) = Pin::new(&mut work).poll(context) {
                return Poll::Ready(outcome);
            }
        }
        Poll::Pending
    })
    .await
}

#[cfg(test)]
mod tests;
