//! The network side of a request: its id, the client's address, its span in the log and the line
//! that says how it ended.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use accounts::Peer;
use axum::{
    extract::{ConnectInfo, FromRequestParts, Request, State},
    http::{Extensions, HeaderMap, HeaderName, HeaderValue, header, request::Parts},
    middleware::Next,
    response::Response,
};
use ipnet::IpNet;
use tracing::Instrument as _;

use crate::{app::App, serve::Refusal};

pub(super) const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
pub(super) const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
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
            .unwrap_or_else(|| Self(Peer::new(IpAddr::V4(Ipv4Addr::UNSPECIFIED), None, None))))
    }
}

/// Gives each request its id and its peer, and each answer a line in the log. The line holds
/// neither address nor query nor any header.
pub(super) async fn identify(State(app): State<App>, mut request: Request, next: Next) -> Response {
    let id = app.request_id();
    let connection = connection_address(request.extensions());
    let address = connection.map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |connection| {
        client_address(connection, request.headers(), &app.config().trusted_proxies)
    });
    let user_agent = request
        .headers()
        .get(header::USER_AGENT)
        .and_then(|value| value.to_str().ok());
    let peer = ThisPeer(Peer::new(address, user_agent, Some(id.clone())));
    request.extensions_mut().insert(peer);

    let span = tracing::info_span!("request", id);
    let refusal = request.extensions().get::<Refusal>().copied();
    let method = request.method().clone();
    let path: String = request.uri().path().chars().take(LONGEST_LOGGED).collect();
    let started = app.monotonic();
    let mut answer = next.run(request).instrument(span.clone()).await;
    let duration_ms = (app.monotonic() - started).as_secs_f64() * 1000.0;
    let status = answer.status().as_u16();
    span.in_scope(|| match refusal {
        None => {
            tracing::info!(%method, path, status, duration_ms, "{method} {path:?} was answered {status}");
        }
        // What stands in for the request has a method and a path that nobody sent.
        Some(refusal) => {
            tracing::info!(?refusal, status, "What is no request was answered {status}: {refusal:?}");
        }
    });
    if let Ok(value) = HeaderValue::try_from(id) {
        answer.headers_mut().insert(REQUEST_ID, value);
    }
    answer
}

/// Whether the connection comes from a proxy whose word about its visitor counts.
pub(super) fn is_trusted_proxy(app: &App, extensions: &Extensions) -> bool {
    let connection = connection_address(extensions);
    connection.is_some_and(|address| is_in(address.to_canonical(), &app.config().trusted_proxies))
}

fn connection_address(extensions: &Extensions) -> Option<IpAddr> {
    let info = extensions.get::<ConnectInfo<SocketAddr>>();
    info.map(|info| info.0.ip())
}

fn is_in(address: IpAddr, networks: &[IpNet]) -> bool {
    networks.iter().any(|network| network.contains(&address))
}

/// The right-most address of `X-Forwarded-For` that is no trusted proxy; the connection's own
/// where that is not a trusted proxy or the header holds anything but addresses.
fn client_address(connection: IpAddr, headers: &HeaderMap, trusted: &[IpNet]) -> IpAddr {
    let is_trusted = |address: IpAddr| is_in(address, trusted);
    let mut nearest = connection.to_canonical();
    if !is_trusted(nearest) {
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
        if !is_trusted(nearest) {
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
