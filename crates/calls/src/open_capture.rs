//! The capture that is open on a call.
//! Owns: the session with its slot, what an agent may ask of it, and carrying out its effects.
//! Never: judges a field; the session does.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError};
use std::time::Instant;

use domain::access::{Actor, Permission, Resource, authorize};
use domain::audit::{AuditAction, AuditEntry};
use domain::boundary::{Audited, CaptureAction, Change, Charge, EgressSeen, StoreError};
use domain::capture::{CaptureState, Effect, Event, Field, Ruling, Session};
use domain::gate::pass_gates;
use domain::gateway::{GatewayConfig, NotSentReason, Once};
use domain::id::{AttemptId, CaptureId, DesktopId, SinkId, WidgetId};
use domain::payment::{Arrangement, AttemptState, Payment, PaymentForm};
use domain::recording::RecordingMoment;
use domain::service::{Sink, SinkHearing};
use domain::time::UnixMillis;
use domain::view::{CaptureView, DeskError};
use domain::widget::{CardNumberShown, Widget};
use secret::{SecretBuffer, Slot};
use tokio::sync::mpsc;

use crate::buttons;
use crate::charge::{ChargeRun, PROGRESS_MAX};
use crate::task::{CallTask, Done, RecorderAnswer, Showing};

/// Most that runs beside a call at a time: its recorders' answers, the mask's, and values that are asked for.
const WORK_MAX: usize = 64;

/// Longest Basic value that is revealed: 19 digits of a card, with room.
const REVEAL_BYTES_MAX: usize = 32;

/// Idempotency keys remembered per capture: one per press of Process Payment, which a widget bounds at 5, and a supervisor may give back twice.
const KEYS_MAX: usize = 16;

/// An open capture.
pub(crate) struct OpenCapture {
    pub(crate) id: CaptureId,
    pub(crate) session: Session,
    pub(crate) slot: Slot,
    pub(crate) actor: Actor,
    sinks: Vec<Sink>,
    /// Presses of Process Payment by their idempotency key.
    pressed: HashMap<String, AttemptId>,
    /// What is to be charged: the form holds what is due now.
    pending: Option<(Payment, PaymentForm, Actor)>,
    /// The text that was shown to be read out, and where the call's recording was then (S20).
    pub(crate) read_from: Option<(String, Option<RecordingMoment>)>,
    /// The text that the customer agreed to (S20).
    pub(crate) agreed: Option<String>,
    /// What the egress guard had seen when the line was protected for it last.
    pub(crate) guarded_from: EgressSeen,
}

impl OpenCapture {
    pub(crate) fn next_timeout(&self) -> Option<Instant> {
        self.session.next_timeout()
    }

    pub(crate) fn view(&self, now: Instant, clock: UnixMillis) -> CaptureView {
        self.session.view(now, clock, &self.slot)
    }
}

impl CallTask {
    /// Opens a widget: all gates, then the audit entry, then the session.
    pub(crate) async fn open_capture(
        &mut self,
        actor: Actor,
        widget: &WidgetId,
    ) -> Result<CaptureView, DeskError> {
        let widget = self.may_open(&actor, widget)?;
        let slot = self.inner.deps.arena.allocate().ok_or(DeskError::Busy)?;
        let id = CaptureId::from_random(rand::random());
        let entry = AuditEntry::new(
            self.inner.deps.clock.now(),
            &actor,
            AuditAction::CaptureOpened,
            format!("capture {id}"),
        );
        let entry = entry
            .with("call", self.call.id().as_str())
            .with("call_began_at", self.call.began_at().0)
            .with("widget", widget.id.as_str())
            .with("kind", widget.kind.name());
        let commit = self
            .inner
            .deps
            .store
            .commit(Audited {
                change: Change::None,
                entry,
            })
            .await;
        commit.map_err(|_| DeskError::Unrecordable)?;
        self.inner.audit.note_written();
        if self.inner.audit.is_broken() {
            return Err(DeskError::Unrecordable);
        }
        let sinks = self.sinks_to_pause(&widget);
        let attempts = self.attempts.get(&widget.kind).copied().unwrap_or_default();
        let session = Session::open(
            id.clone(),
            self.call.id().clone(),
            widget,
            sinks.clone(),
            crate::now(),
            attempts,
        )
        .with_book(self.inner.deps.configuration.current().routing.clone());
        if let Some(desktop) = &self.desktop {
            self.inner
                .capture_opened(id.clone(), self.call.id().clone(), desktop.id.clone());
        }
        while self.keys.pop().is_some() {}
        let pressed = HashMap::new();
        self.open = Some(OpenCapture {
            id: id.clone(),
            session,
            slot,
            actor,
            sinks,
            pressed,
            pending: None,
            read_from: None,
            agreed: None,
            guarded_from: EgressSeen::default(),
        });
        self.carry_out_all();
        self.publish_call();
        self.capture_view(&id)
    }

