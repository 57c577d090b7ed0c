//! The names that a template may use.
//! Owns: the closed catalogue of facts, what kind each is, and the spaces that a configuration fills itself.
//! Never: holds a value.

use std::fmt;

use crate::payment::form_parameter;

/// What a value is, and so what filters it takes and where it may stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// Keyed digits. They stand in the body and nowhere else.
    Digits,
    /// A keyed expiry date; written as MMYY unless a filter says otherwise.
    Expiry,
    /// Text.
    Text,
    /// An amount with its currency; written as 120.50.
    Amount,
    /// A day; written as 2026-11-26.
    Date,
    /// A point in time; written as 2026-11-26T18:00:00.000Z.
    Instant,
    /// Bytes, such as a hash. `hex` or `b64` makes text of them.
    Bytes,
    /// What JSON writes without quotes. Nothing follows it.
    Bare,
}

impl Kind {
    /// Whether it is made of keyed digits.
    #[must_use]
    pub fn is_keyed(self) -> bool {
        matches!(self, Self::Digits | Self::Expiry)
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Digits => "captured digits",
            Self::Expiry => "an expiry date",
            Self::Text => "text",
            Self::Amount => "an amount",
            Self::Date => "a date",
            Self::Instant => "a time",
            Self::Bytes => "bytes",
            Self::Bare => "a value without quotes",
        })
    }
}

/// A value that a template may name. A closed list: anything else is refused when the widget is saved.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Variable {
    /// `{card.number}`
    CardNumber,
    /// `{card.expiry}`
    CardExpiry,
    /// `{card.expiry_month}`: MM.
    CardExpiryMonth,
    /// `{card.expiry_year}`: YYYY.
    CardExpiryYear,
    /// `{card.expiry_year_short}`: YY.
    CardExpiryYearShort,
    /// `{card.security_code}`
    CardSecurityCode,
    /// `{card.first6}`
    CardFirstSix,
    /// `{card.last4}`
    CardLastFour,
    /// `{card.masked}`: first six, stars, last four.
    CardMasked,
    /// `{card.type}`: the brand's name.
    CardType,
    /// `{card.brand}`: the brand as one word in small letters, for maps: `visa`, `mastercard`, `amex`.
    CardBrand,
    /// `{check.routing_number}`
    CheckRoutingNumber,
    /// `{check.account_number}`
    CheckAccountNumber,
    /// `{check.account_type}`: `checking` or `savings`.
    CheckAccountType,
    /// `{check.holder_type}`: `personal` or `business`.
    CheckHolderType,
    /// `{check.holder_name}`: who was named for the account, else the company of a business, else first and last name.
    CheckHolderName,
    /// `{check.bank_name}`: from the imported table; empty: that has none.
    CheckBankName,
    /// `{check.sec_code}`: `TEL` for persons, `CCD` for businesses, unless the widget says otherwise.
    CheckSecCode,
    /// `{payment.amount}`
    PaymentAmount,
    /// `{payment.amount_minor}`: 12050.
    PaymentAmountMinor,
    /// `{payment.fee}`: the part of the amount that is a fee.
    PaymentFee,
    /// `{payment.currency}`: USD.
    PaymentCurrency,
    /// `{payment.currency_num}`: 840, three digits.
    PaymentCurrencyNumber,
    /// `{payment.reference}`: ours, what people read to each other.
    PaymentReference,
    /// `{payment.attempt}`: ours, unique for each attempt.
    PaymentAttempt,
    /// `{payment.idempotency_key}`: the attempt as a UUID, the same if its request is repeated.
    PaymentIdempotencyKey,
    /// `{arrangement.total}`: what is owed in all, the down payment included. Of a payment that leaves nothing to later days it is empty, as its kin are.
    ArrangementTotal,
    /// `{arrangement.amount_minor}`: each part but the last, 9362.
    ArrangementAmountMinor,
    /// `{arrangement.last_amount_minor}`: the last part.
    ArrangementLastAmountMinor,
    /// `{arrangement.interval_unit}`: `days` or `months`; empty: neither says how often.
    ArrangementIntervalUnit,
    /// `{arrangement.interval_length}`: how many of them, 7, 14 or 1.
    ArrangementIntervalLength,
    /// `{arrangement.interval_days}`: 7 or 14; empty: it is no number of days.
    ArrangementIntervalDays,
    /// `{arrangement.interval_months}`: 1; empty: it is no number of months.
    ArrangementIntervalMonths,
    /// `{form.firstName}` and so on: what the agent typed, by its standard name.
    Form(&'static str),
    /// `{billing.full_name}`: first and last name.
    BillingFullName,
    /// `{call.id}`
    CallId,
    /// `{call.called}`: the number that was called.
    CallCalled,
    /// `{agent.name}`
    AgentName,
    /// `{time.now}`: when the attempt began.
    TimeNow,
    /// `{time.unix}`: the same in seconds since 1970.
    TimeUnix,
    /// `{time.unix_ms}`: the same in milliseconds.
    TimeUnixMillis,
    /// `{time.http}`: the same as HTTP writes it ([RFC 9110 §5.6.7](https://www.rfc-editor.org/rfc/rfc9110#section-5.6.7)).
    TimeHttp,
    /// `{txn.nonce}`: 16 random letters and digits, one text for the whole attempt.
    TxnNonce,
    /// `{txn.rand8}`: 8 random digits, the first not 0.
    TxnDigits,
    /// `{txn.uuid}`: a random UUID.
    TxnUuid,
    /// `{body.raw}`: the bytes of the final body, for a hash in a signature.
    BodyRaw,
    /// `{request.method}`
    RequestMethod,
    /// `{request.host}`: with its port, if that is not 443.
    RequestHost,
    /// `{request.path}`: with the query.
    RequestPath,
}

