//! People who listen to a call beside its two sides, and what these hear of them.
//! Owns: the mix of what is sent to both sides, the voices that are added to it, and each listener's stream.
//! Never: is given a packet that has come from the consumer: all that it knows of a call has left for its sides, behind the mask and the last
//! look at what leaves (I3, E6). Nothing of a listener's reaches the relay: no key of theirs is read, and no mask hears them.
//!
//! ```text
//! relay ─> packet for the agent ────┬──────────> + whisper, barge ─> agent
//! relay ─> packet for the consumer ─┼──┬───────> + barge ──────────> consumer
//! relay ─> the agent's recording ───┼──┼───────> + barge ──────────> recorder
//!                                   └──┴─ mix ─> listeners, 20 ms of their codec
//! ```
//!
//! The law: after [`Supervision::handle_timeout`], drain [`Supervision::poll_output`].

mod strand;

use std::fmt;
use std::time::{Duration, Instant};

use crate::codec::{Decoder, Encoder, samples_of};
use crate::leg::{Codec, Leg};
use crate::rtp::{HEADER_LEN, PACKET_LEN_MAX, RtpHeader, RtpPacket};
use crate::sample;
use strand::Strand;

/// People who may listen to one call at a time: a trainer and a trainee, somebody of quality, and one more. Each is a stream of 50 packets a second that is
/// encrypted for them alone. Another is refused.
pub const LISTENERS_MAX: usize = 4;

/// A listener's packet.
const FRAME: Duration = Duration::from_millis(20);
const FRAME_SAMPLES: usize = 160;

/// A mix that is so late is not made up for: the thread stood still, and its listeners have heard a gap already.
const LATE_MAX: Duration = Duration::from_millis(100);

/// Samples of the longest packet: no codec here has more than one for an octet, but Opus, whose packets have 120 ms at most.
const SAMPLES_MAX: usize = PACKET_LEN_MAX - HEADER_LEN;

/// One who listens; unique for the life of the call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ListenerId(pub u64);

/// Who hears a listener.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Voice {
    /// Nobody: they listen.
    #[default]
    Nobody,
    /// The agent alone: they whisper.
    Agent,
    /// Agent and consumer, and the call's recording: they barge in.
    Both,
}

/// [`LISTENERS_MAX`] listen already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TooManyListeners;

/// Whether the consumer may hear a listener now: not while the call is protected, whose mask would take what comes back of their voice for the
/// consumer's, nor on hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Barging {
    /// They may.
    Possible,
    /// They may not: a listener who barges in is heard by nobody meanwhile.
    Refused,
}

/// What a side is sent: its codec, and the payload type of its audio.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sent {
    /// Of its audio.
    pub codec: Codec,
    /// 0-127.
    pub payload_type: u8,
}

/// What goes to one side.
struct Way {
    codec: Codec,
    decoder: Decoder,
    /// While somebody speaks: what the side was sent last is ours.
    encoder: Option<Encoder>,
    heard: Strand,
}

impl Way {
    fn new(codec: Codec) -> Self {
        Self {
            codec,
            decoder: Decoder::new(codec),
            encoder: None,
            heard: Strand::new(),
        }
    }
}

/// What a listener says, for each place where it is heard.
struct Spoken {
    agent: Strand,
    consumer: Strand,
    recorder: Strand,
}

struct Listener {
    id: ListenerId,
    codec: Codec,
    voice: Voice,
    spoken: Box<Spoken>,
    /// The sequence number that came last.
    heard: Option<u16>,
    begins: bool,
    sequence: u16,
    timestamp: u32,
    ssrc: u32,
}

impl Listener {
    fn fall_silent(&mut self) {
        self.spoken.agent.clear();
        self.spoken.consumer.clear();
        self.spoken.recorder.clear();
    }

    /// Whether their voice is to be heard there.
    fn reaches(&self, leg: Leg, barging: Barging) -> bool {
        match (self.voice, leg) {
            (Voice::Nobody, _) | (Voice::Agent, Leg::Consumer) => false,
            (Voice::Agent, Leg::Agent) => true,
            (Voice::Both, _) => barging == Barging::Possible,
        }
    }
}

/// A call's listeners.
pub struct Supervision {
    agent: Way,
    consumer: Way,
    listeners: Vec<Listener>,
    due: Option<Instant>,
    /// Of a frame that was mixed, listeners who have not got it yet.
    owed: usize,
    frame: [i16; FRAME_SAMPLES],
    decoded: Box<[i16; SAMPLES_MAX]>,
    mix: Box<[i32; SAMPLES_MAX]>,
    packet: Box<[u8; PACKET_LEN_MAX]>,
}

/// It does not print audio.
impl fmt::Debug for Supervision {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let voices = self.listeners.iter().map(|one| one.voice);
        formatter
            .debug_struct("Supervision")
            .field("voices", &voices.collect::<Vec<_>>())
            .finish_non_exhaustive()
    }
}

