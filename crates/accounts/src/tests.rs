//! The rules as a whole, on a real database, with a clock that stands still and cheap hashes.

mod admin;
mod copy;
mod documents;
mod export;
mod first_admin;
mod follow;
mod hashes;
mod imports;
mod keys;
mod logging_in;
mod own_account;
mod read_only;
mod registration;
mod retention;
mod sessions;
mod standing;
mod todos;

use std::{
    collections::BTreeSet,
    net::{IpAddr, Ipv4Addr},
    num::NonZeroUsize,
    time::Duration,
};

use secrecy::{ExposeSecret as _, SecretBox, SecretString};

use super::*;

const NOON: Timestamp = Timestamp::from_micros(1_800_000_000_000_000);
const PASSWORD: &str = "correct horse battery staple";

struct Scene {
    accounts: Accounts,
    database: Database,
    clock: Clock,
    folder: tempfile::TempDir,
}

fn policy() -> Policy {
    Policy {
        registration_open: true,
        password_min_length: 8,
        issuer: "http://localhost:8080".into(),
        audience: "http://localhost:8080".into(),
        signing_algorithm: SigningAlgorithm::Es256,
        signing_key: None,
        access_ttl: Duration::from_secs(900),
        refresh_idle_ttl: Duration::from_secs(30 * 86_400),
        refresh_absolute_ttl: Duration::from_secs(90 * 86_400),
        refresh_grace: Duration::from_secs(60),
        cookie_idle_ttl: Duration::from_secs(7 * 86_400),
        cookie_absolute_ttl: Duration::from_secs(30 * 86_400),
        deleted_retention: Duration::from_secs(30 * 86_400),
        audit_retention: Duration::from_secs(365 * 86_400),
        limits: unlimited(),
        redis: None,
        hash_cost: HashCost::Argon2id(Argon2Cost::TRIFLING),
        hash_slots: NonZeroUsize::new(2).expect("two"),
        hash_queue: 1_000,
    }
}

fn unlimited() -> ThrottleSettings {
    ThrottleSettings {
        login_per_account: None,
        login_per_ip: None,
        register_per_ip: None,
        refresh_per_ip: None,
    }
}

/// What is meant for this version alone.
fn one_of(tag: &str) -> VersionCondition {
    VersionCondition {
        one_of: Some(Versions::Tagged(vec![tag.to_owned()])),
        none_of: None,
    }
}

async fn scene(policy: Policy) -> Scene {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let clock = Clock::fixed(NOON);
    let database = connect(folder.path()).await;
    let accounts = open(&database, 7, policy, clock.clone())
        .await
        .expect("opens");
    Scene {
        accounts,
        database,
        clock,
        folder,
    }
}

async fn connect(folder: &std::path::Path) -> Database {
    let options = DatabaseOptions {
        max_connections: 4,
        ..DatabaseOptions::new(DatabaseUrl::of_file(folder.join("vestibule.db")))
    };
    let database = Database::connect(&options).await.expect("connects");
    database.migrate_up(None).await.expect("migrates");
    database
}

async fn open(
    database: &Database,
    byte: u8,
    policy: Policy,
    clock: Clock,
) -> Result<Accounts, OpenError> {
    let secret = SecretKey::new(SecretBox::new(vec![byte; 32].into())).expect("long enough");
    Accounts::open(database, &secret, policy, clock).await
}

fn peer() -> Peer {
    Peer::new(
        IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1)),
        Some("test"),
        Some("request 1".into()),
    )
}

fn form(name: &str) -> Registration {
    Registration {
        email: format!("{name}@example.org"),
        password: PASSWORD.to_owned().into(),
        username: Some(name.to_owned()),
        name: None,
    }
}

fn entered(login: &str, password: &str) -> Login {
    Login {
        login: login.to_owned(),
        password: password.to_owned().into(),
    }
}

fn tokens(opened: Opened) -> (String, String) {
    match opened.proof {
        Proof::Tokens {
            access_token,
            refresh_token,
            ..
        } => (access_token, refresh_token),
        Proof::Cookie { .. } => panic!("tokens were asked for"),
    }
}

fn cookie(opened: Opened) -> String {
    match opened.proof {
        Proof::Cookie { value, .. } => value,
        Proof::Tokens { .. } => panic!("a cookie was asked for"),
    }
}

impl Scene {
    async fn register(&self, name: &str) -> Opened {
        self.accounts
            .register(form(name), Mode::Token, &peer())
            .await
            .expect("registers")
    }

    /// Registers, and gives the cookie.
    async fn register_for_cookie(&self, name: &str) -> String {
        let peer = peer();
        let registering = self.accounts.register(form(name), Mode::Cookie, &peer);
        cookie(registering.await.expect("registers"))
    }

    async fn login(&self, login: &str, password: &str) -> Result<Opened, Error> {
        self.accounts
            .login(entered(login, password), Mode::Token, &peer())
            .await
    }

