//! A client that goes away: whatever the poll at which its future is dropped, an event happens
//! whole or not at all, what follows is not lost, and no connection is.

use std::{
    future::Future,
    pin::Pin,
    task::{Context, Poll},
};

use store::{AuditKind, Store, UserFilter};

use crate::{conformance, fixture::*};

/// Polls the future `polls` times at most, then drops it. `true` if it ended before.
struct CutAfter<F> {
    polls: usize,
    future: Pin<Box<F>>,
}

impl<F: Future> Future for CutAfter<F> {
    type Output = bool;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<bool> {
        if self.polls == 0 {
            return Poll::Ready(false);
        }
        self.polls -= 1;
        match self.future.as_mut().poll(context) {
            Poll::Ready(_) => Poll::Ready(true),
            Poll::Pending if self.polls == 0 => Poll::Ready(false),
            Poll::Pending => Poll::Pending,
        }
    }
}

/// Whether the future ended before it was dropped.
pub(crate) async fn cut<F: Future>(polls: usize, future: F) -> bool {
    CutAfter {
        polls,
        future: Box::pin(future),
    }
    .await
}

async fn users(store: &Store) -> usize {
    store
        .list_users(UserFilter {
            text: None,
            limit: 10_000,
        })
        .await
        .unwrap()
        .len()
}

conformance! {
    async fn an_event_cut_at_any_poll_happens_whole_or_not_at_all(db) {
        for polls in 0..12 {
            let store = db.store().await;
            let before = users(&store).await;
            let new = user(&format!("cut{polls}"));
            let (opened, event) = (session(new.id), audit(AuditKind::Registered, new.id));
            let session_id = opened.id;
            cut(polls, store.register(new, opened, event)).await;
            // Closing waits for the event, which goes on without its caller.
            store.close().await;

            let store = db.store().await;
            let made = users(&store).await - before;
            let signed_in = store.signed_in(session_id).await.unwrap().is_some();
            assert_eq!(made == 1, signed_in, "cut after {polls} polls");
            assert_eq!(made, usize::from(polls > 0), "an event that was begun is ended");
            store.close().await;
        }
    }

    async fn what_is_acknowledged_after_a_cut_is_kept(db) {
        for polls in 0..12 {
            let store = db.store().await;
            let (_, session_id) = registered(&store, &format!("first{polls}")).await;
            cut(polls, store.rotate(rotation(session_id, 1, 1))).await;
            cut(polls, store.signed_in(session_id)).await;
            let (_, acknowledged) = registered(&store, &format!("second{polls}")).await;
            store.close().await;

            let store = db.store().await;
            assert!(store.signed_in(acknowledged).await.unwrap().is_some(), "cut after {polls} polls");
            store.close().await;
        }
    }

    async fn many_callers_who_go_away_take_no_connection_with_them(db) {
        let store = db.store().await;
        for number in 0..200 {
            let new = user(&format!("gone{number}"));
            let (opened, event) = (session(new.id), audit(AuditKind::Registered, new.id));
            cut(number % 5, store.register(new, opened, event)).await;
            cut(number % 4, store.list_users(UserFilter { text: None, limit: 5 })).await;
        }
        // Every connection is free again: as many readers as there are, and the writer.
        for number in 0..20 {
            registered(&store, &format!("after{number}")).await;
            users(&store).await;
        }
    }
}
