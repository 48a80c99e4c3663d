//! Verdicts, equal work, and the bounds of the gate, by its permits and counts instead of timers.

use base64::{Engine as _, engine::general_purpose::STANDARD_NO_PAD};
use proptest::prelude::*;

use super::*;

mod foreign;

const ARGON2ID: HashCost = HashCost::Argon2id(Argon2Cost::TRIFLING);
const BCRYPT: HashCost = HashCost::Bcrypt(BcryptCost::TRIFLING);

fn gate(slots: usize, queue: usize) -> HashGate {
    HashGate::new(
        ARGON2ID,
        NonZeroUsize::new(slots).unwrap(),
        queue,
        Clock::system(),
    )
}

fn password(text: &str) -> Password {
    Password::for_login(text.into()).expect("it is short enough")
}

async fn verdict(gate: &HashGate, text: &str, stored: &str) -> Verdict {
    gate.verify(password(text), Some(stored.to_owned()))
        .await
        .unwrap()
}

/// Waits for what the other tasks are about to do.
async fn until(condition: impl Fn() -> bool) {
    while !condition() {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_hash_is_argon2id_of_the_recommended_cost_and_matches_its_password_alone() {
    let gate = HashGate::new(
        HashCost::Argon2id(Argon2Cost::RECOMMENDED),
        NonZeroUsize::MIN,
        8,
        Clock::system(),
    );
    let stored = gate.hash(password("correct horse")).await.unwrap();
    assert!(
        stored.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"),
        "{stored}"
    );
    assert_eq!(
        verdict(&gate, "correct horse", &stored).await,
        Verdict::Match
    );
    assert_eq!(
        verdict(&gate, "Correct horse", &stored).await,
        Verdict::NoMatch
    );
}

#[tokio::test]
async fn one_password_hashes_differently_each_time() {
    let gate = gate(1, 8);
    let one = gate.hash(password("correct horse")).await.unwrap();
    let other = gate.hash(password("correct horse")).await.unwrap();
    assert_ne!(one, other);
}

#[tokio::test]
async fn hashes_of_other_implementations_match() {
    // From the test vectors of the reference implementation (test.c); the third is of version 0x10.
    let gate = gate(1, 8);
    let known = [
        "$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4",
        "$argon2i$v=19$m=256,t=2,p=1$c29tZXNhbHQ$iekCn0Y3spW+sCcFanM2xBT63UP2sghkUoHLIUpWRS8",
        "$argon2i$m=256,t=2,p=1$c29tZXNhbHQ$/U3YPXYsSb3q9XxHvc0MLxur+GP960kN9j7emXX8zwY",
        // With associated data; of RustCrypto's argon2 0.6.
        "$argon2id$v=19$m=64,t=1,p=1,data=cHVycG9zZQ$c29tZXNhbHQ$V5Y6TwWg4Tib3qKyEJPrdpc/hncccKbw3+K+2vahxjo",
    ];
    for stored in known {
        assert_eq!(
            verdict(&gate, "password", stored).await,
            Verdict::MatchButWeak,
            "{stored}"
        );
        assert_eq!(
            verdict(&gate, "passwore", stored).await,
            Verdict::NoMatch,
            "{stored}"
        );
    }
}

#[tokio::test]
async fn a_hash_that_costs_less_than_new_ones_is_weak_and_one_that_costs_more_is_not() {
    let cost = |memory, passes| Argon2Cost::new(memory, passes, 1).unwrap();
    let made_at = |cost| {
        let cost = HashCost::Argon2id(cost);
        HashGate::new(cost, NonZeroUsize::MIN, 8, Clock::system())
    };
    let now = made_at(cost(64, 2));
    for (then, expected) in [
        (cost(64, 1), Verdict::MatchButWeak),
        (cost(32, 2), Verdict::MatchButWeak),
        (cost(64, 2), Verdict::Match),
        (cost(128, 3), Verdict::Match),
    ] {
        let stored = made_at(then).hash(password("correct horse")).await.unwrap();
        assert_eq!(
            verdict(&now, "correct horse", &stored).await,
            expected,
            "{stored}"
        );
    }
}

#[tokio::test]
async fn nobodys_password_costs_the_same_work_and_never_matches() {
    let gate = gate(1, 8);
    let stored = gate.hash(password("correct horse")).await.unwrap();
    for stored in [Some(stored), None, Some("garbage".to_owned())] {
        let before = gate.calls();
        let verdict = gate.verify(password("wrong"), stored).await.unwrap();
        assert!(matches!(verdict, Verdict::NoMatch | Verdict::Unusable(_)));
        assert_eq!(gate.calls(), before + 1);
    }
}

#[tokio::test]
async fn a_stored_hash_of_excessive_cost_is_unusable_and_computed_at_the_usual_cost() {
    let gate = gate(1, 8);
    for cost in [
        "m=4194304,t=2,p=1",
        "m=64,t=4294967295,p=1",
        "m=65536,t=1,p=8000",
        "m=102401,t=1,p=1",
    ] {
        let stored = format!(
            "$argon2id$v=19${cost}$c29tZXNhbHRzb21lc2FsdA$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4"
        );
        let verdict = verdict(&gate, "password", &stored).await;
        assert!(
            matches!(verdict, Verdict::Unusable(_)),
            "{cost}: {verdict:?}"
        );
    }
    assert_eq!(gate.calls(), 4);
}

#[test]
fn costs_beyond_what_may_be_verified_cannot_be_chosen() {
    assert!(Argon2Cost::new(102_400, 10, 8).is_some());
    for (memory, passes, lanes) in [
        (102_401, 1, 1),
        (64, 11, 1),
        (128, 1, 9),
        (7, 1, 1),
        (15, 1, 2),
        (64, 0, 1),
        (64, 1, 0),
    ] {
        assert_eq!(Argon2Cost::new(memory, passes, lanes), None);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn never_more_run_at_once_than_there_are_slots() {
    let gate = gate(2, 100);
    let tasks: Vec<_> = (0..100)
        .map(|_| {
            tokio::spawn({
                let gate = gate.clone();
                async move { gate.verify(password("anything"), None).await }
            })
        })
        .collect();
    for task in tasks {
        assert_eq!(task.await.unwrap().unwrap(), Verdict::NoMatch);
    }
    let load = gate.load();
    assert!((1..=2).contains(&load.most_running), "{load:?}");
    assert_eq!((load.calls, load.running, load.waiting), (100, 0, 0));
}

#[tokio::test]
async fn a_full_queue_refuses_at_once() {
    let gate = gate(1, 1);
    let slot = Arc::clone(&gate.gate.slots).acquire_owned().await.unwrap();
    // The slot was taken past the queue, so both places are left for callers.
    let waiting: Vec<_> = (0..2)
        .map(|_| {
            tokio::spawn({
                let gate = gate.clone();
                async move { gate.hash(password("correct horse")).await }
            })
        })
        .collect();
    until(|| gate.gate.places.available_permits() == 0).await;
    let refused = gate.hash(password("correct horse")).await;
    assert!(matches!(refused, Err(HashError::Busy)));

    drop(slot);
    for task in waiting {
        task.await.unwrap().unwrap();
    }
    gate.hash(password("correct horse")).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_wait_beyond_its_bound_is_given_up_and_leaves_the_queue() {
    let gate = gate(1, 1);
    let slot = Arc::clone(&gate.gate.slots).acquire_owned().await.unwrap();
    let given_up = gate.hash(password("correct horse")).await;
    assert!(matches!(given_up, Err(HashError::Busy)));
    drop(slot);
    assert_eq!(gate.load().waiting, 0);
    assert_eq!(gate.calls(), 0);
}

#[tokio::test]
async fn the_familiar_go_first_and_those_who_failed_before_go_last() {
    let gate = gate(1, 100);
    let slot = Arc::clone(&gate.gate.slots).acquire_owned().await.unwrap();
    let (admitted, mut in_order) = tokio::sync::mpsc::unbounded_channel();
    let mut inside = 0;
    for standing in [Standing::Failed, Standing::Untried, Standing::Familiar] {
        for _ in 0..3 {
            let (gate, admitted) = (gate.for_standing(standing), admitted.clone());
            tokio::spawn(async move {
                let admission = gate.admit().await.unwrap();
                admitted.send(standing).unwrap();
                drop(admission);
            });
        }
        inside += 3;
        until(|| gate.gate.places.available_permits() == 101 - inside).await;
    }
    drop((slot, admitted));
    let mut order = Vec::new();
    while let Some(standing) = in_order.recv().await {
        order.push(standing);
    }
    use Standing::{Failed, Familiar, Untried};
    // The first had no one ahead when it came to the slot.
    let expected = [
        Failed, Familiar, Familiar, Familiar, Untried, Untried, Untried, Failed, Failed,
    ];
    assert_eq!(order, expected);
}

#[tokio::test]
async fn those_who_failed_before_leave_places_to_the_untried_and_these_to_the_familiar() {
    let gate = gate(1, 7);
    let _slot = Arc::clone(&gate.gate.slots).acquire_owned().await.unwrap();
    let mut inside = 0;
    for (standing, places) in [
        (Standing::Failed, 4),
        (Standing::Untried, 2),
        (Standing::Familiar, 2),
    ] {
        for _ in 0..places {
            let gate = gate.for_standing(standing);
            tokio::spawn(async move { gate.hash(password("correct horse")).await });
        }
        inside += places;
        until(|| gate.gate.places.available_permits() == 8 - inside).await;
        let refused = gate.for_standing(standing).hash(password("one more")).await;
        assert!(matches!(refused, Err(HashError::Busy)), "{standing:?}");
    }
}

#[tokio::test]
#[expect(
    clippy::await_holding_lock,
    reason = "the lock keeps the hashing task inside while its client leaves"
)]
async fn a_client_that_disconnects_frees_no_slot_before_its_hash_is_done() {
    let gate = gate(1, 0);
    let memory = gate.gate.idle_memory.lock().unwrap();
    let client = tokio::spawn({
        let gate = gate.clone();
        async move { gate.hash(password("correct horse")).await }
    });
    until(|| gate.load().running == 1).await;
    client.abort();
    assert!(client.await.unwrap_err().is_cancelled());
    assert_eq!(gate.gate.slots.available_permits(), 0);
    assert!(matches!(
        gate.hash(password("next")).await,
        Err(HashError::Busy)
    ));

    drop(memory);
    let slot = Arc::clone(&gate.gate.slots).acquire_owned().await.unwrap();
    assert_eq!(gate.calls(), 1);
    drop(slot);
    until(|| gate.gate.places.available_permits() == 1).await;
    gate.hash(password("next")).await.unwrap();
}

#[tokio::test]
async fn a_client_that_leaves_the_queue_costs_no_hash() {
    let gate = gate(1, 1);
    let slot = Arc::clone(&gate.gate.slots).acquire_owned().await.unwrap();
    let client = tokio::spawn({
        let gate = gate.clone();
        async move { gate.hash(password("correct horse")).await }
    });
    until(|| gate.gate.places.available_permits() == 1).await;
    client.abort();
    assert!(client.await.unwrap_err().is_cancelled());
    assert_eq!(gate.gate.places.available_permits(), 2);
    drop(slot);
    assert_eq!(gate.calls(), 0);
}

#[tokio::test]
async fn memory_is_used_again() {
    let gate = gate(1, 8);
    gate.hash(password("correct horse")).await.unwrap();
    gate.verify(password("wrong"), None).await.unwrap();
    let idle = gate.gate.idle_memory.lock().unwrap();
    let kept: Vec<_> = idle.iter().map(Hasher::reserved_blocks).collect();
    assert_eq!(kept, [gate.gate.kept_blocks]);
}

#[tokio::test]
async fn memory_for_a_costlier_hash_is_not_kept() {
    let gate = gate(1, 8);
    let costlier =
        "$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4";
    verdict(&gate, "password", costlier).await;
    assert!(gate.gate.idle_memory.lock().unwrap().is_empty());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn no_stored_text_panics_or_matches(
        text in prop_oneof![
            any::<String>(),
            "\\$argon2(id|i|d|x)(\\$v=[0-9]{1,3})?\\$[mtp]=[0-9]{1,4},[mtp]=[0-9]{1,3},[mtp]=[0-9]{1,2}(\\$[A-Za-z0-9+/]{0,90}){0,3}",
        ]
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        let verdict = runtime.block_on(gate(1, 1).verify(password("correct horse"), Some(text)));
        prop_assert!(matches!(verdict, Ok(Verdict::NoMatch | Verdict::Unusable(_))));
    }

    #[test]
    fn argon2_is_that_of_another_implementation(
        text in ".{8,40}",
        salt in proptest::collection::vec(any::<u8>(), 8..=32),
        (variant, version) in (0..3usize, 0..2usize),
        (memory, passes, lanes) in (32..600u32, 1..=4u32, 1..=4u32),
        length in 10..=64usize,
    ) {
        use ::argon2::{Algorithm, Argon2, Params, Version};

        let variant = [Algorithm::Argon2d, Algorithm::Argon2i, Algorithm::Argon2id][variant];
        let version = [Version::V0x10, Version::V0x13][version];
        let cost = Params::new(memory, passes, lanes, Some(length)).unwrap();
        let mut hash = vec![0; length];
        let other = Argon2::new(variant, version, cost);
        other.hash_password_into(text.as_bytes(), &salt, &mut hash).unwrap();
        let [salt, hash] = [salt, hash].map(|bytes| STANDARD_NO_PAD.encode(bytes));
        let version = u32::from(version);
        let stored = format!("${variant}$v={version}$m={memory},t={passes},p={lanes}${salt}${hash}");
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        let verdict = runtime.block_on(verdict(&gate(1, 1), &text, &stored));
        prop_assert!(matches!(verdict, Verdict::Match | Verdict::MatchButWeak), "{stored}: {verdict:?}");
    }
}
