//! How an event runs: on no task of its caller, in one transaction, again when the engine asks for it,
//! and to its end whatever becomes of the caller. Where there is one writer for all, what waits for
//! it is committed together: see `run/groups.rs`.
//!
//! sqlx 0.9 loses acknowledged writes or connections when a future is dropped inside `BEGIN`, and
//! an HTTP server drops the futures of clients that go away. So nothing of a transaction ever
//! runs on the caller's task.

mod groups;

use std::{
    hash::BuildHasher as _,
    pin::{Pin, pin},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use futures_util::future::BoxFuture;
use sea_orm::{
    DatabaseConnection, DatabaseExecutor, DatabaseTransaction, DbErr, TransactionTrait as _,
};
use tokio::time::Instant;
use tracing::Instrument as _;

pub(crate) use self::groups::{Groups, describe_metrics};
use crate::{
    Answer, Error, Store,
    engine::{self, Statements},
    frequent::{BareEvent, Frequent, SingleEvent},
    turns::in_longer_turns,
    waiting,
};

/// How often an event is run before a conflict with others is reported.
const ATTEMPTS: u32 = 12;
/// How long a caller waits. CONTRACT: an answer within 5 s, never a hang.
pub(crate) const CALL_BOUND: Duration = Duration::from_millis(4500);
/// How long of that a replica is waited for, before the primary is asked.
const REPLICA_BOUND: Duration = Duration::from_millis(2500);
/// So late no event or question runs again. A statement that the engine has ended, as it ends each after 4 s, would be cut
/// in its next run, and all connections of the pool would be closed with it.
const LAST_BEGINNING: Duration = Duration::from_millis(3900);
/// The mean pause before the first repetition is twice this; it doubles with each further one.
const FIRST_PAUSE: Duration = Duration::from_millis(8);
/// It doubles so often at the most: rivals for one row come through one by one, each in about the
/// time that the others pause.
const MOST_DOUBLINGS: u32 = 5;

/// An event: a function of its arguments and a transaction, so that nothing can leak from one
/// run into the next. It must be a plain function or a closure that captures nothing.
pub(crate) type Event<A, T> =
    for<'a> fn(&'a DatabaseTransaction, &'a A) -> BoxFuture<'a, Result<T, Error>>;

/// A question: the same where nothing can be written, and its statements are of one moment each.
pub(crate) type Question<A, T> =
    for<'a> fn(&'a DatabaseExecutor<'a>, &'a A) -> BoxFuture<'a, Result<T, Error>>;

impl Store {
    /// Whether events can happen at all, to be known before costly work is done for one.
    ///
    /// # Errors
    /// [`Error::ReadOnly`]; [`Error::Unavailable`] while another program has the database alone,
    /// which found us gone when the server was away.
    pub fn check_writable(&self) -> Result<(), Error> {
        if self.read_only {
            return Err(Error::ReadOnly);
        }
        if self.presence.is_outdone() {
            let cause = "another vestibule has taken the database for itself alone";
            return Err(Error::Unavailable(cause.into()));
        }
        Ok(())
    }

    /// Runs `event` in one write transaction, which it may share with others that come to their own
    /// outcomes as if they had one each. `Ok` means committed; an error means that nothing
    /// happened or will, with one exception: a commit that was under way when the time bound
    /// passed ([`Error::Busy`]), or the connection was lost ([`Error::Unavailable`]), may have
    /// come to pass.
    pub(crate) async fn write<A, T>(&self, arguments: A, event: Event<A, T>) -> Result<T, Error>
    where
        A: Send + Sync + 'static,
        T: Send + 'static,
    {
        self.write_in_company(arguments, event, None, None).await
    }

    /// Runs an event like [`Store::write`], and faster where there is one writer for all, or one statement does.
    pub(crate) async fn write_often<A, T>(
        &self,
        arguments: A,
        event: Frequent<A, T>,
    ) -> Result<T, Error>
    where
        A: Send + Sync + 'static,
        T: Send + 'static,
    {
        let Frequent {
            anywhere,
            bare,
            single,
        } = event;
        self.write_in_company(arguments, anywhere, Some(bare), single)
            .await
    }

