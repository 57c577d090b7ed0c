//! What the API answers when it refuses.
//! Owns: the closed list of kinds of problems: URI, title, what to do.
//! Never: carries a detail of a request; shells add those, free of secrets, and the finer code and status of each case (`docs/errors.md`).

/// A kind of refusal ([RFC 9457 §3.1](https://www.rfc-editor.org/rfc/rfc9457#section-3.1)).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ProblemCode {
    /// The request cannot be read.
    Malformed,
    /// A needed Idempotency-Key is missing or unusable.
    IdempotencyKey,
    /// Nobody is logged in.
    NotLoggedIn,
    /// User name, password or code is wrong.
    LoginFailed,
    /// The account is locked.
    LoginLocked,
    /// The password must be changed first.
    PasswordChangeNeeded,
    /// The second factor must be set up first.
    SecondFactorNeeded,
    /// The request does not come from our page.
    CrossSite,
    /// A right is missing.
    Forbidden,
    /// A gate is shut (SETTLED S2).
    GateShut,
    /// No such thing, or not this user's.
    NotFound,
    /// The path does not take this method.
    MethodNotAllowed,
    /// The capture's state does not allow this.
    WrongState,
    /// The button is disabled.
    ButtonDisabled,
    /// Someone else saved meanwhile.
    ChangedMeanwhile,
    /// A name is taken.
    NameTaken,
    /// It is still used.
    InUse,
    /// The body is too large.
    TooLarge,
    /// The body's content type is not taken.
    UnsupportedType,
    /// The configuration has errors.
    InvalidConfiguration,
    /// The payment form has errors.
    InvalidForm,
    /// The new password breaks a rule.
    InvalidPassword,
    /// Too many requests.
    TooManyRequests,
    /// Something failed on our side.
    Internal,
    /// The server is at its limit.
    Busy,
    /// The audit trail or ledger cannot be written.
    Unrecordable,
    /// A recording's file cannot be read.
    RecordingUnreadable,
    /// The database does not answer.
    StoreUnavailable,
}

/// One row of the list.
struct Row {
    code: ProblemCode,
    word: &'static str,
    title: &'static str,
    advice: &'static str,
}

const fn row(
    code: ProblemCode,
    word: &'static str,
    title: &'static str,
    advice: &'static str,
) -> Row {
    Row {
        code,
        word,
        title,
        advice,
    }
}

use ProblemCode as Code;

