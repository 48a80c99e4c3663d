//! Users, their roles and sessions, signing keys, audit events, and facts about the database.

use sea_orm_migration::{
    prelude::*,
    schema::{
        big_integer, big_integer_null, blob, blob_null, boolean, string_len, string_len_null,
        text_null, uuid, uuid_null,
    },
};

use super::{Change, Step};
use crate::schema::Index;

pub(super) const STEP: Step = Step {
    name: "m0001_accounts",
    up,
    down,
};

fn up() -> Vec<Change> {
    let tables = [
        users(),
        user_roles(),
        sessions(),
        signing_keys(),
        audit_events(),
        meta(),
    ];
    let mut changes: Vec<_> = tables.map(Change::CreateTable).into();
    changes.extend(INDEXES.map(|(table, index)| Change::CreateIndex(table, index)));
    // The row that transactions lock before they count admins.
    let guard = ["admin_guard".into(), Vec::<u8>::new().into()];
    changes.push(Change::InsertRow("meta", ["name", "value"], guard));
    changes
}

fn down() -> Vec<Change> {
    // In the reverse order of the references between them.
    let tables = [
        "meta",
        "audit_events",
        "signing_keys",
        "sessions",
        "user_roles",
        "users",
    ];
    tables.map(Change::DropTable).into()
}

fn users() -> TableCreateStatement {
    Table::create()
        .table("users")
        .col(uuid("id").primary_key())
        .col(string_len("email", 254))
        .col(string_len_null("email_key", 254))
        .col(string_len_null("username", 32))
        .col(string_len_null("username_key", 32))
        .col(string_len_null("name", 200))
        .col(text_null("password_hash"))
        .col(boolean("email_verified"))
        .col(big_integer_null("disabled_at"))
        .col(big_integer_null("deleted_at"))
        .col(big_integer("created_at"))
        .col(big_integer("updated_at"))
        .to_owned()
}

fn user_roles() -> TableCreateStatement {
    Table::create()
        .table("user_roles")
        .col(uuid("user_id"))
        .col(string_len("role", 32))
        .primary_key(sea_query::Index::create().col("user_id").col("role"))
        .foreign_key(&mut of_user("user_roles"))
        .to_owned()
}

fn sessions() -> TableCreateStatement {
    Table::create()
        .table("sessions")
        .col(uuid("id").primary_key())
        .col(uuid("user_id"))
        .col(string_len("kind", 8))
        .col(big_integer("generation"))
        .col(blob_null("token_hash"))
        .col(blob_null("nonce"))
        .col(big_integer_null("rotated_at"))
        .col(big_integer("created_at"))
        .col(big_integer("last_used_at"))
        .col(big_integer("idle_expires_at"))
        .col(big_integer("expires_at"))
        .col(string_len_null("address", 45))
        .col(text_null("user_agent"))
        .foreign_key(&mut of_user("sessions"))
        .to_owned()
}

fn signing_keys() -> TableCreateStatement {
    Table::create()
        .table("signing_keys")
        .col(string_len("id", 64).primary_key())
        .col(string_len("algorithm", 16))
        .col(blob("public_key"))
        .col(blob("sealed_private_key"))
        .col(big_integer("created_at"))
        .col(big_integer("signs_from"))
        .col(big_integer_null("retires_at"))
        .to_owned()
}

fn audit_events() -> TableCreateStatement {
    Table::create()
        .table("audit_events")
        .col(uuid("id").primary_key())
        .col(big_integer("at"))
        .col(string_len("event", 32))
        .col(string_len("actor_kind", 16))
        .col(uuid_null("actor_id"))
        .col(uuid_null("subject_id"))
        .col(string_len_null("address", 45))
        .col(text_null("user_agent"))
        .col(string_len_null("request_id", 64))
        .col(text_null("detail"))
        .to_owned()
}

fn meta() -> TableCreateStatement {
    Table::create()
        .table("meta")
        .col(string_len("name", 64).primary_key())
        .col(blob("value"))
        .to_owned()
}

/// Each with its table.
const INDEXES: [(&str, Index); 7] = [
    (
        "users",
        Index::new("users_email_key", &["email_key"]).unique(),
    ),
    (
        "users",
        Index::new("users_username_key", &["username_key"]).unique(),
    ),
    ("user_roles", Index::new("user_roles_role", &["role"])),
    ("sessions", Index::new("sessions_user", &["user_id"])),
    (
        "sessions",
        Index::new("sessions_expiry", &["idle_expires_at"]),
    ),
    ("audit_events", Index::new("audit_events_at", &["at", "id"])),
    (
        "audit_events",
        Index::new("audit_events_subject", &["subject_id", "at"]),
    ),
];

/// The reference of a table to the user whose rows are in it, which go with them.
pub(super) fn of_user(table: &'static str) -> ForeignKeyCreateStatement {
    ForeignKey::create()
        .name(format!("{table}_user"))
        .from(table, "user_id")
        .to("users", "id")
        .on_delete(ForeignKeyAction::Cascade)
        .to_owned()
}
