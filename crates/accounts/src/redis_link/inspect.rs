//! A look at a Redis, for whoever sets it up: what it is, how soon it answers, and what becomes of its keys when it is
//! full.

use std::time::Duration;

use redis::{AsyncConnectionConfig, InfoDict, RedisError, Script};

use super::{Bounds, Failure, PROBE, RedisUrl, within};
use crate::Clock;

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
    /// Connects and looks, once.
    ///
    /// # Errors
    /// Why Redis cannot be used, in words.
    pub async fn inspect(&self) -> Result<RedisReport, String> {
        let looked = within(Bounds::default().connect, self.look()).await;
        looked.map_err(|failure: Failure| failure.to_string())
    }

    async fn look(&self) -> Result<RedisReport, RedisError> {
        let config = AsyncConnectionConfig::new();
        let client = self.client();
        let mut connection = client
            .get_multiplexed_async_connection_with_config(&config)
            .await?;
        let probe = Script::new(PROBE);
        let key = "vestibule:{doctor}:probe";
        let () = probe.key(key).invoke_async(&mut connection).await?;
        let clock = Clock::system();
        let began = clock.monotonic();
        let () = probe.key(key).invoke_async(&mut connection).await?;
        let latency = clock.monotonic().saturating_sub(began);
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