    async fn audit(&self) -> Vec<String> {
        let events = self
            .database
            .store()
            .newest_audit(100)
            .await
            .expect("readable");
        events.into_iter().rev().map(|event| event.event).collect()
    }
}

/// Field and code of each broken rule.
fn broken(refused: Result<impl Sized, Error>) -> Vec<(String, &'static str)> {
    match refused {
        Err(Error::Invalid(errors)) => errors
            .into_iter()
            .map(|error| (error.field.into_owned(), error.code))
            .collect(),
        Err(other) => panic!("another refusal: {other}"),
        Ok(_) => panic!("not refused"),
    }
}

#[tokio::test]
async fn sessions_and_keys_survive_a_restart_with_the_same_secret_alone() {
    let scene = scene(policy()).await;
    let (access, refresh) = tokens(scene.register("ada").await);
    let Scene {
        accounts,
        database,
        clock,
        folder,
    } = scene;
    drop(accounts);
    database.close().await;

    let database = connect(folder.path()).await;
    let other = open(&database, 8, policy(), clock.clone()).await;
    assert!(matches!(other.err(), Some(OpenError::OtherSecretKey)));
    let accounts = open(&database, 7, policy(), clock)
        .await
        .expect("the same secret opens");
    accounts
        .caller_of_bearer(&access)
        .await
        .expect("still signed in");
    accounts
        .refresh(&refresh, &peer())
        .await
        .expect("still refreshable");
}

#[tokio::test]
async fn nothing_secret_stands_raw_in_the_database() {
    let scene = scene(policy()).await;
    let (access, refresh) = tokens(scene.register("ada").await);
    let value = cookie(
        scene
            .accounts
            .login(entered("ada", PASSWORD), Mode::Cookie, &peer())
            .await
            .expect("logs in"),
    );
    let _ = scene.login("typed-a-password-here", "x").await;
    let Scene {
        accounts,
        database,
        folder,
        ..
    } = scene;
    drop(accounts);
    database.close().await;
    let raw: Vec<u8> = std::fs::read_dir(folder.path())
        .expect("a folder")
        .flat_map(|entry| std::fs::read(entry.expect("an entry").path()).expect("readable"))
        .collect();
    let token_bytes =
        base64::Engine::decode(&base64::prelude::BASE64_URL_SAFE_NO_PAD, &refresh[4..])
            .expect("base64url");
    let secrets: [&[u8]; 6] = [
        PASSWORD.as_bytes(),
        access.as_bytes(),
        refresh.as_bytes(),
        &token_bytes[25..57],
        value.as_bytes(),
        b"typed-a-password-here",
    ];
    for secret in secrets {
        assert!(
            !raw.windows(secret.len()).any(|part| part == secret),
            "{}",
            String::from_utf8_lossy(secret)
        );
    }
    assert!(
        raw.windows(15).any(|part| part == b"ada@example.org"),
        "the search itself works"
    );
}

#[tokio::test]
async fn an_operator_changes_users_within_the_rules() {
    let scene = scene(policy()).await;
    scene.register("ada").await;
    let operator = scene.accounts.operator();
    let roles = |names: &[&str]| {
        names
            .iter()
            .map(|name| Role::parse(name).expect("a role"))
            .collect::<BTreeSet<_>>()
    };
    let (given, none) = (roles(&["admin", "staff"]), roles(&[]));
    let change = operator.change_roles("ada", &given, &none).await;
    assert!(matches!(change, Ok(Change::Made(user)) if user.roles.contains("staff")));
    let again = operator.change_roles("ada", &given, &none).await;
    assert!(matches!(again, Ok(Change::Nothing(_))));
    let demoted = operator
        .change_roles("ada", &roles(&[]), &roles(&["admin"]))
        .await;
    assert!(matches!(demoted, Err(Error::LastAdmin)));
    assert!(matches!(
        operator.disable("ada").await,
        Err(Error::LastAdmin)
    ));
    assert!(matches!(
        operator.disable("nobody").await,
        Err(Error::NoSuchUser)
    ));

    let weak = operator
        .set_password("ada", "ada@example.org".to_owned().into())
        .await;
    assert!(
        matches!(weak, Err(Error::Invalid(_))),
        "an operator keeps the password rules too"
    );
    operator
        .set_password("ada", "another good password".to_owned().into())
        .await
        .expect("sets");
    assert!(scene.login("ada", PASSWORD).await.is_err());
    scene
        .login("ada", "another good password")
        .await
        .expect("the new one works");
    assert_eq!(
        operator
            .list_users(Some("ADA".into()))
            .await
            .expect("lists")
            .len(),
        1
    );
}

#[tokio::test]
async fn another_secret_key_is_refused_before_anything_is_written() {
    let scene = scene(policy()).await;
    let key = |byte| SecretKey::new(SecretBox::new(vec![byte; 32].into())).expect("long enough");
    assert!(scene.database.refuse_other_key(&key(7)).await.is_ok());
    let other = scene.database.refuse_other_key(&key(8)).await;
    assert!(matches!(other, Err(OpenError::OtherSecretKey)));
}
