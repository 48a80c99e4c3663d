//! What an operator gives the built-in pages to look like theirs: a logo and a style sheet, read once and held in
//! memory. Where they are found by browsers is left to the HTTP door.

use std::hash::{DefaultHasher, Hasher as _};

use bytes::Bytes;

const LARGEST_LOGO: usize = 256 * 1024;
const LARGEST_STYLE: usize = 64 * 1024;
/// How every PNG file begins (PNG specification, section 5.2).
const PNG: &[u8] = b"\x89PNG\r\n\x1a\n";

/// A file of the operator's for the pages.
#[derive(Clone, PartialEq, Eq)]
pub struct BrandFile {
    /// Its content.
    pub bytes: Bytes,
    /// What it is, for `Content-Type`.
    pub media_type: &'static str,
    /// Another one where the content is, by which a browser knows whether it holds this one.
    pub version: u64,
}

impl BrandFile {
    /// A picture in the form of SVG or PNG, told by its content and not by its name. The error is what was expected.
    pub(super) fn logo(bytes: Vec<u8>) -> Result<Self, String> {
        if bytes.len() > LARGEST_LOGO {
            return Err("a picture of at most 256 KiB".to_owned());
        }
        let media_type = match bytes.starts_with(PNG) {
            true => "image/png",
            false if is_svg(&bytes) => "image/svg+xml",
            false => return Err("a picture in the form of SVG (UTF-8) or PNG".to_owned()),
        };
        Ok(Self::new(bytes, media_type))
    }

    /// A style sheet. The error is what was expected.
    pub(super) fn style(bytes: Vec<u8>) -> Result<Self, String> {
        if bytes.len() > LARGEST_STYLE {
            return Err("a style sheet of at most 64 KiB".to_owned());
        }
        // CSS never begins with what every page of HTML and every drawing begins with.
        let is_css = |text: &str| !text.contains('\0') && !text.trim_start().starts_with('<');
        match std::str::from_utf8(&bytes) {
            Ok(text) if is_css(text) => Ok(Self::new(bytes, "text/css; charset=utf-8")),
            _ => Err("a style sheet (CSS in UTF-8)".to_owned()),
        }
    }

    fn new(bytes: Vec<u8>, media_type: &'static str) -> Self {
        let mut hasher = DefaultHasher::new();
        hasher.write(&bytes);
        Self {
            version: hasher.finish(),
            bytes: bytes.into(),
            media_type,
        }
    }
}

/// A configuration is shown in logs and tests, where nobody wants to see a picture.
impl std::fmt::Debug for BrandFile {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} of {} bytes", self.media_type, self.bytes.len())
    }
}

/// Whether the first element is `svg`, behind whatever XML lets stand before it: a declaration, comments, a DOCTYPE.
fn is_svg(bytes: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(bytes) else {
        return false;
    };
    let mut rest = text.trim_start_matches('\u{feff}').trim_start();
    loop {
        let end = match rest {
            _ if rest.starts_with("<!--") => "-->",
            _ if rest.starts_with("<?") => "?>",
            _ if rest.starts_with("<!DOCTYPE") => ">",
            _ => break,
        };
        let Some((_, behind)) = rest.split_once(end) else {
            return false;
        };
        rest = behind.trim_start();
    }
    rest.strip_prefix("<svg")
        .is_some_and(|behind| behind.starts_with([' ', '\t', '\r', '\n', '>', '/']))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_logo_is_told_by_its_content() {
        let declared = "\u{feff}<?xml version=\"1.0\"?>\n<!-- <p> -->\n<!DOCTYPE svg PUBLIC \"-//W3C//DTD\">\n<svg\nwidth='1'/>";
        for svg in [
            "<svg xmlns='http://www.w3.org/2000/svg'/>",
            " <svg>",
            declared,
        ] {
            let logo = BrandFile::logo(svg.into()).unwrap();
            assert_eq!(logo.media_type, "image/svg+xml", "{svg}");
        }
        let png = [PNG, b"\0\0\0\rIHDR"].concat();
        assert_eq!(BrandFile::logo(png).unwrap().media_type, "image/png");
        for other in [
            &b""[..],
            b"<html><svg></svg></html>",
            b"<svgx/>",
            b"<!-- <svg>",
            b"\xff\xd8\xff\xe0 JFIF",
            b"<svg>\xff</svg>",
            b"PNG",
        ] {
            BrandFile::logo(other.into()).unwrap_err();
        }
    }

    #[test]
    fn a_style_sheet_is_text_and_no_page() {
        for css in ["", ":root { --accent: #123456 }", "@charset \"UTF-8\";"] {
            BrandFile::style(css.into()).unwrap();
        }
        for other in [&b"\xff"[..], b"a\0", b" <!doctype html>", b"<style>"] {
            BrandFile::style(other.into()).unwrap_err();
        }
    }

    #[test]
    fn files_are_small() {
        let fitting = |size: usize| [b"<svg ".as_slice(), &vec![b' '; size - 5]].concat();
        BrandFile::logo(fitting(LARGEST_LOGO)).unwrap();
        BrandFile::logo(fitting(LARGEST_LOGO + 1)).unwrap_err();
        BrandFile::style(vec![b' '; LARGEST_STYLE]).unwrap();
        BrandFile::style(vec![b' '; LARGEST_STYLE + 1]).unwrap_err();
    }

    #[test]
    fn another_content_is_another_version() {
        let version = |css: &str| BrandFile::style(css.into()).unwrap().version;
        assert_eq!(version("a {}"), version("a {}"));
        assert_ne!(version("a {}"), version("b {}"));
    }
}
