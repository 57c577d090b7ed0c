//! What the page is told.
//! Owns: the shapes that leave the server about calls and captures.
//! Never: a digit, a length that gives one away, or a captured value.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::capture::{
    Brand, CaptureState, Field, FieldError, PaymentType, VelocityLimit, WidgetKind,
};
use crate::consumer::Consumer;
use crate::gate::Gate;
use crate::gateway::NotSentReason;
use crate::id::{AttemptId, CallId, CaptureId, UserId, WidgetId};
use crate::language::Language;
use crate::money::Money;
use crate::outbound::{DialRefusal, DialView};
use crate::payment::Outcome;
use crate::time::UnixMillis;
use crate::widget::{AuthorisationRule, DemographicInput, PaymentInputs, Widget};

/// An agent's call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct CallView {
    /// Identity.
    pub id: CallId,
    /// Where it stands.
    pub state: CallState,
    /// Who holds it; none: nobody.
    pub held_by: Option<Holder>,
    /// The consumer does not hear the agent: Mute is pressed.
    pub agent_muted: bool,
    /// Another agent's phone rings to take it over, or the last transfer came to nothing.
    pub transfer: Option<TransferView>,
    /// How far a call is that the agent makes; none: it came in. Of one that they make `called` is the consumer's number.
    #[serde(default)]
    pub dialled: Option<DialView>,
    /// What the caller's phone said of its name, else its number: hostile text.
    pub caller: String,
    /// The number that the call comes from, as it was sent: hostile text; empty: none was sent.
    pub caller_number: String,
    /// The number that was called.
    pub called: String,
    /// When it came.
    pub began_at: UnixMillis,
    /// When it was answered.
    pub answered_at: Option<UnixMillis>,
    /// When it ended.
    pub ended_at: Option<UnixMillis>,
    /// Nothing is heard from the consumer.
    pub line_silent: bool,
    /// The agent hears masked audio only: a capture asked for it, or the service wants it for the whole call.
    pub line_protected: bool,
    /// What records the call.
    pub recording: CallRecordingView,
    /// What the API told of the consumer; it goes with the call.
    #[serde(default)]
    pub consumer: Consumer,
    /// The buttons: each enabled widget of the agent's desktop.
    pub buttons: Vec<ButtonView>,
    /// The open capture, or the last one until it is closed.
    pub capture: Option<CaptureView>,
}

/// Where a call stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum CallState {
    /// The agent's phone rings.
    Ringing,
    /// Both are connected.
    Connected,
    /// On hold.
    Held,
    /// Over.
    Ended,
}

/// What records a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct CallRecordingView {
    /// Whether anything does.
    pub state: CallRecordingState,
    /// The agent begins and ends it.
    pub on_demand: bool,
}

impl CallRecordingView {
    /// Nothing records it, and the agent cannot change that.
    pub const OFF: Self = Self {
        state: CallRecordingState::Off,
        on_demand: false,
    };
}

/// Whether a call is recorded, before what a capture pauses and masks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum CallRecordingState {
    /// By nobody, as the service declares and this server knows.
    Off,
    /// Not by this server; the service declares other recorders, or has not declared yet whether there are some (S21).
    Elsewhere,
    /// This server is about to.
    Starting,
    /// By this server.
    On,
    /// This server was to record it and cannot; its log says why.
    Failed,
}

/// Who holds a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Holder {
    /// The agent by the button Hold, whatever the phones do; the button ends it.
    Agent,
    /// One of the phones by itself; it alone can end that.
    Phone,
}

/// A transfer of a call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct TransferView {
    /// To whom: the other agent's name.
    pub to: String,
    /// Why it came to nothing; none: it rings.
    pub failed: Option<TransferFailure>,
}

/// Why a transfer came to nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum TransferFailure {
    /// The other agent is on another call.
    Busy,
    /// The other agent refused.
    Declined,
    /// Nobody answered.
    NoAnswer,
    /// The phone cannot be reached.
    Unreachable,
    /// It was given up.
    Cancelled,
}

/// An agent to whom a call can be transferred.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct TransferTarget {
    /// Who.
    pub user: UserId,
    /// Name.
    pub name: String,
    /// Takes calls, and is on none.
    pub free: bool,
}

/// A control button.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct ButtonView {
    /// Which widget it opens.
    pub widget: WidgetId,
    /// Its kind.
    pub kind: WidgetKind,
    /// Window Title.
    pub title: String,
    /// The title in the languages in which somebody wrote it.
    pub titles: BTreeMap<Language, String>,
    /// Why it cannot be pressed now; none: it can.
    pub disabled: Option<ButtonDisabled>,
}

/// Why a button is disabled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ButtonDisabled {
    /// The call is not connected.
    NotConnected,
    /// The call is on hold.
    OnHold,
    /// Another capture is open.
    CaptureOpen,
    /// The service has not declared its recorders (S21).
    RecordersUndeclared,
    /// The gateway's host is not approved (S4).
    HostNotApproved,
}

