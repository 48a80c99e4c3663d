//! Where the database is: its server, its replicas, and what does not go together.

use std::time::Duration;

use insta::assert_snapshot;

use super::Operator;

#[test]
fn the_database_is_on_a_server_that_two_urls_may_name() {
    let config = Operator::default()
        .variable(
            "DATABASE_URL",
            "postgresql+psycopg://ada:canary@pooler:6432/app",
        )
        .variable(
            "VESTIBULE_DATABASE_DIRECT_URL",
            "postgres://ada:canary@db/app?sslmode=require",
        )
        .variable("VESTIBULE_DATABASE_TLS", "verify-full")
        .config();
    let shown = format!("{:?}", config.database);
    assert!(!shown.contains("canary"), "{shown}");
    assert_eq!(
        config.database.url.to_string(),
        "postgres://ada:***@pooler:6432/app"
    );
    assert_eq!(config.database.url.file(), None);
    assert_eq!(config.database.tls, Some(accounts::TlsMode::VerifyFull));

    let problems = Operator::says(&["--database-url", "mysql://ada@db/app"])
        .variable("VESTIBULE_DATABASE_DIRECT_URL", "postgres://ada@db/app")
        .problems();
    assert_snapshot!(problems, @"database.direct_url from VESTIBULE_DATABASE_DIRECT_URL: expected another address of the database of database.url, of the same engine");
}

#[test]
fn replicas_are_servers_of_the_engine_of_their_primary() {
    let replicas = "postgres://ada:canary@one/app, postgres://ada:canary@two/app?sslmode=require";
    let operator = || {
        Operator::says(&["--database-replica-max-lag", "30s"])
            .variable("VESTIBULE_DATABASE_REPLICA_URLS", replicas)
    };
    let loaded = operator()
        .variable("DATABASE_URL", "postgresql://ada@db/app")
        .loaded();
    let database = &loaded.config.database;
    let urls: Vec<_> = database
        .replica_urls
        .iter()
        .map(ToString::to_string)
        .collect();
    assert_eq!(
        urls,
        [
            "postgres://ada:***@one:5432/app",
            "postgres://ada:***@two:5432/app"
        ]
    );
    assert_eq!(database.replica_max_lag, Duration::from_secs(30));
    let shown = format!("{database:?} {:?}", loaded.rows);
    assert!(!shown.contains("canary"), "{shown}");

    assert_snapshot!(operator().problems(), @"database.replica_urls from VESTIBULE_DATABASE_REPLICA_URLS: expected a database on a server in database.url: one in a file has no replicas");
    let mysql = operator().variable("DATABASE_URL", "mysql://ada@db/app");
    assert_snapshot!(mysql.problems(), @"database.replica_urls from VESTIBULE_DATABASE_REPLICA_URLS: expected replicas of the database of database.url, of the same engine");
}

#[test]
fn replicas_may_stand_in_a_file_as_their_passwords_do() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("replicas");
    std::fs::write(
        &file,
        "postgres://ada:canary@one/app,\npostgres://ada:canary@two/app\n",
    )
    .unwrap();
    let config = Operator::default()
        .variable("DATABASE_URL", "postgres://ada@db/app")
        .variable(
            "VESTIBULE_DATABASE_REPLICA_URLS_FILE",
            file.to_str().unwrap(),
        )
        .config();
    assert_eq!(config.database.replica_urls.len(), 2);
}
