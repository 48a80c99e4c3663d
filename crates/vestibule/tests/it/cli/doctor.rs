//! `vestibule doctor`.

use scratch::Redis;
use serde_json::{Value, json};

use super::{PASSWORD, add, folder, folder_of_a_file, register};
use crate::process::{Server, run, stdout};

#[test]
fn the_doctor_finds_what_is_wrong_and_says_how_to_mend_it() {
    let folder = folder_of_a_file();
    let doctor = |more: &[&str]| {
        let output = run(folder.path(), [&["doctor", "--json"], more].concat());
        let findings: Value = serde_json::from_slice(&output.stdout).expect("JSON");
        let failed: Vec<String> = findings
            .as_array()
            .expect("a list")
            .iter()
            .filter(|finding| finding["verdict"] == "fail")
            .map(|finding| finding["check"].as_str().expect("a check").to_owned())
            .collect();
        assert_eq!(output.status.code(), Some(i32::from(!failed.is_empty())));
        failed
    };
    assert_eq!(doctor(&[]), ["database"], "there is none yet");
    assert!(
        !folder.path().join("vestibule-data").exists(),
        "to look makes nothing"
    );
    let root = add(folder.path(), "ada@example.org", &["--role", "admin"]);
    assert_eq!(root.status.code(), Some(0));
    assert_eq!(doctor(&[]), Vec::<String>::new());
    assert_eq!(
        doctor(&["--public-url", "http://accounts.example.org"]),
        ["public_url"]
    );
    std::fs::write(folder.path().join("other.key"), [7; 32]).expect("writable");
    assert_eq!(doctor(&["--secret-key-file", "other.key"]), ["database"]);

    assert_eq!(doctor(&["--trusted-proxies", "0.0.0.0/0"]), ["proxies"]);
    let away = ["--redis-url", "unix:///nowhere/redis.sock"];
    assert_eq!(doctor(&away), ["redis"]);

    let report = stdout(&run(folder.path(), ["doctor"]));
    assert!(
        report.lines().all(|line| line.starts_with("ok  ")),
        "{report}"
    );
    assert!(
        report.contains("SQLite 3.") && report.contains("synchronous=2"),
        "{report}"
    );
    assert!(
        report.contains("backups: `vestibule backup FILE` makes one"),
        "{report}"
    );
    assert!(
        report.contains("passwords: 1 hashed as of today, 0 by weaker or other means, 0 that"),
        "{report}"
    );
    let server = Server::start(folder.path(), &[]);
    assert_eq!(
        doctor(&[]),
        Vec::<String>::new(),
        "beside a running server too"
    );
    drop(server);
}

#[test]
fn a_database_without_accounts_needs_no_secret_key_yet() {
    let folder = folder();
    let migrated = run(folder.path(), ["migrate", "up"]);
    assert_eq!(migrated.status.code(), Some(0));
    let output = run(folder.path(), ["doctor"]);
    let report = stdout(&output);
    assert_eq!(output.status.code(), Some(0), "{report}");
    assert!(
        report.contains("ok    secret key: none yet; the first start makes it"),
        "{report}"
    );
    assert!(
        !folder.path().join("vestibule-data/secret.key").exists(),
        "to look makes nothing"
    );

    std::fs::write(folder.path().join("own.key"), [7; 32]).expect("writable");
    let with_own = run(folder.path(), ["doctor", "--secret-key-file", "own.key"]);
    assert!(stdout(&with_own).contains("ok    secret key: not in use yet; the first start founds"));
}

#[test]
fn the_doctor_warns_of_what_works_and_should_be_changed() {
    let folder = folder();
    let bcrypt = ["--password-algorithm", "bcrypt"];
    let added = add(folder.path(), "ada@example.org", &bcrypt);
    assert_eq!(added.status.code(), Some(0));
    let https = ["--public-url", "https://accounts.example.org"];
    let metrics = ["--metrics-listen", "0.0.0.0:9100"];
    let output = run(folder.path(), [&["doctor"][..], &https, &metrics].concat());
    let report = stdout(&output);
    assert_eq!(output.status.code(), Some(0), "{report}");
    for line in [
        "warn  proxies: none is trusted",
        "warn  passwords: 0 hashed as of today, 1 by weaker or other means, 0 that",
        "warn  admin: none; ",
        "      run: vestibule user add EMAIL --role admin",
        "warn  configuration: metrics_listen is 0.0.0.0:9100, which is open to other machines",
    ] {
        assert!(report.contains(line), "{line} in {report}");
    }
    let appoint = ["user", "roles", "ada@example.org", "--add", "admin"];
    assert_eq!(run(folder.path(), appoint).status.code(), Some(0));
    let report = stdout(&run(folder.path(), ["doctor"]));
    assert!(report.contains("ok    admin: there is one"), "{report}");
}

#[test]
fn the_doctor_looks_whether_a_shared_redis_keeps_what_is_counted_in_it() {
    let folder = folder_of_a_file();
    assert_eq!(
        add(folder.path(), "ada@example.org", &[]).status.code(),
        Some(0)
    );
    let redis = Redis::start();
    let url = format!("{}?pass=canary", redis.url());
    let report = || stdout(&run(folder.path(), ["doctor", "--redis-url", &url]));
    let found = format!("  redis: {}?db=0, Redis ", redis.url());
    let _set = redis.ask(&["config", "set", "requirepass", "canary"]);
    let before = report();
    assert!(before.contains(&format!("ok  {found}")), "{before}");
    assert!(!before.contains("canary"), "{before}");

    for (setting, value) in [("maxmemory", "100mb"), ("maxmemory-policy", "allkeys-lru")] {
        let _set = redis.ask(&["-a", "canary", "config", "set", setting, value]);
    }
    let after = report();
    assert!(after.contains(&format!("warn{found}")), "{after}");
    assert!(
        after.contains("set its maxmemory-policy to noeviction"),
        "{after}"
    );
}

#[test]
fn clients_of_a_proxy_that_nobody_named_are_told_of_with_the_setting_to_add() {
    const CROWD: usize = 20;
    let folder = folder_of_a_file();
    let server = Server::start(folder.path(), &[]);
    assert_eq!(server.ready["warnings"], json!([]));
    let forwarded = [
        "Content-Type: application/json",
        "X-Forwarded-For: 198.51.100.7",
    ];
    for number in 0..CROWD {
        register(&server, &format!("user{number}"));
        let login = json!({ "login": format!("user{number}@example.org"), "password": PASSWORD });
        let answer = server.request("POST", "/api/auth/login", &forwarded, &login.to_string());
        assert_eq!(answer.status, 200, "{}", answer.body);
    }
    assert_eq!(server.stop(), Some(0));
    let log = std::fs::read_to_string(folder.path().join("log")).expect("a log");
    let told: Vec<_> = log
        .lines()
        .filter(|line| line.contains("Clients cannot be told apart"))
        .collect();
    assert_eq!(told.len(), 1, "{told:?}");
    let setting = "set trusted_proxies = [\\\"127.0.0.1\\\"]";
    assert!(told[0].contains(setting), "{}", told[0]);

    let report = stdout(&run(folder.path(), ["doctor"]));
    let seen = "warn  client addresses: 20 accounts or more were used from 127.0.0.1";
    assert!(report.contains(seen), "{report}");
    let fix = "set trusted_proxies = [\"127.0.0.1\"]";
    assert!(report.contains(fix), "{report}");
    let server = Server::start(folder.path(), &[]);
    let warnings = server.ready["warnings"].to_string();
    assert!(warnings.contains("20 accounts or more"), "{warnings}");
}
