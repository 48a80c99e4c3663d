//! Writes the HTTP answers of the site: a file with its validators, part of one, or why there is none. Which file, and
//! whether the caller may have it, was decided before.

use std::io;
use std::ops::Range;

use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::response::Response;

use super::conditions::{Outcome, Validators, evaluate};
use super::description::Description;
use super::files::Opened;
use super::path::SitePath;
use super::rules::Access;
use crate::serve::RETRY_AFTER;

/// More fields than an answer with a file has, those of the layers included, so that they are not moved to make room.
const FIELDS: usize = 12;

/// 200, 206, 304, 412 or 416 with the opened file, as the request's conditions will have it.
pub(super) async fn file(
    opened: Opened,
    access: &Access,
    method: &Method,
    headers: &HeaderMap,
) -> io::Result<Response> {
    let Description {
        etag,
        last_modified,
        ..
    } = &opened.description;
    let length = opened.length();
    let outcome = evaluate(
        method,
        headers,
        &Validators {
            etag: etag.to_str().unwrap_or_default(),
            modified: opened.modified(),
            length,
        },
    );

    let mut answer = Response::new(Body::empty());
    answer.headers_mut().reserve(FIELDS);
    put_fixed(&mut answer, header::CACHE_CONTROL, cache_control(access));
    put_fixed(&mut answer, header::VARY, "Accept-Encoding");
    answer.headers_mut().insert(header::ETAG, etag.clone());
    if let Some(modified) = last_modified {
        let modified = modified.clone();
        answer.headers_mut().insert(header::LAST_MODIFIED, modified);
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
            filled(answer, opened, method, 0..length).await
        }
        Outcome::Part(range) => {
            let content_range = format!("bytes {}-{}/{length}", range.start, range.end - 1);
            put(&mut answer, header::CONTENT_RANGE, content_range);
            let answer = with_status(answer, StatusCode::PARTIAL_CONTENT);
            filled(answer, opened, method, range).await
        }
    }
}

/// 404 with the site's own page. It has no validators: what was asked for is absent, whatever page says so.
pub(super) async fn not_found_page(
    opened: Opened,
    access: &Access,
    method: &Method,
) -> io::Result<Response> {
    let mut answer = with_status(Response::new(Body::empty()), StatusCode::NOT_FOUND);
    put_fixed(&mut answer, header::CACHE_CONTROL, cache_control(access));
    put_fixed(&mut answer, header::VARY, "Accept-Encoding");
    let range = 0..opened.length();
    filled(answer, opened, method, range).await
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
    method: &Method,
    range: Range<u64>,
) -> io::Result<Response> {
    let content_type = opened.description.content_type.clone();
    let length = HeaderValue::from(range.end - range.start);
    answer
        .headers_mut()
        .insert(header::CONTENT_TYPE, content_type);
    answer.headers_mut().insert(header::CONTENT_LENGTH, length);
    if let Some(encoding) = opened.encoding {
        put_fixed(&mut answer, header::CONTENT_ENCODING, encoding.token());
    }
    if method != Method::HEAD {
        *answer.body_mut() = opened.body(range).await?;
    }
    Ok(answer)
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
