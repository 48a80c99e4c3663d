//! What the layers cost around nothing: routes that answer fixed bytes, as large and with the same headers as the answers
//! they stand for. They are here for measuring alone, by the cargo feature `ceiling`; no released program has them.

use axum::{
    Router,
    http::{HeaderName, HeaderValue, header},
    response::{IntoResponse, Response},
    routing::get,
};

use crate::site::identity::IDENTITY_HEADERS;

/// A user as `/api/auth/me` shows one who has an address of this length and nothing else.
const USER: &str = concat!(
    r#"{"id":"01890a5d-ac96-774b-bcce-b302099a8057","email":"user-000001@example.org","username":null,"name":null,"#,
    r#""roles":[],"email_verified":false,"created_at":"2026-11-21T12:00:00.000000Z","#,
    r#""updated_at":"2026-11-21T12:00:00.000000Z"}"#,
);
/// The bytes of the file that stands for a page behind the gate.
const FILE: &[u8] = &[b'x'; 10_000];

/// `GET /api/ceiling/me`: the body of `/api/auth/me`, whoever asks.
pub(super) async fn me() -> Response {
    let form = HeaderValue::from_static("application/json");
    ([(header::CONTENT_TYPE, form)], USER).into_response()
}

/// `GET /api/ceiling/forward`: the answer of `/api/auth/forward` to a visitor who may, whoever asks.
pub(super) async fn forward() -> Response {
    let [id, email, name, groups] = IDENTITY_HEADERS;
    let values = [
        (id, "01890a5d-ac96-774b-bcce-b302099a8057"),
        (email, ""),
        (name, ""),
        (groups, ""),
    ];
    values.into_response()
}

/// What stands for the files of a site, to be where they are: nobody reserves their names for it.
pub(super) fn files<S: Clone + Send + Sync + 'static>() -> Router<S> {
    Router::new().route("/ceiling.txt", get(file))
}

/// `GET /ceiling.txt`: what the gate answers for a protected file of 10 kB, whoever asks.
async fn file() -> Response {
    let fields = [
        (header::CONTENT_TYPE, "text/plain; charset=utf-8"),
        (header::CACHE_CONTROL, "private, no-cache"),
        (header::VARY, "Accept-Encoding"),
        (header::ETAG, "\"0123456789abcdef0123456789abcdef\""),
        (header::LAST_MODIFIED, "Sat, 21 Nov 2026 12:00:00 GMT"),
        (header::ACCEPT_RANGES, "bytes"),
    ];
    let fields: [(HeaderName, HeaderValue); 6] =
        fields.map(|(name, value)| (name, HeaderValue::from_static(value)));
    (fields, FILE).into_response()
}
