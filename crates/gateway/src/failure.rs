//! Why a charge was not sent.
//! Owns: a reason and a sentence free of secrets.
//! Never: holds what a person keyed or typed.

use domain::boundary::{Charge, NotSent, Operation};
use domain::gateway::NotSentReason;

/// A failure before the first byte; it becomes a [`NotSent`] with the charge.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Failure {
    /// Why.
    pub(crate) reason: NotSentReason,
    /// For the log and the administrator.
    pub(crate) detail: String,
}

impl Failure {
    /// A failure with its sentence.
    pub(crate) fn new(reason: NotSentReason, detail: impl Into<String>) -> Self {
        Self {
            reason,
            detail: detail.into(),
        }
    }

    /// The request cannot be made from the configuration.
    pub(crate) fn render(detail: impl Into<String>) -> Self {
        Self::new(NotSentReason::Render, detail)
    }

    /// The same, and where it happened.
    pub(crate) fn within(self, place: &str) -> Self {
        let detail = format!("{place}: {}", self.detail);
        Self { detail, ..self }
    }

    /// The reason for which nothing was asked.
    pub(crate) fn of_operation(self, operation: &Operation) -> NotSentReason {
        tracing::info!(
            attempt = operation.attempt.as_str(),
            operation = operation.kind.as_str(),
            reason = ?self.reason,
            detail = self.detail,
            "operation not sent"
        );
        self.reason
    }

    /// Hands the charge back.
    pub(crate) fn with(self, charge: Charge) -> NotSent {
        tracing::info!(
            attempt = charge.attempt.as_str(),
            reason = ?self.reason,
            detail = self.detail,
            "charge not sent"
        );
        NotSent {
            reason: self.reason,
            detail: self.detail,
            charge,
        }
    }
}
