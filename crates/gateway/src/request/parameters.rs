//! What is sent.
//! Owns: the standard parameters (SETTLED S17), their order, and what mappings change of it.
//! Never: encodes a value.

use std::borrow::Cow;

use domain::boundary::Charge;
use domain::capture::PaymentType;
use domain::gateway::Variable;
use domain::payment::FORM_PARAMETERS;

use super::facts::Facts;
use super::value::{Value, typed};
use crate::failure::Failure;

/// Parameters of one request. A widget has fewer; more are refused.
const PARAMETERS_MAX: usize = 200;

/// A name and its value.
pub(crate) type Parameter<'a> = (Cow<'a, str>, Value<'a>);

/// Everything the body holds, in order. A mapping row with the name of a standard parameter takes
/// its place, the others follow; what is empty is left out.
pub(crate) fn parameters<'a>(facts: &Facts<'a>) -> Result<Vec<Parameter<'a>>, Failure> {
    let gateway = facts.config;
    let mut parameters = match gateway.send_standard_parameters {
        true => facts
            .about
            .charge
            .map_or_else(Vec::new, |charge| standard(facts, charge)),
        false => Vec::new(),
    };
    let standard_count = parameters.len();
    for row in &gateway.request_params {
        let name = row.name.trim();
        let value = facts.of_text(&format!("the mapping of {name}"), &row.value)?;
        let replaced = parameters.iter_mut().take(standard_count);
        match replaced.into_iter().find(|(known, _)| known == name) {
            Some((_, old)) => *old = value,
            None => parameters.push((name.into(), value)),
        }
    }
    parameters.retain(|(_, value)| !value.is_empty());
    match parameters.len() {
        0 => Err(Failure::render("no parameter has a value")),
        count if count > PARAMETERS_MAX => Err(Failure::render("there are too many parameters")),
        _ => Ok(parameters),
    }
}

fn standard<'a>(facts: &Facts<'a>, charge: &'a Charge) -> Vec<Parameter<'a>> {
    let mut parameters = captured(facts, charge);
    let mut add = |name: &'static str, value| parameters.push((name.into(), value));
    let is_check = charge.kind.payment_type() == PaymentType::Check;
    if is_check {
        add("accountType", Value::text(typed(charge, "accountType")));
    }
    add("amount", facts.fact(Variable::PaymentAmount));
    add("currency", facts.fact(Variable::PaymentCurrency));
    for parameter in FORM_PARAMETERS {
        let value = match parameter.name {
            "accountType" | "accountHolder" => continue,
            "reference" => reference(charge),
            name if name.starts_with("arrangement") && pays_now(charge) => continue,
            name => typed(charge, name),
        };
        add(parameter.name, Value::text(value));
    }
    parameters
}

fn captured<'a>(facts: &Facts<'a>, charge: &Charge) -> Vec<Parameter<'a>> {
    let made = |name: &'static str, variable| (name.into(), facts.fact(variable));
    match charge.kind.payment_type() {
        PaymentType::Card => vec![
            made("cardNumber", Variable::CardNumber),
            made("expiryMonth", Variable::CardExpiryMonth),
            made("expiryYear", Variable::CardExpiryYear),
            made("securityCode", Variable::CardSecurityCode),
            made("cardType", Variable::CardType),
        ],
        PaymentType::Check => vec![
            made("routingNumber", Variable::CheckRoutingNumber),
            made("accountNumber", Variable::CheckAccountNumber),
        ],
    }
}

/// The reference that the agent typed, else ours.
fn reference(charge: &Charge) -> &str {
    match typed(charge, "reference") {
        "" => &charge.reference,
        typed => typed,
    }
}

/// "Pay now", the default arrangement.
fn pays_now(charge: &Charge) -> bool {
    let kind = typed(charge, "arrangementType").to_ascii_lowercase();
    matches!(kind.as_str(), "now" | "pay_now" | "paynow" | "pay now")
}
