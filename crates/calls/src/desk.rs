//! All running calls, and the two doors to them: the telephone side and the agents' pages.
//! Owns: the table of calls, who may reach which.
//! Never: touches a call's state itself; every change is a message to its task.

use std::collections::{HashMap, HashSet};
use std::hash::RandomState;
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use domain::access::{Actor, Permission, Resource, authorize};
use domain::availability::{Availability, Wish};
use domain::boundary::{
    Audience, Bus, CaptureAction, CaptureDesk, Desktops, LiveEvent, PaymentGateway, Recorders,
    Store, Task, Telephony,
};
use domain::capture::{Field, Velocity, WidgetKind};
use domain::consumer::Consumer;
use domain::control::CallControl;
use domain::id::{CallId, CaptureId, DesktopId, UserId, WidgetId};
use domain::payment::PaymentForm;
use domain::time::WallClock;
use domain::view::{CallView, CaptureView, DeskError, LiveCapture, ReadOut, TransferTarget};
use secret::{Arena, SecretBuffer};
use tokio::sync::{mpsc, oneshot};
use tokio_util::task::TaskTracker;

use crate::audit::AuditQueue;
use crate::codes::Codes;
use crate::configuration::Configuration;
use crate::numbers::Numbers;
use crate::owner::Owner;
use crate::phones::Phones;
use crate::queue::Queue;
use crate::routing::Agents;
use crate::signals::Signals;
use crate::supervisors::Supervisors;
use crate::task::{LineMessage, Mail, Message, Showing};
use crate::transfer;

/// Messages of pages that may wait for one call. A page sends one at a time; when full it hears "busy".
pub(crate) const CALL_MAILBOX_MAX: usize = 64;

/// Reports of the telephone side that may wait for one call, out of the pages' reach: a handful in any second. When full nobody knows any more how
/// the line stands, so that protection counts as lost (keys, a lost mask and the end do not go through here).
const LINE_MAILBOX_MAX: usize = 64;

/// Calls at once. The telephone side's own limit lies below; when full a call is refused with 503.
const CALLS_MAX: usize = 20_000;

/// A page waits this long for a call's task.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(10);

/// What calls need of the rest of the house.
pub struct Deps {
    /// The only way to write.
    pub store: Arc<dyn Store>,
    /// For gateway passwords.
    pub desktops: Arc<dyn Desktops>,
    /// The live configuration.
    pub configuration: Arc<Configuration>,
    /// Towards payment gateways.
    pub gateway: Arc<dyn PaymentGateway>,
    /// Recorders that can be paused.
    pub recorders: Arc<dyn Recorders>,
    /// Towards the pages.
    pub bus: Arc<dyn Bus>,
    /// Wall-clock time.
    pub clock: Arc<dyn WallClock>,
    /// Where captures keep their digits.
    pub arena: Arc<Arena>,
}

pub(crate) struct Inner {
    pub(crate) deps: Deps,
    pub(crate) audit: AuditQueue,
    pub(crate) agents: Agents,
    pub(crate) phones: Phones,
    pub(crate) supervisors: Supervisors,
    pub(crate) queue: Queue,
    /// Pairing codes that agents have asked for.
    pub(crate) codes: Codes,
    /// Numbers that are reserved for agents.
    pub(crate) numbers: Numbers,
    pub(crate) wrong_codes: AtomicU64,
    /// Numbers that no service dials.
    pub(crate) numbers_refused: AtomicU64,
    /// How often payments were tried.
    pub(crate) velocity: Mutex<Velocity>,
    /// Charges run on after their call is gone.
    pub(crate) charges: TaskTracker,
    telephony: OnceLock<Arc<dyn Telephony>>,
    /// Where calls' tasks run: they begin on the thread that SIP has to itself.
    pub(crate) runtime: tokio::runtime::Handle,
    table: Mutex<Table>,
}

#[derive(Default)]
struct Table {
    calls: HashMap<CallId, Handle>,
    captures: HashMap<CaptureId, OpenedCapture>,
    /// Calls on which a capture was ever opened: the only ones with attempts.
    attempted: HashSet<CallId>,
}