use Kind::{Amount, Bytes, Digits, Expiry, Instant, Text};
use Variable as V;

/// Every fixed name: variable, its name, another that it goes by, what it is.
const CATALOGUE: [(Variable, &str, &str, Kind); 48] = [
    (V::CardNumber, "card.number", "", Digits),
    (V::CardExpiry, "card.expiry", "", Expiry),
    (
        V::CardExpiryMonth,
        "card.expiry_month",
        "card.exp_month",
        Digits,
    ),
    (
        V::CardExpiryYear,
        "card.expiry_year",
        "card.exp_year",
        Digits,
    ),
    (V::CardExpiryYearShort, "card.expiry_year_short", "", Digits),
    (
        V::CardSecurityCode,
        "card.security_code",
        "card.cvv",
        Digits,
    ),
    (V::CardFirstSix, "card.first6", "", Digits),
    (V::CardLastFour, "card.last4", "", Digits),
    (V::CardMasked, "card.masked", "", Digits),
    (V::CardType, "card.type", "", Text),
    (V::CardBrand, "card.brand", "", Text),
    (
        V::CheckRoutingNumber,
        "check.routing_number",
        "check.routing",
        Digits,
    ),
    (
        V::CheckAccountNumber,
        "check.account_number",
        "check.account",
        Digits,
    ),
    (V::CheckAccountType, "check.account_type", "", Text),
    (V::CheckHolderType, "check.holder_type", "", Text),
    (V::CheckHolderName, "check.holder_name", "", Text),
    (V::CheckBankName, "check.bank_name", "", Text),
    (V::CheckSecCode, "check.sec_code", "", Text),
    (V::PaymentAmount, "payment.amount", "payment.total", Amount),
    (V::PaymentAmountMinor, "payment.amount_minor", "", Text),
    (V::PaymentFee, "payment.fee", "", Amount),
    (V::PaymentCurrency, "payment.currency", "", Text),
    (V::PaymentCurrencyNumber, "payment.currency_num", "", Text),
    (
        V::PaymentReference,
        "payment.reference",
        "payment.ref",
        Text,
    ),
    (V::PaymentAttempt, "payment.attempt", "", Text),
    (
        V::PaymentIdempotencyKey,
        "payment.idempotency_key",
        "",
        Text,
    ),
    (V::ArrangementTotal, "arrangement.total", "", Amount),
    (
        V::ArrangementAmountMinor,
        "arrangement.amount_minor",
        "",
        Text,
    ),
    (
        V::ArrangementLastAmountMinor,
        "arrangement.last_amount_minor",
        "",
        Text,
    ),
    (
        V::ArrangementIntervalUnit,
        "arrangement.interval_unit",
        "",
        Text,
    ),
    (
        V::ArrangementIntervalLength,
        "arrangement.interval_length",
        "",
        Text,
    ),
    (
        V::ArrangementIntervalDays,
        "arrangement.interval_days",
        "",
        Text,
    ),
    (
        V::ArrangementIntervalMonths,
        "arrangement.interval_months",
        "",
        Text,
    ),
    (V::BillingFullName, "billing.full_name", "", Text),
    (V::CallId, "call.id", "", Text),
    (V::CallCalled, "call.called", "", Text),
    (V::AgentName, "agent.name", "", Text),
    (V::TimeNow, "time.now", "", Instant),
    (V::TimeUnix, "time.unix", "", Text),
    (V::TimeUnixMillis, "time.unix_ms", "", Text),
    (V::TimeHttp, "time.http", "", Text),
    (V::TxnNonce, "txn.nonce", "", Text),
    (V::TxnDigits, "txn.rand8", "", Text),
    (V::TxnUuid, "txn.uuid", "", Text),
    (V::BodyRaw, "body.raw", "", Bytes),
    (V::RequestMethod, "request.method", "", Text),
    (V::RequestHost, "request.host", "", Text),
    (V::RequestPath, "request.path", "", Text),
];

