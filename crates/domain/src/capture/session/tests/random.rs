//! Random events, ten thousand at a time: nothing panics, nothing stays behind, nothing is charged that is not complete.

use std::collections::BTreeMap;
use std::time::Duration;

use secret::{Arena, Key, Slot};

use super::harness::*;
use super::table::samples;
use crate::capture::session::{AttemptsUsed, Effect, Event};
use crate::capture::{CaptureState, Field, WidgetKind};
use crate::gateway::NotSentReason;
use crate::service::{Sink, SinkHearing, SinkMedium};
use crate::view::FieldState;
use crate::widget::{SecurityCodeRule, WidgetOptions};

const STEPS: usize = 10_000;

/// xorshift64*, so that a seed is the whole reference.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        let high = self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 33;
        usize::try_from(high).unwrap() % sides
    }

    fn heads(&mut self) -> bool {
        self.roll(2) == 0
    }
}

fn options(dice: &mut Dice) -> WidgetOptions {
    let rules = [
        SecurityCodeRule::Required,
        SecurityCodeRule::Optional,
        SecurityCodeRule::NotCaptured,
    ];
    WidgetOptions {
        security_code: rules[dice.roll(3)],
        reveal_security_code: dice.heads(),
        show_brand_and_last_four: dice.heads(),
        star_clears: dice.roll(4) > 0,
        pound_ends: dice.roll(4) > 0,
        attempts_max: u8::try_from(1 + dice.roll(9)).unwrap(),
        process_max: u8::try_from(1 + dice.roll(5)).unwrap(),
        session_limit_min: u16::try_from(2 + dice.roll(9)).unwrap(),
        mute_while_keying: dice.heads(),
        process_after_hang_up: dice.heads(),
        account_number_twice: dice.heads(),
        ..WidgetOptions::default()
    }
}

fn recorders() -> Vec<Sink> {
    vec![
        sink("pbx", SinkMedium::Call, SinkHearing::Unmasked),
        sink("screen", SinkMedium::Screen, SinkHearing::Masked),
    ]
}

/// What the world around the session holds.
struct World {
    stage: Stage,
    taken: Option<Slot>,
    masked: bool,
    muted: bool,
    paused: BTreeMap<String, bool>,
}

impl World {
    fn new(dice: &mut Dice, kind: WidgetKind, used: AttemptsUsed) -> Self {
        let sinks = if dice.heads() {
            recorders()
        } else {
            Vec::new()
        };
        let stage = Stage::after(widget(kind, options(dice)), sinks, used);
        let mut world = Self {
            stage,
            taken: None,
            masked: false,
            muted: false,
            paused: BTreeMap::new(),
        };
        let effects = std::mem::take(&mut world.stage.effects);
        world.carry_out(effects);
        world
    }

    fn event(&mut self, event: Event) {
        if matches!(event, Event::NotSent(_))
            && self.stage.state() == CaptureState::Processing
            && let Some(slot) = self.taken.take()
        {
            self.stage.slot = slot;
        }
        let effects = self.stage.event(event);
        self.stage.effects.clear();
        self.carry_out(effects);
        self.check();
    }

    fn carry_out(&mut self, effects: Vec<Effect>) {
        for effect in effects {
            match effect {
                Effect::Protect => self.masked = true,
                Effect::Unprotect => self.masked = false,
                Effect::Mute(on) => self.muted = on,
                Effect::PauseSink(id) => {
                    self.paused.insert(id.to_string(), true);
                }
                Effect::ResumeSink(id) => {
                    assert!(
                        self.stage.session.widget().kind.is_advanced()
                            || self.stage.kept_in_all() == 0,
                        "a recorder goes on while digits are kept"
                    );
                    self.paused.insert(id.to_string(), false);
                }
                Effect::Charge => self.charge(),
                Effect::Closed => {
                    assert!(!self.masked && !self.muted, "closed but not let go");
                    assert!(self.paused.values().all(|paused| !paused));
                }
                Effect::Changed | Effect::Audit(..) | Effect::Alarm(_) => {}
            }
        }
    }

    /// The slot is complete; the charge takes it.
    fn charge(&mut self) {
        for row in &self.stage.session.rows {
            let kept = self.stage.kept(row.field);
            let complete = match (row.state, row.field) {
                (FieldState::NotAvailable, _) => kept == 0,
                (FieldState::Obtained, Field::CardNumber) => (13..=19).contains(&kept),
                (FieldState::Obtained, Field::Expiry) => kept == 4,
                (FieldState::Obtained, Field::SecurityCode) => (3..=4).contains(&kept),
                (FieldState::Obtained, Field::RoutingNumber) => kept == 9,
                (FieldState::Obtained, Field::AccountNumber) => (4..=17).contains(&kept),
                _ => false,
            };
            assert!(complete, "{:?} {:?}", row.field, row.state);
        }
        let fresh = Arena::new(1).unwrap().allocate().unwrap();
        self.taken = Some(std::mem::replace(&mut self.stage.slot, fresh));
    }

