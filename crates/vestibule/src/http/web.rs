//! The built-in pages: one document, its script and its style, from inside the binary.

use std::borrow::Cow;

use axum::{
    body::Body,
    extract::State,
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, Uri, header},
    response::{IntoResponse as _, Response},
};
use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use rust_embed::{EmbeddedFile, RustEmbed};

use super::{error, headers, language};
use crate::{
    app::App,
    config::{BrandFile, Locale, Ui},
    site::conditions::is_held,
};

/// Where the page is told its language, what the operator calls the site, which picture stands for it, and where a
/// login leads.
const LOCALE: &str = "locale";
const NAME: &str = "name";
const LOGO: &str = "logo";
const ICON: &str = "icon";
const AREAS: &str = "areas";

/// Where the files of the operator are found, below the address of the page's own.
const LOGO_FILE: &str = "logo";
const STYLE_FILE: &str = "brand.css";
/// Behind the page's own style sheet, so that of two equal rules the operator's holds.
const STYLE_LINK: &str = "<link rel=\"stylesheet\" href=\"/api/ui/brand.css\"></head>";

/// A drawing that is opened by itself runs nothing and fetches nothing.
const DRAWING_POLICY: (HeaderName, HeaderValue) = (
    header::CONTENT_SECURITY_POLICY,
    HeaderValue::from_static("default-src 'none'; style-src 'unsafe-inline'; sandbox"),
);

#[derive(RustEmbed)]
#[folder = "../../web/dist"]
struct Dist;

/// `GET /login`, `/register`, `/setup`, `/dashboard`, `/account` and the pages below `/admin`: the one page, which shows
/// what its path says. It holds nothing of any user's, so that nobody is kept from it.
pub(super) async fn page(State(app): State<App>, uri: Uri, asked: HeaderMap) -> Response {
    let ui = &app.config().ui;
    if !ui.enabled {
        tracing::debug!(url.path = uri.path(), "The built-in pages are off");
        return error::not_found();
    }
    let Some(document) = Dist::get("index.html") else {
        return error::not_found();
    };
    let areas = app.site().map(|site| site.areas().join(" "));
    let locale = ui.locale.unwrap_or_else(|| language::wished_for(&asked));
    let document = String::from_utf8_lossy(&document.data);
    let document = document_of(&document, ui, locale, &areas.unwrap_or_default());
    let html = HeaderValue::from_static("text/html; charset=utf-8");
    let mut answer = ([(header::CONTENT_TYPE, html)], document).into_response();
    if ui.locale.is_none() {
        let vary = HeaderValue::from_static("accept-language");
        answer.headers_mut().append(header::VARY, vary);
    }
    headers::of_page(&mut answer);
    answer
}

/// `GET /api/ui/…`: a file of the page, or of the operator's for it. Its name stays when its content changes, so a
/// browser asks each time whether it still holds the newest.
pub(super) async fn asset(State(app): State<App>, uri: Uri, asked: HeaderMap) -> Response {
    let ui = &app.config().ui;
    // Read as it was sent: no name needs to be encoded, so no other spelling is one.
    let name = uri
        .path()
        .strip_prefix("/api/ui/")
        .filter(|name| ui.enabled && *name != "index.html");
    let found = match name {
        None => None,
        Some(LOGO_FILE) => ui.logo.as_ref().map(|logo| {
            let answer = brand_answer(logo, &asked);
            ([DRAWING_POLICY], answer).into_response()
        }),
        Some(STYLE_FILE) => ui.css.as_ref().map(|css| brand_answer(css, &asked)),
        Some(name) => Dist::get(name).map(|file| built_answer(name, file, &asked)),
    };
    found.unwrap_or_else(error::not_found)
}

/// The document with all that it is told filled in.
fn document_of(document: &str, ui: &Ui, locale: Locale, areas: &str) -> String {
    let (logo, icon) = match &ui.logo {
        Some(_) => ("/api/ui/logo", "/api/ui/logo"),
        None => ("", "/api/ui/favicon.svg"),
    };
    let document = match ui.css {
        Some(_) => Cow::Owned(document.replacen("</head>", STYLE_LINK, 1)),
        None => Cow::Borrowed(document),
    };
    filled_in(&document, |place| match place {
        LOCALE => Some(locale.tag()),
        NAME => Some(&ui.name),
        LOGO => Some(logo),
        ICON => Some(icon),
        AREAS => Some(areas),
        _ => None,
    })
}

/// Puts a text into each `{{place}}` that has one. From front to back, so that nothing inside what is filled in is
/// taken for a place to fill.
fn filled_in<'t>(document: &str, text_for: impl Fn(&str) -> Option<&'t str>) -> String {
    let mut parts = document.split("{{");
    let mut filled = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let place = part.split_once("}}");
        match place.and_then(|(place, rest)| Some((text_for(place)?, rest))) {
            Some((text, rest)) => filled.extend([&escaped(text), rest]),
            None => filled.extend(["{{", part]),
        }
    }
    filled
}

fn built_answer(name: &str, file: EmbeddedFile, asked: &HeaderMap) -> Response {
    let hash = BASE64_URL_SAFE_NO_PAD.encode(&file.metadata.sha256_hash()[..16]);
    let kind = mime_guess::from_path(name).first_or_octet_stream();
    let kind = match kind.type_() == "text" {
        true => format!("{kind}; charset=utf-8"),
        false => kind.to_string(),
    };
    file_answer(&kind, &hash, file.data.into(), asked)
}

fn brand_answer(file: &BrandFile, asked: &HeaderMap) -> Response {
    let hash = format!("{:016x}", file.version);
    file_answer(file.media_type, &hash, file.bytes.clone().into(), asked)
}

fn file_answer(kind: &str, hash: &str, content: Body, asked: &HeaderMap) -> Response {
    // Weak, since the same file may go out compressed.
    let tag = format!("W/\"{hash}\"");
    let known = is_held(asked, &tag) == Some(true);
    let etag = HeaderValue::try_from(tag).expect("digits and base64url are a header value");
    let common = [
        (header::ETAG, etag),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-cache")),
    ];
    if known {
        return (StatusCode::NOT_MODIFIED, common).into_response();
    }
    let kind = [(header::CONTENT_TYPE, kind)];
    (common, kind, content).into_response()
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
        for place in [LOCALE, NAME, LOGO, ICON, AREAS] {
            assert!(document.contains(&format!("{{{{{place}}}}}")), "{place}");
        }
        assert!(document.contains("</head>"), "for the style sheet");
    }

    #[test]
    fn what_is_filled_in_stays_text_and_is_no_place_itself() {
        let texts = |place: &str| match place {
            "name" => Some(r#"A & "B" <script> {{areas}}"#),
            "areas" => Some("/members/"),
            _ => None,
        };
        let filled = filled_in("{{name}}, {{areas}}, {{other}}, {{", texts);
        let expected = "A &amp; &quot;B&quot; &lt;script&gt; {{areas}}, /members/, {{other}}, {{";
        assert_eq!(filled, expected);
    }
}
