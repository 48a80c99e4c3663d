//! One request head as raw bytes: where it ends, and whether it means the same to everyone who might read it.
//! Owns the refusals of RFC 9112 that hyper leaves open or answers without a word; what a refusal looks like to the
//! client is left to `http/bounds.rs`.

use hyper::Uri;

/// More header fields than this are refused with the too large heads; it is hyper's own bound.
pub(super) const MOST_FIELDS: usize = 100;

/// Why a request is turned away before any route sees it. Each one ends its connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// The head is longer than it may be, or has too many fields.
    TooLarge,
    /// The head began but did not end in time.
    TooSlow,
    /// CONNECT and TRACE, which this server has no use for.
    Method,
    /// The head breaks HTTP/1.1, or two readers could take it to mean two things; the sentence says how.
    Malformed(&'static str),
}

/// How the end of a request's body is found (RFC 9112, section 6.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Framing {
    /// So many bytes follow the head.
    Length(u64),
    /// Chunks follow until one of size zero.
    Chunked,
}

/// Looks for the empty line that ends a head and returns the head's length with that line, or `None` if more bytes must
/// be read. `scanned` remembers how far earlier calls came, so a head that trickles in is still looked at once.
///
/// A line ends in CR LF and nothing else. RFC 9112 (section 2.2) lets a server take a bare LF for a line's end; two
/// servers in a row that differ in this see two different requests, so it is refused, as any other control character
/// is. That also ends a TLS handshake on the plain port at its first byte.
pub(crate) fn end(
    received: &[u8],
    scanned: &mut usize,
    most_bytes: usize,
) -> Result<Option<usize>, Refusal> {
    let within = &received[..received.len().min(most_bytes)];
    while let Some(&byte) = within.get(*scanned) {
        let before = &within[..*scanned];
        if before.ends_with(b"\r") != (byte == b'\n') {
            return Err(Refusal::Malformed(
                "A line of the request head does not end in CR LF.",
            ));
        }
        let rest = &within[*scanned..];
        match text(rest) {
            0 if matches!(byte, b'\r' | b'\n') => *scanned += 1,
            0 => {
                return Err(Refusal::Malformed(
                    "The request head holds a control character.",
                ));
            }
            length => *scanned += length,
        }
        if before.ends_with(b"\r\n\r") {
            return Ok(Some(*scanned));
        }
    }
    if received.len() > most_bytes {
        return Err(Refusal::TooLarge);
    }
    Ok(None)
}

/// How many bytes there are before the first control character that is no tab. Most of a head is such text, so it is looked at
/// in pieces, of which the compiler has the processor compare all bytes at once.
fn text(bytes: &[u8]) -> usize {
    const PIECE: usize = 16;
    let is_text = |byte: &u8| !byte.is_ascii_control() || *byte == b'\t';
    let is_all_text = |piece: &&[u8]| piece.iter().fold(true, |all, byte| all & is_text(byte));
    let whole = bytes.chunks_exact(PIECE).take_while(is_all_text).count() * PIECE;
    whole
        + bytes[whole..]
            .iter()
            .take_while(|byte| is_text(byte))
            .count()
}

/// Judges a whole head and says how its body ends. What passes here hyper parses too, and reads in the same way.
pub(crate) fn judge(head: &[u8]) -> Result<Framing, Refusal> {
    let mut fields = [httparse::EMPTY_HEADER; MOST_FIELDS];
    let mut request = httparse::Request::new(&mut fields);
    match request.parse(head) {
        Ok(httparse::Status::Complete(length)) if length == head.len() => {}
        Err(httparse::Error::TooManyHeaders) => return Err(Refusal::TooLarge),
        Err(httparse::Error::Version) => {
            return Err(Refusal::Malformed(
                "Only HTTP/1.1 and HTTP/1.0 are spoken here.",
            ));
        }
        _ => return Err(Refusal::Malformed("The request head is not valid HTTP.")),
    }
    let method = request.method.unwrap_or_default();
    if matches!(method, "CONNECT" | "TRACE") {
        return Err(Refusal::Method);
    }
    let version_1_1 = request.version == Some(1);
    let host = judge_host(request.headers, version_1_1)?;
    judge_target(method, request.path.unwrap_or_default(), host)?;
    judge_framing(request.headers, version_1_1)
}

