//! The task of one call.
//! Owns: the call, its open capture, the capture's arena slot, and the order in which things happen to them.
//! Never: waits for a page, a phone or a gateway: what takes time runs beside it and reports back.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use domain::access::{Actor, User};
use domain::audit::{AuditAction, AuditEntry};
use domain::boundary::{
    Audience, CaptureAction, ConnectedCall, EgressTally, LegCallIds, LineEvent, LiveEvent,
    ProtectionRefused, Referral, StoreError, Telephony,
};
use domain::call::Call;
use domain::capture::{AttemptsUsed, Field, WidgetKind};
use domain::consumer::Consumer;
use domain::control::CallControl;
use domain::desktop::Desktop;
use domain::evidence::Evidence;
use domain::id::{CaptureId, UserId, WidgetId};
use domain::outbound::DialStep;
use domain::payment::{Outcome, PaymentForm};
use domain::service::{Service, Sink};
use domain::view::{
    CallState, CallView, CaptureView, DeskError, LiveCapture, ReadOut, TransferFailure,
};
use secret::{KeyReceiver, SecretBuffer};
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinSet;

use crate::buttons;
use crate::charge::Progress;
use crate::controls::Keypad;
use crate::desk::Inner;
use crate::mask::Mask;
use crate::open_capture::OpenCapture;
use crate::pairing::{Asked, Named, Pairing};
use crate::signals::Signals;
use crate::transfer::Transfer;
use crate::waiting::{Waits, next_turn};

/// An ended call waits this long for its capture to be closed on the page.
const LINGER: Duration = Duration::from_secs(600);

/// Keys taken from the ring at one go: its whole size. More come at the next signal.
const KEYS_AT_ONCE: usize = 64;

pub(crate) type Reply<T> = oneshot::Sender<Result<T, DeskError>>;

/// What the telephone side reports of a call.
pub(crate) enum LineMessage {
    Answered(LegCallIds),
    /// What rang for a call that waits did not answer.
    Unreached,
    Dialled(DialStep),
    Held(bool),
    Transferred(Result<LegCallIds, TransferFailure>),
    Referred(Referral),
    Line(LineEvent),
}

/// What the pages ask of a call.
pub(crate) enum Message {
    View {
        reply: Reply<CallView>,
    },
    Consumer {
        actor: Actor,
        consumer: Consumer,
        reply: Reply<()>,
    },
    Control {
        actor: Actor,
        control: CallControl,
        reply: Reply<CallView>,
    },
    Open {
        actor: Actor,
        widget: WidgetId,
        reply: Reply<CaptureView>,
    },
    Capture {
        capture: CaptureId,
        reply: Reply<CaptureView>,
    },
    Act {
        capture: CaptureId,
        action: CaptureAction,
        reply: Reply<CaptureView>,
    },
    Process {
        capture: CaptureId,
        actor: Actor,
        form: PaymentForm,
        key: String,
        reply: Reply<CaptureView>,
    },
    ReadOut {
        capture: CaptureId,
        actor: Actor,
        form: PaymentForm,
        agreed: bool,
        reply: Reply<ReadOut>,
    },
    Reveal(Showing),
    Live {
        reply: Reply<Vec<LiveCapture>>,
    },
    ResetAttempts {
        actor: Actor,
        kind: WidgetKind,
        reply: Reply<()>,
    },
    /// Whose call it is.
    Pairing(Asked),
}

/// A Basic value that an agent asked to see.
pub(crate) struct Showing {
    pub(crate) capture: CaptureId,
    pub(crate) actor: Actor,
    pub(crate) field: Field,
    pub(crate) reply: Reply<SecretBuffer>,
}

/// What ran beside the task and is done.
pub(crate) enum Done {
    Protect(Option<CaptureId>, Result<(), ProtectionRefused>),
    Paused(RecorderAnswer),
    Resumed(RecorderAnswer),
    /// A recorder that had confirmed its pause does not keep it.
    Broken(RecorderAnswer),
    /// What was watched has come to its end.
    Unwatched,
    /// A recording that was about to begin runs, or will not.
    RecordingSettled,
    /// That a value is shown is in the trail, or could not be entered.
    Recorded(Showing, Result<(), StoreError>),
}

