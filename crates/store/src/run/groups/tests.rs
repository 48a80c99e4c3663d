//! Groups with members that fail, panic, are too late, or make the commit fail: each event comes to what it would have
//! come to alone. What the outcomes of events are, one by one and on every engine, is left to the conformance suite.

use sea_orm::{ConnectionTrait as _, Statement};
use tokio::task::JoinHandle;

use super::super::tests::{Gate, HALTING, login_of_id, store};
use super::*;
use crate::{
    Answer, Store, audit,
    frequent::{Cells, Executes, Frequent, FromRow, Row, frequent},
    run::Event,
};

type Begun<T> = JoinHandle<Result<T, Error>>;

/// Begins an event, which is in line when this returns.
async fn begin<A, T>(store: &Store, arguments: A, event: Event<A, T>) -> Begun<T>
where
    A: Send + Sync + 'static,
    T: Send + 'static,
{
    let store = store.clone();
    let begun = tokio::spawn(async move { store.write(arguments, event).await });
    tokio::task::yield_now().await;
    begun
}

/// Begins the recording of an event.
async fn recording(store: &Store, id: u128) -> Begun<()> {
    begin(store, id, RECORDING).await
}

/// Begins the recording of an event for an answer.
async fn answered(store: &Store, answer: &Answer, id: u128) -> Begun<()> {
    let (store, answer) = (store.clone(), answer.clone());
    let begun = tokio::spawn(async move { answer.of(store.write(id, RECORDING)).await });
    tokio::task::yield_now().await;
    begun
}

const RECORDING: Event<u128, ()> = |tx, id| Box::pin(record(tx, *id));

async fn record<E: Executes>(tx: &E, id: u128) -> Result<(), Error> {
    audit::insert(tx, &login_of_id(id)).await
}

async fn record_of<E: Executes>(tx: &E, id: &u128) -> Result<(), Error> {
    record(tx, *id).await
}

/// Begins an event that happens often.
async fn begin_often<A, T>(store: &Store, arguments: A, event: Frequent<A, T>) -> Begun<T>
where
    A: Send + Sync + 'static,
    T: Send + 'static,
{
    let store = store.clone();
    let begun = tokio::spawn(async move { store.write_often(arguments, event).await });
    tokio::task::yield_now().await;
    begun
}

/// Begins a recording that comes to nothing but on the bare connection.
async fn recording_bare(store: &Store, id: u128) -> Begun<()> {
    let recording = Frequent {
        anywhere: |_, _| Box::pin(async { Err(Error::MigrationsMissing(8)) }),
        bare: |connection, id: &u128| Box::pin(record(connection, *id)),
        single: None,
    };
    begin_often(store, id, recording).await
}

/// Has whoever comes from now on wait in line until [`Held::let_go`].
struct Held(Arc<Gate>, Begun<()>);

async fn hold(store: &Store) -> Held {
    let gate = Arc::new(Gate::default());
    let store = store.clone();
    let waiting = Arc::clone(&gate);
    let begun = tokio::spawn(async move {
        let event: Event<Arc<Gate>, ()> = |_, gate| {
            Box::pin(async move {
                gate.reached.notify_one();
                gate.open.notified().await;
                Ok(())
            })
        };
        store.write_apart(waiting, event).await
    });
    gate.reached.notified().await;
    Held(gate, begun)
}

impl Held {
    async fn let_go(self) {
        self.0.open.notify_one();
        self.1.await.unwrap().unwrap();
    }
}

/// The ids of all that is recorded.
async fn recorded(store: &Store) -> Vec<u128> {
    let events = store.newest_audit(1_000).await.unwrap();
    let mut ids: Vec<u128> = events.iter().map(|event| event.id.as_u128()).collect();
    ids.sort_unstable();
    ids
}

#[tokio::test]
async fn what_waits_is_committed_together_and_nobody_is_answered_before() {
    let (_folder, store) = store().await;
    let held = hold(&store).await;
    let first = recording(&store, 2).await;
    let second = recording(&store, 3).await;
    let gate = Arc::new(Gate::default());
    let last = begin(&store, Arc::clone(&gate), HALTING).await;
    held.let_go().await;
    gate.reached.notified().await;
    assert_eq!(recorded(&store).await, [0; 0]);
    assert!(!first.is_finished() && !second.is_finished());
    gate.open.notify_one();
    for begun in [first, second, last] {
        begun.await.unwrap().unwrap();
    }
    assert_eq!(recorded(&store).await, [1, 2, 3]);
}

