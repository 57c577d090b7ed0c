//! Trying a gateway out before anybody pays through it.
//! Owns: the closed list of what a trial may send, the request as it may be shown, the answer as it may be explained.
//! Never: carries what a consumer keyed: the digits of a trial are published by brands and banks for tests.

use std::time::Duration;

use secret::{Digit, SecretText, Slot};
use serde::{Deserialize, Serialize};

use super::file::Preset;
use super::{
    ConditionList, ConnectionNames, GatewayConfig, KeyFound, Mapping, NotSentReason, Once,
    OperationKind, VerdictRule,
};
use crate::boundary::{Charge, Task};
use crate::capture::fixtures::{ACCOUNT_NUMBER, CARDS, ROUTING_NUMBERS, TestCard};
use crate::capture::{Brand, Field, PaymentType, WidgetKind};
use crate::id::AttemptId;
use crate::money::{Currency, Money};
use crate::payment::{Account, CheckFacts, Outcome, PaymentForm};
use crate::time::UnixMillis;
use crate::widget::DemographicName;

/// Years for which a test card is valid: gateways refuse one that is long from now.
const VALID_YEARS: i16 = 2;

/// A published card or account that a trial sends. Nobody can give it another number: no route takes a digit from a browser (SETTLED S14), and a host that
/// is not approved yet gets nothing but these (S4).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum TestInstrument {
    /// Visa test card.
    Visa,
    /// Mastercard test card.
    Mastercard,
    /// American Express test card.
    AmericanExpress,
    /// Discover test card.
    Discover,
    /// Test account.
    Account,
}

impl TestInstrument {
    /// All.
    pub const ALL: [Self; 5] = [
        Self::Visa,
        Self::Mastercard,
        Self::AmericanExpress,
        Self::Discover,
        Self::Account,
    ];

    /// Its word in the API and in audit entries.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Visa => "visa",
            Self::Mastercard => "mastercard",
            Self::AmericanExpress => "american_express",
            Self::Discover => "discover",
            Self::Account => "account",
        }
    }

    /// What it pays with.
    #[must_use]
    pub fn payment_type(self) -> PaymentType {
        match self.brand() {
            Some(_) => PaymentType::Card,
            None => PaymentType::Check,
        }
    }

    fn brand(self) -> Option<Brand> {
        match self {
            Self::Visa => Some(Brand::Visa),
            Self::Mastercard => Some(Brand::Mastercard),
            Self::AmericanExpress => Some(Brand::AmericanExpress),
            Self::Discover => Some(Brand::Discover),
            Self::Account => None,
        }
    }

    /// Keys its values into a slot, as a consumer would.
    fn key_into(self, slot: &mut Slot, at: UnixMillis) {
        let card = CARDS.iter().find(|card| Some(card.brand) == self.brand());
        match card {
            Some(TestCard {
                number,
                security_code,
                ..
            }) => {
                let year = at.latest_day().year().saturating_add(VALID_YEARS) % 100;
                key(slot, Field::CardNumber, number);
                key(slot, Field::Expiry, &format!("12{year:02}"));
                key(slot, Field::SecurityCode, security_code);
            }
            None => {
                key(slot, Field::RoutingNumber, ROUTING_NUMBERS[0]);
                key(slot, Field::AccountNumber, ACCOUNT_NUMBER);
            }
        }
    }
}

fn key(slot: &mut Slot, field: Field, digits: &str) {
    for digit in digits.bytes().filter_map(Digit::from_ascii) {
        slot.push(field.slot_index(), digit)
            .expect("a published number is shorter than a field");
    }
}

/// A gateway as it stands in a form, and what to try it with. There is no way to give it a consumer's digits.
pub struct Trial {
    /// Card or check.
    pub kind: WidgetKind,
    /// Where to.
    pub gateway: GatewayConfig,
    /// Password for Basic; a preview shows the same with and without.
    pub password: Option<SecretText>,
    /// What it is tried with.
    pub with: TestInstrument,
    /// Of 1.00 in this currency.
    pub currency: Currency,
    /// Fields of the tab Demographic that get a sample.
    pub asked: Vec<DemographicName>,
    /// What is known of a check.
    pub check: CheckFacts,
    /// Login name of who tries.
    pub agent: String,
    /// Unique, as that of a payment is.
    pub attempt: AttemptId,
    /// Response variables are switched on (S19).
    pub show_message: bool,
    /// Secrets of the configuration, by name.
    pub secrets: Vec<(String, SecretText)>,
    /// When, and its random values.
    pub once: Once,
}