    fn check(&self) {
        let stage = &self.stage;
        let state = stage.state();
        let may_keep = matches!(
            state,
            CaptureState::Collecting
                | CaptureState::Invalid
                | CaptureState::Ready
                | CaptureState::Frozen
                | CaptureState::NotSent
        );
        assert!(may_keep || stage.kept_in_all() == 0, "{state:?}");
        for row in &stage.session.rows {
            let kept = stage.kept(row.field);
            let may_hold = match row.state {
                FieldState::Keying | FieldState::Slow | FieldState::Obtained => true,
                FieldState::Invalid | FieldState::Locked => row.shown_invalid,
                FieldState::Waiting => row.second_entry,
                FieldState::Idle | FieldState::NotAvailable => false,
            };
            assert!(may_hold || kept == 0, "{:?} {:?}", row.field, row.state);
        }
        if let Some(at) = stage.session.next_timeout() {
            assert!(at > stage.now, "a time-out that was reached did not fire");
        }
        let view = stage.view();
        let listening = view.listening.is_some();
        let frozen = state == CaptureState::Frozen;
        assert!(
            !listening || frozen || super::super::is_taking(state),
            "{state:?}"
        );
        assert!(!frozen || view.fields.iter().all(|row| !row.revealable));
        let advanced = stage.session.widget().kind.is_advanced();
        assert!(!advanced || view.fields.iter().all(|row| !row.revealable));
    }

    /// Something that consumers and agents do on purpose, so that random walks get far.
    fn sensible(&mut self, dice: &mut Dice) {
        let field = self.stage.view().listening;
        let keys = match field {
            Some(Field::CardNumber) => {
                [VISA, MASTERCARD, AMEX, "4111111111111112", "9"][dice.roll(5)]
            }
            Some(Field::Expiry) => ["1230", "1026", "13"][dice.roll(3)],
            Some(Field::SecurityCode) => ["123", "1234", "12"][dice.roll(3)],
            Some(Field::RoutingNumber) => ["021000021", "123456789"][dice.roll(2)],
            Some(Field::AccountNumber) => ["0012345", "12"][dice.roll(2)],
            None => {
                let missing = self.stage.view().missing;
                match missing.first() {
                    Some(field) => self.event(Event::Listen(*field)),
                    None => self.stage_process(),
                }
                return;
            }
        };
        self.wait(600);
        for key in keys.bytes().chain(dice.heads().then_some(b'#')) {
            self.stage.now += Duration::from_millis(80);
            let key = match key {
                b'#' => Key::Pound,
                digit => Key::from_event(digit - b'0').unwrap(),
            };
            self.event(Event::Key(key));
        }
    }

    fn stage_process(&mut self) {
        let process = samples()
            .into_iter()
            .find(|event| matches!(event, Event::Process { .. }));
        self.event(process.unwrap());
    }

    fn wait(&mut self, ms: u64) {
        self.stage.now += Duration::from_millis(ms);
        self.event(Event::Timeout);
    }
}

fn walk(seed: u64, kind: WidgetKind) -> usize {
    let mut dice = Dice(seed);
    let events = samples();
    let mut world = World::new(&mut dice, kind, AttemptsUsed::default());
    let mut charges = 0;
    for _ in 0..STEPS {
        if world.stage.session.is_closed() || dice.roll(400) == 0 {
            let used = if dice.heads() {
                world.stage.session.attempts_used()
            } else {
                AttemptsUsed::default()
            };
            world = World::new(&mut dice, kind, used);
        }
        charges += usize::from(world.stage.state() == CaptureState::Processing);
        match dice.roll(20) {
            0..=5 => world.sensible(&mut dice),
            6..=8 => {
                world.event(Event::Protected);
                for recorder in recorders() {
                    world.event(Event::SinkPaused(recorder.id));
                }
            }
            9..=11 => {
                let longest = [500, 3_000, 11_000, 70_000][dice.roll(4)];
                let ms = u64::try_from(dice.roll(longest)).unwrap();
                world.wait(ms);
            }
            12 if world.stage.state() == CaptureState::Processing => {
                world.event(Event::NotSent(NotSentReason::Connect));
            }
            _ => {
                let event = events[dice.roll(events.len())].clone();
                // A walk that hangs up at every turn gets nowhere.
                if !matches!(event, Event::CallEnded | Event::Cancel) || dice.roll(8) == 0 {
                    world.event(event);
                }
            }
        }
    }
    charges
}

#[test]
fn ten_thousand_random_steps_keep_every_promise() {
    for kind in WidgetKind::ALL {
        let mut charges = 0;
        for seed in 1..=6 {
            println!("seed {seed} {kind:?}");
            charges += walk(seed * 7_919, kind);
        }
        assert_eq!(charges > 0, kind.is_advanced(), "{kind:?}: {charges}");
    }
}