/// Where an open capture runs.
struct OpenedCapture {
    call: CallId,
    desktop: DesktopId,
}

#[derive(Clone)]
pub(crate) struct Handle {
    mailbox: mpsc::Sender<Message>,
    line: mpsc::Sender<LineMessage>,
    pub(crate) signals: Arc<Signals>,
    pub(crate) agent: Arc<Owner>,
}

impl Handle {
    /// Whose call it is.
    pub(crate) fn owner(&self) -> Option<UserId> {
        self.agent.get()
    }
}

impl Inner {
    pub(crate) fn telephony(&self) -> Option<&Arc<dyn Telephony>> {
        self.telephony.get()
    }

    pub(crate) fn capture_opened(&self, capture: CaptureId, call: CallId, desktop: DesktopId) {
        let joined = call.clone();
        let mut table = self.table();
        table.attempted.insert(call.clone());
        let opened = OpenedCapture { call, desktop };
        table.captures.insert(capture, opened);
        drop(table);
        self.end_barges(&joined);
    }

    pub(crate) fn availability(&self, agent: &UserId) -> Availability {
        let presence = self.agents.presence(agent);
        presence.view(crate::now(), self.deps.clock.now())
    }

    pub(crate) fn publish_availability(&self, agent: &UserId) {
        let availability = self.availability(agent);
        self.deps.bus.publish(LiveEvent {
            audience: Audience::User(agent.clone()),
            topic: "availability",
            body: serde_json::to_value(availability).unwrap_or_default(),
        });
    }

    pub(crate) fn capture_closed(&self, capture: &CaptureId) {
        self.table().captures.remove(capture);
    }

    pub(crate) fn belongs_to(&self, call: &CallId, agent: &UserId) {
        if let Some(handle) = self.table().calls.get(call) {
            handle.agent.set(Some(agent));
        }
    }

    pub(crate) fn belongs_to_nobody(&self, call: &CallId) {
        if let Some(handle) = self.table().calls.get(call) {
            handle.agent.set(None);
        }
    }

    /// All calls.
    pub(crate) fn handles(&self) -> Vec<Handle> {
        self.table().calls.values().cloned().collect()
    }

    /// Identities of all calls.
    pub(crate) fn ids(&self) -> Vec<CallId> {
        self.table().calls.keys().cloned().collect()
    }

    /// A capture is open on this call.
    pub(crate) fn has_capture(&self, call: &CallId) -> bool {
        self.table().captures.values().any(|of| of.call == *call)
    }

    /// Signals of the calls that nobody has.
    pub(crate) fn signals_of_nobodys(&self) -> Vec<Arc<Signals>> {
        let table = self.table();
        let nobodys = (table.calls.values()).filter(|handle| handle.agent.get().is_none());
        nobodys.map(|handle| handle.signals.clone()).collect()
    }

    /// A place for a call, and where its task is reached; none: there are as many as there may be.
    pub(crate) fn enter(&self, call: &CallId) -> Option<Mail> {
        let (mailbox, messages) = mpsc::channel(CALL_MAILBOX_MAX);
        let (line, reports) = mpsc::channel(LINE_MAILBOX_MAX);
        let signals = Arc::new(Signals::default());
        let mail = Mail {
            line: reports,
            messages,
            signals: signals.clone(),
        };
        let handle = Handle {
            mailbox,
            line,
            signals,
            agent: Arc::default(),
        };
        let mut table = self.table();
        if table.calls.len() >= CALLS_MAX {
            return None;
        }
        table.calls.insert(call.clone(), handle);
        Some(mail)
    }

    pub(crate) fn remove(&self, call: &CallId) {
        let mut table = self.table();
        table.calls.remove(call);
        table.attempted.remove(call);
        table.captures.retain(|_, of| of.call != *call);
    }

    fn table(&self) -> std::sync::MutexGuard<'_, Table> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn handle(&self, call: &CallId) -> Option<Handle> {
        self.table().calls.get(call).cloned()
    }
}

