//! One attempt to charge, from intent to outcome.
//! Owns: the order intent -> sent -> first byte -> outcome (I4), independent of what becomes of the call.
//! Never: sends twice, or sends what it could not record.

use std::sync::Arc;

use domain::access::Actor;
use domain::audit::{AuditAction, AuditEntry};
use domain::boundary::{
    Answer, Audited, Change, Charge, NotSent, PaymentGateway, Store, StoreError, Task,
};
use domain::gateway::NotSentReason;
use domain::payment::{AttemptState, Outcome, Payment, PaymentOutput};
use domain::time::WallClock;
use secret::Slot;
use tokio::sync::mpsc;

use crate::patience::patiently;

/// Reports of one charge: sent, then its end. Two fit.
pub const PROGRESS_MAX: usize = 2;

/// What a charge reports to its call, if that still listens.
pub enum Progress {
    /// The first byte is about to leave.
    Sent,
    /// Nothing left; the digits come back.
    NotSent(NotSentReason, Option<Slot>),
    /// The gateway answered, or did not.
    Answered(Answer),
}

/// What the ledger keeps of an answer.
#[derive(Clone, Copy)]
struct Kept<'a> {
    message: &'a str,
    outputs: &'a [(String, String)],
}

impl Kept<'_> {
    /// There was none.
    const NOTHING: Self = Self {
        message: "",
        outputs: &[],
    };

    fn outputs(self) -> Vec<PaymentOutput> {
        let each = self.outputs.iter().cloned();
        each.map(|(name, value)| PaymentOutput { name, value })
            .collect()
    }
}

/// Begins the plan of a payment that was approved.
pub type BeginPlan = Arc<dyn Fn(Payment) -> Task<'static, ()> + Send + Sync>;

/// What a charge needs.
pub struct ChargeRun {
    /// Where each step is recorded before the next.
    pub store: Arc<dyn Store>,
    /// Where it goes.
    pub gateway: Arc<dyn PaymentGateway>,
    /// Wall-clock time.
    pub clock: Arc<dyn WallClock>,
    /// Who pressed Process Payment.
    pub actor: Actor,
    /// The attempt, in state intent.
    pub payment: Payment,
    /// Begins what is due later once this is approved, and answers when that is recorded as intended; none: nothing is, or the sale said it.
    pub begin_plan: Option<BeginPlan>,
    /// Towards its call.
    pub progress: mpsc::Sender<Progress>,
}

impl ChargeRun {
    /// Runs to the end, whatever happens on the way. The call may be gone long before.
    pub async fn run(self, charge: Charge) {
        let run = Arc::new(self);
        let attempt = tokio::spawn({
            let run = run.clone();
            async move { run.attempt(charge).await }
        });
        if attempt.await.is_err() {
            run.broke_off().await;
        }
    }

    /// Ends before anything was recorded: the digits go back.
    pub(crate) async fn refuse(self, reason: NotSentReason, slot: Slot) {
        self.report(Progress::NotSent(reason, Some(slot))).await;
    }

    /// The call may be gone.
    async fn report(&self, progress: Progress) {
        let _gone = self.progress.send(progress).await;
    }

    async fn attempt(&self, charge: Charge) {
        let object = format!("payment {}", self.payment.reference);
        let entry = AuditEntry::new(
            self.clock.now(),
            &self.actor,
            AuditAction::ChargeIntended,
            object,
        )
        .with("attempt", self.payment.attempt.as_str())
        .with("amount", self.payment.amount.to_string());
        let today = self.clock.now().latest_day();
        let schedule = self.payment.arrangement.as_ref();
        let schedule = schedule.map(|arrangement| arrangement.schedule(today));
        let entry = match schedule.and_then(|schedule| serde_json::to_value(schedule).ok()) {
            Some(schedule) => entry.with("schedule", schedule),
            None => entry,
        };
        let intent = Audited {
            change: Change::InsertPayment(self.payment.clone()),
            entry,
        };
        if let Err(error) = self.store.commit(intent).await {
            tracing::error!(%error, "a charge could not be recorded and was not sent");
            return self.unrecorded(charge.slot).await;
        }
        let ready = match self.gateway.connect(charge).await {
            Ok(ready) => ready,
            Err(not_sent) => return self.not_sent(AttemptState::Intent, not_sent).await,
        };
        if let Err(error) = self
            .advance(AttemptState::Intent, AttemptState::Sent, Kept::NOTHING)
            .await
        {
            tracing::error!(%error, "a charge could not be recorded as sent and was not sent");
            return self.unrecorded(ready.abandon().slot).await;
        }
        self.report(Progress::Sent).await;
        match ready.send().await {
            Ok(answer) => self.answered(answer).await,
            Err(not_sent) => self.not_sent(AttemptState::Sent, not_sent).await,
        }
    }

