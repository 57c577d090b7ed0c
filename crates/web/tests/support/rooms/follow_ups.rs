//! What is done with payments afterwards: recorded, and left there.

use std::collections::BTreeSet;

use domain::access::Actor;
use domain::audit::AuditAction;
use domain::boundary::{Audited, Change, FollowUpError, PaymentDesk, Store, StoreError, Task};
use domain::id::AttemptId;
use domain::payment::Payment;
use domain::payment::follow_up::{FollowUp, FollowUpKind, FollowUpRefused};

use super::Rooms;

impl Rooms {
    pub(super) fn of_attempt(&self, attempt: &AttemptId) -> Vec<FollowUp> {
        let follow_ups = self.follow_ups.lock().unwrap();
        let own = follow_ups.iter().filter(|one| one.attempt == *attempt);
        own.cloned().collect()
    }

    pub(super) fn apply_to_follow_up(&self, change: Change) -> Result<i64, StoreError> {
        let mut follow_ups = self.follow_ups.lock().unwrap();
        match change {
            Change::InsertFollowUp(new) => {
                let is_taken = |one: &FollowUp| {
                    one.attempt == new.attempt
                        && (one.number == new.number || one.key == new.key || one.is_open())
                };
                if follow_ups.iter().any(is_taken) {
                    return Err(StoreError::Conflict);
                }
                follow_ups.push(new);
            }
            Change::MoveFollowUp(step) => {
                let found = follow_ups.iter_mut().find(|one| one.id == step.id);
                let found = found.filter(|one| one.state == step.from);
                found.ok_or(StoreError::Conflict)?.state = step.to;
            }
            _ => {}
        }
        Ok(0)
    }
}

impl PaymentDesk for Rooms {
    fn configured(&self, payment: &Payment) -> Result<BTreeSet<FollowUpKind>, FollowUpRefused> {
        match payment.widget.as_str() {
            "gone" => Err(FollowUpRefused::WidgetGone),
            _ => Ok(self.operations.lock().unwrap().clone()),
        }
    }

    fn follow_up<'a>(
        &'a self,
        actor: &'a Actor,
        payment: &'a Payment,
        follow_up: FollowUp,
    ) -> Task<'a, Result<(), FollowUpError>> {
        let (at, action) = (follow_up.created_at, AuditAction::FollowUpIntended);
        let entry = follow_up.entry(at, actor, action, &payment.reference);
        let change = Change::InsertFollowUp(follow_up);
        Box::pin(async move {
            self.commit(Audited { change, entry }).await?;
            Ok(())
        })
    }
}
