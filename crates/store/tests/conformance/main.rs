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
mod first_admin;
mod fixture;
mod install;
mod keys;
mod lists;
mod migrations;
mod read_only;
mod retention;
mod revocations;
mod sessions;
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
                    behaves(crate::fixture::Fixture::on(scratch::Server::Postgres)).await;
                }

                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn on_mariadb() {
                    behaves(crate::fixture::Fixture::on(scratch::Server::MariaDb)).await;
                }
            }
        )*
    };
}
pub(crate) use conformance;
