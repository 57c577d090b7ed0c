//! One RTP packet ([RFC 3550](https://www.rfc-editor.org/rfc/rfc3550) section 5.1).
//! Owns: reading and writing its header.
//! Never: allocates.

use thiserror::Error;

/// Bytes of the header that we write: no CSRC, no extension.
pub const HEADER_LEN: usize = 12;

/// Largest packet accepted or written, in bytes: what an Ethernet frame carries. Longer ones are refused as a whole.
pub const PACKET_LEN_MAX: usize = 1_500;

const VERSION: u8 = 2;

/// Why a datagram is not an RTP packet that we read.
#[derive(Debug, Error, Clone, Copy, PartialEq, Eq)]
pub enum RtpError {
    /// Longer than [`PACKET_LEN_MAX`].
    #[error("the peer sent a packet of {len} bytes")]
    PeerTooLong {
        /// Its length in bytes.
        len: usize,
    },
    /// Shorter than its header says.
    #[error("the peer sent a truncated packet")]
    PeerTruncated,
    /// Not version 2.
    #[error("the peer sent version {version}")]
    PeerVersion {
        /// The two version bits.
        version: u8,
    },
    /// The padding count is zero or exceeds the payload.
    #[error("the peer sent impossible padding")]
    PeerPadding,
}

/// The header fields that matter to us.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RtpHeader {
    /// First packet of a talk spurt, or of an event.
    pub marker: bool,
    /// 0-127.
    pub payload_type: u8,
    /// Counts packets, wraps.
    pub sequence: u16,
    /// Counts samples, wraps. For an event packet: the event's start.
    pub timestamp: u32,
    /// Names the stream.
    pub ssrc: u32,
}

impl RtpHeader {
    /// The header on the wire. A payload type above 127 loses its top bit.
    #[must_use]
    pub fn to_bytes(self) -> [u8; HEADER_LEN] {
        let mut bytes = [0; HEADER_LEN];
        bytes[0] = VERSION << 6;
        bytes[1] = (u8::from(self.marker) << 7) | (self.payload_type & 0x7F);
        bytes[2..4].copy_from_slice(&self.sequence.to_be_bytes());
        bytes[4..8].copy_from_slice(&self.timestamp.to_be_bytes());
        bytes[8..12].copy_from_slice(&self.ssrc.to_be_bytes());
        bytes
    }
}

/// A packet read: its header, and its payload without CSRC list, extension and padding.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct RtpPacket<'bytes> {
    /// The fixed header.
    pub header: RtpHeader,
    /// What the payload type describes; may be empty.
    pub payload: &'bytes [u8],
}

/// The payload may hold a key, so it does not print itself.
impl std::fmt::Debug for RtpPacket<'_> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("RtpPacket")
            .field("header", &self.header)
            .finish_non_exhaustive()
    }
}

impl<'bytes> RtpPacket<'bytes> {
    /// Reads one datagram.
    ///
    /// # Errors
    /// Says why it is no RTP packet.
    pub fn parse(bytes: &'bytes [u8]) -> Result<Self, RtpError> {
        if bytes.len() > PACKET_LEN_MAX {
            return Err(RtpError::PeerTooLong { len: bytes.len() });
        }
        let (fixed, rest) = bytes
            .split_first_chunk::<HEADER_LEN>()
            .ok_or(RtpError::PeerTruncated)?;
        let version = fixed[0] >> 6;
        if version != VERSION {
            return Err(RtpError::PeerVersion { version });
        }
        let rest = skip(rest, usize::from(fixed[0] & 0x0F) * 4)?;
        let rest = if fixed[0] & 0x10 == 0 {
            rest
        } else {
            skip_extension(rest)?
        };
        let payload = if fixed[0] & 0x20 == 0 {
            rest
        } else {
            strip_padding(rest)?
        };
        Ok(Self {
            header: read_header(fixed),
            payload,
        })
    }
}

fn read_header(fixed: &[u8; HEADER_LEN]) -> RtpHeader {
    RtpHeader {
        marker: fixed[1] & 0x80 != 0,
        payload_type: fixed[1] & 0x7F,
        sequence: u16::from_be_bytes([fixed[2], fixed[3]]),
        timestamp: u32::from_be_bytes([fixed[4], fixed[5], fixed[6], fixed[7]]),
        ssrc: u32::from_be_bytes([fixed[8], fixed[9], fixed[10], fixed[11]]),
    }
}

fn skip(bytes: &[u8], count: usize) -> Result<&[u8], RtpError> {
    bytes.get(count..).ok_or(RtpError::PeerTruncated)
}

fn skip_extension(bytes: &[u8]) -> Result<&[u8], RtpError> {
    let (head, rest) = bytes
        .split_first_chunk::<4>()
        .ok_or(RtpError::PeerTruncated)?;
    skip(
        rest,
        usize::from(u16::from_be_bytes([head[2], head[3]])) * 4,
    )
}

fn strip_padding(bytes: &[u8]) -> Result<&[u8], RtpError> {
    let count = usize::from(*bytes.last().ok_or(RtpError::PeerPadding)?);
    let kept = bytes
        .len()
        .checked_sub(count)
        .ok_or(RtpError::PeerPadding)?;
    if count == 0 {
        Err(RtpError::PeerPadding)
    } else {
        Ok(&bytes[..kept])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEADER: RtpHeader = RtpHeader {
        marker: true,
        payload_type: 8,
        sequence: 65_535,
        timestamp: 0xDEAD_BEEF,
        ssrc: 7,
    };

    #[test]
    fn a_written_header_reads_back() {
        let mut bytes = HEADER.to_bytes().to_vec();
        bytes.extend([1, 2, 3]);
        let packet = RtpPacket::parse(&bytes).unwrap();
        assert_eq!(packet.header, HEADER);
        assert_eq!(packet.payload, [1, 2, 3]);
    }

    #[test]
    fn extension_csrc_and_padding_are_not_payload() {
        let mut bytes = HEADER.to_bytes().to_vec();
        bytes[0] |= 0x20 | 0x10 | 2;
        bytes.extend([9; 8]);
        bytes.extend([0xBE, 0xDE, 0, 1, 5, 5, 5, 5]);
        bytes.extend([1, 2, 0, 0, 3]);
        assert_eq!(RtpPacket::parse(&bytes).unwrap().payload, [1, 2]);
    }

    #[test]
    fn broken_packets_name_their_reason() {
        let whole = HEADER.to_bytes();
        assert_eq!(RtpPacket::parse(&whole[..11]), Err(RtpError::PeerTruncated));
        assert_eq!(
            RtpPacket::parse(&[0; 1_501]),
            Err(RtpError::PeerTooLong { len: 1_501 })
        );
        let with_flags = |flags: u8, tail: &[u8]| {
            let mut bytes = whole.to_vec();
            bytes[0] = flags;
            bytes.extend(tail);
            RtpPacket::parse(&bytes).map(|packet| packet.payload.len())
        };
        assert_eq!(
            with_flags(0x40, &[]),
            Err(RtpError::PeerVersion { version: 1 })
        );
        assert_eq!(with_flags(0x83, &[0; 11]), Err(RtpError::PeerTruncated));
        assert_eq!(
            with_flags(0x90, &[0, 0, 0, 1, 0, 0, 0]),
            Err(RtpError::PeerTruncated)
        );
        assert_eq!(with_flags(0xA0, &[1, 0]), Err(RtpError::PeerPadding));
        assert_eq!(with_flags(0xA0, &[1, 3]), Err(RtpError::PeerPadding));
        assert_eq!(with_flags(0xA0, &[1, 2]), Ok(0));
    }
}
