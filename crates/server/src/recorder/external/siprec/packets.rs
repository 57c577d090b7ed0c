//! RTP of one side of a recorded call.
//! Owns: its numbers and times on the wire, and the samples that are no whole packet yet.
//! Never: fills a gap with silence: a gap is one in time.

use media::g711::Law;
use media::rtp::{HEADER_LEN, RtpHeader};

/// Samples of a packet: 20 ms.
const PACKET_SAMPLES: usize = 160;

/// A packet's bytes: each sample is one.
const PACKET_BYTES: usize = HEADER_LEN + PACKET_SAMPLES;

/// How the recorder wants it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Format {
    pub(super) law: Law,
    pub(super) payload_type: u8,
}

/// One side's stream.
#[derive(Debug)]
pub(super) struct Packets {
    pub(super) ssrc: u32,
    sequence: u16,
    /// Time on the wire of the position 0.
    base: u32,
    /// Samples without a packet, as the recorder wants them, and the position of the first.
    waiting: Vec<u8>,
    from: u64,
    /// The next packet begins a stretch of its own.
    is_new: bool,
    /// Sent since the beginning, as reports count it.
    pub(super) packets: u32,
    pub(super) octets: u32,
}

impl Packets {
    pub(super) fn new(ssrc: u32, sequence: u16, base: u32) -> Self {
        Self {
            ssrc,
            sequence,
            base,
            waiting: Vec::with_capacity(PACKET_SAMPLES),
            from: 0,
            is_new: true,
            packets: 0,
            octets: 0,
        }
    }

    /// Takes samples in, the first at a position, and puts out each whole packet. Samples that come behind later ones are left out.
    pub(super) fn push(
        &mut self,
        format: Format,
        (position, samples): (u64, &[i16]),
        mut send: impl FnMut(&[u8]),
    ) {
        let (mut position, mut samples) = (position, samples);
        let next = self.next();
        if !self.is_new || !self.waiting.is_empty() {
            let late = usize::try_from(next.saturating_sub(position)).unwrap_or(usize::MAX);
            samples = samples.get(late..).unwrap_or_default();
            position = position.max(next);
        }
        if samples.is_empty() {
            return;
        }
        if position != next {
            self.flush(format, &mut send);
            self.is_new = true;
        }
        while !samples.is_empty() {
            if self.waiting.is_empty() {
                self.from = position;
            }
            let room = PACKET_SAMPLES - self.waiting.len();
            let (now, later) = samples.split_at(room.min(samples.len()));
            let codes = now.iter().map(|sample| format.law.encode_sample(*sample));
            self.waiting.extend(codes);
            position += u64::try_from(now.len()).unwrap_or_default();
            samples = later;
            if self.waiting.len() == PACKET_SAMPLES {
                self.flush(format, &mut send);
            }
        }
    }

    /// What waits is not sent, and what comes next begins anew.
    pub(super) fn discard(&mut self) {
        self.waiting.clear();
        self.is_new = true;
    }

    /// The time on the wire of a position.
    pub(super) fn time(&self, position: u64) -> u32 {
        let low = u32::try_from(position & u64::from(u32::MAX)).unwrap_or_default();
        self.base.wrapping_add(low)
    }

    /// The position behind the last sample.
    fn next(&self) -> u64 {
        self.from + u64::try_from(self.waiting.len()).unwrap_or_default()
    }

    fn flush(&mut self, format: Format, send: &mut impl FnMut(&[u8])) {
        if self.waiting.is_empty() {
            return;
        }
        let header = RtpHeader {
            marker: std::mem::take(&mut self.is_new),
            payload_type: format.payload_type,
            sequence: self.sequence,
            timestamp: self.time(self.from),
            ssrc: self.ssrc,
        };
        let mut packet = [0; PACKET_BYTES];
        let len = HEADER_LEN + self.waiting.len();
        for (to, from) in packet
            .iter_mut()
            .zip(header.to_bytes().iter().chain(&self.waiting))
        {
            *to = *from;
        }
        self.sequence = self.sequence.wrapping_add(1);
        self.packets = self.packets.wrapping_add(1);
        let octets = u32::try_from(self.waiting.len()).unwrap_or_default();
        self.octets = self.octets.wrapping_add(octets);
        self.from = self.next();
        self.waiting.clear();
        send(packet.get(..len).unwrap_or_default());
    }
}

#[cfg(test)]
mod tests {
    use media::rtp::RtpPacket;

    use super::*;

    const FORMAT: Format = Format {
        law: Law::A,
        payload_type: 8,
    };

    /// Marker, number, time and samples of each packet.
    type Sent = Vec<(bool, u16, u32, usize)>;

    fn push(packets: &mut Packets, position: u64, samples: &[i16]) -> Sent {
        let mut sent = Vec::new();
        packets.push(FORMAT, (position, samples), |bytes| {
            let packet = RtpPacket::parse(bytes).unwrap();
            assert_eq!((packet.header.ssrc, packet.header.payload_type), (7, 8));
            let header = packet.header;
            sent.push((
                header.marker,
                header.sequence,
                header.timestamp,
                packet.payload.len(),
            ));
        });
        sent
    }

    fn packets() -> Packets {
        Packets::new(7, u16::MAX, u32::MAX - 99)
    }

    #[test]
    fn any_stretches_become_packets_of_20_ms() {
        let mut packets = packets();
        assert_eq!(
            push(&mut packets, 100, &[0; 240]),
            [(true, u16::MAX, 0, 160)]
        );
        assert_eq!(
            push(&mut packets, 340, &[0; 240]),
            [(false, 0, 160, 160), (false, 1, 320, 160)]
        );
        assert_eq!((packets.packets, packets.octets), (3, 480));
    }

    #[test]
    fn a_gap_is_one_in_time_and_late_samples_are_left_out() {
        let mut packets = packets();
        push(&mut packets, 100, &[0; 200]);
        let sent = push(&mut packets, 900, &[0; 160]);
        assert_eq!(sent, [(false, 0, 160, 40), (true, 1, 800, 160)]);
        assert_eq!(push(&mut packets, 900, &[0; 160]), []);
        assert_eq!(push(&mut packets, 1_000, &[0; 220]), [(false, 2, 960, 160)]);
    }

    #[test]
    fn what_waits_at_a_pause_is_gone() {
        let mut packets = packets();
        assert_eq!(push(&mut packets, 100, &[1_000; 159]), []);
        packets.discard();
        let mut payload = Vec::new();
        packets.push(FORMAT, (1_000, &[0; 160]), |bytes| {
            let packet = RtpPacket::parse(bytes).unwrap();
            assert!(packet.header.marker && packet.header.timestamp == 900);
            payload.extend_from_slice(packet.payload);
        });
        assert_eq!(payload, [Law::A.encode_sample(0); 160]);
        packets.discard();
        assert_eq!(
            push(&mut packets, 500, &[0; 160]).len(),
            1,
            "nothing is late behind a pause"
        );
    }
}