/// Exactly one Host in HTTP/1.1 (RFC 9112, section 3.2), at most one in HTTP/1.0, and only what a host and port may hold.
fn judge_host<'a>(
    fields: &[httparse::Header<'a>],
    version_1_1: bool,
) -> Result<Option<&'a [u8]>, Refusal> {
    let Some(host) = only(fields, "host", "The request names more than one host.")? else {
        return if version_1_1 {
            Err(Refusal::Malformed(
                "An HTTP/1.1 request must name its host.",
            ))
        } else {
            Ok(None)
        };
    };
    judge_host_name(host)?;
    Ok(Some(host))
}

/// Only what a host and a port may hold.
pub(super) fn judge_host_name(host: &[u8]) -> Result<(), Refusal> {
    let plain = |byte: &u8| byte.is_ascii_alphanumeric() || b".-_:[]".contains(byte);
    if host.is_empty() || !host.iter().all(plain) {
        return Err(Refusal::Malformed(
            "The host is not a name or address with an optional port.",
        ));
    }
    Ok(())
}

/// A path; `*` with OPTIONS; or the absolute form, if it names the host that the Host field names. A route never sees
/// that authority (RFC 9112, section 3.2).
fn judge_target(method: &str, target: &str, host: Option<&[u8]>) -> Result<(), Refusal> {
    let malformed = Err(Refusal::Malformed("The request target is not a path."));
    let Ok(uri) = target.parse::<Uri>() else {
        return malformed;
    };
    if target.contains('#') || (target == "*" && method != "OPTIONS") {
        return malformed;
    }
    match (uri.scheme_str(), uri.authority()) {
        (None, None) => Ok(()),
        (Some("http" | "https"), Some(authority)) => match host {
            Some(host) if host.eq_ignore_ascii_case(authority.as_str().as_bytes()) => Ok(()),
            _ => Err(Refusal::Malformed(
                "The request target and the Host field name different hosts.",
            )),
        },
        _ => malformed,
    }
}

/// One Content-Length or one `Transfer-Encoding: chunked`, never both: RFC 9112 (section 6.3) lets a server pick one, and
/// request smuggling lives on two servers that pick differently.
fn judge_framing(fields: &[httparse::Header<'_>], version_1_1: bool) -> Result<Framing, Refusal> {
    let length = only(
        fields,
        "content-length",
        "The request has more than one Content-Length.",
    )?;
    let coding = only(
        fields,
        "transfer-encoding",
        "The request has more than one Transfer-Encoding.",
    )?;
    match (length, coding) {
        (None, None) => Ok(Framing::Length(0)),
        (Some(length), None) => decimal(length)
            .map(Framing::Length)
            .ok_or(Refusal::Malformed("The Content-Length is not a number.")),
        (None, Some(coding)) if version_1_1 && coding.eq_ignore_ascii_case(b"chunked") => {
            Ok(Framing::Chunked)
        }
        (None, Some(_)) => Err(Refusal::Malformed(
            "The only Transfer-Encoding taken is chunked, in HTTP/1.1.",
        )),
        (Some(_), Some(_)) => Err(Refusal::Malformed(
            "The request has both Content-Length and Transfer-Encoding.",
        )),
    }
}

/// The value of the field of that name, which may stand once at most.
fn only<'a>(
    fields: &[httparse::Header<'a>],
    name: &str,
    twice: &'static str,
) -> Result<Option<&'a [u8]>, Refusal> {
    let mut values = fields
        .iter()
        .filter(|field| field.name.eq_ignore_ascii_case(name))
        .map(|field| field.value);
    let value = values.next();
    if values.next().is_some() {
        return Err(Refusal::Malformed(twice));
    }
    Ok(value)
}

