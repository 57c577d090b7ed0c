//! From an arrangement as it was typed to one that is told in full.
//! Owns: what a widget allows of a date or a plan (O14), and the parameters that carry it (S17).
//! Never: charges anything.

use jiff::civil::Date;

use super::arrangement::{ArrangementKind, Interval, Length, Part, Terms, is_ahead, is_within};
use super::charged::FormProblems;
use super::form::PaymentForm;
use crate::money::{Currency, Money};
use crate::widget::PaymentInputs;

const KIND: &str = "arrangementType";
const DATE: &str = "arrangementDate";
const START: &str = "arrangementStart";
const INTERVAL: &str = "arrangementInterval";
const COUNT: &str = "arrangementCount";
const END: &str = "arrangementEnd";
const EACH: &str = "arrangementAmount";
const LAST: &str = "arrangementLastAmount";
const DOWN: &str = "arrangementDownPayment";

impl PaymentForm {
    /// Only what belongs to the arrangement stays, and what follows from it is added.
    pub(super) fn complete_arrangement(
        &mut self,
        inputs: &PaymentInputs,
        today: Date,
        problems: &mut FormProblems,
    ) {
        let given = self.take_arrangement();
        let kind = match given.kind.as_deref() {
            None | Some("now") => ArrangementKind::Now,
            Some("one_date") => ArrangementKind::OneDate,
            Some("plan") => ArrangementKind::Plan,
            Some(_) => return choose(KIND, "now, one_date, plan", problems),
        };
        if !inputs.arrangements.contains(&kind) {
            let message = "This widget does not offer this arrangement.";
            problems.push((KIND.to_owned(), message.to_owned()));
            return;
        }
        match kind {
            ArrangementKind::Now => {}
            ArrangementKind::OneDate => {
                if let Some(day) = day_ahead(DATE, given.date.as_deref(), today, problems) {
                    self.put(KIND, "one_date");
                    self.put(DATE, day.to_string());
                }
            }
            ArrangementKind::Plan => self.complete_plan(&given, inputs, today, problems),
        }
    }

    fn complete_plan(
        &mut self,
        given: &Given,
        inputs: &PaymentInputs,
        today: Date,
        problems: &mut FormProblems,
    ) {
        let Some(terms) = self.terms(given, today, problems) else {
            return;
        };
        let parts = terms.plan();
        let problem = self.plan_problem(&terms, &parts, inputs);
        if let Some((name, message)) = problem {
            let name = name.unwrap_or_else(|| given.length_name());
            problems.push((name.to_owned(), message));
            return;
        }
        let (Some(part), Some(last)) = (parts.first(), parts.last()) else {
            return;
        };
        self.put(KIND, "plan");
        self.put(START, terms.first.to_string());
        self.put(INTERVAL, terms.interval.as_str());
        self.put(COUNT, parts.len().to_string());
        self.put(END, last.day.to_string());
        self.put_amount(EACH, part.minor);
        self.put_amount(LAST, last.minor);
        if terms.down_minor > 0 {
            self.put_amount(DOWN, terms.down_minor);
        }
    }

    fn terms(&self, given: &Given, today: Date, problems: &mut FormProblems) -> Option<Terms> {
        let first = day_ahead(START, given.start.as_deref(), today, problems);
        let interval = given.interval.as_deref().and_then(Interval::from_word);
        if interval.is_none() {
            let choices = Interval::ALL.map(Interval::as_str).join(", ");
            choose(INTERVAL, &choices, problems);
        }
        let currency = self.amount.currency;
        let length = given.length(currency, problems);
        let down_minor = match &given.down {
            Some(text) => Money::parse(text, currency).map(|down| down.minor),
            None => Ok(0),
        };
        if down_minor.is_err() {
            let message = "Write an amount below the total, or leave it empty.";
            problems.push((DOWN.to_owned(), message.to_owned()));
        }
        Some(Terms {
            total: self.amount,
            down_minor: down_minor.ok()?,
            first: first?,
            interval: interval?,
            length: length?,
        })
    }

    /// What is wrong with a plan, and where, if that is not how many parts it has.
    fn plan_problem(
        &self,
        terms: &Terms,
        parts: &[Part],
        inputs: &PaymentInputs,
    ) -> Option<(Option<&'static str>, String)> {
        if terms.down_minor >= terms.total.minor {
            return Some((
                Some(DOWN),
                "The down payment is below the total.".to_owned(),
            ));
        }
        let (Some(part), Some(last)) = (parts.first(), parts.last()) else {
            let message = "A plan has 2 to 104 payments of at least the smallest unit each.";
            return Some((None, message.to_owned()));
        };
        let months = inputs.plan_months_max;
        if !is_within(terms.first, last.day, months) {
            return Some((None, format!("A plan runs for at most {months} months.")));
        }
        let least = inputs.limit(inputs.plan_part_min.as_ref(), terms.total.currency);
        let least = least.filter(|least| part.minor < least.minor)?;
        Some((None, format!("Each payment is at least {least}.")))
    }

    fn put_amount(&mut self, name: &str, minor: i64) {
        let amount = Money {
            minor,
            ..self.amount
        };
        self.put(name, amount.amount_text());
    }

    fn take_arrangement(&mut self) -> Given {
        let mut take = |name: &str| {
            let value = self.values.remove(name)?.trim().to_owned();
            (!value.is_empty()).then_some(value)
        };
        take(LAST);
        Given {
            kind: take(KIND),
            date: take(DATE),
            start: take(START),
            interval: take(INTERVAL),
            count: take(COUNT),
            end: take(END),
            each: take(EACH),
            down: take(DOWN),
        }
    }
}

/// The arrangement as it was typed.
struct Given {
    kind: Option<String>,
    date: Option<String>,
    start: Option<String>,
    interval: Option<String>,
    count: Option<String>,
    end: Option<String>,
    each: Option<String>,
    down: Option<String>,
}

impl Given {
    fn length(&self, currency: Currency, problems: &mut FormProblems) -> Option<Length> {
        let length = match (&self.count, &self.end, &self.each) {
            (Some(count), None, None) => count.parse().ok().map(Length::Count),
            (None, Some(end), None) => end.parse().ok().map(Length::Until),
            (None, None, Some(each)) => {
                let each = Money::parse(each, currency).ok();
                each.map(|each| Length::Each(each.minor))
            }
            _ => None,
        };
        if length.is_none() {
            let message = "Say how many payments, until which date, or how much each: one of them.";
            problems.push((COUNT.to_owned(), message.to_owned()));
        }
        length
    }

    /// By what its length was given.
    fn length_name(&self) -> &'static str {
        match (&self.end, &self.each) {
            (Some(_), _) => END,
            (None, Some(_)) => EACH,
            (None, None) => COUNT,
        }
    }
}

fn choose(name: &str, choices: &str, problems: &mut FormProblems) {
    problems.push((name.to_owned(), format!("Choose one of {choices}.")));
}

fn day_ahead(
    name: &str,
    text: Option<&str>,
    today: Date,
    problems: &mut FormProblems,
) -> Option<Date> {
    let day = text.and_then(|text| text.parse().ok());
    let day = day.filter(|day| is_ahead(*day, today));
    if day.is_none() {
        let message = "Choose a date from today on, at most two years ahead.";
        problems.push((name.to_owned(), message.to_owned()));
    }
    day
}