/// Other names of what the agent typed.
const FORM_NAMES: [(&str, &str); 22] = [
    ("billing.first_name", "firstName"),
    ("billing.last_name", "lastName"),
    ("billing.company", "company"),
    ("billing.address1", "address1"),
    ("billing.address2", "address2"),
    ("billing.city", "city"),
    ("billing.state", "state"),
    ("billing.zip", "postalCode"),
    ("billing.country", "country"),
    ("billing.phone", "phone"),
    ("billing.email", "email"),
    ("account.number", "accountReference"),
    ("payment.description", "description"),
    ("arrangement.kind", "arrangementType"),
    ("arrangement.date", "arrangementDate"),
    ("arrangement.start_date", "arrangementStart"),
    ("arrangement.interval", "arrangementInterval"),
    ("arrangement.count", "arrangementCount"),
    ("arrangement.end_date", "arrangementEnd"),
    ("arrangement.amount", "arrangementAmount"),
    ("arrangement.last_amount", "arrangementLastAmount"),
    ("arrangement.down_payment", "arrangementDownPayment"),
];

impl Variable {
    /// The variable of a token's name, without braces.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        let typed = FORM_NAMES.iter().find(|(known, _)| *known == name);
        let typed = typed
            .map(|(_, parameter)| *parameter)
            .or_else(|| name.strip_prefix("form."));
        if let Some(parameter) = typed {
            return form_parameter(parameter).map(|known| Self::Form(known.name));
        }
        let entry = CATALOGUE
            .iter()
            .find(|(_, known, other, _)| *known == name || (*other == name && !other.is_empty()));
        entry.map(|(variable, ..)| *variable)
    }

    /// All but the form's.
    pub fn fixed() -> impl Iterator<Item = Self> {
        CATALOGUE.iter().map(|(variable, ..)| *variable)
    }

    /// Every name that a token may have, without braces, the form's too.
    pub fn names() -> impl Iterator<Item = &'static str> {
        let fixed = CATALOGUE
            .iter()
            .flat_map(|(_, name, other, _)| [*name, *other]);
        let typed = FORM_NAMES.iter().map(|(name, _)| *name);
        fixed.chain(typed).filter(|name| !name.is_empty())
    }

    fn entry(self) -> Option<&'static (Self, &'static str, &'static str, Kind)> {
        CATALOGUE.iter().find(|(variable, ..)| *variable == self)
    }

    /// What it is.
    #[must_use]
    pub fn kind(self) -> Kind {
        match self {
            Self::Form("arrangementDate" | "arrangementStart" | "arrangementEnd") => Kind::Date,
            _ => self.entry().map_or(Text, |(_, _, _, kind)| *kind),
        }
    }

    /// Whether it is known once the request's URL is: the request's own parts.
    #[must_use]
    pub fn is_of_request(self) -> bool {
        matches!(
            self,
            Self::RequestMethod | Self::RequestHost | Self::RequestPath | Self::BodyRaw
        )
    }

    /// Whether an operation knows it: what the ledger keeps of a charge, and what is made for the request itself.
    #[must_use]
    pub fn outlasts_sale(self) -> bool {
        matches!(
            self,
            Self::PaymentAmount
                | Self::PaymentAmountMinor
                | Self::PaymentCurrency
                | Self::PaymentCurrencyNumber
                | Self::PaymentReference
                | Self::PaymentAttempt
                | Self::PaymentIdempotencyKey
                | Self::TimeNow
                | Self::TimeUnix
                | Self::TimeUnixMillis
                | Self::TimeHttp
                | Self::TxnNonce
                | Self::TxnDigits
                | Self::TxnUuid
        ) || self.is_of_request()
    }

    /// Whether it is a fact of the arrangement, which the ledger keeps for the operation `schedule`.
    #[must_use]
    pub fn is_of_arrangement(self) -> bool {
        match self {
            Self::Form(name) => name.starts_with("arrangement"),
            Self::ArrangementTotal
            | Self::ArrangementAmountMinor
            | Self::ArrangementLastAmountMinor => true,
            _ => self.is_of_interval(),
        }
    }

    /// Whether it says how often the parts of a plan are due.
    #[must_use]
    pub fn is_of_interval(self) -> bool {
        matches!(
            self,
            Self::Form("arrangementInterval")
                | Self::ArrangementIntervalUnit
                | Self::ArrangementIntervalLength
                | Self::ArrangementIntervalDays
                | Self::ArrangementIntervalMonths
        )
    }

    /// True for values made of keyed digits: they go from the capture's slot into a secret buffer and nowhere else, so never into a URL or header
    /// (SETTLED S15, S18).
    #[must_use]
    pub fn is_sensitive(self) -> bool {
        self.kind().is_keyed()
    }
}

