//! Unknown outcomes that a restart left, and their gateways are asked.
//! Owns: which attempts, how often and for how long, and what is written of an answer.
//! Never: sends a charge, asks what changes one, or settles an attempt that somebody has settled.

use std::sync::Arc;
use std::time::Duration;

use domain::access::Actor;
use domain::audit::{AuditAction, AuditEntry};
use domain::boundary::{
    Answer, Audited, Change, Desktops, Operation, PaymentGateway, Payments, Store, StoreError,
};
use domain::gateway::{Once, OperationKind};
use domain::id::AttemptId;
use domain::payment::{AttemptState, LedgerFilter, Outcome, Payment, PaymentOutput, Standing};
use domain::time::{UnixMillis, WallClock};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use crate::configuration::Configuration;

/// How long after an attempt began its gateway is asked: what it does not know by then, two people find in its report.
const ASKED_FOR: Duration = Duration::from_secs(3_600);

/// Before the second time; each further pause is twice as long (SCALE 3.6).
const FIRST_PAUSE: Duration = Duration::from_secs(5);

/// Most times that one attempt is asked about. With pauses of 5 s x 2^n the tenth is 43 minutes after the first.
const TIMES_MAX: u32 = 10;

/// Attempts that are asked about, the newest first. More are lost at once only where the network is, and people settle the rest.
const ATTEMPTS_MAX: u32 = 500;

/// Requests at a time: a gateway that has just lost answers is not pressed.
const AT_ONCE_MAX: usize = 4;

/// What asking needs.
pub struct Asking {
    /// Where an answer is recorded.
    pub store: Arc<dyn Store>,
    /// The ledger.
    pub payments: Arc<dyn Payments>,
    /// Credentials of gateways.
    pub desktops: Arc<dyn Desktops>,
    /// What widgets say of their gateways now.
    pub configuration: Arc<Configuration>,
    /// Who asks.
    pub gateway: Arc<dyn PaymentGateway>,
    /// Wall-clock time.
    pub clock: Arc<dyn WallClock>,
}

impl Asking {
    /// Asks about every attempt of the last hour whose outcome is unknown and whose widget says how, until all are settled or out of time. Yields how many were
    /// settled.
    ///
    /// # Errors
    /// The ledger cannot be read.
    pub async fn run(self) -> Result<usize, StoreError> {
        let earliest = self.clock.now().0.saturating_sub(millis(ASKED_FOR));
        let filter = LedgerFilter {
            from: Some(UnixMillis(earliest)),
            standing: Some(Standing::Unknown),
            ..LedgerFilter::default()
        };
        let unknown = self.payments.payments(&filter, None, ATTEMPTS_MAX).await?;
        let (run, free) = (Arc::new(self), Arc::new(Semaphore::new(AT_ONCE_MAX)));
        let mut asking = JoinSet::new();
        for row in unknown {
            let (run, free) = (run.clone(), free.clone());
            asking.spawn(async move { run.until_known(row.payment, &free).await });
        }
        let mut settled = 0;
        while let Some(ended) = asking.join_next().await {
            settled += usize::from(ended.unwrap_or(false));
        }
        Ok(settled)
    }

    /// Whether the gateway's answer settled it.
    async fn until_known(&self, payment: Payment, free: &Semaphore) -> bool {
        let mut pause = FIRST_PAUSE;
        for _ in 0..TIMES_MAX {
            let Ok(turn) = free.acquire().await else {
                return false;
            };
            let asked = self.once(&payment).await;
            drop(turn);
            match asked {
                Asked::Settled => return true,
                Asked::Over => return false,
                Asked::Unknown => {}
            }
            let next = self.clock.now().0.saturating_add(millis(pause));
            if next > payment.created_at.0.saturating_add(millis(ASKED_FOR)) {
                return false;
            }
            tokio::time::sleep(pause).await;
            pause *= 2;
        }
        false
    }

