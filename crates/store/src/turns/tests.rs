//! Turns of one task, counted by those that another one has meanwhile.

use std::{
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use tokio::task::yield_now;

use super::in_longer_turns;

/// As often as sqlx gives way in the 4,096 rounds of SCRAM.
const WAYS_GIVEN: usize = 819;
/// What is left of those.
const MOST_TURNS: usize = 40;

/// Another task, which is always ready: it counts its turns.
fn busy_task() -> Arc<AtomicUsize> {
    let turns = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&turns);
    tokio::spawn(async move {
        loop {
            counted.fetch_add(1, Ordering::Relaxed);
            yield_now().await;
        }
    });
    turns
}

async fn give_way_often() {
    for _ in 0..WAYS_GIVEN {
        yield_now().await;
    }
}

#[tokio::test]
async fn who_gives_way_often_has_longer_turns() {
    let turns = busy_task();
    give_way_often().await;
    let plainly = turns.swap(0, Ordering::Relaxed);
    in_longer_turns(pin!(give_way_often())).await;
    let turns = turns.load(Ordering::Relaxed);
    assert!(plainly >= WAYS_GIVEN, "{plainly} turns of the other task");
    assert!(turns < MOST_TURNS, "{turns} turns of the other task");
}

/// So that nothing of a usual statement is polled in vain.
#[tokio::test]
async fn who_gives_way_a_few_times_has_turns_like_anybody() {
    let turns = busy_task();
    let few = async {
        for _ in 0..5 {
            yield_now().await;
        }
    };
    in_longer_turns(pin!(few)).await;
    let turns = turns.load(Ordering::Relaxed);
    assert!(turns >= 3, "{turns} turns of the other task");
}
