//! The memory by itself, with each interleaving of readers, revocations and counts driven by hand.

use std::collections::BTreeSet;

use store::{Session, SessionKind, Timestamp, User};

use super::*;

const START: Duration = Duration::from_secs(1_000);
const ADA: u128 = 1;
const EVE: u128 = 2;

fn bearing(user: u128, session: u128) -> Bearing {
    Bearing {
        user: Uuid::from_u128(user),
        session: Uuid::from_u128(session),
    }
}

fn state(bearing: Bearing) -> Arc<SignedIn> {
    let at = Timestamp::from_micros(1_800_000_000_000_000);
    Arc::new(SignedIn {
        session: Session {
            id: bearing.session,
            user: bearing.user,
            kind: SessionKind::Token,
            generation: 1,
            created_at: at,
            last_used_at: at,
            idle_expires_at: at,
            expires_at: at,
            address: None,
            user_agent: None,
        },
        user: User {
            id: bearing.user,
            email: String::new(),
            username: None,
            name: None,
            roles: BTreeSet::new(),
            email_verified: false,
            disabled_at: None,
            deleted_at: None,
            created_at: at,
            updated_at: at,
        },
    })
}

fn count(count: i64) -> RevocationCount {
    RevocationCount::new(count)
}

/// A memory that has read the count 10 just now.
fn memory() -> StandingCache {
    let memory = StandingCache::new();
    memory.confirm(START, count(10));
    memory
}

fn fill(memory: &StandingCache, bearing: Bearing) {
    let ticket = memory.begin_fill(bearing);
    memory.finish_fill(ticket, state(bearing));
}

fn knows(memory: &StandingCache, bearing: Bearing) -> bool {
    memory.recall(bearing, START).is_some()
}

#[test]
fn what_was_read_is_remembered() {
    let (memory, ada) = (memory(), bearing(ADA, 11));
    assert!(!knows(&memory, ada));
    fill(&memory, ada);
    assert_eq!(memory.recall(ada, START), Some(state(ada)));
}

#[test]
fn a_slow_reader_puts_nothing_back_that_was_revoked_since_it_began() {
    let ada = bearing(ADA, 11);
    for scope in [Scope::Session(ada.session), Scope::User(ada.user)] {
        let memory = memory();
        let slow = memory.begin_fill(ada);
        let read_before = state(ada);
        memory.revoked(scope, count(11));
        memory.finish_fill(slow, read_before);
        assert!(!knows(&memory, ada), "{scope:?}");

        fill(&memory, ada);
        assert!(knows(&memory, ada), "who reads it from then on may");
    }
}

#[test]
fn a_slow_reader_puts_nothing_back_that_was_flushed_since_it_began() {
    let (memory, ada) = (memory(), bearing(ADA, 11));
    let slow = memory.begin_fill(ada);
    memory.confirm(START, count(11));
    memory.finish_fill(slow, state(ada));
    assert!(!knows(&memory, ada));
}

#[test]
fn a_slow_reader_does_not_replace_the_reading_of_a_quick_one_by_something_believed() {
    let (memory, ada) = (memory(), bearing(ADA, 11));
    let slow = memory.begin_fill(ada);
    memory.revoked(Scope::User(ada.user), count(11));
    fill(&memory, ada);
    memory.finish_fill(slow, state(ada));
    assert!(!knows(&memory, ada), "it is read once more instead");
}

#[test]
fn a_revocation_concerns_whom_it_names() {
    let memory = memory();
    let (first, second, eve) = (bearing(ADA, 11), bearing(ADA, 12), bearing(EVE, 13));
    let fill_all = || [first, second, eve].map(|bearing| fill(&memory, bearing));
    let known = || [first, second, eve].map(|bearing| knows(&memory, bearing));
    fill_all();
    memory.revoked(Scope::Session(first.session), count(11));
    assert_eq!(known(), [false, true, true]);
    fill_all();
    memory.revoked(Scope::User(first.user), count(12));
    assert_eq!(known(), [false, false, true]);
}

#[test]
fn nothing_is_believed_before_the_first_count_or_five_seconds_after_the_last() {
    let (memory, ada) = (StandingCache::new(), bearing(ADA, 11));
    fill(&memory, ada);
    assert!(!knows(&memory, ada), "never confirmed");
    memory.confirm(START, count(0));
    assert!(!knows(&memory, ada), "read before the first count");

    fill(&memory, ada);
    let moment = Duration::from_micros(1);
    assert!(memory.recall(ada, START + BELIEVED).is_some());
    assert!(memory.recall(ada, START + BELIEVED + moment).is_none());
    memory.confirm(START + BELIEVED, count(0));
    let later = START + BELIEVED * 2;
    assert!(memory.recall(ada, later).is_some(), "nothing has happened");
}

