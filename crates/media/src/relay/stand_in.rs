//! What the consumer is sent in the agent's place: the signal of a hold, and keys that the agent presses on the page.
//! Owns: the signal, the keys that wait, the clock of both; whether the agent is heard at all.
//! Never: lets audio of the agent through while it stands in; counts, keeps or prints a key; makes one towards the agent.

use std::collections::VecDeque;
use std::time::Instant;

use secret::Key;

use super::egress::Framing;
use super::pace::Pace;
use super::plan::DropReason;
use super::side::{Arrival, Taken};
use super::{BEHIND_SPAN_MAX, Relay};
use crate::dtmf::inband::keypad::pair_of_event;
use crate::dtmf::telephone_event::{EventCode, EventPayload};
use crate::leg::Leg;
use crate::sample;
use crate::sample::duration_of;
use crate::tone::{FADE_SAMPLES, Fade, FlatTone, KeyTone, KeyToneShape};

/// Samples of a packet: 20 ms, whatever the agent's phone sends; every phone takes it.
const SPAN: u64 = 160;

const SPAN_SAMPLES: usize = 160;

/// Frequency of the hold's beep: a quiet note that is no keypad tone, no ringing or busy tone of any country, and not the mask's.
const BEEP_HZ: f32 = 440.0;

/// Its level, 8 dB below the flat tone: heard by whoever listens, not in the way of whoever speaks to somebody beside the phone.
const BEEP_DBM0: f32 = -24.0;

/// How long it sounds: 200 ms.
const BEEP_SPAN: u64 = 1_600;

/// From one beep to the next: 10 s. The first comes as the hold begins.
const BEEP_EVERY_SPAN: u64 = 80_000;

/// Frames of a key that sound: 60 ms. A receiver takes 40 ms and more (ITU-T Q.24).
const KEY_FRAMES: u8 = 3;

/// Frames of a key and the pause after it: 100 ms, so that ten keys are sent in a second.
const KEY_AND_PAUSE_FRAMES: u8 = 5;

/// Keys that wait: twice what the desk lets an agent be ahead of the line by. When full the newest is dropped.
const KEYS_MAX: usize = 32;

/// Level of an event that we claim: -10 dBm0.
const EVENT_VOLUME: u8 = 10;

/// Times an event's end is sent (RFC 4733 section 2.5.1.4).
const END_PACKETS: u8 = 3;

/// It stands in for the agent.
pub(super) struct StandIn {
    pace: Pace,
    act: Act,
}

enum Act {
    Hold(Beep),
    Keys(Keypad),
}

/// The signal of a hold: silence, and a beep now and then.
struct Beep {
    began: u64,
    tone: FlatTone,
    fade: Fade,
}

impl Beep {
    fn new(began: u64) -> Self {
        Self {
            began,
            tone: FlatTone::at_level(BEEP_HZ, BEEP_DBM0),
            fade: Fade::new(),
        }
    }

    fn at(&self, ts: u64) -> i16 {
        let place = ts.saturating_sub(self.began) % BEEP_EVERY_SPAN;
        if place >= BEEP_SPAN {
            return 0;
        }
        let edge = sample::length(place.min(BEEP_SPAN - 1 - place)).min(FADE_SAMPLES);
        sample::from_f32(self.tone.at(ts) * self.fade.weight(edge))
    }
}

/// Keys on their way to the consumer.
#[derive(Default)]
struct Keypad {
    waiting: VecDeque<Key>,
    pressed: Option<Pressed>,
}

/// A key that is being sent.
struct Pressed {
    code: EventCode,
    tone: Option<KeyTone>,
    began: u64,
    frames: u8,
}

impl Keypad {
    fn push(&mut self, key: Key) {
        if self.waiting.len() < KEYS_MAX {
            self.waiting.push_back(key);
        }
    }

    fn is_done(&self) -> bool {
        self.waiting.is_empty() && self.pressed.is_none()
    }

    /// The key that sounds in the frame at `ts`.
    fn frame(&mut self, ts: u64) -> Option<&mut Pressed> {
        if self.pressed.is_none() {
            let key = self.waiting.front_mut()?.take();
            self.waiting.pop_front();
            let code = EventCode::of(key);
            let pair = pair_of_event(code.octet());
            self.pressed = Some(Pressed {
                code,
                tone: pair.map(|pair| KeyTone::new(pair, KeyToneShape::default())),
                began: ts,
                frames: 0,
            });
        }
        self.pressed.as_mut()
    }
}

