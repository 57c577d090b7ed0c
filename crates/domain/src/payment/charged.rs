//! From what the agent typed to what is charged.
//! Owns: what an administrator asks of a payment (O13, O14): required values, limits, the fee.
//! Never: charges anything.

use jiff::civil::Date;

use super::account::Account;
use super::form::PaymentForm;
use crate::capture::PaymentType;
use crate::consumer::Consumer;
use crate::money::{AMOUNT_MINOR_MAX, Money};
use crate::widget::{AmountSource, DemographicName, PaymentInputs, WidgetOptions};

/// Everything that is wrong with a form: names and what would be right. The text of a value is in none of them.
pub type FormProblems = Vec<(String, String)>;

impl PaymentForm {
    /// The form as it is charged: the fee is part of the amount, and the arrangement is told in full (count, end and amount of a plan's parts). Where the
    /// widget takes the amount from the API it is the one that was given for the call, whatever the page sent (O14). `today` is the day in the last zone
    /// of the earth.
    ///
    /// # Errors
    /// All problems.
    pub fn charged(
        mut self,
        payment_type: PaymentType,
        options: &WidgetOptions,
        given: &Consumer,
        today: Date,
    ) -> Result<Self, FormProblems> {
        let mut problems = Vec::new();
        self.take_amount(&options.payment, given, &mut problems);
        problems.extend(self.check(payment_type, given).err().unwrap_or_default());
        self.check_demographic(options, &mut problems);
        self.check_payment(&options.payment, &mut problems);
        if problems.is_empty() {
            self.name_account(payment_type);
            self.amount.minor += self.fee_minor;
            self.complete_arrangement(&options.payment, today, &mut problems);
        }
        if problems.is_empty() {
            Ok(self)
        } else {
            Err(problems)
        }
    }

    /// A check whose account nobody named is a person's checking account (GATEWAYS 4).
    fn name_account(&mut self, payment_type: PaymentType) {
        if payment_type == PaymentType::Check && self.account().is_none() {
            self.put("accountType", Account::ALL[0].word());
        }
    }

    fn take_amount(
        &mut self,
        inputs: &PaymentInputs,
        given: &Consumer,
        problems: &mut FormProblems,
    ) {
        match (inputs.amount_source, given.amount) {
            (AmountSource::Agent, _) => {}
            (AmountSource::Api, Some(amount)) => self.amount = amount,
            (AmountSource::Api, None) => {
                let message = "The amount comes from the API, and none came for this call.";
                problems.push(("amount".to_owned(), message.to_owned()));
            }
        }
    }

    fn check_demographic(&self, options: &WidgetOptions, problems: &mut FormProblems) {
        for name in DemographicName::ALL {
            let asked = options.demographic.iter().find(|input| input.name == name);
            match (asked, self.value(name.as_str())) {
                (Some(input), None) if input.required => require(name.as_str(), problems),
                (None, Some(_)) => {
                    let message = "This widget does not ask for this; leave it out.";
                    problems.push((name.as_str().to_owned(), message.to_owned()));
                }
                (Some(_), _) | (None, None) => {}
            }
        }
    }

    fn check_payment(&self, inputs: &PaymentInputs, problems: &mut FormProblems) {
        for (name, required) in [
            ("reference", inputs.reference_required),
            ("description", inputs.description_required),
        ] {
            if required && self.value(name).is_none() {
                require(name, problems);
            }
        }
        let mut add = |name: &str, message: String| problems.push((name.to_owned(), message));
        if !inputs.currencies.contains(&self.amount.currency) {
            let choices: Vec<&str> = inputs.currencies.iter().map(|one| one.as_str()).collect();
            add("currency", format!("Choose one of {}.", choices.join(", ")));
            return;
        }
        let limit = |limit| inputs.limit(limit, self.amount.currency);
        let (min, max) = (
            limit(inputs.amount_min.as_ref()),
            limit(inputs.amount_max.as_ref()),
        );
        if let Some(min) = min.filter(|min| self.amount.minor < min.minor) {
            add("amount", format!("The amount is at least {min}."));
        }
        if let Some(max) = max.filter(|max| self.amount.minor > max.minor) {
            add("amount", format!("The amount is at most {max}."));
        }
        let fee = inputs
            .fee
            .as_ref()
            .map_or(0, |fee| fee.minor_of(self.amount));
        if fee != self.fee_minor {
            let minor = fee;
            let fee = Money {
                minor,
                ..self.amount
            };
            add(
                "fee",
                format!("The fee is {fee}. Tell the customer the new total."),
            );
        } else if self.amount.minor.saturating_add(fee) > AMOUNT_MINOR_MAX {
            add(
                "amount",
                "With the fee the amount is at most 99999999.99.".to_owned(),
            );
        }
    }