/// What a recorder said.
pub(crate) struct RecorderAnswer {
    pub(crate) capture: CaptureId,
    pub(crate) sink: Sink,
    pub(crate) asked: Instant,
    pub(crate) result: Result<(), &'static str>,
}

/// Where a call's task is reached.
pub(crate) struct Mail {
    pub(crate) line: mpsc::Receiver<LineMessage>,
    pub(crate) messages: mpsc::Receiver<Message>,
    pub(crate) signals: Arc<Signals>,
}

/// A running call.
pub(crate) struct CallTask {
    pub(crate) inner: Arc<Inner>,
    pub(crate) telephony: Arc<dyn Telephony>,
    pub(crate) call: Call,
    pub(crate) keys: KeyReceiver,
    pub(crate) egress: Arc<EgressTally>,
    pub(crate) service: Arc<Service>,
    pub(crate) desktop: Option<Arc<Desktop>>,
    pub(crate) agent: Option<Arc<User>>,
    /// Whose page is the agent's phone on this call; none: a phone of its own.
    pub(crate) browser: Option<UserId>,
    pub(crate) keypad: Keypad,
    pub(crate) transfer: Option<Transfer>,
    /// It waits for an agent, or for whoever is called instead.
    pub(crate) waits: Option<Waits>,
    pub(crate) pairing: Pairing,
    pub(crate) open: Option<OpenCapture>,
    /// Whose screens of other calls are withheld for the open capture's sake.
    pub(crate) withheld: Option<UserId>,
    pub(crate) mask: Mask,
    /// The call was to be recorded by this server, and is not.
    pub(crate) is_recording_failed: bool,
    /// Alarms that captures of this call have raised.
    pub(crate) alarms: u64,
    /// Attempts count per call and widget kind, across captures (S14).
    pub(crate) attempts: HashMap<WidgetKind, AttemptsUsed>,
    /// Presses of Process Payment that were taken up, of all widgets.
    pub(crate) presses: u32,
    pub(crate) work: JoinSet<Done>,
    pub(crate) progress: Option<mpsc::Receiver<Progress>>,
}

/// What a call begins with.
pub(crate) struct Beginning {
    pub(crate) call: Call,
    pub(crate) keys: KeyReceiver,
    pub(crate) egress: Arc<EgressTally>,
    pub(crate) service: Arc<Service>,
    pub(crate) desktop: Option<Arc<Desktop>>,
    pub(crate) agent: Option<Arc<User>>,
    pub(crate) browser: Option<UserId>,
}

/// Takes a call out of the table however its task ends.
pub(crate) struct Registered {
    pub(crate) inner: Arc<Inner>,
    pub(crate) telephony: Arc<dyn Telephony>,
    pub(crate) call: domain::id::CallId,
    pub(crate) over: bool,
}

impl Drop for Registered {
    fn drop(&mut self) {
        self.inner.queue.gone(&self.call, false);
        self.inner.agents.release_all(&self.call, crate::now());
        if !self.over {
            let _gone = self.telephony.hang_up(&self.call);
        }
        self.inner.deps.recorders.ended(&self.call);
        self.inner.remove(&self.call);
    }
}

impl CallTask {
    pub(crate) fn new(
        inner: Arc<Inner>,
        telephony: Arc<dyn Telephony>,
        beginning: Beginning,
    ) -> Self {
        Self {
            inner,
            telephony,
            call: beginning.call,
            keys: beginning.keys,
            egress: beginning.egress,
            service: beginning.service,
            desktop: beginning.desktop,
            agent: beginning.agent,
            browser: beginning.browser,
            keypad: Keypad::default(),
            transfer: None,
            waits: None,
            pairing: Pairing::default(),
            open: None,
            withheld: None,
            mask: Mask::default(),
            is_recording_failed: false,
            alarms: 0,
            attempts: HashMap::new(),
            presses: 0,
            work: JoinSet::new(),
            progress: None,
        }
    }

    pub(crate) fn begin(&mut self, named: Option<Named>) {
        self.pair_named(named);
        self.tell_browser_ring();
        self.settle_listening();
        self.settle_pairing();
        self.publish_call();
    }

