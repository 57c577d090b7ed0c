//! Handing a call over to another agent.
//! Owns: who may get it, what waits while their phone rings, and whose call it is afterwards.
//! Never: leaves the call without an agent, or two agents with it; lifts the mask.

use std::sync::Arc;
use std::time::Duration;

use domain::access::{Actor, User};
use domain::audit::{AuditAction, AuditEntry};
use domain::boundary::{Audience, LegCallIds, LiveEvent, RouteTarget, TelephonyError};
use domain::capture::{Event, Ruling};
use domain::id::UserId;
use domain::view::{ButtonDisabled, DeskError, TransferFailure, TransferTarget, TransferView};

use crate::controls::refused;
use crate::desk::Inner;
use crate::phones::{browser_of, tell_gone, tell_ring};
use crate::routing::reachable;
use crate::task::CallTask;

/// A transfer whose phone rings.
pub(crate) struct Transfer {
    target: Successor,
    by: Actor,
    /// The call was on hold by the button before.
    was_held: bool,
    discarded: bool,
    /// It rings in their page.
    browser: Option<UserId>,
}

/// Who is to have the call.
pub(crate) struct Successor {
    /// Whose page will show it; none: nobody's.
    pub(crate) agent: Option<Arc<User>>,
    /// As the page and the trail name them.
    pub(crate) name: String,
    /// They were taken for this call alone, and are let go if it comes to nothing.
    pub(crate) is_taken: bool,
}

impl Successor {
    /// A login name, as of all agents; else what was called.
    fn trail_name(&self) -> &str {
        let login = self.agent.as_ref().map(|agent| agent.name.as_str());
        login.unwrap_or(&self.name)
    }

    fn agent(agent: Arc<User>) -> Self {
        Self {
            name: agent.display_name.clone(),
            agent: Some(agent),
            is_taken: true,
        }
    }
}

/// Agents that can be rung, but this one, and where.
fn candidates(
    inner: &Inner,
    registered: &[String],
    but: &UserId,
) -> impl Iterator<Item = (Arc<User>, RouteTarget)> {
    let snapshot = inner.deps.configuration.current();
    let users = reachable(&snapshot, &inner.phones, registered);
    users.into_iter().filter(move |(user, _)| user.id != *but)
}

/// Whom the agent can transfer a call to, by name.
pub(crate) fn targets(inner: &Inner, registered: &[String], agent: &UserId) -> Vec<TransferTarget> {
    let now = crate::now();
    let target = |(user, _): (Arc<User>, RouteTarget)| TransferTarget {
        user: user.id.clone(),
        name: user.display_name.clone(),
        free: inner.agents.is_free(&user.id, now),
    };
    let mut targets: Vec<_> = candidates(inner, registered, agent).map(target).collect();
    targets.sort_by(|left, right| left.name.cmp(&right.name));
    targets
}

impl CallTask {
    /// Rings another agent's phone. They are taken at once, so that no call rings them meanwhile; the consumer is on hold.
    pub(crate) fn transfer(
        &mut self,
        by: Actor,
        to: &UserId,
        discard: bool,
    ) -> Result<(), DeskError> {
        if self.transfer.is_some() {
            return Err(DeskError::Transfer);
        }
        if self.open.is_some() && !discard {
            return Err(DeskError::Disabled(ButtonDisabled::CaptureOpen));
        }
        let (to, target) = self.take_target(to)?;
        let browser = browser_of(&target);
        let ring = |task: &Self| task.telephony.transfer(task.call.id(), target);
        self.begin_transfer((by, Successor::agent(to), browser), ring)
    }

    /// Holds the call while it rings by `ring`. What is to have it is let go if that cannot be.
    pub(crate) fn begin_transfer(
        &mut self,
        (by, target, browser): (Actor, Successor, Option<UserId>),
        ring: impl FnOnce(&Self) -> Result<(), TelephonyError>,
    ) -> Result<(), DeskError> {
        let discarded = self.open.is_some();
        let was_held = self.call.is_held_by_agent();
        if let Err(error) = self.ring_held(was_held, ring) {
            self.let_go(&target);
            return Err(error);
        }
        if let Some(agent) = &browser {
            tell_ring(&self.inner, agent, self.call.id());
        }
        self.call.transfer(Some(TransferView {
            to: target.name.clone(),
            failed: None,
        }));
        self.transfer = Some(Transfer {
            target,
            by,
            was_held,
            discarded,
            browser,
        });
        self.publish_call();
        Ok(())
    }

    fn ring_held(
        &mut self,
        was_held: bool,
        ring: impl FnOnce(&Self) -> Result<(), TelephonyError>,
    ) -> Result<(), DeskError> {
        self.discard_capture()?;
        self.hold(true)?;
        if let Err(error) = ring(self) {
            self.hold(was_held)?;
            return Err(refused(error));
        }
        Ok(())
    }

    fn take_target(&self, to: &UserId) -> Result<(Arc<User>, RouteTarget), DeskError> {
        let agent = self.call.agent().ok_or(DeskError::NotFound)?;
        let registered = self.telephony.registered();
        let mut found = candidates(&self.inner, &registered, agent);
        let found = found.find(|(user, _)| user.id == *to);
        let (user, target) = found.ok_or(DeskError::AgentNotFree)?;
        let agents = &self.inner.agents;
        if agents.take_free(&user.id, self.call.id(), crate::now()) {
            Ok((user, target))
        } else {
            Err(DeskError::AgentNotFree)
        }
    }

