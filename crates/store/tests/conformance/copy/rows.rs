//! Installations of random rows, written and read around the store, so that nothing of a copy is
//! judged by itself.

use proptest::{
    collection::vec,
    option,
    prelude::{Just, Strategy, any},
    sample::select,
};
use sea_orm::{
    ConnectionTrait as _, DatabaseConnection, Value,
    sea_query::{Expr, Order, Query},
};
use uuid::Uuid;

/// The columns of a table, those of its primary key first.
pub(super) struct Table {
    pub(super) name: &'static str,
    columns: &'static [(&'static str, Kind)],
    key: usize,
}

#[derive(Clone, Copy)]
enum Kind {
    Id,
    Text,
    Bytes,
    Number,
    Truth,
}
use Kind::{Bytes, Id, Number, Text, Truth};

/// The tables that hold what users and operators have made, in an order in which they can be filled.
pub(super) const TABLES: [Table; 7] = [
    Table {
        name: "users",
        columns: &[
            ("id", Id),
            ("email", Text),
            ("email_key", Text),
            ("username", Text),
            ("username_key", Text),
            ("name", Text),
            ("password_hash", Text),
            ("email_verified", Truth),
            ("disabled_at", Number),
            ("deleted_at", Number),
            ("created_at", Number),
            ("updated_at", Number),
            ("purging", Truth),
        ],
        key: 1,
    },
    Table {
        name: "user_roles",
        columns: &[("user_id", Id), ("role", Text)],
        key: 2,
    },
    Table {
        name: "sessions",
        columns: &[
            ("id", Id),
            ("user_id", Id),
            ("kind", Text),
            ("generation", Number),
            ("token_hash", Bytes),
            ("nonce", Bytes),
            ("rotated_at", Number),
            ("created_at", Number),
            ("last_used_at", Number),
            ("idle_expires_at", Number),
            ("expires_at", Number),
            ("address", Text),
            ("user_agent", Text),
        ],
        key: 1,
    },
    Table {
        name: "signing_keys",
        columns: &[
            ("id", Text),
            ("algorithm", Text),
            ("public_key", Bytes),
            ("sealed_private_key", Bytes),
            ("created_at", Number),
            ("signs_from", Number),
            ("retires_at", Number),
        ],
        key: 1,
    },
    Table {
        name: "audit_events",
        columns: &[
            ("id", Id),
            ("at", Number),
            ("event", Text),
            ("actor_kind", Text),
            ("actor_id", Id),
            ("subject_id", Id),
            ("address", Text),
            ("user_agent", Text),
            ("request_id", Text),
            ("detail", Text),
        ],
        key: 1,
    },
    Table {
        name: "todos",
        columns: &[
            ("id", Id),
            ("user_id", Id),
            ("title", Text),
            ("title_key", Text),
            ("description", Text),
            ("description_key", Text),
            ("completed", Truth),
            ("due_at", Number),
            ("created_at", Number),
            ("updated_at", Number),
            ("deleted_at", Number),
            ("version", Number),
        ],
        key: 1,
    },
    Table {
        name: "documents",
        columns: &[
            ("user_id", Id),
            ("key", Text),
            ("etag", Text),
            ("size", Number),
            ("created_at", Number),
            ("updated_at", Number),
            ("content", Bytes),
        ],
        key: 2,
    },
];

/// The rows of each table.
pub(super) type Rows = Vec<Vec<Vec<Value>>>;

/// Rows for each of [`TABLES`], of everything that a column may hold and every engine can keep.
pub(super) fn installations() -> impl Strategy<Value = Rows> {
    let theirs = (
        vec(role(), 0..3),
        vec(session(), 0..3),
        vec(todo(), 0..3),
        vec(document(), 0..3),
    );
    let users = vec((user(), theirs), 0..24);
    (users, vec(signing_key(), 0..4), vec(audit_event(), 0..24)).prop_map(
        |(users, keys, events)| {
            let mut rows: Rows = vec![vec![], vec![], vec![], keys, events, vec![], vec![]];
            for (mut user, (roles, sessions, todos, documents)) in users {
                let (id, number) = (user[0].clone(), rows[0].len());
                // Keys are unique; what is in them may be anything.
                for key in [2, 4] {
                    if let Value::String(Some(text)) = &mut user[key] {
                        *text = format!("{number}{text}");
                    }
                }
                rows[0].push(user);
                let numbered = roles.into_iter().enumerate();
                rows[1].extend(
                    numbered
                        .map(|(number, role)| vec![id.clone(), format!("{number}{role}").into()]),
                );
                for (table, theirs) in [(2, sessions), (5, todos)] {
                    rows[table].extend(theirs.into_iter().map(|mut row| {
                        row[1] = id.clone();
                        row
                    }));
                }
                let numbered = documents.into_iter().enumerate();
                rows[6].extend(numbered.map(|(number, (key, mut document))| {
                    document.splice(0..0, [id.clone(), format!("{number}{key}").into()]);
                    document
                }));
            }
            for (number, key) in rows[3].iter_mut().enumerate() {
                if let Value::String(Some(text)) = &mut key[0] {
                    *text = format!("{number}{text}");
                }
            }
            rows
        },
    )
}

