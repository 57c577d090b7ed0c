//! What the agent types in an Advanced widget: options O13 and O14.
//! Owns: which fields the tabs Demographic and Payment have, and what an administrator may ask of them.
//! Never: holds what was typed.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::draft::{DraftProblem, name_problem};
use crate::money::{Currency, Money};
use crate::payment::{ArrangementKind, PLAN_MONTHS_MAX};

/// Currencies that one widget may offer: what a list is still read at a glance.
pub const CURRENCIES_MAX: usize = 10;
/// Largest fee in hundredths of a percent: 20 %.
pub const FEE_PERCENT_HUNDREDTHS_MAX: u16 = 2_000;

/// A field of the tab Demographic, by the standard name under which a gateway gets it (SETTLED S17).
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
#[serde(rename_all = "camelCase")]
pub enum DemographicName {
    /// First name.
    FirstName,
    /// Last name.
    LastName,
    /// Company.
    Company,
    /// Street.
    Address1,
    /// More of the street.
    Address2,
    /// City.
    City,
    /// State or province.
    State,
    /// Postal code.
    PostalCode,
    /// Country.
    Country,
    /// Telephone number.
    Phone,
    /// E-mail address.
    Email,
    /// The merchant's number of this customer.
    AccountReference,
}

impl DemographicName {
    /// All, in the order of a new widget.
    pub const ALL: [Self; 12] = [
        Self::FirstName,
        Self::LastName,
        Self::Company,
        Self::Address1,
        Self::Address2,
        Self::City,
        Self::State,
        Self::PostalCode,
        Self::Country,
        Self::Phone,
        Self::Email,
        Self::AccountReference,
    ];

    /// Its standard name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::FirstName => "firstName",
            Self::LastName => "lastName",
            Self::Company => "company",
            Self::Address1 => "address1",
            Self::Address2 => "address2",
            Self::City => "city",
            Self::State => "state",
            Self::PostalCode => "postalCode",
            Self::Country => "country",
            Self::Phone => "phone",
            Self::Email => "email",
            Self::AccountReference => "accountReference",
        }
    }
}

/// What a field starts with, until the agent types something else.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Prefill {
    /// Nothing.
    #[default]
    Nothing,
    /// The name that the caller's phone or its provider gives.
    CallerName,
    /// The number that the call comes from.
    CallerNumber,
}

/// A field that the tab Demographic shows (O13). Their order is the tab's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DemographicInput {
    /// Which.
    pub name: DemographicName,
    /// No payment without it.
    #[serde(default)]
    pub required: bool,
    /// What it starts with.
    #[serde(default)]
    pub prefill: Prefill,
}

/// The tab Demographic of a new widget: every field, first and last name required (S3).
#[must_use]
pub fn first_demographic() -> Vec<DemographicInput> {
    DemographicName::ALL
        .into_iter()
        .map(|name| DemographicInput {
            name,
            required: matches!(name, DemographicName::FirstName | DemographicName::LastName),
            prefill: Prefill::Nothing,
        })
        .collect()
}

/// Where the amount of a payment comes from (O14).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum AmountSource {
    /// The agent types it; one that the API gave for the call is what the field starts with.
    #[default]
    Agent,
    /// It is the one that the API gave for the call, and nobody types it.
    Api,
}

/// What the tab Payment asks for besides the captured fields (O14).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct PaymentInputs {
    /// Currencies to choose from, 1-10; a payment starts with the first.
    #[schema(value_type = Vec<String>)]
    pub currencies: Vec<Currency>,
    /// Who says the amount.
    pub amount_source: AmountSource,
    /// Smallest amount that is taken, in each of these currencies: "5.00"; none: anything above zero.
    pub amount_min: Option<String>,
    /// Largest amount that is taken: "500.00"; none: 99,999,999.99.
    pub amount_max: Option<String>,
    /// The reference is required, too.
    pub reference_required: bool,
    /// The description is required, too.
    pub description_required: bool,
    /// A fee that is added to the amount.
    pub fee: Option<Fee>,
    /// When the customer may pay; at least one.
    pub arrangements: BTreeSet<ArrangementKind>,
    /// Longest plan, 1-24 months.
    pub plan_months_max: u8,
    /// Smallest payment of a plan, but for its last one, in each of these currencies: "25.00"; none: anything above zero.
    pub plan_part_min: Option<String>,
}

