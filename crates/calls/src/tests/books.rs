//! A ledger and a trail in memory.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use domain::boundary::*;
use domain::id::AttemptId;
use domain::payment::follow_up::{FollowUp, FollowUpMove};
use domain::payment::resolution::Proposal;
use domain::payment::{
    AttemptState, LedgerFilter, LedgerPlace, LedgerRow, Outcome, Payment, Standing,
};

/// What a slow store takes.
pub(super) const SLOW_COMMIT: Duration = Duration::from_millis(300);

/// What the ledger and the gateway did, in order.
pub(super) type Journal = Arc<Mutex<Vec<&'static str>>>;

/// Says of a commit that it finds the store down.
pub(super) type Down = fn(&Audited) -> bool;

/// A ledger and a trail in memory.
#[derive(Default)]
pub(super) struct Books {
    pub(super) journal: Journal,
    /// Which commits find the store down.
    pub(super) down: Mutex<Option<Down>>,
    pub(super) payments: Mutex<Vec<Payment>>,
    /// What somebody has said of every attempt.
    pub(super) said: Mutex<Option<Proposal>>,
    pub(super) follow_ups: Mutex<Vec<FollowUp>>,
    pub(super) entries: Mutex<Vec<domain::audit::AuditEntry>>,
    /// Every commit takes a while.
    pub(super) is_slow: AtomicBool,
    /// Commits that move a payment to `sent` fail.
    pub(super) refuses_sent: AtomicBool,
}

impl Books {
    fn note_move(&self, to: AttemptState) {
        self.journal.lock().unwrap().push(match to {
            AttemptState::Sent => "sent",
            AttemptState::NotSent(_) => "not sent",
            AttemptState::Intent | AttemptState::Final(_) => "final",
        });
    }

    fn move_follow_up(&self, step: &FollowUpMove) -> Result<(), StoreError> {
        let mut follow_ups = self.follow_ups.lock().unwrap();
        let mut all = follow_ups.iter_mut();
        let is_there = |one: &&mut FollowUp| one.id == step.id && one.state == step.from;
        let moved = all.find(is_there).ok_or(StoreError::Conflict)?;
        moved.state = step.to;
        moved.message.clone_from(&step.message);
        moved.outputs.clone_from(&step.outputs);
        Ok(())
    }
}

impl Store for Books {
    fn commit(&self, audited: Audited) -> Task<'_, Result<i64, StoreError>> {
        Box::pin(async move {
            if self.is_slow.load(Ordering::SeqCst) {
                tokio::time::sleep(SLOW_COMMIT).await;
            }
            if self.down.lock().unwrap().is_some_and(|down| down(&audited)) {
                return Err(StoreError::Unavailable("test".to_owned()));
            }
            let mut payments = self.payments.lock().unwrap();
            match audited.change {
                Change::InsertPayment(payment) => {
                    self.journal.lock().unwrap().push("intent");
                    payments.push(payment);
                }
                Change::MovePayment {
                    attempt,
                    from,
                    to,
                    outputs,
                    ..
                } => {
                    if to == AttemptState::Sent && self.refuses_sent.load(Ordering::SeqCst) {
                        return Err(StoreError::Corrupt {
                            what: "ledger",
                            why: "test".to_owned(),
                        });
                    }
                    let moved = payments
                        .iter_mut()
                        .find(|payment| payment.attempt == attempt && payment.state == from)
                        .ok_or(StoreError::Conflict)?;
                    moved.state = to;
                    moved.outputs = outputs;
                    self.note_move(to);
                }
                Change::InsertFollowUp(follow_up) => {
                    self.journal.lock().unwrap().push("intent");
                    self.follow_ups.lock().unwrap().push(follow_up);
                }
                Change::MoveFollowUp(step) => {
                    self.move_follow_up(&step)?;
                    self.note_move(step.to);
                }
                _ => {}
            }
            self.entries.lock().unwrap().push(audited.entry);
            Ok(1)
        })
    }
}

impl Payments for Books {
    fn payment<'a>(
        &'a self,
        attempt: &'a AttemptId,
    ) -> Task<'a, Result<Option<Payment>, StoreError>> {
        let payments = self.payments.lock().unwrap();
        let found = payments.iter().find(|payment| payment.attempt == *attempt);
        let found = found.cloned();
        Box::pin(async move { Ok(found) })
    }

    fn payments<'a>(
        &'a self,
        filter: &'a LedgerFilter,
        _: Option<&'a LedgerPlace>,
        _: u32,
    ) -> Task<'a, Result<Vec<LedgerRow>, StoreError>> {
        let unknown = AttemptState::Final(Outcome::Unknown);
        let fits = |payment: &&Payment| {
            (filter.standing != Some(Standing::Unknown) || payment.state == unknown)
                && filter.from.is_none_or(|from| payment.created_at >= from)
        };
        let payments = self.payments.lock().unwrap();
        let rows = payments.iter().filter(fits).map(|payment| LedgerRow {
            aftermath: domain::payment::follow_up::Aftermath::default(),
            payment: payment.clone(),
            plan: None,
            proposal: None,
        });
        let rows = rows.collect();
        Box::pin(async move { Ok(rows) })
    }

    fn proposal<'a>(&'a self, _: &'a AttemptId) -> Task<'a, Result<Option<Proposal>, StoreError>> {
        let said = self.said.lock().unwrap().clone();
        Box::pin(async move { Ok(said) })
    }

    fn follow_ups<'a>(&'a self, _: &'a AttemptId) -> Task<'a, Result<Vec<FollowUp>, StoreError>> {
        unreachable!("whoever asks for one has read them")
    }

    fn unfinished_follow_ups(&self) -> Task<'_, Result<Vec<FollowUp>, StoreError>> {
        Box::pin(async {
            let follow_ups = self.follow_ups.lock().unwrap();
            Ok(follow_ups
                .iter()
                .filter(|one| one.is_open())
                .cloned()
                .collect())
        })
    }

    fn count<'a>(&'a self, _: &'a LedgerFilter, _: u32) -> Task<'a, Result<u32, StoreError>> {
        Box::pin(async { Ok(0) })
    }

    fn takers(&self) -> Task<'_, Result<Takers, StoreError>> {
        Box::pin(async { Ok(Takers::default()) })
    }

    fn unfinished(&self) -> Task<'_, Result<Vec<Payment>, StoreError>> {
        Box::pin(async {
            let payments = self.payments.lock().unwrap();
            let open = |payment: &&Payment| {
                matches!(payment.state, AttemptState::Intent | AttemptState::Sent)
            };
            Ok(payments.iter().filter(open).cloned().collect())
        })
    }
}
