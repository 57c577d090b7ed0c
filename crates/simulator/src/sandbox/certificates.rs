//! The sandbox's certificates.
//! Owns: an authority and a server certificate for this machine's own names, made at each start.
//! Never: writes a private key anywhere.

use std::sync::Arc;

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa,
    KeyPair, KeyUsagePurpose,
};
use rustls::ServerConfig;
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};

/// An authority and what it signed.
pub(super) struct Certificates {
    ca_pem: String,
    tls: Arc<ServerConfig>,
}

type Error = Box<dyn std::error::Error + Send + Sync>;

impl Certificates {
    /// Makes both.
    pub(super) fn generate() -> Result<Self, Error> {
        let authority = authority()?;
        let mut params =
            CertificateParams::new(["localhost", "127.0.0.1", "::1"].map(String::from))?;
        params
            .distinguished_name
            .push(DnType::CommonName, "Tonewall sandbox gateway");
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        let key = KeyPair::generate()?;
        let leaf = params.signed_by(&key, &authority)?;
        let private = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let mut tls = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_single_cert(vec![leaf.der().clone()], private)?;
        tls.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Self {
            ca_pem: authority.pem(),
            tls: Arc::new(tls),
        })
    }

    /// The authority's certificate.
    pub(super) fn ca_pem(&self) -> &str {
        &self.ca_pem
    }

    /// For the listener.
    pub(super) fn tls(&self) -> Arc<ServerConfig> {
        Arc::clone(&self.tls)
    }
}

fn authority() -> Result<CertifiedIssuer<'static, KeyPair>, Error> {
    let mut params = CertificateParams::new(Vec::<String>::new())?;
    params
        .distinguished_name
        .push(DnType::CommonName, "Tonewall sandbox authority");
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    Ok(CertifiedIssuer::self_signed(params, KeyPair::generate()?)?)
}
