//! A request as it may be shown.
//! Owns: what is hidden, told by the pieces of the request itself while they are written.
//! Never: looks for digits in a finished text, or writes more of them than the last four of a card number.

use domain::boundary::Charge;
use domain::gateway::trial::{
    Preview, PreviewHeader, PreviewOperation, PreviewPart, PreviewStep, SAMPLE_OUTPUT,
};
use domain::gateway::{GatewayConfig, GatewayStep, Method, OperationKind};
use domain::money::Money;
use domain::payment::PaymentOutput;
use hyper::header::{AUTHORIZATION, CONTENT_LENGTH, HeaderMap, HeaderName, HeaderValue};
use secret::{BufferFull, Digits, SecretBuffer};
use zeroize::Zeroizing;

use super::encode::Sink;
use super::facts::Facts;
use super::value::{LAST_SHOWN, LastFour};
use super::{About, BODY_BYTES_MAX, Taken, signed_head, write_body};
use crate::failure::Failure;

/// Stands for one digit.
const DOT: &str = "\u{2022}";

/// Stands for a credential, whatever its length.
const CREDENTIAL: &str = "\u{2022}\u{2022}\u{2022}\u{2022}\u{2022}\u{2022}";

/// The request of a charge, made by the code that makes the real one, and those that may follow it.
pub(crate) fn preview(charge: &Charge) -> Result<Preview, Failure> {
    let taken = Taken::unknown(&charge.gateway);
    let steps = charge.gateway.more.steps.iter();
    let steps = steps.map(|step| (step, charge.gateway.of_step(step)));
    let kinds = charge.gateway.more.all_operations().map(|(kind, _)| kind);
    let operations = kinds.filter_map(|kind| operation(charge, kind, &taken).transpose());
    Ok(Preview {
        steps: shown_steps(charge.into(), steps, &taken)?,
        operations: operations.collect::<Result<_, _>>()?,
        ..shown(charge.into(), &charge.gateway, &taken)?
    })
}

/// An operation: the store in the charge's place, or what is asked about a charge that was answered.
fn operation(
    charge: &Charge,
    kind: OperationKind,
    taken: &Taken,
) -> Result<Option<PreviewOperation>, Failure> {
    let Some(request) = charge.gateway.of_operation(kind) else {
        return Ok(None);
    };
    let outputs = request.sale_names().into_iter().map(|name| PaymentOutput {
        name: name.into(),
        value: SAMPLE_OUTPUT.to_owned(),
    });
    let outputs: Vec<_> = outputs.collect();
    let is_store = kind == OperationKind::Store;
    let about = About {
        outputs: &outputs,
        amount: match is_store {
            true => Money {
                minor: 0,
                ..charge.form.amount
            },
            false => charge.form.amount,
        },
        charge: is_store.then_some(charge),
        ..charge.into()
    };
    let within = |failure: Failure| failure.within(&format!("the operation {}", kind.as_str()));
    let steps = charge.gateway.steps_of_operation(kind).into_iter();
    let steps = shown_steps(about, steps, taken).map_err(within)?;
    let shown = shown(about, &request, taken).map_err(within)?;
    Ok(Some(PreviewOperation {
        kind,
        method: shown.method,
        url: shown.url,
        headers: shown.headers,
        body: shown.body,
        steps,
    }))
}

/// Calls with their requests, as they would go out.
fn shown_steps<'s>(
    about: About<'_>,
    steps: impl Iterator<Item = (&'s GatewayStep, GatewayConfig)>,
    taken: &Taken,
) -> Result<Vec<PreviewStep>, Failure> {
    let steps = steps.map(|(step, request)| {
        let shown = shown(about, &request, taken);
        let shown = shown.map_err(|failure| failure.within(&format!("the step {}", step.name)))?;
        Ok(PreviewStep {
            name: step.name.clone(),
            method: shown.method,
            url: shown.url,
            headers: shown.headers,
            body: shown.body,
        })
    });
    steps.collect()
}

/// One request.
fn shown(about: About<'_>, config: &GatewayConfig, taken: &Taken) -> Result<Preview, Failure> {
    let mut facts = Facts::new(about, config, taken)?;
    let mut body = Shown::default();
    write_body(&facts, &mut body)?;
    let headers = head_of(&mut facts)?;
    let mut shown: Vec<PreviewHeader> = headers.iter().map(header).collect();
    // The HTTP layer adds it, behind all others.
    if config.more.method != Method::Get {
        shown.push(header((&CONTENT_LENGTH, &HeaderValue::from(body.bytes))));
    }
    let target = facts.target()?;
    Ok(Preview {
        method: config.more.method.as_str().to_owned(),
        url: format!("https://{}{}", target.origin.authority(), target.path),
        headers: shown,
        body: body.parts,
        steps: Vec::new(),
        operations: Vec::new(),
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
