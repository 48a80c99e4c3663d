//! Users from elsewhere: added once, whoever runs the import how often, and databases that are read and never written.

use store::{
    Arrival, AuditKind, ForeignDatabase, ForeignQuery, ForeignTable, LoginKey, NewAudit, NewUser,
    Store,
};

use crate::{conformance, fixture::*};

/// Somebody whom an import brings.
fn newcomer(name: &str) -> NewUser {
    NewUser {
        roles: roles(&["staff"]),
        disabled_at: Some(after(5)),
        ..user(name)
    }
}

fn imported() -> NewAudit {
    NewAudit {
        subject: None,
        ..audit(AuditKind::Imported, id())
    }
}

/// How many users each of the recorded imports brought.
async fn recorded(store: &Store) -> Vec<String> {
    let events = store.newest_audit(100).await.unwrap();
    let imports = events.into_iter().filter(|event| event.event == "imported");
    imports.map(|event| event.detail.unwrap()).collect()
}

/// All rows of a table of somebody else's database, each with the texts of these columns.
async fn rows(
    database: ForeignDatabase,
    table: &ForeignTable,
    columns: &[&str],
) -> Vec<Vec<Option<String>>> {
    let query = ForeignQuery {
        table: table.clone(),
        beside: None,
        order: Some("email".to_owned()),
    };
    let places: Vec<usize> = columns
        .iter()
        .map(|name| {
            table
                .columns
                .iter()
                .position(|column| column.name == *name)
                .unwrap()
        })
        .collect();
    let mut rows = database.rows(query);
    let mut found: Vec<Vec<_>> = Vec::new();
    while let Some(batch) = rows.next().await.unwrap() {
        found.extend(
            batch
                .iter()
                .map(|row| places.iter().map(|place| row[*place].clone()).collect()),
        );
    }
    rows.rewind();
    let again = rows.next().await.unwrap().unwrap();
    assert_eq!(
        again[0][places[0]], found[0][0],
        "the first row is the first again"
    );
    rows.close().await;
    found
}

