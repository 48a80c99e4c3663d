//! Which spellings are accepted, and which of them are one name.

use proptest::prelude::*;

use super::*;

fn email(text: &str) -> Email {
    Email::parse(text).unwrap_or_else(|refusal| panic!("{text:?}: {refusal:?}"))
}

fn refusal_of_email(text: &str) -> &'static str {
    match Email::parse(text) {
        Ok(_) => panic!("{text:?} was accepted"),
        Err(refusal) => refusal.code,
    }
}

#[test]
fn an_address_is_trimmed_and_its_domain_lower_cased_while_the_local_part_stays_as_typed() {
    let ada = email("  Ada.Lovelace+News@Example.ORG\n");
    assert_eq!(ada.as_str(), "Ada.Lovelace+News@example.org");
    assert_eq!(ada.key(), "ada.lovelace+news@example.org");
    assert_eq!(ada.local_part(), "Ada.Lovelace+News");
}

#[test]
fn a_domain_of_other_scripts_becomes_its_a_label() {
    assert_eq!(
        email("ada@BÜCHER.example").as_str(),
        "ada@xn--bcher-kva.example"
    );
    assert_eq!(
        email("ada@例え。テスト").as_str(),
        "ada@xn--r8jz45g.xn--zckzah"
    );
    assert_eq!(
        email("ada@xn--bcher-kva.example"),
        email("ada@bücher.example")
    );
    assert_eq!(email("ada@faß.example").as_str(), "ada@xn--fa-hia.example");
}

#[test]
fn spellings_in_other_case_share_a_key() {
    for (one, other) in [
        ("ADA@EXAMPLE.ORG", "ada@example.org"),
        ("ÁDMIN@example.org", "ádmin@example.org"),
        ("A\u{301}dmin@example.org", "\u{E1}DMIN@example.org"),
        ("ΟΔΟΣ@example.org", "οδος@example.org"),
        ("ЮЛИЯ@example.org", "юлия@example.org"),
        ("\u{212A}im@example.org", "kim@example.org"),
    ] {
        assert_eq!(email(one).key(), email(other).key(), "{one} {other}");
    }
}

#[test]
fn different_letters_never_share_a_key() {
    for (one, other) in [
        ("admin@example.org", "ádmin@example.org"),
        ("mike@example.org", "mıke@example.org"),
        ("sam@example.org", "ſam@example.org"),
        ("strasse@example.org", "straße@example.org"),
        ("ada+a@example.org", "ada@example.org"),
        ("a.da@example.org", "ada@example.org"),
        ("аda@example.org", "ada@example.org"),
    ] {
        assert_ne!(email(one).key(), email(other).key(), "{one} {other}");
    }
}

#[test]
fn what_is_no_address_is_refused() {
    for text in [
        "",
        "@",
        "ada",
        "ada@",
        "@example.org",
        "a@b@example.org",
        "ada@@example.org",
        "ada lovelace@example.org",
        ".ada@example.org",
        "ada.@example.org",
        "a..da@example.org",
        "\"ada\"@example.org",
        "ada@example",
        "ada@localhost",
        "ada@127.0.0.1",
        "ada@[127.0.0.1]",
        "ada@example.org.",
        "ada@.example.org",
        "ada@example..org",
        "ada@-example.org",
        "ada@exam_ple.org",
        "ada@example.org, bob@example.org",
        "Ada <ada@example.org>",
        "ada@exa mple.org",
        "a(comment)da@example.org",
        "ada@xn--a.example",
        "a\u{200B}da@example.org",
        "a\u{FEFF}da@example.org",
        "a\u{A0}da@example.org",
    ] {
        assert_eq!(refusal_of_email(text), "invalid_email", "{text:?}");
    }
}

#[test]
fn controls_are_refused_as_such() {
    for text in [
        "a\0da@example.org",
        "ada@example.org\r\nBcc: x@y.z",
        "a\u{85}da@example.org",
        "a\u{202E}da@example.org",
        "ada@\u{2066}example.org",
        "a\u{7F}da@example.org",
    ] {
        assert_eq!(refusal_of_email(text), "control_character", "{text:?}");
    }
}

#[test]
fn lengths_are_those_of_smtp() {
    let longest_local_part = "a".repeat(64);
    email(&format!("{longest_local_part}@example.org"));
    assert_eq!(
        refusal_of_email(&format!("a{longest_local_part}@example.org")),
        "invalid_email"
    );

    let label = "a".repeat(59);
    let domain = [label.as_str(); 3].join(".");
    let longest = format!("{longest_local_part}@{domain}.example");
    assert_eq!(longest.len(), 252);
    email(&longest);
    assert_eq!(
        refusal_of_email(&longest.replace("example", "examplesss")),
        "too_long"
    );
    // Short as typed, too long once each label is an A-label.
    let long_as_a_label = format!("{}@{}.example", "a".repeat(60), ["ü"; 25].join("."));
    assert!(long_as_a_label.len() < 254);
    assert_eq!(refusal_of_email(&long_as_a_label), "too_long");
    assert_eq!(
        refusal_of_email(&format!("ada@{}", "a".repeat(1 << 20))),
        "too_long"
    );
}

