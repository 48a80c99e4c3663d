//! How each engine means to answer the questions whose tables grow without bound: in the order of an
//! index, with nothing sorted.

use sea_orm::{
    ActiveModelTrait as _, ConnectionTrait as _, DbBackend, EntityTrait as _, IntoActiveModel as _,
    QueryTrait as _, Select, Statement,
};
use uuid::Uuid;

use super::{Empty, on_each_engine, run};
use crate::{NewUser, Store, Timestamp, TodoListing, TodoOrder, entity::todo, todos, users};

/// How many todos one user has, another, and each of the others. Whoever has most of a table is read in
/// any order that it has.
const MANY: u32 = 5_000;
const SOME: u32 = 500;
const FEW: u32 = 20;
const OTHERS: u128 = 50;

/// The plan for a query, and whatever the engine says with it.
async fn plan<E: sea_orm::EntityTrait>(store: &Store, query: &Select<E>) -> String {
    let db = &store.readers;
    let engine = db.get_database_backend();
    let (explain, column) = match engine {
        DbBackend::Sqlite => ("EXPLAIN QUERY PLAN", 3),
        DbBackend::MySql => ("EXPLAIN FORMAT=JSON", 0),
        _ => ("EXPLAIN", 0),
    };
    let asked = query.build(engine);
    let asked = Statement {
        sql: format!("{explain} {}", asked.sql),
        ..asked
    };
    let rows = db.query_all_raw(asked).await.unwrap();
    let lines = rows.iter().map(|row| row.try_get_by_index(column).unwrap());
    lines.collect::<Vec<String>>().join("\n")
}

async fn add_user(store: &Store, id: Uuid) {
    let new = NewUser {
        id,
        email: format!("{id}@example.org"),
        email_key: format!("{id}@example.org"),
        username: None,
        username_key: None,
        name: None,
        password_hash: None,
        email_verified: false,
        roles: [].into(),
        disabled_at: None,
        created_at: Timestamp::from_micros(0),
    };
    users::insert(&store.writer, &new).await.unwrap();
}

/// Adds todos of which every second one is done, every third due and every fifth deleted.
async fn add_todos(store: &Store, owner: Uuid, count: u32) {
    let row = |number: u32| {
        let at = i64::from(number);
        let key = format!("todo {:05}", number.wrapping_mul(7_919) % 10_007);
        let row = todo::Model {
            id: Uuid::from_u128(owner.as_u128() << 64 | u128::from(number)),
            user_id: owner,
            title: key.clone(),
            title_key: key,
            description: String::new(),
            description_key: String::new(),
            completed: number.is_multiple_of(2),
            due_at: if number.is_multiple_of(3) {
                at
            } else {
                todo::NEVER
            },
            created_at: at,
            updated_at: at,
            deleted_at: if number.is_multiple_of(5) {
                at
            } else {
                todo::NEVER
            },
            version: 1,
        };
        row.into_active_model().reset_all()
    };
    let numbers: Vec<u32> = (0..count).collect();
    for some in numbers.chunks(500) {
        let rows = some.iter().map(|number| row(*number));
        let adding = todo::Entity::insert_many(rows).exec_without_returning(&store.writer);
        adding.await.unwrap();
    }
}

/// Has the engine look at what there is, where it does not decide by the schema alone.
async fn take_stock(store: &Store) {
    match store.writer.get_database_backend() {
        DbBackend::Sqlite => {}
        DbBackend::MySql => run(&store.writer, "ANALYZE TABLE todos").await,
        _ => run(&store.writer, "ANALYZE todos").await,
    }
}

fn is_in_order_of(index: &str, plan: &str) {
    assert!(plan.contains(index), "not by {index}: {plan}");
    for sorting in ["Sort", "filesort", "TEMP B-TREE"] {
        assert!(!plan.contains(sorting), "not by {index} alone: {plan}");
    }
}

on_each_engine! {
    async fn todos_are_read_in_the_order_of_an_index(engine) {
        let place = Empty::on(engine);
        let store = place.migrated().await;
        let owner = Uuid::from_u128(OTHERS);
        for other in 0..=OTHERS {
            let user = Uuid::from_u128(other);
            add_user(&store, user).await;
            let count = match other {
                OTHERS => MANY,
                0 => SOME,
                _ => FEW,
            };
            add_todos(&store, user, count).await;
        }
        take_stock(&store).await;
        for after in [None, Some(Uuid::from_u128(50))] {
            let plan = plan(&store, &todos::page_of_held(Uuid::nil(), after, 20)).await;
            is_in_order_of("todos_held", &plan);
        }
        for (order, completed, index) in [
            (TodoOrder::NewestFirst, None, "todos_created"),
            (TodoOrder::OldestFirst, None, "todos_created"),
            (TodoOrder::NewestFirst, Some(true), "todos_completed"),
            (TodoOrder::OldestFirst, Some(false), "todos_completed"),
            (TodoOrder::DueFirst, None, "todos_due"),
            (TodoOrder::ByTitle, None, "todos_title"),
        ] {
            for offset in [0, 1_000] {
                let listing = TodoListing { completed, text: None, order, limit: 20, offset };
                let plan = plan(&store, &todos::page(owner, &listing)).await;
                is_in_order_of(index, &plan);
            }
        }
        store.close().await;
    }
}
