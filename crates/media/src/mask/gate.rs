//! The gate between what was heard and what may be heard.
//! Owns: held samples, what covers each of them, the masked samples that came of it.
//! Never: lets a held sample out unjudged; everything after it (splices, taps, recorders) reads masked samples only.

use crate::delay_line::DelayLine;
use crate::sample;
use crate::tone::{FADE_SAMPLES, Fade, FlatTone};

/// What is heard instead of a sample.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Cover {
    /// The sample itself.
    Clear,
    /// Silence: lost, or never judged.
    Silence,
    /// The flat tone.
    Key,
}

/// A sample as it came, with its cover. `hard` ends clear audio at once instead of by a fade.
#[derive(Debug, Clone, Copy)]
struct Heard {
    linear: i16,
    cover: Cover,
    hard: bool,
}

const NOTHING: Heard = Heard {
    linear: 0,
    cover: Cover::Silence,
    hard: false,
};

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
    heard: DelayLine<Heard>,
    masked: DelayLine<Masked>,
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
            heard: DelayLine::new(NOTHING),
            masked: DelayLine::new(SILENT),
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

    /// One past the newest timestamp heard.
    pub(super) fn heard_end(&self) -> u64 {
        self.heard_end
    }

    /// One past the newest masked timestamp.
    pub(super) fn judged_end(&self) -> u64 {
        self.judged_end
    }

    /// One past the last timestamp that the flat tone covers so far.
    pub(super) fn key_until(&self) -> u64 {
        self.key_until
    }

    /// The masked sample of a timestamp below `judged_end`; silence for one that is not masked yet.
    pub(super) fn masked_at(&self, ts: u64) -> Masked {
        if ts < self.judged_end {
            self.masked.at(ts)
        } else {
            SILENT
        }
    }

    /// The sample as it came. For leaving protection only: what is read here is heard in clear.
    pub(super) fn unmasked_at(&self, ts: u64) -> i16 {
        if ts < self.heard_end {
            self.heard.at(ts).linear
        } else {
            0
        }
    }

    /// Takes the next sample of the timeline.
    pub(super) fn hear(&mut self, linear: i16) {
        let cover = if self.heard_end < self.key_until {
            Cover::Key
        } else if self.heard_end < self.silence_until {
            Cover::Silence
        } else {
            Cover::Clear
        };
        self.heard.put(
            self.heard_end,
            Heard {
                linear,
                cover,
                hard: false,
            },
        );
        self.heard_end += 1;
    }

    /// Covers `from..to` with the flat tone; both may lie before the held samples or ahead of them. Stretches nearer than
    /// 12 ms become one. A start that is already out cuts hard.
    pub(super) fn cover_key(&mut self, from: u64, to: u64) {
        let bridged = self.key_until < from && from - self.key_until <= BRIDGE_SAMPLES;
        let wanted = if bridged { self.key_until } else { from };
        let start = wanted.max(self.judged_end);
        if wanted < start && start < self.heard_end && self.heard.at(start).cover != Cover::Key {
            self.cut(start);
        }
        for ts in start..to.min(self.heard_end) {
            let heard = self.heard.at(ts);
            self.heard.put(
                ts,
                Heard {
                    cover: Cover::Key,
                    ..heard
                },
            );
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
            let heard = self.heard.at(ts);
            if heard.cover == Cover::Clear {
                self.heard.put(
                    ts,
                    Heard {
                        cover: Cover::Silence,
                        ..heard
                    },
                );
            }
        }
    }

    /// Silences what no key covers from the newest sample heard until `to`.
    pub(super) fn silence_until(&mut self, to: u64) {
        self.silence_until = self.silence_until.max(to);
    }

    /// Masks up to `end`, but not beyond what was heard.
    pub(super) fn judge_to(&mut self, end: u64) {
        while self.judged_end < end.min(self.heard_end) {
            let masked = self.judge(self.judged_end);
            self.masked.put(self.judged_end, masked);
            self.judged_end += 1;
        }
    }

    /// Begins the timeline at `ts`, or jumps ahead to it. Everything held must have been judged; the time between is silence.
    pub(super) fn jump_to(&mut self, ts: u64) {
        self.heard.fill(self.heard_end, ts, NOTHING);
        self.masked.fill(self.judged_end, ts, SILENT);
        self.heard_end = ts;
        self.judged_end = ts;
        self.clear_position = 0;
        self.tail.left = 0;
    }

    fn cut(&mut self, ts: u64) {
        let heard = self.heard.at(ts);
        self.heard.put(
            ts,
            Heard {
                hard: true,
                ..heard
            },
        );
    }

    fn judge(&mut self, ts: u64) -> Masked {
        let heard = self.heard.at(ts);
        if heard.cover == Cover::Clear && self.is_settled() {
            return Masked {
                linear: heard.linear,
                clear: true,
            };
        }
        self.move_fades(ts, heard);
        let clear_weight = self.fade.weight(self.clear_position);
        let mut sum = f32::from(heard.linear) * clear_weight + self.tail_sample();
        if self.tone_position > 0 {
            sum += self.tone.at(ts) * self.fade.weight(self.tone_position);
        }
        Masked {
            linear: sample::from_f32(sum),
            clear: clear_weight > 0.0,
        }
    }

    /// Clear audio is at full weight and nothing else sounds: most of a call.
    fn is_settled(&self) -> bool {
        self.clear_position == FADE_SAMPLES && self.tone_position == 0 && self.tail.left == 0
    }

    fn move_fades(&mut self, ts: u64, heard: Heard) {
        let covered = heard.cover != Cover::Clear;
        if covered && heard.hard && self.clear_position > 0 {
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
        if heard.cover != Cover::Key {
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
        f32::from(mirrored.linear) * self.fade.weight(self.tail.left)
    }
}
