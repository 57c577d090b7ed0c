//! Where the shells meet.
//! Owns: the traits through which calls, voice, gateway, store and web reach each other.
//! Never: implements one.

use std::collections::BTreeSet;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use secret::{SecretBuffer, SecretText, Slot};

use crate::access::{Actor, CustomRole, CustomRoles, Permission, User};
use crate::audit::{AuditEntry, ChainedDocument, ChainedEntry, TrailFilter};
use crate::availability::{Availability, Wish};
use crate::capture::routing::{BankTable, RefusedRoutings};
use crate::capture::{Field, WidgetKind};
use crate::consumer::Consumer;
use crate::control::CallControl;
use crate::designer::{DesignerDesktop, SavedDesign};
use crate::desktop::{Credentials, Desktop, SavedDesktop, SecretsSet, StoredCredentials};
use crate::evidence::Evidence;
use crate::gateway::approval::{HostApproval, HostEditor};
use crate::gateway::{GatewayConfig, NotSentReason, Once, OperationKind, Verdict};
use crate::id::{
    AttemptId, CallId, CaptureId, DesignId, DesktopId, RoleId, ServiceId, UserId, WidgetId,
};
use crate::money::Money;
use crate::payment::follow_up::{FollowUp, FollowUpMove};
use crate::payment::resolution::Proposal;
use crate::payment::{
    Arrangement, AttemptState, CheckFacts, LedgerFilter, LedgerPlace, LedgerRow, Payment,
    PaymentForm, PaymentOutput,
};
use crate::queue::sound::SoundChange;
use crate::recording::RecordingChange;
use crate::service::{Service, Settings};
use crate::view::{CallView, CaptureView, DeskError, LiveCapture, ReadOut, TransferTarget};

mod dial;
mod egress;
mod listening;
mod number;
mod pairing;
mod payment_desk;
mod phone;
mod queue;
mod recording;
mod recording_files;
mod screen;
mod telephony;

pub use dial::DialDesk;
pub use egress::{EgressSeen, EgressTally};
pub use listening::{ListenerLegs, ListeningDesk, ListeningRefused};
pub use number::NumberDesk;
pub use pairing::{CallName, PairingDesk};
pub use payment_desk::{FollowUpError, PaymentDesk};
pub use phone::{BrowserLegs, PHONE_ON_S, PhoneAsk, PhoneDesk, PhoneRefused, PhoneSaid};
pub use queue::{QueueDesk, Sounds};
pub use recording::{
    AudioRecording, ConnectedCall, NO_CONTROL, Recorders, Recordings, captures_of,
};
pub use recording_files::{
    OpenRecording, OpenScreen, RecordingChangeError, RecordingFileError, RecordingFiles,
    RecordingPieces,
};
pub use screen::ScreenDesk;
pub use telephony::{
    CallEvents, Dial, EndCause, IncomingCall, LegCallIds, LineEvent, PhoneAccount, Protected,
    ProtectionRefused, Referral, ReferralAnswer, ReferralWish, RouteTarget, Telephony,
    TelephonyError,
};

/// A future behind a trait object.
pub type Task<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

// ---------------------------------------------------------------- calls <-> gateway

