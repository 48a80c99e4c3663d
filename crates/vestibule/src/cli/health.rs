//! `vestibule health`: whether the server of this configuration is ready, for the health checks
//! of containers and supervisors.

use std::{
    io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    sync::Arc,
    time::Duration,
};

use clap::Command;
use rustls::{
    ClientConfig, DigitallySignedStruct, SignatureScheme,
    client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    crypto::{CryptoProvider, aws_lc_rs, verify_tls12_signature, verify_tls13_signature},
    pki_types::{CertificateDer, ServerName, UnixTime},
};
use tokio::{
    io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _},
    net::TcpStream,
    time::timeout,
};
use tokio_rustls::TlsConnector;

use super::{Ended, Failure, output::say};
use crate::config::Loaded;

/// A server that is well answers in far less, whatever it is asked.
const PATIENCE: Duration = Duration::from_secs(5);
/// The start of the answer is all that is read.
const ENOUGH: u64 = 4096;

pub(super) fn command() -> Command {
    Command::new("health")
        .about("Ask the running server whether it is ready: exit code 0 if it is, 1 if not")
}

pub(super) async fn run(loaded: &Loaded) -> Ended {
    let address = reachable(loaded.config.listen);
    let late = |_| io::Error::new(io::ErrorKind::TimedOut, "it takes too long");
    let asked = ask(address, loaded.config.tls.is_some());
    let answer = timeout(PATIENCE, asked).await.map_err(late).flatten();
    let answer = answer
        .map_err(|error| Failure::Failed(format!("no server answers on {address}: {error}")))?;
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or((&answer, ""));
    match head.split(' ').nth(1) {
        Some("200") => {
            say!("ready");
            Ok(())
        }
        Some(status) => Err(Failure::Failed(format!(
            "not ready, status {status}: {}",
            body.trim()
        ))),
        None => Err(Failure::Failed(format!(
            "what answers on {address} does not speak HTTP"
        ))),
    }
}

/// An address that is listened on everywhere is asked here.
pub(super) fn reachable(listen: SocketAddr) -> SocketAddr {
    let host = match listen.ip() {
        IpAddr::V4(Ipv4Addr::UNSPECIFIED) => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(Ipv6Addr::UNSPECIFIED) => Ipv6Addr::LOCALHOST.into(),
        host => host,
    };
    SocketAddr::new(host, listen.port())
}

async fn ask(address: SocketAddr, with_tls: bool) -> io::Result<String> {
    let stream = TcpStream::connect(address).await?;
    if !with_tls {
        return ask_by(stream, address).await;
    }
    let connector = TlsConnector::from(Arc::new(without_proof()));
    let name = ServerName::from(address.ip());
    ask_by(connector.connect(name, stream).await?, address).await
}

async fn ask_by(
    mut stream: impl AsyncRead + AsyncWrite + Unpin,
    address: SocketAddr,
) -> io::Result<String> {
    let request = format!("GET /readyz HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await?;
    let mut answer = Vec::new();
    stream.take(ENOUGH).read_to_end(&mut answer).await?;
    Ok(String::from_utf8_lossy(&answer).into_owned())
}

/// TLS to a server whose name is not asked for: it is found by an address of this machine, which its certificate does not
/// name, and is told nothing that others may not hear. Whether browsers believe it is a question for `doctor`.
fn without_proof() -> ClientConfig {
    let provider = Arc::new(aws_lc_rs::default_provider());
    ClientConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .expect("the provider has suites for the default versions")
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(AnyName(provider)))
        .with_no_client_auth()
}

/// Asks of a server that it has the key of its certificate, and nothing more.
#[derive(Debug)]
struct AnyName(Arc<CryptoProvider>);

impl ServerCertVerifier for AnyName {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.0.signature_verification_algorithms;
        verify_tls12_signature(message, certificate, signature, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.0.signature_verification_algorithms;
        verify_tls13_signature(message, certificate, signature, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
