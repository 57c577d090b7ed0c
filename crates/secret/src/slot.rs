//! One capture's memory: six fields of digits in the arena.

use std::fmt;

use zeroize::Zeroize;

use crate::Digit;
use crate::arena::Region;

/// Fields per capture: card number, expiry, security code, routing number, account number, and the
/// first entry of a value that is keyed twice.
pub const FIELDS_MAX: usize = 6;

/// Digits per field. The longest value is a card number of 19; the rest is room for the keys that
/// follow it before the consumer is asked again.
pub const FIELD_DIGITS_MAX: usize = 32;

/// Bytes of one slot in the arena.
pub(crate) const SLOT_BYTES: usize = FIELDS_MAX * FIELD_DIGITS_MAX;

/// Which of a slot's fields; always below [`FIELDS_MAX`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FieldIndex(usize);

impl FieldIndex {
    /// Every field, in order. `FieldIndex::ALL[n]` is a constant expression.
    pub const ALL: [Self; FIELDS_MAX] = [Self(0), Self(1), Self(2), Self(3), Self(4), Self(5)];

    /// The field of this position; `None` from [`FIELDS_MAX`] on.
    #[must_use]
    pub const fn new(position: usize) -> Option<Self> {
        if position < FIELDS_MAX {
            Some(Self(position))
        } else {
            None
        }
    }

    fn start(self) -> usize {
        self.0 * FIELD_DIGITS_MAX
    }
}

/// The field holds [`FIELD_DIGITS_MAX`] digits already; the new one was not stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the field holds {FIELD_DIGITS_MAX} digits and takes no more")]
pub struct FieldFull;

/// One capture's digits, in locked memory. Dropping it wipes them and returns the slot.
///
/// It has one owner and cannot be copied or printed:
///
/// ```compile_fail,E0599
/// let arena = secret::Arena::new(1).unwrap();
/// let slot = arena.allocate().unwrap();
/// let copy = slot.clone();
/// ```
///
/// ```compile_fail,E0277
/// let arena = secret::Arena::new(1).unwrap();
/// println!("{}", arena.allocate().unwrap());
/// ```
pub struct Slot {
    region: Region,
    lens: [usize; FIELDS_MAX],
}

impl Slot {
    pub(crate) fn new(region: Region) -> Self {
        Self {
            region,
            lens: [0; FIELDS_MAX],
        }
    }

    /// Appends a digit and says how many the field holds now.
    ///
    /// # Errors
    /// The field is full; nothing was stored.
    pub fn push(&mut self, field: FieldIndex, digit: Digit) -> Result<usize, FieldFull> {
        let len = self.lens[field.0];
        if len == FIELD_DIGITS_MAX {
            return Err(FieldFull);
        }
        self.region.bytes_mut()[field.start() + len] = digit.ascii();
        self.lens[field.0] = len + 1;
        Ok(len + 1)
    }

    /// How many digits the field holds.
    #[must_use]
    pub fn len(&self, field: FieldIndex) -> usize {
        self.lens[field.0]
    }

    /// Whether the field holds none.
    #[must_use]
    pub fn is_empty(&self, field: FieldIndex) -> bool {
        self.len(field) == 0
    }

    /// The field's digits, borrowed.
    #[must_use]
    pub fn digits(&self, field: FieldIndex) -> Digits<'_> {
        let start = field.start();
        Digits(&self.region.bytes()[start..start + self.lens[field.0]])
    }

    /// Moves the digits of one field into another, over what was there; the first is zeroed and empty.
    pub fn shift(&mut self, from: FieldIndex, to: FieldIndex) {
        if from == to {
            return;
        }
        let start = from.start();
        self.region
            .bytes_mut()
            .copy_within(start..start + FIELD_DIGITS_MAX, to.start());
        self.lens[to.0] = self.lens[from.0];
        self.wipe(from);
    }

    /// Zeroes one field and makes it empty.
    pub fn wipe(&mut self, field: FieldIndex) {
        let start = field.start();
        self.region.bytes_mut()[start..start + FIELD_DIGITS_MAX].zeroize();
        self.lens[field.0] = 0;
    }

    /// Zeroes every field and makes it empty.
    pub fn wipe_all(&mut self) {
        self.region.bytes_mut().zeroize();
        self.lens = [0; FIELDS_MAX];
    }
}

/// Says that a slot is there, and neither what nor how much it holds.
impl fmt::Debug for Slot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[slot]")
    }
}

/// A borrowed view of one field's digits.
///
/// It lives no longer than its slot and is neither copied nor printed:
///
/// ```compile_fail,E0505
/// let arena = secret::Arena::new(1).unwrap();
/// let slot = arena.allocate().unwrap();
/// let digits = slot.digits(secret::FieldIndex::ALL[0]);
/// drop(slot);
/// digits.len();
/// ```
///
/// ```compile_fail,E0277
/// fn printed<T: std::fmt::Display>() {}
/// printed::<secret::Digits<'static>>();
/// ```
///
/// ```compile_fail,E0277
/// fn copied<T: Clone>() {}
/// copied::<secret::Digits<'static>>();
/// ```
#[derive(PartialEq, Eq)]
pub struct Digits<'a>(&'a [u8]);

