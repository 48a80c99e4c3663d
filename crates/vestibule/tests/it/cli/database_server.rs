//! A database on a server, by the command line: what is said of it, and what is refused.

use scratch::Server as Engine;

use super::add;
use crate::place::Place;
use crate::process::{Server, run, stderr, stdout};

const ENGINES: [(Engine, &str, &str); 2] = [
    (Engine::Postgres, "PostgreSQL", "pg_dump"),
    (Engine::MariaDb, "MariaDB", "mariadb-dump"),
];

#[test]
fn the_url_is_all_that_differs() {
    for (engine, name, tool) in ENGINES {
        let place = Place::on(engine);
        let server = Server::start(place.path(), &[]);
        let database = server.ready["database"].as_str().expect("a URL");
        assert!(!database.contains("secret"), "{database}");
        assert_eq!(
            server.ready["database_from"],
            "VESTIBULE_DATABASE_URL in .env"
        );
        assert_eq!(server.ready["warnings"].as_array().map(Vec::len), Some(0));
        assert_eq!(
            add(place.path(), "ada@example.org", &[]).status.code(),
            Some(0)
        );
        let doctor = run(place.path(), ["doctor"]);
        assert_eq!(doctor.status.code(), Some(0), "{}", stdout(&doctor));
        let facts = [
            name,
            "not encrypted",
            "at most 10 connections",
            &format!("backups: the server has {tool}"),
            "when the last one was made cannot be seen",
        ];
        for fact in facts {
            assert!(
                stdout(&doctor).contains(fact),
                "{fact}: {}",
                stdout(&doctor)
            );
        }
        assert_eq!(server.stop(), Some(0));
        let data = place.path().join("vestibule-data");
        assert!(!data.join("vestibule.db").exists());
        assert!(data.join("secret.key").exists());
    }
}

#[test]
fn backups_are_left_to_the_tools_of_the_server() {
    for (engine, _, tool) in ENGINES {
        let place = Place::on(engine);
        assert_eq!(
            add(place.path(), "ada@example.org", &[]).status.code(),
            Some(0)
        );
        for command in ["backup", "restore"] {
            let refused = run(place.path(), [command, "file.db"]);
            assert_ne!(refused.status.code(), Some(0));
            assert!(stderr(&refused).contains(tool), "{}", stderr(&refused));
        }
        assert!(!place.path().join("file.db").exists());
    }
}

#[test]
fn who_is_not_let_in_ends_with_2_and_who_finds_nobody_with_1() {
    for (engine, ..) in ENGINES {
        let place = Place::on(engine);
        let mut url = engine.url();
        url.set_path("vestibule_nowhere");
        let serve = |url: &str| {
            let arguments = ["serve", "--listen=127.0.0.1:0", "--database-url", url];
            let short = ["--database-startup-timeout=1s"];
            run(place.path(), arguments.iter().chain(&short))
        };
        let refused = serve(url.as_str());
        assert_eq!(refused.status.code(), Some(2), "{}", stderr(&refused));
        assert!(
            stderr(&refused).contains("vestibule_nowhere"),
            "{}",
            stderr(&refused)
        );
        // Nobody listens on port 1.
        url.set_port(Some(1)).expect("a port");
        let alone = serve(url.as_str());
        assert_eq!(alone.status.code(), Some(1), "{}", stderr(&alone));
        assert!(
            stderr(&alone).contains("cannot be reached"),
            "{}",
            stderr(&alone)
        );
        assert!(
            stderr(&alone).contains("not up yet"),
            "a line per try: {}",
            stderr(&alone)
        );
    }
}