    async fn write_in_company<A, T>(
        &self,
        arguments: A,
        event: Event<A, T>,
        bare: Option<BareEvent<A, T>>,
        single: Option<SingleEvent<A, T>>,
    ) -> Result<T, Error>
    where
        A: Send + Sync + 'static,
        T: Send + 'static,
    {
        let Some(groups) = &self.groups else {
            return self.write_shielded(arguments, event, single).await;
        };
        self.check_writable()?;
        let abandoned = Arc::default();
        let call = Call::new(arguments, event, Arc::clone(&abandoned), Answer::at_hand());
        let ending = pin!(groups.enter(call, bare));
        within(CALL_BOUND, &abandoned, ending).await
    }

    /// Runs `event` like [`Store::write`], in a transaction that it shares with no other: for an event
    /// that takes the longer the more it is given, so that others would wait for it in vain.
    pub(crate) async fn write_apart<A, T>(
        &self,
        arguments: A,
        event: Event<A, T>,
    ) -> Result<T, Error>
    where
        A: Send + Sync + 'static,
        T: Send + 'static,
    {
        self.write_shielded(arguments, event, None).await
    }

    async fn write_shielded<A, T>(
        &self,
        arguments: A,
        event: Event<A, T>,
        single: Option<SingleEvent<A, T>>,
    ) -> Result<T, Error>
    where
        A: Send + Sync + 'static,
        T: Send + 'static,
    {
        self.check_writable()?;
        let (writer, statements) = (self.writer.clone(), self.statements);
        let quarantine = self.quarantine.clone();
        let answer = Answer::at_hand();
        let single = single.filter(|_| engine::answers_changes(&writer, statements));
        self.shielded(CALL_BOUND, quarantine, move |abandoned| {
            let call = Call::new(arguments, event, abandoned, answer);
            async move {
                if let Some(single) = single
                    && let Some(outcome) = call.run_at_once(&writer, single).await?
                {
                    return Ok(outcome);
                }
                call.run_apart(&writer, statements).await
            }
        })
        .await
    }

    /// Runs `question` on a reading connection. The answer has all that was committed before.
    pub(crate) async fn read<A, T>(
        &self,
        arguments: A,
        question: Question<A, T>,
    ) -> Result<T, Error>
    where
        A: Send + Sync + 'static,
        T: Send + 'static,
    {
        self.read_within(CALL_BOUND, arguments, question).await
    }

    /// Runs `question` on a replica where there is one that is current enough, else as
    /// [`Store::read`] does: for what a person looks through, and no decision rests on. A replica
    /// that does not answer well is an error to nobody: the primary is asked, and has what is left
    /// of the time of a call.
    pub(crate) async fn read_stale<A, T>(
        &self,
        arguments: A,
        question: Question<A, T>,
    ) -> Result<T, Error>
    where
        A: Clone + Send + Sync + 'static,
        T: Send + 'static,
    {
        let Some(replica) = self.replicas.one_to_ask() else {
            return self.read(arguments, question).await;
        };
        let begun = now();
        let (line, copy) = (replica.line.clone(), arguments.clone());
        let asked = self.shielded(REPLICA_BOUND, Some(line.quarantine), move |_| async move {
            let asked = ask_once(&line.connections, line.statements, &copy, question);
            waiting::measured("replica", asked).await
        });
        match asked.await {
            Ok(answer) => Ok(answer),
            Err(error) => {
                // That our own connections to it are in use, or were not made yet, is no fault of
                // the replica; whether it can be reached, the next look shows.
                if !matches!(error, Error::NoConnection(_)) {
                    replica.leave_alone(&error);
                }
                let left = CALL_BOUND.saturating_sub(begun.elapsed());
                self.read_within(left, arguments, question).await
            }
        }
    }

    async fn read_within<A, T>(
        &self,
        bound: Duration,
        arguments: A,
        question: Question<A, T>,
    ) -> Result<T, Error>
    where
        A: Send + Sync + 'static,
        T: Send + 'static,
    {
        let (readers, statements) = (self.readers.clone(), self.statements);
        let quarantine = self.quarantine.clone();
        let answer = Answer::at_hand();
        self.shielded(bound, quarantine, move |abandoned| async move {
            let mut runs = Runs::new(abandoned, answer);
            loop {
                let asked = ask_once(&readers, statements, &arguments, question);
                match waiting::measured(engine::purpose(&readers, "read"), asked).await {
                    // Nothing was changed, and the next connection may be a better one.
                    Err(Error::Busy(_) | Error::Unavailable(_)) if runs.another().await => {}
                    ended => return ended,
                }
            }
        })
        .await
    }

