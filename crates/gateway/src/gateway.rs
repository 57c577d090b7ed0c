//! The gateway client.
//! Owns: the two steps of a charge, and that its digits end with it.
//! Never: retries, pools, or says "not sent" once a byte was offered.

use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use bytes::Bytes;
use domain::boundary::{Answer, Charge, NotSent, PaymentGateway, ReadyCharge, Task};
use domain::gateway::{GatewayConfig, NotSentReason, UrlTemplate};
use http_body_util::Full;
use hyper::Request;
use rustls::ClientConfig;
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject;
use secret::Arena;
use tokio::time::{Instant, timeout_at};

use crate::connection::{Secured, establish, tls_config};
use crate::exchange::{Progress, Reply, exchange};
use crate::failure::Failure;
use crate::policy::{GatewayPolicy, Origin, Trust};
use crate::reply::{
    Captured, Reading, Whole, headers_asked, read, scrubbed, scrubbed_value, without,
};
use crate::request::render;
use crate::trial::{TRIALS_MAX, kept_credentials};

/// HTTPS to payment gateways.
///
/// Each charge gets one connection and one request. Nothing is retried: whoever may have been
/// charged must not be charged again by a machine.
pub struct HttpsGateway {
    policy: GatewayPolicy,
    /// Hosts that a second person approved. Public addresses only.
    approved: RwLock<Vec<String>>,
    tls: Arc<ClientConfig>,
    /// Slots of trials, which hold published values.
    pub(crate) published: Arc<Arena>,
}

