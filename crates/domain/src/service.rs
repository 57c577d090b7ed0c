//! Services, recorders and system settings.
//! Owns: which numbers lead where, who else hears a call, what is switched on.
//! Never: speaks SIP.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::access::{GroupName, User};
use crate::gateway::GatewayConfig;
use crate::hours::Hours;
use crate::id::{DesktopId, ServiceId, SinkId, UserId};
use crate::number_pool::NumberPool;
use crate::outbound::Outbound;
use crate::pairing::Pairing;
use crate::queue::Queue;
use crate::widget::DraftProblem;

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
    /// How its calls find their agents, where the route is a PBX without a fixed agent.
    #[serde(default)]
    pub pairing: Pairing,
    /// Numbers that are reserved for agents, where its route is a PBX without a fixed agent; none: there are no such.
    #[serde(default)]
    pub pool: Option<NumberPool>,
    /// When it takes new calls; none: always.
    #[serde(default)]
    pub hours: Option<Box<Hours>>,
    /// How its agents call out; none: they do not.
    #[serde(default)]
    pub outbound: Option<Outbound>,
    /// How its callers wait while no agent is free, where the route leads to agents; none: they do not.
    #[serde(default)]
    pub queue: Option<Queue>,
    /// The desktop of calls whose agent has none of their own.
    pub desktop: DesktopId,
    /// When calls are protected.
    pub protection: ProtectionScope,
    /// How long no other call rings for its agent after a call, 0-600 s.
    #[serde(default)]
    pub after_call_s: u16,
    /// What a transfer by the agent's phone, or by the PBX, does while a capture is open (S39).
    #[serde(default)]
    pub on_transfer: OnTransfer,
    /// Whether this server records the calls.
    #[serde(default)]
    pub call_recording: CallRecording,
    /// Whether this server records the agent's screen.
    #[serde(default)]
    pub screen_recording: ScreenRecording,
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
    Agents {
        /// Those of this group alone, also while nobody is in it; none: all.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        group: Option<GroupName>,
    },
    /// The user named in the request URI, if registered here.
    Registered,
    /// A fixed SIP URI of a PBX, with the address to send to ("192.0.2.5:5060").
    Uri {
        /// The URI.
        uri: String,
        /// Address and port of the next hop.
        address: String,
        /// Login name of the agent whose page shows these calls; none: whoever is paired with one of them.
        #[serde(default)]
        agent: Option<String>,
    },
    /// A trunk of the server's file, at the places that it has there.
    Trunk {
        /// Its name.
        trunk: String,
        /// The number that is called there; none: the one that was called here.
        #[serde(default)]
        number: Option<String>,
        /// Login name of the agent whose page shows these calls; none: whoever is paired with one of them.
        #[serde(default)]
        agent: Option<String>,
    },
}

impl Route {
    /// It leads out of here, to a PBX or a carrier.
    #[must_use]
    pub fn leads_out(&self) -> bool {
        match self {
            Self::Uri { .. } | Self::Trunk { .. } => true,
            Self::Agents { .. } | Self::Registered => false,
        }
    }

    /// To agents who are free, of one group or of all.
    #[must_use]
    pub fn leads_to_agents(&self) -> bool {
        matches!(self, Self::Agents { .. })
    }

    /// The group whose agents alone take its calls; none: they are for any.
    #[must_use]
    pub fn group(&self) -> Option<&GroupName> {
        match self {
            Self::Agents { group } => group.as_ref(),
            Self::Registered | Self::Uri { .. } | Self::Trunk { .. } => None,
        }
    }

    /// Its calls, and those out, are for this agent, as far as groups say.
    #[must_use]
    pub fn is_for(&self, agent: &User) -> bool {
        self.group()
            .is_none_or(|group| agent.groups.contains(group))
    }

    /// Login name of the agent who has all its calls, where it leads out of here.
    #[must_use]
    pub fn fixed_agent(&self) -> Option<&str> {
        match self {
            Self::Uri { agent, .. } | Self::Trunk { agent, .. } => agent.as_deref(),
            Self::Agents { .. } | Self::Registered => None,
        }
    }
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

/// What becomes of a transfer that the agent's phone or the PBX asks for by signalling (REFER, INVITE with `Replaces`) while a capture is open. Without
/// one, it is carried out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum OnTransfer {
    /// It is refused with 603.
    #[default]
    Refuse,
    /// The capture is ended first, its digits are wiped. While a charge is on its way, or a value is shown, it is refused all the same.
    EndCapture,
}

/// Days for which recordings may be kept: ten years at most.
pub const KEEP_DAYS: std::ops::RangeInclusive<u16> = 1..=3_650;

/// Whether this server records a service's calls, and how long it keeps them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CallRecording {
    /// When calls are recorded.
    pub when: RecordWhen,
    /// Days after which a recording is deleted, 1-3,650. Those that were made before a change keep their day.
    pub keep_days: u16,
}

impl Service {
    /// A called number leads here by name.
    #[must_use]
    pub fn has_number(&self, called: &str) -> bool {
        let is_of_pool = |pool: &NumberPool| pool.has(called);
        self.numbers.iter().any(|own| own == called) || self.pool.as_ref().is_some_and(is_of_pool)
    }