/// The running calls.
#[derive(Clone)]
pub struct Calls(Arc<Inner>);

impl Calls {
    pub(crate) fn inner(&self) -> &Arc<Inner> {
        &self.0
    }

    /// No calls yet. Must be made inside the async runtime: the audit queue's task and those of calls run there.
    #[must_use]
    pub fn new(deps: Deps) -> Self {
        let audit = AuditQueue::start(deps.store.clone());
        Self(Arc::new(Inner {
            deps,
            audit,
            agents: Agents::default(),
            phones: Phones::default(),
            supervisors: Supervisors::default(),
            queue: Queue::default(),
            codes: Codes::default(),
            numbers: Numbers::default(),
            wrong_codes: AtomicU64::default(),
            numbers_refused: AtomicU64::default(),
            velocity: Mutex::new(Velocity::new(RandomState::new())),
            charges: TaskTracker::new(),
            telephony: OnceLock::new(),
            runtime: tokio::runtime::Handle::current(),
            table: Mutex::default(),
        }))
    }

    /// Gives the calls their telephone side, once, before the first call comes.
    pub fn attach(&self, telephony: Arc<dyn Telephony>) {
        let _once = self.0.telephony.set(telephony);
    }

    /// Calls running now.
    #[must_use]
    pub fn count(&self) -> usize {
        self.0.table().calls.len()
    }

    /// Captures open now.
    #[must_use]
    pub fn captures(&self) -> usize {
        self.0.table().captures.len()
    }

    /// The configuration has changed: every call's buttons are looked at again.
    pub fn refresh(&self) {
        self.0.look_at_listeners();
        for handle in self.0.table().calls.values() {
            handle.signals.refresh();
        }
    }

    pub(crate) fn owned(&self, actor: &Actor, call: &CallId) -> Result<Handle, DeskError> {
        let handle = self.0.handle(call).ok_or(DeskError::NotFound)?;
        let owner = handle.agent.get().ok_or(DeskError::NotFound)?;
        match authorize(actor, Permission::CaptureStart, Resource::OwnedBy(&owner)) {
            Ok(()) => Ok(handle),
            Err(_) => Err(DeskError::NotFound),
        }
    }

    fn of_capture(&self, actor: &Actor, capture: &CaptureId) -> Result<Handle, DeskError> {
        let call = self
            .0
            .table()
            .captures
            .get(capture)
            .map(|opened| opened.call.clone())
            .ok_or(DeskError::NotFound)?;
        self.owned(actor, &call)
    }

    pub(crate) async fn ask<T>(
        handle: &Handle,
        message: impl FnOnce(oneshot::Sender<Result<T, DeskError>>) -> Message,
    ) -> Result<T, DeskError> {
        let (reply, answer) = oneshot::channel();
        handle
            .mailbox
            .try_send(message(reply))
            .map_err(|error| match error {
                mpsc::error::TrySendError::Full(_) => DeskError::Busy,
                mpsc::error::TrySendError::Closed(_) => DeskError::NotFound,
            })?;
        match tokio::time::timeout(ANSWER_TIMEOUT, answer).await {
            Ok(Ok(answer)) => answer,
            Ok(Err(_)) => Err(DeskError::NotFound),
            Err(_) => Err(DeskError::Busy),
        }
    }

    pub(crate) fn tell(&self, call: &CallId, message: LineMessage) {
        if let Some(handle) = self.0.handle(call)
            && let Err(mpsc::error::TrySendError::Full(_)) = handle.line.try_send(message)
        {
            tracing::error!(%call, "a call's mailbox is full; an event was dropped");
            handle.signals.protection_lost("events_lost");
        }
    }
}

