//! When a customer pays: now, on one date, or in a plan (Q7).
//! Owns: the dates and parts of a plan, and the standard parameters that carry them (SETTLED S17).
//! Never: runs a schedule; the gateway or the customer's own system does (S20).

use jiff::ToSpan;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::money::Money;

/// Payments of one plan: weekly for two years.
pub const PLAN_PAYMENTS_MAX: usize = 104;
/// How long a plan may run, and how far ahead a first payment may lie: two years.
pub const PLAN_MONTHS_MAX: u8 = 24;
/// How far ahead a first payment may lie.
const YEARS_AHEAD_MAX: i64 = 2;
/// The other day of a half-monthly plan, beside the first of the month.
const MID_MONTH: i8 = 15;

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
    /// In parts.
    Plan,
}

/// How often a plan's parts are due.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Interval {
    /// Every 7 days.
    Weekly,
    /// Every 14 days.
    TwoWeeks,
    /// On the 1st and the 15th of each month, from the first part on, which may be on another day.
    SemiMonthly,
    /// The same day of each month, its last one where it is shorter.
    Monthly,
}

impl Interval {
    /// All, in the order of the choice.
    pub const ALL: [Self; 4] = [
        Self::Weekly,
        Self::TwoWeeks,
        Self::SemiMonthly,
        Self::Monthly,
    ];

    /// Its word as `arrangementInterval`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Weekly => "weekly",
            Self::TwoWeeks => "two_weeks",
            Self::SemiMonthly => "semi_monthly",
            Self::Monthly => "monthly",
        }
    }

    /// The interval of a word.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|interval| interval.as_str() == word)
    }

    /// The day of the part with this number, from 0; none beyond the calendar.
    pub(super) fn day(self, first: Date, number: usize) -> Option<Date> {
        let number = i64::try_from(number).ok()?;
        let span = match self {
            Self::Weekly => number.weeks(),
            Self::TwoWeeks => (number * 2).weeks(),
            Self::SemiMonthly => return half_month(first, number),
            Self::Monthly => number.months(),
        };
        first.checked_add(span).ok()
    }
}

/// The so many-th 1st or 15th after a day; the day itself for 0.
fn half_month(first: Date, number: i64) -> Option<Date> {
    if number == 0 {
        return Some(first);
    }
    // Halves of months since the one in which `first` lies, counted from its 1st.
    let halves = number + i64::from(first.day() >= MID_MONTH);
    let month = first
        .first_of_month()
        .checked_add((halves / 2).months())
        .ok()?;
    match halves % 2 {
        0 => Some(month),
        _ => month.checked_add(i64::from(MID_MONTH - 1).days()).ok(),
    }
}

/// How many parts a plan has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Length {
    /// So many.
    Count(usize),
    /// As many as are due until this day.
    Until(Date),
    /// Parts of so many minor units, and a last one of what is left.
    Each(i64),
}

/// A part of a plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Part {
    /// When.
    pub day: Date,
    /// How much, in the payment's minor units.
    pub minor: i64,
}

/// What a plan is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Terms {
    /// What is paid in all, the down payment included.
    pub total: Money,
    /// What of it is paid at once, in the total's minor units; 0: nothing.
    pub down_minor: i64,
    /// When the first part is due.
    pub first: Date,
    /// How often others are.
    pub interval: Interval,
    /// How many.
    pub length: Length,
}

impl Terms {
    /// The parts: equal ones, with what is left over in the last. Empty: no such plan, for it would have one part or none (with a down payment: none), more than
    /// [`PLAN_PAYMENTS_MAX`], or parts of nothing.
    #[must_use]
    pub fn plan(&self) -> Vec<Part> {
        let owed = self.total.minor.saturating_sub(self.down_minor);
        let days = self.days();
        let count = match self.length {
            Length::Count(count) => count,
            Length::Until(_) => days.len(),
            Length::Each(each) if each > 0 && owed > 0 => {
                usize::try_from((owed - 1) / each + 1).unwrap_or(usize::MAX)
            }
            Length::Each(_) => 0,
        };
        let parts = i64::try_from(count).unwrap_or(i64::MAX);
        let is_down_paid = self.down_minor > 0;
        let fewest = if is_down_paid { 1 } else { 2 };
        let is_plan = (fewest..=PLAN_PAYMENTS_MAX).contains(&count);
        if !is_plan || days.len() < count || owed < parts || self.down_minor < 0 {
            return Vec::new();
        }
        let each = match self.length {
            Length::Each(each) => each,
            Length::Count(_) | Length::Until(_) => owed / parts,
        };
        let last = owed - each * (parts - 1);
        days.into_iter()
            .take(count)
            .enumerate()
            .map(|(number, day)| Part {
                day,
                minor: if number + 1 == count { last } else { each },
            })
            .collect()
    }