    /// Its calls ring at a PBX, and their agents are found afterwards.
    #[must_use]
    pub fn pairs(&self) -> bool {
        self.route.leads_out() && self.route.fixed_agent().is_none()
    }

    /// How its callers wait; none: they do not, or its calls do not go to agents.
    #[must_use]
    pub fn waiting(&self) -> Option<&Queue> {
        self.queue.as_ref().filter(|_| self.route.leads_to_agents())
    }

    /// An agent may key a code on their own phone to get a call of it.
    #[must_use]
    pub fn hears_code_of(&self, agent: &UserId) -> bool {
        self.pairs() && self.pairing.code && self.pairing.takes(agent)
    }
}

impl Default for CallRecording {
    /// Nothing is recorded.
    fn default() -> Self {
        Self {
            when: RecordWhen::Never,
            keep_days: 90,
        }
    }
}

/// Whether this server records the screens of a service's agents during calls, and how long it keeps that.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ScreenRecording {
    /// When screens are recorded.
    pub when: ScreenWhen,
    /// What has to be shared.
    pub surfaces: ScreenSurfaces,
    /// Without a shared screen no Basic capture begins (S21).
    pub required: bool,
    /// Days after which a recording is deleted, 1-3,650. Those that were made before a change keep their day.
    pub keep_days: u16,
}

impl Default for ScreenRecording {
    /// Nothing is recorded.
    fn default() -> Self {
        Self {
            when: ScreenWhen::Never,
            surfaces: ScreenSurfaces::Any,
            required: false,
            keep_days: 90,
        }
    }
}

/// What an agent has to share.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ScreenSurfaces {
    /// A screen, a window or a tab.
    Any,
    /// An entire screen.
    EntireScreen,
}

impl ScreenSurfaces {
    /// Its name in the API and in audit entries.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Any => "any",
            Self::EntireScreen => "entire_screen",
        }
    }
}

/// When this server records calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum RecordWhen {
    /// Never.
    Never,
    /// From when the agent says so until the agent says so or the call ends.
    OnDemand,
    /// From when both sides are connected until the call ends, if the server's file names a folder for recordings.
    Always,
}

impl RecordWhen {
    /// Its name in the API and in audit entries.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Never => "never",
            Self::OnDemand => "on_demand",
            Self::Always => "always",
        }
    }
}

/// When this server records the screens of agents: a share is begun by the agent in any case, so nothing of it is on demand.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ScreenWhen {
    /// Never.
    Never,
    /// During calls, while the agent shares it.
    Always,
}

impl ScreenWhen {
    /// Its name in the API and in audit entries.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Never => "never",
            Self::Always => "always",
        }
    }
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
    /// Name of the recorder in the server's file by which this server can pause it; none: nothing here reaches it.
    #[serde(default)]
    pub control: Option<String>,
}

impl Sink {
    /// This server's own recorder. It hears what the agent hears, is declared by nobody, and is paused as the others are.
    #[must_use]
    pub fn own() -> Self {
        Self {
            id: SinkId::from_random(0),
            name: "Tonewall".to_owned(),
            medium: SinkMedium::Call,
            hears: SinkHearing::Masked,
            control: None,
        }
    }

    /// This server's own recorder of the agent's screen, behind the mask as the agent is.
    #[must_use]
    pub fn own_screen() -> Self {
        Self {
            id: SinkId::from_random(1),
            medium: SinkMedium::Screen,
            ..Self::own()
        }
    }

    /// It is this server's own recorder of calls.
    #[must_use]
    pub fn is_own(&self) -> bool {
        self.id == SinkId::from_random(0)
    }

    /// It is this server's own recorder of screens.
    #[must_use]
    pub fn is_own_screen(&self) -> bool {
        self.id == SinkId::from_random(1)
    }
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

impl SinkMedium {
    /// Its name in the API and in audit entries.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Call => "call",
            Self::Screen => "screen",
        }
    }
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
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(default)]
pub struct Settings {
    /// Configure > Agents > Secure Payment Capture. Off on a new installation.
    pub spc_enabled: bool,
    /// "Response variables" (S19).
    pub response_variables: ResponseVariables,
    /// Revision.
    pub revision: i64,
}

/// Longest key of a gateway's response, and most keys of the list.
pub const RESPONSE_KEY_CHARS_MAX: usize = 200;
/// Most keys of the list.
pub const RESPONSE_KEYS_MAX: usize = 50;

/// Which keys of a gateway's response a widget may show to its agent (S19).
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case", tag = "allow", deny_unknown_fields)]
pub enum ResponseVariables {
    /// None: no message of a gateway is shown.
    #[default]
    None,
    /// These keys.
    Listed {
        /// Keys as a widget's "Response Agent Message Key" has them.
        names: BTreeSet<String>,
    },
    /// Every key.
    All,
}

impl ResponseVariables {
    /// Whether a widget with this "Response Agent Message Key" shows the message. A key that is not allowed is ignored.
    fn allow(&self, key: &str) -> bool {
        match self {
            Self::None => false,
            Self::Listed { names } => names.contains(key.trim()),
            Self::All => true,
        }
    }

