//! Making a request of a charge.
//! Owns: the way from configuration and slot to head and body.
//! Never: holds a digit in anything but one secret buffer of fixed size.

use bytes::Bytes;
use domain::gateway::GatewayConfig;
use http_body_util::Full;
use hyper::{Method, Request};
use secret::SecretBuffer;

use crate::failure::Failure;

mod about;
mod body_text;
mod encode;
mod escape;
mod expiry;
mod facts;
mod filtered;
mod head;
mod parameters;
mod preview;
mod taken;
mod target;
mod tree;
mod value;

pub(crate) use about::About;
use encode::{Sink, encode};
pub(crate) use escape::{each, json_char, url_char};
use facts::Facts;
pub(crate) use head::push_base64;
pub(crate) use preview::{preview, sensitive_values};
pub(crate) use taken::Taken;

/// Largest body of a request: 64 KiB. What an agent can type stays below 20 KiB even if every
/// character is escaped; the rest is for mappings. A larger one is not sent.
const BODY_BYTES_MAX: usize = 64 * 1024;

/// The request, ready to be written. Its parts are made in this order: URL, variables, body, signature, head.
/// `config` is the charge's own for the sale, or that of a step before it, or an operation's.
pub(crate) fn render(
    about: About<'_>,
    config: &GatewayConfig,
    taken: &Taken,
) -> Result<Request<Full<Bytes>>, Failure> {
    let mut facts = Facts::new(about, config, taken)?;
    let mut body = SecretBuffer::with_capacity(BODY_BYTES_MAX);
    write_body(&facts, &mut body)?;
    let headers = signed_head(&mut facts, &body)?;
    let method = match config.more.method {
        domain::gateway::Method::Post => Method::POST,
        domain::gateway::Method::Put => Method::PUT,
        domain::gateway::Method::Get => Method::GET,
    };
    let mut request = Request::builder()
        .method(method)
        .uri(&facts.target()?.path)
        .body(Full::new(Bytes::from_owner(body.expose_owned())))
        .map_err(|_| Failure::render("the path of the Service URL cannot be requested"))?;
    *request.headers_mut() = headers;
    Ok(request)
}

fn write_body<S: Sink>(facts: &Facts<'_>, sink: &mut S) -> Result<(), Failure> {
    let gateway = facts.config;
    if !facts.has_body() {
        return Ok(());
    }
    if !gateway.more.body.is_empty() {
        return body_text::write(facts, sink);
    }
    encode(
        &parameters::parameters(facts)?,
        gateway.request_type,
        gateway.more.request_format,
        sink,
    )
}

/// The head of a request whose body is final.
fn signed_head<'a>(
    facts: &mut Facts<'a>,
    body: &SecretBuffer,
) -> Result<hyper::HeaderMap, Failure> {
    facts.sign(body.expose())?;
    head::headers(facts)
}

#[cfg(test)]
mod tests;
