//! What patterns cover, which rule decides, and what is said about patterns that would protect nothing.

use super::{Access, Pattern, Rule, Rules};
use crate::site::SitePath;
use Access::{Public, SignedIn};
use proptest::prelude::*;

fn path(raw: &str) -> SitePath {
    SitePath::parse(raw).expect("a path")
}

fn rules(lines: &[(&str, Access)]) -> Rules {
    let rule = |(pattern, access): &(&str, Access)| Rule {
        pattern: Pattern::parse(pattern).expect("a pattern"),
        access: access.clone(),
    };
    Rules::new(lines.iter().map(rule).collect())
}

fn roles(names: &[&str]) -> Access {
    Access::Roles(names.iter().map(|name| (*name).to_owned()).collect())
}

#[test]
fn patterns_cover_what_they_say() {
    for (pattern, covered, not_covered) in [
        (
            "/members/**",
            "/members /members/ /members/a /members/a/b.html",
            "/ /member /membersx /a/members/b",
        ),
        ("/**", "/ /a /a/b/", ""),
        (
            "/a/*.html",
            "/a/x.html /a/.well.html /a/index.html",
            "/a/x.htm /a/b/x.html /a/ /x.html",
        ),
        ("/a/*", "/a/x /a/x/", "/a /a/ /a/x/y"),
        ("/x", "/x /x/ /x/index.html", "/x/y /xx /"),
        ("/x/", "/x /x/ /x/index.html", "/x/y"),
        ("/x/index.html", "/x /x/ /x/index.html", "/x/index.html/y"),
        ("/", "/ /index.html", "/a"),
        (
            "/**/private/*",
            "/private/a /a/private/b /a/b/private/c",
            "/private /a/private/b/c",
        ),
        ("/**/*.pdf", "/a.pdf /a/b/c.pdf", "/a.pdf.html"),
        ("/a/**/z", "/a/z /a/b/z /a/b/c/z", "/a/z/b /z"),
        ("/a*b*c", "/abc /aXbYc /abbc", "/ab /abcd"),
        ("/café", "/caf%C3%A9", "/cafe"),
    ] {
        let parsed = Pattern::parse(pattern).expect(pattern);
        for raw in covered.split_whitespace().filter(|raw| !raw.contains("/.")) {
            assert!(parsed.matches(&path(raw)), "{pattern} does not cover {raw}");
        }
        for raw in not_covered.split_whitespace() {
            assert!(!parsed.matches(&path(raw)), "{pattern} covers {raw}");
        }
    }
}

#[test]
fn a_pattern_that_would_protect_nothing_is_refused_with_advice() {
    for (pattern, advice) in [
        (
            "members/**",
            "must begin with `/`, for example `/members/**`",
        ),
        ("", "must begin with `/`"),
        ("/members/**.html", "`**` must stand alone"),
        ("/members**", "`**` must stand alone"),
        ("/***", "`**` must stand alone"),
        ("/a//b", "write one slash"),
        ("//", "write one slash"),
        ("/a/../b", "holds `..`"),
        ("/./b", "holds `.`"),
        ("/caf%C3%A9", "written decoded"),
        ("/a?b=1", "no part of a path"),
        ("/a#b", "no part of a path"),
        ("/a?.html", "write `*`"),
        ("/{a,b}/**", "one rule for each path"),
        ("/[ab]/**", "one rule for each path"),
        ("/a\\b", "write `/` between folders"),
        ("/a;b", "never served"),
        ("/a\nb", "control characters"),
        ("/members/** ", "ends in a blank"),
    ] {
        let error = Pattern::parse(pattern).expect_err(pattern);
        assert!(error.contains(advice), "{pattern}: {error}");
    }
}

#[test]
fn the_first_rule_that_matches_decides_and_none_means_public() {
    let rules = rules(&[
        ("/members/", Public),
        ("/members/teaser.html", Public),
        ("/members/board/**", roles(&["board", "staff"])),
        ("/members/**", SignedIn),
    ]);
    for (raw, expected) in [
        ("/", Public),
        ("/members", Public),
        ("/members/", Public),
        ("/members/index.html", Public),
        ("/members/teaser.html", Public),
        ("/members/teaser.html.gz", SignedIn),
        ("/members/other.html", SignedIn),
        ("/members/board/", roles(&["board", "staff"])),
        ("/members/board/minutes.html.br", roles(&["board", "staff"])),
    ] {
        assert_eq!(rules.access(&path(raw)), expected, "{raw}");
    }
}

#[test]
fn no_spelling_of_an_index_page_or_of_a_compressed_copy_is_a_way_around_a_rule() {
    let rules = rules(&[
        ("/open/*", Public),
        ("/a/*.html", SignedIn),
        ("/open/x/index.html", SignedIn),
    ]);
    for raw in [
        "/a/",
        "/a/index.html",
        "/a/x.html",
        "/a/x.html.gz",
        "/a/x.html.br",
        "/a/index.html.br",
    ] {
        assert_eq!(rules.access(&path(raw)), SignedIn, "{raw}");
    }
    for raw in ["/open/x/", "/open/x/index.html", "/open/x/index.html.br.gz"] {
        assert_eq!(rules.access(&path(raw)), SignedIn, "{raw}");
    }
}

