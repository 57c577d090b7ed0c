//! HTTPS to payment gateways, the only place a digit leaves.
//! Owns: rendering, one connection per request, reading the verdict's evidence.
//! Never: redirects, pools or logs a body, or sends a sale again unless the configuration says that its gateway expects it.
//! Start reading at: `gateway`.

mod connection;
mod exchange;
mod failure;
mod file;
mod files;
mod gateway;
mod named;
mod policy;
mod prepared;
mod presets;
mod proxy;
mod replay;
mod reply;
mod request;
mod steps;
mod tls;
mod trial;

pub use file::{FileProblem, Places, Read, read, read_case};
pub use files::{ClientCertificate, FileError, read_password, read_roots};
pub use gateway::{HttpsGateway, SetupError};
pub use named::Connections;
pub use policy::GatewayPolicy;
pub use presets::presets;
pub use proxy::{Proxy, ProxyError};
pub use trial::{DryRun, judge};
