//! Trying a gateway out.
//! Owns: the slots of published values, what an answer came to, and what an administrator may see of it.
//! Never: takes a digit from anybody, repeats a credential that a gateway echoes, or makes a request of its own kind: what charges renders, sends and reads.

use std::sync::Arc;

use domain::boundary::{Charge, Task};
use domain::gateway::file::Preset;
use domain::gateway::trial::{
    GatewayTrials, JudgedCondition, JudgedOutput, JudgedReference, Judgement, MessageFrom,
    NothingSent, Pasted, Preview, Tested, TestedStep, Trial,
};
use domain::gateway::{
    ConnectionNames, GatewayConfig, GatewayStep, KeyFound, Mapping, NotSentReason, ResponseFormat,
    VerdictRule,
};
use secret::Arena;
use tokio::time::Instant;
use zeroize::Zeroizing;

use crate::failure::Failure;
use crate::gateway::{Exchanged, HttpsGateway, SetupError};
use crate::network::Purpose;
use crate::prepared::Came;
use crate::presets::presets;
use crate::reply::{
    Captured, Header, Output, Reading, Spot, Text, Whole, excerpt, read, scrubbed, scrubbed_value,
    without,
};
use crate::request::{About, Taken, preview, sensitive_values};

/// Trials at a time: each administrator has one, and there are few. More are told to come again.
const TRIALS_MAX: usize = 8;

/// Shortest credential or header value that is removed from an answer wherever it stands: a shorter one, such as "1", would take half of the answer along.
const VALUE_CHARS_MIN: usize = 4;

/// Tries a configuration out without a network: no certificate authority is needed, nothing is resolved, connected or sent.
pub struct DryRun {
    /// Slots of trials, which hold published values.
    published: Arc<Arena>,
}

impl DryRun {
    /// With slots of its own.
    ///
    /// # Errors
    /// The system gives no memory for the values of trials.
    pub fn new() -> Result<Self, SetupError> {
        let published = Arena::new(TRIALS_MAX).map_err(SetupError::SystemArena)?;
        Ok(Self { published })
    }

    /// The request as it would go out, fit to be shown.
    ///
    /// # Errors
    /// Why no request can be made of the configuration.
    pub fn preview(&self, trial: Trial) -> Result<Preview, NothingSent> {
        let charge = self.charge(trial)?;
        preview(&charge).map_err(|failure| nothing_sent(failure, Vec::new()))
    }

    fn charge(&self, trial: Trial) -> Result<Charge, NothingSent> {
        match self.published.allocate() {
            Some(slot) => Ok(trial.charge(slot)),
            None => Err(NothingSent {
                reason: NotSentReason::Busy,
                detail: "too many gateways are tried out at the same time".to_owned(),
                steps: Vec::new(),
            }),
        }
    }
}

/// What an answer would come to: it is read and judged as one that came. None: it is of an operation that the configuration does not have.
#[must_use]
pub fn judge(
    gateway: &GatewayConfig,
    pasted: &Pasted<'_>,
    show_message: bool,
) -> Option<Judgement> {
    let Some(kind) = pasted.operation else {
        return Some(judged(gateway, pasted, show_message));
    };
    let judgement = judged(&gateway.of_operation(kind)?, pasted, show_message);
    let outcome = kind.verdict(judgement.rule).outcome;
    let reference = gateway.of_reference(kind, "").map(|request| {
        let found = judged(&request, pasted, false);
        let once = matches!(found.key, KeyFound::Equal | KeyFound::NotEqual);
        JudgedReference {
            key: request.success_key,
            value: found.value.filter(|value| once && !value.is_empty()),
        }
    });
    let judgement = Judgement {
        outcome,
        reference,
        ..judgement
    };
    let is_about_one = |found: &JudgedReference| found.value.is_some();
    match judgement.reference.as_ref().is_none_or(is_about_one) {
        true => Some(judgement),
        false => Some(about_nobody(judgement)),
    }
}

/// An answer that does not say whose it is says nothing.
fn about_nobody(judgement: Judgement) -> Judgement {
    Judgement {
        outcome: VerdictRule::KeyMissing.verdict().outcome,
        rule: VerdictRule::KeyMissing,
        message: String::new(),
        message_from: MessageFrom::Nowhere,
        message_path: None,
        outputs: Vec::new(),
        ..judgement
    }
}

