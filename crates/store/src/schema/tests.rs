//! The comparison on made-up schemas: nothing of what differs is left out, and nothing else is named.

use super::*;

fn table(columns: &[(&str, ColumnKind, bool)], key: &[&str]) -> Schema {
    let named = |names: &[&str]| names.iter().map(ToString::to_string).collect::<Vec<_>>();
    let of = |name: &str| SchemaObject::Column("t".into(), name.into());
    let mut schema = vec![(SchemaObject::Table("t".into()), Definition::Table)];
    schema.extend(columns.iter().map(|(name, kind, is_nullable)| {
        let definition = Definition::Column {
            kind: kind.clone(),
            is_nullable: *is_nullable,
        };
        (of(name), definition)
    }));
    let key = Definition::PrimaryKey(named(key));
    schema.push((SchemaObject::PrimaryKey("t".into()), key));
    schema
}

fn said(declared: &Schema, found: &Schema) -> Vec<String> {
    let differences = differences(declared, found);
    differences.iter().map(ToString::to_string).collect()
}

#[test]
fn equal_schemas_have_no_differences_whatever_their_order() {
    let declared = table(
        &[
            ("a", ColumnKind::Uuid, false),
            ("b", ColumnKind::Text, true),
        ],
        &["a"],
    );
    let mut found = declared.clone();
    found.reverse();
    assert_eq!(said(&declared, &found), Vec::<String>::new());
}

#[test]
fn a_column_is_missing_extra_or_of_another_type_or_nullability() {
    let declared = table(
        &[
            ("a", ColumnKind::Uuid, false),
            ("b", ColumnKind::Text, true),
        ],
        &["a"],
    );
    let without = table(&[("a", ColumnKind::Uuid, false)], &["a"]);
    assert_eq!(
        said(&declared, &without),
        ["the column t.b (a text in order of bytes, nullable) is missing"]
    );
    assert_eq!(
        said(&without, &declared),
        ["the column t.b is not of this release"]
    );
    let blob = table(
        &[
            ("a", ColumnKind::Uuid, false),
            ("b", ColumnKind::Blob, true),
        ],
        &["a"],
    );
    assert_eq!(
        said(&declared, &blob),
        ["the column t.b is a blob, nullable, and should be a text in order of bytes, nullable"]
    );
    let strict = table(
        &[
            ("a", ColumnKind::Uuid, false),
            ("b", ColumnKind::Text, false),
        ],
        &["a"],
    );
    assert_eq!(said(&declared, &strict).len(), 1);
    let long = table(&[("a", ColumnKind::String(9), false)], &["a"]);
    let short = table(&[("a", ColumnKind::String(8), false)], &["a"]);
    assert_eq!(said(&long, &short).len(), 1);
}

#[test]
fn an_engine_that_keeps_integers_alike_may_have_either() {
    let found = table(&[("a", ColumnKind::AnyInteger, false)], &["a"]);
    for kind in [ColumnKind::Integer, ColumnKind::BigInteger] {
        let declared = |is_nullable| table(&[("a", kind.clone(), is_nullable)], &["a"]);
        assert_eq!(said(&declared(false), &found), Vec::<String>::new());
        assert_eq!(said(&declared(true), &found).len(), 1);
    }
    let other = table(&[("a", ColumnKind::Boolean, false)], &["a"]);
    assert_eq!(said(&other, &found).len(), 1);
}

#[test]
fn an_engine_that_keeps_blobs_alike_may_have_either() {
    let found = table(&[("a", ColumnKind::AnyBlob, false)], &["a"]);
    let large = table(&[("a", ColumnKind::LargeBlob, false)], &["a"]);
    let small = table(&[("a", ColumnKind::Blob, false)], &["a"]);
    for declared in [&large, &small] {
        assert_eq!(said(declared, &found), Vec::<String>::new());
    }
    assert_eq!(said(&large, &small).len(), 1);
    assert_eq!(said(&small, &large).len(), 1);
    let other = table(&[("a", ColumnKind::Text, false)], &["a"]);
    assert_eq!(said(&other, &found).len(), 1);
}

#[test]
fn the_order_of_a_key_counts() {
    let columns = [
        ("a", ColumnKind::Uuid, false),
        ("b", ColumnKind::Uuid, false),
    ];
    assert_eq!(
        said(&table(&columns, &["a", "b"]), &table(&columns, &["b", "a"])),
        ["the primary key of t is on b, a, and should be on a, b"]
    );
}

#[test]
fn a_missing_table_is_missing_with_all_that_is_in_it() {
    let declared = table(&[("a", ColumnKind::Uuid, false)], &["a"]);
    assert_eq!(
        said(&declared, &Schema::new()),
        [
            "the table t (a table) is missing",
            "the column t.a (a UUID, not nullable) is missing",
            "the primary key of t (on a) is missing",
        ]
    );
}