    fn may_open(&self, actor: &Actor, widget: &WidgetId) -> Result<Arc<Widget>, DeskError> {
        let snapshot = self.inner.deps.configuration.current();
        let desktop = buttons::desktop_now(self).ok_or(DeskError::NotFound)?;
        let widget =
            pass_gates(&snapshot.settings, &desktop, widget, actor).map_err(DeskError::Gate)?;
        match buttons::disabled(self, widget) {
            Some(reason) => Err(DeskError::Disabled(reason)),
            None => Ok(Arc::new(widget.clone())),
        }
    }

    /// Basic pauses every recorder, this server's own among them; Advanced only those that do not sit behind the mask (S21).
    fn sinks_to_pause(&self, widget: &Widget) -> Vec<Sink> {
        let snapshot = self.inner.deps.configuration.current();
        let service = snapshot
            .services
            .iter()
            .find(|service| service.id == self.service.id);
        let declared = service
            .and_then(|service| service.recorders.as_ref())
            .map(|declaration| &declaration.sinks);
        let hears =
            |sink: &&Sink| !widget.kind.is_advanced() || sink.hears == SinkHearing::Unmasked;
        let own = self.inner.deps.recorders.own(self.call.id());
        // One that was declared when the call came in may record it still, also by what this server sends it.
        let before = self.service.recorders.iter();
        let before = before.flat_map(|declaration| &declaration.sinks);
        let now: Vec<&Sink> = declared.into_iter().flatten().collect();
        let is_gone = |sink: &&Sink| {
            sink.control.is_some() && !now.iter().any(|known| known.control == sink.control)
        };
        now.iter()
            .copied()
            .chain(before.filter(is_gone))
            .chain(&own)
            .filter(hears)
            .cloned()
            .collect()
    }

    pub(crate) fn capture_view(&self, capture: &CaptureId) -> Result<CaptureView, DeskError> {
        let open = self
            .open
            .as_ref()
            .filter(|open| open.id == *capture)
            .ok_or(DeskError::NotFound)?;
        Ok(open.view(crate::now(), self.inner.deps.clock.now()))
    }

    pub(crate) fn act(
        &mut self,
        capture: &CaptureId,
        action: CaptureAction,
    ) -> Result<CaptureView, DeskError> {
        let before = self.capture_view(capture)?;
        let event = match action {
            CaptureAction::Listen(field) => Event::Listen(field),
            CaptureAction::Rest => Event::Rest,
            CaptureAction::Recapture(field) => Event::Recapture(field),
            CaptureAction::NotAvailable(field) => Event::NotAvailable(field),
            CaptureAction::CustomerSpeaking => Event::Speaking(true),
            CaptureAction::CustomerSpoke => Event::Speaking(false),
            CaptureAction::KeepOpen => Event::KeepOpen,
            CaptureAction::TryAgain => Event::TryAgain,
            CaptureAction::Done => Event::Done,
            CaptureAction::ConfirmGone => Event::ConfirmGone,
            CaptureAction::SamePerson => Event::SamePerson,
            CaptureAction::OtherPerson => Event::OtherPerson,
            CaptureAction::Cancel => Event::Cancel,
            CaptureAction::Close => Event::Close,
        };
        let session = self.open.as_ref().map(|open| &open.session);
        if session.is_some_and(|session| session.ruling(crate::now(), &event) == Ruling::Refused) {
            return Err(DeskError::WrongState(before.state));
        }
        self.capture_event(event);
        match self.capture_view(capture) {
            Ok(view) => Ok(view),
            // Cancel and Close take the capture away: the page gets its last state.
            Err(_) => Ok(CaptureView {
                state: closed_state(action, before.state),
                ..before
            }),
        }
    }

