//! What we send on a secured leg.
//! Owns: the index of each packet under our key.
//! Never: seals two packets under one index.

use aws_lc_rs::error::Unspecified;
use media::rtp::PACKET_LEN_MAX;
use sip::sdp::Crypto;

use super::opener::index_of;
use super::transform::Transform;
use super::{GROWTH_MAX, rtcp_ssrc, rtp_clear_len, rtp_ssrc, sequence};

/// Packets that one key may secure (RFC 3711 section 9.2): 2^48 of RTP, which is 178,000 years of a call. The index has no more bits.
const RTP_INDEX_MAX: u64 = (1 << 48) - 1;

/// The same of RTCP: 2^31, which is 340 years of reports.
const RTCP_INDEX_MAX: u64 = (1 << 31) - 1;

/// Seals packets with one key.
pub(crate) struct Sealer {
    rtp: Transform,
    rtcp: Transform,
    /// The stream that is sent, and its newest index.
    stream: Option<(u32, u64)>,
    /// Reports of all streams are counted together: a key never meets an index twice.
    reports: u64,
    buffer: Box<[u8; PACKET_LEN_MAX + GROWTH_MAX]>,
}

impl Sealer {
    pub(crate) fn new(crypto: &Crypto) -> Result<Self, Unspecified> {
        Ok(Self {
            rtp: Transform::rtp(crypto)?,
            rtcp: Transform::rtcp(crypto)?,
            stream: None,
            reports: 0,
            buffer: Box::new([0; PACKET_LEN_MAX + GROWTH_MAX]),
        })
    }

    /// A sealed copy of a packet; none if it must not leave, as [`Sealer::seal_rtp`] has it.
    pub(crate) fn seal(&mut self, packet: &[u8], rtcp: bool) -> Option<&[u8]> {
        if rtcp {
            self.seal_rtcp(packet)
        } else {
            self.seal_rtp(packet)
        }
    }

    /// A sealed copy of an RTP packet; none if it is none, is longer than any, or the key is used up. Rollover counters begin at zero with the first
    /// packet of a stream and of a key.
    pub(super) fn seal_rtp(&mut self, packet: &[u8]) -> Option<&[u8]> {
        let (ssrc, sequence) = (rtp_ssrc(packet)?, sequence(packet)?);
        let newest = self.stream.filter(|(one, _)| *one == ssrc);
        let newest = newest.map(|(_, index)| index);
        let index = index_of(newest, sequence)?;
        if index > RTP_INDEX_MAX {
            return None;
        }
        let clear = rtp_clear_len(packet).filter(|_| packet.len() <= PACKET_LEN_MAX)?;
        self.buffer.get_mut(..packet.len())?.copy_from_slice(packet);
        let lens = (clear, packet.len());
        let len = self.rtp.seal_rtp(&mut *self.buffer, lens, (ssrc, index))?;
        self.stream = Some((ssrc, newest.map_or(index, |newest| newest.max(index))));
        self.buffer.get(..len)
    }

    /// The same of an RTCP packet.
    pub(super) fn seal_rtcp(&mut self, packet: &[u8]) -> Option<&[u8]> {
        let ssrc = rtcp_ssrc(packet).filter(|_| packet.len() <= PACKET_LEN_MAX)?;
        let index = self.reports;
        if index > RTCP_INDEX_MAX {
            return None;
        }
        self.buffer.get_mut(..packet.len())?.copy_from_slice(packet);
        let buffer = &mut *self.buffer;
        let len = self.rtcp.seal_rtcp(buffer, packet.len(), (ssrc, index))?;
        self.reports += 1;
        self.buffer.get(..len)
    }

    /// As if so many reports and packets had been sent before.
    #[cfg(test)]
    pub(super) fn pretend(&mut self, stream: (u32, u64), reports: u64) {
        (self.stream, self.reports) = (Some(stream), reports);
    }
}
