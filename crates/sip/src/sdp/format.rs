//! Payload types of a media line, what they mean, and who sends.

use std::time::Duration;

use super::audio::AudioError;
use super::crypto::{Crypto, LocalSrtp};
use super::session::{Media, Session};

/// Audio codecs we can mask.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Codec {
    /// G.711 mu-law.
    Pcmu,
    /// G.711 A-law.
    Pcma,
    /// G.722 at 64 kbit/s. Its samples come at 16 kHz and its clock is written as 8000 all the same
    /// ([RFC 3551 §4.5.2](https://www.rfc-editor.org/rfc/rfc3551#section-4.5.2)).
    G722,
    /// Opus, in one channel both ways ([RFC 7587](https://www.rfc-editor.org/rfc/rfc7587)).
    Opus,
}

/// The clock in which a telephone-event counts: that of the audio beside it
/// ([RFC 4733](https://www.rfc-editor.org/rfc/rfc4733)), or another where a far side knows no better.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum EventClock {
    /// 8,000 steps in a second.
    Khz8,
    /// 48,000: beside Opus.
    Khz48,
}

impl Codec {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Pcmu, Self::Pcma, Self::G722, Self::Opus];

    /// Those that every far side is spoken to in unless its configuration says otherwise.
    pub const USUAL: [Self; 2] = [Self::Pcmu, Self::Pcma];

    /// Its name in an `rtpmap`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Pcmu => "PCMU",
            Self::Pcma => "PCMA",
            Self::G722 => "G722",
            Self::Opus => "opus",
        }
    }

    /// The static payload type of [RFC 3551](https://www.rfc-editor.org/rfc/rfc3551): 0, 8 or 9; of Opus, which has none, the one that we offer it
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

    /// The clock of events beside it.
    #[must_use]
    pub fn event_clock(self) -> EventClock {
        match self {
            Self::Pcmu | Self::Pcma | Self::G722 => EventClock::Khz8,
            Self::Opus => EventClock::Khz48,
        }
    }

    /// It carries more than a telephone's band.
    #[must_use]
    pub fn is_wideband(self) -> bool {
        match self {
            Self::Pcmu | Self::Pcma => false,
            Self::G722 | Self::Opus => true,
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

/// Payload type of telephone-events at 48 kHz in our offers; those at 8 kHz have the number that a description is told.
pub(super) const EVENT_AT_48_KHZ: u8 = 110;

/// What we say of Opus (RFC 7587 section 6.1): one channel each way, and no copies of earlier audio within later packets: they are not read.
pub(super) const OPUS_PARAMETERS: &str = "minptime=10;useinbandfec=0;stereo=0;sprop-stereo=0";

/// A payload type of a media line that we know.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Format {
    pub(super) payload_type: u8,
    pub(super) kind: FormatKind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum FormatKind {
    Audio(Codec),
    TelephoneEvent(EventClock),
    ComfortNoise,
}

impl FormatKind {
    const ALL: [Self; 7] = [
        Self::Audio(Codec::Pcmu),
        Self::Audio(Codec::Pcma),
        Self::Audio(Codec::G722),
        Self::Audio(Codec::Opus),
        Self::TelephoneEvent(EventClock::Khz8),
        Self::TelephoneEvent(EventClock::Khz48),
        Self::ComfortNoise,
    ];

    /// Name, clock and channels, as an `rtpmap` has them. Opus has its name, 48,000 and two channels whatever it carries (RFC 7587 section 7).
    pub(super) fn encoding(self) -> &'static str {
        match self {
            Self::Audio(Codec::Pcmu) => "PCMU/8000",
            Self::Audio(Codec::Pcma) => "PCMA/8000",
            Self::Audio(Codec::G722) => "G722/8000",
            Self::Audio(Codec::Opus) => "opus/48000/2",
            Self::TelephoneEvent(EventClock::Khz8) => "telephone-event/8000",
            Self::TelephoneEvent(EventClock::Khz48) => "telephone-event/48000",
            Self::ComfortNoise => "CN/8000",
        }
    }

    pub(super) fn codec(self) -> Option<Codec> {
        match self {
            Self::Audio(codec) => Some(codec),
            Self::TelephoneEvent(_) | Self::ComfortNoise => None,
        }
    }

    /// By what an `rtpmap` says; one channel need not be named.
    fn of_encoding(encoding: &str) -> Option<Self> {
        let encoding = encoding.trim();
        let encoding = encoding.strip_suffix("/1").unwrap_or(encoding);
        let mut all = Self::ALL.into_iter();
        all.find(|kind| kind.encoding().eq_ignore_ascii_case(encoding))
    }

    fn of_static(payload_type: u8) -> Option<Self> {
        match payload_type {
            0 => Some(Self::Audio(Codec::Pcmu)),
            8 => Some(Self::Audio(Codec::Pcma)),
            9 => Some(Self::Audio(Codec::G722)),
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

/// An audio line over RTP, secured or not, that is wanted.
pub(super) fn is_wanted(media: &Media) -> bool {
    media.kind == "audio" && media.port != 0 && (is_plain(media) || is_secured(media))
}

fn is_plain(media: &Media) -> bool {
    media.protocol == "RTP/AVP" || media.protocol == "RTP/AVPF"
}

/// Its profile says that nothing on it is in clear.
pub(super) fn is_secured(media: &Media) -> bool {
    media.protocol == "RTP/SAVP" || media.protocol == "RTP/SAVPF"
}

/// The line of a description that is talked on.
#[derive(Debug)]
pub(super) struct Wanted<'session> {
    pub(super) at: usize,
    pub(super) media: &'session Media,
    /// How the far side secures what it sends; none: it does not.
    pub(super) crypto: Option<Crypto>,
}

/// The first audio line that we can take. Where it may be secured, one that is goes before one that is not: in a profile that says so, or in a plain one
/// with keys, as phones offer it that would do without.
pub(super) fn wanted_audio<'session>(
    session: &'session Session,
    srtp: Option<&LocalSrtp>,
) -> Result<Wanted<'session>, AudioError> {
    let lines = || {
        let all = session.media.iter().enumerate();
        all.filter(|(_, media)| is_wanted(media))
    };
    let secured = srtp.and_then(|srtp| {
        lines().find_map(|(at, media)| {
            let crypto = srtp.choose(media);
            crypto.map(|crypto| Wanted {
                at,
                media,
                crypto: Some(crypto),
            })
        })
    });
    if let Some(secured) = secured {
        return Ok(secured);
    }
    let in_clear = lines().find(|(_, media)| is_plain(media));
    match (in_clear, lines().next()) {
        (Some(_), _) if srtp.is_some_and(|srtp| srtp.required) => Err(AudioError::PeerNotSecured),
        (Some((at, media)), _) => Ok(Wanted {
            at,
            media,
            crypto: None,
        }),
        (None, Some(_)) if srtp.is_some() => Err(AudioError::PeerCrypto),
        (None, _) => Err(AudioError::PeerNoAudio),
    }
}

/// The audio line of a description of ours: all others are refused.
pub(super) fn own_audio(ours: &Session) -> Result<&Media, AudioError> {
    let mut lines = ours.media.iter();
    lines
        .find(|media| is_wanted(media))
        .ok_or(AudioError::PeerNoAudio)
}

/// The same line with port 0; attributes mean nothing then.
pub(super) fn refused(media: &Media) -> Media {
    Media {
        port: 0,
        connection: None,
        attributes: Vec::new(),
        crypto: Vec::new(),
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
