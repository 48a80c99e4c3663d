//! Counting together with the other nodes, in the Redis that they share. Each question is one script, which Redis runs
//! by itself: of uses at the same moment on several nodes none is counted twice, and none left out. Without an answer the
//! node has its own counters, in `throttle.rs`, which it keeps in any case.

use std::{
    collections::VecDeque,
    convert::Infallible,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use redis::{Script, ScriptInvocation};
use tokio::sync::Notify;

use super::{
    Limit, Limited, Quota,
    windows::{Key, slice_length},
};
use crate::{
    entropy,
    redis_link::{RedisLink, Unanswered},
};

/// For how long it is remembered that somebody has logged in from a network, since they last did.
const KNOWN_FOR: Duration = Duration::from_hours(30 * 24);
/// Settlements that wait for Redis: more than there are logins at the moment in which it goes. The uses of others stand
/// until their time is over, which is stricter and never laxer.
const MOST_LEFT: usize = 4096;
/// How often one is tried again. One that Redis can never carry out must not cost the connection for ever.
const TRIES: u8 = 5;

/// The counters of all nodes.
pub(super) struct SharedCounters {
    link: RedisLink,
    charge: Script,
    settle: Script,
    /// What is to be settled once there is a connection, the oldest first.
    left: Mutex<VecDeque<Settlement>>,
    more_left: Notify,
}

/// A use that is to be counted.
#[derive(Clone, Copy)]
pub(super) struct Use {
    pub(super) policy: &'static str,
    pub(super) key: Key,
    pub(super) limit: Limit,
    pub(super) rule: Rule,
}

/// What a limit means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Rule {
    /// So many uses, and no more.
    Limit,
    /// Never refused; from so many uses on, the account is under attack.
    Watch,
    /// So many uses; but one alone while the account is under attack, unless the pair is familiar.
    Guard,
}

/// An account and a network from which somebody wants to log in to it.
#[derive(Clone, Copy)]
pub(super) struct Pair {
    pub(super) key: Key,
    /// Whether this node knows that they have before.
    pub(super) is_familiar: bool,
}

/// Uses that all nodes know of.
pub(super) struct Counted {
    /// Whether some node knows that they have logged in before.
    pub(super) is_familiar: bool,
    /// What is left of the last of the limits.
    pub(super) quota: Quota,
}

/// A login that was counted, or may have been, for [`SharedCounters::settle`].
pub(super) struct SharedAttempt {
    counters: Vec<String>,
    /// Where Redis keeps in which slices it was counted. This node need not know them, and may have had no answer.
    record: String,
}

/// What became of a login.
struct Settlement {
    taken_back: Option<SharedAttempt>,
    logged_in: Option<Key>,
    tries_left: u8,
}

impl SharedCounters {
    pub(super) fn new(link: RedisLink) -> Self {
        Self {
            link,
            charge: Script::new(include_str!("charge.lua")),
            settle: Script::new(include_str!("settle.lua")),
            left: Mutex::default(),
            more_left: Notify::new(),
        }
    }

    /// Counts a use that nobody takes back, unless the limit is used up. `None` where nobody but this node is there to
    /// count.
    pub(super) async fn charge(&self, one: Use) -> Option<Result<Counted, Limited>> {
        let call = self.charge_of(&[one], &[self.name_of(&one)], false);
        let answer: Vec<i64> = self.link.run(&call).await.ok()?;
        read(&answer, &[one])
    }

    /// Counts a login against all these limits, or against none where one of them is used up. The answer is `None` where
    /// there was none; then it may be counted all the same.
    pub(super) async fn charge_attempt(
        &self,
        uses: &[Use],
        pair: Pair,
    ) -> (Option<SharedAttempt>, Option<Result<Counted, Limited>>) {
        if uses.is_empty() {
            return (None, None);
        }
        let number = u128::from_ne_bytes(entropy::bytes());
        let attempt = SharedAttempt {
            counters: uses.iter().map(|one| self.name_of(one)).collect(),
            record: self.link.name(format_args!("attempt:{number:032x}")),
        };
        let mut call = self.charge_of(uses, &attempt.counters, pair.is_familiar);
        call.key(self.name_of_pair(pair.key)).key(&attempt.record);
        match self.link.run::<Vec<i64>>(&call).await {
            Ok(answer) => (Some(attempt), read(&answer, uses)),
            Err(Unanswered::Unknown) => (Some(attempt), None),
            Err(Unanswered::NotAsked) => (None, None),
        }
    }