    pub(crate) async fn run(&mut self, mail: Mail) {
        let Mail {
            mut line,
            mut messages,
            signals,
        } = mail;
        let mut over_at: Option<tokio::time::Instant> = None;
        loop {
            let wake = self.open.as_ref().and_then(OpenCapture::next_timeout);
            let wake = wake.map(tokio::time::Instant::from_std);
            let paired = self.pairing.next_timeout();
            let paired = paired.map(tokio::time::Instant::from_std);
            let look = self.mask.next_timeout().map(tokio::time::Instant::from_std);
            tokio::select! {
                () = signals.wait() => self.take_signals(&signals),
                Some(event) = line.recv() => self.handle_line(event),
                message = messages.recv() => match message {
                    Some(message) => self.handle_message(message).await,
                    None => return,
                },
                Some(done) = self.work.join_next(), if !self.work.is_empty() => self.handle_done(done),
                turn = next_turn(&mut self.waits) => self.take_turn(turn),
                progress = next_progress(&mut self.progress) => self.handle_progress(progress),
                () = sleep_until(wake) => self.capture_event(domain::capture::Event::Timeout),
                () = sleep_until(look) => self.settle_mask(),
                () = sleep_until(paired) => self.settle_pairing(),
                () = sleep_until(over_at) => {
                    if self.put_away() {
                        return;
                    }
                    over_at = None;
                }
            }
            if self.call.state() == CallState::Ended {
                if self.open.is_none() && self.work.is_empty() {
                    return;
                }
                over_at.get_or_insert_with(|| tokio::time::Instant::now() + LINGER);
            }
        }
    }

    /// The agent may have another call, after the work that this one leaves.
    pub(crate) fn free_agent(&self) {
        let Some(agent) = &self.agent else { return };
        let answered = self.call.was_answered();
        let work = if answered {
            self.service.after_call_s
        } else {
            0
        };
        let work = Duration::from_secs(work.into());
        let (inner, now) = (&self.inner, crate::now());
        if inner.agents.release(&agent.id, self.call.id(), now, work) {
            inner.publish_availability(&agent.id);
            inner.queue.stir();
        }
    }

    fn take_signals(&mut self, signals: &Signals) {
        if let Some(code) = signals.take_protection_lost() {
            self.mask_lost(code);
        }
        if signals.take_keys() {
            for _ in 0..KEYS_AT_ONCE {
                let Some(key) = self.keys.pop() else { break };
                self.mask.note_key();
                self.capture_event(domain::capture::Event::Key(key));
            }
            self.take_agent_keys();
        }
        if let Some(cause) = signals.ended()
            && self.call.state() != CallState::Ended
        {
            tracing::info!(call = %self.call.id(), ?cause, "a call ended");
            self.note_dial_end(cause);
            self.leave_queue(cause);
            self.call.ended(self.inner.deps.clock.now());
            self.drop_transfer();
            self.tell_browser_gone();
            self.settle_pairing();
            self.free_agent();
            self.inner.deps.recorders.hung_up(self.call.id());
            self.capture_event(domain::capture::Event::CallEnded);
            self.publish_call();
            signals.hear_end();
        }
        if signals.take_refresh() {
            self.cancel_without_right();
            self.settle_listening();
            self.settle_pairing();
            self.publish_call();
        }
    }

