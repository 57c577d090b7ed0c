//! Replies in XML.
//! Owns: the walk through elements and attributes by local name.
//! Never: takes anything from a document type, resolves an entity of its own, or opens anything.

use quick_xml::events::{BytesRef, BytesStart, Event};
use quick_xml::{Reader, XmlVersion};
use zeroize::Zeroizing;

use super::doctype;
use super::hunt::{Hunt, Malformed};

/// Attributes per element. Real replies stay below 10; the parser compares each with all before it.
const ATTRIBUTES_MAX: usize = 64;

/// Walks a document with exactly one root, and before it at most one document type declaration that declares nothing itself.
pub(crate) fn read(text: &str, hunt: &mut Hunt) -> Result<(), Malformed> {
    hunt.name_root();
    let mut reader = Reader::from_str(text);
    reader.config_mut().expand_empty_elements = true;
    let mut walk = Walk {
        hunt,
        open: Vec::new(),
        rooted: false,
        declared: false,
    };
    while walk.handle(reader.read_event().map_err(|_| Malformed)?)? {}
    if walk.rooted && walk.open.is_empty() {
        Ok(())
    } else {
        Err(Malformed)
    }
}

/// An element whose end has not come.
#[derive(Default)]
struct Open {
    text: Zeroizing<String>,
    has_children: bool,
}

struct Walk<'h> {
    hunt: &'h mut Hunt,
    open: Vec<Open>,
    rooted: bool,
    declared: bool,
}

impl Walk<'_> {
    /// Takes one event; false at the end.
    fn handle(&mut self, event: Event<'_>) -> Result<bool, Malformed> {
        match event {
            Event::Start(start) | Event::Empty(start) => self.start(&start)?,
            Event::End(_) => self.end()?,
            Event::Text(text) => self.text(&text.xml10_content())?,
            Event::CData(text) => self.text(&text.xml10_content())?,
            Event::GeneralRef(reference) => {
                let c = character(&reference)?;
                self.text(c.encode_utf8(&mut [0; 4]))?;
            }
            Event::Decl(declaration) => match declaration.encoding() {
                None => {}
                Some(Ok(name)) if is_utf8(&name) => {}
                Some(_) => return Err(Malformed),
            },
            Event::PI(_) | Event::Comment(_) => {}
            Event::DocType(declaration) => self.doctype(&declaration)?,
            Event::Eof => return Ok(false),
        }
        Ok(true)
    }

    fn doctype(&mut self, declaration: &str) -> Result<(), Malformed> {
        if self.rooted || self.declared {
            return Err(Malformed);
        }
        self.declared = true;
        doctype::pass_over(declaration)
    }

    fn start(&mut self, start: &BytesStart<'_>) -> Result<(), Malformed> {
        match self.open.last_mut() {
            Some(parent) => parent.has_children = true,
            None if self.rooted => return Err(Malformed),
            None => self.rooted = true,
        }
        self.hunt.enter(start.local_name().as_ref())?;
        self.open.push(Open::default());
        for (count, attribute) in start.attributes().enumerate() {
            let attribute = attribute.map_err(|_| Malformed)?;
            if count == ATTRIBUTES_MAX {
                return Err(Malformed);
            }
            let name = format!("@{}", attribute.key.local_name().as_ref());
            let value = attribute
                .normalized_value(XmlVersion::Implicit1_0)
                .map_err(|_| Malformed)?;
            self.hunt.enter(&name)?;
            self.hunt.leaf(&value);
            self.hunt.leave();
        }
        Ok(())
    }

    fn end(&mut self) -> Result<(), Malformed> {
        let closed = self.open.pop().ok_or(Malformed)?;
        if closed.has_children {
            self.hunt.container();
        } else {
            self.hunt.leaf(&closed.text);
        }
        self.hunt.leave();
        Ok(())
    }

    fn text(&mut self, text: &str) -> Result<(), Malformed> {
        match self.open.last_mut() {
            Some(element) => element.text.push_str(text),
            None if text.trim().is_empty() => {}
            None => return Err(Malformed),
        }
        Ok(())
    }
}

fn is_utf8(encoding: &str) -> bool {
    encoding.eq_ignore_ascii_case("utf-8") || encoding.eq_ignore_ascii_case("us-ascii")
}

/// A character reference, or one of the five entities that XML itself defines.
fn character(reference: &BytesRef<'_>) -> Result<char, Malformed> {
    if let Some(c) = reference.resolve_char_ref().map_err(|_| Malformed)? {
        return Ok(c);
    }
    match reference.xml10_content().as_ref() {
        "lt" => Ok('<'),
        "gt" => Ok('>'),
        "amp" => Ok('&'),
        "apos" => Ok('\''),
        "quot" => Ok('"'),
        _ => Err(Malformed),
    }
}
