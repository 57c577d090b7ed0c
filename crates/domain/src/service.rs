//! Services, recorders and system settings.
//! Owns: which numbers lead where, who else hears a call, what is switched on.
//! Never: speaks SIP.

use serde::{Deserialize, Serialize};

use crate::id::{DesktopId, ServiceId, SinkId};

/// Numbers, their route and their desktop.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Service {
    /// Identity.
    pub id: ServiceId,
    /// 1-60 characters.
    pub name: String,
    /// User parts of request URIs that lead here; `*` takes what no other service takes.
    pub numbers: Vec<String>,
    /// Where calls go.
    pub route: Route,
    /// The desktop of calls whose agent has none of their own.
    pub desktop: DesktopId,
    /// When calls are protected.
    pub protection: ProtectionScope,
    /// Who else records (S21); none: undeclared, and captures are blocked.
    pub recorders: Option<RecorderDeclaration>,
    /// Revision.
    pub revision: i64,
}

/// Where a service's calls go.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case", tag = "to", deny_unknown_fields)]
pub enum Route {
    /// Agents with registered phones, longest idle first.
    Agents,
    /// The user named in the request URI, if registered here.
    Registered,
    /// A fixed SIP URI of a PBX, with the address to send to ("192.0.2.5:5060").
    Uri {
        /// The URI.
        uri: String,
        /// Address and port of the next hop.
        address: String,
        /// Login name of the agent whose page shows these calls.
        agent: String,
    },
}

/// When the mask is on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ProtectionScope {
    /// While a widget is open.
    Capture,
    /// The whole call.
    Always,
}

/// What a service says of its recorders (S21).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct RecorderDeclaration {
    /// Login name of who confirmed it.
    pub confirmed_by: String,
    /// When, in milliseconds since 1970.
    pub confirmed_at: crate::time::UnixMillis,
    /// The recorders; empty: "No other recorder records these calls".
    pub sinks: Vec<Sink>,
}

/// Someone who records.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Sink {
    /// Identity.
    pub id: SinkId,
    /// What people call it.
    pub name: String,
    /// What it records.
    pub medium: SinkMedium,
    /// Whether it sits behind the mask.
    pub hears: SinkHearing,
}

/// What a sink records.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum SinkMedium {
    /// The call.
    Call,
    /// The agent's screen.
    Screen,
}

/// What a sink hears.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum SinkHearing {
    /// It hears what the agent hears.
    Masked,
    /// It records on the carrier's side or in a PBX.
    Unmasked,
}

/// System settings.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(default)]
pub struct Settings {
    /// Configure > Agents > Secure Payment Capture. Off on a new installation.
    pub spc_enabled: bool,
    /// "Response variables" (S19): on means all.
    pub response_variables: bool,
    /// Revision.
    pub revision: i64,
}
