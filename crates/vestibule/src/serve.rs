//! The one file that listens: accepts connections, bounds how long and how large each may be, and drains them at the
//! end. What a request means is left to the router; the bounds of a single request (body, time) to `http/bounds.rs`.
//!
//! Between two requests a connection is a socket and a timer. hyper is given one request at a time, after its head has
//! arrived whole and was judged by `head.rs`: so an idle connection holds no buffer, the time that a head may take and
//! the time that a client may be silent are two numbers, and a head that could be read in two ways never reaches a route.
//! Where there is a certificate, TLS comes first, and a client may choose HTTP/2, whose connections are in `http2.rs`.

mod head;
mod http2;
mod last_call;
mod open_files;
mod signals;
mod tls;
mod tunnel;
mod wire;

use std::convert::Infallible;
use std::future::{Future, poll_fn};
use std::io;
use std::net::SocketAddr;
use std::ops::Deref;
use std::pin::pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::{ConnectInfo, Request};
use axum::response::Response;
use bytes::{Bytes, BytesMut};
use hyper::StatusCode;
use hyper::body::Incoming;
use hyper::header::{CONNECTION, CONTENT_LENGTH, HeaderValue};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use socket2::{SockRef, TcpKeepalive};
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, sleep, timeout};
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tower::Service;
use tracing::{debug, warn};

use self::head::Framing;
pub(crate) use self::head::Refusal;
pub use self::open_files::{OpenFiles, open_files, open_files_limit};
pub use self::signals::{HangUps, hang_ups, terminated};
pub use self::tls::{Certificates, Doubt, TlsFiles, TlsProblem};
pub(crate) use self::tunnel::Tunnel;
use self::wire::{Answer, OneRequest, Outcome, Progress, Unstalled, Wire};

/// After how many seconds whoever is turned away for now is to try again: the API and the site say the same.
pub(crate) const RETRY_AFTER: &str = "5";

/// So many connections wait at the most for being accepted, be it because a crowd has come at once. Linux has its own
/// bound, `net.core.somaxconn`, which is not lower on most systems.
const QUEUE: u32 = 1024;

/// What stands in for a head that was refused, so that the refusal takes the way of any answer.
const PLACEHOLDER: &[u8] = b"GET / HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n";

/// After an answer that ends a connection, so much of what the client still sends is read and thrown away. Closing with
/// unread bytes would reset the connection, and the client might lose the answer that tells it why.
const LINGER_BYTES: usize = 1024 * 1024;
const LINGER_TIME: Duration = Duration::from_secs(2);

/// After so much silence the system asks whether the machine at the other end is still there.
const KEEP_ALIVE: Duration = Duration::from_secs(60);

/// Who has connected in time should have an answer: for so long after the handshake the first request is waited for,
/// also when the server is on its way down.
const FIRST_REQUEST: Duration = Duration::from_secs(1);

/// How large and how slow a connection may be. The default is what is promised to clients.
#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    /// Bytes of a request head, request line and empty line included.
    pub header_bytes: usize,
    /// How long the handshake of TLS may take.
    pub handshake_time: Duration,
    /// From the first byte of a head to its last.
    pub header_time: Duration,
    /// How long a new connection may be silent.
    pub silent_time: Duration,
    /// How long a connection that has carried a request may be silent.
    pub idle_time: Duration,
    /// How long a client may take no byte of an answer that waits for it.
    pub write_stall: Duration,
    /// For how long connections are still accepted after the shutdown, so that a balancer learns of it and goes elsewhere.
    pub drain_delay: Duration,
    /// How long requests may go on after that.
    pub drain_time: Duration,
    /// How many connections may be open at once; see [`Bounds::within`].
    pub connections: usize,
}

impl Default for Bounds {
    fn default() -> Self {
        Bounds {
            header_bytes: 16 * 1024,
            handshake_time: Duration::from_secs(10),
            header_time: Duration::from_secs(10),
            silent_time: Duration::from_secs(10),
            // Longer than the 60 s of nginx, which would otherwise send a request into a connection that we are closing.
            idle_time: Duration::from_secs(75),
            write_stall: Duration::from_secs(30),
            drain_delay: Duration::ZERO,
            // With what is left to do afterwards, the end comes within the ten seconds after which `docker stop` kills.
            drain_time: Duration::from_secs(8),
            connections: 10_000,
        }
    }
}

