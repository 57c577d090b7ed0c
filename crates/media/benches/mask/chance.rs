//! Whether guesses are better than chance.

use crate::dice::Dice;

/// Shuffles of the labels.
const SHUFFLES: usize = 1_000;

/// Shuffles that must reach the count of hits before their share is the p-value; with fewer the normal tail of all shuffles is.
const REACHED_LEAST: usize = 10;

/// The probability that shuffled labels are guessed as often as the true ones: near 0 for a filter that reads, spread over 0-1 for one that
/// guesses. One without a guess has no case: 1.
pub(crate) fn p_value(guesses: &[(Option<u8>, u8)], seed: u64) -> f64 {
    let made: Vec<u8> = guesses.iter().filter_map(|(guess, _)| *guess).collect();
    if made.is_empty() {
        return 1.0;
    }
    let mut labels: Vec<u8> = guesses
        .iter()
        .filter(|(guess, _)| guess.is_some())
        .map(|(_, label)| *label)
        .collect();
    let hits = |labels: &[u8]| {
        made.iter()
            .zip(labels)
            .filter(|(guess, label)| guess == label)
            .count()
    };
    let seen = hits(&labels);
    let mut dice = Dice::new(seed);
    let counts: Vec<usize> = (0..SHUFFLES)
        .map(|_| {
            for last in (1..labels.len()).rev() {
                labels.swap(last, dice.below(last + 1));
            }
            hits(&labels)
        })
        .collect();
    let reached = counts.iter().filter(|count| **count >= seen).count();
    if reached >= REACHED_LEAST {
        return (reached + 1) as f64 / (SHUFFLES + 1) as f64;
    }
    let mean = counts.iter().sum::<usize>() as f64 / SHUFFLES as f64;
    let variance = counts
        .iter()
        .map(|count| (*count as f64 - mean).powi(2))
        .sum::<f64>()
        / SHUFFLES as f64;
    upper_tail((seen as f64 - 0.5 - mean) / variance.max(0.25).sqrt())
}

/// The normal distribution's upper tail (Abramowitz and Stegun 26.2.17, error below 1e-7 of the density).
fn upper_tail(z: f64) -> f64 {
    if z < 0.0 {
        return 1.0 - upper_tail(-z);
    }
    let t = 1.0 / (1.0 + 0.231_641_9 * z);
    let series = t
        * (0.319_381_53
            + t * (-0.356_563_782
                + t * (1.781_477_937 + t * (-1.821_255_978 + t * 1.330_274_429))));
    (-z * z / 2.0).exp() / std::f64::consts::TAU.sqrt() * series
}
