//! The one audio stream of a call: our side, and what both sides agreed on (RFC 3264, SETTLED S38).

use compact_str::{CompactString, ToCompactString as _};
use std::net::SocketAddr;
use std::time::Duration;

use thiserror::Error;

use super::crypto::{Crypto, LocalSrtp, SrtpKeys};
use super::format::{
    COMFORT_NOISE, Codec, Direction, EVENT_AT_48_KHZ, EventClock, Format, FormatKind,
    OPUS_PARAMETERS, Wanted, direction_of, is_secured, is_wanted, milliseconds, own_audio, refused,
    wanted_audio,
};
use super::remote::RemoteAudio;
use super::session::{Connection, Media, Origin, Session};

/// Why a description gives no audio stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum AudioError {
    /// No audio line over RTP with a port, or only secured ones where we speak none.
    #[error("peer offers no audio stream that we can take")]
    PeerNoAudio,
    /// An audio line, but none of our codecs.
    #[error("peer offers none of our audio codecs")]
    PeerNoCodec,
    /// No address, a host name, a multicast or broadcast address, or a loopback or link-local one from a peer that is not there itself.
    #[error("peer names a media address that we do not send to")]
    PeerAddress,
    /// It offers audio in clear, and ours has to be secured.
    #[error("peer offers no secured audio stream, and one is required of it")]
    PeerNotSecured,
    /// A secured line without a key that we can use, or an answer that takes none of our lines.
    #[error("peer names no keys that we can use for its secured audio stream")]
    PeerCrypto,
}

/// Our side of the stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LocalAudio {
    /// Session id of `o=`, constant for a leg.
    pub session_id: u64,
    /// Version of `o=`: one more for each description that differs from the one before.
    pub version: u64,
    /// Where we take RTP, as the far side reaches it.
    pub rtp: SocketAddr,
    /// We offer, or accept, RTCP on the RTP port.
    pub rtcp_mux: bool,
    /// Our codecs in the order of preference. An answer keeps the offer's order.
    pub codecs: Vec<Codec>,
    /// Payload type of telephone-events in our offers; an answer takes the offer's. None: not offered and not accepted.
    pub telephone_event: Option<u8>,
    /// We offer, or accept, comfort noise (payload type 13).
    pub comfort_noise: bool,
    /// Packet duration we ask for.
    pub ptime: Option<Duration>,
    /// Longest packet duration we take.
    pub maxptime: Option<Duration>,
    /// What we want.
    pub direction: Direction,
    /// How it may be secured; none: not at all.
    pub srtp: Option<LocalSrtp>,
}

impl LocalAudio {
    /// PCMU and PCMA with telephone-events as 101, 20 ms packets, both ways, no comfort noise, `rtcp-mux` accepted.
    #[must_use]
    pub fn new(rtp: SocketAddr, session_id: u64) -> Self {
        Self {
            session_id,
            version: 1,
            rtp,
            rtcp_mux: true,
            codecs: Codec::USUAL.to_vec(),
            telephone_event: Some(101),
            comfort_noise: false,
            ptime: Some(Duration::from_millis(20)),
            maxptime: None,
            direction: Direction::SendRecv,
            srtp: None,
        }
    }

    /// A first offer. Where audio has to be secured its profile says so; where it may be, keys are offered with the plain profile, which a far side that
    /// knows nothing of them passes over.
    #[must_use]
    pub fn offer(&self) -> Session {
        self.session(vec![self.offered_line()])
    }

    /// A later offer. Media lines never become fewer and keep their places
    /// ([RFC 3264 §8](https://www.rfc-editor.org/rfc/rfc3264#section-8)): the audio line is replaced in the profile that it has, the others stay refused.
    #[must_use]
    pub fn offer_after(&self, previous: &Session) -> Session {
        let Some(audio) = previous.media.iter().position(is_wanted) else {
            return self.offer();
        };
        let mut ours = self.offered_line();
        if let Some(media) = previous.media.get(audio) {
            ours.protocol.clone_from(&media.protocol);
        }
        let line = |(at, media): (usize, &Media)| {
            if at == audio {
                ours.clone()
            } else {
                refused(media)
            }
        };
        self.session(previous.media.iter().enumerate().map(line).collect())
    }

