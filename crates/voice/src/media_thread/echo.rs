//! A test call of an agent with nobody.
//! Owns: the tone that begins it, four seconds of the agent's voice in memory, and their return.
//! Never: writes them anywhere, or outlives its half minute.

use std::time::{Duration, Instant};

use media::g711::Law;
use media::leg::Codec;
use media::rtp::{RtpHeader, RtpPacket};
use zeroize::Zeroizing;

/// One packet.
const PACKET: Duration = Duration::from_millis(20);
const PACKET_SAMPLES: usize = 160;

/// The tone before the voice: long enough to be noticed.
const TONE_PACKETS: u32 = 25;
/// The voice.
const RECORD_PACKETS: u32 = 200;
/// Bytes of it: one a sample.
const RECORD_BYTES_MAX: usize = 32_000;
/// A browser that cannot be reached within this has no way to us; a test that was answered takes less than ten seconds.
const TEST_TIME_MAX: Duration = Duration::from_secs(30);

/// Turns of the tone in a packet: 400 Hz.
const TONE_TURNS: f32 = 8.0;
const TONE_LEVEL: f32 = 4_000.0;

/// How a test goes on.
pub(super) enum Step {
    /// A packet for the browser.
    Send(Zeroizing<Vec<u8>>),
    /// Nothing is due.
    Wait,
    /// It is over.
    Over,
}

/// A test.
pub(super) struct Echo {
    codec: Codec,
    began: Instant,
    /// When its tone began.
    answered: Option<Instant>,
    sent: u32,
    voice: Zeroizing<Vec<u8>>,
}

impl Echo {
    pub(super) fn new(codec: Codec, now: Instant) -> Self {
        Self {
            codec,
            began: now,
            answered: None,
            sent: 0,
            // At its full size at once: memory that grows leaves copies behind.
            voice: Zeroizing::new(Vec::with_capacity(RECORD_BYTES_MAX)),
        }
    }

    /// The agent has answered.
    pub(super) fn answer(&mut self, now: Instant) {
        self.answered.get_or_insert(now);
    }

    /// When the next packet is due.
    pub(super) fn wake_at(&self) -> Instant {
        let end = self.began + TEST_TIME_MAX;
        self.answered
            .map_or(end, |at| (at + PACKET * self.sent).min(end))
    }

    /// The browser's voice counts while it is asked for.
    pub(super) fn hear(&mut self, packet: &[u8]) {
        let is_asked = (TONE_PACKETS..TONE_PACKETS + RECORD_PACKETS).contains(&self.sent);
        let Ok(packet) = RtpPacket::parse(packet) else {
            return;
        };
        if is_asked && packet.header.payload_type == self.codec.usual_payload_type() {
            let room = RECORD_BYTES_MAX - self.voice.len();
            let taken = packet.payload.iter().take(room);
            self.voice.extend(taken);
        }
    }

    /// Does what is due.
    pub(super) fn step(&mut self, now: Instant) -> Step {
        if now < self.wake_at() {
            return Step::Wait;
        }
        if now >= self.began + TEST_TIME_MAX {
            return Step::Over;
        }
        let played = usize::try_from(self.sent.saturating_sub(TONE_PACKETS + RECORD_PACKETS));
        let from = played.unwrap_or(usize::MAX).saturating_mul(PACKET_SAMPLES);
        let payload = match self.sent {
            ..TONE_PACKETS => self.tone(),
            sent if sent < TONE_PACKETS + RECORD_PACKETS => self.silence(),
            _ => match self.voice.get(from..) {
                Some(rest) if !rest.is_empty() => {
                    Zeroizing::new(rest.iter().copied().take(PACKET_SAMPLES).collect())
                }
                _ => return Step::Over,
            },
        };
        let packet = self.packet(&payload);
        self.sent += 1;
        Step::Send(packet)
    }

    fn packet(&self, payload: &[u8]) -> Zeroizing<Vec<u8>> {
        let header = RtpHeader {
            marker: self.sent == 0,
            payload_type: self.codec.usual_payload_type(),
            // A test has 425 packets at most.
            sequence: u16::try_from(self.sent).unwrap_or_default(),
            timestamp: self.sent * 160,
            ssrc: 1,
        };
        let mut packet = Zeroizing::new(header.to_bytes().to_vec());
        packet.extend_from_slice(payload);
        packet
    }

    fn silence(&self) -> Zeroizing<Vec<u8>> {
        Zeroizing::new(vec![self.law().encode_sample(0); PACKET_SAMPLES])
    }

    /// Whole turns in each packet, so that they join without a click.
    fn tone(&self) -> Zeroizing<Vec<u8>> {
        let law = self.law();
        let step = std::f32::consts::TAU * TONE_TURNS / 160.0;
        let samples = (0..160_u16).map(|at| (f32::from(at) * step).sin() * TONE_LEVEL);
        Zeroizing::new(
            samples
                .map(|sample| law.encode_sample(media::sample::from_f32(sample)))
                .collect(),
        )
    }

    fn law(&self) -> Law {
        self.codec.law()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spoken(number: u16, byte: u8) -> Vec<u8> {
        let header = RtpHeader {
            marker: false,
            payload_type: 0,
            sequence: number,
            timestamp: u32::from(number) * 160,
            ssrc: 9,
        };
        let mut packet = header.to_bytes().to_vec();
        packet.extend([byte; PACKET_SAMPLES]);
        packet
    }

    #[test]
    fn what_was_said_after_the_tone_comes_back_and_then_it_is_over() {
        let began = Instant::now();
        let mut echo = Echo::new(Codec::Pcmu, began);
        assert!(
            matches!(echo.step(began), Step::Wait),
            "nobody has answered"
        );
        echo.answer(began);
        let mut heard = Vec::new();
        let mut number = 0;
        let ended = loop {
            let now = began + PACKET * number.into();
            echo.hear(&spoken(number, u8::try_from(number % 200).unwrap()));
            match echo.step(now) {
                Step::Send(packet) => heard.push(packet[12]),
                Step::Wait => panic!("packet {number} is not due"),
                Step::Over => break number,
            }
            number += 1;
        };
        assert_eq!(ended, 425);
        let returned: Vec<u8> = (25..=224)
            .map(|at: u16| u8::try_from(at % 200).unwrap())
            .collect();
        assert_eq!(heard[225..], returned[..200]);
    }

    #[test]
    fn a_test_that_nobody_answers_ends_by_itself() {
        let began = Instant::now();
        let mut echo = Echo::new(Codec::Pcma, began);
        assert_eq!(echo.wake_at(), began + TEST_TIME_MAX);
        assert!(matches!(echo.step(began + TEST_TIME_MAX), Step::Over));
    }
}