/// Digits alone, unlike `str::parse`, which takes a sign.
fn decimal(value: &[u8]) -> Option<u64> {
    let digits = std::str::from_utf8(value).ok()?;
    digits
        .bytes()
        .all(|byte| byte.is_ascii_digit())
        .then(|| digits.parse().ok())?
}

#[cfg(test)]
mod tests {
    //! The table of heads that servers are known to read differently.

    use super::{Framing, Refusal, end, judge};

    #[test]
    fn a_head_that_trickles_in_ends_where_a_whole_one_does() {
        let head = b"GET / HTTP/1.1\r\nHost: a\r\n\r\nrest";
        let mut scanned = 0;
        for received in 0..26 {
            assert_eq!(end(&head[..received], &mut scanned, 100), Ok(None));
        }
        for received in 27..=head.len() {
            assert_eq!(end(&head[..received], &mut 0, 100), Ok(Some(27)));
            assert_eq!(
                end(&head[..received], &mut scanned.clone(), 100),
                Ok(Some(27))
            );
        }
    }

    #[test]
    fn a_head_may_be_as_long_as_the_bound_and_no_longer() {
        let head = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n";
        assert_eq!(end(head, &mut 0, head.len()), Ok(Some(head.len())));
        assert_eq!(end(head, &mut 0, head.len() - 1), Err(Refusal::TooLarge));
    }

    #[test]
    fn a_control_character_is_found_wherever_it_stands_and_however_it_arrives() {
        let with = |at: usize, byte: u8| {
            let mut value = [b'a'; 50];
            value[at] = byte;
            [b"GET / HTTP/1.1\r\nX: ", &value[..], b"\r\n\r\n"].concat()
        };
        for at in 0..50 {
            for byte in (0..=0x1f).chain([0x7f]) {
                let head = with(at, byte);
                let mut scanned = 0;
                let trickled = (1..=head.len())
                    .find_map(|received| end(&head[..received], &mut scanned, 100).transpose());
                let whole = end(&head, &mut 0, 100);
                assert_eq!(trickled, whole.transpose(), "{byte:#x} at {at}");
                assert_eq!(whole.is_ok(), byte == b'\t', "{byte:#x} at {at}");
            }
            for letter in [b' ', b'~', 0x80, 0xff] {
                assert_eq!(end(&with(at, letter), &mut 0, 100), Ok(Some(73)));
            }
        }
    }

    #[test]
    fn a_line_ends_in_both_its_characters() {
        for head in [
            "GET / HTTP/1.1\nHost: a\n\n",
            "GET / HTTP/1.1\r\nHost: a\rX: b\r\n\r\n",
            "\n",
            "GET /\0",
            "\u{16}\u{3}",
        ] {
            assert!(
                matches!(
                    end(head.as_bytes(), &mut 0, 100),
                    Err(Refusal::Malformed(_))
                ),
                "{head:?}"
            );
        }
    }

    #[test]
    fn plain_requests_pass_with_the_framing_they_name() {
        for (fields, framing) in [
            ("", Framing::Length(0)),
            ("Content-Length: 5\r\n", Framing::Length(5)),
            ("Transfer-Encoding: Chunked\r\n", Framing::Chunked),
        ] {
            let head = format!("POST /a?b HTTP/1.1\r\nHost: a.example:80\r\n{fields}\r\n");
            assert_eq!(judge(head.as_bytes()), Ok(framing), "{fields:?}");
        }
        assert_eq!(judge(b"GET / HTTP/1.0\r\n\r\n"), Ok(Framing::Length(0)));
        assert_eq!(
            judge(b"GET / HTTP/1.1\r\nHost: [::1]:8080\r\n\r\n"),
            Ok(Framing::Length(0))
        );
        assert_eq!(
            judge(b"OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n"),
            Ok(Framing::Length(0))
        );
        assert_eq!(
            judge(b"GET http://A/x HTTP/1.1\r\nHost: a\r\n\r\n"),
            Ok(Framing::Length(0))
        );
    }