/// The client cannot be made.
#[derive(Debug, thiserror::Error)]
pub enum SetupError {
    /// An extra root is no certificate, or no root is there at all.
    #[error("the certificate authorities for gateways cannot be used")]
    ConfigRoots(#[source] rustls::Error),
    /// There is no memory for the values of trials.
    #[error("the memory for gateway tests cannot be had")]
    SystemArena(#[source] secret::ArenaError),
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
    /// The extra roots cannot be used, or the system gives no memory.
    pub fn new(policy: GatewayPolicy) -> Result<Self, SetupError> {
        let tls = tls_config(&policy).map_err(SetupError::ConfigRoots)?;
        Ok(Self {
            policy,
            approved: RwLock::default(),
            tls,
            published: Arena::new(TRIALS_MAX).map_err(SetupError::SystemArena)?,
        })
    }

    fn trust(&self, origin: &Origin) -> Option<Trust> {
        let approved = self.approved.read();
        let approved = approved.unwrap_or_else(PoisonError::into_inner);
        self.policy.trust(origin, &approved)
    }

    fn trusted(&self, gateway: &GatewayConfig) -> Result<(Origin, Trust), Failure> {
        let origin = origin(gateway)?;
        match self.trust(&origin) {
            Some(trust) => Ok((origin, trust)),
            None => Err(Failure::new(
                NotSentReason::HostNotApproved,
                format!("{} is not among the approved hosts", origin.authority()),
            )),
        }
    }

    /// The connection of a trial. A host that nobody has approved gets published values only, at the addresses that an approved one may have (SETTLED S4).
    pub(crate) async fn test(&self, charge: Charge) -> Result<Ready, Failure> {
        let origin = origin(&charge.gateway)?;
        let trust = self.trust(&origin).unwrap_or(Trust::Approved);
        let (request, secured) = self.prepare(&charge, &origin, trust).await?;
        Ok(Ready {
            request,
            secured,
            charge,
        })
    }

    async fn prepare(
        &self,
        charge: &Charge,
        origin: &Origin,
        trust: Trust,
    ) -> Result<(Request<Full<Bytes>>, Secured), Failure> {
        let request = render(charge)?;
        let within = charge.gateway.connection_timeout();
        let secured = establish(origin, trust, Arc::clone(&self.tls), within).await?;
        Ok((request, secured))
    }
}

/// Who a configuration sends to. It is written out there, whatever the rest of the URL turns out to be.
fn origin(gateway: &GatewayConfig) -> Result<Origin, Failure> {
    let url = UrlTemplate::parse(&gateway.service_url)
        .map_err(|error| Failure::render(format!("the Service URL: {error}")))?;
    Ok(Origin::of(&url))
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
            let prepared = match self.trusted(&charge.gateway) {
                Ok((origin, trust)) => self.prepare(&charge, &origin, trust).await,
                Err(failure) => Err(failure),
            };
            match prepared {
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
pub(crate) struct Ready {
    request: Request<Full<Bytes>>,
    secured: Secured,
    charge: Charge,
}

/// What came of a request of which at least one byte was offered.
pub(crate) struct Exchanged {
    pub(crate) charge: Charge,
    /// None: it did not come, or not to its end.
    pub(crate) reply: Option<Reply>,
    /// Why not.
    pub(crate) why: Option<String>,
    /// HTTP status, if a head came.
    pub(crate) status: Option<u16>,
    /// How long the head took.
    pub(crate) head_in: Option<Duration>,
    /// How long it all took.
    pub(crate) ended_in: Duration,
}

impl Exchanged {
    /// What the reply shows.
    pub(crate) fn reading(&self) -> Reading {
        let Some(reply) = &self.reply else {
            return Reading::of_nothing();
        };
        let whole = Whole {
            status: reply.status,
            headers: &reply.headers,
            body: reply.body.expose(),
        };
        read(&whole, &self.charge.gateway)
    }
}

impl Ready {
    /// Writes the request and waits for the reply, once.
    pub(crate) async fn exchanged(self) -> Result<Exchanged, (Failure, Charge)> {
        let Self {
            request,
            secured,
            charge,
        } = self;
        let began = Instant::now();
        let stream = match secured.still_quiet().await {
            Ok(stream) => stream,
            Err(failure) => return Err((failure, charge)),
        };
        let progress = Arc::new(Progress::default());
        let headers = headers_asked(&charge.gateway);
        let exchange = exchange(stream, request, headers, Arc::clone(&progress));
        let deadline = began + charge.gateway.read_timeout();
        let (reply, why) = match timeout_at(deadline, exchange).await {
            Ok(Ok(reply)) => (Some(reply), None),
            Ok(Err(incomplete)) => (None, Some(incomplete.to_string())),
            Err(_) => (None, Some("no complete reply in time".to_owned())),
        };
        if let (Some(why), false) = (&why, progress.began()) {
            let failure = Failure::new(NotSentReason::Connect, why.clone());
            return Err((failure, charge));
        }
        Ok(Exchanged {
            charge,
            reply,
            why,
            status: progress.status(),
            head_in: progress.head_at().map(|at| at.duration_since(began)),
            ended_in: began.elapsed(),
        })
    }
}

impl ReadyCharge for Ready {
    fn send(self: Box<Self>) -> Task<'static, Result<Answer, NotSent>> {
        Box::pin(async move {
            let exchanged = self.exchanged().await;
            let exchanged = exchanged.map_err(|(failure, charge)| failure.with(charge))?;
            let answer = judged(&exchanged);
            tracing::info!(
                attempt = exchanged.charge.attempt.as_str(),
                outcome = answer.verdict.outcome.label(),
                status = answer.status,
                why = exchanged.why,
                "charge answered"
            );
            Ok(answer)
        })
    }

    fn abandon(self: Box<Self>) -> Charge {
        self.charge
    }
}

/// The answer that an exchange amounts to. The slot is only borrowed, to scrub what is shown or kept; nor is a credential in it that the gateway echoes.
fn judged(exchanged: &Exchanged) -> Answer {
    let charge = &exchanged.charge;
    let captured = Captured::new(&charge.slot);
    let reading = exchanged.reading();
    let verdict = reading.rule(charge.gateway.missing_key).verdict();
    let message = reading.message.filter(|_| charge.show_message);
    let credentials = kept_credentials(charge);
    let message = message.map_or(String::new(), |text| {
        scrubbed(&without(&text.value, &credentials), &captured)
    });
    let outputs = reading.outputs.into_iter().map(|output| {
        let value = without(&output.text.value, &credentials);
        let value = scrubbed_value(&value, &captured);
        (output.name, value)
    });
    Answer {
        verdict,
        message,
        outputs: outputs.filter(|(_, value)| !value.is_empty()).collect(),
        status: exchanged.status,
    }
}
