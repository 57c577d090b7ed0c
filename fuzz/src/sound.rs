//! Sounds that a site sends for callers who wait.

use domain::queue::sound::{SOUND_S_MAX, parse, seconds_of};

/// No sound has more samples than its file, and none is empty or longer than may be.
pub fn run(data: &[u8]) {
    if let Ok(samples) = parse(data) {
        assert!(samples.len() * 2 <= data.len());
        assert!((1..=SOUND_S_MAX).contains(&seconds_of(&samples)));
    }
}
