//! A connection that has left HTTP behind: after a 101 its bytes go to and from another program as they are, until one
//! side has had enough. Who may open one is decided by the routes.

use std::future::pending;
use std::sync::Arc;

use futures_util::FutureExt as _;
use futures_util::future::{BoxFuture, Shared};
use hyper::upgrade::OnUpgrade;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite, copy, split};
use tokio::sync::OwnedSemaphorePermit;
use tracing::debug;

/// The other end of such a connection, which an answer 101 carries among its extensions.
#[derive(Clone, Debug)]
pub(crate) struct Tunnel {
    far_end: OnUpgrade,
    over: Shared<BoxFuture<'static, ()>>,
    _place: Arc<OwnedSemaphorePermit>,
}

impl Tunnel {
    /// A tunnel to the program that answered 101, which gives its place back when it ends.
    pub(crate) fn to(far_end: OnUpgrade, place: OwnedSemaphorePermit) -> Self {
        Self {
            far_end,
            over: pending().boxed().shared(),
            _place: Arc::new(place),
        }
    }

    /// The same, cut when `over` comes.
    pub(crate) fn until(self, over: BoxFuture<'static, ()>) -> Self {
        Self {
            over: over.shared(),
            ..self
        }
    }

    /// Carries bytes both ways. The protocols that begin with a 101 say goodbye in their own words, so either side that
    /// ends its stream ends both.
    pub(super) async fn carry(self, near_end: impl AsyncRead + AsyncWrite) {
        let far_end = match self.far_end.await {
            Ok(far_end) => TokioIo::new(far_end),
            Err(failure) => {
                debug!(error.message = %failure, "A connection changed its protocol and broke off: {failure}");
                return;
            }
        };
        let (mut from_near, mut to_near) = split(near_end);
        let (mut from_far, mut to_far) = split(far_end);
        let ended = tokio::select! {
            ended = copy(&mut from_near, &mut to_far) => ended,
            ended = copy(&mut from_far, &mut to_near) => ended,
            () = self.over => return,
        };
        if let Err(failure) = ended {
            debug!(error.message = %failure, "A connection that had changed its protocol broke off: {failure}");
        }
    }
}
