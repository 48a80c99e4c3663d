//! The socket as hyper sees it during one request: the head, the body and not a byte more, then the end of the stream.
//! Owns the bound on clients that do not read; when a connection begins, waits and ends is left to `serve.rs`.

use std::future::Future;
use std::io;
use std::mem::MaybeUninit;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::{Buf, Bytes, BytesMut};
use http_body::{Body, Frame, SizeHint};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, ReadBuf};
use tokio::time::Sleep;

use super::head::Framing;

/// A socket and what has been read from it too early. While nothing is under way it holds no buffer.
pub(super) struct Wire<S> {
    pub(super) stream: S,
    /// Bytes after the last request's end: the beginning of the next one.
    pub(super) received: BytesMut,
}

impl<S: AsyncRead + Unpin> Wire<S> {
    /// Waits for bytes and adds them to `received`; 0 is the end of the stream. Nothing is lost when it is dropped.
    pub(super) async fn fill(&mut self) -> io::Result<usize> {
        std::future::poll_fn(|cx| self.poll_fill(cx)).await
    }

    /// Reads through the stack, so that a connection which only waits has no buffer of its own.
    fn poll_fill(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<usize>> {
        let mut chunk = [MaybeUninit::uninit(); 4096];
        let mut chunk = ReadBuf::uninit(&mut chunk);
        ready!(Pin::new(&mut self.stream).poll_read(cx, &mut chunk))?;
        self.received.extend_from_slice(chunk.filled());
        Poll::Ready(Ok(chunk.filled().len()))
    }
}

/// How far the answer has come; shared by the stream below hyper, the body above it and the task around both.
#[derive(Clone, Default)]
pub(super) struct Progress(Arc<AtomicU8>);

impl Progress {
    const ANSWERED: u8 = 1;
    const SENT: u8 = 2;

    /// Whether the whole answer has been handed to the kernel.
    pub(super) fn sent(&self) -> bool {
        self.0.load(Ordering::Relaxed) == Self::SENT
    }

    fn answered(&self) -> bool {
        self.0.load(Ordering::Relaxed) == Self::ANSWERED
    }

    fn set(&self, step: u8) {
        self.0.store(step, Ordering::Relaxed);
    }
}

/// The stream that hyper reads one request from and writes one answer to.
pub(super) struct OneRequest<'a, S> {
    wire: &'a mut Wire<S>,
    head: Bytes,
    body: Framing,
    progress: Progress,
    /// Whether a client that goes away ends the request.
    watched: bool,
    outcome: &'a mut Outcome,
}

/// What the connection is good for once hyper has let go of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    /// hyper asked for another request, so one may come.
    Reusable,
    /// This was the last request. Some of it may be unread.
    Finished,
    /// The client went away, or stalled, or broke the rules in mid-body.
    Broken,
}

impl<'a, S> OneRequest<'a, S> {
    /// A stream that yields `head`, then the body that `body` describes, and sets `outcome` to `Reusable` if hyper then
    /// asks for more.
    pub(super) fn new(
        wire: &'a mut Wire<S>,
        (head, body): (Bytes, Framing),
        progress: Progress,
        outcome: &'a mut Outcome,
    ) -> Self {
        OneRequest {
            wire,
            head,
            body,
            progress,
            watched: true,
            outcome,
        }
    }

    /// A stream of all that follows a head by which the connection has left HTTP.
    pub(super) fn endless(wire: &'a mut Wire<S>, outcome: &'a mut Outcome) -> Self {
        let request = (Bytes::new(), Framing::Length(u64::MAX));
        Self::new(wire, request, Progress::default(), outcome)
    }

    /// Whether a client that closes its side ends the request that is being answered.
    pub(super) fn watch_for_departure(self, watched: bool) -> Self {
        OneRequest { watched, ..self }
    }
}

