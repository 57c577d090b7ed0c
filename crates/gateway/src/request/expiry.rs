//! A keyed expiry date as gateways want it.
//! Owns: which of its digits make a format. They are MMYY or MMYYYY.
//! Never: computes with one.

use domain::gateway::filter::DateFormat;
use secret::Digits;

use super::value::{LastFour, Value};

/// The century of a year that was keyed with two digits.
const CENTURY: &str = "20";

/// The date in this format; empty if it is not complete or the format needs a day.
pub(crate) fn written<'a>(expiry: &Digits<'a>, format: DateFormat) -> Value<'a> {
    let mut value = Value::default();
    let (Some(month), Some(short)) = (month(expiry), short_year(expiry)) else {
        return value;
    };
    let number = month.without_leading_zeros();
    let mut put = |parts: &[Part]| {
        for part in parts {
            match part {
                Part::Month => push(&mut value, &month),
                Part::MonthNumber => push(&mut value, &number),
                Part::Short => push(&mut value, &short),
                Part::Year => match expiry.part(2..6) {
                    Some(year) => push(&mut value, &year),
                    None => {
                        value.push_text(CENTURY);
                        push(&mut value, &short);
                    }
                },
                Part::Text(text) => value.push_text(*text),
            }
        }
    };
    match format {
        DateFormat::MonthShortYear => put(&[Part::Month, Part::Short]),
        DateFormat::MonthSlashShortYear => put(&[Part::Month, Part::Text("/"), Part::Short]),
        DateFormat::MonthYear => put(&[Part::Month, Part::Year]),
        DateFormat::MonthSlashYear => put(&[Part::Month, Part::Text("/"), Part::Year]),
        DateFormat::YearDashMonth => put(&[Part::Year, Part::Text("-"), Part::Month]),
        DateFormat::YearMonth => put(&[Part::Year, Part::Month]),
        DateFormat::ShortYearMonth => put(&[Part::Short, Part::Month]),
        DateFormat::Month => put(&[Part::Month]),
        DateFormat::MonthNumber => put(&[Part::MonthNumber]),
        DateFormat::ShortYear => put(&[Part::Short]),
        DateFormat::Year => put(&[Part::Year]),
        DateFormat::Day | DateFormat::Iso | DateFormat::YearMonthDay | DateFormat::MonthDayYear => {
        }
    }
    value
}

enum Part {
    Month,
    MonthNumber,
    Short,
    Year,
    Text(&'static str),
}

fn push<'a>(value: &mut Value<'a>, digits: &Digits<'a>) {
    value.push_digits(digits.part(0..digits.len()), LastFour::Hidden);
}

fn month<'a>(expiry: &Digits<'a>) -> Option<Digits<'a>> {
    expiry.part(0..2)
}

/// The last two of MMYY or MMYYYY.
fn short_year<'a>(expiry: &Digits<'a>) -> Option<Digits<'a>> {
    expiry.part(4..6).or_else(|| expiry.part(2..4))
}