conformance! {
    async fn newcomers_are_added_with_all_that_is_known_of_them_and_one_event(db) {
        let store = db.store().await;
        let (ada, bob) = (newcomer("ada"), NewUser { password_hash: None, ..newcomer("bob") });
        let rehearsed = store.rehearse_import(vec![ada.clone(), bob.clone()]).await.unwrap();
        assert_eq!(rehearsed, [Arrival::Added, Arrival::Added]);
        assert_eq!(store.credentials_of(ada.id).await.unwrap().map(|found| found.user.id), None);

        let arrivals = store.import_users(vec![ada.clone(), bob.clone()], imported()).await.unwrap();
        assert_eq!(arrivals, rehearsed);
        let found = store.credentials_of(ada.id).await.unwrap().unwrap();
        assert_eq!(found.password_hash.as_deref(), Some(HASH));
        assert_eq!((found.user.roles, found.user.disabled_at), (roles(&["staff"]), Some(after(5))));
        assert_eq!(store.credentials_of(bob.id).await.unwrap().unwrap().password_hash, None);
        assert_eq!(recorded(&store).await, [r#"{"users":2}"#]);
    }

    async fn who_came_before_is_left_as_they_are_also_when_they_are_deleted(db) {
        let store = db.store().await;
        let (ada, bob) = (newcomer("ada"), newcomer("bob"));
        store.import_users(vec![ada.clone(), bob.clone()], imported()).await.unwrap();
        store.set_password(ada.id, "a hash of today".into(), audit(AuditKind::PasswordChanged, ada.id)).await.unwrap();
        store.delete_user(bob.id, audit(AuditKind::AccountDeleted, bob.id)).await.unwrap();

        let again = store.import_users(vec![ada.clone(), bob.clone()], imported()).await.unwrap();
        assert_eq!(again, [Arrival::CameBefore, Arrival::CameBefore]);
        let found = store.credentials_of(ada.id).await.unwrap().unwrap();
        assert_eq!(found.password_hash.as_deref(), Some("a hash of today"));
        assert_eq!(store.credentials(LoginKey::Email(bob.email_key)).await.unwrap().map(|found| found.user), None);
        assert_eq!(recorded(&store).await.len(), 1, "nothing came, and nothing is recorded");
    }

    async fn names_of_others_are_theirs_and_the_address_is_named_first(db) {
        let store = db.store().await;
        registered(&store, "ada").await;
        registered(&store, "bob").await;
        let both = newcomer("Ada");
        let username = NewUser { email_key: "other@example.org".into(), ..newcomer("BOB") };
        let neither = newcomer("cleo");
        let users = vec![both, username, neither];
        let expected = [Arrival::EmailTaken, Arrival::UsernameTaken, Arrival::Added];
        assert_eq!(store.rehearse_import(users.clone()).await.unwrap(), expected);
        assert_eq!(store.import_users(users, imported()).await.unwrap(), expected);
        assert_eq!(recorded(&store).await, [r#"{"users":1}"#]);
    }

    async fn of_imports_that_race_each_brings_whom_the_other_has_not(db) {
        let store = db.store().await;
        let users: Vec<NewUser> = (0..40).map(|number| newcomer(&format!("user{number}"))).collect();
        let runs = (0..4).map(|_| {
            let (store, users) = (store.clone(), users.clone());
            tokio::spawn(async move { store.import_users(users, imported()).await })
        });
        let mut added = 0;
        for run in runs.collect::<Vec<_>>() {
            let arrivals = run.await.unwrap().unwrap();
            added += arrivals.iter().filter(|arrival| **arrival == Arrival::Added).count();
            assert!(arrivals.iter().all(|arrival| matches!(arrival, Arrival::Added | Arrival::CameBefore)));
        }
        assert_eq!(added, 40);
        let rivals: Vec<NewUser> = users.iter().map(|user| NewUser { id: id(), ..user.clone() }).collect();
        let arrivals = store.import_users(rivals, imported()).await.unwrap();
        assert!(arrivals.iter().all(|arrival| *arrival == Arrival::EmailTaken));
    }

    async fn any_database_is_read_as_texts_and_not_written(db) {
        let store = db.store().await;
        let mut ada = newcomer("Ada");
        ada.name = Some("Zoë \u{1f980} O'Hara \\ \"x\"".into());
        ada.disabled_at = None;
        store.import_users(vec![ada.clone()], imported()).await.unwrap();
        for number in 0..250 {
            let other = user(&format!("user{number}"));
            store.import_users(vec![other], imported()).await.unwrap();
        }

        let database = ForeignDatabase::open(&db.options).await.unwrap();
        let tables = database.tables().await.unwrap();
        let table = tables.iter().find(|table| table.full_name() == "users").unwrap();
        assert_eq!(database.count(table).await.unwrap(), 251);
        let columns = ["email", "name", "email_verified", "disabled_at", "created_at"];
        let found = rows(database, table, &columns).await;
        assert_eq!(found.len(), 251);
        let row = found.iter().find(|row| row[0].as_deref() == Some("Ada@example.org")).unwrap();
        assert_eq!(row[1], ada.name);
        assert!(["0", "false"].contains(&row[2].as_deref().unwrap()), "{row:?}");
        assert_eq!(row[3], None);
        assert_eq!(row[4], Some(NOON.as_micros().to_string()));
    }

    async fn a_database_is_read_as_it_was_at_the_first_look(db) {
        let store = db.store().await;
        store.import_users(vec![newcomer("ada")], imported()).await.unwrap();
        let database = ForeignDatabase::open(&db.options).await.unwrap();
        let tables = database.tables().await.unwrap();
        let table = tables.iter().find(|table| table.full_name() == "users").unwrap();
        assert_eq!(database.count(table).await.unwrap(), 1);

        store.import_users(vec![newcomer("bob")], imported()).await.unwrap();
        assert_eq!(database.count(table).await.unwrap(), 1);
        let found = rows(database, table, &["email"]).await;
        assert_eq!(found, [[Some("ada@example.org".to_owned())]]);
    }
}
