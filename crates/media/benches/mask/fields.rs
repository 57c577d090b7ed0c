//! Fields keyed over bad lines, into the capture that takes them: a value that is accepted is the value that was keyed.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use domain::capture::session::{AttemptsUsed, Event, Session};
use domain::capture::{Brand, Field, WidgetKind, check, fixtures};
use domain::id::{CallId, CaptureId, WidgetId};
use domain::time::UnixMillis;
use domain::view::FieldState;
use domain::widget::{Widget, WidgetOptions};
use secret::{Arena, Key, Slot};

use crate::class::{self, Class};
use crate::dice::Dice;
use crate::rig::{self, Told};
use crate::scene;
use crate::speech::Speech;

/// Classes whose keys and lines the fields are keyed with, call by call.
const CONDITIONS: [&str; 10] = [
    "loss05",
    "loss1",
    "loss3",
    "loss10",
    "jitter60",
    "reorder5",
    "noise12",
    "talk15",
    "rfc_loss1",
    "rfc_rough5",
];

/// Fields of a call.
const CALL_FIELDS: usize = 10;

/// The fields of which none may be accepted wrong.
pub(crate) const FIELDS: [Field; 3] =
    [Field::CardNumber, Field::SecurityCode, Field::AccountNumber];

/// `#` ends a field, as an event code.
const POUND: u8 = 11;

/// 2026-11-15T12:00:00Z.
const CLOCK: UnixMillis = UnixMillis(1_794_744_000_000);

/// What became of the fields of a kind.
#[derive(Default, Clone, Copy)]
pub(crate) struct Fields {
    keyed: usize,
    right: usize,
    refused: usize,
    unclear: usize,
    wrong_accepted: usize,
}

impl Fields {
    pub(crate) fn add(&mut self, other: Self) {
        self.keyed += other.keyed;
        self.right += other.right;
        self.refused += other.refused;
        self.unclear += other.unclear;
        self.wrong_accepted += other.wrong_accepted;
    }

    pub(crate) fn line(&self, field: Field) -> String {
        format!(
            "{{\"fields\": \"{}\", \"keyed\": {}, \"right\": {}, \"refused\": {}, \"unclear\": {}, \"wrong_accepted\": {}}}",
            field.label(),
            self.keyed,
            self.right,
            self.refused,
            self.unclear,
            self.wrong_accepted
        )
    }

    /// The bound that is missed, if it is.
    pub(crate) fn missed(&self, field: Field) -> Option<String> {
        let what = format!(
            "{} {} fields accepted wrong",
            self.wrong_accepted,
            field.label()
        );
        (self.keyed == 0 || self.wrong_accepted > 0).then_some(what)
    }
}

/// Calls in which so many fields are keyed.
pub(crate) fn calls(fields: usize) -> usize {
    fields.div_ceil(CALL_FIELDS)
}

/// Plays call `index` of `fields` fields of a kind.
pub(crate) fn play(field: Field, fields: usize, index: usize, speech: &Speech) -> Fields {
    let name = CONDITIONS[index % CONDITIONS.len()];
    let class: Class = class::all()
        .into_iter()
        .find(|class| class.name == name)
        .expect("conditions are classes");
    let mut dice = Dice::new((index as u64) << 8 | field as u64);
    let left = CALL_FIELDS.min(fields - index * CALL_FIELDS);
    let keyed: Vec<Vec<u8>> = (0..left).map(|_| value(field, &mut dice)).collect();
    let (scene, begins) = scene::build_fields(&class, &keyed, index as u64, speech);
    let told = rig::play(&scene).told;
    let mut sum = Fields::default();
    for (at, keyed) in keyed.iter().enumerate() {
        let until = begins.get(at + 1).copied().unwrap_or(usize::MAX);
        let window: Vec<(usize, Told)> = told
            .iter()
            .filter(|(moment, _)| (begins[at]..until).contains(moment))
            .copied()
            .collect();
        sum.add(take(field, begins[at], &window, keyed));
    }
    sum
}

/// What a consumer keys: a test card's number, any code, any account; half of them end with `#`.
fn value(field: Field, dice: &mut Dice) -> Vec<u8> {
    let mut ends = dice.chance(0.5);
    let mut keys: Vec<u8> = match field {
        Field::AccountNumber => {
            let count = check::ACCOUNT_DIGITS_MIN
                + dice.below(check::ACCOUNT_DIGITS_MAX + 1 - check::ACCOUNT_DIGITS_MIN);
            any_digits(count, dice)
        }
        Field::SecurityCode => any_digits(3, dice),
        Field::CardNumber | Field::Expiry | Field::RoutingNumber => {
            let card = fixtures::CARDS[dice.below(fixtures::CARDS.len())];
            // A number that may be the beginning of a longer one is refused without it.
            ends |= card.number.len() == 13;
            card.number.bytes().map(|byte| byte - b'0').collect()
        }
    };
    if ends {
        keys.push(POUND);
    }
    keys
}

