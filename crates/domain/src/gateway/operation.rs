//! What is asked of a gateway besides the sale: in its place, or about a charge that it has, or may have.
//! Owns: the operations, the request that each makes, and the steps that are made for it.
//! Never: sends what was captured, but for the store, which takes the sale's place: later that is gone.

use serde::{Deserialize, Serialize};

use super::filter::Filter;
use super::more::is_default;
use super::template::Token;
use super::{
    ContentType, GatewayConfig, GatewayStep, Mapping, Method, More, Recovery, Source, Space,
    Template, ValueMeaning, Variable, Verdict, VerdictConditions, VerdictRule,
};
use crate::payment::Outcome;

/// What can be asked.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    Hash,
    PartialOrd,
    Ord,
    Serialize,
    Deserialize,
    utoipa::ToSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum OperationKind {
    /// That a card or an account is kept for later, and nothing is charged: in the sale's place, where nothing is due at once.
    Store,
    /// What became of a charge. It changes nothing.
    Inquire,
    /// That a charge is undone before it is settled, as if it had never been.
    Void,
    /// That money of a settled charge goes back.
    Refund,
    /// That money which is held is taken.
    Capture,
    /// That what an arrangement leaves to later days is charged then.
    Schedule,
}

impl OperationKind {
    /// All, in the order of the form.
    pub const ALL: [Self; 6] = [
        Self::Store,
        Self::Inquire,
        Self::Void,
        Self::Refund,
        Self::Capture,
        Self::Schedule,
    ];

    /// Its word in a configuration, in rows and metrics.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Store => "store",
            Self::Inquire => "inquire",
            Self::Void => "void",
            Self::Refund => "refund",
            Self::Capture => "capture",
            Self::Schedule => "schedule",
        }
    }

    /// Where it stands in a configuration: "more.operations.void".
    #[must_use]
    pub fn path(self) -> String {
        match self {
            Self::Store => "more.store".to_owned(),
            Self::Inquire | Self::Void | Self::Refund | Self::Capture | Self::Schedule => {
                format!("more.operations.{}", self.as_str())
            }
        }
    }

    /// Whether its request may name a fact: in the sale's place all but the arrangement, else what the ledger keeps of a charge, and what is made for the request
    /// itself.
    #[must_use]
    pub fn knows(self, variable: Variable) -> bool {
        match self {
            Self::Store => !variable.is_of_arrangement(),
            Self::Schedule => variable.outlasts_sale() || variable.is_of_arrangement(),
            Self::Inquire | Self::Void | Self::Refund | Self::Capture => variable.outlasts_sale(),
        }
    }

    /// What an answer says. Of an inquiry only what is said of the charge itself counts: the success value, and conditions that mean declined or review. That a
    /// charge was not found, or that the inquiry was refused, says nothing of the charge.
    #[must_use]
    pub fn verdict(self, rule: VerdictRule) -> Verdict {
        let is_clear = matches!(
            rule,
            VerdictRule::Approved | VerdictRule::DeclinedFits | VerdictRule::ReviewFits
        );
        match self {
            Self::Inquire if !is_clear => Verdict {
                outcome: Outcome::Unknown,
                ..rule.verdict()
            },
            Self::Store
            | Self::Inquire
            | Self::Void
            | Self::Refund
            | Self::Capture
            | Self::Schedule => rule.verdict(),
        }
    }
}

/// The operations about a charge of a configuration, one of a kind.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Operations {
    /// What became of a charge.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub inquire: Option<GatewayOperation>,
    /// A charge is undone before it is settled.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub void: Option<GatewayOperation>,
    /// Money goes back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refund: Option<GatewayOperation>,
    /// Held money is taken.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub capture: Option<GatewayOperation>,
    /// What is due later is set up, after a sale that charged what is due now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub schedule: Option<GatewayOperation>,
}

impl More {
    /// The operation of a kind.
    #[must_use]
    pub fn operation(&self, kind: OperationKind) -> Option<&GatewayOperation> {
        let operations = &self.operations;
        match kind {
            OperationKind::Store => self.store.as_ref(),
            OperationKind::Inquire => operations.inquire.as_ref(),
            OperationKind::Void => operations.void.as_ref(),
            OperationKind::Refund => operations.refund.as_ref(),
            OperationKind::Capture => operations.capture.as_ref(),
            OperationKind::Schedule => operations.schedule.as_ref(),
        }
    }

    /// The operations that there are, with their kinds.
    pub fn all_operations(&self) -> impl Iterator<Item = (OperationKind, &GatewayOperation)> {
        let kinds = OperationKind::ALL.into_iter();
        kinds.filter_map(|kind| Some((kind, self.operation(kind)?)))
    }