/// One attempt to charge, with the digits. Dropping it wipes them.
pub struct Charge {
    /// The attempt.
    pub attempt: AttemptId,
    /// What people read to each other.
    pub reference: String,
    /// Card or check.
    pub kind: WidgetKind,
    /// Where to.
    pub gateway: GatewayConfig,
    /// Password for Basic.
    pub password: Option<SecretText>,
    /// Secrets of the configuration, by name: `{secret.name}`.
    pub secrets: Vec<(String, SecretText)>,
    /// Its time and its random values.
    pub once: Once,
    /// What the agent typed.
    pub form: PaymentForm,
    /// What the consumer keyed.
    pub slot: Slot,
    /// What is known of a check; of a card nothing.
    pub check: CheckFacts,
    /// Facts about the call that a mapping may name: `call.id`, `call.called`, `agent.name`.
    pub facts: Vec<(&'static str, String)>,
    /// Response variables are switched on (S19).
    pub show_message: bool,
}

/// A charge that was not sent, handed back.
pub struct NotSent {
    /// Why.
    pub reason: NotSentReason,
    /// For the log and the administrator: free of secrets.
    pub detail: String,
    /// The charge, digits and all, so that the agent can try again.
    pub charge: Charge,
}

/// The HTTPS side towards payment gateways.
pub trait PaymentGateway: Send + Sync {
    /// True if this host and port may receive captured values (SETTLED S4), written as [`GatewayConfig::authorities`] has it.
    fn authority_approved(&self, authority: &str) -> bool;
    /// True if every host that a configuration sends to may receive captured values, and there is one.
    fn host_approved(&self, gateway: &GatewayConfig) -> bool {
        let authorities = gateway.authorities();
        gateway.authority().is_some()
            && authorities
                .iter()
                .all(|authority| self.authority_approved(authority))
    }
    /// From now on these hosts, and those of the server's file, may receive captured values. A charge that is on its way goes on.
    fn set_approved_hosts(&self, authorities: Vec<String>);
    /// Renders, resolves, connects and secures. No byte of the request leaves.
    fn connect(&self, charge: Charge) -> Task<'_, Result<Box<dyn ReadyCharge>, NotSent>>;
    /// The same for an operation: what its configuration does not have, or cannot make without a value that is not there, is not sent ([`NotSentReason::Render`]).
    fn connect_operation(&self, operation: Operation) -> Task<'_, OperationConnected>;
}

/// What came of connecting for an operation: it can be sent, or why it was not.
pub type OperationConnected = Result<Box<dyn ReadyOperation>, NotSentReason>;

/// Something that is asked of a gateway about a charge that it has, or may have. It holds nothing that was captured.
pub struct Operation {
    /// What is asked.
    pub kind: OperationKind,
    /// The charge's attempt: `{payment.attempt}`.
    pub attempt: AttemptId,
    /// Its reference, which an answer must repeat where the configuration says at which key: `{payment.reference}`.
    pub reference: String,
    /// How much: of the charge for an inquiry or a void, of this operation for a refund or a capture.
    pub amount: Money,
    /// What is left to later days, for a schedule; none: nothing, or another operation.
    pub arrangement: Option<Arrangement>,
    /// What the ledger keeps of the charge's answer: `{sale.name}`.
    pub outputs: Vec<PaymentOutput>,
    /// The configuration of the charge, with the operation in it.
    pub gateway: GatewayConfig,
    /// Password for Basic.
    pub password: Option<SecretText>,
    /// Secrets of the configuration, by name: `{secret.name}`.
    pub secrets: Vec<(String, SecretText)>,
    /// Its time and its random values. The idempotency key in them is this operation's own, and the same whenever the same is asked again.
    pub once: Once,
}

/// An operation with a connection ready for it. Dropped, it closes that without writing.
pub trait ReadyOperation: Send {
    /// Writes the request and reads the answer, once. An error only if the connection was found closed before the first byte was written.
    ///
    /// The verdict says whether it was done; of an inquiry, what became of the charge, with unknown for whatever says nothing of it. An answer that is about another
    /// charge is unknown, and nothing of it is handed on.
    fn send(self: Box<Self>) -> Task<'static, Result<Answer, NotSentReason>>;
}

/// A charge with a connection ready for it.
pub trait ReadyCharge: Send {
    /// Writes the request and reads the answer. Consumes and wipes the digits. An error only if the connection was found closed before the first byte was
    /// written.
    fn send(self: Box<Self>) -> Task<'static, Result<Answer, NotSent>>;
    /// Closes the connection without writing, and hands the charge back.
    fn abandon(self: Box<Self>) -> Charge;
}

/// What a gateway's answer amounts to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// The verdict.
    pub verdict: Verdict,
    /// The message for the agent, scrubbed, 200 characters at most; empty: none.
    pub message: String,
    /// What "More" keeps of the answer, by its names: scrubbed, 200 characters at most, none empty, at most 20.
    pub outputs: Vec<(String, String)>,
    /// HTTP status, if one came.
    pub status: Option<u16>,
}