#[tokio::test]
async fn who_comes_while_a_group_runs_is_committed_with_it() {
    let (_folder, store) = store().await;
    let gate = Arc::new(Gate::default());
    let first = begin(&store, Arc::clone(&gate), HALTING).await;
    gate.reached.notified().await;
    let another = Arc::new(Gate::default());
    let second = begin(&store, Arc::clone(&another), ALSO_HALTING).await;
    gate.open.notify_one();
    another.reached.notified().await;
    assert!(!first.is_finished());
    another.open.notify_one();
    first.await.unwrap().unwrap();
    second.await.unwrap().unwrap();
    assert_eq!(recorded(&store).await, [1, 2]);
}

const ALSO_HALTING: Event<Arc<Gate>, ()> = |tx, gate| {
    Box::pin(async move {
        record(tx, 2).await?;
        gate.reached.notify_one();
        gate.open.notified().await;
        Ok(())
    })
};

#[tokio::test]
async fn an_event_that_fails_takes_nothing_of_the_others_with_it() {
    let (_folder, store) = store().await;
    let held = hold(&store).await;
    let before = recording(&store, 1).await;
    let failing = begin(&store, 2, |tx, id: &u128| {
        Box::pin(async move {
            record(tx, *id).await?;
            Err::<(), _>(Error::MigrationsMissing(7))
        })
    })
    .await;
    let behind = recording(&store, 3).await;
    held.let_go().await;
    before.await.unwrap().unwrap();
    behind.await.unwrap().unwrap();
    let failed = failing.await.unwrap();
    assert!(
        matches!(failed, Err(Error::MigrationsMissing(7))),
        "{failed:?}"
    );
    assert_eq!(recorded(&store).await, [1, 3]);
}

#[tokio::test]
async fn an_event_that_panics_ends_alone() {
    let (_folder, store) = store().await;
    let held = hold(&store).await;
    let before = recording(&store, 1).await;
    let panicking: Begun<()> = begin(&store, 2, |tx, id: &u128| {
        Box::pin(async move {
            record(tx, *id).await?;
            panic!("as an event with a mistake in it would");
        })
    })
    .await;
    let behind = recording(&store, 3).await;
    held.let_go().await;
    before.await.unwrap().unwrap();
    behind.await.unwrap().unwrap();
    let ended = panicking.await.unwrap();
    assert!(matches!(ended, Err(Error::Unavailable(_))), "{ended:?}");
    assert_eq!(recorded(&store).await, [1, 3]);
    recording(&store, 4).await.await.unwrap().unwrap();
}

#[tokio::test]
async fn an_event_whose_answer_is_given_while_it_waits_is_left_out() {
    let (_folder, store) = store().await;
    let held = hold(&store).await;
    let answer = Answer::default();
    let late = answered(&store, &answer, 1).await;
    let other = recording(&store, 2).await;
    answer.give();
    held.let_go().await;
    other.await.unwrap().unwrap();
    let late = late.await.unwrap();
    assert!(matches!(late, Err(Error::Busy(_))), "{late:?}");
    assert_eq!(recorded(&store).await, [2]);
}

#[tokio::test]
async fn an_event_whose_answer_is_given_before_its_group_is_committed_is_left_out() {
    let (_folder, store) = store().await;
    let held = hold(&store).await;
    let answer = Answer::default();
    let late = answered(&store, &answer, 2).await;
    let gate = Arc::new(Gate::default());
    let other = begin(&store, Arc::clone(&gate), HALTING).await;
    held.let_go().await;

    // The first has run by now, and would be committed with the second.
    gate.reached.notified().await;
    answer.give();
    gate.open.notify_one();
    gate.reached.notified().await;
    gate.open.notify_one();
    other.await.unwrap().unwrap();
    let late = late.await.unwrap();
    assert!(matches!(late, Err(Error::Busy(_))), "{late:?}");
    assert_eq!(recorded(&store).await, [1]);
}