impl Bounds {
    /// The same with no more connections than there are files for.
    #[must_use]
    pub fn within(self, files: OpenFiles) -> Self {
        Self {
            connections: self.connections.min(files.for_connections),
            ..self
        }
    }
}

/// How the requests ended that were under way at the shutdown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Drained {
    /// Answered to their end.
    pub finished: usize,
    /// Cut off at `Bounds::drain_time`.
    pub cut: usize,
}

/// Listens on `address`; port 0 picks a free one.
///
/// # Errors
/// As the operating system says: the port is taken or reserved, the address is not ours.
pub fn bind(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = match address {
        SocketAddr::V4(_) => TcpSocket::new_v4()?,
        SocketAddr::V6(_) => TcpSocket::new_v6()?,
    };
    // A restart need not wait for the connections of before to be forgotten.
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(QUEUE)
}

/// Serves `app` until `shutdown` resolves, then lets the running requests finish and closes every idle connection.
///
/// From the shutdown on each answer is the last of its connection (`Connection: close`), so that a proxy that keeps
/// connections has none left, or only idle ones, when `Bounds::drain_delay` is over and the listener closes.
///
/// Each request carries `ConnectInfo<SocketAddr>`: the address at the other end of the socket. For one that was refused
/// before it was a request, `app` must have the layer [`refusals`](crate::http::bounds::refusals), which answers it.
pub async fn serve(
    listener: TcpListener,
    app: Router,
    bounds: Bounds,
    shutdown: impl Future<Output = ()>,
) -> Drained {
    run(listener, None, app, bounds, shutdown).await
}

/// Like [`serve`], over TLS alone, and with HTTP/2 for the clients that ask for it.
pub async fn serve_tls(
    listener: TcpListener,
    certificates: Arc<Certificates>,
    app: Router,
    bounds: Bounds,
    shutdown: impl Future<Output = ()>,
) -> Drained {
    run(listener, Some(certificates), app, bounds, shutdown).await
}

async fn run(
    listener: TcpListener,
    certificates: Option<Arc<Certificates>>,
    app: Router,
    bounds: Bounds,
    shutdown: impl Future<Output = ()>,
) -> Drained {
    let server = Arc::new(Server {
        app,
        certificates,
        connections: TaskTracker::new(),
        http: http(&bounds),
        room: Arc::new(Semaphore::new(bounds.connections)),
        bounds,
        leaving: CancellationToken::new(),
        draining: CancellationToken::new(),
        cutting: CancellationToken::new(),
        finished: AtomicUsize::new(0),
        cut: AtomicUsize::new(0),
    });
    tokio::select! {
        () = shutdown => {}
        never = accept_all(&listener, &server) => match never {},
    }
    server.leaving.cancel();
    if !bounds.drain_delay.is_zero() {
        let accepting = accept_all(&listener, &server);
        let Err(_over) = timeout(bounds.drain_delay, accepting).await;
        last_call::refuse_newcomers(&listener).await;
    }
    for (stream, peer) in last_call::take_waiting(listener) {
        if let Ok(place) = Arc::clone(&server.room).try_acquire_owned() {
            let attended = attend(stream, peer, Arc::clone(&server), place);
            server.connections.spawn(attended);
        }
    }
    server.drain().await
}

/// What all connections share.
struct Server {
    app: Router,
    /// Where TLS is spoken, what is shown to clients.
    certificates: Option<Arc<Certificates>>,
    /// The tasks of all connections.
    connections: TaskTracker,
    http: http1::Builder,
    bounds: Bounds,
    /// A place for each connection.
    room: Arc<Semaphore>,
    /// Asked to end: no connection carries a further request. Then idle ones are closed; then all.
    leaving: CancellationToken,
    draining: CancellationToken,
    cutting: CancellationToken,
    /// Requests that ended since draining began, and since cutting began.
    finished: AtomicUsize,
    cut: AtomicUsize,
}

/// hyper with buffers in proportion to the requests, and without timers of its own: it never waits for a head.
fn http(bounds: &Bounds) -> http1::Builder {
    let mut http = http1::Builder::new();
    http.header_read_timeout(None)
        .max_header_size(bounds.header_bytes)
        .max_buf_size(64 * 1024);
    http
}

