//! Search for a text within others, the same on every engine. Case is up to whoever asks: they
//! compare keys that have none, or spell it in each way.

use std::{sync::Arc, time::Duration};

use sea_orm::sea_query::LikeExpr;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::Error;

/// One search of so many connections' worth may run at once.
const CONNECTIONS_EACH: u32 = 4;
/// How long a search waits for others.
const PATIENCE: Duration = Duration::from_secs(2);

/// The searches of users, each through all that they have, of whatever they have written: a few at a time, so that the other
/// connections are there for everybody else.
#[derive(Clone)]
pub(crate) struct Searches(Arc<Semaphore>);

/// The right to search, for as long as it lasts.
pub(crate) type Turn = OwnedSemaphorePermit;

impl Searches {
    /// Those that may run beside everything else on so many connections.
    pub(crate) fn beside(connections: u32) -> Self {
        let at_once = (connections / CONNECTIONS_EACH).max(1);
        Self(Arc::new(Semaphore::new(at_once as usize)))
    }

    /// Waits for a turn.
    ///
    /// # Errors
    /// [`Error::Busy`] after two seconds.
    pub(crate) async fn turn(&self) -> Result<Turn, Error> {
        let turn = tokio::time::timeout(PATIENCE, Arc::clone(&self.0).acquire_owned()).await;
        turn.map_err(|_late| Error::Busy("other searches take too long".into()))?
            .map_err(|closed| Error::Unavailable(closed.to_string()))
    }
}

/// A pattern for texts that contain `text`, whose own `%` and `_` mean themselves.
pub(crate) fn containing(text: &str) -> LikeExpr {
    let literal = text
        .replace('\\', "\\\\")
        .replace('%', "\\%")
        .replace('_', "\\_");
    LikeExpr::new(format!("%{literal}%")).escape('\\')
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{DatabaseUrl, Options, Store, TodoListing, TodoOrder};

    #[tokio::test]
    async fn a_search_waits_for_others_and_nothing_else_does() {
        let folder = tempfile::tempdir().unwrap();
        let options = Options {
            max_connections: 7,
            ..Options::new(DatabaseUrl::of_file(folder.path().join("vestibule.db")))
        };
        let store = Store::connect(&options).await.unwrap();
        store.migrate_up(None).await.unwrap();
        let listed = async |text: Option<&str>| {
            let listing = TodoListing {
                text: text.map(str::to_owned),
                completed: None,
                order: TodoOrder::OldestFirst,
                offset: 0,
                limit: 1,
            };
            store.todos(uuid::Uuid::nil(), listing).await
        };
        let turn = store.searches.turn().await.unwrap();
        assert!(matches!(listed(Some("a")).await, Err(Error::Busy(_))));
        listed(None).await.unwrap();
        drop(turn);
        for _ in 0..2 {
            listed(Some("a")).await.unwrap();
        }
        store.close().await;
    }
}