#[tokio::test]
async fn what_is_taken_by_an_event_that_is_left_out_is_not_taken() {
    let (_folder, store) = store().await;
    let held = hold(&store).await;
    let answer = Answer::default();
    let late = answered(&store, &answer, 2).await;
    let same = begin(&store, answer.clone(), |tx, answer: &Answer| {
        Box::pin(async move {
            answer.give();
            record(tx, 2).await
        })
    })
    .await;
    held.let_go().await;
    same.await.unwrap().unwrap();
    let late = late.await.unwrap();
    assert!(matches!(late, Err(Error::Busy(_))), "{late:?}");
    assert_eq!(recorded(&store).await, [2]);
}

/// A reference to nobody is let through until the commit.
#[tokio::test]
async fn when_the_commit_fails_each_event_is_committed_apart_or_not() {
    let (_folder, store) = store().await;
    let held = hold(&store).await;
    let before = recording(&store, 1).await;
    let faulty = begin(&store, 2, |tx, id: &u128| {
        Box::pin(async move {
            record(tx, *id).await?;
            tx.execute_unprepared("PRAGMA defer_foreign_keys = ON")
                .await?;
            tx.execute_unprepared("INSERT INTO user_roles (user_id, role) VALUES (x'00', 'none')")
                .await?;
            Ok(())
        })
    })
    .await;
    let behind = recording(&store, 3).await;
    held.let_go().await;
    before.await.unwrap().unwrap();
    behind.await.unwrap().unwrap();
    let failed = faulty.await.unwrap();
    assert!(matches!(failed, Err(Error::Unavailable(_))), "{failed:?}");
    assert_eq!(recorded(&store).await, [1, 3]);
}

#[tokio::test]
async fn more_events_than_fit_into_a_group_come_in_several() {
    let (_folder, store) = store().await;
    let held = hold(&store).await;
    let number = 3 * MOST_MEMBERS as u128 + 1;
    let mut begun = Vec::new();
    for id in 0..number {
        begun.push(recording(&store, id).await);
    }
    held.let_go().await;
    for begun in begun {
        begun.await.unwrap().unwrap();
    }
    assert_eq!(recorded(&store).await, (0..number).collect::<Vec<_>>());
}

#[tokio::test]
async fn those_in_line_whose_callers_have_gone_happen_before_the_store_is_closed() {
    let (folder, store) = store().await;
    let held = hold(&store).await;
    for id in 0..5 {
        recording(&store, id).await.abort();
    }
    let closing = tokio::spawn(store.close());
    held.let_go().await;
    closing.await.unwrap();
    let url = crate::DatabaseUrl::of_file(folder.path().join("vestibule.db"));
    let store = Store::connect(&crate::Options::new(url)).await.unwrap();
    assert_eq!(recorded(&store).await, [0, 1, 2, 3, 4]);
}

#[tokio::test]
async fn an_event_whose_turn_comes_too_late_does_not_happen_although_its_caller_has_gone() {
    const PATIENCE: Duration = Duration::from_millis(50);
    let folder = tempfile::tempdir().unwrap();
    let url = crate::DatabaseUrl::of_file(folder.path().join("vestibule.db"));
    let options = crate::Options {
        acquire_timeout: PATIENCE,
        ..crate::Options::new(url)
    };
    let store = Store::connect(&options).await.unwrap();
    store.migrate_up(None).await.unwrap();
    let gate = Arc::new(Gate::default());
    let first = begin(&store, Arc::clone(&gate), HALTING).await;
    gate.reached.notified().await;
    recording(&store, 2).await.abort();
    // The lapse itself is what it is about.
    tokio::time::sleep(2 * PATIENCE).await;
    let third = recording(&store, 3).await;
    gate.open.notify_one();
    first.await.unwrap().unwrap();
    third.await.unwrap().unwrap();
    assert_eq!(recorded(&store).await, [1, 3]);
}

