//! The tables as SeaORM entities: rows, what is declared of them, and the one list of them all. The schema itself is made
//! by `migrate`, and held against what is declared here by a test.

pub(crate) mod audit_event;
pub(crate) mod document;
pub(crate) mod meta;
pub(crate) mod revocation;
pub(crate) mod session;
pub(crate) mod signing_key;
pub(crate) mod todo;
pub(crate) mod user;
pub(crate) mod user_role;

use sea_orm::EntityTrait;

use crate::schema::Index;

/// What is to be done with each table; the tables have a type each.
pub(crate) trait TableVisitor {
    /// The next one, with the indexes that it has beside its key.
    fn visit<E: EntityTrait>(&mut self, table: E, indexes: &[Index]);
}

/// Visits every table of ours but the one of the migrations, which each database keeps of itself. Those that others refer
/// to come first.
pub(crate) fn visit_all(visitor: &mut impl TableVisitor) {
    visitor.visit(user::Entity, user::INDEXES);
    visitor.visit(user_role::Entity, user_role::INDEXES);
    visitor.visit(session::Entity, session::INDEXES);
    visitor.visit(signing_key::Entity, &[]);
    visitor.visit(audit_event::Entity, audit_event::INDEXES);
    visitor.visit(todo::Entity, todo::INDEXES);
    visitor.visit(document::Entity, &[]);
    visitor.visit(revocation::Entity, &[]);
    visitor.visit(meta::Entity, &[]);
}
