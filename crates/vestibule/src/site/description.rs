//! What an answer says of a file beside its bytes: which version it is, of when, and of which type. For a file that is
//! remembered it is made once.

use std::time::{Duration, SystemTime};

use axum::http::HeaderValue;
use httpdate::fmt_http_date;

use super::encoding::Encoding;
use super::files::State;
use super::path::SitePath;

/// The last second that an HTTP date can show: the end of the year 9999, in seconds since 1970.
const LAST_HTTP_DATE: Duration = Duration::from_secs(253_402_300_799);

/// The values of three fields.
#[derive(Clone, Debug)]
pub(super) struct Description {
    /// `ETag`, a strong validator.
    pub(super) etag: HeaderValue,
    /// `Last-Modified`, where HTTP can say it.
    pub(super) last_modified: Option<HeaderValue>,
    /// `Content-Type`.
    pub(super) content_type: HeaderValue,
}

impl Description {
    /// That of the file of this page, or of a compressed copy of it, in this state.
    pub(super) fn of(page: &SitePath, state: &State, encoding: Option<Encoding>) -> Self {
        let modified = shown(state.modified).map(fmt_http_date);
        Self {
            etag: value(etag(state, encoding)),
            last_modified: modified.map(value),
            content_type: content_type(page.name()),
        }
    }
}

/// A time as far as an HTTP date can show it.
pub(super) fn shown(time: Option<SystemTime>) -> Option<SystemTime> {
    let shown = SystemTime::UNIX_EPOCH..=SystemTime::UNIX_EPOCH + LAST_HTTP_DATE;
    time.filter(|time| shown.contains(time))
}

/// A strong validator (RFC 9110, section 8.8.1). It is made of what the file system changes with every write, not
/// of the content: a hash would read a whole film before its first byte could leave. Neither the inode nor a time
/// can be read back from it.
fn etag(state: &State, encoding: Option<Encoding>) -> String {
    let State {
        version, length, ..
    } = state;
    match encoding {
        None => format!("\"{version:016x}-{length:x}\""),
        Some(encoding) => {
            let suffix = encoding.suffix().replace('.', "-");
            format!("\"{version:016x}-{length:x}{suffix}\"")
        }
    }
}

/// The type that the name's ending stands for. Text is UTF-8, but XML says its encoding itself and would be overruled
/// (RFC 7303, section 3).
fn content_type(name: &str) -> HeaderValue {
    let guess = mime_guess::from_path(name).first_raw();
    match guess.unwrap_or("application/octet-stream") {
        // RFC 9239 made the older name obsolete.
        "application/javascript" | "text/javascript" => {
            HeaderValue::from_static("text/javascript; charset=utf-8")
        }
        "text/xml" => HeaderValue::from_static("text/xml"),
        text if text.starts_with("text/") => value(format!("{text}; charset=utf-8")),
        other => HeaderValue::from_static(other),
    }
}

fn value(text: String) -> HeaderValue {
    HeaderValue::try_from(text)
        .expect("tags, dates and media types are of visible letters of ASCII")
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
