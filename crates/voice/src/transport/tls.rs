//! How SIP connections are secured.
//! Owns: our certificate, whom we trust, and reading both again when their files change.
//! Never: speaks below TLS 1.2, resumes, keeps a key log, or goes on in clear.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use rustls::client::{Resumption, WebPkiServerVerifier, verify_server_name};
use rustls::crypto::CryptoProvider;
use rustls::server::{NoServerSessionStorage, ParsedCertificate, WebPkiClientVerifier};
use rustls::{
    AlertDescription, CertificateError, ClientConfig, NoKeyLog, RootCertStore, ServerConfig,
};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use thiserror::Error;
use tokio::net::TcpStream;
use tokio::time::Instant;
use tokio_rustls::{TlsAcceptor, TlsConnector, TlsStream};
use x509_cert::Certificate;
use x509_cert::der::Decode;

/// A certificate of ours that ends sooner is warned of: long enough for people on leave.
const ENDS_SOON: Duration = Duration::from_secs(30 * 24 * 3_600);

/// Time between two warnings.
const WARN_AGAIN: Duration = Duration::from_secs(24 * 3_600);

/// Files and far sides of TLS.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TlsConfig {
    /// PEM: our chain, leaf first. Shown to who calls us, and to whom we call where they ask.
    pub certificate: PathBuf,
    /// PEM: its private key.
    pub key: PathBuf,
    /// PEM: issuers of far sides' certificates. None: nobody is asked for one, and we call nobody inside TLS.
    pub roots: Option<PathBuf>,
    /// Far sides that are known by a name in their certificates.
    pub peers: Vec<TlsPeer>,
    /// Time between two looks whether the files have changed.
    pub look: Duration,
}

/// A far side that is known by a name in its certificate, whoever begins the connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TlsPeer {
    /// Addresses that its connections come from or go to.
    pub addresses: Vec<IpAddr>,
    /// The name.
    pub name: String,
}

/// Why files are of no use.
#[derive(Debug, Error)]
pub enum TlsError {
    /// A file cannot be read, or holds something else.
    #[error("{path}: {why}")]
    ConfigFile {
        /// Which.
        path: PathBuf,
        /// Why.
        why: String,
    },
    /// Certificate and key do not fit, or are of a kind that is not spoken.
    #[error("{path} and its key: {source}")]
    ConfigPair {
        /// The certificate's.
        path: PathBuf,
        /// Why.
        #[source]
        source: rustls::Error,
    },
    /// A peer's name is no name that a certificate could have.
    #[error("\"{0}\" is no name that a certificate could have")]
    ConfigName(String),
    /// Peers are to show certificates, and no issuers are named.
    #[error("peers are to show certificates, but no roots are named that they are checked by")]
    ConfigRoots,
}

/// A handshake that failed, in words for whoever has to mend it.
#[derive(Debug, Error)]
pub(super) enum HandshakeError {
    #[error("{what}")]
    PeerHandshake {
        what: &'static str,
        #[source]
        source: io::Error,
    },
    #[error("it shows no certificate, and is to show one for \"{0}\"")]
    PeerNoCertificate(String),
    #[error("its certificate is not for \"{0}\", the name that is set for it")]
    PeerName(String),
    #[error("no roots are named that its certificate could be checked by: set sip.tls.roots")]
    ConfigRoots,
}

/// What connections are opened with.
#[derive(Debug)]
pub(super) struct Tls {
    config: TlsConfig,
    current: Mutex<Arc<Loaded>>,
}

#[derive(Debug)]
struct Loaded {
    server: Arc<ServerConfig>,
    client: Option<Arc<ClientConfig>>,
    /// Until when our certificate holds; none: it does not say it in a way that we read.
    ends: Option<SystemTime>,
}

impl Tls {
    /// Reads the files.
    pub(super) fn read(config: TlsConfig) -> Result<Self, TlsError> {
        for peer in &config.peers {
            ServerName::try_from(peer.name.as_str())
                .map_err(|_| TlsError::ConfigName(peer.name.clone()))?;
        }
        if !config.peers.is_empty() && config.roots.is_none() {
            return Err(TlsError::ConfigRoots);
        }
        let current = Mutex::new(Arc::new(load(&config)?));
        let tls = Self { config, current };
        tls.warn_of_end();
        Ok(tls)
    }