// ---------------------------------------------------------------- everyone -> store

/// A write: what changes and what the audit trail says of it, in one transaction.
#[derive(Debug, Clone)]
pub struct Audited {
    /// What changes.
    pub change: Change,
    /// The entry.
    pub entry: AuditEntry,
}

/// Everything that can be written.
#[derive(Debug, Clone)]
pub enum Change {
    /// Nothing but the entry.
    None,
    /// A user; `revision` must be the stored one (0: new), and is counted up. Refused if it leaves no enabled Security admin.
    SaveUser(User),
    /// A user who has set up the second factor, with its secret in base 32; `revision` as for users. Saving a user without one forgets the secret.
    SetSecondFactor {
        /// The user.
        user: User,
        /// The secret.
        secret: Arc<SecretText>,
    },
    /// A custom role; `revision` as for users.
    SaveRole(CustomRole),
    /// Deletes a custom role that no user has.
    DeleteRole(RoleId),
    /// A desktop; `revision` as for users. Passwords are write-only and replace the sealed ones of their widgets.
    SaveDesktop {
        /// The desktop.
        desktop: Desktop,
        /// New credentials of gateways.
        credentials: Credentials,
    },
    /// Deletes a desktop that no service and no user works with.
    DeleteDesktop(DesktopId),
    /// Who works with a desktop; refused if one of these users is not there, or if one to be removed works with another desktop.
    AssignDesktop {
        /// The desktop.
        desktop: DesktopId,
        /// Users who work with it from now on.
        added: Vec<UserId>,
        /// Users who no longer do.
        removed: Vec<UserId>,
    },
    /// A designer desktop; `revision` as for users.
    SaveDesign(DesignerDesktop),
    /// Deletes a designer desktop that no desktop uses.
    DeleteDesign(DesignId),
    /// A desktop that uses a design from now on, and the design; answers with the desktop's revision.
    BindDesign {
        /// The desktop, naming the design.
        desktop: Desktop,
        /// The design.
        design: DesignerDesktop,
    },
    /// A service; `revision` as for users.
    SaveService(Service),
    /// Sounds that callers hear while they wait.
    Sound(SoundChange),
    /// System settings; `revision` as for users.
    SaveSettings(Settings),
    /// Routing numbers that are refused; `revision` as for users.
    SaveRefusedRoutings(RefusedRoutings),
    /// A table of bank names in the place of the one that is there, whatever its revision; answers with the new one.
    ReplaceBanks(Arc<BankTable>),
    /// A new attempt in state intent.
    InsertPayment(Payment),
    /// An attempt moves on; refused if it is not in the state `from`. What somebody has said of an unknown outcome falls away when that is known.
    MovePayment {
        /// Which.
        attempt: AttemptId,
        /// The state it must be in.
        from: AttemptState,
        /// The state it gets.
        to: AttemptState,
        /// The scrubbed message for the agent.
        message: String,
        /// What is kept of the gateway's answer; empty: what was kept before.
        outputs: Vec<PaymentOutput>,
        /// When.
        at: crate::time::UnixMillis,
    },
    /// A new follow-up in state intent; refused if another one of the payment is open or unknown, or has its number.
    InsertFollowUp(FollowUp),
    /// A follow-up moves on; refused if it is not in the state that it must be in.
    MoveFollowUp(FollowUpMove),
    /// Somebody says how an attempt ended; refused unless its outcome is unknown and nobody has said anything.
    ProposeResolution(Proposal),
    /// What was said is taken back; refused unless it is this that stands.
    RejectResolution(Proposal),
    /// A row of a recording.
    Recording(RecordingChange),
    /// A host may receive captured values; refused if it is approved already.
    ApproveHost(HostApproval),
    /// It may no longer; refused unless it is approved.
    WithdrawHost(String),
    /// What was said is confirmed: the attempt moves on; refused unless it is this that stands and the outcome is unknown.
    ConfirmResolution {
        /// What stands.
        proposal: Proposal,
        /// When.
        at: crate::time::UnixMillis,
    },
}

