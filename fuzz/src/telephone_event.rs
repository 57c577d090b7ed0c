//! Telephone-events: the payload, and the decoder of a stream of them.

use std::time::{Duration, Instant};

use media::dtmf::telephone_event::{EventDecoder, EventPacket, EventPayload, EventSignal};

use crate::Taker;

/// A press without updates ends within this.
const UPDATE_TIMEOUT: Duration = Duration::from_millis(120);

/// A second after the last packet nothing is left to be done.
const CODE_KEPT: Duration = Duration::from_secs(1);

/// Events on a stream's timelines.
struct Stream {
    decoder: EventDecoder,
    now: Instant,
    sequence: u64,
    ts: u64,
    pressed: usize,
    sounds: bool,
}

/// Presses begin before they end, no press is made of nothing, and every press ends in time.
pub fn run(data: &[u8]) {
    if let Some(payload) = EventPayload::parse(data) {
        let written = payload.to_bytes();
        assert_eq!(EventPayload::parse(&written), Some(payload));
        assert_eq!((written[0], written[1] & 0xBF), (data[0], data[1] & 0xBF));
    }
    let mut taker = Taker(data);
    let mut stream = Stream {
        decoder: EventDecoder::new(),
        now: Instant::now(),
        sequence: 1 << 20,
        ts: 1 << 32,
        pressed: 0,
        sounds: false,
    };
    let mut packets = 0;
    while !taker.is_empty() {
        packets += usize::from(stream.step(&mut taker));
        assert!(stream.pressed <= packets);
    }
    stream.wait(UPDATE_TIMEOUT);
    assert!(!stream.sounds && !stream.decoder.is_running());
    stream.wait(CODE_KEPT);
    assert_eq!(stream.decoder.next_timeout(), None);
    stream.decoder.wipe();
    assert_eq!(stream.decoder.next_timeout(), None);
}

impl Stream {
    /// True if it was an event packet.
    fn step(&mut self, taker: &mut Taker<'_>) -> bool {
        let kind = taker.u8();
        self.wait(Duration::from_millis(u64::from(taker.u8() >> 2)));
        match kind & 0x0F {
            0 => self.decoder.note_audio(),
            1 => self.decoder.note_rebase(),
            2 => self.decoder.move_timeline(u64::from(taker.u16())),
            _ => return self.packet(kind, taker),
        }
        false
    }

    fn packet(&mut self, kind: u8, taker: &mut Taker<'_>) -> bool {
        let back = u64::from(kind & 0x40 != 0) * u64::from(taker.u8());
        self.sequence = self.sequence + 1 - back.min(self.sequence);
        self.ts = (self.ts + u64::from(taker.u16())).saturating_sub(back * 8);
        let Some(payload) = EventPayload::parse(taker.bytes(4)) else {
            return false;
        };
        let packet = EventPacket {
            apart: kind & 0x10 != 0,
            follows: kind & 0x20 != 0,
            sequence: self.sequence,
            ts: self.ts,
            marker: kind & 0x80 != 0,
            payload,
            at: self.now,
        };
        let signal = self.decoder.handle_packet(packet);
        self.heed(signal, payload.end);
        true
    }

    /// A press whose end is its first packet ends with it, without a word.
    fn heed(&mut self, signal: Option<EventSignal>, at_once: bool) {
        match signal {
            Some(EventSignal::Pressed { .. }) => {
                self.pressed += 1;
                self.sounds = !at_once;
            }
            Some(EventSignal::Unclear { .. }) => {
                assert!(self.pressed > 0);
                self.sounds = !at_once;
            }
            Some(EventSignal::Resumed { .. }) => {
                assert!(self.pressed > 0 && !self.sounds);
                self.sounds = true;
            }
            Some(EventSignal::Released { .. }) => {
                assert!(self.sounds);
                self.sounds = false;
            }
            None => {}
        }
        assert_eq!(self.sounds, self.decoder.is_running());
    }

    fn wait(&mut self, time: Duration) {
        let to = self.now + time;
        while let Some(due) = self.decoder.next_timeout().filter(|due| *due <= to) {
            assert!(due <= self.now + CODE_KEPT);
            self.now = self.now.max(due);
            let signal = self.decoder.handle_timeout(self.now);
            self.heed(signal, false);
            let next = self.decoder.next_timeout();
            assert!(next.is_none_or(|next| next > self.now));
        }
        self.now = to;
    }
}
