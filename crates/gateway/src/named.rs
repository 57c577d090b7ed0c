//! What the names of a configuration's connection mean here.
//! Owns: the authorities and client certificates that the server's file names.
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
use crate::tls::{with_roots, with_system_roots};

/// What the server's file names for gateways, by its names.
#[derive(Debug, Clone, Default)]
pub struct Connections {
    /// Authorities: only these sign for gateways that name them.
    pub trust: BTreeMap<String, Vec<CertificateDer<'static>>>,
    /// Certificates that are shown to gateways that name them.
    pub client_certificates: BTreeMap<String, ClientCertificate>,
}

/// The same, ready for connections.
pub(crate) struct Named {
    names: ConnectionNames,
    system: Arc<ClientConfig>,
    trust: BTreeMap<String, Arc<ClientConfig>>,
    client_certificates: BTreeMap<String, ClientCertificate>,
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
        } = connections;
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
            },
            system: with_system_roots(extra).map_err(SetupError::ConfigRoots)?,
            trust,
            client_certificates,
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

    fn unknown(&self, connection: &Connection) -> Failure {
        let problems = self.names.problems(connection).into_iter();
        let told: Vec<String> = problems
            .map(|problem| format!("{}: {}", problem.field, problem.message))
            .collect();
        Failure::render(told.join(" "))
    }
}
