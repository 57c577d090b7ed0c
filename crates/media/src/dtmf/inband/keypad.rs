//! The sixteen tone pairs of ITU-T Q.23.
//! Owns: frequencies and the way from a pair to a key.
//! Never: prints which pair it is.

pub use secret::Key;
use zeroize::Zeroize;

/// Low group, rows of the keypad, in Hz.
pub const LOW_HZ: [f64; 4] = [697.0, 770.0, 852.0, 941.0];

/// High group, columns of the keypad, in Hz.
pub const HIGH_HZ: [f64; 4] = [1_209.0, 1_336.0, 1_477.0, 1_633.0];

/// One of the eight tones in Hz, low ones first; above seven it is the last.
pub(super) fn tone_hz(tone: usize) -> f64 {
    match tone {
        0..4 => LOW_HZ[tone],
        _ => HIGH_HZ[(tone - 4).min(3)],
    }
}

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

    /// Zeroes it where it stands, for queues that give it away.
    pub fn wipe(&mut self) {
        self.row.zeroize();
        self.column.zeroize();
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

/// The key of a pair; nothing for A to D, which no telephone of a consumer has.
#[must_use]
pub fn key_of(pair: Pair) -> Option<Key> {
    let event = match (pair.row(), pair.column()) {
        (_, 3) => return None,
        (3, 0) => 10,
        (3, 1) => 0,
        (3, _) => 11,
        (row, column) => row * 3 + column + 1,
    };
    Key::from_event(u8::try_from(event).ok()?)
}

/// The pair of an event code of RFC 4733: 0-9, `*` (10), `#` (11) and A to D (12-15); nothing above.
#[must_use]
pub fn pair_of_event(code: u8) -> Option<Pair> {
    match code {
        0 => Some(Pair::new(3, 1)),
        1..=9 => Some(Pair::new((code - 1) / 3, (code - 1) % 3)),
        10 => Some(Pair::new(3, 0)),
        11 => Some(Pair::new(3, 2)),
        12..=15 => Some(Pair::new(code - 12, 3)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_event_code_of_a_key_finds_its_way_through_its_pair() {
        for code in 0..=11 {
            let pair = pair_of_event(code).unwrap();
            assert_eq!(key_of(pair), Key::from_event(code));
        }
        assert!((12..=15).all(|code| key_of(pair_of_event(code).unwrap()).is_none()));
        assert_eq!(pair_of_event(16), None);
    }
}
