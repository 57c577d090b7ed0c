//! The gateway client.
//! Owns: the two halves of a charge, before the sale's first byte and from there, and that its digits end with it.
//! Never: retries by itself, pools, or says "not sent" once a byte was offered.

use std::sync::Arc;

use domain::boundary::{
    Answer, Charge, NotSent, Operation, PaymentGateway, ReadyCharge, ReadyOperation, Task,
};
use domain::gateway::{GatewayStep, NotSentReason, Recovery, UrlTemplate};
use domain::payment::Outcome;
use tokio::time::Instant;

use crate::connection::Way;
use crate::failure::Failure;
use crate::network::{Network, Purpose};
use crate::operation::ReadyToAsk;
use crate::policy::{GatewayPolicy, Origin};
use crate::prepared::{Came, Prepared};
use crate::reply::{Captured, Reading, scrubbed, scrubbed_value, without};
use crate::request::{About, Taken};
use crate::steps::{Deadlines, steps_of};
use crate::trial::{DryRun, kept_credentials};
use crate::{inquiry, replay};

/// HTTPS to payment gateways.
///
/// Each charge gets one connection and one request, and one for each of its steps. Nothing is retried, since whoever may have been
/// charged must not be charged again by a machine; what is sent again under its idempotency key, if a configuration says so, is the same charge.
pub struct HttpsGateway {
    pub(crate) network: Arc<Network>,
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
    pub fn new(policy: GatewayPolicy) -> Result<Self, SetupError> {
        Ok(Self {
            network: Arc::new(Network::new(policy)?),
            dry_run: DryRun::new()?,
        })
    }

    /// Makes the steps of a charge and its sale's connection. No byte of the sale leaves. `seen` gets the answer of each step.
    pub(crate) async fn ready(
        &self,
        charge: Charge,
        purpose: Purpose,
        seen: &mut (dyn FnMut(&Charge, &GatewayStep, &Came) + Send),
    ) -> Result<Ready, (Failure, Charge)> {
        let network = &self.network;
        let deadlines = Deadlines::of(&charge.gateway);
        let prepared = async {
            // Nobody gets a card whose sale could not follow.
            let steps = steps_of(&charge.gateway);
            for (_, request) in &steps {
                network.way(request, purpose)?;
            }
            let way = network.way(&charge.gateway, purpose)?;
            let (about, captured) = (About::from(&charge), Captured::new(&charge.slot));
            let mut seen = |step: &GatewayStep, came: &Came| seen(&charge, step, came);
            let until = deadlines.steps;
            let taken = network.take_steps(about, &steps, &captured, purpose, until, &mut seen);
            let taken = taken.await?;
            let until = (!steps.is_empty()).then_some(deadlines.all);
            let sale = network.prepare(about, &charge.gateway, &taken, purpose, until);
            Ok((sale.await?, way, taken))
        };
        match prepared.await {
            Ok((prepared, way, taken)) => Ok(Ready {
                network: Arc::clone(network),
                prepared,
                way,
                taken,
                charge,
            }),
            Err(failure) => Err((failure, charge)),
        }
    }
}

impl PaymentGateway for HttpsGateway {
    fn authority_approved(&self, authority: &str) -> bool {
        let url = UrlTemplate::parse(&format!("https://{authority}/"));
        url.is_ok_and(|url| self.network.trust(&Origin::of(&url)).is_some())
    }

    fn set_approved_hosts(&self, authorities: Vec<String>) {
        self.network.approve(authorities);
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
        operation: Operation,
    ) -> Task<'_, Result<Box<dyn ReadyOperation>, NotSentReason>> {
        Box::pin(async move {
            match self.network.ask(&operation, None).await {
                Ok(asking) => Ok(Box::new(ReadyToAsk { operation, asking }) as _),
                Err(failure) => Err(failure.of_operation(&operation)),
            }
        })
    }
}

/// A rendered charge with a secured connection.
pub(crate) struct Ready {
    network: Arc<Network>,
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
    network: Arc<Network>,
}

impl Exchanged {
    /// What the reply shows.
    pub(crate) fn reading(&self) -> Reading {
        self.came.reading(&self.charge.gateway)
    }

    /// The answer that it amounts to. One that is unknown may yet be settled, if the configuration says how; nothing else ever changes.
    async fn settled(mut self, began: Instant) -> Answer {
        let answer = judged(&self);
        let recovery = self.charge.gateway.more.recovery;
        match (answer.verdict.outcome, recovery, recovery.operation()) {
            (Outcome::Unknown, Recovery::Replay, _) => {
                let came = replay::settled(&self.charge, &self.taken, &self.way, began).await;
                let Some(came) = came else { return answer };
                self.came = came;
                judged(&self)
            }
            (Outcome::Unknown, _, Some(kind)) => {
                let Self {
                    charge,
                    network,
                    taken,
                    came,
                    way,
                } = self;
                drop((taken, came, way));
                let operation = inquiry::about(charge, kind);
                let settled = inquiry::settled(&network, operation, began).await;
                settled.unwrap_or(answer)
            }
            (_, _, _) => answer,
        }
    }
}

impl Ready {
    /// Writes the sale's request and waits for the reply, once.
    pub(crate) async fn exchanged(self) -> Result<Exchanged, (Failure, Charge)> {
        let Self {
            network,
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
                network,
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
            let exchanged = exchanged.map_err(|(failure, charge)| failure.with(charge))?;
            let attempt = exchanged.charge.attempt.clone();
            let why = exchanged.came.why.clone();
            let answer = exchanged.settled(began).await;
            tracing::info!(
                attempt = attempt.as_str(),
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

/// The answer that an exchange amounts to. The slot is only borrowed, to scrub what is shown or kept; nor is a credential in it that the gateway echoes.
fn judged(exchanged: &Exchanged) -> Answer {
    let charge = &exchanged.charge;
    let captured = Captured::new(&charge.slot);
    let reading = exchanged.reading();
    let verdict = reading.rule(charge.gateway.missing_key).verdict();
    let message = reading.message.filter(|_| charge.show_message);
    let credentials = kept_credentials(charge.into(), &exchanged.taken);
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
