//! `GET /metrics`, on the real binary: what is counted is counted for the whole process.

use std::fs;

use serde_json::json;

use scratch::{Redis, Server as Engine};

use crate::place::Place;
use crate::process::{Answer, Server};

/// A server that counts, and the address of its metrics.
fn counting(folder: &Place, arguments: &[&str]) -> (Server, String) {
    let metrics = ["--metrics-listen", "127.0.0.1:0"];
    let arguments: Vec<_> = metrics.iter().chain(arguments).copied().collect();
    let server = Server::start(folder.path(), &arguments);
    let address = address_of(&server);
    (server, address)
}

/// Where the metrics of a server are.
pub(crate) fn address_of(server: &Server) -> String {
    let url = server.ready["metrics"].as_str().expect("an address");
    url.strip_prefix("http://")
        .and_then(|rest| rest.strip_suffix("/metrics"))
        .expect("the URL of the metrics")
        .to_owned()
}

/// All that they say now.
pub(crate) fn scrape(address: &str) -> Answer {
    crate::process::request(address, "GET", "/metrics", &[], "")
}

/// The value of one series. A series that is not there is a failure.
fn value(metrics: &str, series: &str) -> f64 {
    let line = metrics
        .lines()
        .find_map(|line| line.strip_prefix(series)?.strip_prefix(' '))
        .unwrap_or_else(|| panic!("no {series} in:\n{metrics}"));
    line.parse().expect("a number")
}

#[test]
fn logins_refreshes_limits_and_requests_are_counted() {
    let folder = Place::new();
    let (server, address) = counting(&folder, &["--limits-login-per-ip", "2/15m"]);
    let before = scrape(&address).body;
    let logins = |outcome| format!("vestibule_logins_total{{outcome=\"{outcome}\"}}");
    assert_eq!(value(&before, &logins("succeeded")), 0.0);

    let ada = json!({ "email": "ada@example.org", "password": "correct horse battery" });
    let registered = server.post("/api/auth/register", &ada).json();
    let refresh = json!({ "refresh_token": registered["refresh_token"] });
    assert_eq!(server.post("/api/auth/refresh", &refresh).status, 200);
    let right = json!({ "login": "ada@example.org", "password": "correct horse battery" });
    let wrong = json!({ "login": "ada@example.org", "password": "something else" });
    assert_eq!(server.post("/api/auth/login", &right).status, 200);
    assert_eq!(server.post("/api/auth/login", &wrong).status, 401);
    assert_eq!(server.post("/api/auth/login", &wrong).status, 401);
    assert_eq!(server.post("/api/auth/login", &wrong).status, 429);

    let after = scrape(&address).body;
    for (series, expected) in [
        (logins("succeeded"), 1.0),
        (logins("refused"), 2.0),
        (logins("limited"), 1.0),
        (
            "vestibule_registrations_total{outcome=\"succeeded\"}".to_owned(),
            1.0,
        ),
        (
            "vestibule_refreshes_total{outcome=\"succeeded\"}".to_owned(),
            1.0,
        ),
        (
            "vestibule_limited_total{policy=\"login_per_ip\"}".to_owned(),
            1.0,
        ),
        ("vestibule_password_hashes_total".to_owned(), 4.0),
        ("vestibule_password_hashes_waiting".to_owned(), 0.0),
        (
            "vestibule_http_requests_total{method=\"POST\",route=\"/api/auth/login\",status=\"401\"}"
                .to_owned(),
            2.0,
        ),
        (
            "vestibule_http_request_duration_seconds_count{method=\"POST\",route=\"/api/auth/login\"}"
                .to_owned(),
            4.0,
        ),
    ] {
        assert_eq!(value(&after, &series), expected, "{series} in:\n{after}");
    }
    assert_eq!(server.stop(), Some(0));
}

#[test]
fn the_connections_to_the_database_are_told_by_purpose_and_so_are_the_waits_for_them() {
    let purposes = |place: &Place| {
        let (server, address) = counting(place, &["--database-max-connections", "7"]);
        let ada = json!({ "email": "ada@example.org", "password": "correct horse battery" });
        assert_eq!(server.post("/api/auth/register", &ada).status, 201);
        let metrics = scrape(&address).body;
        let waited = |purpose| {
            let wait = "vestibule_database_connection_wait_seconds";
            let all = format!("{wait}_bucket{{purpose=\"{purpose}\",le=\"+Inf\"}}");
            metrics.contains(&all).then(|| value(&metrics, &all) > 0.0)
        };
        let most = |purpose| {
            let series = format!("vestibule_database_connections_max{{purpose=\"{purpose}\"}}");
            let most = metrics.contains(&series).then(|| value(&metrics, &series));
            // Whoever has connections hands them out.
            assert_eq!(
                waited(purpose),
                most.map(|_| true),
                "{purpose} in:\n{metrics}"
            );
            most
        };
        [most("read"), most("write"), most("all")]
    };
    assert_eq!(purposes(&Place::in_a_file()), [Some(7.0), Some(1.0), None]);
    assert_eq!(
        purposes(&Place::on(Engine::Postgres)),
        [None, None, Some(7.0)]
    );
}

