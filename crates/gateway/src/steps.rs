//! The calls before the sale.
//! Owns: their order, their share of the time, and what is taken from their answers.
//! Never: makes one twice, or lets the sale begin if one of them failed.

use std::time::Duration;

use domain::gateway::step::GatewayStep;
use domain::gateway::{GatewayConfig, NotSentReason};
use tokio::time::Instant;
use zeroize::Zeroizing;

use crate::failure::Failure;
use crate::network::{Network, Purpose};
use crate::prepared::Came;
use crate::reply::{Captured, Output, scrubbed_value};
use crate::request::{About, Taken};

/// Longest value that is taken from an answer, in bytes: the largest access tokens have two thousand. A longer one is of no use in a header.
const VALUE_BYTES_MAX: usize = 4_096;

/// When the parts of a charge must have ended. Steps have half of Read Timeout between them, so that the sale always has the other half.
#[derive(Clone, Copy)]
pub(crate) struct Deadlines {
    /// The last step.
    pub(crate) steps: Instant,
    /// The sale, and so everything.
    pub(crate) all: Instant,
}

impl Deadlines {
    /// Counted from now.
    pub(crate) fn of(config: &GatewayConfig) -> Self {
        let (now, read) = (Instant::now(), config.read_timeout());
        Self {
            steps: now + read / 2,
            all: now + config.connection_timeout() + read,
        }
    }

    /// None later than that.
    pub(crate) fn by(self, until: Option<Instant>) -> Self {
        let earlier = |own: Instant| until.map_or(own, |until| until.min(own));
        Self {
            steps: earlier(self.steps),
            all: earlier(self.all),
        }
    }
}

/// The steps of a sale, each with its request.
pub(crate) fn steps_of(gateway: &GatewayConfig) -> Vec<(&GatewayStep, GatewayConfig)> {
    let steps = gateway.more.steps.iter();
    steps.map(|step| (step, gateway.of_step(step))).collect()
}

impl Network {
    /// Makes the steps, each once and in its order, and takes from their answers what the next requests need. `seen` gets every answer.
    pub(crate) async fn take_steps(
        &self,
        about: About<'_>,
        steps: &[(&GatewayStep, GatewayConfig)],
        captured: &Captured<'_>,
        purpose: Purpose,
        until: Instant,
        seen: &mut (dyn FnMut(&GatewayStep, &Came) + Send),
    ) -> Result<Taken, Failure> {
        let mut taken = Taken::default();
        for (step, config) in steps {
            let failed = |failure: Failure| failure.within(&format!("the step {}", step.name));
            let prepared = self.prepare(about, config, &taken, purpose, Some(until));
            let came = prepared.await.map_err(failed)?.run(config).await;
            let came = came.map_err(failed)?;
            seen(step, &came);
            let given = given(step, config, &came, captured);
            let given = given.map_err(|why| failed(Failure::new(NotSentReason::Step, why)))?;
            for (name, value, is_public) in given {
                taken.put(name, value, is_public);
            }
        }
        Ok(taken)
    }
}

/// What is left until then.
pub(crate) fn left(until: Instant) -> Duration {
    until.saturating_duration_since(Instant::now())
}

/// A name within `{step.}`, its value, and whether that is public.
type Given = (String, Zeroizing<String>, bool);

/// What a step's answer gives, if it held; else why not, free of what the answer says.
fn given(
    step: &GatewayStep,
    config: &GatewayConfig,
    came: &Came,
    captured: &Captured<'_>,
) -> Result<Vec<Given>, String> {
    if let Some(why) = &came.why {
        return Err(why.clone());
    }
    let reading = came.reading(config);
    match came.status {
        Some(200..=299) if reading.evidence.parsed => {}
        Some(status @ 200..=299) => {
            let expected = config.response_type.as_str();
            return Err(format!("answered {status} with what is no {expected}"));
        }
        Some(status) => return Err(format!("answered {status}")),
        None => return Err("did not answer".to_owned()),
    }
    if let Some(line) = reading.also_broken() {
        let condition = step.require.get(line).map_or("", String::as_str);
        return Err(format!(
            "its answer does not fulfil \u{201c}{condition}\u{201d}"
        ));
    }
    let mut outputs = reading.outputs;
    let mut all = Vec::with_capacity(step.extract.len());
    for wanted in &step.extract {
        let wrong = |why: &str| format!("{} {why}", wanted.name);
        let found = outputs.iter().position(|output| output.name == wanted.name);
        let found = found.ok_or_else(|| wrong("is not in its answer"))?;
        let Output { text, .. } = outputs.swap_remove(found);
        if text.value.len() > VALUE_BYTES_MAX {
            return Err(wrong("is too long"));
        }
        let is_clean = match wanted.public {
            true => scrubbed_value(&text.value, captured) == *text.value,
            false => !captured.stands_in(&text.value),
        };
        if !is_clean {
            return Err(wrong("holds a captured value, or one like it"));
        }
        all.push((step.full_name(wanted), text.value, wanted.public));
    }
    Ok(all)
}
