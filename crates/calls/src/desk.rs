//! All running calls, and the two doors to them: the telephone side and the agents' pages.
//! Owns: the table of calls, who may reach which.
//! Never: touches a call's state itself; every change is a message to its task.

use std::collections::{HashMap, HashSet};
use std::hash::RandomState;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use domain::access::{Actor, Permission, Resource, authorize};
use domain::availability::{Availability, Wish};
use domain::boundary::{
    Audience, Bus, CallEvents, CaptureAction, CaptureDesk, Desktops, EndCause, IncomingCall,
    LegCallIds, LineEvent, LiveEvent, PaymentGateway, Recorders, Store, Task, Telephony,
};
use domain::capture::{Field, Velocity, WidgetKind};
use domain::consumer::Consumer;
use domain::control::CallControl;
use domain::id::{CallId, CaptureId, DesktopId, UserId, WidgetId};
use domain::payment::PaymentForm;
use domain::time::WallClock;
use domain::view::{
    CallView, CaptureView, DeskError, LiveCapture, ReadOut, TransferFailure, TransferTarget,
};
use secret::{Arena, SecretBuffer};
use tokio::sync::{mpsc, oneshot};
use tokio_util::task::TaskTracker;

use crate::audit::AuditQueue;
use crate::codes::Codes;
use crate::configuration::Configuration;
use crate::phones::{Phones, tell_gone};
use crate::routing::Agents;
use crate::signals::Signals;
use crate::task::{LineMessage, Mail, Message, Showing, start};
use crate::transfer;

/// Messages of pages that may wait for one call. A page sends one at a time; when full it hears "busy".
pub(crate) const CALL_MAILBOX_MAX: usize = 64;

/// Reports of the telephone side that may wait for one call, out of the pages' reach: a handful in any second. When full nobody knows any more how
/// the line stands, so that protection counts as lost (keys, a lost mask and the end do not go through here).
const LINE_MAILBOX_MAX: usize = 64;

/// Between two looks whether the tasks have heard their calls' ends.
const DRAIN_LOOK: Duration = Duration::from_millis(10);

/// At the end of the server the trail gets at least so much time, whatever the charges took.
const FLUSH_MAX: Duration = Duration::from_secs(5);

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
    /// Pairing codes that agents have asked for.
    pub(crate) codes: Codes,
    wrong_codes: AtomicU64,
    /// How often payments were tried.
    pub(crate) velocity: Mutex<Velocity>,
    /// Charges run on after their call is gone.
    pub(crate) charges: TaskTracker,
    telephony: OnceLock<Arc<dyn Telephony>>,
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
    signals: Arc<Signals>,
    agent: Arc<Owner>,
}

/// Whose call it is; nobody's until it is routed to an agent.
#[derive(Default)]
struct Owner(Mutex<Option<UserId>>);

impl Owner {
    fn get(&self) -> Option<UserId> {
        self.lock().clone()
    }

    fn set(&self, agent: Option<&UserId>) {
        *self.lock() = agent.cloned();
    }

