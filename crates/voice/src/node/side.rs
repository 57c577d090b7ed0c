//! One side of a call in signalling: who it is and what was negotiated with it.
//! Owns: our description for it, its own, and the plan that media gets of both.
//! Never: sends anything.

use std::sync::Arc;

use media::leg::{Direction as MediaDirection, LegPlan, RtpClock};
use sip::sdp::{
    Answerer, AudioError, Codec, Direction, EventClock, LocalAudio, Negotiated, RemoteAudio,
    Session,
};
use sip::{Flow, LegId};

use super::config::{MediaSource, SrtpRule};
use super::keys;
use super::opus_places::OpusPlace;
use crate::media_thread::{Agreed, Carriage};
use crate::rtp_socket::RtpPair;
use crate::webrtc::BROWSER_ADDRESS;

/// How a far side's media and keys are taken.
#[derive(Debug, Clone)]
pub(super) struct Trust {
    /// Its name in the configuration; none: a phone of ours, or a stranger.
    pub(super) trunk: Option<String>,
    pub(super) media_source: MediaSource,
    pub(super) info_digits: bool,
    pub(super) srtp: SrtpRule,
    /// What may be spoken with it, the most wanted first.
    pub(super) codecs: Vec<Codec>,
    /// While Opus is one of these, and this is a side of a call.
    pub(super) opus: Option<OpusPlace>,
}

impl Trust {
    /// Phones that register here: behind NAT more often than not.
    pub(super) fn phone(srtp: SrtpRule, codecs: &[Codec]) -> Self {
        Self {
            trunk: None,
            media_source: MediaSource::Latch,
            info_digits: true,
            srtp,
            codecs: codecs.to_vec(),
            opus: None,
        }
    }

    /// What is offered to it where the other side speaks `wanted`: those that both do, in that order. Wideband only where both do; a telephone's band is
    /// always offered, so that whoever does not share the other's codecs is heard by transcoding.
    pub(super) fn offered(&self, wanted: &[Codec]) -> Vec<Codec> {
        let is_shared = |codec: &&Codec| self.codecs.contains(codec);
        let mut offered: Vec<Codec> = wanted.iter().filter(is_shared).copied().collect();
        if offered.iter().all(|codec| codec.is_wideband()) {
            let narrow = self.codecs.iter().filter(|codec| !codec.is_wideband());
            offered.extend(narrow);
        }
        if offered.is_empty() {
            self.codecs.clone()
        } else {
            offered
        }
    }

    /// An address that is no peer of the configuration.
    pub(super) fn stranger() -> Self {
        Self {
            trunk: None,
            media_source: MediaSource::Signalled,
            info_digits: false,
            srtp: SrtpRule::default(),
            codecs: Codec::USUAL.to_vec(),
            opus: None,
        }
    }
}

/// One side.
pub(super) struct Side {
    pub(super) leg: LegId,
    pub(super) trust: Trust,
    /// Taken by the media thread when media begins; none of a browser.
    pub(super) ports: Option<RtpPair>,
    pub(super) local: LocalAudio,
    pub(super) flow: Flow,
    ours: Option<Session>,
    theirs: Option<Theirs>,
    /// As it was before an offer of ours that is still open.
    before: Option<Box<(LocalAudio, Option<Session>)>>,
    /// The far side's description before an offer of its own that is still open.
    theirs_before: Option<Theirs>,
}

struct Theirs {
    session: Session,
    audio: RemoteAudio,
    answerer: Answerer,
}

impl Side {
    pub(super) fn new(
        leg: LegId,
        flow: Flow,
        trust: Trust,
        ports: RtpPair,
        mut local: LocalAudio,
    ) -> Self {
        local.codecs.clone_from(&trust.codecs);
        Self {
            leg,
            trust,
            ports: Some(ports),
            local,
            flow,
            ours: None,
            theirs: None,
            before: None,
            theirs_before: None,
        }
    }

    /// A side that has no ports: an agent's browser, by its connection.
    pub(super) fn browser(leg: LegId, local: LocalAudio) -> Self {
        Self {
            leg,
            trust: Trust {
                trunk: None,
                media_source: MediaSource::Signalled,
                info_digits: false,
                srtp: SrtpRule::default(),
                codecs: Codec::USUAL.to_vec(),
                opus: None,
            },
            ports: None,
            local,
            flow: Flow::udp(BROWSER_ADDRESS),
            ours: None,
            theirs: None,
            before: None,
            theirs_before: None,
        }
    }

    /// What can be spoken with the far side: what its last description names, in its order; without one, what may be.
    pub(super) fn codecs(&self) -> Vec<Codec> {
        let Some(theirs) = &self.theirs else {
            return self.trust.codecs.clone();
        };
        let named = theirs.audio.codecs.iter();
        named.map(|(codec, _)| *codec).collect()
    }

