//! The way to an app behind the gate: connections to it, requests and answers as one hop hands them to the next
//! (RFC 9110, section 7.6), and what went wrong where there is no answer. Who may ask, and what the app is told of
//! them, is decided before, in `http/upstream.rs`.

mod hop;
mod pace;

use std::error::Error;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::http::request::Parts;
use axum::http::uri::{Authority, PathAndQuery, Scheme};
use axum::http::{HeaderMap, Request, Response, StatusCode, Uri, Version};
use http_body::Body as _;
use http_body_util::BodyExt as _;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::sleep;

use self::pace::{Pace, Paced, Waiting};
use crate::config::Origin;
use crate::serve::Tunnel;

/// For how long a connection is tried: an app on this machine or in its network is there at once or not at all.
const CONNECT_TIME: Duration = Duration::from_secs(5);
/// Connections to the app are kept so long for the next request. gunicorn closes them after 2 s, and whoever sends a
/// request into one that is being closed gets no answer.
const IDLE_TIME: Duration = Duration::from_secs(1);
/// So many are kept at the most, and not more than a quarter of those that may be open.
const MOST_IDLE: usize = 64;
/// After so much silence a connection is probed, so that one whose other end has gone without a word is given up.
const KEEP_ALIVE: Duration = Duration::from_secs(60);

/// An app behind the gate.
#[derive(Debug)]
pub struct Upstream {
    authority: Authority,
    client: Client<HttpConnector, Body>,
    /// One for each request that the app may have at once. A client has many at once on one connection of HTTP/2, and
    /// each takes a connection to the app.
    places: Arc<Semaphore>,
    /// How long the app may be silent before its answer begins.
    patience: Duration,
}

/// Why there is no answer of the app.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// It has as many requests as there may be connections to it.
    #[error("all connections to it are in use")]
    Crowded,
    /// Nobody listens there.
    #[error("it cannot be reached: {0}")]
    Unreachable(String),
    /// The connection broke before the answer's head was whole.
    #[error("its connection broke off: {0}")]
    Lost(String),
    /// What it answered is no HTTP, or something that nobody asked for.
    #[error("its answer is broken: {0}")]
    Broken(String),
    /// It took the request, and said nothing in time.
    #[error("it does not answer")]
    Silent,
    /// The client stopped in the middle of its request's body.
    #[error("the request did not arrive in time")]
    RequestTooSlow,
    /// The client's body is malformed, or broke off.
    #[error("the request is broken")]
    RequestBroken,
}

impl Upstream {
    /// The app at this origin, of which the scheme is `http`, by at most so many connections at once.
    #[must_use]
    pub fn new(origin: &Origin, patience: Duration, connections: usize) -> Self {
        let most_idle = MOST_IDLE.min(connections / 4);
        let places = (connections - most_idle).clamp(1, Semaphore::MAX_PERMITS);
        let mut connector = HttpConnector::new();
        connector.set_nodelay(true);
        connector.set_connect_timeout(Some(CONNECT_TIME));
        connector.set_keepalive(Some(KEEP_ALIVE));
        let client = Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(IDLE_TIME)
            .pool_max_idle_per_host(most_idle)
            .build(connector);
        let authority = format!("{}:{}", origin.host(), origin.port());
        Self {
            authority: Authority::try_from(authority).expect("an origin has a host and a port"),
            client,
            places: Arc::new(Semaphore::new(places)),
            patience,
        }
    }

    /// Sends a request on to `target`, with the headers of `told` in the place of whatever the client sent by these
    /// names. The bodies of both sides flow as they come. An answer that changes to another protocol carries the way
    /// on, for the connection that it is the answer on.
    ///
    /// # Errors
    /// [`Failure`]. Nothing but a safe method without a body is sent twice, and that once, where a connection broke
    /// without an answer: it may have been about to be closed when the request was sent.
    pub async fn ask(
        &self,
        request: Request<Body>,
        target: PathAndQuery,
        told: HeaderMap,
    ) -> Result<Response<Body>, Failure> {
        let place = Arc::clone(&self.places).try_acquire_owned();
        let place = place.map_err(|_none_left| Failure::Crowded)?;
        let (received, body) = request.into_parts();
        let wants_websocket = hop::wants_websocket(&received) && body.is_end_stream();
        let mut parts = Request::new(()).into_parts().0;
        parts.method = received.method;
        parts.uri = self.uri(target);
        parts.version = Version::HTTP_11;
        parts.headers = received.headers;
        hop::clean_request(&mut parts.headers);
        if wants_websocket {
            hop::name_websocket(&mut parts.headers);
        }
        hop::name_chunks(&mut parts.headers, &body);
        parts.headers.extend(told);
        let again = (parts.method.is_safe() && body.is_end_stream()).then(|| parts.clone());
        let answer = match (self.send(parts, body).await, again) {
            (Err(Failure::Lost(_)), Some(parts)) => self.send(parts, Body::empty()).await?,
            (answer, _) => answer?,
        };
        handed_on(answer, wants_websocket, place)
    }

