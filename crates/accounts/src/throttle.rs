//! How often logins, registrations and refreshes may be tried: counters in memory, those that all nodes share where
//! there is a Redis, and the figures that the answers' headers show. What a refusal looks like is left to HTTP, what
//! counts as a failed login to the caller.

mod shared;
mod windows;

use std::{
    convert::Infallible,
    net::{IpAddr, Ipv6Addr},
    sync::Arc,
    time::Duration,
};

use aws_lc_rs::hmac;
use moka::{policy::EvictionPolicy, sync::Cache};
use uuid::Uuid;

use self::{
    shared::{Counted, Pair, Rule, SharedAttempt, SharedCounters, Use},
    windows::{Admitted, Fate, Key, Windows},
};
use crate::{clock::Clock, redis_link::RedisLink};

/// Failures of one account within an hour, from all networks together, beyond which networks that never logged
/// in to it get one try per window.
const UNDER_ATTACK: Limit = Limit {
    count: 100,
    window: Duration::from_hours(1),
};

/// The name of the limit that is lower while an account is under attack.
const LOGIN_PER_ACCOUNT: &str = "login_per_account";

/// Exports of one account. Each reads all that there is about it.
const EXPORTS: Limit = Limit {
    count: 5,
    window: Duration::from_hours(1),
};

/// At most `count` uses within any `window`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limit {
    /// Uses; 0 refuses each.
    pub count: u32,
    /// The time within which they count.
    pub window: Duration,
}

/// The limits in force; `None` is off.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ThrottleSettings {
    /// Failed logins of one account from one network; off, it also switches off the watch over an account under
    /// attack.
    pub login_per_account: Option<Limit>,
    /// Failed logins of one network, whatever the account.
    pub login_per_ip: Option<Limit>,
    /// Registrations of one network.
    pub register_per_ip: Option<Limit>,
    /// Refreshes of one network.
    pub refresh_per_ip: Option<Limit>,
}

impl Default for ThrottleSettings {
    fn default() -> Self {
        const QUARTER: Duration = Duration::from_mins(15);
        const HOUR: Duration = Duration::from_hours(1);
        let limit = |count, window| Some(Limit { count, window });
        Self {
            login_per_account: limit(10, QUARTER),
            login_per_ip: limit(30, QUARTER),
            register_per_ip: limit(20, HOUR),
            refresh_per_ip: limit(3000, HOUR),
        }
    }
}

/// So many attempts of one network that nobody has judged yet speak against nobody: of two right logins at once
/// neither has failed. A flood from one network is no household.
const HOUSEHOLD_AT_ONCE: u32 = 4;

/// What counts as one client: an IPv4 address, or the /64 of an IPv6 address, all of which one household has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Network(IpAddr);

impl Network {
    /// The network of a client's address; an IPv4-mapped IPv6 address is the IPv4 address it maps.
    #[must_use]
    pub(crate) fn of(address: IpAddr) -> Self {
        Self(match address.to_canonical() {
            IpAddr::V4(address) => IpAddr::V4(address),
            IpAddr::V6(address) => {
                let [a, b, c, d, ..] = address.segments();
                IpAddr::V6(Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0))
            }
        })
    }
}

/// What is left of one limit after a use, for the `RateLimit` and `RateLimit-Policy` headers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quota {
    /// The limit's name.
    pub policy: &'static str,
    /// Uses allowed within `window`.
    pub limit: u32,
    /// The time within which they count.
    pub window: Duration,
    /// Uses left.
    pub remaining: u32,
    /// How long until one more is left.
    pub reset: Duration,
}

/// A limit is used up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limited {
    /// The limit, with nothing remaining. Its `reset`, never zero, is how long until a try can succeed; rounded up it is
    /// the `Retry-After` header.
    pub quota: Quota,
    /// Whether this is the first refusal since the last use that was allowed: the one to record, as a record of
    /// each would let a stranger fill the disk.
    pub first: bool,
}

