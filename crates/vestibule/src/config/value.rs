//! The types that settings have, and how each is read from the text that an operator wrote.
//! One value at a time: what values mean to each other is decided in `meaning.rs`.

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use accounts::SECRET_KEY_BYTES;
use accounts::{
    Argon2Cost, BcryptCost, DatabaseUrl, HashCost, Limit, RedisUrl, SigningAlgorithm, TlsMode,
};
use axum::http::{HeaderName, HeaderValue};
use base64::Engine;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use ipnet::IpNet;
use percent_encoding::percent_decode_str;
use secrecy::{ExposeSecret, SecretBox, SecretString};
use url::Url;

use super::setting::Kind;
use crate::site::Pattern;
use crate::terminal::printable;

/// Scheme, host and port of a web site, without anything behind (RFC 6454).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    url: Url,
    text: String,
}

/// Who may open an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Registration {
    /// Anybody.
    Open,
    /// Operators and admins, for others.
    Closed,
}

/// By what an app behind the server knows a user.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RemoteUser {
    /// The id, which is one user's for ever.
    Id,
    /// The username, which may be empty and can be taken over when it is free again.
    Username,
    /// The e-mail address, with the same two caveats.
    Email,
}

/// The form of the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogFormat {
    /// For people.
    Pretty,
    /// One JSON object a line.
    Json,
}

/// A language of the built-in pages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Locale {
    /// English.
    English,
    /// German.
    German,
}

/// Where a syslog takes messages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SyslogAddress {
    /// A datagram socket of this machine.
    Unix(PathBuf),
    /// A host, by name or address, and a port.
    Udp(String, u16),
}

/// Where a collector takes traces.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Collector {
    /// Its server.
    pub origin: Origin,
    /// The path there, with that of traces at its end.
    pub path: String,
}

/// A header that a collector asks for. Its value is hidden.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CollectorHeader {
    /// Its name.
    pub name: HeaderName,
    /// Its value, marked as sensitive.
    pub value: HeaderValue,
}

/// A type that a setting can have. The error is what was expected, as the end of the sentence
/// "expected …".
pub(super) trait FromText: Sized {
    fn from_text(text: &str, kind: Kind) -> Result<Self, String>;
}

impl Origin {
    /// Reads an origin; a lone slash at its end is let pass.
    pub fn parse(text: &str) -> Option<Self> {
        let url = Url::parse(text).ok()?;
        let is_bare = url.path() == "/" && url.query().is_none() && url.fragment().is_none();
        let is_anonymous =
            url.username().is_empty() && url.password().is_none() && !text.contains('@');
        // A host name has at most 253 bytes (RFC 1035, 2.3.4).
        let has_one_host = url
            .host_str()
            .is_some_and(|host| !host.contains('*') && host.len() <= 253);
        if !matches!(url.scheme(), "http" | "https") || !is_bare || !is_anonymous || !has_one_host {
            return None;
        }
        Some(Self {
            text: url.origin().ascii_serialization(),
            url,
        })
    }

    /// The form that browsers send in `Origin`: lower case, without a slash at the end, without a
    /// port that the scheme implies.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether browsers reach it by TLS.
    pub fn is_https(&self) -> bool {
        self.url.scheme() == "https"
    }

    /// The host name or address; IPv6 addresses stand in brackets.
    pub fn host(&self) -> &str {
        self.url.host_str().unwrap_or_default()
    }

    /// The port, given or implied by the scheme.
    pub fn port(&self) -> u16 {
        self.url.port_or_known_default().unwrap_or_default()
    }

    /// Host and port as a browser names them in `Host`: without a port that the scheme implies.
    pub fn authority(&self) -> &str {
        self.url.authority()
    }

    /// The URL of a path on this origin is this, joined with the path.
    pub fn url(&self) -> &Url {
        &self.url
    }

