//! A payment whose rest is due later, in two calls (docs/decisions/0010).
//! Owns: what of an arranged form is charged now, what the gateway's schedule cannot say, and how a plan stands.
//! Never: charges anything, or begins a plan.

use serde::{Deserialize, Serialize};

use super::charged::FormProblems;
use super::follow_up::{FollowUp, FollowUpKind};
use super::form::PaymentForm;
use super::schedule::{ArrangedBy, Arrangement};
use super::{AttemptState, Outcome, Payment};
use crate::gateway::filter::Filter;
use crate::gateway::template::Token;
use crate::gateway::{GatewayConfig, OperationKind, Source, Variable};

/// How what is due later stands at the gateway, of a payment that was taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum PlanStanding {
    /// It was in the request of the sale.
    InSale,
    /// Nobody has begun it, or the gateway did not take it.
    NotSetUp,
    /// It is on its way.
    InProgress,
    /// The gateway has it.
    SetUp,
    /// The gateway holds it for a person.
    Held,
    /// Nobody knows whether the gateway has it.
    Unknown,
}

impl PlanStanding {
    /// Of a payment whose last schedule is in this state; none: nothing was taken, or nothing is due later.
    #[must_use]
    pub fn of(payment: &Payment, last: Option<AttemptState>) -> Option<Self> {
        let arrangement = payment.arrangement.as_ref()?;
        let taken = matches!(
            payment.state,
            AttemptState::Final(Outcome::Approved | Outcome::Review)
        );
        taken.then_some(match (arrangement.by, last) {
            (ArrangedBy::Sale, _) => Self::InSale,
            (ArrangedBy::Schedule, Some(AttemptState::Intent | AttemptState::Sent)) => {
                Self::InProgress
            }
            (ArrangedBy::Schedule, Some(AttemptState::Final(Outcome::Approved))) => Self::SetUp,
            (ArrangedBy::Schedule, Some(AttemptState::Final(Outcome::Review))) => Self::Held,
            (ArrangedBy::Schedule, Some(AttemptState::Final(Outcome::Unknown))) => Self::Unknown,
            (
                ArrangedBy::Schedule,
                None
                | Some(
                    AttemptState::NotSent(_)
                    | AttemptState::Final(Outcome::Declined | Outcome::Error),
                ),
            ) => Self::NotSetUp,
        })
    }

    /// The same, of a payment with these follow-ups, the first one first.
    #[must_use]
    pub fn among(payment: &Payment, follow_ups: &[FollowUp]) -> Option<Self> {
        let mut schedules = follow_ups.iter().rev();
        let last = schedules.find(|one| one.kind == FollowUpKind::Schedule);
        Self::of(payment, last.map(|one| one.state))
    }

    /// Its word in exports.
    #[must_use]
    pub fn label(self) -> &'static str {
        match self {
            Self::InSale => "in_sale",
            Self::NotSetUp => "not_set_up",
            Self::InProgress => "in_progress",
            Self::SetUp => "set_up",
            Self::Held => "held",
            Self::Unknown => "unknown",
        }
    }
}

impl PaymentForm {
    /// What of a charged form is charged now, and what is left to later days. Where the gateway has an operation for that the sale charges the down payment, without its
    /// fee, and says nothing of the rest; if that is nothing, and the gateway stores, the store takes the sale's place.
    ///
    /// # Errors
    /// The gateway cannot do what was arranged: name and what would be right.
    pub fn due_now(
        mut self,
        gateway: &GatewayConfig,
    ) -> Result<(Self, Option<Arrangement>), FormProblems> {
        let Some(mut arrangement) = self.arrangement() else {
            return Ok((self, None));
        };
        if gateway.more.operations.schedule.is_none() {
            return Ok((self, Some(arrangement)));
        }
        if let Some((name, message)) = problem(gateway, &arrangement) {
            return Err(vec![(name.to_owned(), message)]);
        }
        arrangement.by = ArrangedBy::Schedule;
        self.amount = arrangement.sum(arrangement.down_minor);
        self.fee_minor = 0;
        self.values
            .retain(|name, _| !name.starts_with("arrangement"));
        Ok((self, Some(arrangement)))
    }
}

