//! What address the server takes for that of whoever asks: how an admin finds out whether a proxy is trusted as it
//! should be. How the address is found is decided in `http/peer.rs`.

use std::net::IpAddr;

use axum::{Extension, Json, http::HeaderMap};
use serde::Serialize;

use crate::http::{
    caller::SignedInAdmin,
    peer::{Seen, forwarding_headers},
};

/// How the client of this request was seen.
#[derive(Serialize)]
pub(in crate::http) struct ClientView {
    /// The address that counts as the client's, for limits and in the audit log.
    address: IpAddr,
    /// Where the connection comes from.
    connection: IpAddr,
    /// Whether that is one of `trusted_proxies`.
    trusted: bool,
    /// The headers with a client's address that came along.
    headers: Vec<&'static str>,
    /// Whether they were ignored, as they came from somebody who is not trusted.
    ignored: bool,
}

/// `GET /api/admin/client`: the address that the server takes for the caller's, and why.
pub(in crate::http) async fn get_client(
    _: SignedInAdmin,
    Extension(seen): Extension<Seen>,
    headers: HeaderMap,
) -> Json<ClientView> {
    let headers: Vec<_> = forwarding_headers(&headers).collect();
    Json(ClientView {
        address: seen.address,
        connection: seen.connection,
        trusted: seen.is_trusted,
        ignored: !seen.is_trusted && !headers.is_empty(),
        headers,
    })
}