impl Trial {
    /// The charge that it is: what a real one would be, with published values in an empty slot.
    #[must_use]
    pub fn charge(self, mut slot: Slot) -> Charge {
        self.with.key_into(&mut slot, self.once.at);
        let text = self.attempt.as_str().to_ascii_uppercase();
        let reference = format!("TEST-{}", &text[text.len().saturating_sub(4)..]);
        let mut values: std::collections::BTreeMap<String, String> = self
            .asked
            .iter()
            .map(|name| (name.as_str().to_owned(), sample(*name).to_owned()))
            .collect();
        values.insert("description".to_owned(), "Gateway test".to_owned());
        if self.with.payment_type() == PaymentType::Check {
            values.insert("accountType".to_owned(), Account::ALL[0].word().to_owned());
        }
        Charge {
            attempt: self.attempt,
            reference,
            kind: self.kind,
            gateway: self.gateway,
            password: self.password,
            secrets: self.secrets,
            once: self.once,
            form: PaymentForm {
                amount: Money {
                    minor: 10_i64.pow(self.currency.decimals()),
                    currency: self.currency,
                },
                fee_minor: 0,
                values,
            },
            slot,
            check: self.check,
            facts: vec![
                ("call.id", "test".to_owned()),
                ("call.called", "test".to_owned()),
                ("agent.name", self.agent),
            ],
            show_message: self.show_message,
        }
    }
}

/// What stands for secrets in a preview, where they are hidden: text that is also base 64 and hexadecimal, so that it can go through any filter.
#[must_use]
pub fn sample_secrets(gateway: &GatewayConfig) -> Vec<(String, SecretText)> {
    let names = gateway.more.secrets.iter();
    names
        .map(|name| (name.clone(), SecretText::new("AAAA".to_owned())))
        .collect()
}

/// What a field of the tab Demographic holds in a trial. The telephone number is of those that are kept for fiction, the address of none.
fn sample(name: DemographicName) -> &'static str {
    match name {
        DemographicName::FirstName => "Test",
        DemographicName::LastName => "Customer",
        DemographicName::Company => "Test Company",
        DemographicName::Address1 => "1 Test Street",
        DemographicName::Address2 => "Floor 2",
        DemographicName::City => "Testville",
        DemographicName::State => "NY",
        DemographicName::PostalCode => "10001",
        DemographicName::Country => "US",
        DemographicName::Phone => "2025550100",
        DemographicName::Email => "test@example.com",
        DemographicName::AccountReference => "TEST-1",
    }
}

/// Trying a gateway out, by the same code that charges. Nothing of a consumer comes near: a [`Trial`] holds published values only, so that a host which nobody has
/// approved yet may get them (SETTLED S4).
pub trait GatewayTrials: Send + Sync {
    /// Configurations of known gateways to begin with, by their titles.
    fn presets(&self) -> &[Preset];
    /// What a configuration's connection may name.
    fn connection_names(&self) -> &ConnectionNames;
    /// The request as it would go out, fit to be shown. Nothing is resolved, connected or sent.
    ///
    /// # Errors
    /// Why no request can be made of the configuration.
    fn preview(&self, trial: Trial) -> Result<Preview, NothingSent>;
    /// What an answer would come to; none: it is of an operation that the configuration does not have.
    fn judge(
        &self,
        gateway: &GatewayConfig,
        pasted: &Pasted<'_>,
        show_message: bool,
    ) -> Option<Judgement>;
    /// Sends it once.
    fn send(&self, trial: Trial) -> Task<'_, Result<Tested, NothingSent>>;
}

/// A request as it would go out, in the order of the wire, fit to be shown: of what a consumer keys at most the last four of a card number, no password, no
/// value of a mapped header.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct Preview {
    /// "POST".
    pub method: String,
    /// Where to.
    pub url: String,
    /// Headers.
    pub headers: Vec<PreviewHeader>,
    /// The body.
    pub body: Vec<PreviewPart>,
    /// The calls before it, in their order. What their answers give is not known, and shown hidden.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub steps: Vec<PreviewStep>,
    /// The operations that the configuration has.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub operations: Vec<PreviewOperation>,
}