/// Why a write or read failed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// Someone else saved meanwhile, or the attempt is in another state.
    #[error("it was changed meanwhile; reload it")]
    Conflict,
    /// A name or identity is taken.
    #[error("the {0} is taken")]
    Taken(&'static str),
    /// Still used by something.
    #[error("it is still used by {0}")]
    InUse(String),
    /// Nobody would be left who may give rights.
    #[error("the last enabled Security admin stays one")]
    LastSecurityAdmin,
    /// The database does not answer, is full or broken.
    #[error("the database failed: {0}")]
    Unavailable(String),
    /// A stored document cannot be read.
    #[error("the stored {what} cannot be read: {why}")]
    Corrupt {
        /// Kind of document.
        what: &'static str,
        /// Why.
        why: String,
    },
    /// The queue of writes is full.
    #[error("too many writes are waiting")]
    Busy,
}

impl StoreError {
    /// The same may succeed later.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        matches!(self, Self::Unavailable(_) | Self::Busy)
    }
}

/// The only way to write.
pub trait Store: Send + Sync {
    /// Commits change and entry in one transaction; answers after it is on disk. The new revision, where the change has one, else 0.
    fn commit(&self, audited: Audited) -> Task<'_, Result<i64, StoreError>>;
}

/// Users and their roles.
pub trait Users: Send + Sync {
    /// By login name.
    fn user_by_name<'a>(&'a self, name: &'a str) -> Task<'a, Result<Option<User>, StoreError>>;
    /// By identity.
    fn user<'a>(&'a self, id: &'a UserId) -> Task<'a, Result<Option<User>, StoreError>>;
    /// All, by name.
    fn users(&self) -> Task<'_, Result<Vec<User>, StoreError>>;
    /// The sealed secret of a user's second factor, opened: base 32.
    fn second_factor<'a>(
        &'a self,
        user: &'a UserId,
    ) -> Task<'a, Result<Option<SecretText>, StoreError>>;
    /// The roles that were made here.
    fn custom_roles(&self) -> Task<'_, Result<CustomRoles, StoreError>>;
}

/// Agent desktops.
pub trait Desktops: Send + Sync {
    /// All, by name.
    fn desktops(&self) -> Task<'_, Result<Vec<Desktop>, StoreError>>;
    /// One.
    fn desktop<'a>(&'a self, id: &'a DesktopId) -> Task<'a, Result<Option<Desktop>, StoreError>>;
    /// All as they were last saved, by name.
    fn last_saved(&self) -> Task<'_, Result<Vec<SavedDesktop>, StoreError>>;
    /// The newest revisions of a desktop, the newest first, at most `limit`; deleted or not.
    fn revisions<'a>(
        &'a self,
        id: &'a DesktopId,
        limit: u32,
    ) -> Task<'a, Result<Vec<SavedDesktop>, StoreError>>;
    /// One revision of a desktop.
    fn revision<'a>(
        &'a self,
        id: &'a DesktopId,
        revision: i64,
    ) -> Task<'a, Result<Option<SavedDesktop>, StoreError>>;
    /// Who saved which desktop that is not deleted while it sent to which host, from all revisions.
    fn host_editors(&self) -> Task<'_, Result<BTreeSet<HostEditor>, StoreError>>;
    /// Hosts that a second person approved, by authority.
    fn approved_hosts(&self) -> Task<'_, Result<Vec<HostApproval>, StoreError>>;
    /// Widgets of all desktops that have a password.
    fn widgets_with_password(&self) -> Task<'_, Result<Vec<WidgetId>, StoreError>>;
    /// What is stored for a widget's gateway, opened, and the gateway as it is stored, both of one revision. Nothing for a widget that is gone.
    fn gateway_credentials<'a>(
        &'a self,
        widget: &'a WidgetId,
    ) -> Task<'a, Result<StoredCredentials, StoreError>>;
    /// Secrets of a desktop's gateways that have a value.
    fn secrets_set<'a>(
        &'a self,
        desktop: &'a DesktopId,
    ) -> Task<'a, Result<SecretsSet, StoreError>>;
    /// Widgets that have a password, with the time at which it was set.
    fn passwords_set<'a>(
        &'a self,
        desktop: &'a DesktopId,
    ) -> Task<'a, Result<Vec<(WidgetId, crate::time::UnixMillis)>, StoreError>>;
}

