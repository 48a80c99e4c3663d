//! Secrets: where they may come from, that they show nowhere, and who is warned of what.
//! The operator and the key file come from the tests above.

use std::path::{Path, PathBuf};

use insta::assert_snapshot;
use secrecy::ExposeSecret;

use super::{KEY, Operator, key_file, row};
use crate::config::{SecretKeySource, load_from};

#[test]
fn secrets_show_nowhere() {
    let url = "sqlite://ada:canary@host/canary-not.db";
    let (_folder, url_file) = key_file(format!("{url}\n").as_bytes(), 0o600);
    let loaded = Operator::default()
        .variable("VESTIBULE_SECRET_KEY", KEY)
        .variable("VESTIBULE_DATABASE_URL_FILE", &url_file)
        .loaded();
    assert_eq!(loaded.config.database.url.to_string(), url);
    assert_snapshot!(row(&loaded, "database.url").text(), @"sqlite://ada:***@host/canary-not.db");
    let SecretKeySource::Given(key, _) = &loaded.config.secret_key else {
        panic!("the key was given")
    };
    assert_eq!(key.expose_secret(), b"0123456789abcdef0123456789abcdef");
    let rows = serde_json::to_string(&loaded.rows).unwrap();
    let debug = format!("{loaded:?}");
    assert!(!rows.contains(":canary"));
    for secret in [KEY, "0123456789abcdef", "48, 49, 50"] {
        assert!(
            !rows.contains(secret) && !debug.contains(secret),
            "{secret}"
        );
    }

    let misplaced = Operator::default()
        .variable("VESTIBULE_DATABASE_URL", "canary")
        .variable("VESTIBULE_SECRET_KEY_FILE", "Y2FuYXJ5Y2FuYXJ5Y2FuYXJ5Y2FuYXJ5Y2FuYXJ5Y2Fu")
        .dot_env("VESTIBULE_SECRET_KEY=\"canary")
        .file("secret_key = ['canary']\npublic_url = 'http://ada:canary@host/'\n[limits]\nlogin_per_ip = 'canary-not'");
    let problems = load_from(misplaced.inputs).unwrap_err();
    let shown = format!("{problems}{problems:?}").replace("canary-not", "");
    assert!(
        !shown.contains("canary") && !shown.contains("Y2Fu"),
        "{shown}"
    );
}

#[test]
fn a_password_in_a_flag_earns_a_warning() {
    let loaded = Operator::says(&["--database-url", "sqlite://ada:canary@/srv/a.db"]).loaded();
    assert_snapshot!(loaded.warnings.join("\n"), @"--database-url holds a password, which the process list shows to every user: use VESTIBULE_DATABASE_URL_FILE instead");
}

#[test]
fn secrets_that_others_can_read_earn_a_warning() {
    let (_folder, path) = key_file(&[7; 32], 0o640);
    let mut operator = Operator::default()
        .variable("VESTIBULE_SECRET_KEY_FILE", &path)
        .file("database.url = 'sqlite://a:b@c'");
    if let Some(file) = &mut operator.inputs.file {
        file.readable_by_all = true;
    }
    let warnings = operator.loaded().warnings.join("\n").replace(&path, "KEY");
    assert_snapshot!(warnings, @r"
    vestibule.toml holds a secret and every user of this machine can read it: chmod 600 vestibule.toml
    KEY holds a secret and has mode 0640: chmod 600 KEY
    ");
}

#[test]
fn a_key_file_holds_raw_bytes_or_text_of_at_least_32_bytes() {
    let read = |content: &[u8]| {
        let (_folder, path) = key_file(content, 0o600);
        let inputs = Operator::says(&["--secret-key-file", &path]).inputs;
        load_from(inputs).map(|loaded| match loaded.config.secret_key {
            SecretKeySource::Given(key, _) => key.expose_secret().to_vec(),
            SecretKeySource::GeneratedAt(path) => panic!("{path:?} was given"),
        })
    };
    let mut raw: Vec<u8> = (200..=231).collect();
    raw[31] = b'\n';
    assert_eq!(read(&raw).unwrap(), raw);
    assert_eq!(
        read(format!("{}\n", "ab".repeat(32)).as_bytes()).unwrap(),
        [0xab; 32]
    );
    assert_eq!(read("_-".repeat(22).as_bytes()).unwrap().len(), 33);
    for unusable in [
        &raw[..31],
        b"",
        &[b'a'; 42],
        "my dear old passphrase, which is long enough".as_bytes(),
    ] {
        read(unusable).unwrap_err();
    }
    load_from(Operator::says(&["--secret-key-file", "/dev/null"]).inputs).unwrap_err();
}

#[test]
fn without_a_key_one_is_generated_in_the_data_folder() {
    let config = Operator::says(&["--data-dir", "/srv/50%?"]).config();
    assert!(
        matches!(&config.secret_key, SecretKeySource::GeneratedAt(path) if path == &PathBuf::from("/srv/50%?/secret.key"))
    );
    assert_eq!(
        config.database.url.file(),
        Some(Path::new("/srv/50%?/vestibule.db"))
    );
}