    /// One day more than a plan may have, or those that are due by its end.
    fn days(&self) -> Vec<Date> {
        (0..=PLAN_PAYMENTS_MAX)
            .map_while(|number| self.interval.day(self.first, number))
            .take_while(|day| match self.length {
                Length::Until(last) => *day <= last,
                Length::Count(_) | Length::Each(_) => true,
            })
            .collect()
    }
}

/// Whether a first payment may lie on this day.
pub(super) fn is_ahead(day: Date, today: Date) -> bool {
    let latest = today.saturating_add(YEARS_AHEAD_MAX.years());
    (today..=latest).contains(&day)
}

/// Whether a plan that begins on one day and ends on another runs for so many months at most.
pub(super) fn is_within(first: Date, last: Date, months: u8) -> bool {
    last <= first.saturating_add(i64::from(months).months())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::money::Currency;

    fn usd(text: &str) -> Money {
        Money::parse(text, Currency::USD).unwrap()
    }

    fn told(terms: Terms) -> Vec<(String, i64)> {
        let parts = terms.plan().into_iter();
        parts
            .map(|part| (part.day.to_string(), part.minor))
            .collect()
    }

    fn parts(total: &str, first: &str, interval: Interval, length: Length) -> Vec<(String, i64)> {
        told(Terms {
            total: usd(total),
            down_minor: 0,
            first: first.parse().unwrap(),
            interval,
            length,
        })
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

    /// 500.00, 125.50 of it today, in four weekly parts (GATEWAYS 5).
    #[test]
    fn a_down_payment_is_no_part_of_the_plan() {
        let terms = |down: &str, count| Terms {
            total: usd("500.00"),
            down_minor: usd(down).minor,
            first: "2026-12-01".parse().unwrap(),
            interval: Interval::Weekly,
            length: Length::Count(count),
        };
        assert_eq!(
            told(terms("125.50", 4)),
            listed(&[
                ("2026-12-01", 9_362),
                ("2026-12-08", 9_362),
                ("2026-12-15", 9_362),
                ("2026-12-22", 9_364),
            ])
        );
        assert_eq!(told(terms("125.50", 1)), listed(&[("2026-12-01", 37_450)]));
        assert!(told(terms("500.00", 1)).is_empty());
        assert!(told(terms("499.99", 2)).is_empty());
        let mut less_than_nothing = terms("125.50", 4);
        less_than_nothing.down_minor = -1;
        assert!(told(less_than_nothing).is_empty());
    }

    /// 150.00 of 400.00 every two weeks (GATEWAYS 5).
    #[test]
    fn parts_of_a_given_amount_end_with_what_is_left() {
        let each = |amount: &str, total| {
            let length = Length::Each(usd(amount).minor);
            parts(total, "2026-12-04", Interval::TwoWeeks, length)
        };
        assert_eq!(
            each("150.00", "400.00"),
            listed(&[
                ("2026-12-04", 15_000),
                ("2026-12-18", 15_000),
                ("2027-01-01", 10_000)
            ])
        );
        assert_eq!(each("200.00", "400.00").len(), 2);
        assert!(each("400.00", "400.00").is_empty(), "one part is no plan");
        assert!(each("3.00", "400.00").is_empty(), "134 parts are too many");
        let nothing = parts("9.00", "2026-12-04", Interval::Weekly, Length::Each(0));
        assert!(nothing.is_empty());
    }

    #[test]
    fn half_monthly_parts_are_due_on_the_1st_and_the_15th() {
        let days = |first: &str, count| -> Vec<String> {
            let total = format!("{count}00.00");
            let parts = parts(&total, first, Interval::SemiMonthly, Length::Count(count));
            parts.into_iter().map(|(day, _)| day).collect()
        };
        assert_eq!(
            parts(
                "200.00",
                "2026-12-15",
                Interval::SemiMonthly,
                Length::Count(2)
            ),
            listed(&[("2026-12-15", 10_000), ("2027-01-01", 10_000)])
        );
        assert_eq!(
            days("2026-12-01", 4),
            ["2026-12-01", "2026-12-15", "2027-01-01", "2027-01-15"]
        );
        assert_eq!(
            days("2026-12-20", 3),
            ["2026-12-20", "2027-01-01", "2027-01-15"]
        );
        assert_eq!(
            days("2027-02-03", 3),
            ["2027-02-03", "2027-02-15", "2027-03-01"]
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

    #[test]
    fn every_interval_has_its_word() {
        for interval in Interval::ALL {
            assert_eq!(Interval::from_word(interval.as_str()), Some(interval));
        }
        assert_eq!(Interval::from_word("daily"), None);
    }
}
