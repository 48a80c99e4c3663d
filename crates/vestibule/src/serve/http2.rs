//! A connection that speaks HTTP/2 (RFC 9113): hyper reads the frames, and here are the bounds that it has none for, the
//! refusals of heads, and the farewell. What an answer is, and the numbers of the bounds, are left to `serve.rs`.
//!
//! Where HTTP/1.1 has one request at a time, here are many, so the time of a connection is kept by counting those that
//! are under way: none for too long, or answers that the client takes nothing of, and it ends.

use std::convert::Infallible;
use std::future::Future;
use std::net::SocketAddr;
use std::pin::{Pin, pin};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};

use axum::http::uri::Authority;
use axum::http::{HeaderMap, Method};
use axum::response::Response;
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

/// Bytes of an answer that are kept until the client has room for them.
const SEND_BUFFER: usize = 64 * 1024;

/// Serves the requests of one connection until either side has had enough.
pub(super) async fn converse<S: AsyncRead + AsyncWrite + Unpin + Send + 'static>(
    stream: S,
    peer: SocketAddr,
    server: &Arc<Server>,
) {
    let pace = Arc::new(Pace::new());
    let service = service_fn(|request| {
        let held = Held::new(&pace, server);
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
            over = pace.over(&server.bounds, farewell) => match over {
                Over::Idle if farewell.is_none() => farewell = Some(now()),
                Over::Idle | Over::Stalled => return,
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
    held: Held,
) -> Result<Response<Answer<axum::body::Body>>, Infallible> {
    let refusal = judge(&mut request, server.bounds.header_bytes).err();
    let mut response = route(server.app.clone(), request, peer, refusal).await;
    // It is for HTTP/1.1, where it ends the connection (RFC 9113, section 8.2.2). Here the request ends alone.
    response.headers_mut().remove(CONNECTION);
    Ok(response.map(|body| Answer {
        body,
        is_held: false,
        held,
    }))
}

/// Refuses what is refused in HTTP/1.1, so that no route meets a head here that it would not meet there, and brings the
/// rest to the form that it has there. That it is a valid head of HTTP/2, hyper has seen to.
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
}

struct Progress {
    /// Requests under way.
    open: usize,
    /// Answers of which a part was handed out that the client has no room for yet.
    held: usize,
    /// When any of this changed for the last time, or the connection began.
    changed: Instant,
    /// Whether there was a request.
    used: bool,
}

/// Why a connection has had its time.
enum Over {
    /// It has nothing to do.
    Idle,
    /// The client takes nothing of what it has asked for.
    Stalled,
}

impl Pace {
    fn new() -> Self {
        Pace {
            progress: Mutex::new(Progress {
                open: 0,
                held: 0,
                changed: now(),
                used: false,
            }),
            awake: Notify::new(),
        }
    }

    /// Resolves when the connection has had its time. After a farewell an idle one is waited for briefly.
    async fn over(&self, bounds: &Bounds, farewell: Option<Instant>) -> Over {
        loop {
            let (deadline, over) = self.deadline(bounds, farewell);
            match over {
                Some(over) if deadline <= now() => return over,
                _ => tokio::select! {
                    () = sleep_until(deadline) => {}
                    () = self.awake.notified() => {}
                },
            }
        }
    }

    /// When to look again, and what is the matter if nothing has changed by then.
    fn deadline(&self, bounds: &Bounds, farewell: Option<Instant>) -> (Instant, Option<Over>) {
        let progress = self.lock();
        let Progress {
            open, held, used, ..
        } = *progress;
        match (open, farewell) {
            (0, Some(said)) => (progress.changed.max(said) + LINGER_TIME, Some(Over::Idle)),
            (0, None) if used => (progress.changed + bounds.idle_time, Some(Over::Idle)),
            (0, None) => (progress.changed + bounds.silent_time, Some(Over::Idle)),
            _ if held > 0 => (progress.changed + bounds.write_stall, Some(Over::Stalled)),
            // The routes bound how long they work. Whatever happens until then only puts the end off.
            _ => (now() + bounds.write_stall.min(LINGER_TIME), None),
        }
    }

    fn change(&self, how: impl FnOnce(&mut Progress)) {
        let mut progress = self.lock();
        how(&mut progress);
        progress.changed = now();
    }

    fn lock(&self) -> MutexGuard<'_, Progress> {
        self.progress.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A request that is under way until this is dropped.
struct Held {
    pace: Arc<Pace>,
    _under_way: UnderWay<Arc<Server>>,
}

impl Held {
    fn new(pace: &Arc<Pace>, server: &Arc<Server>) -> Self {
        pace.change(|progress| {
            progress.open += 1;
            progress.used = true;
        });
        pace.awake.notify_one();
        Self {
            pace: Arc::clone(pace),
            _under_way: UnderWay(Arc::clone(server)),
        }
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.pace.change(|progress| progress.open -= 1);
    }
}

/// The body of an answer. hyper asks for its next part once the client has taken the last one.
struct Answer<B> {
    body: B,
    is_held: bool,
    held: Held,
}

impl<B> Answer<B> {
    fn hold(&mut self, is_held: bool) {
        if self.is_held != is_held {
            self.is_held = is_held;
            self.held.pace.change(|progress| match is_held {
                true => progress.held += 1,
                false => progress.held -= 1,
            });
        }
    }
}

impl<B> Drop for Answer<B> {
    fn drop(&mut self) {
        self.hold(false);
    }
}

impl<B: Body + Unpin> Body for Answer<B> {
    type Data = B::Data;
    type Error = B::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<B::Data>, B::Error>>> {
        self.hold(false);
        let frame = Pin::new(&mut self.body).poll_frame(cx);
        self.hold(frame.is_ready());
        frame
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "no rule about accounts depends on this time"
)]
fn now() -> Instant {
    Instant::now()
}