fn any_digits(count: usize, dice: &mut Dice) -> Vec<u8> {
    (0..count).map(|_| dice.below(10) as u8).collect()
}

/// What a capture that listens from `begin` on makes of what it is told.
fn take(field: Field, begin: usize, told: &[(usize, Told)], keyed: &[u8]) -> Fields {
    let mut capture = Capture::listening(field, begin);
    for (at, told) in told {
        capture.tell(*at, *told);
    }
    let last = told.last().map_or(begin, |(at, _)| *at);
    capture.run_to(last + scene::FIELD_REST);
    let digits = keyed.strip_suffix(&[POUND]).unwrap_or(keyed);
    let is_unclear = told.iter().any(|(_, told)| *told == Told::Unclear);
    let (accepted, same) = (
        capture.state() == FieldState::Obtained,
        capture.entered == digits,
    );
    Fields {
        keyed: 1,
        right: usize::from(accepted && same),
        wrong_accepted: usize::from(accepted && !same),
        unclear: usize::from(!accepted && is_unclear),
        refused: usize::from(!accepted && !is_unclear),
    }
}

/// A capture on the call's time.
struct Capture {
    session: Session,
    slot: Slot,
    field: Field,
    began: Instant,
    now: Instant,
    /// The codes that stand in the field, or stood when it was accepted.
    entered: Vec<u8>,
}

impl Capture {
    fn listening(field: Field, begin: usize) -> Self {
        let kind = if field == Field::AccountNumber {
            WidgetKind::CheckBasic
        } else {
            WidgetKind::CreditCardBasic
        };
        let began = Instant::now();
        let session = Session::open(
            CaptureId::from_random(1),
            CallId::from_random(2),
            Arc::new(widget(kind)),
            Vec::new(),
            began,
            AttemptsUsed::default(),
        );
        let slot = Arena::new(1)
            .ok()
            .and_then(|arena| arena.allocate())
            .expect("an arena of one slot has one");
        let mut capture = Self {
            session,
            slot,
            field: Field::CardNumber,
            began,
            now: began,
            entered: Vec::new(),
        };
        capture.event(Event::Protected);
        if field == Field::SecurityCode {
            capture.key_card();
        }
        capture.field = field;
        capture.entered.clear();
        capture.event(Event::Listen(field));
        capture.began = capture.now + MOVED - duration(begin);
        capture.run_to(begin);
        capture
    }

    /// The card that a security code belongs to, keyed without a fault.
    fn key_card(&mut self) {
        self.event(Event::Listen(Field::CardNumber));
        for byte in fixtures::CARDS[6].number.bytes() {
            self.now += Duration::from_millis(100);
            self.event(key(byte - b'0'));
        }
        self.now += MOVED;
        self.event(Event::Timeout);
    }

    fn event(&mut self, event: Event) {
        let passed = self.now.saturating_duration_since(self.began).as_millis();
        let clock = CLOCK.plus_ms(i64::try_from(passed).unwrap_or(0));
        self.session.handle(self.now, clock, event, &mut self.slot);
        while self.session.poll_effect().is_some() {}
    }

    /// Time passes to sample `at` of the call.
    fn run_to(&mut self, at: usize) {
        let to = self.began + duration(at);
        while let Some(due) = self.session.next_timeout().filter(|due| *due <= to) {
            self.now = self.now.max(due);
            self.event(Event::Timeout);
        }
        self.now = self.now.max(to);
    }

    fn tell(&mut self, at: usize, told: Told) {
        self.run_to(at);
        let had = self.state();
        let code = match told {
            Told::Unclear => return self.event(Event::TonesUnclear),
            Told::Key(code) => code,
        };
        self.event(key(code));
        let stands = self.slot.len(self.field.slot_index());
        match self.state() {
            FieldState::Keying if stands == 1 => self.entered = vec![code],
            FieldState::Keying if stands > self.entered.len() => self.entered.push(code),
            FieldState::Obtained if had != FieldState::Obtained && code < 10 => {
                self.entered.push(code);
            }
            _ => {}
        }
    }

    fn state(&self) -> FieldState {
        let view = self.session.view(self.now, CLOCK, &self.slot);
        let row = view.fields.iter().find(|row| row.field == self.field);
        row.map_or(FieldState::Idle, |row| row.state)
    }
}

/// After this a field that was moved to has settled, and what spilled from the last one has ended: 1.5 s.
const MOVED: Duration = Duration::from_millis(1_500);

fn duration(samples: usize) -> Duration {
    Duration::from_micros(125) * samples as u32
}

fn key(code: u8) -> Event {
    Event::Key(Key::from_event(code).expect("codes are keys"))
}

fn widget(kind: WidgetKind) -> Widget {
    Widget {
        id: WidgetId::from_random(3),
        kind,
        title: "fields".into(),
        enabled: true,
        prompts: Vec::new(),
        translations: domain::widget::Translations::new(),
        card_types: BTreeSet::from(Brand::ALL),
        options: WidgetOptions::default(),
        gateway: None,
    }
}
