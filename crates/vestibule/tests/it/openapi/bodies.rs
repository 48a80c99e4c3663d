//! Every JSON body as it is described against the code that reads it: each field is known, no other is, what is needed
//! is missed, what may be null may be null, and each bound holds.

use serde_json::{Value, json};

use super::operations;
use crate::{
    access::{
        self,
        cast::{Actor, Cast, Kind, Member},
        routes::ROUTES,
    },
    setup,
    support::{
        Call, TestApp,
        described::{fault, resolved},
    },
};

/// A field that no body has. With it in a body nothing happens, so a form can be tried without what it does.
const UNKNOWN: &str = "no_such_field";

/// A body that an operation takes.
struct Form {
    method: String,
    path: String,
    shape: &'static Value,
    example: Value,
}

/// Each of them; one for each shape where a body may have several.
fn forms() -> Vec<Form> {
    let mut forms = Vec::new();
    for (method, path, operation) in operations() {
        let content = &operation["requestBody"]["content"]["application/json"];
        let Some(schema) = content.get("schema") else {
            continue;
        };
        let branches = match schema["oneOf"].as_array() {
            Some(branches) => branches.iter().collect(),
            None => vec![schema],
        };
        for branch in branches {
            // What has no name may be any value, and no field is looked for in it.
            let Some(reference) = branch["$ref"].as_str() else {
                continue;
            };
            let name = reference.rsplit('/').next().expect("a name");
            let named = content["examples"]
                .get(name)
                .map(|example| &example["value"]);
            let example = named.unwrap_or(&content["example"]).clone();
            forms.push(Form {
                method: method.clone(),
                path: path.clone(),
                shape: resolved(branch),
                example,
            });
        }
    }
    forms
}

impl Form {
    fn fields(&self) -> impl Iterator<Item = (&str, &'static Value)> {
        let fields = self.shape["properties"].as_object().expect("fields");
        fields.iter().map(|(name, schema)| (name.as_str(), schema))
    }

    /// The example with something else in a field.
    fn with(&self, field: &str, value: Value) -> Value {
        let mut body = self.example.clone();
        body[field] = value;
        body
    }

    fn needs(&self, field: &str) -> bool {
        let needed = self.shape["required"].as_array().into_iter().flatten();
        needed.into_iter().any(|needed| needed == field)
    }

    /// What to send a body to.
    fn call(&self, member: &Member) -> Call {
        let mut rows = ROUTES.iter();
        let row = rows.find(|row| (row.method, row.path) == (&*self.method, &*self.path));
        let path = row.expect("a row").path_to(&member.objects);
        member.client.call(&self.method, &path)
    }

    /// What is said about the fields of a body that holds an unknown one, beyond that.
    async fn judged(&self, member: &Member, mut body: Value) -> Vec<String> {
        body[UNKNOWN] = json!(1);
        let answer = self.call(member).json(&body).await;
        let mut said = answer
            .expect_problem(422, "validation_failed")
            .broken_fields();
        let unknown = said
            .iter()
            .position(|said| *said == format!("{UNKNOWN} unknown_field"));
        said.swap_remove(unknown.unwrap_or_else(|| panic!("{} takes {UNKNOWN}", self.path)));
        said
    }
}

/// Somebody who may send a body to each operation.
async fn admin(app: &TestApp) -> Member {
    Cast::new(app, Kind::Bearer).await.make(Actor::Admin).await
}

#[tokio::test]
async fn an_example_is_read_without_complaint_and_no_field_beyond_it_is() {
    let app = access::server().await;
    let member = admin(&app).await;
    for form in forms() {
        let example = form.example.clone();
        assert_eq!(
            form.judged(&member, example).await,
            Vec::<String>::new(),
            "{}",
            form.path
        );
        for (name, _) in form.fields() {
            assert!(form.example.get(name).is_some(), "{}: {name}", form.path);
        }
    }
}

