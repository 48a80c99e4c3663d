//! What somebody changes in a database is seen, on every engine.

use crate::{
    Engine,
    engine::tests::{Empty, on_each_engine, run},
};

/// What differs after the statement, as an operator would read it.
async fn after(engine: Engine, sql: &str) -> Vec<String> {
    let database = Empty::on(engine);
    let store = database.migrated().await;
    run(&store.writer, sql).await;
    let differences = store.schema_differences().await.unwrap();
    store.close().await;
    differences.iter().map(ToString::to_string).collect()
}

on_each_engine! {
    async fn a_missing_and_an_extra_column_are_seen(engine) {
        let found = after(engine, "ALTER TABLE users DROP COLUMN password_hash").await;
        assert_eq!(
            found,
            ["the column users.password_hash (a text in order of bytes, nullable) is missing"]
        );
        let found = after(engine, "ALTER TABLE users ADD COLUMN nick varchar(20)").await;
        assert_eq!(found, ["the column users.nick is not of this release"]);
    }

    async fn another_type_is_seen(engine) {
        let (sql, as_found) = match engine {
            Engine::Postgres => (
                "ALTER TABLE revocations ALTER COLUMN count TYPE integer",
                "an integer",
            ),
            Engine::MySql => (
                "ALTER TABLE revocations MODIFY COLUMN count int NOT NULL",
                "an integer",
            ),
            // It changes no type, so the table is made anew.
            Engine::Sqlite => (
                "DROP TABLE revocations; CREATE TABLE revocations \
                 (id integer NOT NULL PRIMARY KEY, count text NOT NULL)",
                "a text in order of bytes",
            ),
        };
        assert_eq!(
            after(engine, sql).await,
            [format!(
                "the column revocations.count is {as_found}, not nullable, \
                 and should be a bigint, not nullable"
            )]
        );
    }

    async fn another_length_is_seen(engine) {
        let sql = match engine {
            Engine::Postgres => "ALTER TABLE user_roles ALTER COLUMN role TYPE varchar(31) COLLATE \"C\"",
            Engine::MySql => "ALTER TABLE user_roles MODIFY COLUMN role varchar(31) NOT NULL",
            Engine::Sqlite => {
                "DROP TABLE user_roles; CREATE TABLE user_roles (user_id uuid_text NOT NULL, \
                 role varchar(31) NOT NULL, PRIMARY KEY (user_id, role), \
                 FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE CASCADE); \
                 CREATE INDEX user_roles_role ON user_roles (role)"
            }
        };
        assert_eq!(
            after(engine, sql).await,
            ["the column user_roles.role is a varchar(31) in order of bytes, not nullable, \
              and should be a varchar(32) in order of bytes, not nullable"]
        );
    }

    async fn a_column_that_may_be_null_and_should_not_is_seen(engine) {
        let (sql, as_found) = match engine {
            Engine::Postgres => (
                "ALTER TABLE revocations ALTER COLUMN count DROP NOT NULL",
                "a bigint",
            ),
            Engine::MySql => (
                "ALTER TABLE revocations MODIFY COLUMN count bigint",
                "a bigint",
            ),
            Engine::Sqlite => (
                "DROP TABLE revocations; CREATE TABLE revocations \
                 (id integer NOT NULL PRIMARY KEY, count integer)",
                "an integer of any size",
            ),
        };
        assert_eq!(
            after(engine, sql).await,
            [format!(
                "the column revocations.count is {as_found}, nullable, \
                 and should be a bigint, not nullable"
            )]
        );
    }

    async fn another_primary_key_is_seen(engine) {
        let sql = match engine {
            Engine::Postgres => {
                "ALTER TABLE user_roles DROP CONSTRAINT user_roles_pkey, ADD PRIMARY KEY (role, user_id)"
            }
            Engine::MySql => {
                "ALTER TABLE user_roles DROP FOREIGN KEY user_roles_user; \
                 ALTER TABLE user_roles DROP PRIMARY KEY, ADD PRIMARY KEY (role, user_id)"
            }
            Engine::Sqlite => {
                "DROP TABLE user_roles; CREATE TABLE user_roles (user_id uuid_text NOT NULL, \
                 role varchar(32) NOT NULL, PRIMARY KEY (role, user_id), \
                 FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE CASCADE); \
                 CREATE INDEX user_roles_role ON user_roles (role)"
            }
        };
        let found = after(engine, sql).await;
        let expected = "the primary key of user_roles is on role, user_id, and should be on user_id, role";
        assert!(found.contains(&expected.to_owned()), "{found:?}");
    }

    async fn indexes_that_are_missing_extra_or_otherwise_are_seen(engine) {
        let drop = match engine {
            Engine::MySql => "DROP INDEX users_email_key ON users",
            _ => "DROP INDEX users_email_key",
        };
        assert_eq!(
            after(engine, drop).await,
            ["the index users_email_key of users (unique, on email_key) is missing"]
        );
        let not_unique = format!("{drop}; CREATE INDEX users_email_key ON users (email_key)");
        assert_eq!(
            after(engine, &not_unique).await,
            ["the index users_email_key of users is on email_key, and should be unique, on email_key"]
        );
        let extra = "CREATE INDEX by_hand ON users (name)";
        assert_eq!(after(engine, extra).await, ["the index by_hand of users is not of this release"]);
    }

    async fn a_foreign_key_that_does_something_else_is_seen(engine) {
        let other = "ADD CONSTRAINT sessions_user FOREIGN KEY (user_id) REFERENCES users (id)";
        let sql = match engine {
            Engine::Postgres => format!("ALTER TABLE sessions DROP CONSTRAINT sessions_user, {other}"),
            Engine::MySql => format!(
                "ALTER TABLE sessions DROP FOREIGN KEY sessions_user; ALTER TABLE sessions {other} \
                 ON DELETE NO ACTION"
            ),
            Engine::Sqlite => "DROP TABLE user_roles; CREATE TABLE user_roles \
                 (user_id uuid_text NOT NULL, role varchar(32) NOT NULL, \
                 PRIMARY KEY (user_id, role), FOREIGN KEY (user_id) REFERENCES users (id)); \
                 CREATE INDEX user_roles_role ON user_roles (role)"
                .to_owned(),
        };
        let found = after(engine, &sql).await;
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(found[0].contains("is to id of users, on delete"), "{found:?}");
        assert!(found[0].ends_with("should be to id of users, on delete CASCADE"), "{found:?}");
    }
}

mod servers {
    use super::*;

    #[tokio::test]
    async fn a_text_in_the_order_of_a_language_is_seen_on_postgres() {
        let sql = "ALTER TABLE users ALTER COLUMN email TYPE varchar(254) COLLATE \"default\"";
        let found = after(Engine::Postgres, sql).await;
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(found[0].contains("character varying(254) in the order of default"));
    }

    #[tokio::test]
    async fn a_blob_that_is_too_small_is_seen_on_mariadb() {
        let sql = "ALTER TABLE documents MODIFY COLUMN content blob NOT NULL";
        assert_eq!(
            after(Engine::MySql, sql).await,
            ["the column documents.content is a blob, not nullable, \
              and should be a large blob, not nullable"]
        );
    }

    #[tokio::test]
    async fn a_text_in_the_order_of_a_language_is_seen_on_mariadb() {
        let sql = "ALTER TABLE users MODIFY COLUMN email varchar(254) COLLATE utf8mb4_general_ci NOT NULL";
        let found = after(Engine::MySql, sql).await;
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(found[0].contains("varchar(254) in the order of utf8mb4_general_ci"));
    }
}