/// Why a gateway with a schedule cannot do what was arranged.
fn problem(gateway: &GatewayConfig, arrangement: &Arrangement) -> Option<(&'static str, String)> {
    let stores = gateway.more.store.is_some();
    if arrangement.interval.is_none() {
        if stores && takes_one_date(gateway) {
            return None;
        }
        let message = match stores {
            true => "This gateway has no word for one date; choose a plan.",
            false => {
                "This gateway sets up what is due later after a payment today; choose a plan with a down payment."
            }
        };
        return Some(("arrangementType", message.to_owned()));
    }
    if arrangement.down_minor == 0 && !stores {
        let message = "This gateway sets a plan up after a payment today; agree on a down payment."
            .to_owned();
        return Some(("arrangementDownPayment", message));
    }
    let tokens = gateway.tokens_of_operation(OperationKind::Schedule);
    let rest = arrangement.last_minor - arrangement.each_minor;
    if rest != 0 && says_each_alone(&tokens) {
        let even = arrangement.sum(arrangement.down_minor + rest);
        let message = match rest > 0 {
            true => format!(
                "This gateway takes equal payments only; with a down payment of {even} all are equal."
            ),
            false => "This gateway takes equal payments only; say how many instead.".to_owned(),
        };
        let name = match rest > 0 {
            true => "arrangementDownPayment",
            false => "arrangementAmount",
        };
        return Some((name, message));
    }
    (!says_interval(&tokens, arrangement)).then(|| {
        let message = "This gateway has no word for payments so often; choose another interval.";
        ("arrangementInterval", message.to_owned())
    })
}

/// Whether a schedule can say one date: it names no interval, or has a word where there is none.
#[must_use]
pub(crate) fn takes_one_date(gateway: &GatewayConfig) -> bool {
    let tokens = gateway.tokens_of_operation(OperationKind::Schedule);
    let has_default = |token: &Token| {
        let mut filters = token.filters.iter();
        filters.any(|filter| matches!(filter, Filter::Default(word) if !word.is_empty()))
    };
    let mut of_interval = fixed(&tokens)
        .filter(|(_, variable)| variable.is_of_interval())
        .peekable();
    of_interval.peek().is_none() || of_interval.any(|(token, _)| has_default(token))
}

/// Whether a request says how much each part is, and not how much the last one is.
fn says_each_alone(tokens: &[Token]) -> bool {
    let says = |wanted: [Variable; 2]| fixed(tokens).any(|(_, one)| wanted.contains(&one));
    says([
        Variable::Form("arrangementAmount"),
        Variable::ArrangementAmountMinor,
    ]) && !says([
        Variable::Form("arrangementLastAmount"),
        Variable::ArrangementLastAmountMinor,
    ])
}

/// Whether one of the tokens that say how often says it of this plan; true, if there are none: the gateway knows it otherwise.
fn says_interval(tokens: &[Token], arrangement: &Arrangement) -> bool {
    let mut of_interval = fixed(tokens)
        .filter(|(_, variable)| variable.is_of_interval())
        .peekable();
    let is_silent = of_interval.peek().is_none();
    is_silent
        || of_interval.any(|(token, variable)| {
            let word = arrangement.fact(variable).unwrap_or_default();
            !word.is_empty() && has_word(token, &word)
        })
}

/// Whether a word gets through a map, if that is the first filter.
fn has_word(token: &Token, word: &str) -> bool {
    match token.filters.first() {
        Some(Filter::Map(pairs)) => pairs
            .iter()
            .any(|(from, to)| from == word && !to.is_empty()),
        _ => true,
    }
}

