//! G.711: one byte is one sample at 8 kHz.
//! Owns: the two laws, their levels in dBm0.
//! Never: resamples, conceals or mixes, allocates, or keeps anything.
//! Start reading at: [`Law`].

#![warn(missing_docs)]

mod level;
mod table;

use table::Tables;

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
    #[inline]
    pub fn decode_byte(self, byte: u8) -> i16 {
        self.tables().decode(byte)
    }

    /// The byte nearest to a linear 16-bit sample; louder samples clip. A sample that this law decoded gets a byte that decodes to it again.
    #[must_use]
    #[inline]
    pub fn encode_sample(self, linear: i16) -> u8 {
        self.tables().encode(linear)
    }

    /// Decodes `bytes` into the front of `samples` and says how many were written: the shorter of both lengths.
    #[inline]
    pub fn decode(self, bytes: &[u8], samples: &mut [i16]) -> usize {
        let tables = self.tables();
        for (sample, byte) in samples.iter_mut().zip(bytes) {
            *sample = tables.decode(*byte);
        }
        bytes.len().min(samples.len())
    }

    /// Encodes `samples` into the front of `bytes` and says how many were written: the shorter of both lengths.
    #[inline]
    pub fn encode(self, samples: &[i16], bytes: &mut [u8]) -> usize {
        let tables = self.tables();
        for (byte, sample) in bytes.iter_mut().zip(samples) {
            *byte = tables.encode(*sample);
        }
        bytes.len().min(samples.len())
    }

    /// The byte of digital silence: 0xFF (mu) or 0xD5 (A), the codes of +0.
    #[must_use]
    #[inline]
    pub const fn silence(self) -> u8 {
        match self {
            Self::Mu => 0xFF,
            Self::A => 0xD5,
        }
    }

    #[inline]
    fn tables(self) -> &'static Tables {
        match self {
            Self::Mu => &table::MU,
            Self::A => &table::A,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LAWS: [Law; 2] = [Law::Mu, Law::A];

    #[test]
    fn known_codes_decode_to_the_values_of_the_standard() {
        assert_eq!(Law::Mu.decode_byte(0x80), 32_124);
        assert_eq!(Law::Mu.decode_byte(0x00), -32_124);
        assert_eq!(Law::Mu.decode_byte(0xFF), 0);
        assert_eq!(Law::Mu.decode_byte(0x7F), 0);
        assert_eq!(Law::Mu.decode_byte(0xFE), 8);
        assert_eq!(Law::A.decode_byte(0xAA), 32_256);
        assert_eq!(Law::A.decode_byte(0x2A), -32_256);
        assert_eq!(Law::A.decode_byte(0xD5), 8);
        assert_eq!(Law::A.decode_byte(0x55), -8);
    }

    #[test]
    fn every_code_survives_a_round_trip() {
        for law in LAWS {
            for byte in u8::MIN..=u8::MAX {
                let linear = law.decode_byte(byte);
                assert_eq!(law.decode_byte(law.encode_sample(linear)), linear);
            }
        }
    }

    #[test]
    fn encoding_picks_the_nearest_code_and_clips() {
        for law in LAWS {
            for linear in i16::MIN..=i16::MAX {
                let off = |byte| i32::from(law.decode_byte(byte)).abs_diff(i32::from(linear));
                let best = (u8::MIN..=u8::MAX).map(off).min();
                assert_eq!(
                    Some(off(law.encode_sample(linear))),
                    best,
                    "{law:?} {linear}"
                );
            }
        }
        assert_eq!(Law::Mu.encode_sample(0), 0xFF, "the code of +0");
    }

    #[test]
    fn of_two_codes_as_near_the_higher_one_is_taken() {
        assert_eq!(Law::Mu.encode_sample(4), 0xFE);
        assert_eq!(Law::Mu.encode_sample(-4), 0xFF);
        assert_eq!(Law::A.encode_sample(0), 0xD5);
        assert_eq!(Law::A.encode_sample(-16), 0x55);
    }

    #[test]
    fn a_row_is_coded_as_its_samples_are_and_the_shorter_side_ends_it() {
        let bytes = [0x00, 0x7F, 0x80, 0xD5];
        for law in LAWS {
            let mut samples = [1; 6];
            assert_eq!(law.decode(&bytes, &mut samples), 4);
            let decoded = bytes.map(|byte| law.decode_byte(byte));
            assert_eq!(samples[..4], decoded);
            assert_eq!(samples[4..], [1, 1]);
            let mut coded = [7; 3];
            assert_eq!(law.encode(&samples, &mut coded), 3);
            assert_eq!(
                coded[..],
                decoded.map(|sample| law.encode_sample(sample))[..3]
            );
        }
    }
}
