//! A connection that speaks HTTP/2 (RFC 9113): hyper reads the frames, and here are the bounds that it has none for, the
//! refusals of heads, and the farewell. What an answer is, and the numbers of the bounds, are left to `serve.rs`.
//!
//! Where HTTP/1.1 has one request at a time, here are many, so the time of a connection is kept by counting those that
//! are under way: none for too long, or an answer that the client takes nothing of, and it ends.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::future::Future;
use std::net::SocketAddr;
use std::pin::{Pin, pin};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, ready};

use axum::http::uri::Authority;
use axum::http::{HeaderMap, Method};
use axum::response::Response;
use bytes::{Buf, Bytes};
use http_body::{Body, Frame, SizeHint};
use hyper::body::Incoming;
use hyper::header::{CONNECTION, CONTENT_LENGTH, COOKIE, HOST, HeaderValue};
use hyper::rt::Executor;
use hyper::server::conn::http2;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::Notify;
use tokio::time::{Instant, sleep_until};
use tracing::debug;

use super::head::{self, MOST_FIELDS};
use super::wire::Backlog;
use super::{Bounds, LINGER_TIME, Refusal, Server, UnderWay, route};

/// Requests that one connection may have under way at once; RFC 9113 (section 6.5.2) advises against fewer.
const MOST_REQUESTS: u32 = 100;

/// So many requests may be taken back before anybody saw them, and so many broken off by us, before the connection ends:
/// whoever asks and takes back without end (rapid reset, CVE-2023-44487) would keep the server busy for nothing.
const MOST_TAKEN_BACK: usize = 20;
const MOST_BROKEN_OFF: usize = 64;

/// Bytes of bodies that a client may send before anybody reads them: of one request, and of all together.
const STREAM_WINDOW: u32 = 64 * 1024;
const CONNECTION_WINDOW: u32 = 256 * 1024;

/// Bytes of an answer that are kept until the client has room for them, and how many more are added at once. hyper adds a
/// part of any size as soon as there is room for one byte of it, so the first is no bound without the second.
const SEND_BUFFER: usize = 64 * 1024;
const LARGEST_PART: usize = 16 * 1024;

/// Serves the requests of one connection until either side has had enough. `backlog` is that of the socket below
/// `stream`, where a write that makes no progress fails.
pub(super) async fn converse<S: AsyncRead + AsyncWrite + Unpin + Send + 'static>(
    stream: S,
    backlog: Backlog,
    peer: SocketAddr,
    server: &Arc<Server>,
) {
    let pace = Arc::new(Pace::new(backlog));
    let service = service_fn(|request| {
        let held = Arc::new(Held::new(&pace, server));
        answer(request, peer, Arc::clone(server), held)
    });
    let http = http(&server.bounds, Streams(Arc::clone(server)));
    let mut connection = pin!(http.serve_connection(TokioIo::new(stream), service));
    let mut leaving = pin!(server.leaving.cancelled());
    let mut farewell = None;
    loop {
        tokio::select! {
            ended = connection.as_mut() => {
                if let Err(failure) = ended {
                    debug!(error.message = %failure, "A connection broke off: {failure}");
                }
                return;
            }
            () = leaving.as_mut(), if farewell.is_none() => farewell = Some(now()),
            () = pace.over(&server.bounds, farewell) => match farewell {
                None => farewell = Some(now()),
                Some(_) => return,
            },
        }
        // The client learns which requests will still be answered, and takes its others elsewhere. Saying so twice does
        // no harm.
        connection.as_mut().graceful_shutdown();
    }
}

fn http(bounds: &Bounds, streams: Streams) -> http2::Builder<Streams> {
    // Our own bound, in `judge`, has an answer that says what is wrong; this one is a wall behind it.
    let wall = bounds.header_bytes.saturating_mul(2);
    let mut http = http2::Builder::new(streams);
    http.max_concurrent_streams(MOST_REQUESTS)
        .max_header_list_size(u32::try_from(wall).unwrap_or(u32::MAX))
        .max_pending_accept_reset_streams(MOST_TAKEN_BACK)
        .max_local_error_reset_streams(MOST_BROKEN_OFF)
        .initial_stream_window_size(STREAM_WINDOW)
        .initial_connection_window_size(CONNECTION_WINDOW)
        .max_send_buf_size(SEND_BUFFER);
    http
}

/// One request and its answer.
async fn answer(
    mut request: hyper::Request<Incoming>,
    peer: SocketAddr,
    server: Arc<Server>,
    held: Arc<Held>,
) -> Result<Response<Answer>, Infallible> {
    let refusal = judge(&mut request, server.bounds.header_bytes).err();
    let mut response = route(server.app.clone(), request, peer, refusal).await;
    // It is for HTTP/1.1, where it ends the connection (RFC 9113, section 8.2.2). Here the request ends alone.
    response.headers_mut().remove(CONNECTION);
    Ok(response.map(|body| Answer {
        body,
        rest: Bytes::new(),
        held,
    }))
}

