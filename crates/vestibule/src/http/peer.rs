//! The network side of a request: its id, the client's address, its span in the log and the line
//! that says how it ended. What many requests together say of proxies is left to `client_addresses.rs`.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use accounts::Peer;
use axum::{
    extract::{ConnectInfo, FromRequestParts, Request, State},
    http::{Extensions, HeaderMap, HeaderName, HeaderValue, header, request::Parts},
    response::Response,
};
use ipnet::IpNet;
use metrics::counter;
use tracing::Instrument as _;
use uuid::Uuid;

use crate::{
    app::App,
    around::Next,
    client_addresses::{Crowded, is_trusted},
    serve::Refusal,
    telemetry::{
        metrics::{ADDRESSES_CROWDED, FORWARDING_IGNORED},
        traces,
    },
};

pub(super) const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
pub(super) const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
/// Headers in which proxies name their client. Only the first is ever believed.
const FORWARDING: [&str; 5] = [
    "x-forwarded-for",
    "forwarded",
    "x-real-ip",
    "true-client-ip",
    "cf-connecting-ip",
];
/// Where a request without a connection comes from.
const NOWHERE: IpAddr = IpAddr::V4(Ipv4Addr::UNSPECIFIED);
/// Bytes of an id that is taken over from a proxy.
const LONGEST_REQUEST_ID: usize = 64;
/// Characters of a path that the log keeps.
const LONGEST_LOGGED: usize = 512;
/// Hops of a forwarded address that are looked at; no real chain is longer.
const LONGEST_CHAIN: usize = 64;

/// The peer of the request at hand, as [`identify`] found it.
#[derive(Clone)]
pub(super) struct ThisPeer(pub(super) Peer);

impl<S: Send + Sync> FromRequestParts<S> for ThisPeer {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Self::Rejection> {
        Ok(parts
            .extensions
            .get::<Self>()
            .cloned()
            .unwrap_or_else(|| Self(Peer::new(NOWHERE, None, None))))
    }
}

/// How the address of a client was found.
#[derive(Clone, Copy, Debug)]
pub(super) struct Seen {
    /// Where the connection comes from.
    pub(super) connection: IpAddr,
    /// Whether that is a trusted proxy.
    pub(super) is_trusted: bool,
    /// The address that counts as the client's.
    pub(super) address: IpAddr,
}

impl Seen {
    fn of(connection: IpAddr, headers: &HeaderMap, trusted: &[IpNet]) -> Self {
        let connection = connection.to_canonical();
        Self {
            connection,
            is_trusted: is_trusted(connection, trusted),
            address: client_address(connection, headers, trusted),
        }
    }
}

/// The account that a request has logged in or refreshed, beside its answer.
#[derive(Clone, Copy)]
pub(super) struct AccountSeen(pub(super) Uuid);

/// The headers of the request that name a client, whether they are believed or not.
pub(super) fn forwarding_headers(headers: &HeaderMap) -> impl Iterator<Item = &'static str> {
    let names = FORWARDING.into_iter();
    names.filter(|name| headers.contains_key(*name))
}

/// Gives each request its id and its peer, and each answer a line in the log. The line holds
/// neither address nor query nor any header.
pub(super) async fn identify(State(app): State<App>, mut request: Request, next: Next) -> Response {
    let headers = request.headers();
    let connection = request.extensions().get::<ConnectInfo<SocketAddr>>();
    let connection = connection.map_or(NOWHERE, |info| info.0.ip());
    let seen = Seen::of(connection, headers, &app.config().trusted_proxies);
    let forwards = !seen.is_trusted && forwarding_headers(headers).next().is_some();
    let id = given_id(headers).filter(|_| seen.is_trusted);
    let id = id.unwrap_or_else(|| app.request_id());
    let user_agent = headers.get(header::USER_AGENT);
    let user_agent = user_agent.and_then(|value| value.to_str().ok());
    let peer = ThisPeer(Peer::new(seen.address, user_agent, Some(id.clone())));
    request.extensions_mut().insert(peer);
    request.extensions_mut().insert(seen);

    let span = tracing::info_span!("request", http.request.id = id);
    traces::begin(&span, &app, &request);
    let refusal = request.extensions().get::<Refusal>().copied();
    let method = request.method().clone();
    let path = beginning(request.uri().path()).to_owned();
    let started = app.monotonic();
    let mut answer = next.run(request).instrument(span.clone()).await;
    traces::end(&span, &app, &answer);
    let now = app.monotonic();
    let duration = (now - started).as_secs_f64();
    let status = answer.status().as_u16();
    span.in_scope(|| match refusal {
        None => {
            tracing::info!(
                http.request.method = %method,
                url.path = path,
                http.response.status_code = status,
                http.server.request.duration = duration,
                "{method} {path:?} was answered {status}"
            );
        }
        // What stands in for the request has a method and a path that nobody sent.
        Some(refusal) => {
            tracing::info!(
                http.request.refusal = ?refusal,
                http.response.status_code = status,
                "What is no request was answered {status}: {refusal:?}"
            );
        }
    });
    if forwards {
        counter!(FORWARDING_IGNORED).increment(1);
        tell(&app, app.client_addresses().forwards(seen.connection, now));
    }
    if let Some(AccountSeen(account)) = answer.extensions_mut().remove() {
        let addresses = app.client_addresses();
        tell(
            &app,
            addresses.account_at(seen.address, forwards, account, now),
        );
    }
    if let Ok(value) = HeaderValue::try_from(id) {
        answer.headers_mut().insert(REQUEST_ID, value);
    }
    answer
}