/// Designer desktops.
pub trait Designs: Send + Sync {
    /// All, by name.
    fn designs(&self) -> Task<'_, Result<Vec<DesignerDesktop>, StoreError>>;
    /// One.
    fn design<'a>(
        &'a self,
        id: &'a DesignId,
    ) -> Task<'a, Result<Option<DesignerDesktop>, StoreError>>;
    /// The newest revisions of a design, the newest first, at most `limit`; deleted or not.
    fn design_revisions<'a>(
        &'a self,
        id: &'a DesignId,
        limit: u32,
    ) -> Task<'a, Result<Vec<SavedDesign>, StoreError>>;
    /// One revision of a design.
    fn design_revision<'a>(
        &'a self,
        id: &'a DesignId,
        revision: i64,
    ) -> Task<'a, Result<Option<SavedDesign>, StoreError>>;
}

/// Services and settings.
pub trait Services: Sounds {
    /// All, by name.
    fn services(&self) -> Task<'_, Result<Vec<Service>, StoreError>>;
    /// One.
    fn service<'a>(&'a self, id: &'a ServiceId) -> Task<'a, Result<Option<Service>, StoreError>>;
    /// System settings.
    fn settings(&self) -> Task<'_, Result<Settings, StoreError>>;
    /// Routing numbers that are refused.
    fn refused_routings(&self) -> Task<'_, Result<RefusedRoutings, StoreError>>;
    /// The table of bank names; none: it still has the revision that the caller knows.
    fn banks_since(&self, known: i64) -> Task<'_, Result<Option<BankTable>, StoreError>>;
}

/// Who has payments: what a reader can choose from.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Takers {
    /// Users, by login name.
    pub agents: Vec<(UserId, String)>,
    /// Desktops, by name.
    pub desktops: Vec<(DesktopId, String)>,
}

/// The ledger.
pub trait Payments: Send + Sync {
    /// One attempt.
    fn payment<'a>(
        &'a self,
        attempt: &'a AttemptId,
    ) -> Task<'a, Result<Option<Payment>, StoreError>>;
    /// Those that fit, the newest first, older than the place `after`, at most `limit`.
    fn payments<'a>(
        &'a self,
        filter: &'a LedgerFilter,
        after: Option<&'a LedgerPlace>,
        limit: u32,
    ) -> Task<'a, Result<Vec<LedgerRow>, StoreError>>;
    /// What somebody says of an attempt, while nobody has confirmed it.
    fn proposal<'a>(
        &'a self,
        attempt: &'a AttemptId,
    ) -> Task<'a, Result<Option<Proposal>, StoreError>>;
    /// What was done with an attempt's payment afterwards, the first one first.
    fn follow_ups<'a>(
        &'a self,
        attempt: &'a AttemptId,
    ) -> Task<'a, Result<Vec<FollowUp>, StoreError>>;
    /// Follow-ups left in intent or sent, the oldest first.
    fn unfinished_follow_ups(&self) -> Task<'_, Result<Vec<FollowUp>, StoreError>>;
    /// Those that fit, counted up to `most`.
    fn count<'a>(
        &'a self,
        filter: &'a LedgerFilter,
        most: u32,
    ) -> Task<'a, Result<u32, StoreError>>;
    /// Users and desktops that have payments.
    fn takers(&self) -> Task<'_, Result<Takers, StoreError>>;
    /// Attempts left in intent or sent: what the reconciler looks at after a start.
    fn unfinished(&self) -> Task<'_, Result<Vec<Payment>, StoreError>>;
}

