//! One operation: what it takes, who may ask for it, and every answer that it may give. What follows from the kind of an
//! operation is added here, once; the operations themselves are in the file of their area.

use std::{any::type_name_of_val, collections::BTreeSet};

use axum::http::Method;
use serde_json::{Map, Value, json};

use super::schema::{Schema, count, example_of, id, name_in, named, text};
use crate::http::error::Code;

/// What every operation may answer: a broken head, one that is too large or too slow, a fault, a database out of reach.
const OF_ALL: [Code; 6] = [
    Code::MalformedRequest,
    Code::RequestTimeout,
    Code::PayloadTooLarge,
    Code::HeadersTooLarge,
    Code::InternalError,
    Code::Unavailable,
];
/// What is answered to a credential that is not there or not good.
const OF_CALLERS: [Code; 4] = [
    Code::MissingToken,
    Code::InvalidToken,
    Code::ExpiredToken,
    Code::RevokedToken,
];

/// Who may ask for an operation.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Access {
    /// Everybody; a credential that comes along is not looked at.
    Anyone,
    /// Everybody, and a session cookie stands for what the body may hold.
    AnyoneOrCookie,
    /// Everybody, and whatever credential comes along counts.
    AnyoneOrCredential,
    /// Whoever is signed in.
    SignedIn,
    /// Whoever is signed in, as a proxy asks in their name: others are refused without a body.
    Forwarded,
    /// Whoever is signed in and has the role `admin`.
    Admin,
}

/// An operation.
pub(super) struct Operation {
    pub(super) method: Method,
    pub(super) path: &'static str,
    /// The name of its handler.
    pub(super) id: &'static str,
    pub(super) summary: &'static str,
    description: &'static str,
    access: Access,
    parameters: Vec<Value>,
    body: Option<Body>,
    pub(super) answers: Vec<Answer>,
    codes: BTreeSet<Code>,
}

/// What a request carries.
struct Body {
    media_types: &'static [&'static str],
    schema: Schema,
    may_be_empty: bool,
}

/// An answer that is not a problem.
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) description: &'static str,
    /// The names of its headers among those of the document.
    pub(super) headers: Vec<&'static str>,
    pub(super) content: Option<(&'static str, Schema)>,
}

/// An operation whose id is the name of the function that handles it.
pub(super) fn operation<H>(method: Method, path: &'static str, handler: &H) -> Operation {
    let name = type_name_of_val(handler);
    Operation {
        method,
        path,
        id: name.rsplit("::").next().unwrap_or(name),
        summary: "",
        description: "",
        access: Access::Anyone,
        parameters: Vec::new(),
        body: None,
        answers: Vec::new(),
        codes: BTreeSet::new(),
    }
}

impl Operation {
    /// A few words, and whatever else there is to know.
    pub(super) fn does(mut self, summary: &'static str, description: &'static str) -> Self {
        self.summary = summary;
        self.description = description;
        self
    }

    /// Who may ask; everybody, where it is not said.
    pub(super) fn by(mut self, access: Access) -> Self {
        self.access = access;
        self
    }

    /// An id in the path. What is none, and what is not the caller's, is answered like one of nothing.
    pub(super) fn of(self, whose: &str) -> Self {
        self.in_path("id", id(), whose).may(&[Code::NotFound])
    }

    /// A parameter of the path.
    pub(super) fn in_path(mut self, name: &str, schema: Schema, description: &str) -> Self {
        self.parameters.push(json!({
            "name": name, "in": "path", "required": true, "description": description,
            "schema": schema.into_value(),
        }));
        self
    }

    /// A change that may be meant for certain versions alone (RFC 9110 section 13.1).
    pub(super) fn changes_a_version(self) -> Self {
        self.condition(
            "If-Match",
            "The `ETag` of the version that was seen, or `*` for any.",
        )
        .condition(
            "If-None-Match",
            "The `ETag` of versions that it is not meant for, or `*` for any.",
        )
        .may(&[Code::PreconditionFailed])
    }

    /// An answer of a version, which may be wanted of certain ones alone, and is not sent again to whoever holds it
    /// (the same section).
    pub(super) fn reads_a_version(self) -> Self {
        self.condition(
            "If-Match",
            "The `ETag` of the version that is wanted, or `*` for any.",
        )
        .condition(
            "If-None-Match",
            "The `ETag` of the version that the client holds.",
        )
        .answers(Answer::empty(304, "The client holds this version.").with(&["ETag"]))
        .may(&[Code::PreconditionFailed])
    }

    /// A header with which a client names versions.
    fn condition(mut self, name: &str, description: &str) -> Self {
        self.parameters.push(json!({
            "name": name, "in": "header", "description": description,
            "schema": text("\"1\"").into_value(),
        }));
        self
    }

    /// A parameter of the query, which may be left out. Without a value it counts as left out.
    pub(super) fn query(mut self, name: &str, schema: Schema, description: &str) -> Self {
        self.parameters.push(json!({
            "name": name, "in": "query", "description": description, "allowEmptyValue": true,
            "schema": schema.into_value(),
        }));
        self.may(&[Code::ValidationFailed])
    }