    fn is(&self, agent: &UserId) -> bool {
        self.lock().as_ref() == Some(agent)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Option<UserId>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    pub(crate) fn telephony(&self) -> Option<&Arc<dyn Telephony>> {
        self.telephony.get()
    }

    pub(crate) fn capture_opened(&self, capture: CaptureId, call: CallId, desktop: DesktopId) {
        let mut table = self.table();
        table.attempted.insert(call.clone());
        let opened = OpenedCapture { call, desktop };
        table.captures.insert(capture, opened);
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

    /// Signals of the calls that nobody has.
    pub(crate) fn signals_of_nobodys(&self) -> Vec<Arc<Signals>> {
        let table = self.table();
        let nobodys = (table.calls.values()).filter(|handle| handle.agent.get().is_none());
        nobodys.map(|handle| handle.signals.clone()).collect()
    }

    /// A pairing code was keyed that is none.
    pub(crate) fn note_wrong_code(&self) {
        self.wrong_codes.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn wrong_codes(&self) -> u64 {
        self.wrong_codes.load(Ordering::Relaxed)
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

    /// No calls yet. Must be made inside the async runtime: the audit queue's task starts here.
    #[must_use]
    pub fn new(deps: Deps) -> Self {
        let audit = AuditQueue::start(deps.store.clone());
        Self(Arc::new(Inner {
            deps,
            audit,
            agents: Agents::default(),
            phones: Phones::default(),
            codes: Codes::default(),
            wrong_codes: AtomicU64::default(),
            velocity: Mutex::new(Velocity::new(RandomState::new())),
            charges: TaskTracker::new(),
            telephony: OnceLock::new(),
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
        for handle in self.0.table().calls.values() {
            handle.signals.refresh();
        }
    }

    /// Once all calls have ended: waits until no charge is on its way and every entry of the trail is written, at most `limit`.
    pub async fn drain(&self, limit: Duration) {
        let until = tokio::time::Instant::now() + limit;
        while self.has_unheard_end() && tokio::time::Instant::now() < until {
            tokio::time::sleep(DRAIN_LOOK).await;
        }
        self.0.charges.close();
        if tokio::time::timeout_at(until, self.0.charges.wait())
            .await
            .is_err()
        {
            tracing::error!("alarm: charges are still on their way at the end of the server");
        }
        self.0
            .audit
            .flush(until.max(tokio::time::Instant::now() + FLUSH_MAX))
            .await;
    }

    fn has_unheard_end(&self) -> bool {
        let unheard =
            |handle: &Handle| handle.signals.ended().is_some() && !handle.signals.is_end_heard();
        self.0.table().calls.values().any(unheard)
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

    fn tell(&self, call: &CallId, message: LineMessage) {
        if let Some(handle) = self.0.handle(call)
            && let Err(mpsc::error::TrySendError::Full(_)) = handle.line.try_send(message)
        {
            tracing::error!(%call, "a call's mailbox is full; an event was dropped");
            handle.signals.protection_lost("events_lost");
        }
    }
}

impl CallEvents for Calls {
    fn incoming(&self, call: IncomingCall) {
        let Some(telephony) = self.0.telephony().cloned() else {
            return;
        };
        let id = call.id.clone();
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
        {
            let mut table = self.0.table();
            if table.calls.len() >= CALLS_MAX {
                drop(table);
                let _gone = telephony.reject(&id, 503);
                return;
            }
            table.calls.insert(id, handle);
        }
        start(self.0.clone(), telephony, call, mail);
    }

    fn ringing(&self, call: &CallId) {
        if let Some(handle) = self.0.handle(call) {
            handle.signals.refresh();
        }
    }

    fn answered(&self, call: &CallId, legs: LegCallIds) {
        self.tell(call, LineMessage::Answered(legs));
    }

    fn held(&self, call: &CallId, held: bool) {
        self.tell(call, LineMessage::Held(held));
    }

    fn transferred(&self, call: &CallId, outcome: Result<LegCallIds, TransferFailure>) {
        self.tell(call, LineMessage::Transferred(outcome));
    }

    fn ended(&self, call: &CallId, cause: EndCause) {
        if let Some(handle) = self.0.handle(call) {
            handle.signals.end(cause);
        } else if let Some(agent) = self.0.phones.test_ends(call) {
            tell_gone(&self.0, &agent, call);
        }
    }

    fn key_pressed(&self, call: &CallId) {
        if let Some(handle) = self.0.handle(call) {
            handle.signals.key_pressed();
        }
    }

    fn line(&self, call: &CallId, event: LineEvent) {
        match event {
            LineEvent::ProtectionLost(code) => {
                if let Some(handle) = self.0.handle(call) {
                    handle.signals.protection_lost(code);
                }
            }
            LineEvent::Silent
            | LineEvent::Back
            | LineEvent::TonesUnclear
            | LineEvent::KeysLost
            | LineEvent::PartyChanged => self.tell(call, LineMessage::Line(event)),
        }
    }

    fn registration(&self, user: &str, registered: bool) {
        let snapshot = self.0.deps.configuration.current();
        if let Some(agent) = snapshot.user_of_phone(user) {
            self.0.deps.bus.publish(LiveEvent {
                audience: Audience::User(agent.id.clone()),
                topic: "registration",
                body: serde_json::json!({ "registered": registered }),
            });
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
