//! One void, refund, capture or schedule, from intent to outcome.
//! Owns: the order intent -> sent -> first byte -> outcome (I4), whatever becomes of whoever asked for it, and what a restart left open.
//! Never: sends twice, or sends what it could not record.

use std::collections::BTreeSet;
use std::sync::Arc;

use domain::access::Actor;
use domain::audit::AuditAction;
use domain::boundary::{
    Answer, Audience, Audited, Change, FollowUpError, LiveEvent, Operation, PaymentDesk, Payments,
    Store, StoreError, Task,
};
use domain::gateway::{NotSentReason, Once};
use domain::id::FollowUpId;
use domain::payment::follow_up::{
    FollowUp, FollowUpKind, FollowUpMove, FollowUpRefused, Wish, begin,
};
use domain::payment::{AttemptState, Outcome, Payment, PaymentOutput};
use domain::time::UnixMillis;
use domain::widget::Widget;
use tokio::sync::oneshot;

use crate::charge::BeginPlan;
use crate::desk::{Calls, Inner};
use crate::patience::patiently;
use crate::reconcile::after_restart;

impl PaymentDesk for Calls {
    fn configured(&self, payment: &Payment) -> Result<BTreeSet<FollowUpKind>, FollowUpRefused> {
        let widget = self.inner().widget_of(payment)?;
        let gateway = widget.gateway.as_ref();
        let gateway = gateway.ok_or(FollowUpRefused::WidgetGone)?;
        let has = |kind: &FollowUpKind| gateway.of_operation((*kind).into()).is_some();
        Ok(FollowUpKind::ALL.into_iter().filter(has).collect())
    }

    fn follow_up<'a>(
        &'a self,
        actor: &'a Actor,
        payment: &'a Payment,
        follow_up: FollowUp,
    ) -> Task<'a, Result<(), FollowUpError>> {
        Box::pin(async move {
            let inner = self.inner();
            if inner.charges.is_closed() {
                return Err(StoreError::Busy.into());
            }
            inner.start(actor, payment.clone(), follow_up).await
        })
    }
}

/// What a plan that begins by itself is called by whoever asks for it: a payment has one of them.
const FIRST_PLAN_KEY: &str = "plan-of-the-approved-sale";

impl Inner {
    /// What begins the plan of a payment once it is approved; none: the payment has none of its own.
    pub(crate) fn plan_beginner(
        self: &Arc<Self>,
        actor: &Actor,
        payment: &Payment,
    ) -> Option<BeginPlan> {
        let (inner, actor) = (self.clone(), actor.clone());
        payment.has_own_schedule().then(|| -> BeginPlan {
            Arc::new(move |taken| {
                let (inner, actor) = (inner.clone(), actor.clone());
                Box::pin(async move { inner.begin_plan(&actor, taken).await })
            })
        })
    }

    /// Has the gateway set up what a payment that it has just approved leaves to later days, and answers once that is recorded as intended. If it is not, the payment
    /// says that nothing is set up.
    pub(crate) async fn begin_plan(self: &Arc<Self>, actor: &Actor, payment: Payment) {
        let wish = Wish {
            kind: FollowUpKind::Schedule,
            amount: None,
            reason: String::new(),
            key: FIRST_PLAN_KEY.to_owned(),
        };
        let id = FollowUpId::from_random(rand::random());
        let begun = match begin(&payment, &[], actor, id, wish, self.deps.clock.now()) {
            Ok(follow_up) => self.start(actor, payment, follow_up).await,
            Err(refused) => Err(refused.into()),
        };
        if let Err(error) = begun {
            tracing::error!(%error, "alarm: a payment was taken, and its plan was not begun");
        }
    }

    /// Lets a follow-up run beside whoever asked for it, and answers once it is recorded as intended.
    async fn start(
        self: &Arc<Self>,
        actor: &Actor,
        payment: Payment,
        follow_up: FollowUp,
    ) -> Result<(), FollowUpError> {
        let run = Run {
            inner: self.clone(),
            actor: actor.clone(),
            payment,
            follow_up,
        };
        let (told, hears) = oneshot::channel();
        self.charges.spawn(run.run(told));
        hears.await.unwrap_or_else(|_| Err(StoreError::Busy.into()))
    }

    /// The widget that the payment came from, as it is now.
    fn widget_of(&self, payment: &Payment) -> Result<Widget, FollowUpRefused> {
        let snapshot = self.deps.configuration.current();
        let found = snapshot.widget(&payment.widget).cloned();
        found.ok_or(FollowUpRefused::WidgetGone)
    }
}

