//! How connections to gateways are secured.
//! Owns: versions, trust, and whether a gateway asked for a certificate.
//! Never: resumes, sends early data, accepts what does not fit, or keeps a key log.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use rustls::client::danger::ServerCertVerifier;
use rustls::client::{ResolvesClientCert, Resumption, WebPkiServerVerifier};
use rustls::crypto::CryptoProvider;
use rustls::sign::CertifiedKey;
use rustls::{ClientConfig, NoKeyLog, OtherError, RootCertStore, SignatureScheme};
use rustls_pki_types::CertificateDer;
use rustls_platform_verifier::Verifier;

/// Certificates checked by the operating system's roots and these.
pub(crate) fn with_system_roots(
    extra: &[CertificateDer<'static>],
) -> Result<Arc<ClientConfig>, rustls::Error> {
    let provider = provider();
    let verifier = Verifier::new_with_extra_roots(extra.iter().cloned(), provider.clone())?;
    config(provider, Arc::new(verifier))
}

/// Certificates checked by these roots and no others.
pub(crate) fn with_roots(
    roots: &[CertificateDer<'static>],
) -> Result<Arc<ClientConfig>, rustls::Error> {
    let provider = provider();
    let mut store = RootCertStore::empty();
    for root in roots {
        store.add(root.clone())?;
    }
    let verifier =
        WebPkiServerVerifier::builder_with_provider(Arc::new(store), provider.clone()).build();
    let verifier = verifier.map_err(|error| rustls::Error::Other(OtherError(Arc::new(error))))?;
    config(provider, verifier)
}

fn provider() -> Arc<CryptoProvider> {
    Arc::new(rustls::crypto::aws_lc_rs::default_provider())
}

/// TLS 1.2 or later. No early data, no resumption (each charge stands alone), no key log whatever the environment says.
fn config(
    provider: Arc<CryptoProvider>,
    verifier: Arc<dyn ServerCertVerifier>,
) -> Result<Arc<ClientConfig>, rustls::Error> {
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&rustls::version::TLS13, &rustls::version::TLS12])?
        .dangerous()
        .with_custom_certificate_verifier(verifier)
        .with_no_client_auth();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    config.resumption = Resumption::disabled();
    config.enable_early_data = false;
    config.key_log = Arc::new(NoKeyLog);
    Ok(Arc::new(config))
}

/// What one connection shows to a gateway that asks for a certificate, and whether it asked.
#[derive(Debug)]
pub(crate) struct Shown {
    certificate: Option<Arc<CertifiedKey>>,
    asked: AtomicBool,
}

impl Shown {
    /// For a connection that has not begun.
    pub(crate) fn new(certificate: Option<Arc<CertifiedKey>>) -> Self {
        Self {
            certificate,
            asked: AtomicBool::new(false),
        }
    }

    /// Whether the gateway asked for a certificate.
    pub(crate) fn was_asked(&self) -> bool {
        self.asked.load(Ordering::Acquire)
    }
}

impl ResolvesClientCert for Shown {
    fn resolve(&self, _: &[&[u8]], _: &[SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        self.asked.store(true, Ordering::Release);
        self.certificate.clone()
    }

    fn has_certs(&self) -> bool {
        self.certificate.is_some()
    }
}
