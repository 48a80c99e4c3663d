//! The schema that the entities declare: their columns and relations, and the indexes beside them.

use sea_orm::{
    ColumnTrait, ColumnType, DbBackend, EntityTrait, IdenStatic as _, Identity, Iterable as _,
    PrimaryKeyToColumn as _, RelationDef, RelationTrait as _,
    sea_query::{ForeignKeyAction, StringLen, TableRef},
};

use super::{ColumnKind, Definition, Index, Schema, SchemaObject};
use crate::entity::{self, TableVisitor};

/// The tables, those that others point to first.
pub(super) fn schema(engine: DbBackend) -> Schema {
    let mut declared = Declared {
        schema: Schema::new(),
        engine,
    };
    entity::visit_all(&mut declared);
    declared.schema
}

struct Declared {
    schema: Schema,
    engine: DbBackend,
}

impl TableVisitor for Declared {
    fn visit<E: EntityTrait>(&mut self, table: E, indexes: &[Index]) {
        let (schema, name) = (&mut self.schema, table.table_name().to_owned());
        schema.push((SchemaObject::Table(name.clone()), Definition::Table));
        for column in E::Column::iter() {
            let object = SchemaObject::Column(name.clone(), column.as_str().to_owned());
            let declared = column.def();
            let definition = Definition::Column {
                kind: kind(declared.get_column_type()),
                is_nullable: declared.is_null(),
            };
            schema.push((object, definition));
        }
        let key = E::PrimaryKey::iter().map(|key| key.into_column().as_str().to_owned());
        schema.push((
            SchemaObject::PrimaryKey(name.clone()),
            Definition::PrimaryKey(key.collect()),
        ));
        for index in indexes {
            let object = SchemaObject::Index(name.clone(), index.name.to_owned());
            let definition = Definition::Index {
                columns: index.columns.iter().map(ToString::to_string).collect(),
                is_unique: index.is_unique,
                is_sparse: index.is_sparse(self.engine),
            };
            schema.push((object, definition));
        }
        // The owner of a relation is the one that is pointed to.
        let relations = E::Relation::iter().map(|relation| relation.def());
        let foreign_keys = relations.filter(|relation| !relation.is_owner);
        schema.extend(foreign_keys.map(|relation| foreign_key(name.clone(), &relation)));
    }
}

fn kind(declared: &ColumnType) -> ColumnKind {
    match declared {
        ColumnType::Uuid => ColumnKind::Uuid,
        ColumnType::BigInteger => ColumnKind::BigInteger,
        ColumnType::Integer => ColumnKind::Integer,
        ColumnType::Boolean => ColumnKind::Boolean,
        ColumnType::String(StringLen::N(length)) => ColumnKind::String(*length),
        ColumnType::Text => ColumnKind::Text,
        ColumnType::VarBinary(StringLen::Max) => ColumnKind::LargeBlob,
        ColumnType::Blob | ColumnType::VarBinary(StringLen::None) => ColumnKind::Blob,
        other => ColumnKind::Other(format!("{other:?}")),
    }
}

fn foreign_key(table: String, relation: &RelationDef) -> (SchemaObject, Definition) {
    let object = SchemaObject::ForeignKey(table, names(&relation.from_col));
    let definition = Definition::ForeignKey {
        table: match &relation.to_tbl {
            TableRef::Table(name, _) => name.1.to_string(),
            other => format!("{other:?}"),
        },
        columns: names(&relation.to_col),
        on_delete: match relation.on_delete {
            Some(ForeignKeyAction::Cascade) => "CASCADE".to_owned(),
            Some(ForeignKeyAction::SetNull) => "SET NULL".to_owned(),
            Some(ForeignKeyAction::SetDefault) => "SET DEFAULT".to_owned(),
            Some(ForeignKeyAction::Restrict) => "RESTRICT".to_owned(),
            None | Some(_) => "NO ACTION".to_owned(),
        },
    };
    (object, definition)
}

fn names(columns: &Identity) -> Vec<String> {
    columns.iter().map(ToString::to_string).collect()
}
