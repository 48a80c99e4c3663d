//! The replicas of a database: which of them is current enough to be asked what may be a little old, and from when on
//! one that fails is left alone. How they are reached stands in `engine/server.rs`; which questions may go to them is
//! decided by whoever asks, by [`Store::read_stale`].

mod history;

use std::{
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use sea_orm::DatabaseConnection;
use tokio::time::{Instant, MissedTickBehavior, interval, timeout};
use tokio_util::{
    sync::{CancellationToken, DropGuard},
    task::TaskTracker,
};

use self::history::History;
use crate::{
    DatabaseUrl, Error, Link, Store,
    engine::{self, Quarantine, Statements},
    install, migrate,
    run::{Question, ask_once},
};

/// How often a replica is looked at.
const INTERVAL: Duration = Duration::from_secs(1);
/// The same for whoever waits for the answer.
const SHORT_INTERVAL: Duration = Duration::from_millis(100);
/// How long a look may take, and the end of a connection.
const PATIENCE: Duration = Duration::from_secs(2);

/// A replica at this moment.
#[derive(Clone, Debug, PartialEq)]
pub struct ReplicaLoad {
    /// Its host and port.
    pub name: String,
    /// Whatever was committed at least so long ago is there. It may have more. `None` before it was
    /// first found to be a replica of this database.
    pub lag: Option<Duration>,
    /// Whether it is asked anything.
    pub is_used: bool,
}

/// What a look at a replica has shown, for an operator.
#[derive(Clone, Debug, PartialEq)]
pub struct ReplicaReport {
    /// Its URL, without a password.
    pub url: String,
    /// What protects the connection to it, if it answers.
    pub link: Option<Link>,
    /// Whether it can be used.
    pub state: ReplicaState,
}

/// Whether a replica can be used.
#[derive(Clone, Debug, PartialEq)]
pub enum ReplicaState {
    /// Yes: what is committed on the primary was there within this time.
    Current(Duration),
    /// Not now: what is committed on the primary was not there within this time.
    Behind(Duration),
    /// No, for this reason.
    Unfit(String),
}

/// Connections to one server, and what becomes of them when a call is cut.
#[derive(Clone)]
pub(crate) struct Line {
    pub(crate) connections: DatabaseConnection,
    pub(crate) statements: Statements,
    pub(crate) quarantine: Quarantine,
}

/// The replicas of one database; of most databases, none.
#[derive(Default)]
pub(crate) struct Replicas {
    members: Vec<Arc<Replica>>,
    /// A connection to the primary that compares it with them.
    primary: Option<Line>,
    /// Whose turn it is.
    turn: AtomicUsize,
    watches: TaskTracker,
    end: Option<DropGuard>,
}

/// One of them.
pub(crate) struct Replica {
    name: String,
    url: String,
    /// For questions.
    pub(crate) line: Line,
    /// For looking at it, whatever the others are busy with.
    eye: Line,
    /// With more lag it is asked nothing.
    max_lag: Duration,
    standing: Mutex<Standing>,
}

/// What is known of a replica.
#[derive(Default)]
struct Standing {
    /// What was committed before this moment is there.
    confirmed: Option<Instant>,
    /// Why it cannot be asked, if so.
    trouble: Option<String>,
    /// Whether it was in use when that was last told to the operator.
    told: Option<bool>,
}

/// What a look has shown.
enum Sight {
    /// It follows the primary, and has what was committed there before this moment; `None` when
    /// that is less than what was there when the looking began.
    Follows(Option<Instant>),
    /// It is none.
    Unfit(&'static str),
}

impl Replicas {
    /// Begins to look at each of them. It waits for none: until it was looked at, none is asked.
    pub(crate) fn watch(members: Vec<Replica>, primary: Line) -> Self {
        let (end, watches) = (CancellationToken::new(), TaskTracker::new());
        let members: Vec<_> = members.into_iter().map(Arc::new).collect();
        for replica in &members {
            watches.spawn(Arc::clone(replica).watch(primary.clone(), end.clone()));
        }
        Self {
            members,
            primary: Some(primary),
            turn: AtomicUsize::new(0),
            watches,
            end: Some(end.drop_guard()),
        }
    }

    /// One that is current enough, each in turn.
    pub(crate) fn one_to_ask(&self) -> Option<Arc<Replica>> {
        let current = self.members.iter().filter(|replica| {
            let standing = replica.standing();
            standing.is_current(replica.max_lag)
        });
        let current: Vec<_> = current.collect();
        let turn = self.turn.fetch_add(1, Ordering::Relaxed);
        let chosen = turn.checked_rem(current.len())?;
        Some(Arc::clone(current[chosen]))
    }

    /// Their connections for questions.
    pub(crate) fn pools(&self) -> impl Iterator<Item = &DatabaseConnection> {
        self.members.iter().map(|replica| &replica.line.connections)
    }

    /// Ends the looking, then the connections.
    pub(crate) async fn close(mut self) {
        drop(self.end.take());
        self.watches.close();
        self.watches.wait().await;
        let lines = self
            .members
            .iter()
            .flat_map(|replica| [&replica.line, &replica.eye]);
        for line in lines.chain(&self.primary) {
            // One that hangs is not waited for; the end of the process ends it, too.
            let _ = timeout(PATIENCE, line.connections.close_by_ref()).await;
        }
    }
}

impl Replica {
    /// The replica at `url`, of which `name` is the short form.
    pub(crate) fn new(
        url: &DatabaseUrl,
        name: String,
        line: Line,
        eye: Line,
        max_lag: Duration,
    ) -> Self {
        Self {
            name,
            url: url.to_string(),
            line,
            eye,
            max_lag,
            standing: Mutex::default(),
        }
    }

    /// What happens when it did not answer: until a look has found it well, it is asked no more.
    pub(crate) fn leave_alone(&self, error: &Error) {
        self.change(|standing| standing.trouble = Some(error.to_string()));
    }

    async fn watch(self: Arc<Self>, primary: Line, end: CancellationToken) {
        let (mut history, mut looks) = (History::default(), interval(INTERVAL));
        looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        // The first look is taken after an interval: by then, whoever starts has often migrated.
        looks.tick().await;
        loop {
            // A look that has begun is not cut off by the end: a connection is closed well or, when
            // its patience is over, not used again.
            tokio::select! {
                now = looks.tick() => self.judge(self.look(&primary, &mut history, now).await),
                () = end.cancelled() => return,
            }
        }
    }

    /// Compares it with the primary at the moment `now`.
    async fn look(
        &self,
        primary: &Line,
        history: &mut History,
        now: Instant,
    ) -> Result<Sight, Error> {
        let written = primary.ask(|db, ()| Box::pin(engine::written(db))).await?;
        history.add(now, written);
        let is_known = self.standing().trouble.is_none() && self.standing().confirmed.is_some();
        if !is_known && let Some(unfit) = self.stranger(primary).await? {
            return Ok(Sight::Unfit(unfit));
        }
        let replayed = self
            .eye
            .ask(|db, ()| Box::pin(engine::replayed(db)))
            .await?;
        Ok(match replayed {
            Some(replayed) => Sight::Follows(history.newest_before(&replayed)),
            None => Sight::Unfit("it follows no primary"),
        })
    }

    /// Why it is not a copy of our database, if it is none.
    async fn stranger(&self, primary: &Line) -> Result<Option<&'static str>, Error> {
        let ours = primary
            .ask(|db, ()| Box::pin(install::check_of(db)))
            .await?;
        let copied = self
            .eye
            .ask(|db, ()| Box::pin(install::check_of(db)))
            .await?;
        if copied.is_none() || copied != ours {
            return Ok(Some("it holds another installation, or none"));
        }
        let missing = self.eye.ask(|db, ()| Box::pin(migrate::missing(db)));
        Ok(match missing.await? {
            0 => None,
            _ => Some("it does not have the schema of this release yet"),
        })
    }

    fn judge(&self, sight: Result<Sight, Error>) {
        self.change(|standing| match sight {
            Ok(Sight::Follows(confirmed)) => {
                standing.confirmed = confirmed.or(standing.confirmed);
                standing.trouble = None;
            }
            Ok(Sight::Unfit(reason)) => standing.trouble = Some(reason.to_owned()),
            Err(error) => standing.trouble = Some(error.to_string()),
        });
    }

    /// Changes what is known, and tells the operator whether it is used, where that has changed.
    fn change(&self, change: impl FnOnce(&mut Standing)) {
        let (name, mut standing) = (&self.name, self.standing());
        change(&mut standing);
        let is_used = standing.is_current(self.max_lag);
        if standing.told == Some(is_used) {
            return;
        }
        standing.told = Some(is_used);
        match (is_used, &standing.trouble) {
            (true, _) => tracing::info!(db.replica = name, "The replica {name} serves lists"),
            (false, Some(reason)) => {
                tracing::warn!(
                    db.replica = name,
                    "The replica {name} is left alone: {reason}"
                );
            }
            (false, None) => {
                tracing::warn!(
                    db.replica = name,
                    "The replica {name} is left alone: it lags behind"
                );
            }
        }
    }

    fn standing(&self) -> MutexGuard<'_, Standing> {
        self.standing.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A look for somebody who waits for what it shows.
    async fn report(&self, primary: &Line) -> ReplicaReport {
        let link = self.eye.ask(|db, ()| Box::pin(engine::link(db))).await;
        let (mut history, mut looks) = (History::default(), interval(SHORT_INTERVAL));
        let looking = async {
            loop {
                let now = looks.tick().await;
                match self.look(primary, &mut history, now).await {
                    Ok(Sight::Follows(None)) => {}
                    Ok(Sight::Follows(Some(confirmed))) => {
                        return ReplicaState::Current(confirmed.elapsed());
                    }
                    Ok(Sight::Unfit(reason)) => return ReplicaState::Unfit(reason.to_owned()),
                    Err(error) => return ReplicaState::Unfit(error.to_string()),
                }
            }
        };
        let behind = ReplicaState::Behind(self.max_lag);
        let state = match &link {
            Ok(_) => timeout(self.max_lag, looking).await.unwrap_or(behind),
            Err(error) => ReplicaState::Unfit(error.to_string()),
        };
        ReplicaReport {
            url: self.url.clone(),
            link: link.ok(),
            state,
        }
    }
}

impl Standing {
    fn lag(&self) -> Option<Duration> {
        self.confirmed.map(|confirmed| confirmed.elapsed())
    }

    fn is_current(&self, max_lag: Duration) -> bool {
        self.trouble.is_none() && self.lag().is_some_and(|lag| lag <= max_lag)
    }
}

impl Line {
    /// Asks something that must be answered soon.
    async fn ask<T: Send>(&self, question: Question<(), T>) -> Result<T, Error> {
        let ask = || ask_once(&self.connections, self.statements, &(), question);
        self.quarantine.cut_at(PATIENCE, ask).await
    }
}

impl Store {
    /// The replicas of this store. It asks nobody and waits for nothing.
    #[must_use]
    pub fn replicas(&self) -> Vec<ReplicaLoad> {
        let load = |replica: &Arc<Replica>| {
            let standing = replica.standing();
            ReplicaLoad {
                name: replica.name.clone(),
                lag: standing.lag(),
                is_used: standing.is_current(replica.max_lag),
            }
        };
        self.replicas.members.iter().map(load).collect()
    }

    /// Looks at each replica, for a few seconds where it does not answer or lags behind.
    pub async fn replica_reports(&self) -> Vec<ReplicaReport> {
        let mut reports = Vec::new();
        for replica in &self.replicas.members {
            if let Some(primary) = &self.replicas.primary {
                reports.push(replica.report(primary).await);
            }
        }
        reports
    }
}
