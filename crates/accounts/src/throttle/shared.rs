//! Counting together with the other nodes, in the Redis that they share. Each question is one script, which Redis runs
//! by itself: of uses at the same moment on several nodes none is counted twice, and none left out. Without an answer the
//! node has its own counters, in `throttle.rs`, which it keeps in any case.

use std::time::Duration;

use redis::{Script, ScriptInvocation};

use super::{
    Limit, Limited, Quota,
    windows::{Key, slice_length},
};
use crate::redis_link::RedisLink;

/// For how long it is remembered that somebody has logged in from a network, since they last did.
const KNOWN_FOR: Duration = Duration::from_hours(30 * 24);

/// The counters of all nodes.
pub(super) struct SharedCounters {
    link: RedisLink,
    charge: Script,
    settle: Script,
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
    /// For [`SharedCounters::settle`].
    pub(super) charges: Vec<SharedCharge>,
    /// Whether some node knows that they have logged in before.
    pub(super) is_familiar: bool,
    /// What is left of the last of the limits.
    pub(super) quota: Quota,
}

/// One use, and where it was counted.
pub(super) struct SharedCharge {
    name: String,
    slice: i64,
}

impl SharedCounters {
    pub(super) fn new(link: RedisLink) -> Self {
        Self {
            link,
            charge: Script::new(include_str!("charge.lua")),
            settle: Script::new(include_str!("settle.lua")),
        }
    }

    /// Counts a use against all these limits, or against none where one of them is used up. `None` where nobody but
    /// this node is there to count.
    pub(super) async fn charge(
        &self,
        uses: &[Use],
        pair: Option<Pair>,
    ) -> Option<Result<Counted, Limited>> {
        let names: Vec<_> = uses.iter().map(|one| self.name_of(one)).collect();
        let mut call = self.charge.prepare_invoke();
        call.arg(names.len());
        call.arg(i32::from(pair.is_some_and(|pair| pair.is_familiar)));
        for (name, one) in names.iter().zip(uses) {
            call.key(name);
            call.arg(micros(slice_length(one.limit.window)));
            call.arg(one.limit.count).arg(one.rule.word());
        }
        if let Some(pair) = pair {
            call.key(self.name_of_pair(pair.key));
        }
        let answer: Vec<i64> = self.link.run(&call).await?;
        read(&answer, uses, names)
    }

    /// Whether they have logged in before, at any node.
    pub(super) async fn is_familiar(&self, pair: Key) -> bool {
        // A charge against no limits counts nothing, and tells.
        let mut call = self.charge.prepare_invoke();
        call.arg(0).arg(0).key(self.name_of_pair(pair));
        let answer: Option<Vec<i64>> = self.link.run(&call).await;
        answer.is_some_and(|answer| answer == [1, 1])
    }

    /// Takes back uses that were counted, and remembers who has logged in.
    pub(super) async fn settle(&self, charges: &[SharedCharge], logged_in: Option<Key>) {
        if charges.is_empty() && logged_in.is_none() {
            return;
        }
        let mut call: ScriptInvocation<'_> = self.settle.prepare_invoke();
        call.arg(charges.len());
        for charge in charges {
            call.key(&charge.name).arg(charge.slice);
        }
        if let Some(pair) = logged_in {
            call.key(self.name_of_pair(pair));
            call.arg(micros(KNOWN_FOR) / 1000);
        }
        // Without an answer the uses may stand until their time is over, which is stricter and never laxer.
        let _settled: Option<i64> = self.link.run(&call).await;
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
fn read(answer: &[i64], uses: &[Use], names: Vec<String>) -> Option<Result<Counted, Limited>> {
    match answer {
        [0, number, limit, micros_left, first] => {
            let place = usize::try_from(*number).ok()?.checked_sub(1)?;
            let quota = quota(uses.get(place)?, *limit, 0, *micros_left)?;
            let first = *first == 1;
            Some(Err(Limited { quota, first }))
        }
        [1, is_familiar, figures @ ..] if figures.len() == 4 * uses.len() => {
            let figures = figures.as_chunks::<4>().0;
            let [_, used, limit, micros_left] = figures.last()?;
            let left = limit.saturating_sub(*used).saturating_sub(1);
            let slices = figures.iter().map(|[slice, ..]| *slice);
            let charges = names.into_iter().zip(slices);
            Some(Ok(Counted {
                quota: quota(uses.last()?, *limit, left, *micros_left)?,
                charges: charges
                    .map(|(name, slice)| SharedCharge { name, slice })
                    .collect(),
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
