//! Registration: who gets an account, and under which names.

use super::*;

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
