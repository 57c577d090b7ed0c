//! Bodies of parameters.
//! Owns: what JSON, form, XML and name-value make of them, written straight into its destination.
//! Never: holds a value; digits need no escaping in any of them.

use domain::gateway::{ContentType, RequestFormat};
use secret::{BufferFull, Digits, SecretBuffer};

use super::escape::{Escape, each, form_char, is_xml_char, json_char, xml_char};
use super::parameters::Parameter;
use super::tree::{Node, tree};
use super::value::{LastFour, Piece, Value};
use crate::failure::Failure;

/// Where a body is written to.
pub(crate) trait Sink {
    /// Text, already escaped.
    fn text(&mut self, text: &str) -> Result<(), BufferFull>;
    /// A credential, already escaped, piece by piece.
    fn secret(&mut self, text: &str) -> Result<(), BufferFull>;
    /// Keyed digits.
    fn digits(&mut self, digits: &Digits<'_>, last_four: LastFour) -> Result<(), BufferFull>;
}

impl Sink for SecretBuffer {
    fn text(&mut self, text: &str) -> Result<(), BufferFull> {
        self.push_bytes(text.as_bytes())
    }

    fn secret(&mut self, text: &str) -> Result<(), BufferFull> {
        self.push_bytes(text.as_bytes())
    }

