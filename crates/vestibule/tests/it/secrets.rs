//! Nothing secret is written down: neither in the log, at its most talkative, nor in the metrics, on the terminal or
//! in the files of the data folder.

mod panics;

use std::{collections::BTreeSet, fs, path::Path};

use serde_json::{Value, json};

use crate::{
    access::routes::{Objects, ROUTES, SITE},
    process::{Answer, Server},
};

/// What is typed, sent and given away here, and must be found nowhere; a name each, for the report of a failure.
struct Canaries(Vec<(&'static str, String)>);

impl Canaries {
    fn add(&mut self, what: &'static str, secret: impl Into<String>) -> String {
        let secret = secret.into();
        assert!(secret.len() >= 16, "{what} is too short to be looked for");
        self.0.push((what, secret.clone()));
        secret
    }

    fn assert_not_in(&self, place: &str, bytes: &[u8]) {
        let text = String::from_utf8_lossy(bytes);
        for (what, secret) in &self.0 {
            assert!(!text.contains(secret), "{what} is in {place}");
        }
    }
}

fn post(server: &Server, route: &str, body: &Value) -> Answer {
    server.post(&format!("/api/auth/{route}"), body)
}

fn keep_tokens(canaries: &mut Canaries, answer: &Answer) -> (String, String) {
    let body = answer.json();
    let mut token = |what, key: &str| canaries.add(what, body[key].as_str().expect("a token"));
    let access = token("an access token", "access_token");
    (access, token("a refresh token", "refresh_token"))
}

/// Passwords in every place where people put them by mistake.
fn make_mistakes(server: &Server, canaries: &mut Canaries) {
    for (login, password) in [
        ("ada", "canary-wrong-password"),
        ("canary-typed-as-a-name", "canary-password-beside-it"),
        ("canary-typed@example.org", "canary-password-beside-that"),
    ] {
        canaries.add("the password of a failed login", password);
        if login != "ada" {
            canaries.add("the name of a failed login", login);
        }
        let form = json!({ "login": login, "password": password });
        assert_eq!(post(server, "login", &form).status, 401);
    }
    for (field, value) in [
        ("email", "canary-no-address"),
        ("username", "canary refused name"),
        ("password", "canary-password-of-another"),
        ("refresh_token", "canary-unknown-field"),
        ("canary-name-of-a-field", "canary-value-of-a-field"),
    ] {
        canaries.add("a field of a refused form", value);
        let mut form = json!({ "email": "ada@example.org", "password": "another long password" });
        form[field] = json!(value);
        assert!(matches!(post(server, "register", &form).status, 409 | 422));
    }
    canaries.add("the name of a field", "canary-name-of-a-field");
}

/// Access token, refresh token and cookie of a user with this password.
fn open_sessions(
    server: &Server,
    canaries: &mut Canaries,
    password: &str,
) -> (String, String, String) {
    let form = json!({ "login": "ada", "password": password, "mode": "cookie" });
    let answer = post(server, "login", &form);
    let cookie = answer
        .head
        .lines()
        .find_map(|line| line.strip_prefix("set-cookie: vestibule="))
        .and_then(|line| line.split(';').next())
        .expect("a cookie");
    let cookie = canaries.add("the cookie", cookie);
    let form = json!({ "login": "ada@example.org", "password": password });
    let (access, refresh) = keep_tokens(canaries, &post(server, "login", &form));
    (access, refresh, cookie)
}

/// Sends everything secret to every route, where it belongs and where it does not.
fn carry_everywhere(server: &Server, canaries: &mut Canaries, access: &str, cookie: &str) {
    let query = canaries.add("a token in a query", "canary-token-in-a-query");
    let body = canaries.add("a body", "canary-body-that-is-no-json");
    let credentials = [
        ("Authorization: Bearer ", access),
        ("Authorization: Bearer ", "canary-bearer.made.up"),
        ("Authorization: Basic ", "Y2FuYXJ5OmNhbmFyeQ=="),
        ("Authorization: ", "canary garbage credential"),
        ("Cookie: vestibule=", cookie),
        ("Cookie: vestibule=", "canary-cookie.made.up"),
        ("Cookie: theirs=", "canary-cookie-of-another"),
        ("Referer: http://localhost/?", "canary-token-in-a-referer"),
        ("User-Agent: ", "canary-user-agent-for-the-log"),
        ("X-Request-Id: ", "canary-request-id-of-a-client"),
    ];
    let rows = ROUTES.iter().chain(SITE);
    let routes: BTreeSet<_> = rows.map(|row| row.path_to(&Objects::all("1"))).collect();
    for (name, value) in credentials {
        canaries.add(name, value);
        for route in &routes {
            for method in ["GET", "POST", "PUT"] {
                let path = format!("{route}?access_token={query}&code={query}");
                let header = format!("{name}{value}");
                let headers = [header.as_str(), "Content-Type: application/json"];
                let answer = server.request(method, &path, &headers, &body);
                assert!(answer.status < 500, "{}", answer.body);
            }
        }
    }
}

fn every_file(folder: &Path, look: &mut impl FnMut(&Path, &[u8])) {
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            every_file(&path, look);
        } else {
            look(&path, &fs::read(&path).expect("readable"));
        }
    }
}