#[test]
fn usernames_are_ascii_and_compare_without_case() {
    let ada = Username::parse("Ada_L.1-x").unwrap();
    assert_eq!((ada.as_str(), ada.key()), ("Ada_L.1-x", "ada_l.1-x"));
    assert!(Username::parse(&"a".repeat(32)).is_ok());
    for text in [
        "",
        "ab",
        ".ada",
        "_ada",
        "-ada",
        "a da",
        "ada@x",
        "ádmin",
        "ada\n",
        " ada",
        &"a".repeat(33),
    ] {
        let refusal = Username::parse(text).unwrap_err();
        assert_eq!(refusal.code, "invalid_username", "{text:?}");
    }
}

#[test]
fn display_names_are_one_line_of_up_to_a_hundred_characters() {
    assert_eq!(
        DisplayName::parse("  Ada, Gräfin Lovelace 👩\u{200D}💻 ")
            .unwrap()
            .as_str(),
        "Ada, Gräfin Lovelace 👩\u{200D}💻"
    );
    assert!(DisplayName::parse(&"é".repeat(100)).is_ok());
    for (text, code) in [
        (" ", "blank"),
        (&*"é".repeat(101), "too_long"),
        ("Ada\nLovelace", "control_character"),
        ("Ada\tLovelace", "control_character"),
        ("\u{202E}adA", "control_character"),
    ] {
        assert_eq!(DisplayName::parse(text).unwrap_err().code, code, "{text:?}");
    }
}

#[test]
fn roles_are_short_words_that_fit_a_header() {
    assert_eq!(Role::parse("staff_2-b").unwrap().as_str(), "staff_2-b");
    for text in ["", "Admin", "a,b", "a b", "é", "a\n", &"a".repeat(33)] {
        assert_eq!(
            Role::parse(text).unwrap_err().code,
            "invalid_role",
            "{text:?}"
        );
    }
}

#[test]
fn login_finds_the_account_by_either_name_in_any_case() {
    let by_email = Login::new(" ADA@Bücher.example ");
    assert!(matches!(by_email.lookup(), LoginKey::Email(_)));
    assert_eq!(by_email.key(), email("ada@bücher.example").key());

    let by_username = Login::new("ADA ");
    assert_eq!(by_username.lookup(), LoginKey::Username("ada".into()));
}

#[test]
fn login_with_a_hopeless_text_yields_a_bounded_key_that_no_account_has() {
    let too_long = "a".repeat(1 << 16);
    let hopeless = [
        "",
        "ab",
        "a\0b",
        "a\u{202E}b@example.org",
        "a@b@c.d",
        &too_long,
    ];
    for text in hopeless {
        let key = Login::new(text).key().to_owned();
        assert!(key.starts_with(' ') && key.len() == 65, "{key:?}");
    }
    assert_ne!(Login::new("a\0b").key(), Login::new("a\0c").key());
}

#[test]
fn names_do_not_show_in_debug_output() {
    let shown = format!(
        "{:?} {:?} {:?} {:?}",
        email("ada@example.org"),
        Username::parse("ada").unwrap(),
        DisplayName::parse("ada").unwrap(),
        Login::new("ada"),
    );
    assert!(!shown.contains("ada"), "{shown}");
}

proptest! {
    #[test]
    fn the_stored_form_reads_back_as_itself(text in "\\PC{1,20}@\\PC{1,20}\\.[a-z\u{E4}\u{3B1}]{2,8}") {
        if let Ok(read) = Email::parse(&text) {
            prop_assert_eq!(&Email::parse(read.as_str()).expect("the stored form is valid"), &read);
            prop_assert_eq!(canonical(read.key()), read.key());
            let login = Login::new(&text);
            prop_assert_eq!(login.key(), read.key());
        }
    }

    #[test]
    fn case_never_makes_another_account(local in "[a-zA-Z0-9àéîõüçñα-ωа-я]{1,12}") {
        let typed = email(&format!("{local}@example.org"));
        let shouted = email(&format!("{}@EXAMPLE.ORG", local.to_uppercase()));
        let whispered = email(&format!("{}@example.org", local.to_lowercase()));
        prop_assert_eq!(typed.key(), shouted.key());
        prop_assert_eq!(typed.key(), whispered.key());
    }

    #[test]
    fn no_text_panics(text in any::<String>()) {
        let _ = (Email::parse(&text), Username::parse(&text), DisplayName::parse(&text), Role::parse(&text));
        prop_assert!(Login::new(&text).key().len() <= Email::MAX_BYTES);
    }
}

#[test]
fn a_key_has_at_most_three_characters_for_each_of_its_text() {
    // By this the columns of keys are measured. Beyond these nothing has another form.
    let longest = ('\0'..='\u{2ffff}').map(|char| {
        let mut text = [0; 4];
        canonical(char.encode_utf8(&mut text)).chars().count()
    });
    assert_eq!(longest.max(), Some(3));
    let text = "\u{fb2c}\u{1d160}\u{0130}";
    assert_eq!(canonical(text).chars().count(), 3 + 3 + 2);
}
