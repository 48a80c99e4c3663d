//! The move to another database: with its own key alone, on record, and noticed by nobody.

use super::*;

fn at(folder: &std::path::Path, name: &str) -> DatabaseOptions {
    DatabaseOptions::new(DatabaseUrl::of_file(folder.join(name)))
}

fn key(byte: u8) -> SecretKey {
    SecretKey::new(SecretBox::new(vec![byte; 32].into())).expect("long enough")
}

/// Ends the use of the scene's database, so that nobody may write to it.
async fn leave(scene: Scene) -> (tempfile::TempDir, Clock) {
    drop(scene.accounts);
    scene.database.close().await;
    (scene.folder, scene.clock)
}

#[tokio::test]
async fn proofs_from_before_the_move_are_good_after_it_and_it_is_on_record() {
    let scene = scene(policy()).await;
    let (access, refresh) = tokens(scene.register("ada").await);
    let by_cookie = scene
        .accounts
        .login(entered("ada", PASSWORD), Mode::Cookie, &peer())
        .await;
    let value = cookie(by_cookie.expect("logs in"));
    let (folder, clock) = leave(scene).await;
    let (from, to) = (
        at(folder.path(), "vestibule.db"),
        at(folder.path(), "new.db"),
    );

    let source = CopySource::open(&from, &key(7))
        .await
        .expect("the right key");
    let plan = source.plan(&to).await.expect("nothing is in the way");
    assert_eq!(plan.target, TargetState::Missing);
    clock.advance(Duration::from_secs(60));
    let source = CopySource::open(&from, &key(7))
        .await
        .expect("the right key");
    let mut copy = source.copy_to(&to, clock.clone()).await.expect("begins");
    while copy.advance().await.expect("goes on").is_some() {}
    let outcome = copy.finish().await.expect("ends");
    assert!(matches!(outcome, CopyOutcome::Verified(_)), "{outcome:?}");

    let database = Database::connect(&to).await.expect("it is an installation");
    let accounts = open(&database, 7, policy(), clock.clone())
        .await
        .expect("opens");
    accounts.caller_of_bearer(&access).await.expect("signed in");
    accounts.caller_of_cookie(&value).await.expect("signed in");
    accounts.refresh(&refresh, &peer()).await.expect("goes on");
    let newest = database.store().newest_audit(9).await.expect("reads");
    let event = newest
        .iter()
        .find(|event| event.event == "copied")
        .expect("recorded");
    assert_eq!(
        (event.actor_kind.as_str(), event.at),
        ("operator", clock.now())
    );
    let detail = event.detail.as_deref().expect("where it came from");
    assert!(detail.contains("vestibule.db"), "{detail}");
}

#[tokio::test]
async fn with_another_key_nothing_is_begun() {
    let scene = scene(policy()).await;
    let (folder, clock) = leave(scene).await;
    let from = at(folder.path(), "vestibule.db");
    let refused = CopySource::open(&from, &key(8))
        .await
        .err()
        .expect("the wrong key");
    assert!(matches!(refused, OpenError::OtherSecretKey) && refused.is_misconfiguration());
    // It holds nobody up.
    let database = Database::connect(&from).await.expect("connects");
    open(&database, 7, policy(), clock).await.expect("opens");
    let refused = CopySource::open(&from, &key(7))
        .await
        .err()
        .expect("somebody may write");
    assert!(!refused.is_misconfiguration(), "{refused}");
}