/// As much of a path as the log has room for.
fn beginning(path: &str) -> &str {
    let end = path.char_indices().nth(LONGEST_LOGGED);
    end.map_or(path, |(end, _)| &path[..end])
}

/// Whether the connection comes from a proxy whose word about its visitor counts.
pub(crate) fn is_trusted_proxy(app: &App, extensions: &Extensions) -> bool {
    let connection = extensions.get::<ConnectInfo<SocketAddr>>();
    let address = connection.map(|info| info.0.ip().to_canonical());
    address.is_some_and(|address| is_trusted(address, &app.config().trusted_proxies))
}

/// Tells the operator that clients are probably mistaken for one.
fn tell(app: &App, crowded: Option<Crowded>) {
    let Some(crowded) = crowded else { return };
    counter!(ADDRESSES_CROWDED).increment(1);
    let (address, fix) = (crowded.address, crowded.fix(&app.config().trusted_proxies));
    tracing::warn!(client.address = %address, "Clients cannot be told apart: {crowded}; {fix}");
}

/// The id that the request came with, where it has one that can be taken over: such as programs make, and no longer than
/// the audit log has room for.
fn given_id(headers: &HeaderMap) -> Option<String> {
    let mut values = headers.get_all(REQUEST_ID).iter();
    let (Some(value), None) = (values.next(), values.next()) else {
        return None;
    };
    let id = value.to_str().ok()?;
    let is_one = (1..=LONGEST_REQUEST_ID).contains(&id.len())
        && id
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"-_.:+/=~".contains(&byte));
    is_one.then(|| id.to_owned())
}

/// The right-most address of `X-Forwarded-For` that is no trusted proxy; the connection's own
/// where that is not a trusted proxy or the header holds anything but addresses.
fn client_address(connection: IpAddr, headers: &HeaderMap, trusted: &[IpNet]) -> IpAddr {
    let mut nearest = connection.to_canonical();
    if !is_trusted(nearest, trusted) {
        return nearest;
    }
    let values: Vec<_> = headers.get_all(FORWARDED_FOR).iter().collect();
    let hops = values.iter().rev().flat_map(|value| {
        value
            .to_str()
            .unwrap_or_default()
            .rsplit(',')
            .map(str::trim)
    });
    for hop in hops.take(LONGEST_CHAIN) {
        let Ok(address) = hop.parse::<IpAddr>() else {
            return nearest;
        };
        nearest = address.to_canonical();
        if !is_trusted(nearest, trusted) {
            return nearest;
        }
    }
    nearest
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(connection: &str, forwarded: &[&str]) -> String {
        let trusted = [
            "10.0.0.0/8".parse().expect("a network"),
            "::1/128".parse().expect("a network"),
        ];
        let mut headers = HeaderMap::new();
        for value in forwarded {
            headers.append(
                FORWARDED_FOR,
                HeaderValue::from_str(value).expect("a value"),
            );
        }
        client_address(connection.parse().expect("an address"), &headers, &trusted).to_string()
    }

    #[test]
    fn a_stranger_cannot_choose_an_address() {
        assert_eq!(seen("192.0.2.7", &["198.51.100.1"]), "192.0.2.7");
        assert_eq!(seen("::ffff:192.0.2.7", &["198.51.100.1"]), "192.0.2.7");
    }

    #[test]
    fn the_rightmost_untrusted_hop_counts() {
        assert_eq!(seen("10.0.0.1", &["198.51.100.1"]), "198.51.100.1");
        assert_eq!(
            seen("10.0.0.1", &["203.0.113.9, 198.51.100.1, 10.0.0.2"]),
            "198.51.100.1"
        );
        assert_eq!(
            seen("10.0.0.1", &["203.0.113.9", "198.51.100.1"]),
            "198.51.100.1"
        );
        assert_eq!(seen("::ffff:10.0.0.1", &["2001:db8::1"]), "2001:db8::1");
        assert_eq!(seen("::1", &["10.1.1.1"]), "10.1.1.1");
    }

    #[test]
    fn an_id_of_a_proxy_is_plain_and_bounded() {
        let given = |values: &[&'static str]| {
            let mut headers = HeaderMap::new();
            for value in values {
                headers.append(REQUEST_ID, HeaderValue::from_static(value));
            }
            given_id(&headers)
        };
        let uuid = "01890a5d-ac96-774b-bcce-b302099a8057";
        assert_eq!(given(&[uuid]).as_deref(), Some(uuid));
        assert_eq!(
            given(&["4bf92f35:Az_.+/=~"]).as_deref(),
            Some("4bf92f35:Az_.+/=~")
        );
        for broken in ["", "a b", "a\"b", "a,b", "a\tb", "<b>"] {
            assert_eq!(given(&[broken]), None, "{broken:?}");
        }
        assert!(given(&[&"a".repeat(64).leak()[..]]).is_some());
        assert_eq!(given(&[&"a".repeat(65).leak()[..]]), None);
        assert_eq!(given(&["a", "a"]), None);
    }

    #[test]
    fn what_is_no_address_ends_the_chain() {
        assert_eq!(seen("10.0.0.1", &["198.51.100.1, unknown"]), "10.0.0.1");
        assert_eq!(
            seen("10.0.0.1", &["198.51.100.1, _hidden, 10.0.0.9"]),
            "10.0.0.9"
        );
        assert_eq!(seen("10.0.0.1", &[]), "10.0.0.1");
        assert_eq!(seen("10.0.0.1", &["198.51.100.1:4711"]), "10.0.0.1");
    }
}
