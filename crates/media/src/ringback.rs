//! What one side hears before it is connected: an agent while a number that they called out rings, a caller who waits for an agent.
//! Owns: the ringing tone's cadence, and the stream of packets that carries it, or what is played to a caller.
//! Never: hears anybody; nothing of a consumer is in it.

use std::time::{Duration, Instant};

use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

use crate::leg::{Codec, LegPlan};
use crate::rtp::{HEADER_LEN, RtpHeader};
use crate::sample;
use crate::tone::{FADE_SAMPLES, Fade, FlatTone};
use crate::waiting::WaitingSound;

/// One packet.
const PACKET: Duration = Duration::from_millis(20);
const PACKET_SAMPLES: usize = 160;
const PACKET_SPAN: u32 = 160;
const PACKET_BYTES: usize = HEADER_LEN + PACKET_SAMPLES;

/// Frequency of the ringing tone: the one that ITU-T E.180 prefers. It lies below every key's tones.
const TONE_HZ: f32 = 425.0;

/// Its level: under that of speech, so that whoever waits is not startled.
const TONE_DBM0: f32 = -20.0;

/// It sounds for a second of each five (E.180: 0.67 to 1.5 s, and 3 to 5 s of pause).
const TONE_SPAN: u64 = 8_000;
const CADENCE_SPAN: u64 = 40_000;

/// Packets that are made up for at one look: beyond them the thread was held up, and the tone goes on from now.
const BEHIND_PACKETS_MAX: u32 = 5;

/// What is heard.
#[derive(Debug, Clone)]
pub enum Sound {
    /// It rings.
    Ringing(Ringing),
    /// Announcement and music.
    Waiting(WaitingSound),
}

/// The ringing tone.
#[derive(Debug, Clone)]
pub struct Ringing {
    tone: FlatTone,
    fade: Fade,
}

impl Default for Ringing {
    fn default() -> Self {
        Self {
            tone: FlatTone::at_level(TONE_HZ, TONE_DBM0),
            fade: Fade::new(),
        }
    }
}

impl Sound {
    fn at(&self, place: u64) -> i16 {
        match self {
            Self::Ringing(ringing) => tone_at(&ringing.tone, &ringing.fade, place),
            Self::Waiting(waiting) => waiting.at(place),
        }
    }
}

/// A sound as a stream of its own.
#[derive(Debug)]
pub struct Ringback {
    codec: Codec,
    payload_type: u8,
    /// The far side listens.
    is_heard: bool,
    ssrc: u32,
    sequence: u16,
    timestamp: u32,
    place: u64,
    due: Instant,
    sound: Sound,
    packet: [u8; PACKET_BYTES],
}

impl Ringback {
    /// A sound for a leg that begins now; none: in the leg's codec there is none. One that does not listen is sent it once it does. `seed`: random bits from the
    /// operating system.
    #[must_use]
    pub fn new(plan: &LegPlan, sound: Sound, seed: u64, now: Instant) -> Option<Self> {
        if plan.codec.remembers() {
            return None;
        }
        let mut random = StdRng::seed_from_u64(seed);
        Some(Self {
            codec: plan.codec,
            payload_type: plan.payload_type_out,
            is_heard: plan.direction.sends(),
            ssrc: random.random(),
            sequence: random.random(),
            timestamp: random.random(),
            place: 0,
            due: now,
            sound,
            packet: [0; PACKET_BYTES],
        })
    }

    /// Something else was agreed on with the far side. In a codec in which there is no sound, nothing is sent.
    pub fn replan(&mut self, plan: &LegPlan) {
        self.is_heard = plan.direction.sends() && !plan.codec.remembers();
        if !plan.codec.remembers() {
            self.codec = plan.codec;
        }
        self.payload_type = plan.payload_type_out;
    }

    /// When the next packet is due.
    #[must_use]
    pub fn next_timeout(&self) -> Instant {
        self.due
    }

    /// The next packet that is due, if one is. To be asked until there is none.
    pub fn poll(&mut self, now: Instant) -> Option<&[u8]> {
        if now < self.due {
            return None;
        }
        if !self.is_heard {
            self.pass(now);
            return None;
        }
        if now.saturating_duration_since(self.due) > PACKET * BEHIND_PACKETS_MAX {
            self.due = now;
        }
        let header = RtpHeader {
            marker: self.place == 0,
            payload_type: self.payload_type,
            sequence: self.sequence,
            timestamp: self.timestamp,
            ssrc: self.ssrc,
        };
        let (head, payload) = self.packet.split_at_mut(HEADER_LEN);
        head.copy_from_slice(&header.to_bytes());
        let law = self.codec.law();
        for (place, octet) in (self.place..).zip(payload) {
            *octet = law.encode_sample(self.sound.at(place));
        }
        self.sequence = self.sequence.wrapping_add(1);
        self.step();
        Some(&self.packet)
    }

    /// The time of one packet goes by.
    fn step(&mut self) {
        self.timestamp = self.timestamp.wrapping_add(PACKET_SPAN);
        self.place += u64::from(PACKET_SPAN);
        self.due += PACKET;
    }

