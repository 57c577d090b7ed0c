//! The gate between what was heard and what may be heard.
//! Owns: held samples, what covers each of them, the masked samples that came of it.
//! Never: lets a held sample out unjudged; everything after it (splices, taps, recorders) reads masked samples only.

use crate::delay_line::DelayLine;
use crate::sample;
use crate::tone::{FADE_SAMPLES, Fade, FlatTone};

/// What is heard instead of a sample, in one byte.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Cover(u8);

impl Cover {
    /// The sample itself.
    const CLEAR: Self = Self(0);
    /// Silence: lost, or never judged.
    const SILENCE: Self = Self(1);
    /// The flat tone.
    const KEY: Self = Self(2);
    /// Beside one of these: clear audio ends here at once instead of by a fade.
    const HARD: Self = Self(4);

    fn kind(self) -> Self {
        Self(self.0 & !Self::HARD.0)
    }

    fn is_hard(self) -> bool {
        self.0 & Self::HARD.0 != 0
    }

    fn hard(self) -> Self {
        Self(self.0 | Self::HARD.0)
    }

    /// Another kind; hard if it was.
    fn turned(self, kind: Self) -> Self {
        Self(kind.0 | (self.0 & Self::HARD.0))
    }
}

/// A sample that may leave. `clear` says whether the sample heard at this timestamp has any weight in it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Masked {
    pub(super) linear: i16,
    pub(super) clear: bool,
}

const SILENT: Masked = Masked {
    linear: 0,
    clear: false,
};

/// A stretch of key longer than this apart from the next is a pause, not a bounce: 12 ms.
const BRIDGE_SAMPLES: u64 = 96;

/// Held samples, their covers, and the masked line. Timestamps below `judged_end` are masked, those up to `heard_end` held.
#[derive(Debug, Clone)]
pub(super) struct Gate {
    heard: DelayLine<i16>,
    covers: DelayLine<Cover>,
    masked: DelayLine<i16>,
    /// Whether the sample heard has any weight in the masked one.
    clear: DelayLine<bool>,
    judged_end: u64,
    heard_end: u64,
    key_until: u64,
    silence_until: u64,
    fade: Fade,
    tone: FlatTone,
    clear_position: usize,
    tone_position: usize,
    tail: Tail,
}

/// The end of clear audio that was cut: masked samples already sent, backwards and fading, so that a cut does not click.
#[derive(Debug, Clone, Copy)]
struct Tail {
    cut_at: u64,
    left: usize,
}

impl Gate {
    pub(super) fn new(tone: FlatTone) -> Self {
        Self {
            heard: DelayLine::new(0),
            covers: DelayLine::new(Cover::SILENCE),
            masked: DelayLine::new(0),
            clear: DelayLine::new(false),
            judged_end: 0,
            heard_end: 0,
            key_until: 0,
            silence_until: 0,
            fade: Fade::new(),
            tone,
            clear_position: 0,
            tone_position: 0,
            tail: Tail { cut_at: 0, left: 0 },
        }
    }

    /// See [`crate::relay::Relay::look`]; `span` samples are about to come.
    pub(super) fn look(&self, span: u64) -> u64 {
        let (judged, heard) = (self.judged_end, self.heard_end);
        let heard_lines = self.heard.look(judged, heard + span);
        let covers = self.covers.look(judged, heard + span);
        let masked = self.masked.look(judged, judged + span);
        let clear = self.clear.look(judged, judged + span);
        let samples = heard_lines
            .chain(masked)
            .fold(0, |seen, value| seen ^ value);
        let covers = covers.fold(0, |seen, cover| seen ^ cover.0);
        let clear = clear.fold(false, |seen, clear| seen ^ clear);
        u64::from(samples.cast_unsigned()) ^ u64::from(covers) ^ u64::from(clear)
    }

    /// One past the newest timestamp heard.
    pub(super) fn heard_end(&self) -> u64 {
        self.heard_end
    }

    /// One past the newest masked timestamp.
    pub(super) fn judged_end(&self) -> u64 {
        self.judged_end
    }

    /// The masked sample of a timestamp below `judged_end`; silence for one that is not masked yet.
    pub(super) fn masked_at(&self, ts: u64) -> Masked {
        if ts >= self.judged_end {
            return SILENT;
        }
        Masked {
            linear: self.masked.at(ts),
            clear: self.clear.at(ts),
        }
    }

    /// The masked samples of `from..to`, all below `judged_end` and at most a lap, in two pieces, each with what [`Masked::clear`] says of
    /// them.
    pub(super) fn masked_stretch(&self, from: u64, to: u64) -> [(&[i16], &[bool]); 2] {
        let [front, back] = self.masked.stretch(from, to);
        let [front_clear, back_clear] = self.clear.stretch(from, to);
        [(front, front_clear), (back, back_clear)]
    }

    /// The sample as it came. For leaving protection only: what is read here is heard in clear.
    pub(super) fn unmasked_at(&self, ts: u64) -> i16 {
        if ts < self.heard_end {
            self.heard.at(ts)
        } else {
            0
        }
    }

    /// Takes the next samples of the timeline. With what is held and not judged they are less than a lap.
    pub(super) fn hear(&mut self, samples: &[i16]) {
        let start = self.heard_end;
        let end = start + sample::span(samples.len());
        let key_end = self.key_until.clamp(start, end);
        let silence_end = self.silence_until.clamp(key_end, end);
        self.heard.put_all(start, samples);
        self.covers.fill(start, key_end, Cover::KEY);
        self.covers.fill(key_end, silence_end, Cover::SILENCE);
        self.covers.fill(silence_end, end, Cover::CLEAR);
        self.heard_end = end;
    }

