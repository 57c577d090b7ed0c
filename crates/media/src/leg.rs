//! One side of a call, as media sees it.
//! Owns: what was negotiated for a leg.
//! Never: parses SDP; knows nothing of dialogs.

use std::net::SocketAddr;
use std::time::Duration;

use crate::g711::Law;
use crate::source::SourcePolicy;

/// The two sides of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Leg {
    /// The one who pays and keys.
    Consumer,
    /// The one who must not hear the keys.
    Agent,
}

impl Leg {
    /// The other side.
    #[must_use]
    pub fn other(self) -> Self {
        match self {
            Self::Consumer => Self::Agent,
            Self::Agent => Self::Consumer,
        }
    }
}

/// Codecs that can be masked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Codec {
    /// G.711 mu-law.
    Pcmu,
    /// G.711 A-law.
    Pcma,
    /// G.722 at 64 kbit/s. Its RTP clock is that of G.711 ([RFC 3551 §4.5.2](https://www.rfc-editor.org/rfc/rfc3551#section-4.5.2)): an octet is a
    /// step of it.
    G722,
    /// Opus, in one channel ([RFC 6716](https://www.rfc-editor.org/rfc/rfc6716)). Its RTP clock runs at 48 kHz whatever it carries
    /// ([RFC 7587 §4.1](https://www.rfc-editor.org/rfc/rfc7587#section-4.1)), and how many samples a packet has is said in its first octets.
    Opus,
}

/// Steps of a stream's RTP clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RtpClock {
    /// 8,000 in a second: one for each sample of ours.
    Khz8,
    /// 48,000 in a second.
    Khz48,
}

impl RtpClock {
    /// Steps for each sample at 8 kHz.
    #[must_use]
    pub const fn steps(self) -> u16 {
        match self {
            Self::Khz8 => 1,
            Self::Khz48 => 6,
        }
    }
}

impl Codec {
    /// The companding law; of G.722 and Opus, which have none, the one their sound is recorded in: mu.
    #[must_use]
    pub fn law(self) -> Law {
        match self {
            Self::Pcmu | Self::G722 | Self::Opus => Law::Mu,
            Self::Pcma => Law::A,
        }
    }

    /// The static payload type: 0, 8 or 9 ([RFC 3551](https://www.rfc-editor.org/rfc/rfc3551)); of Opus, which has none, the one that we offer it
    /// under: 111.
    #[must_use]
    pub fn usual_payload_type(self) -> u8 {
        match self {
            Self::Pcmu => 0,
            Self::Pcma => 8,
            Self::G722 => 9,
            Self::Opus => 111,
        }
    }

    /// The clock of its RTP timestamps.
    #[must_use]
    pub fn clock(self) -> RtpClock {
        match self {
            Self::Pcmu | Self::Pcma | Self::G722 => RtpClock::Khz8,
            Self::Opus => RtpClock::Khz48,
        }
    }

    /// What an octet sounds like depends on those before it.
    pub(crate) fn remembers(self) -> bool {
        match self {
            Self::Pcmu | Self::Pcma => false,
            Self::G722 | Self::Opus => true,
        }
    }

    /// Our encoder of it goes on from what the far side has heard of somebody else, so each packet that passes has to be decoded. A far side of Opus finds
    /// its way into another stream within a packet or two, and its decoder is not held for calls that need none.
    pub(crate) fn is_followed(self) -> bool {
        match self {
            Self::Pcmu | Self::Pcma | Self::Opus => false,
            Self::G722 => true,
        }
    }

    /// Keys that sound in it are read. Of Opus none is: what its encoder leaves of two tones is its own business, and a digit that it changed would count.
    pub(crate) fn reads_keys(self) -> bool {
        match self {
            Self::Pcmu | Self::Pcma | Self::G722 => true,
            Self::Opus => false,
        }
    }
}

/// Who sends on a leg, as negotiated, from our side.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Direction {
    /// Both.
    SendRecv,
    /// We send only: the far side is silent (it holds a call without music, or listens).
    SendOnly,
    /// We receive only: the far side has put us on hold.
    RecvOnly,
    /// Nobody.
    Inactive,
}

