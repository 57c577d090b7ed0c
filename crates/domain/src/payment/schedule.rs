//! What a payment leaves to later days, and what is due when.
//! Owns: the arrangement as the ledger keeps it, and its schedule as the trail keeps it: days, amounts, and when each has to be announced.
//! Never: makes a plan; [`super::arrangement`] does.

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::arrangement::{ArrangementKind, Interval, Part};
use super::form::PaymentForm;
use super::notice::NoticeWindow;
use crate::gateway::Variable;
use crate::money::Money;

/// How a gateway hears of what is due later.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ArrangedBy {
    /// In the request of the sale, whose amount is all that is owed.
    Sale,
    /// In a call of its own after the sale, whose amount is the down payment, or after the store, if there is none.
    Schedule,
}

/// What a payment leaves to later days: one date, or a plan. It holds nothing that was captured.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Arrangement {
    /// How the gateway hears of it.
    pub by: ArrangedBy,
    /// What is owed in all, the down payment and the fee included.
    pub total: Money,
    /// What of it is due at once, in the total's minor units; 0: nothing.
    pub down_minor: i64,
    /// When the first part is due.
    #[serde(with = "day")]
    #[schema(value_type = String)]
    pub first: Date,
    /// How often others are; none: all is due on one date.
    pub interval: Option<Interval>,
    /// How many parts, 1 to [`super::PLAN_PAYMENTS_MAX`]; the down payment is none.
    pub count: u16,
    /// Each but the last, in the total's minor units.
    pub each_minor: i64,
    /// The last one, in the total's minor units.
    pub last_minor: i64,
    /// When the last one is due.
    #[serde(with = "day")]
    #[schema(value_type = String)]
    pub end: Date,
}

/// A day as JSON has it: "2026-12-01".
mod day {
    use jiff::civil::Date;
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    pub(super) fn serialize<S: Serializer>(day: &Date, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(day)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Date, D::Error> {
        String::deserialize(from)?.parse().map_err(D::Error::custom)
    }
}

impl Arrangement {
    /// One date, or a plan.
    #[must_use]
    pub fn kind(&self) -> ArrangementKind {
        match self.interval {
            None => ArrangementKind::OneDate,
            Some(_) => ArrangementKind::Plan,
        }
    }

    /// What is due later, all parts together.
    #[must_use]
    pub fn later(&self) -> Money {
        self.sum(self.total.minor.saturating_sub(self.down_minor))
    }

    /// So many minor units of its currency.
    #[must_use]
    pub fn sum(&self, minor: i64) -> Money {
        Money {
            minor,
            ..self.total
        }
    }

    /// Nothing is due at once, and the gateway keeps card or account for what is due later: the store takes the sale's place.
    #[must_use]
    pub fn only_stores(&self) -> bool {
        self.by == ArrangedBy::Schedule && self.down_minor == 0
    }

    /// How often, as so many days or months; none: neither says it.
    fn rhythm(&self) -> Option<(&'static str, &'static str)> {
        match self.interval? {
            Interval::Weekly => Some(("days", "7")),
            Interval::TwoWeeks => Some(("days", "14")),
            Interval::Monthly => Some(("months", "1")),
            Interval::SemiMonthly => None,
        }
    }

    /// What a name stands for in a request; none: it is no fact of an arrangement. Empty: this one has no such fact.
    #[must_use]
    pub fn fact(&self, variable: Variable) -> Option<String> {
        let (unit, length) = self.rhythm().unwrap_or_default();
        let of_unit = |wanted| if unit == wanted { length } else { "" };
        Some(match variable {
            Variable::Form(name) => return self.parameter(name),
            Variable::ArrangementTotal => self.total.amount_text(),
            Variable::ArrangementAmountMinor => self.each_minor.to_string(),
            Variable::ArrangementLastAmountMinor => self.last_minor.to_string(),
            Variable::ArrangementIntervalUnit => unit.to_owned(),
            Variable::ArrangementIntervalLength => length.to_owned(),
            Variable::ArrangementIntervalDays => of_unit("days").to_owned(),
            Variable::ArrangementIntervalMonths => of_unit("months").to_owned(),
            _ => return None,
        })
    }

    /// A standard parameter, as a charged form has it (S17). A schedule has one date as a plan of one part, so that one request says both.
    fn parameter(&self, name: &str) -> Option<String> {
        let amount = |minor| self.sum(minor).amount_text();
        let has_parts = self.interval.is_some() || self.by == ArrangedBy::Schedule;
        let text = match (name, self.interval) {
            ("arrangementType", None) => "one_date".to_owned(),
            ("arrangementType", Some(_)) => "plan".to_owned(),
            ("arrangementDate", None) => self.first.to_string(),
            ("arrangementInterval", Some(interval)) => interval.as_str().to_owned(),
            ("arrangementStart", _) if has_parts => self.first.to_string(),
            ("arrangementCount", _) if has_parts => self.count.to_string(),
            ("arrangementEnd", _) if has_parts => self.end.to_string(),
            ("arrangementAmount", _) if has_parts => amount(self.each_minor),
            ("arrangementLastAmount", _) if has_parts => amount(self.last_minor),
            ("arrangementDownPayment", _) if self.down_minor > 0 => amount(self.down_minor),
            (name, _) if name.starts_with("arrangement") => String::new(),
            _ => return None,
        };
        Some(text)
    }

