//! What is due when, once a payment is arranged.
//! Owns: the schedule of a charged form, as it is kept in the trail: days, amounts, and when each has to be announced.
//! Never: makes a plan; [`super::arrangement`] does.

use jiff::civil::Date;
use serde::Serialize;

use super::arrangement::{Interval, Part};
use super::form::PaymentForm;
use super::notice::NoticeWindow;
use crate::money::Money;

/// A schedule as the trail keeps it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Schedule {
    /// In all: "500.00 USD".
    pub total: String,
    /// At once: "125.50 USD"; none: nothing.
    pub down_payment: Option<String>,
    /// What is due later, in its order.
    pub payments: Vec<ScheduledPayment>,
}

/// One payment of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ScheduledPayment {
    /// When: "2026-12-01".
    pub day: String,
    /// How much: "93.62 USD".
    pub amount: String,
    /// A debt collector announces it in writing on this day or later; none: it is due within five days ([`NoticeWindow`]).
    pub notice_from: Option<String>,
    /// And on this day at the latest.
    pub notice_until: Option<String>,
}

impl PaymentForm {
    /// What a charged form arranges; none: it is paid at once. `today` is the day on which it was arranged.
    #[must_use]
    pub fn schedule(&self, today: Date) -> Option<Schedule> {
        let parts = match self.value("arrangementType")? {
            "one_date" => vec![Part {
                day: self.value("arrangementDate")?.parse().ok()?,
                minor: self.amount.minor,
            }],
            _ => self.parts()?,
        };
        let text = |minor| {
            let amount = Money {
                minor,
                ..self.amount
            };
            amount.to_string()
        };
        let payments = parts.into_iter().map(|part| {
            let notice = NoticeWindow::of(part.day, today);
            ScheduledPayment {
                day: part.day.to_string(),
                amount: text(part.minor),
                notice_from: notice.map(|window| window.from.to_string()),
                notice_until: notice.map(|window| window.until.to_string()),
            }
        });
        let down = self.minor_of("arrangementDownPayment");
        Some(Schedule {
            total: text(self.amount.minor),
            down_payment: down.map(text),
            payments: payments.collect(),
        })
    }

    fn parts(&self) -> Option<Vec<Part>> {
        let first: Date = self.value("arrangementStart")?.parse().ok()?;
        let interval = Interval::from_word(self.value("arrangementInterval")?)?;
        let count: usize = self.value("arrangementCount")?.parse().ok()?;
        let each = self.minor_of("arrangementAmount")?;
        let last = self.minor_of("arrangementLastAmount").unwrap_or(each);
        let days = (0..count).map_while(|number| interval.day(first, number));
        let part = |(number, day)| Part {
            day,
            minor: if number + 1 == count { last } else { each },
        };
        Some(days.enumerate().map(part).collect())
    }

    fn minor_of(&self, name: &str) -> Option<i64> {
        let amount = Money::parse(self.value(name)?, self.amount.currency).ok()?;
        Some(amount.minor)
    }
}