    fn charge_of(&self, uses: &[Use], names: &[String], is_familiar: bool) -> ScriptInvocation<'_> {
        let mut call = self.charge.prepare_invoke();
        call.arg(names.len()).arg(i32::from(is_familiar));
        for (name, one) in names.iter().zip(uses) {
            call.key(name);
            call.arg(micros(slice_length(one.limit.window)));
            call.arg(one.limit.count).arg(one.rule.word());
        }
        call
    }

    /// Whether they have logged in before, at any node.
    pub(super) async fn is_familiar(&self, pair: Key) -> bool {
        // A charge against no limits counts nothing, and tells.
        let mut call = self.charge.prepare_invoke();
        call.arg(0).arg(0).key(self.name_of_pair(pair));
        let answer: Result<Vec<i64>, _> = self.link.run(&call).await;
        answer.is_ok_and(|answer| answer == [1, 1])
    }

    /// Takes back a login, and remembers who has logged in: now, or once there is a connection again.
    pub(super) async fn settle(&self, taken_back: Option<SharedAttempt>, logged_in: Option<Key>) {
        let settlement = Settlement {
            taken_back,
            logged_in,
            tries_left: TRIES,
        };
        if settlement.taken_back.is_none() && logged_in.is_none() {
            return;
        }
        let is_settled = self.carry_out(&settlement).await.is_ok();
        // That somebody has logged in alone need not be told later: the next login tells it as well.
        if !is_settled && settlement.taken_back.is_some() {
            self.leave(settlement);
        }
    }

    /// Settles what is left whenever there is a connection, for as long as it is awaited. Until then right logins stand
    /// as failures for the other nodes, and would lock out whoever shares a network with them.
    pub(super) async fn settle_left(&self) -> Infallible {
        loop {
            self.link.connected().await;
            let next = self.left().pop_front();
            let Some(mut settlement) = next else {
                self.more_left.notified().await;
                continue;
            };
            let Err(unanswered) = self.carry_out(&settlement).await else {
                continue;
            };
            if unanswered == Unanswered::Unknown {
                settlement.tries_left -= 1;
            }
            if settlement.tries_left > 0 {
                self.leave(settlement);
            }
        }
    }

    /// Carried out twice it is the same as once, so that it may be tried again where there was no answer.
    async fn carry_out(&self, settlement: &Settlement) -> Result<(), Unanswered> {
        let Settlement {
            taken_back,
            logged_in,
            ..
        } = settlement;
        let mut call = self.settle.prepare_invoke();
        call.arg(taken_back.as_ref().map_or(0, |one| one.counters.len()));
        if let Some(SharedAttempt { counters, record }) = taken_back {
            call.key(counters).key(record);
        }
        if let Some(pair) = logged_in {
            call.key(self.name_of_pair(*pair));
            call.arg(micros(KNOWN_FOR) / 1000);
        }
        let settled: Result<i64, _> = self.link.run(&call).await;
        settled.map(drop)
    }

    fn leave(&self, settlement: Settlement) {
        let mut left = self.left();
        if left.len() < MOST_LEFT {
            left.push_back(settlement);
            self.more_left.notify_one();
        }
    }

    fn left(&self) -> MutexGuard<'_, VecDeque<Settlement>> {
        self.left.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn name_of(&self, one: &Use) -> String {
        let Use {
            policy, key, limit, ..
        } = one;
        // Nodes that are being given another window must not count in slices of another length.
        let window = limit.window.as_millis();
        self.link.name(format_args!("{policy}:{window}:{key:032x}"))
    }

    fn name_of_pair(&self, pair: Key) -> String {
        self.link.name(format_args!("familiar:{pair:032x}"))
    }
}

impl Rule {
    /// What `charge.lua` calls it.
    fn word(self) -> &'static str {
        match self {
            Self::Limit => "limit",
            Self::Watch => "watch",
            Self::Guard => "guard",
        }
    }
}

/// What `charge.lua` says. Anything else is no answer.
fn read(answer: &[i64], uses: &[Use]) -> Option<Result<Counted, Limited>> {
    match answer {
        [0, number, limit, micros_left, first] => {
            let place = usize::try_from(*number).ok()?.checked_sub(1)?;
            let quota = quota(uses.get(place)?, *limit, 0, *micros_left)?;
            let first = *first == 1;
            Some(Err(Limited { quota, first }))
        }
        [1, is_familiar, figures @ ..] if figures.len() == 3 * uses.len() => {
            let [used, limit, micros_left] = figures.last_chunk()?;
            let left = limit.saturating_sub(*used).saturating_sub(1);
            Some(Ok(Counted {
                quota: quota(uses.last()?, *limit, left, *micros_left)?,
                is_familiar: *is_familiar == 1,
            }))
        }
        _ => None,
    }
}

fn quota(one: &Use, limit: i64, remaining: i64, micros_left: i64) -> Option<Quota> {
    Some(Quota {
        policy: one.policy,
        limit: u32::try_from(limit).ok()?,
        window: one.limit.window,
        remaining: u32::try_from(remaining.max(0)).ok()?,
        reset: Duration::from_micros(u64::try_from(micros_left).ok()?.max(1)),
    })
}

fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros().max(1)).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests;
