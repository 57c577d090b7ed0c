//! When a customer pays: now, on one date, or in a plan (Q7).
//! Owns: the dates and parts of a plan, and the standard parameters that carry them (SETTLED S17).
//! Never: runs a schedule; the gateway does (S20).

use jiff::ToSpan;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::money::Money;

/// Payments of one plan: weekly for two years.
pub const PLAN_PAYMENTS_MAX: usize = 104;
/// How far ahead a first payment may lie.
const YEARS_AHEAD_MAX: i64 = 2;

/// When the customer pays.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    Hash,
    PartialOrd,
    Ord,
    Serialize,
    Deserialize,
    utoipa::ToSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum ArrangementKind {
    /// At once.
    Now,
    /// On one date.
    OneDate,
    /// In equal parts.
    Plan,
}

/// How often a plan's parts are due.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Interval {
    /// Every 7 days.
    Weekly,
    /// Every 14 days.
    TwoWeeks,
    /// The same day of each month, its last one where it is shorter.
    Monthly,
}

impl Interval {
    /// All, in the order of the choice.
    pub const ALL: [Self; 3] = [Self::Weekly, Self::TwoWeeks, Self::Monthly];

    /// Its word as `arrangementInterval`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Weekly => "weekly",
            Self::TwoWeeks => "two_weeks",
            Self::Monthly => "monthly",
        }
    }

    /// The day of the part with this number, from 0; none beyond the calendar.
    fn day(self, first: Date, number: usize) -> Option<Date> {
        let number = i64::try_from(number).ok()?;
        let span = match self {
            Self::Weekly => number.weeks(),
            Self::TwoWeeks => (number * 2).weeks(),
            Self::Monthly => number.months(),
        };
        first.checked_add(span).ok()
    }
}

/// How many parts a plan has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Length {
    /// So many.
    Count(usize),
    /// As many as are due until this day.
    Until(Date),
}

/// A part of a plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Part {
    /// When.
    pub day: Date,
    /// How much, in the payment's minor units.
    pub minor: i64,
}

/// The parts of a total: equal ones, with what is left over in the last. Empty: no such plan, for it would have one part or none, more than
/// [`PLAN_PAYMENTS_MAX`], or parts of nothing.
#[must_use]
pub fn plan(total: Money, first: Date, interval: Interval, length: Length) -> Vec<Part> {
    let days: Vec<Date> = (0..=PLAN_PAYMENTS_MAX)
        .map_while(|number| interval.day(first, number))
        .take_while(|day| match length {
            Length::Until(last) => *day <= last,
            Length::Count(_) => true,
        })
        .collect();
    let count = match length {
        Length::Count(count) => count,
        Length::Until(_) => days.len(),
    };
    let parts = i64::try_from(count).unwrap_or(i64::MAX);
    if !(2..=PLAN_PAYMENTS_MAX).contains(&count) || days.len() < count || total.minor < parts {
        return Vec::new();
    }
    let each = total.minor / parts;
    let last = total.minor - each * (parts - 1);
    days.into_iter()
        .take(count)
        .enumerate()
        .map(|(number, day)| Part {
            day,
            minor: if number + 1 == count { last } else { each },
        })
        .collect()
}

/// Whether a first payment may lie on this day.
pub(super) fn is_ahead(day: Date, today: Date) -> bool {
    let latest = today.saturating_add(YEARS_AHEAD_MAX.years());
    (today..=latest).contains(&day)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::money::Currency;

    fn parts(total: &str, first: &str, interval: Interval, length: Length) -> Vec<(String, i64)> {
        let total = Money::parse(total, Currency::USD).unwrap();
        plan(total, first.parse().unwrap(), interval, length)
            .into_iter()
            .map(|part| (part.day.to_string(), part.minor))
            .collect()
    }

    fn listed(parts: &[(&str, i64)]) -> Vec<(String, i64)> {
        let listed = parts.iter();
        listed
            .map(|(day, minor)| ((*day).to_owned(), *minor))
            .collect()
    }

    #[test]
    fn parts_are_equal_and_the_last_takes_what_is_left() {
        assert_eq!(
            parts("1000.00", "2026-01-31", Interval::Monthly, Length::Count(3)),
            listed(&[
                ("2026-01-31", 33_333),
                ("2026-02-28", 33_333),
                ("2026-03-31", 33_334)
            ])
        );
        assert_eq!(
            parts("374.50", "2026-12-01", Interval::Weekly, Length::Count(4)),
            listed(&[
                ("2026-12-01", 9_362),
                ("2026-12-08", 9_362),
                ("2026-12-15", 9_362),
                ("2026-12-22", 9_364),
            ])
        );
    }

    #[test]
    fn a_plan_until_a_day_has_the_parts_that_are_due_by_then() {
        let until = |day: &str| Length::Until(day.parse().unwrap());
        let two_weeks = |day| parts("400.00", "2026-12-04", Interval::TwoWeeks, until(day));
        assert_eq!(two_weeks("2027-01-01").len(), 3);
        assert_eq!(two_weeks("2026-12-31").len(), 2);
        assert!(two_weeks("2026-12-17").is_empty(), "one part is no plan");
        assert!(two_weeks("2026-12-01").is_empty());
    }

    #[test]
    fn a_plan_has_2_to_104_parts_of_something() {
        let weekly =
            |total, count| parts(total, "2026-12-01", Interval::Weekly, Length::Count(count));
        assert!(weekly("100.00", 1).is_empty());
        assert_eq!(weekly("104.00", 104).len(), 104);
        assert!(weekly("105.00", 105).is_empty());
        assert!(weekly("0.03", 4).is_empty());
        let far = Length::Until("2126-01-01".parse().unwrap());
        assert!(parts("900.00", "2026-12-01", Interval::Weekly, far).is_empty());
    }

    #[test]
    fn a_leap_day_is_kept_where_there_is_one() {
        let yearly = parts("26.00", "2028-01-31", Interval::Monthly, Length::Count(26));
        assert_eq!(yearly[1].0, "2028-02-29");
        assert_eq!(yearly[13].0, "2029-02-28");
        assert_eq!(yearly[25].0, "2030-02-28");
    }
}