    /// The answer to an offer: the first audio stream that we can take, with the offer's payload types and order; every other
    /// media line is refused with port 0 (S38).
    ///
    /// # Errors
    /// The offer has no such stream: the call is answered 488.
    pub fn answer(&self, offer: &Session) -> Result<Session, AudioError> {
        let Wanted {
            at: audio,
            media,
            crypto,
        } = wanted_audio(offer, self.srtp.as_ref())?;
        let mut formats: Vec<Format> = Format::all_of(media)
            .filter(|format| self.accepts(*format))
            .collect();
        let spoken = formats.iter().find_map(|format| format.kind.codec());
        keep_events_of(&mut formats, spoken.ok_or(AudioError::PeerNoCodec)?);
        let mut reply = Self {
            direction: self.direction.and(direction_of(offer, media).reversed()),
            ..self.clone()
        };
        reply.rtcp_mux &= offer.attribute(media, "rtcp-mux").is_some();
        reply.ptime = milliseconds(offer, media, "ptime").or(self.ptime);
        let mut ours = reply.audio_line(&formats);
        ours.protocol.clone_from(&media.protocol);
        if let Some(theirs) = crypto {
            let srtp = self.srtp.as_ref();
            let key = srtp.and_then(|srtp| srtp.crypto(theirs.tag, theirs.suite));
            ours.push_crypto(&key.ok_or(AudioError::PeerCrypto)?);
        }
        let line = |(at, media): (usize, &Media)| {
            if at == audio {
                ours.clone()
            } else {
                refused(media)
            }
        };
        Ok(reply.session(offer.media.iter().enumerate().map(line).collect()))
    }

    fn accepts(&self, format: Format) -> bool {
        match format.kind {
            FormatKind::Audio(codec) => self.codecs.contains(&codec),
            FormatKind::TelephoneEvent(_) => self.telephone_event.is_some(),
            FormatKind::ComfortNoise => self.comfort_noise,
        }
    }

    fn offered_formats(&self) -> Vec<Format> {
        let audio = |codec: &Codec| Format {
            payload_type: codec.usual_payload_type(),
            kind: FormatKind::Audio(*codec),
        };
        let mut formats: Vec<Format> = self.codecs.iter().map(audio).collect();
        if self.comfort_noise {
            formats.push(Format {
                payload_type: COMFORT_NOISE,
                kind: FormatKind::ComfortNoise,
            });
        }
        for clock in [EventClock::Khz8, EventClock::Khz48] {
            let is_needed = self.codecs.iter().any(|codec| codec.event_clock() == clock);
            let payload_type = self.telephone_event.filter(|_| is_needed);
            formats.extend(payload_type.map(|payload_type| Format {
                payload_type: match clock {
                    EventClock::Khz8 => payload_type,
                    EventClock::Khz48 => EVENT_AT_48_KHZ,
                },
                kind: FormatKind::TelephoneEvent(clock),
            }));
        }
        formats
    }

    fn offered_line(&self) -> Media {
        let mut line = self.audio_line(&self.offered_formats());
        if let Some(srtp) = &self.srtp {
            if srtp.required {
                line.protocol = CompactString::const_new("RTP/SAVP");
            }
            for crypto in srtp.offered() {
                line.push_crypto(&crypto);
            }
        }
        line
    }

    fn audio_line(&self, formats: &[Format]) -> Media {
        let mut media = Media {
            kind: CompactString::const_new("audio"),
            port: self.rtp.port(),
            protocol: CompactString::const_new("RTP/AVP"),
            formats: formats
                .iter()
                .map(|format| format.payload_type.to_compact_string())
                .collect(),
            connection: None,
            attributes: Vec::new(),
            crypto: Vec::new(),
        };
        for format in formats {
            media.push(
                "rtpmap",
                format_args!("{} {}", format.payload_type, format.kind.encoding()),
            );
        }
        for format in formats {
            let parameters = match format.kind {
                FormatKind::Audio(Codec::Opus) => OPUS_PARAMETERS,
                FormatKind::TelephoneEvent(_) => "0-15",
                FormatKind::Audio(_) | FormatKind::ComfortNoise => continue,
            };
            let payload_type = format.payload_type;
            media.push("fmtp", format_args!("{payload_type} {parameters}"));
        }
        for (name, value) in [("ptime", self.ptime), ("maxptime", self.maxptime)] {
            if let Some(duration) = value {
                media.push(name, duration.as_millis());
            }
        }
        if self.rtcp_mux {
            media.push_flag("rtcp-mux");
        }
        media.push_flag(self.direction.as_str());
        media
    }

