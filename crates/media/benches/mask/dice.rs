//! Seeded chance, the same on every machine.

/// A small generator (SplitMix64).
#[derive(Clone)]
pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed ^ 0x5bf0_3635_dcf6_0d4c)
    }

    /// Another generator that owes nothing to what this one goes on to throw.
    pub(crate) fn fork(&mut self) -> Self {
        Self::new(self.next_u64())
    }

    pub(crate) fn next_u64(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// 0 to 1, 1 excluded.
    pub(crate) fn share(&mut self) -> f64 {
        (self.next_u64() >> 11) as f64 / (1_u64 << 53) as f64
    }

    pub(crate) fn between(&mut self, range: (f64, f64)) -> f64 {
        range.0 + (range.1 - range.0) * self.share()
    }

    /// 0 to `limit`, `limit` excluded.
    pub(crate) fn below(&mut self, limit: usize) -> usize {
        (self.next_u64() % limit.max(1) as u64) as usize
    }

    pub(crate) fn chance(&mut self, share: f64) -> bool {
        share > 0.0 && self.share() < share
    }

    pub(crate) fn sign(&mut self) -> f64 {
        if self.chance(0.5) { 1.0 } else { -1.0 }
    }

    /// Mean 0, deviation 1; a sum of four, near enough to normal for noise.
    pub(crate) fn normal(&mut self) -> f64 {
        let sum: f64 = (0..4).map(|_| self.share() - 0.5).sum();
        sum * 3.0_f64.sqrt()
    }
}