impl Server {
    async fn drain(&self) -> Drained {
        self.draining.cancel();
        self.connections.close();
        if timeout(self.bounds.drain_time, self.connections.wait())
            .await
            .is_err()
        {
            self.cutting.cancel();
            self.connections.wait().await;
        }
        Drained {
            finished: self.finished.load(Ordering::Relaxed),
            cut: self.cut.load(Ordering::Relaxed),
        }
    }
}

/// Accepts while there is room. At the cap it stops, so further clients wait in the kernel's queue until one leaves.
async fn accept_all(listener: &TcpListener, server: &Arc<Server>) -> Infallible {
    let cap = server.bounds.connections;
    let mut full = Seldom::default();
    let mut failing = Seldom::default();
    loop {
        if server.room.available_permits() == 0 && full.is_due() {
            warn!(
                server.connections = cap,
                "All {cap} connections are in use; new ones wait until one ends"
            );
        }
        let place = Arc::clone(&server.room)
            .acquire_owned()
            .await
            .expect("the semaphore is never closed");
        match listener.accept().await {
            Ok((stream, peer)) => {
                let attended = attend(stream, peer, Arc::clone(server), place);
                server.connections.spawn(attended);
            }
            Err(failure) if is_of_one_connection(&failure) => {}
            Err(failure) => {
                if failing.is_due() {
                    warn!(error.message = %failure, "Connections cannot be accepted: {failure}");
                }
                // Out of files or memory. The listener stays readable, so trying again at once would spin.
                sleep(Duration::from_millis(250)).await;
            }
        }
    }
}

/// The client was gone before it was accepted; the next one may be fine.
fn is_of_one_connection(failure: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset, Interrupted};
    matches!(
        failure.kind(),
        ConnectionAborted | ConnectionRefused | ConnectionReset | Interrupted
    )
}

/// A message that is worth a line a minute.
#[derive(Default)]
struct Seldom(Option<Instant>);

impl Seldom {
    #[expect(
        clippy::disallowed_methods,
        reason = "no rule about accounts depends on this time"
    )]
    fn is_due(&mut self) -> bool {
        let due = self
            .0
            .is_none_or(|last| last.elapsed() >= Duration::from_secs(60));
        if due {
            self.0 = Some(Instant::now());
        }
        due
    }
}

/// One connection from beginning to end; it holds its place until then.
async fn attend(
    stream: TcpStream,
    peer: SocketAddr,
    server: Arc<Server>,
    _place: OwnedSemaphorePermit,
) {
    if let Err(failure) = stream.set_nodelay(true) {
        debug!(error.message = %failure, "TCP_NODELAY could not be set");
    }
    // A client whose machine went away without a word would be waited for as long as a stream has nothing to say.
    let probing = TcpKeepalive::new().with_time(KEEP_ALIVE);
    if let Err(failure) = SockRef::from(&stream).set_tcp_keepalive(&probing) {
        debug!(error.message = %failure, "TCP keep-alive could not be set");
    }
    let stream = Unstalled::new(stream, server.bounds.write_stall);
    let conversation = async {
        match &server.certificates {
            None => converse(stream, peer, &server, server.draining.cancelled()).await,
            // Boxed, so that no connection without it is as large as one with it.
            Some(certificates) => Box::pin(shake_hands(stream, peer, &server, certificates)).await,
        }
    };
    tokio::select! {
        () = conversation => {}
        () = server.cutting.cancelled() => {}
    }
}

/// Lets the client choose what to speak over TLS, and then speaks it.
async fn shake_hands(
    stream: Unstalled<TcpStream>,
    peer: SocketAddr,
    server: &Arc<Server>,
    certificates: &Certificates,
) {
    let backlog = stream.backlog();
    let handshake = TlsAcceptor::from(certificates.config()).accept(stream);
    let stream = match timeout(server.bounds.handshake_time, handshake).await {
        Ok(Ok(stream)) => stream,
        Ok(Err(failure)) => {
            return debug!(error.message = %failure, "A TLS handshake failed: {failure}");
        }
        Err(_late) => return debug!("A TLS handshake took too long"),
    };
    if stream.get_ref().1.alpn_protocol() == Some(tls::HTTP_2) {
        return http2::converse(stream, backlog, peer, server).await;
    }
    let mut settled = pin!(sleep(FIRST_REQUEST));
    let ending = async {
        server.draining.cancelled().await;
        settled.as_mut().await;
    };
    converse(stream, peer, server, ending).await;
}

