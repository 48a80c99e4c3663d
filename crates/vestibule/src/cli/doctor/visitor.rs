//! Asks a server over the network as somebody would who knows nothing but its address: each request by a connection of
//! its own, with the headers that are given and no others. What the answers mean is for the caller to judge.

use std::time::Duration;

use axum::http::{HeaderMap, Method, Request, Response, header};
use bytes::Bytes;
use http_body_util::Full;
use serde_json::Value;

use crate::{config::Origin, conversation::Server};

/// Longer than the server itself lets anybody wait.
const PATIENCE: Duration = Duration::from_secs(10);

/// Whoever asks, and of what server.
pub(super) struct Visitor {
    server: Server,
}

/// What one request is, but for its path.
pub(super) struct Asked<'a> {
    pub(super) method: Method,
    pub(super) headers: &'a [(&'a str, &'a str)],
    pub(super) body: Option<Value>,
}

impl<'a> Asked<'a> {
    /// A request without a body.
    pub(super) fn get(headers: &'a [(&'a str, &'a str)]) -> Self {
        Self {
            method: Method::GET,
            headers,
            body: None,
        }
    }

    /// A request with a JSON body.
    pub(super) fn post(headers: &'a [(&'a str, &'a str)], body: Value) -> Self {
        Self {
            method: Method::POST,
            headers,
            body: Some(body),
        }
    }
}

/// An answer.
pub(super) struct Seen {
    pub(super) status: u16,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
}

impl Seen {
    /// A header, if it is there and is text.
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// Whether it sends the visitor on.
    pub(super) fn is_redirection(&self) -> bool {
        (300..400).contains(&self.status)
    }

    /// A member of a JSON body.
    pub(super) fn member(&self, pointer: &str) -> Option<Value> {
        let body: Value = serde_json::from_slice(&self.body).ok()?;
        body.pointer(pointer).cloned()
    }

    /// The code of a problem document.
    pub(super) fn code(&self) -> Option<String> {
        self.member("/code")?.as_str().map(str::to_owned)
    }
}

impl From<Response<Bytes>> for Seen {
    fn from(answer: Response<Bytes>) -> Self {
        let (head, body) = answer.into_parts();
        Self {
            status: head.status.as_u16(),
            headers: head.headers,
            body,
        }
    }
}

impl Visitor {
    /// Trusts the authorities that this machine trusts, or those in the file that `SSL_CERT_FILE` names.
    ///
    /// # Errors
    /// None of them can be read, where the server is one of https.
    pub(super) fn new(server: Origin) -> Result<Self, String> {
        let server = Server::new(server, PATIENCE)?;
        Ok(Self { server })
    }

    /// The server that is asked.
    pub(super) fn server(&self) -> &Origin {
        self.server.origin()
    }

    /// Asks, and reads the answer to its end.
    ///
    /// # Errors
    /// A sentence, where no answer came.
    pub(super) async fn ask(&self, path: &str, asked: Asked<'_>) -> Result<Seen, String> {
        let request = self.request(path, asked)?;
        self.server.ask(request).await.map(Seen::from)
    }

    /// Asks for a path by plain http, on the port of that.
    ///
    /// # Errors
    /// A sentence, where no answer came.
    pub(super) async fn ask_in_the_clear(&self, path: &str) -> Result<Seen, String> {
        let request = self.request(path, Asked::get(&[]))?;
        self.server.ask_in_the_clear(request).await.map(Seen::from)
    }

    fn request(&self, path: &str, asked: Asked<'_>) -> Result<Request<Full<Bytes>>, String> {
        let mut request = Request::builder()
            .method(asked.method)
            .uri(path)
            .header(header::HOST, self.server().authority())
            .header(header::CONNECTION, "close")
            .header(
                header::USER_AGENT,
                concat!("vestibule-doctor/", env!("CARGO_PKG_VERSION")),
            );
        for (name, value) in asked.headers {
            request = request.header(*name, *value);
        }
        let body = asked.body.map(|body| body.to_string());
        if body.is_some() {
            request = request.header(header::CONTENT_TYPE, "application/json");
        }
        let request = request.body(Full::from(body.unwrap_or_default()));
        request.map_err(|error| format!("{path} cannot be asked for: {error}"))
    }
}
