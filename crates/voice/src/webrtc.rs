//! One browser as one leg: ICE-lite, DTLS and SRTP by str0m, driven without sockets.
//! Owns: our description for the browser, its answer, and the way from its packets to plain RTP and back.
//! Never: gives a browser a packet that the relay has not put out; offers video, telephone-events or a second stream.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Instant;

use media::leg::Codec;
use media::rtp::{RtpHeader, RtpPacket};
use str0m::change::{SdpAnswer, SdpOffer, SdpPendingOffer};
use str0m::media::{Direction, MediaKind, Mid};
use str0m::net::{Protocol, Receive};
use str0m::rtp::RtpWrite;
use str0m::{Candidate, Event, Input, Output, Rtc};
use thiserror::Error;
use zeroize::Zeroizing;

/// Longest description that is read: a browser's with one audio line is 2 kB, with all its codecs 5.
pub(crate) const DESCRIPTION_BYTES_MAX: usize = 32 * 1_024;

/// Where browsers' packets come from and go to, as plans and relays have it: an address of the range for documentation (RFC 5737), which no packet
/// reaches. Their true addresses change, and are ICE's affair.
pub(crate) const BROWSER_ADDRESS: SocketAddr =
    SocketAddr::new(IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1)), 9);

/// Outputs taken at one go. A datagram makes a handful; beyond it something is wrong with the leg.
const OUTPUTS_MAX: usize = 256;

/// Why a leg cannot be made or described.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub(crate) enum WebRtcError {
    /// Browsers are offered G.711 alone.
    #[error("caller wanted a codec that browsers are not offered")]
    BugCodec,
    /// The address that browsers are told is no address of a host.
    #[error("the address for browsers' media cannot be offered")]
    ConfigAddress,
    /// It is no SDP, or not of what we offered.
    #[error("the browser's description cannot be taken")]
    PeerDescription,
    /// It was described already.
    #[error("the leg has its description already")]
    BugDescribed,
}

/// What a leg puts out.
pub(crate) enum FromLeg {
    /// A datagram for the browser.
    Transmit(SocketAddr, str0m::net::DatagramSend),
    /// The browser's audio, as plain RTP. The memory wipes itself.
    Heard(Zeroizing<Vec<u8>>),
}

/// A leg.
pub(crate) struct BrowserLeg {
    rtc: Rtc,
    mid: Mid,
    pending: Option<SdpPendingOffer>,
    address: SocketAddr,
    stream: Stream,
    wake_at: Option<Instant>,
    is_connected: bool,
}

impl BrowserLeg {
    /// A leg that browsers reach at `address`, and our offer of this codec.
    pub(crate) fn offer(
        now: Instant,
        address: SocketAddr,
        codec: Codec,
    ) -> Result<(Self, String), WebRtcError> {
        let config = Rtc::builder()
            .set_ice_lite(true)
            .set_rtp_mode(true)
            .clear_extension_map()
            .set_stats_interval(None)
            .clear_codecs();
        let mut rtc = match codec {
            Codec::Pcmu => config.enable_pcmu(true, false),
            Codec::Pcma => config.enable_pcma(true, false),
            Codec::G722 | Codec::Opus => return Err(WebRtcError::BugCodec),
        }
        .build(now);
        let candidate = Candidate::host(address, "udp").map_err(|_| WebRtcError::ConfigAddress)?;
        rtc.add_local_candidate(candidate);
        let mut change = rtc.sdp_api();
        let mid = change.add_media(MediaKind::Audio, Direction::SendRecv, None, None, None);
        let (offer, pending) = change.apply().ok_or(WebRtcError::ConfigAddress)?;
        let leg = Self {
            rtc,
            mid,
            pending: Some(pending),
            address,
            stream: Stream::default(),
            wake_at: Some(now),
            is_connected: false,
        };
        Ok((leg, offer.to_sdp_string()))
    }

    /// Takes the browser's answer. One that cannot be taken leaves a leg of no use.
    pub(crate) fn take_answer(&mut self, answer: &str) -> Result<(), WebRtcError> {
        let pending = self.pending.take().ok_or(WebRtcError::BugDescribed)?;
        let answer =
            SdpAnswer::from_sdp_string(answer).map_err(|_| WebRtcError::PeerDescription)?;
        let taken = self.rtc.sdp_api().accept_answer(pending, answer);
        taken.map_err(|_| WebRtcError::PeerDescription)?;
        let media = self.rtc.media(self.mid);
        let takes_audio = media.is_some_and(|media| media.direction() == Direction::SendRecv);
        if takes_audio {
            Ok(())
        } else {
            Err(WebRtcError::PeerDescription)
        }
    }

    /// Answers an offer of the browser for the same connection with other ICE credentials.
    pub(crate) fn restart(&mut self, offer: &str) -> Result<String, WebRtcError> {
        let offer = SdpOffer::from_sdp_string(offer).map_err(|_| WebRtcError::PeerDescription)?;
        let answer = self.rtc.sdp_api().accept_offer(offer);
        let answer = answer.map_err(|_| WebRtcError::PeerDescription)?;
        Ok(answer.to_sdp_string())
    }

