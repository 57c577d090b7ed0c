//! Making a gateway's message fit to be seen.
//! Owns: the removal of captured values, of card-like runs, and of what is not plain text.
//! Never: keeps a digit longer than one call.

use domain::capture::Field;
use domain::capture::brand::begins_as_a_card;
use domain::text::{digit_of, plain_line};
use secret::Slot;
use zeroize::Zeroizing;

/// Longest message that an agent gets.
pub(crate) const MESSAGE_CHARS_MAX: usize = 200;

/// Longest beginning of an answer that an administrator gets: what fits a screen.
const EXCERPT_CHARS_MAX: usize = 2_000;

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

/// Longest piece of digits in which a short value is removed also from the middle: numbers that long are hidden rather than read. In longer ones,
/// such as a gateway's own reference, three digits that equal a code are chance.
const TOUCHED_DIGITS_MAX: usize = 12;

/// Pieces of a value as it may be written.
const PIECES: usize = 4;

/// One way to write a short value: pieces that follow each other.
struct Form<'a> {
    pieces: [&'a [u8]; PIECES],
    /// Something stands between the first piece and the second: of a month without its zero little is left to know it by.
    is_split: bool,
}

impl<'a> Form<'a> {
    fn new(pieces: &[&'a [u8]]) -> Self {
        let mut all: [&[u8]; PIECES] = [&[]; PIECES];
        for (place, piece) in all.iter_mut().zip(pieces) {
            *place = piece;
        }
        Self {
            pieces: all,
            is_split: false,
        }
    }

    fn split(self) -> Self {
        Self {
            is_split: true,
            ..self
        }
    }

    fn digits(&self) -> impl Iterator<Item = &u8> {
        self.pieces.iter().flat_map(|piece| piece.iter())
    }

    fn len(&self) -> usize {
        self.digits().count()
    }
}

/// The captured values of one charge, borrowed for a comparison.
pub(crate) struct Captured<'a>(Vec<(Field, &'a [u8])>);

impl<'a> Captured<'a> {
    /// All fields of a slot that hold digits.
    pub(crate) fn new(slot: &'a Slot) -> Self {
        let fields = Field::ALL.map(|field| (field, slot.digits(field.slot_index()).expose()));
        Self(
            fields
                .into_iter()
                .filter(|(_, value)| !value.is_empty())
                .collect(),
        )
    }

    /// Nothing was captured: only card-like runs are removed.
    pub(crate) fn none() -> Self {
        Self(Vec::new())
    }

    /// Numbers so long that their parts are removed, too.
    fn long(&self) -> impl Iterator<Item = &[u8]> {
        let is_long = |(field, value): &&(Field, &'a [u8])| {
            *field != Field::Expiry && value.len() >= PART_DIGITS_MIN
        };
        self.0.iter().filter(is_long).map(|(_, value)| *value)
    }

    /// Whether a captured number stands in a text as a whole, blanks and dashes between its digits or not.
    pub(crate) fn stands_in(&self, text: &str) -> bool {
        let chars: Zeroizing<Vec<char>> = Zeroizing::new(text.chars().collect());
        let mut numbers = self.long();
        let runs = runs(&chars);
        numbers.any(|number| {
            let mut runs = runs.iter();
            runs.any(|run| (0..run.0.len()).any(|start| run.is_equal(start, number)))
        })
    }

    /// Short values as a gateway may write them: the date in either order, with either year, and the code, alone or beside it.
    fn forms(&self) -> Vec<Form<'_>> {
        let of = |wanted: Field| {
            let found = self.0.iter().find(|(field, _)| *field == wanted);
            found.map_or(&[][..], |(_, value)| value)
        };
        let (date, code) = (of(Field::Expiry), of(Field::SecurityCode));
        let mut forms: Vec<Form<'_>> = [code, of(Field::RoutingNumber), of(Field::AccountNumber)]
            .into_iter()
            .filter(|value| (1..PART_DIGITS_MIN).contains(&value.len()))
            .map(|value| Form::new(&[value]))
            .collect();
        if let Some((month, year)) = month_and_year(date) {
            push_dates(&mut forms, month, year, code);
        } else if !date.is_empty() {
            forms.push(Form::new(&[date]));
        }
        forms
    }
}

/// A keyed date is MMYY or MMYYYY.
fn month_and_year(date: &[u8]) -> Option<(&[u8], &[u8])> {
    let year = date.get(2..)?;
    let short = year.get(year.len().checked_sub(2)?..)?;
    Some((date.get(..2)?, short))
}

fn push_dates<'a>(forms: &mut Vec<Form<'a>>, month: &'a [u8], year: &'a [u8], code: &'a [u8]) {
    for date in [
        [month, &[], year],
        [month, b"20", year],
        [year, &[], month],
        [b"20", year, month],
    ] {
        forms.push(Form::new(&date));
        if !code.is_empty() {
            forms.push(Form::new(&[code, date[0], date[1], date[2]]));
            forms.push(Form::new(&[date[0], date[1], date[2], code]));
        }
    }
    if let Some(short) = month.strip_prefix(b"0") {
        forms.push(Form::new(&[short, year]).split());
        forms.push(Form::new(&[short, b"20", year]).split());
        forms.push(Form::new(&[year, short]).split());
        forms.push(Form::new(&[b"20", year, short]));
    }
}

