//! Groups of events: what waits for the one writer of a database in a file is committed together, with one wait for the
//! disk. How one event runs, and runs again, is left to `run.rs`.
//!
//! A group is an attempt. Its events run one behind the other in one transaction, and nobody is answered before its
//! commit. If one of them fails, or its caller was answered without it, or the commit fails, all of it is rolled back:
//! whoever was in the way is seen to apart, and the others begin anew. So an event comes to what it would have come to
//! alone, and no savepoint is needed, which would cost each event two statements and is gone, with all that was written,
//! where the engine rolls back by itself.

use std::{
    collections::VecDeque,
    mem,
    panic::AssertUnwindSafe,
    pin::pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use futures_util::{FutureExt as _, future::BoxFuture};
use metrics::{describe_histogram, histogram};
use sea_orm::{DatabaseConnection, DatabaseTransaction, TransactionTrait as _};
use tokio::{sync::oneshot, time::Instant};
use tokio_util::task::TaskTracker;
use tracing::{Instrument as _, Span};

use super::{CALL_BOUND, Call, Failed, nobody_waits, now, roll_back};
use crate::{
    Error,
    engine::{self, BareConnection, BareTransactions, BareWriter, Statements},
    frequent::BareEvent,
    waiting::Wait,
};

/// How many events are committed together at the most.
const MOST_MEMBERS: usize = 64;
/// For how long a group takes in further events. Those in it wait for the last of them.
const GATHERING: Duration = Duration::from_millis(20);

/// For how long an event waits for its turn at the most, so that there is time left to run it, and those of its group.
const MOST_PATIENCE: Duration = CALL_BOUND.saturating_sub(Duration::from_millis(1500));

/// Events that were committed together.
const GROUP_SIZE: &str = "vestibule_database_group_size";

/// Says what is measured here.
pub(crate) fn describe_metrics() {
    describe_histogram!(
        GROUP_SIZE,
        "Changes that were committed together, for a database in a file"
    );
}

/// The events that wait for a writer, and how they come to it. Cheap to clone; all clones are one.
#[derive(Clone)]
pub(crate) struct Groups(Arc<Shared>);

struct Shared {
    /// The one connection of the driver that writes. Whoever has it may write, also with the other one.
    writer: DatabaseConnection,
    /// Where groups run of which every event happens often.
    bare: BareWriter,
    /// How long an event waits for its turn.
    patience: Duration,
    tasks: TaskTracker,
    line: Mutex<Line>,
}

/// The events that wait.
#[derive(Default)]
struct Line {
    members: VecDeque<Box<dyn Member>>,
    /// Whether a task is at work that will come to them.
    is_served: bool,
}

/// An event that waits, whatever its arguments and its outcome are.
trait Member: Send {
    /// Whether its caller was answered without it, so that it must not happen from now on.
    fn is_over(&self) -> bool;

    /// Its turn has come, once or again. `false` if its caller has given up waiting for that.
    fn begin(&mut self) -> bool;

    /// Whether it can run on the bare connection.
    fn is_frequent(&self) -> bool;

    /// Runs it in the transaction of a group, and keeps its outcome.
    fn run<'a>(&'a mut self, tx: &'a DatabaseTransaction) -> BoxFuture<'a, Result<(), Error>>;

    /// The same on the bare connection, for one that can.
    fn run_bare(&mut self, connection: &BareConnection) -> Result<(), Error>;

    /// Gives the caller the outcome, which is committed.
    fn answer(self: Box<Self>);

    /// Gives the caller an error: it has not happened.
    fn refuse(self: Box<Self>, error: Error);

    /// Runs it in transactions of its own, and gives the caller what comes of that.
    fn run_apart(self: Box<Self>, writer: DatabaseConnection) -> BoxFuture<'static, ()>;
}

struct Waiting<A, T> {
    call: Call<A, T>,
    bare: Option<BareEvent<A, T>>,
    turn: Arc<Turn>,
    has_begun: bool,
    outcome: Option<T>,
    caller: oneshot::Sender<Result<T, Error>>,
    span: Span,
}

/// The wait of an event for its turn. Either the turn comes in time or its caller gives up, whichever is first; a caller
/// who has gone away gives up as late as any other.
struct Turn {
    wait: Mutex<Option<Wait>>,
    until: Instant,
}

impl Turn {
    fn within(patience: Duration) -> Self {
        Self {
            wait: Mutex::new(Some(Wait::begin("write"))),
            until: now() + patience,
        }
    }

    /// Ends the wait. `false` if it had ended before.
    fn end_wait(&self) -> bool {
        let mut wait = self.wait.lock().unwrap_or_else(PoisonError::into_inner);
        wait.take().is_some()
    }

    /// Ends the wait because the turn has come. `false` if that is too late.
    fn comes(&self) -> bool {
        self.end_wait() && now() <= self.until
    }
}

impl Groups {
    /// Those of one writer. An event waits for its turn with it for `patience` at the most, and for three seconds in any
    /// case; the work is tracked by `tasks`.
    pub(crate) fn new(
        writer: DatabaseConnection,
        bare: BareWriter,
        patience: Duration,
        tasks: TaskTracker,
    ) -> Self {
        Self(Arc::new(Shared {
            writer,
            bare,
            patience: patience.min(MOST_PATIENCE),
            tasks,
            line: Mutex::default(),
        }))
    }

    /// Closes the bare connection. No event may be under way.
    pub(crate) async fn close(&self) {
        self.0.bare.close().await;
    }

    /// Puts the event in line and waits for what comes of it. It goes on without its caller. `bare` is the same event, where
    /// it can run on the bare connection.
    pub(super) async fn enter<A, T>(
        &self,
        call: Call<A, T>,
        bare: Option<BareEvent<A, T>>,
    ) -> Result<Result<T, Error>, oneshot::error::RecvError>
    where
        A: Send + Sync + 'static,
        T: Send + 'static,
    {
        let (caller, ending) = oneshot::channel();
        let turn = Arc::new(Turn::within(self.0.patience));
        self.take_in(Box::new(Waiting {
            call,
            bare,
            turn: Arc::clone(&turn),
            has_begun: false,
            outcome: None,
            caller,
            span: Span::current(),
        }));
        let mut ending = pin!(ending);
        match tokio::time::timeout_at(turn.until, &mut ending).await {
            Ok(ended) => ended,
            Err(_) if turn.end_wait() => Ok(Err(no_turn())),
            Err(_) => ending.await,
        }
    }

    /// Puts the event in line, and has the line served.
    fn take_in(&self, member: Box<dyn Member>) {
        let was_served = {
            let mut line = self.line();
            line.members.push_back(member);
            mem::replace(&mut line.is_served, true)
        };
        if !was_served {
            let service = Service {
                groups: self.clone(),
                is_done: false,
            };
            self.0.tasks.spawn(service.serve());
        }
    }

    /// Whether anybody is in line. If not, whoever comes next must have themselves served.
    fn is_awaited(&self) -> bool {
        let mut line = self.line();
        line.is_served = !line.members.is_empty();
        line.is_served
    }

    /// Commits those who are first in line, like [`Self::commit_group`]: on the bare connection if all who are there can run
    /// there, so that nobody waits for two commits.
    async fn commit_next(&self, most: usize) -> usize {
        let (in_line, are_frequent) = {
            let members = &self.line().members;
            let are_frequent = members.iter().take(most).all(|member| member.is_frequent());
            (members.len(), are_frequent)
        };
        if are_frequent {
            let turn = match engine::turn(&self.0.writer).await {
                Ok(turn) => turn,
                Err(error) => {
                    self.could_not_begin(in_line, error);
                    return 0;
                }
            };
            let groups = self.clone();
            let committing = self.0.bare.run(move |bare| {
                bare.are_possible().then(|| {
                    let committed = groups.commit_group(bare, most).now_or_never();
                    committed.expect("nothing waits on the bare connection")
                })
            });
            let committed = committing.await.flatten();
            drop(turn);
            if let Some(beginning_anew) = committed {
                return beginning_anew;
            }
        }
        self.commit_group(&mut Driver(&self.0.writer), most).await
    }

    /// Commits those who are first in line and can run in these transactions, so many at the most. Nobody waits for company:
    /// it is those who are there by now, or come while these run. The others of a group that comes to nothing are first in
    /// line again: says how many.
    async fn commit_group<W: Transactions>(&self, writer: &mut W, most: usize) -> usize {
        let in_line = self.line().members.len();
        let transaction = match writer.begin().await {
            Ok(transaction) => transaction,
            Err(error) => {
                self.could_not_begin(in_line, error);
                return 0;
            }
        };
        let closing = now() + GATHERING;
        let mut group = Vec::new();
        while group.len() < most
            && (group.is_empty() || now() < closing)
            && let Some(mut member) = self.next::<W>()
        {
            let running = async { W::run(&transaction, member.as_mut()).await };
            match AssertUnwindSafe(running).catch_unwind().await {
                Ok(Ok(())) => group.push(member),
                ended => {
                    writer.roll_back(transaction).await;
                    // A panic ends the event, and tells the caller no more than that.
                    if let Ok(Err(error)) = ended {
                        self.failed(member, error, group.is_empty());
                    }
                    return self.begin_anew(group);
                }
            }
        }
        if group.is_empty() || group.iter().any(|member| member.is_over()) {
            writer.roll_back(transaction).await;
            return self.begin_anew(group);
        }
        match writer.commit(transaction).await {
            Ok(()) => {
                histogram!(GROUP_SIZE).record(group.len() as f64);
                for member in group {
                    member.answer();
                }
            }
            Err(error) => {
                tracing::warn!(
                    error.message = %error,
                    "Changes could not be committed together, and are tried one by one: {error}"
                );
                self.see_to_apart(group);
            }
        }
        0
    }

    /// The first in line for whom somebody waits, if they can run in these transactions.
    fn next<W: Transactions>(&self) -> Option<Box<dyn Member>> {
        loop {
            let first = self
                .line()
                .members
                .pop_front_if(|first| W::takes(first.as_ref()));
            let mut member = first?;
            if member.begin() {
                return Some(member);
            }
            refuse_late(member);
        }
    }

    /// Sees to those who were in line when a transaction was wanted, and there was none for them. Where there may be one in
    /// a moment, the first tries by itself, and the others stay where they are.
    fn could_not_begin(&self, in_line: usize, error: Error) {
        match Failed::to_begin(error) {
            Failed::Done(error) => {
                let waiting: Vec<_> = self.line().members.drain(..in_line).collect();
                for member in waiting {
                    member.refuse(error.clone());
                }
            }
            Failed::Again(_) => self.see_to_apart(self.next::<Driver<'_>>()),
        }
    }

    /// Sees to an event that failed. Where others had written before it in the same transaction, it may have failed for
    /// what is rolled back with it.
    fn failed(&self, member: Box<dyn Member>, error: Error, was_alone: bool) {
        match Failed::of(error) {
            Failed::Done(error) if was_alone => member.refuse(error),
            _ => self.see_to_apart([member]),
        }
    }

    /// Puts events whose run was rolled back in line again, before all others, in their order; says how many.
    fn begin_anew(&self, group: Vec<Box<dyn Member>>) -> usize {
        let number = group.len();
        let mut line = self.line();
        for member in group.into_iter().rev() {
            line.members.push_front(member);
        }
        number
    }

    fn see_to_apart(&self, members: impl IntoIterator<Item = Box<dyn Member>>) {
        for mut member in members {
            if member.begin() {
                self.0.tasks.spawn(member.run_apart(self.0.writer.clone()));
            } else {
                refuse_late(member);
            }
        }
    }

    fn line(&self) -> MutexGuard<'_, Line> {
        self.0.line.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The work of serving those in line. Should it end before its time, the next who comes has it taken up again.
struct Service {
    groups: Groups,
    /// Whether nobody was in line any more. From then on somebody else may be at work.
    is_done: bool,
}

impl Service {
    /// Commits groups for as long as somebody is in line.
    async fn serve(mut self) {
        let mut most = MOST_MEMBERS;
        while self.groups.is_awaited() {
            // Those who begin anew take nobody in, so that each who fails costs them one run more and not one for each other.
            most = match self.groups.commit_next(most).await {
                0 => MOST_MEMBERS,
                beginning_anew => beginning_anew,
            };
        }
        self.is_done = true;
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        if !self.is_done {
            self.groups.line().is_served = false;
        }
    }
}

/// The transactions that groups run in, one after the other.
trait Transactions {
    type Transaction;

    /// Whether an event can run in them.
    fn takes(member: &dyn Member) -> bool;

    async fn begin(&mut self) -> Result<Self::Transaction, Error>;

    async fn run(transaction: &Self::Transaction, member: &mut dyn Member) -> Result<(), Error>;

    async fn commit(&mut self, transaction: Self::Transaction) -> Result<(), Error>;

    async fn roll_back(&mut self, transaction: Self::Transaction);
}

/// Those of the driver, for every event.
struct Driver<'writer>(&'writer DatabaseConnection);

impl Transactions for Driver<'_> {
    type Transaction = DatabaseTransaction;

    fn takes(_: &dyn Member) -> bool {
        true
    }

    async fn begin(&mut self) -> Result<DatabaseTransaction, Error> {
        Ok(self.0.begin_with_options(engine::write_options()).await?)
    }

    async fn run(transaction: &DatabaseTransaction, member: &mut dyn Member) -> Result<(), Error> {
        member.run(transaction).await
    }

    async fn commit(&mut self, transaction: DatabaseTransaction) -> Result<(), Error> {
        Ok(transaction.commit().await?)
    }

    async fn roll_back(&mut self, transaction: DatabaseTransaction) {
        roll_back(transaction).await;
    }
}

/// Those of the bare connection, where nothing waits.
impl Transactions for BareTransactions {
    type Transaction = BareConnection;

    fn takes(member: &dyn Member) -> bool {
        member.is_frequent()
    }

    async fn begin(&mut self) -> Result<BareConnection, Error> {
        self.begin()
    }

    async fn run(transaction: &BareConnection, member: &mut dyn Member) -> Result<(), Error> {
        member.run_bare(transaction)
    }

    async fn commit(&mut self, transaction: BareConnection) -> Result<(), Error> {
        self.commit(transaction)
    }

    async fn roll_back(&mut self, transaction: BareConnection) {
        self.roll_back(transaction);
    }
}

impl<A, T> Member for Waiting<A, T>
where
    A: Send + Sync + 'static,
    T: Send + 'static,
{
    fn is_over(&self) -> bool {
        self.call.runs.are_over()
    }

    fn begin(&mut self) -> bool {
        self.has_begun = !self.is_over() && (self.has_begun || self.turn.comes());
        self.has_begun
    }

    fn run<'a>(&'a mut self, tx: &'a DatabaseTransaction) -> BoxFuture<'a, Result<(), Error>> {
        let span = self.span.clone();
        let running = async move {
            let outcome = (self.call.event)(tx, &self.call.arguments).await?;
            self.outcome = Some(outcome);
            Ok(())
        };
        Box::pin(running.instrument(span))
    }

    fn is_frequent(&self) -> bool {
        self.bare.is_some()
    }

    fn run_bare(&mut self, connection: &BareConnection) -> Result<(), Error> {
        let event = self.bare.expect("only an event that can is run here");
        let running = event(connection, &self.call.arguments);
        let ended = self.span.in_scope(|| running.now_or_never());
        self.outcome = Some(ended.expect("nothing waits on the bare connection")?);
        Ok(())
    }

    fn answer(self: Box<Self>) {
        let outcome = self
            .outcome
            .expect("only an event that has run is committed");
        // A caller who has gone away has what they asked for all the same.
        let _ = self.caller.send(Ok(outcome));
    }

    fn refuse(self: Box<Self>, error: Error) {
        let _ = self.caller.send(Err(error));
    }

    fn run_apart(self: Box<Self>, writer: DatabaseConnection) -> BoxFuture<'static, ()> {
        let Self {
            call, caller, span, ..
        } = *self;
        let running = async move {
            // Nobody listens any more where the caller has gone away.
            let _ = caller.send(call.run_apart(&writer, Statements::Kept).await);
        };
        Box::pin(running.instrument(span))
    }
}

/// Refuses an event whose turn comes when it can be of no use any more.
fn refuse_late(member: Box<dyn Member>) {
    let error = match member.is_over() {
        true => nobody_waits(),
        false => no_turn(),
    };
    member.refuse(error);
}

fn no_turn() -> Error {
    Error::NoConnection("the turn with the one writer did not come in time".into())
}

#[cfg(test)]
mod tests;
