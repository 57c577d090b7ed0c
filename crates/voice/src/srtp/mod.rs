//! Secured media (RFC 3711, 6188, 7714).
//! Owns: a stream's keys, rollover counters and replay windows, both ways.
//! Never: negotiates a key, touches a socket, or allocates for a packet.
//! Start reading at: `opener`.
//!
//! A packet is opened and sealed in its own buffer, by AWS-LC. Its tag is checked before anything in it is believed; then whether it came before.

mod derive;
mod opener;
mod replay;
mod sealer;
mod transform;

pub(crate) use opener::Opener;
pub(crate) use sealer::Sealer;

#[cfg(test)]
mod tests;

/// Bytes of the fixed RTP header.
const RTP_HEADER: usize = 12;

/// Bytes of the fixed RTCP header, the part that stays in clear.
const RTCP_HEADER: usize = 8;

/// Bytes of the index behind an SRTCP packet.
const RTCP_INDEX: usize = 4;

/// Bytes of an AEAD tag.
const AEAD_TAG: usize = 16;

/// Bytes that securing adds at most: index and AEAD tag.
const GROWTH_MAX: usize = RTCP_INDEX + AEAD_TAG;

/// The SSRC of an RTP packet.
fn rtp_ssrc(packet: &[u8]) -> Option<u32> {
    Some(u32::from_be_bytes(
        *packet.get(8..RTP_HEADER)?.first_chunk()?,
    ))
}

/// The SSRC of an RTCP packet's sender.
fn rtcp_ssrc(packet: &[u8]) -> Option<u32> {
    Some(u32::from_be_bytes(
        *packet.get(4..RTCP_HEADER)?.first_chunk()?,
    ))
}

/// The sequence number of an RTP packet.
fn sequence(packet: &[u8]) -> Option<u16> {
    Some(u16::from_be_bytes(*packet.get(2..4)?.first_chunk()?))
}

/// Bytes of an RTP packet that stay in clear: header, CSRC list, extension. None if there are fewer, or if it is no RTP.
fn rtp_clear_len(packet: &[u8]) -> Option<usize> {
    let first = *packet.first()?;
    if first >> 6 != 2 {
        return None;
    }
    let mut len = RTP_HEADER + usize::from(first & 0x0F) * 4;
    if first & 0x10 != 0 {
        let words = packet.get(len + 2..len + 4)?.first_chunk()?;
        len += 4 + usize::from(u16::from_be_bytes(*words)) * 4;
    }
    (len <= packet.len()).then_some(len)
}
