//! The description of the API: that it is whole, closed and fresh. That answers are as it says is held in
//! `support/described.rs` at every request of every test, that bodies are read as it says in `openapi/bodies.rs`.

mod bodies;

use std::{collections::BTreeSet, fs};

use serde_json::{Map, Value};
use vestibule::http::openapi::{Version, text};

use crate::{
    access::{
        self,
        cast::{Actor, Cast, Kind},
        routes,
    },
    support::{
        TestApp,
        described::{DOCUMENT, fault, resolved},
    },
};

/// Methods and paths of the document with their operations.
fn operations() -> Vec<(String, String, &'static Value)> {
    let paths = DOCUMENT["paths"].as_object().expect("paths");
    let methods = |path: &'static Value| path.as_object().expect("methods").iter();
    let all = paths.iter().flat_map(|(path, item)| {
        methods(item)
            .map(move |(method, operation)| (method.to_uppercase(), path.clone(), operation))
    });
    all.collect()
}

/// The operations that the router has. What it has beyond them are pages, their files and what is nothing.
#[tokio::test]
async fn the_document_has_each_route_of_the_router_and_no_other() {
    let app = access::server().await;
    let is_page = |path: &str| {
        let below = ["/api/ui/", "/api/docs"]
            .iter()
            .any(|start| path.starts_with(start));
        below
            || !(path.starts_with("/api/")
                || path.starts_with("/.well-known/")
                || path.ends_with('z'))
    };
    let described_as = |(method, path): (String, String)| match path.as_str() {
        // No document can have an operation of any method.
        routes::FORWARD => ("GET".to_owned(), path),
        _ => (method, path),
    };
    let in_router: BTreeSet<_> = routes::of_router(&app)
        .await
        .into_iter()
        .map(described_as)
        .filter(|(method, path)| method != "ANY" && !is_page(path))
        .collect();
    let described: BTreeSet<_> = operations()
        .into_iter()
        .map(|(method, path, _)| (method, path))
        .collect();
    assert_eq!(described, in_router);
}

#[tokio::test]
async fn the_server_gives_the_document_that_the_program_prints() {
    let (_app, anon) = TestApp::new().await;
    let answer = anon.get("/api/openapi.json").await.expect_status(200);
    assert_eq!(answer.text(), text(Version::V3_1));
}

/// Writes the copy anew where it is stale, so that the next run passes and the change can be reviewed.
#[test]
fn the_committed_copy_is_fresh() {
    let path = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../docs/reference/openapi.json"
    );
    let fresh = text(Version::V3_1);
    if fs::read_to_string(path).is_ok_and(|copy| copy == fresh) {
        return;
    }
    fs::write(path, fresh).expect("a place to write");
    panic!("docs/reference/openapi.json was stale and has been written anew: review and commit it");
}

#[test]
fn each_operation_says_what_it_does_and_has_an_id_of_its_own() {
    let mut ids = BTreeSet::new();
    for (method, path, operation) in operations() {
        for key in ["operationId", "summary", "description"] {
            let text = operation[key].as_str().unwrap_or_default();
            assert!(!text.is_empty(), "{method} {path} has no {key}");
        }
        assert!(
            ids.insert(operation["operationId"].as_str()),
            "{method} {path}"
        );
        assert_eq!(
            operation["tags"].as_array().map(Vec::len),
            Some(1),
            "{method} {path}"
        );
    }
    assert_eq!(ids.len(), operations().len());
}

#[test]
fn each_answer_has_a_status_and_a_request_id() {
    for (method, path, operation) in operations() {
        for (status, answer) in operation["responses"].as_object().expect("answers") {
            let number: u16 = status.parse().expect("a status and no `default`");
            assert!((200..600).contains(&number), "{method} {path}: {status}");
            let answer = resolved(answer);
            assert!(
                answer["headers"]["X-Request-Id"].is_object(),
                "{method} {path}: {status}"
            );
            assert!(
                answer["description"]
                    .as_str()
                    .is_some_and(|text| !text.is_empty())
            );
        }
    }
}

