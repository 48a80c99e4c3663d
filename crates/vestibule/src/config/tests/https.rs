//! TLS of the server itself: which settings need each other, and what follows from them.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;

use super::Operator;

const CERTIFICATE: [&str; 2] = ["--tls-cert", "cert.pem"];
const KEY: [&str; 2] = ["--tls-key", "key.pem"];

fn said(parts: &[&[&str]]) -> Operator {
    Operator::says(&parts.concat())
}

#[test]
fn certificate_and_key_need_each_other() {
    for (alone, missing) in [(CERTIFICATE, "tls.key"), (KEY, "tls.cert")] {
        let problems = said(&[&alone, &["--public-url", "https://a.example"]]).problems();
        assert!(
            problems.contains(&format!("{missing} as well")),
            "{problems}"
        );
    }
}

#[test]
fn a_server_with_a_certificate_is_reached_by_https() {
    let config = said(&[&CERTIFICATE, &KEY]).config();
    assert_eq!(config.public_url.as_str(), "https://localhost:8080");
    let config = config.with_bound(([127, 0, 0, 1], 4567).into());
    assert_eq!(config.public_url.as_str(), "https://localhost:4567");
    assert_eq!(config.token.issuer, "https://localhost:4567");
    let origins: Vec<_> = config
        .own_origins()
        .iter()
        .map(ToString::to_string)
        .collect();
    assert_eq!(
        origins,
        [
            "https://localhost:4567",
            "https://127.0.0.1:4567",
            "https://[::1]:4567"
        ]
    );
    let problems = said(&[&CERTIFICATE, &KEY, &["--public-url", "http://a.example"]]).problems();
    assert!(
        problems.contains("public_url") && problems.contains("an https origin"),
        "{problems}"
    );
}

#[test]
fn plain_http_is_sent_on_to_https_alone() {
    let redirect = ["--https-redirect", "127.0.0.1:80"];
    let behind_a_proxy = said(&[&redirect, &["--public-url", "https://a.example"]]).config();
    assert!(behind_a_proxy.tls.is_none() && behind_a_proxy.https_redirect.is_some());
    let problems = said(&[&redirect]).problems();
    assert!(
        problems.contains("https_redirect") && problems.contains("https origin"),
        "{problems}"
    );
}

#[test]
fn a_key_that_everybody_may_read_earns_a_warning() {
    let folder = tempfile::tempdir().unwrap();
    let key = folder.path().join("key.pem");
    fs::write(&key, "").unwrap();
    let warnings = |mode| {
        fs::set_permissions(&key, Permissions::from_mode(mode)).unwrap();
        let key = ["--tls-key", key.to_str().unwrap()];
        said(&[&CERTIFICATE, &key]).loaded().warnings.join("\n")
    };
    assert!(warnings(0o644).contains("chmod 600"));
    // Certificates are often kept for a group of servers.
    assert_eq!(warnings(0o640), "");
}
