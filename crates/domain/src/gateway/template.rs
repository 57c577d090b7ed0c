//! Mapping values: literal text with tokens in braces.
//! Owns: the closed list of tokens and what each may appear in.
//! Never: renders one; the gateway room does, and digits only into a secret buffer.

use std::fmt;

use crate::payment::form_parameter;

/// Longest mapping value in bytes: a page of text. Longer ones are refused.
pub const TEMPLATE_BYTES_MAX: usize = 2_000;

/// A parsed mapping value.
///
/// A token is a name with a dot in braces, `{card.number}`; braces around anything else are plain text, and `\{` is a brace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Template {
    parts: Vec<Part>,
}

/// A part of a template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Part {
    /// Text as it is.
    Literal(String),
    /// A value that is known when the charge is made.
    Token(Variable),
}

/// Why a text is no template.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TemplateError {
    /// No such token.
    #[error("there is no token {{{0}}}; the list of tokens is beside the field")]
    UnknownToken(String),
    /// Longer than [`TEMPLATE_BYTES_MAX`].
    #[error("a value has at most {TEMPLATE_BYTES_MAX} characters")]
    TooLong,
    /// A line break or another control character.
    #[error("a value has no line breaks or control characters")]
    ControlCharacter,
}

impl Template {
    /// Reads a mapping value.
    ///
    /// # Errors
    /// Unknown tokens, control characters, excessive length.
    pub fn parse(text: &str) -> Result<Self, TemplateError> {
        if text.len() > TEMPLATE_BYTES_MAX {
            return Err(TemplateError::TooLong);
        }
        if text.chars().any(char::is_control) {
            return Err(TemplateError::ControlCharacter);
        }
        let mut template = Self { parts: Vec::new() };
        let mut rest = text;
        while let Some(at) = rest.find(['{', '\\']) {
            template.push_literal(&rest[..at]);
            rest = template.take_special(&rest[at..])?;
        }
        template.push_literal(rest);
        Ok(template)
    }

    /// Takes a brace or a backslash with what belongs to it and returns what follows.
    fn take_special<'t>(&mut self, text: &'t str) -> Result<&'t str, TemplateError> {
        if let Some(after) = text.strip_prefix("\\{") {
            self.push_literal("{");
            return Ok(after);
        }
        if let Some(inner) = token_name(text) {
            let variable = Variable::from_name(inner)
                .ok_or_else(|| TemplateError::UnknownToken(inner.to_owned()))?;
            self.parts.push(Part::Token(variable));
            return Ok(&text[inner.len() + 2..]);
        }
        self.push_literal(&text[..1]);
        Ok(&text[1..])
    }

    fn push_literal(&mut self, text: &str) {
        if text.is_empty() {
            return;
        }
        match self.parts.last_mut() {
            Some(Part::Literal(literal)) => literal.push_str(text),
            Some(Part::Token(_)) | None => self.parts.push(Part::Literal(text.to_owned())),
        }
    }

    /// Its parts, in order; none for an empty text.
    #[must_use]
    pub fn parts(&self) -> &[Part] {
        &self.parts
    }

    /// Its tokens, in order.
    pub fn variables(&self) -> impl Iterator<Item = Variable> {
        self.parts.iter().filter_map(|part| match part {
            Part::Token(variable) => Some(*variable),
            Part::Literal(_) => None,
        })
    }
}

/// The name in the braces that `text` begins with, if it is shaped like a token: words with a dot between, perhaps with a filter.
fn token_name(text: &str) -> Option<&str> {
    let inner = text.strip_prefix('{')?;
    let inner = &inner[..inner.find('}')?];
    let (name, _) = inner.split_once('|').unwrap_or((inner, ""));
    let (space, word) = name.split_once('.')?;
    let clean = |text: &str| {
        !text.is_empty()
            && text
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'-'))
    };
    let begins = space.starts_with(|first: char| first.is_ascii_alphabetic());
    (begins && clean(space) && clean(word)).then_some(inner)
}

/// A value that a mapping may name. A closed list: anything else is refused when the widget is saved.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Variable {
    /// `{card.number}`
    CardNumber,
    /// `{card.expiry}`: MMYY.
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
    /// `{check.routing_number}`
    CheckRoutingNumber,
    /// `{check.account_number}`
    CheckAccountNumber,
    /// `{payment.amount}`: 120.50.
    PaymentAmount,
    /// `{payment.amount_minor}`: 12050.
    PaymentAmountMinor,
    /// `{payment.currency}`: USD.
    PaymentCurrency,
    /// `{payment.reference}`: ours, what people read to each other.
    PaymentReference,
    /// `{payment.attempt}`: ours, unique for each attempt.
    PaymentAttempt,
    /// `{form.firstName}` and so on: what the agent typed, by its standard name.
    Form(&'static str),
    /// `{call.id}`
    CallId,
    /// `{call.called}`: the number that was called.
    CallCalled,
    /// `{agent.name}`
    AgentName,
}

impl Variable {
    /// All but the form's.
    pub const FIXED: [Self; 20] = [
        Self::CardNumber,
        Self::CardExpiry,
        Self::CardExpiryMonth,
        Self::CardExpiryYear,
        Self::CardExpiryYearShort,
        Self::CardSecurityCode,
        Self::CardFirstSix,
        Self::CardLastFour,
        Self::CardMasked,
        Self::CardType,
        Self::CheckRoutingNumber,
        Self::CheckAccountNumber,
        Self::PaymentAmount,
        Self::PaymentAmountMinor,
        Self::PaymentCurrency,
        Self::PaymentReference,
        Self::PaymentAttempt,
        Self::CallId,
        Self::CallCalled,
        Self::AgentName,
    ];

