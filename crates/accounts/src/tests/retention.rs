//! What is over goes after its time, and the tables stay bounded.

use super::*;

const DAY: Duration = Duration::from_secs(86_400);

impl Scene {
    async fn rows(&self, table: &str) -> u64 {
        let rollback = self.database.rollback(u32::MAX).await.expect("countable");
        let count = rollback.losses.iter().find(|(name, _)| name == table);
        count.expect("a table").1
    }
}

#[tokio::test]
async fn a_deleted_user_can_be_restored_for_as_long_as_it_is_said_and_is_gone_afterwards() {
    let scene = scene(policy()).await;
    let operator = scene.accounts.operator();
    scene.register("ada").await;
    operator.delete("ada").await.expect("deletes");
    scene.clock.advance(30 * DAY);
    assert_eq!(
        scene.accounts.purge().await.expect("purges"),
        Purged::default()
    );
    assert!(matches!(operator.restore("ada").await, Ok(Change::Made(_))));
    operator.delete("ada").await.expect("deletes");
    scene.clock.advance(30 * DAY + Duration::from_micros(1));
    assert_eq!(scene.accounts.purge().await.expect("purges").users, 1);
    assert!(matches!(
        operator.restore("ada").await,
        Err(Error::NoSuchUser)
    ));
    assert!(matches!(operator.show("ada").await, Err(Error::NoSuchUser)));
}

#[tokio::test]
async fn a_session_says_that_it_expired_for_a_week_before_it_is_unknown() {
    let scene = scene(policy()).await;
    let (_, refresh) = tokens(scene.register("ada").await);
    scene.clock.advance(36 * DAY);
    scene.accounts.purge().await.expect("purges");
    let refreshed = scene.accounts.refresh(&refresh, &peer()).await;
    assert!(matches!(refreshed, Err(Error::ExpiredToken)));
    scene.clock.advance(2 * DAY);
    assert_eq!(scene.accounts.purge().await.expect("purges").sessions, 1);
    let refreshed = scene.accounts.refresh(&refresh, &peer()).await;
    assert!(matches!(refreshed, Err(Error::RevokedToken)));
}

#[tokio::test]
async fn over_a_year_the_tables_stay_bounded_and_what_is_in_use_stays() {
    let audit_retention = 60 * DAY;
    let scene = scene(Policy {
        audit_retention,
        ..policy()
    })
    .await;
    let operator = scene.accounts.operator();
    scene.register("resident").await;
    let mut most = [0; 4];
    for day in 0..365_u32 {
        scene.clock.advance(DAY);
        let guest = format!("guest{day}");
        scene.register(&guest).await;
        operator.delete(&guest).await.expect("deletes");
        scene.login("resident", PASSWORD).await.expect("logs in");
        if day % 30 == 0 {
            operator
                .rotate_signing_key_at_once()
                .await
                .expect("rotates");
            scene.accounts.read_keys().await.expect("reads");
        }
        scene.accounts.purge().await.expect("purges");
        if day % 10 == 0 {
            for (most, table) in
                most.iter_mut()
                    .zip(["users", "sessions", "audit_events", "signing_keys"])
            {
                *most = (*most).max(scene.rows(table).await);
            }
        }
    }
    // One a day: guests for 30 days, sessions for 30 and a week, three events for 60.
    let [users, sessions, audit_events, signing_keys] = most;
    assert!((30..=33).contains(&users), "{users}");
    assert!((36..=40).contains(&sessions), "{sessions}");
    assert!((180..=190).contains(&audit_events), "{audit_events}");
    assert!((1..=2).contains(&signing_keys), "{signing_keys}");
    let (access, _) = tokens(scene.login("resident", PASSWORD).await.expect("logs in"));
    scene
        .accounts
        .caller_of_bearer(&access)
        .await
        .expect("signed in");
}
