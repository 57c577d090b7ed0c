//! A body that is written as a whole.
//! Owns: how a token is escaped where it stands, and a body within a form field.
//! Never: parses what an administrator wrote; that was done when it was saved.

use domain::gateway::template::Part;
use domain::gateway::{BodyKind, Template};
use secret::{BufferFull, Digits};

use super::encode::{Sink, carried, pieces};
use super::escape::{as_it_is, each, form_char, json_char, xml_anywhere};
use super::facts::Facts;
use super::filtered::Unfit;
use super::value::{LastFour, Value};
use crate::failure::Failure;

/// Writes the text of the body, in its form field if it has one.
pub(crate) fn write<S: Sink>(facts: &Facts<'_>, sink: &mut S) -> Result<(), Failure> {
    let gateway = facts.config;
    let kind = BodyKind::of(gateway);
    let field = &gateway.more.body_form_field;
    if field.is_empty() {
        return text(facts, kind, sink);
    }
    each(field, form_char, |escaped| sink.text(escaped))
        .and_then(|()| sink.text("="))
        .map_err(too_large)?;
    text(facts, kind, &mut InForm(sink))
}

fn text<S: Sink>(facts: &Facts<'_>, kind: BodyKind, sink: &mut S) -> Result<(), Failure> {
    let wrong = |why: &str| Failure::render(format!("the body: {why}"));
    let template = Template::parse_lines(&facts.config.more.body);
    let template = template.map_err(|error| wrong(&error.to_string()))?;
    let mut quotes = false;
    let mut is_escaped = false;
    for part in template.parts() {
        match part {
            Part::Literal(text) => {
                for c in text.chars() {
                    (quotes, is_escaped) = match c {
                        _ if is_escaped => (quotes, false),
                        '\\' => (quotes, quotes),
                        '"' => (!quotes, false),
                        _ => (quotes, false),
                    };
                }
                sink.text(text).map_err(too_large)?;
            }
            Part::Token(token) => {
                let value = facts.value(&Template::of_token(token.clone()));
                let value = value
                    .map_err(|Unfit(why)| wrong(&format!("the value of {} {why}", token.source)))?;
                token_text(&value, kind, quotes, sink)?;
            }
        }
    }
    Ok(())
}

fn token_text<S: Sink>(
    value: &Value<'_>,
    kind: BodyKind,
    quotes: bool,
    sink: &mut S,
) -> Result<(), Failure> {
    let written = match kind {
        BodyKind::Json if !quotes && value.is_empty() => sink.text("null"),
        BodyKind::Json => pieces(value, sink, json_char),
        BodyKind::Xml if !carried(value) => {
            let why = "the body: a value holds a character that XML cannot carry";
            return Err(Failure::render(why));
        }
        BodyKind::Xml => pieces(value, sink, xml_anywhere),
        BodyKind::Form => pieces(value, sink, form_char),
        BodyKind::Text => pieces(value, sink, as_it_is),
    };
    written.map_err(too_large)
}

fn too_large(_: BufferFull) -> Failure {
    Failure::render("the request is too large")
}

/// What is written into it is a form field's value.
struct InForm<'s, S>(&'s mut S);

impl<S: Sink> Sink for InForm<'_, S> {
    fn text(&mut self, text: &str) -> Result<(), BufferFull> {
        each(text, form_char, |escaped| self.0.text(escaped))
    }

    fn secret(&mut self, text: &str) -> Result<(), BufferFull> {
        each(text, form_char, |escaped| self.0.secret(escaped))
    }

    fn digits(&mut self, digits: &Digits<'_>, last_four: LastFour) -> Result<(), BufferFull> {
        self.0.digits(digits, last_four)
    }
}
