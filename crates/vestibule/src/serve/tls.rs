//! The certificate that the server shows: read from its files, held against its key, and exchanged while the server runs.
//! Owns which TLS is spoken; how long a handshake may take, and what is said after it, is left to `serve.rs`.

use std::convert::Infallible;
use std::fmt;
use std::fs::Metadata;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::{Duration, UNIX_EPOCH};

use rustls::client::verify_server_name;
use rustls::crypto::{CryptoProvider, aws_lc_rs};
use rustls::pki_types::pem::{self, PemObject};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::server::ParsedCertificate;
use rustls::sign::{CertifiedKey, SingleCertAndKey};
use rustls::version::{TLS12, TLS13};
use rustls::{InconsistentKeys, ServerConfig};
use tracing::{error, info};
use x509_cert::Certificate;
use x509_cert::der::Decode;

/// What a client may ask to speak after the handshake (RFC 7301), the better one first.
const PROTOCOLS: [&[u8]; 2] = [HTTP_2, b"http/1.1"];
pub(super) const HTTP_2: &[u8] = b"h2";

/// How often the files are looked at. They are read once they were found the same twice, so that nobody reads a
/// certificate whose key is still being written.
const LOOK_EVERY: Duration = Duration::from_secs(2);

/// Certificates are renewed a month before their end, and short ones when a third of their life is left. With a sixth of
/// it left, or a week, nobody seems to renew this one.
const SOON: Duration = Duration::from_secs(7 * 24 * 60 * 60);
const SOON_OF_LIFE: u32 = 6;

/// The files of a certificate, both in PEM.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlsFiles {
    /// The server's certificate, and behind it those that lead to its authority.
    pub certificate: PathBuf,
    /// Its private key, in PKCS 8, PKCS 1 or SEC 1.
    pub key: PathBuf,
}

/// Why a certificate cannot be shown, with the setting to change.
#[derive(Debug, thiserror::Error)]
#[error("{setting} {}: {reason}", path.display())]
pub struct TlsProblem {
    setting: &'static str,
    path: PathBuf,
    reason: String,
}

/// What browsers have against a certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Doubt {
    /// Whether they refuse it now.
    pub is_refused: bool,
    /// A sentence for the operator.
    pub text: String,
}

/// The certificate in use. It may be exchanged at any time; a connection keeps the one that it began with.
pub struct Certificates {
    files: TlsFiles,
    shown: RwLock<Arc<Shown>>,
    /// The files as they were when they were last read, whether they could be used or not.
    read: Mutex<Stamps>,
}

/// A certificate and its key, ready for handshakes.
struct Shown {
    config: Arc<ServerConfig>,
    certificate: CertificateDer<'static>,
    validity: Validity,
}

/// From when to when a certificate is good, as time since 1970.
#[derive(Clone, Copy, Debug)]
struct Validity {
    from: Duration,
    until: Duration,
}

/// What tells a file from the one that was there before it. Links are followed.
type Stamp = Option<(u64, u64, i64, i64, u64)>;
type Stamps = [Stamp; 2];

impl Certificates {
    /// Reads the files.
    ///
    /// # Errors
    /// [`TlsProblem`] where they hold no certificate with its key.
    pub fn open(files: TlsFiles) -> Result<Self, TlsProblem> {
        let stamps = files.stamps();
        let shown = files.read()?;
        Ok(Self {
            files,
            shown: RwLock::new(Arc::new(shown)),
            read: Mutex::new(stamps),
        })
    }

    /// What to do a handshake with.
    pub(super) fn config(&self) -> Arc<ServerConfig> {
        Arc::clone(&self.shown().config)
    }

    /// What browsers have against the certificate, or soon will: its time, or that it is not for `host`. `now` is the
    /// time since 1970.
    #[must_use]
    pub fn doubts(&self, host: &str, now: Duration) -> Vec<Doubt> {
        let shown = self.shown();
        let certificate = format!(
            "the certificate of tls.cert {}",
            self.files.certificate.display()
        );
        let Validity { from, until } = shown.validity;
        let refused = |what: String| Doubt {
            is_refused: true,
            text: format!("{certificate} {what}: browsers refuse it"),
        };
        let of_time = if until < now {
            Some(refused(format!("has expired on {}", day(until))))
        } else if now < from {
            Some(refused(format!("is not valid before {}", day(from))))
        } else {
            let soon = SOON.min(until.saturating_sub(from) / SOON_OF_LIFE);
            (until - now < soon).then(|| Doubt {
                is_refused: false,
                text: format!(
                    "{certificate} expires on {}, and nothing has renewed it",
                    day(until)
                ),
            })
        };
        let of_name = (!shown.is_for(host))
            .then(|| refused(format!("is not for {host}, the host of public_url")));
        of_time.into_iter().chain(of_name).collect()
    }

    /// The certificate in a few words.
    #[must_use]
    pub fn describe(&self) -> String {
        let path = self.files.certificate.display();
        format!("{path}, valid until {}", day(self.shown().validity.until))
    }

    /// Reads the files again and shows the certificate in them from the next connection on. The log says what became
    /// of it: a certificate that cannot be used leaves the one before in use.
    pub fn reload(&self) {
        self.note(self.files.stamps());
        match self.files.read() {
            Ok(shown) => {
                let until = day(shown.validity.until);
                *self.shown.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(shown);
                info!(
                    tls.server.not_after = until,
                    "The certificate was read again; it is valid until {until}"
                );
            }
            Err(problem) => {
                error!(error.message = %problem, "The new certificate cannot be used, so the one before stays in use: {problem}");
            }
        }
    }