/// The token as it is written, braces included.
impl fmt::Display for Variable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self, self.entry()) {
            (Self::Form(name), _) => write!(f, "{{form.{name}}}"),
            (_, Some((_, name, ..))) => write!(f, "{{{name}}}"),
            (_, None) => Ok(()),
        }
    }
}

/// Names that a configuration gives itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Space {
    /// `{cfg.name}`: a constant.
    Constant,
    /// `{secret.name}`: a credential, write-only.
    Secret,
    /// `{let.name}`: computed before the body.
    Let,
    /// `{sign.name}`: computed over the body.
    Sign,
    /// `{step.name.output}`: taken from the answer to a step. Its word is `name.output`.
    Step,
    /// `{sale.name}`: what the ledger keeps of the sale's answer, for an operation.
    Sale,
}

impl Space {
    const ALL: [(Self, &'static str); 6] = [
        (Self::Constant, "cfg."),
        (Self::Secret, "secret."),
        (Self::Let, "let."),
        (Self::Sign, "sign."),
        (Self::Step, "step."),
        (Self::Sale, "sale."),
    ];

    /// What stands before the dot, and the dot.
    #[must_use]
    pub fn prefix(self) -> &'static str {
        match self {
            Self::Constant => "cfg.",
            Self::Secret => "secret.",
            Self::Let => "let.",
            Self::Sign => "sign.",
            Self::Step => "step.",
            Self::Sale => "sale.",
        }
    }
}

