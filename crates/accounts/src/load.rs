//! What the accounts are busy with at this moment, for whoever watches the program.

use std::time::Duration;

use store::{PoolLoad, ReplicaLoad};

use crate::{Accounts, hash::HashLoad, meter::Cache};

/// What the accounts are busy with.
#[derive(Clone, Debug)]
pub struct Load {
    /// Passwords being hashed or waiting for it.
    pub hashing: HashLoad,
    /// The connections to the database.
    pub pools: Vec<PoolLoad>,
    /// The replicas of the database.
    pub replicas: Vec<ReplicaLoad>,
    /// What is remembered: the name of each memory, and roughly how much is in it.
    pub caches: Vec<(&'static str, u64)>,
    /// How long ago it was last confirmed which revocations there are.
    pub revocations_confirmed: Duration,
}

impl Accounts {
    /// What goes on now. It waits for nothing.
    #[must_use]
    pub fn load(&self) -> Load {
        let inner = &self.0;
        let entries = |cache| match cache {
            Cache::Sessions => inner.standing.entries(),
            Cache::Tokens => inner.access.entries(),
        };
        let now = inner.clock.through_suspension();
        Load {
            caches: Cache::ALL
                .map(|cache| (cache.name(), entries(cache)))
                .to_vec(),
            revocations_confirmed: inner.standing.confirmation_age(now),
            hashing: self.0.gate.load(),
            pools: self.0.store.pools(),
            replicas: self.0.store.replicas(),
        }
    }
}
