//! The description of the API, and each answer held against it: its status, its headers, its media type, its body and
//! the code of a problem. Every test that sends a request is thereby one of the description as well.

use std::{
    collections::HashMap,
    sync::{Arc, LazyLock, Mutex},
};

use axum::http::Method;
use jsonschema::Validator;
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

/// The operation of a method and a template of a path.
pub(crate) fn operation<'a>(method: &str, template: &str) -> Option<&'a Value> {
    DOCUMENT["paths"]
        .get(template)?
        .get(method.to_ascii_lowercase())
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

/// What is wrong about a value by a schema of the document.
pub(crate) fn faults(schema: &Value, value: &Value) -> Vec<String> {
    static KNOWN: LazyLock<Mutex<HashMap<String, Arc<Validator>>>> = LazyLock::new(Mutex::default);
    let make = || {
        let mut whole = schema.clone();
        // References within the schema are to the parts of the document.
        whole["components"] = json!({ "schemas": DOCUMENT["components"]["schemas"] });
        let validator = jsonschema::draft202012::options()
            .should_validate_formats(true)
            .build(&whole);
        Arc::new(validator.unwrap_or_else(|error| panic!("{error} in {schema}")))
    };
    let mut known = KNOWN.lock().expect("validators that nobody broke");
    let validator = Arc::clone(known.entry(schema.to_string()).or_insert_with(make));
    drop(known);
    let faults = validator.iter_errors(value);
    faults
        .map(|fault| format!("{fault} at {}", fault.instance_path()))
        .collect()
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
    let faults = faults(&described["schema"], &answer.json());
    assert!(faults.is_empty(), "{faults:?}: {asked}");
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
