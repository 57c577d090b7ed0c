//! The far side of the stream, as its description says.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use super::audio::AudioError;
use super::crypto::{Crypto, LocalSrtp};
use super::format::{
    Codec, Direction, EventClock, Format, FormatKind, Wanted, direction_of, milliseconds,
    wanted_audio,
};
use super::session::{Media, Session};

/// The far side of the stream, as its description says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RemoteAudio {
    /// Where it wants RTP. After `0.0.0.0` (the old way to hold) this address is unspecified and it receives nothing.
    pub rtp: SocketAddr,
    /// Where it wants RTCP: `a=rtcp`, else the next port.
    pub rtcp: SocketAddr,
    /// It offers, or accepts, RTCP on the RTP port.
    pub rtcp_mux: bool,
    /// Its codecs among ours, with the payload types it takes them under, in its order.
    pub codecs: Vec<(Codec, u8)>,
    /// Payload type it takes telephone-events under, which count at 8 kHz.
    pub telephone_event: Option<u8>,
    /// The same of those at 48 kHz.
    pub telephone_event_at_48_khz: Option<u8>,
    /// Payload type it takes comfort noise under.
    pub comfort_noise: Option<u8>,
    /// Packet duration it asks for.
    pub ptime: Option<Duration>,
    /// Longest packet duration it takes.
    pub maxptime: Option<Duration>,
    /// Seen from its side.
    pub direction: Direction,
    /// How it secures what it sends; none: in clear.
    pub crypto: Option<Crypto>,
}

impl RemoteAudio {
    /// Payload type it takes telephone-events of this clock under.
    pub(super) fn telephone_event_at(&self, clock: EventClock) -> Option<u8> {
        match clock {
            EventClock::Khz8 => self.telephone_event,
            EventClock::Khz48 => self.telephone_event_at_48_khz,
        }
    }

    /// Reads the first audio stream of an offer or answer, as [`LocalAudio::answer`](super::LocalAudio::answer) takes it. `signalled_from` is the address the SIP message came from: loopback and
    /// link-local media addresses are taken only from a peer that is there itself, so that nobody can aim our packets at this host.
    ///
    /// # Errors
    /// See [`AudioError`].
    pub fn read(session: &Session, signalled_from: IpAddr) -> Result<Self, AudioError> {
        Self::read_secured(session, signalled_from, None)
    }

    /// The same where our side may, or has to, be secured.
    ///
    /// # Errors
    /// See [`AudioError`].
    pub fn read_secured(
        session: &Session,
        signalled_from: IpAddr,
        srtp: Option<&LocalSrtp>,
    ) -> Result<Self, AudioError> {
        let Wanted { media, crypto, .. } = wanted_audio(session, srtp)?;
        let address = session
            .connection_of(media)
            .and_then(|connection| connection.host.ip());
        let address = address
            .filter(|ip| may_send_to(*ip, signalled_from))
            .ok_or(AudioError::PeerAddress)?;
        let formats: Vec<Format> = Format::all_of(media).collect();
        let of = |kind: FormatKind| {
            formats
                .iter()
                .find(|format| format.kind == kind)
                .map(|format| format.payload_type)
        };
        let codecs: Vec<(Codec, u8)> = formats
            .iter()
            .filter_map(|format| Some((format.kind.codec()?, format.payload_type)))
            .collect();
        if codecs.is_empty() {
            return Err(AudioError::PeerNoCodec);
        }
        let rtp = SocketAddr::new(address, media.port);
        let hold = Direction::new(true, !address.is_unspecified());
        Ok(Self {
            rtp,
            rtcp: rtcp_address(session, media, rtp, signalled_from),
            rtcp_mux: session.attribute(media, "rtcp-mux").is_some(),
            codecs,
            telephone_event: of(FormatKind::TelephoneEvent(EventClock::Khz8)),
            telephone_event_at_48_khz: of(FormatKind::TelephoneEvent(EventClock::Khz48)),
            comfort_noise: of(FormatKind::ComfortNoise),
            ptime: milliseconds(session, media, "ptime"),
            maxptime: milliseconds(session, media, "maxptime"),
            direction: direction_of(session, media).and(hold),
            crypto,
        })
    }
}

fn rtcp_address(
    session: &Session,
    media: &Media,
    rtp: SocketAddr,
    signalled_from: IpAddr,
) -> SocketAddr {
    let next = SocketAddr::new(rtp.ip(), rtp.port().checked_add(1).unwrap_or(rtp.port()));
    let named = session.attribute(media, "rtcp").and_then(|value| {
        let mut parts = value.split_ascii_whitespace();
        let port: u16 = parts.next()?.parse().ok().filter(|port| *port != 0)?;
        let ip = match parts.nth(2) {
            Some(text) => text.parse().ok()?,
            None => rtp.ip(),
        };
        may_send_to(ip, signalled_from).then(|| SocketAddr::new(ip, port))
    });
    named.unwrap_or(next)
}

/// Unspecified passes: it means hold, and nothing is sent to it.
fn may_send_to(ip: IpAddr, signalled_from: IpAddr) -> bool {
    let is_local = |ip: IpAddr| match ip.to_canonical() {
        IpAddr::V4(v4) => v4.is_loopback() || v4.is_link_local(),
        IpAddr::V6(v6) => v6.is_loopback() || v6.is_unicast_link_local(),
    };
    let is_group = match ip.to_canonical() {
        IpAddr::V4(v4) => v4.is_multicast() || v4.is_broadcast(),
        IpAddr::V6(v6) => v6.is_multicast(),
    };
    !is_group && (!is_local(ip) || is_local(signalled_from))
}
