//! An answer, what holds for every answer whatever was asked, and how one is shown in a snapshot.

use axum::http::{HeaderMap, Method};
use serde_json::Value;

use super::described;
use crate::access::routes::FORWARD;

/// The headers that may leave the server. Another one is a leak until it stands here.
const ALLOWED: [&str; 37] = [
    "accept-patch",
    "accept-ranges",
    "access-control-allow-credentials",
    "access-control-allow-headers",
    "access-control-allow-methods",
    "access-control-allow-origin",
    "access-control-expose-headers",
    "access-control-max-age",
    "allow",
    "cache-control",
    "connection",
    "content-disposition",
    "content-encoding",
    "content-length",
    "content-range",
    "content-security-policy",
    "content-type",
    "cross-origin-opener-policy",
    "etag",
    "last-modified",
    "link",
    "location",
    "pragma",
    "ratelimit",
    "ratelimit-policy",
    "referrer-policy",
    "remote-email",
    "remote-groups",
    "remote-name",
    "remote-user",
    "retry-after",
    "set-cookie",
    "strict-transport-security",
    "vary",
    "www-authenticate",
    "x-content-type-options",
    "x-frame-options",
];
const REQUEST_ID: &str = "x-request-id";

/// What came back.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    /// The answer itself, which must have this status.
    #[track_caller]
    pub(crate) fn expect_status(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{}", self.shown());
        self
    }

    /// The answer itself, which must be a problem of this status and code.
    #[track_caller]
    pub(crate) fn expect_problem(self, status: u16, code: &str) -> Self {
        assert_eq!(
            (self.status, self.code().as_str()),
            (status, code),
            "{}",
            self.shown()
        );
        self
    }

    /// The one value of a header.
    #[track_caller]
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let mut values = self.headers.get_all(name).iter();
        let value = values.next()?;
        assert!(values.next().is_none(), "{name} comes twice");
        Some(value.to_str().expect("a header of ASCII"))
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|error| panic!("{error}: {}", self.text()))
    }

    /// A text of the document in the body.
    #[track_caller]
    pub(crate) fn text_at(&self, key: &str) -> String {
        let json = self.json();
        json[key]
            .as_str()
            .unwrap_or_else(|| panic!("no {key} in {json}"))
            .to_owned()
    }

    /// The code of the problem; empty where there is none.
    pub(crate) fn code(&self) -> String {
        serde_json::from_slice::<Value>(&self.body)
            .ok()
            .and_then(|body| Some(body["code"].as_str()?.to_owned()))
            .unwrap_or_default()
    }

    /// Field and code of each broken rule.
    #[track_caller]
    pub(crate) fn broken_fields(&self) -> Vec<String> {
        let json = self.json();
        let errors = json["errors"].as_array().cloned().unwrap_or_default();
        let text = |value: &Value| value.as_str().expect("a text").to_owned();
        for error in &errors {
            assert!(
                text(&error["message"]).ends_with('.'),
                "no sentence: {error}"
            );
        }
        errors
            .iter()
            .map(|error| format!("{} {}", text(&error["field"]), text(&error["code"])))
            .collect()
    }

    pub(crate) fn request_id(&self) -> String {
        self.header(REQUEST_ID).expect("an id").to_owned()
    }

    /// All that a client can compare between two answers: not the id, which differs each time.
    pub(crate) fn without_request_id(&self) -> (u16, Vec<(String, Vec<u8>)>, String) {
        let headers = self.headers.iter().filter(|(name, _)| *name != REQUEST_ID);
        let headers = headers.map(|(name, value)| (name.to_string(), value.as_bytes().to_vec()));
        (self.status, headers.collect(), self.text())
    }

    /// The whole answer for a snapshot: status, headers by name, body. What differs each time is redacted.
    pub(crate) fn shown(&self) -> String {
        let mut lines: Vec<_> = self
            .headers
            .iter()
            .filter(|(name, _)| !matches!(name.as_str(), REQUEST_ID | "content-length"))
            .map(|(name, value)| {
                format!(
                    "{name}: {}",
                    redacted(name.as_str(), &String::from_utf8_lossy(value.as_bytes()))
                )
            })
            .collect();
        lines.sort();
        lines.insert(0, self.status.to_string());
        if let Ok(mut json) = serde_json::from_slice::<Value>(&self.body) {
            redact(&mut json);
            lines.push(format!("{json:#}"));
        } else if !self.body.is_empty() {
            lines.push(self.text());
        }
        lines.join("\n")
    }

    /// What holds for every answer.
    #[track_caller]
    pub(super) fn check(&self, method: &Method, path: &str, is_https: bool) {
        let asked = format!("{method} {path} was answered {}", self.shown());
        for name in self.headers.keys().filter(|name| *name != REQUEST_ID) {
            assert!(ALLOWED.contains(&name.as_str()), "{name} leaks: {asked}");
        }
        // A trusted proxy may have given it.
        let id_length = self.request_id().len();
        assert!((1..=64).contains(&id_length), "{asked}");
        assert_eq!(
            self.header("x-content-type-options"),
            Some("nosniff"),
            "{asked}"
        );
        assert!(self.header("referrer-policy").is_some(), "{asked}");
        assert_eq!(
            self.header("strict-transport-security").is_some(),
            is_https,
            "{asked}"
        );
        // A fragment is no part of what a server gets to see.
        let path = path.split(['?', '#']).next().expect("a first part");
        if self.header("set-cookie").is_some() {
            assert!(path.starts_with("/api/auth/"), "{asked}");
        }
        self.check_refusal(&asked);
        if path == "/api" || path.starts_with("/api/") {
            self.check_of_api(method, path, &asked);
        }
        described::check(method, path, self, &asked);
    }

    /// Refusals come with the headers that tell a client what to do.
    fn check_refusal(&self, asked: &str) {
        let needed = match self.status {
            405 => "allow",
            429 | 503 => "retry-after",
            301 | 303 | 307 | 308 => "location",
            _ => return,
        };
        let value = self
            .header(needed)
            .unwrap_or_else(|| panic!("no {needed}: {asked}"));
        if needed == "retry-after" {
            assert!(value.parse::<u32>().is_ok(), "{asked}");
        }
    }

    fn check_of_api(&self, method: &Method, path: &str, asked: &str) {
        let is_asset =
            (path.starts_with("/api/ui/") || path.starts_with("/api/docs/")) && self.status < 400;
        if !is_asset {
            assert_eq!(self.header("cache-control"), Some("no-store"), "{asked}");
        }
        if self.status == 401 {
            let challenge = self.header("www-authenticate").expect("a challenge");
            assert!(challenge.starts_with("Bearer realm="), "{asked}");
        }
        if self.status < 400 || method == Method::HEAD {
            return;
        }
        if path == FORWARD && matches!(self.status, 401 | 403) {
            // What a proxy is told of its visitor it may hand on, so there is nothing to read.
            assert!(self.body.is_empty(), "{asked}");
            return;
        }
        if path == "/api/auth/token" && self.header("pragma").is_some() {
            // The one route whose refusals are those of RFC 6749 section 5.2.
            assert_eq!(
                self.header("content-type"),
                Some("application/json"),
                "{asked}"
            );
            assert!(self.json()["error"].is_string(), "{asked}");
            return;
        }
        assert_eq!(
            self.header("content-type"),
            Some("application/problem+json"),
            "{asked}"
        );
        if self.header("content-encoding").is_some() {
            return;
        }
        let problem = self.json();
        assert_eq!(problem["status"], self.status, "{asked}");
        for key in ["type", "title", "detail", "code"] {
            assert!(
                problem[key].as_str().is_some_and(|text| !text.is_empty()),
                "{asked}"
            );
        }
    }
}

fn redacted(header: &str, value: &str) -> String {
    match (header, value.split_once('=')) {
        ("set-cookie", Some((name, rest))) => {
            let (value, attributes) = rest.split_once(';').unwrap_or((rest, ""));
            let value = if value.is_empty() { "" } else { "[cookie]" };
            format!("{name}={value};{attributes}")
        }
        ("etag" | "last-modified", _) => format!("[{header}]"),
        _ => value.to_owned(),
    }
}

fn redact(json: &mut Value) {
    match json {
        Value::Object(object) => {
            for (key, value) in object {
                if matches!(
                    key.as_str(),
                    "access_token" | "refresh_token" | "id" | "kid" | "x" | "y"
                ) {
                    *value = format!("[{key}]").into();
                } else {
                    redact(value);
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(redact),
        _ => {}
    }
}
