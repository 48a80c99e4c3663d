//! TLS before the first request: which certificate is shown, who is not waited for, and that HTTP/1.1 below it is bounded
//! as it is without. HTTP/2 is tested beside.

use std::path::Path;
use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::routing::get;
use rcgen::{CertificateParams, KeyPair, date_time_ymd};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::version::{TLS12, TLS13};
use rustls::{ClientConfig, RootCertStore, SupportedProtocolVersion};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::oneshot;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use vestibule::serve::{Bounds, Certificates, Doubt, TlsFiles, bind, serve_tls};

use super::{GET, Running, SHORT, echo, generous, soon};

/// A certificate for `localhost` and its key, in two files.
pub(super) struct Pair {
    folder: TempDir,
}

impl Pair {
    pub(super) fn new() -> Self {
        let pair = Self {
            folder: tempfile::tempdir().expect("a folder"),
        };
        pair.renew();
        pair
    }

    /// Another certificate in place of the one before.
    fn renew(&self) {
        self.write(&CertificateParams::new(["localhost".to_owned()]).expect("a name"));
    }

    fn write(&self, parameters: &CertificateParams) {
        let key = KeyPair::generate().expect("a key");
        let certificate = parameters.self_signed(&key).expect("a certificate");
        let TlsFiles {
            certificate: file,
            key: key_file,
        } = self.files();
        std::fs::write(file, certificate.pem()).expect("a file");
        std::fs::write(key_file, key.serialize_pem()).expect("a file");
    }

    fn files(&self) -> TlsFiles {
        TlsFiles {
            certificate: self.folder.path().join("cert.pem"),
            key: self.folder.path().join("key.pem"),
        }
    }

    fn certificate(&self) -> CertificateDer<'static> {
        CertificateDer::from_pem_file(self.files().certificate).expect("a certificate")
    }

    pub(super) fn open(&self) -> Arc<Certificates> {
        Arc::new(Certificates::open(self.files()).expect("a certificate with its key"))
    }

    /// A client that believes this certificate alone, by the version that the server likes best.
    pub(super) async fn client(&self, server: &Running, protocol: &[u8]) -> TlsStream<TcpStream> {
        self.try_client(server, protocol, &[&TLS13, &TLS12])
            .await
            .expect("a handshake")
    }

    async fn try_client(
        &self,
        server: &Running,
        protocol: &[u8],
        versions: &[&'static SupportedProtocolVersion],
    ) -> std::io::Result<TlsStream<TcpStream>> {
        let mut roots = RootCertStore::empty();
        roots.add(self.certificate()).expect("a certificate");
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let mut config = ClientConfig::builder_with_provider(provider)
            .with_protocol_versions(versions)
            .expect("versions")
            .with_root_certificates(roots)
            .with_no_client_auth();
        config.alpn_protocols = vec![protocol.to_vec()];
        let stream = TcpStream::connect(server.address).await?;
        let name = ServerName::try_from("localhost").expect("a name");
        soon(TlsConnector::from(Arc::new(config)).connect(name, stream)).await
    }
}

/// A server on a free port that speaks TLS with these certificates.
pub(super) fn running(certificates: Arc<Certificates>, app: Router, bounds: Bounds) -> Running {
    let listener = bind(([127, 0, 0, 1], 0).into()).expect("a free port");
    let address = listener.local_addr().expect("an address");
    let (shutdown, asked) = oneshot::channel();
    let drained = tokio::spawn(serve_tls(listener, certificates, app, bounds, async move {
        let _asked_or_dropped = asked.await;
    }));
    Running {
        address,
        shutdown,
        drained,
    }
}

/// All that the server still sends. It may leave without a farewell, as it does when a bound is passed.
async fn rest(client: &mut TlsStream<TcpStream>) -> String {
    let mut rest = Vec::new();
    let _with_or_without_farewell = soon(client.read_to_end(&mut rest)).await;
    String::from_utf8(rest).expect("text")
}

#[tokio::test]
async fn both_versions_carry_requests_one_after_the_other() {
    let pair = Pair::new();
    let server = running(pair.open(), echo(), generous());
    for version in [&TLS12, &TLS13] {
        let client = pair.try_client(&server, b"http/1.1", &[version]).await;
        let mut client = client.expect("a handshake");
        assert_eq!(client.get_ref().1.protocol_version(), Some(version.version));
        assert_eq!(client.get_ref().1.alpn_protocol(), Some(&b"http/1.1"[..]));
        let last = "GET /2 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
        let requests = format!("POST /1 HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\none{last}");
        client.write_all(requests.as_bytes()).await.expect("room");
        let answers = rest(&mut client).await;
        assert!(answers.contains("127.0.0.1 /1 one"), "{answers}");
        assert!(answers.ends_with("127.0.0.1 /2 "), "{answers}");
    }
}