    async fn send(
        &self,
        parts: Parts,
        body: Body,
    ) -> Result<Response<hyper::body::Incoming>, Failure> {
        let pace = Arc::new(Pace::default());
        let body = Body::new(Paced::new(body, Arc::clone(&pace)));
        let mut answer = pin!(self.client.request(Request::from_parts(parts, body)));
        loop {
            tokio::select! {
                answer = &mut answer => {
                    return answer.map_err(|failure| match pace.waiting() {
                        Waiting::InVain => Failure::RequestBroken,
                        _ if failure.is_connect() => Failure::Unreachable(causes(&failure)),
                        _ if is_no_http(&failure) => Failure::Broken(causes(&failure)),
                        _ => Failure::Lost(causes(&failure)),
                    });
                }
                () = pace.moved() => {}
                () = sleep(self.patience) => {
                    return Err(match pace.waiting() {
                        Waiting::ForClient => Failure::RequestTooSlow,
                        Waiting::ForApp | Waiting::InVain => Failure::Silent,
                    });
                }
            }
        }
    }

    fn uri(&self, target: PathAndQuery) -> Uri {
        let mut parts = axum::http::uri::Parts::default();
        parts.scheme = Some(Scheme::HTTP);
        parts.authority = Some(self.authority.clone());
        parts.path_and_query = Some(target);
        Uri::from_parts(parts).expect("scheme, authority and path make a URI")
    }
}

/// The answer as the next hop gets it. Its place is held for as long as its connection is.
fn handed_on(
    mut answer: Response<hyper::body::Incoming>,
    wants_websocket: bool,
    place: OwnedSemaphorePermit,
) -> Result<Response<Body>, Failure> {
    let switches = answer.status() == StatusCode::SWITCHING_PROTOCOLS;
    if switches && !(wants_websocket && hop::is_websocket(answer.headers())) {
        return Err(Failure::Broken(
            "it changes to a protocol that nobody asked for".to_owned(),
        ));
    }
    hop::clean(answer.headers_mut());
    if !switches {
        return Ok(answer.map(|body| {
            Body::new(body.map_frame(move |frame| {
                let _held_until_the_body_is_gone = &place;
                frame
            }))
        }));
    }
    let tunnel = Tunnel::to(hyper::upgrade::on(&mut answer), place);
    hop::name_websocket(answer.headers_mut());
    answer.extensions_mut().insert(tunnel);
    Ok(answer.map(Body::new))
}

fn is_no_http(failure: &dyn Error) -> bool {
    let source = failure
        .source()
        .and_then(|source| source.downcast_ref::<hyper::Error>());
    source.is_some_and(hyper::Error::is_parse)
}

/// A failure with what it comes from, since the outermost of them says next to nothing.
fn causes(failure: &(dyn Error + 'static)) -> String {
    let causes = std::iter::successors(Some(failure), |failure| (*failure).source());
    let causes: Vec<_> = causes.map(ToString::to_string).collect();
    causes.join(": ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::TcpListener;

    const ORDINARY: &str = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n";
    const WEBSOCKET: &str =
        "HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n";

    /// An app that begins each answer with `head`, never ends one, and has this one connection at most.
    async fn crowded(head: &'static str) -> Upstream {
        #[expect(
            clippy::disallowed_methods,
            reason = "the app of this test, for this machine alone"
        )]
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a port");
        let address = listener.local_addr().expect("an address");
        tokio::spawn(async move {
            let mut open = Vec::new();
            loop {
                let (mut stream, _) = listener.accept().await.expect("a connection");
                let mut asked = Vec::new();
                while !asked.ends_with(b"\r\n\r\n") {
                    asked.push(stream.read_u8().await.expect("a head"));
                }
                stream.write_all(head.as_bytes()).await.expect("a reader");
                open.push(stream);
            }
        });
        let origin = Origin::parse(&format!("http://{address}")).expect("an origin");
        Upstream::new(&origin, Duration::from_secs(30), 1)
    }

    async fn ask(upstream: &Upstream) -> Result<Response<Body>, Failure> {
        let request = Request::get("/")
            .header("connection", "upgrade")
            .header("upgrade", "websocket")
            .body(Body::empty())
            .expect("a request");
        let target = PathAndQuery::from_static("/");
        upstream.ask(request, target, HeaderMap::new()).await
    }

    #[tokio::test]
    async fn no_more_requests_are_handed_on_than_there_are_connections_until_an_answer_is_gone() {
        for head in [ORDINARY, WEBSOCKET] {
            let upstream = crowded(head).await;
            let first = ask(&upstream).await.expect("an answer");
            let second = ask(&upstream).await;
            assert!(matches!(second, Err(Failure::Crowded)), "{head}");
            drop(first);
            ask(&upstream).await.expect("an answer");
        }
    }

    #[tokio::test]
    async fn a_websocket_holds_its_place_when_the_answer_that_opened_it_is_gone() {
        let upstream = crowded(WEBSOCKET).await;
        let mut answer = ask(&upstream).await.expect("an answer");
        let tunnel = answer.extensions_mut().remove::<Tunnel>();
        drop(answer);
        assert!(matches!(ask(&upstream).await, Err(Failure::Crowded)));
        drop(tunnel.expect("a tunnel"));
        ask(&upstream).await.expect("an answer");
    }
}
