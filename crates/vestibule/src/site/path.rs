//! The one path normaliser: turns the path of a request into the string on which rules are matched and with which
//! files are opened. What a name may be is decided here; whether such a file exists is left to `files`.

use std::fmt;
use std::path::{Component, Path, PathBuf};

/// The file that stands for its folder.
pub(super) const INDEX: &str = "index.html";

/// Longest accepted path as sent, in bytes: more than any file system of ours opens.
const LONGEST_PATH: usize = 4096;
/// Longest accepted name between two slashes, in bytes; file systems end at 255.
const LONGEST_SEGMENT: usize = 255;

/// A path inside a site: decoded once, absolute, without dot segments, empty segments or anything that a file system
/// or a proxy could read in a second way. It ends in `/` when a folder was asked for.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct SitePath(String);

/// The path cannot name a file of a site; the answer is 404. Which rule refused it is for tests and logs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Rejected {
    /// Does not begin with a slash: the asterisk form, the authority form, a relative path.
    #[error("a path begins with `/`")]
    NotAbsolute,
    /// The path or one of its names is longer than file systems allow.
    #[error("the path is too long")]
    TooLong,
    /// A `%` without two hexadecimal digits behind it.
    #[error("a percent escape is incomplete")]
    BadEscape,
    /// The decoded bytes are not UTF-8; overlong forms are among these.
    #[error("the decoded path is not UTF-8")]
    NotUtf8,
    /// A `%` is left after decoding, so somebody behind us might decode once more.
    #[error("the path is encoded twice")]
    EncodedTwice,
    /// A slash that was percent-encoded.
    #[error("the path holds an encoded slash")]
    EncodedSlash,
    /// A character that some reader takes for a separator, a parameter, a query or an end: `\ ; ? #`, controls.
    #[error("the path holds a character with a second meaning")]
    AmbiguousCharacter,
    /// `//`.
    #[error("the path holds an empty segment")]
    EmptySegment,
    /// `.`, `..` and every hidden name but `/.well-known/`.
    #[error("the path holds a segment that begins with a dot")]
    DotSegment,
    /// A name that the file system of this machine reads as something else, for instance a drive.
    #[error("the path holds a segment that is no plain file name here")]
    NotAName,
}

impl SitePath {
    /// Reads the path of a request target as it was sent: percent-encoded, without the query.
    pub fn parse(raw_path: &str) -> Result<Self, Rejected> {
        let path = Self::parse_for_app(raw_path)?;
        if path.segments().any(|name| name.len() > LONGEST_SEGMENT) {
            return Err(Rejected::TooLong);
        }
        Ok(path)
    }

    /// The same for a site that is no folder, where a name may be longer than those of files.
    pub fn parse_for_app(raw_path: &str) -> Result<Self, Rejected> {
        if raw_path.len() > LONGEST_PATH {
            return Err(Rejected::TooLong);
        }
        // Here they can only stem from a caller that forgot to cut them off; encoded, they are part of a name.
        if raw_path.contains(['?', '#']) {
            return Err(Rejected::AmbiguousCharacter);
        }
        Self::from_decoded(decode_once(raw_path)?)
    }

    /// Checks a path that is not percent-encoded, for instance one that the file system returned.
    pub(super) fn from_decoded(path: String) -> Result<Self, Rejected> {
        let Some(inner) = path.strip_prefix('/') else {
            return Err(Rejected::NotAbsolute);
        };
        if path.contains('%') {
            return Err(Rejected::EncodedTwice);
        }
        if path.contains(|letter: char| letter.is_control() || matches!(letter, '\\' | ';')) {
            return Err(Rejected::AmbiguousCharacter);
        }
        let names = inner.strip_suffix('/').unwrap_or(inner);
        if names.is_empty() {
            return if inner.is_empty() {
                Ok(Self(path))
            } else {
                Err(Rejected::EmptySegment)
            };
        }
        for (position, segment) in names.split('/').enumerate() {
            check_segment(position, segment)?;
        }
        Ok(Self(path))
    }

    /// The path of a file below the site's root, as the file system spells it. `None` if its name could not have been
    /// asked for, so that a link never leads to a hidden file.
    pub(super) fn of_file(below_root: &Path) -> Option<Self> {
        let mut path = String::new();
        for component in below_root.components() {
            let Component::Normal(name) = component else {
                return None;
            };
            path.push('/');
            path.push_str(name.to_str()?);
        }
        if path.is_empty() {
            path.push('/');
        }
        Self::from_decoded(path).ok()
    }