/// What kind of text digits stand in.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// Words for people, or a whole body: what looks like a captured value is removed even where other digits touch it.
    Prose,
    /// One value of a gateway's, such as its reference, which is of no use with a hole in it: three digits in its middle that equal a code are chance, and so are
    /// 13 of its 22 that pass the check of card numbers. Such digits go only where no other touches them, and the latter where a card could begin so: one reference
    /// in ten of 16 digits passes the check. A captured number and its parts go everywhere.
    Value,
}

/// The message as an agent may see it and the ledger may keep it.
pub(crate) fn scrubbed(message: &str, captured: &Captured<'_>) -> String {
    cut(message, captured, Kind::Prose, MESSAGE_CHARS_MAX)
}

/// An output as it may be kept.
pub(crate) fn scrubbed_value(value: &str, captured: &Captured<'_>) -> String {
    cut(value, captured, Kind::Value, MESSAGE_CHARS_MAX)
}

/// The beginning of an answer's body as whoever tests a gateway may see it, on one line.
pub(crate) fn excerpt(body: &str, captured: &Captured<'_>) -> String {
    cut(body, captured, Kind::Prose, EXCERPT_CHARS_MAX)
}

fn cut(text: &str, captured: &Captured<'_>, kind: Kind, chars_max: usize) -> String {
    let plain = Zeroizing::new(plain_line(text, RAW_CHARS_MAX));
    let chars: Zeroizing<Vec<char>> = Zeroizing::new(plain.chars().collect());
    let mut hidden = vec![false; chars.len()];
    let forms = captured.forms();
    for run in runs(&chars) {
        for form in &forms {
            hide_short(&run, form, kind, &mut hidden);
        }
        for value in captured.long() {
            hide_long(&run, value, &mut hidden);
        }
        hide_card_like(&run, kind, &mut hidden);
    }
    let shown = chars.iter().zip(&hidden);
    shown
        .map(|(&c, &hide)| if hide { REMOVED } else { c })
        .take(chars_max)
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
        self.is_equal_to(start, digits.len(), digits.iter())
    }

    fn is_equal_to<'d>(
        &self,
        start: usize,
        len: usize,
        digits: impl Iterator<Item = &'d u8>,
    ) -> bool {
        self.0
            .get(start..start + len)
            .is_some_and(|part| part.iter().map(|place| &place.digit).eq(digits))
    }

    fn is_form(&self, start: usize, form: &Form<'_>) -> bool {
        self.is_equal_to(start, form.len(), form.digits())
            && !(form.is_split && self.touches(start + form.pieces[0].len() - 1))
    }

    /// Digits that touch each other here, these among them.
    fn touching(&self, start: usize, len: usize) -> usize {
        let mut from = start;
        while from > 0 && self.touches(from - 1) {
            from -= 1;
        }
        let mut to = start + len - 1;
        while self.touches(to) {
            to += 1;
        }
        to + 1 - from
    }

    /// This digit and the next stand side by side.
    fn touches(&self, left: usize) -> bool {
        match (self.0.get(left), self.0.get(left + 1)) {
            (Some(left), Some(right)) => left.at + 1 == right.at,
            _ => false,
        }
    }

    /// No other digit touches these.
    fn stands_alone(&self, start: usize, len: usize) -> bool {
        let before = start.checked_sub(1).is_some_and(|left| self.touches(left));
        !before && !self.touches(start + len - 1)
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
        let Some(value) = digit_of(c) else {
            continue;
        };
        let place = Place {
            digit: b'0' + value,
            at,
        };
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

/// Removes a short value where it stands for itself, and from the middle of a piece that is no long reference.
fn hide_short(run: &Run, form: &Form<'_>, kind: Kind, hidden: &mut [bool]) {
    let len = form.len();
    for start in 0..run.0.len() {
        let counts = || {
            let is_short = run.touching(start, len) <= TOUCHED_DIGITS_MAX;
            run.stands_alone(start, len) || (kind == Kind::Prose && is_short)
        };
        if run.is_form(start, form) && counts() {
            run.hide(start, len, hidden);
        }
    }
}

/// Removes a long value, its larger parts and its end.
fn hide_long(run: &Run, value: &[u8], hidden: &mut [bool]) {
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

fn hide_card_like(run: &Run, kind: Kind, hidden: &mut [bool]) {
    for start in 0..run.0.len() {
        for len in CARD_DIGITS {
            let Some(part) = run.0.get(start..start + len) else {
                break;
            };
            let begins = || begins_as_a_card(part.iter().map(|place| place.digit - b'0'));
            let counts = kind == Kind::Prose || run.stands_alone(start, len) && begins();
            if counts && is_luhn(part.iter().map(|place| place.digit)) {
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
