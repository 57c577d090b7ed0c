//! Payments and their outcomes.
//! Owns: the ledger's row and its states.
//! Never: a card or account number in any form (SETTLED S15).

use serde::{Deserialize, Serialize};

use crate::capture::{Brand, WidgetKind};
use crate::gateway::NotSentReason;
use crate::id::{AttemptId, CallId, CaptureId, DesktopId, UserId, WidgetId};
use crate::money::Money;
use crate::time::UnixMillis;

mod account;
mod arranged;
mod arrangement;
mod charged;
pub mod follow_up;
mod form;
mod ledger;
mod notice;
mod plan;
pub mod resolution;
mod schedule;
pub mod timeline;

pub use account::{Account, AccountType, CheckFacts, HolderType, SecCodeRule};
pub use arrangement::{
    ArrangementKind, Interval, Length, PLAN_MONTHS_MAX, PLAN_PAYMENTS_MAX, Part, Terms,
};
pub use charged::FormProblems;
pub(crate) use form::text_problem;
pub use form::{
    FORM_PARAMETERS, FormParameter, PaymentForm, form_parameter, holds_card_number,
    holds_card_number_in_groups, value_problems,
};
pub use ledger::{
    InvalidPlace, InvalidSearch, LedgerFilter, LedgerPlace, LedgerRow, LedgerSearch, Standing,
};
pub use notice::NoticeWindow;
pub use plan::PlanStanding;
pub(crate) use plan::takes_one_date;
pub use schedule::{ArrangedBy, Arrangement, Schedule, ScheduledPayment};

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
    /// The desktop whose widget it was; none: it was not kept then.
    pub desktop: Option<DesktopId>,
    /// Its kind.
    pub kind: WidgetKind,
    /// Who pressed Process Payment.
    pub agent: UserId,
    /// How much is charged now; 0: card or account is only stored.
    pub amount: Money,
    /// What is left to later days; none: nothing.
    pub arrangement: Option<Arrangement>,
    /// With O5 on; else none.
    pub brand: Option<Brand>,
    /// With O5 on; else none.
    pub last_four: Option<String>,
    /// Where it stands.
    pub state: AttemptState,
    /// The scrubbed message for the agent; empty: none.
    pub message: String,
    /// What the widget's gateway keeps of its answer, such as the gateway's own reference.
    pub outputs: Vec<PaymentOutput>,
    /// When the intent was recorded.
    pub created_at: UnixMillis,
    /// When the state changed last.
    pub changed_at: UnixMillis,
}

impl Payment {
    /// Something is due later, and the gateway hears of it in a call of its own.
    #[must_use]
    pub fn has_own_schedule(&self) -> bool {
        let arrangement = self.arrangement.as_ref();
        arrangement.is_some_and(|arrangement| arrangement.by == ArrangedBy::Schedule)
    }

    /// Card or account is kept at the gateway for what is due later, and nothing is charged: its amount is 0.
    #[must_use]
    pub fn only_stores(&self) -> bool {
        let arrangement = self.arrangement.as_ref();
        arrangement.is_some_and(Arrangement::only_stores)
    }
}

/// Something that is kept of a gateway's answer. Scrubbed, 200 characters at most, not empty.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct PaymentOutput {
    /// As the configuration names it: "transaction_id".
    pub name: String,
    /// What stood there.
    pub value: String,
}

#[cfg(test)]
pub(crate) mod fixtures {
    use super::*;
    use crate::money::Currency;

    /// A payment in a state.
    pub(crate) fn payment(state: AttemptState) -> Payment {
        Payment {
            attempt: AttemptId::from_random(1),
            reference: "7F2K-91QD".to_owned(),
            capture: CaptureId::from_random(1),
            call: CallId::from_random(1),
            widget: WidgetId::from_random(1),
            desktop: None,
            kind: WidgetKind::CreditCardAdvanced,
            agent: UserId::from_random(1),
            amount: Money {
                minor: 12_050,
                currency: Currency::USD,
            },
            arrangement: None,
            brand: None,
            last_four: None,
            state,
            message: String::new(),
            outputs: Vec::new(),
            created_at: UnixMillis(1),
            changed_at: UnixMillis(2),
        }
    }
}
