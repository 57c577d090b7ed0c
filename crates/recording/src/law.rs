//! The two laws of G.711, as far as kept audio needs them.
//! Owns: byte to sample and back, the byte of silence.
//! Never: measures levels; that is `media`'s.

/// How the samples of a track are kept: one byte each, at 8 kHz.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Law {
    /// PCMU.
    Mu,
    /// PCMA.
    A,
}

impl Law {
    /// Its number in a file's head.
    pub(crate) fn code(self) -> u8 {
        match self {
            Self::Mu => 1,
            Self::A => 2,
        }
    }

    /// The law of this number; `None` for numbers that version 1 does not have.
    pub(crate) fn from_code(code: u8) -> Option<Self> {
        match code {
            1 => Some(Self::Mu),
            2 => Some(Self::A),
            _ => None,
        }
    }

    /// The byte of digital silence: 0xFF (mu) or 0xD5 (A).
    #[must_use]
    pub fn silence(self) -> u8 {
        match self {
            Self::Mu => 0xFF,
            Self::A => 0xD5,
        }
    }

    /// The 16-bit sample of a byte: at most ±32,124 (mu) or ±32,256 (A).
    #[must_use]
    pub fn decode(self, byte: u8) -> i16 {
        match self {
            Self::Mu => MU_SAMPLES[usize::from(byte)],
            Self::A => A_SAMPLES[usize::from(byte)],
        }
    }

    /// The byte of a 16-bit sample. A sample that was decoded by the same law gets a byte that decodes to it again; louder ones clip.
    #[must_use]
    pub fn encode(self, sample: i16) -> u8 {
        match self {
            Self::Mu => encode_mu(sample),
            Self::A => encode_a(sample),
        }
    }
}

static MU_SAMPLES: [i16; 256] = decoded(Law::Mu);
static A_SAMPLES: [i16; 256] = decoded(Law::A);

const fn decoded(law: Law) -> [i16; 256] {
    let mut samples = [0; 256];
    let mut byte = 0_u8;
    loop {
        samples[byte as usize] = match law {
            Law::Mu => decode_mu(byte),
            Law::A => decode_a(byte),
        };
        if byte == u8::MAX {
            return samples;
        }
        byte += 1;
    }
}

/// What mu-law adds before it takes the logarithm, at 16 bits.
const MU_BIAS: i16 = 132;

const fn decode_mu(byte: u8) -> i16 {
    let code = !byte;
    let step = (code & 0x0F) as i16;
    let magnitude = (((step << 3) + MU_BIAS) << ((code >> 4) & 0x07)) - MU_BIAS;
    if code & 0x80 == 0 {
        magnitude
    } else {
        -magnitude
    }
}

const fn decode_a(byte: u8) -> i16 {
    let code = byte ^ 0x55;
    let segment = (code >> 4) & 0x07;
    let step = (((code & 0x0F) as i16) << 4) + 8;
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

fn encode_mu(sample: i16) -> u8 {
    let biased = sample.unsigned_abs().min(32_635) + MU_BIAS.unsigned_abs();
    // The bias puts a one at bit 7 or above.
    let segment = 8 - biased.leading_zeros();
    let [_, step] = ((biased >> (segment + 3)) & 0x0F).to_be_bytes();
    let sign = if sample < 0 { 0x80 } else { 0 };
    !(sign | low_nibble(segment) << 4 | step)
}

fn encode_a(sample: i16) -> u8 {
    let (sign, magnitude) = if sample < 0 {
        (0, !sample)
    } else {
        (0x80, sample)
    };
    let magnitude = magnitude.unsigned_abs();
    let segment = 8_u32.saturating_sub(magnitude.leading_zeros());
    let [_, step] = ((magnitude >> (segment.max(1) + 3)) & 0x0F).to_be_bytes();
    (sign | low_nibble(segment) << 4 | step) ^ 0x55
}

fn low_nibble(value: u32) -> u8 {
    let [.., low] = value.to_be_bytes();
    low & 0x0F
}

#[cfg(test)]
mod tests {
    use super::*;

    const LAWS: [(Law, media::g711::Law); 2] = [
        (Law::Mu, media::g711::Law::Mu),
        (Law::A, media::g711::Law::A),
    ];

    #[test]
    fn every_byte_is_the_sample_that_the_relay_puts_out_and_comes_back() {
        for (ours, relays) in LAWS {
            assert_eq!(ours.silence(), relays.silence());
            assert_eq!(Law::from_code(ours.code()), Some(ours));
            for byte in u8::MIN..=u8::MAX {
                let sample = ours.decode(byte);
                assert_eq!(sample, relays.decode_byte(byte), "{ours:?} {byte}");
                assert_eq!(ours.decode(ours.encode(sample)), sample, "{ours:?} {byte}");
            }
        }
    }

    #[test]
    fn samples_between_codes_come_back_within_their_step() {
        for (ours, _) in LAWS {
            for sample in i16::MIN..=i16::MAX {
                let back = i32::from(ours.decode(ours.encode(sample)));
                let off = back.abs_diff(i32::from(sample));
                // A step is a sixteenth of its segment: an error of 1/32 of the value, or of half of the smallest step, or clipped.
                let bound = (i32::from(sample).unsigned_abs() / 32 + 8).max(16);
                let clipped = sample.unsigned_abs() > 32_000;
                assert!(
                    off <= bound || clipped && off < 700,
                    "{ours:?} {sample} {back}"
                );
            }
        }
    }
}
