//! Packets, and what the way to the relay does to them.

use std::ops::Range;

use media::dtmf::telephone_event::{EventCode, EventSender};
use media::leg::Codec;

use crate::class::Line;
use crate::dice::Dice;
use crate::scene::{MS, PACKET};

pub(crate) const EVENT_PAYLOAD_TYPE: u8 = 101;

/// 3 ms, what a burst leaves of a press.
const LEFT_OVER: usize = 3 * MS;

/// A datagram. Times and timestamps count samples from the beginning of the call.
#[derive(Clone)]
pub(crate) struct Packet {
    /// When it arrives.
    pub(crate) at: usize,
    pub(crate) sequence: u16,
    pub(crate) ts: usize,
    pub(crate) marker: bool,
    pub(crate) payload_type: u8,
    pub(crate) payload: Vec<u8>,
}

impl Packet {
    pub(crate) fn is_audio(&self) -> bool {
        self.payload_type != EVENT_PAYLOAD_TYPE
    }

    fn span(&self) -> Range<usize> {
        self.ts..self.ts + self.payload.len()
    }
}

/// Audio in packets of 20 ms, each sent when it is complete; none that overlaps `unsent`.
pub(crate) fn audio_packets(encoded: &[u8], codec: Codec, unsent: &[Range<usize>]) -> Vec<Packet> {
    let packets = encoded
        .chunks_exact(PACKET)
        .enumerate()
        .map(|(index, payload)| Packet {
            at: (index + 1) * PACKET,
            sequence: 0,
            ts: index * PACKET,
            marker: false,
            payload_type: codec.usual_payload_type(),
            payload: payload.to_vec(),
        });
    let is_sent = |packet: &Packet| {
        unsent
            .iter()
            .all(|hole| packet.ts >= hole.end || packet.ts + PACKET <= hole.start)
    };
    packets.filter(is_sent).collect()
}

/// A press as events, an update every `step` samples.
pub(crate) fn add_event(packets: &mut Vec<Packet>, code: u8, held: Range<usize>, step: usize) {
    let mut sender = EventSender::new(
        EventCode::new(code),
        held.start as u32,
        held.len() as u32,
        step as u32,
    );
    let mut at = held.start;
    while let Some(frame) = sender.next_frame() {
        at = (at + step).min(held.end);
        packets.push(Packet {
            at,
            sequence: 0,
            ts: frame.timestamp as usize,
            marker: frame.marker,
            payload_type: EVENT_PAYLOAD_TYPE,
            payload: frame.payload.to_vec(),
        });
    }
}

/// Sequence numbers in the order of sending; they wrap early.
pub(crate) fn number(packets: &mut [Packet]) {
    packets.sort_by_key(|packet| packet.at);
    for (index, packet) in packets.iter_mut().enumerate() {
        packet.sequence = (index as u16).wrapping_add(65_400);
    }
}

/// Loses, delays and displaces packets that are sent after `from`. Yields the audio that was lost.
pub(crate) fn impair(
    packets: &mut Vec<Packet>,
    line: &Line,
    presses: &[Range<usize>],
    from: usize,
    dice: &mut Dice,
) -> Vec<Range<usize>> {
    let bursts: Vec<Range<usize>> = if line.bursts {
        presses.iter().map(|press| burst(press, dice)).collect()
    } else {
        Vec::new()
    };
    let mut lost = Vec::new();
    let mut newest = 0;
    let mut next_burst = 0;
    packets.retain_mut(|packet| {
        if packet.at <= from {
            return true;
        }
        while bursts
            .get(next_burst)
            .is_some_and(|burst| burst.end <= packet.ts)
        {
            next_burst += 1;
        }
        let in_burst = bursts
            .get(next_burst)
            .is_some_and(|burst| burst.contains(&packet.ts));
        if dice.chance(line.loss) || in_burst {
            if packet.is_audio() {
                lost.push(packet.span());
            }
            return false;
        }
        packet.at += (dice.share() * line.jitter_ms * 8.0) as usize;
        packet.at = packet.at.max(newest);
        newest = packet.at;
        true
    });
    if line.reorder > 0 {
        for packet in packets.iter_mut().filter(|packet| packet.at > from) {
            if dice.chance(0.1) {
                packet.at += PACKET * (1 + dice.below(line.reorder)) + 1;
            }
        }
        packets.sort_by_key(|packet| packet.at);
    }
    lost
}

/// A press fit for a burst over all but 3 ms of it, in two of five; else as it is.
pub(crate) fn fit_burst(start: usize, len: usize, dice: &mut Dice) -> (usize, usize) {
    let packets = 3 + dice.below(8);
    let boundary = start.div_ceil(PACKET) * PACKET;
    match dice.below(5) {
        // Its first 3 ms end a packet; what follows is lost.
        0 => (
            boundary + PACKET - LEFT_OVER,
            LEFT_OVER + packets * PACKET - dice.below(PACKET / 2),
        ),
        // Its last 3 ms begin a packet; what is before is lost.
        1 => {
            let into = dice.below(PACKET / 2);
            (boundary + into, packets * PACKET + LEFT_OVER - into)
        }
        _ => (start, len),
    }
}

/// The audio that a burst of 3-10 packets takes of a press.
fn burst(press: &Range<usize>, dice: &mut Dice) -> Range<usize> {
    let floor = |at: usize| at / PACKET * PACKET;
    if (press.start + LEFT_OVER).is_multiple_of(PACKET) {
        return press.start + LEFT_OVER..press.end.div_ceil(PACKET) * PACKET;
    }
    if (press.end - LEFT_OVER).is_multiple_of(PACKET) {
        return floor(press.start)..press.end - LEFT_OVER;
    }
    let len = (3 + dice.below(8)) * PACKET;
    let within = floor(press.start + dice.below(press.len()));
    match dice.below(4) {
        // All but the end.
        0 => floor(press.start)..floor(press.end - LEFT_OVER),
        1 => (within + PACKET).saturating_sub(len)..within + PACKET,
        2 => within..within + len,
        _ => {
            let middle = floor(press.start + press.len() / 2);
            middle.saturating_sub(len / 2 / PACKET * PACKET)..middle + len / 2
        }
    }
}