    async fn handle_message(&mut self, message: Message) {
        match message {
            Message::View { reply } => {
                let _gone = reply.send(Ok(self.view()));
            }
            Message::Consumer {
                actor,
                consumer,
                reply,
            } => {
                let answer = self.tell_consumer(&actor, consumer).await;
                let _gone = reply.send(answer);
            }
            Message::Control {
                actor,
                control,
                reply,
            } => {
                let _gone = reply.send(self.control(actor, control));
            }
            Message::Open {
                actor,
                widget,
                reply,
            } => {
                let answer = self.open_capture(actor, &widget).await;
                let _gone = reply.send(answer);
            }
            Message::Capture { capture, reply } => {
                let _gone = reply.send(self.capture_view(&capture));
            }
            Message::Act {
                capture,
                action,
                reply,
            } => {
                let answer = self.act(&capture, action);
                let _gone = reply.send(answer);
            }
            Message::Process {
                capture,
                actor,
                form,
                key,
                reply,
            } => {
                let answer = self.process(&capture, actor, form, key);
                let _gone = reply.send(answer);
            }
            Message::ReadOut {
                capture,
                actor,
                form,
                agreed,
                reply,
            } => {
                let answer = self.read_out(&capture, &actor, form, agreed).await;
                let _gone = reply.send(answer);
            }
            Message::Reveal(showing) => self.reveal(showing),
            Message::Live { reply } => {
                let _gone = reply.send(Ok(self.live()));
            }
            Message::ResetAttempts { actor, kind, reply } => {
                let answer = self.reset_attempts(&actor, kind).await;
                let _gone = reply.send(answer);
            }
            Message::Pairing(asked) => self.handle_pairing(asked),
        }
    }

    fn handle_line(&mut self, message: LineMessage) {
        match message {
            LineMessage::Answered(legs) => {
                tracing::info!(call = %self.call.id(), "a call is connected");
                self.waits_no_more();
                self.call.answered(self.inner.deps.clock.now());
                let recorders = &self.inner.deps.recorders;
                recorders.connected(self.as_connected(&legs));
                self.answered_at(legs);
                self.await_recording();
                self.settle_listening();
                self.protect_always();
                self.publish_call();
            }
            LineMessage::Unreached => self.unreached(),
            LineMessage::Dialled(step) => {
                self.call.dial_step(step);
                self.publish_call();
            }
            LineMessage::Held(held) => self.held_by_phone(held),
            LineMessage::Transferred(outcome) => self.transferred(outcome),
            LineMessage::Referred(referral) => self.referred(&referral),
            LineMessage::Line(event) => self.handle_line_event(event),
        }
    }

    /// The call as recorders know it.
    pub(crate) fn as_connected<'a>(&'a self, legs: &'a LegCallIds) -> ConnectedCall<'a> {
        ConnectedCall {
            id: self.call.id(),
            called: self.call.called(),
            caller_number: self.call.caller_number(),
            service: &self.service,
            agent: self.agent.as_deref(),
            legs,
        }
    }

    fn handle_line_event(&mut self, event: LineEvent) {
        use domain::capture::Event;
        match event {
            LineEvent::Silent | LineEvent::Back => {
                let silent = event == LineEvent::Silent;
                self.call.line_silent(silent);
                self.capture_event(Event::LineSilent(silent));
                self.publish_call();
            }
            LineEvent::ProtectionLost(code) => self.mask_lost(code),
            LineEvent::TonesUnclear => self.capture_event(Event::TonesUnclear),
            LineEvent::KeysLost => self.capture_event(Event::KeysLost),
            LineEvent::PartyChanged => self.capture_event(Event::PartyChanged),
        }
    }

    fn handle_done(&mut self, done: Result<Done, tokio::task::JoinError>) {
        use domain::capture::Event;
        let Ok(done) = done else {
            tracing::error!(call = %self.call.id(), "work beside a call broke off");
            return self.mask_unanswered();
        };
        match done {
            Done::Protect(capture, answer) => self.mask_answered(capture, answer),
            Done::Paused(answer) => {
                self.note_recorder("pause", AuditAction::RecorderPaused, &answer);
                if self.is_open(&answer.capture) {
                    if answer.result.is_ok() && answer.sink.control.is_some() {
                        self.watch_recorder(answer.capture.clone(), answer.sink.clone());
                    }
                    self.capture_event(match answer.result {
                        Ok(()) => Event::SinkPaused(answer.sink.id),
                        Err(code) => Event::SinkRefused(answer.sink.id, code),
                    });
                } else if answer.result.is_ok() && self.open.is_none() {
                    // Its capture was gone before it said so, and had it go on too early.
                    self.ask_recorder(answer.capture, answer.sink, false);
                }
            }
            Done::Resumed(answer) => {
                self.note_recorder("resume", AuditAction::RecorderResumed, &answer);
                if let Err(code) = answer.result {
                    let (call, sink) = (self.call.id(), answer.sink.id);
                    tracing::error!(%call, %sink, code, "alarm: a recorder did not resume");
                }
            }
            Done::Broken(answer) => {
                self.note_recorder("keep", AuditAction::RecorderPaused, &answer);
                let sink = answer.sink.id.clone();
                if let (true, Err(code)) = (self.is_open(&answer.capture), answer.result) {
                    self.capture_event(Event::SinkRefused(sink, code));
                }
                // By now nothing is keyed or shown any more that was to be kept from it.
                self.ask_recorder(answer.capture, answer.sink, false);
            }
            Done::Unwatched => {}
            Done::RecordingSettled => self.recording_settled(),
            Done::Recorded(showing, recorded) => self.show(showing, recorded),
        }
    }

