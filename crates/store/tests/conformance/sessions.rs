//! Sessions: rotation, its races, reuse, lifetimes.

use std::time::Duration;

use sea_orm::{ConnectionTrait as _, DbBackend, Statement};
use store::{
    AuditKind, Counted, NewSession, NewUser, Opening, Rotation, RotationOutcome,
    SESSIONS_OF_A_USER, SessionKind, SignedIn, SuccessorProof, Timestamp,
};

use crate::{conformance, fixture::*};

conformance! {
    async fn the_current_token_rotates(db) {
        let store = db.store().await;
        let (ada, session_id) = registered(&store, "ada").await;
        let RotationOutcome::Rotated(signed_in) = store.rotate(rotation(session_id, 1, 5)).await.unwrap().outcome else {
            panic!("the first token is the current one");
        };
        assert_eq!(signed_in.user.id, ada);
        assert_eq!(signed_in.session.generation, 2);
        assert_eq!(signed_in.session.last_used_at, after(5));
        assert_eq!(signed_in.session.idle_expires_at, after(1_005));
        assert_eq!(signed_in.session.expires_at, after(10_000), "the absolute end does not move");
    }

    async fn a_consumed_token_repeats_its_successor_within_the_grace(db) {
        let store = db.store().await;
        let (_, session_id) = registered(&store, "ada").await;
        store.rotate(rotation(session_id, 1, 5)).await.unwrap();
        let late = rival(session_id, 1, 64);
        let RotationOutcome::Repeated(signed_in, proof) = store.rotate(late).await.unwrap().outcome else {
            panic!("59 s after the rotation is within the grace");
        };
        assert_eq!(proof, SuccessorProof { nonce: b"nonce".to_vec(), hash: token(2) });
        assert_eq!(signed_in.session.generation, 2);
        let next = store.rotate(rotation(session_id, 2, 65)).await.unwrap().outcome;
        assert!(matches!(next, RotationOutcome::Rotated(_)), "the one branch goes on");
    }

    async fn a_consumed_token_after_the_grace_ends_the_session_and_is_recorded(db) {
        let store = db.store().await;
        let (ada, session_id) = registered(&store, "ada").await;
        store.rotate(rotation(session_id, 1, 5)).await.unwrap();
        assert_eq!(store.rotate(rival(session_id, 1, 65)).await.unwrap().outcome, RotationOutcome::Reused(ada));
        assert_eq!(store.rotate(rotation(session_id, 2, 66)).await.unwrap().outcome, RotationOutcome::Ended);
        let newest = &store.newest_audit(1).await.unwrap()[0];
        assert_eq!(newest.event, "refreshed_reuse");
        assert_eq!(newest.subject, Some(ada));
    }

    async fn a_consumed_token_whose_successor_was_used_ends_the_session(db) {
        let store = db.store().await;
        let (ada, session_id) = registered(&store, "ada").await;
        store.rotate(rotation(session_id, 1, 1)).await.unwrap();
        store.rotate(rotation(session_id, 2, 2)).await.unwrap();
        assert_eq!(store.rotate(rotation(session_id, 1, 3)).await.unwrap().outcome, RotationOutcome::Reused(ada));
        assert_eq!(store.signed_in(session_id).await.unwrap(), None);
    }

    async fn without_grace_any_consumed_token_is_reuse(db) {
        let store = db.store().await;
        let (ada, session_id) = registered(&store, "ada").await;
        store.rotate(rotation(session_id, 1, 1)).await.unwrap();
        let strict = Rotation { grace: Duration::ZERO, ..rival(session_id, 1, 1) };
        assert_eq!(store.rotate(strict).await.unwrap().outcome, RotationOutcome::Reused(ada));
    }

    async fn an_attempt_that_comes_to_pass_twice_is_no_reuse(db) {
        let store = db.store().await;
        let (_, session_id) = registered(&store, "ada").await;
        let attempt = Rotation { grace: Duration::ZERO, ..rotation(session_id, 1, 1) };
        for _ in 0..2 {
            let RotationOutcome::Rotated(signed_in) = store.rotate(attempt.clone()).await.unwrap().outcome else {
                panic!("it is the one that has won");
            };
            assert_eq!(signed_in.session.generation, 2);
        }
    }

    async fn a_token_that_was_never_issued_changes_nothing(db) {
        let store = db.store().await;
        let (_, session_id) = registered(&store, "ada").await;
        let forged = Rotation { token_hash: b"forged".to_vec(), ..rotation(session_id, 1, 1) };
        assert_eq!(store.rotate(forged).await.unwrap().outcome, RotationOutcome::NeverIssued);
        assert_eq!(store.rotate(rotation(session_id, 9, 1)).await.unwrap().outcome, RotationOutcome::NeverIssued);
        assert_eq!(store.rotate(rotation(id(), 1, 1)).await.unwrap().outcome, RotationOutcome::Ended);
        let honest = store.rotate(rotation(session_id, 1, 2)).await.unwrap().outcome;
        assert!(matches!(honest, RotationOutcome::Rotated(_)));
    }

    async fn both_lifetimes_end_a_session(db) {
        let store = db.store().await;
        let (_, session_id) = registered(&store, "ada").await;
        assert_eq!(store.rotate(rotation(session_id, 1, 1_000)).await.unwrap().outcome, RotationOutcome::Expired);
        let last = store.rotate(rotation(session_id, 1, 999)).await.unwrap().outcome;
        assert!(matches!(last, RotationOutcome::Rotated(_)));
        let kept_alive = Rotation { idle_expires_at: after(99_999), ..rotation(session_id, 2, 1_500) };
        assert!(matches!(store.rotate(kept_alive).await.unwrap().outcome, RotationOutcome::Rotated(_)));
        assert_eq!(store.rotate(rotation(session_id, 3, 10_000)).await.unwrap().outcome, RotationOutcome::Expired);
    }

    async fn of_twenty_parallel_rotations_one_wins_and_the_others_repeat_it(db) {
        let store = db.store().await;
        for round in 0..10 {
            let (_, session_id) = registered(&store, &format!("ada{round}")).await;
            let racers: Vec<_> = (0..20u8)
                .map(|racer| {
                    let store = store.clone();
                    let successor = SuccessorProof { nonce: vec![racer], hash: vec![racer, racer] };
                    let attempt = Rotation { successor, ..rotation(session_id, 1, 1) };
                    tokio::spawn(async move { store.rotate(attempt).await.map(|rotation| (racer, rotation.outcome)) })
                })
                .collect();
            let (mut winner, mut repeated) = (None, Vec::new());
            for racer in racers {
                match racer.await.unwrap().unwrap() {
                    (racer, RotationOutcome::Rotated(_)) => assert_eq!(winner.replace(racer), None),
                    (_, RotationOutcome::Repeated(_, proof)) => repeated.push(proof),
                    other => panic!("unexpected: {other:?}"),
                }
            }
            let winner = winner.expect("one wins");
            assert_eq!(repeated.len(), 19);
            for proof in repeated {
                assert_eq!(proof, SuccessorProof { nonce: vec![winner], hash: vec![winner, winner] });
            }
        }
    }

    async fn a_session_closes_once(db) {
        let store = db.store().await;
        let (ada, session_id) = registered(&store, "ada").await;
        assert!(store.close_session(session_id, audit(AuditKind::Logout, ada)).await.unwrap().outcome);
        assert!(!store.close_session(session_id, audit(AuditKind::Logout, ada)).await.unwrap().outcome);
        let logouts = store.newest_audit(10).await.unwrap().into_iter().filter(|event| event.event == "logout");
        assert_eq!(logouts.count(), 1);
    }

    async fn use_prolongs_the_idle_lifetime_at_most_once_in_a_while(db) {
        let store = db.store().await;
        let (ada, _) = registered(&store, "ada").await;
        let cookie = NewSession { kind: SessionKind::Cookie, token_hash: None, ..session(ada) };
        let session_id = cookie.id;
        log_in(&store, cookie).await.unwrap();
        let last_used = async || store.signed_in(session_id).await.unwrap().unwrap().session.last_used_at;
        let interval = 300;
        for (used, noted) in [(299, NOON), (300, after(300)), (400, after(300)), (600, after(600))] {
            let unless_since = after(used).minus(Duration::from_secs(interval));
            store.touch_session(session_id, after(used), unless_since, after(used + 1_000)).await.unwrap();
            assert_eq!(last_used().await, noted, "used at {used}");
        }
    }

    async fn a_cookie_session_has_no_token_to_rotate(db) {
        let store = db.store().await;
        let (ada, _) = registered(&store, "ada").await;
        let cookie = NewSession { kind: SessionKind::Cookie, token_hash: None, ..session(ada) };
        let session_id = cookie.id;
        log_in(&store, cookie).await.unwrap();
        let outcome = store.rotate(rotation(session_id, 1, 1)).await.unwrap().outcome;
        assert_eq!(outcome, RotationOutcome::NeverIssued);
    }

    async fn a_list_holds_the_owners_open_sessions_the_last_used_first(db) {
        let store = db.store().await;
        let (ada, first) = registered(&store, "ada").await;
        let (_, of_eve) = registered(&store, "eve").await;
        let open = async |new: NewSession| {
            let opened = new.id;
            log_in(&store, new).await.unwrap();
            opened
        };
        let second = open(NewSession { idle_expires_at: after(500), ..session(ada) }).await;
        let third = open(NewSession { expires_at: after(600), ..session(ada) }).await;
        store.touch_session(first, after(50), after(50), after(1_050)).await.unwrap();
        let listed = async |seconds: u64, limit: u64| {
            let found = store.list_sessions(ada, after(seconds), limit).await.unwrap();
            found.into_iter().map(|session| session.id).collect::<Vec<_>>()
        };
        assert_eq!(listed(100, 9).await, [first, third, second]);
        assert_eq!(listed(100, 1).await, [first]);
        assert_eq!(listed(500, 9).await, [first, third], "one was idle for too long");
        assert_eq!(listed(600, 9).await, [first], "one has come to its absolute end");
        let shown = &store.list_sessions(ada, NOON, 1).await.unwrap()[0];
        assert_eq!(shown.address.as_deref(), Some("192.0.2.1"));
        assert_eq!(shown.user_agent.as_deref(), Some("test"));
        assert!(store.signed_in(of_eve).await.unwrap().is_some());
    }

    async fn a_login_beyond_the_most_sessions_ends_those_used_longest_ago(db) {
        let store = db.store().await;
        let (ada, first) = registered(&store, "ada").await;
        let (_, of_eve) = registered(&store, "eve").await;
        let mut opened = Vec::new();
        // Opened in another order than they are used.
        for second in (2..=SESSIONS_OF_A_USER).rev() {
            let expires_at = if second == SESSIONS_OF_A_USER - 1 { after(3_500) } else { after(10_000) };
            let lives = session(ada);
            let new = NewSession { created_at: after(second), idle_expires_at: after(9_000), expires_at, ..lives };
            opened.push(new.id);
            let opening = log_in(&store, new).await.unwrap();
            assert_eq!(opening.count, None, "there is room for session {second}");
        }
        store.touch_session(first, after(5_000), NOON, after(9_000)).await.unwrap();
        // Two that were used shortly before, and have expired since, each in its way.
        store.touch_session(opened[0], after(3_000), after(2_000), after(3_500)).await.unwrap();
        store.touch_session(opened[1], after(3_000), after(2_000), after(9_000)).await.unwrap();
        let held = async || store.list_sessions(ada, NOON, 2 * SESSIONS_OF_A_USER).await.unwrap();
        assert_eq!(held().await.len() as u64, SESSIONS_OF_A_USER);

        let refused = log_in_as_seen(&store, session(ada), "a hash of before", None).await.unwrap();
        assert_eq!(refused, Counted { outcome: Opening::Stale, count: None });
        assert_eq!(held().await.len() as u64, SESSIONS_OF_A_USER);

        let one_more = NewSession { created_at: after(4_000), idle_expires_at: after(9_000), ..session(ada) };
        let newest = one_more.id;
        let opening = log_in(&store, one_more).await.unwrap();
        assert!(matches!(opening.outcome, Opening::Opened(user) if user.id == ada));
        assert!(opening.count.is_some(), "others remember the sessions that have ended");
        let mut expected = vec![first, newest];
        expected.extend(&opened[2..901]);
        assert_eq!(held().await.iter().map(|session| session.id).collect::<Vec<_>>(), expected);
        assert!(store.signed_in(of_eve).await.unwrap().is_some());
        let events = store.newest_audit(3).await.unwrap();
        let ended = events.iter().find(|event| event.event == "session_ended").unwrap();
        assert_eq!(ended.detail.as_deref(), Some(r#"{"used_longest_ago":100}"#));

        assert_eq!(log_in(&store, session(ada)).await.unwrap().count, None, "there is room again");
    }

    async fn logins_at_once_do_not_exceed_the_most_sessions(db) {
        let store = db.store().await;
        let (ada, _) = registered(&store, "ada").await;
        for _ in 0..SESSIONS_OF_A_USER - 5 {
            log_in(&store, session(ada)).await.unwrap();
        }
        let racers: Vec<_> = (0..20)
            .map(|_| {
                let store = store.clone();
                tokio::spawn(async move { log_in(&store, session(ada)).await.unwrap() })
            })
            .collect();
        let mut displaced = 0;
        for racer in racers {
            let opening = racer.await.unwrap();
            assert!(matches!(opening.outcome, Opening::Opened(_)));
            displaced += usize::from(opening.count.is_some());
        }
        assert_eq!(displaced, 1);
        let held = store.list_sessions(ada, NOON, 2 * SESSIONS_OF_A_USER).await.unwrap();
        assert_eq!(held.len() as u64, SESSIONS_OF_A_USER - 4 + 20 - 100);
    }

    async fn a_session_is_closed_by_its_owner_alone(db) {
        let store = db.store().await;
        let (ada, of_ada) = registered(&store, "ada").await;
        let (eve, _) = registered(&store, "eve").await;
        let close = async |who| {
            store.close_session_of(who, of_ada, audit(AuditKind::SessionEnded, who)).await.unwrap().outcome
        };
        assert!(!close(eve).await);
        assert!(store.signed_in(of_ada).await.unwrap().is_some());
        assert!(close(ada).await);
        assert!(!close(ada).await);
        let events = store.newest_audit(10).await.unwrap();
        assert_eq!(events.iter().filter(|event| event.event == "session_ended").count(), 1);
    }

    async fn all_others_are_closed_at_once_and_none_of_another_user(db) {
        let store = db.store().await;
        let (ada, kept) = registered(&store, "ada").await;
        let (_, of_eve) = registered(&store, "eve").await;
        let close = async || {
            store.close_other_sessions(ada, kept, audit(AuditKind::SessionEnded, ada)).await.unwrap().outcome
        };
        assert!(!close().await, "there was no other");
        for _ in 0..3 {
            log_in(&store, session(ada)).await.unwrap();
        }
        assert!(close().await);
        let left = store.list_sessions(ada, NOON, 9).await.unwrap();
        assert_eq!(left.iter().map(|session| session.id).collect::<Vec<_>>(), [kept]);
        assert!(store.signed_in(of_eve).await.unwrap().is_some());
        let events = store.newest_audit(10).await.unwrap();
        assert_eq!(events.iter().filter(|event| event.event == "session_ended").count(), 1);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_statement_rotates_unless_it_is_late_on_postgres() {
    let db = Fixture::postgres();
    let store = db.store().await;
    let ada = NewUser {
        roles: roles(&["admin", "editor"]),
        ..user("ada")
    };
    let new = session(ada.id);
    let session_id = new.id;
    let registered = audit(AuditKind::Registered, ada.id);
    store.register(ada, new, registered).await.unwrap();
    let raw = db.raw().await;
    let noting = "CREATE TABLE noted (change text NOT NULL);
        CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS
            $$ BEGIN INSERT INTO noted VALUES (current_query()); RETURN NEW; END $$;
        CREATE TRIGGER noting BEFORE UPDATE ON sessions FOR EACH ROW EXECUTE FUNCTION note()";
    raw.execute_unprepared(noting).await.unwrap();
    let ask = async |question: &str| {
        let question = Statement::from_string(DbBackend::Postgres, question);
        raw.query_one_raw(question).await.unwrap().unwrap()
    };

    let clock = "SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint AS now";
    let clock = Timestamp::from_micros(ask(clock).await.try_get("", "now").unwrap());
    let (early, late) = (NOON, clock.minus(Duration::from_secs(5)));
    assert!(clock < early, "else it would be late as well");
    let mut generation = 0;
    let mut rotated = async |now: Timestamp| {
        generation += 1;
        let attempt = Rotation {
            now,
            ..rotation(session_id, generation, 0)
        };
        match store.rotate(attempt).await.unwrap().outcome {
            RotationOutcome::Rotated(SignedIn { session, user }) => {
                assert_eq!(
                    (session.generation, session.last_used_at),
                    (generation + 1, now)
                );
                user
            }
            other => panic!("unexpected: {other:?}"),
        }
    };
    let users = [rotated(early).await, rotated(late).await];
    assert_eq!(users[0], users[1]);
    assert_eq!(users[0].roles, roles(&["admin", "editor"]));
    let noted = "SELECT string_agg(split_part(change, ' ', 1), ' ') AS verbs FROM noted";
    let verbs: String = ask(noted).await.try_get("", "verbs").unwrap();
    assert_eq!(verbs, "WITH UPDATE");
    raw.close().await.unwrap();
}