    /// A port on a name or address of this machine.
    pub(super) fn local(is_https: bool, host: &str, port: u16) -> Self {
        let scheme = if is_https { "https" } else { "http" };
        Self::parse(&format!("{scheme}://{host}:{port}"))
            .expect("a local host and a port make an origin")
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// Whether an `Origin` header, whose form is fixed (RFC 6454, 6.2), names this origin.
impl PartialEq<str> for Origin {
    fn eq(&self, header: &str) -> bool {
        self.text == header
    }
}

impl FromText for Origin {
    fn from_text(text: &str, kind: Kind) -> Result<Self, String> {
        Self::parse(text).ok_or_else(|| match text {
            "*" | "null" => {
                format!("{kind}; any origin at all would let every web site act for its visitors")
            }
            _ => kind.to_string(),
        })
    }
}

impl FromText for SyslogAddress {
    fn from_text(text: &str, kind: Kind) -> Result<Self, String> {
        /// The port where none is named (RFC 5426 section 3.3).
        const PORT: u16 = 514;
        let parsed = || {
            if let Some(path) = text.strip_prefix("unix:") {
                return Some(Self::Unix(PathBuf::from_text(path, kind).ok()?));
            }
            let url = Url::parse(text).ok().filter(|url| url.scheme() == "udp")?;
            let is_bare = matches!(url.path(), "" | "/")
                && url.query().is_none()
                && url.fragment().is_none()
                && url.username().is_empty()
                && url.password().is_none();
            let host = url.host_str().filter(|host| is_bare && !host.is_empty())?;
            let host = host.trim_start_matches('[').trim_end_matches(']');
            Some(Self::Udp(host.to_owned(), url.port().unwrap_or(PORT)))
        };
        parsed().ok_or_else(|| kind.to_string())
    }
}

impl FromText for Collector {
    fn from_text(text: &str, kind: Kind) -> Result<Self, String> {
        /// Where an OTLP server takes traces, below its base URL.
        const TRACES: &str = "/v1/traces";
        let parsed = || {
            let url = Url::parse(text).ok()?;
            let is_bare = url.query().is_none() && url.fragment().is_none();
            let origin = url.origin().ascii_serialization();
            // A password in it is refused here, as it would be shown: it belongs into a header.
            let is_anonymous = url.username().is_empty() && url.password().is_none();
            Some(Self {
                origin: Origin::parse(&origin).filter(|_| is_bare && is_anonymous)?,
                path: format!("{}{TRACES}", url.path().trim_end_matches('/')),
            })
        };
        parsed().ok_or_else(|| kind.to_string())
    }
}

impl FromText for CollectorHeader {
    fn from_text(text: &str, kind: Kind) -> Result<Self, String> {
        let parsed = || {
            let (name, value) = text.split_once('=')?;
            let value = percent_decode_str(value.trim()).decode_utf8().ok()?;
            let mut value = HeaderValue::from_str(&value).ok()?;
            value.set_sensitive(true);
            let name = HeaderName::from_bytes(name.trim().as_bytes()).ok()?;
            Some(Self { name, value })
        };
        parsed().ok_or_else(|| kind.to_string())
    }
}

/// A share.
impl FromText for f64 {
    fn from_text(text: &str, kind: Kind) -> Result<Self, String> {
        let share = text.parse().ok();
        share
            .filter(|share| (0.0..=1.0).contains(share))
            .ok_or_else(|| kind.to_string())
    }
}

impl FromText for SocketAddr {
    fn from_text(text: &str, kind: Kind) -> Result<Self, String> {
        text.parse().map_err(|_| kind.to_string())
    }
}

impl FromText for PathBuf {
    fn from_text(text: &str, kind: Kind) -> Result<Self, String> {
        if text.is_empty() || text.contains('\0') {
            return Err(kind.to_string());
        }
        Ok(Self::from(text))
    }
}

impl FromText for IpNet {
    fn from_text(text: &str, kind: Kind) -> Result<Self, String> {
        let network = text
            .parse()
            .or_else(|_| text.parse::<IpAddr>().map(Self::from));
        network.map_err(|_| kind.to_string())
    }
}

impl FromText for Duration {
    fn from_text(text: &str, kind: Kind) -> Result<Self, String> {
        let Kind::Duration(least, most) = kind else {
            return Err(kind.to_string());
        };
        let bound =
            |text| humantime::parse_duration(text).expect("the bounds in the table are durations");
        humantime::parse_duration(text)
            .ok()
            .filter(|duration| (bound(least)..=bound(most)).contains(duration))
            .ok_or_else(|| kind.to_string())
    }
}

impl FromText for u32 {
    fn from_text(text: &str, kind: Kind) -> Result<Self, String> {
        let Kind::Count(least, most) = kind else {
            return Err(kind.to_string());
        };
        text.parse()
            .ok()
            .filter(|count| (least..=most).contains(count))
            .ok_or_else(|| kind.to_string())
    }
}

impl FromText for usize {
    fn from_text(text: &str, kind: Kind) -> Result<Self, String> {
        let count = u32::from_text(text, kind)?;
        Self::try_from(count).map_err(|_| kind.to_string())
    }
}

impl FromText for bool {
    fn from_text(text: &str, kind: Kind) -> Result<Self, String> {
        text.parse().map_err(|_| kind.to_string())
    }
}

/// A limit that may be off.
impl FromText for Option<Limit> {
    fn from_text(text: &str, kind: Kind) -> Result<Self, String> {
        const LONGEST: Duration = Duration::from_secs(24 * 60 * 60);
        if text == "off" {
            return Ok(None);
        }
        let limit = text.split_once('/').and_then(|(count, window)| {
            let count = count.trim().parse().ok().filter(|count| *count > 0)?;
            let window = humantime::parse_duration(window.trim()).ok()?;
            (Duration::from_secs(1)..=LONGEST)
                .contains(&window)
                .then_some(Limit { count, window })
        });
        limit.map(Some).ok_or_else(|| kind.to_string())
    }
}

impl FromText for Registration {
    fn from_text(text: &str, kind: Kind) -> Result<Self, String> {
        match text {
            "open" => Ok(Self::Open),
            "closed" => Ok(Self::Closed),
            _ => Err(kind.to_string()),
        }
    }
}

impl FromText for RemoteUser {
    fn from_text(text: &str, kind: Kind) -> Result<Self, String> {
        match text {
            "id" => Ok(Self::Id),
            "username" => Ok(Self::Username),
            "email" => Ok(Self::Email),
            _ => Err(kind.to_string()),
        }
    }
}

impl FromText for SigningAlgorithm {
    fn from_text(text: &str, kind: Kind) -> Result<Self, String> {
        Self::of_name(text).ok_or_else(|| kind.to_string())
    }
}

impl FromText for HashCost {
    fn from_text(text: &str, kind: Kind) -> Result<Self, String> {
        match text {
            "argon2id" => Ok(Self::Argon2id(Argon2Cost::RECOMMENDED)),
            "bcrypt" => Ok(Self::Bcrypt(BcryptCost::RECOMMENDED)),
            _ => Err(kind.to_string()),
        }
    }
}

impl Locale {
    /// Every language, the one for those who want none of them first.
    pub const ALL: [Self; 2] = [Self::English, Self::German];

    /// Its name, as BCP 47 has it.
    pub fn tag(self) -> &'static str {
        match self {
            Self::English => "en",
            Self::German => "de",
        }
    }
}

/// A language that is always the same, or that of each browser.
impl FromText for Option<Locale> {
    fn from_text(text: &str, kind: Kind) -> Result<Self, String> {
        if text == "auto" {
            return Ok(None);
        }
        let mut all = Locale::ALL.into_iter();
        let named = all.find(|locale| locale.tag() == text);
        named.map(Some).ok_or_else(|| kind.to_string())
    }
}

impl FromText for LogFormat {
    fn from_text(text: &str, kind: Kind) -> Result<Self, String> {
        match text {
            "pretty" => Ok(Self::Pretty),
            "json" => Ok(Self::Json),
            _ => Err(kind.to_string()),
        }
    }
}

/// One line of text, or a word out of a choice.
impl FromText for String {
    fn from_text(text: &str, kind: Kind) -> Result<Self, String> {
        let usable = match kind {
            Kind::Choice(words) => words.contains(&text),
            Kind::Text(most) => {
                (1..=most).contains(&text.chars().count())
                    && !text.contains(char::is_control)
                    && !text.trim().is_empty()
            }
            _ => false,
        };
        usable
            .then(|| text.to_owned())
            .ok_or_else(|| kind.to_string())
    }
}

impl FromText for Pattern {
    fn from_text(text: &str, _: Kind) -> Result<Self, String> {
        Self::parse(text).map_err(|problem| format!("a path pattern ({})", printable(&problem)))
    }
}

/// The URL of a database.
impl FromText for DatabaseUrl {
    fn from_text(text: &str, _: Kind) -> Result<Self, String> {
        Self::parse(text).map_err(|problem| {
            // The report says "expected" itself.
            let problem = problem.to_string();
            problem.trim_start_matches("expected ").to_owned()
        })
    }
}

/// The URL of a shared Redis.
impl FromText for RedisUrl {
    fn from_text(text: &str, _: Kind) -> Result<Self, String> {
        Self::parse(text)
    }
}

/// How connections to the database are protected.
impl FromText for TlsMode {
    fn from_text(text: &str, kind: Kind) -> Result<Self, String> {
        text.parse().map_err(|_| kind.to_string())
    }
}

/// Key material as text.
impl FromText for SecretBox<[u8]> {
    fn from_text(text: &str, kind: Kind) -> Result<Self, String> {
        key_from_text(text).ok_or_else(|| kind.to_string())
    }
}

/// Key material out of a file: raw bytes, or one of the text forms. The error is what was expected
/// of the file.
pub(crate) fn key_from_bytes(bytes: &SecretBox<[u8]>) -> Result<SecretBox<[u8]>, String> {
    let raw = bytes.expose_secret();
    let is_text = raw
        .iter()
        .all(|byte| byte.is_ascii_graphic() || byte.is_ascii_whitespace());
    // Random bytes are as good as never all printable, so text is a text form or a passphrase,
    // which would be too weak.
    let key = match std::str::from_utf8(raw) {
        Ok(text) if is_text => key_from_text(text),
        _ if raw.len() >= SECRET_KEY_BYTES => Some(SecretBox::from(Box::<[u8]>::from(raw))),
        _ => None,
    };
    key.ok_or_else(|| {
        format!(
            "a file of {SECRET_KEY_BYTES} or more random bytes, raw or as base64 or hexadecimal digits"
        )
    })
}

/// Key material as hexadecimal digits, base64 or base64url, if it is long enough. White space is
/// skipped.
pub(super) fn key_from_text(text: &str) -> Option<SecretBox<[u8]>> {
    let text: SecretString = text.split_ascii_whitespace().collect::<String>().into();
    let text = text.expose_secret();
    let bytes = from_hexadecimal(text).or_else(|| from_base64(text))?;
    (bytes.len() >= SECRET_KEY_BYTES).then(|| SecretBox::from(bytes.into_boxed_slice()))
}

fn from_hexadecimal(text: &str) -> Option<Vec<u8>> {
    if !text.len().is_multiple_of(2) || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    (0..text.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(&text[at..at + 2], 16).ok())
        .collect()
}

fn from_base64(text: &str) -> Option<Vec<u8>> {
    let lenient =
        GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
    [alphabet::STANDARD, alphabet::URL_SAFE]
        .iter()
        .find_map(|alphabet| GeneralPurpose::new(alphabet, lenient).decode(text).ok())
}
