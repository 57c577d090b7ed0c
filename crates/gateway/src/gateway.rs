//! The gateway client.
//! Owns: the two steps of a charge, and that its digits end with it.
//! Never: retries, pools, or says "not sent" once a byte was offered.

use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};

use bytes::Bytes;
use domain::boundary::{Answer, Charge, NotSent, PaymentGateway, ReadyCharge, Task};
use domain::gateway::{Evidence, GatewayConfig, KeyFound, NotSentReason, verdict};
use http_body_util::Full;
use hyper::Request;
use rustls::ClientConfig;
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject;
use tokio::time::{Instant, timeout_at};

use crate::connection::{Secured, establish, tls_config};
use crate::exchange::{Progress, Reply, exchange};
use crate::failure::Failure;
use crate::policy::{GatewayPolicy, Target, Trust};
use crate::reply::{Captured, read, scrubbed};
use crate::request::render;

/// HTTPS to payment gateways.
///
/// Each charge gets one connection and one request. Nothing is retried: whoever may have been
/// charged must not be charged again by a machine.
pub struct HttpsGateway {
    policy: GatewayPolicy,
    /// Hosts that a second person approved. Public addresses only.
    approved: RwLock<Vec<String>>,
    tls: Arc<ClientConfig>,
}

/// The client cannot be made.
#[derive(Debug, thiserror::Error)]
pub enum SetupError {
    /// An extra root is no certificate, or no root is there at all.
    #[error("the certificate authorities for gateways cannot be used")]
    ConfigRoots(#[source] rustls::Error),
    /// A file of certificate authorities cannot be read.
    #[error("{} is no PEM file with certificates", path.display())]
    ConfigRootsFile {
        /// Which.
        path: PathBuf,
        /// Why; none: it holds no certificate.
        #[source]
        source: Option<rustls_pki_types::pem::Error>,
    },
}

/// The certificate authorities of a PEM file, for [`GatewayPolicy::extra_roots`].
///
/// # Errors
/// The file cannot be read, is no PEM, or holds no certificate.
pub fn read_roots(path: &Path) -> Result<Vec<CertificateDer<'static>>, SetupError> {
    let wrong = |source| SetupError::ConfigRootsFile {
        path: path.to_owned(),
        source,
    };
    let roots =
        CertificateDer::pem_file_iter(path).and_then(Iterator::collect::<Result<Vec<_>, _>>);
    match roots {
        Ok(roots) if roots.is_empty() => Err(wrong(None)),
        Ok(roots) => Ok(roots),
        Err(error) => Err(wrong(Some(error))),
    }
}

impl HttpsGateway {
    /// A client that keeps to the policy.
    ///
    /// # Errors
    /// The extra roots cannot be used.
    pub fn new(policy: GatewayPolicy) -> Result<Self, SetupError> {
        let tls = tls_config(&policy).map_err(SetupError::ConfigRoots)?;
        Ok(Self {
            policy,
            approved: RwLock::default(),
            tls,
        })
    }

    fn trusted(&self, gateway: &GatewayConfig) -> Result<(Target, Trust), Failure> {
        let target = Target::parse(&gateway.service_url)?;
        let approved = self.approved.read();
        let approved = approved.unwrap_or_else(PoisonError::into_inner);
        match self.policy.trust(&target, &approved) {
            Some(trust) => Ok((target, trust)),
            None => Err(Failure::new(
                NotSentReason::HostNotApproved,
                format!("{} is not among the approved hosts", target.authority()),
            )),
        }
    }

    async fn prepare(&self, charge: &Charge) -> Result<(Request<Full<Bytes>>, Secured), Failure> {
        let (target, trust) = self.trusted(&charge.gateway)?;
        let request = render(charge, &target)?;
        let within = charge.gateway.connection_timeout();
        let secured = establish(&target, trust, Arc::clone(&self.tls), within).await?;
        Ok((request, secured))
    }
}

impl PaymentGateway for HttpsGateway {
    fn host_approved(&self, gateway: &GatewayConfig) -> bool {
        self.trusted(gateway).is_ok()
    }

    fn set_approved_hosts(&self, authorities: Vec<String>) {
        *self
            .approved
            .write()
            .unwrap_or_else(PoisonError::into_inner) = authorities;
    }

    fn connect(&self, charge: Charge) -> Task<'_, Result<Box<dyn ReadyCharge>, NotSent>> {
        Box::pin(async move {
            match self.prepare(&charge).await {
                Ok((request, secured)) => Ok(Box::new(Ready {
                    request,
                    secured,
                    charge,
                }) as Box<dyn ReadyCharge>),
                Err(failure) => Err(failure.with(charge)),
            }
        })
    }
}

/// A rendered charge with a secured connection.
struct Ready {
    request: Request<Full<Bytes>>,
    secured: Secured,
    charge: Charge,
}

impl ReadyCharge for Ready {
    fn send(self: Box<Self>) -> Task<'static, Result<Answer, NotSent>> {
        Box::pin(async move {
            let Self {
                request,
                secured,
                charge,
            } = *self;
            let deadline = Instant::now() + charge.gateway.read_timeout();
            let stream = match secured.still_quiet().await {
                Ok(stream) => stream,
                Err(failure) => return Err(failure.with(charge)),
            };
            let progress = Arc::new(Progress::default());
            let exchange = exchange(stream, request, Arc::clone(&progress));
            let (reply, why) = match timeout_at(deadline, exchange).await {
                Ok(Ok(reply)) => (Some(reply), None),
                Ok(Err(incomplete)) => (None, Some(incomplete.to_string())),
                Err(_) => (None, Some("no complete reply in time".to_owned())),
            };
            if let (Some(why), false) = (&why, progress.began()) {
                let failure = Failure::new(NotSentReason::Connect, why.clone());
                return Err(failure.with(charge));
            }
            let answer = judged(reply.as_ref(), progress.status(), &charge);
            tracing::info!(
                attempt = charge.attempt.as_str(),
                outcome = answer.verdict.outcome.label(),
                status = answer.status,
                why,
                "charge answered"
            );
            Ok(answer)
        })
    }

    fn abandon(self: Box<Self>) -> Charge {
        self.charge
    }
}

/// The answer that a reply amounts to. The slot is only borrowed, to scrub the message.
fn judged(reply: Option<&Reply>, status: Option<u16>, charge: &Charge) -> Answer {
    let Some(reply) = reply else {
        let nothing = Evidence {
            status: None,
            parsed: false,
            key: KeyFound::Absent,
        };
        return Answer {
            verdict: verdict(nothing, charge.gateway.missing_key),
            message: String::new(),
            status,
        };
    };
    let reading = read(reply.status, reply.body.expose(), &charge.gateway);
    let message = reading.message.filter(|_| charge.show_message);
    Answer {
        verdict: verdict(reading.evidence, charge.gateway.missing_key),
        message: message.map_or(String::new(), |text| {
            scrubbed(&text, &Captured::new(&charge.slot))
        }),
        status,
    }
}
