//! The document that describes the API (OpenAPI 3.1), made of the operations in `openapi/areas.rs` and the shapes of
//! their bodies in `openapi/shapes.rs`; and `/api/openapi.json`, where it is read. That it is true is held by
//! `tests/it/openapi.rs` and by every test of a door, whose answers must all be described here.

mod areas;
mod older;
mod operation;
mod schema;
mod shapes;

use std::{collections::BTreeMap, sync::LazyLock};

use axum::{
    http::header,
    response::{IntoResponse as _, Response},
};
use serde_json::{Map, Value, json};

use self::operation::{Answer, Operation, content};
use super::error::Code;

/// Which version of the specification a document is written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Version {
    /// 3.0.3, for tools that do not read 3.1 yet. It says the same as far as it can.
    V3_0,
    /// 3.1.0, whose schemas are JSON Schema 2020-12.
    V3_1,
}

/// The document as text: indented, with a line feed at its end, and the same each time.
#[must_use]
pub fn text(version: Version) -> String {
    let document = match version {
        Version::V3_0 => older::in_3_0(document()),
        Version::V3_1 => document(),
    };
    format!("{document:#}\n")
}

/// `GET /api/openapi.json`: the description of the API.
pub(super) async fn get_openapi() -> Response {
    static TEXT: LazyLock<String> = LazyLock::new(|| text(Version::V3_1));
    let json = [(header::CONTENT_TYPE, "application/json")];
    (json, TEXT.as_str()).into_response()
}

/// The document in version 3.1.
fn document() -> Value {
    let mut parts = Parts {
        shapes: shapes::all(),
        refusals: Map::new(),
    };
    let mut paths = Map::new();
    let mut tags = Vec::new();
    for area in areas::all() {
        tags.push(json!({ "name": area.name, "description": area.description }));
        for operation in area.operations {
            let method = operation.method.as_str().to_ascii_lowercase();
            let described = parts.describe(area.name, &operation);
            paths.entry(operation.path).or_insert_with(|| json!({}))[method] = described;
        }
    }
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Vestibule",
            "version": env!("CARGO_PKG_VERSION"),
            "description": ABOUT,
            "license": { "name": "MIT OR Apache-2.0", "identifier": "MIT OR Apache-2.0" },
        },
        // Where the document is: the address in the browser need not be `public_url` to the letter.
        "servers": [{ "url": "/" }],
        "tags": tags,
        "paths": paths,
        "components": {
            "schemas": parts.shapes,
            "responses": parts.refusals,
            "examples": examples(),
            "headers": headers(),
            "securitySchemes": security_schemes(),
        },
    })
}

const ABOUT: &str = "User accounts for any site or app.

Bodies are JSON in UTF-8 unless an operation says otherwise. Times are RFC 3339 in UTC, ids are UUIDs. \
An unknown field is refused with 422, a key that comes twice with 400. Space around a text is taken off, but \
for passwords. A `PATCH` may say `application/merge-patch+json` (RFC 7396) instead of `application/json`. \
Refusals are problem documents (RFC 9457) with a stable `code`. Every answer has an `X-Request-Id`, by which \
an operator finds it in the log.

A session is opened as tokens, or with `\"mode\": \"cookie\"` as one `HttpOnly` cookie. Where a bearer token \
and a cookie come together, the token counts. What changes something on the strength of a cookie, and every \
login and registration, must come from the server's own origin or one in `cors.origins`, as the browser says it.";

/// What operations share.
struct Parts {
    shapes: Map<String, Value>,
    /// The answers that are problems alone, by their codes.
    refusals: Map<String, Value>,
}

impl Parts {
    fn describe(&mut self, area: &str, operation: &Operation) -> Value {
        let mut described = operation.described(area, &self.shapes);
        described["responses"] = self.answers(operation).into();
        described
    }

    /// Every answer of an operation by its status. What is a problem and nothing else stands among the parts.
    fn answers(&mut self, operation: &Operation) -> Map<String, Value> {
        let mut codes: BTreeMap<u16, Vec<Code>> = BTreeMap::new();
        for code in operation.problems() {
            codes.entry(code.status().as_u16()).or_default().push(code);
        }
        let mut described = Map::new();
        for answer in &operation.answers {
            let mut whole = self.answer(answer);
            if let Some(codes) = codes.remove(&answer.status) {
                add(&mut whole, &refusal(&codes));
            }
            described.insert(answer.status.to_string(), whole);
        }
        for (status, codes) in codes {
            let words: Vec<_> = codes.iter().map(|code| code.as_str()).collect();
            let name = words.join("-");
            let link = json!({ "$ref": format!("#/components/responses/{name}") });
            self.refusals.entry(name).or_insert_with(|| refusal(&codes));
            described.insert(status.to_string(), link);
        }
        described
    }

    fn answer(&self, answer: &Answer) -> Value {
        let mut described = json!({
            "description": answer.description,
            "headers": links_to_headers(&answer.headers),
        });
        if let Some((media_type, schema)) = &answer.content {
            let schema = schema.clone().into_value();
            described["content"] = content(&[media_type], &schema, &self.shapes);
        }
        described
    }
}

