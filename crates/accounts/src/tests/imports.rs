//! Users from other programs: which rows come, as whom, and what is said of the others.

use std::path::{Path, PathBuf};

use super::*;

/// Rows that other programs wrote.
fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../xtask/fixtures/users")
        .join(name)
}

/// The hash that Python's bcrypt has for 71 times `x`.
const HASH: &str = super::hashes::FOREIGN_HASH;

impl Scene {
    /// Runs an import to its end.
    async fn import(&self, file: &Path, options: ImportOptions) -> ImportReport {
        self.try_import(file, options, false)
            .await
            .expect("it ends")
    }

    async fn try_import(
        &self,
        file: &Path,
        options: ImportOptions,
        dry_run: bool,
    ) -> Result<ImportReport, ImportError> {
        let source = ImportSource::open(ImportLocation::File(file.to_owned()), &options).await?;
        let operator = self.accounts.operator();
        let mut import = operator.import(source, options, dry_run);
        while import.advance().await?.is_some() {}
        Ok(import.finish().await)
    }

    /// A file of this text beside the database.
    fn file(&self, name: &str, text: impl AsRef<[u8]>) -> PathBuf {
        let path = self.folder.path().join(name);
        std::fs::write(&path, text).expect("writable");
        path
    }

    async fn user(&self, login: &str) -> User {
        self.accounts
            .operator()
            .show(login)
            .await
            .expect("a user")
            .remove(0)
    }
}

/// Row and code of each refusal.
fn refused(report: &ImportReport) -> Vec<(&str, &'static str)> {
    let rows = report.refusals.iter();
    rows.flat_map(|row| {
        row.problems
            .iter()
            .map(|problem| (row.row.as_str(), problem.code))
    })
    .collect()
}

fn counts(report: &ImportReport) -> [u64; 6] {
    [
        report.rows,
        report.added,
        report.came_before,
        report.deleted_there,
        report.left_out,
        report.refused,
    ]
}

#[tokio::test]
async fn users_log_in_with_the_passwords_that_passlib_hashed_and_get_hashes_of_this_server() {
    let scene = scene(policy()).await;
    let report = scene
        .import(&fixture("passlib.csv"), ImportOptions::default())
        .await;
    assert_eq!(counts(&report), [9, 8, 0, 0, 1, 0]);
    assert_eq!(report.no_passwords, [("sha512crypt", 1)].into());
    let operator = scene.accounts.operator();
    let before = operator.census_of_hashes().await.expect("counted");
    // Of trifling cost are the new ones here, so that argon2 of passlib is as good.
    assert_eq!(
        (before.current, before.replaceable, before.unusable),
        (1, 7, 0)
    );
    for name in [
        "pbkdf2",
        "pbkdf2long",
        "argon",
        "bcrypt",
        "bcryptsha",
        "bcryptold",
        "scrypt",
        "phpass",
    ] {
        let login = format!("{name}.user");
        assert!(
            scene.login(&login, "not the old pässword").await.is_err(),
            "{name}"
        );
        let password = format!("{name}'s old pässword");
        let opened = scene.login(&login, &password).await.expect(name);
        assert_eq!(
            opened.user.created_at.to_string(),
            "2022-02-03T02:05:06.000000Z"
        );
        assert!(!opened.user.email_verified);
    }
    let after = operator.census_of_hashes().await.expect("counted");
    assert_eq!(
        (after.current, after.replaceable, after.unusable),
        (8, 0, 0)
    );
}

