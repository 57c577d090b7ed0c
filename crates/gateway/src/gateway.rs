//! The gateway client.
//! Owns: the two halves of a charge, before the sale's first byte and from there, and that its digits end with it.
//! Never: retries by itself, pools, or says "not sent" once a byte was offered.

use std::sync::{PoisonError, RwLock};

use domain::boundary::{
    Answer, Charge, NotSent, Operation, PaymentGateway, ReadyCharge, ReadyOperation, Task,
};
use domain::gateway::{GatewayConfig, GatewayStep, NotSentReason, Recovery, UrlTemplate};
use domain::payment::Outcome;
use tokio::time::Instant;

use crate::connection::Way;
use crate::failure::Failure;
use crate::named::Named;
use crate::policy::{GatewayPolicy, Origin, Trust};
use crate::prepared::{Came, Prepared};
use crate::replay;
use crate::reply::{Captured, Reading, scrubbed, scrubbed_value, without};
use crate::request::{Taken, render};
use crate::steps::{Deadlines, left};
use crate::trial::{DryRun, kept_credentials};

/// HTTPS to payment gateways.
///
/// Each charge gets one connection and one request, and one for each of its steps. Nothing is retried, since whoever may have been
/// charged must not be charged again by a machine; what is sent again under its idempotency key, if a configuration says so, is the same charge.
pub struct HttpsGateway {
    policy: GatewayPolicy,
    /// Hosts that a second person approved. Public addresses only.
    approved: RwLock<Vec<String>>,
    pub(crate) named: Named,
    /// Makes the charges of trials.
    pub(crate) dry_run: DryRun,
}

/// The client cannot be made.
#[derive(Debug, thiserror::Error)]
pub enum SetupError {
    /// An extra root is no certificate, or no root is there at all.
    #[error("the certificate authorities for gateways cannot be used")]
    ConfigRoots(#[source] rustls::Error),
    /// The proxy for all is none of those that are named.
    #[error("there is no proxy {name}")]
    ConfigProxy {
        /// Its name.
        name: String,
    },
    /// There is no memory for the values of trials.
    #[error("the memory for gateway tests cannot be had")]
    SystemArena(#[source] secret::ArenaError),
    /// Authorities that the server's file names cannot be used.
    #[error("the certificate authorities {name} cannot be used")]
    ConfigTrust {
        /// Their name.
        name: String,
        /// Why.
        #[source]
        source: rustls::Error,
    },
}

impl HttpsGateway {
    /// A client that keeps to the policy.
    ///
    /// # Errors
    /// Authorities cannot be used, or the system gives no memory.
    pub fn new(mut policy: GatewayPolicy) -> Result<Self, SetupError> {
        let connections = std::mem::take(&mut policy.connections);
        let named = Named::new(connections, &policy.extra_roots)?;
        Ok(Self {
            policy,
            approved: RwLock::default(),
            named,
            dry_run: DryRun::new()?,
        })
    }

    fn trust(&self, origin: &Origin) -> Option<Trust> {
        let approved = self.approved.read();
        let approved = approved.unwrap_or_else(PoisonError::into_inner);
        self.policy.trust(origin, &approved)
    }

    /// How far the host of a request is trusted. Through a proxy nobody here sees its address, so that there is no trial of a host that nobody approved.
    fn trusted(&self, origin: &Origin, purpose: Purpose, proxied: bool) -> Result<Trust, Failure> {
        let refused = |why: &str| {
            let why = format!(
                "{} is not among the approved hosts{why}",
                origin.authority()
            );
            Err(Failure::new(NotSentReason::HostNotApproved, why))
        };
        match (self.trust(origin), purpose) {
            (Some(trust), _) => Ok(trust),
            (None, Purpose::Trial) if !proxied => Ok(Trust::Approved),
            (None, Purpose::Trial) => refused(", and only those are tried out through a proxy"),
            (None, Purpose::Charge) => refused(""),
        }
    }

    /// Makes the steps of a charge and its sale's connection. No byte of the sale leaves. `seen` gets the answer of each step.
    pub(crate) async fn ready(
        &self,
        charge: Charge,
        purpose: Purpose,
        seen: &mut (dyn FnMut(&Charge, &GatewayStep, &Came) + Send),
    ) -> Result<Ready, (Failure, Charge)> {
        let has_steps = !charge.gateway.more.steps.is_empty();
        let deadlines = Deadlines::of(&charge.gateway);
        let prepared = async {
            // Nobody gets a card whose sale could not follow.
            for config in all_requests(&charge.gateway) {
                self.way(&config, purpose)?;
            }
            let mut seen = |step: &GatewayStep, came: &Came| seen(&charge, step, came);
            let taken = self.take_steps(&charge, purpose, deadlines.steps, &mut seen);
            let taken = taken.await?;
            let until = has_steps.then_some(deadlines.all);
            let sale = self.prepare(&charge, &charge.gateway, &taken, purpose, until);
            Ok((sale.await?, self.way(&charge.gateway, purpose)?, taken))
        };
        match prepared.await {
            Ok((prepared, way, taken)) => Ok(Ready {
                prepared,
                way,
                taken,
                charge,
            }),
            Err(failure) => Err((failure, charge)),
        }
    }

    /// Renders a request, resolves, connects and secures.
    pub(crate) async fn prepare(
        &self,
        charge: &Charge,
        config: &GatewayConfig,
        taken: &Taken,
        purpose: Purpose,
        until: Option<Instant>,
    ) -> Result<Prepared, Failure> {
        let way = self.way(config, purpose)?;
        let request = render(charge, config, taken)?;
        let own = config.connection_timeout();
        let within = until.map_or(own, |until| own.min(left(until)));
        let secured = way.secured(within).await?;
        Ok(Prepared {
            request,
            secured,
            until,
        })
    }

    fn way(&self, config: &GatewayConfig, purpose: Purpose) -> Result<Way, Failure> {
        let origin = origin(config)?;
        let through = self.named.proxy(&config.more.connection)?;
        Ok(Way {
            trust: self.trusted(&origin, purpose, through.is_some())?,
            origin,
            through,
            security: self.named.security(&config.more.connection)?,
        })
    }
}

/// What a request is made for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// Captured values go to approved hosts only.
    Charge,
    /// Published values go also to a host that nobody has approved, at the addresses that an approved one may have (SETTLED S4).
    Trial,
}

/// The sale's configuration, and those of its steps.
fn all_requests(gateway: &GatewayConfig) -> impl Iterator<Item = GatewayConfig> {
    let steps = gateway.more.steps.iter();
    let steps = steps.map(|step| gateway.of_step(step));
    std::iter::once(gateway.clone()).chain(steps)
}

/// Who a configuration sends to. It is written out there, whatever the rest of the URL turns out to be.
fn origin(gateway: &GatewayConfig) -> Result<Origin, Failure> {
    let url = UrlTemplate::parse(&gateway.service_url)
        .map_err(|error| Failure::render(format!("the Service URL: {error}")))?;
    Ok(Origin::of(&url))
}

impl PaymentGateway for HttpsGateway {
    fn authority_approved(&self, authority: &str) -> bool {
        let url = UrlTemplate::parse(&format!("https://{authority}/"));
        url.is_ok_and(|url| self.trust(&Origin::of(&url)).is_some())
    }

