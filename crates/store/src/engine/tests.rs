//! A database of its own on each engine, for tests that must know what is inside.

mod connecting;
mod plans;

use sea_orm::{ConnectionTrait as _, DatabaseConnection};

use super::{DatabaseUrl, Engine, Options};
use crate::Store;

/// An empty database, gone with this value.
pub(crate) struct Empty {
    pub(crate) options: Options,
    _place: Box<dyn std::any::Any + Send + Sync>,
}

impl Empty {
    pub(crate) fn on(engine: Engine) -> Self {
        let server = match engine {
            Engine::Sqlite => return Self::in_a_file(),
            Engine::Postgres => scratch::Server::Postgres,
            Engine::MySql => scratch::Server::MariaDb,
        };
        let database = scratch::Database::new(server);
        let url = DatabaseUrl::parse(database.url().as_str()).unwrap();
        Self {
            options: Options::new(url),
            _place: Box::new(database),
        }
    }

    fn in_a_file() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let url = DatabaseUrl::of_file(folder.path().join("test.db"));
        Self {
            options: Options::new(url),
            _place: Box::new(folder),
        }
    }

    pub(crate) async fn connect(&self) -> Store {
        Store::connect(&self.options).await.unwrap()
    }

    pub(crate) async fn migrated(&self) -> Store {
        let store = self.connect().await;
        store.migrate_up(None).await.unwrap();
        store
    }
}

/// Runs SQL that no event has, as another program would.
pub(crate) async fn run(db: &DatabaseConnection, sql: &str) {
    db.execute_unprepared(sql).await.unwrap();
}

/// Runs a test on each engine: `on_each_engine! { async fn sentence(engine) { … } }`.
macro_rules! on_each_engine {
    ($(async fn $name:ident($engine:ident) $body:block)*) => {
        $(
            mod $name {
                use super::*;

                async fn behaves($engine: $crate::Engine) $body

                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn on_sqlite() {
                    behaves($crate::Engine::Sqlite).await;
                }

                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn on_postgres() {
                    behaves($crate::Engine::Postgres).await;
                }

                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn on_mariadb() {
                    behaves($crate::Engine::MySql).await;
                }
            }
        )*
    };
}
pub(crate) use on_each_engine;