#[tokio::test]
async fn firebases_users_log_in_and_the_key_of_the_project_is_nowhere() {
    let scene = scene(policy()).await;
    let without = scene
        .try_import(&fixture("firebase.json"), ImportOptions::default(), true)
        .await;
    assert!(
        matches!(without, Err(ImportError::Unclear(text)) if text.contains("--firebase-hash-config"))
    );
    let config = std::fs::read_to_string(fixture("firebase-hash-config.txt")).expect("readable");
    let options = ImportOptions {
        firebase: Some(FirebaseParameters::parse(&config).expect("whole")),
        ..ImportOptions::default()
    };
    let report = scene.import(&fixture("firebase.json"), options).await;
    assert_eq!(counts(&report), [3, 2, 0, 0, 1, 0]);
    let fred = scene
        .login("fred@firebase.example", "fred's old pässword")
        .await
        .expect("as before");
    assert!(fred.user.email_verified);
    assert_eq!(fred.user.name.as_deref(), Some("fred Fire"));
    let stored = scene
        .database
        .store()
        .password_hashes(None, 10)
        .await
        .expect("readable");
    assert!(
        stored
            .iter()
            .all(|(_, hash)| !hash.contains("jxspr8Ki0RYy")),
        "{stored:?}"
    );
}

#[tokio::test]
async fn a_rehearsal_says_what_an_import_does_and_a_second_import_does_nothing() {
    let scene = scene(policy()).await;
    scene.register("ada").await;
    scene.clock.advance(Duration::from_millis(1));
    let text = format!(
        "id;e-mail;password hash;login;role;banned;deleted_at\n\
         1;Ada@EXAMPLE.org;{HASH};other;admin;0;\n\
         2;bob@example.org;{HASH};Ada;admin;0;\n\
         3;cleo@example.org;{HASH};cleo;staff,admin;0;\n\
         4;dan@example.org;{HASH};dan;;0;\n\
         5;DAN@example.org;{HASH};dora;;0;\n\
         6;not an address;{HASH};emil;;maybe;\n\
         7;fay@example.org;hunter2;fay;;0;\n\
         8;gus@example.org;{HASH};gus;;1;\n\
         9;hal@example.org;{HASH};hal;;0;2024-01-01\n\
         10;ida@example.org;{HASH};i;;0;\n\
         11;jo@example.org;{HASH}\n\
         12;hal@example.org;{HASH};DORA;;0;\n"
    );
    let file = scene.file("users.csv", text);
    let options = || ImportOptions {
        roles: vec![("STAFF".into(), Role::parse("editor").expect("a role"))],
        ..ImportOptions::default()
    };
    let rehearsed = scene
        .try_import(&file, options(), true)
        .await
        .expect("it ends");
    assert_eq!(counts(&rehearsed), [12, 2, 0, 1, 1, 8]);
    let expected = [
        ("4", "duplicate_email"),
        ("5", "duplicate_email"),
        ("5", "duplicate_username"),
        ("6", "invalid_email"),
        ("6", "invalid_flag"),
        ("10", "invalid_username"),
        ("11", "unreadable"),
        ("12", "duplicate_username"),
        ("1", "email_taken"),
        ("2", "username_taken"),
    ];
    assert_eq!(refused(&rehearsed), expected);
    assert_eq!(scene.audit().await, ["registered"], "nothing happened");

    let report = scene.import(&file, options()).await;
    assert_eq!(
        (counts(&report), refused(&report)),
        (counts(&rehearsed), expected.into())
    );
    let cleo = scene.user("cleo").await;
    assert_eq!(
        cleo.roles,
        BTreeSet::from(["editor".to_owned()]),
        "admin was mapped to nothing"
    );
    assert!(scene.user("gus").await.disabled_at.is_some());
    assert_eq!(scene.audit().await, ["registered", "imported"]);

    let again = scene.import(&file, options()).await;
    assert_eq!(counts(&again), [12, 0, 2, 1, 1, 8]);
    assert_eq!(scene.audit().await, ["registered", "imported"]);
}