/// The list.
#[rustfmt::skip]
const ROWS: [Row; 28] = [
    row(Code::Malformed, "malformed", "The request cannot be read",
        "Send what the OpenAPI document at /api/v1/openapi.json describes; the detail names the place."),
    row(Code::IdempotencyKey, "idempotency_key", "An Idempotency-Key is needed",
        "Send the header Idempotency-Key with 16 to 64 letters, digits, dashes or underscores: a new one for each press of Process Payment."),
    row(Code::NotLoggedIn, "not_logged_in", "Nobody is logged in",
        "Log in and repeat the request."),
    row(Code::LoginFailed, "login_failed", "User name, password or code is wrong",
        "Check them and try again; after 10 failures the account is locked for 30 minutes."),
    row(Code::LoginLocked, "login_locked", "The account is locked",
        "Wait 30 minutes, or ask an administrator to confirm who you are and unlock it."),
    row(Code::PasswordChangeNeeded, "password_change_needed", "The password must be changed first",
        "Choose a new password; everything else opens afterwards."),
    row(Code::SecondFactorNeeded, "second_factor_needed", "The second factor must be set up first",
        "Set up an authenticator app; everything else opens afterwards."),
    row(Code::CrossSite, "cross_site", "The request does not come from this server's page",
        "Reload the page and try again; programs send the header X-Tonewall-Csrf with the value of their login."),
    row(Code::Forbidden, "forbidden", "You do not have the right to do this",
        "The detail names the right; ask whoever manages users for it."),
    row(Code::GateShut, "gate_shut", "This payment cannot be started",
        "The detail names the gate: the system switch, the desktop, the widget's Enabled box, or your right to capture."),
    row(Code::NotFound, "not_found", "There is no such thing",
        "Check the identifier. What belongs to someone else is answered in the same way."),
    row(Code::MethodNotAllowed, "method_not_allowed", "This path does not take that method",
        "Use one of the methods in the header Allow."),
    row(Code::WrongState, "wrong_state", "Not possible in the present state",
        "Read the capture again; it has moved on, or this step comes later."),
    row(Code::ButtonDisabled, "button_disabled", "The capture cannot be opened now",
        "The detail says why: the call is not connected or on hold, another capture is open, recorders are not declared, or the gateway's host is not approved."),
    row(Code::ChangedMeanwhile, "changed_meanwhile", "Someone else saved meanwhile",
        "Load it again, make your change again, save."),
    row(Code::NameTaken, "name_taken", "The name is taken",
        "Choose another name."),
    row(Code::InUse, "in_use", "It is still used",
        "The detail says by what; change that first."),
    row(Code::TooLarge, "too_large", "The request is too large",
        "Send less; the limits are in the OpenAPI document."),
    row(Code::UnsupportedType, "unsupported_type", "The content type is not taken",
        "Send application/json."),
    row(Code::InvalidConfiguration, "invalid_configuration", "The configuration has errors",
        "Each entry of errors names a field and what would be right. Nothing was saved."),
    row(Code::InvalidForm, "invalid_form", "The form has errors",
        "Each entry of errors names a value and what would be right. Nothing was charged."),
    row(Code::InvalidPassword, "invalid_password", "The new password cannot be used",
        "At least 12 characters with letters and digits, and none of the last four."),
    row(Code::TooManyRequests, "too_many_requests", "Too many requests",
        "Wait for as long as the header Retry-After says."),
    row(Code::Internal, "internal", "Something failed on the server",
        "Try again; if it stays, give your administrator the time and the path of the request."),
    row(Code::Busy, "busy", "The server is busy",
        "Try again in a few seconds."),
    row(Code::Unrecordable, "unrecordable", "This cannot be recorded now, so it was not done",
        "Tell your administrator: the audit trail or the ledger cannot be written. Nothing was charged."),
    row(Code::RecordingUnreadable, "recording_unreadable", "The recording cannot be read",
        "The detail names the server that keeps it, the key that is missing, or what is wrong with its file."),
    row(Code::StoreUnavailable, "store_unavailable", "The database does not answer",
        "Try again in a few seconds; if it stays, tell your administrator."),
];

/// A code that the list does not know; no test passes while there is one.
const UNLISTED: Row = row(
    Code::Internal,
    "internal",
    "Something failed on the server",
    "",
);

impl ProblemCode {
    /// All, in the order of the list.
    pub fn all() -> impl Iterator<Item = Self> {
        ROWS.iter().map(|row| row.code)
    }

    fn row(self) -> &'static Row {
        ROWS.iter()
            .find(|row| row.code == self)
            .unwrap_or(&UNLISTED)
    }

    /// The problem's type: a path that the server also serves as text.
    #[must_use]
    pub fn path(self) -> String {
        format!("/problems/{}", self.word().replace('_', "-"))
    }

    /// Its word, as in metrics.
    #[must_use]
    pub fn word(self) -> &'static str {
        self.row().word
    }

    /// What happened, in English.
    #[must_use]
    pub fn title(self) -> &'static str {
        self.row().title
    }

    /// What to do, in English.
    #[must_use]
    pub fn advice(self) -> &'static str {
        self.row().advice
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_problem_is_listed_once_with_all_its_texts() {
        let words: BTreeSet<_> = ProblemCode::all().map(ProblemCode::word).collect();
        let codes: BTreeSet<_> = ProblemCode::all().collect();
        assert_eq!((words.len(), codes.len()), (ROWS.len(), ROWS.len()));
        // The last variant's place is the number of variants less one: none is missing from the list.
        assert_eq!(ProblemCode::StoreUnavailable as usize + 1, ROWS.len());
        for code in ProblemCode::all() {
            assert!(!code.title().is_empty() && !code.advice().is_empty());
            assert!(code.path().starts_with("/problems/"));
        }
    }
}