/// What stands in a preview for a value of the sale's answer: digits, so that it can go through any filter.
pub const SAMPLE_OUTPUT: &str = "1000";

/// An operation as it would go out: a store of nothing, the others about a sale of the same amount. [`SAMPLE_OUTPUT`] stands for what that sale's answer gave.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct PreviewOperation {
    /// What it asks.
    pub kind: OperationKind,
    /// "POST".
    pub method: String,
    /// Where to.
    pub url: String,
    /// Headers.
    pub headers: Vec<PreviewHeader>,
    /// The body.
    pub body: Vec<PreviewPart>,
    /// The calls that are made again before it, in their order.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub steps: Vec<PreviewStep>,
}

/// A call before the sale as it would go out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct PreviewStep {
    /// Its name.
    pub name: String,
    /// "POST".
    pub method: String,
    /// Where to.
    pub url: String,
    /// Headers.
    pub headers: Vec<PreviewHeader>,
    /// The body.
    pub body: Vec<PreviewPart>,
}

/// A header as it may be shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct PreviewHeader {
    /// Its name, as the wire has it.
    pub name: String,
    /// Its value.
    pub value: Vec<PreviewPart>,
}

/// A piece of text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct PreviewPart {
    /// The text, or dots.
    pub text: String,
    /// It stands for something that is not shown.
    pub hidden: bool,
}

impl PreviewPart {
    /// Appends text to pieces.
    pub fn push(parts: &mut Vec<Self>, text: &str, hidden: bool) {
        match parts.last_mut() {
            Some(last) if last.hidden == hidden => last.text.push_str(text),
            Some(_) | None => parts.push(Self {
                text: text.to_owned(),
                hidden,
            }),
        }
    }
}

/// An answer as somebody pastes it.
pub struct Pasted<'a> {
    /// What was asked; none: the sale.
    pub operation: Option<OperationKind>,
    /// HTTP status.
    pub status: u16,
    /// Its headers, as far as they are known.
    pub headers: &'a [Mapping],
    /// The body.
    pub body: &'a str,
}

/// A verdict with what it rests on. All texts are scrubbed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct Judgement {
    /// The outcome.
    pub outcome: Outcome,
    /// The line of the verdict's table that fits (S16).
    pub rule: VerdictRule,
    /// HTTP status; none: not even the head of an answer came.
    pub status: Option<u16>,
    /// How the success key was found.
    pub key: KeyFound,
    /// Where the success key was found, as a path of the answer.
    pub path: Option<String>,
    /// What stands there.
    pub value: Option<String>,
    /// The condition that decided; none: no condition did.
    pub condition: Option<JudgedCondition>,
    /// What the agent would read.
    pub message: String,
    /// Why the agent would read that, or nothing.
    pub message_from: MessageFrom,
    /// Where the message was found, if the agent would read one.
    pub message_path: Option<String>,
    /// What is kept of the answer.
    pub outputs: Vec<JudgedOutput>,
    /// Where an answer to an operation repeats the payment's reference; none: it is not asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reference: Option<JudgedReference>,
    /// The answer's own Content-Type, if it differs from the Response Type: a remark, never a verdict (S18).
    pub other_type: Option<String>,
}

/// The reference that an answer to an operation repeats. It counts only for the payment of that reference.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct JudgedReference {
    /// The key where it is to stand.
    pub key: String,
    /// What stands there; none: it does not stand there exactly once, and the answer says nothing.
    pub value: Option<String>,
}

/// A condition of "More" that decided, and what it found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct JudgedCondition {
    /// The list that it stands in.
    pub list: ConditionList,
    /// As it was written.
    pub line: String,
    /// Where its key was found.
    pub path: Option<String>,
    /// What stands there.
    pub value: Option<String>,
}

/// What is kept of an answer under a name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct JudgedOutput {
    /// The name.
    pub name: String,
    /// What was found.
    pub value: String,
    /// Where.
    pub path: String,
}

/// Where an agent's message comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum MessageFrom {
    /// From the answer.
    Answer,
    /// The answer has no such key.
    Nowhere,
    /// "Response Agent Message Key" is empty.
    NoKey,
    /// Response variables are off for this key (S19).
    Off,
}

