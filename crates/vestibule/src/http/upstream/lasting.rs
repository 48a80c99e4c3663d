//! Streams that last no longer than the session in whose name they were opened: a download, a stream of events, a
//! WebSocket. The session is looked at once a second, in memory for as long as nothing has changed.

use std::{
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use accounts::{Accounts, Caller};
use axum::body::{Body, Bytes};
use futures_util::{FutureExt as _, future::BoxFuture};
use http_body::{Frame, SizeHint};
use tokio::time::sleep;

/// How long a stream may outlive its session, beside what it takes this node to hear of the end.
const LOOK: Duration = Duration::from_secs(1);

/// Comes when the session of `caller` has ended, or when nobody can say any more whether it has.
pub(super) fn session_over(accounts: Accounts, caller: Caller) -> BoxFuture<'static, ()> {
    async move {
        loop {
            sleep(LOOK).await;
            if let Err(reason) = accounts.still_stands(&caller).await {
                tracing::info!("A stream was cut with the session that it was opened in: {reason}");
                return;
            }
        }
    }
    .boxed()
}

/// A body that breaks off with the session.
pub(super) struct Lasting {
    body: Body,
    over: BoxFuture<'static, ()>,
}

impl Lasting {
    pub(super) fn new(body: Body, over: BoxFuture<'static, ()>) -> Self {
        Self { body, over }
    }
}

/// The session that a body was read in has ended.
#[derive(Debug, thiserror::Error)]
#[error("the session is over")]
struct SessionOver;

impl http_body::Body for Lasting {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        if self.over.as_mut().poll(cx).is_ready() {
            return Poll::Ready(Some(Err(axum::Error::new(SessionOver))));
        }
        Pin::new(&mut self.body).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