    /// The operations that there are.
    pub(crate) fn all_operations_mut(&mut self) -> impl Iterator<Item = &mut GatewayOperation> {
        let operations = &mut self.operations;
        let all = [
            &mut self.store,
            &mut operations.inquire,
            &mut operations.void,
            &mut operations.refund,
            &mut operations.capture,
            &mut operations.schedule,
        ];
        all.into_iter().flatten()
    }
}

/// A request in the sale's place or about a charge, and how its answer is judged: by the success key and the conditions, as a sale's.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct GatewayOperation {
    /// Where to: a whole URL, or what follows the host of the Service URL, from its slash. It takes the tokens that the Service URL takes, and, about a charge,
    /// `{sale.name}`.
    pub url: String,
    /// HTTP method. GET is for inquiries, and has no body.
    #[serde(default, skip_serializing_if = "is_default")]
    pub method: Method,
    /// Request Type; none: the sale's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request_type: Option<ContentType>,
    /// Response Type; none: the sale's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub response_type: Option<ContentType>,
    /// Its parameters: these, and no standard ones. Without them and without a text it has no body; a store has one.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub request_params: Vec<Mapping>,
    /// The whole body as a text, in the place of parameters.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub body: String,
    /// Its headers. Basic goes along where its host is that of the Service URL.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub request_headers: Vec<Mapping>,
    /// The key that says whether it was done; of an inquiry, whether the charge was approved; of a store, whether the card or the account is kept.
    pub success_key: String,
    /// The value by which it says so.
    pub success_value: String,
    /// What the success value is.
    #[serde(default, skip_serializing_if = "is_default")]
    pub success_value_meaning: ValueMeaning,
    /// Conditions that refine the verdict. An inquiry settles nothing as declined or held without one that says so.
    #[serde(default, skip_serializing_if = "is_default")]
    pub verdict: VerdictConditions,
    /// The key of the message for people; empty: none.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub agent_message_key: String,
    /// Further keys of the message, asked one after the other.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub message_keys: Vec<String>,
    /// What of the answer is kept.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub outputs: Vec<Mapping>,
    /// The key at which the answer repeats `{payment.reference}`: an answer in which that stands not exactly once, or is another, says nothing. An inquiry needs
    /// it; a store has none.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub reference_key: String,
}

impl GatewayConfig {
    /// An operation's request as a configuration of its own: one engine makes and reads them all (docs/decisions/0008). Computed values that it does not name are
    /// left out, for they may be made of what is gone. None: there is no such operation.
    #[must_use]
    pub fn of_operation(&self, kind: OperationKind) -> Option<Self> {
        let operation = self.more.operation(kind)?;
        let types = (operation.request_type, operation.response_type);
        let base = self.request_beside(&operation.url, types);
        let request = Self {
            success_key: operation.success_key.clone(),
            success_value: operation.success_value.clone(),
            agent_message_key: operation.agent_message_key.clone(),
            request_params: operation.request_params.clone(),
            request_headers: operation.request_headers.clone(),
            more: More {
                method: operation.method,
                body: operation.body.clone(),
                signature: self.more.signature.clone(),
                success_value: operation.success_value_meaning,
                verdict: operation.verdict.clone(),
                message_keys: operation.message_keys.clone(),
                outputs: operation.outputs.clone(),
                ..base.more
            },
            ..base
        };
        Some(request.without_unnamed())
    }

    /// What a charge takes in the place of this configuration where nothing is due at once: its sale is the store, after the steps that this names. Sent again it is
    /// only if it holds the idempotency key; an inquiry and a void are about charges. None: the gateway does not store.
    #[must_use]
    pub fn for_store(&self) -> Option<Self> {
        let mut store = self.of_operation(OperationKind::Store)?;
        // Its steps may compute with values that it does not name itself.
        store.more.variables.clone_from(&self.more.variables);
        let steps = self.steps_of_operation(OperationKind::Store).into_iter();
        store.more.steps = steps.map(|(step, _)| step.clone()).collect();
        let is_replayed = self.more.recovery == Recovery::Replay && store.sends_idempotency_key();
        if is_replayed {
            store.more.recovery = Recovery::Replay;
        }
        Some(store)
    }

    /// The steps that are made before an operation, again if it is about a charge, in their order, each with its request: those that it names, and those that they name.
    #[must_use]
    pub fn steps_of_operation(&self, kind: OperationKind) -> Vec<(&GatewayStep, Self)> {
        let Some(request) = self.of_operation(kind) else {
            return Vec::new();
        };
        let mut named = request.sources();
        let signature = &request.more.signature;
        named.extend(signature.iter().flat_map(|row| sources_of(&row.value)));
        let mut steps = Vec::new();
        for step in self.more.steps.iter().rev() {
            let is_its = |source: &Source| match source {
                Source::Named(Space::Step, name) => name.split('.').next() == Some(&step.name),
                Source::Named(..) | Source::Fixed(_) => false,
            };
            if named.iter().any(is_its) {
                let request = self.of_step(step).without_unnamed();
                named.extend(request.sources());
                steps.push((step, request));
            }
        }
        steps.reverse();
        steps
    }

