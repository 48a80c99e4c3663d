//! Statements that run often, whose text is rendered once for each engine: to build it anew would cost more than most else
//! about them. What they say is left to where they are used.

use std::sync::OnceLock;

use sea_orm::{
    DbBackend, EntityTrait, Statement, Value, Values,
    sea_query::{Query, SimpleExpr},
};

/// A statement of `N` parameters. Its definition builds it for an engine; where it has one of the values that it is given,
/// it later has the argument in the place of that value.
pub(crate) struct Rendered<const N: usize> {
    definition: fn(DbBackend, [Value; N]) -> Statement,
    sqlite: OnceLock<Text>,
    postgres: OnceLock<Text>,
    mysql: OnceLock<Text>,
}

struct Text {
    sql: String,
    slots: Vec<Slot>,
}

/// What belongs into a place of the text.
enum Slot {
    /// The argument of this index.
    Argument(usize),
    /// The same each time.
    Constant(Value),
}

/// The value that stands for the argument of index 0 while a definition is rendered; those of the others follow. No
/// statement of ours has such a number of its own.
const FIRST_MARK: i64 = i64::MIN;

impl<const N: usize> Rendered<N> {
    pub(crate) const fn new(definition: fn(DbBackend, [Value; N]) -> Statement) -> Self {
        Self {
            definition,
            sqlite: OnceLock::new(),
            postgres: OnceLock::new(),
            mysql: OnceLock::new(),
        }
    }

    /// The statement with these arguments, for this engine.
    pub(crate) fn with(&self, backend: DbBackend, arguments: &[Value; N]) -> Statement {
        let text = match backend {
            DbBackend::Postgres => &self.postgres,
            DbBackend::MySql => &self.mysql,
            _ => &self.sqlite,
        };
        let text = text.get_or_init(|| self.render(backend));
        let values = text.slots.iter().map(|slot| match slot {
            Slot::Argument(index) => arguments[*index].clone(),
            Slot::Constant(value) => value.clone(),
        });
        Statement {
            sql: text.sql.clone(),
            values: Some(Values(values.collect())),
            db_backend: backend,
        }
    }

    fn render(&self, backend: DbBackend) -> Text {
        let marks = std::array::from_fn(|index| Value::BigInt(Some(FIRST_MARK + index as i64)));
        let statement = (self.definition)(backend, marks);
        let values = statement.values.map_or_else(Vec::new, |values| values.0);
        let slot = |value| match value {
            Value::BigInt(Some(number))
                if (FIRST_MARK..FIRST_MARK + N as i64).contains(&number) =>
            {
                Slot::Argument((number - FIRST_MARK) as usize)
            }
            constant => Slot::Constant(constant),
        };
        Text {
            sql: statement.sql,
            slots: values.into_iter().map(slot).collect(),
        }
    }
}

/// The statement that adds a row of these values to the table; its other columns are NULL.
pub(crate) fn insertion<E: EntityTrait, const N: usize>(
    table: E,
    columns: [E::Column; N],
    backend: DbBackend,
    values: [Value; N],
) -> Statement {
    let mut insertion = Query::insert();
    insertion
        .into_table(table)
        .columns(columns)
        .values_panic(values.map(SimpleExpr::Value));
    backend.build(&insertion)
}

#[cfg(test)]
mod tests {
    use sea_orm::{
        ColumnTrait as _, EntityTrait as _, QueryFilter as _, QueryTrait as _, sea_query::Expr,
    };

    use super::*;
    use crate::entity::session;

    static ENDING: Rendered<2> = Rendered::new(ending);

    fn ending(backend: DbBackend, [now, id]: [Value; 2]) -> Statement {
        session::Entity::update_many()
            .col_expr(session::Column::Generation, Expr::value(7))
            .filter(session::Column::Id.eq(id))
            .filter(session::Column::IdleExpiresAt.gt(now.clone()))
            .filter(session::Column::ExpiresAt.gt(now))
            .build(backend)
    }

    #[test]
    fn each_argument_stands_where_the_definition_has_its_value() {
        for backend in [DbBackend::Sqlite, DbBackend::Postgres, DbBackend::MySql] {
            for round in 0..2i64 {
                let arguments = [Value::from(round), Value::from(uuid::Uuid::nil())];
                assert_eq!(ENDING.with(backend, &arguments), ending(backend, arguments));
            }
        }
    }
}
