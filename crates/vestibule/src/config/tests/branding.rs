//! What makes the built-in pages look like the operator's.

use insta::assert_snapshot;

use super::{Operator, key_file};
use crate::config::Locale;

#[test]
fn logo_and_style_sheet_are_read_at_start() {
    let (_logo_folder, logo) = key_file(b"<svg/>", 0o644);
    let (_style_folder, style) = key_file(b"h1 {}", 0o644);
    let loaded = Operator::says(&["--ui-logo", &logo, "--ui-css", &style]).loaded();
    let ui = &loaded.config.ui;
    assert_eq!(ui.logo.as_ref().unwrap().bytes, &b"<svg/>"[..]);
    assert_eq!(ui.css.as_ref().unwrap().bytes, &b"h1 {}"[..]);
    assert!(loaded.warnings.is_empty(), "they hold no secret");
    let nothing = Operator::default().config().ui;
    assert_eq!((nothing.logo, nothing.css), (None, None));
}

#[test]
fn what_cannot_be_shown_is_refused_all_at_once() {
    let (_folder, page) = key_file(b"<!doctype html>", 0o644);
    let problems = Operator::default()
        .file(&format!(
            "[ui]\nlogo = '{page}'\ncss = '{page}'\nlocale = 'fr'"
        ))
        .problems()
        .replace(&page, "PAGE");
    assert_snapshot!(problems, @r"
    ui.css from vestibule.toml:3: expected a file with a style sheet (CSS in UTF-8); got `PAGE`
    ui.locale from vestibule.toml:4: expected one of auto, en, de; got `fr`
    ui.logo from vestibule.toml:2: expected a file with a picture in the form of SVG (UTF-8) or PNG; got `PAGE`
    ");
    let missing = Operator::default()
        .variable("VESTIBULE_UI_LOGO", "/nowhere/logo.svg")
        .flags(&["--ui-css", "/"])
        .problems();
    assert_snapshot!(missing, @r"
    ui.css from --ui-css: expected the path of a file that can be read (it is not a regular file); got `/`
    ui.logo from VESTIBULE_UI_LOGO: expected the path of a file that can be read (there is no such file); got `/nowhere/logo.svg`
    ");
}

#[test]
fn a_language_is_fixed_or_left_to_the_browser() {
    let locale = |word: &str| Operator::says(&["--ui-locale", word]).config().ui.locale;
    assert_eq!(locale("de"), Some(Locale::German));
    assert_eq!(locale("en"), Some(Locale::English));
    assert_eq!(locale("auto"), None);
}
