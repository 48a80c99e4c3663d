//! The first admin: a code that is good once, and the settings that name somebody.

use super::*;

async fn offered(scene: &Scene) -> SecretString {
    let offer = scene.accounts.offer_setup().await.expect("offers");
    offer.expect("there is no admin yet")
}

async fn enter(scene: &Scene, code: &str, form: Registration) -> Result<Opened, Error> {
    let code = code.to_owned().into();
    let peer = peer();
    scene.accounts.set_up(code, form, Mode::Token, &peer).await
}

async fn set_up(scene: &Scene, code: &SecretString, name: &str) -> Result<Opened, Error> {
    enter(scene, code.expose_secret(), form(name)).await
}

async fn appoint(scene: &Scene, email: &str, password: &str) -> Result<FirstAdmin, Error> {
    let operator = scene.accounts.operator();
    let appointed = operator.appoint_first_admin(email.to_owned(), password.to_owned().into());
    appointed.await
}

#[tokio::test]
async fn whoever_has_the_code_becomes_the_admin_even_where_registration_is_closed() {
    let scene = scene(Policy {
        registration_open: false,
        ..policy()
    })
    .await;
    let code = offered(&scene).await;
    let opened = set_up(&scene, &code, "root").await.expect("sets up");
    assert_eq!(opened.user.roles, BTreeSet::from(["admin".to_owned()]));
    assert!(opened.user.email_verified && opened.quota.is_none());
    let (access, _) = tokens(opened);
    let caller = scene.accounts.caller_of_bearer(&access).await;
    assert!(caller.expect("signed in").user.roles.contains("admin"));
    // Events of one moment have no order.
    scene.clock.advance(Duration::from_secs(1));
    scene.login("root", PASSWORD).await.expect("logs in");
    assert_eq!(scene.audit().await, ["admin_created", "login"]);
    assert!(matches!(
        set_up(&scene, &code, "eve").await,
        Err(Error::SetupRefused)
    ));
    assert!(
        scene.accounts.offer_setup().await.expect("asks").is_none(),
        "no second first admin"
    );
}

#[tokio::test]
async fn a_code_is_refused_before_anything_is_hashed_or_looked_at() {
    let scene = scene(policy()).await;
    let stale = offered(&scene).await;
    let code = offered(&scene).await;
    assert_ne!(stale.expose_secret(), code.expose_secret());
    assert_eq!(code.expose_secret().len(), 43, "256 bits as base64url");
    let mut broken = form("root");
    broken.email = "no address".into();
    for wrong in ["", "x", stale.expose_secret()] {
        let wrong = SecretString::from(wrong);
        assert!(matches!(
            set_up(&scene, &wrong, "root").await,
            Err(Error::SetupRefused)
        ));
    }
    assert!(matches!(
        enter(&scene, "x", broken).await,
        Err(Error::SetupRefused)
    ));
    assert_eq!(scene.accounts.0.gate.calls(), 0);

    scene.clock.advance(Duration::from_secs(30 * 60));
    assert!(matches!(
        set_up(&scene, &code, "root").await,
        Err(Error::SetupRefused)
    ));
    assert_eq!(scene.accounts.0.gate.calls(), 0);
}

#[tokio::test]
async fn a_mistake_in_the_form_or_a_taken_name_leaves_the_code_good() {
    let scene = scene(policy()).await;
    scene.register("ada").await;
    let code = offered(&scene).await;
    let mut weak = form("root");
    weak.password = "short".to_owned().into();
    assert!(matches!(
        enter(&scene, code.expose_secret(), weak).await,
        Err(Error::Invalid(_))
    ));
    assert!(matches!(
        set_up(&scene, &code, "ada").await,
        Err(Error::EmailTaken)
    ));
    set_up(&scene, &code, "root").await.expect("still good");
}

#[tokio::test]
async fn wrong_codes_count_as_registrations_and_the_right_one_does_not() {
    let limits = ThrottleSettings {
        register_per_ip: Some(Limit {
            count: 2,
            window: Duration::from_secs(3600),
        }),
        ..unlimited()
    };
    let scene = scene(Policy { limits, ..policy() }).await;
    let code = offered(&scene).await;
    let wrong = SecretString::from("wrong");
    for _ in 0..2 {
        let refused = set_up(&scene, &wrong, "root").await;
        assert!(matches!(refused, Err(Error::SetupRefused)));
    }
    assert!(matches!(
        set_up(&scene, &wrong, "root").await,
        Err(Error::Limited(_))
    ));
    set_up(&scene, &code, "root").await.expect("is not limited");
}

#[tokio::test]
async fn of_twenty_who_hold_the_code_one_becomes_the_admin() {
    let scene = scene(policy()).await;
    let code = offered(&scene).await;
    let racers: Vec<_> = (0..20)
        .map(|racer| {
            let (accounts, code) = (scene.accounts.clone(), code.clone());
            tokio::spawn(async move {
                let form = form(&format!("racer{racer}"));
                accounts.set_up(code, form, Mode::Token, &peer()).await
            })
        })
        .collect();
    let mut made = 0;
    for racer in racers {
        match racer.await.expect("no panic") {
            Ok(_) => made += 1,
            Err(Error::SetupRefused) => {}
            Err(other) => panic!("{other}"),
        }
    }
    assert_eq!(made, 1);
    let users = scene.accounts.operator().list_users(None).await;
    assert_eq!(users.expect("lists").len(), 1);
}

#[tokio::test]
async fn the_settings_make_an_admin_once_and_take_over_an_account_of_that_address() {
    let scene = scene(policy()).await;
    let ada = scene.register("ada").await.user.id;
    let code = offered(&scene).await;
    let appointed = appoint(&scene, "Ada@example.org", "another good password").await;
    assert!(
        matches!(appointed, Ok(FirstAdmin::Promoted(user)) if user.id == ada && user.email_verified)
    );
    assert!(scene.login("ada", PASSWORD).await.is_err());
    let opened = scene.login("ada", "another good password").await;
    assert!(opened.expect("logs in").user.roles.contains("admin"));
    assert!(matches!(
        set_up(&scene, &code, "eve").await,
        Err(Error::SetupRefused)
    ));

    let calls = scene.accounts.0.gate.calls();
    let again = appoint(&scene, "ada@example.org", "yet another password").await;
    assert!(matches!(again, Ok(FirstAdmin::Exists)));
    assert_eq!(scene.accounts.0.gate.calls(), calls, "nothing is hashed");
}

#[tokio::test]
async fn the_password_of_the_settings_keeps_the_rules_of_the_account_it_is_for() {
    let scene = scene(policy()).await;
    let mut countess = form("countess-of-lovelace");
    countess.email = "ada@example.org".into();
    let peer = peer();
    let registering = scene.accounts.register(countess, Mode::Token, &peer);
    registering.await.expect("registers");
    for refused in ["short", "password123", "countess-of-lovelace"] {
        assert!(
            matches!(
                appoint(&scene, "ada@example.org", refused).await,
                Err(Error::Invalid(_))
            ),
            "{refused}"
        );
    }
    assert!(matches!(
        appoint(&scene, "no address", PASSWORD).await,
        Err(Error::Invalid(_))
    ));
    let made = appoint(&scene, "root@example.org", PASSWORD).await;
    assert!(matches!(made, Ok(FirstAdmin::Made(user)) if user.username.is_none()));
}