    /// The variable of a token's name, without braces.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        if let Some(parameter) = name.strip_prefix("form.") {
            return form_parameter(parameter).map(|known| Self::Form(known.name));
        }
        Self::FIXED
            .into_iter()
            .find(|variable| variable.word() == name)
    }

    fn word(self) -> &'static str {
        match self {
            Self::CardNumber => "card.number",
            Self::CardExpiry => "card.expiry",
            Self::CardExpiryMonth => "card.expiry_month",
            Self::CardExpiryYear => "card.expiry_year",
            Self::CardExpiryYearShort => "card.expiry_year_short",
            Self::CardSecurityCode => "card.security_code",
            Self::CardFirstSix => "card.first6",
            Self::CardLastFour => "card.last4",
            Self::CardMasked => "card.masked",
            Self::CardType => "card.type",
            Self::CheckRoutingNumber => "check.routing_number",
            Self::CheckAccountNumber => "check.account_number",
            Self::PaymentAmount => "payment.amount",
            Self::PaymentAmountMinor => "payment.amount_minor",
            Self::PaymentCurrency => "payment.currency",
            Self::PaymentReference => "payment.reference",
            Self::PaymentAttempt => "payment.attempt",
            Self::Form(name) => name,
            Self::CallId => "call.id",
            Self::CallCalled => "call.called",
            Self::AgentName => "agent.name",
        }
    }

    /// True for values made of keyed digits: they go from the capture's slot into a secret buffer and nowhere else.
    #[must_use]
    pub fn is_secret_digits(self) -> bool {
        match self {
            Self::CardNumber
            | Self::CardExpiry
            | Self::CardExpiryMonth
            | Self::CardExpiryYear
            | Self::CardExpiryYearShort
            | Self::CardSecurityCode
            | Self::CardFirstSix
            | Self::CardLastFour
            | Self::CardMasked
            | Self::CheckRoutingNumber
            | Self::CheckAccountNumber => true,
            Self::CardType
            | Self::PaymentAmount
            | Self::PaymentAmountMinor
            | Self::PaymentCurrency
            | Self::PaymentReference
            | Self::PaymentAttempt
            | Self::Form(_)
            | Self::CallId
            | Self::CallCalled
            | Self::AgentName => false,
        }
    }

    /// True for values that may stand in the request's body only, never in a URL or header (SETTLED S15, S18).
    #[must_use]
    pub fn is_sensitive(self) -> bool {
        self.is_secret_digits()
    }
}

/// The token as it is written, braces included.
impl fmt::Display for Variable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let space = if matches!(self, Self::Form(_)) {
            "form."
        } else {
            ""
        };
        write!(f, "{{{space}{}}}", self.word())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(text: &str) -> Vec<Part> {
        Template::parse(text).unwrap().parts().to_vec()
    }

    fn literal(text: &str) -> Part {
        Part::Literal(text.to_owned())
    }

    #[test]
    fn text_and_tokens_keep_their_order() {
        assert_eq!(
            parts("ref-{payment.reference}/{form.firstName}!"),
            [
                literal("ref-"),
                Part::Token(Variable::PaymentReference),
                literal("/"),
                Part::Token(Variable::Form("firstName")),
                literal("!"),
            ]
        );
        assert_eq!(parts(""), []);
    }

    #[test]
    fn every_token_reads_back_from_its_own_text() {
        let form = crate::payment::FORM_PARAMETERS
            .iter()
            .map(|parameter| Variable::Form(parameter.name));
        for variable in Variable::FIXED.into_iter().chain(form) {
            assert_eq!(parts(&variable.to_string()), [Part::Token(variable)]);
        }
    }

    #[test]
    fn braces_without_a_dotted_name_are_text() {
        for text in [
            "{ id }",
            r#"{"a":"b"}"#,
            "{id}",
            "{",
            "}",
            "{}",
            "a{b",
            "{\"x\":1.5}",
        ] {
            assert_eq!(parts(text), [literal(text)], "{text}");
        }
        assert_eq!(parts(r"\{card.number}"), [literal("{card.number}")]);
        assert_eq!(parts(r"a\b"), [literal(r"a\b")]);
    }

    #[test]
    fn unknown_tokens_and_filters_are_named_in_the_error() {
        for name in [
            "card.cvv",
            "form.pan",
            "card.number|upper",
            "secret.key",
            "card.",
        ] {
            let parsed = Template::parse(&format!("x{{{name}}}"));
            if name == "card." {
                assert!(parsed.is_ok(), "{name} has no word after its dot");
            } else {
                assert_eq!(parsed, Err(TemplateError::UnknownToken(name.to_owned())));
            }
        }
    }

    #[test]
    fn line_breaks_and_overlong_values_are_refused() {
        for text in ["a\r\nX: y", "a\n", "\0"] {
            assert_eq!(Template::parse(text), Err(TemplateError::ControlCharacter));
        }
        assert_eq!(
            Template::parse(&"a".repeat(TEMPLATE_BYTES_MAX + 1)),
            Err(TemplateError::TooLong)
        );
    }

    #[test]
    fn whatever_the_consumer_keys_is_sensitive() {
        for variable in Variable::FIXED {
            let name = variable.to_string();
            let keyed = (name.starts_with("{card.") || name.starts_with("{check."))
                && variable != Variable::CardType;
            assert_eq!(variable.is_sensitive(), keyed, "{name}");
            assert_eq!(variable.is_secret_digits(), keyed, "{name}");
        }
    }
}
