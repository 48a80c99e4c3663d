//! Users, their roles and sessions, signing keys, audit events, and facts about the database.

use sea_orm_migration::{
    prelude::*,
    schema::{
        big_integer, big_integer_null, blob, blob_null, boolean, string_len, string_len_null,
        text_null, uuid, uuid_null,
    },
};

use super::Step;

#[derive(DeriveMigrationName)]
pub(super) struct Migration;

impl Step for Migration {
    fn drops(&self) -> &'static [&'static str] {
        &[
            "users",
            "user_roles",
            "sessions",
            "signing_keys",
            "audit_events",
            "meta",
        ]
    }

    fn boxed(&self) -> Box<dyn MigrationTrait> {
        Box::new(Self)
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for table in [
            users(),
            user_roles(),
            sessions(),
            signing_keys(),
            audit_events(),
            meta(),
        ] {
            manager.create_table(table).await?;
        }
        for index in indexes() {
            manager.create_index(index).await?;
        }
        // The row that transactions lock before they count admins.
        let guard = Query::insert()
            .into_table("meta")
            .columns(["name", "value"])
            .values_panic(["admin_guard".into(), Vec::<u8>::new().into()])
            .to_owned();
        manager.execute(guard).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        // In the reverse order of the references between them.
        for table in self.drops().iter().rev() {
            manager
                .drop_table(Table::drop().table(*table).if_exists().to_owned())
                .await?;
        }
        Ok(())
    }

    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }
}

fn users() -> TableCreateStatement {
    Table::create()
        .table("users")
        .if_not_exists()
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
        .if_not_exists()
        .col(uuid("user_id"))
        .col(string_len("role", 32))
        .primary_key(Index::create().col("user_id").col("role"))
        .foreign_key(&mut of_user("user_roles"))
        .to_owned()
}

fn sessions() -> TableCreateStatement {
    Table::create()
        .table("sessions")
        .if_not_exists()
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
        .if_not_exists()
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
        .if_not_exists()
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
        .if_not_exists()
        .col(string_len("name", 64).primary_key())
        .col(blob("value"))
        .to_owned()
}

fn indexes() -> Vec<IndexCreateStatement> {
    let unique = |name: &'static str, column: &'static str| {
        Index::create()
            .name(name)
            .table("users")
            .col(column)
            .unique()
            .if_not_exists()
            .to_owned()
    };
    let index = |name: &'static str, table: &'static str, columns: &[&'static str]| {
        let mut index = Index::create();
        index.name(name).table(table).if_not_exists();
        for column in columns {
            index.col(*column);
        }
        index
    };
    vec![
        unique("users_email_key", "email_key"),
        unique("users_username_key", "username_key"),
        index("user_roles_role", "user_roles", &["role"]),
        index("sessions_user", "sessions", &["user_id"]),
        index("sessions_expiry", "sessions", &["idle_expires_at"]),
        index("audit_events_at", "audit_events", &["at", "id"]),
        index(
            "audit_events_subject",
            "audit_events",
            &["subject_id", "at"],
        ),
    ]
}

fn of_user(table: &'static str) -> ForeignKeyCreateStatement {
    ForeignKey::create()
        .name(format!("{table}_user"))
        .from(table, "user_id")
        .to("users", "id")
        .on_delete(ForeignKeyAction::Cascade)
        .to_owned()
}
