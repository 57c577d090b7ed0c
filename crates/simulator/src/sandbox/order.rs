//! A request to charge, as the sandbox understands it.
//! Owns: reading JSON, forms and XML with the standard parameter names.
//! Never: keeps a number after the request is answered.

use std::collections::BTreeMap;

use quick_xml::Reader;
use quick_xml::events::Event;
use zeroize::Zeroizing;

use super::ledger::{LedgerRow, RowStatus};

/// What was ordered. Its values are wiped on drop.
pub(super) struct Order(BTreeMap<String, Zeroizing<String>>);

impl Order {
    /// Reads the body of a charge; the error says what is wrong, without a value.
    pub(super) fn parse(content_type: &str, body: &[u8]) -> Result<Self, String> {
        Self::parse_with(content_type, body, &["amount", "reference"])?.with_number()
    }

    /// Reads what is to be stored: it has no amount.
    pub(super) fn parse_store(content_type: &str, body: &[u8]) -> Result<Self, String> {
        Self::parse_with(content_type, body, &["reference"])?.with_number()
    }

    fn with_number(self) -> Result<Self, String> {
        match self.number() {
            "" => Err("cardNumber is missing, and so is accountNumber".to_owned()),
            _ => Ok(self),
        }
    }

    /// Reads a plan that belongs to a charge or to something stored: nothing keyed is in it.
    pub(super) fn parse_schedule(content_type: &str, body: &[u8]) -> Result<Self, String> {
        let needed = [
            "amount",
            "reference",
            "authCode",
            "startDate",
            "count",
            "each",
        ];
        Self::parse_with(content_type, body, &needed)
    }

    /// Reads a body by its Content-Type that has these parameters; the error says what is wrong, without a value.
    pub(super) fn parse_with(
        content_type: &str,
        body: &[u8],
        needed: &[&str],
    ) -> Result<Self, String> {
        let text = std::str::from_utf8(body).map_err(|_| "the body is not UTF-8")?;
        let kind = content_type.split(';').next().unwrap_or("").trim();
        let values = match kind {
            "application/json" => json(text),
            "application/x-www-form-urlencoded" => form(text),
            "application/xml" | "text/xml" => xml(text),
            _ => return Err("the Content-Type is none of JSON, form and XML".to_owned()),
        };
        let order =
            Self(values.ok_or_else(|| format!("the body is no {kind} with one level of text"))?);
        for name in needed {
            if order.text(name).is_empty() {
                return Err(format!("{name} is missing"));
            }
        }
        Ok(order)
    }

    /// A parameter that is no secret; empty if it is not there.
    pub(super) fn text(&self, name: &str) -> &str {
        self.0.get(name).map_or("", |value| value.trim())
    }

    /// The card or account number.
    pub(super) fn number(&self) -> &str {
        match self.text("cardNumber") {
            "" => self.text("accountNumber"),
            card => card,
        }
    }

    /// The row of its charge, without a number of ours.
    pub(super) fn row(&self) -> LedgerRow {
        let number = self.number();
        let is_card = !self.text("cardNumber").is_empty();
        LedgerRow {
            at_ms: LedgerRow::now_ms(),
            status: RowStatus::Charged,
            of: String::new(),
            reference: self.text("reference").to_owned(),
            attempt: self.text("attempt").to_owned(),
            amount: self.text("amount").to_owned(),
            currency: self.text("currency").to_owned(),
            kind: if is_card { "card" } else { "check" }.to_owned(),
            last_four: number
                .get(number.len().saturating_sub(4)..)
                .unwrap_or("")
                .to_owned(),
            auth_code: String::new(),
        }
    }

    /// The row of what is stored, without a number of ours.
    pub(super) fn stored(&self) -> LedgerRow {
        LedgerRow {
            status: RowStatus::Stored,
            ..self.row()
        }
    }

    /// The row of a plan, without a number of ours.
    pub(super) fn plan(&self, before: &LedgerRow) -> LedgerRow {
        LedgerRow {
            status: RowStatus::Scheduled,
            of: before.auth_code.clone(),
            kind: "plan".to_owned(),
            ..self.row()
        }
    }
}

type Values = Option<BTreeMap<String, Zeroizing<String>>>;

fn json(text: &str) -> Values {
    let values: BTreeMap<String, String> = serde_json::from_str(text).ok()?;
    Some(
        values
            .into_iter()
            .map(|(name, value)| (name, Zeroizing::new(value)))
            .collect(),
    )
}

fn form(text: &str) -> Values {
    let values: Vec<(String, String)> = serde_html_form::from_str(text).ok()?;
    Some(
        values
            .into_iter()
            .map(|(name, value)| (name, Zeroizing::new(value)))
            .collect(),
    )
}

fn xml(text: &str) -> Values {
    let mut reader = Reader::from_str(text);
    let mut values = BTreeMap::new();
    let mut open: Vec<String> = Vec::new();
    let mut value = Zeroizing::new(String::new());
    loop {
        match reader.read_event().ok()? {
            Event::Start(start) => {
                open.push(start.name().as_ref().to_owned());
                value = Zeroizing::new(String::new());
            }
            Event::Text(part) => value.push_str(&part.xml10_content()),
            Event::CData(part) => value.push_str(&part.xml10_content()),
            Event::GeneralRef(reference) => value.push(character(&reference)?),
            Event::End(_) => {
                let name = open.pop()?;
                if open.len() == 1 {
                    values.insert(name, std::mem::take(&mut value));
                }
            }
            Event::DocType(_) => return None,
            Event::Eof => return open.is_empty().then_some(values),
            Event::Empty(_) | Event::Comment(_) | Event::Decl(_) | Event::PI(_) => {}
        }
        if open.len() > 2 {
            return None;
        }
    }
}

fn character(reference: &quick_xml::events::BytesRef<'_>) -> Option<char> {
    if let Some(c) = reference.resolve_char_ref().ok()? {
        return Some(c);
    }
    match reference.xml10_content().as_ref() {
        "lt" => Some('<'),
        "gt" => Some('>'),
        "amp" => Some('&'),
        "apos" => Some('\''),
        "quot" => Some('"'),
        _ => None,
    }
}