    /// How an answer to an operation is read to find whether it is about the charge of this reference; none: that is not asked.
    #[must_use]
    pub fn of_reference(&self, kind: OperationKind, reference: &str) -> Option<Self> {
        let operation = self.more.operation(kind)?;
        let key = operation.reference_key.trim();
        if key.is_empty() {
            return None;
        }
        let types = (operation.request_type, operation.response_type);
        let base = self.request_beside(&operation.url, types);
        Some(Self {
            success_key: key.to_owned(),
            success_value: reference.to_owned(),
            ..base
        })
    }

    /// Whether its request says which charge it is about by what is ours: an operation's, with all its computed values named.
    pub(super) fn names_charge(&self) -> bool {
        let ours = [Variable::PaymentReference, Variable::PaymentAttempt];
        self.all_sources().iter().any(|source| match source {
            Source::Fixed(variable) => ours.contains(variable),
            Source::Named(..) => false,
        })
    }

    /// Names of what an operation's request holds of the sale's answer: `{sale.name}`. Without a value for each it is not made.
    #[must_use]
    pub fn sale_names(&self) -> Vec<Box<str>> {
        let sources = self.all_sources().into_iter();
        let of_sale = sources.filter_map(|source| match source {
            Source::Named(Space::Sale, name) => Some(name),
            Source::Named(..) | Source::Fixed(_) => None,
        });
        of_sale.collect()
    }

    /// What its request names, and what its computed values do.
    fn all_sources(&self) -> Vec<Source> {
        let mut all = self.sources();
        let computed = self.more.signature.iter().chain(&self.more.variables);
        all.extend(computed.flat_map(|row| sources_of(&row.value)));
        all
    }

    /// Without the computed values that its request does not name.
    fn without_unnamed(mut self) -> Self {
        let mut named = self.sources();
        self.more.signature = named_rows(&self.more.signature, Space::Sign, &mut named);
        self.more.variables = named_rows(&self.more.variables, Space::Let, &mut named);
        self
    }

    /// What its URL, its head and its body name, computed values not looked into.
    fn sources(&self) -> Vec<Source> {
        let texts = self.texts().into_iter();
        texts.flat_map(|text| sources_of(text)).collect()
    }

    /// What the requests of an operation name, its steps and computed values too; nothing, if there is no such operation.
    pub(crate) fn tokens_of_operation(&self, kind: OperationKind) -> Vec<Token> {
        let steps = self.steps_of_operation(kind).into_iter();
        let requests = steps.map(|(_, request)| request);
        let requests = Vec::from_iter(self.of_operation(kind).into_iter().chain(requests));
        let computed = |request: &Self| {
            let more = &request.more;
            let rows = more.signature.iter().chain(&more.variables);
            rows.map(|row| row.value.clone()).collect::<Vec<_>>()
        };
        let texts = requests.iter().flat_map(|request| {
            let plain = request.texts().into_iter().cloned();
            plain.chain(computed(request)).collect::<Vec<_>>()
        });
        let templates = texts.filter_map(|text| Template::parse_lines(&text).ok());
        templates
            .flat_map(|template| template.tokens().cloned().collect::<Vec<_>>())
            .collect()
    }

    /// The templates of its URL, its head and its body.
    fn texts(&self) -> Vec<&String> {
        let rows = self.request_params.iter().chain(&self.request_headers);
        let more = &self.more;
        let texts = [
            &self.service_url,
            &self.auth_user_name,
            &more.auth_password,
            &more.body,
        ];
        texts
            .into_iter()
            .chain(rows.map(|row| &row.value))
            .collect()
    }
}

/// The rows that are named, from the last to the first: each adds what it names itself.
fn named_rows(rows: &[Mapping], space: Space, named: &mut Vec<Source>) -> Vec<Mapping> {
    let mut kept = Vec::new();
    for row in rows.iter().rev() {
        let is_it = |source: &Source| match source {
            Source::Named(of, name) => *of == space && **name == *row.name,
            Source::Fixed(_) => false,
        };
        if named.iter().any(is_it) {
            named.extend(sources_of(&row.value));
            kept.push(row.clone());
        }
    }
    kept.reverse();
    kept
}

/// What a text names, keys of filters too; nothing, if it cannot be read.
fn sources_of(text: &str) -> Vec<Source> {
    let Ok(template) = Template::parse_lines(text) else {
        return Vec::new();
    };
    let mut sources = Vec::new();
    for token in template.tokens() {
        sources.push(token.source.clone());
        for filter in &token.filters {
            if let Filter::Hmac(_, key) = filter {
                sources.push(key.clone());
            }
        }
    }
    sources
}