impl Direction {
    /// We may send.
    #[must_use]
    pub fn sends(self) -> bool {
        matches!(self, Self::SendRecv | Self::SendOnly)
    }

    /// The far side may send.
    #[must_use]
    pub fn receives(self) -> bool {
        matches!(self, Self::SendRecv | Self::RecvOnly)
    }
}

/// Static payload type of comfort noise at 8 kHz (RFC 3551): phones with voice activity detection send it unasked.
const COMFORT_NOISE: u8 = 13;

/// What was negotiated for one leg; the only thing media knows of SDP.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LegPlan {
    /// The leg's codec, both ways.
    pub codec: Codec,
    /// Payload type of audio that the far side sends, 0-127.
    pub payload_type_in: u8,
    /// Payload type of audio that we send.
    pub payload_type_out: u8,
    /// Payload type of telephone-events that the far side sends; none if not negotiated.
    pub telephone_event_in: Option<u8>,
    /// Another that it may send them under; none, or one that carries nothing else.
    pub telephone_event_in_other: Option<u8>,
    /// Payload type of telephone-events that we send.
    pub telephone_event_out: Option<u8>,
    /// The clock that their durations count in, both ways.
    pub telephone_event_clock: RtpClock,
    /// Payload type under which the far side takes comfort noise ([RFC 3389](https://www.rfc-editor.org/rfc/rfc3389)), and may send it; none if
    /// not negotiated. Its static type is taken in any case.
    pub comfort_noise: Option<u8>,
    /// Packet duration that the far side asked for, 10-120 ms; none: as the input comes.
    pub ptime: Option<Duration>,
    /// Longest packet duration that the far side takes.
    pub maxptime: Option<Duration>,
    /// Where the far side wants RTP.
    pub remote_rtp: SocketAddr,
    /// Where the far side wants RTCP; not used with `rtcp_mux`.
    pub remote_rtcp: SocketAddr,
    /// RTCP travels on the RTP port.
    pub rtcp_mux: bool,
    /// Who sends.
    pub direction: Direction,
    /// From where packets are taken.
    pub source_policy: SourcePolicy,
}

impl LegPlan {
    /// A plan for a far side at `remote_rtp` that speaks `codec` by its usual payload type, without telephone-events or comfort
    /// noise; RTCP on the next port; packets from the signalled address only.
    #[must_use]
    pub fn new(codec: Codec, remote_rtp: SocketAddr) -> Self {
        let mut remote_rtcp = remote_rtp;
        remote_rtcp.set_port(remote_rtp.port().wrapping_add(1));
        Self {
            codec,
            payload_type_in: codec.usual_payload_type(),
            payload_type_out: codec.usual_payload_type(),
            telephone_event_in: None,
            telephone_event_in_other: None,
            telephone_event_out: None,
            telephone_event_clock: codec.clock(),
            comfort_noise: None,
            ptime: None,
            maxptime: None,
            remote_rtp,
            remote_rtcp,
            rtcp_mux: false,
            direction: Direction::SendRecv,
            source_policy: SourcePolicy::Signalled,
        }
    }

    /// The same with telephone-events of this payload type both ways.
    #[must_use]
    pub fn with_telephone_event(mut self, payload_type: u8) -> Self {
        self.telephone_event_in = Some(payload_type);
        self.telephone_event_out = Some(payload_type);
        self
    }

    /// What a payload type from the far side carries.
    #[must_use]
    pub fn content_of(&self, payload_type: u8) -> Option<Content> {
        if payload_type == self.payload_type_in {
            Some(Content::Audio)
        } else if self.telephone_event_in == Some(payload_type)
            || self.telephone_event_in_other == Some(payload_type)
        {
            Some(Content::TelephoneEvent)
        } else if self.comfort_noise == Some(payload_type) || payload_type == COMFORT_NOISE {
            Some(Content::ComfortNoise)
        } else {
            None
        }
    }
}

/// What a negotiated payload type carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Content {
    /// Octets of the leg's codec.
    Audio,
    /// RFC 4733 events.
    TelephoneEvent,
    /// RFC 3389 noise parameters.
    ComfortNoise,
}
