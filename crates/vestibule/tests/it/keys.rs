//! The keys of access tokens: rotated beside the server, of either kind, or from a file.

use std::{path::Path, time::Duration};

use accounts::{KeyChange, KeyState};
use serde_json::Value;

use crate::{
    place::Place,
    process::{Server, run, stderr, stdout},
    support::{Client, MINUTE, TestApp},
};

const SECOND: Duration = Duration::from_secs(1);
/// The key pair of RFC 8037 appendix A, as OpenSSL writes it.
pub(crate) const ED25519: &str = "-----BEGIN PRIVATE KEY-----\n\
    MC4CAQAwBQYDK2VwBCIEIJ1hsZ3v/VpguoRK9JLsLMREScVpezJpGXA7rAMcrn9g\n\
    -----END PRIVATE KEY-----\n";
const ED25519_ID: &str = "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k";

fn ids(jwks: &Value) -> Vec<String> {
    let keys = jwks["keys"].as_array().expect("a JWK set").iter();
    keys.map(|key| key["kid"].as_str().expect("an id").to_owned())
        .collect()
}

fn kid(token: &str) -> String {
    use base64::Engine as _;
    let header = token.split('.').next().expect("a header");
    let header = base64::prelude::BASE64_URL_SAFE_NO_PAD.decode(header);
    let header: Value = serde_json::from_slice(&header.expect("base64url")).expect("JSON");
    header["kid"].as_str().expect("an id").to_owned()
}

async fn published(client: &Client) -> Vec<String> {
    ids(&client
        .get("/.well-known/jwks.json")
        .await
        .expect_status(200)
        .json())
}

#[tokio::test]
async fn a_rotated_key_is_published_ten_minutes_before_it_signs_and_the_old_one_outlives_its_tokens()
 {
    let (test, anon) = TestApp::new().await;
    let mut ada = test.user("ada").await;
    let old = kid(&ada.access_token);
    let KeyChange::Rotated(key) = test.operator().rotate_signing_key().await.expect("rotates")
    else {
        panic!("not rotated")
    };
    assert_eq!(key.state, KeyState::Announced);
    test.app.accounts().read_keys().await.expect("keys");
    assert_eq!(published(&anon).await, [old.clone(), key.id.clone()]);

    test.clock.advance(10 * MINUTE - SECOND);
    ada.refresh().await.expect_status(200);
    assert_eq!(kid(&ada.access_token), old);
    let last_of_old = ada.clone();
    test.clock.advance(SECOND);
    ada.refresh().await.expect_status(200);
    assert_eq!(kid(&ada.access_token), key.id);

    test.clock.advance(13 * MINUTE);
    last_of_old.get("/api/auth/me").await.expect_status(200);
    ada.get("/api/auth/me").await.expect_status(200);
    assert_eq!(published(&anon).await.len(), 2);
    test.clock.advance(2 * MINUTE + 30 * SECOND);
    last_of_old
        .get("/api/auth/me")
        .await
        .expect_problem(401, "expired_token");
    assert_eq!(published(&anon).await, [key.id]);
}

fn token_of(server: &Server, name: &str) -> String {
    let form = serde_json::json!({
        "email": format!("{name}@example.org"), "password": "correct horse battery staple",
    });
    let answer = server.post("/api/auth/register", &form);
    assert_eq!(answer.status, 201, "{}", answer.body);
    let body = answer.json();
    body["access_token"].as_str().expect("a token").to_owned()
}

fn listed(folder: &Path, more: &[&str]) -> Value {
    let arguments = [&["keys", "list", "--json"], more].concat();
    let output = run(folder, arguments);
    assert!(output.status.success(), "{}", stderr(&output));
    serde_json::from_str(&stdout(&output)).expect("JSON")
}

#[test]
fn a_key_rotated_by_the_command_line_signs_in_the_running_server_before_long() {
    let folder = Place::new();
    let server = Server::start(folder.path(), &["--limits-register-per-ip=off"]);
    let old = token_of(&server, "ada");
    let output = run(folder.path(), ["keys", "rotate", "--now"]);
    assert!(output.status.success(), "{}", stderr(&output));
    let keys = listed(folder.path(), &[]);
    assert_eq!(keys[0]["state"], "retiring");
    assert_eq!(keys[1]["state"], "signing");
    let new = keys[1]["id"].as_str().expect("an id").to_owned();
    assert!(stdout(&output).contains(&new));
    // The server looks each second, so that this ends; each try registers somebody else.
    let token = (0..1_000)
        .map(|number| token_of(&server, &format!("user{number}")))
        .find(|token| kid(token) == new)
        .expect("the server takes notice");
    for token in [&old, &token] {
        assert_eq!(server.me(token).status, 200);
    }
    let jwks = server.request("GET", "/.well-known/jwks.json", &[], "");
    assert_eq!(ids(&jwks.json()), [kid(&old), new]);
    assert_eq!(server.stop(), Some(0));
}

