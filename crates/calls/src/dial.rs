//! Calls that agents make.
//! Owns: who may have what number called, by which service, on which phone; what the page is told of why it came to nothing.
//! Never: tells a number in the log or the trail.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use domain::access::{Actor, Permission, User};
use domain::audit::{AuditAction, AuditEntry};
use domain::boundary::{Audited, Change, Dial, DialDesk, EndCause, RouteTarget, Task, Telephony};
use domain::call::Call;
use domain::id::CallId;
use domain::outbound::{DialFailure, DialOrder, DialRefusal, Outbound};
use domain::service::Service;
use domain::view::{CallState, DeskError};
use rand::TryRngCore;
use rand::rngs::OsRng;

use crate::configuration::Snapshot;
use crate::desk::{Calls, Inner};
use crate::phones::{browser_of, tell_dialled};
use crate::routing::reachable;
use crate::task::{Beginning, CallTask, Mail, Registered};

/// A service that calls out, and how.
struct Way {
    service: Arc<Service>,
    outbound: Outbound,
}

/// The service that dials a number for an agent: the one that is named, or the first by name; none for whose group they are not in.
fn way_for(snapshot: &Snapshot, agent: &User, order: &DialOrder) -> Result<Way, DialRefusal> {
    let named = |service: &&Arc<Service>| order.service.as_ref().is_none_or(|id| service.id == *id);
    let is_for = |service: &&Arc<Service>| service.route.is_for(agent);
    let mut ways: Vec<Way> = (snapshot.services.iter().filter(named).filter(is_for))
        .filter_map(|service| {
            let outbound = service.outbound.clone()?;
            let service = service.clone();
            Some(Way { service, outbound })
        })
        .collect();
    if ways.is_empty() {
        return Err(DialRefusal::NoService);
    }
    ways.sort_by(|left, right| left.service.name.cmp(&right.service.name));
    let mut ways = ways.into_iter();
    let way = ways.find(|way| way.outbound.allows(&order.number));
    way.ok_or(DialRefusal::NotAllowed)
}

/// What is to be done, once it is known to be allowed.
struct Planned {
    agent: Arc<User>,
    way: Way,
    /// The agent's phone.
    phone: RouteTarget,
    order: DialOrder,
    is_own: bool,
}

impl Calls {
    /// Numbers that were to be called and that no service dials, since the start.
    #[must_use]
    pub fn numbers_refused(&self) -> u64 {
        self.inner().numbers_refused.load(Ordering::Relaxed)
    }

    fn plan(&self, actor: &Actor, order: DialOrder) -> Result<Planned, DeskError> {
        let is_own = order.agent == actor.user && Self::may(actor, Permission::CallDial).is_ok();
        if !is_own {
            Self::may(actor, Permission::CallDialFor)?;
        }
        let agent = self.agent(&order.agent)?;
        let inner = self.inner();
        let snapshot = inner.deps.configuration.current();
        Self::may(&snapshot.actor(&agent), Permission::CallDial)?;
        let way = way_for(&snapshot, &agent, &order).map_err(|refusal| {
            if refusal == DialRefusal::NotAllowed {
                inner.numbers_refused.fetch_add(1, Ordering::Relaxed);
                tracing::info!("a number was not called: no service dials it");
            }
            DeskError::Dial(refusal)
        })?;
        if inner.agents.has_call(&agent.id) {
            return Err(DeskError::AgentHasCall);
        }
        let telephony = inner.telephony().ok_or(DeskError::NotFound)?;
        let phones = reachable(&snapshot, &inner.phones, &telephony.registered());
        let mut phones = phones.into_iter();
        let phone = phones.find(|(user, _)| user.id == agent.id);
        let (_, phone) = phone.ok_or(DeskError::Dial(DialRefusal::NoPhone))?;
        Ok(Planned {
            agent,
            way,
            phone,
            order,
            is_own,
        })
    }
}

impl DialDesk for Calls {
    fn dial<'a>(
        &'a self,
        actor: &'a Actor,
        order: DialOrder,
    ) -> Task<'a, Result<CallId, DeskError>> {
        Box::pin(async move {
            let planned = self.plan(actor, order)?;
            let (inner, actor) = (self.inner().clone(), actor.clone());
            // Whoever asked may leave meanwhile: the agent is not to stay taken.
            let begun = inner.runtime.clone().spawn(begin(inner, actor, planned));
            begun.await.unwrap_or(Err(DeskError::Busy))
        })
    }

    fn may_dial(&self, actor: &Actor) -> bool {
        let snapshot = self.inner().deps.configuration.current();
        let Some(agent) = snapshot.user(&actor.user) else {
            return false;
        };
        let mut services = snapshot.services.iter();
        Self::may(actor, Permission::CallDial).is_ok()
            && services.any(|service| service.outbound.is_some() && service.route.is_for(agent))
    }
}