    /// Reads the files again whenever they have changed. Files that cannot be used are told of once. It never ends.
    pub async fn keep_current(self: Arc<Self>) -> Infallible {
        let mut interval = tokio::time::interval(LOOK_EVERY);
        let mut before = self.noted();
        loop {
            interval.tick().await;
            let files = self.files.clone();
            // A disk may hang, and nobody else is to wait for it.
            let Ok(found) = tokio::task::spawn_blocking(move || files.stamps()).await else {
                continue;
            };
            if found == before && found != self.noted() {
                let this = Arc::clone(&self);
                // What a panic in there has to say, it has said in the log.
                let _ended = tokio::task::spawn_blocking(move || this.reload()).await;
            }
            before = found;
        }
    }

    fn shown(&self) -> Arc<Shown> {
        Arc::clone(&self.shown.read().unwrap_or_else(PoisonError::into_inner))
    }

    fn noted(&self) -> Stamps {
        *self.read.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn note(&self, stamps: Stamps) {
        *self.read.lock().unwrap_or_else(PoisonError::into_inner) = stamps;
    }
}

impl fmt::Debug for Certificates {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Certificates").field(&self.files).finish()
    }
}

impl TlsFiles {
    fn read(&self) -> Result<Shown, TlsProblem> {
        let chain = self.read_chain().map_err(|reason| self.of_chain(reason))?;
        let key = self.read_key().map_err(|reason| self.of_key(reason))?;
        let certificate = chain[0].clone();
        let validity = Validity::of(&certificate).map_err(|reason| self.of_chain(reason))?;
        let provider = Arc::new(aws_lc_rs::default_provider());
        let pair = CertifiedKey::from_der(chain, key, &provider).map_err(|error| {
            self.of_key(match error {
                rustls::Error::InconsistentKeys(InconsistentKeys::KeyMismatch) => format!(
                    "expected the key of the first certificate in {}, and it is another one",
                    self.certificate.display()
                ),
                error => format!("expected a key for TLS ({error})"),
            })
        })?;
        Ok(Shown {
            config: Arc::new(config(provider, pair)),
            certificate,
            validity,
        })
    }

    /// The certificates, of which there is at least one.
    fn read_chain(&self) -> Result<Vec<CertificateDer<'static>>, String> {
        let text = read(&self.certificate)?;
        let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&text).collect();
        match chain {
            Ok(chain) if !chain.is_empty() => Ok(chain),
            _ => Err("expected certificates in PEM, the server's own first".to_owned()),
        }
    }

    fn read_key(&self) -> Result<PrivateKeyDer<'static>, String> {
        let text = zeroize::Zeroizing::new(read(&self.key)?);
        PrivateKeyDer::from_pem_slice(&text).map_err(|error| match error {
            pem::Error::NoItemsFound => {
                "expected a private key in PEM that no passphrase protects".to_owned()
            }
            _ => "expected a private key in PEM".to_owned(),
        })
    }

    fn stamps(&self) -> Stamps {
        [&self.certificate, &self.key].map(|path| std::fs::metadata(path).ok().as_ref().map(stamp))
    }

    fn of_chain(&self, reason: String) -> TlsProblem {
        TlsProblem {
            setting: "tls.cert",
            path: self.certificate.clone(),
            reason,
        }
    }

    fn of_key(&self, reason: String) -> TlsProblem {
        TlsProblem {
            setting: "tls.key",
            path: self.key.clone(),
            reason,
        }
    }
}

impl Shown {
    /// Whether browsers take the certificate for one of this host, whose IPv6 addresses stand in brackets.
    fn is_for(&self, host: &str) -> bool {
        let host = host.trim_start_matches('[').trim_end_matches(']');
        let parsed = ParsedCertificate::try_from(&self.certificate);
        let name = ServerName::try_from(host);
        matches!((parsed, name), (Ok(parsed), Ok(name)) if verify_server_name(&parsed, &name).is_ok())
    }
}

impl Validity {
    fn of(certificate: &CertificateDer<'_>) -> Result<Self, String> {
        let parsed = Certificate::from_der(certificate)
            .map_err(|error| format!("expected certificates of X.509 ({error})"))?;
        let validity = parsed.tbs_certificate().validity();
        Ok(Self {
            from: validity.not_before.to_unix_duration(),
            until: validity.not_after.to_unix_duration(),
        })
    }
}

/// TLS 1.2 and 1.3 with the suites of rustls, all of which have forward secrecy. Nothing is taken before the handshake
/// is over (0-RTT), since whoever recorded it could send it again.
fn config(provider: Arc<CryptoProvider>, pair: CertifiedKey) -> ServerConfig {
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&TLS13, &TLS12])
        .expect("the provider has suites for both versions")
        .with_no_client_auth()
        .with_cert_resolver(Arc::new(SingleCertAndKey::from(pair)));
    config.alpn_protocols = PROTOCOLS.map(<[u8]>::to_vec).to_vec();
    // A session is taken up again by what the client keeps, encrypted, so that no memory of ours grows with clients.
    if let Ok(ticketer) = aws_lc_rs::Ticketer::new() {
        config.ticketer = ticketer;
    }
    config
}

fn read(path: &Path) -> Result<Vec<u8>, String> {
    std::fs::read(path).map_err(|error| match error.kind() {
        io::ErrorKind::PermissionDenied => {
            format!("expected a file that the user of this program may read ({error})")
        }
        _ => format!("expected a file that can be read ({error})"),
    })
}

fn stamp(file: &Metadata) -> (u64, u64, i64, i64, u64) {
    (
        file.dev(),
        file.ino(),
        file.mtime(),
        file.mtime_nsec(),
        file.size(),
    )
}

/// The day and time of a moment since 1970.
fn day(moment: Duration) -> String {
    humantime::format_rfc3339_seconds(UNIX_EPOCH + moment).to_string()
}