impl Drop for Keypad {
    fn drop(&mut self) {
        self.waiting.iter_mut().for_each(Key::wipe);
    }
}

impl Drop for Pressed {
    fn drop(&mut self) {
        self.code.wipe();
    }
}

impl StandIn {
    pub(super) fn next_timeout(&self) -> Instant {
        self.pace.next_timeout()
    }
}

/// Mute and hold.
impl Relay {
    /// Nothing of the agent reaches the consumer or the recorder from now on, or it does again. What began before that stays unheard.
    pub(super) fn mute_agent(&mut self, now: Instant, on: bool) {
        self.is_agent_muted = on;
        self.agent_from = self.agent_from.max(self.sides.agent.ingress.end(now));
        if on {
            self.sides.consumer.close_event(&mut self.outputs);
        }
    }

    /// Neither hears the other, and the consumer hears that the line lives; or all is as before.
    pub(super) fn hold(&mut self, now: Instant, on: bool) {
        if on == self.is_held {
            return;
        }
        self.is_held = on;
        self.comfort_noise = None;
        self.silence_consumer();
        self.end_stand_in();
        if on {
            self.sides.consumer.close_event(&mut self.outputs);
            self.sides.agent.close_event(&mut self.outputs);
            self.begin_stand_in(now, |began| Act::Hold(Beep::new(began)));
        }
    }

    /// Muted or on hold: nothing of the consumer is heard by anyone.
    pub(super) fn is_consumer_silenced(&self) -> bool {
        self.is_muted || self.is_held
    }

    /// Tells the mask whether the consumer is heard: not when silenced, and not by a mask that was lost.
    pub(super) fn silence_consumer(&mut self) {
        self.guard
            .mute(self.is_consumer_silenced() || self.is_lost());
    }

    /// The agent is not heard: muted, or something stands in.
    pub(super) fn is_agent_silenced(&self) -> bool {
        self.is_agent_muted || self.stand_in.is_some()
    }

    /// An event of the agent's that began at `ts` may be relayed.
    pub(super) fn may_relay_agent_event(&self, ts: u64) -> bool {
        !self.is_agent_silenced() && ts >= self.agent_from
    }

    /// Where the agent's audio goes on after something stood in: not before its end, and a clock that stood still meanwhile goes on from there.
    pub(super) fn follow_stand_in(
        &mut self,
        arrival: &Arrival<'_>,
        taken: &mut Taken<'_>,
    ) -> Result<(), DropReason> {
        let (from, placed) = (self.agent_from, &mut taken.placed);
        if placed.ts >= from {
            return Ok(());
        }
        if !placed.newest || placed.ts + BEHIND_SPAN_MAX >= from {
            return Err(DropReason::OutOfPlace);
        }
        placed.ts = from;
        let span = taken.span;
        let ingress = &mut self.sides.agent.ingress;
        ingress.move_to(arrival.received_at, &taken.header, span, from);
        Ok(())
    }
}

/// Keys.
impl Relay {
    /// Sends a key to the consumer after those that wait. On hold none is sent: nobody listens to it. It never counts, and an echo of it
    /// does not either (S31).
    pub(super) fn send_key(&mut self, now: Instant, key: Key) {
        if self.is_held {
            return;
        }
        if self.guard.is_protecting() {
            self.guard.tally.note_agent_key(key, now);
        }
        if self.stand_in.is_none() {
            self.sides.consumer.close_event(&mut self.outputs);
            self.begin_stand_in(now, |_| Act::Keys(Keypad::default()));
        }
        if let Some(StandIn {
            act: Act::Keys(keypad),
            ..
        }) = self.stand_in.as_deref_mut()
        {
            keypad.push(key);
        }
    }

    /// A capture begins: keys that wait are forgotten, one that sounds ends here.
    pub(super) fn drop_keys(&mut self) {
        let is_keying = |stand_in: &StandIn| matches!(stand_in.act, Act::Keys(_));
        if self.stand_in.as_deref().is_some_and(is_keying) {
            self.sides.consumer.close_event(&mut self.outputs);
            self.end_stand_in();
        }
    }
}

