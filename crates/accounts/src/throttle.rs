//! How often logins, registrations and refreshes may be tried: counters in memory, and the figures that the
//! answers' headers show. What a refusal looks like is left to HTTP, what counts as a failed login to the caller.

mod windows;

use std::{
    net::{IpAddr, Ipv6Addr},
    sync::Arc,
    time::Duration,
};

use aws_lc_rs::hmac;
use moka::{policy::EvictionPolicy, sync::Cache};
use uuid::Uuid;

use self::windows::{Admitted, Fate, Key, Windows};
use crate::{clock::Clock, entropy};

/// Failures of one account within an hour, from all networks together, beyond which networks that never logged
/// in to it get one try per window.
const UNDER_ATTACK: Limit = Limit {
    count: 100,
    window: Duration::from_hours(1),
};

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
/// Everything is keyed by a hash under a key of this process, so the memory holds no names or addresses, and
/// nobody can aim at another's counter. They are bounded, under 64 MiB in all, and forget the least used first: a flood
/// of names and addresses pushes out its own counters, not that of an account under attack. It has to come from many
/// networks, since a network's own limit is asked first.
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
}

impl Throttle {
    /// Keys that each counter has room for, beyond which it forgets the least used.
    const KEYS: usize = 98_304;
    /// The same for exports, which only users ask for, each for themselves.
    const EXPORT_KEYS: usize = 16_384;
    /// Pairs of account and network whose earlier success is remembered.
    const FAMILIAR: u64 = 24_576;

    /// Fresh counters, on the time of `clock`.
    #[must_use]
    pub(crate) fn new(settings: ThrottleSettings, clock: Clock) -> Self {
        let counter = |policy, limit: Option<Limit>| {
            limit.map(|limit| Counter::new(policy, limit, Self::KEYS))
        };
        Self(Arc::new(Counters {
            clock,
            key: hmac::Key::new(hmac::HMAC_SHA256, &entropy::bytes::<32>()),
            login_per_account: counter("login_per_account", settings.login_per_account),
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
        }))
    }

    /// Admits one attempt to log in, counted as failed from now on, so that parallel guesses cannot outrun the
    /// count; [`LoginAttempt::succeeded`] takes it back.
    ///
    /// `account_key` is the same for all names of one account (its id), and the name typed where there is none.
    ///
    /// # Errors
    /// The limit that is used up. A refused attempt is judged by nobody and counts nowhere.
    pub(crate) fn login(
        &self,
        account_key: &str,
        network: Network,
    ) -> Result<LoginAttempt, Limited> {
        let counters = &self.0;
        let mut attempt = LoginAttempt {
            throttle: self.clone(),
            pair: counters.key_of(Some(network), account_key),
            standing: Standing::Untried,
            charges: Vec::with_capacity(3),
        };
        let admitted = counters.charge_login(&mut attempt, account_key, network);
        match admitted {
            Ok(()) => Ok(attempt),
            Err(limited) => {
                attempt.unjudged();
                Err(limited)
            }
        }
    }

    /// Counts one registration.
    ///
    /// # Errors
    /// The limit, when it is used up.
    pub(crate) fn register(&self, network: Network) -> Result<Option<Quota>, Limited> {
        self.0.count(self.0.register_per_ip.as_ref(), network)
    }

    /// Counts one refresh of a session.
    ///
    /// # Errors
    /// The limit, when it is used up.
    pub(crate) fn refresh(&self, network: Network) -> Result<Option<Quota>, Limited> {
        self.0.count(self.0.refresh_per_ip.as_ref(), network)
    }

    /// Counts one export of an account.
    ///
    /// # Errors
    /// The limit, when it is used up.
    pub(crate) fn export(&self, account: Uuid) -> Result<Quota, Limited> {
        let key = self.0.key_of(None, &account.to_string());
        let now = self.0.clock.monotonic();
        let (_, _, quota) = self.0.exports_of_account.charge(key, now)?;
        Ok(quota)
    }
}

/// An attempt to log in that stands as failed. Dropping it leaves it so.
#[must_use = "an attempt that succeeds has to be taken back"]
pub(crate) struct LoginAttempt {
    throttle: Throttle,
    pair: Key,
    standing: Standing,
    charges: Vec<Charge>,
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

    /// The password was right: it counts no more, and the network is known to the account from now on.
    pub(crate) fn succeeded(self) {
        self.throttle.0.familiar.insert(self.pair, ());
        self.unjudged();
    }

    /// Nobody looked at the password, as the server was too busy: it counts no more.
    pub(crate) fn unjudged(self) {
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

    fn count(&self, counter: Option<&Counter>, network: Network) -> Result<Option<Quota>, Limited> {
        let Some(counter) = counter else {
            return Ok(None);
        };
        let key = self.key_of(Some(network), "");
        let (_, _, quota) = counter.charge(key, self.clock.monotonic())?;
        Ok(Some(quota))
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
