//! What is asked of a gateway about a charge.
//! Owns: the two halves of an operation, and that an answer about another charge says nothing.
//! Never: asks twice by itself, or sends what was captured.

use domain::boundary::{Answer, Operation, ReadyOperation, Task};
use domain::gateway::{GatewayConfig, GatewayStep, KeyFound, NotSentReason, VerdictRule};
use tokio::time::Instant;

use crate::failure::Failure;
use crate::network::{Network, Purpose};
use crate::prepared::{Came, Prepared};
use crate::reply::{Captured, scrubbed, scrubbed_value, without};
use crate::request::{About, Taken};
use crate::steps::Deadlines;
use crate::trial::kept_credentials;

/// An operation's request with a connection for it.
pub(crate) struct Asking {
    config: GatewayConfig,
    taken: Taken,
    prepared: Prepared,
}

impl Network {
    /// Makes the steps that an operation needs, and its connection. No byte of its own request leaves. All of it ends by `until`, if that is given.
    pub(crate) async fn ask(
        &self,
        operation: &Operation,
        until: Option<Instant>,
    ) -> Result<Asking, Failure> {
        let (kind, gateway) = (operation.kind, &operation.gateway);
        let config = gateway.of_operation(kind).ok_or_else(|| {
            let name = kind.as_str();
            Failure::render(format!("the gateway has no operation {name}"))
        })?;
        let kept = |name: &str| {
            let mut outputs = operation.outputs.iter();
            outputs.any(|output| output.name == name && !output.value.is_empty())
        };
        if let Some(name) = config.sale_names().iter().find(|name| !kept(name)) {
            let why = format!("the sale's answer gave no {name}, which the operation names");
            return Err(Failure::render(why));
        }
        let steps = gateway.steps_of_operation(kind);
        for (_, request) in &steps {
            self.way(request, Purpose::Charge)?;
        }
        self.way(&config, Purpose::Charge)?;
        let deadlines = Deadlines::of(&config).by(until);
        let until = until.or((!steps.is_empty()).then_some(deadlines.all));
        let (about, nothing) = (About::from(operation), Captured::none());
        let mut unseen = |_: &GatewayStep, _: &Came| {};
        let taken = self.take_steps(
            about,
            &steps,
            &nothing,
            Purpose::Charge,
            deadlines.steps,
            &mut unseen,
        );
        let taken = taken.await?;
        let prepared = self.prepare(about, &config, &taken, Purpose::Charge, until);
        let prepared = prepared.await?;
        Ok(Asking {
            config,
            taken,
            prepared,
        })
    }
}

impl Asking {
    /// Writes the request and reads the answer, once.
    pub(crate) async fn answer(self, operation: &Operation) -> Result<Answer, Failure> {
        let came = self.prepared.run(&self.config).await?;
        let answer = judged(operation, &self.config, &self.taken, &came);
        tracing::info!(
            attempt = operation.attempt.as_str(),
            operation = operation.kind.as_str(),
            outcome = answer.verdict.outcome.label(),
            status = answer.status,
            why = came.why,
            "operation answered"
        );
        Ok(answer)
    }
}

/// What an answer to an operation amounts to.
fn judged(operation: &Operation, config: &GatewayConfig, taken: &Taken, came: &Came) -> Answer {
    if !is_about(operation, came) {
        return Answer {
            verdict: VerdictRule::KeyMissing.verdict(),
            message: String::new(),
            outputs: Vec::new(),
            status: came.status,
        };
    }
    let reading = came.reading(config);
    let verdict = operation.kind.verdict(reading.rule(config.missing_key));
    let credentials = kept_credentials(About::from(operation), taken);
    let nothing = Captured::none();
    let message = reading.message.map_or(String::new(), |text| {
        scrubbed(&without(&text.value, &credentials), &nothing)
    });
    let outputs = reading.outputs.into_iter().map(|output| {
        let value = without(&output.text.value, &credentials);
        (output.name, scrubbed_value(&value, &nothing))
    });
    Answer {
        verdict,
        message,
        outputs: outputs.filter(|(_, value)| !value.is_empty()).collect(),
        status: came.status,
    }
}

/// Whether an answer repeats the charge's reference, once, where the configuration says; true, if it says nothing.
fn is_about(operation: &Operation, came: &Came) -> bool {
    let asked = operation
        .gateway
        .of_reference(operation.kind, &operation.reference);
    asked.is_none_or(|asked| {
        let evidence = came.reading(&asked).evidence;
        evidence.parsed && evidence.key == KeyFound::Equal
    })
}

/// An operation that can be sent.
pub(crate) struct ReadyToAsk {
    /// What is asked.
    pub(crate) operation: Operation,
    /// Its request.
    pub(crate) asking: Asking,
}

impl ReadyOperation for ReadyToAsk {
    fn send(self: Box<Self>) -> Task<'static, Result<Answer, NotSentReason>> {
        Box::pin(async move {
            let answer = self.asking.answer(&self.operation).await;
            answer.map_err(|failure| failure.of_operation(&self.operation))
        })
    }
}