    /// Runs `work` on its own task and waits for it, up to `bound`; the caller's going away ends
    /// the waiting, never the work. On a server the work itself ends at the bound, for who hangs
    /// there may hang for ever; in a file every wait has its own end, and so has every question.
    async fn shielded<T, W, F>(
        &self,
        bound: Duration,
        quarantine: Option<engine::Quarantine>,
        work: W,
    ) -> Result<T, Error>
    where
        W: FnOnce(Arc<AtomicBool>) -> F + Send + 'static,
        F: Future<Output = Result<T, Error>> + Send + 'static,
        T: Send + 'static,
    {
        let abandoned = Arc::new(AtomicBool::new(false));
        let told = Arc::clone(&abandoned);
        // The work is begun in here, as an `async` block has room for what it captures beside what it waits for.
        let work = async move {
            match quarantine {
                Some(quarantine) => quarantine.cut_at(bound, || work(told)).await,
                None => work(told).await,
            }
        };
        let task = self.tasks.spawn(work.in_current_span());
        within(bound, &abandoned, pin!(task)).await
    }
}

/// Waits for what comes of a call, up to `bound`; the call learns that nobody does any more.
async fn within<T, Lost>(
    bound: Duration,
    abandoned: &AtomicBool,
    ending: Pin<&mut impl Future<Output = Result<Result<T, Error>, Lost>>>,
) -> Result<T, Error> {
    match tokio::time::timeout(bound, ending).await {
        Ok(Ok(ended)) => ended,
        // No word of the panic that it may have been: its message may hold what was being written.
        Ok(Err(_)) => Err(Error::Unavailable("a database task ended early".into())),
        Err(_) => {
            abandoned.store(true, Ordering::SeqCst);
            Err(Error::Busy("no answer within the time bound".into()))
        }
    }
}

/// An event with its arguments, and what is known of whoever waits for it.
struct Call<A, T> {
    arguments: A,
    event: Event<A, T>,
    runs: Runs,
}

impl<A, T> Call<A, T> {
    fn new(arguments: A, event: Event<A, T>, abandoned: Arc<AtomicBool>, answer: Answer) -> Self {
        Self {
            arguments,
            event,
            runs: Runs::new(abandoned, answer),
        }
    }

    /// Runs it as one statement. `None` where it is to be run in a transaction: it has changed nothing, or nobody knows.
    async fn run_at_once(
        &self,
        writer: &DatabaseConnection,
        single: SingleEvent<A, T>,
    ) -> Result<Option<T>, Error> {
        if self.runs.are_over() {
            return Err(nobody_waits());
        }
        let ended = in_longer_turns(single(writer, &self.arguments));
        match waiting::measured(engine::purpose(writer, "write"), ended).await {
            Ok(outcome) => Ok(outcome),
            Err(error @ (Error::NoConnection(_) | Error::Full(_))) => Err(error),
            Err(Error::Busy(_)) => Ok(None),
            Err(error) => {
                tracing::warn!(
                    error.message = %error,
                    "A change could not be made by one statement, and is tried in a transaction: {error}"
                );
                Ok(None)
            }
        }
    }

    /// Runs it in a transaction of its own, and again as often as that may help.
    async fn run_apart(
        mut self,
        writer: &DatabaseConnection,
        statements: Statements,
    ) -> Result<T, Error> {
        loop {
            match transaction(writer, statements, &self).await {
                Err(Failed::Again(_)) if self.runs.another().await => {}
                ended => return ended.map_err(Failed::into_error),
            }
        }
    }
}

/// Why a run of an event came to nothing.
enum Failed {
    /// For a reason that another run may not meet.
    Again(Error),
    /// For good.
    Done(Error),
}

impl Failed {
    fn of(error: Error) -> Self {
        match error {
            Error::Busy(_) => Self::Again(error),
            error => Self::Done(error),
        }
    }

