//! The life of a session: refreshed, recognised, ended.

use std::{future::poll_fn, pin::pin, task::Poll};

use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};

use super::*;
use crate::sessions::NOTED_AT_ONCE;

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
    let value = scene.register_for_cookie("ada").await;
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
async fn no_access_token_is_good_beyond_the_end_of_its_session() {
    let scene = scene(policy()).await;
    let (day, left) = (Duration::from_secs(86_400), Duration::from_secs(100));
    let (whole, mut refresh_token) = lifetime(&scene, scene.register("ada").await.proof);
    assert_eq!(whole, Duration::from_secs(900));
    let cookie_session = scene
        .accounts
        .login(entered("ada", PASSWORD), Mode::Cookie, &peer())
        .await;
    let value = cookie(cookie_session.expect("logs in"));
    for _ in 0..4 {
        scene.clock.advance(day * 6);
        let used = scene.accounts.caller_of_cookie(&value).await;
        used.expect("in use");
    }
    scene.clock.advance(day * 6 - left);
    let granted = scene.accounts.refresh_by_cookie(&value, &peer()).await;
    let granted = granted.expect("still in use");
    assert_eq!(granted.expires_in, left);
    assert_eq!(lifetime_of(&scene, &granted.access_token), left);
    for rest in [day * 10, day * 25, day * 25] {
        let opened = scene.accounts.refresh(&refresh_token, &peer()).await;
        let (shown, next) = lifetime(&scene, opened.expect("in use").proof);
        assert_eq!(shown, whole);
        refresh_token = next;
        scene.clock.advance(rest);
    }
    let opened = scene.accounts.refresh(&refresh_token, &peer()).await;
    let (shown, _) = lifetime(&scene, opened.expect("in use").proof);
    assert_eq!(shown, left);
}

#[tokio::test]
async fn an_access_token_ends_with_a_session_that_is_not_used() {
    let scene = scene(Policy {
        refresh_idle_ttl: Duration::from_secs(900),
        cookie_idle_ttl: Duration::from_secs(300),
        ..policy()
    })
    .await;
    let (_, first) = lifetime(&scene, scene.register("ada").await.proof);
    for (later, left) in [(0, 900), (30, 870)] {
        scene.clock.advance(Duration::from_secs(later));
        let opened = scene.accounts.refresh(&first, &peer()).await;
        let (shown, _) = lifetime(&scene, opened.expect("in the grace").proof);
        assert_eq!(shown, Duration::from_secs(left));
    }
    let opened = scene
        .accounts
        .login(entered("ada", PASSWORD), Mode::Cookie, &peer())
        .await;
    let value = cookie(opened.expect("logs in"));
    // A use is noted when a quarter of the time is over.
    for (later, left) in [(0, 300), (70, 230), (10, 300)] {
        scene.clock.advance(Duration::from_secs(later));
        let granted = scene.accounts.refresh_by_cookie(&value, &peer()).await;
        let granted = granted.expect("in use");
        assert_eq!(granted.expires_in, Duration::from_secs(left));
        assert_eq!(
            lifetime_of(&scene, &granted.access_token),
            granted.expires_in
        );
    }
}

/// For how long an access token is said to be good, which is what its claims say; and the refresh token.
fn lifetime(scene: &Scene, proof: Proof) -> (Duration, String) {
    match proof {
        Proof::Tokens {
            access_token,
            expires_in,
            refresh_token,
            ..
        } => {
            assert_eq!(lifetime_of(scene, &access_token), expires_in);
            (expires_in, refresh_token)
        }
        Proof::Cookie { .. } => panic!("tokens were asked for"),
    }
}

