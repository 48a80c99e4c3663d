//! The connection to a Redis that the nodes of one installation share. It is made and watched in the background, and
//! given up at the first call that fails or takes too long, so that no request waits for a Redis that is away. What is
//! asked of it is up to the callers, each of whom does without where there is no answer.

mod inspect;
mod url;

use std::{
    convert::Infallible,
    fmt,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError, Weak,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use redis::{
    AsyncConnectionConfig, FromRedisValue, PushInfo, PushKind, RedisError, Script,
    ScriptInvocation, aio::MultiplexedConnection,
};
use tokio::{
    sync::{Notify, watch},
    time::timeout,
};

pub use inspect::RedisReport;
pub use url::RedisUrl;

use crate::{Accounts, Clock, meter};

/// How long is waited for what.
#[derive(Clone, Copy)]
pub(crate) struct Bounds {
    /// For an answer, by a request: once for each time that Redis becomes too slow.
    call: Duration,
    /// For the last answer before a connection is used: half as long as for later ones, or a Redis that is always a
    /// little too slow would be found and lost in turn.
    probe: Duration,
    /// For a connection, in the background.
    connect: Duration,
}

impl Default for Bounds {
    fn default() -> Self {
        Self {
            call: Duration::from_millis(250),
            probe: Duration::from_millis(125),
            connect: Duration::from_secs(2),
        }
    }
}

/// How often a connection is tried that nobody uses, and one that is lost is sought.
const LOOK_INTERVAL: Duration = Duration::from_secs(1);
/// A connection that lasted shorter is sought with longer pauses each time, up to as long.
const STEADY: Duration = Duration::from_secs(5);

/// What a node does with Redis, done on a key and a channel that mean nothing: a Redis that is full, or a replica, or one that
/// lets us run no scripts, fails here and not at somebody's login.
const PROBE: &str =
    "redis.call('SET', KEYS[1], '1', 'PX', 10000) return redis.call('PUBLISH', KEYS[1], '')";

/// The connection to the shared Redis; a clone is the same one.
#[derive(Clone)]
pub(crate) struct RedisLink(Arc<Inner>);

struct Inner {
    client: redis::Client,
    url: RedisUrl,
    clock: Clock,
    bounds: Bounds,
    /// What the names of all our keys and of the channel begin with.
    prefix: String,
    probe: Script,
    line: Mutex<Line>,
    /// Connections so far, those that failed included.
    tried: AtomicU64,
    is_up: watch::Sender<bool>,
    lost: Notify,
    revoked_here: Notify,
    revoked_elsewhere: Notify,
}

/// What is known of the connection.
enum Line {
    /// There is none; told is whether the operator knows.
    Down { told: bool },
    /// There is one, with a number that no other had.
    Up {
        number: u64,
        connection: MultiplexedConnection,
    },
}

/// What is known of a script that has given no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unanswered {
    /// There was no connection: it has not run, and does not.
    NotAsked,
    /// It may have run, and may run yet.
    Unknown,
}

/// Why there is no answer.
enum Failure {
    /// None came in time.
    Late(Duration),
    /// It was another one.
    Refused(RedisError),
}

impl Accounts {
    /// Makes the first connection to the shared Redis, where one is configured. Without it each node counts limits for
    /// itself, and looks for revocations in the database alone.
    ///
    /// # Errors
    /// Why Redis cannot be used, in words. [`Accounts::keep_redis_connected`] goes on trying.
    pub async fn connect_redis(&self) -> Result<(), String> {
        match &self.0.redis {
            Some(link) => link.connect().await,
            None => Ok(()),
        }
    }

    /// Watches the connection to the shared Redis, and makes it anew where it is lost, for as long as it is awaited.
    pub async fn keep_redis_connected(&self) -> Infallible {
        match &self.0.redis {
            Some(link) => tokio::select! {
                never = link.keep_connected() => never,
                never = self.0.throttle.settle_with_the_others() => never,
            },
            None => std::future::pending().await,
        }
    }
}