fn fixed(tokens: &[Token]) -> impl Iterator<Item = (&Token, Variable)> {
    tokens.iter().filter_map(|token| match token.source {
        Source::Fixed(variable) => Some((token, variable)),
        Source::Named(..) => None,
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::money::{Currency, Money};
    use crate::payment::fixtures::payment;
    use crate::payment::schedule::tests::weekly;

    fn gateway(schedule_body: &str) -> GatewayConfig {
        serde_json::from_value(json!({
            "service_url": "https://pay.example/v1/sale", "success_key": "status", "success_value": "ok",
            "more": { "operations": { "schedule": {
                "url": "/v1/plans", "success_key": "status", "success_value": "ok", "body": schedule_body,
            } } },
        }))
        .unwrap()
    }

    /// A charged plan of 500.00 from 1 December.
    fn form(down: &str, interval: &str, each: &str, last: &str) -> PaymentForm {
        let values = [
            ("arrangementType", "plan"),
            ("arrangementStart", "2026-12-01"),
            ("arrangementInterval", interval),
            ("arrangementCount", "4"),
            ("arrangementEnd", "2026-12-22"),
            ("arrangementAmount", each),
            ("arrangementLastAmount", last),
            ("arrangementDownPayment", down),
            ("lastName", "Roe"),
        ];
        PaymentForm {
            amount: Money::parse("500.00", Currency::USD).unwrap(),
            fee_minor: 250,
            values: values
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .into(),
        }
    }

    const FULL: &str = "{arrangement.amount} {arrangement.last_amount} {arrangement.interval}";

    fn wrong(form: PaymentForm, schedule_body: &str) -> Vec<String> {
        let problems = form.due_now(&gateway(schedule_body)).err();
        let problems = problems.unwrap_or_default().into_iter();
        problems
            .map(|(name, message)| format!("{name}: {message}"))
            .collect()
    }

    #[test]
    fn the_sale_charges_the_down_payment_and_says_nothing_of_the_rest() {
        let form = form("125.50", "weekly", "93.62", "93.64");
        let (now, arrangement) = form.due_now(&gateway(FULL)).unwrap();
        assert_eq!(now.amount.to_string(), "125.50 USD");
        assert_eq!(now.fee_minor, 0);
        assert_eq!(Vec::from_iter(now.values.keys()), ["lastName"]);
        assert_eq!(arrangement, Some(weekly()));
    }

    #[test]
    fn without_the_operation_the_sale_says_all() {
        let mut gateway = gateway(FULL);
        gateway.more.operations.schedule = None;
        let form = form("", "weekly", "125.00", "125.00");
        let (now, arrangement) = form.clone().due_now(&gateway).unwrap();
        assert_eq!(now, form);
        assert_eq!(arrangement.unwrap().by, ArrangedBy::Sale);
        let mut at_once = form;
        at_once.values.clear();
        assert_eq!(at_once.due_now(&gateway).unwrap().1, None);
    }

    #[test]
    fn nothing_due_today_is_refused_where_the_plan_follows_a_sale() {
        let none = wrong(form("", "weekly", "125.00", "125.00"), FULL);
        assert!(none[0].starts_with("arrangementDownPayment: "), "{none:?}");
        let one_date = wrong(on_one_date(), FULL);
        assert!(one_date[0].starts_with("arrangementType: "), "{one_date:?}");
    }

    /// The gateway stores, too.
    fn storing(schedule_body: &str) -> GatewayConfig {
        let mut gateway = gateway(schedule_body);
        let store = json!({ "url": "/vault", "success_key": "status", "success_value": "ok", "body": "{card.number}" });
        gateway.more.store = Some(serde_json::from_value(store).unwrap());
        gateway
    }

    fn on_one_date() -> PaymentForm {
        let values = [
            ("arrangementType", "one_date"),
            ("arrangementDate", "2026-12-01"),
        ];
        PaymentForm {
            values: values
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .into(),
            ..form("", "weekly", "125.00", "125.00")
        }
    }

    #[test]
    fn where_the_gateway_stores_nothing_needs_to_be_due_today() {
        let plan = form("", "weekly", "125.00", "125.00");
        let (now, arrangement) = plan.due_now(&storing(FULL)).unwrap();
        assert_eq!((now.amount.minor, now.fee_minor), (0, 0));
        assert!(arrangement.unwrap().only_stores());
        let schedule = "{arrangement.start_date} {arrangement.count} {arrangement.amount} {arrangement.end_date}";
        let (now, arrangement) = on_one_date().due_now(&storing(schedule)).unwrap();
        let arrangement = arrangement.unwrap();
        assert_eq!(
            (now.amount.minor, arrangement.later().to_string()),
            (0, "500.00 USD".to_owned())
        );
        let said = |name| arrangement.fact(Variable::Form(name)).unwrap();
        for (name, word) in [
            ("arrangementType", "one_date"),
            ("arrangementDate", "2026-12-01"),
            ("arrangementStart", "2026-12-01"),
            ("arrangementEnd", "2026-12-01"),
            ("arrangementCount", "1"),
            ("arrangementAmount", "500.00"),
            ("arrangementInterval", ""),
        ] {
            assert_eq!(said(name), word, "{name}");
        }
        let (paid, arrangement) = form("125.50", "weekly", "93.62", "93.64")
            .due_now(&storing(FULL))
            .unwrap();
        assert_eq!(paid.amount.to_string(), "125.50 USD");
        assert!(!arrangement.unwrap().only_stores());
    }

    #[test]
    fn one_date_needs_a_schedule_that_says_no_interval_or_has_a_word_for_none() {
        for (body, is_said) in [
            ("{arrangement.count}", true),
            ("{arrangement.interval_unit}", false),
            ("{arrangement.interval_unit|default:days}", true),
            ("{arrangement.interval|map:weekly=W|default:ONCE}", true),
        ] {
            let due = on_one_date().due_now(&storing(body));
            assert_eq!(due.is_ok(), is_said, "{body}");
            let problems = due.err().unwrap_or_default();
            assert!(problems.iter().all(|(name, _)| name == "arrangementType"));
        }
    }

    #[test]
    fn a_gateway_of_equal_parts_gets_no_other_and_the_message_says_what_would_be_right() {
        let uneven = wrong(
            form("125.50", "weekly", "93.62", "93.64"),
            "{arrangement.amount}",
        );
        assert_eq!(
            uneven,
            [
                "arrangementDownPayment: This gateway takes equal payments only; with a down payment of 125.52 USD all are equal."
            ]
        );
        let less = wrong(
            form("100.00", "weekly", "110.00", "70.00"),
            "{arrangement.amount_minor}",
        );
        assert!(less[0].starts_with("arrangementAmount: "), "{less:?}");
        let even = form("125.52", "weekly", "93.62", "93.62");
        assert!(wrong(even, "{arrangement.amount}").is_empty());
        let minor = "{arrangement.amount_minor} {arrangement.last_amount_minor}";
        for body in [minor, "{payment.amount} {arrangement.count}"] {
            assert!(wrong(form("125.50", "weekly", "93.62", "93.64"), body).is_empty());
        }
    }

    #[test]
    fn an_interval_that_the_request_cannot_say_is_refused() {
        for (interval, body, is_said) in [
            ("weekly", "{arrangement.interval_months}", false),
            ("monthly", "{arrangement.interval_months}", true),
            (
                "weekly",
                "{arrangement.interval_months} {arrangement.interval_days}",
                true,
            ),
            (
                "semi_monthly",
                "{arrangement.interval_unit} {arrangement.interval_length}",
                false,
            ),
            ("semi_monthly", "{arrangement.interval}", true),
            (
                "semi_monthly",
                "{arrangement.interval|map:weekly=W,monthly=M}",
                false,
            ),
            (
                "monthly",
                "{arrangement.interval|map:weekly=W,monthly=M}",
                true,
            ),
            ("semi_monthly", "{arrangement.amount}", true),
        ] {
            let wrong = wrong(form("100.00", interval, "100.00", "100.00"), body);
            let said = wrong.is_empty();
            assert_eq!(said, is_said, "{interval}: {body}");
            assert!(said || wrong[0].starts_with("arrangementInterval: "));
        }
    }

    #[test]
    fn a_plan_stands_as_its_last_schedule_does() {
        let mut taken = payment(AttemptState::Final(Outcome::Approved));
        assert_eq!(PlanStanding::of(&taken, None), None);
        taken.arrangement = Some(weekly());
        for (last, standing) in [
            (None, PlanStanding::NotSetUp),
            (Some(AttemptState::Intent), PlanStanding::InProgress),
            (Some(AttemptState::Sent), PlanStanding::InProgress),
            (
                Some(AttemptState::Final(Outcome::Approved)),
                PlanStanding::SetUp,
            ),
            (
                Some(AttemptState::Final(Outcome::Review)),
                PlanStanding::Held,
            ),
            (
                Some(AttemptState::Final(Outcome::Unknown)),
                PlanStanding::Unknown,
            ),
            (
                Some(AttemptState::Final(Outcome::Error)),
                PlanStanding::NotSetUp,
            ),
            (
                Some(AttemptState::Final(Outcome::Declined)),
                PlanStanding::NotSetUp,
            ),
        ] {
            assert_eq!(PlanStanding::of(&taken, last), Some(standing));
        }
        for state in [
            AttemptState::Sent,
            AttemptState::Final(Outcome::Declined),
            AttemptState::Final(Outcome::Unknown),
        ] {
            let open = Payment {
                state,
                ..taken.clone()
            };
            assert_eq!(PlanStanding::of(&open, None), None);
        }
        let arrangement = taken.arrangement.as_mut().unwrap();
        arrangement.by = ArrangedBy::Sale;
        assert_eq!(PlanStanding::of(&taken, None), Some(PlanStanding::InSale));
    }
}
