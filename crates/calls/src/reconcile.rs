//! What a restart left open in the ledger.
//! Owns: attempts found in intent or sent at the start.
//! Never: sends anything: an attempt that may have left is unknown until a person or the gateway says otherwise (I4).

use domain::access::Actor;
use domain::audit::{AuditAction, AuditEntry};
use domain::boundary::{Audited, Change, Payments, Store, StoreError};
use domain::gateway::NotSentReason;
use domain::payment::{AttemptState, Outcome, Payment};
use domain::time::UnixMillis;

/// Closes every open attempt: `sent` becomes unknown, `intent` becomes not sent, for `sent` is committed before the first byte leaves. Yields how many.
///
/// # Errors
/// The store cannot be read or written; what was closed stays closed.
pub async fn close_open_attempts(
    payments: &dyn Payments,
    store: &dyn Store,
    now: UnixMillis,
) -> Result<usize, StoreError> {
    let open = payments.unfinished().await?;
    let mut closed = 0;
    for payment in &open {
        let Some(to) = after_restart(payment.state) else {
            continue;
        };
        match store.commit(closing(payment, to, now)).await {
            Ok(_) => closed += 1,
            Err(StoreError::Conflict) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(closed)
}

/// What an open state becomes; none: it is not open.
pub(crate) fn after_restart(state: AttemptState) -> Option<AttemptState> {
    match state {
        AttemptState::Intent => Some(AttemptState::NotSent(NotSentReason::Busy)),
        AttemptState::Sent => Some(AttemptState::Final(Outcome::Unknown)),
        AttemptState::NotSent(_) | AttemptState::Final(_) => None,
    }
}

fn closing(payment: &Payment, to: AttemptState, now: UnixMillis) -> Audited {
    let outcome = match to {
        AttemptState::Final(outcome) => outcome.label(),
        AttemptState::NotSent(_) | AttemptState::Intent | AttemptState::Sent => "not_sent",
    };
    let object = format!("payment {}", payment.reference);
    let entry = AuditEntry::new(now, &Actor::system(), AuditAction::ChargeEnded, object)
        .with("attempt", payment.attempt.as_str())
        .with("outcome", outcome)
        .with("why", "found open after a restart");
    let change = Change::MovePayment {
        attempt: payment.attempt.clone(),
        from: payment.state,
        to,
        message: String::new(),
        outputs: Vec::new(),
        at: now,
    };
    Audited { change, entry }
}
