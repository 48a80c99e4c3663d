//! Paths by which web servers have been talked into handing out what they should not, by class, each with the reason
//! for which the normaliser refuses it; and the properties that hold for every path there is.

use std::path::{Component, Path};

use proptest::prelude::*;

use super::{Bait, body_of, get};
use crate::site::path::Rejected::{
    AmbiguousCharacter, BadEscape, DotSegment, EmptySegment, EncodedSlash, EncodedTwice,
    NotAbsolute, NotUtf8, TooLong,
};
use crate::site::{Rejected, SitePath};

/// Class, path as sent, and why it is refused; `None` where the spelling is fine and there is merely no such file.
const HOSTILE: &[(&str, &str, Option<Rejected>)] = &[
    ("parent folder", "/../outside.txt", Some(DotSegment)),
    (
        "parent folder",
        "/members/../../outside.txt",
        Some(DotSegment),
    ),
    (
        "parent folder",
        "/open/../members/index.html",
        Some(DotSegment),
    ),
    ("parent folder", "/..", Some(DotSegment)),
    ("parent folder", "/.../outside.txt", Some(DotSegment)),
    (
        "encoded parent folder",
        "/%2e%2e/outside.txt",
        Some(DotSegment),
    ),
    (
        "encoded parent folder",
        "/.%2E/outside.txt",
        Some(DotSegment),
    ),
    ("same folder", "/./members/index.html", Some(DotSegment)),
    ("same folder", "/%2e/members/index.html", Some(DotSegment)),
    ("same folder", "/members/.", Some(DotSegment)),
    ("encoded slash", "/members%2findex.html", Some(EncodedSlash)),
    (
        "encoded slash",
        "/open%2F..%2Fmembers%2Findex.html",
        Some(EncodedSlash),
    ),
    (
        "backslash",
        "/members\\index.html",
        Some(AmbiguousCharacter),
    ),
    (
        "backslash",
        "/open/..\\..\\outside.txt",
        Some(AmbiguousCharacter),
    ),
    (
        "encoded backslash",
        "/members%5cindex.html",
        Some(AmbiguousCharacter),
    ),
    (
        "encoded backslash",
        "/..%5C..%5Coutside.txt",
        Some(AmbiguousCharacter),
    ),
    ("empty segment", "//members/index.html", Some(EmptySegment)),
    ("empty segment", "/members//index.html", Some(EmptySegment)),
    ("empty segment", "//example.org/", Some(EmptySegment)),
    ("empty segment", "/members//", Some(EmptySegment)),
    (
        "path parameter",
        "/members;x/index.html",
        Some(AmbiguousCharacter),
    ),
    (
        "path parameter",
        "/members/index.html;jsessionid=1",
        Some(AmbiguousCharacter),
    ),
    (
        "path parameter",
        "/..;/outside.txt",
        Some(AmbiguousCharacter),
    ),
    (
        "encoded path parameter",
        "/members%3bx/index.html",
        Some(AmbiguousCharacter),
    ),
    (
        "NUL",
        "/members/index.html%00.png",
        Some(AmbiguousCharacter),
    ),
    ("NUL", "/%00", Some(AmbiguousCharacter)),
    (
        "control character",
        "/members/%0d%0aSet-Cookie:x=1",
        Some(AmbiguousCharacter),
    ),
    (
        "control character",
        "/members/index.html%7f",
        Some(AmbiguousCharacter),
    ),
    (
        "control character",
        "/members/index.html%C2%85",
        Some(AmbiguousCharacter),
    ),
    (
        "double encoding",
        "/%252e%252e/outside.txt",
        Some(EncodedTwice),
    ),
    (
        "double encoding",
        "/members%252findex.html",
        Some(EncodedTwice),
    ),
    ("double encoding", "/%25", Some(EncodedTwice)),
    ("broken escape", "/%", Some(BadEscape)),
    ("broken escape", "/members/%2", Some(BadEscape)),
    ("broken escape", "/members/%zz", Some(BadEscape)),
    (
        "broken escape",
        "/%u002e%u002e/outside.txt",
        Some(BadEscape),
    ),
    ("broken escape", "/%+f", Some(BadEscape)),
    ("overlong UTF-8", "/%c0%ae%c0%ae/outside.txt", Some(NotUtf8)),
    ("overlong UTF-8", "/members%c0%afindex.html", Some(NotUtf8)),
    (
        "overlong UTF-8",
        "/%e0%80%ae%e0%80%ae/outside.txt",
        Some(NotUtf8),
    ),
    ("broken UTF-8", "/%ff", Some(NotUtf8)),
    ("broken UTF-8", "/%ed%a0%80", Some(NotUtf8)),
    ("hidden file", "/.env", Some(DotSegment)),
    ("hidden file", "/%2eenv", Some(DotSegment)),
    ("hidden file", "/.git/config", Some(DotSegment)),
    ("hidden file", "/members/.htpasswd", Some(DotSegment)),
    (
        "hidden file",
        "/open/.well-known/secret.txt",
        Some(DotSegment),
    ),
    ("hidden file", "/.well-known/.secret.txt", Some(DotSegment)),
    ("other form of target", "*", Some(NotAbsolute)),
    ("other form of target", "", Some(NotAbsolute)),
    (
        "other form of target",
        "http://localhost/members/index.html",
        Some(NotAbsolute),
    ),
    ("other form of target", "example.org:443", Some(NotAbsolute)),
    (
        "query or fragment in the path",
        "/members/index.html#x",
        Some(AmbiguousCharacter),
    ),
    ("encoded query", "/members/index.html%3fx", None),
    ("other case", "/MEMBERS/index.html", None),
    ("other case", "/members/INDEX.html", None),
    ("short name", "/MEMBER~1/index.html", None),
    ("alternate stream", "/members/index.html::$DATA", None),
    (
        "alternate stream",
        "/members:$I30:$INDEX_ALLOCATION/index.html",
        None,
    ),
    ("drive", "/C:/outside.txt", None),
    ("drive", "/c:outside.txt", None),
    ("device", "/CON", None),
    ("device", "/members/aux.html", None),
    ("trailing dot or blank", "/members./index.html", None),
    ("trailing dot or blank", "/members/index.html.", None),
    ("trailing dot or blank", "/members/index.html%20", None),
    ("trailing slash on a file", "/open/page.html/", None),
    ("other Unicode form", "/caf%65%CC%81/index.html", None),
    ("look-alike letter", "/%EF%BD%8Dembers/index.html", None),
    ("look-alike letter", "/members%EF%BC%8Findex.html", None),
    ("look-alike letter", "/%E2%80%A5/outside.txt", None),
    ("link out of the site", "/open/out.txt", None),
    ("link out of the site", "/open/outer/outside.txt", None),
    ("link to a hidden file", "/open/hidden.txt", None),
    ("link to a key", "/open/key.txt", None),
    ("link in a circle", "/open/circle", None),
    (
        "key, certificate, database, configuration",
        "/secret.key",
        None,
    ),
    (
        "key, certificate, database, configuration",
        "/SECRET.KEY",
        None,
    ),
    (
        "key, certificate, database, configuration",
        "/vestibule.db",
        None,
    ),
    (
        "key, certificate, database, configuration",
        "/vestibule.db-wal",
        None,
    ),
    (
        "key, certificate, database, configuration",
        "/vestibule.toml",
        None,
    ),
    ("not a file", "/open/pipe", None),
    ("route of the server in another spelling", "/%6cogin", None),
    (
        "route of the server in another spelling",
        "/api/%61uth/login",
        None,
    ),
    (
        "route of the server in another spelling",
        "/.well-known/jwks%2ejson",
        None,
    ),
];

