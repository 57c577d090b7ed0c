//! Making a request of a charge.
//! Owns: the way from configuration and slot to head and body.
//! Never: holds a digit in anything but one secret buffer of fixed size.

use bytes::Bytes;
use domain::boundary::Charge;
use http_body_util::Full;
use hyper::Request;
use secret::SecretBuffer;

use crate::failure::Failure;
use crate::policy::Target;

mod encode;
mod head;
mod parameters;
mod value;

use encode::{Redacted, encode};

/// Largest body of a request: 64 KiB. What an agent can type stays below 20 KiB even if every
/// character is escaped; the rest is for mappings. A larger one is not sent.
const BODY_BYTES_MAX: usize = 64 * 1024;

/// The request, ready to be written.
pub(crate) fn render(charge: &Charge, target: &Target) -> Result<Request<Full<Bytes>>, Failure> {
    let headers = head::headers(charge, target)?;
    let mut body = SecretBuffer::with_capacity(BODY_BYTES_MAX);
    encode(
        &parameters::parameters(charge)?,
        charge.gateway.request_type,
        &mut body,
    )?;
    let mut request = Request::post(&target.path)
        .body(Full::new(Bytes::from_owner(body.expose_owned())))
        .map_err(|_| Failure::render("the path of the Service URL cannot be requested"))?;
    *request.headers_mut() = headers;
    Ok(request)
}

/// What would be sent, with a dot for each captured value and no credential or mapped header.
///
/// # Errors
/// Why no request can be made of it.
pub fn dry_run(charge: &Charge) -> Result<String, String> {
    let redacted = || -> Result<String, Failure> {
        let target = Target::parse(&charge.gateway.service_url)?;
        let mut text = format!("POST {}\n", target.path);
        for (name, value) in &head::headers(charge, &target)? {
            let shown = match value.is_sensitive() {
                true => "\u{2022}",
                false => value.to_str().unwrap_or("\u{2022}"),
            };
            text.push_str(&format!("{name}: {shown}\n"));
        }
        let mut body = Redacted::default();
        encode(
            &parameters::parameters(charge)?,
            charge.gateway.request_type,
            &mut body,
        )?;
        text.push('\n');
        text.push_str(&body.0);
        Ok(text)
    };
    redacted().map_err(|failure| failure.detail)
}

#[cfg(test)]
mod tests;