    /// The user name by which the browser's checks name this leg. A restart changes it.
    pub(crate) fn ufrag(&mut self) -> String {
        self.rtc.direct_api().local_ice_credentials().ufrag
    }

    /// When it has something to do.
    pub(crate) fn wake_at(&self) -> Option<Instant> {
        self.wake_at
    }

    /// A check of the browser's that names this leg and is signed with its password.
    pub(crate) fn is_signed_check(&self, now: Instant, source: SocketAddr, bytes: &[u8]) -> bool {
        self.received(source, bytes)
            .is_some_and(|receive| self.rtc.accepts(&Input::Receive(now, receive)))
    }

    /// Takes a datagram in; false if it is of no use.
    pub(crate) fn receive(&mut self, now: Instant, source: SocketAddr, bytes: &[u8]) -> bool {
        match self.received(source, bytes) {
            Some(receive) => self.rtc.handle_input(Input::Receive(now, receive)).is_ok(),
            None => false,
        }
    }

    fn received<'bytes>(&self, source: SocketAddr, bytes: &'bytes [u8]) -> Option<Receive<'bytes>> {
        Receive::new(Protocol::Udp, source, self.address, bytes).ok()
    }

    /// Sees to what is due.
    pub(crate) fn handle_timeout(&mut self, now: Instant) {
        // Also a leg that is broken goes on as far as it can: its call ends by its own time-outs.
        let _broken = self.rtc.handle_input(Input::Timeout(now));
    }

    /// Sends a packet of plain RTP, once the browser can be reached; what comes before is lost, as on any line that is not there yet.
    pub(crate) fn send(&mut self, now: Instant, packet: &[u8]) {
        let Ok(packet) = RtpPacket::parse(packet) else {
            return;
        };
        let RtpPacket { header, payload } = packet;
        if !self.is_connected {
            return;
        }
        let (sequence, timestamp) = self.stream.place(now, &header);
        let mut api = self.rtc.direct_api();
        let Some(stream) = api.stream_tx_by_mid(self.mid, None) else {
            return;
        };
        let payload: Arc<[u8]> = payload.into();
        let payload_type = header.payload_type.into();
        let write = RtpWrite::new(payload_type, sequence.into(), timestamp, now, payload);
        stream.write_rtp(write.marker(header.marker));
        self.handle_timeout(now);
    }

    /// Gives out what there is, and learns when the next is due. To be called after everything else.
    pub(crate) fn drain(&mut self, mut give: impl FnMut(FromLeg)) {
        for _ in 0..OUTPUTS_MAX {
            match self.rtc.poll_output() {
                Ok(Output::Transmit(transmit)) => {
                    give(FromLeg::Transmit(transmit.destination, transmit.contents));
                }
                Ok(Output::Event(Event::RtpPacket(packet))) => {
                    let header = RtpHeader {
                        marker: packet.header.marker,
                        payload_type: *packet.header.payload_type,
                        sequence: packet.header.sequence_number,
                        timestamp: packet.header.timestamp,
                        ssrc: *packet.header.ssrc,
                    };
                    give(FromLeg::Heard(plain(header, &packet.payload)));
                }
                Ok(Output::Event(Event::Connected)) => self.is_connected = true,
                Ok(Output::Event(_)) => {}
                Ok(Output::Timeout(at)) => {
                    self.wake_at = Some(at);
                    return;
                }
                Err(_) => {
                    self.rtc.disconnect();
                    self.wake_at = None;
                    return;
                }
            }
        }
    }
}

fn plain(header: RtpHeader, payload: &[u8]) -> Zeroizing<Vec<u8>> {
    let mut packet = Zeroizing::new(Vec::with_capacity(12 + payload.len()));
    packet.extend_from_slice(&header.to_bytes());
    packet.extend_from_slice(payload);
    packet
}

/// The one stream that a browser gets, whoever makes it: the tone of ringing, then the call. Under one key no number may come twice.
#[derive(Default)]
struct Stream {
    last: Option<Sent>,
    sequence_shift: u16,
    timestamp_shift: u32,
}

/// The newest packet that was sent.
struct Sent {
    ssrc: u32,
    sequence: u64,
    timestamp: u32,
    at: Instant,
}

impl Stream {
    /// Number and time of a packet in the browser's stream. Another maker's first packet follows the last one of the maker before.
    fn place(&mut self, now: Instant, header: &RtpHeader) -> (u64, u32) {
        if let Some(last) = self.last.as_ref().filter(|last| last.ssrc != header.ssrc) {
            let low = u16::try_from(last.sequence & 0xFFFF).unwrap_or_default();
            self.sequence_shift = low.wrapping_add(1).wrapping_sub(header.sequence);
            let passed = now.saturating_duration_since(last.at).as_millis() * 8;
            let passed = u32::try_from(passed).unwrap_or(u32::MAX).max(PACKET_SPAN);
            let next = last.timestamp.wrapping_add(passed);
            self.timestamp_shift = next.wrapping_sub(header.timestamp);
        }
        let number = header.sequence.wrapping_add(self.sequence_shift);
        let sequence = extended(self.last.as_ref().map(|last| last.sequence), number);
        let timestamp = header.timestamp.wrapping_add(self.timestamp_shift);
        self.last = Some(Sent {
            ssrc: header.ssrc,
            sequence,
            timestamp,
            at: now,
        });
        (sequence, timestamp)
    }
}