    /// What is due when, in its order.
    #[must_use]
    pub fn parts(&self) -> Vec<Part> {
        let day = |number: u16| match self.interval {
            None => Some(self.first),
            Some(interval) => interval.day(self.first, number.into()),
        };
        let days = (0..self.count).map_while(|number| Some((number, day(number)?)));
        let part = |(number, day)| Part {
            day,
            minor: if number + 1 == self.count {
                self.last_minor
            } else {
                self.each_minor
            },
        };
        days.map(part).collect()
    }

    /// As the trail keeps it. `today` is the day on which it was arranged.
    #[must_use]
    pub fn schedule(&self, today: Date) -> Schedule {
        let payments = self.parts().into_iter().map(|part| {
            let notice = NoticeWindow::of(part.day, today);
            ScheduledPayment {
                day: part.day.to_string(),
                amount: self.sum(part.minor).to_string(),
                notice_from: notice.map(|window| window.from.to_string()),
                notice_until: notice.map(|window| window.until.to_string()),
            }
        });
        let is_down_paid = self.down_minor > 0;
        Schedule {
            total: self.total.to_string(),
            down_payment: is_down_paid.then(|| self.sum(self.down_minor).to_string()),
            payments: payments.collect(),
        }
    }
}

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
    /// What a charged form arranges, in the request of the sale; none: all is paid at once.
    #[must_use]
    pub fn arrangement(&self) -> Option<Arrangement> {
        let day = |name| self.value(name)?.parse::<Date>().ok();
        let minor = |name| Some(self.money_of(name)?.minor);
        let at_once = Arrangement {
            by: ArrangedBy::Sale,
            total: self.amount,
            down_minor: 0,
            first: Date::default(),
            interval: None,
            count: 1,
            each_minor: self.amount.minor,
            last_minor: self.amount.minor,
            end: Date::default(),
        };
        Some(match self.value("arrangementType")? {
            "one_date" => {
                let first = day("arrangementDate")?;
                Arrangement {
                    first,
                    end: first,
                    ..at_once
                }
            }
            _ => {
                let each_minor = minor("arrangementAmount")?;
                Arrangement {
                    down_minor: minor("arrangementDownPayment").unwrap_or(0),
                    first: day("arrangementStart")?,
                    interval: Some(Interval::from_word(self.value("arrangementInterval")?)?),
                    count: self.value("arrangementCount")?.parse().ok()?,
                    each_minor,
                    last_minor: minor("arrangementLastAmount").unwrap_or(each_minor),
                    end: day("arrangementEnd")?,
                    ..at_once
                }
            }
        })
    }

    /// An amount that was typed, or that a charged form was given.
    #[must_use]
    pub fn money_of(&self, name: &str) -> Option<Money> {
        Money::parse(self.value(name)?, self.amount.currency).ok()
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::money::Currency;

    /// 500.00, 125.50 of it at once, in four weekly parts (GATEWAYS 5).
    pub(crate) fn weekly() -> Arrangement {
        Arrangement {
            by: ArrangedBy::Schedule,
            total: Money::parse("500.00", Currency::USD).unwrap(),
            down_minor: 12_550,
            first: "2026-12-01".parse().unwrap(),
            interval: Some(Interval::Weekly),
            count: 4,
            each_minor: 9_362,
            last_minor: 9_364,
            end: "2026-12-22".parse().unwrap(),
        }
    }

    #[test]
    fn the_parts_that_are_kept_make_up_what_is_owed_later() {
        let (plan, sum) = (weekly(), |parts: &[Part]| {
            parts.iter().map(|part| part.minor).sum::<i64>()
        });
        let parts = plan.parts();
        assert_eq!((parts.len(), parts[3].minor), (4, 9_364));
        assert_eq!(parts[3].day, plan.end);
        assert_eq!(sum(&parts), plan.later().minor);
        let one_date = Arrangement {
            down_minor: 0,
            interval: None,
            count: 1,
            each_minor: 50_000,
            last_minor: 50_000,
            end: plan.first,
            ..plan.clone()
        };
        assert_eq!(one_date.parts().len(), 1);
        assert_eq!(sum(&one_date.parts()), 50_000);
        assert_eq!(
            (plan.kind(), one_date.kind()),
            (ArrangementKind::Plan, ArrangementKind::OneDate)
        );
    }

    #[test]
    fn an_arrangement_is_kept_as_a_document_of_days_and_amounts() {
        let kept = serde_json::json!({
            "by": "schedule", "total": weekly().total, "down_minor": 12550, "first": "2026-12-01", "interval": "weekly",
            "count": 4, "each_minor": 9362, "last_minor": 9364, "end": "2026-12-22",
        });
        assert_eq!(serde_json::to_value(weekly()).unwrap(), kept);
        assert_eq!(
            serde_json::from_value::<Arrangement>(kept.clone()).unwrap(),
            weekly()
        );
        let mut wrong = kept;
        wrong["first"] = "2026-13-01".into();
        assert!(serde_json::from_value::<Arrangement>(wrong).is_err());
    }
}
