//! Bodies in JSON, form and XML.
//! Owns: the escaping of each type, written straight into its destination.
//! Never: holds a value; digits need no escaping in any of the three.

use domain::gateway::ContentType;
use secret::{BufferFull, Digits, SecretBuffer};

use super::parameters::Parameter;
use super::value::{LastFour, Piece, Value};
use crate::failure::Failure;

/// Where a body is written to.
pub(crate) trait Sink {
    /// Text, already escaped.
    fn text(&mut self, text: &str) -> Result<(), BufferFull>;
    /// Keyed digits.
    fn digits(&mut self, digits: &Digits<'_>, last_four: LastFour) -> Result<(), BufferFull>;
}

impl Sink for SecretBuffer {
    fn text(&mut self, text: &str) -> Result<(), BufferFull> {
        self.push_bytes(text.as_bytes())
    }

    fn digits(&mut self, digits: &Digits<'_>, _: LastFour) -> Result<(), BufferFull> {
        self.push_digits(digits)
    }
}

/// Writes the body.
pub(crate) fn encode(
    parameters: &[Parameter<'_>],
    as_type: ContentType,
    sink: &mut impl Sink,
) -> Result<(), Failure> {
    let written = match as_type {
        ContentType::Json => json(parameters, sink),
        ContentType::Form => form(parameters, sink),
        ContentType::Xml | ContentType::TextXml => {
            check_xml(parameters)?;
            xml(parameters, sink)
        }
        ContentType::Text => return Err(Failure::render("text/plain is a type of responses only")),
    };
    written.map_err(|BufferFull| Failure::render("the request is too large"))
}

fn json(parameters: &[Parameter<'_>], sink: &mut impl Sink) -> Result<(), BufferFull> {
    sink.text("{")?;
    for (index, (name, value)) in parameters.iter().enumerate() {
        sink.text(if index == 0 { "\"" } else { ",\"" })?;
        each(name, sink, json_char)?;
        sink.text("\":\"")?;
        pieces(value, sink, json_char)?;
        sink.text("\"")?;
    }
    sink.text("}")
}

fn form(parameters: &[Parameter<'_>], sink: &mut impl Sink) -> Result<(), BufferFull> {
    for (index, (name, value)) in parameters.iter().enumerate() {
        if index > 0 {
            sink.text("&")?;
        }
        each(name, sink, form_char)?;
        sink.text("=")?;
        pieces(value, sink, form_char)?;
    }
    Ok(())
}

fn xml(parameters: &[Parameter<'_>], sink: &mut impl Sink) -> Result<(), BufferFull> {
    sink.text("<?xml version=\"1.0\" encoding=\"UTF-8\"?><payment>")?;
    for (name, value) in parameters {
        for text in ["<", name, ">"] {
            sink.text(text)?;
        }
        pieces(value, sink, xml_char)?;
        for text in ["</", name, ">"] {
            sink.text(text)?;
        }
    }
    sink.text("</payment>")
}

fn pieces<S: Sink>(value: &Value<'_>, sink: &mut S, escape: Escape<S>) -> Result<(), BufferFull> {
    for piece in &value.0 {
        match piece {
            Piece::Text(text) => each(text, sink, escape)?,
            Piece::Digits(digits, last_four) => sink.digits(digits, *last_four)?,
        }
    }
    Ok(())
}

type Escape<S> = fn(char, &mut S) -> Result<(), BufferFull>;

fn each<S: Sink>(text: &str, sink: &mut S, escape: Escape<S>) -> Result<(), BufferFull> {
    text.chars().try_for_each(|c| escape(c, sink))
}

fn as_it_is(c: char, sink: &mut impl Sink) -> Result<(), BufferFull> {
    sink.text(c.encode_utf8(&mut [0; 4]))
}

fn json_char(c: char, sink: &mut impl Sink) -> Result<(), BufferFull> {
    match c {
        '"' => sink.text("\\\""),
        '\\' => sink.text("\\\\"),
        c if c.is_control() || matches!(c, '\u{2028}' | '\u{2029}') => {
            sink.text(&format!("\\u{:04x}", u32::from(c)))
        }
        c => as_it_is(c, sink),
    }
}

fn form_char(c: char, sink: &mut impl Sink) -> Result<(), BufferFull> {
    match c {
        ' ' => sink.text("+"),
        c if c.is_ascii_alphanumeric() || matches!(c, '*' | '-' | '.' | '_') => as_it_is(c, sink),
        c => {
            let mut utf8 = [0; 4];
            let mut bytes = c.encode_utf8(&mut utf8).bytes();
            bytes.try_for_each(|byte| sink.text(&format!("%{byte:02X}")))
        }
    }
}

fn xml_char(c: char, sink: &mut impl Sink) -> Result<(), BufferFull> {
    match c {
        '&' => sink.text("&amp;"),
        '<' => sink.text("&lt;"),
        '>' => sink.text("&gt;"),
        '\r' => sink.text("&#13;"),
        c => as_it_is(c, sink),
    }
}

/// XML 1.0 cannot carry every name and every character; nothing is dropped silently.
fn check_xml(parameters: &[Parameter<'_>]) -> Result<(), Failure> {
    for (name, value) in parameters {
        if !is_element_name(name) {
            return Err(Failure::render(format!(
                "{name:?} cannot be the name of an XML element"
            )));
        }
        let carried = value.0.iter().all(|piece| match piece {
            Piece::Text(text) => text.chars().all(is_xml_char),
            Piece::Digits(..) => true,
        });
        if !carried {
            return Err(Failure::render(format!(
                "the value of {name} holds a character that XML cannot carry"
            )));
        }
    }
    Ok(())
}

fn is_element_name(name: &str) -> bool {
    let mut bytes = name.bytes();
    let first = bytes
        .next()
        .is_some_and(|byte| byte.is_ascii_alphabetic() || byte == b'_');
    first && bytes.all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.'))
}

fn is_xml_char(c: char) -> bool {
    matches!(c, '\t' | '\n' | '\r' | ' '..='\u{D7FF}' | '\u{E000}'..='\u{FFFD}' | '\u{10000}'..)
}
