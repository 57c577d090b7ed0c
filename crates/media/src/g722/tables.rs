//! The tables of ITU-T G.722.
//! Owns: quantiser levels, what a code stands for, how a code changes the step.
//! Never: changes.

/// How the step of a half of the band moves.
#[derive(Debug)]
pub(super) struct Steps {
    /// The step at the beginning.
    pub(super) first: i32,
    /// Largest logarithm of a step.
    pub(super) log_max: i32,
    /// A step is 2 to the power of its logarithm, shifted down by this.
    pub(super) shift: i32,
}

pub(super) const LOW: Steps = Steps {
    first: 32,
    log_max: 18_432,
    shift: 8,
};

pub(super) const HIGH: Steps = Steps {
    first: 8,
    log_max: 22_528,
    shift: 10,
};

/// 2,048 times 2 to the power of n/32.
pub(super) const POWERS: [i32; 32] = [
    2048, 2093, 2139, 2186, 2233, 2282, 2332, 2383, 2435, 2489, 2543, 2599, 2656, 2714, 2774, 2834,
    2896, 2960, 3025, 3091, 3158, 3228, 3298, 3371, 3444, 3520, 3597, 3676, 3756, 3838, 3922, 4008,
];

/// Lower ends of the levels of the lower half, the first excepted, for a step of 4,096.
pub(super) const LOW_LEVELS: [i32; 29] = [
    35, 72, 110, 150, 190, 233, 276, 323, 370, 422, 473, 530, 587, 650, 714, 786, 858, 940, 1023,
    1121, 1219, 1339, 1458, 1612, 1765, 1980, 2195, 2557, 2919,
];

/// The same for the upper half.
pub(super) const HIGH_LEVELS: [i32; 1] = [564];

/// What the six bits of the lower half stand for, for a step of 32,768.
pub(super) const LOW_6_BITS: [i32; 64] = [
    -136, -136, -136, -136, -24808, -21904, -19008, -16704, -14984, -13512, -12280, -11192, -10232,
    -9360, -8576, -7856, -7192, -6576, -6000, -5456, -4944, -4464, -4008, -3576, -3168, -2776,
    -2400, -2032, -1688, -1360, -1040, -728, 24808, 21904, 19008, 16704, 14984, 13512, 12280,
    11192, 10232, 9360, 8576, 7856, 7192, 6576, 6000, 5456, 4944, 4464, 4008, 3576, 3168, 2776,
    2400, 2032, 1688, 1360, 1040, 728, 432, 136, -432, -136,
];

/// What the upper four of them stand for.
pub(super) const LOW_4_BITS: [i32; 16] = [
    0, -20456, -12896, -8968, -6288, -4240, -2584, -1200, 20456, 12896, 8968, 6288, 4240, 2584,
    1200, 0,
];

/// How these four move the logarithm of the step.
pub(super) const LOW_STEPS: [i32; 16] = [
    -60, 3042, 1198, 538, 334, 172, 58, -30, 3042, 1198, 538, 334, 172, 58, -30, -60,
];

/// What the two bits of the upper half stand for.
pub(super) const HIGH_2_BITS: [i32; 4] = [-7408, -1616, 7408, 1616];

/// How they move the logarithm of the step.
pub(super) const HIGH_STEPS: [i32; 4] = [798, -214, 798, -214];

/// The code of a level of the lower half, 0-29.
pub(super) fn low_code(is_negative: bool, level: usize) -> usize {
    match (is_negative, level) {
        // The two smallest negative levels stand at the end: a code of zeros is not sent.
        (true, 0) => 63,
        (true, 1) => 62,
        (true, level) => 33 - level,
        (false, level) => 61 - level,
    }
}

/// The code of a level of the upper half, 0-1.
pub(super) fn high_code(is_negative: bool, level: usize) -> usize {
    match (is_negative, level) {
        (true, 0) => 1,
        (true, _) => 0,
        (false, 0) => 3,
        (false, _) => 2,
    }
}