    /// Its last description takes comfort noise (RFC 3389).
    pub(super) fn takes_noise(&self) -> bool {
        let theirs = self.theirs.as_ref();
        theirs.is_some_and(|theirs| theirs.audio.comfort_noise.is_some())
    }

    /// What the far side wants, from its view.
    pub(super) fn their_direction(&self) -> Option<Direction> {
        self.theirs.as_ref().map(|theirs| theirs.audio.direction)
    }

    /// Our last description.
    pub(super) fn ours(&self) -> Option<Session> {
        self.ours.clone()
    }

    /// Our first or a later offer.
    pub(super) fn offer(&mut self) -> Session {
        self.before = Some(Box::new((self.local.clone(), self.ours.clone())));
        let offer = match &self.ours {
            Some(ours) => self.local.offer_after(ours),
            None => self.local.offer(),
        };
        self.describe(offer, |local, ours| match ours {
            Some(ours) => local.offer_after(ours),
            None => local.offer(),
        })
    }

    /// Our offer was refused: all is as before it.
    pub(super) fn forget_offer(&mut self) {
        if let Some(before) = self.before.take() {
            (self.local, self.ours) = *before;
        }
    }

    /// Reads an offer of the far side; it holds from our answer on. Codecs that are not to be spoken with it are none.
    pub(super) fn read(&self, offer: &Session) -> Result<RemoteAudio, AudioError> {
        let (source, srtp) = (self.flow.remote.ip(), self.local.srtp.as_ref());
        let mut audio = RemoteAudio::read_secured(offer, source, srtp)?;
        let codecs = &self.trust.codecs;
        audio.codecs.retain(|(codec, _)| codecs.contains(codec));
        if audio.codecs.is_empty() {
            return Err(AudioError::PeerNoCodec);
        }
        Ok(audio)
    }

    /// Takes the far side's offer in, before it is answered.
    pub(super) fn take_offer(&mut self, offer: Session) -> Result<(), AudioError> {
        let audio = self.read(&offer)?;
        self.theirs = Some(Theirs {
            session: offer,
            audio,
            answerer: Answerer::Us,
        });
        Ok(())
    }

    /// Takes a later offer in, if it can be answered; yields what the far side wants. Its codec changes only if it has to.
    pub(super) fn take_later_offer(&mut self, offer: Session) -> Option<Direction> {
        let audio = self.read(&offer).ok()?;
        let spoken = self.negotiated().ok().map(|agreed| agreed.codec);
        let keeps = |codec: &Codec| audio.codecs.iter().any(|(one, _)| one == codec);
        self.local.codecs = match spoken.filter(keeps) {
            Some(spoken) => vec![spoken],
            None => self.trust.codecs.clone(),
        };
        self.renew_keys(&audio)?;
        self.local.answer(&offer).ok()?;
        let wanted = audio.direction;
        let theirs = Theirs {
            session: offer,
            audio,
            answerer: Answerer::Us,
        };
        self.theirs_before = self.theirs.replace(theirs);
        Some(wanted)
    }

    /// The far side's offer was refused: its description is the one before.
    pub(super) fn forget_their_offer(&mut self) {
        if let Some(before) = self.theirs_before.take() {
            self.theirs = Some(before);
        }
    }

    /// Our offer of this direction.
    pub(super) fn offer_direction(&mut self, direction: Direction) -> Session {
        let before = (self.local.clone(), self.ours.clone());
        self.local.direction = direction;
        let offer = self.offer();
        self.before = Some(Box::new(before));
        offer
    }

    /// Answers the offer that was taken in.
    pub(super) fn answer(&mut self) -> Result<Session, AudioError> {
        let theirs = self.theirs.as_ref().ok_or(AudioError::PeerNoAudio)?;
        let offer = theirs.session.clone();
        let answer = self.local.answer(&offer)?;
        let again = |local: &LocalAudio, _: Option<&Session>| {
            local.answer(&offer).unwrap_or_else(|_| local.offer())
        };
        let answer = self.describe(answer, again);
        self.theirs_before = None;
        self.stay_secured();
        Ok(answer)
    }

    /// Takes the far side's answer to our offer.
    pub(super) fn take_answer(&mut self, answer: Session) -> Result<(), AudioError> {
        let audio = self.read(&answer)?;
        self.theirs = Some(Theirs {
            session: answer,
            audio,
            answerer: Answerer::Them,
        });
        self.before = None;
        self.stay_secured();
        Ok(())
    }

    /// What was secured once is never in clear again, whatever is offered later.
    fn stay_secured(&mut self) {
        let is_secured = self.negotiated().is_ok_and(|agreed| agreed.srtp.is_some());
        if let Some(srtp) = self.local.srtp.as_mut().filter(|_| is_secured) {
            srtp.required = true;
        }
    }

