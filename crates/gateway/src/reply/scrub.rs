//! Making a gateway's message fit to be seen.
//! Owns: the removal of captured values, of card-like runs, and of what is not plain text.
//! Never: keeps a digit longer than one call.

use domain::capture::Field;
use domain::text::plain_line;
use secret::{Digits, Slot};
use zeroize::Zeroizing;

/// Longest message that an agent gets.
pub(crate) const MESSAGE_CHARS_MAX: usize = 200;

/// Longest text looked at; the rest of a longer one cannot become visible.
const RAW_CHARS_MAX: usize = 4_096;

/// Other characters between two digits that do not end a run: a blank, a dash, or both.
const SEPARATORS_MAX: usize = 3;

/// Shortest part of a captured number that is removed wherever it stands: below this, ordinary
/// numbers such as amounts would vanish, too.
const PART_DIGITS_MIN: usize = 6;

/// Shortest end of a captured number that is removed where it stands alone ("ending in ...").
const END_DIGITS_MIN: usize = 4;

/// Lengths of card numbers.
const CARD_DIGITS: std::ops::RangeInclusive<usize> = 13..=19;

/// Stands for digits that were removed.
const REMOVED: char = '\u{2022}';

/// The captured values of one charge, borrowed for a comparison.
pub(crate) struct Captured<'a>(Vec<Digits<'a>>);

impl<'a> Captured<'a> {
    /// All fields of a slot that hold digits.
    pub(crate) fn new(slot: &'a Slot) -> Self {
        let fields = Field::ALL.map(|field| slot.digits(field.slot_index()));
        Self(
            fields
                .into_iter()
                .filter(|value| !value.is_empty())
                .collect(),
        )
    }
}

/// The message as an agent may see it and the ledger may keep it.
pub(crate) fn scrubbed(message: &str, captured: &Captured<'_>) -> String {
    let plain = Zeroizing::new(plain_line(message, RAW_CHARS_MAX));
    let chars: Zeroizing<Vec<char>> = Zeroizing::new(plain.chars().collect());
    let mut hidden = vec![false; chars.len()];
    for run in runs(&chars) {
        for value in &captured.0 {
            hide_captured(&run, value, &mut hidden);
        }
        hide_card_like(&run, &mut hidden);
    }
    let shown = chars.iter().zip(&hidden);
    shown
        .map(|(&c, &hide)| if hide { REMOVED } else { c })
        .take(MESSAGE_CHARS_MAX)
        .collect()
}

/// A digit of a message and where it stands.
struct Place {
    digit: u8,
    at: usize,
}

/// Digits that belong together, as ASCII. Wiped when the message is done.
struct Run(Vec<Place>);

impl Drop for Run {
    fn drop(&mut self) {
        for place in &mut self.0 {
            zeroize::Zeroize::zeroize(&mut place.digit);
        }
    }
}

impl Run {
    fn is_equal(&self, start: usize, digits: &[u8]) -> bool {
        self.0
            .get(start..start + digits.len())
            .is_some_and(|part| part.iter().map(|place| &place.digit).eq(digits))
    }

    /// No other digit touches these.
    fn stands_alone(&self, start: usize, len: usize) -> bool {
        let touches = |left: usize, right: usize| match (self.0.get(left), self.0.get(right)) {
            (Some(left), Some(right)) => left.at + 1 == right.at,
            _ => false,
        };
        let before = start
            .checked_sub(1)
            .is_some_and(|left| touches(left, start));
        !before && !touches(start + len - 1, start + len)
    }

    fn hide(&self, start: usize, len: usize, hidden: &mut [bool]) {
        for place in self.0.iter().skip(start).take(len) {
            if let Some(hide) = hidden.get_mut(place.at) {
                *hide = true;
            }
        }
    }
}

fn runs(chars: &[char]) -> Vec<Run> {
    let mut runs: Vec<Run> = Vec::new();
    for (at, &c) in chars.iter().enumerate() {
        let Some(digit) = ascii_digit(c) else {
            continue;
        };
        let place = Place { digit, at };
        match runs.last_mut() {
            Some(run) if joins(run, chars, at) => run.0.push(place),
            _ => runs.push(Run(vec![place])),
        }
    }
    runs
}

