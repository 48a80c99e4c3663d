//! The rules as a whole, on a real database, with a clock that stands still and cheap hashes.

mod keys;
mod own_account;

use std::{
    collections::BTreeSet,
    net::{IpAddr, Ipv4Addr},
    num::NonZeroUsize,
    time::Duration,
};

use secrecy::SecretBox;

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
        limits: unlimited(),
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
        url: DatabaseUrl::of_file(folder.join("vestibule.db")),
        max_connections: 4,
        acquire_timeout: Duration::from_secs(3),
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

#[tokio::test]
async fn whoever_registers_is_signed_in_and_can_log_in_by_both_names() {
    let scene = scene(policy()).await;
    let opened = scene.register("Ada").await;
    assert_eq!(opened.user.email, "Ada@example.org");
    assert!(!opened.user.email_verified);
    let (access, _) = tokens(opened);
    let caller = scene
        .accounts
        .caller_of_bearer(&access)
        .await
        .expect("signed in");
    assert_eq!(caller.credential, Credential::Bearer);
    for login in ["ADA@EXAMPLE.org", "ada", " Ada "] {
        scene.clock.advance(Duration::from_millis(1));
        let again = scene.login(login, PASSWORD).await.expect(login);
        assert_eq!(again.user.id, caller.user.id);
    }
    assert_eq!(
        scene.audit().await,
        ["registered", "login", "login", "login"]
    );
}

#[tokio::test]
async fn every_broken_rule_is_named_at_once() {
    let scene = scene(policy()).await;
    let bad = Registration {
        email: "no address".into(),
        password: "short".to_owned().into(),
        username: Some("-".into()),
        name: Some("a\u{202e}b".into()),
    };
    let Err(Error::Invalid(broken)) = scene.accounts.register(bad, Mode::Token, &peer()).await
    else {
        panic!("refused");
    };
    let fields: Vec<_> = broken.iter().map(|error| error.field.as_ref()).collect();
    assert_eq!(fields, ["email", "username", "name", "password"]);
    assert_eq!(
        scene.accounts.0.gate.calls(),
        0,
        "nothing is hashed for a form that is refused"
    );
}

#[tokio::test]
async fn of_fifty_parallel_registrations_in_case_variants_one_wins() {
    let scene = scene(policy()).await;
    let attempts: Vec<_> = (0..50u32)
        .map(|number| {
            let accounts = scene.accounts.clone();
            let name: String = "Grace"
                .chars()
                .enumerate()
                .map(|(place, letter)| {
                    if number >> place & 1 == 1 {
                        letter.to_ascii_uppercase()
                    } else {
                        letter.to_ascii_lowercase()
                    }
                })
                .collect();
            tokio::spawn(async move { accounts.register(form(&name), Mode::Token, &peer()).await })
        })
        .collect();
    let mut won = 0;
    for attempt in attempts {
        match attempt.await.expect("no panic") {
            Ok(_) => won += 1,
            Err(Error::EmailTaken) => {}
            Err(other) => panic!("neither won nor taken: {other}"),
        }
    }
    assert_eq!(won, 1);
}

#[tokio::test]
async fn wrong_unknown_and_disabled_get_one_answer_for_the_same_work() {
    let scene = scene(policy()).await;
    scene.register("ada").await;
    scene.register("eve").await;
    scene
        .accounts
        .operator()
        .disable("eve")
        .await
        .expect("disabled");
    for (login, password) in [
        ("ada", "wrong password"),
        ("nobody", PASSWORD),
        ("nobody@example.org", PASSWORD),
        ("eve", PASSWORD),
        ("eve", "wrong password"),
        ("not a name \u{0}", PASSWORD),
        ("", ""),
    ] {
        let before = scene.accounts.0.gate.calls();
        let events = scene.audit().await.len();
        let answer = scene.login(login, password).await;
        assert!(
            matches!(answer, Err(Error::InvalidCredentials)),
            "{login:?}"
        );
        assert_eq!(
            scene.accounts.0.gate.calls() - before,
            1,
            "{login:?}: one hash"
        );
        assert_eq!(
            scene.audit().await.len() - events,
            1,
            "{login:?}: one record"
        );
    }
}

