//! A leg's octets and samples at 8 kHz, in whatever codec it speaks. In each of them but Opus an octet is a sample.
//! Owns: what has to be remembered of a leg's stream between two packets; boxed, and only where the codec asks for it.
//! Never: allocates after its creation, but for Opus as it begins to be decoded or encoded.

use crate::egress_guard::{EgressGuard, Verdict};
use crate::g711::Law;
use crate::g722;
use crate::leg::Codec;
use crate::opus;

/// How many samples at 8 kHz a payload has, at most 120 ms; none if there are none, or more.
pub(crate) fn samples_of(codec: Codec, payload: &[u8]) -> Option<usize> {
    match codec {
        Codec::Pcmu | Codec::Pcma | Codec::G722 => Some(payload.len())
            .filter(|samples| (1..=crate::relay::AUDIO_SAMPLES_MAX).contains(samples)),
        Codec::Opus => opus::samples_of(payload),
    }
}

/// What a far side sends, into samples.
pub(crate) enum Decoder {
    G711(Law),
    G722(Box<g722::Decoder>),
    Opus(opus::Decoder),
}

impl Decoder {
    pub(crate) fn new(codec: Codec) -> Self {
        match codec {
            Codec::Pcmu | Codec::Pcma => Self::G711(codec.law()),
            Codec::G722 => Self::G722(Box::default()),
            Codec::Opus => Self::Opus(opus::Decoder::default()),
        }
    }

    /// Decodes what follows on the octets before; says how many samples there are.
    pub(crate) fn decode(&mut self, octets: &[u8], linear: &mut [i16]) -> usize {
        match self {
            Self::G711(law) => law.decode(octets, linear),
            Self::G722(decoder) => decoder.decode(octets, linear),
            Self::Opus(decoder) => decoder.decode(octets, linear),
        }
    }

    /// Packets pass as they come for now, and nothing listens to them.
    pub(crate) fn rest(&mut self) {
        match self {
            Self::G711(_) | Self::G722(_) => {}
            Self::Opus(decoder) => decoder.rest(),
        }
    }

    /// Decodes what was overtaken, as if it came now; nothing is remembered of it. Nothing is made of Opus: what its decoder remembers cannot be put aside.
    pub(crate) fn decode_late(&self, octets: &[u8], linear: &mut [i16]) -> usize {
        match self {
            Self::G711(law) => law.decode(octets, linear),
            Self::G722(decoder) => g722::Decoder::clone(decoder).decode(octets, linear),
            Self::Opus(_) => 0,
        }
    }
}

/// Samples into what a far side is sent.
pub(crate) enum Encoder {
    G711(Law),
    G722(Box<Wide>),
    Opus(Box<opus::Encoder>),
}

/// An encoder of G.722, and the far side's decoder.
#[derive(Default)]
pub(crate) struct Wide {
    encoder: g722::Encoder,
    before: g722::Encoder,
    far: g722::Decoder,
}

impl Encoder {
    pub(crate) fn new(codec: Codec) -> Self {
        match codec {
            Codec::Pcmu | Codec::Pcma => Self::G711(codec.law()),
            Codec::G722 => Self::G722(Box::default()),
            Codec::Opus => Self::Opus(Box::default()),
        }
    }

    /// The far side was sent, unchanged, what this decoder of the same codec has heard, or would have.
    pub(crate) fn follow(&mut self, decoder: &Decoder) {
        match (self, decoder) {
            (Self::G722(wide), Decoder::G722(decoder)) => wide.encoder.follow(decoder),
            (Self::Opus(encoder), _) => encoder.rest(),
            (Self::G711(_) | Self::G722(_), _) => {}
        }
    }

    /// What is encoded from now on has nothing of what was encoded before. An encoder of Opus holds the last 6.5 ms back; that of G.722 nothing.
    pub(crate) fn begin_anew(&mut self) {
        match self {
            Self::G711(_) | Self::G722(_) => {}
            Self::Opus(encoder) => encoder.rest(),
        }
    }

    /// Encodes the next packet; says how many octets it has.
    pub(crate) fn encode(&mut self, linear: &[i16], octets: &mut [u8]) -> usize {
        match self {
            Self::G711(law) => law.encode(linear, octets),
            Self::G722(wide) => {
                wide.before.clone_from(&wide.encoder);
                wide.far = wide.encoder.listener();
                wide.encoder.encode(linear, octets)
            }
            Self::Opus(encoder) => encoder.encode(linear, octets),
        }
    }

