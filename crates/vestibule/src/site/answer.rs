//! Writes the HTTP answers of the site: a file with its validators, part of one, or why there is none. Which file, and
//! whether the caller may have it, was decided before.

use std::borrow::Cow;
use std::io;
use std::ops::Range;
use std::time::{Duration, SystemTime};

use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::response::Response;
use httpdate::fmt_http_date;

use super::conditions::{Outcome, Validators, evaluate};
use super::files::Opened;
use super::path::SitePath;
use super::rules::Access;
use crate::serve::RETRY_AFTER;

/// The last second that an HTTP date can show: the end of the year 9999, in seconds since 1970.
const LAST_HTTP_DATE: Duration = Duration::from_secs(253_402_300_799);

/// More fields than an answer with a file has, those of the layers included, so that they are not moved to make room.
const FIELDS: usize = 12;

/// 200, 206, 304, 412 or 416 with the opened file, as the request's conditions will have it.
pub(super) async fn file(
    opened: Opened,
    page: &SitePath,
    access: &Access,
    method: &Method,
    headers: &HeaderMap,
) -> io::Result<Response> {
    let etag = opened.etag();
    let modified = opened
        .modified()
        .filter(|time| *time <= SystemTime::UNIX_EPOCH + LAST_HTTP_DATE);
    let length = opened.length();
    let outcome = evaluate(
        method,
        headers,
        &Validators {
            etag: &etag,
            modified,
            length,
        },
    );

    let mut answer = Response::new(Body::empty());
    answer.headers_mut().reserve(FIELDS);
    put_fixed(&mut answer, header::CACHE_CONTROL, cache_control(access));
    put_fixed(&mut answer, header::VARY, "Accept-Encoding");
    put(&mut answer, header::ETAG, etag);
    if let Some(modified) = modified {
        put(&mut answer, header::LAST_MODIFIED, fmt_http_date(modified));
    }
    match outcome {
        Outcome::NotModified => Ok(with_status(answer, StatusCode::NOT_MODIFIED)),
        Outcome::PreconditionFailed => Ok(with_status(answer, StatusCode::PRECONDITION_FAILED)),
        Outcome::Unsatisfiable => {
            put(
                &mut answer,
                header::CONTENT_RANGE,
                format!("bytes */{length}"),
            );
            Ok(with_status(answer, StatusCode::RANGE_NOT_SATISFIABLE))
        }
        Outcome::Whole => {
            put_fixed(&mut answer, header::ACCEPT_RANGES, "bytes");
            filled(answer, opened, page, method, 0..length).await
        }
        Outcome::Part(range) => {
            let content_range = format!("bytes {}-{}/{length}", range.start, range.end - 1);
            put(&mut answer, header::CONTENT_RANGE, content_range);
            filled(
                with_status(answer, StatusCode::PARTIAL_CONTENT),
                opened,
                page,
                method,
                range,
            )
            .await
        }
    }
}

/// 404 with the site's own page. It has no validators: what was asked for is absent, whatever page says so.
pub(super) async fn not_found_page(
    opened: Opened,
    page: &SitePath,
    access: &Access,
    method: &Method,
) -> io::Result<Response> {
    let mut answer = with_status(Response::new(Body::empty()), StatusCode::NOT_FOUND);
    put_fixed(&mut answer, header::CACHE_CONTROL, cache_control(access));
    put_fixed(&mut answer, header::VARY, "Accept-Encoding");
    let range = 0..opened.length();
    filled(answer, opened, page, method, range).await
}

/// An answer without a page of the site: one line of text.
pub(super) fn text(
    status: StatusCode,
    line: &'static str,
    access: &Access,
    method: &Method,
) -> Response {
    let body = if method == Method::HEAD {
        Body::empty()
    } else {
        Body::from(line)
    };
    let mut answer = Response::new(body);
    put_fixed(
        &mut answer,
        header::CONTENT_TYPE,
        "text/plain; charset=utf-8",
    );
    answer
        .headers_mut()
        .insert(header::CONTENT_LENGTH, HeaderValue::from(line.len()));
    put_fixed(&mut answer, header::CACHE_CONTROL, cache_control(access));
    with_status(answer, status)
}

/// 405: a file can be read, nothing else.
pub(super) fn method_not_allowed(access: &Access, method: &Method) -> Response {
    let mut answer = text(
        StatusCode::METHOD_NOT_ALLOWED,
        "This address can only be read.\n",
        access,
        method,
    );
    put_fixed(&mut answer, header::ALLOW, "GET, HEAD");
    answer
}

