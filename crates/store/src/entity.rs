//! The tables as SeaORM entities: rows, and what is declared of them. The schema itself is made by `migrate`, and
//! held against what is declared here by a test.

pub(crate) mod audit_event;
pub(crate) mod document;
pub(crate) mod meta;
pub(crate) mod revocation;
pub(crate) mod session;
pub(crate) mod signing_key;
pub(crate) mod todo;
pub(crate) mod user;
pub(crate) mod user_role;
