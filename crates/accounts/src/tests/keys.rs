//! Signing keys: announced, found by other nodes, listed.

use std::pin::pin;

use super::*;

#[tokio::test]
async fn a_token_of_an_unknown_key_is_judged_when_the_node_has_looked_again_once_a_second_at_most()
{
    let scene = scene(policy()).await;
    let here = &scene.accounts;
    scene.register("ada").await;
    let there = open(&scene.database, 7, policy(), scene.clock.clone())
        .await
        .expect("a second node opens");
    let token_of_a_new_key = async || {
        let change = there.operator().rotate_signing_key_at_once().await;
        assert!(matches!(change, Ok(KeyChange::Rotated(_))), "{change:?}");
        scene.clock.advance(Duration::from_micros(100));
        there.read_keys().await.expect("read");
        let opened = there
            .login(entered("ada", PASSWORD), Mode::Token, &peer())
            .await;
        tokens(opened.expect("logs in")).0
    };

    scene.clock.advance(Duration::from_secs(1));
    let token = token_of_a_new_key().await;
    // The first one looks, the others wait for what it finds.
    let calls = (0..20).map(|_| here.caller_of_bearer(&token));
    for caller in futures_util::future::join_all(calls).await {
        caller.expect("the key was found");
    }
    let another = token_of_a_new_key().await;
    let mut caller = pin!(here.caller_of_bearer(&another));
    assert!(
        futures_util::poll!(&mut caller).is_pending(),
        "nobody makes us look more often"
    );
    caller.await.expect("found when the second is over");
    here.caller_of_bearer(&token)
        .await
        .expect("and this one stands");
    let last = token_of_a_new_key().await;
    scene.clock.advance(Duration::from_secs(1));
    here.logout_bearer(&last, &peer()).await.expect("ends it");
    assert!(matches!(
        there.caller_of_bearer(&last).await,
        Err(Error::RevokedToken)
    ));
}

#[tokio::test]
async fn a_token_of_a_key_that_has_retired_has_expired_and_still_ends_its_session() {
    let scene = scene(policy()).await;
    scene.register("ada").await;
    // A node that knows the key from before, and one that was opened when it had retired.
    for is_opened_late in [false, true] {
        let opened = scene
            .accounts
            .login(entered("ada", PASSWORD), Mode::Token, &peer())
            .await;
        let (access, refresh) = tokens(opened.expect("logs in"));
        let change = scene.accounts.operator().rotate_signing_key_at_once().await;
        assert!(matches!(change, Ok(KeyChange::Rotated(_))), "{change:?}");
        let lasting = scene.accounts.0.policy.access_ttl + Duration::from_secs(31);
        scene.clock.advance(lasting);
        scene.accounts.read_keys().await.expect("read");
        let late = open(&scene.database, 7, policy(), scene.clock.clone()).await;
        let late = late.expect("opens");
        let node = if is_opened_late {
            &late
        } else {
            &scene.accounts
        };

        let caller = node.caller_of_bearer(&access).await;
        assert!(matches!(caller, Err(Error::ExpiredToken)), "{caller:?}");
        let ended = node.logout_bearer(&access, &peer()).await;
        ended.expect("ends its session");
        let refreshed = scene.accounts.refresh(&refresh, &peer()).await;
        assert!(matches!(refreshed, Err(Error::RevokedToken)));
    }
}

