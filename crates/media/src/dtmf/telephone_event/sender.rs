//! A phone's side: which packets a press sends (RFC 4733 section 2.5.1).
//! Owns: timestamps, durations and end packets of one press at a time.
//! Never: keeps time; its owner asks for a packet when one is due.

use super::{EventCode, EventPayload, PAYLOAD_LEN};

/// Times an end packet is sent.
const END_PACKETS: u8 = 3;

/// Level of the event that we claim: -10 dBm0.
const VOLUME: u8 = 10;

/// One press being sent: updates, then three end packets. Beyond 65,535 units it goes on as a new segment.
#[derive(Debug, Clone)]
pub struct EventSender {
    code: EventCode,
    start: u32,
    segment: u32,
    length: u32,
    step: u32,
    sent_until: u32,
    first: bool,
    ends_sent: u8,
}

/// A packet to send: its payload, its timestamp and whether it carries the marker.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EventFrame {
    /// RTP timestamp.
    pub timestamp: u32,
    /// Marker bit: the first packet of the event.
    pub marker: bool,
    /// The payload.
    pub payload: [u8; PAYLOAD_LEN],
    /// This is one of the three end packets.
    pub end: bool,
}

impl EventSender {
    /// A press of `code` that begins at RTP timestamp `start` and lasts `length` units, with an update every `step` units (160 for
    /// 20 ms, 400 for 50 ms). A step of zero counts as one.
    #[must_use]
    pub fn new(code: EventCode, start: u32, length: u32, step: u32) -> Self {
        let step = step.max(1);
        Self {
            code,
            start,
            segment: 0,
            length,
            step,
            sent_until: 0,
            first: true,
            ends_sent: 0,
        }
    }

    /// The next packet; nothing after the third end packet. The first is due `step` units after the start, each next one `step` later;
    /// the end packets may be sent back to back.
    pub fn next_frame(&mut self) -> Option<EventFrame> {
        if self.ends_sent == END_PACKETS {
            return None;
        }
        self.sent_until = self.sent_until.saturating_add(self.step).min(self.length);
        let end = self.sent_until == self.length;
        self.ends_sent += u8::from(end);
        if self.sent_until - self.segment > u32::from(u16::MAX) {
            self.segment += u32::from(u16::MAX);
        }
        let duration = u16::try_from(self.sent_until - self.segment).unwrap_or(u16::MAX);
        let payload = EventPayload {
            code: self.code,
            end,
            volume: VOLUME,
            duration,
        };
        let marker = std::mem::take(&mut self.first);
        let timestamp = self.start.wrapping_add(self.segment);
        Some(EventFrame {
            timestamp,
            marker,
            payload: payload.to_bytes(),
            end,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_press_is_updates_and_three_end_packets() {
        let frames: Vec<_> = collect(EventSender::new(EventCode::new(5), 1_000, 640, 160));
        assert_eq!(frames.len(), 6);
        assert!(frames.iter().all(|frame| frame.timestamp == 1_000));
        assert_eq!(frames.iter().filter(|frame| frame.end).count(), 3);
        assert_eq!(frames.iter().filter(|frame| frame.marker).count(), 1);
        assert_eq!(frames[3].payload, [5, 0x80 | 10, 2, 128]);
    }

    #[test]
    fn a_long_press_is_cut_into_segments() {
        let frames = collect(EventSender::new(EventCode::new(5), 0, 80_000, 400));
        let starts: std::collections::BTreeSet<_> =
            frames.iter().map(|frame| frame.timestamp).collect();
        assert_eq!(starts.into_iter().collect::<Vec<_>>(), [0, 65_535]);
    }

    fn collect(mut sender: EventSender) -> Vec<EventFrame> {
        std::iter::from_fn(|| sender.next_frame()).collect()
    }
}