fn judged(gateway: &GatewayConfig, pasted: &Pasted<'_>, show_message: bool) -> Judgement {
    let headers: Vec<Header> = pasted.headers.iter().map(header).collect();
    let is_type = |row: &&Mapping| row.name.eq_ignore_ascii_case("content-type");
    let content_type = pasted.headers.iter().find(is_type);
    let whole = Whole {
        status: pasted.status,
        headers: &headers,
        body: pasted.body.as_bytes(),
    };
    let reading = read(&whole, gateway);
    let view = View {
        gateway,
        show_message,
        captured: Captured::none(),
        credentials: Vec::new(),
    };
    let content_type = content_type.map(|row| row.value.as_str());
    view.judgement(&reading, Some(pasted.status), content_type)
}

impl GatewayTrials for HttpsGateway {
    fn presets(&self) -> &[Preset] {
        presets()
    }

    fn connection_names(&self) -> &ConnectionNames {
        self.network.named.names()
    }

    fn preview(&self, trial: Trial) -> Result<Preview, NothingSent> {
        self.dry_run.preview(trial)
    }

    fn judge(
        &self,
        gateway: &GatewayConfig,
        pasted: &Pasted<'_>,
        show_message: bool,
    ) -> Option<Judgement> {
        judge(gateway, pasted, show_message)
    }

    fn send(&self, trial: Trial) -> Task<'_, Result<Tested, NothingSent>> {
        Box::pin(async move {
            let charge = self.dry_run.charge(trial)?;
            let began = Instant::now();
            let mut steps = Vec::new();
            let mut seen = |charge: &Charge, step: &GatewayStep, came: &Came| {
                steps.push(tested_step(charge, step, came));
            };
            let ready = self.ready(charge, Purpose::Trial, &mut seen).await;
            let ready = match ready {
                Ok(ready) => ready,
                Err((failure, _)) => return Err(nothing_sent(failure, steps)),
            };
            let connected_in = began.elapsed();
            match ready.exchanged().await {
                Ok(exchanged) => Ok(Tested {
                    connected_in,
                    steps,
                    ..tested(&exchanged)
                }),
                Err((failure, _)) => Err(nothing_sent(failure, steps)),
            }
        })
    }
}

/// A header of a pasted answer.
fn header(row: &Mapping) -> Header {
    Header {
        name: row.name.to_ascii_lowercase(),
        value: Some(Zeroizing::new(row.value.clone())),
    }
}

fn nothing_sent(failure: Failure, steps: Vec<TestedStep>) -> NothingSent {
    NothingSent {
        reason: failure.reason,
        detail: failure.detail,
        steps,
    }
}

/// Nothing that a step gives is known as a secret before its answer is read, so all of it is taken out of what is shown of that.
fn tested_step(charge: &Charge, step: &GatewayStep, came: &Came) -> TestedStep {
    let config = charge.gateway.of_step(step);
    let reading = came.reading(&config);
    let given = reading.outputs.into_iter().filter(|output| {
        let mut public = step.extract.iter().filter(|one| one.public);
        !public.any(|one| one.name == output.name)
    });
    let mut hidden = credentials(charge, &config, &Taken::default());
    hidden.extend(given.map(|output| output.text.value));
    TestedStep {
        name: step.name.clone(),
        status: came.status,
        why: came.why.clone(),
        excerpt: came.reply.as_ref().map(|reply| {
            let body = Zeroizing::new(String::from_utf8_lossy(reply.body.expose()).into_owned());
            excerpt(&without(&body, &hidden), &Captured::new(&charge.slot))
        }),
        ended_in_ms: u64::try_from(came.ended_in.as_millis()).unwrap_or(u64::MAX),
    }
}

fn tested(exchanged: &Exchanged) -> Tested {
    let charge = &exchanged.charge;
    let view = View {
        gateway: &charge.gateway,
        show_message: charge.show_message,
        captured: Captured::new(&charge.slot),
        credentials: credentials(charge, &charge.gateway, &exchanged.taken),
    };
    let came = &exchanged.came;
    let reply = came.reply.as_ref();
    let content_type = reply.and_then(|reply| reply.content_type.as_deref());
    Tested {
        steps: Vec::new(),
        judgement: view.judgement(&exchanged.reading(), came.status, content_type),
        why: came.why.clone(),
        excerpt: reply.map(|reply| {
            let body = Zeroizing::new(String::from_utf8_lossy(reply.body.expose()).into_owned());
            excerpt(&view.without_credentials(&body), &view.captured)
        }),
        connected_in: std::time::Duration::ZERO,
        head_in: came.head_in,
        ended_in: came.ended_in,
    }
}