impl Default for Supervision {
    fn default() -> Self {
        Self {
            agent: Way::new(Codec::Pcmu),
            consumer: Way::new(Codec::Pcmu),
            listeners: Vec::with_capacity(LISTENERS_MAX),
            due: None,
            owed: 0,
            frame: [0; FRAME_SAMPLES],
            decoded: Box::new([0; SAMPLES_MAX]),
            mix: Box::new([0; SAMPLES_MAX]),
            packet: Box::new([0; PACKET_LEN_MAX]),
        }
    }
}

/// Who listens.
impl Supervision {
    /// Somebody listens from now on, and is heard by nobody. `seed`: random bits for their stream, from the operating system.
    ///
    /// # Errors
    /// So many do already.
    pub fn join(
        &mut self,
        now: Instant,
        id: ListenerId,
        codec: Codec,
        seed: u64,
    ) -> Result<(), TooManyListeners> {
        if self.listeners.len() >= LISTENERS_MAX {
            return Err(TooManyListeners);
        }
        let [name @ .., high, low] = seed.to_be_bytes();
        let [first, second, third, fourth, later, latest] = name;
        self.listeners.push(Listener {
            id,
            codec,
            voice: Voice::Nobody,
            spoken: Box::new(Spoken {
                agent: Strand::new(),
                consumer: Strand::new(),
                recorder: Strand::new(),
            }),
            heard: None,
            begins: true,
            sequence: u16::from_be_bytes([later, latest]),
            timestamp: u32::from_be_bytes([0, 0, high, low]),
            ssrc: u32::from_be_bytes([first, second, third, fourth]),
        });
        self.due.get_or_insert(now + FRAME);
        Ok(())
    }

    /// Somebody listens no more.
    pub fn leave(&mut self, id: ListenerId) {
        self.listeners.retain(|one| one.id != id);
        if self.listeners.is_empty() {
            *self = Self::default();
        }
    }

    /// Nobody listens.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.listeners.is_empty()
    }

    /// Who listens.
    pub fn listeners(&self) -> impl Iterator<Item = ListenerId> {
        self.listeners.iter().map(|one| one.id)
    }

    /// Another hears a listener from now on: what they said before is heard by nobody any more.
    pub fn speak(&mut self, id: ListenerId, voice: Voice) {
        if let Some(one) = self.listeners.iter_mut().find(|one| one.id == id)
            && one.voice != voice
        {
            one.voice = voice;
            one.fall_silent();
        }
    }

    /// Whoever has barged in listens from now on: the call is to be protected.
    pub fn end_barges(&mut self) {
        for one in &mut self.listeners {
            if one.voice == Voice::Both {
                one.voice = Voice::Nobody;
                one.fall_silent();
            }
        }
    }

    /// A packet of a listener's microphone. Audio of the agreed codec counts and nothing else: a telephone-event is no sound, and what comes late is not
    /// waited for.
    pub fn hear(&mut self, id: ListenerId, packet: &[u8]) {
        let (Some(one), Ok(packet)) = (
            self.listeners.iter_mut().find(|one| one.id == id),
            RtpPacket::parse(packet),
        ) else {
            return;
        };
        let RtpPacket { header, payload } = packet;
        let is_audio = header.payload_type == one.codec.usual_payload_type();
        let ahead = |last: u16| header.sequence.wrapping_sub(last).cast_signed() > 0;
        if !is_audio || payload.len() > SAMPLES_MAX || !one.heard.is_none_or(ahead) {
            return;
        }
        one.heard = Some(header.sequence);
        if one.voice == Voice::Nobody {
            return;
        }
        let len = one.codec.law().decode(payload, &mut self.decoded[..]);
        let said = &self.decoded[..len];
        one.spoken.agent.write(said);
        if one.voice == Voice::Both {
            one.spoken.consumer.write(said);
            one.spoken.recorder.write(said);
        }
    }
}