    #[test]
    fn fields_that_two_readers_could_take_differently_are_refused() {
        for fields in [
            "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n",
            "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n",
            "Content-Length: 5\r\nContent-Length: 5\r\n",
            "Content-Length: 5\r\nContent-Length: 6\r\n",
            "Content-Length: 5, 5\r\n",
            "Content-Length: +5\r\n",
            "Content-Length: -1\r\n",
            "Content-Length: 0x5\r\n",
            "Content-Length: \r\n",
            "Content-Length: 99999999999999999999\r\n",
            "Content-Length : 5\r\n",
            " Content-Length: 5\r\n",
            "X: a\r\n b\r\n",
            "X: a\r\n\tb\r\n",
            "Transfer-Encoding: gzip, chunked\r\n",
            "Transfer-Encoding: chunked, identity\r\n",
            "Transfer-Encoding: identity\r\n",
            "Transfer-Encoding: xchunked\r\n",
            "Transfer-Encoding: \"chunked\"\r\n",
            "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n",
            "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n",
            "Transfer-Encoding : chunked\r\n",
            "Transfer-Encoding\r\n",
            ": chunked\r\n",
            "Host: b\r\n",
            "Host: a\r\n",
        ] {
            let head = format!("POST / HTTP/1.1\r\nHost: a\r\n{fields}\r\n");
            assert!(
                matches!(judge(head.as_bytes()), Err(Refusal::Malformed(_))),
                "{fields:?}"
            );
        }
    }

    #[test]
    fn a_request_line_that_is_not_one_is_refused() {
        for line in [
            "GET http://b/ HTTP/1.1",
            "GET http://a@b/ HTTP/1.1",
            "GET http://user@a/ HTTP/1.1",
            "GET ftp://a/ HTTP/1.1",
            "GET a HTTP/1.1",
            "GET a:80 HTTP/1.1",
            "GET * HTTP/1.1",
            "GET /a#b HTTP/1.1",
            "GET  / HTTP/1.1",
            "GET / a HTTP/1.1",
            "GET /",
            "GET / HTTP/1.2",
            "GET / HTTP/2.0",
            "PRI * HTTP/2.0",
            "G(T / HTTP/1.1",
            " GET / HTTP/1.1",
        ] {
            let head = format!("{line}\r\nHost: a\r\n\r\n");
            assert!(
                matches!(judge(head.as_bytes()), Err(Refusal::Malformed(_))),
                "{line:?}"
            );
        }
        for line in ["CONNECT a:80 HTTP/1.1", "TRACE / HTTP/1.1"] {
            assert_eq!(
                judge(format!("{line}\r\nHost: a\r\n\r\n").as_bytes()),
                Err(Refusal::Method),
                "{line:?}"
            );
        }
    }

    #[test]
    fn a_host_is_named_once_and_is_a_host() {
        for fields in [
            "",
            "Host: \r\n",
            "Host: a b\r\n",
            "Host: a/b\r\n",
            "Host: u@a\r\n",
            "Host: a, b\r\n",
        ] {
            let head = format!("GET / HTTP/1.1\r\n{fields}\r\n");
            assert!(
                matches!(judge(head.as_bytes()), Err(Refusal::Malformed(_))),
                "{fields:?}"
            );
        }
        assert!(judge(b"POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n").is_err());
    }

    #[test]
    fn more_fields_than_anyone_needs_are_too_large() {
        let head = format!(
            "GET / HTTP/1.1\r\nHost: a\r\n{}\r\n",
            "X: y\r\n".repeat(100)
        );
        assert_eq!(judge(head.as_bytes()), Err(Refusal::TooLarge));
    }
}
