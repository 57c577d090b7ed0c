//! The outline of a recording that a player draws.
//! Owns: how loud a stretch was, as one byte.
//! Never: lies in the open; peaks are sealed with their segment.

use g711::Law;

/// Samples of one peak: 125 ms. Half an hour has 14,400 of a track, more than a player has columns.
pub const PEAK_SAMPLES: usize = 1_000;

/// How loud a stretch of [`PEAK_SAMPLES`] was, the last one of a segment maybe shorter: its loudest sample by amount, in 255ths of full scale.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Peak {
    /// Position of the stretch's first sample.
    pub position: u64,
    /// The consumer's, 0 to 255.
    pub consumer: u8,
    /// The agent's, 0 to 255.
    pub agent: u8,
}

/// Peaks of as many samples of a track.
pub(crate) fn count(samples: usize) -> usize {
    samples.div_ceil(PEAK_SAMPLES)
}

/// Consumer's and agent's peaks of interleaved audio, stretch by stretch.
pub(crate) fn of(audio: &[u8], laws: [Law; 2]) -> impl Iterator<Item = [u8; 2]> {
    audio.chunks(PEAK_SAMPLES * 2).map(move |stretch| {
        let mut loudest = [0_u16; 2];
        for moment in stretch.chunks_exact(2) {
            for ((loudest, byte), law) in loudest.iter_mut().zip(moment).zip(laws) {
                *loudest = (*loudest).max(law.decode_byte(*byte).unsigned_abs());
            }
        }
        loudest.map(scale)
    })
}

fn scale(amount: u16) -> u8 {
    u8::try_from(amount / 128).unwrap_or(u8::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_peak_is_the_loudest_sample_of_its_stretch_and_track() {
        let mut audio = [Law::Mu.silence(), Law::A.silence()].repeat(2_500);
        audio[2 * 999] = Law::Mu.encode_sample(-16_000);
        audio[2 * 2_499 + 1] = Law::A.encode_sample(i16::MAX);
        let peaks: Vec<_> = of(&audio, [Law::Mu, Law::A]).collect();
        assert_eq!(peaks, [[124, 0], [0, 0], [0, 252]]);
        assert_eq!((count(2_500), count(0), count(1_000)), (3, 0, 1));
    }
}
