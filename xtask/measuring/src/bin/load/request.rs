//! What is sent: a request with a place for a value, and the values for it. When it is sent is left to `course.rs`.

use anyhow::{Context as _, Result, ensure};
use http_body_util::Full;
use hyper::{Request, body::Bytes, header::HOST};

use crate::Arguments;

/// Where a value goes.
const PLACE: &str = "{}";

/// A request whose path, headers and body may have places for a value.
pub(crate) struct Template {
    host: String,
    method: String,
    path: String,
    headers: Vec<(String, String)>,
    body: String,
    values: Vec<String>,
    first: usize,
}

impl Template {
    pub(crate) fn new(arguments: &Arguments) -> Result<Self> {
        let values = match &arguments.values {
            Some(path) => std::fs::read_to_string(path)?
                .lines()
                .map(str::to_owned)
                .collect(),
            None => vec![String::new()],
        };
        ensure!(!values.is_empty(), "there are no values");
        let is_short = arguments.chain.is_some() && values.len() < arguments.connections;
        ensure!(
            !is_short,
            "each connection of a chain needs a value of its own"
        );
        let headers = arguments.headers.iter().map(|header| {
            let (name, value) = header
                .split_once(": ")
                .context("a header is `Name: value`")?;
            Ok((name.to_owned(), value.to_owned()))
        });
        Ok(Self {
            host: arguments.address.to_string(),
            method: arguments.method.clone(),
            path: arguments.path.clone(),
            headers: headers.collect::<Result<_>>()?,
            body: arguments.body.clone(),
            values,
            first: arguments.first,
        })
    }

    /// The value of a request or of a connection; they come in turn.
    pub(crate) fn value(&self, number: usize) -> &str {
        &self.values[(self.first + number) % self.values.len()]
    }

    pub(crate) fn request(&self, value: &str) -> Result<Request<Full<Bytes>>> {
        let has_host = self
            .headers
            .iter()
            .any(|(name, _)| name.eq_ignore_ascii_case("host"));
        let mut request = Request::builder()
            .method(self.method.as_str())
            .uri(self.path.replace(PLACE, value));
        if !has_host {
            request = request.header(HOST, &self.host);
        }
        for (name, text) in &self.headers {
            request = request.header(name, text.replace(PLACE, value));
        }
        let body = Bytes::from(self.body.replace(PLACE, value));
        Ok(request.body(Full::new(body))?)
    }
}

/// The text that the topmost field of this name has in a JSON object.
pub(crate) fn text_in(body: &[u8], field: &str) -> Option<String> {
    let object: serde_json::Value = serde_json::from_slice(body).ok()?;
    Some(object.get(field)?.as_str()?.to_owned())
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;
    use http_body_util::BodyExt as _;

    use super::*;

    fn template(more: &[&str]) -> Result<Template> {
        let always = ["load", "--address", "127.0.0.1:1"];
        Template::new(&Arguments::parse_from(always.iter().chain(more)))
    }

    #[tokio::test]
    async fn a_value_goes_into_path_headers_and_body() {
        let place = [
            "--path",
            "/{}",
            "--header",
            "Authorization: Bearer {}",
            "--body",
            "<{}>",
        ];
        let request = template(&place).unwrap().request("a").unwrap();
        assert_eq!(request.uri(), "/a");
        assert_eq!(request.headers()["authorization"], "Bearer a");
        assert_eq!(request.headers()["host"], "127.0.0.1:1");
        let body = request.into_body().collect().await.unwrap().to_bytes();
        assert_eq!(body, "<a>");
    }

    #[test]
    fn values_come_in_turn_from_the_first_on() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), "a\nb\nc").unwrap();
        let path = file.path().to_str().unwrap();
        let template = template(&["--values", path, "--first", "2"]).unwrap();
        let values: Vec<_> = (0..4).map(|number| template.value(number)).collect();
        assert_eq!(values, ["c", "a", "b", "c"]);
    }

    #[test]
    fn a_chain_without_a_value_for_each_connection_is_refused() {
        assert!(template(&["--chain", "next", "--connections", "2"]).is_err());
    }

    #[test]
    fn a_text_is_found_in_a_json_object_alone() {
        assert_eq!(text_in(br#"{"a": "b"}"#, "a").as_deref(), Some("b"));
        for body in [&br#"{"a": 1}"#[..], b"[]", b"", b"a"] {
            assert_eq!(text_in(body, "a"), None);
        }
    }
}