    pub(super) fn put(&mut self, name: &str, value: impl Into<String>) {
        self.values.insert(name.to_owned(), value.into());
    }
}

fn require(name: &str, problems: &mut FormProblems) {
    problems.push((name.to_owned(), "This is required.".to_owned()));
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::money::Currency;
    use crate::payment::ArrangementKind;
    use crate::widget::{DemographicInput, Fee, Prefill};

    const TODAY: Date = Date::constant(2026, 11, 26);

    fn form(amount: &str, values: &[(&str, &str)]) -> PaymentForm {
        PaymentForm {
            amount: Money::parse(amount, Currency::USD).unwrap(),
            fee_minor: 0,
            values: [("firstName", "Jane"), ("lastName", "Roe")]
                .iter()
                .chain(values)
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
                .collect(),
        }
    }

    fn charged(form: PaymentForm, options: &WidgetOptions) -> Result<PaymentForm, Vec<String>> {
        charged_for(form, options, &Consumer::default())
    }

    fn charged_for(
        form: PaymentForm,
        options: &WidgetOptions,
        given: &Consumer,
    ) -> Result<PaymentForm, Vec<String>> {
        form.charged(PaymentType::Card, options, given, TODAY)
            .map_err(|problems| problems.into_iter().map(|(name, _)| name).collect())
    }

    fn wrong(form: PaymentForm, options: &WidgetOptions) -> Vec<String> {
        charged(form, options).err().unwrap_or_default()
    }

    fn every_arrangement() -> WidgetOptions {
        let mut options = WidgetOptions::default();
        options.payment.arrangements = BTreeSet::from([
            ArrangementKind::Now,
            ArrangementKind::OneDate,
            ArrangementKind::Plan,
        ]);
        options
    }

    #[test]
    fn o13_what_the_tab_requires_is_there_and_nothing_else_comes() {
        let input = |name, required| DemographicInput {
            name,
            required,
            prefill: Prefill::Nothing,
        };
        let options = WidgetOptions {
            demographic: vec![
                input(DemographicName::LastName, false),
                input(DemographicName::Email, true),
            ],
            ..WidgetOptions::default()
        };
        let mut typed = form("1.00", &[]);
        assert_eq!(wrong(typed.clone(), &options), ["firstName", "email"]);
        typed.values.remove("firstName");
        typed.put("email", "jane@example.com");
        assert!(wrong(typed.clone(), &options).is_empty());
        typed.put("email", " ");
        assert_eq!(wrong(typed, &options), ["email"]);
        let nothing = form("1.00", &[("firstName", ""), ("lastName", " ")]);
        let defaults = WidgetOptions::default();
        assert_eq!(wrong(nothing, &defaults), ["firstName", "lastName"]);
    }

    #[test]
    fn q7_a_check_debits_a_persons_checking_account_unless_the_agent_says_otherwise() {
        let (options, nobody) = (WidgetOptions::default(), Consumer::default());
        let account = |values: &[(&str, &str)], payment_type| {
            let form = form("9.00", values);
            let charged = form.charged(payment_type, &options, &nobody, TODAY);
            charged.unwrap().value("accountType").map(str::to_owned)
        };
        let (card, check) = (PaymentType::Card, PaymentType::Check);
        assert_eq!(account(&[], check).as_deref(), Some("checking"));
        let business = [("accountType", "business_savings")];
        assert_eq!(
            account(&business, check).as_deref(),
            Some("business_savings")
        );
        assert_eq!(account(&[], card), None);
    }

    #[test]
    fn o14_limits_hold_without_the_fee_and_currencies_are_those_offered() {
        let mut options = WidgetOptions::default();
        options.payment.amount_min = Some("5.00".to_owned());
        options.payment.amount_max = Some("500".to_owned());
        for (amount, fields) in [
            ("4.99", vec!["amount"]),
            ("5.00", vec![]),
            ("500.00", vec![]),
            ("500.01", vec!["amount"]),
        ] {
            assert_eq!(wrong(form(amount, &[]), &options), fields, "{amount}");
        }
        let mut yen = form("5.00", &[]);
        yen.amount.currency = "JPY".parse().unwrap();
        assert_eq!(wrong(yen, &options), ["currency"]);
        options.payment.reference_required = true;
        options.payment.description_required = true;
        assert_eq!(
            wrong(form("9.00", &[]), &options),
            ["reference", "description"]
        );
    }

    #[test]
    fn o14_an_amount_from_the_api_is_charged_whatever_the_page_sends() {
        let mut options = WidgetOptions::default();
        let given = Consumer {
            amount: Some(Money::parse("120.50", Currency::USD).unwrap()),
            ..Consumer::default()
        };
        let editable = charged_for(form("1.00", &[]), &options, &given).unwrap();
        assert_eq!(editable.amount.minor, 100);
        options.payment.amount_source = AmountSource::Api;
        let fixed = charged_for(form("1.00", &[]), &options, &given).unwrap();
        assert_eq!(fixed.amount.minor, 12_050);
        assert_eq!(wrong(form("120.50", &[]), &options), ["amount"]);
        options.payment.amount_max = Some("100.00".to_owned());
        let too_much = charged_for(form("1.00", &[]), &options, &given);
        assert_eq!(too_much, Err(vec!["amount".to_owned()]));
        options.payment.currencies = vec!["EUR".parse().unwrap()];
        let foreign = charged_for(form("1.00", &[]), &options, &given);
        assert_eq!(foreign, Err(vec!["currency".to_owned()]));
    }

    #[test]
    fn s15_a_reference_is_charged_as_the_api_gave_it_and_not_if_it_was_typed() {
        let number = crate::capture::fixtures::CARDS[0].number;
        let given = Consumer {
            values: [("reference".to_owned(), number.to_owned())].into(),
            ..Consumer::default()
        };
        let options = WidgetOptions::default();
        let sent = form("1.00", &[("reference", number)]);
        assert!(charged_for(sent.clone(), &options, &given).is_ok());
        assert_eq!(wrong(sent, &options), ["reference"]);
        let elsewhere = form("1.00", &[("description", number)]);
        let elsewhere = charged_for(elsewhere, &options, &given);
        assert_eq!(elsewhere, Err(vec!["description".to_owned()]));
    }

    #[test]
    fn o14_the_fee_that_the_agent_told_is_charged_on_top() {
        let mut options = WidgetOptions::default();
        options.payment.fee = Some(Fee {
            label: "Fee".to_owned(),
            percent_hundredths: 250,
            fixed: None,
        });
        assert_eq!(wrong(form("100.00", &[]), &options), ["fee"]);
        let mut told = form("100.00", &[]);
        told.fee_minor = 250;
        assert_eq!(
            charged(told.clone(), &options).unwrap().amount.minor,
            10_250
        );
        told.fee_minor = 251;
        assert_eq!(wrong(told.clone(), &options), ["fee"]);
        assert_eq!(wrong(told, &WidgetOptions::default()), ["fee"]);
        let mut most = form("99999999.99", &[]);
        most.fee_minor = 250_000_000;
        assert_eq!(wrong(most, &options), ["amount"]);
    }

    #[test]
    fn o14_an_arrangement_is_one_that_the_widget_offers() {
        let dated = [
            ("arrangementType", "one_date"),
            ("arrangementDate", "2026-12-24"),
        ];
        assert_eq!(
            wrong(form("9.00", &dated), &WidgetOptions::default()),
            ["arrangementType"]
        );
        let strange = [("arrangementType", "later")];
        assert_eq!(
            wrong(form("9.00", &strange), &every_arrangement()),
            ["arrangementType"]
        );
        let now = [
            ("arrangementType", "now"),
            ("arrangementDate", "2026-12-24"),
        ];
        let charged = charged(form("9.00", &now), &every_arrangement()).unwrap();
        assert!(
            charged
                .values
                .keys()
                .all(|name| !name.starts_with("arrangement"))
        );
        let mut later_only = every_arrangement();
        later_only
            .payment
            .arrangements
            .remove(&ArrangementKind::Now);
        assert_eq!(wrong(form("9.00", &[]), &later_only), ["arrangementType"]);
    }

    #[test]
    fn o14_one_date_lies_ahead() {
        let on = |day| {
            form(
                "9.00",
                &[("arrangementType", "one_date"), ("arrangementDate", day)],
            )
        };
        for (day, right) in [
            ("2026-11-26", true),
            ("2028-11-26", true),
            ("2026-11-25", false),
            ("2028-11-27", false),
            ("2026-02-30", false),
            ("26.11.2026", false),
            ("", false),
        ] {
            let found = wrong(on(day), &every_arrangement());
            assert_eq!(found.is_empty(), right, "{day}");
        }
        let charged = charged(on("2026-12-24"), &every_arrangement()).unwrap();
        assert_eq!(charged.value("arrangementDate"), Some("2026-12-24"));
    }

    #[test]
    fn o14_a_plan_is_told_to_the_gateway_in_full() {
        let typed = [
            ("arrangementType", "plan"),
            ("arrangementStart", "2026-12-31"),
            ("arrangementInterval", "monthly"),
            ("arrangementEnd", "2027-03-01"),
            ("arrangementLastAmount", "1.00"),
        ];
        let charged = charged(form("100.00", &typed), &every_arrangement()).unwrap();
        for (name, value) in [
            ("arrangementType", "plan"),
            ("arrangementStart", "2026-12-31"),
            ("arrangementInterval", "monthly"),
            ("arrangementCount", "3"),
            ("arrangementEnd", "2027-02-28"),
            ("arrangementAmount", "33.33"),
            ("arrangementLastAmount", "33.34"),
        ] {
            assert_eq!(charged.value(name), Some(value), "{name}");
        }
        assert_eq!(charged.value("arrangementDownPayment"), None);
        let empty = [("arrangementType", "plan")];
        assert_eq!(
            wrong(form("9.00", &empty), &every_arrangement()),
            [
                "arrangementStart",
                "arrangementInterval",
                "arrangementCount"
            ]
        );
        let both = [
            typed[0],
            typed[1],
            typed[2],
            typed[3],
            ("arrangementCount", "3"),
        ];
        assert_eq!(
            wrong(form("9.00", &both), &every_arrangement()),
            ["arrangementCount"]
        );
    }

    /// A plan of 500.00 that begins in December.
    fn plan_of(values: &[(&str, &str)]) -> PaymentForm {
        let base = [
            ("arrangementType", "plan"),
            ("arrangementStart", "2026-12-01"),
            ("arrangementInterval", "weekly"),
        ];
        form("500.00", &[&base[..], values].concat())
    }

    #[test]
    fn q7_a_plan_with_a_down_payment_or_an_amount_each_is_told_in_full_and_kept_as_a_schedule() {
        let options = every_arrangement();
        let typed = [
            ("arrangementCount", "4"),
            ("arrangementDownPayment", "125.50"),
        ];
        let down = charged(plan_of(&typed), &options).unwrap();
        assert_eq!(down.amount.minor, 50_000);
        assert_eq!(down.value("arrangementAmount"), Some("93.62"));
        assert_eq!(down.value("arrangementLastAmount"), Some("93.64"));
        let schedule = down.arrangement().unwrap().schedule(TODAY);
        assert_eq!(schedule.down_payment.as_deref(), Some("125.50 USD"));
        let told: Vec<(&str, &str)> = schedule
            .payments
            .iter()
            .map(|one| (&*one.day, &*one.amount))
            .collect();
        let expected = [
            ("2026-12-01", "93.62 USD"),
            ("2026-12-08", "93.62 USD"),
            ("2026-12-15", "93.62 USD"),
            ("2026-12-22", "93.64 USD"),
        ];
        assert_eq!(told, expected);
        assert_eq!(schedule.payments[0].notice_from, None);
        let until = schedule.payments[1].notice_until.as_deref();
        assert_eq!(until, Some("2026-12-03"));

        let each = charged(plan_of(&[("arrangementAmount", "150.00")]), &options).unwrap();
        assert_eq!(each.value("arrangementCount"), Some("4"));
        assert_eq!(each.value("arrangementLastAmount"), Some("50.00"));
        let each = each.arrangement().unwrap().schedule(TODAY);
        let last = each.payments.last().unwrap();
        assert_eq!(last.amount, "50.00 USD");

        let later = [
            ("arrangementType", "one_date"),
            ("arrangementDate", "2026-12-24"),
        ];
        let later = charged(form("9.00", &later), &options).unwrap();
        let later = later.arrangement().unwrap().schedule(TODAY);
        assert_eq!((&*later.total, later.payments.len()), ("9.00 USD", 1));
        let now = charged(form("9.00", &[]), &options).unwrap();
        assert_eq!(now.arrangement(), None);
    }

    #[test]
    fn q7_a_plan_keeps_within_what_the_widget_allows() {
        let mut options = every_arrangement();
        options.payment.plan_months_max = 1;
        options.payment.plan_part_min = Some("50.00".to_owned());
        for (values, expected) in [
            (&[("arrangementCount", "5")][..], vec![]),
            (&[("arrangementCount", "6")], vec!["arrangementCount"]),
            (&[("arrangementAmount", "100.00")], vec![]),
            (&[("arrangementAmount", "49.99")], vec!["arrangementAmount"]),
            (&[("arrangementEnd", "2027-01-08")], vec!["arrangementEnd"]),
            (
                &[("arrangementCount", "5"), ("arrangementDownPayment", "251")],
                vec!["arrangementCount"],
            ),
            (
                &[("arrangementCount", "2"), ("arrangementDownPayment", "500")],
                vec!["arrangementDownPayment"],
            ),
            (
                &[("arrangementCount", "2"), ("arrangementDownPayment", "x")],
                vec!["arrangementDownPayment"],
            ),
            (
                &[("arrangementCount", "2"), ("arrangementAmount", "100.00")],
                vec!["arrangementCount"],
            ),
        ] {
            assert_eq!(wrong(plan_of(values), &options), expected, "{values:?}");
        }
    }
}
