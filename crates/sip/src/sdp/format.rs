//! Payload types of a media line, what they mean, and who sends.

use std::time::Duration;

use super::audio::AudioError;
use super::session::{Media, Session};

/// Audio codecs we can mask.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Codec {
    /// G.711 mu-law.
    Pcmu,
    /// G.711 A-law.
    Pcma,
}

impl Codec {
    const ALL: [Self; 2] = [Self::Pcmu, Self::Pcma];

    fn name(self) -> &'static str {
        match self {
            Self::Pcmu => "PCMU",
            Self::Pcma => "PCMA",
        }
    }

    /// The static payload type of [RFC 3551](https://www.rfc-editor.org/rfc/rfc3551): 0 or 8.
    #[must_use]
    pub fn static_payload_type(self) -> u8 {
        match self {
            Self::Pcmu => 0,
            Self::Pcma => 8,
        }
    }
}

/// Who sends, seen from the side that says it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Direction {
    /// It sends and receives.
    #[default]
    SendRecv,
    /// It only sends.
    SendOnly,
    /// It only receives.
    RecvOnly,
    /// Neither.
    Inactive,
}

impl Direction {
    pub(super) fn new(sends: bool, receives: bool) -> Self {
        match (sends, receives) {
            (true, true) => Self::SendRecv,
            (true, false) => Self::SendOnly,
            (false, true) => Self::RecvOnly,
            (false, false) => Self::Inactive,
        }
    }

    /// The side that says it sends.
    #[must_use]
    pub fn sends(self) -> bool {
        matches!(self, Self::SendRecv | Self::SendOnly)
    }

    /// The side that says it receives.
    #[must_use]
    pub fn receives(self) -> bool {
        matches!(self, Self::SendRecv | Self::RecvOnly)
    }

    /// The same seen from the other side.
    #[must_use]
    pub fn reversed(self) -> Self {
        Self::new(self.receives(), self.sends())
    }

    /// What both allow.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self::new(
            self.sends() && other.sends(),
            self.receives() && other.receives(),
        )
    }

    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::SendRecv => "sendrecv",
            Self::SendOnly => "sendonly",
            Self::RecvOnly => "recvonly",
            Self::Inactive => "inactive",
        }
    }
}

/// Static payload type of comfort noise (RFC 3389).
pub(super) const COMFORT_NOISE: u8 = 13;

/// A payload type of a media line that we know.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Format {
    pub(super) payload_type: u8,
    pub(super) kind: FormatKind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum FormatKind {
    Audio(Codec),
    TelephoneEvent,
    ComfortNoise,
}

impl FormatKind {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Audio(codec) => codec.name(),
            Self::TelephoneEvent => "telephone-event",
            Self::ComfortNoise => "CN",
        }
    }

    pub(super) fn codec(self) -> Option<Codec> {
        match self {
            Self::Audio(codec) => Some(codec),
            Self::TelephoneEvent | Self::ComfortNoise => None,
        }
    }

    /// By name and clock of an `rtpmap`; everything we know runs at 8,000 Hz with one channel.
    fn of_encoding(encoding: &str) -> Option<Self> {
        let mut parts = encoding.trim().split('/');
        let (name, clock, channels) = (parts.next()?, parts.next()?, parts.next().unwrap_or("1"));
        if clock != "8000" || channels != "1" {
            return None;
        }
        let audio = Codec::ALL.into_iter().map(Self::Audio);
        audio
            .chain([Self::TelephoneEvent, Self::ComfortNoise])
            .find(|kind| kind.name().eq_ignore_ascii_case(name))
    }

    fn of_static(payload_type: u8) -> Option<Self> {
        match payload_type {
            0 => Some(Self::Audio(Codec::Pcmu)),
            8 => Some(Self::Audio(Codec::Pcma)),
            COMFORT_NOISE => Some(Self::ComfortNoise),
            _ => None,
        }
    }
}

impl Format {
    /// Known formats of a media line in its order. An `rtpmap` wins over the static meaning of a number.
    pub(super) fn all_of(media: &Media) -> impl Iterator<Item = Self> {
        media.formats.iter().filter_map(|format| {
            let payload_type: u8 = format.parse().ok().filter(|number| *number < 128)?;
            let map = media.values("rtpmap").find_map(|map| {
                let (number, encoding) = map.split_once(' ')?;
                (number == format).then_some(encoding)
            });
            let kind = match map {
                Some(encoding) => FormatKind::of_encoding(encoding)?,
                None => FormatKind::of_static(payload_type)?,
            };
            Some(Self { payload_type, kind })
        })
    }
}

/// An audio line over plain RTP that is wanted.
pub(super) fn is_wanted(media: &Media) -> bool {
    media.kind == "audio"
        && media.port != 0
        && (media.protocol == "RTP/AVP" || media.protocol == "RTP/AVPF")
}

pub(super) fn wanted_audio(session: &Session) -> Result<(usize, &Media), AudioError> {
    session
        .media
        .iter()
        .enumerate()
        .find(|(_, media)| is_wanted(media))
        .ok_or(AudioError::PeerNoAudio)
}

/// The same line with port 0; attributes mean nothing then.
pub(super) fn refused(media: &Media) -> Media {
    Media {
        port: 0,
        connection: None,
        attributes: Vec::new(),
        ..media.clone()
    }
}

pub(super) fn direction_of(session: &Session, media: &Media) -> Direction {
    let all = [
        Direction::SendRecv,
        Direction::SendOnly,
        Direction::RecvOnly,
        Direction::Inactive,
    ];
    let named = |attributes: &[super::Attribute]| {
        attributes.iter().find_map(|attribute| {
            all.into_iter()
                .find(|direction| direction.as_str() == attribute.name)
        })
    };
    named(&media.attributes)
        .or_else(|| named(&session.attributes))
        .unwrap_or_default()
}

/// A packet duration; anything outside 1 to 200 ms is taken as not said.
pub(super) fn milliseconds(session: &Session, media: &Media, name: &str) -> Option<Duration> {
    let text = session.attribute(media, name)?;
    let whole = text.split_once('.').map_or(text, |(whole, _)| whole);
    whole
        .parse()
        .ok()
        .filter(|ms| (1..=200).contains(ms))
        .map(Duration::from_millis)
}
