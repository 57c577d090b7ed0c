//! What a caller hears who waits for an agent.
//! Owns: the order of announcement and music, and the music that comes with the server.
//! Never: hears anybody; nothing of another caller is in it.

use std::f64::consts::TAU;
use std::sync::{Arc, LazyLock};

use crate::g711::Law;
use crate::sample;

/// Level of our music over its whole length: under that of speech, as the ringing tone.
const MUSIC_DBM0: f32 = -20.0;

/// Samples in a second.
const SECOND: u64 = 8_000;

/// Between two notes: slower than a heart beats.
const NOTE_SPAN: u64 = 4_800;

/// How long a note is heard: it overlaps those that follow, as a string does that is plucked and let ring.
const NOTE_SAMPLES: u64 = 3 * NOTE_SPAN;

/// A note grows loud in 40 ms, so that nothing clicks.
const ATTACK_SAMPLES: u64 = 320;

/// A note falls to a third in this many samples.
const DECAY_SAMPLES: f64 = 4_000.0;

/// The notes of one round in Hz: a pentatonic scale, in which none jars beside another. All lie below the lowest tone of a keypad, 697 Hz, by more than a detector's
/// tolerance.
const NOTES_HZ: [f64; 32] = [
    261.63, 392.00, 440.00, 329.63, 523.25, 440.00, 392.00, 329.63, 220.00, 329.63, 440.00, 261.63,
    392.00, 329.63, 293.66, 261.63, 293.66, 440.00, 392.00, 293.66, 587.33, 523.25, 440.00, 392.00,
    196.00, 293.66, 392.00, 440.00, 329.63, 293.66, 261.63, 196.00,
];

/// Music fades out and in over 50 ms where an announcement breaks in.
const FADE_SPAN: u64 = 400;

/// The music that comes with the server: notes of our own, one after the other, so that nobody has to be asked for it.
static OWN_MUSIC: LazyLock<Arc<[i16]>> = LazyLock::new(own_music);

/// Announcement and music, as a function of the time alone.
#[derive(Debug, Clone)]
pub struct WaitingSound {
    announcement: Arc<[i16]>,
    music: Arc<[i16]>,
    /// From one announcement's beginning to the next one's, in samples; none: it is played once.
    every: Option<u64>,
}

impl WaitingSound {
    /// Samples at 8 kHz. Without `music` it is ours. The announcement is played first, and again so many seconds after it has ended; 0: once.
    #[must_use]
    pub fn new(
        music: Option<Arc<[i16]>>,
        announcement: Option<Arc<[i16]>>,
        announce_every_s: u16,
    ) -> Self {
        let music = music.filter(|music| !music.is_empty());
        let announcement = announcement.unwrap_or_default();
        let pause = u64::from(announce_every_s) * SECOND;
        let is_repeated = pause > 0 && !announcement.is_empty();
        let every = is_repeated.then(|| length(&announcement) + pause);
        Self {
            announcement,
            music: music.unwrap_or_else(|| OWN_MUSIC.clone()),
            every,
        }
    }

    /// The sample of this place, counted from the beginning of the wait.
    #[must_use]
    pub(crate) fn at(&self, place: u64) -> i16 {
        let said = length(&self.announcement);
        let (round, within) = match self.every {
            Some(every) => (place / every, place % every),
            None => (0, place),
        };
        if within < said {
            return sample_of(&self.announcement, within);
        }
        // The music goes on where it was broken off.
        let heard = within - said;
        let of_round = self.every.map_or(0, |every| every - said);
        let music = sample_of(
            &self.music,
            (round * of_round + heard) % length(&self.music),
        );
        let left = self.every.map_or(u64::MAX, |every| every - within);
        let before = if said == 0 { FADE_SPAN } else { heard };
        faded(music, before.min(left))
    }
}

fn length(samples: &[i16]) -> u64 {
    u64::try_from(samples.len()).unwrap_or(u64::MAX)
}

fn sample_of(samples: &[i16], place: u64) -> i16 {
    samples
        .get(sample::length(place))
        .copied()
        .unwrap_or_default()
}

/// A sample so far from the edge of what is heard.
fn faded(sample: i16, edge: u64) -> i16 {
    let weight = i32::try_from(edge.min(FADE_SPAN)).unwrap_or_default();
    let full = i32::try_from(FADE_SPAN).unwrap_or(1);
    sample::saturated(i32::from(sample) * weight / full)
}

