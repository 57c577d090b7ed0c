//! Texts with tokens in braces.
//! Owns: how a text is read.
//! Never: renders one; the gateway room does, and digits only into a secret buffer.

use std::fmt;

use super::filter::{Filter, FilterError};
use super::variable::{Kind, Source, Variable};

/// Longest mapping value in bytes: a page of text. Longer ones are refused.
pub const TEMPLATE_BYTES_MAX: usize = 2_000;

/// Longest text of a whole body in bytes; the longest that is known, a SOAP envelope, has four thousand.
pub const BODY_BYTES_MAX: usize = 16_000;

/// Filters of one token. Real ones have three at most.
const FILTERS_MAX: usize = 8;

/// A parsed text.
///
/// A token is a name with a dot in braces, `{card.number}`, perhaps with filters, `{payment.amount|minor|int}`; braces around anything else are plain text,
/// and `\{` is a brace.
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
    Token(Token),
}

/// A name and what is done with its value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Token {
    /// Which character of the text it begins with, from 1.
    pub at: usize,
    /// Where the value comes from.
    pub source: Source,
    /// What is done with it, from left to right.
    pub filters: Vec<Filter>,
}

/// What is wrong with a template, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TemplateError {
    /// Which character it begins with, from 1; none: the whole text.
    pub at: Option<usize>,
    /// What.
    pub fault: TemplateFault,
}

impl std::error::Error for TemplateError {}

impl fmt::Display for TemplateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.at {
            Some(at) => write!(f, "character {at}: {}", self.fault),
            None => self.fault.fmt(f),
        }
    }
}

/// What can be wrong with a template.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TemplateFault {
    /// No such token.
    #[error("there is no token {{{name}}}{}", Meant(.like))]
    UnknownToken {
        /// Its name.
        name: String,
        /// One that is written much like it.
        like: Option<&'static str>,
    },
    /// The configuration does not define it.
    #[error("{0} is not defined here")]
    Undefined(Source),
    /// No such filter, or not with this argument.
    #[error("\u{201c}{0}\u{201d} {1}")]
    Filter(String, FilterError),
    /// More than [`FILTERS_MAX`].
    #[error("a token has at most {FILTERS_MAX} filters")]
    Filters,
    /// A filter that does not take such a value.
    #[error("\u{201c}{0}\u{201d} does not take {1}")]
    Misfit(String, Kind),
    /// A captured value outside the body.
    #[error("{0} may stand in the body only, never in a header, a URL or a computation")]
    Captured(Source),
    /// A credential where everybody reads it.
    #[error("{0} is a secret, which a URL never holds")]
    Secret(Source),
    /// What is known once the URL is.
    #[error("{0} may not stand in a URL, which holds constants and facts of the payment")]
    NotInUrl(Source),
    /// What another place only knows.
    #[error("{0} is known in a signature only")]
    SignatureOnly(Source),
    /// The body as it is, beside other text or without a hash.
    #[error("{0} needs a hash behind it, for example {{body.raw|sha256|hex}}")]
    Unhashed(Source),
    /// Bytes in a text.
    #[error("{0} gives bytes; end with hex or b64")]
    Bytes(Source),
    /// A value that nobody has any more when an operation is made.
    #[error(
        "{0} is gone after the sale; an operation knows payment.amount, payment.currency, payment.reference, payment.attempt, {{sale.name}} of what is kept, and a schedule what was arranged"
    )]
    Gone(Source),
    /// A fact of the arrangement in the request that stores.
    #[error(
        "{0} is of what is due later, which a store says nothing of; more.operations.schedule does"
    )]
    NotStored(Source),
    /// A value of the other kind of widget.
    #[error("{0} is not captured by this kind of widget")]
    Foreign(Source),
    /// Longer than allowed.
    #[error("a value has at most {0} characters")]
    TooLong(usize),
    /// A line break or another control character.
    #[error("a value has no line breaks or control characters")]
    ControlCharacter,
}

/// "; did you mean ...?"
struct Meant<'a>(&'a Option<&'static str>);

impl fmt::Display for Meant<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(name) => write!(f, "; did you mean {{{name}}}?"),
            None => f.write_str("; the list of tokens is beside the field"),
        }
    }
}

impl TemplateFault {
    pub(super) fn at(self, token: &Token) -> TemplateError {
        TemplateError {
            at: Some(token.at),
            fault: self,
        }
    }

    fn of_all(self) -> TemplateError {
        TemplateError {
            at: None,
            fault: self,
        }
    }
}

impl Template {
    /// Reads a mapping value: one line.
    ///
    /// # Errors
    /// Unknown tokens and filters, control characters, excessive length.
    pub fn parse(text: &str) -> Result<Self, TemplateError> {
        if text.len() > TEMPLATE_BYTES_MAX {
            return Err(TemplateFault::TooLong(TEMPLATE_BYTES_MAX).of_all());
        }
        if text.chars().any(char::is_control) {
            return Err(TemplateFault::ControlCharacter.of_all());
        }
        Self::read(text)
    }

    /// Reads a text of several lines: a whole body, or what is signed.
    ///
    /// # Errors
    /// As [`Template::parse`], but line breaks and tabs are text.
    pub fn parse_lines(text: &str) -> Result<Self, TemplateError> {
        if text.len() > BODY_BYTES_MAX {
            return Err(TemplateFault::TooLong(BODY_BYTES_MAX).of_all());
        }
        if text.contains(|c: char| c.is_control() && !matches!(c, '\n' | '\r' | '\t')) {
            return Err(TemplateFault::ControlCharacter.of_all());
        }
        Self::read(text)
    }