    async fn once(&self, payment: &Payment) -> Asked {
        if !self.is_unknown(&payment.attempt).await {
            return Asked::Over;
        }
        let operation = match self.inquiry(payment).await {
            Ok(Some(operation)) => operation,
            Ok(None) => return Asked::Over,
            Err(error) => {
                tracing::warn!(%error, "the credentials of a gateway cannot be read, or are for another host; it is asked later");
                return Asked::Unknown;
            }
        };
        let Ok(ready) = self.gateway.connect_operation(operation).await else {
            return Asked::Unknown;
        };
        match ready.send().await {
            Ok(answer) if answer.verdict.outcome != Outcome::Unknown => {
                self.settle(payment, answer).await
            }
            Ok(_) | Err(_) => Asked::Unknown,
        }
    }

    /// A ledger that does not answer is asked again.
    async fn is_unknown(&self, attempt: &AttemptId) -> bool {
        let unknown = AttemptState::Final(Outcome::Unknown);
        match self.payments.payment(attempt).await {
            Ok(Some(payment)) => payment.state == unknown,
            Ok(None) => false,
            Err(_) => true,
        }
    }

    /// What is asked; none: the widget is gone, or does not say how, or nothing was charged that an inquiry could be about.
    async fn inquiry(&self, payment: &Payment) -> Result<Option<Operation>, StoreError> {
        let kind = OperationKind::Inquire;
        if payment.only_stores() {
            return Ok(None);
        }
        let snapshot = self.configuration.current();
        let Some(widget) = snapshot.widget(&payment.widget) else {
            return Ok(None);
        };
        let Some(mut gateway) = widget.gateway.clone() else {
            return Ok(None);
        };
        if gateway.more.recovery.operation() != Some(kind) {
            return Ok(None);
        }
        let variables = &snapshot.settings.response_variables;
        let _of_the_sale = variables.restrict(&mut gateway);
        let stored = self.desktops.gateway_credentials(&widget.id).await?;
        if !stored.are_for(&gateway) {
            return Err(StoreError::Conflict);
        }
        Ok(Some(Operation {
            kind,
            once: Once::of_operation(&payment.attempt, kind, self.clock.now()),
            attempt: payment.attempt.clone(),
            reference: payment.reference.clone(),
            amount: payment.amount,
            arrangement: None,
            outputs: payment.outputs.clone(),
            password: stored.password,
            secrets: stored.secrets,
            gateway,
        }))
    }

    /// Records what the gateway said, unless somebody has settled it meanwhile. What one person has said of it falls away with that, and the entry says so.
    async fn settle(&self, payment: &Payment, answer: Answer) -> Asked {
        let outcome = answer.verdict.outcome;
        let standing = self.payments.proposal(&payment.attempt).await;
        let at = self.clock.now();
        let object = format!("payment {}", payment.reference);
        let mut entry = AuditEntry::new(at, &Actor::system(), AuditAction::ChargeEnded, object)
            .with("attempt", payment.attempt.as_str())
            .with("outcome", outcome.label())
            .with("why", "asked the gateway");
        if let Ok(Some(proposal)) = standing {
            let said = Outcome::from(proposal.outcome);
            entry = entry
                .with("fell_away", said.label())
                .with("proposed_by", proposal.by_name.as_str());
        }
        let outputs = answer.outputs.into_iter();
        let outputs = outputs.map(|(name, value)| PaymentOutput { name, value });
        let change = Change::MovePayment {
            attempt: payment.attempt.clone(),
            from: AttemptState::Final(Outcome::Unknown),
            to: AttemptState::Final(outcome),
            message: answer.message,
            outputs: outputs.collect(),
            at,
        };
        match self.store.commit(Audited { change, entry }).await {
            Ok(_) => Asked::Settled,
            Err(StoreError::Conflict) => Asked::Over,
            Err(error) => {
                tracing::warn!(%error, "what a gateway said of an unknown outcome could not be recorded; it is asked again");
                Asked::Unknown
            }
        }
    }
}

/// What came of asking once.
enum Asked {
    /// The outcome is known now.
    Settled,
    /// There is nothing more to ask.
    Over,
    /// It is still unknown.
    Unknown,
}

fn millis(time: Duration) -> i64 {
    i64::try_from(time.as_millis()).unwrap_or(i64::MAX)
}
