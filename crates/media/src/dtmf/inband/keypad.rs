//! The sixteen tone pairs of ITU-T Q.23.
//! Owns: frequencies and the way from a pair to a key.
//! Never: prints which pair it is.

/// Low group, rows of the keypad, in Hz.
pub const LOW_HZ: [f64; 4] = [697.0, 770.0, 852.0, 941.0];

/// High group, columns of the keypad, in Hz.
pub const HIGH_HZ: [f64; 4] = [1_209.0, 1_336.0, 1_477.0, 1_633.0];

/// One of the sixteen pairs: row and column, each 0-3. It names a key, so it does not print itself.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Pair {
    row: u8,
    column: u8,
}

impl std::fmt::Debug for Pair {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("[key pair]")
    }
}

impl Pair {
    /// The pair of a row and a column; both wrap at four.
    #[must_use]
    pub fn new(row: u8, column: u8) -> Self {
        Self {
            row: row % 4,
            column: column % 4,
        }
    }

    /// The row, 0-3, counted from 697 Hz.
    #[must_use]
    pub fn row(self) -> usize {
        usize::from(self.row)
    }

    /// The column, 0-3, counted from 1,209 Hz.
    #[must_use]
    pub fn column(self) -> usize {
        usize::from(self.column)
    }
}
