//! One attempt to charge, from intent to outcome.
//! Owns: the order intent -> sent -> first byte -> outcome (I4), independent of what becomes of the call.
//! Never: sends twice, or sends what it could not record.

use std::sync::Arc;
use std::time::Duration;

use domain::access::Actor;
use domain::audit::{AuditAction, AuditEntry};
use domain::boundary::{
    Answer, Audited, Change, Charge, NotSent, PaymentGateway, Store, StoreError,
};
use domain::gateway::NotSentReason;
use domain::payment::{AttemptState, Payment};
use domain::time::WallClock;
use secret::Slot;
use tokio::sync::mpsc;

/// The outcome of a sent charge is offered to a failing store for this long; the attempt then stays `sent` and reads as unknown after the next start.
const OUTCOME_RETRY_MAX: Duration = Duration::from_secs(60);

/// Pause between two tries.
const OUTCOME_RETRY_PAUSE: Duration = Duration::from_millis(500);

/// Reports of one charge: sent, then its end. Two fit.
pub(crate) const PROGRESS_MAX: usize = 2;

/// What a charge reports to its call, if that still listens.
pub(crate) enum Progress {
    /// The first byte is about to leave.
    Sent,
    /// Nothing left; the digits come back.
    NotSent(NotSentReason, Option<Slot>),
    /// The gateway answered, or did not.
    Answered(Answer),
}

/// What a charge needs.
pub(crate) struct ChargeRun {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) gateway: Arc<dyn PaymentGateway>,
    pub(crate) clock: Arc<dyn WallClock>,
    pub(crate) actor: Actor,
    pub(crate) payment: Payment,
    pub(crate) progress: mpsc::Sender<Progress>,
}

impl ChargeRun {
    /// Runs to the end. The call may be gone long before.
    pub(crate) async fn run(self, charge: Charge) {
        let report = self.attempt(charge).await;
        let _gone = self.progress.send(report).await;
    }

    /// Ends before anything was recorded: the digits go back.
    pub(crate) async fn refuse(self, reason: NotSentReason, slot: Slot) {
        let _gone = self
            .progress
            .send(Progress::NotSent(reason, Some(slot)))
            .await;
    }

    async fn attempt(&self, charge: Charge) -> Progress {
        let object = format!("payment {}", self.payment.reference);
        let entry = AuditEntry::new(
            self.clock.now(),
            &self.actor,
            AuditAction::ChargeIntended,
            object,
        )
        .with("attempt", self.payment.attempt.as_str())
        .with("amount", self.payment.amount.to_string());
        let intent = Audited {
            change: Change::InsertPayment(self.payment.clone()),
            entry,
        };
        if let Err(error) = self.store.commit(intent).await {
            tracing::error!(%error, "a charge could not be recorded and was not sent");
            return Progress::NotSent(NotSentReason::Ledger, Some(charge.slot));
        }
        let ready = match self.gateway.connect(charge).await {
            Ok(ready) => ready,
            Err(not_sent) => return self.not_sent(AttemptState::Intent, not_sent).await,
        };
        if let Err(error) = self
            .advance(AttemptState::Intent, AttemptState::Sent, "")
            .await
        {
            tracing::error!(%error, "a charge could not be recorded as sent and was not sent");
            return Progress::NotSent(NotSentReason::Ledger, Some(ready.abandon().slot));
        }
        let _gone = self.progress.send(Progress::Sent).await;
        match ready.send().await {
            Ok(answer) => self.answered(answer).await,
            Err(not_sent) => self.not_sent(AttemptState::Sent, not_sent).await,
        }
    }

    async fn answered(&self, answer: Answer) -> Progress {
        let to = AttemptState::Final(answer.verdict.outcome);
        if answer.verdict.alarm {
            tracing::error!(
                status = answer.status,
                "alarm: a gateway refused a request; look at its configuration"
            );
        }
        self.advance_surely(AttemptState::Sent, to, &answer.message)
            .await;
        Progress::Answered(answer)
    }

    async fn not_sent(&self, from: AttemptState, not_sent: NotSent) -> Progress {
        tracing::warn!(reason = ?not_sent.reason, detail = not_sent.detail, "a charge was not sent");
        self.advance_surely(from, AttemptState::NotSent(not_sent.reason), "")
            .await;
        Progress::NotSent(not_sent.reason, Some(not_sent.charge.slot))
    }

    async fn advance_surely(&self, from: AttemptState, to: AttemptState, message: &str) {
        let give_up = tokio::time::Instant::now() + OUTCOME_RETRY_MAX;
        loop {
            match self.advance(from, to, message).await {
                Ok(()) => return,
                Err(error) if error.is_retryable() && tokio::time::Instant::now() < give_up => {
                    tokio::time::sleep(OUTCOME_RETRY_PAUSE).await;
                }
                Err(error) => {
                    tracing::error!(%error, "alarm: the outcome of a charge could not be recorded");
                    return;
                }
            }
        }
    }

    async fn advance(
        &self,
        from: AttemptState,
        to: AttemptState,
        message: &str,
    ) -> Result<(), StoreError> {
        let at = self.clock.now();
        let (action, outcome) = match to {
            AttemptState::Final(outcome) => (AuditAction::ChargeEnded, outcome.label()),
            AttemptState::NotSent(_) => (AuditAction::ChargeEnded, "not_sent"),
            AttemptState::Intent | AttemptState::Sent => (AuditAction::ChargeSent, "sent"),
        };
        let object = format!("payment {}", self.payment.reference);
        let entry = AuditEntry::new(at, &self.actor, action, object).with("outcome", outcome);
        let attempt = self.payment.attempt.clone();
        let change = Change::MovePayment {
            attempt,
            from,
            to,
            message: message.to_owned(),
            at,
        };
        self.store.commit(Audited { change, entry }).await.map(drop)
    }
}
