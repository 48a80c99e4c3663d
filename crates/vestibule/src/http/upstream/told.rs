//! What the app is told of a request beside the request itself: who asks, from where, and by which address of ours. And
//! what a client says of these is forgotten, since an app believes whoever stands in front of it.

use accounts::{Caller, Credential};
use axum::http::{HeaderMap, HeaderName, HeaderValue, header, request::Parts};

use crate::{
    app::App,
    http::{
        cookie,
        peer::{self, FORWARDED_FOR, REQUEST_ID, ThisPeer},
    },
    site::identity::{Identity, strip_identity},
};

const FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");
const FORWARDED_HOST: HeaderName = HeaderName::from_static("x-forwarded-host");
const FORWARDED_PORT: HeaderName = HeaderName::from_static("x-forwarded-port");

/// Headers by which some app believes that another address was asked for, or that somebody else asks.
const CLAIMS: [HeaderName; 5] = [
    header::FORWARDED,
    HeaderName::from_static("x-real-ip"),
    HeaderName::from_static("x-original-url"),
    HeaderName::from_static("x-original-method"),
    HeaderName::from_static("x-rewrite-url"),
];

/// The headers that count in the place of the client's.
///
/// `X-Forwarded-For` is the client's address alone, as `trusted_proxies` lets us know it: an app that takes the first of
/// a list and one that takes the last are both right. Who is not known is told by no header at all, as nginx does with
/// what is empty: there are apps to which a header that is there is a user.
pub(super) fn headers(app: &App, request: &Parts, caller: Option<&Caller>) -> HeaderMap {
    let mut told = HeaderMap::new();
    if let Some(caller) = caller {
        let identity = Identity::of(&caller.user, &app.config().site);
        told.extend(identity.headers().map(|(name, value)| (Some(name), value)));
    }
    let mut tell = |name, value: Option<HeaderValue>| {
        if let Some(value) = value {
            told.insert(name, value);
        }
    };
    let public_url = &app.config().public_url;
    let received = &request.headers;
    let host = received.get(header::HOST).cloned();
    let host = host.or_else(|| HeaderValue::try_from(public_url.authority()).ok());
    let by_proxy = |name| {
        let said = received.get(name).cloned();
        said.filter(|_| peer::is_trusted_proxy(app, &request.extensions))
    };
    let scheme = match public_url.is_https() {
        true => HeaderValue::from_static("https"),
        false => HeaderValue::from_static("http"),
    };
    let by_proxy_scheme =
        by_proxy(FORWARDED_PROTO).filter(|said| said == "http" || said == "https");
    tell(FORWARDED_PROTO, by_proxy_scheme.or(Some(scheme)));
    tell(FORWARDED_HOST, by_proxy(FORWARDED_HOST).or(host.clone()));
    tell(header::HOST, host);
    if let Some(ThisPeer(peer)) = request.extensions.get::<ThisPeer>() {
        let address = peer.address.to_string();
        tell(FORWARDED_FOR, HeaderValue::try_from(address).ok());
        let id = peer.request_id.as_deref();
        tell(REQUEST_ID, id.and_then(|id| HeaderValue::try_from(id).ok()));
    }
    told
}

/// Takes away what a client says of who it is and from where, and what is a key to this server: our cookie, and the
/// access token by which `caller` is known. Any other `Authorization` is the app's own. Of a trusted proxy,
/// `X-Forwarded-Port` goes on beside what [`headers`] believes. Nothing else by such a name does: a proxy that does not know
/// it lets visitors say it, and by `X-Forwarded-User` they would be whoever they like, by `X-Forwarded-Prefix` have an app
/// link to elsewhere. No proxy takes off a prefix, since we are at the root of our origin.
pub(super) fn forget_claims(app: &App, request: &mut Parts, caller: Option<&Caller>) {
    let is_by_proxy = peer::is_trusted_proxy(app, &request.extensions);
    let headers = &mut request.headers;
    strip_identity(headers);
    if caller.is_some_and(|caller| caller.credential == Credential::Bearer) {
        headers.remove(header::AUTHORIZATION);
    }
    let claims: Vec<HeaderName> = headers
        .keys()
        .filter(|name| {
            let is_known_of_proxy = is_by_proxy && **name == FORWARDED_PORT;
            let is_forwarded = name.as_str().starts_with("x-forwarded-");
            CLAIMS.contains(name) || (is_forwarded && !is_known_of_proxy)
        })
        .cloned()
        .collect();
    for name in claims {
        headers.remove(name);
    }
    let cookies = headers.get_all(header::COOKIE).iter();
    let kept: Vec<_> = cookies.filter_map(cookie::without_ours).collect();
    headers.remove(header::COOKIE);
    for line in kept {
        headers.append(header::COOKIE, line);
    }
}
