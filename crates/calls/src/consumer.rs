//! What is told of a call's consumer.
//! Owns: that it is in the trail, without values, before it is taken.
//! Never: outlives the call.

use domain::access::Actor;
use domain::audit::{AuditAction, AuditEntry};
use domain::boundary::{Audited, Change};
use domain::consumer::Consumer;
use domain::view::{CallState, DeskError};

use crate::task::CallTask;

impl CallTask {
    /// The entry first: what is not in the trail is not taken. A call that is over learns nothing more.
    pub(crate) async fn tell_consumer(
        &mut self,
        actor: &Actor,
        consumer: Consumer,
    ) -> Result<(), DeskError> {
        if self.call.state() == CallState::Ended {
            return Err(DeskError::NotFound);
        }
        let object = format!("call {}", self.call.id());
        let now = self.inner.deps.clock.now();
        let entry = AuditEntry::new(now, actor, AuditAction::ConsumerTold, object)
            .with("told", consumer.names());
        let change = Change::None;
        let recorded = self.inner.deps.store.commit(Audited { change, entry });
        recorded.await.map_err(|_| DeskError::Unrecordable)?;
        self.call.know(consumer);
        self.publish_call();
        Ok(())
    }
}