    /// Takes the fall-back keys from a gateway that are not allowed, from its operations those of their messages, and says whether its message may be shown.
    #[must_use]
    pub fn restrict(&self, gateway: &mut GatewayConfig) -> bool {
        gateway.more.message_keys.retain(|key| self.allow(key));
        for operation in gateway.more.all_operations_mut() {
            if !self.allow(&operation.agent_message_key) {
                operation.agent_message_key.clear();
                operation.message_keys.clear();
            }
            operation.message_keys.retain(|key| self.allow(key));
        }
        self.allow(&gateway.agent_message_key)
    }

    /// The same with keys as they are compared.
    ///
    /// # Errors
    /// What is wrong with the list.
    pub fn parse(self) -> Result<Self, DraftProblem> {
        let Self::Listed { names } = self else {
            return Ok(self);
        };
        let names: BTreeSet<String> = names.iter().map(|name| name.trim().to_owned()).collect();
        let fits = |name: &String| {
            let chars = name.chars().count();
            (1..=RESPONSE_KEY_CHARS_MAX).contains(&chars) && !name.chars().any(char::is_control)
        };
        if (1..=RESPONSE_KEYS_MAX).contains(&names.len()) && names.iter().all(fits) {
            return Ok(Self::Listed { names });
        }
        Err(DraftProblem::new(
            "response_variables.names",
            format!(
                "List 1 to {RESPONSE_KEYS_MAX} keys of at most {RESPONSE_KEY_CHARS_MAX} characters each."
            ),
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listed(names: &[&str]) -> ResponseVariables {
        ResponseVariables::Listed {
            names: names.iter().map(|name| (*name).to_owned()).collect(),
        }
    }

    #[test]
    fn a_service_that_was_kept_before_there_were_recordings_records_nothing() {
        let service: Service = serde_json::from_value(serde_json::json!({
            "id": "s", "name": "Sales", "numbers": ["*"], "route": { "to": "agents" },
            "desktop": "d", "protection": "capture", "recorders": null, "revision": 1,
        }))
        .unwrap();
        assert_eq!(service.call_recording.when, RecordWhen::Never);
        assert_eq!(
            (service.pairs(), service.pairing),
            (false, Pairing::default())
        );
        assert_eq!(service.screen_recording.when, ScreenWhen::Never);
        assert!(KEEP_DAYS.contains(&service.call_recording.keep_days));
    }

    #[test]
    fn the_own_recorder_is_a_masked_sink_that_nobody_declares() {
        let own = Sink::own();
        assert!(own.is_own() && !own.is_own_screen());
        let screen = Sink::own_screen();
        assert!(screen.is_own_screen() && !screen.is_own());
        assert_eq!(
            (screen.medium, screen.hears),
            (SinkMedium::Screen, own.hears)
        );
        assert_eq!(own.hears, SinkHearing::Masked);
        let declared = Sink {
            id: SinkId::from_random(2),
            ..own
        };
        assert!(!declared.is_own());
    }

    #[test]
    fn s19_fall_back_keys_that_are_not_allowed_are_not_asked() {
        let gateway: GatewayConfig = serde_json::from_value(serde_json::json!({
            "service_url": "https://gateway.example/", "success_key": "a", "success_value": "b",
            "agent_message_key": "message",
            "more": { "message_keys": ["data.text", "error"] },
        }))
        .unwrap();
        for (variables, shown, asked) in [
            (ResponseVariables::None, false, vec![]),
            (listed(&["message", "error"]), true, vec!["error"]),
            (listed(&["data.text"]), false, vec!["data.text"]),
            (ResponseVariables::All, true, vec!["data.text", "error"]),
        ] {
            let mut gateway = gateway.clone();
            assert_eq!(variables.restrict(&mut gateway), shown);
            assert_eq!(gateway.more.message_keys, asked);
        }
    }

    #[test]
    fn s19_none_listed_and_all_allow_what_they_say() {
        let allowed = |variables: &ResponseVariables| {
            ["message", "data.text"].map(|key| variables.allow(key))
        };
        assert_eq!(allowed(&ResponseVariables::default()), [false, false]);
        assert_eq!(allowed(&listed(&["data.text"])), [false, true]);
        assert_eq!(allowed(&ResponseVariables::All), [true, true]);
    }

    #[test]
    fn s19_a_list_has_1_to_50_keys() {
        assert_eq!(listed(&[" message "]).parse(), Ok(listed(&["message"])));
        assert_eq!(ResponseVariables::None.parse(), Ok(ResponseVariables::None));
        let long = "x".repeat(201);
        for names in [&[][..], &[""], &["a\nb"], &[&*long]] {
            let problem = listed(names).parse().unwrap_err();
            assert_eq!(problem.field, "response_variables.names");
        }
        let many: Vec<String> = (0..51).map(|number| number.to_string()).collect();
        let many: Vec<&str> = many.iter().map(|name| &**name).collect();
        assert!(listed(&many).parse().is_err());
    }
}