impl CaptureDesk for Calls {
    fn calls<'a>(&'a self, actor: &'a Actor) -> Task<'a, Result<Vec<CallView>, DeskError>> {
        Box::pin(async move {
            let own: Vec<Handle> = {
                let table = self.0.table();
                let of_actor = |handle: &&Handle| handle.agent.is(&actor.user);
                table.calls.values().filter(of_actor).cloned().collect()
            };
            let mut views = Vec::with_capacity(own.len());
            for handle in &own {
                match Self::ask(handle, |reply| Message::View { reply }).await {
                    Ok(view) => views.push(view),
                    Err(DeskError::NotFound) => {}
                    Err(error) => return Err(error),
                }
            }
            views.sort_by_key(|view| std::cmp::Reverse(view.began_at));
            Ok(views)
        })
    }

    fn hang_up<'a>(
        &'a self,
        actor: &'a Actor,
        call: &'a CallId,
    ) -> Task<'a, Result<(), DeskError>> {
        Box::pin(async move {
            self.owned(actor, call)?;
            let telephony = self.0.telephony().ok_or(DeskError::NotFound)?;
            // Whoever waits is not to lose their place because one agent does not take them.
            if self.0.queue.rings(call) {
                return telephony
                    .stop_ringing(call)
                    .map_err(|_| DeskError::NotFound);
            }
            telephony.hang_up(call).map_err(|_| DeskError::NotFound)
        })
    }

    fn tell_consumer<'a>(
        &'a self,
        actor: &'a Actor,
        call: &'a CallId,
        consumer: Consumer,
    ) -> Task<'a, Result<(), DeskError>> {
        Box::pin(async move {
            let right = Permission::CallConsumerData;
            let handle = match authorize(actor, right, Resource::Installation) {
                Ok(()) => self.0.handle(call).ok_or(DeskError::NotFound)?,
                Err(_) => self.owned(actor, call)?,
            };
            let actor = actor.clone();
            Self::ask(&handle, |reply| Message::Consumer {
                actor,
                consumer,
                reply,
            })
            .await
        })
    }

    fn control<'a>(
        &'a self,
        actor: &'a Actor,
        call: &'a CallId,
        control: CallControl,
    ) -> Task<'a, Result<CallView, DeskError>> {
        Box::pin(async move {
            let handle = self.owned(actor, call)?;
            let actor = actor.clone();
            Self::ask(&handle, |reply| Message::Control {
                actor,
                control,
                reply,
            })
            .await
        })
    }

    fn transfer_targets(
        &self,
        actor: &Actor,
        call: &CallId,
    ) -> Result<Vec<TransferTarget>, DeskError> {
        self.owned(actor, call)?;
        let telephony = self.0.telephony().ok_or(DeskError::NotFound)?;
        let registered = telephony.registered();
        Ok(transfer::targets(&self.0, &registered, &actor.user))
    }

    fn open<'a>(
        &'a self,
        actor: &'a Actor,
        call: &'a CallId,
        widget: &'a WidgetId,
    ) -> Task<'a, Result<CaptureView, DeskError>> {
        Box::pin(async move {
            let handle = self.owned(actor, call)?;
            let (actor, widget) = (actor.clone(), widget.clone());
            Self::ask(&handle, |reply| Message::Open {
                actor,
                widget,
                reply,
            })
            .await
        })
    }

    fn capture<'a>(
        &'a self,
        actor: &'a Actor,
        capture: &'a CaptureId,
    ) -> Task<'a, Result<CaptureView, DeskError>> {
        Box::pin(async move {
            let handle = self.of_capture(actor, capture)?;
            let capture = capture.clone();
            Self::ask(&handle, |reply| Message::Capture { capture, reply }).await
        })
    }

    fn availability(&self, actor: &Actor) -> Availability {
        self.0.availability(&actor.user)
    }

    fn set_availability(&self, actor: &Actor, wish: Wish) -> Availability {
        self.0.agents.choose(&actor.user, wish);
        self.0.queue.stir();
        self.0.publish_availability(&actor.user);
        self.0.availability(&actor.user)
    }

    fn capturing(&self, desktop: &DesktopId) -> Vec<UserId> {
        let table = self.0.table();
        let here = |opened: &&OpenedCapture| opened.desktop == *desktop;
        let mut agents: Vec<UserId> = (table.captures.values().filter(here))
            .filter_map(|opened| table.calls.get(&opened.call)?.agent.get())
            .collect();
        agents.sort();
        agents.dedup();
        agents
    }

    fn act<'a>(
        &'a self,
        actor: &'a Actor,
        capture: &'a CaptureId,
        action: CaptureAction,
    ) -> Task<'a, Result<CaptureView, DeskError>> {
        Box::pin(async move {
            let handle = self.of_capture(actor, capture)?;
            let capture = capture.clone();
            Self::ask(&handle, |reply| Message::Act {
                capture,
                action,
                reply,
            })
            .await
        })
    }

    fn process<'a>(
        &'a self,
        actor: &'a Actor,
        capture: &'a CaptureId,
        form: PaymentForm,
        idempotency_key: String,
    ) -> Task<'a, Result<CaptureView, DeskError>> {
        Box::pin(async move {
            let handle = self.of_capture(actor, capture)?;
            let (capture, actor) = (capture.clone(), actor.clone());
            Self::ask(&handle, |reply| Message::Process {
                capture,
                actor,
                form,
                key: idempotency_key,
                reply,
            })
            .await
        })
    }

    fn read_out<'a>(
        &'a self,
        actor: &'a Actor,
        capture: &'a CaptureId,
        form: PaymentForm,
        agreed: bool,
    ) -> Task<'a, Result<ReadOut, DeskError>> {
        Box::pin(async move {
            let handle = self.of_capture(actor, capture)?;
            let (capture, actor) = (capture.clone(), actor.clone());
            Self::ask(&handle, |reply| Message::ReadOut {
                capture,
                actor,
                form,
                agreed,
                reply,
            })
            .await
        })
    }

    fn live<'a>(&'a self, actor: &'a Actor) -> Task<'a, Result<Vec<LiveCapture>, DeskError>> {
        Box::pin(async move {
            may_reset(actor)?;
            let attempted: Vec<Handle> = {
                let table = self.0.table();
                let handle = |call| table.calls.get(call).cloned();
                table.attempted.iter().filter_map(handle).collect()
            };
            let mut live = Vec::with_capacity(attempted.len());
            for handle in &attempted {
                // A call that ends or is busy just now shows in the next list.
                live.extend(
                    Self::ask(handle, |reply| Message::Live { reply })
                        .await
                        .unwrap_or_default(),
                );
            }
            live.sort_by(|left, right| {
                (left.began_at, &left.call).cmp(&(right.began_at, &right.call))
            });
            Ok(live)
        })
    }

    fn reset_attempts<'a>(
        &'a self,
        actor: &'a Actor,
        call: &'a CallId,
        kind: WidgetKind,
    ) -> Task<'a, Result<(), DeskError>> {
        Box::pin(async move {
            may_reset(actor)?;
            let handle = self.0.handle(call).ok_or(DeskError::NotFound)?;
            let actor = actor.clone();
            Self::ask(&handle, |reply| Message::ResetAttempts {
                actor,
                kind,
                reply,
            })
            .await
        })
    }

    fn reveal<'a>(
        &'a self,
        actor: &'a Actor,
        capture: &'a CaptureId,
        field: Field,
    ) -> Task<'a, Result<SecretBuffer, DeskError>> {
        Box::pin(async move {
            let handle = self.of_capture(actor, capture)?;
            let allowed = authorize(actor, Permission::CaptureViewBasic, Resource::Installation);
            allowed.map_err(|_| DeskError::NotFound)?;
            let (capture, actor) = (capture.clone(), actor.clone());
            Self::ask(&handle, |reply| {
                Message::Reveal(Showing {
                    capture,
                    actor,
                    field,
                    reply,
                })
            })
            .await
        })
    }
}

/// Supervisors see everybody's captures, without digits.
fn may_reset(actor: &Actor) -> Result<(), DeskError> {
    let right = Permission::CaptureResetAttempts;
    authorize(actor, right, Resource::Installation).map_err(|_| DeskError::NotFound)
}
