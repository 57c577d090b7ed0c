//! What a far side sends on a secured leg.
//! Owns: the index of each packet under the far side's key, and which have come.
//! Never: lets out a byte of a packet whose tag was not checked.

use aws_lc_rs::error::Unspecified;
use media::relay::DropReason;
use media::rtp::PACKET_LEN_MAX;
use sip::sdp::Crypto;
use zeroize::Zeroizing;

use super::replay::Replay;
use super::transform::{Closed, Transform};
use super::{GROWTH_MAX, rtcp_ssrc, rtp_clear_len, rtp_ssrc, sequence};

/// Streams of a far side that are known at a time. It has one, and another after a transfer or an announcement; packets of more make the longest silent
/// forgotten. Only who has the key can make one.
const STREAMS_MAX: usize = 8;

/// Bytes of a name behind a packet, at most.
const MKI_MAX: usize = 16;

/// Longest packet that is opened.
const SEALED_MAX: usize = PACKET_LEN_MAX + GROWTH_MAX + MKI_MAX;

/// Opens packets of one far side. After a new key was agreed on, the old one is good until the first packet of the new.
pub(crate) struct Opener {
    current: Inbound,
    previous: Option<Box<Previous>>,
}

/// The key before, and room to try a packet twice.
struct Previous {
    inbound: Inbound,
    packet: Zeroizing<[u8; SEALED_MAX]>,
}

impl Opener {
    pub(crate) fn new(crypto: &Crypto) -> Result<Self, Unspecified> {
        Ok(Self {
            current: Inbound::new(crypto)?,
            previous: None,
        })
    }

    /// Opens with the other's key from its first packet on.
    pub(crate) fn change(&mut self, newer: Self) {
        let inbound = std::mem::replace(&mut self.current, newer.current);
        self.previous = Some(Box::new(Previous {
            inbound,
            packet: Zeroizing::new([0; SEALED_MAX]),
        }));
    }

    /// Opens a packet in place; yields the length of what is plain then.
    ///
    /// # Errors
    /// Why it must not be heard. What is in the buffer then is nothing to be heard, either.
    pub(crate) fn open(&mut self, packet: &mut [u8], rtcp: bool) -> Result<usize, DropReason> {
        if packet.len() > SEALED_MAX {
            return Err(DropReason::Malformed);
        }
        let Some(previous) = &mut self.previous else {
            return self.current.open(packet, rtcp, None);
        };
        let room = previous.packet.get_mut(..packet.len());
        let room = room.ok_or(DropReason::Malformed)?;
        room.copy_from_slice(packet);
        // A far side that begins anew counts from zero; one that keeps to RFC 3711 counts on.
        let known = rtp_ssrc(packet).and_then(|ssrc| previous.inbound.newest(ssrc));
        for hint in std::iter::once(None).chain(known.map(Some)) {
            let opened = self.current.open(packet, rtcp, hint);
            if opened.is_ok() {
                self.previous = None;
                return opened;
            }
            packet.copy_from_slice(room);
        }
        previous.inbound.open(packet, rtcp, None)
    }
}

/// One key of a far side.
struct Inbound {
    rtp: Transform,
    rtcp: Transform,
    streams: Vec<Stream>,
    /// Grows with each packet; who has the smallest is the longest silent.
    packets: u64,
}

struct Stream {
    ssrc: u32,
    rtp: Replay,
    rtcp: Replay,
    heard: u64,
}

impl Inbound {
    fn new(crypto: &Crypto) -> Result<Self, Unspecified> {
        Ok(Self {
            rtp: Transform::rtp(crypto)?,
            rtcp: Transform::rtcp(crypto)?,
            streams: Vec::with_capacity(STREAMS_MAX),
            packets: 0,
        })
    }

    /// The newest index of a stream's RTP.
    fn newest(&self, ssrc: u32) -> Option<u64> {
        let stream = self.streams.iter().find(|stream| stream.ssrc == ssrc);
        stream.and_then(|stream| stream.rtp.newest())
    }

    /// `hint`: the newest index of a stream that is not known here yet.
    fn open(
        &mut self,
        packet: &mut [u8],
        rtcp: bool,
        hint: Option<u64>,
    ) -> Result<usize, DropReason> {
        if rtcp {
            let ssrc = rtcp_ssrc(packet).ok_or(DropReason::Malformed)?;
            let (len, index) = self.rtcp.open_rtcp(packet, ssrc).map_err(reason)?;
            let is_new = self.stream(ssrc).rtcp.take(index);
            return is_new.then_some(len).ok_or(DropReason::Replayed);
        }
        let read = rtp_ssrc(packet).zip(sequence(packet));
        let (ssrc, sequence) = read.ok_or(DropReason::Malformed)?;
        let clear = rtp_clear_len(packet).ok_or(DropReason::Malformed)?;
        let newest = self.newest(ssrc).or(hint);
        let index = index_of(newest, sequence).ok_or(DropReason::BadTag)?;
        let opened = self.rtp.open_rtp(packet, clear, (ssrc, index));
        let len = opened.map_err(reason)?;
        let is_new = self.stream(ssrc).rtp.take(index);
        is_new.then_some(len).ok_or(DropReason::Replayed)
    }

    /// The stream of a packet whose tag is right.
    fn stream(&mut self, ssrc: u32) -> &mut Stream {
        self.packets += 1;
        let known = self.streams.iter().position(|stream| stream.ssrc == ssrc);
        let place = known.unwrap_or_else(|| self.begin(ssrc));
        let stream = &mut self.streams[place];
        stream.heard = self.packets;
        stream
    }

    fn begin(&mut self, ssrc: u32) -> usize {
        let stream = Stream {
            ssrc,
            rtp: Replay::default(),
            rtcp: Replay::default(),
            heard: self.packets,
        };
        if self.streams.len() < STREAMS_MAX {
            self.streams.push(stream);
            return self.streams.len() - 1;
        }
        let all = self.streams.iter().enumerate();
        let silent = all.min_by_key(|(_, stream)| stream.heard);
        let place = silent.map_or(0, |(place, _)| place);
        self.streams[place] = stream;
        place
    }
}

fn reason(closed: Closed) -> DropReason {
    match closed {
        Closed::Malformed => DropReason::Malformed,
        Closed::BadTag => DropReason::BadTag,
    }
}

/// The index that a packet of this sequence number has, next to the newest
/// ([RFC 3711 §3.3.1](https://www.rfc-editor.org/rfc/rfc3711#section-3.3.1)); none if that would be before the first.
pub(super) fn index_of(newest: Option<u64>, sequence: u16) -> Option<u64> {
    let Some(newest) = newest else {
        return Some(u64::from(sequence));
    };
    let (rollovers, last) = (newest >> 16, newest & 0xFFFF);
    let sequence = u64::from(sequence);
    let rollovers = if last < 1 << 15 {
        if sequence > last + (1 << 15) {
            rollovers.checked_sub(1)?
        } else {
            rollovers
        }
    } else if sequence < last - (1 << 15) {
        rollovers + 1
    } else {
        rollovers
    };
    Some((rollovers << 16) | sequence)
}
