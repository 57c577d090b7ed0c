//! Headers of every answer.
//! Owns: what browsers are told not to do.
//! Never: differs by route but for the page itself.

use axum::extract::{Request, State};
use axum::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, HeaderName, REFERRER_POLICY, STRICT_TRANSPORT_SECURITY,
    X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};
use axum::http::{HeaderMap, HeaderValue};
use axum::middleware::Next;
use axum::response::Response;

use crate::app::Shared;

/// Whether pages that open this one, or that it opens, reach its window.
pub(crate) const OPENER: HeaderName = HeaderName::from_static("cross-origin-opener-policy");
const RESOURCE: HeaderName = HeaderName::from_static("cross-origin-resource-policy");
const PERMISSIONS: HeaderName = HeaderName::from_static("permissions-policy");

/// For everything that is no page.
const NOTHING: &str = "default-src 'none'; frame-ancestors 'none'; base-uri 'none'";
/// Microphone and screen are for our own page, also where another site's frame lets it use them; no sensor and no other interface is used.
const DEVICES: &str = "accelerometer=(), camera=(), display-capture=(self), geolocation=(), gyroscope=(), hid=(), magnetometer=(), microphone=(self), midi=(), payment=(), serial=(), usb=()";
/// A year.
const TRANSPORT: &str = "max-age=31536000";

/// Adds what an answer does not have yet.
pub(crate) async fn layer(State(app): State<Shared>, request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    // Old browsers know no list of origins; the page's own policy holds one.
    if app.embedding.is_empty() || !headers.contains_key(CONTENT_SECURITY_POLICY) {
        default(headers, X_FRAME_OPTIONS, "DENY");
    }
    default(headers, CONTENT_SECURITY_POLICY, NOTHING);
    default(headers, CACHE_CONTROL, "no-store");
    default(headers, X_CONTENT_TYPE_OPTIONS, "nosniff");
    default(headers, REFERRER_POLICY, "no-referrer");
    default(headers, OPENER, "same-origin");
    default(headers, RESOURCE, "same-origin");
    default(headers, PERMISSIONS, DEVICES);
    if app.secure {
        default(headers, STRICT_TRANSPORT_SECURITY, TRANSPORT);
    }
    response
}

fn default(headers: &mut HeaderMap, name: HeaderName, value: &'static str) {
    headers
        .entry(name)
        .or_insert(HeaderValue::from_static(value));
}

/// The policy of the page. React Aria's one style element carries the nonce.
/// `embedding`: origins whose pages may show it.
pub(crate) fn page_policy(nonce: &str, frame_hosts: &[String], embedding: &[String]) -> String {
    let around = match embedding {
        [] => "'none'".to_owned(),
        origins => format!("'self' {}", origins.join(" ")),
    };
    let frames = match frame_hosts {
        [] => String::new(),
        hosts => format!(" frame-src https://{};", hosts.join(" https://")),
    };
    format!(
        "default-src 'none';{frames} script-src 'self'; style-src 'self' 'nonce-{nonce}'; img-src 'self' data:; font-src 'self'; connect-src 'self'; media-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'self'; object-src 'none'; frame-ancestors {around}"
    )
}
