//! What the names of a configuration's connection mean here.
//! Owns: the authorities, client certificates and proxies that the server's file names.
//! Never: takes another one where a name is not known.

use std::collections::BTreeMap;
use std::sync::Arc;

use domain::gateway::{Connection, ConnectionNames};
use rustls::ClientConfig;
use rustls::sign::CertifiedKey;
use rustls_pki_types::CertificateDer;

use crate::failure::Failure;
use crate::files::ClientCertificate;
use crate::gateway::SetupError;
use crate::proxy::Proxy;
use crate::tls::{with_roots, with_system_roots};

/// What the server's file names for gateways, by its names.
#[derive(Debug, Clone, Default)]
pub struct Connections {
    /// Authorities: only these sign for gateways that name them.
    pub trust: BTreeMap<String, Vec<CertificateDer<'static>>>,
    /// Certificates that are shown to gateways that name them.
    pub client_certificates: BTreeMap<String, ClientCertificate>,
    /// Proxies.
    pub proxies: BTreeMap<String, Proxy>,
    /// The proxy of whoever names none; none: no proxy. The environment names none either.
    pub proxy: Option<String>,
}

/// The same, ready for connections.
pub(crate) struct Named {
    names: ConnectionNames,
    system: Arc<ClientConfig>,
    trust: BTreeMap<String, Arc<ClientConfig>>,
    client_certificates: BTreeMap<String, ClientCertificate>,
    proxies: BTreeMap<String, Arc<Proxy>>,
}

/// The proxy that a connection goes through.
pub(crate) struct Through {
    /// Its name in the server's file.
    pub(crate) name: String,
    /// The proxy.
    pub(crate) proxy: Arc<Proxy>,
}

/// How a connection is secured.
pub(crate) struct Security {
    /// Whom it trusts.
    pub(crate) tls: Arc<ClientConfig>,
    /// What it shows.
    pub(crate) certificate: Option<Arc<CertifiedKey>>,
}

impl Named {
    /// `extra` are trusted besides the system's roots where nothing is named.
    pub(crate) fn new(
        connections: Connections,
        extra: &[CertificateDer<'static>],
    ) -> Result<Self, SetupError> {
        let Connections {
            trust,
            client_certificates,
            proxies,
            proxy,
        } = connections;
        if let Some(name) = proxy.as_ref().filter(|name| !proxies.contains_key(*name)) {
            return Err(SetupError::ConfigProxy { name: name.clone() });
        }
        let proxies = proxies.into_iter().map(|(name, one)| (name, Arc::new(one)));
        let proxies: BTreeMap<_, _> = proxies.collect();
        let with_roots = |(name, roots): (String, Vec<_>)| match with_roots(&roots) {
            Ok(tls) => Ok((name, tls)),
            Err(source) => Err(SetupError::ConfigTrust { name, source }),
        };
        let trust: BTreeMap<_, _> = trust
            .into_iter()
            .map(with_roots)
            .collect::<Result<_, _>>()?;
        Ok(Self {
            names: ConnectionNames {
                trust: trust.keys().cloned().collect(),
                client_certificates: client_certificates.keys().cloned().collect(),
                proxies: proxies.keys().cloned().collect(),
                default_proxy: proxy,
            },
            system: with_system_roots(extra).map_err(SetupError::ConfigRoots)?,
            trust,
            client_certificates,
            proxies,
        })
    }

    /// All names.
    pub(crate) fn names(&self) -> &ConnectionNames {
        &self.names
    }

    /// How a configuration wants its connections secured; not at all if it names what is not here.
    pub(crate) fn security(&self, connection: &Connection) -> Result<Security, Failure> {
        let unknown = || self.unknown(connection);
        let tls = match connection.trust.as_str() {
            "" => &self.system,
            name => self.trust.get(name).ok_or_else(unknown)?,
        };
        let certificate = match connection.client_certificate.as_str() {
            "" => None,
            name => Some(self.client_certificates.get(name).ok_or_else(unknown)?),
        };
        Ok(Security {
            tls: Arc::clone(tls),
            certificate: certificate.map(ClientCertificate::certified),
        })
    }

    /// The proxy that a configuration goes through, with its name; none: it goes straight.
    pub(crate) fn proxy(&self, connection: &Connection) -> Result<Option<Through>, Failure> {
        let name = match (connection.proxy.as_str(), &self.names.default_proxy) {
            ("", None) => return Ok(None),
            ("", Some(default)) => default,
            (name, _) => name,
        };
        let proxy = self.proxies.get(name);
        let proxy = proxy.ok_or_else(|| self.unknown(connection))?;
        Ok(Some(Through {
            name: name.to_owned(),
            proxy: Arc::clone(proxy),
        }))
    }

    fn unknown(&self, connection: &Connection) -> Failure {
        let problems = self.names.problems(connection).into_iter();
        let told: Vec<String> = problems
            .map(|problem| format!("{}: {}", problem.field, problem.message))
            .collect();
        Failure::render(told.join(" "))
    }
}