/// The answer that is a problem of one of these codes, which have one status.
fn refusal(codes: &[Code]) -> Value {
    let lines: Vec<_> = codes
        .iter()
        .map(|code| format!("`{}`: {}", code.as_str(), code.meaning()))
        .collect();
    let headers: &[&str] = match codes.first().map(|code| code.status().as_u16()) {
        Some(401) => &["WWW-Authenticate"],
        Some(415) => &["Accept-Patch"],
        Some(429) => &["Retry-After", "RateLimit", "RateLimit-Policy"],
        Some(503) => &["Retry-After"],
        _ => &[],
    };
    let examples = codes.iter().map(|code| {
        let link = json!({ "$ref": format!("#/components/examples/{}", code.as_str()) });
        (code.as_str().to_owned(), link)
    });
    json!({
        "description": lines.join("\n\n"),
        "headers": links_to_headers(headers),
        "content": {
            "application/problem+json": {
                "schema": { "$ref": "#/components/schemas/Problem" },
                "examples": examples.collect::<Map<_, _>>(),
            },
        },
    })
}

/// Adds to an answer what another one of the same status may hold.
fn add(answer: &mut Value, other: &Value) {
    let sentences = [&answer["description"], &other["description"]];
    let sentences: Vec<_> = sentences.iter().filter_map(|text| text.as_str()).collect();
    answer["description"] = sentences.join("\n\n").into();
    for part in ["headers", "content"] {
        if let (Some(into), Value::Object(more)) = (answer[part].as_object_mut(), &other[part]) {
            into.extend(more.clone());
        }
    }
}

/// A problem of each code.
fn examples() -> Map<String, Value> {
    let example = |code: Code| {
        let status = code.status();
        let mut problem = json!({
            "type": "about:blank",
            "title": status.canonical_reason(),
            "status": status.as_u16(),
            "detail": code.meaning(),
            "code": code.as_str(),
        });
        let broken = match code {
            Code::EmailTaken => Some(("email", "taken")),
            Code::UsernameTaken => Some(("username", "taken")),
            Code::ValidationFailed => Some(("email", "invalid_email")),
            _ => None,
        };
        if let Some((field, rule)) = broken {
            let message = code.meaning();
            problem["errors"] = json!([{ "field": field, "code": rule, "message": message }]);
        }
        (code.as_str().to_owned(), json!({ "value": problem }))
    };
    Code::OF_API.into_iter().map(example).collect()
}

/// Links to the headers of these names, and to the one that every answer has.
fn links_to_headers(names: &[&str]) -> Map<String, Value> {
    let all = names.iter().chain(&["X-Request-Id"]);
    all.map(|name| {
        let link = json!({ "$ref": format!("#/components/headers/{name}") });
        ((*name).to_owned(), link)
    })
    .collect()
}

/// The headers that an answer may have. Those that are required come with every answer that names them.
fn headers() -> Value {
    let header = |is_required: bool, schema: Value, description: &str| json!({ "required": is_required, "schema": schema, "description": description });
    let text = || json!({ "type": "string" });
    let of = |format: &str| json!({ "type": "string", "format": format });
    let seconds = json!({ "type": "integer", "minimum": 0 });
    let id = json!({ "type": "string", "minLength": 1, "maxLength": 64 });
    json!({
        "X-Request-Id": header(true, id, "The id of the request, which the log has as well; one that a trusted proxy gave it is kept."),
        "Location": header(true, of("uri-reference"), "Where what was made is read, or where to log in."),
        "Set-Cookie": header(false, text(), "The session cookie, where one is set or removed."),
        "RateLimit": header(false, text(), "What is left of the limit that counted this request."),
        "RateLimit-Policy": header(false, text(), "The limit: how many requests in how many seconds."),
        "Retry-After": header(true, seconds, "After so many seconds another try makes sense."),
        "WWW-Authenticate": header(true, text(), "The challenge of RFC 6750 section 3."),
        "ETag": header(true, text(), "The version, for `If-Match` and `If-None-Match`."),
        "Remote-User": header(true, text(), "The id of the user, or by `site.remote_user` the username or the address; empty where there is none."),
        "Remote-Email": header(true, text(), "The e-mail address, if somebody vouched for it."),
        "Remote-Name": header(true, text(), "The name, as percent-encoded UTF-8."),
        "Remote-Groups": header(true, text(), "The roles, with commas between them."),
        "Link": header(true, text(), "Other parts of the list (RFC 8288): `first`, `prev`, `next`, `last`."),
        "Content-Disposition": header(true, text(), "The name of the file."),
        "Accept-Patch": header(false, text(), "The media types of a `PATCH` (RFC 5789 section 2.2)."),
        "Cache-Control": header(true, text(), "For how long the answer may be kept."),
        "Pragma": header(false, text(), "As RFC 6749 section 5.1 wants it."),
    })
}

fn security_schemes() -> Value {
    json!({
        "bearer": {
            "type": "http", "scheme": "bearer", "bearerFormat": "JWT",
            "description": "An access token, of login, refresh or the token endpoint.",
        },
        "password": {
            "type": "oauth2",
            "description": "Name and password for an access token, as OAuth 2 has it.",
            "flows": { "password": { "tokenUrl": "/api/auth/token", "refreshUrl": "/api/auth/token", "scopes": {} } },
        },
        "cookie": {
            "type": "apiKey", "in": "cookie", "name": "__Host-vestibule",
            "description": "The session cookie; on plain http its name is `vestibule`.",
        },
    })
}