    fn set_approved_hosts(&self, authorities: Vec<String>) {
        *self
            .approved
            .write()
            .unwrap_or_else(PoisonError::into_inner) = authorities;
    }

    fn connect(&self, charge: Charge) -> Task<'_, Result<Box<dyn ReadyCharge>, NotSent>> {
        Box::pin(async move {
            let ready = self.ready(charge, Purpose::Charge, &mut |_, _, _| {}).await;
            match ready {
                Ok(ready) => Ok(Box::new(ready) as Box<dyn ReadyCharge>),
                Err((failure, charge)) => Err(failure.with(charge)),
            }
        })
    }

    fn connect_operation(
        &self,
        _: Operation,
    ) -> Task<'_, Result<Box<dyn ReadyOperation>, NotSentReason>> {
        Box::pin(async { Err(NotSentReason::Render) })
    }
}

/// A rendered charge with a secured connection.
pub(crate) struct Ready {
    prepared: Prepared,
    way: Way,
    taken: Taken,
    charge: Charge,
}

/// A charge of which at least one byte was offered.
pub(crate) struct Exchanged {
    pub(crate) charge: Charge,
    pub(crate) taken: Taken,
    pub(crate) came: Came,
    way: Way,
}

impl Exchanged {
    /// What the reply shows.
    pub(crate) fn reading(&self) -> Reading {
        self.came.reading(&self.charge.gateway)
    }
}

impl Exchanged {
    /// The answer that it amounts to. One that is unknown may yet be settled, if the configuration says how; nothing else ever changes.
    async fn settled(&mut self, began: Instant) -> Answer {
        let answer = judged(self);
        match (answer.verdict.outcome, self.charge.gateway.more.recovery) {
            (Outcome::Unknown, Recovery::Replay) => {
                let came = replay::settled(&self.charge, &self.taken, &self.way, began).await;
                let Some(came) = came else { return answer };
                self.came = came;
                judged(self)
            }
            _ => answer,
        }
    }
}

impl Ready {
    /// Writes the sale's request and waits for the reply, once.
    pub(crate) async fn exchanged(self) -> Result<Exchanged, (Failure, Charge)> {
        let Self {
            prepared,
            way,
            taken,
            charge,
        } = self;
        match prepared.run(&charge.gateway).await {
            Ok(came) => Ok(Exchanged {
                charge,
                taken,
                came,
                way,
            }),
            Err(failure) => Err((failure, charge)),
        }
    }
}

impl ReadyCharge for Ready {
    fn send(self: Box<Self>) -> Task<'static, Result<Answer, NotSent>> {
        Box::pin(async move {
            let began = Instant::now();
            let exchanged = self.exchanged().await;
            let mut exchanged = exchanged.map_err(|(failure, charge)| failure.with(charge))?;
            let answer = exchanged.settled(began).await;
            tracing::info!(
                attempt = exchanged.charge.attempt.as_str(),
                outcome = answer.verdict.outcome.label(),
                status = answer.status,
                why = exchanged.came.why,
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
    let credentials = kept_credentials(charge, &exchanged.taken);
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
        status: exchanged.came.status,
    }
}
