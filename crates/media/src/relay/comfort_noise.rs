//! Noise in the place of a consumer whose phone says how quiet it is and sends nothing (RFC 3389): for an agent who did not negotiate that, and for the
//! recorder.
//! Owns: its level, its place on the timeline, when its next packet is due.
//! Never: follows the spectrum that a packet may carry: it is white; sounds beside audio or keys; follows a level that was told under protection.

use std::time::{Duration, Instant};

use super::egress::Framing;
use super::guard::Heard;
use super::pace::Pace;
use super::plan::DropReason;
use super::side::Taken;
use super::timeline::TIMELINE_START;
use super::{Relay, way};
use crate::leg::Leg;
use crate::sample;
use crate::sample::duration_of;

/// The level's bits; the eighth is reserved.
const LEVEL_BITS: u8 = 0x7F;

/// Overload, from which levels count down: a square wave of this amplitude, G.711's loudest code.
const OVERLOAD: f32 = 32_124.0;

/// A packet of noise leaves this long after audio of its place would have come: audio that goes on is not overtaken by it.
const AFTER_AUDIO: Duration = Duration::from_millis(10);

/// Shortest packet of noise: 10 ms.
const SPAN_LEAST: u64 = 80;

/// Level of the noise of a protected call whose consumer's phone had told none before: 60 dB below overload, a quiet room.
pub(super) const LEVEL_UNTOLD: u8 = 60;

/// Who hears the noise.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Listener {
    /// The agent, and the recorder.
    Agent,
    /// The recorder alone: the agent's phone was told the level, and makes its own.
    Recorder,
}

/// Noise that runs.
pub(super) struct ComfortNoise {
    listener: Listener,
    peak: f32,
    state: u32,
    span: u64,
    pace: Pace,
}

impl ComfortNoise {
    /// Noise from `ts` on, which is the present at `at`, in packets of `span` samples.
    fn new(ts: u64, span: u64, at: Instant) -> Self {
        Self {
            listener: Listener::Agent,
            peak: 0.0,
            state: 1,
            span,
            pace: Pace::new(ts, span, at + duration_of(span) + AFTER_AUDIO),
        }
    }

    /// `level`: how far below overload, in dB. Samples spread evenly up to a peak have a third of its power.
    fn set_level(&mut self, level: u8) {
        let below = f32::from(level & LEVEL_BITS);
        self.peak = OVERLOAD * 10.0_f32.powf(-below / 20.0) * 3.0_f32.sqrt();
    }

    /// When [`Relay::make_noise`] is due.
    pub(super) fn next_timeout(&self) -> Instant {
        self.pace.next_timeout()
    }

    /// One past the newest sample made.
    pub(super) fn end(&self) -> u64 {
        self.pace.end()
    }

    /// The next packet's samples into the front of `linear`, if they are due: their timestamp and length.
    fn make(&mut self, now: Instant, linear: &mut [i16]) -> Option<(u64, usize)> {
        let ts = self.pace.next(now)?;
        let len = sample::length(self.span).min(linear.len());
        for value in &mut linear[..len] {
            *value = sample::from_f32(self.peak * self.even());
        }
        Some((ts, len))
    }

    /// From -1 to 1, all as likely: the upper half of a linear congruential generator.
    fn even(&mut self) -> f32 {
        self.state = self
            .state
            .wrapping_mul(1_664_525)
            .wrapping_add(1_013_904_223);
        f32::from(u16::try_from(self.state >> 16).unwrap_or(0)) / 32_767.5 - 1.0
    }
}

impl Relay {
    /// The consumer's phone says how quiet it is from now on. Under protection the level stays what it was: a microphone hears the keypad, too, and what a
    /// phone takes for its noise may be the sound of a key.
    pub(super) fn heed_noise(
        &mut self,
        taken: &Taken<'_>,
        listener: Listener,
    ) -> Result<(), DropReason> {
        let told = *taken.payload.first().ok_or(DropReason::Malformed)?;
        if !self.guard.is_protecting() {
            self.noise_level = told;
        }
        if self.is_consumer_silenced() || !taken.placed.newest {
            return Ok(());
        }
        let Some(mut noise) = self.comfort_noise.take().or_else(|| self.new_noise(taken)) else {
            return Ok(());
        };
        noise.set_level(self.noise_level);
        noise.listener = listener;
        self.comfort_noise = Some(noise);
        Ok(())
    }

    /// Noise that begins where the consumer's audio ended; none if there was none.
    fn new_noise(&self, taken: &Taken<'_>) -> Option<ComfortNoise> {
        let (end, at) = self.sides.consumer.ingress.newest_end()?;
        let ts = taken.placed.ts.max(end).max(self.guard.sent_end());
        let begins_at = at + duration_of(ts - end);
        let span = self.guard.input_span().max(SPAN_LEAST);
        Some(ComfortNoise::new(ts, span, begins_at))
    }

    /// Sends the noise that is due.
    pub(super) fn make_noise(&mut self, now: Instant) {
        while let Some(noise) = &mut self.comfort_noise {
            let made = noise.make(now, &mut self.scratch.packets.get().decoded[..]);
            let listener = noise.listener;
            let Some((ts, len)) = made else { return };
            if let Err(reason) = self.send_noise(now, (ts, len), listener) {
                self.sides.consumer.note_drop(reason);
            }
        }
    }

    /// The first `len` decoded samples go where the consumer's audio goes.
    fn send_noise(
        &mut self,
        now: Instant,
        (ts, len): (u64, usize),
        listener: Listener,
    ) -> Result<(), DropReason> {
        let samples = &self.scratch.packets.get().decoded[..len];
        if self.guard.is_protecting() {
            let heard = Heard {
                now,
                at: now,
                ts,
                samples,
            };
            self.guard.hear(heard, &mut way!(self));
            self.leave_if_clean();
            return Ok(());
        }
        if self.watch {
            self.guard.watch(ts, samples);
        }
        self.sides.agent.check_open()?;
        if !self.guard.may_relay(ts) {
            return Err(DropReason::Late);
        }
        if self.records {
            let position = ts.saturating_sub(TIMELINE_START);
            self.outputs.record(Leg::Consumer, position, samples);
        }
        if listener == Listener::Recorder {
            return Ok(());
        }
        if self.guard.reframes() {
            return self.guard.reframe(now, ts, samples, &mut way!(self));
        }
        let agent = &mut self.sides.agent;
        let bytes = &mut self.scratch.frames.get().bytes[..];
        let octets = agent.encoder.encode(samples, bytes);
        let framing = Framing {
            payload_type: agent.plan.payload_type_out,
            marker: false,
            ts,
            span: sample::span(len),
        };
        agent.send(&mut self.outputs, framing, 0, &bytes[..octets])
    }
}