    /// One that holds this token alone.
    #[must_use]
    pub fn of_token(token: Token) -> Self {
        Self {
            parts: vec![Part::Token(token)],
        }
    }

    fn read(text: &str) -> Result<Self, TemplateError> {
        let mut template = Self { parts: Vec::new() };
        let mut rest = text;
        while let Some(at) = rest.find(['{', '\\']) {
            template.push_literal(&rest[..at]);
            let special = &rest[at..];
            let before = &text[..text.len() - special.len()];
            rest = template.take_special(special, before.chars().count() + 1)?;
        }
        template.push_literal(rest);
        Ok(template)
    }

    /// Takes a brace or a backslash with what belongs to it and returns what follows.
    fn take_special<'t>(&mut self, text: &'t str, at: usize) -> Result<&'t str, TemplateError> {
        if let Some(after) = text.strip_prefix("\\{") {
            self.push_literal("{");
            return Ok(after);
        }
        if let Some(inner) = token_text(text) {
            let token = Token::parse(inner, at).map_err(|fault| TemplateError {
                at: Some(at),
                fault,
            })?;
            self.parts.push(Part::Token(token));
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
    pub fn tokens(&self) -> impl Iterator<Item = &Token> {
        self.parts.iter().filter_map(|part| match part {
            Part::Token(token) => Some(token),
            Part::Literal(_) => None,
        })
    }
}

impl Token {
    fn parse(text: &str, at: usize) -> Result<Self, TemplateFault> {
        let mut words = text.split('|');
        let name = words.next().unwrap_or_default();
        let source = Source::parse(name).ok_or_else(|| TemplateFault::UnknownToken {
            name: name.to_owned(),
            like: like(name),
        })?;
        let filters: Vec<Filter> = words
            .map(|word| {
                Filter::parse(word).map_err(|error| TemplateFault::Filter(word.into(), error))
            })
            .collect::<Result<_, _>>()?;
        if filters.len() > FILTERS_MAX {
            return Err(TemplateFault::Filters);
        }
        Ok(Self {
            at,
            source,
            filters,
        })
    }
}

/// What the braces hold that `text` begins with, if it is shaped like a token: words with a dot between, perhaps with filters.
fn token_text(text: &str) -> Option<&str> {
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

/// The known name that shares its space and is nearest by single letters; none if all are far.
fn like(name: &str) -> Option<&'static str> {
    const FAR: usize = 4;
    let near = Variable::names().map(|known| (distance(known, name), known));
    let nearest = near.min_by_key(|(distance, _)| *distance);
    nearest
        .filter(|(distance, _)| *distance < FAR)
        .map(|(_, known)| known)
}

/// Letters to change, add or remove (Levenshtein).
fn distance(one: &str, other: &str) -> usize {
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (at, a) in one.bytes().enumerate() {
        let mut diagonal = row[0];
        row[0] = at + 1;
        for (place, b) in other.bytes().enumerate() {
            let changed = diagonal + usize::from(a != b);
            diagonal = row[place + 1];
            row[place + 1] = changed.min(row[place] + 1).min(diagonal + 1);
        }
    }
    row.last().copied().unwrap_or_default()
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

    fn token(at: usize, name: &str, filters: &[Filter]) -> Part {
        Part::Token(Token {
            at,
            source: Source::parse(name).unwrap(),
            filters: filters.to_vec(),
        })
    }

    #[test]
    fn text_and_tokens_keep_their_order() {
        assert_eq!(
            parts("réf-{payment.reference}/{form.firstName|upper|truncate:9}!"),
            [
                literal("réf-"),
                token(5, "payment.reference", &[]),
                literal("/"),
                token(25, "form.firstName", &[Filter::Upper, Filter::Truncate(9)]),
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
        for variable in Variable::fixed().chain(form) {
            let text = variable.to_string();
            assert_eq!(parts(&text), [token(1, text.trim_matches(['{', '}']), &[])]);
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
            "{card.}",
        ] {
            assert_eq!(parts(text), [literal(text)], "{text}");
        }
        assert_eq!(parts(r"\{card.number}"), [literal("{card.number}")]);
        assert_eq!(parts(r"a\b"), [literal(r"a\b")]);
    }

    #[test]
    fn what_is_wrong_is_named_with_its_place() {
        for (text, said) in [
            (
                "x{card.cvvv}",
                "character 2: there is no token {card.cvvv}; did you mean {card.cvv}?",
            ),
            (
                "{form.pan}",
                "character 1: there is no token {form.pan}; the list of tokens is beside the field",
            ),
            (
                "a {payment.amount|minr}",
                "character 3: \u{201c}minr\u{201d} is no filter; the list of filters is beside the field",
            ),
            (
                "{form.city|upper|upper|upper|upper|upper|upper|upper|upper|upper}",
                "character 1: a token has at most 8 filters",
            ),
            ("a\nb", "a value has no line breaks or control characters"),
        ] {
            assert_eq!(Template::parse(text).unwrap_err().to_string(), said);
        }
    }

    #[test]
    fn line_breaks_and_overlong_values_are_refused() {
        for text in ["a\r\nX: y", "a\n", "\0"] {
            let error = Template::parse(text).unwrap_err();
            assert_eq!(error.fault, TemplateFault::ControlCharacter);
        }
        assert!(Template::parse(&"a".repeat(TEMPLATE_BYTES_MAX + 1)).is_err());
        assert!(Template::parse_lines("a\r\n\tb").is_ok());
        assert!(Template::parse_lines("\0").is_err());
        assert!(Template::parse_lines(&"a".repeat(BODY_BYTES_MAX + 1)).is_err());
    }
}
