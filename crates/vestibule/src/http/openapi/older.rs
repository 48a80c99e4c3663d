//! The document in version 3.0.3 of the specification, for tools that read no other. Its schemas are an older kind of
//! JSON Schema, so what they cannot say in the same words is said in theirs.

use serde_json::{Map, Value};

/// The same document in version 3.0.3.
pub(super) fn in_3_0(mut document: Value) -> Value {
    document["openapi"] = "3.0.3".into();
    if let Some(license) = document
        .pointer_mut("/info/license")
        .and_then(Value::as_object_mut)
    {
        license.remove("identifier");
    }
    find(&mut document);
    document
}

/// Looks for schemas. Examples are data, whatever they look like.
fn find(value: &mut Value) {
    match value {
        Value::Object(object) => {
            for (key, inner) in object {
                match (key.as_str(), inner) {
                    ("schema", schema) => rewrite(schema),
                    ("schemas", Value::Object(shapes)) => shapes.values_mut().for_each(rewrite),
                    ("example" | "examples", _) => {}
                    (_, inner) => find(inner),
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(find),
        _ => {}
    }
}

/// Rewrites a schema and those within it.
fn rewrite(schema: &mut Value) {
    let Value::Object(schema) = schema else {
        return;
    };
    take_null_apart(schema);
    take_first_example(schema);
    for (keyword, inner) in schema {
        match (keyword.as_str(), inner) {
            ("properties", Value::Object(fields)) => fields.values_mut().for_each(rewrite),
            ("oneOf", Value::Array(branches)) => branches.iter_mut().for_each(rewrite),
            ("items", items) => rewrite(items),
            _ => {}
        }
    }
}

/// A list of types, of which 3.0 knows one and a mark for null.
fn take_null_apart(schema: &mut Map<String, Value>) {
    let Some(Value::Array(kinds)) = schema.get("type") else {
        return;
    };
    let kind = kinds.iter().find(|kind| *kind != "null").cloned();
    schema.insert("type".to_owned(), kind.unwrap_or(Value::Null));
    schema.insert("nullable".to_owned(), true.into());
}

/// The examples of a schema, which are a list; those of a body have names, in both versions.
fn take_first_example(schema: &mut Map<String, Value>) {
    if !matches!(schema.get("examples"), Some(Value::Array(_))) {
        return;
    }
    let examples = schema.remove("examples");
    if let Some(example) = examples.as_ref().and_then(|examples| examples.get(0)) {
        schema.insert("example".to_owned(), example.clone());
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn null_is_a_mark_and_examples_are_one() {
        let schema = json!({ "type": ["string", "null"], "examples": ["a", "b"] });
        let document = in_3_0(json!({ "components": { "schemas": { "Name": schema } } }));
        let expected = json!({ "type": "string", "nullable": true, "example": "a" });
        assert_eq!(document["components"]["schemas"]["Name"], expected);
    }

    #[test]
    fn examples_of_bodies_keep_their_names() {
        let body = json!({ "examples": { "a": { "value": { "type": ["string", "null"] } } } });
        let document = in_3_0(json!({ "content": body }));
        assert_eq!(document["content"], body);
    }
}