/// A capture session as the widget renders it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct CaptureView {
    /// Identity.
    pub id: CaptureId,
    /// Its call.
    pub call: CallId,
    /// Counts changes: a view with a lower number is older.
    pub revision: u64,
    /// The widget it was opened with: title, kind, prompts, card types, options. The gateway's configuration is left out.
    pub widget: WidgetView,
    /// State.
    pub state: CaptureState,
    /// A reason code for blocked, protection_lost, lost, not_sent.
    pub reason: Option<String>,
    /// What is protected, and what is still awaited.
    pub protection: Vec<ProtectionView>,
    /// The rows, in order.
    pub fields: Vec<FieldView>,
    /// The field that listens.
    pub listening: Option<Field>,
    /// The agent said that the customer is speaking the number: nobody hears the customer (S13).
    pub speaking: bool,
    /// Keys that came while no field listened: "Keys arrived before you asked."
    pub stray_keys: u32,
    /// What is still missing before Process Payment.
    pub missing: Vec<Field>,
    /// The session ends then, unless kept open.
    pub ends_at: UnixMillis,
    /// In the last minute: "Keep open" may be pressed.
    pub may_keep_open: bool,
    /// Presses of Process Payment left.
    pub process_left: u8,
    /// Basic: values are wiped; "Is the card number gone from every other window?" waits for its answer.
    pub confirm_gone: bool,
    /// The attempt, once Process Payment was pressed.
    pub payment: Option<PaymentView>,
}

/// The part of a widget that an agent needs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct WidgetView {
    /// Identity.
    pub id: WidgetId,
    /// Kind.
    pub kind: WidgetKind,
    /// Window Title.
    pub title: String,
    /// The title in the languages in which somebody wrote it.
    pub titles: BTreeMap<Language, String>,
    /// Accepted brands.
    pub card_types: Vec<Brand>,
    /// "Hold to show" is offered for the security code.
    pub reveal_security_code: bool,
    /// Values are hidden again after so many seconds.
    pub hide_after_s: u16,
    /// The security code may be "Not available".
    pub security_code_optional: bool,
    /// Advanced: the fields of the tab Demographic, in its order.
    pub demographic: Vec<DemographicInput>,
    /// Advanced: what the tab Payment asks for.
    pub payment: PaymentInputs,
    /// Checks: how the customer consents to the debit (S20).
    pub authorisation: AuthorisationRule,
    /// Check Basic: the text of that, to be read out once the recorders run again; else empty.
    pub authorisation_text: String,
}

impl From<&Widget> for WidgetView {
    fn from(widget: &Widget) -> Self {
        Self {
            id: widget.id.clone(),
            kind: widget.kind,
            title: widget.title.clone(),
            titles: widget.titles(),
            card_types: widget.card_types.iter().copied().collect(),
            reveal_security_code: widget.options.reveal_security_code,
            hide_after_s: widget.options.hide_after_s,
            security_code_optional: widget.options.security_code
                == crate::widget::SecurityCodeRule::Optional,
            demographic: widget.options.demographic.clone(),
            payment: widget.options.payment.clone(),
            authorisation: match widget.kind.payment_type() {
                PaymentType::Check => widget.options.authorisation.rule,
                PaymentType::Card => AuthorisationRule::None,
            },
            authorisation_text: match widget.kind {
                WidgetKind::CheckBasic => widget.options.authorisation.plain_text(),
                _ => String::new(),
            },
        }
    }
}

/// One thing that must hold before the prompt shows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct ProtectionView {
    /// "tones masked for you", "call recording", or a recorder's name.
    pub what: ProtectionPart,
    /// A recorder's name; empty for our own parts.
    pub name: String,
    /// Whether it holds.
    pub confirmed: bool,
}

/// Parts of the protection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ProtectionPart {
    /// The agent's leg hears the flat tone.
    AgentLegMasked,
    /// The recording's copy is masked.
    RecordingMasked,
    /// A call recorder paused.
    CallRecordingPaused,
    /// A screen recorder paused.
    ScreenRecordingPaused,
}

/// A row.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct FieldView {
    /// Which.
    pub field: Field,
    /// What the agent reads out; empty until the line is protected.
    pub prompt: String,
    /// The same in the languages in which somebody wrote it.
    pub prompts: BTreeMap<Language, String>,
    /// State.
    pub state: FieldState,
    /// Digits keyed so far; 0 once obtained.
    pub count: u8,
    /// Digits expected; none: not known (account number).
    pub expected: Option<u8>,
    /// One entry is kept, and the value is keyed a second time (O15).
    pub second_entry: bool,
    /// Why it is invalid.
    pub error: Option<FieldError>,
    /// This attempt, from 1.
    pub attempt: u8,
    /// Attempts allowed.
    pub attempts_max: u8,
    /// With O5 on, or in Basic: the brand, once obtained.
    pub brand: Option<Brand>,
    /// With O5 on: the last four, once obtained.
    pub last_four: Option<String>,
    /// Of an obtained routing number: the bank's name, if the imported table has it.
    pub bank_name: Option<String>,
    /// Of a routing number that the operator refuses: why.
    pub refusal: Option<String>,
    /// Basic: a value can be revealed.
    pub revealable: bool,
}