#[tokio::test]
async fn who_looks_for_a_key_and_goes_away_leaves_the_looking_to_the_next_one() {
    let scene = scene(policy()).await;
    let here = &scene.accounts;
    scene.register("ada").await;
    let there = open(&scene.database, 7, policy(), scene.clock.clone())
        .await
        .expect("a second node opens");
    for polls in 1.. {
        scene.clock.advance(Duration::from_secs(1));
        let change = there.operator().rotate_signing_key_at_once().await;
        assert!(matches!(change, Ok(KeyChange::Rotated(_))), "{change:?}");
        scene.clock.advance(Duration::from_secs(1));
        there.read_keys().await.expect("read");
        let opened = there
            .login(entered("ada", PASSWORD), Mode::Token, &peer())
            .await;
        let token = tokens(opened.expect("logs in")).0;

        let was_answered = {
            let mut leaving = pin!(here.caller_of_bearer(&token));
            let mut answer = std::task::Poll::Pending;
            for _ in 0..polls {
                if answer.is_pending() {
                    answer = futures_util::poll!(&mut leaving);
                    tokio::task::yield_now().await;
                }
            }
            answer.is_ready()
        };
        here.caller_of_bearer(&token)
            .await
            .expect("the key is there to be found");
        if was_answered {
            break;
        }
    }
}

#[tokio::test]
async fn when_the_keys_cannot_be_read_nobody_says_that_a_token_is_wrong() {
    let scene = scene(policy()).await;
    let (token, _) = tokens(scene.register("ada").await);
    let other = self::scene(policy()).await;
    scene.clock.advance(Duration::from_secs(1));
    scene.database.clone().close().await;
    let foreign = tokens(other.register("eve").await).0;
    for _ in 0..2 {
        let caller = scene.accounts.caller_of_bearer(&foreign).await;
        assert!(matches!(caller, Err(Error::Unavailable(_))), "{caller:?}");
    }
    assert!(
        scene
            .accounts
            .logout_bearer(&foreign, &peer())
            .await
            .is_err()
    );
    drop(token);
}

#[tokio::test]
async fn keys_are_listed_with_what_they_do() {
    let scene = scene(policy()).await;
    let operator = scene.accounts.operator();
    let states = async || {
        let keys = operator.signing_keys().await.expect("a list");
        keys.into_iter().map(|key| key.state).collect::<Vec<_>>()
    };
    assert_eq!(states().await, [KeyState::Signing]);
    let change = operator.rotate_signing_key().await.expect("rotates");
    let KeyChange::Rotated(next) = change else {
        panic!("{change:?}")
    };
    assert_eq!(next.signs_from, Some(NOON.plus(Duration::from_secs(600))));
    assert_eq!(states().await, [KeyState::Signing, KeyState::Announced]);
    let again = operator.rotate_signing_key().await.expect("an answer");
    assert_eq!(again, KeyChange::AlreadyAnnounced(next));
    scene.clock.advance(Duration::from_secs(600));
    assert_eq!(states().await, [KeyState::Retiring, KeyState::Signing]);
    scene.clock.advance(Duration::from_secs(930));
    assert_eq!(states().await, [KeyState::Retired, KeyState::Signing]);
    assert_eq!(
        scene
            .audit()
            .await
            .iter()
            .filter(|event| *event == "key_rotated")
            .count(),
        1
    );
}

#[tokio::test]
async fn new_keys_are_of_the_configured_kind_and_the_old_kind_goes_on_verifying() {
    let scene = scene(policy()).await;
    let (old, _) = tokens(scene.register("ada").await);
    let policy = Policy {
        signing_algorithm: SigningAlgorithm::EdDsa,
        ..policy()
    };
    let accounts = open(&scene.database, 7, policy, scene.clock.clone())
        .await
        .expect("opens");
    assert_eq!(accounts.jwks()["keys"][0]["alg"], "ES256", "nothing yet");
    accounts
        .operator()
        .rotate_signing_key_at_once()
        .await
        .expect("rotates");
    scene.clock.advance(Duration::from_secs(1));
    accounts.read_keys().await.expect("read");
    assert_eq!(accounts.jwks()["keys"][1]["alg"], "EdDSA");
    let opened = accounts
        .login(entered("ada", PASSWORD), Mode::Token, &peer())
        .await;
    let (new, _) = tokens(opened.expect("logs in"));
    for token in [&old, &new] {
        accounts
            .caller_of_bearer(token)
            .await
            .expect("accepted here");
        scene
            .accounts
            .caller_of_bearer(token)
            .await
            .expect("and there");
    }
}