    /// Until when the certificate that we show holds.
    pub(super) fn ends(&self) -> Option<SystemTime> {
        self.current().ends
    }

    fn warn_of_end(&self) {
        let file = self.config.certificate.display();
        let left = self.ends().map(|end| end.duration_since(SystemTime::now()));
        match left {
            Some(Ok(left)) if left < ENDS_SOON => {
                let days = left.as_secs() / (24 * 3_600);
                tracing::warn!(%file, days, "the certificate of sip.tls ends in so many days: renew it");
            }
            Some(Err(_)) => tracing::error!(
                %file,
                "alarm: the certificate of sip.tls has ended, and far sides that check it refuse us: renew it"
            ),
            Some(Ok(_)) | None => {}
        }
    }

    /// Reads the files again whenever one has changed. What cannot be used is said once, and the old goes on.
    pub(super) async fn watch(self: Arc<Self>) {
        let mut seen = self.ages();
        let mut warned = Instant::now();
        loop {
            tokio::time::sleep(self.config.look).await;
            if warned.elapsed() >= WARN_AGAIN {
                warned = Instant::now();
                self.warn_of_end();
            }
            let ages = self.ages();
            if ages == seen {
                continue;
            }
            seen = ages;
            match load(&self.config) {
                Ok(loaded) => {
                    *self.current.lock().unwrap_or_else(PoisonError::into_inner) = Arc::new(loaded);
                    tracing::info!("the files of SIP's TLS were read again");
                    self.warn_of_end();
                }
                Err(error) => tracing::error!(
                    %error,
                    "the files of SIP's TLS have changed and cannot be used; connections are opened with the old ones"
                ),
            }
        }
    }

    fn ages(&self) -> [Option<(SystemTime, u64)>; 3] {
        let age = |path: &Path| {
            let data = std::fs::metadata(path).ok()?;
            Some((data.modified().ok()?, data.len()))
        };
        [
            age(&self.config.certificate),
            age(&self.config.key),
            self.config.roots.as_deref().and_then(age),
        ]
    }

    fn current(&self) -> Arc<Loaded> {
        let current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(&current)
    }

    fn name_of(&self, address: IpAddr) -> Option<&str> {
        let mut peers = self.config.peers.iter();
        let peer = peers.find(|peer| peer.addresses.contains(&address))?;
        Some(&peer.name)
    }

    /// A far side has begun the connection.
    pub(super) async fn accept(
        &self,
        stream: TcpStream,
        remote: SocketAddr,
    ) -> Result<TlsStream<TcpStream>, HandshakeError> {
        let acceptor = TlsAcceptor::from(Arc::clone(&self.current().server));
        let stream = acceptor.accept(stream).await.map_err(failed)?;
        if let Some(name) = self.name_of(remote.ip()) {
            let shown = stream.get_ref().1.peer_certificates();
            shows(shown, name)?;
        }
        Ok(stream.into())
    }

    /// We have begun it.
    pub(super) async fn connect(
        &self,
        stream: TcpStream,
        remote: SocketAddr,
    ) -> Result<TlsStream<TcpStream>, HandshakeError> {
        let current = self.current();
        let client = current.client.as_ref().ok_or(HandshakeError::ConfigRoots)?;
        let named = self
            .name_of(remote.ip())
            .and_then(|name| ServerName::try_from(name.to_owned()).ok());
        let name = named.unwrap_or_else(|| ServerName::from(remote.ip()));
        let connecting = TlsConnector::from(Arc::clone(client)).connect(name, stream);
        Ok(connecting.await.map_err(failed)?.into())
    }
}

