//! The sandbox's certificates.
//! Owns: an authority and server certificates for this machine's own names, good ones and bad ones, made at each start.
//! Never: writes a private key anywhere.

use std::sync::Arc;

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa,
    KeyPair, KeyUsagePurpose, date_time_ymd,
};
use rustls::ServerConfig;
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};

use super::behaviour::Behaviour;

/// An authority and what it signed.
pub(super) struct Certificates {
    ca_pem: String,
    good: Arc<ServerConfig>,
    expired: Arc<ServerConfig>,
    future: Arc<ServerConfig>,
    other_hosts: Arc<ServerConfig>,
    strangers: Arc<ServerConfig>,
}

type Error = Box<dyn std::error::Error + Send + Sync>;
type Authority = CertifiedIssuer<'static, KeyPair>;

impl Certificates {
    /// Makes all.
    pub(super) fn generate() -> Result<Self, Error> {
        let (ours, strangers) = (authority()?, authority()?);
        let mut expired = params(&["localhost", "127.0.0.1", "::1"])?;
        let mut future = expired.clone();
        (expired.not_before, expired.not_after) =
            (date_time_ymd(2020, 1, 1), date_time_ymd(2021, 1, 1));
        (future.not_before, future.not_after) =
            (date_time_ymd(2100, 1, 1), date_time_ymd(2101, 1, 1));
        let good = || params(&["localhost", "127.0.0.1", "::1"]);
        Ok(Self {
            ca_pem: ours.pem(),
            good: server(&good()?, &ours)?,
            expired: server(&expired, &ours)?,
            future: server(&future, &ours)?,
            other_hosts: server(&params(&["other.example"])?, &ours)?,
            strangers: server(&good()?, &strangers)?,
        })
    }

    /// The authority's certificate.
    pub(super) fn ca_pem(&self) -> &str {
        &self.ca_pem
    }

    /// What a connection is shown.
    pub(super) fn shown(&self, early: Option<Behaviour>) -> Arc<ServerConfig> {
        Arc::clone(match early {
            Some(Behaviour::ExpiredCertificate) => &self.expired,
            Some(Behaviour::FutureCertificate) => &self.future,
            Some(Behaviour::OtherHostsCertificate) => &self.other_hosts,
            Some(Behaviour::StrangersCertificate) => &self.strangers,
            _ => &self.good,
        })
    }
}

fn params(names: &[&str]) -> Result<CertificateParams, Error> {
    let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
    let mut params = CertificateParams::new(names)?;
    params
        .distinguished_name
        .push(DnType::CommonName, "Tonewall sandbox gateway");
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    Ok(params)
}

fn server(params: &CertificateParams, authority: &Authority) -> Result<Arc<ServerConfig>, Error> {
    let key = KeyPair::generate()?;
    let leaf = params.signed_by(&key, authority)?;
    let private = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut tls = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(vec![leaf.der().clone()], private)?;
    tls.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(Arc::new(tls))
}

fn authority() -> Result<Authority, Error> {
    let mut params = CertificateParams::new(Vec::<String>::new())?;
    params
        .distinguished_name
        .push(DnType::CommonName, "Tonewall sandbox authority");
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    Ok(CertifiedIssuer::self_signed(params, KeyPair::generate()?)?)
}