    /// Process Payment. A key that was pressed before yields the attempt that it made.
    pub(crate) fn process(
        &mut self,
        capture: &CaptureId,
        actor: Actor,
        form: PaymentForm,
        key: String,
    ) -> Result<CaptureView, DeskError> {
        let before = self.capture_view(capture)?;
        let Some(open) = &mut self.open else {
            return Err(DeskError::NotFound);
        };
        if open.pressed.contains_key(&key) {
            return Ok(before);
        }
        if open.session.state() != CaptureState::Ready || open.pressed.len() >= KEYS_MAX {
            return Err(DeskError::WrongState(open.session.state()));
        }
        let now = self.inner.deps.clock.now();
        let form = self.charged(form)?;
        self.check_agreed(&actor, &form)?;
        let (form, arrangement) = self.due_now(form)?;
        self.brake(&actor)?;
        let Some(open) = &mut self.open else {
            return Err(DeskError::NotFound);
        };
        let desktop = self.desktop.as_ref().map(|desktop| desktop.id.clone());
        let payment = new_payment(open, &actor, &before, desktop, &form, now);
        let payment = Payment {
            arrangement,
            ..payment
        };
        let event = Event::Process {
            attempt: payment.attempt.clone(),
            reference: payment.reference.clone(),
            amount: form.amount,
            has_plan: payment.has_own_schedule(),
        };
        open.pressed.insert(key.clone(), payment.attempt.clone());
        open.pending = Some((payment, form, actor));
        self.capture_event(event);
        let Some(open) = &mut self.open else {
            return Err(DeskError::NotFound);
        };
        // Still there: the session did not take the press up, for a time-out came first or no press is left.
        if open.pending.take().is_some() {
            open.pressed.remove(&key);
            return Err(DeskError::WrongState(open.session.state()));
        }
        self.presses = self.presses.saturating_add(1);
        self.capture_view(capture)
    }

    /// The form as it is charged.
    pub(crate) fn charged(&self, form: PaymentForm) -> Result<PaymentForm, DeskError> {
        let open = self.open.as_ref().ok_or(DeskError::NotFound)?;
        let widget = open.session.widget();
        form.charged(
            widget.kind.payment_type(),
            &widget.options,
            self.call.consumer(),
            self.inner.deps.clock.now().latest_day(),
        )
        .map_err(DeskError::Form)
    }

    /// What of a charged form is charged now, and what is left to later days.
    fn due_now(&self, form: PaymentForm) -> Result<(PaymentForm, Option<Arrangement>), DeskError> {
        let open = self.open.as_ref().ok_or(DeskError::NotFound)?;
        match &open.session.widget().gateway {
            Some(gateway) => form.due_now(gateway).map_err(DeskError::Form),
            None => Ok((form, None)),
        }
    }

    /// Counts a press, or refuses it before anything is recorded as intended. Somebody who tries cards out is to be seen: it is audited and alarms.
    fn brake(&self, actor: &Actor) -> Result<(), DeskError> {
        let open = self.open.as_ref().ok_or(DeskError::NotFound)?;
        let velocity = &self.inner.velocity;
        let mut velocity = velocity.lock().unwrap_or_else(PoisonError::into_inner);
        let payment_type = open.session.widget().kind.payment_type();
        let account = velocity.digest(payment_type, &open.slot);
        let taken = velocity.take(&actor.user, self.presses, account, crate::now());
        drop(velocity);
        taken.map_err(|limit| {
            let (call, capture) = (self.call.id(), &open.id);
            tracing::error!(%call, %capture, limit = limit.code(), "alarm: too many payments are tried");
            let object = format!("capture {capture}");
            let now = self.inner.deps.clock.now();
            let entry = AuditEntry::new(now, actor, AuditAction::ChargeRefused, object);
            self.inner.audit.append(entry.with("limit", limit.code()));
            DeskError::TooManyCharges(limit)
        })
    }

    /// The rights of a capture's agent may have gone meanwhile: what is open then ends. Other gates only keep the next one from being opened (S2).
    pub(crate) fn cancel_without_right(&mut self) {
        let Some(open) = &self.open else { return };
        if !buttons::has_right(self, open.session.widget()) {
            tracing::warn!(call = %self.call.id(), capture = %open.id, "a capture's agent has lost the right to it");
            self.capture_event(Event::Cancel);
        }
    }