#[tokio::test]
async fn no_hostile_path_gets_more_than_a_404() {
    let bait = Bait::new();
    for (class, path, expected) in HOSTILE {
        assert_eq!(SitePath::parse(path).err(), *expected, "{class}: {path}");
        let answer = get(&bait.site("/nothing/**"), path, &[]).await;
        assert_eq!(answer.status(), 404, "{class}: {path}");
        let body = body_of(answer).await;
        assert!(
            !String::from_utf8_lossy(&body).contains("SECRET"),
            "{class}: {path}"
        );
    }
}

#[test]
fn the_table_covers_at_least_fifteen_classes() {
    let classes: std::collections::BTreeSet<_> = HOSTILE.iter().map(|(class, ..)| class).collect();
    assert!(classes.len() >= 15, "only {}", classes.len());
}

#[test]
fn paths_and_names_beyond_what_file_systems_hold_are_refused() {
    assert_eq!(
        SitePath::parse(&format!("/{}", "a".repeat(256))),
        Err(TooLong)
    );
    assert_eq!(SitePath::parse(&"/a".repeat(2049)), Err(TooLong));
    assert!(SitePath::parse(&"/a".repeat(2048)).is_ok());
    assert_eq!(
        SitePath::parse("/index.html?x"),
        Err(AmbiguousCharacter),
        "the query was not cut off"
    );
}

