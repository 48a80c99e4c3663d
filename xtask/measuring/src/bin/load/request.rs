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