/// Adds the rows to a database that has the tables.
pub(super) async fn write(db: &DatabaseConnection, rows: &Rows) {
    for (table, rows) in TABLES.iter().zip(rows) {
        for row in rows {
            insert(db, table.name, row).await.unwrap();
        }
    }
}

/// Adds a row to the table of this name.
pub(super) async fn insert(
    db: &DatabaseConnection,
    table: &str,
    row: &[Value],
) -> Result<(), sea_orm::DbErr> {
    let table = TABLES.iter().find(|known| known.name == table).unwrap();
    let mut insert = Query::insert();
    insert
        .into_table(table.name)
        .columns(table.columns.iter().map(|(name, _)| *name))
        .values_panic(row.iter().cloned().map(Expr::value));
    db.execute(&insert).await.map(drop)
}

/// All rows of [`TABLES`], each table in the order of its keys.
pub(super) async fn read(db: &DatabaseConnection) -> Rows {
    let mut tables = Vec::new();
    for table in &TABLES {
        let mut select = Query::select();
        select
            .columns(table.columns.iter().map(|(name, _)| *name))
            .from(table.name);
        for (name, _) in &table.columns[..table.key] {
            select.order_by(*name, Order::Asc);
        }
        let rows = db.query_all(&select).await.unwrap();
        let row = |row: &sea_orm::QueryResult| {
            let columns = table.columns.iter().enumerate();
            let values = columns.map(|(place, (_, kind))| match kind {
                Id => row.try_get_by_index::<Option<Uuid>>(place).unwrap().into(),
                Text => row
                    .try_get_by_index::<Option<String>>(place)
                    .unwrap()
                    .into(),
                Bytes => row
                    .try_get_by_index::<Option<Vec<u8>>>(place)
                    .unwrap()
                    .into(),
                Number => row.try_get_by_index::<Option<i64>>(place).unwrap().into(),
                Truth => row.try_get_by_index::<Option<bool>>(place).unwrap().into(),
            });
            values.collect()
        };
        tables.push(rows.iter().map(row).collect());
    }
    tables
}

/// The rows in the order in which [`read`] gives them.
pub(super) fn sorted(mut rows: Rows) -> Rows {
    for (table, rows) in TABLES.iter().zip(&mut rows) {
        let part = |value: &Value| match value {
            Value::Uuid(Some(id)) => id.as_bytes().to_vec(),
            Value::String(Some(text)) => text.as_bytes().to_vec(),
            other => panic!("{other:?} is no part of a key"),
        };
        rows.sort_by_key(|row| row[..table.key].iter().map(part).collect::<Vec<_>>());
    }
    rows
}

fn user() -> impl Strategy<Value = Vec<Value>> {
    let names = (
        text(254),
        option::of(text(250)),
        option::of(text(32)),
        option::of(text(28)),
    );
    let rest = (
        option::of(text(200)),
        option::of(text(2_000)),
        any::<bool>(),
        any::<bool>(),
    );
    let times = (time(), time(), number(), number());
    (id(), names, rest, times).prop_map(|(id, names, rest, times)| {
        vec![
            id,
            names.0.into(),
            names.1.into(),
            names.2.into(),
            names.3.into(),
            rest.0.into(),
            rest.1.into(),
            rest.2.into(),
            times.0.into(),
            times.1.into(),
            times.2.into(),
            times.3.into(),
            rest.3.into(),
        ]
    })
}

