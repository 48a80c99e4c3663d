//! Asks a server over the network as somebody would who knows nothing but its address: each request by a connection of
//! its own, with the headers that are given and no others. What the answers mean is for the caller to judge.

use std::{io, net::IpAddr, sync::Arc, time::Duration};

use axum::http::{HeaderMap, Method, Request, header};
use bytes::Bytes;
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use rustls::{ClientConfig, RootCertStore, crypto::aws_lc_rs, pki_types::ServerName};
use serde_json::Value;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpStream,
    time::timeout,
};
use tokio_rustls::TlsConnector;

use crate::config::Origin;

/// Longer than the server itself lets anybody wait.
const PATIENCE: Duration = Duration::from_secs(10);
/// Bytes of a body that are read; a page of ours has fewer.
const MOST_BYTES: usize = 4 * 1024 * 1024;

/// Whoever asks, and of what server.
pub(super) struct Visitor {
    server: Origin,
    tls: TlsConnector,
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

impl Visitor {
    /// Trusts the authorities that this machine trusts, or those in the file that `SSL_CERT_FILE` names.
    ///
    /// # Errors
    /// None of them can be read, where the server is one of https.
    pub(super) fn new(server: Origin) -> Result<Self, String> {
        let mut roots = RootCertStore::empty();
        let found = rustls_native_certs::load_native_certs();
        roots.add_parsable_certificates(found.certs);
        if roots.is_empty() && server.is_https() {
            return Err("this machine knows no certificate authority; install ca-certificates, or name a file of \
                        certificates in SSL_CERT_FILE"
                .to_owned());
        }
        let provider = Arc::new(aws_lc_rs::default_provider());
        let tls = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .expect("the provider has suites for the default versions")
            .with_root_certificates(roots)
            .with_no_client_auth();
        Ok(Self {
            server,
            tls: TlsConnector::from(Arc::new(tls)),
        })
    }

    /// The server that is asked.
    pub(super) fn server(&self) -> &Origin {
        &self.server
    }

    /// Asks, and reads the answer to its end.
    ///
    /// # Errors
    /// A sentence, where no answer came.
    pub(super) async fn ask(&self, path: &str, asked: Asked<'_>) -> Result<Seen, String> {
        let request = self.request(path, asked)?;
        let (host, port) = (self.server.host(), self.server.port());
        let conversation = async {
            let stream = connect(host, port).await?;
            if !self.server.is_https() {
                return converse(stream, request).await;
            }
            let name = ServerName::try_from(host.trim_matches(['[', ']']).to_owned());
            let name = name.map_err(|error| format!("{host} is no name of a server: {error}"))?;
            let stream = self.tls.connect(name, stream).await;
            let stream = stream.map_err(|error| format!("no TLS with {host}: {error}"))?;
            converse(stream, request).await
        };
        within_patience(conversation).await
    }

    /// Asks for a path by plain http, on the port of that.
    ///
    /// # Errors
    /// A sentence, where no answer came.
    pub(super) async fn ask_in_the_clear(&self, path: &str) -> Result<Seen, String> {
        let request = self.request(path, Asked::get(&[]))?;
        within_patience(async { converse(connect(self.server.host(), 80).await?, request).await })
            .await
    }

    fn request(&self, path: &str, asked: Asked<'_>) -> Result<Request<Full<Bytes>>, String> {
        let mut request = Request::builder()
            .method(asked.method)
            .uri(path)
            .header(header::HOST, self.server.authority())
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

async fn within_patience<T>(
    conversation: impl Future<Output = Result<T, String>>,
) -> Result<T, String> {
    let late = |_| format!("no answer within {} s", PATIENCE.as_secs());
    timeout(PATIENCE, conversation).await.map_err(late)?
}

async fn connect(host: &str, port: u16) -> Result<TcpStream, String> {
    let place = match host.trim_matches(['[', ']']).parse::<IpAddr>() {
        Ok(address) => TcpStream::connect((address, port)).await,
        Err(_) => TcpStream::connect((host, port)).await,
    };
    place.map_err(|error: io::Error| format!("no connection to {host}:{port}: {error}"))
}

async fn converse(
    stream: impl AsyncRead + AsyncWrite + Unpin,
    request: Request<Full<Bytes>>,
) -> Result<Seen, String> {
    let failed = |error: hyper::Error| format!("what answers does not speak HTTP: {error}");
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream))
        .await
        .map_err(failed)?;
    let asking = async move {
        let (head, body) = sender
            .send_request(request)
            .await
            .map_err(failed)?
            .into_parts();
        let body = Limited::new(body, MOST_BYTES).collect().await;
        Ok(Seen {
            status: head.status.as_u16(),
            headers: head.headers,
            body: body
                .map_err(|error| format!("an answer broke off: {error}"))?
                .to_bytes(),
        })
    };
    // Where the connection fails, so does what waits for its answer.
    let (_, seen) = tokio::join!(connection, asking);
    seen
}