#[tokio::test]
async fn a_handshake_that_does_not_come_to_its_end_is_not_waited_for() {
    let bounds = Bounds {
        handshake_time: SHORT,
        ..generous()
    };
    let server = running(Pair::new().open(), echo(), bounds);
    for beginning in ["", "\u{16}\u{3}\u{1}"] {
        assert_eq!(server.exchange(beginning).await, "");
    }
}

#[tokio::test]
async fn a_client_that_takes_nothing_of_its_answer_is_let_go_of() {
    let bounds = Bounds {
        write_stall: SHORT,
        ..generous()
    };
    let pair = Pair::new();
    // More than both sides' buffers hold, and small enough for TLS to take all of it at once.
    let many = Router::new().route("/", get(|| async { Bytes::from(vec![b'a'; 32 * 1024]) }));
    let server = running(pair.open(), many, bounds);
    let mut client = pair.client(&server, b"http/1.1").await;
    let asking = async { while client.write_all(GET.repeat(100).as_bytes()).await.is_ok() {} };
    soon(asking).await;
}

#[tokio::test]
async fn a_renewed_certificate_is_shown_from_the_next_connection_on() {
    let pair = Pair::new();
    let certificates = pair.open();
    let server = running(Arc::clone(&certificates), echo(), generous());
    let mut before = pair.client(&server, b"http/1.1").await;
    pair.renew();
    certificates.reload();
    let after = pair.client(&server, b"http/1.1").await;
    let shown = |client: &TlsStream<_>| client.get_ref().1.peer_certificates().map(<[_]>::to_vec);
    assert_eq!(shown(&after), Some(vec![pair.certificate()]));
    assert_ne!(shown(&after), shown(&before));
    before.write_all(GET.as_bytes()).await.expect("room");
    let mut answer = [0; 15];
    soon(before.read_exact(&mut answer))
        .await
        .expect("an answer");
    assert_eq!(&answer, b"HTTP/1.1 200 OK");
}

#[tokio::test]
async fn a_renewal_that_cannot_be_used_leaves_the_certificate_of_before() {
    let pair = Pair::new();
    let certificates = pair.open();
    let server = running(Arc::clone(&certificates), echo(), generous());
    let key = std::fs::read(pair.files().key).expect("a key");
    for broken in ["", "-----BEGIN PRIVATE KEY-----"] {
        std::fs::write(pair.files().key, broken).expect("a file");
        certificates.reload();
        pair.client(&server, b"http/1.1").await;
    }
    std::fs::write(pair.files().key, key).expect("a file");
    certificates.reload();
    pair.client(&server, b"http/1.1").await;
}

#[test]
fn files_that_are_no_pair_are_refused_with_the_setting_to_change() {
    let (pair, other) = (Pair::new(), Pair::new());
    let good = pair.files();
    let with_key = |key: &Path| TlsFiles {
        key: key.to_owned(),
        ..good.clone()
    };
    let with_certificate = |certificate: &Path| TlsFiles {
        certificate: certificate.to_owned(),
        ..good.clone()
    };
    let absent = pair.folder.path().join("absent");
    for (files, said) in [
        (with_key(&absent), "tls.key "),
        (with_key(&good.certificate), "tls.key "),
        (
            with_key(&other.files().key),
            "expected the key of the first certificate in",
        ),
        (with_certificate(&absent), "tls.cert "),
        (with_certificate(&good.key), "expected certificates in PEM"),
    ] {
        let problem = Certificates::open(files).expect_err("no pair").to_string();
        assert!(problem.contains(said), "{problem}");
    }
}

#[test]
fn what_browsers_will_refuse_is_known_beforehand() {
    let pair = Pair::new();
    let mut parameters = CertificateParams::new(["a.example".to_owned()]).expect("a name");
    parameters.not_before = date_time_ymd(2026, 1, 1);
    parameters.not_after = date_time_ymd(2026, 4, 1);
    pair.write(&parameters);
    let certificates = pair.open();
    let doubts = |host, day: i64| {
        let seconds = (date_time_ymd(2026, 1, 1).unix_timestamp() + day * 86_400).unsigned_abs();
        let now = std::time::Duration::from_secs(seconds);
        let doubts = certificates.doubts(host, now);
        let short = |Doubt { is_refused, text }| {
            let (_, what) = text.split_once("cert.pem ").expect("its name");
            (is_refused, what.to_owned())
        };
        doubts.into_iter().map(short).collect::<Vec<_>>()
    };
    assert_eq!(doubts("a.example", 1), []);
    assert_eq!(
        doubts("a.example", -1),
        [(
            true,
            "is not valid before 2026-01-01T00:00:00Z: browsers refuse it".to_owned()
        )]
    );
    assert_eq!(
        doubts("a.example", 85),
        [(
            false,
            "expires on 2026-04-01T00:00:00Z, and nothing has renewed it".to_owned()
        )]
    );
    let both = doubts("[::1]", 91);
    assert_eq!(
        both[0].1,
        "has expired on 2026-04-01T00:00:00Z: browsers refuse it"
    );
    assert_eq!(
        both[1].1,
        "is not for [::1], the host of public_url: browsers refuse it"
    );
}
