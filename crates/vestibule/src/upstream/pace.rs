//! The body of a request on its way to the app: that it moves, and on whom it waits where it does not.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::task::{Context, Poll, ready};

use axum::body::{Body, Bytes};
use http_body::{Frame, SizeHint};
use tokio::sync::Notify;

/// How a body gets on; shared by the body and by whoever waits for the answer.
#[derive(Debug, Default)]
pub(super) struct Pace {
    waiting: AtomicU8,
    moved: Notify,
}

/// On whom a request waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Waiting {
    /// The app, to take more of it or to answer.
    ForApp,
    /// The client, to send more of it.
    ForClient,
    /// Nobody: the rest will not come.
    InVain,
}

impl Pace {
    pub(super) fn waiting(&self) -> Waiting {
        match self.waiting.load(Ordering::Relaxed) {
            0 => Waiting::ForApp,
            1 => Waiting::ForClient,
            _ => Waiting::InVain,
        }
    }

    /// Waits until something of the body is passed on.
    pub(super) async fn moved(&self) {
        self.moved.notified().await;
    }

    fn set(&self, waiting: Waiting) {
        self.waiting.store(waiting as u8, Ordering::Relaxed);
    }
}

/// A body that tells its pace. Its trailers end here: an app could take a field of them for a header, and headers were
/// judged before they came.
pub(super) struct Paced {
    body: Body,
    pace: Arc<Pace>,
}

impl Paced {
    pub(super) fn new(body: Body, pace: Arc<Pace>) -> Self {
        Self { body, pace }
    }
}

impl http_body::Body for Paced {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        self.pace.set(Waiting::ForClient);
        let frame = ready!(Pin::new(&mut self.body).poll_frame(cx));
        self.pace.set(match frame {
            Some(Err(_)) => Waiting::InVain,
            Some(Ok(_)) | None => Waiting::ForApp,
        });
        self.pace.moved.notify_one();
        Poll::Ready(frame.filter(|frame| !frame.as_ref().is_ok_and(Frame::is_trailers)))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