/// By Python's bcrypt.
const FOREIGN_HASH: &str = "$2b$04$W0xURlKTA3sKa3sHMG.IHu54ouYBOYtecuZfSR2OXOH2inMQi6Yhq";

impl Scene {
    async fn store_hash(&self, login: &str, hash: &str) {
        let found = self.find(login).await;
        let audit = self.accounts.audit(
            AuditKind::PasswordChanged,
            Actor::Operator,
            Some(found.user.id),
            None,
        );
        let store = self.database.store();
        assert!(
            store
                .set_password(found.user.id, hash.to_owned(), audit)
                .await
                .expect("stored")
        );
    }

    async fn stored_hash(&self, login: &str) -> String {
        let found = self.find(login).await;
        found.password_hash.expect("a password")
    }

    async fn find(&self, login: &str) -> store::Credentials {
        let lookup = names::Login::new(login).lookup();
        let found = self.database.store().credentials(lookup).await;
        found.expect("readable").expect("known")
    }
}

#[tokio::test]
async fn a_hash_from_elsewhere_is_replaced_by_the_login_that_proves_it() {
    let scene = scene(policy()).await;
    scene.register("ada").await;
    scene.store_hash("ada", FOREIGN_HASH).await;
    let wrong = scene.login("ada", "wrong password").await;
    assert!(matches!(wrong, Err(Error::InvalidCredentials)));
    assert_eq!(scene.stored_hash("ada").await, FOREIGN_HASH);

    let password = "x".repeat(71);
    scene.login("ada", &password).await.expect("the password");
    let stored = scene.stored_hash("ada").await;
    assert!(stored.starts_with("$argon2id$"), "{stored}");
    scene.login("ada", &password).await.expect("still the same");
    assert_eq!(scene.stored_hash("ada").await, stored);
}

#[tokio::test]
async fn a_hash_that_cannot_be_checked_gets_the_answer_and_the_work_of_a_wrong_password() {
    let scene = scene(policy()).await;
    scene.register("ada").await;
    for hash in [
        "$2b$31$W0xURlKTA3sKa3sHMG.IHu54ouYBOYtecuZfSR2OXOH2inMQi6Yhq",
        "$argon2id$v=19$m=4194304,t=2,p=1$c29tZXNhbHRzb21lc2FsdA$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4",
        "garbage",
    ] {
        scene.store_hash("ada", hash).await;
        let before = scene.accounts.0.gate.calls();
        let answer = scene.login("ada", PASSWORD).await;
        assert!(matches!(answer, Err(Error::InvalidCredentials)), "{hash}");
        assert_eq!(scene.accounts.0.gate.calls() - before, 1, "{hash}");
        assert_eq!(scene.stored_hash("ada").await, hash);
    }
}

#[tokio::test]
async fn under_bcrypt_no_password_is_cut_whoever_sets_it() {
    let scene = scene(Policy {
        hash_cost: HashCost::Bcrypt(BcryptCost::TRIFLING),
        ..policy()
    })
    .await;
    let entered = |name: &str, password: String| Registration {
        password: password.into(),
        ..form(name)
    };
    let is_too_long =
        |error: Error| matches!(error, Error::Invalid(broken) if broken[0].code == "too_long");
    let register = |name, password| {
        let form = entered(name, password);
        async { scene.accounts.register(form, Mode::Token, &peer()).await }
    };
    let refused = register("ada", "x".repeat(73)).await.err();
    assert!(refused.is_some_and(is_too_long));
    register("ada", "x".repeat(72)).await.expect("it fits");
    let stored = scene.stored_hash("ada").await;
    assert!(stored.starts_with("$2b$"), "{stored}");
    scene.login("ada", &"x".repeat(72)).await.expect("whole");
    let longer = scene.login("ada", &"x".repeat(73)).await;
    assert!(matches!(longer, Err(Error::InvalidCredentials)));

    let operator = scene.accounts.operator();
    let refused = operator.set_password("ada", "é".repeat(37).into()).await;
    assert!(refused.err().is_some_and(is_too_long));
    assert_eq!(scene.stored_hash("ada").await, stored);
}