fn assert_nowhere(folder: &Path, canaries: &Canaries, key: &[u8]) {
    let mut looked_at = Vec::new();
    every_file(folder, &mut |path, bytes| {
        let name = path.file_name().expect("a name").to_string_lossy();
        canaries.assert_not_in(&name, bytes);
        let holds_key = bytes.windows(key.len()).any(|window| window == key);
        assert_eq!(holds_key, name == "secret.key", "the secret key in {name}");
        looked_at.push(name.into_owned());
    });
    for name in ["vestibule.db", "secret.key", "log"] {
        assert!(looked_at.iter().any(|file| file == name), "{looked_at:?}");
    }
}

#[test]
fn no_secret_is_in_the_log_at_trace_in_the_metrics_or_in_a_file() {
    let folder = tempfile::tempdir().expect("a folder");
    let site = format!("{}/../../examples/site", env!("CARGO_MANIFEST_DIR"));
    let arguments = [
        "--log-level",
        "trace",
        "--site",
        &site,
        "--protect",
        "/members/**",
        "--metrics-listen",
        "127.0.0.1:0",
    ];
    let server = Server::start(folder.path(), &arguments);
    let mut canaries = Canaries(Vec::new());

    let password = canaries.add("the password", "canary-password-of-ada");
    let form = json!({ "email": "ada@example.org", "username": "ada", "password": password });
    keep_tokens(&mut canaries, &post(&server, "register", &form));
    make_mistakes(&server, &mut canaries);
    let (access, refresh, cookie) = open_sessions(&server, &mut canaries, &password);
    let presented = json!({ "refresh_token": refresh });
    keep_tokens(&mut canaries, &post(&server, "refresh", &presented));
    let garbage = canaries.add("a made-up refresh token", "canary-made-up-refresh-token");
    post(&server, "refresh", &json!({ "refresh_token": garbage }));
    carry_everywhere(&server, &mut canaries, &access, &cookie);
    post(&server, "logout", &presented);
    assert_eq!(post(&server, "refresh", &presented).status, 401);
    assert!(canaries.0.len() >= 20);

    let metrics = crate::metrics::scrape(&crate::metrics::address_of(&server)).body;
    assert!(metrics.contains("status=\"401\""), "{metrics}");
    canaries.assert_not_in("the metrics", metrics.as_bytes());
    canaries.assert_not_in("the terminal", server.ready.to_string().as_bytes());

    let key = fs::read(folder.path().join("vestibule-data/secret.key")).expect("the key");
    // Twice: the write-ahead log is there while the server runs, and in the database afterwards.
    assert_nowhere(folder.path(), &canaries, &key);
    assert_eq!(server.stop(), Some(0));
    assert_nowhere(folder.path(), &canaries, &key);
    let log = fs::read_to_string(folder.path().join("log")).expect("the log");
    assert!(
        log.contains("was answered 401"),
        "the log tells what happened"
    );
    assert!(!log.contains("ada@example.org"), "an address is in the log");
}
