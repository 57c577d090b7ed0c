//! Errors as the API answers them (RFC 9457).
//! Owns: the codes, their status and title; the form of the body.
//! Never: quotes what was sent, or tells what went wrong inside.

use axum::Json;
use axum::http::header::{CONTENT_TYPE, RETRY_AFTER};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use domain::access::Denied;
use domain::boundary::StoreError;
use domain::capture::VelocityLimit;
use domain::gate::Gate;
use domain::outbound::DialRefusal;
use domain::problem::ProblemCode;
use domain::view::{ButtonDisabled, DeskError};
use serde::Serialize;

/// Seconds after which a busy server may be asked again.
const BUSY_RETRY_S: u64 = 2;

macro_rules! codes {
    ($($(#[doc = $doc:literal])* $name:ident = $code:tt, $status:ident, $kind:ident, $title:literal;)*) => {
        /// What can go wrong, as one word that a page can act on.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, utoipa::ToSchema)]
        pub(crate) enum Code {
            $($(#[doc = $doc])* #[serde(rename = $code)] $name,)*
        }

        impl Code {
            /// All of them, as docs/errors.md lists them.
            #[cfg(test)]
            const ALL: &[(Self, &str)] = &[$((Self::$name, $code),)*];

            pub(crate) fn status(self) -> StatusCode {
                match self { $(Self::$name => StatusCode::$status,)* }
            }

            /// The kind of problem, which says what to do.
            fn kind(self) -> ProblemCode {
                match self { $(Self::$name => ProblemCode::$kind,)* }
            }

            fn title(self) -> &'static str {
                match self { $(Self::$name => $title,)* }
            }
        }
    };
}

codes! {
    /// No or an ended login.
    NotLoggedIn = "not_logged_in", UNAUTHORIZED, NotLoggedIn, "Sign in first";
    /// Wrong user name or password, or a disabled account.
    LoginFailed = "login_failed", UNAUTHORIZED, LoginFailed, "User name or password is wrong";
    /// Ten failures.
    AccountLocked = "account_locked", LOCKED, LoginLocked, "Too many failed attempts; try again in 30 minutes or ask an administrator";
    /// This browser was idle.
    IdleLocked = "idle_locked", LOCKED, NotLoggedIn, "This browser is locked; enter the password";
    /// First use, or reset by an administrator.
    PasswordChangeRequired = "password_change_required", FORBIDDEN, PasswordChangeNeeded, "Change the password first";
    /// Administrators and those who see card numbers.
    SecondFactorNeeded = "second_factor_needed", FORBIDDEN, SecondFactorNeeded, "Set up the second factor first";
    /// No or another token.
    Csrf = "csrf", FORBIDDEN, CrossSite, "The request carries no valid X-Tonewall-CSRF header";
    /// From a page that is not ours.
    ForeignOrigin = "foreign_origin", FORBIDDEN, CrossSite, "The request does not come from this server's page";
    /// The Host header does not name us.
    UnknownHost = "unknown_host", MISDIRECTED_REQUEST, CrossSite, "This server is not known under that name";
    /// No role has the right.
    NotPermitted = "not_permitted", FORBIDDEN, Forbidden, "You do not have the right to do this";
    /// Gate 1.
    GateSystemSwitch = "gate_system_switch", FORBIDDEN, GateShut, "Secure Payment Capture is switched off";
    /// Gate 2.
    GateNoWidget = "gate_no_widget", FORBIDDEN, GateShut, "This desktop has no such widget";
    /// Gate 3.
    GateWidgetDisabled = "gate_widget_disabled", FORBIDDEN, GateShut, "The widget is not enabled";
    /// Gate 4.
    GateNotPermitted = "gate_not_permitted", FORBIDDEN, GateShut, "You do not have the right to start this capture";
    /// Or not to be seen by this user.
    NotFound = "not_found", NOT_FOUND, NotFound, "There is no such thing";
    /// Another method would do.
    MethodNotAllowed = "method_not_allowed", METHOD_NOT_ALLOWED, MethodNotAllowed, "This address does not take that method";
    /// Not JSON, or of the wrong form.
    BadBody = "bad_body", BAD_REQUEST, Malformed, "The body cannot be read";
    /// A query parameter.
    BadQuery = "bad_query", BAD_REQUEST, Malformed, "A parameter of the address cannot be read";
    /// Missing or malformed.
    IdempotencyKey = "idempotency_key", BAD_REQUEST, IdempotencyKey, "The header Idempotency-Key is missing or has not 16 to 64 letters, digits, '-' or '_'";
    /// Not application/json.
    MediaType = "media_type", UNSUPPORTED_MEDIA_TYPE, UnsupportedType, "The body must be application/json";
    /// Too large.
    TooLarge = "too_large", PAYLOAD_TOO_LARGE, TooLarge, "The body is too large";
    /// Came too slowly.
    TooSlow = "too_slow", REQUEST_TIMEOUT, Malformed, "The body came too slowly";
    /// Some fields are wrong.
    Invalid = "invalid", UNPROCESSABLE_ENTITY, InvalidConfiguration, "Some fields are wrong";
    /// Some values of a payment are wrong.
    InvalidForm = "invalid_form", UNPROCESSABLE_ENTITY, InvalidForm, "Some values are wrong";
    /// Two people are needed.
    SecondPerson = "second_person", FORBIDDEN, Forbidden, "A second person confirms this";
    /// Saved by someone else meanwhile.
    Conflict = "conflict", CONFLICT, ChangedMeanwhile, "It was changed meanwhile; reload it";
    /// A name or number.
    Taken = "taken", CONFLICT, NameTaken, "It is taken";
    /// Cannot be deleted.
    InUse = "in_use", CONFLICT, InUse, "It is still in use";
    /// The call is not connected.
    CallNotConnected = "call_not_connected", CONFLICT, ButtonDisabled, "The call is not connected";
    /// On hold.
    CallOnHold = "call_on_hold", CONFLICT, ButtonDisabled, "The call is on hold";
    /// Only one at a time.
    CaptureOpen = "capture_open", CONFLICT, ButtonDisabled, "Another capture is open";
    /// S21.
    RecordersUndeclared = "recorders_undeclared", CONFLICT, ButtonDisabled, "The service has not declared its recorders";
    /// Its service records all calls or none.
    NotOnDemand = "not_on_demand", CONFLICT, ButtonDisabled, "This call is not recorded on demand";
    /// S4.
    HostNotApproved = "host_not_approved", CONFLICT, ButtonDisabled, "The gateway's host is not approved";
    /// One that rings already, or none that rings.
    Transfer = "transfer", CONFLICT, WrongState, "Not possible with the transfer as it stands";
    /// On a call, or without a phone.
    AgentNotFree = "agent_not_free", CONFLICT, WrongState, "The agent is not free";
    /// The detail says whose it is.
    CallTaken = "call_taken", CONFLICT, WrongState, "Another agent has this call";
    /// One at a time.
    AgentHasCall = "agent_has_call", CONFLICT, WrongState, "The agent has another call";
    /// Its service does not do so, or not for this agent.
    NotPaired = "not_paired", CONFLICT, WrongState, "Calls are not given to this agent in this way";
    /// `Retry-After` says when the first will be free.
    NumbersReserved = "numbers_reserved", SERVICE_UNAVAILABLE, Busy, "All numbers of this service's pool are reserved, or rest";
    /// Nobody listens to themselves.
    OwnCall = "own_call", CONFLICT, WrongState, "This is your own call";
    /// One at a time.
    ListensAlready = "listens_already", CONFLICT, WrongState, "You listen to a call already";
    /// Four.
    ListenersFull = "listeners_full", CONFLICT, WrongState, "As many people listen to this call as may";
    /// A capture is open, or the whole call is protected.
    CallProtected = "call_protected", CONFLICT, WrongState, "Nobody joins a call while it is protected";
    /// None of 2 to 18 digits.
    NumberMalformed = "number_malformed", UNPROCESSABLE_ENTITY, InvalidForm, "This is no telephone number";
    /// 13 to 19 digits that pass the check of cards.
    NumberIsCard = "number_is_card", UNPROCESSABLE_ENTITY, InvalidForm, "This may be a card number; it is not called. Take it from the customer's keys";
    /// No pattern of a service has it.
    NumberNotAllowed = "number_not_allowed", FORBIDDEN, Forbidden, "This number is not called from here";
    /// None has a way out.
    CallsOutOff = "calls_out_off", CONFLICT, WrongState, "No service calls out for this agent";
    /// Neither registered nor on in the page.
    AgentNoPhone = "agent_no_phone", CONFLICT, WrongState, "The agent has no phone that can be called: turn the one in the page on, or register one";
    /// Not in this state.
    WrongState = "wrong_state", CONFLICT, WrongState, "Not possible in this state";
    /// One tab has it.
    PhoneElsewhere = "phone_elsewhere", CONFLICT, WrongState, "The phone is not on in this tab";
    /// No text of SDP, or not of what was offered.
    PhoneDescription = "phone_description", UNPROCESSABLE_ENTITY, InvalidForm, "The browser's description of its audio cannot be taken";
    /// No port for browsers.
    PhoneUnavailable = "phone_unavailable", CONFLICT, WrongState, "This server takes no calls in browsers; the key media.browser_port says where it would";
    /// Too many failures from one address.
    TooManyFailures = "too_many_failures", TOO_MANY_REQUESTS, TooManyRequests, "Too many failed logins from this address";
    /// Event streams of one user.
    TooManyStreams = "too_many_streams", TOO_MANY_REQUESTS, TooManyRequests, "Too many open pages";
    /// Gateway tests of one user.
    TooManyTests = "too_many_tests", TOO_MANY_REQUESTS, TooManyRequests, "Too many gateway tests; wait a moment";
    /// S20.
    NotRecorded = "not_recorded", CONFLICT, WrongState, "The customer's consent has to be recorded, and nothing confirms that this call is";
    /// S20.
    NotAgreed = "not_agreed", CONFLICT, WrongState, "The customer has not agreed to this debit; read the text out";
    /// Nothing of it can be heard or deleted yet.
    RecordingRuns = "recording_runs", CONFLICT, WrongState, "The call is still being recorded";
    /// Its scan found what should not be in it.
    RecordingQuarantined = "recording_quarantined", CONFLICT, RecordingUnreadable, "The scan of this recording found keys, or sound in a pause";
    /// Or no longer.
    ScreenNotShared = "screen_not_shared", CONFLICT, WrongState, "The screen is not shared";
    /// To be acknowledged first.
    ScreenPausing = "screen_pausing", CONFLICT, WrongState, "The recording of the screen is to be paused";
    /// What was recorded meanwhile is not taken.
    ScreenPaused = "screen_paused", CONFLICT, WrongState, "The recording of the screen is paused";
    /// Nothing to do.
    ScreenRepeated = "screen_repeated", CONFLICT, WrongState, "This came already";
    /// Out of order, at a wrong time, empty, or too much.
    ScreenRefused = "screen_refused", CONFLICT, WrongState, "This is not what was to come of the screen";
    /// The detail names it; put it back into the key file.
    RecordingKeyMissing = "recording_key_missing", CONFLICT, RecordingUnreadable, "The key that opens this recording is not at hand";
    /// No file, damaged, or kept elsewhere.
    RecordingUnreadable = "recording_unreadable", CONFLICT, RecordingUnreadable, "The recording cannot be read";
    /// The disk.
    RecordingUnavailable = "recording_unavailable", SERVICE_UNAVAILABLE, RecordingUnreadable, "The recording cannot be reached now";
    /// Behind the end.
    BadRange = "bad_range", RANGE_NOT_SATISFIABLE, Malformed, "There are no such bytes";
    /// Payments of one call.
    TooManyOnCall = "too_many_on_call", TOO_MANY_REQUESTS, TooManyRequests, "Not charged: too many payments were tried on this call";
    /// Payments of one agent.
    TooManyByAgent = "too_many_by_agent", TOO_MANY_REQUESTS, TooManyRequests, "Not charged: too many payments were tried from this desk within a minute";
    /// Payments with one card or account.
    TooManyOfAccount = "too_many_of_account", TOO_MANY_REQUESTS, TooManyRequests, "Not charged: this card or account was tried too often within ten minutes";
    /// Come again.
    Busy = "busy", SERVICE_UNAVAILABLE, Busy, "The server is busy";
    /// No audit, no act.
    Unrecordable = "unrecordable", SERVICE_UNAVAILABLE, Unrecordable, "This cannot be recorded now, so it was not done";
    /// The database does not answer.
    StoreUnavailable = "store_unavailable", SERVICE_UNAVAILABLE, StoreUnavailable, "The database does not answer";
    /// A defect.
    Internal = "internal", INTERNAL_SERVER_ERROR, Internal, "Something failed inside the server";
}

/// One field that is wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub(crate) struct FieldProblem {
    /// Its path: "title", "widgets[0].gateway.service_url".
    pub(crate) field: String,
    /// What would be right.
    pub(crate) message: String,
}

/// A refusal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Problem {
    pub(crate) code: Code,
    detail: String,
    errors: Vec<FieldProblem>,
    retry_after_s: Option<u64>,
}

/// Its body.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = Problem)]
pub(crate) struct ProblemBody {
    /// The kind of problem: a path of this server that says what to do. One kind may have several codes.
    r#type: String,
    /// The code in a sentence.
    title: &'static str,
    /// HTTP status.
    status: u16,
    /// This case in a sentence.
    detail: String,
    /// The problem in a word.
    code: Code,
    /// What to do.
    advice: &'static str,
    /// The fields that are wrong, in the order of the form.
    errors: Vec<FieldProblem>,
}

impl Problem {
    /// With the title as detail.
    pub(crate) fn new(code: Code) -> Self {
        let busy = code.status() == StatusCode::SERVICE_UNAVAILABLE;
        Self {
            code,
            detail: code.title().to_owned(),
            errors: Vec::new(),
            retry_after_s: busy.then_some(BUSY_RETRY_S),
        }
    }

    pub(crate) fn detail(mut self, detail: impl Into<String>) -> Self {
        self.detail = detail.into();
        self
    }

    pub(crate) fn retry_after(mut self, seconds: u64) -> Self {
        self.retry_after_s = Some(seconds);
        self
    }

    /// Wrong fields.
    pub(crate) fn invalid(errors: Vec<FieldProblem>) -> Self {
        Self {
            errors,
            ..Self::new(Code::Invalid)
        }
    }

    /// One wrong field.
    pub(crate) fn field(field: impl Into<String>, message: impl Into<String>) -> Self {
        Self::invalid(vec![FieldProblem {
            field: field.into(),
            message: message.into(),
        }])
    }

    /// This case in a sentence, for an answer that is none.
    pub(crate) fn into_detail(self) -> String {
        self.detail
    }

    /// The wrong fields.
    #[cfg(test)]
    pub(crate) fn errors(self) -> Vec<FieldProblem> {
        self.errors
    }

    /// Adds wrong fields to another code.
    pub(crate) fn with(mut self, errors: Vec<FieldProblem>) -> Self {
        self.errors = errors;
        self
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = self.code.status();
        let body = ProblemBody {
            r#type: self.code.kind().path(),
            title: self.code.title(),
            status: status.as_u16(),
            detail: self.detail,
            code: self.code,
            advice: self.code.kind().advice(),
            errors: self.errors,
        };
        let mut response = (status, Json(body)).into_response();
        let headers = response.headers_mut();
        headers.insert(
            CONTENT_TYPE,
            HeaderValue::from_static("application/problem+json"),
        );
        if let Some(seconds) = self.retry_after_s {
            headers.insert(RETRY_AFTER, seconds.into());
        }
        response
    }
}

impl From<Code> for Problem {
    fn from(code: Code) -> Self {
        Self::new(code)
    }
}

impl From<Denied> for Problem {
    fn from(denied: Denied) -> Self {
        match denied {
            Denied::NeedsPermission(_) => Self::new(Code::NotPermitted).detail(denied.to_string()),
            Denied::NotYours => Self::new(Code::NotFound),
        }
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        match &error {
            StoreError::Conflict => Self::new(Code::Conflict),
            StoreError::Taken(_) => Self::new(Code::Taken).detail(error.to_string()),
            StoreError::InUse(_) => Self::new(Code::InUse).detail(error.to_string()),
            StoreError::LastSecurityAdmin => Self::field("roles", error.to_string()),
            StoreError::Busy => Self::new(Code::Busy),
            StoreError::Unavailable(_) => {
                tracing::error!(%error, "store");
                Self::new(Code::StoreUnavailable)
            }
            StoreError::Corrupt { .. } => {
                tracing::error!(%error, "store");
                Self::new(Code::Internal)
            }
        }
    }
}

impl From<DeskError> for Problem {
    fn from(error: DeskError) -> Self {
        let code = match error {
            DeskError::NotFound => Code::NotFound,
            DeskError::Gate(gate) => gate_code(gate),
            DeskError::Disabled(reason) => disabled_code(reason),
            DeskError::NotOnDemand => Code::NotOnDemand,
            DeskError::Transfer => Code::Transfer,
            DeskError::AgentNotFree => Code::AgentNotFree,
            DeskError::CallTaken(agent) => {
                return Self::new(Code::CallTaken).detail(format!("This call is with {agent}"));
            }
            DeskError::AgentHasCall => Code::AgentHasCall,
            DeskError::Dial(DialRefusal::NoService) => Code::CallsOutOff,
            DeskError::Dial(DialRefusal::NotAllowed) => Code::NumberNotAllowed,
            DeskError::Dial(DialRefusal::NoPhone) => Code::AgentNoPhone,
            DeskError::NotPaired => Code::NotPaired,
            DeskError::NumbersReserved(after) => return crate::api::numbers::exhausted(after),
            DeskError::WrongState(state) => {
                return Self::new(Code::WrongState).detail(format!(
                    "Not possible while the capture is {}",
                    state.label()
                ));
            }
            DeskError::Form(errors) => {
                let errors = errors.into_iter();
                return Self::new(Code::InvalidForm).with(
                    errors
                        .map(|(field, message)| FieldProblem { field, message })
                        .collect(),
                );
            }
            DeskError::NotRecorded => Code::NotRecorded,
            DeskError::NotAgreed => Code::NotAgreed,
            DeskError::TooManyCharges(limit) => {
                let problem = Self::new(velocity_code(limit));
                return problem.retry_after(limit.window().as_secs());
            }
            DeskError::Busy => Code::Busy,
            DeskError::Unrecordable => Code::Unrecordable,
        };
        Self::new(code)
    }
}

fn gate_code(gate: Gate) -> Code {
    match gate {
        Gate::SystemSwitch => Code::GateSystemSwitch,
        Gate::NoWidget => Code::GateNoWidget,
        Gate::WidgetDisabled => Code::GateWidgetDisabled,
        Gate::NotPermitted => Code::GateNotPermitted,
    }
}

fn velocity_code(limit: VelocityLimit) -> Code {
    match limit {
        VelocityLimit::Call => Code::TooManyOnCall,
        VelocityLimit::Agent => Code::TooManyByAgent,
        VelocityLimit::Account => Code::TooManyOfAccount,
    }
}

fn disabled_code(reason: ButtonDisabled) -> Code {
    match reason {
        ButtonDisabled::NotConnected => Code::CallNotConnected,
        ButtonDisabled::OnHold => Code::CallOnHold,
        ButtonDisabled::CaptureOpen => Code::CaptureOpen,
        ButtonDisabled::RecordersUndeclared => Code::RecordersUndeclared,
        ButtonDisabled::HostNotApproved => Code::HostNotApproved,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    /// The page docs/errors.md.
    fn page() -> String {
        let mut page = String::from(
            "# What the API answers when it refuses\n\nMade from `web::problem` and `domain::problem` by a test; `UPDATE=1 cargo test -p tonewall-web errors` writes it anew. Answers are `application/problem+json`: `code` is the case in a word, `type` the path of its kind, which this server also serves as text; one kind may have several codes. `detail` says what is particular, `errors` names the fields that are wrong.\n\n| Code | Status | Type | What happened | What to do |\n|---|---|---|---|---|\n",
        );
        for (code, word) in Code::ALL {
            page += &format!(
                "| `{word}` | {} | `{}` | {} | {} |\n",
                code.status().as_u16(),
                code.kind().path(),
                code.title(),
                code.kind().advice()
            );
        }
        page
    }

    #[test]
    fn the_page_on_errors_lists_every_code() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/errors.md");
        if std::env::var_os("UPDATE").is_some() {
            std::fs::write(path, page()).unwrap();
        }
        assert!(
            std::fs::read_to_string(path).unwrap_or_default() == page(),
            "docs/errors.md is out of date; run UPDATE=1 cargo test -p tonewall-web errors"
        );
    }

    #[test]
    fn every_code_is_one_word_and_a_refusal() {
        let words: BTreeSet<_> = Code::ALL.iter().map(|(_, word)| word).collect();
        assert_eq!(words.len(), Code::ALL.len());
        for (code, _) in Code::ALL {
            assert!(code.status().is_client_error() || code.status().is_server_error());
        }
    }
}