    fn session(&self, media: Vec<Media>) -> Session {
        let connection = Connection::new(self.rtp.ip());
        Session {
            origin: Origin {
                username: CompactString::const_new("-"),
                session_id: self.session_id.to_compact_string(),
                version: self.version.to_compact_string(),
                address: connection.clone(),
            },
            name: CompactString::const_new("-"),
            connection: Some(connection),
            timing: CompactString::const_new("0 0"),
            attributes: Vec::new(),
            media,
        }
    }
}

/// Who wrote the answer: its first codec is the one that is used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Answerer {
    /// We answered the far side's offer.
    Us,
    /// The far side answered our offer.
    Them,
}

/// What both sides agreed on: all that a media plan needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Negotiated {
    /// The codec, both ways.
    pub codec: Codec,
    /// Payload type the far side sends audio under: the one of our description.
    pub payload_type_in: u8,
    /// Payload type we send audio under: the one of its description.
    pub payload_type_out: u8,
    /// The same for telephone-events.
    pub telephone_event_in: Option<u8>,
    /// The number of the far side's description, if it is another and nothing of ours has it: some send their events under that.
    pub telephone_event_in_theirs: Option<u8>,
    /// The same for telephone-events.
    pub telephone_event_out: Option<u8>,
    /// The clock that they count in, both ways: the audio's, unless they share another alone.
    pub telephone_event_clock: EventClock,
    /// Payload type of comfort noise.
    pub comfort_noise: Option<u8>,
    /// Packet duration the far side asks for.
    pub ptime: Option<Duration>,
    /// Longest packet duration it takes.
    pub maxptime: Option<Duration>,
    /// Where it wants RTP.
    pub remote_rtp: SocketAddr,
    /// Where it wants RTCP without `rtcp_mux`.
    pub remote_rtcp: SocketAddr,
    /// RTCP travels on the RTP port.
    pub rtcp_mux: bool,
    /// Seen from our side.
    pub direction: Direction,
    /// Keys of both sides; none: the stream is in clear.
    pub srtp: Option<SrtpKeys>,
}

impl Negotiated {
    /// Puts our description and the far side's together.
    ///
    /// # Errors
    /// They share no codec, ours has no audio line, or one side's keys have none of the other's to go with them.
    pub fn new(
        ours: &Session,
        theirs: &RemoteAudio,
        answerer: Answerer,
    ) -> Result<Self, AudioError> {
        let media = own_audio(ours)?;
        let formats: Vec<Format> = Format::all_of(media).collect();
        let of = |kind: FormatKind| {
            formats
                .iter()
                .find(|format| format.kind == kind)
                .map(|format| format.payload_type)
        };
        let remote_type = |codec: Codec| {
            theirs
                .codecs
                .iter()
                .find(|(known, _)| *known == codec)
                .map(|(_, payload_type)| *payload_type)
        };
        let order: Vec<Codec> = match answerer {
            Answerer::Us => formats
                .iter()
                .filter_map(|format| format.kind.codec())
                .collect(),
            Answerer::Them => theirs.codecs.iter().map(|(codec, _)| *codec).collect(),
        };
        let agreed =
            |codec: Codec| Some((codec, of(FormatKind::Audio(codec))?, remote_type(codec)?));
        let (codec, payload_type_in, payload_type_out) = order
            .into_iter()
            .find_map(agreed)
            .ok_or(AudioError::PeerNoCodec)?;
        let events_at = |clock: EventClock| {
            let ours = of(FormatKind::TelephoneEvent(clock))?;
            Some((ours, theirs.telephone_event_at(clock)?))
        };
        let own = codec.event_clock();
        let shared = [own, EventClock::Khz8, EventClock::Khz48];
        let events_clock = shared.into_iter().find(|clock| events_at(*clock).is_some());
        let events = events_clock.and_then(events_at);
        let ours_direction = direction_of(ours, media);
        Ok(Self {
            codec,
            payload_type_in,
            payload_type_out,
            telephone_event_in: events.map(|(ours, _)| ours),
            telephone_event_in_theirs: events
                .map(|(_, theirs)| theirs)
                .filter(|theirs| formats.iter().all(|ours| ours.payload_type != *theirs)),
            telephone_event_out: events.map(|(_, theirs)| theirs),
            telephone_event_clock: events_clock.unwrap_or(own),
            comfort_noise: of(FormatKind::ComfortNoise).and(theirs.comfort_noise),
            ptime: theirs.ptime,
            maxptime: theirs.maxptime,
            remote_rtp: theirs.rtp,
            remote_rtcp: theirs.rtcp,
            rtcp_mux: theirs.rtcp_mux && ours.attribute(media, "rtcp-mux").is_some(),
            direction: ours_direction.and(theirs.direction.reversed()),
            srtp: keys_of(media, theirs.crypto.as_ref())?,
        })
    }
}

