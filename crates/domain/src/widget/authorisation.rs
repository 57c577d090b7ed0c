//! What a check widget asks of its customer's consent to a debit (SETTLED S20, GATEWAYS 4).
//! Owns: the rule, the text that the agent reads out, and what may stand in it.
//! Never: a keyed value in the text: a recording of it is kept for two years.

use serde::{Deserialize, Serialize};

use super::draft::DraftProblem;
use crate::gateway::template::{Part, Token};
use crate::gateway::{Source, Template, Variable};
use crate::payment::{CheckFacts, PaymentForm};
use crate::time::UnixMillis;

/// Longest text: what is read out in two minutes.
pub const AUTHORISATION_CHARS_MAX: usize = 1_500;

/// How a customer consents.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum AuthorisationRule {
    /// Not here.
    #[default]
    None,
    /// The agent reads the text while the call is recorded, and the customer agrees.
    Recording,
    /// The merchant sends a written notice before the debit settles.
    Notice,
}

/// The option "Authorisation" of a check widget.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Authorisation {
    /// How.
    pub rule: AuthorisationRule,
    /// The text, with tokens such as `{payment.amount}`; 1-1,500 characters unless the rule is none.
    pub text: String,
}

impl Default for Authorisation {
    fn default() -> Self {
        let text = "Today, {time.now}, {check.holder_name} authorises one debit of {payment.amount} {payment.currency} \
                    from the {check.account_type} account at {check.bank_name} that was just keyed. \
                    To revoke it, call {call.called} before the debit is made. Do you agree?";
        Self {
            rule: AuthorisationRule::None,
            text: text.to_owned(),
        }
    }
}

/// What the text may tell beside the form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Said<'a> {
    /// Of the account.
    pub check: &'a CheckFacts,
    /// The number that was called.
    pub called: &'a str,
    /// The agent's name.
    pub agent: &'a str,
    /// When it is read.
    pub at: UnixMillis,
}

impl Authorisation {
    /// What is wrong, under "options.authorisation". A Basic widget knows nothing that a token could tell.
    pub(super) fn problems(&self, is_advanced: bool) -> Vec<DraftProblem> {
        let problem = |message| DraftProblem::new("options.authorisation.text", message);
        if self.rule == AuthorisationRule::None {
            // It is kept for when it is read out, and nothing that could not be.
            let control = |c: char| c.is_control() && c != '\n';
            let fits = self.text.chars().count() <= AUTHORISATION_CHARS_MAX
                && !self.text.contains(control);
            let message = format!(
                "Write at most {AUTHORISATION_CHARS_MAX} characters, without control characters."
            );
            return (!fits).then(|| problem(message)).into_iter().collect();
        }
        let unfit = |token: &Token| match is_advanced {
            true => unfit(token),
            false => {
                Some("A Basic widget knows nothing of the payment; write plain text.".to_owned())
            }
        };
        let chars = self.text.trim().chars().count();
        let message = if (1..=AUTHORISATION_CHARS_MAX).contains(&chars) {
            match Template::parse_lines(&self.text) {
                Ok(template) => template.tokens().find_map(unfit),
                Err(error) => Some(error.to_string()),
            }
        } else {
            let chars = AUTHORISATION_CHARS_MAX;
            Some(format!(
                "Write what the agent reads out: 1 to {chars} characters."
            ))
        };
        message.map(problem).into_iter().collect()
    }

    /// The text without tokens, of a Basic widget; empty: nothing is read out.
    #[must_use]
    pub fn plain_text(&self) -> String {
        match self.rule {
            AuthorisationRule::None => String::new(),
            AuthorisationRule::Recording | AuthorisationRule::Notice => self.text.clone(),
        }
    }

    /// The text as it is read out. What a form does not say is left out.
    #[must_use]
    pub fn read(&self, form: &PaymentForm, said: &Said<'_>) -> String {
        let Ok(template) = Template::parse_lines(&self.text) else {
            return String::new();
        };
        let part = |part: &Part| match part {
            Part::Literal(text) => text.clone(),
            Part::Token(token) => match &token.source {
                Source::Fixed(variable) => word(*variable, form, said),
                Source::Named(..) => String::new(),
            },
        };
        template.parts().iter().map(part).collect()
    }
}