impl Default for PaymentInputs {
    fn default() -> Self {
        Self {
            currencies: [*b"USD", *b"CAD", *b"EUR", *b"GBP"]
                .map(Currency::from_letters)
                .to_vec(),
            amount_source: AmountSource::Agent,
            amount_min: None,
            amount_max: None,
            reference_required: false,
            description_required: false,
            fee: None,
            arrangements: BTreeSet::from([ArrangementKind::Now]),
            plan_months_max: PLAN_MONTHS_MAX,
            plan_part_min: None,
        }
    }
}

/// A fee on top of the amount: a share of it, a fixed sum, or both.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Fee {
    /// What the agent calls it, 1-60 characters: "Convenience fee".
    pub label: String,
    /// Hundredths of a percent of the amount, 0-2,000.
    #[serde(default)]
    pub percent_hundredths: u16,
    /// A fixed sum in the payment's currency: "2.50"; none: no such part.
    #[serde(default)]
    pub fixed: Option<String>,
}

impl Fee {
    /// The fee of an amount, in minor units of its currency; half a unit counts as a whole one.
    #[must_use]
    pub fn minor_of(&self, amount: Money) -> i64 {
        let share = amount.minor.saturating_mul(self.percent_hundredths.into());
        let fixed = self.fixed.as_deref();
        let fixed = fixed.and_then(|text| Money::parse(text, amount.currency).ok());
        (share.saturating_add(5_000) / 10_000).saturating_add(fixed.map_or(0, |sum| sum.minor))
    }
}

/// What is wrong with the fields of the tab Demographic, under "options.demographic".
pub(super) fn demographic_problems(inputs: &[DemographicInput]) -> Vec<DraftProblem> {
    let mut seen = BTreeSet::new();
    inputs
        .iter()
        .enumerate()
        .filter(|(_, input)| !seen.insert(input.name))
        .map(|(place, _)| {
            DraftProblem::new(
                format!("options.demographic[{place}].name"),
                "This field is listed twice; keep one.",
            )
        })
        .collect()
}

impl PaymentInputs {
    /// The limit as money; none: there is none, or it is no amount of this currency, which [`Self::problems`] refuses.
    #[must_use]
    pub fn limit(&self, limit: Option<&String>, currency: Currency) -> Option<Money> {
        limit.and_then(|text| Money::parse(text, currency).ok())
    }

    /// What is wrong, under "options.payment".
    pub(super) fn problems(&self) -> Vec<DraftProblem> {
        let mut problems = Vec::new();
        let mut add = |field: &str, message: String| {
            problems.push(DraftProblem::new(
                format!("options.payment.{field}"),
                message,
            ));
        };
        let distinct: BTreeSet<&str> = self.currencies.iter().map(Currency::as_str).collect();
        let count = self.currencies.len();
        if !(1..=CURRENCIES_MAX).contains(&count) || distinct.len() != count {
            add(
                "currencies",
                format!("List 1 to {CURRENCIES_MAX} currencies, each once."),
            );
        }
        for (field, limit) in [
            ("amount_min", &self.amount_min),
            ("amount_max", &self.amount_max),
            ("plan_part_min", &self.plan_part_min),
        ] {
            if let Some(message) = self.sum_problem(limit.as_ref()) {
                add(field, message);
            }
        }
        if self
            .currencies
            .iter()
            .any(|&currency| self.limits_cross(currency))
        {
            let message = "The largest amount is not below the smallest one.".to_owned();
            add("amount_max", message);
        }
        if self.arrangements.is_empty() {
            add("arrangements", "Tick when the customer may pay.".to_owned());
        }
        if !(1..=PLAN_MONTHS_MAX).contains(&self.plan_months_max) {
            let message = format!("Choose 1 to {PLAN_MONTHS_MAX} months.");
            add("plan_months_max", message);
        }
        if let Some(fee) = &self.fee {
            problems.extend(self.fee_problems(fee));
        }
        problems
    }

    fn limits_cross(&self, currency: Currency) -> bool {
        let min = self.limit(self.amount_min.as_ref(), currency);
        let max = self.limit(self.amount_max.as_ref(), currency);
        min.zip(max).is_some_and(|(min, max)| max.minor < min.minor)
    }

    /// A sum that is set is one in every currency.
    fn sum_problem(&self, sum: Option<&String>) -> Option<String> {
        let text = sum?;
        self.currencies.iter().find_map(|currency| {
            let error = Money::parse(text, *currency).err()?;
            Some(format!("In {}: {error}.", currency.as_str()))
        })
    }

