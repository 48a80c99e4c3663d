//! The words in which the shapes of bodies are written down: JSON Schema 2020-12, as OpenAPI 3.1 has it. Every object is
//! closed, so that a body with a field more is not what was described; every leaf bears an example, of which those of
//! whole bodies are made. What the bodies hold is left to `shapes.rs`.

use serde_json::{Map, Value, json};

/// A schema.
#[derive(Clone)]
pub(super) struct Schema(Value);

/// A field of an object.
pub(super) struct Field {
    name: &'static str,
    schema: Schema,
    required: bool,
}

/// A text, such as this one.
pub(super) fn text(example: &str) -> Schema {
    Schema(json!({ "type": "string", "examples": [example] }))
}

/// A text of one line, without controls and without those that turn the direction of writing.
pub(super) fn line(example: &str) -> Schema {
    text(example).pattern(r"[^\u0000-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]*")
}

/// One of a few words.
pub(super) fn word<'a>(words: impl IntoIterator<Item = &'a str>) -> Schema {
    let words: Vec<_> = words.into_iter().collect();
    Schema(json!({ "type": "string", "enum": words }))
}

/// A whole number from 0 on.
pub(super) fn count(example: u64) -> Schema {
    Schema(json!({ "type": "integer", "format": "int64", "minimum": 0, "examples": [example] }))
}

/// True or false.
pub(super) fn truth(example: bool) -> Schema {
    Schema(json!({ "type": "boolean", "examples": [example] }))
}

/// An id: a UUID in its usual form.
pub(super) fn id() -> Schema {
    text("019a8f6e-7c1b-7d4e-9a53-0f2b6c8d1e47").format("uuid")
}

/// A point in time.
pub(super) fn time() -> Schema {
    text("2026-01-31T12:00:00.000000Z").format("date-time")
}

/// A list.
pub(super) fn list(items: Schema) -> Schema {
    let mut list = json!({ "type": "array" });
    list["items"] = items.0;
    Schema(list)
}

/// A named shape.
pub(super) fn named(name: &str) -> Schema {
    Schema(json!({ "$ref": format!("#/components/schemas/{name}") }))
}

/// One of several named shapes.
pub(super) fn one_of(names: &[&str]) -> Schema {
    let shapes: Vec<_> = names.iter().map(|name| named(name).0).collect();
    Schema(json!({ "oneOf": shapes }))
}

/// Any JSON value, such as this one.
pub(super) fn anything(example: &Value) -> Schema {
    Schema(json!({ "examples": [example] }))
}

/// An object with these fields and no others.
pub(super) fn object(fields: impl IntoIterator<Item = Field>) -> Schema {
    let mut properties = Map::new();
    let mut required = Vec::new();
    for field in fields {
        if field.required {
            required.push(Value::from(field.name));
        }
        properties.insert(field.name.to_owned(), field.schema.0);
    }
    let mut object = json!({
        "type": "object",
        "properties": properties,
        "additionalProperties": false,
    });
    if !required.is_empty() {
        object["required"] = required.into();
    }
    Schema(object)
}

/// A field that is always there.
pub(super) fn required(name: &'static str, schema: Schema) -> Field {
    Field {
        name,
        schema,
        required: true,
    }
}

/// A field that may be left out.
pub(super) fn optional(name: &'static str, schema: Schema) -> Field {
    Field {
        name,
        schema,
        required: false,
    }
}

impl Field {
    /// With a sentence about it. A reference takes none: it has the words of what it names.
    pub(super) fn described(mut self, sentence: &str) -> Self {
        self.schema = self.schema.described(sentence);
        self
    }
}

impl Schema {
    /// With a sentence about it.
    pub(super) fn described(self, sentence: &str) -> Self {
        self.with("description", sentence)
    }

    /// With at least and at most so many characters.
    pub(super) fn of_length(self, least: u64, most: u64) -> Self {
        let bounded = self.with("maxLength", most);
        match least {
            0 => bounded,
            _ => bounded.with("minLength", least),
        }
    }

    /// From one number to another.
    pub(super) fn between(self, least: u64, most: u64) -> Self {
        self.with("minimum", least).with("maximum", most)
    }

    /// With so many items at the most.
    pub(super) fn of_at_most(self, items: u64) -> Self {
        self.with("maxItems", items)
    }

    /// Of a regular expression (ECMA 262), from beginning to end.
    pub(super) fn pattern(self, expression: &str) -> Self {
        self.with("pattern", format!("^{expression}$"))
    }

    /// Of a format that the specification names.
    pub(super) fn format(self, name: &str) -> Self {
        self.with("format", name)
    }

    /// What holds where the value is left out.
    pub(super) fn usually(self, value: impl Into<Value>) -> Self {
        self.with("default", value)
    }

    /// Or null.
    pub(super) fn or_null(self) -> Self {
        let Self(mut schema) = self;
        if let Some(kind) = schema.get("type").cloned() {
            schema["type"] = json!([kind, "null"]);
        }
        if let Some(Value::Array(words)) = schema.get_mut("enum") {
            words.push(Value::Null);
        }
        Self(schema)
    }

    /// With further fields that are not described: what a standard wants to be ignored.
    pub(super) fn open(self) -> Self {
        self.with("additionalProperties", true)
    }

    /// The schema as it stands in a document.
    pub(super) fn into_value(self) -> Value {
        self.0
    }

    fn with(mut self, keyword: &str, value: impl Into<Value>) -> Self {
        self.0[keyword] = value.into();
        self
    }
}

/// A value of a schema, made of the examples of its leaves. `shapes` are the named ones.
pub(super) fn example_of(schema: &Value, shapes: &Map<String, Value>) -> Value {
    if let Some(name) = name_in(schema) {
        return shapes
            .get(name)
            .map_or(Value::Null, |shape| example_of(shape, shapes));
    }
    let first = |keyword| schema.get(keyword).and_then(|values| values.get(0));
    if let Some(example) = first("examples").or_else(|| first("enum")) {
        return example.clone();
    }
    if let Some(branch) = first("oneOf") {
        return example_of(branch, shapes);
    }
    if let Some(items) = schema.get("items") {
        return json!([example_of(items, shapes)]);
    }
    let fields = schema.get("properties").and_then(Value::as_object);
    let fields = fields.into_iter().flatten();
    fields
        .map(|(name, field)| (name.clone(), example_of(field, shapes)))
        .collect::<Map<_, _>>()
        .into()
}

/// The name of the shape that a schema is no more than a reference to.
pub(super) fn name_in(schema: &Value) -> Option<&str> {
    schema.get("$ref")?.as_str()?.rsplit('/').next()
}
