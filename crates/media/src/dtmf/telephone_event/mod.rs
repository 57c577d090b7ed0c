//! Keys as named events in RTP ([RFC 4733](https://www.rfc-editor.org/rfc/rfc4733)).
//! Owns: the payload, the decoder of one stream, the sender that tests and simulator use.
//! Never: prints which key it was.

mod decoder;
mod sender;

pub use decoder::{EventDecoder, EventPacket, EventSignal};
pub use sender::{EventFrame, EventSender};

use zeroize::Zeroize;

use crate::dtmf::inband::keypad::Key;
use crate::leg::RtpClock;

/// Bytes of one event's payload.
pub const PAYLOAD_LEN: usize = 4;

/// Events of one packet that are read: as many keys as can be keyed in a second (80 ms a key), longer than a packet may wait.
pub const EVENTS_MAX: usize = 12;

/// An event code, 0-255. 0-11 are keys, so it does not print itself.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct EventCode(u8);

impl std::fmt::Debug for EventCode {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("[event]")
    }
}

impl EventCode {
    /// The code of an octet on the wire.
    #[must_use]
    pub fn new(code: u8) -> Self {
        Self(code)
    }

    /// The code of a key.
    #[must_use]
    pub fn of(key: Key) -> Self {
        Self(match key {
            Key::Digit(digit) => digit.expose(),
            Key::Star => 10,
            Key::Pound => 11,
        })
    }

    /// The octet on the wire.
    #[must_use]
    pub fn octet(self) -> u8 {
        self.0
    }

    /// Zeroes it where it stands.
    pub(crate) fn wipe(&mut self) {
        self.0.zeroize();
    }

    /// The key, if the event is one of 0-9, `*` or `#`. A to D, flash and all others are masked but mean nothing.
    #[must_use]
    pub fn key(self) -> Option<Key> {
        Key::from_event(self.0)
    }
}

/// The four bytes of an event packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EventPayload {
    /// Which event.
    pub code: EventCode,
    /// The event is over.
    pub end: bool,
    /// Level below 0 dBm0, 0-63 dB.
    pub volume: u8,
    /// Duration so far in steps of the stream's clock; within a relay in samples at 8 kHz.
    pub duration: u16,
}

/// Clocks.
impl EventPayload {
    /// The same with its duration, which came in this clock, in samples at 8 kHz. What has lasted at all has one.
    #[must_use]
    pub fn at_8_khz(self, clock: RtpClock) -> Self {
        Self {
            duration: self.duration.div_ceil(clock.steps()),
            ..self
        }
    }

    /// The same with its duration, in samples at 8 kHz, in this clock. What no longer fits, from 1.36 s on in 48 kHz, is the longest that does.
    #[must_use]
    pub fn in_clock(self, clock: RtpClock) -> Self {
        Self {
            duration: self.duration.saturating_mul(clock.steps()),
            ..self
        }
    }
}

impl EventPayload {
    /// Reads a payload; bytes after the fourth are ignored. Nothing if shorter.
    #[must_use]
    pub fn parse(payload: &[u8]) -> Option<Self> {
        let (bytes, _) = payload.split_first_chunk::<PAYLOAD_LEN>()?;
        Some(Self {
            code: EventCode(bytes[0]),
            end: bytes[1] & 0x80 != 0,
            volume: bytes[1] & 0x3F,
            duration: u16::from_be_bytes([bytes[2], bytes[3]]),
        })
    }

    /// The events of a payload, at most [`EVENTS_MAX`], each with how much later than the first it began: the next begins where the one before it
    /// ended ([RFC 4733 section 2.5.1.5](https://www.rfc-editor.org/rfc/rfc4733#section-2.5.1.5)). What follows an event that goes on is no event, nor is
    /// what has no duration: some senders fill a payload up with zeros, which would be a key.
    pub fn parse_all(payload: &[u8]) -> impl Iterator<Item = (u64, Self)> {
        let mut start = Some(0);
        let blocks = payload.chunks_exact(PAYLOAD_LEN).take(EVENTS_MAX);
        blocks.filter_map(Self::parse).map_while(move |event| {
            let at = start.filter(|at| *at == 0 || event.duration > 0)?;
            let has_ended = event.end && event.duration > 0;
            start = has_ended.then(|| at + u64::from(event.duration));
            Some((at, event))
        })
    }

    /// The same of a stream with this clock, all of it in samples at 8 kHz.
    pub fn parse_all_at(clock: RtpClock, payload: &[u8]) -> impl Iterator<Item = (u64, Self)> {
        let steps = u64::from(clock.steps());
        Self::parse_all(payload)
            .map(move |(later, event)| (later.div_ceil(steps), event.at_8_khz(clock)))
    }

    /// The payload on the wire; the reserved bit is zero.
    #[must_use]
    pub fn to_bytes(self) -> [u8; PAYLOAD_LEN] {
        let duration = self.duration.to_be_bytes();
        [
            self.code.0,
            (u8::from(self.end) << 7) | (self.volume & 0x3F),
            duration[0],
            duration[1],
        ]
    }
}