    /// Shows a Basic value once that it is shown is on disk (S15). The call goes on meanwhile.
    pub(crate) fn reveal(&mut self, showing: Showing) {
        let refused = match self.check_showing(&showing) {
            Ok(_) if self.work.len() >= WORK_MAX => Some(DeskError::Busy),
            Ok(_) => None,
            Err(error) => Some(error),
        };
        if let Some(error) = refused {
            let _gone = showing.reply.send(Err(error));
            return;
        }
        let object = format!("capture {}", showing.capture);
        let now = self.inner.deps.clock.now();
        let entry = AuditEntry::new(now, &showing.actor, AuditAction::ValueShown, object)
            .with("field", showing.field.label());
        let store = self.inner.deps.store.clone();
        self.work.spawn(async move {
            let change = Change::None;
            let recorded = store.commit(Audited { change, entry }).await;
            Done::Recorded(showing, recorded.map(drop))
        });
    }

    /// What has ended while its showing was recorded is not shown.
    pub(crate) fn show(&mut self, showing: Showing, recorded: Result<(), StoreError>) {
        let answer = recorded
            .map_err(|_| DeskError::Unrecordable)
            .and_then(|()| self.shown(&showing));
        let _gone = showing.reply.send(answer);
    }

    fn check_showing(&self, showing: &Showing) -> Result<&OpenCapture, DeskError> {
        let right = Permission::CaptureViewBasic;
        authorize(&showing.actor, right, Resource::Installation)
            .map_err(|_| DeskError::NotFound)?;
        let open = self
            .open
            .as_ref()
            .filter(|open| open.id == showing.capture)
            .ok_or(DeskError::NotFound)?;
        if !open.session.may_reveal(showing.field, crate::now()) {
            return Err(DeskError::WrongState(open.session.state()));
        }
        Ok(open)
    }

    fn shown(&mut self, showing: &Showing) -> Result<SecretBuffer, DeskError> {
        let field = showing.field;
        let open = self.check_showing(showing)?;
        let mut buffer = SecretBuffer::with_capacity(REVEAL_BYTES_MAX);
        let digits = open.slot.digits(field.slot_index());
        let last_four = field == Field::CardNumber
            && open.session.widget().options.card_number_shown == CardNumberShown::LastFour;
        let hidden = if last_four {
            digits.len().saturating_sub(4)
        } else {
            0
        };
        let shown = digits
            .part(hidden..digits.len())
            .ok_or(DeskError::NotFound)?;
        let written = buffer.push_digits(&shown);
        written.map_err(|_| DeskError::Busy)?;
        if let Some(open) = &mut self.open {
            open.session.note_shown(field, crate::now());
        }
        Ok(buffer)
    }

    /// Takes the capture of an ended call off the screen, because nobody has. False while a charge is on its way: its answer comes first.
    pub(crate) fn put_away(&mut self) -> bool {
        for event in [Event::Close, Event::Cancel] {
            let session = self.open.as_ref().map(|open| &open.session);
            if session
                .is_some_and(|session| session.ruling(crate::now(), &event) == Ruling::Allowed)
            {
                self.capture_event(event);
            }
        }
        let state = self.open.as_ref().map(|open| open.session.state());
        if state == Some(CaptureState::Processing) {
            return false;
        }
        if let Some(open) = self.open.take() {
            self.leave_unconfirmed(&open);
            self.settle_withheld();
        }
        true
    }

    /// Nobody has said that a Basic value is gone from every other window: its recorders stay paused, and someone must be told.
    fn leave_unconfirmed(&self, open: &OpenCapture) {
        let (call, capture) = (self.call.id(), &open.id);
        tracing::error!(%call, %capture, "alarm: nobody confirmed that a value is gone; its recorders stay paused");
        let entry = AuditEntry::new(
            self.inner.deps.clock.now(),
            &Actor::system(),
            AuditAction::CaptureEnded,
            format!("capture {capture}"),
        );
        let entry = entry.with("state", open.session.state().label());
        self.inner
            .audit
            .append(entry.with("reason", "not_confirmed"));
        self.inner.capture_closed(capture);
        self.publish_call();
    }

