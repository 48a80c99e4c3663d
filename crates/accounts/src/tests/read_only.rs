//! Accounts on a database that is not to be written: proofs are judged, nothing is changed.

use super::*;

/// The same accounts as another server has them that may not write.
async fn reading(scene: &Scene) -> Accounts {
    let options = DatabaseOptions {
        max_connections: 2,
        ..DatabaseOptions::new(DatabaseUrl::of_file(
            scene.folder.path().join("vestibule.db"),
        ))
    };
    let database = Database::connect_read_only(&options)
        .await
        .expect("connects");
    let opened = open(&database, 7, policy(), scene.clock.clone()).await;
    opened.expect("opens")
}

#[tokio::test]
async fn whoever_is_signed_in_stays_it() {
    let scene = scene(policy()).await;
    let (access, _) = tokens(scene.register("ada").await);
    let by_cookie = scene
        .accounts
        .login(entered("ada", PASSWORD), Mode::Cookie, &peer())
        .await;
    let value = cookie(by_cookie.expect("logs in"));
    let reading = reading(&scene).await;
    scene.clock.advance(Duration::from_secs(600));
    reading.caller_of_bearer(&access).await.expect("signed in");
    let caller = reading.caller_of_cookie(&value).await.expect("signed in");
    let granted = reading.refresh_by_cookie(&value, &peer()).await;
    let access = granted.expect("needs no write").access_token;
    scene
        .accounts
        .caller_of_bearer(&access)
        .await
        .expect("good everywhere");
    let sessions = reading.sessions(&caller).await.expect("lists");
    assert_eq!(sessions.len(), 2);
    assert!(
        sessions.iter().all(|session| session.last_used_at == NOON),
        "its use is not noted"
    );
    assert_eq!(reading.jwks(), scene.accounts.jwks());
    reading.check_ready().await.expect("ready");
    reading.read_keys().await.expect("reads");
}

#[tokio::test]
async fn what_would_change_something_is_refused_before_it_costs_a_hash() {
    let scene = scene(policy()).await;
    let (access, refresh) = tokens(scene.register("ada").await);
    let reading = reading(&scene).await;
    let caller = reading.caller_of_bearer(&access).await.expect("signed in");
    let secret = || PASSWORD.to_owned().into();
    let peer = peer();

    let mut refused = Vec::new();
    for (login, password) in [("ada", PASSWORD), ("ada", "wrong"), ("nobody", PASSWORD)] {
        let entered = entered(login, password);
        refused.push(reading.login(entered, Mode::Token, &peer).await.err());
    }
    let registering = reading.register(form("eve"), Mode::Token, &peer);
    refused.push(registering.await.err());
    let setting_up = reading.set_up(secret(), form("eve"), Mode::Token, &peer);
    refused.push(setting_up.await.err());
    refused.push(reading.offer_setup().await.err());
    refused.push(reading.refresh(&refresh, &peer).await.err());
    refused.push(reading.logout_bearer(&access, &peer).await.err());
    let new = "another good password".to_owned().into();
    let changing = reading.change_password(&caller, secret(), new, &peer);
    refused.push(changing.await.err());
    let deleting = reading.delete_account(&caller, secret(), &peer);
    refused.push(deleting.await.err());
    let content = TodoContent {
        title: "late".into(),
        description: String::new(),
        completed: false,
        due_at: None,
    };
    refused.push(reading.add_todo(&caller, content).await.err());
    refused.push(reading.purge().await.err());
    let operator = reading.operator();
    refused.push(operator.set_password("ada", secret()).await.err());
    refused.push(operator.disable("ada").await.err());
    refused.push(operator.rotate_signing_key().await.err());
    let appointed = operator.appoint_first_admin("eve@example.org".into(), secret());
    refused.push(appointed.await.err());
    for (place, refused) in refused.iter().enumerate() {
        assert!(
            matches!(refused, Some(Error::ReadOnly)),
            "{place}: {refused:?}"
        );
    }
    assert_eq!(reading.0.gate.calls(), 0);

    assert_eq!(scene.audit().await, ["registered"]);
    let refreshed = scene.accounts.refresh(&refresh, &peer).await;
    assert!(refreshed.is_ok(), "the refresh token was not spent");
}