    /// The decoded path, beginning with `/`.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether a folder was asked for: the path ends in `/`.
    pub fn is_folder(&self) -> bool {
        self.0.ends_with('/')
    }

    /// The names between the slashes; none for `/`.
    pub fn segments(&self) -> impl Iterator<Item = &str> {
        self.0.split('/').filter(|segment| !segment.is_empty())
    }

    /// The last name, empty for `/`.
    pub(super) fn name(&self) -> &str {
        self.segments().last().unwrap_or_default()
    }

    /// The file that this path opens: its index page for a folder, otherwise itself.
    pub(super) fn page(&self) -> Self {
        if self.is_folder() {
            Self(format!("{}{INDEX}", self.0))
        } else {
            self.clone()
        }
    }

    /// The same path as that of a folder.
    pub(super) fn folder(&self) -> Self {
        if self.is_folder() {
            self.clone()
        } else {
            Self(format!("{}/", self.0))
        }
    }

    /// Where the path leads below `root`. Every segment is one plain name, so this stays below it.
    pub(super) fn below(&self, root: &Path) -> PathBuf {
        let mut file = root.to_path_buf();
        file.extend(self.segments());
        file
    }

    /// The path as it is written in a `Location` field: it parses to the same path.
    pub fn encoded(&self) -> String {
        encode(&self.0)
    }

    /// The path as it is sent to an app: the same, with all that RFC 3986, section 3.3, lets stand in a path as it is,
    /// since there are apps that compare paths without decoding them.
    pub fn encoded_for_app(&self) -> String {
        encode_except(&self.0, b"-._~/!$&'()*+,=:@")
    }

    /// The path in small letters, for those who take no notice of their size.
    #[must_use]
    pub(super) fn in_lower_case(&self) -> Self {
        Self(self.0.to_lowercase())
    }
}

impl fmt::Display for SitePath {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// Percent-encodes everything but the unreserved characters of RFC 3986, section 2.3, and the slash.
pub(super) fn encode(text: &str) -> String {
    encode_except(text, b"-._~/")
}

/// Percent-encodes everything but letters, digits and these characters.
fn encode_except(text: &str, kept: &[u8]) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || kept.contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            encoded.push('%');
            for digit in [byte >> 4, byte & 15] {
                encoded.push(char::from(b"0123456789ABCDEF"[usize::from(digit)]));
            }
        }
    }
    encoded
}

fn decode_once(raw_path: &str) -> Result<String, Rejected> {
    let mut decoded = Vec::with_capacity(raw_path.len());
    let mut bytes = raw_path.bytes();
    while let Some(byte) = bytes.next() {
        if byte != b'%' {
            decoded.push(byte);
            continue;
        }
        match (hex_digit(bytes.next())?, hex_digit(bytes.next())?) {
            (2, 15) => return Err(Rejected::EncodedSlash),
            (high, low) => decoded.push(high << 4 | low),
        }
    }
    String::from_utf8(decoded).map_err(|_| Rejected::NotUtf8)
}

fn hex_digit(byte: Option<u8>) -> Result<u8, Rejected> {
    match byte {
        Some(digit @ b'0'..=b'9') => Ok(digit - b'0'),
        Some(digit @ b'a'..=b'f') => Ok(digit - b'a' + 10),
        Some(digit @ b'A'..=b'F') => Ok(digit - b'A' + 10),
        _ => Err(Rejected::BadEscape),
    }
}

fn check_segment(position: usize, segment: &str) -> Result<(), Rejected> {
    if segment.is_empty() {
        return Err(Rejected::EmptySegment);
    }
    // RFC 8615 reserves the one hidden folder that is meant to be public.
    if segment.starts_with('.') && !(position == 0 && segment == ".well-known") {
        return Err(Rejected::DotSegment);
    }
    // `C:` would replace the whole path on Windows. Asking the platform keeps this true on all of them.
    let mut components = Path::new(segment).components();
    match (components.next(), components.next()) {
        (Some(Component::Normal(name)), None) if name == segment => Ok(()),
        _ => Err(Rejected::NotAName),
    }
}
