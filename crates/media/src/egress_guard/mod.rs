//! The last look at what leaves for the agent and the recorder while a call is protected (S33).
//! Owns: a detector that shares nothing with the mask's, the silence after a find, the figures of what left.
//! Never: knows what the mask did or why, allocates, remembers which key it found, or acts on an unprotected call.

mod pair;

use crate::g711::{Law, SAMPLE_RATE_HZ};
use crate::sample;
use pair::{BLOCK, PairDetector};

/// After a find nothing leaves until this many samples were clean: 1 s (S33).
pub const CLEAN_SPAN: u64 = SAMPLE_RATE_HZ as u64;

/// A find this long after the last one is another press: 20 ms, half of the shortest pause that Q.24 asks a receiver to keep apart.
const PAUSE_SPAN: u64 = 160;

/// Squares are summed in units of 1,024, so that 600 hours at full scale fit.
const ENERGY_UNIT: f32 = 1_024.0;

/// Whether a packet may leave.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// As it is.
    Pass,
    /// Silence in its place.
    Silence,
}

/// What a guard has seen; all monotonic.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct EgressGuardCounters {
    /// Samples judged, at 8 kHz.
    pub samples_checked: u64,
    /// Energy of what left, in units of 1,024 squared 16-bit samples.
    pub energy: u64,
    /// The part of it within 20 Hz of the eight tones of a keypad; speech has some there.
    pub band_energy: u64,
    /// Presses found, those among the silence after a trip included.
    pub digits_found: u64,
    /// Times that a find, or a packet on the wrong way, has begun a silence.
    pub trips: u64,
}

impl EgressGuardCounters {
    /// Adds another guard's.
    pub fn merge(&mut self, other: &Self) {
        self.samples_checked += other.samples_checked;
        self.energy += other.energy;
        self.band_energy += other.band_energy;
        self.digits_found += other.digits_found;
        self.trips += other.trips;
    }
}

/// Judges each packet before it is sent. A key's two tones of 25 ms within the limits of ITU-T Q.24 are a find; from a find on it lets only
/// silence pass until a whole second would have been clean.
///
/// A press is found at the latest with the packet that holds its 30th millisecond, so what leaves of it is shorter than that.
#[derive(Debug)]
pub struct EgressGuard {
    detector: PairDetector,
    /// Samples that must still be clean.
    silent: u64,
    since_find: u64,
    has_tripped: bool,
    counters: EgressGuardCounters,
}

impl EgressGuard {
    /// A guard that has heard nothing.
    #[must_use]
    pub fn new() -> Self {
        Self {
            detector: PairDetector::new(),
            silent: 0,
            since_find: PAUSE_SPAN,
            has_tripped: false,
            counters: EgressGuardCounters::default(),
        }
    }

    /// Protection begins: forgets what it heard. A silence that a trip has begun goes on.
    pub fn restart(&mut self) {
        self.detector = PairDetector::new();
        self.since_find = PAUSE_SPAN;
    }

    /// Protection was left: nothing is silenced any more.
    pub fn release(&mut self) {
        self.restart();
        self.silent = 0;
    }

    /// See [`crate::relay::Relay::look`].
    pub(crate) fn look(&self) -> u64 {
        self.detector.look() ^ self.counters.samples_checked
    }

    /// Judges the payload of a packet that is about to leave, G.711 of any length. The next packet is taken to follow on it.
    pub fn judge(&mut self, law: Law, payload: &[u8]) -> Verdict {
        self.judge_decoded(payload, |octets, linear| law.decode(octets, linear))
    }

    /// The same of what was decoded already.
    pub(crate) fn judge_samples(&mut self, samples: &[i16]) -> Verdict {
        self.judge_decoded(samples, |samples, linear| {
            let len = samples.len().min(linear.len());
            linear[..len].copy_from_slice(&samples[..len]);
            len
        })
    }

    /// The same in any codec of which an octet is a sample: `decode` is handed the payload piece by piece, and says how many samples it wrote.
    pub(crate) fn judge_decoded<T>(
        &mut self,
        payload: &[T],
        decode: impl FnMut(&[T], &mut [i16]) -> usize,
    ) -> Verdict {
        self.counters.samples_checked += sample::span(payload.len());
        let Self {
            detector,
            silent,
            since_find,
            has_tripped,
            counters,
        } = self;
        let was_silent = *silent > 0;
        let (mut energy, mut bands) = (0.0, 0.0);
        detector.push(payload, decode, |window| {
            energy += window.energy;
            bands += window.bands;
            *since_find += sample::span(BLOCK);
            if !window.pair {
                *silent = silent.saturating_sub(sample::span(BLOCK));
                return;
            }
            counters.digits_found += u64::from(*since_find > PAUSE_SPAN);
            *since_find = 0;
            counters.trips += u64::from(*silent == 0);
            *has_tripped |= *silent == 0;
            *silent = CLEAN_SPAN;
        });
        if was_silent || *silent > 0 {
            return Verdict::Silence;
        }
        counters.energy += units(energy);
        counters.band_energy += units(bands);
        Verdict::Pass
    }

    /// Something was about to leave past the mask: silence, as after a find.
    pub fn trip(&mut self) {
        self.counters.trips += u64::from(self.silent == 0);
        self.has_tripped |= self.silent == 0;
        self.silent = CLEAN_SPAN;
    }

    /// True once for each trip.
    pub fn take_trip(&mut self) -> bool {
        std::mem::take(&mut self.has_tripped)
    }

    /// True from a trip until a second was clean.
    #[must_use]
    pub fn is_silencing(&self) -> bool {
        self.silent > 0
    }

    /// What it has seen.
    #[must_use]
    pub fn counters(&self) -> EgressGuardCounters {
        self.counters
    }
}

impl Default for EgressGuard {
    fn default() -> Self {
        Self::new()
    }
}

fn units(energy: f32) -> u64 {
    u64::from(sample::round_to_u32(energy / ENERGY_UNIT))
}

#[cfg(test)]
mod tests;
