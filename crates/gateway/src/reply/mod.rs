//! Reading a gateway's answer.
//! Owns: the way from a body to evidence, a message and what is kept.
//! Never: believes a Content-Type, logs a byte of a body, or keeps it.

use domain::gateway::{
    AtKey, ConditionList, ContentType, Evidence, GatewayConfig, Key, KeyFound, MissingKey,
    Refinement, ResponseFormat, VerdictRule, rule,
};

mod doctype;
mod hunt;
mod json;
mod pairs;
mod scrub;
mod veil;
mod wanted;
mod xml;

pub(crate) use hunt::Header;
use hunt::{Hunt, Malformed};
pub(crate) use scrub::{Captured, excerpt, scrubbed, scrubbed_value};
pub(crate) use veil::without;
use wanted::{Checked, Wanted};
pub(crate) use wanted::{Output, Spot, Text};

/// A reply that came to its end.
pub(crate) struct Whole<'a> {
    /// HTTP status.
    pub(crate) status: u16,
    /// Headers that the configuration asks for.
    pub(crate) headers: &'a [Header],
    /// The body.
    pub(crate) body: &'a [u8],
}

/// What a reply showed.
pub(crate) struct Reading {
    /// For the verdict.
    pub(crate) evidence: Evidence,
    refined: Refinement,
    conditions: Vec<Checked>,
    /// Where the success key was found, and what stands there.
    pub(crate) success: Option<Spot>,
    /// The agent message.
    pub(crate) message: Option<Text>,
    /// What is kept.
    pub(crate) outputs: Vec<Output>,
}

impl Reading {
    /// No reply came to its end.
    pub(crate) fn of_nothing() -> Self {
        Self::unread(None)
    }

    /// A reply that is not what the configuration says.
    fn unread(status: Option<u16>) -> Self {
        Self {
            evidence: Evidence {
                status,
                parsed: false,
                key: KeyFound::Absent,
            },
            refined: Refinement::default(),
            conditions: Vec::new(),
            success: None,
            message: None,
            outputs: Vec::new(),
        }
    }

    /// The line of the verdict's table that fits.
    pub(crate) fn rule(&self, missing_key: MissingKey) -> VerdictRule {
        rule(self.evidence, missing_key, self.refined)
    }

    /// The first line of `also` that does not hold.
    pub(crate) fn also_broken(&self) -> Option<usize> {
        self.refined.also_broken
    }

    /// The condition that a rule rests on, and what stands at its key.
    pub(crate) fn decided(
        &self,
        rule: VerdictRule,
    ) -> Option<(ConditionList, usize, Option<&Spot>)> {
        let (list, line) = self.refined.decided(rule)?;
        let mut checked = self.conditions.iter();
        let found = checked.find(|one| one.list == list && one.line == line)?;
        Some((list, line, found.spot.as_ref()))
    }
}

/// Names of the headers that have to be kept of a reply, in lower case.
pub(crate) fn headers_asked(config: &GatewayConfig) -> Vec<String> {
    Wanted::of(config).headers()
}

/// Reads a complete reply as the configuration says: one walk finds all keys.
pub(crate) fn read(reply: &Whole<'_>, config: &GatewayConfig) -> Reading {
    let wanted = Wanted::of(config);
    let mut hunt = wanted.hunt();
    hunt.head(reply.status, reply.headers);
    if walk(reply.body, config, &mut hunt).is_err() {
        return Reading::unread(Some(reply.status));
    }
    let found = hunt.finish();
    let (key, success) = wanted.success(&found);
    let (refined, conditions) = wanted.conditions(&found);
    Reading {
        evidence: Evidence {
            status: Some(reply.status),
            parsed: true,
            key,
        },
        refined,
        conditions,
        success,
        message: wanted.message(&found),
        outputs: wanted.outputs(&found),
    }
}

/// Whether what stands at a key of a body in JSON passes; nothing does in a body that is none.
pub(crate) fn holds_in_json(body: &[u8], key: &Key, test: impl Fn(AtKey<'_>) -> bool) -> bool {
    let mut hunt = Hunt::new([key.clone()]);
    let walked = std::str::from_utf8(body)
        .map_err(|_| Malformed)
        .and_then(|text| json::read(text, &mut hunt));
    let found = hunt.finish();
    walked.is_ok() && found.first().is_some_and(|found| test(found.at_key()))
}

fn walk(body: &[u8], config: &GatewayConfig, hunt: &mut Hunt) -> Result<(), Malformed> {
    let body = body.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(body);
    let text = std::str::from_utf8(body).map_err(|_| Malformed)?;
    if text.contains(|c: char| c.is_ascii_control() && !matches!(c, '\t' | '\r' | '\n')) {
        return Err(Malformed);
    }
    match (config.more.response_format, config.response_type) {
        (ResponseFormat::NameValue, _) => pairs::read_name_value(text, hunt),
        (ResponseFormat::ResponseType, ContentType::Json) => json::read(text, hunt),
        (ResponseFormat::ResponseType, ContentType::Form) => pairs::read_form(text, hunt),
        (ResponseFormat::ResponseType, ContentType::Xml | ContentType::TextXml) => {
            xml::read(text, hunt)
        }
        (ResponseFormat::ResponseType, ContentType::Text) => pairs::read_text(text, hunt),
    }
}

#[cfg(test)]
mod tests;
