//! Where the server listens and how it is reached: what an origin is, what follows from a port, and
//! what is said of addresses that other machines reach.

use insta::assert_snapshot;

use super::Operator;
use crate::config::{Origin, SyslogAddress};

#[test]
fn an_address_open_to_others_earns_a_warning_while_public_url_is_local() {
    assert_snapshot!(Operator::default().variable("PORT", "80").loaded().warnings.join("\n"), @"public_url is http://localhost, but 0.0.0.0:80 is open to other machines, whose browsers will be refused: set public_url");
    let named = Operator::says(&[
        "--listen",
        "0.0.0.0:80",
        "--public-url",
        "https://example.org",
    ]);
    assert!(named.loaded().warnings.is_empty());
}

#[test]
fn metrics_for_other_machines_earn_a_warning() {
    let warnings = |address| {
        let operator = Operator::says(&["--metrics-listen", address]);
        operator.loaded().warnings.join("\n")
    };
    assert_snapshot!(warnings("[::]:9100"), @"metrics_listen is [::]:9100, which is open to other machines, and metrics ask for no login: let nobody but your monitoring reach it");
    assert_eq!(warnings("127.0.0.1:9100"), "");
}

#[test]
fn public_url_is_an_origin() {
    let read = |text: &str| Origin::parse(text).map(|origin| origin.to_string());
    assert_eq!(
        read("HTTPS://Example.ORG:443/").as_deref(),
        Some("https://example.org")
    );
    assert_eq!(
        read("http://[::1]:8080").as_deref(),
        Some("http://[::1]:8080")
    );
    for refused in [
        "example.org",
        "ftp://example.org",
        "https://example.org/a",
        "https://example.org/?",
        "https://example.org/#",
        "https://@example.org",
        "https://*.example.org",
        "null",
        "*",
    ] {
        assert_eq!(read(refused), None, "{refused}");
    }
}

#[test]
fn a_syslog_is_a_socket_of_this_machine_or_a_host() {
    let udp = |host: &str, port| SyslogAddress::Udp(host.to_owned(), port);
    for (text, address) in [
        ("unix:/dev/log", SyslogAddress::Unix("/dev/log".into())),
        ("udp://192.0.2.1:5514", udp("192.0.2.1", 5514)),
        ("udp://logs.example.org", udp("logs.example.org", 514)),
        ("udp://[::1]:514", udp("::1", 514)),
    ] {
        let config = Operator::says(&["--audit-syslog", text]).config();
        assert_eq!(config.audit.syslog, Some(address), "{text}");
    }
    for refused in [
        "/dev/log",
        "unix:",
        "tcp://192.0.2.1",
        "udp://",
        "udp://a@b",
        "udp://a/b",
    ] {
        let problems = Operator::says(&["--audit-syslog", refused]).problems();
        assert!(
            problems.contains("where a syslog listens"),
            "{refused}: {problems}"
        );
    }
}

#[test]
fn what_follows_from_the_port_is_decided_when_it_is_bound() {
    let bound = "127.0.0.1:4567".parse().unwrap();
    let config = Operator::says(&["--listen", "127.0.0.1:0", "--token-audience", "app"])
        .config()
        .with_bound(bound);
    assert_eq!(config.listen, bound);
    assert_eq!(config.public_url.as_str(), "http://localhost:4567");
    assert_eq!(
        (config.token.issuer.as_str(), config.token.audience.as_str()),
        ("http://localhost:4567", "app")
    );
    let own: Vec<_> = config.own_origins().iter().map(Origin::to_string).collect();
    assert_eq!(
        own,
        [
            "http://localhost:4567",
            "http://127.0.0.1:4567",
            "http://[::1]:4567"
        ]
    );

    let config = Operator::says(&["--public-url", "https://example.org"])
        .config()
        .with_bound(bound);
    assert_eq!(
        config.own_origins(),
        [Origin::parse("https://example.org").unwrap()]
    );
    assert_eq!(config.token.issuer, "https://example.org");
}
