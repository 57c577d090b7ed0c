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
mod preview;
mod value;

use encode::encode;
pub(crate) use head::headers;
pub(crate) use preview::preview;

/// Largest body of a request: 64 KiB. What an agent can type stays below 20 KiB even if every
/// character is escaped; the rest is for mappings. A larger one is not sent.
const BODY_BYTES_MAX: usize = 64 * 1024;

/// The request, ready to be written.
pub(crate) fn render(charge: &Charge, target: &Target) -> Result<Request<Full<Bytes>>, Failure> {
    let headers = headers(charge, target)?;
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

#[cfg(test)]
mod tests;