    fn fee_problems(&self, fee: &Fee) -> Vec<DraftProblem> {
        let path = "options.payment.fee";
        let label = name_problem("label", "A fee's name", &fee.label);
        let mut problems: Vec<DraftProblem> = label
            .into_iter()
            .map(|problem| problem.under(path))
            .collect();
        if fee.percent_hundredths > FEE_PERCENT_HUNDREDTHS_MAX {
            let message = "A fee is at most 20 percent.";
            problems.push(DraftProblem::new(
                format!("{path}.percent_hundredths"),
                message,
            ));
        }
        if let Some(message) = self.sum_problem(fee.fixed.as_ref()) {
            problems.push(DraftProblem::new(format!("{path}.fixed"), message));
        }
        if fee.percent_hundredths == 0 && fee.fixed.is_none() {
            let message = "A fee has a percentage, a fixed sum, or both.";
            problems.push(DraftProblem::new(format!("{path}.fixed"), message));
        }
        problems
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wrong(inputs: serde_json::Value) -> Vec<String> {
        let inputs: PaymentInputs = serde_json::from_value(inputs).unwrap();
        let problems = inputs.problems().into_iter();
        problems
            .map(|problem| problem.field.replace("options.payment.", ""))
            .collect()
    }

    #[test]
    fn o13_a_field_stands_once_on_the_tab() {
        assert!(demographic_problems(&first_demographic()).is_empty());
        assert!(demographic_problems(&[]).is_empty());
        let mut twice = first_demographic();
        twice.push(twice[0]);
        let problems = demographic_problems(&twice);
        assert_eq!(problems[0].field, "options.demographic[12].name");
    }

    #[test]
    fn o13_each_name_is_the_one_that_a_gateway_gets() {
        for name in DemographicName::ALL {
            assert_eq!(serde_json::to_value(name).unwrap(), name.as_str());
            assert!(crate::payment::form_parameter(name.as_str()).is_some());
        }
    }

    #[test]
    fn o14_what_is_asked_of_a_payment_can_be_met() {
        let currency = |code: &str| serde_json::json!({"currencies": [code]});
        assert!(wrong(serde_json::json!({})).is_empty());
        assert!(wrong(currency("JPY")).is_empty());
        for (inputs, fields) in [
            (serde_json::json!({"currencies": []}), vec!["currencies"]),
            (
                serde_json::json!({"currencies": ["USD", "USD"]}),
                vec!["currencies"],
            ),
            (
                serde_json::json!({"amount_min": "5.00", "amount_max": "4.99"}),
                vec!["amount_max"],
            ),
            (
                serde_json::json!({"amount_min": "5.00", "amount_max": "5.00"}),
                vec![],
            ),
            (serde_json::json!({"amount_min": "0"}), vec!["amount_min"]),
            (
                serde_json::json!({"amount_max": "1,50"}),
                vec!["amount_max"],
            ),
            (
                serde_json::json!({"currencies": ["USD", "JPY"], "amount_min": "1.50"}),
                vec!["amount_min"],
            ),
            (
                serde_json::json!({"arrangements": []}),
                vec!["arrangements"],
            ),
            (
                serde_json::json!({"plan_months_max": 0, "plan_part_min": "x"}),
                vec!["plan_part_min", "plan_months_max"],
            ),
            (
                serde_json::json!({"plan_months_max": 25}),
                vec!["plan_months_max"],
            ),
            (
                serde_json::json!({"fee": {"label": "Fee"}}),
                vec!["fee.fixed"],
            ),
            (
                serde_json::json!({"fee": {"label": "", "percent_hundredths": 2001}}),
                vec!["fee.label", "fee.percent_hundredths"],
            ),
            (
                serde_json::json!({"fee": {"label": "Fee", "fixed": "2.505"}}),
                vec!["fee.fixed"],
            ),
        ] {
            assert_eq!(wrong(inputs.clone()), fields, "{inputs}");
        }
    }

    #[test]
    fn o14_a_fee_is_rounded_half_up_in_the_currencys_own_units() {
        let fee = |percent_hundredths, fixed: Option<&str>| Fee {
            label: "Fee".to_owned(),
            percent_hundredths,
            fixed: fixed.map(str::to_owned),
        };
        let usd = |text| Money::parse(text, Currency::USD).unwrap();
        assert_eq!(fee(250, None).minor_of(usd("100.00")), 250);
        assert_eq!(fee(250, Some("1.00")).minor_of(usd("100.20")), 351);
        assert_eq!(fee(250, None).minor_of(usd("0.20")), 1);
        assert_eq!(fee(250, None).minor_of(usd("0.19")), 0);
        let yen = Money::parse("1030", "JPY".parse().unwrap()).unwrap();
        assert_eq!(fee(250, Some("30")).minor_of(yen), 56);
    }
}
