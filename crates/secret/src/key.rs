//! One key of the telephone keypad, as a value that does not print itself.

use std::fmt;

use zeroize::Zeroize;

/// One decimal digit, 0 to 9, keyed by a consumer.
///
/// It is small enough to be copied through the media path, and it has no way to become text by
/// itself: no `Display`, no conversion, and a `Debug` that says only that a digit was there.
///
/// ```compile_fail,E0277
/// let digit = secret::Digit::from_value(4).unwrap();
/// println!("{digit}");
/// ```
///
/// ```compile_fail,E0614
/// let digit = secret::Digit::from_value(4).unwrap();
/// let value = *digit;
/// ```
///
/// ```compile_fail,E0605
/// let digit = secret::Digit::from_value(4).unwrap();
/// let value = digit as u8;
/// ```
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Digit(u8);

impl Digit {
    /// The digit written as the ASCII character `byte`; `None` outside `b'0'..=b'9'`.
    #[must_use]
    pub fn from_ascii(byte: u8) -> Option<Self> {
        byte.is_ascii_digit().then(|| Self(byte - b'0'))
    }

    /// The digit of this value; `None` above 9.
    #[must_use]
    pub fn from_value(value: u8) -> Option<Self> {
        (value <= 9).then_some(Self(value))
    }

    /// The value, 0 to 9. Each caller outside this crate is on the reviewed list.
    #[must_use]
    pub fn expose(self) -> u8 {
        self.0
    }

    /// The digit as an ASCII character, for storage inside this crate.
    pub(crate) fn ascii(self) -> u8 {
        b'0' + self.0
    }
}

impl fmt::Debug for Digit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[digit]")
    }
}

/// One key of a twelve-key telephone keypad.
///
/// The fourth column (A to D) is not on a consumer's telephone and has no meaning in a capture.
///
/// ```compile_fail,E0277
/// println!("{}", secret::Key::Star);
/// ```
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Key {
    /// A digit, 0 to 9.
    Digit(Digit),
    /// The `*` key.
    Star,
    /// The `#` key.
    Pound,
}

impl Key {
    /// The key of an event code of RFC 4733: 0 to 9 are the digits, 10 is `*`, 11 is `#`. Codes
    /// from 12 on (A to D, flash, tones) are no keys here: `None`.
    #[must_use]
    pub fn from_event(code: u8) -> Option<Self> {
        match code {
            0..=9 => Digit::from_value(code).map(Self::Digit),
            10 => Some(Self::Star),
            11 => Some(Self::Pound),
            _ => None,
        }
    }

    /// Zeroes the digit where it stands; the key is a `*` afterwards. Queues call it on what was taken out of them: writing another key over
    /// a digit leaves the digit's byte in memory, for `*` and `#` have none, and the compiler may leave such a write out altogether.
    pub fn wipe(&mut self) {
        if let Self::Digit(digit) = self {
            digit.0.zeroize();
        }
        *self = Self::Star;
    }

    /// Takes the key out and wipes the place where it stood.
    #[must_use]
    pub fn take(&mut self) -> Self {
        let key = *self;
        self.wipe();
        key
    }

    /// The event code of this key, for the ring's cells.
    pub(crate) fn event(self) -> u8 {
        match self {
            Self::Digit(digit) => digit.expose(),
            Self::Star => 10,
            Self::Pound => 11,
        }
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Digit(_) => "[key]",
            Self::Star => "Star",
            Self::Pound => "Pound",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_ten_ascii_bytes_are_digits() {
        let digits = (0..=u8::MAX).filter_map(Digit::from_ascii).count();
        assert_eq!(digits, 10);
        for value in 0..=9 {
            let digit = Digit::from_ascii(b'0' + value).unwrap();
            assert_eq!(digit.expose(), value);
            assert_eq!(Some(digit), Digit::from_value(value));
        }
        assert_eq!(Digit::from_value(10), None);
    }

    #[test]
    fn twelve_event_codes_are_keys_and_each_keeps_its_code() {
        let keys: Vec<Key> = (0..=u8::MAX).filter_map(Key::from_event).collect();
        assert_eq!(keys.len(), 12);
        for (code, key) in (0u8..).zip(keys) {
            assert_eq!(key.event(), code);
        }
    }

    #[test]
    fn a_wiped_key_is_no_digit_and_a_taken_one_is_whole() {
        for code in 0..12 {
            let mut key = Key::from_event(code).unwrap();
            let taken = key.take();
            assert!(taken.event() == code && key == Key::Star);
        }
    }

    #[test]
    fn debug_is_the_same_for_every_digit() {
        for value in 0..=9 {
            let digit = Digit::from_value(value).unwrap();
            assert_eq!(format!("{digit:?} {digit:#?}"), "[digit] [digit]");
            assert_eq!(format!("{:?}", Key::Digit(digit)), "[key]");
        }
    }
}