/// The audit trail.
pub trait AuditTrail: Send + Sync {
    /// Those that fit, the newest first, before the position `before` (exclusive; 0: from the newest), at most `limit`.
    fn entries<'a>(
        &'a self,
        filter: &'a TrailFilter,
        before: i64,
        limit: u32,
    ) -> Task<'a, Result<Vec<ChainedEntry>, StoreError>>;
    /// Those of some time, the oldest first, after the position `after` (exclusive), at most `limit`.
    fn documents(
        &self,
        at: std::ops::Range<crate::time::UnixMillis>,
        after: i64,
        limit: u32,
    ) -> Task<'_, Result<Vec<ChainedDocument>, StoreError>>;
    /// Those about any of these objects, the oldest first, at most `limit`.
    fn about<'a>(
        &'a self,
        objects: &'a [String],
        limit: u32,
    ) -> Task<'a, Result<Vec<ChainedEntry>, StoreError>>;
    /// Those about an object as a reader can prove them, the oldest first, at most `limit`.
    fn documents_about<'a>(
        &'a self,
        object: &'a str,
        limit: u32,
    ) -> Task<'a, Result<Vec<ChainedDocument>, StoreError>>;
    /// Recomputes every chain; the first entry that does not fit, if any.
    fn verify(&self) -> Task<'_, Result<Option<ChainedEntry>, StoreError>>;
}

/// Signs what leaves as evidence, with keys that follow from the master keys.
pub trait EvidenceKeys: Send + Sync {
    /// A JSON Web Signature of it (RFC 7515, flattened JSON, EdDSA with Ed25519), by the newest key.
    ///
    /// # Errors
    /// There is no master key at hand.
    fn sign(&self, evidence: &Evidence) -> Result<String, StoreError>;
    /// The public keys as a JSON Web Key Set (RFC 7517, RFC 8037), one of each master key, the newest last.
    ///
    /// # Errors
    /// There is no master key at hand.
    fn public_keys(&self) -> Result<serde_json::Value, StoreError>;
}

// ---------------------------------------------------------------- web <-> calls

/// What an agent's page can do with calls and captures.
pub trait CaptureDesk: PairingDesk + DialDesk + NumberDesk + QueueDesk {
    /// The agent's calls, newest first; ended ones for as long as their capture is open.
    fn calls<'a>(&'a self, actor: &'a Actor) -> Task<'a, Result<Vec<CallView>, DeskError>>;
    /// Ends a call.
    fn hang_up<'a>(&'a self, actor: &'a Actor, call: &'a CallId)
    -> Task<'a, Result<(), DeskError>>;
    /// This is known of a call's consumer, audited by the names of what is known: the call's agent tells it, or whoever may tell of any call.
    fn tell_consumer<'a>(
        &'a self,
        actor: &'a Actor,
        call: &'a CallId,
        consumer: Consumer,
    ) -> Task<'a, Result<(), DeskError>>;
    /// Does something with a call that both have answered; the call as it is then.
    fn control<'a>(
        &'a self,
        actor: &'a Actor,
        call: &'a CallId,
        control: CallControl,
    ) -> Task<'a, Result<CallView, DeskError>>;
    /// Whom a call of the agent's can be transferred to: the other agents whose phones are registered, by name.
    fn transfer_targets(
        &self,
        actor: &Actor,
        call: &CallId,
    ) -> Result<Vec<TransferTarget>, DeskError>;
    /// Opens a widget on a connected call.
    fn open<'a>(
        &'a self,
        actor: &'a Actor,
        call: &'a CallId,
        widget: &'a WidgetId,
    ) -> Task<'a, Result<CaptureView, DeskError>>;
    /// A capture as it is now.
    fn capture<'a>(
        &'a self,
        actor: &'a Actor,
        capture: &'a CaptureId,
    ) -> Task<'a, Result<CaptureView, DeskError>>;
    /// Does something with a capture.
    fn act<'a>(
        &'a self,
        actor: &'a Actor,
        capture: &'a CaptureId,
        action: CaptureAction,
    ) -> Task<'a, Result<CaptureView, DeskError>>;
    /// Process Payment. The same key yields the same attempt.
    fn process<'a>(
        &'a self,
        actor: &'a Actor,
        capture: &'a CaptureId,
        form: PaymentForm,
        idempotency_key: String,
    ) -> Task<'a, Result<CaptureView, DeskError>>;
    /// The text that is read out before a debit of this form; with `agreed` the customer has agreed to it, audited.
    fn read_out<'a>(
        &'a self,
        actor: &'a Actor,
        capture: &'a CaptureId,
        form: PaymentForm,
        agreed: bool,
    ) -> Task<'a, Result<ReadOut, DeskError>>;
    /// Whether the agent takes calls.
    fn availability(&self, actor: &Actor) -> Availability;
    /// The agent chose to take calls, or not to. It holds until the agent chooses anew, or the server ends.
    fn set_availability(&self, actor: &Actor, wish: Wish) -> Availability;
    /// Agents who have a capture open on this desktop, as it was configured when they opened it.
    fn capturing(&self, desktop: &DesktopId) -> Vec<UserId>;
    /// Everybody's open captures, and attempts that closed ones have used up on running calls; the oldest call first.
    fn live<'a>(&'a self, actor: &'a Actor) -> Task<'a, Result<Vec<LiveCapture>, DeskError>>;
    /// Gives the attempts of a widget kind on a call back, audited (S14).
    fn reset_attempts<'a>(
        &'a self,
        actor: &'a Actor,
        call: &'a CallId,
        kind: WidgetKind,
    ) -> Task<'a, Result<(), DeskError>>;
    /// A validated Basic value, audited: ASCII digits. The buffer wipes itself.
    fn reveal<'a>(
        &'a self,
        actor: &'a Actor,
        capture: &'a CaptureId,
        field: Field,
    ) -> Task<'a, Result<SecretBuffer, DeskError>>;
}

