//! How a phone sends keys.
//! Owns: the queue of presses and the press that sounds now.
//! Never: prints a key.

use std::collections::VecDeque;

use media::dtmf::inband::keypad::{Pair, pair_of_event};
use media::dtmf::telephone_event::{EventCode, EventFrame, EventSender};
use media::tone::{KeyTone, KeyToneShape};
use secret::Key;
use serde::{Deserialize, Serialize};

/// Presses that may wait: a card, its date and code, twice over. More are refused.
pub const PRESSES_MAX: usize = 128;

/// Frames of 20 ms that a press lasts, and that lie between two.
const PRESS_FRAMES: u32 = 5;
const PAUSE_FRAMES: u32 = 5;

/// Samples of a frame, as timestamps and as lengths count them.
pub(crate) const FRAME: u32 = 160;
pub(crate) const FRAME_SAMPLES: usize = 160;

/// In which way keys travel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum KeyingMode {
    /// Named events in RTP.
    #[default]
    Rfc4733,
    /// Tones in the audio.
    Inband,
    /// SIP INFO.
    Info,
}

/// The code of RFC 4733 for a key.
fn event_of(key: Key) -> u8 {
    match key {
        Key::Digit(digit) => digit.expose(),
        Key::Star => 10,
        Key::Pound => 11,
    }
}

/// The character of a key in the body of an INFO.
fn character_of(key: Key) -> char {
    match event_of(key) {
        10 => '*',
        11 => '#',
        digit => char::from(b'0' + digit),
    }
}

/// What a frame of 20 ms carries.
pub(crate) enum Frame {
    /// The talker's audio.
    Audio,
    /// Event packets instead of audio: one, at the end three.
    Events(Vec<EventFrame>),
    /// This tone instead of audio.
    Tone(Box<[i16; FRAME_SAMPLES]>),
    /// Audio, and an INFO with this character.
    Info(char),
}

enum Sounding {
    Nothing,
    Event(EventSender),
    Tone { left: u32, tone: KeyTone },
    Pause { left: u32 },
}

/// The presses of one phone.
pub(crate) struct Keying {
    pub(crate) mode: KeyingMode,
    waiting: VecDeque<Key>,
    sounding: Sounding,
}

impl Keying {
    pub(crate) fn new() -> Self {
        Self {
            mode: KeyingMode::default(),
            waiting: VecDeque::with_capacity(PRESSES_MAX),
            sounding: Sounding::Nothing,
        }
    }

    /// Queues a press; false if too many wait.
    pub(crate) fn press(&mut self, key: Key) -> bool {
        if self.waiting.len() >= PRESSES_MAX {
            return false;
        }
        self.waiting.push_back(key);
        true
    }

    pub(crate) fn waiting(&self) -> usize {
        self.waiting.len() + usize::from(!matches!(self.sounding, Sounding::Nothing))
    }

    /// What the next 20 ms carry. `timestamp` is the RTP timestamp of their first sample.
    pub(crate) fn next_frame(&mut self, timestamp: u32) -> Frame {
        match &mut self.sounding {
            Sounding::Nothing => self.begin(timestamp),
            Sounding::Pause { left } => {
                *left -= 1;
                if *left == 0 {
                    self.sounding = Sounding::Nothing;
                }
                Frame::Audio
            }
            Sounding::Event(sender) => {
                let frames = due(sender);
                if frames.iter().any(|frame| frame.end) {
                    self.sounding = Sounding::Pause { left: PAUSE_FRAMES };
                }
                Frame::Events(frames)
            }
            Sounding::Tone { left, tone } => {
                let mut samples = Box::new([0; FRAME_SAMPLES]);
                tone.add_to(samples.as_mut_slice());
                *left -= 1;
                if *left == 0 {
                    self.sounding = Sounding::Pause { left: PAUSE_FRAMES };
                }
                Frame::Tone(samples)
            }
        }
    }

    fn begin(&mut self, timestamp: u32) -> Frame {
        let Some(key) = self.waiting.pop_front() else {
            return Frame::Audio;
        };
        match self.mode {
            KeyingMode::Rfc4733 => {
                let code = EventCode::new(event_of(key));
                self.sounding = Sounding::Event(EventSender::new(
                    code,
                    timestamp,
                    PRESS_FRAMES * FRAME,
                    FRAME,
                ));
                self.next_frame(timestamp)
            }
            KeyingMode::Inband => {
                let pair = pair_of_event(event_of(key)).unwrap_or_else(|| Pair::new(0, 0));
                let tone = KeyTone::new(pair, KeyToneShape::default());
                self.sounding = Sounding::Tone {
                    left: PRESS_FRAMES,
                    tone,
                };
                self.next_frame(timestamp)
            }
            KeyingMode::Info => {
                self.sounding = Sounding::Pause {
                    left: PRESS_FRAMES + PAUSE_FRAMES,
                };
                Frame::Info(character_of(key))
            }
        }
    }
}

/// The packet that is due now; the three end packets leave together.
fn due(sender: &mut EventSender) -> Vec<EventFrame> {
    let mut frames = Vec::with_capacity(3);
    while let Some(frame) = sender.next_frame() {
        frames.push(frame);
        if !frame.end {
            break;
        }
    }
    frames
}