/// 503 while the machine cannot read its disk.
pub(super) fn unavailable(access: &Access, method: &Method) -> Response {
    let line = "The file cannot be read at the moment. Please try again.\n";
    let mut answer = text(StatusCode::SERVICE_UNAVAILABLE, line, access, method);
    put_fixed(&mut answer, header::CACHE_CONTROL, "no-store");
    put_fixed(&mut answer, header::RETRY_AFTER, RETRY_AFTER);
    answer
}

/// 308 from a folder's name to the folder, keeping the query. The target is a normalised path of this site: it begins
/// with one slash and a name, so it never leads to another host.
pub(super) fn to_folder(
    folder: &SitePath,
    query: Option<&str>,
    access: &Access,
    method: &Method,
) -> Response {
    let mut location = folder.encoded();
    if let Some(query) = query {
        location.push('?');
        location.push_str(query);
    }
    let line = "The folder's address ends in a slash.\n";
    let mut answer = text(StatusCode::PERMANENT_REDIRECT, line, access, method);
    put(&mut answer, header::LOCATION, location);
    answer
}

/// Public files are asked after each time too (a 304 costs little): a new version shows at once, and a page that
/// becomes protected is not handed out by caches.
fn cache_control(access: &Access) -> &'static str {
    match access {
        Access::Public => "no-cache",
        Access::SignedIn | Access::Roles(_) => "private, no-cache",
    }
}

/// Describes the content and, unless only the fields were asked for, begins to send it.
async fn filled(
    mut answer: Response,
    opened: Opened,
    page: &SitePath,
    method: &Method,
    range: Range<u64>,
) -> io::Result<Response> {
    match content_type(page.name()) {
        Cow::Borrowed(fixed) => put_fixed(&mut answer, header::CONTENT_TYPE, fixed),
        Cow::Owned(made) => put(&mut answer, header::CONTENT_TYPE, made),
    }
    let length = HeaderValue::from(range.end - range.start);
    answer.headers_mut().insert(header::CONTENT_LENGTH, length);
    if let Some(encoding) = opened.encoding {
        put_fixed(&mut answer, header::CONTENT_ENCODING, encoding.token());
    }
    if method != Method::HEAD {
        *answer.body_mut() = opened.body(range).await?;
    }
    Ok(answer)
}

/// The type that the name's ending stands for. Text is UTF-8, but XML says its encoding itself and would be overruled
/// (RFC 7303, section 3).
fn content_type(name: &str) -> Cow<'static, str> {
    let guess = mime_guess::from_path(name).first_raw();
    match guess.unwrap_or("application/octet-stream") {
        // RFC 9239 made the older name obsolete.
        "application/javascript" | "text/javascript" => "text/javascript; charset=utf-8".into(),
        "text/xml" => "text/xml".into(),
        // Those that are asked for most are not put together each time.
        "text/html" => "text/html; charset=utf-8".into(),
        "text/css" => "text/css; charset=utf-8".into(),
        "text/plain" => "text/plain; charset=utf-8".into(),
        text if text.starts_with("text/") => format!("{text}; charset=utf-8").into(),
        other => other.into(),
    }
}

fn with_status(mut answer: Response, status: StatusCode) -> Response {
    *answer.status_mut() = status;
    answer
}

/// Sets a field; a value that no field may hold is left out.
fn put(answer: &mut Response, name: header::HeaderName, value: String) {
    if let Ok(value) = HeaderValue::from_maybe_shared(Bytes::from(value)) {
        answer.headers_mut().insert(name, value);
    }
}

/// Sets a field to a value that is known to be one: nothing is copied or judged.
fn put_fixed(answer: &mut Response, name: header::HeaderName, value: &'static str) {
    let value = HeaderValue::from_static(value);
    answer.headers_mut().insert(name, value);
}

#[cfg(test)]
mod tests {
    use super::content_type;

    #[test]
    fn types_follow_the_ending_and_text_is_utf_8() {
        for (name, expected) in [
            ("index.html", "text/html; charset=utf-8"),
            ("STYLE.CSS", "text/css; charset=utf-8"),
            ("app.js", "text/javascript; charset=utf-8"),
            ("app.mjs", "text/javascript; charset=utf-8"),
            ("notes.txt", "text/plain; charset=utf-8"),
            ("feed.xml", "text/xml"),
            ("data.json", "application/json"),
            ("app.webmanifest", "application/manifest+json"),
            ("logo.svg", "image/svg+xml"),
            ("photo.avif", "image/avif"),
            ("font.woff2", "font/woff2"),
            ("code.wasm", "application/wasm"),
            ("book.pdf", "application/pdf"),
            ("page.html.gz", "application/gzip"),
            ("LICENSE", "application/octet-stream"),
            ("what.unheard-of", "application/octet-stream"),
        ] {
            assert_eq!(content_type(name), expected, "{name}");
        }
    }
}
