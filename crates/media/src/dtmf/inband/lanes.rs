//! Four floats side by side, which is one register on every processor in use.
//! Owns: arithmetic of all four at once.
//! Never: reaches for instructions of one processor; the shape is enough for the compiler.

use std::ops::{Add, AddAssign, Mul, Sub};

/// Four floats.
#[derive(Debug, Clone, Copy)]
#[repr(align(16))]
pub(super) struct Lanes(pub(super) [f32; 4]);

impl Lanes {
    pub(super) const fn all(value: f32) -> Self {
        Self([value; 4])
    }

    fn with(self, other: Self, operation: impl Fn(f32, f32) -> f32) -> Self {
        let ([a, b, c, d], [e, f, g, h]) = (self.0, other.0);
        Self([
            operation(a, e),
            operation(b, f),
            operation(c, g),
            operation(d, h),
        ])
    }

    /// The larger ones of two times four numbers that are no NaN.
    pub(super) fn larger(self, other: Self) -> Self {
        self.with(other, larger)
    }

    /// The largest of the four. Never inlined: lanes that are to be compared with each other would be computed in halves.
    #[inline(never)]
    pub(super) fn largest(&self) -> f32 {
        let [a, b, c, d] = self.0;
        larger(larger(a, c), larger(b, d))
    }

    /// All four together.
    pub(super) fn sum(self) -> f32 {
        let [a, b, c, d] = self.0;
        (a + c) + (b + d)
    }

    /// Two complex numbers, real part first, each times its other.
    pub(super) fn times(self, other: Self) -> Self {
        let ([a, b, c, d], [e, f, g, h]) = (self.0, other.0);
        Self([a * e - b * f, a * f + b * e, c * g - d * h, c * h + d * g])
    }

    /// Two complex numbers, real part first, mirrored.
    pub(super) fn conjugate(self) -> Self {
        let [a, b, c, d] = self.0;
        Self([a, -b, c, -d])
    }
}

/// Of two numbers that are no NaN: one instruction, which `f32::max` is not.
pub(super) fn larger(one: f32, other: f32) -> f32 {
    if one > other { one } else { other }
}

/// The sum of eight waves' samples, each times its value.
#[inline]
pub(super) fn gather(waves: &[Lanes; 8], values: &[f32; 8]) -> Lanes {
    let product = |at: usize| waves[at] * Lanes::all(values[at]);
    let one = (product(0) + product(1)) + (product(2) + product(3));
    let two = (product(4) + product(5)) + (product(6) + product(7));
    one + two
}

impl Add for Lanes {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        self.with(other, |one, other| one + other)
    }
}

impl AddAssign for Lanes {
    fn add_assign(&mut self, other: Self) {
        *self = *self + other;
    }
}

impl Sub for Lanes {
    type Output = Self;

    fn sub(self, other: Self) -> Self {
        self.with(other, |one, other| one - other)
    }
}

impl Mul for Lanes {
    type Output = Self;

    fn mul(self, other: Self) -> Self {
        self.with(other, |one, other| one * other)
    }
}

/// Cosines and sines of four angles.
#[derive(Debug, Clone, Copy)]
pub(super) struct Turns {
    pub(super) cos: Lanes,
    pub(super) sin: Lanes,
}

impl Turns {
    /// No turn at all.
    pub(super) const NONE: Self = Self {
        cos: Lanes::all(1.0),
        sin: Lanes::all(0.0),
    };

    /// By four angles in radians.
    pub(super) fn by(angles: [f32; 4]) -> Self {
        Self {
            cos: Lanes(angles.map(f32::cos)),
            sin: Lanes(angles.map(f32::sin)),
        }
    }

    /// Both turns, one after the other.
    pub(super) fn then(self, next: Self) -> Self {
        Self {
            cos: self.cos * next.cos - self.sin * next.sin,
            sin: self.sin * next.cos + self.cos * next.sin,
        }
    }
}
