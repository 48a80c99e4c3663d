//! The language of the built-in pages: that of the browser, unless the operator has fixed one.

use crate::support::{Answer, TestApp};

#[tokio::test]
async fn pages_come_in_the_language_that_the_browser_asks_for() {
    let (_app, anon) = TestApp::new().await;
    for (asked, lang) in [
        ("de-DE,de;q=0.9,en;q=0.8", "de"),
        ("en-GB,en;q=0.9,de;q=0.8", "en"),
        ("fr", "en"),
        ("\u{e9};q=1, ;;;, de;q=9", "en"),
    ] {
        let answer = anon
            .visit("/login")
            .header("accept-language", asked)
            .await
            .expect_status(200);
        assert!(differs_by_language(&answer));
        let start = format!("<html lang=\"{lang}\">");
        assert!(answer.text().contains(&start), "{asked}");
    }
}

#[tokio::test]
async fn a_language_that_is_configured_is_that_of_every_page() {
    let (_app, anon) = TestApp::with(&[("ui.locale", "de")]).await;
    for asked in ["en", "fr", "*;q=0"] {
        let answer = anon
            .visit("/account")
            .header("accept-language", asked)
            .await
            .expect_status(200);
        assert!(!differs_by_language(&answer), "{asked}");
        assert!(answer.text().contains("<html lang=\"de\">"), "{asked}");
    }
}

fn differs_by_language(answer: &Answer) -> bool {
    let mut vary = answer.headers.get_all("vary").iter();
    vary.any(|value| value == "accept-language")
}