#[test]
fn an_announced_key_is_listed_and_a_second_rotation_refused() {
    let folder = Place::new();
    let output = run(folder.path(), ["keys", "rotate", "--token-algorithm=EdDSA"]);
    assert!(output.status.success(), "{}", stderr(&output));
    let keys = listed(folder.path(), &[]);
    assert_eq!(
        (
            &keys[0]["state"],
            &keys[0]["algorithm"],
            &keys[0]["retires_at"].is_null()
        ),
        (&"signing".into(), &"EdDSA".into(), &false)
    );
    assert_eq!(keys[1]["state"], "announced");
    let again = run(folder.path(), ["keys", "rotate"]);
    assert_eq!(again.status.code(), Some(1));
    assert!(stderr(&again).contains("is published already and signs from"));
    assert!(stderr(&again).contains("nothing was changed"));
    assert_eq!(listed(folder.path(), &[]), keys);
    let table = stdout(&run(folder.path(), ["keys", "list"]));
    assert!(table.starts_with("ID "), "{table}");
    assert_eq!(table.lines().count(), 3);
}

#[test]
fn a_key_in_a_file_rules() {
    let folder = Place::new();
    let path = folder.path().join("signing.pem");
    std::fs::write(&path, ED25519).expect("written");
    let flag = ["--signing-key-file", "signing.pem"];
    let server = Server::start(folder.path(), &flag);
    let warnings = server.ready["warnings"].to_string();
    assert!(
        warnings.contains("signing.pem holds a secret and has mode"),
        "{warnings}"
    );
    let token = token_of(&server, "ada");
    assert_eq!(kid(&token), ED25519_ID);
    assert_eq!(server.me(&token).status, 200);
    let jwks = server
        .request("GET", "/.well-known/jwks.json", &[], "")
        .json();
    assert_eq!(ids(&jwks), [ED25519_ID]);
    assert_eq!(jwks["keys"][0]["kty"], "OKP");
    assert!(jwks["keys"][0].get("d").is_none());

    let keys = listed(folder.path(), &flag);
    assert_eq!(
        (keys.as_array().map(Vec::len), &keys[0]["id"]),
        (Some(1), &ED25519_ID.into())
    );
    let rotate = run(
        folder.path(),
        [&["keys", "rotate"], flag.as_slice()].concat(),
    );
    assert_eq!(rotate.status.code(), Some(1));
    assert!(
        stderr(&rotate).contains("signing_key_file rules"),
        "{}",
        stderr(&rotate)
    );
    let shown = stdout(&run(
        folder.path(),
        [&["config", "show"], flag.as_slice()].concat(),
    ));
    assert!(
        shown.contains("signing.pem") && !shown.contains("nWGx"),
        "{shown}"
    );
    assert_eq!(server.stop(), Some(0));
}

#[test]
fn a_file_that_holds_no_key_of_ours_ends_the_start_and_says_what_is_expected() {
    let folder = Place::new();
    let sec1 = ED25519.replace("PRIVATE KEY", "EC PRIVATE KEY");
    for (text, expected) in [
        ("canary", "one private key in PEM form"),
        (sec1.as_str(), "openssl pkcs8 -topk8 -nocrypt"),
        (
            &ED25519.replace("BQYDK2Vw", "BQYDK2Vv"),
            "a P-256 or Ed25519 private key",
        ),
    ] {
        std::fs::write(folder.path().join("signing.pem"), text).expect("written");
        let output = run(
            folder.path(),
            ["serve", "--signing-key-file", "signing.pem"],
        );
        assert_eq!(output.status.code(), Some(2));
        let said = stderr(&output);
        assert!(
            said.contains("signing_key_file") && said.contains(expected),
            "{said}"
        );
        assert!(!said.contains("canary") && !said.contains("nWGx"), "{said}");
    }
    let output = run(folder.path(), ["serve", "--token-algorithm", "RS256"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(
        stderr(&output).contains("one of ES256, EdDSA"),
        "{}",
        stderr(&output)
    );
}