/// The credentials, and what else of the request is sensitive: what a proxy that echoes the request would give away.
fn credentials(charge: &Charge, config: &GatewayConfig, taken: &Taken) -> Vec<Zeroizing<String>> {
    let mut all = kept_credentials(charge.into(), taken);
    all.extend(sensitive_values(charge, config, taken));
    all.retain(|value| value.chars().count() >= VALUE_CHARS_MIN);
    all
}

/// The password and the secrets of a configuration, and what steps gave.
pub(crate) fn kept_credentials(about: About<'_>, taken: &Taken) -> Vec<Zeroizing<String>> {
    let secrets = about.secrets.iter().map(|(_, secret)| secret);
    let kept = about.password.into_iter().chain(secrets);
    kept.map(|secret| secret.expose())
        .chain(taken.secrets())
        .map(|secret| Zeroizing::new(secret.to_owned()))
        .filter(|text| text.chars().count() >= VALUE_CHARS_MIN)
        .collect()
}

/// What an answer came to, for whoever tries a gateway out.
struct View<'a> {
    gateway: &'a GatewayConfig,
    show_message: bool,
    captured: Captured<'a>,
    credentials: Vec<Zeroizing<String>>,
}

impl View<'_> {
    fn judgement(
        &self,
        reading: &Reading,
        status: Option<u16>,
        content_type: Option<&str>,
    ) -> Judgement {
        let rule = reading.rule(self.gateway.missing_key);
        let (message, message_from, message_path) = self.message(reading.message.as_ref());
        let (path, value) = self.spot(reading.success.as_ref());
        Judgement {
            outcome: rule.verdict().outcome,
            rule,
            status,
            key: reading.evidence.key,
            path,
            value,
            condition: self.condition(reading, rule),
            message,
            message_from,
            message_path,
            outputs: reading.outputs.iter().map(|one| self.output(one)).collect(),
            reference: None,
            other_type: content_type
                .filter(|header| !self.fits(header))
                .map(|header| self.line(header)),
        }
    }

    /// Whether a Content-Type says what is configured. Pairs with lengths have no type of their own in every gateway's answers.
    fn fits(&self, header: &str) -> bool {
        self.gateway.more.response_format == ResponseFormat::NameValue
            || self.gateway.response_type.fits(header)
    }

    fn spot(&self, spot: Option<&Spot>) -> (Option<String>, Option<String>) {
        let path = spot.map(|spot| self.line(&spot.path));
        let value = spot.and_then(|spot| spot.value.as_ref());
        (path, value.map(|value| self.line(value)))
    }

    fn condition(&self, reading: &Reading, rule: VerdictRule) -> Option<JudgedCondition> {
        let (list, line, spot) = reading.decided(rule)?;
        let (path, value) = self.spot(spot);
        Some(JudgedCondition {
            list,
            line: self.gateway.more.verdict.lines(list).get(line)?.clone(),
            path,
            value,
        })
    }

    fn output(&self, output: &Output) -> JudgedOutput {
        let value = self.without_credentials(&output.text.value);
        JudgedOutput {
            name: output.name.clone(),
            value: scrubbed_value(&value, &self.captured),
            path: self.line(&output.text.path),
        }
    }

    fn message(&self, found: Option<&Text>) -> (String, MessageFrom, Option<String>) {
        let nothing = |why: MessageFrom| (String::new(), why, None);
        if self.gateway.agent_message_key.trim().is_empty() {
            return nothing(MessageFrom::NoKey);
        }
        match found {
            _ if !self.show_message => nothing(MessageFrom::Off),
            Some(text) => {
                let path = self.line(&text.path);
                (self.line(&text.value), MessageFrom::Answer, Some(path))
            }
            None => nothing(MessageFrom::Nowhere),
        }
    }

    fn line(&self, text: &str) -> String {
        scrubbed(&self.without_credentials(text), &self.captured)
    }

    fn without_credentials(&self, text: &str) -> Zeroizing<String> {
        without(text, &self.credentials)
    }
}
