//! HTTPS to payment gateways, the only place a digit leaves; and to recorders that are paused, by the same connections.
//! Owns: rendering, one connection per request, reading the verdict's evidence.
//! Never: redirects, pools or logs a body, sends a sale again unless the configuration says that its gateway expects it, or asks about one unless it says how.
//! Start reading at: `gateway`.

mod connection;
mod exchange;
mod failure;
mod file;
mod files;
mod gateway;
mod hook;
mod inquiry;
mod named;
mod network;
mod operation;
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
pub use hook::{
    HookCall, HookCondition, HookError, HookHeader, HookRequest, HookSettings, RecorderHook,
};
pub use named::Connections;
pub use policy::GatewayPolicy;
pub use presets::presets;
pub use proxy::{Proxy, ProxyError};
pub use trial::{DryRun, judge};