    /// Gives the session an event and carries out what it asks for.
    pub(crate) fn capture_event(&mut self, event: Event) {
        let clock = self.inner.deps.clock.now();
        let Some(open) = &mut self.open else { return };
        open.session
            .handle(crate::now(), clock, event, &mut open.slot);
        self.carry_out_all();
    }

    fn carry_out_all(&mut self) {
        let mut changed = false;
        let mut closed = false;
        while let Some(effect) = self
            .open
            .as_mut()
            .and_then(|open| open.session.poll_effect())
        {
            match effect {
                Effect::Changed => changed = true,
                Effect::Closed => closed = true,
                other => self.carry_out(other),
            }
        }
        if changed || closed {
            self.publish_capture();
        }
        if closed && let Some(open) = self.open.take() {
            self.attempts
                .insert(open.session.widget().kind, open.session.attempts_used());
            self.inner.capture_closed(&open.id);
            self.publish_call();
        }
        self.settle_withheld();
    }

    fn carry_out(&mut self, effect: Effect) {
        let Some(open) = &self.open else { return };
        let (capture, call) = (open.id.clone(), self.call.id().clone());
        match effect {
            Effect::Protect => self.ask_mask(capture),
            Effect::Unprotect => self.leave_mask(),
            Effect::Mute(on) => self.mute_consumer(on),
            Effect::PauseSink(sink) => self.pause(capture, &sink, true),
            Effect::ResumeSink(sink) => self.pause(capture, &sink, false),
            Effect::Charge => self.charge(),
            Effect::Alarm(code) => {
                let reason = open.session.reason();
                self.alarms += 1;
                tracing::error!(%call, %capture, code, reason, "alarm: a capture needs attention");
            }
            Effect::Audit(action, facts) => {
                let object = format!("capture {capture}");
                let entry =
                    AuditEntry::new(self.inner.deps.clock.now(), &open.actor, action, object);
                let entry = facts
                    .into_iter()
                    .fold(entry, |entry, (key, value)| entry.with(key, value));
                let entry = self.of_span(action, entry);
                self.inner.audit.append(entry);
            }
            Effect::Changed | Effect::Closed => {}
        }
    }

    fn pause(&mut self, capture: CaptureId, sink: &SinkId, on: bool) {
        let sinks = self.open.as_ref().map(|open| &open.sinks);
        let mut known = sinks.into_iter().flatten();
        if let Some(sink) = known.find(|known| known.id == *sink).cloned() {
            self.ask_recorder(capture, sink, on);
        }
    }

    /// Has a recorder paused, or let go on.
    pub(crate) fn ask_recorder(&mut self, capture: CaptureId, sink: Sink, on: bool) {
        let (recorders, call) = (self.inner.deps.recorders.clone(), self.call.id().clone());
        self.work.spawn(async move {
            let asked = crate::now();
            let result = match on {
                true => recorders.pause(&call, &sink).await,
                false => recorders.resume(&call, &sink).await,
            };
            let answer = RecorderAnswer {
                capture,
                sink,
                asked,
                result,
            };
            match on {
                true => Done::Paused(answer),
                false => Done::Resumed(answer),
            }
        });
    }

    /// Hears if a recorder that has confirmed its pause does not keep it. The watch ends with the pause.
    pub(crate) fn watch_recorder(&mut self, capture: CaptureId, sink: Sink) {
        let (recorders, call) = (self.inner.deps.recorders.clone(), self.call.id().clone());
        self.work.spawn(async move {
            let asked = crate::now();
            match recorders.broken(&call, &sink).await {
                Some(code) => Done::Broken(RecorderAnswer {
                    capture,
                    sink,
                    asked,
                    result: Err(code),
                }),
                None => Done::Unwatched,
            }
        });
    }

    /// What a request may tell of the call.
    fn facts(&self, agent: &Actor) -> Vec<(&'static str, String)> {
        vec![
            ("call.id", self.call.id().to_string()),
            ("call.called", self.call.called().to_owned()),
            ("agent.name", agent.name.clone()),
        ]
    }

