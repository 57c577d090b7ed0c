//! When a consumer has to be told of a payment that is taken later.
//! Owns: the window of 12 CFR 1006.22(c), and the business days that it is counted in.
//! Never: tells anybody; a merchant sends the notice.

use jiff::ToSpan;
use jiff::civil::{Date, Weekday};

/// Days that a payment may be post-dated without a notice.
const DAYS_WITHOUT_NOTICE: i64 = 5;
/// Business days before the payment, at most.
const BUSINESS_DAYS_MOST: u32 = 10;
/// Business days before the payment, at least.
const BUSINESS_DAYS_LEAST: u32 = 3;

/// When a written notice of one payment has to be sent: a debt collector who is post-dated by more than five days sends it not more than ten and not less than three
/// days before, legal public holidays, Saturdays and Sundays not counted (12 CFR 1006.22(c)).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NoticeWindow {
    /// Not before this day.
    pub from: Date,
    /// Not after this day.
    pub until: Date,
}

impl NoticeWindow {
    /// The window of a payment that is due on a day and arranged today; none: it is due within five days.
    #[must_use]
    pub fn of(due: Date, today: Date) -> Option<Self> {
        if due <= today.saturating_add(DAYS_WITHOUT_NOTICE.days()) {
            return None;
        }
        Some(Self {
            from: before(due, BUSINESS_DAYS_MOST),
            until: before(due, BUSINESS_DAYS_LEAST),
        })
    }
}

/// So many business days before a day.
fn before(due: Date, business_days: u32) -> Date {
    let mut day = due;
    let mut left = business_days;
    while left > 0 {
        day = day.saturating_sub(1.day());
        if is_business_day(day) {
            left -= 1;
        }
    }
    day
}

fn is_business_day(day: Date) -> bool {
    !matches!(day.weekday(), Weekday::Saturday | Weekday::Sunday) && !is_legal_holiday(day)
}

/// The legal public holidays of 5 U.S.C. 6103(a).
fn is_legal_holiday(day: Date) -> bool {
    let week = (day.day() - 1) / 7 + 1;
    let is_last_week = day.day() + 7 > day.days_in_month();
    match (day.month(), day.weekday()) {
        // Martin Luther King, Washington, Columbus.
        (1 | 2, Weekday::Monday) if week == 3 => true,
        (10, Weekday::Monday) if week == 2 => true,
        // Memorial Day, Labor Day.
        (5, Weekday::Monday) if is_last_week => true,
        (9, Weekday::Monday) if week == 1 => true,
        // Thanksgiving.
        (11, Weekday::Thursday) if week == 4 => true,
        // New Year, Juneteenth, Independence, Veterans, Christmas.
        (month, _) => matches!(
            (month, day.day()),
            (1, 1) | (6, 19) | (7, 4) | (11, 11) | (12, 25)
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> Date {
        text.parse().unwrap()
    }

    fn window(due: &str, today: &str) -> Option<(String, String)> {
        let window = NoticeWindow::of(day(due), day(today))?;
        Some((window.from.to_string(), window.until.to_string()))
    }

    #[test]
    fn a_payment_within_five_days_needs_no_notice() {
        assert_eq!(window("2026-12-01", "2026-11-26"), None);
        assert!(window("2026-12-02", "2026-11-26").is_some());
        assert_eq!(window("2026-11-26", "2026-11-26"), None);
    }

    #[test]
    fn the_window_is_ten_to_three_business_days_before() {
        // Thursday, no holiday near.
        assert_eq!(
            window("2026-10-01", "2026-08-01"),
            Some(("2026-09-17".to_owned(), "2026-09-28".to_owned()))
        );
    }

    #[test]
    fn weekends_and_legal_holidays_do_not_count() {
        // Monday after Christmas 2026 (a Friday) and before New Year.
        assert_eq!(
            window("2026-12-28", "2026-11-26"),
            Some(("2026-12-11".to_owned(), "2026-12-22".to_owned()))
        );
        // Thanksgiving is on the 26th, Veterans' Day on a Wednesday.
        assert_eq!(
            window("2026-11-30", "2026-11-01"),
            Some(("2026-11-13".to_owned(), "2026-11-24".to_owned()))
        );
    }

    #[test]
    fn every_legal_holiday_of_2027_is_known() {
        let mut days = Vec::new();
        let mut at = day("2027-01-01");
        while at.year() == 2027 {
            if is_legal_holiday(at) {
                days.push(at.to_string());
            }
            at = at.tomorrow().unwrap();
        }
        assert_eq!(
            days,
            [
                "2027-01-01",
                "2027-01-18",
                "2027-02-15",
                "2027-05-31",
                "2027-06-19",
                "2027-07-04",
                "2027-09-06",
                "2027-10-11",
                "2027-11-11",
                "2027-11-25",
                "2027-12-25"
            ]
        );
    }
}
