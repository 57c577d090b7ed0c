//! HTTPS to payment gateways, the only place a digit leaves.
//! Owns: rendering, one connection per request, reading the verdict's evidence.
//! Never: retries, redirects, pools or logs a body.
//! Start reading at: `gateway`.

mod connection;
mod exchange;
mod failure;
mod gateway;
mod policy;
mod prepared;
mod reply;
mod request;
mod steps;
mod trial;

pub use gateway::{HttpsGateway, SetupError, read_roots};
pub use policy::GatewayPolicy;
