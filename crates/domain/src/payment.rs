//! Payments and their outcomes.
//! Owns: the ledger's row and its states.
//! Never: a card or account number in any form (SETTLED S15).

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::capture::{Brand, WidgetKind};
use crate::gateway::NotSentReason;
use crate::id::{AttemptId, CallId, CaptureId, UserId, WidgetId};
use crate::money::Money;
use crate::time::UnixMillis;

/// How a sent charge ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// The gateway took it.
    Approved,
    /// The gateway answered otherwise.
    Declined,
    /// The gateway holds it for a person.
    Review,
    /// Not charged: the gateway refused the request.
    Error,
    /// Nobody knows whether it was charged.
    Unknown,
}

impl Outcome {
    /// Its word in rows and metrics.
    #[must_use]
    pub fn label(self) -> &'static str {
        match self {
            Self::Approved => "approved",
            Self::Declined => "declined",
            Self::Review => "review",
            Self::Error => "error",
            Self::Unknown => "unknown",
        }
    }
}

/// Where an attempt stands in the ledger.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case", tag = "state", content = "detail")]
pub enum AttemptState {
    /// Committed before anything is connected.
    Intent,
    /// Committed before the first byte leaves. Found after a restart it reads as unknown.
    Sent,
    /// Nothing left this server.
    NotSent(NotSentReason),
    /// It ended.
    Final(Outcome),
}

/// A row of the ledger: one attempt to charge.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Payment {
    /// The attempt; unique, also towards the gateway.
    pub attempt: AttemptId,
    /// What people read to each other: "7F2K-91QD".
    pub reference: String,
    /// The capture it came from.
    pub capture: CaptureId,
    /// The call it came from.
    pub call: CallId,
    /// The widget.
    pub widget: WidgetId,
    /// Its kind.
    pub kind: WidgetKind,
    /// Who pressed Process Payment.
    pub agent: UserId,
    /// How much.
    pub amount: Money,
    /// With O5 on; else none.
    pub brand: Option<Brand>,
    /// With O5 on; else none.
    pub last_four: Option<String>,
    /// Where it stands.
    pub state: AttemptState,
    /// The scrubbed message for the agent; empty: none.
    pub message: String,
    /// When the intent was recorded.
    pub created_at: UnixMillis,
    /// When the state changed last.
    pub changed_at: UnixMillis,
}

/// What the agent typed on the tabs Demographic and Payment. Keys are the standard parameter names of SETTLED S17 (`firstName`, `reference`, `accountType`, ...).
/// Values hold no run of digits that could be a card number (S15).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PaymentForm {
    /// The amount.
    pub amount: Money,
    /// Everything else.
    #[serde(default)]
    pub values: BTreeMap<String, String>,
}

/// A value that the agent may type, by the standard name under which a gateway receives it (S17).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FormParameter {
    /// Standard name.
    pub name: &'static str,
    /// Most characters.
    pub chars_max: usize,
}

const fn parameter(name: &'static str, chars_max: usize) -> FormParameter {
    FormParameter { name, chars_max }
}

/// Every name that [`PaymentForm::values`] may hold, in the order in which they are sent.
pub const FORM_PARAMETERS: [FormParameter; 22] = [
    parameter("accountType", 20),
    parameter("reference", 50),
    parameter("description", 200),
    parameter("firstName", 60),
    parameter("lastName", 60),
    parameter("company", 100),
    parameter("address1", 100),
    parameter("address2", 100),
    parameter("city", 60),
    parameter("state", 40),
    parameter("postalCode", 16),
    parameter("country", 40),
    parameter("phone", 24),
    parameter("email", 200),
    parameter("accountReference", 50),
    parameter("arrangementType", 20),
    parameter("arrangementDate", 10),
    parameter("arrangementStart", 10),
    parameter("arrangementInterval", 20),
    parameter("arrangementCount", 4),
    parameter("arrangementEnd", 10),
    parameter("arrangementAmount", 12),
];

/// The parameter of a standard name.
#[must_use]
pub fn form_parameter(name: &str) -> Option<FormParameter> {
    FORM_PARAMETERS
        .into_iter()
        .find(|parameter| parameter.name == name)
}
