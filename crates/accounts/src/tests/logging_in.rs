//! Logging in: one answer for every refusal, and limits that nobody outruns.

use super::*;

/// Users of each kind that must not be told apart, and what is tried with them.
const REFUSED: [(&str, &str); 11] = [
    ("ada", "wrong password"),
    ("ada@example.org", "wrong password"),
    ("ada", ""),
    ("nobody", PASSWORD),
    ("nobody@example.org", PASSWORD),
    ("disabled", PASSWORD),
    ("disabled", "wrong password"),
    ("deleted", PASSWORD),
    ("deleted@example.org", PASSWORD),
    ("not a name \u{0}", PASSWORD),
    ("", ""),
];

impl Scene {
    async fn with_disabled_and_deleted(self) -> Self {
        let operator = self.accounts.operator();
        for name in ["ada", "disabled", "deleted"] {
            self.register(name).await;
        }
        operator.disable("disabled").await.expect("disabled");
        operator.delete("deleted").await.expect("deleted");
        self.accounts.0.gate.take_work();
        self
    }

    /// What a refused login made the gate compute.
    async fn work_of_refusing(&self, login: &str, password: &str) -> Vec<String> {
        let answer = self.login(login, password).await;
        assert!(
            matches!(answer, Err(Error::InvalidCredentials)),
            "{login:?} {password:?}"
        );
        self.accounts.0.gate.take_work()
    }
}

#[tokio::test]
async fn wrong_unknown_disabled_and_deleted_get_one_answer_for_the_same_work() {
    for hash_cost in [
        HashCost::Argon2id(Argon2Cost::TRIFLING),
        HashCost::Argon2id(Argon2Cost::new(64, 3, 2).expect("bearable")),
        HashCost::Bcrypt(BcryptCost::TRIFLING),
    ] {
        let scene = scene(Policy {
            hash_cost,
            ..policy()
        });
        let scene = scene.await.with_disabled_and_deleted().await;
        let wrong = scene.work_of_refusing("ada", "wrong password").await;
        assert_eq!(wrong.len(), 1, "{wrong:?}");
        for (login, password) in REFUSED {
            let events = scene.audit().await.len();
            let work = scene.work_of_refusing(login, password).await;
            assert_eq!(work, wrong, "{login:?} {password:?}");
            let recorded = scene.audit().await.len() - events;
            assert_eq!(recorded, 1, "{login:?}: one record");
        }
    }
}

/// The documented exception: it tells an account on such a hash from an unknown one, but not a disabled account from a
/// wrong password.
#[tokio::test]
async fn a_hash_from_elsewhere_takes_its_own_work_whether_or_not_the_account_is_disabled() {
    let scene = scene(policy()).await.with_disabled_and_deleted().await;
    let ours = scene.work_of_refusing("nobody", PASSWORD).await;
    for name in ["ada", "disabled"] {
        scene.store_hash(name, hashes::FOREIGN_HASH).await;
    }
    for (login, password) in REFUSED {
        let is_on_it = login.starts_with("ada") || login == "disabled";
        let expected = if is_on_it {
            vec!["bcrypt 4".to_owned()]
        } else {
            ours.clone()
        };
        let work = scene.work_of_refusing(login, password).await;
        assert_eq!(work, expected, "{login:?} {password:?}");
    }
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
        assert_eq!(
            (limited.quota.policy, limited.quota.limit),
            ("login_per_account", 3)
        );
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