#[test]
fn a_wildcard_that_covers_a_folder_covers_its_index_page_in_every_spelling() {
    for (pattern, raw) in [
        ("/members/*", "/members/ada"),
        ("/*", "/members"),
        ("/*/*/notes", "/members/ada/notes"),
        ("/**/private", "/a/b/private"),
        ("/members/a*", "/members/ada"),
    ] {
        let rules = rules(&[(pattern, SignedIn)]);
        for spelling in ["", "/", "/index.html", "/index.html.gz", "/index.html.br"] {
            let raw = format!("{raw}{spelling}");
            assert_eq!(rules.access(&path(&raw)), SignedIn, "{pattern}: {raw}");
        }
    }
    let rules = rules(&[("/open/*", Public), ("/**", SignedIn)]);
    assert_eq!(
        rules.access(&path("/open/x/index.html")),
        SignedIn,
        "what is public is not widened"
    );
}

#[test]
fn the_stricter_of_two_demands_satisfies_both() {
    let (one, two) = (roles(&["a", "b"]), roles(&["b", "c"]));
    assert_eq!(Public.stricter(SignedIn), SignedIn);
    assert_eq!(SignedIn.stricter(Public), SignedIn);
    assert_eq!(SignedIn.stricter(one.clone()), one);
    assert_eq!(one.clone().stricter(Public), one);
    assert_eq!(one.stricter(two), roles(&["b"]));
}

#[test]
fn what_is_protected_is_said_to_people() {
    assert_eq!(
        rules(&[("/a", Public), ("/b/**", SignedIn), ("/c", roles(&["x"]))]).describe(),
        "/b/**, /c"
    );
    assert_eq!(Rules::default().describe(), "nothing");
}

#[test]
fn a_pattern_made_to_be_slow_is_not() {
    let pattern = Pattern::parse(&format!(
        "/{}/**/b",
        "**/a*a*a*"
            .repeat(40)
            .replace("**/a", "/**/a")
            .trim_matches('/')
    ))
    .expect("a pattern");
    assert!(!pattern.matches(&path(&format!("/{}", "aaaaaaaaaaaaaaaa/".repeat(200)))));
}

fn any_access() -> impl Strategy<Value = Access> {
    let roles = prop::collection::vec(prop::sample::select(vec!["a", "b", "c"]), 0..3);
    prop_oneof![
        Just(Public),
        Just(SignedIn),
        roles.prop_map(|names| self::roles(&names)),
    ]
}

/// Short patterns of few letters, so that they meet the paths.
fn any_rules() -> impl Strategy<Value = Rules> {
    let pattern = "(/(\\*\\*|\\*|a|b|a\\*|\\*\\.html|index\\.html)){1,4}/?";
    let rule = (pattern, any_access()).prop_map(|(pattern, access)| Rule {
        pattern: Pattern::parse(&pattern).expect("a pattern"),
        access,
    });
    prop::collection::vec(rule, 0..6).prop_map(Rules::new)
}

proptest! {
    #[test]
    fn all_names_of_an_index_page_need_the_same(rules in any_rules(), folder in "(/(a|b|ab|index\\.html)){0,3}") {
        let of_folder = rules.access(&path(&format!("{folder}/")));
        prop_assert_eq!(&rules.access(&path(&format!("{folder}/index.html"))), &of_folder);
        let exact: Vec<Rule> = rules.iter().filter(|rule| rule.pattern.exact().is_some()).cloned().collect();
        let exact = Rules::new(exact);
        if !folder.is_empty() && !folder.ends_with("index.html") {
            // Without its slash the folder is a file for all that the rules know: it needs the same or less.
            let without_slash = rules.access(&path(&folder));
            prop_assert_eq!(&of_folder.clone().stricter(without_slash), &of_folder);
            prop_assert_eq!(exact.access(&path(&folder)), exact.access(&path(&format!("{folder}/"))));
        }
    }

    #[test]
    fn a_compressed_copy_needs_at_least_what_its_file_needs(rules in any_rules(), name in "(/(a|b|index\\.html)){1,3}", copy in "(\\.br|\\.gz){1,2}") {
        let of_file = rules.access(&path(&name));
        let of_copy = rules.access(&path(&format!("{name}{copy}")));
        prop_assert_eq!(of_copy.clone().stricter(of_file), of_copy);
    }

    #[test]
    fn a_folder_rule_covers_everything_below_and_nothing_beside(inside in "(/[a-z]{1,3}){0,4}/?", beside in "[a-z]{1,9}") {
        let rules = rules(&[("/members/**", SignedIn)]);
        prop_assert_eq!(rules.access(&path(&format!("/members{inside}"))), SignedIn);
        prop_assume!(beside != "members");
        prop_assert_eq!(rules.access(&path(&format!("/{beside}{inside}"))), Public);
    }
}

#[test]
fn areas_are_the_entrances_for_every_user() {
    let rules = rules(&[
        ("/a", Public),
        ("/b/**", SignedIn),
        ("/c/**", roles(&["x"])),
        ("/d e/*.html", SignedIn),
        ("/f g/**", SignedIn),
        ("/**", SignedIn),
    ]);
    assert_eq!(rules.areas(), ["/b/", "/f%20g/", "/"]);
}

#[test]
fn an_entrance_that_another_rule_closes_to_some_is_not_told_to_everybody() {
    let rules = rules(&[
        ("/board/**", roles(&["board"])),
        ("/board/", SignedIn),
        ("/*/index.html", roles(&["staff"])),
        ("/staff/**", SignedIn),
        ("/lobby", Public),
        ("/lobby/**", SignedIn),
        ("/rest/index.html", SignedIn),
    ]);
    assert_eq!(rules.areas(), [""; 0]);
}