    /// What the far side hears of the packet encoded last; says how many samples there are. From its first octet on, in pieces of any length, but of Opus,
    /// whose packets are heard whole.
    pub(crate) fn hear(&mut self, octets: &[u8], linear: &mut [i16]) -> usize {
        match self {
            Self::G711(law) => law.decode(octets, linear),
            Self::G722(wide) => wide.far.decode(octets, linear),
            Self::Opus(encoder) => encoder.hear(octets, linear),
        }
    }

    /// What is about to leave is judged as the far side hears it.
    pub(crate) fn judge(&mut self, guard: &mut EgressGuard, octets: &[u8]) -> Verdict {
        match self {
            Self::Opus(encoder) => {
                let mut linear = [0; crate::relay::AUDIO_SAMPLES_MAX];
                let len = encoder.hear(octets, &mut linear);
                guard.judge_samples(&linear[..len])
            }
            Self::G711(_) | Self::G722(_) => {
                guard.judge_decoded(octets, |octets, linear| self.hear(octets, linear))
            }
        }
    }

    /// Silence of `len` samples in the place of the packet encoded last; says how many octets it has. Nothing is remembered of that packet either.
    pub(crate) fn silence(&mut self, len: usize, octets: &mut [u8]) -> usize {
        match self {
            Self::G711(law) => octets[..len].fill(law.silence()),
            Self::G722(wide) => {
                wide.encoder.clone_from(&wide.before);
                for octet in octets[..len].chunks_mut(1) {
                    wide.encoder.encode(&[0], octet);
                }
            }
            Self::Opus(encoder) => return encoder.silence(len, octets),
        }
        len
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CODECS: [Codec; 3] = [Codec::Pcmu, Codec::Pcma, Codec::G722];

    fn tone(from: usize) -> [i16; 160] {
        std::array::from_fn(|at| {
            let angle = crate::sample::count_f32(from + at) * 0.7;
            crate::sample::from_f32(angle.sin() * 8_000.0)
        })
    }

    /// What the far side hears of octets, and what the encoder says that it does.
    fn heard(far: &mut Decoder, encoder: &mut Encoder, octets: &[u8]) -> [i16; 160] {
        let (mut at_far, mut said) = ([0; 160], [0; 160]);
        far.decode(octets, &mut at_far);
        // In pieces, as the egress guard takes them.
        for (octets, linear) in octets.chunks(37).zip(said.chunks_mut(37)) {
            encoder.hear(octets, linear);
        }
        assert_eq!(at_far, said);
        at_far
    }

    #[test]
    fn an_encoder_hears_what_the_far_side_hears() {
        for codec in CODECS {
            let (mut encoder, mut far) = (Encoder::new(codec), Decoder::new(codec));
            for packet in 0..10 {
                let mut octets = [0; 160];
                encoder.encode(&tone(packet * 160), &mut octets);
                heard(&mut far, &mut encoder, &octets);
            }
        }
    }

    #[test]
    fn silence_in_the_place_of_a_packet_is_heard_and_the_packet_is_not() {
        for codec in CODECS {
            let (mut encoder, mut far) = (Encoder::new(codec), Decoder::new(codec));
            let mut octets = [0; 160];
            for packet in 0..5 {
                encoder.encode(&tone(packet * 160), &mut octets);
                far.decode(&octets, &mut [0; 160]);
            }
            let mut loudest = 0;
            for packet in 5..10 {
                encoder.encode(&tone(packet * 160), &mut octets);
                encoder.silence(160, &mut octets);
                let mut linear = [0; 160];
                far.decode(&octets, &mut linear);
                // The step of G.722 shrinks within 20 ms.
                let late = &linear[if packet == 5 { 120 } else { 0 }..];
                loudest = late.iter().map(|value| value.abs()).fold(loudest, i16::max);
            }
            assert!(loudest < 200, "{codec:?}: {loudest}");
            encoder.encode(&tone(0), &mut octets);
            let again = heard(&mut far, &mut encoder, &octets);
            assert!(again.iter().any(|value| *value > 6_000), "{codec:?}");
        }
    }

    #[test]
    fn what_was_overtaken_is_not_remembered() {
        for codec in CODECS {
            let (mut encoder, mut far) = (Encoder::new(codec), Decoder::new(codec));
            let mut octets = [0; 160];
            encoder.encode(&tone(0), &mut octets);
            far.decode_late(&octets, &mut [0; 160]);
            heard(&mut far, &mut encoder, &octets);
        }
    }
}
