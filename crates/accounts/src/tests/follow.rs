//! The audit log is read while it is written: every event, in order, whatever comes late.

use store::{Actor, AuditKind, NewAudit};

use super::*;

const SECOND: Duration = Duration::from_secs(1);

impl Scene {
    /// Records that something happened at `at`, and gives its id.
    async fn happened(&self, at: Timestamp) -> Uuid {
        let kind = AuditKind::Login;
        let audit = NewAudit {
            at,
            id: entropy::uuid_v7(at),
            ..self.accounts.audit(kind, Actor::Anonymous, None, None)
        };
        let id = audit.id;
        self.accounts.0.store.record(audit).await.expect("records");
        id
    }
}

/// What is next, as ids, which are passed on.
async fn next(follower: &mut AuditFollower) -> Vec<Uuid> {
    let events = follower.next().await.expect("reads");
    follower.passed_on(&events);
    events.into_iter().map(|event| event.id).collect()
}

#[tokio::test]
async fn events_come_in_the_order_in_which_they_happened_once_all_before_them_are_here() {
    let scene = scene(policy()).await;
    scene.happened(NOON.minus(SECOND)).await;
    let mut follower = scene.accounts.follow_audit(None);
    let later = scene.happened(NOON.plus(2 * SECOND)).await;
    scene.clock.advance(3 * SECOND);
    assert_eq!(next(&mut follower).await, [] as [Uuid; 0]);
    let sooner = scene.happened(NOON.plus(SECOND)).await;
    scene.clock.advance(10 * SECOND);
    assert_eq!(next(&mut follower).await, [sooner, later]);
    assert_eq!(next(&mut follower).await, [] as [Uuid; 0]);
}

#[tokio::test]
async fn what_was_not_passed_on_is_given_again_and_by_whoever_goes_on_from_there() {
    let scene = scene(policy()).await;
    let mut follower = scene.accounts.follow_audit(None);
    let first = scene.happened(NOON.plus(SECOND)).await;
    scene.clock.advance(10 * SECOND);
    for _ in 0..2 {
        let given = follower.next().await.expect("reads");
        assert_eq!(given.len(), 1);
    }
    let kept = serde_json::to_string(follower.position()).expect("JSON");
    let another = |kept: &str| {
        let position = serde_json::from_str(kept).expect("a position");
        scene.accounts.follow_audit(Some(position))
    };
    assert_eq!(next(&mut another(&kept)).await, [first]);
    assert_eq!(next(&mut follower).await, [first]);
    let kept = serde_json::to_string(follower.position()).expect("JSON");
    assert_eq!(next(&mut another(&kept)).await, [] as [Uuid; 0]);
}

#[tokio::test]
async fn what_is_committed_late_comes_once_and_the_position_remembers_it() {
    let scene = scene(policy()).await;
    let mut follower = scene.accounts.follow_audit(None);
    let on_time = scene.happened(NOON.plus(40 * SECOND)).await;
    scene.clock.advance(60 * SECOND);
    assert_eq!(next(&mut follower).await, [on_time]);
    let late = scene.happened(NOON.plus(10 * SECOND)).await;
    scene.clock.advance(30 * SECOND);
    assert_eq!(next(&mut follower).await, [late]);
    let position = follower.position().clone();
    let mut another = scene.accounts.follow_audit(Some(position));
    for _ in 0..3 {
        scene.clock.advance(30 * SECOND);
        assert_eq!(next(&mut follower).await, [] as [Uuid; 0]);
        assert_eq!(next(&mut another).await, [] as [Uuid; 0]);
    }
}

#[tokio::test]
async fn a_clock_that_was_set_back_hides_nothing() {
    let scene = scene(policy()).await;
    let ahead = NOON.plus(3600 * SECOND);
    scene.happened(ahead).await;
    let position = serde_json::json!({ "last": [ahead.as_micros(), Uuid::nil()], "recent": [] });
    let position = serde_json::from_value(position).expect("a position");
    let mut follower = scene.accounts.follow_audit(Some(position));
    let now = scene.happened(NOON.plus(SECOND)).await;
    scene.clock.advance(10 * SECOND);
    assert_eq!(next(&mut follower).await, [now]);
}

#[tokio::test]
async fn the_rest_is_given_at_once() {
    let scene = scene(policy()).await;
    let mut follower = scene.accounts.follow_audit(None);
    scene.clock.advance(SECOND);
    let last = scene.happened(NOON.plus(SECOND)).await;
    assert_eq!(next(&mut follower).await, [] as [Uuid; 0]);
    let rest = follower.rest().await.expect("reads");
    assert_eq!(rest.len(), 1);
    assert_eq!(rest[0].id, last);
}

#[tokio::test]
async fn what_is_committed_late_while_nobody_reads_comes_after_all() {
    let scene = scene(policy()).await;
    let mut follower = scene.accounts.follow_audit(None);
    scene.clock.advance(2 * SECOND);
    scene.happened(NOON.plus(2 * SECOND)).await;
    let rest = follower.rest().await.expect("reads");
    assert_eq!(rest.len(), 1);
    follower.passed_on(&rest);
    let position = follower.position().clone();
    drop(follower);
    let late = scene.happened(NOON.plus(SECOND)).await;
    scene.clock.advance(120 * SECOND);
    let new = scene.happened(NOON.plus(110 * SECOND)).await;
    let mut another = scene.accounts.follow_audit(Some(position));
    assert_eq!(next(&mut another).await, [late]);
    assert_eq!(next(&mut another).await, [new]);
    scene.clock.advance(30 * SECOND);
    assert_eq!(next(&mut another).await, [] as [Uuid; 0]);
}