    /// Covers `from..to` with the flat tone; both may lie before the held samples or ahead of them. Stretches nearer than
    /// 12 ms become one. A start that is already out cuts hard.
    pub(super) fn cover_key(&mut self, from: u64, to: u64) {
        let bridged = self.key_until < from && from - self.key_until <= BRIDGE_SAMPLES;
        let wanted = if bridged { self.key_until } else { from };
        let start = wanted.max(self.judged_end);
        let is_key = self.covers.at(start).kind() == Cover::KEY;
        if wanted < start && start < self.heard_end && !is_key {
            self.cut(start);
        }
        for ts in start..to.min(self.heard_end) {
            self.covers.put(ts, self.covers.at(ts).turned(Cover::KEY));
        }
        self.key_until = self.key_until.max(to);
    }

    /// Covers all held samples with the flat tone, without a fade of what was clear.
    pub(super) fn cover_held_by_key(&mut self) {
        if self.judged_end < self.heard_end {
            self.cut(self.judged_end);
        }
        self.cover_key(self.judged_end, self.heard_end);
    }

    /// Silences every held sample that no key covers: it will never be judged.
    pub(super) fn silence_held(&mut self) {
        if self.judged_end < self.heard_end {
            self.cut(self.judged_end);
        }
        for ts in self.judged_end..self.heard_end {
            let cover = self.covers.at(ts);
            if cover.kind() == Cover::CLEAR {
                self.covers.put(ts, cover.turned(Cover::SILENCE));
            }
        }
    }

    /// Silences what no key covers from the newest sample heard until `to`.
    pub(super) fn silence_until(&mut self, to: u64) {
        self.silence_until = self.silence_until.max(to);
    }

    /// Masks up to `end`, but not beyond what was heard.
    pub(super) fn judge_to(&mut self, end: u64) {
        let end = end.min(self.heard_end);
        while self.judged_end < end {
            let settled_end = self.settled_end(end);
            if settled_end > self.judged_end {
                self.pass_to(settled_end);
                continue;
            }
            let masked = self.judge(self.judged_end);
            self.masked.put(self.judged_end, masked.linear);
            self.clear.put(self.judged_end, masked.clear);
            self.judged_end += 1;
        }
    }

    /// One past the samples that leave as they came, nothing else sounding: most of a call.
    fn settled_end(&self, end: u64) -> u64 {
        if !self.is_settled() {
            return self.judged_end;
        }
        let [front, back] = self.covers.stretch(self.judged_end, end);
        let mut covers = front.iter().chain(back);
        let covered = covers.position(|cover| cover.kind() != Cover::CLEAR);
        covered.map_or(end, |at| self.judged_end + sample::span(at))
    }

    fn pass_to(&mut self, end: u64) {
        let [front, back] = self.heard.stretch(self.judged_end, end);
        self.masked.put_all(self.judged_end, front);
        self.masked
            .put_all(self.judged_end + sample::span(front.len()), back);
        self.clear.fill(self.judged_end, end, true);
        self.judged_end = end;
    }

    /// Begins the timeline at `ts`, or jumps ahead to it. Everything held must have been judged; the time between is silence.
    pub(super) fn jump_to(&mut self, ts: u64) {
        self.heard.fill(self.heard_end, ts, 0);
        self.covers.fill(self.heard_end, ts, Cover::SILENCE);
        self.masked.fill(self.judged_end, ts, SILENT.linear);
        self.clear.fill(self.judged_end, ts, SILENT.clear);
        self.heard_end = ts;
        self.judged_end = ts;
        self.clear_position = 0;
        self.tail.left = 0;
    }

    fn cut(&mut self, ts: u64) {
        self.covers.put(ts, self.covers.at(ts).hard());
    }

    fn judge(&mut self, ts: u64) -> Masked {
        self.move_fades(ts, self.covers.at(ts));
        let clear_weight = self.fade.weight(self.clear_position);
        let mut sum = f32::from(self.heard.at(ts)) * clear_weight + self.tail_sample();
        if self.tone_position > 0 {
            sum += self.tone.at(ts) * self.fade.weight(self.tone_position);
        }
        Masked {
            linear: sample::from_f32(sum),
            clear: clear_weight > 0.0,
        }
    }

    /// Clear audio is at full weight and nothing else sounds.
    fn is_settled(&self) -> bool {
        self.clear_position == FADE_SAMPLES && self.tone_position == 0 && self.tail.left == 0
    }

    fn move_fades(&mut self, ts: u64, cover: Cover) {
        let covered = cover.kind() != Cover::CLEAR;
        if covered && cover.is_hard() && self.clear_position > 0 {
            self.clear_position = 0;
            self.tail = Tail {
                cut_at: ts,
                left: FADE_SAMPLES,
            };
        } else if covered {
            self.clear_position = self.clear_position.saturating_sub(1);
        } else {
            self.clear_position = (self.clear_position + 1).min(FADE_SAMPLES);
        }
        if cover.kind() != Cover::KEY {
            self.tone_position = self.tone_position.saturating_sub(1);
            return;
        }
        self.tone_position = (self.tone_position + 1).min(FADE_SAMPLES);
    }

    fn tail_sample(&mut self) -> f32 {
        if self.tail.left == 0 {
            return 0.0;
        }
        self.tail.left -= 1;
        let back = sample::span(FADE_SAMPLES - self.tail.left);
        let mirrored = self.masked.at(self.tail.cut_at.saturating_sub(back));
        f32::from(mirrored) * self.fade.weight(self.tail.left)
    }
}
