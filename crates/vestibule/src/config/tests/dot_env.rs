//! The `.env` file: quoting as other tools know it, and lines that nobody can read.
//! Where it stands among the places that settings come from is tested above.

use insta::assert_snapshot;

use super::Operator;
use crate::config::load_from;

#[test]
fn lines_of_dot_env_that_cannot_be_read_are_named_by_number() {
    let problems = Operator::default()
        .dot_env("# mine\nVESTIBULE_UI_NAME=Two words\nOTHER=x\nVESTIBULE_LISTEN=127.0.0.1:1\nVESTIBULE_LISTEN=127.0.0.1:2\nVESTIBULE_SECRET_KEY=\"canary\n")
        .problems();
    assert_snapshot!(problems, @r"
    .env:2: expected NAME=value, with quotes around a value that holds spaces, and the quotes closed
    .env:6: expected NAME=value, with quotes around a value that holds spaces, and the quotes closed
    listen from VESTIBULE_LISTEN in .env: expected one line for it; it stands there twice
    ");
}

#[test]
fn dot_env_knows_quotes_comments_and_export_and_leaves_others_alone() {
    let config = Operator::default()
        .dot_env("\u{feff}# mine\nexport VESTIBULE_UI_NAME='Rose & $Crown' # ours\nDJANGO_KEY=1\nVESTIBULE_TOKEN_ISSUER=\"a \\\"b\\\"\"\n")
        .config();
    assert_eq!(config.ui.name, "Rose & $Crown");
    assert_eq!(config.token.issuer, "a \"b\"");
}

#[test]
fn hostile_dot_env_files_are_problems_and_no_panics() {
    for text in [
        "é",
        "A='é\n\u{1}",
        "=",
        "A=b c é\nÉ=é",
        "A=\"\\é\"\nA=${",
        "\0",
        "A='\n#\n'é",
        "A=b #\"é",
    ] {
        let _ = load_from(Operator::default().dot_env(text).inputs);
    }
}