    /// Nobody listens: the sound goes on unheard.
    fn pass(&mut self, now: Instant) {
        while self.due <= now {
            self.step();
        }
    }
}

fn tone_at(tone: &FlatTone, fade: &Fade, place: u64) -> i16 {
    let place = place % CADENCE_SPAN;
    if place >= TONE_SPAN {
        return 0;
    }
    let edge = sample::length(place.min(TONE_SPAN - 1 - place)).min(FADE_SAMPLES);
    sample::from_f32(tone.at(place) * fade.weight(edge))
}

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;

    use super::*;
    use crate::g711::Law;
    use crate::leg::Direction;
    use crate::rtp::RtpPacket;

    fn ringing() -> Sound {
        Sound::Ringing(Ringing::default())
    }

    fn plan(codec: Codec) -> LegPlan {
        LegPlan::new(codec, SocketAddr::from(([127, 0, 0, 1], 9)))
    }

    /// Level of each packet of so many, in dBm0.
    fn levels(codec: Codec, packets: u32) -> Vec<f32> {
        let began = Instant::now();
        let mut ringback = Ringback::new(&plan(codec), ringing(), 7, began).unwrap();
        let mut last = None;
        let level = |number: u32| {
            let packet = ringback.poll(began + PACKET * number).unwrap();
            let packet = RtpPacket::parse(packet).unwrap();
            let follows =
                last.is_none_or(|last: u16| last.wrapping_add(1) == packet.header.sequence);
            assert!(follows && packet.payload.len() == PACKET_SAMPLES);
            last = Some(packet.header.sequence);
            let law = codec.law();
            let square = |octet: &u8| f32::from(law.decode_byte(*octet)).powi(2);
            let power = packet.payload.iter().map(square).sum::<f32>() / 160.0;
            Law::Mu.dbm0(power.max(1e-6))
        };
        (0..packets).map(level).collect()
    }

    #[test]
    fn it_sounds_for_one_second_of_five() {
        for codec in [Codec::Pcmu, Codec::Pcma] {
            let heard = levels(codec, 300);
            for (number, level) in heard.iter().enumerate() {
                let sounds = number % 250 < 50;
                assert_eq!(
                    *level > -30.0,
                    sounds,
                    "packet {number} of {codec:?}: {level}"
                );
            }
        }
    }

    #[test]
    fn no_packet_is_early_and_a_thread_that_was_held_up_does_not_flood() {
        let began = Instant::now();
        let mut ringback = Ringback::new(&plan(Codec::Pcmu), ringing(), 7, began).unwrap();
        assert!(ringback.poll(began).is_some() && ringback.poll(began).is_none());
        let late = began + Duration::from_secs(60);
        assert!(ringback.poll(late).is_some());
        assert!(ringback.poll(late).is_none(), "it goes on from now");
        assert_eq!(ringback.next_timeout(), late + PACKET);
    }

    #[test]
    fn nobody_is_sent_a_tone_who_does_not_listen_or_could_not_read_it() {
        let now = Instant::now();
        for codec in [Codec::G722, Codec::Opus] {
            assert!(Ringback::new(&plan(codec), ringing(), 7, now).is_none());
        }
        let held = LegPlan {
            direction: Direction::Inactive,
            ..plan(Codec::Pcmu)
        };
        let mut ringback = Ringback::new(&held, ringing(), 7, now).unwrap();
        assert!(ringback.poll(now).is_none());
        assert_eq!(ringback.next_timeout(), now + PACKET);
        ringback.replan(&plan(Codec::Pcma));
        assert!(ringback.poll(now + PACKET).is_some());
    }

    #[test]
    fn what_goes_on_unheard_is_not_made_up_for() {
        let began = Instant::now();
        let sound = WaitingSound::new(Some((0..16_000).collect()), None, 0);
        let (codec, sound) = (plan(Codec::Pcmu), Sound::Waiting(sound));
        let mut ringback = Ringback::new(&codec, sound, 7, began).unwrap();
        let first = RtpPacket::parse(ringback.poll(began).unwrap())
            .unwrap()
            .header;
        assert!(first.marker);
        ringback.replan(&LegPlan {
            direction: Direction::Inactive,
            ..plan(Codec::Pcmu)
        });
        let at = |packets: u32| began + PACKET * packets;
        assert!(ringback.poll(at(49)).is_none());
        ringback.replan(&plan(Codec::Pcmu));
        let packet = RtpPacket::parse(ringback.poll(at(50)).unwrap()).unwrap();
        // A second has gone by, in which no number was used up.
        assert_eq!(packet.header.timestamp, first.timestamp.wrapping_add(8_000));
        assert_eq!(packet.header.sequence, first.sequence.wrapping_add(1));
        let sample = Law::Mu.decode_byte(packet.payload[0]);
        assert!((7_800..8_200).contains(&sample), "{sample}");
        assert!(ringback.poll(at(50)).is_none());
    }
}
