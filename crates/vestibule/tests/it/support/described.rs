//! The description of the API, and each answer held against it: its status, its headers, its media type, its body and
//! the code of a problem. Every test that sends a request is thereby one of the description as well.

use std::{
    collections::HashMap,
    sync::{LazyLock, Mutex},
};

use axum::http::Method;
use boon::{Compiler, Draft, SchemaIndex, Schemas};
use serde_json::{Value, json};
use vestibule::http::openapi::{Version, text};

use super::Answer;

/// The document.
pub(crate) static DOCUMENT: LazyLock<Value> =
    LazyLock::new(|| serde_json::from_str(&text(Version::V3_1)).expect("JSON"));

/// Headers that tell a client something about this very answer, so that it must be described which operations have them.
const TELLING: [&str; 11] = [
    "accept-patch",
    "content-disposition",
    "etag",
    "link",
    "location",
    "pragma",
    "ratelimit",
    "ratelimit-policy",
    "retry-after",
    "set-cookie",
    "www-authenticate",
];

/// The operation of a method, in which case counts (RFC 9110 section 9.1), and a template of a path.
fn operation(method: &str, template: &str) -> Option<&'static Value> {
    let operations = DOCUMENT["paths"][template].as_object()?;
    let mut operations = operations.iter();
    let (_, operation) = operations.find(|(name, _)| name.to_ascii_uppercase() == method)?;
    Some(operation)
}

/// What a reference leads to; anything else is what it is.
pub(crate) fn resolved(value: &'static Value) -> &'static Value {
    let Some(target) = value["$ref"].as_str() else {
        return value;
    };
    let pointer = target.strip_prefix('#').expect("a reference within");
    DOCUMENT
        .pointer(pointer)
        .unwrap_or_else(|| panic!("{target} leads nowhere"))
}

/// What is wrong about a value by a schema of the document, if anything is.
pub(crate) fn fault(schema: &Value, value: &Value) -> Option<String> {
    static COMPILED: LazyLock<Mutex<HashMap<String, (Schemas, SchemaIndex)>>> =
        LazyLock::new(Mutex::default);
    let mut compiled = COMPILED.lock().expect("schemas that nobody broke");
    let (schemas, index) = compiled
        .entry(schema.to_string())
        .or_insert_with(|| compile(schema));
    let judged = schemas.validate(value, *index);
    judged.err().map(|fault| format!("{fault:#}"))
}

fn compile(schema: &Value) -> (Schemas, SchemaIndex) {
    let mut whole = schema.clone();
    // References within the schema are to the parts of the document.
    whole["components"] = json!({ "schemas": DOCUMENT["components"]["schemas"] });
    let mut compiler = Compiler::new();
    compiler.set_default_draft(Draft::V2020_12);
    compiler.enable_format_assertions();
    let name = "http://localhost/schema.json";
    let added = compiler.add_resource(name, whole);
    added.unwrap_or_else(|error| panic!("{error:#}: {schema}"));
    let mut schemas = Schemas::new();
    let index = compiler.compile(name, &mut schemas);
    let index = index.unwrap_or_else(|error| panic!("{error:#}: {schema}"));
    (schemas, index)
}

/// Holds an answer against the description of its operation. What is no operation, such as a page, has none.
#[track_caller]
pub(super) fn check(method: &Method, path: &str, answer: &Answer, asked: &str) {
    let asked_for = if method == Method::HEAD {
        "GET"
    } else {
        method.as_str()
    };
    let Some(operation) = template_of(path).and_then(|template| operation(asked_for, template))
    else {
        return;
    };
    let described = operation["responses"].get(answer.status.to_string());
    let Some(described) = described.map(resolved) else {
        panic!(
            "{} is not described for {}: {asked}",
            answer.status, operation["operationId"]
        );
    };
    check_headers(described, answer, asked);
    if method != Method::HEAD && answer.header("content-encoding").is_none() {
        check_body(described, answer, asked);
    }
}

fn check_headers(described: &'static Value, answer: &Answer, asked: &str) {
    let headers = described["headers"].as_object().expect("headers");
    for (name, header) in headers {
        let is_there = answer.headers.contains_key(name);
        let needed = resolved(header)["required"] == true;
        assert!(is_there || !needed, "no {name}: {asked}");
    }
    for name in TELLING
        .iter()
        .filter(|name| answer.headers.contains_key(**name))
    {
        let known = headers.keys().any(|known| known.eq_ignore_ascii_case(name));
        assert!(known, "{name} is not described: {asked}");
    }
}

fn check_body(described: &'static Value, answer: &Answer, asked: &str) {
    let Some(content) = described.get("content") else {
        assert!(answer.body.is_empty(), "a body is not described: {asked}");
        return;
    };
    let media_type = answer.header("content-type").unwrap_or_default();
    let Some(described) = content.get(media_type) else {
        panic!("{media_type} is not described: {asked}");
    };
    // What has no shape may be any value, and hold what no type of ours does.
    if described["schema"].get("$ref").is_none() {
        return;
    }
    let fault = fault(&described["schema"], &answer.json());
    assert_eq!(fault, None, "{asked}");
    if media_type == "application/problem+json" {
        let code = answer.code();
        assert!(
            described["examples"].get(&code).is_some(),
            "{code} is not described: {asked}"
        );
    }
}

/// The template that a path is of; one without parameters before one with.
fn template_of(path: &str) -> Option<&'static str> {
    let fits = |template: &str| {
        let (wanted, found) = (template.split('/'), path.split('/'));
        wanted.clone().count() == found.clone().count()
            && wanted.zip(found).all(|(wanted, found)| {
                wanted == found || (wanted.starts_with('{') && !found.is_empty())
            })
    };
    let templates = DOCUMENT["paths"].as_object().expect("paths").keys();
    let fitting = templates.filter(|template| fits(template));
    fitting
        .min_by_key(|template| template.matches('{').count())
        .map(String::as_str)
}