    /// What a recorder said is part of the capture's evidence.
    fn note_recorder(&self, asked: &str, done: AuditAction, answer: &RecorderAnswer) {
        let action = match answer.result {
            Ok(()) => done,
            Err(_) => AuditAction::RecorderRefused,
        };
        let after = crate::now().saturating_duration_since(answer.asked);
        let now = self.inner.deps.clock.now();
        let entry = AuditEntry::new(
            now,
            &Actor::system(),
            action,
            Evidence::object(&answer.capture),
        )
        .with("recorder", answer.sink.name.as_str())
        .with("medium", answer.sink.medium.name())
        .with(
            "answered_ms",
            u64::try_from(after.as_millis()).unwrap_or(u64::MAX),
        );
        let entry = match answer.result {
            Ok(()) => entry,
            Err(code) => entry.with("asked", asked).with("reason", code),
        };
        self.inner.audit.append(entry);
    }

    fn handle_progress(&mut self, progress: Option<Progress>) {
        use domain::capture::Event;
        match progress {
            Some(Progress::Sent) => self.capture_event(Event::ChargeSent),
            Some(Progress::Answered(answer)) => {
                self.progress = None;
                let outcome = answer.verdict.outcome;
                self.capture_event(Event::Answered(outcome, answer.message, answer.status));
            }
            Some(Progress::NotSent(reason, slot)) => {
                self.progress = None;
                if let (Some(open), Some(slot)) = (&mut self.open, slot) {
                    open.slot = slot;
                }
                self.capture_event(Event::NotSent(reason));
            }
            // The charge broke off without a word: whatever it did, nobody may do it again.
            None => {
                self.progress = None;
                self.capture_event(Event::Answered(Outcome::Unknown, String::new(), None));
            }
        }
    }

    pub(crate) fn is_open(&self, capture: &CaptureId) -> bool {
        self.open.as_ref().is_some_and(|open| open.id == *capture)
    }

    /// The call as its agent's page shows it.
    pub(crate) fn view(&self) -> CallView {
        let now = crate::now();
        let clock = self.inner.deps.clock.now();
        let capture = self.open.as_ref().map(|open| open.view(now, clock));
        self.call.view(self.recording(), buttons::of(self), capture)
    }

    pub(crate) fn publish_call(&self) {
        if let Some(agent) = self.call.agent() {
            let body = serde_json::to_value(self.view()).unwrap_or_default();
            let audience = Audience::User(agent.clone());
            self.inner.deps.bus.publish(LiveEvent {
                audience,
                topic: "call",
                body,
            });
        }
    }

    pub(crate) fn publish_capture(&self) {
        let (Some(agent), Some(open)) = (self.call.agent(), &self.open) else {
            return;
        };
        let view = open.view(crate::now(), self.inner.deps.clock.now());
        let body = serde_json::to_value(view).unwrap_or_default();
        let audience = Audience::User(agent.clone());
        self.inner.deps.bus.publish(LiveEvent {
            audience,
            topic: "capture",
            body,
        });
    }
}

async fn sleep_until(at: Option<tokio::time::Instant>) {
    match at {
        Some(at) => tokio::time::sleep_until(at).await,
        None => std::future::pending().await,
    }
}

async fn next_progress(progress: &mut Option<mpsc::Receiver<Progress>>) -> Option<Progress> {
    match progress {
        Some(receiver) => receiver.recv().await,
        None => std::future::pending().await,
    }
}