impl Limited {
    /// Whether a pair of account and network that is familiar may be admitted nevertheless: that alone has one try.
    fn spares_the_familiar(&self) -> bool {
        self.quota.policy == LOGIN_PER_ACCOUNT && self.quota.limit == 1
    }
}

/// What is known of whoever tries to log in, before their password is looked at. Under load the first go first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Standing {
    /// They have logged in to this account from this network, or are past the question.
    Familiar,
    /// Nothing speaks for them or against them.
    Untried,
    /// There are failures of late from this network, or more attempts at once than one household makes.
    Failed,
}

/// All limits; a clone counts with the same counters.
///
/// Everything is keyed by a hash under a key of the installation, so no memory holds names or addresses, and
/// nobody can aim at another's counter. They are bounded, under 64 MiB in all, and forget the least used first: a flood
/// of names and addresses pushes out its own counters, not that of an account under attack. It has to come from many
/// networks, since a network's own limit is asked first.
///
/// Every use is counted here, and then with the other nodes where there are some to count with; the stricter of the
/// two answers holds. So a Redis that is lost, or has lost what it held, makes nobody free who was refused here.
#[derive(Clone)]
pub(crate) struct Throttle(Arc<Counters>);

struct Counters {
    clock: Clock,
    key: hmac::Key,
    login_per_account: Option<Counter>,
    login_per_ip: Option<Counter>,
    register_per_ip: Option<Counter>,
    refresh_per_ip: Option<Counter>,
    failures_of_account: Counter,
    exports_of_account: Counter,
    /// Pairs of account and network with an earlier success.
    familiar: Cache<Key, ()>,
    /// What all nodes count together.
    shared: Option<SharedCounters>,
}

impl Throttle {
    /// Keys that each counter has room for, beyond which it forgets the least used.
    const KEYS: usize = 98_304;
    /// The same for exports, which only users ask for, each for themselves.
    const EXPORT_KEYS: usize = 16_384;
    /// Pairs of account and network whose earlier success is remembered.
    const FAMILIAR: u64 = 24_576;

    /// Fresh counters, on the time of `clock`, by hashes under `key`; nodes that count together need the same one.
    #[must_use]
    pub(crate) fn new(
        settings: ThrottleSettings,
        clock: Clock,
        key: hmac::Key,
        others: Option<RedisLink>,
    ) -> Self {
        let counter = |policy, limit: Option<Limit>| {
            limit.map(|limit| Counter::new(policy, limit, Self::KEYS))
        };
        Self(Arc::new(Counters {
            clock,
            key,
            login_per_account: counter(LOGIN_PER_ACCOUNT, settings.login_per_account),
            login_per_ip: counter("login_per_ip", settings.login_per_ip),
            register_per_ip: counter("register_per_ip", settings.register_per_ip),
            refresh_per_ip: counter("refresh_per_ip", settings.refresh_per_ip),
            failures_of_account: Counter::new("failures_of_account", UNDER_ATTACK, Self::KEYS),
            exports_of_account: Counter::new("export_per_account", EXPORTS, Self::EXPORT_KEYS),
            // The cache's own default would weigh how often a key was used, and under a flood let no new one in.
            familiar: Cache::builder()
                .max_capacity(Self::FAMILIAR)
                .eviction_policy(EvictionPolicy::lru())
                .build(),
            shared: others.map(SharedCounters::new),
        }))
    }