#[tokio::test]
async fn under_bcrypt_a_weak_hash_of_a_longer_password_stays() {
    let scene = scene(policy()).await;
    scene.register("ada").await;
    let password = "x".repeat(100);
    let operator = scene.accounts.operator();
    let set = operator.set_password("ada", password.clone().into()).await;
    set.expect("set");
    let stored = scene.stored_hash("ada").await;

    let bcrypt = Policy {
        hash_cost: HashCost::Bcrypt(BcryptCost::TRIFLING),
        ..policy()
    };
    let accounts = open(&scene.database, 7, bcrypt, scene.clock.clone())
        .await
        .expect("opens");
    accounts
        .login(entered("ada", &password), Mode::Token, &peer())
        .await
        .expect("the password");
    assert_eq!(scene.stored_hash("ada").await, stored);
}

#[tokio::test]
async fn what_was_typed_as_an_unknown_name_is_kept_as_a_keyed_hash_alone() {
    let scene = scene(policy()).await;
    let _ = scene.login("MySecretPassword1", "x").await;
    let event = scene
        .database
        .store()
        .newest_audit(1)
        .await
        .expect("readable")
        .remove(0);
    let detail = event.detail.expect("a detail");
    assert!(detail.starts_with(r#"{"name_hash":""#), "{detail}");
    assert!(!detail.to_lowercase().contains("mysecret"), "{detail}");
    assert_eq!(event.actor_kind, "anonymous");
}

#[tokio::test]
async fn a_password_that_is_too_long_is_refused_before_any_look_up() {
    let scene = scene(policy()).await;
    scene.register("ada").await;
    let before = scene.accounts.0.gate.calls();
    for login in ["ada", "nobody"] {
        let answer = scene.login(login, &"x".repeat(257)).await;
        assert!(matches!(answer, Err(Error::Invalid(_))), "{login}");
    }
    assert_eq!(scene.accounts.0.gate.calls(), before);
}

#[tokio::test]
async fn failures_are_limited_and_the_right_password_waits_too() {
    let limit = Limit {
        count: 3,
        window: Duration::from_secs(900),
    };
    let limits = ThrottleSettings {
        login_per_account: Some(limit),
        ..unlimited()
    };
    let scene = scene(Policy { limits, ..policy() }).await;
    scene.register("ada").await;
    for login in ["ada", "ada@example.org", "ada"] {
        assert!(matches!(
            scene.login(login, "wrong").await,
            Err(Error::InvalidCredentials)
        ));
    }
    for _ in 0..5 {
        let Err(Error::Limited(limited)) = scene.login("ada", PASSWORD).await else {
            panic!("limited")
        };
        assert_eq!((limited.policy, limited.limit), ("login_per_account", 3));
    }
    let told = scene
        .audit()
        .await
        .iter()
        .filter(|event| *event == "login_limited")
        .count();
    assert_eq!(told, 1, "a refused flood does not fill the disk");
    scene.clock.advance(Duration::from_secs(961));
    scene
        .login("ada", PASSWORD)
        .await
        .expect("the window has passed");
}

#[tokio::test]
async fn successes_do_not_count() {
    let limit = Limit {
        count: 2,
        window: Duration::from_secs(900),
    };
    let limits = ThrottleSettings {
        login_per_account: Some(limit),
        login_per_ip: Some(limit),
        ..unlimited()
    };
    let scene = scene(Policy { limits, ..policy() }).await;
    scene.register("ada").await;
    for _ in 0..10 {
        scene.login("ada", PASSWORD).await.expect("right each time");
    }
}

#[tokio::test]
async fn parallel_guesses_cannot_exceed_the_limit() {
    let limit = Limit {
        count: 5,
        window: Duration::from_secs(900),
    };
    let limits = ThrottleSettings {
        login_per_account: Some(limit),
        ..unlimited()
    };
    let scene = scene(Policy { limits, ..policy() }).await;
    scene.register("ada").await;
    let guesses: Vec<_> = (0..50)
        .map(|number| {
            let accounts = scene.accounts.clone();
            tokio::spawn(async move {
                accounts
                    .login(
                        entered("ada", &format!("guess {number}")),
                        Mode::Token,
                        &peer(),
                    )
                    .await
            })
        })
        .collect();
    let mut judged = 0;
    for guess in guesses {
        judged += usize::from(matches!(
            guess.await.expect("no panic"),
            Err(Error::InvalidCredentials)
        ));
    }
    assert_eq!(judged, 5);
}

#[tokio::test]
async fn registration_can_be_closed() {
    let scene = scene(Policy {
        registration_open: false,
        ..policy()
    })
    .await;
    let answer = scene
        .accounts
        .register(form("ada"), Mode::Token, &peer())
        .await;
    assert!(matches!(answer, Err(Error::RegistrationClosed)));
    let new = NewAccount {
        registration: form("ada"),
        roles: BTreeSet::new(),
    };
    let user = scene
        .accounts
        .operator()
        .add_user(new)
        .await
        .expect("operators may");
    assert!(user.email_verified, "the operator vouches for the address");
}

#[tokio::test]
async fn twenty_parallel_refreshes_give_one_branch_and_the_client_goes_on() {
    let scene = scene(policy()).await;
    let (_, mut current) = tokens(scene.register("ada").await);
    for _ in 0..20 {
        let racers: Vec<_> = (0..20)
            .map(|_| {
                let (accounts, token) = (scene.accounts.clone(), current.clone());
                tokio::spawn(async move { accounts.refresh(&token, &peer()).await })
            })
            .collect();
        let mut answers = BTreeSet::new();
        for racer in racers {
            let opened = racer
                .await
                .expect("no panic")
                .expect("every racer is answered");
            answers.insert(tokens(opened).1);
        }
        assert_eq!(answers.len(), 1, "one live branch");
        current = answers.pop_first().expect("one");
    }
}

#[tokio::test]
async fn a_lost_answer_is_repeated_within_the_grace_and_theft_is_noticed_after_it() {
    let scene = scene(policy()).await;
    let (_, first) = tokens(scene.register("ada").await);
    let (_, second) = tokens(
        scene
            .accounts
            .refresh(&first, &peer())
            .await
            .expect("current"),
    );
    scene.clock.advance(Duration::from_secs(59));
    let (access, again) = tokens(
        scene
            .accounts
            .refresh(&first, &peer())
            .await
            .expect("in the grace"),
    );
    assert_eq!(again, second);
    scene.clock.advance(Duration::from_secs(1));
    assert!(matches!(
        scene.accounts.refresh(&first, &peer()).await,
        Err(Error::TokenReused)
    ));
    assert!(matches!(
        scene.accounts.refresh(&second, &peer()).await,
        Err(Error::RevokedToken)
    ));
    assert!(matches!(
        scene.accounts.caller_of_bearer(&access).await,
        Err(Error::RevokedToken)
    ));
    assert_eq!(
        scene.audit().await.last().map(String::as_str),
        Some("refreshed_reuse")
    );
}

#[tokio::test]
async fn a_made_up_refresh_token_of_a_known_session_changes_nothing() {
    let scene = scene(policy()).await;
    let opened = scene.register("ada").await;
    let (access, real) = tokens(opened);
    let caller = scene
        .accounts
        .caller_of_bearer(&access)
        .await
        .expect("signed in");
    let forger = token::RefreshTokens::new(
        &SecretKey::new(SecretBox::new(vec![8; 32].into()))
            .expect("long enough")
            .keys(),
    );
    let forged = forger.first(caller.session).expose();
    assert!(matches!(
        scene.accounts.refresh(&forged, &peer()).await,
        Err(Error::InvalidToken(_))
    ));
    scene
        .accounts
        .logout_refresh_token(&forged, &peer())
        .await
        .expect("no error");
    scene
        .accounts
        .refresh(&real, &peer())
        .await
        .expect("the honest client goes on");
}

#[tokio::test]
async fn a_refresh_token_lasts_for_its_idle_time_and_a_session_for_its_absolute_time() {
    let scene = scene(policy()).await;
    let (_, unused) = tokens(scene.register("ada").await);
    let (_, mut used) = tokens(scene.login("ada", PASSWORD).await.expect("logs in"));
    let day = Duration::from_secs(86_400);
    for _ in 0..4 {
        scene.clock.advance(day * 20);
        used = tokens(
            scene
                .accounts
                .refresh(&used, &peer())
                .await
                .expect("in use"),
        )
        .1;
    }
    assert!(matches!(
        scene.accounts.refresh(&unused, &peer()).await,
        Err(Error::ExpiredToken)
    ));
    scene.clock.advance(day * 10);
    assert!(matches!(
        scene.accounts.refresh(&used, &peer()).await,
        Err(Error::ExpiredToken)
    ));
}

#[tokio::test]
async fn logging_out_ends_what_the_session_gave() {
    let scene = scene(policy()).await;
    let (access, refresh) = tokens(scene.register("ada").await);
    scene.clock.advance(Duration::from_secs(1_000));
    assert!(matches!(
        scene.accounts.caller_of_bearer(&access).await,
        Err(Error::ExpiredToken)
    ));
    scene
        .accounts
        .logout_bearer(&access, &peer())
        .await
        .expect("an expired token logs out too");
    assert!(matches!(
        scene.accounts.refresh(&refresh, &peer()).await,
        Err(Error::RevokedToken)
    ));
    scene
        .accounts
        .logout_bearer(&access, &peer())
        .await
        .expect("again is no error");
    scene
        .accounts
        .logout_bearer("nonsense", &peer())
        .await
        .expect("nor is nonsense");
    assert_eq!(scene.audit().await, ["registered", "logout"]);
}

#[tokio::test]
async fn a_cookie_lives_by_use_and_to_its_absolute_end() {
    let scene = scene(policy()).await;
    let opened = scene
        .accounts
        .register(form("ada"), Mode::Cookie, &peer())
        .await
        .expect("registers");
    let value = cookie(opened);
    let day = Duration::from_secs(86_400);
    for _ in 0..4 {
        scene.clock.advance(day * 6);
        let caller = scene
            .accounts
            .caller_of_cookie(&value)
            .await
            .expect("in use");
        assert_eq!(caller.credential, Credential::Cookie);
    }
    scene.clock.advance(day * 6);
    assert!(matches!(
        scene.accounts.caller_of_cookie(&value).await,
        Err(Error::ExpiredToken)
    ));

    let idle = cookie(
        scene
            .accounts
            .login(entered("ada", PASSWORD), Mode::Cookie, &peer())
            .await
            .expect("logs in"),
    );
    scene.clock.advance(day * 7);
    assert!(matches!(
        scene.accounts.caller_of_cookie(&idle).await,
        Err(Error::ExpiredToken)
    ));
}

#[tokio::test]
async fn a_cookie_logs_out() {
    let scene = scene(policy()).await;
    let value = cookie(
        scene
            .accounts
            .register(form("ada"), Mode::Cookie, &peer())
            .await
            .expect("registers"),
    );
    scene
        .accounts
        .logout_cookie(&value, &peer())
        .await
        .expect("logs out");
    assert!(matches!(
        scene.accounts.caller_of_cookie(&value).await,
        Err(Error::RevokedToken)
    ));
}

#[tokio::test]
async fn one_kind_of_proof_is_none_of_the_other_kind() {
    let scene = scene(policy()).await;
    let (access, refresh) = tokens(scene.register("ada").await);
    let value = cookie(
        scene
            .accounts
            .login(entered("ada", PASSWORD), Mode::Cookie, &peer())
            .await
            .expect("logs in"),
    );
    for wrong in [&refresh, &value] {
        assert!(matches!(
            scene.accounts.caller_of_bearer(wrong).await,
            Err(Error::InvalidToken(_))
        ));
    }
    for wrong in [&refresh, &access] {
        assert!(matches!(
            scene.accounts.caller_of_cookie(wrong).await,
            Err(Error::InvalidToken(_))
        ));
    }
    for wrong in [&access, &value] {
        assert!(matches!(
            scene.accounts.refresh(wrong, &peer()).await,
            Err(Error::InvalidToken(_))
        ));
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
async fn an_attempt_that_nobody_judged_costs_nobody_a_try() {
    let limit = Limit {
        count: 2,
        window: Duration::from_secs(900),
    };
    let limits = ThrottleSettings {
        login_per_account: Some(limit),
        ..unlimited()
    };
    // One slot, no queue: of many at once, most are turned away unjudged.
    let policy = Policy {
        limits,
        hash_slots: NonZeroUsize::MIN,
        hash_queue: 0,
        hash_cost: HashCost::Argon2id(Argon2Cost::RECOMMENDED),
        ..policy()
    };
    let scene = scene(policy).await;
    scene.register("ada").await;
    let logins = (0..20).map(|_| scene.login("ada", PASSWORD));
    let mut unavailable = 0;
    for answer in futures_util::future::join_all(logins).await {
        match answer {
            Ok(_) | Err(Error::Limited(_)) => {}
            Err(Error::Unavailable(_)) => unavailable += 1,
            Err(other) => panic!("unexpected: {other}"),
        }
    }
    assert!(unavailable > 0, "the gate was full");
    scene
        .login("ada", PASSWORD)
        .await
        .expect("no failure stands");
}

#[tokio::test]
async fn a_client_that_goes_away_in_the_middle_of_a_login_leaves_no_failure_behind() {
    let limit = Limit {
        count: 3,
        window: Duration::from_secs(900),
    };
    let limits = ThrottleSettings {
        login_per_account: Some(limit),
        ..unlimited()
    };
    let scene = scene(Policy { limits, ..policy() }).await;
    scene.register("ada").await;
    for round in 1..=10 {
        let mut login = Box::pin(scene.login("ada", PASSWORD));
        assert!(futures_util::poll!(&mut login).is_pending());
        drop(login);
        // Judged to its end all the same, as its record shows.
        let judged = async || {
            scene
                .audit()
                .await
                .iter()
                .filter(|event| *event == "login")
                .count()
        };
        while judged().await < round {
            tokio::task::yield_now().await;
        }
    }
    scene
        .login("ada", PASSWORD)
        .await
        .expect("no failure stands");
}

#[tokio::test]
async fn a_disabled_account_is_named_in_the_record_of_a_try_at_it() {
    let scene = scene(policy()).await;
    let ada = scene.register("ada").await.user.id;
    scene
        .accounts
        .operator()
        .disable("ada")
        .await
        .expect("disabled");
    let _ = scene.login("ada", "wrong password").await;
    let events = scene
        .database
        .store()
        .newest_audit(10)
        .await
        .expect("readable");
    let failed = events.iter().find(|event| event.event == "login_failed");
    assert_eq!(failed.expect("recorded").subject, Some(ada));
}

#[tokio::test]
async fn another_secret_key_is_refused_before_anything_is_written() {
    let scene = scene(policy()).await;
    let key = |byte| SecretKey::new(SecretBox::new(vec![byte; 32].into())).expect("long enough");
    assert!(scene.database.refuse_other_key(&key(7)).await.is_ok());
    let other = scene.database.refuse_other_key(&key(8)).await;
    assert!(matches!(other, Err(OpenError::OtherSecretKey)));
}
