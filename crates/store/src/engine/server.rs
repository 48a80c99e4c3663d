//! A database on a server: waiting until it is up, the connections to it, and the presence of this
//! program there, which others must be able to see. What differs between the servers stands in
//! `postgres.rs` and `mysql.rs`.

use std::{
    io,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use sea_orm::DatabaseConnection;
use sqlx::{
    ConnectOptions as _, Connection as _, mysql::MySqlConnection, pool::PoolOptions,
    postgres::PgConnection,
};
use tokio::{task::JoinHandle, time::timeout};
use tokio_util::{
    sync::{CancellationToken, DropGuard},
    task::TaskTracker,
};

use super::{
    Options, Presence, Quarantine, Statements, mysql, pooler, postgres,
    presence::Sharing,
    url::{DatabaseUrl, Place, Server, ServerEngine},
};
use crate::{
    OpenError, Store, migrate,
    replicas::{Line, Replica, Replicas},
    search::Searches,
    waiting,
};

/// A connection that lay idle for so long is checked before it is used.
const IDLE_CHECK: Duration = Duration::from_secs(30);
/// How often the connection that shows our presence is looked after, and tried anew once it is lost.
const PRESENCE_CHECK: Duration = Duration::from_secs(1);
/// For how long connections of others may still be on their way out when we want to be alone.
const FAREWELL: Duration = Duration::from_secs(3);
/// How long a single connection may take to be made or to answer.
pub(super) const PATIENCE: Duration = Duration::from_secs(5);
/// The pauses between tries to reach a server grow up to this one.
const LONGEST_PAUSE: Duration = Duration::from_secs(5);
/// How long a connection to a replica is waited for at the most: there is always the primary.
const REPLICA_ACQUIRE: Duration = Duration::from_secs(1);

/// Opens the database, once the server is up and has been found fit, and others do not stand
/// against it.
pub(super) async fn open(
    options: &Options,
    server: &Server,
    sharing: Sharing,
) -> Result<Store, OpenError> {
    let direct = direct(options, server);
    for server in [server, &direct] {
        if let Some((file, error)) = server.unreadable_file() {
            return Err(OpenError::Refused {
                database: options.url.to_string(),
                reason: format!("{}: {error}", file.display()),
            });
        }
    }
    let session = wait_for(options, &direct, sharing).await?;
    let quarantine = Quarantine::default();
    let server = with_tls(server, options);
    let read_only = sharing == Sharing::Reading;
    if server.engine == ServerEngine::Postgres && options.direct_url.is_some() {
        let mixing = pooler::is_mixing_statements(&server).await;
        if mixing.map_err(|error| sorted(&options.url, &error))? {
            return Err(pooler::no_statement_is_kept());
        }
    }
    let pool = match server.engine {
        ServerEngine::Postgres => postgres::pool(&server, options, read_only, &quarantine).await,
        ServerEngine::MySql => mysql::pool(&server, options, read_only, &quarantine).await,
    };
    let pool = pool.map_err(|error| sorted(&options.url, &error))?;
    Ok(Store {
        writer: pool.clone(),
        groups: None,
        read_only,
        readers: pool,
        statements: Statements::of(&server),
        replicas: Arc::new(replicas(options, &server)),
        searches: Searches::beside(options.max_connections),
        tasks: TaskTracker::new(),
        quarantine: Some(quarantine),
        presence: Arc::new(Presence::of_session(
            options.clone(),
            session,
            direct,
            sharing,
        )),
    })
}

/// The replicas, of which none is waited for.
fn replicas(options: &Options, primary: &Server) -> Replicas {
    let eye_options = Options {
        max_connections: 1,
        min_connections: 0,
        acquire_timeout: REPLICA_ACQUIRE,
        ..options.clone()
    };
    let line_options = Options {
        acquire_timeout: options.acquire_timeout.min(REPLICA_ACQUIRE),
        ..options.clone()
    };
    let members = options.replica_urls.iter().filter_map(|url| match &url.0 {
        Place::File(_) => None,
        Place::Server(server) => {
            let server = with_tls(server, options);
            let (line, eye) = (line(&server, &line_options), line(&server, &eye_options));
            Some(Replica::new(
                url,
                server.place(),
                line,
                eye,
                options.replica_max_lag,
            ))
        }
    });
    let members: Vec<_> = members.collect();
    match members.is_empty() {
        true => Replicas::default(),
        false => Replicas::watch(members, line(primary, &eye_options)),
    }
}

/// Connections that cannot write, each made when it is first needed.
fn line(server: &Server, options: &Options) -> Line {
    let quarantine = Quarantine::default();
    let connections = match server.engine {
        ServerEngine::Postgres => postgres::lazy_pool(server, options, &quarantine),
        ServerEngine::MySql => mysql::lazy_pool(server, options, &quarantine),
    };
    Line {
        connections,
        statements: Statements::of(server),
        quarantine,
    }
}

/// The one connection of a program that copies, and the session that holds its presence.
pub(super) async fn sole(
    options: &Options,
    server: &Server,
    sharing: Sharing,
) -> Result<(DatabaseConnection, Session), OpenError> {
    let direct = direct(options, server);
    let session = begin(options, &direct, sharing).await?;
    let read_only = sharing != Sharing::Alone;
    let connection = match direct.engine {
        ServerEngine::Postgres => postgres::sole(&direct, read_only).await,
        ServerEngine::MySql => mysql::sole(&direct, read_only).await,
    };
    let connection = connection.map_err(|error| sorted(&options.url, &error))?;
    Ok((connection, session))
}

/// A connection to a database of some other program, which is read for as long as that takes and never written.
pub(super) async fn foreign(
    options: &Options,
    server: &Server,
) -> Result<DatabaseConnection, OpenError> {
    let connecting = async {
        match server.engine {
            ServerEngine::Postgres => postgres::foreign(server).await,
            ServerEngine::MySql => mysql::foreign(server).await,
        }
    };
    let connected = timeout(PATIENCE, connecting).await;
    let connected = connected.unwrap_or(Err(sqlx::Error::PoolTimedOut));
    connected.map_err(|error| sorted(&options.url, &error))
}

/// A pool within the bounds of `options`, whose connections are closed by `quarantine`. What each of them is set to
/// is up to its engine.
pub(super) fn bounded_pool<DB: sqlx::Database>(
    options: &Options,
    quarantine: &Quarantine,
) -> PoolOptions<DB> {
    let quarantine = quarantine.clone();
    PoolOptions::new()
        .max_connections(options.max_connections.max(1))
        .min_connections(options.min_connections.min(options.max_connections))
        .acquire_timeout(options.acquire_timeout)
        .idle_timeout(options.idle_timeout)
        .max_lifetime(options.max_lifetime)
        .test_before_acquire(false)
        .before_acquire(|connection: &mut DB::Connection, found| {
            Box::pin(async move {
                if found.idle_for >= IDLE_CHECK {
                    connection.ping().await?;
                }
                waiting::is_over();
                Ok(true)
            })
        })
        .after_release(move |connection, found| {
            let verdict = quarantine.admit(connection, found.age);
            Box::pin(async move { verdict })
        })
}

/// The connection that changes the schema, with the lock under which it does.
pub(super) async fn migrating(
    options: &Options,
    server: &Server,
) -> Result<DatabaseConnection, OpenError> {
    let direct = direct(options, server);
    let connection = match direct.engine {
        ServerEngine::Postgres => postgres::migrating(&direct).await,
        ServerEngine::MySql => mysql::migrating(&direct).await,
    };
    connection.map_err(|error| sorted(&options.url, &error))
}

/// A connection of its own, outside the pool, that shows for as long as it lasts that a program is
/// at work on the database.
pub(super) struct Watch {
    /// Whether somebody else has the database alone by now.
    is_outdone: Arc<AtomicBool>,
    end: DropGuard,
    keeper: JoinHandle<()>,
}

impl Watch {
    /// Keeps `session` alive, and replaces it where it is lost, as when the server is restarted.
    pub(super) fn over(session: Session, server: Server, sharing: Sharing) -> Self {
        let (end, is_outdone) = (CancellationToken::new(), Arc::default());
        let keeper = keep(
            session,
            server,
            sharing,
            Arc::clone(&is_outdone),
            end.clone(),
        );
        Self {
            is_outdone,
            end: end.drop_guard(),
            keeper: tokio::spawn(keeper),
        }
    }

    /// Whether our presence was lost, and somebody else has taken the database alone since.
    pub(super) fn is_outdone(&self) -> bool {
        self.is_outdone.load(Ordering::SeqCst)
    }

    /// Ends the presence and returns when the server knows.
    pub(super) async fn end(self) {
        drop(self.end);
        if let Err(error) = self.keeper.await {
            tracing::warn!(error.message = %error, "The watch over the database connection ended early: {error}");
        }
    }
}

async fn keep(
    mut session: Session,
    server: Server,
    sharing: Sharing,
    is_outdone: Arc<AtomicBool>,
    end: CancellationToken,
) {
    let watched = async {
        loop {
            tokio::time::sleep(PRESENCE_CHECK).await;
            if !matches!(timeout(PATIENCE, session.ping()).await, Ok(Ok(()))) {
                session = regained(&server, sharing, &is_outdone).await;
            }
        }
    };
    tokio::select! {
        () = watched => {}
        () = end.cancelled() => {}
    }
    let _ = timeout(PATIENCE, session.close()).await;
}

/// Shows our presence anew, however long that takes. What was begun by others meanwhile was begun
/// in the belief that we are gone, so nothing is to be written until they have ended.
async fn regained(server: &Server, sharing: Sharing, is_outdone: &AtomicBool) -> Session {
    loop {
        match present(server, sharing).await {
            Ok(Some(session)) => {
                if is_outdone.swap(false, Ordering::SeqCst) {
                    tracing::info!("The other program has ended, and changes are accepted again");
                }
                return session;
            }
            Ok(None) => {
                if !is_outdone.swap(true, Ordering::SeqCst) {
                    tracing::error!(
                        "Another program has taken the database for itself alone while its server was away; \
                         until it ends, nothing is written here"
                    );
                }
            }
            Err(error) => {
                tracing::warn!(error.message = %error, "The database is out of reach: {error}");
            }
        }
        tokio::time::sleep(PRESENCE_CHECK).await;
    }
}

/// A connection that is not of a pool.
pub(super) enum Session {
    Postgres(PgConnection),
    MySql(MySqlConnection),
}

impl Session {
    async fn connect(server: &Server) -> Result<Self, sqlx::Error> {
        let connecting = async {
            Ok(match server.engine {
                ServerEngine::Postgres => {
                    Self::Postgres(postgres::connect_options(server).connect().await?)
                }
                ServerEngine::MySql => Self::MySql(mysql::connect_options(server).connect().await?),
            })
        };
        let connected = timeout(PATIENCE, connecting).await;
        connected.unwrap_or(Err(sqlx::Error::PoolTimedOut))
    }

    /// Whether a pooler in between gives this connection to others, too.
    async fn is_handed_round(&mut self, server: &Server) -> Result<bool, sqlx::Error> {
        match self {
            Self::Postgres(connection) => pooler::is_handed_round(connection, server).await,
            Self::MySql(_) => Ok(false),
        }
    }

    /// Refuses a server that is not fit, and a database that is neither empty nor ours.
    async fn inspect(&mut self, url: &DatabaseUrl) -> Result<(), OpenError> {
        let table = match self {
            Self::Postgres(connection) => {
                postgres::inspect(connection).await?;
                self.text(postgres::A_TABLE).await?
            }
            Self::MySql(connection) => {
                mysql::inspect(connection).await?;
                self.text(mysql::A_TABLE).await?
            }
        };
        match table {
            Some(table) if table != migrate::TABLE => Err(OpenError::Foreign {
                database: url.to_string(),
                table,
            }),
            _ => Ok(()),
        }
    }

    async fn take_presence(&mut self, sharing: Sharing) -> Result<bool, sqlx::Error> {
        match self {
            Self::Postgres(connection) => postgres::take_presence(connection, sharing).await,
            Self::MySql(connection) => mysql::take_presence(connection, sharing).await,
        }
    }

    async fn text(&mut self, sql: &'static str) -> Result<Option<String>, sqlx::Error> {
        match self {
            Self::Postgres(connection) => sqlx::query_scalar(sql).fetch_optional(connection).await,
            Self::MySql(connection) => sqlx::query_scalar(sql).fetch_optional(connection).await,
        }
    }

    pub(super) async fn ping(&mut self) -> Result<(), sqlx::Error> {
        match self {
            Self::Postgres(connection) => connection.ping().await,
            Self::MySql(connection) => connection.ping().await,
        }
    }

    /// Whether connections of others are at the database, as those of a program that has lost its
    /// presence are. The ones that are about to end are waited for.
    async fn is_beside_others(&mut self) -> Result<bool, sqlx::Error> {
        const PAUSE: Duration = Duration::from_millis(50);
        let mut looks_left = FAREWELL.div_duration_f32(PAUSE) as u32;
        loop {
            let others = match self {
                Self::Postgres(_) => self.text(postgres::ANOTHER_CONNECTION).await?,
                Self::MySql(_) => self.text(mysql::ANOTHER_CONNECTION).await?,
            };
            if others.is_none() || looks_left == 0 {
                return Ok(others.is_some());
            }
            looks_left -= 1;
            tokio::time::sleep(PAUSE).await;
        }
    }

    /// Gives the locks back and ends the connection. The server would give them back by itself, a
    /// moment after the end, when somebody may have asked for them in vain.
    pub(super) async fn close(self) -> Result<(), sqlx::Error> {
        match self {
            Self::Postgres(mut connection) => {
                postgres::give_back_presence(&mut connection).await?;
                connection.close().await
            }
            Self::MySql(mut connection) => {
                mysql::give_back_presence(&mut connection).await?;
                connection.close().await
            }
        }
    }
}

/// A connection that shows our presence; `None` when that of somebody else stands against it.
async fn present(server: &Server, sharing: Sharing) -> Result<Option<Session>, sqlx::Error> {
    let mut session = Session::connect(server).await?;
    let is_present = timeout(PATIENCE, session.take_presence(sharing)).await;
    match is_present.unwrap_or(Err(sqlx::Error::PoolTimedOut))? {
        true => Ok(Some(session)),
        false => {
            // Some of the locks may be ours by now.
            let _ = timeout(PATIENCE, session.close()).await;
            Ok(None)
        }
    }
}

/// Tries to reach the server until it is up or the time is over. Somebody who starts both at once
/// should not have to care which is first.
async fn wait_for(
    options: &Options,
    direct: &Server,
    sharing: Sharing,
) -> Result<Session, OpenError> {
    let (mut left, mut pause) = (options.startup_timeout, Duration::from_millis(250));
    loop {
        let refusal = match begin(options, direct, sharing).await {
            Err(OpenError::Unreachable { database, reason }) if !left.is_zero() => {
                format!("the database {database} is not up yet: {reason}")
            }
            ended => return ended,
        };
        pause = pause.min(left);
        left -= pause;
        tracing::warn!("{refusal}; trying again for {} s", left.as_secs());
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}

async fn begin(options: &Options, direct: &Server, sharing: Sharing) -> Result<Session, OpenError> {
    let session = Session::connect(direct).await;
    let mut session = session.map_err(|error| sorted(&options.url, &error))?;
    let is_handed_round = session.is_handed_round(direct).await;
    if is_handed_round.map_err(|error| sorted(&options.url, &error))? {
        return Err(pooler::no_lock_holds());
    }
    session.inspect(&options.url).await?;
    match is_granted(&mut session, options, sharing).await {
        Ok(true) => Ok(session),
        Ok(false) => {
            // Some of the locks may be ours by now.
            let _ = timeout(PATIENCE, session.close()).await;
            Err(OpenError::InUse)
        }
        Err(error) => Err(sorted(&options.url, &error)),
    }
}

/// Takes the presence. Who wants to be alone looks for others besides, since a program whose own
/// connection of this kind was cut holds no lock for a moment, and would go on writing. A pooler
/// keeps connections for programs that have ended long ago, so behind one the locks alone count.
async fn is_granted(
    session: &mut Session,
    options: &Options,
    sharing: Sharing,
) -> Result<bool, sqlx::Error> {
    let is_present = session.take_presence(sharing).await?;
    if !is_present || sharing != Sharing::Alone || options.direct_url.is_some() {
        return Ok(is_present);
    }
    Ok(!session.is_beside_others().await?)
}

/// The server for what must stay on one connection; a pooler in between hands them round.
fn direct(options: &Options, server: &Server) -> Server {
    let direct = options.direct_url.as_ref().map(|url| &url.0);
    let server = match direct {
        Some(Place::Server(direct)) => direct,
        Some(Place::File(_)) | None => server,
    };
    with_tls(server, options)
}

fn with_tls(server: &Server, options: &Options) -> Server {
    let mut server = server.clone();
    server.tls = options.tls.unwrap_or(server.tls);
    server
}

/// What failed to connect: something that an operator must change, or something that may pass.
fn sorted(url: &DatabaseUrl, error: &sqlx::Error) -> OpenError {
    let (database, reason) = (url.to_string(), error.to_string());
    let is_refusal = match error {
        sqlx::Error::Configuration(_) | sqlx::Error::Tls(_) => true,
        // What the handshake of TLS refuses, a certificate above all.
        sqlx::Error::Io(error) => error.kind() == io::ErrorKind::InvalidData,
        sqlx::Error::Database(error) => {
            let postgres = error.try_downcast_ref().is_some_and(postgres::is_refusal);
            postgres || error.try_downcast_ref().is_some_and(mysql::is_refusal)
        }
        _ => false,
    };
    match is_refusal {
        true => OpenError::Refused { database, reason },
        false => OpenError::Unreachable { database, reason },
    }
}

#[cfg(test)]
mod tests;