#[tokio::test]
async fn those_who_begin_anew_are_not_run_again_for_each_who_fails_behind_them() {
    use std::sync::atomic::{AtomicUsize, Ordering};

    let (_folder, store) = store().await;
    let held = hold(&store).await;
    let runs = Arc::new(AtomicUsize::new(0));
    let counting = begin(&store, Arc::clone(&runs), |_, runs: &Arc<AtomicUsize>| {
        Box::pin(async move {
            runs.fetch_add(1, Ordering::Relaxed);
            Ok(())
        })
    })
    .await;
    let mut failing = Vec::new();
    for _ in 0..5 {
        failing.push(
            begin(&store, (), |_, ()| {
                Box::pin(async { Err::<(), _>(Error::MigrationsMissing(7)) })
            })
            .await,
        );
    }
    held.let_go().await;
    counting.await.unwrap().unwrap();
    for begun in failing {
        let ended = begun.await.unwrap();
        assert!(
            matches!(ended, Err(Error::MigrationsMissing(7))),
            "{ended:?}"
        );
    }
    assert_eq!(runs.load(Ordering::Relaxed), 2);
}

#[tokio::test]
async fn what_happens_often_is_committed_together_on_the_bare_connection() {
    let (_folder, store) = store().await;
    let held = hold(&store).await;
    let first = recording_bare(&store, 1).await;
    let second = recording_bare(&store, 2).await;
    let file = store.readers.clone();
    // Sees in its transaction what the others have written, which nobody else does.
    let last = Frequent {
        anywhere: |_, _| Box::pin(async { Err(Error::MigrationsMissing(8)) }),
        bare: |connection, readers: &DatabaseConnection| {
            Box::pin(async move {
                let within: Vec<Number> = connection.ask(count(connection)).await?;
                let runtime = tokio::runtime::Handle::current();
                let readers = readers.clone();
                let asked =
                    runtime.spawn(async move { readers.ask::<Number>(count(&readers)).await });
                let outside = std::thread::scope(|scope| {
                    let waiting = scope.spawn(|| runtime.block_on(asked));
                    waiting.join().expect("it ends").expect("it ends")
                })?;
                Ok((within[0].0, outside[0].0))
            })
        },
        single: None,
    };
    let last = begin_often(&store, file, last).await;
    held.let_go().await;
    first.await.unwrap().unwrap();
    second.await.unwrap().unwrap();
    assert_eq!(last.await.unwrap().unwrap(), (2, 0));
}

fn count(db: &impl Executes) -> Statement {
    Statement::from_string(db.backend(), "SELECT count(*) FROM audit_events")
}

struct Number(i64);

impl FromRow for Number {
    fn from_row(cells: &mut Cells<'_, impl Row>) -> Result<Self, Error> {
        cells.take().map(Self)
    }
}

/// None of the others is refused or kept waiting for whoever cannot run where it does.
#[tokio::test]
async fn both_kinds_of_events_take_turns() {
    let (_folder, store) = store().await;
    let held = hold(&store).await;
    let mut begun = Vec::new();
    for id in 0..12 {
        begun.push(match id % 3 {
            0 => recording(&store, id).await,
            _ => begin_often(&store, id, frequent!(record_of)).await,
        });
    }
    held.let_go().await;
    for begun in begun {
        begun.await.unwrap().unwrap();
    }
    assert_eq!(recorded(&store).await, (0..12).collect::<Vec<_>>());
}

#[tokio::test]
async fn one_that_fails_on_the_bare_connection_takes_nothing_of_the_others_with_it() {
    let (_folder, store) = store().await;
    let held = hold(&store).await;
    let before = recording_bare(&store, 1).await;
    async fn fail<E: Executes>(tx: &E, id: &u128) -> Result<(), Error> {
        record(tx, *id).await?;
        Err(Error::MigrationsMissing(7))
    }
    let failing = begin_often(&store, 2, frequent!(fail)).await;
    let behind = recording_bare(&store, 3).await;
    held.let_go().await;
    before.await.unwrap().unwrap();
    behind.await.unwrap().unwrap();
    let failed = failing.await.unwrap();
    assert!(
        matches!(failed, Err(Error::MigrationsMissing(7))),
        "{failed:?}"
    );
    assert_eq!(recorded(&store).await, [1, 3]);
}