impl RedisLink {
    /// No connection yet. `installation` tells ours from others that use the same Redis.
    pub(crate) fn new(url: RedisUrl, installation: &str, clock: Clock, bounds: Bounds) -> Self {
        meter::redis_is_up(false);
        Self(Arc::new(Inner {
            client: url.client(),
            url,
            clock,
            bounds,
            // In braces, so that proxies in front of several servers keep what belongs together on one.
            prefix: format!("vestibule:{{{installation}}}:"),
            probe: Script::new(PROBE),
            line: Mutex::new(Line::Down { told: false }),
            tried: AtomicU64::new(0),
            is_up: watch::Sender::new(false),
            lost: Notify::new(),
            revoked_here: Notify::new(),
            revoked_elsewhere: Notify::new(),
        }))
    }

    /// The name of one of our keys.
    pub(crate) fn name(&self, key: fmt::Arguments<'_>) -> String {
        format!("{}{key}", self.0.prefix)
    }

    /// Runs a script.
    ///
    /// # Errors
    /// [`Unanswered::NotAsked`], which takes no time; [`Unanswered::Unknown`] where no answer came within a quarter of a
    /// second, or one that is none.
    pub(crate) async fn run<T: FromRedisValue>(
        &self,
        script: &ScriptInvocation<'_>,
    ) -> Result<T, Unanswered> {
        let (number, mut connection) = self.0.current().ok_or(Unanswered::NotAsked)?;
        let began = self.0.clock.monotonic();
        let answer = within(self.0.bounds.call, script.invoke_async(&mut connection)).await;
        meter::redis_answered(self.0.clock.monotonic().saturating_sub(began));
        answer.map_err(|failure| {
            self.0.give_up(number, &failure);
            Unanswered::Unknown
        })
    }

    /// Waits until there is a connection.
    pub(crate) async fn connected(&self) {
        let waited = self
            .0
            .is_up
            .subscribe()
            .wait_for(|is_up| *is_up)
            .await
            .map(drop);
        waited.expect("the link that is waited for has the sender");
    }

    /// Tells the other nodes, soon, that something was revoked. It waits for nothing.
    pub(crate) fn announce_revocation(&self) {
        self.0.revoked_here.notify_one();
    }

    /// Waits until some node says that it has revoked something. Whoever can reach Redis can say so.
    pub(crate) async fn revocation_announced(&self) {
        self.0.revoked_elsewhere.notified().await;
    }

    /// Makes the first connection. Where that fails it is for the caller to tell; the rest is left to
    /// [`RedisLink::keep_connected`].
    ///
    /// # Errors
    /// Why Redis cannot be used, in words.
    pub(crate) async fn connect(&self) -> Result<(), String> {
        self.0.connect().await.map_err(|failure| {
            *self.0.line() = Line::Down { told: true };
            format!("{}: {failure}", self.0.url)
        })
    }

    /// Connects whenever there is no connection, and watches the one there is, for as long as it is awaited.
    pub(crate) async fn keep_connected(&self) -> Infallible {
        let mut pause = LOOK_INTERVAL;
        loop {
            if self.0.current().is_some() {
                let found = self.0.clock.monotonic();
                self.0.watch().await;
                let lasted = self.0.clock.monotonic().saturating_sub(found);
                pause = match lasted < STEADY {
                    true => (pause * 2).min(STEADY),
                    false => LOOK_INTERVAL,
                };
            }
            tokio::time::sleep(pause).await;
            if let Err(failure) = self.0.connect().await {
                self.0.tell(&failure);
            }
        }
    }
}

impl Inner {
    fn line(&self) -> MutexGuard<'_, Line> {
        self.line.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn channel(&self) -> String {
        format!("{}revoked", self.prefix)
    }