/// Refuses what is refused in HTTP/1.1, so that no route meets a head here that it would not meet there, and brings the
/// rest to the form that it has there. That it is a valid head of HTTP/2, hyper has seen to, which refuses control
/// characters. A target is cut at its `#` before anybody sees it, so what HTTP/1.1 refuses for it is answered here.
fn judge(request: &mut hyper::Request<Incoming>, most_bytes: usize) -> Result<(), Refusal> {
    join_cookies(request.headers_mut());
    let headers = request.headers();
    let fields = headers.iter();
    let bytes: usize = fields
        .map(|(name, value)| name.as_str().len() + value.len() + ": \r\n".len())
        .sum();
    let target = request.uri();
    if bytes + target.to_string().len() > most_bytes || headers.len() > MOST_FIELDS {
        return Err(Refusal::TooLarge);
    }
    if [Method::CONNECT, Method::TRACE].contains(request.method()) {
        return Err(Refusal::Method);
    }
    if !target.path().starts_with('/')
        && (target.path() != "*" || request.method() != Method::OPTIONS)
    {
        return Err(Refusal::Malformed("The request target is not a path."));
    }
    if headers.get_all(CONTENT_LENGTH).iter().count() > 1 {
        return Err(Refusal::Malformed(
            "The request has more than one Content-Length.",
        ));
    }
    let host = host_of(headers, target.authority().map(Authority::as_str))?;
    request.headers_mut().insert(HOST, host);
    Ok(())
}

/// The host that the request is for, which `:authority` says, or Host where a proxy has made HTTP/2 of HTTP/1.1, or
/// both (RFC 9113, section 8.3.1).
fn host_of(headers: &HeaderMap, authority: Option<&str>) -> Result<HeaderValue, Refusal> {
    let mut hosts = headers.get_all(HOST).iter();
    let named = hosts.next();
    if hosts.next().is_some() {
        return Err(Refusal::Malformed("The request names more than one host."));
    }
    let host = match (authority, named) {
        (Some(authority), Some(host))
            if !authority.as_bytes().eq_ignore_ascii_case(host.as_bytes()) =>
        {
            return Err(Refusal::Malformed(
                "The request target and the Host field name different hosts.",
            ));
        }
        (Some(authority), _) => HeaderValue::try_from(authority).ok(),
        (None, host) => host.cloned(),
    };
    let host = host.ok_or(Refusal::Malformed("The request must name its host."))?;
    head::judge_host_name(host.as_bytes())?;
    Ok(host)
}

/// Clients may send each cookie in a field of its own, which is one field to everybody else (RFC 9113, section 8.2.3).
fn join_cookies(headers: &mut HeaderMap) {
    let mut crumbs = headers.get_all(COOKIE).iter();
    if crumbs.by_ref().nth(1).is_none() {
        return;
    }
    let crumbs = headers.get_all(COOKIE).iter().map(HeaderValue::as_bytes);
    let joined = crumbs.collect::<Vec<_>>().join(&b"; "[..]);
    let joined = HeaderValue::from_bytes(&joined).expect("values of fields make a value");
    headers.insert(COOKIE, joined);
}

/// Runs each request of a connection on a task of its own, which the drain waits for.
#[derive(Clone)]
struct Streams(Arc<Server>);

impl<F: Future<Output = ()> + Send + 'static> Executor<F> for Streams {
    fn execute(&self, request: F) {
        let cutting = self.0.cutting.clone();
        self.0.connections.spawn(async move {
            tokio::select! {
                () = request => {}
                () = cutting.cancelled() => {}
            }
        });
    }
}

/// How a connection is getting on.
struct Pace {
    progress: Mutex<Progress>,
    /// A request has begun, after which there may be something else to wait for.
    awake: Notify,
    backlog: Backlog,
}

struct Progress {
    /// The requests under way, by their numbers on this connection.
    open: BTreeMap<u64, Untaken>,
    /// How many requests there were.
    begun: u64,
    /// When a request began or ended for the last time, or the connection began.
    changed: Instant,
}

/// What a client has asked for and not taken.
struct Untaken {
    /// Parts of the answer that were handed out and that it has had no room for yet.
    parts: usize,
    /// When it last took a byte of them, or there was none to take.
    since: Instant,
}

impl Pace {
    fn new(backlog: Backlog) -> Self {
        Pace {
            progress: Mutex::new(Progress {
                open: BTreeMap::new(),
                begun: 0,
                changed: now(),
            }),
            awake: Notify::new(),
            backlog,
        }
    }

    /// Resolves when the connection has had its time: it has nothing to do, or the client takes nothing of something
    /// that it has asked for. After a farewell an idle one is waited for briefly, and a stalled one once more, so that
    /// its other requests may finish.
    async fn over(&self, bounds: &Bounds, farewell: Option<Instant>) {
        loop {
            let (deadline, is_over) = self.deadline(bounds, farewell);
            if is_over && deadline <= now() {
                return;
            }
            tokio::select! {
                () = sleep_until(deadline) => {}
                () = self.awake.notified() => {}
            }
        }
    }

