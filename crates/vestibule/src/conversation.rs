//! One request to a server somewhere, and its answer: by a connection of its own, with TLS by the authorities of this
//! machine where the server is one of https. What is asked, and what an answer means, is for the callers.

use std::{io, net::IpAddr, sync::Arc, time::Duration};

use axum::http::{Request, Response};
use bytes::Bytes;
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use rustls::{ClientConfig, RootCertStore, crypto::aws_lc_rs, pki_types::ServerName};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpStream,
    time::timeout,
};
use tokio_rustls::TlsConnector;

use crate::config::Origin;

/// Bytes of a body that are read; a page of ours has fewer.
const MOST_BYTES: usize = 4 * 1024 * 1024;
/// The port of plain http.
const HTTP_PORT: u16 = 80;

/// A server, and whom to believe that it is the one.
#[derive(Clone)]
pub(crate) struct Server {
    origin: Origin,
    tls: TlsConnector,
    patience: Duration,
}

impl Server {
    /// Trusts the authorities that this machine trusts, or those in the file that `SSL_CERT_FILE` names. For an answer
    /// it is waited as long as `patience`.
    ///
    /// # Errors
    /// None of them can be read, where the server is one of https.
    pub(crate) fn new(origin: Origin, patience: Duration) -> Result<Self, String> {
        let mut roots = RootCertStore::empty();
        let found = rustls_native_certs::load_native_certs();
        roots.add_parsable_certificates(found.certs);
        if roots.is_empty() && origin.is_https() {
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
            origin,
            tls: TlsConnector::from(Arc::new(tls)),
            patience,
        })
    }

    /// Where it is.
    pub(crate) fn origin(&self) -> &Origin {
        &self.origin
    }

    /// Asks, and reads the answer to its end. The request names its `Host`, and a path alone.
    ///
    /// # Errors
    /// A sentence, where no answer came.
    pub(crate) async fn ask(
        &self,
        request: Request<Full<Bytes>>,
    ) -> Result<Response<Bytes>, String> {
        let (host, port) = (self.origin.host(), self.origin.port());
        let conversation = async {
            let stream = connect(host, port).await?;
            if !self.origin.is_https() {
                return converse(stream, request).await;
            }
            let name = ServerName::try_from(host.trim_matches(['[', ']']).to_owned());
            let name = name.map_err(|error| format!("{host} is no name of a server: {error}"))?;
            let stream = self.tls.connect(name, stream).await;
            let stream = stream.map_err(|error| format!("no TLS with {host}: {error}"))?;
            converse(stream, request).await
        };
        self.within_patience(conversation).await
    }

    /// The same by plain http, on the port of that.
    ///
    /// # Errors
    /// A sentence, where no answer came.
    pub(crate) async fn ask_in_the_clear(
        &self,
        request: Request<Full<Bytes>>,
    ) -> Result<Response<Bytes>, String> {
        let conversation =
            async { converse(connect(self.origin.host(), HTTP_PORT).await?, request).await };
        self.within_patience(conversation).await
    }

    async fn within_patience<T>(
        &self,
        conversation: impl Future<Output = Result<T, String>>,
    ) -> Result<T, String> {
        let late = |_| format!("no answer within {} s", self.patience.as_secs());
        timeout(self.patience, conversation).await.map_err(late)?
    }
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
) -> Result<Response<Bytes>, String> {
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
        let body = body.map_err(|error| format!("an answer broke off: {error}"))?;
        Ok(Response::from_parts(head, body.to_bytes()))
    };
    // Where the connection fails, so does what waits for its answer.
    let (_, seen) = tokio::join!(connection, asking);
    seen
}