impl<'a> Digits<'a> {
    /// How many digits.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Some of the digits, such as the month of an expiry; `None` if there are not so many.
    #[must_use]
    pub fn part(&self, range: std::ops::Range<usize>) -> Option<Self> {
        self.0.get(range).map(Self)
    }

    /// The digits from the first that is not 0, but the last at least: a number as people write it.
    #[must_use]
    pub fn without_leading_zeros(&self) -> Self {
        let zeros = self.0.iter().take_while(|digit| **digit == b'0').count();
        let from = zeros.min(self.0.len().saturating_sub(1));
        Self(&self.0[from..])
    }

    /// The digits as ASCII characters, each `b'0'..=b'9'`. Each caller outside this crate is on
    /// the reviewed list.
    #[must_use]
    pub fn expose(&self) -> &'a [u8] {
        self.0
    }
}

impl fmt::Debug for Digits<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[digits]")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Arena;
    use proptest::prelude::*;

    const FIELD: FieldIndex = FieldIndex::ALL[2];

    fn digit(value: u8) -> Digit {
        Digit::from_value(value).unwrap()
    }

    #[test]
    fn a_full_field_takes_no_more_and_keeps_what_it_has() {
        let mut slot = Arena::new(1).unwrap().allocate().unwrap();
        for count in 1..=FIELD_DIGITS_MAX {
            assert_eq!(slot.push(FIELD, digit(1)), Ok(count));
        }
        assert_eq!(slot.push(FIELD, digit(2)), Err(FieldFull));
        assert_eq!(slot.digits(FIELD).expose(), [b'1'; FIELD_DIGITS_MAX]);
    }

    #[test]
    fn field_positions_end_at_the_last_field() {
        assert_eq!(
            FieldIndex::new(FIELDS_MAX - 1),
            Some(FieldIndex::ALL[FIELDS_MAX - 1])
        );
        assert_eq!(FieldIndex::new(FIELDS_MAX), None);
    }

    #[test]
    fn debug_tells_neither_digits_nor_their_number() {
        let mut slot = Arena::new(1).unwrap().allocate().unwrap();
        let empty = format!("{slot:?} {:?}", slot.digits(FIELD));
        for value in 0..9 {
            slot.push(FIELD, digit(value)).unwrap();
        }
        assert_eq!(format!("{slot:?} {:?}", slot.digits(FIELD)), empty);
        assert!(!empty.contains(|c: char| c.is_ascii_digit()));
    }

    /// What a test does to a slot.
    #[derive(Debug, Clone)]
    enum Step {
        Push(usize, u8),
        Wipe(usize),
        WipeAll,
    }

    fn step() -> impl Strategy<Value = Step> {
        prop_oneof![
            30 => (0..FIELDS_MAX, 0u8..10).prop_map(|(field, value)| Step::Push(field, value)),
            2 => (0..FIELDS_MAX).prop_map(Step::Wipe),
            1 => Just(Step::WipeAll),
        ]
    }

    proptest! {
        #[test]
        fn a_slot_behaves_like_five_bounded_lists(steps in prop::collection::vec(step(), 0..300)) {
            let mut slot = Arena::new(1).unwrap().allocate().unwrap();
            let mut model: [Vec<u8>; FIELDS_MAX] = Default::default();
            for step in steps {
                match step {
                    Step::Push(field, value) => {
                        let pushed = slot.push(FieldIndex::ALL[field], digit(value));
                        let fits = model[field].len() < FIELD_DIGITS_MAX;
                        prop_assert_eq!(pushed.is_ok(), fits);
                        if fits {
                            model[field].push(b'0' + value);
                        }
                    }
                    Step::Wipe(field) => {
                        slot.wipe(FieldIndex::ALL[field]);
                        model[field].clear();
                    }
                    Step::WipeAll => {
                        slot.wipe_all();
                        model = Default::default();
                    }
                }
                for (field, expected) in FieldIndex::ALL.into_iter().zip(&model) {
                    prop_assert_eq!(slot.digits(field).expose(), expected.as_slice());
                    prop_assert_eq!(slot.len(field), expected.len());
                    prop_assert_eq!(slot.is_empty(field), expected.is_empty());
                }
            }
        }
    }

    #[test]
    fn a_shifted_field_is_empty_and_its_digits_are_in_the_other() {
        let mut slot = Arena::new(1).unwrap().allocate().unwrap();
        let to = FieldIndex::ALL[5];
        for value in [9, 9, 9] {
            slot.push(to, digit(value)).unwrap();
        }
        for value in [1, 2] {
            slot.push(FIELD, digit(value)).unwrap();
        }
        slot.shift(FIELD, to);
        assert!(slot.is_empty(FIELD));
        assert_eq!(slot.digits(to).expose(), b"12");
        slot.shift(to, to);
        assert_eq!(slot.len(to), 2);
    }
}