    /// When to look again, and whether it is over if nothing has changed by then.
    fn deadline(&self, bounds: &Bounds, farewell: Option<Instant>) -> (Instant, bool) {
        let progress = self.lock();
        let waiting = progress.open.values().filter(|untaken| untaken.parts > 0);
        // Each answer has a clock of its own: others that are taken would keep this one in memory for as long as the
        // client likes.
        let stalled = waiting.map(|untaken| untaken.since).min();
        let (since, patience) = match stalled {
            Some(since) => (since, bounds.write_stall),
            // The routes bound how long they work, and the socket for how long nothing of the last answer leaves. Whatever
            // happens until then only puts the end off.
            None if !progress.open.is_empty() || self.backlog.is_there() => {
                return (now() + bounds.write_stall.min(LINGER_TIME), false);
            }
            None if farewell.is_some() => (progress.changed, LINGER_TIME),
            None if progress.begun > 0 => (progress.changed, bounds.idle_time),
            None => (progress.changed, bounds.silent_time),
        };
        let deadline = farewell.map_or(since, |said| said.max(since)) + patience;
        let soon = now() + LINGER_TIME;
        match stalled {
            // Once it has taken all, there may be less to wait for.
            Some(_) if deadline > soon => (soon, false),
            _ => (deadline, true),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Progress> {
        self.progress.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A request that is under way until this is dropped, which its answer does with the last byte that the client takes.
struct Held {
    number: u64,
    pace: Arc<Pace>,
    _under_way: UnderWay<Arc<Server>>,
}

impl Held {
    fn new(pace: &Arc<Pace>, server: &Arc<Server>) -> Self {
        let mut progress = pace.lock();
        let number = progress.begun;
        progress.begun += 1;
        progress.changed = now();
        let since = progress.changed;
        progress.open.insert(number, Untaken { parts: 0, since });
        drop(progress);
        pace.awake.notify_one();
        Self {
            number,
            pace: Arc::clone(pace),
            _under_way: UnderWay(Arc::clone(server)),
        }
    }

    fn change(&self, how: impl FnOnce(&mut Untaken)) {
        if let Some(untaken) = self.pace.lock().open.get_mut(&self.number) {
            how(untaken);
        }
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        let mut progress = self.pace.lock();
        progress.open.remove(&self.number);
        progress.changed = now();
    }
}

/// The body of an answer, in parts that are small enough for the bounds. hyper asks for a part as soon as it has passed
/// on the one before, which may be before the client has taken that: so each part tells itself what becomes of it.
struct Answer {
    body: axum::body::Body,
    /// What is left of a part that was too large.
    rest: Bytes,
    held: Arc<Held>,
}

impl Answer {
    fn next_part(&mut self) -> Part {
        let length = self.rest.len().min(LARGEST_PART);
        Part::new(self.rest.split_to(length), &self.held)
    }
}

impl Body for Answer {
    type Data = Part;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Part>, axum::Error>>> {
        if !self.rest.is_empty() {
            return Poll::Ready(Some(Ok(Frame::data(self.next_part()))));
        }
        let frame = ready!(Pin::new(&mut self.body).poll_frame(cx));
        Poll::Ready(frame.map(|frame| {
            frame.map(|frame| {
                frame.map_data(|data| {
                    self.rest = data;
                    self.next_part()
                })
            })
        }))
    }

    fn is_end_stream(&self) -> bool {
        self.rest.is_empty() && self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        let rest = self.rest.len() as u64;
        let body = self.body.size_hint();
        let mut whole = SizeHint::new();
        whole.set_lower(body.lower() + rest);
        if let Some(upper) = body.upper() {
            whole.set_upper(upper + rest);
        }
        whole
    }
}

/// Bytes on their way to the client, which are gone when it has taken them.
struct Part {
    bytes: Bytes,
    held: Arc<Held>,
}

impl Part {
    fn new(bytes: Bytes, held: &Arc<Held>) -> Self {
        held.change(|untaken| {
            if untaken.parts == 0 {
                untaken.since = now();
            }
            untaken.parts += 1;
        });
        Self {
            bytes,
            held: Arc::clone(held),
        }
    }
}

impl Buf for Part {
    fn remaining(&self) -> usize {
        self.bytes.remaining()
    }

    fn chunk(&self) -> &[u8] {
        self.bytes.chunk()
    }

    fn advance(&mut self, count: usize) {
        self.bytes.advance(count);
        self.held.change(|untaken| untaken.since = now());
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        self.held.change(|untaken| untaken.parts -= 1);
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "no rule about accounts depends on this time"
)]
fn now() -> Instant {
    Instant::now()
}
