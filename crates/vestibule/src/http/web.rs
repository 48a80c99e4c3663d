//! The built-in pages: one document, its script and its style, from inside the binary.

use axum::{
    body::Body,
    extract::State,
    http::{HeaderMap, HeaderValue, StatusCode, Uri, header},
    response::{IntoResponse as _, Response},
};
use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use rust_embed::{EmbeddedFile, RustEmbed};

use super::{error, headers};
use crate::{app::App, site::conditions::is_held};

/// Where the page is told what the operator calls the site, and where a login leads.
const NAME: &str = "{{name}}";
const AREAS: &str = "{{areas}}";

#[derive(RustEmbed)]
#[folder = "../../web/dist"]
struct Dist;

/// `GET /login`, `/register`, `/setup`, `/dashboard`, `/account` and the pages below `/admin`: the one page, which shows
/// what its path says. It holds nothing of anybody's, so that it is the same for whoever asks.
pub(super) async fn page(State(app): State<App>, uri: Uri) -> Response {
    if !app.config().ui.enabled {
        tracing::debug!(path = uri.path(), "The built-in pages are off");
        return error::not_found();
    }
    let Some(document) = Dist::get("index.html") else {
        return error::not_found();
    };
    let document = String::from_utf8_lossy(&document.data);
    let areas = app
        .site()
        .map(|site| site.areas().join(" "))
        .unwrap_or_default();
    // Part by part, so that nothing inside what is filled in is taken for a place to fill.
    let parts = document
        .split(NAME)
        .map(|part| part.replace(AREAS, &escaped(&areas)));
    let document = parts
        .collect::<Vec<_>>()
        .join(&escaped(&app.config().ui.name));
    let html = HeaderValue::from_static("text/html; charset=utf-8");
    let mut answer = ([(header::CONTENT_TYPE, html)], document).into_response();
    headers::of_page(&mut answer);
    answer
}

/// `GET /api/ui/…`: a file of the page. Its name stays when its content changes, so a browser
/// asks each time whether it still holds the newest.
pub(super) async fn asset(State(app): State<App>, uri: Uri, asked: HeaderMap) -> Response {
    // Read as it was sent: no name needs to be encoded, so no other spelling is one.
    let name = uri
        .path()
        .strip_prefix("/api/ui/")
        .filter(|name| app.config().ui.enabled && *name != "index.html");
    match name.and_then(|name| Some((name, Dist::get(name)?))) {
        Some((name, file)) => file_answer(name, file, &asked),
        None => error::not_found(),
    }
}

fn file_answer(path: &str, file: EmbeddedFile, asked: &HeaderMap) -> Response {
    let hash = BASE64_URL_SAFE_NO_PAD.encode(&file.metadata.sha256_hash()[..16]);
    // Weak, since the same file may go out compressed.
    let tag = format!("W/\"{hash}\"");
    let known = is_held(asked, &tag) == Some(true);
    let etag = HeaderValue::try_from(tag).expect("base64url is a header value");
    let common = [
        (header::ETAG, etag),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-cache")),
    ];
    if known {
        return (StatusCode::NOT_MODIFIED, common).into_response();
    }
    let kind = mime_guess::from_path(path).first_or_octet_stream();
    let kind = match kind.type_() == "text" {
        true => format!("{kind}; charset=utf-8"),
        false => kind.to_string(),
    };
    (
        common,
        [(header::CONTENT_TYPE, kind)],
        Body::from(file.data),
    )
        .into_response()
}

/// Text in HTML, also inside an attribute.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_has_a_place_for_all_that_it_is_told() {
        let document = Dist::get("index.html").expect("the page is built");
        let document = String::from_utf8_lossy(&document.data);
        for place in [NAME, AREAS] {
            assert!(document.contains(place), "{place}");
        }
    }

    #[test]
    fn a_name_stays_text() {
        assert_eq!(
            escaped(r#"A & "B" <script>"#),
            "A &amp; &quot;B&quot; &lt;script&gt;"
        );
    }
}