/// The clock.
impl Relay {
    fn begin_stand_in(&mut self, now: Instant, act: impl FnOnce(u64) -> Act) {
        let ingress = &self.sides.agent.ingress;
        let began = ingress.resume_ts(now, 0).max(self.agent_from);
        self.stand_in = Some(Box::new(StandIn {
            pace: Pace::new(began, SPAN, now + duration_of(SPAN)),
            act: act(began),
        }));
    }

    pub(super) fn end_stand_in(&mut self) {
        if let Some(stand_in) = self.stand_in.take() {
            self.agent_from = self.agent_from.max(stand_in.pace.end());
        }
    }

    /// Sends what is due in the agent's place.
    pub(super) fn stand_in(&mut self, now: Instant) {
        while let Some(mut stand_in) = self.stand_in.take() {
            let due = stand_in.pace.next(now);
            let sent = due.map(|ts| match &mut stand_in.act {
                Act::Hold(beep) => self.send_hold(ts, beep),
                Act::Keys(keypad) => self.send_keys(ts, keypad),
            });
            let is_done = matches!(&stand_in.act, Act::Keys(keypad) if keypad.is_done());
            self.stand_in = Some(stand_in);
            if let Some(Err(reason)) = sent {
                self.sides.of(Leg::Agent).note_drop(reason);
            }
            if is_done {
                self.end_stand_in();
            }
            if due.is_none() {
                return;
            }
        }
    }

    fn send_hold(&mut self, ts: u64, beep: &Beep) -> Result<(), DropReason> {
        let samples = std::array::from_fn(|place| beep.at(ts + sample::span(place)));
        self.send_own(ts, &samples)
    }

    /// The next frame of a key, as an event where the consumer's side knows them, else as its tones.
    fn send_keys(&mut self, ts: u64, keypad: &mut Keypad) -> Result<(), DropReason> {
        let Some(pressed) = keypad.frame(ts) else {
            return Ok(());
        };
        let sounds = pressed.frames < KEY_FRAMES;
        let sent = match self.sides.consumer.plan.telephone_event_out {
            Some(payload_type) if sounds => self.send_event(payload_type, pressed),
            Some(_) => Ok(()),
            None => {
                let mut samples = [0; SPAN_SAMPLES];
                if let (Some(tone), true) = (&mut pressed.tone, sounds) {
                    tone.add_to(&mut samples);
                }
                self.send_own(ts, &samples)
            }
        };
        pressed.frames += 1;
        if pressed.frames == KEY_AND_PAUSE_FRAMES {
            keypad.pressed = None;
        }
        sent
    }

    fn send_event(&mut self, payload_type: u8, pressed: &Pressed) -> Result<(), DropReason> {
        let frames = pressed.frames + 1;
        let end = frames == KEY_FRAMES;
        let span = u16::try_from(SPAN).unwrap_or(u16::MAX);
        let payload = EventPayload {
            code: pressed.code,
            end,
            volume: EVENT_VOLUME,
            duration: span.saturating_mul(frames.into()),
        };
        let sent = payload.in_clock(self.sides.consumer.plan.telephone_event_clock);
        let framing = Framing {
            payload_type,
            marker: pressed.frames == 0,
            ts: pressed.began,
            span: 0,
        };
        let consumer = &mut self.sides.consumer;
        for _ in 0..if end { END_PACKETS } else { 1 } {
            consumer.send(&mut self.outputs, framing, 0, &sent.to_bytes())?;
        }
        consumer.note_event(pressed.began, payload);
        Ok(())
    }

    fn send_own(&mut self, ts: u64, samples: &[i16; SPAN_SAMPLES]) -> Result<(), DropReason> {
        let consumer = &mut self.sides.consumer;
        let mut bytes = [0; SPAN_SAMPLES];
        let len = consumer.encoder.encode(samples, &mut bytes);
        let framing = Framing {
            payload_type: consumer.plan.payload_type_out,
            marker: false,
            ts,
            span: SPAN,
        };
        match consumer.send(&mut self.outputs, framing, 0, &bytes[..len]) {
            // The consumer's side is on hold of its own: it wants nothing.
            Err(DropReason::NotSending) => Ok(()),
            sent => sent,
        }
    }
}
