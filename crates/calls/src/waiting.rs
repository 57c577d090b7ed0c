//! A call that waits for an agent.
//! Owns: whose phone rings for it, what becomes of it when nobody answers, and its overflow.
//! Never: chooses an agent, and leaves nobody with an agent whom they do not speak to.

use std::sync::Arc;

use domain::access::User;
use domain::boundary::{EndCause, IncomingCall, RouteTarget};
use domain::queue::WaitingSound;
use domain::service::Service;
use tokio::sync::mpsc;

use crate::configuration::Snapshot;
use crate::desk::Inner;
use crate::hours;
use crate::phones::browser_of;
use crate::queue::Turn;
use crate::task::CallTask;

/// The status by which a caller hears that there is no place.
pub(crate) const BUSY: u16 = 486;

/// How a call waits.
pub(crate) struct Waits {
    turns: mpsc::Receiver<Turn>,
    /// It is answered, and its caller hears something.
    is_heard: bool,
    /// It has waited for long enough, and rings elsewhere.
    is_over: bool,
}

impl Waits {
    pub(crate) fn new(turns: mpsc::Receiver<Turn>) -> Self {
        Self {
            turns,
            is_heard: false,
            is_over: false,
        }
    }
}

/// The service of a call that waits while no agent is free; not while it is closed. One that has passed this server before is led on as ever: whoever has it is found by that.
pub(crate) fn service_for(
    inner: &Inner,
    snapshot: &Snapshot,
    call: &IncomingCall,
) -> Option<Arc<Service>> {
    let service = snapshot.service_for(&call.called)?;
    let first = call.tag.as_deref().and_then(|tag| tag.parse().ok());
    let has_passed = first.is_some_and(|first| inner.handle(&first).is_some());
    let is_closed = hours::closed(service, inner.deps.clock.now()).is_some();
    service.waiting().filter(|_| !has_passed && !is_closed)?;
    Some(service.clone())
}

/// What is to be done next for a call that waits; never, for one that does not.
pub(crate) async fn next_turn(waits: &mut Option<Waits>) -> Turn {
    match waits {
        Some(waits) => match waits.turns.recv().await {
            Some(turn) => turn,
            None => std::future::pending().await,
        },
        None => std::future::pending().await,
    }
}

impl CallTask {
    /// An agent's phone rings at once, or the caller is answered and waits.
    pub(crate) fn begin_waiting(&mut self, turns: mpsc::Receiver<Turn>) {
        self.waits = Some(Waits::new(turns));
        let _gone = self.telephony.wait(self.call.id(), None);
        self.go_on_waiting();
    }

    /// The next agent, or else music.
    fn go_on_waiting(&mut self) {
        let Some(waits) = &mut self.waits else { return };
        if let Ok(turn) = waits.turns.try_recv() {
            return self.take_turn(turn);
        }
        if !std::mem::replace(&mut waits.is_heard, true) {
            let sound = self.waiting_sound();
            let _gone = self.telephony.wait(self.call.id(), Some(sound));
        }
    }

    fn waiting_sound(&self) -> WaitingSound {
        let snapshot = self.inner.deps.configuration.current();
        snapshot.waiting_sound(&self.service)
    }

    pub(crate) fn take_turn(&mut self, turn: Turn) {
        match turn {
            Turn::Ring(agent, target) => self.ring_agent(agent, target),
            Turn::Over => self.overflow(),
        }
    }

    /// The call is this agent's, whose phone rings; they were taken for it.
    fn ring_agent(&mut self, agent: Arc<User>, target: RouteTarget) {
        self.inner.belongs_to(self.call.id(), &agent.id);
        self.call.paired(agent.id.clone());
        self.browser = browser_of(&target);
        self.settle_waiter(Some(agent));
        let (id, protection) = (self.call.id(), self.service.protection);
        if self.telephony.route(id, target, protection).is_err() {
            return self.unreached();
        }
        self.tell_browser_ring();
        self.publish_call();
    }

    /// The desktop and the mask follow whoever is to have the call.
    fn settle_waiter(&mut self, agent: Option<Arc<User>>) {
        let snapshot = self.inner.deps.configuration.current();
        let own = agent.as_ref().and_then(|agent| agent.desktop.as_ref());
        let desktop = own.unwrap_or(&self.service.desktop);
        self.desktop = snapshot.desktop(desktop).cloned();
        self.agent = agent;
        self.settle_listening();
    }

    /// What rang did not answer: the caller has their place again, or, where that was the overflow, nobody is left to ask.
    pub(crate) fn unreached(&mut self) {
        let Some(waits) = &self.waits else { return };
        if waits.is_over {
            let _gone = self.telephony.reject(self.call.id(), BUSY);
            return;
        }
        if let Some(agent) = self.agent.clone() {
            self.tell_browser_gone();
            self.say_farewell(agent.id.clone());
            self.free_agent();
            self.inner.belongs_to_nobody(self.call.id());
            self.call.released();
            self.settle_waiter(None);
        }
        self.inner.queue.missed(self.call.id());
        self.inner.look_at_queue();
        self.go_on_waiting();
    }

    /// It has waited for long enough.
    fn overflow(&mut self) {
        let Some(waits) = &mut self.waits else { return };
        waits.is_over = true;
        self.inner.queue.gone(self.call.id(), false);
        self.inner.queue.note_overflow();
        let id = self.call.id();
        tracing::info!(call = %id, "a caller has waited for long enough");
        let queue = self.service.waiting();
        let target = queue.and_then(|queue| queue.overflow.target(self.call.called()));
        let told = match target {
            Some(target) => self.telephony.route(id, target, self.service.protection),
            None => self.telephony.reject(id, BUSY),
        };
        if told.is_err() {
            let _gone = self.telephony.hang_up(id);
        }
    }

    /// Both sides are connected.
    pub(crate) fn waits_no_more(&mut self) {
        if self.waits.take().is_some() {
            self.inner.queue.was_answered(self.call.id());
        }
    }

    /// The call is over.
    pub(crate) fn leave_queue(&mut self, cause: EndCause) {
        if self.waits.take().is_some() {
            let is_given_up = cause == EndCause::Consumer;
            self.inner.queue.gone(self.call.id(), is_given_up);
        }
    }
}