    async fn connect(self: &Arc<Self>) -> Result<(), Failure> {
        let number = self.tried.fetch_add(1, Ordering::Relaxed);
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(self.bounds.connect))
            .set_response_timeout(Some(self.bounds.connect))
            .set_push_sender(listener(Arc::downgrade(self), number));
        let connecting = async {
            let client = &self.client;
            let mut connection = client
                .get_multiplexed_async_connection_with_config(&config)
                .await?;
            connection.subscribe(self.channel()).await?;
            self.probe(&mut connection).await?;
            Ok(connection)
        };
        let mut connection = within(self.bounds.connect, connecting).await?;
        within(self.bounds.probe, self.probe(&mut connection)).await?;
        let before = {
            let mut line = self.line();
            self.is_up.send_replace(true);
            std::mem::replace(&mut *line, Line::Up { number, connection })
        };
        meter::redis_is_up(true);
        // What was announced meanwhile was not heard.
        self.revoked_elsewhere.notify_one();
        if matches!(before, Line::Down { told: true }) {
            tracing::info!(
                "Redis at {} answers: limits are counted with the other nodes from now on",
                self.url
            );
        }
        Ok(())
    }

    async fn probe(&self, connection: &mut MultiplexedConnection) -> Result<(), RedisError> {
        let key = format!("{}probe", self.prefix);
        self.probe.key(key).invoke_async(connection).await
    }

    /// Passes on what is announced here, and tries the connection now and then, until it is lost.
    async fn watch(&self) {
        let mut looks = tokio::time::interval(LOOK_INTERVAL);
        while let Some((number, mut connection)) = self.current() {
            let tried = tokio::select! {
                () = self.lost.notified() => continue,
                () = self.revoked_here.notified() => {
                    let mut publish = redis::cmd("PUBLISH");
                    publish.arg(self.channel()).arg("");
                    within(self.bounds.call, publish.exec_async(&mut connection)).await
                }
                _ = looks.tick() => within(self.bounds.call, self.probe(&mut connection)).await,
            };
            if let Err(failure) = tried {
                self.give_up(number, &failure);
            }
        }
    }

    fn current(&self) -> Option<(u64, MultiplexedConnection)> {
        match &*self.line() {
            Line::Down { .. } => None,
            Line::Up { number, connection } => Some((*number, connection.clone())),
        }
    }

    /// Of all who find the same connection failing, one ends it and tells.
    fn give_up(&self, number: u64, failure: &Failure) {
        {
            let mut line = self.line();
            if !matches!(&*line, Line::Up { number: current, .. } if *current == number) {
                return;
            }
            *line = Line::Down { told: false };
            self.is_up.send_replace(false);
        }
        meter::redis_is_up(false);
        meter::redis_was_lost(failure.kind());
        self.tell(failure);
        self.lost.notify_one();
    }

    /// Tells the operator, once for each time that Redis is away.
    fn tell(&self, failure: &Failure) {
        let Line::Down { told } = &mut *self.line() else {
            return;
        };
        if !std::mem::replace(told, true) {
            tracing::warn!(
                "Redis at {} cannot be used: {failure}. Each node counts limits for itself until it can",
                self.url
            );
        }
    }
}

impl Failure {
    /// The connection has ended.
    fn lost() -> Self {
        let closed = std::io::Error::from(std::io::ErrorKind::ConnectionReset);
        Self::Refused(closed.into())
    }

    /// The label by which failures are counted.
    fn kind(&self) -> &'static str {
        match self {
            Self::Late(_) => "late",
            Self::Refused(error) if error.is_io_error() || error.is_connection_dropped() => "lost",
            Self::Refused(_) => "refused",
        }
    }
}

/// A server that is none of Redis may answer anything at all.
impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const LONGEST: usize = 200;
        match self {
            Self::Late(bound) => write!(f, "no answer within {} ms", bound.as_millis()),
            Self::Refused(error) => {
                let text = error.to_string();
                let shown = text.chars().filter(|letter| !letter.is_control());
                let shown: String = shown.take(LONGEST).collect();
                f.write_str(shown.trim_end_matches('.'))
            }
        }
    }
}

/// Waits for an answer, but not for ever.
async fn within<T>(
    bound: Duration,
    answering: impl Future<Output = Result<T, RedisError>>,
) -> Result<T, Failure> {
    match timeout(bound, answering).await {
        Ok(answer) => answer.map_err(Failure::Refused),
        Err(_elapsed) => Err(Failure::Late(bound)),
    }
}

/// Hears what comes over a connection without having been asked for: announcements, and its end.
fn listener(
    link: Weak<Inner>,
    number: u64,
) -> impl Fn(PushInfo) -> Result<(), Infallible> + Send + Sync + 'static {
    move |push| {
        let Some(link) = link.upgrade() else {
            return Ok(());
        };
        match push.kind {
            PushKind::Message => link.revoked_elsewhere.notify_one(),
            PushKind::Disconnection => {
                link.give_up(number, &Failure::lost());
            }
            _ => {}
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