    fn digits(&mut self, digits: &Digits<'_>, _: LastFour) -> Result<(), BufferFull> {
        self.push_digits(digits)
    }
}

/// Writes the body.
pub(crate) fn encode<S: Sink>(
    parameters: &[Parameter<'_>],
    as_type: ContentType,
    format: RequestFormat,
    sink: &mut S,
) -> Result<(), Failure> {
    let written = match (format, as_type) {
        (RequestFormat::NameValue, _) => name_value(parameters, sink),
        (RequestFormat::RequestType, ContentType::Json) => {
            check_bare(parameters)?;
            json(&Node::Object(tree(parameters)?), sink)
        }
        (RequestFormat::RequestType, ContentType::Form) => form(parameters, sink),
        (RequestFormat::RequestType, ContentType::Xml | ContentType::TextXml) => {
            check_xml(parameters)?;
            let root = Node::Object(tree(parameters)?);
            check_elements(&root)?;
            sink.text("<?xml version=\"1.0\" encoding=\"UTF-8\"?>")
                .and_then(|()| element("payment", &root, sink))
        }
        (RequestFormat::RequestType, ContentType::Text) => {
            return Err(Failure::render("text/plain is a type of responses only"));
        }
    };
    written.map_err(|BufferFull| Failure::render("the request is too large"))
}

/// Writes the pieces of a value, escaped.
pub(crate) fn pieces<S: Sink>(
    value: &Value<'_>,
    sink: &mut S,
    escape: Escape,
) -> Result<(), BufferFull> {
    for piece in &value.pieces {
        match piece {
            Piece::Text(text) => each(text, escape, |escaped| sink.text(escaped))?,
            Piece::Secret(text) => each(text, escape, |escaped| sink.secret(escaped))?,
            Piece::Digits(digits, last_four) => sink.digits(digits, *last_four)?,
        }
    }
    Ok(())
}

fn json<S: Sink>(node: &Node<'_, '_>, sink: &mut S) -> Result<(), BufferFull> {
    match node {
        Node::Leaf(value) if value.is_bare => pieces(value, sink, json_char),
        Node::Leaf(value) => {
            sink.text("\"")?;
            pieces(value, sink, json_char)?;
            sink.text("\"")
        }
        Node::Object(members) => {
            sink.text("{")?;
            for (index, (name, member)) in members.iter().enumerate() {
                sink.text(if index == 0 { "\"" } else { ",\"" })?;
                each(name, json_char, |escaped| sink.text(escaped))?;
                sink.text("\":")?;
                json(member, sink)?;
            }
            sink.text("}")
        }
        Node::List(places) => {
            sink.text("[")?;
            for (index, place) in places.iter().enumerate() {
                if index > 0 {
                    sink.text(",")?;
                }
                json(place, sink)?;
            }
            sink.text("]")
        }
    }
}

fn form<S: Sink>(parameters: &[Parameter<'_>], sink: &mut S) -> Result<(), BufferFull> {
    for (index, (name, value)) in parameters.iter().enumerate() {
        if index > 0 {
            sink.text("&")?;
        }
        each(name, form_char, |escaped| sink.text(escaped))?;
        sink.text("=")?;
        pieces(value, sink, form_char)?;
    }
    Ok(())
}

/// `NAME[length]=value`: the length lets any character stand in a value (PayPal Gateway Developer Guide, "Name-value parameter format").
fn name_value<S: Sink>(parameters: &[Parameter<'_>], sink: &mut S) -> Result<(), BufferFull> {
    for (index, (name, value)) in parameters.iter().enumerate() {
        if index > 0 {
            sink.text("&")?;
        }
        sink.text(&format!("{name}[{}]=", value.len()))?;
        pieces(value, sink, super::escape::as_it_is)?;
    }
    Ok(())
}

fn element<S: Sink>(name: &str, node: &Node<'_, '_>, sink: &mut S) -> Result<(), BufferFull> {
    if let Node::List(places) = node {
        return places
            .iter()
            .try_for_each(|place| element(name, place, sink));
    }
    sink.text("<")?;
    sink.text(name)?;
    if let Node::Object(members) = node {
        for (attribute, value) in members {
            if let (Some(attribute), Node::Leaf(value)) = (attribute.strip_prefix('@'), value) {
                sink.text(&format!(" {attribute}=\""))?;
                pieces(value, sink, super::escape::xml_anywhere)?;
                sink.text("\"")?;
            }
        }
    }
    sink.text(">")?;
    match node {
        Node::Leaf(value) => pieces(value, sink, xml_char)?,
        Node::Object(members) => {
            let children = members.iter().filter(|(name, _)| !name.starts_with('@'));
            for (name, child) in children {
                element(name, child, sink)?;
            }
        }
        Node::List(_) => {}
    }
    sink.text(&format!("</{name}>"))
}

/// A value without quotes is JSON by itself.
fn check_bare(parameters: &[Parameter<'_>]) -> Result<(), Failure> {
    let empty = parameters
        .iter()
        .find(|(_, value)| value.is_bare && value.is_empty());
    match empty {
        Some((name, _)) => Err(Failure::render(format!("{name} has no value"))),
        None => Ok(()),
    }
}

/// XML 1.0 cannot carry every name and every character; nothing is dropped silently.
fn check_xml(parameters: &[Parameter<'_>]) -> Result<(), Failure> {
    let wrong = parameters.iter().find(|(_, value)| !carried(value));
    match wrong {
        Some((name, _)) => Err(Failure::render(format!(
            "the value of {name} holds a character that XML cannot carry"
        ))),
        None => Ok(()),
    }
}

/// Whether XML can carry every character of it.
pub(crate) fn carried(value: &Value<'_>) -> bool {
    value.pieces.iter().all(|piece| match piece {
        Piece::Text(text) => text.chars().all(is_xml_char),
        Piece::Secret(text) => text.chars().all(is_xml_char),
        Piece::Digits(..) => true,
    })
}

/// Names of all elements and attributes.
fn check_elements(node: &Node<'_, '_>) -> Result<(), Failure> {
    match node {
        Node::Leaf(_) => Ok(()),
        Node::List(places) => places.iter().try_for_each(check_elements),
        Node::Object(members) => members.iter().try_for_each(|(name, member)| {
            let is_attribute = name.starts_with('@');
            let fits = is_element_name(name.trim_start_matches('@'));
            if !fits || (is_attribute && !matches!(member, Node::Leaf(_))) {
                return Err(Failure::render(format!(
                    "{name:?} cannot be the name of an XML element"
                )));
            }
            check_elements(member)
        }),
    }
}

fn is_element_name(name: &str) -> bool {
    let mut bytes = name.bytes();
    let first = bytes
        .next()
        .is_some_and(|byte| byte.is_ascii_alphabetic() || byte == b'_');
    first
        && bytes
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.' | b':'))
}
