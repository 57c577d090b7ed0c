//! Audio at another rate.
//! Owns: the windowed-sinc interpolation.
//! Never: aliases audibly; what lies above the new half rate is filtered off.

use std::f64::consts::PI;

use media::sample;

/// Zero crossings on each side of the kernel.
const CROSSINGS: usize = 12;

/// Kernel positions between two samples.
const PHASES: usize = 256;

/// `ratio` times as many samples for the same sound: above 1 the rate rises. Played at the old rate it sounds slower and deeper by `ratio`.
pub(crate) fn resample(linear: &[i16], ratio: f64) -> Vec<i16> {
    let cutoff = ratio.min(1.0);
    let reach = reach_of(cutoff);
    let kernel = kernel(cutoff, reach);
    let padded: Vec<f32> = std::iter::repeat_n(0, reach)
        .chain(linear.iter().copied())
        .chain(std::iter::repeat_n(0, reach + 1))
        .map(f32::from)
        .collect();
    let count = sample::count_f64(linear.len()) * ratio;
    (0..whole(count))
        .map(|at| {
            let position = sample::count_f64(at) / ratio;
            let first = whole(position);
            let phase = whole((position - sample::count_f64(first)) * sample::count_f64(PHASES));
            let taps = &kernel[phase.min(PHASES - 1)];
            let value: f32 = padded[first + 1..]
                .iter()
                .zip(taps)
                .map(|(value, tap)| value * tap)
                .sum();
            sample::from_f32(value)
        })
        .collect()
}

fn reach_of(cutoff: f64) -> usize {
    whole(sample::count_f64(CROSSINGS) / cutoff)
}

/// Hann-windowed sinc for each phase, from `reach - 1` samples before to `reach` after.
fn kernel(cutoff: f64, reach: usize) -> Vec<Vec<f32>> {
    (0..PHASES)
        .map(|phase| {
            let offset = (sample::count_f64(phase) + 0.5) / sample::count_f64(PHASES);
            (0..2 * reach)
                .map(|tap| {
                    let distance = sample::count_f64(tap) + 1.0 - sample::count_f64(reach) - offset;
                    let hann = (PI * distance / (2.0 * sample::count_f64(reach)))
                        .cos()
                        .powi(2);
                    sample::narrow(cutoff * sinc(cutoff * distance) * hann)
                })
                .collect()
        })
        .collect()
}

fn sinc(x: f64) -> f64 {
    if x.abs() < 1e-9 {
        1.0
    } else {
        (PI * x).sin() / (PI * x)
    }
}

/// The whole part of a small positive number.
fn whole(value: f64) -> usize {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "positions of a recording: positive and far below 2^53"
    )]
    let whole = value as usize;
    whole
}