/// Attempts of one widget kind on one call, as a supervisor sees them (S14): no digit, and no count of digits.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct LiveCapture {
    /// The call.
    pub call: CallId,
    /// When it came.
    pub began_at: UnixMillis,
    /// Whose call it is; none: the call is routed past the agents of this server.
    pub agent: Option<UserId>,
    /// The kind that the attempts count for.
    pub kind: WidgetKind,
    /// The open capture of that kind; none: it is closed, its attempts still count.
    pub open: Option<LiveSession>,
    /// The fields, in order.
    pub fields: Vec<LiveField>,
    /// Presses of Process Payment that are used up.
    pub process_used: u8,
}

/// An open capture.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct LiveSession {
    /// Window Title.
    pub title: String,
    /// State.
    pub state: CaptureState,
}

/// A field of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct LiveField {
    /// Which.
    pub field: Field,
    /// Attempts that are used up.
    pub attempts_used: u8,
    /// No attempts are left.
    pub is_locked: bool,
}

impl LiveCapture {
    /// There is something to give back.
    #[must_use]
    pub fn has_used(&self) -> bool {
        self.process_used > 0 || self.fields.iter().any(|field| field.attempts_used > 0)
    }
}

/// State of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum FieldState {
    /// Not its turn.
    Idle,
    /// It listens, no key yet.
    Waiting,
    /// Keys come.
    Keying,
    /// No key for the inter-key time-out.
    Slow,
    /// The value was refused; it is wiped.
    Invalid,
    /// Kept.
    Obtained,
    /// "Not available" (O1 optional).
    NotAvailable,
    /// No attempts are left.
    Locked,
}

/// An attempt as the page shows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct PaymentView {
    /// Identity.
    pub attempt: AttemptId,
    /// What people read to each other.
    pub reference: String,
    /// How much is charged now.
    pub amount: Money,
    /// More is due later, and is set up by a call of its own once this is approved; the payment says how that stands.
    pub has_plan: bool,
    /// When it was sent.
    pub sent_at: Option<UnixMillis>,
    /// How it ended.
    pub outcome: Option<Outcome>,
    /// Why nothing was sent.
    pub not_sent: Option<NotSentReason>,
    /// The gateway's message for the agent, scrubbed: hostile text.
    pub message: String,
    /// HTTP status of a refused request.
    pub status: Option<u16>,
}

/// What the agent reads out before a debit (S20).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct ReadOut {
    /// The text: hostile, for it holds what was typed.
    pub text: String,
    /// The call is confirmed to be recorded.
    pub is_recorded: bool,
    /// When the customer agreed to it.
    pub agreed_at: Option<UnixMillis>,
}

/// Why the desk refuses.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DeskError {
    /// No such call or capture, or not this user's.
    #[error("no such call or capture")]
    NotFound,
    /// A gate is shut.
    #[error("{0}")]
    Gate(Gate),
    /// The button is disabled.
    #[error("the capture cannot be opened now")]
    Disabled(ButtonDisabled),
    /// Whether the call is recorded is not the agent's to say: its service records all calls or none, or this server keeps no recordings.
    #[error("this call is not recorded on demand")]
    NotOnDemand,
    /// A transfer rings already, or none does.
    #[error("not possible with the transfer as it stands")]
    Transfer,
    /// The other agent is not free.
    #[error("the agent is not free")]
    AgentNotFree,
    /// Somebody has the call: their name.
    #[error("the call is with another agent")]
    CallTaken(String),
    /// The agent has a call already.
    #[error("the agent has another call")]
    AgentHasCall,
    /// No service pairs its calls with this agent in this way.
    #[error("no service pairs its calls with this agent so")]
    NotPaired,
    /// All numbers of the pool are reserved, or rest: the time until the first is free.
    #[error("no number of the pool is free")]
    NumbersReserved(Duration),
    /// Nothing was dialled.
    #[error(transparent)]
    Dial(DialRefusal),
    /// The capture's state does not allow this.
    #[error("not possible while the capture is {0:?}")]
    WrongState(CaptureState),
    /// The customer's consent is to be recorded, and nothing confirms that the call is.
    #[error("the call is not recorded")]
    NotRecorded,
    /// The customer has not agreed to this debit.
    #[error("the customer has not agreed to this debit")]
    NotAgreed,
    /// Too many payments were tried.
    #[error("too many payments were tried")]
    TooManyCharges(VelocityLimit),
    /// The form is wrong: parameter name and what would be right.
    #[error("the form has errors")]
    Form(Vec<(String, String)>),
    /// The server is at its limit; try again.
    #[error("the server is busy")]
    Busy,
    /// The audit trail or ledger cannot be written, so nothing is done.
    #[error("this cannot be recorded now, so it was not done")]
    Unrecordable,
}