#[test]
fn honest_paths_pass() {
    for (sent, decoded) in [
        ("/", "/"),
        ("/index.html", "/index.html"),
        ("/a/b/c/", "/a/b/c/"),
        ("/with%20blank.html", "/with blank.html"),
        ("/caf%C3%A9/men%C3%BC.html", "/café/menü.html"),
        ("/%41", "/A"),
        ("/a..b/c.d.", "/a..b/c.d."),
        ("/~user/Category:Birds", "/~user/Category:Birds"),
        ("/page.html%3Fid=1", "/page.html?id=1"),
        ("/a+b&c=d,e@f!$'()*", "/a+b&c=d,e@f!$'()*"),
        ("/.well-known/security.txt", "/.well-known/security.txt"),
    ] {
        assert_eq!(
            SitePath::parse(sent).map(|path| path.to_string()),
            Ok(decoded.to_owned()),
            "{sent}"
        );
    }
}

/// Text made of the pieces that paths are attacked with, besides any text at all.
fn any_path() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        Just("/".to_owned()),
        Just("..".to_owned()),
        Just(".".to_owned()),
        Just("%2e".to_owned()),
        Just("%2f".to_owned()),
        Just("%25".to_owned()),
        Just("%5c".to_owned()),
        Just("%C3%A9".to_owned()),
        Just("index.html".to_owned()),
        "%[0-9a-fA-F]{2}",
        "[a-zA-Z0-9 .~:;\\\\]{1,4}",
        "\\PC{1,3}",
    ];
    prop::collection::vec(piece, 0..12).prop_map(|pieces| format!("/{}", pieces.concat()))
}

proptest! {
    #[test]
    fn an_accepted_path_survives_its_own_encoding(raw in any_path()) {
        if let Ok(path) = SitePath::parse(&raw) {
            prop_assert_eq!(SitePath::parse(&path.encoded()), Ok(path.clone()));
            prop_assert!(path.encoded().is_ascii());
        }
    }

    #[test]
    fn normalising_twice_changes_nothing(raw in any_path()) {
        if let Ok(path) = SitePath::parse(&raw) {
            // Anybody who decodes or splits the string once more gets the same.
            prop_assert!(!path.as_str().contains('%'));
            prop_assert_eq!(SitePath::from_decoded(path.as_str().to_owned()), Ok(path.clone()));
            let rebuilt: String = path.segments().flat_map(|segment| ["/", segment]).collect();
            prop_assert_eq!(rebuilt.as_str(), path.as_str().trim_end_matches('/'));
        }
    }

    #[test]
    fn no_accepted_path_leaves_the_root_and_what_is_matched_is_what_is_opened(raw in any_path()) {
        if let Ok(path) = SitePath::parse(&raw) {
            let root = Path::new("/srv/site");
            let opened = path.page().below(root);
            let below = opened.strip_prefix(root).expect("a path below the root");
            prop_assert!(below.components().all(|component| matches!(component, Component::Normal(_))));
            prop_assert_eq!(SitePath::of_file(below), Some(path.page()));
        }
    }

    #[test]
    fn nothing_makes_the_normaliser_panic(raw in any::<String>()) {
        let _ = SitePath::parse(&raw);
    }
}
