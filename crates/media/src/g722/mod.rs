//! G.722 at 64 kbit/s: one octet is 125 µs, as in G.711, and holds a sample of each half of the band.
//! Owns: both directions between octets and the lower half at 8 kHz; what a decoder that heard the same octets remembers.
//! Never: splits or joins the bands: speech and keys lie below 4 kHz, and what is masked is to be masked without a filter's delay.
//!
//! A decoder remembers exactly what the encoder of the same octets does (ITU-T G.722). So an [`Encoder`] may go on in the middle of a stream that
//! somebody else began: [`Encoder::follow`].

mod band;
mod tables;
#[cfg(test)]
mod tests;

use band::Band;
use tables::{HIGH, LOW};

use crate::sample;

/// Both halves of the band, as coded so far.
#[derive(Debug, Clone)]
struct Bands {
    low: Band,
    high: Band,
}

impl Bands {
    fn new() -> Self {
        Self {
            low: Band::new(&LOW),
            high: Band::new(&HIGH),
        }
    }

    /// The samples of an octet, lower half first, at half of a 16-bit sample's scale.
    fn decode(&mut self, octet: u8) -> (i32, i32) {
        let (low, high) = (usize::from(octet & 0x3F), usize::from(octet >> 6));
        (self.decode_low(low), self.decode_high(high))
    }

    /// What is heard has all six bits; what is remembered has the four that no mode of G.722 gives to data.
    fn decode_low(&mut self, code: usize) -> i32 {
        let heard = self.low.predicted() + self.low.scaled(tables::LOW_6_BITS[code]);
        let core = code >> 2;
        self.low
            .adapt(&LOW, tables::LOW_4_BITS[core], tables::LOW_STEPS[core]);
        heard.clamp(-16_384, 16_383)
    }

    fn decode_high(&mut self, code: usize) -> i32 {
        let heard = self.high.predicted() + self.high.scaled(tables::HIGH_2_BITS[code]);
        self.high
            .adapt(&HIGH, tables::HIGH_2_BITS[code], tables::HIGH_STEPS[code]);
        heard.clamp(-16_384, 16_383)
    }

    /// The octet of a sample of each half, at half of a 16-bit sample's scale.
    fn encode(&mut self, low: i32, high: i32) -> u8 {
        let low = self.encode_low(low);
        let high = self.encode_high(high);
        u8::try_from((high << 6) | low).unwrap_or(u8::MAX)
    }

    fn encode_low(&mut self, value: i32) -> usize {
        let off = band::saturated(value - self.low.predicted());
        let code = tables::low_code(off < 0, self.low.level_of(off, &tables::LOW_LEVELS));
        let core = code >> 2;
        self.low
            .adapt(&LOW, tables::LOW_4_BITS[core], tables::LOW_STEPS[core]);
        code
    }

    fn encode_high(&mut self, value: i32) -> usize {
        let off = band::saturated(value - self.high.predicted());
        let code = tables::high_code(off < 0, self.high.level_of(off, &tables::HIGH_LEVELS));
        self.high
            .adapt(&HIGH, tables::HIGH_2_BITS[code], tables::HIGH_STEPS[code]);
        code
    }
}

/// Octets of one stream into samples.
#[derive(Clone)]
pub struct Decoder(Bands);

/// It does not print what it remembers: sound, which may be a key.
impl std::fmt::Debug for Decoder {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Decoder").finish_non_exhaustive()
    }
}

impl Decoder {
    /// A decoder that has heard nothing.
    #[must_use]
    pub fn new() -> Self {
        Self(Bands::new())
    }

    /// Decodes the next octets of the stream into the front of `linear`, the lower half of the band in 16-bit samples at 8 kHz. Says how many were
    /// written: the shorter of both lengths.
    pub fn decode(&mut self, octets: &[u8], linear: &mut [i16]) -> usize {
        for (value, octet) in linear.iter_mut().zip(octets) {
            let (low, _) = self.0.decode(*octet);
            *value = sample::saturated(low * 2);
        }
        octets.len().min(linear.len())
    }
}

impl Default for Decoder {
    fn default() -> Self {
        Self::new()
    }
}

/// Samples into the octets of one stream. The upper half of the band is silent in them.
#[derive(Clone)]
pub struct Encoder(Bands);

/// It does not print what it remembers: sound, which may be a key.
impl std::fmt::Debug for Encoder {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Encoder").finish_non_exhaustive()
    }
}

impl Encoder {
    /// An encoder of a stream that begins.
    #[must_use]
    pub fn new() -> Self {
        Self(Bands::new())
    }

    /// The next octets follow on those that `decoder` has heard: whoever else heard them cannot tell.
    pub fn follow(&mut self, decoder: &Decoder) {
        self.0.clone_from(&decoder.0);
    }

    /// A decoder that has heard all that was encoded, or followed.
    #[must_use]
    pub fn listener(&self) -> Decoder {
        Decoder(self.0.clone())
    }

    /// Encodes samples at 8 kHz into the front of `octets` and says how many were written: the shorter of both lengths.
    pub fn encode(&mut self, linear: &[i16], octets: &mut [u8]) -> usize {
        for (octet, value) in octets.iter_mut().zip(linear) {
            *octet = self.0.encode(i32::from(*value) >> 1, 0);
        }
        linear.len().min(octets.len())
    }
}

impl Default for Encoder {
    fn default() -> Self {
        Self::new()
    }
}