    /// A far side that offers another key begins anew, and so do we: it may count our packets from zero.
    fn renew_keys(&mut self, offered: &RemoteAudio) -> Option<()> {
        let key = |audio: &RemoteAudio| audio.crypto.as_ref().map(|crypto| Arc::clone(&crypto.key));
        let before = self.theirs.as_ref().and_then(|theirs| key(&theirs.audio));
        let is_another = before.is_some() && before != key(offered);
        if let Some(srtp) = self.local.srtp.as_mut().filter(|_| is_another) {
            *srtp = keys::renew(srtp).ok()?;
        }
        Some(())
    }

    /// The call has begun: who does not speak Opus now will not later, and others may.
    pub(super) fn settle_codec(&mut self) {
        if self
            .negotiated()
            .is_ok_and(|agreed| agreed.codec != Codec::Opus)
        {
            self.trust.codecs.retain(|codec| *codec != Codec::Opus);
            self.trust.opus = None;
        }
    }

    /// What both agreed on.
    pub(super) fn negotiated(&self) -> Result<Negotiated, AudioError> {
        let (ours, theirs) = self
            .ours
            .as_ref()
            .zip(self.theirs.as_ref())
            .ok_or(AudioError::PeerNoAudio)?;
        Negotiated::new(ours, &theirs.audio, theirs.answerer)
    }

    /// The same for media.
    pub(super) fn agreed(&self) -> Result<Agreed, AudioError> {
        Ok(Agreed {
            plan: self.plan()?,
            carriage: Carriage::of(self.negotiated()?.srtp).map_err(|_| AudioError::PeerCrypto)?,
        })
    }

    fn plan(&self) -> Result<LegPlan, AudioError> {
        let agreed = self.negotiated()?;
        Ok(LegPlan {
            codec: media_codec(agreed.codec),
            payload_type_in: agreed.payload_type_in,
            payload_type_out: agreed.payload_type_out,
            telephone_event_in: agreed.telephone_event_in,
            telephone_event_in_other: agreed.telephone_event_in_theirs,
            telephone_event_out: agreed.telephone_event_out,
            telephone_event_clock: media_clock(agreed.telephone_event_clock),
            comfort_noise: agreed.comfort_noise,
            ptime: agreed.ptime,
            maxptime: agreed.maxptime,
            remote_rtp: agreed.remote_rtp,
            remote_rtcp: agreed.remote_rtcp,
            rtcp_mux: agreed.rtcp_mux,
            direction: media_direction(agreed.direction),
            source_policy: self.trust.media_source.policy(self.flow.remote.ip()),
        })
    }

    /// Whether an offer or answer comes from another person or place than the description before it (S39).
    pub(super) fn is_another_party(&self, offer: &Session) -> bool {
        let Some(theirs) = &self.theirs else {
            return false;
        };
        let (old, new) = (&theirs.session.origin, &offer.origin);
        let moved = |new: &RemoteAudio| {
            new.rtp.ip() != theirs.audio.rtp.ip() && !new.rtp.ip().is_unspecified()
        };
        old.username != new.username
            || old.session_id != new.session_id
            || self.read(offer).is_ok_and(|new| moved(&new))
    }

    /// Nothing is held on this side.
    pub(super) fn talks(&self) -> bool {
        self.negotiated()
            .is_ok_and(|agreed| agreed.direction == Direction::SendRecv)
    }

    /// Keeps a description of ours; one that differs from the last gets the next version.
    fn describe(
        &mut self,
        session: Session,
        again: impl Fn(&LocalAudio, Option<&Session>) -> Session,
    ) -> Session {
        let differs = self.ours.as_ref().is_some_and(|ours| *ours != session);
        let session = if differs {
            self.local.version += 1;
            again(&self.local, self.ours.as_ref())
        } else {
            session
        };
        self.ours = Some(session.clone());
        session
    }
}

pub(super) fn media_codec(codec: Codec) -> media::leg::Codec {
    match codec {
        Codec::Pcmu => media::leg::Codec::Pcmu,
        Codec::Pcma => media::leg::Codec::Pcma,
        Codec::G722 => media::leg::Codec::G722,
        Codec::Opus => media::leg::Codec::Opus,
    }
}

fn media_clock(clock: EventClock) -> RtpClock {
    match clock {
        EventClock::Khz8 => RtpClock::Khz8,
        EventClock::Khz48 => RtpClock::Khz48,
    }
}

fn media_direction(direction: Direction) -> MediaDirection {
    match direction {
        Direction::SendRecv => MediaDirection::SendRecv,
        Direction::SendOnly => MediaDirection::SendOnly,
        Direction::RecvOnly => MediaDirection::RecvOnly,
        Direction::Inactive => MediaDirection::Inactive,
    }
}
