//! G.711: one byte is one sample at 8 kHz.
//! Owns: the two laws, their levels in dBm0.
//! Never: resamples, conceals or mixes.

use std::sync::LazyLock;

/// Samples in a second of any G.711 stream.
pub const SAMPLE_RATE_HZ: u32 = 8_000;

/// The two companding laws of ITU-T G.711.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Law {
    /// PCMU, payload type 0 ([RFC 3551](https://www.rfc-editor.org/rfc/rfc3551)).
    Mu,
    /// PCMA, payload type 8 ([RFC 3551](https://www.rfc-editor.org/rfc/rfc3551)).
    A,
}

impl Law {
    /// The linear value of one byte, scaled to 16 bits: at most ±32,124 (mu) or ±32,256 (A).
    #[must_use]
    pub fn decode_byte(self, byte: u8) -> i16 {
        self.tables().decode[usize::from(byte)]
    }

    /// The byte nearest to a linear 16-bit sample; louder samples clip.
    #[must_use]
    pub fn encode_sample(self, linear: i16) -> u8 {
        self.tables().encode[Tables::place(linear)]
    }

    /// Decodes `bytes` into the front of `samples` and says how many were written: the shorter of both lengths.
    pub fn decode(self, bytes: &[u8], samples: &mut [i16]) -> usize {
        let table = &self.tables().decode;
        for (sample, byte) in samples.iter_mut().zip(bytes) {
            *sample = table[usize::from(*byte)];
        }
        bytes.len().min(samples.len())
    }

    /// Encodes `samples` into the front of `bytes` and says how many were written: the shorter of both lengths.
    pub fn encode(self, samples: &[i16], bytes: &mut [u8]) -> usize {
        let table = &self.tables().encode;
        for (byte, sample) in bytes.iter_mut().zip(samples) {
            *byte = table[Tables::place(*sample)];
        }
        bytes.len().min(samples.len())
    }

    /// Builds the law's tables, if they are not there, so that no packet has to: 33 kB for the process.
    pub fn prepare(self) {
        let _built = self.tables();
    }

    /// The byte of digital silence: 0xFF (mu) or 0xD5 (A), the codes of +0.
    #[must_use]
    pub fn silence(self) -> u8 {
        match self {
            Self::Mu => 0xFF,
            Self::A => 0xD5,
        }
    }

    /// Level of a sine whose peaks just reach the largest code, in dBm0: +3.17 (mu) or +3.14 (A), the theoretical load
    /// capacity of ITU-T G.711.
    #[must_use]
    #[expect(
        clippy::approx_constant,
        reason = "3.14 dBm0 is the standard's figure, not pi"
    )]
    pub fn full_scale_dbm0(self) -> f32 {
        match self {
            Self::Mu => 3.17,
            Self::A => 3.14,
        }
    }

    /// Peak amplitude of a sine of `dbm0`, in 16-bit linear units.
    #[must_use]
    pub fn amplitude(self, dbm0: f32) -> f32 {
        self.full_scale() * 10.0_f32.powf((dbm0 - self.full_scale_dbm0()) / 20.0)
    }

    /// Level in dBm0 of a signal of this mean square, in 16-bit linear units. Silence is −infinity.
    #[must_use]
    pub fn dbm0(self, mean_square: f32) -> f32 {
        let full_scale_power = self.full_scale() * self.full_scale() / 2.0;
        self.full_scale_dbm0() + 10.0 * (mean_square / full_scale_power).log10()
    }

    fn full_scale(self) -> f32 {
        match self {
            Self::Mu => 32_124.0,
            Self::A => 32_256.0,
        }
    }

    fn tables(self) -> &'static Tables {
        match self {
            Self::Mu => &MU,
            Self::A => &A,
        }
    }
}

/// Both directions of one law, as tables: decoding is one look-up, so is encoding.
struct Tables {
    decode: [i16; 256],
    encode: Box<[u8; ENCODE_PLACES]>,
}

/// Linear values of one place in the encoder's table. Decoded values are multiples of 4, so the middle between two is one of 2, and what lies
/// between two such middles has one nearest code.
const LINEAR_OF_PLACE: u16 = 2;
const ENCODE_PLACES: usize = 32_768;

static MU: LazyLock<Tables> = LazyLock::new(|| Tables::build(decode_mu, Law::Mu.silence()));
static A: LazyLock<Tables> = LazyLock::new(|| Tables::build(decode_a, Law::A.silence()));

