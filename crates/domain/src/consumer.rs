//! What is known of a call's consumer before anybody types it: what a CRM tells through the API.
//! Owns: the names and rules of what may be told, and which of it the blocker of card numbers leaves alone (SETTLED S15).
//! Never: is stored; it lives with its call and goes with it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::money::{Currency, Money, MoneyError};
use crate::payment::{FormProblems, form_parameter, text_problem};
use crate::widget::DemographicName;

/// Names beside those of the tab Demographic.
const OF_THE_PAYMENT: [&str; 2] = ["reference", "description"];

/// References that the merchant's own system makes: numbers of invoices and customers may look like a card's (S15).
const REFERENCES: [&str; 2] = ["reference", "accountReference"];

/// A consumer as the API is told.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, utoipa::ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ConsumerDraft {
    /// What is to be paid, without a fee: "120.50"; left out: not known.
    pub amount: Option<String>,
    /// The amount's currency, ISO 4217: "USD"; with an amount only.
    pub currency: Option<String>,
    /// The fields of the tab Demographic, `reference` and `description` by their standard names (S17).
    pub values: BTreeMap<String, String>,
}

/// What is known of a consumer: the tabs Demographic and Payment start with it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Consumer {
    /// What is to be paid; none: not known.
    pub amount: Option<Money>,
    /// Values by standard name; none of them is blank.
    pub values: BTreeMap<String, String>,
}

impl ConsumerDraft {
    /// The consumer that is told of.
    ///
    /// # Errors
    /// Everything that is wrong, by name; the text of a value is in none of it.
    pub fn parse(self) -> Result<Consumer, FormProblems> {
        let mut problems = Vec::new();
        let amount = self.money(&mut problems);
        problems.extend(self.values.iter().filter_map(problem_of));
        if !problems.is_empty() {
            return Err(problems);
        }
        let trimmed = |(name, value): (String, String)| (name, value.trim().to_owned());
        let values = self.values.into_iter().map(trimmed);
        Ok(Consumer {
            amount,
            values: values.filter(|(_, value)| !value.is_empty()).collect(),
        })
    }

    /// What no currency could have is told beside a wrong currency.
    fn money(&self, problems: &mut FormProblems) -> Option<Money> {
        let mut add = |field: &str, message: String| problems.push((field.to_owned(), message));
        let currency: Option<Result<Currency, MoneyError>> =
            self.currency.as_deref().map(str::parse);
        if self.amount.is_some() != currency.is_some() {
            let field = if currency.is_none() {
                "currency"
            } else {
                "amount"
            };
            add(
                field,
                "An amount and its currency come together.".to_owned(),
            );
        }
        if let Some(Err(error)) = &currency {
            add("currency", error.to_string());
        }
        let known = currency.and_then(Result::ok);
        match Money::parse(self.amount.as_deref()?, known.unwrap_or(Currency::USD)) {
            Ok(amount) => known.map(|_| amount),
            Err(error) => {
                add("amount", error.to_string());
                None
            }
        }
    }
}

fn problem_of((name, value): (&String, &String)) -> Option<(String, String)> {
    let known = |name: &&str| {
        let demographic = DemographicName::ALL.into_iter();
        OF_THE_PAYMENT.contains(name)
            || demographic
                .map(DemographicName::as_str)
                .any(|one| one == *name)
    };
    let Some(parameter) = form_parameter(name).filter(|parameter| known(&parameter.name)) else {
        return Some(("values".to_owned(), "There is no such value.".to_owned()));
    };
    let may_look_like_card = REFERENCES.contains(&parameter.name);
    let message = text_problem(parameter, value, may_look_like_card)?;
    Some((name.clone(), message))
}

impl Consumer {
    /// A reference that came so, and was not typed.
    #[must_use]
    pub fn gave_reference(&self, name: &str, value: &str) -> bool {
        REFERENCES.contains(&name)
            && self
                .values
                .get(name)
                .is_some_and(|given| given == value.trim())
    }

    /// What is known, without saying what it is: for the trail.
    #[must_use]
    pub fn names(&self) -> Vec<&str> {
        let amount = self.amount.map(|_| "amount");
        amount
            .into_iter()
            .chain(self.values.keys().map(String::as_str))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::capture::fixtures::CARDS;

    fn parse(draft: serde_json::Value) -> Result<Consumer, Vec<String>> {
        let draft: ConsumerDraft = serde_json::from_value(draft).unwrap();
        draft
            .parse()
            .map_err(|problems| problems.into_iter().map(|(name, _)| name).collect())
    }

    #[test]
    fn what_is_known_of_a_consumer_has_the_names_of_the_tabs() {
        let consumer = parse(serde_json::json!({
            "amount": "120.50", "currency": "USD",
            "values": {"firstName": " Jane ", "city": " ", "reference": "INV-2291"},
        }))
        .unwrap();
        assert_eq!(consumer.amount.unwrap().minor, 12_050);
        assert_eq!(consumer.values["firstName"], "Jane");
        assert_eq!(consumer.names(), ["amount", "firstName", "reference"]);
        assert_eq!(parse(serde_json::json!({})), Ok(Consumer::default()));
        for name in DemographicName::ALL {
            let told = parse(serde_json::json!({"values": {name.as_str(): "x"}}));
            assert_eq!(told.unwrap().names(), [name.as_str()]);
        }
    }

    #[test]
    fn everything_that_is_wrong_is_told_at_once_and_never_what_came() {
        let long = "x".repeat(61);
        for (draft, fields) in [
            (serde_json::json!({"amount": "1.00"}), vec!["currency"]),
            (serde_json::json!({"currency": "USD"}), vec!["amount"]),
            (
                serde_json::json!({"amount": "1,00", "currency": "USD"}),
                vec!["amount"],
            ),
            (
                serde_json::json!({"amount": "0", "currency": "USD"}),
                vec!["amount"],
            ),
            (
                serde_json::json!({"amount": "1.00", "currency": "usd"}),
                vec!["currency"],
            ),
            (
                serde_json::json!({"amount": "x", "currency": "USD", "values": {"firstName": long, "lastName": "a\nb", "email": CARDS[0].number}}),
                vec!["amount", "email", "firstName", "lastName"],
            ),
            (
                serde_json::json!({"values": {"accountType": "checking"}}),
                vec!["values"],
            ),
            (
                serde_json::json!({"values": {CARDS[0].number: "x"}}),
                vec!["values"],
            ),
        ] {
            assert_eq!(parse(draft.clone()).unwrap_err(), fields, "{draft}");
        }
        let unknown = serde_json::json!({"cardNumber": "x"});
        assert!(serde_json::from_value::<ConsumerDraft>(unknown).is_err());
    }

    #[test]
    fn s15_a_reference_from_the_api_may_look_like_a_card_number_and_nothing_else_may() {
        let number = CARDS[0].number;
        for name in ["reference", "accountReference"] {
            let consumer = parse(serde_json::json!({"values": {name: number}})).unwrap();
            assert!(consumer.gave_reference(name, &format!(" {number}")));
            assert!(!consumer.gave_reference(name, CARDS[1].number));
        }
        for name in ["description", "company", "address1", "phone"] {
            let told = parse(serde_json::json!({"values": {name: number}}));
            assert_eq!(told, Err(vec![name.to_owned()]));
        }
    }
}