fn session() -> impl Strategy<Value = Vec<Value>> {
    let proofs = (option::of(bytes()), option::of(bytes()), time());
    let times = (number(), number(), number(), number(), number());
    let from = (option::of(text(45)), option::of(text(256)));
    (id(), text(8), proofs, times, from).prop_map(|(id, kind, proofs, times, from)| {
        vec![
            id,
            Value::Uuid(None),
            kind.into(),
            times.0.into(),
            proofs.0.into(),
            proofs.1.into(),
            proofs.2.into(),
            times.1.into(),
            times.2.into(),
            times.3.into(),
            times.4.into(),
            from.0.into(),
            from.1.into(),
        ]
    })
}

fn todo() -> impl Strategy<Value = Vec<Value>> {
    let texts = (text(200), text(600), text(2_000), text(2_000));
    let times = (number(), number(), number(), number(), number());
    (id(), texts, any::<bool>(), times).prop_map(|(id, texts, completed, times)| {
        vec![
            id,
            Value::Uuid(None),
            texts.0.into(),
            texts.1.into(),
            texts.2.into(),
            texts.3.into(),
            completed.into(),
            times.0.into(),
            times.1.into(),
            times.2.into(),
            times.3.into(),
            times.4.into(),
        ]
    })
}

fn signing_key() -> impl Strategy<Value = Vec<Value>> {
    let times = (number(), number(), time());
    (text(62), text(16), bytes(), bytes(), times).prop_map(
        |(id, algorithm, public, sealed, times)| {
            vec![
                id.into(),
                algorithm.into(),
                public.into(),
                sealed.into(),
                times.0.into(),
                times.1.into(),
                times.2.into(),
            ]
        },
    )
}

fn audit_event() -> impl Strategy<Value = Vec<Value>> {
    let optional = |most| option::of(text(most));
    let event = proptest::prop_oneof![text(32), Just("copied".to_owned())];
    let users = (option::of(any::<u128>()), option::of(any::<u128>()));
    let from = (optional(45), optional(256), optional(64), optional(2_000));
    (id(), number(), event, text(16), users, from).prop_map(|(id, at, event, kind, users, from)| {
        vec![
            id,
            at.into(),
            event.into(),
            kind.into(),
            users.0.map(Uuid::from_u128).into(),
            users.1.map(Uuid::from_u128).into(),
            from.0.into(),
            from.1.into(),
            from.2.into(),
            from.3.into(),
        ]
    })
}

/// A document's key, and what is behind it in its row.
fn document() -> impl Strategy<Value = (String, Vec<Value>)> {
    // More than fits into the smaller type of some engines, now and then.
    let content = proptest::prop_oneof![9 => bytes(), 1 => vec(any::<u8>(), 65_536..70_000)];
    let numbers = (number(), number(), number());
    (text(63), text(32), numbers, content).prop_map(|(key, etag, numbers, content)| {
        let (size, created, updated) = numbers;
        let row = vec![
            etag.into(),
            size.into(),
            created.into(),
            updated.into(),
            content.into(),
        ];
        (key, row)
    })
}

fn role() -> impl Strategy<Value = String> {
    text(31)
}

fn id() -> impl Strategy<Value = Value> {
    any::<u128>().prop_map(|bits| Uuid::from_u128(bits).into())
}

fn number() -> impl Strategy<Value = i64> {
    proptest::prop_oneof![any::<i64>(), select(vec![i64::MIN, -1, 0, 1, i64::MAX])]
}

fn time() -> impl Strategy<Value = Option<i64>> {
    option::of(number())
}

fn bytes() -> impl Strategy<Value = Vec<u8>> {
    proptest::prop_oneof![vec(any::<u8>(), 0..70), Just(Vec::new()), Just(vec![0; 32])]
}

/// Up to `most` letters: of everywhere, combining and astral ones, those that turn the direction of
/// writing, spaces and quotes; often none at all, often as many as fit. NUL is not among them.
fn text(most: usize) -> impl Strategy<Value = String> {
    let special = "\u{301}\u{202e}\u{2066}\u{fe0f}\u{1f980}\u{10ffff}\u{feff}\u{200d}\u{7f}\u{1}\t\n '\"\\%_ßİ";
    let special: Vec<char> = special.chars().collect();
    let letter = proptest::prop_oneof![
        any::<char>().prop_map(|letter| if letter == '\0' { 'a' } else { letter }),
        select(special),
    ];
    let most = most.min(300);
    let length = proptest::prop_oneof![0..=most, Just(0), Just(most)];
    length
        .prop_flat_map(move |length| vec(letter.clone(), length))
        .prop_map(|letters| letters.into_iter().collect())
}
