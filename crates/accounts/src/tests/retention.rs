//! What is over goes after its time, and the tables stay bounded.

use super::*;

const DAY: Duration = Duration::from_secs(86_400);

impl Scene {
    async fn rows(&self, table: &str) -> u64 {
        let rows = self.all_rows().await;
        let count = rows.iter().find(|(name, _)| name == table);
        count.expect("a table").1
    }

    /// Each table with the number of its rows.
    async fn all_rows(&self) -> Vec<(String, u64)> {
        let rollback = self.database.rollback(u32::MAX).await;
        rollback.expect("countable").losses
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
async fn a_user_whose_purge_has_begun_is_restored_by_nobody() {
    let scene = scene(policy()).await;
    let admin = scene.admin("root").await;
    let ada = scene.newcomer("ada").await;
    for key in ["first", "second"] {
        scene.put(&ada, key, "{}").await.expect("puts");
    }
    let operator = scene.accounts.operator();
    operator.delete("ada").await.expect("deletes");
    let purging = scene
        .accounts
        .0
        .store
        .purge(store::Perishable::DeletedUsers, NOON.plus(DAY), 1);
    assert_eq!(
        purging.await.expect("purges"),
        1,
        "of two documents and her"
    );
    let restored = operator.restore("ada").await;
    assert!(matches!(restored, Err(Error::UserPurging)), "{restored:?}");
    let restored = admin.restore_user(ada.user.id).await;
    assert!(matches!(restored, Err(Error::UserPurging)), "{restored:?}");
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

/// What happens on each day of the year: one of everything that leaves a row behind.
async fn live_through(scene: &Scene, resident: &Caller, day: u32) {
    let guest = scene.newcomer(&format!("guest{day}")).await;
    scene.put(&guest, "left-behind", "{}").await.expect("puts");
    let operator = scene.accounts.operator();
    let deleted = operator.delete(&format!("guest{day}")).await;
    deleted.expect("deletes");
    scene.login("resident", PASSWORD).await.expect("logs in");
    let failed = scene.login("resident", "a wrong password").await;
    assert!(failed.is_err());
    scene
        .put(resident, "always", &day.to_string())
        .await
        .expect("puts");
    scene.put(resident, "today", "{}").await.expect("puts");
    let condition = VersionCondition::default();
    let deleting = scene.accounts.delete_document(resident, "today", condition);
    deleting.await.expect("deletes");
    let todo = TodoContent {
        title: "Live through the day".into(),
        description: String::new(),
        completed: false,
        due_at: None,
    };
    let todo = scene.accounts.add_todo(resident, todo).await.expect("adds");
    let deleting = scene
        .accounts
        .delete_todo(resident, todo.id, VersionCondition::default());
    deleting.await.expect("deletes");
    if day.is_multiple_of(30) {
        let rotated = operator.rotate_signing_key_at_once().await;
        rotated.expect("rotates");
        scene.accounts.read_keys().await.expect("reads");
    }
}

#[tokio::test]
async fn over_a_year_every_table_stays_bounded_and_what_is_in_use_stays() {
    let audit_retention = 60 * DAY;
    let scene = scene(Policy {
        audit_retention,
        ..policy()
    })
    .await;
    let resident = scene.newcomer("resident").await;
    let mut after_three_months = Vec::new();
    for day in 1..=365 {
        scene.clock.advance(DAY);
        live_through(&scene, &resident, day).await;
        scene.accounts.purge().await.expect("purges");
        if day == 90 {
            after_three_months = scene.all_rows().await;
        }
    }
    for ((table, early), (_, late)) in after_three_months.iter().zip(scene.all_rows().await) {
        assert!(late <= early + 1, "{table}: {early} rows, then {late}");
    }
    // One a day: guests and what they had for 30 days, todos as well, sessions for 30 and a week, four
    // events for 60; and what is in use.
    for (table, expected) in [
        ("users", 31..=33),
        ("documents", 31..=33),
        ("todos", 30..=32),
        ("sessions", 36..=40),
        ("audit_events", 240..=250),
        ("signing_keys", 1..=2),
    ] {
        let rows = scene.rows(table).await;
        assert!(expected.contains(&rows), "{table}: {rows}");
    }
    let always = scene.accounts.document(&resident, "always").await;
    assert_eq!(always.expect("in use").content, b"365");
    let (access, _) = tokens(scene.login("resident", PASSWORD).await.expect("logs in"));
    scene.caller(&access).await;
}