    /// Takes the capture away, if its state allows that: not while a charge is on its way, nor before a Basic value is said to be gone.
    fn discard_capture(&mut self) -> Result<(), DeskError> {
        for event in [Event::Close, Event::Cancel] {
            let session = self.open.as_ref().map(|open| &open.session);
            if session.is_some_and(|open| open.ruling(crate::now(), &event) == Ruling::Allowed) {
                self.capture_event(event);
            }
        }
        match &self.open {
            Some(open) => Err(DeskError::WrongState(open.session.state())),
            None => Ok(()),
        }
    }

    /// The agent gives the transfer up; what comes of that is told by the telephone side, for it may have been answered just now.
    pub(crate) fn cancel_transfer(&mut self) -> Result<(), DeskError> {
        if self.transfer.is_none() {
            return Err(DeskError::Transfer);
        }
        self.telephony
            .cancel_transfer(self.call.id())
            .map_err(refused)
    }

    /// The telephone side has told what came of it.
    pub(crate) fn transferred(&mut self, outcome: Result<LegCallIds, TransferFailure>) {
        let Some(transfer) = self.transfer.take() else {
            return;
        };
        match outcome {
            Ok(legs) => self.hand_over(transfer, &legs),
            Err(why) => self.take_back(&transfer, why),
        }
        self.publish_call();
    }

    fn hand_over(&mut self, transfer: Transfer, legs: &LegCallIds) {
        let Transfer {
            target,
            by,
            discarded,
            browser,
            ..
        } = transfer;
        self.tell_browser_gone();
        self.browser = browser;
        self.pairing.legs = Some(legs.clone());
        let now = self.inner.deps.clock.now();
        let object = format!("call {}", self.call.id());
        let entry = AuditEntry::new(now, &by, AuditAction::CallTransferred, object);
        self.inner.audit.append(
            entry
                .with("to", target.trail_name())
                .with("discarded", discarded),
        );
        let before = self.call.agent().cloned();
        let stays = before.is_some() && before == target.agent.as_ref().map(|to| to.id.clone());
        if let Some(before) = before.filter(|_| !stays) {
            self.say_farewell(before);
            self.free_agent();
        }
        self.move_to(target.agent);
        let recorders = &self.inner.deps.recorders;
        recorders.taken_over(self.as_connected(legs));
        self.leave_hold(false);
        self.settle_listening();
    }

    /// The call, its page and its desktop are this agent's from now on, or nobody's.
    fn move_to(&mut self, to: Option<Arc<User>>) {
        let snapshot = self.inner.deps.configuration.current();
        let own = to.as_ref().and_then(|to| to.desktop.as_ref());
        let desktop = own.unwrap_or(&self.service.desktop);
        self.desktop = snapshot.desktop(desktop).cloned();
        match &to {
            Some(to) => {
                self.inner.belongs_to(self.call.id(), &to.id);
                self.call.taken_over(to.id.clone());
            }
            None => {
                self.inner.belongs_to_nobody(self.call.id());
                self.call.transfer(None);
                self.call.agent_muted(false);
                self.call.released();
            }
        }
        self.agent = to;
    }

    /// It goes back to the agent as it was before, who is told why.
    fn take_back(&mut self, transfer: &Transfer, why: TransferFailure) {
        self.let_go(&transfer.target);
        self.tell_target_gone(transfer);
        self.call.transfer(Some(TransferView {
            to: transfer.target.name.clone(),
            failed: Some(why),
        }));
        self.leave_hold(transfer.was_held);
    }

    /// The hold of the ringing is over. If the telephone side has no room for that, the call stays on hold, which its agent sees and can end.
    fn leave_hold(&mut self, was_held: bool) {
        if let Err(error) = self.hold(was_held) {
            tracing::warn!(call = %self.call.id(), %error, "a call stays on hold after its transfer");
        }
    }

    /// The call is over: nobody waits for it any more.
    pub(crate) fn drop_transfer(&mut self) {
        if let Some(transfer) = self.transfer.take() {
            self.let_go(&transfer.target);
            self.tell_target_gone(&transfer);
        }
    }

    fn tell_target_gone(&self, transfer: &Transfer) {
        if let Some(agent) = &transfer.browser {
            tell_gone(&self.inner, agent, self.call.id());
        }
    }

    /// The page of an agent who has the call no more takes it off the screen.
    pub(crate) fn say_farewell(&self, agent: UserId) {
        let view = self.call.farewell(self.inner.deps.clock.now());
        self.inner.deps.bus.publish(LiveEvent {
            audience: Audience::User(agent),
            topic: "call",
            body: serde_json::to_value(view).unwrap_or_default(),
        });
    }

    pub(crate) fn let_go(&self, target: &Successor) {
        if let Some(agent) = target.agent.as_ref().filter(|_| target.is_taken) {
            self.release(&agent.id);
        }
    }

    fn release(&self, agent: &UserId) {
        let agents = &self.inner.agents;
        agents.release(agent, self.call.id(), crate::now(), Duration::ZERO);
    }
}
