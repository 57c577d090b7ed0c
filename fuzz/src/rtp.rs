//! RTP packets.

use media::rtp::{HEADER_LEN, PACKET_LEN_MAX, RtpPacket, SequenceUnwrap, signed_distance};

/// A packet that is read has a payload within the datagram; written again by us it reads the same.
pub fn run(data: &[u8]) {
    let Ok(packet) = RtpPacket::parse(data) else {
        return;
    };
    assert!(data.len() <= PACKET_LEN_MAX && packet.payload.len() + HEADER_LEN <= data.len());
    let range = data.as_ptr_range();
    let payload = packet.payload.as_ptr_range();
    assert!(payload.start >= range.start && payload.end <= range.end);
    let mut written = packet.header.to_bytes().to_vec();
    written.extend(packet.payload);
    assert_eq!(RtpPacket::parse(&written), Ok(packet));
    let (one, other) = (packet.header.timestamp, packet.header.ssrc);
    assert!(signed_distance(one, other).unsigned_abs() <= 1 << 31);
    let distance = SequenceUnwrap::distance(packet.header.sequence, 0);
    assert!((-(1 << 15)..1 << 15).contains(&distance));
}
