//! How busy the connections to the database are, for whoever watches the program.

use crate::{Store, engine};

/// One pool of connections at this moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PoolLoad {
    /// What its connections are for: `read` or `write`, or `all` where they are for both, and
    /// `replica` for those to all replicas.
    pub purpose: &'static str,
    /// Connections that are open.
    pub open: u32,
    /// Those of them that nobody uses.
    pub idle: u32,
    /// How many may be open.
    pub most: u32,
}

impl Store {
    /// The pools of this store. It asks nobody and waits for nothing.
    #[must_use]
    pub fn pools(&self) -> Vec<PoolLoad> {
        engine::load(self)
    }

    /// Whether every connection for questions is in use, so that a call which finds none waits for
    /// the others and not for the database.
    #[must_use]
    pub fn is_crowded(&self) -> bool {
        let pools = self.pools();
        let mut asked = pools
            .iter()
            .filter(|pool| matches!(pool.purpose, "read" | "all"));
        asked.any(|pool| pool.idle == 0 && pool.open == pool.most)
    }
}