#[tokio::test]
async fn an_address_of_several_rows_is_given_to_none_of_them_wherever_they_stand() {
    let scene = scene(policy()).await;
    let mut text = format!(
        "id,email,password,deleted\n\
         stranger,victim@example.org,{HASH},0\n\
         former,cleo@example.org,{HASH},1\n\
         present,cleo@example.org,{HASH},0\n"
    );
    for number in 0..250 {
        text += &format!("{number},user{number}@example.org,{HASH},0\n");
    }
    text += "victim,Victim@example.org,none that can be checked,0\n";
    let file = scene.file("users.csv", text);
    let report = scene.import(&file, ImportOptions::default()).await;
    assert_eq!(counts(&report), [254, 251, 0, 1, 0, 2]);
    let expected = ["stranger", "victim"].map(|row| (row, "duplicate_email"));
    assert_eq!(refused(&report), expected);
    assert_eq!(scene.user("cleo@example.org").await.roles, BTreeSet::new());
}

#[tokio::test]
async fn users_come_without_a_name_or_a_password_where_that_is_asked_for() {
    let scene = scene(policy()).await;
    scene.register("ada").await;
    let long = "x".repeat(101);
    let text = format!(
        r#"{{"users": [
            {{"email": "bob@example.org", "password": "5f4dcc3b5aa765d61d8327deb882cf99", "username": "ada", "name": "Bob"}},
            {{"email": "cleo@example.org", "password": null, "username": "mail@cleo.example", "name": "{long}"}},
            {{"email": "dora@example.org", "password": "{HASH}", "username": "dora"}},
            {{"email": "emil@example.org", "password": "{HASH}", "username": "Dora"}},
            7
        ], "more": {{"a": [1]}}}}"#
    );
    let file = scene.file("users.json", text);
    let report = scene.import(&file, ImportOptions::default()).await;
    assert_eq!(counts(&report), [5, 0, 0, 0, 1, 4]);
    let options = || ImportOptions {
        passwordless: Passwordless::BringAlong,
        unfit_names: UnfitNames::LeaveOff,
        ..ImportOptions::default()
    };
    let report = scene.import(&file, options()).await;
    assert_eq!(
        (counts(&report), report.names_left_off),
        ([5, 4, 0, 0, 0, 1], 5)
    );
    assert_eq!(refused(&report), [("#5", "unreadable")]);
    let bob = scene.user("bob@example.org").await;
    assert_eq!((bob.username, bob.name.as_deref()), (None, Some("Bob")));
    assert!(scene.login("bob@example.org", "password").await.is_err());
    let operator = scene.accounts.operator();
    operator
        .set_password("bob@example.org", PASSWORD.to_owned().into())
        .await
        .expect("given one");
    scene
        .login("bob@example.org", PASSWORD)
        .await
        .expect("logs in");
}

#[tokio::test]
async fn whoever_was_deleted_or_renamed_here_since_stays_so() {
    let scene = scene(policy()).await;
    let text = format!("id,email,password\n1,bob@example.org,{HASH}\n2,cleo@example.org,{HASH}\n");
    let file = scene.file("users.csv", text);
    scene.import(&file, ImportOptions::default()).await;
    let operator = scene.accounts.operator();
    operator.delete("bob@example.org").await.expect("deleted");
    let report = scene.import(&file, ImportOptions::default()).await;
    assert_eq!(counts(&report), [2, 0, 2, 0, 0, 0]);
    assert!(
        scene
            .login("bob@example.org", &"x".repeat(71))
            .await
            .is_err()
    );
    scene
        .login("cleo@example.org", &"x".repeat(71))
        .await
        .expect("logs in");
    // A row of another id is another user, also of the same address.
    let other = scene.file(
        "other.csv",
        format!("id,email,password\n3,bob@example.org,{HASH}\n"),
    );
    let report = scene.import(&other, ImportOptions::default()).await;
    assert_eq!(report.added, 1);
}

