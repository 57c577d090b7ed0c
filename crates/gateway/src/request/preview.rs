//! A request as it may be shown.
//! Owns: what is hidden, told by the pieces of the request itself while they are written.
//! Never: looks for digits in a finished text, or writes more of them than the last four of a card number.

use domain::boundary::Charge;
use domain::gateway::GatewayConfig;
use domain::gateway::trial::{Preview, PreviewHeader, PreviewPart, PreviewStep};
use hyper::header::{AUTHORIZATION, CONTENT_LENGTH, HeaderMap, HeaderName, HeaderValue};
use secret::{BufferFull, Digits, SecretBuffer};
use zeroize::Zeroizing;

use super::encode::Sink;
use super::facts::Facts;
use super::value::{LAST_SHOWN, LastFour};
use super::{BODY_BYTES_MAX, Taken, signed_head, write_body};
use crate::failure::Failure;

/// Stands for one digit.
const DOT: &str = "\u{2022}";

/// Stands for a credential, whatever its length.
const CREDENTIAL: &str = "\u{2022}\u{2022}\u{2022}\u{2022}\u{2022}\u{2022}";

/// The request of a charge, made by the code that makes the real one.
pub(crate) fn preview(charge: &Charge) -> Result<Preview, Failure> {
    let taken = Taken::unknown(&charge.gateway);
    let steps = charge.gateway.more.steps.iter().map(|step| {
        let shown = shown(charge, &charge.gateway.of_step(step), &taken);
        let shown = shown.map_err(|failure| failure.within(&format!("the step {}", step.name)))?;
        Ok(PreviewStep {
            name: step.name.clone(),
            method: shown.method,
            url: shown.url,
            headers: shown.headers,
            body: shown.body,
        })
    });
    let steps = steps.collect::<Result<_, _>>()?;
    Ok(Preview {
        steps,
        ..shown(charge, &charge.gateway, &taken)?
    })
}

/// One request of a charge.
fn shown(charge: &Charge, config: &GatewayConfig, taken: &Taken) -> Result<Preview, Failure> {
    let mut facts = Facts::new(charge.into(), config, taken)?;
    let mut body = Shown::default();
    write_body(&facts, &mut body)?;
    let headers = head_of(&mut facts)?;
    let mut shown: Vec<PreviewHeader> = headers.iter().map(header).collect();
    // The HTTP layer adds it, behind all others.
    shown.push(header((&CONTENT_LENGTH, &HeaderValue::from(body.bytes))));
    let target = facts.target()?;
    Ok(Preview {
        method: config.more.method.as_str().to_owned(),
        url: format!("https://{}{}", target.origin.authority(), target.path),
        headers: shown,
        body: body.parts,
        steps: Vec::new(),
    })
}

/// The head, signed over the body that would be sent.
fn head_of(facts: &mut Facts<'_>) -> Result<HeaderMap, Failure> {
    let mut body = SecretBuffer::with_capacity(BODY_BYTES_MAX);
    write_body(facts, &mut body)?;
    signed_head(facts, &body)
}

/// Values of sensitive headers, those that are computed too.
pub(crate) fn sensitive_values(
    charge: &Charge,
    config: &GatewayConfig,
    taken: &Taken,
) -> Vec<Zeroizing<String>> {
    let headers =
        Facts::new(charge.into(), config, taken).and_then(|mut facts| head_of(&mut facts));
    let headers = headers.unwrap_or_default();
    let sensitive = headers.values().filter(|value| value.is_sensitive());
    let values = sensitive
        .filter_map(|value| value.to_str().ok())
        .map(|text| text.strip_prefix("Basic ").unwrap_or(text));
    values.map(|text| Zeroizing::new(text.to_owned())).collect()
}

/// The value of a sensitive header is hidden as a whole, but for the scheme of Basic authentication.
fn header((name, value): (&HeaderName, &HeaderValue)) -> PreviewHeader {
    let mut parts = Vec::new();
    match value.to_str() {
        Ok(text) if !value.is_sensitive() => PreviewPart::push(&mut parts, text, false),
        Ok(_) | Err(_) => {
            if name == AUTHORIZATION && value.as_bytes().starts_with(b"Basic ") {
                PreviewPart::push(&mut parts, "Basic ", false);
            }
            PreviewPart::push(&mut parts, CREDENTIAL, true);
        }
    }
    PreviewHeader {
        name: title_case(name.as_str()),
        value: parts,
    }
}

/// As the HTTP layer writes names: `Content-Type`.
fn title_case(name: &str) -> String {
    let mut begins = true;
    let letters = name.chars().map(|c| {
        let written = if begins { c.to_ascii_uppercase() } else { c };
        begins = c == '-';
        written
    });
    letters.collect()
}

/// A body that is shown. It has the bytes of the real one, and ends where that would.
#[derive(Default)]
struct Shown {
    parts: Vec<PreviewPart>,
    bytes: usize,
    /// The last piece was a part of a credential, which shows once.
    in_secret: bool,
}

impl Shown {
    fn count(&mut self, bytes: usize) -> Result<(), BufferFull> {
        self.bytes += bytes;
        match self.bytes > BODY_BYTES_MAX {
            true => Err(BufferFull),
            false => Ok(()),
        }
    }
}

impl Sink for Shown {
    fn text(&mut self, text: &str) -> Result<(), BufferFull> {
        self.in_secret = false;
        PreviewPart::push(&mut self.parts, text, false);
        self.count(text.len())
    }

    fn secret(&mut self, text: &str) -> Result<(), BufferFull> {
        if !std::mem::replace(&mut self.in_secret, true) {
            PreviewPart::push(&mut self.parts, CREDENTIAL, true);
        }
        self.count(text.len())
    }

    fn digits(&mut self, digits: &Digits<'_>, last_four: LastFour) -> Result<(), BufferFull> {
        self.in_secret = false;
        let shown = match last_four {
            LastFour::Shown => LAST_SHOWN.min(digits.len()),
            LastFour::Hidden => 0,
        };
        let hidden = digits.len() - shown;
        PreviewPart::push(&mut self.parts, &DOT.repeat(hidden), true);
        if let Some(end) = digits.part(hidden..digits.len()) {
            for digit in end.expose() {
                let digit = char::from(*digit);
                PreviewPart::push(&mut self.parts, digit.encode_utf8(&mut [0; 4]), true);
            }
        }
        self.count(digits.len())
    }
}