fn joins(run: &Run, chars: &[char], at: usize) -> bool {
    let Some(last) = run.0.last() else {
        return true;
    };
    let between = chars.get(last.at + 1..at).unwrap_or(&[]);
    between.len() <= SEPARATORS_MAX && !between.iter().any(|c| c.is_alphabetic())
}

/// The ASCII digit that a character shows: full-width and Arabic forms, too.
fn ascii_digit(c: char) -> Option<u8> {
    let zero = match c {
        '0'..='9' => '0',
        '\u{660}'..='\u{669}' => '\u{660}',
        '\u{6F0}'..='\u{6F9}' => '\u{6F0}',
        '\u{966}'..='\u{96F}' => '\u{966}',
        '\u{FF10}'..='\u{FF19}' => '\u{FF10}',
        _ => return None,
    };
    u8::try_from(u32::from(c) - u32::from(zero))
        .ok()
        .map(|value| b'0' + value)
}

/// Removes a captured value; of a long one also its larger parts and its end.
fn hide_captured(run: &Run, value: &Digits<'_>, hidden: &mut [bool]) {
    let value = value.expose();
    if value.len() < PART_DIGITS_MIN {
        for start in 0..run.0.len() {
            if run.is_equal(start, value) && run.stands_alone(start, value.len()) {
                run.hide(start, value.len(), hidden);
            }
        }
        return;
    }
    for start in 0..run.0.len() {
        for part in value.windows(PART_DIGITS_MIN) {
            if run.is_equal(start, part) {
                run.hide(start, PART_DIGITS_MIN, hidden);
            }
            for written in [as_hexadecimal(part), as_decimal(part)] {
                if run.is_equal(start, &*written) {
                    run.hide(start, written.len(), hidden);
                }
            }
        }
        for len in END_DIGITS_MIN..PART_DIGITS_MIN {
            let end = value.get(value.len() - len..).unwrap_or(value);
            if run.is_equal(start, end) && run.stands_alone(start, len) {
                run.hide(start, len, hidden);
            }
        }
    }
}

/// The digits as character codes in hexadecimal: 4 is 34. Percent-encoding reads so, too.
fn as_hexadecimal(part: &[u8]) -> Zeroizing<[u8; PART_DIGITS_MIN * 2]> {
    coded(part, |digit| (b'3', digit))
}

/// The digits as character codes in decimal, as in HTML: 4 is 52.
fn as_decimal(part: &[u8]) -> Zeroizing<[u8; PART_DIGITS_MIN * 2]> {
    coded(part, |digit| match digit {
        b'0' | b'1' => (b'4', digit + 8),
        _ => (b'5', digit - 2),
    })
}

fn coded(part: &[u8], code: fn(u8) -> (u8, u8)) -> Zeroizing<[u8; PART_DIGITS_MIN * 2]> {
    let mut written = Zeroizing::new([0; PART_DIGITS_MIN * 2]);
    for (pair, digit) in written.chunks_exact_mut(2).zip(part) {
        let (first, second) = code(*digit);
        pair.copy_from_slice(&[first, second]);
    }
    written
}

fn hide_card_like(run: &Run, hidden: &mut [bool]) {
    for start in 0..run.0.len() {
        for len in CARD_DIGITS {
            let Some(part) = run.0.get(start..start + len) else {
                break;
            };
            if is_luhn(part.iter().map(|place| place.digit)) {
                run.hide(start, len, hidden);
            }
        }
    }
}

fn is_luhn(digits: impl DoubleEndedIterator<Item = u8>) -> bool {
    let sum: u32 = digits
        .rev()
        .enumerate()
        .map(|(place, digit)| {
            let value = u32::from(digit - b'0') * if place % 2 == 0 { 1 } else { 2 };
            value / 10 + value % 10
        })
        .sum();
    sum.is_multiple_of(10)
}