/// Least time between the packets of two makers: 20 ms at 8 kHz.
const PACKET_SPAN: u32 = 160;

/// The number that a wrapping one stands for, next to the last one sent. SRTP counts the wraps.
fn extended(last: Option<u64>, sequence: u16) -> u64 {
    let Some(last) = last else {
        return sequence.into();
    };
    let low = u16::try_from(last & 0xFFFF).unwrap_or_default();
    let ahead = i64::from(sequence.wrapping_sub(low).cast_signed());
    last.saturating_add_signed(ahead)
}

/// Whom a STUN request is for: the part of its user name before the colon
/// (RFC 8445: the user name of a check is ours, a colon, and the far side's).
pub(crate) fn ufrag_of_check(bytes: &[u8]) -> Option<&str> {
    const COOKIE: [u8; 4] = [0x21, 0x12, 0xA4, 0x42];
    const USERNAME: u16 = 0x0006;
    let (head, mut rest) = bytes.split_at_checked(20)?;
    if head.get(..2)? != [0, 1] || head.get(4..8)? != COOKIE {
        return None;
    }
    while let Some((kind, after)) = rest.split_first_chunk::<2>() {
        let (length, after) = after.split_first_chunk::<2>()?;
        let length = usize::from(u16::from_be_bytes(*length));
        let value = after.get(..length)?;
        if u16::from_be_bytes(*kind) == USERNAME {
            return std::str::from_utf8(value).ok()?.split(':').next();
        }
        rest = after.get(length.next_multiple_of(4)..)?;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sequence_numbers_run_on_over_wraps_and_back_over_late_packets() {
        assert_eq!(extended(None, 65_535), 65_535);
        assert_eq!(extended(Some(65_535), 0), 65_536);
        assert_eq!(extended(Some(65_536), 65_534), 65_534);
        assert_eq!(extended(Some(70_000), 4_465), 70_001);
    }

    #[test]
    fn another_makers_packets_follow_those_of_the_one_before() {
        let header = |ssrc, sequence, timestamp| RtpHeader {
            marker: false,
            payload_type: 0,
            sequence,
            timestamp,
            ssrc,
        };
        let (mut stream, began) = (Stream::default(), Instant::now());
        let at = |ms| began + std::time::Duration::from_millis(ms);
        assert_eq!(stream.place(at(0), &header(1, 65_535, 160)), (65_535, 160));
        assert_eq!(stream.place(at(20), &header(1, 0, 320)), (65_536, 320));
        // The call begins half a second later, with numbers of its own.
        let (first, second) = (header(2, 9, 77), header(2, 10, 237));
        assert_eq!(stream.place(at(520), &first), (65_537, 4_320));
        assert_eq!(stream.place(at(540), &second), (65_538, 4_480));
    }

    #[test]
    fn a_check_names_its_leg_and_garbage_none() {
        let mut check = vec![0, 1, 0, 12, 0x21, 0x12, 0xA4, 0x42];
        check.extend([7; 12]);
        check.extend([0, 6, 0, 7]);
        check.extend(b"ours:ab\0");
        assert_eq!(ufrag_of_check(&check), Some("ours"));
        for length in 0..check.len() - 1 {
            assert_eq!(ufrag_of_check(&check[..length]), None, "{length}");
        }
        check[1] = 0x11;
        assert_eq!(ufrag_of_check(&check), None, "an indication");
    }

    #[test]
    fn our_offer_has_one_audio_line_of_the_wanted_codec_and_no_keys_of_telephones() {
        let address = SocketAddr::from(([192, 0, 2, 7], 20_000));
        for (codec, name) in [(Codec::Pcmu, "PCMU"), (Codec::Pcma, "PCMA")] {
            let (_, offer) = BrowserLeg::offer(Instant::now(), address, codec).unwrap();
            assert_eq!(offer.matches("m=").count(), 1, "{offer}");
            assert!(offer.contains(&format!(
                "a=rtpmap:{} {name}/8000",
                codec.usual_payload_type()
            )));
            assert_eq!(offer.matches("a=rtpmap:").count(), 1);
            assert!(offer.contains("a=ice-lite") && offer.contains("192.0.2.7 20000"));
            assert!(!offer.contains("telephone-event"));
        }
    }

    #[test]
    fn what_is_no_answer_to_our_offer_is_refused() {
        let address = SocketAddr::from(([192, 0, 2, 7], 20_000));
        for answer in [
            "",
            "v=0",
            "v=0\r\no=- 1 1 IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\n",
        ] {
            let (mut leg, _) = BrowserLeg::offer(Instant::now(), address, Codec::Pcmu).unwrap();
            assert_eq!(
                leg.take_answer(answer),
                Err(WebRtcError::PeerDescription),
                "{answer}"
            );
            assert_eq!(leg.take_answer(answer), Err(WebRtcError::BugDescribed));
        }
    }
}