/// Takes one request after the other until either side has had enough, or `ending` is over and none has arrived.
async fn converse<S: AsyncRead + AsyncWrite + Unpin + Send>(
    stream: S,
    peer: SocketAddr,
    server: &Server,
    ending: impl Future<Output = ()>,
) {
    let mut wire = Wire {
        stream,
        received: BytesMut::new(),
    };
    let mut ending = pin!(ending);
    let mut patience = server.bounds.silent_time;
    loop {
        let (next, is_last) = tokio::select! {
            biased;
            next = next_request(&mut wire, &server.bounds, patience) => (next, false),
            () = ending.as_mut() => (arrived_request(&mut wire, &server.bounds).await, true),
        };
        let Some(asked) = next else { return };
        // Boxed, so that a connection that waits is not as large as one that works.
        let outcome = Box::pin(exchange(&mut wire, asked, peer, server)).await;
        match outcome {
            Outcome::Reusable if !is_last => {}
            Outcome::Reusable | Outcome::Finished => return linger(&mut wire).await,
            Outcome::Broken => return,
        }
        if wire.received.is_empty() {
            wire.received = BytesMut::new();
        }
        patience = server.bounds.idle_time;
    }
}

/// A head that may go to a route, or why it may not.
type Asked = Result<(Bytes, Framing), Refusal>;

/// Waits for the next request head. `None`: the client left, or was silent for longer than `patience`.
async fn next_request<S: AsyncRead + Unpin>(
    wire: &mut Wire<S>,
    bounds: &Bounds,
    patience: Duration,
) -> Option<Asked> {
    if !matches!(timeout(patience, begins(wire)).await, Ok(Ok(true))) {
        return None;
    }
    match timeout(bounds.header_time, read_head(wire, bounds.header_bytes)).await {
        Ok(Ok(asked)) => Some(asked),
        Ok(Err(_gone)) => None,
        Err(_late) => Some(Err(Refusal::TooSlow)),
    }
}

/// Waits for the first byte of a head, and says whether one has come. Empty lines before it are dropped: some clients send
/// one too many after a body (RFC 9112, section 2.2).
async fn begins<S: AsyncRead + Unpin>(wire: &mut Wire<S>) -> io::Result<bool> {
    loop {
        while wire.received.starts_with(b"\r\n") {
            let _empty_line = wire.received.split_to(2);
        }
        if !matches!(wire.received[..], [] | [b'\r']) {
            return Ok(true);
        }
        if wire.fill().await? == 0 {
            return Ok(false);
        }
    }
}

/// The next request head, if it is here already. Who has sent one to an open connection should have an answer to it.
async fn arrived_request<S: AsyncRead + Unpin>(
    wire: &mut Wire<S>,
    bounds: &Bounds,
) -> Option<Asked> {
    // The runtime asks the kernel what has arrived between two turns of a task, not within one.
    tokio::task::yield_now().await;
    let whole = next_request(wire, bounds, bounds.silent_time);
    timeout(Duration::ZERO, whole).await.ok().flatten()
}

/// Reads to the end of the head and judges it. An error is one of the connection.
async fn read_head<S: AsyncRead + Unpin>(
    wire: &mut Wire<S>,
    most_bytes: usize,
) -> io::Result<Asked> {
    let mut scanned = 0;
    loop {
        match head::end(&wire.received, &mut scanned, most_bytes) {
            Err(refusal) => return Ok(Err(refusal)),
            Ok(Some(length)) => {
                let head = wire.received.split_to(length).freeze();
                return Ok(head::judge(&head).map(|framing| (head, framing)));
            }
            Ok(None) => {}
        }
        if wire.fill().await? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
    }
}