#[test]
fn what_visitors_make_up_makes_no_series() {
    let folder = Place::new();
    let (server, address) = counting(&folder, &[]);
    for path in ["/made-up-1", "/made-up-2", "/api/made-up-3"] {
        assert_eq!(server.request("GET", path, &[], "").status, 404);
    }
    server.request("BREW", "/made-up-4", &[], "");
    let metrics = scrape(&address).body;
    assert!(!metrics.contains("made-up"), "{metrics}");
    assert!(!metrics.contains("BREW"), "{metrics}");
    let counted = "vestibule_http_requests_total{method=\"GET\",route=\"site\",status=\"404\"}";
    assert_eq!(value(&metrics, counted), 2.0);
}

#[test]
fn the_metrics_stand_at_their_own_address_alone() {
    let folder = Place::new();
    let (server, address) = counting(&folder, &[]);
    assert_eq!(server.request("GET", "/metrics", &[], "").status, 404);
    let answer = scrape(&address);
    assert_eq!(answer.status, 200);
    let head = answer.head.to_lowercase();
    assert!(
        head.contains("content-type: text/plain; version=0.0.4; charset=utf-8"),
        "{head}"
    );
    for path in ["/", "/api/auth/me", "/livez"] {
        let answer = crate::process::request(&address, "GET", path, &[], "");
        assert_eq!(answer.status, 404, "{path}");
    }
    let posted = crate::process::request(&address, "POST", "/metrics", &[], "");
    assert_eq!(posted.status, 405);
}

#[test]
fn the_reference_describes_every_metric_and_no_other() {
    let folder = Place::on(Engine::Postgres);
    let replica = folder.database_url().expect("it is on a server");
    let replica = ["--database-replica-urls", replica];
    let redis = Redis::start();
    let shared = ["--redis-url", &redis.url()];
    let copied = ["--audit-file", "audit.jsonl"];
    let limit = ["--limits-login-per-ip", "1/15m"];
    let arguments = [&limit, &replica[..], &shared, &copied].concat();
    let (server, address) = counting(&folder, &arguments);
    let nobody = json!({ "login": "ada@example.org", "password": "something else" });
    assert_eq!(server.post("/api/auth/login", &nobody).status, 401);
    assert_eq!(server.post("/api/auth/login", &nobody).status, 429);
    // Some are of a database in a file alone.
    let folder = Place::in_a_file();
    let (server, in_file) = counting(&folder, &[]);
    assert_eq!(server.post("/api/auth/login", &nobody).status, 401);
    let metrics = [scrape(&address).body, scrape(&in_file).body].concat();
    let mut told: Vec<_> = metrics
        .lines()
        .filter_map(|line| line.strip_prefix("# HELP ")?.split(' ').next())
        .collect();
    told.sort_unstable();
    told.dedup();
    let page = include_str!("../../../../docs/reference/metrics.md");
    let mut described: Vec<_> = page
        .lines()
        .filter_map(|line| line.strip_prefix("| `")?.split('`').next())
        .collect();
    described.sort_unstable();
    assert_eq!(told, described);
}

#[test]
fn without_the_setting_nothing_listens_for_it() {
    let folder = Place::new();
    let server = Server::start(folder.path(), &[]);
    assert_eq!(server.ready["metrics"], json!(null));
    assert_eq!(server.request("GET", "/metrics", &[], "").status, 404);
}

#[test]
fn a_copy_of_the_audit_log_is_failing_until_it_is_kept_how_far_it_has_got() {
    let folder = Place::new();
    let (server, address) = counting(&folder, &["--audit-file", "audit.jsonl"]);
    let position = folder.path().join("vestibule-data/audit-file.position");
    fs::remove_file(&position).expect("it was made at the start");
    fs::create_dir(&position).expect("nothing is in its place");
    let ada = json!({ "email": "ada@example.org", "password": "correct horse battery" });
    assert_eq!(server.post("/api/auth/register", &ada).status, 201);
    let failures = "vestibule_audit_copy_failures_total{to=\"file\"}";
    let failing = "vestibule_audit_copy_failing{to=\"file\"}";
    // Nothing new happens before the second one.
    let metrics = scrape_until(&address, |metrics| value(metrics, failures) >= 2.0);
    assert_eq!(value(&metrics, failing), 1.0);
    fs::remove_dir(&position).expect("nothing is in it");
    scrape_until(&address, |metrics| value(metrics, failing) == 0.0);
    assert!(position.is_file());
}

/// What the metrics say once they are as they should be, which takes a few seconds.
fn scrape_until(address: &str, are_as_expected: impl Fn(&str) -> bool) -> String {
    let mut told = (0..100_000).map(|_| scrape(address).body);
    let metrics = told.find(|metrics| are_as_expected(metrics));
    metrics.unwrap_or_else(|| panic!("it never comes: {}", scrape(address).body))
}