/// What leaves for the sides.
impl Supervision {
    /// A packet that is about to leave for a side: listeners hear it, and what is returned leaves in its place, of as many samples. All but audio passes as
    /// it is.
    #[must_use]
    pub fn pass<'packet>(
        &'packet mut self,
        leg: Leg,
        sent: Sent,
        packet: &'packet [u8],
        barging: Barging,
    ) -> &'packet [u8] {
        let Ok(RtpPacket { header, payload }) = RtpPacket::parse(packet) else {
            return packet;
        };
        let is_audio = header.payload_type == sent.payload_type
            && samples_of(sent.codec, payload).is_some_and(|samples| samples <= SAMPLES_MAX);
        if !is_audio || self.listeners.is_empty() {
            return packet;
        }
        let way = match leg {
            Leg::Agent => &mut self.agent,
            Leg::Consumer => &mut self.consumer,
        };
        if way.codec != sent.codec {
            *way = Way::new(sent.codec);
        }
        let before = way.decoder_state(&self.listeners, leg, barging);
        let len = way.decoder.decode(payload, &mut self.decoded[..]);
        let said = &self.decoded[..len];
        way.heard.write(said);
        let Some(mut encoder) = before else {
            return packet;
        };
        let mix = &mut self.mix[..len];
        for (value, heard) in mix.iter_mut().zip(said) {
            *value = i32::from(*heard);
        }
        for one in &mut self.listeners {
            let reaches = one.reaches(leg, barging);
            let strand = match leg {
                Leg::Agent => &mut one.spoken.agent,
                Leg::Consumer => &mut one.spoken.consumer,
            };
            if reaches {
                strand.add_to(mix);
            } else {
                strand.clear();
            }
        }
        for (value, mixed) in self.decoded.iter_mut().zip(&*mix) {
            *value = sample::saturated(*mixed);
        }
        let head = packet.len() - payload.len();
        self.packet[..packet.len()].copy_from_slice(packet);
        let octets = encoder.encode(&self.decoded[..len], &mut self.packet[head..]);
        way.encoder = Some(encoder);
        &self.packet[..head + octets]
    }

    /// Samples of the agent's that are about to be recorded; what is returned is recorded in their place, as many: what the consumer hears in the agent's
    /// place is the recording's, too. A whisper is not.
    #[must_use]
    pub fn record<'samples>(
        &'samples mut self,
        samples: &'samples [i16],
        barging: Barging,
    ) -> &'samples [i16] {
        let barges = |one: &Listener| one.reaches(Leg::Consumer, barging);
        let len = samples.len();
        for one in self.listeners.iter_mut().filter(|one| !barges(one)) {
            one.spoken.recorder.clear();
        }
        if len > SAMPLES_MAX || !self.listeners.iter().any(barges) {
            return samples;
        }
        let mix = &mut self.mix[..len];
        for (value, heard) in mix.iter_mut().zip(samples) {
            *value = i32::from(*heard);
        }
        for one in self.listeners.iter_mut().filter(|one| barges(one)) {
            one.spoken.recorder.add_to(mix);
        }
        for (value, mixed) in self.decoded.iter_mut().zip(&*mix) {
            *value = sample::saturated(*mixed);
        }
        &self.decoded[..len]
    }
}

impl Way {
    /// What speaks to this side for the listeners who reach it now; none where nobody does: then the packet leaves as it came.
    fn decoder_state(
        &mut self,
        listeners: &[Listener],
        leg: Leg,
        barging: Barging,
    ) -> Option<Encoder> {
        let encoder = self.encoder.take();
        if !listeners.iter().any(|one| one.reaches(leg, barging)) {
            return None;
        }
        Some(encoder.unwrap_or_else(|| {
            // The side's decoder stands where ours does: it was sent the same.
            let mut encoder = Encoder::new(self.codec);
            encoder.follow(&self.decoder);
            encoder
        }))
    }
}

/// What listeners hear.
impl Supervision {
    /// When the next frame is due; none while nobody listens.
    #[must_use]
    pub fn next_timeout(&self) -> Option<Instant> {
        self.due
    }

    /// Mixes the frame that is due, if one is.
    pub fn handle_timeout(&mut self, now: Instant) {
        let Some(due) = self.due.filter(|due| *due <= now) else {
            return;
        };
        let is_late = now.saturating_duration_since(due) > LATE_MAX;
        self.due = Some(if is_late { now } else { due } + FRAME);
        let mut mix = [0_i32; FRAME_SAMPLES];
        self.agent.heard.add_to(&mut mix);
        self.consumer.heard.add_to(&mut mix);
        for (value, mixed) in self.frame.iter_mut().zip(mix) {
            *value = sample::saturated(mixed);
        }
        self.owed = self.listeners.len();
    }

    /// The next listener's packet of the frame that was mixed last: plain RTP in their codec.
    pub fn poll_output(&mut self) -> Option<(ListenerId, &[u8])> {
        self.owed = self.owed.checked_sub(1)?;
        let one = self.listeners.get_mut(self.owed)?;
        let header = RtpHeader {
            marker: std::mem::take(&mut one.begins),
            payload_type: one.codec.usual_payload_type(),
            sequence: one.sequence,
            timestamp: one.timestamp,
            ssrc: one.ssrc,
        };
        one.sequence = one.sequence.wrapping_add(1);
        one.timestamp = one.timestamp.wrapping_add(FRAME_STEP);
        let packet = &mut self.packet[..HEADER_LEN + FRAME_SAMPLES];
        let (head, payload) = packet.split_at_mut(HEADER_LEN);
        head.copy_from_slice(&header.to_bytes());
        one.codec.law().encode(&self.frame, payload);
        Some((one.id, packet))
    }
}

/// [`FRAME_SAMPLES`] as a distance of RTP's clock.
const FRAME_STEP: u32 = 160;

#[cfg(test)]
mod tests;