fn own_music() -> Arc<[i16]> {
    let span = sample::length(NOTE_SPAN * length_of_round());
    let mut sum = vec![0.0_f64; span];
    for (number, hz) in (0..).zip(NOTES_HZ) {
        for within in 0..NOTE_SAMPLES {
            // What rings on after the last note rings into the first.
            let place = sample::length(number * NOTE_SPAN + within) % span;
            if let Some(slot) = sum.get_mut(place) {
                *slot += note_at(hz, within);
            }
        }
    }
    let power = sum.iter().map(|one| one * one).sum::<f64>() / sample::count_f64(span);
    // A sine of this amplitude has half its square as its power.
    let amplitude = f64::from(Law::Mu.amplitude(MUSIC_DBM0));
    let gain = amplitude / (2.0 * power).sqrt();
    let samples = sum.iter().map(|one| sample::narrow(one * gain));
    samples.map(sample::from_f32).collect()
}

fn length_of_round() -> u64 {
    u64::try_from(NOTES_HZ.len()).unwrap_or(u64::MAX)
}

/// A note that begins at 0, of any level.
fn note_at(hz: f64, within: u64) -> f64 {
    let place = sample::count_f64(sample::length(within));
    let attack = sample::count_f64(sample::length(within.min(ATTACK_SAMPLES)))
        / sample::count_f64(sample::length(ATTACK_SAMPLES));
    let left = sample::count_f64(sample::length(NOTE_SAMPLES - within));
    let release = (left / DECAY_SAMPLES).min(1.0);
    let turns = hz * place / sample::count_f64(sample::length(SECOND));
    (TAU * turns).sin() * attack * release * (-place / DECAY_SAMPLES).exp()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn flat(value: i16, samples: usize) -> Option<Arc<[i16]>> {
        Some(vec![value; samples].into())
    }

    fn dbm0(samples: &[i16]) -> f32 {
        let power = samples
            .iter()
            .map(|one| f32::from(*one).powi(2))
            .sum::<f32>();
        Law::Mu.dbm0(power / sample::count_f32(samples.len()))
    }

    #[test]
    fn an_announcement_comes_first_and_again_and_the_music_goes_on_between() {
        let music: Arc<[i16]> = (0..30_000).map(|one| one / 4).collect();
        let sound = WaitingSound::new(Some(music.clone()), flat(-9_000, 1_600), 2);
        assert_eq!((sound.at(0), sound.at(1_599)), (-9_000, -9_000));
        assert_eq!(sound.at(1_600), 0, "the music fades in");
        assert_eq!(sound.at(1_600 + 8_000), music[8_000]);
        let again = 1_600 + 16_000;
        assert_eq!((sound.at(again), sound.at(again + 1_599)), (-9_000, -9_000));
        assert_eq!(sound.at(again + 1_600 + 8_000), music[24_000]);
        let once = WaitingSound::new(Some(music.clone()), flat(-9_000, 1_600), 0);
        assert_eq!(once.at(again), music[16_000]);
        assert_eq!(once.at(1_600 + 30_000 + 700), music[700], "it begins again");
    }

    #[test]
    fn without_anything_there_is_music_from_the_first_sample_that_is_as_loud_as_a_ringing_tone() {
        let sound = WaitingSound::new(None, None, 30);
        let span = NOTE_SPAN * length_of_round();
        let heard: Vec<i16> = (0..span).map(|place| sound.at(place)).collect();
        let level = dbm0(&heard);
        assert!((level - MUSIC_DBM0).abs() < 0.1, "{level}");
        for (second, part) in heard.chunks_exact(8_000).enumerate() {
            let level = dbm0(part);
            assert!((-26.0..-15.0).contains(&level), "second {second}: {level}");
        }
        assert_eq!(sound.at(span + 77), heard[77], "it begins again");
    }

    #[test]
    fn no_note_is_near_a_key() {
        assert!(NOTES_HZ.iter().all(|hz| (150.0..640.0).contains(hz)));
    }

    #[test]
    fn empty_music_is_ours() {
        let sound = WaitingSound::new(flat(0, 0), None, 0);
        assert!((0..8_000).any(|place| sound.at(place) != 0));
    }
}