    /// Admits one attempt to log in, counted as failed from now on, so that parallel guesses cannot outrun the
    /// count; [`LoginAttempt::succeeded`] takes it back.
    ///
    /// `account_key` is the same for all names of one account (its id), and the name typed where there is none.
    ///
    /// # Errors
    /// The limit that is used up. A refused attempt is judged by nobody and counts nowhere.
    pub(crate) async fn login(
        &self,
        account_key: &str,
        network: Network,
    ) -> Result<LoginAttempt, Limited> {
        let counters = &self.0;
        let admitted = match (self.login_here(account_key, network), &counters.shared) {
            (admitted, None) => return admitted,
            (Err(limited), Some(shared)) => {
                let pair = counters.key_of(Some(network), account_key);
                if !limited.spares_the_familiar() || !shared.is_familiar(pair).await {
                    return Err(limited);
                }
                counters.familiar.insert(pair, ());
                let again = self.login_here(account_key, network);
                again.map_err(|again| Limited {
                    first: limited.first,
                    ..again
                })?
            }
            (Ok(attempt), Some(_)) => attempt,
        };
        admitted.with_the_others(account_key, network).await
    }

    fn login_here(&self, account_key: &str, network: Network) -> Result<LoginAttempt, Limited> {
        let counters = &self.0;
        let mut attempt = LoginAttempt {
            throttle: self.clone(),
            pair: counters.key_of(Some(network), account_key),
            standing: Standing::Untried,
            charges: Vec::with_capacity(3),
            shared: None,
        };
        match counters.charge_login(&mut attempt, account_key, network) {
            Ok(()) => Ok(attempt),
            Err(limited) => {
                attempt.take_back_here();
                Err(limited)
            }
        }
    }

    /// Counts one registration.
    ///
    /// # Errors
    /// The limit, when it is used up.
    pub(crate) async fn register(&self, network: Network) -> Result<Option<Quota>, Limited> {
        let limit = self.0.register_per_ip.as_ref();
        self.0.count_of_network(limit, network).await
    }

    /// Counts one refresh of a session.
    ///
    /// # Errors
    /// The limit, when it is used up.
    pub(crate) async fn refresh(&self, network: Network) -> Result<Option<Quota>, Limited> {
        let limit = self.0.refresh_per_ip.as_ref();
        self.0.count_of_network(limit, network).await
    }

    /// Counts one export of an account.
    ///
    /// # Errors
    /// The limit, when it is used up.
    pub(crate) async fn export(&self, account: Uuid) -> Result<Quota, Limited> {
        let key = self.0.key_of(None, &account.to_string());
        self.0.count(&self.0.exports_of_account, key).await
    }

    /// Takes back with the other nodes what could not be at its time, as Redis was away, for as long as it is awaited.
    pub(crate) async fn settle_with_the_others(&self) -> Infallible {
        match &self.0.shared {
            Some(shared) => shared.settle_left().await,
            None => std::future::pending().await,
        }
    }
}

/// An attempt to log in that stands as failed. Dropping it leaves it so.
#[must_use = "an attempt that succeeds has to be taken back"]
pub(crate) struct LoginAttempt {
    throttle: Throttle,
    pair: Key,
    standing: Standing,
    charges: Vec<Charge>,
    /// Where the other nodes know of it, or may.
    shared: Option<SharedAttempt>,
}

impl LoginAttempt {
    /// What was known of them when the attempt was admitted.
    pub(crate) fn standing(&self) -> Standing {
        self.standing
    }

    fn note(&mut self, charge: Charge, earlier: Earlier) {
        let speaks_against = earlier.settled > 0 || earlier.in_flight >= HOUSEHOLD_AT_ONCE;
        if speaks_against && self.standing == Standing::Untried {
            self.standing = Standing::Failed;
        }
        self.charges.push(charge);
    }

    /// Has an attempt that this node admits counted by the other ones, which may have seen others.
    async fn with_the_others(
        mut self,
        account_key: &str,
        network: Network,
    ) -> Result<Self, Limited> {
        let counters = Arc::clone(&self.throttle.0);
        let Some(shared) = &counters.shared else {
            return Ok(self);
        };
        let uses = counters.uses_of_login(self.pair, account_key, network);
        let pair = Pair {
            key: self.pair,
            is_familiar: self.standing == Standing::Familiar,
        };
        let (attempt, answer) = shared.charge_attempt(&uses, pair).await;
        self.shared = attempt;
        match answer {
            Some(Ok(counted)) if counted.is_familiar => {
                self.standing = Standing::Familiar;
                counters.familiar.insert(self.pair, ());
            }
            Some(Ok(_)) | None => {}
            Some(Err(limited)) => {
                self.take_back_here();
                return Err(limited);
            }
        }
        Ok(self)
    }

