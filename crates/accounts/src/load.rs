//! What the accounts are busy with at this moment, for whoever watches the program.

use store::{PoolLoad, ReplicaLoad};

use crate::{Accounts, hash::HashLoad};

/// What the accounts are busy with.
#[derive(Clone, Debug)]
pub struct Load {
    /// Passwords being hashed or waiting for it.
    pub hashing: HashLoad,
    /// The connections to the database.
    pub pools: Vec<PoolLoad>,
    /// The replicas of the database.
    pub replicas: Vec<ReplicaLoad>,
}

impl Accounts {
    /// What goes on now. It waits for nothing.
    #[must_use]
    pub fn load(&self) -> Load {
        Load {
            hashing: self.0.gate.load(),
            pools: self.0.store.pools(),
            replicas: self.0.store.replicas(),
        }
    }
}
