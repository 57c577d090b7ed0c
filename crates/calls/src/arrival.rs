//! A call that comes in.
//! Owns: its route, or that it waits for one, and the beginning of its task.
//! Never: touches it afterwards.

use std::sync::Arc;

use domain::access::User;
use domain::boundary::{IncomingCall, RouteTarget, Telephony};
use domain::call::Call;
use domain::desktop::Desktop;
use domain::service::Service;
use domain::view::CallState;

use crate::configuration::Snapshot;
use crate::desk::Inner;
use crate::hours::choose;
use crate::pairing::find_agent;
use crate::phones::browser_of;
use crate::task::{Beginning, CallTask, Mail, Registered};
use crate::waiting::{BUSY, service_for};

/// Routes an incoming call and starts its task.
pub(crate) fn start(
    inner: Arc<Inner>,
    telephony: Arc<dyn Telephony>,
    incoming: IncomingCall,
    mail: Mail,
) {
    let runtime = inner.runtime.clone();
    runtime.spawn(async move {
        let mut registered = Registered {
            inner: inner.clone(),
            telephony: telephony.clone(),
            call: incoming.id.clone(),
            over: true,
        };
        let snapshot = inner.deps.configuration.current();
        tracing::info!(call = %incoming.id, "a call came in");
        let begun = match service_for(&inner, &snapshot, &incoming) {
            Some(service) => {
                registered.over = false;
                wait(inner, telephony, &snapshot, (incoming, service))
            }
            None => route(inner, telephony, &snapshot, (incoming, &mut registered)).await,
        };
        let Some(mut task) = begun else { return };
        task.run(mail).await;
        registered.over = task.call.state() == CallState::Ended;
    });
}

/// What is known of a call before it rings.
struct Arrived {
    service: Arc<Service>,
    desktop: Option<Arc<Desktop>>,
    agent: Option<Arc<User>>,
    target: Option<RouteTarget>,
}

fn task_of(
    inner: Arc<Inner>,
    telephony: Arc<dyn Telephony>,
    incoming: IncomingCall,
    arrived: Arrived,
) -> CallTask {
    let Arrived {
        service,
        desktop,
        agent,
        target,
    } = arrived;
    let call = Call::ringing(
        incoming.id,
        agent.as_ref().map(|user| user.id.clone()),
        (&incoming.caller, &incoming.caller_number),
        &incoming.called,
        inner.deps.clock.now(),
    );
    let beginning = Beginning {
        call,
        keys: incoming.keys,
        egress: incoming.egress,
        service,
        desktop,
        agent,
        browser: target.as_ref().and_then(browser_of),
    };
    CallTask::new(inner, telephony, beginning)
}

async fn route(
    inner: Arc<Inner>,
    telephony: Arc<dyn Telephony>,
    snapshot: &Snapshot,
    (incoming, registered): (IncomingCall, &mut Registered),
) -> Option<CallTask> {
    if !inner.queue.is_empty() {
        // Whoever has waited comes first, whichever service they called.
        inner.look_at_queue();
    }
    let mut chosen = choose(&inner, snapshot, &*telephony, &incoming)?;
    registered.over = false;
    let named = find_agent(&inner, snapshot, &incoming, &mut chosen).await;
    if let Some(agent) = &chosen.agent {
        inner.belongs_to(&incoming.id, &agent.id);
    }
    let arrived = Arrived {
        service: chosen.service,
        desktop: chosen.desktop,
        agent: chosen.agent,
        target: Some(chosen.target.clone()),
    };
    let mut task = task_of(inner, telephony, incoming, arrived);
    let (id, protection) = (task.call.id(), task.service.protection);
    if task.telephony.route(id, chosen.target, protection).is_err() {
        return None;
    }
    task.begin(named);
    Some(task)
}

/// It waits, or there is no place for it.
fn wait(
    inner: Arc<Inner>,
    telephony: Arc<dyn Telephony>,
    snapshot: &Snapshot,
    (incoming, service): (IncomingCall, Arc<Service>),
) -> Option<CallTask> {
    let queue = service.waiting()?;
    let caller = (&incoming.id, &*incoming.caller_number);
    let turns = inner.join_queue(caller, (&service, queue));
    let target = queue.overflow.target(&incoming.called);
    if turns.is_none() {
        tracing::info!(call = %incoming.id, "a caller found no place in the queue");
        inner.queue.note_overflow();
    }
    let arrived = Arrived {
        desktop: snapshot.desktop(&service.desktop).cloned(),
        service,
        agent: None,
        target: None,
    };
    let mut task = task_of(inner, telephony, incoming, arrived);
    let id = task.call.id();
    match (turns, target) {
        (Some(turns), _) => task.begin_waiting(turns),
        (None, Some(target)) => {
            let protection = task.service.protection;
            task.telephony.route(id, target, protection).ok()?;
        }
        (None, None) => task.telephony.reject(id, BUSY).ok()?,
    }
    Some(task)
}
