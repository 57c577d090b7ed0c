//! People who listen to running calls of others.
//! Owns: what they see of a call, and who hears them.
//! Never: a digit, or what is said.

use serde::{Deserialize, Serialize};

use crate::access::Permission;
use crate::id::{CallId, UserId};
use crate::time::UnixMillis;
use crate::view::CallState;

/// People who may listen to one call at a time; the telephone side mixes for as many.
pub const LISTENERS_MAX: usize = 4;

/// Who hears somebody who listens.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema, Default,
)]
#[serde(rename_all = "snake_case")]
pub enum Voice {
    /// Nobody: they listen.
    #[default]
    Nobody,
    /// The agent alone: they whisper. The call's recording does not have it.
    Agent,
    /// Agent and customer: they have joined the call, and its recording has it.
    Both,
}

impl Voice {
    /// Its word in the trail.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Nobody => "nobody",
            Self::Agent => "agent",
            Self::Both => "both",
        }
    }

    /// What one must be allowed to, beside listening.
    #[must_use]
    pub fn needs(self) -> Permission {
        match self {
            Self::Nobody => Permission::CallListen,
            Self::Agent | Self::Both => Permission::CallJoin,
        }
    }
}

/// One who listens.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Listening {
    /// Their leg, as that of a call.
    pub id: CallId,
    /// Which call they listen to.
    pub call: CallId,
    /// Who.
    pub listener: UserId,
    /// Their name.
    pub name: String,
    /// Since when.
    pub since: UnixMillis,
    /// Who hears them.
    pub voice: Voice,
}

/// A call that an agent has, as somebody sees it who may listen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RunningCall {
    /// Identity.
    pub id: CallId,
    /// When it came in.
    pub began_at: UnixMillis,
    /// How far it is.
    pub state: CallState,
    /// Its agent.
    pub agent: UserId,
    /// The agent's name.
    pub agent_name: String,
    /// The customer's number or name, as sent; empty: withheld.
    pub caller: String,
    /// Nobody may join it now: a capture is open, or its service protects it as a whole.
    pub is_protected: bool,
    /// Who listens.
    pub listeners: Vec<Listening>,
}