/// Of telephone-events those are answered that count as the audio does; others where there are no such.
fn keep_events_of(formats: &mut Vec<Format>, spoken: Codec) {
    let own = FormatKind::TelephoneEvent(spoken.event_clock());
    if formats.iter().any(|format| format.kind == own) {
        formats.retain(|format| {
            format.kind == own || !matches!(format.kind, FormatKind::TelephoneEvent(_))
        });
    }
}

/// An answer takes one of the lines offered, by its tag and with its suite.
fn keys_of(ours: &Media, theirs: Option<&Crypto>) -> Result<Option<SrtpKeys>, AudioError> {
    let Some(theirs) = theirs else {
        let must_be = is_secured(ours);
        return if must_be {
            Err(AudioError::PeerCrypto)
        } else {
            Ok(None)
        };
    };
    let mut lines = ours.cryptos();
    let ours = lines.find(|line| line.tag == theirs.tag && line.suite == theirs.suite);
    let keys = ours.map(|ours| SrtpKeys {
        ours,
        theirs: theirs.clone(),
    });
    keys.map(Some).ok_or(AudioError::PeerCrypto)
}

#[cfg(test)]
#[path = "opus_tests.rs"]
mod opus_tests;

#[cfg(test)]
mod tests {
    use std::net::IpAddr;

    use super::*;