/// Where a token's value comes from.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Source {
    /// A fact.
    Fixed(Variable),
    /// What the configuration names itself.
    Named(Space, Box<str>),
}

impl Source {
    /// The source of a name without braces; none: there is no such fact.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        let named = Space::ALL
            .iter()
            .find_map(|(space, prefix)| Some((*space, name.strip_prefix(prefix)?)));
        match named {
            Some((Space::Step, word)) => {
                let (step, output) = word.split_once('.')?;
                let are_words = is_word(step) && is_word(output);
                are_words.then(|| Self::Named(Space::Step, word.into()))
            }
            Some((Space::Sale, word)) => {
                is_output_name(word).then(|| Self::Named(Space::Sale, word.into()))
            }
            Some((space, word)) => is_word(word).then(|| Self::Named(space, word.into())),
            None => Variable::from_name(name).map(Self::Fixed),
        }
    }
}

/// A name that a configuration may give: a small letter, then small letters, digits and `_`, 40 at most.
#[must_use]
pub fn is_word(word: &str) -> bool {
    word.len() <= 40
        && word.starts_with(|first: char| first.is_ascii_lowercase())
        && word
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_')
}

/// Longest name of an output in characters.
pub(super) const OUTPUT_NAME_CHARS_MAX: usize = 40;

/// A name that an output may have: letters, digits and `_`, up to [`OUTPUT_NAME_CHARS_MAX`].
#[must_use]
pub fn is_output_name(name: &str) -> bool {
    (1..=OUTPUT_NAME_CHARS_MAX).contains(&name.len())
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

/// The name, braces included.
impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Fixed(variable) => variable.fmt(f),
            Self::Named(space, word) => write!(f, "{{{}{word}}}", space.prefix()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_finds_its_variable_and_no_two_are_the_same() {
        let mut seen = std::collections::BTreeSet::new();
        for name in Variable::names() {
            assert!(seen.insert(name), "{name} is there twice");
            assert!(Variable::from_name(name).is_some(), "{name}");
        }
        for variable in Variable::fixed() {
            let name = variable.to_string();
            let name = name.trim_matches(['{', '}']);
            assert_eq!(Variable::from_name(name), Some(variable), "{name}");
        }
        assert_eq!(Variable::from_name(""), None);
    }

    #[test]
    fn whatever_the_consumer_keys_is_sensitive() {
        let said = [
            Variable::CardType,
            Variable::CardBrand,
            Variable::CheckAccountType,
            Variable::CheckHolderType,
            Variable::CheckHolderName,
            Variable::CheckBankName,
            Variable::CheckSecCode,
        ];
        for variable in Variable::fixed() {
            let name = variable.to_string();
            let keyed = (name.starts_with("{card.") || name.starts_with("{check."))
                && !said.contains(&variable);
            assert_eq!(variable.is_sensitive(), keyed, "{name}");
        }
    }

    #[test]
    fn names_of_a_configuration_are_words() {
        let named = |space, word: &str| Some(Source::Named(space, word.into()));
        assert_eq!(
            Source::parse("cfg.merchant_id"),
            named(Space::Constant, "merchant_id")
        );
        assert_eq!(Source::parse("sign.digest"), named(Space::Sign, "digest"));
        assert_eq!(Source::parse("step.pm.id"), named(Space::Step, "pm.id"));
        for name in [
            "cfg.",
            "cfg.a.b",
            "secret.Key",
            "let.1",
            "sign.a-b",
            "other.x",
            "step.pm",
            "step.pm.id.x",
            "step..id",
            "step.Pm.id",
        ] {
            assert_eq!(Source::parse(name), None, "{name}");
        }
    }
}