fn shows(shown: Option<&[CertificateDer<'_>]>, name: &str) -> Result<(), HandshakeError> {
    let leaf = shown.and_then(<[_]>::first);
    let leaf = leaf.ok_or_else(|| HandshakeError::PeerNoCertificate(name.to_owned()))?;
    let wrong = || HandshakeError::PeerName(name.to_owned());
    let parsed = ParsedCertificate::try_from(leaf).map_err(|_| wrong())?;
    let expected = ServerName::try_from(name).map_err(|_| wrong())?;
    verify_server_name(&parsed, &expected).map_err(|_| wrong())
}

fn load(config: &TlsConfig) -> Result<Loaded, TlsError> {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let chain = certificates(&config.certificate)?;
    let key =
        PrivateKeyDer::from_pem_file(&config.key).map_err(|error| unusable(&config.key, &error))?;
    let roots = config.roots.as_deref().map(roots).transpose()?;
    let pair = |source| TlsError::ConfigPair {
        path: config.certificate.clone(),
        source,
    };
    let client = roots
        .clone()
        .map(|roots| client(&provider, roots, (chain.clone(), key.clone_key())))
        .transpose()
        .map_err(pair)?;
    let ends = chain.first().and_then(|leaf| not_after(leaf));
    let server = server(&provider, roots, (chain, key)).map_err(pair)?;
    Ok(Loaded {
        server,
        client,
        ends,
    })
}

type Pair = (Vec<CertificateDer<'static>>, PrivateKeyDer<'static>);

/// Far sides are asked for a certificate if it can be checked; who has to show one is looked at behind the handshake.
fn server(
    provider: &Arc<CryptoProvider>,
    roots: Option<Arc<RootCertStore>>,
    (chain, key): Pair,
) -> Result<Arc<ServerConfig>, rustls::Error> {
    let verifier = match roots {
        Some(roots) => WebPkiClientVerifier::builder_with_provider(roots, provider.clone())
            .allow_unauthenticated()
            .build()
            .map_err(|error| rustls::Error::General(error.to_string()))?,
        None => WebPkiClientVerifier::no_client_auth(),
    };
    let mut config = ServerConfig::builder_with_provider(provider.clone())
        .with_safe_default_protocol_versions()?
        .with_client_cert_verifier(verifier)
        .with_single_cert(chain, key)?;
    config.session_storage = Arc::new(NoServerSessionStorage {});
    config.send_tls13_tickets = 0;
    config.key_log = Arc::new(NoKeyLog);
    Ok(Arc::new(config))
}

fn client(
    provider: &Arc<CryptoProvider>,
    roots: Arc<RootCertStore>,
    (chain, key): Pair,
) -> Result<Arc<ClientConfig>, rustls::Error> {
    let verifier = WebPkiServerVerifier::builder_with_provider(roots, provider.clone()).build();
    let verifier = verifier.map_err(|error| rustls::Error::General(error.to_string()))?;
    let mut config = ClientConfig::builder_with_provider(provider.clone())
        .with_safe_default_protocol_versions()?
        .with_webpki_verifier(verifier)
        .with_client_auth_cert(chain, key)?;
    config.resumption = Resumption::disabled();
    config.key_log = Arc::new(NoKeyLog);
    Ok(Arc::new(config))
}

fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let read = CertificateDer::pem_file_iter(path).and_then(Iterator::collect::<Result<Vec<_>, _>>);
    let chain = read.map_err(|error| unusable(path, &error))?;
    match chain.is_empty() {
        true => Err(unusable(path, &"no certificate is in it")),
        false => Ok(chain),
    }
}

fn roots(path: &Path) -> Result<Arc<RootCertStore>, TlsError> {
    let mut store = RootCertStore::empty();
    for certificate in certificates(path)? {
        store
            .add(certificate)
            .map_err(|error| unusable(path, &error))?;
    }
    Ok(Arc::new(store))
}

fn unusable(path: &Path, why: &dyn std::fmt::Display) -> TlsError {
    TlsError::ConfigFile {
        path: path.to_owned(),
        why: why.to_string(),
    }
}

/// Until when a certificate in DER holds; none: it is none.
fn not_after(certificate: &[u8]) -> Option<SystemTime> {
    let certificate = Certificate::from_der(certificate).ok()?;
    let end = certificate.tbs_certificate().validity().not_after;
    SystemTime::UNIX_EPOCH.checked_add(end.to_unix_duration())
}

fn failed(source: io::Error) -> HandshakeError {
    let what = of_tls(&source).map_or("the handshake broke off", explained);
    HandshakeError::PeerHandshake { what, source }
}