impl<S: AsyncRead + Unpin> OneRequest<'_, S> {
    /// Gives bytes of the body: those received with the head first, then at most `most` from the socket.
    fn poll_body(
        &mut self,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
        most: u64,
    ) -> Poll<io::Result<u64>> {
        let before = buffer.filled().len();
        if self.wire.received.is_empty() {
            ready!(Pin::new(&mut (&mut self.wire.stream).take(most)).poll_read(cx, buffer))?;
        } else {
            let most = usize::try_from(most)
                .unwrap_or(usize::MAX)
                .min(buffer.remaining());
            give(&mut self.wire.received, buffer, most);
        }
        Poll::Ready(Ok((buffer.filled().len() - before) as u64))
    }

    /// The request is read. hyper now asks either whether the client is still there, and waits, or for the next
    /// request, and is told that the stream has ended, so that it lets go of the connection.
    fn poll_after(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.progress.sent() {
            *self.outcome = Outcome::Reusable;
            return Poll::Ready(Ok(()));
        }
        if !self.watched || !self.wire.received.is_empty() || ready!(self.wire.poll_fill(cx))? > 0 {
            // A pipelined request shows that the client is there. hyper is asked to read again once all is sent.
            return Poll::Pending;
        }
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for OneRequest<'_, S> {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if !this.head.is_empty() {
            let most = this.head.len().min(buffer.remaining());
            give(&mut this.head, buffer, most);
            return Poll::Ready(Ok(()));
        }
        match this.body {
            Framing::Length(0) => this.poll_after(cx),
            Framing::Length(left) => {
                let read = ready!(this.poll_body(cx, buffer, left))?;
                this.body = Framing::Length(left - read);
                Poll::Ready(Ok(()))
            }
            // hyper finds the end of the chunks. What it reads past it is lost, which is right: a chunked request is
            // the last one on its connection.
            Framing::Chunked => this.poll_body(cx, buffer, u64::MAX).map_ok(drop),
        }
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for OneRequest<'_, S> {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().wire.stream).poll_write(cx, bytes)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().wire.stream).poll_write_vectored(cx, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.wire.stream.is_write_vectored()
    }

    /// hyper flushes when it has nothing left to write; if the answer's body is gone by then, the answer is out.
    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        ready!(Pin::new(&mut this.wire.stream).poll_flush(cx))?;
        if this.progress.answered() {
            this.progress.set(Progress::SENT);
        }
        Poll::Ready(Ok(()))
    }

    /// The socket outlives the request, so only `serve.rs` shuts it down.
    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.poll_flush(cx)
    }
}

/// The socket, below whatever is spoken over it: a write that makes no progress for too long fails.
pub(super) struct Unstalled<S> {
    stream: S,
    stall: Stall,
}

impl<S> Unstalled<S> {
    pub(super) fn new(stream: S, write_stall: Duration) -> Self {
        Unstalled {
            stream,
            stall: Stall::new(write_stall),
        }
    }

    /// Tells, for as long as anybody asks, whether a write waits for the client.
    pub(super) fn backlog(&self) -> Backlog {
        self.stall.backlog.clone()
    }
}

/// Whether bytes were handed to a socket that it has no room for yet.
#[derive(Clone, Default)]
pub(super) struct Backlog(Arc<AtomicBool>);

impl Backlog {
    pub(super) fn is_there(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Unstalled<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buffer)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Unstalled<S> {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let written = Pin::new(&mut this.stream).poll_write(cx, bytes);
        this.stall.bound(cx, written)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let written = Pin::new(&mut this.stream).poll_write_vectored(cx, slices);
        this.stall.bound(cx, written)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

/// A response body that notes when hyper has taken the last of it.
pub(super) struct Answer<B> {
    body: B,
    progress: Progress,
}

impl<B> Answer<B> {
    pub(super) fn new(body: B, progress: Progress) -> Self {
        Answer { body, progress }
    }
}

impl<B> Drop for Answer<B> {
    fn drop(&mut self) {
        self.progress.set(Progress::ANSWERED);
    }
}

impl<B: Body + Unpin> Body for Answer<B> {
    type Data = B::Data;
    type Error = B::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<B::Data>, B::Error>>> {
        Pin::new(&mut self.body).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// The time since the client last took a byte, kept only while a write is held up.
struct Stall {
    longest: Duration,
    waiting: Option<Pin<Box<Sleep>>>,
    backlog: Backlog,
}

impl Stall {
    fn new(longest: Duration) -> Self {
        Stall {
            longest,
            waiting: None,
            backlog: Backlog::default(),
        }
    }

    /// Turns a write that has been pending for too long into an error, upon which hyper gives up the connection.
    fn bound<T>(
        &mut self,
        cx: &mut Context<'_>,
        written: Poll<io::Result<T>>,
    ) -> Poll<io::Result<T>> {
        self.backlog
            .0
            .store(written.is_pending(), Ordering::Relaxed);
        if written.is_ready() {
            self.waiting = None;
            return written;
        }
        let waiting = self
            .waiting
            .get_or_insert_with(|| Box::pin(tokio::time::sleep(self.longest)));
        ready!(waiting.as_mut().poll(cx));
        Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
    }
}

/// Moves `most` bytes, of which both sides must have so many.
fn give(from: &mut impl Buf, to: &mut ReadBuf<'_>, most: usize) {
    let mut from = from.take(most);
    while from.has_remaining() {
        let chunk = from.chunk();
        to.put_slice(chunk);
        let length = chunk.len();
        from.advance(length);
    }
}
