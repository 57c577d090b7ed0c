//! What a phone heard, kept to be judged afterwards.
//! Owns: the decoded audio of one call on its timeline, and the events that came.
//! Never: grows past its bound.

use media::dtmf::inband::loose::LooseDetector;
use media::g711::Law;
use media::rtp::RtpPacket;
use serde::Serialize;

/// Samples kept: 20 minutes. Later ones are counted only.
const SAMPLES_MAX: usize = 9_600_000;

/// A jump of the timeline by more than this is a new stream: 10 s.
const JUMP_SAMPLES: u32 = 80_000;

/// Everything that was heard on a call.
#[derive(Default)]
pub struct Heard {
    samples: Vec<i16>,
    origin: Option<(u32, usize)>,
    events: u64,
    packets: u64,
}

/// A summary that holds no key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct HeardReport {
    /// RTP packets.
    pub packets: u64,
    /// Telephone-event packets.
    pub event_packets: u64,
    /// Milliseconds of audio.
    pub audio_ms: u64,
    /// Stretches from which our loose detector would read a key.
    pub recoverable_digits: usize,
    /// Milliseconds that are louder than silence.
    pub loud_ms: u64,
}

impl Heard {
    /// Takes one packet's audio.
    pub(crate) fn audio(&mut self, packet: &RtpPacket<'_>, law: Law) {
        self.packets += 1;
        let (origin, at) = *self
            .origin
            .get_or_insert((packet.header.timestamp, self.samples.len()));
        let ahead = packet.header.timestamp.wrapping_sub(origin);
        let mut place = at + usize::try_from(ahead).unwrap_or(0);
        if place > self.samples.len() + usize::try_from(JUMP_SAMPLES).unwrap_or(0) {
            place = self.samples.len();
            self.origin = Some((packet.header.timestamp, place));
        }
        let end = place + packet.payload.len();
        if end > SAMPLES_MAX {
            return;
        }
        if self.samples.len() < end {
            self.samples.resize(end, 0);
        }
        law.decode(packet.payload, &mut self.samples[place..end]);
    }

    pub(crate) fn event(&mut self) {
        self.packets += 1;
        self.events += 1;
    }

    /// The audio so far: 16-bit samples at 8 kHz.
    #[must_use]
    pub fn samples(&self) -> &[i16] {
        &self.samples
    }

    /// Judges it.
    #[must_use]
    pub fn report(&self) -> HeardReport {
        let ms = |samples: usize| u64::try_from(samples / 8).unwrap_or(0);
        HeardReport {
            packets: self.packets,
            event_packets: self.events,
            audio_ms: ms(self.samples.len()),
            recoverable_digits: LooseDetector::scan(&self.samples).len(),
            loud_ms: ms(self
                .samples
                .iter()
                .filter(|sample| sample.unsigned_abs() > 200)
                .count()),
        }
    }
}

/// A WAV file (16-bit mono at 8 kHz) of samples.
#[must_use]
pub fn wav(samples: &[i16]) -> Vec<u8> {
    let data = u32::try_from(samples.len() * 2).unwrap_or(0);
    let mut bytes = Vec::with_capacity(44 + samples.len() * 2);
    bytes.extend_from_slice(b"RIFF");
    bytes.extend_from_slice(&(36 + data).to_le_bytes());
    bytes.extend_from_slice(b"WAVEfmt ");
    for word in [16_u32, 1 << 16 | 1, 8_000, 16_000, 16 << 16 | 2] {
        bytes.extend_from_slice(&word.to_le_bytes());
    }
    bytes.extend_from_slice(b"data");
    bytes.extend_from_slice(&data.to_le_bytes());
    bytes.extend(samples.iter().flat_map(|sample| sample.to_le_bytes()));
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wav_header_says_what_follows() {
        let file = wav(&[1, -1]);
        assert_eq!(file.len(), 48);
        assert_eq!(&file[20..24], &[1, 0, 1, 0]);
        assert_eq!(&file[32..36], &[2, 0, 16, 0]);
        assert_eq!(&file[44..], &[1, 0, 255, 255]);
    }
}