/// What the ledger keeps of an answer.
#[derive(Default)]
struct Kept {
    message: String,
    outputs: Vec<PaymentOutput>,
}

/// A follow-up on its way.
struct Run {
    inner: Arc<Inner>,
    actor: Actor,
    payment: Payment,
    /// As an intent.
    follow_up: FollowUp,
}

type Told = oneshot::Sender<Result<(), FollowUpError>>;

impl Run {
    /// Runs to the end, whatever happens on the way.
    async fn run(self, told: Told) {
        let run = Arc::new(self);
        let work = tokio::spawn({
            let run = run.clone();
            async move { run.work(told).await }
        });
        if work.await.is_err() {
            run.broke_off().await;
        }
    }

    async fn work(&self, told: Told) {
        let (operation, shows_message) = match self.operation().await {
            Ok(made) => made,
            Err(error) => {
                told.send(Err(error)).ok();
                return;
            }
        };
        if let Err(error) = self.record_intent().await {
            told.send(Err(error.clone().into())).ok();
            // The commit that failed may have happened all the same.
            if error.is_retryable() {
                self.unrecorded(&[AttemptState::Intent]).await;
            }
            return;
        }
        told.send(Ok(())).ok();
        self.tell_pages();
        let gateway = &self.inner.deps.gateway;
        let ready = match gateway.connect_operation(operation).await {
            Ok(ready) => ready,
            Err(reason) => return self.not_sent(AttemptState::Intent, reason).await,
        };
        let nothing = Kept::default();
        let sent = self.advance(AttemptState::Intent, AttemptState::Sent, &nothing);
        if let Err(error) = sent.await {
            tracing::error!(%error, "a follow-up could not be recorded as sent and was not sent");
            drop(ready);
            return self
                .unrecorded(&[AttemptState::Intent, AttemptState::Sent])
                .await;
        }
        self.tell_pages();
        match ready.send().await {
            Ok(answer) => self.answered(answer, shows_message).await,
            Err(reason) => self.not_sent(AttemptState::Sent, reason).await,
        }
    }

    /// What the gateway is asked, and whether its message may be shown (S19).
    async fn operation(&self) -> Result<(Operation, bool), FollowUpError> {
        let deps = &self.inner.deps;
        let widget = self.inner.widget_of(&self.payment)?;
        let mut gateway = widget.gateway.clone().ok_or(FollowUpRefused::WidgetGone)?;
        let kind = self.follow_up.kind.into();
        let request = gateway.of_operation(kind);
        let mut request = request.ok_or(FollowUpRefused::NotConfigured)?;
        let keys = request.more.message_keys.len();
        let variables = &deps.configuration.current().settings.response_variables;
        let shows_message =
            variables.restrict(&mut request) && request.more.message_keys.len() == keys;
        gateway.more.cases.clear();
        let stored = deps.desktops.gateway_credentials(&widget.id).await?;
        if !stored.are_for(&gateway) {
            return Err(StoreError::Conflict.into());
        }
        let operation = Operation {
            kind,
            attempt: self.payment.attempt.clone(),
            reference: self.payment.reference.clone(),
            amount: self.follow_up.amount,
            arrangement: self.payment.arrangement.clone(),
            outputs: self.payment.outputs.clone(),
            gateway,
            password: stored.password,
            secrets: stored.secrets,
            once: Once::from_random(deps.clock.now(), rand::random()),
        };
        Ok((operation, shows_message))
    }

    async fn record_intent(&self) -> Result<(), StoreError> {
        let at = self.follow_up.created_at;
        let action = AuditAction::FollowUpIntended;
        let reference = &self.payment.reference;
        let entry = self.follow_up.entry(at, &self.actor, action, reference);
        let entry = entry
            .with("amount", self.follow_up.amount.to_string())
            .with("minor", self.follow_up.amount.minor)
            .with("reason", self.follow_up.reason.as_str());
        let change = Change::InsertFollowUp(self.follow_up.clone());
        let audited = Audited { change, entry };
        self.inner.deps.store.commit(audited).await.map(drop)
    }

    async fn answered(&self, answer: Answer, shows_message: bool) {
        if answer.verdict.alarm {
            tracing::error!(
                status = answer.status,
                "alarm: a gateway refused a follow-up; look at its configuration"
            );
        }
        let outputs = answer.outputs.into_iter();
        let kept = Kept {
            message: match shows_message {
                true => answer.message,
                false => String::new(),
            },
            outputs: outputs
                .map(|(name, value)| PaymentOutput { name, value })
                .collect(),
        };
        let to = AttemptState::Final(answer.verdict.outcome);
        self.end(AttemptState::Sent, to, &kept).await;
    }