#[test]
fn after_a_time_without_a_count_the_same_one_revives_nothing() {
    let (memory, ada) = (memory(), bearing(ADA, 11));
    fill(&memory, ada);
    let later = START + BELIEVED + Duration::from_micros(1);
    memory.confirm(later, count(10));
    assert!(memory.recall(ada, later).is_none());
    fill(&memory, ada);
    assert!(memory.recall(ada, later).is_some());
}

#[test]
fn a_count_confirms_the_time_at_which_it_was_asked_for_and_never_an_earlier_one() {
    let (memory, ada) = (memory(), bearing(ADA, 11));
    fill(&memory, ada);
    let later = START + Duration::from_secs(3);
    memory.confirm(later, count(10));
    memory.confirm(START, count(10));
    assert!(memory.recall(ada, later + BELIEVED).is_some());
}

#[test]
fn counts_of_ones_own_flush_nothing_and_one_of_another_flushes_all() {
    let (memory, ada) = (memory(), bearing(ADA, 11));
    let eve = bearing(EVE, 12);
    fill(&memory, ada);
    memory.revoked(Scope::User(eve.user), count(12));
    memory.revoked(Scope::User(eve.user), count(11));
    memory.confirm(START, count(12));
    assert!(knows(&memory, ada), "11 and 12 are its own");

    memory.revoked(Scope::User(eve.user), count(14));
    memory.confirm(START, count(14));
    assert!(!knows(&memory, ada), "13 is not");
}

#[test]
fn a_count_of_ones_own_that_is_noted_after_it_was_read_flushes_and_is_not_counted_again() {
    let (memory, ada) = (memory(), bearing(ADA, 11));
    fill(&memory, ada);
    memory.confirm(START, count(11));
    assert!(!knows(&memory, ada), "whose it was could not be known");
    memory.revoked(Scope::User(Uuid::from_u128(EVE)), count(11));
    fill(&memory, ada);
    memory.confirm(START, count(12));
    assert!(
        !knows(&memory, ada),
        "the late note of 11 does not stand for 12"
    );
}

#[test]
fn a_count_of_ones_own_beyond_the_one_that_was_read_is_kept_for_the_next() {
    let (memory, ada) = (memory(), bearing(ADA, 11));
    fill(&memory, ada);
    let eve = Scope::User(Uuid::from_u128(EVE));
    memory.revoked(eve, count(11));
    memory.revoked(eve, count(12));
    memory.confirm(START, count(11));
    memory.confirm(START, count(12));
    assert!(knows(&memory, ada));
}

#[test]
fn a_count_that_has_gone_back_flushes_all() {
    let (memory, ada) = (memory(), bearing(ADA, 11));
    fill(&memory, ada);
    memory.confirm(START, count(9));
    assert!(!knows(&memory, ada));
}

#[test]
fn the_number_of_remembered_sessions_is_bounded() {
    let memory = memory();
    for session in 0..2 * MOST_SESSIONS as u128 {
        fill(&memory, bearing(ADA, session));
    }
    assert!(memory.sessions.len() <= MOST_SESSIONS);
}

#[test]
fn many_roles_take_the_places_of_several_sessions() {
    let ada = bearing(ADA, 11);
    let usual = Arc::unwrap_or_clone(state(ada));
    let with_roles = |roles: usize| SignedIn {
        user: User {
            email: "ada.lovelace@example.org".to_owned(),
            roles: (0..roles).map(|role| format!("{role:032}")).collect(),
            ..usual.user.clone()
        },
        ..usual.clone()
    };
    assert_eq!(
        [0, 2, 32].map(|roles| places(&with_roles(roles))),
        [1, 1, 6]
    );

    let memory = memory();
    let large = Arc::new(with_roles(32));
    for session in 0..2 * MOST_SESSIONS as u128 {
        let ticket = memory.begin_fill(bearing(ADA, session));
        memory.finish_fill(ticket, Arc::clone(&large));
    }
    assert!((1..=MOST_SESSIONS as u64 / 6).contains(&memory.entries()));
}