    /// A parameter of the query, which may be left out but not be without a value.
    pub(super) fn strict_query(mut self, name: &str, schema: Schema, description: &str) -> Self {
        self.parameters.push(json!({
            "name": name, "in": "query", "description": description,
            "schema": schema.into_value(),
        }));
        self.may(&[Code::ValidationFailed])
    }

    /// The parameters with which a list is read in pages.
    pub(super) fn paged(self) -> Self {
        let limit = count(20).between(1, 100).usually(20);
        let cursor = text("AQAGQx2");
        self.query("limit", limit, "How many items at the most.")
            .query("cursor", cursor, "The `next_cursor` of the page before.")
    }

    /// A JSON body.
    pub(super) fn takes(self, schema: Schema) -> Self {
        self.with_body(&["application/json"], schema, false)
    }

    /// A JSON body, or none.
    pub(super) fn may_take(self, schema: Schema) -> Self {
        self.with_body(&["application/json"], schema, true)
    }

    /// A merge patch (RFC 7396). Its own media type is named in the introduction alone: of one body by two types,
    /// generators make a client that does not compile.
    pub(super) fn takes_patch(self, schema: Schema) -> Self {
        self.takes(schema)
    }

    /// A form, which is refused in words of its own.
    pub(super) fn takes_form(mut self, schema: Schema) -> Self {
        self.body = Some(Body {
            media_types: &["application/x-www-form-urlencoded"],
            schema,
            may_be_empty: false,
        });
        self
    }

    fn with_body(
        mut self,
        media_types: &'static [&'static str],
        schema: Schema,
        may_be_empty: bool,
    ) -> Self {
        self.body = Some(Body {
            media_types,
            schema,
            may_be_empty,
        });
        self.may(&[Code::UnsupportedMediaType, Code::ValidationFailed])
    }

    /// What it answers if all is well, or in a form of its own.
    pub(super) fn answers(mut self, answer: Answer) -> Self {
        self.answers.push(answer);
        self
    }

    /// Problems beyond those that follow from its kind.
    pub(super) fn may(mut self, codes: &[Code]) -> Self {
        self.codes.extend(codes);
        self
    }

    /// Every problem that it may answer.
    pub(super) fn problems(&self) -> BTreeSet<Code> {
        let mut codes = self.codes.clone();
        codes.extend(OF_ALL);
        if matches!(self.access, Access::SignedIn | Access::Admin) {
            codes.extend(OF_CALLERS);
        }
        if self.access == Access::Admin {
            codes.insert(Code::Forbidden);
        }
        if !self.method.is_safe() {
            codes.extend([Code::CrossOriginRefused, Code::StorageFull]);
        }
        codes
    }

    /// Who may ask, in the words of OpenAPI: any one of the schemes does.
    pub(super) fn security(&self) -> Value {
        match self.access {
            Access::Anyone => json!([]),
            Access::AnyoneOrCookie => json!([{}, { "cookie": [] }]),
            Access::AnyoneOrCredential => {
                json!([{}, { "bearer": [] }, { "password": [] }, { "cookie": [] }])
            }
            Access::SignedIn | Access::Forwarded | Access::Admin => {
                json!([{ "bearer": [] }, { "password": [] }, { "cookie": [] }])
            }
        }
    }

    /// All of it but its answers.
    pub(super) fn described(&self, tag: &str, shapes: &Map<String, Value>) -> Value {
        let mut described = json!({
            "operationId": self.id,
            "summary": self.summary,
            "description": self.description,
            "tags": [tag],
            "security": self.security(),
        });
        if !self.parameters.is_empty() {
            described["parameters"] = self.parameters.clone().into();
        }
        if let Some(body) = &self.body {
            let schema = body.schema.clone().into_value();
            let content = content(body.media_types, &schema, shapes);
            described["requestBody"] =
                json!({ "required": !body.may_be_empty, "content": content });
        }
        described
    }
}

impl Answer {
    /// An answer without a body.
    pub(super) fn empty(status: u16, description: &'static str) -> Self {
        Self {
            status,
            description,
            headers: Vec::new(),
            content: None,
        }
    }

    /// A JSON answer of a named shape.
    pub(super) fn json(status: u16, description: &'static str, shape: &str) -> Self {
        Self {
            content: Some(("application/json", named(shape))),
            ..Self::empty(status, description)
        }
    }

    /// With these headers beyond the request id.
    pub(super) fn with(mut self, headers: &[&'static str]) -> Self {
        self.headers.extend(headers);
        self
    }
}

/// A body by its media types, with an example, or one for each shape that it may have.
pub(super) fn content(media_types: &[&str], schema: &Value, shapes: &Map<String, Value>) -> Value {
    let mut described = json!({ "schema": schema });
    let shape = name_in(schema).and_then(|name| shapes.get(name));
    match shape.unwrap_or(schema)["oneOf"].as_array() {
        None => described["example"] = example_of(schema, shapes),
        Some(branches) => {
            let examples = branches.iter().filter_map(|branch| {
                let example = json!({ "value": example_of(branch, shapes) });
                Some((name_in(branch)?.to_owned(), example))
            });
            described["examples"] = examples.collect::<Map<_, _>>().into();
        }
    }
    let bodies = media_types
        .iter()
        .map(|media_type| ((*media_type).to_owned(), described.clone()));
    bodies.collect::<Map<_, _>>().into()
}
