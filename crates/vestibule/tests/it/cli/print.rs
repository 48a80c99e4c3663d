//! `vestibule print`. That the programs take what is printed, and what it does, is tried with themselves by
//! `xtask/outside/proxies.py`, for the unit of systemd by `xtask/outside/systemd.py`.

use std::path::Path;

use super::folder;
use crate::process::{run, stderr, stdout};

const PROXIES: [&str; 4] = ["nginx", "caddy", "traefik", "haproxy"];
const NAMES: [&str; 4] = ["User", "Email", "Name", "Groups"];

fn printed(arguments: &[&str]) -> String {
    let folder = folder();
    let output = run(folder.path(), [&["print"], arguments].concat());
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    assert!(
        !folder.path().join("vestibule-data").exists(),
        "printing makes nothing"
    );
    stdout(&output)
}

#[test]
fn what_is_printed_is_ready_for_the_settings() {
    for proxy in PROXIES {
        for (public_url, named) in [
            ("https://id.example.org", "id.example.org"),
            ("http://127.0.0.1:20443", "127.0.0.1"),
        ] {
            let text = printed(&[
                proxy,
                "--public-url",
                public_url,
                "--listen",
                "0.0.0.0:9090",
            ]);
            assert!(!text.contains("{{") && !text.contains("}}"), "{text}");
            assert!(text.contains(public_url) && text.contains(named), "{text}");
            assert!(
                text.contains("127.0.0.1:9090"),
                "where the proxy finds us: {text}"
            );
            assert!(
                text.contains("trusted_proxies = [\"127.0.0.1/32\"]"),
                "{text}"
            );
        }
    }
}

#[test]
fn what_visitors_say_of_themselves_is_taken_away_in_both_spellings() {
    for proxy in PROXIES {
        let text = printed(&[proxy, "--public-url", "https://id.example.org"]);
        for name in NAMES {
            let is_named = |spelling: String| text.contains(&spelling);
            let by_name = is_named(format!("Remote-{name}")) && is_named(format!("Remote_{name}"));
            let by_beginning = text.contains("-Remote-*") && text.contains("-Remote_*")
                || text.contains("Remote- -m beg") && text.contains("Remote_ -m beg");
            assert!(by_name || by_beginning, "{proxy}: {name}");
        }
    }
}

#[test]
fn the_app_is_where_the_operator_says() {
    for proxy in ["nginx", "caddy", "traefik"] {
        let usual = printed(&[proxy, "--public-url", "https://id.example.org"]);
        assert!(usual.contains("http://127.0.0.1:3000"), "{usual}");
        let app = ["--app", "http://app.internal:5000/"];
        let text =
            printed(&[&[proxy, "--public-url", "https://id.example.org"], &app[..]].concat());
        assert!(
            text.contains("http://app.internal:5000") && !text.contains(":3000"),
            "{text}"
        );
    }
}

#[test]
fn a_proxy_that_is_trusted_already_is_not_asked_for_again() {
    let arguments = [
        "nginx",
        "--public-url",
        "https://id.example.org",
        "--trusted-proxies",
        "127.0.0.0/8",
    ];
    let text = printed(&arguments);
    assert!(!text.contains("trusted_proxies = ["), "{text}");
    let elsewhere = printed(&[
        "nginx",
        "--public-url",
        "https://id.example.org",
        "--listen",
        "10.0.0.11:8080",
    ]);
    assert!(elsewhere.contains("server 10.0.0.11:8080;"), "{elsewhere}");
    assert!(
        elsewhere.contains("its address has to be one of trusted_proxies"),
        "{elsewhere}"
    );
}

#[test]
fn what_a_proxy_could_not_work_with_is_said() {
    let folder = folder();
    let output = run(folder.path(), ["print", "nginx"]);
    assert_eq!(output.status.code(), Some(0));
    assert!(
        stderr(&output).contains("public_url is http://localhost:8080"),
        "{}",
        stderr(&output)
    );
    for wrong in [
        &["print"][..],
        &["print", "apache"],
        &["print", "nginx", "--app", "127.0.0.1:3000"],
        &["print", "nginx", "--app", "http://127.0.0.1:3000/app"],
        &["print", "haproxy", "--app", "http://127.0.0.1:3000"],
        &["print", "nginx", "--listen", "127.0.0.1:0"],
    ] {
        let output = run(folder.path(), wrong);
        assert_eq!(
            output.status.code(),
            Some(2),
            "{wrong:?}: {}",
            stderr(&output)
        );
    }
}

