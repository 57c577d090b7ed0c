//! Opus at 8 kHz, where its decoder yields a telephone's band and its encoder takes one ([RFC 6716](https://www.rfc-editor.org/rfc/rfc6716)).
//! Owns: the states of a leg that transcodes at the moment, and the packets of ours.
//! Never: holds a state that nothing needs; hands one on to another leg; reads what a packet carries of earlier ones (FEC).
//!
//! A state is large (299 KiB to encode, 174 KiB to decode) and most legs of Opus need none: their packets pass as they come. So it is made when the first
//! packet has to be decoded or encoded, and freed as soon as packets pass again. What a state remembers of a call ends with it.

mod packet;

#[cfg(test)]
mod tests;

pub(crate) use packet::samples_of;

use opus_rs::{Application, OpusDecoder, OpusEncoder};

use crate::relay::AUDIO_SAMPLES_MAX;
use crate::sample;
use packet::{FRAMES_MAX, Frames, Joined, SPEECH_SAMPLES};

/// What a rate of 8 kHz is to the codec.
const RATE_HZ: i32 = 8_000;

/// Bits a second of what we encode, on average: narrowband speech gains nothing above it, and what is a key to nobody keeps its shape.
const BITRATE: i32 = 24_000;

/// Out of ten: a third of the time that ten takes, and nobody hears it in narrowband.
const COMPLEXITY: i32 = 5;

/// An encoder holds back so many samples: 2.5 ms of look-ahead and 4 ms of delay compensation.
pub(crate) const LOOK_AHEAD_SAMPLES: usize = 52;

/// Full scale of a 16-bit sample.
const FULL_SCALE: f32 = 32_768.0;

/// Packets into samples.
#[derive(Default)]
pub(crate) struct Decoder(Option<Box<OpusDecoder>>);

impl Decoder {
    /// Decodes the packet that follows on the one before into the front of `linear`; says how many samples there are. What cannot be read is silence of
    /// the length that it says; none if it says none.
    pub(crate) fn decode(&mut self, octets: &[u8], linear: &mut [i16]) -> usize {
        let len = samples_of(octets).unwrap_or(0).min(linear.len());
        let mut heard = [0.0; AUDIO_SAMPLES_MAX];
        if self.0.is_none() {
            self.0 = OpusDecoder::new(RATE_HZ, 1).ok().map(Box::new);
        }
        let decoded = self
            .0
            .as_mut()
            .and_then(|state| state.decode(octets, AUDIO_SAMPLES_MAX, &mut heard).ok());
        if decoded.is_none() {
            heard.fill(0.0);
        }
        for (value, heard) in linear[..len].iter_mut().zip(heard) {
            *value = sample::from_f32(heard * FULL_SCALE);
        }
        len
    }

    /// Nothing is to be decoded for now.
    pub(crate) fn rest(&mut self) {
        self.0 = None;
    }

    #[cfg(test)]
    pub(crate) fn rests(&self) -> bool {
        self.0.is_none()
    }
}

/// Samples into packets, and what the far side hears of them.
#[derive(Default)]
pub(crate) struct Encoder {
    state: Option<State>,
    far: Decoder,
}

/// An encoder of frames of one length. The crate's own goes wrong, up to a panic, where frames of 10 ms follow on longer ones; so another length begins
/// anew: below 10 ms, and back.
struct State {
    opus: Box<OpusEncoder>,
    samples: usize,
}

impl State {
    fn new(samples: usize) -> Option<Self> {
        let application = if samples < SPEECH_SAMPLES {
            Application::RestrictedLowDelay
        } else {
            Application::Voip
        };
        let mut opus = OpusEncoder::new(RATE_HZ, 1, application).ok()?;
        opus.bitrate_bps = BITRATE;
        opus.complexity = COMPLEXITY;
        Some(Self {
            opus: Box::new(opus),
            samples,
        })
    }
}

impl Encoder {
    /// Encodes the next packet of at most [`AUDIO_SAMPLES_MAX`] samples; says how many octets it has: at most one for each sample, and four. Opus has
    /// packets of certain lengths only: one of another is filled up with silence.
    pub(crate) fn encode(&mut self, linear: &[i16], octets: &mut [u8]) -> usize {
        let mut samples = [0; AUDIO_SAMPLES_MAX];
        let len = linear.len().min(AUDIO_SAMPLES_MAX);
        samples[..len].copy_from_slice(&linear[..len]);
        let frames = Frames::of(len);
        let mut joined = Joined::new(frames);
        for frame in samples.chunks_exact(frames.samples).take(frames.count) {
            let encoded = joined
                .next_frame()
                .and_then(|place| self.frame(frame, place));
            joined.note(encoded.unwrap_or(0));
        }
        joined.write(octets)
    }

    /// Encodes one frame; says how many octets it has, its head included.
    fn frame(&mut self, samples: &[i16], octets: &mut [u8]) -> Option<usize> {
        let fits = |state: &State| state.samples == samples.len();
        if !self.state.as_ref().is_some_and(fits) {
            self.state = State::new(samples.len());
        }
        let opus = &mut self.state.as_mut()?.opus;
        opus.encode_i16(samples, samples.len(), octets).ok()
    }

    /// What the far side hears of the packet encoded last; says how many samples there are.
    pub(crate) fn hear(&mut self, octets: &[u8], linear: &mut [i16]) -> usize {
        self.far.decode(octets, linear)
    }

    /// Silence in the place of the packet encoded last, of so many samples; says how many octets it has. Nothing is remembered of that packet, nor of those
    /// before: its end is not in the next one either.
    pub(crate) fn silence(&mut self, len: usize, octets: &mut [u8]) -> usize {
        self.rest();
        self.encode(
            &[0; AUDIO_SAMPLES_MAX][..len.min(AUDIO_SAMPLES_MAX)],
            octets,
        )
    }

    /// Nothing is to be encoded for now; what comes later has nothing of what came before.
    pub(crate) fn rest(&mut self) {
        self.state = None;
        self.far.rest();
    }

    #[cfg(test)]
    pub(crate) fn rests(&self) -> bool {
        self.state.is_none() && self.far.rests()
    }
}

const _: () = assert!(FRAMES_MAX * SPEECH_SAMPLES >= AUDIO_SAMPLES_MAX);