/// Has hyper parse one request, the router answer it, and hyper write the answer.
async fn exchange<S: AsyncRead + AsyncWrite + Unpin + Send>(
    wire: &mut Wire<S>,
    asked: Asked,
    peer: SocketAddr,
    server: &Server,
) -> Outcome {
    let _under_way = UnderWay(server);
    let mut outcome = Outcome::Finished;
    let progress = Progress::default();
    let refusal = asked.as_ref().err().copied();
    let request = asked.unwrap_or((Bytes::from_static(PLACEHOLDER), Framing::Length(0)));
    let last = request.1 == Framing::Chunked;
    let opened = Arc::new(OnceLock::new());
    let stream = OneRequest::new(wire, request, progress.clone(), &mut outcome)
        .watch_for_departure(refusal.is_none());
    let service = service_fn(|request| {
        let (progress, opened) = (progress.clone(), Arc::clone(&opened));
        async move {
            let mut response = route(server.app.clone(), request, peer, refusal).await;
            if let Some(tunnel) = response.extensions_mut().remove::<Tunnel>() {
                opened.get_or_init(|| tunnel);
            } else if last || server.leaving.is_cancelled() {
                let close = HeaderValue::from_static("close");
                response.headers_mut().insert(CONNECTION, close);
            }
            Ok::<_, Infallible>(response.map(|body| Answer::new(body, progress)))
        }
    });
    let connection = server.http.serve_connection(TokioIo::new(stream), service);
    if let Err(failure) = answered(connection, &progress).await {
        debug!(error.message = %failure, "A connection broke off: {failure}");
        return Outcome::Broken;
    }
    if let Some(tunnel) = Arc::into_inner(opened).and_then(OnceLock::into_inner) {
        // What hyper was given ended with the head, so all that follows is still here.
        let near_end = OneRequest::endless(wire, &mut outcome);
        tokio::select! {
            () = tunnel.carry(near_end) => {}
            () = server.draining.cancelled() => {}
        }
        return Outcome::Finished;
    }
    outcome
}

/// Waits until hyper has answered the one request that it gets.
async fn answered(
    connection: impl Future<Output = hyper::Result<()>>,
    progress: &Progress,
) -> hyper::Result<()> {
    let mut connection = pin!(connection);
    poll_fn(|cx| {
        let mut polled = connection.as_mut().poll(cx);
        if polled.is_pending() && progress.sent() {
            // hyper now waits for another request. Asked again, it finds the stream at its end.
            polled = connection.as_mut().poll(cx);
        }
        polled
    })
    .await
}

/// Calls the router with what it may know of the connection.
async fn route(
    mut app: Router,
    request: hyper::Request<Incoming>,
    peer: SocketAddr,
    refusal: Option<Refusal>,
) -> Response {
    let mut request: Request = request.map(Body::new);
    request.extensions_mut().insert(ConnectInfo(peer));
    if let Some(refusal) = refusal {
        request.extensions_mut().insert(refusal);
    }
    if let (Some(_), Some(path)) = (request.uri().authority(), request.uri().path_and_query()) {
        // Only the path counts: no route may take a host name from the request target.
        *request.uri_mut() = path.clone().into();
    }
    let mut response = match app.call(request).await {
        Ok(response) => response,
        Err(impossible) => match impossible {},
    };
    // axum gives each empty body a length. There it would be that of a content that this answer does not have: 204 may not
    // say one, and 304 only that of the 200 (RFC 9110, section 8.6).
    if matches!(
        response.status(),
        StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED
    ) {
        response.headers_mut().remove(CONTENT_LENGTH);
    }
    response
}

/// Counts a request that ends during the drain, however it ends.
struct UnderWay<S: Deref<Target = Server>>(S);

impl<S: Deref<Target = Server>> Drop for UnderWay<S> {
    fn drop(&mut self) {
        let server = &self.0;
        // To look takes a lock, and what is cut has drained before.
        if !server.draining.is_cancelled() {
            return;
        }
        let ended = match server.cutting.is_cancelled() {
            true => &server.cut,
            false => &server.finished,
        };
        ended.fetch_add(1, Ordering::Relaxed);
    }
}

/// Ends our side and lets the client finish, within bounds.
async fn linger<S: AsyncRead + AsyncWrite + Unpin>(wire: &mut Wire<S>) {
    let ending = async {
        wire.stream.shutdown().await?;
        let mut thrown_away = 0;
        while thrown_away < LINGER_BYTES {
            wire.received.clear();
            match wire.fill().await? {
                0 => break,
                bytes => thrown_away += bytes,
            }
        }
        Ok::<_, io::Error>(())
    };
    // Whether the client let us end in peace makes no difference any more.
    let _ended = timeout(LINGER_TIME, ending).await;
}
