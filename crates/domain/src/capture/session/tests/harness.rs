//! A session with a clock, a slot and a consumer.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use secret::{Arena, Key, Slot};

use crate::capture::field::FIRST_ENTRY;
use crate::capture::session::{AttemptsUsed, Effect, Event, Session};
use crate::capture::{Brand, CaptureState, Field, WidgetKind};
use crate::gateway::GatewayConfig;
use crate::id::{AttemptId, CallId, CaptureId, SinkId, WidgetId};
use crate::money::{Currency, Money};
use crate::service::{Sink, SinkHearing, SinkMedium};
use crate::time::UnixMillis;
use crate::view::{CaptureView, FieldView};
use crate::widget::{Prompt, Widget, WidgetOptions};

/// 2026-11-15T12:00:00Z.
pub(super) const CLOCK: UnixMillis = UnixMillis(1_794_744_000_000);

pub(super) const VISA: &str = "4111111111111111";
pub(super) const MASTERCARD: &str = "5555555555554444";
pub(super) const AMEX: &str = "378282246310005";

pub(super) fn widget(kind: WidgetKind, options: WidgetOptions) -> Widget {
    Widget {
        id: WidgetId::from_random(3),
        kind,
        title: "Take a payment".to_owned(),
        enabled: true,
        prompts: kind
            .fields()
            .iter()
            .map(|field| Prompt {
                field: *field,
                text: format!("please key your {}", field.label()),
            })
            .collect(),
        translations: crate::widget::Translations::new(),
        card_types: BTreeSet::from(Brand::ALL),
        options,
        gateway: kind.is_advanced().then(gateway),
    }
}

pub(super) fn gateway() -> GatewayConfig {
    serde_json::from_value(serde_json::json!({
        "service_url": "https://gateway.example/pay",
        "success_key": "result",
        "success_value": "ok",
    }))
    .unwrap()
}

pub(super) fn sink(name: &str, medium: SinkMedium, hears: SinkHearing) -> Sink {
    Sink {
        id: name.parse::<SinkId>().unwrap(),
        name: name.to_owned(),
        medium,
        hears,
        control: None,
    }
}

pub(super) struct Stage {
    pub(super) session: Session,
    pub(super) slot: Slot,
    pub(super) now: Instant,
    pub(super) effects: Vec<Effect>,
    start: Instant,
}

impl Stage {
    pub(super) fn new(kind: WidgetKind) -> Self {
        Self::with(kind, WidgetOptions::default(), Vec::new())
    }

    pub(super) fn with(kind: WidgetKind, options: WidgetOptions, sinks: Vec<Sink>) -> Self {
        Self::after(widget(kind, options), sinks, AttemptsUsed::default())
    }

    pub(super) fn after(widget: Widget, sinks: Vec<Sink>, used: AttemptsUsed) -> Self {
        let now = Instant::now();
        let session = Session::open(
            CaptureId::from_random(1),
            CallId::from_random(2),
            Arc::new(widget),
            sinks,
            now,
            used,
        );
        let slot = Arena::new(1).unwrap().allocate().unwrap();
        let mut stage = Self {
            session,
            slot,
            now,
            effects: Vec::new(),
            start: now,
        };
        stage.drain();
        stage
    }

    /// Opened and protected.
    pub(super) fn armed(kind: WidgetKind) -> Self {
        Self::armed_with(kind, WidgetOptions::default())
    }

    pub(super) fn armed_with(kind: WidgetKind, options: WidgetOptions) -> Self {
        let mut stage = Self::with(kind, options, Vec::new());
        stage.event(Event::Protected);
        assert_eq!(stage.state(), CaptureState::Armed);
        stage
    }

    /// All fields obtained.
    pub(super) fn ready(kind: WidgetKind) -> Self {
        Self::ready_with(kind, WidgetOptions::default())
    }

    pub(super) fn ready_with(kind: WidgetKind, options: WidgetOptions) -> Self {
        let mut stage = Self::armed_with(kind, options);
        stage.key_all();
        assert_eq!(stage.state(), CaptureState::Ready);
        stage
    }

    /// Ready, and Process Payment pressed.
    pub(super) fn processing() -> Self {
        Self::processing_with(WidgetOptions::default())
    }

    pub(super) fn processing_with(options: WidgetOptions) -> Self {
        let mut stage = Self::ready_with(WidgetKind::CreditCardAdvanced, options);
        stage.process();
        assert_eq!(stage.state(), CaptureState::Processing);
        stage
    }

    pub(super) fn key_all(&mut self) {
        let fields = self.session.widget().kind.fields();
        self.event(Event::Listen(fields[0]));
        match fields[0] {
            Field::RoutingNumber => {
                self.keys("021000021");
                self.wait_ms(600);
                self.keys("0012345#");
            }
            _ => {
                self.keys(MASTERCARD);
                self.wait_ms(600);
                self.keys("1230");
                self.wait_ms(600);
                self.keys("123");
            }
        }
    }

    pub(super) fn process(&mut self) {
        self.event(Event::Process {
            attempt: AttemptId::from_random(9),
            reference: "7F2K-91QD".to_owned(),
            amount: Money::parse("120.50", Currency::USD).unwrap(),
            has_plan: false,
        });
    }

    pub(super) fn clock(&self) -> UnixMillis {
        let passed = self.now.duration_since(self.start).as_millis();
        CLOCK.plus_ms(i64::try_from(passed).unwrap())
    }

    pub(super) fn event(&mut self, event: Event) -> Vec<Effect> {
        let clock = self.clock();
        self.session.handle(self.now, clock, event, &mut self.slot);
        self.drain()
    }

    fn drain(&mut self) -> Vec<Effect> {
        let new: Vec<Effect> = std::iter::from_fn(|| self.session.poll_effect()).collect();
        self.effects.extend(new.iter().cloned());
        new
    }

    /// Keys, 100 ms apart.
    pub(super) fn keys(&mut self, keys: &str) {
        for byte in keys.bytes() {
            self.now += Duration::from_millis(100);
            let key = match byte {
                b'*' => Key::Star,
                b'#' => Key::Pound,
                digit => Key::from_event(digit - b'0').unwrap(),
            };
            self.event(Event::Key(key));
        }
    }

    /// Time passes; each time-out is handled when it is reached.
    pub(super) fn wait_ms(&mut self, ms: u64) {
        let until = self.now + Duration::from_millis(ms);
        while let Some(at) = self.session.next_timeout().filter(|at| *at <= until) {
            self.now = self.now.max(at);
            self.event(Event::Timeout);
        }
        self.now = until;
    }

    pub(super) fn wait(&mut self, s: u64) {
        self.wait_ms(s * 1_000);
    }

    pub(super) fn state(&self) -> CaptureState {
        self.session.state()
    }

    pub(super) fn view(&self) -> CaptureView {
        self.session.view(self.now, self.clock(), &self.slot)
    }

    pub(super) fn field(&self, field: Field) -> FieldView {
        self.view()
            .fields
            .into_iter()
            .find(|view| view.field == field)
            .unwrap()
    }

    pub(super) fn kept(&self, field: Field) -> usize {
        let first = if field == Field::AccountNumber {
            self.slot.len(FIRST_ENTRY)
        } else {
            0
        };
        first + self.slot.len(field.slot_index())
    }

    /// Digits in the whole slot.
    pub(super) fn kept_in_all(&self) -> usize {
        Field::ALL.iter().map(|field| self.kept(*field)).sum()
    }
}