#[tokio::test]
async fn exactly_what_is_needed_is_missed() {
    let app = access::server().await;
    let member = admin(&app).await;
    for form in forms() {
        for (name, _) in form.fields() {
            let mut body = form.example.clone();
            body.as_object_mut().expect("an object").remove(name);
            let said = form.judged(&member, body).await;
            let asked = format!("{} {} without {name}: {said:?}", form.method, form.path);
            assert_eq!(said.is_empty(), !form.needs(name), "{asked}");
            assert!(
                said.iter().all(|said| said.ends_with(" required")),
                "{asked}"
            );
        }
    }
}

#[tokio::test]
async fn a_field_takes_the_types_that_are_described_and_no_others() {
    let app = access::server().await;
    let member = admin(&app).await;
    for form in forms() {
        for (name, schema) in form.fields() {
            let types = match &schema["type"] {
                Value::Array(types) => types.clone(),
                one => vec![one.clone()],
            };
            // A text may have to be of some form, which that of the example has.
            let example = Some(form.example[name].clone()).filter(Value::is_string);
            for (kind, value) in [
                ("null", Value::Null),
                ("boolean", json!(true)),
                ("integer", json!(7)),
                ("object", json!({})),
                ("array", json!([])),
                ("string", example.unwrap_or("text".into())),
            ] {
                // A rule may be what refuses null, so that is tried where rules are asked.
                if kind == "null" && !types.contains(&kind.into()) {
                    continue;
                }
                let said = form.judged(&member, form.with(name, value)).await;
                let asked = format!(
                    "{} {} with {kind} for {name}: {said:?}",
                    form.method, form.path
                );
                assert_eq!(said.is_empty(), types.contains(&kind.into()), "{asked}");
                assert!(said.iter().all(|said| said.starts_with(name)), "{asked}");
            }
        }
    }
}

#[tokio::test]
async fn each_bound_of_a_field_holds() {
    let app = access::server().await;
    let member = admin(&app).await;
    let (nobody, _) = TestApp::new().await;
    let newcomer = nobody.stranger();
    let code = setup::code(&nobody).await;
    for form in forms() {
        for (name, schema) in form.fields() {
            for value in beyond(schema) {
                let body = form.with(name, value.clone());
                let answer = match form.path.as_str() {
                    // Rules are asked of whoever has the code, which stays good where they refuse.
                    "/api/auth/setup" => newcomer.post(&form.path, with_code(body, &code)).await,
                    _ => form.call(&member).json(&body).await,
                };
                let asked = format!("{} {} with {name}={value}", form.method, form.path);
                assert_eq!(answer.status, 422, "{asked}: {}", answer.text());
                let said = answer.broken_fields();
                assert!(
                    said.iter().any(|said| said.starts_with(name)),
                    "{asked}: {said:?}"
                );
            }
        }
    }
}

/// The body with the code that is good, unless the code is what is tried.
fn with_code(mut body: Value, code: &str) -> Value {
    if body["code"].is_string() {
        body["code"] = code.into();
    }
    body
}

/// Values that are just beyond what a schema allows.
fn beyond(schema: &Value) -> Vec<Value> {
    let mut values = Vec::new();
    let letters = |count: u64| Value::from("x".repeat(usize::try_from(count).expect("few")));
    if let Some(most) = schema["maxLength"].as_u64() {
        values.push(letters(most + 1));
    }
    if let Some(least) = schema["minLength"].as_u64() {
        values.push(letters(least - 1));
    }
    if schema["type"].is_string() {
        values.push(Value::Null);
    }
    if schema.get("pattern").is_some() {
        let texts = ["-!", "a\u{202e}b", "a quiet hall\0"].map(Value::from);
        let beyond: Vec<_> = texts
            .into_iter()
            .filter(|text| fault(schema, text).is_some())
            .collect();
        assert!(!beyond.is_empty(), "nothing is known to break {schema}");
        values.extend(beyond);
    }
    if schema["format"] == "date-time" {
        values.push("no time".into());
    }
    if schema.get("enum").is_some() {
        values.push("no such word".into());
    }
    if let Some(most) = schema["maxItems"].as_u64() {
        values.push(
            (0..=most)
                .map(|item| json!(format!("role{item}")))
                .collect(),
        );
    }
    if let Some(items) = schema.get("items") {
        values.extend(beyond(items).into_iter().map(|item| json!([item])));
    }
    values
}