    /// The password was right: it counts no more, and the network is known to the account from now on.
    pub(crate) async fn succeeded(self) {
        self.throttle.0.familiar.insert(self.pair, ());
        let pair = Some(self.pair);
        self.take_back(pair).await;
    }

    /// Nobody looked at the password, as the server was too busy: it counts no more.
    pub(crate) async fn unjudged(self) {
        self.take_back(None).await;
    }

    async fn take_back(mut self, logged_in: Option<Key>) {
        let counters = Arc::clone(&self.throttle.0);
        let counted = self.shared.take();
        self.take_back_here();
        if let Some(shared) = &counters.shared {
            shared.settle(counted, logged_in).await;
        }
    }

    fn take_back_here(self) {
        for charge in self.charges {
            charge.take_back();
        }
    }
}

impl Counters {
    fn charge_login(
        &self,
        attempt: &mut LoginAttempt,
        account_key: &str,
        network: Network,
    ) -> Result<(), Limited> {
        let now = self.clock.monotonic();
        let is_familiar = self.familiar.contains_key(&attempt.pair);
        if is_familiar {
            attempt.standing = Standing::Familiar;
        }
        // The network's own limit comes first: a flood of names from one place then makes no counters at all.
        if let Some(per_ip) = &self.login_per_ip {
            let (charge, earlier, _) = per_ip.charge(self.key_of(Some(network), ""), now)?;
            attempt.note(charge, earlier);
        }
        let Some(per_account) = &self.login_per_account else {
            return Ok(());
        };
        let (charge, earlier_failures) = self
            .failures_of_account
            .charge_beyond_limit(self.key_of(None, account_key), now);
        attempt.charges.push(charge);
        let under_attack = earlier_failures >= UNDER_ATTACK.count;
        let (charge, earlier, _) = if under_attack && !is_familiar {
            per_account.charge_one(attempt.pair, now)?
        } else {
            per_account.charge(attempt.pair, now)?
        };
        attempt.note(charge, earlier);
        Ok(())
    }

    /// What [`Counters::charge_login`] counts, in its order, for all nodes.
    fn uses_of_login(&self, pair: Key, account_key: &str, network: Network) -> Vec<Use> {
        let mut uses = Vec::with_capacity(3);
        if let Some(per_ip) = &self.login_per_ip {
            uses.push(per_ip.one_use(self.key_of(Some(network), ""), Rule::Limit));
        }
        if let Some(per_account) = &self.login_per_account {
            let account = self.key_of(None, account_key);
            uses.push(self.failures_of_account.one_use(account, Rule::Watch));
            uses.push(per_account.one_use(pair, Rule::Guard));
        }
        uses
    }

    async fn count_of_network(
        &self,
        counter: Option<&Counter>,
        network: Network,
    ) -> Result<Option<Quota>, Limited> {
        match counter {
            Some(counter) => {
                let key = self.key_of(Some(network), "");
                self.count(counter, key).await.map(Some)
            }
            None => Ok(None),
        }
    }

    /// Counts a use that nobody takes back, unless the other nodes refuse it.
    async fn count(&self, counter: &Counter, key: Key) -> Result<Quota, Limited> {
        let (charge, _, here) = counter.charge(key, self.clock.monotonic())?;
        let Some(shared) = &self.shared else {
            return Ok(here);
        };
        let one_use = counter.one_use(key, Rule::Limit);
        match shared.charge(one_use).await {
            None => Ok(here),
            Some(Ok(Counted { quota, .. })) if quota.remaining < here.remaining => Ok(quota),
            Some(Ok(_)) => Ok(here),
            Some(Err(limited)) => {
                charge.take_back();
                Err(limited)
            }
        }
    }