/// What an agent does with an open capture.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize, utoipa::ToSchema,
)]
#[serde(
    rename_all = "snake_case",
    tag = "do",
    content = "field",
    deny_unknown_fields
)]
pub enum CaptureAction {
    /// This field listens (Next, Back, a click on a row). A half-keyed field that is left is wiped.
    Listen(Field),
    /// No field listens (the agent is on another tab).
    Rest,
    /// "Capture again": the field is wiped and listens, as a new attempt.
    Recapture(Field),
    /// "Not available" (O1 optional).
    NotAvailable(Field),
    /// "Customer is speaking the number": nobody hears the customer until [`CaptureAction::CustomerSpoke`] (S13).
    CustomerSpeaking,
    /// The customer has stopped speaking the number.
    CustomerSpoke,
    /// "Keep open": another session limit from now.
    KeepOpen,
    /// "Try again" after blocked, not sent or a final outcome.
    TryAgain,
    /// Basic: values are wiped; recorders stay paused until [`CaptureAction::ConfirmGone`].
    Done,
    /// Basic: the value is gone from every other window; recorders resume.
    ConfirmGone,
    /// The same person is still on the line: the capture goes on where it was (S39).
    SamePerson,
    /// Somebody else is on the line: everything is wiped.
    OtherPerson,
    /// Ends the capture, wipes everything, leaves the mask, resumes recorders.
    Cancel,
    /// Takes a finished capture off the screen.
    Close,
}

/// Who gets a live event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Audience {
    /// One user's pages.
    User(UserId),
    /// Everyone who has a right.
    Holders(Permission),
    /// Everyone who is logged in.
    Everyone,
}

/// A live event. Its body holds no digit.
#[derive(Debug, Clone, PartialEq)]
pub struct LiveEvent {
    /// For whom.
    pub audience: Audience,
    /// "call", "capture", "desktop", "payment", "registration".
    pub topic: &'static str,
    /// A view in JSON.
    pub body: serde_json::Value,
}

/// Where live events go. Must not block; a slow page loses its place and reloads.
pub trait Bus: Send + Sync {
    /// Hands an event to all pages that may see it.
    fn publish(&self, event: LiveEvent);
}
