//! A look at a Redis, for whoever sets it up: what it is, how soon it answers, and what becomes of its keys when it is
//! full.

use std::{sync::Arc, time::Duration};

use redis::{InfoDict, RedisError, aio::MultiplexedConnection};

use super::{Bounds, Failure, Inner, RedisLink, RedisUrl, within};
use crate::{Clock, SecretKey};

/// How often one that is a little too slow is tried. A node does not leave it at once either.
const TRIES: u8 = 3;

/// How a Redis was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RedisReport {
    /// Its name and release.
    pub server: String,
    /// How long it took to answer once.
    pub latency: Duration,
    /// The most memory that it takes, in bytes; `None` where nothing bounds it, or it does not say.
    pub most_memory: Option<u64>,
    /// Whether keys that are counted with may go before their time, to make room for others.
    pub evicts: bool,
}

impl RedisUrl {
    /// Connects as a node does with this secret key, where there is one yet, and looks.
    ///
    /// # Errors
    /// Why nodes do not use this Redis, in words.
    pub async fn inspect(&self, secret: Option<&SecretKey>) -> Result<RedisReport, String> {
        let installation =
            secret.map_or_else(|| "doctor".to_owned(), |secret| secret.keys().installation);
        let bounds = Bounds::default();
        let link = RedisLink::new(self.clone(), &installation, Clock::system(), bounds);
        let looked = async {
            link.0.connect_patiently().await?;
            let (_, connection) = link.0.current().ok_or_else(Failure::lost)?;
            within(bounds.connect, link.0.look(connection)).await
        };
        looked.await.map_err(|failure| failure.to_string())
    }
}

impl Inner {
    async fn connect_patiently(self: &Arc<Self>) -> Result<(), Failure> {
        for _ in 1..TRIES {
            match self.connect().await {
                Err(Failure::Late(bound)) if bound == self.bounds.probe => {}
                connected => return connected,
            }
        }
        self.connect().await
    }

    async fn look(&self, mut connection: MultiplexedConnection) -> Result<RedisReport, RedisError> {
        let began = self.clock.monotonic();
        self.probe(&mut connection).await?;
        let latency = self.clock.monotonic().saturating_sub(began);
        // Some who host Redis do not let their customers ask: what is not known is not warned of.
        let info = redis::cmd("INFO").query_async(&mut connection).await;
        let info: Option<InfoDict> = info.ok();
        let say = |name: &str| info.as_ref().and_then(|info| info.get::<String>(name));
        let server = match (say("valkey_version"), say("redis_version")) {
            (Some(version), _) => format!("Valkey {version}"),
            (None, Some(version)) => format!("Redis {version}"),
            (None, None) => "of a release that it does not tell".to_owned(),
        };
        let most_memory = say("maxmemory").and_then(|bytes| bytes.parse().ok());
        let policy = say("maxmemory_policy");
        Ok(RedisReport {
            server,
            latency,
            most_memory: most_memory.filter(|bytes| *bytes > 0),
            evicts: policy.is_some_and(|policy| policy != "noeviction"),
        })
    }
}
