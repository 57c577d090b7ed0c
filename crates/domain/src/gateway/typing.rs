//! Whether what a template makes fits where it stands.
//! Owns: what each place may hold (docs/decisions/0008), and the names that a configuration defines.
//! Never: knows a value.

use std::collections::{BTreeMap, BTreeSet};

use super::OperationKind;
use super::filter::Filter;
use super::template::{Part, Template, TemplateError, TemplateFault, Token};
use super::variable::{Kind, Source, Space, Variable};
use crate::capture::PaymentType;

/// Where a template stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// A parameter's value, or the text of the body.
    Body,
    /// A header's value, or a part of Basic.
    Header,
    /// A value of `let`.
    Let,
    /// A value of `sign`.
    Sign,
    /// Path or query of a URL.
    Url,
}

/// What a template makes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Typed {
    /// Of which kind.
    pub kind: Kind,
    /// Whether a credential is in it.
    pub is_secret: bool,
}

impl Typed {
    const TEXT: Self = Self {
        kind: Kind::Text,
        is_secret: false,
    };
}

/// The names that a configuration defines, and what each is.
#[derive(Debug, Clone)]
pub struct Scope {
    payment_type: PaymentType,
    /// It is an operation's, which is made when everything that was captured and typed is gone, but for the store; none: the sale's.
    operation: Option<OperationKind>,
    named: BTreeMap<(&'static str, Box<str>), Typed>,
    /// Names that stand for something in the sale only.
    gone: BTreeSet<(&'static str, Box<str>)>,
}

impl Scope {
    /// One in which nothing is defined.
    #[must_use]
    pub fn new(payment_type: PaymentType) -> Self {
        Self {
            payment_type,
            operation: None,
            named: BTreeMap::new(),
            gone: BTreeSet::new(),
        }
    }

    /// The same for an operation.
    #[must_use]
    pub fn of_operation(payment_type: PaymentType, kind: OperationKind) -> Self {
        Self {
            operation: Some(kind),
            ..Self::new(payment_type)
        }
    }

    /// The sale's scope for the store, which takes its place.
    #[must_use]
    pub fn for_store(self) -> Self {
        Self {
            operation: Some(OperationKind::Store),
            ..self
        }
    }

    /// Notes a name that stands for something in the sale only.
    pub fn define_gone(&mut self, space: Space, name: &str) {
        self.gone.insert((space.prefix(), name.into()));
    }

    /// Defines a name; false if it is there already.
    pub fn define(&mut self, space: Space, name: &str, typed: Typed) -> bool {
        let key = (space.prefix(), name.into());
        self.named.insert(key, typed).is_none()
    }

    /// Defines a constant or a secret.
    pub fn define_text(&mut self, space: Space, name: &str) -> bool {
        let typed = Typed {
            is_secret: space == Space::Secret,
            ..Typed::TEXT
        };
        self.define(space, name, typed)
    }

    fn of(&self, source: &Source, place: Place) -> Result<Typed, TemplateFault> {
        match source {
            Source::Named(Space::Secret, _) if place == Place::Url => {
                Err(TemplateFault::Secret(source.clone()))
            }
            Source::Named(Space::Let | Space::Sign, _) if place == Place::Url => {
                Err(TemplateFault::NotInUrl(source.clone()))
            }
            Source::Named(space, name) => {
                let key = (space.prefix(), name.clone());
                if let Some(found) = self.named.get(&key) {
                    return Ok(*found);
                }
                Err(match self.gone.contains(&key) {
                    true => TemplateFault::Gone(source.clone()),
                    false => TemplateFault::Undefined(source.clone()),
                })
            }
            Source::Fixed(variable) => {
                let kind = variable.kind();
                match self.operation.filter(|kind| !kind.knows(*variable)) {
                    None => {}
                    Some(OperationKind::Store) => {
                        return Err(TemplateFault::NotStored(source.clone()));
                    }
                    Some(_) => return Err(TemplateFault::Gone(source.clone())),
                }
                if is_of_other(*variable, self.payment_type) {
                    return Err(TemplateFault::Foreign(source.clone()));
                }
                if kind.is_keyed() && place != Place::Body {
                    return Err(TemplateFault::Captured(source.clone()));
                }
                if *variable == Variable::BodyRaw && place != Place::Sign {
                    return Err(TemplateFault::SignatureOnly(source.clone()));
                }
                if place == Place::Url && variable.is_of_request() {
                    return Err(TemplateFault::NotInUrl(source.clone()));
                }
                Ok(Typed {
                    kind,
                    is_secret: false,
                })
            }
        }
    }

    fn token(&self, token: &Token, place: Place) -> Result<Typed, TemplateFault> {
        let mut typed = self.of(&token.source, place)?;
        for filter in &token.filters {
            let misfit = || TemplateFault::Misfit(filter.to_string(), typed.kind);
            let kind = filter.gives(typed.kind).ok_or_else(misfit)?;
            let mut is_secret = typed.is_secret;
            if let Filter::Hmac(_, key) = filter {
                let key = self.of(key, place)?;
                if !matches!(key.kind, Kind::Text | Kind::Bytes) {
                    return Err(TemplateFault::Misfit(filter.to_string(), key.kind));
                }
                // What is keyed with a secret does not tell it.
                is_secret = false;
            }
            typed = Typed { kind, is_secret };
        }
        if place == Place::Url && typed.is_secret {
            return Err(TemplateFault::Secret(token.source.clone()));
        }
        let is_body = token.source == Source::Fixed(Variable::BodyRaw);
        let is_hashed = token
            .filters
            .first()
            .is_some_and(|filter| matches!(filter, Filter::Hash(_) | Filter::Hmac(..)));
        if is_body && !is_hashed {
            return Err(TemplateFault::Unhashed(token.source.clone()));
        }
        Ok(typed)
    }
}

impl Template {
    /// What it makes where it stands.
    ///
    /// # Errors
    /// A name that is not defined, a filter that does not fit, a value that may not stand there; with its place in the text.
    pub fn check(&self, place: Place, scope: &Scope) -> Result<Typed, TemplateError> {
        let mut all = Vec::new();
        for token in self.tokens() {
            let typed = scope.token(token, place);
            let typed = typed.map_err(|fault| fault.at(token))?;
            let is_alone = self.parts().len() == 1;
            let is_computed = matches!(place, Place::Let | Place::Sign);
            if typed.kind == Kind::Bytes && !(is_alone && is_computed) {
                return Err(TemplateFault::Bytes(token.source.clone()).at(token));
            }
            all.push(typed);
        }
        let is_secret = all.iter().any(|typed| typed.is_secret);
        let kind = match (self.parts(), all.as_slice()) {
            ([Part::Token(_)], [typed]) => typed.kind,
            _ => Kind::Text,
        };
        Ok(Typed { kind, is_secret })
    }
}

/// A card's value in a check widget, or the other way round.
fn is_of_other(variable: Variable, payment_type: PaymentType) -> bool {
    let name = variable.to_string();
    match payment_type {
        PaymentType::Card => name.starts_with("{check."),
        PaymentType::Check => name.starts_with("{card."),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scope() -> Scope {
        let mut scope = Scope::new(PaymentType::Card);
        scope.define_text(Space::Constant, "merchant");
        scope.define_text(Space::Secret, "key");
        let bytes = Typed {
            kind: Kind::Bytes,
            is_secret: true,
        };
        scope.define(Space::Let, "shared", bytes);
        scope
    }

    fn check(text: &str, place: Place) -> Result<Typed, String> {
        let template = Template::parse(text).unwrap();
        template
            .check(place, &scope())
            .map_err(|error| error.to_string())
    }

    #[test]
    fn one_token_keeps_its_kind_and_more_make_text() {
        for (text, kind) in [
            ("{card.number}", Kind::Digits),
            ("{card.expiry|MM/YY}", Kind::Digits),
            ("{payment.amount}", Kind::Amount),
            ("{payment.amount|minor|int}", Kind::Bare),
            ("{payment.amount|minor}", Kind::Text),
            ("-{payment.amount|minor|int}", Kind::Text),
            ("fixed", Kind::Text),
            ("", Kind::Text),
        ] {
            assert_eq!(check(text, Place::Body).unwrap().kind, kind, "{text}");
        }
    }

    #[test]
    fn secrets_stay_secret_through_filters_and_text() {
        for (text, is_secret) in [
            ("{secret.key}", true),
            ("Key {secret.key|upper}", true),
            ("{secret.key|sha256|hex}", true),
            ("{cfg.merchant}", false),
            ("{payment.reference|hmac256:secret.key|hex}", false),
        ] {
            let typed = check(text, Place::Header).unwrap();
            assert_eq!(typed.is_secret, is_secret, "{text}");
        }
    }

    /// Text, where it stands, what is said.
    const REFUSED: &[(&str, Place, &str)] = &[
        (
            "a{card.number}",
            Place::Header,
            "character 2: {card.number} may stand in the body only, never in a header, a URL or a computation",
        ),
        (
            "{card.expiry|MMYY}",
            Place::Let,
            "character 1: {card.expiry} may stand in the body only, never in a header, a URL or a computation",
        ),
        (
            "{cfg.merhcant}",
            Place::Body,
            "character 1: {cfg.merhcant} is not defined here",
        ),
        (
            "{sign.digest}",
            Place::Body,
            "character 1: {sign.digest} is not defined here",
        ),
        (
            "{body.raw|sha256|hex}",
            Place::Header,
            "character 1: {body.raw} is known in a signature only",
        ),
        (
            "{body.raw}",
            Place::Sign,
            "character 1: {body.raw} needs a hash behind it, for example {body.raw|sha256|hex}",
        ),
        (
            "{body.raw|b64}",
            Place::Sign,
            "character 1: {body.raw} needs a hash behind it, for example {body.raw|sha256|hex}",
        ),
        (
            "x{let.shared}",
            Place::Sign,
            "character 2: {let.shared} gives bytes; end with hex or b64",
        ),
        (
            "{let.shared}",
            Place::Header,
            "character 1: {let.shared} gives bytes; end with hex or b64",
        ),
        (
            "{card.number|upper}",
            Place::Body,
            "character 1: \u{201c}upper\u{201d} does not take captured digits",
        ),
        (
            "{card.expiry|iso}",
            Place::Body,
            "character 1: \u{201c}iso\u{201d} does not take an expiry date",
        ),
        (
            "{payment.amount|upper}",
            Place::Body,
            "character 1: \u{201c}upper\u{201d} does not take an amount",
        ),
        (
            "{payment.reference|hmac256:payment.amount}",
            Place::Sign,
            "character 1: \u{201c}hmac256\u{201d} does not take an amount",
        ),
        (
            "{payment.reference|hmac256:card.number}",
            Place::Sign,
            "character 1: {card.number} may stand in the body only, never in a header, a URL or a computation",
        ),
        (
            "{check.routing}",
            Place::Body,
            "character 1: {check.routing_number} is not captured by this kind of widget",
        ),
    ];

    #[test]
    fn every_place_has_its_own_rules() {
        for (text, place, said) in REFUSED {
            assert_eq!(check(text, *place), Err((*said).to_owned()), "{text}");
        }
        assert!(check("{body.raw|sha256|b64}", Place::Sign).is_ok());
        assert!(check("{let.shared}", Place::Sign).is_ok());
    }
}
