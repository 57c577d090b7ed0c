//! Levels of the two laws.
//! Owns: what dBm0 is in linear units.
//! Never: measures; callers bring the mean square.

use crate::Law;

impl Law {
    /// Level of a sine whose peaks just reach the largest code, in dBm0: +3.17 (mu) or +3.14 (A), the theoretical load
    /// capacity of ITU-T G.711.
    #[must_use]
    #[expect(
        clippy::approx_constant,
        reason = "3.14 dBm0 is the standard's figure, not pi"
    )]
    pub fn full_scale_dbm0(self) -> f32 {
        match self {
            Self::Mu => 3.17,
            Self::A => 3.14,
        }
    }

    /// Peak amplitude of a sine of `dbm0`, in 16-bit linear units.
    #[must_use]
    pub fn amplitude(self, dbm0: f32) -> f32 {
        self.full_scale() * 10.0_f32.powf((dbm0 - self.full_scale_dbm0()) / 20.0)
    }

    /// Level in dBm0 of a signal of this mean square, in 16-bit linear units. Silence is −infinity.
    #[must_use]
    pub fn dbm0(self, mean_square: f32) -> f32 {
        let full_scale_power = self.full_scale() * self.full_scale() / 2.0;
        self.full_scale_dbm0() + 10.0 * (mean_square / full_scale_power).log10()
    }

    fn full_scale(self) -> f32 {
        match self {
            Self::Mu => 32_124.0,
            Self::A => 32_256.0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_scale_sine_has_the_level_of_the_standard() {
        for law in [Law::Mu, Law::A] {
            let peak = law.amplitude(law.full_scale_dbm0());
            assert!((law.dbm0(peak * peak / 2.0) - law.full_scale_dbm0()).abs() < 1e-3);
            let tenth = law.amplitude(-16.0);
            assert!((law.dbm0(tenth * tenth / 2.0) + 16.0).abs() < 1e-3);
        }
    }

    #[test]
    fn full_scale_is_the_largest_code() {
        for law in [Law::Mu, Law::A] {
            let loudest = (u8::MIN..=u8::MAX).map(|byte| law.decode_byte(byte)).max();
            assert_eq!(loudest.map(f32::from), Some(law.full_scale()));
        }
    }
}
