//! A database of its own for each test, and short ways to make users, sessions and events.

use std::{
    collections::BTreeSet,
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use store::{
    Actor, AuditKind, Authority, Counted, DatabaseUrl, Error, NewAudit, NewSession, NewUser,
    Opening, Options, Rotation, SessionKind, Store, SuccessorProof, Timestamp, VersionCondition,
    Versions,
};
use uuid::Uuid;

/// A moment to count from.
pub(crate) const NOON: Timestamp = Timestamp::from_micros(4_102_444_800_000_000);
/// The hash that every new user of these tests has for a password.
pub(crate) const HASH: &str = "hash of the first password";

static COUNTER: AtomicU64 = AtomicU64::new(1);

pub(crate) struct Fixture {
    pub(crate) options: Options,
    /// The whole URL, for those who go around the store.
    url: String,
    place: Place,
}

/// Where the database is, and goes with this value.
enum Place {
    Folder(#[expect(dead_code, reason = "it is held, and dropped")] tempfile::TempDir),
    Server(
        scratch::Server,
        #[expect(dead_code, reason = "it is held, and dropped")] scratch::Database,
    ),
}

impl Fixture {
    pub(crate) fn sqlite() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let url = format!("sqlite://{}", folder.path().join("test.db").display());
        Self::of(url, Place::Folder(folder))
    }

    pub(crate) fn postgres() -> Self {
        Self::on(scratch::Server::Postgres)
    }

    pub(crate) fn mariadb() -> Self {
        Self::on(scratch::Server::MariaDb)
    }

    fn on(server: scratch::Server) -> Self {
        let database = scratch::Database::new(server);
        let url = database.url().to_string();
        Self::of(url, Place::Server(server, database))
    }

    /// Another database on the same engine.
    pub(crate) fn another(&self) -> Self {
        match &self.place {
            Place::Folder(_) => Self::sqlite(),
            Place::Server(server, _) => Self::on(*server),
        }
    }

    fn of(url: String, place: Place) -> Self {
        let parsed = DatabaseUrl::parse(&url).expect("a database URL");
        let options = Options {
            max_connections: 4,
            ..Options::new(parsed)
        };
        Self {
            options,
            url,
            place,
        }
    }

    /// A connection that goes around the store.
    pub(crate) async fn raw(&self) -> sea_orm::DatabaseConnection {
        let connected = sea_orm::Database::connect(&self.url).await;
        connected.expect("the test database opens")
    }

    /// A connection of its own, as another process would have, to the database as it is.
    pub(crate) async fn connect(&self) -> Store {
        Store::connect(&self.options)
            .await
            .expect("the test database opens")
    }

    /// The same, with the newest schema.
    pub(crate) async fn store(&self) -> Store {
        let store = self.connect().await;
        store.migrate_up(None).await.expect("migrations apply");
        store
    }
}

/// An id that no other call gives.
pub(crate) fn id() -> Uuid {
    Uuid::from_u128(u128::from(COUNTER.fetch_add(1, Ordering::Relaxed)))
}

pub(crate) fn after(seconds: u64) -> Timestamp {
    NOON.plus(Duration::from_secs(seconds))
}

pub(crate) fn roles(names: &[&str]) -> BTreeSet<String> {
    names.iter().map(ToString::to_string).collect()
}

pub(crate) fn user(name: &str) -> NewUser {
    let key = name.to_lowercase();
    NewUser {
        id: id(),
        email: format!("{name}@example.org"),
        email_key: format!("{key}@example.org"),
        username: Some(name.to_owned()),
        username_key: Some(key),
        name: None,
        password_hash: Some(HASH.to_owned()),
        email_verified: false,
        roles: BTreeSet::new(),
        disabled_at: None,
        created_at: NOON,
    }
}

/// A session of the token kind whose first token has the hash `token 1`.
pub(crate) fn session(user: Uuid) -> NewSession {
    NewSession {
        id: id(),
        user,
        kind: SessionKind::Token,
        token_hash: Some(token(1)),
        created_at: NOON,
        idle_expires_at: after(1_000),
        expires_at: after(10_000),
        address: Some("192.0.2.1".into()),
        user_agent: Some("test".into()),
    }
}

pub(crate) fn audit(kind: AuditKind, subject: Uuid) -> NewAudit {
    NewAudit {
        id: id(),
        at: NOON,
        kind,
        actor: Actor::User(subject),
        subject: Some(subject),
        address: None,
        user_agent: None,
        request_id: None,
        detail: None,
    }
}

/// The hash of the token of a generation.
pub(crate) fn token(generation: i64) -> Vec<u8> {
    format!("token {generation}").into_bytes()
}

/// The attempt of a client to rotate the token of `generation`, `seconds` after noon.
pub(crate) fn rotation(session: Uuid, generation: i64, seconds: u64) -> Rotation {
    Rotation {
        session,
        generation,
        token_hash: token(generation),
        successor: SuccessorProof {
            nonce: b"nonce".to_vec(),
            hash: token(generation + 1),
        },
        now: after(seconds),
        idle_expires_at: after(seconds + 1_000),
        grace: Duration::from_secs(60),
        reuse: audit(AuditKind::RefreshedReuse, id()),
    }
}

/// The same attempt by somebody else, who has made another successor.
pub(crate) fn rival(session: Uuid, generation: i64, seconds: u64) -> Rotation {
    Rotation {
        successor: SuccessorProof {
            nonce: b"another".to_vec(),
            hash: b"never stored".to_vec(),
        },
        ..rotation(session, generation, seconds)
    }
}

/// Registers a user with one session and gives the ids of both.
pub(crate) async fn registered(store: &Store, name: &str) -> (Uuid, Uuid) {
    let user = user(name);
    let session = session(user.id);
    let ids = (user.id, session.id);
    let audit = audit(AuditKind::Registered, user.id);
    store
        .register(user, session, audit)
        .await
        .expect("a free name registers");
    ids
}

/// Opens the session for an account whose hash is still [`HASH`].
pub(crate) async fn log_in(store: &Store, new: NewSession) -> Result<Counted<Opening>, Error> {
    log_in_as_seen(store, new, HASH, None).await
}

/// Opens the session for an account whose hash is still `seen`, which `stronger` replaces.
pub(crate) async fn log_in_as_seen(
    store: &Store,
    new: NewSession,
    seen: &str,
    stronger: Option<&str>,
) -> Result<Counted<Opening>, Error> {
    let user = new.user;
    let login = audit(AuditKind::Login, user);
    let displacement = audit(AuditKind::SessionEnded, user);
    store
        .open_session(
            new,
            seen.into(),
            stronger.map(Into::into),
            login,
            displacement,
        )
        .await
}

pub(crate) async fn admin(store: &Store, name: &str) -> Uuid {
    let user = NewUser {
        roles: roles(&["admin"]),
        ..user(name)
    };
    let id = user.id;
    store
        .add_user(
            Authority::Operator,
            user,
            audit(AuditKind::AdminCreated, id),
        )
        .await
        .expect("a free name is added");
    id
}

/// A change is meant for what has one of these versions, `*` for each.
pub(crate) fn one_of(tags: &[&str]) -> VersionCondition {
    VersionCondition {
        one_of: Some(tagged(tags)),
        none_of: None,
    }
}

/// A change is meant for what has none of these versions, `*` for each.
pub(crate) fn none_of(tags: &[&str]) -> VersionCondition {
    VersionCondition {
        one_of: None,
        none_of: Some(tagged(tags)),
    }
}

fn tagged(tags: &[&str]) -> Versions {
    match tags {
        ["*"] => Versions::Any,
        _ => Versions::Tagged(tags.iter().map(ToString::to_string).collect()),
    }
}