#[tokio::test]
async fn columns_are_found_by_usual_names_and_by_those_of_the_call() {
    let scene = scene(policy()).await;
    let line = |name: &str| {
        format!(
            r#"{{"contact": "{name}@example.org", "secret": "{HASH}", "meta": {{"first": "Ann", "last": "Lee"}}}}"#
        )
    };
    let file = scene.file("users.jsonl", format!("{}\n{}\n", line("ann"), line("amy")));
    let unknown = scene
        .try_import(&file, ImportOptions::default(), true)
        .await;
    assert!(
        matches!(unknown, Err(ImportError::Unclear(text)) if text.ends_with("there are: contact, meta, secret"))
    );
    let columns = |columns: &[(ImportField, &str)]| ImportOptions {
        columns: columns
            .iter()
            .map(|(field, text)| (*field, (*text).to_owned()))
            .collect(),
        ..ImportOptions::default()
    };
    let wrong = columns(&[(ImportField::Email, "contact+mail")]);
    let wrong = scene.try_import(&file, wrong, true).await;
    assert!(
        matches!(wrong, Err(ImportError::Unclear(text)) if text.contains(r#"no column "mail" for email"#))
    );
    let right = columns(&[
        (ImportField::Email, "contact"),
        (ImportField::Password, "secret"),
        (ImportField::Name, "meta.first+meta.last"),
    ]);
    let report = scene.import(&file, right).await;
    assert_eq!(report.added, 2);
    assert_eq!(
        scene.user("amy@example.org").await.name.as_deref(),
        Some("Ann Lee")
    );
}

#[tokio::test]
async fn a_file_that_is_none_of_users_is_said_to_be_so_and_repeats_nothing_of_it() {
    let scene = scene(policy()).await;
    for (name, content) in [
        ("a.json", &b"{\"a\": \"hunter2\"}"[..]),
        ("b.json", b"[{\"email\": \"hunter2\""),
        ("c.json", b"{\"users\": \"hunter2\"}"),
        ("d.csv", b""),
        ("e.csv", b"hunter2"),
        ("f.json", b"[]"),
        ("g.json", b"[{\"email\": \"a@example.org\"}] hunter2"),
        ("h.bin", b"SQLite format 3\0hunter2"),
    ] {
        let file = scene.file(name, content);
        let options = ImportOptions {
            passwordless: Passwordless::BringAlong,
            ..ImportOptions::default()
        };
        let failed = scene
            .try_import(&file, options, true)
            .await
            .expect_err(name)
            .to_string();
        assert!(
            name == "e.csv" || !failed.contains("hunter2"),
            "{name}: {failed}"
        );
    }
    let none = scene
        .try_import(Path::new("nowhere.csv"), ImportOptions::default(), true)
        .await;
    assert!(matches!(none, Err(ImportError::Unreadable { .. })));
}

#[tokio::test]
async fn bytes_that_are_no_text_refuse_their_row_alone() {
    let scene = scene(policy()).await;
    let mut bytes = b"\xef\xbb\xbfemail,password,name\nbob@example.org,".to_vec();
    bytes.extend_from_slice(format!("{HASH},B\nana@example.org,{HASH},\u{e9}\n").as_bytes());
    let broken = bytes.len() - 3;
    bytes[broken] = 0xff;
    let file = scene.file("users.csv", bytes);
    let report = scene.import(&file, ImportOptions::default()).await;
    assert_eq!(
        (report.added, refused(&report)),
        (1, vec![("#2", "unreadable")])
    );
}

#[tokio::test]
async fn a_hash_with_a_control_character_is_none_and_stops_nobody_else() {
    let scene = scene(policy()).await;
    let digest = "0123456789abcdef".repeat(4);
    let line = |name: &str, salt: &str| {
        format!(
            r#"{{"email": "{name}@example.org", "password": "pbkdf2:sha256:1000${salt}${digest}"}}"#
        )
    };
    let text = format!("{}\n{}\n", line("ann", "salt"), line("bob", r"sa\u0000lt"));
    let file = scene.file("users.jsonl", text);
    let report = scene.import(&file, ImportOptions::default()).await;
    assert_eq!(counts(&report), [2, 1, 0, 0, 1, 0]);
}