/// Generators make a client that does not compile of one body by two types.
#[test]
fn a_body_has_one_media_type() {
    for (method, path, operation) in operations() {
        let content = operation["requestBody"]["content"].as_object();
        let types = content.map_or(0, Map::len);
        assert!(types <= 1, "{method} {path} has {types} media types");
    }
}

#[tokio::test]
async fn a_parameter_may_be_empty_where_it_is_described_so() {
    let app = access::server().await;
    let admin = Cast::new(&app, Kind::Bearer).await.make(Actor::Admin).await;
    let mut tried = 0;
    for (_, path, operation) in operations() {
        let parameters = operation["parameters"].as_array();
        for parameter in parameters.into_iter().flatten() {
            if parameter["allowEmptyValue"] == true {
                let name = parameter["name"].as_str().expect("a name");
                let asked = format!("{path}?{name}=");
                admin.client.get(&asked).await.expect_status(200);
                tried += 1;
            }
        }
    }
    assert!(tried >= 5, "{tried} parameters");
}

/// Two shapes are open, as their standards want it: the form of RFC 6749 and a key of RFC 7517.
#[test]
fn every_object_is_closed() {
    let shapes = DOCUMENT["components"]["schemas"]
        .as_object()
        .expect("shapes");
    for (name, shape) in shapes {
        each_object(shape, &mut |object| {
            let is_open = ["TokenRequest", "Jwk"].contains(&name.as_str());
            assert_eq!(object["additionalProperties"], is_open, "{name}: {object}");
        });
    }
}

fn each_object(schema: &Value, then: &mut impl FnMut(&Value)) {
    if schema["type"] == "object" {
        then(schema);
    }
    match schema {
        Value::Object(inner) => inner.values().for_each(|value| each_object(value, then)),
        Value::Array(inner) => inner.iter().for_each(|value| each_object(value, then)),
        _ => {}
    }
}

#[test]
fn every_example_is_of_its_schema() {
    let mut seen = 0;
    each_content(&DOCUMENT, &mut |content| {
        let named = content["examples"]
            .as_object()
            .into_iter()
            .flat_map(Map::values);
        let named = named.map(|example| &resolved(example)["value"]);
        for example in named.chain(content.get("example")) {
            assert_eq!(fault(&content["schema"], example), None, "{example}");
            seen += 1;
        }
    });
    assert!(seen >= operations().len(), "{seen} examples");
}

/// Whatever has a schema and an example of it.
fn each_content(value: &'static Value, then: &mut impl FnMut(&'static Value)) {
    if value.get("schema").is_some()
        && (value.get("example").is_some() || value["examples"].is_object())
    {
        then(value);
    }
    match value {
        Value::Object(inner) => inner.values().for_each(|value| each_content(value, then)),
        Value::Array(inner) => inner.iter().for_each(|value| each_content(value, then)),
        _ => {}
    }
}

#[test]
fn every_reference_leads_somewhere_and_every_part_is_used() {
    let mut used = BTreeSet::new();
    each_reference(&DOCUMENT, &mut used);
    for kind in ["schemas", "responses", "examples", "headers"] {
        for name in DOCUMENT["components"][kind]
            .as_object()
            .expect("parts")
            .keys()
        {
            let reference = format!("#/components/{kind}/{name}");
            // No operation has a method that its path does not take.
            let is_of_other_methods = reference.ends_with("/method_not_allowed");
            assert!(
                used.remove(&reference) || is_of_other_methods,
                "{reference} is not used"
            );
        }
    }
    assert!(used.is_empty(), "{used:?} lead nowhere");
}

fn each_reference(value: &Value, found: &mut BTreeSet<String>) {
    match value {
        Value::Object(inner) => {
            found.extend(inner.get("$ref").and_then(Value::as_str).map(str::to_owned));
            inner
                .values()
                .for_each(|value| each_reference(value, found));
        }
        Value::Array(inner) => inner.iter().for_each(|value| each_reference(value, found)),
        _ => {}
    }
}
