//! Installations of random rows, written and read around the store, so that nothing of a copy is
//! judged by itself.

use proptest::{
    collection::vec,
    prelude::{BoxedStrategy, Just, Strategy, any},
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

/// What a column may hold.
#[derive(Clone, Copy)]
enum Kind {
    Id,
    /// The id of a user who is there.
    Owner,
    /// So many letters at the most.
    Text(usize),
    /// The same, but never twice in a table, with some letters more for that.
    Name(usize),
    /// The word for an event, which may be that of a copy.
    Event,
    Bytes,
    /// Bytes of which there may be many.
    Content,
    Number,
    Truth,
    /// This, or nothing.
    Maybe(&'static Kind),
}
use Kind::{Bytes, Content, Event, Id, Maybe, Name, Number, Owner, Text, Truth};

/// The tables that hold what users and operators have made, in an order in which they can be filled.
pub(super) const TABLES: &[Table] = &[
    Table {
        name: "users",
        columns: &[
            ("id", Id),
            ("email", Text(254)),
            ("email_key", Maybe(&Name(250))),
            ("username", Maybe(&Text(32))),
            ("username_key", Maybe(&Name(28))),
            ("name", Maybe(&Text(200))),
            ("password_hash", Maybe(&Text(2_000))),
            ("email_verified", Truth),
            ("disabled_at", Maybe(&Number)),
            ("deleted_at", Maybe(&Number)),
            ("created_at", Number),
            ("updated_at", Number),
            ("purging", Truth),
        ],
        key: 1,
    },
    Table {
        name: "user_roles",
        columns: &[("user_id", Owner), ("role", Name(30))],
        key: 2,
    },
    Table {
        name: "sessions",
        columns: &[
            ("id", Id),
            ("user_id", Owner),
            ("kind", Text(8)),
            ("generation", Number),
            ("token_hash", Maybe(&Bytes)),
            ("nonce", Maybe(&Bytes)),
            ("rotated_at", Maybe(&Number)),
            ("created_at", Number),
            ("last_used_at", Number),
            ("idle_expires_at", Number),
            ("expires_at", Number),
            ("address", Maybe(&Text(45))),
            ("user_agent", Maybe(&Text(256))),
        ],
        key: 1,
    },
    Table {
        name: "signing_keys",
        columns: &[
            ("id", Name(62)),
            ("algorithm", Text(16)),
            ("public_key", Bytes),
            ("sealed_private_key", Bytes),
            ("created_at", Number),
            ("signs_from", Number),
            ("retires_at", Maybe(&Number)),
        ],
        key: 1,
    },
    Table {
        name: "audit_events",
        columns: &[
            ("id", Id),
            ("at", Number),
            ("event", Event),
            ("actor_kind", Text(16)),
            ("actor_id", Maybe(&Id)),
            ("subject_id", Maybe(&Id)),
            ("address", Maybe(&Text(45))),
            ("user_agent", Maybe(&Text(256))),
            ("request_id", Maybe(&Text(64))),
            ("detail", Maybe(&Text(2_000))),
        ],
        key: 1,
    },
    Table {
        name: "todos",
        columns: &[
            ("id", Id),
            ("user_id", Owner),
            ("title", Text(200)),
            ("title_key", Text(600)),
            ("description", Text(2_000)),
            ("description_key", Text(2_000)),
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
            ("user_id", Owner),
            ("key", Name(62)),
            ("etag", Text(32)),
            ("size", Number),
            ("created_at", Number),
            ("updated_at", Number),
            ("content", Content),
        ],
        key: 2,
    },
];

/// The tables into which the migrations put rows, and nobody else.
pub(super) const SEEDED: [&str; 2] = ["revocations", "meta"];

/// Rows of each table at the most: fewer than a hundred, so that the number of one has two digits.
const MOST: usize = 30;

/// The rows of each table.
pub(super) type Rows = Vec<Vec<Vec<Value>>>;

/// Rows for each of [`TABLES`], of everything that a column may hold and every engine can keep.
pub(super) fn installations() -> impl Strategy<Value = Rows> {
    let rows = |table: &Table| {
        let columns = table.columns.iter().map(|(_, kind)| kind.values());
        vec(columns.collect::<Vec<_>>(), 0..MOST)
    };
    TABLES
        .iter()
        .map(rows)
        .collect::<Vec<_>>()
        .prop_map(connected)
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
    for table in TABLES {
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
            let values = columns.map(|(place, (_, kind))| kind.read(row, place));
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

/// The rows with a user for each owner, and another number in each name.
fn connected(mut rows: Rows) -> Rows {
    let users: Vec<Value> = rows[0].iter().map(|user| user[0].clone()).collect();
    for (table, rows) in TABLES.iter().zip(&mut rows) {
        let of_users = |(_, kind): &(&str, Kind)| matches!(kind, Owner);
        if users.is_empty() && table.columns.iter().any(of_users) {
            rows.clear();
        }
        for (number, row) in rows.iter_mut().enumerate() {
            for ((_, kind), value) in table.columns.iter().zip(row) {
                match (kind, value) {
                    (Owner, owner) => *owner = users[number * 7 % users.len()].clone(),
                    (Name(_) | Maybe(Name(_)), Value::String(Some(text))) => {
                        *text = format!("{number}{text}");
                    }
                    _ => {}
                }
            }
        }
    }
    rows
}

impl Kind {
    fn values(self) -> BoxedStrategy<Value> {
        match self {
            Id | Owner => any::<u128>()
                .prop_map(|bits| Uuid::from_u128(bits).into())
                .boxed(),
            Text(most) | Name(most) => text(most).prop_map(Value::from).boxed(),
            Event => proptest::prop_oneof![text(32), Just("copied".to_owned())]
                .prop_map(Value::from)
                .boxed(),
            Bytes => bytes().prop_map(Value::from).boxed(),
            // More than fits into the smaller type of some engines, now and then.
            Content => proptest::prop_oneof![9 => bytes(), 1 => vec(any::<u8>(), 65_536..70_000)]
                .prop_map(Value::from)
                .boxed(),
            Number => {
                proptest::prop_oneof![any::<i64>(), select(vec![i64::MIN, -1, 0, 1, i64::MAX])]
                    .prop_map(Value::from)
                    .boxed()
            }
            Truth => any::<bool>().prop_map(Value::from).boxed(),
            Maybe(kind) => proptest::prop_oneof![kind.values(), Just(kind.nothing())].boxed(),
        }
    }

    fn nothing(self) -> Value {
        match self {
            Id | Owner => Value::Uuid(None),
            Text(_) | Name(_) | Event => Value::String(None),
            Bytes | Content => Value::Bytes(None),
            Number => Value::BigInt(None),
            Truth => Value::Bool(None),
            Maybe(kind) => kind.nothing(),
        }
    }

    fn read(self, row: &sea_orm::QueryResult, place: usize) -> Value {
        match self {
            Id | Owner => row.try_get_by_index::<Option<Uuid>>(place).unwrap().into(),
            Text(_) | Name(_) | Event => row
                .try_get_by_index::<Option<String>>(place)
                .unwrap()
                .into(),
            Bytes | Content => row
                .try_get_by_index::<Option<Vec<u8>>>(place)
                .unwrap()
                .into(),
            Number => row.try_get_by_index::<Option<i64>>(place).unwrap().into(),
            Truth => row.try_get_by_index::<Option<bool>>(place).unwrap().into(),
            Maybe(kind) => kind.read(row, place),
        }
    }
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