    /// Moves the digits out of the session and lets the charge run beside the call.
    fn charge(&mut self) {
        let empty = self.inner.deps.arena.allocate();
        let Some(open) = &mut self.open else { return };
        let (Some((payment, form, actor)), Some(empty)) = (open.pending.take(), empty) else {
            self.capture_event(Event::NotSent(NotSentReason::Busy));
            return;
        };
        let widget = open.session.widget().clone();
        let Some(mut gateway) = gateway_for(&widget, &payment) else {
            self.capture_event(Event::NotSent(NotSentReason::Render));
            return;
        };
        let check = widget
            .options
            .check_facts(open.session.bank_name(&open.slot));
        let slot = std::mem::replace(&mut open.slot, empty);
        let (progress, reports) = mpsc::channel(PROGRESS_MAX);
        self.progress = Some(reports);
        let facts = self.facts(&actor);
        let inner = self.inner.clone();
        let run = ChargeRun {
            store: inner.deps.store.clone(),
            gateway: inner.deps.gateway.clone(),
            clock: inner.deps.clock.clone(),
            begin_plan: inner.plan_beginner(&actor, &payment),
            actor,
            payment: payment.clone(),
            progress,
        };
        let desktops = inner.deps.desktops.clone();
        let settings = &inner.deps.configuration.current().settings;
        let show_message = settings.response_variables.restrict(&mut gateway);
        gateway.more.cases.clear();
        self.inner.charges.spawn(async move {
            let stored = match desktops.gateway_credentials(&widget.id).await {
                Ok(stored) => stored,
                Err(error) => {
                    tracing::error!(%error, "the credentials of a gateway cannot be read; the charge was not sent");
                    return run.refuse(NotSentReason::Render, slot).await;
                }
            };
            // A store goes to an address of its own; what was entered for the widget's gateway was entered for both.
            let begun_with = widget.gateway.as_ref();
            if !begun_with.is_some_and(|gateway| stored.are_for(gateway)) {
                tracing::error!("a gateway was changed during a capture; its new credentials do not go to the old host");
                return run.refuse(NotSentReason::Render, slot).await;
            }
            let charge = Charge {
                attempt: payment.attempt,
                reference: payment.reference,
                kind: widget.kind,
                gateway,
                password: stored.password,
                secrets: stored.secrets,
                once: Once::from_random(inner.deps.clock.now(), rand::random()),
                form,
                slot,
                check,
                facts,
                show_message,
            };
            run.run(charge).await;
        });
    }
}

fn closed_state(action: CaptureAction, before: CaptureState) -> CaptureState {
    if action == CaptureAction::Cancel {
        CaptureState::Cancelled
    } else {
        before
    }
}

/// How an attempt is sent: as the sale, or as the store in its place; none: the widget does not say how.
fn gateway_for(widget: &Widget, payment: &Payment) -> Option<GatewayConfig> {
    let gateway = widget.gateway.as_ref()?;
    match payment.only_stores() {
        true => gateway.for_store(),
        false => Some(gateway.clone()),
    }
}

fn new_payment(
    open: &OpenCapture,
    actor: &Actor,
    view: &CaptureView,
    desktop: Option<DesktopId>,
    form: &PaymentForm,
    now: UnixMillis,
) -> Payment {
    let attempt = AttemptId::from_random(rand::random());
    let card = view
        .fields
        .iter()
        .find(|row| row.field == Field::CardNumber);
    let keeps_digits = open.session.widget().options.show_brand_and_last_four;
    let card = card.filter(|_| keeps_digits);
    Payment {
        reference: reference(&attempt),
        attempt,
        capture: open.id.clone(),
        call: view.call.clone(),
        widget: view.widget.id.clone(),
        desktop,
        kind: view.widget.kind,
        agent: actor.user.clone(),
        amount: form.amount,
        arrangement: None,
        brand: card.and_then(|row| row.brand),
        last_four: card.and_then(|row| row.last_four.clone()),
        state: AttemptState::Intent,
        message: String::new(),
        created_at: now,
        outputs: Vec::new(),
        changed_at: now,
    }
}

/// What people read to each other: eight characters of the attempt, 40 bits.
fn reference(attempt: &AttemptId) -> String {
    let text = attempt.as_str().to_ascii_uppercase();
    let tail = &text[text.len().saturating_sub(8)..];
    let (left, right) = tail.split_at(tail.len() / 2);
    format!("{left}-{right}")
}