    async fn not_sent(&self, from: AttemptState, reason: NotSentReason) {
        tracing::warn!(?reason, "a follow-up was not sent");
        let to = AttemptState::NotSent(reason);
        self.end(from, to, &Kept::default()).await;
    }

    async fn end(&self, from: AttemptState, to: AttemptState, kept: &Kept) {
        if let Err(error) = patiently(|| self.advance(from, to, kept)).await {
            tracing::error!(%error, "alarm: the outcome of a follow-up could not be recorded");
        }
        self.tell_pages();
    }

    /// The ledger failed before anything left; it stands in one of these states, or is not there.
    async fn unrecorded(&self, states: &[AttemptState]) {
        let not_sent = AttemptState::NotSent(NotSentReason::Ledger);
        for from in states {
            let nothing = Kept::default();
            if patiently(|| self.advance(*from, not_sent, &nothing))
                .await
                .is_ok()
            {
                break;
            }
        }
        self.tell_pages();
    }

    /// A defect ended it midway. What was recorded as sent may have left and is unknown; nothing else has left.
    async fn broke_off(&self) {
        let follow_up = self.follow_up.id.as_str();
        tracing::error!(follow_up, "alarm: a follow-up broke off");
        let nothing = Kept::default();
        for (from, to) in [
            (AttemptState::Sent, AttemptState::Final(Outcome::Unknown)),
            (
                AttemptState::Intent,
                AttemptState::NotSent(NotSentReason::Busy),
            ),
        ] {
            match patiently(|| self.advance(from, to, &nothing)).await {
                Err(StoreError::Conflict) => {}
                Err(error) => {
                    tracing::error!(%error, "alarm: a follow-up that broke off could not be recorded");
                }
                Ok(()) => break,
            }
        }
        self.tell_pages();
    }

    async fn advance(
        &self,
        from: AttemptState,
        to: AttemptState,
        kept: &Kept,
    ) -> Result<(), StoreError> {
        let at = self.inner.deps.clock.now();
        let mut moved = moved(&self.follow_up, &self.payment, &self.actor, (from, to), at);
        if let Change::MoveFollowUp(step) = &mut moved.change {
            step.message.clone_from(&kept.message);
            step.outputs.clone_from(&kept.outputs);
        }
        self.inner.deps.store.commit(moved).await.map(drop)
    }

    /// The agent who took the payment and everyone who sees the ledger read it again.
    fn tell_pages(&self) {
        let body = serde_json::to_value(&self.payment).unwrap_or_default();
        for audience in Audience::of_payment(&self.payment) {
            self.inner.deps.bus.publish(LiveEvent {
                audience,
                topic: "payment",
                body: body.clone(),
            });
        }
    }
}

/// A move, and what the trail says of it.
fn moved(
    follow_up: &FollowUp,
    payment: &Payment,
    actor: &Actor,
    (from, to): (AttemptState, AttemptState),
    at: UnixMillis,
) -> Audited {
    let (action, outcome) = match to {
        AttemptState::Final(outcome) => (AuditAction::FollowUpEnded, outcome.label()),
        AttemptState::NotSent(_) => (AuditAction::FollowUpEnded, "not_sent"),
        AttemptState::Intent | AttemptState::Sent => (AuditAction::FollowUpSent, "sent"),
    };
    let entry = follow_up.entry(at, actor, action, &payment.reference);
    Audited {
        change: Change::MoveFollowUp(FollowUpMove {
            id: follow_up.id.clone(),
            from,
            to,
            message: String::new(),
            outputs: Vec::new(),
            at,
        }),
        entry: entry.with("outcome", outcome),
    }
}

/// Closes every follow-up that a restart left open, as attempts are closed: `sent` becomes unknown, `intent` becomes not sent. Yields how many.
///
/// # Errors
/// The store cannot be read or written; what was closed stays closed.
pub async fn close_open_follow_ups(
    payments: &dyn Payments,
    store: &dyn Store,
    now: UnixMillis,
) -> Result<usize, StoreError> {
    let mut closed = 0;
    for follow_up in payments.unfinished_follow_ups().await? {
        let payment = payments.payment(&follow_up.attempt).await?;
        let (Some(payment), Some(to)) = (payment, after_restart(follow_up.state)) else {
            continue;
        };
        let step = (follow_up.state, to);
        let mut closing = moved(&follow_up, &payment, &Actor::system(), step, now);
        closing.entry = closing.entry.with("why", "found open after a restart");
        match store.commit(closing).await {
            Ok(_) => closed += 1,
            Err(StoreError::Conflict) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(closed)
}