/// What a test that was sent came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tested {
    /// The calls before the sale, and what each was answered.
    pub steps: Vec<TestedStep>,
    /// The verdict.
    pub judgement: Judgement,
    /// Why no whole answer came, for the administrator; none: one came.
    pub why: Option<String>,
    /// The beginning of the answer's body, scrubbed, on one line; none: no answer.
    pub excerpt: Option<String>,
    /// From the first look-up of the name to a secure connection.
    pub connected_in: Duration,
    /// From the first byte of the request to the head of the answer; none: no head came.
    pub head_in: Option<Duration>,
    /// From the first byte of the request to the end.
    pub ended_in: Duration,
}

/// What a call before the sale was answered in a test.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct TestedStep {
    /// Its name.
    pub name: String,
    /// HTTP status; none: no head came.
    pub status: Option<u16>,
    /// Why no whole answer came; none: one came.
    pub why: Option<String>,
    /// The beginning of the answer's body, scrubbed, on one line.
    pub excerpt: Option<String>,
    /// From the first byte of the request to the end, in ms.
    pub ended_in_ms: u64,
}

/// Why a trial sent nothing: free of secrets.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct NothingSent {
    /// Why.
    pub reason: NotSentReason,
    /// For the administrator, in English.
    pub detail: String,
    /// The calls before the sale that were made, the one that failed the last.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub steps: Vec<TestedStep>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::capture::brand::{BrandGuess, guess};
    use crate::capture::check;
    use crate::consumer::Consumer;

    const AT: UnixMillis = UnixMillis(1_800_000_000_000);

    fn trial(with: TestInstrument, kind: WidgetKind, currency: &str) -> Charge {
        let gateway = serde_json::from_value(serde_json::json!({
            "service_url": "https://gateway.example/", "success_key": "a", "success_value": "b",
        }));
        let trial = Trial {
            kind,
            gateway: gateway.unwrap(),
            password: None,
            with,
            currency: currency.parse().unwrap(),
            asked: DemographicName::ALL.to_vec(),
            check: CheckFacts::default(),
            agent: "sid".to_owned(),
            attempt: AttemptId::from_random(7),
            show_message: true,
            secrets: Vec::new(),
            once: Once::from_random(AT, [7; 64]),
        };
        trial.charge(secret::Arena::new(1).unwrap().allocate().unwrap())
    }

    #[test]
    fn a_test_card_is_of_its_brand_valid_and_has_a_code() {
        for with in TestInstrument::ALL {
            let Some(brand) = with.brand() else { continue };
            let charge = trial(with, WidgetKind::CreditCardAdvanced, "USD");
            let digits = |field: Field| charge.slot.digits(field.slot_index());
            assert_eq!(guess(&digits(Field::CardNumber)), BrandGuess::Known(brand));
            let format = crate::widget::ExpiryFormat::Mmyy;
            let expiry = check::expiry(&digits(Field::Expiry), format, AT.latest_day());
            assert_eq!(expiry, Ok(()));
            let code = digits(Field::SecurityCode);
            assert_eq!(code.len(), brand.security_code_digits());
            assert!(digits(Field::AccountNumber).is_empty());
        }
    }

    #[test]
    fn a_test_account_has_a_routing_number_and_a_type() {
        let charge = trial(TestInstrument::Account, WidgetKind::CheckAdvanced, "USD");
        let len = |field: Field| charge.slot.len(field.slot_index());
        assert_eq!(len(Field::RoutingNumber), 9);
        assert!(len(Field::AccountNumber) > 0 && len(Field::CardNumber) == 0);
        assert_eq!(charge.form.value("accountType"), Some("checking"));
    }

    #[test]
    fn a_trial_is_of_one_unit_and_says_that_it_is_a_test() {
        for (currency, amount) in [("USD", "1.00"), ("JPY", "1"), ("KWD", "1.000")] {
            let charge = trial(
                TestInstrument::Visa,
                WidgetKind::CreditCardAdvanced,
                currency,
            );
            assert_eq!(charge.form.amount.amount_text(), amount);
            assert!(charge.reference.starts_with("TEST-"));
        }
    }

    #[test]
    fn samples_are_values_that_an_agent_could_type() {
        let charge = trial(TestInstrument::Visa, WidgetKind::CreditCardAdvanced, "USD");
        let kind = Some(PaymentType::Card);
        assert_eq!(
            crate::payment::value_problems(&charge.form.values, kind, &Consumer::default()),
            []
        );
        assert_eq!(charge.form.values.len(), DemographicName::ALL.len() + 1);
    }
}
