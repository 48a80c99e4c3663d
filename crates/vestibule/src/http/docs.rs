//! `/api/docs`: the description of the API as a page, which is Swagger UI from inside the binary. What it shows is left
//! to `openapi.rs`.

use std::{
    hash::{DefaultHasher, Hasher as _},
    io::Read as _,
    sync::LazyLock,
};

use axum::{
    body::Bytes,
    http::{HeaderMap, HeaderValue, StatusCode, Uri, header},
    response::{IntoResponse as _, Response},
};
use flate2::read::GzDecoder;

use super::{error, headers};
use crate::site::{
    conditions::is_held,
    encoding::{Encoding, accepted},
};

const STYLES: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/swagger-ui.css.gz"));
const PROGRAM: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/swagger-ui-bundle.js.gz"));

/// What the page consists of, beside its document.
static FILES: [(&str, &str, Content); 4] = [
    (
        "page.css",
        "text/css; charset=utf-8",
        Content::Plain(include_bytes!("docs/page.css")),
    ),
    (
        "page.js",
        "text/javascript; charset=utf-8",
        Content::Plain(include_bytes!("docs/page.js")),
    ),
    (
        "swagger-ui.css",
        "text/css; charset=utf-8",
        Content::Packed(STYLES, LazyLock::new(|| unpacked(STYLES))),
    ),
    (
        "swagger-ui-bundle.js",
        "text/javascript; charset=utf-8",
        Content::Packed(PROGRAM, LazyLock::new(|| unpacked(PROGRAM))),
    ),
];
/// One for all files, which change with the program. Weak, since the same file goes out packed and unpacked.
static TAG: LazyLock<String> = LazyLock::new(|| {
    let mut hasher = DefaultHasher::new();
    for (_, _, Content::Plain(bytes) | Content::Packed(bytes, _)) in &FILES {
        hasher.write(bytes);
    }
    format!("W/\"{:016x}\"", hasher.finish())
});

/// The bytes of a file as the binary holds them.
enum Content {
    Plain(&'static [u8]),
    /// With gzip; and unpacked once for all who ask for it so, since slow clients hold it in memory for as long as they
    /// take.
    Packed(&'static [u8], LazyLock<Bytes>),
}

/// `GET /api/docs`: the page.
pub(super) async fn page() -> Response {
    let html = HeaderValue::from_static("text/html; charset=utf-8");
    let document = include_str!("docs/page.html");
    let mut answer = ([(header::CONTENT_TYPE, html)], document).into_response();
    headers::of_page(&mut answer);
    answer
}

/// `GET /api/docs/…`: a file of the page. Its name stays when its content changes, so a browser asks each time
/// whether it still holds the newest.
pub(super) async fn asset(uri: Uri, asked: HeaderMap) -> Response {
    // Read as it was sent: no name needs to be encoded, so no other spelling is one.
    let name = uri.path().strip_prefix("/api/docs/");
    let file = FILES.iter().find(|(known, ..)| Some(*known) == name);
    let Some((_, media_type, content)) = file else {
        return error::not_found();
    };
    let common = [
        (header::ETAG, TAG.as_str()),
        (header::CACHE_CONTROL, "no-cache"),
        (header::VARY, "Accept-Encoding"),
    ];
    if is_held(&asked, &TAG) == Some(true) {
        return (StatusCode::NOT_MODIFIED, common).into_response();
    }
    let kind = [(header::CONTENT_TYPE, *media_type)];
    match content {
        Content::Plain(bytes) => (common, kind, *bytes).into_response(),
        Content::Packed(bytes, _) if accepted(&asked).contains(&Encoding::Gzip) => {
            let packed = [(header::CONTENT_ENCODING, Encoding::Gzip.token())];
            (common, kind, packed, *bytes).into_response()
        }
        Content::Packed(_, whole) => (common, kind, Bytes::clone(whole)).into_response(),
    }
}

/// For the few clients that read no gzip.
fn unpacked(bytes: &[u8]) -> Bytes {
    let mut whole = Vec::new();
    GzDecoder::new(bytes)
        .read_to_end(&mut whole)
        .expect("the build has packed it");
    whole.into()
}