    fn key_of(&self, network: Option<Network>, account_key: &str) -> Key {
        let mut context = hmac::Context::with_key(&self.key);
        // Tag and length are fixed before the text that has none, so no two pairs read alike.
        match network.map(|network| network.0) {
            None => context.update(b"0"),
            Some(IpAddr::V4(address)) => {
                context.update(b"4");
                context.update(&address.octets());
            }
            Some(IpAddr::V6(address)) => {
                context.update(b"6");
                context.update(&address.octets());
            }
        }
        context.update(account_key.as_bytes());
        let tag = context.sign();
        let (half, _) = tag
            .as_ref()
            .split_first_chunk()
            .expect("SHA-256 has 32 bytes");
        Key::from_le_bytes(*half)
    }
}

/// One limit, and the uses that count against it.
struct Counter {
    policy: &'static str,
    limit: Limit,
    windows: Arc<Windows>,
}

impl Counter {
    fn new(policy: &'static str, limit: Limit, keys: usize) -> Self {
        Self {
            policy,
            limit,
            windows: Arc::new(Windows::new(limit.window, keys)),
        }
    }

    fn charge(&self, key: Key, now: Duration) -> Result<(Charge, Earlier, Quota), Limited> {
        self.charge_up_to(self.limit.count, key, now)
    }

    fn charge_one(&self, key: Key, now: Duration) -> Result<(Charge, Earlier, Quota), Limited> {
        self.charge_up_to(self.limit.count.min(1), key, now)
    }

    fn charge_up_to(
        &self,
        limit: u32,
        key: Key,
        now: Duration,
    ) -> Result<(Charge, Earlier, Quota), Limited> {
        let quota = |remaining, reset| Quota {
            policy: self.policy,
            limit,
            window: self.limit.window,
            remaining,
            reset,
        };
        match self.windows.charge_up_to(limit, key, now) {
            Ok(Admitted {
                slice,
                settled,
                in_flight,
                remaining,
                reset,
            }) => Ok((
                self.counted(key, slice),
                Earlier { settled, in_flight },
                quota(remaining, reset),
            )),
            Err(refused) => Err(Limited {
                quota: quota(0, refused.retry_after),
                first: refused.first,
            }),
        }
    }

    /// Counts a use in any case, and says how many stood before.
    fn charge_beyond_limit(&self, key: Key, now: Duration) -> (Charge, u32) {
        let (slice, used) = self.windows.charge_beyond_limit(key, now);
        (self.counted(key, slice), used)
    }

    /// The same use, as it is counted with the other nodes.
    fn one_use(&self, key: Key, rule: Rule) -> Use {
        Use {
            policy: self.policy,
            key,
            limit: self.limit,
            rule,
        }
    }

    fn counted(&self, key: Key, slice: u64) -> Charge {
        Charge {
            windows: Arc::clone(&self.windows),
            key,
            slice,
            fate: Fate::Stands,
        }
    }
}

/// The uses that stood before another.
#[derive(Clone, Copy)]
struct Earlier {
    /// Of which it is known that they are to stand.
    settled: u32,
    /// Of which it is not.
    in_flight: u32,
}

/// One counted use. It stands when it is dropped, unless it is taken back.
struct Charge {
    windows: Arc<Windows>,
    key: Key,
    slice: u64,
    fate: Fate,
}

impl Charge {
    fn take_back(mut self) {
        self.fate = Fate::Undone;
    }
}

impl Drop for Charge {
    fn drop(&mut self) {
        self.windows.settle(self.key, self.slice, self.fate);
    }
}

#[cfg(test)]
mod tests;