    /// Before it has begun, nothing has happened: the connection may be one that the server has
    /// closed since it was last used. But the wait for a connection is not to be begun anew, and a
    /// full disk is not emptied in a moment.
    fn to_begin(error: Error) -> Self {
        match error {
            Error::NoConnection(_) | Error::Full(_) => Self::Done(error),
            error => Self::Again(error),
        }
    }

    fn into_error(self) -> Error {
        let (Self::Again(error) | Self::Done(error)) = self;
        error
    }
}

/// The runs of one event.
struct Runs {
    begun: Instant,
    attempt: u32,
    /// The caller was told that it took too long.
    abandoned: Arc<AtomicBool>,
    answer: Answer,
}

impl Runs {
    fn new(abandoned: Arc<AtomicBool>, answer: Answer) -> Self {
        Self {
            begun: now(),
            attempt: 1,
            abandoned,
            answer,
        }
    }

    /// Whether somebody was told that it has not happened, so that it must not from now on.
    fn are_over(&self) -> bool {
        self.abandoned.load(Ordering::SeqCst) || self.answer.is_given()
    }

    /// Whether there shall be another one, after a pause.
    async fn another(&mut self) -> bool {
        let is_late = self.begun.elapsed() >= LAST_BEGINNING;
        if self.attempt == ATTEMPTS || is_late || self.are_over() {
            return false;
        }
        tokio::time::sleep(pause(self.attempt)).await;
        self.attempt += 1;
        true
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "it bounds for how long calls wait, and decides nothing about them"
)]
fn now() -> Instant {
    Instant::now()
}

/// Runs `question` once, on these connections.
pub(crate) async fn ask_once<A, T>(
    connections: &DatabaseConnection,
    statements: Statements,
    arguments: &A,
    question: Question<A, T>,
) -> Result<T, Error> {
    if statements == Statements::Kept {
        return in_longer_turns(question(&connections.into(), arguments)).await;
    }
    let transaction = in_longer_turns(connections.begin()).await?;
    engine::forget_statements(&transaction).await?;
    let answer = question(&(&transaction).into(), arguments).await;
    // Nothing was written. What matters is that the connection is free again.
    transaction.rollback().await?;
    answer
}

async fn transaction<A, T>(
    writer: &DatabaseConnection,
    statements: Statements,
    call: &Call<A, T>,
) -> Result<T, Failed> {
    let begun = in_longer_turns(writer.begin_with_options(engine::write_options()));
    let begun = waiting::measured(engine::purpose(writer, "write"), begun).await;
    let transaction = begun.map_err(|error| Failed::to_begin(error.into()))?;
    if statements == Statements::Forgotten {
        let forgotten = engine::forget_statements(&transaction).await;
        forgotten.map_err(Failed::Again)?;
    }
    let ended = (call.event)(&transaction, &call.arguments).await;
    let ended = match call.runs.are_over() {
        true => Err(nobody_waits()),
        false => ended,
    };
    match ended {
        Ok(outcome) => {
            let committed = transaction.commit().await;
            committed.map_err(|error| Failed::of(error.into()))?;
            Ok(outcome)
        }
        Err(error) => {
            roll_back(transaction).await;
            Err(Failed::of(error))
        }
    }
}

/// Takes back what a transaction has done. Not every engine does so with all of it by itself when it
/// gives up waiting for a lock.
async fn roll_back(transaction: DatabaseTransaction) {
    // The first error is the one to report; a failed rollback closes the connection.
    if let Err(error) = transaction.rollback().await {
        tracing::warn!(error.message = %error, "A rollback failed: {error}");
    }
}

fn nobody_waits() -> Error {
    Error::Busy("nobody waits for it any more".into())
}

/// An exponential pause with jitter, so that two rivals do not meet again.
fn pause(attempt: u32) -> Duration {
    let ceiling = FIRST_PAUSE * 2u32.pow(attempt.min(MOST_DOUBLINGS));
    let dice = std::hash::RandomState::new().hash_one(attempt) % 1000;
    ceiling.mul_f64(0.5 + dice as f64 / 1000.0)
}

impl From<DbErr> for Error {
    fn from(error: DbErr) -> Self {
        engine::classify(&error)
    }
}

#[cfg(test)]
mod tests;