/// The agent is taken, then it is in the trail, then the phone rings.
async fn begin(inner: Arc<Inner>, actor: Actor, planned: Planned) -> Result<CallId, DeskError> {
    let random = OsRng.try_next_u64().ok().zip(OsRng.try_next_u64().ok());
    let (high, low) = random.ok_or(DeskError::Busy)?;
    let id = CallId::from_random((u128::from(high) << 64) | u128::from(low));
    let agent = planned.agent.id.clone();
    if planned.is_own {
        // Also one who takes no calls: they ask for this one.
        if !inner.agents.take_only(&agent, &id) {
            return Err(DeskError::AgentHasCall);
        }
    } else if !inner.agents.take_free(&agent, &id, crate::now()) {
        return Err(DeskError::AgentNotFree);
    }
    let begun = call_out(&inner, &actor, &id, planned).await;
    if begun.is_err() {
        let agents = &inner.agents;
        agents.release(&agent, &id, crate::now(), Duration::ZERO);
        inner.remove(&id);
    }
    begun.map(|()| id)
}

async fn call_out(
    inner: &Arc<Inner>,
    actor: &Actor,
    id: &CallId,
    planned: Planned,
) -> Result<(), DeskError> {
    let now = inner.deps.clock.now();
    let entry = AuditEntry::new(now, actor, AuditAction::CallDialled, format!("call {id}"))
        .with("agent", planned.agent.name.as_str())
        .with("service", planned.way.service.name.as_str());
    let change = Change::None;
    let recorded = inner.deps.store.commit(Audited { change, entry });
    recorded.await.map_err(|_| DeskError::Unrecordable)?;
    let telephony = inner.telephony().cloned().ok_or(DeskError::NotFound)?;
    let (sender, keys) = secret::digit_ring(&inner.deps.arena).ok_or(DeskError::Busy)?;
    let mail = inner.enter(id).ok_or(DeskError::Busy)?;
    inner.belongs_to(id, &planned.agent.id);
    let Planned {
        agent,
        way,
        phone,
        order,
        ..
    } = planned;
    let Way { service, outbound } = way;
    let consumer = outbound.route.target_for(&order.number);
    let consumer = consumer.ok_or(DeskError::Dial(DialRefusal::NoService))?;
    let snapshot = inner.deps.configuration.current();
    let desktop = agent.desktop.as_ref().unwrap_or(&service.desktop);
    let (number, shown) = (&order.number, &*outbound.caller_number);
    let beginning = Beginning {
        call: Call::dialled(id.clone(), agent.id.clone(), number, shown, now),
        keys,
        egress: Arc::default(),
        desktop: snapshot.desktop(desktop).cloned(),
        browser: browser_of(&phone),
        service: service.clone(),
        agent: Some(agent),
    };
    let dial = Dial {
        id: id.clone(),
        agent: phone,
        consumer,
        number: order.number,
        shown: outbound.caller_number,
        protection: service.protection,
        keys: sender,
        egress: beginning.egress.clone(),
    };
    telephony.dial(dial).map_err(|_| DeskError::Busy)?;
    run(inner.clone(), telephony, beginning, mail);
    Ok(())
}

fn run(inner: Arc<Inner>, telephony: Arc<dyn Telephony>, beginning: Beginning, mail: Mail) {
    let runtime = inner.runtime.clone();
    runtime.spawn(async move {
        let mut registered = Registered {
            inner: inner.clone(),
            telephony: telephony.clone(),
            call: beginning.call.id().clone(),
            over: false,
        };
        let mut task = CallTask::new(inner, telephony, beginning);
        task.begin_dialled();
        task.run(mail).await;
        registered.over = task.call.state() == CallState::Ended;
    });
}

impl CallTask {
    fn begin_dialled(&mut self) {
        if let Some(agent) = &self.browser {
            tell_dialled(&self.inner, agent, self.call.id());
        }
        self.settle_listening();
        self.publish_call();
    }

    /// Why a call came to nothing that the agent made.
    pub(crate) fn note_dial_end(&mut self, cause: EndCause) {
        let why = match cause {
            EndCause::AgentNotReached(_) => DialFailure::AgentPhone,
            EndCause::NotAnswered(status) => DialFailure::of_status(status),
            EndCause::Timeout | EndCause::Failure => DialFailure::Unreachable,
            EndCause::Consumer | EndCause::Agent | EndCause::Local => return,
        };
        self.call.dial_failed(why);
    }
}