fn lifetime_of(scene: &Scene, access_token: &str) -> Duration {
    let claims = access_token.split('.').nth(1).expect("a JWT");
    let claims = BASE64_URL_SAFE_NO_PAD.decode(claims).expect("base64url");
    let claims: serde_json::Value = serde_json::from_slice(&claims).expect("JSON");
    let expires = claims["exp"].as_u64().expect("a time");
    let now = u64::try_from(scene.clock.now().as_seconds()).expect("after 1970");
    Duration::from_secs(expires - now)
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
async fn a_cookie_session_that_is_used_lasts_however_short_its_idle_time_is() {
    for minutes in [1, 5, 6, 15, 60] {
        let idle = Duration::from_secs(minutes * 60);
        let scene = scene(Policy {
            cookie_idle_ttl: idle,
            ..policy()
        })
        .await;
        let opened = scene
            .accounts
            .register(form("ada"), Mode::Cookie, &peer())
            .await;
        let value = cookie(opened.expect("registers"));
        // Whatever the time of the first use, three quarters of the idle time may pass unused.
        for uses in [30, 31, 32] {
            for _ in 0..uses {
                scene.clock.advance(idle / 10);
                let caller = scene.accounts.caller_of_cookie(&value).await;
                caller.expect("is in use");
            }
            scene.clock.advance(idle * 3 / 4);
            let caller = scene.accounts.caller_of_cookie(&value).await;
            caller.expect("was in use a moment ago");
        }
        scene.clock.advance(idle);
        let caller = scene.accounts.caller_of_cookie(&value).await;
        assert!(matches!(caller, Err(Error::ExpiredToken)), "{minutes} min");
    }
}

#[tokio::test]
async fn where_many_uses_are_being_noted_a_cookie_waits_for_none_of_them() {
    let scene = scene(policy()).await;
    let value = scene.register_for_cookie("ada").await;
    let last_used = async || {
        let caller = scene.accounts.caller_of_cookie(&value).await;
        let caller = caller.expect("is in use");
        let listed = scene.accounts.sessions(&caller).await.expect("lists");
        listed[0].last_used_at
    };
    scene.clock.advance(Duration::from_secs(3600));
    let all = u32::try_from(NOTED_AT_ONCE).expect("are few");
    let noting = scene.accounts.0.noting.acquire_many(all).await;
    assert_eq!(last_used().await, NOON);
    drop(noting);
    assert_eq!(last_used().await, scene.clock.now());
}

#[tokio::test]
async fn whoever_leaves_while_a_use_is_noted_gives_the_turn_back_when_the_store_is_done() {
    let scene = scene(policy()).await;
    let value = scene.register_for_cookie("ada").await;
    let turns = || scene.accounts.0.noting.available_permits();
    scene.clock.advance(Duration::from_secs(3600));
    {
        let mut asked = pin!(scene.accounts.caller_of_cookie(&value));
        while turns() == NOTED_AT_ONCE {
            let polled = poll_fn(|context| Poll::Ready(asked.as_mut().poll(context)));
            assert!(polled.await.is_pending(), "its use is noted first");
            tokio::task::yield_now().await;
        }
    }
    // Nothing else has run on this thread since.
    assert_eq!(turns(), NOTED_AT_ONCE - 1);
    while turns() < NOTED_AT_ONCE {
        tokio::task::yield_now().await;
    }
    let caller = scene.accounts.caller_of_cookie(&value).await;
    let caller = caller.expect("is in use");
    let listed = scene.accounts.sessions(&caller).await.expect("lists");
    assert_eq!(listed[0].last_used_at, scene.clock.now());
}

#[tokio::test]
async fn what_was_begun_in_a_session_may_go_on_until_it_ends_and_is_no_use_of_it() {
    let scene = scene(policy()).await;
    let (access, _) = tokens(scene.register("ada").await);
    let caller = scene.caller(&access).await;
    scene.clock.advance(scene.accounts.0.policy.access_ttl * 2);
    assert!(scene.accounts.caller_of_bearer(&access).await.is_err());
    let stands = scene.accounts.still_stands(&caller).await;
    stands.expect("the session outlives its access token");
    let idle = scene.accounts.0.policy.refresh_idle_ttl;
    scene.clock.advance(idle);
    assert!(matches!(
        scene.accounts.still_stands(&caller).await,
        Err(Error::ExpiredToken)
    ));

    let (access, _) = tokens(scene.register("eve").await);
    let caller = scene.caller(&access).await;
    let ended = scene.accounts.logout_bearer(&access, &peer()).await;
    ended.expect("logs out");
    assert!(matches!(
        scene.accounts.still_stands(&caller).await,
        Err(Error::RevokedToken)
    ));
}
