//! What every engine must do. A test is written once, against [`Store`] alone, and runs on each
//! engine of `conformance!`; nothing in a test may know which one it is on.

#![expect(clippy::unwrap_used, reason = "in a test a panic is the report")]
#![expect(
    unused_must_use,
    reason = "what an event has done is looked up where it matters"
)]

mod administration;
mod audit;
mod cancellation;
mod copy;
mod crowds;
mod documents;
mod first_admin;
mod fixture;
mod imports;
mod install;
mod keys;
mod lists;
mod migrations;
mod read_only;
mod retention;
mod revocations;
mod sessions;
mod todos;
mod users;

/// Runs a test on every engine: `conformance! { async fn sentence(db: Fixture) { … } }`.
macro_rules! conformance {
    ($($(#[$meta:meta])* async fn $name:ident($db:ident) $body:block)*) => {
        $(
            $(#[$meta])*
            mod $name {
                #[allow(unused_imports, clippy::allow_attributes, reason = "a test may need none of them")]
                use super::*;

                async fn behaves($db: crate::fixture::Fixture) $body

                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn on_sqlite() {
                    behaves(crate::fixture::Fixture::sqlite()).await;
                }

                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn on_postgres() {
                    behaves(crate::fixture::Fixture::postgres()).await;
                }

                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn on_mariadb() {
                    behaves(crate::fixture::Fixture::mariadb()).await;
                }
            }
        )*
    };
}
pub(crate) use conformance;

/// Runs a test on every pair of engines: `pairs! { async fn sentence(from: Fixture, to: Fixture) { … } }`.
macro_rules! pairs {
    ($($(#[$meta:meta])* async fn $name:ident($from:ident, $to:ident) $body:block)*) => {
        $(
            $(#[$meta])*
            mod $name {
                use super::*;
                use crate::fixture::Fixture;

                async fn behaves($from: Fixture, $to: Fixture) $body

                crate::pairs! { @tests
                    from_sqlite_to_sqlite(sqlite, sqlite)
                    from_sqlite_to_postgres(sqlite, postgres)
                    from_sqlite_to_mariadb(sqlite, mariadb)
                    from_postgres_to_sqlite(postgres, sqlite)
                    from_postgres_to_postgres(postgres, postgres)
                    from_postgres_to_mariadb(postgres, mariadb)
                    from_mariadb_to_sqlite(mariadb, sqlite)
                    from_mariadb_to_postgres(mariadb, postgres)
                    from_mariadb_to_mariadb(mariadb, mariadb)
                }
            }
        )*
    };
    (@tests $($name:ident($from:ident, $to:ident))*) => {
        $(
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() {
                behaves(Fixture::$from(), Fixture::$to()).await;
            }
        )*
    };
}
pub(crate) use pairs;