    async fn answered(&self, answer: Answer) {
        let to = AttemptState::Final(answer.verdict.outcome);
        if answer.verdict.alarm {
            tracing::error!(
                status = answer.status,
                "alarm: a gateway refused a request; look at its configuration"
            );
        }
        let kept = Kept {
            message: &answer.message,
            outputs: &answer.outputs,
        };
        self.advance_surely(AttemptState::Sent, to, kept).await;
        if let Some(begin_plan) = &self.begin_plan
            && to == AttemptState::Final(Outcome::Approved)
        {
            let taken = Payment {
                state: to,
                outputs: kept.outputs(),
                ..self.payment.clone()
            };
            begin_plan(taken).await;
        }
        self.report(Progress::Answered(answer)).await;
    }

    /// The digits go back first: how long they are kept is counted from now, however long the ledger takes (S10).
    async fn not_sent(&self, from: AttemptState, not_sent: NotSent) {
        tracing::warn!(reason = ?not_sent.reason, detail = not_sent.detail, "a charge was not sent");
        let (reason, slot) = (not_sent.reason, not_sent.charge.slot);
        self.report(Progress::NotSent(reason, Some(slot))).await;
        self.advance_surely(from, AttemptState::NotSent(reason), Kept::NOTHING)
            .await;
    }

    /// The ledger failed before anything left. The digits go back first; then the ledger is told, for the commit that failed may have happened all the
    /// same.
    async fn unrecorded(&self, slot: Slot) {
        self.report(Progress::NotSent(NotSentReason::Ledger, Some(slot)))
            .await;
        let not_sent = AttemptState::NotSent(NotSentReason::Ledger);
        for from in [AttemptState::Intent, AttemptState::Sent] {
            if self.offer(from, not_sent, Kept::NOTHING).await.is_ok() {
                return;
            }
        }
    }

    /// A defect ended the attempt midway. What was recorded as sent may have left and is unknown; nothing else has left, and its digits are wiped.
    async fn broke_off(&self) {
        let attempt = self.payment.attempt.as_str();
        tracing::error!(attempt, "alarm: a charge broke off");
        let unknown = AttemptState::Final(Outcome::Unknown);
        let recorded = self.offer(AttemptState::Sent, unknown, Kept::NOTHING).await;
        // Otherwise, also when the ledger does not answer, the channel closes without a word, and that means unknown.
        if recorded == Err(StoreError::Conflict) {
            let not_sent = AttemptState::NotSent(NotSentReason::Busy);
            if let Err(error) = self
                .offer(AttemptState::Intent, not_sent, Kept::NOTHING)
                .await
            {
                tracing::error!(%error, "a charge that broke off was not in the ledger");
            }
            self.report(Progress::NotSent(NotSentReason::Busy, None))
                .await;
        }
    }

    async fn advance_surely(&self, from: AttemptState, to: AttemptState, kept: Kept<'_>) {
        if let Err(error) = self.offer(from, to, kept).await {
            tracing::error!(%error, "alarm: the outcome of a charge could not be recorded");
        }
    }

    /// Moves the attempt on, with patience for a store that fails.
    async fn offer(
        &self,
        from: AttemptState,
        to: AttemptState,
        kept: Kept<'_>,
    ) -> Result<(), StoreError> {
        patiently(|| self.advance(from, to, kept)).await
    }

    async fn advance(
        &self,
        from: AttemptState,
        to: AttemptState,
        kept: Kept<'_>,
    ) -> Result<(), StoreError> {
        let at = self.clock.now();
        let (action, outcome) = match to {
            AttemptState::Final(outcome) => (AuditAction::ChargeEnded, outcome.label()),
            AttemptState::NotSent(_) => (AuditAction::ChargeEnded, "not_sent"),
            AttemptState::Intent | AttemptState::Sent => (AuditAction::ChargeSent, "sent"),
        };
        let object = format!("payment {}", self.payment.reference);
        let entry = AuditEntry::new(at, &self.actor, action, object)
            .with("attempt", self.payment.attempt.as_str())
            .with("outcome", outcome);
        let attempt = self.payment.attempt.clone();
        let change = Change::MovePayment {
            attempt,
            from,
            to,
            message: kept.message.to_owned(),
            outputs: kept.outputs(),
            at,
        };
        self.store.commit(Audited { change, entry }).await.map(drop)
    }
}