#[tokio::test]
async fn one_that_panics_on_the_bare_connection_ends_alone() {
    let (_folder, store) = store().await;
    let held = hold(&store).await;
    let before = recording_bare(&store, 1).await;
    async fn panic<E: Executes>(tx: &E, id: &u128) -> Result<(), Error> {
        record(tx, *id).await?;
        panic!("as an event with a mistake in it would");
    }
    let panicking = begin_often(&store, 2, frequent!(panic)).await;
    let behind = recording_bare(&store, 3).await;
    held.let_go().await;
    before.await.unwrap().unwrap();
    behind.await.unwrap().unwrap();
    let ended = panicking.await.unwrap();
    assert!(matches!(ended, Err(Error::Unavailable(_))), "{ended:?}");
    assert_eq!(recorded(&store).await, [1, 3]);
    recording_bare(&store, 4).await.await.unwrap().unwrap();
}

#[tokio::test]
async fn one_whose_answer_is_given_before_its_group_is_committed_is_left_out_on_the_bare_connection()
 {
    let (_folder, store) = store().await;
    let held = hold(&store).await;
    let answer = Answer::default();
    let late = {
        let (store, answer) = (store.clone(), answer.clone());
        tokio::spawn(async move {
            let recording = store.write_often(2, frequent!(record_of));
            answer.of(recording).await
        })
    };
    tokio::task::yield_now().await;
    async fn give<E: Executes>(tx: &E, answer: &Answer) -> Result<(), Error> {
        answer.give();
        record(tx, 3).await
    }
    let other = begin_often(&store, answer, frequent!(give)).await;
    held.let_go().await;
    other.await.unwrap().unwrap();
    let late = late.await.unwrap();
    assert!(matches!(late, Err(Error::Busy(_))), "{late:?}");
    assert_eq!(recorded(&store).await, [3]);
}

/// The driver's connection is there to run them.
#[tokio::test]
async fn what_happens_often_happens_also_where_there_is_no_bare_connection() {
    let (_folder, store) = store().await;
    let groups = store.groups.as_ref().unwrap();
    let gone = groups.0.bare.run(|bare| {
        *bare = BareTransactions::of_file("/nowhere/at/all".into());
    });
    gone.await.expect("it is done");
    let begun = begin_often(&store, 1, frequent!(record_of)).await;
    begun.await.unwrap().unwrap();
    assert_eq!(recorded(&store).await, [1]);
}

/// The engine rolls back by itself in the middle of a group.
#[tokio::test]
async fn of_a_crowd_that_meets_a_full_storage_on_the_bare_connection_is_kept_what_is_acknowledged()
{
    let (_folder, store) = store().await;
    let groups = store.groups.as_ref().unwrap();
    let limited = groups.0.bare.run(|bare| {
        let connection = bare.begin().unwrap();
        connection.limit_pages();
        bare.roll_back(connection);
    });
    limited.await.expect("it is done");
    let held = hold(&store).await;
    let mut begun = Vec::new();
    for id in 0..300 {
        begun.push((id, recording_bare(&store, id).await));
    }
    held.let_go().await;
    let mut acknowledged = Vec::new();
    for (id, begun) in begun {
        match begun.await.unwrap() {
            Ok(()) => acknowledged.push(id),
            // Alone, or when it was tried once more where it cannot run.
            Err(Error::Full(_) | Error::MigrationsMissing(8)) => {}
            Err(error) => panic!("{error}"),
        }
    }
    assert!(acknowledged.len() < 300, "there was room for all");
    assert_eq!(recorded(&store).await, acknowledged);
}

/// The log is a part of the database for as long as it is there.
#[tokio::test]
async fn a_store_that_is_closed_leaves_no_log_behind_although_somebody_holds_a_handle() {
    let (folder, store) = store().await;
    recording_bare(&store, 1).await.await.unwrap().unwrap();
    let handle = store.clone();
    let log = folder.path().join("vestibule.db-wal");
    assert!(log.exists());
    store.close().await;
    assert!(!log.exists());
    let late = begin_often(&handle, 2, frequent!(record_of)).await;
    let late = late.await.unwrap();
    assert!(matches!(late, Err(Error::NoConnection(_))), "{late:?}");
    assert!(!log.exists());
}