impl Tables {
    /// Builds the encoder as the nearest decoded value, so that encode(decode(byte)) is the same value for every byte.
    /// `zero` breaks the tie between the two codes of ±0 in mu-law.
    fn build(decode_one: fn(u8) -> i16, zero: u8) -> Self {
        let mut decode = [0; 256];
        for byte in u8::MIN..=u8::MAX {
            decode[usize::from(byte)] = decode_one(byte);
        }
        let mut order: Vec<u8> = (u8::MIN..=u8::MAX).collect();
        order.sort_by_key(|byte| (decode[usize::from(*byte)], *byte != zero));
        order.dedup_by_key(|byte| decode[usize::from(*byte)]);
        let mut encode = Box::new([0; ENCODE_PLACES]);
        let mut nearest = 0;
        for linear in i16::MIN..=i16::MAX {
            while nearest + 1 < order.len()
                && is_nearer(&decode, order[nearest + 1], order[nearest], linear)
            {
                nearest += 1;
            }
            encode[Self::place(linear)] = order[nearest];
        }
        Self { decode, encode }
    }
}

impl Tables {
    /// Where the code of a linear value stands.
    fn place(linear: i16) -> usize {
        usize::from(linear.cast_unsigned() / LINEAR_OF_PLACE)
    }
}

fn is_nearer(decode: &[i16; 256], candidate: u8, current: u8, linear: i16) -> bool {
    let distance = |byte: u8| i32::from(decode[usize::from(byte)]).abs_diff(i32::from(linear));
    distance(candidate) <= distance(current)
}

/// ITU-T G.711 table 2a: sign, three bits of segment, four of step, all inverted; bias 132 at 16 bits.
fn decode_mu(byte: u8) -> i16 {
    let code = !byte;
    let segment = (code >> 4) & 0x07;
    let step = i16::from(code & 0x0F);
    let magnitude = (((step << 3) + 132) << segment) - 132;
    if code & 0x80 == 0 {
        magnitude
    } else {
        -magnitude
    }
}

/// ITU-T G.711 table 1a: even bits inverted; the first two segments share one step size.
fn decode_a(byte: u8) -> i16 {
    let code = byte ^ 0x55;
    let segment = (code >> 4) & 0x07;
    let step = (i16::from(code & 0x0F) << 4) + 8;
    let magnitude = if segment == 0 {
        step
    } else {
        (step + 256) << (segment - 1)
    };
    if code & 0x80 == 0 {
        -magnitude
    } else {
        magnitude
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_codes_decode_to_the_values_of_the_standard() {
        assert_eq!(Law::Mu.decode_byte(0x80), 32_124);
        assert_eq!(Law::Mu.decode_byte(0x00), -32_124);
        assert_eq!(Law::Mu.decode_byte(0xFF), 0);
        assert_eq!(Law::Mu.decode_byte(0xFE), 8);
        assert_eq!(Law::A.decode_byte(0xAA), 32_256);
        assert_eq!(Law::A.decode_byte(0x2A), -32_256);
        assert_eq!(Law::A.decode_byte(0xD5), 8);
    }

    #[test]
    fn every_code_survives_a_round_trip() {
        for law in [Law::Mu, Law::A] {
            for byte in u8::MIN..=u8::MAX {
                let linear = law.decode_byte(byte);
                assert_eq!(law.decode_byte(law.encode_sample(linear)), linear);
            }
        }
    }

    #[test]
    fn encoding_picks_the_nearest_code_and_clips() {
        for law in [Law::Mu, Law::A] {
            for linear in i16::MIN..=i16::MAX {
                let chosen = law.decode_byte(law.encode_sample(linear));
                let best = (u8::MIN..=u8::MAX)
                    .map(|byte| i32::from(law.decode_byte(byte)).abs_diff(i32::from(linear)))
                    .min();
                assert_eq!(Some(i32::from(chosen).abs_diff(i32::from(linear))), best);
            }
        }
        assert_eq!(Law::Mu.encode_sample(0), 0xFF);
    }

    #[test]
    fn a_full_scale_sine_has_the_level_of_the_standard() {
        for law in [Law::Mu, Law::A] {
            let peak = law.amplitude(law.full_scale_dbm0());
            assert!((law.dbm0(peak * peak / 2.0) - law.full_scale_dbm0()).abs() < 1e-3);
            let tenth = law.amplitude(-16.0);
            assert!((law.dbm0(tenth * tenth / 2.0) + 16.0).abs() < 1e-3);
        }
    }
}