    const PHONE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 9));

    fn theirs(media: &str) -> Session {
        let text = format!(
            "v=0\r\no=- 1 1 IN IP4 192.0.2.9\r\ns=-\r\nc=IN IP4 192.0.2.9\r\nt=0 0\r\n{media}"
        );
        Session::parse(text.as_bytes()).expect("valid")
    }

    fn ours() -> LocalAudio {
        LocalAudio::new("192.0.2.1:10000".parse().expect("address"), 7)
    }

    #[test]
    fn answer_keeps_the_offers_order_and_payload_types() {
        let offer = theirs(
            "m=audio 4000 RTP/AVP 18 8 0 96\r\na=rtpmap:96 telephone-event/8000\r\na=ptime:30\r\n",
        );
        let answer = ours().answer(&offer).expect("answer");
        assert_eq!(answer.media[0].formats, ["8", "0", "96"]);
        let far = RemoteAudio::read(&offer, PHONE).expect("audio");
        let agreed = Negotiated::new(&answer, &far, Answerer::Us).expect("agreed");
        assert_eq!(
            (
                agreed.codec,
                agreed.payload_type_in,
                agreed.payload_type_out
            ),
            (Codec::Pcma, 8, 8)
        );
        assert_eq!(
            (agreed.telephone_event_in, agreed.telephone_event_out),
            (Some(96), Some(96))
        );
        assert_eq!(
            (agreed.ptime, agreed.rtcp_mux),
            (Some(Duration::from_millis(30)), false)
        );
        assert_eq!(
            (agreed.remote_rtp.port(), agreed.remote_rtcp.port()),
            (4000, 4001)
        );
    }

    #[test]
    fn only_the_first_audio_stream_is_accepted() {
        let offer = theirs(
            "m=video 5000 RTP/AVP 31\r\na=rtpmap:31 H261/90000\r\nm=audio 4000 RTP/AVP 0\r\nm=audio 4002 RTP/AVP 0\r\nm=image 6000 udptl t38\r\n\
             m=text 7000 RTP/AVP 98\r\n",
        );
        let answer = ours().answer(&offer).expect("answer");
        let ports: Vec<u16> = answer.media.iter().map(|media| media.port).collect();
        assert_eq!(ports, [0, 10000, 0, 0, 0]);
        assert_eq!(answer.media[3].formats, ["t38"]);
        let later = ours().offer_after(&answer);
        assert_eq!(
            later
                .media
                .iter()
                .map(|media| media.port)
                .collect::<Vec<_>>(),
            [0, 10000, 0, 0, 0]
        );
    }

    #[test]
    fn each_side_sends_under_the_other_sides_payload_type() {
        let offer = ours().offer();
        let answer = theirs(
            "m=audio 4000 RTP/AVP 97 120\r\na=rtpmap:97 PCMA/8000\r\na=rtpmap:120 telephone-event/8000\r\n",
        );
        let far = RemoteAudio::read(&answer, PHONE).expect("audio");
        let agreed = Negotiated::new(&offer, &far, Answerer::Them).expect("agreed");
        assert_eq!((agreed.payload_type_in, agreed.payload_type_out), (8, 97));
        assert_eq!(
            (agreed.telephone_event_in, agreed.telephone_event_out),
            (Some(101), Some(120))
        );
    }

    #[test]
    fn events_are_taken_under_their_number_too_if_it_is_free_in_ours() {
        for (number, free) in [(96, Some(96)), (101, None), (8, None)] {
            let media = format!(
                "m=audio 4000 RTP/AVP 0 {number}\r\na=rtpmap:{number} telephone-event/8000\r\n"
            );
            let far = RemoteAudio::read(&theirs(&media), PHONE).expect("audio");
            let agreed = Negotiated::new(&ours().offer(), &far, Answerer::Them).expect("agreed");
            assert_eq!(agreed.telephone_event_in, Some(101), "{number}");
            assert_eq!(agreed.telephone_event_in_theirs, free, "{number}");
        }
    }

    #[test]
    fn hold_is_answered_in_reverse() {
        for (line, expected) in [
            ("sendonly", "recvonly"),
            ("recvonly", "sendonly"),
            ("inactive", "inactive"),
            ("sendrecv", "sendrecv"),
        ] {
            let offer = theirs(&format!("m=audio 4000 RTP/AVP 0\r\na={line}\r\n"));
            let answer = ours().answer(&offer).expect("answer");
            assert!(
                answer.media[0]
                    .attributes
                    .iter()
                    .any(|attribute| attribute.name == expected),
                "{line}"
            );
        }
        let old = theirs("m=audio 4000 RTP/AVP 0\r\nc=IN IP4 0.0.0.0\r\n");
        let far = RemoteAudio::read(&old, PHONE).expect("audio");
        assert_eq!(far.direction, Direction::SendOnly);
    }

    #[test]
    fn addresses_that_would_reflect_are_refused() {
        for address in [
            "224.2.1.1/127",
            "255.255.255.255",
            "127.0.0.1",
            "169.254.169.254",
            "host.example",
        ] {
            let session = theirs(&format!("m=audio 4000 RTP/AVP 0\r\nc=IN IP4 {address}\r\n"));
            assert_eq!(
                RemoteAudio::read(&session, PHONE),
                Err(AudioError::PeerAddress),
                "{address}"
            );
        }
        let local = theirs("m=audio 4000 RTP/AVP 0\r\nc=IN IP4 127.0.0.1\r\n");
        assert!(RemoteAudio::read(&local, "127.0.0.1".parse().expect("address")).is_ok());
    }

    #[test]
    fn offers_without_our_audio_are_refused() {
        assert_eq!(
            ours().answer(&theirs("m=video 1 RTP/AVP 31\r\n")),
            Err(AudioError::PeerNoAudio)
        );
        assert_eq!(
            ours().answer(&theirs("m=audio 0 RTP/AVP 0\r\n")),
            Err(AudioError::PeerNoAudio)
        );
        assert_eq!(
            ours().answer(&theirs("m=audio 9 RTP/SAVP 0\r\n")),
            Err(AudioError::PeerNoAudio)
        );
        assert_eq!(
            ours().answer(&theirs(
                "m=audio 9 RTP/AVP 18 96\r\na=rtpmap:96 opus/48000/2\r\n"
            )),
            Err(AudioError::PeerNoCodec)
        );
    }

    #[test]
    fn comfort_noise_and_events_need_both_sides() {
        let offer =
            theirs("m=audio 4000 RTP/AVP 0 13\r\na=rtcp:5001 IN IP4 192.0.2.10\r\na=rtcp-mux\r\n");
        let far = RemoteAudio::read(&offer, PHONE).expect("audio");
        let plain = Negotiated::new(&ours().answer(&offer).expect("answer"), &far, Answerer::Us)
            .expect("agreed");
        assert_eq!(
            (
                plain.comfort_noise,
                plain.telephone_event_in,
                plain.rtcp_mux
            ),
            (None, None, true)
        );
        assert_eq!(
            plain.remote_rtcp,
            "192.0.2.10:5001".parse().expect("address")
        );
        let noisy = LocalAudio {
            comfort_noise: true,
            ..ours()
        };
        let agreed = Negotiated::new(&noisy.answer(&offer).expect("answer"), &far, Answerer::Us)
            .expect("agreed");
        assert_eq!(agreed.comfort_noise, Some(13));
    }
}