fn of_tls(source: &io::Error) -> Option<&rustls::Error> {
    source.get_ref()?.downcast_ref()
}

/// What a connection broke by that seemed to be made: in TLS 1.3 whoever begins it hears only behind the handshake that its certificate is refused.
///
/// # Errors
/// It broke by something else.
pub(super) fn refused_late(source: io::Error) -> Result<HandshakeError, io::Error> {
    match of_tls(&source) {
        Some(error) if explained(error) == OURS_REFUSED => Ok(failed(source)),
        _ => Err(source),
    }
}

const OURS_REFUSED: &str = "it refuses our certificate, sip.tls.certificate";

/// What failed, and who has to do what.
fn explained(error: &rustls::Error) -> &'static str {
    match error {
        rustls::Error::InvalidCertificate(
            CertificateError::Expired | CertificateError::ExpiredContext { .. },
        ) => "its certificate has expired: it has to be renewed there",
        rustls::Error::InvalidCertificate(
            CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. },
        ) => "its certificate is not valid yet: look at the clocks of both sides",
        rustls::Error::InvalidCertificate(
            CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. },
        ) => {
            "its certificate is for another name: set the one that it has as tls_name of the trunk"
        }
        // A wrong signature is that of an issuer that was made anew under the same name.
        rustls::Error::InvalidCertificate(
            CertificateError::UnknownIssuer | CertificateError::BadSignature,
        ) => "its certificate is of an issuer that is not trusted: add that to sip.tls.roots",
        rustls::Error::InvalidCertificate(_) => "its certificate cannot be used",
        rustls::Error::AlertReceived(
            AlertDescription::CertificateRequired
            | AlertDescription::BadCertificate
            | AlertDescription::UnsupportedCertificate
            | AlertDescription::CertificateRevoked
            | AlertDescription::CertificateExpired
            | AlertDescription::CertificateUnknown
            | AlertDescription::UnknownCA
            | AlertDescription::AccessDenied
            | AlertDescription::DecryptError,
        ) => OURS_REFUSED,
        _ => "no TLS came about: look at what it speaks at this port, and from which version on",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rcgen::{CertificateParams, KeyPair, date_time_ymd};

    #[test]
    fn a_refusal_behind_the_handshake_is_told_from_a_connection_that_broke() {
        let broke = |source: rustls::Error| io::Error::new(io::ErrorKind::InvalidData, source);
        for alert in [
            AlertDescription::CertificateExpired,
            AlertDescription::UnknownCA,
            AlertDescription::DecryptError,
        ] {
            let late = refused_late(broke(rustls::Error::AlertReceived(alert)));
            assert_eq!(late.unwrap().to_string(), OURS_REFUSED);
        }
        for other in [
            broke(rustls::Error::AlertReceived(AlertDescription::DecodeError)),
            io::ErrorKind::ConnectionReset.into(),
        ] {
            let kind = other.kind();
            assert_eq!(refused_late(other).unwrap_err().kind(), kind);
        }
    }

    fn seconds(certificate: &[u8]) -> Option<u64> {
        let end = not_after(certificate)?.duration_since(SystemTime::UNIX_EPOCH);
        Some(end.unwrap().as_secs())
    }

    #[test]
    fn the_end_is_that_which_was_written_and_what_is_cut_has_none() {
        for (year, month, day, expected) in [
            (1970, 1, 2, 86_400),
            (2000, 2, 29, 951_782_400),
            (2049, 12, 31, 2_524_521_600),
            (2050, 1, 1, 2_524_608_000),
            (2100, 3, 1, 4_107_542_400),
        ] {
            let mut params = CertificateParams::new(vec!["pbx.example".to_owned()]).unwrap();
            params.not_after = date_time_ymd(year, month, day);
            let key = KeyPair::generate().unwrap();
            let certificate = params.self_signed(&key).unwrap();
            let der = certificate.der();
            assert_eq!(seconds(der), Some(expected), "{year}-{month}-{day}");
            for len in 0..der.len() {
                assert_eq!(seconds(&der[..len]), None, "{len}");
            }
        }
    }
}