#[test]
fn what_compose_gets_is_the_file_of_the_database_with_the_address_in_it() {
    for (chosen, file) in [
        (vec![], "sqlite.yml"),
        (vec!["sqlite"], "sqlite.yml"),
        (vec!["postgres"], "postgres.yml"),
        (vec!["mariadb"], "mariadb.yml"),
    ] {
        let url = ["--public-url", "https://id.example.org"];
        let text = printed(&[&["compose"], &*chosen, &url].concat());
        let files = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../deploy/compose");
        let file = std::fs::read_to_string(files.join(file)).unwrap();
        let url_of_the_environment = "${VESTIBULE_PUBLIC_URL:-http://localhost:8080}";
        assert!(file.contains(url_of_the_environment), "{file}");
        let expected = file.replace(url_of_the_environment, "https://id.example.org");
        assert_eq!(text, expected);
    }
}

#[test]
fn the_unit_of_systemd_may_do_what_these_settings_need_and_no_more() {
    let unit = printed(&["systemd", "--public-url", "https://id.example.org"]);
    assert!(!unit.contains("{{") && !unit.contains("}}"), "{unit}");
    for line in [
        "Description=Vestibule, user accounts for https://id.example.org",
        "ExecStart=/usr/local/bin/vestibule serve --config /etc/vestibule/vestibule.toml",
        "Environment=VESTIBULE_DATA_DIR=/var/lib/vestibule",
        "TimeoutStopSec=15",
        "CapabilityBoundingSet=",
        "PrivateUsers=yes",
    ] {
        assert!(
            unit.lines().any(|printed| printed == line),
            "{line}: {unit}"
        );
    }
    let folder = folder();
    std::fs::write(
        folder.path().join("own settings.toml"),
        "listen = \"0.0.0.0:443\"\ndata_dir = \"/srv/100% ours\"\ndrain_delay = \"5s\"\n",
    )
    .expect("a file");
    let output = run(
        folder.path(),
        ["print", "systemd", "--config", "own settings.toml"],
    );
    let unit = stdout(&output);
    let config = std::fs::canonicalize(folder.path()).expect("a path");
    let config = config.join("own settings.toml");
    for line in [
        &format!(
            "ExecStart=/usr/local/bin/vestibule serve --config \"{}\"",
            config.display()
        ),
        "Environment=\"VESTIBULE_DATA_DIR=/srv/100%% ours\"",
        "ReadWritePaths=\"/srv/100%% ours\"",
        "TimeoutStopSec=20",
        "CapabilityBoundingSet=CAP_NET_BIND_SERVICE",
        "AmbientCapabilities=CAP_NET_BIND_SERVICE",
    ] {
        assert!(
            unit.lines().any(|printed| printed == line),
            "{line}: {unit}"
        );
    }
    assert!(!unit.contains("PrivateUsers"), "{unit}");
}

#[test]
fn the_unit_of_systemd_may_write_where_the_settings_have_files_and_nowhere_else() {
    let writable = |arguments: &[&str]| {
        let unit = printed(&[&["systemd"], arguments].concat());
        let folders = unit
            .lines()
            .filter_map(|line| line.strip_prefix("ReadWritePaths="));
        folders.map(str::to_owned).collect::<Vec<_>>()
    };
    let audit = |file| ["--audit-file", file];
    let database = |url| ["--database-url", url];
    let moved = ["--data-dir", "/srv/data"];
    let state = audit("/var/lib/vestibule/audit.jsonl");
    for is_writable_already in [state, audit("audit.jsonl"), audit("/dev/stdout")] {
        assert_eq!(writable(&is_writable_already), [""; 0]);
    }
    let log = audit("/var/log/our ids/audit.jsonl");
    assert_eq!(writable(&log), [r#""/var/log/our ids""#]);
    let accounts = database("sqlite:///srv/accounts/ids.db");
    let all = [moved, accounts, log].concat();
    let expected = r#"/srv/data /srv/accounts "/var/log/our ids""#;
    assert_eq!(writable(&all), [expected]);
    let within = [moved, audit("/srv/data/logs/audit.jsonl")].concat();
    assert_eq!(writable(&within), ["/srv/data"]);
}