/// Why a token may not stand in the text; none: it may.
fn unfit(token: &Token) -> Option<String> {
    let may = match &token.source {
        Source::Fixed(variable) => is_readable(*variable) && token.filters.is_empty(),
        Source::Named(..) => false,
    };
    let (at, source) = (token.at, &token.source);
    (!may).then(|| format!("character {at}: {source} cannot be read out here"))
}

fn is_readable(variable: Variable) -> bool {
    matches!(
        variable,
        Variable::Form(_)
            | Variable::BillingFullName
            | Variable::CheckAccountType
            | Variable::CheckHolderType
            | Variable::CheckHolderName
            | Variable::CheckBankName
            | Variable::PaymentAmount
            | Variable::PaymentFee
            | Variable::PaymentCurrency
            | Variable::CallCalled
            | Variable::AgentName
            | Variable::TimeNow
    )
}

fn word(variable: Variable, form: &PaymentForm, said: &Said<'_>) -> String {
    let account = form.account();
    match variable {
        Variable::Form(name) => form.value(name).unwrap_or_default().to_owned(),
        Variable::BillingFullName => form.full_name(),
        Variable::CheckAccountType => account
            .map_or("", |one| one.account_type.as_str())
            .to_owned(),
        Variable::CheckHolderType => account.map_or("", |one| one.holder.as_str()).to_owned(),
        Variable::CheckHolderName => form.holder_name(),
        Variable::CheckBankName => said.check.bank_name.clone(),
        Variable::PaymentAmount => form.amount.amount_text(),
        Variable::PaymentFee => {
            let minor = form.fee_minor;
            crate::money::Money {
                minor,
                ..form.amount
            }
            .amount_text()
        }
        Variable::PaymentCurrency => form.amount.currency.as_str().to_owned(),
        Variable::CallCalled => said.called.to_owned(),
        Variable::AgentName => said.agent.to_owned(),
        Variable::TimeNow => said.at.utc_day(),
        _ => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::money::{Currency, Money};

    fn form() -> PaymentForm {
        let values = [
            ("firstName", "Jane"),
            ("lastName", "Roe"),
            ("accountType", "savings"),
        ];
        PaymentForm {
            amount: Money::parse("125.50", Currency::USD).unwrap(),
            fee_minor: 250,
            values: values
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .into(),
        }
    }

    fn recorded(text: &str) -> Authorisation {
        Authorisation {
            rule: AuthorisationRule::Recording,
            text: text.to_owned(),
        }
    }

    #[test]
    fn s20_the_text_tells_the_debit_and_nothing_keyed() {
        let check = CheckFacts {
            bank_name: "First Bank".to_owned(),
            ..CheckFacts::default()
        };
        let said = Said {
            check: &check,
            called: "8005550100",
            agent: "Kim",
            at: UnixMillis(1_794_744_000_000),
        };
        let read = |text: &str| recorded(text).read(&form(), &said);
        let first = Authorisation::default();
        assert!(
            Authorisation {
                rule: AuthorisationRule::Recording,
                ..first.clone()
            }
            .problems(true)
            .is_empty()
        );
        assert_eq!(
            first.read(&form(), &said),
            "Today, 2026-11-15, Jane Roe authorises one debit of 125.50 USD from the savings account at First Bank that was \
             just keyed. To revoke it, call 8005550100 before the debit is made. Do you agree?"
        );
        assert_eq!(
            read("{agent.name}: {payment.fee} {form.city}|"),
            "Kim: 2.50 |"
        );
    }

    #[test]
    fn s20_a_text_without_words_with_keyed_values_or_with_tokens_of_a_request_is_refused() {
        let wrong = |text: &str, is_advanced| !recorded(text).problems(is_advanced).is_empty();
        for text in [
            "",
            " ",
            "{check.account_number}",
            "{check.routing}",
            "{card.last4}",
            "{secret.key}",
            "{cfg.name}",
            "{txn.nonce}",
            "{payment.amount|minor}",
            "{payment.amuont}",
        ] {
            assert!(wrong(text, true), "{text}");
        }
        assert!(wrong(&"x".repeat(AUTHORISATION_CHARS_MAX + 1), true));
        assert!(!wrong("Line one.\nDo you agree?", true));
        assert!(wrong("{payment.amount}", false));
        assert!(!wrong("Do you agree?", false));
        assert!(Authorisation::default().problems(false).is_empty());
    }
}
